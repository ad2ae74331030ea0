"""Start, configuration, reload, drain, disk: what operators rely on."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

from edge_case import BINARY, JSON, WRITE_KEY, Edge, Raw, http_post, metric, request, until

EVENT = b'{"event":"a","user":"u"}'
PROJECTS = "projects:\n  - name: test\n    write_key: test-write-key\n"

# what is wrong, the file, what the message must name
BAD_FILES = [
    ("unknown key", "data_dir: x\ndata_dri: y\n" + PROJECTS, ":2:", "did you mean 'data_dir'"),
    ("unknown key of a project", "data_dir: x\nprojects:\n  - name: a\n    writekey: b\n", ":4:",
     "did you mean 'write_key'"),
    ("not a number", "data_dir: x\nidle_timeout_ms: soon\n" + PROJECTS, ":2:", "from 100"),
    ("too small", "data_dir: x\ncommit_interval_ms: 5\n" + PROJECTS, ":2:", "from 10 to 200"),
    ("too large", "data_dir: x\nrequest_bytes_max: 1GiB\n" + PROJECTS, ":2:", "KiB"),
    ("negative", "data_dir: x\nconnections_max: -1\n" + PROJECTS, ":2:", "from 8"),
    ("wrong unit", "data_dir: x\nidle_timeout_ms: 5MiB\n" + PROJECTS, ":2:", "min"),
    ("a key twice", "data_dir: x\ndata_dir: y\n" + PROJECTS, ":2:", "twice"),
    ("a list for a value", "data_dir: [x]\n" + PROJECTS, ":1:", "single value"),
    ("not YAML", "data_dir: 'x\n", "edge.yaml", "YAML"),
    ("not a mapping", "- a\n- b\n", ":1:", "KEY: VALUE"),
    ("no data_dir", PROJECTS, "edge.yaml", "data_dir is missing"),
    ("no project", "data_dir: x\n", "edge.yaml", "no project"),
    ("a bad name", "data_dir: x\nprojects:\n  - name: A/B\n    write_key: test-write-key\n", ":3:",
     "a-z"),
    ("two of a name", "data_dir: x\n" + PROJECTS + "  - name: test\n    write_key: other-key-1\n",
     ":5:", "rename"),
    ("two of a key", "data_dir: x\n" + PROJECTS + "  - name: two\n    write_key: test-write-key\n",
     ":5:", "its own"),
    ("a short key", "data_dir: x\nprojects:\n  - name: a\n    write_key: short\n", ":3:",
     "8 to 64"),
    ("a bad address", "data_dir: x\npublic_listen: here\n" + PROJECTS, "edge.yaml", "ADDRESS:PORT"),
    ("open to all without a token", "data_dir: x\nadmin_listen: 0.0.0.0:8081\n" + PROJECTS,
     "edge.yaml", "admin_token"),
    ("a short token", "data_dir: x\nadmin_token: short\n" + PROJECTS, "edge.yaml", "at least 16"),
    ("limits crossed", "data_dir: x\ninflight_bytes_hard: 1MiB\n" + PROJECTS, "edge.yaml",
     "larger"),
]


def check(text, env=None):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "edge.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([BINARY, "--config", path, "--check"], capture_output=True, text=True,
                              env={**os.environ, **(env or {})}, check=False)


def log_of(edge, what):
    """The lines of this happening."""
    lines = [json.loads(line) for line in edge.tail(100000).split("\n") if line.startswith("{")]
    return [line for line in lines if line["what"] == what]


class Configuration(unittest.TestCase):
    def test_a_good_file_is_good(self):
        done = check("data_dir: x\nrequest_bytes_max: 512 KiB\nidle_timeout_ms: 5s\n" + PROJECTS)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_bad_files_are_refused_with_line_and_fix(self):
        for name, text, where, fix in BAD_FILES:
            with self.subTest(name):
                done = check(text)
                self.assertEqual(done.returncode, 78, done)
                self.assertIn(where, done.stderr)
                self.assertIn(fix, done.stderr)

    def test_the_environment_wins_and_is_checked_too(self):
        self.assertEqual(check(PROJECTS, {"CAIRN_DATA_DIR": "/tmp/x"}).returncode, 0)
        done = check("data_dir: x\n" + PROJECTS, {"CAIRN_COMMIT_INTERVAL_MS": "5"})
        self.assertEqual(done.returncode, 78)
        self.assertIn("CAIRN_COMMIT_INTERVAL_MS", done.stderr)

    def test_wrong_use_and_missing_files(self):
        for arguments, code in (([], 2), (["--nonsense"], 2), (["--config"], 2), (["--help"], 0),
                                (["--version"], 0), (["--config", "/none", "--check"], 78),
                                (["--config", "/none"], 78)):
            done = subprocess.run([BINARY, *arguments], capture_output=True, check=False)
            self.assertEqual(done.returncode, code, arguments)


class Life(unittest.TestCase):
    def make(self, options=None, env=None):
        edge = Edge(BINARY, options, env)
        self.addCleanup(edge.close)
        return edge

    def send(self, edge, count=1, headers=None):
        for _ in range(count):
            status, body = request(edge.port, "POST", "/v1/events", EVENT, headers or JSON)
            self.assertEqual(status, 200, body)

    def test_sigterm_and_sigint_drain_and_end_with_0(self):
        edge = self.make()
        for number in (signal.SIGTERM, signal.SIGINT):
            edge.start()
            self.send(edge, 10)
            edge.child.send_signal(number)
            self.assertEqual(edge.child.wait(timeout=30), 0, edge.tail())
        edge.start()
        # a drained edge has folded and committed all: nothing is left to do at the start
        self.assertEqual(metric(edge, "cairn_fold_position_bytes") or
                         metric(edge, "cairn_log_position_bytes"),
                         metric(edge, "cairn_log_position_bytes"))
        until(lambda: metric(edge, "cairn_events") == 20, "all events are there")

    def test_requests_under_way_finish_while_draining(self):
        edge = self.make({"drain_grace_ms": 700})
        edge.start()
        raw, idle = Raw(edge.port), Raw(edge.port)
        self.addCleanup(raw.close)
        self.addCleanup(idle.close)
        self.assertEqual(idle.send(http_post("/v1/events", EVENT)).answer()[0], 200)
        raw.send(http_post("/v1/events", EVENT)[:-3])
        edge.child.send_signal(signal.SIGTERM)
        until(lambda: request(edge.admin_port, "GET", "/readyz")[0] == 503, "readyz says no")
        self.send(edge)  # still taken during the grace
        until(lambda: not edge.ready() and self.refuses(edge), "no connection is accepted")
        self.assertEqual(raw.send(EVENT[-3:]).answer()[0], 200)
        self.assertIsNone(raw.answer())
        self.assertIsNone(idle.answer())
        self.assertEqual(edge.child.wait(timeout=30), 0)

    def refuses(self, edge):
        try:
            Raw(edge.port).close()
            return False
        except OSError:
            return True

    def test_a_request_that_never_ends_does_not_hold_the_end_up(self):
        edge = self.make({"drain_timeout_ms": 300})
        edge.start()
        raw = Raw(edge.port).send(http_post("/v1/events", EVENT)[:-3])
        begun = time.monotonic()
        self.assertEqual(edge.stop(), 0, edge.tail())
        self.assertLess(time.monotonic() - begun, 10)
        raw.close()

    def test_a_second_edge_on_the_same_data_is_refused(self):
        edge = self.make()
        edge.start()
        other = self.make({"data_dir": edge.data})
        other.launch()
        self.assertEqual(other.child.wait(timeout=30), 1)
        self.assertIn("another process holds it", other.tail())
        self.assertTrue(edge.ready())

    def test_a_newer_format_is_refused_and_left_alone(self):
        edge = self.make()
        edge.start()
        self.assertEqual(edge.stop(), 0, edge.tail())
        path = os.path.join(edge.data, "format")
        for text in ("2\n", "none\n"):
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            edge.launch()
            self.assertEqual(edge.child.wait(timeout=30), 1)
            self.assertIn("use a newer cairn-edge", edge.tail())
            with open(path, encoding="ascii") as file:
                self.assertEqual(file.read(), text)

    def test_a_port_in_use_is_told(self):
        edge = self.make()
        edge.start()
        other = self.make({"public_listen": f"127.0.0.1:{edge.port}"})
        other.launch()
        self.assertEqual(other.child.wait(timeout=30), 1)
        self.assertIn("address already in use", other.tail())

    def test_an_unknown_time_zone_is_refused(self):
        edge = self.make()
        with open(edge.config, "a", encoding="utf-8") as file:
            file.write("    timezone: Mars/Olympus\n")
        edge.launch()
        self.assertEqual(edge.child.wait(timeout=30), 1)
        self.assertIn("Mars/Olympus", edge.tail())

    def rewrite(self, edge, change):
        with open(edge.config, encoding="utf-8") as file:
            text = file.read()
        with open(edge.config, "w", encoding="utf-8") as file:
            file.write(change(text))
        edge.child.send_signal(signal.SIGHUP)

    def test_sighup_takes_over_what_may_change(self):
        edge = self.make()
        edge.start()
        self.send(edge)
        for number, key in enumerate(("second-write-key", "third-write-key", WRITE_KEY), 1):
            self.rewrite(edge, lambda text, key=key: text[:text.rindex("write_key:")] +
                         f"write_key: {key}\n")
            until(lambda n=number: len(log_of(edge, "reloaded")) == n, "reloaded")
            self.send(edge, 1, {**JSON, "x-cairn-key": key})
        self.assertEqual(request(edge.port, "POST", "/v1/events", EVENT,
                                 {**JSON, "x-cairn-key": "second-write-key"})[0], 401)

    def test_sighup_with_a_bad_file_changes_nothing(self):
        edge = self.make()
        edge.start()
        for number, (change, reason) in enumerate((
                (lambda text: text + "nonsense: 1\n", "unknown key"),
                (lambda text: text.replace("nonsense: 1\n", "").replace(
                    edge.data, edge.data + "2"), "data_dir has changed"),
                (lambda text: text.replace(edge.data + "2", edge.data).replace(
                    "name: test", "name: other"), "projects has changed")), 1):
            self.rewrite(edge, change)
            until(lambda n=number: len(log_of(edge, "reload_refused")) == n, "refused")
            self.assertIn(reason, log_of(edge, "reload_refused")[-1]["text"])
            self.send(edge)

    def test_low_water_refuses_data_and_answers_everything_else(self):
        edge = self.make({"disk_low_water": "10TiB"})
        edge.launch()
        until(lambda: log_of(edge, "started"), "started")
        status, body = request(edge.port, "POST", "/v1/events", EVENT, JSON)
        self.assertEqual((status, json.loads(body)["code"]), (503, "disk_low"))
        status, body = request(edge.admin_port, "GET", "/readyz")
        self.assertEqual((status, json.loads(body)["code"]), (503, "disk_low"))
        self.assertEqual(request(edge.admin_port, "GET", "/healthz")[0], 200)
        self.rewrite(edge, lambda text: text.replace("10TiB", "0"))
        until(edge.ready, "ready by itself")
        self.send(edge)

    def test_the_log_tells_no_personal_data(self):
        edge = self.make()
        edge.start()
        body = json.dumps({"event": "secret_event", "user": "anna@example.com",
                           "properties": {"iban": "DE89370400440532013000"}})
        self.assertEqual(request(edge.port, "POST", "/v1/events", body, JSON)[0], 200)
        request(edge.port, "POST", "/v1/events", body[:-1], JSON)
        request(edge.admin_port, "GET", "/v1/persons/login:anna@example.com")
        self.assertEqual(edge.stop(), 0, edge.tail())
        for word in ("anna", "secret_event", "DE89", WRITE_KEY):
            self.assertNotIn(word, edge.tail(1000000))

    def test_starting_is_quick_and_idling_is_small(self):
        edge = self.make()
        seconds = edge.start()
        print(f"start {seconds * 1000:.0f} ms, resident {edge.rss_bytes() >> 20} MiB "
              f"({os.path.dirname(BINARY)})")


@unittest.skipUnless(os.geteuid() == 0, "a small file system needs root")
class FullDisk(unittest.TestCase):
    """A file system of 6 MiB, filled by somebody else."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cairn-full-")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", self.folder],
                                 capture_output=True, check=False)
        self.addCleanup(os.rmdir, self.folder)
        if mounted.returncode != 0:
            self.skipTest("mount is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=False)

    def test_a_full_disk_refuses_loses_nothing_and_resumes(self):
        edge = Edge(BINARY, {"data_dir": os.path.join(self.folder, "data"), "disk_low_water": 0})
        self.addCleanup(edge.close)
        edge.start()
        line = json.dumps({"event": "fill", "user": "u", "properties": {"x": "y" * 1000}})
        accepted = 0
        status = 200
        while status == 200:
            status, body = request(edge.port, "POST", "/v1/events", "\n".join([line] * 100), JSON)
            accepted += 100 if status == 200 else 0
        self.assertEqual((status, json.loads(body)["code"]), (503, "log_unavailable"))
        self.assertEqual(request(edge.admin_port, "GET", "/readyz")[0], 503)
        self.assertGreater(accepted, 1000)
        subprocess.run(["mount", "-o", "remount,size=60m", self.folder], check=True)
        until(edge.ready, "ready by itself")
        status, body = request(edge.port, "POST", "/v1/events", line, JSON)
        self.assertEqual(status, 200, body)
        until(lambda: metric(edge, "cairn_events") == accepted + 1, "all accepted are counted")
        self.assertEqual(edge.stop(), 0, edge.tail())
        edge.start()
        until(lambda: metric(edge, "cairn_events") == accepted + 1, "and after a start")


if __name__ == "__main__":
    unittest.main()
