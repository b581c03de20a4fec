"""Calls to PSPs (docs/security.md L5, T18, T30): not a byte of the request
leaves before the other end has proved who it is, and nothing leads into our
own network.  Each PSP here is a server of its own; one nginx knows them
all."""

import contextlib
import re
import ssl
import time
import types
import warnings
from pathlib import Path

import httpx
import pytest
from support import tls_psp
from support.client import Api
from support.nginxconf import MINIMAL, Nginx
from support.tls_psp import DAY, Authority, Proxy, Psp, Silent, server_context

# TLS 1.1 is gone from OpenSSL's default security level.
OLD = "DEFAULT:@SECLEVEL=0"
BLOCK = """
    payments_psp {name} {{
        adapter            generic;
        base_url           {url};
        api_key_file       secrets/generic.key;
        webhook_key_file   secrets/generic.whsec;
        hosted_page_host   psp.example;
        timeout            connect=1s total=2s;
        {words}
    }}
"""
HOSTED = "https://psp.example/pay/1"
HTML = Path(__file__).resolve().parents[2] / "html/console"
# the console of this nginx, which says how it has seen the PSPs
CONSOLE = """
    payments_staff {{
        issuer    https://login.example;
        audience  ngx_payments_console;
        jwt_key   kid=staff-2026-01 alg=ES256 file=secrets/staff.pub;
        max_lifetime  25h;
        group     payments-viewers viewer;
    }}
    payments_console_database "{dsn}" connections=1;
    payments_console_html "{html}";
"""


class World:
    """The servers by name, and the blocks that lead to them."""

    def __init__(self, directory):
        self.ours = Authority(directory, "ours")
        self.theirs = Authority(directory, "theirs")
        self.psps = {}
        self.proxies = {}
        self.blocks = {}
        self.trust = f"ca_file {self.ours.file};"
        self.on = f"allow_private_address on; {self.trust}"

    def add(self, name, context, words=None, url=None, answer=None):
        server = Psp(context, answer or tls_psp.registration(HOSTED))
        self.psps[name] = server
        self.block(name, url or server.url, words)
        return server

    def block(self, name, url, words=None):
        words = self.on if words is None else words
        self.blocks[name] = BLOCK.format(name=name, url=url, words=words)

    def close(self):
        for each in [*self.psps.values(), *self.proxies.values()]:
            each.close()


def old_context(leaf):
    context = server_context(leaf)
    context.set_ciphers(OLD)
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def add_certificates(world):
    ours, theirs = world.ours, world.theirs
    good = ours.leaf("localhost", "127.0.0.1")
    both = server_context(good)
    world.add("good", both)
    world.add("tls12", server_context(good, maximum=ssl.TLSVersion.TLSv1_2))
    world.add("tls11", old_context(good))
    world.add("plain", None)
    world.add("other-host", server_context(ours.leaf("psp.example")))
    world.add("no-name", server_context(ours.leaf()))
    past = ours.leaf("localhost", begin=-2 * DAY, end=-DAY)
    world.add("expired", server_context(past))
    later = ours.leaf("localhost", begin=DAY, end=2 * DAY)
    world.add("not-yet", server_context(later))
    world.add("other-ca", server_context(theirs.leaf("localhost")))
    world.add("system-ca", both, words="allow_private_address on;")
    for name, pins in {
        "pin-right": [good.pin],
        "pin-wrong": [theirs.leaf("x").pin],
        "pin-next": [theirs.leaf("x").pin, good.pin],
        "pins-wrong": [theirs.leaf("x").pin, theirs.leaf("x").pin],
    }.items():
        words = f"{world.on} pinned_public_key {' '.join(pins)};"
        world.add(name, both, words=words)


def add_addresses(world):
    both = server_context(world.ours.leaf("localhost", "127.0.0.1"))
    world.add("by-name", both, words=world.trust)
    world.block("kept", world.psps["good"].url, world.trust)
    literal = world.add("literal", both, words=world.trust)
    world.block("literal", f"https://127.0.0.1:{literal.port}", world.trust)


def add_answers(world):
    both = server_context(world.ours.leaf("localhost"))
    world.add("elsewhere", both)
    to = world.psps["elsewhere"].url

    def redirect(status):
        return lambda *_: (status, {"Location": f"{to}/v1/registrations"}, b"")

    for status in (301, 302, 308):
        world.add(f"moved-{status}", both, answer=redirect(status))
    world.psps["silent"] = Silent()
    world.block("silent", f"https://localhost:{world.psps['silent'].port}")


