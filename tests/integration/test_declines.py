"""Declined attempts to pay at each PSP, as its own messages tell them: the
timeline and the order have the PSP's code, ours, and whether another attempt
can help; nothing moves while the page lives, and a success follows.
"""

import subprocess

import pytest
from support.client import plain
from support.gateway import PAYCTL
from support.own_stack import QUICK_JOBS, wait_for

# psp -> what it calls insufficient_funds and a stolen card
OPEN = {
    "stripe": ("insufficient_funds", "stolen_card", "lost_or_stolen", "no"),
    "adyen": ("not_enough_balance", "43", "lost_or_stolen", "no"),
    "square": ("insufficient_funds", "fraud_rejected", "fraud_suspected", "no"),
}
ENDED = {
    "paypal": ("5120", "insufficient_funds", "later"),
    "mollie": ("insufficient_funds", "insufficient_funds", "later"),
    "generic": ("insufficient_funds", "insufficient_funds", "later"),
    "stripe": ("insufficient_funds", "insufficient_funds", "later"),
}
CARDS = {"insufficient": "4000000000009995", "stolen": "4000000000009979"}


@pytest.fixture(scope="module", autouse=True)
def quick(own_stack):
    own_stack.configure(QUICK_JOBS)
    yield
    own_stack.configure()


def attempts(stack, made) -> list[dict]:
    return [
        each
        for each in stack.timeline(made.order_id)
        if each["kind"] == "attempt_declined"
    ]


def attempted(stack, made, count: int) -> list[dict]:
    wait_for(lambda: len(attempts(stack, made)) >= count, "the attempt's event")
    taken(stack, made)
    told = attempts(stack, made)
    assert len(told) == count, told
    return told


def taken(stack, made) -> None:
    def delivered():
        sent = stack.mock.books(nonce=made.nonce)["webhooks"]
        return {each["last_status"] for each in sent} == {200}

    wait_for(delivered, "the webhooks")


def try_card(stack, made, card: str) -> None:
    page = stack.http.get(made.shown["redirect_url"]).headers["Location"]
    form = {"number": CARDS[card], "expiry": "12/39", "cvc": "123"}
    with plain(timeout=30) as buyer:
        answer = buyer.post(page.partition("#")[0], data=form)
    assert answer.status_code == 402, answer.text


@pytest.mark.parametrize("psp", OPEN)
def test_attempts_are_told_and_then_it_is_paid(stack, psp):
    theirs, stolen, ours, can_retry = OPEN[psp]
    made = stack.created(psp)
    try_card(stack, made, "insufficient")
    (first,) = attempted(stack, made, 1)
    detail = first["detail"]
    told = (detail["code"], detail["decline"], detail["can_retry"])
    assert told == (theirs, "insufficient_funds", "later")
    assert first["new_status"] == first["old_status"] == "EXECUTING"
    shown = stack.payment(made.order_id)
    assert shown["status"] == "EXECUTING"
    assert shown["decline"]["code"] == "insufficient_funds"

    try_card(stack, made, "stolen")
    second = attempted(stack, made, 2)[1]["detail"]
    assert second["code"] == stolen
    decline = stack.payment(made.order_id)["decline"]
    told = (decline["code"], decline["psp_code"], decline["can_retry"])
    assert told == (ours, stolen, can_retry)
    assert decline["attempts"] == 2
    (order,) = stack.get(f"/v1/checkouts/{made.id}").json()["payment_orders"]
    assert order["decline"] == decline
    explained = stack.get(f"/v1/payments/{made.order_id}/explain").json()
    assert explained["decline"] == decline

    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    assert "decline" not in stack.payment(made.order_id)


@pytest.mark.parametrize("psp", ENDED)
def test_what_is_declined_for_good_says_why(stack, psp):
    theirs, ours, can_retry = ENDED[psp]
    made = stack.created(psp)
    if psp == "paypal":
        stack.mock.pay(made.token, "approved")
        stack.mock.pay(made.token, "declined", code="insufficient_funds")
    else:
        stack.mock.pay(made.token, "declined", code="insufficient_funds")
    made.becomes("FAILED", "declined")
    taken(stack, made)
    decline = stack.payment(made.order_id)["decline"]
    told = (decline["psp_code"], decline["code"], decline["can_retry"])
    assert told == (theirs, ours, can_retry)


def test_the_charge_and_the_payment_are_one_attempt(stack):
    """Stripe's charge.failed and payment_intent.payment_failed."""
    made = stack.created("stripe")
    stack.mock.pay(made.token, "attempt", code="expired_card")
    (event,) = attempted(stack, made, 1)
    kinds = {
        each["type"] for each in stack.mock.books(nonce=made.nonce)["webhooks"]
    }
    assert kinds == {"charge.failed", "payment_intent.payment_failed"}
    assert event["detail"]["attempt"].startswith("ch_")


def test_what_ends_before_a_charge_is_an_attempt(stack):
    made = stack.created("stripe")
    stack.mock.pay(made.token, "attempt", code="authentication_failed")
    (event,) = attempted(stack, made, 1)
    told = (event["detail"]["decline"], event["detail"]["can_retry"])
    assert told == ("authentication_failed", "same_method")


def test_a_bridge_may_name_our_code(stack):
    made = stack.created("generic")
    data = {
        "token": made.token,
        "id": "try-1",
        "code": "ZX-81",
        "decline_code": "limit_exceeded",
    }
    sent = stack.mock.webhook(
        dialect="generic", type="attempt.declined", data=data
    )
    assert sent["status"] == 200, sent
    (event,) = attempts(stack, made)
    detail = event["detail"]
    assert detail["code"] == "zx-81"
    assert (detail["decline"], detail["attempt"]) == ("limit_exceeded", "try-1")


@pytest.mark.parametrize("psp", (*OPEN, "generic"))
def test_an_attempt_after_the_money_does_no_harm(stack, psp):
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "webhook", "kind": "late", "ms": 1500,
         "nonce": made.nonce, "sticky": True}
    )  # fmt: skip
    stack.mock.pay(made.token, "attempt", code="expired_card")
    stack.mock.clear_faults()
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    attempted(stack, made, 1)
    assert [e["kind"] for e in stack.timeline(made.order_id)][-2:] == [
        "paid",
        "attempt_declined",
    ]
    assert stack.payment(made.order_id)["status"] == "SUCCESS"


def test_payctl_shows_the_attempt(stack):
    made = stack.created("adyen")
    stack.mock.pay(made.token, "attempt", code="stolen_card")
    attempted(stack, made, 1)
    for command in ("timeline", "explain"):
        done = subprocess.run(
            [
                PAYCTL,
                command,
                "--dsn",
                stack.gateway.env["PG_DSN"],
                made.order_id,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "attempt_declined" in done.stdout
        assert "lost_or_stolen" in done.stdout
