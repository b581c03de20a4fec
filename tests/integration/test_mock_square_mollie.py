"""The mock PSP's dialects square and mollie: do they behave as those PSPs do?

Needs no gateway.  Signatures are checked by hand-written HMACs.
"""

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from urllib.parse import urlsplit

import httpx
import pytest
from support.client import plain
from support.mock_server import DEADLINE_S, Receiver, serve, until

RETURN = "https://shop.example.com/back"
KEYS = {
    "square.key": "EAAA" + secrets.token_hex(16),
    "mollie.key": "test_" + secrets.token_hex(16),
    "square.whsec": secrets.token_hex(16),
    "mollie.whsec": secrets.token_hex(16),
}
LINKS = "/square/v2/online-checkout/payment-links"
PAYMENTS = "/mollie/v2/payments"


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def server(receiver, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("keys"), KEYS, receiver.url) as url:
        yield url


@pytest.fixture(scope="module")
def legacy(receiver, tmp_path_factory):
    """Without a webhook secret Mollie's webhooks are the legacy ones."""
    keys = {"mollie.key": KEYS["mollie.key"]}
    with serve(tmp_path_factory.mktemp("old"), keys, receiver.url) as url:
        yield url


class Psp:
    def __init__(self, url: str):
        self.http = plain(base_url=url, timeout=DEADLINE_S)

    def control(self, verb: str, body: object = None) -> dict:
        answer = self.http.post(f"/_control/{verb}", json=body or {})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def pay(self, token: str, result: str) -> dict:
        return self.control("pay", {"token": token, "result": result})

    def fault(self, operation: str, kind: str, **more) -> None:
        self.control("faults", {"operation": operation, "kind": kind} | more)

    def books(self) -> dict:
        return self.http.get("/_control/books").json()

    def call(self, dialect: str, method: str, path: str, body=None, **headers):
        key = {"Authorization": f"Bearer {KEYS[dialect + '.key']}"}
        return self.http.request(method, path, json=body, headers=key | headers)

    def square(self, method: str, path: str, body=None, **headers):
        version = {"Square-Version": "2025-08-20"}
        path = path if path.startswith("/square") else "/square/v2" + path
        return self.call("square", method, path, body, **(version | headers))

    def mollie(self, method: str, path: str, body=None, key: str = ""):
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.call("mollie", method, PAYMENTS + path, body, **headers)


def fresh(url: str, receiver):
    made = Psp(url)
    made.control("reset", {"seed": 7})
    made.control("settings", {"pending_ms": 50, "webhook_timeout_s": 5})
    receiver.forget()
    return made


@pytest.fixture
def psp(server, receiver):
    made = fresh(server, receiver)
    yield made
    made.http.close()


@pytest.fixture
def old(legacy, receiver):
    made = fresh(legacy, receiver)
    yield made
    made.http.close()


def usd(amount: int) -> dict:
    return {"amount": amount, "currency": "USD"}


def link(**more) -> dict:
    line = {"name": "Tea", "quantity": "1", "base_price_money": usd(1234)}
    return {
        "idempotency_key": str(uuid.uuid4()),
        "order": {
            "location_id": "L1",
            "reference_id": "checkout-1",
            "line_items": [line],
        },
        "checkout_options": {"redirect_url": RETURN},
    } | more


def payment(**more) -> dict:
    amount = {"currency": "EUR", "value": "12.34"}
    line = {"description": "Tea", "quantity": 1}
    return {
        "amount": amount,
        "description": "checkout-1",
        "redirectUrl": RETURN,
        "cancelUrl": RETURN + "?cancelled=1",
        "metadata": {"reference": "checkout-1"},
        "lines": [line | {"unitPrice": amount, "totalAmount": amount}],
    } | more


def code(answer) -> str:
    return answer.json()["errors"][0]["code"]


def linked(psp, **more) -> dict:
    answer = psp.square("POST", LINKS, link(**more))
    assert answer.status_code == 200, answer.text
    return answer.json()["payment_link"]


def paid_link(psp) -> tuple[dict, str]:
    made = linked(psp)
    psp.pay(made["order_id"], "paid")
    order = psp.square("GET", f"/orders/{made['order_id']}").json()["order"]
    return made, order["tenders"][0]["payment_id"]


def card(number: str) -> dict:
    return {"number": number, "expiry": "12/39", "cvc": "123"}


# Square.


