"""A way to the mock PSP that breaks as kept connections do: a request that
was chosen reaches the mock and has its effect, but the connection closes
without an answer.  libcurl then sends a second copy by itself, which does
not reach the mock: it is answered as the test says.
"""

import socket
import ssl
from urllib.parse import urlsplit

from . import tls_psp
from .tls_psp import DEADLINE_S, Listener, read_head


class Frail(Listener):
    def __init__(self, mock_url: str, context: ssl.SSLContext | None = None):
        """context: it speaks TLS."""
        self.mock = urlsplit(mock_url)
        self.context = context
        self.path = ""  # of the request to break; "": none
        self.said = b""  # to the copies of it; None: they reach the mock
        self.broken = []  # idempotency keys
        self.copies = []  # and those of the copies that came
        self.bodies = []  # of these two
        super().__init__()

    @property
    def url(self) -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def breaks(self, path: str, status: int, content: bytes = b"") -> None:
        """The next POST whose path ends so and that comes on a connection
        which has carried one before."""
        self.said = (
            f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        ).encode() + content
        self.broken, self.copies, self.bodies = [], [], []
        self.path = path

    def heals(self) -> None:
        self.path = ""

    def serve(self, sock: socket.socket) -> None:
        used = False
        if self.context:
            sock = self.context.wrap_socket(sock, server_side=True)
        while True:
            head, body = read_head(sock)
            if not head:
                return
            found = tls_psp.fields(head)
            while len(body) < int(found.get("content-length", 0)):
                body += sock.recv(65536)
            answer = self.answer(head, body, found, used)
            if answer is None:
                return
            sock.sendall(answer)
            used = True

    def answer(self, head, body, found, used: bool) -> bytes | None:
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        chosen = method == "POST" and self.path and path.endswith(self.path)
        key = found.get("idempotency-key", "")
        if chosen and key in self.broken:
            self.copies.append(key)
            self.bodies.append(body)
            return self.said or self.forward(head, body)
        answer = self.forward(head, body)
        if chosen and used and not self.broken:
            self.broken.append(key)
            self.bodies.append(body)
            return None
        return answer

    def forward(self, head: bytes, body: bytes) -> bytes:
        where = (self.mock.hostname, self.mock.port)
        with socket.create_connection(where, DEADLINE_S) as far:
            far.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            data = b""
            while more := far.recv(65536):
                data += more
        # the connection with the gateway is kept
        first, _, rest = data.partition(b"\r\n\r\n")
        lines = [
            line
            for line in first.split(b"\r\n")
            if not line.lower().startswith(b"connection:")
        ]
        return b"\r\n".join([*lines, b"", b""]) + rest
