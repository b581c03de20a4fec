"""The mock PSP's other dialects after the sale: their own words for refunds
that end later and for disputes, and one set of books.  Needs no gateway.
"""

import json
import secrets

import httpx
import pytest
from support.mock_server import DEADLINE_S, Receiver, serve

KEYS = {
    "adyen.key": "key",
    "adyen.whsec": "00" * 32,
    "paypal.key": "client:secret",
    "paypal.whsec": "whook",
    "square.key": "key",
    "square.whsec": "key",
    "mollie.key": "key",
    "mollie.whsec": "key",
}
USD = {"currency": "USD"}


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def url(receiver, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("keys"), KEYS, receiver.url) as found:
        yield found


@pytest.fixture
def psp(url, receiver):
    receiver.got.clear()
    made = Psp(url, receiver)
    yield made
    made.control("settings", refund_result="done", sale_fee_minor=0)
    made.http.close()


def adyen(psp) -> tuple:
    body = {
        "merchantAccount": "NgxPaymentsECOM",
        "reference": "r1",
        "amount": {"value": 1234} | USD,
    }
    link = psp.call("/adyen/v72/paymentLinks", body)
    return link["id"], lambda payment: psp.call(
        f"/adyen/v72/payments/{payment}/refunds",
        {
            "merchantAccount": "NgxPaymentsECOM",
            "amount": {"value": 500} | USD,
            "reference": "op",
        },
    )


def paypal(psp) -> tuple:
    order = psp.call(
        "/paypal/v2/checkout/orders",
        {
            "intent": "CAPTURE",
            "purchase_units": [
                {
                    "reference_id": "r1",
                    "custom_id": "r1",
                    "amount": {"currency_code": "USD", "value": "12.34"},
                }
            ],
            "payment_source": {
                "paypal": {
                    "experience_context": {
                        "return_url": "https://pay.example.com/return/x",
                        "cancel_url": "https://pay.example.com/return/x",
                    }
                }
            },
        },
    )
    return order["id"], lambda payment: psp.call(
        f"/paypal/v2/payments/captures/{payment}/refund",
        {"amount": {"currency_code": "USD", "value": "5.00"}},
    )


def square(psp) -> tuple:
    line = {
        "name": "One",
        "quantity": "1",
        "base_price_money": {"amount": 1234} | USD,
    }
    order = {"location_id": "L1", "reference_id": "r1", "line_items": [line]}
    link = psp.call(
        "/square/v2/online-checkout/payment-links",
        {"idempotency_key": secrets.token_hex(8), "order": order},
    )["payment_link"]
    return link["order_id"], lambda payment: psp.call(
        "/square/v2/refunds",
        {
            "idempotency_key": secrets.token_hex(8),
            "payment_id": payment,
            "amount_money": {"amount": 500} | USD,
        },
    )


def mollie(psp) -> tuple:
    made = psp.call(
        "/mollie/v2/payments",
        {
            "amount": {"value": "12.34"} | USD,
            "description": "r1",
            "redirectUrl": "https://pay.example.com/return/x",
        },
    )
    return made["id"], lambda payment: psp.call(
        f"/mollie/v2/payments/{made['id']}/refunds",
        {"amount": {"value": "5.00"} | USD},
    )


