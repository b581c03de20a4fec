"""Each provider of pay-outs behind the gateway's workers: paid, answers lost,
look-ups behind the window of a key, refusals, returns, messages that come early
and in the wrong order.  Whatever happens, the provider's own books have each
item once or not at all.
"""

import pytest
from support.own_stack import QUICK_JOBS, OwnStack, wait_for
from support.payer import MINOR, SPECS, Payer

AUDIENCE = "payments_audience "
ALL = tuple(SPECS)
SENDS = {"adyen": 1, "wise": 4, "tipalti": 1, "paypal": 1}
# where a repeat of the call that pays is the first one
KEYED = ("adyen", "paypal")
# where a look-up may prove that nothing was paid
PROVES = ("adyen", "wise")
# providers whose messages are verified
TOLD = ("adyen", "paypal", "wise", "tipalti")
# those whose messages only make a question due: the state that a payment waits
# in, and the one that is told
ASKED = {
    "wise": ("funds_converted", "outgoing_payment_sent"),
    "tipalti": ("SCHEDULED", "PAID"),
}
ENDS = {"wise": "paid", "tipalti": "sent"}
# Where a payment that has been paid goes when it comes back.
BACK = {
    "adyen": ("returned",),
    "wise": ("bounced_back", "funds_refunded"),
    "paypal": ("REVERSED",),
}


@pytest.fixture(scope="module")
def payer():
    stack = OwnStack()
    try:
        payer = Payer(stack, *SPECS)
        stack.configure((AUDIENCE, payer.blocks() + AUDIENCE), QUICK_JOBS)
        payer.enter()
        yield payer
        stack.check_invariants()
    finally:
        stack.close()


@pytest.mark.parametrize("name", ALL)
def test_an_approved_item_is_paid_once(payer, name):
    item = payer.send(payer.ready(name))
    payer.becomes(item, "paid")
    sends = SENDS[name]
    assert payer.journal(item)[:sends] == ["send done"] * sends
    assert "send" not in payer.calls(item)[sends:]
    payer.expect_paid_once(item)
    assert payer.booked(item) == ["payout_reserved", "payout_sent"]


@pytest.mark.parametrize(
    ("name", "currency"),
    [(name, "JPY") for name in ALL]
    + [(name, "KWD") for name in ALL if name != "paypal"],
)
def test_an_amount_without_or_with_three_decimals_is_paid(
    payer, name, currency
):
    item = payer.send(payer.ready(name, currency))
    payer.becomes(item, "paid")
    payer.expect_paid_once(item, currency)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", ["malformed", "drop_after_accept"])
def test_an_answer_that_is_lost_does_not_pay_twice(payer, name, kind):
    item = payer.ready(name)
    payer.fault(item, "send", kind)
    with payer.no_webhooks(name):
        payer.send(item)
        payer.becomes(item, "paid")
    assert any(line.startswith("send unknown") for line in payer.journal(item))
    payer.expect_paid_once(item)


@pytest.mark.parametrize("name", ALL)
def test_a_page_of_a_proxy_proves_nothing(payer, name):
    """Nothing has arrived.  It is sent again where there is a key, and looked
    for where there is none."""
    item = payer.ready(name)
    payer.fault(item, "send", "html")
    payer.send(item)
    if name in KEYED:
        payer.becomes(item, "paid")
        payer.expect_paid_once(item)
    elif name not in PROVES:
        unproven(payer, item)
    else:
        payer.becomes(item, "failed")
        assert payer.calls(item).count("send") == SENDS[name]
        assert payer.paid(item) is None


@pytest.mark.parametrize("name", TOLD)
def test_an_answer_that_is_lost_is_told_by_a_message(payer, name):
    item = payer.ready(name)
    payer.fault(item, "send", "drop_after_accept")
    payer.send(item)
    payer.becomes(item, "paid")
    payer.expect_paid_once(item)
    assert payer.told(item)


@pytest.mark.parametrize("name", ["adyen", "wise", "tipalti"])
def test_behind_the_window_a_lost_payment_is_looked_for(payer, name):
    item = payer.ready(name)
    payer.fault(item, "send", "drop_after_accept")
    with payer.no_webhooks(name):
        payer.send(item)
        payer.lapse(item)
        payer.becomes(item, "paid")
    calls = payer.calls(item)
    lost = SENDS[name]
    assert "find" in calls
    assert "send" not in calls[lost:]
    payer.expect_paid_once(item)


