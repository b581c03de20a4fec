"""The programs of examples/, started as their first lines say, against a
gateway that lets their addresses in: a buyer pays in each shop, and the
bridge is a PSP of this gateway."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import uuid
from urllib.parse import urlsplit

import httpx
import pytest
from support.client import transport
from support.gateway import ROOT
from support.own_stack import OwnStack
from support.ports import free_port
from support.waiting import wait_for

EXAMPLES = ROOT / "examples"
CARD = {"number": "4242424242424242", "expiry": "12/39", "cvc": "123"}
LINES_MAX = 60


@pytest.fixture(scope="module")
def ports():
    return {name: free_port() for name in ("shop.py", "shop.mjs", "bridge.py")}


@pytest.fixture(scope="module")
def open_stack(ports):
    shops = f"127.0.0.1:{ports['shop.py']} 127.0.0.1:{ports['shop.mjs']}"
    made = OwnStack(RETURN_HOST=shops)
    try:
        yield made
        made.check_invariants()
    finally:
        made.close()


@contextlib.contextmanager
def running(command, env, port):
    """A server of the examples until the end of the block."""
    process = subprocess.Popen(
        command, env=os.environ | env, stdin=subprocess.DEVNULL
    )

    def listens():
        assert process.poll() is None, f"{command} has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_for(listens, what=f"{command[-2:]} to listen")
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextlib.contextmanager
def shop(name, stack, ports):
    env = stack.values | {"NODE_EXTRA_CA_CERTS": stack.values["GATEWAY_CA"]}
    command = {"shop.py": "/usr/bin/python3", "shop.mjs": "node"}[name]
    port = ports[name]
    with running([command, str(EXAMPLES / name), str(port)], env, port):
        with httpx.Client(
            transport=transport(stack.tls), timeout=20
        ) as browser:
            yield browser, f"http://127.0.0.1:{port}"


def buy(browser, url) -> str:
    """Presses the button; the hosted page's address."""
    assert "<button>" in browser.get(url).text
    answer = browser.post(url)
    assert answer.status_code == 303, answer.text
    checkout = browser.get(answer.headers["Location"])
    assert checkout.status_code == 303
    return checkout.headers["Location"]


def shop_page(browser, address):
    """Where the gateway's way back ends: the shop's own page."""

    def arrived():
        answer = browser.get(address)
        if answer.status_code != 303:
            return None
        page = browser.get(answer.headers["Location"])
        return page if "SUCCESS" in page.text else None

    return wait_for(arrived, what="the shop's page after the payment")


@pytest.mark.parametrize("name", ["shop.py", "shop.mjs"])
def test_a_buyer_pays_in_the_shop(open_stack, ports, name):
    assert len((EXAMPLES / name).read_text().splitlines()) <= LINES_MAX
    with shop(name, open_stack, ports) as (browser, url):
        hosted = buy(browser, url)
        back = browser.post(hosted, data=CARD)
        page = shop_page(browser, back.headers["Location"])
        assert "Your order is SUCCESS." in page.text
        seen = str(page.url)
        assert seen.startswith(f"{url}/back?")
        browser.cookies.clear()
        # another buyer shows the same result
        assert "SUCCESS" not in browser.get(seen).text
        # somebody changes a byte of the signature
        forged = seen[:-9] + ("A" if seen[-9] != "A" else "B") + seen[-8:]
        with contextlib.suppress(httpx.TransportError):
            assert "SUCCESS" not in browser.get(forged).text


# The bridge.


@pytest.fixture
def bridge(open_stack, ports, tmp_path):
    """The gateway's PSP `generic` is the bridge; run(verb, …) → its output."""
    port = ports["bridge.py"]
    values = open_stack.values
    secrets = open_stack.gateway.secrets
    env = {
        "BRIDGE_URL": f"http://127.0.0.1:{port}",
        "BRIDGE_DB": str(tmp_path / "bridge.db"),
        "BRIDGE_API_KEY_FILE": str(secrets / "generic.key"),
        "BRIDGE_WEBHOOK_KEY_FILE": str(secrets / "generic.whsec"),
        "BRIDGE_WEBHOOK_URL": open_stack.url + "/webhooks/generic",
        "BRIDGE_IBAN": "DE02120300000000202051",
        "BRIDGE_CA": values["GATEWAY_CA"],
    }
    mock = urlsplit(values["MOCK_PSP_URL"]).netloc
    command = [sys.executable, str(EXAMPLES / "bridge.py")]

    def run(*words):
        done = subprocess.run(
            [*command, *words], env=os.environ | env, check=True, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        return done.stdout

    open_stack.configure(
        (f"http://{mock}/generic;", f"http://127.0.0.1:{port};"),
        (
            f"hosted_page_host   {mock};",
            f"hosted_page_host   {mock} 127.0.0.1:{port};",
        ),
    )
    with running([*command, "serve"], env, port):
        yield run
    open_stack.configure()


def registered(stack):
    answer = stack.post(stack.order("generic"))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    handle = made["redirect_url"].rsplit("/", 1)[1]
    hosted = stack.http.get(f"/checkout/{handle}").headers["Location"]
    return made["payment_orders"][0]["payment_order_id"], hosted


def test_a_transfer_is_paid_and_paid_back_by_the_bridge(open_stack, bridge):
    order, hosted = registered(open_stack)
    page = httpx.get(hosted).text
    assert "12.34 USD" in page and "DE02120300000000202051" in page
    token = hosted.rsplit("/", 1)[1]
    assert f"{token} open 12.34 USD" in bridge("list")
    bridge("paid", token)

    def paid():
        return open_stack.payment(order)["status"] == "SUCCESS"

    wait_for(paid, what="the bridge's webhook")
    refund = open_stack.http.post(
        f"/v1/payments/{order}/refunds",
        headers=open_stack.headers(),
        json={"amount": "2.34"},
    )
    assert (refund.status_code, refund.json()["status"]) == (201, "EXECUTING")
    change = re.search(r"(chg_\w+) pending 2.34 USD", bridge("list"))[1]
    bridge("repaid", change)

    def repaid():
        return open_stack.payment(order)["amount_refunded"] == "2.34"

    wait_for(repaid, what="the bridge's webhook about the refund")
    assert change not in bridge("list")


def test_the_bridge_registers_a_nonce_once(open_stack, bridge, ports):
    key = (open_stack.gateway.secrets / "generic.key").read_text().strip()
    body = {
        "nonce": str(uuid.uuid4()), "reference": str(uuid.uuid4()),
        "amount": "12.34", "currency": "USD", "expires_at": 4102444800,
        "return_url": open_stack.url + "/return/x",
        "lines": [],
    }  # fmt: skip
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{ports['bridge.py']}/v1",
        headers={"Authorization": f"Bearer {key}"},
    )
    first = client.post("/registrations", json=body)
    again = client.post("/registrations", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    other = client.post("/registrations", json=body | {"amount": "12.35"})
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "nonce_reused"
    token = first.json()["token"]
    assert client.post(f"/registrations/{token}/expire", json={}).json()[
        "status"
    ] == "expired"
    found = client.get("/registrations", params={"nonce": body["nonce"]})
    assert [each["token"] for each in found.json()["registrations"]] == [token]
    client.headers["Authorization"] = "Bearer wrong"
    assert client.get(f"/registrations/{token}").status_code == 401
