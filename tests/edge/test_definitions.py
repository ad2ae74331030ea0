"""Definitions over sockets: the doors, two writers at once, the bundle and its signature, syncs."""
import base64
import gzip
import http.client
import json
import os
import re
import subprocess
import tempfile
import threading
import unittest

from edge_case import BINARY, ROOT, Edge, EdgeCase, metric

import cairn_wire
from edge_process import WRITE_KEY

JSON = {"content-type": "application/json"}
POPUP = {"manual": True, "content": {"text": "Welcome"}}
DEVICE = bytes(range(1, 17))
# SubjectPublicKeyInfo of a P-256 key, up to the point itself (RFC 5480).
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def call(edge, method, path, body=None, headers=None, port=None):
    """(status, headers, body); JSON bodies are read."""
    connection = http.client.HTTPConnection("127.0.0.1", port or edge.admin_port, timeout=30)
    try:
        text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        connection.request(method, path, text, {**JSON, **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        if "json" in answer.getheader("content-type", "") and data:
            data = json.loads(data)
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data
    finally:
        connection.close()


def sync(edge, version, events=(), headers=None):
    """(headers, response, bytes on the wire) of a device that decides."""
    body = cairn_wire.sync_request(WRITE_KEY, DEVICE, 1, list(events), version)
    status, got, data = call(edge, "POST", "/v1/sync", body, {
        "content-type": "application/x-protobuf", **(headers or {})}, edge.port)
    assert status == 200, data
    plain = gzip.decompress(data) if got.get("content-encoding") == "gzip" else data
    return got, cairn_wire.sync_response(plain), data


def verified(signed, public_key):
    """The Bundle of a SignedBundle; the signature is checked by openssl, not by our code."""
    parts = dict(cairn_wire.fields(signed))
    r, s = (int.from_bytes(parts[3][at:at + 32], "big") for at in (0, 32))
    numbers = b""
    for number in (r, s):
        data = number.to_bytes(33, "big").lstrip(b"\0")
        data = data if data[0] < 0x80 else b"\0" + data
        numbers += b"\x02" + bytes([len(data)]) + data
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("key.der", SPKI + base64.b64decode(public_key)),
                           ("sig.der", b"\x30" + bytes([len(numbers)]) + numbers),
                           ("bundle", parts[1])):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify",
                               "key.der", "-signature", "sig.der", "bundle"],
                              cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return parts[1]


