"""Tipalti in the mock: batches of one instruction, by our adapter."""

import pytest
from support.mock_payouts import DAY_S

FORM = "application/x-www-form-urlencoded"
TIPALTI = "tipalti"
TO = {"kind": "payee", "payee": "5f1e"}


def one(payouts, **change):
    return payouts.parcel(payouts.item(**({"to": TO} | change)))


def listed(payouts, made, state: str) -> dict:
    """Until the batch has been worked through, its payment is not there."""
    payouts.advance(1)
    return payouts.until(TIPALTI, made, state)


def test_a_payment_is_paid_and_cleared(payouts):
    payouts.fate(TIPALTI, ("PAID", 60), ("CLEARED", 2 * DAY_S))
    made = one(payouts)
    payouts.run(TIPALTI, made)
    listed(payouts, made, "sending")
    payouts.advance(61)
    payouts.until(TIPALTI, made, "sent")
    payouts.advance(3 * DAY_S)
    done = payouts.until(TIPALTI, made, "paid")
    assert done["reference"] == made["ids"][0]
    row = payouts.paid(TIPALTI, made["key"])
    assert (row["live"], row["left_minor"]) == (1, 3000)
    assert row["to"]["payee"] == TO["payee"]


def test_a_batch_that_is_not_worked_through_says_nothing(payouts):
    payouts.control("settings", payout_step_ms=60000)
    made = one(payouts)
    payouts.run(TIPALTI, made)
    asked = payouts.call(TIPALTI, "ask", made)
    assert (asked["outcome"], asked["code"]) == ("unknown", "not_found")
    payouts.advance(61)
    payouts.until(TIPALTI, made, "sending")


def test_a_ref_code_pays_once(payouts):
    """A second batch is accepted, and its instruction is an error."""
    made = one(payouts)
    payouts.run(TIPALTI, made)
    payouts.advance(1)
    second = payouts.call(TIPALTI, "send", made)
    assert second["reference"] != made["ids"][0]
    payouts.advance(1)
    assert payouts.paid(TIPALTI, made["key"])["count"] == 1
    head = payouts.granted(TIPALTI)
    path = f"/payout/tipalti/api/v1/payment-batches/{second['reference']}"
    got = payouts.http.get(f"{path}/instructions", headers=head).json()
    (line,) = got["items"]
    assert line["instructionStatus"] == "ERROR"


def test_a_ref_code_that_nobody_knows_any_more_pays_again(payouts):
    """Why a call is never repeated."""
    made = one(payouts)
    payouts.run(TIPALTI, made)
    payouts.advance(31 * DAY_S)
    payouts.call(TIPALTI, "send", made)
    payouts.advance(1)
    assert payouts.paid(TIPALTI, made["key"])["live"] == 2
    found = payouts.call(TIPALTI, "find", made)
    assert (found["outcome"], found["code"]) == ("unknown", "found_twice")


@pytest.mark.parametrize("kind", ["drop", "status", "html", "redirect"])
def test_a_call_that_is_not_accepted_pays_nobody(payouts, kind):
    made = one(payouts)
    payouts.fault(TIPALTI, "send", kind)
    assert payouts.call(TIPALTI, "send", made)["outcome"] == "unknown"
    payouts.advance(1)
    found = payouts.call(TIPALTI, "find", made)
    assert (found["outcome"], found["code"]) == ("not-sent", "not_found")


@pytest.mark.parametrize(
    "kind", ["drop_after_accept", "malformed", "reset_at_byte"]
)
def test_a_lost_answer_is_found_by_the_ref_code(payouts, kind):
    made = one(payouts)
    payouts.fault(TIPALTI, "send", kind)
    assert payouts.call(TIPALTI, "send", made)["outcome"] == "unknown"
    payouts.advance(1)
    found = payouts.call(TIPALTI, "find", made)
    assert found["outcome"] == "done"
    assert payouts.paid(TIPALTI, made["key"])["count"] == 1


@pytest.mark.parametrize("kind", ["drop", "status", "malformed", "loop"])
def test_a_list_that_fails_or_is_a_part_proves_nothing(payouts, kind):
    made = one(payouts)
    payouts.fault(TIPALTI, "find", kind)
    assert payouts.call(TIPALTI, "find", made)["outcome"] == "unknown"


def test_the_newest_may_not_be_in_the_list_yet(payouts):
    made = one(payouts)
    payouts.run(TIPALTI, made)
    payouts.advance(1)
    payouts.fault(TIPALTI, "find", "lag")
    assert payouts.call(TIPALTI, "find", made)["code"] == "not_found"
    assert payouts.call(TIPALTI, "find", made)["outcome"] == "done"


