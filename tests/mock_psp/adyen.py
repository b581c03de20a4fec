"""The ``adyen`` dialect: payment links and Standard webhooks as
docs/psp/adyen.md tells them.

Captures, refunds and cancels are only "received"; what became of them comes
as a webhook.  An idempotency key brings the first answer again; with another
body, or while the first call runs, it is error 704.  Signatures lie in each
item of the webhook and cover eight of its values.
"""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

from aiohttp import web

from . import adyen_after, money
from .adyen_settle import ACCOUNT, AdyenForm
from .answers import Answer
from .books import Registration
from .dialect import Dialect, Mail

ROOT = "/adyen/v72"
LINKS = ROOT + "/paymentLinks"
KEY_MAX = 64
LONGEST_S = 70 * 24 * 3600
STATUSES = {
    "open": "active",
    "pending": "paymentPending",
    "authorized": "completed",
    "paid": "completed",
    "expired": "expired",
    "cancelled": "expired",
}
LINK_MEMBERS = {
    "merchantAccount": str,
    "reference": str,
    "amount": dict,
    "expiresAt": str,
    "returnUrl": str,
    "lineItems": list,
    "manualCapture": bool,
}
LINE_MEMBERS = {
    "id": str,
    "description": str,
    "quantity": int,
    "amountIncludingTax": int,
}
CHANGE_MEMBERS = {
    "capture": {"merchantAccount": str, "amount": dict, "reference": str},
    "refund": {
        "merchantAccount": str,
        "amount": dict,
        "reference": str,
        "merchantRefundReason": str,
    },
    "cancel": {"merchantAccount": str, "reference": str},
}
# What a change that cannot be is told by its webhook.
REFUSALS = {
    "refund": ("REFUND", "Insufficient balance on payment"),
    "capture": ("CAPTURE", "Insufficient balance on payment"),
    "cancel": ("CANCELLATION", "Transaction was captured"),
}
# What a declined attempt says: Adyen's reason, and the issuer's raw answer.
REFUSED = {
    "card_declined": ("Refused", "05 : Do not honor"),
    "expired_card": ("Expired Card", "54 : Expired card"),
    "insufficient_funds": ("Not enough balance", "51 : Insufficient funds"),
    "incorrect_cvc": ("CVC Declined", "N7 : CVV2 mismatch"),
    "stolen_card": ("Refused", "43 : Stolen card"),
    "authentication_failed": ("3D Not Authenticated", None),
}
REASONS = ("FRAUD", "CUSTOMER REQUEST", "RETURN", "DUPLICATE", "OTHER")


class Refused(Exception):
    def __init__(self, code: str, message: str, status: int = 422):
        super().__init__(message)
        self.status, self.code = status, code


def _only_once(pairs: list) -> dict:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("duplicate member")
    return dict(pairs)


def _json(request, raw: bytes) -> dict:
    if request.content_type != "application/json":
        raise Refused("702", "Send application/json", 400)
    try:
        body = json.loads(raw, object_pairs_hook=_only_once)
    except ValueError:
        raise Refused("702", "Unexpected input", 400) from None
    if not isinstance(body, dict):
        raise Refused("702", "Unexpected input", 400)
    return body


def _members(body: dict, known: dict, needed: tuple, where: str) -> None:
    for name, value in body.items():
        kind = known.get(name)
        if kind is None or type(value) is not kind:
            raise Refused("702", f"{where}: {name[:40]}", 400)
    for name in needed:
        if name not in body:
            raise Refused("14_004", f"Missing {where}: {name}")


def _amount(amount: dict) -> tuple[int, str]:
    """-> ISO minor units and currency"""
    _members(
        amount,
        {"value": int, "currency": str},
        ("value", "currency"),
        "amount",
    )
    currency = amount["currency"]
    try:
        minor = money.from_adyen(amount["value"], currency)
    except KeyError:
        raise Refused("138", "Unsupported currency specified") from None
    except money.BadAmount as why:
        raise Refused("137", str(why)) from None
    if minor <= 0:
        raise Refused("137", "Invalid amount specified")
    return minor, currency


def _account(body: dict) -> None:
    if body["merchantAccount"] != ACCOUNT:
        raise Refused("901", "Invalid Merchant Account", 403)


