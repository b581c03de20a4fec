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

import migrated
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
REPLAY = """
INSERT INTO pay.webhook_inbox (psp, event_id, state, fact, digest)
VALUES ('stripe', 'evt-2', 'ignored', 'none', sha256('b'));
INSERT INTO pay.webhook_replay (psp, event_id, digest, asked_by, why)
VALUES ('stripe', 'evt-2', sha256('b'), 'ann', 'because')"""
# a replay of evt-2 and a webhook evt-1, in one batch
EVENTS = """SELECT string_agg(outcome, ' ' ORDER BY item)
FROM pay_api.apply_event('{stripe,stripe}', '{replay,webhook}',
    '{evt-2,evt-1}', '{t,t}', '{paid,paid}', '{a,b}', '{NULL,NULL}',
    '{NULL,NULL}', '{NULL,NULL}', '{NULL,NULL}',
    ARRAY[sha256('b'), sha256('c')], '{r,r}')"""
CHANGES = """SELECT string_agg(outcome, ' ' ORDER BY item)
FROM pay_api.apply_change('{stripe,stripe}', '{replay,webhook}',
    '{evt-2,evt-1}', '{t,t}', '{dispute,dispute}', '{opened,opened}',
    '{a,b}', '{NULL,NULL}', '{dp-1,dp-2}', '{NULL,NULL}', '{100,100}',
    '{USD,USD}', '{NULL,NULL}', '{NULL,NULL}', '{NULL,NULL}',
    ARRAY[sha256('b'), sha256('c')], '{r,r}')"""


@pytest.fixture(name="connect")
def connections():
    """Makes connections to a database of its own."""
    name = f"pay_news_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
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


def test_the_end_of_a_payment_finds_the_job_that_a_recovery_moves(connect):
    """It removes the job by its address: a recovery that moved it without the
    lock of the checkout left a job to a payment that was over."""
    first, second, other = connect(), connect(), connect()
    for query in (BEGIN, TOKEN):
        call(first, query, "a")
    first.connection.commit()
    second.execute(
        "SELECT pay_ops.begin_recovery(now() - interval '1 hour', 'ann')"
    )
    assert second.fetchone() == ("begun",)

    heard = []
    late = threading.Thread(
        target=lambda: heard.append(call(first, PAID, "a"))
    )
    late.start()
    wait_until_blocked(other, first.connection.info.backend_pid)
    second.connection.commit()
    late.join(30)
    assert heard == ["applied"]
    first.connection.commit()

    other.connection.rollback()
    other.execute("SELECT count(*) FROM pay.job")
    assert other.fetchone() == (0,)


@pytest.mark.parametrize(
    "query, before", [(EVENTS, (BEGIN, TOKEN)), (CHANGES, (BEGIN, TOKEN, PAID))]
)
def test_a_replay_waits_for_no_lower_key_while_it_holds_a_row(
    connect, query, before
):
    """A batch that stores evt-1 and then evt-2 would wait for the row of
    evt-2, and this one for it: a deadlock."""
    first, second, other = connect(), connect(), connect()
    for checkout in ("a", "b"):
        for each in before:
            call(first, each, checkout)
    first.execute(REPLAY)
    first.connection.commit()
    first.execute(
        "INSERT INTO pay.webhook_inbox (psp, event_id, state, fact)"
        " VALUES ('stripe', 'evt-1', 'ignored', 'none')"
    )

    heard = []

    def late_call():
        second.execute(query)
        heard.append(second.fetchone()[0])

    late = threading.Thread(target=late_call)
    late.start()
    wait_until_blocked(other, second.connection.info.backend_pid)
    other.execute(
        "SELECT state FROM pay.webhook_inbox WHERE event_id = 'evt-2'"
        " FOR UPDATE NOWAIT"
    )
    assert other.fetchone() == ("ignored",)
    other.connection.rollback()
    first.connection.rollback()
    late.join(30)
    assert heard == ["applied applied"]