DIALECTS = {
    "adyen": adyen,
    "paypal": paypal,
    "square": square,
    "mollie": mollie,
}
# What is told of a refund that is pending and then done, failed, or done and
# then returned; of a dispute that is won or lost.
TOLD = {
    "adyen": {
        "done": ["REFUND"],
        "failed": ["REFUND"],
        "returned": ["REFUND", "REFUND_FAILED"],
        "won": ["CHARGEBACK", "CHARGEBACK_REVERSED"],
        "lost": ["CHARGEBACK"],
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
    "mollie": {
        "done": ["refund.queued", "refund.refunded"],
        "failed": ["refund.queued", "refund.failed"],
        "returned": ["refund.queued", "refund.refunded", "refund.failed"],
        "won": ["chargeback.received", "chargeback.reversed"],
        "lost": ["chargeback.received"],
    },
}


class Psp:
    def __init__(self, url: str, receiver: Receiver):
        self.receiver = receiver
        self.http = httpx.Client(base_url=url, timeout=DEADLINE_S)

    def control(self, what: str, wanted=200, /, **body) -> dict:
        answer = self.http.post(f"/_control/{what}", json=body)
        assert answer.status_code == wanted, answer.text
        return answer.json()

    def call(self, path: str, body: dict) -> dict:
        headers = {"Authorization": "Bearer key", "X-API-Key": "key"}
        headers["Idempotency-Key"] = secrets.token_hex(8)
        if path.startswith("/paypal"):
            headers["Authorization"] = f"Bearer {self.token()}"
            headers["PayPal-Request-Id"] = secrets.token_hex(8)
        answer = self.http.post(path, json=body, headers=headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def token(self) -> str:
        answer = self.http.post(
            "/paypal/v1/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=("client", "secret"),
        )
        return answer.json()["access_token"]

    def paid(self, name: str) -> tuple:
        """token, payment, and how to refund 5.00 of its 12.34"""
        token, refund = DIALECTS[name](self)
        self.control("pay", token=token, result="paid")
        found = self.books(token)["registrations"]
        return token, lambda: refund(found[0]["payment_id"] or token)

    def books(self, token: str) -> dict:
        query = {"token": token}
        return self.http.get("/_control/books", params=query).json()

    def types(self, token: str, skipped: int) -> list[str]:
        """Of the events behind those that told of the payment."""
        return [each["type"] for each in self.books(token)["events"]][skipped:]

    def made_events(self, token: str) -> int:
        return len(self.books(token)["events"])


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("result", ["done", "failed", "returned"])
def test_refunds_end_as_they_are_told_to(psp, name, result):
    first = "done" if result == "returned" else "pending"
    psp.control("settings", refund_result=first)
    token, refund = psp.paid(name)
    before = psp.made_events(token)
    refund()
    (deed,) = psp.books(token)["deeds"]
    assert (deed["status"], deed["amount_minor"]) == (first, 500)
    psp.control("end", id=deed["id"], result=result)
    assert psp.types(token, before) == TOLD[name][result]
    money = psp.books(token)["registrations"][0]["money"]
    assert money["refunded"] == (500 if result == "done" else 0)
    assert money["refunding"] == 0


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("result", ["won", "lost"])
def test_disputes_are_told_in_their_words(psp, name, result):
    token, _ = psp.paid(name)
    before = psp.made_events(token)
    deed = psp.control("dispute", token=token)
    psp.control("end", id=deed["id"], result=result)
    assert psp.types(token, before) == TOLD[name][result]
    money = psp.books(token)["registrations"][0]["money"]
    assert money["disputed"] == (1234 if result == "lost" else 0)


@pytest.mark.parametrize("name", DIALECTS)
def test_the_dashboard_refunds_what_is_left_and_no_more(psp, name):
    token, refund = psp.paid(name)
    refund()
    deed = psp.control("refund", token=token)
    assert (deed["amount_minor"], deed["key"]) == (734, "")
    psp.control("refund", 409, token=token, amount_minor=1)
    psp.control("dispute", 409, token=token)


def test_adyens_manual_links_are_captured_and_released(psp):
    body = {
        "merchantAccount": "NgxPaymentsECOM",
        "reference": "r1",
        "manualCapture": True,
        "amount": {"value": 1234} | USD,
    }
    made = []
    for _ in range(3):
        made.append(psp.call("/adyen/v72/paymentLinks", body)["id"])
        psp.control("pay", token=made[-1], result="paid")
    taken, void, over = made
    change = {"merchantAccount": "NgxPaymentsECOM", "reference": "op"}
    amount = {"amount": {"value": 500} | USD}

    def path(token, tail):
        (found,) = psp.books(token)["registrations"]
        return f"/adyen/v72/payments/{found['payment_id']}/{tail}"

    psp.call(path(taken, "captures"), change | amount)
    assert psp.types(taken, 1) == ["CAPTURE"]
    money = psp.books(taken)["registrations"][0]["money"]
    assert (money["captured"], money["authorized"]) == (500, 0)
    psp.call(path(void, "cancels"), change)
    assert psp.types(void, 1) == ["CANCELLATION"]
    psp.control("release", token=over, result="expired")
    assert psp.types(over, 1) == ["EXPIRE"]


def test_fees_are_where_the_psp_has_them(psp):
    psp.control("settings", sale_fee_minor=47)
    for name in ("square", "paypal"):
        psp.receiver.got.clear()
        token, _ = psp.paid(name)
        events = psp.books(token)["events"]
        wanted = len(events)
        bodies = [
            each["body"].decode()
            for each in psp.receiver.wait(wanted, f"/webhooks/{name}")
        ]
        word = "processing_fee" if name == "square" else "paypal_fee"
        assert any(word in each for each in bodies), bodies


def test_events_are_signed_whatever_they_tell(psp):
    for name in DIALECTS:
        psp.receiver.got.clear()
        token, _ = psp.paid(name)
        psp.control("dispute", token=token)
        count = psp.made_events(token)
        for each in psp.receiver.wait(count, f"/webhooks/{name}"):
            names = set(each["headers"])
            body = json.loads(each["body"])
            signed = {
                "adyen": "hmacSignature" in json.dumps(body),
                "paypal": "paypal-transmission-sig" in names,
                "square": "x-square-hmacsha256-signature" in names,
                "mollie": "x-mollie-signature" in names,
            }
            assert signed[name]
