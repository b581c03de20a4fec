"""The PSP closes a day: the money that its payments have moved, less its fees,
becomes rows, and the rows of each currency a payout to the seller's bank.

Everything comes from the books: a row is made once, of a sale, a capture, a
refund, a dispute, a fee, or a payout that came back.  ``settle_faults``
spoils rows, the dialects' own files write them.  Nothing here does I/O.
"""

import copy
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .dashboard import BadRequest
from .lifecycle import NotPossible
from .settle_faults import Faulty

# The states of deeds that have moved money.  A refund that is returned was
# done before.
REFUNDED = ("done", "returned")
TAKEN = ("open", "won", "lost")


@dataclass
class Move:
    """Money that was moved.  gross: into the seller's balance, or below 0 out
    of it; fee: what the PSP keeps, below 0 what it gives back.
    """

    key: str  # what was moved, and by what: never settled twice
    kind: str
    gross: int
    fee: int
    currency: str
    at: float
    made: object = None  # the registration, where there is one
    deed: object = None
    payout: object = None  # that came back
    id: str = ""  # of the row, at PSPs that number them
    foreign: str = ""  # the id of a payment that nobody knows
    word: str = ""  # a type that no table has

    @property
    def net(self) -> int:
        return self.gross - self.fee


@dataclass
class Payout:
    """The rows of one currency and what they come to.  `amount` is what the
    PSP says; it pays just that.
    """

    id: str
    reference: str  # as it stands on the statement of the bank
    currency: str
    amount: int
    rows: list
    at: float
    begin: int = 0  # the balance before, and after it
    end: int = 0
    status: str = "paid"
    banked: bool = False  # has it stood on a statement of the bank?


@dataclass
class Close:
    """A day of one dialect.  A PSP that has files of several currencies has
    one of each close, another one of each payout.
    """

    dialect: str
    number: int
    day: str
    at: float
    payouts: list
    version: int = 1
    off: int = 0  # by how much each total is wrong
    cut: int | None = None  # at which byte each file ends; -1: within it
    pages: int = 1  # in so many files the report comes
    report_off: int = 0  # by how much the sums of all pages are wrong
    spoiled: tuple = ()  # faults of pages


