"""PayPal Payouts in the mock: batches, by our adapter."""

import base64
import json
import ssl
import zlib

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from support.mock_payouts import DAY_S
from support.mock_server import DEADLINE_S

PAYPAL = "paypal"
MONTH_S = 30 * DAY_S
TO = {"kind": "email", "payee": "seller@example.com"}


def leaf(payouts, url: str) -> x509.Certificate:
    ca = str(payouts.where / "paypal.ca.pem")
    context = ssl.create_default_context(cafile=ca)
    text = httpx.get(url, verify=context, timeout=DEADLINE_S).content
    return x509.load_pem_x509_certificate(text)


def item(payouts, **change):
    return payouts.item(**({"to": TO} | change))


def one(payouts):
    return payouts.parcel(item(payouts))


def states(payouts, made) -> list:
    """By the items of the parcel, over all pages."""
    found, asked = {}, dict(made)
    while True:
        done = payouts.call(PAYPAL, "ask", asked)
        assert done["outcome"] == "done", done
        found |= {each["key"]: each["state"] for each in done["events"]}
        if not done["next"]:
            return [found.get(each["key"]) for each in made["items"]]
        asked["cursor"] = done["next"]


def test_an_item_is_paid_and_told(payouts):
    made = one(payouts)
    payouts.run(PAYPAL, made)
    payouts.until(PAYPAL, made, "paid")
    row = payouts.paid(PAYPAL, made["key"])
    assert (row["live"], row["left_minor"]) == (1, 3000)
    assert row["to"]["payee"] == TO["payee"]


def test_a_batch_is_known_for_thirty_days(payouts):
    made = one(payouts)
    first = payouts.run(PAYPAL, made)
    payouts.advance(MONTH_S - 60)
    again = payouts.call(PAYPAL, "send", made)
    assert (again["outcome"], again["reference"]) == (
        "done",
        first["reference"],
    )
    assert payouts.paid(PAYPAL, made["key"])["count"] == 1
    payouts.advance(61)
    other = payouts.call(PAYPAL, "send", made)
    assert other["reference"] != first["reference"]
    assert payouts.paid(PAYPAL, made["key"])["live"] == 2


def test_a_batch_made_again_with_one_item_less_pays_the_rest_twice(payouts):
    """Why a parcel never changes: its items dedupe nothing."""
    items = [item(payouts), item(payouts)]
    payouts.run(PAYPAL, payouts.parcel(*items))
    payouts.run(PAYPAL, payouts.parcel(items[1]))
    assert payouts.paid(PAYPAL, items[0]["key"])["live"] == 1
    assert payouts.paid(PAYPAL, items[1]["key"])["live"] == 2


def test_a_batch_that_was_worked_through_has_failed_items(payouts):
    items = [item(payouts) for _ in range(14)]
    payouts.fate(PAYPAL, ("FAILED", 0), key=items[3]["key"])
    payouts.fate(PAYPAL, ("UNCLAIMED", 0), key=items[7]["key"])
    payouts.fate(PAYPAL, ("BLOCKED", 0), key=items[13]["key"])
    made = payouts.parcel(*items)
    payouts.run(PAYPAL, made)
    payouts.advance(1)
    found = states(payouts, made)
    assert (found[3], found[7], found[13]) == ("failed", "sent", "failed")
    assert found.count("paid") == 11
    head = payouts.granted(PAYPAL)
    path = f"/payout/paypal/v1/payments/payouts/{made['ids'][0]}"
    batch = payouts.http.get(path, headers=head).json()
    assert batch["batch_header"]["batch_status"] == "SUCCESS"


def test_unclaimed_money_comes_back_after_thirty_days(payouts):
    payouts.fate(PAYPAL, ("UNCLAIMED", 0))
    made = one(payouts)
    payouts.run(PAYPAL, made)
    payouts.until(PAYPAL, made, "sent")
    payouts.advance(MONTH_S - 60)
    assert states(payouts, made) == ["sent"]
    payouts.advance(61)
    assert states(payouts, made) == ["returned"]
    row = payouts.paid(PAYPAL, made["key"])
    assert (row["live"], row["back_minor"]) == (0, 3000)


def test_an_unclaimed_item_is_cancelled_once(payouts):
    payouts.fate(PAYPAL, ("UNCLAIMED", 0))
    made = one(payouts)
    payouts.run(PAYPAL, made)
    done = payouts.until(PAYPAL, made, "sent")
    made["ids"].append(done["events"][0]["reference"])
    back = payouts.call(PAYPAL, "cancel", made)
    assert back["events"][0]["state"] == "returned"
    again = payouts.call(PAYPAL, "cancel", made)
    assert again["code"] == "item_already_cancelled"


def test_a_claimed_item_is_not_cancelled(payouts):
    made = one(payouts)
    payouts.run(PAYPAL, made)
    done = payouts.until(PAYPAL, made, "paid")
    made["ids"].append(done["events"][0]["reference"])
    late = payouts.call(PAYPAL, "cancel", made)
    assert (late["outcome"], late["code"]) == (
        "refused",
        "item_incorrect_status",
    )


