"""That an item of a batch, and of a run of pay-outs, costs the same, however
many there are: a join of each item with all lines of its batch was there once,
and one of each wallet with all wallets of its merchant, and no test of outcomes
sees it.  Rows are counted, since time depends on the machine.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import json
import os
import pathlib
import re
import subprocess
import uuid

import migrated
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
    %(sellers)s,
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
KNOWN = """
SELECT count(*) FROM unnest(%(sellers)s) s, pay_ops.store_destination('m', s,
    'USD', 'bank', 'iban', 'DE', 'DE89370400440532013000', 'opaque', 'k1',
    'sue', 'test') d WHERE d.outcome = 'stored'"""
DELIVERED = """
SELECT count(*) FROM unnest(%(ids)s) o, pay_ops.release_order('m', o, 'sue',
    'test') r WHERE r = 'released'"""
PAY_OUT = """
SELECT count(*) FROM pay.make_payouts('m', %(sellers)s,
    array_fill('USD'::text, ARRAY[%(n)s]), 'sue') m
WHERE m.outcome = %(outcome)s"""
OWN = """
SELECT count(pay_ops.set_payout_schedule('m', 'a' || n, 'demand', NULL, NULL,
    NULL, NULL, NULL, 'sue', 'test')) FROM generate_series(0, 511, 2) n"""
COMES = """
UPDATE pay.payout_schedule SET next_at = now()
WHERE seller_account = ''"""
PIECE = """
SELECT %(n)s FROM pay_api.make_due_payouts('{w}', ARRAY[%(n)s]) d
WHERE d.outcome = 'again'"""
ENDPOINT = """
SELECT count(*) FROM pay_api.store_endpoint('{m}', ARRAY[%(name)s], '{u}',
    ARRAY['[]'::jsonb], '{v1}', '{0}', ARRAY['x'::bytea], '{k}', '{sue}') e
WHERE e.outcome = 'stored'"""
PUBLISH = """
SELECT %(n)s FROM pay_api.publish_events('{w}', '{10000}') p
WHERE p.outcome = 'again'"""
DELIVER = """
SELECT count(*) FROM pay_api.begin_delivery(
    array_fill('w'::text, ARRAY[%(n)s]),
    array_fill(1000::bigint, ARRAY[%(n)s])) d WHERE d.outcome = 'due'"""
LOOK = "UPDATE pay.webhook_endpoint SET look_at = now()"
END_DELIVERY = """
SELECT count(*) FROM (
    SELECT array_agg(d.merchant_id::text) AS m,
        array_agg(d.endpoint_id::text) AS e, array_agg(d.position) AS p
    FROM pay.webhook_delivery d WHERE d.is_leased) x,
    pay_api.end_delivery(x.m, x.e, x.p, array_fill(1::bigint, ARRAY[%(n)s]),
        array_fill('delivered'::text, ARRAY[%(n)s]),
        array_fill(200::bigint, ARRAY[%(n)s]),
        array_fill(NULL::text, ARRAY[%(n)s]),
        array_fill(NULL::text, ARRAY[%(n)s]),
        array_fill(1::bigint, ARRAY[%(n)s]),
        array_fill(0::bigint, ARRAY[%(n)s])) d WHERE d.outcome = 'stored'"""
ARRIVED = """
UPDATE pay.webhook_delivery SET state = 'delivered', ended_at = now()
WHERE state = 'due'"""
GIVEN_UP = """
WITH gone AS (
    UPDATE pay.webhook_delivery d SET state = 'failed', ended_at = now()
    WHERE d.state = 'delivered' AND d.position IN (
        SELECT x.position FROM pay.webhook_delivery x
        WHERE x.state = 'delivered' ORDER BY x.position DESC LIMIT %(n)s)
    RETURNING 1)
SELECT count(*) FROM gone"""
REPLAY = """
SELECT (r.page::json ->> 'deliveries')::int FROM pay_api.replay_deliveries(
    '{m}', '{e1}', '{NULL}', '{0}', '{NULL}', '{1}') r"""
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
    migrated.create(name)
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


def asked(connection, statement, size, name, **given):
    """One call with so many items, all of which have the same outcome."""
    ids = [f"{name}{n}" for n in range(size)]
    with connection.cursor() as cursor:
        cursor.execute(
            statement, {"n": size, "ids": ids, "sellers": ids} | given
        )
        assert cursor.fetchone() == (size,)


def counted(connection, statement, size, name, **given):
    """Rows that one call with so many items reads and makes, by item."""
    connection.notices = Notices()
    asked(connection, statement, size, name, **given)
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
        few, many = (
            counted(connection, statement, size, name, sellers=["s"] * size)
            for size, name in ((16, "a"), (256, "b"))
        )
        assert many < 1.5 * few, statement


def test_a_pay_out_costs_as_many_rows_in_a_large_piece_of_a_large_merchant(
    connection,
):
    """Its plans are made while the tables are empty, as those of a worker are
    that runs since the installation.  256 sellers have money that stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pay_ops.set_payout_provider('m', 'bank', 'generic',"
            " '{iban}', NULL, NULL, 'sue', 'test'),"
            " pay_ops.set_payout_policy('m', 'sue', 'test', 'delivered', 1,"
            " NULL, 10, 30)"
        )
    sizes = {"a": 16, "b": 256, "c": 256}
    for name, size in sizes.items():
        for statement in (BEGIN, TOKEN, PAID, KNOWN):
            asked(connection, statement, size, name)
    for name in ("a", "c"):
        asked(connection, DELIVERED, sizes[name], name)
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS + "; SET search_path = pay")
    few = counted(connection, PAY_OUT, 16, "a", outcome="made")
    counted(connection, PAY_OUT, 256, "b", outcome="nothing")
    many = counted(connection, PAY_OUT, 256, "c", outcome="made")
    assert many < 1.2 * few, (few, many)


