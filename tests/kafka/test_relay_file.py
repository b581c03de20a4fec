"""The relay's file: what would break the order or lose a message is refused
before anything is sent.
"""

import subprocess

import pytest
from rig.relay import RELAY

GOOD = {
    "bootstrap.servers": "127.0.0.1:9",
    "relay.database": "dbname=payments",
    "relay.topic": "payments",
}


@pytest.fixture(name="check")
def checked(tmp_path):
    """check(mode=0o640, **lines) → exit code and stderr of --check."""

    def run(settings: dict, more: str = "", mode: int = 0o640):
        file = tmp_path / "relay.conf"
        lines = [f"{key}={value}" for key, value in settings.items()]
        file.write_text("\n".join([*lines, more]) + "\n")
        file.chmod(mode)
        done = subprocess.run(
            [RELAY, "--check", file],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stderr

    return run


def test_a_file_with_comments_and_settings_of_librdkafka_is_taken(check):
    more = "# a comment\n\n  compression.type = lz4  \nacks=all"
    assert check(GOOD, more) == (0, "")


@pytest.mark.parametrize(
    "line, words",
    [
        ("acks=1", "acks is always all"),
        ("enable.idempotence=false", "enable.idempotence is always true"),
        ("message.timeout.ms=5000", "message.timeout.ms is always 0"),
        ("delivery.timeout.ms=5000", "the relay's own matter"),
        ("transactional.id=x", "the relay's own matter"),
        ("enable.gapless.guarantee=false", "is always true"),
        ("no.such.key=1", "refuses the value or the key no.such.key"),
        ("linger.ms=never", "refuses the value or the key linger.ms"),
        ("relay.color=red", "no key relay.color"),
        ("relay.batch=0", "relay.batch is a number from 1 to 10000"),
        ("relay.batch=10001", "relay.batch is a number from 1 to 10000"),
        ("relay.batch=7x", "relay.batch is a number from 1 to 10000"),
        ("relay.lease_ms=999", "relay.lease_ms is a number"),
        ("relay.topic=" + "t" * 250, "longer than 249 bytes"),
        ("relay.topic=", "relay.topic or relay.name is missing"),
        ("partitioner=random", "would scatter the messages of a key"),
        ("relay.database=host", "no connection string of libpq"),
        ("a line", "a line is key=value"),
        ("x" * 3000, "the line is too long"),
        ("max.in.flight=10", "librdkafka refuses the configuration"),
    ],
)
def test_a_line_is_refused(check, line, words):
    code, said = check(GOOD, line)
    assert code == 1
    assert words in said


def test_without_brokers_it_is_refused(check):
    code, said = check({"relay.topic": "payments"})
    assert code == 1
    assert "bootstrap.servers is missing" in said


def test_a_file_that_all_users_may_read_is_refused(check):
    code, said = check(GOOD, mode=0o644)
    assert code == 1
    assert "open to all users" in said


@pytest.mark.parametrize(
    "line", ["linger.ms=Geheim", "relay.database=host=x passwort=Geheim"]
)
def test_a_refused_value_is_not_written(check, line):
    code, said = check(GOOD, line)
    assert (code, "Geheim" in said) == (1, False)


@pytest.mark.parametrize("words", [[], ["--check"], ["a", "b"], ["--no"]])
def test_other_calls_get_the_usage(words):
    done = subprocess.run(
        [RELAY, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage: payments-relay")


def test_a_missing_file_is_named():
    done = subprocess.run(
        [RELAY, "/nowhere/relay.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "/nowhere/relay.conf: No such file" in done.stderr
