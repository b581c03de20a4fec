"""What only one PSP has: PayPal's approval that is not money yet and its
webhooks of which only a CRC is signed, pages at Square and Mollie that do not
end by themselves, Mollie's unsigned hints.
"""

import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import routed
from support.captured import unsent, with_crc_of, withheld
from support.own_stack import QUICK_JOBS, wait_for

# Mollie as it was before its events were signed.
LEGACY = """\
    payments_psp old-mollie {{
        adapter            mollie;
        base_url           {mock}/mollie;
        mode               test;
        api_key_file       "{secrets}/mollie.key";
        webhook_scheme     mollie-legacy;
        hosted_page_host   {host};
    }}

"""


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    mock = own_stack.gateway.mock_url
    block = LEGACY.format(
        mock=mock,
        host=mock.partition("//")[2],
        secrets=own_stack.gateway.secrets,
    )
    own_stack.configure(
        QUICK_JOBS, *routed.edits("old-mollie", block, "method=old old-mollie")
    )
    yield
    own_stack.configure()


def calls(stack, made, operation: str) -> list[str]:
    """The outcomes, as the PSP saw them."""
    return [
        each["outcome"]
        for each in stack.mock.books(token=made.token)["requests"]
        if each["operation"] == operation
    ]


def go_back(stack, made):
    return stack.http.get(f"/return/{made.facts()[1]}")


def ends(stack, made, seconds: int) -> None:
    """Its time is over since so many seconds."""
    stack.sql(
        "UPDATE pay.checkout SET expires_at = now() - %s * interval '1 s' "
        "WHERE checkout_id = %s",
        seconds,
        made.id,
    )


def polled(stack, made, *state) -> None:
    def settled():
        stack.jobs_now(made.id)
        return made.states() == {state}

    wait_for(settled, f"the poll of {made.id}")


def asked(stack, made) -> None:
    """The PSP was asked once more, and the answer was taken."""
    before = len(calls(stack, made, "query"))

    def again():
        stack.jobs_now(made.id)
        return len(calls(stack, made, "query")) > before

    wait_for(again, "the question")
    leased = (
        "SELECT 1 FROM pay.job WHERE checkout_id = %s AND lease_until > now()"
    )
    wait_for(lambda: not stack.sql(leased, made.id), "the answer")


# PayPal: the money is taken when the buyer has approved.


def test_an_approval_is_captured_once_whoever_hears_of_it(stack):
    """Webhook, poll and the buyer's way back at the same time."""
    made = stack.created("paypal")
    stack.mock.faults(
        {"operation": "capture", "kind": "delay", "ms": 200,
         "nonce": made.nonce, "sticky": True},
        {"operation": "webhook", "kind": "duplicate", "n": 3,
         "nonce": made.nonce, "sticky": True},
    )  # fmt: skip
    stack.mock.pay(made.token, "approved")
    with ThreadPoolExecutor(8) as pool:
        backs = [pool.submit(go_back, stack, made) for _ in range(6)]
        polls = [pool.submit(stack.jobs_now, made.id) for _ in range(2)]
    made.becomes("SUCCESS")
    assert {each.result().status_code for each in backs} <= {200, 303}
    assert len(polls) == 2
    outcomes = calls(stack, made, "capture")
    assert outcomes.count("captured") == 1
    assert set(outcomes) <= {"captured", "replayed"}
    (booked,) = stack.mock.books(token=made.token)["registrations"]
    assert (booked["status"], booked["amount"]) == ("paid", "12.34")
    kinds = routed.kinds(made)
    assert kinds.count("paid") == 1


def test_without_an_approval_nothing_is_captured(stack):
    made = stack.created("paypal")
    for _ in range(3):
        asked(stack, made)
    assert go_back(stack, made).status_code == 200
    assert calls(stack, made, "capture") == []
    assert made.states() == {("EXECUTING", None)}


def test_the_buyer_who_comes_back_has_paid(stack):
    made = stack.created("paypal")
    withheld(stack, made)
    stack.mock.pay(made.token, "approved")
    answer = go_back(stack, made)
    assert answer.status_code == 303
    assert "status=SUCCESS" in answer.headers["Location"]
    assert calls(stack, made, "capture") == ["captured"]


