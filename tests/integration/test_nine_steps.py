"""The nine steps of a payment (docs/architecture.md#the-nine-steps), in both
dialects, with nothing but HTTP: the storefront's calls, the buyer's forms, the
PSP's webhooks.
"""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import psycopg2
import pytest
from support.client import plain
from support.own_stack import CARDS, wait_for

DIALECTS = ("generic", "stripe")
WAITING = "We are waiting for your payment"
PENDING = "Your payment is being confirmed"
MONEY = {
    "usd": ("USD", ("12.34",)),
    "usd-three-sellers": ("USD", ("12.34", "0.01", "7.00")),
    "jpy": ("JPY", ("1200",)),
    "jpy-two-sellers": ("JPY", ("1200", "3")),
    "kwd": ("KWD", ("1.230",)),
    "kwd-two-sellers": ("KWD", ("1.230", "0.010")),
}


@pytest.fixture
def buyer():
    """A browser without cookies that follows nothing by itself."""
    with plain(timeout=30) as http:
        yield http


@pytest.fixture(params=DIALECTS)
def psp(request):
    return request.param


def handle(made) -> str:
    return made.facts()[1]


def hosted_page(stack, made) -> str:
    """Where the gateway sends the buyer."""
    answer = stack.http.get(made.shown["redirect_url"])
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def pay(buyer, page: str, card: str) -> httpx.Response:
    form = {"number": CARDS[card], "expiry": "12/39", "cvc": "123"}
    return buyer.post(page.partition("#")[0], data=form)


def go_back(stack, made, query: str = "") -> httpx.Response:
    return stack.http.get(f"/return/{handle(made)}{query}")


def kinds(stack, made) -> list[str]:
    return [each["kind"] for each in stack.timeline(made.order_id)]


@pytest.mark.parametrize("money", MONEY.values(), ids=MONEY.keys())
def test_a_checkout_is_paid_in_nine_steps(stack, buyer, psp, money):
    currency, amounts = money
    made = stack.created(psp, amounts=amounts, currency=currency)
    back = pay(buyer, hosted_page(stack, made), "paid")
    assert back.status_code == 303
    made.becomes("SUCCESS")
    handed = stack.http.get(back.headers["Location"])
    assert handed.status_code == 303
    shop = buyer.get(handed.headers["Location"])
    assert '<strong id="signature">valid</strong>' in shop.text
    shown = stack.get(f"/v1/checkouts/{made.id}").json()
    assert (shown["status"], shown["is_payment_done"]) == ("SUCCESS", True)
    paid = [
        (each["amount"], each["currency"], each["status"])
        for each in shown["payment_orders"]
    ]
    assert paid == [(amount, currency, "SUCCESS") for amount in amounts]


def test_orders_are_committed_before_the_psp_is_called(stack, psp):
    body = stack.order(psp)
    nonce = body["payment_orders"][0]["payment_order_id"]
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "nonce": nonce, "ms": 1500,
         "before": True}
    )  # fmt: skip
    query = (
        "SELECT o.status, r.state FROM pay.payment_order o "
        "JOIN pay.registration r USING (merchant_id, checkout_id) "
        "WHERE o.payment_order_id = %s"
    )
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(stack.post, body)
        wait_for(lambda: stack.mock.calls(nonce), "the call to the PSP")
        assert stack.sql(query, nonce) == [("NOT_STARTED", "REGISTERING")]
        assert answer.result().status_code == 201
    assert stack.sql(query, nonce) == [("EXECUTING", "REGISTERED")]


def test_created_answer_is_201_with_the_address_of_the_checkout(stack, psp):
    made = stack.created(psp)
    answer = made.answer
    assert answer.headers["Location"] == f"{stack.url}/v1/checkouts/{made.id}"
    assert made.shown["status"] == "EXECUTING"
    assert made.shown["is_payment_done"] is False
    assert made.shown["psp"] == psp
    again = stack.get(f"/v1/checkouts/{made.id}")
    assert again.json() == made.shown


def test_one_order_is_registered_under_its_own_id(stack, psp):
    made = stack.created(psp)
    books = stack.mock.books(nonce=made.order_id)
    assert [each["amount"] for each in books["registrations"]] == ["12.34"]
    assert made.nonce == made.order_id


