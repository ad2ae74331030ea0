"""The admin listener: who may ask, the stream, persons, and pages that say what is."""
import json
import os
import re
import subprocess
import unittest

from edge_case import BINARY, JSON, ROOT, Edge, EdgeCase, Raw, metric, request, until

TOKEN = "0123456789abcdef-token"
QUESTION = json.dumps({"model": "event", "from": "2026-01-01", "to": "2026-01-02",
                       "series": [{"name": "n", "on": "a", "measure": "count"}]})
ASK = {"content-type": "application/json"}


def event(name, user="u", **properties):
    return json.dumps({"event": name, "user": user, "properties": properties})


class Stream:
    """Reads a server-sent stream block by block."""

    def __init__(self, port, path="/v1/stream", headers=()):
        self.raw = Raw(port)
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
        self.raw.send("\r\n".join(lines).encode())
        self.status, self.headers, _ = self.raw.answer()

    def block(self):
        """The next block that is no comment, as a dictionary; None at the end."""
        while True:
            while b"\n\n" not in self.raw.rest:
                if not self.raw.fill():
                    return None
            text, self.raw.rest = self.raw.rest.split(b"\n\n", 1)
            if not text.startswith(b":"):
                return dict(line.split(": ", 1) for line in text.decode().split("\n"))

    def events(self, count):
        return [json.loads(self.block()["data"])["event"] for _ in range(count)]

    def close(self):
        self.raw.close()


class Open(EdgeCase):
    """Without a token: for this machine only."""

    def stream(self, **options):
        stream = Stream(self.edge.admin_port, **options)
        self.addCleanup(stream.close)
        return stream

    def send(self, *names, user="u"):
        lines = "\n".join(event(name, user) for name in names)
        self.assertEqual(self.post("/v1/events", lines)[0], 200)

    def test_only_local_names_are_served(self):
        for host, status in (("127.0.0.1:1", 200), ("localhost", 200), ("[::1]:8081", 200),
                             ("LOCALHOST:8081", 200), ("evil.example", 403),
                             ("127.0.0.1.evil.example", 403), ("localhost.evil.example:8081", 403)):
            answer = self.raw(admin=True).send(
                f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).answer()
            self.assertEqual(answer[0], status, host)

    def test_pages_of_other_sites_may_not_ask(self):
        port = self.edge.admin_port
        for origin, status in ((f"http://127.0.0.1:{port}", 200), ("https://evil.example", 403),
                               ("null", 403), (f"http://x127.0.0.1:{port}", 403)):
            got, body = request(port, "GET", "/metrics", headers={"origin": origin})
            self.assertEqual(got, status, (origin, body[:200]))

    def test_questions_are_json_and_bounded(self):
        port = self.edge.admin_port
        self.assert_problem(request(port, "POST", "/v1/analyze", QUESTION,
                                    {"content-type": "text/plain"}), 415, "content_type")
        self.assert_problem(request(port, "POST", "/v1/analyze", QUESTION,
                                    {**ASK, "content-encoding": "gzip"}), 415, "content_encoding")
        self.assert_problem(request(port, "POST", "/v1/analyze?project=none", QUESTION, ASK), 400,
                            "project_missing")
        self.assert_problem(request(port, "POST", "/v1/analyze", b" " * 1048577, ASK), 413,
                            "body_too_large")
        status, body = request(port, "POST", "/v1/analyze?project=test", QUESTION, ASK)
        self.assertEqual(status, 200, body)
        self.assertIn("rows", json.loads(body))

    def test_persons_are_found_by_any_id(self):
        port = self.edge.admin_port
        self.send("look", user="anna b%")
        status = [0]

        def found():
            status[0], self.person = request(port, "GET", "/v1/persons/login:anna%20b%25")
            return status[0] == 200
        until(found, "the person is there")
        self.assertEqual(json.loads(self.person)["events"][0]["event"], "look")
        self.assert_problem(request(port, "GET", "/v1/persons/login:nobody"), 404, "person_unknown")
        for path in ("login", "login:", ":u", "", "login:%zz", "login:%00"):
            self.assert_problem(request(port, "GET", f"/v1/persons/{path}"), 400, "id_invalid")

    def test_the_stream_shows_events_in_order(self):
        stream = self.stream()
        self.assertEqual((stream.status, stream.headers["content-type"]),
                         (200, "text/event-stream"))
        self.send("first", "second")
        self.send("third")
        blocks = [stream.block() for _ in range(3)]
        self.assertEqual([one["event"] for one in blocks], ["event"] * 3)
        data = [json.loads(one["data"]) for one in blocks]
        self.assertEqual([one["event"] for one in data], ["first", "second", "third"])
        for one in data:
            self.assertLessEqual({"time", "person", "event", "properties", "ids"}, set(one))

    def test_a_reader_that_comes_back_misses_nothing(self):
        stream = self.stream()
        self.send("a", "b", "c")
        first = stream.block()
        stream.close()
        self.send("d")
        again = self.stream(headers=[f"Last-Event-ID: {first['id']}"])
        self.assertEqual(again.events(3), ["b", "c", "d"])
        for odd in ("1-1", "x", "-", "9" * 70, first["id"].split("-", maxsplit=1)[0]):
            other = self.stream(headers=[f"Last-Event-ID: {odd}"])
            self.send("now")
            self.assertEqual(other.events(1), ["now"], odd)
            other.close()

    def test_a_reader_that_does_not_read_costs_little_and_stops_nobody(self):
        stuck, reader = self.stream(), self.stream()
        line = event("big", x="y" * 8000)
        for _ in range(20):
            self.assertEqual(self.post("/v1/events", "\n".join([line] * 100))[0], 200)
        seen = 0
        while seen < 1:
            seen += reader.block() is not None
        until(lambda: self.metric("cairn_fold_position_bytes") ==
              self.metric("cairn_log_position_bytes"), "folded")
        self.assertLess(self.metric("cairn_inflight_bytes"), 4 << 20)
        self.assertEqual(stuck.block()["event"], "event")

    def test_metrics_have_a_help_and_a_type_each(self):
        _, body = request(self.edge.admin_port, "GET", "/metrics")
        kinds = {}
        for line in body.decode().splitlines():
            if line.startswith("# TYPE"):
                kinds[line.split()[2]] = line.split()[3]
            elif not line.startswith("#"):
                self.assertRegex(line, r"^[a-z_]+(\{[a-z]+=\"[a-z0-9]+\"\})? \d+$")
                name = re.match(r"[a-z_]+", line).group(0)
                self.assertIn(name, kinds)
                self.assertEqual(kinds[name] == "counter", name.endswith("_total"), name)


