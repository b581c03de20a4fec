"""A merchant moves from one cell to another behind one gateway: by its old
configuration, by the new one, and under load while payctl moves it."""

import contextlib

import pytest
from support.cells import running_cells
from support.changes import send
from support.moves import Move, placed
from support.nodes import replayed
from support.own_stack import Checkout, new_id, wait_for
from support.storefronts import Storefronts

STOREFRONTS = 4


@pytest.fixture(scope="module")
def cells():
    with running_cells() as made:
        yield made


def order(cells, **more):
    body = cells.home.order("generic", **more)
    del body["psp"]
    return body


def post(cells, body, key, client=None):
    return cells.home.post(body, key, client=client)


def told(cells, order_id, *more):
    return cells.home.get("/".join((f"/v1/payments/{order_id}", *more)))


def first(body):
    return body["payment_orders"][0]["payment_order_id"]


def where(cells, checkout_id):
    """The cells that have the checkout."""
    query = "checkout WHERE merchant_id = 'acme' AND checkout_id = '{}'"
    return [
        cell
        for cell in ("default", "b")
        if cells.count(cell, query.format(checkout_id))
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
    move = Move(cells)
    # None and 429: an old worker closes connections, and asks go on there
    insists = {None, 429, 503}
    with Storefronts([cells.home], STOREFRONTS, insists=insists) as shops:
        shops.sell(STOREFRONTS, "the old configuration")
        move.announce(cells.home)
        shops.sell(8, "the new configuration")
        assert where(cells, shops.taken[-1].id) == ["default"]
        move.done()
        shops.sell(8, "the new cell")
    return shops


def test_no_checkout_is_lost_or_in_two_cells(cells, moved):
    assert moved.wrong == []
    places = [where(cells, sale.id) for sale in moved.taken]
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
    assert where(cells, body["checkout_id"]) == ["b"]
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
def placed_in(cells, cell, origin=""):
    """All workers have the merchant there."""
    before = cells.home.pristine
    cells.home.pristine = placed(before, cell, origin)
    cells.home.configure()
    try:
        wait_for(cells.all_are_ready, "both cells")
        yield
    finally:
        cells.home.pristine = before
        cells.home.configure()
        wait_for(cells.all_are_ready, "both cells")


def waits(answer):
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "moved" in answer.text


def test_a_node_with_the_old_configuration_begins_nothing(cells, moved):
    with placed_in(cells, "default"):
        waits(post(cells, order(cells), new_id()))


def test_it_begins_nothing_when_the_merchant_is_back_either(cells, moved):
    """Of a node that has missed both moves: it would ask one cell only."""
    sale = moved.taken[-1]
    assert where(cells, sale.id) == ["b"]
    Move(cells, "b", "default").done()
    with placed_in(cells, "default"):
        waits(post(cells, order(cells), new_id()))
        waits(post(cells, sale.body, sale.key))
    for cell, origin in (("b", "default"), ("default", "b")):
        with placed_in(cells, cell, origin):
            again = post(cells, sale.body, sale.key)
            assert again.json() == sale.answer
            body = order(cells)
            assert post(cells, body, new_id()).status_code == 201
            assert where(cells, body["checkout_id"]) == ["default"]
    assert where(cells, sale.id) == ["b"]
