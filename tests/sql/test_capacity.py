"""payctl capacity: the table of docs/sizing.md, the rate and the sizes of a
database that has some, and mistakes.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import json
import re
import subprocess
import uuid

import migrated
import psycopg2
import pytest

TIMES = {"million": 10**6}
# 70 payments an hour ago, 60 of them in one minute
ROLLED = """
INSERT INTO pay.rollup (level, merchant_id, bucket, psp, method, currency,
    success, failed, expired, not_started, executing, captured_minor,
    not_started_minor, executing_minor, approved, declined, declines,
    registered, called)
SELECT l.level, 'm', date_trunc(l.level, now() - interval '1 hour'), 'stripe',
    '-', 'EUR', l.n - 4, 1, 1, 1, 1, 0, 0, 0, 0, 0, '{}', '{}', '{}'
FROM (VALUES ('hour', 70), ('minute', 60)) l (level, n)
"""


@pytest.fixture(scope="module", name="name")
def database():
    name = f"pay_capacity_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    yield name
    subprocess.run(["dropdb", "--force", name], check=True)


def capacity(name: str, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [migrated.PAYCTL, "capacity", "--dsn", f"dbname={name}", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def figures(name: str, *words: str) -> dict[str, tuple[float, str]]:
    rows = json.loads(capacity(name, *words, "-o", "json"))
    return {each["figure"]: (float(each["value"]), each["source"])
            for each in rows}  # fmt: skip


def number(text: str) -> float:
    word, _, times = text.strip().replace(",", "").partition(" ")
    return float(word) * TIMES.get(times, 1)


def table() -> list[list[float]]:
    text = (migrated.ROOT / "docs/sizing.md").read_text()
    rows = re.findall(r"^\| ([0-9][^|]*)((?:\| [0-9.]+ ){5})\|", text, re.M)
    return [
        [number(day), *map(number, rest.split("|")[1:])] for day, rest in rows
    ]


def test_the_table_of_the_document_is_calculated(name):
    assert len(table()) == 6
    for day, peak, disk, wal, postgres, nginx in table():
        words = ["--second", f"{peak:.0f}"] if day > 10**7 else []
        found = figures(name, "--day", f"{day:.0f}", *words)
        assert found["payments in the busiest second"][0] == peak
        assert found["disk a year"][0] == disk
        assert found["WAL a day"][0] == wal
        assert found["cores of PostgreSQL"][0] == postgres
        assert found["cores of nginx"][0] == nginx


def test_a_database_with_payments_says_how_large_they_are(name):
    assert figures(name)["payments a day"] == (0, "here")
    with psycopg2.connect(dbname=name) as made, made.cursor() as cursor:
        cursor.execute(ROLLED)
        cursor.execute("UPDATE pg_class SET reltuples = 20000"
                       " WHERE oid = 'pay.checkout'::regclass")  # fmt: skip
    made.close()
    found = figures(name)
    assert found["payments stored"] == (20000, "here")
    assert found["payments a day"] == (10, "here")
    assert found["payments in the busiest second"] == (1, "here")
    size, source = found["disk of a payment"]
    assert (0 < size < 8000, source) == (True, "here")
    assert figures(name, "--day", "100")["payments in the busiest second"] == (
        0.01, "ten times the mean",
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [["--day", "x"], ["--day", ""], ["--second", "1.2.3"], ["--day", "-1"],
     ["--second", "."], ["--day", "9999999999999"]],
)  # fmt: skip
def test_a_rate_is_a_number(name, words):
    assert "take a number" in capacity(name, *words, code=2)


def test_an_auditor_may_ask(name):
    with psycopg2.connect(dbname=name) as made, made.cursor() as cursor:
        cursor.execute("SET ROLE payments_auditor")
        cursor.execute("SELECT count(*) FROM pay_view.capacity()")
        assert cursor.fetchone() == (11,)
    made.close()