def test_rejected_behind_paid(payouts):
    payouts.fate(TIPALTI, ("PAID", 0), ("REJECTED", 5 * DAY_S))
    made = one(payouts)
    payouts.run(TIPALTI, made)
    listed(payouts, made, "sent")
    payouts.advance(6 * DAY_S)
    (event,) = payouts.until(TIPALTI, made, "failed")["events"]
    assert event["code"] == "rejected"
    row = payouts.paid(TIPALTI, made["key"])
    assert (row["live"], row["left_minor"], row["back_minor"]) == (
        0,
        3000,
        3000,
    )


@pytest.mark.parametrize("state", ["DEFERRED", "DEFERRED_INTERNAL"])
def test_what_is_deferred_is_never_sent(payouts, state):
    payouts.fate(TIPALTI, (state, 0))
    made = one(payouts)
    payouts.run(TIPALTI, made)
    (event,) = listed(payouts, made, "failed")["events"]
    assert event["code"] == state.lower()
    assert payouts.paid(TIPALTI, made["key"]) == {}


def test_lack_of_our_money_waits(payouts):
    payouts.control(
        "payouts/balance", provider=TIPALTI, currency="EUR", minor=2999
    )
    made = one(payouts)
    payouts.run(TIPALTI, made)
    payouts.advance(10 * DAY_S)
    payouts.until(TIPALTI, made, "sending")
    (waiting,) = payouts.books(provider=TIPALTI)["payments"]
    assert waiting["state"] == "PENDING_PAYER_FUNDS"
    assert payouts.paid(TIPALTI, made["key"]) == {}


@pytest.mark.parametrize(
    "kind", ["wrong_amount", "wrong_currency", "wrong_account"]
)
def test_a_wrong_echo_is_a_mismatch(payouts, kind):
    """One list answers both questions."""
    made = one(payouts)
    payouts.run(TIPALTI, made)
    payouts.advance(1)
    payouts.fault(TIPALTI, "find", kind, times=2)
    for call in ("ask", "find"):
        got = payouts.call(TIPALTI, call, made)
        assert (got["outcome"], got["code"]) == ("unknown", "answer_mismatch")


def test_a_token_is_needed(payouts):
    payouts.tokens[TIPALTI] = "A21AA_of_somebody_else"
    denied = payouts.call(TIPALTI, "send", one(payouts))
    assert denied["outcome"] == "not-sent"


def test_yen_and_dinars_keep_their_decimals(payouts):
    for currency, minor in (("JPY", 3000), ("KWD", 1234567), ("USD", 1)):
        made = one(payouts, currency=currency, amount_minor=minor)
        payouts.run(TIPALTI, made)
        payouts.advance(1)
        (event,) = payouts.call(TIPALTI, "ask", made)["events"]
        assert (event["amount_minor"], event["currency"]) == (minor, currency)


def confirmed(payouts, body: bytes) -> str:
    answer = payouts.http.post(
        "/payout/tipalti/notif/ipn.aspx",
        content=body,
        headers={"Content-Type": FORM},
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def test_messages_are_hints_confirmed_and_out_of_order(payouts):
    payouts.fate(TIPALTI, ("PAID", 60), ("REJECTED", 60))
    made = one(payouts)
    payouts.fault(TIPALTI, "webhook", "reorder")
    payouts.fault(TIPALTI, "webhook", "duplicate")
    payouts.run(TIPALTI, made)
    payouts.advance(1)
    payouts.advance(200)
    told = payouts.told(TIPALTI, 4)
    assert all(each["must_ask"] for each in told)
    assert {each["key"] for each in told} == {made["key"]}
    assert sorted(each["state"] for each in told) == [
        "failed",
        "sending",
        "sent",
        "sent",
    ]
    for each in payouts.got(TIPALTI, 4):
        assert each["headers"]["content-type"] == FORM
        assert confirmed(payouts, each["body"]) == "VERIFIED"
        assert confirmed(payouts, each["body"] + b"&a=b") == "INVALID"
        assert confirmed(payouts, each["body"][:-1]) == "INVALID"


def test_a_forged_message_is_not_confirmed(payouts):
    made = one(payouts)
    payouts.fault(TIPALTI, "webhook", "forged", attempts=1)
    payouts.run(TIPALTI, made)
    payouts.advance(1)
    bodies = [each["body"] for each in payouts.got(TIPALTI, 2)]
    words = [confirmed(payouts, body) for body in bodies]
    assert sorted(words) == ["INVALID", "VERIFIED"]
