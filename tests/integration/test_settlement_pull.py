"""Settlements that workers pull from a PSP's API (payments_settlement pull=):
payouts and their rows, page by page, are matched with the sales."""

import pytest
from support.own_stack import HASTY_PSP, wait_for

AUDIENCE = "payments_audience "
PSPS = {"stripe": "EUR", "square": "USD", "mollie": "EUR"}


@pytest.fixture(scope="module")
def pulling(own_stack):
    lines = "".join(
        f"payments_settlement pull-{psp} format={psp} merchant=acme "
        f"psp={psp} pull=1s;\n    "
        for psp in PSPS
    )
    own_stack.configure((AUDIENCE, lines + AUDIENCE), HASTY_PSP)
    yield own_stack
    own_stack.configure()


def files(stack, psp):
    return stack.sql(
        "SELECT name, state, row_count, matched, class1, class2, class3, "
        "reason FROM pay.settlement_file WHERE source = %s ORDER BY file_id",
        f"pull-{psp}",
    )


def sold(stack, psp, count):
    for _ in range(count):
        made = stack.created(psp, currency=PSPS[psp])
        stack.mock.pay(made.registration["token"])
        wait_for(
            lambda order=made.order_id: stack.sql(
                "SELECT 1 FROM pay.journal_entry WHERE kind = 'sale' "
                "AND payment_order_id = %s",
                order,
            ),
            "the sale",
        )


def settles(stack, psp):
    """The PSP closes its day; its one payout."""
    close = stack.mock.call("settle", dialect=psp, announce=False)
    (payout,) = close["payouts"]
    return payout


@pytest.mark.parametrize("psp", PSPS)
def test_payouts_are_pulled_page_by_page_and_booked(pulling, psp):
    stack = pulling
    stack.mock.settings(list_page=2)
    # what other tests have sold, or nothing: one sale makes it a payout
    sold(stack, psp, 1)
    stack.mock.call("settle", dialect=psp, announce=False)
    sold(stack, psp, 3)
    payout = settles(stack, psp)

    def booked():
        found = {f[0]: f for f in files(stack, psp)}
        one = found.get(payout["id"])
        return one if one and one[1] in ("booked", "refused") else None

    found = wait_for(booked, "the payout")
    assert found[1] == "booked", found
    assert found[2] >= 4, found
    assert found[5:7] == (0, 0), found
    matched = stack.value(
        "SELECT count(*) FROM pay.settlement_row r JOIN pay.settlement_link l "
        "USING (row_id) JOIN pay.settlement_file f USING (file_id) "
        "WHERE f.name = %s AND r.kind = 'sale'",
        payout["id"],
    )
    assert matched == 3
    paid = stack.value(
        "SELECT sum(e.amount_minor)::bigint FROM pay.journal_entry e "
        "JOIN pay.settlement_row r ON e.source = "
        "concat('payout/', r.source, '/', r.version, '/', r.row_key) "
        "JOIN pay.settlement_file f USING (file_id) WHERE f.name = %s",
        payout["id"],
    )
    assert paid == payout["amount"]


def test_a_payout_is_pulled_once(pulling):
    stack = pulling
    sold(stack, "stripe", 1)
    payout = settles(stack, "stripe")
    wait_for(
        lambda: (payout["id"], "booked")
        in [f[:2] for f in files(stack, "stripe")],
        "the payout",
    )
    before = [f for f in files(stack, "stripe") if f[0] == payout["id"]]
    runs = "SELECT runs FROM pay.settlement_look WHERE source = 'pull-stripe'"
    first = stack.value(runs)
    wait_for(lambda: stack.value(runs) >= first + 3, "three more looks")
    after = [f for f in files(stack, "stripe") if f[0] == payout["id"]]
    assert after == before
    assert len(after) == 1


def test_a_list_that_breaks_off_is_read_again(pulling):
    stack = pulling
    sold(stack, "stripe", 3)
    stack.mock.faults(
        {
            "dialect": "stripe",
            "operation": "settlement",
            "kind": "status",
            "times": 3,
        }
    )
    payout = settles(stack, "stripe")
    wait_for(
        lambda: (payout["id"], "booked")
        in [f[:2] for f in files(stack, "stripe")],
        "the payout, behind the mistakes",
    )
    failures = stack.value(
        "SELECT failures FROM pay.settlement_look "
        "WHERE source = 'pull-stripe'"
    )
    assert failures >= 1
    twice = stack.value(
        "SELECT count(*) - count(DISTINCT row_key) FROM pay.settlement_row "
        "WHERE source = 'pull-stripe'"
    )
    assert twice == 0
