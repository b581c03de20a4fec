"""What a PSP says about a payment: twice, out of order, early, wrong, or no
news at all (docs/security.md T3 to T6).  Messages are signed by hand
(support/events.py).
"""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import events
from support.events import (
    FACTS,
    message,
    outcome,
    raw_message,
    refused,
    slug,
    untouched,
)
from support.own_stack import wait_for

DIALECTS = ("generic", "stripe")
MISMATCHES = (
    "SELECT kind, source, amount_minor, currency FROM pay.mismatch "
    "WHERE checkout_id = %s"
)


@pytest.fixture(params=DIALECTS)
def psp(request):
    return request.param


@pytest.fixture
def made(stack, psp):
    return stack.created(psp)


# The plain case.


def test_a_paid_event_settles_the_order(made):
    sent = message(made, "paid")
    assert outcome(sent.send()) == "applied"
    assert made.states() == {("SUCCESS", None)}
    assert sent.state() == "applied"


def test_one_event_settles_every_order_of_the_checkout(stack, psp):
    made = stack.created(psp, amounts=("1.00", "2.00"))
    total = {"generic": {"amount": "3.00"}, "stripe": {}}[psp]
    assert outcome(message(made, "paid", **total).send()) == "applied"
    assert made.states() == {("SUCCESS", None)}


@pytest.mark.parametrize("fact", ("declined", "expired"))
def test_a_bad_end_fails_the_order_with_its_reason(made, fact):
    assert outcome(message(made, fact).send()) == "applied"
    assert made.states() == {("FAILED", fact)}


# Twice (T3, W5).


def test_a_second_delivery_changes_nothing(stack, made):
    sent = message(made, "paid")
    assert outcome(sent.send()) == "applied"
    before = stack.timeline(made.order_id)
    assert outcome(sent.send()) == "duplicate"
    assert stack.timeline(made.order_id) == before
    assert sent.rows() == 1


def test_50_parallel_deliveries_move_the_order_once(stack, made):
    sent = message(made, "paid")
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: sent.send(), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    outcomes = sorted(map(outcome, answers))
    assert outcomes == ["applied"] + ["duplicate"] * 49
    assert sent.rows() == 1
    kinds = [each["kind"] for each in stack.timeline(made.order_id)]
    assert kinds == ["created", "registered", "paid"]


def test_many_events_about_one_payment_book_it_once(stack, made):
    sent = [message(made, "paid") for _ in range(30)]
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda each: each.send(), sent))
    outcomes = sorted(map(outcome, answers))
    assert outcomes == ["applied"] + ["unchanged"] * 29
    kinds = [each["kind"] for each in stack.timeline(made.order_id)]
    assert kinds.count("paid") == 1


def test_a_second_payment_is_for_an_operator(stack, psp, made):
    """The buyer has paid twice: one sale, and an id to pay the other back."""
    member = {"generic": "payment_id", "stripe": "payment_intent"}[psp]
    said = [
        outcome(message(made, "paid", **{member: name}).send())
        for name in ("pi_first", "pi_first", "pi_second")
    ]
    assert said == ["applied", "unchanged", "contradiction"]
    kinds = [each["kind"] for each in stack.timeline(made.order_id)]
    assert kinds == ["created", "registered", "paid", "contradiction"]
    queued = stack.sql(
        "SELECT kind, object, amount_minor FROM pay.mismatch "
        "WHERE checkout_id = %s",
        made.id,
    )
    assert queued == [("contradiction", "pi_second", made.facts()[2])]


def test_a_known_event_with_another_content_moves_nothing(stack):
    """The first body of an event id is the one that counts."""
    made, other = stack.created("generic"), stack.created("generic")
    first = message(made, "pending")
    assert outcome(first.send()) == "unchanged"
    event = json.loads(first.body)
    event["type"] = "registration.paid"
    event["data"]["token"] = other.token
    second = raw_message(stack, "generic", event, first.name)
    assert outcome(second.send()) == "duplicate"
    assert other.states() == {("EXECUTING", None)}


def test_the_same_event_id_at_another_psp_is_another_event(stack):
    generic, stripe = stack.created("generic"), stack.created("stripe")
    name = events.event_id()
    for each in (generic, stripe):
        event = events.MAKERS[each.psp]("paid", each, name)
        sent = raw_message(stack, each.psp, event, name)
        assert outcome(sent.send()) == "applied"


# Out of order (T4, W9).


@pytest.mark.parametrize("order", itertools.permutations(FACTS))
def test_any_order_of_events_ends_the_same(made, order):
    for fact in order:
        assert message(made, fact).send().status_code == 200
    assert made.states() == {("SUCCESS", None)}


