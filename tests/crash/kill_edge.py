#!/usr/bin/env python3
"""kill_edge.py: kill -9 at random moments under load; nothing acknowledged may be missing, nothing
may count twice.

Four devices (protobuf) of two people and one server (JSON, an idempotency key) send numbered events
to an edge that is killed and started again, KILLS times; some kills fall into the start. Now and
then a sender forgets an answer and repeats what was acknowledged. In the end every sender's events
are counted through /v1/analyze: as many as it numbered, and as many different numbers; the devices
that logged in as one person are one; and `cairn verify` must find nothing. With --faults the disk
fails as well (tests/support/fault_io.c).
"""
import argparse
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

import cairn_wire  # noqa: E402
from edge_process import WRITE_KEY, Edge  # noqa: E402

BASE_MS = 1767225600000  # 2026-01-01
UNACKED_MAX = 200
SETTLE_SECONDS_MAX = 60
RANGE = {"model": "event", "from": "2025-12-01", "to": "2026-12-31", "timezone": "UTC"}
FAILED_STARTS_MAX = 50  # in a row, while the disk fails


class Sender(threading.Thread):
    """Numbers events from 1 and sends them until they are acknowledged."""

    def __init__(self, name, run, seed):
        super().__init__(daemon=True)
        self.label, self.run_state, self.dice = name, run, random.Random(seed)
        self.made = self.acked = self.repeated = 0
        self.unacked = []  # (seq, what is sent)
        self.connection = None
        self.error = None

    def make(self, seq):
        raise NotImplementedError

    def post(self):
        """Sends what is not acknowledged; the last seq that now is, or None."""
        raise NotImplementedError

    def exchange(self, path, body, headers):
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status == 200:
            return data
        if answer.status not in (429, 503):
            raise AssertionError(f"{self.label}: {answer.status}: {data[:300]!r}")
        time.sleep(0.005)
        return None

    def take(self, acked):
        if acked > self.made or acked < self.acked:
            raise AssertionError(f"{self.label}: acked {acked}, sent up to {self.made}, "
                                 f"acked before {self.acked}")
        self.acked = acked
        if self.dice.random() < 0.1:
            self.repeated += 1  # as if the answer had been lost
            return
        self.unacked = [one for one in self.unacked if one[0] > acked]

    def step(self):
        if not self.run_state.stopping and len(self.unacked) < UNACKED_MAX:
            for _ in range(self.dice.randint(1, 12)):
                self.made += 1
                self.unacked.append((self.made, self.make(self.made)))
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.run_state.port,
                                                         timeout=10)
        acked = self.post()
        if acked is not None:
            self.take(acked)

    def run(self):
        while not self.run_state.stopping or self.acked < self.made:
            try:
                self.step()
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
                time.sleep(0.005)
            except Exception as error:  # a broken promise: told by the main thread
                self.error = error
                return


class Device(Sender):
    """Its first event is a login; an odd and an even device share a person."""

    def __init__(self, number, run, seed):
        super().__init__(f"device{number}", run, seed)
        self.device_id = self.dice.randbytes(16)
        self.person = f"person{number // 2}"

    def ticks(self):
        return self.made - 1

    def make(self, seq):
        if seq == 1:
            return cairn_wire.login_message(seq, BASE_MS, "login", self.person)
        return cairn_wire.event_message(seq, "tick", BASE_MS + seq,
                                        {"sender": self.label, "n": seq})

    def post(self):
        body = cairn_wire.sync_request(WRITE_KEY, self.device_id, BASE_MS,
                                       [event for _, event in self.unacked])
        data = self.exchange("/v1/sync", body, {"content-type": "application/x-protobuf"})
        if data is None:
            return None
        answer = cairn_wire.sync_response(data)
        if answer["rejected"] or answer["new_device_id"]:
            raise AssertionError(f"{self.label}: {answer}")
        return answer["acked_seq"]


class Server(Sender):
    def ticks(self):
        return self.made

    def make(self, seq):
        return json.dumps({"event": "tick", "user": "server", "time": BASE_MS + seq, "seq": seq,
                           "properties": {"sender": self.label, "n": seq}})

    def post(self):
        data = self.exchange("/v1/events", "\n".join(event for _, event in self.unacked),
                             {"content-type": "application/x-ndjson", "x-cairn-key": WRITE_KEY,
                              "idempotency-key": "kill-edge"})
        if data is None:
            return None
        answer = json.loads(data)
        if answer["rejected"] or answer["accepted"] != len(self.unacked):
            raise AssertionError(f"{self.label}: {answer}")
        return self.unacked[-1][0]


class Run:
    """What all threads share."""

    def __init__(self, port):
        self.port, self.stopping = port, False


def fault_environment(library, data, seed):
    return {"LD_PRELOAD": library, "CAIRN_FAULT_PATH": data, "CAIRN_FAULT_SEED": str(seed),
            "CAIRN_FAULT_LOSE_PATH": data + "/log/", "CAIRN_FAULT_PER_MILLE": "20"}


