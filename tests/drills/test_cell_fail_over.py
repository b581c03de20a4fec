"""One cell of two is a pair of Patroni's, behind two gateways.  Its leader is
killed: the other cell's merchant sells on, and the pair's loses nothing.  It is
killed while a merchant moves away: the fence outlives it.

The tests build on each other: the leader changes.
"""

import contextlib

import pytest
from pair_of_nodes import DEADLINE_S
from shops import Shops, stored
from support.cells import Cells
from support.moves import Move
from support.own_stack import wait_for
from support.storefronts import Storefronts, sales_hold
from support.tls_psp import shop_authority
from support.worst_day import judge

SOME = 15  # payments
STATEMENTS = 60  # payctl merchant move has fewer


@pytest.fixture(scope="module")
def cells(pair):
    with shop_authority() as authority:
        made = Cells(authority, home=pair.stack, more=[pair.hosts])
        with contextlib.closing(made):
            made.second()
            yield made


def fail_over(pair, new) -> None:
    wait_for(new.leads, f"{new.name} to lead", DEADLINE_S)
    pair.asks(new)


def test_a_killed_leader_takes_the_merchant_of_its_cell_only(
    pair, cells, say
):
    with contextlib.ExitStack() as both:
        loads = {
            cell: [
                both.enter_context(Shops(node, threads=2))
                for node in cells.seen(cell).both
            ]
            for cell in ("default", "b")
        }
        for load in (*loads["default"], *loads["b"]):
            load.sell(SOME)
        pair.a.kill()
        for load in loads["b"]:
            load.sell(SOME)
        sold = "before" if not pair.b.leads() else "behind"
        fail_over(pair, pair.b)
        for load in (*loads["default"], *loads["b"]):
            load.sell(SOME)
    for load in loads["b"]:
        assert set(load.statuses) == {201}, load.statuses
    for cell in loads:
        known = stored(cells.stack(cell))
        for load in loads[cell]:
            verdict = judge(load.promises, known, None)
            assert verdict.broken == [], verdict.broken[:5]
    cells.check()
    say(f"leader of one cell killed: the other one sold on {sold} the change")


def fenced_and_killed(move, node) -> bool:
    """payctl is killed at one statement after another; the node instead of it,
    as soon as the fence is committed."""
    killed = []

    def strike(call):
        if move.state() != "fencing":
            call.kill()
            return
        node.kill()
        killed.append(node)

    for at in range(1, STATEMENTS):
        move.payctl(at=at, behind=True, strike=strike).end()
        if killed:
            return True
    return False


def test_the_fence_of_a_move_outlives_its_leader(pair, cells, say):
    """It is killed when the fence stands, and nothing else is done yet."""
    pair.a.operator.does("the old leader")
    pair.b.has_synchronous(pair.a)
    move = Move(cells)
    nodes = cells.seen("default").both
    with Storefronts(nodes, pays=True) as shops:
        shops.sell(SOME)
        for node in cells.nodes:
            move.announce(node)
        shops.sell(SOME)
        assert fenced_and_killed(move, pair.b)
        fail_over(pair, pair.a)
        assert move.state() == "fencing"
        move.done()
        shops.sell(SOME)
    assert shops.wrong == []
    sales_hold(cells.stacks.values(), pair.stack.mock, shops.taken)
    cells.check()
    say("leader killed during a move: the fence stood, the move went on")
