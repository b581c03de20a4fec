"""Ports for those who bind them later: below those that outgoing connections
take, and reserved as ci/stack reserves its own, so that no other process of the
tests picks one before it is bound.
"""

import atexit
import contextlib
import os
import random
import socket
import tempfile
from pathlib import Path

RESERVED = Path(tempfile.gettempdir()) / f"payments-ports.{os.getuid()}"
RANGE = 12000, 32000
CHANCE = random.SystemRandom()  # a test may have seeded the other one


def free_port() -> int:
    """Nobody listens there; it is this process's until its end."""
    while True:
        port = CHANCE.randrange(*RANGE)
        place = RESERVED / str(port)
        try:
            RESERVED.mkdir(exist_ok=True)
            place.mkdir()
        except (FileExistsError, FileNotFoundError):
            continue
        if not is_bound(port):
            atexit.register(give_back, place)
            return port
        give_back(place)


def is_bound(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def give_back(place: Path) -> None:
    """Somebody may have removed it as too old."""
    with contextlib.suppress(OSError):
        place.rmdir()