def test_a_square_key_is_registered_once(psp):
    body = link()
    first = psp.square("POST", LINKS, body)
    again = psp.square("POST", LINKS, body)
    other = psp.square("POST", LINKS, body | {"checkout_options": {}})
    assert first.json()["payment_link"] == again.json()["payment_link"]
    assert (other.status_code, code(other)) == (400, "IDEMPOTENCY_KEY_REUSED")
    (booked,) = psp.books()["registrations"]
    assert (booked["nonce"], booked["reference"]) == (
        body["idempotency_key"],
        "checkout-1",
    )


def test_squares_quick_pay_is_an_order_of_one_thing(psp):
    quick = {"name": "Tea", "price_money": usd(1234), "location_id": "L1"}
    body = {"idempotency_key": str(uuid.uuid4()), "quick_pay": quick}
    made = psp.square("POST", LINKS, body)
    (order,) = made.json()["related_resources"]["orders"]
    assert order["location_id"] == "L1"
    assert order["total_money"] == usd(1234)
    fresh_key = {"idempotency_key": str(uuid.uuid4())}
    both = psp.square("POST", LINKS, link(quick_pay=quick))
    neither = psp.square("POST", LINKS, fresh_key)
    free = quick | {"price_money": usd(0)}
    free = psp.square("POST", LINKS, fresh_key | {"quick_pay": free})
    assert (both.status_code, code(both)) == (400, "CONFLICTING_PARAMETERS")
    assert code(neither) == "MISSING_REQUIRED_PARAMETER"
    assert code(free) == "VALUE_TOO_LOW"
    assert len(psp.books()["registrations"]) == 1


def test_a_square_order_is_a_draft_until_it_is_paid(psp):
    body = psp.square("POST", LINKS, link()).json()
    (order,) = body["related_resources"]["orders"]
    assert (order["state"], order["total_money"]) == ("DRAFT", usd(1234))
    assert order["reference_id"] == "checkout-1"
    psp.pay(order["id"], "paid")
    order = psp.square("GET", f"/orders/{order['id']}").json()["order"]
    assert (order["state"], order["net_amount_due_money"]["amount"]) == (
        "OPEN",
        0,
    )
    (tender,) = order["tenders"]
    assert tender["card_details"]["status"] == "CAPTURED"
    assert tender["amount_money"] == usd(1234)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"surprise": 1}, "UNKNOWN_BODY_PARAMETER"),
        ({"idempotency_key": "x" * 193}, "VALUE_TOO_LONG"),
        ({"order": {"line_items": []}}, "MISSING_REQUIRED_PARAMETER"),
        ({"checkout_options": {"redirect_url": "javascript:x"}}, "INVALID"),
        ({"checkout_options": {"redirect_url": RETURN + "x" * 2048}}, "VALUE"),
        ({"checkout_options": {"allow_tipping": "no"}}, "INCORRECT_TYPE"),
    ],
)
def test_square_refuses_bad_links(psp, change, wanted):
    answer = psp.square("POST", LINKS, link(**change))
    assert answer.status_code == 400
    assert code(answer).startswith(wanted)
    assert psp.books()["registrations"] == []


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"location_id": ""}, "VALUE_EMPTY"),
        ({"reference_id": "x" * 41}, "VALUE_TOO_LONG"),
        ({"line_items": []}, "ARRAY_EMPTY"),
        ({"line_items": [{"name": "Tea"}]}, "MISSING_REQUIRED_PARAMETER"),
    ],
)
def test_square_refuses_bad_orders(psp, change, wanted):
    body = link()
    body["order"] |= change
    answer = psp.square("POST", LINKS, body)
    assert (answer.status_code, code(answer)) == (400, wanted)


@pytest.mark.parametrize(
    "money",
    [
        {"amount": 0, "currency": "USD"},
        {"amount": "12.34", "currency": "USD"},
        {"amount": 1.5, "currency": "USD"},
        {"amount": 12, "currency": "usd"},
        {"amount": 12, "currency": "CHF"},
        {"amount": 12},
    ],
)
def test_square_refuses_bad_money(psp, money):
    body = link()
    body["order"]["line_items"][0]["base_price_money"] = money
    assert psp.square("POST", LINKS, body).status_code == 400


def test_square_wants_its_key_and_a_version(psp):
    wrong = {"Authorization": "Bearer nope"}
    assert psp.square("POST", LINKS, link(), **wrong).status_code == 401
    odd = {"Square-Version": "newest"}
    assert psp.square("POST", LINKS, link(), **odd).status_code == 400


