"""Adyen for Platforms, transfers v4: one call to a bank account.

Keys live for seven days and cover the whole body.  A transfer is answered with
202 before anything is known of it: lack of money is told by a webhook.  Each
state has the next sequenceNumber; `credited` is a tracking of a booked
transfer, not a status.
"""

import base64
import hashlib
import hmac
import json
import re

from aiohttp import web

from .. import lists, money
from ..adyen import Adyen
from ..answers import Answer
from .books import Payment
from .provider import Named, Provider, Refused, is_iban, load, look, print_of
from .provider import refusal as refuse

DAY_S = 86400
WEEK_S = 7 * DAY_S
KEY_MAX = 64
PAGE_MAX = 100
SPAN_S = 184 * DAY_S
BENEFICIARY = re.compile(r"[A-Za-z0-9]{1,35}")
MEMBERS = {
    "amount": dict,
    "balanceAccountId": str,
    "category": str,
    "priority": str,
    "counterparty": dict,
    "reference": str,
    "referenceForBeneficiary": str,
    "description": str,
}
LONGEST = {"reference": 80, "description": 140}
# a state → its reason
REASONS = {
    "received": "pending",
    "pendingApproval": "pendingApproval",
    "pendingExecution": "pendingExecution",
    "refused": "notEnoughBalance",
    "error": "unknown",
    "cancelled": "unknown",
    "failed": "counterpartyAccountClosed",
    "returned": "counterpartyAccountClosed",
}
ENDS = ("refused", "error", "cancelled", "failed", "returned")


