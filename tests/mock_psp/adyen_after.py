"""What Adyen tells of a payment after the sale.  Its API only receives
changes; what became of them, and what banks do, comes as items like these.
"""

from . import money

# setting → whose reference is the merchantReference of a change's item
REFERENCES = ("payment", "change")

# (kind, status) → eventCode, success, reason
CODES = {
    ("capture", "done"): ("CAPTURE", "true", ""),
    ("capture", "failed"): ("CAPTURE_FAILED", "true", "Capture Failed"),
    ("refund", "done"): ("REFUND", "true", ""),
    ("refund", "failed"): ("REFUND", "false", "Insufficient balance"),
    ("refund", "returned"): ("REFUND_FAILED", "true", "Refund Failed"),
    ("dispute", "open"): ("CHARGEBACK", "true", "Fraudulent Processing"),
    ("dispute", "won"): ("CHARGEBACK_REVERSED", "true", ""),
}


def item(dialect, made, code: str, minor: int, **said) -> dict:
    """An event about the payment of a registration."""
    value = money.to_adyen(minor, made.currency)
    data = {
        "merchantReference": made.reference,
        "originalReference": made.payment_id,
        "amount": {"value": value, "currency": made.currency},
    }
    return dialect.envelope(code, data | said)


def reference(dialect, made, body: dict) -> str:
    """Adyen describes the merchantReference of every item as "your reference
    to uniquely identify the payment" (Webhooks-v1); of REFUND_WITH_DATA its
    example is that of the modification.
    """
    if dialect.config.adyen_reference == "change":
        return body.get("reference", made.reference)
    return made.reference


def told(dialect, deed, before: str) -> list:
    """A dispute that is lost, a change under way and fees: nothing."""
    known = CODES.get((deed.kind, deed.status))
    if known is None:
        return []
    code, success, reason = known
    said = {"pspReference": deed.id, "success": success, "reason": reason}
    reference = deed.extra.get("reference")
    if reference:
        said["merchantReference"] = reference
    made = deed.made
    return [item(dialect, made, code, deed.amount_minor, **said)]


def given_back(dialect, made) -> list:
    """Of held money whose time has run out; a void has its own answer."""
    if made.status != "expired":
        return []
    data = {
        "merchantReference": made.reference,
        "pspReference": made.payment_id,
        "amount": dict(made.extra["amount"]),
    }
    return [dialect.envelope("EXPIRE", data)]
