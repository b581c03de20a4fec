"""A month of a marketplace in five currencies: sales, refunds, disputes, orders
that are credited in another currency, a rolling reserve, and a run of
pay-outs at the end of each week through every provider of the mock, a bank
that takes files among them.

A model in whole minor units (`earned`) knows what each seller has earned; it
reads nothing of the ledger.  Time is moved by data: reserves, the schedule and
the providers' clock.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import httpx

from .bank_files import BANK, Bank, Files
from .own_stack import QUICK_JOBS, new_id, wait_for
from .payer import AUDIENCE, HASTY_OWN, KNOWN, SPECS, Payer

WEEKS = 4
SELLERS = 50
THREADS = 4
WEEK_S = 7 * 86400
RESERVE = "10", 14  # percent, days
RATES = {"USD": "1.10", "GBP": "0.85", "JPY": "160.5", "KWD": "0.333"}
DIGITS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}
HASTE_S = 0.3
PATIENCE_S = 300  # for fifty items, each with several calls
# No answer is lost here because a machine is slow.
PATIENT = "connect=500ms total=1s", "connect=2s total=10s"
# Of one week: sales of a single order, and those that share a checkout.
SOLO, SHARED, TOGETHER = 30, 32, 4
REFUNDS, DISPUTES, CONVERTED = 6, 3, 3


@dataclass(frozen=True)
class Row:
    """A provider and the currencies that it is given.  back: the states of a
    payment that comes back; none: here nothing does.  drive: what a bank does
    with its files, again and again until all is paid."""

    name: str
    currencies: tuple[str, ...]
    back: tuple[str, ...] = ()
    drive: Callable = lambda month: None


def by_files(month) -> None:
    """A file for the bank, and what it answers to all that it has."""
    if month.stack.value(AT_BANK, BANK, ["approved"]):
        month.files.write()
        month.bank.take()
    if month.stack.value(AT_BANK, BANK, ["sending", "sent"]):
        month.read("report")
        month.read("notice")
        month.read("statement")


# Stripe has three decimals only in tens, and PayPal has no KWD.
ROWS = (
    Row("generic", tuple(DIGITS)),
    Row("stripe", ("EUR", "USD", "GBP", "JPY")),
    Row("adyen", tuple(DIGITS), ("returned",)),
    Row("wise", tuple(DIGITS), ("bounced_back", "funds_refunded")),
    Row("tipalti", tuple(DIGITS)),
    Row("paypal", ("EUR", "USD", "GBP", "JPY")),
    Row(BANK, ("EUR",), ("RTRN",), by_files),
)
AT_BANK = """SELECT count(*) FROM pay.payout
    WHERE provider = %s AND state = ANY (%s)"""
PROVIDER = """SELECT pay_ops.set_payout_provider('acme', %s, %s, ARRAY[%s],
    %s, NULL, 'sue', 'test')"""
LIMIT = "SELECT pay_ops.set_payout_limit('acme', '***', 1e8, 1e9, %s, 't')"
POLICY = """SELECT pay_ops.set_payout_policy('acme', 'sue', 'test',
    p_reserve_percent => %s, p_reserve_days => %s)"""
SCHEDULE = """SELECT pay_ops.set_payout_schedule('acme', NULL, 'week', 1,
    NULL, NULL, NULL, 1000, 'max', 'test')"""
RELEASE = """SELECT pay_ops.release_order('acme', u.id, 'max', 'test')
    FROM unnest(%s) AS u (id)"""
APPROVE = """SELECT pay_ops.approve_payout_batch('acme', b.batch_id,
    encode(b.hash, 'hex'), 'eve') FROM pay.payout_batch b
    WHERE b.state = 'open'"""
UNSOLD = """SELECT count(*) FROM pay.payment_order
    WHERE status <> 'SUCCESS' AND payment_order_id = ANY (%s)"""
# Instead of waiting for the time of a question.  Workers lock these rows, too,
# so nothing waits here.
HURRY = """UPDATE pay.payout_sending SET run_at = now()
    WHERE payout_id IN (
        SELECT s.payout_id FROM pay.payout_sending s
        JOIN pay.payout p USING (merchant_id, payout_id)
        WHERE p.state NOT IN ('paid', 'settled')
            AND s.lease_until IS NULL AND s.run_at > now()
        FOR UPDATE OF s SKIP LOCKED)"""
UNPAID = """SELECT provider, state, count(*) FROM pay.payout
    WHERE state NOT IN ('paid', 'settled', 'returned') GROUP BY 1, 2"""
OPEN_CHANGES = "SELECT change_id FROM pay.change WHERE status <> 'SUCCESS'"
OPEN_DISPUTES = "SELECT count(*) FROM pay.dispute WHERE state = 'open'"


@dataclass(frozen=True)
class Seller:
    name: str
    row: Row
    currency: str


@dataclass
class Order:
    seller: Seller
    amount: int
    currency: str  # of the buyer
    credit: int  # in the seller's
    id: str = ""
    token: str = ""
    refunded: int = 0

    def member(self) -> dict:
        more = {}
        if self.currency != self.seller.currency:
            more["credit_currency"] = self.seller.currency
        return more | {
            "payment_order_id": self.id,
            "seller_account": self.seller.name,
            "amount": text_of(self.amount, self.currency),
            "currency": self.currency,
        }


class Month:
    def __init__(self, stack, directory):
        self.stack = stack
        self.rng = random.Random("month")
        names = [row.name for row in ROWS if row.name in SPECS]
        self.payer = Payer(stack, "stripe", *names)
        dsn = stack.values["PG_ADMIN_DSN"]
        self.files = Files(dsn, stack.gateway.secrets, BANK, directory)
        self.bank = Bank(self.payer, self.files)
        self.rates = directory / "rates.json"
        self.sellers = [self.seller(n) for n in range(SELLERS)]
        self.earned: Counter = Counter()  # (seller, currency) → minor units
        self.sold: list[Order] = []
        self.disputed: list[dict] = []
        self.seen: Counter = Counter()  # what has happened, for the test
        self.suspect: set[str] = set()

    def seller(self, n: int) -> Seller:
        row = ROWS[n % len(ROWS)]
        currency = row.currencies[n // len(ROWS) % len(row.currencies)]
        return Seller(f"seller-{n}", row, currency)

    def prepare(self) -> None:
        self.rates.write_text(json.dumps({"base": "EUR", "rates": RATES}))
        self.rates.chmod(0o644)
        source = f"payments_rates bank file={self.rates} base=EUR interval=1s;"
        blocks = self.payer.blocks().replace(*PATIENT)
        self.stack.configure(
            (AUDIENCE, f"{source}\n    {blocks}{AUDIENCE}"),
            HASTY_OWN[0],
            QUICK_JOBS,
        )
        value = self.stack.value
        for row in ROWS:
            kind = KNOWN[row.name].kind
            currencies = list(row.currencies)
            assert (
                value(PROVIDER, row.name, row.name, kind, currencies)
                == "stored"
            )
        said = [value(LIMIT, who) for who in ("sue", "max")]
        assert said == ["second", "stored"]
        assert value(POLICY, *RESERVE) == "stored"
        assert value(SCHEDULE) == "stored"
        for each in self.sellers:
            self.payer.account(each.name, each.row.name, each.currency)
        wait_for(
            lambda: value("SELECT count(*) FROM pay.rate") >= len(RATES),
            "the rates",
        )

    def run(self) -> None:
        for week in range(WEEKS):
            self.sell()
            self.refund()
            self.dispute()
            self.deliver()
            self.pass_week()
            self.pay(week + 1)
            if week == 1:
                self.give_back()
        self.decide()
        self.deliver(everything=True)
        for week in (WEEKS, WEEKS + 1):
            self.pass_week()
            self.pay(week + 1)

    # Sales.

    def order(self, seller: Seller, currency: str = "") -> Order:
        currency = currency or seller.currency
        amount = self.rng.randint(1000, 90000)
        if currency == "KWD":
            amount = amount // 10 * 10
        credit = amount
        if currency != seller.currency:
            credit = converted(amount, currency, seller.currency)
        return Order(seller, amount, currency, credit, new_id())

    def sell(self) -> None:
        """Those who have sold least come first, so that all sell."""
        rng = self.rng
        sales = Counter(order.seller for order in self.sold)
        chosen = rng.sample(self.sellers, SELLERS)
        chosen.sort(key=lambda each: sales[each])
        baskets = [[self.order(each)] for each in chosen[:SOLO]]
        others = [s for s in self.sellers if s.currency in ("JPY", "KWD")]
        baskets += [
            [self.order(each, "EUR")] for each in rng.sample(others, CONVERTED)
        ]
        for _ in range(SHARED // TOGETHER):
            currency = rng.choice(list(DIGITS))
            found = [s for s in self.sellers if s.currency == currency]
            chosen = rng.sample(found, TOGETHER)
            baskets.append([self.order(each) for each in chosen])
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.buy, baskets))
        made = [order for basket in baskets for order in basket]
        ids = [order.id for order in made]
        wait_for(lambda: self.stack.value(UNSOLD, ids) == 0, "the sales")
        for order in made:
            self.earn(order.seller, order.credit)
        self.sold += made

    def buy(self, basket: list[Order]) -> None:
        members = [order.member() for order in basket]
        body = self.stack.order("generic", payment_orders=members)
        answer = self.post("/v1/payments", body)
        token = self.stack.value(
            "SELECT token FROM pay.registration WHERE checkout_id = %s",
            body["checkout_id"],
        )
        self.stack.mock.pay(token)
        for order, shown in zip(
            basket, answer.json()["payment_orders"], strict=True
        ):
            order.token = token if len(basket) == 1 else ""
            if order.currency != order.seller.currency:
                wanted = text_of(order.credit, order.seller.currency)
                assert shown["credit"]["amount"] == wanted, shown
                self.seen["converted"] += 1

    def post(self, path: str, body: dict) -> httpx.Response:
        """With one key, as long as the gateway is busy."""
        headers = self.stack.headers()

        def taken():
            answer = self.stack.http.post(path, json=body, headers=headers)
            if answer.status_code in (429, 503):
                return None
            assert answer.status_code in (201, 202), answer.text
            return answer if path.endswith("refunds") else registered(answer)

        return wait_for(taken, path)

    def earn(self, seller: Seller, minor: int) -> None:
        self.earned[seller.name, seller.currency] += minor

    # After them.

    def untouched(self, count: int) -> list[Order]:
        """Orders of any week, paid out or not, that have a checkout of their
        own."""
        found = [o for o in self.sold if o.token and not o.refunded]
        chosen = self.rng.sample(found, count)
        for order in chosen:
            order.refunded = order.amount
        return chosen

    def refund(self) -> None:
        """A part in the seller's currency, or all of a converted order."""
        for order in self.untouched(REFUNDS):
            minor = order.amount
            if order.currency == order.seller.currency:
                minor = self.rng.randint(1, order.amount)
            amount = text_of(minor, order.currency)
            self.post(
                f"/v1/payments/{order.id}/refunds",
                {"amount": amount, "currency": order.currency},
            )
            is_part = order.currency == order.seller.currency
            self.earn(order.seller, -(minor if is_part else order.credit))
            self.seen["refunds"] += 1
        wait_for(lambda: not self.stack.sql(OPEN_CHANGES), "the refunds")

    def dispute(self) -> None:
        """Those of last week are decided; new ones stay open for a week."""
        self.decide()
        for order in self.untouched(DISPUTES):
            deed = self.stack.mock.call("dispute", token=order.token)
            self.disputed.append(deed | {"order": order})
        count = len(self.disputed)
        wait_for(
            lambda: self.stack.value(OPEN_DISPUTES) == count, "the disputes"
        )

    def decide(self) -> None:
        for n, deed in enumerate(self.disputed):
            result = ("lost", "won")[n % 2]
            self.stack.mock.call("end", id=deed["id"], result=result)
            if result == "lost":
                self.earn(deed["order"].seller, -deed["order"].credit)
            self.seen[result] += 1
        self.disputed.clear()
        wait_for(lambda: self.stack.value(OPEN_DISPUTES) == 0, "their ends")

    def deliver(self, *, everything: bool = False) -> None:
        """One of ten orders is delivered at the end of the month."""
        due = [
            order.id
            for n, order in enumerate(self.sold)
            if everything or n % 10 != 3
        ]
        self.stack.sql(RELEASE, due)

    # Pay-outs.

    def pass_week(self) -> None:
        self.stack.sql(
            "UPDATE pay.payout_reserve SET until = until - interval '7 days'"
        )
        self.payer.advance(WEEK_S)

    def pay(self, runs: int) -> None:
        """A run, whose batches somebody else approves."""
        sql = self.stack.sql
        sql(
            "UPDATE pay.payout_schedule SET next_at = now() - interval '1 hour'"
        )
        self.comes(
            lambda: sql("SELECT state FROM pay.payout_run")
            == [("done",)] * runs,
            f"run {runs} of pay-outs",
            "SELECT * FROM pay.payout_run",
        )
        said = {outcome for (outcome,) in sql(APPROVE)}
        assert said <= {"approved"}, said
        hurried = 0.0

        def is_paid() -> bool:
            nonlocal hurried
            if time.monotonic() > hurried + HASTE_S:
                hurried = time.monotonic()
                sql(HURRY)
                for row in ROWS:
                    row.drive(self)
            return not sql(UNPAID)

        self.comes(is_paid, "the items to be paid", UNPAID)

    def comes(self, condition, what: str, shown: str) -> None:
        """shown: a query, for the message of a failure"""
        try:
            wait_for(condition, what, PATIENCE_S)
        except AssertionError as why:
            raise AssertionError(f"{why}: {self.stack.sql(shown)}") from None

    def read(self, do: str) -> None:
        """What the bank writes now; a report may have nothing to say."""
        for file in self.bank.told(do):
            self.files.read(file)

    def give_back(self) -> None:
        """Of three providers a payment comes back.  Two of the sellers are
        paid again by the next run; the other one's account stays suspect."""
        for n, row in enumerate(row for row in ROWS if row.back):
            item = self.stack.sql(
                "SELECT payout_id FROM pay.payout WHERE provider = %s "
                "AND state IN ('paid', 'settled') "
                "ORDER BY amount_minor DESC LIMIT 1",
                row.name,
            )[0][0]
            self.payer.move(item, *row.back)
            if row.name == BANK:
                self.read("statement")
            self.payer.becomes(item, "returned")
            seller, account = self.stack.sql(
                "SELECT seller_account, destination_id FROM pay.payout "
                "WHERE payout_id = %s",
                item,
            )[0]
            self.seen["returns"] += 1
            if n == 1:
                self.suspect.add(seller)
                continue
            settled = self.stack.value(
                "SELECT pay_ops.settle_destination('acme', %s, 'open', 'sue', "
                "'test')",
                account,
            )
            assert settled == "stored"


def registered(answer: httpx.Response) -> httpx.Response | None:
    return answer if answer.status_code == 201 else None


def text_of(minor: int, currency: str) -> str:
    digits = DIGITS[currency]
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"


def converted(minor: int, currency: str, other: str) -> int:
    """From the base of the rates, half to even."""
    assert currency == "EUR"
    exact = Decimal(minor).scaleb(-DIGITS[currency]) * Decimal(RATES[other])
    whole = exact.scaleb(DIGITS[other])
    return int(whole.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
