"""A gateway with two cells: acme in the one named default, whose PSP is
generic, and globex in b, whose PSP is stripe.  The PostgreSQL of b is that of a
second stack, whose nginx is stopped.
"""

import contextlib
import os
import re
import signal
from pathlib import Path

from . import aftermath
from .own_stack import QUICK_JOBS, Checkout, OwnStack, children, wait_for

PSPS = "generic stripe adyen paypal square mollie;"
DATABASE = re.compile(r'payments_database +("[^"]*")[^;]*;')
STRIPE = "    payments_psp stripe {\n"
GLOBEX = "    payments_merchant globex {\n"
HOOKS = "payments_webhook_endpoints hosts=loopback;"
CAP = 24  # creates under way in a cell, on all workers


def edits(dsn: str, authority) -> list[tuple[str, str]]:
    """Of the first stack's nginx.conf; dsn: of b, quoted."""
    return [
        QUICK_JOBS,
        (
            "    payments_audience ",
            f"    payments_database b {dsn} handle=b;\n"
            f"    payments_bulkhead intake={CAP};\n"
            "    payments_audience ",
        ),
        (
            HOOKS,
            "payments_webhook_endpoints hosts=loopback interval=50ms "
            f'"ca_file={authority.file}";',
        ),
        (STRIPE, STRIPE + "        cell b;\n"),
        (GLOBEX, GLOBEX + "        cell b;\n"),
    ]


class Cells:
    """home: the stack whose nginx and mock serve both cells."""

    def __init__(self, authority):
        """authority: that of storefronts' endpoints"""
        self.home = OwnStack()
        self.away = OwnStack()
        self.away.quit_nginx()
        self.conf = self.home.pristine
        self.home.pristine = self._configured(authority)
        self.home.configure()
        # of new workers a node waits for one cell alone
        wait_for(self.all_are_ready, "both cells in each worker")

    def _configured(self, authority) -> str:
        text = self.conf
        dsn = DATABASE.search(self.away.pristine)[1]
        for old, new in edits(dsn, authority):
            assert old in text
            text = text.replace(old, new, 1)
        acme, globex = text.split(GLOBEX)
        acme = acme.replace(PSPS, "generic;")
        globex = globex.replace(PSPS, "stripe;", 1)
        return acme + GLOBEX + globex

    def order(self, cell: str, **more) -> dict:
        return self.home.order("stripe" if cell == "b" else "generic", **more)

    def post(self, cell: str, body: dict | None = None, key=None, **more):
        merchant = "OTHER_" if cell == "b" else ""
        body = body or self.order(cell)
        return self.home.post(body, key, merchant=merchant, **more)

    def created(self, cell: str, **more) -> Checkout:
        body = self.order(cell, **more)
        answer = self.post(cell, body)
        assert answer.status_code == 201, answer.text
        return Checkout(self.stack(cell), body, answer)

    def stack(self, cell: str) -> OwnStack:
        """The one whose PostgreSQL is the cell's."""
        return self.away if cell == "b" else self.home

    def paid(self, cell: str) -> Checkout:
        made = self.created(cell)
        self.home.mock.pay(made.token)
        made.becomes("SUCCESS")
        return made

    def count(self, cell: str, table: str) -> int:
        return self.stack(cell).value(f"SELECT count(*) FROM pay.{table}")

    def ready(self, cell: str = "") -> int:
        query = f"?cell={cell}" if cell else ""
        return self.home.http.get(f"/readyz{query}").status_code

    def all_are_ready(self) -> bool:
        """Whichever worker is asked."""
        return {
            self.ready(cell) for cell in ("default", "b") for _ in range(20)
        } == {200}

    # The cell b, frozen and awake again.

    def _of_b(self) -> list[int]:
        file = Path(self.away.values["PG_DATA"]) / "postmaster.pid"
        postmaster = int(file.read_text().split()[0])
        return [postmaster, *children(postmaster)]

    @contextlib.contextmanager
    def frozen(self):
        """Nothing of b's PostgreSQL moves, and its sockets stay open."""
        pids = self._of_b()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in self._of_b():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    # The end.

    def check(self) -> None:
        """The invariants of both, and no checkout, handle or event in two."""
        for stack in (self.home, self.away):
            stack.link = None
            rows = aftermath.broken_invariants(_linked(stack))
            assert rows == [], "\n".join(rows)
        for query in (
            "SELECT merchant_id || '/' || checkout_id FROM pay.checkout",
            "SELECT handle FROM pay.checkout",
            "SELECT psp || '/' || event_id FROM pay.webhook_inbox",
        ):
            home, away = (
                {row[0] for row in stack.sql(query)}
                for stack in (self.home, self.away)
            )
            assert not home & away

    def close(self) -> None:
        self.home.pristine = self.conf
        try:
            self.home.close()
        finally:
            self.away.close()


def _linked(stack: OwnStack):
    stack.value("SELECT 1")
    return stack.link