class Closed(EdgeCase):
    options = {"admin_token": TOKEN, "stream_clients_max": 1, "stream_heartbeat_ms": 100}

    def test_the_token_is_asked_for_where_it_matters(self):
        port = self.edge.admin_port
        for method, path in (("POST", "/v1/analyze"), ("GET", "/v1/persons/login:u"),
                             ("GET", "/v1/stream"), ("GET", "/metrics")):
            for headers in ({}, {"authorization": f"Bearer {TOKEN}x"},
                            {"authorization": f"Bearer {TOKEN[:-1]}"}, {"authorization": TOKEN}):
                self.assert_problem(request(port, method, path, QUESTION if method == "POST" else
                                            None, {**ASK, **headers}), 401, "token_wrong")
        good = {**ASK, "authorization": f"Bearer {TOKEN}", "host": "edge.example"}
        self.assertEqual(request(port, "POST", "/v1/analyze", QUESTION, good)[0], 200)
        for path in ("/healthz", "/readyz"):
            self.assertEqual(request(port, "GET", path)[0], 200)

    def test_streams_are_counted_and_say_that_they_are_alive(self):
        bearer = [f"Authorization: Bearer {TOKEN}"]
        stream = Stream(self.edge.admin_port, headers=bearer)
        self.addCleanup(stream.close)
        self.assertEqual(Stream(self.edge.admin_port, headers=bearer).status, 503)
        while stream.raw.rest.count(b": alive") < 2:
            self.assertTrue(stream.raw.fill())
        stream.close()
        auth = {"authorization": f"Bearer {TOKEN}"}
        until(lambda: metric(self.edge, "cairn_stream_clients", auth) == 0, "the reader is gone")


