"""The mock PSP's dialect ``paypal``: access tokens, orders that are captured
after approval, refunds, webhooks under a certificate, faults.

Needs no gateway.  Signatures are checked with the certificate that the message
names, fetched over TLS, and the CRC-32 by a bit-wise loop of this file's own.
"""

import base64
import json
import secrets
import ssl
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509.oid import NameOID
from support.client import plain
from support.mock_server import DEADLINE_S, Receiver, serve, until

ORDERS = "/paypal/v2/checkout/orders"
REFUNDS = "/paypal/v2/payments/captures/{}/refund"
TOKENS = "/paypal/v1/oauth2/token"
HOOKS = "/webhooks/paypal"
RETURN = "https://shop.example.com/back"
WHOLE = {"Prefer": "return=representation"}


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def keys():
    return {
        "paypal.key": f"client-{secrets.token_hex(8)}:{secrets.token_hex(20)}",
        "paypal.whsec": secrets.token_hex(8).upper(),
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def server(receiver, keys, place):
    with serve(place, keys, receiver.url) as url:
        yield url


class Psp:
    def __init__(self, url: str, keys: dict, place):
        self.keys, self.place = keys, place
        self.http = plain(base_url=url, timeout=DEADLINE_S)
        self.token = ""

    def control(self, verb: str, body: object = None) -> dict:
        answer = self.http.post(f"/_control/{verb}", json=body or {})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def books(self, **query) -> dict:
        return self.http.get("/_control/books", params=query).json()

    def booked(self, made: dict) -> dict:
        return self.books(token=made["id"])["registrations"][0]

    def fault(self, operation: str, kind: str, **more) -> None:
        self.control("faults", {"operation": operation, "kind": kind} | more)

    def grant(self, key=None, body="grant_type=client_credentials"):
        key = (key or self.keys["paypal.key"]).encode()
        return self.http.post(
            TOKENS,
            content=body,
            headers={
                "Authorization": "Basic " + base64.b64encode(key).decode(),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )

    def call(self, method: str, path: str, body=None, key=None, **headers):
        sent = {"Authorization": f"Bearer {self.token}"}
        if key:
            sent["PayPal-Request-Id"] = key
        return self.http.request(
            method, path, json=body, headers=sent | headers
        )

    def order(self, key=None, body=None, **headers):
        key = key or str(uuid.uuid4())
        headers = headers or WHOLE
        return self.call("POST", ORDERS, body or order(), key, **headers)

    def query(self, made: dict):
        return self.call("GET", f"{ORDERS}/{made['id']}")

    def buy(self, made: dict, number="4242424242424242"):
        """The buyer on the hosted page."""
        (link,) = [
            each["href"]
            for each in made["links"]
            if each["rel"] in ("payer-action", "approve")
        ]
        form = {"number": number, "expiry": "12/39", "cvc": "123"}
        return self.http.post(urlsplit(link).path, data=form)

    def approved(self) -> dict:
        made = self.order().json()
        assert self.buy(made).status_code == 303
        return made

    def capture(self, made: dict, key=None, body=None):
        path = f"{ORDERS}/{made['id']}/capture"
        key = key or str(uuid.uuid4())
        return self.call("POST", path, body or {}, key, **WHOLE)

    def paid(self) -> dict:
        """A capture of 12.34 USD."""
        answer = self.capture(self.approved()).json()
        return answer["purchase_units"][0]["payments"]["captures"][0]

    def refund(self, capture: dict, body=None, key=None):
        key = key or str(uuid.uuid4())
        path = REFUNDS.format(capture["id"])
        return self.call("POST", path, body or {}, key)

    def certificate(self, url: str) -> x509.Certificate:
        context = ssl.create_default_context(
            cafile=str(self.place / "paypal.ca.pem")
        )
        text = httpx.get(url, verify=context, timeout=DEADLINE_S).content
        return x509.load_pem_x509_certificate(text)

    def is_signed(self, message: dict, webhook_id=None) -> bool:
        """With the certificate that the message names."""
        head = message["headers"]
        assert head["paypal-auth-algo"] == "SHA256withRSA"
        assert urlsplit(head["paypal-cert-url"]).hostname == "localhost"
        text = "|".join(
            [
                head["paypal-transmission-id"],
                head["paypal-transmission-time"],
                webhook_id or self.keys["paypal.whsec"],
                str(crc32(message["body"])),
            ]
        )
        try:
            self.certificate(head["paypal-cert-url"]).public_key().verify(
                base64.b64decode(head["paypal-transmission-sig"]),
                text.encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except InvalidSignature:
            return False
        return True


@pytest.fixture
def psp(server, keys, receiver, place):
    made = Psp(server, keys, place)
    made.control("reset", {"seed": 7})
    made.control(
        "settings",
        {"pending_ms": 50, "webhook_timeout_s": 5, "token_s": 32400},
    )
    made.token = made.grant().json()["access_token"]
    receiver.forget()
    yield made
    made.http.close()


def crc32(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def usd(value: str, currency="USD") -> dict:
    return {"currency_code": currency, "value": value}


def order(unit=None, context=None, **more) -> dict:
    item = {"name": "Tea", "quantity": "1", "unit_amount": usd("12.34")}
    body = {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "reference_id": "ref-1",
                "custom_id": "ref-1",
                "amount": usd("12.34")
                | {"breakdown": {"item_total": usd("12.34")}},
                "items": [item],
            }
            | (unit or {})
        ],
        "payment_source": {
            "paypal": {
                "experience_context": {
                    "user_action": "PAY_NOW",
                    "return_url": RETURN + "?h=1",
                    "cancel_url": RETURN,
                }
                | (context or {})
            }
        },
    } | more
    return {name: value for name, value in body.items() if value is not None}


def issue(answer) -> str:
    return answer.json()["details"][0]["issue"]


def event_of(message: dict) -> dict:
    return json.loads(message["body"])


def one_event(receiver, psp) -> dict:
    (message,) = receiver.wait(1, HOOKS)
    assert psp.is_signed(message)
    return event_of(message)


# Access tokens.


def test_a_token_is_granted_and_each_grant_is_in_the_books(psp):
    answer = psp.grant()
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer" and body["expires_in"] == 32400
    assert body["access_token"] != psp.token
    grants = [c for c in psp.books()["requests"] if c["operation"] == "token"]
    assert [each["outcome"] for each in grants] == ["granted", "granted"]


@pytest.mark.parametrize("key", ["client:wrong", "client", ":", "x:y:z"])
def test_a_wrong_pair_gets_no_token(psp, key):
    answer = psp.grant(key)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("body", ["", "grant_type=password", "{}"])
def test_only_client_credentials_are_granted(psp, body):
    answer = psp.grant(body=body)
    assert answer.status_code == 400 and "access_token" not in answer.json()


def test_nothing_works_without_a_token(psp):
    made = psp.approved()
    psp.token = "A21AA-no-such"
    for answer in (psp.order(), psp.query(made), psp.capture(made)):
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_token"
    assert psp.booked(made)["status"] == "approved"


def test_a_token_ends_at_its_time(psp):
    psp.control("settings", {"token_s": 1})
    psp.token = psp.grant().json()["access_token"]
    made = psp.order()
    assert made.status_code == 201
    until(lambda: psp.query(made.json()).status_code == 401, "the token's end")


def test_tokens_live_through_a_reset(psp):
    psp.control("reset", {"seed": 8})
    assert psp.order().status_code == 201


# Orders.


def test_an_order_is_made_once_and_replayed_as_it_stands(psp):
    first = psp.order("key-1")
    again = psp.order("key-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    made = first.json()
    assert made["status"] == "PAYER_ACTION_REQUIRED"
    assert made["purchase_units"][0]["amount"]["value"] == "12.34"
    psp.buy(made)
    assert psp.order("key-1").json()["status"] == "APPROVED"
    (booked,) = psp.books()["registrations"]
    assert booked["nonce"] == "key-1" and booked["requests"] == 3


def test_a_minimal_answer_echoes_nothing(psp):
    made = psp.order(Prefer="return=minimal").json()
    assert set(made) == {"id", "status", "payment_source", "links"}


def test_a_key_in_use_is_a_conflict(psp):
    psp.fault("register", "delay", ms=1000)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(psp.order, "key-1")
        until(lambda: psp.books(nonce="key-1")["requests"], "the first call")
        answer = psp.order("key-1")
        assert first.result().status_code == 201
    assert answer.status_code == 409
    assert issue(answer) == "PREVIOUS_REQUEST_IN_PROGRESS"


@pytest.mark.parametrize(
    ("body", "status", "what"),
    [
        (order(intent="AUTHORIZE"), 400, "INVALID_PARAMETER_VALUE"),
        (order(intent=None), 400, "MISSING_REQUIRED_PARAMETER"),
        (order(purchase_units=[]), 400, "INVALID_PARAMETER_VALUE"),
        (order(purchase_units={}), 400, "INVALID_PARAMETER_SYNTAX"),
        (order(payment_source={}), 400, "MISSING_REQUIRED_PARAMETER"),
        (order(unknown=1), 400, "INVALID_PARAMETER_SYNTAX"),
        (order({"unknown": "x"}), 400, "INVALID_PARAMETER_SYNTAX"),
        (order({"custom_id": "x" * 128}), 400, "INVALID_STRING_LENGTH"),
        (order({"amount": usd("12.3")}), 400, "INVALID_PARAMETER_VALUE"),
        (order({"amount": usd("0.00")}), 400, "INVALID_PARAMETER_VALUE"),
        (order({"amount": usd("-1.00")}), 400, "INVALID_PARAMETER_VALUE"),
        (order({"amount": usd("1", "KRW")}), 400, "INVALID_CURRENCY_CODE"),
        (order({"amount": usd("1.00", "JPY")}), 422, "DECIMALS_NOT_SUPPORTED"),
        (order({"amount": usd("1.00", "HUF")}), 422, "DECIMALS_NOT_SUPPORTED"),
        (order({"amount": usd("12.34")}), 422, "ITEM_TOTAL_REQUIRED"),
        (
            order(
                {
                    "amount": usd("9.00")
                    | {"breakdown": {"item_total": usd("9.00")}}
                }
            ),
            422,
            "ITEM_TOTAL_MISMATCH",
        ),
        (order(context={"user_action": "BUY"}), 400, "INVALID_PARAMETER_VALUE"),
        (order(context={"return_url": ""}), 400, "INVALID_STRING_LENGTH"),
    ],
)
def test_a_wrong_order_is_refused_and_not_booked(psp, body, status, what):
    answer = psp.order(body=body)
    assert (answer.status_code, issue(answer)) == (status, what)
    assert psp.books()["registrations"] == []


def test_an_order_without_a_payment_source_is_created(psp):
    """It needs no request id, and each create is another order."""
    body = order(payment_source=None)
    first = psp.call("POST", ORDERS, body).json()
    second = psp.call("POST", ORDERS, body).json()
    assert first["id"] != second["id"]
    assert (first["status"], "payment_source" in first) == ("CREATED", False)
    assert [each["rel"] for each in first["links"]] == [
        "self", "approve", "update", "capture",
    ]  # fmt: skip
    psp.buy(first)
    assert psp.capture(first).json()["status"] == "COMPLETED"


def test_an_order_needs_a_request_id(psp):
    answer = psp.call("POST", ORDERS, order())
    assert issue(answer) == "PAYPAL_REQUEST_ID_REQUIRED"
    answer = psp.order("k" * 109)
    assert issue(answer) == "PAYPAL_REQUEST_ID_REQUIRED"


@pytest.mark.parametrize(
    ("currency", "value", "booked"),
    [("HUF", "123", "123.00"), ("TWD", "5", "5.00"), ("JPY", "1200", "1200")],
)
def test_the_books_hold_iso_units(psp, currency, value, booked):
    body = order({"amount": usd(value, currency)})
    del body["purchase_units"][0]["items"]
    made = psp.order(body=body).json()
    assert psp.booked(made)["amount"] == booked
    psp.buy(made)
    done = psp.capture(made).json()["purchase_units"][0]["payments"]
    assert done["captures"][0]["amount"] == usd(value, currency)


# From approval to money.


def test_the_buyer_approves_and_is_sent_back_with_token_and_payer(
    psp, receiver
):
    made = psp.order().json()
    back = psp.buy(made)
    assert back.status_code == 303
    query = parse_qs(urlsplit(back.headers["Location"]).query)
    assert back.headers["Location"].startswith(RETURN + "?h=1&token=")
    assert query["token"] == [made["id"]] and len(query["PayerID"]) == 1
    assert psp.query(made).json()["status"] == "APPROVED"
    assert psp.booked(made)["payment_id"] is None
    event = one_event(receiver, psp)
    assert event["event_type"] == "CHECKOUT.ORDER.APPROVED"
    assert event["resource"]["id"] == made["id"]


def test_a_capture_takes_the_money_once(psp, receiver):
    made = psp.approved()
    first = psp.capture(made, "cap-1")
    again = psp.capture(made, "cap-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    (capture,) = first.json()["purchase_units"][0]["payments"]["captures"]
    assert capture["status"] == "COMPLETED"
    assert capture["amount"] == usd("12.34")
    assert first.json()["status"] == "COMPLETED"
    other = psp.capture(made, "cap-2")
    assert other.status_code == 422
    assert issue(other) == "ORDER_ALREADY_CAPTURED"
    messages = receiver.wait(2, HOOKS)
    types = sorted(event_of(each)["event_type"] for each in messages)
    assert types == ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"]
    (done,) = [
        e for e in map(event_of, messages) if "CAPTURE" in e["event_type"]
    ]
    related = done["resource"]["supplementary_data"]["related_ids"]
    assert related["order_id"] == made["id"]
    assert done["resource"]["id"] == capture["id"]


def test_what_is_not_approved_is_not_captured(psp):
    made = psp.order().json()
    answer = psp.capture(made)
    assert (answer.status_code, issue(answer)) == (422, "ORDER_NOT_APPROVED")
    assert psp.capture({"id": "NOSUCH"}).status_code == 404
    psp.control("pay", {"token": made["id"], "result": "cancelled"})
    assert issue(psp.capture(made)) == "ORDER_COMPLETED_OR_VOIDED"
    assert psp.query(made).json()["status"] == "VOIDED"


def test_a_lapsed_order_is_not_found(psp):
    made = psp.order().json()
    psp.control("pay", {"token": made["id"], "result": "expired"})
    assert psp.query(made).status_code == 404
    assert issue(psp.query(made)) == "INVALID_RESOURCE_ID"
    assert psp.capture(made).status_code == 404
    assert psp.books()["webhooks"] == []


def test_an_echeck_is_pending_and_paid_later(psp, receiver):
    made = psp.order().json()
    assert psp.buy(made, "4000000000003220").status_code == 303
    done = psp.capture(made).json()
    (capture,) = done["purchase_units"][0]["payments"]["captures"]
    assert done["status"] == "COMPLETED" and capture["status"] == "PENDING"
    assert capture["status_details"] == {"reason": "ECHECK"}
    types = [event_of(e)["event_type"] for e in receiver.wait(3, HOOKS)]
    assert set(types) == {
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.CAPTURE.PENDING",
        "PAYMENT.CAPTURE.COMPLETED",
    }


def test_a_capture_can_be_denied_after_all(psp, receiver):
    made = psp.approved()
    psp.control("pay", {"token": made["id"], "result": "declined"})
    order_now = psp.query(made).json()
    (capture,) = order_now["purchase_units"][0]["payments"]["captures"]
    assert order_now["status"] == "COMPLETED"
    assert capture["status"] == "DECLINED"
    types = [event_of(e)["event_type"] for e in receiver.wait(2, HOOKS)]
    assert "PAYMENT.CAPTURE.DENIED" in types


def test_a_declined_card_lets_the_buyer_try_again(psp):
    made = psp.order().json()
    assert psp.buy(made, "4000000000000002").status_code == 402
    assert psp.query(made).json()["status"] == "PAYER_ACTION_REQUIRED"
    assert psp.buy(made).status_code == 303
    assert psp.books()["webhooks"][0]["type"] == "CHECKOUT.ORDER.APPROVED"


def test_the_cancel_link_only_leads_back(psp):
    made = psp.order().json()
    link = urlsplit(made["links"][1]["href"]).path
    back = psp.http.get(link + "/cancel")
    assert back.headers["Location"] == f"{RETURN}?token={made['id']}"
    assert psp.query(made).json()["status"] == "PAYER_ACTION_REQUIRED"


def test_an_instrument_declined_at_the_capture_takes_nothing(psp):
    made = psp.approved()
    psp.fault("capture", "status", status=422)
    answer = psp.capture(made, "cap-1")
    assert (answer.status_code, issue(answer)) == (422, "INSTRUMENT_DECLINED")
    assert psp.query(made).json()["status"] == "APPROVED"
    assert psp.capture(made, "cap-1").status_code == 201


def test_a_capture_whose_answer_is_lost_was_one(psp):
    made = psp.approved()
    psp.fault("capture", "drop_after_accept")
    with pytest.raises(httpx.TransportError):
        psp.capture(made, "cap-1")
    assert psp.query(made).json()["status"] == "COMPLETED"
    again = psp.capture(made, "cap-1")
    assert again.status_code == 200
    assert again.json()["status"] == "COMPLETED"


# Refunds.


def test_refunds_add_up_to_the_capture(psp, receiver):
    capture = psp.paid()
    first = psp.refund(capture, {"amount": usd("2.34")}, "r-1")
    again = psp.refund(capture, {"amount": usd("2.34")}, "r-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["amount"] == usd("2.34")
    much = psp.refund(capture, {"amount": usd("10.01")})
    assert issue(much) == "REFUND_AMOUNT_EXCEEDED"
    other = psp.refund(capture, {"amount": usd("1.00", "EUR")})
    assert issue(other) == "REFUND_CAPTURE_CURRENCY_MISMATCH"
    rest = psp.refund(capture)
    assert rest.json()["amount"] == usd("10.00")
    assert issue(psp.refund(capture)) == "CAPTURE_FULLY_REFUNDED"
    types = [event_of(e)["event_type"] for e in receiver.wait(4, HOOKS)]
    assert types.count("PAYMENT.CAPTURE.REFUNDED") == 2


def test_there_is_no_refund_of_what_is_not_there(psp):
    assert psp.refund({"id": "NOSUCH"}).status_code == 404
    psp.control("settings", {"pending_ms": 60000})
    made = psp.order().json()
    psp.buy(made, "4000000000003220")
    (unit,) = psp.capture(made).json()["purchase_units"]
    answer = psp.refund(unit["payments"]["captures"][0])
    assert issue(answer) == "PENDING_CAPTURE"


def test_a_refunded_order_says_so(psp):
    capture = psp.paid()
    (booked,) = psp.books()["registrations"]
    for value, status in (
        ("2.34", "PARTIALLY_REFUNDED"),
        ("10.00", "REFUNDED"),
    ):
        psp.refund(capture, {"amount": usd(value)})
        (unit,) = psp.query({"id": booked["token"]}).json()["purchase_units"]
        assert unit["payments"]["captures"][0]["status"] == status


# Webhooks.


def test_the_certificate_is_paypals_and_of_the_written_ca(psp, receiver):
    psp.approved()
    (message,) = receiver.wait(1, HOOKS)
    leaf = psp.certificate(message["headers"]["paypal-cert-url"])
    ca = x509.load_pem_x509_certificate(
        (psp.place / "paypal.ca.pem").read_bytes()
    )
    ca.public_key().verify(
        leaf.signature,
        leaf.tbs_certificate_bytes,
        ec.ECDSA(hashes.SHA256()),
    )
    (name,) = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "messageverificationcerts.sandbox.paypal.com"
    assert leaf.public_key().key_size == 2048


def test_the_impostors_certificate_is_not_of_the_written_ca(psp, receiver):
    psp.approved()
    (message,) = receiver.wait(1, HOOKS)
    url = message["headers"]["paypal-cert-url"].rpartition("/")[0]
    other = psp.certificate(url + "/impostor")
    ca = x509.load_pem_x509_certificate(
        (psp.place / "paypal.ca.pem").read_bytes()
    )
    assert other.issuer == ca.subject
    with pytest.raises(InvalidSignature):
        ca.public_key().verify(
            other.signature,
            other.tbs_certificate_bytes,
            ec.ECDSA(hashes.SHA256()),
        )


def test_the_certificates_server_is_not_trusted_by_accident(psp, receiver):
    psp.approved()
    (message,) = receiver.wait(1, HOOKS)
    url = message["headers"]["paypal-cert-url"]
    assert url.startswith("https://")
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, timeout=DEADLINE_S)


def test_a_repeat_is_another_transmission_of_one_event(psp, receiver):
    receiver.answers += [500]
    psp.approved()
    one, two = receiver.wait(2, HOOKS)
    name = "paypal-transmission-id"
    assert one["headers"][name] != two["headers"][name]
    assert one["body"] == two["body"]
    assert psp.is_signed(one) and psp.is_signed(two)


def test_a_forged_message_is_signed_for_another_listener(psp, receiver):
    psp.fault("webhook", "forged")
    receiver.answers += [401]
    psp.approved()
    forged, right = receiver.wait(2, HOOKS)
    assert not psp.is_signed(forged) and psp.is_signed(right)


def test_an_amount_can_be_wrong_under_a_right_signature(psp, receiver):
    made = psp.approved()
    receiver.wait(1, HOOKS)
    psp.fault("webhook", "wrong_amount")
    psp.capture(made)
    messages = receiver.wait(2, HOOKS)
    assert psp.is_signed(messages[1])
    assert event_of(messages[1])["resource"]["amount"]["value"] == "912.34"
    (unit,) = psp.query(made).json()["purchase_units"]
    assert unit["amount"]["value"] == "12.34"
    assert unit["payments"]["captures"][0]["amount"]["value"] == "12.34"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("wrong_amount", ("912.34", "USD")),
        ("wrong_currency", ("12.34", "EUR")),
    ],
)
def test_an_answer_can_echo_something_else(psp, kind, expected):
    psp.fault("register", kind)
    made = psp.order("key-1").json()
    echoed = made["purchase_units"][0]["amount"]
    assert (echoed["value"], echoed["currency_code"]) == expected
    assert psp.booked(made)["amount"] == "12.34"
    again = psp.order("key-1").json()["purchase_units"][0]["amount"]
    assert (again["value"], again["currency_code"]) == ("12.34", "USD")


def test_an_answer_can_lead_elsewhere(psp):
    psp.fault("register", "evil_host")
    made = psp.order().json()
    assert made["links"][1]["href"] == "https://evil.example/pay"


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "INVALID_REQUEST"),
        (403, "NOT_AUTHORIZED"),
        (409, "RESOURCE_CONFLICT"),
        (422, "UNPROCESSABLE_ENTITY"),
        (429, "RATE_LIMIT_REACHED"),
        (500, "INTERNAL_SERVER_ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_errors_are_worded_as_paypals(psp, status, name):
    psp.fault("register", "status", status=status)
    answer = psp.order("key-1")
    assert (answer.status_code, answer.json()["name"]) == (status, name)
    assert psp.books()["registrations"] == []
    assert psp.order("key-1").status_code == 201, "no error is kept"


def test_a_token_call_can_fail(psp):
    psp.fault("token", "status", status=503)
    assert psp.grant().status_code == 503
    psp.fault("token", "malformed")
    with pytest.raises(ValueError):
        psp.grant().json()
    assert psp.grant().status_code == 200
