"""The mock PSP's dialect ``generic``: capture, cancel, refunds, expire, as
docs/psp-generic.md has them.  Needs no gateway.
"""

import base64
import json
import secrets
import time
import uuid

import pytest
from support.client import plain
from support.mock_server import DEADLINE_S, Receiver, serve

ROOT = "/generic/v1/registrations"
TAILS = {
    "capture": "capture",
    "cancel": "cancel",
    "refund": "refunds",
    "expire": "expire",
}
MONEY = {"amount": "12.34", "currency": "USD"}


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def psp(receiver, tmp_path_factory):
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    keys = {"generic.key": secrets.token_hex(24), "generic.whsec": secret}
    with serve(tmp_path_factory.mktemp("keys"), keys, receiver.url) as url:
        yield Psp(url, keys["generic.key"])


class Psp:
    def __init__(self, url: str, key: str):
        self.key = key
        self.http = plain(base_url=url, timeout=DEADLINE_S)

    def post(self, path: str, body: dict, nonce: str | None = None):
        nonce = body.get("nonce", "") if nonce is None else nonce
        sent = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": nonce}
        return self.http.post(path, json=body, headers=sent)

    def registered(self, result: str | None = None) -> str:
        body = {
            "nonce": str(uuid.uuid4()),
            "reference": str(uuid.uuid4()),
            "expires_at": int(time.time()) + 3600,
            "return_url": "https://pay.example.com/return/x",
            "lines": [
                {"payment_order_id": "o1", "name": "One", "amount": "12.34"}
            ],
        } | MONEY
        answer = self.post(ROOT, body)
        assert answer.status_code == 201, answer.text
        token = answer.json()["token"]
        if result:
            told = {"token": token, "result": result}
            done = self.http.post("/_control/pay", json=told)
            assert done.status_code in (200, 201), done.text
        return token

    def change(self, token: str, kind: str, **more):
        return self.post(f"{ROOT}/{token}/{TAILS[kind]}", body(kind, **more))

    def status(self, token: str) -> str:
        sent = {"Authorization": f"Bearer {self.key}"}
        return self.http.get(f"{ROOT}/{token}", headers=sent).json()["status"]


def body(kind: str, **more) -> dict:
    made = {"nonce": f"{uuid.uuid4()}:{kind}", "reference": "018f"}
    if kind in ("capture", "refund"):
        made |= MONEY
    return made | more


def code(answer) -> tuple:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_capture_takes_approved_money_and_repeats_what_was_asked(
    psp, receiver
):
    token = psp.registered("approved")
    assert psp.status(token) == "approved"
    sent = body("capture")
    answer = psp.post(f"{ROOT}/{token}/capture", sent)
    made = answer.json()
    assert answer.status_code == 201
    assert made["id"].startswith("chg_") and made["status"] == "done"
    assert made["payment_id"].startswith("pay_")
    for name in ("nonce", "amount", "currency"):
        assert made[name] == sent[name]
    assert made["token"] == token and psp.status(token) == "paid"
    types = [json.loads(each["body"]) for each in receiver.wait(2)]
    seen = {e["type"] for e in types if e["data"]["token"] == token}
    assert seen == {"registration.approved", "registration.paid"}


def test_a_repeat_is_answered_as_the_first_time_and_books_once(psp):
    token = psp.registered("paid")
    sent = body("refund", amount="10.00")
    first = psp.post(f"{ROOT}/{token}/refunds", sent)
    again = psp.post(f"{ROOT}/{token}/refunds", sent)
    assert first.json() == again.json()
    assert psp.change(token, "refund", amount="2.34").status_code == 201


def test_a_nonce_with_another_body_is_reused(psp):
    token = psp.registered("paid")
    sent = body("refund", amount="1.00")
    psp.post(f"{ROOT}/{token}/refunds", sent)
    again = psp.post(f"{ROOT}/{token}/refunds", sent | {"amount": "2.00"})
    assert code(again) == (422, "nonce_reused")


def test_refunds_never_exceed_the_payment(psp):
    token = psp.registered("paid")
    assert psp.change(token, "refund", amount="12.00").status_code == 201
    over = psp.change(token, "refund", amount="0.35")
    assert code(over) == (422, "amount_too_large")
    assert psp.change(token, "refund", amount="0.34").status_code == 201


def test_a_cancel_gives_approved_money_back(psp):
    token = psp.registered("approved")
    answer = psp.change(token, "cancel")
    assert answer.status_code == 201 and "amount" not in answer.json()
    assert psp.status(token) == "cancelled"


def test_an_expire_is_answered_by_the_registration(psp):
    token = psp.registered()
    answer = psp.change(token, "expire")
    assert answer.status_code == 200
    assert answer.json()["status"] == "expired"
    assert psp.status(token) == "expired"


def test_an_expire_after_the_payment_tells_that_it_was_paid(psp):
    token = psp.registered("paid")
    assert psp.change(token, "expire").json()["status"] == "paid"
    assert psp.status(token) == "paid"


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
    token = psp.registered(before)
    was = psp.status(token)
    assert code(psp.change(token, kind)) == (422, wanted)
    assert psp.status(token) == was


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
    token = psp.registered("approved")
    assert code(psp.change(token, "capture", **more)) == (422, wanted)
    assert psp.status(token) == "approved"


def test_a_foreign_token_and_a_foreign_key_are_refused(psp):
    assert code(psp.change("reg_none", "refund")) == (404, "not_found")
    token = psp.registered("paid")
    sent = {"Authorization": "Bearer x", "Idempotency-Key": "a:refund"}
    answer = psp.http.post(
        f"{ROOT}/{token}/refunds", json=body("refund"), headers=sent
    )
    assert answer.status_code == 401


def test_the_header_and_the_body_name_the_same_nonce(psp):
    token = psp.registered("approved")
    answer = psp.post(f"{ROOT}/{token}/capture", body("capture"), "other")
    assert code(answer) == (422, "nonce_invalid")
