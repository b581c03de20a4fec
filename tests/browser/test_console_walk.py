"""Walks through the console: each page without a complaint of the browser, at
400 % zoom and accessible; by keyboard alone, with hostile texts, while nginx
reloads, and when the console's database cannot be reached."""

import os
import signal
from pathlib import Path

import axe
import psycopg2
import pytest
from buyer import DEADLINE_S
from selenium.webdriver.common.keys import Keys
from staff import Staff
from support.own_stack import children, shutting_down
from support.waiting import wait_for
from test_console import DESKTOP, LISTS, SHOTS, WHOLE, WIDE

# 1280 CSS pixels at 400 % (WCAG 2.2, 1.4.10)
ZOOMED = {"width": 320, "height": 640}
ASK = "document.dispatchEvent(new Event('visibilitychange'))"
# of the balances: the link, and how many entries it is of
ROWS = """
return [...document.querySelectorAll(arguments[0])].map(row => [
    row.querySelector("a[href*=ledger]").href,
    Number(row.querySelector("[data-label=Entries]").textContent)]);
"""
# each loaded by itself
LOADS = """
const [addresses, done] = arguments;
Promise.all(addresses.map(each => fetch(each).then(answer =>
    [answer.status, answer.headers.get("content-type")]))).then(done);
"""
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
# the longest that the API takes: 256 bytes
DESCRIPTION = ("<img src=x onerror=alert(1)>\u200f{{7*7}}" + WORD)[:254]
NAMES = {"name": "<b>\u05d0\u05d1</b>" + WORD[:80]}
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
def walked(scripted, gateway, failed):
    """Each address of the console: what was measured there, and answered when
    it was loaded by itself."""
    scripted.fresh()
    staff = Staff(scripted, gateway)
    staff.chrome.cdp("Page.enable")
    made = staff.chrome.cdp(
        "Page.addScriptToEvaluateOnNewDocument", source=VIOLATED
    )
    try:
        staff.enter("AUDITOR")
        menu = [each.get_attribute("href") for each in staff.all("nav.menu a")]
        assert len(menu) > 20
        checkout = failed.body["checkout_id"]
        addresses = {each.removeprefix(staff.base) for each in menu} | {
            f"/payment?checkout={checkout}",
            f"/find?q={checkout}", "/me", "/payment?checkout=nobody",
            "/payments?status=FAILED", "/lines", "/ledger",
        }  # fmt: skip
        found = {each: measured(staff, each) for each in sorted(addresses)}
        bases = [staff.base + each for each in found]
        answers = staff.driver.execute_async_script(LOADS, bases)
        for page, answer in zip(found.values(), answers, strict=True):
            page["answer"] = answer
    finally:
        staff.chrome.cdp("Page.removeScriptToEvaluateOnNewDocument", **made)
    assert staff.complaints() == []
    return found


def measured(staff, address: str) -> dict:
    is_list = address[1:] in LISTS
    staff.visit(f"{address}?limit=8" if is_list else address)
    found = {"violated": staff.driver.execute_script("return violated")}
    staff.chrome.look(**ZOOMED)
    found["zoomed"] = staff.driver.execute_script(WIDE)
    found["sticks"] = staff.driver.execute_script(STICKS)
    staff.chrome.look(**DESKTOP)
    found["wide"] = staff.driver.execute_script(WIDE)
    if is_list:
        staff.chrome.look(**WHOLE)
        found["doubts"] = axe.doubts(staff.driver)
    return found


def test_a_walk_over_all_pages_violates_no_policy(walked):
    for address, found in walked.items():
        assert found["violated"] == [], address
        assert found["answer"] == [200, "text/html; charset=utf-8"], address


def test_at_400_percent_only_tables_scroll_sideways(walked):
    for address, found in walked.items():
        assert found["zoomed"] <= ZOOMED["width"], address
        assert found["sticks"] == [], address


def test_each_list_is_accessible(walked):
    """The other pages: test_console.py and test_console_plots.py."""
    assert {address[1:] for address in walked} >= set(LISTS)
    for address, found in walked.items():
        assert found["wide"] <= DESKTOP["width"], address
        assert found.get("doubts", []) == [], address


def test_the_keyboard_alone_leads_from_page_to_page(staff, failed):
    """The menu, a filter, a row, and back."""
    staff.enter("VIEWER", "/payments")
    staff.tabs_to(words="Disputes")
    staff.types(Keys.ENTER)
    staff.sees("Disputes")
    staff.settled()
    assert staff.focus.tag_name == "h1"
    staff.visit("/payments?psp=generic")
    staff.tabs_to(id="filter-status")
    staff.types("FAILED", Keys.TAB)
    # a field of a time has many stops
    staff.tabs_to(words="Show")
    staff.types(Keys.ENTER)
    wait_for(lambda: "status=FAILED" in staff.url, DEADLINE_S, "the filter")
    staff.settled()
    staff.tabs_to(href="payment?checkout=")
    staff.types(Keys.ENTER)
    staff.sees("Payment")
    staff.settled()
    assert staff.text(".notice.bad strong").startswith("Failed")