class Busy(EdgeCase):
    options = {"analyze_concurrent_max": 1}

    def test_more_questions_than_fit_are_told_to_come_back(self):
        head = ("POST /v1/analyze HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                "Content-Type: application/json\r\n"
                f"Content-Length: {len(QUESTION)}\r\n\r\n")
        before = self.metric("cairn_questions_refused_total")
        raw = self.raw(admin=True).send((head + QUESTION).encode() * 3)  # one read: all at once
        answers = [raw.answer() for _ in range(3)]
        self.assertEqual([one[0] for one in answers], [200, 503, 503])
        self.assertEqual(answers[1][1]["retry-after"], "1")
        self.assertEqual(raw.send((head + QUESTION).encode()).answer()[0], 200)
        self.assertEqual(self.metric("cairn_questions_refused_total") - before, 2)

    def test_a_client_that_leaves_ends_its_question(self):
        for _ in range(20):
            raw = self.raw(admin=True)
            raw.send(b"POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                     b"Content-Type: application/json\r\n\r\n{}")
            raw.close()
        until(lambda: self.metric("cairn_connections") <= 1, "they are gone")
        until(lambda: request(self.edge.admin_port, "POST", "/v1/analyze", QUESTION, ASK)[0] == 200,
              "there is room again")


class Projects(unittest.TestCase):
    def test_two_projects_share_an_edge_and_nothing_else(self):
        edge = Edge(BINARY)
        self.addCleanup(edge.close)
        with open(edge.config, "a", encoding="utf-8") as file:
            file.write("  - name: other\n    write_key: other-write-key\n"
                       "    timezone: Asia/Shanghai\n")
        edge.start()
        port = edge.admin_port
        other = Stream(port, "/v1/stream?project=other")
        self.addCleanup(other.close)
        self.assertEqual(request(edge.port, "POST", "/v1/events", event("mine"), JSON)[0], 200)
        self.assertEqual(request(edge.port, "POST", "/v1/events", event("theirs"),
                                 {**JSON, "x-cairn-key": "other-write-key"})[0], 200)
        self.assertEqual(other.events(1), ["theirs"])
        for name, seen in (("test", "mine"), ("other", "theirs")):
            status, body = request(port, "GET", f"/v1/persons/login:u?project={name}")
            self.assertEqual((status, [one["event"] for one in json.loads(body)["events"]]),
                             (200, [seen]))
        for path in ("/v1/persons/login:u", "/v1/persons/login:u?project=none"):
            self.assertEqual(request(port, "GET", path)[0], 400)
        self.assertEqual(request(port, "POST", "/v1/analyze", QUESTION, ASK)[0], 400)
        self.assertEqual(Stream(port, "/v1/stream?project=none").status, 404)
        self.assertEqual(edge.stop(), 0)
        edge.start()  # the quiet one does not fold the other's log again
        self.assertEqual(edge.stop(), 0)


class Pages(unittest.TestCase):
    """The pages made from tables are as the tables are."""

    def printed(self, what):
        return subprocess.run([BINARY, what], capture_output=True, text=True, check=True).stdout

    def page(self, name):
        with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as file:
            return file.read()

    def test_config_and_metrics_pages(self):
        for option, name in (("--print-config-docs", "CONFIG.md"),
                             ("--print-metrics-docs", "METRICS.md")):
            self.assertEqual(self.printed(option), self.page(name),
                             f"write docs/{name} anew: cairn-edge {option} > docs/{name}")

    def test_every_route_has_a_line_and_every_line_a_route(self):
        listed, path, ports = set(), None, {"8080": "public", "8081": "admin"}
        for line in self.page("openapi.yaml").split("\ncomponents:")[0].split("\n"):
            found = re.match(r"  (/\S*):$", line)
            path = found.group(1) if found else path
            found = re.match(r"    servers: .*:(\d+)\"", line)
            listener = ports[found.group(1)] if found else None
            if listener:
                side = listener
            found = re.match(r"    (get|post|options|put|delete|patch):$", line)
            if found:
                listed.add(f"{side} {found.group(1)} {path}")
        self.assertEqual(listed, set(self.printed("--print-routes").split("\n")) - {""})


if __name__ == "__main__":
    unittest.main()
