"""What a topic holds, read by a consumer that belongs to no group."""

import dataclasses
import json
import time

from confluent_kafka import Consumer, KafkaError, TopicPartition


@dataclasses.dataclass(frozen=True)
class Record:
    partition: int
    offset: int
    key: str
    headers: dict
    event: dict

    @property
    def id(self) -> str:
        return self.event["id"]

    @property
    def sequence(self) -> int:
        return int(self.event["sequence"])


def record(message) -> Record:
    return Record(
        message.partition(),
        message.offset(),
        message.key().decode(),
        {key: value.decode() for key, value in message.headers() or []},
        json.loads(message.value()),
    )


def read_topic(address: str, topic: str, deadline: float = 120) -> list[Record]:
    """All that the topic holds now: each partition's records in order."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "none",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
        }
    )
    try:
        return list(_read(consumer, topic, time.monotonic() + deadline))
    finally:
        consumer.close()


def _read(consumer, topic: str, limit: float):
    """Each partition is read until the broker says that it has ended: a mark
    of the end that was asked for before could be an older one."""
    found = consumer.list_topics(topic, 30).topics[topic]
    assert found.error is None, found.error
    open_ones = set(found.partitions)
    assert open_ones, "a topic has partitions"
    consumer.assign([TopicPartition(topic, n, 0) for n in open_ones])
    while open_ones:
        assert time.monotonic() < limit, f"the ends of partitions {open_ones}"
        for message in consumer.consume(1000, 0.2):
            error = message.error()
            if error is None:
                yield record(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                open_ones.discard(message.partition())


def first_copies(records: list[Record]) -> list[Record]:
    """As a receiver sees them that knows ids again."""
    seen = set()
    return [r for r in records if not (r.id in seen or seen.add(r.id))]


def copies(records: list[Record]) -> int:
    """How many are repetitions."""
    return len(records) - len({r.id for r in records})


def check_against(records: list[Record], messages: list[tuple]) -> None:
    """Nothing is missing, nothing is foreign, each key is in one partition
    and in its order, and a repetition has the same content."""
    wanted = {id_: (key, sequence) for id_, key, sequence in messages}
    contents = {}
    for each in records:
        assert contents.setdefault(each.id, each.event) == each.event
        assert wanted[each.id] == (each.key, each.sequence)
        assert each.headers["ce_id"] == each.id
        assert each.headers["ce_type"] == each.event["type"]
    missing = [(n, *m) for n, m in enumerate(messages) if m[0] not in contents]
    assert missing == [], "messages are missing"
    places, last = {}, {}
    for each in first_copies(records):
        assert places.setdefault(each.key, each.partition) == each.partition
        assert each.sequence == last.get(each.key, 0) + 1, each.key
        last[each.key] = each.sequence
