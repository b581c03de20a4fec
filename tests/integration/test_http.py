"""HTTP as storefronts meet it: one header set on every status (B9), ETags,
HEAD, hosts, slow bodies, HTTP/2, and 404 for all that is no route."""

import json
import select
import socket
import time

import pytest
from support import http2
from support.client import Api, fresh_key, raw, read_answer, tls_socket
from support.nginxconf import MINIMAL, Nginx, swap
from support.problems import assert_headers, assert_problem


@pytest.fixture(scope="module")
def order(api, checkout):
    """A payment order that is there, with its checkout's answer."""
    body = checkout()
    answer = api.create(body)
    assert answer.status_code == 201
    return body["payment_orders"][0]["payment_order_id"], answer


STATUSES = {
    200: ("GET", "/healthz", {}),
    204: ("OPTIONS", "/v1/payments", {}),
    401: ("GET", "/v1/payments/x", {"Authorization": "Bearer x"}),
    404: ("GET", "/nowhere", {}),
    405: ("DELETE", "/v1/payments", {}),
    400: ("POST", "/v1/payments", {"Idempotency-Key": "1"}),
    415: ("POST", "/v1/payments", {"Idempotency-Key": "0123456789abcdef"}),
}


@pytest.mark.parametrize("status", STATUSES)
def test_the_header_set_is_on_every_status(api, status):
    method, path, headers = STATUSES[status]
    answer = api.request(method, path, headers=headers)
    assert answer.status_code == status
    assert_headers(answer)


