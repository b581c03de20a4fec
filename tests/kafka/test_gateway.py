"""From the gateway to a projection: payments through nginx, a mock PSP and its
webhooks, the relay, Kafka and receivers, of which each dies in the middle.
"""

import psycopg2.extensions
import pytest
from rig.database import Database
from rig.topic import check_against, read_topic
from support.own_stack import OwnStack
from support.waiting import wait_for

BATCHES = 8
PAYMENTS = 6  # of a batch, of two sellers each
PASSWORD = "of-the-relay"
LEFT = "SELECT count(*) FROM pay.outbox"


class StackCluster:
    """The stack's PostgreSQL, as rig.database has it."""

    def __init__(self, stack):
        self.admin = stack.values["PG_ADMIN_DSN"]

    def dsn(self, database: str, user: str = "postgres") -> str:
        if user == "postgres":
            return self.admin
        return psycopg2.extensions.make_dsn(
            self.admin, user=user, password=PASSWORD
        )


@pytest.fixture(scope="module")
def stack():
    made = OwnStack()
    try:
        yield made
        made.check_invariants()
    finally:
        made.close()


@pytest.fixture
def db(stack):
    stack.sql(f"ALTER ROLE payments_relay PASSWORD '{PASSWORD}'")
    made = Database(StackCluster(stack), "payments")
    yield made
    made.link.close()


def sell(stack) -> list:
    """Checkouts that their buyers have paid; the PSP says so by webhooks."""
    made = [
        stack.created(amounts=("12.34", "5.00")) for _ in range(PAYMENTS)
    ]
    for each in made:
        stack.mock.pay(each.token, "paid")
    return made


def test_the_revenue_in_kafka_is_that_of_the_gateway_after_kill_9_of_all(
    stack, db, broker, topic, relay, receivers
):
    first = relay("first", relay_lease__ms=1000)
    sold = []
    for batch in range(BATCHES):
        sold += sell(stack)
        match batch:
            case 1:
                wait_for(lambda: receivers.seen() > 0, 120, "a message")
                receivers.again("one")
            case 2:
                stack.kill_nginx()
                stack.start_nginx()
                wait_for(stack.is_ready, 120, "nginx")
            case 3:
                first.kill()
                relay("second", relay_lease__ms=1000)
            case 5:
                broker.kill()
                receivers.again("two")
            case 6:
                broker.start()
    for each in sold:
        each.becomes("SUCCESS")
    wait_for(lambda: db.value(LEFT) == 0, 120, "all to be published")
    db.wait_until_relayed(120)
    messages = db.messages()
    wait_for(
        lambda: receivers.seen() == len(messages), 120, "all to be received"
    )
    assert receivers.rows() == db.revenue()
    total = sum(minor for _, _, _, minor in receivers.rows())
    assert total == len(sold) * (1234 + 500)
    check_against(read_topic(broker.address, topic), messages)