def unproven(payer, item: str) -> None:
    """It was looked for more often than any provider's proof takes."""
    payer.asks_until(
        item,
        lambda: (
            len([e for e in payer.journal(item) if e.startswith("find not_")])
            > 3
        ),
        "four look-ups",
    )
    assert payer.state(item) == "unknown"
    assert payer.calls(item).count("send") == 1
    assert payer.booked(item) == ["payout_reserved"]


def test_lists_of_tipalti_s_without_a_payment_prove_nothing(payer):
    """It may still be worked through: the money stays reserved."""
    item = payer.ready("tipalti")
    payer.fault(item, "send", "drop")
    payer.send(item)
    unproven(payer, item)


@pytest.mark.parametrize("name", PROVES)
def test_behind_the_window_what_never_arrived_is_proven(payer, name):
    """Two complete look-ups without it; the money is available again."""
    item = payer.ready(name)
    payer.fault(item, "send", "drop")
    payer.send(item)
    payer.lapse(item)
    payer.becomes(item, "failed")
    assert payer.calls(item).count("find") == 2
    assert payer.paid(item) is None
    assert payer.booked(item) == ["payout_reserved", "payout_released"]


def test_paypal_is_sent_nothing_behind_the_30_days(payer):
    """It has no look-up: an operator decides."""
    item = payer.ready("paypal")
    payer.fault(item, "send", "drop_after_accept")
    with payer.no_webhooks("paypal"):
        payer.send(item)
        payer.lapse(item)
        wait_for(
            lambda: payer.stack.sql(
                "SELECT 1 FROM pay.payout_sending WHERE payout_id = %s "
                "AND run_at IS NULL",
                item,
            ),
            "nothing more to be done",
        )
    assert payer.state(item) == "unknown"
    assert payer.calls(item) == ["send"]
    assert payer.paid(item)["count"] == 1


@pytest.mark.parametrize("name", ALL)
def test_a_refused_item_fails_and_its_money_is_available(payer, name):
    item = payer.ready(name)
    payer.fault(item, "send", "refuse")
    payer.send(item)
    payer.becomes(item, "failed")
    assert payer.journal(item)[-1].startswith("send refused")
    assert payer.paid(item) is None
    assert payer.booked(item) == ["payout_reserved", "payout_released"]


@pytest.mark.parametrize("name", BACK)
def test_a_payment_that_comes_back_is_a_return(payer, name):
    item = payer.send(payer.ready(name))
    payer.becomes(item, "paid")
    payer.move(item, *BACK[name])
    payer.becomes(item, "returned")
    back = payer.paid(item)
    assert (back["left_minor"], back["back_minor"]) == (MINOR, MINOR)
    assert payer.booked(item)[1:] == ["payout_sent", "payout_returned"]


def test_tipalti_rejects_what_it_has_paid(payer):
    """Paid is not final there: the money left, and came back."""
    item = payer.ready("tipalti")
    payer.fate(item, "PAID")
    payer.send(item)
    payer.becomes(item, "sent")
    payer.move(item, "REJECTED")
    payer.becomes(item, "returned")
    assert payer.paid(item)["back_minor"] == MINOR


@pytest.mark.parametrize("state", ["DEFERRED", "CANCELED"])
def test_tipalti_never_sends_what_it_has_deferred(payer, state):
    item = payer.ready("tipalti")
    payer.fate(item, state)
    payer.send(item)
    payer.becomes(item, "failed")
    assert payer.paid(item) is None


@pytest.mark.parametrize("name", TOLD)
def test_a_message_that_comes_before_the_answer_counts(payer, name):
    item = payer.ready(name)
    payer.fault(item, "send", "told_first", wait_ms=800)
    payer.send(item)
    payer.becomes(item, "paid")
    payer.expect_paid_once(item)


@pytest.mark.parametrize("name", TOLD)
def test_messages_that_come_twice_count_once(payer, name):
    item = payer.ready(name)
    payer.fault(item, "webhook", "duplicate", times=4, n=2)
    payer.send(item)
    payer.becomes(item, "paid")
    payer.expect_paid_once(item)
    assert payer.booked(item) == ["payout_reserved", "payout_sent"]


