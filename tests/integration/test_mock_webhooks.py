"""The mock PSP's webhooks: signed as the PSPs sign, repeated until they are
taken, and spoilt on demand.  Signatures are checked by hand-written HMACs;
PayPal's with the certificate that the message names, fetched over TLS, and the
CRC-32 by a bit-wise loop of this file's own.
"""

import base64
import json
import ssl
import time
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509.oid import NameOID
from support import mock_client
from support.mock_client import DIALECTS, KEYS, at, events, running
from support.mock_server import DEADLINE_S, until


@pytest.fixture
def legacy(tmp_path_factory):
    """Without a webhook secret Mollie's webhooks are the legacy ones."""
    keys = {"mollie.key": KEYS["mollie.key"]}
    with running(tmp_path_factory.mktemp("old"), keys) as made:
        yield made


def crc32(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def certificate(psp, url: str) -> x509.Certificate:
    authority = str(psp.where / "paypal.ca.pem")
    context = ssl.create_default_context(cafile=authority)
    text = httpx.get(url, verify=context, timeout=DEADLINE_S).content
    return x509.load_pem_x509_certificate(text)


def is_signed_by_paypal(psp, message: dict) -> bool:
    head = message["headers"]
    assert head["paypal-auth-algo"] == "SHA256withRSA"
    assert urlsplit(head["paypal-cert-url"]).hostname == "localhost"
    text = (
        f"{head['paypal-transmission-id']}|{head['paypal-transmission-time']}|"
        f"{psp.keys['paypal.whsec']}|{crc32(message['body'])}"
    )
    try:
        certificate(psp, head["paypal-cert-url"]).public_key().verify(
            base64.b64decode(head["paypal-transmission-sig"]),
            text.encode(),
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
    except InvalidSignature:
        return False
    return True


def is_signed(psp, dialect: str, message: dict, now=None) -> bool:
    if dialect == "paypal":
        return is_signed_by_paypal(psp, message)
    return mock_client.is_signed(dialect, message, psp.receiver.url, now)


def paid(psp, dialect: str) -> dict:
    """What the dialect tells of first; PayPal's orders are only approved."""
    return psp.paid(dialect, "approved" if dialect == "paypal" else "paid")


# The truth about a payment, per dialect: at the path stands that, or what the
# registration has under that name.
TOLD = {
    "adyen": {
        "eventCode": "AUTHORISATION",
        "success": "true",
        "merchantReference": "checkout-1",
        "merchantAccountCode": "NgxPaymentsECOM",
        "amount": {"value": 1234, "currency": "USD"},
    },
    "generic": {
        "type": "registration.paid",
        "data.token": "@token",
        "data.nonce": "@nonce",
        "data.amount": "12.34",
        "data.currency": "USD",
    },
    "mollie": {"type": "payment.paid", "entityId": "@token"},
    "paypal": {
        "event_type": "CHECKOUT.ORDER.APPROVED",
        "resource.id": "@token",
    },
    "square": {
        "data.object.payment.order_id": "@token",
        "data.object.payment.total_money": {"amount": 1234, "currency": "USD"},
    },
    "stripe": {
        "type": "checkout.session.completed",
        "data.object.id": "@token",
        "data.object.payment_status": "paid",
        "data.object.amount_total": 1234,
        "data.object.currency": "usd",
    },
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_webhook_is_signed_and_tells_the_truth(psp, dialect):
    made = paid(psp, dialect)
    got = psp.got(dialect, len(psp.books()["events"]))
    assert all(is_signed(psp, dialect, each) for each in got)
    booked = psp.booked(made["token"])
    wanted = {
        path: booked[word[1:]] if str(word).startswith("@") else word
        for path, word in TOLD[dialect].items()
    }
    bodies = [each for message in got for each in events(message)]
    told = [{path: at(each, path) for path in wanted} for each in bodies]
    assert wanted in told
    if dialect == "square":
        assert {
            (b["type"], at(b, "data.object.payment.status")) for b in bodies
        } == {
            ("payment.created", "APPROVED"),
            ("payment.updated", "COMPLETED"),
        }
        assert len({each["event_id"] for each in bodies}) == 2
    if dialect == "generic":
        assert bodies[0]["id"] == got[0]["headers"]["webhook-id"]
    if dialect == "adyen":
        assert "originalReference" not in bodies[0]
    if dialect == "stripe":
        assert bodies[0]["id"].startswith("evt_")
        assert at(bodies[0], "data.object.payment_intent").startswith("pi_")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_whatever_is_told_is_signed(psp, dialect):
    psp.control("dispute", token=psp.paid(dialect)["token"])
    for each in psp.got(dialect, len(psp.books()["events"])):
        assert is_signed(psp, dialect, each)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_webhook_is_repeated_until_it_is_taken(psp, dialect):
    if dialect == "square":
        psp.receiver.answers += [200]  # of the completion that comes first
    psp.receiver.answers += [500, 302, 404]
    paid(psp, dialect)

    def delivered():
        sent = psp.books()["webhooks"]
        done = all(each["state"] == "delivered" for each in sent)
        return sent if sent and done else None

    sent = until(delivered, "delivery")
    assert sum(each["attempts"] for each in sent) == len(sent) + 3
    assert {each["last_status"] for each in sent} == {200}
    got = psp.got(dialect, len(sent) + 3)
    assert len({each["body"] for each in got}) == len(sent)
    assert all(is_signed(psp, dialect, each) for each in got)
    if dialect == "paypal":
        ids = {each["headers"]["paypal-transmission-id"] for each in got}
        assert len(ids) == 4


def test_without_a_secret_mollies_webhook_is_the_legacy_form(legacy):
    made = legacy.paid("mollie")
    (message,) = legacy.got("mollie", 1)
    assert message["body"] == f"id={made['token']}".encode()
    form = "application/x-www-form-urlencoded"
    assert message["headers"]["content-type"] == form
    assert "x-mollie-signature" not in message["headers"]


# Faults of webhooks.


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d != "square"])
def test_fault_forged_fails_the_check_and_the_retry_passes(psp, dialect):
    psp.receiver.answers += [401]
    psp.fault("webhook", "forged", dialect=dialect)
    paid(psp, dialect)
    forged, right = psp.got(dialect, 2)[:2]
    assert not is_signed(psp, dialect, forged)
    assert is_signed(psp, dialect, right)
    if dialect == "mollie":
        assert forged["body"] == right["body"]


def test_fault_duplicate_sends_one_event_several_times(psp):
    psp.fault("webhook", "duplicate", n=3)
    paid(psp, "generic")
    got = psp.got("generic", 4)
    assert len({each["headers"]["webhook-id"] for each in got}) == 1


def test_fault_stale_is_signed_well_but_old(psp):
    psp.fault("webhook", "stale", age_s=301, attempts=0)
    paid(psp, "generic")
    (message,) = psp.got("generic", 1)
    assert not is_signed(psp, "generic", message)
    assert is_signed(psp, "generic", message, time.time() - 301)


@pytest.mark.parametrize(
    ("dialect", "path", "value"),
    [
        ("adyen", "amount.value", 1334),
        ("generic", "data.amount", "912.34"),
        ("paypal", "resource.amount.value", "912.34"),
    ],
)
def test_fault_wrong_amount_is_signed_well(psp, dialect, path, value):
    made = psp.made(dialect)
    before = 0
    if dialect == "paypal":
        psp.pay(made["token"], "approved")
        before = len(psp.got(dialect, 1))
    psp.fault("webhook", "wrong_amount")
    psp.pay(made["token"])
    message = psp.got(dialect, before + 1)[-1]
    assert is_signed(psp, dialect, message)
    assert at(events(message)[0], path) == value
    if dialect == "paypal":
        (unit,) = psp.query(dialect, made["token"]).json()["purchase_units"]
        assert at(unit, "amount.value") == "12.34"
        assert at(unit, "payments.captures.0.amount.value") == "12.34"


def test_fault_none_sends_nothing(psp):
    psp.fault("webhook", "none")
    paid(psp, "generic")
    sent = until(lambda: psp.books()["webhooks"], "the entry")
    assert (sent[0]["state"], sent[0]["attempts"]) == ("suppressed", 0)
    assert psp.receiver.got == []


def test_fault_reorder_lets_the_next_event_pass(psp):
    psp.fault("webhook", "reorder", dialect="stripe")
    token = psp.made("stripe")["token"]
    psp.pay(token, "pending")
    psp.pay(token, "paid")
    got = [json.loads(each["body"]) for each in psp.got("stripe", 2)]
    types = [each["type"].split(".")[-1] for each in got]
    assert types == ["async_payment_succeeded", "completed"]


def test_fault_early_comes_before_the_registrations_answer(psp):
    psp.fault("webhook", "early")
    answer = psp.register("generic")
    arrived = list(psp.receiver.got)
    assert answer.status_code == 201
    assert len(arrived) == 1
    event = json.loads(arrived[0]["body"])
    assert event["data"]["token"] == answer.json()["token"]


@pytest.mark.parametrize("sign", ["right", "wrong", "none"])
def test_any_message_can_be_sent(psp, sign):
    psp.control("webhook", dialect="generic", body="not json", sign=sign)
    (message,) = psp.got("generic", 1)
    assert message["body"] == b"not json"
    if sign == "none":
        assert "webhook-signature" not in message["headers"]
    else:
        assert is_signed(psp, "generic", message) == (sign == "right")


def test_any_item_of_adyen_can_be_sent(psp):
    data = {"merchantReference": "r", "success": "false"}
    sent = psp.control(
        "webhook", dialect="adyen", type="CHARGEBACK", data=data, id="X1"
    )
    assert sent["id"] == "CHARGEBACK:X1:false" and sent["status"] == 200
    (message,) = psp.got("adyen", 1)
    assert is_signed(psp, "adyen", message)
    (item,) = events(message)
    assert item["eventCode"] == "CHARGEBACK" and item["pspReference"] == "X1"


# PayPal's certificates.


@pytest.fixture
def named(psp) -> str:
    """The URL of the certificate that a message names."""
    paid(psp, "paypal")
    (message,) = psp.got("paypal", 1)
    return message["headers"]["paypal-cert-url"]


def is_of_the_written_ca(psp, leaf: x509.Certificate) -> bool:
    text = (psp.where / "paypal.ca.pem").read_bytes()
    authority = x509.load_pem_x509_certificate(text)
    assert leaf.issuer == authority.subject
    try:
        authority.public_key().verify(
            leaf.signature,
            leaf.tbs_certificate_bytes,
            ec.ECDSA(hashes.SHA256()),
        )
    except InvalidSignature:
        return False
    return True


def test_the_certificate_is_paypals_and_of_the_written_ca(psp, named):
    leaf = certificate(psp, named)
    assert is_of_the_written_ca(psp, leaf)
    (subject,) = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert subject.value == "messageverificationcerts.sandbox.paypal.com"
    assert leaf.public_key().key_size == 2048


def test_the_impostors_certificate_is_not_of_the_written_ca(psp, named):
    other = certificate(psp, named.rpartition("/")[0] + "/impostor")
    assert not is_of_the_written_ca(psp, other)


def test_the_certificates_server_is_not_trusted_by_accident(named):
    assert named.startswith("https://")
    with pytest.raises(httpx.ConnectError):
        httpx.get(named, timeout=DEADLINE_S)
