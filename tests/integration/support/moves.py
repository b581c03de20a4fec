"""A merchant that moves between two cells of support/cells.py: the nodes' new
configuration, and payctl merchant move, which may be killed at any of its
statements.
"""

import os
import re
import subprocess
import threading
from urllib.parse import urlsplit

from .cells import PLAN, Cells
from .own_stack import OwnStack, wait_for
from .pg_link import Link
from .tls_psp import DEADLINE_S

ACME = re.compile(r"^    payments_merchant acme \{\n.*?^    \}\n", re.M | re.S)
PLACE = re.compile(r"^        (?:cell|from) +[a-z]+;\n", re.M)
PSPS = re.compile(r"^        psp( +)[a-z ]+;\n", re.M)
STATEMENT = b"PQ"  # the first byte of Parse and of Query
# payctl lets nobody come back for a while; a fence that is lifted is gone.
LONG_AGO = (
    "UPDATE pay.merchant_move SET fenced_at = fenced_at - interval '1 hour', "
    "moved_at = moved_at - interval '1 hour' WHERE state = 'moved'"
)
STATE = "SELECT state FROM pay.merchant_move WHERE merchant_id = 'acme'"


def placed(text: str, cell: str, origin: str = "") -> str:
    """nginx.conf with acme in that cell, come from the other one."""
    block = PLACE.sub("", ACME.search(text)[0])
    names = [each for each in (cell, origin) if each]
    psps = " ".join(PLAN[each].psp for each in names)
    lines = "".join(
        f"        {word} {name};\n"
        for word, name in zip(("cell", "from"), names, strict=False)
    )
    block, count = PSPS.subn(f"{lines}        psp\\g<1>{psps};\n", block)
    assert count == 1
    return ACME.sub(lambda _: block, text)


class Move:
    def __init__(self, cells: Cells, here: str = "default", there: str = "b"):
        self.cells, self.here, self.there = cells, here, there

    def announce(self, node: OwnStack, *edits: tuple[str, str]) -> None:
        """The node's new configuration, in which both cells are named."""
        node.pristine = placed(node.pristine, self.there, self.here)
        node.configure(*edits)
        wait_for(self.cells.all_are_ready, "all cells")

    def state(self) -> str:
        """Of the fence in the old cell; empty: there is none."""
        rows = self.cells.stack(self.here).sql(STATE)
        return rows[0][0] if rows else ""

    def payctl(self, *more: str, **strike) -> "Payctl":
        """strike: of Payctl; more: --balances carry without a word"""
        names = ("--from", self.here, "--to", self.there)
        more = more or ("--balances", "carry")
        self.cells.stack(self.there).sql(LONG_AGO)
        return Payctl(
            [self.cells.home.values["PAYCTL"], "merchant", "move", "acme",
             *names, *more],
            [self.cells.stack(each).values["PG_ADMIN_DSN"]
             for each in (self.here, self.there)],
            **strike,
        )  # fmt: skip

    def done(self, *more: str, code: int = 0) -> str:
        """What payctl said at the end of an undisturbed call."""
        found, said = self.payctl(*more).end()
        assert found == code, said
        return said


class Heard(threading.Event):
    """An answer that is kept back has come."""

    def __init__(self, then):
        super().__init__()
        self.then = then

    def set(self) -> None:
        self.then()
        super().set()


class Counted(Link):
    """To one cell; counts() is asked about each statement of payctl."""

    def __init__(self, port: int, counts, strike):
        self.counts = counts
        super().__init__(port)
        self.lost = Heard(strike)

    def strikes(self, data: bytes) -> bool:
        return data[:1] in STATEMENT and self.counts()


class Payctl:
    """A call of payctl merchant move, under way.  at: the number of the
    statement at which strike(payctl) is called, from 1 on: in its place, or,
    with behind, when it is committed and nobody has heard of it."""

    def __init__(self, words, dsns, *, at=0, behind=False, strike=None):
        self.at, self.behind, self.strike = at, behind, strike
        self.count, self.struck = 0, threading.Event()
        self.begun = threading.Event()
        self.lock = threading.Lock()
        self.links = [
            Counted(urlsplit(dsn).port, self._counts, self._strike)
            for dsn in dsns
        ]
        names = [
            dsn.replace(f":{urlsplit(dsn).port}/", f":{link.port}/")
            for dsn, link in zip(dsns, self.links, strict=True)
        ]
        self.process = subprocess.Popen(
            [*words, "--dsn", names[0], "--to-dsn", names[1]],
            env=os.environ, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.begun.set()

    def _counts(self) -> bool:
        with self.lock:
            self.count += 1
            if self.count != self.at:
                return False
        if not self.behind:
            self._strike()
            raise ConnectionAbortedError
        return True

    def _strike(self) -> None:
        self.begun.wait(DEADLINE_S)
        self.strike(self)
        self.struck.set()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def end(self) -> tuple[int, str]:
        """Its exit code, negative when it was killed, and what it said."""
        said, _ = self.process.communicate(timeout=120)
        if self.count >= self.at > 0:
            assert self.struck.wait(DEADLINE_S)
        for link in self.links:
            link.close()
        return self.process.returncode, said
