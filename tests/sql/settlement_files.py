"""Settlement files of random histories, as PSPs and banks write them: the
generic CSV, Stripe's report, Adyen's settlement details report, MT940.  The
writers know nothing of src/settle, so that a mistake in either is seen.
"""

import csv
import dataclasses
import io

DECIMALS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
DAY = "2026-11-21"
ACCOUNT = "M1"

STRIPE = {
    "sale": "charge",
    "sale_returned": "partial_capture_reversal",
    "refund": "refund",
    "refund_returned": "refund_failure",
    "dispute": "dispute",
    "dispute_returned": "dispute_reversal",
    "fee": "fee",
    "tax": "tax",
    "withheld": "risk_reserved_funds",
    "released": "risk_reserved_funds",
    "payout": "payout",
    "payout_returned": "payout_reversal",
    "adjustment": "other_adjustment",
    "unknown": "surprise",
}
ADYEN = {
    "sale": "Settled",
    "sale_returned": "CaptureFailed (Sales Day payout)",
    "refund": "Refunded",
    "refund_returned": "RefundedReversed",
    "dispute": "Chargeback",
    "dispute_returned": "ChargebackReversed",
    "fee": "Fee",
    "withheld": "DepositCorrection",
    "released": "DepositCorrection",
    "payout": "MerchantPayout",
    "payout_returned": "BankInstructionReturned",
    "adjustment": "ManualCorrected",
    "unknown": "Surprise",
}
OF_PAYMENTS = (
    "sale",
    "sale_returned",
    "refund",
    "refund_returned",
    "dispute",
    "dispute_returned",
)


@dataclasses.dataclass
class Row:
    """A row as all formats mean it; amounts are in minor units, + is money
    that comes in."""

    kind: str
    key: str = ""
    psp_ref: str = ""
    parent_ref: str = ""
    our_ref: str = ""
    gross: int = 0
    fee: int = 0
    tax: int = 0
    currency: str = "EUR"
    paid: int = 0
    paid_currency: str = ""
    payout: str = ""
    note: str = ""

    @property
    def net(self):
        """What it moves."""
        return self.gross + self.fee + self.tax

    def contents(self):
        """By what two rows with one key are the same row."""
        return (
            self.kind,
            self.gross,
            self.fee,
            self.tax,
            self.net,
            self.currency,
            self.psp_ref,
            self.parent_ref,
            self.payout,
        )


def major(minor, currency, point="."):
    """An amount with just the decimals of its currency."""
    places = DECIMALS[currency]
    digits = str(abs(minor)).rjust(places + 1, "0")
    sign = "-" if minor < 0 else ""
    if places == 0:
        return sign + digits
    return f"{sign}{digits[:-places]}{point}{digits[-places:]}"


def table(header, lines):
    """A CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()


def by_currency(rows):
    """Rows of each currency."""
    found = {}
    for row in rows:
        found.setdefault(row.currency, []).append(row)
    return found


def generic(rows):
    """The generic CSV with its totals."""
    header = (
        "row_id,type,psp_ref,parent_ref,our_ref,occurred_at,booked_on,gross,"
        "fee,tax,net,currency,payout_id,paid,paid_currency,note"
    ).split(",")
    lines = [
        [
            row.key,
            "surprise" if row.kind == "unknown" else row.kind,
            row.psp_ref,
            row.parent_ref,
            row.our_ref,
            f"{DAY}T10:00:00Z",
            DAY,
            major(row.gross, row.currency),
            major(row.fee, row.currency),
            major(row.tax, row.currency),
            major(row.net, row.currency),
            row.currency,
            row.payout,
            major(row.paid, row.paid_currency) if row.paid_currency else "",
            row.paid_currency,
            row.note,
        ]
        for row in rows
    ]
    for currency, some in by_currency(rows).items():
        sums = [
            major(sum(getattr(row, name) for row in some), currency)
            for name in ("gross", "fee", "tax", "net")
        ]
        lines.append(
            ["total", len(some), "", "", "", "", "", *sums, currency]
            + [""] * 4
        )
    return table(header, lines)


def stripe(rows):
    """Stripe's report: charges of the account stand in gross, a fee is
    positive when it is charged."""
    header = (
        "balance_transaction_id,payment_intent_id,source_id,created_utc,"
        "currency,gross,fee,net,reporting_category,automatic_payout_id,"
        "customer_facing_amount,customer_facing_currency,"
        "payment_metadata[payment_reference],description"
    ).split(",")
    lines = []
    for row in rows:
        own = row.kind in ("fee", "tax")
        lines.append(
            [
                row.key,
                row.parent_ref,
                row.psp_ref,
                f"{DAY} 10:00:00",
                row.currency.lower(),
                major(row.net if own else row.gross, row.currency),
                major(0 if own else -row.fee, row.currency),
                major(row.net, row.currency),
                STRIPE[row.kind],
                row.payout,
                major(row.paid, row.paid_currency)
                if row.paid_currency
                else "",
                row.paid_currency.lower(),
                row.our_ref,
                row.note,
            ]
        )
    return table(header, lines)


def sides(minor, currency):
    """A debit and a credit column."""
    text = major(abs(minor), currency)
    return ["", text] if minor >= 0 else [text, ""]


def adyen(rows):
    """Adyen's report of a batch."""
    header = (
        "Merchant Account,Psp Reference,Merchant Reference,Creation Date,"
        "TimeZone,Type,Modification Reference,Gross Currency,"
        "Gross Debit (GC),Gross Credit (GC),Net Currency,Net Debit (NC),"
        "Net Credit (NC),Commission (NC),Batch Number"
    ).split(",")
    lines = []
    for row in rows:
        gross = ["", "", ""]
        fee = ""
        if row.kind in OF_PAYMENTS:
            currency = row.paid_currency or row.currency
            minor = row.paid if row.paid_currency else row.gross
            gross = [currency, *sides(minor, currency)]
            fee = major(-row.fee, row.currency)
        lines.append(
            [
                ACCOUNT,
                row.parent_ref,
                row.our_ref,
                f"{DAY} 11:00:00",
                "CET",
                ADYEN[row.kind],
                row.psp_ref or row.note,
                *gross,
                row.currency,
                *sides(row.net, row.currency),
                fee,
                row.payout,
            ]
        )
    return table(header, lines)


def adyen_keys(rows):
    """Names rows as the reader does: Adyen has no ids of rows."""
    equal = {}
    for row in rows:
        row.key = "/".join(
            (
                ACCOUNT,
                row.payout,
                ADYEN[row.kind],
                row.parent_ref,
                row.psp_ref or row.note,
                str(row.net),
            )
        )
        if not row.parent_ref:
            equal[row.key] = equal.get(row.key, 0) + 1
            row.key += f"/{equal[row.key]}"


def mt940(account, number, currency, lines):
    """A statement; each line an amount and a text."""
    opening = 10_000_000
    text = [
        ":20:X",
        f":25:{account}",
        f":28C:{number}/1",
        f":60F:C261120{currency}{comma(opening, currency)}",
    ]
    for minor, words in lines:
        mark = "C" if minor >= 0 else "D"
        text.append(
            f":61:2611211121{mark}{comma(abs(minor), currency)}NTRFNONREF"
        )
        text.append(f":86:{words}")
        opening += minor
    text.append(f":62F:C261121{currency}{comma(opening, currency)}")
    return "\n".join(text) + "\n"


def comma(minor, currency):
    """An amount as SWIFT writes it: the comma is always there."""
    text = major(minor, currency, ",")
    return text if "," in text else text + ","


WRITERS = {"generic": generic, "stripe": stripe, "adyen": adyen}
