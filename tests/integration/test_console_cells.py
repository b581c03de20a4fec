"""The console's JSON over two cells: each page and each act is of the one that
its address names, and of no other."""

import uuid

import pytest
import yaml
from support.cells import PLAN, running_cells
from support.console import Staff
from support.documented import LOADER
from support.gateway import ROOT
from support.own_stack import wait_for
from support.problems import assert_problem

BOTH = ("default", "b")
MONEY = {"amount": "1.00", "currency": "USD"}


@pytest.fixture(scope="module")
def cells():
    with running_cells() as made:
        yield made


@pytest.fixture(scope="module")
def staff(cells):
    made = Staff(cells.home.gateway, cells.home.tls)
    yield made
    made.api.close()


@pytest.fixture(scope="module")
def paid(cells):
    """A paid checkout of each cell."""
    return {cell: cells.paid(cell) for cell in BOTH}


def other(cell: str) -> str:
    return "default" if cell == "b" else "b"


def checkouts(document: dict) -> set:
    return {each["checkout_id"] for each in document["items"]}


def test_staff_are_told_which_cells_there_are(staff):
    assert staff.read("me", "viewer")["cells"] == list(BOTH)


def test_each_page_answers_for_each_cell(staff, cells, paid):
    text = (ROOT / "docs/console-openapi.yaml").read_text(encoding="utf-8")
    paths = yaml.load(text, Loader=LOADER)["paths"]
    pages = {path.rsplit("/", 1)[1] for path in paths if "{" not in path}
    assert len(pages) > 30
    for page in pages:
        for cell in BOTH:
            query = {
                "find": {"q": paid[cell].id},
                "payment": {"checkout": paid[cell].id},
            }.get(page, {})
            staff.read(page, "auditor", query={**query, "cell": cell})


@pytest.mark.parametrize("cell", BOTH)
def test_a_page_shows_its_cell_and_no_other(staff, paid, cell):
    asked = {"cell": cell, "limit": "100"}
    found = checkouts(staff.read("payments", "viewer", query=asked))
    assert paid[cell].id in found
    assert paid[other(cell)].id not in found
    for of, count in ((cell, 1), (other(cell), 0)):
        asked = {"cell": cell, "q": paid[of].id}
        items = staff.read("find", "viewer", query=asked)["items"]
        assert len(items) == count, of
    answer = staff.get(
        "payment", "viewer",
        query={"cell": cell, "checkout": paid[other(cell)].id},
    )  # fmt: skip
    assert answer.status_code == 404


def test_a_page_without_a_cell_is_that_of_the_default(staff, paid):
    found = checkouts(staff.read("payments", "viewer", query={"limit": "100"}))
    assert paid["default"].id in found
    assert paid["b"].id not in found


def test_an_answer_that_is_kept_is_given_for_its_cell_alone(staff, paid):
    polled = {"Cache-Control": "max-age=5"}
    for _ in range(3):
        for cell in BOTH:
            answer = staff.get(
                "payments", "viewer", query={"cell": cell}, headers=polled
            )
            found = checkouts(answer.json())
            assert paid[cell].id in found
            assert paid[other(cell)].id not in found


@pytest.mark.parametrize("cell", BOTH)
def test_the_calls_of_a_node_are_those_of_the_cells_psps(staff, paid, cell):
    node = staff.read("psps", "viewer", query={"cell": cell})["node"]
    psps = {each["psp"] for each in node}
    assert PLAN[cell].psp in psps
    assert PLAN[other(cell)].psp not in psps


@pytest.mark.parametrize(
    "query",
    [
        "cell=c",
        "cell=",
        "cell=B",
        "cell=default&cell=b",
        "cell",
        f"cell={'a' * 33}",
    ],
)
def test_another_cell_is_refused(staff, cells, query):
    token = staff.token("operations")
    bearer = {"Authorization": f"Bearer {token}"}
    answer = staff.api.get(f"/console/api/now?{query}", headers=bearer)
    assert_problem(answer, 422, "validation-error", cells.home.url)
    answer = staff.act(f"enable?{query}", "operations", body={"object": "e"})
    assert_problem(answer, 422, "validation-error", cells.home.url)


def test_an_act_has_no_other_parameter(staff, cells):
    answer = staff.act("enable?merchant=acme", "admin", body={"object": "e"})
    assert_problem(answer, 422, "validation-error", cells.home.url)


@pytest.mark.parametrize("cell", BOTH)
def test_money_moves_in_the_cell_that_the_act_names(staff, cells, cell):
    made = cells.paid(cell)
    body = {"object": made.order_id, "merchant": PLAN[cell].merchant, **MONEY}
    strange = staff.act(f"refund?cell={other(cell)}", "support", body=body)
    assert_problem(strange, 404, "not-found", cells.home.url)
    answer = staff.act(f"refund?cell={cell}", "support", body=body)
    assert answer.status_code == 200, answer.text
    number = answer.json()["proposal_id"]
    for of in BOTH:
        waiting = staff.rows(
            "approvals", "auditor", query={"cell": of, "state": "waiting"}
        )
        objects = [each["object"] for each in waiting]
        assert (made.order_id in objects) == (of == cell)
    approved = staff.act(
        f"approve?cell={cell}", "finance-approver", body={"object": str(number)}
    )
    assert approved.status_code == 200, approved.text
    refunds = (
        "SELECT count(*) FROM pay.change WHERE payment_order_id = %s"
        " AND kind = 'refund' AND status = 'SUCCESS'"
    )
    wait_for(
        lambda: cells.stack(cell).value(refunds, made.order_id) == 1,
        "the refund",
    )
    acts = "SELECT count(*) FROM pay.console_act WHERE object = %s"
    assert cells.stack(cell).value(acts, made.order_id) == 1
    kept = cells.stack(other(cell)).sql(
        "SELECT result FROM pay.console_act WHERE object = %s", made.order_id
    )
    assert "done" not in [result for (result,) in kept]


@pytest.mark.parametrize("cell", BOTH)
def test_a_look_at_a_buyer_is_written_down_in_its_cell(staff, cells, cell):
    made = cells.created(cell, buyer_info={"email": "a@b.example"})
    asked = {"checkout": made.id, "personal": "1", "cell": cell}
    staff.read("payment", "support", query=asked)
    looks = "SELECT count(*) FROM pay.console_act WHERE checkout_id = %s"
    assert cells.stack(cell).value(looks, made.id) == 1
    assert cells.stack(other(cell)).value(looks, made.id) == 0


def test_a_cell_that_hangs_keeps_no_other_from_its_pages(staff, cells, paid):
    with cells.frozen("b"):
        answer = staff.get("now", "viewer", query={"cell": "b"})
        assert answer.status_code == 503, answer.text
        found = staff.read("payments", "viewer", query={"cell": "default"})
        assert paid["default"].id in checkouts(found)
        key = {"request": str(uuid.uuid4()), "object": "999999999"}
        answer = staff.act("requeue?cell=default", "operations", body=key)
        assert_problem(answer, 404, "not-found", cells.home.url)

    def again():
        answer = staff.get("now", "viewer", query={"cell": "b"})
        return answer.status_code == 200

    wait_for(again, "the pages of the cell that hung")
