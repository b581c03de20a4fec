"""Words of PSPs that reach two connections at once, in transactions that are
really open.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import os
import pathlib
import subprocess
import threading
import time
import uuid

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))

BEGIN = """SELECT outcome FROM pay_api.begin_payment('{m}', %(c)s,
    ARRAY[sha256('b')], %(c)s, ARRAY[gen_random_uuid()::text], %(c)s,
    '{stripe}', %(c)s, '{u}', '{u}', '{NULL}', '{NULL}', '{NULL}', '{USD}',
    '{100}', '{1900000000}', '{1}', ARRAY[%(o)s], '{s}', '{100}', '{NULL}',
    '{60}', '{60}',
    '{r}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}')"""
TOKEN = """SELECT outcome FROM pay_api.store_token('{m}', %(c)s, '{stripe}',
    %(c)s, '{NULL}', '{u}', '{1}', '{r}')"""
PAID = """SELECT outcome FROM pay_api.apply_event('{stripe}', '{webhook}',
    %(c)s, '{t}', '{paid}', %(c)s, '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    '{NULL}', '{r}')"""
DISPUTE = """SELECT outcome FROM pay_api.apply_change('{stripe}', '{webhook}',
    %(e)s, '{t}', '{dispute}', '{opened}', %(c)s, '{NULL}', '{dp-1}',
    '{NULL}', '{100}', '{USD}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    '{r}')"""


@pytest.fixture(name="connect")
def connections():
    """Makes connections to a database of its own."""
    name = f"pay_news_{uuid.uuid4().hex[:12]}"
    subprocess.run(["createdb", "-T", "template0", name], check=True)
    subprocess.run(
        [PAYCTL, "migrate", "--dsn", f"dbname={name}", "--sql", ROOT / "sql"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    made = []

    def connect():
        made.append(psycopg2.connect(dbname=name))
        return made[-1].cursor()

    yield connect
    for connection in made:
        connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)


def call(cursor, query, checkout):
    """The outcome of one operation about one checkout."""
    cursor.execute(
        query,
        {"c": [checkout], "o": f"o-{checkout}", "e": [f"evt-{checkout}"]},
    )
    return cursor.fetchone()[0]


def wait_until_blocked(cursor, pid):
    deadline = time.monotonic() + 30
    while True:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", (pid,))
        if cursor.fetchone()[0]:
            return
        assert time.monotonic() < deadline, "it does not wait"


@pytest.mark.parametrize(
    "ends, outcome", [("commit", "mismatch"), ("rollback", "applied")]
)
def test_a_dispute_of_two_checkouts_at_once_is_one_s(connect, ends, outcome):
    first, second, other = connect(), connect(), connect()
    for checkout in ("a", "b"):
        for query in (BEGIN, TOKEN, PAID):
            call(first, query, checkout)
    first.connection.commit()
    assert call(first, DISPUTE, "a") == "applied"

    heard = []
    late = threading.Thread(
        target=lambda: heard.append(call(second, DISPUTE, "b"))
    )
    late.start()
    wait_until_blocked(other, second.connection.info.backend_pid)
    getattr(first.connection, ends)()
    late.join(30)
    assert heard == [outcome]
    second.connection.commit()

    other.connection.rollback()
    other.execute(
        "SELECT string_agg(o.checkout_id || o.charged_back_minor, ' '"
        " ORDER BY o.checkout_id), (SELECT string_agg(m.checkout_id || m.why"
        ", ' ') FROM pay.mismatch m) FROM pay.payment_order o"
    )
    assert other.fetchone() == (
        ("a100 b0", "bunknown") if ends == "commit" else ("a0 b100", None)
    )
