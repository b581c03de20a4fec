"""The ``generic`` dialect: the gateway's own small JSON protocol.

Registrations are deduplicated by nonce for ever; webhooks are signed by the
Standard Webhooks scheme.  This file turns requests into book entries and
entries into answers and events; it knows no sockets.
"""

import base64
import hashlib
import hmac
import json
import time

from aiohttp import web

from . import lists, money
from .answers import Answer
from .books import Registration
from .dialect import Dialect, Mail

ROOT = "/generic/v1/registrations"
EVENTS = "/generic/v1/events"

MEMBERS = {
    "nonce": str,
    "reference": str,
    "amount": str,
    "currency": str,
    "expires_at": int,
    "return_url": str,
    "lines": list,
}
LINE_MEMBERS = {"payment_order_id": str, "name": str, "amount": str}
CHANGE_MEMBERS = {"nonce": str, "reference": str}
MONEY_MEMBERS = CHANGE_MEMBERS | {"amount": str, "currency": str}
REASON_MAX = 100
CHANGE_NONCE_MAX = 80
LINES_MAX = 20
NONCE_MAX = 64
LOOP = "round~"


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code = status, code


def _typed(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not (
        kind is int and isinstance(value, bool)
    )


def _members(body: object, wanted: dict, where: str) -> None:
    if not isinstance(body, dict):
        raise Refused(422, "invalid_request", f"{where} is no object")
    for name in body:
        if name not in wanted:
            raise Refused(422, "unknown_member", f"{where}: {name[:40]}")
    for name, kind in wanted.items():
        if not _typed(body.get(name), kind):
            raise Refused(422, "invalid_request", f"{where}: {name}")


def _only_once(pairs: list) -> dict:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("duplicate member")
    return dict(pairs)


class Generic(Dialect):
    name = "generic"

    def routes(self, api) -> list:
        return [
            web.post(ROOT, api.register(self)),
            web.get(ROOT, api.listing(self, "find", self._find, self._named)),
            web.get(EVENTS, api.listing(self, "list", self._list)),
            web.get(ROOT + "/{token}", api.query(self)),
            self._change(api, "capture", "capture", self._capture),
            self._change(api, "cancel", "cancel", self._cancel),
            self._change(api, "refund", "refunds", self._refund),
            self._change(api, "expire", "expire", self._expire),
        ]

    def _change(self, api, operation: str, tail: str, book):
        """A route that books a change, once a nonce."""

        def work(request, raw, made):
            return self._changed(request, raw, made, operation, book)

        path = f"{ROOT}/{{token}}/{tail}"
        return web.post(path, api.change(self, operation, work))

    def error(self, status: int, code: str, message: str) -> Answer:
        return Answer(status, {"error": {"code": code, "message": message}})

    def trouble(self, status: int) -> Answer:
        codes = {429: "rate_limited", 503: "unavailable"}
        code = codes.get(status, "internal_error")
        return self.error(status, code, "The request could not be handled.")

    def busy(self, nonce: str) -> Answer:
        return self.error(409, "in_progress", "this nonce is being worked on")

    def authorise(self, request) -> Answer | None:
        if self.bearer(request):
            return None
        return self.error(401, "unauthorized", "unknown API key")

    def register(self, request, raw: bytes):
        """-> answer, registration or None, what happened"""
        nonce = self.key(request, raw)
        try:
            body = self._checked(request, raw, nonce)
        except Refused as reason:
            answer = self.error(reason.status, reason.code, str(reason))
            return answer, None, "refused"
        canonical = json.dumps(body, sort_keys=True).encode()
        print_ = hashlib.sha256(canonical).hexdigest()
        known = self.known(nonce)
        if known is None:
            made = self._book(body, print_)
            return self.show(made, 201), made, "created"
        known.requests += 1
        if known.fingerprint != print_:
            answer = self.error(422, "nonce_reused", "other body, same nonce")
            return answer, None, "reused"
        return self.show(known), known, "replayed"

    def _checked(self, request, raw: bytes, nonce: str) -> dict:
        if request.content_type != "application/json":
            raise Refused(415, "invalid_request", "send application/json")
        try:
            body = json.loads(raw, object_pairs_hook=_only_once)
        except ValueError:
            raise Refused(400, "invalid_json", "the body is no JSON") from None
        _members(body, MEMBERS, "body")
        if not 1 <= len(nonce) <= NONCE_MAX or body["nonce"] != nonce:
            raise Refused(422, "nonce_invalid", "Idempotency-Key != nonce")
        if not 1 <= len(body["lines"]) <= LINES_MAX:
            raise Refused(422, "invalid_request", "lines: 1 to 20")
        if not body["return_url"].startswith(("https://", "http://")):
            raise Refused(422, "invalid_request", "return_url")
        known = self.known(nonce)
        if known is None and body["expires_at"] <= time.time():
            raise Refused(422, "expires_at_invalid", "in the past")
        self._check_amounts(body)
        return body

    def _check_amounts(self, body: dict) -> None:
        currency = body["currency"]
        try:
            total = money.parse(body["amount"], currency)
            lines = 0
            for line in body["lines"]:
                _members(line, LINE_MEMBERS, "line")
                lines += money.parse(line["amount"], currency)
        except KeyError:
            raise Refused(422, "currency_unknown", currency[:8]) from None
        except money.BadAmount as reason:
            raise Refused(422, "amount_invalid", str(reason)) from None
        if lines != total:
            raise Refused(422, "amount_invalid", "lines do not add up")

    def _book(self, body: dict, fingerprint: str) -> Registration:
        token = self.new_token()
        made = Registration(
            dialect=self.name,
            nonce=body["nonce"],
            token=token,
            reference=body["reference"],
            amount_minor=money.parse(body["amount"], body["currency"]),
            amount=body["amount"],
            currency=body["currency"],
            hosted_url=self.url(token),
            return_url=body["return_url"],
            cancel_url=body["return_url"],
            expires_at=body["expires_at"],
            lines=[(line["name"], line["amount"]) for line in body["lines"]],
            fingerprint=fingerprint,
            again=True,
        )
        self.books.add(made)
        return made

    def new_token(self) -> str:
        return self.books.random_id("reg_", 24)

    def show(self, made: Registration, status: int = 200) -> Answer:
        body = {
            "token": made.token,
            "nonce": made.nonce,
            "status": made.status,
            "amount": made.amount,
            "currency": made.currency,
            "hosted_url": made.hosted_url,
            "expires_at": made.expires_at,
            "reference": made.reference,
        }
        return Answer(status, body | self._outcome(made))

    def _outcome(self, made: Registration) -> dict:
        both = {"payment_id": made.payment_id, "code": made.code}
        return {key: value for key, value in both.items() if value}

    def query(self, token: str) -> Answer:
        made = self.books.of_token(self.name, token)
        if made is None:
            return self.error(404, "not_found", "no such registration")
        answer = self.show(made)
        del answer.body["hosted_url"], answer.body["expires_at"]
        return answer

    # Lists.

    def bad_query(self, why: str) -> Answer:
        return self.error(422, "invalid_request", why)

    def _named(self, request, raw: bytes):
        nonce = request.query.get("nonce", "")
        return self.books.of_nonce(self.name, nonce)

    def _find(self, request, lag: int) -> Answer:
        query = lists.parameters(request, "nonce", "nonce")
        found = [
            self.show(each).body
            for each in self.books.of_dialect(self.name)
            if each.nonce == query["nonce"]
        ]
        found = found[: max(0, len(found) - lag)]
        return Answer(200, {"registrations": found})

    def _list(self, request, lag: int) -> Answer:
        query = lists.parameters(request, "since until cursor", "since until")
        since = lists.number(query["since"], "since")
        until = lists.number(query["until"], "until")
        if since >= until:
            raise lists.BadQuery("until comes after since")
        made = self.books.made_between(self.name, since, until)
        made = made[: max(0, len(made) - lag)]
        cursor = query.get("cursor", "")
        cursor = "" if cursor.startswith(LOOP) else cursor
        rest = lists.after(made, lambda each: each.id, cursor)
        page = rest[: self.config.list_page]
        more = page[-1].id if len(rest) > len(page) else None
        body = {"events": [each.event for each in page], "next": more}
        return Answer(200, body)

    def entries(self, body: dict) -> list:
        return body["registrations" if "registrations" in body else "events"]

    def loop(self, body: dict, request) -> None:
        asked = request.query.get("cursor")
        body["next"] = LOOP + ("b" if asked == LOOP + "a" else "a")

    # Changes.

    def _changed(self, request, raw: bytes, made, operation: str, book):
        """-> answer, what happened"""
        key = self.key(request, raw)
        known = self.recall(key, raw)
        if known and not known[0]:
            answer = self.error(422, "nonce_reused", "other body, same nonce")
            return answer, "reused"
        if known:
            return known[1], "replayed"
        try:
            if made is None:
                raise Refused(404, "not_found", "no such registration")
            body = self._checked_change(request, raw, operation)
            answer = book(made, body)
        except Refused as reason:
            answer = self.error(reason.status, reason.code, str(reason))
            return answer, "refused"
        self.remember(key, raw, answer)
        return answer, "changed"

    def _checked_change(self, request, raw: bytes, operation: str) -> dict:
        if request.content_type != "application/json":
            raise Refused(415, "invalid_request", "send application/json")
        try:
            body = json.loads(raw, object_pairs_hook=_only_once)
        except ValueError:
            raise Refused(400, "invalid_json", "the body is no JSON") from None
        moves = operation in ("capture", "refund")
        wanted = MONEY_MEMBERS if moves else CHANGE_MEMBERS
        if moves and isinstance(body, dict) and "reason" in body:
            wanted = wanted | {"reason": str}
        _members(body, wanted, "body")
        nonce = request.headers.get(self.key_header, "")
        if not 1 <= len(nonce) <= CHANGE_NONCE_MAX or body["nonce"] != nonce:
            raise Refused(422, "nonce_invalid", "Idempotency-Key != nonce")
        if not nonce.endswith(f":{operation}"):
            raise Refused(422, "nonce_invalid", "of another change")
        if not 0 <= len(body.get("reason", "")) <= REASON_MAX:
            raise Refused(422, "invalid_request", "reason")
        return body

    def _minor(self, made: Registration, body: dict) -> int:
        if body["currency"] != made.currency:
            raise Refused(422, "currency_invalid", "not the registration's")
        try:
            return money.parse(body["amount"], body["currency"])
        except money.BadAmount as reason:
            raise Refused(422, "amount_invalid", str(reason)) from None

    def _done(self, made: Registration, body: dict) -> Answer:
        answer = {
            "id": self.books.random_id("chg_", 24),
            "nonce": body["nonce"],
            "token": made.token,
            "status": "done",
        }
        for name in ("amount", "currency"):
            if name in body:
                answer[name] = body[name]
        return Answer(201, answer)

    def _capture(self, made: Registration, body: dict) -> Answer:
        if made.status != "approved":
            raise Refused(422, "not_approved", f"it is {made.status}")
        if self._minor(made, body) != made.amount_minor:
            raise Refused(422, "amount_invalid", "the whole amount only")
        self.lifecycle.settle(made, "paid")
        answer = self._done(made, body)
        answer.body["payment_id"] = made.payment_id
        return answer

    def _cancel(self, made: Registration, body: dict) -> Answer:
        if made.status != "approved":
            raise Refused(422, "not_approved", f"it is {made.status}")
        self.lifecycle.settle(made, "cancelled")
        return self._done(made, body)

    def _refund(self, made: Registration, body: dict) -> Answer:
        if made.status != "paid":
            raise Refused(422, "not_paid", f"it is {made.status}")
        refunded = made.extra.get("refunded", 0) + self._minor(made, body)
        if refunded > made.amount_minor:
            raise Refused(422, "amount_too_large", "more than is left")
        made.extra["refunded"] = refunded
        return self._done(made, body)

    def _expire(self, made: Registration, body: dict) -> Answer:
        if made.payable():
            self.lifecycle.settle(made, "expired")
        elif made.status not in ("expired", "paid"):
            raise Refused(422, "not_open", f"it is {made.status}")
        return self.query(made.token)

    def change_amount(self, body: dict) -> None:
        amount = body.get("amount", "1.00")
        body["amount"] = "9" + amount

    def change_currency(self, body: dict) -> None:
        body["currency"] = "EUR" if body.get("currency") != "EUR" else "CHF"

    def change_url(self, body: dict, url: str) -> None:
        body["hosted_url"] = url

    def change_token(self, body: dict) -> None:
        body["token"] = self.new_token()

    # Events.

    def event(self, made: Registration, fact: str) -> dict:
        data = {
            "token": made.token,
            "nonce": made.nonce,
            "amount": made.amount,
            "currency": made.currency,
        }
        return self.envelope(f"registration.{fact}", data | self._outcome(made))

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "type": kind,
            "id": self.books.random_id("evt_", 24),
            "created": int(time.time()),
            "data": data,
        }

    def event_object(self, event: dict) -> dict:
        return event["data"]

    def sign(self, secret: str, mail: Mail) -> None:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f"{mail.id}.{mail.now}.".encode() + mail.body
        mac = hmac.new(key, text, hashlib.sha256).digest()
        mail.headers |= {
            "webhook-id": mail.id,
            "webhook-timestamp": str(mail.now),
            "webhook-signature": "v1," + base64.b64encode(mac).decode(),
        }

    def wrong_secret(self) -> str:
        return (
            "whsec_" + base64.b64encode(self.books.rng.randbytes(32)).decode()
        )
