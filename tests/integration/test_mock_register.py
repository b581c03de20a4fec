"""The mock PSP registers as the PSPs do: once for a key, nothing that a PSP
would refuse, in its words.  The PSPs' own clients say the same of what they
understand (test_psp_clients).
"""

import base64
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.mock_client import (
    DIALECTS,
    RETURN,
    at,
    ends,
    paypals,
    said,
)
from support.mock_server import until

# Once for a key.


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_registers_once_and_is_replayed(psp, dialect):
    first = psp.register(dialect, "key-1")
    again = psp.register(dialect, "key-1")
    wanted = {"adyen": (201, 201), "mollie": (201, 201), "generic": (201, 200)}
    wanted |= {"paypal": (201, 200)}
    statuses = first.status_code, again.status_code
    assert statuses == wanted.get(dialect, (200, 200))
    assert first.json() == again.json()
    replayed = [
        each.headers.get("Idempotent-Replayed") for each in (first, again)
    ]
    says_so = dialect in ("mollie", "stripe")
    assert replayed == [None, "true" if says_so else None]
    (booked,) = psp.books()["registrations"]
    assert (booked["nonce"], booked["reference"]) == ("key-1", "checkout-1")
    assert (booked["requests"], booked["amount"]) == (2, "12.34")


def test_paypals_repeat_tells_how_the_order_stands_now(psp):
    psp.buy(psp.made("paypal", "key-1"))
    assert psp.register("paypal", "key-1").json()["status"] == "APPROVED"


@pytest.mark.parametrize(
    ("dialect", "change", "status", "word"),
    [
        ("adyen", {"reference": "other"}, 422, "704"),
        ("generic", {"reference": "other"}, 422, "nonce_reused"),
        ("square", {"checkout_options": {}}, 400, "IDEMPOTENCY_KEY_REUSED"),
        ("stripe", {"client_reference_id": "x"}, 400, "idempotency_error"),
        ("mollie", {"description": "x"}, 409, None),
    ],
)
def test_a_key_with_another_body_is_refused(psp, dialect, change, status, word):
    psp.register(dialect, "key-1")
    answer = psp.register(dialect, "key-1", change)
    assert answer.status_code == status
    if dialect == "stripe":
        assert answer.json()["error"]["type"] == word
    elif word:
        assert said(dialect, answer) == word
    assert len(psp.books()["registrations"]) == 1


@pytest.mark.parametrize(
    ("dialect", "status", "word"),
    [
        ("adyen", 422, "704"),
        ("generic", 409, None),
        ("paypal", 409, "PREVIOUS_REQUEST_IN_PROGRESS"),
        ("stripe", 409, None),
    ],
)
def test_a_key_that_is_worked_on_conflicts(psp, dialect, status, word):
    psp.fault("register", "hold", dialect=dialect)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(psp.register, dialect, "key-1")
        until(lambda: psp.books(nonce="key-1")["requests"], "the first call")
        others = list(
            pool.map(lambda _: psp.register(dialect, "key-1"), range(7))
        )
        psp.control("faults/release")
        assert first.result().status_code in (200, 201)
    assert {each.status_code for each in others} == {status}
    if word:
        assert {said(dialect, each) for each in others} == {word}
    if dialect == "adyen":
        assert others[0].headers["transient-error"] == "true"
    assert len(psp.books()["registrations"]) == 1


def test_stripe_stores_nothing_for_a_validation_failure(psp):
    bad = psp.register("stripe", "key-1", {"expires_at": "12"})
    assert bad.status_code == 400
    assert psp.register("stripe", "key-1").status_code == 200


def test_stripe_replays_a_stored_500_for_ever(psp):
    psp.fault("register", "status", dialect="stripe", status=500)
    got = [psp.register("stripe", "key-1").status_code for _ in range(3)]
    assert got == [500, 500, 500]
    assert psp.books()["registrations"] == []


def test_paypals_orders_need_a_request_id(psp):
    body = psp.order("paypal")
    bare = psp.call("paypal", "POST", "", body)
    long = psp.call("paypal", "POST", "", body, "k" * 109)
    for answer in (bare, long):
        assert said("paypal", answer) == "PAYPAL_REQUEST_ID_REQUIRED"


def test_paypals_order_without_a_source_needs_none_and_is_another(psp):
    body = psp.order("paypal", payment_source=None)
    ids = {psp.call("paypal", "POST", "", body).json()["id"] for _ in range(2)}
    assert len(ids) == 2


