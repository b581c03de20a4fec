"""Faults of the broker: messages stay in PostgreSQL, the log says once what to
do, and the relay goes on from its mark when the fault is over.
"""

import shutil

from rig.broker import PASSWORD, USER
from rig.topic import check_against, copies, read_topic
from support.waiting import wait_for

WINDOW = 4 * 200
# more than the indexes of Kafka's own log, which are made at their full size
DISK_BYTES = 12 << 20


def test_kill_9_of_the_broker_in_the_middle(db, broker, topic, relay):
    """An idempotent producer: what the broker had before its end is not
    there twice."""
    relay()
    db.fill(20000)
    wait_for(lambda: db.mark() > 0, 120, "a mark")
    broker.kill()
    broker.start()
    db.wait_until_relayed(120)
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    assert copies(records) == 0


def test_while_the_broker_is_away_rows_stay_and_memory_is_bounded(
    db, broker, topic, relay
):
    each = relay()
    db.fill(500)
    db.wait_until_relayed()
    broker.kill()
    each.wait_for_line("do:nothing, messages stay in PostgreSQL")
    before, owner = each.rss_kb(), db.owner()
    db.fill(50000, pad=1000)
    renewed = "SELECT until FROM pay.message_reader"
    first = db.value(renewed)
    # its lease is kept for as long as it takes
    wait_for(lambda: db.value(renewed) > first, 120, "the lease")
    seen = db.value(renewed)
    wait_for(lambda: db.value(renewed) > seen, 120, "the lease again")
    assert db.owner() == owner
    assert db.mark() == 500
    assert each.rss_kb() < before + 16 * 1024
    assert len(each.text().splitlines()) < 12

    broker.start()
    db.wait_until_relayed(120)
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())


def test_a_relay_that_finds_no_broker_waits_for_one(
    db, broker, topic, relay
):
    broker.kill()
    each = relay()
    db.fill(100)
    each.wait_for_line("do:nothing, messages stay in PostgreSQL")
    broker.start()
    db.wait_until_relayed(60)
    assert copies(read_topic(broker.address, topic)) == 0


def test_a_broker_that_comes_back_empty(db, broker, topic, relay):
    """It knows neither the topic nor the producer: all that was marked is
    gone with it, and all that is behind the mark arrives."""
    each = relay()
    db.fill(1000)
    db.wait_until_relayed()
    broker.kill()
    shutil.rmtree(broker.data)
    broker.start()
    db.fill(1000)
    each.wait_for_line("do:create the topic", 120)
    broker.create_topic(topic)
    db.wait_until_relayed(60)
    records = read_topic(broker.address, topic)
    new = {id_ for id_, _, _ in db.messages()[1000:]}
    assert {record.id for record in records} == new


def test_a_full_disk_of_the_broker(db, broker, topic_name, relay):
    """No file of it grows beyond a limit: it gives its directory up and ends,
    as it does when the disk is full."""
    broker.stop()
    broker.start(file_bytes=DISK_BYTES)
    broker.create_topic(topic_name, partitions=1)
    relay()
    db.fill(12000, pad=1500)
    wait_for(lambda: not broker.is_alive(), 120, "the broker's end")
    assert 0 < db.mark() < db.end()
    broker.start()
    db.wait_until_relayed(120)
    check_against(read_topic(broker.address, topic_name), db.messages())


def test_a_topic_that_is_not_there_yet(db, broker, topic_name, relay):
    each = relay()
    db.fill(300)
    line = each.wait_for_line("do:create the topic")
    assert line.startswith("payments-relay: error: ")
    assert topic_name in line
    broker.create_topic(topic_name)
    db.wait_until_relayed()
    check_against(read_topic(broker.address, topic_name), db.messages())
    assert each.text().count("create the topic") == 1


def test_a_message_that_is_too_large_stops_all_behind_it(
    db, broker, topic_name, relay
):
    """It is not skipped: its order's later messages would arrive without it."""
    broker.create_topic(topic_name, max_message_bytes="3000")
    each = relay(batch_size=2500)
    db.fill(100)
    db.wait_until_relayed()
    db.fill(1, pad=4000)
    db.fill(100)
    each.wait_for_line("do:raise the topic's max.message.bytes")
    large = db.messages()[100]
    wait_for(lambda: each.text().count("sends,") > 2, 120, "two more tries")
    assert db.mark() == 100
    seen = read_topic(broker.address, topic_name)
    after = [r for r in seen if r.key == large[1] and r.sequence > large[2]]
    assert after == []

    broker.set_topic(topic_name, "max.message.bytes", "1000000")
    db.wait_until_relayed()
    check_against(read_topic(broker.address, topic_name), db.messages())
    assert each.text().count("max.message.bytes") == 1


def login(broker, password: str = PASSWORD) -> dict:
    return {
        "bootstrap_servers": broker.sasl_address,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanisms": "PLAIN",
        "sasl_username": USER,
        "sasl_password": password,
    }


def test_a_user_who_may_not_write_the_topic(db, broker, topic, relay):
    each = relay(**login(broker))
    db.fill(300)
    each.wait_for_line("do:allow the relay's user to Describe and Write")
    assert read_topic(broker.address, topic) == []
    broker.allow(topic, "DESCRIBE")
    wait_for(
        lambda: each.text().count("sends,") > 0, 60, "the topic to be seen"
    )
    assert db.mark() == 0
    broker.allow(topic, "WRITE")
    db.wait_until_relayed()
    check_against(read_topic(broker.address, topic), db.messages())


def test_a_wrong_password_is_named_and_never_written(
    db, broker, topic, relay
):
    each = relay(**login(broker, "Geheim-of-the-test"))
    db.fill(10)
    each.wait_for_line("do:check security.protocol, sasl.mechanisms")
    assert db.mark() == 0
    assert "Geheim" not in each.text()
    each.kill()

    relay("second", **login(broker))
    broker.allow(topic, "DESCRIBE", "WRITE")
    db.wait_until_relayed()
