"""The mock PSP's dialect ``adyen``: links, changes, signed webhooks, faults.

Needs no gateway.  Signatures are checked by a hand-written HMAC over the eight
values that Adyen names.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
from support.client import plain
from support.mock_server import DEADLINE_S, Receiver, serve, until

ACCOUNT = "NgxPaymentsECOM"
LINKS = "/adyen/v72/paymentLinks"
HOOKS = "/webhooks/adyen"
RETURN = "https://shop.example.com/back"
SIGNED = ("pspReference", "originalReference", "merchantAccountCode")


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def keys():
    return {
        "adyen.key": "AQE" + secrets.token_hex(24),
        "adyen.whsec": secrets.token_hex(32).upper(),
    }


@pytest.fixture(scope="module")
def server(receiver, keys, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("keys"), keys, receiver.url) as url:
        yield url


class Psp:
    def __init__(self, url: str, keys: dict):
        self.keys = keys
        self.http = plain(base_url=url, timeout=DEADLINE_S)

    def control(self, verb: str, body: object = None) -> dict:
        answer = self.http.post(f"/_control/{verb}", json=body or {})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def books(self, **query) -> dict:
        return self.http.get("/_control/books", params=query).json()

    def call(self, method: str, path: str, body=None, key=None, **headers):
        sent = {"X-API-Key": self.keys["adyen.key"]}
        if key:
            sent["Idempotency-Key"] = key
        return self.http.request(
            method, path, json=body, headers=sent | headers
        )

    def link(self, key=None, **more):
        key = key or str(uuid.uuid4())
        return self.call("POST", LINKS, order(**more), key)

    def paid(self) -> dict:
        """A link that was paid, with its payment's id."""
        made = self.link().json()
        self.control("pay", {"token": made["id"], "result": "paid"})
        booked = self.books(token=made["id"])["registrations"][0]
        return made | {"payment": booked["payment_id"]}

    def change(self, made: dict, kind: str, key=None, **more):
        body = {"merchantAccount": ACCOUNT, "reference": "op-1"} | more
        path = f"/adyen/v72/payments/{made['payment']}/{kind}"
        return self.call("POST", path, body, key or str(uuid.uuid4()))


@pytest.fixture
def psp(server, keys, receiver):
    made = Psp(server, keys)
    made.control("reset", {"seed": 7})
    made.control(
        "settings",
        {
            "pending_ms": 50,
            "webhook_timeout_s": 5,
            "adyen_reference": "payment",
        },
    )
    receiver.forget()
    yield made
    made.http.close()