def test_one_seed_gives_the_same_tokens(psp):
    first = psp.made("generic")["token"]
    psp.control("reset", seed=7)
    assert psp.made("generic")["token"] == first
    psp.control("reset", seed=8)
    assert psp.made("generic")["token"] != first


# The shape of answers.

LOOKS = [
    ("stripe", "id", r"cs_test_[A-Za-z0-9]{58}"),
    ("stripe", "url", r".*/stripe/c/pay/cs_test_\w{58}#.{251,}"),
    ("stripe", "object", "checkout.session"),
    ("stripe", "status", "open"),
    ("stripe", "payment_status", "unpaid"),
    ("stripe", "amount_total", "1234"),
    ("stripe", "currency", "usd"),
    ("stripe", "client_reference_id", "checkout-1"),
    ("stripe", "metadata.checkout", "c1"),
    ("generic", "token", "reg_.*"),
    ("adyen", "id", "PL.*"),
    ("adyen", "url", ".*/adyen/pay/PL.*"),
    ("adyen", "status", "active"),
    ("adyen", "reference", "checkout-1"),
    ("adyen", "amount.value", "1234"),
    ("mollie", "id", "tr_.*"),
    ("mollie", "_links.checkout.href", ".*/mollie/pay/tr_.*"),
    ("mollie", "status", "open"),
    ("mollie", "isCancelable", "True"),
    ("mollie", "amount.value", "12.34"),
    ("mollie", "metadata.reference", "checkout-1"),
    ("paypal", "status", "PAYER_ACTION_REQUIRED"),
    ("paypal", "purchase_units.0.amount.value", "12.34"),
    ("square", "related_resources.orders.0.state", "DRAFT"),
    ("square", "related_resources.orders.0.total_money.amount", "1234"),
    ("square", "related_resources.orders.0.reference_id", "checkout-1"),
]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_looks_like_the_psps(psp, dialect):
    answer = psp.made(dialect)["answer"]
    for path, pattern in [row[1:] for row in LOOKS if row[0] == dialect]:
        assert re.fullmatch(pattern, str(at(answer, path))), path


def test_paypals_minimal_answer_echoes_nothing(psp):
    made = psp.register("paypal", Prefer="return=minimal").json()
    assert set(made) == {"id", "status", "payment_source", "links"}


def test_squares_quick_pay_is_an_order_of_one_thing(psp):
    money = {"amount": 1234, "currency": "USD"}
    quick = {"name": "Tea", "price_money": money, "location_id": "L1"}
    change = {"order": None, "checkout_options": None, "quick_pay": quick}
    answer = psp.register("square", change=change)
    (order,) = answer.json()["related_resources"]["orders"]
    assert (order["location_id"], order["total_money"]) == ("L1", money)
    free = change | {"quick_pay.price_money": money | {"amount": 0}}
    for bad, word in (
        ({"quick_pay": quick}, "CONFLICTING_PARAMETERS"),
        (
            {"order": None, "checkout_options": None},
            "MISSING_REQUIRED_PARAMETER",
        ),
        (free, "VALUE_TOO_LOW"),
    ):
        refused = psp.register("square", change=bad)
        assert (refused.status_code, said("square", refused)) == (400, word)
    assert len(psp.books()["registrations"]) == 1


@pytest.mark.parametrize(
    ("dialect", "value", "currency", "amount"),
    [
        ("adyen", 120000, "CLP", "1200"),
        ("adyen", 700, "ISK", "7"),
        ("adyen", 12, "CVE", "12.00"),
        ("adyen", 50000, "IDR", "50000.00"),
        ("adyen", 1234, "KWD", "1.234"),
        ("adyen", 1200, "JPY", "1200"),
        ("paypal", "123", "HUF", "123.00"),
        ("paypal", "5", "TWD", "5.00"),
        ("paypal", "1200", "JPY", "1200"),
    ],
)
def test_the_books_hold_iso_units(psp, dialect, value, currency, amount):
    change = {"amount": {"value": value, "currency": currency}}
    if dialect == "paypal":
        change = {"purchase_units.0.amount": paypals(value, currency)}
        change |= {"purchase_units.0.items": None}
    made = psp.made(dialect, change=change)
    assert psp.booked(made["token"])["amount"] == amount
    if dialect == "paypal":
        psp.buy(made)
        path = f"/{made['token']}/capture"
        (unit,) = psp.post("paypal", path).json()["purchase_units"]
        taken = unit["payments"]["captures"][0]["amount"]
        assert taken == paypals(value, currency)


# What is refused.

