"""What Square tells of a payment after the sale: refunds and disputes."""

from datetime import UTC, datetime

REFUNDS = {
    "pending": "PENDING",
    "done": "COMPLETED",
    "failed": "REJECTED",
    "returned": "FAILED",
}
DISPUTES = {"open": "EVIDENCE_REQUIRED", "won": "WON", "lost": "LOST"}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def refund(deed, status: str = "") -> dict:
    made = deed.made
    shown = {
        "id": deed.id,
        "payment_id": made.payment_id,
        "order_id": made.token,
        "location_id": made.extra["order"]["location_id"],
        "amount_money": {
            "amount": deed.amount_minor,
            "currency": made.currency,
        },
        "status": status or REFUNDS[deed.status],
        "created_at": now(),
        "updated_at": now(),
    }
    if deed.fee_minor and shown["status"] == "COMPLETED":
        fee = {"amount": deed.fee_minor, "currency": deed.fee_currency}
        entry = {"amount_money": fee, "type": "INITIAL", "effective_at": now()}
        shown["processing_fee"] = [entry]
    return shown


def dispute(deed) -> dict:
    made = deed.made
    return {
        "id": deed.id,
        "amount_money": {
            "amount": deed.amount_minor,
            "currency": made.currency,
        },
        "card_brand": "VISA",
        "created_at": now(),
        "disputed_payment": {"payment_id": made.payment_id},
        "location_id": made.extra["order"]["location_id"],
        "reason": (deed.code or "no_knowledge").upper(),
        "state": DISPUTES[deed.status],
        "updated_at": now(),
        "version": 1,
    }


def told(dialect, deed, before: str) -> list:
    """A refund is made as PENDING, and updated once it is more."""
    if deed.kind == "refund":
        events = []
        if not before:
            first = {"refund": refund(deed, "PENDING")}
            events.append(dialect.envelope("refund.created", first))
        if deed.status != "pending":
            last = {"refund": refund(deed)}
            events.append(dialect.envelope("refund.updated", last))
        return events
    if deed.kind == "dispute":
        word = "created" if deed.status == "open" else "state.updated"
        body = {"dispute": dispute(deed)}
        return [dialect.envelope(f"dispute.{word}", body)]
    return []
