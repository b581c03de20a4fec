"""Races of what follows a sale on real connections (I2, I4): never more is
paid back than was captured, nothing is booked twice, no call waits for
another for ever.  After each test every invariant of sql/checks must hold.
"""

import random
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from support.sold import AT_EVERY_STEP
from support.sql_changes import (
    answer,
    ask,
    begin,
    hear,
    leave,
    send,
    sold,
    tell,
)
from support.sql_gateway import (
    connections,  # noqa: F401
    database,  # noqa: F401
    outcomes,
    registration_of,  # noqa: F401
    together,
)


@pytest.fixture(name="money")
def money_of(dsn):
    """What became of an order: authorized, captured, refunding, refunded,
    charged back."""
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    cursor = connection.cursor()

    def read(order):
        cursor.execute(
            "SELECT authorized_minor, captured_minor, refunding_minor,"
            " refunded_minor, charged_back_minor FROM pay.payment_order"
            " WHERE payment_order_id = %s", (order,))
        return cursor.fetchone()

    def booked(order):
        cursor.execute(
            "SELECT kind, sum(amount_minor)::bigint FROM pay.journal_entry"
            " WHERE payment_order_id = %s GROUP BY kind", (order,))
        return dict(cursor.fetchall())

    read.booked = booked
    yield read
    connection.close()


