"""A sale and what follows it: the calls of a storefront, what the buyer and
the PSP do, and everything that must agree afterwards: the API, the journal,
the wallets and the mock's own books.
"""

import json
from decimal import Decimal

from .own_stack import Checkout, new_id, wait_for

DIGITS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
# What an order's columns are the sums of: kind of entry → sign.
COLUMNS = {
    "authorized": {"authorized": 1, "unauthorized": -1},
    "captured": {"sale": 1, "late_accepted": 1},
    "refunding": {"refund_reserved": 1, "refund": -1, "refund_released": -1},
    "refunded": {"refund": 1, "refund_external": 1, "refund_returned": -1},
    "charged_back": {"dispute_opened": 1, "dispute_won": -1},
}
UNBALANCED = """
SELECT merchant_id, source, kind, currency, sum(amount_minor)
FROM pay.journal_line GROUP BY 1, 2, 3, 4 HAVING sum(amount_minor) <> 0
"""
WALLETS_OFF = """
SELECT w.seller_account, w.currency FROM pay.wallet w LEFT JOIN (
    SELECT merchant_id, owner, currency,
        -sum(amount_minor) FILTER (WHERE account = 'seller_available') AS a,
        -sum(amount_minor) FILTER (WHERE account = 'seller_pending') AS p,
        -sum(amount_minor) FILTER (
            WHERE account IN ('seller_reserved', 'seller_paying')) AS r
    FROM pay.journal_line GROUP BY 1, 2, 3) l
    ON l.merchant_id = w.merchant_id AND l.owner = w.seller_account
    AND l.currency = w.currency
WHERE (w.available_minor, w.pending_minor, w.reserved_minor)
    <> (coalesce(l.a, 0), coalesce(l.p, 0), coalesce(l.r, 0))
"""
OVERDRAWN = """
SELECT payment_order_id FROM pay.payment_order
WHERE captured_minor > amount_minor
    OR authorized_minor + captured_minor > amount_minor
    OR refunding_minor + refunded_minor > captured_minor
"""
# Booked in another transaction than the order's state.
BOOKED_APART = """
SELECT o.payment_order_id FROM pay.payment_order o LEFT JOIN (
    SELECT merchant_id, payment_order_id,
        sum(amount_minor) FILTER (
            WHERE kind IN ('sale', 'late_accepted')) AS captured,
        sum(CASE kind WHEN 'refund_returned' THEN -amount_minor
            ELSE amount_minor END) FILTER (
            WHERE kind IN ('refund', 'refund_external', 'refund_returned'))
            AS refunded
    FROM pay.journal_entry GROUP BY 1, 2) e
    ON e.merchant_id = o.merchant_id
    AND e.payment_order_id = o.payment_order_id
WHERE (o.captured_minor, o.refunded_minor)
    <> (coalesce(e.captured, 0), coalesce(e.refunded, 0))
"""
# One statement, so all is seen at one moment.
AT_EVERY_STEP = " UNION ALL ".join(
    f"SELECT '{name}', to_jsonb(q)::text FROM ({sql}) q"
    for name, sql in {
        "unbalanced": UNBALANCED,
        "wallet": WALLETS_OFF,
        "overdrawn": OVERDRAWN,
        "booked apart": BOOKED_APART,
    }.items()
)


def minor(text: str, currency: str) -> int:
    return int(Decimal(text).scaleb(DIGITS[currency]))


def text(amount_minor: int, currency: str) -> str:
    digits = DIGITS[currency]
    return f"{Decimal(amount_minor).scaleb(-digits):.{digits}f}"


def books_hold(stack) -> None:
    """What must be true of all books at every moment."""
    assert stack.sql(AT_EVERY_STEP) == []


