"""After the sale, end to end: refunds, captures, disputes and fees, as the
storefront asks for them and as the PSP tells of them; each test ends with the
API, the journal, the wallets and the mock's books agreeing.
"""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.own_stack import wait_for
from support.sold import Sold, books_hold

PSPS = ("generic", "stripe")
DEFAULTS = {
    "capture_result": "done",
    "refund_result": "done",
    "sale_fee_minor": 0,
    "refund_fee_minor": 0,
}


@pytest.fixture
def shop(stack):
    yield stack
    stack.mock.settings(**DEFAULTS)
    books_hold(stack)


def slug(answer) -> tuple:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def events(made) -> list[str]:
    return [each["kind"] for each in made.stack.timeline(made.order_id)]


# Refunds.


@pytest.mark.parametrize("psp", PSPS)
def test_a_refund_is_done_at_once(shop, psp):
    made = Sold.paid(shop, psp)
    answer = made.refund("5.00", reason="wrong size", metadata={"n": 1})
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert shown["status"] == "SUCCESS"
    assert (shown["amount"], shown["currency"]) == ("5.00", "USD")
    assert shown["reason"] == "wrong size" and shown["metadata"] == {"n": 1}
    assert made.look(answer)["refund_id"] == shown["refund_id"]
    assert made.order()["amount_refundable"] == "7.34"
    assert made.booked() == [
        ("refund", 500),
        ("refund_reserved", 500),
        ("sale", 1234),
    ]
    assert made.balance() == {
        "available": "7.34",
        "pending": "0.00",
        "reserved": "0.00",
    }
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
@pytest.mark.parametrize(
    ("result", "status", "kind", "available"),
    [
        ("done", "SUCCESS", "refund", "7.34"),
        ("failed", "FAILED", "refund_released", "12.34"),
    ],
)
def test_a_pending_refund_is_ended_by_a_webhook(
    shop, psp, result, status, kind, available
):
    shop.mock.settings(refund_result="pending")
    made = Sold.paid(shop, psp)
    answer = made.refund("5.00")
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "EXECUTING"
    assert made.balance()["reserved"] == "5.00"
    made.agree()
    made.ended(made.deeds("refund")[0], result)
    shown = made.ends(answer, status)
    assert bool(shown["code"]) == (result == "failed")
    assert made.booked() == sorted(
        [(kind, 500), ("refund_reserved", 500), ("sale", 1234)]
    )
    assert made.balance()["available"] == available
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_refund_that_was_done_comes_back(shop, psp):
    made = Sold.paid(shop, psp)
    answer = made.refund("5.00")
    made.ends(answer, "SUCCESS")
    made.ended(made.deeds("refund")[0], "returned")
    made.ends(answer, "FAILED")
    assert made.reaches(amount_refunded="0.00")["amount_refundable"] == "12.34"
    assert ("refund_returned", 500) in made.booked()
    assert "refund_returned" in events(made)
    made.agree()
    made.ends(made.refund("12.34"), "SUCCESS")
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_refused_refund_releases_what_was_reserved(shop, psp):
    shop.mock.settings(refund_result="failed")
    made = Sold.paid(shop, psp)
    answer = made.refund("5.00")
    assert made.ends(answer, "FAILED")["code"] == "insufficient_funds"
    assert ("refund_released", 500) in made.booked()
    assert made.balance()["available"] == "12.34"
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_refund_without_an_amount_is_all_that_is_left(shop, psp):
    made = Sold.paid(shop, psp)
    made.ends(made.refund("5.00"), "SUCCESS")
    answer = made.refund()
    assert answer.json()["amount"] == "7.34"
    made.ends(answer, "SUCCESS")
    assert slug(made.refund())[0] == 409
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_more_than_is_left_is_refused_and_never_asked_for(shop, psp):
    made = Sold.paid(shop, psp)
    made.ends(made.refund("5.00"), "SUCCESS")
    assert slug(made.refund("7.35")) == (422, "amount-exceeds-remaining")
    assert len(made.deeds("refund")) == 1
    calls = shop.mock.books(token=made.token)["requests"]
    assert [each["operation"] for each in calls].count("refund") == 1
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_64_concurrent_refunds_never_exceed_the_payment(shop, psp):
    made = Sold.paid(shop, psp)

    def ask(_):
        with shop.client() as http:
            return made.refund("1.00", client=http)

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(ask, range(64)))
    taken = [each for each in answers if each.status_code in (201, 202)]
    refused = [slug(each) for each in answers if each not in taken]
    assert len(taken) == 12
    assert set(refused) <= {
        (409, "payment-state-conflict"),
        (422, "amount-exceeds-remaining"),
    }
    for each in taken:
        made.ends(each, "SUCCESS")
    assert made.money()["refunded"] == 1200
    assert len(made.deeds("refund")) == 12
    assert made.reaches(amount_refunded="12.00")["amount_refundable"] == "0.34"
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_repeated_refund_is_one_refund(shop, psp):
    made = Sold.paid(shop, psp)
    first = made.refund("5.00", made.id)
    again = made.refund("5.00", made.id)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["refund_id"] == first.json()["refund_id"]
    other = made.refund("6.00", made.id)
    assert slug(other) == (422, "idempotency-key-reused")
    assert len(made.deeds("refund")) == 1
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_refund_in_the_dashboard_is_booked(shop, psp):
    made = Sold.paid(shop, psp)
    made.at_psp("refund", amount_minor=500)
    shown = made.reaches(amount_refunded="5.00")
    assert shown["amount_refundable"] == "7.34"
    assert made.booked() == [("refund_external", 500), ("sale", 1234)]
    listed = shop.get(f"/v1/payments/{made.order_id}/refunds").json()
    (refund,) = listed["refunds"]
    assert (refund["status"], refund["amount"]) == ("SUCCESS", "5.00")
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_refund_in_the_dashboard_comes_back(shop, psp):
    made = Sold.paid(shop, psp)
    deed = made.at_psp("refund", amount_minor=500)
    made.reaches(amount_refunded="5.00")
    made.ended(deed, "returned")
    made.reaches(amount_refunded="0.00")
    assert ("refund_returned", 500) in made.booked()
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_the_dashboard_takes_what_a_refund_wanted(shop, psp):
    """The PSP has less left than we think: it refuses, and we believe it."""
    made = Sold.paid(shop, psp)
    made.silence()
    made.at_psp("refund", amount_minor=1000)
    answer = made.refund("5.00")
    made.ends(answer, "FAILED")
    for event in made.unsent():
        made.send(event)
    made.reaches(amount_refunded="10.00")
    made.agree()


