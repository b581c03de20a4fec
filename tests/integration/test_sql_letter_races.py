"""Races around late payments and dead letters on real connections: one
payment is held once, and it is taken, settled or paid back, never two of
these.
"""

import uuid

import psycopg2
import pytest
from support.sql_gateway import (
    BEGIN_CASTS,
    MERCHANT,
    connections,  # noqa: F401
    database,  # noqa: F401
    fresh,
    outcomes,
    status,
    together,
)


@pytest.fixture(name="people")
def operators(dsn):
    """Calls of pay_ops by several operators; reads of what they settle."""
    made = []

    def connect():
        connection = psycopg2.connect(dsn)
        connection.autocommit = True
        made.append(connection)
        return connection.cursor()

    reader = connect()

    def act(verb, letter):
        cursor = connect()
        cursor.execute("SET ROLE payments_operator")

        def run():
            cursor.execute(
                f"SELECT pay_ops.{verb}_dead_letter(%s, %s, %s)",
                (letter, "ann", "a race"))
            return cursor.fetchone()[0]

        return run

    def read(query, checkout):
        reader.execute(query, (checkout,))
        return reader.fetchall()

    act.read = read
    act.letter = lambda checkout: read(
        "SELECT dead_letter_id FROM pay.dead_letter"
        " WHERE checkout_id = %s AND state = 'open'", checkout)[0][0]
    act.late = lambda checkout: read(
        "SELECT state, refund_id::text FROM pay.late_success"
        " WHERE checkout_id = %s", checkout)[0]
    yield act
    for connection in made:
        connection.close()


def expired(gateway, policy):
    """A checkout that has expired, with what is to become of late money."""
    ((key, checkout, order),) = fresh()
    row = (MERCHANT, key, b"\0" * 32, checkout, str(uuid.uuid4()),
           uuid.uuid4().hex, "stripe", order, "https://shop.example/",
           "https://pay.example", None, None, None, "USD", 100, 1900000000,
           1, order, "s", 100, None, 86400, 30000, "request", None, None,
           None, policy, None)
    rows = gateway.call("begin_payment", BEGIN_CASTS,
                        [[value] for value in row])
    assert outcomes(rows) == ["created"]
    gateway.store([(checkout, checkout)])
    assert outcomes(gateway.apply(
        [("gateway", None, "expired", checkout)])) == ["applied"]
    return checkout


def paid(gateway, checkout):
    """A webhook of its own that says paid."""
    return outcomes(gateway.apply(
        [("webhook", uuid.uuid4().hex, "paid", checkout)]))[0]


@pytest.mark.parametrize("policy", ["hold", "refund"])
def test_eight_late_payments_at_once_are_one(gateways, people, policy):
    some = gateways(8)
    for _ in range(10):
        checkout = expired(some[0], policy)
        words = together(*[lambda g=g: paid(g, checkout) for g in some])
        assert words == ["held"] * 8
        assert status(some[0], checkout) == "FAILED"
        assert len(people.read(
            "SELECT FROM pay.event e JOIN pay.payment_order o"
            " USING (merchant_id, payment_order_id)"
            " WHERE o.checkout_id = %s AND e.kind = 'late_success'",
            checkout)) == 1


def test_money_beside_the_end_is_sold_or_held(gateways, people):
    one, two, three = gateways(3)
    seen = set()
    for _ in range(40):
        ((key, checkout, order),) = fresh()
        one.begin([(key, checkout, order)])
        one.store([(checkout, checkout)])
        assert people.read(
            "UPDATE pay.checkout SET late_success = 'hold'"
            " WHERE checkout_id = %s RETURNING checkout_id", checkout)
        word, _, _ = together(
            lambda: paid(one, checkout),
            lambda: two.apply([("gateway", None, "expired", checkout)]),
            lambda: three.apply([("query", None, "pending", checkout)]))
        seen.add(word)
        assert (word, status(one, checkout)) in {
            ("applied", "SUCCESS"), ("held", "FAILED")}
    assert seen <= {"applied", "held"}


def test_of_eight_operators_one_decides(gateways, people):
    (gateway,) = gateways(1)
    seen = set()
    for _ in range(10):
        checkout = expired(gateway, "hold")
        assert paid(gateway, checkout) == "held"
        letter = people.letter(checkout)
        words = together(*[people(verb, letter)
                           for verb in ["accept", "resolve"] * 4])
        assert words.count("closed") == 7
        (word,) = set(words) - {"closed"}
        assert (people.late(checkout)[0], status(gateway, checkout)) == {
            "accepted": ("accepted", "SUCCESS"),
            "resolved": ("resolved", "FAILED")}[word]
        seen.add(word)
    assert seen <= {"accepted", "resolved"}


def test_money_that_is_taken_is_not_sent_back(gateways, people):
    """A refund of a held payment is refused whenever it comes."""
    one, two = gateways(2)
    for _ in range(20):
        checkout = expired(one, "hold")
        assert paid(one, checkout) == "held"
        refund = people.late(checkout)[1]
        word, sent, again = together(
            people("accept", people.letter(checkout)),
            lambda: two.send([(checkout, "refund", refund)]),
            lambda: paid(one, checkout))
        assert word == "accepted"
        assert outcomes(sent) == ["invalid"]
        assert again in {"held", "unchanged"}
        assert status(one, checkout) == "SUCCESS"


def test_a_refund_beside_the_word_that_it_is_settled_is_told(gateways,
                                                             people):
    """People settle a refund that is out: what the PSP says of it counts."""
    one, two = gateways(2)
    for _ in range(20):
        checkout = expired(one, "refund")
        assert paid(one, checkout) == "held"
        refund = people.late(checkout)[1]
        assert outcomes(one.send([(checkout, "refund", refund)])) == ["send"]
        people.read(
            "INSERT INTO pay.dead_letter (merchant_id, checkout_id, psp,"
            " kind, reason) SELECT merchant_id, checkout_id, psp, 'refund',"
            " 'retry_limit' FROM pay.late_success WHERE checkout_id = %s"
            " RETURNING dead_letter_id", checkout)
        word, ended = together(
            people("resolve", people.letter(checkout)),
            lambda: two.sent([(checkout, "refund", refund, 1, "DONE")]))
        assert word in {"resolved", "closed"}
        assert outcomes(ended) == ["stored"]
        assert people.late(checkout)[0] == "refunded"
        people.read("DELETE FROM pay.job WHERE checkout_id = %s"
                    " RETURNING kind", checkout)
