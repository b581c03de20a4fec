"""The ``paypal`` dialect: access tokens, Orders v2 and signed webhooks as
docs/psp/paypal.md tells them.

An order that the buyer has approved is not paid before the merchant captures
it.  A repeated PayPal-Request-Id brings the order as it stands now, with 200.
DIR/paypal.key is "client:secret", DIR/paypal.whsec the webhook's id, which is
no secret at PayPal but signed with each message.
"""

import base64
import copy
import hmac
import json
import secrets
import time
import zlib
from datetime import UTC, datetime
from urllib.parse import urlencode

from aiohttp import web

from . import lists, money, paypal_after
from .answers import Answer
from .books import Registration
from .dialect import Dialect, Mail
from .paypal_certs import Certificates
from .paypal_settle import PayPalForm

API = "/paypal/v2"
ORDERS = API + "/checkout/orders"
EVENTS = "/paypal/v1/notifications/webhooks-events"
KEY_MAX = 108
PAGE_MAX = 300
LIFE_S = 3 * 3600
CURRENCIES = set(
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP "
    "PLN RUB SEK SGD THB TWD USD".split()
)
WHOLE = {"HUF", "JPY", "TWD"}
STATUSES = {
    "open": "PAYER_ACTION_REQUIRED",
    "approved": "APPROVED",
    "cancelled": "VOIDED",
}
CAPTURES = {"paid": "COMPLETED", "pending": "PENDING", "declined": "DECLINED"}
# The processor's response codes for declined captures.
DECLINES = {
    "authentication_failed": "5650",
    "expired_card": "5400",
    "incorrect_cvc": "00N7",
    "insufficient_funds": "5120",
    "stolen_card": "9520",
}
NAMES = {
    400: "INVALID_REQUEST",
    403: "NOT_AUTHORIZED",
    404: "RESOURCE_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_REACHED",
    503: "SERVICE_UNAVAILABLE",
}
# What we know of a request; the values are the types.
MONEY = {"currency_code": str, "value": str}
ITEM = {"name": str, "sku": str, "quantity": str, "unit_amount": dict}
UNIT = {
    "reference_id": str,
    "custom_id": str,
    "invoice_id": str,
    "amount": dict,
    "items": list,
}
# Of a wallet's context, the words that may stand there.
WORDS = {
    "user_action": "PAY_NOW CONTINUE",
    "shipping_preference": "GET_FROM_FILE NO_SHIPPING SET_PROVIDED_ADDRESS",
    "contact_preference": "NO_CONTACT_INFO UPDATE_CONTACT_INFO "
    "RETAIN_CONTACT_INFO",
    "landing_page": "LOGIN GUEST_CHECKOUT NO_PREFERENCE",
    "payment_method_preference": "UNRESTRICTED IMMEDIATE_PAYMENT_REQUIRED",
}
CONTEXT = dict.fromkeys(
    (*WORDS, "return_url", "cancel_url", "brand_name", "locale"), str
)
# An order without a payment_source has no way back of its own.
NO_CONTEXT = {"return_url": "", "cancel_url": ""}
REFUND = {"amount": dict, "custom_id": str, "note_to_payer": str}


class Refused(Exception):
    def __init__(self, issue: str, what: str = "", status: int = 422):
        super().__init__(what or issue)
        self.issue, self.status = issue, status


def _only_once(pairs: list) -> dict:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("duplicate member")
    return dict(pairs)


def _json(request, raw: bytes) -> dict:
    if request.content_type != "application/json":
        raise Refused("UNSUPPORTED_MEDIA_TYPE", status=415)
    try:
        body = json.loads(raw or b"{}", object_pairs_hook=_only_once)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused("MALFORMED_REQUEST_JSON", status=400)
    return body


