"""Walks through the console: each page without a complaint of the browser, by
keyboard alone, at 400 % zoom, with hostile texts, while nginx reloads, and when
PostgreSQL cannot be reached."""

import pytest
from buyer import DEADLINE_S
from chrome import Chrome
from selenium.webdriver.common.keys import Keys
from staff import Staff
from support.own_stack import OwnStack
from support.waiting import wait_for
from test_console import WIDE

# 1280 CSS pixels at 400 % (WCAG 2.2, 1.4.10)
ZOOMED = {"width": 320, "height": 640}
ASK = "document.dispatchEvent(new Event('visibilitychange'))"
# what sticks out of the page and does not scroll within a region of its own
STICKS = """
const wide = document.documentElement.clientWidth;
return [...document.querySelectorAll("main *")].filter(each =>
    !each.closest(".scroll") && each.getClientRects().length > 0
    && each.getBoundingClientRect().right > wide + 1
    && getComputedStyle(each).clip === "auto")
    .map(each => each.outerHTML.slice(0, 80));
"""
# as long as the API takes one
WORD = "W" * 500
HOSTILE = {
    "a": "<img src=x onerror=alert(1)>",
    "b": "\u202eevil\u2066\u200f",
    "c": WORD,
    "d": "</script><script>alert(1)</script>",
    "e": "javascript:alert(1)",
    "f": "{{7*7}}${7*7}",
}
VIOLATED = """
window.violated = [];
document.addEventListener("securitypolicyviolation",
    event => window.violated.push(event.violatedDirective));
"""


@pytest.fixture
def staff(chrome, gateway):
    made = Staff(chrome, gateway)
    yield made
    assert made.complaints() == []


@pytest.fixture(scope="module")
def failed(sales):
    return sales("generic").settle("declined")


def pages_of(staff) -> list[str]:
    """The addresses of the menu."""
    staff.settled()
    return [
        each.get_attribute("href") for each in staff.all("nav.menu a")
    ]


def test_a_walk_over_all_pages_violates_no_policy(staff, failed):
    staff.chrome.cdp("Page.enable")
    made = staff.chrome.cdp(
        "Page.addScriptToEvaluateOnNewDocument", source=VIOLATED
    )
    try:
        staff.enter("AUDITOR")
        addresses = pages_of(staff)
        assert len(addresses) > 20
        checkout = failed.body["checkout_id"]
        addresses += [
            f"{staff.base}/{each}"
            for each in (
                f"payment?checkout={checkout}",
                f"find?q={checkout}", "me", "payment?checkout=nobody",
                "payments?status=FAILED",
            )
        ]  # fmt: skip
        for address in addresses:
            staff.open(address)
            staff.settled()
            found = staff.driver.execute_script("return window.violated")
            assert found == [], address
    finally:
        staff.chrome.cdp("Page.removeScriptToEvaluateOnNewDocument", **made)


def test_at_400_percent_only_tables_scroll_sideways(staff, failed):
    staff.enter("AUDITOR")
    addresses = pages_of(staff)
    checkout = failed.body["checkout_id"]
    addresses.append(f"{staff.base}/payment?checkout={checkout}")
    staff.chrome.look(**ZOOMED)
    for address in addresses:
        staff.open(address)
        staff.settled()
        assert staff.driver.execute_script(WIDE) <= ZOOMED["width"], address
        assert staff.driver.execute_script(STICKS) == [], address


def test_the_keyboard_alone_leads_from_page_to_page(staff, failed):
    """The menu, a filter, a row, and back."""
    staff.enter("VIEWER", "/payments")
    for _ in range(40):
        staff.types(Keys.TAB)
        if staff.focus.text == "Disputes":
            break
    staff.types(Keys.ENTER)
    staff.sees("Disputes")
    staff.settled()
    assert staff.focus.tag_name == "h1"
    staff.visit("/payments?psp=generic")
    for _ in range(80):
        staff.types(Keys.TAB)
        if staff.focus.get_attribute("id") == "filter-status":
            break
    staff.types("FAILED", Keys.TAB)
    # a field of a time has many stops
    for _ in range(60):
        if staff.focus.text == "Show":
            break
        staff.types(Keys.TAB)
    staff.types(Keys.ENTER)
    wait_for(lambda: "status=FAILED" in staff.url, DEADLINE_S, "the filter")
    staff.settled()
    for _ in range(80):
        staff.types(Keys.TAB)
        if "payment?checkout=" in (staff.focus.get_attribute("href") or ""):
            break
    staff.types(Keys.ENTER)
    staff.sees("Payment")
    staff.settled()
    assert staff.text(".notice.bad strong").startswith("Failed")


def test_hostile_texts_break_no_page(staff, sales):
    sale = sales("generic", metadata=HOSTILE)
    checkout = sale.body["checkout_id"]
    staff.enter("SUPPORT", f"/payment?checkout={checkout}&personal=1")
    shown = staff.driver.execute_script(
        "return document.querySelector('main').textContent"
    )
    for text in HOSTILE.values():
        assert text in shown
    assert staff.all("main img, main script, main iframe") == []
    for size in (ZOOMED, {"width": 1280, "height": 900}):
        staff.chrome.look(**size)
        assert staff.driver.execute_script(WIDE) <= size["width"]
    # a text that turns the direction does so for itself alone
    assert staff.driver.execute_script(
        "return [...document.querySelectorAll('main dd bdi')].length"
    )


@pytest.fixture(scope="module")
def own():
    """A stack that may be reloaded and lose its database, and its visitor."""
    stack = OwnStack()
    try:
        browser = Chrome(stack.gateway.run / "tls" / "server.pem")
        try:
            yield stack, Staff(browser, stack.gateway)
        finally:
            browser.close()
    finally:
        stack.close()


def test_open_pages_outlive_a_reload_of_nginx(own):
    stack, staff = own
    staff.enter("VIEWER", "/jobs")
    stack.reload()
    staff.driver.execute_script(ASK)
    staff.follow("Mismatches")
    staff.sees("Mismatches")
    staff.settled()
    assert staff.all("[role=alert]") == []


def test_without_the_database_a_page_keeps_its_data_and_says_so(own):
    stack, staff = own
    staff.enter("VIEWER")
    tiles = [label for label, *_ in staff.tiles()]
    assert len(tiles) > 10
    stack.postgres("stop", "-m", "fast")
    try:
        alert = wait_for(
            lambda: staff.driver.execute_script(ASK)
            or staff.all("[role=alert]") and staff.text("[role=alert]"),
            DEADLINE_S, "the page to say so",
        )  # fmt: skip
        assert "The database cannot be reached" in alert
        assert "Below is the data of" in alert
        assert [label for label, *_ in staff.tiles()] == tiles
        # another page has no data yet
        staff.follow("Jobs")
        staff.sees("The database cannot be reached", "[role=alert]")
        assert "Below is the data of" not in staff.text("[role=alert]")
    finally:
        stack.postgres("start")
    wait_for(
        lambda: staff.driver.execute_script(ASK)
        or not staff.all("[role=alert]"),
        DEADLINE_S, "new data",
    )  # fmt: skip
