"""Deadlines of a request's stages (payments_stage_timeout): what was not sent
is refused and nothing has happened, what PostgreSQL has cancelled is rolled
back, what a PSP may have is found out; each stage is seen in the metrics.
"""

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from support.events import message, outcome, slug
from support.own_stack import new_id, wait_for

ONE_WORKER = ("worker_processes        2;", "worker_processes        1;")
DATABASE = "connections=2 batch=256 queue=4096"
STAGES = ("key", "routing", "psp", "ledger")
# PostgreSQL takes its time: no lock is waited for
SLOW = """
CREATE FUNCTION public.slowly() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(%s); RETURN NEW; END $$;
CREATE TRIGGER slowly BEFORE INSERT ON pay.checkout
FOR EACH ROW EXECUTE FUNCTION public.slowly()
"""
FAST = """
DROP TRIGGER slowly ON pay.checkout;
DROP FUNCTION public.slowly
"""


@pytest.fixture(autouse=True)
def restored(own_stack):
    yield
    own_stack.configure()


def staged(stack, line: str, database: str = DATABASE) -> None:
    """One worker without jobs, whose calls would be counted, too."""
    stack.configure(
        ONE_WORKER,
        (DATABASE, database),
        (
            "payments_audience ",
            "payments_jobs off;\n    "
            + (f"payments_stage_timeout {line};\n    " if line else "")
            + "payments_audience ",
        ),
    )
    # what an old worker has begun is counted, too
    wait_for(lambda: under_way(stack) == 0, "the end of all flows")


def under_way(stack) -> int:
    text = stack.http.get("/metrics").text
    return int(re.search(r"^payments_flows_in_flight (\d+)$", text, re.M)[1])


@contextlib.contextmanager
def slow_database(stack, seconds: float):
    stack.sql(SLOW, seconds)
    try:
        yield
    finally:
        stack.sql(FAST)


@contextlib.contextmanager
def held(stack, query: str, *args):
    """A transaction that has done this and does not end."""
    link = psycopg2.connect(stack.values["PG_ADMIN_DSN"])
    try:
        with link.cursor() as cursor:
            cursor.execute(query, args)
        yield
    finally:
        link.rollback()
        link.close()


def locked(stack, made):
    query = "SELECT 1 FROM pay.checkout WHERE checkout_id = %s FOR UPDATE"
    return held(stack, query, made.id)


def metric(stack, name: str, stage: str) -> float:
    text = stack.http.get("/metrics").text
    found = re.search(
        rf'^payments_stage_{name}{{stage="{stage}"}} ([\d.]+)$',
        text,
        re.MULTILINE,
    )
    assert found, f"no {name} of {stage}"
    return float(found[1])


def timeouts(stack) -> dict[str, float]:
    return {stage: metric(stack, "timeouts_total", stage) for stage in STAGES}


@contextlib.contextmanager
def ran_out(stack, **wanted: int):
    """The deadlines that ran out meanwhile, and no others."""
    before = timeouts(stack)
    yield
    after = timeouts(stack)
    found = {stage: after[stage] - before[stage] for stage in STAGES}
    assert found == {stage: wanted.get(stage, 0) for stage in STAGES}


def stored(stack, body: dict) -> list:
    query = "SELECT 1 FROM pay.checkout WHERE checkout_id = %s"
    return stack.sql(query, body["checkout_id"])


def nonce_of(body: dict) -> str:
    return body["payment_orders"][0]["payment_order_id"]


def in_time(stack, body: dict, key: str):
    """The answer to a create once the machine, which has others to serve,
    makes it within its stage."""

    def made():
        answer = stack.post(body, key)
        return None if answer.status_code == 503 else [answer]

    return wait_for(made, "a create in time")[0]


def seconds(answer) -> float:
    return answer.elapsed.total_seconds()