def test_an_order_without_an_id_gets_one_that_is_the_nonce(stack, psp):
    body = stack.order(psp)
    del body["payment_orders"][0]["payment_order_id"]
    answer = stack.post(body)
    assert answer.status_code == 201
    made = answer.json()["payment_orders"][0]["payment_order_id"]
    books = stack.mock.books(nonce=made)
    assert len(books["registrations"]) == 1


def test_many_orders_are_registered_once_under_the_checkouts_uuid(stack, psp):
    made = stack.created(psp, amounts=("1.00", "2.50", "0.99"))
    uuid, _, total = made.facts()
    books = stack.mock.books(reference=uuid)
    registered = [
        (each["nonce"], each["amount"], each["requests"])
        for each in books["registrations"]
    ]
    assert registered == [(uuid, "4.49", 1)]
    assert total == 449
    assert uuid not in (made.id, *made.order_ids)


def test_the_token_is_committed_before_the_url_is_shown(stack, psp):
    """While the commit of the token hangs, nobody is answered."""
    body = stack.order(psp)
    nonce = body["payment_orders"][0]["payment_order_id"]
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "nonce": nonce, "ms": 1500}
    )
    link = psycopg2.connect(stack.values["PG_ADMIN_DSN"])
    waits = (
        "SELECT 1 FROM pg_stat_activity WHERE usename = 'payments_gateway' "
        "AND wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor() as pool, link, link.cursor() as cursor:
        answer = pool.submit(stack.post, body)
        wait_for(lambda: stack.mock.calls(nonce), "the call to the PSP")
        cursor.execute(
            "SELECT 1 FROM pay.checkout WHERE checkout_id = %s FOR UPDATE",
            (body["checkout_id"],),
        )
        wait_for(lambda: stack.sql(waits), "the commit to wait for the lock")
        assert not answer.done()
        stored = stack.value(
            "SELECT token FROM pay.registration WHERE nonce = %s", nonce
        )
        assert stored is None
        link.rollback()
        assert answer.result().status_code == 201
    link.close()
    registered = stack.mock.books(nonce=nonce)["registrations"]
    stored = stack.value(
        "SELECT token FROM pay.registration WHERE nonce = %s", nonce
    )
    assert [each["token"] for each in registered] == [stored]


def test_the_buyer_is_sent_to_the_hosted_page_and_nowhere_else(stack, psp):
    made = stack.created(psp)
    page = hosted_page(stack, made)
    assert page == made.registration["hosted_url"]
    assert urlsplit(page).netloc == urlsplit(stack.gateway.mock_url).netloc
    assert made.token in page


def test_a_paid_buyer_is_not_sent_to_the_hosted_page_again(stack, psp):
    made = stack.created(psp)
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    answer = stack.http.get(made.shown["redirect_url"])
    assert answer.status_code == 303
    assert answer.headers["Location"] == made.shown["redirect_url"] + "/status"


def test_the_result_is_signed_with_the_merchants_key(stack, buyer, psp):
    made = stack.created(psp)
    pay(buyer, hosted_page(stack, made), "paid")
    made.becomes("SUCCESS")
    shop = urlsplit(go_back(stack, made).headers["Location"])
    assert (
        f"{shop.scheme}://{shop.netloc}{shop.path}"
        == (stack.values["RETURN_URL"])
    )
    query = parse_qs(shop.query)
    key = Path(stack.values["RESULT_KEY_FILE"]).read_text().strip()
    claims = jwt.decode(
        query["result"][0],
        key,
        algorithms=["HS256"],
        audience=stack.values["MERCHANT_ID"],
        issuer=stack.url,
        options={"require": ["iss", "aud", "sub", "iat", "exp"]},
    )
    assert claims["sub"] == made.id
    assert claims["status"] == "SUCCESS"
    assert 0 < claims["exp"] - claims["iat"] <= 3600
    assert query["status"] == ["SUCCESS"]
    assert query["checkout_id"] == [made.id]


def test_a_page_without_updates_leaves_with_a_result_of_the_click(stack, psp):
    """It had a result of its own age: 10 minutes later no shop took it."""
    made = stack.created(psp)
    page = made.shown["redirect_url"] + "/status"
    assert "result=" in stack.http.get(page).text
    paused = stack.http.get(f"{page}?pause=1").text
    assert "result=" not in paused and "/status?leave=1" in paused
    answer = stack.http.get(f"{page}?leave=1")
    assert answer.status_code == 303, answer.text
    place, _, query = answer.headers["Location"].partition("?")
    assert place == stack.values["RETURN_URL"]
    claims = jwt.decode(
        parse_qs(query)["result"][0],
        Path(stack.values["RESULT_KEY_FILE"]).read_text().strip(),
        algorithms=["HS256"],
        audience=stack.values["MERCHANT_ID"],
    )
    assert (claims["sub"], claims["status"]) == (made.id, "EXECUTING")
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    answer = stack.http.get(f"{page}?leave=1")
    assert "/return/" in answer.headers["Location"], answer.headers


def test_the_result_does_not_verify_with_another_merchants_key(stack, psp):
    made = stack.created(psp)
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    shop = urlsplit(go_back(stack, made).headers["Location"])
    key = (stack.gateway.secrets / "globex.result").read_text().strip()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(
            parse_qs(shop.query)["result"][0],
            key,
            algorithms=["HS256"],
            audience=stack.values["MERCHANT_ID"],
        )


def test_a_return_url_with_a_query_keeps_it(stack):
    url = stack.values["RETURN_URL"] + "?basket=7"
    made = stack.created(return_url=url)
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    shop = urlsplit(go_back(stack, made).headers["Location"])
    query = parse_qs(shop.query)
    assert query["basket"] == ["7"]
    assert query["status"] == ["SUCCESS"]


LIES = (
    "?status=SUCCESS",
    "?payResult=success&payment_status=paid",
    "?result=eyJhbGciOiJub25lIn0.eyJzdGF0dXMiOiJTVUNDRVNTIn0.",
    "?session_id=cs_test_forged&redirect_status=succeeded",
    "?return_url=https://evil.example/",
)


@pytest.mark.parametrize("lie", LIES)
def test_the_query_string_of_the_way_back_changes_nothing(stack, psp, lie):
    made = stack.created(psp)
    answer = go_back(stack, made, lie)
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    assert "evil.example" not in answer.text
    assert "We are waiting for your payment" in answer.text
    assert made.states() == {("EXECUTING", None)}


def test_the_way_back_asks_the_psp_when_the_webhook_was_lost(stack, psp):
    made = stack.created(psp)
    stack.mock.faults(
        {"operation": "webhook", "kind": "none", "nonce": made.nonce,
         "sticky": True}
    )  # fmt: skip
    stack.mock.pay(made.token, "paid")
    answer = go_back(stack, made)
    assert answer.status_code == 303
    assert "status=SUCCESS" in answer.headers["Location"]
    assert made.states() == {("SUCCESS", None)}


def test_a_buyer_who_hammers_the_way_back_does_not_hammer_the_psp(stack, psp):
    """Each return of an open payment was a call on the PSP's quota."""
    made = stack.created(psp=psp)
    start = time.monotonic()
    for _ in range(40):
        assert go_back(stack, made).status_code == 200
    seconds = time.monotonic() - start
    books = stack.mock.books(token=made.token)["requests"]
    asked = [call for call in books if call["operation"] == "query"]
    # one a second in each of the two workers
    assert 1 <= len(asked) <= 2 * (seconds + 1)


def test_the_timeline_tells_the_steps_in_order(stack, buyer, psp):
    made = stack.created(psp, amounts=("1.00", "2.00"))
    stack.mock.pay(made.token, "pending")
    wait_for(lambda: "pending" in kinds(stack, made), "the pending event")
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    for order_id in made.order_ids:
        events = stack.timeline(order_id)
        steps = [
            (each["seq"], each["kind"], each["actor"], each["new_status"])
            for each in events
        ]
        assert steps == [
            (1, "created", "merchant", "NOT_STARTED"),
            (2, "registered", "gateway", "EXECUTING"),
            (3, "pending", "webhook", "EXECUTING"),
            (4, "paid", "webhook", "SUCCESS"),
        ]
        times = [each["at"] for each in events]
        assert times == sorted(times)


def test_a_pending_payment_shows_a_page_that_asks_again(stack, buyer, psp):
    made = stack.created(psp)
    stack.mock.settings(pending_ms=60_000)
    back = pay(buyer, hosted_page(stack, made), "pending")
    answer = stack.http.get(back.headers["Location"])
    assert answer.status_code == 200
    # the PSP's word may not have come yet, and some PSPs say none
    assert re.search(f"<h1>({WAITING}|{PENDING})</h1>", answer.text)
    assert 'http-equiv="refresh"' in answer.text or "Refresh" in answer.headers
    assert made.states() == {("EXECUTING", None)}


def test_a_pending_payment_is_paid_later(stack, buyer, psp):
    made = stack.created(psp)
    stack.mock.settings(pending_ms=300)
    pay(buyer, hosted_page(stack, made), "pending")
    made.becomes("SUCCESS")
    assert kinds(stack, made)[2:] in (["pending", "paid"], ["paid"])


def test_a_declined_card_fails_at_a_psp_that_tells(stack, buyer):
    made = stack.created("generic")
    answer = pay(buyer, hosted_page(stack, made), "declined")
    assert answer.status_code == 402
    made.becomes("FAILED", "declined")
    back = go_back(stack, made)
    assert back.status_code == 303
    assert "status=FAILED" in back.headers["Location"]


def test_a_declined_card_is_no_news_at_a_psp_that_keeps_quiet(stack, buyer):
    made = stack.created("stripe")
    page = hosted_page(stack, made)
    assert pay(buyer, page, "declined").status_code == 402
    assert made.states() == {("EXECUTING", None)}
    pay(buyer, page, "paid")
    made.becomes("SUCCESS")


def test_a_late_success_after_a_decline_counts(stack, buyer):
    made = stack.created("generic")
    page = hosted_page(stack, made)
    pay(buyer, page, "declined")
    made.becomes("FAILED", "declined")
    pay(buyer, page, "paid")
    made.becomes("SUCCESS")
    assert stack.payment(made.order_id)["is_payment_done"] is True


def test_a_buyer_who_cancels_fails_the_order(stack, buyer):
    made = stack.created("generic")
    back = buyer.get(hosted_page(stack, made) + "/cancel")
    assert back.status_code == 303
    made.becomes("FAILED", "cancelled")


def test_a_link_back_from_stripe_leaves_the_session_open(stack, buyer):
    made = stack.created("stripe")
    page = hosted_page(stack, made).partition("#")[0]
    back = buyer.get(page + "/cancel")
    assert stack.http.get(back.headers["Location"]).status_code == 200
    assert made.states() == {("EXECUTING", None)}
    pay(buyer, page, "paid")
    made.becomes("SUCCESS")


def test_a_session_that_expires_fails_the_order(stack, psp):
    made = stack.created(psp)
    stack.mock.pay(made.token, "expired")
    made.becomes("FAILED", "expired")
    shown = stack.get(f"/v1/checkouts/{made.id}").json()
    assert shown["is_payment_done"] is False
    assert {each["reason"] for each in shown["payment_orders"]} == {"expired"}


def test_a_bank_that_approves_the_challenge_pays(stack, buyer, psp):
    made = stack.created(psp)
    asked = pay(buyer, hosted_page(stack, made), "three_ds")
    assert made.states() == {("EXECUTING", None)}
    challenge = stack.gateway.mock_url + asked.headers["Location"]
    buyer.post(challenge, data={"answer": "approve"})
    made.becomes("SUCCESS")


def test_a_bank_that_refuses_the_challenge_declines(stack, buyer):
    made = stack.created("generic")
    asked = pay(buyer, hosted_page(stack, made), "three_ds")
    challenge = stack.gateway.mock_url + asked.headers["Location"]
    buyer.post(challenge, data={"answer": "refuse"})
    made.becomes("FAILED", "declined")


def test_an_amount_that_the_psp_cannot_take_is_refused_unstored(stack):
    body = stack.order("stripe", amounts=("1.234",), currency="KWD")
    answer = stack.post(body)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/amount-invalid")
    order_id = body["payment_orders"][0]["payment_order_id"]
    assert stack.mock.calls(order_id) == []
    assert stack.get(f"/v1/payments/{order_id}").status_code == 404


@pytest.mark.parametrize(
    "path", ("/checkout/{}", "/checkout/{}/status", "/return/{}")
)
@pytest.mark.parametrize(
    "wrong", ("x", "A" * 32, "-" * 32, "%00", "{token}", "{id}")
)
def test_a_handle_that_was_guessed_leads_nowhere(stack, path, wrong):
    made = stack.created()
    wrong = wrong.format(token=made.token, id=made.id)
    answer = stack.http.get(path.format(wrong))
    assert answer.status_code in (400, 404)
    assert made.id not in answer.text
    assert "Location" not in answer.headers
