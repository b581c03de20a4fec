"""A card is known when its PSP has spoken of it: windows, lists, holds and
voids, as a buyer, an operator and a storefront meet them."""

import json

import pytest
from support.captured import items, unsent, withheld
from support.own_stack import new_id, wait_for
from test_risk import payctl

# ci/nginx.conf.in
LIMIT = 3
VELOCITIES = {
    "card-1m": "key=card window=1m limit=3 then=review",
    "card-1h": "key=card window=1h limit=20 then=review",
    "card-1d": "key=card window=24h limit=10000.00USD of=amount then=review",
    "ip-10m": "key=ip window=10m limit=10 then=block",
}
HOLDS = "payments_risk              on;"


def bought(stack, card: str, psp="generic", bin_="424242", **words) -> dict:
    """A checkout that is paid with a card, and has its word about it."""
    made = stack.post(stack.order(psp, **words)).json()
    token = stack.mock.books(
        nonce=made["payment_orders"][0]["payment_order_id"]
    )["registrations"][0]["token"]
    stack.mock.pay(token, card=card, bin=bin_)
    wait_for(lambda: cards(stack, made), "the word about the card")
    wait_for(lambda: has_money(order(stack, made)), "the money")
    return made


def has_money(order: dict) -> bool:
    """Taken, or held for a review."""
    return order["status"] == "SUCCESS" or order["reason"] == "on_hold"


def cards(stack, made) -> int:
    return stack.value(
        "SELECT count(*) FROM pay.risk_card WHERE checkout_id = %s",
        made["checkout_id"],
    )


def order(stack, made) -> dict:
    (first,) = made["payment_orders"]
    return stack.get(f"/v1/payments/{first['payment_order_id']}").json()


def after(stack, made) -> list:
    return stack.sql(
        "SELECT decision, effect, hits -> 0 ->> 'name' FROM pay.risk_after"
        " WHERE checkout_id = %s ORDER BY after_id",
        made["checkout_id"],
    )


def review(stack, made) -> str | None:
    rows = stack.sql(
        "SELECT r.state, count(h) FROM pay.risk_review r"
        " JOIN pay.payment_order o USING (merchant_id, checkout_id)"
        " LEFT JOIN pay.payout_hold h USING (merchant_id, payment_order_id)"
        " WHERE r.checkout_id = %s GROUP BY 1",
        made["checkout_id"],
    )
    return rows[0] if rows else None


def first_id(made) -> str:
    return made["payment_orders"][0]["payment_order_id"]


@pytest.fixture
def listed(stack):
    """listed(EFFECT, KIND, VALUE): an entry until the test's end."""
    made = []

    def add(*words):
        payctl(stack, "risk", "list", "add", *words, "--why", "a test")
        made.append(words)

    yield add
    for words in made:
        payctl(stack, "risk", "list", "remove", *words, "--why", "over")


def test_the_four_windows_of_the_demonstration_are_live(stack):
    text = stack.pristine
    for name, words in VELOCITIES.items():
        (line,) = [
            line
            for line in text.splitlines()
            if "payments_risk_velocity" in line and f" {name} " in line
        ]
        assert line.split()[2] == "merchant=acme"
        assert line.strip().rstrip(";").split()[3:] == words.split(), line
    assert "large merchant=acme if amount>5000.00USD then=review;" in text


def test_a_card_that_comes_too_often_is_held(stack):
    card = new_id()
    made = [bought(stack, card) for _ in range(LIMIT + 1)]
    for within in made[:-1]:
        assert after(stack, within) == [] and review(stack, within) is None
    assert after(stack, made[-1]) == [("review", "hold", "card-1m")]
    assert review(stack, made[-1]) == ("open", 1)
    assert stack.sql(
        "SELECT sum(attempts)::int FROM pay.risk_counter WHERE kind = 'card'"
        " AND value = (SELECT card FROM pay.risk_card WHERE checkout_id = %s)",
        made[0]["checkout_id"],
    ) == [(LIMIT + 1,)]
    shown = payctl(
        stack, "risk", "show", "--merchant", "acme", made[-1]["checkout_id"]
    )
    assert "card-1m" in shown.split() and card not in shown