def test_pages_that_stay_open_ask_the_psp_less_and_less(stack):
    """All of them together, in whichever worker: after 1, 2 and 4 seconds."""
    made = stack.created("paypal")
    stack.sql(
        "UPDATE pay.job SET run_at = now() + interval '1 hour' "
        "WHERE checkout_id = %s",
        made.id,
    )
    before = len(calls(stack, made, "query"))
    path = f"/return/{made.facts()[1]}"
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with stack.client() as page:
            assert page.get(path).status_code == 200
    assert 3 <= len(calls(stack, made, "query")) - before <= 5


LOST = {
    "not-accepted": {"kind": "drop", "times": 6},
    "accepted": {"kind": "drop_after_accept", "times": 6},
    "500": {"kind": "status", "status": 500},
    "503-after-accepting": {"kind": "status", "status": 503, "accept": True},
    "truncated": {"kind": "malformed"},
    "instrument-declined": {"kind": "status", "status": 422},
    "other-order": {"kind": "other_token"},
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_a_capture_whose_answer_says_nothing_is_taken_once(stack, fault):
    made = stack.created("paypal")
    withheld(stack, made)
    stack.mock.faults({"operation": "capture", "nonce": made.nonce} | fault)
    stack.mock.pay(made.token, "approved")
    polled(stack, made, "SUCCESS", None)
    assert calls(stack, made, "capture").count("captured") == 1


def test_an_approval_after_the_end_takes_no_money(stack):
    made = stack.created("paypal")
    ends(stack, made, 901)
    polled(stack, made, "FAILED", "expired")
    stack.mock.pay(made.token, "approved")
    wait_for(lambda: "notified" in routed.kinds(made), "the webhook")
    # but for the last look, a day later
    rest = (
        "SELECT 1 FROM pay.job WHERE checkout_id = %s "
        "AND (code IS DISTINCT FROM 'last_look' OR lease_until IS NOT NULL)"
    )
    wait_for(lambda: not stack.sql(rest, made.id), "the question's end")
    assert calls(stack, made, "capture") == []
    assert made.states() == {("FAILED", "expired")}
    assert go_back(stack, made).status_code == 303
    assert calls(stack, made, "capture") == []


def test_an_approval_in_time_whose_news_is_late_still_counts(stack):
    made = stack.created("paypal")
    withheld(stack, made)
    stack.mock.pay(made.token, "approved")
    ends(stack, made, 60)
    polled(stack, made, "SUCCESS", None)
    assert calls(stack, made, "capture") == ["captured"]


def test_an_approval_that_nobody_captured_in_time_expires(stack):
    made = stack.created("paypal")
    withheld(stack, made)
    stack.mock.pay(made.token, "approved")
    ends(stack, made, 901)
    polled(stack, made, "FAILED", "expired")
    assert calls(stack, made, "capture") == []


def test_an_order_that_paypal_has_forgotten_expires(stack):
    """It is 404 then: for ever, this was a poll every five minutes."""
    made = stack.created("paypal")
    stack.mock.pay(made.token, "expired")
    asked(stack, made)
    assert made.states() == {("EXECUTING", None)}
    ends(stack, made, 901)
    polled(stack, made, "FAILED", "expired")
    assert stack.timeline(made.order_id)[-1]["actor"] == "gateway"


def test_a_body_of_the_same_crc_moves_nothing_by_itself(stack):
    """The signature holds; so PayPal is asked, and says it is not paid."""
    other = stack.created("paypal")
    withheld(stack, other)
    stack.mock.pay(other.token, "approved")
    (genuine,) = unsent(stack, other)
    victim = stack.created("paypal")
    captured = {
        "id": "WH-" + victim.token,
        "event_type": "PAYMENT.CAPTURE.COMPLETED",
        "resource_type": "capture",
        "resource": {
            "id": "3C6798754X0330030",
            "status": "COMPLETED",
            "amount": {"currency_code": "USD", "value": "12.34"},
            "supplementary_data": {"related_ids": {"order_id": victim.token}},
        },
    }
    lie = json.dumps(captured).encode()
    assert genuine.send(stack, body=lie).status_code == 401
    lie = with_crc_of(lie, zlib.crc32(genuine.body))
    answer = genuine.send(stack, body=lie)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outcome"] == "asked"
    wait_for(lambda: calls(stack, victim, "query"), "the question")
    asked(stack, victim)
    assert victim.states() == {("EXECUTING", None)}
    assert calls(stack, victim, "capture") == []
    assert "paid" not in routed.kinds(victim)


# Adyen: what is authorised and captured by itself counts as paid.


def says(stack, made, code: str, **more) -> str:
    """What came of Adyen's message about the payment of a checkout."""
    (booked,) = stack.mock.books(token=made.token)["registrations"]
    answer = stack.mock.webhook(
        dialect="adyen",
        type=code,
        data={
            "amount": {"value": 1234, "currency": "USD"},
            "merchantReference": booked["reference"],
            "originalReference": "P" + made.token[-15:],
            "reason": "Capture Failed",
        }
        | more,
    )
    assert answer["status"] == 200, answer
    return stack.value(
        "SELECT state FROM pay.webhook_inbox WHERE event_id = %s", answer["id"]
    )


def doubts(stack, made) -> list[tuple]:
    return stack.sql(
        "SELECT kind, why, amount_minor FROM pay.mismatch "
        "WHERE checkout_id = %s",
        made.id,
    )


@pytest.mark.parametrize(
    "code", ("CAPTURE_FAILED", "CANCELLATION", "TECHNICAL_CANCEL", "EXPIRE")
)
def test_money_of_adyen_s_that_does_not_come_is_a_mismatch(stack, code):
    made = stack.created("adyen")
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    assert says(stack, made, code) == "mismatch"
    assert doubts(stack, made) == [("capture", "failed", 1234)]
    assert made.states() == {("SUCCESS", None)}


def reversed_by(action) -> dict:
    """A reversal of the Customer Area: Adyen says that it was one of two."""
    data = {} if action is None else {"modification.action": action}
    return {"additionalData": data, "reason": ""}


def test_a_reversal_of_adyen_s_customer_area_is_a_refund(stack):
    made = stack.created("adyen")
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    said = reversed_by("refund")
    assert says(stack, made, "CANCEL_OR_REFUND", **said) == "applied"
    assert doubts(stack, made) == []
    assert stack.sql(
        "SELECT kind, origin, status, amount_minor FROM pay.change "
        "WHERE checkout_id = %s",
        made.id,
    ) == [("refund", "psp", "SUCCESS", 1234)]


@pytest.mark.parametrize(
    ("action", "doubt"),
    [
        ("cancel", ("capture", "failed", 1234)),
        (None, ("refund", "amount", 0)),
    ],
)
def test_any_other_reversal_of_adyen_s_is_a_mismatch(stack, action, doubt):
    made = stack.created("adyen")
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    said = reversed_by(action)
    assert says(stack, made, "CANCEL_OR_REFUND", **said) == "mismatch"
    assert doubts(stack, made) == [doubt]
    assert made.states() == {("SUCCESS", None)}


def test_a_failed_capture_before_its_payment_waits_for_it(stack):
    made = stack.created("adyen")
    assert says(stack, made, "CAPTURE_FAILED") == "parked"
    assert made.states() == {("EXECUTING", None)}
    assert doubts(stack, made) == []
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    assert doubts(stack, made) == [("capture", "failed", 1234)]


# Pages that stay open until they are closed.


@pytest.mark.parametrize("psp", ("square", "mollie"))
def test_a_page_that_lingers_is_closed_at_the_end(stack, psp):
    made = stack.created(psp)
    asked(stack, made)
    assert calls(stack, made, "expire") == []
    ends(stack, made, 1)
    polled(stack, made, "FAILED", "expired")
    assert len(calls(stack, made, "expire")) == 1
    ended = {"square": "expired", "mollie": "cancelled"}[psp]
    (booked,) = stack.mock.books(token=made.token)["registrations"]
    assert booked["status"] == ended
    page = stack.http.get(made.registration["hosted_url"])
    assert "Pay by card" not in page.text


@pytest.mark.parametrize("psp", ("square", "mollie"))
def test_who_paid_just_before_the_end_has_paid(stack, psp):
    made = stack.created(psp)
    withheld(stack, made)
    stack.mock.pay(made.token, "paid")
    ends(stack, made, 1)
    polled(stack, made, "SUCCESS", None)


# Whose answer was lost: a payment at Mollie is then found cancelled.
CLOSED_AGAIN = {
    ("square", "drop"): "expired",
    ("square", "drop_after_accept"): "expired",
    ("mollie", "drop"): "expired",
    ("mollie", "drop_after_accept"): "cancelled",
}


@pytest.mark.parametrize("lost", CLOSED_AGAIN, ids="-".join)
def test_a_page_whose_closing_was_lost_is_closed_again(stack, lost):
    psp, kind = lost
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "expire", "kind": kind, "nonce": made.nonce, "times": 6}
    )
    ends(stack, made, 1)
    polled(stack, made, "FAILED", CLOSED_AGAIN[lost])


