"""The PSP's dashboard, as a part of the control API: what its staff, banks and
time do to a payment without a call of ours.  Amounts are minor units; without
one it is all that there is.
"""

import json

from aiohttp import web


class BadRequest(Exception):
    """The control API was asked for what it does not know."""


async def body_of(request) -> dict | list:
    raw = await request.read()
    try:
        return json.loads(raw) if raw else {}
    except ValueError:
        raise BadRequest("the body is no JSON") from None


def registration(psp, body: dict):
    made = psp.books.by_token.get(body.get("token"))
    if made is None:
        raise BadRequest("no registration has that token")
    return made


def _amount(body: dict, name: str = "amount_minor") -> int | None:
    value = body.get(name)
    if value is not None and type(value) is not int:
        raise BadRequest(f"{name} is an integer")
    return value


def _one_of(body: dict, name: str, words: tuple) -> str:
    """The first word when there is none."""
    value = body.get(name, words[0])
    if value not in words:
        raise BadRequest(f"{name} is one of {', '.join(words)}")
    return value


class Dashboard:
    def __init__(self, psp):
        self.psp = psp

    def routes(self, root: str) -> list:
        table = {
            "capture": self._capture,
            "release": self._release,
            "refund": self._refund,
            "dispute": self._dispute,
            "fee": self._fee,
            "end": self._end,
        }
        return [
            web.post(f"{root}/{name}", self._handler(work))
            for name, work in table.items()
        ]

    def _handler(self, work):
        async def handler(request):
            return web.json_response(work(await body_of(request)))

        return handler

    def _capture(self, body: dict) -> dict:
        """{token, amount_minor?, final?}"""
        made = registration(self.psp, body)
        deed = self.psp.aftersale.capture(
            made, _amount(body), final=bool(body.get("final"))
        )
        return deed.view()

    def _release(self, body: dict) -> dict:
        """{token, result?: cancelled (a void) | expired (time has run out)}"""
        made = registration(self.psp, body)
        result = _one_of(body, "result", ("cancelled", "expired"))
        self.psp.aftersale.release(made, result)
        return made.view()

    def _refund(self, body: dict) -> dict:
        """{token, amount_minor?, result?, reason?: reversed (the PSP itself
        takes the money back, which PayPal tells in its own way)}
        """
        made = registration(self.psp, body)
        result = _one_of(body, "result", ("done", "pending", "failed"))
        deed = self.psp.aftersale.refund(
            made,
            _amount(body),
            result=result,
            reason=_one_of(body, "reason", ("", "reversed")),
        )
        return deed.view()

    def _dispute(self, body: dict) -> dict:
        """{token, amount_minor?, fee_minor?, code?}"""
        made = registration(self.psp, body)
        deed = self.psp.aftersale.dispute(
            made,
            _amount(body),
            _amount(body, "fee_minor") or 0,
            body.get("code", "fraudulent"),
        )
        return deed.view()

    def _fee(self, body: dict) -> dict:
        """{token, amount_minor, currency?, status?: charged | returned}"""
        made = registration(self.psp, body)
        minor = _amount(body)
        if not minor or minor < 1:
            raise BadRequest("amount_minor is a number from 1 on")
        status = _one_of(body, "status", ("charged", "returned"))
        currency = body.get("currency", made.currency)
        return self.psp.aftersale.fee(made, minor, currency, status).view()

    def _end(self, body: dict) -> dict:
        """{id, result, code?, returns_fee?}: what becomes of a capture
        (done, failed), a refund (done, failed; then returned) or a dispute
        (won, lost).
        """
        deed = self.psp.books.deed(body.get("id", ""))
        after = self.psp.aftersale
        if deed is None or deed.kind == "fee":
            raise BadRequest("no capture, refund or dispute has that id")
        if deed.kind == "capture":
            after.end_capture(deed, _one_of(body, "result", ("done", "failed")))
        elif deed.kind == "refund":
            words = ("done", "failed", "returned")
            result = _one_of(body, "result", words)
            after.end_refund(deed, result, body.get("code"))
        else:
            result = _one_of(body, "result", ("won", "lost"))
            returns = bool(body.get("returns_fee"))
            after.end_dispute(deed, result, returns_fee=returns)
        return deed.view()