def _expiry(text: str) -> int:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise Refused("14_008", "expiresAt is no ISO 8601 date with a zone")
    left = parsed.timestamp() - time.time()
    if not 0 < left <= LONGEST_S:
        raise Refused("14_009", "expiresAt is past or too far away")
    return int(parsed.timestamp())


def signed_text(item: dict) -> str:
    amount = item.get("amount") or {}
    values = [item.get("pspReference"), item.get("originalReference")]
    values += [item.get("merchantAccountCode"), item.get("merchantReference")]
    values += [amount.get("value"), amount.get("currency")]
    values += [item.get("eventCode"), item.get("success")]
    return ":".join("" if each is None else str(each) for each in values)


class Adyen(Dialect):
    name = "adyen"
    form = AdyenForm
    cancels = False

    def routes(self, api) -> list:
        table = [
            web.post(LINKS, api.register(self)),
            web.get(LINKS + "/{token}", api.query(self)),
            web.patch(
                LINKS + "/{token}", api.change(self, "expire", self._expire)
            ),
        ]
        for kind in CHANGE_MEMBERS:
            work = api.change(self, kind, self._changer(kind), self._of_payment)
            table.append(
                web.post(ROOT + "/payments/{payment}/" + kind + "s", work)
            )
        return table

    def error(
        self, status: int, code: str, message: str, kind: str = "validation"
    ) -> Answer:
        body = {
            "status": status,
            "errorCode": code,
            "message": message,
            "errorType": kind,
            "pspReference": self.new_payment_id(),
        }
        return Answer(status, body)

    def trouble(self, status: int) -> Answer:
        kind = "configuration" if status == 500 else "internal"
        answer = self.error(status, "905", "Something went wrong", kind)
        if status in (429, 503):
            answer.headers["transient-error"] = "true"
        return answer

    def busy(self, nonce: str) -> Answer:
        answer = self._reused()
        answer.headers["transient-error"] = "true"
        return answer

    def _reused(self) -> Answer:
        return self.error(
            422, "704", "request already processed or in progress"
        )

    def authorise(self, request) -> Answer | None:
        sent = request.headers.get("X-API-Key", "").encode()
        if hmac.compare_digest(sent, self.secret.encode()):
            return None
        return self.error(
            401, "000", "HTTP Status Response - Unauthorized", "security"
        )

    # Links.

    def register(self, request, raw: bytes):
        key = self.key(request, raw)
        try:
            again = self._again(key, "link", raw)
            if again:
                made = self.books.of_nonce(self.name, key)
                made.requests += 1
                return again, made, "replayed"
            made = self._book(key, _json(request, raw))
        except Refused as why:
            answer = self.error(why.status, why.code, str(why))
            what = "reused" if why.code == "704" else "refused"
            return answer, None, what
        answer = self.show(made, 201)
        if key:
            self.remember(f"{key} link", raw, answer)
        return answer, made, "created"

    def _again(self, key: str, where: str, raw: bytes) -> Answer | None:
        """The stored answer; Refused for another body."""
        if len(key) > KEY_MAX:
            raise Refused("703", "Idempotency-Key: at most 64 characters", 400)
        known = self.recall(f"{key} {where}", raw)
        if known is None:
            return None
        same, answer = known
        if not same:
            raise Refused("704", "request already processed or in progress")
        return answer

    def _book(self, key: str, body: dict) -> Registration:
        _members(
            body,
            LINK_MEMBERS,
            ("merchantAccount", "reference", "amount"),
            "link",
        )
        _account(body)
        minor, currency = _amount(body["amount"])
        lines = []
        for line in body.get("lineItems", []):
            _members(line, LINE_MEMBERS, tuple(LINE_MEMBERS), "line")
            part = line["quantity"] * line["amountIncludingTax"]
            value, _ = _amount({"value": part, "currency": currency})
            lines.append((line["description"], value))
        if lines and sum(value for _, value in lines) != minor:
            raise Refused("14_011", "lineItems do not add up")
        if not body["reference"] or ":" in body["reference"]:
            raise Refused("14_012", "reference")
        token = self.new_token()
        later = datetime.now(UTC).timestamp() + 24 * 3600
        ends = body.get("expiresAt")
        made = Registration(
            dialect=self.name,
            nonce=key,
            token=token,
            reference=body["reference"],
            amount_minor=minor,
            amount=money.render(minor, currency),
            currency=currency,
            hosted_url=self.url(token),
            return_url=body.get("returnUrl", ""),
            cancel_url="",
            expires_at=_expiry(ends) if ends else int(later),
            lines=[
                (name, money.render(value, currency)) for name, value in lines
            ],
            manual=body.get("manualCapture", False),
            extra={"amount": body["amount"]},
        )
        self.books.add(made)
        return made

    def new_token(self) -> str:
        return "PL" + self._reference()

    def new_payment_id(self) -> str:
        return self._reference()

    def _reference(self) -> str:
        return self.books.random_id("", 16).upper()

    def show(self, made: Registration, status: int = 200) -> Answer:
        ends = datetime.fromtimestamp(made.expires_at, UTC)
        body = {
            "amount": dict(made.extra["amount"]),
            "expiresAt": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "merchantAccount": ACCOUNT,
            "reference": made.reference,
            "returnUrl": made.return_url,
            "reusable": False,
            "id": made.token,
            "status": STATUSES[made.status],
            "url": made.hosted_url,
        }
        return Answer(status, body)

    def query(self, token: str) -> Answer:
        made = self.books.of_token(self.name, token)
        if made is None:
            return self.error(422, "14_014", "No such payment link")
        return self.show(made)

    def _expire(self, request, raw: bytes, made):
        try:
            body = _json(request, raw)
            if body != {"status": "expired"}:
                raise Refused("702", "Only to status expired", 400)
        except Refused as why:
            return self.error(why.status, why.code, str(why)), "refused"
        if made is None:
            return self.query(request.match_info["token"]), "not_found"
        if made.status not in ("open", "expired"):
            answer = self.error(
                422, "14_015", f"The link is {STATUSES[made.status]}"
            )
            return answer, "refused"
        if made.status == "open":
            self.lifecycle.settle(made, "expired")
        return self.show(made), "expired"

    # What is done to payments.

    def _of_payment(self, request, raw):
        payment = request.match_info["payment"]
        for made in self.books.registrations:
            if made.dialect == self.name and made.payment_id == payment:
                return made
        return None

    def _changer(self, kind: str):
        def work(request, raw, made):
            key = self.key(request, raw)
            where = f"{kind} {request.match_info['payment']}"
            try:
                again = self._again(key, where, raw)
                if again:
                    return again, "replayed"
                answer = self._change(kind, _json(request, raw), made)
            except Refused as why:
                return self.error(why.status, why.code, str(why)), "refused"
            if key:
                self.remember(f"{key} {where}", raw, answer)
            return answer, "received"

        return work

    def _change(self, kind: str, body: dict, made) -> Answer:
        members = CHANGE_MEMBERS[kind]
        needed = tuple(each for each in members if each != "reference")[:2]
        _members(body, members, needed, kind)
        _account(body)
        if made is None:
            raise Refused("167", "Original pspReference required")
        if body.get("merchantRefundReason", "OTHER") not in REASONS:
            raise Refused("702", "merchantRefundReason", 400)
        minor = made.amount_minor
        if "amount" in members:
            minor, currency = _amount(body["amount"])
            if currency != made.currency:
                raise Refused("137", "The currency is another")
        reference = self._outcome(kind, made, minor, body)
        answer = {
            "merchantAccount": ACCOUNT,
            "paymentPspReference": made.payment_id,
            "reference": body.get("reference", ""),
            "pspReference": reference,
            "status": "received",
        }
        if "amount" in members:
            answer["amount"] = body["amount"]
        return Answer(201, answer)

    def _outcome(self, kind: str, made, minor: int, body: dict) -> str:
        """Does it, or tells at once why not; returns its pspReference."""
        result = getattr(self.config, f"{kind}_result", "done")
        more = {"key": body.get("reference", ""), "result": result}
        told = adyen_after.reference(self, made, body)
        more["extra"] = {"reference": told}
        left = self.books.money(made)
        if kind == "refund" and minor <= left["refundable"]:
            return self.aftersale.refund(made, minor, **more).id
        if kind == "capture" and minor <= left["authorized"]:
            more["final"] = True  # Adyen cancels what a capture leaves
            return self.aftersale.capture(made, minor, **more).id
        if kind == "cancel" and left["authorized"] == made.amount_minor:
            self.aftersale.release(made)
            return self._answered("CANCELLATION", made, minor, body, "")
        if kind == "capture" and made.status == "paid" and not made.manual:
            return self._answered("CAPTURE", made, minor, body, "")
        code, why = REFUSALS[kind]
        return self._answered(code, made, minor, body, why)

    def _answered(self, code, made, minor, body, why: str) -> str:
        """What became of a change that leaves no deed."""
        reference = self._reference()
        event = adyen_after.item(
            self,
            made,
            code,
            minor,
            merchantReference=adyen_after.reference(self, made, body),
            pspReference=reference,
            reason=why,
            success="false" if why else "true",
        )
        self.lifecycle.emit(made, event)
        return reference

    # Faults.

    def change_amount(self, body: dict) -> None:
        body["amount"]["value"] += 100

    def change_currency(self, body: dict) -> None:
        other = "EUR" if body["amount"]["currency"] != "EUR" else "CHF"
        body["amount"]["currency"] = other

    def change_url(self, body: dict, url: str) -> None:
        body["url"] = url

    def change_token(self, body: dict) -> None:
        body["id"] = self.new_token()

    # Events.

    def new_deed_id(self, kind: str, prefix: str) -> str:
        return self._reference()

    def told(self, deed, before: str) -> list:
        return adyen_after.told(self, deed, before)

    def settled(self, made: Registration, before: str, result: str) -> list:
        """A declined try leaves the link open; of a pending one nothing is
        told.
        """
        if before == "authorized":
            return adyen_after.given_back(self, made)
        if result == "declined":
            made.status = "open"
        if result == "pending":
            return []
        return [self.event(made, result)]

    def attempted(self, made: Registration, code: str) -> list:
        made.code = code
        return [self.event(made, "declined")]

    def event(self, made: Registration, fact: str) -> dict:
        said = {
            "amount": dict(made.extra["amount"]),
            "merchantReference": made.reference,
        }
        if fact in ("paid", "authorized"):
            said |= {"pspReference": made.payment_id, "reason": "1:1111:3/2030"}
            return self.envelope("AUTHORISATION", said)
        if fact == "declined":
            reason, raw = REFUSED.get(
                made.code, ((made.code or "refused").replace("_", " "), None)
            )
            said |= {"success": "false", "reason": reason}
            if raw:
                said["additionalData"] = {"refusalReasonRaw": raw}
            return self.envelope("AUTHORISATION", said)
        return self.envelope("OFFER_CLOSED", said)

    def envelope(self, kind: str, data: dict) -> dict:
        item = {
            "amount": {"value": 0, "currency": "EUR"},
            "eventCode": kind,
            "eventDate": datetime.now(UTC).isoformat(timespec="seconds"),
            "merchantAccountCode": ACCOUNT,
            "merchantReference": "",
            "paymentMethod": "visa",
            "pspReference": self._reference(),
            "reason": "",
            "success": "true",
        } | data
        return {
            "live": "false",
            "notificationItems": [{"NotificationRequestItem": item}],
        }

    def event_object(self, event: dict) -> dict:
        return event["notificationItems"][0]["NotificationRequestItem"]

    def event_id(self, event: dict) -> str:
        item = self.event_object(event)
        return ":".join(
            (item["eventCode"], item["pspReference"], item["success"])
        )

    def event_type(self, event: dict) -> str:
        return self.event_object(event)["eventCode"]

    def rename(self, event: dict, event_id: str) -> None:
        self.event_object(event)["pspReference"] = event_id

    def sign(self, secret: str, mail: Mail) -> None:
        """Into each item; a body that is no such message stays unsigned."""
        try:
            event = json.loads(mail.body)
            items = [
                each["NotificationRequestItem"]
                for each in event["notificationItems"]
            ]
        except (ValueError, TypeError, KeyError):
            return
        for item in items:
            mac = hmac.new(
                bytes.fromhex(secret),
                signed_text(item).encode(),
                hashlib.sha256,
            )
            extra = item.setdefault("additionalData", {})
            extra["hmacSignature"] = base64.b64encode(mac.digest()).decode()
        mail.body = json.dumps(event, indent=2).encode()

    def wrong_secret(self) -> str:
        return self.books.rng.randbytes(32).hex().upper()