class Doors(EdgeCase):
    """One project."""

    def put(self, path, body=None, expect=(200, 201), **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = call(self.edge, "PUT", path, POPUP if body is None else body, names)
        self.assertIn(answer[0], expect if isinstance(expect, tuple) else (expect,), answer)
        return answer

    def test_a_definition_is_put_read_changed_and_removed(self):
        status, headers, body = self.put("/v1/popups/one")
        self.assertEqual((status, headers["etag"], body["version"]), (201, '"1"', 1))
        first = body["bundle_version"]
        status, headers, body = self.put("/v1/popups/one", {**POPUP, "priority": 5})
        self.assertEqual((status, headers["etag"], body["bundle_version"]), (200, '"2"', first + 1))
        status, headers, body = call(self.edge, "GET", "/v1/popups/one")
        self.assertEqual((status, headers["etag"], body["priority"]), (200, '"2"', 5))
        self.assertEqual(call(self.edge, "GET", "/v1/popups/one?version=1")[2], POPUP)
        status, headers, _ = call(self.edge, "GET", "/v1/popups/one",
                                  headers={"if-none-match": '"2"'})
        self.assertEqual((status, headers["etag"]), (304, '"2"'))
        status, _, body = call(self.edge, "DELETE", "/v1/popups/one")
        self.assertEqual((status, body["removed"], body["version"]), (200, True, 0))
        self.assert_problem(call(self.edge, "GET", "/v1/popups/one"), 404, "definition_unknown")
        self.assert_problem(call(self.edge, "DELETE", "/v1/popups/one"), 404, "definition_unknown")
        self.assertEqual(self.put("/v1/popups/one")[1]["etag"], '"4"')

    def assert_problem(self, answer, status, code):
        self.assertEqual((answer[0], answer[2]["code"]), (status, code), answer)
        for name in ("type", "title", "detail", "fix"):
            self.assertTrue(answer[2][name], answer)

    def test_what_is_wrong_is_told_with_field_and_fix(self):
        bad = {"manual": True, "variants": [{"name": "a"}, {"name": "b", "weight": -1}]}
        answer = self.put("/v1/popups/bad", bad, 400)
        self.assert_problem(answer, 400, "out_of_range")
        self.assertEqual(answer[2]["field"], "variants[1].weight")
        answer = self.put("/v1/audiences/bad", {"rule": 'user.city contain "x"'}, 400)
        rule = answer[2]["rule"]
        self.assertEqual((rule["line"], rule["column"]), (1, 11))
        self.assertIn('user.city contain "x"\n          ^', rule["shown"])
        self.assert_problem(self.put("/v1/popups/bad", "{", 400), 400, "bad_json")
        self.assert_problem(self.put("/v1/popups/a%20b", POPUP, 400), 400, "bad_name")
        self.assert_problem(self.put("/v1/popups/", POPUP, 400), 400, "bad_name")
        self.assert_problem(self.put("/v1/popups/x?project=none", POPUP, 400), 400,
                            "project_missing")
        self.assert_problem(call(self.edge, "PUT", "/v1/popups/x", POPUP,
                                 {"content-type": "text/plain"}), 415, "content_type")
        self.assertEqual(call(self.edge, "PUT", "/v1/popups", POPUP)[1]["allow"], "GET, HEAD")
        self.assertEqual(call(self.edge, "POST", "/v1/popups/x", POPUP)[1]["allow"],
                         "GET, HEAD, PUT, DELETE")
        self.assert_problem(call(self.edge, "GET", "/v1/popups?limit=0"), 400, "bad_limit")
        self.assert_problem(call(self.edge, "GET", "/v1/popups/x?version=a"), 400, "bad_version")
        self.assertEqual(call(self.edge, "PUT", "/v1/popups/x", POPUP,
                              port=self.edge.port)[0], 404)

    def test_what_others_use_is_not_removed(self):
        self.put("/v1/audiences/vip", {"rule": "user.vip"})
        self.put("/v1/popups/for-vip", {**POPUP, "audience": 'member("vip")'})
        answer = call(self.edge, "DELETE", "/v1/audiences/vip")
        self.assert_problem(answer, 409, "in_use")
        self.assertEqual(answer[2]["detail"], "audience `vip` is used by popup `for-vip`")
        call(self.edge, "DELETE", "/v1/popups/for-vip")
        self.assertEqual(call(self.edge, "DELETE", "/v1/audiences/vip")[0], 200)

    def test_conditions_and_dry_runs(self):
        path = "/v1/popups/conditions"
        answer = self.put(path, POPUP, 412, if_match="*")
        self.assert_problem(answer, 412, "changed")
        self.assertEqual(answer[2]["current_version"], 0)
        status, _, body = self.put(path + "?dry_run=1")
        self.assertEqual((status, body["valid"], body["version"]), (200, True, 0))
        self.assertEqual(call(self.edge, "GET", path)[0], 404)
        self.assertEqual(self.put(path, if_none_match="*")[0], 201)
        answer = self.put(path, POPUP, 412, if_none_match="*")
        self.assertEqual((answer[2]["current_version"], answer[1]["etag"]), (1, '"1"'))
        for tag in ('"2"', 'W/"1"', "1", '""', '"1', "nonsense"):
            self.put(path, {**POPUP, "priority": 1}, 412, if_match=tag)
        answer = self.put(path, {**POPUP, "priority": 1}, 200, if_match='"7", "1"')
        self.assertEqual(answer[1]["etag"], '"2"')
        self.assertEqual(call(self.edge, "DELETE", path, headers={"if-match": '"1"'})[0], 412)

    def test_of_two_editors_of_one_version_one_wins(self):
        path = "/v1/experiments/race"
        self.put(path, {"variants": [{"name": "a"}]})
        for version in range(1, 6):
            answers = []

            def edit(number):
                answers.append(call(self.edge, "PUT", path, {
                    "variants": [{"name": "a", "value": [version, number]}]},
                    {"if-match": f'"{version}"'})[0])

            threads = [threading.Thread(target=edit, args=(n,)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(answers), [200] + [412] * 7)

    def test_lists_come_in_pages(self):
        for number in range(5):
            self.put(f"/v1/slots/s{number}", {
                "title": f"Slot {number}", "items": [{"id": "a"}], "lists": {"l": ["a"]},
                "default": "l"})
        names, cursor = [], ""
        while cursor is not None:
            page = call(self.edge, "GET", f"/v1/slots?limit=2&cursor={cursor}")[2]
            names += [one["name"] for one in page["items"]]
            cursor = page.get("next")
        self.assertEqual(names, [f"s{n}" for n in range(5)])
        one = page["items"][0]
        self.assertEqual((one["title"], one["version"], one["paused"]), ("Slot 4", 1, False))

    def test_settings_are_there_from_the_beginning(self):
        status, headers, body = call(self.edge, "GET", "/v1/decisions/settings")
        self.assertEqual((status, headers["etag"], body), (200, '"0"', {}))
        self.put("/v1/decisions/settings", {"zone": "Asia/Shanghai", "zones": []}, 201,
                 if_none_match="*")
        self.assertEqual(self.put("/v1/decisions/settings", {"zone": "Mars/Olympus"}, 400)[2]
                         ["code"], "unknown_zone")
        self.assertEqual(call(self.edge, "DELETE", "/v1/decisions/settings")[1]["allow"],
                         "GET, HEAD, PUT")

    def test_a_change_leaves_a_line_in_the_log(self):
        self.put("/v1/popups/audited")
        lines = [json.loads(line) for line in self.edge.tail(20000).split("\n")
                 if '"audited"' in line]
        self.assertEqual([(one["kind"], one["action"], one["outcome"], one["version"])
                          for one in lines], [("popup", "put", "done", 1)])

    def test_the_examples_of_the_shop_are_good(self):
        folder = os.path.join(ROOT, "examples", "web", "definitions")
        done = subprocess.run(["bash", os.path.join(folder, "load.sh"),
                               f"http://127.0.0.1:{self.edge.admin_port}"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Bundles(EdgeCase):
    """What devices get."""

    def test_devices_get_the_newest_bundle_signed(self):
        self.assertEqual(sync(self.edge, 0)[1]["bundle_version"], 0)
        self.assertEqual(call(self.edge, "GET", "/v1/bundle")[2]["code"], "bundle_none")
        call(self.edge, "PUT", "/v1/popups/first", POPUP)
        key = call(self.edge, "GET", "/v1/bundle/key")[2]
        _, response, _ = sync(self.edge, 0)
        bundle = verified(response["bundle"], key["public_key"])
        self.assertEqual(dict(cairn_wire.fields(response["bundle"]))[2].decode(), key["id"])
        self.assertEqual(response["bundle_version"], 1)
        self.assertEqual(dict(cairn_wire.fields(bundle))[1].decode(), WRITE_KEY)
        self.assertEqual(dict(cairn_wire.fields(bundle))[2], 1)
        self.assertEqual(call(self.edge, "GET", "/v1/bundle")[2], response["bundle"])
        _, response, _ = sync(self.edge, 1)
        self.assertEqual((response["bundle"], response["bundle_version"]), (b"", 1))
        # an event in the same request is on disk, and acknowledged
        event = cairn_wire.event_message(1, "view", 1, {})
        _, response, _ = sync(self.edge, 0, [event])
        self.assertEqual((response["acked_seq"], response["bundle_version"]), (1, 1))
        # who does not decide gets none
        body = cairn_wire.sync_request(WRITE_KEY, DEVICE, 1, [])
        data = call(self.edge, "POST", "/v1/sync", body,
                    {"content-type": "application/x-protobuf"}, self.edge.port)[2]
        self.assertEqual(cairn_wire.sync_response(data)["bundle_version"], 0)
        self.assertGreaterEqual(metric(self.edge, "cairn_bundles_sent_total"), 2)

        # compressed once, for whoever takes it; every length of the rest
        content = {"text": "Save now! " * 3000}
        version = call(self.edge, "PUT", "/v1/popups/big", {"manual": True, "content": content})[2][
            "bundle_version"]
        _, plain, wire = sync(self.edge, 0)
        self.assertGreater(len(wire), 30000)
        for accept in ("gzip", "br, GZIP;q=0.5", "deflate , gzip"):
            headers, response, wire = sync(self.edge, 0, headers={"accept-encoding": accept})
            self.assertEqual(headers["content-encoding"], "gzip", accept)
            self.assertLess(len(wire), 12000)
            self.assertEqual(response["bundle"], plain["bundle"])
            self.assertEqual(response["bundle_version"], version)
        for accept in ("br", "gzip;q=0", "gzip; q=0.00", "gzipped", ""):
            headers, _, _ = sync(self.edge, 0, headers={"accept-encoding": accept})
            self.assertNotIn("content-encoding", headers, accept)
        bad = [cairn_wire.event_message(n, "", 1, {}) for n in range(1, 901)]
        headers, response, _ = sync(self.edge, 0, bad, {"accept-encoding": "gzip"})
        self.assertEqual((headers["content-encoding"], len(response["rejected"])), ("gzip", 900))
        self.assertEqual(response["bundle"], plain["bundle"])

    def test_the_key_and_the_bundle_are_the_same_after_a_restart(self):
        edge = Edge(BINARY)
        self.addCleanup(edge.close)
        edge.start()
        call(edge, "PUT", "/v1/popups/first", POPUP)
        key, bundle = call(edge, "GET", "/v1/bundle/key")[2], call(edge, "GET", "/v1/bundle")[2]
        path = os.path.join(edge.data, "keys", "test.pem")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(edge.stop(), 0)
        edge.start()
        self.assertEqual(call(edge, "GET", "/v1/bundle/key")[2], key)
        self.assertEqual(call(edge, "GET", "/v1/bundle")[2], bundle)
        self.assertEqual(edge.stop(), 0)
        with open(path, "w", encoding="ascii") as file:
            file.write("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n")
        with self.assertRaises(RuntimeError):
            edge.start()
        self.assertIn("no private key", edge.tail())

    def test_a_key_of_ones_own(self):
        edge = Edge(BINARY)
        self.addCleanup(edge.close)
        path = os.path.join(edge.folder, "own.pem")
        with open(edge.config, "a", encoding="utf-8") as file:
            file.write(f"    signing_key: {path}\n")
        with self.assertRaises(RuntimeError):
            edge.start()  # a key that was named is never made
        self.assertIn("own.pem", edge.tail())
        subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out",
                        path], check=True, capture_output=True)
        edge.start()
        call(edge, "PUT", "/v1/popups/first", POPUP)
        key = call(edge, "GET", "/v1/bundle/key")[2]
        verified(call(edge, "GET", "/v1/bundle")[2], key["public_key"])
        point = subprocess.run(["openssl", "ec", "-in", path, "-pubout", "-outform", "DER"],
                               check=True, capture_output=True).stdout
        self.assertEqual(point, SPKI + base64.b64decode(key["public_key"]))
        self.assertEqual(edge.stop(), 0)

    def test_no_route_forgets_the_token(self):
        edge = Edge(BINARY, {"admin_token": "0123456789abcdef"})
        self.addCleanup(edge.close)
        edge.launch()
        printed = subprocess.run([BINARY, "--print-routes"], capture_output=True, text=True,
                                 check=True).stdout
        routes = re.findall(r"admin (\w+) (/v1/(?:popups|slots|experiments|audiences|decisions|"
                            r"bundle)\S*)", printed)
        self.assertEqual(len(routes), 20)
        token = {"authorization": "Bearer 0123456789abcdef"}
        while True:
            try:
                if call(edge, "GET", "/readyz", headers=token)[0] == 200:
                    break
            except OSError:
                pass
        for method, path in routes:
            status = call(edge, method.upper(), path.replace("{name}", "x"),
                          POPUP if method == "put" else None)[0]
            self.assertEqual(status, 401, (method, path))
        self.assertEqual(call(edge, "GET", "/v1/popups", headers=token)[0], 200)
        self.assertEqual(edge.stop(), 0)


if __name__ == "__main__":
    unittest.main()
