"""Who at the merchant asked: the token's kid and sub in the timeline."""

import pytest
from support import changes
from support.changes import accepted, send
from support.own_stack import QUICK_JOBS
from support.tokens import minter_of

HOSTILE = {
    "control": "a\nb",
    "not ASCII": "caf\u00e9",
    "card number": "4111 1111 1111 1111",
    "too long": "a" * 129,
    "empty": "",
}


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    own_stack.configure(QUICK_JOBS)
    yield
    own_stack.configure()


@pytest.fixture
def mint(own_stack):
    return minter_of(own_stack.values, "MERCHANT")


def bearer(mint, sub):
    return {"Authorization": f"Bearer {mint(sub=sub)}"}


def askers(made):
    """{kind: asked_by} of what the merchant has asked for."""
    answer = made.stack.get(f"/v1/payments/{made.order_id}/events")
    assert answer.status_code == 200, answer.text
    events = answer.json()["events"]
    for each in events:
        assert ("asked_by" in each["detail"]) == (each["actor"] == "merchant")
    return {e["kind"]: e["detail"].get("asked_by") for e in events}


def test_a_create_and_a_refund_name_their_tokens(own_stack, mint):
    made = changes.paid(own_stack)
    sub = 'back "office" \\ 7'
    for amount in ("1.00", "2.00"):  # the second token is remembered
        refund = send(made, "refunds", {"amount": amount}, **bearer(mint, sub))
        accepted(refund, "refunds")
    said = askers(made)
    assert said["created"] == {
        "kid": mint.kid, "sub": f"{mint.merchant}-storefront",
    }  # fmt: skip
    assert said["refund_requested"] == {"kid": mint.kid, "sub": sub}


@pytest.mark.parametrize("sub", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_sub_is_left_out(own_stack, mint, sub):
    made = changes.paid(own_stack)
    refund = send(made, "refunds", {"amount": "1.00"}, **bearer(mint, sub))
    accepted(refund, "refunds")
    assert askers(made)["refund_requested"] == {"kid": mint.kid}
