"""Wise: a quote, a recipient, a transfer, and the payment that funds it.

A quote lives for half an hour and makes one transfer.  customerTransactionId
covers the creation of a transfer, for a day here (Wise states no end); behind
that the same one makes another transfer.  Funding has no key: its state refuses
a second one.  What nobody funds lapses after 14 days.

Webhooks are signed by RSA; the public key is in DIR/payout-wise.pub.pem.  The
books' key of a payment is its customerTransactionId.
"""

import base64
import uuid

from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .. import money
from ..answers import Answer
from .books import Payment
from .provider import Named, Provider, Refused, is_iban, load, look, print_of

QUOTE_S = 30 * 60
DAY_S = 86400
LAPSE_S = 14 * DAY_S
REFERENCE_MAX = 35
WAITING = "incoming_payment_waiting"
QUOTE = {
    "sourceCurrency": str,
    "targetCurrency": str,
    "targetAmount": (int, float),
    "payOut": str,
}
RECIPIENT = {
    "profile": (int, str),
    "accountHolderName": str,
    "currency": str,
    "type": str,
    "details": dict,
}
TRANSFER = {
    "targetAccount": int,
    "quoteUuid": str,
    "customerTransactionId": str,
    "details": dict,
}


def _members(body: dict, known: dict) -> None:
    """Wise overlooks members that it does not know; a test must not."""
    for name in body:
        if name not in known:
            raise Refused(422, "NOT_VALID", name)
    for name, kind in known.items():
        value = body.get(name)
        if isinstance(value, bool) or not isinstance(value, kind):
            raise Refused(422, "NOT_VALID", name)


def _minor(value: float, currency: str) -> int:
    try:
        text = f"{value:.{money.exponent(currency)}f}"
        minor = money.parse(text, currency)
    except (KeyError, money.BadAmount):
        raise Refused(422, "NOT_VALID", "targetAmount") from None
    if float(text) != value:
        raise Refused(422, "NOT_VALID", "targetAmount")
    return minor


def _major(minor: int, currency: str) -> float:
    return float(money.render(minor, currency))


