"""PayPal Payouts: a batch of items, which go different ways.

A sender_batch_id is known for 30 days and names the batch as a whole: a
repeat is refused with a link to the first one, and behind that time the same
batch pays again.  sender_item_id dedupes nothing.  SUCCESS of a batch says
that it was worked through.  An item that nobody claims comes back after 30
days.

The access tokens, the certificates and the signatures are those of the
``paypal`` dialect; the books' key of a payment is its sender_item_id.
"""

from aiohttp import web

from .. import lists, money
from ..answers import Answer
from ..paypal import CURRENCIES, WHOLE, PayPal
from ..paypal_certs import Certificates
from .books import Payment
from .provider import Named, Provider, Refused, load, look
from .provider import refusal as refuse

DAY_S = 86400
MONTH_S = 30 * DAY_S
ITEMS_MAX = 15000
PAGE_MAX = 1000
HEADER = {"sender_batch_id": 256, "email_subject": 255, "recipient_type": 13}
ITEM = {
    "recipient_type": str,
    "receiver": str,
    "amount": dict,
    "sender_item_id": str,
    "note": str,
}
TYPES = ("EMAIL", "PHONE", "PAYPAL_ID")
# a state of an item → the word that its webhook has for it, if there is one
EVENTS = {
    "SUCCESS": "SUCCEEDED",
    "FAILED": "FAILED",
    "UNCLAIMED": "UNCLAIMED",
    "RETURNED": "RETURNED",
    "ONHOLD": "HELD",
    "BLOCKED": "BLOCKED",
    "REFUNDED": "REFUNDED",
    "DENIED": "DENIED",
}
# a state → the error that an item of it shows
ERRORS = {
    "FAILED": "RECEIVER_ACCOUNT_LOCKED",
    "UNCLAIMED": "RECEIVER_UNREGISTERED",
    "BLOCKED": "RECEIVER_COUNTRY_NOT_ALLOWED",
}


