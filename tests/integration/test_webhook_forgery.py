"""Webhooks that nobody may believe: forged, and replayed too late (W1 to W4,
T1, T2).  Each leaves no row and moves nothing.
"""

import json
import time

import pytest
from support import events
from support.events import message, outcome, refused, untouched


@pytest.fixture(params=("generic", "stripe"))
def psp(request):
    return request.param


@pytest.fixture
def made(stack, psp):
    return stack.created(psp)


# Forged (T1, W1 to W4).


def change_name(sent):
    sent.headers["webhook-id"] = events.event_id()


def change_time(sent):
    sent.headers["webhook-timestamp"] = str(sent.when - 1)


def change_signature(sent):
    text = sent.headers["webhook-signature"]
    sent.headers["webhook-signature"] = text[:10] + "AA" + text[12:]


def empty_signature(sent):
    sent.headers["webhook-signature"] = ""


def no_signature(sent):
    del sent.headers["webhook-signature"]


def no_name(sent):
    del sent.headers["webhook-id"]


def no_time(sent):
    del sent.headers["webhook-timestamp"]


def other_version(sent):
    text = sent.headers["webhook-signature"]
    sent.headers["webhook-signature"] = "v2" + text[2:]


def no_version(sent):
    sent.headers["webhook-signature"] = sent.headers["webhook-signature"][3:]


def other_alphabet(sent):
    text = sent.headers["webhook-signature"]
    sent.headers["webhook-signature"] = text.rstrip("=") + "===="


def other_secret(sent):
    secret = sent.stack.values["STRIPE_WEBHOOK_SECRET"]
    sent.headers |= events.sign_standard(
        secret + "A" * (-len(secret[6:]) % 4), sent.name, sent.when, sent.body
    )


def only_the_body(sent):
    sent.headers |= events.sign_standard(
        sent.stack.values["GENERIC_WEBHOOK_SECRET"], "", "", sent.body
    ) | {"webhook-id": sent.name, "webhook-timestamp": str(sent.when)}


def twice(name):
    def change(sent):
        sent.headers = [*sent.headers.items(), (name, sent.headers[name])]

    return change


STANDARD_FORGERIES = {
    "id": change_name,
    "timestamp": change_time,
    "signature": change_signature,
    "empty": empty_signature,
    "missing": no_signature,
    "no-id": no_name,
    "v2": other_version,
    "no-version": no_version,
    "padding": other_alphabet,
    "other-psp": other_secret,
    "body-alone": only_the_body,
    "id-twice": twice("webhook-id"),
    "signature-twice": twice("webhook-signature"),
}


@pytest.mark.parametrize(
    "forge", STANDARD_FORGERIES.values(), ids=STANDARD_FORGERIES.keys()
)
def test_a_forged_standard_webhook_is_refused(stack, forge):
    made = stack.created("generic")
    sent = message(made, "paid")
    forge(sent)
    refused(sent.send())
    untouched(made, sent)


@pytest.mark.parametrize("change", (no_time, twice("webhook-timestamp")))
def test_a_standard_webhook_without_one_time_is_refused(stack, change):
    made = stack.created("generic")
    sent = message(made, "paid")
    change(sent)
    answer = sent.send()
    assert answer.status_code == 401
    untouched(made, sent)


def stripe_forgeries(sent) -> dict:
    right = sent.headers["Stripe-Signature"]
    when, _, mac = right.partition(",")
    flipped = mac[:-1] + ("0" if mac[-1] != "0" else "1")
    body_mac = events.sign_stripe(
        sent.stack.values["STRIPE_WEBHOOK_SECRET"], "", "", sent.body
    )["Stripe-Signature"].partition(",")[2]
    other = events.sign_stripe(
        sent.stack.values["GENERIC_WEBHOOK_SECRET"], "", sent.when, sent.body
    )["Stripe-Signature"]
    return {
        "time": f"t={sent.when - 1},{mac}",
        "signature": f"{when},{flipped}",
        "empty": "",
        "no-signature": when,
        "no-time": mac,
        "v0": f"{when},v0={mac[3:]}",
        "v2": f"{when},v2={mac[3:]}",
        "short": f"{when},{mac[:40]}",
        "two-times": f"t={sent.when - 1},{right}",
        "body-alone": f"{when},{body_mac}",
        "other-psp": other,
        "standard": f"v1,{mac[3:]}",
    }


