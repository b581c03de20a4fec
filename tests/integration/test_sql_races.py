"""Races between calls of pay_api on real connections (security.md T3, T5,
T9, T38): one winner, no deadlock, every invariant clean afterwards.

PG_ADMIN_DSN is a superuser's DSN (default: the running stack's); the tests
make and drop a database of their own.  PAYCTL is the payctl to migrate with
(default build/payctl).
"""

import json
import os
import pathlib
import random
import subprocess
import threading
import uuid

import psycopg2
import psycopg2.extensions
import pytest
from support.gateway import load

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
MERCHANT = "acme"
USD_TOTAL = 100


class Gateway:
    """One connection as the gateway's role, with calls in Python lists."""

    def __init__(self, dsn):
        self.connection = psycopg2.connect(dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute("SET ROLE payments_gateway")

    def call(self, name, casts, columns):
        """Rows of pay_api.<name>, in item order, as (outcome, rest...)."""
        args = ", ".join(f"%s::{cast}[]" for cast in casts)
        self.cursor.execute(f"SELECT * FROM pay_api.{name}({args})",
                            [list(column) for column in columns])
        rows = sorted(self.cursor.fetchall())
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        return [row[1:] for row in rows]

    def begin(self, items):
        """items: (key, checkout, order) each."""
        casts = ["text", "text", "bytea"] + ["text"] * 7 + ["jsonb"] * 3 + [
            "text", "bigint", "bigint", "jsonb", "bigint", "bigint", "text"]
        rows = [(MERCHANT, key, b"\0" * 32, checkout, str(uuid.uuid4()),
                 uuid.uuid4().hex, "stripe", order, "https://shop.example/",
                 "https://pay.example", None, None, None, "USD", USD_TOTAL,
                 1900000000,
                 json.dumps([{"id": order, "seller": "s", "currency": "USD",
                              "amount": USD_TOTAL}]),
                 86400, 30000, "request") for key, checkout, order in items]
        return self.call("begin_payment", casts, zip(*rows, strict=False))

    def store(self, items):
        """items: (checkout, token) each."""
        rows = [(MERCHANT, checkout, token, "https://psp.example/p", 5000,
                 "request") for checkout, token in items]
        return self.call("store_token", ["text"] * 4 + ["bigint", "text"],
                         zip(*rows, strict=False))

    def store_no(self, items):
        """items: (checkout, outcome) each."""
        rows = [(MERCHANT, checkout, outcome, "code", 1000, "request")
                for checkout, outcome in items]
        return self.call("store_no_token", ["text"] * 4 + ["bigint", "text"],
                         zip(*rows, strict=False))

    def apply(self, items):
        """items: (source, event id, fact, token) each."""
        rows = [("stripe", source, event_id, "type", fact, token, None, None,
                 None, None, None, "request")
                for source, event_id, fact, token in items]
        return self.call("apply_event", ["text"] * 8 + [
            "bigint", "text", "bytea", "text"], zip(*rows, strict=False))

    def finish(self, items):
        """items: (checkout, kind, owner, delay) each."""
        rows = [(MERCHANT, checkout, kind, owner, delay, "code")
                for checkout, kind, owner, delay in items]
        return self.call("finish_job", ["text"] * 4 + ["bigint", "text"],
                         zip(*rows, strict=False))

    def claim(self, owner, slots):
        """Up to `slots` due jobs."""
        return self.call("claim_jobs", ["text", "bigint"],
                         ([owner] * slots, [60000] * slots))


@pytest.fixture(name="dsn", scope="module")
def database():
    """A migrated scratch database."""
    server = os.environ.get("PG_ADMIN_DSN") or load().env["PG_ADMIN_DSN"]
    admin = psycopg2.connect(server)
    admin.autocommit = True
    name = f"pay_races_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    admin.cursor().execute(f"CREATE DATABASE {name} TEMPLATE template0")
    dsn = psycopg2.extensions.make_dsn(server, dbname=name)
    try:
        subprocess.run([PAYCTL, "migrate", "--dsn", dsn, "--sql",
                        str(ROOT / "sql")], check=True)
        yield dsn
    finally:
        admin.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.close()


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
            assert cursor.fetchall() == [], check.stem


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
    return [row[0] for row in rows]


def fresh(count=1):
    """(key, checkout, order) that nobody has used."""
    ids = [uuid.uuid4().hex for _ in range(count)]
    return [(f"key-{i}", f"c-{i}", f"o-{i}") for i in ids]


def status(gateway, checkout):
    """The status of the first order of a checkout."""
    (row,) = gateway.call("get_checkout", ["text"] * 2,
                          ([MERCHANT], [checkout]))
    return json.loads(row[-1])[0]["status"]


def test_twenty_first_requests_with_one_key_create_once(gateways):
    some = gateways(20)
    for _ in range(5):
        item = fresh()
        results = together(*[lambda g=g: g.begin(item) for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["created"] + ["in_progress"] * 19


def test_twenty_keys_for_one_checkout_create_once(gateways):
    some = gateways(20)
    for _ in range(5):
        ((_, checkout, order),) = fresh()
        results = together(*[
            lambda g=g: g.begin([(uuid.uuid4().hex, checkout, order)])
            for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["created"] + ["exists"] * 19
        assert {rows[0][2] for rows in results} == {checkout}


def test_checkouts_that_share_an_order_leave_one(gateways):
    some = gateways(20)
    for _ in range(5):
        ((_, _, order),) = fresh()
        results = together(*[lambda g=g: g.begin([fresh()[0][:2] + (order,)])
                             for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["created"] + ["exists"] * 19


def test_twenty_copies_of_a_webhook_apply_once(gateways):
    some = gateways(20)
    for _ in range(5):
        item = fresh()
        checkout = item[0][1]
        some[0].begin(item)
        some[0].store([(checkout, checkout)])
        event = [("webhook", uuid.uuid4().hex, "paid", checkout)]
        results = together(*[lambda g=g: g.apply(event) for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["applied"] + ["duplicate"] * 19
        assert status(some[0], checkout) == "SUCCESS"


def test_paid_and_expired_at_once_end_in_success(gateways):
    one, two, three = gateways(3)
    seen = set()
    for _ in range(40):
        item = fresh()
        checkout = item[0][1]
        one.begin(item)
        one.store([(checkout, checkout)])
        results = together(
            lambda: one.apply([("webhook", checkout, "paid", checkout)]),
            lambda: two.apply([("gateway", None, "expired", checkout)]),
            lambda: three.apply([("query", None, "declined", checkout)]))
        assert outcomes(results[0]) == ["applied"]
        seen.add(tuple(outcomes(rows)[0] for rows in results[1:]))
        assert status(one, checkout) == "SUCCESS"
    assert seen <= {("applied", "unchanged"), ("unchanged", "applied"),
                    ("unchanged", "unchanged")}


def test_a_webhook_beside_its_token_is_never_lost(gateways):
    one, two = gateways(2)
    seen = set()
    for _ in range(100):
        item = fresh()
        checkout = item[0][1]
        one.begin(item)
        stored, applied = together(
            lambda: one.store([(checkout, checkout)]),
            lambda: two.apply([("webhook", checkout, "paid", checkout)]))
        assert outcomes(stored) == ["stored"]
        seen.add(outcomes(applied)[0])
        assert status(one, checkout) == "SUCCESS"
    assert seen <= {"parked", "applied"}


@pytest.mark.parametrize("first", ["token", "webhook"])
def test_the_second_waits_for_an_open_transaction(gateways, first):
    """Both orders by force: the first is done but not committed when the
    second begins; the second waits, then sees it."""
    one, two, watch = gateways(3)
    item = fresh()
    checkout = item[0][1]
    one.begin(item)

    def token(gateway):
        return gateway.store([(checkout, checkout)])

    def webhook(gateway):
        return gateway.apply([("webhook", checkout, "paid", checkout)])

    calls = (token, webhook) if first == "token" else (webhook, token)
    one.connection.autocommit = False
    before = calls[0](one)
    result = []
    thread = threading.Thread(target=lambda: result.append(calls[1](two)))
    thread.start()
    wait_until_blocked(watch, two)
    assert result == []
    one.connection.commit()
    thread.join(30)
    words = (outcomes(before) + outcomes(result[0]))
    assert words == (["stored", "applied"] if first == "token"
                     else ["parked", "stored"])
    one.connection.autocommit = True
    assert status(one, checkout) == "SUCCESS"


def wait_until_blocked(watch, gateway):
    """Returns once the backend of `gateway` waits for a lock."""
    pid = gateway.connection.info.backend_pid
    for _ in range(10000):
        watch.cursor.execute("SELECT cardinality(pg_blocking_pids(%s))",
                             (pid,))
        if watch.cursor.fetchone()[0] > 0:
            return
    raise AssertionError("never blocked")


def test_one_token_for_two_checkouts_goes_to_one(gateways):
    some = gateways(8)
    for _ in range(20):
        items = fresh(8)
        some[0].begin(items)
        token = uuid.uuid4().hex
        results = together(*[
            lambda g=g, c=item[1]: g.store([(c, token)])
            for g, item in zip(some, items, strict=False)])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["mismatch"] * 7 + ["stored"]
        for item in items:
            some[0].store([(item[1], item[1])])


def test_two_tokens_for_one_checkout_keep_the_first(gateways):
    some = gateways(8)
    for _ in range(20):
        item = fresh()
        some[0].begin(item)
        results = together(*[
            lambda g=g, n=n: g.store([(item[0][1], f"{item[0][1]}-{n}")])
            for n, g in enumerate(some)])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["mismatch"] * 7 + ["stored"]
        assert len({rows[0][7] for rows in results}) == 1


def test_token_beside_giving_up_leaves_one_story(gateways):
    one, two = gateways(2)
    for _ in range(40):
        item = fresh()
        checkout = item[0][1]
        one.begin(item)
        stored, given_up = together(
            lambda: one.store([(checkout, checkout)]),
            lambda: two.store_no([(checkout, "expired")]))
        words = (outcomes(stored)[0], outcomes(given_up)[0])
        assert words in {("stored", "already"), ("mismatch", "stored")}
        assert outcomes(two.apply([("webhook", checkout, "paid",
                                    checkout)])) == ["applied"]


def test_a_due_job_goes_to_one_worker(gateways, dsn):
    some = gateways(8)
    items = fresh(40)
    some[0].begin(items)
    with psycopg2.connect(dsn) as connection:
        connection.cursor().execute(
            "UPDATE pay.job SET run_at = now() - interval '1 s'"
            " WHERE checkout_id = ANY (%s)", ([i[1] for i in items],))
    connection.close()
    results = together(*[lambda g=g, n=n: g.claim(f"worker-{n}", 8)
                         for n, g in enumerate(some)])
    taken = [row[4] for rows in results for row in rows if row[0] == "job"]
    while True:
        rest = [row[4] for row in some[0].claim("last", 8)
                if row[0] == "job"]
        if not rest:
            break
        taken.extend(rest)
    # jobs of other tests may have come due meanwhile: only ours count
    mine = {item[1] for item in items}
    assert sorted(t for t in taken if t in mine) == sorted(mine)


def test_overlapping_batches_in_opposite_orders_never_deadlock(gateways):
    """Two batches of every kind over the same keys, one of them backwards.
    A deadlock is an error here: together() lets none pass."""
    one, two, three = gateways(3)
    for number in range(200):
        items = fresh(12)
        checkouts = [item[1] for item in items]
        random.Random(number).shuffle(items)

        def both(call, batch):
            half = len(batch) // 3
            return together(lambda: call(one, batch[:-half]),
                            lambda: call(two, batch[::-1][:-half]),
                            lambda: call(three, batch))

        both(Gateway.begin, items)
        both(Gateway.store_no, [(c, "unknown") for c in checkouts[:4]])
        together(
            lambda: one.store([(c, c) for c in checkouts]),
            lambda: two.store([(c, c) for c in checkouts[::-1]]),
            lambda: three.apply([("webhook", f"{c}-early", "pending", c)
                                 for c in checkouts]))
        together(
            lambda: one.apply([("webhook", c, "paid", c)
                               for c in checkouts]),
            lambda: two.apply([("webhook", c, "paid", c)
                               for c in checkouts[::-1]]),
            lambda: three.finish([(c, "poll", "nobody", 0)
                                  for c in checkouts[::-1]]))
        assert status(one, checkouts[0]) == "SUCCESS"


def test_mixed_calls_over_few_keys_never_deadlock(gateways):
    """Anything against anything, on keys that are mostly taken."""
    some = gateways(6)
    items = fresh(10)

    def storm(gateway, seed):
        dice = random.Random(seed)
        for _ in range(60):
            batch = dice.choices(items, k=dice.randint(1, 8))
            what = dice.randrange(6)
            if what == 0:
                gateway.begin([(key, checkout, dice.choice(items)[2])
                               for key, checkout, _ in batch])
            elif what == 1:
                gateway.store([(c, dice.choice(items)[1])
                               for _, c, _ in batch])
            elif what == 2:
                gateway.store_no([(c, dice.choice(["unknown", "not_sent"]))
                                  for _, c, _ in batch])
            elif what == 3:
                gateway.claim(f"worker-{seed}", len(batch))
            elif what == 4:
                gateway.finish([(c, "register", f"worker-{seed}", 0)
                                for _, c, _ in batch])
            else:
                gateway.apply([
                    (dice.choice(["webhook", "query"]),
                     f"{c}-{dice.randrange(5)}",
                     dice.choice(["pending", "paid", "declined", "none"]), c)
                    for _, c, _ in batch])

    together(*[lambda g=g, n=n: storm(g, n) for n, g in enumerate(some)])