class PayPalPayouts(Provider):
    name = "payout-paypal"
    window_s = MONTH_S
    first = "PENDING"
    legal = {
        "PENDING": (
            "SUCCESS",
            "FAILED",
            "UNCLAIMED",
            "ONHOLD",
            "BLOCKED",
            "DENIED",
        ),
        "ONHOLD": ("SUCCESS", "FAILED", "BLOCKED", "RETURNED"),
        "UNCLAIMED": ("SUCCESS", "RETURNED"),
        "SUCCESS": ("REFUNDED", "REVERSED"),
        "FAILED": (),
        "BLOCKED": (),
        "DENIED": (),
        "RETURNED": (),
        "REFUNDED": (),
        "REVERSED": (),
    }
    places = {
        "PENDING": "held",
        "ONHOLD": "held",
        "UNCLAIMED": "left",
        "SUCCESS": "left",
        "FAILED": "back",
        "BLOCKED": "back",
        "DENIED": "back",
        "RETURNED": "back",
        "REFUNDED": "back",
        "REVERSED": "back",
    }
    fate = ("SUCCESS",)
    authorise = PayPal.authorise
    _oauth = PayPal._oauth
    _grant = PayPal._grant
    sign = PayPal.sign

    def __init__(self, world, books, config):
        super().__init__(world, books, config)
        self.tokens: dict[str, float] = {}
        self.batches: dict[str, dict] = {}
        shop = world.dialects.get("paypal")
        self.owns = shop is None
        self.certs = Certificates() if shop is None else shop.certs

    async def start(self) -> None:
        if self.owns:
            await self.certs.start(self.config.secrets, self.config.cert_port)

    async def stop(self) -> None:
        if self.owns:
            await self.certs.stop()

    def reset(self) -> None:
        super().reset()
        self.batches.clear()
        self.tokens.clear()

    def routes(self, api) -> list:
        root = self.root + "/v1/payments/payouts"
        item = root + "-item/{id}"

        def call(operation, work, find=None):
            return api.change(self, operation, work, find or _nobody)

        return [
            web.post(
                self.root + "/v1/oauth2/token", call("token", self._grant)
            ),
            web.post(root, call("send", self._send, _sender)),
            web.get(root + "/{id}", call("ask", self._ask, self._first_of)),
            web.get(item, call("ask", self._ask_item, self._of)),
            web.post(item + "/cancel", call("cancel", self._cancel, self._of)),
        ]

    def error(self, status: int, name: str, message: str = "") -> Answer:
        body = {
            "name": name,
            "message": message or name,
            "debug_id": self.books.random_id("", 13).lower(),
        }
        return Answer(status, body)

    def trouble(self, status: int) -> Answer:
        names = {
            401: "AUTHENTICATION_FAILURE",
            403: "AUTHORIZATION_ERROR",
            422: "INSUFFICIENT_FUNDS",
            429: "RATE_LIMIT_REACHED",
            503: "SERVICE_UNAVAILABLE",
        }
        return self.error(status, names.get(status, "INTERNAL_SERVICE_ERROR"))

    def busy(self, nonce: str) -> Answer:
        return self.error(409, "PREVIOUS_REQUEST_IN_PROGRESS")

    # Calls.

    def _of(self, request, raw: bytes) -> Payment | None:
        return self.ledger.find(self.short, request.match_info["id"])

    def _items(self, batch_id: str) -> list:
        return [
            each
            for each in self.ledger.of(self.short)
            if each.parcel == batch_id
        ]

    def _first_of(self, request, raw: bytes) -> Payment | None:
        """For faults: a batch is known by its first item."""
        items = self._items(request.match_info["id"])
        return items[0] if items else None

    def _send(self, request, raw: bytes, named):
        try:
            body = load(raw)
            key = self._check(body)
            known = self.recall(key, "")
            if known:
                return self._exists(request, known[1]), "refused"
            batch = self._book(key, body["items"])
        except Refused as why:
            return refuse(self.error, why)
        self.remember(key, "", batch["id"])
        answer = Answer(201, self._head(batch) | {"links": []})
        self.clock.run()
        return answer, "created"

    def _exists(self, request, batch_id: str) -> Answer:
        answer = self.error(400, "USER_BUSINESS_ERROR", "User business error.")
        href = f"{self.config.public_url}{request.path}/{batch_id}"
        answer.body["details"] = [
            {
                "field": "SENDER_BATCH_ID",
                "location": "body",
                "issue": "Batch with given sender_batch_id already exists",
                "link": [{"href": href, "rel": "self", "method": "GET"}],
            }
        ]
        return answer

    def _check(self, body: dict) -> str:
        """-> sender_batch_id"""
        head, items = body.get("sender_batch_header"), body.get("items")
        if set(body) != {"sender_batch_header", "items"}:
            raise Refused(400, "VALIDATION_ERROR", "members")
        if not isinstance(head, dict) or not isinstance(items, list):
            raise Refused(400, "VALIDATION_ERROR", "sender_batch_header")
        for name, value in head.items():
            longest = HEADER.get(name)
            if longest is None or not isinstance(value, str):
                raise Refused(400, "VALIDATION_ERROR", name)
            if not 1 <= len(value) <= longest:
                raise Refused(400, "VALIDATION_ERROR", name)
        if "sender_batch_id" not in head or not 1 <= len(items) <= ITEMS_MAX:
            raise Refused(400, "VALIDATION_ERROR", "items")
        currencies = {self._check_item(each)[0] for each in items}
        if len(currencies) != 1:
            raise Refused(400, "VALIDATION_ERROR", "one currency")
        return head["sender_batch_id"]

    def _check_item(self, item: dict) -> tuple[str, int]:
        """-> currency, ISO minor units"""
        if not isinstance(item, dict):
            raise Refused(400, "VALIDATION_ERROR", "items")
        for name, value in item.items():
            if name not in ITEM or not isinstance(value, ITEM[name]):
                raise Refused(400, "VALIDATION_ERROR", name)
        for name in ("recipient_type", "receiver", "amount"):
            if name not in item:
                raise Refused(400, "VALIDATION_ERROR", name)
        if item["recipient_type"] not in TYPES or len(item["receiver"]) > 127:
            raise Refused(400, "VALIDATION_ERROR", "receiver")
        if len(item.get("sender_item_id", "")) > 63:
            raise Refused(400, "VALIDATION_ERROR", "sender_item_id")
        return _minor(item["amount"])

    def _book(self, key: str, items: list) -> dict:
        """Without money for all of it the batch is denied, and has no item."""
        batch = {
            "id": self.books.random_id("", 13).upper(),
            "key": key,
            "status": "PENDING",
            "created": self.clock.now(),
        }
        self.batches[batch["id"]] = batch
        made = [self._make(batch, each) for each in items]
        total = sum(each.amount_minor + each.fee_minor for each in made)
        have = self.ledger.balance(self.short, "", made[0].currency)
        limit = self.ledger.limits.get(self.short)
        large = max(each.amount_minor for each in made)
        if have < total or limit is not None and large > limit:
            self.clock.later(0, lambda: self._turn(batch, "DENIED", made[0]))
            return batch
        for each in made:
            self.pay(each)
        self._turn(batch, "PROCESSING", made[0])
        return batch

    def _make(self, batch: dict, item: dict) -> Payment:
        currency, minor = _minor(item["amount"])
        return Payment(
            provider=self.short,
            kind="payout",
            id=self.books.random_id("", 13).upper(),
            key=item.get("sender_item_id", ""),
            amount_minor=minor,
            currency=currency,
            to={"payee": item["receiver"], "text": item.get("note", "")},
            account_end="",
            state=self.first,
            parcel=batch["id"],
            fee_minor=self.config.payout_fee_minor,
            extra={"item": item},
        )

    def _turn(self, batch: dict, status: str, made: Payment) -> None:
        batch["status"] = status
        event = self.envelope(
            f"PAYMENT.PAYOUTSBATCH.{status}", self._head(batch)
        )
        self.tell(made, [event])

    def move(self, made: Payment, state: str, code: str | None = None) -> list:
        sent = super().move(made, state, code)
        if state == "UNCLAIMED":
            self.clock.later(MONTH_S, lambda: self._return(made))
        batch = self.batches[made.parcel]
        states = {each.state for each in self._items(made.parcel)}
        if batch["status"] == "PROCESSING" and "PENDING" not in states:
            self._turn(batch, "SUCCESS", made)
        return sent

    def _return(self, made: Payment) -> None:
        if made.state == "UNCLAIMED":
            self.move(made, "RETURNED")

    def _ask(self, request, raw: bytes, named):
        batch = self.batches.get(request.match_info["id"])
        try:
            query = lists.parameters(request, "page page_size total_required")
            page = lists.number(query.get("page", "1"), "page")
            asked = lists.number(query.get("page_size", "1000"), "page_size")
            size = lists.size(asked, PAGE_MAX, self.config)
        except lists.BadQuery as why:
            return self.error(400, "VALIDATION_ERROR", str(why)), "refused"
        if batch is None or page < 1:
            return self.error(404, "RESOURCE_NOT_FOUND"), "not_found"
        items = self._items(batch["id"])
        shown = items[(page - 1) * size : page * size]
        links = []
        if page * size < len(items):
            url = request.url.update_query({"page": str(page + 1)})
            links.append({"href": str(url), "rel": "next", "method": "GET"})
        body = self._head(batch) | {
            "items": [self.object(each) for each in shown],
            "links": links,
        }
        return Answer(200, body), "found"

    def _ask_item(self, request, raw: bytes, made):
        if made is None:
            return self.error(404, "RESOURCE_NOT_FOUND"), "not_found"
        return Answer(200, self.object(made)), "found"

    def _cancel(self, request, raw: bytes, made):
        """While nobody has claimed it."""
        if made is None:
            return self.error(404, "RESOURCE_NOT_FOUND"), "not_found"
        if made.state == "RETURNED":
            return self.error(400, "ITEM_ALREADY_CANCELLED"), "refused"
        if made.state != "UNCLAIMED":
            return self.error(400, "ITEM_INCORRECT_STATUS"), "refused"
        self.move(made, "RETURNED")
        return Answer(200, self.object(made)), "changed"

    def _head(self, batch: dict) -> dict:
        return {
            "batch_header": {
                "payout_batch_id": batch["id"],
                "batch_status": batch["status"],
                "time_created": self.clock.text(batch["created"]),
                "sender_batch_header": {"sender_batch_id": batch["key"]},
            }
        }

    def object(self, made: Payment) -> dict:
        """The fee is 0 as long as nothing has been done."""
        fee = 0 if made.state == "PENDING" else made.fee_minor
        body = {
            "payout_item_id": made.id,
            "transaction_status": made.state,
            "payout_item_fee": {
                "currency": made.currency,
                "value": _value(fee, made.currency),
            },
            "payout_batch_id": made.parcel,
            "payout_item": {
                **made.extra["item"],
                "amount": dict(made.extra["item"]["amount"]),
            },
            "time_processed": self.clock.text(made.changed),
            "links": [],
        }
        error = made.code or ERRORS.get(made.state)
        if error:
            body["errors"] = {"name": error, "message": error, "details": []}
        return body

    # Faults.

    def _first_item(self, body: dict) -> dict:
        items = body.get("items") or [body]
        return items[0].get("payout_item", {})

    def change_amount(self, body: dict) -> None:
        if "amount" in self._first_item(body):
            self._first_item(body)["amount"]["value"] = "9.99"

    def change_currency(self, body: dict) -> None:
        if "amount" in self._first_item(body):
            self._first_item(body)["amount"]["currency"] = "CHF"

    def change_account(self, body: dict) -> None:
        """An answer to a batch tells no receiver: it is another batch's."""
        if "receiver" in self._first_item(body):
            self._first_item(body)["receiver"] = "other@example.com"
        elif "batch_header" in body:
            body["batch_header"]["sender_batch_header"] = {
                "sender_batch_id": "other"
            }

    def change_token(self, body: dict) -> None:
        other = self.books.random_id("", 13).upper()
        if "batch_header" in body:
            body["batch_header"]["payout_batch_id"] = other
        else:
            body["payout_item_id"] = other

    # Webhooks.

    def told(self, made: Payment, before: str) -> list:
        """Nothing tells of REVERSED: who wants to know asks."""
        word = EVENTS.get(made.state)
        if word is None:
            return []
        return [
            self.envelope(f"PAYMENT.PAYOUTS-ITEM.{word}", self.object(made))
        ]

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "id": "WH-" + self.books.random_id("", 17).upper(),
            "event_version": "1.0",
            "create_time": self.clock.text(),
            "resource_type": "payouts_item",
            "event_type": kind,
            "summary": kind,
            "resource": data,
        }

    def event_type(self, event: dict) -> str:
        return event["event_type"]

    def event_object(self, event: dict) -> dict:
        return event["resource"]

    def wrong_secret(self) -> str:
        return self.books.random_id("", 17).upper()


def _minor(amount: dict) -> tuple[str, int]:
    """-> currency, ISO minor units; three currencies have no decimals here"""
    if set(amount) != {"currency", "value"}:
        raise Refused(400, "VALIDATION_ERROR", "amount")
    currency, value = amount["currency"], amount["value"]
    if currency not in CURRENCIES:
        raise Refused(400, "VALIDATION_ERROR", "currency")
    if currency in WHOLE and money.exponent(currency):
        value = f"{value}.00"
    try:
        return currency, money.parse(value, currency)
    except money.BadAmount:
        raise Refused(400, "VALIDATION_ERROR", "value") from None


def _value(minor: int, currency: str) -> str:
    text = money.render(minor, currency)
    return text.split(".")[0] if currency in WHOLE else text


def _nobody(request, raw: bytes) -> None:
    """A call about no item."""


def _sender(request, raw: bytes) -> Named:
    return Named(look(raw, "sender_batch_header", "sender_batch_id"))
