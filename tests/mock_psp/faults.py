"""The switches with which a test makes this PSP misbehave.

A fault waits in a queue for the next matching operation and is used up by it,
unless it is sticky.  This file decides which fault meets which call; acting on
it is the business of ``answers`` and ``webhooks``.
"""

import asyncio
import contextlib
import itertools

from .dialects import NAMES as DIALECTS
from .payout.providers import NAMES as PROVIDERS

NAMES = DIALECTS + PROVIDERS

# kind -> its parameters with their defaults; "accept": was the registration
# booked although the answer is spoilt?
API_KINDS = {
    "delay": {"ms": 1000, "before": False, "accept": True},
    "hold": {"wait_ms": 10000, "accept": True},
    "told_first": {"wait_ms": 5000, "accept": True},
    "drop": {"accept": False},
    "drop_after_accept": {"accept": True},
    "reset_at_byte": {"at": 0, "body": False, "accept": True},
    "status": {
        "status": 500,
        "retry_after": None,
        "accept": False,
        "stored": None,
    },
    "malformed": {"accept": True},
    "huge": {"bytes": 1_500_000, "accept": True},
    "gzip_bomb": {"bytes": 50_000_000, "accept": True},
    "html": {"accept": False},
    "redirect": {
        "location": "https://evil.example/",
        "status": 302,
        "accept": False,
    },
    "ok_with_error": {"accept": False},
    "other_token": {"accept": True},
    "wrong_amount": {"accept": True},
    "wrong_currency": {"accept": True},
    "evil_host": {"url": "https://evil.example/pay", "accept": True},
    "slow_body": {"ms": 2000, "accept": True},
    "answer_twice": {"accept": True},
}
# Of what an answer can suffer, that which makes sense for a list; and what
# only lists can: entries twice, pages that lead round, the newest missing.
LIST_KINDS = {
    kind: API_KINDS[kind]
    for kind in (
        "delay drop drop_after_accept reset_at_byte status malformed huge "
        "gzip_bomb html redirect ok_with_error slow_body"
    ).split()
} | {"repeat": {}, "loop": {}, "lag": {"n": 1}}
# A provider whose list answers how a payment stands, too: Tipalti.
FIND_KINDS = LIST_KINDS | {
    kind: {"accept": True}
    for kind in ("wrong_amount", "wrong_currency", "wrong_account")
}
# Payouts, their rows and reports.
SETTLEMENT_KINDS = {
    kind: API_KINDS[kind]
    for kind in (
        "delay hold drop drop_after_accept reset_at_byte status malformed "
        "gzip_bomb html redirect slow_body"
    ).split()
}
# The balance of the account: one that is not that of the books.
BALANCE_KINDS = SETTLEMENT_KINDS | {"wrong_balance": {"by_minor": 100}}
WEBHOOK_KINDS = {
    "duplicate": {"n": 1},
    "late": {"ms": 1000},
    "early": {"result": "paid", "wait_ms": 5000},
    "reorder": {"ms": 3000},
    "forged": {"attempts": 1},
    "stale": {"attempts": 1, "age_s": 3600},
    "wrong_amount": {},
    "wrong_currency": {},
    "none": {},
}
# Of a provider that pays sellers: "send" is the call that pays, the others are
# the steps before it.
PAYOUT_KINDS = {
    kind: parameters
    for kind, parameters in API_KINDS.items()
    if kind != "evil_host"
} | {
    "wrong_account": {"accept": True},
    "refuse": {"status": 422, "code": "account_closed", "accept": False},
}
OPERATIONS = {
    "register": API_KINDS,
    "query": API_KINDS,
    "find": FIND_KINDS,
    "list": LIST_KINDS,
    "capture": API_KINDS,
    "refund": API_KINDS,
    "cancel": API_KINDS,
    "expire": API_KINDS,
    "token": API_KINDS,
    "send": PAYOUT_KINDS,
    "quote": PAYOUT_KINDS,
    "recipient": PAYOUT_KINDS,
    "transfer": PAYOUT_KINDS,
    "ask": PAYOUT_KINDS,
    "confirm": PAYOUT_KINDS,
    "settlement": SETTLEMENT_KINDS,
    "balance": BALANCE_KINDS,
    "webhook": WEBHOOK_KINDS,
}


class BadFault(ValueError):
    """The control API was asked for a fault that does not exist."""


def _same_kind(value: object, default: object) -> bool:
    if default is None:
        return value is None or isinstance(value, int | bool)
    return type(value) is type(default)


class Fault:
    """A checked fault; its parameters are read as attributes."""

    _ids = itertools.count(1)

    def __init__(self, spec: dict):
        if not isinstance(spec, dict):
            raise BadFault("a fault is a JSON object")
        spec = dict(spec)
        self.id = next(self._ids)
        self.dialect = spec.pop("dialect", "*")
        self.operation = spec.pop("operation", None)
        self.kind = spec.pop("kind", None)
        self.nonce = spec.pop("nonce", None)
        self.sticky = bool(spec.pop("sticky", False))
        self.times = spec.pop("times", 1)
        self._check()
        known = OPERATIONS[self.operation][self.kind]
        unknown = set(spec) - set(known)
        if unknown:
            raise BadFault(f"{self.kind} has no parameter {sorted(unknown)[0]}")
        for name, value in spec.items():
            if not _same_kind(value, known[name]):
                raise BadFault(f"{self.kind}: {name} has the wrong type")
        self.parameters = {**known, **spec}

    def _check(self) -> None:
        if self.dialect not in (*NAMES, "*"):
            raise BadFault(f"unknown dialect {self.dialect!r}")
        if self.operation not in OPERATIONS:
            raise BadFault(f"unknown operation {self.operation!r}")
        if self.kind not in OPERATIONS[self.operation]:
            raise BadFault(f"{self.operation} has no fault {self.kind!r}")
        if not isinstance(self.times, int) or self.times < 1:
            raise BadFault("times is a number from 1 on")

    def __getattr__(self, name: str):
        try:
            return self.__dict__["parameters"][name]
        except KeyError:
            raise AttributeError(name) from None

    def fits(self, dialect: str, operation: str, nonce: str) -> bool:
        return (
            self.operation == operation
            and self.dialect in (dialect, "*")
            and self.nonce in (None, nonce)
        )

    def view(self) -> dict:
        head = "id dialect operation kind nonce sticky times".split()
        return {key: getattr(self, key) for key in head} | self.parameters


class Faults:
    def __init__(self):
        self.queue: list[Fault] = []
        self.released = asyncio.Event()

    def add(self, spec: dict) -> Fault:
        fault = Fault(spec)
        self.queue.append(fault)
        return fault

    def clear(self) -> None:
        self.queue.clear()
        self.release()

    def release(self) -> None:
        """The answers that are held back now go out."""
        self.released.set()
        self.released = asyncio.Event()

    async def hold(self, fault: Fault) -> None:
        """Until release(), and not for ever: the test may have ended."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.released.wait(), fault.wait_ms / 1000)

    def take(
        self,
        dialect: str,
        operation: str,
        nonce: str,
        *,
        only: str | None = None,
        never: str | None = None,
    ) -> Fault | None:
        """The first fault waiting for this call, used up unless sticky."""
        for fault in self.queue:
            wanted = only in (None, fault.kind) and fault.kind != never
            if not wanted or not fault.fits(dialect, operation, nonce):
                continue
            if not fault.sticky:
                fault.times -= 1
                if fault.times == 0:
                    self.queue.remove(fault)
            return fault
        return None
