"""peer.py: an edge that answers as it is told, for tests of the command line."""
import http.server
import json
import threading


class Peer:
    """Serves POST on a free port; `answer(path, headers, body)` gives (status, headers, what):
    bytes as they are, anything else as JSON."""

    def __init__(self, answer):
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                with peer.lock:
                    status, headers, answered = answer(self.path, self.headers, body)
                raw = isinstance(answered, bytes)
                out = answered if raw else json.dumps(answered).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

            do_GET = do_POST

            def log_message(self, *arguments):
                pass

        self.lock = threading.Lock()
        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that leaves in the middle is part of the tests

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