@pytest.mark.parametrize("psp", ("stripe", "generic", "adyen", "paypal"))
def test_a_page_that_ends_by_itself_is_left_alone(stack, psp):
    made = stack.created(psp)
    ends(stack, made, 1)
    asked(stack, made)
    assert calls(stack, made, "expire") == []
    assert made.states() == {("EXECUTING", None)}
    ends(stack, made, 901)
    polled(stack, made, "FAILED", "expired")


# Mollie's hints: nobody has signed them.


def hint(stack, text: str):
    return stack.http.post(
        "/webhooks/old-mollie",
        content=text.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )


def stored_hints(stack) -> int:
    return stack.value(
        "SELECT count(*) FROM pay.webhook_inbox WHERE psp = 'old-mollie'"
    )


@pytest.fixture
def hinted(stack):
    """A checkout whose signed webhooks nobody sends."""
    made = stack.created("old-mollie")
    withheld(stack, made)
    return made


def test_a_hint_has_the_psp_asked_and_is_paid(stack, hinted):
    stack.mock.pay(hinted.token, "paid")
    assert hint(stack, f"id={hinted.token}").status_code == 200
    hinted.becomes("SUCCESS")
    assert stack.timeline(hinted.order_id)[-1]["actor"] == "query"
    assert stored_hints(stack) == 0


