"""The nine steps of a payment (docs/architecture.md#the-nine-steps) at each
PSP, in its own protocol and with its own webhooks: paid, declined, pending,
expired, cancelled, lost, early, twice and with another amount.  What one
dialect alone has is in test_psp_peculiar.py; forged webhooks are in
test_psp_forgery.py.
"""

from urllib.parse import urlsplit

import httpx
import pytest
from support.captured import withheld
from support.client import plain
from support.own_stack import CARDS, QUICK_JOBS, wait_for

PSPS = ("stripe", "generic", "adyen", "paypal", "square", "mollie")
# PSPs whose webhooks are believed; the others' only make us ask.
TRUSTED = ("stripe", "generic", "adyen", "square")
MONEY = {
    "eur": ("EUR", ("12.34",)),
    "eur-three-sellers": ("EUR", ("12.34", "0.01", "7.00")),
    "jpy": ("JPY", ("1200",)),
}
# Currencies in which a PSP counts otherwise than ISO 4217 (docs/psp).
ODD = {
    "stripe": ("ISK", "1200"),
    "generic": ("KWD", "1.234"),
    "adyen": ("CLP", "1200"),
    "paypal": ("HUF", "1200.00"),
    "square": ("JPY", "1200"),
    "mollie": ("ISK", "1200"),
}


@pytest.fixture(scope="module", autouse=True)
def quick(own_stack):
    own_stack.configure(QUICK_JOBS)
    yield
    own_stack.configure()


@pytest.fixture
def buyer():
    """A browser without cookies that follows nothing by itself."""
    with plain(timeout=30) as http:
        yield http


@pytest.fixture(params=PSPS)
def psp(request):
    return request.param


def hosted_page(stack, made) -> str:
    answer = stack.http.get(made.shown["redirect_url"])
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def pay(buyer, page: str, card: str) -> httpx.Response:
    form = {"number": CARDS[card], "expiry": "12/39", "cvc": "123"}
    return buyer.post(page.partition("#")[0], data=form)


def facts(stack, made) -> list[tuple]:
    """kind and actor; a question twice is one."""
    told = [
        (each["kind"], each["actor"]) for each in stack.timeline(made.order_id)
    ]
    return [
        each
        for n, each in enumerate(told)
        if each[0] != "notified" or each not in told[:n]
    ]


def books(stack, made) -> dict:
    return stack.mock.books(nonce=made.nonce)


def calls(stack, made, operation: str) -> list[dict]:
    return [
        each
        for each in books(stack, made)["requests"]
        if each["operation"] == operation
    ]


def polled(stack, made, *state) -> None:
    """The job settles it, without a webhook."""

    def settled():
        stack.jobs_now(made.id)
        return made.states() == {state}

    wait_for(settled, f"the poll of {made.id}")


def asked_by_webhook(psp: str) -> list[tuple]:
    return [] if psp in TRUSTED else [("notified", "webhook")]


@pytest.mark.parametrize("money", MONEY.values(), ids=MONEY.keys())
def test_a_checkout_is_paid_in_nine_steps(stack, buyer, psp, money):
    currency, amounts = money
    made = stack.created(psp, amounts=amounts, currency=currency)
    page = hosted_page(stack, made)
    assert urlsplit(page).netloc == urlsplit(stack.gateway.mock_url).netloc
    back = pay(buyer, page, "paid")
    assert back.status_code == 303, back.text
    made.becomes("SUCCESS")
    handed = stack.http.get(back.headers["Location"])
    assert handed.status_code == 303
    shop = buyer.get(handed.headers["Location"])
    assert '<strong id="signature">valid</strong>' in shop.text
    shown = stack.get(f"/v1/checkouts/{made.id}").json()
    assert (shown["status"], shown["is_payment_done"]) == ("SUCCESS", True)
    paid = [
        (each["amount"], each["currency"], each["status"])
        for each in shown["payment_orders"]
    ]
    assert paid == [(amount, currency, "SUCCESS") for amount in amounts]


def test_it_is_registered_once_under_our_nonce(stack, psp):
    made = stack.created(psp)
    (booked,) = books(stack, made)["registrations"]
    told = (booked["dialect"], booked["nonce"], booked["requests"])
    assert told == (psp, made.order_id, 1)
    assert (booked["amount"], booked["currency"]) == ("12.34", "USD")
    assert booked["token"] == made.token
    reference = made.facts()[0]
    assert booked["reference"] == reference
    same = stack.mock.books(reference=reference)["registrations"]
    assert same == [booked]


