"""The ``square`` dialect: payment links as docs/psp/square.md tells them.

An order of a link is a DRAFT until the buyer pays, then OPEN; deleting the
link cancels an order that nobody paid, and only then names it.  The
idempotency key stands in the body.  Webhooks come in no order: here the
payment's completion goes out before its approval.
"""

import base64
import hashlib
import hmac
import re
import time

from aiohttp import web

from . import money, square_after
from .answers import Answer
from .books import Registration
from .dialect import Dialect, Mail
from .square_after import now
from .square_checks import (
    REFUND_KEY_MAX,
    Refused,
    check_link,
    load,
    members,
    text,
    units,
)
from .square_settle import SquareForm

ROOT = "/square/v2"
LINKS = ROOT + "/online-checkout/payment-links"
STATES = {"pending": "OPEN", "approved": "OPEN", "paid": "OPEN"} | {
    "expired": "CANCELED",
    "cancelled": "CANCELED",
}
TENDERS = {
    "pending": ("BANK_ACCOUNT", "bank_account_details", "PENDING"),
    "approved": ("CARD", "card_details", "AUTHORIZED"),
    "paid": ("CARD", "card_details", "CAPTURED"),
    "declined": ("CARD", "card_details", "FAILED"),
}
PAYMENTS = {
    "pending": "PENDING",
    "approved": "APPROVED",
    "paid": "COMPLETED",
    "declined": "FAILED",
    "expired": "CANCELED",
    "cancelled": "CANCELED",
}


def moneys(value: object):
    """Every Money in an answer or event, at any depth."""
    if isinstance(value, dict):
        if set(value) == {"amount", "currency"}:
            yield value
        else:
            for each in value.values():
                yield from moneys(each)
    elif isinstance(value, list):
        for each in value:
            yield from moneys(each)


# What a declined attempt is called here.
DECLINES = {
    "authentication_failed": "card_declined_verification_required",
    "expired_card": "card_expired",
    "incorrect_cvc": "cvv_failure",
    "stolen_card": "fraud_rejected",
}