def test_square_signs_the_configured_url_and_the_body(psp, receiver):
    made = linked(psp)
    psp.pay(made["order_id"], "paid")
    found = receiver.wait(2, "/webhooks/square")
    for message in found:
        signed = f"{receiver.url}/webhooks/square".encode() + message["body"]
        mac = hmac.new(KEYS["square.whsec"].encode(), signed, hashlib.sha256)
        right = base64.b64encode(mac.digest()).decode()
        assert message["headers"]["x-square-hmacsha256-signature"] == right
    events = [json.loads(each["body"]) for each in found]
    told = {
        each["type"]: each["data"]["object"]["payment"]["status"]
        for each in events
    }
    assert told == {
        "payment.updated": "COMPLETED",
        "payment.created": "APPROVED",
    }
    assert len({each["event_id"] for each in events}) == 2
    held = events[0]["data"]["object"]["payment"]
    assert held["order_id"] == made["order_id"]
    assert held["total_money"] == usd(1234)


def test_a_square_buyer_may_try_again_after_a_decline(psp, receiver):
    made = linked(psp)
    page = urlsplit(made["url"]).path
    assert psp.http.post(page, data=card("4000000000000002")).status_code == 402
    (message,) = receiver.wait(1, "/webhooks/square")
    held = json.loads(message["body"])["data"]["object"]["payment"]
    assert held["status"] == "FAILED"
    assert held["card_details"]["errors"][0]["code"] == "CARD_DECLINED"
    order = psp.square("GET", f"/orders/{made['order_id']}").json()["order"]
    assert order["state"] == "DRAFT"
    back = psp.http.post(page, data=card("4242424242424242"))
    assert back.status_code == 303
    assert f"orderId={made['order_id']}" in back.headers["Location"]


def test_deleting_a_square_link_cancels_the_order_once(psp, receiver):
    made = linked(psp)
    gone = psp.square("DELETE", f"{LINKS}/{made['id']}")
    assert gone.json() == {
        "id": made["id"],
        "cancelled_order_id": made["order_id"],
    }
    again = psp.square("DELETE", f"{LINKS}/{made['id']}")
    assert (again.status_code, code(again)) == (404, "NOT_FOUND")
    order = psp.square("GET", f"/orders/{made['order_id']}").json()["order"]
    assert order["state"] == "CANCELED"
    (message,) = receiver.wait(1, "/webhooks/square")
    assert json.loads(message["body"])["type"] == "order.updated"


def test_deleting_the_link_of_a_paid_order_cancels_nothing(psp):
    made, _ = paid_link(psp)
    gone = psp.square("DELETE", f"{LINKS}/{made['id']}")
    assert gone.json() == {"id": made["id"]}


def test_square_refunds_once_and_never_more_than_was_paid(psp, receiver):
    _, paid = paid_link(psp)
    body = {
        "idempotency_key": "r1",
        "payment_id": paid,
        "amount_money": usd(1000),
    }
    first = psp.square("POST", "/refunds", body).json()["refund"]
    again = psp.square("POST", "/refunds", body).json()["refund"]
    assert first == again
    assert (first["status"], first["amount_money"]) == ("PENDING", usd(1000))
    over = psp.square("POST", "/refunds", body | {"idempotency_key": "r2"})
    assert code(over) == "REFUND_AMOUNT_INVALID"
    long = psp.square("POST", "/refunds", body | {"idempotency_key": "x" * 46})
    assert code(long) == "VALUE_TOO_LONG"
    lost = body | {"idempotency_key": "r3", "payment_id": "none"}
    assert psp.square("POST", "/refunds", lost).status_code == 404
    types = [
        json.loads(each["body"])["type"]
        for each in receiver.wait(4, "/webhooks/square")
    ]
    assert {"refund.created", "refund.updated"} < set(types)


def test_square_completes_and_cancels_approved_payments_only(psp):
    made = linked(psp)
    psp.pay(made["order_id"], "approved")
    order = psp.square("GET", f"/orders/{made['order_id']}").json()["order"]
    (tender,) = order["tenders"]
    assert tender["card_details"]["status"] == "AUTHORIZED"
    path = f"/payments/{tender['payment_id']}"
    done = psp.square("POST", f"{path}/complete", {}).json()["payment"]
    assert (done["status"], done["id"]) == ("COMPLETED", tender["payment_id"])
    again = psp.square("POST", f"{path}/complete", {})
    assert code(again) == "DELAYED_TRANSACTION_CAPTURED"
    assert psp.square("POST", f"{path}/cancel").status_code == 400
    assert psp.square("POST", "/payments/none/cancel").status_code == 404


