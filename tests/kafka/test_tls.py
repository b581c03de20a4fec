"""TLS to the broker: messages arrive over it; a certificate of another CA or of
another host stops the relay before it sends anything, the log says so, and the
rows are sent after the mend.
"""

import pytest
from rig.broker import PASSWORD, USER
from rig.certificates import Authority
from rig.topic import check_against, copies, read_topic
from support.waiting import wait_for


def over_tls(broker, ca=None, port=None, **more) -> dict:
    """librdkafka's settings: this CA is trusted, and no other one."""
    return {
        "bootstrap_servers": f"localhost:{port or broker.tls}",
        "broker_address_family": "v4",
        "security_protocol": "SSL",
        "ssl_ca_location": ca or broker.authority.file,
    } | more


def with_login(broker) -> dict:
    return over_tls(
        broker,
        port=broker.both,
        security_protocol="SASL_SSL",
        sasl_mechanisms="PLAIN",
        sasl_username=USER,
        sasl_password=PASSWORD,
    )


def refused(db, broker, topic, each) -> str:
    """Nothing was sent; the line that says why."""
    line = each.wait_for_line("code:_SSL")
    wait_for(lambda: db.owner(), 120, "a claim")
    assert db.mark() == 0
    assert read_topic(broker.address, topic) == []
    assert line.startswith("payments-relay: error: ")
    assert "certificate verify failed" in line
    assert "do:check ssl.ca.location, and that the broker's certificate" in line
    return line


def sent_after_the_mend(db, broker, topic, relay, settings) -> None:
    relay("mended", **settings)
    db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    assert copies(records) == 0


def test_messages_arrive_over_tls(db, broker, topic, relay):
    each = relay(**over_tls(broker))
    db.fill(2000)
    db.wait_until_relayed()
    records = read_topic(broker.address, topic)
    check_against(records, db.messages())
    assert copies(records) == 0
    assert "error" not in each.text()


def test_messages_arrive_over_tls_with_a_login(db, broker, topic, relay):
    broker.allow(topic, "DESCRIBE", "WRITE")
    each = relay(**with_login(broker))
    db.fill(2000)
    db.wait_until_relayed()
    check_against(read_topic(broker.address, topic), db.messages())
    assert PASSWORD not in each.text()


def test_a_ca_that_has_not_signed_the_brokers_certificate(
    db, broker, topic, relay, tmp_path
):
    stranger = Authority(tmp_path, "stranger")
    db.fill(300)
    each = relay(**over_tls(broker, ca=stranger.file))
    refused(db, broker, topic, each)
    assert each.is_alive()
    each.kill()
    sent_after_the_mend(db, broker, topic, relay, over_tls(broker))


def test_a_certificate_of_another_host(db, broker, topic, relay):
    """Its CA is trusted: whoever holds any certificate of it could read all."""
    db.fill(300)
    each = relay(**over_tls(broker, port=broker.other))
    refused(db, broker, topic, each)
    assert each.is_alive()
    each.kill()
    sent_after_the_mend(db, broker, topic, relay, over_tls(broker))


def test_a_broker_that_is_mended_is_heard_without_a_restart(
    db, broker, topic, relay
):
    """Its certificate of another host goes, as when it is renewed."""
    right = broker.authority.place / "localhost.pem"
    wrong = broker.authority.place / "other.example.pem"
    kept = wrong.read_text()
    db.fill(300)
    each = relay(**over_tls(broker, port=broker.other))
    refused(db, broker, topic, each)
    try:
        wrong.write_text(right.read_text())
        broker.stop()
        broker.start()
        db.wait_until_relayed(120)
        check_against(read_topic(broker.address, topic), db.messages())
    finally:
        wrong.write_text(kept)
        broker.stop()
        broker.start()
    assert each.text().count("code:_SSL") == 1


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_plain_text_to_a_listener_with_tls(db, broker, topic, relay, protocol):
    """TLS was forgotten in the file, and the reason of librdkafka says so."""
    settings = with_login(broker) | {"security_protocol": protocol}
    db.fill(100)
    each = relay(**settings)
    each.wait_for_line("security.protocol")
    assert db.mark() == 0
    assert PASSWORD not in each.text()
    each.kill()
    broker.allow(topic, "DESCRIBE", "WRITE")
    sent_after_the_mend(db, broker, topic, relay, with_login(broker))
