"""Scopes, disabled merchants, and what one merchant can learn about another:
nothing (docs/security.md H17, IK8, T7, T12, T20)."""

import json

import pytest
from support.client import Api, fresh_key
from support.nginxconf import MINIMAL, Nginx, swap
from support.problems import assert_problem
from support.tokens import ABSENT

VARYING = ("date", "x-request-id", "ratelimit")
ALL = "payments:write payments:read refunds:write payouts:read balance:read"
NO_WRITE = [
    "", " ", "payments:read", "refunds:write", "payments", "payments:",
    ":write", "write", "payments:*", "*", "PAYMENTS:WRITE", "payments:writes",
    "xpayments:write", "payments:write,payments:read", "payments.write",
    "payments:read payments:writ", "payments:\twrite", "admin root sudo",
    "a " * 500, ABSENT,
]  # fmt: skip


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("scope", NO_WRITE, ids=lambda s: repr(s)[:30])
def test_writing_needs_its_scope(
    anonymous, gateway, refused, checkout, mint, scope
):
    good, key = checkout(), fresh_key()
    headers = bearer(mint(scope=scope)) | {"Idempotency-Key": key}
    answer = anonymous.post("/v1/payments", json=good, headers=headers)
    assert_problem(answer, 403, "insufficient-scope", gateway.url)
    challenge = answer.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/payments", "payments:write"),
        ("GET", "/v1/payments/none", "payments:read"),
        ("GET", "/v1/payments/none/events", "payments:read"),
        ("GET", "/v1/payments/none/explain", "payments:read"),
        ("GET", "/v1/checkouts/none", "payments:read"),
        ("GET", "/v1/checkouts", "payments:read"),
        ("GET", "/v1/checkouts/none/explain", "payments:read"),
    ],
)
def test_the_scope_that_is_missing_is_named(
    anonymous, gateway, mint, method, path, scope
):
    """As the page of insufficient-scope promises (RFC 6750 3)."""
    others = " ".join(set(ALL.split()) - {scope})
    answer = anonymous.request(method, path, headers=bearer(mint(scope=others)))
    assert_problem(answer, 403, "insufficient-scope", gateway.url)
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/payments/none",
        "/v1/payments/none/events",
        "/v1/payments/none/explain",
    ],
)
def test_reading_needs_its_scope_only(anonymous, mint, path):
    read = bearer(mint(scope="payments:read"))
    assert anonymous.get(path, headers=read).status_code == 404
    among = bearer(mint(scope="unknown payments:read  other:x"))
    assert anonymous.get(path, headers=among).status_code == 404
    write = bearer(mint(scope="payments:write"))
    assert anonymous.get(path, headers=write).status_code == 403


@pytest.fixture(scope="module")
def theirs(other_api, checkout):
    """A checkout of the other merchant."""
    body = checkout(metadata={"note": "belongs-to-globex"})
    answer = other_api.create(body)
    assert answer.status_code == 201
    return body, answer.json()


ROUTES = [
    "/v1/payments/{o}",
    "/v1/payments/{o}/events",
    "/v1/payments/{o}/explain",
    "/v1/checkouts/{c}",
    "/v1/checkouts/{c}/explain",
]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_anothers_order_is_what_does_not_exist(
    api, gateway, theirs, route, method
):
    """Byte by byte but for the request's own id."""
    body, _ = theirs
    order = body["payment_orders"][0]["payment_order_id"]
    there = api.request(method, route.format(o=order, c=body["checkout_id"]))
    nowhere = api.request(method, route.format(o="0" * len(order), c="0" * 40))
    if method == "GET":
        assert_problem(there, 404, "not-found", gateway.url)
    assert there.status_code == nowhere.status_code == 404
    assert faceless(there) == faceless(nowhere)


def faceless(answer):
    text = answer.text.replace(answer.headers["x-request-id"], "ID")
    headers = [
        pair for pair in answer.headers.multi_items() if pair[0] not in VARYING
    ]
    return text, headers


@pytest.mark.parametrize("route", ROUTES)
def test_its_owner_reads_it(other_api, theirs, route):
    body, _ = theirs
    order = body["payment_orders"][0]["payment_order_id"]
    path = route.format(o=order, c=body["checkout_id"])
    assert other_api.get(path).status_code == 200


