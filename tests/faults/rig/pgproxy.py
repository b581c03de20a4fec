"""Stands between nginx and PostgreSQL and loses one answer: the server has
committed, and the connection breaks before anybody hears of it.
"""

import contextlib
import socket
import struct
import threading
from urllib.parse import urlsplit

READY = b"Z\x00\x00\x00\x05I"  # ReadyForQuery, outside a transaction
CHUNK = 65536


class Link:
    """One connection of nginx and its own to the server."""

    def __init__(self, proxy, client: socket.socket):
        self.proxy, self.client = proxy, client
        self.server = socket.create_connection(proxy.upstream)
        self.doomed = False
        for work in (self._ask, self._answer):
            threading.Thread(target=work, daemon=True).start()

    def _ask(self) -> None:
        with contextlib.suppress(OSError):
            while chunk := self.client.recv(CHUNK):
                self.doomed = self.proxy.strikes(chunk) or self.doomed
                self.server.sendall(chunk)
        self.close()

    def _answer(self) -> None:
        kept = b""
        with contextlib.suppress(OSError):
            while chunk := self.server.recv(CHUNK):
                if not self.doomed:
                    self.client.sendall(chunk)
                    continue
                kept += chunk
                if kept.endswith(READY):
                    self.proxy.lost.append(kept)
                    break
        self.close()

    def close(self) -> None:
        """With a reset: nothing that was meant for the client arrives."""
        linger = struct.pack("ii", 1, 0)
        with contextlib.suppress(OSError):
            self.client.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


class Proxy:
    def __init__(self, dsn: str):
        parts = urlsplit(dsn)
        self.upstream = (parts.hostname, parts.port)
        self.lost: list[bytes] = []  # answers that nobody heard
        self.lock = threading.Lock()
        self.bind: bytes | None = None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, operation: str) -> None:
        """The answer to the next call of that operation."""
        self.lost.clear()
        with self.lock:
            self.bind = b"\x00" + operation.encode() + b"\x00"

    def strikes(self, chunk: bytes) -> bool:
        with self.lock:
            found = self.bind is not None and self.bind in chunk
            if found:
                self.bind = None
        return found

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    Link(self, client)
                except OSError:
                    client.close()  # the server is away

    def close(self) -> None:
        self.listener.close()
