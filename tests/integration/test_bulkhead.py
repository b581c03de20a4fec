"""Caps on what is under way at once (payments_bulkhead), of a merchant and of
each class of work, in both workers together; what is dropped first, and what
never; and when those who are refused should come again.
"""

import contextlib
import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import changes
from support.events import message, slug
from support.own_stack import QUICK_JOBS, wait_for

ONE_WORKER = ("worker_processes        2;", "worker_processes        1;")
DATABASE = "connections=2 batch=256 queue=4096"
SLOW_MS = 15_000
PSP_TIME = ("connect=2s total=10s", "connect=2s total=60s")
SLEEP = """
CREATE FUNCTION public.slowly() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
CREATE TRIGGER slowly BEFORE INSERT ON pay.checkout
FOR EACH ROW EXECUTE FUNCTION public.slowly()
"""
AWAKE = """
DROP TRIGGER slowly ON pay.checkout;
DROP FUNCTION public.slowly
"""


@pytest.fixture(autouse=True)
def restored(own_stack):
    yield
    own_stack.configure()


def with_caps(stack, line: str, *more) -> None:
    jobs = "payments_jobs off;\n    "
    for old, new in more:
        if old == QUICK_JOBS[0]:
            jobs = new.removesuffix(QUICK_JOBS[0])
    edits = [each for each in more if each[0] != QUICK_JOBS[0]]
    stack.configure(
        PSP_TIME,
        ("payments_audience ",
         f"{jobs}payments_bulkhead {line};\n    payments_audience "),
        *edits,
    )  # fmt: skip


def refused(stack, work: str, reason: str) -> int:
    text = stack.http.get("/metrics").text
    name = "payments_bulkhead_refused_total"
    labels = rf'{{class="{work}",reason="{reason}"}}'
    return int(re.search(rf"^{name}{labels} (\d+)$", text, re.MULTILINE)[1])


def in_flight(stack, work: str = "intake") -> int:
    text = stack.http.get("/metrics").text
    name = "payments_bulkhead_in_flight"
    return int(
        re.search(rf'^{name}{{class="{work}"}} (\d+)$', text, re.MULTILINE)[1]
    )


class Slow:
    """Creates whose PSP takes its time."""

    def __init__(self, stack):
        self.stack = stack
        self.pool = ThreadPoolExecutor(64)
        self.calls = []

    def add(self, merchant: str = "") -> None:
        """One more, over a connection of its own; returns when the PSP has
        it."""
        body = self.stack.order()
        nonce = body["payment_orders"][0]["payment_order_id"]
        self.stack.mock.faults(
            {"operation": "register", "kind": "delay", "ms": SLOW_MS,
             "nonce": nonce}
        )  # fmt: skip
        self.calls.append(self.pool.submit(self.send, body, merchant))
        wait_for(lambda: self.stack.mock.calls(nonce), "the call to the PSP")

    def send(self, body, merchant):
        with self.stack.client() as http:
            return self.stack.post(body, merchant=merchant, client=http)

    def results(self) -> list[int]:
        return [each.result().status_code for each in self.calls]


@contextlib.contextmanager
def slow_creates(stack, n: int):
    slow = Slow(stack)
    try:
        for _ in range(n):
            slow.add()
        yield slow
    finally:
        slow.pool.shutdown(cancel_futures=True)


def turned_away(stack, merchant: str = "") -> None:
    with stack.client() as http:
        answer = stack.post(stack.order(), merchant=merchant, client=http)
    assert answer.status_code == 503, answer.text
    assert slug(answer) == "overloaded"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_merchant_has_its_places_in_all_workers_together(stack):
    with_caps(stack, "merchant=4")
    paid = changes.paid(stack)
    other = stack.created()
    before = refused(stack, "intake", "merchant")
    with slow_creates(stack, 4) as slow:
        assert in_flight(stack) == 4
        for _ in range(12):
            turned_away(stack)
        assert refused(stack, "intake", "merchant") == before + 12
        # its reads, too; another merchant has places of its own
        assert stack.get(f"/v1/payments/{other.order_id}").status_code == 503
        assert refused(stack, "read", "merchant") == 1
        answer = stack.post(stack.order(), merchant="OTHER_")
        assert answer.status_code == 201, answer.text
        # never what is about money that exists
        assert message(other, "paid").send().status_code == 200
        assert changes.send(paid, "refunds", {"amount": "1.00"}).is_success
        assert slow.results() == [201] * 4
    assert in_flight(stack) == 0
    assert stack.created().status() == "EXECUTING"


def test_a_dead_worker_holds_no_places(stack):
    stack.expected += ["exited on signal 9", "was locked by"]
    with_caps(stack, "merchant=3")
    with slow_creates(stack, 3) as slow:
        turned_away(stack)
        old = set(stack.generation())
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        wait_for(
            lambda: len(set(stack.workers()) - old) == 2, "the new workers"
        )
        wait_for(stack.is_ready, "the new workers to be ready")
        assert in_flight(stack) == 0
        assert stack.created().status() == "EXECUTING"
        for each in slow.calls:
            assert each.exception() is not None
    # what the dead had begun is a job's
    stack.mock.clear_faults()


