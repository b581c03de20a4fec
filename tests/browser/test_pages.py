"""How the gateway's pages look, on a phone and a desktop, light and dark, and
that everybody can use them.  Leaves a picture of each in build/screenshots.
"""

import html
import re
import uuid
from pathlib import Path

import axe
import gallery as every
import layout
import pytest

SHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
PHONE = {"width": 390, "height": 844, "phone": True}
SMALL_PHONE = {"width": 320, "height": 568, "phone": True}  # WCAG 1.4.10
DESKTOP = {"width": 1280, "height": 900}
SIZES = {"phone": PHONE, "desktop": DESKTOP}
LONGEST_ID = "W" * 64
LISTED = """
return [...document.querySelectorAll("li")].map(each => [
    each.querySelector("a").textContent, each.querySelector("code").textContent,
    each.querySelector("a").href]);
"""
SHOWN = re.compile(
    "<h1>(.+?)</h1>.+?<dd><code>(.+?)</code>.+?"
    'id="meaning">.+?<p>(.+?)</p>.+?id="remedy">.+?<p>(.+?)</p>',
    re.DOTALL,
)


@pytest.fixture(params=every.PAGES)
def page(request):
    return request.param


@pytest.fixture(params=SIZES)
def size(request):
    return request.param


def assert_fits(driver, width: int) -> dict:
    found = layout.measure(driver, width)
    assert found["scroll"] <= width, "the page scrolls sideways"
    assert found["wide"] == []
    assert found["small"] == [], "text under 16 px"
    assert found["narrow"] == [], "links under 44 px"
    return found


def test_page_fits_and_is_accessible(chrome, gallery, page, size):
    """In light and in dark, without loading it anew."""
    chrome.look(**SIZES[size])
    chrome.driver.get(gallery.address(page))
    chrome.hold()
    seen = {}
    for scheme in ("light", "dark"):
        chrome.look(**SIZES[size], dark=scheme == "dark")
        chrome.screenshot(SHOTS / f"{page}-{size}-{scheme}.png")
        seen[scheme] = assert_fits(chrome.driver, SIZES[size]["width"])
        assert axe.doubts(chrome.driver) == [], scheme
    assert layout.brightness(seen["light"]["back"]) > 0.8
    assert layout.brightness(seen["light"]["text"]) < 0.3
    assert layout.brightness(seen["dark"]["back"]) < 0.2
    assert layout.brightness(seen["dark"]["text"]) > 0.8


@pytest.mark.parametrize("phone", [PHONE, SMALL_PHONE], ids=["390", "320"])
def test_the_longest_values_fit_a_phone(chrome, sales, phone):
    """Ids without a place to break, the largest sum, many orders."""
    orders = [
        sales.bodies.order(
            payment_order_id=str(uuid.uuid4()), amount="999999999.99"
        )
        for _ in range(5)
    ]
    sale = sales(checkout_id=LONGEST_ID[:-8] + uuid.uuid4().hex[:8],
                 payment_orders=orders)  # fmt: skip
    chrome.look(**phone)
    chrome.driver.get(sale.status_url)
    chrome.hold()
    chrome.screenshot(SHOTS / f"longest-{phone['width']}.png")
    assert_fits(chrome.driver, phone["width"])


def test_a_hostile_description_stays_a_text_and_fits(chrome, sales):
    """As long as the API takes one, without a place to break."""
    text = ("<img src=x onerror=alert(1)>\u200f{{7*7}}" + "W" * 256)[:254]
    chrome.look(**SMALL_PHONE)
    chrome.driver.get(sales(description=text).status_url)
    chrome.hold()
    chrome.screenshot(SHOTS / "hostile-description-320.png")
    shown = chrome.driver.execute_script(
        "return [document.querySelector('.item').textContent,"
        " document.querySelectorAll('img:not(.logo), script').length]"
    )
    assert shown == [text, 0]
    assert_fits(chrome.driver, SMALL_PHONE["width"])


def test_no_page_is_too_wide_for_a_small_phone(chrome, gallery):
    chrome.look(**SMALL_PHONE)
    for page in every.PAGES:
        chrome.driver.get(gallery.address(page))
        chrome.hold()
        assert_fits(chrome.driver, SMALL_PHONE["width"])


def test_each_problem_of_the_list_has_its_page(chrome, gateway, sales):
    driver = chrome.driver
    driver.get(f"{gateway.url}/problems")
    listed = driver.execute_script(LISTED)
    assert len({slug for _, slug, _ in listed}) == len(listed) > 30
    for title, slug, address in listed:
        assert address == f"{gateway.url}/problems/{slug}"
        shown = SHOWN.search(sales.api.get(f"/problems/{slug}").text)
        heading, code, meaning, remedy = map(html.unescape, shown.groups())
        assert (heading, code) == (title, slug)
        assert len(meaning) > 20 and len(remedy) > 20, slug


def test_the_problem_list_leads_there_and_back(plain_buyer, gateway):
    buyer = plain_buyer
    buyer.open(f"{gateway.url}/problems")
    last = buyer.all("li a")[-1]
    title = last.text
    last.click()
    buyer.sees(title)
    buyer.follow("All problem types")
    buyer.sees("Problem types")


def test_the_type_of_a_refusal_leads_to_its_page(plain_buyer, sales):
    body = sales.bodies(return_url="https://evil.example/")
    refusal = sales.api.create(body)
    assert refusal.status_code == 422
    plain_buyer.open(refusal.json()["type"])
    assert plain_buyer.text("h1") == refusal.json()["title"]
    assert plain_buyer.text("dd code") == "return-url-not-allowed"