def add_proxies(world):
    ours, theirs = world.ours, world.theirs
    right = Psp(
        server_context(ours.leaf("psp.example")), tls_psp.registration(HOSTED)
    )
    wrong = Psp(
        server_context(theirs.leaf("psp.example")),
        tls_psp.registration(HOSTED),
    )
    world.psps |= {"behind": right, "behind-wrong": wrong}
    own = server_context(ours.leaf("localhost"))
    foreign = server_context(theirs.leaf("localhost"))
    for name, proxy, scheme in (
        ("proxy", Proxy({"psp.example": right.port}), "http"),
        ("proxy-wrong", Proxy({"psp.example": wrong.port}), "http"),
        ("proxy-tls", Proxy({"psp.example": right.port}, own), "https"),
        ("proxy-forged", Proxy({"psp.example": right.port}, foreign), "https"),
        ("proxy-403", Proxy({}, status=403), "http"),
        ("proxy-407", Proxy({}, status=407), "http"),
    ):
        world.proxies[name] = proxy
        words = f"proxy {scheme}://localhost:{proxy.port}; {world.trust}"
        world.block(name, "https://psp.example", words)
    world.block(
        "proxy-gone",
        "https://psp.example",
        f"proxy http://localhost:1; {world.trust}",
    )


@pytest.fixture(scope="module")
def world(open_directory):
    made = World(open_directory)
    add_certificates(made)
    add_addresses(made)
    add_answers(made)
    add_proxies(made)
    yield made
    made.close()


def gateway_of(gateway, world, directory):
    names = " ".join(world.blocks)
    head = "    payments_merchant acme {"
    text = MINIMAL.replace(head, "".join(world.blocks.values()) + head)
    text = text.replace("psp          generic stripe;", f"psp generic {names};")
    dsn = re.search(
        r'payments_console_database\s+"([^"]+)"', gateway.conf.read_text()
    )
    text = text.replace(head, CONSOLE.format(dsn=dsn[1], html=HTML) + head)
    place = "        location /checkout/"
    text = text.replace(
        place, f"        location /console/ {{ payments_console; }}\n{place}"
    )
    return Nginx(gateway, directory, text)


@pytest.fixture(scope="module")
def nginx(gateway, world, tmp_path_factory):
    made = gateway_of(gateway, world, tmp_path_factory.mktemp("outbound"))
    with made.start():
        yield made


@pytest.fixture(scope="module")
def pay(gateway, nginx, checkout, world):
    """pay(psp) → the answer and what the PSP was told by it."""
    with contextlib.closing(
        Api(nginx.url, gateway.ssl_context(), gateway.env["MERCHANT_JWT"])
    ) as api:

        def run(psp):
            return api.create(checkout(psp=psp))

        yield run


@pytest.fixture
def failed(pay, nginx):
    """failed(psp, why): the call ended that way, and without effect."""

    def run(psp, why):
        answer = pay(psp)
        assert answer.status_code == 202, answer.text
        assert not answer.json()["is_payment_done"]
        said = nginx.error_log.read_text()
        found = re.findall(rf"psp call failed, psp:{psp}, why:(\S+), (sent:\d)",
                           said)  # fmt: skip
        assert found, said[-2000:]
        assert set(found) == {(f"{why}", "sent:0")}

    return run


@pytest.mark.parametrize(
    "psp", ["good", "tls12", "literal", "pin-right", "pin-next"]
)
def test_a_psp_that_proves_itself_gets_the_request(pay, world, psp):
    answer = pay(psp)
    assert answer.status_code == 201, answer.text
    ((method, path, found, body),) = world.psps[psp].requests
    assert (method, path) == ("POST", "/v1/registrations")
    assert found["authorization"].startswith("Bearer ")
    assert b'"nonce"' in body


def test_the_end_of_a_certificate_is_known(pay, nginx, gateway):
    """For /metrics and the console, of each PSP that was called over TLS."""
    for psp in ("good", "pin-right"):
        assert pay(psp).status_code == 201
    assert pay("plain").status_code == 202
    ends = time.time() + DAY.total_seconds()
    with httpx.Client(
        base_url=nginx.url, verify=gateway.ssl_context(), timeout=10
    ) as http:
        metrics = http.get("/metrics").text
        token = gateway.env["STAFF_VIEWER_JWT"]
        page = http.get(
            "/console/api/psps", headers={"Authorization": f"Bearer {token}"}
        )
    found = re.findall(
        r'payments_psp_certificate_end_timestamp_seconds\{psp="([^"]+)"\} '
        r"([0-9]+)",
        metrics,
    )
    assert abs(float(dict(found)["good"]) - ends) < 600
    assert "plain" not in dict(found)
    rows = {each["psp"]: each for each in page.json()["node"]}
    good, plain = rows["good"], rows["plain"]
    assert good["certificate"] == "ends soon"
    assert good["certificate_end"] == time.strftime(
        "%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(dict(found)["good"]))
    )
    assert "CN=ours" in good["certificate_issuer"]
    assert (good["pinned"], rows["pin-right"]["pinned"]) == (False, True)
    assert (plain["certificate"], plain["certificate_end"]) == (None, None)


@pytest.mark.parametrize(
    "psp",
    [
        "other-host", "no-name", "expired", "not-yet",
        "other-ca", "system-ca", "tls11", "pin-wrong", "pins-wrong",
    ],
)  # fmt: skip
def test_a_psp_that_cannot_prove_itself_sees_no_byte(failed, world, psp):
    failed(psp, "tls")
    assert world.psps[psp].connections >= 1
    assert world.psps[psp].told == b""


