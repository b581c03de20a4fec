"""A merchant moves from one cell to another behind one gateway: by its old
configuration, by the new one, and under load while payctl moves it."""

import contextlib
import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from support.cells import GLOBEX, Cells
from support.changes import send
from support.nodes import replayed
from support.own_stack import Checkout, new_id, wait_for
from support.storefronts import Storefronts
from support.tls_psp import Authority

# acme is in the cell default, whose PSP is generic; stripe is b's
ACME = "    payments_merchant acme {\n"
FROM = ACME + "        cell b;\n        from default;\n"
BACK = ACME + "        from b;\n"
PSPS = re.compile(r"( psp +)generic;")
STOREFRONTS = 4


@pytest.fixture(scope="module")
def cells():
    with tempfile.TemporaryDirectory(prefix="payments-shop.") as name:
        path = Path(name)
        path.chmod(0o755)
        made = Cells(Authority(path, "shop-ca"))
        try:
            yield made
            made.check()
        finally:
            made.close()


def order(cells, **more):
    body = cells.home.order("generic", **more)
    del body["psp"]
    return body


def post(cells, body, key):
    return cells.home.post(body, key)


def told(cells, order_id, *more):
    return cells.home.get("/".join((f"/v1/payments/{order_id}", *more)))


def first(body):
    return body["payment_orders"][0]["payment_order_id"]


def move(cells, *more, code=0, names=("default", "b")):
    dsns = [cells.stack(name).values["PG_ADMIN_DSN"] for name in names]
    done = subprocess.run(
        [cells.home.values["PAYCTL"], "merchant", "move", "acme", "--from",
         names[0], "--to", names[1], "--dsn", dsns[0], "--to-dsn", dsns[1],
         *more],
        env=os.environ, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def where(cells, body):
    """The cells that have the checkout."""
    return [
        cell
        for cell in ("default", "b")
        if cells.stack(cell).value(
            "SELECT count(*) FROM pay.checkout WHERE merchant_id = 'acme'"
            " AND checkout_id = %s",
            body["checkout_id"],
        )
    ]


@pytest.fixture(scope="module")
def old(cells):
    """A payment of before, its key, and what a repetition is answered."""
    body, key = order(cells), new_id()
    made = Checkout(cells.home, body, post(cells, body, key))
    cells.home.mock.pay(made.token)
    made.becomes("SUCCESS")
    return body, key, post(cells, body, key)


@pytest.fixture(scope="module")
def moved(cells, old):
    """Behind the move, which came under load; what was taken meanwhile."""
    acme = cells.home.pristine
    assert ACME in acme and GLOBEX in acme
    head, tail = acme.replace(ACME, FROM, 1).split(FROM)
    mine, rest = tail.split(GLOBEX)
    mine, count = PSPS.subn(r"\1generic stripe;", mine, count=1)
    assert count == 1
    # None and 429: an old worker closes connections, and asks go on there
    insists = {None, 429, 503}
    with Storefronts([cells.home], STOREFRONTS, insists=insists) as shops:
        shops.sell(STOREFRONTS, "the old configuration")
        cells.home.pristine = head + FROM + mine + GLOBEX + rest
        cells.home.configure()
        wait_for(cells.all_are_ready, "both cells")
        shops.sell(8, "the new configuration")
        assert where(cells, shops.taken[-1].body) == ["default"]
        move(cells, "--balances", "carry")
        shops.sell(8, "the new cell")
    return shops


def test_no_checkout_is_lost_or_in_two_cells(cells, moved):
    assert moved.wrong == []
    places = [where(cells, sale.body) for sale in moved.taken]
    assert {tuple(place) for place in places} == {("default",), ("b",)}


def test_repetitions_are_answered_as_before(cells, moved):
    for sale in (moved.taken[0], moved.taken[-1]):
        again = post(cells, sale.body, sale.key)
        assert replayed(again)
        assert again.json() == sale.answer


def test_an_old_key_and_id_stay_known(cells, old, moved):
    body, key, said = old
    again = post(cells, body, key)
    assert (again.status_code, again.content) == (201, said.content)
    assert replayed(again)
    other = body | {"metadata": {"n": 1}}
    assert post(cells, other, key).status_code == 422
    assert post(cells, body, new_id()).status_code == 409
    fresh = order(cells)
    fresh["payment_orders"][0]["payment_order_id"] = first(body)
    assert post(cells, fresh, new_id()).status_code == 409


@pytest.mark.parametrize("more", [(), ("events",), ("explain",)])
def test_an_old_order_is_read(cells, old, moved, more):
    assert told(cells, first(old[0]), *more).status_code == 200


def test_an_old_order_is_refunded_where_it_is(cells, old, moved):
    made = Checkout(cells.home, old[0], old[2])
    answer = send(made, "refunds", {})
    assert answer.status_code in (201, 202), answer.text
    assert told(cells, first(old[0]), "refunds").status_code == 200
    assert cells.count("default", "change") == 1
    assert cells.count("b", "change") == 0


def test_a_new_payment_is_one_of_the_new_cell(cells, moved):
    body = order(cells)
    made = Checkout(cells.away, body, post(cells, body, new_id()))
    assert where(cells, body) == ["b"]
    _, handle, _ = made.facts()
    assert handle.startswith("b")
    cells.home.mock.pay(made.token)
    made.becomes("SUCCESS")
    assert told(cells, first(body)).json()["status"] == "SUCCESS"


def test_an_id_that_no_cell_has_is_not_found(cells, moved):
    assert told(cells, new_id()).status_code == 404


def test_a_psp_of_the_other_cell_is_refused(cells, moved):
    answer = post(cells, order(cells) | {"psp": "generic"}, new_id())
    assert answer.status_code == 422
    assert "/psp" in answer.text


def test_a_seller_is_paid_what_both_cells_owe(cells, old, moved):
    left = cells.home.value(
        "SELECT count(*) FROM pay.wallet WHERE merchant_id = 'acme'"
        " AND available_minor > 0"
    )
    assert left == 0
    assert cells.away.value(
        "SELECT sum(minor) > 0 FROM pay.cell_transfer WHERE side = 'in'"
    )


@contextlib.contextmanager
def configured(cells, *edits):
    """All workers have the configuration with these replacements."""
    before = cells.home.pristine
    after = before
    for old, new in edits:
        assert old in after
        after = after.replace(old, new, 1)
    cells.home.pristine = after
    cells.home.configure()
    try:
        wait_for(cells.all_are_ready, "both cells")
        yield
    finally:
        cells.home.pristine = before
        cells.home.configure()
        wait_for(cells.all_are_ready, "both cells")


BEFORE = (FROM, ACME), (" generic stripe;", " generic;")


def waits(answer):
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "moved" in answer.text


def test_a_node_with_the_old_configuration_begins_nothing(cells, moved):
    with configured(cells, *BEFORE):
        waits(post(cells, order(cells), new_id()))


def test_it_begins_nothing_when_the_merchant_is_back_either(cells, moved):
    """Of a node that has missed both moves: it would ask one cell only."""
    sale = moved.taken[-1]
    body, key, said = sale.body, sale.key, sale.answer
    assert where(cells, body) == ["b"]
    move(cells, "--balances", "carry", names=("b", "default"))
    with configured(cells, *BEFORE):
        waits(post(cells, order(cells), new_id()))
        waits(post(cells, body, key))
    for edits in ((), ((FROM, BACK),)):
        with configured(cells, *edits):
            assert post(cells, body, key).json() == said
            again = order(cells)
            assert post(cells, again, new_id()).status_code == 201
            assert where(cells, again) == ["default"]
    assert where(cells, body) == ["b"]
