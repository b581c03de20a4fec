"""Access tokens of a PSP that wants one (PayPal): asked for once, kept,
renewed while the old one still serves, asked for again after a 401, and never
seen in a log.  The PSP here is a server of its own in threads."""

import base64
import contextlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import tls_psp
from support.client import Api
from support.nginxconf import MINIMAL, Nginx, swap
from support.tls_psp import Authority, Psp, server_context
from support.waiting import wait_for

CLIENT = "the-client:its-secret"
TOKEN = "A21AA-canary-of-an-access-token-"
PLAIN = "adapter            generic;"
JSON = {"Content-Type": "application/json"}
BLOCK = """
    payments_psp {name} {{
        adapter            paypal;
        base_url           https://127.0.0.1:{port};
        ca_file            {ca};
        api_key_file       {key};
        webhook_id         1JE4291016473214C;
        webhook_ca_file    {ca};
        hosted_page_host   www.paypal.com;
        timeout            connect=1s total=6s;
    }}
"""
KINDS = """
    once many short renewed lost-renewal stale never refused broken garbage
    no-life control huge silent late
""".split()


class PayPal:
    """One PSP of its own per test: `tokens` made, `orders` with the token
    that each came with.  A test changes what it answers."""

    def __init__(self, context):
        self.tokens = []
        self.orders = []
        self.life_s = 32400
        self.bad = set()
        self.token_answer = None
        self.hold = threading.Event()
        self.hold.set()
        self.server = Psp(context, self.answer)

    def answer(self, method, path, found, body):
        if path == "/v1/oauth2/token":
            return self.token(found, body)
        assert (method, path) == ("POST", "/v2/checkout/orders")
        token = found["authorization"].removeprefix("Bearer ")
        self.orders.append(token)
        if token in self.bad or token not in self.tokens:
            return 401, JSON, b'{"error":"invalid_token"}'
        return 201, JSON, order(body)

    def token(self, found, body):
        word = base64.b64encode(CLIENT.encode()).decode()
        assert found["authorization"] == f"Basic {word}"
        assert body == b"grant_type=client_credentials"
        self.tokens.append(f"{TOKEN}{len(self.tokens)}")
        made = self.tokens[-1]
        self.hold.wait(tls_psp.DEADLINE_S)
        if self.token_answer is not None:
            return self.token_answer
        text = {
            "access_token": made,
            "token_type": "Bearer",
            "expires_in": self.life_s,
        }
        return 200, JSON, json.dumps(text).encode()


def order(body: bytes) -> bytes:
    unit = json.loads(body)["purchase_units"][0]
    made = f"O{abs(hash(unit['reference_id'])):020d}"
    pay = f"https://www.paypal.com/checkoutnow?token={made}"
    text = {
        "id": made,
        "status": "CREATED",
        "links": [{"href": pay, "rel": "approve", "method": "GET"}],
    }
    return json.dumps(text).encode()


@pytest.fixture(scope="module")
def psps(open_directory):
    ca = Authority(open_directory, "ca")
    key = open_directory / "client.pair"
    key.write_text(CLIENT)
    key.chmod(0o400)
    context = server_context(ca.leaf("127.0.0.1"))
    made = {kind: PayPal(context) for kind in KINDS}
    made["ca"], made["key"] = ca.file, key
    yield made
    for kind in KINDS:
        made[kind].hold.set()
        made[kind].server.close()


@pytest.fixture(scope="module")
def nginx(gateway, psps, tmp_path_factory):
    blocks = "".join(
        BLOCK.format(
            name=kind,
            port=psps[kind].server.port,
            ca=psps["ca"],
            key=psps["key"],
        )
        for kind in KINDS
    )
    head = "    payments_merchant acme {"
    text = swap(
        MINIMAL,
        (head, blocks + head),
        ("psp          generic stripe;", f"psp {' '.join(KINDS)};"),
    )
    made = Nginx(gateway, tmp_path_factory.mktemp("tokens"), text)
    with made.start():
        yield made
    for log in (made.error_log, made.dir / "access.log"):
        said = log.read_text()
        assert TOKEN not in said
        assert CLIENT.split(":")[1] not in said


@pytest.fixture(scope="module")
def pay(gateway, nginx, checkout):
    api = Api(nginx.url, gateway.ssl_context(), gateway.env["MERCHANT_JWT"])
    with contextlib.closing(api):
        yield lambda psp: api.create(checkout(psp=psp))


