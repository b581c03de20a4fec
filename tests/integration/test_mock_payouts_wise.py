"""Wise in the mock: quote, recipient, transfer and funding, by our adapter."""

import base64
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from support.mock_payouts import DAY_S, IBAN

WISE = "wise"
STEPS = 4
QUOTE, RECIPIENT, TRANSFER, FUND = range(STEPS)


def key_of(payouts, made) -> str:
    """Wise's key of an item is a UUID that is made of ours."""
    asked = {**made, "step": TRANSFER, "ids": ["q", "1"]}
    request = payouts.ask("request", WISE, call="send", parcel=asked)
    return json.loads(request["body"])["customerTransactionId"]


def paid(payouts, made) -> dict:
    return payouts.paid(WISE, key_of(payouts, made))


def ready(payouts, step: int) -> dict:
    """A parcel whose steps before that one are done."""
    made = payouts.parcel()
    if step:
        payouts.run(WISE, made, step)
    return made | {"step": step}


def test_four_steps_pay_once(payouts):
    made = payouts.parcel()
    done = payouts.run(WISE, made, STEPS)
    assert done["events"][0]["state"] == "sending"
    payouts.until(WISE, made, "paid")
    row = paid(payouts, made)
    assert (row["live"], row["left_minor"], row["currency"]) == (1, 3000, "EUR")
    assert (row["to"]["iban"], row["to"]["name"]) == (IBAN, "Jane Mueller")


def test_a_quote_makes_one_transfer(payouts):
    first, second = ready(payouts, TRANSFER), ready(payouts, TRANSFER)
    payouts.run(WISE, first, STEPS)
    second["ids"][QUOTE] = first["ids"][QUOTE]
    refused = payouts.call(WISE, "send", second)
    assert (refused["outcome"], refused["code"]) == (
        "refused",
        "quote.already.used",
    )
    assert paid(payouts, second) == {}


def test_a_transfer_sent_again_is_the_first_one(payouts):
    """Under the quote that was kept, although it has been used."""
    made = ready(payouts, TRANSFER)
    payouts.fault(WISE, "transfer", "drop_after_accept")
    assert payouts.call(WISE, "send", made)["outcome"] == "unknown"
    payouts.advance(3600)
    again = payouts.call(WISE, "send", made)
    assert again["outcome"] == "done"
    assert len(payouts.books(provider=WISE)["payments"]) == 1


def test_a_quote_made_again_harms_nobody(payouts):
    made = payouts.parcel()
    payouts.fault(WISE, "quote", "drop_after_accept")
    assert payouts.call(WISE, "send", made)["outcome"] == "unknown"
    payouts.run(WISE, made, STEPS)
    assert paid(payouts, made)["count"] == 1


def test_a_quote_lapses_and_nothing_is_paid(payouts):
    made = ready(payouts, TRANSFER)
    payouts.advance(30 * 60)
    late = payouts.call(WISE, "send", made)
    assert (late["outcome"], late["code"]) == ("refused", "quote.expired")
    assert payouts.books(provider=WISE)["payments"] == []


def test_a_key_that_has_run_out_makes_a_transfer_that_nobody_funds(payouts):
    made = ready(payouts, FUND)
    payouts.advance(DAY_S + 1)
    other = ready(payouts, TRANSFER)
    other["items"], other["key"] = made["items"], made["key"]
    second = payouts.call(WISE, "send", other)
    assert second["reference"] != made["ids"][TRANSFER]
    assert payouts.call(WISE, "send", made)["outcome"] == "done"
    payouts.advance(15 * DAY_S)
    states = {e["id"]: e["state"] for e in payouts.books()["payments"]}
    assert states[second["reference"]] == "cancelled"
    assert paid(payouts, made)["live"] == 1


@pytest.mark.parametrize("kind", ["drop", "status", "html"])
def test_a_funding_that_did_not_arrive_is_proven(payouts, kind):
    made = ready(payouts, FUND)
    payouts.fault(WISE, "send", kind)
    assert payouts.call(WISE, "send", made)["outcome"] == "unknown"
    found = payouts.call(WISE, "find", made)
    assert (found["outcome"], found["code"]) == ("not-sent", "not_found")
    assert paid(payouts, made) == {}


def test_a_funding_whose_answer_is_lost_is_found_and_not_repeated(payouts):
    made = ready(payouts, FUND)
    payouts.fault(WISE, "send", "drop_after_accept")
    assert payouts.call(WISE, "send", made)["outcome"] == "unknown"
    assert payouts.call(WISE, "find", made)["outcome"] == "done"
    again = payouts.call(WISE, "send", made)
    assert again["code"] == "transfer.invalid-state"
    assert paid(payouts, made)["live"] == 1


