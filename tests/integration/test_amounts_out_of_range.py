"""Signed events whose amounts no order can have: taken, moving nothing, and
shown to operators; not answered 500 for ever.
"""

import pytest
from support.own_stack import wait_for

HUGE = 10**15
WIDE = 2**63 - 1


def mismatches(stack, made) -> list[tuple]:
    return stack.sql(
        "SELECT kind, why, amount_minor FROM pay.mismatch"
        " WHERE checkout_id = %s ORDER BY mismatch_id",
        made.id,
    )


def about(stack, made) -> list[str]:
    lines = stack.gateway.error_log.read_text(errors="replace").splitlines()
    return [x for x in lines if f"checkout:{made.id}" in x]


def paid(stack, psp: str):
    made = stack.created(psp)
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    return made


@pytest.mark.parametrize("amount", (HUGE, WIDE))
def test_stripe_refund_out_of_range(stack, amount):
    made = paid(stack, "stripe")
    (booked,) = stack.mock.books(nonce=made.nonce)["registrations"]
    refund = {
        "id": f"re_{made.order_id[:20]}",
        "object": "refund",
        "amount": amount,
        "currency": "usd",
        "payment_intent": booked["payment_id"],
        "status": "succeeded",
    }
    for _ in range(2):
        sent = stack.mock.webhook(
            dialect="stripe", type="refund.updated", data=refund
        )
        assert sent["status"] == 200, sent
    told = mismatches(stack, made)
    assert [row[:1] for row in told] == [("refund",)] * 2, told
    logged = wait_for(lambda: about(stack, made), "the line of the log")
    assert "[crit]" in logged[0] and "amount or token differs" in logged[0]
    assert stack.payment(made.order_id)["amount_refunded"] == "0.00"


def test_adyen_refund_failed_out_of_range(stack):
    made = paid(stack, "adyen")
    (booked,) = stack.mock.books(nonce=made.nonce)["registrations"]
    item = {
        "amount": {"value": WIDE, "currency": "USD"},
        "merchantReference": booked["reference"],
        "originalReference": booked["payment_id"],
        "success": "true",
    }
    sent = stack.mock.webhook(dialect="adyen", type="REFUND_FAILED", data=item)
    assert sent["status"] == 200, sent
    wait_for(lambda: mismatches(stack, made), "the mismatch")
    assert wait_for(lambda: about(stack, made), "the line of the log")
    assert stack.payment(made.order_id)["amount_refunded"] == "0.00"
