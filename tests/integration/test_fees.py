"""The fee that a merchant keeps of a sale, end to end: it is booked with the
sale, given back with refunds, and the seller is paid the rest."""

import pytest
from support.own_stack import new_id
from support.problems import assert_problem
from support.sold import Sold, books_hold

COMMISSION = """SELECT pay_ops.set_commission('acme', %s, NULL, 'USD', %s, %s,
    0, NULL, NULL, 'sue', 'test')"""
POLICY = "SELECT pay_ops.set_fee_policy('acme', %s, %s, 'sue', 'test')"
ACCOUNT = """SELECT outcome FROM pay_ops.store_destination('acme', %s, 'USD',
    'feebank', 'iban', 'DE', 'DE89370400440532013000', 'opaque', 'k1', 'sue',
    'test')"""
PROVIDER = """SELECT pay_ops.set_payout_provider('acme', 'feebank', 'generic',
    '{iban}', '{USD}', NULL, 'sue', 'test')"""


@pytest.fixture
def shop(stack):
    assert stack.sql(POLICY, "proportional", 20) == [("stored",)]
    yield stack
    stack.sql(POLICY, "proportional", 0)
    assert stack.sql("SELECT * FROM pay_check.order_fee") == []
    books_hold(stack)


def fee(amount, tax):
    return {"amount": amount, "tax": tax, "currency": "USD"}


def with_fee(shop, *fees, amount="10.00"):
    body = shop.order("generic", amounts=(amount,) * len(fees))
    for order, each in zip(body["payment_orders"], fees, strict=True):
        order["seller_account"] = f"seller-{new_id()}"
        if each is not None:
            order["fee"] = each
    return body


def test_a_seller_is_paid_the_net_of_its_sale(shop):
    made = Sold.of(shop, amounts=("10.01",))
    assert shop.sql(COMMISSION, made.seller, "12.3456", 30) == [("stored",)]
    assert "fee" not in made.order()
    shop.mock.pay(made.token)
    made.becomes("SUCCESS")
    assert made.order()["fee"] == fee("1.54", "0.31")
    assert made.balance()["available"] == "8.16"
    statement = shop.get(
        f"/v1/sellers/{made.seller}/statement?currency=USD"
    ).json()["lines"]
    assert [(each["kind"], each["amount"]) for each in statement] == [
        ("platform_fee_tax", "-0.31"),
        ("platform_fee", "-1.54"),
        ("sale", "10.01"),
    ]
    for amount, left in (
        ("3.33", fee("1.03", "0.21")),
        ("3.33", fee("0.52", "0.10")),
    ):
        assert made.refund(amount).status_code == 201
        assert made.order()["fee"] == left
    assert made.balance()["available"] == "2.73"

    shop.sql(PROVIDER)
    assert shop.sql(ACCOUNT, made.seller) == [("stored",)]
    shop.sql(
        "SELECT pay_ops.release_order('acme', %s, 'sue', 'test')",
        made.order_id,
    )
    assert shop.sql(
        "SELECT outcome, amount_minor FROM pay_ops.make_payouts('acme', %s, "
        "'USD', 'sue')",
        made.seller,
    ) == [("made", 273)]
    assert made.refund("3.35").status_code == 201
    assert made.order()["fee"] == fee("0.00", "0.00")
    made.agree()


def test_a_storefront_gives_the_fee_of_an_order(shop):
    body = with_fee(shop, "2.50", None, "0.00")
    answer = shop.post(body)
    assert answer.status_code == 201, answer.text
    made = Sold(shop, body, answer)
    shop.mock.pay(made.token)
    made.becomes("SUCCESS")
    shown = [shop.payment(each).get("fee") for each in made.order_ids]
    assert shown == [fee("2.50", "0.50"), None, fee("0.00", "0.00")]


def test_a_commission_depends_on_the_payment_method(shop):
    by_card, by_transfer, without = (
        Sold.of(shop, amounts=("10.00",), **more)
        for more in (
            {"payment_method": "card"},
            {"payment_method": "sepa.transfer"},
            {},
        )
    )
    made = (by_card, by_transfer, without)
    for each in made:
        assert shop.sql(COMMISSION, each.seller, 10, 0) == [("stored",)]
        row = COMMISSION.replace("'test')", "'test', 'card')")
        assert shop.sql(row, each.seller, 20, 0) == [("stored",)]
    for each in made:
        shop.mock.pay(each.token)
        each.becomes("SUCCESS")
    assert [each.order()["fee"] for each in made] == [
        fee("2.00", "0.40"),
        fee("1.00", "0.20"),
        fee("1.00", "0.20"),
    ]

    # a later row changes nothing of a sale that is booked
    assert shop.sql(row, by_card.seller, 90, 0) == [("stored",)]
    assert by_card.refund("5.00").status_code == 201
    assert by_card.order()["fee"] == fee("1.00", "0.20")
    for each in made:
        each.agree()


@pytest.mark.parametrize("wrong", ("10.01", "1.001", "1", "-1.00", "", 1, None))
def test_a_fee_that_cannot_be_is_refused(shop, wrong):
    body = with_fee(shop, "1.00")
    body["payment_orders"][0]["fee"] = wrong
    answer = shop.post(body)
    assert_problem(answer, 422, "amount-invalid", shop.url)
    assert "/payment_orders/0/fee" in answer.text
    assert (
        shop.sql(
            "SELECT FROM pay.checkout WHERE checkout_id = %s",
            body["checkout_id"],
        )
        == []
    )
