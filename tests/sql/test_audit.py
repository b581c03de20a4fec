"""The event log with real transactions: writers that hold theirs open, a sealer
beside them, partitions made while events are written, and a log that was
there before it was chained.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import threading
import time
import uuid

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
CHECKS = [
    path
    for path in sorted((ROOT / "sql" / "checks").iterdir())
    if path.stem.startswith(("event_", "seal_", "status_history"))
]

BEGIN = """SELECT outcome FROM pay_api.begin_payment(%(m)s, %(k)s,
    ARRAY(SELECT sha256(k::bytea) FROM unnest(%(k)s) k), %(k)s,
    ARRAY(SELECT gen_random_uuid()::text FROM unnest(%(k)s)), %(k)s,
    %(stripe)s, %(k)s, %(k)s, %(k)s, %(none)s::jsonb[], %(none)s::jsonb[],
    %(none)s::jsonb[], %(usd)s, %(one)s, %(late)s,
    ARRAY(SELECT generate_series(1, cardinality(%(k)s))::bigint), %(k)s,
    %(k)s, %(one)s, %(none)s, %(one)s, %(one)s, %(k)s, %(none)s, %(none)s,
    %(none)s, %(none)s, %(none)s::jsonb[])"""
TOKEN = """SELECT outcome FROM pay_api.store_token(%(m)s, %(k)s, %(stripe)s,
    %(k)s, %(none)s, %(k)s, %(one)s, %(k)s)"""
PAID = """SELECT outcome FROM pay_api.apply_event(%(stripe)s, %(hook)s, %(k)s,
    %(k)s, %(paid)s, %(k)s, %(none)s, %(none)s, %(none)s::bigint[], %(none)s,
    %(none)s::bytea[], %(k)s)"""


def migrate(dsn, sql):
    subprocess.run(
        [PAYCTL, "migrate", "--dsn", dsn, "--sql", str(sql)],
        check=True,
        capture_output=True,
        timeout=120,
    )


@pytest.fixture(name="dsn")
def database():
    """An empty database."""
    name = f"pay_audit_{uuid.uuid4().hex[:12]}"
    admin = psycopg2.connect("dbname=postgres")
    admin.autocommit = True
    admin.cursor().execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield f"dbname={name}"
    admin.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture(name="connect")
def connections(dsn):
    """Makes connections that are closed at the end."""
    made = []

    def connect(autocommit=True):
        connection = psycopg2.connect(dsn, options="-c jit=off")
        connection.autocommit = autocommit
        made.append(connection)
        return connection.cursor()

    yield connect
    for connection in made:
        connection.close()


def call(cursor, query, keys, merchant="m1"):
    """One operation for these orders; returns the outcomes."""
    n = len(keys)
    cursor.execute(
        query,
        {
            "k": list(keys),
            "m": [merchant] * n,
            "stripe": ["stripe"] * n,
            "none": [None] * n,
            "usd": ["USD"] * n,
            "one": [1] * n,
            "late": [1900000000] * n,
            "hook": ["webhook"] * n,
            "paid": ["paid"] * n,
        },
    )
    return [row[0] for row in cursor.fetchall()]


def seal(cursor, owner="w1"):
    """One seal, signed: its number, or the outcome."""
    cursor.execute(
        "SELECT outcome, number, message FROM pay_api.begin_seal("
        "ARRAY[%s], '{0}', '{60000}')",
        (owner,),
    )
    outcome, number, message = cursor.fetchone()
    if outcome != "due":
        return outcome
    cursor.execute(
        "SELECT outcome FROM pay_api.end_seal(ARRAY[%s], '{key}', ARRAY[%s])",
        (number, hashlib.sha512(message.encode()).digest()),
    )
    assert cursor.fetchone() == ("stored",)
    return number


def sealed(cursor):
    """The number of the next seal.  What runs in any database of the cluster
    may be in its way for a moment."""
    deadline = time.monotonic() + 60
    while (number := seal(cursor)) == "not_due":
        assert time.monotonic() < deadline
    return number


def leaves(cursor, number):
    cursor.execute(
        "SELECT payment_order_id, seq FROM pay.seal_leaf"
        " WHERE number = %s ORDER BY position",
        (number,),
    )
    return cursor.fetchall()


def assert_sound(cursor):
    """No check about events and seals has a row."""
    assert len(CHECKS) >= 9
    for check in CHECKS:
        cursor.execute(check.read_text())
        assert cursor.fetchall() == [], check.stem


def test_a_seal_ends_before_what_is_still_open(dsn, connect):
    migrate(dsn, ROOT / "sql")
    early, late, sealer = connect(False), connect(), connect()
    assert call(early, BEGIN, ["a"]) == ["created"]
    assert call(late, BEGIN, ["b"]) == ["created"]
    # b is committed, but its transaction is younger than one that is open
    assert seal(sealer) == "not_due"
    early.connection.commit()
    assert sealed(sealer) == 1
    assert leaves(sealer, 1) == [("a", 1), ("b", 1)]
    assert_sound(sealer)


def test_what_is_rolled_back_is_in_no_seal(dsn, connect):
    migrate(dsn, ROOT / "sql")
    writer, sealer = connect(False), connect()
    call(writer, BEGIN, ["a"])
    writer.connection.rollback()
    assert seal(sealer) == "not_due"
    call(writer, BEGIN, ["b"])
    writer.connection.commit()
    assert sealed(sealer) == 1
    assert leaves(sealer, 1) == [("b", 1)]


def test_transactions_that_took_turns_seal_in_the_timelines_order(dsn, connect):
    migrate(dsn, ROOT / "sql")
    old, new, third, sealer = (connect(False) for _ in range(4))
    sealer.connection.autocommit = True
    call(new, BEGIN, ["a"])
    new.connection.commit()
    old.execute("SELECT pg_current_xact_id()")
    third.execute("SELECT pg_current_xact_id()")
    assert call(new, TOKEN, ["a"]) == ["stored"]
    new.connection.commit()
    assert call(old, PAID, ["a"]) == ["applied"]
    old.connection.commit()
    # old is complete and new is younger than third: no seal may end between
    # the two
    assert sealed(sealer) == 1
    assert leaves(sealer, 1) == [("a", 1)]
    third.connection.commit()
    assert sealed(sealer) == 2
    assert leaves(sealer, 2) == [("a", 3)]
    sealer.execute(
        "SELECT bool_and(tx >= before) FROM (SELECT tx,"
        " lag(tx, 1, 0::bigint) OVER (ORDER BY seq) AS before"
        " FROM pay.event) e"
    )
    assert sealer.fetchone() == (True,)
    assert_sound(sealer)


def test_a_killed_sealer_leaves_the_same_message(dsn, connect):
    migrate(dsn, ROOT / "sql")
    writer, sealer = connect(), connect(False)
    call(writer, BEGIN, ["a"])
    claim = (
        "SELECT number, message FROM pay_api.begin_seal('{w}', '{0}', '{1}')"
    )
    sealer.execute(claim)
    sealer.connection.rollback()
    writer.execute("SELECT count(*) FROM pay.seal")
    assert writer.fetchone() == (0,)
    deadline, first = time.monotonic() + 60, (None, None)
    while first[0] is None:  # as in sealed()
        assert time.monotonic() < deadline
        sealer.execute(claim)
        first = sealer.fetchone()
        sealer.connection.commit()
    call(writer, BEGIN, ["b"])
    writer.execute(claim)
    assert writer.fetchone() == first and first[0] == 1


def write(cursor, name, enough, failed):
    """Batches of payments, some rolled back, some held open for others."""
    picks = random.Random(name)
    batch = 0
    try:
        while not enough.is_set() and batch < 2000:
            batch += 1
            keys = [f"{name}-{batch}-{i}" for i in range(picks.randint(1, 5))]
            for step in (BEGIN, TOKEN, PAID):
                call(cursor, step, keys)
                if picks.random() < 0.2:
                    cursor.connection.rollback()
                    break
                if picks.random() < 0.7:
                    cursor.connection.commit()
            else:
                cursor.connection.commit()
    except Exception as error:  # pylint: disable=broad-except
        failed.append(error)


def test_writers_and_sealers_at_once_leave_nothing_out(dsn, connect):
    migrate(dsn, ROOT / "sql")
    failed = []
    enough = threading.Event()
    writers = [
        threading.Thread(
            target=write, args=(connect(False), f"w{n}", enough, failed)
        )
        for n in range(4)
    ]
    sealers = [connect(), connect()]
    for thread in writers:
        thread.start()
    made = set()
    while len(made) < 8 and any(thread.is_alive() for thread in writers):
        for n, cursor in enumerate(sealers):
            made |= {seal(cursor, f"s{n}")} - {"not_due"}
    enough.set()
    for thread in writers:
        thread.join()
    assert failed == []
    assert len(made) >= 8  # a round of both may make one more
    left = """SELECT count(*) FROM pay.payment_order o
        WHERE o.version <> coalesce((
            SELECT max(l.seq) FROM pay.seal_leaf l
            WHERE l.payment_order_id = o.payment_order_id), 0)"""
    sealers[0].execute(left)
    while sealers[0].fetchone() != (0,):
        sealed(sealers[0])
        sealers[0].execute(left)
    sealers[0].execute("""SELECT count(*) FROM pay.event e
        JOIN pay.seal s ON e.tx >= s.from_tx AND e.tx < s.until_tx
        JOIN pay.seal_leaf l ON l.number = s.number AND l.seq >= e.seq
            AND l.payment_order_id = e.payment_order_id""")
    covered = sealers[0].fetchone()
    sealers[0].execute("SELECT count(*) FROM pay.event")
    assert sealers[0].fetchone() == covered
    assert_sound(sealers[0])


def test_partitions_are_made_without_waiting_for_readers(dsn, connect):
    migrate(dsn, ROOT / "sql")
    reader, writer, maker = connect(False), connect(False), connect()
    maker.execute(
        "SELECT format('event_%s', to_char(now() AT TIME ZONE 'UTC'"
        " + interval '2 months', 'YYYY_MM'))"
    )
    (name,) = maker.fetchone()
    maker.execute(f"DROP TABLE pay.{name}")
    reader.execute("SELECT count(*) FROM pay.event")
    maker.execute("SELECT pay.make_partitions(false)")
    assert maker.fetchone() == (0,)
    reader.connection.rollback()
    # whoever writes has no lock that it needs
    assert call(writer, BEGIN, ["a"]) == ["created"]
    maker.execute("SELECT pay.make_partitions(false)")
    assert maker.fetchone() == (1,)
    writer.connection.commit()
    maker.execute(
        "SELECT count(*) FROM pg_partition_tree('pay.event')"
        f" WHERE relid = 'pay.{name}'::regclass"
    )
    assert maker.fetchone() == (1,)
    assert_sound(maker)


def test_a_month_is_not_dropped_under_a_reader(dsn, connect):
    migrate(dsn, ROOT / "sql")
    reader, dropper = connect(False), connect()
    dropper.execute(
        "SET search_path = pay; SELECT make_partition('2024-03-01')"
    )
    drop = "SELECT pay_ops.drop_month('2024-03-01', '1 year', 'me', 'why')"
    reader.execute("SELECT count(*) FROM pay.event")
    dropper.execute(drop)
    assert dropper.fetchone() == ("busy",)
    dropper.execute("SELECT count(*) FROM pay.dropped_month")
    assert dropper.fetchone() == (0,)
    reader.connection.rollback()
    dropper.execute(drop)
    assert dropper.fetchone() == ("dropped",)
    assert_sound(dropper)


def test_a_log_that_was_there_before_is_chained(dsn, connect, tmp_path):
    old = tmp_path / "sql"
    shutil.copytree(ROOT / "sql", old)
    for path in sorted((old / "migrations").iterdir())[2:]:
        path.unlink()
    for path in [*(old / "functions").iterdir(), *(old / "checks").iterdir()]:
        path.unlink()
    (old / "views.sql").write_text("SELECT 1")
    (old / "grants.sql").write_text("SELECT 1")
    migrate(dsn, old)
    admin = connect()
    admin.execute("""
        INSERT INTO pay.checkout (merchant_id, checkout_id, checkout_uuid,
            handle, psp, return_url, base_url, currency, total_minor,
            expires_at, nonce, psps, key_windows)
        SELECT 'm1', n, gen_random_uuid(), n, 'stripe', 'u', 'u', 'USD', 1,
            now(), n, '{stripe}', '{60}' FROM unnest('{a,b}'::text[]) n;
        INSERT INTO pay.payment_order (merchant_id, payment_order_id,
            checkout_id, position, seller_account, amount_minor, currency)
        SELECT 'm1', n, n, 1, 's', 1, 'USD' FROM unnest('{a,b}'::text[]) n;
        UPDATE pay.payment_order SET status = 'FAILED', reason = 'expired',
            version = 2 WHERE payment_order_id = 'a';
        INSERT INTO pay.event (merchant_id, payment_order_id, seq, at, kind,
            actor, old_status, new_status, reason, detail, request_id)
        VALUES ('m1', 'a', 1, '2025-11-30 23:59:59.999999', 'created',
                'merchant', NULL, 'NOT_STARTED', NULL, '{"psp":"stripe"}', 'r'),
            ('m1', 'a', 2, '2025-12-01', 'expired', 'gateway', 'NOT_STARTED',
             'FAILED', 'expired', '{}', NULL),
            ('m1', 'b', 1, now(), 'created', 'merchant', NULL, 'NOT_STARTED',
             NULL, '{"psp":"stripe"}', 'r')""")
    migrate(dsn, ROOT / "sql")
    admin.execute(
        "SELECT tableoid::regclass::text, payment_order_id, seq"
        " FROM pay.event WHERE payment_order_id = 'a' ORDER BY seq"
    )
    assert admin.fetchall() == [
        ("pay.event_2025_11", "a", 1),
        ("pay.event_2025_12", "a", 2),
    ]
    assert sealed(admin) == 1
    assert leaves(admin, 1) == [("a", 2), ("b", 1)]
    assert_sound(admin)
