"""Adyen's settlement details report of a batch (docs.adyen.com, settlement
details report), which REPORT_AVAILABLE announces and the report user
downloads (docs.adyen.com/reporting/automatically-get-reports).
"""

import base64
import hmac
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from . import money
from .answers import Answer
from .settle_form import Form, deed, line, payment

ACCOUNT = "NgxPaymentsECOM"
COMPANY = "NgxPayments"
REPORTS = "/adyen/reports/download/MerchantAccount"
ZONE = ZoneInfo("Europe/Amsterdam")
COLUMNS = (
    "Company Account,Merchant Account,Psp Reference,Merchant Reference,"
    "Payment Method,Creation Date,TimeZone,Type,Modification Reference,"
    "Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,"
    "Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC),"
    "Markup (NC),Scheme Fees (NC),Interchange (NC),Payment Method Variant,"
    "Modification Merchant Reference,Batch Number,Reserved4,Reserved5,"
    "Reserved6,Reserved7,Reserved8,Reserved9,Reserved10"
).split(",")
TYPES = {
    "sale": "Settled",
    "refund": "Refunded",
    "refund_returned": "RefundedReversed",
    "dispute": "Chargeback",
    "dispute_returned": "ChargebackReversed",
    "fee": "Fee",
    "payout_returned": "BankInstructionReturned",
}


class AdyenForm(Form):
    def routes(self, api) -> list:
        path = REPORTS + "/{account}/{report}"
        return [web.get(path, self._reports(api))]

    def _reports(self, api):
        """The report user's name and password, not the API's key."""
        reports = Reports(self)
        return api.settlement(reports, reports.download)

    def payout_id(self, close, currency: str) -> str:
        return self.books.random_id("TX", 12).upper() + "XT"

    def reference(self, close, payout_id: str) -> str:
        return f"{payout_id} batch {close.number}, {ACCOUNT}"

    def row_id(self, row) -> str:
        """The Modification Reference."""
        if row.deed and row.kind != "fee":
            return row.deed.id
        return self.dialect.new_payment_id()

    def report_name(self, close) -> str:
        return f"settlement_detail_report_batch_{close.number}.csv"

    def files(self, close) -> list:
        return [(self.report_name(close), self._report(close).encode())]

    def announce(self, close) -> list:
        name = self.report_name(close)
        url = f"{self.config.public_url}{REPORTS}/{ACCOUNT}/{name}"
        event = self.dialect.envelope(
            "REPORT_AVAILABLE", {"pspReference": name, "reason": url}
        )
        del event["notificationItems"][0]["NotificationRequestItem"][
            "paymentMethod"
        ]
        return [event]

    def _report(self, close) -> str:
        lines = [line(COLUMNS)]
        for payout in close.payouts:
            lines += [self._row(close, each) for each in payout.rows]
            lines.append(self._payout(close, payout))
        return "\r\n".join(lines) + "\r\n"

    def _row(self, close, row) -> str:
        """A row without a payment has words where others have references."""
        gross, net = _sides(row.gross, row), _sides(row.net, row)
        made = row.made
        if row.kind == "fee" and not made:
            gross = ["", ""]
        texts = {
            "Psp Reference": payment(row),
            "Merchant Reference": made.reference if made else "",
            "Payment Method": "visa" if payment(row) else "",
            "Type": row.word or TYPES[row.kind],
            "Modification Reference": self._modification(row),
            "Gross Currency": row.currency,
            "Gross Debit (GC)": gross[0],
            "Gross Credit (GC)": gross[1],
            "Exchange Rate": "1" if payment(row) else "",
            "Net Currency": row.currency,
            "Net Debit (NC)": net[0],
            "Net Credit (NC)": net[1],
        }
        if row.fee and row.kind != "fee":
            texts["Commission (NC)"] = money.signed(row.fee, row.currency)
        if row.deed and made:
            asked = row.deed.extra.get("reference", made.reference)
            texts["Modification Merchant Reference"] = asked
        return self._line(close, texts, row.at)

    def _modification(self, row) -> str:
        if row.payout:
            return row.payout.reference
        if payment(row):
            return deed(row) or row.id
        month = datetime.fromtimestamp(row.at, ZONE).strftime("%B %Y")
        return f"Transaction Fees {month}"

    def _payout(self, close, payout) -> str:
        amount = money.signed(payout.amount + close.off, payout.currency)
        texts = {
            "Type": "MerchantPayout",
            "Modification Reference": payout.reference,
            "Gross Currency": payout.currency,
            "Net Currency": payout.currency,
            "Net Debit (NC)": amount,
        }
        return self._line(close, texts, payout.at)

    def _line(self, close, texts: dict, at: float) -> str:
        when = datetime.fromtimestamp(at, ZONE)
        texts |= {
            "Company Account": COMPANY,
            "Merchant Account": ACCOUNT,
            "Creation Date": when.strftime("%Y-%m-%d %H:%M:%S"),
            "TimeZone": when.tzname(),
            "Batch Number": close.number,
        }
        return line([texts.get(name, "") for name in COLUMNS])


class Reports:
    """The dialect as the report user sees it."""

    def __init__(self, form: AdyenForm):
        self.form = form
        self.name = form.name

    def __getattr__(self, name: str):
        return getattr(self.form.dialect, name)

    def authorise(self, request) -> Answer | None:
        user = self.form.config.reports.get(self.name)
        sent = request.headers.get("Authorization", "").encode()
        if user:
            wanted = b"Basic " + base64.b64encode(user.encode())
            if hmac.compare_digest(sent, wanted):
                return None
        return Answer(
            401, {}, {"WWW-Authenticate": 'Basic realm="reports"'}, b""
        )

    def bad_query(self, why: str) -> Answer:
        return Answer(404, {}, {}, b"")

    def download(self, request) -> Answer:
        account = request.match_info["account"]
        report = request.match_info["report"]
        for close in self.form.settlements.closes_of(self.name):
            for name, data in self.form.settlements.files(close):
                if account == ACCOUNT and report == name:
                    head = {"Content-Type": "text/csv"}
                    return Answer(200, {}, head, data)
        return Answer(404, {}, {"Content-Type": "text/plain"}, b"Not Found\n")


def _sides(minor: int, row) -> list:
    """-> debit, credit"""
    text = money.render(abs(minor), row.currency)
    return [text, ""] if minor < 0 else ["", text]
