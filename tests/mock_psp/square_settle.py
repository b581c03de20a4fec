"""Square's payouts and their entries (developer.squareup.com, Payouts API).
An entry's details have the member of its type, with the ids of what moved.
"""

import json

from aiohttp import web

from . import lists
from .answers import Answer
from .settle_form import Form, deed, payment, utc

ROOT = "/square/v2/payouts"
PAGE_MAX = 100
# kind of row → type of entry, its details, and which ids these have
TYPES = {
    "sale": ("CHARGE", "charge", ()),
    "refund": ("REFUND", "refund", ("refund_id",)),
    "refund_returned": ("REFUND", "refund", ("refund_id",)),
    "dispute": ("OPEN_DISPUTE", "open_dispute", ("dispute_id",)),
    "dispute_returned": ("DISPUTE", "dispute", ("dispute_id",)),
    "fee": ("FEE", "fee", ()),
    "payout_returned": ("RETURNED_PAYOUT", None, ()),
}
LIST = "location_id status begin_time end_time sort_order cursor limit"


class SquareForm(Form):
    def routes(self, api) -> list:
        def ask(work):
            return api.settlement(self.dialect, work)

        one = ROOT + "/{payout}"
        return [
            web.get(ROOT, ask(self._payouts)),
            web.get(one, ask(self._payout)),
            web.get(one + "/payout-entries", ask(self._entries)),
        ]

    def row_id(self, row) -> str:
        return self.books.random_id("poe_", 22)

    def payout_id(self, close, currency: str) -> str:
        text = self.books.rng.randbytes(16).hex()
        parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
        return "po_" + "-".join(parts)

    def reference(self, close, payout_id: str) -> str:
        return f"L2{close.number:08d}"

    def files(self, close) -> list:
        made = []
        for payout in close.payouts:
            rows = [_entry(payout, each) for each in payout.rows]
            bodies = [{"payout": self._shown(payout, close.off)}]
            for start in range(0, len(rows), PAGE_MAX):
                page = {"payout_entries": rows[start : start + PAGE_MAX]}
                if start + PAGE_MAX < len(rows):
                    page["cursor"] = rows[start + PAGE_MAX - 1]["id"]
                bodies.append(page)
            text = "\n".join(json.dumps(each) for each in bodies) + "\n"
            made.append((f"{payout.id}.json", text.encode()))
        return made

    # The API.

    def _location(self, payout) -> str:
        for row in payout.rows:
            if row.made:
                return row.made.extra["order"]["location_id"]
        return "LMAIN"

    def _off(self, payout) -> int:
        for close in self.settlements.closes_of(self.name):
            if payout in close.payouts:
                return close.off
        return 0

    def _payouts(self, request) -> Answer:
        """Of one location; without one it would be the seller's first."""
        query = lists.parameters(request, LIST)
        found = self.settlements.payouts_of(self.name)
        since = query.get("begin_time")
        until = query.get("end_time")
        if since:
            start = lists.moment(since, "begin_time")
            found = [each for each in found if each.at >= start]
        if until:
            end = lists.moment(until, "end_time")
            found = [each for each in found if each.at < end]
        shown = [self._shown(each, self._off(each)) for each in found]
        for name in ("location_id", "status"):
            if name in query:
                shown = [e for e in shown if e[name] == query[name]]
        return self._page(query, shown, "payouts", "DESC")

    def _found(self, request):
        name = request.match_info["payout"]
        return self.settlements.payout(self.name, name)

    def _missing(self) -> Answer:
        return self.dialect.error(404, "NOT_FOUND", "Payout not found.")

    def _payout(self, request) -> Answer:
        lists.parameters(request, "")
        payout = self._found(request)
        if payout is None:
            return self._missing()
        return Answer(200, {"payout": self._shown(payout, self._off(payout))})

    def _entries(self, request) -> Answer:
        query = lists.parameters(request, "sort_order cursor limit")
        payout = self._found(request)
        if payout is None:
            return self._missing()
        rows = [_entry(payout, each) for each in payout.rows]
        return self._page(query, rows, "payout_entries", "ASC")

    def _page(self, query, found: list, name: str, usual: str) -> Answer:
        """`found` has the oldest first.  An empty list has no member."""
        order = query.get("sort_order", usual)
        if order not in ("ASC", "DESC"):
            raise lists.BadQuery("sort_order is ASC or DESC")
        found = found if order == "ASC" else found[::-1]
        asked = lists.number(query.get("limit", str(PAGE_MAX)), "limit")
        limit = lists.size(asked, PAGE_MAX, self.config)
        place = query.get("cursor", "")
        rest = lists.after(found, lambda each: each["id"], place)
        body = {name: rest[:limit]} if rest else {}
        if len(rest) > limit:
            body["cursor"] = rest[limit - 1]["id"]
        return Answer(200, body)

    def _shown(self, payout, off: int = 0) -> dict:
        when = _stamp(payout.at)
        return {
            "id": payout.id,
            "status": payout.status.upper(),
            "location_id": self._location(payout),
            "created_at": when,
            "updated_at": when,
            "amount_money": _money(payout.amount + off, payout.currency),
            "destination": {
                "type": "BANK_ACCOUNT",
                "id": "bact:ngxPayments00000000001",
            },
            "version": 2 if payout.status == "failed" else 1,
            "type": "BATCH",
            "payout_fee": [],
            "arrival_date": when[:10],
            "end_to_end_id": payout.reference,
        }


def _stamp(at: float) -> str:
    return utc(at).isoformat(timespec="seconds")[:-6] + "Z"


def _money(minor: int, currency: str) -> dict:
    return {"amount": minor, "currency": currency}


def _entry(payout, row) -> dict:
    """A fee that is charged is positive, net is gross less it.  A row that is
    a fee has it as its gross amount, below 0.
    """
    kind, details, ids = TYPES[row.kind]
    gross, fee = row.gross, row.fee
    if row.kind == "fee":
        gross, fee = -fee, 0
    shown = {
        "id": row.id,
        "payout_id": payout.id,
        "effective_at": _stamp(row.at),
        "type": (row.word or kind).upper(),
        "gross_amount_money": _money(gross, row.currency),
        "fee_amount_money": _money(fee, row.currency),
        "net_amount_money": _money(gross - fee, row.currency),
    }
    if details and payment(row) and not row.word:
        about = {"payment_id": payment(row)}
        about |= {each: deed(row) for each in ids}
        shown[f"type_{details}_details"] = about
    return shown
