"""The mock's pay-out providers: their keys, clock, books, faults and fates, by
the generic one, which has no peculiarities.  The calls are those that the
gateway's adapter makes, so that each test holds both to the same protocol
(docs/payout-providers.md).
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.mock_client import is_signed
from support.mock_payouts import DAY_S, IBAN, KEYS, new_key
from support.mock_server import until

GENERIC = "generic"


def plain_call(payouts, method, path, body=None, key=None, **headers):
    """As no adapter of ours would."""
    made = {"Authorization": f"Bearer {KEYS['payout-generic.key']}"}
    made |= {"Idempotency-Key": key} if key else {}
    sent = {"json": body} if body is not None else {}
    path = f"/payout/generic/v1/payouts{path}"
    return payouts.http.request(method, path, headers=made | headers, **sent)


def body_of(key):
    return {
        "key": key,
        "amount": "30.00",
        "currency": "EUR",
        "destination": {"iban": IBAN, "name": "Jane Mueller"},
    }


# Keys.


def test_a_payout_goes_its_way_and_each_step_is_told(payouts):
    parcel = payouts.parcel()
    done = payouts.run(GENERIC, parcel)
    (event,) = done["events"]
    assert (event["state"], event["account_end"]) == ("sending", "3000")
    payouts.until(GENERIC, parcel, "paid")
    told = payouts.told(GENERIC, 2)
    assert sorted(each["state"] for each in told) == ["paid", "sent"]
    assert {each["key"] for each in told} == {parcel["key"]}
    row = payouts.paid(GENERIC, parcel["key"])
    assert (row["count"], row["live"], row["left_minor"]) == (1, 1, 3000)
    assert (row["currency"], row["to"]["iban"]) == ("EUR", IBAN)


def test_a_key_pays_once_and_answers_with_the_first(payouts):
    parcel = payouts.parcel()
    first = payouts.run(GENERIC, parcel)
    again = payouts.call(GENERIC, "send", parcel | {"ids": []})
    assert again["reference"] == first["reference"]
    assert payouts.paid(GENERIC, parcel["key"])["count"] == 1


def test_a_key_that_has_run_out_pays_again(payouts):
    """Why an unknown outcome is never sent again after the window."""
    parcel = payouts.parcel()
    payouts.run(GENERIC, parcel)
    payouts.advance(DAY_S - 60)
    payouts.call(GENERIC, "send", parcel)
    assert payouts.paid(GENERIC, parcel["key"])["count"] == 1
    payouts.advance(61)
    payouts.call(GENERIC, "send", parcel)
    assert payouts.paid(GENERIC, parcel["key"])["live"] == 2
    found = payouts.call(GENERIC, "find", parcel)
    assert (found["outcome"], found["code"]) == ("unknown", "found_twice")


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 3001},
        {"currency": "USD"},
        {"text": "PAYOUT 4712 Acme"},
        {"to": {"kind": "payee", "payee": "acct_1"}},
    ],
)
def test_a_key_covers_the_whole_body(payouts, change):
    item = payouts.item()
    payouts.run(GENERIC, payouts.parcel(item))
    other = payouts.parcel(item | change)
    answer = payouts.call(GENERIC, "send", other)
    assert (answer["outcome"], answer["code"]) == ("refused", "key_reused")
    assert payouts.paid(GENERIC, item["key"])["left_minor"] in (0, 3000)


def test_a_key_that_is_worked_on_conflicts(payouts):
    payouts.fault(GENERIC, "send", "hold")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(plain_call, payouts, "POST", "", body_of("k"), "k")
        until(lambda: payouts.books(key="k")["requests"], "the first call")
        second = plain_call(payouts, "POST", "", body_of("k"), "k")
        payouts.control("faults/release")
        assert first.result().status_code == 201
    assert second.status_code == 409
    assert second.json()["error"]["code"] == "in_progress"
    assert payouts.paid(GENERIC, "k")["count"] == 1


def test_a_second_attempt_is_another_payout(payouts):
    key = new_key()
    payouts.run(GENERIC, payouts.parcel(payouts.item(key)))
    payouts.run(GENERIC, payouts.parcel(payouts.item(key[:-1] + "2")))
    paid = payouts.books()["paid"][GENERIC]
    assert [row["live"] for row in paid.values()] == [1, 1]


# What is refused.


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": "30"}, "amount_invalid"),
        ({"amount": "30.001"}, "amount_invalid"),
        ({"amount": "0.00"}, "amount_invalid"),
        ({"amount": 30}, "invalid_request"),
        ({"currency": "XXX"}, "currency_unsupported"),
        ({"note": "x"}, "unknown_member"),
        ({"destination": {}}, "destination_invalid"),
        ({"destination": {"iban": IBAN, "payee": "x"}}, "destination_invalid"),
        ({"destination": {"iban": IBAN[:-1] + "1"}}, "destination_invalid"),
        ({"destination": {"iban": IBAN, "age": "7"}}, "unknown_member"),
        ({"key": "other"}, "key_invalid"),
        ({"text": "x" * 141}, "invalid_request"),
    ],
)
def test_a_body_that_is_none_is_refused(payouts, change, code):
    body = body_of("k") | change
    answer = plain_call(payouts, "POST", "", body, "k")
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == code
    assert payouts.books()["payments"] == []


def test_a_member_twice_and_a_wrong_key_are_refused(payouts):
    path = "/payout/generic/v1/payouts"
    head = {"Authorization": f"Bearer {KEYS['payout-generic.key']}"}
    twice = payouts.http.post(path, content='{"key":1,"key":2}', headers=head)
    assert twice.json()["error"]["code"] == "invalid_json"
    head = {"Authorization": "Bearer other"}
    assert payouts.http.post(path, headers=head).status_code == 401


def test_balance_and_limit_are_ours_and_what_comes_back_is_there(payouts):
    payouts.control(
        "payouts/balance", provider=GENERIC, currency="EUR", minor=5000
    )
    parcel = payouts.parcel()
    payouts.run(GENERIC, parcel)
    payouts.until(GENERIC, parcel, "paid")
    short = payouts.call(GENERIC, "send", payouts.parcel())
    assert (short["outcome"], short["code"]) == (
        "refused",
        "insufficient_funds",
    )
    assert short["is_ours"]
    (owner,) = payouts.books()["balances"]
    assert owner["minor"] == 2000
    made_id = parcel["ids"][0]
    payouts.control(
        "payouts/move", provider=GENERIC, id=made_id, state="returned"
    )
    assert payouts.books()["balances"][0]["minor"] == 5000
    payouts.control("payouts/limit", provider=GENERIC, minor=2999)
    large = payouts.call(GENERIC, "send", payouts.parcel())
    assert (large["code"], large["is_ours"]) == ("limit_exceeded", True)


# States.


def test_a_cancellation_is_one_while_it_is_not_sent(payouts):
    payouts.fate(GENERIC, times=2)
    parcel = payouts.parcel()
    payouts.run(GENERIC, parcel)
    for _ in range(2):
        done = payouts.call(GENERIC, "cancel", parcel)
        assert done["events"][0]["state"] == "cancelled"
    assert payouts.paid(GENERIC, parcel["key"])["live"] == 0
    other = payouts.parcel()
    made_id = payouts.run(GENERIC, other)["reference"]
    payouts.control("payouts/move", provider=GENERIC, id=made_id, state="sent")
    late = payouts.call(GENERIC, "cancel", other)
    assert (late["outcome"], late["code"]) == ("refused", "too_late")


def test_paid_then_failed_after_four_days(payouts):
    payouts.fate(
        GENERIC,
        ("sent", 0),
        ("paid", 0),
        {"state": "failed", "after_s": 4 * DAY_S, "code": "account_closed"},
    )
    parcel = payouts.parcel()
    payouts.run(GENERIC, parcel)
    payouts.until(GENERIC, parcel, "paid")
    payouts.advance(4 * DAY_S - 60)
    assert payouts.paid(GENERIC, parcel["key"])["states"] == ["paid"]
    payouts.advance(61)
    (event,) = payouts.call(GENERIC, "ask", parcel)["events"]
    assert (event["state"], event["code"]) == ("failed", "account_closed")
    row = payouts.paid(GENERIC, parcel["key"])
    assert (row["live"], row["left_minor"], row["back_minor"]) == (
        0,
        3000,
        3000,
    )


def test_each_step_of_a_skipped_time_has_its_own_moment(payouts):
    payouts.fate(GENERIC, ("sent", DAY_S), ("returned", DAY_S))
    parcel = payouts.parcel()
    payouts.run(GENERIC, parcel)
    payouts.advance(30 * DAY_S)
    (made,) = payouts.books(key=parcel["key"])["payments"]
    days = [step["at"][:10] for step in made["history"]]
    assert len(set(days)) == 3
    assert [step["state"] for step in made["history"]] == [
        "accepted",
        "sent",
        "returned",
    ]


def test_a_fate_and_a_move_that_cannot_be_are_refused(payouts):
    wrong = {"provider": GENERIC, "steps": [{"state": "returned"}]}
    answer = payouts.http.post("/_control/payouts/fates", json=wrong)
    assert answer.status_code == 400
    payouts.fate(GENERIC)
    made_id = payouts.run(GENERIC, payouts.parcel())["reference"]
    payouts.control(
        "payouts/move", 409, provider=GENERIC, id=made_id, state="returned"
    )


def test_a_fate_is_of_one_key(payouts):
    stuck, free = payouts.item(), payouts.item()
    payouts.fate(GENERIC, key=stuck["key"])
    first, second = payouts.parcel(free), payouts.parcel(stuck)
    payouts.run(GENERIC, first)
    payouts.run(GENERIC, second)
    payouts.until(GENERIC, first, "paid")
    (event,) = payouts.call(GENERIC, "ask", second)["events"]
    assert event["state"] == "sending"
    assert payouts.books()["fates"] == []


# Faults.


@pytest.mark.parametrize("kind", ["drop", "status", "html", "redirect"])
def test_a_call_that_is_not_accepted_pays_nobody(payouts, kind):
    payouts.fault(GENERIC, "send", kind)
    parcel = payouts.parcel()
    assert payouts.call(GENERIC, "send", parcel)["outcome"] == "unknown"
    assert payouts.paid(GENERIC, parcel["key"]) == {}
    found = payouts.call(GENERIC, "find", parcel)
    assert (found["outcome"], found["code"]) == ("not-sent", "not_found")


@pytest.mark.parametrize(
    "kind", ["drop_after_accept", "malformed", "reset_at_byte", "huge"]
)
def test_an_answer_lost_after_accepting_has_paid(payouts, kind):
    payouts.fault(GENERIC, "send", kind)
    parcel = payouts.parcel()
    assert payouts.call(GENERIC, "send", parcel)["outcome"] == "unknown"
    assert payouts.paid(GENERIC, parcel["key"])["live"] == 1
    found = payouts.call(GENERIC, "find", parcel)
    assert found["outcome"] == "done"
    again = payouts.call(GENERIC, "send", parcel)
    assert again["reference"] == found["reference"]


@pytest.mark.parametrize("operation", ["send", "ask"])
@pytest.mark.parametrize(
    "kind", ["wrong_amount", "wrong_currency", "wrong_account"]
)
def test_a_wrong_echo_is_a_mismatch(payouts, operation, kind):
    parcel = payouts.parcel()
    if operation == "ask":
        payouts.run(GENERIC, parcel)
    payouts.fault(GENERIC, operation, kind)
    got = payouts.call(GENERIC, operation, parcel)
    assert (got["outcome"], got["code"]) == ("unknown", "answer_mismatch")


def test_the_newest_may_not_be_in_the_list_yet(payouts):
    parcel = payouts.parcel()
    payouts.run(GENERIC, parcel)
    payouts.fault(GENERIC, "find", "lag")
    assert payouts.call(GENERIC, "find", parcel)["code"] == "not_found"
    assert payouts.call(GENERIC, "find", parcel)["outcome"] == "done"


def test_a_fault_waits_for_its_key(payouts):
    item = payouts.item()
    payouts.fault(GENERIC, "send", "drop", nonce=item["key"])
    payouts.run(GENERIC, payouts.parcel())
    parcel = payouts.parcel(item)
    assert payouts.call(GENERIC, "send", parcel)["outcome"] == "unknown"


# Webhooks.


def test_webhooks_are_signed_forged_and_late(payouts):
    payouts.fault(GENERIC, "webhook", "forged")
    payouts.run(GENERIC, payouts.parcel())
    payouts.receiver.answers.append(401)
    got = payouts.got(GENERIC, 3)
    secret = {"generic.whsec": KEYS["payout-generic.whsec"]}
    signed = [
        is_signed("generic", each, "", time.time(), secret) for each in got
    ]
    assert sorted(signed) == [False, True, True]


def test_a_webhook_may_come_before_the_answer(payouts):
    payouts.fate(GENERIC, ("sent", 0), ("paid", 0))
    payouts.fault(GENERIC, "send", "told_first")
    done = payouts.call(GENERIC, "send", payouts.parcel())
    assert [each["state"] for each in done["events"]] == ["sending"]
    assert len(payouts.receiver.got) == 2


def test_webhooks_may_change_places_and_come_twice(payouts):
    payouts.fate(GENERIC, ("sent", 0), ("paid", 0))
    payouts.fault(GENERIC, "webhook", "reorder")
    payouts.fault(GENERIC, "webhook", "duplicate")
    payouts.run(GENERIC, payouts.parcel())
    states = [each["state"] for each in payouts.told(GENERIC, 3)]
    assert sorted(states) == ["paid", "paid", "sent"]
    assert states[0] == "paid"


def test_a_webhook_of_any_content_on_request(payouts):
    data = {"id": "po_x", "key": new_key(), "status": "paid"}
    data |= {"amount": "30.00", "currency": "EUR"}
    sent = payouts.control(
        "webhook",
        dialect="payout-generic",
        type="payout.paid",
        data=data,
        sign="wrong",
    )
    assert sent["status"] == 200
    (got,) = payouts.got(GENERIC, 1)
    assert json.loads(got["body"])["data"] == data
    (event,) = payouts.told(GENERIC, 1)
    assert (event["state"], event["reference"]) == ("paid", "po_x")


def test_the_fee_is_the_providers_and_is_told(payouts):
    payouts.control("settings", payout_fee_minor=35)
    payouts.control(
        "payouts/balance", provider=GENERIC, currency="EUR", minor=3035
    )
    done = payouts.run(GENERIC, payouts.parcel())
    assert done["events"][0]["fee_minor"] == 35
    assert payouts.books()["balances"][0]["minor"] == 0
