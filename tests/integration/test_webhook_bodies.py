"""What is kept of a verified webhook, and what payctl webhook show makes of it.

A body that holds a card number, or that is larger than the directive allows,
is left out, and the row says why.
"""

import base64
import hashlib
import json
import os
import re
import subprocess

import pytest
from support.events import Message, event_id, generic_event, message, outcome
from support.own_stack import wait_for
from support.payctl_books import PAYCTL

AUDIENCE = "payments_audience "
CARD = "4242 4242 4242 4242"
SIZE = 2048


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    line = f"payments_webhook_bodies days=3 size={SIZE};\n    {AUDIENCE}"
    own_stack.configure((AUDIENCE, line))
    yield
    own_stack.configure()


def show(stack, psp, name, *words, role="payments_operator"):
    env = dict(os.environ)
    env["PAYCTL_DSN"] = stack.values["PG_ADMIN_DSN"]
    env["PGOPTIONS"] = f"-c role={role}"
    done = subprocess.run(
        [PAYCTL, "webhook", "show", psp, name, *words],
        env=env,
        capture_output=True,
        check=False,
        timeout=60,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def state(text):
    return re.search(r"^body_state +(\w+)$", text, re.MULTILINE).group(1)


def shown(stack, sent):
    """The words of payctl once the body's row is there."""

    def there():
        return stack.value(
            "SELECT count(*) FROM pay.webhook_body WHERE digest = %s",
            hashlib.sha256(sent.body).digest(),
        )

    wait_for(there, "the row of the body")
    code, out, _ = show(stack, sent.psp, sent.name)
    assert code == 0
    return out


def with_member(made, value):
    """A paid event with one member more that nothing reads."""
    name = event_id()
    event = generic_event("paid", made, name, note=value)
    return Message(made.stack, "generic", name, json.dumps(event).encode())


@pytest.mark.parametrize("psp", ["generic", "stripe"])
def test_a_body_is_kept_and_shown(stack, psp):
    made = stack.created(psp=psp)
    sent = message(made, "paid")
    assert outcome(sent.send()) == "applied"
    out = shown(stack, sent)
    assert state(out) == "kept"
    assert re.search(r"^state +applied$", out, re.MULTILINE)
    assert out.split("\nbody\n")[1] == sent.body.decode() + "\n"
    assert hashlib.sha256(sent.body).hexdigest() in out
    days = stack.value(
        "SELECT round(extract(epoch FROM keep_until - received_at) / 86400)"
        " FROM pay.webhook_body WHERE digest = %s",
        hashlib.sha256(sent.body).digest(),
    )
    assert days == 3


@pytest.mark.parametrize(
    ("value", "why"), [(CARD, "card_number"), ("x" * SIZE, "too_large")]
)
def test_what_must_not_be_kept_is_not(stack, value, why):
    sent = with_member(stack.created(psp="generic"), value)
    assert outcome(sent.send()) == "applied"
    out = shown(stack, sent)
    assert state(out) == why
    assert "\nbody\n" not in out and value not in out


def test_a_body_does_not_steer_a_terminal(stack):
    sent = with_member(stack.created(psp="generic"), "note")
    evil = '"note": "\u009b\u202e"'.encode()
    body = sent.body.replace(b'"note": "note"', evil)
    assert body != sent.body
    sent = Message(sent.stack, "generic", sent.name, body)
    assert outcome(sent.send()) == "applied"
    assert '"note": "??"' in shown(stack, sent)
    # as JSON it comes byte by byte, and ends the escape as text does not
    code, out, _ = show(stack, sent.psp, sent.name, "-o", "json")
    document = json.loads(out)
    assert code == 0 and document["record"]["event"] == sent.name
    (found,) = document["parts"]["body"]
    assert base64.b64decode(found["base64"]) == body
    assert document["parts"]["replays"] == []
    code, out, err = show(stack, sent.psp, sent.name, "-o", "csv")
    assert (code, out) == (2, "") and "-o json" in err


def test_only_operators_see_it(stack):
    sent = message(stack.created(), "paid")
    assert outcome(sent.send()) == "applied"
    shown(stack, sent)
    code, out, err = show(stack, sent.psp, sent.name, role="payments_auditor")
    assert (code, out) == (2, "") and "permission denied" in err
    assert show(stack, sent.psp, event_id())[0] == 1
