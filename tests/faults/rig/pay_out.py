"""A pay-out that is held at one of its steps: an operator's request (an item,
a batch, an approval), a worker's call to the provider, or the provider's
message.  Whoever is held stands still until release().

The seller, the provider and its books are those of support/payer.py.
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg2
from support.own_stack import new_id, wait_for
from support.sold import books_hold

from .sale import pause

PATIENCE_S = 90
BEGIN = "begin_payout_call"
# Requests in their order, and whose they are.
ACTS = {
    "item": "PAYOUT_MAKER_JWT",
    "batch": "PAYOUT_MAKER_JWT",
    "approval": "PAYOUT_CHECKER_JWT",
}
# The provider's name of each call that moves money: fault, kind in its books.
MOVES = {
    "generic": [("send", "payout")],
    "stripe": [("transfer", "transfer"), ("send", "payout")],
}
# The seller's own, so that each run has a due time of its own.
SCHEDULE = """SELECT pay_ops.set_payout_schedule('acme', %s, 'day', NULL, NULL,
    NULL, NULL, 10, 'max', 'test')"""
DUE = """UPDATE pay.payout_schedule SET next_at = now() - interval '1 hour'
    WHERE seller_account = %s"""
WAITING = """SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'
    AND query LIKE '%%make_due_payouts%%'"""
LAST = """SELECT call, step, number FROM pay.payout_dispatch
    WHERE payout_id = %s ORDER BY number DESC LIMIT 1"""
# The worker of that call is dead, or has had PostgreSQL die under it.
LEASE_OVER = """UPDATE pay.payout_sending SET lease_until = now()
    WHERE payout_id = %s AND calls <= %s AND lease_until > now()"""
# Instead of waiting for the time of a question, or of a repeat.
DUE_NOW = """UPDATE pay.payout_sending SET run_at = now()
    WHERE payout_id = %s AND lease_until IS NULL AND run_at > now()"""
KEY_OVER = """UPDATE pay.payout_sending SET key_until = now()
    WHERE payout_id = %s AND is_doubtful AND lease_until IS NULL"""


class PayOut:
    """step: which of the provider's calls that move money is held; refused:
    the provider refuses each of them"""

    def __init__(
        self, payer, rng, provider="generic", step=0, *, refused=False
    ):
        self.payer, self.stack, self.rng = payer, payer.stack, rng
        self.provider, self.step, self.refused = provider, step, refused
        self.seller = payer.sold(provider)
        self.keys = {act: new_id() for act in ACTS}
        self.asked = list(ACTS)  # by requests
        self.shown: dict = {}  # the answers to the acts
        self.item = ""
        self.struck = 0  # the call that was under way then
        self.pid = 0
        self.others: list[int] = []
        self.lock = None
        self.released = False
        self.pool = ThreadPoolExecutor(1)
        self.first = None

    # Operators.

    def post(self, act: str):
        """The answer, or None when the connection broke."""
        batch = self.shown.get("batch", {})
        path, body = {
            "item": (
                "payouts",
                {"seller_account": self.seller, "currency": "EUR"},
            ),
            "batch": (
                "payout-batches",
                {"provider": self.provider, "currency": "EUR"},
            ),
            "approval": (
                f"payout-batches/{batch.get('batch_id')}/approve",
                {"hash": batch.get("hash")},
            ),
        }[act]
        token = self.stack.values[ACTS[act]]
        headers = self.stack.headers(self.keys[act])
        headers["Authorization"] = f"Bearer {token}"
        with self.stack.client() as http:
            try:
                return http.post(f"/v1/{path}", json=body, headers=headers)
            except httpx.TransportError:
                return None

    def insist(self, act: str) -> dict:
        """Asks with the same key until it has been done."""

        def done():
            answer = self.post(act)
            if answer is None or answer.status_code in (429, 503):
                return None
            assert answer.status_code in (200, 201), answer.text
            return answer.json()

        self.shown[act] = wait_for(done, f"the {act}", PATIENCE_S)
        self.item = self.shown["item"]["payout_id"]
        return self.shown[act]

    def until(self, act: str) -> None:
        """What comes before this act."""
        for each in ACTS:
            if each == act:
                return
            self.insist(each)

    # What is held.

    @contextlib.contextmanager
    def held(self, hold, *args):
        """hold: one of the three below"""
        try:
            hold(*args)
            pause(self.rng)
            yield
        finally:
            self.release()
            self.stack.disarm()
            self.pool.shutdown(wait=True)

    def request(self, act: str, point: str) -> None:
        """Anew where a worker is not yet back at PostgreSQL: 503."""
        self.until(act)
        self.stack.arm(point)

        def caught():
            self.pid = self.pid or self.stack.trapped()
            if not self.pid and (self.first is None or self.first.done()):
                self.first = self.pool.submit(self.post, act)
            return self.pid

        wait_for(caught, f"a worker to stop at {point}")

    def call(self, point: str) -> None:
        """accepted: the provider has it, and its answer is under way"""
        self.until("approval")
        if self.refused:
            self.payer.fault(self.item, "send", "refuse", sticky=True)
        if point.endswith(BEGIN):
            self._claim(point)
            return
        accepted = point == "accepted"
        point = "before-payout_send" if accepted else point
        self._catch(point)
        if accepted:
            self._accepted()
        self.struck = self.last()[2]

    def message(self, point: str) -> None:
        self.until("approval")
        self.stack.arm(point)
        self.insist("approval")
        self.pid = self.stack.caught()
        self.struck = self.last()[2]

    def run(self) -> None:
        """A schedule's run, in the middle of its transaction: somebody else
        has the wallet until release()."""
        assert self.stack.value(SCHEDULE, self.seller) == "stored"
        self.lock = psycopg2.connect(self.stack.values["PG_ADMIN_DSN"])
        with self.lock.cursor() as cursor:
            cursor.execute(
                "SELECT FROM pay.wallet WHERE seller_account = %s FOR UPDATE",
                (self.seller,),
            )
        self.stack.sql(DUE, self.seller)
        wait_for(lambda: self.stack.sql(WAITING), "the run to wait")
        self.asked.clear()

    def made_by_run(self) -> None:
        """One item, in a batch that somebody approves."""
        made = wait_for(
            lambda: self.stack.sql(
                "SELECT p.payout_id, b.batch_id, encode(b.hash, 'hex') "
                "FROM pay.payout p JOIN pay.payout_batch b "
                "USING (merchant_id, batch_id) WHERE p.seller_account = %s",
                self.seller,
            ),
            "the item of the run",
            PATIENCE_S,
        )
        ((self.item, batch, digest),) = made
        self.payer.payctl("approve", batch, "--hash", digest, "--who", "ann")

    def last(self) -> tuple:
        """The last call: its name, its step and its number."""
        rows = self.stack.sql(LAST, self.item)
        return rows[0] if rows else ("", -1, 0)

    def is_there(self) -> bool:
        call, step, _ = self.last()
        return call == "send" and step >= self.step

    def _catch(self, point: str) -> None:
        """The worker that comes to the hook with the wanted call."""
        self.stack.arm(point)
        self.insist("approval")
        while True:
            self.pid = self.stack.caught()
            if self.is_there():
                return
            self.stack.arm(point)
            self.stack.go_on(self.pid)

    def _claim(self, point: str) -> None:
        """Workers look for calls all the time: the others stand still, so
        that this one claims the item."""
        hook = f"before-{BEGIN}"
        self.stack.arm(hook)
        self.pid = self.stack.caught()
        self.approve_alone()
        if point == hook:
            return
        while True:
            self.stack.arm(point)
            self.stack.go_on(self.pid)
            assert self.stack.caught() == self.pid
            if self.is_there():
                self.struck = self.last()[2]
                return

    def approve_alone(self) -> None:
        """By the database: the others serve no request."""
        self.others = [p for p in self.stack.generation() if p != self.pid]
        for pid in self.others:
            self.stack.freeze(pid)
        self.asked.remove("approval")
        batch = self.shown["batch"]
        self.payer.payctl(
            "approve", batch["batch_id"], "--hash", batch["hash"],
            "--who", "ann",
        )  # fmt: skip

    def _accepted(self) -> None:
        fault, kind = MOVES[self.provider][self.step]
        self.payer.fault(self.item, fault, "hold")
        self.stack.go_on(self.pid)
        wait_for(
            lambda: kind in [e["kind"] for e in self.payments()],
            f"{self.provider} to accept",
        )
        self.stack.freeze(self.pid)
        self.stack.mock.release()

    def payments(self) -> list[dict]:
        return self.payer.payments(self.item)

    def release(self) -> None:
        if not self.released:
            self.released = True
            if self.lock:
                with contextlib.suppress(psycopg2.Error):
                    self.lock.rollback()
                self.lock.close()
            for pid in (self.pid, *self.others):
                if pid:
                    self.stack.go_on(pid)

    # The end.

    def finish(self) -> None:
        """It goes through, and everyone tells the same story."""
        for act in self.asked:
            self.insist(act)
        self.becomes("paid")
        self.payer.expect_paid_once(self.item)
        self.agrees("payout_reserved", "payout_sent")

    def is_refused(self) -> None:
        """The provider has said so.  Where nobody has heard it, the key runs
        out and the payment is looked for."""
        self.becomes("failed", KEY_OVER)
        assert self.payer.paid(self.item) is None, self.story()
        self.agrees("payout_reserved", "payout_released")

    def becomes(self, state: str, *hurries: str) -> None:
        """hurries: statements that make the time of something come"""

        def is_so():
            self.hurry(*hurries)
            return self.payer.state(self.item) == state

        try:
            wait_for(is_so, f"the item to be {state}", PATIENCE_S)
        except AssertionError as why:
            raise AssertionError(f"{why}: {self.story()}") from None

    def hurry(self, *hurries: str) -> None:
        self.stack.sql(LEASE_OVER, self.item, self.struck)
        for each in (DUE_NOW, *hurries):
            self.stack.sql(each, self.item)

    def agrees(self, *booked: str) -> None:
        """The ledger, the wallet, and messages that nobody has lost."""
        assert self.payer.booked(self.item) == [*booked], self.story()
        books_hold(self.stack)
        key = self.payer.item_key(self.item)
        wait_for(
            lambda: all(
                each["state"] == "delivered"
                for each in self.stack.mock.books()["webhooks"]
                if each["token"] == key
            ),
            "the provider's messages to be taken",
            PATIENCE_S,
        )

    def story(self) -> str:
        payer, item = self.payer, self.item
        return (
            f"{payer.provider(item)}: {payer.state(item)}, "
            f"{payer.journal(item)}, {payer.told(item)}, "
            f"{payer.booked(item)}, at the provider: {payer.paid(item)}"
        )