# Disputes and fees.


@pytest.mark.parametrize("psp", PSPS)
@pytest.mark.parametrize(
    ("result", "returns", "available", "fees"),
    [
        ("won", True, "12.34", [("psp_fee", 1500), ("psp_fee_returned", 1500)]),
        ("won", False, "12.34", [("psp_fee", 1500)]),
        ("lost", False, "0.00", [("psp_fee", 1500)]),
    ],
)
def test_a_dispute_holds_the_money_until_it_is_decided(
    shop, psp, result, returns, available, fees
):
    made = Sold.paid(shop, psp)
    deed = made.at_psp("dispute", fee_minor=1500)
    made.reaches(amount_refundable="0.00")
    wait_for(lambda: ("psp_fee", 1500) in made.booked(), "the fee")
    assert made.balance() == {
        "available": "0.00",
        "pending": "0.00",
        "reserved": "12.34",
    }
    assert slug(made.refund("1.00"))[0] == 409
    made.agree()
    made.ended(deed, result, returns_fee=returns)
    wanted = sorted(
        [
            ("dispute_opened", 1234),
            (f"dispute_{result}", 1234),
            ("sale", 1234),
            *fees,
        ]
    )
    wait_for(lambda: made.booked() == wanted, f"{wanted}")
    assert made.balance()["available"] == available
    assert made.balance()["reserved"] == "0.00"
    assert f"dispute_{result}" in events(made)
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_dispute_of_a_part_leaves_the_rest_refundable(shop, psp):
    made = Sold.paid(shop, psp)
    made.at_psp("dispute", amount_minor=1000)
    made.reaches(amount_refundable="2.34")
    if psp == "generic":
        made.ends(made.refund("2.34"), "SUCCESS")
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_dispute_after_a_refund_was_asked_for(shop, psp):
    """Refunded in part, then disputed for what is left."""
    made = Sold.paid(shop, psp)
    made.ends(made.refund("2.00"), "SUCCESS")
    deed = made.at_psp("dispute")
    assert deed["amount_minor"] == 1034
    made.reaches(amount_refundable="0.00")
    made.ended(deed, "lost")
    wait_for(lambda: ("dispute_lost", 1034) in made.booked(), "the end")
    made.agree()


