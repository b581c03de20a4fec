"""Bodies of POST /v1/payments that are JSON but not a checkout: each member
wrong in every way we could think of (docs/security.md X43-X55).

Each refusal is checked whole by the `refused` fixture: problem, headers, no
echo, nothing stored, no call to the PSP, the key still good.
"""

import pytest
from support.bodies import DELETE, changed

INVALID = "validation-error"
ORDER = ("payment_orders", 0)
HUGE = "9" * 400

AMOUNTS = [
    "-1.00", "0", "0.00", "-0.00", "+1.00", "01.00", "00.01", ".50", "5.",
    "1e3", "1e-2", "1E2", "0x10", "0b1", " 1.00", "1.00 ", "\t1.00",
    "1.00\n", "1,00", "1.000,00", "1 000.00", "1'000.00", "1_000.00", "",
    " ", ".", "-", "12", "12.3", "12.345", "1.000", "1..00", "1.0.0",
    "1.-5", "--1.00", "NaN", "nan", "Infinity", "-inf", "null", "true",
    "1.00USD", "$1.00", "USD 1.00", "1/2", "1%", "%d", "1.00;--",
    "1.00' OR '1'='1", "\u0661\u0662.\u0663\u0664",
    "\uff11\uff12.\uff13\uff14", "\u096712.34", "\u221212.34",
    "12\u066b34", "12.34\u200b", "\ufeff12.34", "12.34\u00a0",
    "10000000000000.00", "9223372036854775807.00",
    "92233720368547758.08", "18446744073709551616.00", HUGE, f"{HUGE}.00",
    f"0.{HUGE}", f"1.{'0' * 30000}", 12.34, 12, 0, -1, True, False, None, [],
    {}, ["12.34"], {"value": "12.34"}, DELETE,
]  # fmt: skip

OTHER_EXPONENTS = [
    ("JPY", "0"), ("JPY", "1.0"), ("JPY", "1200.0"), ("JPY", "12.00"),
    ("JPY", "1000000000000000"), ("JPY", "-1"), ("JPY", "1."),
    ("KWD", "1"), ("KWD", "1.23"), ("KWD", "1.2345"), ("KWD", "0.000"),
    ("KWD", "1000000000000.000"), ("CLF", "1.234"), ("CLF", "1.23456"),
    ("CLF", "0.0000"), ("CLF", "100000000000.0000"), ("CLF", "1"),
]  # fmt: skip

CURRENCIES = [
    "usd", "Usd", "usD", "US", "USDT", "USDUSD", "XXX", "XTS", "XAU", "XAG",
    "XPT", "XDR", "XBA", "XUA", "AAA", "ZZZ", "BTC", "ETH", "DEM", "HRK",
    "CHE", "CHW", "USN", "UYI", "", " ", "   ", "USD ", " USD", "U D",
    "USD\n", "U$D", "840", "\U0001f4b6" * 3, "\uff35\uff33\uff24", "USD\u0301",
    "\u0405\u0421D", "' --", "%s%", 840, 8.4, True, None, [], {}, ["USD"],
    DELETE,
]  # fmt: skip

IDS = [
    "", " ", "a" * 65, "a" * 5000, "a b", " a", "a ", "a/b", "/", "../x",
    "..", ".", "a\\b", "a:b", "a,b", "a;b", "a%00", "%2e%2e", "a?b", "a#b",
    "a\n", "a\r\nX: y", "a\tb", "\u0001", "\u007f", "\u00e9", "\u0131d",
    "\U0001d4b6", "a\u202eb", "a\u200db", "\uff41", "'; DROP TABLE pay", '"',
    "<script>alert(1)</script>", "${jndi:ldap://x}", "{{7*7}}", "%s%n%x", "a+b",
    "a=b", "a@b", "a*", "(a)", 1, 0, -1, 1.5, True, None, [], {}, ["a"],
]  # fmt: skip

SELLERS = [
    "", " ", "s" * 65, "a b", "\u00e9", "\u007f", "a\n", "a\r\nb", "\u0001",
    "\U0001f600", "\u00a0", 1, True, None, [], {}, DELETE,
]  # fmt: skip

EXPIRES = [
    59, 0, -1, -60, 86401, 10**9, 2**63 - 1, -(2**63), 60.0, 3600.5, 1e3,
    "3600", "", "1h", True, False, None, [], {}, [3600],
]  # fmt: skip

