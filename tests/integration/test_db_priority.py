"""What goes to PostgreSQL first when there is too much of it: webhooks and
what ends a call to a PSP, then what somebody waits for, then jobs; but nobody
waits for ever.  One connection, one call at a time, and a lock that holds it
up while the queue fills; the access log is the order of the answers.
"""

import contextlib
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from support import changes
from support.events import message, slug
from support.own_stack import QUICK_JOBS, wait_for

ONE_WORKER = ("worker_processes        2;", "worker_processes        1;")
NO_JOBS = (QUICK_JOBS[0], QUICK_JOBS[1].replace(" on interval=100ms", " off"))
# a job that is due and a look at a PSP's list are flows too, and these
# tests count flows: of jobs only the claims are left.  Tells which of them a
# worker has, whose flow counts and may set its own time.
NOT_DUE = """
UPDATE pay.job SET run_at = now() + interval '1 hour'
RETURNING lease_until > now()
"""
NO_LISTS = tuple(
    (f"adapter            {name};", f"adapter {name}; backfill off;")
    for name in ("stripe", "generic", "paypal")
)
ENDPOINTS = "payments_webhook_endpoints hosts=loopback"
OLD = "connections=2 batch=256 queue=4096"
SINCE = """
SELECT query_start FROM pg_stat_activity WHERE wait_event_type = 'Lock'"""
LOCK = "LOCK TABLE pay.payment_order IN ACCESS EXCLUSIVE MODE"
READS = 4
REJECTED = "payments_db_rejected_total"


def narrow(queue: int, wait: str) -> tuple[str, str]:
    return OLD, f"connections=1 batch=1 queue={queue} timeout=60s wait={wait}"


@pytest.fixture(autouse=True)
def restored(own_stack):
    yield
    own_stack.configure()


def metric(stack, name: str) -> int:
    text = stack.http.get("/metrics").text
    return int(re.search(rf"^{name} (\d+)$", text, re.MULTILINE)[1])


def under_way(stack) -> int:
    return metric(stack, "payments_flows_in_flight")


class Jam:
    """The only connection waits for a lock; what comes then queues up."""

    def __init__(self, stack):
        self.stack = stack
        self.held, self.other = stack.created(), stack.created()
        self.log = stack.gateway.access_log
        self.begin = self.log.stat().st_size
        self.flows = 0
        self.calls = []

    @contextlib.contextmanager
    def __call__(self):
        # a killed worker of another test may have had a lease
        wait_for(self.is_quiet, "the end of all flows", 60)
        link = psycopg2.connect(self.stack.values["PG_ADMIN_DSN"])
        with ThreadPoolExecutor(40) as self.pool:
            try:
                with link.cursor() as cursor:
                    cursor.execute(
                        "SELECT 1 FROM pay.checkout WHERE checkout_id = %s "
                        "FOR UPDATE",
                        (self.held.id,),
                    )
                self.webhook(self.held)
                wait_for(self.is_stuck, "the webhook to wait")
                yield self
            finally:
                link.rollback()
                link.close()

    def is_quiet(self) -> bool:
        leased = [has for (has,) in self.stack.sql(NOT_DUE) if has]
        return not leased and under_way(self.stack) == 0

    def is_stuck(self) -> bool:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = %s"
        return bool(self.stack.sql(waiting, "Lock"))

    def add(self, send) -> None:
        self.calls.append(self.pool.submit(send))
        self.flows += 1
        wait_for(lambda: under_way(self.stack) == self.flows, "it to queue")

    def webhook(self, made) -> None:
        self.add(message(made, "paid").send)

    def read(self) -> None:
        path = f"/v1/payments/{self.other.order_id}"
        self.add(lambda: self.stack.get(path))

    def order(self) -> list[str]:
        """The routes of the answers, in order."""
        for each in self.calls:
            assert each.result().status_code == 200
        wanted = ("/webhooks/*", "/v1/payments/*")

        def all_there():
            with self.log.open() as log:
                log.seek(self.begin)
                lines = [json.loads(line) for line in log]
            routes = [each["route"] for each in lines]
            found = [each for each in routes if each in wanted]
            return found if len(found) == len(self.calls) else None

        return wait_for(all_there, "the log")


def test_a_webhook_overtakes_reads(stack):
    stack.configure(ONE_WORKER, NO_JOBS, narrow(4096, "30s"))
    with Jam(stack)() as jam:
        for _ in range(READS):
            jam.read()
        jam.webhook(jam.other)
    assert jam.order() == ["/webhooks/*"] * 2 + ["/v1/payments/*"] * READS