def test_what_a_sale_and_a_refund_cost_is_booked(shop):
    shop.mock.settings(sale_fee_minor=47, refund_fee_minor=10)
    made = Sold.paid(shop)
    made.ends(made.refund("5.00"), "SUCCESS")
    wait_for(lambda: made.booked().count(("psp_fee", 10)) == 1, "the fees")
    assert made.booked() == [
        ("psp_fee", 10),
        ("psp_fee", 47),
        ("refund", 500),
        ("refund_reserved", 500),
        ("sale", 1234),
    ]
    made.agree()


def test_a_fee_in_another_currency_keeps_to_it(shop):
    made = Sold.paid(shop)
    made.at_psp("fee", amount_minor=30, currency="EUR")
    wait_for(lambda: ("psp_fee", 30) in made.booked(), "the fee")
    made.at_psp("fee", amount_minor=30, currency="EUR", status="returned")
    wait_for(lambda: ("psp_fee_returned", 30) in made.booked(), "its return")
    rows = shop.sql(
        "SELECT DISTINCT l.currency FROM pay.journal_line l "
        "JOIN pay.journal_entry e USING (merchant_id, source, kind) "
        "WHERE e.checkout_id = %s AND e.kind LIKE 'psp_fee%%'",
        made.id,
    )
    assert rows == [("EUR",)]
    assert made.balance()["available"] == "12.34"
    made.agree()


# Money that is captured later.


@pytest.mark.parametrize("psp", PSPS)
def test_held_money_is_pending_until_it_is_captured(shop, psp):
    made = Sold.paid(shop, psp, capture="manual")
    assert made.status() == "EXECUTING"
    assert "authorized" in events(made)
    assert made.balance() == {
        "available": "0.00",
        "pending": "12.34",
        "reserved": "0.00",
    }
    assert slug(made.refund("1.00")) == (409, "payment-state-conflict")
    made.agree()
    answer = made.capture()
    assert answer.status_code == 201, answer.text
    made.ends(answer, "SUCCESS")
    made.becomes("SUCCESS")
    assert made.booked() == [
        ("authorized", 1234),
        ("sale", 1234),
        ("unauthorized", 1234),
    ]
    assert made.balance()["available"] == "12.34"
    made.agree()
    made.ends(made.refund("1.00"), "SUCCESS")
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_final_capture_of_a_part_releases_the_rest(shop, psp):
    made = Sold.paid(shop, psp, capture="manual")
    made.ends(made.capture("5.00", final=True), "SUCCESS")
    shown = made.reaches(amount_captured="5.00", amount_authorized="0.00")
    assert shown["status"] == "SUCCESS"
    assert made.booked() == [
        ("authorized", 1234),
        ("sale", 500),
        ("unauthorized", 500),
        ("unauthorized", 734),
    ]
    assert made.balance() == {
        "available": "5.00",
        "pending": "0.00",
        "reserved": "0.00",
    }
    assert slug(made.capture("1.00"))[0] == 409
    assert slug(made.refund("5.01")) == (422, "amount-exceeds-remaining")
    made.agree()


def test_several_captures_add_up(shop):
    made = Sold.paid(shop, capture="manual")
    made.ends(made.capture("5.00"), "SUCCESS")
    shown = made.reaches(amount_captured="5.00", amount_authorized="7.34")
    assert shown["status"] == "SUCCESS"
    over = made.capture("7.35")
    assert slug(over) == (422, "amount-exceeds-remaining")
    made.ends(made.refund("4.00"), "SUCCESS")
    made.ends(made.capture("7.00"), "SUCCESS")
    made.ends(made.capture(), "SUCCESS")
    made.reaches(amount_captured="12.34", amount_authorized="0.00")
    assert [each for each in made.booked() if each[0] == "sale"] == [
        ("sale", 34),
        ("sale", 500),
        ("sale", 700),
    ]
    assert slug(made.capture("0.01"))[0] == 409
    made.agree()


