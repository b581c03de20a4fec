"""Bearer tokens over HTTPS (docs/security.md#rules-of-tokens and
#what-libjwt-checks): what is refused, and that all refusals look alike
(J18)."""

import base64
import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    encode_dss_signature,
)
from support.client import fresh_key, raw
from support.problems import assert_problem
from support.tokens import ABSENT, b64

PATH = "/v1/payments/none"


class At(int):
    """Seconds from the moment of the test, not of its collection."""

    def __repr__(self):
        return f"now{int(self):+d}"


def resolved(changes):
    """The claims with every At, the inner ones too, made a time."""
    now = int(time.time())
    return {
        name: now + value if isinstance(value, At) else value
        for name, value in changes.items()
    }


def get(anonymous, token, path=PATH, scheme="Bearer"):
    headers = {"Authorization": f"{scheme} {token}".encode()}
    return anonymous.get(path, headers=headers)


@pytest.fixture(scope="module")
def refuse(anonymous, gateway):
    """refuse(token): 401 invalid-token, the same document as ever."""

    def run(token):
        answer = get(anonymous, token)
        document = assert_problem(answer, 401, "invalid-token", gateway.url)
        challenge = 'Bearer realm="ngx_payments", error="invalid_token"'
        assert answer.headers.get_list("www-authenticate") == [challenge]
        del document["instance"]
        assert document.keys() == {"type", "title", "status"}
        return answer

    return run


@pytest.fixture(scope="module")
def accept(anonymous, gateway):
    """accept(token): it reads, what is not there is 404."""

    def run(token):
        assert_problem(get(anonymous, token), 404, "not-found", gateway.url)

    return run


HEADERS = [
    {"alg": "none"}, {"alg": "None"}, {"alg": "NONE"}, {"alg": ""},
    {"alg": ABSENT}, {"alg": "es256"}, {"alg": "Es256"}, {"alg": "ES256 "},
    {"alg": "ES384"}, {"alg": "ES512"}, {"alg": "ES256K"}, {"alg": "RS256"},
    {"alg": "PS256"}, {"alg": "HS256"}, {"alg": "HS512"}, {"alg": "EdDSA"},
    {"alg": "dir"}, {"alg": ["ES256"]}, {"alg": None}, {"alg": 1},
    {"alg": True}, {"alg": {"alg": "ES256"}},
    {"kid": "unknown"}, {"kid": ""}, {"kid": None}, {"kid": 1},
    {"kid": ["acme-2026-01"]}, {"kid": "ACME-2026-01"}, {"kid": "a" * 65},
    {"kid": "globex-2026-01"}, {"kid": "acme-2026-01 "},
    {"kid": "acme-2026-01/../globex-2026-01"}, {"kid": "../../etc/passwd"},
    {"kid": "' OR 1=1 --"}, {"kid": "acme-2026-01\n"}, {"kid": "/dev/null"},
    {"jku": "http://127.0.0.1:1/jwks"}, {"jku": ""}, {"jwk": {"kty": "EC"}},
    {"jwk": None}, {"x5u": "https://127.0.0.1:1/x"}, {"x5c": ["MIIB"]},
    {"x5c": []}, {"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"]},
    {"crit": "x"}, {"crit": None}, {"b64": False}, {"zip": "DEF"},
    {"crit": ["b64"], "b64": False},
    {"typ": "logout+jwt"}, {"typ": "JOSE"}, {"typ": "JWE"}, {"typ": 1},
    {"typ": None}, {"typ": ""}, {"typ": "id_token"}, {"enc": "A128GCM",
    "alg": "dir"},
]  # fmt: skip

