"""That the checks of a batch cost each item the same, however many there are: a
join of each item with all lines of its batch was there once, and no test of
outcomes sees it.  Rows are counted, since time depends on the machine.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import json
import os
import pathlib
import re
import subprocess
import uuid

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))

# n items; a line each
BEGIN = """
SELECT count(*) FROM pay_api.begin_payment(
    array_fill('m'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill(sha256('b'), ARRAY[%(n)s]), %(ids)s,
    ARRAY(SELECT gen_random_uuid()::text FROM generate_series(1, %(n)s)),
    %(ids)s, array_fill('stripe'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill('u'::text, ARRAY[%(n)s]), array_fill('u'::text, ARRAY[%(n)s]),
    array_fill(NULL::jsonb, ARRAY[%(n)s]),
    array_fill(NULL::jsonb, ARRAY[%(n)s]),
    array_fill(NULL::jsonb, ARRAY[%(n)s]),
    array_fill('USD'::text, ARRAY[%(n)s]),
    array_fill(100::bigint, ARRAY[%(n)s]),
    array_fill(1900000000::bigint, ARRAY[%(n)s]),
    ARRAY(SELECT generate_series(1, %(n)s::bigint)), %(ids)s,
    array_fill('s'::text, ARRAY[%(n)s]),
    array_fill(100::bigint, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(60::bigint, ARRAY[%(n)s]),
    array_fill(60::bigint, ARRAY[%(n)s]),
    array_fill('r'::text, ARRAY[%(n)s]), array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::jsonb, ARRAY[%(n)s])) b
WHERE b.outcome = 'created'"""
TOKEN = """
SELECT count(*) FROM pay_api.store_token(
    array_fill('m'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill('stripe'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill(NULL::text, ARRAY[%(n)s]), array_fill('u'::text, ARRAY[%(n)s]),
    array_fill(1::bigint, ARRAY[%(n)s]), array_fill('r'::text, ARRAY[%(n)s])) b
WHERE b.outcome = 'stored'"""
PAID = """
SELECT count(*) FROM pay_api.apply_event(
    array_fill('stripe'::text, ARRAY[%(n)s]),
    array_fill('webhook'::text, ARRAY[%(n)s]), %(ids)s,
    array_fill('t'::text, ARRAY[%(n)s]),
    array_fill('paid'::text, ARRAY[%(n)s]), %(ids)s,
    ARRAY(SELECT 'p' || i FROM unnest(%(ids)s) i),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(100::bigint, ARRAY[%(n)s]),
    array_fill('USD'::text, ARRAY[%(n)s]),
    array_fill(sha256('b'), ARRAY[%(n)s]),
    array_fill('r'::text, ARRAY[%(n)s])) b
WHERE b.outcome = 'applied'"""
# as the gateway's role has it
SETTINGS = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_format = json;
SET client_min_messages = log;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off; SET enable_hashjoin = off;
SET enable_mergejoin = off; SET enable_memoize = off;
SET random_page_cost = 0.1; SET jit = off"""


class Notices:
    """All of them: of a list psycopg2 keeps the last fifty."""

    def __init__(self):
        self.heard = []

    def append(self, notice):
        self.heard.append(notice)


@pytest.fixture(name="connection")
def fresh():
    """To a database of its own."""
    name = f"pay_linear_{uuid.uuid4().hex[:12]}"
    subprocess.run(["createdb", "-T", "template0", name], check=True)
    subprocess.run(
        [PAYCTL, "migrate", "--dsn", f"dbname={name}", "--sql", ROOT / "sql"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    connection = psycopg2.connect(dbname=name)
    yield connection
    connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)


def rows_of(node):
    """That a plan has looked at, those included that a filter dropped."""
    loops = node["Actual Loops"]
    own = node["Actual Rows"] * loops + sum(
        number * loops
        for key, number in node.items()
        if key.startswith("Rows Removed by")
    )
    return own + sum(rows_of(each) for each in node.get("Plans", []))


def counted(connection, statement, size, name):
    """Rows that one call with so many items reads and makes, by item."""
    connection.notices = Notices()
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {"n": size, "ids": [f"{name}{n}" for n in range(size)]},
        )
        assert cursor.fetchone() == (size,)
    plans = [
        json.loads(each[each.index("{") :])["Plan"]
        for each in connection.notices.heard
        if re.match(r"LOG: +duration", each)
    ]
    assert plans, "PostgreSQL has told no plan"
    return sum(map(rows_of, plans)) / size


def test_an_item_costs_as_many_rows_in_a_large_batch_as_in_a_small_one(
    connection,
):
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
    for statement in (BEGIN, TOKEN, PAID):
        small = counted(connection, statement, 16, "a")
        large = counted(connection, statement, 256, "b")
        assert large < 1.5 * small, statement
