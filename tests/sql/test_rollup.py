"""Roll-ups of the console's plots: whatever is counted is what the payments
say, after late events, second runs, workers that run at once or die, in
currencies without and with many decimals, through a day that has 25 hours, and
beyond the age at which minutes end.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import datetime
import json
import random
import subprocess
import threading
import uuid

import migrated
import psycopg2
import pytest

UTC = datetime.timezone.utc
MADE = """
WITH made AS (
    INSERT INTO pay.checkout (merchant_id, checkout_id, checkout_uuid, handle,
        psp, return_url, base_url, currency, total_minor, expires_at,
        created_at, nonce, psps, key_windows, first_call, first_ended_at,
        payment_method)
    VALUES (%(merchant)s, %(id)s, md5(%(id)s)::uuid, 'h' || %(id)s, %(psp)s,
        'https://shop.example/', 'https://pay.example', %(currency)s,
        %(minor)s, %(at)s::timestamptz + interval '1 hour', %(at)s, %(id)s,
        ARRAY[%(psp)s], '{86400}', 'DONE',
        %(at)s::timestamptz + %(ms)s * interval '1 ms', %(method)s)
)
INSERT INTO pay.payment_order (merchant_id, payment_order_id, checkout_id,
    "position", seller_account, amount_minor, currency, head, head_tx)
VALUES (%(merchant)s, %(id)s, %(id)s, 1, 's', %(minor)s, %(currency)s,
    sha256('a'), 1)
"""
MOVED = """
UPDATE pay.payment_order SET status = %(status)s, reason = %(reason)s,
    decline = %(decline)s WHERE payment_order_id = %(id)s
"""
TOLD = """
INSERT INTO pay.event (merchant_id, payment_order_id, seq, at, tx, kind, actor,
    old_status, new_status, hash)
SELECT o.merchant_id, o.payment_order_id, 2, now(),
    pg_current_xact_id()::text::bigint, 'paid', 'webhook', 'EXECUTING',
    o.status, sha256('b')
