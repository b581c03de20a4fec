"""The generic CSV (docs/settlement-files.md): all currencies of a day in one
file, with a total of each.
"""

from . import money
from .settle_form import Form, deed, line, payment, utc

COLUMNS = (
    "row_id type psp_ref parent_ref our_ref occurred_at booked_on gross fee "
    "net currency payout_id note"
).split()


class GenericForm(Form):
    def files(self, close) -> list:
        lines = [line(COLUMNS)]
        totals = []
        for payout in close.payouts:
            rows = [self._row(close, payout, each) for each in payout.rows]
            rows.append(self._payout(close, payout))
            lines += rows
            totals.append(self._total(close, payout))
        text = "\n".join([*lines, *totals]) + "\n"
        name = f"settlement-{close.day}-{close.number}.csv"
        return [(name, text.encode())]

    def reference(self, close, payout_id: str) -> str:
        return payout_id

    def _row(self, close, payout, row) -> str:
        own = deed(row)
        if row.payout:
            own = row.payout.id
        return self._line(
            close,
            (row.id, row.word or row.kind),
            (own or payment(row), payment(row) if own else ""),
            row.made.nonce if row.made else "",
            row.at,
            (row.gross, -row.fee, row.net, row.currency),
            payout.id,
        )

    def _payout(self, close, payout) -> str:
        amount = -payout.amount
        return self._line(
            close,
            (f"row_{payout.id}", "payout"),
            (payout.id, ""),
            "",
            payout.at,
            (amount, 0, amount, payout.currency),
            payout.id,
        )

    def _line(self, close, head, refs, ours, at, sums, payout_id) -> str:
        *minors, currency = sums
        amounts = [money.signed(each, currency) for each in minors]
        when = utc(at).isoformat(timespec="seconds")[:-6] + "Z"
        return line(
            [
                *head,
                *refs,
                ours,
                when,
                close.day,
                *amounts,
                currency,
                payout_id,
                "",
            ]
        )

    def _total(self, close, payout) -> str:
        rows = payout.rows
        gross = sum(each.gross for each in rows) - payout.amount
        fee = -sum(each.fee for each in rows)
        net = sum(each.net for each in rows) - payout.amount
        amounts = [gross + close.off, fee, net + close.off]
        texts = [money.signed(each, payout.currency) for each in amounts]
        count = len(rows) + 1
        head = ["total", count, "", "", "", "", ""]
        return line([*head, *texts, payout.currency, "", ""])
