"""The headers that POST /v1/payments needs: Idempotency-Key (docs/security.md
IK1 to IK5, IK13), Content-Type and Content-Encoding (H4-H6), methods
(H1-H3)."""

import json

import pytest
from support.client import fresh_key, raw
from support.problems import assert_headers, assert_problem

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"

BAD_KEYS = [
    "", '""', '"', "1", "a" * 15, "a" * 65, "a" * 4000,
    '"aaaaaaaaaaaaaaa"', f'"{"a" * 65}"', f"{KEY} x", f'"{KEY} x"',
    f'" {KEY}"', f'"{KEY}',
    f'{KEY}"', f"'{KEY}'", f'"{KEY}";a=1', f'"{KEY}"; a', f'"{KEY}", "x"',
    f"{KEY}, {KEY}", f"{KEY},{KEY}", f'("{KEY}")', f"({KEY})",
    ":OGUwMzk3OGUtNDBkNS00M2Rk:", "?1", "@1659578233",
    f"{KEY};q=1", f'"{KEY}""{KEY}"', f'\\"{KEY}\\"', f'"{KEY}\\""',
    f'"{KEY}\\\\"', "'; drop table pay.checkout;--", "../../../../etc/passwd",
    "<script>alert(1)</script>", "%41%41%41%41%41%41%41%41", f"{KEY}%00",
    "aaaaaaaa/aaaaaaaaa", "aaaaaaaa:aaaaaaaaa", "aaaaaaaa+aaaaaaaaa",
    "aaaaaaaa=aaaaaaaaa", "aaaaaaaa\\aaaaaaaaa", "aaaaaaaa*aaaaaaaaa",
    "aaaaaaaa aaaaaaaaa", "aaaaaaaa\taaaaaaaaa", "{aaaaaaaa-aaaaaaaaa}",
    "urn:uuid:8e03978e-40d5-43dd-bc93-6894a57f9324",
]  # fmt: skip

BAD_KEY_BYTES = [
    "kl\u00fcssel-kl\u00fcssel-kl".encode(),
    "kl\u00fcssel-kl\u00fcssel-kl".encode("latin-1"),
    "\u30ad\u30fc".encode() * 5,
    b"aaaaaaaa\x01aaaaaaaaa",
    b"aaaaaaaa\x7faaaaaaaaa",
    b"aaaaaaaa\xffaaaaaaaaa",
    b"aaaaaaaa\x1b[31maaaa",
    b'"aaaaaaaa\xc3\xa9aaaaaaaa"',
]

GOOD_KEYS = ["a" * 16, "Z9._~-" * 5, "0123456789abcdef", "a" * 64, "~" * 20]

TYPES = [
    "text/plain", "text/json", "application/json5", "application/jsonp",
    "application/x-json", "application/problem+json", "application/ld+json",
    "application/json-seq", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x", "application/octet-stream",
    "application/xml", "*/*", "application/*", "json", "application", "",
    "/", "application/", "/json", "application/json/x",
    "application/json, text/plain", "text/plain, application/json",
    "application/json;charset=utf-16", "application/json; charset=utf-32",
    "application/json; charset=iso-8859-1", "application/json; charset=",
    'application/json; charset="utf-16"', "application/json; charset",
    "application/json; charset=utf-7", "application/json; charset=us-ascii",
    "application/json; charset=utf-8; charset=utf-16",
    "application/json charset=utf-8", "application/json;charset=utf-8,x",
    "application/ json", "application /json", "text/html",
    "application/json\u00a0".encode(), b"application/json\x01",
]  # fmt: skip

GOOD_TYPES = [
    "application/json", "APPLICATION/JSON", "Application/Json",
    "application/json;charset=utf-8", "application/json; charset=UTF-8",
    'application/json; charset="utf-8"', "application/json ; charset=utf-8",
]  # fmt: skip

CODINGS = [
    "gzip", "GZIP", "deflate", "br", "compress", "zstd", "x-gzip", "aes128gcm",
    "identity, gzip", "gzip, gzip", "*", "none", "utf-8",
]  # fmt: skip


