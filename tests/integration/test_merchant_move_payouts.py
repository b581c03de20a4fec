"""Pay-outs of a merchant that moves: those of the old cell end there, its
orders are released there, and only money that may be paid out is carried."""

import pytest
from support.cells import running_cells
from support.moves import Move
from support.own_stack import new_id
from support.payer import HASTY_OWN, MINOR, Payer


@pytest.fixture(scope="module")
def cells():
    with running_cells() as made:
        yield made


@pytest.fixture(scope="module")
def payer(cells):
    made = Payer(cells.home)
    made.enter("generic")
    return made


def sale(cells, seller: str) -> str:
    """A paid order of the old cell that nobody has released; its id."""
    order = {
        "payment_order_id": new_id(),
        "seller_account": seller,
        "amount": "12.34",
        "currency": "EUR",
    }
    made = cells.home.created("generic", payment_orders=[order])
    cells.home.mock.pay(made.registration["token"])
    made.becomes("SUCCESS")
    return made.order_id


def available(stack, seller: str) -> int:
    return stack.value(
        "SELECT coalesce(sum(available_minor), 0) FROM pay.wallet "
        "WHERE seller_account = %s",
        seller,
    )


def test_pay_outs_end_where_they_are_and_money_follows(cells, payer):
    home, away = cells.home, cells.away
    item = payer.ready()
    seller = payer.of_item("seller_account", "payout_id = %s", item)
    order = sale(cells, seller)
    move = Move(cells)
    move.announce(home, *HASTY_OWN)

    # the new configuration: workers send, and the provider's message is heard
    payer.rests(payer.send(item))
    payer.becomes(item, "paid")
    assert ("paid", "applied") in payer.told(item)
    payer.expect_paid_once(item)

    # nobody has said that the order is delivered
    said = move.done()
    assert "0 balances were carried" in said
    assert "1 balances stay in default" in said
    assert (available(home, seller), available(away, seller)) == (MINOR, 0)

    answer = home.http.post(
        f"/v1/payments/{order}/release",
        json={},
        headers={
            "Authorization": f"Bearer {home.values['PAYOUT_MAKER_JWT']}",
            "Idempotency-Key": new_id(),
        },
    )
    assert answer.status_code == 200, answer.text
    assert "1 balances were carried" in move.done()
    assert (available(home, seller), available(away, seller)) == (0, MINOR)