def test_a_hint_that_lies_changes_nothing(stack, hinted):
    assert hint(stack, f"id={hinted.token}").status_code == 200
    wait_for(lambda: calls(stack, hinted, "query"), "the question")
    assert hinted.states() == {("EXECUTING", None)}
    assert routed.kinds(hinted) == ["created", "registered"]
    assert stored_hints(stack) == 0


def test_hints_in_a_row_ask_the_psp_once_in_five_seconds(stack, hinted):
    for _ in range(30):
        assert hint(stack, f"id={hinted.token}").status_code == 200
    wait_for(lambda: calls(stack, hinted, "query"), "the question")
    assert len(calls(stack, hinted, "query")) <= 2
    stack.mock.pay(hinted.token, "paid")
    hinted.becomes("SUCCESS")


@pytest.mark.parametrize("text", ("id=tr_nobodys", "id=tr_" + "x" * 60))
def test_a_hint_about_nobodys_payment_is_no_news(stack, text):
    before = len(stack.mock.books()["requests"])
    assert hint(stack, text).status_code == 200
    tokens = {each["token"] for each in stack.mock.books()["requests"][before:]}
    assert text[3:] not in tokens
    assert stored_hints(stack) == 0


NO_HINTS = (
    "",
    "id=",
    "id=ord_1",
    "id=tr_1&id=tr_2",
    "x=tr_1",
    "id=tr_1%00",
    "id=tr_1&status=paid",
)


@pytest.mark.parametrize("text", NO_HINTS)
def test_a_hint_that_is_none_is_refused(stack, text):
    assert hint(stack, text).status_code == 401
    assert stored_hints(stack) == 0


def test_a_next_gen_event_needs_its_signature_and_asks(stack):
    made = stack.created("mollie")
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    told = stack.timeline(made.order_id)
    steps = [(each["kind"], each["actor"]) for each in told[2:]]
    assert steps == [("notified", "webhook"), ("paid", "query")]
    plain = stack.http.post(
        "/webhooks/mollie",
        content=f"id={made.token}".encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert plain.status_code == 401
