"""A bug of concurrency that the simulator, with its one connection, cannot
have: planted on purpose, and seen (docs/reliability.md).
"""

import psycopg2
import psycopg2.errors
from support.sold import AT_EVERY_STEP
from support.sql_changes import sold
from support.sql_gateway import (
    Gateway,
    database,  # noqa: F401
    together,
)

SELLERS_ORDERS = 4
ROUNDS = 30
MISSED = "PAY23"
LOCK = "FOR NO KEY UPDATE) w ON true"


def sell(gateway) -> str | None:
    """The constraint that has refused it, if one has, or post()'s own count of
    the wallets that it has moved."""
    try:
        sold(gateway, orders=SELLERS_ORDERS)
    except psycopg2.errors.UniqueViolation as error:
        return error.diag.constraint_name
    except psycopg2.Error as error:
        if error.pgcode != MISSED:
            raise
        return MISSED
    return None


def unlock(cursor) -> None:
    """Takes the locks of wallets out of what books entries."""
    cursor.execute("SELECT pg_get_functiondef('pay.post'::regproc)")
    (source,) = cursor.fetchone()
    assert source.count(LOCK) == 1
    cursor.execute("SET LOCAL search_path = pay, pg_temp")
    cursor.execute(source.replace(LOCK, ") w ON true"))


def test_a_wallet_that_nobody_locks_is_caught(dsn):
    """Each of two sales reads the wallet and moves it from there.  The second
    of them finds another version of the row and moves none; the lines of a
    wallet are numbered besides, so that it cannot be committed."""
    some = [Gateway(dsn) for _ in range(8)]
    with psycopg2.connect(dsn) as admin, admin.cursor() as cursor:
        unlock(cursor)
    sold(some[0])
    refused = set()
    for _ in range(ROUNDS):
        refused.update(together(*[lambda g=g: sell(g) for g in some]))
        if refused != {None}:
            break
    assert refused - {None} <= {MISSED, "journal_line_statement"}
    assert refused != {None}
    with psycopg2.connect(dsn) as admin, admin.cursor() as cursor:
        cursor.execute(AT_EVERY_STEP)
        assert cursor.fetchall() == []
    for gateway in some:
        gateway.connection.close()
