#!/usr/bin/env python3
"""`cairn load` against a peer that reads its requests with a decoder of its own."""
import json
import os
import subprocess
import sys
import unittest

from peer import Peer

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

import cairn_wire  # noqa: E402

CAIRN = os.path.abspath(os.path.join(os.environ.get("CAIRN_BIN", "build/dev/bin"), "cairn"))


def load(peer, *flags):
    done = subprocess.run([CAIRN, "load", "--edge", peer.url, "--key", "k", "--json", *flags],
                          capture_output=True, text=True, timeout=60)
    return done, json.loads(done.stdout) if done.stdout else None


class Collector:
    """Acknowledges what it reads; `seqs`: device -> all sequence numbers, in order of arrival."""

    def __init__(self):
        self.seqs, self.keys, self.sizes, self.busy, self.lie = {}, set(), [], 0, 0

    def __call__(self, path, headers, body):
        if self.busy > 0:
            self.busy -= 1
            return 503, {}, {}
        request = list(cairn_wire.fields(body))
        self.keys.add(dict(request)[1])
        events = [dict(cairn_wire.fields(value)) for field, value in request if field == 14]
        seqs = [event[1] for event in events]
        self.sizes.append(len(events))
        self.seqs.setdefault(dict(request)[2], []).extend(seqs)
        answer = cairn_wire.number_field(1, seqs[-1] - self.lie)
        return 200, {}, answer + cairn_wire.number_field(3, 1)


class LoadTest(unittest.TestCase):
    def test_each_device_sends_its_events_once_in_order(self):
        collector = Collector()
        collector.busy = 3
        with Peer(collector) as peer:
            done, report = load(peer, "--people", "20", "--events", "2000", "--batch", "7",
                                "--connections", "4", "--seed", "5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((report["events"], report["wrong"], report["busy"]), (2000, 0, 3))
        self.assertEqual(sum(collector.sizes), 2000)
        self.assertLessEqual(max(collector.sizes), 7)
        self.assertEqual(collector.keys, {b"k"})
        self.assertGreaterEqual(len(collector.seqs), 20)
        for seqs in collector.seqs.values():
            self.assertEqual(seqs, list(range(1, len(seqs) + 1)))

    def test_an_answer_that_acknowledges_too_little_is_wrong(self):
        collector = Collector()
        collector.lie = 1
        with Peer(collector) as peer:
            done, report = load(peer, "--people", "2", "--events", "40")
        self.assertEqual(done.returncode, 1)
        self.assertGreater(report["wrong"], 0)
        self.assertIn("does not acknowledge the whole run", done.stderr)

    def test_a_rate_is_kept(self):
        with Peer(Collector()) as peer:
            done, report = load(peer, "--rate", "200", "--seconds", "2", "--batch", "5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(report["events"], 300)
        self.assertLessEqual(report["events"], 400)

    def test_an_edge_that_is_not_there_is_named(self):
        done = subprocess.run([CAIRN, "load", "--edge", "https://x", "--key", "k"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("write http://host:port", done.stderr)


if __name__ == "__main__":
    if not os.path.exists(CAIRN):
        sys.exit(f"there is no {CAIRN}; build the target cairn")
    unittest.main()
