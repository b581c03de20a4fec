"""Two nodes over three cells: what storefronts and PSPs do at both nodes at
once is done once, in each cell; a cell that hangs takes its own merchant's
requests only; and whatever is killed while payments run, each one that was
accepted is there once and each one that was paid is booked once.
"""

import contextlib
import itertools
import os
import random

import psycopg2
import pytest
from support import nodes as races
from support.cells import PLAN, Cells
from support.load import Threads
from support.moves import Move, Payctl
from support.nodes import Nodes
from support.own_stack import HASTY_PSP, wait_for
from support.storefronts import Storefronts, sales_hold
from support.tls_psp import shop_authority

CELLS = tuple(PLAN)
PSPS = tuple(each.psp for each in PLAN.values())
FIRST = int(os.environ.get("FAULT_SEED", "1"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("FAULT_SEEDS", "1")))
# of each race, in each cell; RACE_ROUNDS are eight without a word
ROUNDS = max(1, races.ROUNDS // 4)
HANGING = 16  # storefronts of a frozen cell
ASKED = 12  # requests to each other one


@pytest.fixture(scope="module")
def cells():
    with contextlib.ExitStack() as last:
        made = Cells(last.enter_context(shop_authority()), names=CELLS)
        last.callback(made.close)
        made.second()
        for node in made.nodes:
            node.configure(HASTY_PSP)
            node.expected += ["still could not bind"]
        wait_for(made.all_are_ready, "all cells at both nodes")
        last.callback(made.check)
        yield made


@pytest.fixture
def nodes(cells, request):
    """Both, as the storefronts of the cell that the test names."""
    yield cells.seen(request.param, ROUNDS)
    cells.home.mock.clear_faults()


EACH_CELL = pytest.mark.parametrize("nodes", CELLS, indirect=True)


def psp(nodes) -> str:
    return nodes.first.cell.psp


# Races, in each cell.


@EACH_CELL
@pytest.mark.parametrize(
    "race",
    [
        races.one_key_is_one_payment,
        races.one_checkout_is_one_payment,
        races.one_order_is_in_one_checkout,
        races.one_body_of_a_key_gets_through,
        races.one_event_is_booked_once,
    ],
    ids=lambda race: race.__name__,
)
def test_a_race_at_both_nodes_has_one_effect(nodes, race):
    race(nodes, psp(nodes))


# adyen's refunds are in the next test: 24 at once were not all taken when the
# machine had no time for them
@pytest.mark.parametrize("nodes", ["default", "b"], indirect=True)
def test_refunds_at_both_nodes_never_exceed_the_payment(nodes):
    races.refunds_never_exceed_the_payment(nodes, psp(nodes))


@EACH_CELL
@pytest.mark.parametrize("what", races.TAILS)
def test_one_change_asked_for_at_both_nodes_is_made_once(nodes, what):
    races.one_change_is_made_once(nodes, psp(nodes), what)


# A cell that hangs.


class Pending:
    """Requests to a frozen cell, by the node that was asked; while one ends,
    the same storefront asks again."""

    def __init__(self, nodes: Nodes):
        self.nodes = nodes
        self.under_way: dict = {node: set() for node in nodes.both}
        self.given_up: list[int] = []

    def ask(self, n: int) -> None:
        node, mark = self.nodes.both[n % 2], object()
        self.under_way[node].add(mark)
        with node.client() as client:
            answer = node.post(node.order(), client=client)
        self.under_way[node].discard(mark)
        self.given_up.append(answer.status_code)


class Hanging(Threads):
    def __init__(self, pending: Pending, threads: int):
        super().__init__(threads)
        self.pending = pending

    def _run(self, n: int) -> None:
        while not self.stop.is_set():
            self.pending.ask(n)


@pytest.mark.parametrize("frozen", CELLS)
def test_a_frozen_cell_delays_no_other_one(cells, frozen):
    """By order, without a clock: requests of the other cells overtake those of
    the frozen one at the same node, and none of them fails."""
    pending = Pending(cells.seen(frozen))
    overtook = asked = 0
    with Hanging(pending, HANGING), cells.frozen(frozen):
        for node in pending.nodes.both:
            wait_for(lambda: len(pending.under_way[node]) > 1, "requests")
        for cell in set(CELLS) - {frozen}:
            for n in range(ASKED):
                old = pending.nodes.both[n % 2]
                node = cells.seen(cell).both[n % 2]
                before = set(pending.under_way[old])
                assert node.post(node.order()).status_code == 201
                overtook += bool(before & pending.under_way[old])
                asked += 1
    assert overtook > asked / 2
    assert set(pending.given_up) <= {201, 503}
    wait_for(cells.all_are_ready, "the frozen cell")
    for node in pending.nodes.both:
        assert node.post(node.order()).status_code == 201


# Kills while payments run.

STOREFRONTS = 2  # of each merchant


class Trade:
    """Storefronts of all merchants at both nodes, whose buyers pay.  Afterwards
    each sale is somewhere once, and booked once."""

    def __init__(self, cells):
        self.cells = cells
        self.shops = {
            cell: Storefronts(cells.seen(cell).both, STOREFRONTS, pays=True)
            for cell in CELLS
        }

    def __enter__(self):
        self.cells.seen("default").psp_tells(self.cells.home, *PSPS)
        for each in self.shops.values():
            each.__enter__()
        return self

    def __exit__(self, kind, *_):
        for each in self.shops.values():
            each.stop.set()
        for each in self.shops.values():
            each.__exit__(None, None, None)
        if kind is None:
            self.holds()

    def sell(self, more: int, cells=CELLS) -> None:
        for cell in cells:
            self.shops[cell].sell(more, f"payments in {cell}")

    def sales(self) -> list:
        return [sale for each in self.shops.values() for sale in each.taken]

    def holds(self) -> None:
        assert [each.wrong for each in self.shops.values()] == [[]] * len(CELLS)
        sales_hold(
            self.cells.stacks.values(), self.cells.home.mock, self.sales()
        )
        self.cells.check()


class Strike:
    """kill -9: of a cell's PostgreSQL, of a node, of both; and their return."""

    def __init__(self, cells, rng, cell: str | None, node: bool):
        self.cells, self.cell = cells, cell
        self.nodes = rng.sample(cells.nodes, 2) if node else []

    def __call__(self, *_) -> None:
        if self.nodes:
            killed, other = self.nodes
            self.cells.seen("default").psp_tells(other, *PSPS)
            killed.kill_nginx()
        if self.cell:
            self.cells.stack(self.cell).crash_postgres()

    def back(self) -> None:
        if self.cell:
            self.cells.stack(self.cell).postgres("start")
        if self.nodes:
            self.nodes[0].start_nginx()
        wait_for(self.cells.all_are_ready, "all cells at both nodes")

    def spared(self) -> list[str]:
        return [cell for cell in CELLS if cell != self.cell]


STRIKES = {
    # killed: (a cell's PostgreSQL, a node)
    "postgres": (True, False),
    "node": (False, True),
    "both": (True, True),
}


# In the suite of all; make faults has each of them with each seed.
IS_SWEEP = "FAULT_SEED" in os.environ
UNDER_LOAD = STRIKES if IS_SWEEP else ["both"]
IN_A_MOVE = STRIKES if IS_SWEEP else ["postgres", "node"]


def strike_of(cells, rng, what: str, among=CELLS) -> Strike:
    cell, node = STRIKES[what]
    return Strike(cells, rng, rng.choice(among) if cell else None, node)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", UNDER_LOAD)
def test_kills_under_load_lose_and_double_nothing(
    cells, what, seed
):
    rng = random.Random(f"{what}/{seed}")
    strike = strike_of(cells, rng, what)
    with Trade(cells) as trade:
        trade.sell(2)
        strike()
        try:
            trade.sell(2, strike.spared())
        finally:
            strike.back()
        trade.sell(2)


# A merchant that moves, there and back.

# statements of payctl merchant move that only read and lock, before it writes
READS = 15
OWED = """
SELECT coalesce(sum(available_minor + pending_minor + reserved_minor), 0)
FROM pay.wallet WHERE merchant_id = 'acme' AND seller_account = 'seller-0'
"""
EARNED = """
SELECT coalesce(sum(captured_minor), 0) FROM pay.payment_order
WHERE merchant_id = 'acme' AND seller_account = 'seller-0'
"""


class Moves:
    """Of acme: next() is from where it is.  past: sales of before each move and
    of behind it."""

    def __init__(self, cells):
        self.cells = cells
        ends = itertools.cycle((("default", "b"), ("b", "default")))
        self.next = lambda: Move(cells, *next(ends))
        self.past: list = []

    def are_known(self) -> None:
        """Each node knows the key of each, and begins none anew."""
        for sale, node in itertools.product(
            self.past, self.cells.seen("default").both
        ):
            again = node.post(sale.body, sale.key)
            assert again.status_code == 201, again.text
            assert races.replayed(again)


@pytest.fixture(scope="module")
def moves(cells):
    return Moves(cells)


def begun_in(cells, cell: str) -> int:
    return cells.count(cell, "checkout WHERE merchant_id = 'acme'")


def expect_moved(moves, move, trade) -> None:
    """The old cell begins nothing, no leg of a balance is open, and each node
    knows the keys of before and of since."""
    cells = moves.cells
    assert move.state() == "moved"
    before = begun_in(cells, move.here), begun_in(cells, move.there)
    trade.sell(4, ["default"])
    assert begun_in(cells, move.here) == before[0]
    # each storefront may have begun one before, and taken it since
    least = before[1] + 4 - STOREFRONTS
    assert begun_in(cells, move.there) >= least
    legs = "cell_transfer WHERE ended_at IS NULL"
    assert [cells.count(each, legs) for each in CELLS] == [0] * len(CELLS)
    taken = trade.shops["default"].taken
    moves.past += [taken[0], taken[-1]]
    moves.are_known()


def expect_waits(cells, move) -> None:
    """For a transaction of before the fence; until then nothing begins."""
    with psycopg2.connect(
        cells.stack(move.here).values["PG_ADMIN_DSN"]
    ) as before, before.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        move.done("--balances", "carry", "--wait", "1", code=1)
        assert move.state() == "fencing"
        for node in cells.seen("default").both:
            body = node.order()
            body.pop("psp")
            assert node.post(body).status_code == 503
    before.close()


def expect_earned(cells) -> None:
    """What the seller is owed in all cells together is what was captured."""

    def sums():
        return [
            sum(stack.value(query) for stack in cells.stacks.values())
            for query in (OWED, EARNED)
        ]

    owed, earned = sums()
    assert owed == earned > 0


def test_a_move_that_is_killed_at_each_step_loses_and_doubles_nothing(
    cells, moves
):
    """In the place of each statement of payctl, and behind each that writes;
    the second node hears of it when the old cell begins nothing any more."""
    move, (first, second) = moves.next(), cells.nodes
    late = cells.seen("default").both[1]
    with Trade(cells) as trade:
        trade.sell(2)
        move.announce(first, HASTY_PSP)
        trade.sell(2)
        assert begun_in(cells, move.there) == 0
        expect_waits(cells, move)
        hears, ended = True, None
        for at, behind in itertools.product(range(1, 200), (False, True)):
            if behind and at <= READS:
                continue
            call = move.payctl(at=at, behind=behind, strike=Payctl.kill)
            ended = call.end()
            if not call.struck.is_set():
                break
            if hears and move.state() == "moved":
                assert late.post(late.order()).status_code == 503
                trade.sell(2, ["b", "c"])
                move.announce(second, HASTY_PSP)
                hears = False
        assert ended[0] == 0, ended
        assert not hears
        expect_moved(moves, move, trade)
    expect_earned(cells)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", IN_A_MOVE)
def test_kills_during_a_move_lose_and_double_nothing(
    cells, moves, what, seed
):
    """At a statement of payctl, which is called until it succeeds."""
    rng = random.Random(f"move/{what}/{seed}")
    move = moves.next()
    ends = (move.here, move.there)
    strike = strike_of(cells, rng, what, ends)
    spared = [
        cell
        for cell in strike.spared()
        if not (cell == "default" and strike.cell in ends)
    ]
    for node in cells.nodes:
        move.announce(node, HASTY_PSP)
        # also by a node that has not heard of this move yet
        moves.are_known()
    with Trade(cells) as trade:
        trade.sell(2)
        call = move.payctl(
            at=rng.randint(READS + 1, READS + 10),
            behind=rng.random() < 0.5,
            strike=strike,
        )
        try:
            said = call.end()
            assert call.struck.is_set(), said
            trade.sell(2, spared)
        finally:
            strike.back()
        move.done()
        expect_moved(moves, move, trade)
    expect_earned(cells)
