"""Bytes that are no acceptable JSON, and bodies at their limits
(docs/security.md X37-X43, T21, T22)."""

import gzip
import json

import pytest
from support import http2
from support.bodies import DELETE, changed
from support.client import fresh_key, read_answer, tls_socket
from support.problems import assert_problem

LIMIT = 64 * 1024

INVALID = {
    "empty": b"",
    "blank": b" \t\r\n ",
    "open object": b"{",
    "open array": b"[",
    "close only": b"}",
    "bare word": b"checkout",
    "trailing comma": b'{"checkout_id":"abc",}',
    "leading comma": b'{,"checkout_id":"abc"}',
    "comma in array": b'{"payment_orders":[1,]}',
    "two commas": b'{"a":1,,"b":2}',
    "no colon": b'{"a" 1}',
    "no comma": b'{"a":1 "b":2}',
    "no value": b'{"a":}',
    "number as name": b"{1:2}",
    "bare name": b"{checkout_id:1}",
    "single quotes": b"{'checkout_id':'abc'}",
    "line comment": b'{"a":1}//x',
    "block comment": b'/*x*/{"a":1}',
    "hash comment": b'{"a":1}#x',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "hex number": b'{"a":0x10}',
    "plus number": b'{"a":+1}',
    "leading zero": b'{"a":01}',
    "no integer part": b'{"a":.5}',
    "no fraction": b'{"a":5.}',
    "no exponent": b'{"a":1e}',
    "integer over 64 bits": b'{"expires_in":99999999999999999999}',
    "real over double": b'{"expires_in":1e999}',
    "True": b'{"a":True}',
    "truex": b'{"a":truex}',
    "bad escape": rb'{"a":"\x41"}',
    "short escape": rb'{"a":"\u12"}',
    "bad hex escape": rb'{"a":"\u12g4"}',
    "NUL escape": rb'{"a":"x\u0000y"}',
    "NUL escape in name": rb'{"a\u0000b":1}',
    "lone high surrogate": rb'{"a":"\ud800"}',
    "lone low surrogate": rb'{"a":"\udc00"}',
    "surrogates reversed": rb'{"a":"\udc00\ud800"}',
    "high surrogate and text": rb'{"a":"\ud800x"}',
    "open string": b'{"a":"x',
    "open escape": b'{"a":"x\\',
    "raw newline": b'{"a":"x\ny"}',
    "raw tab": b'{"a":"x\ty"}',
    "raw NUL": b'{"a":"x\x00y"}',
    "raw escape": b'{"a":"x\x1by"}',
    "NUL before": b"\x00{}",
    "form feed": b"\x0c{}",
    "BOM": b"\xef\xbb\xbf{}",
    "BOM in UTF-16": b"\xff\xfe{\x00}\x00",
    "UTF-16": "{}".encode("utf-16-be"),
    "UTF-32": "{}".encode("utf-32-le"),
    "no-break space": b'\xc2\xa0{"a":1}',
    "lone continuation": b'{"a":"\x80"}',
    "lone lead": b'{"a":"\xc3"}',
    "latin-1": b'{"a":"caf\xe9"}',
    "overlong slash": b'{"a":"\xc0\xaf"}',
    "overlong NUL": b'{"a":"\xc0\x80"}',
    "overlong in three": b'{"a":"\xe0\x80\xaf"}',
    "surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "beyond Unicode": b'{"a":"\xf4\x90\x80\x80"}',
    "byte fe": b'{"a":"\xfe"}',
    "truncated at the end": b'{"a":"\xf0\x9f\x98"}',
    "bad UTF-8 in name": b'{"\xff":1}',
    "form": b"checkout_id=abc&amount=1.00",
    "xml": b"<?xml version='1.0'?><checkout/>",
    "csv": b"checkout_id,amount\nabc,1.00",
    "gzip": gzip.compress(b"{}"),
    "depth 17": b'{"metadata":' + b"[" * 16 + b"]" * 16 + b"}",
    "objects 17 deep": b'{"a":' * 17 + b"1" + b"}" * 17,
    "depth 60000": b"[" * 60000,
    "closed depth 30000": b"[" * 30000 + b"]" * 30000,
    "objects 12000 deep": b'{"a":' * 12000,
    "65 members": json.dumps({f"m{i}": i for i in range(65)}).encode(),
    "65 elements": json.dumps({"payment_orders": [1] * 65}).encode(),
    "20000 elements": json.dumps({"payment_orders": [1] * 20000}).encode(),
}

