"""The ``mollie`` dialect: the payments API as docs/psp/mollie.md tells it.

A payment ends by being cancelled (DELETE).  Webhooks are next-gen events,
signed with the secret of mollie.whsec; without that file they are the legacy
kind, an unsigned form with the payment's id.  Both go to /webhooks/mollie.
"""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

from aiohttp import web

from . import lists, mollie_after, money
from .answers import Answer
from .books import Registration
from .dialect import Dialect, Mail
from .mollie_settle import MollieForm

ROOT = "/mollie/v2/payments"
CURRENCIES = set(
    "AED AUD BGN BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS ISK JPY MXN MYR NOK "
    "NZD PHP PLN RON RUB SEK SGD THB TWD USD ZAR".split()
)
MEMBERS = set(
    "amount description redirectUrl cancelUrl webhookUrl metadata lines "
    "captureMode".split()
)
HELD = ("approved", "authorized")
LINE_MEMBERS = {"description", "quantity", "unitPrice", "totalAmount"}
TITLES = {
    401: "Unauthorized Request",
    404: "Not Found",
    409: "Conflict",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
PAGE_MAX = 250
# Mollie's document offers the first alone; Mollie's own Python client asks for
# the second alone, and is answered.
TAKEN = ("application/hal+json", "application/json", "*/*")
STATUSES = {
    "approved": "authorized",
    "declined": "failed",
    "cancelled": "canceled",
}

# When a payment became what it is; Mollie's own clients go by these.
MOMENTS = {
    "authorized": "authorizedAt",
    "cancelled": "canceledAt",
    "declined": "failedAt",
    "expired": "expiredAt",
    "paid": "paidAt",
}
# Mollie's failureReason for a declined attempt.
DECLINES = {
    "expired_card": "card_expired",
    "incorrect_cvc": "invalid_cvv",
    "stolen_card": "possible_fraud",
}


class Refused(Exception):
    """422; the text is the detail, `field` says where."""

    def __init__(self, field: str, detail: str = "is not right"):
        super().__init__(f"The {field} {detail}")
        self.field = field


def stamp(when: float | None = None) -> str:
    moment = datetime.fromtimestamp(when or time.time(), UTC)
    return moment.isoformat(timespec="seconds")


def link(url: str) -> dict:
    return {"href": url, "type": "application/hal+json"}


def parse(amount: object, field: str) -> tuple[int, str]:
    """-> ISO minor units, currency"""
    if not isinstance(amount, dict) or set(amount) != {"currency", "value"}:
        raise Refused(field)
    if amount["currency"] not in CURRENCIES:
        raise Refused(field, "has a currency that is not supported")
    try:
        return money.parse(amount["value"], amount["currency"]), amount[
            "currency"
        ]
    except money.BadAmount as why:
        raise Refused(field, str(why)) from None


def check_url(body: dict, name: str, required: bool = False) -> None:
    url = body.get(name)
    if url is None and not required:
        return
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise Refused(name, "is no URL")


def check_lines(lines: object, total: int, currency: str) -> list:
    """-> (description, value) of each"""
    if not isinstance(lines, list):
        raise Refused("lines")
    found, shown = 0, []
    for n, each in enumerate(lines):
        where = f"lines.{n}"
        if not isinstance(each, dict) or set(each) != LINE_MEMBERS:
            raise Refused(where)
        price = parse(each["unitPrice"], f"{where}.unitPrice")
        amount = parse(each["totalAmount"], f"{where}.totalAmount")
        if type(each["quantity"]) is not int or each["quantity"] < 1:
            raise Refused(f"{where}.quantity")
        if amount[0] != price[0] * each["quantity"] or amount[1] != currency:
            raise Refused(f"{where}.totalAmount")
        found += amount[0]
        shown.append((each["description"], each["totalAmount"]["value"]))
    if lines and found != total:
        raise Refused("lines", "do not add up to the amount")
    return shown


class Mollie(Dialect):
    name = "mollie"
    form = MollieForm
    tells_declines = False

    def routes(self, api) -> list:
        one = ROOT + "/{token}"
        expire = api.change(self, "expire", self._cancel)
        cancel = api.change(self, "cancel", self._cancel)

        async def delete(request):
            token = request.match_info["token"]
            made = self.books.of_token(self.name, token)
            held = made is not None and made.status in HELD
            return await (cancel if held else expire)(request)

        return [
            web.post(ROOT, api.register(self)),
            web.get(ROOT, api.listing(self, "find", self._list)),
            web.get(one, api.query(self)),
            web.delete(one, delete),
            web.post(
                one + "/refunds", api.change(self, "refund", self._refund)
            ),
            web.post(
                one + "/captures", api.change(self, "capture", self._capture)
            ),
        ]

    def error(self, status: int, detail: str, field: str = "") -> Answer:
        title = TITLES.get(status, "Internal Server Error")
        body = {"status": status, "title": title, "detail": detail}
        if field:
            body["field"] = field
        documentation = {"href": "https://docs.mollie.com", "type": "text/html"}
        body["_links"] = {"documentation": documentation}
        return self._answer(status, body)

    def _answer(self, status: int, body: dict) -> Answer:
        return Answer(status, body, {"Content-Type": "application/hal+json"})

    def trouble(self, status: int) -> Answer:
        return self.error(status, "This went wrong on our side.")

    def busy(self, nonce: str) -> Answer:
        return self.error(409, "This idempotency key is being worked on")

    def authorise(self, request) -> Answer | None:
        accept = request.headers.get("Accept", "*/*")
        if not any(each in accept for each in TAKEN):
            return self.error(406, "Only application/hal+json is offered")
        if self.bearer(request):
            return None
        return self.error(401, "Missing authentication, or it failed")

    def _replay(self, key: str, raw: bytes):
        """-> answer and what happened, or None for a new key"""
        known = self.recall(key, raw) if key else None
        if known is None:
            return None
        same, answer = known
        if not same:
            return self.error(409, "Another request had this key"), "reused"
        answer.headers["Idempotent-Replayed"] = "true"
        return answer, "replayed"

    # Payments.

    def register(self, request, raw: bytes):
        """-> answer, registration or None, what happened"""
        key = self.key(request, raw)
        replay = self._replay(key, raw)
        if replay:
            known = self.books.of_nonce(self.name, key)
            if known:
                known.requests += 1
            return replay[0], known, replay[1]
        try:
            made = self._book(key, self._load(raw))
        except Refused as why:
            return self.error(422, str(why), why.field), None, "refused"
        answer = self.show(made, 201)
        self.remember(key, raw, answer)
        return answer, made, "created"

    def _load(self, raw: bytes) -> dict:
        try:
            body = json.loads(raw)
        except ValueError:
            raise Refused("body", "is no JSON") from None
        if not isinstance(body, dict):
            raise Refused("body", "is no object")
        return body

    def _book(self, key: str, body: dict) -> Registration:
        for name in body:
            if name not in MEMBERS:
                raise Refused(name[:40], "is not known")
        minor, currency = parse(body.get("amount"), "amount")
        if not isinstance(body.get("description"), str):
            raise Refused("description", "is missing")
        check_url(body, "redirectUrl", required=True)
        check_url(body, "cancelUrl")
        check_url(body, "webhookUrl")
        lines = check_lines(body.get("lines", []), minor, currency)
        metadata = body.get("metadata")
        if len(json.dumps(metadata)) > 1024:
            raise Refused("metadata", "is too long")
        reference = (metadata or {}).get("reference", body["description"])
        token = self.new_token()
        made = Registration(
            dialect=self.name,
            nonce=key,
            token=token,
            reference=reference,
            amount_minor=minor,
            amount=body["amount"]["value"],
            currency=currency,
            hosted_url=self.url(token),
            return_url=body["redirectUrl"],
            cancel_url=body.get("cancelUrl", body["redirectUrl"]),
            expires_at=None,
            lines=lines,
            manual=body.get("captureMode") == "manual",
            extra={"body": body},
        )
        self.books.add(made)
        return made

    def new_token(self) -> str:
        return self.books.random_id("tr_", 21)

    def show(self, made: Registration, status: int = 200) -> Answer:
        return self._answer(status, self.payment(made))

    def payment(self, made: Registration) -> dict:
        own = f"{self.config.public_url}{ROOT}/{made.token}"
        dashboard = f"https://my.mollie.com/dashboard/payments/{made.token}"
        links = {
            "self": link(own),
            "dashboard": {"href": dashboard, "type": "text/html"},
        }
        shown = {
            "resource": "payment",
            "id": made.token,
            "mode": "test",
            "createdAt": stamp(made.created),
            "status": STATUSES.get(made.status, made.status),
            "profileId": "pfl_Ab3dEfGh1J",
            "sequenceType": "oneoff",
            "method": None if made.status == "open" else "creditcard",
            "isCancelable": made.status in ("open", *HELD),
        } | made.extra["body"]
        if made.status == "open":
            links["checkout"] = link(made.hosted_url)
            shown["expiresAt"] = stamp(made.created + 900)
        if made.status == "declined":
            reason = DECLINES.get(made.code, made.code)
            shown["details"] = {"failureReason": reason}
        if made.status in MOMENTS:
            made.extra.setdefault("moments", {}).setdefault(
                MOMENTS[made.status], stamp()
            )
        shown |= made.extra.get("moments", {})
        shown |= mollie_after.sums(self, made)
        return shown | {"_links": links}

    def amount(self, made: Registration, minor: int) -> dict:
        value = money.render(minor, made.currency)
        return {"currency": made.currency, "value": value}

    def query(self, token: str) -> Answer:
        made = self.books.of_token(self.name, token)
        if made is None:
            return self.error(404, f"No payment exists with token {token}.")
        return self.show(made)

    # The list of payments, the newest first.

    def bad_query(self, why: str) -> Answer:
        return self.error(400, why)

    def _list(self, request, lag: int) -> Answer:
        query = lists.parameters(request, "limit from")
        asked = lists.number(query.get("limit", "50"), "limit")
        size = lists.size(asked, PAGE_MAX, self.config)
        made = self.books.of_dialect(self.name)
        made = made[: max(0, len(made) - lag)][::-1]
        start = query.get("from", made[0].token if made else "")
        tokens = [each.token for each in made]
        if start and start not in tokens:
            raise lists.BadQuery("from is no payment")
        rest = made[tokens.index(start) :] if start else []
        page = [self.payment(each) for each in rest[:size]]
        more = rest[size].token if len(rest) > size else None
        own = f"{self.config.public_url}{ROOT}?limit={size}"
        links = {"self": link(own), "previous": None, "next": None}
        if more:
            links["next"] = link(f"{own}&from={more}")
        payments = {"payments": page}
        body = {"count": len(page), "_embedded": payments, "_links": links}
        return self._answer(200, body)

    def entries(self, body: dict) -> list:
        return body["_embedded"]["payments"]

    def loop(self, body: dict, request) -> None:
        """To this page's entries in turn."""
        tokens = [each["id"] for each in self.entries(body)]
        others = [t for t in tokens if t != request.query.get("from")]
        if tokens:
            own = f"{self.config.public_url}{ROOT}?limit=5&from="
            body["_links"]["next"] = link(own + (others or tokens)[0])

    # Changes.

    def _cancel(self, request, raw: bytes, made):
        if made is None:
            return self.error(404, "No such payment"), "not_found"
        key = "cancel " + self.key(request, raw)
        replay = self._replay(key, raw)
        if replay:
            return replay
        if made.status not in ("open", *HELD):
            return self.error(422, "The payment cannot be canceled"), "refused"
        if made.status == "authorized":
            self.aftersale.release(made)
        else:
            self.lifecycle.settle(made, "cancelled")
        answer = self.show(made)
        self.remember(key, raw, answer)
        return answer, "cancelled"

    def _refund(self, request, raw: bytes, made):
        return self._thing(request, raw, made, "refund", ("paid",))

    def _capture(self, request, raw: bytes, made):
        return self._thing(request, raw, made, "capture", HELD)

    def _thing(self, request, raw: bytes, made, kind: str, states):
        """A refund or a capture."""
        if made is None:
            return self.error(404, "No such payment"), "not_found"
        key = f"{kind} {self.key(request, raw)}"
        replay = self._replay(key, raw)
        if replay:
            return replay
        try:
            body = self._load(raw)
            minor, currency = parse(body.get("amount"), "amount")
            self._check_thing(made, states, minor, currency)
        except Refused as why:
            return self.error(422, str(why), why.field), "refused"
        if kind == "refund":
            shown = self._refunded(made, minor, body, request, raw)
        else:
            shown = self._captured(made, minor, body, request, raw)
        answer = self._answer(201, shown)
        self.remember(key, raw, answer)
        return answer, f"{kind}d" if kind == "capture" else "refunded"

    def _refunded(self, made, minor, body, request, raw) -> dict:
        """Whatever becomes of it, it is queued at first."""
        deed = self.aftersale.refund(
            made,
            minor,
            key=self.key(request, raw),
            reason=body.get("description", ""),
            result=self.config.refund_result,
            extra={"metadata": body.get("metadata")},
        )
        return mollie_after.refund(self, deed) | {"status": "queued"}

    def _check_thing(self, made, states, minor: int, currency: str):
        if made.status not in states:
            raise Refused("payment", f"is {made.status}")
        left = made.amount_minor
        if made.status == "paid":
            left = self.books.money(made)["refundable"]
        if currency != made.currency or minor > left:
            raise Refused("amount", "is higher than what is left")

    def _captured(self, made, minor, body, request, raw) -> dict:
        """Of held money one part is captured, and the rest goes back."""
        if made.status == "authorized":
            deed = self.aftersale.capture(
                made,
                minor,
                final=True,
                key=self.key(request, raw),
                result=self.config.capture_result,
                extra={"metadata": body.get("metadata")},
            )
            return mollie_after.capture(self, deed)
        self.lifecycle.settle(made, "paid")
        return {
            "resource": "capture",
            "id": self.books.random_id("cpt_", 12),
            "mode": "test",
            "amount": body["amount"],
            "status": "succeeded",
            "createdAt": stamp(),
            "description": body.get("description", ""),
            "metadata": body.get("metadata"),
            "paymentId": made.token,
        }

    # Faults.

    def change_amount(self, body: dict) -> None:
        if isinstance(body.get("amount"), dict):
            value = "9" + body["amount"]["value"]
            body["amount"] = body["amount"] | {"value": value}

    def change_currency(self, body: dict) -> None:
        if isinstance(body.get("amount"), dict):
            code = "GBP" if body["amount"]["currency"] != "GBP" else "EUR"
            body["amount"] = body["amount"] | {"currency": code}

    def change_url(self, body: dict, url: str) -> None:
        body["_links"]["checkout"]["href"] = url

    def change_token(self, body: dict) -> None:
        name = "paymentId" if "paymentId" in body else "id"
        body[name] = self.new_token()

    # Events.

    stamp = staticmethod(stamp)

    def new_deed_id(self, kind: str, prefix: str) -> str:
        prefixes = {"refund": "re_", "dispute": "chb_", "capture": "cpt_"}
        prefix = prefixes.get(kind, prefix)
        return self.books.random_id(prefix, 12)

    def told(self, deed, before: str) -> list:
        """Legacy webhooks say only that the payment is another one now."""
        events = mollie_after.told(self, deed, before)
        if self._signs():
            return events
        return [self.event(deed.made, "paid") for _ in events[:1]]

    def _signs(self) -> bool:
        return self.name in self.config.webhook_secrets

    def settled(self, made: Registration, before: str, result: str) -> list:
        return [self.event(made, STATUSES.get(result, result))]

    def event(self, made: Registration, fact: str) -> dict:
        """fact: paid, authorized, failed, canceled, expired, pending"""
        return self.envelope(f"payment.{fact}", self.payment(made))

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "resource": "event",
            "id": self.books.random_id("event_", 21),
            "type": kind,
            "entityId": data.get("id", ""),
            "createdAt": stamp(),
            "_embedded": {"entity": data},
        }

    def event_object(self, event: dict) -> dict:
        return event["_embedded"]["entity"]

    def wire(self, event: dict) -> bytes:
        if self._signs():
            return super().wire(event)
        return urlencode({"id": event["entityId"]}).encode()

    def sign(self, secret: str | None, mail: Mail) -> None:
        if not self._signs():
            form = "application/x-www-form-urlencoded"
            mail.headers["Content-Type"] = form
            return
        mac = hmac.new(secret.encode(), mail.body, hashlib.sha256)
        mail.headers["X-Mollie-Signature"] = "sha256=" + mac.hexdigest()

    def wrong_secret(self) -> str:
        return self.books.random_id("", 32)