def test_a_currency_that_the_psp_counts_otherwise(stack, psp):
    """Its books have the amount that we have."""
    currency, amount = ODD[psp]
    made = stack.created(psp, amounts=(amount,), currency=currency)
    (booked,) = books(stack, made)["registrations"]
    assert (booked["amount"], booked["currency"]) == (amount, currency)
    settle(stack, made, "paid")
    made.becomes("SUCCESS")
    assert stack.payment(made.order_id)["amount"] == amount


def settle(stack, made, result: str) -> None:
    """As a buyer; at PayPal the buyer's part is to approve."""
    if made.psp == "paypal" and result == "paid":
        result = "approved"
    stack.mock.pay(made.token, result)


def test_the_timeline_tells_the_steps(stack, psp):
    made = stack.created(psp)
    settle(stack, made, "paid")
    made.becomes("SUCCESS")
    events = stack.timeline(made.order_id)
    assert events[0]["detail"]["psp"] == psp
    assert events[0]["detail"]["route"] == "named by the request"
    said = "webhook" if psp in TRUSTED else "query"
    # Square tells of the approval and of the money at the same time
    told = [each for each in facts(stack, made) if each[0] != "pending"]
    assert told == [
        ("created", "merchant"),
        ("registered", "gateway"),
        *asked_by_webhook(psp),
        ("paid", said),
    ]
    states = [each["new_status"] for each in events]
    assert states[0] == "NOT_STARTED"
    assert set(states[1:-1]) == {"EXECUTING"}
    assert states[-1] == "SUCCESS"
    assert "reference" in events[-1]["detail"]


def test_all_its_webhooks_are_taken(stack, psp):
    made = stack.created(psp)
    settle(stack, made, "paid")
    made.becomes("SUCCESS")

    def delivered():
        sent = books(stack, made)["webhooks"]
        states = {(each["state"], each["last_status"]) for each in sent}
        return states == {("delivered", 200)}

    wait_for(delivered, "the webhooks")


# Not paid, or not yet.

KEEPS_TRYING = ("adyen", "square")  # a decline is one try; the page stays open
ENDS = {
    ("generic", "declined"): "declined",
    ("generic", "expired"): "expired",
    ("generic", "cancelled"): "cancelled",
    ("stripe", "declined"): "declined",
    ("stripe", "expired"): "expired",
    ("stripe", "cancelled"): "expired",
    ("adyen", "expired"): "expired",
    ("adyen", "cancelled"): "expired",
    ("paypal", "cancelled"): "cancelled",
    ("mollie", "declined"): "declined",
    ("mollie", "expired"): "expired",
    ("mollie", "cancelled"): "cancelled",
}


@pytest.mark.parametrize("end", ENDS, ids="-".join)
def test_what_its_webhook_says_ends_the_checkout(stack, end):
    psp, result = end
    made = stack.created(psp)
    stack.mock.pay(made.token, result)
    made.becomes("FAILED", ENDS[end])
    shown = stack.get(f"/v1/checkouts/{made.id}").json()
    assert shown["is_payment_done"] is False
    back = stack.http.get(f"/return/{made.facts()[1]}")
    assert back.status_code == 303
    assert "status=FAILED" in back.headers["Location"]


# Stripe's session does not tell a debit that has failed from one on its way.
POLLED = [end for end in ENDS if end != ("stripe", "declined")]


@pytest.mark.parametrize("end", POLLED, ids="-".join)
def test_without_a_webhook_the_poll_ends_it(stack, end):
    psp, result = end
    made = stack.created(psp)
    withheld(stack, made)
    stack.mock.pay(made.token, result)
    polled(stack, made, "FAILED", ENDS[end])
    assert stack.timeline(made.order_id)[-1]["actor"] == "query"


@pytest.mark.parametrize("result", ("expired", "cancelled"))
def test_squares_order_that_was_cancelled_ends_by_the_poll(stack, result):
    made = stack.created("square")
    stack.mock.pay(made.token, result)
    polled(stack, made, "FAILED", "expired")


@pytest.mark.parametrize("psp", KEEPS_TRYING)
def test_a_declined_try_leaves_the_page_open(stack, psp):
    made = stack.created(psp)
    stack.mock.pay(made.token, "declined")
    wait_for(
        lambda: (
            {each["state"] for each in books(stack, made)["webhooks"]}
            == {"delivered"}
        ),
        "the decline's webhook",
    )
    assert made.states() == {("EXECUTING", None)}
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")