class Sold(Checkout):
    """A checkout whose seller nobody else sells for."""

    @classmethod
    def of(cls, stack, psp="generic", amounts=("12.34",), **more) -> "Sold":
        """more: currency, capture, and other members of the body"""
        body = stack.order(psp, amounts=amounts, **more)
        seller = f"seller-{new_id()}"
        for order in body["payment_orders"]:
            order["seller_account"] = seller
        answer = stack.post(body)
        assert answer.status_code == 201, answer.text
        made = cls(stack, body, answer)
        made.seller = seller
        return made

    @classmethod
    def paid(cls, stack, psp="generic", amounts=("12.34",), **more) -> "Sold":
        made = cls.of(stack, psp, amounts, **more)
        made.stack.mock.pay(made.token)
        if more.get("capture") == "manual":
            made.reaches(amount_authorized=made.total_text)
        else:
            made.becomes("SUCCESS")
        return made

    @property
    def total_text(self) -> str:
        return self.body["payment_orders"][0]["amount"]

    def minor(self) -> int:
        return minor(self.total_text, self.currency)

    # The storefront.

    def change(self, tail, key=None, order_id=None, client=None, **body):
        """POST …/refunds, capture or cancel"""
        path = f"/v1/payments/{order_id or self.order_id}/{tail}"
        return (client or self.stack.http).post(
            path,
            content=json.dumps(body).encode(),
            headers=self.stack.headers(key),
        )

    def refund(self, amount=None, key=None, **body):
        if amount:
            body |= {"amount": amount, "currency": self.currency}
        return self.change("refunds", key, **body)

    def capture(self, amount=None, key=None, **body):
        if amount:
            body |= {"amount": amount, "currency": self.currency}
        return self.change("capture", key, **body)

    def cancel(self, key=None, **body):
        return self.change("cancel", key, **body)

    def look(self, answer) -> dict:
        """A change as it stands now, by the Location of its answer."""
        again = self.stack.get(answer.headers["Location"])
        assert again.status_code == 200, again.text
        return again.json()

    def ends(self, answer, status: str) -> dict:
        """Waits for a change to be SUCCESS or FAILED."""
        wait_for(
            lambda: self.look(answer)["status"] == status,
            f"{answer.text} to be {status}",
        )
        return self.look(answer)

    def order(self, order_id=None) -> dict:
        return self.stack.payment(order_id or self.order_id)

    def reaches(self, **members) -> dict:
        """Waits until the order shows these members."""

        def there():
            shown = self.order()
            return all(shown.get(each) == members[each] for each in members)

        try:
            wait_for(there, f"an order with {members}")
        except AssertionError as why:
            raise AssertionError(f"{why}: {self.order()}") from None
        return self.order()

    def balance(self, currency=None) -> dict:
        """available, pending, reserved of the seller"""
        answer = self.stack.get(f"/v1/sellers/{self.seller}/balance")
        assert answer.status_code == 200, answer.text
        currency = currency or self.currency
        for each in answer.json()["balances"]:
            if each["currency"] == currency:
                return {
                    name: each[name]
                    for name in ("available", "pending", "reserved")
                }
        raise AssertionError(f"no {currency}: {answer.text}")

    # The mock.

    def at_psp(self, what: str, **body) -> dict:
        """The control API's refund, capture, dispute, release, fee."""
        return self.stack.mock.call(what, token=self.token, **body)

    def deeds(self, kind: str) -> list[dict]:
        found = self.stack.mock.books(token=self.token)["deeds"]
        return [each for each in found if each["kind"] == kind]

    def ended(self, deed: dict, result: str, **more) -> dict:
        return self.stack.mock.call("end", id=deed["id"], result=result, **more)

    def money(self) -> dict:
        (made,) = self.stack.mock.books(token=self.token)["registrations"]
        return made["money"]

    def silence(self) -> None:
        """No event of this registration is sent until told() is."""
        self.stack.mock.faults(
            {
                "operation": "webhook",
                "kind": "none",
                "nonce": self.nonce,
                "sticky": True,
            }
        )

    def unsent(self) -> list[dict]:
        """Events that were made and not sent, the oldest first."""
        found = self.stack.mock.books(token=self.token)["webhooks"]
        return [each for each in found if each["state"] == "suppressed"]

    def send(self, event: dict) -> str:
        """Delivers an unsent event; its outcome."""
        sent = event["unsent"]
        answer = self.stack.http.post(
            f"/webhooks/{self.psp}",
            content=sent["body"].encode(),
            headers=sent["headers"],
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["outcome"]

    # The books.

    def entries(self) -> list[tuple]:
        """(kind, amount) in the order in which they were booked."""
        return self.stack.sql(
            "SELECT kind, amount_minor FROM pay.journal_entry "
            "WHERE checkout_id = %s ORDER BY at, kind",
            self.id,
        )

    def booked(self) -> list[tuple]:
        """The same, sorted: for histories whose order is not given."""
        return sorted(self.entries())

    def sums(self) -> dict:
        """kind → what was booked of it, all entries together"""
        found: dict[str, int] = {}
        for kind, amount in self.entries():
            found[kind] = found.get(kind, 0) + amount
        return found

    def columns(self, order_id=None) -> dict:
        names = list(COLUMNS)
        (row,) = self.stack.sql(
            f"SELECT {', '.join(f'{each}_minor' for each in names)} "
            "FROM pay.payment_order WHERE payment_order_id = %s",
            order_id or self.order_id,
        )
        return dict(zip(names, row, strict=True))

    def agree(self, *, with_psp=True) -> None:
        """API, columns, journal and, when all was told, the mock's books."""
        books_hold(self.stack)
        for order_id in self.order_ids:
            self._order_agrees(order_id)
        if with_psp:
            self._psp_agrees()

    def _order_agrees(self, order_id: str) -> None:
        columns, sums, shown = self._steady(order_id)
        for name, signs in COLUMNS.items():
            total = sum(
                sign * sums.get(kind, 0) for kind, sign in signs.items()
            )
            assert columns[name] == total, (name, columns, sums)
        left = columns["captured"] - columns["refunding"]
        left -= columns["refunded"] + columns["charged_back"]
        wanted = {
            "amount_authorized": columns["authorized"],
            "amount_captured": columns["captured"],
            "amount_refunded": columns["refunded"],
            "amount_refundable": max(0, left),
        }
        for name, value in wanted.items():
            assert shown[name] == text(value, self.currency), (name, shown)

    def _steady(self, order_id: str) -> tuple:
        """Columns, journal and API of one moment: workers go on meanwhile."""
        while True:
            before = self.columns(order_id)
            rows = self.stack.sql(
                "SELECT kind, sum(amount_minor)::bigint "
                "FROM pay.journal_entry WHERE payment_order_id = %s "
                "GROUP BY kind",
                order_id,
            )
            shown = wait_for(
                lambda: self._shown(order_id), f"{order_id} to be shown"
            )
            if self.columns(order_id) == before:
                return before, dict(rows), shown

    def _shown(self, order_id: str) -> dict | None:
        """None while a worker comes back to a PostgreSQL that was away."""
        answer = self.stack.get(f"/v1/payments/{order_id}")
        if answer.status_code == 503:
            return None
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _psp_agrees(self) -> None:
        money = self.money()
        money["authorized"] += money["capturing"]
        all_ = [self.columns(each) for each in self.order_ids]
        names = {
            "authorized": "authorized",
            "captured": "captured",
            "refunding": "refunding",
            "refunded": "refunded",
            "disputed": "charged_back",
        }
        for theirs, ours in names.items():
            total = sum(each[ours] for each in all_)
            assert total == money[theirs], (theirs, money, all_)
