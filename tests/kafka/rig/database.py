"""A PostgreSQL of the tests' own with a migrated database: sales through the
gateway's functions, messages, and the relay's mark.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import psycopg2
from support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "sql"))
from test_linear import BEGIN, PAID, TOKEN  # noqa: E402

PGBIN = "/usr/lib/postgresql/15/bin"
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{place}'
timezone = 'UTC'
"""
MODEL = "pay_model"
PUBLISH = "SELECT outcome FROM pay_api.publish_events('{w}', '{1000}')"
# What the relay reads, without the sales behind it.
FILL = """
WITH place AS (UPDATE pay.message_place SET position = position + %(n)s
               RETURNING position - %(n)s AS position),
made AS (
    SELECT p.position + n AS position, 'evt_' || md5((p.position + n)::text)
            AS id, 'payment/x' || (%(filled)s + n - 1) %% %(subjects)s
            AS subject,
        ((%(filled)s + n - 1) / %(subjects)s + 1)::int AS sequence
    FROM place p, generate_series(1, %(n)s) n
)
INSERT INTO pay.message (position, merchant_id, message_id, type, subject,
    sequence, at, body)
SELECT position, 'm', id, 'payment.succeeded', subject, sequence, now(),
    json_build_object('specversion', '1.0', 'id', id,
        'source', '/merchants/m', 'type', 'payment.succeeded',
        'subject', subject, 'sequence', lpad(sequence::text, 10, '0'),
        'data', json_build_object('pad', repeat('x', %(pad)s)))::text
FROM made ORDER BY position"""
REVENUE = """
SELECT o.seller_account, (t.at AT TIME ZONE 'UTC')::date::text, o.currency,
    sum(o.amount_minor)::bigint
FROM pay_view.timeline t
JOIN pay_view.orders o ON o.merchant_id = t.merchant_id
    AND o.payment_order_id = t.payment_order_id
WHERE t.new_status = 'SUCCESS' AND t.old_status <> 'SUCCESS'
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def run(place: Path, *command) -> None:
    """As the cluster's owner, who cannot be root."""
    if os.geteuid() == 0:
        command = ("runuser", "-u", "postgres", "--", *command)
    with (place / "out").open("ab") as out:
        subprocess.run(
            [str(word) for word in command], cwd="/", check=True, stdout=out,
            stderr=out, stdin=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip


class Cluster:
    def __init__(self, place: Path):
        self.place = place
        self.data = place / "data"
        place.chmod(0o755)
        if os.geteuid() == 0:
            subprocess.run(["chown", "postgres", place], check=True)
        make = f"{PGBIN}/initdb -U postgres --auth=trust --no-sync"
        run(place, *make.split(), "--encoding=UTF8", "--locale=C", self.data)
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(SETTINGS.format(place=place))

    def start(self) -> None:
        run(self.place, f"{PGBIN}/pg_ctl", "-D", self.data, "-l",
            self.place / "log", "-w", "-t", "60", "start")  # fmt: skip

    def stop(self) -> None:
        run(self.place, f"{PGBIN}/pg_ctl", "-D", self.data, "-m", "immediate",
            "-w", "-t", "60", "stop")  # fmt: skip

    def dsn(self, database: str, user: str = "postgres") -> str:
        return f"host={self.place} dbname={database} user={user}"

    def sql(self, statement: str) -> None:
        """Of an administrator, about databases."""
        link = psycopg2.connect(self.dsn("postgres"))
        link.autocommit = True
        link.cursor().execute(statement)
        link.close()


class Database:
    def __init__(self, cluster: Cluster, name: str):
        self.name = name
        self.cluster = cluster
        self.link = self.connect()
        self.sales = 0
        self.filled = 0

    def dsn(self, user: str) -> str:
        return self.cluster.dsn(self.name, user)

    def connect(self, user: str = "postgres"):
        link = psycopg2.connect(self.dsn(user))
        link.autocommit = True
        return link

    def sql(self, query: str, *args, **named) -> list[tuple]:
        with self.link.cursor() as cursor:
            cursor.execute(query, named or args)
            return cursor.fetchall() if cursor.description else []

    def value(self, query: str, *args):
        ((found,),) = self.sql(query, *args)
        return found

    def fill(self, count: int, subjects: int = 50, pad: int = 300) -> None:
        """Messages of one merchant, in turn about `subjects` orders."""
        self.sql(
            FILL, n=count, subjects=subjects, pad=pad, filled=self.filled
        )
        self.filled += count

    def sell(self, count: int, sellers: int = 7) -> None:
        """Orders that are paid, in commits of their own."""
        first, self.sales = self.sales, self.sales + count
        ids = [f"o{n}" for n in range(first, self.sales)]
        owners = [f"seller-{n % sellers}" for n in range(first, self.sales)]
        for statement in (BEGIN, TOKEN, PAID):
            ((made,),) = self.sql(statement, n=count, ids=ids, sellers=owners)
            assert made == count, statement

    def publish(self) -> None:
        """Until the outboxes are empty, as a worker of the gateway does."""
        link = self.connect("payments_gateway")
        try:
            with link.cursor() as cursor:
                while True:
                    cursor.execute(PUBLISH)
                    if cursor.fetchone()[0] != "again":
                        return
        finally:
            link.close()

    def revenue(self) -> list[tuple]:
        return self.sql(REVENUE)

    def messages(self) -> list[tuple]:
        """(id, merchant/subject, sequence) of each, in order."""
        return self.sql(
            "SELECT message_id::text, merchant_id || '/' || subject,"
            " sequence::int FROM pay.message ORDER BY position"
        )

    def mark(self, reader: str = "kafka") -> int:
        rows = self.sql(
            "SELECT position::bigint FROM pay.message_reader WHERE name = %s",
            reader,
        )
        return rows[0][0] if rows else 0

    def owner(self, reader: str = "kafka") -> str | None:
        rows = self.sql(
            "SELECT owner FROM pay.message_reader WHERE name = %s"
            " AND until > clock_timestamp()",
            reader,
        )
        return rows[0][0] if rows else None

    def forget_relays(self) -> None:
        """Ends what their connections are doing."""
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'payments_relay' AND datname = %s",
            self.name,
        )
        wait_for(lambda: self.relays() == 0, 120, "the end of connections")

    def relays(self) -> int:
        return self.value(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE usename = 'payments_relay' AND datname = %s",
            self.name,
        )

    def end(self) -> int:
        return self.value("SELECT position::bigint FROM pay.message_place")

    def wait_until_relayed(self, deadline: float = 120) -> None:
        end = self.end()
        wait_for(lambda: self.mark() >= end, deadline, "the relay's mark")


@contextlib.contextmanager
def cluster():
    """With a migrated database, of which each test gets a copy."""
    where = os.environ.get("SQL_PLACE")
    with tempfile.TemporaryDirectory(prefix="payments-pg.", dir=where) as place:
        made = Cluster(Path(place))
        made.start()
        try:
            made.sql(f"CREATE DATABASE {MODEL} TEMPLATE template0")
            subprocess.run(
                [PAYCTL, "migrate", "--dsn", made.dsn(MODEL),
                 "--sql", str(ROOT / "sql")],
                check=True, stdout=subprocess.DEVNULL, timeout=120,
            )  # fmt: skip
            yield made
        finally:
            made.stop()


@contextlib.contextmanager
def database(of: Cluster):
    name = f"pay_{uuid.uuid4().hex[:12]}"
    of.sql(f"CREATE DATABASE {name} TEMPLATE {MODEL}")
    made = Database(of, name)
    try:
        yield made
    finally:
        made.link.close()
        of.sql(f"DROP DATABASE {name} WITH (FORCE)")
