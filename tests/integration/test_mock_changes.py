"""The mock PSP after the sale: each call takes effect once, never for more than
there is, and is refused in the PSP's words."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.mock_changes import change, refund
from support.mock_client import (
    ADYEN,
    DIALECTS,
    USD,
    paypals,
    said,
)

INTENTS = "/stripe/v1/payment_intents"
MANUAL = {"payment_intent_data[capture_method]": "manual"}
SEVERAL = MANUAL | {
    "payment_method_options[card][request_multicapture]": "if_available"
}


def money(psp, made: dict) -> dict:
    return psp.booked(made["token"])["money"]


def refused(dialect: str, answer) -> tuple:
    return answer.status_code, said(dialect, answer)


# Refunds.

FIRST = {
    "adyen": (201, "received"),
    "generic": (201, "done"),
    "mollie": (201, "queued"),
    "paypal": (201, "COMPLETED"),
    "square": (200, "PENDING"),
    "stripe": (200, "succeeded"),
}
# Of more than is left; Adyen tells of it later.
OVER = {
    "generic": (422, "amount_too_large"),
    "mollie": (422, "amount"),
    "paypal": (422, "REFUND_AMOUNT_EXCEEDED"),
    "square": (400, "REFUND_AMOUNT_INVALID"),
    "stripe": (400, "invalid_request_error"),
}
REUSED = {
    "adyen": (422, "704"),
    "generic": (422, "nonce_reused"),
    "stripe": (400, "idempotency_error"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_refund_is_made_once_by_its_key(psp, dialect):
    made, key = psp.paid(dialect), f"{uuid.uuid4()}:refund"[-45:]
    first = refund(psp, dialect, made, 1000, key)
    again = refund(psp, dialect, made, 1000, key)
    body = first.json()
    assert (first.status_code, body.get("refund", body)["status"]) == FIRST[
        dialect
    ]
    assert body == again.json()
    if dialect == "stripe":
        assert again.headers["Idempotent-Replayed"] == "true"
    (deed,) = psp.books(token=made["token"])["deeds"]
    assert deed["amount_minor"] == 1000
    if dialect in REUSED:
        other = refund(psp, dialect, made, 999, key)
        assert refused(dialect, other) == REUSED[dialect]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_refunds_never_exceed_the_payment(psp, dialect):
    made = psp.paid(dialect)
    assert refund(psp, dialect, made, 1200).is_success
    over = refund(psp, dialect, made, 35)
    if dialect == "adyen":
        assert over.json()["status"] == "received"
        told = [e for e in psp.told(dialect, 3) if e["eventCode"] == "REFUND"]
        assert [each["success"] for each in told] == ["true", "false"]
    else:
        assert refused(dialect, over) == OVER[dialect]
    assert refund(psp, dialect, made, 34).is_success
    assert money(psp, made)["refundable"] == 0


@pytest.mark.parametrize(
    ("dialect", "word"),
    [
        ("paypal", "CAPTURE_FULLY_REFUNDED"),
        ("stripe", "charge_already_refunded"),
    ],
)
def test_a_refund_without_an_amount_is_of_what_is_left(psp, dialect, word):
    made = psp.paid(dialect)
    refund(psp, dialect, made, 1000)
    rest = refund(psp, dialect, made).json()["amount"]
    assert rest == (234 if dialect == "stripe" else paypals("2.34"))
    assert said(dialect, refund(psp, dialect, made)) == word


def test_concurrent_refunds_never_exceed_what_was_captured(psp):
    made = psp.paid("generic")
    with ThreadPoolExecutor(8) as pool:
        heard = list(
            pool.map(lambda _: refund(psp, "generic", made, 400), range(8))
        )
    statuses = sorted(each.status_code for each in heard)
    assert statuses == [201] * 3 + [422] * 5
    assert money(psp, made)["refunded"] == 1200


UNKNOWN = {
    "adyen": (422, "167"),
    "generic": (404, "not_found"),
    "square": (404, "NOT_FOUND"),
    "stripe": (404, "resource_missing"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_unknown_payment_is_not_refunded(psp, dialect):
    nobody = {"payment": "pi_3no", "token": "reg_none"}
    answer = refund(psp, dialect, nobody, 1)
    assert answer.status_code == UNKNOWN.get(dialect, (404,))[0]
    if dialect in UNKNOWN:
        assert refused(dialect, answer) == UNKNOWN[dialect]


BAD = [
    ("adyen", {"merchantAccount": "Other"}, 403, "901"),
    ("adyen", {"amount": {"value": 1, "currency": "EUR"}}, 422, "137"),
    ("adyen", {"amount": {"value": 0, "currency": "USD"}}, 422, "137"),
    ("adyen", {"merchantRefundReason": "BECAUSE"}, 400, "702"),
    ("adyen", {"unknown": 1}, 400, "702"),
    ("square", {"idempotency_key": "x" * 46}, 400, "VALUE_TOO_LONG"),
    ("paypal", {"amount": paypals("1.00", "EUR")}, 422,
     "REFUND_CAPTURE_CURRENCY_MISMATCH"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "more", "status", "word"), BAD)
def test_a_wrong_refund_is_refused(psp, dialect, more, status, word):
    answer = refund(psp, dialect, psp.paid(dialect), 1, **more)
    assert refused(dialect, answer) == (status, word)


def test_a_refunded_paypal_order_says_so(psp):
    made = psp.paid("paypal")
    for minor, word in ((234, "PARTIALLY_REFUNDED"), (1000, "REFUNDED")):
        refund(psp, "paypal", made, minor)
        (unit,) = psp.query("paypal", made["token"]).json()["purchase_units"]
        assert unit["payments"]["captures"][0]["status"] == word
    assert psp.types("paypal", 3)[1:] == ["PAYMENT.CAPTURE.REFUNDED"] * 2


def test_a_refunded_mollie_payment_stays_paid(psp):
    made = psp.paid("mollie")
    answer = refund(psp, "mollie", made, 1000)
    assert answer.json()["paymentId"] == made["token"]
    shown = psp.query("mollie", made["token"]).json()
    assert (shown["status"], shown["amountRefunded"]["value"]) == (
        "paid",
        "10.00",
    )


def test_what_is_not_paid_is_not_refunded(psp):
    opened = psp.made("mollie") | {"payment": ""}
    assert refund(psp, "mollie", opened, 100).status_code == 422
    psp.control("settings", pending_ms=60000)
    made = psp.made("paypal")
    psp.buy(made, "4000000000003220")
    (unit,) = psp.post("paypal", f"/{made['token']}/capture").json()[
        "purchase_units"
    ]
    capture = unit["payments"]["captures"][0]
    answer = refund(psp, "paypal", made | {"payment": capture["id"]})
    assert said("paypal", answer) == "PENDING_CAPTURE"


# The dialect generic: every change.


def registered(psp, result: str | None = None) -> str:
    made = psp.made("generic")
    if result:
        psp.pay(made["token"], result)
    return made["token"]


def status(psp, token: str) -> str:
    return psp.query("generic", token).json()["status"]


def test_a_capture_takes_approved_money_and_repeats_what_was_asked(psp):
    token = registered(psp, "approved")
    assert status(psp, token) == "approved"
    answer = change(psp, token, "capture", nonce="018f0:capture")
    made = answer.json()
    assert answer.status_code == 201
    assert made["id"].startswith("chg_") and made["status"] == "done"
    assert made["payment_id"].startswith("pay_")
    assert (made["nonce"], made["token"]) == ("018f0:capture", token)
    assert (made["amount"], made["currency"]) == ("12.34", "USD")
    assert status(psp, token) == "paid"
    assert psp.types("generic", 2) == [
        "registration.approved",
        "registration.paid",
    ]


def test_a_cancel_and_an_expire_end_what_is_not_paid(psp):
    token = registered(psp, "approved")
    answer = change(psp, token, "cancel")
    assert (answer.status_code, answer.json()["status"]) == (201, "done")
    assert "amount" not in answer.json()
    assert status(psp, token) == "cancelled"
    token = registered(psp)
    answer = change(psp, token, "expire")
    assert (answer.status_code, answer.json()["status"]) == (200, "expired")
    assert status(psp, token) == "expired"


def test_an_expire_after_the_payment_tells_that_it_was_paid(psp):
    token = registered(psp, "paid")
    assert change(psp, token, "expire").json()["status"] == "paid"
    assert status(psp, token) == "paid"


@pytest.mark.parametrize(
    ("before", "kind", "wanted"),
    [
        (None, "capture", "not_approved"),
        ("paid", "capture", "not_approved"),
        ("paid", "cancel", "not_approved"),
        ("expired", "capture", "not_approved"),
        ("approved", "refund", "not_paid"),
        (None, "refund", "not_paid"),
        ("approved", "expire", "not_open"),
        ("pending", "expire", "not_open"),
    ],
)
def test_what_does_not_fit_the_state_is_refused(psp, before, kind, wanted):
    token = registered(psp, before)
    was = status(psp, token)
    assert refused("generic", change(psp, token, kind)) == (422, wanted)
    assert status(psp, token) == was


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"amount": "12.33"}, "amount_invalid"),
        ({"amount": "12.340"}, "amount_invalid"),
        ({"amount": 12.34}, "invalid_request"),
        ({"currency": "EUR"}, "currency_invalid"),
        ({"nonce": "018f"}, "nonce_invalid"),
        ({"nonce": "018f:refund"}, "nonce_invalid"),
        ({"nonce": "x" * 100 + ":capture"}, "nonce_invalid"),
        ({"extra": "x"}, "unknown_member"),
        ({"reason": "x" * 101}, "invalid_request"),
    ],
)
def test_a_capture_that_is_not_well_formed_is_refused(psp, more, wanted):
    token = registered(psp, "approved")
    answer = change(psp, token, "capture", **more)
    assert refused("generic", answer) == (422, wanted)
    assert status(psp, token) == "approved"


def test_a_foreign_key_and_another_header_are_refused(psp):
    token = registered(psp, "approved")
    body = {"nonce": "018f:capture", "reference": "018f"}
    body |= {"amount": "12.34", "currency": "USD"}
    path = f"/{token}/capture"
    wrong = {"Authorization": "Bearer x"}
    assert (
        psp.post("generic", path, body, "018f:capture", **wrong).status_code
        == 401
    )
    other = psp.post("generic", path, body, "other")
    assert refused("generic", other) == (422, "nonce_invalid")


# The others: captures, cancels, what ends a registration.


@pytest.mark.parametrize("whose", ["payment", "change"])
def test_adyens_changes_are_received_and_told_later(psp, whose):
    """Adyen describes merchantReference as the payment's; it may be ours."""
    psp.control("settings", adyen_reference=whose)
    made = psp.paid("adyen")
    body = ADYEN | {"reference": "op-1"}
    amount = {"amount": USD | {"value": 1234}}
    wanted = []
    for kind, code, success, more in (
        ("captures", "CAPTURE", "true", amount),
        ("refunds", "REFUND", "true", amount),
        ("cancels", "CANCELLATION", "false", {}),
    ):
        path = f"/adyen/v72/payments/{made['payment']}/{kind}"
        answer = psp.post("adyen", path, body | more)
        assert answer.status_code == 201
        heard = answer.json()
        assert heard["status"] == "received"
        assert heard["paymentPspReference"] == made["payment"]
        wanted.append((heard["pspReference"], code, success))
    paid, *told = psp.told("adyen", 4)
    names = ("pspReference", "eventCode", "success")
    assert [tuple(each[name] for name in names) for each in told] == wanted
    reference = "checkout-1" if whose == "payment" else "op-1"
    for item in told:
        assert item["originalReference"] == made["payment"]
        assert item["merchantReference"] == reference