def test_all_events_at_once_end_the_same(stack, made):
    sent = [message(made, fact) for fact in FACTS for _ in range(5)]
    with ThreadPoolExecutor(len(sent)) as pool:
        answers = list(pool.map(lambda each: each.send(), sent))
    assert {answer.status_code for answer in answers} == {200}
    assert made.states() == {("SUCCESS", None)}
    moves = [
        (each["old_status"], each["new_status"])
        for each in stack.timeline(made.order_id)
    ]
    assert moves[-1][1] == "SUCCESS"
    for before, after in itertools.pairwise(moves):
        assert after[0] == before[1]


@pytest.mark.parametrize(
    ("fact", "word"),
    [
        ("pending", "unchanged"),
        ("declined", "contradiction"),
        ("expired", "contradiction"),
    ],
)
def test_success_never_goes_back(made, fact, word):
    message(made, "paid").send()
    assert outcome(message(made, fact).send()) == word
    assert made.states() == {("SUCCESS", None)}


def answered(stack, **wanted):
    """What the gateway has answered to the PSP's webhooks, so far."""
    sent = stack.mock.books(**wanted)["webhooks"]
    return [each["last_status"] for each in sent]


# Early, and about what nobody knows (T5, T6).


def test_an_event_before_the_registrations_answer_counts(stack, psp):
    body = stack.order(psp)
    nonce = body["payment_orders"][0]["payment_order_id"]
    stack.mock.faults({"operation": "webhook", "kind": "early", "nonce": nonce})
    answer = stack.post(body)
    assert answer.status_code == 201
    wait_for(lambda: stack.payment(nonce)["status"] == "SUCCESS", "the payment")
    wait_for(lambda: answered(stack, nonce=nonce) == [200], "the answer")
    kinds = [each["kind"] for each in stack.timeline(nonce)]
    assert kinds.index("registered") < kinds.index("paid")


def test_an_early_decline_counts(stack):
    body = stack.order("generic")
    nonce = body["payment_orders"][0]["payment_order_id"]
    stack.mock.faults(
        {"operation": "webhook", "kind": "early", "nonce": nonce,
         "result": "declined"}
    )  # fmt: skip
    assert stack.post(body).status_code == 201
    wait_for(lambda: stack.payment(nonce)["status"] == "FAILED", "the decline")


def unknown_event(psp: str, token: str) -> dict:
    if psp == "generic":
        data = {"token": token, "amount": "1.00", "currency": "USD"}
        return {"type": "registration.paid", "data": data}
    session = {"id": token, "object": "checkout.session", "currency": "usd"}
    session |= {"amount_total": 100, "payment_status": "paid"}
    return {
        "id": token.replace("cs_", "evt_"),
        "object": "event",
        "type": "checkout.session.completed",
        "data": {"object": session},
    }


def test_an_event_about_an_unknown_token_is_parked(stack, psp):
    token = {"generic": "reg_", "stripe": "cs_"}[psp] + events.event_id()
    event = unknown_event(psp, token)
    sent = raw_message(stack, psp, event, event.get("id"))
    before = stack.value("SELECT count(*) FROM pay.checkout")
    assert outcome(sent.send()) == "parked"
    assert sent.state() == "parked"
    assert outcome(sent.send()) == "duplicate"
    assert stack.value("SELECT count(*) FROM pay.checkout") == before


def test_parked_events_of_all_kinds_wait_for_their_token(stack, psp):
    """Sent while the PSP's answer is on its way, declined before paid."""
    body = stack.order(psp)
    nonce = body["payment_orders"][0]["payment_order_id"]
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "nonce": nonce, "ms": 900}
    )
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(stack.post, body)
        (booked,) = wait_for(
            lambda: stack.mock.books(nonce=nonce)["registrations"],
            "the registration in the books",
        )
        made = Early(stack, body, booked)
        for fact in ("declined", "expired", "paid", "pending"):
            assert outcome(message(made, fact).send()) == "parked"
        assert answer.result().status_code == 201
    assert stack.payment(nonce)["status"] == "SUCCESS"


class Early:
    """What events need to know of a checkout before its token is stored."""

    currency = "USD"

    def __init__(self, stack, body, booked):
        self.stack, self.body, self.psp = stack, body, body["psp"]
        self.token, self.nonce = booked["token"], booked["nonce"]
        self.reference = booked["reference"]

    def facts(self):
        return self.reference, "", 1234


# Lies about the money (T6, W9).

