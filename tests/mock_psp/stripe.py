"""The ``stripe`` dialect: Checkout Sessions as docs/psp/stripe.md tells them.

Idempotency keys have Stripe's semantics: the first answer, a 500 included, is
stored once execution has begun and replayed; validation failures and
concurrent calls store nothing; other parameters are an idempotency_error.
"""

import base64
import copy
import hashlib
import hmac
import json
import re
import time
from pathlib import Path

from aiohttp import web

from . import lists, money, stripe_form
from .answers import Answer
from .books import Registration
from .dialect import Dialect, Mail
from .lifecycle import GIVEN_BACK
from .stripe_money import Money, expansions
from .stripe_settle import StripeForm

ROOT = "/stripe/v1/checkout/sessions"
EVENTS = "/stripe/v1/events"
PAGE_MAX = 100
TYPES_MAX = 20

DOCS = "https://stripe.com/docs/error-codes/"
SHORTEST_S, LONGEST_S = 30 * 60, 24 * 3600
AMOUNT_MAX = 999_999_999_999
KEY_MAX = 255
TEMPLATE = json.loads(
    Path(__file__).with_name("stripe_session.json").read_text()
)
BadParameter = stripe_form.BadParameter


def _missing(name: str) -> BadParameter:
    return BadParameter(
        "parameter_missing", f"Missing required param: {name}.", name
    )


def _line(index: str, line: dict) -> tuple[str, int, str]:
    """-> currency, amount, name of one line item"""
    where = f"line_items[{index}]"
    price = line.get("price_data")
    if price is None:
        raise _missing(f"{where}[price_data]")
    for name in ("currency", "unit_amount", "product_data"):
        if name not in price:
            raise _missing(f"{where}[price_data][{name}]")
    if "name" not in price["product_data"]:
        raise _missing(f"{where}[price_data][product_data][name]")
    if "quantity" not in line:
        raise _missing(f"{where}[quantity]")
    if price["unit_amount"] < 0 or line["quantity"] < 1:
        raise BadParameter(
            "parameter_invalid_integer", "Invalid non-negative integer", where
        )
    amount = price["unit_amount"] * line["quantity"]
    return price["currency"], amount, price["product_data"]["name"]


def _total(lines: list[tuple[str, int, str]]) -> tuple[str, int, int]:
    """-> currency, Stripe's amount, ISO minor units"""
    currency = lines[0][0]
    where = "line_items[0][price_data][currency]"
    if any(each[0] != currency for each in lines):
        raise BadParameter("currency_invalid", "One currency a session", where)
    if currency != currency.lower() or currency.upper() not in (
        money.TWO | money.ZERO | money.STRIPE_THREE
    ):
        raise BadParameter(
            "currency_invalid", f"Invalid currency: {currency[:8]}", where
        )
    units = sum(each[1] for each in lines)
    if not 0 < units <= AMOUNT_MAX:
        code = "amount_too_small" if units == 0 else "amount_too_large"
        raise BadParameter(code, "The total amount is out of range")
    try:
        for each in lines:
            money.from_stripe(each[1], currency.upper())
        return currency, units, money.from_stripe(units, currency.upper())
    except money.BadAmount as reason:
        raise BadParameter("parameter_invalid_integer", str(reason)) from None


def _check_session(form: dict) -> None:
    if form.get("mode") != "payment":
        raise BadParameter("parameter_invalid", "Only mode=payment", "mode")
    if "success_url" not in form:
        raise _missing("success_url")
    if not form.get("line_items"):
        raise _missing("line_items")
    reference = form.get("client_reference_id", "x")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", reference):
        raise BadParameter(
            "parameter_invalid_string",
            "Invalid client_reference_id",
            "client_reference_id",
        )
    left = form.get("expires_at", int(time.time()) + LONGEST_S) - time.time()
    if not SHORTEST_S - 1 <= left <= LONGEST_S + 1:
        raise BadParameter(
            "parameter_invalid",
            "The `expires_at` timestamp must be between 30 minutes and 24 "
            "hours from Checkout Session creation.",
            "expires_at",
        )


def _is_manual(form: dict) -> bool:
    data = form.get("payment_intent_data", {})
    return data.get("capture_method") == "manual"


