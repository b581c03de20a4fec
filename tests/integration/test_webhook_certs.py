"""Certificates that a webhook names by URL (PayPal): only from the configured
hosts, without any key of ours, a few at a time, kept for a while - and no
webhook is believed before one is there."""

import base64
import contextlib
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import tls_psp
from support.client import Api
from support.nginxconf import MINIMAL, Nginx, swap
from support.tls_psp import Authority, Psp, server_context
from support.waiting import wait_for

BLOCK = """
    payments_psp paypal {{
        adapter                paypal;
        base_url               https://127.0.0.1:1;
        ca_file                {ca};
        api_key_file           {key};
        webhook_id             1JE4291016473214C;
        webhook_ca_file        {ca};
        webhook_cert_host      localhost:{port};
        webhook_cert_path      /;
        webhook_cert_rate      rate=100r/s burst=1000;
        hosted_page_host       www.paypal.com;
        pinned_public_key      {pin};
        allow_private_address  on;
        timeout                connect=1s total=3s;
    }}
    payments_psp guarded {{
        adapter                paypal;
        base_url               https://127.0.0.1:1;
        ca_file                {ca};
        api_key_file           {key};
        webhook_id             1JE4291016473214C;
        webhook_ca_file        {ca};
        webhook_cert_host      localhost:{guarded};
        webhook_cert_path      /;
        hosted_page_host       www.paypal.com;
    }}
    payments_psp usual {{
        adapter                paypal;
        base_url               https://127.0.0.1:1;
        ca_file                {ca};
        api_key_file           {key};
        webhook_id             1JE4291016473214C;
        webhook_ca_file        {ca};
        webhook_cert_host      localhost:{port};
        hosted_page_host       www.paypal.com;
        allow_private_address  on;
    }}
    payments_psp slow {{
        adapter                paypal;
        base_url               https://127.0.0.1:1;
        ca_file                {ca};
        api_key_file           {key};
        webhook_id             1JE4291016473214C;
        webhook_ca_file        {ca};
        webhook_cert_host      localhost:{port};
        webhook_cert_path      /certs/;
        webhook_cert_rate      rate=1r/m burst=2;
        hosted_page_host       www.paypal.com;
        allow_private_address  on;
    }}
    payments_psp braintree {{
        adapter                braintree;
        webhook_key_file       {text};
        webhook_public_key     integration_public_key;
    }}
"""


class Host:
    """Where certificates come from; answers by path."""

    def __init__(self, context):
        self.answers = {}
        self.hold = threading.Event()
        self.hold.set()
        self.waiting = 0
        self.server = Psp(context, self.answer)

    def answer(self, method, path, found, body):
        self.waiting += 1
        self.hold.wait(tls_psp.DEADLINE_S)
        return self.answers.get(path, (404, {}, b"not here"))

    def asked(self, path: str) -> int:
        return sum(each[1] == path for each in self.server.requests)


@pytest.fixture(scope="module")
def world(open_directory):
    ca = Authority(open_directory, "ca")
    for name, text in (("pair", "a:b"), ("text", "braintree-private-key")):
        (open_directory / name).write_text(text)
        (open_directory / name).chmod(0o400)
    context = server_context(ca.leaf("localhost"))
    made = {"dir": open_directory, "ca": ca}
    made |= {"host": Host(context), "guarded": Host(context)}
    yield made
    for name in ("host", "guarded"):
        made[name].hold.set()
        made[name].server.close()


@pytest.fixture(scope="module")
def nginx(gateway, world, tmp_path_factory):
    blocks = BLOCK.format(
        ca=world["ca"].file,
        pin=f"sha256//{'A' * 43}=",
        key=world["dir"] / "pair",
        text=world["dir"] / "text",
        port=world["host"].server.port,
        guarded=world["guarded"].server.port,
    )
    head = "    payments_merchant acme {"
    text = swap(MINIMAL, (head, blocks + head))
    made = Nginx(gateway, tmp_path_factory.mktemp("certhost"), text)
    with made.start():
        yield made


@pytest.fixture(scope="module")
def api(gateway, nginx):
    made = Api(nginx.url, gateway.ssl_context())
    with contextlib.closing(made):
        yield made


@pytest.fixture(scope="module")
def host(world):
    return world["host"]