def test_a_piece_of_a_run_costs_as_many_rows_behind_many_wallets(connection):
    """They were joined with all that pay-outs have seen, when the statistics
    were those of empty tables.  Each second seller has a schedule."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pay_ops.set_payout_provider('m', 'bank', 'generic',"
            " '{iban}', NULL, NULL, 'sue', 'test'),"
            " pay_ops.set_payout_policy('m', 'sue', 'test', 'delivered'),"
            " pay_ops.set_payout_schedule('m', NULL, 'day', NULL, NULL, NULL,"
            " NULL, NULL, 'sue', 'test')"
        )
    for statement in (BEGIN, TOKEN, PAID, KNOWN, DELIVERED):
        asked(connection, statement, 512, "a")
    with connection.cursor() as cursor:
        cursor.execute(OWN + "; ANALYZE")
        cursor.execute(SETTINGS + "; SET search_path = pay")
        cursor.execute(COMES)
        # begins the run
        cursor.execute(PIECE.replace("%(n)s", "16"))
    seen = [counted(connection, PIECE, 16, "") for _ in range(12)]
    assert seen[-1] < 1.2 * seen[0], seen


def test_an_account_costs_as_many_rows_with_many_sellers_as_with_few(
    connection,
):
    """Whether the seller had one before was looked up through all accounts of
    the merchant."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pay_ops.set_payout_provider('m', 'bank', 'generic',"
            " '{iban}', NULL, NULL, 'sue', 'test'),"
            " pay_ops.set_payout_policy('m', 'sue', 'test', 'delivered')"
        )
        cursor.execute(SETTINGS + "; SET search_path = pay")
    seen = {}
    for name, size in {"a": 16, "b": 512, "c": 16}.items():
        for statement in (BEGIN, TOKEN, PAID):
            asked(connection, statement, size, name)
        seen[name] = [
            counted(connection, statement, size, name)
            for statement in (KNOWN, DELIVERED)
        ]
    for few, many in zip(seen["a"], seen["c"], strict=True):
        assert many < 1.2 * few, seen


def test_an_event_costs_as_many_rows_in_a_long_log_as_in_a_short_one(
    connection,
):
    """Published, claimed and delivered: an endpoint's share is 16."""
    with connection.cursor() as cursor:
        cursor.execute(ENDPOINT, {"name": "e1"})
        cursor.execute(SETTINGS + "; SET search_path = pay")
    seen = {}
    for name, size in {"a": 16, "b": 512, "c": 16}.items():
        for statement in (BEGIN, TOKEN, PAID):
            asked(connection, statement, size, name)
        seen[name] = [counted(connection, PUBLISH, size, name)]
        for statement in (DELIVER, END_DELIVERY):
            connection.commit()
            with connection.cursor() as cursor:
                cursor.execute(LOOK)
            seen[name].append(counted(connection, statement, 16, name))
    for few, many in zip(seen["a"], seen["c"], strict=True):
        assert many < 1.2 * few + 5, seen


def test_a_replay_of_failures_costs_as_many_rows_in_a_long_log(
    connection,
):
    """All messages of the merchant were read for it."""
    with connection.cursor() as cursor:
        cursor.execute(ENDPOINT, {"name": "e1"})
        cursor.execute(SETTINGS + "; SET search_path = pay")
    seen = {}
    for name, size in {"a": 16, "b": 512, "c": 16}.items():
        for statement in (BEGIN, TOKEN, PAID):
            asked(connection, statement, size, name)
        asked(connection, PUBLISH, size, name)
        with connection.cursor() as cursor:
            cursor.execute(ARRIVED)
        asked(connection, GIVEN_UP, 8, name)
        seen[name] = counted(connection, REPLAY, 8, name)
    assert seen["c"] < 1.2 * seen["a"] + 5, seen