class Killer:
    def __init__(self, edge, options, dice):
        self.edge, self.options, self.dice = edge, options, dice
        self.starts, self.in_start, self.refused_starts = [], 0, 0

    def start(self):
        """Started and ready; a failing disk may need several tries."""
        for _ in range(FAILED_STARTS_MAX):
            if self.options.faults:
                self.edge.env = fault_environment(self.options.faults, self.edge.data,
                                                  self.dice.randrange(1 << 30))
            try:
                self.starts.append(self.edge.start())
                return
            except RuntimeError as error:
                if not self.options.faults or self.edge.child.poll() is None or \
                        self.edge.child.poll() < 0:
                    raise AssertionError(str(error)) from error
                self.refused_starts += 1
        raise AssertionError("the edge does not start any more:\n" + self.edge.tail())

    def round(self):
        if self.dice.random() < 0.15:
            self.edge.launch()
            time.sleep(self.dice.uniform(0, 0.04))
            self.edge.kill()
            self.in_start += 1
            return
        self.start()
        time.sleep(self.dice.uniform(0, self.options.alive_ms / 1000))
        if self.edge.child.poll() is not None:
            raise AssertionError(f"the edge ended by itself ({self.edge.child.poll()}):\n"
                                 + self.edge.tail())
        self.edge.kill()


def counted(edge):
    """sender -> (events, different numbers)."""
    answer = edge.analyze({
        **RANGE,
        "series": [{"name": "all", "on": "tick", "measure": "count"},
                   {"name": "different", "on": "tick", "measure": {"distinct": "event.n"}}],
        "by": ["event.sender"]})
    names = [column["name"] if isinstance(column, dict) else column
             for column in answer["columns"]]
    return {row[0]: (row[names.index("all")], row[names.index("different")])
            for row in answer["rows"]}


def people(edge):
    answer = edge.analyze({**RANGE, "series": [{"name": "n", "on": "tick", "measure": "persons"}]})
    return answer["rows"][0][-1]


def differences(edge, senders):
    found = counted(edge)
    for sender in senders:
        all_events, different = found.get(sender.label, (0, 0))
        if (all_events, different) != (sender.ticks(), sender.ticks()):
            yield (f"{sender.label}: {sender.ticks()} acknowledged, {all_events} counted, "
                   f"{different} different")
    persons = people(edge)
    if persons != 3:
        yield f"{persons} persons; the four devices are of two, and the server is the third"


def settle(edge, senders):
    """Waits until the counts are right; what is still wrong when the time is up."""
    end = time.monotonic() + SETTLE_SECONDS_MAX
    while True:
        wrong = list(differences(edge, senders))
        if not wrong or time.monotonic() > end:
            return wrong
        time.sleep(0.05)


def faults_told(edge):
    """Failures of the disk that the edge logged: at least one, or the faults do not bite."""
    with open(edge.log_path, "rb") as file:
        told = sum(b'"level":"error"' in line for line in file)
    if told == 0:
        raise AssertionError("the edge logged no failure: is the library under it?")
    return told


def verify(options, edge):
    done = subprocess.run([os.path.join(options.bin, "cairn"), "verify", "--data", edge.data],
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"cairn verify: {done.returncode}\n{done.stdout}{done.stderr}")


def check(edge, senders, options):
    wrong = settle(edge, senders)
    if wrong:
        raise AssertionError("\n".join(wrong))
    if edge.stop() != 0:
        raise AssertionError(f"the edge did not drain to exit code 0 ({edge.child.returncode}):\n"
                             + edge.tail())
    verify(options, edge)


def run(edge, options, seed):
    dice = random.Random(seed)
    state = Run(edge.port)
    senders = [Device(i, state, seed + i) for i in range(4)]
    senders.append(Server("server", state, seed + 4))
    killer = Killer(edge, options, dice)
    for sender in senders:
        sender.start()
    for _ in range(options.kills):
        killer.round()
    edge.env = {}
    edge.start()
    state.stopping = True
    for sender in senders:
        sender.join(SETTLE_SECONDS_MAX)
        if sender.error is not None:
            raise sender.error
        if sender.is_alive():
            raise AssertionError(f"{sender.label}: {sender.made - sender.acked} events are not "
                                 f"taken any more:\n" + edge.tail())
    check(edge, senders, options)
    made = sum(sender.made for sender in senders)
    killer.starts.sort()
    print(f"{options.kills} kills ({killer.in_start} while it started), {made} events "
          f"acknowledged, {sum(sender.repeated for sender in senders)} runs repeated on purpose: "
          f"0 missing, 0 counted twice, verify clean; median start "
          f"{killer.starts[len(killer.starts) // 2] * 1000:.0f} ms"
          + (f"; {faults_told(edge)} failures logged, {killer.refused_starts} starts refused"
             if options.faults else ""))


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    release = os.path.join(ROOT, "build", "release", "bin")
    parser.add_argument("--bin", default=release, help="folder of cairn-edge and cairn")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--alive-ms", type=float, default=200)
    parser.add_argument("--commit-interval-ms", type=int, default=50)
    parser.add_argument("--faults", help="path of libfault_io.so")
    parser.add_argument("--seed", type=int, default=0, help="0: a new one, which is printed")
    return parser.parse_args()


def main():
    options = read_options()
    binary = os.path.join(options.bin, "cairn-edge")
    if not os.path.exists(binary):
        print(f"skipped: there is no {binary}; make release builds it")
        return 77
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 30)
    edge = Edge(binary, {"commit_interval_ms": options.commit_interval_ms, "disk_low_water": 0})
    begun = time.monotonic()
    try:
        run(edge, options, seed)
    except AssertionError as error:
        print(f"FAILED with --seed {seed}; data kept in {edge.folder}\n{error}")
        if edge.child is not None and edge.child.poll() is None:
            edge.kill()
        return 1
    edge.close()
    print(f"{time.monotonic() - begun:.0f} s, seed {seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