def create(api, body, *, key=None, media="application/json", more=()):
    """Headers exactly as given, in bytes, so that none is mended."""
    pairs = [("Idempotency-Key", fresh_key() if key is None else key)]
    pairs += [("Content-Type", media)] if media is not None else []
    pairs += more
    pairs = [(k, v if isinstance(v, bytes) else v.encode()) for k, v in pairs]
    text = json.dumps(body).encode()
    return api.post("/v1/payments", content=text, headers=pairs)


@pytest.mark.parametrize("key", BAD_KEYS, ids=lambda key: ascii(key)[:30])
def test_key_outside_the_published_format_is_refused(
    api, gateway, query, checkout, key
):
    body = checkout()
    answer = create(api, body, key=key.encode() if key.strip() else b"")
    assert_problem(answer, 400, "idempotency-key-invalid", gateway.url)
    assert len(key) < 16 or key not in answer.text
    assert nothing_of(query, body)


@pytest.mark.parametrize("key", BAD_KEY_BYTES)
def test_key_outside_ascii_is_refused(api, gateway, query, checkout, key):
    body = checkout()
    answer = create(api, body, key=key)
    assert_problem(answer, 400, "idempotency-key-invalid", gateway.url)
    assert nothing_of(query, body)


def nothing_of(query, body) -> bool:
    sql = "SELECT count(*) FROM pay.checkout WHERE checkout_id = %s"
    return query(sql, body["checkout_id"]) == [(0,)]


def test_no_key_is_refused_and_the_documentation_named(
    api, gateway, query, checkout
):
    body = checkout()
    answer = api.post("/v1/payments", json=body)
    assert_problem(answer, 400, "idempotency-key-missing", gateway.url)
    page = f"{gateway.url}/problems/idempotency-key-missing"
    assert answer.headers["link"] == f'<{page}>; rel="describedby"'
    assert api.get(page).status_code == 200
    assert nothing_of(query, body)


@pytest.mark.parametrize(
    "second", [KEY, f'"{KEY}"', "another-key-of-24-letters", ""]
)
def test_two_keys_are_refused(api, gateway, query, checkout, second):
    body = checkout()
    more = [("idempotency-key", second)]
    answer = create(api, body, key=KEY, more=more)
    assert_problem(answer, 400, "idempotency-key-invalid", gateway.url)
    assert nothing_of(query, body)


@pytest.mark.parametrize("key", GOOD_KEYS)
def test_every_key_of_the_published_format_works(api, checkout, key):
    """A second run of the suite meets the key again: another body, 422."""
    answer = create(api, checkout(), key=key)
    assert answer.status_code in (201, 422)
    assert answer.status_code == 201 or "key-reused" in answer.json()["type"]


def test_a_quoted_key_and_a_bare_one_are_the_same(api, checkout):
    body, key = checkout(), fresh_key()
    assert create(api, body, key=key).status_code == 201
    again = create(api, body, key=f'"{key}"')
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("key", ["1", KEY, '"', "x" * 500])
def test_a_key_is_ignored_when_reading(api, gateway, key):
    answer = api.get("/v1/payments/none", headers={"Idempotency-Key": key})
    assert_problem(answer, 404, "not-found", gateway.url)


@pytest.mark.parametrize("media", TYPES, ids=lambda media: ascii(media)[:50])
def test_other_media_types_are_refused(api, gateway, refused, checkout, media):
    good, key = checkout(), fresh_key()
    answer = create(api, good, key=key, media=media)
    assert_problem(answer, 415, "unsupported-media-type", gateway.url)
    assert answer.headers["accept"] == "application/json"
    assert answer.headers["accept-post"] == "application/json"
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)


def test_no_media_type_is_refused(api, gateway, checkout):
    answer = create(api, checkout(), media=None)
    assert_problem(answer, 415, "unsupported-media-type", gateway.url)
    assert answer.headers["accept-post"] == "application/json"


