"""Card numbers anywhere in a request: 422, never stored, never logged
(docs/security.md X51, T13, PCI 3.2.1).  The numbers are the schemes' test
numbers; support/canary.py searches logs and database for them afterwards.
"""

import json

import pytest
from support import aftermath, canary
from support.bodies import changed
from support.client import fresh_key
from support.problems import assert_problem

SLUG = "card-data-not-accepted"
PAN = "4111111111111111"
SPACED = canary.spaced(PAN)
# no canary: the search of others' runs should not find what one run stored
OTHER = "4012888888881881"
DASHED = canary.spaced(PAN, "-")
FORMS = [
    form
    for pan in canary.PANS
    for form in (pan, canary.spaced(pan), canary.spaced(pan, "-"))
]
ORDER = ("payment_orders", 0)


@pytest.mark.parametrize("form", FORMS)
def test_every_schemes_number_is_refused_however_it_is_grouped(
    refused, checkout, form
):
    good = checkout()
    bad = changed(good, ("buyer_info", "note"), f"card {form}, thanks")
    refused(bad, good, 422, SLUG)


PLACES = {
    "checkout_id": (("checkout_id",), DASHED),
    "order id": ((*ORDER, "payment_order_id"), PAN),
    "order id dashed": ((*ORDER, "payment_order_id"), DASHED),
    "seller": ((*ORDER, "seller_account"), PAN),
    "amount": ((*ORDER, "amount"), PAN),
    "amount with decimals": ((*ORDER, "amount"), f"{PAN}.00"),
    "currency": ((*ORDER, "currency"), PAN),
    "psp": (("psp",), PAN),
    "return_url path": (("return_url",), f"https://shop.example.com/{PAN}"),
    "return_url query": (
        ("return_url",),
        f"https://shop.example.com/?card={PAN}&x=1",
    ),
    "buyer": (("buyer_info", "card"), PAN),
    "buyer nested": (("buyer_info", "a"), {"b": [{"c": ["x", PAN]}]}),
    "buyer's member name": (("buyer_info", PAN), "x"),
    "buyer's nested name": (("buyer_info", "a"), {"b": {SPACED: 1}}),
    "metadata": (("metadata",), {"note": SPACED}),
    "metadata's name": (("metadata",), {DASHED: "x"}),
    "card info text": (("credit_card_info",), PAN),
    "card info object": (("credit_card_info",), {"number": PAN}),
    "card info mixed": (
        ("credit_card_info",),
        {"token": "tok_1", "pan": SPACED, "cvc": "123"},
    ),
    "unknown member": (("card_number",), PAN),
    "unknown name": ((PAN,), "x"),
    "unknown name in order": ((*ORDER, PAN), "x"),
    "expires_in text": (("expires_in",), PAN),
    "a line of a text": (("buyer_info", "note"), f"a\n{PAN}\nb"),
    "in brackets": (("buyer_info", "note"), f"({PAN})"),
    "with a comma": (("buyer_info", "note"), f"{PAN},12/29,123"),
    "with a semicolon": (("buyer_info", "note"), f"1;{PAN};12/29"),
    "track one": (("buyer_info", "note"), f"%B{OTHER}^DOE/J^29121010"),
    "track two": (("buyer_info", "note"), f";{PAN}=29121010000000000?"),
    "quoted": (("buyer_info", "note"), f'"{PAN}"'),
    "as JSON in a text": (
        ("buyer_info", "note"),
        json.dumps({"pan": PAN}),
    ),
    "each digit apart": (("buyer_info", "note"), " ".join(PAN)),
    "each digit dashed": (("buyer_info", "note"), "-".join(PAN)),
    "behind another number": (("buyer_info", "note"), f"123456 {PAN}"),
    "behind a card with a wrong digit": (
        ("buyer_info", "note"),
        f"4111111111111112 {PAN}",
    ),
    "behind a UUID": (
        ("buyer_info", "note"),
        f"0190163d-8694-739b-aea5-966c26f8ad91 {PAN}",
    ),
    "at the end of a long text": (
        ("buyer_info", "note"),
        "x " * 900 + PAN,
    ),
    "first and good": (("metadata",), {"a": PAN, "b": "x"}),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_a_card_number_is_refused_wherever_it_stands(refused, checkout, place):
    path, value = place
    good = checkout()
    refused(changed(good, path, value), good, 422, SLUG)


NAMES = {
    "/credit_card_info/cvc": {"token": "tok_1", "cvc": "123"},
    "/credit_card_info/card/CVV2": {"card": {"CVV2": 123}},
    "/buyer_info/cards/1/card-number": {"cards": [{}, {"card-number": ""}]},
    "/buyer_info/a/b/track 2": {"a": {"b": {"track 2": None}}},
    "/buyer_info/securityCode": {"securityCode": "9"},
    "/buyer_info/CID": {"CID": 1},
    "/metadata/card.number": {"card.number": "x"},
    "/metadata/Pan": {"Pan": "x"},
    "/metadata/pin_block": {"pin_block": "x"},
}


@pytest.mark.parametrize("pointer", NAMES)
def test_a_member_named_like_card_data_is_refused(refused, checkout, pointer):
    """The value of a verification code shows nothing: its name must do."""
    good = checkout()
    bad = changed(good, (pointer.split("/")[1],), NAMES[pointer])
    document = refused(bad, good, 422, SLUG)
    assert [error["pointer"] for error in document["errors"]] == [pointer]


def test_a_refund_takes_no_member_named_like_card_data(api, gateway):
    """Refused before the order is looked up."""
    answer = api.post(
        "/v1/payments/none/refunds",
        json={"metadata": {"cvc": "737"}},
        headers={"Idempotency-Key": fresh_key()},
    )
    document = assert_problem(answer, 422, SLUG, gateway.url)
    assert document["errors"][0]["pointer"] == "/metadata/cvc"


def refusals(api):
    name = "payments_card_data_refused_total"
    lines = api.get("/metrics").text.splitlines()
    (found,) = [line for line in lines if line.startswith(f"{name} ")]
    return int(found.split()[1])


def test_refused_card_data_is_counted(api, checkout):
    before = refusals(api)
    bodies = [
        checkout(metadata={"note": SPACED}),
        checkout(metadata={"cvc": "737"}),
        checkout(metadata={"note": "737"}),
    ]
    answers = [api.create(body).status_code for body in bodies]
    assert answers == [422, 422, 201]
    assert refusals(api) == before + 2


@pytest.mark.parametrize(
    "name", ["company", "span", "incident", "expiry", "cvc_check", "last4"]
)
def test_an_ordinary_name_is_taken(api, checkout, name):
    body = checkout(metadata={name: "x"}, buyer_info={"a": [{name: "x"}]})
    assert api.create(body).status_code == 201


RAW = {
    "number": ('"zip"', f'"zip":{PAN},"zap"'),
    "number with fraction": ('"zip"', f'"zip":{PAN}.0,"zap"'),
    "number in expires_in": (
        '"zip"',
        f'"zip":1}},"expires_in":{PAN},"x":{{"z"',
    ),
    "escaped digits": (
        '"zip":"x"',
        '"zip":"' + "".join(f"\\u{ord(c):04x}" for c in PAN) + '"',
    ),
    "escaped name": (
        '"zip"',
        '"' + "".join(f"\\u{ord(c):04x}" for c in PAN) + '"',
    ),
    "half escaped": ('"zip":"x"', f'"zip":"4\\u0031{PAN[2:]}"'),
    "escaped blanks": (
        '"zip":"x"',
        f'"zip":"{canary.spaced(PAN, chr(92) + "u0020")}"',
    ),
}


@pytest.mark.parametrize("pair", RAW.values(), ids=RAW.keys())
def test_a_card_number_is_refused_however_json_spells_it(
    refused, checkout, pair
):
    good = checkout()
    text = json.dumps(good, separators=(",", ":"))
    text = text.replace('"country":"DE"', '"zip":"x"')
    old, new = pair
    assert text.count(old) == 1
    refused(text.replace(old, new).encode(), good, 422, SLUG)


@pytest.mark.parametrize("key", [PAN, DASHED, f'"{PAN}"', f'"{DASHED}"'])
def test_a_card_number_is_refused_as_idempotency_key(
    api, gateway, query, checkout, key
):
    """It would be stored with the checkout, as every key is."""
    body = checkout()
    answer = api.create(body, key)
    assert_problem(answer, 422, SLUG, gateway.url)
    stored = query(
        "SELECT count(*) FROM pay.idempotency_key WHERE key = %s",
        key.strip('"'),
    )
    assert stored == [(0,)]


@pytest.mark.parametrize("where", ["path", "query", "header", "handle"])
def test_a_card_number_outside_the_body_reaches_no_log(api, gateway, where):
    """The answer is the usual one; the aftermath searches the logs."""
    path, headers, status = "/v1/payments/none", {}, 404
    if where == "path":
        path = f"/v1/payments/{PAN}"
    elif where == "query":
        path = f"/v1/payments/none?card={PAN}"
    elif where == "handle":
        path = f"/checkout/{PAN}"
    else:
        headers = {"User-Agent": PAN, "Referer": PAN, "X-Card": PAN}
    answer = api.get(path, headers=headers)
    assert answer.status_code == status
    assert PAN not in answer.text
    scanner = canary.scanner(gateway.secrets)
    scanner.read_file(gateway.access_log)
    scanner.read_file(gateway.error_log)
    assert scanner.found == []


FAR = {
    "zeros before": f"000{PAN}",
    "zeros behind": f"{PAN}000",
    "letters beside": f"card{PAN}exp",
    "two blanks": canary.spaced(PAN, "  "),
    "stops": canary.spaced(PAN, "."),
    "slashes": canary.spaced(PAN, "/"),
    "underscores": canary.spaced(PAN, "_"),
    "commas": canary.spaced(PAN, ", "),
    "tabs": canary.spaced(PAN, "\t"),
    "lines": canary.spaced(PAN, "\r\n"),
    "no-break blanks": canary.spaced(PAN, "\u00a0"),
    "full width": "".join(chr(ord(c) + 0xFEE0) for c in PAN),
}


@pytest.mark.parametrize("text", FAR.values(), ids=FAR.keys())
def test_a_number_is_refused_whatever_stands_between(refused, checkout, text):
    good = checkout()
    refused(changed(good, ("buyer_info", "note"), text), good, 422, SLUG)


NO_CARDS = [
    f"52.{OTHER}",
    "4006381333931",
    "DK5000400440116243",
    "4111111111111112",
    "1234567890123456",
    "0000000000000000",
    "9111111111111111",
    "411111111111",
    "51051051051051005105",
    "20261121093212345",
    "+49 30 1234567",
    "2026-11-21 09:32:12",
    "0190163d-8694-739b-aea5-966c26f8ad91",
    "f5105105-1051-0510-8510-051051051051",
    "cs_test_a15105105105105100",
    "4111 1111 1111",
    "DE89370400440532013000",
]


@pytest.mark.parametrize("text", NO_CARDS)
def test_what_only_resembles_a_card_number_is_taken(api, checkout, text):
    body = checkout(metadata={"note": text}, buyer_info={"ref": text})
    assert api.create(body).status_code == 201


def test_the_search_for_canaries_finds_a_planted_one(
    api, db, gateway, checkout
):
    """A referee that finds nothing must be shown to be able to find."""
    marker = f"canary-{fresh_key()}"
    assert api.create(checkout(metadata={"note": marker})).status_code == 201
    scanner = canary.scanner(gateway.secrets, marker)
    aftermath.dump(db, scanner)
    assert scanner.found
    assert marker not in gateway.access_log.read_text()
    across = canary.scanner(gateway.secrets)
    across.write(b"xx" + PAN[:7].encode())
    across.flush()
    across.write(PAN[7:].encode() + b"yy")
    across.end()
    assert len(across.found) == 1


def test_the_search_for_canaries_finds_each_secret(gateway, tmp_path):
    known = canary.secrets(gateway.secrets)
    assert len(known) > 10
    log = tmp_path / "log"
    for secret in known:
        log.write_text(f"x={secret};")
        scanner = canary.scanner(gateway.secrets)
        scanner.read_file(log)
        assert scanner.found, "a secret was overlooked"


def test_a_hex_dump_hides_nothing(gateway):
    scanner = canary.scanner(gateway.secrets)
    scanner.write(PAN.encode().hex().encode())
    scanner.end()
    assert len(scanner.found) == 1
