"""Signed events of the other PSPs whose amounts no order can have: answered
once and for all, moving nothing (test_amounts_out_of_range.py has Stripe and
Adyen).  A number that JSON can't hold in 64 bits is no event of Square's.
PayPal's webhook about a refund is ignored whatever its amount: the gateway
takes PayPal's refunds from its answers and its list of events.
"""

import pytest

HUGE = 10**15
WIDE = 2**63 - 1
BEYOND = 10**25
AMOUNTS = (HUGE, WIDE, BEYOND)


def square(booked, amount: int) -> tuple:
    money = {"amount": amount, "currency": "USD"}
    refund = {
        "id": f"re{booked['token'][:20]}",
        "payment_id": booked["payment_id"],
        "order_id": booked["token"],
        "amount_money": money,
        "status": "COMPLETED",
    }
    return "refund.updated", {"refund": refund}


def paypal(booked, amount: int) -> tuple:
    captures = "https://api-m.paypal.com/v2/payments/captures/"
    return "PAYMENT.CAPTURE.REFUNDED", {
        "id": "5GP028458E2496506",
        "status": "COMPLETED",
        "amount": {"currency_code": "USD", "value": f"{amount}.00"},
        "links": [{"href": captures + booked["payment_id"], "rel": "up"}],
    }


def generic(booked, amount: int) -> tuple:
    return "refund.done", {
        "id": "re_out_of_range",
        "payment_id": booked["payment_id"],
        "registration_id": booked["token"],
        "token": booked["token"],
        "amount": f"{amount}.00",
        "currency": "USD",
    }


def mollie(booked, amount: int) -> tuple:
    refund = {
        "resource": "refund",
        "id": "re_4qqhO89gsT",
        "mode": "test",
        "amount": {"currency": "USD", "value": f"{amount}.00"},
        "status": "refunded",
        "paymentId": booked["token"],
    }
    return "refund.refunded", refund


EVENTS = {"square": square, "paypal": paypal, "generic": generic,
          "mollie": mollie}  # fmt: skip
SHOWN = (200, '{"outcome":"mismatch"}', 1)
IGNORED = (200, '{"outcome":"ignored"}', 0)
NO_EVENT = (422, "webhook-payload-invalid", 0)
ANSWERS = {("square", BEYOND): NO_EVENT} | {
    ("paypal", amount): IGNORED for amount in AMOUNTS
}


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("psp", EVENTS)
def test_refund_out_of_range(stack, psp, amount):
    made = stack.created(psp)
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    (booked,) = stack.mock.books(nonce=made.nonce)["registrations"]
    status, said, mismatches = ANSWERS.get((psp, amount), SHOWN)
    kind, data = EVENTS[psp](booked, amount)
    for _ in range(2):
        sent = stack.mock.webhook(dialect=psp, type=kind, data=data)
        assert sent["status"] == status, sent
        assert said in sent["body"]
    shown = stack.sql(
        "SELECT kind, why FROM pay.mismatch WHERE checkout_id = %s", made.id
    )
    assert shown == [("refund", "amount")] * (2 * mismatches)
    assert stack.payment(made.order_id)["amount_refunded"] == "0.00"
