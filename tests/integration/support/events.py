"""Webhooks as PSPs send them, written by hand: signatures come from nothing
but hmac, so that they cannot share a mistake with the gateway.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time

FACTS = ("pending", "paid", "declined", "expired")
STRIPE_TYPES = {
    "paid": ("completed", "complete", "paid"),
    "pending": ("completed", "complete", "unpaid"),
    "declined": ("async_payment_failed", "complete", "unpaid"),
    "expired": ("expired", "expired", "unpaid"),
}
# What Stripe counts in a unit of its own (docs/psp/stripe.md).
STRIPE_FACTOR = {"ISK": 100, "UGX": 100}


def event_id() -> str:
    return "evt_" + secrets.token_hex(12)


def sign_standard(secret: str, name: str, when: object, body: bytes) -> dict:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{name}.{when}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(when),
        "webhook-signature": "v1," + base64.b64encode(mac.digest()).decode(),
    }


def sign_stripe(secret: str, name: str, when: object, body: bytes) -> dict:
    mac = hmac.new(secret.encode(), f"{when}.".encode() + body, hashlib.sha256)
    return {"Stripe-Signature": f"t={when},v1={mac.hexdigest()}"}


SIGNERS = {"generic": sign_standard, "stripe": sign_stripe}
SECRETS = {
    "generic": "GENERIC_WEBHOOK_SECRET",
    "stripe": "STRIPE_WEBHOOK_SECRET",
}


def generic_event(fact: str, checkout, name: str, **changes) -> dict:
    orders = checkout.body["payment_orders"]
    data = {
        "token": checkout.token,
        "nonce": checkout.nonce,
        "amount": orders[0]["amount"],
        "currency": checkout.currency,
    }
    if fact == "declined":
        data["code"] = "card_declined"
    return {
        "type": f"registration.{fact}",
        "id": name,
        "created": int(time.time()),
        "data": data | changes,
    }


def payment_of(token: str) -> str:
    """A session has a payment of its own."""
    return "pi_3" + hashlib.sha256(token.encode()).hexdigest()[:20]


def stripe_event(fact: str, checkout, name: str, **changes) -> dict:
    reference, _, total = checkout.facts()
    kind, status, payment = STRIPE_TYPES[fact]
    session = {
        "id": checkout.token,
        "object": "checkout.session",
        "amount_total": total * STRIPE_FACTOR.get(checkout.currency, 1),
        "client_reference_id": reference,
        "currency": checkout.currency.lower(),
        "payment_intent": payment_of(checkout.token),
        "payment_status": payment,
        "status": status,
    }
    return {
        "id": name,
        "object": "event",
        "created": int(time.time()),
        "data": {"object": session | changes},
        "livemode": False,
        "type": f"checkout.session.{kind}",
    }


MAKERS = {"generic": generic_event, "stripe": stripe_event}


class Message:
    """A signed delivery of one event, ready to be sent or spoilt."""

    def __init__(self, stack, psp: str, name: str, body: bytes, when=None):
        self.stack, self.psp, self.name, self.body = stack, psp, name, body
        self.when = int(time.time()) if when is None else when
        secret = stack.values[SECRETS[psp]]
        self.headers = SIGNERS[psp](secret, name, self.when, body)

    def send(self, body: bytes | None = None, headers=None, client=None):
        sent = self.headers if headers is None else headers
        pairs = list(sent.items()) if isinstance(sent, dict) else list(sent)
        pairs.append(("Content-Type", "application/json"))
        return (client or self.stack.http).post(
            f"/webhooks/{self.psp}",
            content=self.body if body is None else body,
            headers=pairs,
        )

    def rows(self) -> int:
        return self.stack.value(
            "SELECT count(*) FROM pay.webhook_inbox "
            "WHERE psp = %s AND event_id = %s",
            self.psp,
            self.name,
        )

    def state(self) -> str:
        return self.stack.value(
            "SELECT state FROM pay.webhook_inbox "
            "WHERE psp = %s AND event_id = %s",
            self.psp,
            self.name,
        )


def message(checkout, fact: str, *, when=None, **changes) -> Message:
    """A delivery about a checkout; changes go into the event's object."""
    name = event_id()
    event = MAKERS[checkout.psp](fact, checkout, name, **changes)
    raw = json.dumps(event, indent=1).encode()
    return Message(checkout.stack, checkout.psp, name, raw, when)


def raw_message(stack, psp: str, body: bytes | dict, name=None) -> Message:
    """Any body, rightly signed."""
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    return Message(stack, psp, name or event_id(), body)


def slug(answer) -> str:
    return answer.json()["type"].rpartition("/")[2]


def outcome(answer) -> str:
    assert answer.status_code == 200, answer.text
    return answer.json()["outcome"]


def refused(answer, reason: str = "webhook-signature-invalid") -> None:
    assert answer.status_code == 401, answer.text
    assert slug(answer) == reason


def untouched(made, sent) -> None:
    assert sent.rows() == 0
    assert made.states() == {("EXECUTING", None)}
