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
# It makes wallets that are not there, and locks none.
UNLOCKED = """
CREATE OR REPLACE FUNCTION pay.lock_wallets(
    p_merchant_id text[], p_seller text[], p_currency text[])
RETURNS void LANGUAGE sql SET search_path = pay, pg_temp AS $$
INSERT INTO wallet (merchant_id, seller_account, currency)
SELECT DISTINCT * FROM unnest(p_merchant_id, p_seller, p_currency)
ON CONFLICT DO NOTHING
$$
"""


def sell(gateway) -> str | None:
    """The constraint that has refused it, if one has."""
    try:
        sold(gateway, orders=SELLERS_ORDERS)
    except psycopg2.errors.UniqueViolation as error:
        return error.diag.constraint_name
    return None


def test_a_wallet_that_nobody_locks_is_caught(dsn):
    """Each of two sales reads the wallet and moves it from there.  The lines
    of a wallet are numbered, so the second of them cannot be committed."""
    some = [Gateway(dsn) for _ in range(8)]
    with psycopg2.connect(dsn) as admin, admin.cursor() as cursor:
        cursor.execute(UNLOCKED)
    sold(some[0])
    refused = set()
    for _ in range(ROUNDS):
        refused.update(together(*[lambda g=g: sell(g) for g in some]))
        if refused != {None}:
            break
    assert refused - {None} == {"journal_line_statement"}
    with psycopg2.connect(dsn) as admin, admin.cursor() as cursor:
        cursor.execute(AT_EVERY_STEP)
        assert cursor.fetchall() == []
    for gateway in some:
        gateway.connection.close()
