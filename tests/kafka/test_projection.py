"""A projection from Kafka alone is the revenue that the database has, after
kill -9 of broker, relay, publisher and receivers.
"""

import threading

import psycopg2
from rig.topic import check_against, read_topic
from support.waiting import wait_for

ROUNDS = 60
SALES = 20  # of a round


class Shop(threading.Thread):
    """Sells, and publishes as a worker of the gateway does; its connections
    are killed by the test."""

    def __init__(self, db):
        super().__init__()
        self.db = db
        self.rounds = 0
        self.error = None

    def run(self):
        try:
            for _ in range(ROUNDS):
                self.db.sell(SALES)
                self.publish()
                self.rounds += 1
        except BaseException as error:
            self.error = error
            raise

    def publish(self):
        while True:
            try:
                self.db.publish()
                return
            except psycopg2.Error:
                pass  # killed: again, as the next worker does

    def reached(self, part: float) -> None:
        wait_for(
            lambda: self.error or self.rounds >= ROUNDS * part,
            120,
            f"{part} of the sales",
        )


def kill_publisher(db) -> None:
    link = db.connect()
    link.cursor().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'payments_gateway' AND datname = %s",
        (db.name,),
    )
    link.close()


def test_the_revenue_of_receivers_is_that_of_the_database(
    db, broker, topic, relay, receivers
):
    shop = Shop(db)
    shop.start()
    first = relay("first", relay_lease__ms=1000)

    shop.reached(0.2)
    wait_for(lambda: receivers.seen() > 0, 120, "the first messages")
    receivers.again("one")
    kill_publisher(db)
    shop.reached(0.4)
    first.kill()
    relay("second", relay_lease__ms=1000)
    shop.reached(0.6)
    broker.kill()
    receivers.again("two")
    broker.start()
    shop.reached(0.8)
    receivers.again("one")
    kill_publisher(db)
    shop.join(120)
    assert shop.error is None
    db.publish()

    db.wait_until_relayed(120)
    messages = db.messages()
    wait_for(
        lambda: receivers.seen() == len(messages), 120, "all to be received"
    )
    assert db.sales == ROUNDS * SALES
    assert receivers.rows() == db.revenue()
    check_against(read_topic(broker.address, topic), messages)


def test_repetitions_change_no_sum(db, broker, topic, relay, receivers):
    """The whole log once more, as an operator has it who sets the mark back
    while no relay runs."""
    first = relay("first")
    db.sell(200)
    db.publish()
    db.wait_until_relayed()
    first.stop()
    db.sql("UPDATE pay.message_reader SET position = 0")
    relay("second")
    count = len(db.messages())
    wait_for(
        lambda: len(read_topic(broker.address, topic)) >= 2 * count,
        120,
        "the second copies",
    )
    wait_for(
        lambda: receivers.seen() == count
        and receivers.rows("SELECT count(DISTINCT id) FROM repeated")
        == [(count,)],
        120,
        "the receivers",
    )
    assert receivers.rows() == db.revenue()
