"""A mock PSP of a test's own, without a gateway: the server on a free port
and a receiver that takes its webhooks.

mock_client.py, which each test_mock_*.py uses, is made of these.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .client import plain

TESTS = Path(__file__).resolve().parents[2]
DEADLINE_S = 60


class Counting(ThreadingHTTPServer):
    """Knows how many requests it has let in and not answered."""

    def __init__(self, *arguments):
        self.lock = threading.Lock()
        self.inside = 0
        super().__init__(*arguments)

    def process_request(self, *connection):
        with self.lock:
            self.inside += 1
        super().process_request(*connection)

    def process_request_thread(self, *connection):
        try:
            super().process_request_thread(*connection)
        finally:
            with self.lock:
                self.inside -= 1


class Receiver:
    """A webhook endpoint that remembers and answers what it is told."""

    def __init__(self):
        self.got: list[dict] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                outer._take(
                    self.path, dict(self.headers), self.rfile.read(length)
                )
                self.send_response(outer._next())
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Quiet."""

        self.server = Counting(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _take(self, path: str, headers: dict, body: bytes) -> None:
        headers = {name.lower(): value for name, value in headers.items()}
        self.got.append({"path": path, "headers": headers, "body": body})

    def _next(self) -> int:
        return self.answers.pop(0) if self.answers else 200

    def forget(self) -> None:
        """After a reset of the mock: what it had sent before is over, also
        what still stands in the queue, in front of a request of our own."""
        with plain(base_url=self.url) as http:
            http.get("/")
        until(lambda: self.server.inside == 0, "earlier webhooks to be over")
        self.got.clear()
        self.answers.clear()

    def wait(self, count: int, path: str = "/") -> list[dict]:
        def enough():
            found = [each for each in self.got if each["path"].startswith(path)]
            return found if len(found) >= count else None

        return until(enough, f"{count} webhooks")


def until(condition, what: str):
    limit = time.monotonic() + DEADLINE_S
    while time.monotonic() < limit:
        found = condition()
        if found:
            return found
        time.sleep(0.01)  # between two looks, not in place of a condition
    raise AssertionError(f"still waiting for {what}")


@contextlib.contextmanager
def serve(place: Path, keys: dict, gateway: str):
    """Runs the mock with `keys`, {file name: text}, written into `place`;
    yields its URL.
    """
    for name, text in keys.items():
        (place / name).write_text(text + "\n")
    command = [sys.executable, "-m", "mock_psp", "--webhook-retry-ms", "20"]
    command += ["--secrets", str(place), "--gateway", gateway]
    if "acme.result" in keys:
        command += ["--result-key-file", str(place / "acme.result")]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
    )
    try:
        line = child.stdout.readline()
        yield line.removeprefix("listening ").strip()
    finally:
        child.terminate()
        code = child.wait(DEADLINE_S)
    assert code == 0
