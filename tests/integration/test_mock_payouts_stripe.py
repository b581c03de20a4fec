"""Stripe Connect in the mock: a transfer, then a payout, by our adapter."""

from support.mock_payouts import DAY_S

STRIPE = "stripe"


def parcel(payouts):
    to = {"kind": "payee", "payee": "acct_1"}
    return payouts.parcel(payouts.item(to=to))


def test_a_transfer_and_a_payout_pay_once(payouts):
    made = parcel(payouts)
    payouts.run(STRIPE, made, 2)
    payouts.until(STRIPE, made, "paid")
    row = payouts.paid(STRIPE, made["key"])
    assert (row["count"], row["live"], row["left_minor"]) == (1, 1, 3000)
    again = payouts.call(STRIPE, "send", made)
    assert again["reference"] == made["ids"][1]
    assert payouts.paid(STRIPE, made["key"])["count"] == 1


def test_a_key_behind_its_window_moves_money_again(payouts):
    made = parcel(payouts)
    payouts.run(STRIPE, made)
    payouts.advance(DAY_S + 1)
    again = payouts.call(STRIPE, "send", made)
    assert again["reference"] != made["ids"][0]


def test_lost_answers_are_found_in_the_lists(payouts):
    made = parcel(payouts)
    payouts.fault(STRIPE, "transfer", "drop_after_accept")
    assert payouts.call(STRIPE, "send", made)["outcome"] == "unknown"
    found = payouts.call(STRIPE, "find", made)
    made |= {"step": 1, "ids": [found["reference"]]}
    payouts.fault(STRIPE, "send", "drop_after_accept")
    assert payouts.call(STRIPE, "send", made)["outcome"] == "unknown"
    assert payouts.call(STRIPE, "find", made)["outcome"] == "done"


def test_a_failed_payout_leaves_the_money_to_be_reversed(payouts):
    steps = [{"state": "in_transit"}, {"state": "paid"}]
    late = {"state": "failed", "after_s": 4 * DAY_S, "code": "account_closed"}
    payouts.fate(STRIPE, *steps, late)
    made = parcel(payouts)
    payouts.run(STRIPE, made, 2)
    payouts.until(STRIPE, made, "paid")
    payouts.advance(5 * DAY_S)
    (event,) = payouts.call(STRIPE, "ask", made)["events"]
    assert (event["state"], event["code"]) == ("failed", "account_closed")
    back = payouts.call(STRIPE, "cancel", made | {"step": 0})
    assert back["events"][0]["state"] == "returned"
    assert {e["minor"] for e in payouts.books()["balances"]} == {0, 10**14}


def test_a_transfer_without_funds_is_ours(payouts):
    payouts.control(
        "payouts/balance", provider=STRIPE, currency="EUR", minor=2999
    )
    short = payouts.call(STRIPE, "send", parcel(payouts))
    assert (short["code"], short["is_ours"]) == ("balance_insufficient", True)


def test_a_wrong_echo_is_a_mismatch(payouts):
    for kind in ("wrong_amount", "wrong_currency", "wrong_account"):
        payouts.fault(STRIPE, "transfer", kind)
        got = payouts.call(STRIPE, "send", parcel(payouts))
        assert got["code"] == "answer_mismatch"


def test_webhooks_name_the_connected_account(payouts):
    made = parcel(payouts)
    payouts.run(STRIPE, made, 2)
    payouts.until(STRIPE, made, "paid")
    told = payouts.told(STRIPE, 4)
    assert {each["payee"] for each in told} == {"acct_1"}


def test_a_reversal_behind_its_keys_window_is_the_first_one(payouts):
    made = parcel(payouts)
    payouts.run(STRIPE, made)
    payouts.fault(STRIPE, "cancel", "drop_after_accept")
    assert payouts.call(STRIPE, "cancel", made)["outcome"] == "unknown"
    payouts.advance(DAY_S + 1)
    back = payouts.call(STRIPE, "cancel", made)
    assert (back["outcome"], back["events"][0]["state"]) == ("done", "returned")
    assert {e["minor"] for e in payouts.books()["balances"]} == {0, 10**14}
