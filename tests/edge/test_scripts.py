"""The processes that run scripts: there from the start, replaced, gone with their edge."""
import json
import os
import signal
import unittest

from edge_case import BINARY, Edge, EdgeCase, metric, request, until


def sandboxes(edge_pid):
    """Pids of the edge's children that run scripts."""
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                parent = int(file.read().rsplit(") ", 1)[1].split()[1])
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except (OSError, IndexError):
            continue  # no process, or gone meanwhile
        if parent == edge_pid and b"--sandbox-child" in words:
            found.append(int(name))
    return found


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(") ", 1)[1][0] in "ZX"
    except OSError:
        return True


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file)


class Sandboxes(EdgeCase):
    options = {"script_children": 3}

    def test_one_that_dies_is_replaced(self):
        until(lambda: self.metric("cairn_script_children") == 3, "three processes are ready")
        before = sandboxes(self.edge.child.pid)
        self.assertEqual(len(before), 3)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: self.metric("cairn_script_restarts_total") >= 1, "one was replaced")
        until(lambda: len(sandboxes(self.edge.child.pid)) == 3, "there are three again")
        self.assertNotIn(before[0], sandboxes(self.edge.child.pid))

    def test_they_hold_nothing_but_two_pipes(self):
        until(lambda: self.metric("cairn_script_children") == 3, "three processes are ready")
        for pid in sandboxes(self.edge.child.pid):
            # one that was just replaced is not locked in yet, and has no work yet
            until(lambda pid=pid: status_of(pid)["Seccomp"] == "2", "it is locked in")
            status = status_of(pid)
            self.assertEqual(status["NoNewPrivs"], "1")
            self.assertEqual(status["Threads"], "1")
            if os.geteuid() == 0:  # they are not dumpable: nobody else may look
                self.assertEqual(sorted(os.listdir(f"/proc/{pid}/fd")), ["0", "1", "2"])


class Tries(EdgeCase):
    """POST /v1/scripts/run. The clock is wide, so that a slow machine changes nothing."""

    options = {"script_timeout_ms": 1000, "script_wait_ms": 10000}

    def setUp(self):
        until(lambda: self.metric("cairn_script_children") == 2, "the processes are ready")

    def ask(self, body, admin=True):
        port = self.edge.admin_port if admin else self.edge.port
        return request(port, "POST", "/v1/scripts/run", json.dumps(body),
                       {"content-type": "application/json"})

    def run_script(self, source, **more):
        status, body = self.ask({"source": source, **more})
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def test_each_use_gets_its_result(self):
        rank = "function main(i) { return i.items.map(function (x) { return x.price * -1; }); }"
        answer = self.run_script(rank, use="rank", input={"items": [{"price": 2}, {"price": 0.5}]})
        self.assertEqual(answer["result"], [-2, -0.5])
        chance = "function main(i) { return [Math.random(), Date.now(), i]; }"
        first = self.run_script(chance, input="\u4e2d", now_ms=5, seed=3)["result"]
        self.assertEqual(first[1:], [5, "\u4e2d"])
        self.assertEqual(self.run_script(chance, input="\u4e2d", now_ms=5, seed=3)["result"], first)
        tag = self.run_script("function main() { return null; }", use="tag")
        self.assertIn("result", tag)
        self.assertIsNone(tag["result"])

    def test_every_default_has_its_reason(self):
        for source, reason in [("function main() { for (;;); }", "script_timeout"),
                               ("function main() { throw new Error('no'); }", "script_error"),
                               ("function main() { var s = 'x'; for (;;) s += s; }",
                                "script_memory"),
                               ("function main() { return {}; }", "script_result"),
                               ("//" + "x" * 65536, "script_error")]:
            answer = self.run_script(source, use="score")
            self.assertEqual((answer["reason"], answer["use_default"]), (reason, True), answer)
            self.assertTrue(answer["text"])
            self.assertNotIn("result", answer)

    def test_a_request_that_is_none_names_the_field(self):
        for body, field in [({}, "source"), ({"source": 1}, "source"), ([], "body"),
                            ({"source": "x", "use": "bid"}, "use"),
                            ({"source": "x", "now_ms": "now"}, "now_ms"),
                            ({"source": "x", "seed": 0.5}, "seed")]:
            status, answer = self.ask(body)
            self.assertEqual((status, json.loads(answer)["field"]), (400, field), answer)

    def test_the_public_listener_runs_none(self):
        self.assertNotEqual(self.ask({"source": "function main() {}"}, admin=False)[0], 200)

    def test_a_client_that_leaves_disturbs_nobody(self):
        body = json.dumps({"source": "function main() { for (;;); }"}).encode()
        for _ in range(4):
            raw = self.raw(admin=True)
            raw.send(b"POST /v1/scripts/run HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                     b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
            raw.send(body)
            raw.close()
        self.assertEqual(self.run_script("function main() { return 1; }")["result"], 1)


class Ends(unittest.TestCase):
    def check_gone(self, end):
        edge = Edge(BINARY)
        try:
            edge.start()
            until(lambda: metric(edge, "cairn_script_children") == 2, "they are ready")
            pids = sandboxes(edge.child.pid)
            self.assertEqual(len(pids), 2)
            end(edge)
            until(lambda: all(gone(pid) for pid in pids), "they ended with their edge")
        finally:
            edge.close()

    def test_they_end_when_the_edge_is_killed(self):
        self.check_gone(lambda edge: edge.kill())

    def test_they_end_when_the_edge_drains(self):
        self.check_gone(lambda edge: self.assertEqual(edge.stop(), 0))

    def test_none_is_started_when_none_is_wanted(self):
        edge = Edge(BINARY, {"script_children": 0})
        try:
            edge.start()
            self.assertEqual(sandboxes(edge.child.pid), [])
            self.assertEqual(edge.stop(), 0)
        finally:
            edge.close()


if __name__ == "__main__":
    unittest.main()