@pytest.mark.parametrize("kind", ["wrong_amount", "wrong_currency"])
def test_square_lies_when_told_to(psp, kind):
    psp.fault("register", kind, dialect="square")
    body = psp.square("POST", LINKS, link()).json()
    (order,) = body["related_resources"]["orders"]
    assert order["total_money"] != usd(1234)
    order = psp.square("GET", f"/orders/{order['id']}").json()["order"]
    assert order["total_money"] == usd(1234)


# Mollie.


def opened(psp, **more) -> dict:
    answer = psp.mollie("POST", "", payment(**more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_mollie_key_is_registered_once(psp):
    body, key = payment(), str(uuid.uuid4())
    first = psp.mollie("POST", "", body, key)
    again = psp.mollie("POST", "", body, key)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = psp.mollie("POST", "", payment(description="x"), key)
    assert other.status_code == 409
    assert len(psp.books()["registrations"]) == 1


def test_a_payment_looks_like_mollies(psp):
    made = opened(psp)
    assert made["id"].startswith("tr_")
    assert (made["status"], made["isCancelable"]) == ("open", True)
    assert made["amount"] == {"currency": "EUR", "value": "12.34"}
    assert made["metadata"] == {"reference": "checkout-1"}
    page = urlsplit(made["_links"]["checkout"]["href"]).path
    assert page == f"/mollie/pay/{made['id']}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": {"currency": "EUR", "value": "12.3"}}, "amount"),
        ({"amount": {"currency": "EUR", "value": 12.34}}, "amount"),
        ({"amount": {"currency": "EUR", "value": "0.00"}}, "amount"),
        ({"amount": {"currency": "KWD", "value": "12.340"}}, "amount"),
        ({"amount": "12.34"}, "amount"),
        ({"amount": {"currency": "EUR", "value": "12.35"}}, "lines"),
        ({"description": None}, "description"),
        ({"redirectUrl": None}, "redirectUrl"),
        ({"cancelUrl": "javascript:x"}, "cancelUrl"),
        ({"webhookUrl": 1}, "webhookUrl"),
        ({"expiresAt": "2030-01-01"}, "expiresAt"),
        ({"lines": [{}]}, "lines.0"),
        ({"metadata": {"x": "y" * 1100}}, "metadata"),
    ],
)
def test_mollie_refuses_bad_payments(psp, change, field):
    answer = psp.mollie("POST", "", payment(**change))
    told = answer.json()
    assert (answer.status_code, told["status"], told["field"]) == (
        422,
        422,
        field,
    )
    assert told["title"] == "Unprocessable Entity"
    assert psp.books()["registrations"] == []


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("paid", "paid"),
        ("pending", "pending"),
        ("approved", "authorized"),
        ("declined", "failed"),
        ("expired", "expired"),
        ("cancelled", "canceled"),
    ],
)
def test_each_result_has_mollies_word_and_event(psp, receiver, result, status):
    made = opened(psp)
    psp.pay(made["id"], result)
    shown = psp.mollie("GET", f"/{made['id']}").json()
    assert shown["status"] == status
    assert "checkout" not in shown["_links"]
    (message,) = receiver.wait(1, "/webhooks/mollie")
    event = json.loads(message["body"])
    assert (event["type"], event["entityId"]) == (
        f"payment.{status}",
        made["id"],
    )
    mac = hmac.new(
        KEYS["mollie.whsec"].encode(), message["body"], hashlib.sha256
    )
    signature = message["headers"]["x-mollie-signature"]
    assert signature == "sha256=" + mac.hexdigest()


def test_without_a_secret_the_webhook_is_the_legacy_form(old, receiver):
    made = opened(old)
    old.pay(made["id"], "paid")
    (message,) = receiver.wait(1, "/webhooks/mollie")
    assert message["body"] == f"id={made['id']}".encode()
    kind = message["headers"]["content-type"]
    assert kind == "application/x-www-form-urlencoded"
    assert "x-mollie-signature" not in message["headers"]


def test_a_forged_mollie_event_has_another_signature(psp, receiver):
    psp.fault("webhook", "forged", dialect="mollie")
    receiver.answers += [400]
    made = opened(psp)
    psp.pay(made["id"], "paid")
    first, second = receiver.wait(2, "/webhooks/mollie")
    assert first["body"] == second["body"]
    name = "x-mollie-signature"
    assert first["headers"][name] != second["headers"][name]