CLAIMS = [
    {"exp": At(-61)}, {"exp": At(-3600)}, {"exp": 0}, {"exp": -1},
    {"exp": ABSENT}, {"exp": None}, {"exp": "4102444800"}, {"exp": ""},
    {"exp": 4102444800.5}, {"exp": 1e308}, {"exp": [4102444800]}, {"exp": True},
    {"exp": {}}, {"exp": 2**63 - 1}, {"exp": -(2**63)}, {"exp": 10**30},
    {"exp": At(26 * 3600)}, {"exp": At(10 * 365 * 86400)},
    {"exp": 1893456000000},
    {"nbf": At(600)}, {"nbf": At(130)}, {"nbf": "0"},
    {"nbf": None}, {"nbf": 2**63 - 1}, {"nbf": 1.5}, {"nbf": True},
    {"iat": At(600)}, {"iat": "0"}, {"iat": None}, {"iat": []},
    {"iat": 2**63 - 1}, {"iat": At(-90000)},
    {"iss": ABSENT}, {"iss": "globex"}, {"iss": "ACME"}, {"iss": "acme "},
    {"iss": ""}, {"iss": None}, {"iss": 1}, {"iss": ["acme"]},
    {"iss": {"id": "acme"}}, {"iss": "https://acme"}, {"iss": "acme\x1f"},
    {"aud": ABSENT}, {"aud": ""}, {"aud": "other"}, {"aud": "NGX_PAYMENTS"},
    {"aud": "ngx_payments "}, {"aud": "ngx_payments,other"}, {"aud": []},
    {"aud": ["other"]}, {"aud": None}, {"aud": 1}, {"aud": True},
    {"aud": {"ngx_payments": 1}}, {"aud": [["ngx_payments"]]},
    {"aud": [1, None]},
    {"sub": 1}, {"sub": None}, {"sub": ["x"]}, {"sub": {}},
    {"scope": ["payments:read"]}, {"scope": 1}, {"scope": None},
    {"scope": {"payments:read": True}},
    {"deep": [[[[[1]]]]]}, {"deep": {"a": {"b": {"c": {"d": 1}}}}},
    {"nul": "a\x00b"}, {"wide": list(range(70))},
]  # fmt: skip


@pytest.mark.parametrize("changes", HEADERS, ids=repr)
def test_token_with_a_wrong_header_is_refused(refuse, mint, changes):
    refuse(mint(headers=changes))


@pytest.mark.parametrize("changes", CLAIMS, ids=repr)
def test_token_with_wrong_claims_is_refused(refuse, mint, changes):
    refuse(mint(**resolved(changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": At(-30), "iat": At(-600)},
        {"aud": ["other", "ngx_payments"]},
        {"aud": ["ngx_payments"]},
        {"sub": ABSENT},
        {"iat": ABSENT},
        {"nbf": At(-5)},
        {"nbf": At(20)},
        {"jti": "once", "extra": {"a": [1]}},
    ],
    ids=repr,
)
def test_token_with_right_claims_is_taken(accept, mint, changes):
    accept(mint(**resolved(changes)))


@pytest.mark.parametrize(
    "changes", [{}, {"typ": "at+jwt"}, {"typ": ABSENT}, {"kid": ABSENT}]
)
def test_token_with_a_right_header_is_taken(accept, mint, changes):
    accept(mint(headers=changes))


PAYLOADS = [
    b"", b" ", b"{}", b"[]", b"[1]", b"null", b"1", b'"x"', b"{", b"not json",
    b"\xff\xfe", b"\x00", b"\xef\xbb\xbf{}", b"{}{}", b'{"iss":"acme"}x',
    b'{"a":' * 900 + b"1" + b"}" * 900, b"[" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda p: repr(p[:20]))
def test_token_whose_payload_is_no_claims_is_refused(refuse, mint, payload):
    refuse(mint.sign(payload))


DOUBLED = ["iss", "aud", "sub", "exp", "iat", "scope"]


@pytest.mark.parametrize("name", DOUBLED)
@pytest.mark.parametrize("first", ['"other"', "0", None])
def test_token_with_a_claim_twice_is_refused(refuse, mint, name, first):
    claims = mint.claims()
    value = json.dumps(claims[name]) if first is None else first
    text = json.dumps(claims)
    refuse(mint.sign(f'{{"{name}":{value},{text[1:]}'.encode()))


def test_token_with_a_claim_twice_in_disguise_is_refused(refuse, mint):
    text = json.dumps(mint.claims())
    refuse(mint.sign(f'{{"\\u0069ss":"globex",{text[1:]}'.encode()))


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"none","alg":"ES256","kid":"KID"}',
        '{"alg":"ES256","alg":"none","kid":"KID"}',
        '{"alg":"ES256","kid":"x","kid":"KID"}',
        '["ES256"]',
        '"ES256"',
        "null",
        "{}",
        "",
        '{"alg":"ES256","kid":"KID"}{}',
        '{"alg":"ES256","kid":"KID"',
        '\ufeff{"alg":"ES256","kid":"KID"}',
        '{"alg":"ES256","kid":"KID","x":[[[[[[1]]]]]]}',
    ],
)
def test_token_whose_header_is_no_strict_json_is_refused(refuse, mint, header):
    text = header.replace("KID", mint.kid).encode()
    refuse(mint.sign(json.dumps(mint.claims()).encode(), header=text))


