#!/usr/bin/env python3
"""kill_definitions.py: kill -9 at random moments while definitions change; a change that was
answered is there afterwards, and no version is ever given out twice.

Several writers put and remove definitions of their own, one after the other, each over the version
that it knows (If-Match). The edge is killed and started again, KILLS times. A change whose answer
never came may be there or not: the writer reads what is. In the end every definition is as its
writer knows it, bundle versions were all different, and the bundle holds what is there.
"""
import argparse
import http.client
import json
import os
import random
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

import cairn_wire  # noqa: E402
from edge_process import Edge, request  # noqa: E402

WRITERS = 4
JSON = {"content-type": "application/json"}


class Writer(threading.Thread):
    """Owns the popups w0-0 .. w0-4; knows of each its text and version, or that it is gone."""

    def __init__(self, number, run, seed):
        super().__init__(daemon=True)
        self.label, self.run_state, self.dice = f"w{number}", run, random.Random(seed)
        self.known = {}  # name -> (version, text)
        self.doubtful = {}  # name -> what may have been written: text, or None for a removal
        self.given_out = {}  # (name, version) -> text
        self.count = self.answered = self.lost = self.refused = 0
        self.error = None

    def call(self, method, path, body=None, headers=None):
        return request(self.run_state.edge.admin_port, method, path, body,
                       {**JSON, **(headers or {})})

    def look(self, name):
        """After a lost answer: which of both is it?"""
        status, body = self.call("GET", f"/v1/popups/{name}")
        if status == 503:  # the disk fails: it is not known now
            time.sleep(0.005)
            return
        found = json.loads(body)["content"] if status == 200 else None
        allowed = {self.known.get(name, (0, None))[1], self.doubtful[name]}
        if status not in (200, 404) or found not in allowed:
            raise AssertionError(f"{name}: found {found!r}, allowed {allowed}")
        if found is None:
            self.known.pop(name, None)
        else:
            status, body = self.call("GET", "/v1/popups?limit=1000")
            if status == 503:
                return
            row = [one for one in json.loads(body)["items"] if one["name"] == name][0]
            self.take(name, row["version"], found)
        del self.doubtful[name]

    def take(self, name, version, text):
        before = self.given_out.setdefault((name, version), text)
        if before != text:
            raise AssertionError(f"{name}: version {version} was given out twice")
        self.known[name] = (version, text)

    def change(self, name):
        self.count += 1
        version = self.known.get(name, (0, None))[0]
        headers = {"if-match": f'"{version}"'} if version else {"if-none-match": "*"}
        remove = version and self.dice.random() < 0.3
        text = None if remove else f"{self.label} {self.count}"
        self.doubtful[name] = text
        if remove:
            status, body = self.call("DELETE", f"/v1/popups/{name}", headers=headers)
        else:
            status, body = self.call("PUT", f"/v1/popups/{name}",
                                     json.dumps({"manual": True, "content": text}), headers)
        if status == 503:
            self.refused += 1
            return
        if status not in (200, 201):
            raise AssertionError(f"{name}: {status}: {body[:300]!r}")
        answer = json.loads(body)
        self.answered += 1
        del self.doubtful[name]
        self.run_state.note(answer["bundle_version"])
        self.known.pop(name, None)
        if not remove:
            self.take(name, answer["version"], text)

    def run(self):
        while not self.run_state.stopping or self.doubtful:
            name = f"{self.label}-{self.dice.randint(0, 4)}"
            try:
                if self.doubtful:
                    self.look(next(iter(self.doubtful)))
                else:
                    self.change(name)
            except (OSError, http.client.HTTPException):
                self.lost += 1
                time.sleep(0.01)
            except Exception as error:  # a broken promise: told by the main thread
                self.error = error
                return


class Run:
    def __init__(self, edge):
        self.edge, self.stopping = edge, False
        self.lock = threading.Lock()
        self.bundle_versions = set()

    def note(self, version):
        with self.lock:
            if version in self.bundle_versions:
                raise AssertionError(f"bundle version {version} was given out twice")
            self.bundle_versions.add(version)


def check_bundle(edge, known):
    """The bundle that is served holds exactly what is there."""
    status, signed = request(edge.admin_port, "GET", "/v1/bundle")
    assert status == 200, status
    bundle = dict(cairn_wire.fields(signed))[1]
    popups = [dict(cairn_wire.fields(value)) for field, value in cairn_wire.fields(bundle)
              if field == 14]
    got = {one[1].decode(): one[2] for one in popups}
    assert got == {name: version for name, (version, _) in known.items()}, (got, known)


def fault_environment(library, data, seed):
    """A failed sync keeps, or loses, what the write-ahead log gained since then; of the database,
    which is written here and there, fault_io would lose pages that nobody wrote."""
    path = data + "/definitions/"
    lose = {"CAIRN_FAULT_LOSE_PATH": path + "test.db-wal"} if seed % 2 == 0 else {}
    return {"LD_PRELOAD": library, "CAIRN_FAULT_PATH": path, "CAIRN_FAULT_SEED": str(seed),
            "CAIRN_FAULT_PER_MILLE": "30", **lose}


def start(edge, faults, dice):
    """A start may meet a failing disk; then the next one does better."""
    for _ in range(50):
        if faults:
            edge.env = fault_environment(faults, edge.data, dice.randrange(1 << 30))
        try:
            edge.start()
            return
        except RuntimeError:
            if not faults:
                raise
    raise AssertionError(f"fifty starts were refused: {edge.tail()}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--bin", default=os.environ.get("CAIRN_BIN",
                                                        os.path.join(ROOT, "build/dev/bin")))
    parser.add_argument("--faults", help="libfault_io.so: the disk fails, too")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    dice = random.Random(options.seed)
    print(f"seed {options.seed}")
    edge = Edge(os.path.join(options.bin, "cairn-edge"))
    run = Run(edge)
    try:
        edge.start()
        writers = [Writer(number, run, dice.random()) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        for _ in range(options.kills):
            time.sleep(0.05 + dice.random() * 0.4)
            edge.kill()
            start(edge, options.faults, dice)
        edge.kill()
        edge.env = {}
        edge.start()
        run.stopping = True
        for writer in writers:
            writer.join(timeout=60)
            if writer.error is not None:
                raise writer.error
            assert not writer.is_alive(), writer.label
        known = {name: one for writer in writers for name, one in writer.known.items()}
        rows = json.loads(request(edge.admin_port, "GET", "/v1/popups?limit=1000")[1])["items"]
        assert {one["name"]: one["version"] for one in rows} == {
            name: version for name, (version, _) in known.items()}
        check_bundle(edge, known)
        assert edge.stop() == 0, edge.tail()
        answered = sum(writer.answered for writer in writers)
        lost = sum(writer.lost for writer in writers)
        refused = sum(writer.refused for writer in writers)
        print(f"{options.kills} kills, {answered} answered changes, {lost} lost answers, "
              f"{refused} failed, "
              f"{len(known)} definitions: all there, no version twice")
        assert answered > options.kills, "hardly anything was answered"
    finally:
        edge.close()


if __name__ == "__main__":
    main()