@pytest.fixture
def notify(api, host):
    """notify(path): a webhook whose certificate lies there."""

    def run(path, psp="paypal", base=None, body=b'{"id":"WH-1"}'):
        base = base or f"https://localhost:{host.server.port}"
        headers = {
            "Content-Type": "application/json",
            "PAYPAL-TRANSMISSION-ID": "b2384410-f8d2-11f0-b8c5-1b3c9a5ea1f4",
            "PAYPAL-TRANSMISSION-TIME": "2026-11-21T12:00:00Z",
            "PAYPAL-TRANSMISSION-SIG": base64.b64encode(
                os.urandom(256)
            ).decode(),
            "PAYPAL-CERT-URL": base + path,
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        }
        return api.post(f"/webhooks/{psp}", content=body, headers=headers)

    return run


def slug(answer) -> str:
    return answer.json()["type"].rpartition("/")[2]


def test_a_certificate_is_fetched_without_any_key(notify, host):
    assert notify("/keyless").status_code == 503
    ((method, path, found, body),) = [
        each for each in host.server.requests if each[1] == "/keyless"
    ]
    assert (method, path, body) == ("GET", "/keyless", b"")
    assert set(found) <= {"host", "accept", "user-agent"}


def test_one_that_is_not_there_is_not_asked_for_again(notify, host):
    for _ in range(3):
        answer = notify("/missing")
        assert answer.status_code == 503
        assert slug(answer) == "dependency-unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
    assert host.asked("/missing") == 1


def test_one_that_was_fetched_is_kept(notify, host, world):
    """It is no certificate of PayPal: each webhook is refused."""
    pem = world["ca"].file.read_bytes()
    host.answers["/kept"] = (200, {}, pem)
    for _ in range(5):
        answer = notify("/kept")
        assert answer.status_code == 401
        assert slug(answer) == "webhook-signature-invalid"
    assert host.asked("/kept") == 1


class FirstGood:
    """Two fetches at once: the second fails, after the first has gone well."""

    def __init__(self, pem: bytes):
        self.pem = pem
        self.calls = 0
        self.second = threading.Event()
        self.fail = threading.Event()
        self.lock = threading.Lock()

    def get(self, path, default):
        with self.lock:
            self.calls += 1
            call = self.calls
        if call == 1:
            assert self.second.wait(tls_psp.DEADLINE_S)
            return 200, {}, self.pem
        self.second.set()
        assert self.fail.wait(tls_psp.DEADLINE_S)
        return default


def test_a_failure_takes_nothing_away_that_another_has_fetched(
    notify, host, world, monkeypatch
):
    answers = FirstGood(world["ca"].file.read_bytes())
    monkeypatch.setattr(host, "answers", answers)
    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(notify, "/twice") for _ in range(2)]
        wait_for(lambda: any(each.done() for each in made), 90, "the first")
        answers.fail.set()
        assert {each.result().status_code for each in made} == {401, 503}
    assert notify("/twice").status_code == 401
    assert answers.calls == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_leads_to_a_certificate(notify, host, world, status):
    pem = world["ca"].file.read_bytes()
    host.answers["/target"] = (200, {}, pem)
    host.answers[f"/moved-{status}"] = (status, {"Location": "/target"}, pem)
    assert notify(f"/moved-{status}").status_code == 503
    assert host.asked("/target") == 0


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/empty", b""),
        ("/large", b"-----BEGIN CERTIFICATE-----\n" + b"A" * 16384),
        ("/larger", b"-----BEGIN CERTIFICATE-----\n" + b"A" * 100_000),
    ],
)
def test_what_cannot_be_a_certificate_is_none(notify, host, path, content):
    host.answers[path] = (200, {}, content)
    assert notify(path).status_code == 503


def test_what_is_no_certificate_makes_nothing_valid(notify, host):
    host.answers["/page"] = (200, {}, b"<html>hello</html>")
    answer = notify("/page")
    assert answer.status_code == 401
    assert notify("/page").status_code in (401, 503)


@pytest.mark.parametrize(
    "base",
    [
        "https://localhost:1",
        "https://127.0.0.1:{port}",
        "https://localhost",
        "http://localhost:{port}",
        "https://localhost:{port}@evil.example",
        "https://evil.example/localhost:{port}",
        "https://localhost.:{port}",
        "https://xlocalhost:{port}",
    ],
)
def test_another_host_is_never_asked(notify, host, base):
    before = host.server.connections
    answer = notify("/kept", base=base.format(port=host.server.port))
    assert answer.status_code == 401
    assert host.server.connections == before


def test_a_host_at_a_private_address_is_not_asked(notify, world):
    """base_url is a loopback address, and that says nothing about others."""
    guarded = world["guarded"].server
    base = f"https://localhost:{guarded.port}"
    assert notify("/x", "guarded", base).status_code == 503
    assert guarded.connections == 0