@pytest.mark.parametrize(
    ("result", "status"), [("done", "SUCCESS"), ("failed", "FAILED")]
)
def test_a_pending_capture_is_ended_by_a_webhook(shop, result, status):
    shop.mock.settings(capture_result="pending")
    made = Sold.paid(shop, capture="manual")
    answer = made.capture("5.00")
    assert answer.json()["status"] == "EXECUTING"
    assert slug(made.capture("7.35")) == (422, "amount-exceeds-remaining")
    made.ended(made.deeds("capture")[0], result)
    made.ends(answer, status)
    shop.mock.settings(capture_result="done")
    left = "7.34" if result == "done" else "12.34"
    made.ends(made.capture(left), "SUCCESS")
    made.reaches(amount_authorized="0.00", amount_captured="12.34")
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_void_gives_the_money_back(shop, psp):
    made = Sold.paid(shop, psp, capture="manual")
    answer = made.cancel(reason="sold out")
    assert answer.status_code == 201, answer.text
    made.ends(answer, "SUCCESS")
    made.becomes("FAILED", "cancelled")
    made.reaches(amount_authorized="0.00")
    assert made.booked() == [("authorized", 1234), ("unauthorized", 1234)]
    assert made.balance()["pending"] == "0.00"
    assert slug(made.capture())[0] == 409
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
@pytest.mark.parametrize("result", ["cancelled", "expired"])
def test_held_money_that_goes_back_by_itself_is_released(shop, psp, result):
    made = Sold.paid(shop, psp, capture="manual")
    made.at_psp("release", result=result)
    wait_for(lambda: made.status() == "FAILED", "the release")
    made.reaches(amount_authorized="0.00")
    assert made.booked() == [("authorized", 1234), ("unauthorized", 1234)]
    assert slug(made.capture("1.00"))[0] == 409
    made.agree()


@pytest.mark.parametrize("result", ["cancelled", "expired"])
def test_the_rest_of_what_was_captured_in_part_is_released(shop, result):
    made = Sold.paid(shop, capture="manual")
    made.ends(made.capture("5.00"), "SUCCESS")
    made.at_psp("release", result=result)
    shown = made.reaches(amount_authorized="0.00")
    assert (shown["status"], shown["amount_captured"]) == ("SUCCESS", "5.00")
    assert made.balance()["pending"] == "0.00"
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_capture_in_the_dashboard_is_booked(shop, psp):
    made = Sold.paid(shop, psp, capture="manual")
    made.at_psp("capture")
    made.becomes("SUCCESS")
    made.reaches(amount_captured="12.34", amount_authorized="0.00")
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_last_capture_in_the_dashboard_ends_the_hold(shop, psp):
    made = Sold.paid(shop, psp, capture="manual")
    made.at_psp("capture", amount_minor=500, final=True)
    made.becomes("SUCCESS")
    made.reaches(amount_captured="5.00", amount_authorized="0.00")
    assert made.balance()["pending"] == "0.00"
    assert "released" in [
        each["kind"] for each in made.stack.timeline(made.order_id)
    ]
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_cancel_before_the_buyer_pays_closes_the_page(shop, psp):
    made = Sold.of(shop, psp)
    answer = made.cancel(reason="changed my mind")
    made.ends(answer, "SUCCESS")
    # the PSP's own message about the page may be faster than its answer
    assert made.states() <= {("FAILED", "cancelled"), ("FAILED", "expired")}
    (booked,) = shop.mock.books(token=made.token)["registrations"]
    assert booked["status"] == "expired"
    assert made.booked() == []
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_a_cancel_of_what_is_paid_is_refused(shop, psp):
    made = Sold.paid(shop, psp)
    assert slug(made.cancel()) == (409, "payment-state-conflict")
    made.agree()


# Events that come early, twice or in another order.


def told_later(shop, *deeds, psp="generic", **more) -> tuple:
    """A checkout about which nothing was told yet, and its events."""
    made = Sold.of(shop, psp, **more)
    made.silence()
    shop.mock.pay(made.token)
    for what, body in deeds:
        made.at_psp(what, **body)
    return made, made.unsent()


def final(made) -> tuple:
    """What must not depend on the order of events.  Captures that are told
    together may be booked as one, and money that is captured before we hear
    that it was held is never pending: that all of it is paid is a surprise
    then, which people hear of.
    """
    sums = made.sums()
    held = sums.pop("authorized", 0) - sums.pop("unauthorized", 0)
    assert held == made.columns()["authorized"]
    return (
        made.order()["status"],
        made.columns(),
        sums,
        made.balance(),
        set(events(made)) - {"captured", "authorized", "contradiction"},
    )


def permuted(shop, *deeds, psp, **more) -> None:
    first, told = told_later(shop, *deeds, psp=psp, **more)
    assert len(told) == 4, [each["type"] for each in told]
    for event in told:
        first.send(event)
    wanted = final(first)
    first.agree()
    for order in list(itertools.permutations(range(4)))[1:]:
        made, told = told_later(shop, *deeds, psp=psp, **more)
        for place in order:
            assert made.send(told[place]) != "mismatch", order
        for event in reversed(told):
            assert made.send(event) == "duplicate"
        assert final(made) == wanted, order
        made.agree()


