"""A source of rates: an HTTP server on loopback that says what it has to."""

import contextlib
import http.server
import json
import threading


class Server:
    """GET / answers with `status`, `headers` and `body`, and is counted."""

    def __init__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.paths.append(self.path)
                outer.seen = dict(self.headers)
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(outer.body)

            def log_message(self, *args):
                """Nothing: standard error is the tests'."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        self.seen = {}
        self.paths = []
        self.says({})
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def says(self, body, status=200, **headers) -> None:
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.headers = headers
        self.body = body
        self.status = status

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
