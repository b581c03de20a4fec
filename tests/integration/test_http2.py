"""HTTP/2 (docs/security.md H23): the same answers as HTTP/1.1, and no header of
one protocol that means something in the other."""

import json

import pytest
from support import http2
from support.client import Api, fresh_key
from support.problems import assert_headers, assert_problem


def create_headers(gateway, key, *more):
    headers = http2.request_headers(
        gateway,
        "POST",
        "/v1/payments",
        authorization=f"Bearer {gateway.env['MERCHANT_JWT']}",
        idempotency_key=key,
        content_type="application/json",
    )
    return [*headers, *more]


def test_a_checkout_over_http2_is_the_same(gateway, checkout):
    context = gateway.ssl_context(("h2",))
    client = Api(gateway.url, context, gateway.env["MERCHANT_JWT"], http2=True)
    body, key = checkout(), fresh_key()
    answer = client.create(body, key)
    again = client.create(body, key)
    client.close()
    assert answer.http_version == "HTTP/2"
    assert (answer.status_code, again.status_code) == (201, 201)
    assert again.content == answer.content
    assert again.headers["idempotent-replayed"] == "true"
    assert_headers(answer)


BAD = {
    "LF in a value": ("x-test", "a\nb"),
    "CR in a value": ("x-test", "a\rb"),
    "CRLF in a value": ("x-test", "a\r\nidempotency-key: b"),
    "NUL in a value": ("x-test", "a\x00b"),
    "LF in a name": ("x\ntest", "a"),
    "NUL in a name": ("x\x00test", "a"),
    "colon in a name": ("x:test", "a"),
    "blank in a name": ("x test", "a"),
    "capitals in a name": ("X-Test", "a"),
    "second path": (":path", "/metrics"),
    "second method": (":method", "GET"),
    "second authority": (":authority", "evil.example"),
    "second scheme": (":scheme", "http"),
    "response's pseudo header": (":status", "200"),
    "unknown pseudo header": (":evil", "x"),
    "second authorization": ("authorization", "Bearer x"),
    "length of another body": ("content-length", "1"),
    "length that is too long": ("content-length", "60000"),
    "length that is none": ("content-length", "-1"),
    "another host": ("host", "evil.example"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_http2_forbids_creates_nothing(gateway, refused, checkout, name):
    good, key = checkout(), fresh_key()
    headers = create_headers(gateway, key, BAD[name])
    answer = http2.exchange(gateway, headers, json.dumps(good).encode())
    refuses(gateway, answer)
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)


def refuses(gateway, answer):
    """A problem document, or an error of the stream or the connection."""
    if answer.status_code:
        assert 400 <= answer.status_code < 500, answer.status_code
        assert_problem(
            answer, answer.status_code, "malformed-request", gateway.url
        )
    else:
        assert answer.reset or answer.goaway


@pytest.mark.parametrize(
    "header",
    [
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("connection", "idempotency-key"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
    ],
    ids=repr,
)
def test_connection_headers_of_http1_change_nothing(
    gateway, query, checkout, header
):
    """Refused, or without any effect; never half of it (9113 8.2.2)."""
    good, key = checkout(), fresh_key()
    headers = create_headers(gateway, key, header)
    answer = http2.exchange(gateway, headers, json.dumps(good).encode())
    stored = query(
        "SELECT count(*) FROM pay.checkout WHERE checkout_id = %s",
        good["checkout_id"],
    )[0][0]
    if answer.status_code == 201:
        assert stored == 1
        assert answer.json()["checkout_id"] == good["checkout_id"]
        assert_headers(answer)
    else:
        assert stored == 0
        assert answer.reset or answer.goaway or answer.status_code == 400


@pytest.mark.parametrize("missing", [":method", ":path", ":scheme"])
def test_a_missing_pseudo_header_is_refused(gateway, checkout, missing):
    headers = [
        pair
        for pair in create_headers(gateway, fresh_key())
        if pair[0] != missing
    ]
    refuses(gateway, http2.exchange(gateway, headers, b"{}"))


@pytest.mark.parametrize("path", ["", "healthz", "/../x", "/%00", "/%zz"])
def test_a_path_that_is_none_is_refused(gateway, path):
    headers = http2.request_headers(gateway, "GET", path)
    refuses(gateway, http2.exchange(gateway, headers))


@pytest.mark.parametrize("method", ["FOO", "CONNECT", "get", "TRACE"])
def test_other_methods_are_refused(gateway, method):
    headers = http2.request_headers(gateway, method, "/v1/payments")
    answer = http2.exchange(gateway, headers)
    assert answer.status_code in (400, 405, 501) or answer.reset
    if answer.status_code:
        assert_headers(answer)
        types = answer.headers.get_list("content-type")
        assert types == ["application/problem+json"]


def test_seventy_fields_are_too_many(gateway):
    more = {f"x_{i}": "y" for i in range(70)}
    headers = http2.request_headers(gateway, "GET", "/healthz", **more)
    answer = http2.exchange(gateway, headers)
    assert_problem(answer, 431, "header-fields-too-large", gateway.url)


def test_another_authority_is_misdirected(gateway):
    headers = http2.request_headers(gateway, "GET", "/healthz")
    headers[2] = (":authority", "evil.example")
    answer = http2.exchange(gateway, headers)
    assert_problem(answer, 421, "misdirected-request", gateway.url)
