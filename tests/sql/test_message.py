"""The log of messages while transactions commit in another order than they
began: nothing is skipped, nothing comes twice, and each order keeps its order.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import os
import pathlib
import random
import subprocess
import threading
import uuid

import migrated
import psycopg2
import pytest
from test_linear import BEGIN
from test_merchant_move import ENDPOINT, Call, Held
from test_settlement import Shop

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
WRITERS = 8
ORDERS = 40  # of a writer
PUBLISHERS = 3

TELL = """
INSERT INTO pay.outbox (merchant_id, payment_order_id, seq, at, kind)
SELECT 'm', %s, s, clock_timestamp() - random() * interval '1 hour',
    'refund.succeeded'
FROM generate_series(%s, %s) s"""
PUBLISH = "SELECT outcome FROM pay_api.publish_events('{w}', '{7}')"
READ = """
SELECT position, subject, sequence, body::json ->> 'id'
FROM pay.message WHERE position > %s ORDER BY position LIMIT 50"""
LOCK = "SELECT FROM pay.checkout WHERE checkout_id = %s FOR UPDATE"


@pytest.fixture(name="name")
def database():
    name = f"pay_message_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    yield name
    subprocess.run(["dropdb", "--force", name], check=True)


def made(name):
    """Orders of payments, by the operation itself."""
    ids = [f"w{w}o{n}" for w in range(WRITERS) for n in range(ORDERS)]

    with psycopg2.connect(dbname=name) as connection:
        with connection.cursor() as cursor:
            for first in range(0, len(ids), 100):
                some = ids[first : first + 100]
                cursor.execute(
                    BEGIN, {"n": len(some), "ids": some, "sellers": some}
                )
    return ids


def write(name, writer, broken):
    """Tells three times of each order: a transaction each, under the lock of
    the order's checkout, whose commit waits a little or a little longer."""
    try:
        chance = random.Random(writer)
        connection = psycopg2.connect(dbname=name)
        turns = [
            (f"w{writer}o{n}", 2 + 3 * part)
            for part in range(3)
            for n in range(ORDERS)
        ]
        for order, seq in turns:
            with connection, connection.cursor() as cursor:
                cursor.execute(LOCK, (order,))
                cursor.execute(TELL, (order, seq, seq + chance.randrange(3)))
                cursor.execute("SELECT pg_sleep(%s)", (chance.random() / 50,))
        connection.close()
    except Exception as error:  # pylint: disable=broad-except
        broken.append(error)


def publish(name, ended, broken):
    try:
        connection = psycopg2.connect(dbname=name)
        connection.autocommit = True
        with connection.cursor() as cursor:
            again = True
            while again or not ended.is_set():
                cursor.execute(PUBLISH)
                again = cursor.fetchone()[0] == "again"
        connection.close()
    except Exception as error:  # pylint: disable=broad-except
        broken.append(error)


def read(name, ended, seen, broken):
    """A cursor that never goes back, as receivers have one."""
    try:
        connection = psycopg2.connect(dbname=name)
        connection.autocommit = True
        with connection.cursor() as cursor:
            more = True
            while more or not ended.is_set():
                over = ended.is_set()
                cursor.execute(READ, (seen[-1][0] if seen else 0,))
                rows = cursor.fetchall()
                seen.extend(rows)
                more = bool(rows) or not over
        connection.close()
    except Exception as error:  # pylint: disable=broad-except
        broken.append(error)


def run(threads):
    for each in threads:
        each.start()
    return threads


def joined(threads):
    for each in threads:
        each.join(120)
        assert not each.is_alive()


