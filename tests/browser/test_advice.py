"""The page of a remittance advice, as the storefront's back office shows it: on
a phone and a desktop, light and dark."""

import uuid

import axe
import pytest
from support.client import Api, fresh_key
from test_pages import SHOTS, SIZES, assert_fits

IBAN = "DE89370400440532013000"


@pytest.fixture(scope="module")
def office(gateway):
    token = gateway.env["PAYOUT_MAKER_JWT"]
    client = Api(gateway.url, gateway.ssl_context(), token)
    yield client
    client.close()


@pytest.fixture(scope="module")
def advice(office, gateway, sales):
    """The address of an advice with a paid order and one that waits."""
    seller = f"seller-{uuid.uuid4()}"

    def post(path: str, status: int, **body) -> dict:
        answer = office.post(f"/v1/{path}", **({"json": body} if body else {}),
                             headers={"Idempotency-Key": fresh_key()})
        assert answer.status_code == status, answer.text
        return answer.json()

    post(f"sellers/{seller}/destinations", 201, currency="USD",
         provider="generic", name="Jane Mueller", iban=IBAN)  # fmt: skip
    for releases in (True, False):
        order = sales.bodies.order(seller_account=seller)
        sale = sales(payment_orders=[order]).settle("paid")
        if releases:
            post(f"payments/{sale.order_id}/release", 200)
    made = post("payouts", 201, seller_account=seller, currency="USD")
    return f"{gateway.url}/v1/payouts/{made['payout_id']}/advice"


@pytest.fixture
def signed_in(chrome, office):
    """A browser whose requests have the back office's token."""
    token = office.http.headers["Authorization"]
    chrome.cdp("Network.setExtraHTTPHeaders",
               headers={"Authorization": token})  # fmt: skip
    yield chrome
    chrome.cdp("Network.setExtraHTTPHeaders", headers={})


@pytest.mark.parametrize("size", SIZES)
def test_the_advice_fits_and_is_accessible(signed_in, advice, size):
    chrome, width = signed_in, SIZES[size]["width"]
    chrome.look(**SIZES[size])
    chrome.driver.get(advice)
    for scheme in ("light", "dark"):
        chrome.look(**SIZES[size], dark=scheme == "dark")
        chrome.screenshot(SHOTS / f"advice-{size}-{scheme}.png")
        assert_fits(chrome.driver, width)
        assert axe.doubts(chrome.driver) == [], scheme
    shown = chrome.driver.find_element("tag name", "main").text
    assert "This pay-out (is subtracted)" in shown
    assert "ready" in shown and "DE…3000" in shown
