"""What the workers do by the clock and tell in /metrics: the sweep of the
watchdog, the quarantine's share, the look at a PSP's list of events.
"""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.events import message, outcome, refused
from support.own_stack import DEADLINE_S, wait_for

AUDIENCE = "payments_audience "
WATCH = (
    "payments_jobs on interval=100ms;\n"
    "    payments_watchdog registering=1s executing=1s unknown=1s parked=1s "
    "interval=200ms;\n    "
)


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    own_stack.configure((AUDIENCE, WATCH + AUDIENCE))
    yield
    own_stack.configure()


def metrics(stack) -> dict[str, int]:
    text = stack.http.get("/metrics").text
    lines = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\d+)$", text, re.MULTILINE)
    return {name: int(value) for name, value in lines}


def metric(stack, name: str) -> int:
    return metrics(stack).get(name, 0)


# The sweep.

GAUGES = (
    'payments_dead_letters{kind="register"}',
    'payments_dead_letters{kind="poll"}',
    'payments_dead_letters{kind="refund"}',
    'payments_dead_letters{kind="late_success"}',
    'payments_dead_letters{kind="parked"}',
    'payments_dead_letters{kind="stuck"}',
    "payments_dispatch_unknown",
    "payments_webhooks_parked",
    "payments_jobs_overdue_seconds",
    'payments_risk_reviews{state="open"}',
    'payments_risk_reviews{state="escalated"}',
    "payments_risk_reviews_overdue",
    "payments_risk_reviews_oldest_seconds",
    'payments_risk_review_captures{state="asked"}',
    'payments_risk_review_captures{state="failed"}',
)


def test_the_gauges_are_there_with_help_and_type(stack):
    wait_for(lambda: set(GAUGES) <= set(metrics(stack)), "the first sweep")
    text = stack.http.get("/metrics").text
    for each in (*GAUGES, "payments_webhooks_quarantined_total"):
        name = each.partition("{")[0]
        kind = "counter" if name.endswith("_total") else "gauge"
        assert f"# TYPE {name} {kind}\n" in text
        assert f"# HELP {name} " in text


def test_a_registration_that_hangs_is_counted_until_it_is_settled(stack):
    body = stack.order()
    nonce = body["payment_orders"][0]["payment_order_id"]
    stack.mock.faults(
        {"operation": "register", "kind": "status", "status": 503,
         "nonce": nonce, "sticky": True}
    )  # fmt: skip
    assert stack.post(body).status_code == 202

    def letters() -> int:
        return stack.value(
            "SELECT count(*) FROM pay.dead_letter WHERE checkout_id = %s "
            "AND kind = 'stuck' AND state = 'open'",
            body["checkout_id"],
        )

    stuck = 'payments_dead_letters{kind="stuck"}'
    wait_for(lambda: letters() == 1 and metric(stack, stuck) > 0, "a letter")
    stack.mock.clear_faults()

    def settled():
        stack.jobs_now(body["checkout_id"], "register")
        return letters() == 0

    wait_for(settled, "its end")
    assert stack.payment(nonce)["redirect_url"]


# The quarantine.

FORGED = 90
AT_ONCE = 50
A_SECOND = 5


def stored(stack) -> int:
    return stack.value(
        "SELECT coalesce(sum(number), 0) FROM pay.quarantine_count"
    )


def quarantined(stack) -> int:
    return sum(
        value
        for name, value in metrics(stack).items()
        if name.startswith("payments_webhooks_quarantined_total")
    )


def forge(sent) -> None:
    refused(sent.send(headers=sent.headers | {"webhook-signature": "v1,AAAA"}))


def test_a_flood_of_forged_webhooks_is_put_aside_in_part_only(stack):
    made = stack.created()
    before, counted = stored(stack), quarantined(stack)
    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        work = [
            pool.submit(forge, message(made, "paid")) for _ in range(FORGED)
        ]
        for each in work:
            each.result()
    seconds = time.monotonic() - start
    most = AT_ONCE + A_SECOND * (seconds + 1)

    # some may be on their way to PostgreSQL still
    def all_counted():
        kept = stored(stack) - before
        return kept if kept == quarantined(stack) - counted else None

    kept = wait_for(all_counted, "the count")
    assert 1 <= kept <= most
    assert kept < FORGED
    assert made.states() == {("EXECUTING", None)}
    assert outcome(message(made, "paid").send()) == "applied"