def test_a_reader_misses_no_commit_and_keeps_the_order_of_an_order(name):
    made(name)
    broken, seen = [], []
    written, published = threading.Event(), threading.Event()
    readers = run(
        [threading.Thread(target=read, args=(name, published, seen, broken))]
    )
    publishers = run(
        [
            threading.Thread(target=publish, args=(name, written, broken))
            for _ in range(PUBLISHERS)
        ]
    )
    joined(
        run(
            [
                threading.Thread(target=write, args=(name, writer, broken))
                for writer in range(WRITERS)
            ]
        )
    )
    written.set()
    joined(publishers)
    published.set()
    joined(readers)
    assert broken == []

    with psycopg2.connect(dbname=name) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pay.outbox")
            assert cursor.fetchone() == (0,)
            cursor.execute(
                "SELECT subject, count(*) FROM pay.message"
                " WHERE subject LIKE 'payment/%' GROUP BY subject"
            )
            told = dict(cursor.fetchall())
            # the id of a message says which row it was
            cursor.execute(
                "SELECT m.subject, m.sequence, (SELECT s.n FROM"
                " generate_series(1, 20) s (n) WHERE pay.message_id('m',"
                " substr(m.subject, 9) || '/' || s.n) = m.message_id)"
                " FROM pay.message m ORDER BY m.subject, m.position"
            )
            rows = cursor.fetchall()

    positions = [row[0] for row in seen]
    assert positions == list(range(1, len(rows) + 1)), "a gap, or one twice"
    assert len({row[3] for row in seen}) == len(seen)
    assert len(told) == WRITERS * ORDERS
    before = {}
    for subject, sequence, seq in rows:
        assert (sequence, seq) > before.get(subject, (0, 0)), subject
        assert sequence == before.get(subject, (0, 0))[0] + 1, subject
        assert seq > before.get(subject, (0, 0))[1], subject
        before[subject] = (sequence, seq)
    assert {s: last[0] for s, last in before.items()} == told


def test_a_publisher_whose_commit_is_lost_repeats_the_same_messages(name):
    made(name)
    with psycopg2.connect(dbname=name) as connection:
        with connection.cursor() as cursor:
            cursor.execute(TELL, ("w0o0", 2, 5))
    seen = []
    for end in ("rollback", "commit"):
        connection = psycopg2.connect(dbname=name)
        with connection.cursor() as cursor:
            cursor.execute(PUBLISH)
            cursor.execute(
                "SELECT position, message_id, sequence FROM pay.message"
                " ORDER BY position"
            )
            seen.append(cursor.fetchall())
        getattr(connection, end)()
        connection.close()
    assert len(seen[0]) == 4
    assert seen[0] == seen[1]


AGED = "SELECT messages, deliveries FROM pay.end_messages(now(), 100)"
AGAIN = """
SELECT outcome || ' ' || coalesce(page, '')
FROM pay_api.replay_deliveries('{m}', '{e1}', '{NULL}', '{0}', '{NULL}', '{0}')
"""
KEPT = """
SELECT (SELECT count(*) FROM pay.message),
    (SELECT count(*) FROM pay.webhook_delivery WHERE state = 'due'),
    (SELECT count(*) FROM pay.webhook_delivery d WHERE NOT EXISTS (
        SELECT FROM pay.message m WHERE m.position = d.position))"""


@pytest.fixture(name="old")
def messages_that_are_old(name, tmp_path):
    """Four messages that nobody waits for, and an endpoint."""
    made(name)
    shop = Shop(name, tmp_path)
    shop.sql("SET lock_timeout = '20s'")
    shop.sql(ENDPOINT)
    shop.sql(TELL, ("w0o0", 2, 5))
    while shop.sql(PUBLISH) == [("again",)]:
        pass
    shop.sql(
        "UPDATE pay.webhook_delivery SET state = 'delivered',"
        " ended_at = now() WHERE state = 'due'"
    )
    yield shop
    shop.connection.close()


def test_retention_leaves_messages_that_are_delivered_again(old):
    replay = Held(old, AGAIN)
    assert old.sql(AGED) == [(0, 0)]
    replay.commit()
    assert old.sql(AGED) == [(0, 0)]
    assert old.sql(KEPT) == [(4, 4, 0)]


def test_a_replay_leaves_messages_that_retention_takes(old):
    retention = Held(old, AGED)
    replay = Call(old, AGAIN).blocked()
    retention.commit()
    assert replay.end() == 'stored {"deliveries" : 0}'
    assert old.sql(KEPT) == [(0, 0, 0)]
