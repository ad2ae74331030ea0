#!/usr/bin/env python3
"""bench.py: measures what README.md promises and prints one table. Run it through tools/bench.sh.

Every figure is of one run on this machine. Where a peer or a part is missing, its line says "not
measured" and why. "per core" means: per second of CPU; of accepting: of all threads of the edge but
those that fold (cairn-fold, cairn-job).
"""
import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

from edge_process import WRITE_KEY, Edge, free_port, request  # noqa: E402

BIN = os.path.join(ROOT, "build", "release", "bin")
QUERIES = os.path.join(ROOT, "bench", "queries")
CLICKHOUSE = shutil.which("clickhouse-server") or "/usr/sbin/clickhouse-server"
REPEATS = 15


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, value, mark="", verdict=""):
        self.rows.append((what, value, mark, verdict))
        print(f"  {what}: {value} {mark} {verdict}".rstrip(), file=sys.stderr, flush=True)

    def missing(self, what, why):
        self.add(what, f"not measured ({why})")

    def at_least(self, what, value, mark, unit):
        shown = f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
        self.add(what, f"{shown} {unit}", f">= {mark:,.0f}", f"{value / mark:.2f} x")

    def at_most(self, what, value, mark, unit):
        self.add(what, f"{value:,.1f} {unit}", f"<= {mark:,g}",
                 f"{mark / value:.2f} x" if value > 0 else "reached")

    def print(self):
        head = ("what", "measured", "mark", "ratio to mark")
        widths = [max(len(row[i]) for row in [head, *self.rows]) for i in range(4)]
        for row in [head, tuple("-" * width for width in widths), *self.rows]:
            cells = " | ".join(cell.ljust(width) for cell, width in zip(row, widths))
            print(f"| {cells} |")


def program(name):
    path = os.path.join(BIN, name)
    return path if os.path.exists(path) else None


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


# --- the SDK ---

def measure_track(table):
    native = program("bench_track")
    if native is None:
        table.missing("track(), native", "there is no bench_track")
    else:
        for line in json_lines(run(native)):
            table.add("track(), native, 10 properties", f"{line['ns']:,} ns")
    wasm = json_lines(run("node", os.path.join(ROOT, "bench", "track.mjs")))[0]
    if "skipped" in wasm:
        table.missing("track(), WASM in node", wasm["skipped"])
    else:
        table.add("track(), WASM in node, 10 properties", f"{wasm['ns']:,} ns")


def measure_rules(table):
    if program("bench_rules") is None:
        table.missing("rules", "there is no bench_rules")
        return
    for line in json_lines(run(program("bench_rules"))):
        if line["name"] == "rule":
            table.add("a rule of 6 tests", f"{line['ns']} ns", "",
                      f"{line['ns_per_node']} ns per node; a plain loop: {line['plain_ns']} ns")
        else:
            table.add(f"a function over 4,000 events, {line['name'][8:]}",
                      f"{line['ns_per_event']} ns per event", "",
                      f"a plain loop: {line['plain_ns']} ns")


def measure_decide(table):
    native = program("bench_decide")
    if native is None:
        table.missing("decide, native", "there is no bench_decide")
        return
    line = json_lines(run(native))[0]
    table.at_most("decide, native: 1,000 live popups, 100 audiences", line["ns"] / 1000, 50, "us")
    table.add("decide, native: the same 1,100 rules in a bare loop",
              f"{line['rules_ns'] / 1000:.1f} us", "",
              f"{line['ns'] / line['rules_ns']:.2f} x as long for the decision")
    table.add("decide, native: with every reason as JSON",
              f"{line['why_ns'] / 1000:.1f} us, {line['why_bytes']:,} bytes")
    table.at_most("decide, native: allocations", line["allocations"], 0, "")


def put_definitions(edge, popups, audiences):
    """Popups that one event asks for, as many as there are; the last audience holds for some."""
    for i in range(audiences):
        rule = f"count(view, last {1 + i % 30} days) >= {1 + i % 5} or user.level >= {i % 10}"
        put(edge, f"/v1/audiences/a{i:03}", {"rule": rule})
    for i in range(popups):
        put(edge, f"/v1/popups/p{i:04}", {
            "triggers": [{"event": "view", "where": f"n >= {i % 50}"}], "content": {"n": i},
            "audience": f'member("a{i % audiences:03}")', "priority": i % 100,
            "caps": [{"at_most": 3, "per": "day"}]})


