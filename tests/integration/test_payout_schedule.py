"""Pay-outs that a schedule has due: the workers make the items and the batches,
others approve them, and the provider pays."""

import re

import psycopg2
import pytest
from support.own_stack import OwnStack, wait_for
from support.payer import Payer

AUDIENCE = "payments_audience "
QUICK_ROUNDS = (
    AUDIENCE,
    "payments_jobs  on interval=100ms;\n"
    "    payments_watchdog  interval=200ms;\n    " + AUDIENCE,
)
WHO = ("--who", "max", "--why", "test")
SELLERS = 3


class Shop(Payer):
    """Sellers of acme whose items nobody makes by hand."""

    def comes(self):
        """The time of the schedule has come, two hours ago."""
        self.stack.sql(
            "UPDATE pay.payout_schedule SET next_day = current_date,"
            " next_at = now() - interval '2 hours' WHERE merchant_id = 'acme'"
        )

    def item(self, seller):
        found = self.stack.sql(
            "SELECT payout_id FROM pay.payout WHERE seller_account = %s"
            " AND made_by LIKE 'schedule/%%' AND batch_id IS NOT NULL",
            seller,
        )
        assert len(found) <= 1
        return found[0][0] if found else None

    def gauge(self, name):
        text = self.stack.http.get("/metrics").text
        found = re.search(rf"^{re.escape(name)} (\d+)$", text, re.MULTILINE)
        return int(found[1]) if found else None


@pytest.fixture(scope="module")
def shop():
    stack = OwnStack()
    try:
        shop = Shop(stack, "stripe", asks=False)
        stack.configure((AUDIENCE, shop.blocks() + AUDIENCE), QUICK_ROUNDS)
        shop.enter("generic", "stripe")
        yield shop
        stack.check_invariants()
    finally:
        stack.close()


def test_a_schedule_pays_sellers_when_its_time_has_come(shop):
    sellers = [shop.sold() for _ in range(SELLERS)]
    shop.payctl("schedule", "--merchant", "acme", "--every", "day",
                "--calendar", "TARGET", "--batch", "2", *WHO)  # fmt: skip
    shop.comes()
    items = [
        wait_for(lambda one=seller: shop.item(one), "the item and its batch")
        for seller in sellers
    ]
    wait_for(
        lambda: shop.stack.sql(
            "SELECT state, items, batches, outcomes FROM pay.payout_run"
        )
        == [("done", SELLERS, 2, {"made": SELLERS})],
        "the end of the run",
    )
    wait_for(
        lambda: shop.gauge('payments_payouts{state="ready"}') == SELLERS,
        "the gauge of items",
    )
    for name in ("payments_payout_runs", "payments_payout_run_overdue_seconds"):
        wait_for(lambda one=name: shop.gauge(one) == 0, f"no {name}")
    assert shop.gauge("payments_payout_approval_wait_seconds") is not None
    for batch, digest in shop.stack.sql(
        "SELECT batch_id, encode(hash, 'hex') FROM pay.payout_batch"
    ):
        # who has set the schedule is not the maker
        shop.payctl("approve", batch, "--hash", digest, "--who", "max")
    for item in items:
        shop.becomes(item, "paid")
        assert shop.paid(item)["count"] == 1
    # the same due time has had its run
    seller = shop.sold()
    shop.comes()
    wait_for(
        lambda: shop.stack.value(
            "SELECT next_at > now() FROM pay.payout_schedule"
        ),
        "it is taken for done",
    )
    assert shop.item(seller) is None


def test_an_overdue_run_is_seen(shop):
    """A lock keeps it from beginning: the alarm's gauge has its age."""
    seller = shop.sold()
    shop.stack.sql("UPDATE pay.payout_schedule SET run_day = NULL")
    with psycopg2.connect(shop.stack.values["PG_ADMIN_DSN"]) as other:
        with other.cursor() as cursor:
            cursor.execute(
                "UPDATE pay.payout_schedule SET next_day = current_date - 1,"
                " next_at = now() - interval '2 hours'"
            )
            other.commit()
            cursor.execute("SELECT FROM pay.payout_schedule FOR UPDATE")
            wait_for(
                lambda: shop.gauge("payments_payout_run_overdue_seconds")
                not in (None, 0),
                "the gauge of overdue runs",
            )
    other.close()
    wait_for(lambda: shop.item(seller), "its item")