STRIPE_NAMES = (
    "time signature empty no-signature no-time v0 v2 short two-times "
    "body-alone other-psp standard"
).split()


@pytest.mark.parametrize("forgery", STRIPE_NAMES)
def test_a_forged_stripe_webhook_is_refused(stack, forgery):
    made = stack.created("stripe")
    sent = message(made, "paid")
    headers = {"Stripe-Signature": stripe_forgeries(sent)[forgery]}
    assert sent.send(headers=headers).status_code == 401
    untouched(made, sent)


def test_a_stripe_signature_header_twice_is_refused(stack):
    made = stack.created("stripe")
    sent = message(made, "paid")
    sent.headers = [*sent.headers.items()] * 2
    assert sent.send().status_code == 401
    untouched(made, sent)


def flipped(body: bytes) -> bytes:
    return body.replace(b"12", b"13", 1)


@pytest.mark.parametrize(
    "spoil",
    (
        flipped,
        lambda body: body + b" ",
        lambda body: body + b"\n",
        lambda body: body.replace(b" ", b"", 1),
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body[:-1],
        lambda body: json.dumps(json.loads(body)).encode(),
        lambda body: b"",
        lambda body: body.replace(b"\n", b"\r\n"),
    ),
)
def test_one_changed_byte_of_the_body_is_refused(made, spoil):
    sent = message(made, "paid")
    body = spoil(sent.body)
    assert body != sent.body
    refused(sent.send(body=body))
    untouched(made, sent)


def test_another_psps_message_is_refused_at_this_address(stack):
    """Rightly signed for one PSP, sent to the other's address."""
    made = stack.created("generic")
    sent = message(made, "paid")
    sent.psp = "stripe"
    assert sent.send().status_code == 401
    made = stack.created("stripe")
    sent = message(made, "paid")
    sent.psp = "generic"
    assert sent.send().status_code == 401
    untouched(made, sent)


def test_a_right_signature_among_wrong_ones_is_enough(stack):
    made = stack.created("generic")
    sent = message(made, "paid")
    right = sent.headers["webhook-signature"]
    wrong = "v1," + "A" * 43 + "="
    sent.headers["webhook-signature"] = f"v3,xyz {wrong} {right}"
    assert outcome(sent.send()) == "applied"


def test_more_than_eight_signatures_are_refused(stack):
    made = stack.created("generic")
    sent = message(made, "paid")
    right = sent.headers["webhook-signature"]
    wrong = ["v1," + "A" * 43 + "="] * 8
    sent.headers["webhook-signature"] = " ".join([*wrong, right])
    refused(sent.send())
    untouched(made, sent)


# Replayed (T2).


@pytest.mark.parametrize("age", (290, 100, -100, -290))
def test_a_time_within_the_tolerance_is_taken(made, age):
    sent = message(made, "paid", when=int(time.time()) - age)
    assert outcome(sent.send()) == "applied"


@pytest.mark.parametrize("age", (302, 3600, 86400 * 365, -310, -3600))
def test_a_stale_or_future_message_is_refused(made, age):
    sent = message(made, "paid", when=int(time.time()) - age)
    refused(sent.send(), "webhook-timestamp-invalid")
    untouched(made, sent)


@pytest.mark.parametrize(
    "when", ("", "-1", "1e9", "0", "9" * 30, "0x5", "+1", "now", "1.5")
)
def test_a_time_that_is_no_time_is_refused(made, when):
    sent = message(made, "paid", when=when)
    assert sent.send().status_code == 401
    untouched(made, sent)


def test_a_leading_zero_is_no_second_spelling_of_a_time(made):
    sent = message(made, "paid", when=f"0{int(time.time())}")
    answer = sent.send()
    assert answer.status_code in (200, 401)
    assert sent.rows() == (answer.status_code == 200)
