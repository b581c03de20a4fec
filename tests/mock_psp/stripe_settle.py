"""Stripe's payouts: the payout, its balance transactions, and the report
"payout reconciliation, itemized" (docs.stripe.com/payouts/reconciliation,
/reports/report-types/payout-reconciliation).
"""

import json
from datetime import datetime

from aiohttp import web

from . import lists, money
from .answers import Answer
from .settle import Payout
from .settle_form import Form, deed, line, payment, utc

ROOT = "/stripe/v1"
PAGE_MAX = 100
# kind of row → type, reporting category
WORDS = {
    "sale": ("charge", "charge"),
    "sale_returned": ("partial_capture_reversal",) * 2,
    "refund": ("refund", "refund"),
    "refund_returned": ("refund_failure", "refund_failure"),
    "dispute": ("adjustment", "dispute"),
    "dispute_returned": ("adjustment", "dispute_reversal"),
    "fee": ("stripe_fee", "fee"),
    "payout": ("payout", "payout"),
    "payout_returned": ("payout_failure", "payout_reversal"),
}
COLUMNS = (
    "automatic_payout_id automatic_payout_effective_at_utc "
    "balance_transaction_id created_utc available_on_utc currency gross fee "
    "net reporting_category source_id description customer_facing_amount "
    "customer_facing_currency charge_id payment_intent_id"
).split()