def test_only_a_few_are_fetched_at_a_time(notify, host):
    """Anybody can make up addresses; the others are told to come again."""
    host.hold.clear()
    host.waiting = 0
    try:
        with ThreadPoolExecutor(12) as pool:
            calls = [pool.submit(notify, f"/flood-{n}") for n in range(12)]
            wait_for(
                lambda: sum(call.done() for call in calls) == 8,
                what="eight refusals",
            )
            assert host.waiting == 4
            host.hold.set()
            assert {call.result().status_code for call in calls} == {503}
    finally:
        host.hold.set()


def test_made_up_addresses_do_not_push_out_what_is_kept(notify, host, world):
    host.answers["/good"] = (200, {}, world["ca"].file.read_bytes())
    assert notify("/good").status_code == 401
    for n in range(40):
        assert notify(f"/made-up-{n}").status_code == 503
    assert notify("/good").status_code == 401
    assert host.asked("/good") == 1


@pytest.mark.parametrize(
    "path",
    [
        "/kept", "/v1/notifications/CERT-1", "/v1/notifications/certs",
        "/v1/notifications/certs/", "/v1/notifications/certs/../kept",
        "/v1/notifications/certs/%2e%2e/kept",
        "/v1/notifications/certs/..%2fkept", "//v1/notifications/certs/x",
        "/v1/notifications/certs/a/./b", "/v1/notifications/certs/CERT-1?x",
        "/v1/notifications/certs/CERT-1#x", "/v1/notifications/certs/a;b",
    ],
)  # fmt: skip
def test_another_path_is_never_asked(notify, host, path):
    before = len(host.server.requests)
    answer = notify(path, "usual")
    assert answer.status_code == 401
    assert slug(answer) == "webhook-signature-invalid"
    assert len(host.server.requests) == before


def test_the_psps_own_path_is_asked(notify, host, world):
    path = "/v1/notifications/certs/CERT-360caa42"
    host.answers[path] = (200, {}, world["ca"].file.read_bytes())
    assert notify(path, "usual").status_code == 401
    assert host.asked(path) == 1


def test_forged_webhooks_make_few_calls(notify, host, nginx, world):
    """200 of them made 200 calls in 0.8 s.  rate=1r/m burst=2: three now."""
    path = "/certs/good"
    host.answers[path] = (200, {}, world["ca"].file.read_bytes())
    assert notify(path, "slow").status_code == 401
    for n in range(200):
        answer = notify(f"/certs/forged-{n}", "slow")
        assert answer.status_code == 503
        assert slug(answer) == "dependency-unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
    asked = [each[1] for each in host.server.requests]
    assert sum(each.startswith("/certs/forged-") for each in asked) == 2
    assert "payments: too many certificates of webhooks, psp:slow" in (
        nginx.error_log.read_text()
    )

    # the one that is kept is as good as before, and so is another PSP's
    assert notify(path, "slow").status_code == 401
    assert host.asked(path) == 1
    assert notify("/others", "paypal").status_code == 503
    assert host.asked("/others") == 1


def test_a_challenge_is_answered_in_plain_text(api):
    asked = "a" * 20
    answer = api.get(f"/webhooks/braintree?bt_challenge={asked}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("integration_public_key|")


@pytest.mark.parametrize(
    "query", ["", "?", "?x=1", "?bt_challenge=", "?bt_challenge=short",
              "?bt_challenge=" + "a" * 4000,
              "?bt_challenge=" + "%41" * 20 + "%00"],
)  # fmt: skip
def test_what_is_no_challenge_is_refused(api, query):
    answer = api.get(f"/webhooks/braintree{query}")
    assert answer.status_code == 400
    assert slug(answer) == "malformed-request"


@pytest.mark.parametrize(
    ("psp", "method", "allow"),
    [
        ("generic", "GET", "POST, OPTIONS"),
        ("paypal", "GET", "POST, OPTIONS"),
        ("nobody", "GET", "POST, OPTIONS"),
        ("braintree", "PUT", "GET, HEAD, POST, OPTIONS"),
        ("braintree", "DELETE", "GET, HEAD, POST, OPTIONS"),
    ],
)
def test_elsewhere_there_is_nothing_to_get(api, psp, method, allow):
    path = f"/webhooks/{psp}?bt_challenge={'a' * 20}"
    answer = api.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == allow
    assert json.loads(answer.text)["status"] == 405
