"""A checkout that replaces another one, while workers and PostgreSQL die around
each step and answers of the PSP get lost: the storefront asks again with its
key, at no moment can a buyer pay on two pages, and in the end there is one.

The new page is paid then: a checkout that was lost would not be.
"""

import contextlib
import random
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from rig import faults
from rig.sale import pause
from support.own_stack import Checkout, new_id, wait_for

PATIENCE_S = 30
STRIKES = {
    "kill-worker": faults.kill_worker,
    "kill-all": faults.kill_all,
    "kill-postgres": faults.kill_postgres,
}
# Where the worker stands still; `closed`: the PSP has closed the old page and
# its answer is under way.
STEPS = (
    "before-begin_payment",
    "after-begin_payment",
    "before-begin_dispatch",
    "after-begin_dispatch",
    "before-expire",
    "closed",
    "after-expire",
    "before-end_dispatch",
    "after-end_dispatch",
    "before-release_replacement",
    "after-release_replacement",
    "before-register",
    "after-register",
    "before-store_token",
    "after-store_token",
)
CLOSED = ("expired", "cancelled", "canceled")


def created(stack, psp: str) -> Checkout:
    """From a worker that has its database again, after the test before."""
    body, key = stack.order(psp), new_id()

    def there():
        answer = stack.post(body, key)
        assert answer.status_code in (201, 503), answer.text
        return answer if answer.status_code == 201 else None

    return Checkout(stack, body, wait_for(there, "the old page"))


class Replacing:
    """A checkout that is asked for with one key until it has a page."""

    def __init__(self, stack, rng):
        self.stack = stack
        psps = ("generic", "stripe")
        self.old = created(stack, rng.choice(psps))
        self.token = self.old.token
        self.body = stack.order(rng.choice(psps)) | {"replaces": self.old.id}
        self.new = Checkout(stack, self.body, None)
        self.key = new_id()
        self.pid = 0
        self.released = False
        self.is_over = False
        self.pool = ThreadPoolExecutor(1)
        self.first = None

    def post(self):
        """The answer, or None when the connection broke."""
        with self.stack.client() as http:
            try:
                return self.stack.post(self.body, self.key, client=http)
            except httpx.TransportError:
                return None

    def post_and_be_held(self):
        """Anew where a worker is not yet back at PostgreSQL: 503, and nobody
        has stood still."""
        while True:
            answer = self.post()
            if answer is None or answer.status_code != 503:
                return answer
            if self.pid or self.is_over:
                return answer

    @contextlib.contextmanager
    def held(self, step: str, rng):
        closed = step == "closed"
        self.stack.arm("before-expire" if closed else step)
        if closed:
            self.stack.mock.faults({"operation": "expire", "kind": "hold"})
        try:
            self.first = self.pool.submit(self.post_and_be_held)
            self.pid = self.stack.caught()
            if closed:
                self.stack.go_on(self.pid)
                wait_for(self.is_closed, "the PSP to close the old page")
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

    # What the PSP has.

    def is_closed(self) -> bool:
        (row,) = self.stack.mock.books(token=self.token)["registrations"]
        return row["status"] in CLOSED

    def pages(self) -> list[dict]:
        """Registrations of the new checkout."""
        nonce = self.body["payment_orders"][0]["payment_order_id"]
        return self.stack.mock.books(nonce=nonce)["registrations"]

    def look(self) -> None:
        """Never two pages: the new one first, as the old one cannot be opened
        again in between."""
        if self.pages():
            assert self.is_closed(), "two pages can be paid"

    # The end.

    def insist(self) -> dict:
        """Asks with the same key until there is a page."""

        def there():
            self.look()
            self.stack.jobs_now(self.old.id)
            self.stack.jobs_now(self.new.id)
            self.expire_leases()
            answer = self.post()
            self.look()
            if answer is None or answer.status_code in (202, 429, 503):
                return None
            assert answer.status_code == 201, answer.text
            return answer.json()

        return wait_for(there, "the new page", PATIENCE_S)

    def expire_leases(self) -> None:
        """Instead of waiting, under the locks of whoever is at it."""
        self.stack.sql(
            "SELECT FROM pay.checkout WHERE checkout_id IN (%s, %s) "
            "ORDER BY checkout_id FOR NO KEY UPDATE; "
            "UPDATE pay.checkout SET lease_until = now() "
            "WHERE checkout_id IN (%s, %s) AND first_call = 'OPEN'; "
            "UPDATE pay.dispatch SET lease_until = now() "
            "WHERE checkout_id IN (%s, %s) AND state = 'OPEN'",
            *(self.old.id, self.new.id) * 3,
        )

    def check(self) -> None:
        shown = self.insist()
        assert shown["redirect_url"]
        (page,) = self.pages()
        assert page["status"] == "open"
        assert self.is_closed()
        assert page["token"] == self.new.token
        self.closed_before_opened()
        assert self.old.states() == {("FAILED", "cancelled")}
        self.stack.mock.pay(page["token"])
        self.new.becomes("SUCCESS")
        assert self.old.states() == {("FAILED", "cancelled")}

    def closed_before_opened(self) -> None:
        """In the order in which the PSP was asked."""
        calls = self.stack.mock.books()["requests"]
        asked = [(call["operation"], call["nonce"]) for call in calls]
        nonce = self.body["payment_orders"][0]["payment_order_id"]
        opened = asked.index(("register", nonce))
        closers = [
            n
            for n, call in enumerate(calls)
            if call["operation"] == "expire" and call["token"] == self.token
        ]
        assert closers and closers[0] < opened, (closers, opened)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("strike", STRIKES)
def test_a_replacement_ends_in_one_page(stack, strike, step, seed):
    rng = random.Random(f"replace/{strike}/{step}/{seed}")
    replacing = Replacing(stack, rng)
    with replacing.held(step, rng):
        replacing.look()
        with STRIKES[strike](replacing):
            replacing.release()
            answer = replacing.first.result(PATIENCE_S)
            replacing.look()
            if answer is not None:
                assert answer.status_code in (201, 202, 503), answer.text
    replacing.check()


@pytest.mark.parametrize("kind", ("answer-lost", "reset", "hangs", "500"))
@pytest.mark.parametrize("what", ("expire", "register"))
def test_a_replacement_outlives_lost_answers(stack, what, kind, seed):
    rng = random.Random(f"replace-open/{what}/{kind}/{seed}")
    replacing = Replacing(stack, rng)
    spoilt = {
        "answer-lost": {"kind": "drop_after_accept", "times": 3},
        "reset": {"kind": "drop", "times": 3},
        "hangs": {"kind": "delay", "ms": 1400},
        "500": {"kind": "status", "status": 503},
    }[kind]
    stack.mock.faults({"operation": what} | spoilt)
    answer = replacing.post()
    assert answer.status_code in (201, 202), answer.text
    replacing.look()
    stack.mock.clear_faults()
    replacing.check()