def _is_challenged(form: dict) -> bool:
    card = form.get("payment_method_options", {}).get("card", {})
    return card.get("request_three_d_secure") in ("any", "challenge")


class Stripe(Dialect):
    name = "stripe"
    form = StripeForm
    page = "/stripe/c/pay/"
    tells_declines = False
    cancels = False

    def __init__(self, books, config):
        super().__init__(books, config)
        self.money = Money(self)

    def routes(self, api) -> list:
        return [
            web.post(ROOT, api.register(self)),
            web.get(ROOT, api.listing(self, "find", self._find)),
            web.get(EVENTS, api.listing(self, "list", self._list)),
            web.get(ROOT + "/{token}", api.change(self, "query", self._ask)),
            web.post(
                ROOT + "/{token}/expire",
                api.change(self, "expire", self._expire),
            ),
            *self.money.routes(api),
        ]

    def error(
        self,
        status: int,
        code: str | None,
        message: str,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> Answer:
        body = {"message": message, "type": kind}
        if code:
            body["code"] = code
            body["doc_url"] = DOCS + code.replace("_", "-")
        if param:
            body["param"] = param
        return Answer(status, {"error": body}, self._headers())

    def _headers(self) -> dict:
        return {
            "Request-Id": self.books.random_id("req_", 14),
            "Stripe-Version": "2026-10-28.endive",
        }

    def trouble(self, status: int) -> Answer:
        if status == 429:
            answer = self.error(429, "rate_limit", "Too many requests.")
            answer.headers["Stripe-Rate-Limited-Reason"] = "global-rate"
            return answer
        return self.error(
            status,
            None,
            "Sorry! There was an error while talking to one of our backends.",
            kind="api_error",
        )

    def busy(self, nonce: str) -> Answer:
        return self.error(
            409,
            "idempotency_key_in_use",
            "There is currently another in-progress request using this "
            f"Stripe-Idempotent-Key: {nonce}.",
            kind="idempotency_error",
        )

    def authorise(self, request) -> Answer | None:
        basic = base64.b64encode(f"{self.secret}:".encode())
        sent = request.headers.get("Authorization", "").encode()
        if self.bearer(request) or hmac.compare_digest(sent, b"Basic " + basic):
            return None
        return self.error(401, None, "Invalid API Key provided")

    # Sessions.

    def register(self, request, raw: bytes):
        """-> answer, registration or None, what happened"""
        key = self.key(request, raw)
        if len(key) > KEY_MAX:
            answer = self.error(400, None, "Idempotency key too long")
            return answer, None, "refused"
        if self.recall(key, raw):
            return self.replay(key, raw)
        if request.content_type != "application/x-www-form-urlencoded":
            answer = self.error(400, None, "Send a form")
            return answer, None, "refused"
        try:
            form = stripe_form.parse(raw)
            _check_session(form)
            lines = [
                _line(index, line)
                for index, line in sorted(form["line_items"].items())
            ]
            total = _total(lines)
        except BadParameter as why:
            answer = self.error(400, why.code, str(why), why.param)
            return answer, None, "refused"
        made = self._book(key, form, lines, total)
        answer = self.show(made)
        self.remember(key, raw, answer)
        return answer, made, "created"

    def failed(self, key: str, raw: bytes, answer: Answer, fault) -> None:
        keeps = fault.status == 500 if fault.stored is None else fault.stored
        if keeps and not self.recall(key, raw):
            self.remember(key, raw, answer)

    def replay(self, key: str, raw: bytes):
        same, answer = self.recall(key, raw)
        known = self.books.of_nonce(self.name, key)
        if known:
            known.requests += 1
        if not same:
            answer = self.error(
                400,
                None,
                "Keys for idempotent requests can only be used with the same "
                "parameters they were first used with.",
                kind="idempotency_error",
            )
            return answer, None, "reused"
        answer.headers["Idempotent-Replayed"] = "true"
        answer.headers["Original-Request"] = answer.headers["Request-Id"]
        answer.headers["Request-Id"] = self.books.random_id("req_", 14)
        return answer, known, "replayed"

    def _book(self, key, form, lines, total) -> Registration:
        currency, units, minor = total
        token = self.new_token()
        upper = currency.upper()
        made = Registration(
            dialect=self.name,
            nonce=key,
            token=token,
            reference=form.get("client_reference_id", ""),
            amount_minor=minor,
            amount=money.render(minor, upper),
            currency=upper,
            hosted_url=self.url(token),
            return_url=form["success_url"],
            cancel_url=form.get("cancel_url", ""),
            expires_at=form.get("expires_at", int(time.time()) + LONGEST_S),
            lines=[
                (name, money.render(money.from_stripe(part, upper), upper))
                for _, part, name in lines
            ],
            manual=_is_manual(form),
            challenge=_is_challenged(form),
            extra={"form": form, "units": units},
        )
        self.books.add(made)
        return made

    def new_token(self) -> str:
        return self.books.random_id("cs_test_a1", 56)

    def new_payment_id(self) -> str:
        return self.books.random_id("pi_3", 23)

    def url(self, token: str) -> str:
        return super().url(token) + "#" + self.books.random_id("fid", 300)

    def back(self, made: Registration, url: str) -> str:
        return url.replace("{CHECKOUT_SESSION_ID}", made.token)

    def new_deed_id(self, kind: str, prefix: str) -> str:
        prefix = {"refund": "re_3", "dispute": "du_1"}.get(kind, prefix)
        return self.books.random_id(prefix, 23)

    def answer(self, body: dict, status: int = 200) -> Answer:
        return Answer(status, body, self._headers())

    def show(self, made: Registration, status: int = 200) -> Answer:
        return self.answer(self.session(made), status)

    def _ask(self, request, raw: bytes, made):
        try:
            wanted = expansions(request.query)
        except BadParameter as why:
            return self.error(400, why.code, str(why), why.param), "refused"
        answer = self.query(request.match_info["token"])
        if made and made.payment_id and "payment_intent" in wanted:
            intent = self.money.objects.intent(made, wanted)
            answer.body["payment_intent"] = intent
        return answer, "found" if made else "not_found"

    def session(self, made: Registration) -> dict:
        status, payment_status = self._states(made)
        form = made.extra["form"]
        return copy.deepcopy(TEMPLATE) | {
            "id": made.token,
            "amount_subtotal": made.extra["units"],
            "amount_total": made.extra["units"],
            "cancel_url": made.cancel_url or None,
            "client_reference_id": made.reference or None,
            "created": int(made.created),
            "currency": made.currency.lower(),
            "expires_at": made.expires_at,
            "metadata": dict(form.get("metadata", {})),
            "payment_intent": made.payment_id,
            "payment_status": payment_status,
            "status": status,
            "success_url": made.return_url,
            "url": made.hosted_url if status == "open" else None,
        }

    def _states(self, made: Registration) -> tuple[str, str]:
        """status, payment_status; held money that was given back leaves the
        session complete.
        """
        if made.manual and made.payment_id and made.status in GIVEN_BACK:
            return "complete", "unpaid"
        return {
            "open": ("open", "unpaid"),
            "declined": ("complete", "unpaid"),
            "pending": ("complete", "unpaid"),
            "authorized": ("complete", "unpaid"),
            "paid": ("complete", "paid"),
            "expired": ("expired", "unpaid"),
            "cancelled": ("expired", "unpaid"),
        }[made.status]

    def query(self, token: str) -> Answer:
        made = self.books.of_token(self.name, token)
        if made is None:
            return self.error(
                404,
                "resource_missing",
                f"No such checkout.session: {token[:80]}",
                "session",
            )
        return self.show(made)

    def _expire(self, request, raw: bytes, made):
        if made and made.status != "open":
            message = (
                "Only Checkout Sessions with a status open can be expired."
            )
            return self.error(400, None, message), "refused"
        if made:
            self.lifecycle.settle(made, "expired")
        return self.query(request.match_info["token"]), "expired"

    # Lists, the newest first.

    def bad_query(self, why: str) -> Answer:
        return self.error(400, "parameter_unknown", why)

    def _find(self, request, lag: int) -> Answer:
        known = "limit created[gte] created[lte] starting_after"
        query = lists.parameters(request, known)
        since = lists.number(query.get("created[gte]", "0"), "created[gte]")
        until = lists.number(
            query.get("created[lte]", "99999999999"), "created[lte]"
        )
        found = [
            self.session(each)
            for each in self.books.of_dialect(self.name)
            if since <= int(each.created) <= until
        ]
        return self._page(request, query, found, lag, "/v1/checkout/sessions")

    def _list(self, request, lag: int) -> Answer:
        types = [f"types[{n}]" for n in range(TYPES_MAX)]
        known = "limit created[gte] created[lt] starting_after"
        query = lists.parameters(request, " ".join([known, *types]))
        since = lists.number(query.get("created[gte]", "0"), "created[gte]")
        until = lists.number(
            query.get("created[lt]", "99999999999"), "created[lt]"
        )
        wanted = {query[name] for name in types if name in query}
        found = [
            each.event
            for each in self.books.made_between(self.name, since, until)
            if not wanted or each.type in wanted
        ]
        return self._page(request, query, found, lag, "/v1/events")

    def _page(self, request, query, found: list, lag: int, url: str) -> Answer:
        found = found[: max(0, len(found) - lag)][::-1]
        asked = lists.number(query.get("limit", "10"), "limit")
        limit = lists.size(asked, PAGE_MAX, self.config)
        place = query.get("starting_after", "")
        rest = lists.after(found, lambda each: each["id"], place)
        rest = found if self.round and not rest else rest
        body = {
            "object": "list",
            "url": url,
            "has_more": len(rest) > limit,
            "data": rest[:limit],
        }
        return Answer(200, copy.deepcopy(body), self._headers())

    def entries(self, body: dict) -> list:
        return body["data"]

    def loop(self, body: dict, request) -> None:
        """Stripe's place is the last entry's id."""
        data = body["data"]
        body["has_more"] = bool(data)
        if data and data[-1]["id"] == request.query.get("starting_after"):
            data.insert(0, data.pop())

    # The faults.

    def change_amount(self, body: dict) -> None:
        names = ("amount_received", "amount", "amount_total")
        name = next((each for each in names if each in body), names[-1])
        body[name] = (body.get(name) or 0) + 100

    def change_currency(self, body: dict) -> None:
        body["currency"] = "eur" if body.get("currency") != "eur" else "chf"

    def change_url(self, body: dict, url: str) -> None:
        body["url"] = url

    def change_token(self, body: dict) -> None:
        body["id"] = self.new_token()

    # Events.

    def settled(self, made: Registration, before: str, result: str) -> list:
        if before == "authorized":
            return self.money.given_back(made)
        if result in GIVEN_BACK:
            return [self.event(made, "expired")]
        if result == "authorized":
            return [self.event(made, "completed"), *self.money.held(made)]
        if before in ("pending", "declined"):
            late = "succeeded" if result == "paid" else "failed"
            return [self.event(made, f"async_payment_{late}")]
        done = [self.event(made, "completed")]
        if result == "declined":
            done += self.attempted(made, made.code)
            done.append(self.event(made, "async_payment_failed"))
        return done

    def attempted(self, made: Registration, code: str) -> list:
        """The session stays open; the charge and the payment tell of it."""
        return self.money.attempted(made, code)

    def told(self, deed, before: str) -> list:
        return self.money.told(deed, before)

    def rest_released(self, made: Registration, result: str) -> list:
        return self.money.rest_released(made)

    def event(self, made: Registration, fact: str) -> dict:
        """fact: completed, async_payment_succeeded, … or expired"""
        return self.envelope(f"checkout.session.{fact}", self.session(made))

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "id": self.books.random_id("evt_1", 23),
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(time.time()),
            "data": {"object": data},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }

    def event_object(self, event: dict) -> dict:
        return event["data"]["object"]

    def sign(self, secret: str, mail: Mail) -> None:
        text = f"{mail.now}.".encode() + mail.body
        mac = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        mail.headers["Stripe-Signature"] = f"t={mail.now},v1={mac}"

    def wrong_secret(self) -> str:
        return self.books.random_id("whsec_", 32)
