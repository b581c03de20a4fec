"""What the PSP remembers: registrations, calls, events, webhooks, buyers'
returns.

All state is in memory and everything random comes from one seedable
generator.  Nothing here does I/O.
"""

import random
import string
import time
from dataclasses import dataclass, field

ALPHANUMERIC = string.ascii_letters + string.digits

# open: nobody paid yet; pending: the buyer did, the money is not there yet;
# declined: refused, the buyer may try again; approved: the buyer agreed and the
# merchant has yet to take the money; authorized: it is held, and captured in
# one part or several; the others are final.
STATES = (
    "open",
    "pending",
    "approved",
    "authorized",
    "paid",
    "declined",
    "expired",
    "cancelled",
)
FINAL = ("paid", "expired", "cancelled")


@dataclass
class Registration:
    dialect: str
    nonce: str
    token: str
    reference: str
    amount_minor: int
    amount: str
    currency: str
    hosted_url: str
    return_url: str
    cancel_url: str
    expires_at: int | None
    lines: list
    status: str = "open"
    code: str | None = None
    payment_id: str | None = None
    created: float = field(default_factory=time.time)
    requests: int = 1
    fingerprint: str = ""
    again: bool = False  # may one try more follow a decline?
    manual: bool = False  # is the money held first, and captured later?
    challenge: bool = False  # is the buyer's bank asked to authenticate?
    captured_minor: int = 0
    fee_minor: int = 0  # what the PSP kept of the sale, in its currency
    extra: dict = field(default_factory=dict)

    def payable(self) -> bool:
        """May a buyer still pay?"""
        again = self.status == "declined" and self.again
        return self.status == "open" or again

    def view(self) -> dict:
        keys = (
            "dialect nonce token amount currency status reference created "
            "requests code payment_id expires_at manual captured_minor "
            "challenge"
        )
        return {key: getattr(self, key) for key in keys.split()}


@dataclass
class Deed:
    """What was done to a payment once the buyer had paid.

    capture: pending, done, failed · refund: pending, done, failed, returned ·
    dispute: open, won, lost · fee: charged, returned
    """

    kind: str
    id: str
    made: Registration
    amount_minor: int
    currency: str
    status: str
    key: str = ""  # of the call that asked for it; empty: the dashboard
    code: str | None = None
    reason: str = ""
    final: bool = False
    captured_minor: int = 0  # a capture: all of them together, with this one
    fee_minor: int = 0
    fee_currency: str = ""
    created: float = field(default_factory=time.time)
    extra: dict = field(default_factory=dict)

    def view(self) -> dict:
        keys = (
            "kind id amount_minor currency status key code reason final "
            "captured_minor fee_minor fee_currency created"
        )
        shown = {key: getattr(self, key) for key in keys.split()}
        return shown | {"token": self.made.token, "dialect": self.made.dialect}


@dataclass
class Call:
    """One API call as the PSP saw it, refused ones included."""

    n: int
    dialect: str
    operation: str
    nonce: str
    token: str
    time: float = field(default_factory=time.time)
    outcome: str = "running"
    status: int | None = None
    fault: str | None = None
    key: str = ""

    def view(self) -> dict:
        return dict(self.__dict__)


@dataclass
class Made:
    """An event as the PSP has it, whatever became of its webhook."""

    dialect: str
    token: str
    id: str
    type: str
    time: float
    event: dict

    def view(self) -> dict:
        keys = "dialect token id type time"
        return {key: getattr(self, key) for key in keys.split()}