def test_pending_money_is_paid_later(stack, psp):
    """PayPal's eCheck: the capture is pending."""
    made = stack.created(psp)
    if psp == "paypal":
        stack.mock.settings(pending_ms=60_000)
        with plain() as buyer:
            pay(buyer, hosted_page(stack, made), "pending")
    else:
        stack.mock.pay(made.token, "pending")

    def pending():
        stack.jobs_now(made.id)
        return "pending" in [kind for kind, _ in facts(stack, made)]

    wait_for(pending, "the pending event")
    assert made.states() == {("EXECUTING", None)}
    assert stack.http.get(f"/return/{made.facts()[1]}").status_code == 200
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")


def test_the_poll_settles_what_no_webhook_told(stack, psp):
    made = stack.created(psp)
    withheld(stack, made)
    settle(stack, made, "paid")
    polled(stack, made, "SUCCESS", None)
    assert stack.timeline(made.order_id)[-1]["actor"] == "query"


def test_the_way_back_asks_the_psp(stack, psp):
    made = stack.created(psp)
    withheld(stack, made)
    settle(stack, made, "paid")
    answer = stack.http.get(f"/return/{made.facts()[1]}")
    assert answer.status_code == 303, answer.text
    assert "status=SUCCESS" in answer.headers["Location"]


# Out of order, twice, wrong.


def test_a_webhook_before_the_answer_is_kept_for_it(stack, psp):
    body = stack.order(psp)
    nonce = body["payment_orders"][0]["payment_order_id"]
    result = "approved" if psp == "paypal" else "paid"
    stack.mock.faults(
        {"operation": "webhook", "kind": "early", "result": result,
         "nonce": nonce}
    )  # fmt: skip
    answer = stack.post(body)
    assert answer.status_code == 201, answer.text
    wait_for(lambda: stack.payment(nonce)["status"] == "SUCCESS", "the payment")
    assert len(stack.mock.books(nonce=nonce)["registrations"]) == 1

    def taken():
        sent = stack.mock.books(nonce=nonce)["webhooks"]
        return {each["last_status"] for each in sent} == {200}

    wait_for(taken, "the webhooks")


def test_a_webhook_that_comes_again_and_again_counts_once(stack, psp):
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "webhook", "kind": "duplicate", "n": 4,
         "nonce": made.nonce, "sticky": True}
    )  # fmt: skip
    settle(stack, made, "paid")
    made.becomes("SUCCESS")

    def all_sent():
        sent = books(stack, made)["webhooks"]
        return sent and all(
            each["copies"] == 4 and each["state"] == "delivered"
            for each in sent
        )

    wait_for(all_sent, "the copies")
    paid = [each for each in facts(stack, made) if each[0] == "paid"]
    assert len(paid) == 1
    rows = stack.value(
        "SELECT count(*) FROM pay.webhook_inbox WHERE checkout_id = %s",
        made.id,
    )
    assert rows == len(books(stack, made)["webhooks"])


WRONG = ("wrong_amount", "wrong_currency")


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("psp", TRUSTED)
def test_a_webhook_with_other_money_moves_nothing(stack, psp, kind):
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "webhook", "kind": kind, "nonce": made.nonce,
         "sticky": True},
        {"operation": "query", "kind": kind, "nonce": made.nonce,
         "sticky": True},
    )  # fmt: skip
    stack.mock.pay(made.token, "paid")
    wait_for(lambda: mismatches(stack, made), "the mismatch")
    assert made.states() == {("EXECUTING", None)}
    assert {each[0] for each in mismatches(stack, made)} == {
        kind.removeprefix("wrong_")
    }


@pytest.mark.parametrize("kind", WRONG)
def test_an_answer_with_other_money_moves_nothing(stack, psp, kind):
    made = stack.created(psp)
    withheld(stack, made)
    for operation in ("query", "capture"):
        stack.mock.faults(
            {"operation": operation, "kind": kind, "nonce": made.nonce,
             "sticky": True}
        )  # fmt: skip
    settle(stack, made, "paid")

    def told():
        stack.jobs_now(made.id)
        return mismatches(stack, made)

    wait_for(told, "the mismatch")
    assert made.states() == {("EXECUTING", None)}
    assert mismatches(stack, made) == [(kind.removeprefix("wrong_"), "query")]
    stack.mock.clear_faults()
    polled(stack, made, "SUCCESS", None)


def mismatches(stack, made) -> list[tuple]:
    return stack.sql(
        "SELECT kind, source FROM pay.mismatch WHERE checkout_id = %s",
        made.id,
    )
