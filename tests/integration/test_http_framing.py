"""Raw requests that HTTP forbids (docs/security.md#rules-of-http, H7-H13):
each gets one problem document, the connection closes, and nothing behind it is
answered."""

import pytest
from support.client import raw, read_answer, tls_socket
from support.problems import assert_problem

SMUGGLED = "GET /metrics HTTP/1.1\r\nHost: HOST\r\n\r\n"
BAD = "malformed-request"
POST = "POST /v1/payments HTTP/1.1\r\nHost: HOST\r\n"
GET = "GET /healthz HTTP/1.1\r\nHost: HOST\r\n"

# name -> request, status, slug
REQUESTS = {
    "TE and CL": (
        f"{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        f"0\r\n\r\n{SMUGGLED}", 400, BAD),
    "CL and TE": (
        f"{POST}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n"
        f"0\r\n\r\n{SMUGGLED}", 400, BAD),
    "TE and CL on GET": (
        f"{GET}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        f"0\r\n\r\n{SMUGGLED}", 400, BAD),
    "two TE": (
        f"{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
        f"\r\n0\r\n\r\n", 400, BAD),
    "chunked and identity": (
        f"{POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501,
        "not-implemented"),
    "identity": (
        f"{POST}Transfer-Encoding: identity\r\n\r\n", 501, "not-implemented"),
    "xchunked": (
        f"{POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501,
        "not-implemented"),
    "gzip, chunked": (
        f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501,
        "not-implemented"),
    "chunked with a tab": (
        f"{POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 501,
        "not-implemented"),
    "two CL, same": (
        f"{POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}", 400, BAD),
    "two CL, different": (
        f"{POST}Content-Length: 2\r\nContent-Length: 20\r\n\r\n{{}}", 400,
        BAD),
    "CL list": (f"{POST}Content-Length: 1, 1\r\n\r\n1", 400, BAD),
    "CL plus": (f"{POST}Content-Length: +1\r\n\r\n1", 400, BAD),
    "CL minus": (f"{POST}Content-Length: -1\r\n\r\n", 400, BAD),
    "CL hex": (f"{POST}Content-Length: 0x1\r\n\r\n1", 400, BAD),
    "CL fraction": (f"{POST}Content-Length: 1.0\r\n\r\n1", 400, BAD),
    "CL 2^64": (f"{POST}Content-Length: 18446744073709551616\r\n\r\n", 400,
                BAD),
    "CL 2^63": (f"{POST}Content-Length: 9223372036854775808\r\n\r\n", 400,
                BAD),
    "CL empty": (f"{POST}Content-Length: \r\n\r\n", 400, BAD),
    "CL word": (f"{POST}Content-Length: all\r\n\r\n", 400, BAD),
    "space before colon": (f"{POST}Content-Length : 2\r\n\r\n{{}}", 400, BAD),
    "space in a name": (f"{GET}X Y: z\r\n\r\n", 400, BAD),
    "leading space": (f"{GET} X: y\r\n\r\n", 400, BAD),
    "folded": (f"{GET}X: a\r\n b\r\n\r\n", 400, BAD),
    "folded by tab": (f"{GET}X: a\r\n\tb\r\n\r\n", 400, BAD),
    "bare CR in a value": (f"{GET}X: a\rY: b\r\n\r\n", 400, BAD),
    "NUL in a value": (f"{GET}X: a\x00b\r\n\r\n", 400, BAD),
    "NUL in a name": (f"{GET}X\x00: b\r\n\r\n", 400, BAD),
    "colon first": (f"{GET}: x\r\n\r\n", 400, BAD),
    "no Host": ("GET /healthz HTTP/1.1\r\n\r\n", 400, BAD),
    "two Hosts": (f"{GET}Host: HOST\r\n\r\n", 400, BAD),
    "two Hosts, different": (f"{GET}Host: evil.example\r\n\r\n", 400, BAD),
    "Host with a slash": (
        "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, BAD),
    "Host empty": ("GET /healthz HTTP/1.1\r\nHost: \r\n\r\n", 400, BAD),
    "Host with NUL": (
        "GET /healthz HTTP/1.1\r\nHost: a\x00b\r\n\r\n", 400, BAD),
    "Host with dots": (
        "GET /healthz HTTP/1.1\r\nHost: a..b\r\n\r\n", 400, BAD),
    "above the root": ("GET /../../etc/passwd HTTP/1.1\r\nHost: HOST\r\n\r\n",
                       400, BAD),
    "above the root, encoded": (
        "GET /v1/%2e%2e/%2e%2e/x HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, BAD),
    "encoded NUL": ("GET /v1/%00 HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, BAD),
    "bad escape": ("GET /v1/%zz HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, BAD),
    "half an escape": ("GET /v1/% HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, BAD),
    "no slash": ("GET healthz HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, BAD),
    "lower-case method": ("get /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n", 400,
                          BAD),
    "version 2 as text": ("GET /healthz HTTP/2.0\r\nHost: HOST\r\n\r\n", 505,
                          "http-version-not-supported"),
    "version 3 as text": ("GET /healthz HTTP/3.0\r\nHost: HOST\r\n\r\n", 505,
                          "http-version-not-supported"),
    "no version": ("GET /healthz HTTP\r\nHost: HOST\r\n\r\n", 400, BAD),
    "other protocol": ("GET /healthz FTP/1.1\r\nHost: HOST\r\n\r\n", 400, BAD),
    "noise": ("\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, BAD),
    "blank in the path": ("GET /a b HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, BAD),
    "control in the path": ("GET /a\x01b HTTP/1.1\r\nHost: HOST\r\n\r\n", 400,
                            BAD),
    "URI of 9 kB": (f"GET /{'a' * 9000} HTTP/1.1\r\nHost: HOST\r\n\r\n", 414,
                    "uri-too-long"),
    "query of 9 kB": (
        f"GET /v1/payments/x?{'a' * 9000} HTTP/1.1\r\nHost: HOST\r\n\r\n",
        414, "uri-too-long"),
    "header of 9 kB": (f"{GET}X: {'a' * 9000}\r\n\r\n", 431,
                       "header-fields-too-large"),
    "name of 9 kB": (f"{GET}{'x' * 9000}: a\r\n\r\n", 431,
                     "header-fields-too-large"),
    "headers of 40 kB": (
        GET + "".join(f"X-{i}: {'a' * 7000}\r\n" for i in range(6)) + "\r\n",
        431, "header-fields-too-large"),
}  # fmt: skip


def send(gateway, text):
    data = text.replace("HOST", gateway.authority).encode("latin-1")
    return raw(gateway, data)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_http_forbids_is_refused_and_ends(gateway, name):
    text, status, slug = REQUESTS[name]
    answer = send(gateway, text)
    assert_problem(answer, status, slug, gateway.url)
    assert answer.headers["connection"] == "close"
    assert answer.closed
    assert answer.data.count(b"HTTP/1.1 ") == 1, "a second answer"
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("to", ("HOST", "evil.example:443"))
def test_connect_opens_nothing(gateway, to):
    """nginx itself refuses it, or hands it on as a method that no address of
    ours has (1.31.4 does)."""
    answer = send(gateway, f"CONNECT {to} HTTP/1.1\r\nHost: HOST\r\n\r\n")
    refused = {400: BAD, 405: "method-not-allowed"}
    assert answer.status_code in refused
    slug = refused[answer.status_code]
    assert_problem(answer, answer.status_code, slug, gateway.url)
    assert answer.data.count(b"HTTP/1.1 ") == 1, "a second answer"
    assert "evil.example" not in answer.text


CHUNKS = {
    "no size": "\r\nx\r\n",
    "word": "zz\r\nx\r\n",
    "minus": "-1\r\nx\r\n",
    "plus": "+1\r\nx\r\n",
    "0x": "0x1\r\nx\r\n",
    "huge": "FFFFFFFFFFFFFFFF\r\n",
    "beyond": "10000000000000000\r\n",
    "wrong length": "1\r\nxyz\r\n0\r\n\r\n",
    "no line end": "1\r\nxX0\r\n\r\n",
}


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize("authorized", [True, False])
def test_a_broken_chunk_ends_the_connection(gateway, name, authorized):
    text = POST
    if authorized:
        token = gateway.env["MERCHANT_JWT"]
        text += f"Authorization: Bearer {token}\r\n"
        text += f"Idempotency-Key: chunk-{name.replace(' ', '-'):~<20}\r\n"
    text += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    answer = send(gateway, f"{text}\r\n{CHUNKS[name]}{SMUGGLED}")
    if authorized and name in ("huge", "beyond"):
        assert answer.status_code in (400, 413)
    elif authorized:
        assert_problem(answer, 400, BAD, gateway.url)
    else:
        assert answer.status_code in (400, 401)
    assert answer.data.count(b"HTTP/1.1 ") == 1, "a second answer"
    assert b"ngx_payments_" not in answer.data


def test_an_unread_body_is_never_taken_for_a_request(gateway):
    """The refusal comes before the body is read (H13)."""
    inner = SMUGGLED.replace("HOST", gateway.authority)
    text = f"{POST}Content-Length: {len(inner)}\r\n\r\n{inner}"
    with tls_socket(gateway) as sock:
        sock.sendall(text.replace("HOST", gateway.authority).encode())
        answer = read_answer(sock)
        assert answer.status_code == 401
        if not answer.closed:
            sock.sendall(
                f"{GET}Connection: close\r\n\r\n".replace(
                    "HOST", gateway.authority
                ).encode()
            )
            second = read_answer(sock)
            assert second.json() == {"status": "live"}


def test_two_pipelined_requests_get_two_answers(gateway):
    with tls_socket(gateway) as sock:
        one = GET.replace("HOST", gateway.authority)
        sock.sendall(f"{one}\r\n{one}Connection: close\r\n\r\n".encode())
        data = b""
        while piece := sock.recv(65536):
            data += piece
    assert data.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert data.count(b'{"status":"live"}') == 2


def test_sixty_four_fields_are_taken_and_sixty_five_are_not(gateway):
    """Host counts, too (H9)."""
    fields = "".join(f"X-{i}: y\r\n" for i in range(63))
    assert send(gateway, f"{GET}{fields}\r\n").status_code == 200
    answer = send(gateway, f"{GET}{fields}X-64: y\r\n\r\n")
    assert_problem(answer, 431, "header-fields-too-large", gateway.url)
    answer = send(gateway, f"{GET}{fields * 5}\r\n")
    assert_problem(answer, 431, "header-fields-too-large", gateway.url)


@pytest.mark.parametrize(
    "path", ["/v1/payments", "/v1/payments/x", "/webhooks/generic"]
)
def test_a_flood_of_fields_is_refused_on_every_route(gateway, path):
    fields = "".join(f"X-{i}: y\r\n" for i in range(70))
    head = f"GET {path} HTTP/1.1\r\nHost: HOST\r\n"
    answer = send(gateway, f"{head}{fields}\r\n")
    assert_problem(answer, 431, "header-fields-too-large", gateway.url)


def test_underscored_names_are_no_names_of_ours(gateway):
    token = gateway.env["MERCHANT_JWT"]
    answer = send(
        gateway,
        f"{POST}Authorization: Bearer {token}\r\n"
        "Idempotency_Key: 0123456789abcdef\r\nContent-Type: application/json"
        "\r\nContent-Length: 2\r\n\r\n{}",
    )
    assert_problem(answer, 400, "idempotency-key-missing", gateway.url)


@pytest.mark.parametrize(
    "path", ["/v1/payments", "/healthz", "/checkout/x", "/webhooks/generic"]
)
def test_trace_is_not_allowed(gateway, path):
    head = f"TRACE {path} HTTP/1.1\r\nHost: HOST\r\nX-Secret: canary-1\r\n"
    answer = send(gateway, f"{head}\r\n")
    assert_problem(answer, 405, "method-not-allowed", gateway.url)
    assert "TRACE" not in answer.headers["allow"]
    assert "canary" not in answer.text


BUYERS = ("/checkout/x", "/checkout/x/status", "/return/x")
TOO_EARLY = {
    "a long line": ("GET", "?" + "a" * 9000, 414, "This link is not valid"),
    "TRACE": ("TRACE", "", 405, "Something went wrong"),
    "another path": ("GET", "", 404, "This link is not valid"),
}


@pytest.mark.parametrize("path", BUYERS)
@pytest.mark.parametrize("name", TOO_EARLY)
def test_a_browser_gets_a_page_before_nginx_knows_the_location(
    gateway, path, name
):
    """414 is answered before Accept is read, and TRACE before a location is
    chosen: the path says whose they are."""
    method, rest, status, words = TOO_EARLY[name]
    answer = send(
        gateway,
        f"{method} {path}{rest} HTTP/1.1\r\nHost: HOST\r\n"
        "Accept: text/html\r\n\r\n",
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert words in answer.text


def test_a_body_without_length_is_refused(gateway):
    token = gateway.env["MERCHANT_JWT"]
    answer = send(
        gateway,
        f"{POST}Authorization: Bearer {token}\r\n"
        "Idempotency-Key: 0123456789abcdef\r\n"
        "Content-Type: application/json\r\n\r\n",
    )
    assert_problem(answer, 411, "length-required", gateway.url)
