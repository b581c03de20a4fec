"""Two nodes over one PostgreSQL, or over one cell of several, and the races of
storefronts and PSPs at both of them at once.
"""

import os

from .load import nonce_of, slowly, together
from .own_stack import OwnStack, new_id, wait_for
from .sold import Sold

# Of each race: few in the suite of all, as many as wanted on demand.
ROUNDS = int(os.environ.get("RACE_ROUNDS", "8"))
EACH = 3  # requests of a race to each node
# Their webhooks are answered with the outcome; adyen's with a word alone.
SAYS_OUTCOME = ("generic", "stripe")


class Seen(OwnStack):
    """A node as the storefront of one cell's merchant sees it, with the
    PostgreSQL of that cell behind it."""

    def __init__(self, node: OwnStack, cell, stack: OwnStack):
        """cell: of support/cells.py; stack: whose PostgreSQL is the cell's"""
        self.node, self.cell, self.stack = node, cell, stack
        self.values, self.url, self.tls = node.values, node.url, node.tls
        self.http, self.mock = node.http, node.mock

    def order(self, psp: str = "", amounts=("12.34",), **more) -> dict:
        return super().order(psp or self.cell.psp, amounts, **more)

    def headers(self, key: str | None = None, merchant: str = "") -> dict:
        return super().headers(key, merchant or self.cell.token)

    def sql(self, query: str, *args) -> list[tuple]:
        return self.stack.sql(query, *args)


class Nodes:
    """Both, in turn: n says which."""

    def __init__(self, first: OwnStack, second: OwnStack, rounds: int = ROUNDS):
        self.first, self.second = first, second
        self.both = (first, second)
        self.rounds = rounds

    def race(self, work) -> list:
        """work(node, n) at both at the same moment, EACH times."""
        return together(2 * EACH, lambda n: work(self.both[n % 2], n))

    def psp_tells(self, node: OwnStack, *names: str) -> None:
        """Where the mock sends its webhooks from now on."""
        urls = {
            name: f"{node.url}/webhooks/{name}"
            for name in names or SAYS_OUTCOME
        }
        self.first.mock.settings(webhook_urls=urls)


def replayed(answer) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


def _registered_once(nodes: Nodes, body: dict) -> None:
    books = nodes.first.mock.books(nonce=nonce_of(body))
    assert len(books["requests"]) == len(books["registrations"]) == 1


def stored(nodes: Nodes, bodies: list[dict]) -> int:
    return len(
        nodes.first.sql(
            "SELECT 1 FROM pay.checkout WHERE checkout_id = ANY (%s)",
            [body["checkout_id"] for body in bodies],
        )
    )


# Races of storefronts.


def one_key_is_one_payment(nodes: Nodes, psp: str) -> None:
    for n in range(nodes.rounds):
        body, key = nodes.first.order(psp), new_id()
        if n % 4 == 0:
            slowly(nodes.first, 30, nonce=nonce_of(body), sticky=False)
        answers = nodes.race(lambda node, _: node.post(body, key))
        (first,) = [
            a for a in answers if a.status_code == 201 and not replayed(a)
        ]
        others = [a for a in answers if a is not first]
        assert {a.status_code for a in others} <= {201, 429}
        others += [node.post(body, key) for node in nodes.both]
        for answer in others:
            if answer.status_code == 201:
                assert answer.content == first.content
                assert answer.headers["Location"] == first.headers["Location"]
        _registered_once(nodes, body)


def one_checkout_is_one_payment(nodes: Nodes, psp: str) -> None:
    """Under several keys."""
    for _ in range(nodes.rounds):
        body = nodes.first.order(psp)
        answers = nodes.race(lambda node, _: node.post(body))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] + [409] * (2 * EACH - 1)
        _registered_once(nodes, body)


def one_order_is_in_one_checkout(nodes: Nodes, psp: str) -> None:
    """Under several keys, and in a checkout of its own under each."""
    for _ in range(nodes.rounds):
        bodies = [nodes.first.order(psp) for _ in range(2 * EACH)]
        for body in bodies:
            body["payment_orders"] = bodies[0]["payment_orders"]
        answers = nodes.race(lambda node, n: node.post(bodies[n]))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] + [409] * (2 * EACH - 1), codes
        assert stored(nodes, bodies) == 1
        _registered_once(nodes, bodies[0])


def one_body_of_a_key_gets_through(nodes: Nodes, psp: str) -> None:
    for _ in range(nodes.rounds):
        key, bodies = new_id(), [nodes.first.order(psp) for _ in range(2)]
        answers = nodes.race(lambda node, n: node.post(bodies[n % 2], key))
        codes = [answer.status_code for answer in answers]
        assert 422 in codes and codes.count(201) >= 1
        assert set(codes) <= {201, 422, 429}
        assert stored(nodes, bodies) == 1


# Webhooks.


def deliver(node: OwnStack, psp: str, mail: dict) -> str:
    answer = node.http.post(
        f"/webhooks/{psp}",
        content=mail["unsent"]["body"].encode(),
        headers=mail["unsent"]["headers"],
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["outcome"] if psp in SAYS_OUTCOME else answer.text


def one_event_is_booked_once(nodes: Nodes, psp: str) -> None:
    for _ in range(nodes.rounds):
        made = Sold.of(nodes.first, psp)
        made.silence()
        nodes.first.mock.pay(made.token)
        (mail,) = wait_for(made.unsent, "the message")
        told = nodes.race(lambda node, _: deliver(node, psp, mail))
        if psp in SAYS_OUTCOME:
            assert sorted(told) == ["applied"] + ["duplicate"] * (2 * EACH - 1)
        assert made.states() == {("SUCCESS", None)}
        assert made.entries() == [("sale", 1234)]
    made.agree()


# After the sale.

TAILS = {"refund": "refunds", "capture": "capture", "cancel": "cancel"}
PART = {"amount": "5.00", "currency": "USD"}


def one_change_is_made_once(nodes: Nodes, psp: str, what: str) -> None:
    """what: of TAILS; under one key"""
    capture = "automatic" if what == "refund" else "manual"
    body = {} if what == "cancel" else PART
    for _ in range(nodes.rounds):
        made, key = Sold.paid(nodes.first, psp, capture=capture), new_id()
        answers = nodes.race(
            lambda node, _: made.change(
                TAILS[what], key, client=node.http, **body
            )
        )
        done = [a for a in answers if a.status_code in (201, 202)]
        assert {a.status_code for a in answers} <= {201, 202, 429}
        assert len({a.headers["Location"] for a in done}) == 1
        made.ends(done[0], "SUCCESS")
        if what == "cancel":
            assert made.money()["authorized"] == made.money()["captured"] == 0
        else:
            assert [each["amount_minor"] for each in made.deeds(what)] == [500]
        made.agree()


def refunds_never_exceed_the_payment(nodes: Nodes, psp: str) -> None:
    for _ in range(max(1, nodes.rounds // 8)):
        made = Sold.paid(nodes.first, psp)
        answers = together(
            24,
            lambda n: made.refund("1.00", client=nodes.both[n % 2].http),
        )
        taken = [a for a in answers if a.status_code in (201, 202)]
        assert len(taken) == 12, [a.text for a in answers]
        for answer in taken:
            made.ends(answer, "SUCCESS")
        assert made.money()["refunded"] == 1200
        assert len(made.deeds("refund")) == 12
        made.agree()