WRONG_MONEY = {
    "generic": {
        "more": {"amount": "12.35"},
        "less": {"amount": "0.01"},
        "currency": {"currency": "EUR"},
        "both": {"amount": "1234", "currency": "JPY"},
        "huge": {"amount": "9999999999999.99"},
        "decimals": {"amount": "12.3"},
        "negative": {"amount": "-12.34"},
        "words": {"amount": "twelve"},
    },
    "stripe": {
        "more": {"amount_total": 1235},
        "less": {"amount_total": 1},
        "currency": {"currency": "eur"},
        "both": {"amount_total": 1234, "currency": "jpy"},
        "huge": {"amount_total": 999999999999999},
        "zero": {"amount_total": 0},
        "negative": {"amount_total": -1234},
        "unknown": {"currency": "zzz"},
    },
}


@pytest.mark.parametrize(
    ("psp", "lie"),
    [(psp, lie) for psp, lies in WRONG_MONEY.items() for lie in lies],
)
def test_another_amount_or_currency_moves_nothing(stack, psp, lie):
    made = stack.created(psp)
    sent = message(made, "paid", **WRONG_MONEY[psp][lie])
    assert outcome(sent.send()) == "mismatch"
    assert made.states() == {("EXECUTING", None)}
    assert sent.state() == "mismatch"
    rows = stack.sql(MISMATCHES, made.id)
    assert len(rows) == 1
    assert rows[0][1] == "webhook"
    assert outcome(message(made, "paid").send()) == "applied"


def test_the_mocks_wrong_amount_is_taken_and_queued(stack, psp):
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "webhook", "kind": "wrong_amount", "nonce": made.nonce}
    )
    stack.mock.pay(made.token, "paid")
    wait_for(lambda: stack.sql(MISMATCHES, made.id), "the mismatch")
    wait_for(lambda: answered(stack, token=made.token) == [200], "the answer")
    assert made.states() == {("EXECUTING", None)}


# What the mock can do to its deliveries.


@pytest.mark.parametrize("kind", ("forged", "stale"))
def test_a_spoilt_delivery_is_refused_and_the_next_one_counts(stack, psp, kind):
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "webhook", "kind": kind, "nonce": made.nonce}
    )
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    wait_for(
        lambda: (
            stack.mock.books(token=made.token)["webhooks"][0]["attempts"] == 2
        ),
        "the second delivery",
    )


def test_duplicates_and_reordered_deliveries_settle_once(stack):
    made = stack.created("generic")
    stack.mock.faults(
        {"operation": "webhook", "kind": "reorder", "nonce": made.nonce},
        {"operation": "webhook", "kind": "duplicate", "nonce": made.nonce,
         "n": 20},
    )  # fmt: skip
    stack.mock.pay(made.token, "pending")
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")

    def all_delivered():
        sent = stack.mock.books(token=made.token)["webhooks"]
        return all(each["state"] == "delivered" for each in sent)

    wait_for(all_delivered, "all deliveries")
    kinds = [each["kind"] for each in stack.timeline(made.order_id)]
    assert kinds.count("paid") == 1


# Messages that are no news, and bad ones.


@pytest.mark.parametrize(
    ("psp", "event"),
    (
        ("generic", {"type": "registration.refunded", "data": {}}),
        ("generic", {"type": "payout.sent"}),
        (
            "stripe",
            {"id": "evt_{}", "object": "event", "type": "payout.paid",
             "data": {"object": {"id": "po_1", "object": "payout"}}},
        ),
        (
            "stripe",
            {"id": "evt_{}", "object": "v2.core.event",
             "type": "v1.billing.meter.error_report_triggered",
             "related_object": {"id": "mtr_1", "type": "billing.meter"}},
        ),
    ),
)  # fmt: skip
def test_an_event_of_another_kind_is_taken_and_ignored(stack, psp, event):
    name = events.event_id()
    if "id" in event:
        event = event | {"id": name}
    sent = raw_message(stack, psp, event, name)
    assert outcome(sent.send()) == "ignored"
    assert sent.state() == "ignored"
    assert outcome(sent.send()) == "duplicate"


BAD_BODIES = {
    "empty": b"",
    "no-json": b"paid",
    "array": b"[]",
    "string": b'"registration.paid"',
    "null": b"null",
    "truncated": b'{"type":"registration.paid"',
    "trailing": b'{"type":"x.y"} {}',
    "duplicate-member": b'{"type":"x.y","type":"registration.paid"}',
    "deep": b'{"type":"x.y","a":' + b"[" * 200 + b"]" * 200 + b"}",
    "bad-utf8": b'{"type":"x.y","a":"\xff\xfe"}',
    "nul": b'{"type":"x.y","a":"\x00"}',
    "no-type": b"{}",
    "type-number": b'{"type":7}',
    "no-token": b'{"type":"registration.paid","data":{"amount":"1.00"}}',
    "other-id": b'{"type":"registration.paid","id":"evt_other"}',
}


