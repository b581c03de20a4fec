"""A storefront in two pages, where buyers come back to after paying.

It shows what a real shop should do with the gateway's signed result: check
the HMAC before believing a word of it.
"""

import base64
import hashlib
import hmac
import html
import json
import time

from aiohttp import web

from .hosted import page


def _unpack(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read_result(token: str, key: bytes) -> dict | None:
    """The claims of an HS256 token, or None when it is not to be believed."""
    try:
        head, claims, mac = token.split(".")
        if json.loads(_unpack(head)).get("alg") != "HS256":
            return None
        signed = f"{head}.{claims}".encode()
        right = hmac.new(key, signed, hashlib.sha256).digest()
        if not hmac.compare_digest(right, _unpack(mac)):
            return None
        read = json.loads(_unpack(claims))
        return read if read.get("exp", time.time() + 1) > time.time() else None
    except (ValueError, AttributeError, TypeError):
        return None


class Shop:
    def __init__(self, books, config):
        self.books = books
        self.config = config

    def routes(self) -> list:
        return [
            web.get("/shop/", self._index),
            web.get("/shop/return", self._returned),
        ]

    async def _index(self, request):
        return page("Shop", "<h1>A shop</h1><p>Orders are made by the API.</p>")

    async def _returned(self, request):
        query = dict(request.query)
        result = query.get("result")
        claims = None
        if result and self.config.result_key:
            claims = read_result(result, self.config.result_key)
        verdict = "absent"
        if result:
            verdict = "valid" if claims else "invalid"
        visit = {"query": query, "signature": verdict, "result": claims}
        self.books.returns.append(visit)
        rows = "".join(
            f"<dt>{html.escape(str(name))}</dt>"
            f"<dd>{html.escape(str(value))}</dd>"
            for name, value in (claims or {}).items()
        )
        body = (
            "<h1>Back in the shop</h1>"
            f'<p>Signature of the result: <strong id="signature">{verdict}'
            f"</strong></p><dl>{rows}</dl>"
        )
        return page("Back in the shop", body)
