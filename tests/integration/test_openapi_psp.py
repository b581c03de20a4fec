"""What the PSP adapters send, against tests/fixtures/openapi: every request
fits its document, every part of a document is used, and requests with one
thing wrong do not fit.  Needs no stack.
"""

import copy
import json
import os
import subprocess
import sys
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from support.gateway import ROOT

sys.path.insert(0, str(ROOT / "tests" / "openapi"))

import documents

BUILD = os.environ.get("BUILD", str(ROOT / "build"))
DOCUMENTS = {
    path.stem: documents.Document(path)
    for path in (ROOT / "tests" / "fixtures" / "openapi").glob("*.yaml")
}


def built() -> list[dict]:
    make = ["make", "-s", "-C", str(ROOT), f"BUILD={BUILD}", "psp-requests"]
    plain = {k: v for k, v in os.environ.items() if k != "SANITIZE"}
    subprocess.run(make, check=True, timeout=300, env=plain)
    made = subprocess.run(
        [f"{BUILD}/psp-requests"], check=True, capture_output=True, text=True
    )
    return documents.calls(made.stdout)


CALLS = built()
BODIES = [call for call in CALLS if call["body"] not in ("", "{}")]


def name(call: dict) -> str:
    return f"{call['psp']}-{call['operation']}"


def complaints(call: dict) -> list[str]:
    return DOCUMENTS[call["psp"]].complaints(call)


def is_form(call: dict) -> bool:
    return call["fields"]["Content-Type"] == documents.FORM


def value_of(call: dict):
    if is_form(call):
        return dict(parse_qsl(call["body"]))
    return json.loads(call["body"])


def with_value(call: dict, value) -> dict:
    body = urlencode(value) if is_form(call) else json.dumps(value)
    return call | {"body": body}


def places(value, before=()):
    """Every member and element, as a path."""
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in children:
        yield (*before, key)
        yield from places(each, (*before, key))


def changed(call: dict, place: tuple, change) -> dict:
    value = copy.deepcopy(value_of(call))
    owner = value
    for key in place[:-1]:
        owner = owner[key]
    change(owner, place[-1])
    return with_value(call, value)


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_a_request_fits_its_psps_document(call):
    assert complaints(call) == []


def test_every_adapter_with_calls_has_a_document_and_every_document_one():
    assert {call["psp"] for call in CALLS} == set(DOCUMENTS)


@pytest.mark.parametrize("psp", sorted(DOCUMENTS))
def test_every_operation_of_a_document_is_called(psp):
    document = DOCUMENTS[psp]
    there = {
        (method, path)
        for path, item in document.root["paths"].items()
        for method in item
    }
    used = set()
    for call in CALLS:
        if call["psp"] == psp:
            path = urlsplit(call["url"]).path
            template, _, _ = document.operation(call["method"], path)
            used.add((call["method"].lower(), template))
    assert used == there


def test_no_key_is_printed():
    text = json.dumps(CALLS)
    assert "id:secret" not in text
    assert "Authorization" not in text and "X-API-Key" not in text


@pytest.mark.parametrize("call", BODIES, ids=name)
def test_a_member_under_another_name_does_not_fit(call):
    def rename(owner, key):
        if isinstance(owner, dict):
            owner[f"{key}_new"] = owner.pop(key)
        else:
            owner.append({"new": 1})

    free = ("metadata",)
    for place in places(value_of(call)):
        if not any(str(key).startswith(free) for key in place[:1]):
            assert complaints(changed(call, place, rename)), place


@pytest.mark.parametrize("call", BODIES, ids=name)
def test_a_member_of_another_type_does_not_fit(call):
    def retype(owner, key):
        owner[key] = [["x"]]

    if not is_form(call):
        for place in places(value_of(call)):
            assert complaints(changed(call, place, retype)), place


@pytest.mark.parametrize(
    "call", [call for call in BODIES if is_form(call)], ids=name
)
def test_an_amount_that_is_no_integer_does_not_fit(call):
    def spoil(owner, key):
        owner[key] = "10.00"

    amounts = [key for key in value_of(call) if "amount" in key]
    for key in amounts:
        assert complaints(changed(call, (key,), spoil)), key
    assert amounts or call["operation"] == "auth"


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_another_path_or_method_does_not_fit(call):
    assert complaints(call | {"url": call["url"] + "/x"})
    assert complaints(call | {"method": "PUT"})


@pytest.mark.parametrize(
    "call", [call for call in CALLS if "?" in call["url"]], ids=name
)
def test_another_query_does_not_fit(call):
    path, _, query = call["url"].partition("?")
    pairs = query.split("&")
    assert complaints(call | {"url": call["url"] + "&brand_new=1"})
    for n, pair in enumerate(pairs):
        key = pair.partition("=")[0]
        renamed = [*pairs[:n], "x" + pair, *pairs[n + 1 :]]
        spoilt = [*pairs[:n], f"{key}=%20", *pairs[n + 1 :]]
        for each in (renamed, spoilt):
            assert complaints(call | {"url": f"{path}?{'&'.join(each)}"}), each


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_a_header_that_nobody_documents_does_not_fit(call):
    fields = call["fields"] | {"X-New": "1"}
    assert complaints(call | {"fields": fields})


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_an_answer_that_the_psp_does_not_offer_is_not_asked_for(call):
    asked = call["fields"]["Accept"]
    others = {"application/json", "application/hal+json", "text/html"} - {asked}
    for other in others | {f"{each};q=0.9" for each in others}:
        said = complaints(call | {"fields": call["fields"] | {"Accept": other}})
        assert [each.partition(":")[0] for each in said] == ["accept"]
    for wide in (f"{asked};q=0.9", f"text/html, {asked}", "application/*"):
        fields = call["fields"] | {"Accept": wide}
        assert complaints(call | {"fields": fields}) == []


def test_a_document_without_answers_offers_whatever_is_asked_for():
    call = next(each for each in CALLS if each["psp"] == "mollie")
    document = copy.deepcopy(DOCUMENTS["mollie"])
    for item in document.root["paths"].values():
        for operation in item.values():
            operation.pop("responses", None)
    asks = call | {"fields": call["fields"] | {"Accept": "text/html"}}
    assert document.complaints(asks) == []


@pytest.mark.parametrize(
    "call",
    [
        call
        for call in CALLS
        if {"Idempotency-Key", "PayPal-Request-Id"} & set(call["fields"])
    ],
    ids=name,
)
def test_a_key_that_is_absent_or_too_long_does_not_fit(call):
    for header in {"Idempotency-Key", "PayPal-Request-Id"} & set(
        call["fields"]
    ):
        fields = dict(call["fields"])
        del fields[header]
        assert complaints(call | {"fields": fields})
        fields[header] = "k" * 256
        assert complaints(call | {"fields": fields})


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ("", {}),
        ("a=1&b[c]=2", {"a": "1", "b": {"c": "2"}}),
        ("a[0][b]=1&a[1][b]=2", {"a": [{"b": "1"}, {"b": "2"}]}),
        ("a%5B0%5D=x%20y", {"a": ["x y"]}),
    ],
)
def test_a_form_becomes_a_tree(body, tree):
    assert documents.form(body) == tree


@pytest.mark.parametrize("body", ["a=1&a=2", "a=1&a[b]=2"])
def test_a_form_with_one_name_twice_is_no_form(body):
    with pytest.raises((AssertionError, AttributeError)):
        documents.form(body)