def _members(body: object, known: dict, needed: str, where: str) -> None:
    """PayPal overlooks members that it does not know; a test must not."""
    if not isinstance(body, dict):
        raise Refused("INVALID_PARAMETER_SYNTAX", where, 400)
    for name, value in body.items():
        kind = known.get(name)
        if kind is None or not isinstance(value, kind):
            raise Refused("INVALID_PARAMETER_SYNTAX", f"{where}/{name}", 400)
        if kind is str and not 0 < len(value) <= (
            2000 if name.endswith("_url") else 127
        ):
            raise Refused("INVALID_STRING_LENGTH", f"{where}/{name}", 400)
    for name in needed.split():
        if name not in body:
            raise Refused("MISSING_REQUIRED_PARAMETER", f"{where}/{name}", 400)


def _money(body: dict, where: str, more: dict | None = None):
    """-> ISO minor units and currency"""
    _members(body, MONEY | (more or {}), "currency_code value", where)
    currency, value = body["currency_code"], body["value"]
    if currency not in CURRENCIES:
        raise Refused("INVALID_CURRENCY_CODE", where, 400)
    if currency in WHOLE and "." in value:
        raise Refused("DECIMALS_NOT_SUPPORTED", where)
    if currency in WHOLE and money.exponent(currency):
        value += ".00"
    try:
        return money.parse(value, currency), currency
    except money.BadAmount as why:
        issue = "INVALID_PARAMETER_VALUE"
        raise Refused(issue, f"{where}: {why}", 400) from None


