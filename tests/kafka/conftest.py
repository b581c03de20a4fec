"""Fixtures: one broker and one PostgreSQL for all tests, and a database, a
topic and relays for each.

The broker is a real one (rig/broker.py), started and stopped by the tests as
PostgreSQL is.
"""

import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

import pytest  # noqa: E402
from rig import broker as brokers  # noqa: E402
from rig import database as databases  # noqa: E402
from rig.receivers import Receivers  # noqa: E402
from rig.relay import LEASE_MS, Relay  # noqa: E402


@pytest.fixture(scope="session")
def session_broker():
    with brokers.broker() as made:
        yield made


@pytest.fixture
def broker(session_broker):
    """It is up, whatever the test before did to it."""
    if not session_broker.is_alive():
        session_broker.start()
    return session_broker


@pytest.fixture(scope="session")
def cluster():
    with databases.cluster() as made:
        yield made


@pytest.fixture
def db(cluster):
    with databases.database(cluster) as made:
        yield made


@pytest.fixture
def topic_name():
    """Of a topic that is not there yet."""
    return f"payments-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def topic(broker, topic_name):
    broker.create_topic(topic_name)
    return topic_name


@pytest.fixture
def relay(broker, db, topic_name, tmp_path):
    """relay(name="relay", **settings) → one that is started; "_" in the name
    of a setting is ".", "__" is "_"."""
    made = []

    def start(name: str = "relay", **settings) -> Relay:
        wanted = {
            "bootstrap.servers": broker.address,
            "relay.database": db.dsn("payments_relay"),
            "relay.topic": topic_name,
            "relay.lease_ms": LEASE_MS,
            "relay.poll_ms": 20,
            "relay.batch": 200,
        }
        for key, value in settings.items():
            key = key.replace("__", "\0").replace("_", ".")
            wanted[key.replace("\0", "_")] = value
        made.append(Relay(tmp_path, name, wanted))
        return made[-1].start()

    yield start
    for each in made:
        each.close()
        assert "Sanitizer" not in each.text()
        assert "runtime error" not in each.text()


@pytest.fixture
def receivers(broker, topic, tmp_path):
    """Two of one group."""
    made = Receivers(broker.address, topic, tmp_path)
    made.start("one")
    made.start("two")
    yield made
    made.close()
