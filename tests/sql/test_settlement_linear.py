"""That importing a file costs what the file has, and not what is stored: the
statements of a step look stored rows up by key, also where the statistics say
that the tables hold millions of rows, and a row costs the same in a large file.
Plans and rows are judged, since time depends on the machine.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import json
import re

import psycopg2
from test_linear import SETTINGS, Notices, rows_of
from test_settlement import scratch  # noqa: F401 (a fixture)

# tables that grow with what the shop sells, and how many rows each order has
STORED = {
    "checkout": 1,
    "payment_order": 1,
    "psp_token": 2,
    "webhook_inbox": 2,
    "journal_entry": 3,
    "journal_line": 6,
    "event": 3,
    "dispute": 0.01,
    "change": 0.1,
    "settlement_row": 1,
    "settlement_link": 1,
    "settlement_closed": 1,
    "settlement_exception": 0.1,
}
# indexes of what waits, which is little, however much is stored
SHORT = {"settlement_exception_open", "webhook_inbox_parked_at"}
# so many pages would cost too much to be read, whatever they hold
STATISTICS = """
UPDATE pg_class SET reltuples = %s, relpages = greatest(1, relpages)
WHERE relnamespace = 'pay'::regnamespace AND relkind = 'r'
    AND (relname = %s OR oid IN (SELECT i.inhrelid FROM pg_inherits i
        JOIN pg_class p ON p.oid = i.inhparent WHERE p.relname = %s))"""
# what webhooks say of a refund that is done and of a dispute that is opened
REFUND = """
SELECT outcome FROM pay_api.apply_change('{stripe}', '{webhook}',
    ARRAY['evt-' || %(r)s], '{t}', '{refund}', '{succeeded}', '{NULL}',
    %(p)s, ARRAY[%(r)s], '{NULL}', ARRAY[%(a)s]::bigint[], '{EUR}', '{NULL}',
    '{NULL}', '{NULL}', '{NULL}', '{r}')"""
DISPUTE = REFUND.replace("{refund}", "{dispute}").replace(
    "{succeeded}", "{opened}"
)
PLAIN = SETTINGS.split("SET plan_cache_mode")[0]


def nodes(plan):
    """A plan's nodes, each with those below it."""
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)


def scans(explained):
    """Stored tables that a plan reads from end to end, with its statement."""
    for node in nodes(explained["Plan"]):
        if (
            node.get("Relation Name") in STORED
            and node["Node Type"] in ("Seq Scan", "Index Scan",
                                      "Index Only Scan")
            and "Index Cond" not in node
            and node.get("Index Name") not in SHORT
        ):  # fmt: skip
            yield (node["Relation Name"], node.get("Index Name"),
                   explained["Query Text"])


def rows_for(first, last):
    """Rows of orders that are known, one of which has a refund and one a
    dispute; and one each of whatever else a file has."""
    rows = [
        (f"s{n}", "sale", f"ch_{n}", f"pi_{n}", "", 1000, -30, "")
        for n in range(first, last + 1)
    ]
    return rows + [
        (f"r{first}", "refund", f"re_{first}", f"pi_{first}", "", -300, 0, ""),
        (f"q{first}", "refund", f"rf_{first}", f"pi_{first}", "", -1, 0, ""),
        (f"d{last}", "dispute", f"dp_{last}", f"pi_{last}", "", -500, -15, ""),
        (f"f{first}", "fee", "", "", "", 0, -20, ""),
        (f"u{first}", "sale", f"ch_x{first}", "", "", 500, 0, ""),
        (f"w{first}", "sale", f"ch_w{first}", f"pi_{last}", "", 1000, 0, ""),
        (f"b{first}", "payout_returned", f"po_{first}", "", "", 50, 0,
         f"po_{first}"),
        (f"p{first}", "payout", f"po_{last}", "", "", -100, 0, ""),
    ]


def imported(shop, name, rows, settings):
    """The plans of all statements of the import, and how many rows of the file
    there were."""
    with psycopg2.connect(dbname=shop.database) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT file_id FROM pay_ops.open_settlement('psp',"
                " encode(sha256(%s::bytea), 'hex'), %s)", [name, name],
            )  # fmt: skip
            (number,) = cursor.fetchone()
            cursor.executemany(
                """INSERT INTO pay.settlement_staging (file_id, line, row_key,
                    kind, psp_ref, parent_ref, our_ref, gross_minor,
                    fee_minor, net_minor, currency, payout_ref, occurred_at)
                VALUES (%s, %s, %s, %s, nullif(%s, ''), nullif(%s, ''),
                    nullif(%s, ''), %s, %s, %s, 'EUR', nullif(%s, ''),
                    now() - interval '30 days')""",
                [
                    (number, n, *row[:7], row[5] + row[6], row[7])
                    for n, row in enumerate(rows, 1)
                ],
            )
            cursor.execute(
                "SELECT pay_ops.prove_settlement(%s, '', %s, '{}')",
                [number, len(rows)],
            )
            assert cursor.fetchone() == ("proven",)
            cursor.execute(settings)
            connection.notices = Notices()
            state = "proven"
            while state != "booked":
                cursor.execute(
                    "SELECT pay_ops.advance_settlement(%s)", [number]
                )
                (state,) = cursor.fetchone()
    plans = [
        json.loads(each[each.index("{") :])
        for each in connection.notices.heard
        if re.match(r"LOG: +duration", each)
    ]
    assert plans, "PostgreSQL has told no plan"
    return plans


def sell(shop, first, last):
    """Orders, the first with a refund and the last with a dispute."""
    shop.sell(first, last)
    for query, what, n, amount in (
        (REFUND, "re", first, 300),
        (DISPUTE, "dp", last, 500),
    ):
        assert shop.sql(
            query, {"r": f"{what}_{n}", "p": [f"pi_{n}"], "a": amount}
        ) == [("applied",)]


def test_no_step_reads_a_stored_table_from_end_to_end(shop):
    sell(shop, 1, 100)
    imported(shop, "first", rows_for(1, 100), PLAIN)
    first = 101
    for orders in (1_000_000, 10_000_000):
        for settings in (PLAIN, SETTINGS):
            last = first + 99
            sell(shop, first, last)
            shop.sql("ANALYZE")
            for table, each in STORED.items():
                shop.sql(STATISTICS, [orders * each, table, table])
            rows = rows_for(first, last)
            plans = imported(shop, f"f{first}", rows, settings)
            assert not [found for each in plans for found in scans(each)]
            first = last + 1


def test_a_row_costs_as_many_rows_in_a_large_file_as_in_a_small_one(shop):
    """And as many when ten times as many are stored."""
    costs = []
    for first, last in ((1, 20), (101, 400), (1001, 1020)):
        sell(shop, first, last)
        shop.sql("ANALYZE")
        rows = rows_for(first, last)
        plans = imported(shop, f"f{first}", rows, PLAIN)
        read = sum(rows_of(each["Plan"]) for each in plans)
        costs.append(read / len(rows))
    assert costs[1] < 1.5 * costs[0]
    assert costs[2] < 1.5 * costs[0]