PSPS = [
    "", " ", "nobody", "Generic", "STRIPE", "generic ", " generic", "gen",
    "generic\n", "generic,stripe", "../generic", "a" * 65, "\u0261eneric",
    "' OR ''='", 0, 1, True, None, [], {}, ["generic"],
]  # fmt: skip

READ_ONLY = [
    "status", "is_payment_done", "merchant_id", "merchant", "redirect_url",
    "expires_at", "checkout_uuid", "handle", "token", "nonce", "version",
    "total", "total_minor", "amount", "currency", "payment_order_id", "id",
    "created_at", "base_url", "hosted_url", "callback", "webhook_url",
    "__proto__", "constructor", "$where", "Checkout_id", "CHECKOUT_ID",
    "checkout_id ", " checkout_id", "checkout-id", "checkoutId", "", " ",
    "check\u043eut_id", "payment_orders[]", "psp\u200b", "a" * 3000,
]  # fmt: skip

ORDER_READ_ONLY = [
    "status", "reason", "amount_minor", "merchant_id", "checkout_id",
    "version", "is_payment_done", "ledger_updated", "wallet_updated", "id",
    "Amount", "amount ", "", "buyer_info", "metadata", "currency\u200b",
]  # fmt: skip


def short(value):
    return "absent" if value is DELETE else ascii(value)[:40]


@pytest.mark.parametrize("value", AMOUNTS, ids=short)
def test_amount_that_is_no_exact_decimal_is_refused(refused, checkout, value):
    good = checkout()
    bad = changed(good, (*ORDER, "amount"), value)
    document = refused(bad, good, 422, "amount-invalid")
    assert document["errors"][0]["pointer"] == "/payment_orders/0/amount"


@pytest.mark.parametrize(("currency", "amount"), OTHER_EXPONENTS)
def test_amount_has_its_currencys_own_precision(
    refused, checkout, currency, amount
):
    good = checkout()
    bad = changed(good, (*ORDER, "currency"), currency)
    bad = changed(bad, (*ORDER, "amount"), amount)
    refused(bad, good, 422, "amount-invalid")


@pytest.mark.parametrize(
    ("digits", "why"), [(1, "one digit too many"), (-1, "one too few")]
)
def test_every_currency_refuses_other_numbers_of_digits(
    api, gateway, checkout, query, digits, why
):
    table = query(
        "SELECT code, exponent FROM pay.currency WHERE is_current ORDER BY code"
    )
    assert len(table) > 150
    accepted = []
    for code, exponent in table:
        decimals = exponent + digits
        if decimals < 0:
            continue
        amount = f"7.{'1' * decimals}" if decimals else "7"
        body = changed(checkout(), (*ORDER, "currency"), code)
        answer = api.create(changed(body, (*ORDER, "amount"), amount))
        if (answer.status_code, answer.json().get("type")) != (
            422,
            f"{gateway.url}/problems/amount-invalid",
        ):
            accepted.append((code, amount, answer.status_code))
    assert accepted == [], why


def test_a_currency_that_has_ended_takes_no_payment(
    api, gateway, checkout, query
):
    ended = query(
        "SELECT code, exponent FROM pay.currency WHERE NOT is_current"
    )
    assert len(ended) >= 1
    for code, exponent in ended:
        body = changed(checkout(), (*ORDER, "currency"), code)
        answer = api.create(
            changed(body, (*ORDER, "amount"), f"7.{'1' * exponent}")
        )
        assert (answer.status_code, answer.json()["type"]) == (
            422, f"{gateway.url}/problems/currency-unsupported"
        )  # fmt: skip


@pytest.mark.parametrize("orders", [2, 3, 20])
def test_total_beyond_the_limit_is_refused(refused, checkout, orders):
    good = checkout(orders)
    bad = good
    for i in range(orders):
        path = ("payment_orders", i, "amount")
        bad = changed(bad, path, "9999999999999.99")
    refused(bad, checkout(), 422, "amount-invalid")


@pytest.mark.parametrize("value", CURRENCIES, ids=short)
def test_currency_outside_iso_4217_is_refused(refused, checkout, value):
    good = checkout()
    bad = changed(good, (*ORDER, "currency"), value)
    document = refused(bad, good, 422, "currency-unsupported")
    assert document["errors"][0]["pointer"] == "/payment_orders/0/currency"


