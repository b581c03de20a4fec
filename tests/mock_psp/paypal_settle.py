"""PayPal's settlement report (STL; developer.paypal.com/reports): one file a
day with all currencies, amounts without a point, the side beside them.

A dispute holds the money, its fee is a row of its own; once it is lost the
hold ends and a chargeback takes the money.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .settle_faults import spoiled_pages
from .settle_form import Form, payment

ZONE = ZoneInfo("Europe/Berlin")
ACCOUNT = "SMBXUZ9Z4F7MA"
COLUMNS = (
    "Transaction ID",
    "Invoice ID",
    "PayPal Reference ID",
    "PayPal Reference ID Type",
    "Transaction Event Code",
    "Transaction Initiation Date",
    "Transaction Completion Date",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    "Gross Transaction Currency",
    "Fee Debit or Credit",
    "Fee Amount",
    "Fee Currency",
    "Custom Field",
    "Consumer ID",
    "Payment Tracking ID",
    "Store ID",
    "Bank Reference ID",
)
CODES = {
    "sale": "T0006",
    "refund": "T1107",
    "dispute": "T1110",
    "dispute_returned": "T1111",
    "hold_ended": "T1111",
    "chargeback": "T1201",
    "fee": "T0106",
    "payout": "T0400",
    "payout_returned": "T0400",
}
# A fee that is given back.
FEE_BACK = "T1108"


@dataclass
class Entry:
    """A row of the report, as its footers count it."""

    payout: object
    text: str
    gross: int
    fee: int


class PayPalForm(Form):
    silent = ()
    pages = True
    daily = True
    partial = True
    unknown = ("refund_returned",)

    def rows_of(self, move) -> list:
        rows = super().rows_of(move)
        back = type(move)(**move.__dict__)
        if move.kind == "dispute_lost":
            minor = move.deed.amount_minor
            move.kind, move.gross = "hold_ended", minor
            back.kind, back.gross = "chargeback", -minor
            return [move, back]
        if move.kind.startswith("dispute") and move.fee:
            back.kind, back.gross = "fee", 0
            move.fee = 0
            return [move, back]
        return rows

    def row_id(self, row) -> str:
        """A hold, its end and a chargeback have ids of their own."""
        if row.kind == "refund" and row.deed:
            return row.deed.id
        if row.kind == "sale" and payment(row):
            return payment(row)
        return self.dialect.new_payment_id()

    def payout_id(self, close, currency: str) -> str:
        return self.dialect.new_payment_id()

    def reference(self, close, payout_id: str) -> str:
        """PayPal's name of the transfer, which the bank shows."""
        return "".join(self.books.rng.choices("0123456789", k=13))

    def files(self, close) -> list:
        """A report may come in several files, each a page of it with footers
        of its own rows; the last one has those of the report.
        """
        entries = [e for each in close.payouts for e in self._entries(each)]
        begin = {each.currency: each.begin for each in close.payouts}
        whole = _feet(close, entries, begin, 0)
        found = []
        for number, part in enumerate(_parts(entries, close.pages), 1):
            is_last = number == close.pages
            feet = _feet(close, part, begin, number)
            text = self._page(close, number, part, feet)
            if is_last:
                text += [_record("RF", *each) for each in whole]
                text.append(_record("RC", len(entries)))
            text.append(_record("FF", 1))
            stem = close.day.replace("-", "")
            name = f"STL-{stem}.{number:02d}.{close.version:03d}.CSV"
            data = "\ufeff" + "\r\n".join(text) + "\r\n"
            found.append((name, data.encode()))
        return spoiled_pages(close, found)

    def _page(self, close, number: int, entries, feet) -> list:
        day = datetime.fromisoformat(close.day).replace(tzinfo=ZONE)
        made = day + timedelta(days=1, hours=11, minutes=close.version)
        end = day + timedelta(hours=23, minutes=59, seconds=59)
        head = [_record("RH", _time(made), "X", ACCOUNT, 9)]
        return (head if number == 1 else []) + [
            _record("FH", number),
            _record("SH", _time(day), _time(end), ACCOUNT, ""),
            _record("CH", *COLUMNS),
            *[each.text for each in entries],
            *[_record("SF", *each) for each in feet],
            _record("SC", len(entries)),
        ]

    def _entries(self, payout) -> list:
        """The rows of one currency, the last one pays it out."""
        found = []
        for row in payout.rows:
            code = row.word[:5].upper() if row.word else CODES[row.kind]
            gross, fee = row.gross, -row.fee
            if row.kind == "fee":
                gross, fee = fee, 0
                code = FEE_BACK if gross > 0 else code
            text = self._body(row, code, gross, fee)
            found.append(Entry(payout, text, gross, fee))
        text = self._payout(payout)
        return [*found, Entry(payout, text, -payout.amount, 0)]

    def _body(self, row, code: str, gross: int, fee: int) -> str:
        parent = ""
        if row.payout:
            parent = row.payout.id
        elif row.kind != "sale":
            parent = payment(row)
        unit = row.made.extra["unit"] if row.made else {}
        sides = ["CR" if gross >= 0 else "DR", abs(gross), row.currency]
        cost = ["", "", ""]
        if fee:
            cost = ["CR" if fee > 0 else "DR", abs(fee), row.currency]
        when = _time(datetime.fromtimestamp(row.at, ZONE))
        return _record(
            "SB",
            row.id,
            unit.get("invoice_id", ""),
            parent,
            "TXN" if parent else "",
            code,
            when,
            when,
            *sides,
            *cost,
            unit.get("custom_id", ""),
            *[""] * 4,
        )

    def _payout(self, payout) -> str:
        when = _time(datetime.fromtimestamp(payout.at, ZONE))
        return _record(
            "SB",
            payout.id,
            *[""] * 3,
            CODES["payout"],
            when,
            when,
            "DR",
            payout.amount,
            payout.currency,
            *[""] * 7,
            payout.reference,
        )


def _parts(entries: list, pages: int) -> list:
    """About equal ones; a page may be empty."""
    each = -(-len(entries) // pages)
    return [entries[n * each : (n + 1) * each] for n in range(pages)]


def _feet(close, entries: list, begin: dict, number: int) -> list:
    """What the footers of each currency say.  Of a page they begin where the
    page before has ended, which `begin` keeps.
    """
    feet = []
    payouts = {id(each.payout): each.payout for each in entries}
    for payout in payouts.values():
        mine = [each for each in entries if each.payout is payout]
        gross, fees = {"CR": 0, "DR": 0}, {"CR": 0, "DR": 0}
        for each in mine:
            gross[_side(each.gross)] += abs(each.gross)
            fees[_side(each.fee)] += abs(each.fee)
        first = begin[payout.currency] if number else payout.begin
        last = first + sum(each.gross + each.fee for each in mine)
        if number in (0, close.pages) or close.pages == 1:
            last = payout.end
        off = close.off
        if number == 0:
            off += close.report_off
            last += close.report_off
        if number:
            begin[payout.currency] = last
        balances = []
        for minor in (first, last) * 2:
            balances += [_side(minor), abs(minor)]
        totals = [gross["CR"] + off, gross["DR"], *fees.values()]
        foot = [payout.currency, *totals, *balances, "CR", 0, "CR", 0]
        feet.append([*foot, len(mine)])
    return feet


def _side(minor: int) -> str:
    return "CR" if minor >= 0 else "DR"


def _time(when: datetime) -> str:
    return when.strftime("%Y/%m/%d %H:%M:%S %z")


def _record(*values) -> str:
    """Texts are quoted, numbers are not."""
    return ",".join(
        str(each) if isinstance(each, int) else f'"{each}"' for each in values
    )