def put(edge, path, body):
    status, answer = request(edge.admin_port, "PUT", path, json.dumps(body).encode(),
                             {"content-type": "application/json"})
    if status not in (200, 201):
        raise RuntimeError(f"PUT {path}: {status}: {answer[:200]}")


def measure_door(table, folder, seconds):
    """/v1/decide: one event over 1,000 popups, of a person of 200 events."""
    if program("bench_door") is None or program("cairn-edge") is None:
        table.missing("/v1/decide", "there is no bench_door, or no cairn-edge")
        return
    edge = Edge(program("cairn-edge"))
    edge.start()
    try:
        put_definitions(edge, 1000, 100)
        events = [{"event": "view", "ids": {"login": "u1"}, "properties": {"n": i}}
                  for i in range(200)]
        request(edge.port, "POST", "/v1/events", json.dumps(events).encode(),
                {"content-type": "application/json", "x-cairn-key": WRITE_KEY})
        path = os.path.join(folder, "decide.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"what": "event", "event": {"name": "view", "properties": {"n": 25}},
                       "ids": {"login": "u1"}}, file)
        for connections in (1, 4):
            line = json_lines(run(program("bench_door"), str(edge.admin_port), "/v1/decide", path,
                                  str(connections), str(seconds)))[0]
            table.add(f"/v1/decide: an event over 1,000 popups, {connections} at once",
                      f"{line['per_second']:,} requests/s", "",
                      f"p50 {line['p50_us'] / 1000:.2f} ms, p99 {line['p99_us'] / 1000:.2f} ms")
    finally:
        edge.stop()
        edge.close()


def client_rows(table, where, line, marks):
    """What a device pays: `line` in us; of each act there is a mark or None."""
    acts = (("decide", "track() of what 1,000 live popups want, 100 audiences: all judged"),
            ("ask", "decide, with every reason as JSON"),
            ("ask_more", "the same after an event that 100 queries count"),
            ("ask_later", "the same after an event has left the windows of 50 queries"),
            ("track", "track() of what no popup wants, under 1,000 popups and 100 queries"),
            ("counted", "track() of what 100 queries count"),
            ("full", "the same, in a history that is full of them"),
            ("set", "its bundle verified, loaded, indexed and in force"))
    for name, what in acts:
        if name not in line:
            continue
        if marks.get(name) is None:
            table.add(f"{where}: {what}", f"{line[name]:,.1f} us")
        else:
            table.at_most(f"{where}: {what}", line[name], marks[name], "us")


def measure_client(table, folder):
    native = program("bench_client")
    if native is None:
        table.missing("the client that decides", "there is no bench_client")
        return
    bundle = os.path.join(folder, "shop")
    line = json_lines(run(native, "--write", bundle))[0]
    client_rows(table, "client, native",
                {name[:-3]: value / 1000 for name, value in line.items() if name.endswith("_ns")},
                {"decide": 50, "track": 1})
    events = line["track_allocations"]
    table.at_most("client, native: allocations of a decision", line["ask_allocations"], 0, "")
    table.add("client, native: allocations of track()", f"{events:.1f}", "",
              "one for the queue, one for the history")
    script = os.path.join(ROOT, "bench", "client.js")
    wasm = os.path.join(ROOT, "wasm", "dist", "cairn.wasm")
    jsc = shutil.which("jsc")
    for where, present, why, command, marks in (
            ("client, WASM in node", os.path.exists(wasm), "tools/build.sh web has not been run",
             ("node", script), {"decide": 150, "track": 5, "set": 10_000}),
            ("client, WASM in JavaScriptCore without JIT", os.path.exists(wasm) and jsc,
             "jsc is not installed: tools/setup.sh bench", (jsc, "--useJIT=0", script, "--"),
             {"decide": 5000, "ask": None, "track": 2000})):
        if not present:
            table.missing(where, why)
            continue
        line = json_lines(run(*command, wasm, bundle))[0]
        client_rows(table, where, {name: value * 1000 for name, value in line.items()}, marks)


