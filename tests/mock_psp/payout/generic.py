"""The generic provider: docs/payout-providers.md#generic.

A key is known for 24 hours and covers the whole body; the list of a key is
complete for ever.
"""

import json

from aiohttp import web

from .. import lists, money
from ..answers import Answer
from ..generic import Generic
from .books import Payment
from .provider import Named, Provider, Refused, is_iban, load, look, print_of
from .provider import refusal as refuse

MEMBERS = {"key": str, "amount": str, "currency": str, "destination": dict}
TO = ("iban", "payee")
ABOUT = ("bic", "name", "country")
KEY_MAX = 64
TEXT_MAX = 140
DAY_S = 86400


def _texts(body: dict, names: tuple, where: str) -> None:
    for name, value in body.items():
        if name not in names:
            raise Refused(422, "unknown_member", f"{where}: {name[:40]}")
        if not isinstance(value, str) or not 1 <= len(value) <= TEXT_MAX:
            raise Refused(422, "invalid_request", f"{where}: {name[:40]}")


def _check(body: dict) -> None:
    for name in body:
        if name not in (*MEMBERS, "text"):
            raise Refused(422, "unknown_member", name[:40])
    for name, kind in MEMBERS.items():
        if not isinstance(body.get(name), kind):
            raise Refused(422, "invalid_request", name)
    _texts({"text": body.get("text", "-")}, ("text",), "body")
    to = body["destination"]
    _texts(to, (*TO, *ABOUT), "destination")
    if len([name for name in TO if name in to]) != 1:
        raise Refused(422, "destination_invalid", "iban or payee")
    if "iban" in to and not is_iban(to["iban"]):
        raise Refused(422, "destination_invalid", "no IBAN")


def _minor(body: dict) -> int:
    try:
        return money.parse(body["amount"], body["currency"])
    except KeyError:
        raise Refused(422, "currency_unsupported") from None
    except money.BadAmount as why:
        raise Refused(422, "amount_invalid", str(why)) from None


