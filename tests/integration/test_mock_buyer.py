"""The mock PSP's hosted page, what becomes of a registration, and the shop."""

import base64
import hashlib
import hmac
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from support.mock_client import DIALECTS, RETURN, at, ends
from support.mock_server import until


@pytest.fixture(params=DIALECTS)
def hosted(request, psp):
    return request.param, psp.made(request.param)


@pytest.fixture(params=["generic", "stripe"])
def own(request, psp):
    """The two whose page is no copy of another's."""
    return request.param, psp.made(request.param)


def status(psp) -> str:
    return psp.books()["registrations"][0]["status"]


# The page.


def test_the_page_can_be_read_on_a_phone_without_scripts(psp, own):
    text = psp.http.get(own[1]["page"]).text
    assert 'name="viewport"' in text
    assert "<script" not in text
    assert "12.34 USD" in text
    for field in ("number", "expiry", "cvc"):
        assert f'name="{field}"' in text


def test_names_on_the_page_are_escaped(psp):
    line = {"payment_order_id": "p", "name": "<b>&", "amount": "12.34"}
    made = psp.made("generic", change={"lines": [line]})
    text = psp.http.get(made["page"]).text
    assert "&lt;b&gt;&amp;" in text
    assert "<b>" not in text


def test_a_good_card_pays_and_leads_back(psp, hosted):
    dialect, made = hosted
    answer = psp.buy(made, "4242 4242 4242 4242")
    assert answer.status_code == 303
    back = answer.headers["Location"]
    query = parse_qs(urlsplit(back).query)
    token = [made["token"]]
    if dialect == "paypal":
        assert back.startswith(RETURN + "?h=1&token=")
        assert query["token"] == token and len(query["PayerID"]) == 1
    elif dialect == "square":
        assert back.startswith(RETURN) and query["orderId"] == token
    else:
        wanted = RETURN + (f"?sid={token[0]}" if dialect == "stripe" else "")
        assert back == wanted
    paid = "approved" if dialect == "paypal" else "paid"
    assert status(psp) == paid
    told = len(psp.books()["events"])
    psp.got(dialect, told)
    assert f"is {paid}" in psp.buy(made).text
    assert len(psp.books()["events"]) == told


DECLINED = {
    "adyen": {
        "eventCode": "AUTHORISATION",
        "success": "false",
        "reason": "Refused",
        "additionalData.refusalReasonRaw": "05 : Do not honor",
    },
    "generic": {"type": "registration.declined", "data.code": "card_declined"},
    "square": {
        "data.object.payment.status": "FAILED",
        "data.object.payment.card_details.errors.0.code": "CARD_DECLINED",
    },
}


def test_a_declined_buyer_may_try_again(psp, hosted):
    dialect, made = hosted
    answer = psp.buy(made, "4000000000000002")
    assert answer.status_code == 402
    assert "declined" in answer.text
    said = DECLINED.get(dialect, {})
    tried = {"stripe": 2}.get(dialect, bool(said))
    assert len(psp.books()["events"]) == tried
    ends_it = dialect in ("generic", "square")
    assert status(psp) == ("declined" if ends_it else "open")
    if dialect == "square":
        order = psp.query(dialect, made["token"]).json()["order"]
        assert order["state"] == "DRAFT"
    if said:
        (event,) = psp.told(dialect, 1)
        assert {path: at(event, path) for path in said} == said
    assert psp.buy(made).status_code == 303
    assert status(psp) == ("approved" if dialect == "paypal" else "paid")
    if dialect == "adyen":
        both = psp.told(dialect, 2)
        assert [each["success"] for each in both] == ["false", "true"]
        assert len({each["pspReference"] for each in both}) == 2


@pytest.mark.parametrize(
    ("answer", "wanted"), [("approve", "paid"), ("refuse", None)]
)
def test_the_bank_is_asked(psp, own, answer, wanted):
    dialect, made = own
    asked = psp.buy(made, "4000002500003155")
    challenge = asked.headers["Location"]
    assert challenge == made["page"] + "/challenge"
    assert "Approve" in psp.http.get(challenge).text
    psp.http.post(challenge, data={"answer": answer})
    refused = "declined" if dialect == "generic" else "open"
    assert status(psp) == (wanted or refused)


def test_the_challenge_cannot_be_answered_without_a_card(psp, own):
    psp.http.post(own[1]["page"] + "/challenge", data={"answer": "approve"})
    assert status(psp) == "open"


PENDING = {
    "adyen": ["AUTHORISATION"],
    "generic": ["registration.pending", "registration.paid"],
    "mollie": ["payment.pending", "payment.paid"],
    "stripe": [
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
    ],
}


@pytest.mark.parametrize("dialect", PENDING)
def test_a_pending_payment_is_paid_later(psp, dialect):
    psp.control("settings", pending_ms=300)
    made = psp.made(dialect)
    assert psp.buy(made, "4000000000003220").status_code == 303
    assert status(psp) == "pending"
    if dialect == "adyen":
        shown = psp.query(dialect, made["token"]).json()
        assert shown["status"] == "paymentPending"
        assert psp.receiver.got == []
    until(lambda: status(psp) == "paid", "the money")
    types = psp.types(dialect, len(PENDING[dialect]))
    assert types == PENDING[dialect]


