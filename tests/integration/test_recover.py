"""A database that is restored to an earlier moment: payctl recover has the
PSPs searched for payments that it has lost, prints the findings, and keeps
storefronts waiting meanwhile.  The restore is a copy of the database, made
before the payments that are lost.
"""

import json
import os
import subprocess
from types import SimpleNamespace

import psycopg2
import pytest
from support import aftermath, changes
from support.own_stack import QUICK_JOBS, Checkout, OwnStack, new_id, wait_for
from support.scratch import execute

COPY = "payments_before"
GONE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = '{name}'"""
PART = "5.00"  # of the refund that is lost


def payctl(stack, *words, wanted):
    done = subprocess.run(
        [stack.values["PAYCTL"], "recover", *words],
        env=os.environ | {"PAYCTL_DSN": stack.values["PG_ADMIN_DSN"]},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == wanted, done.stdout + done.stderr
    return done.stdout


def shown(stack, *words, wanted):
    told = json.loads(payctl(stack, *words, "-o", "json", wanted=wanted))
    return SimpleNamespace(record=told["record"], **{
        name.replace(" ", "_"): rows for name, rows in told["parts"].items()
    })  # fmt: skip


def away(stack, *statements):
    """Runs them while nobody is connected to the database."""
    stack.kill_nginx()
    server = stack.values["PG_ADMIN_DSN"]
    name = psycopg2.extensions.parse_dsn(server)["dbname"]
    if stack.link is not None:
        stack.link.close()
        stack.link = None
    for each in (GONE, *statements):
        execute(
            psycopg2.extensions.make_dsn(server, dbname="postgres"),
            each.format(name=name, copy=COPY),
        )
    stack.start_nginx()
    wait_for(stack.is_ready, "the gateway")


def asked(stack, psp="generic"):
    """A body and its key, as a storefront keeps them."""
    return SimpleNamespace(body=stack.order(psp), key=new_id())


def sent(stack, order):
    answer = stack.post(order.body, order.key)
    assert answer.status_code == 201, answer.text
    return Checkout(stack, order.body, answer)


def sold(stack, order):
    made = sent(stack, order)
    stack.mock.pay(made.token)
    made.becomes("SUCCESS")
    return made


def refund(made, key):
    return changes.send(made, "refunds", {"amount": PART}, key)


def registered(stack, nonce):
    """The PSPs' own registrations under a nonce."""
    made = stack.mock.books()["registrations"]
    return [each for each in made if each["nonce"] == nonce]


@pytest.fixture(scope="module")
def stack():
    made = OwnStack()
    try:
        made.configure(QUICK_JOBS)
        yield made
        # not check_invariants(): the PSPs' books have what is lost
        link = psycopg2.connect(made.values["PG_ADMIN_DSN"])
        assert aftermath.broken_invariants(link) == []
        link.close()
    finally:
        made.close()


@pytest.fixture(scope="module")
def day(stack):
    """The worst one: what was known, what is lost, and the gateway's answers
    on the way."""
    day = SimpleNamespace(known=asked(stack), paid=asked(stack, "stripe"),
                          open=asked(stack), key=new_id())  # fmt: skip
    known = sent(stack, day.known)
    before = sold(stack, asked(stack))
    away(stack, "CREATE DATABASE {copy} TEMPLATE {name}")
    day.since = stack.value("SELECT now()::text")

    day.tokens = {}
    stack.mock.pay(known.token)
    known.becomes("SUCCESS")
    day.tokens["paid"] = sold(stack, day.paid).token
    day.tokens["open"] = sent(stack, day.open).token
    assert refund(before, day.key).status_code == 201
    day.order, day.refunded = known.order_id, before.order_id
    away(
        stack,
        "DROP DATABASE {name}",
        "ALTER DATABASE {copy} RENAME TO {name}",
    )

    assert known.states() == {("EXECUTING", None)}
    day.plan = payctl(stack, "--since", day.since, wanted=1)
    day.begun = stack.value("SELECT count(*) FROM pay.recovery")
    # as before nginx is started: nothing is searched yet
    payctl(stack, "--since", day.since, "--yes", "--wait", "0", wanted=1)
    day.first = shown(
        stack, "--since", day.since, "--yes", "--wait", "30", wanted=1
    )
    day.blocked = stack.post(day.paid.body, day.paid.key)
    day.replayed = stack.post(day.known.body, day.known.key)
    day.unrefunded = refund(before, day.key)

    # a buyer pays on a page that nobody knows
    stack.mock.pay(day.tokens["open"])
    wait_for(
        lambda: stack.sql(
            "SELECT 1 FROM pay.webhook_inbox "
            "WHERE state = 'parked' AND token = %s",
            day.tokens["open"],
        ),
        "the webhook",
    )
    day.second = shown(
        stack, "--since", day.since, "--yes", "--wait", "30", wanted=1
    )
    day.ended = shown(
        stack, "--accept", "--why", "both are paid back", wanted=0
    )
    day.again = {
        name: stack.post(order.body, order.key)
        for name, order in (("paid", day.paid), ("open", day.open))
    }
    return day