class Books:
    def __init__(self, seed: object = None):
        self.reset(seed)

    def reset(self, seed: object = None) -> None:
        self.seed = seed if seed is not None else random.SystemRandom().random()
        self.rng = random.Random(self.seed)
        self.registrations: list[Registration] = []
        self.by_token: dict[str, Registration] = {}
        self.by_nonce: dict[tuple[str, str], Registration] = {}
        self.deeds: list[Deed] = []
        # of each registration, by its place in memory
        self.deeds_by: dict[int, list[Deed]] = {}
        self.calls: list[Call] = []
        self.events: list[Made] = []
        self.deliveries: list = []
        self.returns: list[dict] = []
        # What was settled: closes, the names of what they hold, and balances
        # by (dialect, currency).
        self.closes: list = []
        self.settled: set[str] = set()
        self.balances: dict[tuple[str, str], int] = {}
        self.statements = 0  # of the bank

    def random_id(self, prefix: str, length: int) -> str:
        return prefix + "".join(self.rng.choices(ALPHANUMERIC, k=length))

    def call(
        self, dialect: str, operation: str, nonce: str, token: str
    ) -> Call:
        made = Call(len(self.calls) + 1, dialect, operation, nonce, token)
        self.calls.append(made)
        return made

    def add(self, registration: Registration, *, first: bool = True) -> None:
        self.registrations.append(registration)
        self.by_token[registration.token] = registration
        if first:
            key = (registration.dialect, registration.nonce)
            self.by_nonce[key] = registration

    def of_nonce(self, dialect: str, nonce: str) -> Registration | None:
        return self.by_nonce.get((dialect, nonce))

    def of_token(self, dialect: str, token: str) -> Registration | None:
        found = self.by_token.get(token)
        return found if found and found.dialect == dialect else None

    def of_payment(self, dialect: str, payment: str) -> Registration | None:
        for each in self.of_dialect(dialect):
            if payment and each.payment_id == payment:
                return each
        return None

    def add_deed(self, deed: Deed) -> None:
        self.deeds.append(deed)
        self.deeds_by.setdefault(id(deed.made), []).append(deed)

    def deeds_of(self, made: Registration, kind: str, *states: str) -> list:
        """The oldest first; of these states, or of all."""
        return [
            each
            for each in self.deeds_by.get(id(made), ())
            if each.kind == kind
            and (not states or each.status in states)
        ]

    def deed(self, deed_id: str) -> Deed | None:
        return next((each for each in self.deeds if each.id == deed_id), None)

    def money(self, made: Registration) -> dict:
        """Where a payment's money is, in minor units."""

        def total(kind: str, *states: str) -> int:
            found = self.deeds_of(made, kind, *states)
            return sum(each.amount_minor for each in found)

        held = made.status == "authorized"
        left = made.amount_minor - made.captured_minor if held else 0
        sums = {
            "capturing": total("capture", "pending"),
            "captured": made.captured_minor,
            "refunding": total("refund", "pending"),
            "refunded": total("refund", "done"),
            "disputed": total("dispute", "open", "lost"),
        }
        gone = sums["refunding"] + sums["refunded"] + sums["disputed"]
        return sums | {
            "authorized": left - sums["capturing"],
            "refundable": sums["captured"] - gone,
            "fees": self._fees(made),
        }

    def _fees(self, made: Registration) -> dict:
        """What the PSP has kept, by currency."""
        sums = {made.currency: made.fee_minor}
        for each in self.deeds:
            if each.made is not made:
                continue
            if each.kind == "fee":
                signed = {"charged": 1, "returned": -1}[each.status]
                kept = {each.currency: signed * each.amount_minor}
            else:
                kept = {each.fee_currency: each.fee_minor}
            for currency, minor in kept.items():
                sums[currency] = sums.get(currency, 0) + minor
        return {currency: minor for currency, minor in sums.items() if minor}

    def of_dialect(self, dialect: str) -> list[Registration]:
        """The oldest first."""
        return [each for each in self.registrations if each.dialect == dialect]

    def made_between(
        self, dialect: str, since: float, until: float
    ) -> list[Made]:
        """Events at or after `since` and before `until`, the oldest first."""
        return [
            each
            for each in self.events
            if each.dialect == dialect and since <= each.time < until
        ]

    def due(self, now: float) -> list[Registration]:
        """Registrations whose time has run out without a payment."""
        return [
            each
            for each in self.registrations
            if each.expires_at and each.expires_at <= now and each.payable()
        ]
