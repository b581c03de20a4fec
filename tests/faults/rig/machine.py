"""Faults of the machine below nginx: memory that is refused (shim.c), a clock
that jumps, a full disk under the logs.
"""

import contextlib
import mmap
import struct
import subprocess
from pathlib import Path

from support.clocked_nginx import VARIABLES, library
from support.own_stack import alive, wait_for

HERE = Path(__file__).parent


class Memory:
    """shim.c's control block: which process, which of its allocations."""

    FORM = "iiii"  # pid, left, calls, failed

    def __init__(self, directory: Path):
        self.library = directory / "shim.so"
        self.file = directory / "shim.control"
        command = ["gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC"]
        source = HERE / "shim.c"
        subprocess.run([*command, source, "-o", self.library], check=True)
        self.file.write_bytes(bytes(4096))
        self.file.chmod(0o666)
        with open(self.file, "r+b") as control:
            self.map = mmap.mmap(control.fileno(), 4096)

    def environment(self) -> dict[str, str]:
        return {"PAY_SHIM_CONTROL": str(self.file)}

    def fail(self, pid: int, nth: int) -> None:
        """The nth allocation of that process from now on, once."""
        struct.pack_into(self.FORM, self.map, 0, 0, nth, 0, 0)
        struct.pack_into("i", self.map, 0, pid)

    def over(self) -> tuple[int, int]:
        """→ allocations seen, and refused"""
        struct.pack_into("i", self.map, 0, 0)
        _, _, calls, failed = struct.unpack_from(self.FORM, self.map, 0)
        return calls, failed


def with_memory(scene) -> None:
    """Before the payment is held: nginx with the shim in front."""
    stack = scene.stack
    if not hasattr(stack, "memory"):
        stack.memory = Memory(stack.gateway.run)
        stack.expected.append(DEATH_OF_LIBCURL)
    memory = stack.memory
    stack.boot(str(memory.library), **memory.environment())


@contextlib.contextmanager
def no_memory(scene):
    """One allocation fails somewhere between here and the answer; the worker
    may refuse the request, or die: what it has begun goes on."""
    memory, nth = scene.stack.memory, _nth(scene.rng)
    memory.fail(scene.pid, nth)
    yield
    calls, failed = memory.over()
    assert failed == (1 if calls >= nth else 0), (nth, calls, failed)
    scene.stack.refused_memory += failed
    if not alive(scene.pid):
        wait_for(scene.stack.is_ready, "a new worker")


def _nth(rng) -> int:
    """Small ones more often: each moment is but some allocations long."""
    return rng.randint(1, rng.choice((4, 16, 64)))


# libcurl 7.88 (singlesocket in lib/multi.c): when memory for a socket's list
# of transfers is refused, it destroys that list's hash and goes on using it,
# with a division by the number of its slots, 0.
DEATH_OF_LIBCURL = "exited on signal 8"
CLOCK = "clock"


def with_clock(scene, *edits) -> None:
    """Before the payment is held: nginx behind libfaketime, and with these
    edits of its configuration."""
    stack = scene.stack
    set_clock(stack, "+0")
    names = (*VARIABLES, "FAKETIME_TIMESTAMP_FILE")
    kept = "".join(f"env {name};\n" for name in names)
    stack.configure(("events {", kept + "events {"), *edits)
    stack.boot(
        library(),
        FAKETIME_TIMESTAMP_FILE=str(stack.gateway.run / CLOCK),
        **VARIABLES,
    )


def set_clock(stack, offset: str) -> None:
    new = stack.gateway.run / "clock.new"
    new.write_text(offset + "\n")
    new.chmod(0o644)
    new.replace(stack.gateway.run / CLOCK)


@contextlib.contextmanager
def _clock(scene, offset: str):
    set_clock(scene.stack, offset)
    try:
        if scene.moment == "M2":
            _psp_is_busy(scene)
        yield
        if scene.moment == "M2":
            scene.sale.registered()
        if scene.moment == "M5":
            _nothing_expires(scene)
    finally:
        set_clock(scene.stack, "+0")
    wait_for(scene.stack.is_ready, "the gateway to be ready")


def _psp_is_busy(scene) -> None:
    """A job has to go on, under the wrong clock."""
    busy = {"operation": "register", "kind": "status", "status": 503}
    scene.stack.mock.faults(busy)


def _nothing_expires(scene) -> None:
    """The wall clock of a worker is nobody's reason to end a checkout."""
    sale = scene.sale
    assert scene.stack.jobs_now(sale.id) == 1
    asked = "SELECT run_at > now() FROM pay.job WHERE checkout_id = %s"
    wait_for(lambda: scene.stack.value(asked, sale.id), "the poll")
    assert sale.checkout.states() == {("EXECUTING", None)}


@contextlib.contextmanager
def clock_back(scene):
    with _clock(scene, "-2h"):
        yield


@contextlib.contextmanager
def clock_ahead(scene):
    with _clock(scene, "+10d"):
        yield


def full_logs(scene) -> None:
    """Before the payment is held: both logs are on a full disk."""
    stack = scene.stack
    run = stack.gateway.run
    access = (f'"{run}/access.log" payments;', '"/dev/full" payments;')
    log = f'"{run}/error.log" notice;'
    stack.configure(access, (log, f"{log}\nerror_log /dev/full info;"))


@contextlib.contextmanager
def nothing(scene):
    """It has struck already, or strikes by itself."""
    yield