@pytest.mark.parametrize(
    ("number", "more"),
    [
        ("4242424242424241", {}),
        ("4242", {}),
        ("4242424242424242", {"expiry": "01/20"}),
        ("4242424242424242", {"expiry": "13/39"}),
        ("4242424242424242", {"cvc": "x"}),
        ("4000000000000069", {}),
        ("5555555555554444", {}),
        ("<script>alert(1)</script>", {}),
        ("", {"expiry": "", "cvc": ""}),
    ],
)
def test_bad_cards_pay_nothing(psp, own, number, more):
    answer = psp.buy(own[1], number, **more)
    assert answer.status_code == 402
    assert "<script" not in answer.text
    assert status(psp) in ("open", "declined")


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d != "square"])
def test_the_cancel_link_leads_back(psp, dialect):
    made = psp.made(dialect)
    answer = psp.http.get(made["page"] + "/cancel")
    assert answer.status_code == 303
    more = {"mollie": "?cancelled=1", "stripe": "?cancelled=1"}
    more |= {"paypal": f"?token={made['token']}"}
    assert answer.headers["Location"] == RETURN + more.get(dialect, "")
    ends_it = dialect in ("generic", "mollie")
    assert status(psp) == ("cancelled" if ends_it else "open")
    assert len(psp.books()["events"]) == ends_it


# Results.

DONE, FAILED = "checkout.session.completed", "payment_intent.payment_failed"
ASYNC = "checkout.session.async_payment_failed"
RESULTS = [
    ("generic", "declined", "declined", ["registration.declined"]),
    ("generic", "pending", "pending", ["registration.pending"]),
    ("generic", "expired", "expired", ["registration.expired"]),
    ("generic", "cancelled", "cancelled", ["registration.cancelled"]),
    ("stripe", "pending", "complete", [DONE]),
    ("stripe", "expired", "expired", ["checkout.session.expired"]),
    ("stripe", "declined", "complete", ["charge.failed", ASYNC, DONE, FAILED]),
    ("mollie", "paid", "paid", ["payment.paid"]),
    ("mollie", "pending", "pending", ["payment.pending"]),
    ("mollie", "approved", "authorized", ["payment.authorized"]),
    ("mollie", "declined", "failed", ["payment.failed"]),
    ("mollie", "expired", "expired", ["payment.expired"]),
    ("mollie", "cancelled", "canceled", ["payment.canceled"]),
    ("adyen", "paid", "completed", ["AUTHORISATION"]),
    ("adyen", "expired", "expired", ["OFFER_CLOSED"]),
    ("paypal", "approved", "APPROVED", ["CHECKOUT.ORDER.APPROVED"]),
    ("paypal", "cancelled", "VOIDED", ["CHECKOUT.ORDER.VOIDED"]),
    ("square", "paid", "OPEN", ["payment.created", "payment.updated"]),
]


@pytest.mark.parametrize(("dialect", "result", "word", "types"), RESULTS)
def test_a_result_has_the_psps_word_and_events(
    psp, dialect, result, word, types
):
    made = psp.made(dialect)
    psp.pay(made["token"], result)
    shown = psp.query(dialect, made["token"]).json()
    assert (shown.get("order") or shown).get("status", "OPEN") == word
    assert sorted(psp.types(dialect, len(types))) == types
    if dialect == "mollie":
        assert "checkout" not in shown["_links"]
        assert psp.told(dialect, 1)[0]["entityId"] == made["token"]
    if dialect == "square":
        order = shown["order"]
        assert (order["state"], order["net_amount_due_money"]["amount"]) == (
            word,
            0,
        )
        (tender,) = order["tenders"]
        assert tender["card_details"]["status"] == "CAPTURED"
        assert tender["amount_money"] == {"amount": 1234, "currency": "USD"}


def test_a_lapsed_paypal_order_is_not_found(psp):
    made = psp.made("paypal")
    psp.pay(made["token"], "expired")
    assert psp.query("paypal", made["token"]).status_code == 404
    path = f"/{made['token']}/capture"
    assert psp.post("paypal", path).status_code == 404
    assert psp.books()["webhooks"] == []


def test_a_paid_registration_takes_no_other_result(psp):
    token = psp.paid("generic")["token"]
    for result in ("paid", "declined", "cancelled", "expired"):
        psp.control("pay", 409, token=token, result=result)
    assert psp.query("generic", token).json()["status"] == "paid"


@pytest.mark.parametrize(
    ("dialect", "told"),
    [("generic", "registration.expired"), ("adyen", "OFFER_CLOSED")],
)
def test_time_expires_a_registration(psp, dialect, told):
    change = {"expires_at": int(time.time()) + 1}
    if dialect == "adyen":
        change = {"expiresAt": ends(1)}
    made = psp.made(dialect, change=change)
    assert psp.types(dialect, 1) == [told]
    shown = psp.query(dialect, made["token"]).json()
    assert shown["status"] == "expired"


# The shop.


def token_of(key: str, claims: dict, alg: str = "HS256") -> str:
    def pack(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    head = pack(json.dumps({"alg": alg}).encode())
    signed = f"{head}.{pack(json.dumps(claims).encode())}"
    mac = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{pack(mac)}"


@pytest.mark.parametrize(
    ("key", "alg", "claims", "verdict"),
    [
        ("right", "HS256", {"status": "SUCCESS"}, "valid"),
        ("wrong", "HS256", {"status": "SUCCESS"}, "invalid"),
        ("right", "none", {"status": "SUCCESS"}, "invalid"),
        ("right", "HS256", {"status": "SUCCESS", "exp": 1}, "invalid"),
    ],
)
def test_the_shop_believes_signed_results_only(psp, key, alg, claims, verdict):
    secret = psp.keys["acme.result"] if key == "right" else "x" * 32
    result = token_of(secret, claims, alg)
    text = psp.http.get("/shop/return", params={"result": result}).text
    assert f">{verdict}</strong>" in text
    assert ("SUCCESS" in text) == (verdict == "valid")
    assert psp.books()["returns"][-1]["signature"] == verdict
