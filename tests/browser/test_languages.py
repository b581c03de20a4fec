"""The buyer's pages in other languages, right to left as well, and with texts
of storefronts that would like to do harm; pictures go to build/screenshots.
"""

import axe
import layout
import pytest
from selenium.webdriver.common.keys import Keys
from test_pages import DESKTOP, PHONE, SHOTS, SMALL_PHONE, assert_fits

HEADINGS = {
    "de": "Wir warten auf Ihre Zahlung",
    "fr": "Nous attendons votre paiement",
    "es": "Estamos esperando su pago",
    "pt-BR": "Estamos aguardando seu pagamento",
    "ja": "お支払いをお待ちしています",
    "ar": "في انتظار الدفع",
}
PAGES = ("waiting", "pending", "refused", "failed", "missing")
SIDE = """
const box = document.querySelector("dt").getBoundingClientRect();
const all = document.querySelector("dl").getBoundingClientRect();
return [box.left - all.left, all.right - box.right,
    getComputedStyle(document.querySelector(".state")).borderRightWidth];
"""


def open_page(chrome, address: str, tag: str):
    chrome.speak(tag)
    chrome.driver.get(address)
    chrome.hold()
    assert chrome.driver.find_element("css selector", "html").get_attribute(
        "lang"
    ) in (tag, tag.partition("-")[0])


@pytest.mark.parametrize("tag", HEADINGS)
def test_each_language_fits_and_is_accessible(chrome, gallery, tag):
    """The smallest phone, where long words are hardest."""
    chrome.look(**SMALL_PHONE)
    open_page(chrome, gallery.address("waiting"), tag)
    heading = chrome.driver.find_element("css selector", "h1").text
    assert heading == HEADINGS[tag]
    assert_fits(chrome.driver, SMALL_PHONE["width"])
    assert axe.doubts(chrome.driver) == []


@pytest.mark.parametrize("tag", ("de", "ja", "ar"))
@pytest.mark.parametrize("page", PAGES)
def test_pictures_of_languages_fit(chrome, gallery, page, tag):
    for name, size in (("phone", PHONE), ("desktop", DESKTOP)):
        chrome.look(**size, dark=name == "desktop")
        open_page(chrome, gallery.address(page), tag)
        chrome.screenshot(SHOTS / f"{page}-{tag}-{name}.png")
        assert_fits(chrome.driver, size["width"])


def test_arabic_reads_from_right_to_left(chrome, gallery):
    open_page(chrome, gallery.address("waiting"), "ar")
    left, right, border = chrome.driver.execute_script(SIDE)
    assert right < 1 < left, "labels stand on the right"
    assert border == "6px", "so does the state's line"
    open_page(chrome, gallery.address("waiting"), "de")
    left, right, border = chrome.driver.execute_script(SIDE)
    assert left < 1 < right
    assert border == "0px"


def test_the_keyboard_leads_through_a_page_of_another_direction(
    plain_buyer, gallery
):
    buyer = plain_buyer
    buyer.chrome.speak("ar")
    buyer.open(gallery.address("waiting"))
    buyer.chrome.hold()
    for words in ("المتابعة إلى الدفع", "العودة إلى المتجر", "إيقاف التحديث"):
        buyer.types(Keys.TAB)
        assert buyer.focus.text == words
        assert buyer.focus.value_of_css_property("outline-style") == "solid"


HOSTILE = {
    "markup": "<img src=x onerror=document.title='owned'>",
    "a long word": "W" * 256,
    "two directions": "كتاب (1) \N{RIGHT-TO-LEFT MARK}!",
    "marks": "Z" + "\N{COMBINING ACUTE ACCENT}" * 60,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_description_is_only_text(chrome, sales, name):
    sale = sales(description=HOSTILE[name])
    chrome.look(**SMALL_PHONE)
    chrome.driver.get(sale.status_url)
    chrome.hold()
    shown = chrome.driver.find_element("css selector", ".item")
    assert shown.get_attribute("textContent") == HOSTILE[name]
    assert chrome.driver.find_elements("css selector", "main img") == []
    assert chrome.driver.title == "We are waiting for your payment"
    chrome.screenshot(SHOTS / f"hostile-{name.replace(' ', '-')}.png")
    found = layout.measure(chrome.driver, SMALL_PHONE["width"])
    assert found["scroll"] <= SMALL_PHONE["width"]
    assert axe.doubts(chrome.driver) == []


def test_a_pending_payment_has_no_button(plain_buyer, gallery):
    plain_buyer.open(gallery.address("pending"))
    plain_buyer.sees("Your payment is being confirmed")
    assert plain_buyer.links() == ["Back to the shop", "Stop updating"]
    assert len(plain_buyer.all("a.button.quiet")) == 1
    assert len(plain_buyer.all("a.button")) == 1


def test_after_a_decline_the_way_back_pays(plain_buyer, sales):
    buyer = plain_buyer
    sale = sales("stripe").attempt("refused")
    buyer.open(sale.status_url)
    buyer.sees("Your payment was not approved")
    assert "No money was taken" in buyer.text("main")
    buyer.follow("Try again to pay")
    buyer.sees("Pay by card")
    buyer.pay_by("paid")
    buyer.sees("Back in the shop")
    assert sale.order()["status"] == "SUCCESS"


def test_a_cut_link_is_answered_in_words(plain_buyer, gateway):
    buyer = plain_buyer
    buyer.chrome.speak("de")
    buyer.open(f"{gateway.url}/checkout/abc")
    buyer.sees("Dieser Link ist nicht gültig")
    assert "wurde nichts abgebucht" in buyer.text("main")
    assert len(buyer.text("dd.id")) == 36
