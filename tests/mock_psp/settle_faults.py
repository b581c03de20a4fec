"""What can be wrong with a settlement: rows, totals, files.

A fault about a row names it by `about`, the PSP's id of the payment, capture,
refund or dispute, or by `kind` of row; without both it is the first row that
no other fault has had.  `declared` false: the totals are those of the right
rows, so that the file contradicts itself.
"""

import copy

from .dashboard import BadRequest

# kind → parameters with their defaults
ROWS = {
    "missing": {},
    "late": {},
    "extra": {"amount_minor": 1234, "currency": None},
    "doubled": {"other_id": False},
    "amount": {"by_minor": 100},
    "currency": {"currency": None},
    "sign": {},
    "unknown_type": {"word": "novel_movement"},
}
FILES = {
    "footer": {"by_minor": 1},
    "cut": {"at": -1},
}
# Of a report that comes in several files: a page does not come, comes twice;
# the last one comes first; the sums of all pages are wrong on the last one.
PAGES = {
    "page_missing": {"page": 1},
    "page_doubled": {"page": 1},
    "pages_turned": {},
    "report_footer": {"by_minor": 1},
}
SELECT = ("kind", "about", "row_kind", "declared")


class Faulty:
    def __init__(self, specs, books):
        specs = specs if isinstance(specs, list) else [specs]
        self.specs = [_checked(each) for each in specs]
        self.books = books
        self.had: set[str] = set()
        self.honest: dict[str, int] = {}

    @property
    def total(self) -> int:
        """By how much each total is wrong."""
        return sum(
            each["by_minor"] for each in self.specs if each["kind"] == "footer"
        )

    @property
    def report_off(self) -> int:
        """By how much the sums of the whole report alone are wrong."""
        return sum(
            each["by_minor"]
            for each in self.specs
            if each["kind"] == "report_footer"
        )

    @property
    def pages(self) -> list:
        """What is wrong with the pages of a report."""
        return [each for each in self.specs if each["kind"] in PAGES]

    @property
    def cut(self) -> int | None:
        """At which byte files end; below 0: somewhere in the middle."""
        found = [e["at"] for e in self.specs if e["kind"] == "cut"]
        return found[0] if found else None

    def held_back(self, moves: list) -> list:
        """`moves` without those of a later close."""
        late = [
            self._find(each, moves)
            for each in self.specs
            if each["kind"] == "late"
        ]
        return [each for each in moves if each not in late]

    def rows(self, rows: list) -> list:
        """`rows` with what is wrong with them."""
        for spec in self.specs:
            work = WORK.get(spec["kind"])
            if work is None:
                continue
            before = _sums(rows)
            row = None
            if spec["kind"] != "extra":
                row = self._find(spec, rows)
            work(self, spec, rows, row)
            if not spec["declared"]:
                after = _sums(rows)
                for currency in before.keys() | after.keys():
                    change = after.get(currency, 0) - before.get(currency, 0)
                    kept = self.honest.get(currency, 0)
                    self.honest[currency] = kept + change
        return rows

    def undeclared(self, close) -> None:
        """Totals that do not go with the rows."""
        for payout in close.payouts:
            payout.amount -= self.honest.get(payout.currency, 0)

    def _find(self, spec: dict, rows: list):
        for row in rows:
            if row.key in self.had:
                continue
            kind, about = spec["row_kind"], spec["about"]
            if kind and row.kind != kind:
                continue
            if about and about not in names(row):
                continue
            if not kind and not about and row.made is None:
                continue
            self.had.add(row.key)
            return row
        raise BadRequest(f"no row for the fault {spec['kind']}")


def names(row) -> set:
    """By which a fault, and a test, may call a row."""
    found = {row.id}
    if row.made is not None:
        found |= {row.made.token, row.made.payment_id, row.made.nonce}
    if row.deed is not None:
        found.add(row.deed.id)
    return found


def _sums(rows: list) -> dict:
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.currency] = sums.get(row.currency, 0) + row.net
    return sums


def _checked(spec: dict) -> dict:
    kind = spec.get("kind") if isinstance(spec, dict) else None
    known = (ROWS | FILES | PAGES).get(kind)
    if known is None:
        words = ", ".join([*ROWS, *FILES, *PAGES])
        raise BadRequest(f"a fault is one of {words}")
    for name in spec:
        if name not in SELECT and name not in known:
            raise BadRequest(f"{kind} has no {name}")
    chosen = {"about": None, "row_kind": None, "declared": True}
    return chosen | known | spec


def spoiled_pages(close, files: list) -> list:
    """`files`, a page each, with what is wrong with their number and order."""
    found = list(enumerate(files, 1))
    for spec in close.spoiled:
        if spec["kind"] == "page_missing":
            found = [each for each in found if each[0] != spec["page"]]
        if spec["kind"] == "page_doubled":
            found += [each for each in found if each[0] == spec["page"]][:1]
        if spec["kind"] == "pages_turned":
            found.reverse()
    return [file for _, file in found]


def _missing(self, spec, rows, row) -> None:
    rows.remove(row)


def _extra(self, spec, rows, row) -> None:
    like = next((each for each in rows if each.kind == "sale"), None)
    if like is None:
        raise BadRequest("no sale that the fault extra could look like")
    new = copy.copy(like)
    new.key = self.books.random_id("extra ", 12)
    new.id = _another_id(self, like)
    new.made = new.deed = None
    new.foreign = _shaped(self, like.made.payment_id)
    new.gross, new.fee = spec["amount_minor"], 0
    new.currency = spec["currency"] or like.currency
    rows.append(new)


def _doubled(self, spec, rows, row) -> None:
    new = copy.copy(row)
    if spec["other_id"]:
        new.id = _another_id(self, row)
    rows.insert(rows.index(row) + 1, new)


def _amount(self, spec, rows, row) -> None:
    row.gross += spec["by_minor"]


def _currency(self, spec, rows, row) -> None:
    other = "EUR" if row.currency != "EUR" else "USD"
    row.currency = spec["currency"] or other


def _sign(self, spec, rows, row) -> None:
    row.gross = -row.gross


def _unknown(self, spec, rows, row) -> None:
    row.word = spec["word"]


def _another_id(self, row) -> str:
    """As the PSP's ids are: the same prefix and length."""
    return _shaped(self, row.id)


def _shaped(self, text: str) -> str:
    head = text[: text.index("_") + 2] if "_" in text[:6] else text[:1]
    new = self.books.random_id(head, max(8, len(text) - len(head)))
    return new.upper() if text.isupper() else new


WORK = {
    "missing": _missing,
    "extra": _extra,
    "doubled": _doubled,
    "amount": _amount,
    "currency": _currency,
    "sign": _sign,
    "unknown_type": _unknown,
}
