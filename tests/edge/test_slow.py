"""Slow, stuck and too many clients: they are closed in time and stop nobody else."""
import selectors
import time
import unittest

from edge_case import EdgeCase, Raw, http_post, request, until

EVENT = b'{"event":"a","user":"u"}'
GOOD = http_post("/v1/events", EVENT)
SLOW_CLIENTS = 1000


class Crowd:
    """Clients that send one byte each now and then, and never finish."""

    def __init__(self, port, count, data):
        self.data, self.at = data, 0
        self.clients = [Raw(port) for _ in range(count)]
        self.gone = 0

    def byte(self):
        for raw in self.clients:
            try:
                raw.socket.send(self.data[self.at:self.at + 1])
            except OSError:
                pass
        self.at += 1

    def count_closed(self):
        """Those whose connection the edge has ended."""
        selector = selectors.DefaultSelector()
        for raw in self.clients:
            selector.register(raw.socket, selectors.EVENT_READ, raw)
        closed = 0
        for key, _ in selector.select(0):
            try:
                closed += not key.data.fill()
            except OSError:
                closed += 1
        selector.close()
        return closed

    def close(self):
        for raw in self.clients:
            raw.close()


class Slow(EdgeCase):
    options = {"head_timeout_ms": 2000, "body_timeout_ms": 2000, "idle_timeout_ms": 2000}

    def crowd_is_harmless(self, data):
        crowd = Crowd(self.edge.port, SLOW_CLIENTS, data)
        self.addCleanup(crowd.close)
        good = self.raw()
        end = time.monotonic() + 1.5
        answered = 0
        while time.monotonic() < end:
            crowd.byte()
            for _ in range(20):
                self.assertEqual(good.send(GOOD).answer()[0], 200)
                answered += 1
        self.assertGreater(answered, 20)
        gone = [0]

        def all_closed():
            gone[0] += crowd.count_closed()
            return gone[0] >= SLOW_CLIENTS
        until(all_closed, "every slow client is closed")
        until(lambda: self.metric("cairn_connections") <= 2, "only the good one is left")

    def test_heads_that_never_end(self):
        self.crowd_is_harmless(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1000)

    def test_bodies_that_never_end(self):
        self.crowd_is_harmless(http_post("/v1/events", b"x" * 100000)[:2000])

    def test_requests_that_are_given_up_cost_nothing(self):
        for _ in range(200):
            raw = Raw(self.edge.port).send(GOOD[:-5])
            raw.close()
        until(lambda: self.metric("cairn_connections") <= 1, "they are gone")
        self.assertEqual(self.metric("cairn_inflight_bytes"), 0)

    def test_a_slow_request_is_told_so(self):
        for cut in (10, len(GOOD) - 5):
            raw = self.raw().send(GOOD[:cut])
            status, headers, _ = raw.answer()
            self.assertEqual((status, headers["connection"]), (408, "close"))

    def test_idle_connections_end_without_a_word(self):
        fresh = self.raw()
        used = self.raw()
        self.assertEqual(used.send(GOOD).answer()[0], 200)
        self.assertIsNone(fresh.answer())
        self.assertIsNone(used.answer())

    def test_the_time_is_each_requests_own(self):
        raw = self.raw()
        begun = time.monotonic()
        while time.monotonic() - begun < 3:  # longer than any one timeout
            raw.send(GOOD + GOOD[:40])
            self.assertEqual(raw.answer()[0], 200)
            raw.send(GOOD[40:])
            self.assertEqual(raw.answer()[0], 200)


class Unread(EdgeCase):
    options = {"write_timeout_ms": 500, "static_dir": "/usr/bin"}

    def test_answers_that_nobody_reads_end_the_connection(self):
        raw = self.raw()
        raw.socket.setsockopt(1, 8, 4096)  # SO_RCVBUF: the edge soon has to wait
        for _ in range(30):
            raw.send(b"GET /python3 HTTP/1.1\r\nHost: a\r\n\r\n")
        before = self.metric("cairn_http_timeouts_total")
        until(lambda: self.metric("cairn_http_timeouts_total") > before, "closed")
        until(lambda: self.metric("cairn_inflight_bytes") == 0, "its memory is given back")


class Many(EdgeCase):
    options = {"connections_max": 8, "head_timeout_ms": 1000}

    def test_more_connections_wait_until_there_is_room(self):
        held = [Raw(self.edge.port) for _ in range(8)]
        late = self.raw().send(GOOD)
        self.assertEqual(late.answer()[0], 200)  # when an idle one has gone
        for raw in held:
            raw.close()
        self.assertEqual(request(self.edge.admin_port, "GET", "/readyz")[0], 200)


if __name__ == "__main__":
    unittest.main()