def test_without_a_quarantine_nothing_is_put_aside(stack):
    off = (AUDIENCE, f"payments_quarantine off;\n    {WATCH}{AUDIENCE}")
    stack.configure(off)
    before = stored(stack)
    made = stack.created()
    forge(message(made, "paid"))
    stack.configure((AUDIENCE, WATCH + AUDIENCE))
    assert stored(stack) == before


# The list of events.


def test_an_event_whose_webhook_never_came_is_found_in_the_list(stack):
    """The list is read up to half a minute ago: it takes as long."""
    made = stack.created("stripe")
    stack.mock.faults(
        {"operation": "webhook", "kind": "none", "nonce": made.nonce,
         "sticky": True}
    )  # fmt: skip
    stack.sql(
        "UPDATE pay.job SET run_at = now() + interval '1 hour' "
        "WHERE checkout_id = %s",
        made.id,
    )
    stack.mock.pay(made.token, "paid")
    missed = 'payments_backfill_missed_total{psp="stripe"}'
    before = metric(stack, missed)

    def found():
        stack.sql("UPDATE pay.backfill SET run_at = now() WHERE psp = 'stripe'")
        return made.states() == {("SUCCESS", None)}

    wait_for(found, "the event", 30 + DEADLINE_S)
    wait_for(lambda: metric(stack, missed) > before, "the count")
    assert metric(stack, 'payments_backfill_listed_total{psp="stripe"}') > 0
    assert stack.sql(
        "SELECT via FROM pay.webhook_inbox WHERE psp = 'stripe' "
        "AND checkout_id = %s",
        made.id,
    ) == [("backfill",)]
    (told,) = [
        each["detail"]
        for each in stack.timeline(made.order_id)
        if each["kind"] == "paid"
    ]
    assert told["via"] == "backfill"


def test_a_capture_that_paypal_takes_back_is_found_in_its_list(stack):
    """It is told to an operator, and nothing is booked."""
    made = stack.created("paypal")
    stack.mock.pay(made.token, "approved")
    made.becomes("SUCCESS")
    deed = stack.mock.call("refund", token=made.token, reason="reversed")

    def doubts():
        stack.sql("UPDATE pay.backfill SET run_at = now() WHERE psp = 'paypal'")
        return stack.sql(
            "SELECT kind, why, object, amount_minor FROM pay.mismatch "
            "WHERE checkout_id = %s",
            made.id,
        )

    wait_for(doubts, "the mismatch", 30 + DEADLINE_S)
    assert doubts() == [("capture", "failed", deed["id"], 1234)]
    assert made.states() == {("SUCCESS", None)}
    assert "refunded" not in [
        each["kind"] for each in stack.timeline(made.order_id)
    ]


# What a payment says about itself.


def test_a_payment_explains_itself(stack):
    made = stack.created()
    answer = stack.get(f"/v1/payments/{made.order_id}/explain")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["payment_order_id"] == made.order_id
    assert told["waits_for"] == "buyer"
    assert told["next_step"]["what"] == "poll"
    assert told["safe_to_retry"]["answer"] in ("no", "after")
    ((operation, state, reach),) = [
        (each["operation"], each["state"], each["reach"])
        for each in told["dispatches"]
    ]
    assert (operation, state, reach) == ("register", "DONE", "complete")


def test_a_checkout_explains_itself_in_decimal_strings(stack):
    made = stack.created()
    of_order = stack.get(f"/v1/payments/{made.order_id}/explain").json()
    path = f"/v1/checkouts/{of_order['checkout_id']}/explain"
    told = stack.get(path)
    assert told.status_code == 200, told.text
    assert told.json() == of_order
    assert "amount_minor" not in of_order
    shown = stack.get(f"/v1/payments/{made.order_id}").json()
    assert (of_order["amount"], of_order["currency"]) == (
        shown["amount"],
        shown["currency"],
    )
    assert of_order["payment_orders"][0]["amount"] == shown["amount"]
    assert stack.get(path, merchant="OTHER_").status_code == 404
    assert stack.http.get(path).status_code == 401


def test_it_explains_itself_to_its_own_merchant_only(stack):
    made = stack.created()
    path = f"/v1/payments/{made.order_id}/explain"
    assert stack.get(path, merchant="OTHER_").status_code == 404
    assert stack.http.get(path).status_code == 401
    answer = stack.http.post(path, headers=stack.headers())
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
