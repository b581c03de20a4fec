"""A payment that is held at one moment: the worker that has it stands still
until release().

M1 to M5 are a POST; M6 and M7 the webhook about a payment made before.
"""

import contextlib

from support.own_stack import wait_for

from .sale import Sale, pause
from .stack import POINTS

CREATE = ("M1", "M2", "M3", "M4", "M5")
WEBHOOK = ("M6", "M7")
HELD_MS = 500  # the PSP has accepted, its answer is under way


class Scene:
    def __init__(self, stack, rng, moment: str, psp: str | None = None):
        self.stack, self.rng, self.moment = stack, rng, moment
        self.sale = Sale(stack, rng, psp)
        self.pid = 0
        self.released = False

    @property
    def creates(self) -> bool:
        return self.moment in CREATE

    @contextlib.contextmanager
    def held(self):
        try:
            if self.creates:
                self._hold_create()
            else:
                self._hold_webhook()
            pause(self.rng)
            yield self
        finally:
            self.release()
            self.stack.disarm()
            self.sale.close()

    def _hold_create(self) -> None:
        stack = self.stack
        after_accepting = self.moment == "M3"
        stack.arm(POINTS["M2" if after_accepting else self.moment])
        if after_accepting:
            stack.mock.faults(
                {"operation": "register", "kind": "delay", "ms": HELD_MS}
            )
        self.pid = wait_for(self._started, "the payment to be held")
        if after_accepting:
            stack.go_on(self.pid)
            wait_for(self.sale.booked, "the PSP to accept")
            stack.freeze(self.pid)

    def _started(self) -> int:
        """A worker that was born a moment ago may say 503: once more."""
        first = self.sale.first
        if first is None:
            self.sale.start()
        elif first.done():
            assert first.result().status == 503, first.result()
            self.sale.start()
        return self.stack.trapped()

    def _hold_webhook(self) -> None:
        self.sale.insist()
        self.stack.arm(POINTS[self.moment])
        self.sale.pay()
        self.pid = self.stack.caught()

    def release(self) -> None:
        if not self.released and self.pid:
            self.released = True
            self.stack.go_on(self.pid)

    def answered(self):
        """The POST's answer, or None when it is the webhook that was held
        and has come to some end."""
        if self.creates:
            return self.sale.answer()
        self.sale.tried()
        return None
