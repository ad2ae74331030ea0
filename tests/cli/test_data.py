#!/usr/bin/env python3
"""`cairn verify`, and `analyze` and `person` with --data, on the directory of a real edge."""
import glob
import json
import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

from edge_process import WRITE_KEY, Edge, request  # noqa: E402

BIN = os.path.abspath(os.environ.get("CAIRN_BIN", os.path.join(ROOT, "build", "dev", "bin")))
CAIRN = os.path.join(BIN, "cairn")
QUERY = {"model": "event", "from": "2026-01-01", "to": "2026-01-31", "timezone": "UTC",
         "series": [{"name": "n", "on": "buy", "measure": "count"}], "by": ["event.city"]}


def cairn(*arguments, **options):
    return subprocess.run([CAIRN, *arguments], capture_output=True, text=True, timeout=60,
                          **options)


def send(edge, count, first=0):
    lines = "\n".join(json.dumps({"event": "buy", "user": f"u{i % 3}",
                                  "time": "2026-01-05T00:00:00Z",
                                  "properties": {"city": "上海"}})
                      for i in range(first, first + count))
    status, body = request(edge.port, "POST", "/v1/events", lines.encode(),
                           {"content-type": "application/x-ndjson", "x-cairn-key": WRITE_KEY})
    assert status == 200, body


class DataTest(unittest.TestCase):
    def setUp(self):
        self.edge = Edge(os.path.join(BIN, "cairn-edge"))
        self.edge.start()
        send(self.edge, 40)

    def tearDown(self):
        self.edge.close()

    def ask(self):
        return cairn("analyze", "-", "--data", self.edge.data, input=json.dumps(QUERY))

    def test_a_stopped_edges_data_answers_as_the_edge_did(self):
        online = self.edge.analyze(QUERY)
        self.edge.stop()
        offline = cairn("analyze", "-", "--data", self.edge.data, "--json",
                        input=json.dumps(QUERY))
        self.assertEqual(offline.returncode, 0, offline.stderr)
        self.assertEqual(json.loads(offline.stdout)["rows"], online["rows"])
        self.assertIn("上海", offline.stdout)
        person = cairn("person", "login:u1", "--data", self.edge.data)
        self.assertEqual(person.returncode, 0, person.stderr)
        self.assertIn("u1", person.stdout)
        nobody = cairn("person", "login:nobody", "--data", self.edge.data)
        self.assertEqual((nobody.returncode, nobody.stderr), (1, "cairn: nobody has this id\n"))

    def test_what_a_killed_edge_had_acknowledged_is_counted_without_it(self):
        send(self.edge, 60, first=40)
        self.edge.kill()
        for _ in range(2):  # looking changes nothing
            done = self.ask()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("100", done.stdout)

    def test_a_running_edge_keeps_its_directory_to_itself(self):
        for done in (self.ask(), cairn("verify", "--data", self.edge.data)):
            self.assertEqual(done.returncode, 1)
            self.assertIn("another process holds it", done.stderr)

    def test_a_whole_directory_verifies(self):
        self.edge.stop()
        done = cairn("verify", "--data", self.edge.data)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("test: 40 events, 3 persons", done.stdout)
        self.assertIn("no damage", done.stdout)

    def test_a_flipped_bit_in_the_log_is_found(self):
        send(self.edge, 40)
        self.edge.stop()
        path = sorted(glob.glob(os.path.join(self.edge.data, "log", "*")))[0]
        with open(path, "r+b") as file:
            file.seek(200)
            byte = file.read(1)[0]
            file.seek(200)
            file.write(bytes([byte ^ 1]))
        done = cairn("verify", "--data", self.edge.data)
        self.assertIn(path, done.stdout)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_a_broken_state_is_found(self):
        self.edge.stop()
        path = os.path.join(self.edge.data, "projects", "test", "state.db")
        with open(path, "r+b") as file:
            file.seek(4096 + 50)
            file.write(os.urandom(8000))
        done = cairn("verify", "--data", self.edge.data)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("test: ", done.stdout)

    def test_a_folder_that_is_no_data_directory_stays_as_it_was(self):
        empty = os.path.join(self.edge.folder, "empty")
        os.mkdir(empty)
        for path in (empty, os.path.join(empty, "none")):
            done = cairn("verify", "--data", path)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no data directory", done.stderr)
        self.assertEqual(os.listdir(empty), [])


if __name__ == "__main__":
    unittest.main()
