"""A refund, a capture and their webhooks while workers and PostgreSQL die
around each step: whatever was heard, the storefront asks again with its key,
and in the end the change was made once, booked once, and sent once.

The rows of these moments are no part of the payment's matrix
(docs/reliability.md): a change has steps of its own.
"""

import contextlib
import random
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from rig import faults
from rig.sale import pause
from support.own_stack import new_id, wait_for
from support.sold import Sold, books_hold

PATIENCE_S = 30
STRIKES = {
    "kill-worker": faults.kill_worker,
    "kill-all": faults.kill_all,
    "kill-postgres": faults.kill_postgres,
}
# Where the worker stands still; `accepted`: the PSP has done it and its
# answer is under way.
STEPS = (
    "before-begin_change",
    "after-begin_change",
    "before-begin_dispatch",
    "after-begin_dispatch",
    "before-{what}",
    "accepted",
    "after-{what}",
    "before-end_dispatch",
    "after-end_dispatch",
)
HOOKS = ("before-apply_change", "after-apply_change")
WHAT = {"refund": ("refunds", {}), "capture": ("capture", {})}


class Asking:
    """A change that is asked for with one key until its end is known."""

    def __init__(self, stack, made: Sold, what: str):
        self.stack, self.made, self.what = stack, made, what
        self.key = new_id()
        self.pid = 0
        self.released = False
        self.is_over = False
        self.pool = ThreadPoolExecutor(1)
        self.first = None

    def post(self):
        """The answer, or None when the connection broke."""
        body = {"amount": "5.00", "currency": "USD"}
        path = f"/v1/payments/{self.made.order_id}/{WHAT[self.what][0]}"
        with self.stack.client() as http:
            try:
                return http.post(
                    path, json=body, headers=self.stack.headers(self.key)
                )
            except httpx.TransportError:
                return None

    def post_and_be_held(self):
        """Anew where a worker, after the test before, is not yet back at
        PostgreSQL: 503, and nobody has stood still.
        """
        while True:
            answer = self.post()
            if answer is None or answer.status_code != 503:
                return answer
            if self.pid or self.is_over:
                return answer

    @contextlib.contextmanager
    def held(self, step: str, rng):
        accepted = step == "accepted"
        point = "before-{what}" if accepted else step
        self.stack.arm(point.format(what=self.what))
        if accepted:
            self.stack.mock.faults({"operation": self.what, "kind": "hold"})
        try:
            self.first = self.pool.submit(self.post_and_be_held)
            self.pid = self.stack.caught()
            if accepted:
                self.stack.go_on(self.pid)
                wait_for(self.deeds, "the PSP to accept")
                self.stack.freeze(self.pid)
                self.stack.mock.release()
            pause(rng)
            yield
        finally:
            self.is_over = True
            self.release()
            self.stack.disarm()
            self.pool.shutdown(wait=True)

    def release(self) -> None:
        if self.pid and not self.released:
            self.released = True
            self.stack.go_on(self.pid)

    def deeds(self) -> list[dict]:
        return self.made.deeds(self.what)

    def insist(self) -> dict:
        """Asks with the same key until it has been done."""

        def done():
            self.stack.jobs_now(self.made.id)
            answer = self.post()
            if answer is None or answer.status_code in (429, 503):
                return None
            assert answer.status_code in (201, 202), answer.text
            shown = answer.json()
            assert shown["status"] != "FAILED", shown
            return shown if shown["status"] == "SUCCESS" else None

        return wait_for(done, f"the {self.what}", PATIENCE_S)


def sold(stack, rng, what: str) -> Sold:
    more = {"capture": "manual"} if what == "capture" else {}
    psp = rng.choice(("generic", "stripe"))
    return Sold.paid(stack, psp, **more)


def check(asking: Asking) -> None:
    made = asking.made
    (deed,) = asking.deeds()
    assert (deed["amount_minor"], deed["status"]) == (500, "done")
    entry = "refund" if asking.what == "refund" else "sale"
    assert made.entries().count((entry, 500)) == 1
    rows = asking.stack.sql(
        "SELECT status FROM pay.change WHERE checkout_id = %s", made.id
    )
    assert rows == [("SUCCESS",)]
    books_hold(asking.stack)
    wait_for(
        lambda: all(
            each["state"] == "delivered"
            for each in asking.stack.mock.books(token=made.token)["webhooks"]
        ),
        "the webhooks to be taken",
        PATIENCE_S,
    )
    made.agree()


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("strike", STRIKES)
def test_a_change_is_made_once(stack, strike, step, what, seed):
    rng = random.Random(f"change/{strike}/{step}/{what}/{seed}")
    asking = Asking(stack, sold(stack, rng, what), what)
    with asking.held(step, rng):
        with STRIKES[strike](asking):
            asking.release()
            answer = asking.first.result(PATIENCE_S)
            if answer is not None:
                assert answer.status_code in (201, 202, 503), answer.text
    asking.insist()
    check(asking)


@pytest.mark.parametrize("step", HOOKS)
@pytest.mark.parametrize("strike", STRIKES)
def test_a_refund_that_the_psp_tells_of_is_booked_once(
    stack, strike, step, seed
):
    rng = random.Random(f"told/{strike}/{step}/{seed}")
    made = sold(stack, rng, "refund")
    asking = Asking(stack, made, "refund")
    stack.arm(step)
    made.at_psp("refund", amount_minor=500)
    try:
        asking.pid = stack.caught()
        pause(rng)
        with STRIKES[strike](asking):
            asking.release()
    finally:
        asking.release()
        stack.disarm()
    made.reaches(amount_refunded="5.00")
    assert made.booked() == [("refund_external", 500), ("sale", 1234)]
    made.agree()


@pytest.mark.parametrize("kind", ("answer-lost", "reset", "hangs", "500"))
@pytest.mark.parametrize("what", WHAT)
def test_an_open_outcome_is_found_out(stack, kind, what, seed):
    """202, then the same key again: the PSP did it once."""
    rng = random.Random(f"open/{kind}/{what}/{seed}")
    made = sold(stack, rng, what)
    asking = Asking(stack, made, what)
    spoilt = {
        "answer-lost": {"kind": "drop_after_accept", "times": 3},
        "reset": {"kind": "drop", "times": 3},
        "hangs": {"kind": "delay", "ms": 1400},
        "500": {"kind": "status", "status": 503},
    }[kind]
    stack.mock.faults({"operation": what, "nonce": made.nonce} | spoilt)
    answer = asking.post()
    assert answer.status_code in (201, 202), answer.text
    stack.mock.clear_faults()
    asking.insist()
    check(asking)