def _render(minor: int, currency: str) -> dict:
    text = money.render(minor, currency)
    if currency in WHOLE:
        text = text.partition(".")[0]
    return {"currency_code": currency, "value": text}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class PayPal(Dialect):
    name = "paypal"
    form = PayPalForm
    key_header = "PayPal-Request-Id"
    success = "approved"
    tells_declines = False
    cancels = False

    def __init__(self, books, config):
        super().__init__(books, config)
        self.certs = Certificates()
        # Kept over a reset: the gateway's tokens stay good.
        self.tokens: dict[str, float] = {}

    async def start(self) -> None:
        await self.certs.start(self.config.secrets, self.config.cert_port)

    async def stop(self) -> None:
        await self.certs.stop()

    def routes(self, api) -> list:
        order = ORDERS + "/{token}"
        refund = api.change(self, "refund", self._refund, self._of_payment)
        return [
            web.post(
                "/paypal/v1/oauth2/token",
                api.change(self, "token", self._grant),
            ),
            web.get(EVENTS, api.listing(self, "list", self._list)),
            web.post(ORDERS, api.register(self)),
            web.get(order, api.query(self)),
            web.post(
                order + "/capture", api.change(self, "capture", self._capture)
            ),
            web.post(API + "/payments/captures/{payment}/refund", refund),
        ]

    # Errors.

    def error(self, status: int, issue: str, what: str = "") -> Answer:
        body = {
            "name": NAMES.get(status, "INTERNAL_SERVER_ERROR"),
            "message": what or "The request could not be handled.",
            "debug_id": self.books.random_id("", 13).lower(),
            "links": [],
        }
        if issue:
            body["details"] = [{"issue": issue, "description": what or issue}]
        return Answer(status, body)

    def _refused(self, why: Refused) -> tuple[Answer, str]:
        return self.error(why.status, why.issue, str(why)), "refused"

    def trouble(self, status: int) -> Answer:
        """A 422 is what a buyer without money leads to."""
        if status == 401:
            return self._oauth("invalid_token")
        issue = "INSTRUMENT_DECLINED" if status == 422 else ""
        return self.error(status, issue)

    def busy(self, nonce: str) -> Answer:
        return self.error(409, "PREVIOUS_REQUEST_IN_PROGRESS")

    def _oauth(self, error: str) -> Answer:
        body = {"error": error, "error_description": "The call is refused"}
        return Answer(401, body)

    # Access tokens.

    def authorise(self, request) -> Answer | None:
        sent = request.headers.get("Authorization", "")
        if request.path.endswith("/oauth2/token"):
            pair = base64.b64encode(self.secret.encode()).decode()
            right = hmac.compare_digest(sent.encode(), f"Basic {pair}".encode())
            return None if right else self._oauth("invalid_client")
        until = self.tokens.get(sent.removeprefix("Bearer "), 0)
        known = sent.startswith("Bearer ") and time.time() < until
        return None if known else self._oauth("invalid_token")

    def _grant(self, request, raw: bytes, made):
        form = request.content_type == "application/x-www-form-urlencoded"
        if not form or raw != b"grant_type=client_credentials":
            answer = self._oauth("unsupported_grant_type")
            answer.status = 400
            return answer, "refused"
        token = "A21AA" + secrets.token_urlsafe(72)
        self.tokens[token] = time.time() + self.config.token_s
        body = {
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": token,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": self.config.token_s,
            "nonce": _moment(time.time()) + secrets.token_urlsafe(16),
        }
        return Answer(200, body), "granted"

    # Orders.

    def register(self, request, raw: bytes):
        """-> answer, registration or None, what happened"""
        key = self.key(request, raw)
        known = self.known(key) if key else None
        if known:
            known.requests += 1
            return self._represented(request, known, 200), known, "replayed"
        try:
            body = _json(request, raw)
            if len(key) > KEY_MAX or not key and "payment_source" in body:
                raise Refused("PAYPAL_REQUEST_ID_REQUIRED", status=400)
            made = self._book(key, body)
        except Refused as why:
            answer, what = self._refused(why)
            return answer, None, what
        return self._represented(request, made, 201), made, "created"

    def _book(self, key: str, body: dict) -> Registration:
        known = {"intent": str, "purchase_units": list, "payment_source": dict}
        _members(body, known, "intent purchase_units", "")
        if body["intent"] != "CAPTURE" or len(body["purchase_units"]) != 1:
            raise Refused("INVALID_PARAMETER_VALUE", "/intent", 400)
        unit = body["purchase_units"][0]
        _members(unit, UNIT, "reference_id amount", "/purchase_units/0")
        minor, currency = _money(
            unit["amount"], "/purchase_units/0/amount", {"breakdown": dict}
        )
        source = body.get("payment_source")
        context = NO_CONTEXT if source is None else self._context(source)
        token = self.new_token()
        made = Registration(
            dialect=self.name,
            nonce=key,
            token=token,
            reference=unit["reference_id"],
            amount_minor=minor,
            amount=money.render(minor, currency),
            currency=currency,
            hosted_url=self.url(token),
            return_url=context["return_url"],
            cancel_url=context["cancel_url"],
            expires_at=int(time.time()) + LIFE_S,
            lines=self._lines(unit, minor, currency),
            extra={"unit": unit, "bare": source is None},
        )
        self.books.add(made)
        return made

    def _context(self, source: dict) -> dict:
        _members(source, {"paypal": dict}, "paypal", "/payment_source")
        where = "/payment_source/paypal"
        wallet = source["paypal"]
        _members(
            wallet, {"experience_context": dict}, "experience_context", where
        )
        context = wallet["experience_context"]
        _members(context, CONTEXT, "return_url cancel_url", where)
        for name, words in WORDS.items():
            if context.get(name, words.split()[0]) not in words.split():
                raise Refused("INVALID_PARAMETER_VALUE", name, 400)
        return context

    def _lines(self, unit: dict, minor: int, currency: str) -> list:
        """Items and breakdown, if any, must add up to the amount."""
        breakdown = unit["amount"].get("breakdown")
        if "items" not in unit:
            return []
        if breakdown is None:
            raise Refused("ITEM_TOTAL_REQUIRED")
        _members(breakdown, {"item_total": dict}, "item_total", "breakdown")
        lines, total = [], 0
        for item in unit["items"]:
            _members(item, ITEM, "name quantity unit_amount", "items")
            part, code = _money(item["unit_amount"], "unit_amount")
            if code != currency or item["quantity"] != "1":
                raise Refused("INVALID_PARAMETER_VALUE", "items", 400)
            total += part
            lines.append((item["name"], money.render(part, currency)))
        if total != minor or _money(breakdown["item_total"], "item_total") != (
            minor,
            currency,
        ):
            raise Refused("ITEM_TOTAL_MISMATCH")
        return lines

    def new_token(self) -> str:
        return self.books.random_id("", 17).upper()

    def new_payment_id(self) -> str:
        return self.books.random_id("", 17).upper()

    def back(self, made: Registration, url: str) -> str:
        query = f"token={made.token}"
        if made.status == "approved":
            query += "&PayerID=" + self.books.random_id("", 13).upper()
        return url + ("&" if "?" in url else "?") + query

    def pend(self, made: Registration) -> None:
        """An eCheck: approved now, its capture is pending."""
        made.extra["echeck"] = True
        self.lifecycle.settle(made, "approved")

    def show(self, made: Registration, status: int = 200) -> Answer:
        return Answer(status, self.order(made))

    def _represented(self, request, made, status: int) -> Answer:
        answer = self.show(made, status)
        if request.headers.get("Prefer") != "return=representation":
            few = ("id", "status", "payment_source", "links")
            body = answer.body
            answer.body = {name: body[name] for name in few if name in body}
        return answer

    def order(self, made: Registration) -> dict:
        bare = made.extra["bare"] and made.status == "open"
        status = STATUSES.get(made.status, "COMPLETED")
        unit = copy.deepcopy(made.extra["unit"])
        if made.status in CAPTURES:
            unit["payments"] = {"captures": [self.capture(made)]}
        source = {} if bare else {"payment_source": {"paypal": {}}}
        return source | {
            "id": made.token,
            "intent": "CAPTURE",
            "status": "CREATED" if bare else status,
            "purchase_units": [unit],
            "create_time": _moment(made.created),
            "links": self._links(made),
        }

    def _links(self, made: Registration) -> list:
        """Without a payment_source the buyer's page is called "approve"."""
        own = self.config.public_url + f"{ORDERS}/{made.token}"
        capture = (own + "/capture", "capture", "POST")
        links = [(own, "self", "GET")]
        if made.status == "approved":
            links.append(capture)
        elif made.status == "open" and made.extra["bare"]:
            links.append((made.hosted_url, "approve", "GET"))
            links += [(own, "update", "PATCH"), capture]
        elif made.status == "open":
            links.append((made.hosted_url, "payer-action", "GET"))
        names = ("href", "rel", "method")
        return [dict(zip(names, each, strict=True)) for each in links]

    def capture(self, made: Registration) -> dict:
        made.payment_id = made.payment_id or self.new_payment_id()
        status = CAPTURES[made.status]
        refunded = self.books.money(made)["refunded"]
        if refunded:
            whole = refunded == made.amount_minor
            status = "REFUNDED" if whole else "PARTIALLY_REFUNDED"
        body = {
            "id": made.payment_id,
            "status": status,
            "amount": _render(made.amount_minor, made.currency),
            "final_capture": True,
            "custom_id": made.extra["unit"].get("custom_id", ""),
            "create_time": _moment(made.created),
        }
        if status == "DECLINED":
            code = DECLINES.get(made.code, "0500")
            body["processor_response"] = {"response_code": code}
        if status == "PENDING":
            body["status_details"] = {"reason": "ECHECK"}
        if made.fee_minor:
            body["seller_receivable_breakdown"] = self._breakdown(made)
        return body

    def _breakdown(self, made: Registration) -> dict:
        net = made.amount_minor - made.fee_minor
        return {
            "gross_amount": _render(made.amount_minor, made.currency),
            "paypal_fee": _render(made.fee_minor, made.currency),
            "net_amount": _render(net, made.currency),
        }

    def query(self, token: str) -> Answer:
        """An order that has lapsed is not found any more."""
        made = self.books.of_token(self.name, token)
        if made is None or made.status == "expired":
            return self.error(404, "INVALID_RESOURCE_ID")
        return self.show(made)

    def _capture(self, request, raw: bytes, made):
        key = self.key(request, raw)
        if made is None or made.status == "expired":
            return self.error(404, "INVALID_RESOURCE_ID"), "not_found"
        captured = made.extra.get("captured_by")
        if key and captured == key and self.fresh(made.extra["captured_at"]):
            return self._represented(request, made, 200), "replayed"
        issues = {"open": "ORDER_NOT_APPROVED"}
        issues["cancelled"] = "ORDER_COMPLETED_OR_VOIDED"
        try:
            if _json(request, raw):
                raise Refused("INVALID_PARAMETER_SYNTAX", "/", 400)
            if made.status != "approved":
                raise Refused(issues.get(made.status, "ORDER_ALREADY_CAPTURED"))
        except Refused as why:
            return self._refused(why)
        made.extra |= {"captured_by": key, "captured_at": time.time()}
        if made.extra.get("echeck"):
            self.lifecycle.pend(made)
        else:
            self.lifecycle.settle(made, "paid")
        return self._represented(request, made, 201), "captured"

    def _of_payment(self, request, raw: bytes):
        wanted = request.match_info["payment"]
        for made in self.books.registrations:
            if made.dialect == self.name and made.payment_id == wanted:
                return made
        return None

    def _refund(self, request, raw: bytes, made):
        key = self.key(request, raw)
        if made is None:
            return self.error(404, "INVALID_RESOURCE_ID"), "not_found"
        known = self.recall(key, raw)
        if known:
            answer = known[1]
            answer.status = 200
            return answer, "replayed"
        try:
            minor = self._refundable(made, _json(request, raw))
        except Refused as why:
            return self._refused(why)
        deed = self.aftersale.refund(
            made, minor, key=key, result=self.config.refund_result
        )
        answer = Answer(201, paypal_after.refund(self, deed))
        self.remember(key, raw, answer)
        return answer, "refunded"

    def _refundable(self, made: Registration, body: dict) -> int:
        """-> minor units, all that is left when the body names none"""
        _members(body, REFUND, "", "")
        left = self.books.money(made)["refundable"]
        if made.status != "paid":
            raise Refused("PENDING_CAPTURE")
        if left == 0:
            raise Refused("CAPTURE_FULLY_REFUNDED")
        if "amount" not in body:
            return left
        minor, currency = _money(body["amount"], "/amount")
        if currency != made.currency:
            raise Refused("REFUND_CAPTURE_CURRENCY_MISMATCH")
        if minor > left:
            raise Refused("REFUND_AMOUNT_EXCEEDED")
        return minor

    # Lists of events, the newest first.

    def bad_query(self, why: str) -> Answer:
        return self.error(400, "INVALID_PARAMETER_VALUE", why)

    def _list(self, request, lag: int) -> Answer:
        known = "page_size start_time end_time move_to index_time index_id"
        query = lists.parameters(request, known, "start_time end_time")
        since = lists.moment(query["start_time"], "start_time")
        until = lists.moment(query["end_time"], "end_time")
        asked = lists.number(query.get("page_size", "10"), "page_size")
        size = lists.size(asked, PAGE_MAX, self.config)
        if query.get("move_to", "next") != "next":
            raise lists.BadQuery("move_to")
        start = lists.number(query.get("index_id", "0"), "index_id")
        made = self.books.made_between(self.name, since, until + 1)
        made = made[: max(0, len(made) - lag)][::-1]
        page = made[start : start + size]
        body = {
            "events": [copy.deepcopy(each.event) for each in page],
            "count": len(page),
            "links": [],
        }
        if start + size < len(made):
            body["links"].append(self._next(request, start + size))
        return Answer(200, body)

    def _next(self, request, start: int | str) -> dict:
        """A link to the page that begins there."""
        kept = ("start_time", "end_time", "page_size")
        query = {n: request.query[n] for n in kept if n in request.query}
        query |= {"move_to": "next", "index_time": _moment(time.time())}
        query |= {"index_id": str(start)}
        href = f"{self.config.public_url}{EVENTS}/?{urlencode(query)}"
        return {"href": href, "rel": "next", "method": "GET"}

    def entries(self, body: dict) -> list:
        return body["events"]

    def loop(self, body: dict, request) -> None:
        """To the first page, by another name each time."""
        asked = request.query.get("index_id")
        start = "00" if asked == "0" else "0"
        body["links"] = [self._next(request, start)]

    # The faults.

    def _amounts(self, body: dict) -> list[dict]:
        """All that a reader could take for the amount."""
        if "amount" in body:
            return [body["amount"]]
        found = []
        for unit in body.get("purchase_units", []):
            found.append(unit["amount"])
            captures = unit.get("payments", {}).get("captures", [])
            found += [each["amount"] for each in captures]
        return found

    def change_amount(self, body: dict) -> None:
        for amount in self._amounts(body):
            amount["value"] = "9" + amount["value"]

    def change_currency(self, body: dict) -> None:
        for amount in self._amounts(body):
            other = "CHF" if amount["currency_code"] == "EUR" else "EUR"
            amount["currency_code"] = other

    def change_url(self, body: dict, url: str) -> None:
        for link in body["links"]:
            if link["rel"] in ("payer-action", "approve"):
                link["href"] = url

    def change_token(self, body: dict) -> None:
        body["id"] = self.new_token()

    # Events.

    render = staticmethod(_render)

    def new_deed_id(self, kind: str, prefix: str) -> str:
        if kind == "dispute":
            return "PP-D-" + str(self.books.rng.randrange(10000, 99999))
        return self.new_payment_id()

    def told(self, deed, before: str) -> list:
        return paypal_after.told(self, deed, before)

    def settled(self, made: Registration, before: str, result: str) -> list:
        if result == "expired" and before != "approved":
            return []  # an order just lapses
        return [self.event(made, result)]

    def event(self, made: Registration, fact: str) -> dict:
        kinds = {
            "approved": "CHECKOUT.ORDER.APPROVED",
            "cancelled": "CHECKOUT.ORDER.VOIDED",
            "expired": "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
            "paid": "PAYMENT.CAPTURE.COMPLETED",
            "pending": "PAYMENT.CAPTURE.PENDING",
            "declined": "PAYMENT.CAPTURE.DENIED",
        }
        if fact in CAPTURES:
            resource = self.capture(made)
            related = {"related_ids": {"order_id": made.token}}
            resource["supplementary_data"] = related
        elif fact == "expired":
            resource = {"order_id": made.token}
        else:
            resource = self.order(made)
        return self.envelope(kinds[fact], resource)

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "id": "WH-" + self.books.random_id("", 17).upper(),
            "create_time": _moment(time.time()),
            "resource_type": kind.partition(".")[2].partition(".")[0].lower(),
            "event_type": kind,
            "summary": "An event of the mock",
            "resource": data,
            "resource_version": "2.0",
            "event_version": "1.0",
            "links": [],
        }

    def event_type(self, event: dict) -> str:
        return event["event_type"]

    def event_object(self, event: dict) -> dict:
        return event["resource"]

    def wire(self, event: dict) -> bytes:
        return json.dumps(event, separators=(",", ":")).encode()

    def sign(self, secret: str, mail: Mail) -> None:
        sent = secrets.token_hex(16)
        stamp = _moment(mail.now)
        crc = zlib.crc32(mail.body)
        text = f"{sent}|{stamp}|{secret}|{crc}".encode()
        mail.headers |= {
            "PAYPAL-TRANSMISSION-ID": sent,
            "PAYPAL-TRANSMISSION-TIME": stamp,
            "PAYPAL-TRANSMISSION-SIG": self.certs.sign(text),
            "PAYPAL-CERT-URL": self.certs.url,
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        }

    def wrong_secret(self) -> str:
        return self.new_token()
