"""A link to PostgreSQL that can be cut at the one moment that hurts, behind
the commit and before its answer, or whose answer can be made unreadable.
"""

import contextlib
import socket
import threading

from .tls_psp import DEADLINE_S, Listener

READY = b"Z\x00\x00\x00\x05"


class Link(Listener):
    """Passes on what it gets.  lose(op): the next call of that operation is
    carried out, its answer is kept back, and then the connection is gone.
    spoil(op, change): its whole answer is passed on as change(answer)."""

    def __init__(self, port: int):
        self.to = port
        self.lock = threading.Lock()
        self.armed = b""
        self.change = None
        self.lost = threading.Event()
        self.struck = b""  # the call whose answer was lost or spoilt
        super().__init__()

    def lose(self, op: str) -> None:
        self.arm(op, None)

    def spoil(self, op: str, change) -> None:
        self.arm(op, change)

    def arm(self, op: str, change) -> None:
        self.lost.clear()
        with self.lock:
            # Bind: no portal, then the statement's name
            self.armed = b"\x00" + op.encode() + b"\x00"
            self.change = change

    def strikes(self, data: bytes) -> bool:
        with self.lock:
            if not self.armed or self.armed not in data:
                return False
            self.armed = b""
            self.struck = data
            return True

    def serve(self, near: socket.socket) -> None:
        near.settimeout(None)
        with socket.create_connection(("127.0.0.1", self.to)) as far:
            struck = threading.Event()
            back = threading.Thread(
                target=self.answers, args=(far, near, struck), daemon=True
            )
            back.start()
            try:
                while data := near.recv(65536):
                    if self.strikes(data):
                        struck.set()
                    far.sendall(data)
                    if struck.is_set() and self.change is None:
                        break
                else:
                    far.shutdown(socket.SHUT_WR)
            except OSError:
                # the other thread, which waits there, would keep it open
                far.shutdown(socket.SHUT_RDWR)
                raise
            back.join(DEADLINE_S)

    def answers(self, far, near, struck) -> None:
        """Either side may go away at any time: nginx when it reloads,
        PostgreSQL when a test ends its process."""
        kept = b""
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                if not struck.is_set():
                    near.sendall(data)
                    continue
                kept += data
                if READY not in kept:
                    continue
                self.lost.set()  # it is committed
                if self.change is None:
                    break
                struck.clear()
                near.sendall(self.change(kept))
                kept = b""
        with contextlib.suppress(OSError):
            near.shutdown(socket.SHUT_RDWR)
