"""A provider of sanctions screening: docs/payout-providers.md#screening.

The holder's name decides: "Listed …" is a hit, "Unanswered …" is an outage,
"Swapped …" gets the answer to another question, all others are clear.
"""

import hashlib
import json

from aiohttp import web


class Screening:
    def __init__(self, config):
        self.key = config.keys.get("payout-generic")

    def routes(self) -> list:
        return [web.post("/screening/v1/screenings", self._screen)]

    async def _screen(self, request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _error(401, "unauthorized")
        try:
            body = json.loads(await request.read())
            id_, name = body["id"], body["name"]
        except (ValueError, KeyError, TypeError):
            return _error(422, "invalid_request")
        if request.headers.get("Idempotency-Key") != id_:
            return _error(422, "key_invalid")
        if name.startswith("Unanswered"):
            return _error(503, "unavailable")
        if name.startswith("Swapped"):
            id_ += "0"
        answer = {"id": id_, "result": "clear"}
        if name.startswith("Listed"):
            digest = hashlib.sha256(name.encode()).hexdigest()
            answer |= {"result": "hit", "reference": f"case-{digest[:8]}"}
        return web.json_response(answer)


def _error(status: int, code: str) -> web.Response:
    error = {"code": code, "message": code}
    return web.json_response({"error": error}, status=status)
