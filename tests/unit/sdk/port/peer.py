"""A small edge for the tests of sdk/port: keeps each event once by (device, seq), and can fail.
Reads the wire with Google's protobuf."""
import gzip
import http.server
import importlib
import random
import subprocess
import sys
import tempfile
import threading

try:
    import google.protobuf  # noqa: F401
except ImportError:
    print("python3-protobuf is not installed: tools/setup.sh installs it")
    sys.exit(77)


def load_schema(protoc, folder):
    out = tempfile.mkdtemp()
    subprocess.run([protoc, f"--python_out={out}", "-I", folder, "cairn.proto"], check=True)
    sys.path.insert(0, out)
    return importlib.import_module("cairn_pb2")


class Peer:
    def __init__(self, pb):
        self.pb = pb
        self.events = {}  # (device, seq) -> id
        self.collisions = 0
        self.gzipped = 0
        self.requests = 0
        self.fail = lambda: None  # returns (status, headers), or "hang up", or None
        self.lock = threading.Lock()
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                peer.answer(self, body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler, body):
        assert handler.path == "/v1/sync", handler.path
        assert handler.headers["content-type"] == "application/x-protobuf"
        if handler.headers.get("content-encoding") == "gzip":
            self.gzipped += 1
            body = gzip.decompress(body)
        before, after = self.fail(), self.fail()
        if before == "hang up":
            handler.close_connection = True
            return
        status, headers, answer = 200, {}, b""
        if before:
            status, headers = before
        else:
            answer = self.take(body)
        if after == "hang up":  # it was taken, and nobody hears of it
            handler.close_connection = True
            return
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def take(self, body):
        request = self.pb.SyncRequest.FromString(body)
        words = list(request.dictionary)
        with self.lock:
            self.requests += 1
            for event in request.events:
                ids = [p.integer for p in event.properties
                       if (words[p.name_code - 1] if p.name_code else p.name) == "id"]
                key = (request.device_id, event.seq)
                number = ids[0] if ids else None
                if self.events.setdefault(key, number) != number:
                    self.collisions += 1
        acked = max((e.seq for e in request.events), default=0)
        return self.pb.SyncResponse(acked_seq=acked, server_ms=1).SerializeToString()

    def count(self, number):
        with self.lock:
            return sum(1 for known in self.events.values() if known == number)


def sometimes(seed):
    """Faults of a bad network."""
    rng = random.Random(seed)

    def fail():
        return rng.choice([None] * 8 + ["hang up", (503, {"retry-after": "1"}), (500, {})])

    return fail
