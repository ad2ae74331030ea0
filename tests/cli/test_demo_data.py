#!/usr/bin/env python3
"""test_demo_data.py cdnow|made: `make demo-data` twice, then every order once, read from the data
directory while the edge is stopped; and `cairn verify` finds nothing."""
import csv
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("CAIRN_BIN", os.path.join(ROOT, "build", "dev", "bin"))
CDNOW = os.path.join(os.environ.get("CAIRN_SHARED", os.path.join(ROOT, "..", "shared")),
                     "data", "cdnow")
QUERY = {
    "model": "event", "from": "1997-01-01", "to": "2026-12-31", "timezone": "UTC",
    "series": [{"name": "orders", "on": "purchase", "measure": "count"},
               {"name": "customers", "on": "purchase", "measure": "persons"},
               {"name": "sales", "on": "purchase", "measure": {"sum": "event.amount"}}]}


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def expected(path):
    """(orders, customers, sales) of a file of orders, by other means."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return (len(rows), len({row["sampleid"] for row in rows}),
            sum(float(row["sales"]) for row in rows))


def counted(data):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(QUERY, file)
        file.flush()
        answer = json.loads(run(os.path.join(BIN, "cairn"), "analyze", file.name, "--data", data,
                                "--json"))
    names = [column["name"] if isinstance(column, dict) else column
             for column in answer["columns"]]
    row = answer["rows"][0]
    return tuple(row[names.index(name)] for name in ("orders", "customers", "sales"))


def check(which, folder):
    data = os.path.join(folder, "demo")
    environment = {**os.environ, "CAIRN_DEMO_BIN": BIN, "CAIRN_DEMO_DIR": data,
                   "CAIRN_DEMO_SET": which}
    for _ in range(2):
        print(run(os.path.join(ROOT, "tools", "demo_data.sh"), env=environment))
    path = os.path.join(CDNOW, "cdnowElog.csv") if which == "cdnow" else data + ".orders.csv"
    want, got = expected(path), counted(data)
    if got[:2] != want[:2] or abs(got[2] - want[2]) > 0.005:
        sys.exit(f"counted {got}, the file has {want}")
    if which == "cdnow":
        with open(os.path.join(CDNOW, "expected.json"), encoding="utf-8") as file:
            published = json.load(file)["sample_1_in_10"]
        if got[:2] != (published["rows"], published["customers"]):
            sys.exit(f"counted {got}, published are {published['rows']} orders of "
                     f"{published['customers']} customers")
    print(run(os.path.join(BIN, "cairn"), "verify", "--data", data))


def main():
    which = sys.argv[1]
    if which == "cdnow" and not os.path.exists(os.path.join(CDNOW, "expected.json")):
        print(f"skipped: there is no {CDNOW}")
        return 77
    with tempfile.TemporaryDirectory(prefix="cairn-demo-") as folder:
        check(which, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
