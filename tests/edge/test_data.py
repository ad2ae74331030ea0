"""Requests with data: keys, encodings, limits, repetitions, and JSON as others test it."""
import gzip
import json
import os
import subprocess
import sys
import unittest
import zlib

from edge_case import JSON, ROOT, WRITE_KEY, EdgeCase, Raw, http_post, request, until

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import cairn_wire  # noqa: E402

PROTOBUF = {"content-type": "application/x-protobuf"}
BASE_MS = 1767225600000  # 2026-01-01
DEVICE = bytes(range(16))


def sync(first, count, key=WRITE_KEY, device=DEVICE, name="tick"):
    events = [cairn_wire.event_message(seq, name, BASE_MS + seq, {"n": seq})
              for seq in range(first, first + count)]
    return cairn_wire.sync_request(key, device, BASE_MS, events)


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


class Data(EdgeCase):
    def counted(self, metric="cairn_events"):
        """The number after all that was accepted is folded."""
        until(lambda: self.metric("cairn_fold_position_bytes") ==
              self.metric("cairn_log_position_bytes"), "folded")
        return self.metric(metric)

    def test_a_batch_is_acknowledged_up_to_its_last_event(self):
        before = self.counted()
        status, body = self.post("/v1/sync", sync(1, 50, device=bytes([1] * 16)), PROTOBUF)
        self.assertEqual((status, cairn_wire.sync_response(body)["acked_seq"]), (200, 50))
        status, body = self.post("/v1/sync", sync(31, 40, device=bytes([1] * 16)), PROTOBUF)
        self.assertEqual((status, cairn_wire.sync_response(body)["acked_seq"]), (200, 70))
        self.assertEqual(self.counted() - before, 70)

    def test_events_as_object_array_and_lines(self):
        before = self.counted()
        for body, kind in (('{"event":"a","user":"u"}', "application/json"),
                           ('[{"event":"a","user":"u"},{"event":"b","user":"u"}]',
                            "application/json; charset=utf-8"),
                           ('{"event":"a","user":"u"}\n{"event":"b","user":"u"}\n',
                            "application/x-ndjson")):
            status, answer = self.post("/v1/events", body, {**JSON, "content-type": kind})
            self.assertEqual((status, json.loads(answer)["rejected"]), (200, []), answer)
        self.assertEqual(self.counted() - before, 5)

    def test_bad_events_are_named_and_kept_apart(self):
        good, bad = self.counted(), self.counted("cairn_quarantined")
        status, body = self.post("/v1/events", '[{"event":"a","user":"u"},{"event":""}, 7]')
        answer = json.loads(body)
        self.assertEqual((status, answer["accepted"]), (200, 1))
        self.assertEqual([one["index"] for one in answer["rejected"]], [1, 2])
        for one in answer["rejected"]:
            self.assertTrue(one["code"] and one["fix"])
        self.assertEqual((self.counted() - good, self.counted("cairn_quarantined") - bad), (1, 2))

    def test_a_repeated_idempotency_key_counts_once(self):
        before = self.counted()
        body = '[{"event":"a","user":"u"},{"event":"b","user":"u"}]'
        for _ in range(3):
            self.assertEqual(self.post("/v1/events", body, {**JSON, "idempotency-key": "k1"})[0],
                             200)
        self.assertEqual(self.counted() - before, 2)
        self.assertEqual(self.post("/v1/events", body, {**JSON, "idempotency-key": "k" * 257})[0],
                         400)

    def test_keys_are_looked_for_in_three_places(self):
        event = '{"event":"a","user":"u"}'
        kind = {"content-type": "application/json"}
        for headers, query in (({"authorization": f"Bearer {WRITE_KEY}"}, ""),
                               ({"authorization": f"bearer {WRITE_KEY}"}, ""),
                               ({"x-cairn-key": WRITE_KEY}, ""), ({}, f"?a=b&key={WRITE_KEY}")):
            self.assertEqual(self.post("/v1/events" + query, event, {**kind, **headers})[0], 200)
        for headers in ({}, {"x-cairn-key": WRITE_KEY[:-1]}, {"x-cairn-key": WRITE_KEY + "x"},
                        {"authorization": "Bearer "}, {"authorization": WRITE_KEY}):
            self.assert_problem(self.post("/v1/events", event, {**kind, **headers}), 401,
                                "write_key_unknown")
        self.assert_problem(self.post("/v1/sync", sync(1, 1, key="another-key"), PROTOBUF), 401,
                            "write_key_unknown")

    def test_types_and_encodings_that_are_not_read(self):
        self.assert_problem(self.post("/v1/events", "{}", {**JSON, "content-type": "text/html"}),
                            415, "content_type")
        self.assert_problem(self.post("/v1/sync", b"", {"content-type": "application/json"}), 415,
                            "content_type")
        for coding in ("br", "deflate", "gzip, gzip"):
            self.assert_problem(self.post("/v1/events", "{}", {**JSON, "content-encoding": coding}),
                                415, "content_encoding")

    def test_compressed_bodies_small_and_large(self):
        before = self.counted()
        for count in (1, 900):
            body = json.dumps([{"event": "packed", "user": f"u{i}", "properties": {"x": "y" * 99}}
                               for i in range(count)]).encode()
            for coding, data in (("gzip", gzip.compress(body)), ("zstd", zstd(body)),
                                 ("identity", body)):
                status, answer = self.post("/v1/events", data, {**JSON, "content-encoding": coding})
                self.assertEqual((status, json.loads(answer).get("accepted")), (200, count),
                                 (coding, answer))
        self.assertEqual(self.counted() - before, 3 * 901)

    def test_compressed_bodies_that_lie(self):
        packed = gzip.compress(b'{"event":"a","user":"u"}')
        broken = [packed[:-1], packed + b"x", b"", b"hello", packed[:-5] + b"12345",
                  zlib.compress(b"{}")]
        for data in broken:
            self.assert_problem(self.post("/v1/events", data, {**JSON, "content-encoding": "gzip"}),
                                400, "body_not_decompressed")
        for data in (zstd(b"{}")[:-1], zstd(b"{}") + b"x", b"hello"):
            self.assert_problem(self.post("/v1/events", data, {**JSON, "content-encoding": "zstd"}),
                                400, "body_not_decompressed")

    def test_bombs_end_at_the_limit(self):
        zeros = b" " * (64 << 20)
        for coding, data in (("gzip", gzip.compress(zeros, 9)), ("zstd", zstd(zeros))):
            self.assertLess(len(data), 1 << 20)
            self.assert_problem(self.post("/v1/events", data, {**JSON, "content-encoding": coding}),
                                413, "body_too_large")

    def test_bodies_and_batches_have_a_largest_size(self):
        body = b'{"event":"a","user":"u","properties":{"x":"' + b"y" * (1 << 20) + b'"}}'
        self.assert_problem(self.post("/v1/events", body), 413, "body_too_large")
        lines = '{"event":"a","user":"u"}\n'
        status, answer = self.post("/v1/events", lines * 1000)
        self.assertEqual((status, json.loads(answer)["accepted"]), (200, 1000))
        self.assertEqual(self.post("/v1/events", lines * 1001)[0], 413)

    def test_a_sync_that_is_no_message_is_named(self):
        for body in (b"\xff\xff\xff", b"", sync(1, 1)[:-3]):
            status, answer = self.post("/v1/sync", body, PROTOBUF)
            problem = json.loads(answer)
            self.assertEqual(status, 400, problem)
            self.assertTrue(problem["code"] and problem["fix"])

    def test_what_was_accepted_is_there_after_kill_9(self):
        for i in range(20):
            self.assertEqual(self.post("/v1/sync", sync(1 + i * 5, 5, device=b"k" * 16),
                                       PROTOBUF)[0], 200)
        before = self.metric("cairn_requests_accepted_total")
        self.assertGreater(before, 0)
        events = self.counted()
        self.assertEqual(self.post("/v1/sync", sync(101, 7, device=b"k" * 16), PROTOBUF)[0], 200)
        self.edge.kill()
        self.edge.start()
        self.assertEqual(self.counted(), events + 7)


