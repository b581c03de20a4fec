"""Captures, cancellations and refunds over HTTP, at the generic PSP: what a
storefront sees, what the mock's books say, and what hostile callers get."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest
from support import changes, routed
from support.changes import accepted, deeds, listed, money, order_of, send
from support.events import slug
from support.own_stack import HASTY_PSP, QUICK_JOBS, new_id, wait_for
from support.tokens import minter_of

REFUND = "refunds"
MEMBERS = {
    "payment_order_id", "checkout_id", "status", "amount", "currency",
    "reason", "code", "metadata", "created_at", "changed_at",
}  # fmt: skip
TWINS = 64


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    own_stack.configure(QUICK_JOBS, HASTY_PSP)
    yield
    own_stack.configure()


@pytest.fixture(scope="module")
def sale(own_stack):
    """One that is paid and only looked at, or refused to."""
    return changes.paid(own_stack)


def away(stack, operation: str, kind: str, times: int = 1, **more) -> None:
    stack.mock.faults(
        {"operation": operation, "kind": kind, "times": times} | more
    )


# Refunds.


def test_a_refund_of_all_needs_no_body(stack):
    made = changes.paid(stack)
    shown = accepted(send(made, REFUND), REFUND)
    assert shown.keys() == MEMBERS | {"refund_id"}
    assert (shown["status"], shown["amount"]) == ("SUCCESS", "12.34")
    order = order_of(made)
    assert order["status"] == "SUCCESS"
    assert order["amount_refunded"] == "12.34"
    assert order["amount_refundable"] == "0.00"
    assert order["ledger_updated"] and order["wallet_updated"]
    assert money(made)["refunded"] == 1234


def test_a_refund_says_what_it_was_told(stack):
    made = changes.paid(stack)
    body = {
        "amount": "2.50", "currency": "USD", "reason": "zurück – so",
        "metadata": {"ticket": 7, "most": 9.2e18, "least": -1e-18},
    }  # fmt: skip
    shown = accepted(send(made, REFUND, body), REFUND)
    assert {name: shown[name] for name in body} == body
    assert changes.read(made, REFUND, shown["refund_id"]).json() == shown
    del shown["checkout_id"]
    assert listed(made, REFUND) == [shown]
    (deed,) = deeds(made, "refund")
    assert deed["amount_minor"] == 250
    kinds = routed.kinds(made)
    assert kinds[-2:] == ["refund_requested", "refunded"]
    told = routed.detail(made, "refunded")
    assert (told["amount"], told["amount_minor"]) == ("2.50", 250)
    explained = stack.get(f"/v1/payments/{made.order_id}/explain").json()
    assert told in [each["detail"] for each in explained["events"]]


def test_several_refunds_take_what_is_left(stack):
    made = changes.paid(stack)
    for amount in ("2.00", "0.34"):
        accepted(send(made, REFUND, {"amount": amount}), REFUND)
    assert order_of(made)["amount_refundable"] == "10.00"
    shown = accepted(send(made, REFUND, {}), REFUND)
    assert shown["amount"] == "10.00"
    assert [each["amount"] for each in listed(made, REFUND)] == [
        "2.00", "0.34", "10.00",
    ]  # fmt: skip
    assert money(made)["refundable"] == 0


@pytest.mark.parametrize(
    ("currency", "amount", "part", "wrong"),
    [("JPY", "1200", "200", "200.0"), ("KWD", "1.234", "0.234", "0.23")],
)
def test_amounts_are_of_the_currency(stack, currency, amount, part, wrong):
    made = changes.paid(stack, amounts=(amount,), currency=currency)
    shown = accepted(send(made, REFUND, {"amount": part}), REFUND)
    assert shown["amount"] == part
    answer = send(made, REFUND, {"amount": wrong})
    assert (answer.status_code, slug(answer)) == (422, "amount-invalid")


def test_each_order_of_a_checkout_is_refunded_alone(stack):
    made = changes.paid(stack, amounts=("5.00", "7.00"))
    first, second = made.order_ids
    answer = send(made, REFUND, {"amount": "6.00"}, order=first)
    assert slug(answer) == "amount-exceeds-remaining"
    accepted(send(made, REFUND, order=first), REFUND)
    assert stack.payment(first)["amount_refundable"] == "0.00"
    assert stack.payment(second)["amount_refundable"] == "7.00"


def test_a_refund_moves_what_the_seller_is_owed(stack):
    seller = f"seller-{new_id()}"
    order = {
        "payment_order_id": new_id(), "seller_account": seller,
        "amount": "10.00", "currency": "EUR",
    }  # fmt: skip
    made = changes.paid(stack, payment_orders=[order])
    accepted(send(made, REFUND, {"amount": "4.00"}), REFUND)
    balance = stack.get(f"/v1/sellers/{seller}/balance").json()
    assert balance == {
        "seller_account": seller,
        "balances": [
            {"currency": "EUR", "available": "6.00", "pending": "0.00",
             "reserved": "0.00"}
        ],
    }  # fmt: skip


def test_what_the_psp_does_later_is_executing_until_then(stack):
    made = changes.paid(stack)
    stack.mock.settings(refund_result="pending")
    try:
        shown = accepted(send(made, REFUND, {"amount": "1.00"}), REFUND)
    finally:
        stack.mock.settings(refund_result="done")
    assert shown["status"] == "EXECUTING"
    assert order_of(made)["amount_refundable"] == "11.34"
    (deed,) = deeds(made, "refund")
    stack.mock.call("end", id=deed["id"], result="done")
    wait_for(
        lambda: changes.statuses(made, REFUND) == ["SUCCESS"], "the refund"
    )


def test_a_refund_that_fails_gives_back_what_it_had_reserved(stack):
    made = changes.paid(stack)
    stack.mock.settings(refund_result="pending")
    try:
        accepted(send(made, REFUND, {"amount": "1.00"}), REFUND)
    finally:
        stack.mock.settings(refund_result="done")
    (deed,) = deeds(made, "refund")
    stack.mock.call("end", id=deed["id"], result="failed")
    wait_for(lambda: changes.statuses(made, REFUND) == ["FAILED"], "the refund")
    assert order_of(made)["amount_refundable"] == "12.34"


def test_what_the_psp_refuses_has_failed_with_its_code(stack):
    made = changes.paid(stack)
    stack.mock.call("refund", token=made.token, amount_minor=1234)
    answer = send(made, REFUND, {"amount": "1.00"})
    if answer.status_code == 409:
        return  # its webhook was faster
    shown = accepted(answer, REFUND)
    assert shown["status"] == "FAILED"
    assert shown["code"]


# Captures and cancellations.


def test_captures_take_parts_and_the_last_one_releases_the_rest(stack):
    made = changes.held(stack)
    assert order_of(made)["status"] == "EXECUTING"
    assert order_of(made)["amount_authorized"] == "12.34"
    first = accepted(send(made, "capture", {"amount": "2.00"}), "capture")
    assert (first["status"], first["final"]) == ("SUCCESS", False)
    order = order_of(made)
    assert (order["status"], order["amount_captured"]) == ("SUCCESS", "2.00")
    assert order["amount_authorized"] == "10.34"
    body = {"amount": "3.00", "final": True}
    assert accepted(send(made, "capture", body), "capture")["final"]
    order = order_of(made)
    assert order["amount_captured"] == "5.00"
    assert order["amount_authorized"] == "0.00"
    assert money(made)["captured"] == 500
    assert money(made)["authorized"] == 0
    assert slug(send(made, "capture")) == "payment-state-conflict"
    accepted(send(made, REFUND), REFUND)
    assert order_of(made)["amount_refunded"] == "5.00"


def test_a_capture_without_a_body_takes_all(stack):
    made = changes.held(stack)
    shown = accepted(send(made, "capture"), "capture")
    assert (shown["amount"], shown["final"]) == ("12.34", True)
    assert money(made)["captured"] == 1234


def test_more_than_is_held_is_not_captured(stack):
    made = changes.held(stack)
    answer = send(made, "capture", {"amount": "12.35"})
    assert (answer.status_code, slug(answer)) == (
        422, "amount-exceeds-remaining",
    )  # fmt: skip
    assert "12.34 USD" in answer.json()["detail"]
    assert not deeds(made, "capture")


def test_what_is_held_can_be_given_up(stack):
    made = changes.held(stack)
    shown = accepted(send(made, "cancel", {"reason": "sold out"}), "cancel")
    assert (shown["status"], shown["reason"]) == ("SUCCESS", "sold out")
    made.becomes("FAILED", "cancelled")
    assert order_of(made)["amount_authorized"] == "0.00"
    for what in ("capture", "cancel", REFUND):
        answer = send(made, what)
        assert answer.status_code == 409, what
        assert slug(answer) == "payment-state-conflict"


def test_what_a_capture_has_left_can_be_given_up(stack):
    made = changes.held(stack)
    accepted(send(made, "capture", {"amount": "5.00"}), "capture")
    shown = accepted(send(made, "cancel"), "cancel")
    assert (shown["status"], shown["amount"]) == ("SUCCESS", "7.34")
    order = order_of(made)
    assert (order["status"], order["amount_captured"]) == ("SUCCESS", "5.00")
    assert order["amount_authorized"] == "0.00"
    assert (money(made)["captured"], money(made)["authorized"]) == (500, 0)
    assert routed.kinds(made)[-2:] == ["cancel_requested", "released"]
    for what in ("capture", "cancel"):
        answer = send(made, what)
        assert slug(answer) == "payment-state-conflict", what


def test_a_query_tells_that_no_more_is_captured(stack):
    made = changes.held(stack, amounts=("5.00", "7.00"))
    first, second = made.order_ids
    accepted(send(made, "capture", order=first), "capture")
    stack.mock.faults({"operation": "webhook", "kind": "none"})
    stack.mock.call("release", token=made.token, result="cancelled")

    def ended():
        stack.jobs_now(made.id, "poll")
        return stack.payment(second)["status"] == "FAILED"

    wait_for(ended, "the end of what was held")
    assert stack.payment(first)["status"] == "SUCCESS"
    assert stack.payment(second)["amount_authorized"] == "0.00"
    assert not stack.jobs_now(made.id, "poll")


def test_what_is_held_for_a_failed_payment_is_given_back(stack):
    made = stack.created(capture="manual")
    stack.mock.webhook(
        dialect="generic", type="registration.declined",
        data={"token": made.token, "code": "do_not_honor"},
    )  # fmt: skip
    made.becomes("FAILED", "declined")
    stack.mock.pay(made.token)
    wait_for(
        lambda: "contradiction" in routed.kinds(made), "what was told too late"
    )
    told = stack.get(f"/v1/payments/{made.order_id}/explain").json()
    assert told["waits_for"] == "people"
    assert "holds the buyer's money" in told["why"]
    assert money(made)["authorized"] == 1234
    assert slug(send(made, "capture")) == "payment-state-conflict"
    shown = accepted(send(made, "cancel"), "cancel")
    assert shown["status"] == "SUCCESS"
    assert money(made)["authorized"] == 0
    assert order_of(made)["status"] == "FAILED"
    assert routed.kinds(made)[-2:] == ["cancel_requested", "released"]


def test_a_page_that_nobody_has_paid_can_be_closed(stack):
    made = stack.created()
    shown = accepted(send(made, "cancel"), "cancel")
    assert shown["status"] == "SUCCESS"
    made.becomes("FAILED", "cancelled")
    with pytest.raises(httpx.HTTPStatusError):
        stack.mock.pay(made.token)


def test_what_was_paid_before_it_was_cancelled_is_paid(stack):
    made = stack.created()
    stack.mock.faults({"operation": "webhook", "kind": "none"})
    stack.mock.pay(made.token)
    shown = accepted(send(made, "cancel"), "cancel")
    assert (shown["status"], shown["code"]) == ("FAILED", "already_paid")
    made.becomes("SUCCESS")


def test_a_psp_that_holds_no_money_is_refused_manual_captures(stack):
    body = stack.order("paypal", capture="manual")
    answer = stack.post(body)
    assert (answer.status_code, slug(answer)) == (
        422, "operation-not-supported",
    )  # fmt: skip
    assert answer.json()["errors"][0]["pointer"] == "/capture"
    assert stack.get(f"/v1/checkouts/{body['checkout_id']}").status_code == 404


# What does not fit the order's state.


@pytest.mark.parametrize("what", ["refunds", "capture"])
def test_before_the_buyer_has_paid_there_is_nothing_to_take(stack, what):
    made = stack.created()
    answer = send(made, what)
    assert (answer.status_code, slug(answer)) == (
        409, "payment-state-conflict",
    )  # fmt: skip
    assert not listed(made, what)


def test_what_is_paid_is_not_cancelled(sale):
    answer = send(sale, "cancel")
    assert (answer.status_code, slug(answer)) == (
        409, "payment-state-conflict",
    )  # fmt: skip


def test_more_than_is_left_is_told_how_much_that_is(stack):
    made = changes.paid(stack)
    accepted(send(made, REFUND, {"amount": "2.00"}), REFUND)
    answer = send(made, REFUND, {"amount": "10.35"})
    assert (answer.status_code, slug(answer)) == (
        422, "amount-exceeds-remaining",
    )  # fmt: skip
    problem = answer.json()
    assert problem["detail"] == "at most 10.34 USD can be refunded"
    assert problem["errors"][0]["pointer"] == "/amount"
    accepted(send(made, REFUND), REFUND)
    answer = send(made, REFUND, {"amount": "0.01"})
    assert (answer.status_code, slug(answer)) == (
        409, "payment-state-conflict",
    )  # fmt: skip


# Keys.


def test_the_same_key_and_body_is_the_same_refund(stack):
    made = changes.paid(stack)
    key = new_id()
    first = send(made, REFUND, {"amount": "1.00"}, key)
    again = send(made, REFUND, {"amount": "1.00"}, f'"{key}"')
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert len(deeds(made, "refund")) == 1


def test_a_key_covers_order_kind_and_body(stack):
    made, other = changes.paid(stack), changes.paid(stack)
    key = new_id()
    accepted(send(made, REFUND, {"amount": "1.00"}, key), REFUND)
    for answer in (
        send(made, REFUND, {"amount": "2.00"}, key),
        send(made, REFUND, b'{"amount":"1.00"}', key),
        send(made, REFUND, None, key),
        send(other, REFUND, {"amount": "1.00"}, key),
    ):
        assert (answer.status_code, slug(answer)) == (
            422, "idempotency-key-reused",
        )  # fmt: skip
    assert not listed(other, REFUND)


def test_a_refused_request_does_not_use_its_key_up(stack):
    made = changes.paid(stack)
    key = new_id()
    for body in ({"amount": "99.00"}, {"amount": "0.00"}, {"a": 1}):
        assert send(made, REFUND, body, key).status_code == 422
    accepted(send(made, REFUND, {"amount": "1.00"}, key), REFUND)


def test_the_twin_of_a_running_request_is_told_to_wait(stack):
    made = changes.paid(stack)
    key = new_id()
    away(stack, "refund", "delay", ms=700, before=True)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, made, REFUND, {"amount": "1.00"}, key)
        wait_for(lambda: changes.calls(made, "refund"), "the call")
        twin = send(made, REFUND, {"amount": "1.00"}, key)
        accepted(first.result(), REFUND)
    assert (twin.status_code, slug(twin)) == (429, "idempotency-in-progress")
    assert twin.headers["Retry-After"] == "1"


def test_the_key_is_needed(sale):
    answer = send(sale, REFUND, **{"Idempotency-Key": ""})
    assert slug(answer) == "idempotency-key-invalid"
    headers = sale.stack.headers()
    del headers["Idempotency-Key"]
    path = f"/v1/payments/{sale.order_id}/refunds"
    answer = sale.stack.http.post(path, headers=headers)
    assert (answer.status_code, slug(answer)) == (
        400, "idempotency-key-missing",
    )  # fmt: skip


# Strangers, and what they send.


HOSTILE = [
    (b"{", 400, "invalid-json"),
    (b"[]", 422, "validation-error"),
    (b"null", 400, "invalid-json"),
    (b'{"amount":"1.00","amount":"2.00"}', 400, "duplicate-member"),
    (b'{"amount":1.00}', 422, "amount-invalid"),
    (b'{"amount":"1"}', 422, "amount-invalid"),
    (b'{"amount":"-1.00"}', 422, "amount-invalid"),
    (b'{"amount":"1e2"}', 422, "amount-invalid"),
    (b'{"amount":"99999999999999999999.00"}', 422, "amount-invalid"),
    (b'{"amount":"1.00","currency":"EUR"}', 422, "validation-error"),
    (b'{"amount":"1.00","currency":"usd"}', 422, "currency-unsupported"),
    (b'{"final":true}', 422, "validation-error"),
    (b'{"refund_id":"x"}', 422, "validation-error"),
    (b'{"reason":"a\\u0000"}', 400, "invalid-json"),
    (b'{"reason":"\\u0007"}', 422, "validation-error"),
    (b'{"reason":"' + b"a" * 201 + b'"}', 422, "validation-error"),
    (b'{"metadata":{"a":{"b":1}}}', 422, "validation-error"),
    (b'{"reason":"4111 1111 1111 1111"}', 422, "card-data-not-accepted"),
    (b'{"metadata":{"n":4111111111111111}}', 422, "card-data-not-accepted"),
    # PostgreSQL writes it as an integer that nobody can read back
    (b'{"metadata":{"n":1.65e194}}', 422, "validation-error"),
    (b'{"reason":"' + b"a" * 70000 + b'"}', 413, "content-too-large"),
]


@pytest.mark.parametrize(
    ("body", "status", "name"), HOSTILE, ids=range(len(HOSTILE))
)
def test_what_is_not_expected_is_refused(sale, body, status, name):
    answer = send(sale, REFUND, body)
    assert (answer.status_code, slug(answer)) == (status, name)
    assert not listed(sale, REFUND)


def test_a_body_needs_its_media_type(sale):
    answer = send(sale, REFUND, b"{}", **{"Content-Type": "text/plain"})
    assert (answer.status_code, slug(answer)) == (
        415, "unsupported-media-type",
    )  # fmt: skip


@pytest.mark.parametrize("what", ["refunds", "capture", "cancel"])
def test_another_merchants_order_is_not_there(sale, what):
    answer = send(sale, what, merchant="OTHER_")
    assert (answer.status_code, slug(answer)) == (404, "not-found")
    path = f"/v1/payments/{sale.order_id}/{changes.PLURAL[what]}"
    answer = sale.stack.get(path, merchant="OTHER_")
    assert (answer.status_code, slug(answer)) == (404, "not-found")


def test_another_merchants_refund_and_seller_are_not_there(stack):
    made = changes.paid(stack)
    shown = accepted(send(made, REFUND), REFUND)
    path = f"/v1/payments/{made.order_id}/refunds/{shown['refund_id']}"
    assert stack.get(path).status_code == 200
    assert stack.get(path, merchant="OTHER_").status_code == 404
    assert stack.get(path.replace("refunds", "captures")).status_code == 404
    other = changes.paid(stack)
    path = f"/v1/payments/{other.order_id}/refunds/{shown['refund_id']}"
    assert stack.get(path).status_code == 404
    path = "/v1/sellers/seller-0/balance"
    assert stack.get(path).status_code == 200
    assert stack.get(path, merchant="OTHER_").status_code == 404


SCOPES = [
    ("POST", "payments/{}/refunds", "payments:read payments:write",
     "refunds:write"),
    ("POST", "payments/{}/capture", "payments:read refunds:write",
     "payments:write"),
    ("POST", "payments/{}/cancel", "payments:read refunds:write",
     "payments:write"),
    ("GET", "payments/{}/refunds", "refunds:write", "payments:read"),
    ("GET", "payments/{}/cancels/x", "refunds:write", "payments:read"),
    ("GET", "sellers/seller-0/balance", "payments:read", "balance:read"),
    ("GET", "sellers/seller-0/statement", "payments:read", "balance:read"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "scope", "needed"), SCOPES)
def test_each_route_has_its_scope(sale, method, path, scope, needed):
    mint = minter_of(sale.stack.values, "MERCHANT")
    headers = {
        "Authorization": f"Bearer {mint(scope=scope)}",
        "Idempotency-Key": new_id(),
    }
    path = "/v1/" + path.format(sale.order_id)
    answer = sale.stack.http.request(method, path, headers=headers)
    assert (answer.status_code, slug(answer)) == (403, "insufficient-scope")
    assert f'scope="{needed}"' in answer.headers["WWW-Authenticate"]


# Statements.


def test_a_statement_is_read_page_by_page(stack):
    seller = f"s/{new_id()}"
    order = {
        "payment_order_id": new_id(), "seller_account": seller,
        "amount": "10.00", "currency": "EUR",
    }  # fmt: skip
    made = changes.paid(stack, payment_orders=[order])
    accepted(send(made, REFUND, {"amount": "4.00"}), REFUND)
    path = f"/v1/sellers/{seller}/statement?currency=EUR"
    whole = stack.get(path).json()
    assert whole["next"] is None
    lines = whole["lines"]
    assert [each["seq"] for each in lines] == [4, 3, 2, 1]
    assert lines[-1]["kind"] == "sale"
    assert lines[-1]["amount"] == lines[-1]["balance"] == "10.00"
    paged, before = [], ""
    for _ in range(4):
        page = stack.get(f"{path}&limit=1{before}").json()
        paged += page["lines"]
        before = f"&before={page['next']}"
    assert page["next"] is None
    assert paged == lines
    sums = {}
    for each in lines:
        name = each["account"]
        sums[name] = sums.get(name, 0) + Decimal(each["amount"])
    assert sums == {"available": 6, "reserved": 0}


@pytest.mark.parametrize(
    "query",
    ["", "?currency=eur", "?currency=EUR&limit=0", "?currency=EUR&limit=101",
     "?currency=EUR&before=x", "?currency=EUR&after=1",
     "?currency=EUR&currency=USD"],
)  # fmt: skip
def test_a_statement_is_asked_for_in_order(stack, query):
    answer = stack.get(f"/v1/sellers/seller-0/statement{query}")
    assert answer.status_code == 422
    assert slug(answer) in ("validation-error", "currency-unsupported")


def test_an_unknown_seller_is_404(stack):
    for tail in ("balance", "statement?currency=EUR"):
        answer = stack.get(f"/v1/sellers/nobody-{new_id()}/{tail}")
        assert (answer.status_code, slug(answer)) == (404, "not-found")


# A PSP that is down, and callers that go away.


@pytest.mark.parametrize("status", [503, 429])
def test_a_refund_goes_on_when_the_psp_is_back(stack, status):
    made = changes.paid(stack)
    away(stack, "refund", "status", status=status)
    shown = accepted(send(made, REFUND, {"amount": "1.00"}), REFUND, 202)
    assert shown["status"] in ("NOT_STARTED", "EXECUTING")
    assert order_of(made)["amount_refundable"] == "11.34"
    ended = changes.settles(made, REFUND)
    assert ended["refund_id"] == shown["refund_id"]
    was_done_once(made)


def was_done_once(made) -> None:
    assert money(made)["refunded"] == 100
    assert len(deeds(made, "refund")) == 1
    keys = {each["key"] for each in changes.calls(made, "refund")}
    assert len(keys) == 1, "one key, however often it was sent"


@pytest.mark.parametrize("kind", ["drop", "drop_after_accept", "malformed"])
def test_a_refund_whose_answer_is_lost_is_done_once(stack, kind):
    """Its webhook, or a second call under the same key, may be faster than
    the answer."""
    made = changes.paid(stack)
    away(stack, "refund", kind)
    answer = send(made, REFUND, {"amount": "1.00"})
    assert answer.status_code in (201, 202), answer.text
    changes.settles(made, REFUND)
    was_done_once(made)


def test_a_client_that_hangs_up_stops_nothing(stack):
    made = changes.paid(stack)
    away(stack, "refund", "delay", ms=500)
    hasty = stack.client()
    hasty.timeout = httpx.Timeout(20, read=0.2)
    with hasty, pytest.raises(httpx.TimeoutException):
        send(made, REFUND, {"amount": "1.00"}, client=hasty)
    wait_for(
        lambda: changes.statuses(made, REFUND) == ["SUCCESS"], "the refund"
    )
    assert len(deeds(made, "refund")) == 1


# Many at once.


def race(made, bodies: list) -> list[httpx.Response]:
    """All at the same moment, each on a connection of its own."""
    start = threading.Barrier(len(bodies))

    def one(body):
        with made.stack.client() as client:
            client.get("/healthz")
            start.wait()
            return send(made, REFUND, body, client=client)

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(one, bodies))


def judge(made, answers: list[httpx.Response]) -> Decimal:
    """Winners and losers agree with the API, PostgreSQL and the PSP."""
    won = [each for each in answers if each.status_code in (201, 202)]
    lost = [each for each in answers if each not in won]
    assert {(each.status_code, slug(each)) for each in lost} <= {
        (409, "payment-state-conflict"),
        (422, "amount-exceeds-remaining"),
    }
    taken = sum(Decimal(each.json()["amount"]) for each in won)
    wait_for(
        lambda: set(changes.statuses(made, REFUND)) == {"SUCCESS"},
        "all refunds",
    )
    assert sum(Decimal(each["amount"]) for each in listed(made, REFUND)) == (
        taken
    )
    order = order_of(made)
    assert Decimal(order["amount_refunded"]) == taken
    assert Decimal(order["amount_refundable"]) == Decimal("12.34") - taken
    there = money(made)
    assert there["refunded"] == int(taken * 100)
    assert there["refunding"] == 0
    assert len(deeds(made, "refund")) == len(won), "the PSP saw no more"
    seen = {each["key"] for each in changes.calls(made, "refund")}
    assert len(seen) == len(won)
    return taken


def test_64_refunds_at_once_take_what_there_is_and_no_more(stack):
    made = changes.paid(stack)
    answers = race(made, [{"amount": "1.00"}] * TWINS)
    assert judge(made, answers) == 12
    assert sum(each.status_code == 201 for each in answers) == 12


def test_64_refunds_of_all_are_one(stack):
    made = changes.paid(stack)
    answers = race(made, [None] * TWINS)
    assert judge(made, answers) == Decimal("12.34")
    assert sum(each.status_code == 409 for each in answers) == TWINS - 1


def test_64_refunds_of_any_size_never_exceed_the_payment(stack):
    made = changes.paid(stack)
    amounts = [f"{n % 7}.{n:02}" for n in range(1, TWINS + 1)]
    answers = race(made, [{"amount": amount} for amount in amounts])
    left = Decimal("12.34") - judge(made, answers)
    smallest = min(
        Decimal(amount)
        for amount, each in zip(amounts, answers, strict=True)
        if each.status_code >= 400
    )
    assert left < smallest, "who would have fitted was not refused"


# Words.


def test_the_log_and_the_metrics_tell_kinds_and_outcomes_only(stack):
    made = changes.paid(stack)
    accepted(send(made, REFUND, {"reason": "CANARY-reason"}), REFUND)
    text = stack.http.get("/metrics").text
    line = 'payments_changes_total{kind="refund",status="SUCCESS"}'
    assert any(
        each.startswith(line) and float(each.split()[-1]) > 0
        for each in text.splitlines()
    )
    assert "CANARY" not in text
    logs = stack.gateway.run
    for name in ("error.log", "access.log"):
        assert "CANARY" not in (logs / name).read_text(errors="replace")


def test_the_answers_are_json_of_the_documented_members(stack):
    made = changes.held(stack)
    shown = accepted(send(made, "capture", {"amount": "1.00"}), "capture")
    assert shown.keys() == MEMBERS | {"capture_id", "final"}
    assert json.dumps(shown).count(made.order_id) == 1