AROUND = {
    "two documents": (b"", b"{}"),
    "the same twice": (b"", b"\n{}\n"),
    "trailing text": (b"", b"x"),
    "trailing NUL": (b"", b"\x00"),
    "NUL far behind": (b"", b"  \n\x00  "),
    "trailing brace": (b"", b"}"),
    "trailing comma": (b"", b","),
    "trailing newline and text": (b"", b"\n;"),
    "BOM": (b"\xef\xbb\xbf", b""),
    "prefix against hijacking": (b")]}',\n", b""),
    "leading comma": (b",", b""),
    "in an array that stays open": (b"[", b""),
}

DUPLICATES = {
    "checkout_id": ('"checkout_id"', '"checkout_id":"x","checkout_id"'),
    "same value": ('"psp"', '"psp":"generic","psp"'),
    "amount": ('"amount"', '"amount":"9.00","amount"'),
    "amount escaped": ('"amount"', '"\\u0061mount":"9.00","amount"'),
    "amount behind": ('"currency"', '"amoun\\u0074":"9.00","currency"'),
    "currency": ('"currency"', '"currency":"EUR","currency"'),
    "return_url": ('"return_url"', '"return_url":"x","return_url"'),
    "orders": ('"payment_orders"', '"payment_orders":[],"payment_orders"'),
    "in buyer_info": ('"email"', '"email":"x","email"'),
    "in metadata": ('"psp"', '"metadata":{"a":1,"a":2},"psp"'),
    "nested": ('"email"', '"at":{"x":[{"y":1,"y":1}]},"email"'),
    "empty names": ('"email"', '"":1,"":2,"email"'),
    "unknown": ('"psp"', '"zzz":1,"zzz":1,"psp"'),
    "far apart": ('"email"', '"a1":1,"a2":2,"a3":3,"a1":4,"email"'),
}


