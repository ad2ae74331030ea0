"""edge_case.py: what the tests of the edge share: an edge of one's own, raw bytes, waiting."""
import json
import os
import socket
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

from edge_process import WRITE_KEY, Edge, request  # noqa: E402

BINARY = os.path.join(os.environ.get("CAIRN_BIN", os.path.join(ROOT, "build/dev/bin")),
                      "cairn-edge")
WAIT_SECONDS_MAX = 20
os.environ.setdefault("TSAN_OPTIONS", "suppressions=" +
                      os.path.join(ROOT, "tests", "support", "tsan.supp"))
JSON = {"content-type": "application/json", "x-cairn-key": WRITE_KEY}


def until(condition, what):
    """Waits for something that will happen; the time is only a bound."""
    end = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"it did not happen in {WAIT_SECONDS_MAX} s: {what}")
        time.sleep(0.01)


class Raw:
    """A socket that says exactly what it is told to, and reads whole answers."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS_MAX)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def fill(self):
        data = self.socket.recv(65536)
        self.rest += data
        return bool(data)

    def answer(self, is_head=False):
        """(status, headers, body) of the next answer; None at the end of the connection."""
        while b"\r\n\r\n" not in self.rest:
            if not self.fill():
                return None
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        status = int(lines[0].split()[1])
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        size = 0 if is_head or status < 200 else int(headers.get("content-length", 0))
        while len(self.rest) < size:
            if not self.fill():
                raise AssertionError("the answer was cut off")
        body, self.rest = self.rest[:size], self.rest[size:]
        return status, headers, body

    def ended(self):
        """Does the other side end the connection?"""
        try:
            while self.fill():
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self):
        self.socket.close()


class EdgeCase(unittest.TestCase):
    """One edge for all tests of a class; `options` are lines of its configuration."""

    options = {}
    env = {}

    @classmethod
    def setUpClass(cls):
        cls.edge = Edge(BINARY, cls.options, cls.env)
        cls.edge.start()

    @classmethod
    def tearDownClass(cls):
        try:
            if cls.edge.child.poll() is None:
                code = cls.edge.stop()
                assert code == 0, f"the edge ended with {code}:\n{cls.edge.tail()}"
        finally:
            cls.edge.close()

    def raw(self, admin=False):
        raw = Raw(self.edge.admin_port if admin else self.edge.port)
        self.addCleanup(raw.close)
        return raw

    def post(self, path, body, headers=None):
        return request(self.edge.port, "POST", path, body, headers or JSON)

    def metric(self, name, edge=None):
        return metric(edge or self.edge, name)

    def assert_problem(self, answer, status, code):
        got, body = answer[0], answer[-1]
        problem = json.loads(body)
        self.assertEqual((got, problem["code"]), (status, code), problem)
        self.assertEqual(problem["status"], status)
        for name in ("type", "title", "detail", "fix"):
            self.assertTrue(problem[name], problem)


def metric(edge, name, headers=None):
    _, body = request(edge.admin_port, "GET", "/metrics", headers=headers)
    for line in body.decode().split("\n"):
        if line.startswith(name + " "):
            return int(line.split()[-1])
    raise AssertionError(f"no metric {name}")


def http_post(path, body, *headers):
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"X-Cairn-Key: {WRITE_KEY}",
             "Content-Type: application/json", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body
