"""The control API: what tests use to break the PSP, act as buyers and read
its books.  JSON in, JSON out; 400 with a reason for what it does not know.
"""

import time

from aiohttp import web

from .adyen_after import REFERENCES as ADYEN_REFERENCES
from .aftersale import RESULTS as CHANGE_RESULTS
from .dashboard import BadRequest, Dashboard, body_of, registration
from .dialect import Mail
from .faults import BadFault
from .lifecycle import RESULTS, NotPossible
from .payout.control import PayoutControl
from .settle_control import SettleControl

SETTINGS = {
    "pending_ms": int,
    "key_window_s": (int, float),
    "event_age_s": (int, float),
    "list_page": int,
    "token_s": int,
    "webhook_retry_ms": int,
    "webhook_attempts": int,
    "webhook_timeout_s": (int, float),
    "capture_result": str,
    "refund_result": str,
    "sale_fee_minor": int,
    "refund_fee_minor": int,
    "adyen_reference": str,
    "payout_step_ms": int,
    "payout_fee_minor": int,
}
WORDS = {
    "capture_result": CHANGE_RESULTS,
    "refund_result": CHANGE_RESULTS,
    "adyen_reference": ADYEN_REFERENCES,
}


def _fail(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


@web.middleware
async def reasons(request, handler):
    try:
        return await handler(request)
    except (BadRequest, BadFault) as why:
        return _fail(400, str(why))
    except NotPossible as why:
        return _fail(409, str(why))


class Control:
    def __init__(self, psp):
        self.psp = psp

    def routes(self) -> list:
        root = "/_control"
        return [
            web.get(f"{root}/health", self._health),
            web.post(f"{root}/reset", self._reset),
            web.get(f"{root}/faults", self._list_faults),
            web.post(f"{root}/faults", self._add_faults),
            web.delete(f"{root}/faults", self._clear_faults),
            web.post(f"{root}/faults/release", self._release),
            web.post(f"{root}/settings", self._settings),
            web.post(f"{root}/pay", self._pay),
            web.post(f"{root}/webhook", self._webhook),
            web.get(f"{root}/books", self._books),
            *Dashboard(self.psp).routes(root),
            *SettleControl(self.psp).routes(root),
            *PayoutControl(self.psp).routes(root),
        ]

    async def _health(self, request):
        return web.json_response({"status": "ok", "seed": self.psp.books.seed})

    async def _reset(self, request):
        body = await body_of(request)
        await self.psp.reset(body.get("seed"))
        return web.json_response({"seed": self.psp.books.seed})

    async def _list_faults(self, request):
        queue = [fault.view() for fault in self.psp.faults.queue]
        return web.json_response({"faults": queue})

    async def _add_faults(self, request):
        """One fault, a list of them, or {"faults": [...]}."""
        body = await body_of(request)
        if isinstance(body, dict):
            body = body.get("faults", [body])
        added = [self.psp.faults.add(spec).view() for spec in body]
        return web.json_response({"faults": added}, status=201)

    async def _clear_faults(self, request):
        self.psp.faults.clear()
        return web.json_response({"faults": []})

    async def _release(self, request):
        self.psp.faults.release()
        return web.json_response({})

    async def _settings(self, request):
        body = await body_of(request)
        for name, value in body.items():
            if name == "webhook_urls" and isinstance(value, dict):
                self.psp.config.webhook_urls.update(value)
            elif name in WORDS and value not in WORDS[name]:
                raise BadRequest(f"{name}: {', '.join(WORDS[name])}")
            elif name in SETTINGS and isinstance(value, SETTINGS[name]):
                setattr(self.psp.config, name, value)
            else:
                raise BadRequest(f"no setting {name!r} of that type")
        shown = {name: getattr(self.psp.config, name) for name in SETTINGS}
        urls = {"webhook_urls": self.psp.config.webhook_urls}
        return web.json_response(shown | urls)

    async def _pay(self, request):
        """Acts as a buyer: {token, result, code?, card?, bin?}; 409 when it is
        too late."""
        body = await body_of(request)
        made = registration(self.psp, body)
        made.extra |= {
            name: str(body[name]) for name in ("card", "bin") if name in body
        }
        if body.get("result") not in (*RESULTS, "attempt"):
            raise BadRequest(f"result is one of {', '.join(RESULTS)}, attempt")
        code = body.get("code", "card_declined")
        if body["result"] == "attempt":
            sent = self.psp.lifecycle.attempt(made, code)
        else:
            sent = self.psp.lifecycle.settle(made, body["result"], code)
        answer = made.view() | {"events": [each.id for each in sent]}
        return web.json_response(answer)

    async def _webhook(self, request):
        """Sends one message and returns what the gateway said.

        {dialect, type, data} builds an event, or {body} sends any text; `id`,
        `timestamp`, `sign` (right | wrong | none) and `headers` change the
        envelope.
        """
        body = await body_of(request)
        speakers = self.psp.dialects | self.psp.payouts.providers
        dialect = speakers.get(body.get("dialect"))
        if dialect is None or not self.psp.config.webhook_urls.get(
            dialect.name
        ):
            raise BadRequest("dialect: one with a webhook URL")
        event = dialect.envelope(body.get("type", "test"), body.get("data", {}))
        if "id" in body:
            dialect.rename(event, body["id"])
        raw = body.get("body")
        mail = Mail(
            dialect.event_id(event),
            body.get("timestamp", int(time.time())),
            self.psp.config.webhook_urls[dialect.name],
            dialect.wire(event) if raw is None else raw.encode(),
        )
        if body.get("sign", "right") != "none":
            secret = self.psp.config.webhook_secrets.get(dialect.name)
            if body.get("sign") == "wrong":
                secret = dialect.wrong_secret()
            dialect.sign(secret, mail)
        mail.headers |= body.get("headers", {})
        status, text = await self.psp.sender.post(mail)
        answer = {"id": mail.id, "status": status, "body": text}
        return web.json_response(answer)

    async def _books(self, request):
        """All, or what concerns one ?nonce=, ?token= or ?reference=."""
        wanted = {
            name: request.query[name]
            for name in ("nonce", "token", "reference")
            if name in request.query
        }
        books = self.psp.books
        found = [
            each
            for each in books.registrations
            if all(
                getattr(each, name) == value for name, value in wanted.items()
            )
        ]
        tokens = {each.token for each in found}
        nonces = {each.nonce for each in found}
        if "nonce" in wanted:
            nonces.add(wanted["nonce"])
        calls = [
            call.view()
            for call in books.calls
            if not wanted or call.nonce in nonces or call.token in tokens
        ]
        sent = [
            each.view()
            for each in books.deliveries
            if not wanted or each.token in tokens
        ]
        return web.json_response(
            {
                "registrations": [
                    each.view() | {"money": books.money(each)} for each in found
                ],
                "deeds": [
                    each.view()
                    for each in books.deeds
                    if not wanted or each.made.token in tokens
                ],
                "requests": calls,
                "webhooks": sent,
                "events": [
                    each.view()
                    for each in books.events
                    if not wanted or each.token in tokens
                ],
                "returns": books.returns,
            }
        )
