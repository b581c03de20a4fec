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

from . import generic_checks as checks
from . import lists, money
from .answers import Answer
from .books import Registration
from .dialect import Dialect, Mail
from .generic_checks import Refused
from .generic_settle import GenericForm

ROOT = "/generic/v1/registrations"
EVENTS = "/generic/v1/events"

# What becomes of a deed → the event's name and whether it says why.
TOLD = {
    ("capture", "done"): ("capture.done", False),
    ("capture", "failed"): ("capture.failed", True),
    ("refund", "pending"): ("refund.pending", False),
    ("refund", "done"): ("refund.done", False),
    ("refund", "failed"): ("refund.failed", True),
    ("refund", "returned"): ("refund.failed", True),
    ("dispute", "open"): ("dispute.opened", True),
    ("dispute", "won"): ("dispute.won", True),
    ("dispute", "lost"): ("dispute.lost", True),
    ("fee", "charged"): ("fee.charged", False),
    ("fee", "returned"): ("fee.returned", False),
}
ANSWERS = {"done": "done", "pending": "pending", "failed": "refused"}
LOOP = "round~"


class Generic(Dialect):
    name = "generic"
    form = GenericForm

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
            is_new = self.known(nonce) is None
            body = checks.registration(request, raw, nonce, is_new=is_new)
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
            manual="capture" in body,
            challenge=body.get("challenge", False),
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
        more = {"payment_id": made.payment_id, "code": made.code}
        if made.manual:
            more["capture"] = "manual"
        if made.manual and made.captured_minor:
            more["captured"] = money.render(made.captured_minor, made.currency)
        return {key: value for key, value in more.items() if value}

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
            body = checks.change(request, raw, key, operation)
            answer = book(made, body)
        except Refused as reason:
            answer = self.error(reason.status, reason.code, str(reason))
            return answer, "refused"
        self.remember(key, raw, answer)
        return answer, "changed"

    def _done(self, made: Registration, body: dict, deed=None) -> Answer:
        chance = self.books.random_id("chg_", 24)
        answer = {
            "id": deed.id if deed else chance,
            "nonce": body["nonce"],
            "token": made.token,
            "status": ANSWERS[deed.status] if deed else "done",
        }
        for name in ("amount", "currency"):
            if name in body:
                answer[name] = body[name]
        if deed and deed.code:
            answer["code"] = deed.code
        return Answer(201, answer)

    def _capture(self, made: Registration, body: dict) -> Answer:
        if made.status == "authorized":
            return self._capture_part(made, body)
        if made.status != "approved":
            raise Refused(422, "not_approved", f"it is {made.status}")
        if checks.minor(made, body) != made.amount_minor:
            raise Refused(422, "amount_invalid", "the whole amount only")
        self.lifecycle.settle(made, "paid")
        answer = self._done(made, body)
        answer.body["payment_id"] = made.payment_id
        return answer

    def _capture_part(self, made: Registration, body: dict) -> Answer:
        minor = checks.minor(made, body)
        if minor > self.books.money(made)["authorized"]:
            raise Refused(422, "amount_too_large", "more than is held")
        deed = self.aftersale.capture(
            made,
            minor,
            final=body.get("final", False),
            key=body["nonce"],
            result=self.config.capture_result,
        )
        answer = self._done(made, body, deed)
        captured = money.render(made.captured_minor, made.currency)
        answer.body |= {"payment_id": made.payment_id, "captured": captured}
        return answer

    def _cancel(self, made: Registration, body: dict) -> Answer:
        if made.status == "authorized":
            self.aftersale.release(made)
        elif made.status == "approved":
            self.lifecycle.settle(made, "cancelled")
        else:
            raise Refused(422, "not_approved", f"it is {made.status}")
        return self._done(made, body)

    def _refund(self, made: Registration, body: dict) -> Answer:
        minor = checks.minor(made, body)
        if not made.captured_minor:
            raise Refused(422, "not_paid", f"it is {made.status}")
        if minor > self.books.money(made)["refundable"]:
            raise Refused(422, "amount_too_large", "more than is left")
        deed = self.aftersale.refund(
            made,
            minor,
            key=body["nonce"],
            reason=body.get("reason", ""),
            result=self.config.refund_result,
        )
        return self._done(made, body, deed)

    def _expire(self, made: Registration, body: dict) -> Answer:
        if made.payable():
            self.lifecycle.settle(made, "expired")
        elif made.status not in ("expired", "paid"):
            raise Refused(422, "not_open", f"it is {made.status}")
        return self.query(made.token)

    def change_amount(self, body: dict) -> None:
        name = "captured" if "captured" in body else "amount"
        body[name] = "9" + body.get(name, "1.00")

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
        if fact == "paid" and made.fee_minor:
            data["fee"] = money.render(made.fee_minor, made.currency)
        if fact in ("paid", "authorized"):
            data["risk"] = self._card(made)
        return self.envelope(f"registration.{fact}", data | self._outcome(made))

    def attempted(self, made: Registration, code: str) -> list:
        data = {
            "token": made.token,
            "id": self.books.random_id("try_", 23),
            "code": code,
            "risk": self._card(made),
        }
        return [self.envelope("attempt.declined", data)]

    def _card(self, made: Registration) -> dict:
        """Each checkout is paid with a card of its own, unless a test says
        another one."""
        return {
            "card": made.extra.get("card", f"card-of-{made.token}"),
            "bin": made.extra.get("bin", "424242"),
            "country": "DE",
            "funding": "credit",
            "three_d_secure": "authenticated",
            "level": "normal",
            "score": 7,
        }

    def rest_released(self, made: Registration, result: str) -> list:
        return [self.event(made, result)]

    def told(self, deed, before: str) -> list:
        made = deed.made
        name, why = TOLD[deed.kind, deed.status]
        data = {
            "token": made.token,
            "payment_id": made.payment_id,
            "id": deed.id,
            "currency": deed.currency,
        }
        if deed.kind == "capture":
            data["captured"] = money.render(made.captured_minor, made.currency)
            if deed.final:
                data["final"] = True
        else:
            data["amount"] = money.render(deed.amount_minor, deed.currency)
        if deed.key:
            data["nonce"] = deed.key
        if why and deed.code:
            data["code"] = deed.code
        if deed.fee_minor and deed.status in ("done", "open"):
            data["fee"] = money.render(deed.fee_minor, deed.fee_currency)
            data["fee_currency"] = deed.fee_currency
        events = [self.envelope(name, data)]
        whole = made.captured_minor == made.amount_minor
        if name == "capture.done" and whole:
            events.append(self.event(made, "paid"))
        return events

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
