"""Refunds in the dashboard and disputes of checkouts with several sellers: they
are split over the orders, move as one afterwards, and are laid otherwise by
`payctl mismatch assign`; nothing stays in suspense.
"""

import subprocess

import pytest
from support.gateway import PAYCTL
from support.own_stack import wait_for
from support.sold import Sold, books_hold

PSPS = ("generic", "stripe")
TWO = ("12.34", "5.00")
SUSPENSE = """
SELECT coalesce(sum(l.amount_minor), 0)::bigint FROM pay.journal_line l
JOIN pay.journal_entry e USING (merchant_id, source, kind)
WHERE e.checkout_id = %s AND l.account = 'suspense'
"""


@pytest.fixture
def shop(stack):
    yield stack
    books_hold(stack)


def bears(made: Sold, member: str) -> list[str]:
    return [made.order(each)[member] for each in made.order_ids]


def becomes(made: Sold, member: str, *wanted: str) -> None:
    wait_for(
        lambda: bears(made, member) == list(wanted), f"{member} to be {wanted}"
    )


def suspense(made: Sold) -> int:
    return made.stack.value(SUSPENSE, made.id)


def rows(made: Sold) -> list[tuple]:
    """The mismatch queue: number, what, who has settled it."""
    return made.stack.sql(
        "SELECT mismatch_id, why, settled_by FROM pay_view.mismatches "
        "WHERE checkout_id = %s ORDER BY mismatch_id",
        made.id,
    )


def payctl(stack, *words: str) -> tuple:
    done = subprocess.run(
        [PAYCTL, "mismatch", *words[:1], "--dsn",
         stack.values["PG_ADMIN_DSN"], *words[1:]],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=30,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def assign(made: Sold, number: int, *amounts: str) -> tuple:
    """amounts: of the orders, in their order; "" for none"""
    parts = [
        f"{order}={amount}"
        for order, amount in zip(made.order_ids, amounts, strict=False)
        if amount
    ] or ["--merchant-bears"]
    return payctl(
        made.stack, "assign", str(number), *parts, "--who", "ann", "--why",
        "the seller says so",
    )  # fmt: skip


@pytest.mark.parametrize("psp", PSPS)
def test_a_refund_in_the_dashboard_is_split_over_the_orders(shop, psp):
    made = Sold.paid(shop, psp, amounts=TWO)
    deed = made.at_psp("refund", amount_minor=500)
    becomes(made, "amount_refunded", "3.56", "1.44")
    assert suspense(made) == 0
    assert [each[1:] for each in rows(made)] == [("split", "gateway")]
    made.agree()
    made.ended(deed, "returned")
    becomes(made, "amount_refunded", "0.00", "0.00")
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
@pytest.mark.parametrize("result", ["won", "lost"])
def test_a_dispute_is_split_over_the_orders(shop, psp, result):
    made = Sold.paid(shop, psp, amounts=TWO)
    deed = made.at_psp("dispute", amount_minor=1000)
    becomes(made, "amount_refundable", "5.22", "2.12")
    made.ended(deed, result)
    name = f"dispute_{result}"
    wait_for(lambda: made.sums().get(name) == 1000, f"{name} to be booked")
    wanted = ("12.34", "5.00") if result == "won" else ("5.22", "2.12")
    becomes(made, "amount_refundable", *wanted)
    assert suspense(made) == 0
    made.agree()


def test_what_one_order_cannot_bear_the_others_do(shop):
    made = Sold.paid(shop, amounts=TWO)
    body = {"amount": "12.00", "currency": "USD"}
    made.ends(made.change("refunds", **body), "SUCCESS")
    made.at_psp("refund", amount_minor=500)
    becomes(made, "amount_refunded", "12.34", "4.66")
    made.agree()


def test_an_operator_lays_it_to_other_orders(shop):
    made = Sold.paid(shop, amounts=TWO)
    made.at_psp("refund", amount_minor=500)
    becomes(made, "amount_refunded", "3.56", "1.44")
    ((number, *_),) = rows(made)
    code, out, err = assign(made, number, "2.50", "2.49")
    assert (code, out) == (1, "sum\n") and "do not add up" in err
    assert assign(made, number, "", "5.00")[:2] == (0, "assigned\n")
    becomes(made, "amount_refunded", "0.00", "5.00")
    events = shop.timeline(made.order_ids[1])
    assert events[-1]["kind"] == "mismatch_settled"
    detail = events[-1]["detail"]
    assert detail["assigned"] == {made.order_ids[1]: 500}
    assert detail["amounts_assigned"] == {made.order_ids[1]: "5.00"}
    made.agree()


def test_an_operator_lays_a_lost_dispute_to_another_order(shop):
    made = Sold.paid(shop, amounts=TWO)
    deed = made.at_psp("dispute", amount_minor=500)
    made.ended(deed, "lost")
    wait_for(lambda: made.sums().get("dispute_lost") == 500, "the end")
    ((number, *_),) = rows(made)
    assert assign(made, number, "5.00")[:2] == (0, "assigned\n")
    becomes(made, "amount_refundable", "7.34", "5.00")
    assert suspense(made) == 0


def test_money_in_suspense_is_not_settled_by_a_word(shop):
    """The PSP says that more was paid back than the orders were."""
    made = Sold.paid(shop, amounts=TWO)
    data = {"token": made.token, "id": f"ref-{made.id}", "amount": "20.00",
            "currency": "USD"}  # fmt: skip
    told = shop.mock.call(
        "webhook", dialect="generic", type="refund.done", data=data
    )
    assert told["status"] == 200 and "mismatch" in told["body"]
    assert suspense(made) == 2000
    ((number, why, settled),) = rows(made)
    assert (why, settled) == ("exceeds", None)
    words = (str(number), "--who", "ann", "--why", "seen")
    code, out, err = payctl(shop, "settle", *words)
    assert (code, out) == (1, "suspense\n") and "assign" in err
    assert suspense(made) == 2000
    assert assign(made, number, "12.34", "7.66")[1] == "exceeds\n"
    assert assign(made, number) == (0, "assigned\n", "")
    assert suspense(made) == 0
    assert [each[2] for each in rows(made)] == ["ann"]
    made.agree(with_psp=False)


@pytest.mark.parametrize(
    "words",
    [
        ("assign", "1"),
        ("assign", "1", "--who", "a", "--why", "b"),
        ("assign", "1", "order", "--who", "a", "--why", "b"),
        ("assign", "1", "=5", "--who", "a", "--why", "b"),
        ("assign", "1", "a=5", "--merchant-bears", "--who", "a", "--why", "b"),
        ("assign", "x", "a=5", "--who", "a", "--why", "b"),
        ("assign", "1", "a=5", "--who", "a"),
    ],
)
def test_what_assign_does_not_understand_is_misuse(shop, words):
    code, out, err = payctl(shop, *words)
    assert (code, out) == (2, "") and "usage: payctl mismatch" in err
