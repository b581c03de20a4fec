#!/usr/bin/python3
"""An example of a receiver: the revenue of each seller and day, from Kafka.

Usage: revenue.py BROKERS TOPIC GROUP STORE, where STORE is a file of SQLite.
As many as there are partitions may run at once, in one consumer group.

A message may come twice (docs/events-kafka.md), always with the same id.  So
the ids and the sums are stored in one transaction, and the group's offsets are
committed behind it: a receiver that dies in between reads some messages again,
and finds their ids.
"""

import json
import signal
import sqlite3
import sys

from confluent_kafka import Consumer, KafkaException

TABLES = """
CREATE TABLE IF NOT EXISTS seen (id text PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS repeated (id text);
CREATE TABLE IF NOT EXISTS revenue (
    seller text, day text, currency text, minor integer NOT NULL,
    PRIMARY KEY (seller, day, currency));
"""
ADD = """
INSERT INTO revenue (seller, day, currency, minor) VALUES (?, ?, ?, ?)
ON CONFLICT (seller, day, currency)
DO UPDATE SET minor = minor + excluded.minor"""


def minor(amount: str) -> int:
    """An amount has all decimals of its currency."""
    return int(amount.replace(".", ""))


def add(store, event: dict) -> None:
    if event["type"] != "payment.succeeded":
        return
    payment = event["data"]["payment"]
    store.execute(
        ADD,
        (
            payment["seller_account"],
            event["time"][:10],
            payment["currency"],
            minor(payment["amount"]),
        ),
    )


def take(store, messages) -> None:
    """All or none of them."""
    store.execute("BEGIN IMMEDIATE")
    for message in messages:
        event = json.loads(message.value())
        new = store.execute(
            "INSERT INTO seen (id) VALUES (?) ON CONFLICT DO NOTHING",
            (event["id"],),
        )
        if new.rowcount == 1:
            add(store, event)
        else:
            store.execute("INSERT INTO repeated VALUES (?)", (event["id"],))
    store.execute("COMMIT")


def main(brokers: str, topic: str, group: str, path: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    store = sqlite3.connect(path, timeout=60, isolation_level=None)
    store.executescript("PRAGMA journal_mode = WAL;" + TABLES)
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 500,
            "reconnect.backoff.max.ms": 1000,
        }
    )
    consumer.subscribe([topic])
    while True:
        messages = [m for m in consumer.consume(100, 0.2) if not m.error()]
        if messages:
            take(store, messages)
            try:
                consumer.commit(asynchronous=False)
            except KafkaException as error:
                # the broker is away, or another has the partition now
                print(f"not committed: {error}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
