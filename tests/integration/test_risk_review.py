"""Reviewers decide about checkouts of the decision review, with payctl."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.own_stack import wait_for


def payctl(stack, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [stack.values["PAYCTL"], "risk", "review", *words],
        env={"PAYCTL_DSN": stack.values["PG_ADMIN_DSN"], "LOGNAME": "ann"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def review(stack) -> tuple[str, str]:
    """The number of a new review and the id of its order, which is not paid."""
    asked = stack.order(amounts=("6000.00",))
    answer = stack.post(asked)
    assert answer.status_code == 201, answer.text
    (order,) = answer.json()["payment_orders"]
    assert order["status"] != "FAILED"
    (line,) = [
        line
        for line in payctl(stack, "list")[1].splitlines()
        if asked["checkout_id"] in line
    ]
    return re.findall(r"\d+", line)[0], order["payment_order_id"]


def test_of_many_claims_one_succeeds_and_holds(stack, review):
    number, _ = review
    with ThreadPoolExecutor(8) as pool:
        done = list(
            pool.map(
                lambda who: payctl(stack, "claim", number, "--who", f"r{who}"),
                range(8),
            )
        )
    assert sorted(code for code, _ in done) == [0] + [1] * 7, done
    assert all("claimed" in text for code, text in done if code == 1)
    code, text = payctl(
        stack, "approve", number, "--reason", "known_buyer", "--who", "other"
    )
    assert code == 1 and "another reviewer has claimed it" in text


def test_above_an_amount_two_reviewers_say_the_same(stack):
    asked = stack.order(amounts=("50000.01",))
    assert stack.post(asked).status_code == 201
    number, hours = stack.sql(
        "SELECT review_id::text, extract(epoch FROM deadline - at)::int / 3600"
        " FROM pay.risk_review WHERE checkout_id = %s",
        asked["checkout_id"],
    )[0]
    assert hours in (47, 48)
    words = ("approve", number, "--reason", "buyer_confirmed", "--who")
    code, text = payctl(stack, *words, "ann")
    assert code == 1 and "second" in text
    code, text = payctl(stack, *words, "Ann")
    assert code == 1 and "same_person" in text
    assert payctl(stack, *words, "bob") == (0, "approved\n")


def test_an_approval_ends_the_hold(stack, review):
    number, order_id = review
    held = "SELECT count(*) FROM pay.payout_hold WHERE payment_order_id = %s"
    assert stack.value(held, order_id) == 1
    words = ("approve", number, "--reason", "false_alarm", "--note", "Grüße")
    assert payctl(stack, *words) == (0, "approved\n")
    assert stack.value(held, order_id) == 0
    assert payctl(stack, *words)[0] == 1
    code, shown = payctl(stack, "show", number)
    assert code == 0 and "false_alarm" in shown and "Grüße" in shown


def test_a_rejection_closes_the_checkout(stack, review):
    number, order_id = review
    code, text = payctl(stack, "reject", number, "--reason", "no_answer")
    assert (code, text) == (0, "rejected\n")
    wait_for(
        lambda: stack.payment(order_id)["status"] == "FAILED", "a cancellation"
    )
    assert stack.payment(order_id)["reason"] == "cancelled"


@pytest.mark.parametrize(
    "words",
    [
        ("reject", "1"),
        ("approve", "x", "--reason", "known_buyer"),
        ("forget", "1", "--reason", "known_buyer"),
        ("claim", "1", "--lease", "soon"),
        ("claim",),
        (),
    ],
)
def test_it_says_what_it_needs(stack, words):
    code, text = payctl(stack, *words)
    assert code == 2 and "usage: payctl risk review list" in text
