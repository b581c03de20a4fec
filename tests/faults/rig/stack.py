"""A gateway of its own (OwnStack) whose module has the hooks of
ngx_payments_fault.h: a worker can be stopped dead at a moment of a payment.
"""

import contextlib
import os
import re
import signal
from pathlib import Path

from support.own_stack import (
    QUICK_JOBS,
    OwnStack,
    alive,
    shutting_down,
    wait_for,
)

# The moments of a payment at which a fault may strike, and the hook there.
# M3 has none: the mock PSP knows when it has accepted (scene.py).
POINTS = {
    "M1": "before-begin_payment",
    "M2": "before-register",
    "M4": "after-register",
    "M5": "after-store_token",
    "M6": "before-apply_event",
    "M7": "after-apply_event",
}
CONNECTIONS = re.compile(r"payments_database .* connections=(\d+)")
# A PSP has one second, PostgreSQL two: whoever stands still outlasts that.
PSP_S = 1
DATABASE_S = 2
HASTY = [
    QUICK_JOBS,
    ("connect=2s total=10s", f"connect=500ms total={PSP_S}s"),
    ("queue=4096;", f"queue=4096 timeout={DATABASE_S}s;"),
]


def stopped(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
    except OSError:
        return False
    return state.split()[0] == "T"


class FaultStack(OwnStack):
    def __init__(self, **variables: str):
        super().__init__(FAULTS="1", **variables)
        self.traps = self.gateway.run / "faults"
        self.traps.mkdir()
        self.traps.chmod(0o777)  # a worker is nobody
        # what the faults themselves bring about
        self.expected += [
            "exited on signal 9",
            "still could not bind",
            "was locked by",
            "failed (28: No space left on device)",
            "failed (12: Cannot allocate memory)",
            "pcre2_match() failed: -48",  # PCRE2_ERROR_NOMEMORY, in a map
        ]
        self.preload = ""
        self.refused_memory = 0  # allocations, over all cells
        self.configure()
        self.mock.settings(webhook_timeout_s=1.5)

    def configure(self, *edits) -> None:
        """The hasty configuration, with these edits behind it."""
        super().configure(*dict.fromkeys([*HASTY, *edits]))

    # The storefront, from a worker that has its database again: one that is
    # ready may have a connection whose like is not yet back in another.

    def told(self, path: str) -> dict:
        def shown():
            answer = self.get(path)
            assert answer.status_code in (200, 503), answer.text
            return answer.status_code == 200 and answer.json()

        return wait_for(shown, path)

    def payment(self, order_id: str) -> dict:
        return self.told(f"/v1/payments/{order_id}")

    def timeline(self, order_id: str) -> list[dict]:
        return self.told(f"/v1/payments/{order_id}/events")["events"]

    def whole(self) -> None:
        """Returns once each connection of each worker is there: a storefront
        whose request meets a worker that is not yet back hears 503."""
        text = self.gateway.conf.read_text()
        each = int(CONNECTIONS.search(text).group(1))

        def connected():
            return self.value(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE usename = 'payments_gateway' AND state = 'idle'"
            ) >= each * len(self.generation())

        wait_for(connected, "the connections of all workers")

    # Moments.

    def arm(self, point: str) -> None:
        """The next worker that comes there stops."""
        (self.traps / point).touch()

    def disarm(self) -> None:
        for path in self.traps.iterdir():
            path.unlink()

    def trapped(self) -> int:
        """The worker that has stopped in the trap, or 0."""
        pids = [p for p in self.traps.iterdir() if p.name.isdigit()]
        pid = int(pids[0].name) if pids else 0
        if not pid or not stopped(pid):
            return 0
        (self.traps / str(pid)).unlink()
        return pid

    def caught(self) -> int:
        return wait_for(self.trapped, "a worker to stop where it should")

    def freeze(self, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: stopped(pid), f"process {pid} to stop")

    def go_on(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    # Ends and beginnings.

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not alive(pid), f"the end of process {pid}")

    def boot(self, preload: str = "", **variables: str) -> None:
        """nginx with that library in front, and these variables."""
        if preload != self.preload:
            self.quit_nginx()
            self.env = {**self.env, "PAY_PRELOAD": preload, **variables}
            self.start_nginx()
            self.preload = preload

    def relieve(self) -> set[int]:
        """New workers, though an old one may be standing still: → the old"""
        old = set(self.workers())
        os.kill(self.master(), signal.SIGHUP)
        self._relieved(old)
        return old

    def _relieved(self, old: set[int]) -> None:
        wait_for(
            lambda: len(set(self.workers()) - old) >= self.processes(),
            "new workers",
        )
        wait_for(
            lambda: all(shutting_down(p) or stopped(p) for p in old),
            "the old workers to take nothing new",
        )
        wait_for(self.is_ready, "the new workers to be ready")

    def upgrade(self) -> int:
        """Another nginx takes over, by USR2, WINCH and QUIT: → the old
        master, which ends when its last worker does."""
        old, workers = self.master(), set(self.generation())
        file = Path(self.values["NGINX_PID"])
        os.kill(old, signal.SIGUSR2)

        def succeeded():
            text = ""
            with contextlib.suppress(FileNotFoundError):  # it is renamed
                text = file.read_text()
            return text.strip() not in ("", str(old))

        wait_for(succeeded, "the new master")
        self.generation()
        os.kill(old, signal.SIGWINCH)
        os.kill(old, signal.SIGQUIT)
        self._relieved(workers)
        return old

    def drained(self, pids: set[int]) -> None:
        """Old workers are on their way out."""
        wait_for(lambda: all(map(shutting_down, pids)), "old workers to end")