def test_the_amounts_of_a_card_are_summed(stack):
    card = new_id()
    small = bought(stack, card, amounts=("4000.00",))
    assert after(stack, small) == []
    large = bought(stack, card, amounts=("6000.01",))
    assert after(stack, large) == [("review", "hold", "card-1d")]
    # the rule about large amounts had opened it already
    assert review(stack, large) == ("open", 1)


def test_a_card_is_listed_by_its_order_and_by_its_hash(stack):
    card = new_id()
    made = bought(stack, card)
    said = payctl(
        stack, "risk", "list", "add", "block", "card", first_id(made),
        "--merchant", "acme", "--why", "stolen",
    )  # fmt: skip
    assert said.startswith("added")
    again = bought(stack, card)
    assert after(stack, again) == [("block", "hold", "card")]
    assert review(stack, again) == ("open", 1)
    hash_ = stack.value(
        "SELECT card FROM pay.risk_card WHERE checkout_id = %s",
        made["checkout_id"],
    )
    assert hash_ in payctl(
        stack, "risk", "show", "--merchant", "acme", made["checkout_id"]
    )
    words = ("block", "card", hash_, "--merchant", "acme", "--why", "over")
    payctl(stack, "risk", "list", "remove", *words)
    payctl(stack, "risk", "list", "add", *words)
    payctl(stack, "risk", "list", "remove", *words)
    said = payctl(
        stack, "risk", "list", "add", "block", "card", first_id(made),
        "--why", "no merchant", code=2,
    )  # fmt: skip
    assert "--merchant" in said


def test_a_bin_and_a_country_of_cards_are_listed(stack, listed):
    listed("review", "bin", "401234")
    made = bought(stack, new_id(), bin_="40123456")
    assert after(stack, made) == [("review", "hold", "bin")]
    said = payctl(
        stack, "risk", "list", "add", "challenge", "bin", "401235",
        "--why", "too late", code=1,
    )  # fmt: skip
    assert "challenge" in said


def test_a_duplicate_event_decides_nothing_again(stack):
    card = new_id()
    made = [bought(stack, card) for _ in range(LIMIT + 1)][-1]
    before = after(stack, made)
    (paid,) = stack.mock.books(nonce=first_id(made))["registrations"]
    for _ in range(2):
        told = stack.mock.webhook(
            dialect="generic",
            type="registration.paid",
            data={
                "token": paid["token"], "nonce": first_id(made),
                "payment_id": paid["payment_id"], "amount": "12.34",
                "currency": "USD", "risk": {"card": card, "bin": "424242"},
            },
        )  # fmt: skip
        assert told["status"] in (200, 204), told
    assert after(stack, made) == before


def test_a_void_gives_the_money_back(stack, listed):
    listed("block", "bin", "409999")
    stack.configure((HOLDS, HOLDS + " payments_risk_after block=void;"))
    try:
        made = bought(stack, new_id(), bin_="409999")
        assert after(stack, made) == [("block", "void", "bin")]
        # by the next round of the watchdog
        wait_for(
            lambda: order(stack, made)["amount_refunded"] == "12.34",
            "the refund",
        )
        assert review(stack, made) == ("rejected", 1)
    finally:
        stack.configure()
    assert stack.sql(
        "SELECT kind, reason FROM pay.change WHERE checkout_id = %s",
        made["checkout_id"],
    ) == [("refund", "risk")]


def hinted(genuine, **more) -> bytes:
    """The same message, with other members where no signature covers them."""
    message = json.loads(genuine.body)
    for each in items(message):
        each["additionalData"] |= more
    return json.dumps(message).encode()


HINTS = {
    "alias": "card-of-eve", "cardBin": "555544", "issuerCountry": "FR",
    "fraudResultType": "RED", "totalFraudScore": "100",
}  # fmt: skip


