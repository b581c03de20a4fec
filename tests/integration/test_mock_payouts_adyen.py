"""Adyen's transfers in the mock, by our adapter."""

import base64
import hashlib
import hmac

import pytest
from support.mock_payouts import DAY_S, IBAN

ADYEN = "adyen"
WEEK_S = 7 * DAY_S


def test_a_transfer_is_accepted_booked_and_credited(payouts):
    made = payouts.parcel()
    done = payouts.run(ADYEN, made)
    (event,) = done["events"]
    assert (event["state"], event["code"]) == ("sending", "")
    assert event["account_end"] == IBAN[-4:]
    payouts.until(ADYEN, made, "paid")
    row = payouts.paid(ADYEN, made["key"])
    assert (row["count"], row["live"], row["left_minor"]) == (1, 1, 3000)
    assert row["to"]["iban"] == IBAN


def test_most_banks_never_say_credited(payouts):
    payouts.fate(ADYEN, ("authorised", 0), ("booked", 0))
    made = payouts.parcel()
    payouts.run(ADYEN, made)
    payouts.until(ADYEN, made, "sent")
    payouts.advance(90 * DAY_S)
    payouts.until(ADYEN, made, "sent")


def test_a_key_pays_once_for_a_week(payouts):
    made = payouts.parcel()
    first = payouts.run(ADYEN, made)
    payouts.advance(WEEK_S - 60)
    again = payouts.call(ADYEN, "send", made)
    assert again["reference"] == first["reference"]
    assert payouts.paid(ADYEN, made["key"])["count"] == 1
    payouts.advance(61)
    payouts.call(ADYEN, "send", made)
    payouts.advance(1)
    assert payouts.paid(ADYEN, made["key"])["live"] == 2


@pytest.mark.parametrize(
    "change", [{"amount_minor": 3001}, {"text": "PAYOUT 4712 Acme"}]
)
def test_a_key_covers_the_whole_body(payouts, change):
    item = payouts.item()
    payouts.run(ADYEN, payouts.parcel(item))
    other = payouts.call(ADYEN, "send", payouts.parcel(item | change))
    assert (other["outcome"], other["code"]) == ("unknown", "704")
    payouts.advance(1)
    assert payouts.paid(ADYEN, item["key"])["left_minor"] == 3000


@pytest.mark.parametrize("kind", ["drop", "status", "html", "redirect"])
def test_a_call_that_is_not_accepted_pays_nobody(payouts, kind):
    made = payouts.parcel()
    payouts.fault(ADYEN, "send", kind)
    assert payouts.call(ADYEN, "send", made)["outcome"] == "unknown"
    assert payouts.paid(ADYEN, made["key"]) == {}
    assert payouts.call(ADYEN, "find", made)["code"] == "not_found"


@pytest.mark.parametrize(
    "kind", ["drop_after_accept", "malformed", "reset_at_byte"]
)
def test_a_lost_answer_is_found_by_its_reference(payouts, kind):
    """In one call, however many others the account has sent."""
    others = [payouts.parcel() for _ in range(20)]
    for each in others:
        payouts.run(ADYEN, each)
    made = payouts.parcel()
    payouts.fault(ADYEN, "send", kind)
    assert payouts.call(ADYEN, "send", made)["outcome"] == "unknown"
    for _ in others:
        payouts.run(ADYEN, payouts.parcel())
    found = payouts.call(ADYEN, "find", made)
    assert found["outcome"] == "done"
    again = payouts.call(ADYEN, "send", made)
    assert again["reference"] == found["reference"]


def test_the_newest_may_not_be_in_the_list_yet(payouts):
    """Why one look is no proof."""
    made = payouts.parcel()
    payouts.run(ADYEN, made)
    payouts.fault(ADYEN, "find", "lag")
    assert payouts.call(ADYEN, "find", made)["code"] == "not_found"
    assert payouts.call(ADYEN, "find", made)["outcome"] == "done"


