#!/usr/bin/env python3
"""Goal: kill -9 at any moment never shows one popup more than its cap allows, and loses at most the
one that was on its way to the screen.
Method: tests/unit/sdk/port/popup_app.c, which writes down every popup that it hears of, killed
after random times, again and again; then once more in peace until all caps are reached.
  popups.py APP
"""
import collections
import os
import random
import subprocess
import sys
import tempfile
import time

KILLS = 100
POPUPS = 6
CAP = 60
SHOW_SECONDS_MAX = 20


def main():
    app = sys.argv[1]
    rng = random.Random(11)
    alive = 0
    with tempfile.TemporaryDirectory() as folder:
        data, bundle, lines = (os.path.join(folder, name) for name in ("data", "bundle", "lines"))
        subprocess.run([app, "make", bundle], check=True)
        for kill in range(KILLS):
            before = size(lines)
            process = subprocess.Popen([app, "run", data, bundle, lines])
            if kill == 0:
                usual = time_to_show(lines)
            else:
                time.sleep(rng.uniform(0.1, 2.5) * usual)
            assert process.poll() is None, f"it ended by itself: {process.returncode}"
            process.kill()
            process.wait()
            alive += size(lines) > before
        killed = count(lines)
        subprocess.run([app, "calm", data, bundle, lines], check=True, timeout=100)
        shown = count(lines)
    total = sum(shown.values())
    assert all(number <= CAP for number in shown.values()), f"more than {CAP}: {shown}"
    assert total >= POPUPS * CAP - KILLS, f"more were lost than processes: {shown}"
    assert alive > KILLS // 20, f"only {alive} of the processes lived to show one"
    print(f"{KILLS} kills: {sum(killed.values())} popups by then, {total} in all, none over {CAP}")


def size(lines):
    return os.path.getsize(lines) if os.path.exists(lines) else 0


def time_to_show(lines):
    """How long a process takes here until its first popup: disks and builds differ by ten times."""
    begin = time.monotonic()
    while size(lines) == 0:
        assert time.monotonic() < begin + SHOW_SECONDS_MAX, "no popup was ever shown"
        time.sleep(0.002)
    return time.monotonic() - begin


def count(lines):
    with open(lines, encoding="utf-8") as file:
        return collections.Counter(file.read().split())


main()
