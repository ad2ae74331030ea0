"""HTTP/1.1 over real sockets: what is refused, what is kept open, what order answers come in."""
import os
import tempfile
import unittest
import unittest.mock

from edge_case import EdgeCase, http_post, request

HOST = b"Host: 127.0.0.1\r\n"
EVENT = b'{"event":"a","user":"u"}'

# name, bytes, status: each is answered with the status, and the connection ends
REFUSED = [
    ("two lengths", b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n"
     b"Content-Length: 6\r\n\r\nhello", 400),
    ("equal lengths", b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n"
     b"Content-Length: 5\r\n\r\nhello", 400),
    ("length and chunks", b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("chunks not last", b"POST /v1/sync HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
    ("length not a number", b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Content-Length: 0x5\r\n\r\n",
     400),
    ("bare line feed", b"GET / HTTP/1.1\n" + HOST + b"\r\n", 400),
    ("bare line feed at the end", b"GET / HTTP/1.1\r\n" + HOST + b"\n", 400),
    ("bare carriage return", b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400),
    ("NUL", b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", 400),
    ("folded header", b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", 400),
    ("space before the colon", b"GET / HTTP/1.1\r\n" + HOST + b"X : a\r\n\r\n", 400),
    ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two hosts", b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    ("version 3", b"GET / HTTP/3.0\r\n" + HOST + b"\r\n", 505),
    ("unknown method", b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    ("expectation", b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Expect: tea\r\n"
     b"Content-Length: 5\r\n\r\n", 417),
    ("long head", b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 20000 + b"\r\n\r\n", 431),
    ("many headers", b"GET / HTTP/1.1\r\n" + HOST + b"a:b\r\n" * 101 + b"\r\n", 431),
    ("large body", b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Content-Length: 1048577\r\n\r\n", 413),
    ("large chunk", b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
     b"100001\r\n", 413),
    ("chunk size in LF", b"POST /v1/sync HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400),
    ("trailers", b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
     b"1\r\na\r\n0\r\nX: y\r\n\r\n", 400),
    ("seventeen digits", b"POST /v1/sync HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: chunked\r\n\r\n00000000000000001\r\na\r\n0\r\n\r\n", 400),
    ("no length", b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"\r\n", 411),
    ("a body nobody wants", b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: 50\r\n\r\n",
     404),
]


class Wire(EdgeCase):
    def test_doubtful_requests_are_refused_and_the_connection_ends(self):
        for name, data, status in REFUSED:
            with self.subTest(name):
                raw = self.raw().send(data)
                answer = raw.answer()
                self.assertEqual(answer[0], status, answer)
                self.assertIn("application/problem+json", answer[1]["content-type"])
                if status != 411:  # that one has no body: the next request is where it seems
                    self.assertEqual(answer[1].get("connection"), "close")
                    raw.send(b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n")
                    self.assertIsNone(raw.answer())

    def test_bytes_behind_a_refusal_are_no_request(self):
        raw = self.raw().send(b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n"
                              b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                              b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n")
        self.assertEqual(raw.answer()[0], 400)
        self.assertIsNone(raw.answer())

    def test_a_connection_is_kept_for_many_requests(self):
        raw = self.raw()
        for _ in range(50):
            self.assertEqual(raw.send(http_post("/v1/events", EVENT)).answer()[0], 200)

    def test_http_1_0_ends_after_one_answer(self):
        raw = self.raw().send(b"GET /nowhere HTTP/1.0\r\n\r\n")
        self.assertEqual(raw.answer()[0], 404)
        self.assertIsNone(raw.answer())

    def test_answers_come_in_the_order_of_the_requests(self):
        # data waits for the disk, files for the pool, refusals for nothing
        kinds = [(http_post("/v1/events", EVENT), 200),
                 (b"GET /no-such-file HTTP/1.1\r\n" + HOST + b"\r\n", 404),
                 (b"OPTIONS /v1/sync HTTP/1.1\r\n" + HOST + b"\r\n", 204),
                 (http_post("/v1/events", b"{"), 400)]
        raw = self.raw().send(b"".join(data for data, _ in kinds) * 100)
        for _ in range(100):
            self.assertEqual([raw.answer()[0] for _ in kinds], [status for _, status in kinds])

    def test_chunked_bodies_are_read_however_they_are_cut(self):
        body = b"\r\n".join([b"%x\r\n%s" % (len(part), part) for part in
                             (EVENT[:1], EVENT[1:7], EVENT[7:])]) + b"\r\n0\r\n\r\n"
        head = http_post("/v1/events", b"").replace(b"Content-Length: 0",
                                                    b"Transfer-Encoding: chunked")
        raw = self.raw()
        for _ in range(3):
            for at in range(0, len(head + body), 5):
                raw.send((head + body)[at:at + 5])
            self.assertEqual(raw.answer()[0], 200)

    def test_expect_100_continue_is_answered_before_the_body(self):
        whole = http_post("/v1/events", EVENT, "Expect: 100-continue")
        raw = self.raw().send(whole[:-len(EVENT)])
        self.assertEqual(raw.answer()[0], 100)
        self.assertEqual(raw.send(EVENT).answer()[0], 200)

    def test_expect_is_refused_before_the_body_is_sent(self):
        raw = self.raw().send(b"POST /v1/sync HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\n"
                              b"Content-Type: image/png\r\nContent-Length: 100000\r\n\r\n")
        self.assertEqual(raw.answer()[0], 415)

    def test_a_client_that_half_closes_gets_its_answer(self):
        raw = self.raw().send(http_post("/v1/events", EVENT))
        raw.socket.shutdown(1)
        self.assertEqual(raw.answer()[0], 200)
        self.assertIsNone(raw.answer())

    def test_methods_that_a_path_does_not_have_are_told(self):
        raw = self.raw()
        for method, path, allow in (("DELETE", "/v1/events", "post, options"),
                                    ("GET", "/v1/sync", "post, options")):
            raw.send(f"{method} {path} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
            status, headers, _ = raw.answer()
            self.assertEqual((status, headers["allow"]), (405, allow))
        admin = self.raw(admin=True)
        admin.send(b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n")
        self.assertEqual(admin.answer()[0], 405)

    def test_the_public_listener_answers_no_question(self):
        for path in ("/v1/analyze", "/v1/persons/login:u", "/v1/stream", "/metrics", "/healthz",
                     "/readyz", "/console/"):
            self.assertEqual(request(self.edge.port, "GET", path)[0], 404, path)
        for path in ("/v1/events", "/v1/sync"):
            self.assertEqual(request(self.edge.admin_port, "POST", path, b"{}")[0], 404, path)

    def test_cors_lets_any_page_send_data_and_read_the_answer(self):
        raw = self.raw().send(b"OPTIONS /v1/events HTTP/1.1\r\n" + HOST +
                              b"Origin: https://shop.example\r\n"
                              b"Access-Control-Request-Method: POST\r\n\r\n")
        status, headers, _ = raw.answer()
        self.assertEqual((status, headers["access-control-allow-origin"]), (204, "*"))
        for name in ("content-type", "content-encoding", "idempotency-key", "authorization"):
            self.assertIn(name, headers["access-control-allow-headers"])
        for body in (EVENT, b"{"):
            _, headers, _ = self.raw().send(http_post("/v1/events", body)).answer()
            self.assertEqual(headers["access-control-allow-origin"], "*")


class Files(EdgeCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        root = os.path.join(cls.folder.name, "site")
        os.makedirs(os.path.join(root, "assets"))
        for name, text in (("index.html", "<p>shop"), ("assets/a b.js", "1"), (".env", "secret"),
                           ("core.wasm", "\0asm")):
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)
        with open(os.path.join(cls.folder.name, "outside"), "w", encoding="utf-8") as file:
            file.write("secret")
        os.symlink(os.path.join(cls.folder.name, "outside"), os.path.join(root, "link"))
        os.mkfifo(os.path.join(root, "pipe"))
        cls.options = {"static_dir": root, "console_dir": root}
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    def test_files_have_types_and_tags(self):
        for path, kind in (("/", "text/html"), ("/index.html", "text/html"),
                           ("/assets/a%20b.js", "text/javascript"),
                           ("/core.wasm?v=1", "application/wasm")):
            raw = self.raw()
            raw.send(f"GET {path} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
            status, headers, _ = raw.answer()
            self.assertEqual((status, headers["content-type"].split(";")[0]), (200, kind))
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            raw.send(f"GET {path} HTTP/1.1\r\n".encode() + HOST +
                     f"If-None-Match: {headers['etag']}\r\n\r\n".encode())
            self.assertEqual(raw.answer(), (304, unittest.mock.ANY, b""))

    def test_head_tells_the_length_and_sends_nothing(self):
        raw = self.raw().send((b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n") * 2)
        for _ in range(2):
            status, headers, _ = raw.answer(is_head=True)
            self.assertEqual((status, headers["content-length"]), (200, "7"))

    def test_nothing_outside_the_folder_is_served(self):
        for path in ("/../outside", "/%2e%2e/outside", "/assets/..%2f..%2foutside", "/..%5coutside",
                     "/.env", "/%2eenv", "/link", "/pipe", "/assets", "//etc/passwd",
                     "/assets/%00", "/assets/%zz", "/./index.html", "/index.html%00.png",
                     "/" + "a" * 5000):
            raw = self.raw().send(f"GET {path} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
            status, _, body = raw.answer()
            self.assertEqual(status, 404, path)
            self.assertNotIn(b"secret", body)

    def test_the_console_has_a_policy_and_the_root_leads_to_it(self):
        raw = self.raw(admin=True).send((b"GET /console/ HTTP/1.1\r\n" + HOST + b"\r\n"))
        status, headers, body = raw.answer()
        self.assertEqual((status, body), (200, b"<p>shop"))
        policy = headers["content-security-policy"]
        for part in ("default-src 'none'", "script-src 'self';", "frame-ancestors 'none'"):
            self.assertIn(part, policy)
        for path in (b"/", b"/console"):
            raw.send(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
            status, headers, _ = raw.answer()
            self.assertEqual((status, headers["location"]), (308, "/console/"))


if __name__ == "__main__":
    unittest.main()