def text_of(body) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID.keys())
def test_bytes_that_are_no_json_are_refused(refused, checkout, body):
    refused(body, checkout(), 400, "invalid-json")


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
def test_a_good_checkout_among_other_bytes_is_refused(
    refused, checkout, around
):
    good = checkout()
    before, behind = around
    refused(before + text_of(good) + behind, good, 400, "invalid-json")


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_cut_checkout_is_refused(refused, checkout, cut):
    good = checkout()
    text = text_of(good)
    refused(text[: len(text) * cut // 40], good, 400, "invalid-json")


@pytest.mark.parametrize("pair", DUPLICATES.values(), ids=DUPLICATES.keys())
def test_a_member_named_twice_is_refused(refused, checkout, pair):
    good = checkout(psp="generic")
    old, new = pair
    text = text_of(good).decode()
    assert text.count(old) == 1
    bad = text.replace(old, new).encode()
    refused(bad, good, 400, "duplicate-member")


def test_depth_sixteen_is_read(refused, checkout):
    """Deep, but not too deep to be read: another rule refuses it."""
    good = checkout()
    deep = changed(good, ("metadata",), {})
    text = text_of(deep).replace(b"{}", b"[" * 15 + b"]" * 15)
    refused(text, good, 422, "validation-error")


def test_sixty_four_members_are_read(api, checkout):
    metadata = {f"name{i}": i for i in range(64)}
    answer = api.create(checkout(metadata=metadata))
    assert answer.status_code == 201


@pytest.mark.parametrize("filler", [b" ", b"\n", b"\t", b"\r\n"])
def test_a_body_of_exactly_the_limit_is_taken(api, checkout, filler):
    text = text_of(checkout())
    room = LIMIT - len(text)
    text += filler * (room // len(filler)) + b" " * (room % len(filler))
    assert len(text) == LIMIT
    assert api.create(text).status_code == 201


@pytest.mark.parametrize(
    ("size", "piece"), [(LIMIT, LIMIT), (LIMIT, 999), (16_000, 1)]
)
def test_only_the_decoded_bytes_of_a_chunked_body_count(
    gateway, checkout, size, piece
):
    """Small chunks once filled nginx's buffer with their framing: 413."""
    text = text_of(checkout()).ljust(size)
    with tls_socket(gateway) as sock:
        send_chunked(sock, gateway, fresh_key(), text, piece)
        answer = read_answer(sock)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(("size", "piece"), [(30_000, 1), (LIMIT, 1)])
def test_no_framing_gets_a_body_written_to_a_file(
    gateway, checkout, size, piece
):
    """It may be refused, but a body has no business on the disk (T13)."""
    before = gateway.error_log.stat().st_size
    text = text_of(checkout()).ljust(size)
    with tls_socket(gateway) as sock:
        send_chunked(sock, gateway, fresh_key(), text, piece)
        answer = read_answer(sock)
    assert answer.status_code in (201, 413), answer.text
    with open(gateway.error_log, "rb") as log:
        log.seek(before)
        assert b"temporary file" not in log.read()


@pytest.mark.parametrize("size", [LIMIT + 1, 100_000, 1_000_000])
def test_a_body_over_the_limit_is_refused(api, refused, checkout, size):
    good = checkout()
    key = fresh_key()
    answer = api.create(text_of(good).ljust(size), key)
    assert_problem(answer, 413, "content-too-large", refused.gateway.url)
    assert answer.headers["connection"] == "close"
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)


@pytest.mark.parametrize("size", [LIMIT + 1, 100_000])
@pytest.mark.parametrize("piece", [1000, 40_000])
def test_a_chunked_body_over_the_limit_is_refused(
    gateway, refused, checkout, size, piece
):
    good = checkout()
    key = fresh_key()
    text = text_of(good).ljust(size)
    with tls_socket(gateway) as sock:
        send_chunked(sock, gateway, key, text, piece)
        answer = read_answer(sock)
    assert_problem(answer, 413, "content-too-large", gateway.url)
    assert answer.closed
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)


def send_chunked(sock, gateway, key, text, piece):
    head = (
        f"POST /v1/payments HTTP/1.1\r\nHost: {gateway.authority}\r\n"
        f"Authorization: Bearer {gateway.env['MERCHANT_JWT']}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    try:
        sock.sendall(head.encode())
        parts = (text[i : i + piece] for i in range(0, len(text), piece))
        sock.sendall(b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts))
        sock.sendall(b"0\r\n\r\n")
    except OSError:
        """The gateway may hang up while we still send."""


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused_over_http2(
    gateway, refused, checkout, announced
):
    good = checkout()
    key = fresh_key()
    text = text_of(good).ljust(LIMIT + 1)
    headers = http2.request_headers(
        gateway,
        "POST",
        "/v1/payments",
        authorization=f"Bearer {gateway.env['MERCHANT_JWT']}",
        idempotency_key=key,
        content_type="application/json",
    )
    if announced:
        headers.append(("content-length", str(len(text))))
    answer = http2.exchange(gateway, headers, text)
    assert_problem(answer, 413, "content-too-large", gateway.url)
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)


@pytest.mark.parametrize(
    "member", ["checkout_id", "buyer_info", "payment_orders", "return_url"]
)
def test_a_required_member_may_not_be_absent(refused, checkout, member):
    good = checkout()
    refused(changed(good, (member,), DELETE), good, 422, "validation-error")


def test_other_order_and_spelling_of_members_is_the_same_checkout(
    api, checkout
):
    """Escapes and white space are JSON's business, not the checkout's."""
    body = checkout()
    text = json.dumps(dict(reversed(body.items())), indent=4)
    text = text.replace('"amount"', '"\\u0061mount"')
    assert api.create(text.encode()).status_code == 201
