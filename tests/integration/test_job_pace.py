"""The pace of background jobs: a backlog is worked off as fast as the PSP
answers, not one job for each slot and tick.
"""

import bisect
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.own_stack import wait_for

BACKLOG = 12
SLOW_TICK = (
    "payments_audience ",
    "payments_jobs  on concurrency=1 interval=5s;\n    payments_audience ",
)


@pytest.fixture
def slow_tick(stack):
    stack.configure(SLOW_TICK)
    yield
    stack.configure()


@pytest.mark.usefixtures("slow_tick")
def test_a_backlog_does_not_wait_for_a_tick_each(stack):
    """Two workers with a slot each took thirty seconds for these."""
    ids = [stack.created().id for _ in range(BACKLOG)]
    for each in ids:
        assert stack.jobs_now(each) == 1

    def asked():
        count = stack.value(
            "SELECT count(*) FROM pay.job WHERE checkout_id = ANY (%s) "
            "AND attempts > 0 AND lease_until IS NULL",
            ids,
        )
        return count == BACKLOG

    wait_for(asked, "a poll of each checkout", 20)


@pytest.fixture
def capped(stack):
    block = "payments_psp generic {"
    stack.configure((block, f"{block} concurrency 2;"))
    yield
    stack.mock.clear_faults()
    stack.configure()


@pytest.mark.usefixtures("capped")
def test_polls_leave_room_for_a_registration(stack):
    """They took all calls that a PSP may have under way, and while it was
    slow to answer them no shop could sell."""
    ids = [stack.created().id for _ in range(4)]
    slow = {"operation": "query", "kind": "delay", "ms": 8000}
    stack.mock.faults(slow | {"sticky": True})
    for each in ids:
        assert stack.jobs_now(each) == 1

    def all_claimed():
        return stack.value(
            "SELECT count(*) = 4 FROM pay.job WHERE checkout_id = ANY (%s) "
            "AND attempts > 0",
            ids,
        )

    def answered():
        return stack.value(
            "SELECT count(*) < 4 FROM pay.job WHERE checkout_id = ANY (%s) "
            "AND lease_until IS NOT NULL",
            ids,
        )

    wait_for(all_claimed, "a poll of each checkout", 20)
    wait_for(answered, "one that found no room", 20)
    assert stack.post(stack.order()).status_code == 201


@pytest.fixture
def impatient(stack):
    stack.configure(
        ("breaker off;", "breaker failures=50% calls=4 window=1h open=1h;"),
        (
            "payments_audience ",
            "payments_buyer_timeout 100ms;\n"
            "    payments_jobs off;\n    payments_audience ",
        ),
    )
    yield
    stack.mock.clear_faults()
    stack.configure()


@pytest.mark.usefixtures("impatient")
def test_buyers_without_patience_open_no_circuit(stack):
    """A PSP that answers in time for everybody else is not down: buyers who
    came back kept every shop from selling."""
    made = [stack.created() for _ in range(8)]
    slow = {"operation": "query", "kind": "delay", "ms": 1000}
    stack.mock.faults(slow | {"sticky": True})
    for each in made:
        stack.http.get(f"/return/{each.facts()[1]}")
    assert stack.post(stack.order()).status_code == 201


# T44: a backlog goes to its PSP at a pace, however fast it answers.

STUCK = 300
PER_SECOND = 60


@pytest.fixture
def paced(stack):
    words = f"on concurrency=64 interval=100ms psp_rate={PER_SECOND}r/s"
    begin = "payments_audience "
    stack.configure((begin, f"payments_jobs {words};\n    {begin}"))
    yield
    stack.configure()


def busiest_second(times: list[float]) -> int:
    """The most calls within a second, whenever it begins."""
    return max(
        bisect.bisect_left(times, begin + 1) - i
        for i, begin in enumerate(times)
    )


@pytest.mark.usefixtures("paced")
def test_a_psp_sees_no_more_of_a_backlog_than_the_rate(stack):
    with ThreadPoolExecutor(16) as pool:
        work = [pool.submit(stack.created) for _ in range(STUCK)]
        made = [each.result() for each in work]
    ids = [each.id for each in made]
    nonces = {each.order_id for each in made}
    stack.sql(
        "UPDATE pay.job SET run_at = now() WHERE checkout_id = ANY (%s)", ids
    )

    def asked():
        return stack.value(
            "SELECT count(*) = %s FROM pay.job WHERE checkout_id = ANY (%s) "
            "AND attempts > 0 AND lease_until IS NULL",
            STUCK,
            ids,
        )

    wait_for(asked, "a poll of each checkout", 60)
    queries = sorted(
        each["time"]
        for each in stack.mock.books()["requests"]
        if each["operation"] == "query" and each["nonce"] in nonces
    )
    assert len(queries) >= STUCK
    # what a slow turn of the loop held back comes a little closer together
    assert busiest_second(queries) <= PER_SECOND * 1.2
    # evenly, and not much slower than it may
    assert queries[STUCK - 1] - queries[0] < 3 * STUCK / PER_SECOND
    assert stack.post(stack.order()).status_code == 201
