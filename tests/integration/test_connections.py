"""Connections are made once and used again: to PSPs, in HTTP/2 where the PSP
speaks it, and by storefronts, whose TLS sessions are resumed.

The PSPs are two more servers of the gateway's own nginx, which calls itself;
their log names the connection of each call.
"""

import contextlib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from support import waiting
from support.client import Api
from support.nginxconf import MINIMAL, Nginx
from support.ports import free_port

CALLS = 20
PSP = """
    payments_psp {name} {{
        adapter                stripe;
        base_url               https://localhost:{port};
        api_key_file           secrets/stripe.key;
        webhook_key_file       secrets/stripe.whsec;
        hosted_page_host       psp.example;
        ca_file                {ca};
        allow_private_address  on;
    }}
"""
SERVER = """
    server {{
        listen        127.0.0.1:{port} ssl{http2};
        access_log    @DIR@/{name}.log psp;
        default_type  application/json;
        location / {{
            return 200 '{{"object":"checkout.session","id":"cs_test_$request_id","url":"https://psp.example/pay/$request_id","status":"open","payment_status":"unpaid"}}';
        }}
    }}
"""  # noqa: E501 - one line of nginx
LOG = "    log_format psp '$connection $server_protocol';\n"
SESSIONS = (
    "    ssl_session_cache shared:tls:1m;\n    ssl_protocols TLSv1.2 TLSv1.3;\n"
)


@pytest.fixture(scope="module")
def nginx(gateway, tmp_path_factory):
    psps, servers = "", ""
    for name, http2 in (("two", " http2"), ("one", "")):
        port = free_port()
        ca = gateway.env["GATEWAY_CA"]
        psps += PSP.format(name=name, port=port, ca=ca)
        servers += SERVER.format(name=name, port=port, http2=http2)
    head = "    payments_merchant acme {"
    text = MINIMAL.replace(head, psps + head)
    text = text.replace("psp          generic stripe;", "psp one two;")
    end = text.rindex("}")
    text = text[:end] + LOG + SESSIONS + servers + text[end:]
    made = Nginx(gateway, tmp_path_factory.mktemp("connections"), text)
    with made.start():
        yield made


@pytest.fixture(scope="module")
def api(gateway, nginx):
    with contextlib.closing(
        Api(nginx.url, gateway.ssl_context(), gateway.env["MERCHANT_JWT"])
    ) as made:
        yield made


def calls(nginx, name: str, count: int) -> list[list[str]]:
    """[connection, protocol] of each call that the PSP has answered."""

    def logged():
        lines = (nginx.dir / f"{name}.log").read_text().splitlines()
        return lines if len(lines) >= count else None

    found = waiting.wait_for(logged, 90, "the PSP's log")
    assert len(found) == count
    return [line.split() for line in found]


@pytest.mark.parametrize(
    ("name", "protocol"), [("two", "HTTP/2.0"), ("one", "HTTP/1.1")]
)
def test_a_psp_is_called_on_the_connection_that_is_there(
    api, nginx, checkout, name, protocol
):
    for _ in range(CALLS):
        answer = api.create(checkout(psp=name))
        assert answer.status_code == 201, answer.text
    made = calls(nginx, name, CALLS)
    assert {each[1] for each in made} == {protocol}
    assert len({each[0] for each in made}) == 1


def test_calls_at_once_share_what_is_open(api, nginx, checkout):
    """HTTP/2: one connection is enough, as soon as it is there."""
    before = len((nginx.dir / "two.log").read_text().splitlines())
    assert api.create(checkout(psp="two")).status_code == 201
    with ThreadPoolExecutor(8) as pool:
        bodies = [checkout(psp="two") for _ in range(CALLS)]
        for answer in pool.map(api.create, bodies):
            assert answer.status_code == 201, answer.text
    made = calls(nginx, "two", before + 1 + CALLS)[before:]
    assert len({each[0] for each in made}) == 1


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
)
def test_a_storefronts_session_is_resumed(gateway, nginx, version):
    context = gateway.ssl_context()
    context.minimum_version = context.maximum_version = version
    session, reused = None, []
    for _ in range(2):
        raw = socket.create_connection(("127.0.0.1", nginx.port), timeout=20)
        with context.wrap_socket(
            raw, server_hostname="localhost", session=session
        ) as link:
            link.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert link.recv(64).startswith(b"HTTP/1.1 200")
            session = link.session
            reused.append(link.session_reused)
    assert reused == [False, True]


def test_the_certificate_of_the_stack_is_ecdsa(gateway):
    pem = (gateway.run / "tls" / "server.pem").read_bytes()
    key = x509.load_pem_x509_certificate(pem).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
