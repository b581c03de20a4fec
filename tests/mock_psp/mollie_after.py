"""Mollie's refunds and chargebacks, as parts of a payment and as events."""

REFUNDS = {
    "pending": "queued",
    "done": "refunded",
    "failed": "failed",
    "returned": "failed",
}


def refund(dialect, deed) -> dict:
    made = deed.made
    return {
        "resource": "refund",
        "id": deed.id,
        "mode": "test",
        "amount": dialect.amount(made, deed.amount_minor),
        "status": REFUNDS[deed.status],
        "createdAt": dialect.stamp(deed.created),
        "description": deed.reason,
        "metadata": deed.extra.get("metadata"),
        "paymentId": made.token,
        "_links": links(dialect, f"{made.token}/refunds/{deed.id}", made),
    }


def links(dialect, path: str, made) -> dict:
    own = dialect.config.public_url + "/mollie/v2/payments/"
    kind = "application/hal+json"
    return {
        "self": {"href": own + path, "type": kind},
        "payment": {"href": own + made.token, "type": kind},
    }


CAPTURES = {"pending": "pending", "done": "succeeded", "failed": "failed"}


def capture(dialect, deed) -> dict:
    made = deed.made
    return {
        "resource": "capture",
        "id": deed.id,
        "mode": "test",
        "amount": dialect.amount(made, deed.amount_minor),
        "status": CAPTURES[deed.status],
        "createdAt": dialect.stamp(deed.created),
        "description": "",
        "metadata": deed.extra.get("metadata"),
        "paymentId": made.token,
    }


def chargeback(dialect, deed) -> dict:
    made = deed.made
    amount = dialect.amount(made, deed.amount_minor)
    shown = {
        "resource": "chargeback",
        "id": deed.id,
        "amount": amount,
        "createdAt": dialect.stamp(deed.created),
        "paymentId": made.token,
        "reversedAt": None,
    }
    if deed.status == "won":
        shown["reversedAt"] = dialect.stamp()
    return shown


def sums(dialect, made) -> dict:
    """What a payment says of them."""
    found = dialect.books.money(made)
    refunded = found["refunded"] + found["refunding"]
    shown = {}
    if made.manual and made.captured_minor:
        taken = dialect.amount(made, made.captured_minor)
        shown["amountCaptured"] = taken
    if refunded:
        left = found["captured"] - refunded
        shown["amountRefunded"] = dialect.amount(made, refunded)
        shown["amountRemaining"] = dialect.amount(made, left)
    if found["disputed"]:
        disputed = dialect.amount(made, found["disputed"])
        shown["amountChargedBack"] = disputed
    return shown


def told(dialect, deed, before: str) -> list:
    """A lost chargeback stays what it is."""
    if deed.kind == "capture":
        shown = capture(dialect, deed)
        events = [dialect.envelope(f"capture.{shown['status']}", shown)]
        if deed.status == "done":
            events.append(dialect.event(deed.made, "paid"))
        return events
    if deed.kind == "refund":
        shown = refund(dialect, deed)
        states = [shown["status"]]
        if not before and states != ["queued"]:
            states.insert(0, "queued")
        return [
            dialect.envelope(f"refund.{each}", shown | {"status": each})
            for each in states
        ]
    if deed.kind == "dispute" and deed.status != "lost":
        word = "received" if deed.status == "open" else "reversed"
        shown = chargeback(dialect, deed)
        return [dialect.envelope(f"chargeback.{word}", shown)]
    return []