def test_without_money_the_whole_batch_is_denied(payouts):
    payouts.control(
        "payouts/balance", provider=PAYPAL, currency="EUR", minor=5999
    )
    made = payouts.parcel(item(payouts), item(payouts))
    payouts.run(PAYPAL, made)
    payouts.advance(1)
    done = payouts.call(PAYPAL, "ask", made)
    assert {each["code"] for each in done["events"]} == {"batch_denied"}
    assert all(each["is_ours"] for each in done["events"])
    assert payouts.books(provider=PAYPAL)["paid"] == {}


@pytest.mark.parametrize("kind", ["drop", "status", "html", "redirect"])
def test_a_call_that_is_not_accepted_pays_nobody(payouts, kind):
    made = one(payouts)
    payouts.fault(PAYPAL, "send", kind)
    assert payouts.call(PAYPAL, "send", made)["outcome"] == "unknown"
    assert payouts.paid(PAYPAL, made["key"]) == {}
    payouts.run(PAYPAL, made)
    assert payouts.paid(PAYPAL, made["key"])["count"] == 1


@pytest.mark.parametrize(
    "kind", ["drop_after_accept", "malformed", "reset_at_byte"]
)
def test_a_lost_answer_is_adopted_by_the_same_batch(payouts, kind):
    made = one(payouts)
    payouts.fault(PAYPAL, "send", kind)
    assert payouts.call(PAYPAL, "send", made)["outcome"] == "unknown"
    again = payouts.run(PAYPAL, made)
    payouts.until(PAYPAL, made, "paid")
    row = payouts.paid(PAYPAL, made["key"])
    assert row["count"] == 1
    assert again["reference"] == made["ids"][0]


@pytest.mark.parametrize(
    "kind", ["wrong_amount", "wrong_currency", "wrong_account"]
)
def test_a_wrong_echo_changes_nothing(payouts, kind):
    made = one(payouts)
    payouts.run(PAYPAL, made)
    payouts.fault(PAYPAL, "ask", kind)
    (event,) = payouts.call(PAYPAL, "ask", made)["events"]
    assert (event["state"], event["code"]) == ("unknown", "answer_mismatch")


def test_an_answer_about_another_batch_is_none(payouts):
    made = one(payouts)
    payouts.fault(PAYPAL, "send", "wrong_account")
    got = payouts.call(PAYPAL, "send", made)
    assert (got["outcome"], got["code"]) == ("unknown", "answer_mismatch")


def test_a_reversal_is_told_by_nobody(payouts):
    payouts.fate(PAYPAL, ("SUCCESS", 0), ("REVERSED", 20 * DAY_S))
    made = one(payouts)
    payouts.run(PAYPAL, made)
    payouts.until(PAYPAL, made, "paid")
    told = payouts.got(PAYPAL, 3)
    payouts.advance(21 * DAY_S)
    assert states(payouts, made) == ["returned"]
    kinds = [json.loads(each["body"])["event_type"] for each in told]
    assert sorted(kinds) == [
        "PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
        "PAYMENT.PAYOUTSBATCH.PROCESSING",
        "PAYMENT.PAYOUTSBATCH.SUCCESS",
    ]
    assert len(payouts.receiver.got) == 3


def test_the_fee_comes_with_the_payment(payouts):
    payouts.control("settings", payout_fee_minor=35)
    payouts.fate(PAYPAL)
    made = one(payouts)
    payouts.run(PAYPAL, made)
    (event,) = payouts.call(PAYPAL, "ask", made)["events"]
    assert "fee_minor" not in event
    made_id = event["reference"]
    payouts.control(
        "payouts/move", provider=PAYPAL, id=made_id, state="SUCCESS"
    )
    (event,) = payouts.call(PAYPAL, "ask", made)["events"]
    assert event["fee_minor"] == 35


def test_a_token_is_needed_and_forints_have_no_decimals(payouts):
    payouts.tokens[PAYPAL] = "A21AA_of_somebody_else"
    denied = payouts.call(PAYPAL, "send", one(payouts))
    assert denied["outcome"] == "not-sent"
    payouts.tokens.clear()
    made = payouts.parcel(item(payouts, currency="HUF", amount_minor=123400))
    payouts.run(PAYPAL, made)
    payouts.until(PAYPAL, made, "paid")
    assert payouts.paid(PAYPAL, made["key"])["left_minor"] == 123400


def test_webhooks_are_signed_by_the_certificate_and_are_hints(payouts):
    payouts.fault(PAYPAL, "webhook", "reorder")
    made = one(payouts)
    payouts.run(PAYPAL, made)
    told = payouts.told(PAYPAL, 3)
    assert all(each["must_ask"] for each in told)
    for each in payouts.got(PAYPAL, 3):
        head = each["headers"]
        crc = zlib.crc32(each["body"])
        text = "|".join(
            (
                head["paypal-transmission-id"],
                head["paypal-transmission-time"],
                payouts.keys["payout-paypal.whsec"],
                str(crc),
            )
        )
        leaf(payouts, head["paypal-cert-url"]).public_key().verify(
            base64.b64decode(head["paypal-transmission-sig"]),
            text.encode(),
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