def test_the_same_ids_and_key_are_another_checkout_for_another_merchant(
    api, other_api, query, checkout
):
    """Neither ids nor keys can be probed across merchants (T7)."""
    key, body = fresh_key(), checkout()
    del body["payment_orders"][0]["payment_order_id"]
    first = other_api.create(body, key)
    second = api.create(body, key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert "idempotent-replayed" not in second.headers
    assert first.json()["redirect_url"] != second.json()["redirect_url"]
    rows = query(
        "SELECT merchant_id FROM pay.checkout WHERE checkout_id = %s "
        "ORDER BY 1",
        body["checkout_id"],
    )
    assert rows == [("acme",), ("globex",)]


def test_an_order_id_of_another_merchant_is_free(api, other_api, checkout):
    body = checkout()
    assert other_api.create(body).status_code == 201
    answer = api.create(body)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    "header",
    [
        "X-Merchant", "X-Merchant-Id", "X-Forwarded-User", "X-User", "From",
        "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override",
        "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix",
        "Forwarded", "X-Host", "Payments-Merchant", "X-Authenticated-User",
    ],
)  # fmt: skip
def test_no_header_but_the_token_says_who_one_is(
    api, gateway, query, checkout, theirs, header
):
    body = checkout()
    values = {
        "X-HTTP-Method-Override": "GET",
        "Forwarded": "for=1.2.3.4;host=evil.example;proto=http",
    }
    value = values.get(header, "globex")
    answer = api.create(body, **{header: value})
    assert answer.status_code == 201
    assert answer.headers["location"].startswith(f"{gateway.url}/v1/")
    assert answer.json()["redirect_url"].startswith(f"{gateway.url}/checkout/")
    rows = query(
        "SELECT merchant_id, base_url FROM pay.checkout WHERE checkout_id = %s",
        body["checkout_id"],
    )
    assert rows == [("acme", gateway.url)]
    path = f"/v1/checkouts/{theirs[0]['checkout_id']}"
    assert api.get(path, headers={header: value}).status_code == 404


def test_a_forged_client_address_is_not_believed(
    api, gateway, query, checkout, wait_for
):
    body = checkout()
    forged = "198.51.100.77"
    answer = api.create(
        body,
        X_Forwarded_For=forged,
        X_Real_IP=forged,
        Forwarded=f"for={forged}",
        True_Client_IP=forged,
    )
    assert answer.status_code == 201

    def logged():
        lines = gateway.access_log.read_text().splitlines()
        return [line for line in lines if body["checkout_id"] in line]

    lines = wait_for(logged, what="the access log's line")
    assert [json.loads(line)["client"] for line in lines] == ["127.0.0.1"]
    assert forged not in gateway.access_log.read_text()


@pytest.fixture(scope="module")
def with_disabled(gateway, tmp_path_factory):
    text = swap(
        MINIMAL,
        ("psp          generic stripe;", "psp generic stripe; disabled;"),
    )
    nginx = Nginx(gateway, tmp_path_factory.mktemp("disabled"), text)
    with nginx.start():
        yield nginx


@pytest.fixture
def at_disabled(with_disabled, gateway, mint):
    client = Api(with_disabled.url, gateway.ssl_context(), mint())
    yield client
    client.close()


def test_a_disabled_merchant_is_told_so_and_does_nothing(
    at_disabled, with_disabled, refused, checkout
):
    good, key = checkout(), fresh_key()
    for answer in (
        at_disabled.create(good, key),
        at_disabled.get("/v1/payments/none"),
        at_disabled.get(f"/v1/checkouts/{good['checkout_id']}"),
    ):
        assert_problem(answer, 403, "merchant-disabled", with_disabled.url)
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)


def test_a_forged_token_does_not_learn_that_a_merchant_is_disabled(
    at_disabled, with_disabled, other_mint
):
    forged = other_mint(iss="acme", headers={"kid": "acme-2026-01"})
    answer = at_disabled.get("/v1/payments/none", headers=bearer(forged))
    assert_problem(answer, 401, "invalid-token", with_disabled.url)


def test_one_disabled_merchant_disables_no_other(at_disabled, other_mint):
    answer = at_disabled.get("/v1/payments/no", headers=bearer(other_mint()))
    assert answer.status_code == 404
