"""Pay-outs that schedules have due, as operators set them with payctl and as
workers make them: several at once, and one that dies.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import psycopg2
import pytest
from test_payout import ACCOUNT, WHO, scratch  # noqa: F401

PIECE = "SELECT outcome FROM pay_api.make_due_payouts('{w}', '{3}')"
COMES = """
UPDATE pay.payout_schedule SET next_day = current_date,
    next_at = now() - interval '1 hour'"""
SCHEDULE = ("schedule", "--merchant", "m", "--every")
SELLERS = 20


@pytest.fixture(name="due")
def with_sellers(payer):
    """A shop with 20 sellers, one order of 10.00 EUR each, and a schedule whose
    time has come."""
    payer.sql("SELECT pay_ops.set_payout_policy('m', 'a', 'b', 'days', 0)")
    payer.sell(1, SELLERS, "s{}")
    for n in range(1, SELLERS + 1):
        account = ACCOUNT.replace("'s', 'EUR'", f"'s{n}', 'EUR'")
        assert payer.sql(account) == [("stored",)]
    payer.payctl("payout", *SCHEDULE, "day", "--batch", "8", *WHO)
    payer.sql(COMES)
    return payer


def expect_each_once(payer):
    """The run is done, with an item of each seller."""
    assert payer.sql(
        "SELECT state, wallets, items, batches, outcomes FROM pay.payout_run"
    ) == [("done", SELLERS, SELLERS, 3, {"made": SELLERS})]
    assert payer.sql(
        "SELECT count(*), count(DISTINCT seller_account), sum(amount_minor),"
        " count(DISTINCT made_by), count(batch_id) FROM pay.payout"
    ) == [(SELLERS, SELLERS, SELLERS * 1000, 1, SELLERS)]
    payer.check()


def test_workers_at_once_make_each_item_once(due):
    for _ in range(40):
        answers = due.together([PIECE] * 5)
        if all(answer == [("not_due",)] for answer in answers):
            break
    expect_each_once(due)


def test_a_worker_that_dies_in_a_piece_has_made_none_of_it(due):
    assert due.sql(PIECE) == due.sql(PIECE) == [("again",)]
    connection = psycopg2.connect(dbname=due.database)
    with connection.cursor() as cursor:
        cursor.execute(PIECE)
        assert cursor.fetchall() == [("again",)]
        # the next worker does not wait for it
        assert due.sql(PIECE) == [("not_due",)]
        cursor.execute("SELECT count(*) FROM pay.payout")
        assert cursor.fetchall() == [(6,)]
        due.sql(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
    connection.close()
    while due.sql(PIECE) == [("not_due",)]:
        pass  # its lock falls with its process
    assert due.sql("SELECT count(*) FROM pay.payout") == [(6,)]
    while due.sql(PIECE) == [("again",)]:
        pass
    expect_each_once(due)


def test_an_operator_sets_a_schedule_and_sees_its_runs(due):
    while due.sql(PIECE) == [("again",)]:
        pass
    row = due.table("runs", "--merchant", "m")[0]
    assert row[1] == "*" and row[4:8] == ["done", "20", "20", "3"]
    due.payctl("payout", *SCHEDULE, "week", "--on", "5", "--at", "17:30",
               "--zone", "Europe/Berlin", "--calendar", "TARGET",
               "--seller", "s1", *WHO)  # fmt: skip
    shown = due.payctl("payout", "schedules", "--merchant", "m")
    for word in ("s1", "week", "17:30", "Europe/Berlin", "TARGET", "day"):
        assert word in shown
    assert (
        due.payctl("payout", *SCHEDULE, "none", "--seller", "s1", *WHO)
        == "removed\n"
    )
    for words in (
        ("none", "--seller", "s1"),
        ("week",),
        ("week", "--on", "8"),
        ("day", "--zone", "Mars"),
        ("day", "--at", "25:00"),
        ("day", "--calendar", "XX"),
    ):
        due.payctl("payout", *SCHEDULE, *words, *WHO, code=1)
    due.payctl("payout", *SCHEDULE, "week", "--on", "Friday", *WHO, code=2)


def test_an_operator_keeps_a_calendar(payer):
    calendar = ("payout", "calendar", "own")
    assert payer.payctl(*calendar, "--closed", "6,7", *WHO) == "stored\n"
    holiday = ("payout", "holiday", "own", "2026-12-24")
    assert payer.payctl(*holiday, "--name", "Eve", *WHO) == "stored\n"
    assert payer.table("holidays", "own") == [["2026-12-24", "Eve", "6,7"]]
    assert payer.payctl(*holiday, "--remove", *WHO) == "removed\n"
    payer.payctl(*holiday, "--remove", *WHO, code=1)
    payer.payctl(*holiday, *WHO, code=2)
    payer.payctl("payout", "holiday", "own", "someday", "--name", "x", *WHO,
                 code=1)  # fmt: skip
    assert payer.payctl(*calendar, "--closed", "none", *WHO) == "stored\n"
    payer.payctl(*calendar, "--closed", "8", *WHO, code=1)
    payer.payctl("payout", "holidays", "XX", code=1)
    assert "Good Friday" in payer.payctl("payout", "holidays", "TARGET")