def test_a_bounce_is_sent_again_or_refunded(payouts):
    """A rollback: a state that was there before, and then weeks."""
    payouts.fate(
        WISE,
        ("outgoing_payment_sent", 0),
        ("bounced_back", 3 * DAY_S),
        ("processing", 0),
        ("cancelled", 14 * DAY_S),
        {"state": "funds_refunded", "after_s": 0, "back_minor": 2950},
    )
    made = payouts.parcel()
    payouts.run(WISE, made, STEPS)
    payouts.until(WISE, made, "paid")
    payouts.advance(4 * DAY_S)
    assert payouts.until(WISE, made, "sending")
    payouts.advance(14 * DAY_S)
    payouts.until(WISE, made, "returned")
    row = paid(payouts, made)
    assert (row["live"], row["left_minor"], row["back_minor"]) == (
        0,
        3000,
        2950,
    )


def test_lack_of_money_leaves_the_transfer_unfunded(payouts):
    payouts.control(
        "payouts/balance", provider=WISE, currency="EUR", minor=2999
    )
    made = ready(payouts, FUND)
    (event,) = payouts.call(WISE, "send", made)["events"]
    assert (event["state"], event["is_ours"]) == ("failed", True)
    assert payouts.call(WISE, "find", made)["code"] == "not_found"
    ended = payouts.call(WISE, "cancel", made)
    assert ended["events"][0]["state"] == "cancelled"
    assert paid(payouts, made) == {}


def test_a_transfer_that_has_been_sent_is_not_cancelled(payouts):
    made = payouts.parcel()
    payouts.run(WISE, made, STEPS)
    payouts.until(WISE, made, "paid")
    assert payouts.call(WISE, "cancel", made)["outcome"] == "unknown"


@pytest.mark.parametrize(
    ("step", "operation", "kinds"),
    [
        (QUOTE, "quote", ("wrong_amount", "wrong_currency")),
        (RECIPIENT, "recipient", ("wrong_account", "wrong_currency")),
        (
            TRANSFER,
            "transfer",
            ("wrong_amount", "wrong_currency", "wrong_account"),
        ),
    ],
)
def test_a_wrong_echo_is_a_mismatch(payouts, step, operation, kinds):
    for kind in kinds:
        made = ready(payouts, step)
        payouts.fault(WISE, operation, kind)
        got = payouts.call(WISE, "send", made)
        assert (got["outcome"], got["code"]) == ("unknown", "answer_mismatch")


def test_a_known_recipient_is_looked_at(payouts):
    head = {"Authorization": f"Bearer {payouts.keys['payout-wise.key']}"}
    body = {
        "profile": 222,
        "accountHolderName": "Jane Mueller",
        "currency": "EUR",
        "type": "iban",
        "details": {"IBAN": IBAN},
    }
    path = "/payout/wise/v1/accounts"
    known = payouts.http.post(path, json=body, headers=head).json()["id"]
    to = {"kind": "payee", "payee": str(known)}
    made = payouts.parcel(payouts.item(to=to))
    payouts.run(WISE, made, STEPS)
    assert paid(payouts, made)["to"]["iban"] == IBAN
    wrong = payouts.parcel(payouts.item(to=to | {"payee": "7"}))
    payouts.run(WISE, wrong, 1)
    got = payouts.call(WISE, "send", wrong | {"step": RECIPIENT})
    assert (got["outcome"], got["code"]) == ("refused", "not_found")


def signed(payouts, message: dict) -> bool:
    pem = (payouts.where / "payout-wise.pub.pem").read_bytes()
    sent = base64.b64decode(message["headers"]["x-signature-sha256"])
    key = serialization.load_pem_public_key(pem)
    try:
        key.verify(sent, message["body"], padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def test_webhooks_are_signed_and_hints_and_out_of_order(payouts):
    payouts.fate(WISE, ("outgoing_payment_sent", 60))
    payouts.fault(WISE, "webhook", "reorder")
    made = payouts.parcel()
    payouts.run(WISE, made, STEPS)
    payouts.fault(WISE, "webhook", "duplicate")
    payouts.advance(61)
    told = payouts.told(WISE, 3)
    assert sorted(each["state"] for each in told) == ["paid", "paid", "sending"]
    assert told[-1]["state"] in ("sending", "paid")
    assert all(each["must_ask"] for each in told)
    by_time = sorted(told, key=lambda each: each["occurred_us"])
    assert by_time[-1]["state"] == "paid"
    assert {each["reference"] for each in told} == {made["ids"][TRANSFER]}
    assert all(signed(payouts, each) for each in payouts.got(WISE, 3))


def test_a_forged_webhook_has_another_key(payouts):
    payouts.fate(WISE)
    payouts.fault(WISE, "webhook", "forged", attempts=1)
    payouts.run(WISE, payouts.parcel(), STEPS)
    (first,) = payouts.got(WISE, 1)
    assert not signed(payouts, first)