class StripeForm(Form):
    def routes(self, api) -> list:
        def ask(work):
            return api.settlement(self.dialect, work)

        return [
            web.get(ROOT + "/payouts", ask(self._payouts)),
            web.get(ROOT + "/payouts/{payout}", ask(self._payout)),
            web.get(ROOT + "/balance_transactions", ask(self._transactions)),
            web.get(
                ROOT + "/balance", api.balance(self.dialect, self._balance)
            ),
        ]

    def rows_of(self, move) -> list:
        """What a final capture leaves of the charge is a row of its own."""
        made = move.made
        rows = super().rows_of(move)
        if move.kind != "sale" or not made.manual or made.status != "paid":
            return rows
        captures = self.books.deeds_of(made, "capture", "done")
        rest = made.amount_minor - made.captured_minor
        if len(captures) != 1 or not rest:
            return rows
        back = type(move)(**move.__dict__)
        back.kind, back.gross, back.fee = "sale_returned", -rest, 0
        move.gross = made.amount_minor
        return [move, back]

    def row_id(self, row) -> str:
        about = deed(row)
        heads = {
            "refund": "txn_3",
            "refund_returned": "txn_1",
            "dispute": "txn_1",
            "dispute_returned": "txn_2",
        }
        if row.kind in heads:
            start = 3 if row.kind.startswith("dispute") else 4
            return heads[row.kind] + about[start:]
        if row.kind == "sale" and row.made:
            first = self.books.deeds_of(row.made, "capture", "done")[:1]
            if not row.deed or row.deed in first:
                new = self.books.random_id("txn_3", 23)
                return row.made.extra.setdefault("balance", new)
        return self.books.random_id("txn_1", 23)

    def payout_id(self, close, currency: str) -> str:
        return self.books.random_id("po_1", 23)

    def files(self, close) -> list:
        made = []
        for payout in close.payouts:
            name = f"{payout.id}.json"
            made.append((name, self._json(payout, close).encode()))
            report = f"payout_reconciliation-{payout.id}.csv"
            made.append((report, self._report(payout, close).encode()))
        return made

    # The API.

    def _json(self, payout, close) -> str:
        """The payout and the pages of its transactions, as they come."""
        rows = [self._entry(e, True) for e in self._entries(payout)]
        pages = [rows[n : n + PAGE_MAX] for n in range(0, len(rows), PAGE_MAX)]
        texts = [self._shown(payout, close.off)]
        for n, page in enumerate(pages):
            more = n + 1 < len(pages)
            url = "/v1/balance_transactions"
            texts.append(_list(page, more, url))
        return "\n".join(json.dumps(each) for each in texts) + "\n"

    def _answer(self, body: dict) -> Answer:
        return self.dialect.answer(body)

    def _off(self, payout) -> int:
        for close in self.settlements.closes_of(self.name):
            if payout in close.payouts:
                return close.off
        return 0

    def _payouts(self, request) -> Answer:
        known = (
            "limit starting_after status created[gte] created[gt] "
            "created[lte] created[lt] arrival_date[gte] arrival_date[gt] "
            "arrival_date[lte] arrival_date[lt]"
        )
        query = lists.parameters(request, known)
        found = [
            self._shown(each, self._off(each))
            for each in self.settlements.payouts_of(self.name)[::-1]
        ]
        for name, value in query.items():
            if name == "status":
                found = [each for each in found if each["status"] == value]
            elif "[" in name:
                found = _within(found, name, lists.number(value, name))
        page, more = self._cut(query, found, lambda each: each["id"])
        return self._answer(_list(page, more, "/v1/payouts"))

    def _payout(self, request) -> Answer:
        lists.parameters(request, "")
        name = request.match_info["payout"]
        payout = self.settlements.payout(self.name, name)
        if payout is None:
            return self._missing("payout", name)
        return self._answer(self._shown(payout, self._off(payout)))

    def _transactions(self, request) -> Answer:
        known = "limit starting_after payout expand[] expand[0]"
        query = lists.parameters(request, known, "payout")
        expand = query.get("expand[]", query.get("expand[0]"))
        if expand not in (None, "data.source"):
            raise lists.BadQuery(f"cannot expand {expand[:40]}")
        name = query["payout"]
        payout = self.settlements.payout(self.name, name)
        if payout is None:
            return self._missing("payout", name)
        page, more = self._cut(query, self._entries(payout), self._entry_id)
        shown = [self._entry(each, bool(expand)) for each in page]
        return self._answer(_list(shown, more, "/v1/balance_transactions"))

    def _balance(self, request) -> Answer:
        """docs.stripe.com/api/balance/balance_object"""
        lists.parameters(request, "")
        found = sorted(self.settlements.balance(self.name).items())

        def amounts(place: int) -> list:
            return [
                {
                    "amount": money.to_stripe(each[place], currency),
                    "currency": currency.lower(),
                    "source_types": {},
                }
                for currency, each in found
            ]

        return self._answer(
            {
                "object": "balance",
                "available": amounts(0),
                "livemode": False,
                "pending": amounts(1),
            }
        )

    def change_balance(self, body: dict, by_minor: int) -> None:
        for each in body["available"]:
            each["amount"] += by_minor

    def _missing(self, what: str, name: str) -> Answer:
        return self.dialect.error(
            404, "resource_missing", f"No such {what}: '{name[:40]}'", what
        )

    def _cut(self, query, found: list, name):
        """-> what is asked for, and whether more follows it"""
        asked = lists.number(query.get("limit", "10"), "limit")
        limit = lists.size(asked, PAGE_MAX, self.config)
        rest = lists.after(found, name, query.get("starting_after", ""))
        return rest[:limit], len(rest) > limit

    # Objects.

    def _shown(self, payout, off: int = 0) -> dict:
        failed = payout.status == "failed"
        day = int(payout.at) // 86400 * 86400
        return {
            "id": payout.id,
            "object": "payout",
            "amount": money.to_stripe(payout.amount + off, payout.currency),
            "application_fee": None,
            "application_fee_amount": None,
            "arrival_date": day,
            "automatic": True,
            "balance_transaction": self._own_id(payout),
            "created": int(payout.at),
            "currency": payout.currency.lower(),
            "description": "STRIPE PAYOUT",
            "destination": "ba_1ngxPayments",
            "failure_balance_transaction": (
                "txn_1fail" + payout.id[4:] if failed else None
            ),
            "failure_code": "account_closed" if failed else None,
            "failure_message": (
                "The bank account has been closed." if failed else None
            ),
            "livemode": False,
            "metadata": {},
            "method": "standard",
            "original_payout": None,
            "reconciliation_status": "completed",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": None,
            "status": payout.status,
            "trace_id": {"status": "supported", "value": payout.reference},
            "type": "bank_account",
        }

    def reference(self, close, payout_id: str) -> str:
        return self.books.rng.randbytes(8).hex().upper()

    def _own_id(self, payout) -> str:
        return "txn_1" + payout.id[4:]

    def _entries(self, payout) -> list:
        """The newest first; the payout's own row is itself."""
        return [payout, *payout.rows[::-1]]

    def _entry_id(self, entry) -> str:
        return self._own_id(entry) if isinstance(entry, Payout) else entry.id

    def _own_entry(self, payout) -> dict:
        shown = self._row(
            self._own_id(payout),
            WORDS["payout"],
            (-payout.amount, 0),
            payout.currency,
            payout.at,
        )
        return shown | {"source": payout.id, "description": "STRIPE PAYOUT"}

    def _entry(self, row, expand: bool) -> dict:
        if isinstance(row, Payout):
            return self._own_entry(row)
        words = WORDS[row.kind]
        if row.word:
            words = (row.word, row.word)
        gross = row.gross
        fee = row.fee
        if row.kind == "fee":
            gross, fee = -fee, 0
        shown = self._row(row.id, words, (gross, fee), row.currency, row.at)
        shown["source"] = self._source(row)
        if expand and shown["source"]:
            shown["source"] = self._expanded(row)
        return shown

    def _row(self, name, words, amounts, currency: str, at: float) -> dict:
        gross, fee = (money.to_stripe(each, currency) for each in amounts)
        detail = {
            "amount": fee,
            "application": None,
            "currency": currency.lower(),
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
        return {
            "id": name,
            "object": "balance_transaction",
            "amount": gross,
            "available_on": int(at) // 86400 * 86400,
            "balance_type": "payments",
            "created": int(at),
            "currency": currency.lower(),
            "description": None,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": gross - fee,
            "reporting_category": words[1],
            "source": None,
            "status": "available",
            "type": words[0],
        }

    def _charge(self, row) -> str:
        if row.made:
            return self.dialect.money.objects.charge_id(row.made)
        return "ch_3" + row.foreign[4:]

    def _source(self, row) -> str | None:
        if row.payout:
            return row.payout.id
        if row.kind in ("refund", "refund_returned", "dispute") or (
            row.kind == "dispute_returned"
        ):
            return deed(row)
        return self._charge(row) if payment(row) else None

    def _expanded(self, row) -> dict:
        objects = self.dialect.money.objects
        if row.payout:
            return self._shown(row.payout)
        if row.kind.startswith("refund"):
            return objects.refund(row.deed)
        if row.kind.startswith("dispute"):
            return objects.dispute(row.deed)
        if row.made:
            # no row is converted here: one in another currency was paid in it
            return objects.charge(row.made) | {
                "currency": row.currency.lower()
            }
        return {
            "id": self._charge(row),
            "object": "charge",
            "payment_intent": row.foreign,
            "metadata": {},
        }

    # The report.

    def _report(self, payout, close) -> str:
        lines = [line(COLUMNS)]
        for row in payout.rows:
            words = (row.word,) * 2 if row.word else WORDS[row.kind]
            gross, fee = row.gross, row.fee
            if row.kind == "fee":
                gross, fee = -fee, 0
            ids = (row.id, self._source(row) or "", words[1])
            intent = payment(row) if not row.payout else ""
            charge = self._charge(row) if intent else ""
            values = (gross, fee, row.currency)
            about = (charge, intent, row.at)
            lines.append(self._record(payout, ids, values, about))
        ids = (self._own_id(payout), payout.id, "payout")
        values = (-payout.amount - close.off, 0, payout.currency)
        lines.append(self._record(payout, ids, values, ("", "", payout.at)))
        return "\n".join(lines) + "\n"

    def _record(self, payout, ids, values, about) -> str:
        gross, fee, currency = values
        charge, intent, at = about
        amounts = [money.signed(e, currency) for e in (gross, fee, gross - fee)]
        facing = ["", ""]
        if charge:
            facing = [amounts[0], currency.lower()]
        return line(
            [
                payout.id,
                _stamp(payout.at),
                ids[0],
                _stamp(at),
                _stamp(at),
                currency.lower(),
                *amounts,
                ids[2],
                ids[1],
                "",
                *facing,
                charge,
                intent,
            ]
        )


def _stamp(at: float) -> str:
    return datetime.strftime(utc(at), "%Y-%m-%d %H:%M:%S")


def _list(data: list, more: bool, url: str) -> dict:
    return {"object": "list", "data": data, "has_more": more, "url": url}


def _within(found: list, name: str, bound: int) -> list:
    field, word = name[:-1].split("[")
    fits = {
        "gte": lambda value: value >= bound,
        "gt": lambda value: value > bound,
        "lte": lambda value: value <= bound,
        "lt": lambda value: value < bound,
    }[word]
    return [each for each in found if fits(each[field])]
