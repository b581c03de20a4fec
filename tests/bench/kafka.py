"""How many messages a second the relay brings from a filled log into a broker,
on a PostgreSQL and a broker of its own.  Run by build/venv's Python, which has
a client of Kafka (ci/install --python --kafka).

Usage: kafka.py [MESSAGES].  Prints one JSON object.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/kafka"), str(ROOT / "tests/integration")]

from rig import broker as brokers  # noqa: E402
from rig import database as databases  # noqa: E402
from rig.relay import Relay  # noqa: E402
from support.waiting import wait_for  # noqa: E402

SUBJECTS = 5000
PAD = 330  # with it a body is as long as that of a payment, some 600 bytes


def settings(broker, db, topic: str) -> dict:
    return {
        "bootstrap.servers": broker.address,
        "relay.database": db.dsn("payments_relay"),
        "relay.topic": topic,
    }


def cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / 100


def timed(broker, db, topic: str, place: Path, count: int) -> dict:
    relay = Relay(place, topic, settings(broker, db, topic))
    end = db.end()
    db.fill(count, SUBJECTS, PAD)
    began = time.monotonic()
    relay.start()
    try:
        wait_for(lambda: db.mark() >= end + count, 600, "the last mark")
        seconds = time.monotonic() - began
        return {
            "kafka_events": count,
            "kafka_events_per_second": round(count / seconds),
            "kafka_relay_cpu_us": round(
                cpu_s(relay.process.pid) / count * 1e6, 1
            ),
            "kafka_relay_mb": round(relay.rss_kb() / 1024, 1),
        }
    finally:
        relay.stop()


def main(count: int) -> dict:
    with (
        brokers.broker() as broker,
        databases.cluster() as cluster,
        databases.database(cluster) as db,
        tempfile.TemporaryDirectory() as place,
    ):
        broker.create_topic("payments")
        # the broker's JVM compiles its way through a first round
        timed(broker, db, "payments", Path(place), count // 10)
        return timed(broker, db, "payments", Path(place), count)


if __name__ == "__main__":
    print(json.dumps(main(int((*sys.argv[1:], 200000)[0]))))
