"""PostgreSQL fails over (docs/reliability.md): the primary dies, its standby
is promoted, and the gateway goes on by itself with all it has acknowledged.
What takes no writes gets none.  The tests build on each other: the second is
of the state that the first has left.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.events import message, outcome, slug
from support.own_stack import QUICK_JOBS, Checkout, OwnStack, new_id, wait_for
from support.pg_pair import Pair

SHOPS = 4
# of nginx.conf: two workers with two connections each
CONNECTIONS = "\npayments_db_connections 4\n"


@pytest.fixture(scope="module")
def failing():
    """A stack of its own: its primary will be dead at the end."""
    made = OwnStack()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def pair(failing):
    made = Pair(failing)
    failing.configure(QUICK_JOBS, made.edit())
    try:
        yield made
        failing.check_invariants()
    finally:
        made.second.stop()


class Shops:
    """Storefronts that sell all the time and note what they were told."""

    def __init__(self, stack):
        self.stack = stack
        self.told = []  # body, key, status
        self.stop = threading.Event()
        self.pool = ThreadPoolExecutor(SHOPS)
        self.work = [self.pool.submit(self.sell) for _ in range(SHOPS)]

    def sell(self) -> None:
        while not self.stop.is_set():
            body, key = self.stack.order(), new_id()
            try:
                status = self.stack.post(body, key).status_code
            except httpx.TransportError:
                status = 0
            self.told.append((body, key, status))

    def statuses(self) -> set[int]:
        return {status for _, _, status in self.told}

    def close(self) -> None:
        self.stop.set()
        for each in self.work:
            each.result()
        self.pool.shutdown()


def all_work(stack) -> bool:
    """Each connection of each worker: ten payments in a row, over links of
    their own, so that either worker gets some, and none has to be reopened."""
    for _ in range(10):
        with stack.client() as http:
            if stack.post(stack.order(), client=http).status_code != 201:
                return False
    return CONNECTIONS in stack.http.get("/metrics").text


def writes_go_to(pair, server) -> None:
    """One ready answer is one worker's; the others may not be back yet."""
    wait_for(lambda: all_work(pair.stack), "every connection to work")
    for _ in range(10):
        body = pair.stack.order()
        answer = pair.stack.post(body)
        assert answer.status_code == 201, answer.text
        assert server.sql(
            "SELECT count(*) FROM pay.checkout WHERE checkout_id = %s",
            body["checkout_id"],
        ) == [(1,)]


def test_a_promoted_standby_is_found_and_nothing_is_lost(failing, pair):
    stack = failing
    paid = stack.created()
    shops = Shops(stack)
    try:
        wait_for(lambda: 201 in shops.statuses(), "payments")
        pair.first.kill()
        wait_for(lambda: 503 in shops.statuses(), "a refusal")
        before = len(shops.told)
        pair.promote()
        pair.point_stack_at(pair.second)
        wait_for(
            lambda: 201 in {each[2] for each in shops.told[before:]},
            "payments at the promoted standby",
        )
    finally:
        shops.close()
    assert shops.statuses() <= {201, 202, 503}
    acknowledged = [body for body, _, status in shops.told if status < 300]
    stored = {
        each for (each,) in stack.sql("SELECT checkout_id FROM pay.checkout")
    }
    assert {body["checkout_id"] for body in acknowledged} <= stored
    wait_for(lambda: all_work(stack), "every connection to work")
    assert outcome(message(paid, "paid").send()) == "applied"
    settle(stack, [each for each in shops.told if each[2] >= 500][:20])
    writes_go_to(pair, pair.second)


def settle(stack, refused) -> None:
    """Whoever was refused gets there with the same key, and once."""
    for body, key, _ in refused:

        def done(body=body, key=key):
            stack.jobs_now(body["checkout_id"])
            answer = stack.post(body, key)
            return answer if answer.status_code == 201 else None

        made = Checkout(stack, body, wait_for(done, "the payment", 30))
        books = stack.mock.books(nonce=made.nonce)
        assert len(books["registrations"]) == 1


def test_an_old_primary_that_comes_back_as_a_standby_gets_no_writes(
    failing, pair
):
    """It is the first in the list: every new connection asks it first."""
    (pair.first.data / "standby.signal").touch()
    pair.first.start()
    assert pair.first.answers("SELECT pg_is_in_recovery()") is True
    held = pair.first.sql("SELECT count(*) FROM pay.checkout")
    pair.second.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE usename = 'payments_gateway'"
    )
    writes_go_to(pair, pair.second)
    assert pair.first.sql("SELECT count(*) FROM pay.checkout") == held
    pair.first.stop()


def test_a_server_that_becomes_read_only_is_503_and_recovers(failing, pair):
    """25006: without effect, and no PSP hears of it."""
    stack = failing
    made = stack.created()
    pair.second.set("default_transaction_read_only", "on")
    body, key = stack.order(), new_id()

    def refused():
        answer = stack.post(body, key)
        return answer if answer.status_code == 503 else None

    answer = wait_for(refused, "a refusal")
    assert slug(answer) == "dependency-unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.elapsed.total_seconds() < 3
    assert message(made, "paid").send().status_code == 503
    fresh = stack.order()
    assert stack.post(fresh).status_code == 503
    nonce = fresh["payment_orders"][0]["payment_order_id"]
    assert stack.mock.calls(nonce) == []
    pair.second.reset("default_transaction_read_only")
    writes_go_to(pair, pair.second)

    def answered():
        """Begun before the server changed, it is in progress until its lease
        ends, then with a job (202); nothing else may be said of it."""
        again = stack.post(body, key)
        if again.status_code not in (201, 202):
            assert slug(again) == "idempotency-in-progress", again.text
        return again.status_code == 201

    wait_for(answered, "the answer to the request that was refused")
