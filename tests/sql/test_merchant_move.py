"""A merchant moves to another cell: the fence beside payments that begin, and
payctl merchant move between two databases, killed at each of its steps.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import json
import re
import subprocess
import threading
import time
import uuid

import migrated
import psycopg2
import pytest
from test_settlement import PAYCTL, SOLD, Shop

BEGIN = SOLD.replace("SELECT count(*) FROM", "SELECT b.outcome FROM").replace(
    " b WHERE b.outcome = 'created')", " b)"
)
# The call of a node that has asked the other cell before.
ASKED = """array_fill('{"both_cells": true}'::jsonb,""".join(
    BEGIN.rsplit("array_fill(NULL::jsonb,", 1)
)
LOOK = """
SELECT DISTINCT outcome FROM pay_api.explain_begin('{m}', ARRAY[%(c)s],
    ARRAY[sha256('b')], ARRAY[%(c)s], ARRAY[%(c)s])"""
FENCE = "SELECT pay_ops.fence_merchant('m', 'b', 'ann')"
END = "SELECT pay_ops.end_fence('m')"
OUT = "SELECT carried FROM pay_ops.carry_out('m', '', 1, 'ann')"
BLOCKED = """
SELECT count(*) FROM pg_stat_activity
WHERE pid = %(pid)s AND wait_event_type = 'Lock'"""
SELLERS = 3


def wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "nothing happens"
        time.sleep(0.01)


def begins(name):
    return {"n": 1, "c": [name], "s": ["s"]}


def begin(shop, name):
    return shop.sql(BEGIN, begins(name))[0][0]


def begin_asked(shop, name):
    return shop.sql(ASKED, begins(name))[0][0]


def look(shop, name):
    return shop.sql(LOOK, {"c": name})[0][0]


class Call:
    """A query on a connection of its own, under way in a thread."""

    def __init__(self, shop, query, values=None):
        self.shop = shop
        self.connection = psycopg2.connect(dbname=shop.database)
        self.answer = None
        self.thread = threading.Thread(target=self._run, args=(query, values))
        self.thread.start()

    def _run(self, query, values):
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(query, values)
            self.answer = cursor.fetchall()[0][0]
        self.connection.close()

    def blocked(self):
        pid = {"pid": self.connection.info.backend_pid}
        wait_for(lambda: self.shop.sql(BLOCKED, pid) == [(1,)])
        return self

    def end(self):
        self.thread.join(60)
        return self.answer


class Held:
    """A transaction that an operator holds open."""

    def __init__(self, shop, query):
        self.connection = psycopg2.connect(dbname=shop.database)
        self.sql(query)

    def sql(self, query):
        with self.connection.cursor() as cursor:
            cursor.execute(query)

    def commit(self):
        self.connection.commit()
        self.connection.close()


def hold_keys(shop):
    """Keys can be read and not written."""
    return Held(shop, "LOCK TABLE pay.idempotency_key IN EXCLUSIVE MODE")


@pytest.fixture(name="cells")
def two_databases(tmp_path):
    """The old cell, with a balance of each of three sellers, and a new one."""
    shops = []
    for cell in "ab":
        name = f"pay_move_{cell}_{uuid.uuid4().hex[:12]}"
        migrated.create(name)
        shops.append(Shop(name, tmp_path))
    shops[0].sell(1, SELLERS, "s{}")
    yield shops
    for shop in shops:
        shop.connection.close()
        subprocess.run(["dropdb", "--force", shop.database], check=True)


# The fence.


def test_a_payment_that_began_before_the_fence_is_waited_for(cells):
    old = cells[0]
    lock = hold_keys(old)
    under_way = Call(old, BEGIN, begins("x")).blocked()
    assert old.sql(FENCE) == [("fencing",)]
    for _ in range(3):
        assert old.sql(END) == [("waiting",)]
    lock.commit()
    assert under_way.end() == "created"
    wait_for(lambda: old.sql(END) == [("moved",)])
    assert look(old, "x") in ("in_progress", "replayed")
    assert begin(old, "y") == "moved"


def test_the_number_of_the_fence_is_not_its_horizon(cells):
    """The fence has drawn its number first, and is committed second."""
    old = cells[0]
    lock = hold_keys(old)
    fence = Held(old, FENCE)
    under_way = Call(old, BEGIN, begins("x")).blocked()
    fence.commit()
    for _ in range(3):
        assert old.sql(END) == [("waiting",)]
    lock.commit()
    assert under_way.end() == "created"
    wait_for(lambda: old.sql(END) == [("moved",)])


KEY = """
INSERT INTO pay.idempotency_key (merchant_id, route, key, fingerprint,
    checkout_id, expires_at)
VALUES ('m', 'POST /v1/payments', 'x', sha256('b'), 'x', 'infinity')"""


def test_the_fence_is_read_before_the_key(cells):
    """Or a key that comes between the two would be free in the new cell."""
    old = cells[0]
    key = Held(old, KEY)
    old.sql(FENCE)
    fence = Held(old, "LOCK TABLE pay.merchant_move IN ACCESS EXCLUSIVE MODE")
    asked = Call(old, LOOK, {"c": "x"}).blocked()
    again = Call(old, BEGIN, begins("x")).blocked()
    key.commit()
    fence.sql(
        "UPDATE pay.merchant_move SET state = 'moved', horizon = '9',"
        " moved_at = clock_timestamp()"
    )
    fence.commit()
    assert asked.end() == "replayed"
    assert again.end() == "replayed"


def test_no_key_is_lost_or_doubled_under_load(cells):
    """Each storefront asks the old cell, and goes to the new one when that says
    moved; keys come twice, from several at once."""
    old = cells[0]
    names = [f"n{n}" for n in range(24)]
    told = []

    def sell(part):
        a, b = links = [psycopg2.connect(dbname=x.database) for x in cells]
        for link in links:
            link.autocommit = True
        for name in names[part::3] * 2 + names[(part + 1) % 3 :: 3]:
            told.append((name, until_taken(a, b, name)))
        for link in links:
            link.close()

    threads = [threading.Thread(target=sell, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(told) > 8)
    assert old.sql(FENCE) == [("fencing",)]
    wait_for(lambda: old.sql(END) == [("moved",)])
    for thread in threads:
        thread.join(60)
    both = [
        {row[0] for row in shop.sql("SELECT checkout_id FROM pay.checkout")}
        for shop in cells
    ]
    assert not both[0] & both[1]
    assert set(names) <= both[0] | both[1]
    assert both[1]
    created = [name for name, said in told if said == "created"]
    assert sorted(created) == sorted(names)


def until_taken(a, b, name):
    while True:
        said = asks(a, LOOK, {"c": name})
        if said == "unknown":
            said = asks(a, BEGIN, begins(name))
        elif said == "moved":
            said = asks(b, BEGIN, begins(name))
        if said not in ("moving", "moved"):
            return said


def asks(connection, query, values):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()[0][0]


# payctl merchant move.


def words(cells, *more, balances="carry"):
    more = more or ("--balances", balances)
    return ("merchant", "move", "m", "--from", "a", "--to", "b", "--to-dsn",
            cells[1].dsn, "--who", "ann", *more)  # fmt: skip


def move(cells, *more, code=0, **kind):
    return cells[0].payctl(*words(cells, *more, **kind), code=code)


def wallets(shop):
    return shop.sql(
        "SELECT seller_account, available_minor FROM pay.wallet"
        " WHERE available_minor <> 0 ORDER BY 1"
    )


BALANCES = [(f"s{n}", 1000) for n in range(1, SELLERS + 1)]


def expect_moved(cells):
    old, new = cells
    assert wallets(old) == []
    assert wallets(new) == BALANCES
    legs = [
        shop.sql(
            "SELECT transfer_id, seller_account, minor FROM pay.cell_transfer"
            " WHERE ended_at IS NOT NULL ORDER BY 1"
        )
        for shop in cells
    ]
    assert legs[0] == legs[1]
    assert len(legs[0]) == SELLERS
    sums = [
        shop.sql(
            "SELECT sum(amount_minor) FROM pay.journal_line"
            " WHERE account = 'cell_transfer'"
        )
        for shop in cells
    ]
    assert sums == [[(-SELLERS * 1000,)], [(SELLERS * 1000,)]]
    assert begin(old, "new") == "moved"
    assert begin(old, "o1") == "replayed"
    for shop in cells:
        shop.payctl("check")


def test_a_merchant_moves_with_its_balances(cells):
    said = move(cells)
    for line in (
        "m is fenced in a",
        "new payments of m begin in b",
        "3 balances were carried to b",
        "nothing of the merchant is in both cells",
    ):
        assert line in said
    expect_moved(cells)
    assert begin(cells[1], "z") == "created"
    shown = cells[0].payctl("merchant", "show", "m")
    assert "moved" in shown
    assert "ended" in shown


def test_balances_are_left_by_choice(cells):
    assert "0 balances" in move(cells, balances="leave")
    assert wallets(cells[0]) == BALANCES
    assert "3 balances" in move(cells)
    expect_moved(cells)


STEPS = {
    "fenced": [(0, FENCE)],
    "horizon": [(0, FENCE), (0, END)],
    "moved": [(0, FENCE), (0, END), (0, END)],
    "a leg out": [(0, FENCE), (0, END), (0, END), (0, OUT)],
}
LEGS = """
SELECT array_agg(transfer_id)::text, array_agg(seller_account::text)::text,
    array_agg(currency::text)::text, array_agg(minor::bigint)::text
FROM pay.cell_transfer"""
IN = """
SELECT pay_ops.carry_in('m', 'a', %s::uuid[], %s::text[], %s::text[],
    %s::bigint[], 'ann')"""


@pytest.mark.parametrize("step", STEPS)
def test_a_move_that_was_killed_goes_on(cells, step):
    for place, query in STEPS[step]:
        cells[place].sql(query)
    move(cells)
    expect_moved(cells)


def test_a_move_that_was_killed_behind_a_leg_in_goes_on(cells):
    for query in (FENCE, END, END, OUT, OUT):
        cells[0].sql(query)
    assert cells[1].sql(IN, cells[0].sql(LEGS)[0]) == [(2,)]
    move(cells)
    expect_moved(cells)


def test_a_move_that_is_killed_between_the_legs_goes_on(cells):
    """Both databases are in one cluster, whose transactions a fence awaits: it
    has ended when the lock is taken."""
    for query in (FENCE, END, END):
        cells[0].sql(query)
    lock = Held(cells[1], "LOCK TABLE pay.cell_transfer IN SHARE MODE")
    under_way = subprocess.Popen(
        [PAYCTL, *words(cells), "--dsn", cells[0].dsn],
        stdout=subprocess.DEVNULL,
    )
    wait_for(lambda: wallets(cells[0]) == [])
    under_way.kill()
    under_way.wait(60)
    lock.commit()
    move(cells)
    expect_moved(cells)


@pytest.mark.parametrize("cell", [0, 1])
def test_one_payctl_at_a_time_moves_a_merchant(cells, cell):
    """One that was stopped would lift the fence of a later move."""
    other = Held(
        cells[cell],
        "SELECT pg_advisory_lock(hashtextextended("
        "'payctl merchant move m', 0))",
    )
    for more in (("--balances", "carry"), ("--cancel",)):
        move(cells, *more, code=2)
    assert cells[0].sql("SELECT count(*) FROM pay.merchant_move") == [(0,)]
    other.commit()
    move(cells)


def test_a_fence_is_taken_back(cells):
    lock = hold_keys(cells[0])
    under_way = Call(cells[0], BEGIN, begins("x")).blocked()
    move(cells, "--balances", "carry", "--wait", "0", code=1)
    assert look(cells[0], "y") == "moving"
    lock.commit()
    assert under_way.end() == "created"
    assert "begin in a" in move(cells, "--cancel")
    assert begin(cells[0], "y") == "created"
    move(cells)
    move(cells, "--cancel", code=1)


def long_ago(shop):
    shop.sql(
        "UPDATE pay.merchant_move SET moved_at = moved_at - interval '1 hour',"
        " fenced_at = fenced_at - interval '1 hour'"
    )


def move_back(cells, code=0):
    return cells[1].payctl(
        "merchant", "move", "m", "--from", "b", "--to", "a", "--to-dsn",
        cells[0].dsn, "--balances", "leave", code=code,
    )  # fmt: skip


def move_back_later(cells):
    long_ago(cells[0])
    move_back(cells)


def forget(cells, *more, code=0):
    return cells[0].payctl("merchant", "forget", "m", "--to-dsn", cells[1].dsn,
                           "--who", "ann", *more, code=code)  # fmt: skip


def test_a_merchant_does_not_come_back_at_once(cells):
    """A node that has asked both cells before it went would begin a payment
    which has begun in the other one since."""
    move(cells, balances="leave")
    assert "less than 15 minutes ago" in move_back(cells, code=1)
    assert cells[1].sql("SELECT count(*) FROM pay.merchant_move") == [(0,)]
    move_back_later(cells)


def test_no_balance_is_left_under_way_by_a_move_back(cells):
    for query in (FENCE, END, END, OUT):
        cells[0].sql(query)
    assert "a balance is under way" in move_back(cells, code=1)
    move(cells)
    expect_moved(cells)
    move_back_later(cells)


HOLD = """
INSERT INTO pay.payout_hold (merchant_id, seller_account, payment_order_id, why)
VALUES ('m', 's1', '', 'w')"""


def test_money_that_is_held_stays(cells):
    """It comes when it is called again."""
    cells[0].sql(HOLD)
    assert "other sellers are held" in move(cells, code=1)
    cells[1].sql(HOLD)
    said = move(cells)
    assert "2 balances were carried" in said
    assert "1 balances stay in a" in said
    assert wallets(cells[0]) == BALANCES[:1]
    for shop in cells:
        shop.sql("DELETE FROM pay.payout_hold")
    said = move(cells)
    assert "1 balances were carried" in said
    assert "stay" not in said
    expect_moved(cells)


def test_a_merchant_comes_back(cells):
    """A node that asks no other cell could begin the key x once more."""
    move(cells, balances="leave")
    assert begin(cells[1], "x") == "created"
    move_back_later(cells)
    assert begin(cells[1], "y") == "moved"
    assert begin(cells[0], "x") == "moving"
    assert begin(cells[0], "y") == "moving"
    assert begin(cells[0], "o1") == "replayed"
    assert look(cells[0], "y") == "unknown"
    assert begin_asked(cells[0], "y") == "created"


def test_the_other_cell_is_forgotten_when_no_key_is_valid_there(cells):
    forget(cells, code=1)
    move(cells, balances="leave")
    assert begin(cells[1], "x") == "created"
    forget(cells, code=1)
    move_back_later(cells)
    shown = cells[0].payctl("merchant", "show", "m")
    assert re.search("is_asked +yes", shown)
    assert "are valid in the other cell until" in forget(cells, code=1)
    assert begin(cells[0], "y") == "moving"
    cells[1].sql("UPDATE pay.idempotency_key SET expires_at = now()")
    assert "without a question" in forget(cells)
    assert begin(cells[0], "y") == "created"
    forget(cells, code=1)


def test_a_database_that_the_merchant_has_not_left_says_nothing(
    cells, tmp_path
):
    """Any other database had passed, since it has no key: nodes that know one
    cell then began payments whose keys were valid in the other one."""
    move(cells, balances="leave")
    assert begin(cells[1], "x") == "created"
    move_back_later(cells)
    name = f"pay_move_c_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    third = Shop(name, tmp_path)
    forget((cells[0], third), code=1)
    third.connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)
    assert begin(cells[0], "y") == "moving"


@pytest.mark.parametrize(
    "more", [("--dry-run",), ("--from", "a"), ("--wait", "60"), ("--who", "")]
)
def test_forget_takes_nothing_else(cells, more):
    move(cells, balances="leave")
    move_back_later(cells)
    cells[1].sql("UPDATE pay.idempotency_key SET expires_at = now()")
    forget(cells, *more, code=1 if "--who" in more else 2)
    assert begin(cells[0], "y") == "moving"


def test_a_third_move_asks_the_first_cell(cells):
    """It comes back to the cell that it moved to at first."""
    move(cells, balances="leave")
    move_back_later(cells)
    assert begin_asked(cells[0], "x") == "created"
    long_ago(cells[1])
    move(cells, balances="leave")
    assert begin(cells[1], "x") == "moving"
    assert begin_asked(cells[1], "y") == "created"


def test_a_merchant_does_not_move_on_to_a_third_cell(cells):
    """Its first cell would not be asked for keys any more."""
    move(cells, balances="leave")
    for more in (("--dry-run",), ()):
        done = cells[1].payctl(
            "merchant", "move", "m", "--from", "b", "--to", "c", "--to-dsn",
            cells[0].dsn, "--balances", "leave", *more, code=1,
        )  # fmt: skip
        assert "older payments in the cell a" in done
    assert cells[1].sql("SELECT count(*) FROM pay.merchant_move") == [(0,)]


def test_the_moved_are_listed(cells):
    said = cells[0].payctl("merchant", "list")
    assert "all merchants begin their payments here" in said
    move(cells)
    listed = json.loads(cells[0].payctl("merchant", "list", "-o", "json"))
    assert [(m["merchant"], m["state"], m["cell"]) for m in listed] == [
        ("m", "moved", "b")
    ]
    assert "came_from" in cells[1].payctl("merchant", "show", "m")
    assert "all merchants" in cells[1].payctl("merchant", "list")


ENDPOINT = """
INSERT INTO pay.webhook_endpoint (merchant_id, endpoint_id, url, types, scheme,
    is_ordered, created_by)
VALUES ('m', 'e1', 'https://shop.example/hook', '{}', 'v1', false, 'ann')"""


@pytest.mark.parametrize(
    "query,said",
    [
        (ENDPOINT, "the endpoints are others"),
        (
            "INSERT INTO pay.payout_policy (merchant_id, reserve_percent)"
            " VALUES ('m', 5)",
            "the policy of pay-outs is another one",
        ),
        (
            "INSERT INTO pay.fee_policy (merchant_id, returns)"
            " VALUES ('m', 'all')",
            "the policy of fees is another one",
        ),
        (
            "INSERT INTO pay.payout_hold (merchant_id, seller_account,"
            " payment_order_id, why) VALUES ('m', 's9', '', 'a call')",
            "other sellers are held",
        ),
    ],
)
def test_what_the_new_cell_lacks_is_said_first(cells, query, said):
    cells[0].sql(query)
    for more in (("--balances", "carry", "--dry-run"), ()):
        assert said in move(cells, *more, code=1)
    assert cells[0].sql("SELECT count(*) FROM pay.merchant_move") == [(0,)]
    cells[1].sql(query)
    assert "may move" in move(cells, "--balances", "carry", "--dry-run")
    assert cells[0].sql("SELECT count(*) FROM pay.merchant_move") == [(0,)]
    move(cells)


def test_an_id_in_both_cells_is_found(cells):
    assert begin(cells[1], "o2") == "created"
    said = move(cells, code=1)
    for kind in ("checkout", "order", "key"):
        assert f"in both cells: {kind} o2" in said


@pytest.mark.parametrize(
    "more",
    [
        ("--balances", "some"),
        ("--dry-run",),
        ("--cancel", "--balances", "carry"),
        ("--balances", "carry", "--wait", "-1"),
        ("--balances", "carry", "--wait", "x"),
    ],
)
def test_a_call_that_says_too_little_does_nothing(cells, more):
    move(cells, *more, code=2)


def test_one_database_is_not_two_cells(cells):
    cells[1].dsn = cells[0].dsn
    move(cells, code=2)
    assert cells[0].sql("SELECT count(*) FROM pay.merchant_move") == [(0,)]
