"""Stripe's objects about money: PaymentIntents, charges, refunds, disputes and
what they did to the balance.  Members and values as the official fixtures and
recorded events have them; made anew from the books at each look.
"""

import time

# What a PaymentIntent is while its session is in these states.
INTENT_STATES = {
    "open": "requires_payment_method",
    "declined": "requires_payment_method",
    "pending": "processing",
    "authorized": "requires_capture",
    "paid": "succeeded",
    "expired": "canceled",
    "cancelled": "canceled",
}
REFUND_STATES = {
    "pending": "pending",
    "done": "succeeded",
    "failed": "failed",
    "returned": "failed",
}
DISPUTE_STATES = {"open": "needs_response", "won": "won", "lost": "lost"}
# error code and decline code of a declined attempt; without a decline code it
# ends before a charge is made
DECLINES = {
    "authentication_failed": ("payment_intent_authentication_failure", None),
    "card_declined": ("card_declined", "generic_decline"),
    "expired_card": ("expired_card", "expired_card"),
    "incorrect_cvc": ("incorrect_cvc", "incorrect_cvc"),
    "insufficient_funds": ("card_declined", "insufficient_funds"),
    "stolen_card": ("card_declined", "stolen_card"),
}
REASONS = ("duplicate", "fraudulent", "requested_by_customer")


