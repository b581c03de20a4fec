"""The pace of background jobs: a backlog is worked off as fast as the PSP
answers, not one job for each slot and tick.
"""

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
    block = "payments_psp generic {"
    stack.configure(
        (block, f"{block} breaker failures=50% calls=4 window=1h open=1h;"),
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
