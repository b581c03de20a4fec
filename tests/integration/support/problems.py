"""What every answer of the gateway has in common, asserted in one place:
the header set (docs/security.md B1-B9) and problem documents (PD1-PD8)."""

import json
import re

CSP_JSON = "default-src 'none'; frame-ancestors 'none'"
CSP_HTML = (
    r"default-src 'none'; style-src ('self'|'sha256-[A-Za-z0-9+/]{43}=');"
    r" img-src 'self'; form-action 'none'; base-uri 'none';"
    r" frame-ancestors 'none'"
)
FIXED = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": (
        "payment=(), camera=(), microphone=(), geolocation=()"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
MEMBER = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,}")
KNOWN = {"type", "title", "status", "detail", "instance", "errors"}
QUOTA = "https://iana.org/assignments/http-problem-types#quota-exceeded"
FORBIDDEN = ("x-powered-by", "via", "etag-inode")


def assert_headers(answer, html=False, tls=True):
    """B1-B9: each once and right, nothing that should not be there."""
    expected = dict(FIXED)
    if not tls:
        del expected["strict-transport-security"]
        assert "strict-transport-security" not in answer.headers
    for name, value in expected.items():
        assert answer.headers.get_list(name) == [value], name
    policies = answer.headers.get_list("content-security-policy")
    assert len(policies) == 1
    if html:
        assert re.fullmatch(CSP_HTML, policies[0]), policies
    else:
        assert policies == [CSP_JSON]
    ids = answer.headers.get_list("x-request-id")
    assert len(ids) == 1
    assert UUID.fullmatch(ids[0]), ids
    for name in FORBIDDEN:
        assert name not in answer.headers
    # B6: where the buyer's browser is sent on, and nowhere else
    for cookie in answer.headers.get_list("set-cookie"):
        assert answer.status_code == 303, cookie
        assert cookie.startswith("__Host-payments-browser="), cookie
    assert answer.headers.get("server", "nginx") == "nginx"


def assert_problem(answer, status, slug, base, tls=True):
    """A problem document of that type and nothing else; its JSON."""
    assert (answer.status_code, slug_of(answer)) == (status, slug), answer.text
    assert_headers(answer, tls=tls)
    types = answer.headers.get_list("content-type")
    assert types == ["application/problem+json"]
    assert answer.headers["content-language"] == "en"
    document = answer.json()
    if slug == "quota-exceeded":
        assert document["type"] == QUOTA
    else:
        assert document["type"] == f"{base}/problems/{slug}"
    assert document["status"] == status
    assert document["title"].endswith(".")
    instance = answer.headers["x-request-id"]
    assert document["instance"] == f"urn:uuid:{instance}"
    assert int(answer.headers["content-length"]) == len(answer.content)
    for name in document.keys() - KNOWN - {"violated-policies"}:
        assert MEMBER.fullmatch(name), name
    for each in document.get("errors", []):
        assert each["pointer"] == "" or each["pointer"].startswith("/")
        assert each["detail"]
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    return document


def slug_of(answer) -> str:
    if not answer.headers.get("content-type", "").startswith(
        "application/problem+json"
    ):
        return f"no problem document: {answer.headers.get('content-type')}"
    return re.split("[/#]", answer.json()["type"])[-1]


def leaves(value):
    """Every member name and every string of a JSON value."""
    todo = [value]
    while todo:
        at = todo.pop()
        if isinstance(at, dict):
            yield from at
            todo.extend(at.values())
        elif isinstance(at, list):
            todo.extend(at)
        elif isinstance(at, str):
            yield at


PUBLIC = {
    "status",
    "checkout_id",
    "buyer_info",
    "payment_orders",
    "payment_order_id",
    "seller_account",
    "amount",
    "currency",
    "return_url",
    "credit_card_info",
    "expires_in",
    "metadata",
    "merchant_id",
}


def assert_no_echo(answer, *values):
    """No text of the request comes back; names of the API may, and a pointer
    names the member that it is about."""
    document = answer.json()
    for error in document.get("errors", []):
        del error["pointer"]
    text = json.dumps(document, ensure_ascii=False)
    for value in values:
        for leaf in leaves(value):
            if len(leaf) >= 9 and leaf not in PUBLIC:
                assert leaf not in text, f"{leaf!r} was echoed"
