"""Pay-outs through the gateway's workers to a provider, and its webhooks back:
whatever happens on the way, the provider's own books have each item once or
not at all, as ours do."""

import re

import pytest
from support.own_stack import QUICK_JOBS, OwnStack, wait_for
from support.payer import AUDIENCE, HASTY_OWN, IBAN, Payer


@pytest.fixture(scope="module")
def payer():
    stack = OwnStack()
    try:
        payer = Payer(stack, "stripe", asks=False)
        stack.configure(
            (AUDIENCE, payer.blocks() + AUDIENCE), *HASTY_OWN, QUICK_JOBS
        )
        payer.enter("generic", "stripe")
        yield payer
        stack.check_invariants()
    finally:
        stack.close()


def test_an_approved_item_is_paid_and_its_webhooks_say_so(payer):
    item = payer.send(payer.ready())
    payer.becomes(item, "paid")
    assert payer.journal(item)[0] == "send done"
    payer.expect_paid_once(item)
    told = payer.stack.sql(
        "SELECT state, outcome FROM pay.payout_event WHERE payout_id = %s",
        item,
    )
    assert ("paid", "applied") in told or ("sent", "applied") in told


def test_an_answer_that_is_lost_is_told_by_the_webhook(payer):
    item = payer.ready()
    payer.fault(item, "send", "malformed")
    payer.send(item)
    payer.becomes(item, "paid")
    assert payer.journal(item)[0].startswith("send unknown")
    payer.expect_paid_once(item)


def test_an_answer_that_is_lost_is_asked_for_under_the_same_key(payer):
    item = payer.ready()
    payer.fault(item, "send", "malformed")
    with payer.no_webhooks():
        payer.send(item)
        payer.becomes(item, "paid")
    first, second, *more = payer.journal(item)
    assert first.startswith("send unknown")
    assert second == "send done"
    assert {line.split()[0] for line in more} <= {"ask"}
    payer.expect_paid_once(item)


def test_behind_the_window_of_its_key_a_lost_payment_is_looked_for(payer):
    """The provider may have forgotten the key: nothing is sent any more."""
    item = payer.ready()
    payer.fault(item, "send", "malformed")
    with payer.no_webhooks():
        payer.send(item)
        payer.lapse(item)
        payer.becomes(item, "paid")
    calls = [line.split()[0] for line in payer.journal(item)]
    assert calls[:2] == ["send", "find"]
    assert "send" not in calls[2:]
    payer.expect_paid_once(item)


def test_a_refused_item_fails_and_its_money_is_available_again(payer):
    item = payer.ready()
    payer.fault(item, "send", "refuse")
    payer.send(item)
    payer.becomes(item, "failed")
    assert payer.paid(item) is None
    assert re.match("send refused", payer.journal(item)[0])


def test_a_payment_that_comes_back_is_a_return(payer):
    item = payer.ready()
    payer.fate(item, "sent", "paid")
    payer.send(item)
    payer.becomes(item, "paid")
    reference = payer.stack.value(
        "SELECT provider_ref FROM pay.payout WHERE payout_id = %s", item
    )
    payer.control(
        "payouts/move",
        provider="generic",
        id=reference,
        state="returned",
        code="account_closed",
    )
    payer.becomes(item, "returned")
    back = payer.paid(item)
    assert (back["left_minor"], back["back_minor"]) == (1234, 1234)
    assert "suspect" in payer.payctl("accounts", "--merchant", "acme")


def test_an_account_that_was_sealed_for_another_seller_is_paid_nothing(payer):
    payer.stack.expected.append("was not made or not stored")
    item = payer.send(payer.ready(sealed_for="seller-of-others"))
    wait_for(
        lambda: payer.journal(item) == ["send not_sent details_unreadable"],
        "the call that was not made",
    )
    assert payer.paid(item) is None
    # it is claimed again and again
    wait_for(
        lambda: payer.state(item) == "approved", "the end of the next claim"
    )
    payer.payctl("cancel", item, "--who", "max", "--why", "test")


def test_stripe_is_sent_a_transfer_and_a_payout(payer):
    item = payer.send(payer.ready("stripe"))
    payer.becomes(item, "paid")
    assert payer.journal(item)[:2] == ["send done", "send done"]
    once = payer.paid(item)
    assert once["count"] == once["live"] == 1
    assert once["left_minor"] == 1234


@pytest.mark.parametrize("step", ["transfer", "send"])
def test_stripe_pays_once_when_the_answer_of_a_step_is_lost(payer, step):
    item = payer.ready("stripe")
    payer.fault(item, step, "malformed")
    payer.send(item)
    payer.becomes(item, "paid")
    assert any(line.startswith("send unknown") for line in payer.journal(item))
    assert payer.paid(item)["count"] == 1


def test_a_payout_that_fails_at_stripe_is_taken_back_before_it_failed(payer):
    item = payer.ready("stripe")
    payer.fate(item, "failed", code="account_closed")
    payer.send(item)
    payer.becomes(item, "failed")
    assert "cancel done" in payer.journal(item)
    assert (payer.paid(item) or {"live": 0})["live"] == 0


def test_a_stopped_provider_is_sent_nothing(payer):
    who = ("--merchant", "acme", "--who", "max", "--why", "test")
    assert payer.payctl("stop", "generic", *who) == "stopped\n"
    item = payer.send(payer.ready())
    other = payer.send(payer.ready("stripe"))
    payer.becomes(other, "paid")
    assert payer.state(item) == "approved"
    assert payer.journal(item) == []
    assert payer.payctl("start", "generic", *who) == "started\n"
    payer.becomes(item, "paid")
    payer.payctl("stop", "nobody", *who, code=1)


def test_two_operators_end_an_item_that_nobody_answers_about(payer):
    item = payer.ready()
    payer.fault(item, "send", "malformed", sticky=True)
    with payer.no_webhooks():
        payer.send(item)
        payer.becomes(item, "unknown")
        (there,) = payer.payments(item)
        paid = ("paid", "--ref", there["id"])

        def decides(said: str, name: str, *words: str) -> bool:
            """A repeat may be under way."""
            answer = payer.payctl("decide", item, "--as", *words, "--who",
                                  name, "--why", "statement 7",
                                  code=None).strip()  # fmt: skip
            assert answer in ("busy", said), answer
            return answer == said

        assert decides("other_ref", "ann", "paid")
        assert decides("maker", "max", *paid)
        wait_for(lambda: decides("second", "ann", *paid), "ann asks")
        wait_for(lambda: decides("paid", "bob", *paid), "bob says the same")
        calls = payer.journal(item)
        later = payer.send(payer.ready())
        payer.becomes(later, "paid")
    assert payer.journal(item) == calls
    payer.expect_paid_once(item)


def test_what_the_provider_has_not_signed_changes_nothing(payer):
    for name, status in (("generic", 401), ("nobody", 404)):
        answer = payer.stack.http.post(
            f"/webhooks/payouts/{name}", content=b"{}"
        )
        assert answer.status_code == status, answer.text


def test_nothing_of_an_account_is_in_the_log(payer):
    payer.becomes(payer.send(payer.ready()), "paid")
    log = payer.stack.gateway.error_log.read_text(errors="replace")
    assert IBAN not in log
    assert "Jane Mueller" not in log