class Settlements:
    def __init__(self, config, books, dialects):
        self.config = config
        self.books = books
        self.dialects = dialects

    def closes_of(self, dialect: str) -> list:
        """The oldest first."""
        return [each for each in self.books.closes if each.dialect == dialect]

    def payouts_of(self, dialect: str) -> list:
        """The oldest first."""
        return [
            payout
            for close in self.closes_of(dialect)
            for payout in close.payouts
        ]

    def payout(self, dialect: str, payout_id: str):
        found = self.payouts_of(dialect)
        return next((each for each in found if each.id == payout_id), None)

    def moves(self, dialect: str) -> list:
        """All that was moved and no close has had, the oldest first."""
        found = []
        for made in self.books.of_dialect(dialect):
            found += _sale(made, self.books)
        for deed in self.books.deeds:
            if deed.made.dialect == dialect:
                found += _moves_of(deed)
        for payout in self.payouts_of(dialect):
            if payout.status == "failed":
                found.append(_returned(payout))
        rest = [each for each in found if each.key not in self.books.settled]
        return sorted(rest, key=lambda each: each.at)

    def balance(self, dialect: str) -> dict:
        """currency -> (left over by payouts, moved since the last close)"""
        found: dict[str, tuple[int, int]] = {}
        for (name, currency), left in self.books.balances.items():
            if name == dialect:
                found[currency] = (left, 0)
        for each in self.moves(dialect):
            left, moved = found.get(each.currency, (0, 0))
            found[each.currency] = (left, moved + each.net)
        return found

    def close(self, dialect: str, body: dict) -> Close:
        """{day?, monthly_fee_minor?, withdraw?, pages?, faults?}: closes a
        day.
        """
        form = self.dialects[dialect].settlement
        parts = _parts(form, body.get("withdraw", {}))
        faults = Faulty(body.get("faults", []), self.books)
        moves = faults.held_back(self.moves(dialect))
        rows = [row for each in moves for row in form.rows_of(each)]
        rows = faults.rows([_named(form, each) for each in rows])
        before = self.closes_of(dialect)
        number = len(before) + 1
        day = self._day(body, before if form.daily else [])
        close = Close(dialect, number, day, time.time(), [])
        self._spoil(close, faults, body)
        fee = body.get("monthly_fee_minor", 0)
        for currency in sorted({each.currency for each in rows}):
            part = [each for each in rows if each.currency == currency]
            if fee:
                part.append(_monthly(form, close, currency, fee))
            payout = self._payout(form, close, currency, part)
            if currency in parts:
                _keep_back(payout, currency, parts.pop(currency))
            if payout:
                close.payouts.append(payout)
        if not close.payouts:
            raise NotPossible("there is nothing to pay out")
        if parts:
            raise NotPossible(f"no row is in {', '.join(sorted(parts))}")
        self._keep(close, moves)
        faults.undeclared(close)
        return close

    def _spoil(self, close: Close, faults: Faulty, body: dict) -> None:
        """What is wrong with the files of a close, and how many they are."""
        form = self.dialects[close.dialect].settlement
        close.off, close.cut = faults.total, faults.cut
        close.report_off, close.spoiled = faults.report_off, faults.pages
        close.pages = body.get("pages", close.pages)
        if type(close.pages) is not int or not 1 <= close.pages <= 99:
            raise BadRequest("pages is a number from 1 to 99")
        if close.pages > 1 and not form.pages:
            raise NotPossible(f"{form.name} has one file of a close")
        if close.spoiled and close.pages == 1:
            raise BadRequest("a report of one file has no pages")

    def files(self, close: Close) -> list:
        """-> (name, bytes) of each"""
        found = self.dialects[close.dialect].settlement.files(close)
        if close.cut is None:
            return found
        return [
            (name, data[: len(data) * 2 // 3 if close.cut < 0 else close.cut])
            for name, data in found
        ]

    def _day(self, body: dict, before: list) -> str:
        """As asked for; today, and no day twice, where none is."""
        day = body.get("day")
        if day is None:
            day = datetime.now(UTC).date()
            if before:
                last = datetime.fromisoformat(before[-1].day).date()
                day = max(day, last + timedelta(days=1))
        return str(day)

    def _payout(self, form, close, currency: str, rows: list):
        """What empties the balance; None when that is not above 0: its rows
        wait for more.
        """
        begin = self.books.balances.get((close.dialect, currency), 0)
        amount = begin + sum(each.net for each in rows)
        if amount <= 0:
            return None
        payout_id = form.payout_id(close, currency)
        reference = form.reference(close, payout_id)
        return Payout(
            payout_id, reference, currency, amount, rows, close.at, begin
        )

    def _keep(self, close: Close, moves: list) -> None:
        paid = {each.currency for each in close.payouts}
        keys = {row.key for each in close.payouts for row in each.rows}
        for each in moves:
            if each.currency in paid or each.key in keys:
                self.books.settled.add(each.key)
        for each in close.payouts:
            self.books.balances[close.dialect, each.currency] = each.end
        self.books.closes.append(close)

    def again(self, close: Close, body: dict) -> Close:
        """The batch once more with other rows, as `faults` say; its payouts
        go with the rows.
        """
        faults = Faulty(body.get("faults", []), self.books)
        new = copy.copy(close)
        new.version += 1
        self._spoil(new, faults, body)
        new.payouts = []
        for each in close.payouts:
            rows = faults.rows([copy.copy(row) for row in each.rows])
            payout = copy.copy(each)
            payout.rows = [r for r in rows if r.currency == each.currency]
            paid = each.begin + sum(row.net for row in payout.rows)
            payout.amount = paid - each.end
            new.payouts.append(payout)
        faults.undeclared(new)
        place = self.books.closes.index(close)
        self.books.closes[place] = new
        return new


def _parts(form, asked: dict) -> dict:
    """currency -> what is withdrawn; of a currency that is not named all is."""
    if not isinstance(asked, dict):
        raise BadRequest("withdraw is an object: currency and minor units")
    for minor in asked.values():
        if type(minor) is not int or minor < 1:
            raise BadRequest("an amount in minor units, above 0")
    if asked and not form.partial:
        raise NotPossible(f"{form.name} pays out all that there is")
    return dict(asked)


def _keep_back(payout, currency: str, minor: int) -> None:
    """The payout is of `minor`; the rest stays in the balance."""
    if payout is None or minor > payout.amount:
        raise NotPossible(f"the balance in {currency} is not that high")
    payout.end = payout.amount - minor
    payout.amount = minor


def _named(form, move: Move) -> Move:
    move.id = move.id or form.row_id(move)
    return move


def _sale(made, books) -> list:
    """Held money moves with its captures."""
    if made.manual or not made.captured_minor:
        return []
    return [
        Move(
            f"sale {made.token}",
            "sale",
            made.captured_minor,
            made.fee_minor,
            made.currency,
            made.created,
            made,
        )
    ]


def _moves_of(deed) -> list:
    made, minor, fee = deed.made, deed.amount_minor, deed.fee_minor

    def move(kind: str, gross: int, cost: int, later: float = 0) -> Move:
        return Move(
            f"{kind} {deed.id}",
            kind,
            gross,
            cost,
            deed.currency,
            deed.created + later,
            made,
            deed,
        )

    found = []
    if deed.kind == "capture" and deed.status == "done":
        found.append(move("sale", minor, fee))
    if deed.kind == "refund" and deed.status in REFUNDED:
        found.append(move("refund", -minor, fee))
        if deed.status == "returned":
            found.append(move("refund_returned", minor, 0, 1))
    if deed.kind == "dispute" and deed.status in TAKEN:
        found.append(move("dispute", -minor, fee))
        if deed.status == "won":
            back = deed.extra.get("returned_fee", 0)
            found.append(move("dispute_returned", minor, -back, 1))
        if deed.status == "lost":
            found.append(move("dispute_lost", 0, 0, 1))
    if deed.kind == "fee" and "dispute" not in deed.extra:
        cost = minor if deed.status == "charged" else -minor
        found.append(move("fee", 0, cost))
    return found


def _returned(payout: Payout) -> Move:
    return Move(
        f"payout_returned {payout.id}",
        "payout_returned",
        payout.amount,
        0,
        payout.currency,
        payout.at + 1,
        payout=payout,
    )


def _monthly(form, close: Close, currency: str, minor: int) -> Move:
    """What the PSP charges for a month, for no payment of its own."""
    key = f"month {close.number} {currency}"
    move = Move(key, "fee", 0, minor, currency, close.at)
    return _named(form, move)