def test_a_mollie_buyer_pays_or_cancels_on_the_page(psp):
    made = opened(psp)
    page = urlsplit(made["_links"]["checkout"]["href"]).path
    assert psp.http.post(page, data=card("4000000000000002")).status_code == 402
    assert psp.mollie("GET", f"/{made['id']}").json()["status"] == "open"
    back = psp.http.post(page, data=card("4242424242424242"))
    assert (back.status_code, back.headers["Location"]) == (303, RETURN)
    other = opened(psp)
    page = urlsplit(other["_links"]["checkout"]["href"]).path
    gone = psp.http.get(f"{page}/cancel")
    assert gone.headers["Location"] == RETURN + "?cancelled=1"
    assert psp.mollie("GET", f"/{other['id']}").json()["status"] == "canceled"


def test_an_open_mollie_payment_is_cancelled_and_a_paid_one_not(psp):
    made, key = opened(psp), str(uuid.uuid4())
    gone = psp.mollie("DELETE", f"/{made['id']}", None, key)
    again = psp.mollie("DELETE", f"/{made['id']}", None, key)
    assert (gone.status_code, gone.json()["status"]) == (200, "canceled")
    assert gone.json() == again.json()
    assert psp.mollie("DELETE", f"/{made['id']}").status_code == 422
    paid = opened(psp)
    psp.pay(paid["id"], "paid")
    assert psp.mollie("DELETE", f"/{paid['id']}").status_code == 422
    assert psp.mollie("DELETE", "/tr_none").status_code == 404


def test_mollie_refunds_once_and_never_more_than_was_paid(psp):
    made, key = opened(psp), str(uuid.uuid4())
    path = f"/{made['id']}/refunds"
    body = {"amount": {"currency": "EUR", "value": "10.00"}}
    early = psp.mollie("POST", path, body)
    assert early.status_code == 422
    psp.pay(made["id"], "paid")
    first = psp.mollie("POST", path, body, key)
    again = psp.mollie("POST", path, body, key)
    assert first.status_code == 201
    assert first.json() == again.json()
    assert (first.json()["status"], first.json()["paymentId"]) == (
        "queued",
        made["id"],
    )
    assert psp.mollie("POST", path, body).status_code == 422
    shown = psp.mollie("GET", f"/{made['id']}").json()
    assert (shown["status"], shown["amountRefunded"]["value"]) == (
        "paid",
        "10.00",
    )


def test_mollie_captures_what_was_authorised(psp):
    made = opened(psp)
    path = f"/{made['id']}/captures"
    body = {"amount": {"currency": "EUR", "value": "12.34"}}
    assert psp.mollie("POST", path, body).status_code == 422
    psp.pay(made["id"], "approved")
    taken = psp.mollie("POST", path, body)
    assert (taken.status_code, taken.json()["status"]) == (201, "succeeded")
    assert psp.mollie("GET", f"/{made['id']}").json()["status"] == "paid"


@pytest.mark.parametrize("dialect", ["square", "mollie"])
def test_a_fault_spoils_an_answer_after_the_booking(psp, dialect):
    psp.fault("register", "drop_after_accept", dialect=dialect)
    body, key = {"square": link(), "mollie": payment()}[dialect], "nonce-1"

    def call():
        if dialect == "mollie":
            return psp.mollie("POST", "", body, key)
        return psp.square("POST", LINKS, body)

    with pytest.raises(httpx.TransportError):
        call()
    assert call().status_code in (200, 201)
    assert len(psp.books()["registrations"]) == 1


@pytest.mark.parametrize("dialect", ["square", "mollie"])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_is_worded_as_that_psp_does(psp, dialect, status):
    psp.fault("register", "status", dialect=dialect, status=status)
    if dialect == "square":
        answer = psp.square("POST", LINKS, link())
        assert answer.json()["errors"][0]["code"]
    else:
        answer = psp.mollie("POST", "", payment())
        assert answer.json()["status"] == status
    assert answer.status_code == status
    assert psp.books()["registrations"] == []


def test_a_pending_payment_is_paid_a_little_later(psp):
    made = opened(psp)
    page = urlsplit(made["_links"]["checkout"]["href"]).path
    psp.http.post(page, data=card("4000000000003220"))

    def paid():
        shown = psp.mollie("GET", f"/{made['id']}").json()
        return shown["status"] == "paid"

    until(paid, "the money")
