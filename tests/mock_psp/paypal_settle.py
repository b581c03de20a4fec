"""PayPal's settlement report (STL; developer.paypal.com/reports): one file a
day with all currencies, amounts without a point, the side beside them.

A dispute holds the money, its fee is a row of its own; once it is lost the
hold ends and a chargeback takes the money.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

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


class PayPalForm(Form):
    silent = ()
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
        day = datetime.fromisoformat(close.day).replace(tzinfo=ZONE)
        made = day + timedelta(days=1, hours=11)
        sections = [self._section(close, each) for each in close.payouts]
        rows = [each for lines, _ in sections for each in lines]
        feet = [foot for _, foot in sections]
        end = day + timedelta(hours=23, minutes=59, seconds=59)
        texts = [
            _record("RH", _time(made), "X", ACCOUNT, 9),
            _record("FH", 1),
            _record("SH", _time(day), _time(end), ACCOUNT, ""),
            _record("CH", *COLUMNS),
            *rows,
            *[_record("SF", *each) for each in feet],
            _record("SC", len(rows)),
            *[_record("RF", *each) for each in feet],
            _record("RC", len(rows)),
            _record("FF", 1),
        ]
        stem = close.day.replace("-", "")
        text = "\ufeff" + "\r\n".join(texts) + "\r\n"
        return [(f"STL-{stem}.01.{close.version:03d}.CSV", text.encode())]

    def _section(self, close, payout):
        """-> the rows of one currency, and what its footer says"""
        lines, sums = [], {"CR": 0, "DR": 0}
        fees = {"CR": 0, "DR": 0}
        for row in payout.rows:
            code = row.word[:5].upper() if row.word else CODES[row.kind]
            gross, fee = row.gross, -row.fee
            if row.kind == "fee":
                gross, fee = fee, 0
                code = FEE_BACK if gross > 0 else code
            sums["CR" if gross >= 0 else "DR"] += abs(gross)
            fees["CR" if fee >= 0 else "DR"] += abs(fee)
            lines.append(self._body(row, code, gross, fee))
        sums["DR"] += payout.amount
        lines.append(self._payout(payout))
        balances = []
        for each in (payout.begin, payout.end) * 2:
            balances += ["CR" if each >= 0 else "DR", abs(each)]
        zeros = ["CR", 0, "CR", 0]
        gross = sums["CR"] + close.off, sums["DR"]
        totals = (*gross, fees["CR"], fees["DR"])
        foot = (payout.currency, *totals, *balances, *zeros, len(lines))
        return lines, foot

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


def _time(when: datetime) -> str:
    return when.strftime("%Y/%m/%d %H:%M:%S %z")


def _record(*values) -> str:
    """Texts are quoted, numbers are not."""
    return ",".join(
        str(each) if isinstance(each, int) else f'"{each}"' for each in values
    )
