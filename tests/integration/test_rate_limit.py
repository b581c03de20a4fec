"""Rate limits on gateways of their own with small quotas
(docs/security.md#rules-of-rate-limits): RateLimit fields, Retry-After, a
bucket for each merchant and each address."""

import re
import socket
import time

import pytest
from support.client import Api, fresh_key, read_answer
from support.nginxconf import MINIMAL, Nginx, swap
from support.ports import free_port
from support.problems import assert_headers, assert_problem

OLD = "payments_rate_limit rate=100r/s burst=200;"
POLICY = re.compile(r'"default";q=([0-9]+);w=([1-9][0-9]*)')
STATE = re.compile(r'"default";r=([0-9]+);t=([0-9]+)')


def start(gateway, directory, limit, *more):
    nginx = Nginx(gateway, directory, swap(MINIMAL, (OLD, limit), *more))
    return nginx.start()


@pytest.fixture
def per_merchant(gateway, tmp_path):
    """Few for a merchant, many for an address; refilled every 20 s."""
    limit = "payments_rate_limit rate=3r/m burst=4"
    limit += " address_rate=1000r/s address_burst=1000;"
    with start(gateway, tmp_path, limit) as nginx:
        yield nginx


@pytest.fixture
def per_address(gateway, tmp_path):
    limit = "payments_rate_limit rate=1000r/s burst=1000"
    limit += " address_rate=3r/m address_burst=4;"
    listen = "listen       127.0.0.1:@PORT@ ssl http2;"
    both = f"{listen} listen 127.0.0.2:@PORT@ ssl http2;"
    with start(gateway, tmp_path, limit, (listen, both)) as nginx:
        yield nginx


@pytest.fixture
def quick(gateway, tmp_path):
    """A second's quota, to see it come back."""
    limit = "payments_rate_limit rate=2r/s burst=1"
    limit += " address_rate=1000r/s address_burst=1000;"
    with start(gateway, tmp_path, limit) as nginx:
        yield nginx


@pytest.fixture
def client_of(gateway):
    made = []

    def run(nginx, token=None):
        client = Api(nginx.url, gateway.ssl_context(), token, patient=False)
        made.append(client)
        return client

    yield run
    for client in made:
        client.close()


def get(client, **options):
    return client.get("/v1/payments/none", **options)


def exhaust(client, allowed=5):
    """As many as burst says, and the one that the idle bucket holds."""
    answers = [get(client) for _ in range(allowed)]
    assert {answer.status_code for answer in answers} <= {404, 401}
    return answers


def assert_over_quota(answer, base):
    document = assert_problem(answer, 429, "quota-exceeded", base)
    assert document["violated-policies"] == ["default"]
    quota, window = POLICY.fullmatch(
        answer.headers["ratelimit-policy"]
    ).groups()
    remaining, reset = STATE.fullmatch(answer.headers["ratelimit"]).groups()
    assert (int(quota) > 0, int(window) > 0) == (True, True)
    assert int(remaining) == 0
    wait = answer.headers.get_list("retry-after")
    assert len(wait) == 1
    assert int(wait[0]) >= int(reset) >= 1  # RL4
    return int(wait[0])


def test_the_quota_is_published_and_counts_down(per_merchant, client_of, mint):
    left = []
    for answer in exhaust(client_of(per_merchant, mint())):
        policy = POLICY.fullmatch(answer.headers["ratelimit-policy"])
        assert policy.groups() == ("4", "80")
        left.append(int(STATE.fullmatch(answer.headers["ratelimit"])[1]))
        assert "retry-after" not in answer.headers
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0


def test_over_quota_is_429_with_the_time_to_wait(per_merchant, client_of, mint):
    client = client_of(per_merchant, mint())
    exhaust(client)
    wait = assert_over_quota(get(client), per_merchant.url)
    assert 10 <= wait <= 22


def test_each_merchant_has_a_bucket_of_its_own(
    per_merchant, client_of, mint, other_mint
):
    client = client_of(per_merchant, mint())
    exhaust(client)
    assert get(client).status_code == 429
    other = client_of(per_merchant, other_mint())
    answer = get(other)
    assert answer.status_code == 404
    assert int(STATE.fullmatch(answer.headers["ratelimit"])[1]) >= 3


def test_a_merchants_tokens_share_its_bucket(per_merchant, client_of, mint):
    exhaust(client_of(per_merchant, mint()))
    for token in (mint(sub="another"), mint(headers={"typ": "at+jwt"})):
        assert get(client_of(per_merchant, token)).status_code == 429


def test_a_flood_of_401_does_not_eat_the_merchants_quota(
    per_merchant, client_of, mint, other_mint
):
    """Neither garbage nor a token that claims to be the merchant's (RL6)."""
    forged = other_mint(iss="acme", headers={"kid": "acme-2026-01"})
    for token in (None, "garbage", forged, mint(exp=1)):
        flood = client_of(per_merchant, token)
        for _ in range(10):
            assert get(flood).status_code == 401
    answer = get(client_of(per_merchant, mint()))
    assert answer.status_code == 404
    assert int(STATE.fullmatch(answer.headers["ratelimit"])[1]) >= 3


