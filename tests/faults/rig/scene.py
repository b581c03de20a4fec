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


class Scene:
    def __init__(self, stack, rng, moment: str, psp: str | None = None):
        self.stack, self.rng, self.moment = stack, rng, moment
        self.sale = Sale(stack, rng, psp)
        self.pid = 0
        self.released = False
        self.by_hand = False  # webhooks are sent by this test
        self.mail: Mail | None = None

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
            stack.mock.faults({"operation": "register", "kind": "hold"})
        self.pid = wait_for(self._started, "the payment to be held")
        if after_accepting:
            stack.go_on(self.pid)
            wait_for(self.sale.booked, "the PSP to accept")
            stack.freeze(self.pid)
            stack.mock.release()

    def _started(self) -> int:
        """A worker that was born a moment ago may say 503: once more."""
        pid, first = self.stack.trapped(), self.sale.first
        if pid:
            return pid
        if first is None:
            self.sale.start()
        elif first.done():
            assert first.result().status in (None, 503), first.result()
            self.sale.start()
        return 0

    def _hold_webhook(self) -> None:
        self.sale.insist()
        if self.by_hand:
            self.stack.mock.faults({"operation": "webhook", "kind": "none"})
            self.sale.pay()
            self.mail = Mail(self.stack, self.sale)
        self.stack.arm(POINTS[self.moment])
        if self.by_hand:
            self.sale.first = self.sale.pool.submit(self.mail.send)
        else:
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
        if not self.by_hand:
            self.sale.tried()
        return None


class Mail:
    """The PSP's message, signed and never sent: for a test to do so."""

    def __init__(self, stack, sale):
        def unsent():
            return [e["unsent"] for e in sale.deliveries() if "unsent" in e]

        self.stack, self.psp = stack, sale.psp
        (self.unsent,) = wait_for(unsent, "the message")

    def send(self) -> str:
        """On a connection of its own: → what came of it"""
        headers = self.unsent["headers"]
        with self.stack.client() as http:
            answer = http.post(
                f"/webhooks/{self.psp}",
                content=self.unsent["body"].encode(),
                headers=headers,
            )
        if answer.status_code == 503:
            return "later"
        assert answer.status_code == 200, answer.text
        return answer.json()["outcome"]