ITEM = "line_items[0]"
PRICE = f"{ITEM}[price_data]"
MONEY = "order.line_items.0.base_price_money"
UNIT = "purchase_units.0"
CONTEXT = "payment_source.paypal.experience_context"
KWD = {f"{PRICE}[currency]": "kwd", f"{PRICE}[unit_amount]": "1234"}
NINE = paypals("9.00") | {"breakdown": {"item_total": paypals("9.00")}}
LINE = {"id": "1", "description": "Tea", "quantity": 1}
SCRIPT = "javascript:alert(1)"


def seconds(n: int) -> str:
    return str(int(time.time()) + n)


def usd(value) -> dict:
    return {"currency": "USD", "value": value}


REFUSED = [
    ("stripe", {"surprise": "1"}, 400, "parameter_unknown"),
    ("stripe", {f"{ITEM}[price]": "price_1"}, 400, "parameter_unknown"),
    ("stripe", {"expires_at": "soon"}, 400, "parameter_invalid_integer"),
    ("stripe", {"expires_at": seconds(60)}, 400, "parameter_invalid"),
    ("stripe", {"expires_at": seconds(90000)}, 400, "parameter_invalid"),
    ("stripe", {"success_url": SCRIPT}, 400, "url_invalid"),
    ("stripe", {"client_reference_id": "x" * 201},
     400, "parameter_invalid_string"),
    ("stripe", {"metadata[k]": "x" * 501}, 400, "parameter_invalid_string"),
    ("stripe", {f"{PRICE}[unit_amount]": "12.34"},
     400, "parameter_invalid_integer"),
    ("stripe", {f"{PRICE}[unit_amount]": "0"}, 400, "amount_too_small"),
    ("stripe", {f"{PRICE}[currency]": "xxx"}, 400, "currency_invalid"),
    ("stripe", KWD, 400, "parameter_invalid_integer"),
    ("stripe", {f"{ITEM}[quantity]": "0"}, 400, "parameter_invalid_integer"),
    ("generic", {"amount": "12.3"}, 422, "amount_invalid"),
    ("generic", {"amount": "0.00"}, 422, "amount_invalid"),
    ("generic", {"amount": "-1.00"}, 422, "amount_invalid"),
    ("generic", {"amount": "13.34"}, 422, "amount_invalid"),
    ("generic", {"amount": 12.34}, 422, "invalid_request"),
    ("generic", {"currency": "JPY"}, 422, "amount_invalid"),
    ("generic", {"currency": "ZZZ"}, 422, "currency_unknown"),
    ("generic", {"expires_at": 1}, 422, "expires_at_invalid"),
    ("generic", {"lines": []}, 422, "invalid_request"),
    ("generic", {"surprise": 1}, 422, "unknown_member"),
    ("generic", {"return_url": SCRIPT}, 422, "invalid_request"),
    ("adyen", {"merchantAccount": "Other"}, 403, "901"),
    ("adyen", {"merchantAccount": None}, 422, "14_004"),
    ("adyen", {"reference": None}, 422, "14_004"),
    ("adyen", {"amount": None}, 422, "14_004"),
    ("adyen", {"amount": usd(0)}, 422, "137"),
    ("adyen", {"amount": usd(-1)}, 422, "137"),
    ("adyen", {"amount": usd("1")}, 400, "702"),
    ("adyen", {"amount": usd(1.5)}, 400, "702"),
    ("adyen", {"amount.currency": "usd"}, 422, "138"),
    ("adyen", {"amount": {"value": 150, "currency": "ISK"}}, 422, "137"),
    ("adyen", {"amount": {"value": 1, "currency": "CLF"}}, 422, "137"),
    ("adyen", {"expiresAt": ends(-1)}, 422, "14_009"),
    ("adyen", {"expiresAt": ends(71 * 86400)}, 422, "14_009"),
    ("adyen", {"expiresAt": "2030-01-01T00:00:00"}, 422, "14_008"),
    ("adyen", {"expiresAt": 1}, 400, "702"),
    ("adyen", {"unknown": 1}, 400, "702"),
    ("adyen", {"lineItems": [{}]}, 422, "14_004"),
    ("adyen", {"lineItems": [LINE | {"amountIncludingTax": 1233}]},
     422, "14_011"),
    ("adyen", {"reference": "a:b"}, 422, "14_012"),
    ("paypal", {"intent": "AUTHORIZE"}, 400, "INVALID_PARAMETER_VALUE"),
    ("paypal", {"intent": None}, 400, "MISSING_REQUIRED_PARAMETER"),
    ("paypal", {"purchase_units": []}, 400, "INVALID_PARAMETER_VALUE"),
    ("paypal", {"purchase_units": {}}, 400, "INVALID_PARAMETER_SYNTAX"),
    ("paypal", {"payment_source": {}}, 400, "MISSING_REQUIRED_PARAMETER"),
    ("paypal", {"unknown": 1}, 400, "INVALID_PARAMETER_SYNTAX"),
    ("paypal", {f"{UNIT}.unknown": "x"}, 400, "INVALID_PARAMETER_SYNTAX"),
    ("paypal", {f"{UNIT}.custom_id": "x" * 128}, 400, "INVALID_STRING_LENGTH"),
    ("paypal", {f"{UNIT}.amount": paypals("12.3")},
     400, "INVALID_PARAMETER_VALUE"),
    ("paypal", {f"{UNIT}.amount": paypals("0.00")},
     400, "INVALID_PARAMETER_VALUE"),
    ("paypal", {f"{UNIT}.amount": paypals("-1.00")},
     400, "INVALID_PARAMETER_VALUE"),
    ("paypal", {f"{UNIT}.amount": paypals("1", "KRW")},
     400, "INVALID_CURRENCY_CODE"),
    ("paypal", {f"{UNIT}.amount": paypals("1.00", "JPY")},
     422, "DECIMALS_NOT_SUPPORTED"),
    ("paypal", {f"{UNIT}.amount": paypals("1.00", "HUF")},
     422, "DECIMALS_NOT_SUPPORTED"),
    ("paypal", {f"{UNIT}.amount": paypals("12.34")},
     422, "ITEM_TOTAL_REQUIRED"),
    ("paypal", {f"{UNIT}.amount": NINE}, 422, "ITEM_TOTAL_MISMATCH"),
    ("paypal", {f"{CONTEXT}.user_action": "BUY"},
     400, "INVALID_PARAMETER_VALUE"),
    ("paypal", {f"{CONTEXT}.return_url": ""}, 400, "INVALID_STRING_LENGTH"),
    ("square", {"surprise": 1}, 400, "UNKNOWN_BODY_PARAMETER"),
    ("square", {"idempotency_key": "x" * 193}, 400, "VALUE_TOO_LONG"),
    ("square", {"order": {"line_items": []}},
     400, "MISSING_REQUIRED_PARAMETER"),
    ("square", {"checkout_options.redirect_url": "javascript:x"},
     400, "INVALID"),
    ("square", {"checkout_options.redirect_url": RETURN + "x" * 2048},
     400, "VALUE"),
    ("square", {"checkout_options.allow_tipping": "no"}, 400, "INCORRECT_TYPE"),
    ("square", {"order.location_id": ""}, 400, "VALUE_EMPTY"),
    ("square", {"order.reference_id": "x" * 41}, 400, "VALUE_TOO_LONG"),
    ("square", {"order.line_items": []}, 400, "ARRAY_EMPTY"),
    ("square", {"order.line_items": [{"name": "Tea"}]},
     400, "MISSING_REQUIRED_PARAMETER"),
    ("square", {f"{MONEY}.amount": 0}, 400, ""),
    ("square", {f"{MONEY}.amount": "12.34"}, 400, ""),
    ("square", {f"{MONEY}.amount": 1.5}, 400, ""),
    ("square", {f"{MONEY}.currency": "usd"}, 400, ""),
    ("square", {f"{MONEY}.currency": "CHF"}, 400, ""),
    ("square", {f"{MONEY}.currency": None}, 400, ""),
    ("mollie", {"amount": usd("12.3")}, 422, "amount"),
    ("mollie", {"amount": usd(12.34)}, 422, "amount"),
    ("mollie", {"amount": usd("0.00")}, 422, "amount"),
    ("mollie", {"amount": {"currency": "KWD", "value": "12.340"}},
     422, "amount"),
    ("mollie", {"amount": "12.34"}, 422, "amount"),
    ("mollie", {"amount": usd("12.35")}, 422, "lines"),
    ("mollie", {"description": None}, 422, "description"),
    ("mollie", {"redirectUrl": None}, 422, "redirectUrl"),
    ("mollie", {"cancelUrl": "javascript:x"}, 422, "cancelUrl"),
    ("mollie", {"webhookUrl": 1}, 422, "webhookUrl"),
    ("mollie", {"expiresAt": "2030-01-01"}, 422, "expiresAt"),
    ("mollie", {"lines": [{}]}, 422, "lines.0"),
    ("mollie", {"metadata": {"x": "y" * 1100}}, 422, "metadata"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "change", "status", "word"), REFUSED)
