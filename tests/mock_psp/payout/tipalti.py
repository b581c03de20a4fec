"""Tipalti, REST: batches of payment instructions to payees that it knows.

The answer names the batch; its payments are made `payout_step_ms` later.  A
refCode pays once for as long as it is known, which nobody states an end of:
here it is 30 days, and behind them the same one pays again.  Paid is not final.

The books' key of a payment is its refCode.  Messages are IPNs: forms without a
signature.  Who gets one posts it back to /notif/ipn.aspx, unchanged, and the
answer is VERIFIED for the bytes that were sent from here, else INVALID.
"""

import re
import secrets
from urllib.parse import parse_qs, urlencode

from aiohttp import web

from .. import lists, money
from ..answers import Answer
from ..paypal import PayPal
from .books import Payment
from .provider import Named, Provider, Refused, load
from .provider import refusal as refuse

DAY_S = 86400
INSTRUCTIONS_MAX = 250
REF_MAX = 64
FILTER = re.compile(r'refCode=="([\w.-]{1,64})"')
INSTRUCTION = {"payeeId": str, "amountSubmitted": dict, "refCode": str}
# a state → the message that tells of it
EVENTS = {
    "SUBMITTED": "payment_submitted",
    "PAID": "completed",
    "DEFERRED": "deferred",
    "DEFERRED_INTERNAL": "deferred",
    "CANCELED": "payment_cancelled",
    "REJECTED": "error",
}
FORM = "application/x-www-form-urlencoded"
CONFIRM = "/notif/ipn.aspx"


