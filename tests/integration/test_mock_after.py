"""The mock PSP after the sale: what becomes of money that is held, taken, given
back, disputed and paid for, in the books and in each PSP's words."""

import pytest
from support.mock_changes import change, refund
from support.mock_client import ADYEN, DIALECTS, USD

MANUAL = {"payment_intent_data[capture_method]": "manual"}


def money(psp, made: dict) -> dict:
    return psp.booked(made["token"])["money"]


def told(psp, dialect: str, skipped: int) -> list[str]:
    """Types of the events behind those that told of the payment."""
    return [each["type"] for each in psp.books()["events"]][skipped:]


# What is told of a refund that is pending and then done, failed, or done and
# then returned; of a dispute that is won or lost.
CASE = "charge.dispute."
OPENED = [f"{CASE}created", f"{CASE}funds_withdrawn"]
TOLD = {
    "adyen": {
        "done": ["REFUND"],
        "failed": ["REFUND"],
        "returned": ["REFUND", "REFUND_FAILED"],
        "won": ["CHARGEBACK", "CHARGEBACK_REVERSED"],
        "lost": ["CHARGEBACK"],
    },
    "generic": {
        "done": ["refund.pending", "refund.done"],
        "failed": ["refund.pending", "refund.failed"],
        "returned": ["refund.done", "refund.failed"],
        "won": ["dispute.opened", "dispute.won"],
        "lost": ["dispute.opened", "dispute.lost"],
    },
    "mollie": {
        "done": ["refund.queued", "refund.refunded"],
        "failed": ["refund.queued", "refund.failed"],
        "returned": ["refund.queued", "refund.refunded", "refund.failed"],
        "won": ["chargeback.received", "chargeback.reversed"],
        "lost": ["chargeback.received"],
    },
    "paypal": {
        "done": ["PAYMENT.REFUND.PENDING", "PAYMENT.CAPTURE.REFUNDED"],
        "failed": ["PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED"],
        "returned": ["PAYMENT.CAPTURE.REFUNDED", "PAYMENT.REFUND.FAILED"],
        "won": ["CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.RESOLVED"],
        "lost": ["CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.RESOLVED"],
    },
    "square": {
        "done": ["refund.created", "refund.updated"],
        "failed": ["refund.created", "refund.updated"],
        "returned": ["refund.created", "refund.updated", "refund.updated"],
        "won": ["dispute.created", "dispute.state.updated"],
        "lost": ["dispute.created", "dispute.state.updated"],
    },
    "stripe": {
        "done": ["refund.created", "refund.updated", "charge.refunded"],
        "failed": ["refund.created", "refund.updated", "refund.failed"],
        "returned": ["refund.created", "charge.refunded"]
        + ["refund.updated", "refund.failed"],
        "won": [*OPENED, f"{CASE}funds_reinstated", f"{CASE}closed"],
        "lost": [*OPENED, f"{CASE}closed"],
    },
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("result", ["done", "failed", "returned"])
def test_refunds_end_as_they_are_told_to(psp, dialect, result):
    first = "done" if result == "returned" else "pending"
    psp.control("settings", refund_result=first)
    made = psp.paid(dialect)
    before = len(psp.books()["events"])
    refund(psp, dialect, made, 500)
    (deed,) = psp.books(token=made["token"])["deeds"]
    assert (deed["status"], deed["amount_minor"]) == (first, 500)
    if first == "done":
        psp.control("end", 409, id=deed["id"], result="failed")
    psp.control("end", id=deed["id"], result=result)
    assert told(psp, dialect, before) == TOLD[dialect][result]
    now = money(psp, made)
    refunded = 500 if result == "done" else 0
    assert (now["refunded"], now["refunding"]) == (refunded, 0)
    assert now["refundable"] == 1234 - refunded


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("result", ["won", "lost"])
def test_disputes_are_told_in_their_words(psp, dialect, result):
    made = psp.paid(dialect)
    before = len(psp.books()["events"])
    deed = psp.control("dispute", token=made["token"])
    psp.control("end", id=deed["id"], result=result)
    psp.control("end", 409, id=deed["id"], result="won")
    assert told(psp, dialect, before) == TOLD[dialect][result]
    assert money(psp, made)["disputed"] == (1234 if result == "lost" else 0)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_dashboard_refunds_what_is_left_and_no_more(psp, dialect):
    made = psp.paid(dialect)
    refund(psp, dialect, made, 500)
    deed = psp.control("refund", token=made["token"])
    assert (deed["amount_minor"], deed["key"]) == (734, "")
    psp.control("refund", 409, token=made["token"], amount_minor=1)
    psp.control("dispute", 409, token=made["token"])


def test_paypal_tells_of_a_capture_that_it_takes_back(psp):
    made = psp.paid("paypal")
    before = len(psp.books()["events"])
    psp.control("refund", token=made["token"], reason="reversed")
    assert told(psp, "paypal", before) == ["PAYMENT.CAPTURE.REVERSED"]
    assert money(psp, made)["refunded"] == 1234


def test_what_the_dashboard_does_has_no_key_of_ours(psp):
    made = held(psp)
    psp.control("capture", token=made["token"], amount_minor=500)
    psp.control("refund", token=made["token"], amount_minor=100)
    for event in psp.told("generic", 3)[1:]:
        assert "nonce" not in event["data"] and event["data"]["id"]
    deeds = psp.books(token=made["token"])["deeds"]
    assert {each["key"] for each in deeds} == {""}


@pytest.mark.parametrize(
    ("dialect", "word"),
    [("square", "processing_fee"), ("paypal", "paypal_fee")],
)
def test_fees_are_where_the_psp_has_them(psp, dialect, word):
    psp.control("settings", sale_fee_minor=47)
    psp.paid(dialect)
    got = psp.got(dialect, len(psp.books()["events"]))
    assert any(word.encode() in each["body"] for each in got)


def test_adyens_manual_links_are_captured_and_released(psp):
    def after(result: str, path: str = "", more=None) -> tuple:
        made = psp.paid("adyen", change={"manualCapture": True})
        before = len(psp.books()["events"])
        if path:
            path = f"/adyen/v72/payments/{made['payment']}/{path}"
            psp.post("adyen", path, ADYEN | {"reference": "op"} | more)
        else:
            psp.control("release", token=made["token"], result=result)
        return told(psp, "adyen", before), money(psp, made)

    types, now = after("", "captures", {"amount": USD | {"value": 500}})
    assert types == ["CAPTURE"]
    assert (now["captured"], now["authorized"]) == (500, 0)
    assert after("", "cancels", {})[0] == ["CANCELLATION"]
    assert after("expired")[0] == ["EXPIRE"]


# The dialect generic: money that is held.


def held(psp) -> dict:
    return psp.paid("generic", change={"capture": "manual"})


def part(psp, made: dict, amount: str, **more):
    return change(psp, made["token"], "capture", amount=amount, **more)


def shown(psp, made: dict) -> dict:
    return psp.query("generic", made["token"]).json()


def test_a_manual_registration_holds_the_money_and_says_so(psp):
    made = held(psp)
    now = shown(psp, made)
    assert (now["status"], now["capture"]) == ("authorized", "manual")
    assert now["payment_id"] and "captured" not in now
    (event,) = psp.told("generic", 1)
    assert event["type"] == "registration.authorized"
    assert event["data"]["amount"] == "12.34"
    assert money(psp, made)["authorized"] == 1234
    assert money(psp, made)["captured"] == 0


def test_captures_in_parts_add_up_and_the_last_one_pays(psp):
    made = held(psp)
    first = part(psp, made, "5.00").json()
    assert (first["status"], first["captured"]) == ("done", "5.00")
    assert shown(psp, made)["status"] == "authorized"
    second = part(psp, made, "7.34").json()
    assert second["captured"] == "12.34" and second["id"] != first["id"]
    assert shown(psp, made)["status"] == "paid"
    events = psp.told("generic", 4)
    assert [each["type"] for each in events] == [
        "registration.authorized",
        "capture.done",
        "capture.done",
        "registration.paid",
    ]
    captured = [each["data"]["captured"] for each in events[1:3]]
    assert captured == ["5.00", "12.34"]
    assert events[1]["data"]["nonce"] == first["nonce"]


def test_a_final_capture_gives_the_rest_back(psp):
    made = held(psp)
    part(psp, made, "5.00", final=True)
    now = shown(psp, made)
    assert (now["status"], now["captured"]) == ("paid", "5.00")
    assert money(psp, made)["authorized"] == 0
    again = part(psp, made, "1.00")
    assert again.json()["error"]["code"] == "not_approved"
    types = psp.types("generic", 2)
    assert types == ["registration.authorized", "capture.done"]


def test_no_more_is_captured_than_is_held(psp):
    made = held(psp)
    assert part(psp, made, "12.00").status_code == 201
    over = part(psp, made, "0.35")
    assert over.status_code == 422
    assert over.json()["error"]["code"] == "amount_too_large"
    assert money(psp, made)["captured"] == 1200


def test_pending_captures_count_until_they_have_failed(psp):
    psp.control("settings", capture_result="pending")
    made = held(psp)
    taken = part(psp, made, "12.00").json()
    assert (taken["status"], taken["captured"]) == ("pending", "0.00")
    assert part(psp, made, "1.00").status_code == 422
    psp.control("end", id=taken["id"], result="failed")
    assert money(psp, made)["authorized"] == 1234
    failed = psp.told("generic", 2)[1]
    assert failed["type"] == "capture.failed"
    assert failed["data"]["captured"] == "0.00" and failed["data"]["code"]
    psp.control("end", 409, id=taken["id"], result="done")


def test_a_void_gives_all_back_unless_something_was_captured(psp):
    made, other = held(psp), held(psp)
    assert change(psp, made["token"], "cancel").status_code == 201
    assert shown(psp, made)["status"] == "cancelled"
    part(psp, other, "5.00")
    assert change(psp, other["token"], "cancel").status_code == 201
    assert shown(psp, other)["status"] == "paid"
    assert money(psp, other)["captured"] == 500


@pytest.mark.parametrize(
    ("dialect", "manual", "wanted"),
    [
        ("generic", {"capture": "manual"}, ["registration.expired"]),
        ("stripe", MANUAL, ["payment_intent.canceled", "charge.expired"]),
    ],
)
def test_what_is_held_may_run_out(psp, dialect, manual, wanted):
    made = psp.paid(dialect, change=manual)
    before = len(psp.books()["events"])
    psp.control("release", token=made["token"], result="expired")
    assert told(psp, dialect, before) == wanted
    psp.control("release", 409, token=made["token"])
    if dialect == "stripe":
        canceled = psp.told("stripe", 4)[2]["data"]["object"]
        assert canceled["cancellation_reason"] == "automatic"
    else:
        assert shown(psp, made)["status"] == "expired"


@pytest.mark.parametrize(
    ("result", "status", "type_", "left"),
    [
        ("done", "done", "refund.done", 1034),
        ("pending", "pending", "refund.pending", 1034),
        ("failed", "refused", "refund.failed", 1234),
    ],
)
def test_a_refund_ends_as_it_was_set(psp, result, status, type_, left):
    psp.control("settings", refund_result=result)
    made = psp.paid("generic")
    answer = refund(psp, "generic", made, 200, reason="wrong size").json()
    assert answer["status"] == status
    assert ("code" in answer) == (result == "failed")
    event = psp.told("generic", 2)[1]
    assert event["type"] == type_
    assert event["data"]["id"] == answer["id"]
    assert event["data"]["nonce"] == answer["nonce"]
    assert event["data"]["amount"] == "2.00"
    assert money(psp, made)["refundable"] == left


def test_a_refund_that_comes_back_says_why(psp):
    made = psp.paid("generic")
    deed = refund(psp, "generic", made, 200).json()
    psp.control("end", id=deed["id"], result="returned")
    done, back = psp.told("generic", 3)[1:]
    assert done["data"]["id"] == back["data"]["id"] == deed["id"]
    assert back["data"]["code"] == "expired_or_canceled_card"


@pytest.mark.parametrize("fee", [True, False])
def test_a_dispute_is_of_what_is_left_and_costs_a_fee(psp, fee):
    made = psp.paid("generic")
    refund(psp, "generic", made, 200)
    deed = psp.control("dispute", token=made["token"], fee_minor=1500)
    assert refund(psp, "generic", made, 1).status_code == 422
    psp.control("end", id=deed["id"], result="won", returns_fee=fee)
    opened, won, *back = psp.told("generic", 4 + fee)[2:]
    assert (opened["data"]["amount"], opened["data"]["fee"]) == (
        "10.34",
        "15.00",
    )
    assert "fee" not in won["data"]
    assert money(psp, made)["fees"] == ({} if fee else {"USD": 1500})
    for each in back:
        assert each["type"] == "fee.returned"
        assert each["data"]["amount"] == "15.00"


def test_fees_come_with_what_they_are_for_or_alone(psp):
    psp.control("settings", sale_fee_minor=47, refund_fee_minor=10)
    made = psp.paid("generic")
    refund(psp, "generic", made, 100)
    psp.control("fee", token=made["token"], amount_minor=3, currency="EUR")
    paid, given, fee = (each["data"] for each in psp.told("generic", 3))
    assert paid["fee"] == "0.47" and given["fee"] == "0.10"
    assert (fee["amount"], fee["currency"]) == ("0.03", "EUR")
    assert money(psp, made)["fees"] == {"USD": 57, "EUR": 3}


# Stripe's objects.


def objects(psp, count: int, skipped: int) -> list[dict]:
    events = psp.told("stripe", count)[skipped:]
    return [each["data"]["object"] for each in events]


def test_a_refund_echoes_its_metadata_in_answer_and_events(psp):
    made = psp.paid("stripe")
    more = {"reason": "requested_by_customer", "metadata[operation]": "018f"}
    answer = refund(psp, "stripe", made, 200, **more).json()
    assert (answer["object"], answer["status"]) == ("refund", "succeeded")
    assert answer["metadata"] == {"operation": "018f"}
    created, charge = objects(psp, 3, 1)
    assert created == answer
    assert charge["amount_refunded"] == 200


@pytest.mark.parametrize(
    ("before", "result", "status"),
    [
        ("pending", "done", "succeeded"),
        ("pending", "failed", "failed"),
        ("done", "returned", "failed"),
    ],
)
def test_a_later_end_is_in_stripes_refund(psp, before, result, status):
    psp.control("settings", refund_result=before)
    made = psp.paid("stripe")
    deed = refund(psp, "stripe", made, 200).json()
    psp.control("end", id=deed["id"], result=result)
    count = 2 if before == "pending" else 3
    now = objects(psp, count + 2, count)[0]
    assert (now["id"], now["status"]) == (deed["id"], status)
    assert ("failure_balance_transaction" in now) == (result == "returned")
    assert ("failure_reason" in now) == (status == "failed")


def test_a_dispute_says_what_it_did_to_the_balance(psp):
    made = psp.paid("stripe")
    deed = psp.control("dispute", token=made["token"], fee_minor=1500)
    dispute = objects(psp, 3, 1)[0]
    assert (dispute["id"], dispute["status"]) == (deed["id"], "needs_response")
    assert dispute["payment_intent"] == made["payment"]
    (moved,) = dispute["balance_transactions"]
    assert (moved["amount"], moved["fee"], moved["net"]) == (-1234, 1500, -2734)
    answer = refund(psp, "stripe", made, 1)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "charge_disputed"


@pytest.mark.parametrize("fee", [True, False])
@pytest.mark.parametrize("result", ["won", "lost"])
def test_a_closed_dispute_says_how(psp, result, fee):
    made = psp.paid("stripe")
    deed = psp.control("dispute", token=made["token"], fee_minor=1500)
    psp.control("end", id=deed["id"], result=result, returns_fee=fee)
    dispute = objects(psp, 5 if result == "won" else 4, 3)[-1]
    assert dispute["status"] == result
    fees = {} if fee else {"USD": 1500}
    assert money(psp, made)["fees"] == fees
    if result == "won":
        back = dispute["balance_transactions"][1]
        assert (back["amount"], back["fee"]) == (1234, -1500 if fee else 0)


def test_what_a_payment_cost_is_in_its_expanded_charge(psp):
    psp.control("settings", sale_fee_minor=47)
    path = "/" + psp.paid("stripe")["token"]

    def expanded(what: str):
        return psp.call("stripe", "GET", f"{path}?expand[]={what}")

    whole = expanded("payment_intent.latest_charge.balance_transaction").json()
    cost = whole["payment_intent"]["latest_charge"]["balance_transaction"]
    assert (cost["amount"], cost["fee"], cost["net"]) == (1234, 47, 1187)
    plain = expanded("payment_intent").json()
    assert isinstance(plain["payment_intent"]["latest_charge"], str)
    assert expanded("x").status_code == 400
