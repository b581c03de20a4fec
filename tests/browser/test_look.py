"""A merchant's look on the status page: name, logo, colors and a text, on a
phone and a desktop, light and dark.  Leaves pictures in build/screenshots.
"""

import re

import axe
import layout
import pytest
from gallery import NOBODY
from support.nginxconf import MINIMAL, Nginx, swap
from test_pages import DESKTOP, PHONE, SHOTS, assert_fits

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40">
<rect width="40" height="40" rx="8" fill="#7a1f3d"/>
<circle cx="80" cy="20" r="18" fill="#ffb3c8"/></svg>
"""
MERCHANT = "payments_merchant acme {"
LOOK = f"""{MERCHANT}
    display_name "Ada's Books & Engines";
    page_logo "@LOGO@";
    page_colors light=#7a1f3d,#ffffff dark=#ffb3c8,#2a0a14;
    page_text "Questions? Write to help@shop.example, with the number above.";
    page_text ar "أسئلة؟ راسلنا على help@shop.example";
"""
PAINTED = """
const logo = document.querySelector("img.logo");
const button = getComputedStyle(document.querySelector("a.button"));
return [logo.naturalWidth, logo.getBoundingClientRect().height,
    button.backgroundColor, button.color];
"""
# of a page without a link: the color that links would have
DRESSED = """
const logo = document.querySelector("img.logo");
const link = document.createElement("a");
link.href = "#";
document.querySelector("main").append(link);
const color = getComputedStyle(link).color;
link.remove();
return [logo ? logo.naturalWidth : 0, color,
    document.querySelector("header").textContent];
"""
COLORS = {
    "light": ["rgb(122, 31, 61)", "rgb(255, 255, 255)"],
    "dark": ["rgb(255, 179, 200)", "rgb(42, 10, 20)"],
}


@pytest.fixture(scope="module")
def dressed(gateway, tmp_path_factory):
    directory = tmp_path_factory.mktemp("dressed")
    logo = directory / "logo.svg"
    logo.write_text(SVG)
    only = re.sub(r"payments_merchant globex {.*?}", "", MINIMAL, flags=re.S)
    text = swap(only, (MERCHANT, LOOK.replace("@LOGO@", str(logo))))
    with Nginx(gateway, directory, text).start() as nginx:
        yield nginx


@pytest.fixture(scope="module")
def address(dressed, gateway, sales):
    sale = sales(description="The book of engines")
    return sale.status_url.replace(gateway.url, dressed.url)


@pytest.mark.parametrize(
    ("name", "size"), [("phone", PHONE), ("desktop", DESKTOP)]
)
def test_the_look_fits_and_is_accessible(chrome, address, name, size):
    chrome.driver.get(address)
    chrome.hold()
    for scheme in ("light", "dark"):
        chrome.look(**size, dark=scheme == "dark")
        width, height, back, words = chrome.driver.execute_script(PAINTED)
        assert width > 0, "the logo is shown"
        assert height == 48
        assert [back, words] == COLORS[scheme]
        chrome.screenshot(SHOTS / f"look-{name}-{scheme}.png")
        assert_fits(chrome.driver, size["width"])
        assert axe.doubts(chrome.driver) == [], scheme
    assert "Ada's Books & Engines" in layout_text(chrome)
    assert [
        each for each in chrome.console() if "Content Security" in each
    ] == []


def layout_text(chrome) -> str:
    return chrome.driver.find_element("css selector", "body").text


def test_the_look_in_arabic(chrome, address):
    chrome.look(**PHONE)
    chrome.speak("ar")
    chrome.driver.get(address)
    chrome.hold()
    chrome.screenshot(SHOTS / "look-ar-phone.png")
    assert "راسلنا" in layout_text(chrome)
    assert layout.measure(chrome.driver, PHONE["width"])["wide"] == []


def test_a_logo_opened_alone_is_only_a_picture(chrome, address):
    chrome.driver.get(address)
    chrome.hold()
    logo = chrome.driver.find_element("css selector", "img.logo")
    chrome.driver.get(logo.get_attribute("src"))
    probe = "return [document.contentType, window.origin]"
    assert chrome.driver.execute_script(probe) == ["image/svg+xml", "null"]


@pytest.mark.parametrize(
    ("name", "size"), [("phone", PHONE), ("desktop", DESKTOP)]
)
def test_an_error_has_the_look_of_the_only_merchant(
    chrome, dressed, name, size
):
    chrome.driver.get(f"{dressed.url}/checkout/{NOBODY}")
    for scheme in ("light", "dark"):
        chrome.look(**size, dark=scheme == "dark")
        logo, link, words = chrome.driver.execute_script(DRESSED)
        assert logo > 0, "the logo is shown"
        assert link == COLORS[scheme][0]
        assert "Ada's Books & Engines" in words
        chrome.screenshot(SHOTS / f"error-look-{name}-{scheme}.png")
        assert_fits(chrome.driver, size["width"])
        assert axe.doubts(chrome.driver) == [], scheme


def test_the_shop_of_make_up_has_a_look(chrome, sales):
    chrome.driver.get(sales("generic").status_url)
    chrome.hold()
    logo, _, words = chrome.driver.execute_script(DRESSED)
    assert logo > 0 and "Acme Books" in words
    for scheme in ("light", "dark"):
        chrome.look(**DESKTOP, dark=scheme == "dark")
        chrome.screenshot(SHOTS / f"make-up-look-{scheme}.png")
