"""Stripe Connect: transfers to connected accounts and payouts from there.

Keys live 24 hours, each account has its own; the first answer is kept, an error
that came of the execution included, and other parameters or another endpoint
are an idempotency_error.  A payout draws on the connected account's balance,
which starts at 0; one that fails leaves its money there.
"""

import re

from aiohttp import web

from .. import lists, money, stripe_form
from ..answers import Answer
from ..stripe import Stripe
from .books import Payment
from .provider import Named, Provider, Refused, print_of

BadParameter = stripe_form.BadParameter
DAY_S = 86400
KEY_MAX = 255
PAGE_MAX = 100
STATEMENT = re.compile(r"(?=.*[A-Za-z])[^<>\\'\"*]{5,22}")
TRANSFERS, PAYOUTS = "/v1/transfers", "/v1/payouts"
# a state of a payout → the event that tells of it
EVENTS = {
    "pending": "payout.created",
    "in_transit": "payout.updated",
    "paid": "payout.paid",
    "failed": "payout.failed",
    "canceled": "payout.canceled",
    "transferred": "transfer.created",
    "reversed": "transfer.reversed",
}
WHY = {
    "account_closed": "The bank account has been closed.",
    "insufficient_funds": "Your Stripe account has insufficient funds.",
}


def _missing(name: str) -> BadParameter:
    return BadParameter(
        "parameter_missing", f"Missing required param: {name}.", name
    )


def _needed(form: dict, *names: str) -> None:
    for name in names:
        if name not in form:
            raise _missing(name)


def _minor(form: dict) -> tuple[str, int]:
    """-> currency, ISO minor units"""
    _needed(form, "amount", "currency")
    currency = form["currency"].upper()
    if currency == form["currency"] or currency not in (
        money.TWO | money.ZERO | money.STRIPE_THREE
    ):
        raise BadParameter("currency_invalid", "Invalid currency", "currency")
    if form["amount"] < 1:
        raise BadParameter(
            "parameter_invalid_integer",
            "This value must be greater than or equal to 1.",
            "amount",
        )
    try:
        return currency, money.from_stripe(form["amount"], currency)
    except money.BadAmount as why:
        raise BadParameter(
            "parameter_invalid_integer", str(why), "amount"
        ) from None


