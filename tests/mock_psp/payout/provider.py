"""What a pay-out provider of this mock is: the frame that each of them fills.

A provider turns calls into payments and payments into answers and webhooks.
It is a Dialect without registrations, so that faults, answers and webhooks
work as they do for the PSPs.
"""

import copy
import hashlib
import json
from dataclasses import dataclass, field

from ..answers import Answer
from ..dialect import Dialect
from ..lifecycle import NotPossible
from .books import Payment


class Refused(Exception):
    """The provider does not take the call, in its own words."""

    def __init__(self, status: int, code: str, message: str = "", **more):
        super().__init__(message or code)
        self.status, self.code, self.more = status, code, more


@dataclass
class Named:
    """The item or batch that a call is about, for faults and for the list of
    calls, before there is a payment.
    """

    nonce: str
    token: str = field(init=False)

    def __post_init__(self):
        self.token = self.nonce


class Provider(Dialect):
    # "payout-" and the provider's name: of the files DIR/<name>.key and
    # .whsec, and of faults.
    name = ""
    # How long a key is known; 0: for ever.
    window_s = 0
    # The state of a new payment, which states may follow a state, and where
    # the money is in each.
    first = ""
    legal: dict[str, tuple] = {}
    places: dict[str, str] = {}
    # What becomes of a payment when nobody says anything else.
    fate: tuple = ()

    def __init__(self, world, books, config):
        super().__init__(books, config)
        self.world = world
        self.clock = world.clock
        self.ledger = world.books
        self.keys: dict = {}

    @property
    def short(self) -> str:
        return self.name.removeprefix("payout-")

    @property
    def root(self) -> str:
        return f"/payout/{self.short}"

    def reset(self) -> None:
        self.keys.clear()

    # Keys.

    def remember(self, key: str, print_: str, kept) -> None:
        if key:
            self.keys[key] = (print_, copy.deepcopy(kept), self.clock.now())

    def recall(self, key: str, print_: str):
        """-> None, or whether the call is the first one's, and what was kept;
        None again when the key has run out
        """
        if key not in self.keys:
            return None
        first, kept, since = self.keys[key]
        if self.window_s and self.clock.now() >= since + self.window_s:
            del self.keys[key]
            return None
        return first == print_, copy.deepcopy(kept)

    # Payments.

    def pay(self, made: Payment) -> Payment:
        """Books a new payment in its first state and fixes its fate."""
        made.created = made.changed = self.clock.now()
        self.ledger.add(made)
        self._become(made, made.state)
        if made.kind == "payout":
            self.follow(made)
        return made

    def follow(self, made: Payment) -> None:
        """What becomes of it from now on, by itself."""
        steps = self.world.fates.take(self, made)
        self._next(made, steps, made.moves)

    def _next(self, made: Payment, steps: list, moves: int) -> None:
        if not steps:
            return
        step, rest = steps[0], steps[1:]

        def work():
            # moved by hand since: the rest is off
            if made.moves == moves and step.state in self.legal[made.state]:
                made.back_minor = step.back_minor
                self.move(made, step.state, step.code)
                self._next(made, rest, made.moves)

        pause = self.config.payout_step_ms / 1000
        after = pause if step.after_s is None else step.after_s
        self.clock.later(after, work)

    def move(self, made: Payment, state: str, code: str | None = None) -> list:
        """To another state; returns the webhooks that tell of it."""
        if state not in self.legal[made.state]:
            raise NotPossible(f"{made.id} is {made.state}, never {state} then")
        before = made.state
        made.moves += 1
        made.code = code
        made.changed = self.clock.now()
        self._become(made, state)
        return self.tell(made, self.told(made, before))

    def _become(self, made: Payment, state: str) -> None:
        made.state = state
        self.ledger.place(made, self.place_of(made))
        made.history.append(
            {
                "state": state,
                "place": made.place,
                "code": made.code,
                "at": self.clock.text(),
            }
        )

    def place_of(self, made: Payment) -> str:
        """Where its money is in the state that it has now."""
        return self.places[made.state]

    def tell(self, made: Payment, events: list) -> list:
        return [self.world.sender.emit(self, made, event) for event in events]

    def told(self, made: Payment, before: str) -> list:
        """The events of a payment that has become what it is."""
        return []

    def affords(self, made: Payment) -> str | None:
        """None, "limit" or "funds": why the account cannot pay it."""
        limit = self.ledger.limits.get(self.short)
        if limit is not None and made.amount_minor > limit:
            return "limit"
        left = self.ledger.balance(self.short, made.account, made.currency)
        return "funds" if left < made.amount_minor + made.fee_minor else None

    def refuse(self, status: int, code: str) -> Answer:
        """The fault `refuse`, in this provider's words."""
        return self.error(status, code, "refused on request")

    # The control API's own ways in.

    def moved(self, made: Payment) -> None:
        """A payment was moved by hand; a batch may follow its items."""

    # The faults.

    def change_account(self, body: dict) -> None:
        """The fault `wrong_account`."""
        raise NotImplementedError

    def change_url(self, body: dict, url: str) -> None:
        """No answer here leads a browser anywhere."""


def load(raw: bytes) -> dict:
    """A JSON object without a member twice."""

    def only_once(pairs: list) -> dict:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a member stands there twice")
        return dict(pairs)

    try:
        body = json.loads(raw, object_pairs_hook=only_once)
    except ValueError:
        raise Refused(400, "invalid_json", "the body is no JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "invalid_json", "the body is no object")
    return body


def look(raw: bytes, *path: str) -> str:
    """A text of a body that may be anything; empty when it is not there."""
    try:
        inner = json.loads(raw)
        for name in path:
            inner = inner[name]
    except (ValueError, KeyError, TypeError, IndexError):
        return ""
    return inner if isinstance(inner, str) else ""


def print_of(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_iban(text: str) -> bool:
    """ISO 13616: a country, check digits, mod 97 is 1."""
    if not (15 <= len(text) <= 34 and text.isascii() and text.isalnum()):
        return False
    if text != text.upper() or not (text[:2].isalpha() and text[2:4].isdigit()):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(each, 36)) for each in turned)) % 97 == 1


def refusal(answer, reason: Refused) -> tuple[Answer, str]:
    return answer(reason.status, reason.code, str(reason)), "refused"