def found(told, finding):
    return {
        (row["token"], row["state"], row["fact"], str(row["amount"]))
        for row in told.findings
        if row["finding"] == finding
    }


def test_without_yes_nothing_begins(day):
    assert "lists of events would be read" in day.plan
    assert "nothing was changed" in day.plan
    assert day.begun == 0


def test_each_list_is_read(day):
    lists = {row["psp"]: row["list"] for row in day.first.PSPs}
    assert lists["generic"] == lists["stripe"] == "read"
    assert day.first.record["lists_left"] == day.first.record["jobs_left"] == 0


def test_a_webhook_that_is_lost_is_applied(stack, day):
    assert stack.payment(day.order)["status"] == "SUCCESS"
    (row,) = [row for row in day.first.findings if row["order"] == day.order]
    assert (row["finding"], row["state"], row["fact"]) == ("found", "", "paid")


def test_a_payment_without_an_order_is_said_and_not_booked(stack, day):
    token = day.tokens["paid"]
    assert found(day.first, "unknown") == {(token, "open", "paid", "12.34")}
    (row,) = [row for row in day.first.findings if row["token"] == token]
    assert row["psp"] == "stripe" and row["currency"] == "USD"
    assert "money without an order" in row["todo"]
    known = stack.value(
        "SELECT count(*) FROM pay.psp_token WHERE token = %s"
        " AND checkout_id IS NOT NULL", token,
    )  # fmt: skip
    assert known == 0


def test_a_payment_on_a_lost_page_is_said_when_it_comes(day):
    tokens = {row[0] for row in found(day.second, "unknown")}
    assert tokens == set(day.tokens.values())


def test_a_refund_that_is_lost_is_booked_and_said(stack, day):
    (row,) = [
        row for row in day.first.findings if row["finding"] == "refund"
    ]
    assert (row["order"], row["state"]) == (day.refunded, "open")
    assert row["amount"] == float(PART)
    assert stack.payment(day.refunded)["amount_refunded"] == PART


def test_nothing_new_begins_meanwhile(day):
    for answer in (day.blocked, day.unrefunded):
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) == 30
        assert answer.json()["type"].endswith("dependency-unavailable")
        assert "restored" in answer.json()["detail"]


def test_what_is_known_is_answered_meanwhile(day):
    assert day.replayed.status_code in (200, 201), day.replayed.text
    assert day.replayed.headers["Idempotent-Replayed"] == "true"


def test_an_operator_ends_it_once(stack, day):
    assert day.second.record["state"] == "open"
    assert day.ended.record["state"] == "ended"
    assert day.ended.record["ended_why"] == "both are paid back"
    again = shown(stack, "--since", day.since, "--yes", wanted=0)
    assert again.record["recovery"] == day.ended.record["recovery"]
    payctl(stack, "--accept", "--why", "once more", wanted=1)


@pytest.mark.parametrize("name", ["paid", "open"])
def test_a_create_that_is_repeated_registers_nothing_twice(stack, day, name):
    body = getattr(day, name).body
    order = body["payment_orders"][0]["payment_order_id"]
    assert day.again[name].status_code == 202, day.again[name].text
    (made,) = registered(stack, order)
    assert made["token"] == day.tokens[name]
    assert stack.payment(order)["status"] == "EXECUTING"
    assert stack.sql(
        "SELECT l.* FROM pay_view.ledger l JOIN pay.payment_order o ON"
        " strpos(l.source, o.payment_order_id) > 0"
        " WHERE o.payment_order_id = %s", order,
    ) == []  # fmt: skip


def test_findings_are_rows_for_programs(stack, day):
    out = payctl(stack, "-o", "csv", wanted=0)
    assert out.splitlines()[0].startswith("finding,state,at,psp,token")
    assert day.tokens["paid"] in out


@pytest.mark.parametrize("words", [
    ["--accept"], ["--accept", "--since", "now", "--why", "x"], ["--yes"],
    ["--why", "x"], ["--since", "now", "--wait", "x"], ["x"],
    ["--since", "now", "--wait", ""], ["--since", "now", "--wait", "86401"],
    ["--since", "yesterday at tea"], ["--since", "2099-01-01"],
    ["--since", "2099-01-01", "--yes"], ["--since", "1999-01-01", "--yes"]])
def test_a_wrong_call_exits_2(stack, words):
    assert payctl(stack, *words, wanted=2) == ""
