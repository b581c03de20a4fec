"""A scratch database for payctl's commands, and payments in it that are made
by calling pay_api.

PG_ADMIN_DSN is a superuser's DSN (default: the running stack's).
"""

import os
import pathlib
import re
import subprocess
import uuid

import psycopg2
import psycopg2.extensions
import pytest

from . import scratch
from .gateway import load

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))


class Books:
    """A database in which payments are made by calling pay_api."""

    def __init__(self, dsn):
        self.dsn = dsn
        self.connection = psycopg2.connect(dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def run(self, sql, *values):
        self.cursor.execute(sql, values)
        return self.cursor.fetchall() if self.cursor.description else None

    def value(self, sql, *values):
        return self.run(sql, *values)[0][0]

    def begin(self, order, merchant="acme", late="accept", token=None,
              checkout=None, key=None, risk=None, hits=()):  # fmt: skip
        """A checkout of one order, registered if there is a token; its names
        are the order's unless told; hits: name, word, in shadow."""
        checkout = checkout or order
        outcome = self.value(
            "SELECT outcome FROM pay_api.begin_payment(ARRAY[%s], ARRAY[%s],"
            " ARRAY[sha256('b')], ARRAY[%s], ARRAY[gen_random_uuid()::text],"
            " ARRAY[%s], '{stripe}', ARRAY[%s], '{u}', '{u}', '{NULL}',"
            " '{NULL}', '{NULL}', '{USD}', '{1234}', '{1900000000}',"
            " '{1}', ARRAY[%s], '{s}', '{1234}', '{NULL}', '{60}', '{60}',"
            " '{r}', '{NULL}', '{NULL}', '{NULL}', ARRAY[%s], '{NULL}',"
            " ARRAY[%s::jsonb], %s::bigint[], %s::text[], %s::text[],"
            " %s::bigint[])",
            merchant, key or order, checkout, uuid.uuid4().hex, order, order,
            late, risk, [1] * len(hits), [hit[0] for hit in hits],
            [hit[1] for hit in hits], [int(hit[2]) for hit in hits])
        assert outcome == "created"
        if token is not None:
            assert self.value(
                "SELECT outcome FROM pay_api.store_token(ARRAY[%s], ARRAY[%s],"
                " '{stripe}', ARRAY[%s], '{NULL}', '{u}', '{1000}', '{r}')",
                merchant, checkout, token) == "stored"

    def fact(self, token, fact, reference=None, amount=None):
        return self.value(
            "SELECT outcome FROM pay_api.apply_event('{stripe}', '{webhook}',"
            " ARRAY[%s], ARRAY[%s], ARRAY[%s], ARRAY[%s], ARRAY[%s],"
            " '{NULL}', ARRAY[%s::bigint], ARRAY[%s], '{NULL}', '{r}')",
            f"evt-{token}-{fact}", "type", fact, token, reference, amount,
            None if amount is None else "USD")

    def refund(self, order, amount=100):
        """A refund of a payment that came, of which nobody knows whether the
        PSP has done it.
        """
        self.begin(order, token=f"t-{order}")
        assert self.fact(f"t-{order}", "paid", f"pi-{order}") == "applied"
        change = str(uuid.uuid4())
        assert (
            self.value(
                "SELECT outcome FROM pay_api.begin_change('{acme}', ARRAY[%s],"
                " '{refund}', ARRAY[%s], ARRAY[%s], ARRAY[sha256('b')],"
                " '{1000}', ARRAY[%s::bigint], '{NULL}', '{broken}',"
                " '{NULL}', '{1000}', '{r}')",
                order,
                change,
                change,
                amount,
            )
            == "created"
        )
        attempt = self.value(
            "SELECT attempt FROM pay_api.begin_dispatch('{acme}', ARRAY[%s],"
            " '{refund}', ARRAY[%s], '{stripe}', '{600}', '{30000}', '{r}')",
            order,
            change,
        )
        assert (
            self.value(
                "SELECT outcome FROM pay_api.end_dispatch('{acme}', ARRAY[%s],"
                " '{refund}', ARRAY[%s], ARRAY[%s::bigint], '{UNKNOWN}',"
                " '{written}', '{504}', '{timeout}', '{NULL}', '{r}')",
                order,
                change,
                attempt,
            )
            == "stored"
        )
        self.run(
            "UPDATE pay.job SET lease_owner = 'w', lease_until = now()"
            " WHERE operation_id = %s",
            change,
        )
        assert (
            self.value(
                "SELECT outcome FROM pay_api.finish_job('{acme}', ARRAY[%s],"
                " '{change}', ARRAY[%s], '{w}', '{0}', '{unknown}',"
                " '{key_window_over}')",
                order,
                change,
            )
            == "done"
        )
        return change

    def dispute(self, order, amount=100):
        """An open dispute about a payment that came: its id."""
        self.begin(order, token=f"t-{order}")
        assert self.fact(f"t-{order}", "paid", f"pi-{order}") == "applied"
        name = f"dp-{order}"
        assert self.value(
            "SELECT outcome FROM pay_api.apply_change('{stripe}', '{webhook}',"
            " ARRAY[%s], '{type}', '{dispute}', '{opened}', ARRAY[%s],"
            " '{NULL}', ARRAY[%s], '{NULL}', ARRAY[%s::bigint], '{USD}',"
            " '{NULL}', '{NULL}', '{NULL}', ARRAY[sha256('b')], '{r}')",
            f"evt-{name}", f"t-{order}", name, amount) == "applied"
        return name

    def differ(self, order):
        """A payment of another amount."""
        self.begin(order, token=f"t-{order}")
        assert self.fact(f"t-{order}", "paid", amount=5) == "mismatch"
        return str(
            self.value(
                "SELECT mismatch_id FROM pay.mismatch WHERE checkout_id = %s",
                order,
            )
        )

    def give_up(self, order, code="timeout"):
        """A registration whose attempts are over."""
        self.begin(order)
        assert self.value(
            "SELECT outcome FROM pay_api.store_no_token('{acme}', ARRAY[%s],"
            " '{stripe}', '{unknown}', ARRAY[%s], '{1000}', '{r}',"
            " '{written}', '{504}', '{retry_limit}', '{1}')", order, code,
        ) == "stored"
        return self.value(
            "SELECT dead_letter_id FROM pay.dead_letter WHERE checkout_id = %s"
            " AND state = 'open'", order)


@pytest.fixture(name="books", scope="module")
def database():
    """A migrated scratch database."""
    server = os.environ.get("PG_ADMIN_DSN") or load().env["PG_ADMIN_DSN"]
    with scratch.database(server, "pay_payctl") as made:
        yield Books(made)


@pytest.fixture(name="payctl")
def command(books):
    """Runs payctl; (exit code, stdout, stderr).  role: SET ROLE first."""

    def run(*words, role=None):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("PAYCTL")}
        env["PAYCTL_DSN"] = books.dsn
        if role is not None:
            env["PGOPTIONS"] = f"-c role={role}"
        done = subprocess.run([PAYCTL, *words], env=env, capture_output=True,
                              check=False, timeout=60)
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)
        out = done.stdout.decode()
        assert not re.search("[\u0080-\u009f\u202a-\u202e\u2066-\u2069]", out)
        return done.returncode, out, done.stderr.decode()

    return run


@pytest.fixture(name="name")
def fresh_name():
    return f"o-{uuid.uuid4().hex[:8]}"


def fields(text):
    """name → value of the head of an explanation or of a record."""
    head = text.split("\n\nwhat happened\n")[0]
    return {line[:15].strip(): line[15:] for line in head.splitlines()
            if line[:15].strip()}