class TipaltiPayouts(Provider):
    name = "payout-tipalti"
    window_s = 30 * DAY_S
    first = "SUBMITTED"
    legal = {
        "SUBMITTED": (
            "SCHEDULED",
            "PENDING_PAYER_FUNDS",
            "FRAUD_REVIEW",
            "PAID",
            "DEFERRED",
            "DEFERRED_INTERNAL",
            "CANCELED",
            "REJECTED",
        ),
        "SCHEDULED": (
            "PENDING_PAYER_FUNDS",
            "FRAUD_REVIEW",
            "PAID",
            "DEFERRED",
            "CANCELED",
            "REJECTED",
        ),
        "PENDING_PAYER_FUNDS": ("PAID", "CANCELED", "REJECTED"),
        "FRAUD_REVIEW": ("PAID", "CANCELED", "REJECTED"),
        "PAID": ("CLEARED", "REJECTED"),
        "CLEARED": (),
        "REJECTED": (),
        "DEFERRED": (),
        "DEFERRED_INTERNAL": (),
        "CANCELED": (),
    }
    places = {
        "SUBMITTED": "none",
        "SCHEDULED": "none",
        "PENDING_PAYER_FUNDS": "none",
        "FRAUD_REVIEW": "none",
        "PAID": "left",
        "CLEARED": "left",
        "REJECTED": "back",
        "DEFERRED": "none",
        "DEFERRED_INTERNAL": "none",
        "CANCELED": "none",
    }
    fate = ("PAID", "CLEARED")
    forged = "forged"
    _grant = PayPal._grant

    def __init__(self, world, books, config):
        super().__init__(world, books, config)
        self.tokens: dict[str, float] = {}
        self.batches: dict[str, list] = {}
        self.sent: set[bytes] = set()

    def reset(self) -> None:
        super().reset()
        self.tokens.clear()
        self.batches.clear()
        self.sent.clear()

    def authorise(self, request) -> Answer | None:
        """Whoever got an IPN may ask about it."""
        if request.path.endswith(CONFIRM):
            return None
        return PayPal.authorise(self, request)

    def routes(self, api) -> list:
        root = self.root + "/api/v1"
        batches = root + "/payment-batches"

        def call(operation, work, find=None):
            return api.change(self, operation, work, find or _nobody)

        return [
            web.post(self.root + "/oauth2/token", call("token", self._grant)),
            web.post(
                self.root + CONFIRM, call("confirm", self._confirm, _of_ipn)
            ),
            web.post(batches, call("send", self._send, _sender)),
            web.get(
                batches + "/{id}/instructions", call("ask", self._instructions)
            ),
            web.get(
                root + "/payments",
                api.listing(self, "find", self._find, _finder),
            ),
        ]

    def error(self, status: int, code: str, message: str = "") -> Answer:
        entry = {"code": code, "message": message or code}
        return Answer(status, {"errors": [entry]})

    def _oauth(self, error: str) -> Answer:
        return self.error(401, error.upper())

    def trouble(self, status: int) -> Answer:
        codes = {401: "UNAUTHORIZED", 403: "FORBIDDEN", 429: "TOO_MANY"}
        return self.error(status, codes.get(status, "INTERNAL"))

    def busy(self, nonce: str) -> Answer:
        return self.error(409, "CONFLICT")

    def bad_query(self, why: str) -> Answer:
        return self.error(400, "INVALID_FILTER", why)

    # Calls.

    def _send(self, request, raw: bytes, named):
        try:
            body = load(raw)
            made = self._check(body)
        except Refused as why:
            return refuse(self.error, why)
        batch_id = secrets.token_hex(12)
        self.batches[batch_id] = [self._instruct(batch_id, e) for e in made]
        pause = self.config.payout_step_ms / 1000
        self.clock.later(pause, lambda: self._work(batch_id))
        return Answer(200, {"id": batch_id}), "created"

    def _check(self, body: dict) -> list:
        """-> the payments that are asked for"""
        instructions = body.get("paymentInstructions")
        if set(body) != {"paymentInstructions"} or not isinstance(
            instructions, list
        ):
            raise Refused(400, "PMTBTC-100001", "paymentInstructions")
        if not 1 <= len(instructions) <= INSTRUCTIONS_MAX:
            raise Refused(400, "PMTBTC-100002", "1 to 250 instructions")
        return [self._payment(each) for each in instructions]

    def _payment(self, each: object) -> Payment:
        if not isinstance(each, dict) or set(each) != set(INSTRUCTION):
            raise Refused(400, "PMTINS-100001", "members")
        for name, kind in INSTRUCTION.items():
            if not isinstance(each[name], kind):
                raise Refused(400, "PMTINS-100001", name)
        if not 1 <= len(each["refCode"]) <= REF_MAX or not each["payeeId"]:
            raise Refused(400, "PMTINS-100002", "refCode")
        currency, minor = _minor(each["amountSubmitted"])
        return Payment(
            provider=self.short,
            kind="payout",
            id=secrets.token_hex(12),
            key=each["refCode"],
            amount_minor=minor,
            currency=currency,
            to={"payee": each["payeeId"]},
            account_end="",
            state=self.first,
            fee_minor=self.config.payout_fee_minor,
        )

    def _instruct(self, batch_id: str, made: Payment) -> dict:
        made.parcel = batch_id
        return {"payment": made, "status": "PENDING", "alerts": []}

    def _work(self, batch_id: str) -> None:
        """The batch is worked through; a refCode that has paid is an error."""
        for line in self.batches.get(batch_id, []):
            made = line["payment"]
            if self.recall(made.key, ""):
                line["status"] = "ERROR"
                alert = {"code": "DUPLICATE_REF_CODE", "type": "ERROR"}
                line["alerts"].append(alert | {"message": "it was used"})
                continue
            line["status"] = "PROCESSED"
            self.remember(made.key, "", made.id)
            self._begin(made)

    def _begin(self, made: Payment) -> None:
        why = self.affords(made)
        if why is None:
            self.pay(made)
            self.tell(made, self.told(made, ""))
            return
        made.created = made.changed = self.clock.now()
        self.ledger.add(made)
        self._become(made, self.first)
        state = "PENDING_PAYER_FUNDS" if why == "funds" else "DEFERRED"
        self.clock.later(0, lambda: self.move(made, state))

    def _instructions(self, request, raw: bytes, named):
        lines = self.batches.get(request.match_info["id"])
        if lines is None:
            return self.error(404, "NOT_FOUND"), "not_found"
        items = [
            {
                "id": f"{number}",
                "refCode": line["payment"].key,
                "payeeId": line["payment"].to["payee"],
                "instructionStatus": line["status"],
                "alerts": line["alerts"],
            }
            for number, line in enumerate(lines)
        ]
        return Answer(200, {"items": items, "totalCount": len(items)}), "found"

    def _find(self, request, lag: int) -> Answer:
        query = lists.parameters(request, "filter", "filter")
        asked = FILTER.fullmatch(query["filter"])
        if not asked:
            raise lists.BadQuery("a filter by refCode")
        found = [e for e in self.ledger.of(self.short) if e.key == asked[1]]
        found = found[: max(0, len(found) - lag)]
        items = [self.object(each) for each in found]
        return Answer(200, {"items": items, "totalCount": len(items)})

    def object(self, made: Payment) -> dict:
        fees = []
        if made.fee_minor:
            amount = {
                "amount": _major(made.fee_minor, made.currency),
                "currency": made.currency,
            }
            fees.append(
                {"type": "TRANSACTION", "entityType": "PAYER", "amount": amount}
            )
        return {
            "id": made.id,
            "batchId": made.parcel,
            "refCode": made.key,
            "payeeId": made.to["payee"],
            "status": made.state,
            "amountSubmitted": {
                "amount": _major(made.amount_minor, made.currency),
                "currency": made.currency,
            },
            "fees": fees,
        }

    # Faults.

    def entries(self, body: dict) -> list:
        return body["items"]

    def loop(self, body: dict, request) -> None:
        """A list says that it has more than it shows."""
        body["totalCount"] += 1

    def change_amount(self, body: dict) -> None:
        for each in body.get("items", []):
            each["amountSubmitted"]["amount"] += 1

    def change_currency(self, body: dict) -> None:
        for each in body.get("items", []):
            each["amountSubmitted"]["currency"] = "CHF"

    def change_account(self, body: dict) -> None:
        for each in body.get("items", []):
            each["payeeId"] = "other"

    def change_token(self, body: dict) -> None:
        body["id"] = secrets.token_hex(12)

    # Messages.

    def told(self, made: Payment, before: str) -> list:
        """Waiting and Cleared are told by nobody."""
        kind = EVENTS.get(made.state)
        if kind is None:
            return []
        data = {
            "ref_code": made.key,
            "payee_id": made.to["payee"],
            "amount_submitted": money.render(made.amount_minor, made.currency),
            "currency_submitted": made.currency,
        }
        if made.code:
            data |= {"error_code": made.code, "error_description": made.code}
        return [self.envelope(kind, data)]

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "key": secrets.token_hex(16),
            "c_date": self.clock.text(),
            "type": kind,
        } | data

    def event_id(self, event: dict) -> str:
        return event["key"]

    def rename(self, event: dict, event_id: str) -> None:
        event["key"] = event_id

    def wire(self, event: dict) -> bytes:
        return urlencode(event).encode()

    def sign(self, secret: str, mail) -> None:
        """A forged one is never sent from here."""
        mail.headers["Content-Type"] = FORM
        if secret == self.forged:
            mail.body += b"&forged=true"
        else:
            self.sent.add(bytes(mail.body))

    def wrong_secret(self) -> str:
        return self.forged

    def _confirm(self, request, raw: bytes, named):
        word = "VERIFIED" if raw in self.sent else "INVALID"
        answer = Answer(200, raw=word.encode())
        answer.headers["Content-Type"] = "text/html"
        return answer, word.lower()


def _minor(amount: dict) -> tuple[str, int]:
    """-> currency, ISO minor units"""
    try:
        currency, value = amount["currency"], amount["amount"]
        text = f"{value:.{money.exponent(currency)}f}"
        minor = money.parse(text, currency)
    except (KeyError, TypeError, ValueError):
        raise Refused(400, "PMTINS-100003", "amountSubmitted") from None
    if isinstance(value, bool) or float(text) != value:
        raise Refused(400, "PMTINS-100003", "amountSubmitted")
    return currency, minor


def _major(minor: int, currency: str) -> float:
    return float(money.render(minor, currency))


def _nobody(request, raw: bytes) -> None:
    """A call about no payment."""


def _sender(request, raw: bytes) -> Named:
    """A batch is known by its first refCode."""
    try:
        return Named(str(load(raw)["paymentInstructions"][0]["refCode"]))
    except (Refused, KeyError, IndexError, TypeError):
        return Named("")


def _of_ipn(request, raw: bytes) -> Named:
    form = parse_qs(raw.decode(errors="replace"))
    return Named(form.get("ref_code", [""])[0])


def _finder(request, raw: bytes) -> Named:
    asked = FILTER.fullmatch(request.query.get("filter", ""))
    return Named(asked[1] if asked else "")