def test_what_has_waited_for_half_of_its_time_is_not_overtaken(stack):
    stack.configure(ONE_WORKER, NO_JOBS, narrow(4096, "10s"))
    with Jam(stack)() as jam:
        for _ in range(READS):
            jam.read()
        # half of ten seconds; the lock is waited for until 15 are over
        aged = stack.value("SELECT clock_timestamp() + '5100ms'::interval")
        wait_for(
            lambda: stack.value("SELECT clock_timestamp() > %s", aged),
            "the reads to be old",
        )
        jam.webhook(jam.other)
    want = ["/webhooks/*", *["/v1/payments/*"] * READS, "/webhooks/*"]
    assert jam.order() == want


def test_calls_of_one_operation_wait_for_each_other_but_not_long(stack):
    stack.configure(ONE_WORKER, NO_JOBS)
    gaps = [gap_between_two(stack) for _ in range(5)]
    # kept back for 50 ms; what else takes time on the way comes in between
    assert max(gaps) >= 0.045, gaps


def test_reads_do_not_wait_for_each_other(stack):
    stack.configure(ONE_WORKER, NO_JOBS)
    made = stack.created()

    def gap() -> float:
        with ThreadPoolExecutor(2) as pool, held(stack, LOCK) as link:
            calls = []
            for number in (1, 2):
                path = f"/v1/payments/{made.order_id}"
                calls.append(pool.submit(stack.get, path))
                wait_for(
                    lambda number=number: len(stack.sql(SINCE)) == number,
                    f"{number} to wait",
                )
            (first,), (second,) = sorted(stack.sql(SINCE))
            link.rollback()
            assert [each.result().status_code for each in calls] == [200] * 2
        return (second - first).total_seconds()

    # one that is kept back is so for 50 ms, each time
    assert min(gap() for _ in range(8)) < 0.045


def gap_between_two(stack) -> float:
    """Seconds from a webhook's start in PostgreSQL, where it waits for a lock,
    to that of another one that comes at once."""
    made = [stack.created(), stack.created()]
    with ThreadPoolExecutor(2) as pool, lock(stack, *made) as link:
        calls = []
        for number, each in enumerate(made, 1):
            calls.append(pool.submit(message(each, "paid").send))
            wait_for(
                lambda number=number: len(stack.sql(SINCE)) == number,
                f"{number} to wait",
            )
        (first,), (second,) = sorted(stack.sql(SINCE))
        link.rollback()
        assert [each.result().status_code for each in calls] == [200] * 2
    return (second - first).total_seconds()


def test_a_job_never_takes_the_last_connection(stack):
    patient = OLD, f"{OLD} timeout=60s wait=30s"
    stack.configure(ONE_WORKER, QUICK_JOBS, patient)
    made = stack.created()

    def claims():
        name = 'payments_db_calls_total{op="claim_jobs",result="ok"}'
        return metric(stack, re.escape(name))

    with ThreadPoolExecutor(1) as pool, lock(stack, made) as link:
        call = pool.submit(message(made, "paid").send)
        wait_for(lambda: stack.sql(SINCE), "it to wait")
        before = claims()
        until = stack.value("SELECT clock_timestamp() + '1s'::interval")
        while not stack.value("SELECT clock_timestamp() > %s", until):
            path = f"/v1/payments/{made.order_id}"
            assert stack.get(path).status_code == 200
        # ten more were due; one may have been on its way
        assert claims() <= before + 1
        link.rollback()
        assert call.result().status_code == 200
    wait_for(lambda: claims() > before + 1, "jobs to go on")


def test_the_claim_of_a_delivery_waits_for_the_last_connection(stack):
    """But only while requests come: the only slot asks for a delivery every
    10 ms, and each claim waits for 50 ms beside a connection that is out."""
    stack.configure(
        ONE_WORKER,
        (ENDPOINTS, ENDPOINTS + " concurrency=1 interval=10ms"),
        (OLD, f"{OLD} timeout=60s wait=30s"),
    )
    made, read = stack.created(), stack.created().order_id
    name = re.escape('payments_db_calls_total{op="begin_delivery",result="ok"}')

    def in_a_second(meanwhile) -> float:
        begun, before = time.monotonic(), metric(stack, name)
        while time.monotonic() - begun < 1:
            meanwhile()
        claims = metric(stack, name) - before
        return claims / (time.monotonic() - begun)

    def ask():
        assert stack.get(f"/v1/payments/{read}").status_code == 200

    with ThreadPoolExecutor(1) as pool, lock(stack, made) as link:
        call = pool.submit(message(made, "paid").send)
        wait_for(lambda: stack.sql(SINCE), "it to wait")
        asked = in_a_second(ask)
        quiet = in_a_second(lambda: time.sleep(0.01))
        link.rollback()
        assert call.result().status_code == 200
    # a second has room for 20 such waits, and for 80 claims without
    assert asked <= 25, (asked, quiet)
    assert quiet > asked * 1.5, (asked, quiet)


