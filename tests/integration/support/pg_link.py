"""A link to PostgreSQL that can be cut at the one moment that hurts: behind
the commit, before its answer.
"""

import contextlib
import socket
import threading

from .tls_psp import DEADLINE_S, Listener

READY = b"Z\x00\x00\x00\x05"


class Link(Listener):
    """Passes on what it gets.  lose(op): the next call of that operation is
    carried out, its answer is kept back, and then the connection is gone."""

    def __init__(self, port: int):
        self.to = port
        self.lock = threading.Lock()
        self.armed = b""
        self.lost = threading.Event()
        super().__init__()

    def lose(self, op: str) -> None:
        self.lost.clear()
        with self.lock:
            # Bind: no portal, then the statement's name
            self.armed = b"\x00" + op.encode() + b"\x00"

    def is_fatal(self, data: bytes) -> bool:
        with self.lock:
            if not self.armed or self.armed not in data:
                return False
            self.armed = b""
            return True

    def serve(self, near: socket.socket) -> None:
        near.settimeout(None)
        with socket.create_connection(("127.0.0.1", self.to)) as far:
            cut = threading.Event()
            back = threading.Thread(
                target=self.answers, args=(far, near, cut), daemon=True
            )
            back.start()
            while data := near.recv(65536):
                if self.is_fatal(data):
                    cut.set()
                far.sendall(data)
                if cut.is_set():
                    break
            else:
                far.shutdown(socket.SHUT_WR)
            back.join(DEADLINE_S)

    def answers(self, far, near, cut) -> None:
        kept = b""
        while data := self.next(far):
            if not cut.is_set():
                near.sendall(data)
                continue
            kept += data
            if READY in kept:  # it is committed
                self.lost.set()
                break
        with contextlib.suppress(OSError):
            near.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def next(sock) -> bytes:
        try:
            return sock.recv(65536)
        except OSError:
            return b""
