"""The console's plots in a browser: figures that equal their lists, tables
beside canvases, zones, both schemes, a phone, the keyboard, and a library that
comes with the first plot only.  Leaves pictures in build/screenshots."""

import axe
import psycopg2
import pytest
from buyer import DEADLINE_S
from sale import Sale
from selenium.webdriver.common.keys import Keys
from staff import Staff
from support.waiting import wait_for
from test_console import NARROW, WHOLE, WIDE
from test_pages import DESKTOP, PHONE, SHOTS

# whether a canvas has more than one colour
DRAWN = """
return [...document.querySelectorAll(".canvas canvas")].map(each => {
    const {data} = each.getContext("2d").getImageData(0, 0, each.width,
        each.height);
    return new Set(new Uint32Array(data.buffer)).size > 2;
});
"""


@pytest.fixture
def staff(chrome, gateway):
    made = Staff(chrome, gateway)
    yield made
    assert made.complaints() == []


def in_currency(sales, currency, amount):
    body = sales.bodies(psp="generic")
    body["payment_orders"][0].update(currency=currency, amount=amount)
    answer = sales.api.create(body)
    assert answer.status_code == 201, answer.text
    url = answer.json()["redirect_url"]
    return Sale(sales.api, sales.mock, body, url, sales.db)


@pytest.fixture(scope="module")
def counted(gateway, sales):
    """Payments of several outcomes and currencies, and all of them counted."""
    sales("generic").settle("paid")
    sales("generic").settle("declined")
    in_currency(sales, "JPY", "1200").settle("paid")
    in_currency(sales, "KWD", "1.234")
    connection = psycopg2.connect(gateway.env["PG_ADMIN_DSN"])
    connection.autocommit = True

    def look():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE pay.round SET run_at = now() WHERE name = 'rollup'"
            )
            cursor.execute("UPDATE pay.rollup_due SET due_at = now()")
            cursor.execute(
                "SELECT outcome FROM pay_api.roll_up('{t}', '{0}', '{10000}')"
            )
            (outcome,) = cursor.fetchone()
            cursor.execute("SELECT count(*) FROM pay.rollup_due")
            return outcome == "checked" and cursor.fetchone() == (0,)

    wait_for(look, DEADLINE_S, "the roll-ups")
    connection.close()


def shown(staff, address="/plots"):
    """The page, when its canvases are drawn."""
    staff.visit(address)
    wait_for(
        lambda: staff.driver.execute_script(DRAWN) and all(
            staff.driver.execute_script(DRAWN)),
        DEADLINE_S, "the canvases",
    )  # fmt: skip


def table(staff, title):
    staff.click(f"button[aria-label='Show as table: {title}']")
    return staff.all(f".table [aria-label='{title}'] tbody tr")


def test_a_table_beside_a_plot_has_figures_that_equal_their_lists(
    staff, counted
):
    staff.enter("VIEWER")
    shown(staff)
    rows = table(staff, "Payments by outcome")
    assert len(rows) in (24, 25)
    figures = {
        link.get_attribute("href"): int(link.text)
        for row in rows[-2:]
        for link in row.find_elements("css selector", "a")
        if link.text != "0"
    }
    assert len(figures) >= 2
    # the sentence says the sum of the table
    text = staff.text(".plot p")
    assert int(text.split(" ", 1)[0]) == sum(figures.values())
    assert "paid" in text and "expired" in text
    for address, count in list(figures.items())[-4:]:
        staff.open(address)
        # orders go on while the test looks
        assert abs(staff.rows() - count) <= 1, address


def test_currencies_have_plots_of_their_own(staff, counted):
    staff.enter("VIEWER")
    shown(staff, "/plots?currency=JPY")
    titles = [each.text for each in staff.all(".plot h2")]
    assert [t for t in titles if t.startswith("Volume")] == ["Volume in JPY"]
    shown(staff)
    titles = [each.text for each in staff.all(".plot h2")]
    assert "Volume in JPY" in titles and len(set(titles)) == len(titles)


def test_the_zone_and_the_filter_stand_in_the_address(staff, counted):
    staff.enter("VIEWER")
    shown(staff, "/plots?step=day&zone=Asia%2FKathmandu")
    rows = table(staff, "Payments by outcome")
    assert all("00:00:00+05:45" in row.text for row in rows)
    staff.follow("Last 3 hours")
    wait_for(lambda: "step=minute" in staff.url, DEADLINE_S, "the address")
    assert "zone=Asia%2FKathmandu" in staff.url
    staff.settled()
    staff.visit("/plots?step=minute&from=2026-01-01T00:00:00Z")
    staff.sees("400 points", "[role=alert]")


def test_the_keyboard_opens_a_table(staff, counted):
    staff.enter("VIEWER")
    shown(staff)
    button = staff.find("button[aria-label^='Show as table']")
    staff.driver.execute_script("arguments[0].focus()", button)
    staff.types(Keys.ENTER)
    assert button.get_attribute("aria-expanded") == "true"
    assert staff.all(".plot .table tbody tr")


def test_the_library_comes_with_the_first_plot(staff, counted):
    staff.enter("VIEWER")
    names = """return performance.getEntriesByType("resource")
        .map(each => each.name.split("/").pop().split("?")[0]);"""
    assert "uplot.js" not in staff.driver.execute_script(names)
    staff.follow("Plots")
    staff.waits_for(".canvas canvas", "a canvas")
    assert "uplot.js" in staff.driver.execute_script(names)


@pytest.mark.parametrize(
    ("kind", "size"), [("phone", PHONE), ("desktop", DESKTOP)]
)
def test_each_plot_fits_and_is_accessible(staff, counted, kind, size):
    staff.chrome.look(**size)
    staff.enter("AUDITOR")
    for name, address in {
        "plots": "/plots",
        "flight": "/flight",
        "waterfall": "/waterfall",
    }.items():
        # the pages without a canvas: each in one of the two
        schemes = ("light",) if kind == "phone" else ("dark",)
        for scheme in ("light", "dark") if name == "plots" else schemes:
            staff.chrome.look(**size, dark=scheme == "dark")
            if name == "plots":
                shown(staff, address)
                table(staff, "Payments by outcome")
            else:
                staff.visit(address)
            picture = f"console-{name}-{kind}-{scheme}.png"
            staff.chrome.screenshot(SHOTS / picture)
            assert staff.driver.execute_script(WIDE) <= size["width"], name
            assert staff.driver.execute_script(NARROW) == [], name
            if size == DESKTOP:
                staff.chrome.look(**WHOLE, dark=scheme == "dark")
            assert axe.doubts(staff.driver) == [], (name, scheme)