def measure_script(table):
    native = program("bench_script")
    if native is None:
        table.missing("hostile scripts", "there is no bench_script")
        return
    lines = json_lines(subprocess.run([native, "3000"], capture_output=True, text=True,
                                      check=False).stdout)  # it fails beyond its marks
    hostile = [line for line in lines if line["bench"] == "script_hostile"]
    table.at_most(f"the slowest of {len(hostile)} hostile scripts, until its default is given",
                  max(line["ms"] for line in hostile), 150, "ms")
    table.at_most("the largest growth of a sandbox process",
                  max(line["growth_kib"] for line in hostile) / 1024, 16, "MiB")
    good = next(line for line in lines if line["bench"] == "script_good")
    table.add("a ranking script, through a sandbox process and back",
              f"{good['p50_us'] / 1000:.2f} ms")
    table.at_most("p99 of other work beside hostile scripts, against none",
                  lines[-1]["other_work"], 2, "times")


def measure_bundle(table, folder):
    native = program("bench_bundle")
    if native is None:
        table.missing("a bundle of 1,000 popups", "there is no bench_bundle")
        return
    line = json_lines(run(native))[0]
    table.add("a bundle of 1,000 popups verified, loaded and indexed, native",
              f"{line['ns'] / 1e6:.1f} ms", "",
              f"{line['bytes']:,} bytes; verified {line['verify_ns'] / 1e6:.1f} ms, "
              f"loaded {line['load_ns'] / 1e6:.1f} ms into {line['arena_bytes']:,} bytes")
    path = os.path.join(folder, "bundle")
    run(native, "--write", path)
    wasm = json_lines(run("node", os.path.join(ROOT, "bench", "bundle.mjs"), path))[0]
    if "skipped" in wasm:
        table.missing("the same in WASM in node", wasm["skipped"])
    else:
        table.at_most("the same in WASM in node", wasm["ms"], 10, "ms")


def measure_size(table):
    path = os.path.join(ROOT, "wasm", "dist", "cairn.wasm")
    if not os.path.exists(path):
        table.missing("WASM core", "tools/build.sh web has not been run")
        return
    packed = len(subprocess.run(["brotli", "-q", "11", "-c", path], capture_output=True,
                                check=True).stdout)
    table.add("WASM core, raw", f"{os.path.getsize(path):,} bytes")
    table.at_most("WASM core, brotli", packed / 1024, 45, "KiB")
    full = os.path.join(ROOT, "wasm", "dist", "cairn-full.wasm")
    if os.path.exists(full):
        packed = len(subprocess.run(["brotli", "-q", "11", "-c", full], capture_output=True,
                                    check=True).stdout)
        table.at_most("WASM core with SQL, brotli", packed / 1024, 320, "KiB")


# --- accepting ---

def thread_cpu(edge):
    """Name of thread -> seconds of CPU, of all threads of the edge."""
    found = {}
    tasks = f"/proc/{edge.child.pid}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/stat", encoding="utf-8") as file:
            head, tail = file.read().rsplit(")", 1)
        words = tail.split()
        seconds = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        name = head.split("(", 1)[1]
        found[name] = found.get(name, 0.0) + seconds
    return found


def load(edge, *flags):
    before = thread_cpu(edge)
    report = json.loads(run(os.path.join(BIN, "cairn"), "load", "--edge",
                            f"http://127.0.0.1:{edge.port}", "--key", WRITE_KEY, "--json", *flags))
    after = thread_cpu(edge)
    used = {name: after[name] - before.get(name, 0.0) for name in after}
    return report, used


def folding(used):
    return sum(seconds for name, seconds in used.items() if "fold" in name or "job" in name)


def measure_accept(table, seconds):
    edge = Edge(program("cairn-edge"))
    try:
        starts = []
        for _ in range(5):
            starts.append(edge.start())
            edge.stop()
        edge.start()
        time.sleep(1)
        table.at_most("edge: start until ready", statistics.median(starts) * 1000, 100, "ms")
        table.at_most("edge: idle memory (RSS)", edge.rss_bytes() / 2**20, 30, "MiB")
        for what, unit, mark, flags in (
                ("accept, durable, batches of 50", "events", 500_000,
                 ("--batch", "50", "--connections", "64")),
                ("accept, durable, single events", "requests", 30_000,
                 ("--batch", "1", "--connections", "256"))):
            report, used = load(edge, "--seconds", str(seconds), "--people", "20000", *flags)
            total = sum(used.values())
            table.add(f"{what}: wall", f"{report[unit + '_per_second']:,.0f} {unit}/s",
                      "", f"p99 {report['p99_ms']} ms")
            table.add(f"{what}: per core, folding included",
                      f"{report[unit] / total:,.0f} {unit}/s")
            table.at_least(f"{what}: per core of accepting",
                           report[unit] / (total - folding(used)), mark, f"{unit}/s")
            calm, _ = load(edge, "--seconds", str(seconds), "--people", "20000", *flags,
                           "--rate", str(int(report["events_per_second"] / 2)))
            table.add(f"{what}: at half that rate", f"p99 {calm['p99_ms']} ms")
    finally:
        edge.close()