def test_what_adyen_does_not_sign_is_a_hint_and_no_more(stack):
    """RED and the highest score move nothing; the first word about an attempt
    stays; and where the signed part is another one, nothing of it is kept."""
    made = stack.created("adyen")
    withheld(stack, made)
    stack.mock.pay(made.token)
    genuine = unsent(stack, made)[0]
    raised = hinted(genuine, **HINTS).replace(b"1234", b"9234")
    assert genuine.send(stack, raised).status_code == 401
    told = {"checkout_id": made.id, "payment_orders": [
        {"payment_order_id": made.order_id}]}  # fmt: skip
    assert cards(stack, told) == 0
    assert genuine.send(stack, hinted(genuine, **HINTS)).status_code == 200
    made.becomes("SUCCESS")
    known = (
        "SELECT bin, country, level, score, is_hint FROM pay.risk_card"
        " WHERE checkout_id = %s"
    )
    said = [("555544", "FR", "highest", 100, True)]
    assert stack.sql(known, made.id) == said
    assert (after(stack, told), review(stack, told)) == ([], None)
    # signed alike, and another word where it is not signed
    calm = {**HINTS, "fraudResultType": "GREEN", "cardBin": "400000"}
    assert genuine.send(stack, hinted(genuine, **calm)).status_code == 200
    assert stack.sql(known, made.id) == said


def test_a_hint_meets_the_lists_and_holds(stack, listed):
    """As docs/risk.md has it: lists see unsigned words, too, and all they can
    do is to hold a payment, or to give it back."""
    listed("block", "bin", "555544")
    made = stack.created("adyen")
    withheld(stack, made)
    stack.mock.pay(made.token)
    genuine = unsent(stack, made)[0]
    assert genuine.send(stack, hinted(genuine, **HINTS)).status_code == 200
    made.becomes("SUCCESS")
    told = {"checkout_id": made.id}
    assert after(stack, told) == [("block", "hold", "bin")]
    assert review(stack, told) == ("open", 1)


def test_in_shadow_a_card_is_only_noted(stack, listed):
    listed("block", "bin", "408888")
    card = new_id()
    stack.configure((HOLDS, "payments_risk              shadow;"))
    try:
        made = [bought(stack, card, bin_="408888") for _ in range(LIMIT + 1)]
    finally:
        stack.configure()
    assert after(stack, made[-1]) == [("allow", "none", "card-1m")]
    assert review(stack, made[-1]) is None


def test_while_cards_are_tested_each_checkout_is_challenged(stack):
    line = (
        HOLDS + " payments_watchdog interval=200ms;"
        " payments_risk_card_testing share=90% window=1m for=2s then=challenge;"
    )
    stack.sql("DELETE FROM pay.risk_mode")

    def metric() -> str:
        return stack.http.get("/metrics").text

    def decided() -> tuple:
        (row,) = stack.sql(
            "SELECT decision, decided_by FROM pay.risk_decision"
            " WHERE merchant_id = 'globex' AND checkout_id = %s",
            stack.post(stack.order(), merchant="OTHER_").json()["checkout_id"],
        )
        return row

    stack.configure((HOLDS, line))
    try:
        assert decided() == ("allow", "none")
        made = stack.post(stack.order(), merchant="OTHER_").json()
        token = stack.mock.books(nonce=first_id(made))["registrations"][0]
        for n in range(60):
            stack.mock.pay(token["token"], "attempt", card=f"{new_id()}-{n}")
        wait_for(lambda: "payments_risk_modes 1" in metric(), "the mode")
        assert decided() == ("challenge", "mode")
        shown = payctl(stack, "risk", "modes", "--merchant", "globex")
        assert "globex" in shown and "on" in shown
        # an attempt that is an hour old is in no window
        stack.sql("UPDATE pay.risk_card SET at = at - interval '1 h'")
        wait_for(lambda: "payments_risk_modes 0" in metric(), "its end")
        assert decided() == ("allow", "none")
    finally:
        stack.configure()
