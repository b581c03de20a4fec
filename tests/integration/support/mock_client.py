"""A storefront of the mock PSP, in each of its dialects, and a receiver of
its webhooks: what the tests of the mock share.  Needs no gateway.

Each registration is of 12.34 USD; `change` replaces what stands at a path of
its body, "amount.value" or "purchase_units.0.amount"; None takes it out.
"""

import base64
import copy
import hashlib
import hmac
import json
import secrets
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from .client import plain
from .mock_server import DEADLINE_S, Receiver, serve

RETURN = "https://shop.example.com/back"
USD = {"currency": "USD"}
# The same in each request of a registration.
EXPIRES_AT = int(time.time()) + 3600
ADYEN = {"merchantAccount": "NgxPaymentsECOM"}
KEYS = {
    "adyen.key": "AQE" + secrets.token_hex(24),
    "adyen.whsec": secrets.token_hex(32).upper(),
    "generic.key": "gk_" + secrets.token_hex(16),
    "generic.whsec": "whsec_"
    + base64.b64encode(secrets.token_bytes(32)).decode(),
    "mollie.key": "test_" + secrets.token_hex(16),
    "mollie.whsec": secrets.token_hex(16),
    "paypal.key": f"client-{secrets.token_hex(8)}:{secrets.token_hex(20)}",
    "paypal.whsec": secrets.token_hex(8).upper(),
    "square.key": "EAAA" + secrets.token_hex(16),
    "square.whsec": secrets.token_hex(16),
    "stripe.key": "sk_test_" + secrets.token_hex(16),
    "stripe.whsec": "whsec_" + secrets.token_hex(16),
    "acme.result": secrets.token_hex(32),
}
DIALECTS = ("adyen", "generic", "mollie", "paypal", "square", "stripe")
ROOTS = {
    "adyen": "/adyen/v72/paymentLinks",
    "generic": "/generic/v1/registrations",
    "mollie": "/mollie/v2/payments",
    "paypal": "/paypal/v2/checkout/orders",
    "square": "/square/v2/online-checkout/payment-links",
    "stripe": "/stripe/v1/checkout/sessions",
}
SETTINGS = {
    "pending_ms": 50,
    "webhook_timeout_s": 5,
    "token_s": 32400,
    "key_window_s": 0,
    "event_age_s": 0,
    "list_page": 6,
    "adyen_reference": "payment",
    "capture_result": "done",
    "refund_result": "done",
    "sale_fee_minor": 0,
    "refund_fee_minor": 0,
}


