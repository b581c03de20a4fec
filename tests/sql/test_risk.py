"""Risk under load: limits that many connections reach at once, locks of
counters, long lists.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import collections
import hashlib
import json
import os
import pathlib
import random
import subprocess
import threading
import time
import uuid

import migrated
import psycopg2
import pytest
from test_linear import SETTINGS, counted

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
TOGETHER = 25

# n items, each with what risk has found
BEGIN = """
SELECT count(*) FILTER (WHERE b.outcome = 'created'),
    count(*) FILTER (WHERE b.outcome = 'blocked'), count(*)
FROM pay_api.begin_payment(
    array_fill('m'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill(sha256('b'), ARRAY[%(n)s]), %(ids)s,
    ARRAY(SELECT gen_random_uuid()::text FROM generate_series(1, %(n)s)),
    %(ids)s, array_fill('stripe'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill('u'::text, ARRAY[%(n)s]), array_fill('u'::text, ARRAY[%(n)s]),
    array_fill(NULL::jsonb, ARRAY[%(n)s]),
    array_fill(NULL::jsonb, ARRAY[%(n)s]),
    array_fill(NULL::jsonb, ARRAY[%(n)s]), %(currencies)s::text[],
    array_fill(100::bigint, ARRAY[%(n)s]),
    array_fill(1900000000::bigint, ARRAY[%(n)s]),
    ARRAY(SELECT generate_series(1, %(n)s::bigint)), %(ids)s,
    array_fill('s'::text, ARRAY[%(n)s]), array_fill(100::bigint, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(60::bigint, ARRAY[%(n)s]),
    array_fill(60::bigint, ARRAY[%(n)s]),
    array_fill('r'::text, ARRAY[%(n)s]), array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::jsonb, ARRAY[%(n)s]), %(risks)s::jsonb[],
    p_risk_keys_item => %(keys_item)s::bigint[],
    p_risk_keys_kind => %(keys_kind)s::text[],
    p_risk_keys_value => %(keys_value)s::text[],
    p_risk_windows_item => %(windows_item)s::bigint[],
    p_risk_windows_name => %(windows_name)s::text[],
    p_risk_windows_key => %(windows_key)s::text[],
    p_risk_windows_hash => %(windows_hash)s::text[],
    p_risk_windows_hours => %(windows_hours)s::bigint[],
    p_risk_windows_measure => %(windows_measure)s::text[],
    p_risk_windows_threshold => %(windows_threshold)s::bigint[],
    p_risk_windows_currency => %(windows_currency)s::text[],
    p_risk_windows_word => %(windows_word)s::text[],
    p_risk_windows_is_shadow => %(windows_is_shadow)s::bigint[]) b"""
WINDOW = (
    "name", "key", "hash", "hours", "measure", "threshold", "currency",
    "word", "is_shadow",
)  # fmt: skip
ONE_COLUMN = f"SELECT x.total FROM ({BEGIN}) x (created, blocked, total)"
TOKEN = """
SELECT count(*) FROM pay_api.store_token(
    array_fill('m'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill('stripe'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill(NULL::text, ARRAY[%(n)s]), array_fill('u'::text, ARRAY[%(n)s]),
    array_fill(1::bigint, ARRAY[%(n)s]),
    array_fill('r'::text, ARRAY[%(n)s])) b"""
DECLINED = """
SELECT count(*) FROM pay_api.apply_event(
    array_fill('stripe'::text, ARRAY[%(n)s]),
    array_fill('webhook'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill('t'::text, ARRAY[%(n)s]),
    array_fill('declined'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(100::bigint, ARRAY[%(n)s]),
    array_fill('USD'::text, ARRAY[%(n)s]),
    array_fill(sha256('b'), ARRAY[%(n)s]),
    array_fill('r'::text, ARRAY[%(n)s])) b
WHERE b.outcome = 'applied'"""
IMPORT = """
SELECT i.outcome, i.added FROM pay_ops.risk_list_import('m',
    array_fill('block'::text, ARRAY[%(n)s]),
    array_fill('email'::text, ARRAY[%(n)s]),
    ARRAY(SELECT encode(sha256(i::text::bytea), 'hex')
          FROM generate_series(1, %(n)s) i),
    array_fill(NULL::timestamptz, ARRAY[%(n)s]), 'ann', 'test') i"""


@pytest.fixture(name="connect")
def connections():
    """Makes connections to a database of its own, each as the gateway's."""
    name = f"pay_risk_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    made = []

    def connect():
        made.append(psycopg2.connect(dbname=name))
        return made[-1]

    yield connect
    for connection in made:
        connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)


def key(name):
    """A keyed hash."""
    return hashlib.sha256(name.encode()).hexdigest()


def window(name, limit, **more):
    """A window of attempts with one address."""
    return {
        "name": f"per-email {name}",
        "key": "email",
        "hash": key(name),
        "hours": 24,
        "measure": "attempts",
        "threshold": limit,
        "currency": None,
        "word": "block",
        "is_shadow": 0,
    } | more


def risk(windows=(), keys=()):
    """Of one item, as the gateway finds it."""
    return list(windows), [key(name) for name in keys]


def arguments(risks):
    """Those of begin_payment about items."""
    document = {
        "version": "c0ffee",
        "decision": "allow",
        "allowed": False,
        "facts": {},
    }
    keys = [(n, each) for n, (_, of) in enumerate(risks, 1) for each in of]
    windows = [(n, each) for n, (of, _) in enumerate(risks, 1) for each in of]
    return {
        "risks": [json.dumps(document)] * len(risks),
        "keys_item": [n for n, _ in keys],
        "keys_kind": ["email"] * len(keys),
        "keys_value": [each for _, each in keys],
        "windows_item": [n for n, _ in windows],
    } | {
        f"windows_{name}": [each[name] for _, each in windows]
        for name in WINDOW
    }


def begin(connection, ids, risks, currencies=None):
    """One call: how many were created and blocked."""
    with connection.cursor() as cursor:
        cursor.execute(
            BEGIN,
            {
                "n": len(ids),
                "ids": ids,
                "currencies": currencies or ["USD"] * len(ids),
            }
            | arguments(risks),
        )
        created, blocked, total = cursor.fetchone()
    connection.commit()
    assert created + blocked == total == len(ids)
    return created, blocked


def at_once(tasks):
    """Each in a thread of its own, all from the same moment on."""
    start = threading.Barrier(len(tasks))
    failed = []

    def run(task):
        start.wait(60)
        try:
            task()
        except psycopg2.Error as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert not failed, failed


def value(connection, query, *values):
    """Of one row."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()[0]


def same_hour(connection):
    """Changes with the hour: a sum of two rows is not locked as one is."""
    return value(connection, "SELECT date_trunc('hour', clock_timestamp())")


@pytest.mark.parametrize("currencies", [["USD"], ["USD", "EUR", "JPY"]])
def test_exactly_the_limit_passes_of_a_hundred_at_once(connect, currencies):
    """Each had seen a sum without the others, if it were read before it is
    counted."""
    connections = [connect() for _ in range(TOGETHER)]
    hour = same_hour(connections[0])
    connections[0].commit()
    seen = collections.Counter()

    def pay(worker, connection):
        for n in range(100 // TOGETHER):
            created, blocked = begin(
                connection,
                [f"c-{worker}-{n}"],
                [risk([window("ann", 10)])],
                [currencies[worker % len(currencies)]],
            )
            seen.update(created=created, blocked=blocked)

    at_once([lambda w=w, c=c: pay(w, c) for w, c in enumerate(connections)])
    if same_hour(connections[0]) != hour:
        pytest.skip("the hour has changed in the meantime")
    assert seen == {"created": 10, "blocked": 90}
    assert (
        value(connections[0], "SELECT sum(attempts) FROM pay.risk_counter")
        == 100
    )


def test_batches_with_keys_in_opposite_sequences_do_not_wait_for_each_other(
    connect,
):
    """Counted in their own sequence, two batches held one row each and waited
    for the other.  Declines of the same keys come in between."""
    people = [f"p{n}" for n in range(20)]
    connections = [connect() for _ in range(4)]
    others = [connect() for _ in range(2)]
    draw = random.Random(7)

    for n, connection in enumerate(others):
        ids = [f"d-{n}-{m}" for m in range(200)]
        begin(
            connection,
            ids,
            [risk([window(draw.choice(people), 10**6)]) for _ in ids],
        )
        with connection.cursor() as cursor:
            cursor.execute(TOKEN, {"n": len(ids), "ids": ids})
        connection.commit()

    def pay(worker, connection):
        mine = people if worker % 2 else people[::-1]
        for n in range(15):
            begin(
                connection,
                [f"c-{worker}-{n}-{m}" for m in range(20)],
                [risk([window(name, 10**6)]) for name in mine],
            )

    def decline(worker, connection):
        ids = [f"d-{worker}-{m}" for m in range(200)]
        for n in range(0, 200, 20):
            with connection.cursor() as cursor:
                cursor.execute(DECLINED, {"n": 20, "ids": ids[n : n + 20]})
                assert cursor.fetchone() == (20,)
            connection.commit()

    at_once(
        [lambda w=w, c=c: pay(w, c) for w, c in enumerate(connections)]
        + [lambda w=w, c=c: decline(w, c) for w, c in enumerate(others)]
    )
    assert (
        value(
            connections[0],
            "SELECT (sum(attempts), sum(declines))::text FROM pay.risk_counter",
        )
        == f"({4 * 15 * 20 + 400},400)"
    )


def looked_at(connection, size, name):
    """Rows by item of one call: one window that many items have, one of an
    item's own, three keys."""
    return counted(
        connection,
        ONE_COLUMN,
        size,
        name,
        currencies=["USD"] * size,
        **arguments(
            [
                risk(
                    [
                        window(f"{name}{n % 8}", 10**6),
                        window(
                            f"{name} {n}",
                            10**6,
                            measure="amount",
                            currency="USD",
                        ),
                    ],
                    [f"{name}{n}", f"{name}{n + 1}", "nobody"],
                )
                for n in range(size)
            ]
        ),
    )


def test_an_item_costs_as_many_rows_beside_a_long_list_in_a_large_batch(
    connect,
):
    """Plans are made while the tables are empty, as those of a worker are that
    runs since the installation."""
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
    few = looked_at(connection, 16, "a")
    many = looked_at(connection, 256, "b")
    with connection.cursor() as cursor:
        cursor.execute(IMPORT, {"n": 100000})
        assert cursor.fetchone() == ("imported", 100000)
    late = looked_at(connection, 16, "c")
    assert many < 1.5 * few, (few, many)
    assert late < 1.2 * few, (few, late)


def imported(connection, path):
    """exit code, its words"""
    done = subprocess.run(
        [PAYCTL, "risk", "list", "import", "block", "email_domain", path,
         "--why", "a test", "--dsn", f"dbname={connection.info.dbname}"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_list_of_several_pieces_is_imported_as_a_whole_or_not(
    connect, tmp_path
):
    """payctl sends 20,000 entries at a time: the pieces are one transaction."""
    path, connection = tmp_path / "list", connect()
    lines = [f"d{n}.example" for n in range(40001)]
    count = "SELECT count(*)::text FROM pay.risk_list"
    path.write_text("\n".join([*lines, "no value"]))
    code, words = imported(connection, path)
    assert (code, "invalid" in words) == (1, True), words
    assert value(connection, count) == "0"
    path.write_text("\n".join(lines))
    assert imported(connection, path) == (
        0,
        "imported, added 40001, changed 0\n",
    )
    assert value(connection, count) == "40001"
    path.write_text("# nothing\n")
    assert imported(connection, path)[0] == 2


ENTRY = {
    "added": "SELECT pay_ops.risk_list_add('m', 'block', 'email', %s, NULL,"
             " 'ann', 'test')",
    "removed": "SELECT pay_ops.risk_list_remove('m', 'block', 'email', %s,"
               " 'ann', 'test')",
}  # fmt: skip


def waits(connection, other):
    """Until a lock is waited for by the other one."""
    deadline = time.monotonic() + 30
    while not value(
        connection,
        "SELECT cardinality(pg_blocking_pids(%s)) > 0",
        other.info.backend_pid,
    ):
        assert time.monotonic() < deadline


def test_a_list_that_changes_meanwhile_counts_from_its_commit_on(connect):
    """No checkout waits for who changes a list, and none sees half of it."""
    operator, gateway = connect(), connect()
    for n, (word, before, behind) in enumerate(
        [("added", (1, 0), (0, 1)), ("removed", (0, 1), (1, 0))]
    ):
        assert value(operator, ENTRY[word], key("eve")) == word
        # not committed: it would wait for ever if it read under a lock
        assert begin(gateway, [f"c{n}"], [risk(keys=["eve"])]) == before
        operator.commit()
        assert begin(gateway, [f"d{n}"], [risk(keys=["eve"])]) == behind
    assert value(operator, "SELECT count(*) FROM pay.risk_decision") == 4


def test_a_decision_under_way_keeps_the_list_that_it_has_read(connect):
    """It waits for a counter while an entry is committed: its word and its
    hits are those of before, and the next one has the entry."""
    holder, gateway, operator = connect(), connect(), connect()
    begin(gateway, ["first"], [risk([window("ann", 9)], ["ann"])])
    with holder.cursor() as cursor:
        cursor.execute("SELECT FROM pay.risk_counter FOR UPDATE")
    done = []
    one = risk([window("ann", 9)], ["ann"])
    thread = threading.Thread(
        target=lambda: done.append(begin(gateway, ["second"], [one]))
    )
    thread.start()
    waits(holder, gateway)
    assert value(operator, ENTRY["added"], key("ann")) == "added"
    operator.commit()
    holder.commit()
    thread.join(60)
    assert done == [(1, 0)]
    assert begin(gateway, ["third"], [one]) == (0, 1)
    with operator.cursor() as cursor:
        cursor.execute("SELECT checkout_id, decision, decided_by,"
                       " jsonb_array_length(hits) FROM pay.risk_decision"
                       " ORDER BY at")  # fmt: skip
        assert cursor.fetchall() == [
            ("first", "allow", "none", 0), ("second", "allow", "none", 0),
            ("third", "block", "list", 1),
        ]  # fmt: skip
    # a blocked attempt counts as an attempt, and each counts once
    assert value(operator, "SELECT sum(attempts) FROM pay.risk_counter") == 3