@pytest.mark.parametrize("kind", ["drop", "status", "malformed", "html"])
def test_a_list_that_fails_proves_nothing(payouts, kind):
    made = payouts.parcel()
    payouts.fault(ADYEN, "find", kind)
    assert payouts.call(ADYEN, "find", made)["outcome"] == "unknown"


def test_a_transfer_without_funds_is_refused_later_and_ours(payouts):
    payouts.control(
        "payouts/balance", provider=ADYEN, currency="EUR", minor=2999
    )
    made = payouts.parcel()
    payouts.run(ADYEN, made)
    done = payouts.until(ADYEN, made, "failed")
    (event,) = done["events"]
    assert (event["code"], event["is_ours"]) == ("notenoughbalance", True)
    assert payouts.paid(ADYEN, made["key"]) == {}


@pytest.mark.parametrize("end", ["failed", "returned"])
def test_booked_then_back_after_days(payouts, end):
    late = {
        "state": end,
        "after_s": 4 * DAY_S,
        "code": "counterpartyAccountBlocked",
    }
    payouts.fate(ADYEN, ("authorised", 0), ("booked", 0), late)
    made = payouts.parcel()
    payouts.run(ADYEN, made)
    payouts.until(ADYEN, made, "sent")
    payouts.advance(5 * DAY_S)
    (event,) = payouts.call(ADYEN, "ask", made)["events"]
    assert (event["state"], event["code"]) == (
        end,
        "counterpartyaccountblocked",
    )
    row = payouts.paid(ADYEN, made["key"])
    assert (row["live"], row["back_minor"]) == (0, 3000)


def test_a_time_out_of_the_bank_decides_nothing(payouts):
    late = {"state": "failed", "code": "counterpartyBankTimedOut"}
    payouts.fate(ADYEN, ("authorised", 0), ("booked", 0), late | {"after_s": 0})
    made = payouts.parcel()
    payouts.run(ADYEN, made)
    payouts.until(ADYEN, made, "unknown")


@pytest.mark.parametrize("operation", ["send", "ask"])
@pytest.mark.parametrize(
    "kind", ["wrong_amount", "wrong_currency", "wrong_account"]
)
def test_a_wrong_echo_is_a_mismatch(payouts, operation, kind):
    made = payouts.parcel()
    if operation == "ask":
        payouts.run(ADYEN, made)
    payouts.fault(ADYEN, operation, kind)
    got = payouts.call(ADYEN, operation, made)
    assert (got["outcome"], got["code"]) == ("unknown", "answer_mismatch")


def test_webhooks_are_signed_numbered_and_out_of_order(payouts):
    payouts.fate(ADYEN, ("authorised", 60), ("booked", 60), ("returned", 60))
    made = payouts.parcel()
    payouts.run(ADYEN, made)
    payouts.got(ADYEN, 1)
    payouts.fault(ADYEN, "webhook", "reorder")
    payouts.fault(ADYEN, "webhook", "duplicate")
    payouts.advance(200)
    told = payouts.told(ADYEN, 5)
    assert [each["sequence"] for each in told][1:] != [2, 3, 3, 4]
    assert sorted(each["sequence"] for each in told) == [1, 2, 3, 3, 4]
    latest = max(told, key=lambda each: each["sequence"])
    assert latest["state"] == "returned"
    secret = bytes.fromhex(payouts.keys["payout-adyen.whsec"])
    for each in payouts.got(ADYEN, 5):
        mac = hmac.new(secret, each["body"], hashlib.sha256).digest()
        right = base64.b64encode(mac).decode()
        assert each["headers"]["hmacsignature"] == right


def test_a_transfer_instrument_is_named_in_the_answer(payouts):
    to = {"kind": "payee", "payee": "SE1234567890ABC1234567890"}
    made = payouts.parcel(payouts.item(to=to))
    done = payouts.run(ADYEN, made)
    assert done["events"][0]["payee"] == to["payee"]
