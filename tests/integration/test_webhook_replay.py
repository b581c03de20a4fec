"""payctl webhook replay: the kept body of a webhook is read again.

What an older version of the gateway stored without reading anything in it is
put into the tables as such a version leaves it (state ignored, fact none, the
body kept); the adapter of today then reads the PSP's word in it.
"""

import hashlib
import os
import re
import subprocess

import pytest
from support.events import event_id, message, outcome
from support.own_stack import QUICK_JOBS, wait_for
from support.payctl_books import PAYCTL

UNREAD = """
WITH kept AS (
    INSERT INTO pay.webhook_body (psp, digest, keep_until, size, body,
                                  message_ids)
    VALUES (%s, %s, now() + interval '1 day', %s, %s, ARRAY[%s]))
INSERT INTO pay.webhook_inbox (psp, event_id, state, fact, digest)
VALUES (%s, %s, 'ignored', 'none', %s)
"""
# All that is known of one checkout; others go on beside it.
BOOKS = """
WITH mine AS (SELECT merchant_id, checkout_id, payment_order_id
              FROM pay.payment_order WHERE checkout_id = %s)
SELECT md5(concat_ws(' ',
    (SELECT count(*) FROM pay.event JOIN mine
         USING (merchant_id, payment_order_id)),
    (SELECT count(*) FROM pay.journal_line l
     JOIN pay.journal_entry e USING (merchant_id, source, kind)
     JOIN mine m ON m.merchant_id = e.merchant_id
         AND m.checkout_id = e.checkout_id),
    (SELECT string_agg(o::text, ' ' ORDER BY o.payment_order_id)
     FROM pay.payment_order o JOIN mine USING (merchant_id, payment_order_id)),
    (SELECT string_agg(DISTINCT w::text, ' ' ORDER BY w::text)
     FROM pay.webhook_inbox w JOIN mine USING (merchant_id, checkout_id))))
"""


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    own_stack.configure(QUICK_JOBS)
    yield
    own_stack.configure()


def payctl(stack, *words, role="payments_operator"):
    env = dict(os.environ)
    env["PAYCTL_DSN"] = stack.values["PG_ADMIN_DSN"]
    env["PGOPTIONS"] = f"-c role={role}"
    done = subprocess.run(
        [PAYCTL, "webhook", *words],
        env=env,
        capture_output=True,
        check=False,
        timeout=60,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def replay(stack, sent, why="it was missed"):
    return payctl(
        stack, "replay", sent.psp, sent.name, "--who", "ann", "--why", why
    )


def ended(stack, sent):
    """The outcomes of all requests for this event, when none is open."""

    def rows():
        found = stack.sql(
            "SELECT state, outcome FROM pay.webhook_replay"
            " WHERE psp = %s AND event_id = %s ORDER BY replay_id",
            sent.psp,
            sent.name,
        )
        return found if all(state != "open" for state, _ in found) else None

    return wait_for(rows, "the end of the replay")


def unread(stack, sent):
    digest = hashlib.sha256(sent.body).digest()
    stack.sql(
        UNREAD,
        *(sent.psp, digest, len(sent.body), sent.body, sent.name),
        *(sent.psp, sent.name, digest),
    )


@pytest.mark.parametrize("psp", ["generic", "stripe"])
def test_what_was_missed_is_applied_once(stack, psp):
    made = stack.created(psp=psp)
    sent = message(made, "paid")
    unread(stack, sent)
    assert outcome(sent.send()) == "duplicate"
    assert made.status() == "EXECUTING"

    assert replay(stack, sent) == (0, "requested\n", "")
    assert ended(stack, sent) == [("done", "applied")]
    assert made.status() == "SUCCESS"
    how = stack.value(
        "SELECT e.detail ->> 'via' || ' ' || e.request_id = 'replay replay-'"
        " || r.replay_id FROM pay.event e, pay.webhook_replay r"
        " WHERE e.kind = 'paid' AND e.payment_order_id = %s"
        " AND r.event_id = %s",
        made.order_id,
        sent.name,
    )
    assert how

    code, out, _ = payctl(stack, "show", sent.psp, sent.name)
    assert code == 0
    assert re.search(r"^state +applied$", out, re.MULTILINE)
    assert re.search(r"^via +replay$", out, re.MULTILINE)
    (row,) = re.findall(r"^.* ann +it was missed .*$", out, re.MULTILINE)
    assert row.split()[-4:] == ["done", "applied", "1", "1"]

    books = stack.value(BOOKS, made.id)
    assert replay(stack, sent, "again")[0] == 0
    assert ended(stack, sent)[1:] == [("done", "duplicate")]
    assert stack.value(BOOKS, made.id) == books


def test_what_a_webhook_did_is_not_done_again(stack):
    made = stack.created(psp="generic")
    sent = message(made, "paid")
    assert outcome(sent.send()) == "applied"
    wait_for(
        lambda: stack.value(
            "SELECT count(*) FROM pay.webhook_body WHERE digest = %s",
            hashlib.sha256(sent.body).digest(),
        ),
        "the row of the body",
    )
    books = stack.value(BOOKS, made.id)
    assert replay(stack, sent)[:2] == (0, "requested\n")
    assert ended(stack, sent) == [("done", "duplicate")]
    assert stack.value(BOOKS, made.id) == books


def test_without_a_body_it_is_refused(stack):
    made = stack.created(psp="generic")
    sent = message(made, "paid")
    unread(stack, sent)
    stack.sql(
        "DELETE FROM pay.webhook_body WHERE digest = %s",
        hashlib.sha256(sent.body).digest(),
    )
    code, out, err = replay(stack, sent)
    assert (code, out) == (1, "not_kept\n")
    assert "its body is not kept" in err
    assert made.status() == "EXECUTING"
    sent.name = event_id()
    code, out, err = replay(stack, sent)
    assert (code, out) == (1, "not_found\n") and "no such webhook" in err


def test_only_operators_may(stack):
    words = ("replay", "stripe", "x", "--who", "ann", "--why", "y")
    code, out, err = payctl(stack, *words, role="payments_auditor")
    assert (code, out) == (2, "") and "permission denied" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("stripe", "x", "--why", "y"), "--who is missing"),
        (("stripe", "x", "--who", "w"), "--why is missing"),
        (("stripe", "--who", "w", "--why", "y"), "usage: payctl webhook"),
    ],
)
def test_misuse_is_named(stack, words, said):
    code, out, err = payctl(stack, "replay", *words)
    assert (code, out) == (2, "") and said in err
