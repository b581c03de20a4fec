"""The cells of the sweep: what strikes, at which moments, and what the
storefront may hear.

The whole matrix, with the cells that are tested elsewhere, is the table in
docs/reliability.md; test_matrix.py holds the two together.
"""

from collections.abc import Callable
from dataclasses import dataclass

from . import company, database, faults, machine

EVERY = ("M1", "M2", "M3", "M4", "M5", "M6", "M7")
# What a storefront may hear; None: the connection broke.
BROKEN = {None}
DONE = {201}
OPEN = {202, 503}
AWAKE = {201, 202, 429, 503}
WITHOUT_DATABASE = {
    "M1": {503}, "M2": OPEN, "M3": OPEN, "M4": OPEN, "M5": DONE,
}  # fmt: skip
DEADLINE_S = 20


@dataclass(frozen=True)
class Fault:
    strike: Callable  # a context, while the payment is held
    answers: dict | set
    moments: tuple = EVERY
    prepare: Callable = lambda scene: None  # before it is held

    def allowed(self, moment: str) -> set:
        found = self.answers
        if isinstance(found, dict):
            return found[moment]
        # who is held while the PSP answers may miss its deadline
        return found | {202} if moment == "M3" and found == DONE else found


WRONG_CLOCK = {"M1": DONE, "M2": {202}, "M5": DONE}
FAULTS = {
    "kill-worker": Fault(faults.kill_worker, BROKEN),
    "kill-all": Fault(faults.kill_all, BROKEN),
    "stop-worker": Fault(faults.stop_worker, AWAKE),
    "reload": Fault(faults.reload, DONE),
    "upgrade": Fault(faults.upgrade, DONE),
    "kill-postgres": Fault(faults.kill_postgres, WITHOUT_DATABASE),
    "stop-postgres": Fault(faults.stop_postgres, WITHOUT_DATABASE),
    "read-only": Fault(
        faults.read_only, WITHOUT_DATABASE, EVERY[:6]
    ),
    "contention": Fault(database.contention, DONE, ("M1", "M4", "M6")),
    "client-leaves": Fault(
        company.client_leaves, BROKEN, prepare=company.impatient
    ),
    "crowd": Fault(
        company.crowd, {201, 202, 429} | DONE, prepare=company.by_hand
    ),
    "webhook": Fault(company.early_webhook, DONE, prepare=company.by_hand),
    "rotation": Fault(
        company.rotated, DONE, ("M1", "M2", "M6"), company.by_hand
    ),
    "no-memory": Fault(
        machine.no_memory, {None, 500, *AWAKE}, prepare=machine.with_memory
    ),
    "full-logs": Fault(machine.nothing, DONE, prepare=machine.full_logs),
    "clock-back": Fault(
        machine.clock_back, WRONG_CLOCK, ("M1", "M2", "M5"), machine.with_clock
    ),
    "clock-ahead": Fault(
        machine.clock_ahead, WRONG_CLOCK, ("M1", "M2", "M5"), machine.with_clock
    ),
}
CELLS = [(name, each) for name in FAULTS for each in FAULTS[name].moments]


def told(fault: str, moment: str, sale, heard) -> None:
    """The first answer is one that may be given in this cell."""
    allowed = FAULTS[fault].allowed(moment)
    assert heard.status in allowed, (heard, allowed)
    assert heard.seconds < DEADLINE_S or fault == "stop-worker"
    if moment == "M1" and FAULTS[fault].answers in (BROKEN, WITHOUT_DATABASE):
        assert fault == "client-leaves" or sale.calls() == []