class GenericPayouts(Provider):
    name = "payout-generic"
    window_s = DAY_S
    first = "accepted"
    legal = {
        "accepted": ("sent", "paid", "failed", "cancelled"),
        "sent": ("paid", "returned", "failed"),
        "paid": ("returned", "failed"),
        "returned": (),
        "failed": (),
        "cancelled": (),
    }
    places = {
        "accepted": "held",
        "sent": "left",
        "paid": "left",
        "returned": "back",
        "failed": "back",
        "cancelled": "back",
    }
    fate = ("sent", "paid")
    sign = Generic.sign
    wrong_secret = Generic.wrong_secret

    def routes(self, api) -> list:
        root = f"{self.root}/v1/payouts"
        return [
            web.post(root, api.change(self, "send", self._send, _sender)),
            web.get(root, api.listing(self, "find", self._find, _finder)),
            web.get(
                root + "/{id}", api.change(self, "ask", self._ask, self._of)
            ),
            web.post(
                root + "/{id}/cancel",
                api.change(self, "cancel", self._cancel, self._of),
            ),
        ]

    def error(self, status: int, code: str, message: str = "") -> Answer:
        return Answer(status, {"error": {"code": code, "message": message}})

    def trouble(self, status: int) -> Answer:
        codes = {429: "rate_limited", 503: "unavailable"}
        return self.error(status, codes.get(status, "internal_error"))

    def busy(self, nonce: str) -> Answer:
        return self.error(409, "in_progress", "this key is being worked on")

    def bad_query(self, why: str) -> Answer:
        return self.error(422, "invalid_request", why)

    def authorise(self, request) -> Answer | None:
        if self.bearer(request):
            return None
        return self.error(401, "unauthorized", "unknown API key")

    # Calls.

    def _of(self, request, raw: bytes) -> Payment | None:
        return self.ledger.find(self.short, request.match_info["id"])

    def _send(self, request, raw: bytes, named):
        try:
            body = load(raw)
            _check(body)
            if not 1 <= len(body["key"]) <= KEY_MAX:
                raise Refused(422, "key_invalid", "1 to 64 characters")
            if self.key(request, raw) != body["key"]:
                raise Refused(422, "key_invalid", "Idempotency-Key != key")
            return self._once(body)
        except Refused as why:
            return refuse(self.error, why)

    def _once(self, body: dict):
        canonical = json.dumps(body, sort_keys=True).encode()
        print_ = print_of(canonical)
        known = self.recall(body["key"], print_)
        if known and not known[0]:
            raise Refused(422, "key_reused", "other body, same key")
        if known:
            made = self.ledger.find(self.short, known[1])
            made.requests += 1
            return self.show(made), "replayed"
        made = self._book(body)
        self.remember(body["key"], print_, made.id)
        answer = self.show(made, 201)
        self.clock.run()
        return answer, "created"

    def _book(self, body: dict) -> Payment:
        to = body["destination"]
        made = Payment(
            provider=self.short,
            kind="payout",
            id=self.books.random_id("po_", 24),
            key=body["key"],
            amount_minor=_minor(body),
            currency=body["currency"],
            to=to | {"text": body.get("text", "")},
            account_end=to.get("iban", "")[-4:],
            state=self.first,
            fee_minor=self.config.payout_fee_minor,
        )
        why = self.affords(made)
        if why:
            codes = {"limit": "limit_exceeded", "funds": "insufficient_funds"}
            raise Refused(422, codes[why])
        return self.pay(made)

    def show(self, made: Payment, status: int = 200) -> Answer:
        body = {
            "id": made.id,
            "key": made.key,
            "status": made.state,
            "amount": money.render(made.amount_minor, made.currency),
            "currency": made.currency,
            "occurred_at": self.clock.text(made.changed),
        }
        if made.account_end:
            body["account_end"] = made.account_end
        if made.code:
            body["code"] = made.code
        if made.fee_minor:
            fee = money.render(made.fee_minor, made.currency)
            body["fee"] = {"amount": fee, "currency": made.currency}
        return Answer(status, body)

    def _ask(self, request, raw: bytes, made):
        if made is None:
            return self.error(404, "not_found"), "not_found"
        return self.show(made), "found"

    def _find(self, request, lag: int) -> Answer:
        key = lists.parameters(request, "key", "key")["key"]
        found = [e for e in self.ledger.of(self.short) if e.key == key]
        found = found[: max(0, len(found) - lag)]
        return Answer(200, {"payouts": [self.show(e).body for e in found]})

    def _cancel(self, request, raw: bytes, made):
        """A second cancellation does nothing new."""
        if made is None:
            return self.error(404, "not_found"), "not_found"
        if made.state == "accepted":
            self.move(made, "cancelled")
        if made.state != "cancelled":
            return self.error(422, "too_late", f"it is {made.state}"), "refused"
        return self.show(made), "changed"

    # Faults.

    def entries(self, body: dict) -> list:
        return body["payouts"]

    def loop(self, body: dict, request) -> None:
        """One answer has all of a key: there are no pages to lead round."""

    def change_amount(self, body: dict) -> None:
        body["amount"] = "9" + body.get("amount", "1.00")

    def change_currency(self, body: dict) -> None:
        body["currency"] = "EUR" if body.get("currency") != "EUR" else "CHF"

    def change_account(self, body: dict) -> None:
        body["account_end"] = (
            "0000" if body.get("account_end") != "0000" else "1"
        )

    def change_token(self, body: dict) -> None:
        body["id"] = self.books.random_id("po_", 24)

    # Webhooks.

    def told(self, made: Payment, before: str) -> list:
        return [self.envelope(f"payout.{made.state}", self.show(made).body)]

    def envelope(self, kind: str, data: dict) -> dict:
        event_id = self.books.random_id("evt_", 24)
        return {"id": event_id, "type": kind, "data": data}

    def event_object(self, event: dict) -> dict:
        return event["data"]


def _sender(request, raw: bytes) -> Named:
    return Named(look(raw, "key"))


def _finder(request, raw: bytes) -> Named:
    return Named(request.query.get("key", ""))