def test_what_old_workers_hold_counts_after_a_reload(stack):
    """And the names go by themselves, whatever their number is."""
    with_caps(stack, "merchant=2")
    with slow_creates(stack, 2) as slow:
        stack.reload()
        assert in_flight(stack) == 2
        turned_away(stack)
        assert slow.results() == [201] * 2
    wait_for(lambda: in_flight(stack) == 0, "the old workers to be done")
    assert stack.created().status() == "EXECUTING"


def test_jobs_wait_first_then_creates_are_refused_then_nothing_more(stack):
    with_caps(stack, "intake=4", QUICK_JOBS)
    paid, other = changes.paid(stack), stack.created()
    with slow_creates(stack, 3) as slow:
        quiet = refused(stack, "job", "pressure")
        # jobs are claimed as ever
        claims = calls(stack, "claim_jobs")
        wait_for(lambda: calls(stack, "claim_jobs") > claims, "claims")
        assert refused(stack, "job", "pressure") == quiet
        slow.add()
        wait_for(
            lambda: refused(stack, "job", "pressure") > quiet, "the pressure"
        )
        before = refused(stack, "intake", "class")
        turned_away(stack)
        turned_away(stack, "OTHER_")
        assert refused(stack, "intake", "class") == before + 2
        # reads have places of their own, and a job goes on now and then
        assert other.status() == "EXECUTING"
        claims = calls(stack, "claim_jobs")
        wait_for(lambda: calls(stack, "claim_jobs") > claims, "a claim")
        assert message(other, "paid").send().status_code == 200
        assert changes.send(paid, "refunds", {"amount": "1.00"}).is_success
        booked = calls(stack, "check_books")
        wait_for(lambda: calls(stack, "check_books") > booked, "the books")
        assert refused(stack, "change", "class") == 0
        assert slow.results() == [201] * 4


def calls(stack, op: str) -> int:
    text = stack.http.get("/metrics").text
    name = rf'payments_db_calls_total{{op="{op}",result="ok"}}'
    return int(re.search(rf"^{name} (\d+)$", text, re.MULTILINE)[1])


def test_jobs_have_a_cap_of_their_own(stack):
    """Eight slots in each of two workers, one claim at a time."""
    with_caps(stack, "job=1", QUICK_JOBS)
    before = refused(stack, "job", "class")
    wait_for(lambda: refused(stack, "job", "class") > before, "a full tick")
    claims = calls(stack, "claim_jobs")
    wait_for(lambda: calls(stack, "claim_jobs") > claims + 5, "claims")
    assert stack.created().status() == "EXECUTING"


def test_reads_have_a_cap_of_their_own(stack):
    """A read that waits for a table; creates are not in its way."""
    with_caps(stack, "read=2")
    made = stack.created()
    path = f"/v1/payments/{made.order_id}"
    link = stack.sql  # opens it
    link("BEGIN")
    with ThreadPoolExecutor(2) as pool:
        try:
            link("LOCK TABLE pay.checkout IN ACCESS EXCLUSIVE MODE")
            reads = [pool.submit(stack.get, path) for _ in range(2)]
            wait_for(lambda: in_flight(stack, "read") == 2, "the reads")
            answer = stack.get(path)
        finally:
            link("ROLLBACK")
        assert answer.status_code == 503
        assert slug(answer) == "overloaded"
        assert {each.result().status_code for each in reads} <= {200, 503}
    assert refused(stack, "read", "class") >= 1
    assert made.status() == "EXECUTING"


def retry_after(stack, queue: int) -> int:
    """What is said to those who find a queue of that length full, at 20
    creates a second."""
    with_caps(
        stack,
        "merchant=0 intake=0 read=0",
        ONE_WORKER,
        (DATABASE, f"connections=1 batch=1 queue={queue} wait=30s"),
    )
    with ThreadPoolExecutor(queue + 40) as pool:
        stack.sql(SLEEP)
        try:
            sent = [
                pool.submit(stack.post, stack.order())
                for _ in range(queue + 40)
            ]
            answers = [each.result() for each in sent]
        finally:
            stack.sql(AWAKE)
    full = [each for each in answers if each.status_code == 503]
    assert full, "nobody was refused"
    assert {slug(each) for each in full} == {"overloaded"}
    assert {each.status_code for each in answers} == {201, 503}
    return max(int(each.headers["Retry-After"]) for each in full)


def test_a_longer_queue_says_to_come_again_later(stack):
    short = retry_after(stack, 10)
    long = retry_after(stack, 160)
    assert 1 <= short <= 3
    assert short + 2 <= long <= 60