@pytest.mark.parametrize("name", BAD_BODIES)
@pytest.mark.parametrize("psp", DIALECTS)
def test_a_bad_body_with_a_right_signature_is_refused(stack, psp, name):
    sent = raw_message(stack, psp, BAD_BODIES[name])
    answer = sent.send()
    assert answer.status_code == 422, answer.text
    assert slug(answer) == "webhook-payload-invalid"
    assert sent.rows() == 0


@pytest.mark.parametrize(
    "token", ("", "a b", "x" * 256, "reg_'; --", "reg_\u00e9", 7, None, {})
)
def test_a_token_that_is_none_is_refused(stack, token):
    event = {
        "type": "registration.paid",
        "data": {"token": token, "amount": "1.00", "currency": "USD"},
    }
    sent = raw_message(stack, "generic", event)
    assert sent.send().status_code == 422
    assert sent.rows() == 0


@pytest.mark.parametrize(
    "name", ("evt.with.dots", "x" * 300, "evt with space", "evt_'--", "évt")
)
def test_an_event_id_that_is_none_is_refused(stack, name):
    sent = raw_message(stack, "generic", {"type": "x.y"}, name)
    sent.headers["webhook-id"] = name.encode()
    answer = sent.send()
    assert answer.status_code in (400, 401, 422)
    assert sent.rows() == 0


def padded(stack, size: int):
    event = {"type": "x.y", "padding": ""}
    room = size - len(json.dumps(event))
    return raw_message(stack, "generic", event | {"padding": "x" * room})


@pytest.mark.parametrize("size", (65_537, 200_000, 256 * 1024))
def test_a_body_up_to_256_kib_is_taken(stack, size):
    sent = padded(stack, size)
    assert len(sent.body) == size
    assert outcome(sent.send()) == "ignored"


@pytest.mark.parametrize("size", (256 * 1024 + 1, 1_000_000))
def test_a_larger_body_is_413(stack, size):
    sent = padded(stack, size)
    with stack.client() as http:
        answer = sent.send(client=http)
    assert answer.status_code == 413
    assert slug(answer) == "content-too-large"
    assert sent.rows() == 0


@pytest.mark.parametrize(
    "path", ("nobody", "Generic", "generic/", "generic/x", "", "gener%69c%00")
)
def test_an_unknown_psp_is_404(stack, path):
    made = stack.created("generic")
    sent = message(made, "paid")
    sent.psp = path
    answer = sent.send()
    assert answer.status_code in (400, 404), answer.text
    assert made.states() == {("EXECUTING", None)}


@pytest.mark.parametrize("method", ("GET", "PUT", "DELETE", "PATCH"))
def test_only_post_is_a_delivery(stack, method):
    answer = stack.http.request(method, "/webhooks/generic")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_delivery_needs_no_token_and_no_key(made):
    """And a storefront's token makes no forged one right."""
    sent = message(made, "paid")
    headers = made.stack.headers() | sent.headers
    del headers["Content-Type"]
    wrong = {
        name: "v1,AAAA" if "ignature" in name else value
        for name, value in headers.items()
    }
    assert sent.send(headers=wrong).status_code == 401
    assert outcome(sent.send()) == "applied"


def test_a_rotated_secret_works_beside_the_old_one(stack):
    """W8: both verify; one that left the configuration does not."""
    old = stack.values["GENERIC_WEBHOOK_SECRET"]
    path = stack.gateway.secrets / "generic.whsec"
    new_path = stack.gateway.secrets / "generic.whsec.next"
    new_path.write_text("whsec_" + "bmV4dC1zZWNyZXQt" * 3 + "\n")
    new_path.chmod(0o400)
    new = new_path.read_text().strip()
    both = (f'"{path}";', f'"{path}" "{new_path}";')
    try:
        stack.configure(both)
        for secret in (old, new):
            stack.values["GENERIC_WEBHOOK_SECRET"] = secret
            sent = message(stack.created("generic"), "paid")
            assert outcome(sent.send()) == "applied"
        stack.configure((f'"{path}";', f'"{new_path}";'))
        stack.values["GENERIC_WEBHOOK_SECRET"] = old
        made = stack.created("generic")
        sent = message(made, "paid")
        refused(sent.send())
        untouched(made, sent)
    finally:
        stack.values["GENERIC_WEBHOOK_SECRET"] = old
        stack.configure()
