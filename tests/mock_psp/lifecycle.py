"""What happens to a registration until it is paid: approved, authorized,
declined, pending, expired, cancelled.

Moves a registration along its states and sends the events that the dialect's
PSP would send.  Called by the hosted page, the control API and the clock.
"""

import asyncio
import time

from .books import FINAL

RESULTS = ("approved", "paid", "declined", "pending", "expired", "cancelled")
WITH_MONEY = ("paid", "pending", "authorized")
HELD = ("approved", "authorized")
GIVEN_BACK = ("cancelled", "expired")
SWEEP_S = 0.5


class NotPossible(Exception):
    """The registration is in a state that this result cannot follow."""


class Lifecycle:
    def __init__(self, config, books, sender, dialects):
        self.config = config
        self.books = books
        self.sender = sender
        self.dialects = dialects

    def settle(self, made, result: str, code: str | None = None) -> list:
        """Books a result; returns the deliveries it caused.  Of a manual
        registration, "paid" is that the buyer is done: the money is held.
        """
        if made.manual and result == "paid":
            result = "authorized"
        self._check(made, result)
        before, made.status = made.status, result
        made.code = code if result == "declined" else None
        if result in WITH_MONEY and not made.payment_id:
            new = self.dialects[made.dialect].new_payment_id
            made.payment_id = made.extra.get("payment_id") or new()
        if result == "paid":
            made.captured_minor = made.amount_minor
            made.fee_minor = self.config.sale_fee_minor
        events = self.dialects[made.dialect].settled(made, before, result)
        return [self.emit(made, event) for event in events]

    def attempt(self, made, code: str) -> list:
        """One declined attempt; the page stays open.  Returns deliveries."""
        dialect = self.dialects[made.dialect]
        events = dialect.attempted(made, code)
        if not events and dialect.tells_declines:
            return self.settle(made, "declined", code)
        return [self.emit(made, event) for event in events]

    def _check(self, made, result: str) -> None:
        if made.status in FINAL:
            raise NotPossible(f"the registration is {made.status}")
        if made.status == "authorized" and result not in GIVEN_BACK:
            raise NotPossible("the money is held already")
        stuck = not made.payable() and made.status not in HELD
        if stuck and result in ("approved", "pending", "cancelled"):
            raise NotPossible("the payment is on its way or was refused")

    def emit(self, made, event: dict):
        """Sends one event about a registration; returns the delivery."""
        return self.sender.emit(self.dialects[made.dialect], made, event)

    def pend(self, made) -> None:
        """Pending now, paid after the configured delay."""
        self.settle(made, "pending")
        self.sender.spawn(self._pay_later(made))

    async def _pay_later(self, made) -> None:
        await asyncio.sleep(self.config.pending_ms / 1000)
        if made.status == "pending":
            self.settle(made, "paid")

    async def early(self, made, fault) -> None:
        """Settles before the registration's answer is sent."""
        for delivery in self.settle(made, fault.result):
            try:
                limit = fault.wait_ms / 1000
                await asyncio.wait_for(delivery.tried.wait(), limit)
            except TimeoutError:
                pass

    async def sweep(self) -> None:
        """Expires what nobody paid in time, for ever."""
        while True:
            await asyncio.sleep(SWEEP_S)
            for made in self.books.due(time.time()):
                self.settle(made, "expired")
