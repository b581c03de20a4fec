"""Storefronts that insist: each begins a checkout, asks with its key at the
nodes in turn until it is taken, and repeats it once.  Whatever was done to the
nodes and databases meanwhile, no answer may contradict another one.
"""

import contextlib
import itertools
from dataclasses import dataclass, field

import httpx

from .load import Threads, nonce_of
from .nodes import replayed
from .own_stack import new_id, wait_for

# Answers while something is away: none, or that the outcome is not known,
# the same request under way, a database or a cell that cannot be asked.
MAY_INSIST = {None, 202, 429, 503}


@dataclass
class Sale:
    body: dict
    key: str
    answer: dict = field(default_factory=dict)
    is_paid: bool = False

    @property
    def id(self) -> str:
        return self.body["checkout_id"]

    @property
    def order_id(self) -> str:
        return nonce_of(self.body)


class Storefronts(Threads):
    """with Storefronts(nodes) as shops: …; shops.taken afterwards.  nodes: what
    they ask in turn; pays: the buyer pays each, too; insists: upon which
    answers, each other one but 201 is wrong."""

    def __init__(
        self, nodes, threads: int = 4, *, pays=False, insists=MAY_INSIST
    ):
        super().__init__(threads)
        self.nodes, self.pays, self.insists = nodes, pays, insists
        self.taken: list[Sale] = []
        self.wrong: list = []

    def __exit__(self, *_):
        super().__exit__()
        assert not any(thread.is_alive() for thread in self.threads)

    def sell(self, more: int, what: str = "payments") -> None:
        """Returns when so many more are taken."""
        wanted = len(self.taken) + more
        wait_for(lambda: len(self.taken) >= wanted or self.wrong, what)
        assert self.wrong == [], self.wrong

    def _run(self, n: int) -> None:
        clients = [node.client() for node in self.nodes]
        turns = itertools.islice(
            itertools.cycle(zip(self.nodes, clients, strict=True)), n, None
        )
        try:
            while not self.stop.is_set():
                self._sell(turns)
        except Exception as why:  # noqa: BLE001  told by sell()
            self.wrong.append(repr(why))
        finally:
            for client in clients:
                client.close()

    def _sell(self, turns) -> None:
        sale = Sale(self.nodes[0].order(), new_id())
        sale.body.pop("psp")  # the route's choice
        first = self._insist(sale, turns)
        sale.answer = first.json()
        self.taken.append(sale)
        again = self._insist(sale, turns)
        if not replayed(again) or again.json()["checkout_id"] != sale.id:
            self.wrong.append(("twice", again.text))
        if self.pays:
            self._pay(sale)

    def _insist(self, sale: Sale, turns) -> httpx.Response:
        while True:
            node, client = next(turns)
            answer = None
            with contextlib.suppress(httpx.TransportError):
                answer = node.post(sale.body, sale.key, client=client)
            code = None if answer is None else answer.status_code
            if code == 201:
                return answer
            assert code in self.insists, (code, answer and answer.text)
            self.stop.wait(0.1)  # Retry-After asks for more

    def _pay(self, sale: Sale) -> None:
        mock = self.nodes[0].mock
        (made,) = mock.books(nonce=sale.order_id)["registrations"]
        mock.pay(made["token"])
        sale.is_paid = True


# Where it is, and what is booked.

BOOKED = """
SELECT o.payment_order_id, o.status, o.captured_minor, ARRAY(
    SELECT e.amount_minor::bigint FROM pay.journal_entry e
    WHERE e.merchant_id = o.merchant_id AND e.kind = 'sale'
    AND e.payment_order_id = o.payment_order_id)
FROM pay.payment_order o WHERE o.payment_order_id = ANY (%s)
"""


def odd_sales(stacks, sales: list[Sale], minor: int = 1234) -> list:
    """Those that are not in one of the cells exactly once, and those that are
    paid and not booked exactly once.  stacks: the cells' own; minor: what each
    costs."""
    rows: dict[str, list] = {sale.order_id: [] for sale in sales}
    for stack in stacks:
        for order_id, *row in stack.sql(BOOKED, list(rows)):
            rows[order_id].append(tuple(row))
    wanted = {
        True: [("SUCCESS", minor, [minor])],
        False: [("EXECUTING", 0, [])],
    }
    return [
        (sale.order_id, rows[sale.order_id])
        for sale in sales
        if wanted[sale.is_paid] != rows[sale.order_id]
    ]


def odd_at_psp(mock, sales: list[Sale], minor: int = 1234) -> list:
    """Those that the PSP has not, or twice, or with other money."""
    made: dict[str, list] = {sale.order_id: [] for sale in sales}
    for each in mock.books()["registrations"]:
        made.get(each["nonce"], []).append(each["money"]["captured"])
    wanted = {True: [minor], False: [0]}
    return [
        (sale.order_id, made[sale.order_id])
        for sale in sales
        if wanted[sale.is_paid] != made[sale.order_id]
    ]


def sales_hold(stacks, mock, sales: list[Sale]) -> None:
    """Once webhooks and jobs are through."""
    stacks = list(stacks)
    try:
        wait_for(lambda: not odd_sales(stacks, sales), "each sale, booked once")
    except AssertionError as why:
        odd = odd_sales(stacks, sales)
        raise AssertionError(f"{why}: {odd[:5]}") from None
    assert odd_at_psp(mock, sales) == []
