"""What follows a sale at the mock PSP, in each dialect: the calls that take,
give back and release money.  Amounts are minor units of USD.
"""

import uuid

from .mock_client import ADYEN, USD, Psp, paypals

SQUARE = "/square/v2"


def plain(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def refund(psp: Psp, dialect: str, made: dict, minor=None, key=None, **more):
    """Of a payment that is psp.paid(); what is left without an amount."""
    key = key or f"{uuid.uuid4()}:refund"
    payment, token = made["payment"], made["token"]

    def adyen():
        body = ADYEN | {"amount": USD | {"value": minor}, "reference": "op-1"}
        return f"/adyen/v72/payments/{payment}/refunds", body | more

    def generic():
        body = {"nonce": key, "reference": "018f", "currency": "USD"}
        return f"/{token}/refunds", body | {"amount": plain(minor)} | more

    def mollie():
        return f"/{token}/refunds", {"amount": USD | {"value": plain(minor)}}

    def paypal():
        body = {"amount": paypals(plain(minor))} if minor else {}
        return f"/paypal/v2/payments/captures/{payment}/refund", body | more

    def square():
        body = {"idempotency_key": key[:45], "payment_id": payment}
        money = {"amount_money": USD | {"amount": minor}}
        return f"{SQUARE}/refunds", body | money | more

    def stripe():
        amount = {"amount": str(minor)} if minor else {}
        return "/stripe/v1/refunds", {"payment_intent": payment} | amount | more

    each = adyen, generic, mollie, paypal, square, stripe
    path, body = {f.__name__: f for f in each}[dialect]()
    return psp.post(dialect, path, body, key)


def change(psp: Psp, token: str, kind: str, **more):
    """Of the dialect generic: capture, cancel, refund, expire; None leaves a
    member out."""
    tail = "refunds" if kind == "refund" else kind
    body = {"nonce": f"{uuid.uuid4()}:{kind}", "reference": "018f"}
    if kind in ("capture", "refund"):
        body |= {"amount": "12.34", "currency": "USD"}
    body |= more
    return psp.post("generic", f"/{token}/{tail}", body, body["nonce"])
