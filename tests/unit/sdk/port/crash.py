#!/usr/bin/env python3
"""Goal: kill -9 of a native application at any moment loses nothing that was durable, and a bad
network doubles nothing.
Method: tests/unit/sdk/port/app.c, killed after a random time, again and again, against a peer that
fails; what it said was kept must have arrived exactly once.
  crash.py PROTOC PROTO_FOLDER APP
"""
import random
import subprocess
import sys
import tempfile
import time

import peer as peers

LIVES = 25
EVENTS_PER_LIFE = 100_000  # more than it gets to


def live(app, folder, url, first, seconds):
    """One life; the number below which all events are said to be kept, and where to go on."""
    process = subprocess.Popen([app, folder, url, str(first), str(EVENTS_PER_LIFE)],
                               stdout=subprocess.PIPE)
    time.sleep(seconds)
    process.kill()
    lines = process.stdout.read().decode().split("\n")
    process.wait()
    kept = [int(line.split()[1]) for line in lines[:-1] if line.startswith("kept")]
    return kept[-1] if kept else first


def main():
    protoc, folder, app = sys.argv[1:]
    peer = peers.Peer(peers.load_schema(protoc, folder))
    rng = random.Random(5)
    promised = []
    with tempfile.TemporaryDirectory() as data:
        first = 1
        for number in range(LIVES):
            peer.fail = peers.sometimes(number)
            kept = live(app, data, peer.url, first, rng.uniform(0.02, 0.25))
            promised += range(first, kept)
            first += EVENTS_PER_LIFE
        peer.fail = lambda: None
        done = subprocess.run([app, data, peer.url, "0", "0"], capture_output=True, check=False)
        assert done.returncode == 0, done
        assert done.stdout == b"dropped 0\n", done.stdout
    arrived = {}
    for number in peer.events.values():
        arrived[number] = arrived.get(number, 0) + 1
    lost = [n for n in promised if n not in arrived]
    doubled = [n for n, count in arrived.items() if count > 1]
    assert len(promised) > 500, f"only {len(promised)} events were kept: the test is too weak"
    assert not lost, f"{len(lost)} lost, such as {lost[:5]}"
    assert not doubled, f"{len(doubled)} doubled, such as {doubled[:5]}"
    assert peer.collisions == 0
    assert len({device for device, _ in peer.events}) == 1
    assert peer.gzipped > 0
    print(f"{LIVES} lives: {len(promised)} kept events arrived once, {len(arrived)} in all")


main()