class AdyenPayouts(Provider):
    name = "payout-adyen"
    window_s = WEEK_S
    first = "received"
    legal = {
        "received": (
            "pendingApproval",
            "pendingExecution",
            "authorised",
            "refused",
            "error",
            "cancelled",
        ),
        "pendingApproval": (
            "pendingExecution",
            "authorised",
            "refused",
            "cancelled",
        ),
        "pendingExecution": ("authorised", "refused", "error", "cancelled"),
        "authorised": ("booked", "refused", "error", "cancelled"),
        "booked": ("credited", "failed", "returned"),
        "credited": ("failed", "returned"),
        "refused": (),
        "error": (),
        "cancelled": (),
        "failed": (),
        "returned": (),
    }
    places = {
        "received": "none",
        "pendingApproval": "none",
        "pendingExecution": "none",
        "authorised": "held",
        "booked": "left",
        "credited": "left",
    } | dict.fromkeys(ENDS, "back")
    fate = ("authorised", "booked", "credited")
    error = Adyen.error
    trouble = Adyen.trouble
    busy = Adyen.busy
    authorise = Adyen.authorise
    _reused = Adyen._reused

    @property
    def root(self) -> str:
        return f"/payout/{self.short}/btl/v4"

    def routes(self, api) -> list:
        root = self.root + "/transfers"
        return [
            web.post(root, api.change(self, "send", self._send, _sender)),
            web.get(root, api.listing(self, "find", self._find, _finder)),
            web.get(
                root + "/{id}", api.change(self, "ask", self._ask, self._of)
            ),
        ]

    def refuse(self, status: int, code: str) -> Answer:
        return self.error(status, code, "refused on request")

    def bad_query(self, why: str) -> Answer:
        return self.error(422, "29_001", why)

    # Calls.

    def _of(self, request, raw: bytes) -> Payment | None:
        return self.ledger.find(self.short, request.match_info["id"])

    def _send(self, request, raw: bytes, named):
        key = self.key(request, raw)
        try:
            if len(key) > KEY_MAX:
                raise Refused(422, "30_081", "the key is too long")
            known = self.recall(key, print_of(raw)) if key else None
            if known and not known[0]:
                return self._reused(), "reused"
            if known:
                made = self.ledger.find(self.short, known[1])
                made.requests += 1
                return self._accepted(made), "replayed"
            made = self._book(load(raw))
        except Refused as why:
            return refuse(self.error, why)
        self.remember(key, print_of(raw), made.id)
        answer = self._accepted(made)
        self.clock.run()
        return answer, "created"

    def _accepted(self, made: Payment) -> Answer:
        """The first answer, whatever became of the transfer since."""
        return Answer(202, dict(made.extra["accepted"]))

    def _book(self, body: dict) -> Payment:
        self._check(body)
        to = self._to(body["counterparty"])
        minor, currency = _amount(body["amount"])
        made = Payment(
            provider=self.short,
            kind="payout",
            id=self.books.random_id("", 16).upper(),
            key=body["reference"],
            amount_minor=minor,
            currency=currency,
            to=to | {"text": body.get("description", "")},
            account_end=to.get("iban", "")[-4:],
            state=self.first,
            extra={"body": body},
        )
        self._begin(made)
        made.extra["accepted"] = self.object(made)
        return made

    def _begin(self, made: Payment) -> None:
        """Without funds or above a limit it goes nowhere."""
        why = self.affords(made)
        if why is None:
            self.pay(made)
        else:
            made.created = made.changed = self.clock.now()
            self.ledger.add(made)
            self._become(made, made.state)
            codes = {
                "funds": "notEnoughBalance",
                "limit": "amountLimitExceeded",
            }
            self.clock.later(0, lambda: self.move(made, "refused", codes[why]))
        self.tell(made, self.told(made, ""))

    def _check(self, body: dict) -> None:
        for name in body:
            if name not in MEMBERS:
                raise Refused(422, "30_081", f"{name[:40]} is not known")
        for name, kind in MEMBERS.items():
            value = body.get(name)
            if value is None and name in ("description", "priority"):
                continue
            if not isinstance(value, kind):
                raise Refused(422, "30_081", f"{name} is missing")
            if len(value) > LONGEST.get(name, 80):
                raise Refused(422, "30_081", f"{name} is too long")
        if body["category"] != "bank" or body["priority"] != "regular":
            raise Refused(422, "30_081", "category or priority")
        if not BENEFICIARY.fullmatch(body["referenceForBeneficiary"]):
            raise Refused(422, "30_081", "referenceForBeneficiary")

    def _to(self, party: dict) -> dict:
        """A stored instrument, or an IBAN with its holder's name."""
        if set(party) == {"transferInstrumentId"}:
            return {"payee": party["transferInstrumentId"]}
        try:
            bank = party["bankAccount"]
            iban = bank["accountIdentification"]["iban"]
            name = bank["accountHolder"]["fullName"]
        except (KeyError, TypeError):
            raise Refused(422, "30_081", "counterparty") from None
        if bank["accountIdentification"].get("type") != "iban":
            raise Refused(422, "30_081", "accountIdentification")
        if not is_iban(iban) or not name:
            raise Refused(422, "30_081", "iban")
        return {"iban": iban, "name": name}

    def _ask(self, request, raw: bytes, made):
        if made is None:
            return self.error(404, "30_112", "not found"), "not_found"
        return Answer(200, self.object(made)), "found"

    def object(self, made: Payment) -> dict:
        body = made.extra["body"]
        state = "booked" if made.state == "credited" else made.state
        shown = {
            "id": made.id,
            "accountHolder": {"id": "AH3227C223222C5GXQXF658WB"},
            "amount": dict(body["amount"]),
            "balanceAccount": {"id": body["balanceAccountId"]},
            "category": body["category"],
            "categoryData": {"priority": body["priority"], "type": "bank"},
            "counterparty": json.loads(json.dumps(body["counterparty"])),
            "creationDate": self.clock.text(made.created),
            "description": body.get("description"),
            "direction": "outgoing",
            "reason": made.code or REASONS.get(made.state, "approved"),
            "reference": made.key,
            "referenceForBeneficiary": body["referenceForBeneficiary"],
            "sequenceNumber": made.moves + 1,
            "status": state,
            "type": "bankTransfer",
        }
        if made.state == "booked":
            shown["tracking"] = {
                "type": "estimation",
                "estimatedArrivalTime": self.clock.text(made.changed + DAY_S),
            }
        if made.state == "credited":
            tracking = {"type": "confirmation", "status": "credited"}
            shown["tracking"] = tracking
        return shown

    # Lists.

    def _find(self, request, lag: int) -> Answer:
        """The newest first; both ends of the span are required."""
        names = (
            "balanceAccountId reference createdSince createdUntil cursor limit "
            "category sortOrder"
        )
        query = lists.parameters(
            request, names, "balanceAccountId createdSince createdUntil"
        )
        since = lists.moment(query["createdSince"], "createdSince")
        until = lists.moment(query["createdUntil"], "createdUntil")
        if not 0 <= until - since <= SPAN_S:
            raise lists.BadQuery("the span is longer than six months")
        found = [
            each
            for each in reversed(self.ledger.of(self.short))
            if since <= each.created <= until
            and query["balanceAccountId"]
            == each.extra["body"]["balanceAccountId"]
            and query.get("reference", each.key) == each.key
        ][lag:]
        cursor = query.get("cursor", "")
        cursor = "" if self.round and cursor else cursor
        rest = lists.after(found, lambda each: each.id, cursor)
        asked = lists.number(query.get("limit", "10"), "limit")
        page = rest[: lists.size(asked, PAGE_MAX, self.config)]
        body = {"data": [self.object(each) for each in page], "links": {}}
        if len(rest) > len(page):
            self._next_page(body, request, page[-1].id)
        return Answer(200, body)

    def _next_page(self, body: dict, request, cursor: str) -> None:
        url = request.url.update_query({"cursor": cursor})
        body["links"]["next"] = {"href": str(url)}

    def entries(self, body: dict) -> list:
        return body["data"]

    def loop(self, body: dict, request) -> None:
        if body["data"]:
            self._next_page(body, request, body["data"][-1]["id"])

    # Faults.

    def change_amount(self, body: dict) -> None:
        if "amount" in body:
            body["amount"]["value"] += 100

    def change_currency(self, body: dict) -> None:
        if "amount" in body:
            other = "CHF" if body["amount"]["currency"] != "CHF" else "EUR"
            body["amount"]["currency"] = other

    def change_account(self, body: dict) -> None:
        party = body.get("counterparty", {})
        if "transferInstrumentId" in party:
            party["transferInstrumentId"] = "SE0000000000000000000000"
        elif party:
            account = party["bankAccount"]["accountIdentification"]
            account["iban"] = "DE02120300000000202051"

    def change_token(self, body: dict) -> None:
        body["id"] = self.books.random_id("", 16).upper()

    # Webhooks.

    def told(self, made: Payment, before: str) -> list:
        kind = "updated" if made.moves else "created"
        return [
            self.envelope(f"balancePlatform.transfer.{kind}", self.object(made))
        ]

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "data": data,
            "environment": "test",
            "timestamp": self.clock.text(),
            "type": kind,
        }

    def event_id(self, event: dict) -> str:
        """The message has none: one of the transfer and its state."""
        data = event["data"]
        return f"{data.get('id')}:{data.get('sequenceNumber')}"

    def event_object(self, event: dict) -> dict:
        return event["data"]

    def sign(self, secret: str, mail) -> None:
        mac = hmac.new(bytes.fromhex(secret), mail.body, hashlib.sha256)
        mail.headers["HmacSignature"] = base64.b64encode(mac.digest()).decode()

    def wrong_secret(self) -> str:
        return self.books.rng.randbytes(32).hex().upper()


def _amount(amount: dict) -> tuple[int, str]:
    """-> ISO minor units and currency"""
    try:
        value, currency = amount["value"], amount["currency"]
        minor = money.from_adyen(value, currency)
    except (KeyError, TypeError, money.BadAmount):
        raise Refused(422, "30_081", "amount") from None
    if type(value) is not int or minor <= 0:
        raise Refused(422, "30_081", "amount")
    return minor, currency


def _sender(request, raw: bytes) -> Named:
    return Named(look(raw, "reference"))


def _finder(request, raw: bytes) -> Named:
    return Named(request.query.get("reference", ""))