def test_orders_of_two_currencies_are_refused(refused, checkout):
    good = checkout(2)
    bad = changed(good, ("payment_orders", 1, "currency"), "EUR")
    document = refused(bad, checkout(), 422, "currency-unsupported")
    assert document["errors"][0]["pointer"] == "/payment_orders/1/currency"


@pytest.mark.parametrize("value", [*IDS, DELETE], ids=short)
def test_checkout_id_outside_its_alphabet_is_refused(refused, checkout, value):
    good = checkout()
    document = refused(
        changed(good, ("checkout_id",), value), good, 422, INVALID
    )
    assert document["errors"][0]["pointer"] == "/checkout_id"


@pytest.mark.parametrize("value", IDS, ids=short)
def test_order_id_outside_its_alphabet_is_refused(refused, checkout, value):
    good = checkout()
    bad = changed(good, (*ORDER, "payment_order_id"), value)
    document = refused(bad, good, 422, INVALID)
    pointer = document["errors"][0]["pointer"]
    assert pointer == "/payment_orders/0/payment_order_id"


def test_order_id_twice_in_a_checkout_is_refused(refused, checkout):
    good = checkout(3)
    bad = changed(
        good,
        ("payment_orders", 2, "payment_order_id"),
        good["payment_orders"][0]["payment_order_id"],
    )
    document = refused(bad, checkout(), 422, INVALID)
    pointer = document["errors"][0]["pointer"]
    assert pointer == "/payment_orders/2/payment_order_id"


@pytest.mark.parametrize("value", SELLERS, ids=short)
def test_seller_that_is_no_visible_ascii_is_refused(refused, checkout, value):
    good = checkout()
    bad = changed(good, (*ORDER, "seller_account"), value)
    refused(bad, good, 422, INVALID)


@pytest.mark.parametrize("value", EXPIRES, ids=short)
def test_expires_in_outside_its_bounds_is_refused(refused, checkout, value):
    good = checkout()
    bad = changed(good, ("expires_in",), value)
    document = refused(bad, good, 422, INVALID)
    assert document["errors"][0]["pointer"] == "/expires_in"


@pytest.mark.parametrize("value", PSPS, ids=short)
def test_psp_that_the_merchant_has_not_is_refused(refused, checkout, value):
    good = checkout()
    document = refused(changed(good, ("psp",), value), good, 422, INVALID)
    assert document["errors"][0]["pointer"] == "/psp"


@pytest.mark.parametrize("name", READ_ONLY, ids=short)
def test_unknown_member_is_refused(refused, checkout, name):
    good = checkout()
    refused(changed(good, (name,), "SUCCESS"), good, 422, INVALID)


@pytest.mark.parametrize("value", [None, 1, [], {}, True, "x"], ids=short)
def test_unknown_member_is_refused_whatever_it_holds(refused, checkout, value):
    good = checkout()
    refused(changed(good, ("status",), value), good, 422, INVALID)


@pytest.mark.parametrize("name", ORDER_READ_ONLY, ids=short)
def test_unknown_member_of_an_order_is_refused(refused, checkout, name):
    good = checkout()
    refused(changed(good, (*ORDER, name), "SUCCESS"), good, 422, INVALID)


@pytest.mark.parametrize(
    "value",
    [None, {}, [], "x", 1, True, [None], [1], ["x"], [[]], [True], DELETE],
    ids=short,
)
def test_payment_orders_that_are_no_orders_are_refused(
    refused, checkout, value
):
    good = checkout()
    bad = changed(good, ("payment_orders",), value)
    document = refused(bad, good, 422, INVALID)
    assert document["errors"][0]["pointer"].startswith("/payment_orders")


def test_twenty_one_orders_are_refused(refused, checkout):
    refused(checkout(21), checkout(), 422, INVALID)


def test_the_second_order_is_checked_like_the_first(refused, checkout):
    good = checkout(2)
    bad = changed(good, ("payment_orders", 1, "amount"), "1.0")
    document = refused(bad, checkout(), 422, "amount-invalid")
    assert document["errors"][0]["pointer"] == "/payment_orders/1/amount"


@pytest.mark.parametrize("value", [None, [], "x", 1, True, DELETE], ids=short)
def test_buyer_info_that_is_no_object_is_refused(refused, checkout, value):
    good = checkout()
    refused(changed(good, ("buyer_info",), value), good, 422, INVALID)


