"""Mollie's settlements and their payments, refunds, chargebacks and captures
(docs.mollie.com/reference/settlements-api).  What Mollie charges stands in no
row: a settlement has it by month and method.
"""

import json
from datetime import datetime

from aiohttp import web

from . import lists, mollie_after, money
from .answers import Answer
from .settle_form import Form, payment, utc

ROOT = "/mollie/v2/settlements"
PAGE_MAX = 250
LISTS = ("payments", "refunds", "chargebacks", "captures")


class MollieForm(Form):
    unknown = ("refund_returned", "dispute_returned", "payout_returned")

    def routes(self, api) -> list:
        def ask(work):
            return api.settlement(self.dialect, work)

        one = ROOT + "/{settlement}"
        return [
            web.get(ROOT, ask(self._settlements)),
            web.get(one, ask(self._settlement)),
            web.get(one + "/{list}", ask(self._parts)),
            web.get(
                "/mollie/v2/balances/primary",
                api.balance(self.dialect, self._balance),
            ),
        ]

    def row_id(self, row) -> str:
        if row.deed and row.kind != "fee":
            return row.deed.id
        if row.made and row.kind == "sale":
            return row.made.token
        return self.books.random_id("tr_", 10)

    def payout_id(self, close, currency: str) -> str:
        return self.books.random_id("stl_", 10)

    def reference(self, close, payout_id: str) -> str:
        """Customer, month, number: 1182161.1506.02"""
        month = close.day[2:4] + close.day[5:7]
        return f"1182161.{month}.{close.number:02d}"

    def files(self, close) -> list:
        made = []
        for payout in close.payouts:
            bodies = [self._shown(payout, close.off)]
            for name in LISTS:
                rows = self._rows(payout, name)
                for start in range(0, max(1, len(rows)), PAGE_MAX):
                    page = rows[start : start + PAGE_MAX]
                    rest = rows[start + PAGE_MAX :]
                    following = rest[0]["id"] if rest else None
                    bodies.append(self._page_of(payout, name, page, following))
            text = "\n".join(json.dumps(each) for each in bodies) + "\n"
            made.append((f"{payout.id}.json", text.encode()))
        return made

    # The API.

    def _answer(self, body: dict) -> Answer:
        return Answer(200, body, {"Content-Type": "application/hal+json"})

    def _missing(self) -> Answer:
        return self.dialect.error(404, "No settlement exists with this id.")

    def _off(self, payout) -> int:
        for close in self.settlements.closes_of(self.name):
            if payout in close.payouts:
                return close.off
        return 0

    def _settlements(self, request) -> Answer:
        query = lists.parameters(request, "limit from balanceId year month")
        found = [
            self._shown(each, self._off(each))
            for each in self.settlements.payouts_of(self.name)[::-1]
        ]
        page, following = self._cut(query, found)
        url = f"{self.config.public_url}{ROOT}"
        body = {
            "count": len(page),
            "_embedded": {"settlements": page},
            "_links": self._links(url, query, following),
        }
        return self._answer(body)

    def _settlement(self, request) -> Answer:
        lists.parameters(request, "")
        name = request.match_info["settlement"]
        payout = self.settlements.payout(self.name, name)
        if payout is None:
            return self._missing()
        return self._answer(self._shown(payout, self._off(payout)))

    def _parts(self, request) -> Answer:
        query = lists.parameters(request, "limit from embed")
        name = request.match_info["list"]
        payout = self.settlements.payout(
            self.name, request.match_info["settlement"]
        )
        if payout is None or name not in LISTS:
            return self._missing()
        page, following = self._cut(query, self._rows(payout, name))
        body = self._page_of(payout, name, page, following, query)
        return self._answer(body)

    def _balance(self, request) -> Answer:
        """docs.mollie.com/reference/get-primary-balance"""
        lists.parameters(request, "")
        left, moved = self.settlements.balance(self.name).get("EUR", (0, 0))
        return self._answer(
            {
                "resource": "balance",
                "id": "bal_3kUf4yU2nT",
                "mode": "live",
                "currency": "EUR",
                "status": "active",
                "availableAmount": self._amount(left, "EUR"),
                "pendingAmount": self._amount(moved, "EUR"),
            }
        )

    def change_balance(self, body: dict, by_minor: int) -> None:
        amount = body["availableAmount"]
        left = int(amount["value"].replace(".", "")) + by_minor
        body["availableAmount"] = self._amount(left, "EUR")

    def _cut(self, query: dict, found: list):
        """-> the page, and the id of the entry behind it"""
        asked = lists.number(query.get("limit", "50"), "limit")
        size = lists.size(asked, PAGE_MAX, self.config)
        start = query.get("from")
        names = [each["id"] for each in found]
        if start and start not in names:
            raise lists.BadQuery("from is no entry of this list")
        rest = found[names.index(start) :] if start else found
        following = rest[size]["id"] if len(rest) > size else None
        return rest[:size], following

    def _page_of(self, payout, name, page, following, query=None) -> dict:
        url = f"{self.config.public_url}{ROOT}/{payout.id}/{name}"
        return {
            "count": len(page),
            "_embedded": {name: page},
            "_links": self._links(url, query or {}, following),
        }

    def _links(self, url: str, query: dict, following) -> dict:
        kind = "application/hal+json"
        limit = query.get("limit", "50")
        links = {
            "self": {"href": f"{url}?limit={limit}", "type": kind},
            "previous": None,
            "next": None,
        }
        if following:
            href = f"{url}?limit={limit}&from={following}"
            links["next"] = {"href": href, "type": kind}
        return links

    # Objects.

    def _amount(self, minor: int, currency: str) -> dict:
        return {"currency": currency, "value": money.signed(minor, currency)}

    def _shown(self, payout, off: int = 0) -> dict:
        when = self.dialect.stamp(payout.at)
        own = f"{self.config.public_url}{ROOT}/{payout.id}"
        kind = "application/hal+json"
        links = {"self": {"href": own, "type": kind}}
        for name in LISTS:
            links[name] = {"href": f"{own}/{name}", "type": kind}
        return {
            "resource": "settlement",
            "id": payout.id,
            "reference": payout.reference,
            "createdAt": when,
            "settledAt": when,
            "status": "failed" if payout.status == "failed" else "paidout",
            "amount": self._amount(payout.amount + off, payout.currency),
            "balanceId": "bal_3kUf4yU2nT",
            "invoiceId": "inv_FrvewDA3Pr",
            "periods": self._periods(payout),
            "_links": links,
        }

    def _periods(self, payout) -> dict:
        """A line for each month and kind of cost.  Costs have four decimals."""
        periods: dict = {}
        costs: dict = {}
        for row in payout.rows:
            if row.fee:
                what = "creditcard" if row.kind == "sale" else row.kind
                month = datetime.strftime(utc(row.at), "%Y-%m")
                key = (month, what)
                count, minor = costs.get(key, (0, 0))
                costs[key] = (count + 1, minor + row.fee)
        for (month, what), (count, minor) in sorted(costs.items()):
            year, number = month.split("-")
            lines = periods.setdefault(year, {}).setdefault(
                number, {"revenue": [], "costs": [], "invoiceId": None}
            )
            amount = self._amount(minor, payout.currency)
            if money.exponent(payout.currency) == 2:
                amount["value"] += "00"
            lines["costs"].append(
                {
                    "description": what.title(),
                    "method": what,
                    "count": count,
                    "rate": {"fixed": amount, "variable": "0"},
                    "amountNet": amount,
                    "amountVat": None,
                    "amountGross": amount,
                }
            )
        return periods

    def _rows(self, payout, name: str) -> list:
        """The newest first."""
        rows = [each for each in payout.rows if _list_of(each) == name]
        return [self._part(payout, each, name) for each in rows[::-1]]

    def _part(self, payout, row, name: str) -> dict:
        shown = self._object(row, name)
        amount = self._amount(row.gross, row.currency)
        return shown | {
            "id": row.id,
            "amount": self._amount(abs(row.gross), row.currency),
            "settlementAmount": amount,
            "settlementId": payout.id,
        }

    def _object(self, row, name: str) -> dict:
        if row.word:
            when = self.dialect.stamp(row.at)
            return {"resource": row.word, "mode": "live", "createdAt": when}
        if name == "captures":
            return mollie_after.capture(self.dialect, row.deed)
        if name == "refunds":
            return mollie_after.refund(self.dialect, row.deed)
        if name == "chargebacks":
            return mollie_after.chargeback(self.dialect, row.deed)
        if row.made:
            return self.dialect.payment(row.made)
        return {
            "resource": "payment",
            "id": payment(row),
            "mode": "live",
            "createdAt": self.dialect.stamp(row.at),
            "status": "paid",
            "description": "A payment of nobody",
            "metadata": None,
        }


def _list_of(row) -> str | None:
    """A payment that is captured by hand is settled by its captures; fees
    stand in the periods.
    """
    if row.word:
        return "payments"
    if row.kind == "sale":
        return "captures" if row.deed else "payments"
    return {"refund": "refunds", "dispute": "chargebacks"}.get(row.kind)
