"""How far a call came, as the dispatch journal has it: PSPs that break off at
each stage, one after the other, and what may be said of the call then.  The
state follows from it: only what was never written is known to be without
effect.
"""

import socket
import ssl
import struct

import pytest
from support import routed, tls_psp
from support.own_stack import Checkout
from support.ports import free_port
from support.tls_psp import Authority, Listener, Proxy, read_head

NO_JOBS = ("payments_audience ", "payments_jobs off;\n    payments_audience ")
HOSTED = "https://psp.example/pay/1"
CREATED = b"HTTP/1.1 201 Created\r\n"
TYPE = b"Content-Type: application/json\r\n"

# What each PSP says to a request before it closes the connection.
SAID = {
    "eats": b"",
    "half-line": b"HTTP/1.1 20",
    "hints": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "line": CREATED,
    "half-head": CREATED + TYPE,
    "half-body": CREATED + TYPE + b'Content-Length: 900\r\n\r\n{"token":"',
    "half-chunk": CREATED + TYPE + b"Transfer-Encoding: chunked\r\n\r\n"
                  b'9\r\n{"token":',
    "error": b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
    "too-large": CREATED + b"Content-Length: 70000\r\n\r\n" + b"x" * 70000,
}  # fmt: skip

# By PSP: reach, status (of what did not end well), the journal's state.
STAGES = {
    "private": ("nothing", None, "NOT_SENT"),
    "closed": ("resolved", None, "NOT_SENT"),
    "no-tunnel": ("resolved", None, "NOT_SENT"),
    "reset": ("connected", None, "NOT_SENT"),
    "stranger": ("connected", None, "NOT_SENT"),
    "eats": ("written", None, "UNKNOWN"),
    "half-line": ("written", None, "UNKNOWN"),
    "hints": ("written", None, "UNKNOWN"),
    "line": ("status", 201, "UNKNOWN"),
    "half-head": ("status", 201, "UNKNOWN"),
    "half-body": ("status", 201, "UNKNOWN"),
    "half-chunk": ("status", 201, "UNKNOWN"),
    "too-large": ("status", 201, "UNKNOWN"),
    "error": ("complete", 500, "UNKNOWN"),
    "trailers": ("complete", None, "DONE"),
}


class Saying(Listener):
    """Reads a whole request, says its bytes and closes."""

    def __init__(self, answer):
        self.answer = answer
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        head, body = read_head(sock)
        wanted = int(tls_psp.fields(head)["content-length"])
        while len(body) < wanted:
            body += sock.recv(65536)
        sock.sendall(self.answer(body))
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)


class Resetting(Listener):
    """RST in place of the TLS handshake's answer."""

    def serve(self, sock: socket.socket) -> None:
        sock.recv(65536)
        linger = struct.pack("ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


class Stranger(Listener):
    """A certificate that nobody trusts."""

    def __init__(self, context: ssl.SSLContext):
        self.context = context
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        with self.context.wrap_socket(sock, server_side=True) as tls:
            tls.recv(1)


def with_trailers(hosted: str):
    """A good answer, in chunks and with a field behind them."""
    answer = tls_psp.registration(hosted)

    def said(body: bytes) -> bytes:
        _, _, content = answer("POST", "/", {}, body)
        return (
            CREATED + TYPE + b"Trailer: X-Check\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
            + f"{len(content):x}\r\n".encode() + content
            + b"\r\n0\r\nX-Check: good\r\n\r\n"
        )  # fmt: skip

    return said


class World:
    """The servers, and the payments_psp blocks that lead to them."""

    def __init__(self, stack, directory):
        self.stack = stack
        self.servers = []
        self.blocks = ""
        ours = Authority(directory, "ours")
        context = tls_psp.server_context(ours.leaf("localhost"))
        for name, said in SAID.items():
            self.plain(name, lambda body, said=said: said)
        self.plain("trailers", with_trailers(HOSTED))
        self.block("closed", f"http://127.0.0.1:{free_port()}")
        self.block("private", self.tls(Stranger(context)))
        on = "allow_private_address on;"
        self.block("reset", self.tls(Resetting()), on)
        self.block("stranger", self.tls(Stranger(context)), on)
        proxy = Proxy({}, status=403)
        self.servers.append(proxy)
        self.block(
            "no-tunnel",
            "https://psp.example",
            f"proxy http://127.0.0.1:{proxy.port};",
        )

    def plain(self, name: str, answer) -> None:
        server = Saying(answer)
        self.servers.append(server)
        self.block(name, f"http://127.0.0.1:{server.port}")

    def tls(self, server: Listener) -> str:
        self.servers.append(server)
        return f"https://localhost:{server.port}"

    def block(self, name: str, url: str, words: str = "") -> None:
        text = routed.block(self.stack, name, f"breaker off; {words}")
        old = f"{self.stack.gateway.mock_url}/generic;"
        assert old in text
        text = text.replace(old, f"{url};")
        hosts = "hosted_page_host   "
        self.blocks += text.replace(hosts, f"{hosts}psp.example ")

    def close(self) -> None:
        for each in self.servers:
            each.close()


@pytest.fixture(scope="module", autouse=True)
def world(own_stack, open_directory):
    made = World(own_stack, open_directory)
    names = " ".join(STAGES)
    own_stack.configure(NO_JOBS, *routed.edits(names, made.blocks, ""))
    yield made
    own_stack.configure()
    made.close()


def dispatch(stack, made) -> tuple:
    ((*row,),) = stack.sql(
        "SELECT reach, http_status, state, sends, attempt FROM pay.journal "
        "WHERE checkout_id = %s AND operation = 'register'",
        made.id,
    )
    return tuple(row)


@pytest.mark.parametrize("psp", STAGES)
def test_the_journal_says_how_far_a_call_came(stack, psp):
    reach, status, state = STAGES[psp]
    body = stack.order(psp)
    answer = stack.post(body)
    made = Checkout(stack, body, answer)
    assert answer.status_code == (201 if state == "DONE" else 202), answer.text
    found = dispatch(stack, made)
    assert found == (reach, status, state, 1, 1)


@pytest.mark.parametrize("psp", ("closed", "line"))
def test_the_timeline_says_so_too(stack, psp):
    reach, status, _ = STAGES[psp]
    body = stack.order(psp)
    made = Checkout(stack, body, stack.post(body))
    details = [each["detail"] for each in stack.timeline(made.order_id)]
    (told,) = [each for each in details if "reach" in each]
    assert told["reach"] == reach
    assert told.get("http_status") == status


def test_a_kept_connection_that_dies_with_the_request_was_written(stack):
    """The mock answers once, then drops each connection at the request:
    libcurl's own repeats on new connections do not hide the first."""
    stack.created()
    body = stack.order()
    stack.mock.faults(
        {"operation": "register", "kind": "drop", "times": 12,
         "nonce": routed.nonce_of(body)}
    )  # fmt: skip
    made = Checkout(stack, body, stack.post(body))
    assert dispatch(stack, made)[:3] == ("written", None, "UNKNOWN")
