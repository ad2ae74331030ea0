"""The processes that run scripts: there from the start, replaced, gone with their edge."""
import os
import signal
import unittest

from edge_case import BINARY, Edge, EdgeCase, metric, until


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
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
            self.assertEqual(status["Seccomp"], "2")
            self.assertEqual(status["NoNewPrivs"], "1")
            self.assertEqual(status["Threads"], "1")
            if os.geteuid() == 0:  # they are not dumpable: nobody else may look
                self.assertEqual(sorted(os.listdir(f"/proc/{pid}/fd")), ["0", "1", "2"])


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
