"""An external provider of risk: docs/risk.md#external-provider.

The buyer's id decides, which the gateway sends when its block says `send
buyer`: "block-…", "review-…" and "challenge-…" get that word, those of
``TROUBLE`` an answer that is none, all others are allowed.  An id that is
asked about again gets the same word.  `GET /risk/questions` shows what was
asked.
"""

import asyncio
import base64
import hashlib
import hmac
import json

from aiohttp import web

WORDS = ("allow", "challenge", "review", "block")
HUGE = 10_000_000
LONG_S = 30


class Risk:
    def __init__(self, config):
        self.config = config
        self.questions: list[dict] = []

    def routes(self) -> list:
        return [
            web.post("/risk/v1/decisions", self._decide),
            web.get("/risk/questions", self._questions),
        ]

    async def _questions(self, request) -> web.Response:
        return web.json_response(self.questions)

    async def _decide(self, request) -> web.StreamResponse:
        raw = await request.read()
        if not self._is_signed(request.headers, raw):
            return web.json_response({"error": "signature"}, status=401)
        body = json.loads(raw)
        key = request.headers.get("Idempotency-Key")
        if key != body["id"] or key != request.headers["webhook-id"]:
            return web.json_response({"error": "key"}, status=422)
        self.questions.append(body)
        kind = body["personal"].get("buyer", "").split("-")[0]
        trouble = TROUBLE.get(kind)
        if trouble is not None:
            return await trouble(request, body)
        word = kind if kind in WORDS else "allow"
        return _answer(body["id"], word)

    def _is_signed(self, headers, raw: bytes) -> bool:
        """Standard Webhooks 1.0; the file may come after the start."""
        text = (self.config.secrets / "risk.whsec").read_text().strip()
        key = base64.b64decode(text.removeprefix("whsec_"))
        head = [headers.get("webhook-id"), headers.get("webhook-timestamp"), ""]
        text = ".".join(map(str, head)).encode() + raw
        mac = hmac.new(key, text, hashlib.sha256).digest()
        wanted = "v1," + base64.b64encode(mac).decode()
        return wanted in headers.get("webhook-signature", "").split(" ")


def _answer(id_: str, word: str) -> web.Response:
    digest = hashlib.sha256(id_.encode()).hexdigest()
    return web.json_response(
        {"id": id_, "decision": word, "reference": f"risk-{digest[:8]}"}
    )


async def _hang(request, body) -> web.Response:
    await asyncio.sleep(LONG_S)
    return _answer(body["id"], "block")


async def _drip(request, body) -> web.StreamResponse:
    """A byte a second."""
    response = web.StreamResponse()
    await response.prepare(request)
    for byte in _answer(body["id"], "block").body:
        await response.write(bytes([byte]))
        await asyncio.sleep(1)
    return response


async def _huge(request, body) -> web.Response:
    return web.Response(body=b" " * HUGE, content_type="application/json")


async def _broken(request, body) -> web.Response:
    text = f'{{"id":"{body["id"]}","decision":"block"'
    return web.Response(text=text, content_type="application/json")


async def _doubled(request, body) -> web.Response:
    text = f'{{"id":"{body["id"]}","decision":"allow","decision":"block"}}'
    return web.Response(text=text, content_type="application/json")


async def _status(request, body) -> web.Response:
    return web.json_response({"error": "unavailable"}, status=500)


async def _redirect(request, body) -> web.Response:
    raise web.HTTPTemporaryRedirect("/risk/v1/decisions")


async def _strange(request, body) -> web.Response:
    return _answer(body["id"], "Block")


async def _swapped(request, body) -> web.Response:
    return _answer(body["id"][::-1], "block")


TROUBLE = {
    "hang": _hang,
    "drip": _drip,
    "huge": _huge,
    "broken": _broken,
    "doubled": _doubled,
    "status": _status,
    "redirect": _redirect,
    "strange": _strange,
    "swapped": _swapped,
}
