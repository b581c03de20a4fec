"""May the buyer be sent to pay once more?  What explain says while an old page
can still take money, and the last question about a page that the gateway, not
the PSP, has called over.
"""

import pytest
from support.own_stack import QUICK_JOBS, wait_for

LAST_LOOK = ("total=10s;", "total=10s;\n        last_look 2s;")


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    own_stack.configure(QUICK_JOBS, LAST_LOOK)
    yield
    own_stack.configure()


def explained(made) -> dict:
    answer = made.stack.get(f"/v1/payments/{made.order_id}/explain")
    assert answer.status_code == 200, answer.text
    return answer.json()


def advice(made) -> str:
    return explained(made)["safe_to_retry"]["answer"]


def silent(made) -> None:
    """No webhook about it arrives."""
    made.stack.mock.faults(
        {"operation": "webhook", "kind": "none", "nonce": made.nonce,
         "sticky": True}
    )  # fmt: skip


def ends(made, seconds: int) -> None:
    """Its time is over since so many seconds, for us."""
    made.stack.sql(
        "UPDATE pay.checkout SET expires_at = now() - %s * interval '1 s' "
        "WHERE checkout_id = %s",
        seconds,
        made.id,
    )


def called_over(stack, psp: str):
    """Expired by the gateway; the PSP's page is still open."""
    made = stack.created(psp)
    silent(made)
    ends(made, 901)

    stack.jobs_now(made.id)
    made.becomes("FAILED", "expired")
    return made


def refuse_a_card(made) -> None:
    """As its buyer would have it refused; the page stays open for another."""
    if made.psp == "paypal":
        made.stack.mock.pay(made.token, "approved")
    made.stack.mock.pay(made.token, "declined", code="insufficient_funds")


def jobs(made) -> list[tuple]:
    return made.stack.sql(
        "SELECT kind, code FROM pay.job WHERE checkout_id = %s", made.id
    )


def questions(made) -> int:
    requests = made.stack.mock.books(token=made.token)["requests"]
    return sum(each["operation"] == "query" for each in requests)


ADAPTERS = ("generic", "stripe", "adyen", "square", "mollie", "paypal")
# a refused card is an attempt there, and the order goes on
ATTEMPTS = ("adyen", "square")


@pytest.mark.parametrize("psp", ADAPTERS)
def test_no_adapter_calls_a_declined_page_safe_before_its_end(stack, psp):
    """Then money arrives on it, as a second payment would have."""
    made = stack.created(psp)
    refuse_a_card(made)
    if psp in ATTEMPTS:
        wait_for(
            lambda: "decline" in stack.payment(made.order_id), "the attempt"
        )
    else:
        made.becomes("FAILED", "declined")
    assert advice(made) == "after"

    # a second webhook may have asked for one more look, whose time it names
    def over():
        told = explained(made)
        assert told["safe_to_retry"]["answer"] == "after", told
        return told["safe_to_retry"]["after"] > told["expires_at"]

    wait_for(over, "the page's own end")
    stack.mock.pay(made.token)
    made.becomes("SUCCESS")
    assert advice(made) == "no"


def test_a_declined_page_whose_time_is_over_is_safe(stack):
    made = stack.created()
    stack.mock.pay(made.token, "declined")
    made.becomes("FAILED", "declined")
    ends(made, 1800)
    assert advice(made) == "after"
    ends(made, 3601)
    assert advice(made) == "yes"


@pytest.mark.parametrize("psp", ["generic", "stripe", "adyen"])
def test_a_page_that_the_psp_calls_expired_is_safe(stack, psp):
    made = stack.created(psp)
    stack.mock.pay(made.token, "expired")
    stack.jobs_now(made.id)
    made.becomes("FAILED", "expired")
    wait_for(lambda: jobs(made) == [], "the last answer")
    assert advice(made) == "yes"


@pytest.mark.parametrize("psp", ["generic", "adyen"])
def test_the_last_look_finds_a_payment_whose_webhook_is_lost(stack, psp):
    made = called_over(stack, psp)
    assert advice(made) == "after"
    stack.mock.pay(made.token)
    made.becomes("SUCCESS")
    (paid,) = [
        each
        for each in stack.timeline(made.order_id)
        if each["new_status"] == "SUCCESS"
    ]
    assert paid["actor"] == "query"


def test_after_the_last_look_nobody_asks_any_more(stack):
    made = called_over(stack, "adyen")
    wait_for(lambda: jobs(made) in ([], [("poll", "last_look")]), "the look")
    before = questions(made)
    wait_for(lambda: jobs(made) == [], "the last look")
    assert questions(made) <= before + 1
    assert made.states() == {("FAILED", "expired")}
    ends(made, 3601)
    assert advice(made) == "yes"
