"""The relay to Kafka: every message arrives, each key keeps its order, and what
comes twice has the same id.
"""

import json
import subprocess

from rig.topic import check_against, copies, read_topic
from support.waiting import wait_for

HOLD = "SELECT FROM pay.message_reader WHERE name = 'kafka' FOR UPDATE"


def test_all_messages_arrive_once_and_each_key_keeps_its_order(
    db, broker, topic, relay
):
    db.sell(60)
    db.publish()
    db.fill(2000)
    relay()
    db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    assert copies(records) == 0
    assert len({record.partition for record in records}) == 8


def test_what_is_published_later_arrives_without_a_restart(
    db, broker, topic, relay
):
    relay().wait_for_line("sends")
    for _ in range(3):
        db.sell(5)
        db.publish()
        db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    # paid, and the completion of the checkout
    assert len(records) == 30


def test_a_queue_smaller_than_a_batch_is_waited_for(
    db, broker, topic, relay
):
    db.fill(3000)
    relay(queue_buffering_max_messages="30")
    db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    assert copies(records) == 0


def test_kcat_reads_a_cloud_event_with_its_key_and_headers(
    db, broker, topic, relay
):
    db.sell(1)
    db.publish()
    relay()
    db.wait_until_relayed()
    out = subprocess.run(
        ["kcat", "-C", "-b", broker.address, "-t", topic, "-e", "-q", "-J"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    found = {}
    for line in out.splitlines():
        read = json.loads(line)
        headers = read["headers"]
        pairs = dict(zip(headers[::2], headers[1::2], strict=True))
        found[pairs["ce_type"]] = (read["key"], pairs, read["payload"])
    key, headers, payload = found["payment.succeeded"]
    assert key == "m/payment/o0"
    assert headers["content-type"].startswith("application/cloudevents+json")
    event = json.loads(payload)
    assert event["specversion"] == "1.0"
    assert event["id"] == headers["ce_id"]
    assert event["data"]["payment"]["amount"] == "1.00"


def test_the_bytes_are_those_of_the_log(db, broker, topic, relay):
    db.sell(3)
    db.publish()
    relay()
    db.wait_until_relayed()
    out = subprocess.run(
        ["kcat", "-C", "-b", broker.address, "-t", topic, "-e", "-q"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    bodies = [body for (body,) in db.sql("SELECT body FROM pay.message")]
    assert sorted(out.splitlines()) == sorted(bodies)


def test_after_kill_9_of_the_relay_before_its_mark_ids_come_twice(
    db, broker, topic, relay
):
    """The mark waits for a lock of the test: all reports are in by then."""
    first = relay()
    first.wait_for_line("sends")
    holder = db.connect()
    holder.autocommit = False
    with holder.cursor() as cursor:
        cursor.execute(HOLD)
        db.fill(150)
        wait_for(
            lambda: len(read_topic(broker.address, topic)) == 150,
            120,
            "the first copies",
        )
        first.kill()
        # which the server would not notice before its update is through
        db.forget_relays()
        assert db.mark() == 0
    holder.rollback()
    holder.close()

    relay("second")
    db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    assert copies(records) == 150


def test_kill_9_of_the_relay_again_and_again_loses_nothing(
    db, broker, topic, relay
):
    db.fill(30000)
    for n in range(4):
        here = db.mark()
        each = relay(f"relay-{n}", relay_lease__ms=1000)
        wait_for(lambda: db.mark() > here, 120, "a mark")
        each.kill()
    relay("last")
    db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    # a window of each relay at most
    assert copies(records) <= 4 * 4 * 200


def test_a_graceful_stop_marks_all_and_gives_the_lease_back(
    db, broker, topic, relay
):
    db.fill(5000)
    first = relay()
    wait_for(lambda: db.mark() > 0, 120, "a mark")
    assert first.stop() == 0
    assert db.owner() is None
    relay("second")
    db.wait_until_relayed()
    assert copies(read_topic(broker.address, topic)) == 0


def test_of_two_relays_one_sends_and_the_other_takes_over(
    db, broker, topic, relay
):
    first = relay("first")
    first.wait_for_line("holds the lease")
    second = relay("second")
    db.fill(3000)
    db.wait_until_relayed()
    assert "holds the lease" not in second.text()
    assert copies(read_topic(broker.address, topic)) == 0

    first.kill()
    db.fill(3000)
    db.wait_until_relayed()
    assert "holds the lease" in second.text()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())


def test_a_relay_that_lost_its_lease_while_it_stood_still_is_fenced(
    db, broker, topic, relay
):
    """It stops with messages on their way; the other one sends them, too, and
    their first copies are in order."""
    first = relay("first")
    first.wait_for_line("holds the lease")
    db.fill(20000)
    wait_for(lambda: db.mark() > 0, 120, "a mark")
    first.freeze()
    second = relay("second")
    second.wait_for_line("holds the lease")
    wait_for(lambda: second.text().count("sends"), 120, "the second")
    first.thaw()
    first.wait_for_line("lost the lease")
    db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    assert copies(records) <= 4 * 200


def test_a_lease_that_is_taken_in_the_middle_ends_the_sending(
    db, broker, topic, relay
):
    first = relay()
    first.wait_for_line("holds the lease")
    db.fill(20000)
    wait_for(lambda: db.mark() > 0, 120, "a mark")
    db.sql(
        "UPDATE pay.message_reader SET owner = 'another',"
        " until = clock_timestamp() + interval '2 s'"
    )
    first.wait_for_line("lost the lease")
    db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())


def test_postgresql_may_restart(db, cluster, broker, topic, relay):
    each = relay()
    db.fill(10000)
    wait_for(lambda: db.mark() > 0, 120, "a mark")
    cluster.stop()
    each.wait_for_line("PostgreSQL is out of reach")
    cluster.start()
    db.link = db.connect()
    db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    # of the call, and of the connections after it
    assert each.text().count("out of reach") <= 2


def test_a_server_that_has_less_of_the_log_is_followed(
    db, broker, topic, relay
):
    """After a failover without its last commits positions are given anew: the
    messages there were taken for those that had been sent."""
    relay()
    db.fill(100)
    db.wait_until_relayed()
    # as the standby has it
    db.sql(
        "DELETE FROM pay.message WHERE position > 40;"
        "UPDATE pay.message_place SET position = 40;"
        "UPDATE pay.message_reader SET position = 40"
    )
    db.forget_relays()
    db.sell(20)
    db.publish()
    db.wait_until_relayed()
    sold = [id_ for id_, key, _ in db.messages() if "/x" not in key]
    assert len(sold) == 40
    wait_for(
        lambda: {*sold} <= {r.id for r in read_topic(broker.address, topic)},
        120,
        "the new messages",
    )
