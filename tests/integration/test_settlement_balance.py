"""The balance that a PSP tells of its account, beside the ledger: it agrees
while sales are not settled and when they are, differs by a wrong amount, which
an operator sees, and agrees again."""

import re

import pytest
from support.own_stack import HASTY_PSP, OwnStack, wait_for
from support.settled import Settled

AUDIENCE = "payments_audience "
PSPS = ("stripe", "mollie")
PATH = "/v1/reconciliation/balances"


@pytest.fixture(scope="module")
def asked():
    """Apart: an account with what other tests sold has no known balance."""
    stack = OwnStack()
    lines = "".join(
        f"payments_settlement books-{psp} format={psp} merchant=acme "
        f"psp={psp} pull=1s;\n    "
        for psp in PSPS
    )
    rounds = "payments_watchdog  interval=200ms;\n    "
    try:
        stack.configure((AUDIENCE, lines + rounds + AUDIENCE), HASTY_PSP)
        yield stack
    finally:
        stack.close()


def looks(stack, psp):
    return stack.value(
        "SELECT count(*) FROM pay.psp_balance WHERE source = %s "
        "AND currency = 'EUR'",
        f"books-{psp}",
    )


def look(stack, psp):
    """The next look at the balance, as the API has it."""
    before = looks(stack, psp)
    assert (
        stack.value("SELECT pay_ops.ask_balance(%s)", f"books-{psp}")
        == "stored"
    )
    wait_for(lambda: looks(stack, psp) > before, "a look at the balance")
    answer = stack.get(f"{PATH}?psp={psp}&currency=EUR")
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["next"] is None
    (found,) = page["balances"]
    return found


def gauge(stack, name):
    text = stack.http.get("/metrics").text
    found = re.findall(rf"^payments_settlement_{name} (\d+)$", text, re.M)
    return int(found[0]) if found else None


def sold(stack, psp):
    made = stack.created(psp, currency="EUR")
    stack.mock.pay(made.registration["token"])
    wait_for(
        lambda: stack.sql(
            "SELECT 1 FROM pay.journal_entry WHERE kind = 'sale' "
            "AND payment_order_id = %s",
            made.order_id,
        ),
        "the sale",
    )


def is_booked(stack, name):
    return stack.sql(
        "SELECT 1 FROM pay.settlement_file WHERE name = %s "
        "AND state = 'booked'",
        name,
    )


@pytest.mark.parametrize("psp", PSPS)
def test_a_balance_agrees_differs_and_agrees_again(asked, tmp_path, psp):
    stack = asked
    # a look that began before the sale would be taken for the one behind it
    wait_for(
        lambda: stack.sql(
            "SELECT 1 FROM pay.settlement_look WHERE source = %s "
            "AND balance_at > now()",
            f"books-{psp}",
        ),
        "the first look of the source",
    )
    sold(stack, psp)
    # the money is pending, less a fee that no file has brought
    found = look(stack, psp)
    assert found["verdict"] == "agrees", found
    assert float(found["pending"]) > 0
    assert float(found["lowest"]) < 0 == float(found["highest"])

    close = stack.mock.call("settle", dialect=psp, announce=False)
    (payout,) = close["payouts"]
    wait_for(lambda: is_booked(stack, payout["id"]), "the payout")
    # all is settled: each cent counts
    found = look(stack, psp)
    assert found["verdict"] == "agrees", found
    assert found["difference"] == found["lowest"] == found["highest"] == "0.00"

    wrong = {
        "dialect": psp,
        "operation": "balance",
        "kind": "wrong_balance",
        "by_minor": 1,
    }
    stack.mock.faults(wrong)
    found = look(stack, psp)
    assert (found["verdict"], found["difference"]) == ("differs", "0.01")
    number = found["exception_id"]
    path = f"/v1/reconciliation/exceptions/{number}"
    waits = stack.get(path).json()
    assert (waits["class"], waits["finding"], waits["playbook"]) == (
        2,
        "differs",
        "balance-differs",
    )
    assert (waits["state"], waits["amount"]) == ("open", "0.01")
    wait_for(lambda: gauge(stack, "balances_differ") == 1, "the gauge")
    operator = Settled(stack, tmp_path)
    shown = operator.payctl("settlement", "balances")
    assert "differs" in shown and f"books-{psp}" in shown
    operator.payctl("settlement", "balances", "--again", "nobody", code=1)

    found = look(stack, psp)
    assert found["verdict"] == "agrees", found
    assert stack.get(path).json()["closed_as"] == "matched"
    wait_for(lambda: gauge(stack, "balances_differ") == 0, "the gauge")
    age = rf'balance_age_seconds\{{source="books-{psp}"\}}'
    assert gauge(stack, age) is not None


def test_a_psp_that_does_not_answer_is_asked_again_later(asked):
    stack = asked
    stack.mock.faults(
        {"dialect": "stripe", "operation": "balance", "kind": "html"}
    )
    failures = (
        "SELECT failures FROM pay.settlement_look WHERE source = 'books-stripe'"
    )
    before = stack.value(failures)
    stack.value("SELECT pay_ops.ask_balance('books-stripe')")
    wait_for(lambda: stack.value(failures) > before, "a look that fails")
    (later,) = stack.sql(
        "SELECT balance_at > now() + interval '50 minutes', "
        "seen_until > now() - interval '1 minute' "
        "FROM pay.settlement_look WHERE source = 'books-stripe'"
    )
    assert later == (True, True)
    # its payouts are pulled all the same
    sold(stack, "stripe")
    close = stack.mock.call("settle", dialect="stripe", announce=False)
    (payout,) = close["payouts"]
    wait_for(lambda: is_booked(stack, payout["id"]), "the payout")
