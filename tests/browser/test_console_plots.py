"""The console's plots in a browser: figures that equal their lists, tables
beside canvases, zones, both schemes, a phone, the keyboard, and a library that
comes with the first plot only.  Leaves pictures in build/screenshots."""

import psycopg2
import pytest
from buyer import DEADLINE_S
from sale import Sale
from selenium.webdriver.common.keys import Keys
from staff import Staff
from support.waiting import wait_for
from test_console import fits
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
        staff.visit(address)
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


def test_declines_by_weekday_and_hour_are_all_of_them(staff, counted):
    staff.enter("VIEWER")
    shown(staff)
    said = next(
        each for each in staff.texts(".plot p") if "attempts to pay" in each
    )
    approved, of, asked = said.split(" ")[:3]
    cells = staff.texts(".heat td")
    assert len(cells) == 7 * 24 and of == "of"
    declined = sum(int(each) for each in cells if each)
    assert declined == int(asked) - int(approved) > 0
    link = staff.find(".heat td a").get_attribute("href")
    staff.visit(link)
    assert staff.rows() >= 1


@pytest.fixture
def week_before(gateway, counted):
    """The same payments once more, as if a week earlier."""
    connection = psycopg2.connect(gateway.env["PG_ADMIN_DSN"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE moved AS SELECT x.* FROM pay.rollup r, "
            "jsonb_populate_record(r, jsonb_build_object('bucket', r.bucket - "
            "interval '7 days')) x WHERE r.bucket > now() - interval '2 days'"
        )
        cursor.execute("INSERT INTO pay.rollup SELECT * FROM moved")
        yield
        cursor.execute(
            "DELETE FROM pay.rollup r USING moved m WHERE r.level = m.level "
            "AND r.merchant_id = m.merchant_id AND r.bucket = m.bucket"
        )
    connection.close()


def test_the_week_before_is_a_paler_line_with_its_figures(
    staff, counted, week_before
):
    staff.enter("VIEWER")
    shown(staff)
    staff.waits_for(".legend .plot-before", "the week before")
    staff.settled()
    legends = staff.texts(".legend li:last-child bdi")
    assert legends.count("A week before") >= 3
    table(staff, "Payments by outcome")
    rows = [
        [link.text for link in row.find_elements("css selector", "td")]
        for row in staff.all("[aria-label='Payments by outcome'] tbody tr")
    ]
    # the sum of the outcomes, but for payments that came meanwhile
    assert all(int(before) <= sum(map(int, now)) for *now, before in rows)
    assert sum(int(before) for *_, before in rows) >= 4
    link = staff.all("[aria-label='Payments by outcome'] td:last-child a")[0]
    assert "from=" in link.get_attribute("href")
    staff.chrome.screenshot(SHOTS / "console-plots-week.png")


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
    shown(staff)
    table(staff, "Payments by outcome")
    fits(staff, size, f"plots-{kind}")
    # the pages without a canvas: each in one of the two
    schemes = ("light",) if kind == "phone" else ("dark",)
    for name in ("flight", "waterfall"):
        staff.visit(f"/{name}")
        fits(staff, size, f"{name}-{kind}", schemes)