def spellings(token):
    """The same token spelt otherwise, and broken ones."""
    head, payload, signature = token.split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = letters[letters.index(signature[-1]) | 1]
    if last == signature[-1]:
        last = letters[letters.index(signature[-1]) ^ 1]
    standard = base64.b64encode(
        base64.urlsafe_b64decode(signature + "==")
    ).decode()
    raw_signature = base64.urlsafe_b64decode(signature + "==")
    der = encode_dss_signature(
        int.from_bytes(raw_signature[:32], "big"),
        int.from_bytes(raw_signature[32:], "big"),
    )
    flipped = bytes([raw_signature[0] ^ 1]) + raw_signature[1:]
    return {
        "padding": f"{token}==",
        "one padding": f"{token}=",
        "padded header": f"{head}==.{payload}.{signature}",
        "other last letter": f"{head}.{payload}.{signature[:-1]}{last}",
        "standard alphabet": f"{head}.{payload}.{standard}",
        "letter too few": f"{head}.{payload}.{signature[:-1]}",
        "letter too many": f"{head}.{payload}.{signature}A",
        "no signature": f"{head}.{payload}.",
        "no third part": f"{head}.{payload}",
        "one part": head,
        "fourth part": f"{token}.",
        "fourth part of letters": f"{token}.AAAA",
        "five parts": f"{head}.AAAA.AAAA.{payload}.{signature}",
        "detached payload": f"{head}..{signature}",
        "no header": f".{payload}.{signature}",
        "dots": "..",
        "dot": ".",
        "space inside": f"{head}. {payload}.{signature}",
        "space behind": f"{token} x",
        "twice": f"{token} {token}",
        "comma": f"{token},{token}",
        "quoted": f'"{token}"',
        "tab": f"{head}.{payload}\t.{signature}",
        "percent": f"{head}%2E{payload}%2E{signature}",
        "DER": f"{head}.{payload}.{b64(der)}",
        "flipped bit": f"{head}.{payload}.{b64(flipped)}",
        "zeros": f"{head}.{payload}.{b64(bytes(64))}",
        "short zeros": f"{head}.{payload}.{b64(bytes(1))}",
        "ones": f"{head}.{payload}.{b64(bytes([255]) * 64)}",
        "longer": f"{head}.{payload}.{b64(raw_signature + bytes(1))}",
        "swapped halves": f"{head}.{payload}."
        + b64(raw_signature[32:] + raw_signature[:32]),
        "payload of another": f"{head}.{b64(b'{}')}.{signature}",
        "huge": f"{head}.{'A' * 7000}.{signature}",
        "letters": "A" * 100,
        "umlaut": "t\u00f6ken",
    }