FROM pay.payment_order o WHERE o.payment_order_id = %(id)s
ON CONFLICT DO NOTHING
"""
ROUND = "SELECT outcome, counts FROM pay_api.roll_up('{w}', '{0}', ARRAY[%s])"
TABLES = ("event", "payment_order", "checkout", "rollup", "rollup_due")
COLUMNS = """r.merchant_id, r.psp, r.method, r.currency, r.success, r.failed,
r.expired, r.not_started, r.executing, r.captured_minor, r.not_started_minor,
r.executing_minor, r.approved, r.declined, r.declines::text,
r.registered::text, r.called::text"""


@pytest.fixture(scope="module", name="name")
def database():
    name = f"pay_rollup_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    with psycopg2.connect(dbname=name) as made, made.cursor() as cursor:
        for table in TABLES[:3]:
            cursor.execute(f"ALTER TABLE pay.{table} DISABLE TRIGGER USER")
    made.close()
    yield name
    subprocess.run(["dropdb", "--force", name], check=True)


class Books:
    """A connection that writes payments as they might be, without the rules of
    operations, and reads roll-ups."""

    def __init__(self, name):
        self.connection = psycopg2.connect(dbname=name)
        self.number = 0
        self.run("SET session_replication_role = replica; SET timezone = UTC")

    def run(self, statement, values=None):
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else None

    def pay(self, at, status="NOT_STARTED", **given):
        """A payment that was created then; its id."""
        self.number += 1
        order = {
            "id": f"x{uuid.uuid4().hex[:10]}{self.number}", "merchant": "m",
            "psp": "stripe", "currency": "EUR", "minor": 1000, "ms": 120,
            "method": None, "at": at, **given,
        }  # fmt: skip
        self.run(MADE, order)
        self.move(order["id"], status, **given)
        return order["id"]

    def move(self, order, status, reason=None, decline=None, **_):
        """A status that an event of the log tells of."""
        text = json.dumps(decline) if decline else None
        values = {"id": order, "status": status, "reason": reason,
                  "decline": text}  # fmt: skip
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(MOVED, values)
            cursor.execute("DELETE FROM pay.event WHERE payment_order_id = %s",
                           (order,))  # fmt: skip
            cursor.execute(TOLD, values)

    def roll(self, most=1000, look=lambda: None) -> int:
        """Rounds until nothing is due, with a look behind each; how many."""
        self.run("UPDATE pay.rollup_due SET due_at = now()")
        for rounds in range(1, 400):
            self.run("UPDATE pay.round SET run_at = now()"
                     " WHERE name = 'rollup'")  # fmt: skip
            ((outcome, counts),) = self.run(ROUND, (most,))
            assert outcome in ("again", "checked"), outcome
            look()
            self.run("UPDATE pay.rollup_due SET due_at = now()")
            ((due,),) = self.run("SELECT count(*) FROM pay.rollup_due")
            if outcome == "checked" and due == 0:
                return rounds
        raise AssertionError(counts)

    def level(self, level):
        rows = self.run(
            f"SELECT r.bucket, {COLUMNS} FROM pay.rollup r WHERE level = %s",
            (level,),
        )
        return sorted(map(tuple, rows))

    def totals(self, level, at=None):
        """success, failed, expired, open, of all or of one bucket."""
        return self.run(
            """SELECT coalesce(sum(success), 0)::int,
                coalesce(sum(failed), 0)::int, coalesce(sum(expired), 0)::int,
                coalesce(sum(not_started + executing), 0)::int
            FROM pay.rollup WHERE level = %s AND bucket = coalesce(%s, bucket)
            """,
            (level, at),
        )[0]

    def page(self, page="plots", **query):
        values = {k: str(us(v)) if k in ("from", "to") else v
                  for k, v in query.items()}  # fmt: skip
        ((outcome, text),) = self.run(
            """SELECT outcome, page FROM pay_console.read_page(ARRAY[%s],
                '{ann}', ARRAY['["auditor"]'::jsonb], ARRAY[NULL::jsonb],
                ARRAY[%s::jsonb])""",
            (page, json.dumps(values)),
        )
        assert outcome == "found", text
        return json.loads(text)

    def clear(self):
        for table in TABLES:
            self.run(f"DELETE FROM pay.{table}")


def us(at) -> int:
    since = at - datetime.datetime(1970, 1, 1, tzinfo=UTC)
    return since // datetime.timedelta(microseconds=1)


@pytest.fixture(name="books")
def made(name):
    books = Books(name)
    books.clear()
    yield books
    books.connection.close()


def ago(**span):
    now = datetime.datetime.now(UTC).replace(microsecond=0)
    return now - datetime.timedelta(**span)


def minute_of(at):
    return at.replace(second=0, microsecond=0)


def test_a_minute_counts_payments_by_what_they_have_come_to(books):
    at = ago(hours=3)
    books.pay(at, "SUCCESS", minor=1001)
    books.pay(at, "FAILED", reason="declined",
              decline={"code": "expired_card", "attempts": 3})  # fmt: skip
    books.pay(at, "FAILED", reason="rejected")
    books.pay(at, "FAILED", reason="expired")
    books.pay(at, "EXECUTING", ms=12345)
    books.pay(at, "NOT_STARTED", method="card")
    books.roll()
    for level in ("minute", "quarter", "hour", "day"):
        assert books.totals(level) == (1, 2, 1, 2)
    plots = books.page()
    assert plots["totals"]["success_rate"] == pytest.approx(1 / 3, abs=1e-3)
    assert plots["totals"]["finished_rate"] == 0.25
    assert plots["declines"] == {
        "codes": [
            {**each, "link": plots["declines"]["codes"][n]["link"]}
            for n, each in enumerate((
                {"code": "expired_card", "count": 1},
                {"code": "unknown", "count": 1},
            ))
        ],
        "other": 0,
    }  # fmt: skip
    (rate,) = plots["rates"]
    assert (rate["approved"], rate["declined"], rate["rate"]) == (1, 4, 0.2)
    assert plots["totals"]["registered"]["count"] == 6
    assert plots["totals"]["registered"]["p50_ms"] == 130
    assert plots["totals"]["registered"]["p99_ms"] > 10000


def test_a_late_event_changes_an_old_bucket_of_each_level(books):
    at = ago(days=5)
    order = books.pay(at, "FAILED", reason="expired")
    books.pay(at, "SUCCESS")
    books.roll()
    assert books.totals("day") == (1, 0, 1, 0)
    books.move(order, "SUCCESS")
    books.roll()
    for level in ("minute", "quarter", "hour", "day"):
        assert books.totals(level) == (2, 0, 0, 0), level


def test_a_late_event_about_minutes_that_have_ended_keeps_their_sums(books):
    at = minute_of(ago(days=40)).replace(minute=20)
    order = books.pay(at, "EXECUTING")
    for minute in (16, 20, 29, 40):
        books.pay(at.replace(minute=minute), "SUCCESS")
    older = books.pay(at - datetime.timedelta(days=300), "EXECUTING")
    books.pay(at - datetime.timedelta(days=300, hours=1), "SUCCESS")
    books.roll()
    assert books.totals("minute") == (0, 0, 0, 0)
    assert books.totals("hour") == (5, 0, 0, 2)
    assert books.totals("quarter") == (4, 0, 0, 1)
    books.move(order, "SUCCESS")
    books.move(older, "FAILED", reason="expired")
    seen = []
    quarter = at.replace(minute=15)
    rounds = books.roll(most=30, look=lambda: seen.append(
        (sum(books.totals("quarter", quarter)), sum(books.totals("day")))
    ))  # fmt: skip
    # no reader sees a quarter or a day of which a part is counted
    assert rounds > 5 and set(seen) == {(4, 7)}
    assert books.totals("minute") == (0, 0, 0, 0)
    assert books.totals("quarter") == (5, 0, 0, 0)
    assert books.totals("hour") == (6, 0, 1, 0)
    assert books.totals("day") == (6, 0, 1, 0)


def test_plans_of_an_empty_database_read_one_minute_alone(books, name):
    cold = Books(name)
    cold.run("SET plan_cache_mode = force_generic_plan; "
             "SET search_path = pay, pg_temp")  # fmt: skip
    at = minute_of(ago(hours=4))
    count = "SELECT count_minute('m', %s)"
    read = """SELECT coalesce(sum(seq_tup_read), 0)::int,
        coalesce(sum(idx_tup_fetch), 0)::int FROM pg_stat_xact_user_tables
        WHERE schemaname = 'pay'"""
    cold.run(count, (at,))
    for n in range(300):
        books.pay(at + datetime.timedelta(seconds=20 * n), "SUCCESS")
    with cold.connection, cold.connection.cursor() as cursor:
        cursor.execute(count, (at,))
        assert cursor.fetchone() == (3,)
        cursor.execute(read)
        scanned, fetched = cursor.fetchone()
    cold.connection.close()
    assert scanned == 0
    assert fetched <= 12


def test_a_second_run_changes_nothing(books):
    for n in range(50):
        books.pay(ago(minutes=7 * n), random.Random(n).choice(
            ("SUCCESS", "EXECUTING", "NOT_STARTED")))  # fmt: skip
    books.roll()
    before = {level: books.level(level) for level in ("minute", "hour", "day")}
    assert len(before["minute"]) > 40
    books.run("UPDATE pay.round SET from_tx = 0 WHERE name = 'rollup'")
    assert books.roll(most=20) > 2
    assert before == {level: books.level(level) for level in before}


def test_a_round_is_bounded_and_says_that_more_is_due(books):
    for n in range(30):
        books.pay(ago(minutes=n), "SUCCESS")
    books.run("UPDATE pay.round SET run_at = now() WHERE name = 'rollup'")
    ((outcome, counts),) = books.run(ROUND, (10,))
    assert outcome == "again"
    first = books.totals("minute")[0]
    assert first < 30
    assert json.loads(counts)["due"] > 0
    books.roll()
    assert books.totals("minute")[0] == 30


def test_what_is_not_committed_is_counted_by_a_later_round(books, name):
    order = books.pay(ago(hours=1), "EXECUTING")
    books.roll()
    other = Books(name)
    with other.connection.cursor() as cursor:
        values = {"id": order, "status": "SUCCESS", "reason": None,
                  "decline": None}  # fmt: skip
        cursor.execute(MOVED, values)
        cursor.execute("DELETE FROM pay.event")
        cursor.execute(TOLD, values)
        books.pay(ago(hours=2), "SUCCESS")
        books.run("UPDATE pay.round SET run_at = now() WHERE name = 'rollup'")
        ((outcome, _),) = books.run(ROUND, (1000,))
        assert outcome in ("checked", "again")
    other.connection.commit()
    other.connection.close()
    books.roll()
    assert books.totals("day") == (2, 0, 0, 0)


def test_two_workers_at_once_count_nothing_twice(books, name):
    for n in range(60):
        books.pay(ago(minutes=n % 20), "SUCCESS")
    broken = []

    def work():
        try:
            mine = Books(name)
            for _ in range(15):
                mine.run("UPDATE pay.rollup_due SET due_at = now() WHERE "
                         "(merchant_id, minute) IN (SELECT merchant_id, minute"
                         " FROM pay.rollup_due LIMIT 3 FOR UPDATE SKIP LOCKED)"
                         )  # fmt: skip
                mine.run(ROUND, (10,))
            mine.connection.close()
        except Exception as error:  # pylint: disable=broad-except
            broken.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert broken == []
    books.roll()
    for level in ("minute", "quarter", "hour", "day"):
        assert books.totals(level) == (60, 0, 0, 0)


def test_a_worker_that_dies_leaves_no_half_of_a_round(books, name):
    for n in range(10):
        books.pay(ago(minutes=n), "SUCCESS")
    dying = Books(name)
    dying.run("UPDATE pay.round SET run_at = now() WHERE name = 'rollup'")
    with dying.connection.cursor() as cursor:
        cursor.execute(ROUND, (1000,))
        # nobody else waits for it
        assert books.run(ROUND, (1000,))[0][0] == "not_due"
    dying.connection.close()
    assert books.totals("minute") == (0, 0, 0, 0)
    books.roll()
    assert books.totals("day")[0] == 10


def test_currencies_are_never_added_and_keep_their_decimals(books):
    at = ago(hours=2)
    for currency, minor in (("JPY", 1200), ("JPY", 1), ("KWD", 1234567),
                            ("KWD", 1), ("EUR", 99)):  # fmt: skip
        books.pay(at, "SUCCESS", currency=currency, minor=minor)
    books.pay(at, "EXECUTING", currency="KWD", minor=5)
    books.roll()
    volume = {v["currency"]: v for v in books.page()["volume"]}
    assert {c: v["amount"] for c, v in volume.items()} == {
        "JPY": "1201", "KWD": "1234.568", "EUR": "0.99",
    }  # fmt: skip
    assert sorted(set(volume["KWD"]["amounts"])) == ["0.000", "1234.568"]
    (row,) = books.page("flight")["items"]
    assert (row["age"], row["amount"], row["count"]) == ("under_1d", "0.005", 1)
    only = books.page(currency="JPY")
    assert [v["currency"] for v in only["volume"]] == ["JPY"]


def sums(plots):
    return [s["success"] for s in plots["steps"]]


def test_days_of_a_zone_have_23_and_25_hours(books):
    berlin = [
        # Berlin's 29 March 2026 has 23 hours, its 25 October 25
        (datetime.datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
         datetime.datetime(2026, 3, 29, 22, 0, tzinfo=UTC)),
        (datetime.datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
         datetime.datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),
    ]  # fmt: skip
    second = datetime.timedelta(seconds=1)
    for since, until in berlin:
        for at in (since - second, since, until - second, until):
            books.pay(at, "SUCCESS")
    books.roll()
    for since, until in berlin:
        asked = {"step": "day", "zone": "Europe/Berlin",
                 "from": since, "to": until}  # fmt: skip
        plots = books.page(**asked)
        assert sums(plots) == [2]
        assert (until - since).seconds in (23 * 3600, 3600)
        hours = books.page(**{**asked, "step": "hour"})
        assert len(hours["steps"]) == (until - since) // datetime.timedelta(
            hours=1
        )
        assert sum(sums(hours)) == 2
        # a zone of another offset has other days
        wider = books.page(**{**asked, "zone": "UTC"})
        assert sum(sums(wider)) == 4


def test_days_of_a_zone_that_is_45_minutes_off(books):
    # midnight of Kathmandu
    at = ago(days=3).replace(hour=18, minute=15, second=0)
    second = datetime.timedelta(seconds=1)
    for each in (at - second, at, at + datetime.timedelta(days=1) - second):
        books.pay(each, "SUCCESS")
    books.roll()
    plots = books.page(step="day", zone="Asia/Kathmandu",
                       **{"from": at, "to": ago()})  # fmt: skip
    assert sums(plots)[0] == 2
    plots = books.page(step="hour", zone="Asia/Kathmandu",
                       **{"from": at - second, "to": at})  # fmt: skip
    assert sums(plots) == [1]


def test_each_plot_adds_up_to_the_payments_it_links_to(books):
    chance = random.Random(4)
    for _ in range(150):
        status, reason = chance.choice(
            (("SUCCESS", None), ("FAILED", "expired"), ("FAILED", "declined"),
             ("EXECUTING", None), ("NOT_STARTED", None)))  # fmt: skip
        books.pay(
            ago(minutes=chance.randrange(2000)), status, reason=reason,
            psp=chance.choice(("stripe", "adyen")), merchant="m",
            method=chance.choice((None, "card", "ideal")),
            currency=chance.choice(("EUR", "JPY")),
            decline={"code": f"code_{'abcdefghijklm'[chance.randrange(13)]}",
                     "attempts": 2}
            if reason == "declined" else None,
        )  # fmt: skip
    books.roll()
    for query in ({}, {"psp": "adyen"}, {"method": "-"}, {"method": "ideal"},
                  {"currency": "JPY"}, {"merchant": "m", "psp": "stripe"},
                  {"merchant": "nobody"},
                  {"step": "day", "from": ago(days=3)}):  # fmt: skip
        plots = books.page(**query)
        total = {t["id"]: t["count"] for t in plots["totals"]["outcomes"]}
        for tile in plots["totals"]["outcomes"]:
            assert tile["count"] == len(listed(books, tile["link"]))
            assert tile["count"] == sum(s[tile["id"]] for s in plots["steps"])
        for rate in plots["rates"]:
            rows = listed(books, rate["link"])
            assert rate["approved"] == sum(r["attempts_approved"] for r in rows)
            assert rate["declined"] == sum(r["attempts_declined"] for r in rows)
        for each in plots["volume"]:
            rows = listed(books, each["link"])
            assert each["count"] == len(rows)
            assert float(each["amount"]) == pytest.approx(
                sum(float(r["amount"]) for r in rows)
            )
        codes = plots["declines"]["codes"]
        for each in codes:
            assert each["count"] == len(listed(books, each["link"]))
        declined = sum(c["count"] for c in codes) + plots["declines"]["other"]
        assert declined == total["failed"]
        assert len(codes) <= 10
    for row in books.page("flight")["items"]:
        rows = listed(books, row["link"])
        assert row["count"] == len(rows)
        assert float(row["amount"]) == pytest.approx(
            sum(float(r["amount"]) for r in rows)
        )


def listed(books, link):
    """The rows of a link, its times as the gateway reads them."""
    query = dict(link["query"])
    for name in ("from", "to"):
        if name in query:
            query[name] = datetime.datetime.fromisoformat(
                query[name].replace("Z", "+00:00")
            )
    rows = []
    while True:
        page = books.page(link["page"], limit="100", **query)
        rows += page["items"]
        if page["next"] is None:
            return rows
        query["before"] = page["next"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"step": "week"}, "minute, hour or day"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "FOO5"}, "zone"),
        ({"from": ago(days=30), "step": "minute"}, "400 points"),
        ({"from": ago(days=10), "to": ago(days=10) + datetime.timedelta(
            hours=1), "step": "minute"}, "reach back"),
        ({"from": ago(days=1), "to": ago(days=2)}, "before to"),
    ],
)  # fmt: skip
def test_a_plot_that_cannot_be_drawn_says_why(books, query, words):
    with pytest.raises(AssertionError, match=words):
        books.page(**query)


def test_no_merchant_but_ones_own_is_counted(books):
    books.pay(ago(hours=1), "SUCCESS", merchant="m")
    books.pay(ago(hours=1), "SUCCESS", merchant="n")
    books.pay(ago(hours=1), "EXECUTING", merchant="n")
    books.roll()
    for page, path in (("plots", "steps"), ("flight", "items")):
        ((text,),) = books.run(
            """SELECT page FROM pay_console.read_page(ARRAY[%s], '{ann}',
                ARRAY['["auditor"]'::jsonb], ARRAY['["m"]'::jsonb],
                ARRAY['{}'::jsonb])""",
            (page,),
        )
        found = json.loads(text)[path]
        assert sum(s.get("success", 0) for s in found) == (
            1 if page == "plots" else 0
        )


# Counters of orders and declined attempts (98_counts.sql).


def tell(books, order, seq, old, new, **detail):
    books.run(
        """INSERT INTO pay.event (merchant_id, payment_order_id, seq, at, tx,
            kind, actor, old_status, new_status, detail, hash)
        VALUES ('m', %s, %s, now(), pg_current_xact_id()::text::bigint, 'k',
            'webhook', %s, %s, %s, sha256('b'))""",
        (order, seq, old, new, json.dumps(detail)),
    )


def counted(books):
    return [
        set(books.run(f"SELECT {columns}, n::int FROM pay.{table}"))
        for table, columns in (
            ("order_count", "psp, method, currency, status"),
            ("decline_count", "psp, code"),
        )
    ]


def uncounted(books):
    books.run("DELETE FROM pay.order_count; DELETE FROM pay.decline_count")


def test_each_status_and_declined_attempt_is_counted_once(books):
    uncounted(books)
    card = books.pay(ago(hours=1), method="card")
    plain = books.pay(ago(days=300), psp="adyen", currency="JPY")
    books.run("DELETE FROM pay.event")
    for order in (card, plain):
        tell(books, order, 1, None, "NOT_STARTED")
        tell(books, order, 2, "NOT_STARTED", "EXECUTING")
    tell(books, card, 3, "EXECUTING", "EXECUTING", decline="expired_card")
    tell(books, card, 4, "EXECUTING", "EXECUTING", decline="expired_card")
    tell(books, card, 5, "EXECUTING", "SUCCESS")
    tell(books, card, 6, "SUCCESS", "SUCCESS", said="more")
    assert books.roll(most=2) > 2
    tell(books, plain, 3, "EXECUTING", "FAILED", decline="do_not_honor")
    books.roll()
    books.roll()
    orders, declines = counted(books)
    assert orders == {
        *(("stripe", "card", "EUR", status, 1)
          for status in ("NOT_STARTED", "EXECUTING", "SUCCESS")),
        *(("adyen", "-", "JPY", status, 1)
          for status in ("NOT_STARTED", "EXECUTING", "FAILED")),
    }  # fmt: skip
    assert declines == {
        ("stripe", "expired_card", 2),
        ("adyen", "do_not_honor", 1),
    }


def test_a_round_hands_the_counters_out(books):
    uncounted(books)
    order = books.pay(ago(hours=1), method="card")
    books.run("DELETE FROM pay.event")
    tell(books, order, 1, None, "NOT_STARTED")
    tell(books, order, 2, "NOT_STARTED", "FAILED", decline="lost_card")
    books.roll()
    ((counts,),) = books.run(
        "SELECT counts FROM pay.round WHERE name = 'rollup'"
    )
    kind = {"psp": "stripe", "method": "card", "currency": "EUR"}
    assert counts["orders"] == [kind | {"NOT_STARTED": 1, "FAILED": 1}]
    assert counts["declines"] == [
        {"psp": "stripe", "code": "lost_card", "n": 1}
    ]


def test_names_of_storefronts_make_no_more_than_128_kinds(books):
    uncounted(books)
    for n in range(200):
        order = books.pay(ago(hours=1), method=f"method-{n}")
        books.run(
            "DELETE FROM pay.event WHERE payment_order_id = %s", (order,)
        )
        tell(books, order, 1, None, "NOT_STARTED", decline=f"code_{n:03}")
        if n in (50, 130):
            books.roll()
    books.roll()
    orders, declines = counted(books)
    assert len(orders) == len(declines) == 128
    shared = [n for psp, *_, status, n in orders
              if psp == "other" and status == "NOT_STARTED"]  # fmt: skip
    assert sum(n for *_, n in declines) == 200
    assert shared == [n for psp, _, n in declines if psp == "other"] == [73]