@pytest.mark.parametrize(
    "media", ["text/plain", "application/json", "application/json5"]
)
def test_two_media_types_are_refused(api, gateway, query, checkout, media):
    """Which of them counts would depend on the reader."""
    body = checkout()
    answer = create(api, body, more=[("content-type", media)])
    assert answer.status_code in (400, 415)
    slugs = {400: "malformed-request", 415: "unsupported-media-type"}
    slug = slugs[answer.status_code]
    assert_problem(answer, answer.status_code, slug, gateway.url)
    assert nothing_of(query, body)


@pytest.mark.parametrize("media", GOOD_TYPES)
def test_json_in_utf8_is_taken_however_it_is_spelt(api, checkout, media):
    assert create(api, checkout(), media=media).status_code == 201


@pytest.mark.parametrize("coding", CODINGS)
def test_an_encoded_body_is_refused(api, gateway, refused, checkout, coding):
    good, key = checkout(), fresh_key()
    more = [("Content-Encoding", coding)]
    answer = create(api, good, key=key, more=more)
    assert_problem(answer, 415, "unsupported-media-type", gateway.url)
    assert answer.headers["accept-encoding"] == "identity"
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)


def test_identity_is_no_encoding(api, checkout):
    more = [("Content-Encoding", "identity")]
    assert create(api, checkout(), more=more).status_code == 201


METHODS = [
    ("GET", "/v1/payments", "POST, OPTIONS"),
    ("HEAD", "/v1/payments", "POST, OPTIONS"),
    ("PUT", "/v1/payments", "POST, OPTIONS"),
    ("PATCH", "/v1/payments", "POST, OPTIONS"),
    ("DELETE", "/v1/payments", "POST, OPTIONS"),
    ("POST", "/v1/payments/some-id", "GET, HEAD, OPTIONS"),
    ("DELETE", "/v1/payments/some-id", "GET, HEAD, OPTIONS"),
    ("PUT", "/v1/payments/some-id/events", "GET, HEAD, OPTIONS"),
    ("POST", "/v1/payments/some-id/explain", "GET, HEAD, OPTIONS"),
    ("POST", "/v1/checkouts/some-id", "GET, HEAD, OPTIONS"),
    ("POST", "/healthz", "GET, HEAD, OPTIONS"),
    ("POST", "/readyz", "GET, HEAD, OPTIONS"),
    ("POST", "/metrics", "GET, HEAD, OPTIONS"),
    ("POST", "/problems", "GET, HEAD, OPTIONS"),
    ("POST", "/problems/not-found", "GET, HEAD, OPTIONS"),
    ("POST", "/checkout/unknown-handle", "GET, HEAD, OPTIONS"),
    ("POST", "/return/unknown-handle", "GET, HEAD, OPTIONS"),
    ("GET", "/webhooks/generic", "POST, OPTIONS"),
    ("PUT", "/webhooks/stripe", "POST, OPTIONS"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "allow"), METHODS)
def test_a_method_that_is_not_for_this_route_is_405(
    api, gateway, method, path, allow
):
    answer = api.request(method, path)
    assert answer.status_code == 405
    assert answer.headers.get_list("allow") == [allow]
    if method == "HEAD":
        assert_headers(answer)
        assert answer.content == b""
    else:
        assert_problem(answer, 405, "method-not-allowed", gateway.url)


@pytest.mark.parametrize(
    ("path", "allow"), sorted({(path, allow) for _, path, allow in METHODS})
)
def test_options_names_the_methods(anonymous, path, allow):
    answer = anonymous.request("OPTIONS", path)
    assert answer.status_code == 204
    assert answer.headers.get_list("allow") == [allow]
    assert answer.content == b""
    assert_headers(answer)


@pytest.mark.parametrize("method", ["FOO", "POSTS", "GETX", "M-SEARCH", "BREW"])
@pytest.mark.parametrize("path", ["/v1/payments", "/healthz", "/nowhere"])
def test_an_unknown_method_is_not_implemented(gateway, method, path):
    request = f"{method} {path} HTTP/1.1\r\nHost: {gateway.authority}\r\n\r\n"
    answer = raw(gateway, request.encode())
    if path == "/nowhere":
        assert answer.status_code in (404, 501)
        return
    assert_problem(answer, 501, "not-implemented", gateway.url)
