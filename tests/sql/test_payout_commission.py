"""The schedule of commissions from the command line to a sale, as operators
enter it with payctl payout commission.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import json

import pytest
from test_payout import WHO, scratch  # noqa: F401
from test_settlement import PAID, SOLD, TOKENS

NO_TERMS = "array_fill(NULL::jsonb, ARRAY[%(n)s])) b"
ROW = ("payout", "commission", "--merchant", "m", "--currency", "EUR")
FEES = """SELECT payment_order_id, fee_minor FROM pay.payment_order
    ORDER BY payment_order_id"""


def sell(payer, order, method=None):
    """Sells an order of 10.00 EUR by this payment method."""
    assert SOLD.count(NO_TERMS) == 1
    sold = SOLD.replace(NO_TERMS, "ARRAY[%(t)s]::jsonb[]) b")
    terms = None if method is None else json.dumps({"payment_method": method})
    values = {"n": 1, "c": [order], "s": ["s"], "p": [f"pi_{order}"]}
    for query in (sold, TOKENS, PAID):
        assert payer.sql(query, values | {"t": terms}) == [(1,)]


def shown(payer):
    """The seller, method, PSP, share, fixed part and bounds of each row."""
    return [
        (row[2], row[3], row[4], *row[6:-2])
        for row in payer.table("commissions")
    ]


def test_a_row_about_a_method_is_entered_and_counts(payer):
    assert payer.payctl("payout", "commissions") == "no commissions\n"
    for words in (
        ("--percent", "10"),
        ("--percent", "12.5", "--method", "card", "--fixed", "30"),
        ("--percent", "7", "--method", "card", "--seller", "s2",
         "--psp", "stripe", "--minimum", "5", "--maximum", "900"),
    ):  # fmt: skip
        assert payer.payctl(*ROW, *words, *WHO) == "stored\n"
    assert shown(payer) == [
        ("*", "*", "*", "10.0000", "0.00", "0.00"),
        ("*", "card", "*", "12.5000", "0.30", "0.00"),
        ("s2", "card", "stripe", "7.0000", "0.00", "0.05", "9.00"),
    ]
    for order, method in (("a", "card"), ("b", "paypal"), ("c", None)):
        sell(payer, order, method)
    assert payer.sql(FEES) == [("a", 155), ("b", 100), ("c", 100)]

    end = ("--percent", "none", "--method", "card")
    assert payer.payctl(*ROW, *end, *WHO) == "stored\n"
    sell(payer, "d", "card")
    assert payer.sql(FEES)[3] == ("d", 100)
    assert ("*", "card", "*", "none", "0.00", "0.00") in shown(payer)
    assert len(payer.table("commissions", "--merchant", "m")) == 4
    payer.payctl("payout", "commissions", "--merchant", "x", code=2)
    payer.check()


def test_a_row_may_begin_later_and_not_in_the_past(payer):
    payer.payctl(*ROW, "--percent", "10", *WHO)
    later = ("--percent", "20", "--method", "card", "--from", "2100-01-01")
    assert payer.payctl(*ROW, *later, *WHO) == "stored\n"
    past = ("--percent", "20", "--from", "2020-01-01")
    assert payer.payctl(*ROW, *past, *WHO, code=1) == "past\n"
    sell(payer, "a", "card")
    assert payer.sql(FEES) == [("a", 100)]


@pytest.mark.parametrize(
    ("words", "code"),
    (
        (("--percent", "10", "--method", "a b"), 1),
        (("--percent", "10", "--method", "x" * 65), 1),
        (("--percent", "101"), 1),
        (("--percent", "1.23456"), 1),
        (("--percent", "10", "--minimum", "2", "--maximum", "1"), 1),
        (("--percent", "ten"), 2),
        (("--percent", "-1"), 2),
        (("--percent", ""), 2),
        (("--percent", "1.2.3"), 2),
        (("--percent", "10", "--fixed", "0.30"), 2),
        (("--percent", "10", "--maximum", "all"), 2),
        (("--percent", "10", "--from", "soon"), 2),
        (("--method", "card"), 2),
    ),
)
def test_what_cannot_be_a_row_changes_nothing(payer, words, code):
    payer.payctl(*ROW, *words, *WHO, code=code)
    assert payer.payctl("payout", "commissions") == "no commissions\n"


def test_a_row_needs_a_name_and_a_reason(payer):
    for who in ((), ("--who", "max"), ("--why", "test")):
        payer.payctl(*ROW, "--percent", "10", *who, code=2)
    assert payer.payctl("payout", "commissions") == "no commissions\n"