def test_each_stage_of_a_payment_is_measured(stack):
    staged(stack, "")

    def counts():
        return [metric(stack, "seconds_count", each) for each in STAGES]

    before = counts()
    made = stack.created()
    # store_token is the ledger's
    after = counts()
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 1]
    assert outcome(message(made, "paid").send()) == "applied"
    assert [b - a for a, b in zip(after, counts(), strict=True)] == [0, 0, 0, 1]


def test_routing_takes_next_to_no_time(stack):
    """Some microseconds, or some milliseconds by nginx' own clock; the best
    of ten, as the machine may give the worker's turn to another process."""
    staged(stack, "")

    def routing() -> float:
        before = metric(stack, "seconds_sum", STAGES[1])
        stack.created()
        return metric(stack, "seconds_sum", STAGES[1]) - before

    took = [routing() for _ in range(10)]
    assert min(took) > 0
    assert min(took) < 0.05


def test_the_look_at_risk_is_a_stage(stack):
    staged(stack, "risk=10s")

    def looks() -> int:
        text = stack.http.get("/metrics").text
        series = 'payments_stage_seconds_count{stage="risk"} '
        (line,) = [x for x in text.splitlines() if x.startswith(series)]
        return int(line.removeprefix(series))

    before = looks()
    assert stack.created().status() == "EXECUTING"
    assert looks() == before + 1


def test_a_create_that_postgresql_is_slow_with_is_rolled_back(stack):
    staged(stack, "key=300ms")
    body, key = stack.order(), new_id()
    with slow_database(stack, 30), ran_out(stack, key=1):
        answer = stack.post(body, key)
    assert answer.status_code == 503
    assert slug(answer) == "dependency-unavailable"
    assert 0.2 < seconds(answer) < 15
    assert stored(stack, body) == []
    assert stack.mock.calls(nonce_of(body)) == []
    # the key is free: nothing has happened
    again = in_time(stack, body, key)
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers


def test_a_create_that_waits_for_a_lock_is_refused_in_time(stack):
    staged(stack, "key=400ms")
    body = stack.order()
    lock = held(stack, "LOCK TABLE pay.checkout IN SHARE MODE")
    with lock, ran_out(stack, key=1):
        answer = stack.post(body)
    assert answer.status_code == 503
    assert slug(answer) == "overloaded"
    assert int(answer.headers["Retry-After"]) >= 1
    assert seconds(answer) < 15
    assert stored(stack, body) == []


def test_a_create_that_waits_for_a_connection_is_never_sent(stack):
    """One connection, which waits for a lock without any deadline of ours."""
    database = "connections=1 batch=1 queue=4096 timeout=60s wait=30s"
    body, made = stack.order(), stack.created()
    staged(stack, "key=300ms", database)
    with ThreadPoolExecutor() as pool:
        with locked(stack, made):
            waiting = pool.submit(message(made, "paid").send)
            wait_for(
                lambda: stack.sql(
                    "SELECT 1 FROM pg_stat_activity "
                    "WHERE wait_event_type = 'Lock'"
                ),
                "the webhook to wait",
            )
            with ran_out(stack, key=1):
                answer = stack.post(body)
            assert not waiting.done()
        assert waiting.result().status_code == 200
    assert answer.status_code == 503
    assert slug(answer) == "overloaded"
    assert 0.25 < seconds(answer) < 15
    assert stored(stack, body) == []


def test_a_webhook_whose_stage_runs_out_comes_again(stack):
    made = stack.created()
    staged(stack, "ledger=400ms")
    sent = message(made, "paid")
    with locked(stack, made), ran_out(stack, ledger=1):
        answer = sent.send()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert seconds(answer) < 15
    assert made.states() == {("EXECUTING", None)}
    assert sent.rows() == 0
    assert outcome(sent.send()) == "applied"
    assert made.states() == {("SUCCESS", None)}