def test_what_the_psp_refuses_is_not_booked(psp, dialect, change, status, word):
    answer = psp.register(dialect, change=change)
    assert answer.status_code == status
    assert said(dialect, answer).startswith(word)
    if dialect == "stripe":
        assert answer.json()["error"]["type"] == "invalid_request_error"
    if dialect in ("adyen", "mollie"):
        assert answer.json()["status"] == status
    if dialect == "mollie":
        assert answer.json()["title"] == "Unprocessable Entity"
    assert psp.books()["registrations"] == []


def test_adyens_lines_that_add_up_are_taken(psp):
    lines = [LINE | {"amountIncludingTax": 1234}]
    assert psp.register("adyen", change={"lineItems": lines}).status_code == 201


@pytest.mark.parametrize(
    ("dialect", "headers"),
    [
        ("adyen", {"X-API-Key": "wrong"}),
        ("adyen", {"X-API-Key": ""}),
        ("adyen", {"X-API-Key": "", "Authorization": "Bearer KEY"}),
        *[
            (d, {"Authorization": "Bearer nope"})
            for d in DIALECTS
            if d != "adyen"
        ],
    ],
)
def test_without_the_key_nothing_is_heard(psp, dialect, headers):
    key = psp.keys[f"{dialect}.key"]
    headers = {name: text.replace("KEY", key) for name, text in headers.items()}
    answer = psp.register(dialect, **headers)
    assert answer.status_code == 401
    if dialect == "adyen":
        assert said(dialect, answer) == "000"
    books = psp.books()
    calls = [c for c in books["requests"] if c["operation"] != "token"]
    assert {each["outcome"] for each in calls} == {"unauthorised"}
    assert books["registrations"] == []