def waiting(payer, name: str) -> str:
    """An item that the provider works on, about which nothing is due."""
    item = payer.ready(name)
    payer.fate(item, ASKED[name][0])
    payer.send(item)
    wait_for(
        lambda: (
            [each["state"] for each in payer.payments(item)] == [ASKED[name][0]]
        ),
        f"{ASKED[name][0]} in the books",
    )
    wait_for(
        lambda: all(
            each["state"] == "delivered" for each in payer.sent_to_us(item)
        ),
        "the messages until then",
    )
    payer.asks = False
    payer.rests(item)
    return item


@pytest.fixture
def patient(payer):
    """Nothing is asked but for a message."""
    yield payer
    payer.asks = True
    payer.stack.mock.http.delete("/faults")


@pytest.mark.parametrize("name", ASKED)
def test_a_message_makes_the_question_due(patient, name):
    item = waiting(patient, name)
    patient.move(item, ASKED[name][1])
    patient.becomes(item, ENDS[name])
    patient.expect_paid_once(item)


@pytest.mark.parametrize("name", ASKED)
def test_a_forged_message_changes_nothing(patient, name):
    """A signature by another key; a form that Tipalti has never sent."""
    item = waiting(patient, name)
    before = patient.told(item), patient.journal(item)
    # all attempts: the next one would be genuine
    patient.fault(item, "webhook", "forged", sticky=True, attempts=0)
    patient.move(item, ASKED[name][1])
    wait_for(
        lambda: patient.sent_to_us(item)[-1]["last_status"] == 401,
        "a refusal",
    )
    assert (patient.told(item), patient.journal(item)) == before
    assert patient.state(item) == "sending"
    patient.stack.mock.http.delete("/faults")
    patient.asks = True
    patient.becomes(item, ENDS[name])


@pytest.mark.parametrize("name", ASKED)
def test_the_provider_s_messages_change_nothing_twice(patient, name):
    item = waiting(patient, name)
    patient.fault(item, "webhook", "duplicate", n=3)
    patient.move(item, ASKED[name][1])
    patient.becomes(item, ENDS[name])
    wait_for(
        lambda: patient.sent_to_us(item)[-1]["copies"] == 3,
        "three copies more",
    )
    patient.expect_paid_once(item)
    assert patient.booked(item) == ["payout_reserved", "payout_sent"]
    assert len(patient.told(item)) == len(patient.sent_to_us(item))


def test_wise_s_late_message_changes_nothing(patient):
    """That it is worked on comes behind the message that it was sent."""
    item = waiting(patient, "wise")
    patient.fault(item, "webhook", "reorder", ms=60_000)
    # its times are seconds, and the same state at the same time is one message
    for state in ("processing", "outgoing_payment_sent"):
        patient.control("payouts/clock", advance_s=2)
        patient.move(item, state)
    patient.becomes(item, "paid")
    wait_for(
        lambda: "behind" in [outcome for _, outcome in patient.told(item)],
        f"a message that came late: {patient.told(item)}",
    )
    assert patient.state(item) == "paid"
    patient.expect_paid_once(item)


@pytest.mark.parametrize("kind", ["html", "status"])
def test_a_message_that_nobody_confirms_is_sent_again(patient, kind):
    """503: neither believed nor refused."""
    item = waiting(patient, "tipalti")
    patient.fault(item, "confirm", kind)
    patient.move(item, "PAID")
    patient.becomes(item, "sent")
    last = patient.sent_to_us(item)[-1]
    assert (last["attempts"], last["last_status"]) == (2, 200), last


def test_a_test_notification_of_wise_is_answered_and_nothing_more(patient):
    item = waiting(patient, "wise")
    before = patient.told(item), patient.journal(item)
    (made,) = patient.payments(item)
    answer = patient.control(
        "webhook",
        dialect="payout-wise",
        type="transfers#state-change",
        data={
            "resource": {"id": int(made["id"]), "type": "transfer"},
            "current_state": "outgoing_payment_sent",
            "occurred_at": "2099-01-01T00:00:00Z",
        },
        headers={"X-Test-Notification": "true"},
    )
    assert answer["status"] == 200, answer
    assert (patient.told(item), patient.journal(item)) == before
    assert patient.state(item) == "sending"


def test_adyen_s_sequence_numbers_order_its_messages(payer):
    """The message that it is booked comes behind the one that it is back."""
    item = payer.ready("adyen")
    payer.fate(item, "authorised", "booked", "credited")
    payer.fault(item, "webhook", "reorder", times=2)
    payer.send(item)
    payer.becomes(item, "paid")
    wait_for(
        lambda: "behind" in [outcome for _, outcome in payer.told(item)],
        "a message that came late",
    )
    assert payer.state(item) == "paid"
    payer.expect_paid_once(item)


