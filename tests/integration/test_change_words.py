"""A PSP's webhook about a refund, a cancellation or a capture that we asked for
comes before the answer to our call, behind it, or instead of it: at every PSP
the change ends once, is booked once and is listed once.
"""

import pytest
from support.own_stack import HASTY_PSP, QUICK_JOBS, ROOT, wait_for
from support.sold import Sold

LIST = {"refund": "refunds", "cancel": "cancels", "capture": "captures"}
# Each with the setting that says whose reference Adyen's items have.
REFUNDING = ("stripe", "generic", "paypal", "square", "mollie", "adyen/payment",
             "adyen/change")  # fmt: skip
HOLDING = ("stripe", "generic", "mollie", "adyen/payment", "adyen/change")
CASES = [
    *(("refund", psp) for psp in REFUNDING),
    *(("cancel", psp) for psp in HOLDING),
    *(("capture", psp) for psp in HOLDING),
]
# What PayPal says of refunds is read in its list, and not asked for here.
ONLY_ANSWERS = ("paypal",)


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    own_stack.configure(QUICK_JOBS, HASTY_PSP)
    yield
    own_stack.configure()


@pytest.fixture
def shop(stack):
    yield stack
    stack.mock.settings(adyen_reference="payment", refund_result="done",
                        capture_result="done")  # fmt: skip


def breaches(stack, name: str) -> list[tuple]:
    return stack.sql((ROOT / "sql/checks" / f"{name}.sql").read_text())


def asked(shop, what: str, psp: str) -> Sold:
    """What can be changed so, at a PSP that tells it as the case says."""
    name, _, whose = psp.partition("/")
    shop.mock.settings(adyen_reference=whose or "payment")
    more = {} if what == "refund" else {"capture": "manual"}
    return Sold.paid(shop, name, **more)


def ask(made: Sold, what: str):
    answer = {
        "refund": lambda: made.refund("5.00"),
        "cancel": made.cancel,
        "capture": lambda: made.capture("5.00", final=True),
    }[what]()
    assert answer.status_code in (201, 202), answer.text
    return answer


def fault(made: Sold, what: str, kind: str, **more) -> None:
    made.stack.mock.faults(
        {"operation": what, "kind": kind, "nonce": made.nonce} | more
    )


def tell(made: Sold, event: dict) -> None:
    """Delivers an event that was withheld, in the words of its PSP."""
    sent = event["unsent"]
    answer = made.stack.http.post(
        f"/webhooks/{made.psp}",
        content=sent["body"].encode(),
        headers=sent["headers"],
    )
    assert answer.status_code == 200, answer.text


def ends(made: Sold, answer, status: str) -> dict:
    def ended():
        made.stack.jobs_now(made.id, "change")
        shown = made.look(answer)
        return shown if shown["status"] == status else None

    return wait_for(ended, f"{made.psp}'s {answer.text} to be {status}")


def listed(made: Sold, what: str) -> list[str]:
    path = f"/v1/payments/{made.order_id}/{LIST[what]}"
    return [each["status"] for each in made.stack.get(path).json()[LIST[what]]]


def is_done_once(made: Sold, what: str, answer) -> None:
    ends(made, answer, "SUCCESS")
    assert listed(made, what) == ["SUCCESS"]
    sums = made.sums()
    if what == "refund":
        assert sums["refund"] == 500 and "refund_external" not in sums
    elif what == "capture":
        made.reaches(amount_captured="5.00", amount_authorized="0.00")
        assert sums["sale"] == 500
    else:
        made.becomes("FAILED", "cancelled")
        assert "sale" not in sums
    made.agree()
    assert breaches(made.stack, "change_waits") == []
    assert breaches(made.stack, "change_match") == []


@pytest.mark.parametrize(("what", "psp"), CASES)
def test_the_webhook_comes_before_the_answer(shop, what, psp):
    made = asked(shop, what, psp)
    fault(made, what, "told_first")
    is_done_once(made, what, ask(made, what))


@pytest.mark.parametrize(("what", "psp"), CASES)
def test_the_webhook_comes_behind_the_answer(shop, what, psp):
    made = asked(shop, what, psp)
    made.silence()
    answer = ask(made, what)
    for event in made.unsent():
        tell(made, event)
    is_done_once(made, what, answer)


@pytest.mark.parametrize(("what", "psp"), CASES)
def test_the_webhook_comes_instead_of_the_answer(shop, what, psp):
    made = asked(shop, what, psp)
    lost = psp not in ONLY_ANSWERS
    fault(made, what, "drop_after_accept", sticky=lost)
    is_done_once(made, what, ask(made, what))


@pytest.mark.parametrize("psp", ["adyen/payment", "adyen/change", "mollie"])
@pytest.mark.parametrize("what", ["capture", "refund"])
def test_a_failure_is_told_before_the_answer(shop, what, psp):
    """Nothing but that webhook tells of it: the answer is "received"."""
    shop.mock.settings(**{f"{what}_result": "failed"})
    made = asked(shop, what, psp)
    fault(made, what, "told_first")
    ends(made, ask(made, what), "FAILED")
    assert listed(made, what) == ["FAILED"]
    made.agree()
    assert breaches(made.stack, "change_waits") == []


def test_a_capture_in_the_dashboard_is_not_ours(shop):
    """Of the same amount and before the answer that names ours."""
    made = asked(shop, "capture", "adyen/payment")
    made.silence()
    fault(made, "capture", "delay", ms=900, before=True)
    shop.mock.settings(capture_result="failed")
    made.at_psp("capture", amount_minor=500)
    (outside,) = made.unsent()
    answer = ask(made, "capture")
    tell(made, outside)
    ends(made, answer, "EXECUTING")
    for event in made.unsent()[1:]:
        tell(made, event)
    ends(made, answer, "FAILED")
    assert sorted(listed(made, "capture")) == ["FAILED", "SUCCESS"]
    assert made.sums()["sale"] == 500
    assert breaches(made.stack, "change_waits") == []


def test_the_timeline_says_that_the_two_are_one(shop):
    made = asked(shop, "capture", "adyen/payment")
    fault(made, "capture", "told_first")
    answer = ask(made, "capture")
    shown = ends(made, answer, "SUCCESS")
    events = made.stack.timeline(made.order_id)
    (matched,) = [e for e in events if e["kind"] == "capture_matched"]
    assert matched["detail"]["change_id"] == shown["capture_id"]
    (captured,) = [e for e in events if e["kind"] == "captured"]
    assert captured["detail"]["change_id"] == matched["detail"]["matched"]
    assert matched["detail"]["by"] in ("amount", "reference")