def test_stripe_takes_the_key_as_basic_user_too(psp):
    pair = base64.b64encode(f"{psp.keys['stripe.key']}:".encode()).decode()
    answer = psp.register("stripe", Authorization=f"Basic {pair}")
    assert answer.status_code == 200


def test_square_wants_a_version(psp):
    odd = {"Square-Version": "newest"}
    assert psp.register("square", **odd).status_code == 400


@pytest.mark.parametrize(
    ("dialect", "status", "word"),
    [
        ("adyen", 422, "14_014"),
        ("generic", 404, "not_found"),
        ("mollie", 404, None),
        ("paypal", 404, "INVALID_RESOURCE_ID"),
        ("square", 404, "NOT_FOUND"),
        ("stripe", 404, "resource_missing"),
    ],
)
def test_an_unknown_token_is_not_found(psp, dialect, status, word):
    answer = psp.query(dialect, "PL0000000000000000")
    assert answer.status_code == status
    assert word is None or said(dialect, answer) == word


# PayPal's access tokens.


def test_a_token_is_granted_and_each_grant_is_in_the_books(psp):
    one, two = psp.grant().json(), psp.grant().json()
    assert (one["token_type"], one["expires_in"]) == ("Bearer", 32400)
    assert one["access_token"] != two["access_token"]
    grants = [c for c in psp.books()["requests"] if c["operation"] == "token"]
    assert [each["outcome"] for each in grants] == ["granted", "granted"]


@pytest.mark.parametrize("key", ["client:wrong", "client", ":", "x:y:z"])
def test_a_wrong_pair_gets_no_token(psp, key):
    answer = psp.grant(key)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("form", ["", "grant_type=password", "{}"])
def test_only_client_credentials_are_granted(psp, form):
    answer = psp.grant(form=form)
    assert answer.status_code == 400 and "access_token" not in answer.json()


def test_nothing_works_without_a_token(psp):
    made = psp.paid("paypal", "approved")
    wrong = {"Authorization": "Bearer A21AA-no-such"}
    for method, path in (
        ("POST", ""),
        ("GET", f"/{made['token']}"),
        ("POST", f"/{made['token']}/capture"),
    ):
        answer = psp.call("paypal", method, path, {}, "k", **wrong)
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_token"
    assert psp.booked(made["token"])["status"] == "approved"


def test_a_token_ends_at_its_time(psp):
    psp.control("settings", token_s=1)
    short = {"Authorization": f"Bearer {psp.grant().json()['access_token']}"}
    assert psp.register("paypal", **short).status_code == 201
    until(
        lambda: psp.register("paypal", **short).status_code == 401,
        "the token's end",
    )


def test_tokens_live_through_a_reset(psp):
    psp.made("paypal")
    psp.control("reset", seed=8)
    assert psp.register("paypal").status_code == 201


def test_a_token_call_can_fail(psp):
    psp.fault("token", "status", status=503)
    assert psp.grant().status_code == 503
    psp.fault("token", "malformed")
    with pytest.raises(ValueError):
        psp.grant().json()
    assert psp.grant().status_code == 200