def test_a_refund_finds_room_where_a_read_finds_none(stack):
    """And goes first: it is about money that exists."""
    stack.configure(ONE_WORKER, NO_JOBS, narrow(4, "30s"))
    paid = changes.paid(stack)
    with Jam(stack)() as jam:
        for _ in range(4):
            jam.read()
        answer = stack.get(f"/v1/payments/{jam.other.order_id}")
        assert slug(answer) == "overloaded"
        taken = under_way(stack)
        refund = jam.pool.submit(
            changes.send, paid, "refunds", {"amount": "1.00"}
        )
        wait_for(lambda: under_way(stack) > taken, "the refund to queue")
        assert not refund.done()
    assert refund.result().status_code in (201, 202)
    for each in jam.calls:
        assert each.result().status_code == 200


def test_jobs_find_the_queue_full_first_and_webhooks_last(stack):
    """Of 8 places jobs take 4 at most, reads the rest, webhooks as many
    again."""
    stack.configure(ONE_WORKER, QUICK_JOBS, *NO_LISTS, narrow(8, "30s"))
    with Jam(stack)() as jam:
        before = metric(stack, REJECTED)
        wait_for(lambda: metric(stack, REJECTED) > before, "a job's refusal")
        path = f"/v1/payments/{jam.other.order_id}"
        reads = [jam.pool.submit(stack.get, path) for _ in range(12)]

        def refused():
            done = [each.result() for each in reads if each.done()]
            return done if len(done) >= 12 - 4 else None

        answers = wait_for(refused, "reads that find no room")
        assert {answer.status_code for answer in answers} == {503}
        assert {slug(answer) for answer in answers} == {"overloaded"}
        assert len(answers) < 12
        taken = under_way(stack)
        late = jam.pool.submit(message(jam.other, "paid").send)
        wait_for(lambda: under_way(stack) > taken, "the webhook to queue")
        assert not late.done()
    for each in [late, *jam.calls]:
        assert each.result().status_code == 200
    for each in reads:
        assert each.result().status_code in (200, 503)


def lock(stack, *checkouts):
    """A transaction that has them until its rollback()."""
    return held(
        stack,
        "SELECT 1 FROM pay.checkout WHERE checkout_id = ANY (%s) FOR UPDATE",
        [made.id for made in checkouts],
    )


def held(stack, statement, *values):
    link = psycopg2.connect(stack.values["PG_ADMIN_DSN"])
    with link.cursor() as cursor:
        cursor.execute(statement, values)
    return contextlib.closing(link)


def test_what_failed_beside_others_waits_anew(stack):
    """Two of one batch meet a lock: each goes alone then, one behind the
    other, and neither has waited too long by what was tried before.

    A lock is waited for until a quarter of timeout= is over, here 5 s, which
    is longer than wait=: without a new start the one behind is refused as soon
    as the batch has failed.  Each step of this test has seconds to be in time:
    it once had to hit the 300 ms between two limits, and missed them on a
    busy machine."""
    words = "connections=1 batch=4 queue=4096 timeout=20s wait=4s"
    stack.configure(ONE_WORKER, NO_JOBS, (OLD, words))
    made = [stack.created() for _ in range(3)]
    calls = []

    def another(then):
        ((begun,),) = wait_for(
            lambda: stack.sql(f"{SINCE} AND query_start > %s", then),
            "another one to wait",
        )
        return begun

    with (
        ThreadPoolExecutor(3) as pool,
        lock(stack, *made[1:]) as pair,
        lock(stack, made[0]) as first,
    ):
        for number, each in enumerate(made, 1):
            calls.append(pool.submit(message(each, "paid").send))
            wait_for(lambda n=number: under_way(stack) == n, "it to queue")
        since = another("2000-01-01")
        first.rollback()
        since = another(since)  # both of them, as one batch
        alone = another(since)  # one of them alone
        # as long as it takes to refuse the other, and many times over
        late = "SELECT clock_timestamp() > %s::timestamptz + '500ms'"
        wait_for(lambda: stack.value(late, alone), "the other to be refused")
        assert not any(call.done() for call in calls[1:])
        pair.rollback()
        assert [call.result().status_code for call in calls] == [200] * 3