def ends(seconds: float) -> str:
    moment = datetime.fromtimestamp(time.time() + seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def order(**more) -> dict:
    body = {
        "merchantAccount": ACCOUNT,
        "reference": str(uuid.uuid4()),
        "amount": {"value": 1234, "currency": "USD"},
        "expiresAt": ends(3600),
        "returnUrl": RETURN,
    } | more
    return {name: value for name, value in body.items() if value is not None}


def card(number: str) -> dict:
    return {"number": number, "expiry": "12/39", "cvc": "123"}


def items(message: dict) -> list[dict]:
    body = json.loads(message["body"])
    assert body["live"] == "false"
    return [
        each["NotificationRequestItem"] for each in body["notificationItems"]
    ]


def is_signed(item: dict, key: str) -> bool:
    values = [item.get(name) or "" for name in SIGNED]
    values += [item["merchantReference"], str(item["amount"]["value"])]
    values += [item["amount"]["currency"], item["eventCode"], item["success"]]
    mac = hmac.new(
        bytes.fromhex(key), ":".join(values).encode(), hashlib.sha256
    ).digest()
    sent = item["additionalData"]["hmacSignature"]
    return hmac.compare_digest(sent, base64.b64encode(mac).decode())


def one_item(receiver, psp) -> dict:
    (message,) = receiver.wait(1, HOOKS)
    (item,) = items(message)
    assert is_signed(item, psp.keys["adyen.whsec"])
    return item


# Links.


def test_a_link_is_made_once_and_replayed(psp):
    body = order()
    first = psp.call("POST", LINKS, body, "key-1")
    again = psp.call("POST", LINKS, body, "key-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    link = first.json()
    assert link["id"].startswith("PL") and link["status"] == "active"
    assert link["amount"] == body["amount"]
    assert link["reference"] == body["reference"]
    assert urlsplit(link["url"]).path == f"/adyen/pay/{link['id']}"
    (booked,) = psp.books()["registrations"]
    assert booked["nonce"] == "key-1" and booked["requests"] == 2
    assert booked["amount"] == "12.34"


def test_a_key_with_another_body_is_error_704(psp):
    psp.link("key-1")
    answer = psp.link("key-1", amount={"value": 1, "currency": "USD"})
    assert answer.status_code == 422
    assert answer.json()["errorCode"] == "704"
    assert len(psp.books()["registrations"]) == 1


def test_a_key_in_use_is_error_704_and_transient(psp):
    psp.control(
        "faults", {"operation": "register", "kind": "delay", "ms": 1000}
    )
    body = order()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(psp.call, "POST", LINKS, body, "key-1")
        until(lambda: psp.books()["requests"], "the first call")
        answer = psp.call("POST", LINKS, body, "key-1")
        assert first.result().status_code == 201
    assert answer.status_code == 422
    assert answer.json()["errorCode"] == "704"
    assert answer.headers["transient-error"] == "true"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"merchantAccount": "Other"}, 403, "901"),
        ({"merchantAccount": None}, 422, "14_004"),
        ({"reference": None}, 422, "14_004"),
        ({"amount": None}, 422, "14_004"),
        ({"amount": {"value": 0, "currency": "USD"}}, 422, "137"),
        ({"amount": {"value": -1, "currency": "USD"}}, 422, "137"),
        ({"amount": {"value": "1", "currency": "USD"}}, 400, "702"),
        ({"amount": {"value": 1.5, "currency": "USD"}}, 400, "702"),
        ({"amount": {"value": 1, "currency": "usd"}}, 422, "138"),
        ({"amount": {"value": 150, "currency": "ISK"}}, 422, "137"),
        ({"amount": {"value": 1, "currency": "CLF"}}, 422, "137"),
        ({"expiresAt": ends(-1)}, 422, "14_009"),
        ({"expiresAt": ends(71 * 86400)}, 422, "14_009"),
        ({"expiresAt": "2030-01-01T00:00:00"}, 422, "14_008"),
        ({"expiresAt": 1}, 400, "702"),
        ({"unknown": 1}, 400, "702"),
        ({"lineItems": [{}]}, 422, "14_004"),
        ({"reference": "a:b"}, 422, "14_012"),
    ],
)
def test_a_wrong_link_is_refused_and_not_booked(psp, changes, status, code):
    answer = psp.link(**changes)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert answer.json()["status"] == status
    assert psp.books()["registrations"] == []


def test_lines_must_add_up(psp):
    line = {"id": "1", "description": "Tea", "quantity": 1}
    right = [line | {"amountIncludingTax": 1234}]
    assert psp.link(lineItems=right).status_code == 201
    wrong = psp.link(lineItems=[line | {"amountIncludingTax": 1233}])
    assert wrong.json()["errorCode"] == "14_011"


@pytest.mark.parametrize(
    ("currency", "value", "amount"),
    [
        ("CLP", 120000, "1200"),
        ("ISK", 700, "7"),
        ("CVE", 12, "12.00"),
        ("IDR", 50000, "50000.00"),
        ("KWD", 1234, "1.234"),
        ("JPY", 1200, "1200"),
    ],
)
def test_the_books_hold_iso_units(psp, currency, value, amount):
    made = psp.link(amount={"value": value, "currency": currency}).json()
    (booked,) = psp.books(token=made["id"])["registrations"]
    assert booked["amount"] == amount


def test_without_the_key_nothing_is_heard(psp):
    for headers in (
        {"X-API-Key": "wrong"},
        {"X-API-Key": ""},
        {"X-API-Key": "", "Authorization": f"Bearer {psp.keys['adyen.key']}"},
    ):
        answer = psp.call("POST", LINKS, order(), "k", **headers)
        assert answer.status_code == 401
        assert answer.json()["errorCode"] == "000"
    assert psp.books()["registrations"] == []


