#!/usr/bin/env python3
"""Goal: kill -9 of a native application at any moment leaves a table in SQL that holds, once it is
asked again, every event that was durable exactly once.
Method: tests/unit/sdk/port/sql_app.c, killed after a random time, again and again.
  sql_crash.py APP
"""
import json
import random
import subprocess
import sys
import tempfile
import time

LIVES = 20
EVENTS_PER_LIFE = 100_000  # more than it gets to


def live(app, folder, first, seconds):
    """One life; the number below which all events are said to be kept."""
    process = subprocess.Popen([app, folder, str(first), str(EVENTS_PER_LIFE)],
                               stdout=subprocess.PIPE)
    time.sleep(seconds)
    process.kill()
    lines = process.stdout.read().decode().split("\n")
    process.wait()
    kept = [int(line.split()[1]) for line in lines[:-1] if line.startswith("kept")]
    return kept[-1] if kept else first


def ask(app, folder, questions):
    done = subprocess.run([app, folder, "0", "0"], input="\n".join(questions) + "\n",
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return [json.loads(line)["rows"] for line in done.stdout.splitlines()]


def main():
    app = sys.argv[1]
    rng = random.Random(11)
    lives = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(LIVES):
            first = number * EVENTS_PER_LIFE + 1
            lives.append((first, live(app, folder, first, rng.uniform(0.03, 0.4))))
            if number % 4 == 3:  # and between, a life that only asks
                ask(app, folder, ["SELECT count(*) FROM events"])
        number = "property(event, 'id')"
        within = [f"SELECT count(*), count(DISTINCT {number}) FROM events WHERE {number} >= {first}"
                  f" AND {number} < {end}" for first, end in lives]
        everything = f"SELECT count(*), count(DISTINCT {number}) FROM events"
        answers = ask(app, folder, [everything, *within])
    (count, distinct), = answers[0]
    assert count == distinct, f"{count - distinct} doubled"
    promised = 0
    for (first, end), (row,) in zip(lives, answers[1:]):
        assert row == [end - first, end - first], f"of {end - first} from {first} on: {row}"
        promised += end - first
    assert promised > 300, f"only {promised} events were kept: the test is too weak"
    print(f"{LIVES} lives: {promised} kept events are rows once, {count} in all")


main()