class JsonTestSuite(EdgeCase):
    """https://github.com/nst/JSONTestSuite: y_ is JSON, n_ is not, i_ is left open."""

    def test_json_is_what_the_public_suite_says(self):
        folder = os.path.join(os.environ.get("CAIRN_SHARED", os.path.join(ROOT, "../shared")),
                              "data", "json-test-suite")
        names = []
        for where, _, files in os.walk(folder):
            names += [os.path.join(where, name) for name in files
                      if name.endswith(".json") and name[:2] in ("y_", "n_", "i_")]
        if not names:
            self.skipTest("json-test-suite is not there")
        wrong = []
        for path in sorted(names):
            with open(path, "rb") as file:
                status, body = self.post("/v1/events", file.read())
            name = os.path.basename(path)
            if status not in {"y": (200,), "n": (400,), "i": (200, 400)}[name[0]]:
                wrong.append((name, status, body[:200]))
        print(f"json-test-suite: {len(names)} files, {len(wrong)} read otherwise")
        self.assertEqual(wrong, [])
        self.assertEqual(request(self.edge.admin_port, "GET", "/readyz")[0], 200)


class InFlight(EdgeCase):
    options = {"inflight_bytes_soft": "1MiB", "inflight_bytes_hard": "1MiB",
               "request_bytes_max": "1MiB"}

    def test_more_than_fits_is_answered_503_and_taken_later(self):
        body = b'[{"event":"a","user":"u"}]' + b" " * 700000
        held = []
        for _ in range(3):  # bodies that stop short of their end
            raw = Raw(self.edge.port)
            held.append(raw.send(http_post("/v1/events", body)[:-1]))
        until(lambda: self.metric("cairn_inflight_bytes") > 1 << 20 or
              self.metric("cairn_http_answers_total{class=\"5xx\"}") > 0, "memory is used")
        answers = []
        for raw in held:
            answers.append(raw.send(b" ").answer())
            raw.close()
        refused = [one for one in answers if one is None or one[0] == 503]
        self.assertTrue(refused, [one and one[0] for one in answers])
        for one in refused:
            if one is not None:
                self.assertIn("retry-after", one[1] | {"retry-after": ""})
        until(lambda: self.post("/v1/events", '{"event":"a","user":"u"}')[0] == 200, "room again")


if __name__ == "__main__":
    unittest.main()