NAMES = [
    "padding", "one padding", "padded header", "other last letter",
    "standard alphabet", "letter too few", "letter too many", "no signature",
    "no third part", "one part", "fourth part", "fourth part of letters",
    "five parts", "detached payload", "no header", "dots", "dot",
    "space inside", "space behind", "twice", "comma", "quoted", "tab",
    "percent", "DER", "flipped bit", "zeros", "short zeros", "ones", "longer",
    "swapped halves", "payload of another", "huge", "letters", "umlaut",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_token_spelt_otherwise_is_refused(refuse, mint, name):
    token = mint()
    while "+" not in base64.b64encode(
        base64.urlsafe_b64decode(token.rsplit(".", 1)[1] + "==")
    ).decode().replace("/", "+"):
        token = mint()  # the standard alphabet differs by these two only
    known = spellings(token)
    assert set(NAMES) == set(known)
    refuse(known[name])


def test_token_signed_by_another_merchant_is_refused(refuse, other_mint):
    refuse(other_mint(iss="acme"))
    refuse(other_mint(iss="acme", headers={"kid": "acme-2026-01"}))
    refuse(other_mint(headers={"kid": "acme-2026-01"}))


SCHEMES = [
    "", "Bearer", "Bearer ", "Basic YWNtZTp4", "Digest x", "Token x",
    "Bear er x", "BearerX", "Negotiate x", "bearer", "=", "\u00e4".encode(),
]  # fmt: skip


@pytest.mark.parametrize("value", SCHEMES)
def test_what_is_no_bearer_token_is_401_without_error(
    gateway, value, anonymous, wait_for
):
    value = value if isinstance(value, bytes) else value.encode()
    request = (
        f"GET {PATH} HTTP/1.1\r\nHost: {gateway.authority}\r\nAuthorization: "
    )

    def answered():
        """The files before may have used up the address's rate."""
        found = raw(gateway, request.encode() + value + b"\r\n\r\n")
        return found if found.status_code != 429 else None

    answer = wait_for(answered, what="the rate limit to let it through")
    assert_problem(answer, 401, "unauthenticated", gateway.url)
    challenge = answer.headers["www-authenticate"]
    assert challenge == 'Bearer realm="ngx_payments"'
    assert_problem(anonymous.get(PATH), 401, "unauthenticated", gateway.url)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_schemes_case_does_not_matter(anonymous, mint, scheme):
    assert get(anonymous, mint(), scheme=scheme).status_code == 404


def test_a_token_in_query_or_cookie_is_none(anonymous, gateway, mint):
    token = mint()
    answer = anonymous.get(f"{PATH}?access_token={token}")
    assert_problem(answer, 401, "unauthenticated", gateway.url)
    answer = anonymous.get(PATH, headers={"Cookie": f"access_token={token}"})
    assert_problem(answer, 401, "unauthenticated", gateway.url)


@pytest.mark.parametrize("second", ["same", "Basic eA==", ""])
def test_two_authorization_lines_are_malformed(gateway, mint, second):
    token = mint()
    second = f"Bearer {token}" if second == "same" else second
    answer = raw(
        gateway,
        f"GET {PATH} HTTP/1.1\r\nHost: {gateway.authority}\r\n"
        f"Authorization: Bearer {token}\r\nAuthorization: {second}\r\n"
        "\r\n".encode(),
    )
    assert_problem(answer, 400, "malformed-request", gateway.url)


@pytest.mark.parametrize("kind", ["none", "A.B.C", "absent", "expired"])
def test_a_refused_token_burns_no_key_and_stores_nothing(
    anonymous, refused, checkout, mint, kind
):
    good, key = checkout(), fresh_key()
    headers = {"Idempotency-Key": key}
    if kind == "expired":
        expired = mint(**resolved({"exp": At(-100)}))
        headers["Authorization"] = f"Bearer {expired}"
    elif kind != "absent":
        headers["Authorization"] = f"Bearer {kind}"
    answer = anonymous.post("/v1/payments", json=good, headers=headers)
    assert answer.status_code == 401
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)