def test_a_link_can_be_asked_for_and_expired(psp, receiver):
    made = psp.link().json()
    path = f"{LINKS}/{made['id']}"
    assert psp.call("GET", path).json()["status"] == "active"
    answer = psp.call("PATCH", path, {"status": "expired"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "expired"
    assert psp.call("GET", path).json()["status"] == "expired"
    item = one_item(receiver, psp)
    assert item["eventCode"] == "OFFER_CLOSED"
    assert item["merchantReference"] == made["reference"]


def test_only_open_links_expire_and_only_to_expired(psp):
    made = psp.paid()
    path = f"{LINKS}/{made['id']}"
    answer = psp.call("PATCH", path, {"status": "expired"})
    assert answer.json()["errorCode"] == "14_015"
    assert psp.call("GET", path).json()["status"] == "completed"
    other = f"{LINKS}/{psp.link().json()['id']}"
    for body in ({"status": "paid"}, {}, {"status": "expired", "x": 1}):
        assert psp.call("PATCH", other, body).status_code == 400
    assert psp.call("GET", other).json()["status"] == "active"


def test_an_unknown_link_is_an_error(psp):
    answer = psp.call("GET", f"{LINKS}/PL0000000000000000")
    assert answer.status_code == 422
    assert answer.json()["errorCode"] == "14_014"


# The buyer.


def test_a_card_pays_and_the_webhook_says_so(psp, receiver):
    made = psp.link().json()
    page = urlsplit(made["url"]).path
    answer = psp.http.post(page, data=card("4242424242424242"))
    assert (answer.status_code, answer.headers["Location"]) == (303, RETURN)
    item = one_item(receiver, psp)
    assert item["eventCode"] == "AUTHORISATION" and item["success"] == "true"
    assert item["merchantReference"] == made["reference"]
    assert item["merchantAccountCode"] == ACCOUNT
    assert item["amount"] == made["amount"]
    assert "originalReference" not in item
    answer = psp.call("GET", f"{LINKS}/{made['id']}")
    assert answer.json()["status"] == "completed"


def test_a_declined_try_leaves_the_link_open(psp, receiver):
    made = psp.link().json()
    page = urlsplit(made["url"]).path
    answer = psp.http.post(page, data=card("4000000000000002"))
    assert answer.status_code == 402
    item = one_item(receiver, psp)
    assert item["eventCode"] == "AUTHORISATION" and item["success"] == "false"
    assert item["reason"] == "Refused"
    assert item["additionalData"]["refusalReasonRaw"] == "05 : Do not honor"
    link = psp.call("GET", f"{LINKS}/{made['id']}").json()
    assert link["status"] == "active"
    answer = psp.http.post(page, data=card("4242424242424242"))
    assert answer.status_code == 303
    both = [items(each)[0] for each in receiver.wait(2, HOOKS)]
    assert {each["success"] for each in both} == {"false", "true"}
    assert len({each["pspReference"] for each in both}) == 2


def test_a_pending_payment_is_told_when_it_is_there(psp, receiver):
    made = psp.link().json()
    path = f"{LINKS}/{made['id']}"
    psp.control("settings", {"pending_ms": 300})
    page = urlsplit(made["url"]).path
    psp.http.post(page, data=card("4000000000003220"))
    assert psp.call("GET", path).json()["status"] == "paymentPending"
    assert receiver.got == []
    item = one_item(receiver, psp)
    assert (item["eventCode"], item["success"]) == ("AUTHORISATION", "true")


def test_the_cancel_link_only_leads_back(psp, receiver):
    made = psp.link().json()
    answer = psp.http.get(urlsplit(made["url"]).path + "/cancel")
    assert (answer.status_code, answer.headers["Location"]) == (303, RETURN)
    link = psp.call("GET", f"{LINKS}/{made['id']}").json()
    assert link["status"] == "active" and receiver.got == []


def test_a_link_ends_by_itself(psp, receiver):
    made = psp.link(expiresAt=ends(1)).json()
    item = one_item(receiver, psp)
    assert item["eventCode"] == "OFFER_CLOSED"
    link = psp.call("GET", f"{LINKS}/{made['id']}").json()
    assert link["status"] == "expired"


# What is done to payments.


@pytest.mark.parametrize("whose", ["payment", "change"])
def test_changes_are_received_and_told_later(psp, receiver, whose):
    """Adyen describes merchantReference as the payment's; it may be ours."""
    psp.control("settings", {"adyen_reference": whose})
    made = psp.paid()
    reference = made["reference"] if whose == "payment" else "op-1"
    amount = {"value": 1234, "currency": "USD"}
    wanted = []
    for kind, code, success, more in (
        ("captures", "CAPTURE", "true", {"amount": amount}),
        ("refunds", "REFUND", "true", {"amount": amount}),
        ("cancels", "CANCELLATION", "false", {}),
    ):
        answer = psp.change(made, kind, **more)
        assert answer.status_code == 201
        said = answer.json()
        assert said["status"] == "received"
        assert said["paymentPspReference"] == made["payment"]
        wanted.append((said["pspReference"], code, success))
    got = [items(each)[0] for each in receiver.wait(4, HOOKS)]
    told = {(i["pspReference"], i["eventCode"], i["success"]) for i in got}
    assert told >= set(wanted)
    for item in got:
        assert is_signed(item, psp.keys["adyen.whsec"])
        if item["eventCode"] != "AUTHORISATION":
            assert item["originalReference"] == made["payment"]
            assert item["merchantReference"] == reference


def test_more_than_was_paid_is_not_refunded(psp, receiver):
    made = psp.paid()
    half = {"value": 1000, "currency": "USD"}
    for _ in range(2):
        answer = psp.change(made, "refunds", amount=half)
        assert answer.json()["status"] == "received"
    got = [items(each)[0] for each in receiver.wait(3, HOOKS)]
    refunds = [i["success"] for i in got if i["eventCode"] == "REFUND"]
    assert sorted(refunds) == ["false", "true"]


def test_a_refund_is_made_once_by_its_key(psp, receiver):
    made = psp.paid()
    amount = {"value": 1000, "currency": "USD"}
    first = psp.change(made, "refunds", "op", amount=amount)
    again = psp.change(made, "refunds", "op", amount=amount)
    assert first.json() == again.json()
    other = {"value": 999, "currency": "USD"}
    reused = psp.change(made, "refunds", "op", amount=other)
    assert (reused.status_code, reused.json()["errorCode"]) == (422, "704")
    psp.change(made, "cancels")
    got = [items(each)[0] for each in receiver.wait(3, HOOKS)]
    assert [i["eventCode"] for i in got].count("REFUND") == 1


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"merchantAccount": "Other"}, 403, "901"),
        ({"amount": {"value": 1, "currency": "EUR"}}, 422, "137"),
        ({"amount": {"value": 0, "currency": "USD"}}, 422, "137"),
        ({"merchantRefundReason": "BECAUSE"}, 400, "702"),
        ({"unknown": 1}, 400, "702"),
    ],
)
def test_a_wrong_refund_is_refused(psp, more, status, code):
    made = psp.paid()
    more = {"amount": {"value": 1, "currency": "USD"}} | more
    answer = psp.change(made, "refunds", **more)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