class Books:
    """Reads the books beside those that write them.  All is read in one
    statement, of one moment: whatever has been committed adds up."""

    def __init__(self, dsn):
        self.connection = psycopg2.connect(dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def judge(self):
        self.cursor.execute(AT_EVERY_STEP)
        assert self.cursor.fetchall() == []

    def watched(self, *calls):
        """Makes the calls at once; judges meanwhile, and after them."""
        with ThreadPoolExecutor(1) as pool:
            acts = pool.submit(together, *calls)
            while not acts.done():
                self.judge()
            acts.result()
        self.judge()


@pytest.fixture(name="books")
def books_of(dsn):
    made = Books(dsn)
    yield made
    made.connection.close()


def test_sixty_four_refunds_of_one_order_take_what_there_is(gateways, money):
    """Each wants 3 of 100: 33 get it, to the cent, and 31 are told no."""
    some = gateways(64)
    for _ in range(3):
        ((_, order),) = sold(some[0])
        words = [word for word, _ in together(*[
            lambda g=g: ask(g, order, "refund", 3) for g in some])]
        assert sorted(set(words)) == ["created", "exceeds"]
        assert words.count("created") == 33
        assert money(order) == (0, 100, 99, 0, 0)
        assert money.booked(order) == {"sale": 100, "refund_reserved": 99}


def available(dsn, order):
    """What the seller of this order has, of all orders."""
    connection = psycopg2.connect(dsn)
    cursor = connection.cursor()
    cursor.execute(
        "SELECT w.available_minor FROM pay.payment_order o"
        " JOIN pay.wallet w USING (merchant_id, seller_account, currency)"
        " WHERE o.payment_order_id = %s", (order,))
    ((found,),) = cursor.fetchall()
    connection.close()
    return found


def test_covered_refunds_at_once_do_not_overdraw_a_seller(gateways, dsn):
    """32 orders of 100 each, of which the seller has ten left: disputes have
    taken more than there was.  As many refunds at once get ten."""
    some = gateways(32)
    made = sold(some[0], orders=32)
    left = (available(dsn, made[0][1]) - 1000) // 100
    spent = sold(some[0], orders=left)
    names = [str(uuid.uuid4()) for _ in spent]
    words = outcomes(begin(some[0], [
        (order, "refund", 100, name, name)
        for (_, order), name in zip(spent, names, strict=True)]))
    assert set(words) == {"created"}
    tell(some[0], [
        (f"d-{checkout}", "dispute", "opened", checkout, None,
         f"dp-{checkout}", None, 100) for checkout, _ in spent])
    assert 1000 <= available(dsn, made[0][1]) < 1100
    words = [word for word, _ in together(*[
        lambda g=g, o=order: ask(g, o, "covered_refund", 100)
        for g, (_, order) in zip(some, made, strict=True)])]
    assert sorted(set(words)) == ["created", "overdraws"]
    assert words.count("created") == 10
    assert 0 <= available(dsn, made[0][1]) < 100
    assert ask(some[0], made[0][1], "refund", 100)[0] in ("created",
                                                          "nothing_left")


def test_sixty_four_refunds_of_all_are_one(gateways, money):
    some = gateways(64)
    ((checkout, order),) = sold(some[0])
    results = together(*[lambda g=g: ask(g, order, "refund") for g in some])
    made = [change for word, change in results if word == "created"]
    assert len(made) == 1
    assert {word for word, _ in results} == {"created", "nothing_left"}
    assert send(some[0], checkout, "refund", made[0], "DONE") == "stored"
    assert money(order) == (0, 100, 0, 100, 0)


def test_one_key_is_one_refund_however_many_ask(gateways, money):
    some = gateways(16)
    for _ in range(10):
        ((_, order),) = sold(some[0])
        key = str(uuid.uuid4())
        results = together(*[
            lambda g=g: begin(g, [(order, "refund", 10, key,
                                   str(uuid.uuid4()))]) for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["created"] + ["in_progress"] * 15
        assert money(order) == (0, 100, 10, 0, 0)


def test_batches_in_opposite_orders_do_not_lock_each_other_out(gateways,
                                                               money):
    """Keys, checkouts and wallets of the same orders, forwards and
    backwards, with what the PSP says of them in between."""
    some = gateways(6)
    rng = random.Random(6)
    made = sold(some[0], orders=24)

    def change(gateway, items):
        return lambda: begin(gateway, [
            (order, "refund", 1, f"{order}-{rng.randrange(4)}",
             str(uuid.uuid4())) for _, order in items])

    def news(gateway, items):
        return lambda: tell(gateway, [
            (str(uuid.uuid4()), "dispute", "opened", checkout,
             f"pi-{checkout}", str(uuid.uuid4()), None, 1)
            for checkout, _ in items])

    for _ in range(5):
        results = together(
            change(some[0], made), change(some[1], made[::-1]),
            news(some[2], made), news(some[3], made[::-1]),
            change(some[4], rng.sample(made, 24)),
            lambda: some[5].apply([
                ("query", None, "paid", f"t-{checkout}")
                for checkout, _ in made[::-1]]))
        for rows in results[2:4]:
            assert set(outcomes(rows)) == {"applied"}
    for _, order in made:
        assert money(order)[4] == 10


def test_a_refund_beside_a_dispute_never_takes_the_same_money(gateways,
                                                              money):
    """A dispute always counts, a refund only while there is money left."""
    one, two = gateways(2)
    seen = set()
    for _ in range(40):
        ((checkout, order),) = sold(one)
        (word, _), heard = together(
            lambda: ask(one, order, "refund", 70),
            lambda: hear(two, "dispute", "opened", checkout,
                         str(uuid.uuid4()), 60))
        assert heard == "applied"
        seen.add(word)
        assert money(order) == (0, 100, 70 if word == "created" else 0, 0,
                                60)
        assert ask(one, order, "refund", 41)[0] in ("exceeds",
                                                    "nothing_left")
    assert seen <= {"created", "exceeds"}


def test_the_answer_and_the_webhook_of_a_refund_are_one(gateways, money):
    one, two = gateways(2)
    for _ in range(40):
        ((checkout, order),) = sold(one)
        _, change = ask(one, order, "refund", 30)
        together(
            lambda: send(one, checkout, "refund", change, "DONE",
                         f"re-{change}"),
            lambda: hear(two, "refund", "succeeded", checkout,
                         f"re-{change}", 30, change))
        assert money(order) == (0, 100, 0, 30, 0)
        assert money.booked(order) == {"sale": 100, "refund_reserved": 30,
                                       "refund": 30}


def test_two_webhooks_of_one_refund_are_one(gateways, money):
    """Nobody asked us; two events of the PSP tell of the same refund."""
    some = gateways(4)
    for _ in range(20):
        ((checkout, order),) = sold(some[0])
        thing = str(uuid.uuid4())
        words = together(*[
            lambda g=g: hear(g, "refund", "succeeded", checkout, thing, 40)
            for g in some])
        assert sorted(words) == ["applied"] + ["unchanged"] * 3
        assert money(order) == (0, 100, 0, 40, 0)


@pytest.mark.parametrize("other", ["won", "lost"])
def test_a_dispute_is_decided_once(gateways, money, other):
    one, two, three = gateways(3)
    for _ in range(20):
        ((checkout, order),) = sold(one)
        thing = str(uuid.uuid4())
        words = together(
            lambda: hear(one, "dispute", "opened", checkout, thing, 40),
            lambda: hear(two, "dispute", "won", checkout, thing, 40),
            lambda: hear(three, "dispute", other, checkout, thing, 40))
        assert words[0] in ("applied", "unchanged")
        assert sorted(words[1:]) == ["applied", {
            "won": "unchanged", "lost": "contradiction"}[other]]
        assert money(order)[4] in ((0,) if other == "won" else (0, 40))


def test_captures_beside_a_cancellation_are_one_of_the_two(gateways, money):
    some = gateways(8)
    seen = set()
    for _ in range(20):
        ((checkout, order),) = sold(some[0], manual=True)
        results = together(*[
            lambda g=g: ask(g, order, "capture", 30) for g in some[1:]],
            lambda: ask(some[0], order, "cancel"))
        words = [word for word, _ in results]
        captures = [change for word, change in results[:-1]
                    if word == "created"]
        if words[-1] == "created":
            assert captures == []
            seen.add("cancel")
            send(some[0], checkout, "cancel", results[-1][1], "DONE")
            assert money(order) == (0, 0, 0, 0, 0)
        else:
            assert (words[-1], len(captures)) == ("already_paid", 3)
            seen.add("capture")
            together(*[
                lambda g=g, c=c: send(g, checkout, "capture", c, "DONE")
                for g, c in zip(some, captures, strict=False)])
            assert money(order) == (10, 90, 0, 0, 0)
    assert seen


def test_captures_are_counted_once_by_whoever_tells(gateways, money):
    """The answers of two calls, the PSP's running total, and "paid"."""
    some = gateways(4)
    for _ in range(30):
        ((checkout, order),) = sold(some[0], manual=True)
        changes = [ask(some[0], order, "capture", n)[1] for n in (60, 40)]
        attempts = [leave(some[0], checkout, "capture", change)[1]
                    for change in changes]
        together(
            lambda: answer(some[0], checkout, "capture", changes[0],
                           attempts[0], "DONE"),
            lambda: answer(some[1], checkout, "capture", changes[1],
                           attempts[1], "DONE"),
            lambda: hear(some[2], "capture", "succeeded", checkout,
                         f"pi-{checkout}", 100),
            lambda: some[3].apply([("webhook", f"p-{checkout}", "paid",
                                    f"t-{checkout}")]))
        assert money(order) == (0, 100, 0, 0, 0)
        assert money.booked(order) == {"authorized": 100, "sale": 100,
                                       "unauthorized": 100}


def test_what_waits_for_a_name_is_taken_by_whoever_brings_it(gateways,
                                                             money):
    """A refund that is known by the payment's id alone, beside the webhooks
    that tell whose payment that is."""
    one, two, three = gateways(3)
    for _ in range(60):
        ((checkout, order),) = sold(one)
        name = f"pi-{checkout}"
        together(
            lambda: tell(one, [(f"r-{checkout}", "refund", "succeeded", None,
                                name, f"re-{checkout}", None, 25)]),
            lambda: tell(two, [(f"f-{checkout}", "fee", "succeeded", checkout,
                                name, f"fee-{checkout}", None, 1)]),
            lambda: name_payment(three, checkout, name))
        assert money(order) == (0, 100, 0, 25, 0)


def name_payment(gateway, checkout, name):
    """A webhook about the payment, with its id."""
    return gateway.call("apply_event", ["text"] * 8 + [
        "bigint", "text", "bytea", "text"], [
        [value] for value in ("stripe", "webhook", f"n-{checkout}", "type",
                              "pending", f"t-{checkout}", name, None, None,
                              None, None, "request")])


SHOPPERS = 8
ROUNDS = 60
# Whatever is said, by whom and in which order.
SHARES = [1, 7, 33, None]
ENDS = ["DONE", "PENDING", "REFUSED", "UNKNOWN", "NOT_SENT"]


class History:
    """Buyers, a storefront, the PSP and banks, each at any moment: what one
    of them does next."""

    def __init__(self, rng):
        self.rng = rng
        self.made = []          # (checkout, order)
        self.things = {}        # checkout → ids of what happens at the PSP
        self.changes = []       # (checkout, id)

    def step(self, gateway):
        choose = self.rng.choices(
            [self.sells, self.asks, self.hears_of_ours, self.hears_of_refund,
             self.hears_of_dispute, self.hears_of_capture],
            [10, 40, 10, 15, 15, 10])[0]
        if not self.made:
            choose = self.sells
        return choose(gateway)

    def sells(self, gateway):
        manual = self.rng.random() < 0.5

        def act():
            for checkout, order in sold(gateway, manual=manual):
                self.things[checkout] = [str(uuid.uuid4()) for _ in range(4)]
                self.made.append((checkout, order))
        return act

    def some(self):
        checkout, order = self.rng.choice(self.made)
        return checkout, order, self.rng.choice(self.things[checkout])

    def asks(self, gateway):
        checkout, order, _ = self.some()
        kind = self.rng.choice(["refund", "refund", "capture",
                                "final_capture"])
        amount = self.rng.choice(SHARES)
        state = self.rng.choice(ENDS)

        def act():
            outcome, change = ask(gateway, order, kind, amount)
            if outcome == "created":
                self.changes.append((checkout, change))
                send(gateway, checkout, kind.removeprefix("final_"), change,
                     state)
        return act

    def hears_of_ours(self, gateway):
        if not self.changes:
            return self.sells(gateway)
        checkout, change = self.rng.choice(self.changes)
        word = self.rng.choice(["pending", "succeeded", "failed"])
        return lambda: hear(gateway, "refund", word, checkout, None, None,
                            change)

    def hears_of_refund(self, gateway):
        checkout, _, thing = self.some()
        word = self.rng.choice(["pending", "succeeded", "failed"])
        amount = self.rng.choice([1, 9])
        return lambda: hear(gateway, "refund", word, checkout, thing, amount)

    def hears_of_dispute(self, gateway):
        checkout, _, thing = self.some()
        word = self.rng.choice(["opened", "won", "lost"])
        return lambda: hear(gateway, "dispute", word, checkout, thing, 11)

    def hears_of_capture(self, gateway):
        checkout, _, thing = self.some()
        amount = self.rng.choice([10, 50, 90])
        return lambda: hear(gateway, "capture", "succeeded", checkout, thing,
                            amount)


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_add_up(gateways, money, books, seed):
    """Payments, captures, refunds and disputes, asked for and told, eight at
    once and in any order: at every step the ledger sums to nothing, each
    wallet is the sum of its lines, no order has paid back more than it has
    captured; in the end every invariant holds."""
    some = gateways(SHOPPERS)
    history = History(random.Random(seed))
    for _ in range(ROUNDS):
        books.watched(*[history.step(gateway) for gateway in some])
    for _, order in history.made:
        authorized, captured, refunding, refunded, lost = money(order)
        assert refunding + refunded <= captured <= 100
        assert authorized + captured <= 100
        assert min(authorized, refunding, refunded, lost) >= 0
