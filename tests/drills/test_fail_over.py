"""The leader of two synchronous nodes is killed under load: the other one
takes writes, the gateway finds it, and has all that it has acknowledged.  And
a pair that is not synchronous is seen to lose.

The tests build on each other: the leader changes.
"""

import time

from pair_of_nodes import DEADLINE_S
from shops import Shops, stored
from support.own_stack import wait_for
from support.worst_day import judge

SOME = 15  # payments


def stored_at(pair, node) -> dict[str, str]:
    pair.asks(node)
    return stored(pair.stack)


def writes_again(load, since: float) -> float:
    """Seconds from then to the first payment."""

    def first():
        later = [each.at for each in load.promises if each.at > since]
        return min(later, default=None)

    return wait_for(first, "payments", DEADLINE_S) - since


def pause(load) -> float:
    """The longest time without a payment."""
    times = sorted(each.at for each in load.promises)
    return max(b - a for a, b in zip(times, times[1:], strict=False))


def test_a_killed_leader_is_replaced_and_nothing_is_lost(pair, say):
    a, b = pair.a, pair.b
    with Shops(pair.stack) as load:
        load.sell(SOME)
        a.kill()
        killed = time.time()
        wait_for(b.leads, "node-b to lead", DEADLINE_S)
        seconds = writes_again(load, killed + 0.001)
        pair.asks(b)
        load.sell(SOME)
    verdict = judge(load.promises, stored_at(pair, b), None)
    assert verdict.broken == [], verdict.broken[:5]
    assert set(load.statuses) <= {0, 201, 202, 503}, load.statuses
    b.operator.does("compare")
    say(f"leader killed: payments again after {seconds:.1f} s, {verdict}")


def test_the_old_leader_comes_back_as_the_synchronous_standby(pair, say):
    began = time.time()
    pair.a.operator.does("the old leader")
    pair.b.has_synchronous(pair.a)
    said = pair.b.operator.does("who leads")
    assert "Sync Standby" in said
    assert "node-a|streaming|sync|" in pair.b.operator.does("how far behind")
    say(f"old leader: synchronous again after {time.time() - began:.1f} s")


def test_a_planned_change_loses_nothing(pair, say):
    with Shops(pair.stack) as load:
        load.sell(SOME)
        pair.b.operator.does("a planned change")
        wait_for(pair.a.leads, "node-a to lead", DEADLINE_S)
        pair.asks(pair.a)
        load.sell(SOME)
    pair.a.has_synchronous(pair.b)
    verdict = judge(load.promises, stored_at(pair, pair.a), None)
    assert verdict.broken == [], verdict.broken[:5]
    say(f"planned change: {pause(load):.1f} s without payments, {verdict}")


def test_a_leader_whose_patroni_hangs_acknowledges_nothing_more(pair, say):
    """Two servers take writes until the watchdog has reset the first one, which
    is killed here; its commits wait for a replica that has left it."""
    a, b = pair.a, pair.b
    with Shops(pair.stack) as load:
        load.sell(SOME)
        a.freeze()
        wait_for(b.leads, "node-b to lead", DEADLINE_S)
        assert a.sql("SELECT pg_is_in_recovery()") == [(False,)]
        refused = load.statuses[503]
        wait_for(lambda: load.statuses[503] > refused, "a commit that waits")
        a.kill()
        pair.asks(b)
        load.sell(SOME)
    verdict = judge(load.promises, stored_at(pair, b), None)
    assert verdict.broken == [], verdict.broken[:5]
    b.operator.does("compare")
    a.operator.does("the old leader")
    b.has_synchronous(a)
    say(f"leader hangs: {pause(load):.1f} s without payments, {verdict}")


def test_a_pair_that_is_not_synchronous_is_seen_to_lose(pair):
    """Seen to fail: the same kill, while the replica hears nothing."""
    a, b = pair.b, pair.a
    a.changes("synchronous_mode=false", "maximum_lag_on_failover=1073741824")
    wait_for(
        lambda: a.sql("SHOW synchronous_standby_names") == [("",)],
        "commits that wait for nobody",
        DEADLINE_S,
    )
    a.sql("ALTER ROLE replicator NOLOGIN")
    a.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
    wait_for(lambda: a.replica() is None, "a replica that hears nothing")
    with Shops(pair.stack) as load:
        load.sell(SOME)
        a.kill()
        wait_for(b.leads, "node-a to lead", DEADLINE_S)
    verdict = judge(load.promises, stored_at(pair, b), None)
    assert len(verdict.broken) >= SOME
