"""The product's three operations of a payment as the gateway sends them, for
whatever the bench does without a gateway.  Arguments go by name and have the
types that the database says, so an operation that gets another argument needs
one more line here, and says which.
"""

import sys

from backend import Backend

DEFAULT = "DEFAULT"  # the argument is left out
# Each argument as an expression of id, a text that no other payment has, and
# n, its number among the items of a call.  Checkout and order have the id
# itself for a name, their token is cs_test_<id>, as that of psp.conf.in.
VALUES = {
    "begin_payment": {
        "p_merchant_id": "'acme'",
        "p_idempotency_key": "'key-' || id",
        "p_fingerprint": "sha256(id::bytea)",
        "p_checkout_id": "id",
        "p_checkout_uuid": "md5('u' || id)::uuid",
        "p_handle": "md5('h' || id)",
        "p_psp": "'stripe'",
        "p_nonce": "id",
        "p_return_url": "'https://shop.example.com/'",
        "p_base_url": "'https://localhost'",
        "p_buyer_info": "'{}'",
        "p_metadata": "NULL",
        "p_credit_card_info": "NULL",
        "p_currency": "'USD'",
        "p_total_minor": "1234",
        "p_expires_s": "extract(epoch FROM now()) + 3600",
        "p_orders_item": "n",
        "p_orders_id": "id",
        "p_orders_seller_account": "'seller-' || (hashtext(id) & 1023)",
        "p_orders_amount_minor": "1234",
        "p_orders_credit_currency": "NULL",
        "p_ttl_s": "86400",
        "p_lease_ms": "15000",
        "p_request_id": "md5('r' || id)",
        "p_psps": "'stripe'",
        "p_route": "'the only one'",
        "p_key_windows": "'86400'",
        "p_late_success": "'accept'",
        "p_terms": "NULL",
        "p_risk": "NULL",
    }
    # nothing is looked at
    | dict.fromkeys(
        (
            f"p_risk_{name}"
            for name in (
                "hits_item", "hits_name", "hits_word", "hits_is_shadow",
                "keys_item", "keys_kind", "keys_value", "windows_item",
                "windows_name", "windows_key", "windows_hash",
                "windows_hours", "windows_measure", "windows_threshold",
                "windows_currency", "windows_word", "windows_is_shadow",
            )
        ),
        DEFAULT,
    ),
    "store_token": {
        "p_merchant_id": "'acme'",
        "p_checkout_id": "id",
        "p_psp": "'stripe'",
        "p_token": "'cs_test_' || id",
        "p_alias": "NULL",
        "p_hosted_url": "'http://127.0.0.1/pay/cs_test_' || id",
        "p_poll_after_ms": "15000",
        "p_request_id": "md5('r' || id)",
    },
    "apply_event": {
        "p_psp": "'stripe'",
        "p_source": "'webhook'",
        "p_event_id": "'evt_' || id",
        "p_type": "'checkout.session.completed'",
        "p_fact": "'paid'",
        "p_token": "'cs_test_' || id",
        "p_reference": "'pi_' || id",
        "p_code": "NULL",
        "p_amount_minor": "1234",
        "p_currency": "'USD'",
        "p_digest": "sha256(id::bytea)",
        "p_request_id": "md5('w' || id)",
        "p_decline": "NULL",
        "p_can_retry": "NULL",
        "p_attempt": "NULL",
    }
    # no word about a card
    | dict.fromkeys(
        (
            f"p_cards_{name}"
            for name in (
                "item", "attempt", "card", "bin", "country", "funding",
                "three_d", "level", "score", "warning", "is_hint",
                "card_before",
            )
        ),
        DEFAULT,
    )
    | {"p_after": DEFAULT},
}
OUTCOMES = {
    "begin_payment": "created",
    "store_token": "stored",
    "apply_event": "applied",
}
STEPS = list(OUTCOMES)

ARGUMENTS = """
SELECT a.name, format_type(t.typelem, NULL)
FROM pg_proc p
CROSS JOIN LATERAL unnest(p.proargtypes::oid[], p.proargnames)
    WITH ORDINALITY AS a (type, name, n)
JOIN pg_type t ON t.oid = a.type
WHERE p.pronamespace = 'pay_api'::regnamespace AND p.proname = $1
ORDER BY a.n
"""


def arguments(db: Backend, operation: str) -> dict[str, str]:
    """Each argument's expression by its name."""
    found = {}
    for name, kind in db.query(ARGUMENTS, operation):
        if name not in VALUES[operation]:
            sys.exit(
                f"{operation} has an argument {name}: tests/bench/calls.py"
                " does not know what to send"
            )
        if VALUES[operation][name] != DEFAULT:
            found[name] = f"({VALUES[operation][name]})::{kind}"
    return found


def statement(db: Backend, operation: str) -> str:
    """To be prepared; its parameters are those of values()."""
    names = arguments(db, operation)
    given = ", ".join(f"{name} => ${n}" for n, name in enumerate(names, 1))
    return f"SELECT outcome FROM pay_api.{operation}({given})"


def values(db: Backend, operation: str, ids: list[str]) -> list[str]:
    """Arrays of the arguments of these payments, as PostgreSQL writes them."""
    arrays = ", ".join(
        f"array_agg({value} ORDER BY n)"
        for value in arguments(db, operation).values()
    )
    (row,) = db.query(
        f"SELECT {arrays} FROM unnest($1::text[]) WITH ORDINALITY u (id, n)",
        "{" + ",".join(ids) + "}",
    )
    return row


def check(operation: str, rows, count: int) -> None:
    outcomes = [row[0] for row in rows]
    if outcomes != [OUTCOMES[operation]] * count:
        sys.exit(f"{operation} answered {outcomes}")


def prepare(dsn: str, prefix: str, count: int) -> None:
    """Checkouts that wait for their webhook, by the operations themselves in
    sets of 500: those of the prefix and 1 to count."""
    with Backend(dsn) as db:
        for operation in STEPS[:2]:
            db.prepare(operation, statement(db, operation))
        for first in range(1, count + 1, 500):
            last = min(first + 500, count + 1)
            ids = [f"{prefix}-{n}" for n in range(first, last)]
            for operation in STEPS[:2]:
                rows = db.run(operation, values(db, operation, ids))
                check(operation, rows, len(ids))


def script(db: Backend, operations: list[str]) -> str:
    """Of pgbench: these operations for one new payment, each a transaction."""
    lines = [r"\set n random(1, 9000000000000000)"]
    for operation in operations:
        given = ", ".join(
            f"{name} => ARRAY[{value}]"
            for name, value in arguments(db, operation).items()
        )
        lines.append(
            f"SELECT outcome FROM (SELECT 'b-' || :n AS id, 1 AS n) u,"
            f" pay_api.{operation}({given});"
        )
    return "\n".join(lines) + "\n"
