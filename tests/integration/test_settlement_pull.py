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
    # a source begins when it is first looked at: no payout may be older
    wait_for(
        lambda: own_stack.value(
            "SELECT count(*) FROM pay.settlement_look "
            "WHERE starts_with(source, 'pull-')"
        )
        == len(PSPS),
        "the beginning of all sources",
    )
    yield own_stack
    own_stack.mock.settings(list_page=6)
    own_stack.configure()


def files(stack, psp):
    return stack.sql(
        "SELECT name, state, row_count, matched, class1, class2, class3, "
        "reason FROM pay.settlement_file WHERE source = %s ORDER BY file_id",
        f"pull-{psp}",
    )


def sold(stack, psp, count):
    """The ids of so many new orders that are paid and booked."""
    orders = []
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
        orders.append(made.order_id)
    return orders


def settles(stack, psp):
    """The PSP closes its day; its one payout."""
    close = stack.mock.call("settle", dialect=psp, announce=False)
    (payout,) = close["payouts"]
    return payout


@pytest.mark.parametrize("psp", PSPS)
def test_payouts_are_pulled_page_by_page_and_booked(pulling, psp):
    stack = pulling

    def ended(payout):
        found = {f[0]: f for f in files(stack, psp)}
        one = found.get(payout["id"])
        return one if one and one[1] in ("booked", "refused") else None

    # all that other tests have sold, in large pages, or nothing: one sale
    # makes it a payout
    stack.mock.settings(list_page=100)
    sold(stack, psp, 1)
    close = stack.mock.call("settle", dialect=psp, announce=False)
    for payout in close["payouts"]:
        wait_for(
            lambda each=payout: ended(each),
            f"a payout of other tests, {payout}, of {files(stack, psp)}",
        )

    stack.mock.settings(list_page=2)
    sold(stack, psp, 3)
    payout = settles(stack, psp)
    found = wait_for(lambda: ended(payout), "the payout")
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


def read_again(stack, payout):
    """When its last version is, in hours from now; None: nothing is known."""
    return stack.value(
        "SELECT extract(epoch FROM max(reread_at) - now())::float8 / 3600 "
        "FROM pay.settlement_file WHERE name = %s",
        payout["id"],
    )


def asks_again(stack, payout):
    """The day has passed; the PSP has been asked since."""
    stack.sql(
        "UPDATE pay.settlement_file SET reread_at = now() - "
        "interval '1 second' WHERE name = %s AND reread_at IS NOT NULL",
        payout["id"],
    )
    wait_for(lambda: read_again(stack, payout) > 23, "the next reading")


def versions(stack, payout):
    return stack.sql(
        "SELECT version, state, class2, class3, reason "
        "FROM pay.settlement_file WHERE name = %s ORDER BY file_id",
        payout["id"],
    )


def booked(stack, psp, orders):
    """Entries of these orders and of none.  Jobs of other tests may book on for
    other orders of the stack."""
    return stack.value(
        "SELECT count(*) FROM pay.journal_entry WHERE psp = %s "
        "AND (payment_order_id IS NULL OR payment_order_id = ANY (%s))",
        psp,
        orders,
    )


@pytest.mark.parametrize("psp", PSPS)
def test_what_the_psp_alters_later_waits_for_an_operator(pulling, psp):
    stack = pulling
    stack.mock.settings(list_page=2)
    orders = sold(stack, psp, 3)
    close = stack.mock.call("settle", dialect=psp, announce=False)
    (payout,) = close["payouts"]
    wait_for(
        lambda: [each[1] for each in versions(stack, payout)] == ["booked"],
        "the payout",
    )
    entries = booked(stack, psp, orders)
    assert entries > len(orders)

    asks_again(stack, payout)
    assert [each[0] for each in versions(stack, payout)] == [1]

    # it stays a payout whose sums hold: nobody would see it otherwise
    changed = stack.mock.call(
        "settle",
        dialect=psp,
        announce=False,
        again=close["number"],
        faults=[{"kind": "amount", "row_kind": "sale", "by_minor": 100}],
    )
    (after,) = changed["payouts"]
    assert after["id"] == payout["id"]
    assert after["amount"] == payout["amount"] + 100
    asks_again(stack, payout)
    _, second = versions(stack, payout)
    assert second[:2] == (2, "booked"), second
    assert second[3] == 0
    waiting = stack.sql(
        "SELECT r.kind, x.finding, x.amount_minor "
        "FROM pay.settlement_exception x JOIN pay.settlement_row r "
        "USING (row_id) JOIN pay.settlement_file f USING (file_id) "
        "WHERE f.name = %s AND x.closed_at IS NULL ORDER BY 3",
        payout["id"],
    )
    assert waiting == [("payout", "changed", -100), ("sale", "changed", 100)]
    assert second[2] == 2
    assert booked(stack, psp, orders) == entries

    # the same once more is nothing new
    asks_again(stack, payout)
    assert len(versions(stack, payout)) == 2


def test_an_altered_settlement_that_does_not_hold_is_refused(pulling):
    """And is asked for again a day later, when it may hold."""
    stack = pulling
    sold(stack, "stripe", 1)
    close = stack.mock.call("settle", dialect="stripe", announce=False)
    (payout,) = close["payouts"]
    wait_for(
        lambda: [each[1] for each in versions(stack, payout)] == ["booked"],
        "the payout",
    )
    wrong = [{"kind": "amount", "row_kind": "sale", "declared": False}]
    again = {"again": close["number"], "faults": wrong}
    stack.mock.call("settle", dialect="stripe", announce=False, **again)
    asks_again(stack, payout)
    first, second = versions(stack, payout)
    assert (first[1], second[1]) == ("booked", "refused")
    assert "payout-differs" in second[4], second
    wrong[0] |= {"declared": True, "by_minor": -100}
    again["faults"] = [*wrong, {"kind": "extra", "amount_minor": 100}]
    stack.mock.call("settle", dialect="stripe", announce=False, **again)
    asks_again(stack, payout)
    first, second = versions(stack, payout)
    assert second[:2] == (2, "booked"), second


def test_one_that_cannot_be_read_again_is_tried_in_an_hour(pulling):
    stack = pulling
    sold(stack, "stripe", 1)
    payout = settles(stack, "stripe")
    wait_for(
        lambda: [each[1] for each in versions(stack, payout)] == ["booked"],
        "the payout",
    )
    # the PSP does not know it any more
    lost = {"id": payout["id"] + "lost"}
    failed = (
        "SELECT failures FROM pay.settlement_look WHERE source = 'pull-stripe'"
    )
    before = stack.value(failed)
    stack.sql(
        "UPDATE pay.settlement_file SET name = %s, reread_at = now() - "
        "interval '1 second' WHERE name = %s",
        lost["id"],
        payout["id"],
    )
    wait_for(lambda: stack.value(failed) > before, "a look that fails")
    assert 0.9 < read_again(stack, lost) <= 1
    assert [each[0] for each in versions(stack, lost)] == [1]
    # new ones come all the same
    sold(stack, "stripe", 1)
    payout = settles(stack, "stripe")
    wait_for(lambda: versions(stack, payout), "the next payout")
