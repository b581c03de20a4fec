"""The console's plots over HTTPS: roll-ups that workers write, figures that
equal the lists they link to, merchants and zones (docs/console.md)."""

import datetime
import decimal
import re

import psycopg2
import pytest
from support.console import Staff
from support.problems import assert_problem
from support.waiting import wait_for


@pytest.fixture(scope="module")
def staff(gateway, tls):
    made = Staff(gateway, tls)
    yield made
    made.api.close()


@pytest.fixture(scope="module")
def run(gateway):
    """run(sql) → the rows, if there are any; as a superuser."""
    connection = psycopg2.connect(gateway.env["PG_ADMIN_DSN"])
    connection.autocommit = True

    def execute(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    yield execute
    connection.close()


@pytest.fixture(scope="module")
def count(run):
    """Has all that has happened counted, without waiting for the clock."""

    def look():
        run("UPDATE pay.round SET run_at = now() WHERE name = 'rollup'")
        run("UPDATE pay.rollup_due SET due_at = now()")
        rows = run(
            "SELECT outcome FROM pay_api.roll_up('{test}', '{0}', '{10000}')"
        )
        ((due,),) = run("SELECT count(*) FROM pay.rollup_due")
        return rows == [("checked",)] and due == 0

    return lambda: wait_for(look, 30, "the roll-ups")


@pytest.fixture(scope="module")
def paid(api, checkout, count, other_api):
    """Payments in several currencies, and one of the other merchant."""
    for currency, amount in (
        ("EUR", "12.34"),
        ("JPY", "1200"),
        ("KWD", "1.234"),
    ):
        body = checkout()
        order = body["payment_orders"][0]
        order["currency"], order["amount"] = currency, amount
        answer = api.create(body)
        assert answer.status_code == 201, answer.text
    assert other_api.create(checkout()).status_code == 201
    count()


def test_a_worker_counts_new_payments(staff, api, checkout, run):
    def total():
        document = staff.read("plots", "viewer", query={"step": "minute"}
                              | last(minutes=30))  # fmt: skip
        return sum(t["count"] for t in document["totals"]["outcomes"])

    before = total()
    answer = api.create(checkout())
    assert answer.status_code == 201, answer.text

    def counted():
        # neither the pause of the round nor that of the minute is the claim
        run("UPDATE pay.round SET run_at = now() WHERE name = 'rollup'")
        run("UPDATE pay.rollup_due SET due_at = now()")
        return total() > before

    wait_for(counted, 60, "the worker")
    metrics = staff.api.get("/metrics").text
    for name, most in (("due", 100), ("age_seconds", 60)):
        found = re.search(rf"^payments_rollup_{name} (\d+)$", metrics, re.M)
        assert int(found[1]) <= most, name


def last(**span):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "from": (now - datetime.timedelta(**span)).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
    }


def test_each_figure_equals_the_list_that_it_links_to(staff, paid, gateway):
    for query in (
        {},
        {"psp": "generic"},
        {"currency": "JPY"},
        {"method": "-"},
        {"merchant": gateway.other_merchant},
        {"step": "minute"} | last(hours=1),
        {"step": "day", "zone": "Asia/Kathmandu"} | last(days=2),
    ):
        plots = staff.read("plots", "auditor", query=query)
        totals = plots["totals"]["outcomes"]
        if "currency" not in query:
            assert sum(t["count"] for t in totals) > 0, query
        for tile in totals:
            rows = staff.rows("payments", "auditor",
                              query=tile["link"]["query"])  # fmt: skip
            # orders go on while the test reads
            assert abs(tile["count"] - len(rows)) <= 1, (query, tile)
        for each in plots["rates"]:
            rows = staff.rows("payments", "auditor",
                              query=each["link"]["query"])  # fmt: skip
            assert each["approved"] == sum(r["attempts_approved"] for r in rows)
            assert each["declined"] == sum(r["attempts_declined"] for r in rows)
        for each in plots["volume"]:
            rows = staff.rows("payments", "auditor",
                              query=each["link"]["query"])  # fmt: skip
            assert decimal.Decimal(each["amount"]) == sum(
                decimal.Decimal(r["amount"]) for r in rows
            )
    for each in staff.read("flight", "auditor")["items"]:
        rows = staff.rows("payments", "auditor", query=each["link"]["query"])
        assert abs(each["count"] - len(rows)) <= 1, each


def test_steps_are_whole_and_those_of_the_zone(staff, paid):
    plots = staff.read("plots", "viewer", query={"step": "day",
        "zone": "Europe/Berlin", "from": "2026-10-24T10:00:00Z",
        "to": "2026-10-26T10:00:00Z"})  # fmt: skip
    assert [s["at"] for s in plots["steps"]] == [
        "2026-10-23T22:00:00Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T23:00:00Z",
    ]
    assert plots["to"] == "2026-10-26T23:00:00Z"


def test_a_merchant_sees_figures_of_its_own_alone(staff, paid, gateway):
    mine = {"merchants": [gateway.other_merchant]}
    every = staff.read("plots", "viewer")
    own = staff.read("plots", "viewer", **mine)
    asked = staff.read("plots", "viewer",
                       query={"merchant": gateway.other_merchant})  # fmt: skip
    total = {
        name: sum(t["count"] for t in p["totals"]["outcomes"])
        for name, p in (("every", every), ("own", own), ("asked", asked))
    }
    assert 0 < total["own"] == total["asked"] < total["every"]
    asked = {"merchant": gateway.merchant}
    foreign = staff.read("plots", "viewer", query=asked, **mine)
    assert sum(t["count"] for t in foreign["totals"]["outcomes"]) == 0
    assert staff.read("flight", "viewer", query=asked, **mine)["items"] == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"step": "week"}, "step must be"),
        ({"zone": "Berlin"}, "zone must be"),
        ({"zone": "a b"}, "zone must be"),
        ({"method": "a\x00"}, "method must be"),
        ({"from": "2026-11-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"},
         "from must be before to"),
        ({"step": "minute", "from": "2026-11-01T00:00:00Z",
          "to": "2026-11-21T00:00:00Z"}, "400 points"),
    ],
)  # fmt: skip
def test_a_plot_that_cannot_be_drawn_is_refused(staff, gateway, query, words):
    answer = staff.get("plots", "viewer", query=query)
    document = assert_problem(answer, 422, "validation-error", gateway.url)
    assert words in document["detail"]