def test_an_unknown_payment_cannot_be_changed(psp):
    amount = {"value": 1, "currency": "USD"}
    made = {"payment": "0000000000000000"}
    answer = psp.change(made, "refunds", amount=amount)
    assert answer.json()["errorCode"] == "167"
    assert psp.change(made, "cancels").json()["errorCode"] == "167"


# Webhooks and faults.


def test_a_webhook_is_repeated_until_it_is_taken(psp, receiver):
    receiver.answers += [500, 503, 404]
    psp.paid()
    got = receiver.wait(4, HOOKS)
    assert len({each["body"] for each in got}) == 1
    until(lambda: psp.books()["webhooks"][0]["state"] == "delivered", "the end")


def test_a_forged_item_is_signed_by_another_key(psp, receiver):
    psp.control("faults", {"operation": "webhook", "kind": "forged"})
    receiver.answers.append(400)
    psp.paid()
    forged, right = (items(each)[0] for each in receiver.wait(2, HOOKS))
    assert not is_signed(forged, psp.keys["adyen.whsec"])
    assert is_signed(right, psp.keys["adyen.whsec"])


def test_a_wrong_amount_is_signed_well(psp, receiver):
    psp.control("faults", {"operation": "webhook", "kind": "wrong_amount"})
    psp.paid()
    assert one_item(receiver, psp)["amount"]["value"] == 1334


def test_the_control_sends_any_item(psp, receiver):
    data = {"merchantReference": "r", "success": "false"}
    body = {"dialect": "adyen", "type": "CHARGEBACK", "data": data, "id": "X1"}
    sent = psp.control("webhook", body)
    assert sent["id"] == "CHARGEBACK:X1:false" and sent["status"] == 200
    item = one_item(receiver, psp)
    assert item["eventCode"] == "CHARGEBACK" and item["pspReference"] == "X1"


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("wrong_amount", lambda a: a.json()["amount"]["value"] == 1334),
        ("wrong_currency", lambda a: a.json()["amount"]["currency"] == "EUR"),
        ("evil_host", lambda a: "evil.example" in a.json()["url"]),
        ("ok_with_error", lambda a: a.json()["errorCode"] == "905"),
        ("html", lambda a: b"<!doctype" in a.content),
    ],
)
def test_answers_are_spoilt_on_demand(psp, kind, check):
    psp.control("faults", {"operation": "register", "kind": kind})
    assert check(psp.link())


def test_a_dropped_refund_took_effect_or_not(psp, receiver):
    made = psp.paid()
    amount = {"value": 1000, "currency": "USD"}
    for kind, booked in (("drop", 0), ("drop_after_accept", 1)):
        psp.control("faults", {"operation": "refund", "kind": kind})
        with pytest.raises(httpx.TransportError):
            psp.change(made, "refunds", kind, amount=amount)
        sent = psp.books(token=made["id"])["webhooks"]
        assert [each["type"] for each in sent].count("REFUND") == booked


def test_a_status_is_worded_as_adyen_does(psp):
    fault = {"operation": "register", "kind": "status", "status": 503}
    psp.control("faults", fault | {"retry_after": 7})
    answer = psp.link()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["transient-error"] == "true"
    assert answer.json()["errorType"] == "internal"
