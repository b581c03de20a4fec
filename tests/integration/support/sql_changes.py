"""What follows a sale, over the connections of sql_gateway: refunds, captures,
cancellations, and what PSPs tell of them.
"""

import json
import uuid

from .sql_gateway import MERCHANT, fresh, outcomes

CHANGE_CASTS = ["text"] * 5 + ["bytea", "bigint", "bigint", "text", "text",
                               "jsonb", "bigint", "text"]
NEWS_CASTS = ["text"] * 10 + ["bigint", "text", "bigint", "text", "text",
                              "bytea", "text"]


def sold(gateway, manual=False, orders=1):
    """Checkouts of one order of 100 each, paid or authorised."""
    items = fresh(orders)
    terms = json.dumps({"capture": "manual"}) if manual else None
    assert set(outcomes(gateway.begin(items, terms=terms))) == {"created"}
    made = [(checkout, order) for _, checkout, order in items]
    gateway.store([(checkout, f"t-{checkout}") for checkout, _ in made])
    fact = "authorized" if manual else "paid"
    rows = gateway.apply([("webhook", f"{fact}-{checkout}", fact,
                           f"t-{checkout}") for checkout, _ in made])
    assert set(outcomes(rows)) == {"applied"}
    return made


def begin(gateway, items):
    """items: (order, kind, amount, key, change id) each."""
    rows = [(MERCHANT, order, kind, change, key, b"\0" * 32, 86400, amount,
             None, None, json.dumps({}), 30000, "request")
            for order, kind, amount, key, change in items]
    return gateway.call("begin_change", CHANGE_CASTS,
                        zip(*rows, strict=False))


def ask(gateway, order, kind, amount=None):
    """One change under a key of its own: (outcome, change id)."""
    change = str(uuid.uuid4())
    (row,) = begin(gateway, [(order, kind, amount, change, change)])
    return row.outcome, change


def leave(gateway, checkout, operation, change):
    """It leaves for the PSP: (outcome, attempt)."""
    (row,) = gateway.send([(checkout, operation, change)])
    return row.outcome, row.attempt


def answer(gateway, checkout, operation, change, attempt, state,
           reference=None):
    """Of what has left."""
    rows = [(MERCHANT, checkout, operation, change, attempt, state,
             "complete", 200, "code", reference or change, "request")]
    return outcomes(gateway.call("end_dispatch", ["text"] * 4 + [
        "bigint", "text", "text", "bigint", "text", "text", "text"],
        zip(*rows, strict=False)))[0]


def send(gateway, checkout, operation, change, state, reference=None):
    """Sent, and answered like this."""
    outcome, attempt = leave(gateway, checkout, operation, change)
    if outcome != "send":
        return outcome
    return answer(gateway, checkout, operation, change, attempt, state,
                  reference)


def tell(gateway, items):
    """items: (event, about, news, checkout or None, reference, object,
    operation id, amount) each."""
    rows = [("stripe", "webhook", event, "type", about, news,
             checkout and f"t-{checkout}", reference, thing, operation,
             amount, "USD", None, None, None, None, "request")
            for event, about, news, checkout, reference, thing, operation,
            amount in items]
    return gateway.call("apply_change", NEWS_CASTS, zip(*rows, strict=False))


def hear(gateway, about, news, checkout, thing, amount, operation=None):
    """One word of a PSP, an event of its own: its outcome."""
    return outcomes(tell(gateway, [(
        str(uuid.uuid4()), about, news, checkout, None, thing, operation,
        amount)]))[0]
