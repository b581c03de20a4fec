"""One checkout from the storefront's side, and all that was heard about it.

A storefront that hears nothing, or 503, or 429, asks again with its key; it
believes a 201.  finish() brings the sale to its end and holds what was heard
against the PSP's books and PostgreSQL.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import httpx
from support.own_stack import Checkout, new_id, wait_for

CURRENCIES = (("USD", "{}.{:02}"), ("JPY", "{}"), ("KWD", "{}.{:02}0"))
PATIENCE_S = 60


@dataclass
class Heard:
    status: int | None  # None: the connection broke
    body: dict
    seconds: float
    replayed: bool


def heard_of(answer: httpx.Response) -> Heard:
    return Heard(
        answer.status_code,
        answer.json(),
        answer.elapsed.total_seconds(),
        "Idempotent-Replayed" in answer.headers,
    )


class Sale:
    def __init__(self, stack, rng, psp: str | None = None):
        self.stack, self.rng = stack, rng
        self.psp = psp or rng.choice(("generic", "stripe"))
        currency, form = rng.choice(CURRENCIES)
        amounts = [
            form.format(rng.randint(1, 900), rng.randint(0, 99))
            for _ in range(rng.choice((1, 1, 2, 3)))
        ]
        self.body = stack.order(self.psp, amounts, currency)
        self.key = new_id()
        self.id = self.body["checkout_id"]
        self.checkout = Checkout(stack, self.body, None)
        self.heard: list[Heard] = []
        books = stack.mock.books()
        self.booked_before = len(books["registrations"])
        self.calls_before = len(books["requests"])
        self.result = rng.choice(("paid", "paid", "paid", "expired"))
        self.settled = False
        self.twin = False  # the PSP booked it twice, under one nonce
        self.patience_s = 30.0  # of the next request
        self.pool = ThreadPoolExecutor(1)
        self.first: Future | None = None

    # The storefront.

    def post(self) -> Heard:
        """On a connection of its own: whoever is alive may take it."""
        with self.stack.client() as http:
            http.timeout = self.patience_s
            try:
                answer = self.stack.post(self.body, self.key, client=http)
            except httpx.TransportError:
                heard = Heard(None, {}, 0, False)
            else:
                heard = heard_of(answer)
        self.heard.append(heard)
        return heard

    def start(self) -> None:
        self.first = self.pool.submit(self.post)

    def answer(self) -> Heard:
        """What the first request was told."""
        return self.first.result(PATIENCE_S)

    def insist(self) -> Heard:
        """Asks again until there is a page for the buyer."""

        def there():
            self.hurry()
            heard = self.post()
            assert heard.status in (None, 201, 202, 429, 503), heard
            return heard if heard.status == 201 else None

        return wait_for(there, f"checkout {self.id} to go through", PATIENCE_S)

    # Behind it.

    def hurry(self) -> None:
        """Instead of waiting: the lease is over, the next try is due."""
        self.stack.jobs_now(self.id, "register")

    def rows(self) -> int:
        return self.stack.value(
            "SELECT count(*) FROM pay.checkout WHERE checkout_id = %s", self.id
        )

    def calls(self) -> list[dict]:
        """To register it: there is no other sale meanwhile."""
        since = self.stack.mock.books()["requests"][self.calls_before :]
        return [each for each in since if each["operation"] == "register"]

    def booked(self) -> list[dict]:
        books = self.stack.mock.books()
        return books["registrations"][self.booked_before :]

    def registered(self) -> None:
        """The job does it, whoever is dead or asleep."""

        def there():
            self.hurry()
            return self.checkout.registration["state"] == "REGISTERED"

        wait_for(there, f"the registration of {self.id}", PATIENCE_S)

    # The buyer.

    def pay(self, result: str | None = None) -> None:
        self.result = result or self.result
        self.settled = True
        self.stack.mock.pay(self.token(), self.result)

    def token(self) -> str:
        """As the PSP knows it, whether it is stored or not."""
        if self.twin:
            return self.checkout.token
        return self.booked()[0]["token"]

    def deliveries(self) -> list[dict]:
        return self.stack.mock.books(token=self.token())["webhooks"]

    def tried(self) -> None:
        """The first delivery has come to some end."""
        wait_for(
            lambda: any(
                each["last_status"] or each["last_error"]
                for each in self.deliveries()
            ),
            "a delivery",
        )

    # The end.

    def finish(self) -> None:
        """Goes through, is settled, and everyone tells the same story."""
        if self.rng.random() < 0.5 and self.rows():
            self.registered()
        last = self.insist()
        assert last.body["redirect_url"]
        if not self.settled:
            self.pay()
        ends = {"paid": ("SUCCESS", None), "expired": ("FAILED", "expired")}
        self.checkout.becomes(*ends[self.result])
        wait_for(
            lambda: all(
                each["state"] in ("delivered", "suppressed")
                for each in self.deliveries()
            ),
            "the webhooks to be taken",
            PATIENCE_S,
        )
        self.check(last)

    def check(self, last: Heard) -> None:
        booked = self.booked()
        assert len(booked) == (2 if self.twin else 1), booked
        assert self.checkout.token in {each["token"] for each in booked}
        assert {each["nonce"] for each in self.calls()} == {booked[0]["nonce"]}
        fresh = [each for each in self.heard if each.status == 201]
        assert [each.replayed for each in fresh].count(False) <= 1
        for heard in self.heard:
            self.check_heard(heard, last)
        for order_id in self.checkout.order_ids:
            kinds = self.kinds(order_id)
            assert kinds.count("created") == 1, kinds
            assert kinds.count("registered") == 1, kinds
            assert kinds.count(self.result) == 1, kinds

    def kinds(self, order_id: str) -> list[str]:
        return [each["kind"] for each in self.stack.timeline(order_id)]

    def check_heard(self, heard: Heard, last: Heard) -> None:
        """I3 and I7: every 2xx was true, and all 201 are one answer."""
        if heard.status == 201:
            same = "checkout_id psp redirect_url expires_at".split()
            for name in same:
                assert heard.body[name] == last.body[name], name
        if heard.status in (201, 202):
            shown = {each["payment_order_id"] for each in heard.body[
                "payment_orders"]}  # fmt: skip
            assert shown == set(self.checkout.order_ids)
        if heard.status == 202:
            assert heard.body["redirect_url"] is None

    def close(self) -> None:
        self.pool.shutdown(wait=True)


def pause(rng, most_s: float = 0.05) -> None:
    """The jitter of a seed: a fault strikes a little later each time."""
    threading.Event().wait(rng.uniform(0, most_s))