def test_wise_may_roll_back(payer):
    """A transfer that has been sent is worked on again, and sent again."""
    item = payer.send(payer.ready("wise"))
    payer.becomes(item, "paid")
    for state in ("bounced_back", "processing", "outgoing_payment_sent"):
        payer.move(item, state)
        before = len(payer.calls(item))
        payer.asks_until(
            item,
            lambda before=before: (
                len(payer.calls(item)) > before
                and not payer.journal(item)[-1].endswith("open")
            ),
            "an answer",
        )
        assert payer.state(item) == "paid"
    payer.expect_paid_once(item)
    assert payer.booked(item) == ["payout_reserved", "payout_sent"]


@pytest.mark.parametrize("kind", ["wrong_amount", "wrong_currency"])
@pytest.mark.parametrize("name", ["adyen", "wise"])
def test_an_echo_that_differs_is_not_believed(payer, name, kind):
    """The call is asked again under its key, and the item is paid once."""
    operation = {"adyen": "send", "wise": "transfer"}[name]
    item = payer.ready(name)
    payer.fault(item, operation, kind)
    payer.send(item)
    payer.becomes(item, "paid")
    assert any("unknown answer_mismatch" in e for e in payer.journal(item))
    payer.expect_paid_once(item)


@pytest.mark.parametrize(
    ("name", "operation"), [("tipalti", "find"), ("paypal", "ask")]
)
def test_a_statement_about_another_amount_books_nothing(payer, name, operation):
    item = payer.ready(name)
    payer.fault(item, operation, "wrong_amount", sticky=True)
    with payer.no_webhooks(name):
        payer.send(item)
        payer.asks_until(
            item,
            lambda: any("answer_mismatch" in e for e in payer.journal(item)),
            "a statement that differs",
        )
    assert payer.booked(item) == ["payout_reserved"]
    payer.stack.mock.http.delete("/faults")
    payer.becomes(item, "paid")


def test_a_message_about_another_amount_is_a_contradiction(payer):
    """No later message is there yet: behind one it would not be judged."""
    item = payer.ready("adyen")
    payer.fate(item, "authorised")
    payer.fault(item, "webhook", "wrong_amount", sticky=True)
    payer.send(item)
    wait_for(lambda: "contradiction" in payer.acts(item), "the contradiction")
    payer.stack.mock.http.delete("/faults")
    payer.move(item, "booked", "credited")
    payer.becomes(item, "paid")
    payer.expect_paid_once(item)


# PayPal's own states.


def test_paypal_holds_a_payment_and_lets_it_go(payer):
    item = payer.ready("paypal")
    payer.fate(item, "ONHOLD")
    payer.send(item)
    wait_for(lambda: payer.payments(item), "the payment at PayPal")
    payer.ask(item)
    assert payer.state(item) == "sending"
    payer.move(item, "SUCCESS")
    payer.becomes(item, "paid")


def test_paypal_denies_a_batch_without_money(payer):
    item = payer.ready("paypal", "JPY")
    payer.control("payouts/balance", provider="paypal", currency="JPY", minor=0)
    payer.send(item)
    payer.becomes(item, "failed")
    payer.control(
        "payouts/balance", provider="paypal", currency="JPY", minor=10**9
    )
    assert payer.paid(item) is None
    assert payer.booked(item) == ["payout_reserved", "payout_released"]


def test_tokens_are_fetched_once_and_again_when_they_are_refused(payer):
    """401 to a call that pays has no effect: it is sent again."""
    item = payer.ready("paypal")
    payer.fault(item, "send", "status", status=401)
    payer.send(item)
    payer.becomes(item, "paid")
    assert payer.journal(item)[0] == "send done"
    payer.expect_paid_once(item)


def test_what_nobody_claims_comes_back_after_30_days(payer):
    """Last of all: the providers' clock is another one from here on."""
    item = payer.ready("paypal")
    payer.fate(item, "UNCLAIMED")
    payer.send(item)
    payer.becomes(item, "sent")
    payer.expect_paid_once(item)
    payer.control("payouts/clock", advance_s=30 * 86400 + 60)
    payer.becomes(item, "returned")
    assert payer.paid(item)["back_minor"] == MINOR