def test_a_psp_without_tls_sees_no_http(failed, world):
    failed("plain", "tls")
    server = world.psps["plain"]
    assert server.connections >= 1
    for word in (b"POST", b"Authorization", b"Bearer", b"nonce"):
        assert word not in server.told


def test_a_psp_that_hangs_in_the_handshake_got_nothing(failed):
    failed("silent", "timeout")


def test_a_name_that_leads_to_a_private_address_is_not_called(failed, world):
    failed("by-name", "private-address")
    assert world.psps["by-name"].connections == 0


def test_a_kept_connection_leads_nowhere_that_a_new_one_may_not(
    failed, pay, world
):
    """The same host and port, open already for a PSP that may go there."""
    assert pay("good").status_code == 201
    before = len(world.psps["good"].requests)
    failed("kept", "private-address")
    assert len(world.psps["good"].requests) == before


def test_a_tls_session_is_resumed_where_the_same_is_trusted(
    gateway, checkout, open_directory, tmp_path
):
    """Each call has a connection of its own; another block that leads to the
    same server with another CA has to see its certificate."""
    directory = open_directory / "resumed"
    directory.mkdir(mode=0o755)
    world = World(directory)
    register = tls_psp.registration(HOSTED)

    def close(*call):
        status, found, body = register(*call)
        return status, found | {"Connection": "close"}, body

    own = server_context(world.ours.leaf("localhost"))
    psp = world.add("ours", own, answer=close)
    other = f"allow_private_address on; ca_file {world.theirs.file};"
    world.block("theirs", psp.url, other)
    nginx = gateway_of(gateway, world, tmp_path)
    with (
        contextlib.closing(world),
        nginx.start(),
        contextlib.closing(
            Api(nginx.url, gateway.ssl_context(), gateway.env["MERCHANT_JWT"])
        ) as api,
    ):
        for name, status in (("ours", 201), ("ours", 201), ("theirs", 202)):
            answer = api.create(checkout(psp=name))
            assert answer.status_code == status, answer.text
        assert psp.resumed == [False, True]
        assert "psp:theirs, why:tls" in nginx.error_log.read_text()


@pytest.mark.parametrize("status", [301, 302, 308])
def test_a_redirect_is_not_followed(pay, world, status):
    answer = pay(f"moved-{status}")
    assert answer.status_code == 202, answer.text
    assert len(world.psps[f"moved-{status}"].requests) == 1
    assert world.psps["elsewhere"].connections == 0


@pytest.mark.parametrize("psp", ["proxy", "proxy-tls"])
def test_a_proxy_is_shown_the_name_alone(pay, world, psp):
    before = len(world.psps["behind"].requests)
    answer = pay(psp)
    assert answer.status_code == 201, answer.text
    assert len(world.psps["behind"].requests) == before + 1
    heads = world.proxies[psp].heads
    assert [head.split(b"\r\n")[0] for head in heads] == [
        b"CONNECT psp.example:443 HTTP/1.1"
    ]
    names = set(tls_psp.fields(heads[0]))
    assert names <= {"host", "user-agent", "proxy-connection"}


def test_behind_a_proxy_the_certificate_is_still_the_psps(failed, world):
    """What went to the proxy is no part of the request: nothing was sent."""
    failed("proxy-wrong", "tls")
    assert world.proxies["proxy-wrong"].heads
    assert world.psps["behind-wrong"].told == b""


def test_a_proxy_that_cannot_prove_itself_is_asked_nothing(failed, world):
    failed("proxy-forged", "tls")
    assert world.proxies["proxy-forged"].connections >= 1
    assert world.proxies["proxy-forged"].heads == []


@pytest.mark.parametrize("psp", ["proxy-403", "proxy-407", "proxy-gone"])
def test_a_proxy_that_leads_nowhere_is_a_psp_not_reached(failed, psp):
    failed(psp, "connect")


def test_each_call_is_counted_by_what_it_was_for(gateway, nginx, pay):
    """Runs last of its file: all PSPs above have been called by then."""
    assert pay("good").status_code == 201
    api = Api(nginx.url, gateway.ssl_context())
    with contextlib.closing(api):
        text = api.get("/metrics").text
    assert re.search(
        r'^payments_psp_calls_total\{psp="good",operation="register",'
        r'result="ok"\} [1-9]',
        text,
        re.M,
    )
    counted = types.SimpleNamespace(
        total=sum(
            int(n)
            for n in re.findall(
                r'^payments_psp_calls_total\{psp="good",.*\} (\d+)$',
                text,
                re.M,
            )
        ),
        timed=int(
            re.search(
                r"^payments_psp_call_duration_seconds_count"
                r'\{psp="good"\} (\d+)$',
                text,
                re.M,
            )[1]
        ),
    )
    assert counted.total == counted.timed