@pytest.fixture
def unpaid(pay, nginx, psps):
    """unpaid(psp): no token, so nothing of the order was sent."""

    def run(psp):
        answer = pay(psp)
        assert answer.status_code == 202, answer.text
        assert psps[psp].orders == []
        said = nginx.error_log.read_text()
        assert f"the psp gives no access token, psp:{psp}" in said

    return run


def test_a_token_is_asked_for_once(pay, psps):
    for _ in range(5):
        assert pay("once").status_code == 201
    assert len(psps["once"].tokens) == 1
    assert psps["once"].orders == psps["once"].tokens * 5


def test_all_who_need_it_at_once_wait_for_one_question(pay, psps):
    psp = psps["many"]
    psp.hold.clear()
    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(pay, "many") for _ in range(20)]
        wait_for(lambda: psp.tokens, what="the question")
        psp.hold.set()
        assert {call.result().status_code for call in calls} == {201}
    assert len(psp.tokens) == 1
    assert len(psp.orders) == 20


def test_a_token_whose_time_is_over_is_never_sent(pay, psps):
    psp = psps["short"]
    psp.life_s = 1

    def renewed():
        assert pay("short").status_code == 201
        return len(psp.tokens) >= 3

    wait_for(renewed, what="a third token")
    # none was refused, so none came too late
    assert set(psp.orders) <= set(psp.tokens)


def test_a_token_is_renewed_while_the_old_one_serves(pay, psps):
    """The new one is slow to come; nobody waits for it."""
    psp = psps["renewed"]
    psp.life_s = 5
    assert pay("renewed").status_code == 201
    psp.hold.clear()

    def asked():
        began = time.monotonic()
        assert pay("renewed").status_code == 201
        assert time.monotonic() - began < 2
        return len(psp.tokens) == 2

    wait_for(asked, what="the renewal")
    assert set(psp.orders) == {psp.tokens[0]}
    psp.hold.set()

    def taken():
        assert pay("renewed").status_code == 201
        return psp.orders[-1] == psp.tokens[1]

    wait_for(taken, what="the new token")


def test_a_renewal_that_fails_leaves_the_old_token(pay, psps):
    psp = psps["lost-renewal"]
    psp.life_s = 5
    assert pay("lost-renewal").status_code == 201
    psp.token_answer = (503, JSON, b"{}")

    def asked():
        assert pay("lost-renewal").status_code == 201
        return len(psp.tokens) == 2

    wait_for(asked, what="the renewal")
    assert pay("lost-renewal").status_code == 201
    assert set(psp.orders) == {psp.tokens[0]}


def test_a_token_that_is_refused_is_replaced_in_the_same_call(pay, psps):
    psp = psps["stale"]
    assert pay("stale").status_code == 201
    psp.bad.add(psp.tokens[0])
    assert pay("stale").status_code == 201
    assert psp.orders == [psp.tokens[0], psp.tokens[0], psp.tokens[1]]


def test_a_psp_that_refuses_each_token_is_asked_twice(pay, psps):
    psp = psps["never"]
    psp.bad = {f"{TOKEN}{n}" for n in range(100)}
    assert pay("never").status_code == 202
    assert psp.orders == psp.tokens
    assert len(psp.tokens) == 2


@pytest.mark.parametrize(
    ("psp", "answer"),
    [
        ("refused", (401, JSON, b'{"error":"invalid_client"}')),
        ("broken", (500, JSON, b"{}")),
        ("garbage", (200, JSON, b'{"access_token":7,"expires_in":"x"}')),
        (
            "no-life",
            (200, JSON, b'{"access_token":"a","token_type":"Bearer",'
             b'"expires_in":0}'),
        ),
        (
            "control",
            (200, JSON, b'{"access_token":"a\\r\\nX-Evil: 1","token_type":'
             b'"Bearer","expires_in":9}'),
        ),
        (
            "huge",
            (200, JSON, b'{"access_token":"' + b"a" * 5000
             + b'","token_type":"Bearer","expires_in":9}'),
        ),
    ],
)  # fmt: skip
def test_without_a_token_nothing_is_sent(unpaid, psps, psp, answer):
    psps[psp].token_answer = answer
    unpaid(psp)


def test_a_token_that_does_not_come_is_not_waited_for_without_end(unpaid, psps):
    psps["silent"].hold.clear()
    began = time.monotonic()
    unpaid("silent")
    assert time.monotonic() - began < 25


def test_after_a_failure_the_psp_is_not_asked_by_everyone(pay, psps):
    psp = psps["late"]
    psp.token_answer = (503, JSON, b"{}")
    began = time.monotonic()
    for _ in range(10):
        assert pay("late").status_code == 202
    took = time.monotonic() - began
    assert len(psp.tokens) <= 2 + took
    assert psp.orders == []