class Objects:
    def __init__(self, books):
        self.books = books

    def units(self, made, minor: int) -> int:
        """ISO minor units → Stripe's, by the registration's own ratio."""
        return minor * made.extra["units"] // made.amount_minor

    def _thing_id(self, made, name: str, prefix: str) -> str:
        return made.extra.setdefault(name, self.books.random_id(prefix, 23))

    def charge_id(self, made) -> str:
        return self._thing_id(made, "charge", "ch_3")

    def intent(self, made, expand=frozenset()) -> dict:
        data = made.extra["form"].get("payment_intent_data", {})
        money = self.books.money(made)
        charge = self.charge_id(made)
        if "latest_charge" in expand:
            charge = self.charge(made, expand)
        gone = INTENT_STATES[made.status] == "canceled"
        why = "automatic" if made.status == "expired" else None
        return {
            "id": made.payment_id,
            "object": "payment_intent",
            "amount": made.extra["units"],
            "amount_capturable": self.units(made, money["authorized"]),
            "amount_details": {"tip": {}},
            "amount_received": self.units(made, made.captured_minor),
            "application": None,
            "application_fee_amount": None,
            "canceled_at": made.extra.setdefault(
                "canceled_at", int(time.time())
            )
            if gone
            else None,
            "cancellation_reason": why,
            "capture_method": data.get("capture_method", "automatic_async"),
            "client_secret": f"{made.payment_id}_secret_x",
            "confirmation_method": "automatic",
            "created": int(made.created),
            "currency": made.currency.lower(),
            "customer": None,
            "description": data.get("description"),
            "latest_charge": charge,
            "livemode": False,
            "metadata": data.get("metadata", {}) | made.extra.get("said", {}),
            "next_action": None,
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "receipt_email": None,
            "status": self._intent_state(made),
            "transfer_group": None,
        }

    def _intent_state(self, made) -> str:
        if self.books.deeds_of(made, "capture", "pending"):
            return "processing"
        return INTENT_STATES[made.status]

    def charge(self, made, expand=frozenset()) -> dict:
        money = self.books.money(made)
        refunded = money["refunded"] + money["refunding"]
        if made.manual and made.status != "authorized":
            # what was never captured is given back as a refund of the charge
            refunded += made.amount_minor - made.captured_minor
        taken = made.captured_minor > 0
        balance = self._thing_id(made, "balance", "txn_3") if taken else None
        if balance and "balance_transaction" in expand:
            balance = self._balance(made, balance)
        return {
            "id": self.charge_id(made),
            "object": "charge",
            "amount": made.extra["units"],
            "amount_captured": self.units(made, made.captured_minor),
            "amount_refunded": self.units(made, refunded),
            "balance_transaction": balance,
            "captured": taken,
            "created": int(made.created),
            "currency": made.currency.lower(),
            "disputed": bool(self.books.deeds_of(made, "dispute")),
            "failure_code": None,
            "livemode": False,
            "metadata": {},
            "paid": True,
            "payment_intent": made.payment_id,
            "refunded": refunded == made.amount_minor,
            "status": "succeeded",
        }

    def declined_charge(self, made, code: str) -> dict | None:
        """None when it did not come so far as a charge."""
        failure, decline = DECLINES.get(code, (code, code))
        if decline is None:
            return None
        outcome = {
            "network_status": "declined_by_network",
            "reason": decline,
            "risk_level": "elevated",
            "risk_score": 66,
            "seller_message": "The bank did not return any further details.",
            "type": "issuer_declined",
        }
        return self.charge(made) | {
            "id": self.books.random_id("ch_3", 23),
            "balance_transaction": None,
            "captured": False,
            "failure_code": failure,
            "failure_message": "Your card was declined.",
            "metadata": self._metadata(made),
            "outcome": outcome,
            "paid": False,
            "payment_intent": self._intent_id(made),
            "payment_method_details": self._card(made),
            "status": "failed",
        }

    def _card(self, made) -> dict:
        """Each checkout is paid with a card of its own."""
        card = {
            "brand": "visa",
            "country": "US",
            "fingerprint": f"Xt{made.token}"[:64],
            "funding": "prepaid",
            "last4": "4242",
            "three_d_secure": None,
        }
        return {"card": card, "type": "card"}

    def declined_intent(self, made, code: str, charge: dict | None) -> dict:
        failure, decline = DECLINES.get(code, (code, code))
        error = {
            "code": failure,
            "doc_url": "https://stripe.com/docs/error-codes/" + failure,
            "message": "Your card was declined.",
            "type": "card_error" if charge else "invalid_request_error",
        }
        if charge:
            error |= {"charge": charge["id"], "decline_code": decline}
        return self.intent(made) | {
            "id": self._intent_id(made),
            "amount_capturable": 0,
            "amount_received": 0,
            "last_payment_error": error,
            "latest_charge": charge["id"] if charge else None,
            "status": "requires_payment_method",
        }

    def _metadata(self, made) -> dict:
        data = made.extra["form"].get("payment_intent_data", {})
        return dict(data.get("metadata", {}))

    def _intent_id(self, made) -> str:
        """Of a session on which something was tried."""
        return made.payment_id or self._thing_id(made, "payment_id", "pi_3")

    def _balance(self, made, name: str) -> dict:
        fee = made.fee_minor + sum(
            each.fee_minor
            for each in self.books.deeds_of(made, "capture", "done")
        )
        return self._moved(
            made,
            made.created,
            {"id": name, "source": self.charge_id(made), "type": "charge"},
            made.captured_minor,
            fee,
            "Payment processing fee",
        )

    def _moved(
        self, made, at: float, head: dict, minor: int, fee: int, why: str
    ) -> dict:
        """A balance transaction; minor and fee with their signs.  It is the
        same whenever it is shown."""
        amount, cost = self.units(made, minor), self.units(made, fee)
        detail = {
            "amount": cost,
            "application": None,
            "currency": made.currency.lower(),
            "description": why,
            "type": "stripe_fee",
        }
        return head | {
            "object": "balance_transaction",
            "amount": amount,
            "available_on": int(at) + 172800,
            "balance_type": "payments",
            "created": int(at),
            "currency": made.currency.lower(),
            "exchange_rate": None,
            "fee": cost,
            "fee_details": [detail] if cost else [],
            "net": amount - cost,
            "reporting_category": head.get("reporting_category", "charge"),
            "status": "pending",
        }

    def refund(self, deed) -> dict:
        made = deed.made
        shown = {
            "id": deed.id,
            "object": "refund",
            "amount": self.units(made, deed.amount_minor),
            "balance_transaction": None,
            "charge": self.charge_id(made),
            "created": int(deed.created),
            "currency": made.currency.lower(),
            "destination_details": {"card": {"type": "refund"}, "type": "card"},
            "metadata": dict(deed.extra.get("metadata", {})),
            "payment_intent": made.payment_id,
            "reason": deed.reason if deed.reason in REASONS else None,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": REFUND_STATES[deed.status],
            "transfer_reversal": None,
        }
        if deed.status in ("done", "returned"):
            shown["balance_transaction"] = "txn_3" + deed.id[4:]
        if shown["status"] == "failed":
            shown["failure_reason"] = deed.code
        if deed.status == "returned":
            shown["failure_balance_transaction"] = "txn_1" + deed.id[4:]
        return shown

    def dispute(self, deed, *, reinstated=True) -> dict:
        made = deed.made
        moved = [self._withdrawn(deed)]
        if deed.status == "won" and reinstated:
            moved.append(self._reinstated(deed))
        return {
            "id": deed.id,
            "object": "dispute",
            "amount": self.units(made, deed.amount_minor),
            "balance_transaction": moved[0]["id"],
            "balance_transactions": moved,
            "charge": self.charge_id(made),
            "created": int(deed.created),
            "currency": made.currency.lower(),
            "evidence_details": {
                "due_by": int(deed.created) + 7 * 86400,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": made.payment_id,
            "reason": deed.code,
            "status": DISPUTE_STATES[deed.status],
        }

    def _withdrawn(self, deed) -> dict:
        return self._adjusted(
            deed, "1", -deed.amount_minor, deed.fee_minor, "withdrawal"
        )

    def _reinstated(self, deed) -> dict:
        fee = -deed.extra.get("returned_fee", 0)
        return self._adjusted(deed, "2", deed.amount_minor, fee, "reversal")

    def _adjusted(self, deed, number, minor, fee, word) -> dict:
        charge = self.charge_id(deed.made)
        head = {
            "id": f"txn_{number}" + deed.id[3:],
            "description": f"Chargeback {word} for {charge}",
            "reporting_category": "dispute"
            if word == "withdrawal"
            else "dispute_reversal",
            "source": deed.id,
            "type": "adjustment",
        }
        return self._moved(
            deed.made, deed.created, head, minor, fee, "Dispute fee"
        )
