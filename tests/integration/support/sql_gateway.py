"""The functions of pay_api over real connections, as the gateway calls them,
and a scratch database for it.

PG_ADMIN_DSN is a superuser's DSN (default: the running stack's); PAYCTL is
the payctl to migrate with (default build/payctl).
"""

import collections
import json
import os
import pathlib
import threading
import uuid

import psycopg2
import psycopg2.extensions
import pytest

from . import scratch
from .gateway import load

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
MERCHANT = "acme"
USD_TOTAL = 100
PSPS = ("stripe", "adyen", "square")

# of the arguments of begin_payment
BEGIN_CASTS = (
    ["text", "text", "bytea"] + ["text"] * 7 + ["jsonb"] * 3
    + ["text", "bigint", "bigint", "bigint", "text", "text", "bigint", "text"]
    + ["bigint", "bigint", "text", "text", "text", "text", "text", "jsonb"])


class Gateway:
    """One connection as the gateway's role, with calls in Python lists."""

    def __init__(self, dsn):
        self.connection = psycopg2.connect(dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute("SET ROLE payments_gateway")

    def call(self, name, casts, columns):
        """Rows of pay_api.<name>, in item order: named tuples of all columns
        behind item, from outcome on.
        """
        args = ", ".join(f"%s::{cast}[]" for cast in casts)
        self.cursor.execute(f"SELECT * FROM pay_api.{name}({args})",
                            [list(column) for column in columns])
        rows = sorted(self.cursor.fetchall())
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        made = collections.namedtuple(
            "Row", [column.name for column in self.cursor.description[1:]])
        return [made(*row[1:]) for row in rows]

    def begin(self, items, psps=PSPS, windows=None, late=None, body=b"\0",
              terms=None):
        """items: (key, checkout, order) each; windows, late: key_windows and
        late_success; another body has another fingerprint.
        """
        rows = [(MERCHANT, key, body * 32, checkout, str(uuid.uuid4()),
                 uuid.uuid4().hex, psps[0], order, "https://shop.example/",
                 "https://pay.example", None, None, None, "USD", USD_TOTAL,
                 1900000000, n, order, "s", USD_TOTAL, None, 86400, 30000,
                 "request", " ".join(psps), "a race", windows, late, terms)
                for n, (key, checkout, order) in enumerate(items, 1)]
        return self.call("begin_payment", BEGIN_CASTS,
                         zip(*rows, strict=False))

    def store(self, items, psp=PSPS[0]):
        """items: (checkout, token) each; each has an alias, too."""
        rows = [(MERCHANT, checkout, psp, token, f"alias-{token}",
                 "https://psp.example/p", 5000, "request")
                for checkout, token in items]
        return self.call("store_token", ["text"] * 6 + ["bigint", "text"],
                         zip(*rows, strict=False))

    def store_no(self, items, psp=PSPS[0], dead=None, attempt=1):
        """items: (checkout, outcome) each."""
        rows = [(MERCHANT, checkout, psp, outcome, "code", 1000, "request",
                 "written", 500, dead, attempt) for checkout, outcome in items]
        return self.call("store_no_token", ["text"] * 5 + [
            "bigint", "text", "text", "bigint", "text", "bigint"],
            zip(*rows, strict=False))

    def reroute(self, items, psp=PSPS[0], attempt=1):
        """items: (checkout, outcome) each."""
        rows = [(MERCHANT, checkout, psp, outcome, "code", 30000, "request",
                 attempt, "resolved", None) for checkout, outcome in items]
        return self.call("reroute", ["text"] * 5 + [
            "bigint", "text", "bigint", "text", "bigint"],
            zip(*rows, strict=False))

    def apply(self, items, amount=None, reference=None):
        """items: (source, event id, fact, token) each."""
        rows = [("stripe", source, event_id, "type", fact, token, reference,
                 None, amount, None, None, "request")
                for source, event_id, fact, token in items]
        return self.call("apply_event", ["text"] * 8 + [
            "bigint", "text", "bytea", "text"], zip(*rows, strict=False))

    def finish(self, items, dead=None):
        """items: (checkout, kind, owner, delay) each."""
        rows = [(MERCHANT, checkout, kind, "", owner, delay, "code", dead)
                for checkout, kind, owner, delay in items]
        return self.call("finish_job", ["text"] * 5 + ["bigint", "text",
                                                       "text"],
                         zip(*rows, strict=False))

    def send(self, items, psp=PSPS[0], window_s=600):
        """items: (checkout, operation, operation id) each."""
        rows = [(MERCHANT, checkout, operation, operation_id, psp, window_s,
                 30000, "request")
                for checkout, operation, operation_id in items]
        return self.call("begin_dispatch", ["text"] * 5 + [
            "bigint", "bigint", "text"], zip(*rows, strict=False))

    def sent(self, items):
        """items: (checkout, operation, operation id, attempt, state) each."""
        rows = [(MERCHANT, *item, "complete", 200, "code", "reference",
                 "request") for item in items]
        return self.call("end_dispatch", ["text"] * 4 + [
            "bigint", "text", "text", "bigint", "text", "text", "text"],
            zip(*rows, strict=False))

    def sweep(self, **limits):
        """The outcome of a round with these limits."""
        return self.call("sweep", ["text", "bigint", "jsonb"],
                         (["worker"], [0], [json.dumps(limits)]))[0][0]

    def settle(self, verb, letter):
        """People requeue or resolve a dead letter: the outcome."""
        self.cursor.execute("SET ROLE payments_operator")
        self.cursor.execute(
            f"SELECT pay_ops.{verb}_dead_letter(%s, %s, %s)",
            (letter, "ann", "a race"))
        word = self.cursor.fetchone()[0]
        self.cursor.execute("SET ROLE payments_gateway")
        return word

    def claim(self, owner, slots):
        """Up to `slots` due jobs."""
        return self.call("claim_jobs", ["text", "bigint"],
                         ([owner] * slots, [60000] * slots))


@pytest.fixture(name="dsn", scope="module")
def database():
    """A migrated scratch database."""
    server = os.environ.get("PG_ADMIN_DSN") or load().env["PG_ADMIN_DSN"]
    with scratch.database(server, "pay_races") as made:
        yield made


@pytest.fixture(name="gateways")
def connections(dsn):
    """Makes n connections; afterwards every invariant must hold."""
    made = []

    def make(count):
        made.extend(Gateway(dsn) for _ in range(count))
        return made[-count:]

    yield make

    for gateway in made:
        gateway.connection.close()
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        for check in sorted((ROOT / "sql" / "checks").glob("*.sql")):
            cursor.execute(check.read_text())
            rows = cursor.fetchall()
            assert rows == [], (check.stem, rows[:3])


@pytest.fixture(name="registration")
def registration_of(dsn):
    """(psp, attempt, open attempts, token) of a checkout."""
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    cursor = connection.cursor()

    def read(checkout):
        cursor.execute(
            "SELECT psp, attempt, open_attempts, token FROM pay.registration"
            " WHERE checkout_id = %s", (checkout,))
        return cursor.fetchone()

    def due(checkout):
        cursor.execute(
            "UPDATE pay.job SET run_at = now() - interval '1 h'"
            " WHERE checkout_id = %s", (checkout,))
        assert cursor.rowcount == 1

    def journal(checkout):
        cursor.execute(
            "SELECT operation, attempt, psp, state, sends FROM pay.journal"
            " WHERE checkout_id = %s ORDER BY operation, attempt",
            (checkout,))
        return cursor.fetchall()

    def letters(checkout):
        cursor.execute("SELECT state FROM pay.dead_letter"
                       " WHERE checkout_id = %s", (checkout,))
        return [state for (state,) in cursor.fetchall()]

    read.due = due
    read.letters = letters
    read.journal = journal
    yield read
    connection.close()


def together(*calls):
    """Runs the calls at once, each on a thread; their results in order."""
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)
    errors = []

    def run(index, call):
        barrier.wait(30)
        try:
            results[index] = call()
        except psycopg2.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair)
               for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert errors == []
    return results


def outcomes(rows):
    """The outcome column."""
    return [row.outcome for row in rows]


def fresh(count=1):
    """(key, checkout, order) that nobody has used."""
    ids = [uuid.uuid4().hex for _ in range(count)]
    return [(f"key-{i}", f"c-{i}", f"o-{i}") for i in ids]


def status(gateway, checkout):
    """The status of the first order of a checkout."""
    (row,) = gateway.call("get_checkout", ["text"] * 2,
                          ([MERCHANT], [checkout]))
    return row.order_status


def wait_until_blocked(watch, gateway):
    """Returns once the backend of `gateway` waits for a lock."""
    pid = gateway.connection.info.backend_pid
    for _ in range(10000):
        watch.cursor.execute("SELECT cardinality(pg_blocking_pids(%s))",
                             (pid,))
        if watch.cursor.fetchone()[0] > 0:
            return
    raise AssertionError("never blocked")


def claimed(rows, checkout):
    """Whether a job of this checkout is among the rows, and at which PSP."""
    return [row.psp for row in rows if row.checkout_id == checkout]
