"""edge_process.py: a cairn-edge of one's own: free ports, a folder, kill and start again."""
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_SECONDS_MAX = 20
WRITE_KEY = "test-write-key"
PORTS = (10000, 32000)


def free_port():
    """Below the ports that the system gives to outgoing connections: an edge that is down for a
    moment must find its port free when it comes back."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(*PORTS)))
                return probe.getsockname()[1]
            except OSError:
                continue


def request(port, method, path, body=None, headers=None):
    """(status, body) of one exchange on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Edge:
    """`options`: more lines of the configuration, name -> value. `env`: more environment."""

    def __init__(self, binary, options=None, env=None):
        self.binary = binary
        self.folder = tempfile.mkdtemp(prefix="cairn-edge-")
        self.data = os.path.join(self.folder, "data")
        self.log_path = os.path.join(self.folder, "edge.log")
        self.config = os.path.join(self.folder, "edge.yaml")
        self.port, self.admin_port = free_port(), free_port()
        self.env = env or {}
        self.child = None
        lines = {"data_dir": self.data, "public_listen": f"127.0.0.1:{self.port}",
                 "admin_listen": f"127.0.0.1:{self.admin_port}", **(options or {})}
        with open(self.config, "w", encoding="utf-8") as file:
            file.writelines(f"{name}: {value}\n" for name, value in lines.items())
            file.write(f"projects:\n  - name: test\n    write_key: {WRITE_KEY}\n")

    def launch(self):
        """Starts the program without waiting for it."""
        if self.child is not None and self.child.poll() is None:
            raise AssertionError("the one before is still running")
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen([self.binary, "--config", self.config],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env={**os.environ, **self.env})

    def ready(self):
        try:
            return request(self.admin_port, "GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def start(self):
        """Starts and waits until it is ready; seconds that took. RuntimeError when it ends."""
        begun = time.monotonic()
        self.launch()
        while not self.ready():
            if self.child.poll() is not None or time.monotonic() - begun > START_SECONDS_MAX:
                raise RuntimeError(f"the edge did not start ({self.child.poll()}):\n{self.tail()}")
            time.sleep(0.002)
        return time.monotonic() - begun

    def kill(self):
        """kill -9, and waits for the end."""
        self.child.kill()
        self.child.wait()

    def stop(self):
        """SIGTERM; the exit code."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=60)

    def close(self):
        if self.child is not None and self.child.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tail(self, count=4000):
        with open(self.log_path, "rb") as file:
            return file.read()[-count:].decode(errors="replace")

    def analyze(self, query):
        status, body = request(self.admin_port, "POST", "/v1/analyze", json.dumps(query),
                               {"content-type": "application/json"})
        if status != 200:
            raise RuntimeError(f"analyze answered {status}: {body.decode()}")
        return json.loads(body)

    def rss_bytes(self):
        with open(f"/proc/{self.child.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def cpu_seconds(self):
        with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as file:
            words = file.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
