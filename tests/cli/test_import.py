#!/usr/bin/env python3
"""`cairn import` against a peer that is busy, refuses rows, or refuses everything."""
import csv
import json
import os
import subprocess
import sys
import tempfile
import unittest

from peer import Peer

CAIRN = os.path.abspath(os.path.join(os.environ.get("CAIRN_BIN", "build/dev/bin"), "cairn"))
FLAGS = ["--key", "k", "--user", "u", "--event", "buy", "--time", "t", "--time-format", "epoch_ms",
         "--property", "n:integer"]


def cairn(*arguments, **options):
    return subprocess.run([CAIRN, *arguments], capture_output=True, text=True, timeout=60,
                          **options)


class Collector:
    """Takes events as an edge does: (idempotency key, seq) counts once."""

    def __init__(self):
        self.requests, self.seen, self.refuse = [], {}, None

    def __call__(self, path, headers, body):
        events = [json.loads(line) for line in body.splitlines()]
        self.requests.append((path, dict(headers), events))
        rejected = []
        for index, event in enumerate(events):
            if self.refuse and self.refuse(event):
                rejected.append({"index": index, "code": "number_odd", "field": "n",
                                 "fix": "send even ones"})
            else:
                self.seen[(headers["idempotency-key"], event["seq"])] = event
        return 200, {}, {"accepted": len(events) - len(rejected), "rejected": rejected}


class ImportTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.file = os.path.join(self.folder.name, "rows.csv")
        self.bad = self.file + ".rejected.csv"

    def tearDown(self):
        self.folder.cleanup()

    def write(self, count, extra=""):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("u,t,n\n")
            file.writelines(f"user{i % 97},{1000 + i},{i}\n" for i in range(count))
            file.write(extra)

    def rejected(self):
        with open(self.bad, newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def test_every_row_arrives_once_although_the_file_is_imported_twice(self):
        self.write(2500)
        collector = Collector()
        with Peer(collector) as peer:
            for _ in range(2):
                done = cairn("import", self.file, "--edge", peer.url, *FLAGS)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("2500 rows read, 2500 events accepted, 0 rows bad", done.stdout)
        self.assertEqual(len(collector.seen), 2500)
        self.assertEqual(sorted(event["properties"]["n"] for event in collector.seen.values()),
                         list(range(2500)))
        self.assertTrue(all(len(events) <= 1000 for _, _, events in collector.requests))
        path, headers, _ = collector.requests[0]
        self.assertEqual(path, "/v1/events")
        self.assertEqual(headers["X-Cairn-Key"], "k")
        self.assertFalse(os.path.exists(self.bad))

    def test_another_name_is_another_import(self):
        self.write(10)
        collector = Collector()
        with Peer(collector) as peer:
            for name in ("a", "b", "b"):
                cairn("import", self.file, "--edge", peer.url, "--name", name, *FLAGS)
        self.assertEqual(len(collector.seen), 20)

    def test_bad_rows_are_kept_with_line_and_reason(self):
        self.write(2, 'x,late,1\n"y,2",5\nz,7,8\n')
        collector = Collector()
        collector.refuse = lambda event: event["properties"]["n"] % 2 == 1
        with Peer(collector) as peer:
            done = cairn("import", self.file, "--edge", peer.url, *FLAGS)
            told = cairn("import", self.file, "--edge", peer.url, "--allow-bad", *FLAGS)
        self.assertEqual((done.returncode, told.returncode), (1, 0))
        self.assertIn("5 rows read, 2 events accepted, 3 rows bad (1 refused", done.stdout)
        self.assertIn(self.bad, done.stdout)
        rows = self.rejected()
        self.assertEqual(rows[0], ["line", "reason", "u", "t", "n"])
        self.assertEqual(sorted(rows[1:]), [
            ["3", "the edge refused it: number_odd: n; send even ones", "user1", "1001", "1"],
            ["4", 't: "late" is no time in the form epoch_ms', "x", "late", "1"],
            ["5", "the row has 2 fields, the columns are 3", "y,2", "5"],
        ])

    def test_a_busy_edge_is_asked_again(self):
        self.write(1500)
        collector = Collector()
        busy = iter([(429, {"retry-after": "1"}), (503, {}), (503, {})])

        def answer(path, headers, body):
            status, more = next(busy, (200, {}))
            return (status, more, {}) if status != 200 else collector(path, headers, body)

        with Peer(answer) as peer:
            done = cairn("import", self.file, "--edge", peer.url, *FLAGS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(collector.seen), 1500)
        self.assertIn("3 requests repeated", done.stdout)

    def test_a_batch_that_waits_holds_the_others_back(self):
        """An edge remembers only so many missing numbers below the newest one."""
        self.write(9000)
        collector, tries, others = Collector(), [], set()

        def answer(path, headers, body):
            first = json.loads(body.splitlines()[0])["seq"]
            if first == 2 and len(tries) < 4:
                tries.append(first)
                return 503, {}, {}
            if len(tries) < 4:
                others.add(first)
            return collector(path, headers, body)

        with Peer(answer) as peer:
            done = cairn("import", self.file, "--edge", peer.url, "--requests", "8", *FLAGS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(collector.seen), 9000)
        self.assertEqual(others, {1002, 2002, 3002})

    def test_a_refused_key_ends_the_import_with_the_edges_words(self):
        self.write(5000)
        problem = {"status": 401, "detail": "no project has this key", "fix": "look in edge.yaml"}
        with Peer(lambda *_: (401, {}, problem)) as peer:
            done = cairn("import", self.file, "--edge", peer.url, *FLAGS)
        self.assertEqual(done.returncode, 1)
        self.assertIn("401: no project has this key; look in edge.yaml", done.stderr)

    def test_an_edge_that_is_not_there_is_named(self):
        self.write(1)
        done = cairn("import", self.file, "--edge", "http://127.0.0.1:9", "--retry-seconds", "0",
                     *FLAGS)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is the edge running there?", done.stderr)

    def test_a_dry_run_sends_nothing_and_shows_events(self):
        self.write(5, "x,y,z\n")
        done = cairn("import", self.file, "--dry-run", *FLAGS[2:])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout.splitlines()[0])["seq"], 2)
        self.assertIn("5 events good (a dry run", done.stdout)
        self.assertEqual(len(self.rejected()), 2)

    def test_json_lines_from_a_pipe_need_a_name(self):
        lines = "\n".join(json.dumps({"event": "a", "user": "u", "n": i}) for i in range(3))
        flags = ["import", "-", "--format", "jsonl", "--key", "k"]
        nameless = cairn(*flags, input=lines)
        self.assertEqual(nameless.returncode, 1)
        self.assertIn("give --name", nameless.stderr)
        collector = Collector()
        with Peer(collector) as peer:
            done = cairn(*flags, "--name", "x", "--edge", peer.url, input=lines,
                         cwd=self.folder.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([event["seq"] for event in collector.seen.values()], [1, 2, 3])

    def test_wrong_use_is_2_and_names_what_is_wrong(self):
        self.write(1)
        for flags, word in ((["--requests", "0"], "1 to 64"), (["--user"], "a value must follow"),
                            (["--nonsense", "1"], "no such option"),
                            (["--event-column", "e", "--event", "x"], "give one of --event")):
            done = cairn("import", self.file, *FLAGS, *flags)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)


class AskTest(unittest.TestCase):
    def test_a_token_is_sent_and_a_table_printed(self):
        asked = []

        def answer(path, headers, body):
            asked.append((path, headers["authorization"], body))
            return 200, {}, {"columns": ["day", "n"], "rows": [["周一", 12]]}

        with Peer(answer) as peer:
            done = cairn("analyze", "-", "--edge", peer.url, "--token", "t0k", input='{"a": 1}')
            cairn("person", "login:a b", "--edge", peer.url,
                  env={**os.environ, "CAIRN_ADMIN_TOKEN": "env"})
        self.assertEqual(done.stdout, "day   n\n周一  12\n")
        self.assertEqual(asked[0], ("/v1/analyze", "Bearer t0k", b'{"a":1}'))
        self.assertEqual(asked[1][:2], ("/v1/persons/login:a%20b", "Bearer env"))


if __name__ == "__main__":
    if not os.path.exists(CAIRN):
        sys.exit(f"there is no {CAIRN}; build the target cairn")
    unittest.main()
