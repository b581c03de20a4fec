"""What the providers have paid: their own books, to hold ours against.

A payment's money is in one of four places, which each provider's states name:

  none   asked for, not taken from the balance, nobody is going to pay it
  held   taken from the balance, on its way
  left   at the receiver's side, as far as the provider knows
  back   in the balance again: refused, failed, returned, cancelled
"""

from dataclasses import dataclass, field

PLACES = ("none", "held", "left", "back")
# So rich is an account that no test has spoken of.
RICH = 10**14


@dataclass
class Payment:
    """One payment to one receiver, or a step that leads to it (`kind`)."""

    provider: str
    kind: str
    id: str
    key: str  # of the item, as the caller names it to this provider
    amount_minor: int
    currency: str
    to: dict
    account_end: str
    state: str
    account: str = ""  # whose balance pays; empty: the caller's own
    parcel: str = ""  # the provider's id of the batch, or of the file
    code: str | None = None
    created: float = 0.0
    changed: float = 0.0
    fee_minor: int = 0
    back_minor: int | None = None  # when it is not the amount that comes back
    place: str = "none"
    requests: int = 1
    moves: int = 0
    history: list = field(default_factory=list)
    extra: dict = field(default_factory=dict)

    # as faults and webhooks know it
    @property
    def nonce(self) -> str:
        return self.key

    @property
    def token(self) -> str:
        return self.key

    def was(self, *places: str) -> bool:
        """Was its money ever there?"""
        return any(each["place"] in places for each in self.history)

    def view(self) -> dict:
        keys = (
            "provider kind id key parcel amount_minor currency to account_end "
            "state place code created changed fee_minor requests history"
        )
        return {key: getattr(self, key) for key in keys.split()}


class Books:
    def __init__(self):
        self.reset()

    def reset(self) -> None:
        self.payments: list[Payment] = []
        self.by_id: dict[tuple[str, str], Payment] = {}
        self.balances: dict[tuple[str, str, str], int] = {}
        self.limits: dict[str, int] = {}

    def add(self, made: Payment) -> None:
        self.payments.append(made)
        self.by_id[made.provider, made.id] = made

    def find(self, provider: str, made_id: str) -> Payment | None:
        return self.by_id.get((provider, made_id))

    def of(self, provider: str, kind: str = "payout") -> list[Payment]:
        """The oldest first."""
        return [
            each
            for each in self.payments
            if each.provider == provider and each.kind == kind
        ]

    def balance(self, provider: str, account: str, currency: str) -> int:
        rich = 0 if account else RICH
        return self.balances.get((provider, account, currency), rich)

    def add_money(
        self, provider: str, account: str, currency: str, minor: int
    ) -> None:
        left = self.balance(provider, account, currency) + minor
        self.balances[provider, account, currency] = left

    def place(self, made: Payment, place: str) -> None:
        """Its money goes to another place, and the balance follows."""
        paid = ("held", "left")
        owner = (made.provider, made.account, made.currency)
        if made.place not in paid and place in paid:
            self.add_money(*owner, -made.amount_minor - made.fee_minor)
        elif made.place in paid and place == "back":
            back = made.back_minor
            self.add_money(*owner, made.amount_minor if back is None else back)
        made.place = place

    def paid(self, payments: list[Payment]) -> dict:
        """{provider: {key: what was paid under it}}; `live` above 1 is a
        seller who was paid twice.
        """
        found: dict = {}
        for each in payments:
            if each.kind != "payout" or not each.was("held", "left"):
                continue
            keys = found.setdefault(each.provider, {})
            row = keys.setdefault(
                each.key,
                {
                    "count": 0,
                    "live": 0,
                    "left_minor": 0,
                    "back_minor": 0,
                    "currency": each.currency,
                    "to": each.to,
                    "account_end": each.account_end,
                    "ids": [],
                    "states": [],
                },
            )
            self._count(row, each)
        return found

    def _count(self, row: dict, made: Payment) -> None:
        row["count"] += 1
        row["live"] += made.place in ("held", "left")
        row["ids"].append(made.id)
        row["states"].append(made.state)
        if made.was("left"):
            row["left_minor"] += made.amount_minor
        if made.was("left") and made.place == "back":
            back = made.back_minor
            row["back_minor"] += made.amount_minor if back is None else back
