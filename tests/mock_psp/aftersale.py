"""What happens to a payment after the sale: captures, what is released,
refunds, disputes, fees.

Keeps the sums true and refuses what a PSP would refuse; the dialect says which
events tell of it.  Called by the dialects (somebody asked by the API, with a
key) and by the control API (somebody used the dashboard, without one).
"""

from .books import Deed
from .lifecycle import NotPossible

# setting → what becomes of a change that the API is asked for
RESULTS = ("done", "pending", "failed")
REFUND_ENDS = {"pending": ("done", "failed"), "done": ("returned",)}
PREFIXES = {
    "capture": "cap_",
    "refund": "ref_",
    "dispute": "dsp_",
    "fee": "fee_",
}


class Aftersale:
    def __init__(self, config, books, lifecycle, dialects):
        self.config = config
        self.books = books
        self.lifecycle = lifecycle
        self.dialects = dialects

    def _book(self, made, kind: str, minor: int, status: str, **more) -> Deed:
        dialect = self.dialects[made.dialect]
        more.setdefault("currency", made.currency)
        deed = Deed(
            kind=kind,
            id=dialect.new_deed_id(kind, PREFIXES[kind]),
            made=made,
            amount_minor=minor,
            status=status,
            **more,
        )
        self.books.add_deed(deed)
        return deed

    def tell(self, deed: Deed, before: str = "") -> list:
        """Sends the events of a deed that has just become what it is."""
        dialect = self.dialects[deed.made.dialect]
        events = dialect.told(deed, before)
        return [self.lifecycle.emit(deed.made, event) for event in events]

    # Captures.

    def capture(
        self, made, minor: int | None, *, result="done", **more
    ) -> Deed:
        """minor None: all that is left; more: key, final, extra"""
        left = self.books.money(made)["authorized"]
        minor = left if minor is None else minor
        if made.status != "authorized":
            raise NotPossible(f"the registration is {made.status}")
        if not 0 < minor <= left:
            raise NotPossible("more than is authorised")
        deed = self._book(made, "capture", minor, "pending", **more)
        if result != "pending":
            self.end_capture(deed, result)
        return deed

    def end_capture(self, deed: Deed, result: str, code="declined") -> list:
        if deed.status != "pending":
            raise NotPossible(f"the capture is {deed.status}")
        made = deed.made
        deed.status = result
        if result == "failed":
            deed.code = code
        else:
            made.captured_minor += deed.amount_minor
            self._fee(deed, self.config.sale_fee_minor)
            if deed.final or made.captured_minor == made.amount_minor:
                made.status = "paid"
        deed.captured_minor = made.captured_minor
        return self.tell(deed, "pending")

    def release(self, made, result: str = "cancelled") -> list:
        """What is held goes back: a void, or its time has run out."""
        if made.status != "authorized":
            raise NotPossible(f"the registration is {made.status}")
        if not made.captured_minor:
            return self.lifecycle.settle(made, result)
        made.status = "paid"
        dialect = self.dialects[made.dialect]
        events = dialect.rest_released(made, result)
        return [self.lifecycle.emit(made, event) for event in events]

    # Refunds.

    def refund(self, made, minor: int | None, *, result="done", **more) -> Deed:
        """more: key, reason, extra"""
        left = self.books.money(made)["refundable"]
        minor = left if minor is None else minor
        if not made.captured_minor:
            raise NotPossible(f"the registration is {made.status}")
        if not 0 < minor <= left:
            raise NotPossible("more than is left")
        deed = self._book(made, "refund", minor, result, **more)
        if result == "failed":
            deed.code = "insufficient_funds"
        if result == "done":
            self._fee(deed, self.config.refund_fee_minor)
        self.tell(deed)
        return deed

    def end_refund(self, deed: Deed, result: str, code=None) -> list:
        if result not in REFUND_ENDS.get(deed.status, ()):
            raise NotPossible(f"the refund is {deed.status}")
        before, deed.status = deed.status, result
        if result == "done":
            self._fee(deed, self.config.refund_fee_minor)
        else:
            deed.code = code or "expired_or_canceled_card"
        return self.tell(deed, before)

    # Disputes.

    def dispute(self, made, minor: int | None, fee: int, code: str) -> Deed:
        money = self.books.money(made)
        left = money["captured"] - money["refunded"] - money["disputed"]
        minor = left if minor is None else minor
        if not 0 < minor <= left:
            raise NotPossible("nothing is there to be disputed")
        deed = self._book(made, "dispute", minor, "open", code=code)
        self._fee(deed, fee)
        self.tell(deed)
        return deed

    def end_dispute(
        self, deed: Deed, result: str, *, returns_fee=False
    ) -> list:
        if deed.status != "open":
            raise NotPossible(f"the dispute is {deed.status}")
        deed.status = result
        fee, currency = deed.fee_minor, deed.fee_currency
        deed.extra["returned_fee"] = fee if returns_fee else 0
        sent = self.tell(deed, "open")
        if returns_fee and fee:
            back = self._book(
                deed.made, "fee", fee, "returned", currency=currency
            )
            back.extra["dispute"] = deed
            sent += self.tell(back)
        return sent

    # Fees.

    def _fee(self, deed: Deed, minor: int) -> None:
        deed.fee_minor = minor
        deed.fee_currency = deed.made.currency if minor else ""

    def fee(self, made, minor: int, currency: str, status: str) -> Deed:
        deed = self._book(made, "fee", minor, status, currency=currency)
        self.tell(deed)
        return deed