@pytest.mark.parametrize("value", [None, [], "x", 1, True], ids=short)
def test_metadata_that_is_no_object_is_refused(refused, checkout, value):
    good = checkout()
    refused(changed(good, ("metadata",), value), good, 422, INVALID)


@pytest.mark.parametrize(
    "metadata",
    [
        {"": "empty name"},
        {"n" * 41: "long name"},
        {"\u00e9" * 21: "long name in bytes"},
        {"name": "v" * 501},
        {"name": "\u00e9" * 251},
        {"name": {}},
        {"name": {"nested": "x"}},
        {"name": []},
        {"name": ["x"]},
        {f"name{i}": "v" * 480 for i in range(9)},
    ],
    ids=short,
)
def test_metadata_outside_its_bounds_is_refused(refused, checkout, metadata):
    good = checkout()
    document = refused(
        changed(good, ("metadata",), metadata), good, 422, INVALID
    )
    assert document["errors"][0]["pointer"] == "/metadata"


@pytest.mark.parametrize(
    "value", [None, 1, 1.5, True, [], ["tok"], "t" * 3000], ids=short
)
def test_card_info_that_is_no_token_is_refused(refused, checkout, value):
    good = checkout()
    refused(changed(good, ("credit_card_info",), value), good, 422, INVALID)


def test_buyer_info_of_2049_bytes_is_refused(refused, checkout):
    good = checkout()
    filler = "b" * (2049 - len('{"note":""}'))
    bad = changed(good, ("buyer_info",), {"note": filler})
    document = refused(bad, good, 422, INVALID)
    assert document["errors"][0]["pointer"] == "/buyer_info"


@pytest.mark.parametrize(
    "body", [b"[]", b"[{}]", b" [1]", b"{}"], ids=lambda body: body.decode()
)
def test_top_that_is_no_checkout_is_refused(refused, checkout, body):
    refused(body, checkout(), 422, INVALID)


@pytest.mark.parametrize(
    "body", [b"null", b"true", b"1", b'"x"', b"1.5"], ids=lambda b: b.decode()
)
def test_top_that_is_a_scalar_is_no_json_for_us(refused, checkout, body):
    refused(body, checkout(), 400, "invalid-json")


def test_all_that_is_wrong_is_said_at_once(api, checkout):
    """Each was answered one at a time, and a member that is not known without
    its name."""
    body = checkout(
        ammount=1, return_url="https://127.0.0.1:3000/r", psp="nobody"
    )
    body["payment_orders"][0] |= {"amount": "12.3", "a/b~c": 1}
    del body["buyer_info"]
    answer = api.create(body)
    assert answer.status_code == 422
    document = answer.json()
    told = {each["pointer"]: each["detail"] for each in document["errors"]}
    assert list(told) == [
        "/ammount", "/buyer_info", "/payment_orders/0/a~1b~0c",
        "/payment_orders/0/amount", "/return_url", "/psp",
    ]  # fmt: skip
    assert told["/buyer_info"] == "buyer_info is missing"
    assert "exactly 2 decimals, as many as USD" in told[
        "/payment_orders/0/amount"
    ]
    assert '"127.0.0.1:3000" is not one of them' in told["/return_url"]
    assert document["type"].endswith("/problems/validation-error")
    assert document["detail"] == told["/ammount"]


def test_no_more_than_eight_mistakes_are_said(api, checkout):
    body = checkout() | {f"unknown{n}": n for n in range(20)}
    errors = api.create(body).json()["errors"]
    assert [each["pointer"] for each in errors] == [
        f"/unknown{n}" for n in range(8)
    ]


def test_bad_json_says_where_it_ends(api):
    body = b'{"checkout_id": "c-1",'
    document = api.create(body).json()
    assert document["detail"] == (
        f"The JSON text ends too early, at byte {len(body)}."
    )


def test_an_unknown_currency_of_a_statement_is_called_unknown(api, mint):
    """"currency=IGL" was told to name a currency."""
    headers = {"Authorization": f"Bearer {mint(scope='balance:read')}"}
    asked = {"": "validation-error", "?currency=IGL": "currency-unsupported"}
    for query, slug in asked.items():
        answer = api.get(f"/v1/sellers/s/statement{query}", headers=headers)
        assert answer.json()["type"].endswith(f"/problems/{slug}")
        assert ("not known" in answer.json()["detail"]) == (query != "")