def test_one_locked_order_takes_no_other_of_its_batch_along(stack):
    stuck, others = stack.created(), [stack.created() for _ in range(5)]
    staged(stack, "ledger=1s")
    with ThreadPoolExecutor(6) as pool, locked(stack, stuck):
        late = pool.submit(message(stuck, "paid").send)
        sent = [pool.submit(message(each, "paid").send) for each in others]
        assert [each.result().status_code for each in sent] == [200] * 5
        assert late.result().status_code == 503
    assert all(each.states() == {("SUCCESS", None)} for each in others)


def test_other_operations_keep_their_own_time(stack):
    """The same connection is given back its deadline after a stage's."""
    database = "connections=1 batch=256 queue=4096"
    made = stack.created()
    staged(stack, "key=200ms ledger=200ms", database)
    lock = "LOCK TABLE pay.checkout IN ACCESS EXCLUSIVE MODE"
    with ThreadPoolExecutor() as pool:
        with held(stack, lock):
            assert stack.post(stack.order()).status_code == 503
            path = f"/v1/payments/{made.order_id}"
            reading = pool.submit(stack.get, path)
            until = stack.value("SELECT clock_timestamp() + '600ms'::interval")
            wait_for(
                lambda: stack.value("SELECT clock_timestamp() > %s", until),
                "thrice the stage's time",
            )
            assert not reading.done()
        answer = reading.result()
    assert answer.status_code == 200
    assert seconds(answer) > 0.5
    assert in_time(stack, stack.order(), new_id()).status_code == 201


def test_a_psp_is_waited_for_no_longer_than_its_stage(stack):
    staged(stack, "psp=500ms")
    body = stack.order()
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "ms": 60_000,
         "nonce": nonce_of(body)}
    )  # fmt: skip
    with ran_out(stack, psp=1):
        answer = stack.post(body)
    # what it has done is not known, and found out
    assert answer.status_code == 202
    # and not the ten seconds of the PSP itself
    assert 0.4 < seconds(answer) < 8


def test_a_longer_stage_leaves_a_psps_own_timeout(stack):
    staged(stack, "psp=10m")
    assert stack.created().status() == "EXECUTING"


def test_without_a_stage_nothing_is_cancelled(stack):
    staged(stack, "")
    with slow_database(stack, 1), ran_out(stack):
        answer = stack.post(stack.order())
    assert answer.status_code == 201
    assert seconds(answer) > 1


def test_behind_one_that_has_waited_for_half_of_its_stage_is_no_room(stack):
    waits = "connections=1 batch=256 queue=4096 timeout=60s wait=30s"
    staged(stack, "key=6s", waits)
    made, first, late = stack.created(), stack.order(), stack.order()
    with ThreadPoolExecutor(2) as pool, locked(stack, made):
        webhook = pool.submit(message(made, "paid").send)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = %s"
        wait_for(lambda: stack.sql(waiting, "Lock"), "the webhook to wait")
        queued = pool.submit(stack.post, first)
        half = stack.value("SELECT clock_timestamp() + '3300ms'::interval")
        wait_for(
            lambda: stack.value("SELECT clock_timestamp() > %s", half),
            "half of the stage to pass",
        )
        answer = stack.post(late)
        assert not queued.done()
    assert (answer.status_code, slug(answer)) == (503, "overloaded")
    assert int(answer.headers["Retry-After"]) >= 1
    assert not stored(stack, late)
    assert webhook.result().status_code == 200
    assert queued.result().status_code == 201


def test_no_more_go_at_once_than_the_deadline_allows(stack):
    """24 at once would take 480 ms and fail as one, again and again."""
    count = 24
    staged(stack, "key=200ms", "connections=1 batch=256 queue=4096")
    before = timeouts(stack)["key"]

    def insisting(body):
        answers = []
        wait_for(
            lambda: (
                answers.append(stack.post(body, body["checkout_id"]))
                or answers[-1].status_code != 503
            ),
            "room",
        )
        return answers[-1]

    bodies = [stack.order() for _ in range(count)]
    with slow_database(stack, 0.02), ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(insisting, bodies))
    assert {answer.status_code for answer in answers} == {201}
    assert timeouts(stack)["key"] - before < 4 * count
