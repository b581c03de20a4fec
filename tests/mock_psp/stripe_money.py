"""What is done to Stripe's PaymentIntents and charges: captures, cancels and
refunds by the API, with Stripe's idempotency keys, and the events that tell
of these, of refunds that end later and of disputes.
"""

from aiohttp import web

from . import money, stripe_form
from .lifecycle import NotPossible
from .stripe_form import BadParameter
from .stripe_objects import Objects

INTENTS = "/stripe/v1/payment_intents"
REFUNDS = "/stripe/v1/refunds"
EXPANDS = (
    "payment_intent",
    "payment_intent.latest_charge",
    "payment_intent.latest_charge.balance_transaction",
)


class Failed(Exception):
    """An answer of Stripe's, once execution has begun: stored by the key."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer


def expansions(query) -> set:
    """expand[] of a question about a session → the names in the paths."""
    names: set = set()
    for name, value in query.items():
        if not name.startswith("expand["):
            raise BadParameter(
                "parameter_unknown", f"Received unknown parameter: {name[:80]}"
            )
        if value not in EXPANDS:
            raise BadParameter(
                "parameter_invalid", f"Cannot expand {value[:80]}", "expand"
            )
        names |= set(value.split("."))
    return names


class Money:
    def __init__(self, dialect):
        self.dialect = dialect
        self.books = dialect.books
        self.objects = Objects(dialect.books)

    def routes(self, api) -> list:
        table = [
            ("capture", INTENTS + "/{intent}/capture", self._capture),
            ("cancel", INTENTS + "/{intent}/cancel", self._cancel),
            ("refund", REFUNDS, self._refund),
        ]
        show = api.change(self.dialect, "query", self._show, self._whose)
        made = [web.get(INTENTS + "/{intent}", show)]
        for name, path, work in table:
            handler = self._once(name, work)
            handler = api.change(self.dialect, name, handler, self._whose)
            made.append(web.post(path, handler))
        return made

    def _whose(self, request, raw: bytes):
        """The registration of the PaymentIntent in the path or the form."""
        intent = request.match_info.get("intent")
        if intent is None:
            try:
                form = stripe_form.parse(raw, "refund")
            except BadParameter:
                return None
            intent = form.get("payment_intent", "")
        return self.books.of_payment(self.dialect.name, intent)

    def _once(self, tree: str, work):
        """A handler that runs once a key, and answers a repeat as at first."""
        dialect = self.dialect

        def handler(request, raw, made):
            key = dialect.key(request, raw)
            if dialect.recall(key, raw):
                answer, _, what = dialect.replay(key, raw)
                return answer, what
            try:
                form = stripe_form.parse(raw, tree)
                answer, what = work(form, made, key)
            except BadParameter as why:
                answer = dialect.error(400, why.code, str(why), why.param)
                return answer, "refused"
            except Failed as why:
                answer, what = why.answer, "refused"
            dialect.remember(key, raw, answer)
            return answer, what

        return handler

    def _found(self, made, intent="payment_intent"):
        if made is None:
            raise Failed(
                self.dialect.error(
                    404,
                    "resource_missing",
                    "No such payment_intent",
                    intent,
                )
            )
        return made

    def _fail(self, code: str, message: str, param=None) -> Failed:
        return Failed(self.dialect.error(400, code, message, param))

    def _answer(self, body: dict):
        return self.dialect.answer(body)

    def _show(self, request, raw, made):
        try:
            self._found(made)
        except Failed as why:
            return why.answer, "not_found"
        return self._answer(self.objects.intent(made)), "found"

    def _minor(self, made, units) -> int | None:
        """Stripe's units → ISO minor units; None stays None."""
        if units is None:
            return None
        try:
            return money.from_stripe(units, made.currency)
        except money.BadAmount as why:
            raise BadParameter(
                "parameter_invalid_integer", str(why), "amount"
            ) from None

    def _several(self, made) -> bool:
        options = made.extra["form"].get("payment_method_options", {})
        asked = options.get("card", {}).get("request_multicapture")
        return asked == "if_available"

    def _capture(self, form: dict, made, key: str):
        self._held(made, "captured")
        minor = self._minor(made, form.get("amount_to_capture"))
        final = form.get("final_capture", "true") == "true"
        if not final and not self._several(made):
            raise BadParameter(
                "parameter_invalid", "No multicapture here", "final_capture"
            )
        made.extra["said"] = form.get("metadata", {})
        result = self.dialect.config.capture_result
        if result == "failed":
            raise self._fail(
                "capture_charge_authorization_expired",
                "The authorization of this charge has expired.",
            )
        try:
            self.dialect.aftersale.capture(
                made, minor, final=final, key=key, result=result
            )
        except NotPossible:
            raise self._fail(
                "amount_too_large",
                "The amount to capture is greater than what is left.",
                "amount_to_capture",
            ) from None
        return self._answer(self.objects.intent(made)), "changed"

    def _held(self, made, verb: str) -> None:
        self._found(made, "intent")
        state = self.objects.intent(made)["status"]
        if state != "requires_capture":
            raise self._fail(
                "payment_intent_unexpected_state",
                f"This PaymentIntent could not be {verb} because it has a "
                f"status of {state}.",
            )

    def _cancel(self, form: dict, made, key: str):
        self._held(made, "canceled")
        self.dialect.aftersale.release(made)
        return self._answer(self.objects.intent(made)), "changed"

    def _refund(self, form: dict, made, key: str):
        self._found(made)
        left = self.books.money(made)["refundable"]
        minor = self._minor(made, form.get("amount"))
        minor = left if minor is None else minor
        if not made.captured_minor:
            raise self._fail(
                "payment_intent_unexpected_state",
                "This PaymentIntent does not have a successful charge to "
                "refund.",
            )
        if self.books.deeds_of(made, "dispute", "open", "lost"):
            raise self._fail("charge_disputed", "This charge was charged back.")
        if left == 0:
            raise self._fail(
                "charge_already_refunded",
                f"Charge {self.objects.charge_id(made)} has already been "
                "refunded.",
            )
        if not 0 < minor <= left:
            raise self._fail(
                None,
                "Refund amount is greater than unrefunded amount",
                "amount",
            )
        deed = self.dialect.aftersale.refund(
            made,
            minor,
            key=key,
            reason=form.get("reason", ""),
            result=self.dialect.config.refund_result,
            extra={"metadata": form.get("metadata", {})},
        )
        return self._answer(self.objects.refund(deed)), "changed"

    # Events.

    def _events(self, *pairs) -> list:
        return [self.dialect.envelope(kind, body) for kind, body in pairs]

    def held(self, made) -> list:
        return self._events(
            (
                "payment_intent.amount_capturable_updated",
                self.objects.intent(made),
            ),
        )

    def attempted(self, made, code: str) -> list:
        charge = self.objects.declined_charge(made, code)
        intent = self.objects.declined_intent(made, code, charge)
        pairs = [("payment_intent.payment_failed", intent)]
        if charge:
            pairs.insert(0, ("charge.failed", charge))
        return self._events(*pairs)

    def given_back(self, made) -> list:
        last = "expired" if made.status == "expired" else "refunded"
        return self._events(
            ("payment_intent.canceled", self.objects.intent(made)),
            (f"charge.{last}", self.objects.charge(made)),
        )

    def rest_released(self, made) -> list:
        return self._events(
            ("payment_intent.succeeded", self.objects.intent(made))
        )

    def told(self, deed, before: str) -> list:
        work = {
            "capture": self._told_capture,
            "refund": self._told_refund,
            "dispute": self._told_dispute,
        }.get(deed.kind)
        return work(deed, before) if work else []

    def _told_capture(self, deed, before: str) -> list:
        made = deed.made
        intent = self.objects.intent(made)
        if deed.status == "failed":
            return self._events(("payment_intent.payment_failed", intent))
        ended = made.status == "paid"
        kind = "succeeded" if ended else "amount_capturable_updated"
        return self._events(
            (f"payment_intent.{kind}", intent),
            ("charge.captured", self.objects.charge(made)),
        )

    def _told_refund(self, deed, before: str) -> list:
        refund = self.objects.refund(deed)
        kind = "refund.updated" if before else "refund.created"
        pairs = [(kind, refund)]
        if deed.status in ("failed", "returned"):
            pairs.append(("refund.failed", refund))
        if deed.status == "done":
            pairs.append(("charge.refunded", self.objects.charge(deed.made)))
        return self._events(*pairs)

    def _told_dispute(self, deed, before: str) -> list:
        dispute = self.objects.dispute(deed)
        if deed.status == "open":
            return self._events(
                ("charge.dispute.created", dispute),
                ("charge.dispute.funds_withdrawn", dispute),
            )
        pairs = [("charge.dispute.closed", dispute)]
        if deed.status == "won":
            pairs.insert(0, ("charge.dispute.funds_reinstated", dispute))
        return self._events(*pairs)
