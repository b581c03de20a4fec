"""Money that is held while a review is open: what storefronts see, and that an
approval captures it once and a rejection never."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.own_stack import wait_for
from support.sold import Sold, books_hold

LARGE = ("6000.00",)
HOLDING = ("generic", "stripe", "adyen")


@pytest.fixture
def shop(stack):
    yield stack
    books_hold(stack)


def decide(stack, made, act: str, who: str = "ann") -> str:
    """The answer of payctl."""
    reasons = {"approve": "known_buyer", "reject": "stolen_card"}
    number = stack.value(
        "SELECT review_id::text FROM pay.risk_review WHERE checkout_id = %s",
        made.id,
    )
    words = [act, number, "--reason", reasons[act], "--who", who]
    done = subprocess.run(
        [stack.values["PAYCTL"], "risk", "review", *words],
        env={"PAYCTL_DSN": stack.values["PG_ADMIN_DSN"], "LOGNAME": "ann"},
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr).strip()


def held(stack, psp: str, **more) -> Sold:
    made = Sold.of(stack, psp, LARGE, **more)
    stack.mock.pay(made.token)
    made.reaches(status="EXECUTING", amount_authorized="6000.00")
    return made


def captures(made) -> list[tuple]:
    """One that the webhook told of before our call was answered is matched
    with ours (docs/psps.md#after-the-sale)."""
    return made.stack.sql(
        "SELECT amount_minor, status FROM pay.change"
        " WHERE checkout_id = %s AND kind = 'capture'"
        " AND matched_to IS NULL",
        made.id,
    )


@pytest.mark.parametrize("psp", HOLDING)
def test_an_approval_captures_what_was_held(shop, psp):
    made = held(shop, psp)
    shown = made.order()
    assert (shown["status"], shown["reason"]) == ("EXECUTING", "on_hold")
    assert made.money()["captured"] == 0
    refused = made.capture()
    assert refused.status_code == 409
    assert "on hold" in refused.json()["detail"]
    assert decide(shop, made, "approve") == "approved"
    shown = made.reaches(status="SUCCESS", amount_captured="6000.00")
    assert (shown["reason"], shown["amount_authorized"]) == (None, "0.00")
    assert captures(made) == [(600000, "SUCCESS")]
    assert made.money()["captured"] == 600000
    assert len(made.deeds("capture")) == 1
    made.agree()


@pytest.mark.parametrize("psp", HOLDING)
def test_a_rejection_releases_what_was_held(shop, psp):
    made = held(shop, psp)
    assert decide(shop, made, "reject") == "rejected"
    shown = made.reaches(status="FAILED", amount_authorized="0.00")
    assert shown["reason"] == "cancelled"
    assert captures(made) == [] and made.deeds("capture") == []
    assert made.money()["captured"] == 0


def test_an_order_that_is_approved_first_is_captured_when_it_is_paid(shop):
    made = Sold.of(shop, "generic", LARGE)
    assert decide(shop, made, "approve") == "approved"
    shop.mock.pay(made.token)
    wait_for(
        lambda: made.order()["status"] == "SUCCESS", "a round to capture", 90
    )
    assert captures(made) == [(600000, "SUCCESS")]


def test_of_many_approvals_one_captures(shop):
    made = held(shop, "generic")
    with ThreadPoolExecutor(4) as pool:
        said = list(
            pool.map(
                lambda who: decide(shop, made, "approve", f"r{who}"), range(4)
            )
        )
    assert said.count("approved") == 1, said
    made.reaches(status="SUCCESS")
    assert captures(made) == [(600000, "SUCCESS")]


def test_a_psp_that_cannot_hold_money_takes_it(shop):
    made = Sold.of(shop, "paypal", LARGE)
    shop.mock.pay(made.token)
    made.reaches(status="SUCCESS", amount_captured="6000.00")
    assert decide(shop, made, "approve") == "approved"
    assert captures(made) == []


def test_a_storefront_that_captures_itself_does_so(shop):
    made = held(shop, "generic", capture="manual")
    assert made.order()["reason"] is None
    assert decide(shop, made, "approve") == "approved"
    assert captures(made) == []
    assert made.capture("1000.00").status_code == 201
    made.reaches(amount_captured="1000.00", amount_authorized="5000.00")


def test_each_seller_of_a_checkout_is_captured(shop):
    made = Sold.of(shop, "generic", ("4000.00", "3000.00"))
    shop.mock.pay(made.token)
    made.reaches(status="EXECUTING", amount_authorized="4000.00")
    assert decide(shop, made, "approve") == "approved"
    first, second = made.order_ids
    made.reaches(amount_captured="4000.00")
    wait_for(
        lambda: made.order(second)["amount_captured"] == "3000.00",
        "the other order to be captured",
    )
    assert made.order(first)["status"] == "SUCCESS"
    assert sorted(captures(made)) == [(300000, "SUCCESS"), (400000, "SUCCESS")]
    made.agree()


def test_the_same_key_gets_the_same(shop):
    body = shop.order("stripe", amounts=LARGE)
    first = shop.post(body, "key-" + body["checkout_id"])
    again = shop.post(body, "key-" + body["checkout_id"])
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert shop.value(
        "SELECT capture FROM pay.checkout WHERE checkout_id = %s",
        body["checkout_id"],
    ) == ("manual")