def test_a_401_tells_nothing_about_the_merchants_quota(
    per_merchant, client_of, mint, other_mint
):
    exhaust(client_of(per_merchant, mint()))
    forged = other_mint(iss="acme", headers={"kid": "acme-2026-01"})
    answer = get(client_of(per_merchant, forged))
    assert answer.status_code == 401
    assert "retry-after" not in answer.headers
    assert "q=4;" not in answer.headers.get("ratelimit-policy", "")


def test_over_quota_burns_no_key(
    per_merchant, client_of, refused, checkout, mint
):
    client = client_of(per_merchant, mint())
    exhaust(client)
    good, key = checkout(), fresh_key()
    assert_over_quota(client.create(good, key), per_merchant.url)
    refused.assert_nothing_stored(good, key)
    refused.assert_key_is_good(good, key)


def test_writing_and_reading_share_one_quota(
    per_merchant, client_of, checkout, mint
):
    client = client_of(per_merchant, mint())
    for _ in range(3):
        assert client.create(checkout()).status_code == 201
    assert [get(client).status_code for _ in range(3)] == [404, 404, 429]


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/problems", "/v1/nowhere"]
)
def test_other_routes_go_on_when_the_quota_is_gone(
    per_merchant, client_of, mint, path
):
    client = client_of(per_merchant, mint())
    exhaust(client)
    answer = client.get(path)
    assert answer.status_code == (404 if path == "/v1/nowhere" else 200)
    assert "ratelimit" not in answer.headers


def test_an_address_has_a_bucket_before_it_has_a_name(
    per_address, client_of, mint
):
    flood = client_of(per_address)
    assert {a.status_code for a in exhaust(flood)} == {401}
    assert_over_quota(get(flood), per_address.url)
    assert get(client_of(per_address, mint())).status_code == 429


def test_another_address_is_another_bucket(per_address, gateway, client_of):
    exhaust(client_of(per_address))
    assert get(client_of(per_address)).status_code == 429
    answer = from_address(gateway, per_address, "127.0.0.3")
    assert_problem(answer, 401, "unauthenticated", per_address.url)


def test_a_forged_address_is_no_other_bucket(per_address, client_of):
    client = client_of(per_address)
    exhaust(client)
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"):
        answer = get(client, headers={name: "198.51.100.9"})
        assert answer.status_code == 429


def from_address(gateway, nginx, address):
    with socket.create_connection(
        ("127.0.0.2", nginx.port), 10, source_address=(address, 0)
    ) as plain:
        context = gateway.ssl_context()
        with context.wrap_socket(plain, server_hostname="localhost") as sock:
            head = "GET /v1/payments/none HTTP/1.1\r\n"
            head += f"Host: localhost:{nginx.port}\r\n\r\n"
            sock.sendall(head.encode())
            return read_answer(sock)


def test_who_waits_as_told_gets_through(quick, client_of, mint, wait_for):
    client = client_of(quick, mint())
    answers = [get(client) for _ in range(6)]
    refusals = [a for a in answers if a.status_code == 429]
    assert refusals
    wait = assert_over_quota(refusals[-1], quick.url)
    assert wait <= 3
    since = time.monotonic()
    wait_for(lambda: time.monotonic() - since >= wait, 30, "Retry-After")
    assert get(client).status_code == 404


def test_the_wait_is_not_the_same_for_all(per_merchant, client_of, mint):
    """Jitter, so that not all come back in one second (RL7)."""
    client = client_of(per_merchant, mint())
    exhaust(client)
    waits = {int(get(client).headers["retry-after"]) for _ in range(40)}
    assert len(waits) > 1


def test_webhooks_keep_to_an_address_limit_where_one_is_set(
    gateway, tmp_path, client_of
):
    limit = "payments_webhook; payments_rate_limit rate=3r/m burst=1;"
    with start(gateway, tmp_path, OLD, ("payments_webhook;", limit)) as nginx:
        client = client_of(nginx)
        seen = [
            client.post("/webhooks/generic", content=b"{}").status_code
            for _ in range(4)
        ]
    assert seen[0] == 401 and seen[-1] == 429


def test_redirects_carry_no_quota(api, anonymous, checkout):
    created = api.create(checkout())
    assert created.status_code == 201
    answer = anonymous.get(created.json()["redirect_url"])
    assert answer.status_code == 303
    assert "ratelimit" not in answer.headers
    assert "ratelimit-policy" not in answer.headers


def test_a_full_zone_refuses_and_does_not_crash(gateway, tmp_path):
    """Fail closed (docs/security.md F4): who has no bucket is told 503, not
    let in."""
    zone = ("zone=payments:16m;", "zone=payments:128k;")
    listen = "listen       127.0.0.1:@PORT@ ssl http2;"
    port = free_port()
    plain = f"{listen} listen 127.0.0.2:{port}; payments_insecure_http on;"
    limit = "payments_rate_limit rate=1r/m burst=1000;"
    codes = []
    with start(gateway, tmp_path, limit, zone, (listen, plain)):
        for i in range(2000):
            answer = plain_get(port, f"127.1.{i // 200}.{i % 200 + 2}")
            assert_headers(answer, tls=False)
            codes.append(answer.status_code)
            if codes.count(503) == 3:
                break
        known = plain_get(port, "127.1.0.2")
    assert set(codes) == {401, 503}
    assert known.status_code == 401


def plain_get(port, address):
    with socket.create_connection(
        ("127.0.0.2", port), 10, source_address=(address, 0)
    ) as sock:
        sock.sendall(b"GET /v1/payments/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return read_answer(sock)