class WisePayouts(Provider):
    name = "payout-wise"
    window_s = DAY_S
    # A fate begins when the transfer has been funded.
    first = "processing"
    legal = {
        WAITING: ("processing", "cancelled"),
        "processing": (
            "funds_converted",
            "outgoing_payment_sent",
            "bounced_back",
            "cancelled",
        ),
        "funds_converted": (
            "outgoing_payment_sent",
            "processing",
            "cancelled",
        ),
        "outgoing_payment_sent": (
            "bounced_back",
            "processing",
            "charged_back",
            "funds_refunded",
        ),
        "bounced_back": (
            "processing",
            "outgoing_payment_sent",
            "cancelled",
            "funds_refunded",
        ),
        "cancelled": ("funds_refunded",),
        "charged_back": (),
        "funds_refunded": (),
    }
    places = {
        WAITING: "none",
        "processing": "held",
        "funds_converted": "held",
        "outgoing_payment_sent": "left",
        "bounced_back": "held",
        "charged_back": "left",
        "funds_refunded": "back",
    }
    fate = ("funds_converted", "outgoing_payment_sent")
    forged = "forged"

    def __init__(self, world, books, config):
        super().__init__(world, books, config)
        self.signer = rsa.generate_private_key(65537, 2048)
        self.reset()

    async def start(self) -> None:
        path = self.config.secrets / f"{self.name}.pub.pem"
        path.write_bytes(self.public_key())

    def reset(self) -> None:
        super().reset()
        self.quotes: dict[str, dict] = {}
        self.recipients: dict[int, dict] = {}
        self.number = 1000

    def _next_number(self) -> int:
        self.number += 1
        return self.number

    def place_of(self, made: Payment) -> str:
        """What is cancelled before its funding never had any money, and what
        is cancelled later is refunded in a step of its own.
        """
        if made.state == "cancelled":
            return "held" if made.was("held", "left") else "none"
        return self.places[made.state]

    def routes(self, api) -> list:
        profile = self.root + "/v3/profiles/{profile:[0-9]+}"
        accounts = self.root + "/v1/accounts"
        transfers = self.root + "/v1/transfers"

        def call(operation, work, find):
            return api.change(self, operation, self._guarded(work), find)

        return [
            web.post(profile + "/quotes", call("quote", self._quote, _nobody)),
            web.post(accounts, call("recipient", self._recipient, _nobody)),
            web.get(
                accounts + "/{id}", call("recipient", self._known, _nobody)
            ),
            web.post(transfers, call("transfer", self._transfer, _sender)),
            web.get(transfers + "/{id}", call("ask", self._ask, self._of)),
            web.put(
                transfers + "/{id}/cancel",
                call("cancel", self._cancel, self._of),
            ),
            web.post(
                profile + "/transfers/{id}/payments",
                call("send", self._fund, self._of),
            ),
        ]

    def _guarded(self, work):
        def handler(request, raw, made):
            try:
                return work(request, raw, made)
            except Refused as why:
                answer = self.error(why.status, why.code, str(why))
                return answer, "refused"

        return handler

    def error(self, status: int, code: str, message: str = "") -> Answer:
        if status == 422:
            entry = {"code": code, "message": message, "path": message}
            return Answer(status, {"errors": [entry]})
        return Answer(status, {"error": code, "message": message})

    def trouble(self, status: int) -> Answer:
        words = {401: "invalid_token", 403: "Forbidden", 409: "Conflict"}
        if status == 422:
            return self.error(422, "NOT_VALID")
        return self.error(status, words.get(status, "internal_error"))

    def busy(self, nonce: str) -> Answer:
        return self.error(409, "Conflict")

    def authorise(self, request) -> Answer | None:
        return None if self.bearer(request) else self.trouble(401)

    # Calls.

    def _of(self, request, raw: bytes) -> Payment | None:
        return self.ledger.find(self.short, request.match_info["id"])

    def _found(self, made: Payment | None) -> Payment:
        if made is None:
            raise Refused(404, "not_found")
        return made

    def _quote(self, request, raw: bytes, named):
        body = load(raw)
        _members(body, QUOTE)
        currency = body["targetCurrency"]
        if body["sourceCurrency"] != currency:
            raise Refused(422, "NOT_VALID", "sourceCurrency")
        minor = _minor(body["targetAmount"], currency)
        made = {
            "id": str(uuid.UUID(int=self.books.rng.getrandbits(128))),
            "profile": int(request.match_info["profile"]),
            "sourceCurrency": currency,
            "targetCurrency": currency,
            "sourceAmount": _major(
                minor + self.config.payout_fee_minor, currency
            ),
            "targetAmount": body["targetAmount"],
            "payOut": body["payOut"],
            "rate": 1,
            "status": "PENDING",
            "createdTime": self.clock.text(),
            "expirationTime": self.clock.text(self.clock.now() + QUOTE_S),
        }
        self.quotes[made["id"]] = {
            "minor": minor,
            "currency": currency,
            "until": self.clock.now() + QUOTE_S,
            "transfer": None,
            "profile": made["profile"],
        }
        return Answer(200, made), "created"

    def _recipient(self, request, raw: bytes, named):
        body = load(raw)
        _members(body, RECIPIENT)
        iban = body["details"].get("IBAN", "")
        if body["type"] != "iban" or not is_iban(str(iban)):
            raise Refused(422, "NOT_VALID", "IBAN")
        made = {
            "id": self._next_number(),
            "profile": int(body["profile"]),
            "accountHolderName": body["accountHolderName"],
            "currency": body["currency"],
            "country": iban[:2],
            "type": "iban",
            "details": {"iban": iban},
        }
        self.recipients[made["id"]] = made
        return Answer(200, dict(made)), "created"

    def _known(self, request, raw: bytes, named):
        number = request.match_info["id"]
        made = self.recipients.get(int(number) if number.isdigit() else 0)
        if made is None:
            raise Refused(404, "not_found")
        return Answer(200, dict(made)), "found"

    def _transfer(self, request, raw: bytes, named):
        body = load(raw)
        _members(body, TRANSFER)
        key = body["customerTransactionId"]
        try:
            uuid.UUID(key)
        except ValueError:
            raise Refused(422, "NOT_VALID", "customerTransactionId") from None
        known = self.recall(key, print_of(raw))
        if known:
            made = self.ledger.find(self.short, known[1])
            made.requests += 1
            return self.show(made), "replayed"
        made = self._book(key, body)
        self.remember(key, print_of(raw), made.id)
        return self.show(made), "created"

    def _book(self, key: str, body: dict) -> Payment:
        """A transfer that waits for its money."""
        quote = self.quotes.get(body["quoteUuid"])
        to = self.recipients.get(body["targetAccount"])
        if quote is None or to is None or quote["currency"] != to["currency"]:
            raise Refused(422, "NOT_VALID", "targetAccount")
        if quote["transfer"]:
            raise Refused(422, "quote.already.used", "quoteUuid")
        if self.clock.now() >= quote["until"]:
            raise Refused(422, "quote.expired", "quoteUuid")
        reference = body["details"].get("reference", "")
        if len(reference) > REFERENCE_MAX:
            raise Refused(422, "NOT_VALID", "reference")
        iban = to["details"]["iban"]
        made = Payment(
            provider=self.short,
            kind="payout",
            id=str(self._next_number()),
            key=key,
            amount_minor=quote["minor"],
            currency=quote["currency"],
            to={
                "iban": iban,
                "name": to["accountHolderName"],
                "text": reference,
            },
            account_end=iban[-4:],
            state=WAITING,
            fee_minor=self.config.payout_fee_minor,
            extra={"quote": body["quoteUuid"], "recipient": to["id"]},
        )
        quote["transfer"] = made.id
        made.extra["profile"] = quote["profile"]
        made.created = made.changed = self.clock.now()
        self.ledger.add(made)
        self._become(made, WAITING)
        self.clock.later(LAPSE_S, lambda: self._lapse(made))
        return made

    def _lapse(self, made: Payment) -> None:
        if made.state == WAITING:
            self.move(made, "cancelled")

    def _fund(self, request, raw: bytes, made):
        made = self._found(made)
        if load(raw) != {"type": "BALANCE"}:
            raise Refused(422, "NOT_VALID", "type")
        if made.state != WAITING:
            raise Refused(422, "transfer.invalid-state", made.state)
        said = {"type": "BALANCE", "status": "COMPLETED", "errorCode": None}
        why = self.affords(made)
        if why:
            codes = {"funds": "insufficient_funds", "limit": "limit_exceeded"}
            said["status"] = "REJECTED"
            said["errorCode"] = f"transfer.{codes[why]}"
            return Answer(201, said), "rejected"
        self.move(made, "processing")
        self.follow(made)
        self.clock.run()
        return Answer(201, said), "created"

    def _ask(self, request, raw: bytes, made):
        return self.show(self._found(made)), "found"

    def _cancel(self, request, raw: bytes, made):
        """While it has not been sent."""
        made = self._found(made)
        if made.state not in (WAITING, "processing", "funds_converted"):
            raise Refused(409, "Conflict", f"it is {made.state}")
        self.move(made, "cancelled")
        return self.show(made), "changed"

    def show(self, made: Payment, status: int = 200) -> Answer:
        amount = _major(made.amount_minor, made.currency)
        body = {
            "id": int(made.id),
            "targetAccount": made.extra["recipient"],
            "sourceAccount": None,
            "quoteUuid": made.extra["quote"],
            "status": made.state,
            "reference": made.to["text"],
            "rate": 1,
            "created": self.clock.text(made.created)[:-1].replace("T", " "),
            "details": {"reference": made.to["text"]},
            "hasActiveIssues": made.state == "bounced_back",
            "sourceCurrency": made.currency,
            "sourceValue": amount,
            "targetCurrency": made.currency,
            "targetValue": amount,
            "customerTransactionId": made.key,
        }
        return Answer(status, body)

    # Faults.

    def change_amount(self, body: dict) -> None:
        for name in ("targetAmount", "targetValue"):
            if name in body:
                body[name] += 1

    def change_currency(self, body: dict) -> None:
        for name in ("targetCurrency", "currency"):
            if name in body:
                body[name] = "CHF" if body[name] != "CHF" else "EUR"

    def change_account(self, body: dict) -> None:
        if "targetAccount" in body:
            body["targetAccount"] += 1
        if "iban" in body.get("details", {}):
            body["details"]["iban"] = "DE02120300000000202051"

    def change_token(self, body: dict) -> None:
        body["id"] = self._next_number()

    # Webhooks.

    def told(self, made: Payment, before: str) -> list:
        """Each state; a bounce and a refund have messages of their own, too."""
        when = self.clock.text(made.changed)
        whose = {
            "id": int(made.id),
            "profile_id": made.extra["profile"],
            "account_id": made.extra["recipient"],
            "type": "transfer",
        }
        events = [
            self.envelope(
                "transfers#state-change",
                {
                    "resource": whose,
                    "current_state": made.state,
                    "previous_state": before,
                    "occurred_at": when,
                },
            )
        ]
        if made.state == "bounced_back":
            failure = {
                "transfer_id": int(made.id),
                "profile_id": made.extra["profile"],
                "failure_reason_code": made.code or "WRONG_ID_NUMBER",
                "failure_description": "It was refused.",
                "occurred_at": when,
            }
            events.append(self.envelope("transfers#payout-failure", failure))
        if made.state == "funds_refunded":
            back = made.back_minor
            minor = made.amount_minor if back is None else back
            refund = {
                "refund_amount": _major(minor, made.currency),
                "refund_currency": made.currency,
            }
            events.append(
                self.envelope(
                    "transfers#refund",
                    {"resource": whose | refund, "occurred_at": when},
                )
            )
        return events

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "data": data,
            "subscription_id": "01234567-89ab-cdef-0123-456789abcdef",
            "event_type": kind,
            "schema_version": "2.0.0",
            "sent_at": self.clock.text(),
        }

    def event_id(self, event: dict) -> str:
        """Of the delivery: the message has none."""
        name = f"{event['event_type']} {event['data']}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, name))

    def event_type(self, event: dict) -> str:
        return event["event_type"]

    def sign(self, secret: str, mail) -> None:
        key = self.signer
        if secret == self.forged:
            key = rsa.generate_private_key(65537, 2048)
        raw = key.sign(mail.body, padding.PKCS1v15(), hashes.SHA256())
        mail.headers |= {
            "X-Signature-SHA256": base64.b64encode(raw).decode(),
            "X-Delivery-Id": mail.id,
        }

    def wrong_secret(self) -> str:
        return self.forged

    def public_key(self) -> bytes:
        return self.signer.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )


def _nobody(request, raw: bytes) -> None:
    """A quote and a recipient are of no payment."""


def _sender(request, raw: bytes) -> Named:
    return Named(look(raw, "customerTransactionId"))