def test_hostile_texts_break_no_page(staff, sales):
    sale = sales(
        "generic", metadata=HOSTILE, description=DESCRIPTION, buyer_info=NAMES
    )
    checkout = sale.body["checkout_id"]
    staff.enter("SUPPORT", f"/payment?checkout={checkout}&personal=1")
    shown = staff.driver.execute_script(
        "return document.querySelector('main').textContent"
    )
    for text in (*HOSTILE.values(), DESCRIPTION, *NAMES.values()):
        assert text in shown
    assert staff.all("main img, main script, main iframe") == []
    for size in (ZOOMED, {"width": 1280, "height": 900}):
        staff.chrome.look(**size)
        assert staff.driver.execute_script(WIDE) <= size["width"]
    # a text that turns the direction does so for itself alone
    assert staff.driver.execute_script(
        "return [...document.querySelectorAll('main dd bdi')].length"
    )


def reload(gateway):
    """Until none but new workers take connections."""
    master = int(Path(gateway.env["NGINX_PID"]).read_text())

    def workers():
        return {each for each in children(master) if not shutting_down(each)}

    old = workers()
    os.kill(master, signal.SIGHUP)
    wait_for(
        lambda: len(workers()) == len(old) and not workers() & old,
        DEADLINE_S, "new workers",
    )  # fmt: skip


def test_open_pages_outlive_a_reload_of_nginx(staff, gateway):
    staff.enter("VIEWER", "/jobs")
    reload(gateway)
    staff.driver.execute_script(ASK)
    staff.follow("Mismatches")
    staff.sees("Mismatches")
    staff.settled()
    assert staff.all("[role=alert]") == []


@pytest.fixture
def admin(gateway):
    connection = psycopg2.connect(gateway.env["PG_ADMIN_DSN"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


def test_without_its_database_a_page_keeps_its_data_and_says_so(
    staff, admin, sales
):
    staff.enter("VIEWER")
    tiles = [label for label, *_ in staff.tiles()]
    assert len(tiles) > 10
    admin.execute("ALTER ROLE payments_console NOLOGIN")
    try:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'payments_console'"
        )
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
        # payments have connections of their own
        sales("generic")
    finally:
        admin.execute("ALTER ROLE payments_console LOGIN")
    wait_for(
        lambda: staff.driver.execute_script(ASK)
        or not staff.all("[role=alert]"),
        DEADLINE_S, "new data",
    )  # fmt: skip


def test_a_balance_leads_to_the_entries_that_make_it(staff, admin, sales):
    sales("generic").settle("paid")
    admin.execute("SET search_path = pay, pg_temp")
    wait_for(
        lambda: admin.execute("SELECT NOT sum_accounts(5000, '0')")
        or admin.fetchone()[0],
        DEADLINE_S, "the ledger to be added up",
    )  # fmt: skip
    staff.enter("AUDITOR", "/money")
    table = "[aria-label='Balances of accounts'] tbody tr"
    rows = staff.driver.execute_script(ROWS, table)
    # the shortest of the lists
    address, count = min(rows, key=lambda row: row[1])
    assert count > 0
    staff.visit(address)
    assert staff.rows() == count
    assert "account=" in staff.url and "to=" in staff.url


def test_directives_open_by_keyboard_and_are_accessible(staff):
    staff.enter("AUDITOR", "/settings")
    places = staff.texts("summary")
    assert places[0].startswith("http: ")
    assert any(each.startswith("payments_psp stripe: ") for each in places)
    assert not staff.all("[aria-label='Directives of http']")
    staff.driver.execute_script("document.querySelector('summary').focus()")
    staff.types(Keys.ENTER)
    staff.waits_for("[aria-label='Directives of http']", "the table")
    names = staff.texts("[aria-label='Directives of http'] tbody th")
    assert "payments_zone" in names and "payments_quote" in names
    keys = staff.texts("[aria-label='Keys by the age of their files'] .status")
    assert len(keys) > 10 and set(keys) == {"current"}
    staff.chrome.look(**DESKTOP)
    assert staff.driver.execute_script(WIDE) <= DESKTOP["width"]
    staff.chrome.screenshot(SHOTS / "console-directives.png")
    staff.chrome.look(**WHOLE)
    assert axe.doubts(staff.driver) == []