class StripePayouts(Provider):
    name = "payout-stripe"
    window_s = DAY_S
    first = "pending"
    legal = {
        "pending": ("in_transit", "paid", "failed", "canceled"),
        "in_transit": ("paid", "failed"),
        "paid": ("failed",),
        "failed": (),
        "canceled": (),
        "transferred": ("reversed",),
        "reversed": (),
    }
    places = {
        "pending": "held",
        "in_transit": "left",
        "paid": "left",
        "failed": "back",
        "canceled": "back",
        "transferred": "held",
        "reversed": "back",
    }
    fate = ("in_transit", "paid")
    error = Stripe.error
    trouble = Stripe.trouble
    busy = Stripe.busy
    authorise = Stripe.authorise
    sign = Stripe.sign
    wrong_secret = Stripe.wrong_secret
    _headers = Stripe._headers

    def routes(self, api) -> list:
        transfers = self.root + TRANSFERS
        payouts = self.root + PAYOUTS

        def post(path, operation, work, find=None):
            handler = api.change(self, operation, work, find or self._of)
            return web.post(path, handler)

        def ask(path):
            return web.get(path, api.change(self, "ask", self._ask, self._of))

        def listed(path, kind):
            def work(request, lag):
                return self._list(request, lag, kind)

            return web.get(path, api.listing(self, "find", work, _finder))

        return [
            post(transfers, "transfer", self._once(self._transfer), _sender),
            post(payouts, "send", self._once(self._payout), _sender),
            listed(transfers, "transfer"),
            listed(payouts, "payout"),
            ask(transfers + "/{id}"),
            ask(payouts + "/{id}"),
            post(
                transfers + "/{id}/reversals",
                "cancel",
                self._once(self._reverse),
            ),
            post(payouts + "/{id}/cancel", "cancel", self._once(self._cancel)),
        ]

    # Keys.

    def _once(self, work):
        """A POST whose first answer its key keeps."""

        def handler(request, raw, named):
            key = self._key(request)
            known = self.recall(key, print_of(raw)) if key else None
            if known:
                return self._replay(request, *known)
            try:
                answer, what = work(request, raw)
            except BadParameter as why:
                # validation: the endpoint has not begun
                answer = self.error(400, why.code, str(why), why.param)
                return answer, "refused"
            except Refused as why:
                answer = self.error(why.status, why.code, str(why))
                what = "refused"
            self.remember(key, print_of(raw), (request.path, answer))
            self.clock.run()
            return answer, what

        return handler

    def _key(self, request) -> str:
        """Each account has keys of its own."""
        key = request.headers.get(self.key_header, "")
        account = request.headers.get("Stripe-Account", "")
        return f"{account}/{key}" if key else ""

    def _replay(self, request, same: bool, kept):
        path, answer = kept
        if not same or path not in (None, request.path):
            answer = self.error(
                400,
                None,
                "Keys for idempotent requests can only be used with the same "
                "parameters they were first used with.",
                kind="idempotency_error",
            )
            return answer, "reused"
        answer.headers["Idempotent-Replayed"] = "true"
        answer.headers["Original-Request"] = answer.headers["Request-Id"]
        answer.headers["Request-Id"] = self.books.random_id("req_", 14)
        return answer, "replayed"

    def failed(self, key: str, raw: bytes, answer: Answer, fault) -> None:
        """A 500 is kept as long as the key lives.  Of a platform's own call:
        which account it was about is not known here any more.
        """
        keeps = fault.status == 500 if fault.stored is None else fault.stored
        if keeps and key:
            answer.headers.setdefault("Request-Id", "req_failed")
            for scope in self.scopes:
                self.remember(f"{scope}/{key}", print_of(raw), (None, answer))

    @property
    def scopes(self) -> set:
        return {""} | {each.account for each in self.ledger.payments}

    # Calls.

    def _of(self, request, raw: bytes) -> Payment | None:
        """An object of the account that asks."""
        made = self.ledger.find(self.short, request.match_info["id"])
        asks = request.headers.get("Stripe-Account", "")
        payouts = request.path.startswith(self.root + PAYOUTS)
        kind = "payout" if payouts else "transfer"
        if made is None or made.kind != kind:
            return None
        return made if kind == "transfer" or made.account == asks else None

    def _found(self, request) -> Payment:
        made = self._of(request, b"")
        if made is None:
            made_id = request.match_info["id"]
            raise Refused(404, "resource_missing", f"No such id: '{made_id}'")
        return made

    def _transfer(self, request, raw: bytes):
        form = stripe_form.parse(raw, "transfer")
        currency, minor = _minor(form)
        _needed(form, "destination")
        if not re.fullmatch(r"acct_\w{1,60}", form["destination"]):
            name = form["destination"][:80]
            raise Refused(
                400, "resource_missing", f"No such destination: '{name}'"
            )
        group = form.get("transfer_group", "")
        made = Payment(
            provider=self.short,
            kind="transfer",
            id=self.books.random_id("tr_1", 23),
            key=form.get("metadata", {}).get("payout", group),
            amount_minor=minor,
            currency=currency,
            to={"account": form["destination"]},
            account_end="",
            state="transferred",
            extra={"form": form, "units": form["amount"]},
        )
        self._afford(made)
        self.pay(made)
        self._credit(made, made.amount_minor)
        self.tell(made, self.told(made, ""))
        return self.show(made), "created"

    def _afford(self, made: Payment) -> None:
        if self.affords(made):
            raise Refused(
                400,
                "balance_insufficient",
                "You have insufficient funds in your Stripe account for this "
                "transfer. Your card balance is too low.",
            )

    def _credit(self, made: Payment, minor: int) -> None:
        """The connected account has the money, or has it no longer."""
        account = made.to["account"]
        self.ledger.add_money(self.short, account, made.currency, minor)

    def _payout(self, request, raw: bytes):
        form = stripe_form.parse(raw, "payout")
        currency, minor = _minor(form)
        account = request.headers.get("Stripe-Account", "")
        if form.get("method", "standard") not in ("standard", "instant"):
            raise BadParameter("parameter_invalid", "Invalid method", "method")
        text = form.get("statement_descriptor")
        if text is not None and not STATEMENT.fullmatch(text):
            raise BadParameter(
                "parameter_invalid_string",
                "Invalid statement_descriptor",
                "statement_descriptor",
            )
        made = Payment(
            provider=self.short,
            kind="payout",
            id=self.books.random_id("po_1", 23),
            key=form.get("metadata", {}).get("payout", ""),
            amount_minor=minor,
            currency=currency,
            to={"account": account},
            account_end="",
            state=self.first,
            account=account,
            extra={
                "form": form,
                "units": form["amount"],
                "bank": self.books.random_id("ba_1", 23),
            },
        )
        self._afford(made)
        self.pay(made)
        answer = self.show(made)
        self.tell(made, self.told(made, ""))
        return answer, "created"

    def _reverse(self, request, raw: bytes):
        """The whole transfer, or a part of it; nothing that is not there."""
        form = stripe_form.parse(raw, "reversal")
        made = self._found(request)
        units = form.get("amount", made.extra["units"])
        if made.state == "reversed":
            raise Refused(
                400, None, f"Transfer {made.id} is already fully reversed."
            )
        if units != made.extra["units"]:
            raise Refused(400, None, "This mock reverses whole transfers only.")
        account = made.to["account"]
        have = self.ledger.balance(self.short, account, made.currency)
        if have < made.amount_minor:
            raise Refused(
                400,
                "balance_insufficient",
                "The connected account has insufficient funds.",
            )
        self._credit(made, -made.amount_minor)
        made.extra["reversal"] = self.books.random_id("trr_1", 22)
        self.move(made, "reversed")
        return Answer(200, self._reversal(made), self._headers()), "changed"

    def _reversal(self, made: Payment) -> dict:
        return {
            "id": made.extra["reversal"],
            "object": "transfer_reversal",
            "amount": made.extra["units"],
            "balance_transaction": None,
            "created": int(made.changed),
            "currency": made.currency.lower(),
            "metadata": {},
            "transfer": made.id,
        }

    def _cancel(self, request, raw: bytes):
        made = self._found(request)
        if made.state != "pending":
            raise Refused(
                400,
                None,
                "Payouts can only be canceled while they are pending.",
            )
        self.move(made, "canceled")
        return self.show(made), "changed"

    def _ask(self, request, raw: bytes, made):
        if made is None:
            answer = self.error(404, "resource_missing", "No such object")
            return answer, "not_found"
        return self.show(made), "found"

    def show(self, made: Payment, status: int = 200) -> Answer:
        return Answer(status, self.object(made), self._headers())

    def object(self, made: Payment) -> dict:
        form = made.extra["form"]
        body = {
            "id": made.id,
            "object": made.kind,
            "amount": made.extra["units"],
            "balance_transaction": "txn_" + made.id,
            "created": int(made.created),
            "currency": made.currency.lower(),
            "description": form.get("description"),
            "livemode": False,
            "metadata": dict(form.get("metadata", {})),
            "source_type": "card",
        }
        more = self._as_transfer if made.kind == "transfer" else self._as_payout
        return body | more(made, form)

    def _as_transfer(self, made: Payment, form: dict) -> dict:
        back = made.state == "reversed"
        return {
            "amount_reversed": made.extra["units"] if back else 0,
            "destination": form["destination"],
            "destination_payment": "py_" + made.id,
            "reversals": {
                "object": "list",
                "data": [self._reversal(made)] if back else [],
                "has_more": False,
                "url": f"/v1/transfers/{made.id}/reversals",
            },
            "reversed": back,
            "source_transaction": None,
            "transfer_group": form.get("transfer_group"),
        }

    def _as_payout(self, made: Payment, form: dict) -> dict:
        failed = made.state == "failed"
        code = (made.code or "could_not_process") if failed else None
        return {
            "arrival_date": int(made.created) + 2 * DAY_S,
            "automatic": False,
            "destination": made.extra["bank"],
            "failure_balance_transaction": "txn_f" + made.id
            if failed
            else None,
            "failure_code": code,
            "failure_message": WHY.get(code, "It failed.") if failed else None,
            "method": form.get("method", "standard"),
            "original_payout": None,
            "reconciliation_status": "not_applicable",
            "reversed_by": None,
            "statement_descriptor": form.get("statement_descriptor"),
            "status": made.state,
            "trace_id": {"status": "pending", "value": None},
            "type": "bank_account",
        }

    # Lists.

    def bad_query(self, why: str) -> Answer:
        return self.error(400, "parameter_unknown", why)

    def _list(self, request, lag: int, kind: str) -> Answer:
        names = (
            "limit starting_after created[gt] created[gte] created[lt] "
            "created[lte] destination "
        )
        names += "transfer_group" if kind == "transfer" else "status"
        query = lists.parameters(request, names)
        account = request.headers.get("Stripe-Account", "")
        found = [
            each
            for each in reversed(self.ledger.of(self.short, kind))
            if (kind == "transfer" or each.account == account)
            and _fits(self.object(each), query)
        ][lag:]
        cursor = query.get("starting_after", "")
        cursor = "" if self.round and cursor else cursor
        rest = lists.after(found, lambda each: each.id, cursor)
        asked = lists.number(query.get("limit", "10"), "limit")
        page = rest[: lists.size(asked, PAGE_MAX, self.config)]
        body = {
            "object": "list",
            "url": request.path.removeprefix(self.root),
            "has_more": len(rest) > len(page),
            "data": [self.object(each) for each in page],
        }
        return Answer(200, body, self._headers())

    def entries(self, body: dict) -> list:
        return body["data"]

    def loop(self, body: dict, request) -> None:
        body["has_more"] = bool(body["data"])

    # Faults.

    def change_amount(self, body: dict) -> None:
        body["amount"] = body.get("amount", 0) + 100

    def change_currency(self, body: dict) -> None:
        body["currency"] = "eur" if body.get("currency") != "eur" else "chf"

    def change_account(self, body: dict) -> None:
        """A payout's bank account is an id that tells nothing: there it is
        another key's payout."""
        if body.get("object") == "transfer":
            body["destination"] = "acct_other"
        elif "metadata" in body:
            body["metadata"]["payout"] = "other"

    def change_token(self, body: dict) -> None:
        body["id"] = self.books.random_id("po_1", 23)

    # Webhooks.

    def told(self, made: Payment, before: str) -> list:
        """A connected account's events carry its id."""
        event = self.envelope(EVENTS[made.state], self.object(made))
        event["created"] = int(made.changed)
        if made.account:
            event["account"] = made.account
        return [event]

    def envelope(self, kind: str, data: dict) -> dict:
        return {
            "id": self.books.random_id("evt_1", 23),
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(self.clock.now()),
            "data": {"object": data},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }

    def event_object(self, event: dict) -> dict:
        return event["data"]["object"]


def _fits(body: dict, query: dict) -> bool:
    made = body["created"]
    bounds = {
        "created[gt]": lambda at: made > at,
        "created[gte]": lambda at: made >= at,
        "created[lt]": lambda at: made < at,
        "created[lte]": lambda at: made <= at,
    }
    if not all(
        bound(lists.number(query[name], name))
        for name, bound in bounds.items()
        if name in query
    ):
        return False
    return all(
        body[name] == query[name]
        for name in ("destination", "transfer_group", "status")
        if name in query
    )


def _sender(request, raw: bytes) -> Named:
    try:
        form = stripe_form.parse(
            raw, "payout" if request.path.endswith("payouts") else "transfer"
        )
    except BadParameter:
        return Named("")
    return Named(form.get("metadata", {}).get("payout", ""))


def _finder(request, raw: bytes) -> Named:
    return Named(request.query.get("transfer_group", ""))