def ends(seconds: float, now: float | None = None) -> str:
    moment = datetime.fromtimestamp((now or time.time()) + seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def paypals(value: str, currency: str = "USD") -> dict:
    return {"currency_code": currency, "value": value}


def body_of(dialect: str, nonce: str, reference: str) -> dict:
    """A registration as that PSP wants it."""
    tea = {"name": "Tea", "quantity": "1"}
    amount = USD | {"value": "12.34"}
    price = "line_items[0][price_data]"
    return {
        "adyen": lambda: (
            ADYEN
            | {
                "reference": reference,
                "amount": USD | {"value": 1234},
                "expiresAt": ends(0, EXPIRES_AT),
                "returnUrl": RETURN,
            }
        ),
        "generic": lambda: {
            "nonce": nonce,
            "reference": reference,
            "amount": "12.34",
            "currency": "USD",
            "expires_at": EXPIRES_AT,
            "return_url": RETURN,
            "lines": [
                {"payment_order_id": "p1", "name": "Tea", "amount": "12.34"}
            ],
        },
        "mollie": lambda: {
            "amount": amount,
            "description": reference,
            "redirectUrl": RETURN,
            "cancelUrl": RETURN + "?cancelled=1",
            "metadata": {"reference": reference},
            "lines": [
                {"description": "Tea", "quantity": 1}
                | {"unitPrice": amount, "totalAmount": amount}
            ],
        },
        "paypal": lambda: {
            "intent": "CAPTURE",
            "purchase_units": [
                {
                    "reference_id": reference,
                    "custom_id": reference,
                    "amount": paypals("12.34")
                    | {"breakdown": {"item_total": paypals("12.34")}},
                    "items": [tea | {"unit_amount": paypals("12.34")}],
                }
            ],
            "payment_source": {
                "paypal": {
                    "experience_context": {
                        "user_action": "PAY_NOW",
                        "return_url": RETURN + "?h=1",
                        "cancel_url": RETURN,
                    }
                }
            },
        },
        "square": lambda: {
            "idempotency_key": nonce,
            "order": {
                "location_id": "L1",
                "reference_id": reference,
                "line_items": [
                    tea | {"base_price_money": USD | {"amount": 1234}}
                ],
            },
            "checkout_options": {"redirect_url": RETURN},
        },
        "stripe": lambda: {
            "mode": "payment",
            "success_url": RETURN + "?sid={CHECKOUT_SESSION_ID}",
            "cancel_url": RETURN + "?cancelled=1",
            "client_reference_id": reference,
            "expires_at": str(EXPIRES_AT),
            "metadata[checkout]": "c1",
            "line_items[0][quantity]": "1",
            f"{price}[currency]": "usd",
            f"{price}[unit_amount]": "1234",
            f"{price}[product_data][name]": "Tea",
        },
    }[dialect]()


def place(body, path: str):
    """What holds the last word of a path, and that word."""
    *above, last = path.split(".") if "[" not in path else [path]
    for word in above:
        body = body[int(word) if isinstance(body, list) else word]
    return body, int(last) if isinstance(body, list) else last


def at(body, path: str):
    body, last = place(body, path)
    return body[last]


def changed(body: dict, change: dict) -> dict:
    body = copy.deepcopy(body)
    for path, value in change.items():
        inner, last = place(body, path)
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return body


def said(dialect: str, answer) -> str:
    """The word that the PSP has for what is wrong."""
    body = answer.json()
    if dialect in ("generic", "stripe"):
        return body["error"].get("code") or body["error"]["type"]
    if dialect == "paypal":
        details = body.get("details")
        return details[0]["issue"] if details else body["name"]
    if dialect == "square":
        return body["errors"][0]["code"]
    return body["errorCode"] if dialect == "adyen" else body["field"]


class Psp:
    def __init__(self, url: str, receiver: Receiver, keys: dict, where):
        self.receiver, self.keys, self.where = receiver, keys, where
        self.http = plain(base_url=url, timeout=DEADLINE_S)
        self.bearer = ""

    # the control API

    def control(self, verb: str, wanted=(200, 201), /, **body) -> dict:
        answer = self.http.post(f"/_control/{verb}", json=body)
        wanted = (wanted,) if isinstance(wanted, int) else wanted
        assert answer.status_code in wanted, answer.text
        return answer.json()

    def books(self, **query) -> dict:
        return self.http.get("/_control/books", params=query).json()

    def booked(self, token: str) -> dict:
        return self.books(token=token)["registrations"][0]

    def fault(self, operation: str, kind: str, **more) -> None:
        self.control("faults", operation=operation, kind=kind, **more)

    def pay(self, token: str, result: str = "paid") -> list:
        return self.control("pay", token=token, result=result)["events"]

    # the dialects

    def grant(
        self, key: str | None = None, form="grant_type=client_credentials"
    ):
        pair = base64.b64encode((key or self.keys["paypal.key"]).encode())
        return self.http.post(
            "/paypal/v1/oauth2/token",
            content=form,
            headers={
                "Authorization": "Basic " + pair.decode(),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )

    def headers(self, dialect: str, key: str | None) -> dict:
        bearer = self.keys[f"{dialect}.key"]
        if dialect == "paypal":
            self.bearer = self.bearer or self.grant().json()["access_token"]
            bearer = self.bearer
        name = "PayPal-Request-Id" if dialect == "paypal" else "Idempotency-Key"
        made = {"Authorization": f"Bearer {bearer}"}
        if dialect == "adyen":
            made = {"X-API-Key": bearer}
        if dialect == "square":
            made["Square-Version"] = "2025-08-20"
        if dialect == "paypal":
            made["Prefer"] = "return=representation"
        return made | ({name: key} if key else {})

    def call(self, dialect, method, path, body=None, key=None, **headers):
        """`path` behind that of the registrations, or a whole one."""
        if not path.startswith(f"/{dialect}"):
            path = ROOTS[dialect] + path
        form = "data" if dialect == "stripe" else "json"
        headers = self.headers(dialect, key) | headers
        sent = {form: body} if body is not None else {}
        return self.http.request(method, path, headers=headers, **sent)

    def post(self, dialect, path, body=None, key=None, **headers):
        key = key or str(uuid.uuid4())
        return self.call(dialect, "POST", path, body or {}, key, **headers)

    def order(self, dialect: str, nonce: str | None = None, **change) -> dict:
        nonce = nonce or str(uuid.uuid4())
        return changed(body_of(dialect, nonce, "checkout-1"), change)

    def register(self, dialect, nonce=None, change=None, **headers):
        nonce = nonce or str(uuid.uuid4())
        body = self.order(dialect, nonce, **(change or {}))
        return self.call(dialect, "POST", "", body, nonce, **headers)

    def made(self, dialect: str, nonce=None, change=None) -> dict:
        """Its token, hosted page and answer."""
        answer = self.register(dialect, nonce, change)
        assert answer.status_code in (200, 201), answer.text
        return shown(dialect, answer.json())

    def paid(self, dialect: str, result: str = "paid", change=None) -> dict:
        """With its payment's id."""
        made = self.made(dialect, change=change)
        self.pay(made["token"], result)
        payment = self.booked(made["token"])["payment_id"]
        return made | {"payment": payment or made["token"]}

    def query(self, dialect: str, token: str):
        path = f"/{token}"
        if dialect == "square":
            path = f"/square/v2/orders/{token}"
        return self.call(dialect, "GET", path)

    def buy(self, made: dict, number: str = "4242424242424242", **more):
        """The buyer on the hosted page."""
        form = {"number": number, "expiry": "12/39", "cvc": "123"} | more
        return self.http.post(made["page"], data=form)

    # webhooks

    def got(self, dialect: str, count: int) -> list[dict]:
        return self.receiver.wait(count, f"/webhooks/{dialect}")

    def told(self, dialect: str, count: int) -> list[dict]:
        """Events, by the order in which they were made."""
        got = [each for m in self.got(dialect, count) for each in events(m)]
        assert len(got) == count, [kind(dialect, each) for each in got]
        made = [each["id"] for each in self.books()["events"]]
        return sorted(got, key=lambda each: made.index(name(dialect, each)))

    def types(self, dialect: str, count: int) -> list[str]:
        return [kind(dialect, each) for each in self.told(dialect, count)]


def shown(dialect: str, body: dict) -> dict:
    token, page = {
        "adyen": lambda: (body["id"], body["url"]),
        "generic": lambda: (body["token"], body["hosted_url"]),
        "mollie": lambda: (body["id"], body["_links"]["checkout"]["href"]),
        "paypal": lambda: (body["id"], body["links"][1]["href"]),
        "square": lambda: (
            body["payment_link"]["order_id"],
            body["payment_link"]["url"],
        ),
        "stripe": lambda: (body["id"], body["url"]),
    }[dialect]()
    return {"token": token, "page": urlsplit(page).path, "answer": body}


def events(message: dict) -> list[dict]:
    """One, or the items of Adyen's notification."""
    body = json.loads(message["body"])
    items = body.get("notificationItems")
    if items is None:
        return [body]
    assert body["live"] == "false"
    return [each["NotificationRequestItem"] for each in items]


def kind(dialect: str, event: dict) -> str:
    names = {"adyen": "eventCode", "paypal": "event_type"}
    return event[names.get(dialect, "type")]


def name(dialect: str, event: dict) -> str:
    """Its id in the books."""
    if dialect == "adyen":
        words = "eventCode", "pspReference", "success"
        return ":".join(event[word] for word in words)
    return event["event_id" if dialect == "square" else "id"]


def mac(key: bytes, text: bytes, how=hashlib.sha256) -> bytes:
    return hmac.new(key, text, how).digest()


def is_signed(
    dialect: str, message: dict, url: str, now=None, keys=KEYS
) -> bool:
    """By hand-written HMACs; PayPal's: test_mock_webhooks."""
    head, body = message["headers"], message["body"]
    now, secret = now or time.time(), keys[f"{dialect}.whsec"]

    def stripe():
        pairs = head["stripe-signature"].split(",")
        told = dict(pair.split("=") for pair in pairs)
        right = mac(secret.encode(), told["t"].encode() + b"." + body).hex()
        return right == told["v1"] and abs(now - int(told["t"])) < 300

    def generic():
        key = base64.b64decode(secret.removeprefix("whsec_"))
        stamp = head["webhook-timestamp"]
        text = f"{head['webhook-id']}.{stamp}.".encode() + body
        right = "v1," + base64.b64encode(mac(key, text)).decode()
        fresh = abs(now - int(stamp)) < 300
        return right == head["webhook-signature"] and fresh

    def square():
        text = f"{url}/webhooks/square".encode() + body
        right = base64.b64encode(mac(secret.encode(), text)).decode()
        return right == head["x-square-hmacsha256-signature"]

    def mollie():
        right = "sha256=" + mac(secret.encode(), body).hex()
        return right == head["x-mollie-signature"]

    def adyen():
        (item,) = events(message)
        values = [item["pspReference"], item.get("originalReference") or ""]
        values += [item["merchantAccountCode"], item["merchantReference"]]
        values += [str(item["amount"]["value"]), item["amount"]["currency"]]
        values += [item["eventCode"], item["success"]]
        right = mac(bytes.fromhex(secret), ":".join(values).encode())
        sent = item["additionalData"]["hmacSignature"]
        return base64.b64encode(right).decode() == sent

    return {f.__name__: f for f in (adyen, generic, mollie, square, stripe)}[
        dialect
    ]()


@contextmanager
def running(where, keys: dict = KEYS):
    """A mock with a receiver of its webhooks."""
    receiver = Receiver()
    with serve(where, keys, receiver.url) as url:
        yield Psp(url, receiver, keys, where)
    receiver.server.shutdown()


def afresh(psp: Psp) -> Psp:
    psp.control("reset", seed=7)
    psp.control("settings", **SETTINGS)
    psp.receiver.forget()
    return psp