VERSIONS = (
    {"If-Match": '"1"'},
    {"If-Match": 'W/"1", *'},
    {"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
)


@pytest.mark.parametrize("named", VERSIONS)
def test_an_act_that_names_a_version_is_not_done(
    api, order, gateway, named
):
    path = f"/v1/payments/{order[0]}"
    before = api.request("GET", path, headers=named)
    assert before.status_code == 200, before.text
    answer = api.request(
        "POST",
        f"{path}/cancel",
        headers={"Idempotency-Key": fresh_key(), **named},
    )
    assert_problem(answer, 412, "precondition-failed", gateway.url)
    assert api.request("GET", path).json() == before.json()


def test_an_act_of_any_version_is_done(api, checkout):
    body = checkout()
    answer = api.request(
        "POST",
        "/v1/payments",
        json=body,
        headers={"Idempotency-Key": fresh_key(), "If-Match": "*"},
    )
    assert answer.status_code == 201, answer.text


def test_the_header_set_is_on_201_303_304_and_pages(api, anonymous, order):
    order_id, created = order
    assert_headers(created)
    there = anonymous.get(created.json()["redirect_url"])
    assert there.status_code == 303
    assert_headers(there)
    assert there.content == b""
    assert "ratelimit" not in there.headers  # RL8
    path = f"/v1/payments/{order_id}"
    tag = api.get(path).headers["etag"]
    same = api.get(path, headers={"If-None-Match": tag})
    assert same.status_code == 304
    assert "Content-Length" not in same.headers  # RFC 9110 8.6
    assert_headers(same)
    page = anonymous.get(f"{created.json()['redirect_url']}/status")
    assert page.status_code == 200
    assert_headers(page, html=True)
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_the_header_set_is_on_413_421_422(api, gateway, checkout):
    assert_headers(api.create(b" " * 70_000))
    assert_headers(api.create({}))
    answer = api.get("/healthz", headers={"Host": "evil.example"})
    assert_problem(answer, 421, "misdirected-request", gateway.url)


@pytest.fixture(scope="module")
def without_database(gateway, tmp_path_factory):
    """PostgreSQL cannot be reached; nginx runs nevertheless."""
    text = swap(
        MINIMAL,
        (
            'payments_database  "@DSN@"',
            'payments_database  "host=127.0.0.1 port=1 dbname=x user=y"',
        ),
    )
    nginx = Nginx(gateway, tmp_path_factory.mktemp("nodb"), text)
    nginx.ready = lambda: is_live(nginx)
    with nginx.start():
        yield nginx


def is_live(nginx):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", nginx.port)) == 0


def test_without_a_database_it_is_503_at_once_and_not_ready(
    without_database, gateway, checkout
):
    nginx = without_database
    token = gateway.env["MERCHANT_JWT"]
    client = Api(nginx.url, gateway.ssl_context(), token)
    started = time.monotonic()
    for answer in (
        client.create(checkout()),
        client.get("/v1/payments/some-id"),
        client.get("/v1/checkouts/some-id"),
        client.get("/v1/payments/some-id/events"),
    ):
        assert_problem(answer, 503, "dependency-unavailable", nginx.url)
        assert int(answer.headers["retry-after"]) >= 1
    assert time.monotonic() - started < 5
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert_headers(ready)
    assert "retry-after" in ready.headers
    assert client.get("/healthz").status_code == 200
    page = client.get(f"/checkout/{'h' * 32}")
    assert page.status_code == 503
    assert_headers(page, html="html" in page.headers["content-type"])
    client.close()


@pytest.mark.parametrize(
    "route",
    [
        "/v1/payments/{}",
        "/v1/payments/{}/events",
        "/v1/payments/{}/explain",
        "/healthz",
    ],
)
def test_head_is_get_without_content(api, order, route):
    path = route.format(order[0])
    get, head = api.get(path), api.request("HEAD", path)
    assert (get.status_code, head.status_code) == (200, 200)
    assert head.content == b""
    varying = ("date", "x-request-id", "ratelimit")
    assert [h for h in head.headers.multi_items() if h[0] not in varying] == [
        h for h in get.headers.multi_items() if h[0] not in varying
    ]


@pytest.mark.parametrize("path", ["/nowhere", "/v1/payments/none"])
def test_head_of_an_error_has_its_headers_and_no_content(api, path):
    answer = api.request("HEAD", path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert_headers(answer)
    assert answer.content == b""


def test_no_two_requests_share_the_random_part_of_their_ids(gateway, tls):
    """It comes from a stock: each piece once, each worker its own."""
    ids = set()
    for _ in range(20):
        client = Api(gateway.url, tls, gateway.env["MERCHANT_JWT"])
        answers = [client.get("/healthz") for _ in range(20)]
        ids |= {answer.headers["x-request-id"][15:] for answer in answers}
        client.close()
    assert len(ids) == 400


def test_location_of_a_new_checkout_leads_to_it(api, order):
    _, created = order
    answer = api.get(created.headers["location"])
    assert answer.status_code == 200
    assert answer.json()["checkout_id"] == created.json()["checkout_id"]


MATCHES = ["{tag}", "W/{tag}", '"no", {tag}', '"no" , W/{tag}, "x"', "*"]
NO_MATCHES = ['"0"', 'W/"0"', '"no"', "no", "{bare}", "", '"no", "nono"']


@pytest.mark.parametrize("value", MATCHES)
def test_if_none_match_saves_the_body(api, order, value):
    """RFC 9110 13.1.2: a list, weakly compared, or any."""
    path = f"/v1/payments/{order[0]}"
    tag = api.get(path).headers["etag"]
    headers = {"If-None-Match": value.format(tag=tag)}
    answer = api.get(path, headers=headers)
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == tag


@pytest.mark.parametrize("value", NO_MATCHES)
def test_another_tag_gets_the_whole(api, order, value):
    path = f"/v1/payments/{order[0]}"
    tag = api.get(path).headers["etag"]
    value = value.format(bare=tag.strip('"'))
    answer = api.get(path, headers={"If-None-Match": value})
    assert answer.status_code == 200
    assert answer.json()["payment_order_id"] == order[0]


NOWHERE = [
    "/", "/v1", "/v1/", "/v2/payments", "/V1/payments", "/v1/payment",
    "/v1/payments/", "/v1/checkouts/", "/v1/payments/a/b",
    "/v1/payments/a/events/", "/v1/payments/a/events/b", "/v1/payments/a/x",
    "/v1/paymentsx", "/v1/payments;x", "/v1/payments%2Fa%2Fevents%2Fx",
    "/v1/refunds", "/v1/checkouts/a/events", "/checkout", "/checkout/",
    "/return/", "/webhooks", "/metrics/", "/metricsx",
    "/healthz/", "/readyz/", "/healthzx", "/.git/config", "/.env",
    "/nginx_status", "/server-status", "/status", "/admin", "/favicon.ico",
    "/robots.txt", "/v1/..;/metrics", "/..;/metrics", "/problems/no-such",
    "/problems/style.css/x", "/index.html",
    "/html/status.html", "/secrets/stripe.key", "/v1/payments/%2e%2e%2fx/y",
]  # fmt: skip


@pytest.mark.parametrize("path", NOWHERE)
def test_what_is_no_route_is_404(gateway, path):
    request = f"GET {path} HTTP/1.1\r\nHost: {gateway.authority}\r\n"
    token = gateway.env["MERCHANT_JWT"]
    request += f"Authorization: Bearer {token}\r\n\r\n"
    answer = raw(gateway, request.encode())
    assert_problem(answer, 404, "not-found", gateway.url)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.1", "[::1]"]
)
def test_another_host_is_misdirected(gateway, host):
    request = f"GET /v1/payments/x HTTP/1.1\r\nHost: {host}\r\n\r\n"
    answer = raw(gateway, request.encode())
    assert_problem(answer, 421, "misdirected-request", gateway.url)
    request = f"GET https://{host}/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = raw(gateway, request.encode())
    assert_problem(answer, 421, "misdirected-request", gateway.url)


def test_plain_http_to_the_tls_port_is_refused_and_not_redirected(gateway):
    """Without HSTS, as that is never sent on plain HTTP (B1, B7)."""
    address = ("127.0.0.1", gateway.port)
    with socket.create_connection(address, timeout=10) as sock:
        head = f"GET /v1/payments/x HTTP/1.1\r\nHost: {gateway.authority}\r\n"
        sock.sendall(f"{head}\r\n".encode())
        answer = read_answer(sock)
    assert_problem(answer, 400, "malformed-request", gateway.url, tls=False)
    assert "location" not in answer.headers


def post_head(gateway, length, *more):
    token = gateway.env["MERCHANT_JWT"]
    lines = [
        "POST /v1/payments HTTP/1.1",
        f"Host: {gateway.authority}",
        f"Authorization: Bearer {token}",
        f"Idempotency-Key: {fresh_key()}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_expect_100_continue_is_honoured(gateway, checkout):
    text = json.dumps(checkout()).encode()
    with tls_socket(gateway) as sock:
        sock.sendall(post_head(gateway, len(text), "Expect: 100-continue"))
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(text)
        assert read_answer(sock).status_code == 201


@pytest.fixture(scope="module")
def impatient(gateway, tmp_path_factory):
    """All of a body within 700 ms."""
    old = "payments_idempotency required ttl=24h in_progress=429;"
    text = swap(MINIMAL, (old, f"{old} payments_body_timeout 700ms;"))
    nginx = Nginx(gateway, tmp_path_factory.mktemp("slow"), text)
    with nginx.start():
        yield nginx


@pytest.mark.parametrize("start", [b"{", b"{" + b" " * 20_000])
def test_a_slow_body_has_one_deadline_for_all_of_it(gateway, impatient, start):
    """client_body_timeout starts anew with each byte (docs/security.md F6)."""
    started = time.monotonic()
    with tls_socket(gateway, port=impatient.port) as sock:
        sock.sendall(post_head(gateway, 60_000) + start)
        while not select.select([sock], [], [], 0.1)[0]:
            assert time.monotonic() - started < 20, "the body may go on"
            sock.sendall(b" ")
        answer = read_answer(sock)
    assert 0.5 < time.monotonic() - started < 20
    if answer.data:
        assert_problem(answer, 408, "request-timeout", impatient.url)
    assert answer.closed


def test_a_slow_body_over_http2_has_the_same_deadline(gateway, impatient):
    headers = http2.request_headers(
        gateway,
        "POST",
        "/v1/payments",
        authorization=f"Bearer {gateway.env['MERCHANT_JWT']}",
        idempotency_key=fresh_key(),
        content_type="application/json",
        content_length="60000",
    )
    started = time.monotonic()
    answer = http2.exchange(
        gateway, headers, b"{ ", port=impatient.port, finish=False
    )
    assert 0.5 < time.monotonic() - started < 20
    if answer.status_code:
        assert_problem(answer, 408, "request-timeout", impatient.url)
    else:
        assert answer.reset is not None or answer.goaway is not None


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    "path", ["/checkout/no-such", f"/checkout/{'A' * 32}",
             f"/checkout/{'A' * 32}/status", f"/return/{'A' * 32}"]
)  # fmt: skip
def test_a_buyer_with_an_old_link_sees_a_page(anonymous, path):
    answer = anonymous.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "This link is not valid" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    assert "<script" not in answer.text and "{{" not in answer.text
    assert not anonymous.http.head(path, headers=BROWSER).content


@pytest.mark.parametrize("wanted", [
    "*/*", "application/json", "text/html;q=0", "text/html; q=0.000", ""])
def test_whoever_asks_for_no_page_gets_json(anonymous, wanted):
    answer = anonymous.get("/checkout/no-such", headers={"Accept": wanted})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_api_answers_a_browser_in_json(api):
    answer = api.get("/v1/payments/no-such", headers=BROWSER)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.fixture(scope="module")
def closed_for_buyers(gateway, tmp_path_factory):
    """nginx itself refuses what a buyer asks for."""
    text = swap(
        MINIMAL,
        (
            "location /checkout/  {",
            "location /checkout/ { limit_except GET { deny all; } "
            'if ($arg_why = "busy") { return 503; } '
            'if ($arg_why = "denied") { return 403; }',
        ),
    )
    nginx = Nginx(gateway, tmp_path_factory.mktemp("closed"), text)
    nginx.ready = lambda: is_live(nginx)
    with nginx.start():
        yield nginx


@pytest.mark.parametrize(
    ("method", "why", "status", "words"),
    [
        ("GET", "busy", 503, "One moment, please"),
        ("GET", "denied", 403, "Something went wrong"),
        ("PUT", "none", 403, "Something went wrong"),
    ],
)
def test_what_nginx_refuses_a_buyer_is_a_page(
    closed_for_buyers, gateway, method, why, status, words
):
    client = Api(closed_for_buyers.url, gateway.ssl_context())
    # an operator's own rules are none of docs/openapi.yaml
    client.http.event_hooks = {}
    path = f"/checkout/{'A' * 32}?why={why}"
    page = client.request(method, path, headers=BROWSER)
    assert page.status_code == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert words in page.text
    assert page.headers["X-Request-Id"] in page.text
    assert int(page.headers["content-length"]) == len(page.content)
    assert_headers(page, html=True)
    plain = client.request(method, path, headers={"Accept": "*/*"})
    assert plain.status_code == status
    assert plain.headers["content-type"] == "application/problem+json"
    client.close()


def test_a_form_sent_to_a_buyers_page_is_answered_with_a_page(anonymous):
    answer = anonymous.request(
        "POST", f"/checkout/{'A' * 32}", headers=BROWSER, content=b"a=b"
    )
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Something went wrong" in answer.text