def test_every_order_of_sale_refund_dispute_and_fee_ends_the_same(shop):
    permuted(
        shop,
        ("refund", {"amount_minor": 500}),
        ("dispute", {"amount_minor": 300}),
        ("fee", {"amount_minor": 47}),
        psp="generic",
    )


def test_every_order_of_authorisation_and_captures_ends_the_same(shop):
    permuted(
        shop,
        ("capture", {"amount_minor": 500}),
        ("capture", {"amount_minor": 734}),
        psp="generic",
        capture="manual",
    )


def test_every_order_of_stripes_dispute_ends_the_same(shop):
    permuted(
        shop,
        ("dispute", {"amount_minor": 300, "fee_minor": 1500}),
        ("fee", {"amount_minor": 47}),
        ("refund", {"amount_minor": 500, "result": "pending"}),
        psp="stripe",
    )


@pytest.mark.parametrize("psp", PSPS)
@pytest.mark.parametrize("result", ["won", "lost"])
def test_the_end_of_a_dispute_may_come_before_its_beginning(shop, psp, result):
    made = Sold.paid(shop, psp)
    made.silence()
    deed = made.at_psp("dispute")
    made.ended(deed, result)
    for event in reversed(made.unsent()):
        made.send(event)
    assert made.booked() == sorted(
        [
            ("dispute_opened", 1234),
            (f"dispute_{result}", 1234),
            ("sale", 1234),
        ]
    )
    made.agree()


def test_a_refund_of_a_payment_that_is_not_known_yet_waits_for_it(shop):
    """It names the payment by the PSP's id alone, which the event of the
    payment brings."""
    made = Sold.of(shop)
    made.silence()
    shop.mock.pay(made.token)
    made.at_psp("refund", amount_minor=500)
    paid, refund = made.unsent()
    body = refund["unsent"]["body"]
    assert made.token in body
    alone = shop.mock.webhook(
        dialect="generic",
        type="refund.done",
        data=without_token(body),
    )
    assert alone["status"] == 200 and '"parked"' in alone["body"]
    assert made.booked() == []
    made.send(paid)
    made.reaches(amount_refunded="5.00")
    assert made.booked() == [("refund_external", 500), ("sale", 1234)]
    assert made.send(refund) == "unchanged"
    made.agree()


def without_token(body: str) -> dict:
    data = json.loads(body)["data"]
    del data["token"]
    return data


@pytest.mark.parametrize("psp", PSPS)
def test_a_refunds_webhook_that_overtakes_its_answer_books_once(shop, psp):
    made = Sold.paid(shop, psp)
    shop.mock.faults(
        {"operation": "refund", "kind": "delay", "ms": 400, "nonce": made.nonce}
    )
    made.ends(made.refund("5.00"), "SUCCESS")
    assert made.booked().count(("refund", 500)) == 1
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_what_is_told_many_times_is_booked_once(shop, psp):
    shop.mock.faults(
        {"operation": "webhook", "kind": "duplicate", "n": 3, "times": 6}
    )
    made = Sold.paid(shop, psp)
    deed = made.at_psp("refund", amount_minor=500)
    made.reaches(amount_refunded="5.00")
    made.ended(deed, "returned")
    made.reaches(amount_refunded="0.00")
    assert made.booked() == [
        ("refund_external", 500),
        ("refund_returned", 500),
        ("sale", 1234),
    ]
    made.agree()


@pytest.mark.parametrize("psp", PSPS)
def test_each_order_of_a_checkout_is_refunded_by_itself(shop, psp):
    made = Sold.paid(shop, psp, amounts=("12.34", "5.00"))
    second = made.order_ids[1]
    body = {"amount": "5.00", "currency": "USD"}
    answer = made.change("refunds", order_id=second, **body)
    made.ends(answer, "SUCCESS")
    over = made.change("refunds", order_id=second, **body)
    assert over.status_code in (409, 422)
    made.ends(made.refund("12.34"), "SUCCESS")
    made.agree()


@pytest.mark.parametrize(
    ("currency", "amounts", "part"),
    [("JPY", ("1200",), "500"), ("KWD", ("1.230",), "0.230")],
)
@pytest.mark.parametrize("psp", PSPS)
def test_currencies_keep_their_decimals(shop, psp, currency, amounts, part):
    made = Sold.paid(shop, psp, amounts, currency=currency)
    made.ends(made.refund(part), "SUCCESS")
    made.at_psp("dispute")
    wait_for(lambda: made.columns()["charged_back"] > 0, "the dispute")
    made.agree()
