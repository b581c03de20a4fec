"""HTTP to the gateway: a polite client for the API, and raw sockets."""

import contextlib
import json
import socket
import ssl
import time
import uuid

import httpcore
import httpx

from .documented import documented

THROTTLED_S = 20
# Trusts nobody: for clients of http:// only.  By default each httpx.Client
# loads the system's CAs, which takes 40 ms of CPU.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def fresh_key() -> str:
    return uuid.uuid4().hex


class Api:
    """httpx with a merchant's token.

    The suite runs faster than the stack's rate limit allows: a 429 that is
    about the quota is waited out as its Retry-After says (`patient`).
    """

    def __init__(self, url, verify, token=None, patient=True, **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.patient = patient
        self.http = httpx.Client(
            base_url=url,
            transport=transport(verify, options.pop("http2", False)),
            headers=headers,
            timeout=30,
            event_hooks={"response": [documented]},
            **options,
        )

    def close(self):
        self.http.close()

    def request(self, method, path, **options) -> httpx.Response:
        limit = time.monotonic() + THROTTLED_S
        while True:
            answer = self.http.request(method, path, **options)
            if not self.patient or not over_quota(answer):
                return answer
            if time.monotonic() > limit:
                raise AssertionError("the rate limit does not end")
            # the server names the condition's time itself
            time.sleep(min(0.25, float(answer.headers["Retry-After"])))

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def create(self, body, key=None, **headers):
        """POST /v1/payments; `body` an object or bytes."""
        how = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        headers["Idempotency-Key"] = key or fresh_key()
        if isinstance(body, bytes):
            headers.setdefault("Content-Type", "application/json")
        return self.post("/v1/payments", headers=headers, **how)


class NoDelay(httpcore.backends.sync.SyncBackend):
    """Without TCP_NODELAY each POST waits 40 ms: httpx sends header and body
    in two writes, and the server acknowledges the first one late."""

    def connect_tcp(self, *arguments, **options):
        stream = super().connect_tcp(*arguments, **options)
        sock = stream.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream


def transport(verify, http2=False, **more) -> httpx.HTTPTransport:
    made = httpx.HTTPTransport(verify=verify, http2=http2, **more)
    made._pool._network_backend = NoDelay()
    return made


def plain(**options) -> httpx.Client:
    """A client for http://, as the mock PSP speaks it."""
    return httpx.Client(transport=transport(NO_TLS), **options)


def over_quota(answer) -> bool:
    return answer.status_code == 429 and b"quota-exceeded" in answer.content


class RawAnswer:
    """One HTTP/1.1 response taken apart; `closed` when the server hung up."""

    def __init__(self, data: bytes, closed: bool):
        self.data = data
        self.closed = closed
        head, _, self.content = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        self.status_code = int(words[1]) if len(words) > 1 else 0
        pairs = [line.split(": ", 1) for line in lines[1:] if ": " in line]
        self.headers = httpx.Headers(pairs)

    @property
    def text(self):
        return self.content.decode("utf-8")

    def json(self):
        return json.loads(self.content)


@contextlib.contextmanager
def tls_socket(gateway, timeout=10, alpn=("http/1.1",), port=None):
    """port: of a server with the same certificate, the gateway's if None."""
    address = ("127.0.0.1", port or gateway.port)
    plain = socket.create_connection(address, timeout=timeout)
    sock = gateway.ssl_context(alpn).wrap_socket(
        plain, server_hostname="localhost"
    )
    try:
        yield sock
    finally:
        sock.close()


def read_answer(sock, head=False) -> RawAnswer:
    """Reads one response with Content-Length; then sees if it was closed."""
    data = b""
    closed = False
    while not complete(data, head):
        try:
            piece = sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            piece = b""
        if not piece:
            closed = True
            break
        data += piece
    answer = RawAnswer(data, closed)
    if not closed and answer.headers.get("connection") == "close":
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            answer.closed = sock.recv(1) == b""
    return answer


def complete(data: bytes, head: bool) -> bool:
    top, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    if top.split(b" ", 2)[1] == b"100":
        return complete(body, head)
    for line in top.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return head or len(body) >= int(value)
    return b" 204 " in top or b" 304 " in top


def raw(gateway, data: bytes, head=False, port=None) -> RawAnswer:
    """Sends bytes over TLS as they are, reads one answer."""
    with tls_socket(gateway, port=port) as sock:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            sock.sendall(data)
        return read_answer(sock, head)
