"""The console of a gateway with two cells, in a browser: a page has a part for
each cell, whose links stay there; a cell can be chosen; the search asks all of
them.  Leaves pictures in build/screenshots."""


import pytest
from buyer import DEADLINE_S
from chrome import Chrome
from staff import ROWS, Staff
from support.cells import running_cells
from support.waiting import wait_for
from test_console import LISTS, fits
from test_pages import DESKTOP, PHONE

PAGES = ("", *LISTS, "payments", "money", "webhooks", "psps", "settings",
         "plots", "flight", "waterfall")  # fmt: skip
BOTH = ["Cell default", "Cell b"]
# of each heading of a cell: the addresses behind it, up to the next one
LINKS = """
const found = {};
let cell = "";
for (const each of document.querySelectorAll("main h2.cell, main a[href]")) {
    if (each.matches("h2")) {
        cell = each.textContent;
        found[cell] = [];
    } else if (cell) {
        found[cell].push(each.getAttribute("href"));
    }
}
return found;
"""


@pytest.fixture(scope="module")
def cells():
    with running_cells() as made:
        yield made


@pytest.fixture(scope="module")
def made(cells):
    """A paid checkout of each cell."""
    return {cell: cells.paid(cell) for cell in ("default", "b")}


@pytest.fixture(scope="module")
def own_chrome(cells):
    """One that trusts the certificate of this gateway."""
    made = Chrome(cells.home.gateway.run / "tls" / "server.pem")
    yield made
    made.close()


@pytest.fixture
def staff(own_chrome, cells, made):
    own_chrome.fresh()
    found = Staff(own_chrome, cells.home.gateway)
    yield found
    assert found.complaints() == []


def test_each_page_has_a_part_for_each_cell(staff):
    staff.enter("AUDITOR")
    for page in PAGES:
        staff.visit(f"/{page}")
        assert staff.texts("h2.cell") == BOTH, page
        assert staff.all("[role=alert]") == [], page
    staff.visit("/me")
    assert staff.texts("h2.cell") == []
    assert "default, b" in staff.text("main")


def test_links_of_a_part_stay_in_its_cell(staff):
    staff.enter("AUDITOR")
    seen = 0
    for page in ("", "payments", "psps", "money", "plots", "flight"):
        staff.visit(f"/{page}")
        for cell, links in staff.driver.execute_script(LINKS).items():
            mark = cell.replace("Cell ", "cell=")
            assert all(mark in each for each in links), (page, cell)
            seen += len(links)
    assert seen > 40


def test_tiles_of_a_cell_have_as_many_as_their_lists(staff):
    staff.enter("AUDITOR")
    tiles = staff.tiles()
    assert {"cell=default" in each[2] for each in tiles} == {True, False}
    for label, count, address in tiles:
        staff.visit(address)
        # jobs and payments go on while the test looks
        moves = 3 if "/jobs" in address or "/payments" in address else 0
        assert abs(staff.rows() - int(count)) <= moves, (label, address)


def test_a_cell_is_chosen_and_stays(staff, made):
    staff.enter("AUDITOR", "/payments")
    text = staff.text("main")
    assert made["default"].id in text
    assert made["b"].id in text
    staff.find("#cell").send_keys("b")
    wait_for(lambda: "cell=b" in staff.url, DEADLINE_S, "the address")
    staff.settled()
    text = staff.text("main")
    assert made["default"].id not in text
    assert made["b"].id in text
    assert staff.texts("h2.cell") == []
    staff.find("#filter-status").send_keys("SUCCESS")
    staff.click(".filters button")
    wait_for(lambda: "status=SUCCESS" in staff.url, DEADLINE_S, "the filter")
    assert "cell=b" in staff.url
    staff.follow("Jobs")
    staff.sees("Jobs")
    staff.settled()
    assert "cell=b" in staff.url
    staff.driver.back()
    staff.driver.back()
    wait_for(lambda: "status" not in staff.url, DEADLINE_S, "the way back")
    assert staff.find("#cell").get_attribute("value") == "b"


def test_the_search_asks_every_cell(staff, made):
    staff.enter("VIEWER", "/jobs?cell=default")
    staff.find("#search").send_keys(made["b"].id)
    staff.click(".search button")
    staff.sees("Search")
    staff.settled()
    assert staff.texts("h2.cell") == BOTH
    assert staff.driver.execute_script(ROWS) == 1
    staff.click("main tbody a")
    staff.sees("Payment")
    staff.settled()
    assert "cell=b" in staff.url
    assert made["b"].id in staff.text("main")


def test_a_page_of_a_list_is_that_of_its_cell(staff, cells, made):
    for cell in made:
        cells.created(cell)
    staff.enter("VIEWER", "/payments?limit=1")
    following = [
        each.get_attribute("href")
        for each in staff.all(".pager a")
        if "Next" in each.text
    ]
    assert ["cell=b" in each for each in following] == [False, True]
    staff.visit(following[1])
    assert staff.texts("h2.cell") == []
    assert staff.texts(".pager a")[0] == "First page"
    # another cell begins at its first page
    staff.find("#cell").send_keys("default")
    wait_for(lambda: "cell=default" in staff.url, DEADLINE_S, "the address")
    assert "before" not in staff.url
    assert "limit=1" in staff.url


def test_a_cell_that_hangs_shows_so_in_its_part_alone(staff, cells):
    staff.enter("VIEWER", "/jobs")
    with cells.frozen("b"):
        staff.visit("/psps")
        staff.sees("The database cannot be reached", "[role=alert]")
        assert len(staff.all("[role=alert]")) == 1
        assert "Below is" not in staff.text("[role=alert]")
        assert "generic" in staff.text("main tbody")
        assert "stripe" not in staff.text("main")
    wait_for(cells.all_are_ready, DEADLINE_S, "the cell")
    staff.load("/psps")
    assert staff.all("[role=alert]") == []
    assert "stripe" in staff.text("main")


def test_an_act_is_done_in_the_cell_of_its_part(staff, cells, made):
    staff.enter("FINANCE", f"/payment?checkout={made['b'].id}&cell=b")
    staff.click("section .tools button")
    staff.find("#act-reason").send_keys("the buyer asks for it")
    staff.click("dialog form button")
    staff.sees("Proposed as number", "dialog [role=status]")
    acts = "SELECT count(*) FROM pay.console_proposal"
    assert cells.stack("b").value(acts) == 1
    assert cells.stack("default").value(acts) == 0


@pytest.mark.parametrize(
    ("kind", "size"), [("phone", PHONE), ("desktop", DESKTOP)]
)
def test_pages_of_two_cells_fit_and_are_accessible(staff, kind, size):
    staff.chrome.look(**size)
    staff.enter("AUDITOR")
    fits(staff, size, f"cells-now-{kind}")
    for page in ("payments", "money", "plots", "settings"):
        staff.visit(f"/{page}")
        schemes = ("light",) if kind == "phone" else ("dark",)
        fits(staff, size, f"cells-{page}-{kind}", schemes)
