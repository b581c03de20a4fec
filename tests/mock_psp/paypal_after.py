"""What PayPal tells of a capture after the sale: refunds and disputes."""

REFUNDS = {
    "pending": ("PENDING", "PAYMENT.REFUND.PENDING"),
    "done": ("COMPLETED", "PAYMENT.CAPTURE.REFUNDED"),
    "failed": ("FAILED", "PAYMENT.REFUND.FAILED"),
    "returned": ("FAILED", "PAYMENT.REFUND.FAILED"),
}
# PayPal itself has taken a capture back: in its example a refund, too
REVERSED = "PAYMENT.CAPTURE.REVERSED"
OUTCOMES = {"won": "RESOLVED_SELLER_FAVOUR", "lost": "RESOLVED_BUYER_FAVOUR"}


def refund(dialect, deed) -> dict:
    """The resource; a repeat of the call shows how it stands now."""
    made = deed.made
    root = f"{dialect.config.public_url}/paypal/v2/payments"
    up = f"{root}/captures/{made.payment_id}"
    own = f"{root}/refunds/{deed.id}"
    shown = {
        "id": deed.id,
        "status": REFUNDS[deed.status][0],
        "amount": dialect.render(deed.amount_minor, made.currency),
        "custom_id": made.extra["unit"].get("custom_id", ""),
        "links": [
            {"href": own, "rel": "self", "method": "GET"},
            {"href": up, "rel": "up", "method": "GET"},
        ],
    }
    if deed.fee_minor < 0:
        # given back; what PayPal keeps for a refund stands in its reports alone
        fee = dialect.render(-deed.fee_minor, deed.fee_currency)
        shown["seller_payable_breakdown"] = {"paypal_fee": fee}
    return shown


def dispute(dialect, deed) -> dict:
    made = deed.made
    shown = {
        "dispute_id": deed.id,
        "disputed_transactions": [
            {
                "seller_transaction_id": made.payment_id,
                "custom": made.extra["unit"].get("custom_id", ""),
            }
        ],
        "reason": (deed.code or "unauthorised").upper(),
        "status": "OPEN" if deed.status == "open" else "RESOLVED",
        "dispute_amount": dialect.render(deed.amount_minor, made.currency),
        "dispute_life_cycle_stage": "CHARGEBACK",
    }
    if deed.status in OUTCOMES:
        outcome = {"outcome_code": OUTCOMES[deed.status]}
        shown["dispute_outcome"] = outcome
    return shown


def told(dialect, deed, before: str) -> list:
    if deed.kind == "refund":
        kind = REFUNDS[deed.status][1]
        if deed.status == "done" and deed.reason == "reversed":
            kind = REVERSED
        return [dialect.envelope(kind, refund(dialect, deed))]
    if deed.kind == "dispute":
        word = "CREATED" if deed.status == "open" else "RESOLVED"
        kind = f"CUSTOMER.DISPUTE.{word}"
        return [dialect.envelope(kind, dispute(dialect, deed))]
    return []