def test_only_adyens_open_links_expire_and_only_to_expired(psp):
    expired = {"status": "expired"}
    made, opened = psp.paid("adyen"), psp.made("adyen")
    path = f"/{made['token']}"
    late = psp.call("adyen", "PATCH", path, expired)
    assert said("adyen", late) == "14_015"
    assert psp.query("adyen", made["token"]).json()["status"] == "completed"
    path = f"/{opened['token']}"
    for body in ({"status": "paid"}, {}, expired | {"x": 1}):
        assert psp.call("adyen", "PATCH", path, body).status_code == 400
    assert psp.query("adyen", opened["token"]).json()["status"] == "active"
    answer = psp.call("adyen", "PATCH", path, expired)
    assert (answer.status_code, answer.json()["status"]) == (200, "expired")
    closed = psp.told("adyen", 2)[1]
    assert closed["eventCode"] == "OFFER_CLOSED"
    assert closed["merchantReference"] == "checkout-1"


def test_adyens_unknown_payment_is_not_cancelled(psp):
    path = "/adyen/v72/payments/0000000000000000/cancels"
    answer = psp.post("adyen", path, ADYEN | {"reference": "op-1"})
    assert said("adyen", answer) == "167"


def test_paypals_capture_takes_the_money_once(psp):
    made = psp.made("paypal")
    psp.buy(made)
    path = f"/{made['token']}/capture"
    first = psp.post("paypal", path, None, "cap-1")
    again = psp.post("paypal", path, None, "cap-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["status"] == "COMPLETED"
    (capture,) = first.json()["purchase_units"][0]["payments"]["captures"]
    assert (capture["status"], capture["amount"]) == (
        "COMPLETED",
        paypals("12.34"),
    )
    other = psp.post("paypal", path, None, "cap-2")
    assert refused("paypal", other) == (422, "ORDER_ALREADY_CAPTURED")
    approved, done = psp.told("paypal", 2)
    assert approved["event_type"] == "CHECKOUT.ORDER.APPROVED"
    assert done["event_type"] == "PAYMENT.CAPTURE.COMPLETED"
    assert done["resource"]["id"] == capture["id"]
    related = done["resource"]["supplementary_data"]["related_ids"]
    assert related["order_id"] == made["token"]


def test_what_is_not_approved_at_paypal_is_not_captured(psp):
    made = psp.made("paypal")
    path = f"/{made['token']}/capture"
    early = psp.post("paypal", path)
    assert refused("paypal", early) == (422, "ORDER_NOT_APPROVED")
    assert psp.post("paypal", "/NOSUCH/capture").status_code == 404
    psp.pay(made["token"], "cancelled")
    late = psp.post("paypal", path)
    assert said("paypal", late) == "ORDER_COMPLETED_OR_VOIDED"


def test_an_echeck_is_pending_and_paid_later(psp):
    made = psp.made("paypal")
    assert psp.buy(made, "4000000000003220").status_code == 303
    done = psp.post("paypal", f"/{made['token']}/capture").json()
    (capture,) = done["purchase_units"][0]["payments"]["captures"]
    assert (done["status"], capture["status"]) == ("COMPLETED", "PENDING")
    assert capture["status_details"] == {"reason": "ECHECK"}
    assert psp.types("paypal", 3) == [
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.CAPTURE.PENDING",
        "PAYMENT.CAPTURE.COMPLETED",
    ]


def test_paypals_capture_can_be_denied_after_all(psp):
    made = psp.made("paypal")
    psp.buy(made)
    psp.pay(made["token"], "declined")
    now = psp.query("paypal", made["token"]).json()
    (capture,) = now["purchase_units"][0]["payments"]["captures"]
    assert (now["status"], capture["status"]) == ("COMPLETED", "DECLINED")
    assert psp.types("paypal", 2)[1] == "PAYMENT.CAPTURE.DENIED"


def test_deleting_squares_link_cancels_the_order_once(psp):
    made = psp.made("square")
    link = f"/{made['answer']['payment_link']['id']}"
    gone = psp.call("square", "DELETE", link)
    assert gone.json() == {"id": link[1:], "cancelled_order_id": made["token"]}
    again = psp.call("square", "DELETE", link)
    assert refused("square", again) == (404, "NOT_FOUND")
    order = psp.query("square", made["token"]).json()["order"]
    assert order["state"] == "CANCELED"
    assert psp.types("square", 1) == ["order.updated"]
    paid = psp.paid("square")["answer"]["payment_link"]
    assert psp.call("square", "DELETE", f"/{paid['id']}").json() == {
        "id": paid["id"]
    }


def test_square_completes_and_cancels_approved_payments_only(psp):
    made = psp.paid("square", "approved")
    order = psp.query("square", made["token"]).json()["order"]
    (tender,) = order["tenders"]
    assert tender["card_details"]["status"] == "AUTHORIZED"
    path = f"/square/v2/payments/{tender['payment_id']}"
    done = psp.post("square", f"{path}/complete").json()["payment"]
    assert (done["status"], done["id"]) == ("COMPLETED", tender["payment_id"])
    again = psp.post("square", f"{path}/complete")
    assert said("square", again) == "DELAYED_TRANSACTION_CAPTURED"
    assert psp.post("square", f"{path}/cancel").status_code == 400
    nobody = psp.post("square", "/square/v2/payments/none/cancel")
    assert nobody.status_code == 404


def test_an_open_mollie_payment_is_cancelled_once_and_a_paid_one_not(psp):
    path, key = f"/{psp.made('mollie')['token']}", str(uuid.uuid4())
    gone = psp.call("mollie", "DELETE", path, None, key)
    again = psp.call("mollie", "DELETE", path, None, key)
    assert (gone.status_code, gone.json()["status"]) == (200, "canceled")
    assert gone.json() == again.json()
    paid = f"/{psp.paid('mollie')['token']}"
    for other, wanted in ((path, 422), (paid, 422), ("/tr_none", 404)):
        answer = psp.call("mollie", "DELETE", other, None, str(uuid.uuid4()))
        assert answer.status_code == wanted


def test_mollie_captures_what_was_authorised(psp):
    made = psp.made("mollie")
    path = f"/{made['token']}/captures"
    body = {"amount": USD | {"value": "12.34"}}
    assert psp.post("mollie", path, body).status_code == 422
    psp.pay(made["token"], "approved")
    taken = psp.post("mollie", path, body)
    assert (taken.status_code, taken.json()["status"]) == (201, "succeeded")
    assert psp.query("mollie", made["token"]).json()["status"] == "paid"


# Stripe's PaymentIntents.


def session(psp, more: dict | None = None) -> tuple[dict, str]:
    """A session that the buyer is done with, and its intent's path."""
    made = psp.paid("stripe", change=more or {})
    shown = psp.query("stripe", made["token"]).json()
    return shown, f"{INTENTS}/{shown['payment_intent']}"


def test_a_manual_session_is_complete_and_unpaid_until_it_is_captured(psp):
    shown, path = session(psp, MANUAL)
    states = shown["status"], shown["payment_status"]
    assert states == ("complete", "unpaid")
    intent = psp.call("stripe", "GET", path).json()
    assert intent["status"] == "requires_capture"
    assert (intent["amount_capturable"], intent["amount_received"]) == (1234, 0)
    assert psp.types("stripe", 2) == [
        "checkout.session.completed",
        "payment_intent.amount_capturable_updated",
    ]


def test_one_capture_is_final_and_its_rest_is_given_back(psp):
    shown, path = session(psp, MANUAL)
    path += "/capture"
    intent = psp.post("stripe", path, {"amount_to_capture": "1000"}).json()
    assert intent["status"] == "succeeded"
    assert (intent["amount_capturable"], intent["amount_received"]) == (0, 1000)
    shown = psp.query("stripe", shown["id"]).json()
    assert (shown["payment_status"], shown["amount_total"]) == ("paid", 1234)
    again = psp.post("stripe", path, {"amount_to_capture": "100"})
    assert refused("stripe", again) == (400, "payment_intent_unexpected_state")
    taken, charge = psp.told("stripe", 4)[2:]
    assert taken["type"] == "payment_intent.succeeded"
    assert charge["type"] == "charge.captured"
    assert charge["data"]["object"]["amount_refunded"] == 234


def test_several_captures_need_to_be_asked_for(psp):
    _, path = session(psp, SEVERAL)
    path += "/capture"
    part = {"amount_to_capture": "400", "final_capture": "false"}
    intent = psp.post("stripe", path, part).json()
    assert intent["status"] == "requires_capture"
    assert intent["amount_capturable"] == 834
    over = psp.post("stripe", path, {"amount_to_capture": "835"})
    assert refused("stripe", over) == (400, "amount_too_large")
    assert psp.post("stripe", path).json()["amount_received"] == 1234
    _, path = session(psp, MANUAL)
    asked = psp.post("stripe", path + "/capture", part)
    assert refused("stripe", asked) == (400, "parameter_invalid")


def test_a_cancel_leaves_the_session_complete(psp):
    shown, path = session(psp, MANUAL)
    assert psp.post("stripe", path + "/cancel").json()["status"] == "canceled"
    shown = psp.query("stripe", shown["id"]).json()
    assert (shown["status"], shown["payment_status"]) == ("complete", "unpaid")
    types = psp.types("stripe", 4)[2:]
    assert types == ["payment_intent.canceled", "charge.refunded"]
    assert psp.post("stripe", path + "/cancel").status_code == 400


def test_amounts_are_stripes_own(psp):
    price = "line_items[0][price_data]"
    isk = {f"{price}[currency]": "isk", f"{price}[unit_amount]": "1200"}
    made = psp.paid("stripe", change=isk)
    odd = refund(psp, "stripe", made, 150)
    assert refused("stripe", odd) == (400, "parameter_invalid_integer")
    assert refund(psp, "stripe", made, 200).json()["amount"] == 200
    assert money(psp, made)["refunded"] == 2
