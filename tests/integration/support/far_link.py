"""A link to a server that is far away: what goes in at one end comes out at the
other one half a round trip later.
"""

import contextlib
import queue
import socket
import threading
import time

from .tls_psp import DEADLINE_S, Listener

PIECE = 65536


class Far(Listener):
    """port: of the server; round_trip_s: 0 for a link that is near.  at: the
    link's own port, or 0 for a free one.  cut(): nothing arrives any more,
    and neither end knows."""

    def __init__(self, port: int, round_trip_s: float, at: int = 0):
        self.to = port
        self.half_s = round_trip_s / 2
        self.is_cut = threading.Event()
        super().__init__(at)

    def cut(self) -> None:
        self.is_cut.set()

    def serve(self, near: socket.socket) -> None:
        near.settimeout(None)
        with socket.create_connection(("127.0.0.1", self.to)) as far:
            self.open.add(far)
            back = threading.Thread(
                target=self.carries, args=(far, near), daemon=True
            )
            back.start()
            self.carries(near, far)
            back.join(DEADLINE_S)
        self.open.discard(far)

    def carries(self, source: socket.socket, target: socket.socket) -> None:
        """Until the source has ended; the order stays."""
        road: queue.Queue = queue.Queue()
        out = threading.Thread(
            target=self.arrives, args=(road, target), daemon=True
        )
        out.start()
        data = b"-"
        while data:
            try:
                data = source.recv(PIECE)
            except OSError:  # it was killed
                data = b""
            road.put((time.monotonic() + self.half_s, data))
        out.join()

    def arrives(self, road: queue.Queue, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = road.get()
                time.sleep(max(0, due - time.monotonic()))
                if not data:
                    break
                if not self.is_cut.is_set():
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)
