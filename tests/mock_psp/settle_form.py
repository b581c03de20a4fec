"""How one PSP settles: the ids of its payouts and rows, its files, and the
questions about them that its API answers.  The dialects' own files
``<name>_settle.py`` fill it.
"""

from datetime import UTC, datetime

from .lifecycle import NotPossible


class Form:
    # Kinds of moves that this PSP has no row for, and those of which nobody
    # outside knows how it shows them.
    silent = ("dispute_lost",)
    unknown: tuple = ()
    # Has it one file a day, which is named after the day?
    daily = False
    # May a withdrawal be a part of the balance?
    partial = False
    # May a report come in several files?
    pages = False

    def __init__(self, dialect, settlements):
        self.dialect = dialect
        self.name = dialect.name
        self.books = dialect.books
        self.config = dialect.config
        self.settlements = settlements

    def routes(self, api) -> list:
        """Made with api.settlement(dialect, work)."""
        return []

    def change_balance(self, body: dict, by_minor: int) -> None:
        """The fault wrong_balance."""
        raise NotPossible(f"{self.name} tells no balance")

    def rows_of(self, move) -> list:
        """The rows of a move: one, none, or several."""
        if move.kind in self.unknown:
            raise NotPossible(
                f"{self.name}'s documents do not say how it settles {move.kind}"
            )
        return [] if move.kind in self.silent else [move]

    def row_id(self, row) -> str:
        return self.books.random_id("row_", 16)

    def payout_id(self, close, currency: str) -> str:
        return self.books.random_id("po_", 16)

    def reference(self, close, payout_id: str) -> str:
        """The payout's name on the statement of the bank."""
        return payout_id

    def files(self, close) -> list:
        """-> (name, bytes) of each"""
        raise NotImplementedError

    def announce(self, close) -> list:
        """The events that tell of a close."""
        return []


def payment(row) -> str:
    """The PSP's id of the payment that a row is about, or empty."""
    return row.made.payment_id if row.made else row.foreign


def deed(row) -> str:
    return row.deed.id if row.deed else ""


def utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def line(values: list) -> str:
    """A record of CSV, RFC 4180."""
    return ",".join(_quoted(str(each)) for each in values)


def _quoted(text: str) -> str:
    if any(each in text for each in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