# --- questions ---

def process_cpu(pid):
    """Seconds of CPU of all threads of a process, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def timed(call, pid):
    """(seconds, CPU seconds of the process, answer); the best, as other programs only add."""
    times, cpu, answer = [], [], None
    for _ in range(REPEATS):
        begun, used = time.monotonic(), process_cpu(pid)
        answer = call()
        times.append(time.monotonic() - begun)
        cpu.append(process_cpu(pid) - used)
    return min(times), min(cpu), answer


def cairn_funnel(data):
    """(seconds, CPU seconds, [persons per step]) through /v1/analyze of an edge on the data."""
    edge = Edge(program("cairn-edge"), {"data_dir": data}, {"CAIRN_DATA_DIR": data})
    with open(edge.config, encoding="utf-8") as file:
        text = file.read().replace("name: test", "name: bench")
    with open(edge.config, "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(QUERIES, "funnel.cairn.json"), encoding="utf-8") as file:
        query = json.load(file)
    try:
        edge.start()
        seconds, cpu, answer = timed(lambda: edge.analyze(query), edge.child.pid)
    finally:
        edge.stop()
        edge.close()
    names = [column["name"] if isinstance(column, dict) else column
             for column in answer["columns"]]
    return seconds, cpu, [row[names.index("persons")] for row in answer["rows"]]


class ClickHouse:
    """Debian's server on free ports of the loopback, in a folder of its own, one thread a query."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        os.makedirs(folder)
        users = os.path.join(folder, "users.xml")
        config = os.path.join(folder, "config.xml")
        with open(users, "w", encoding="utf-8") as file:
            file.write("<yandex><profiles><default><max_threads>1</max_threads>"
                       "<max_memory_usage>4000000000</max_memory_usage></default></profiles>"
                       "<users><default><password></password><networks><ip>127.0.0.1</ip>"
                       "</networks><profile>default</profile><quota>default</quota></default>"
                       "</users><quotas><default></default></quotas></yandex>")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"<yandex><logger><level>warning</level><log>{folder}/log</log>"
                       f"<errorlog>{folder}/errors</errorlog></logger>"
                       f"<http_port>{self.port}</http_port><tcp_port>{free_port()}</tcp_port>"
                       "<listen_host>127.0.0.1</listen_host>"
                       f"<path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>"
                       "<mark_cache_size>1000000000</mark_cache_size>"
                       f"<users_config>{users}</users_config>"
                       "<default_profile>default</default_profile>"
                       "<default_database>default</default_database></yandex>")
        with open(os.path.join(folder, "out"), "wb") as log:
            self.child = subprocess.Popen([CLICKHOUSE, f"--config-file={config}"], stdout=log,
                                          stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
        for _ in range(300):
            try:
                if request(self.port, "GET", "/ping")[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
        self.close()
        raise RuntimeError("it did not start; see its log")

    def ask(self, sql, body=b""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        path = "/?query=" + "".join(f"%{byte:02x}" for byte in sql.encode())
        connection.request("POST", path, body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(text[:300])
        return text

    def close(self):
        self.child.terminate()
        self.child.wait()


def clickhouse_funnel(folder, rows):
    """(seconds, CPU seconds, [persons per step], bytes on disk)"""
    server = ClickHouse(os.path.join(folder, "clickhouse"))
    try:
        server.ask("CREATE TABLE ev (user_id UInt32, time DateTime, event UInt8, platform UInt8, "
                   "province UInt8, channel UInt8, amount UInt32) ENGINE = MergeTree PARTITION BY "
                   "tuple() ORDER BY (user_id, time) SETTINGS index_granularity = 8192")
        with open(rows, "rb") as file:
            server.ask("INSERT INTO ev FORMAT RowBinary", file.read())
        server.ask("OPTIMIZE TABLE ev FINAL")
        with open(os.path.join(QUERIES, "funnel.clickhouse.sql"), encoding="utf-8") as file:
            sql = file.read()
        seconds, cpu, text = timed(lambda: server.ask(sql), server.child.pid)
        size = int(server.ask("SELECT sum(bytes_on_disk) FROM system.parts WHERE active "
                              "AND table = 'ev'"))
        return seconds, cpu, [int(word) for word in text.split()], size
    finally:
        server.close()


def sqlite_funnel(folder, rows):
    text = run(program("bench_sqlite"), rows, os.path.join(folder, "ev.db"),
               os.path.join(QUERIES, "funnel.sqlite.sql"), "5")
    first, report = text.splitlines()[0], json_lines(text)[0]
    return (report["seconds"], report["cpu"], [int(word) for word in first.split()],
            report["bytes"])


def folder_bytes(folder):
    return sum(os.path.getsize(os.path.join(at, name))
               for at, _, names in os.walk(folder) for name in names)


def measure_funnel(table, folder, people, events):
    data, rows = os.path.join(folder, "data"), os.path.join(folder, "rows.bin")
    fold = json.loads(run(program("bench_fold"), data, str(people), str(events), rows))
    count = fold["events"]
    table.add("fold: wall", f"{count / fold['wall_s']:,.0f} events/s", "",
              f"{fold['persons']:,} persons")
    table.add("fold: per core", f"{count / fold['cpu_s']:,.0f} events/s")
    table.add("bytes per event: Cairn's log", f"{fold['log_bytes'] / count:.1f} bytes")
    table.add("bytes per event: Cairn's trail", f"{fold['trail_bytes'] / count:.1f} bytes")
    table.add("bytes per event: Cairn's project, all of it",
              f"{folder_bytes(os.path.join(data, 'projects')) / count:.1f} bytes")
    what = f"funnel of 3 steps, {count / 1e6:g} M events"
    own, own_cpu, steps = cairn_funnel(data)
    table.add(f"{what}: Cairn", f"{own * 1000:,.1f} ms, CPU {own_cpu * 1000:,.1f} ms", "",
              f"answer {steps}")
    for name, present, measure, mark in (
            ("ClickHouse", os.path.exists(CLICKHOUSE), clickhouse_funnel, 10),
            ("SQLite", program("bench_sqlite") is not None, sqlite_funnel, None)):
        if not present:
            table.missing(f"{what}: {name}", "it is not installed: tools/setup.sh bench")
            continue
        try:
            seconds, cpu, answer, size = measure(folder, rows)
        except (RuntimeError, OSError) as error:
            table.missing(f"{what}: {name}", str(error)[:80])
            continue
        same = "same answer" if answer == steps else f"ANOTHER ANSWER {answer}"
        table.add(f"bytes per event: {name}", f"{size / count:.1f} bytes")
        table.add(f"{what}: {name}", f"{seconds * 1000:,.1f} ms, CPU {cpu * 1000:,.1f} ms", "",
                  same)
        if mark is None:
            table.add(f"{what}: Cairn against {name}", f"{cpu / own_cpu:.1f} times as fast")
        else:
            table.at_least(f"{what}: Cairn against {name}", cpu / own_cpu, mark, "times as fast")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--people", type=int, default=250_000)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--seconds", type=int, default=10, help="of each load")
    parser.add_argument("--only",
                        choices=("track", "rules", "decide", "client", "door", "bundle", "script",
                                 "size", "accept", "funnel"))
    options = parser.parse_args()
    table = Table()
    parts = {"track": lambda: measure_track(table), "rules": lambda: measure_rules(table),
             "decide": lambda: measure_decide(table), "size": lambda: measure_size(table),
             "accept": lambda: measure_accept(table, options.seconds)}
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as folder:
        parts["door"] = lambda: measure_door(table, folder, options.seconds)
        parts["client"] = lambda: measure_client(table, folder)
        parts["script"] = lambda: measure_script(table)
        parts["bundle"] = lambda: measure_bundle(table, folder)
        parts["funnel"] = lambda: measure_funnel(table, folder, options.people, options.events)
        for name, part in parts.items():
            if options.only not in (None, name):
                continue
            try:
                part()
            except (RuntimeError, OSError) as error:
                table.missing(name, str(error).replace("\n", " ")[:120])
    print()
    table.print()


if __name__ == "__main__":
    main()