class Square(Dialect):
    name = "square"
    form = SquareForm
    cancels = False

    def routes(self, api) -> list:
        return [
            web.post(LINKS, api.register(self)),
            web.delete(
                LINKS + "/{link}",
                api.change(self, "expire", self._delete, self._of_link),
            ),
            web.get(ROOT + "/orders/{token}", api.query(self)),
            web.post(
                ROOT + "/payments/{payment}/complete",
                api.change(self, "capture", self._complete, self._of_payment),
            ),
            web.post(
                ROOT + "/payments/{payment}/cancel",
                api.change(self, "cancel", self._cancel, self._of_payment),
            ),
            web.post(
                ROOT + "/refunds",
                api.change(self, "refund", self._refund, self._of_refund),
            ),
        ]

    def key(self, request, raw: bytes) -> str:
        key = load(raw).get("idempotency_key")
        return key if isinstance(key, str) else ""

    def error(
        self,
        status: int,
        code: str,
        detail: str,
        category: str = "INVALID_REQUEST_ERROR",
    ) -> Answer:
        entry = {"category": category, "code": code, "detail": detail}
        return Answer(status, {"errors": [entry]})

    def trouble(self, status: int) -> Answer:
        if status == 429:
            return self.error(429, "RATE_LIMITED", "slow", "RATE_LIMIT_ERROR")
        code = {503: "SERVICE_UNAVAILABLE", 504: "GATEWAY_TIMEOUT"}
        code = code.get(status, "INTERNAL_SERVER_ERROR")
        return self.error(status, code, "An error occurred.", "API_ERROR")

    def busy(self, nonce: str) -> Answer:
        return self.error(409, "CONFLICT", "this key is being worked on")

    def authorise(self, request) -> Answer | None:
        version = request.headers.get("Square-Version", "2025-08-20")
        if not self.bearer(request):
            return self.error(
                401, "UNAUTHORIZED", "no such token", "AUTHENTICATION_ERROR"
            )
        if not re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", version):
            return self.error(400, "INVALID_SQUARE_VERSION_FORMAT", version)
        return None

    def _refused(self, why: Refused) -> Answer:
        return self.error(why.status, why.code, str(why))

    def _replay(self, key: str, raw: bytes):
        """-> answer and what happened, or None for a new key"""
        known = self.recall(key, raw) if key else None
        if known is None:
            return None
        same, answer = known
        if same:
            return answer, "replayed"
        text = "Different request parameters used for the same idempotency_key."
        return self.error(400, "IDEMPOTENCY_KEY_REUSED", text), "reused"

    # Links and orders.

    def register(self, request, raw: bytes):
        """-> answer, registration or None, what happened"""
        key = self.key(request, raw)
        replay = self._replay(key, raw)
        if replay:
            known = self.books.of_nonce(self.name, key)
            if known:
                known.requests += 1
            return replay[0], known, replay[1]
        body = load(raw)
        try:
            order, lines = check_link(body)
        except Refused as why:
            return self._refused(why), None, "refused"
        made = self._book(key, body | {"order": order}, lines)
        answer = self.show(made)
        self.remember(key, raw, answer)
        return answer, made, "created"

    def _book(self, key: str, body: dict, lines: list) -> Registration:
        token, currency = self.new_token(), lines[0][2]
        minor = sum(amount for _, amount, _ in lines)
        url = body.get("checkout_options", {}).get("redirect_url", "")
        made = Registration(
            dialect=self.name,
            nonce=key,
            token=token,
            reference=body["order"].get("reference_id", ""),
            amount_minor=minor,
            amount=money.render(minor, currency),
            currency=currency,
            hosted_url=self.url(token),
            return_url=url,
            cancel_url=url,
            expires_at=None,
            lines=[
                (name, money.render(amount, currency))
                for name, amount, _ in lines
            ],
            again=True,
            extra={
                "link": self.books.random_id("", 16).upper(),
                "order": body["order"],
            },
        )
        self.books.add(made)
        return made

    def new_token(self) -> str:
        return self.books.random_id("", 24) + "tEZY"

    def new_payment_id(self) -> str:
        return self.books.random_id("", 24) + "vaZY"

    def back(self, made: Registration, url: str) -> str:
        mark = "&" if "?" in url else "?"
        return f"{url}{mark}transactionId={made.token}&orderId={made.token}"

    def show(self, made: Registration, status: int = 200) -> Answer:
        link = {
            "id": made.extra["link"],
            "version": 1,
            "order_id": made.token,
            "url": made.hosted_url,
            "long_url": made.hosted_url,
            "created_at": now(),
        }
        related = {"orders": [self._order(made)]}
        body = {"payment_link": link, "related_resources": related}
        return Answer(status, body)

    def query(self, token: str) -> Answer:
        made = self.books.of_token(self.name, token)
        if made is None:
            return self.error(404, "NOT_FOUND", "Order not found.")
        return Answer(200, {"order": self._order(made)})

    def _money(self, made: Registration, amount: int | None = None) -> dict:
        amount = made.amount_minor if amount is None else amount
        return {"amount": amount, "currency": made.currency}

    def _order(self, made: Registration) -> dict:
        order = {
            "id": made.token,
            "location_id": made.extra["order"]["location_id"],
            "reference_id": made.reference,
            "line_items": made.extra["order"]["line_items"],
            "state": STATES.get(made.status, "DRAFT"),
            "version": 1,
            "total_money": self._money(made),
            "net_amount_due_money": self._money(
                made, 0 if made.status in ("pending", "paid") else None
            ),
            "created_at": now(),
            "updated_at": now(),
        }
        if made.status in TENDERS and self._payment_id(made):
            kind, details, status = TENDERS[made.status]
            tender = {
                "id": self._payment_id(made),
                "payment_id": self._payment_id(made),
                "amount_money": self._money(made),
                "type": kind,
                details: {"status": status},
            }
            order["tenders"] = [tender]
        return order

    def _of_link(self, request, raw: bytes):
        return self._of("link", request.match_info["link"])

    def _of(self, name: str, value: object):
        for made in self.books.registrations:
            if made.dialect == self.name and made.extra.get(name) == value:
                return made
        return None

    def _delete(self, request, raw: bytes, made):
        if made is None or made.extra.get("deleted"):
            return self.error(404, "NOT_FOUND", "Payment link not found."), (
                "not_found"
            )
        made.extra["deleted"] = True
        body = {"id": made.extra["link"]}
        if made.payable():
            self.lifecycle.settle(made, "expired")
            body["cancelled_order_id"] = made.token
        return Answer(200, body), "expired"

    # Payments.

    def _payment_id(self, made: Registration) -> str | None:
        return made.payment_id or made.extra.get("tried")

    def _payment(self, made: Registration, status: str = "") -> dict:
        status = status or PAYMENTS[made.status]
        cards = {"COMPLETED": "CAPTURED", "FAILED": "FAILED"}
        card = {"status": cards.get(status, "AUTHORIZED")}
        if status == "FAILED":
            code = made.code or "generic_decline"
            code = DECLINES.get(code, code).upper()
            category = "PAYMENT_METHOD_ERROR"
            card["errors"] = [{"category": category, "code": code}]
        return {
            "id": self._payment_id(made),
            "order_id": made.token,
            "location_id": made.extra["order"]["location_id"],
            "status": status,
            "source_type": "CARD",
            "card_details": card,
            "amount_money": self._money(made),
            "approved_money": self._money(made),
            "total_money": self._money(made),
            "created_at": now(),
            "updated_at": now(),
        } | self._fee(made, status)

    def _fee(self, made: Registration, status: str) -> dict:
        if not made.fee_minor or status != "COMPLETED":
            return {}
        fee = self._money(made, made.fee_minor)
        entry = {"amount_money": fee, "type": "INITIAL", "effective_at": now()}
        return {"processing_fee": [entry]}

    def _of_payment(self, request, raw: bytes):
        wanted = request.match_info["payment"]
        for made in self.books.registrations:
            if made.dialect == self.name and self._payment_id(made) == wanted:
                return made
        return None

    def _complete(self, request, raw: bytes, made):
        return self._end(made, "paid", "DELAYED_TRANSACTION_CAPTURED")

    def _cancel(self, request, raw: bytes, made):
        return self._end(made, "cancelled", "BAD_REQUEST")

    def _end(self, made, result: str, code: str):
        """Of an approved payment."""
        if made is None:
            return self.error(404, "NOT_FOUND", "no such payment"), "not_found"
        if made.status != "approved":
            return self.error(400, code, f"it is {made.status}"), "refused"
        self.lifecycle.settle(made, result)
        return Answer(200, {"payment": self._payment(made)}), result

    def _of_refund(self, request, raw: bytes):
        wanted = load(raw).get("payment_id")
        for made in self.books.registrations:
            if made.dialect == self.name and made.payment_id == wanted:
                return made
        return None

    def _refund(self, request, raw: bytes, made):
        body = load(raw)
        key = "refund " + self.key(request, raw)
        replay = self._replay(key, raw)
        if replay:
            return replay
        try:
            minor = self._checked_refund(body, made)
        except Refused as why:
            return self._refused(why), "refused"
        deed = self.aftersale.refund(
            made,
            minor,
            key=self.key(request, raw),
            reason=body.get("reason", ""),
            result=self.config.refund_result,
        )
        shown = square_after.refund(deed, "PENDING")
        answer = Answer(200, {"refund": shown})
        self.remember(key, raw, answer)
        return answer, "refunded"

    def _checked_refund(self, body: dict, made) -> int:
        wanted = {
            "idempotency_key": (str, True),
            "payment_id": (str, True),
            "amount_money": (dict, True),
            "reason": (str, False),
        }
        members(body, wanted, "")
        text(body["idempotency_key"], REFUND_KEY_MAX, "idempotency_key")
        amount = units(body["amount_money"], "amount_money.")
        if made is None:
            raise Refused("NOT_FOUND", "payment_id", 404)
        if made.status != "paid":
            raise Refused("PAYMENT_NOT_REFUNDABLE", "payment_id")
        left = self.books.money(made)["refundable"]
        right = body["amount_money"]["currency"] == made.currency
        if not right or amount > left:
            raise Refused("REFUND_AMOUNT_INVALID", "amount_money")
        return amount

    def bad_query(self, why: str) -> Answer:
        return self.error(400, "BAD_REQUEST", why)

    # Faults.

    def change_amount(self, body: dict) -> None:
        """Nothing that is due stays nothing."""
        for each in moneys(body):
            each["amount"] += 100 if each["amount"] else 0

    def change_currency(self, body: dict) -> None:
        for each in moneys(body):
            each["currency"] = "EUR" if each["currency"] != "EUR" else "GBP"

    def change_url(self, body: dict, url: str) -> None:
        body["payment_link"]["url"] = url

    def change_token(self, body: dict) -> None:
        if "cancelled_order_id" in body:
            body["cancelled_order_id"] = self.new_token()
        for name in ("order", "payment"):
            if name in body:
                body[name]["id"] = self.new_token()
        if "refund" in body:
            body["refund"]["payment_id"] = self.new_payment_id()

    # Events.

    def new_deed_id(self, kind: str, prefix: str) -> str:
        return self.books.random_id("", 24)

    def told(self, deed, before: str) -> list:
        return square_after.told(self, deed, before)

    def settled(self, made: Registration, before: str, result: str) -> list:
        if result in ("declined", "approved") and not made.payment_id:
            made.extra["tried"] = self.new_payment_id()
        if result == "approved":
            made.payment_id = made.extra["tried"]
        if result in ("expired", "cancelled"):
            ended = [self.event(made, "order")]
            if before in ("approved", "pending"):
                ended.append(self.event(made, "updated"))
            return ended
        if result == "paid" and before not in ("pending", "approved"):
            paid = self.event(made, "updated")
            return [paid, self.event(made, "created", "APPROVED")]
        new = result in ("pending", "approved")
        return [self.event(made, "created" if new else "updated")]

    def event(self, made: Registration, fact: str, status: str = "") -> dict:
        """fact: created or updated (of the payment), or order"""
        if fact != "order":
            payment = self._payment(made, status)
            return self.envelope(f"payment.{fact}", {"payment": payment})
        order = {
            "order_id": made.token,
            "state": STATES[made.status],
            "location_id": made.extra["order"]["location_id"],
            "updated_at": now(),
        }
        return self.envelope("order.updated", {"order_updated": order})

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "merchant_id": "6SSW7HV8K2ST5",
            "type": kind,
            "event_id": self.books.random_id("", 32),
            "created_at": now(),
            "data": {"type": kind.split(".")[0], "object": data},
        }

    def event_id(self, event: dict) -> str:
        return event["event_id"]

    def rename(self, event: dict, event_id: str) -> None:
        event["event_id"] = event_id

    def sign(self, secret: str, mail: Mail) -> None:
        signed = mail.url.encode() + mail.body
        mac = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        header = "x-square-hmacsha256-signature"
        mail.headers[header] = base64.b64encode(mac).decode()
        mail.headers["square-initial-delivery-timestamp"] = time.strftime(
            "%Y-%m-%dT%H:%M:%SZ", time.gmtime(mail.now)
        )

    def wrong_secret(self) -> str:
        return self.books.random_id("", 22)
