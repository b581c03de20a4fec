"""What the ``generic`` dialect accepts: the members of each body and their
types, and the refusals that say what is wrong.  No sockets, no books.
"""

import json
import time

from . import money

MEMBERS = {
    "nonce": str,
    "reference": str,
    "amount": str,
    "currency": str,
    "expires_at": int,
    "return_url": str,
    "lines": list,
}
OPTIONAL = {"capture": str, "challenge": bool}
LINE_MEMBERS = {"payment_order_id": str, "name": str, "amount": str}
CHANGE_MEMBERS = {"nonce": str, "reference": str}
MONEY_MEMBERS = CHANGE_MEMBERS | {"amount": str, "currency": str}
MORE_MEMBERS = {
    "capture": {"reason": str, "final": bool},
    "refund": {"reason": str},
}
REASON_MAX = 100
CHANGE_NONCE_MAX = 80
LINES_MAX = 20
NONCE_MAX = 64


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code = status, code


def _known(body: object, optional: dict) -> dict:
    """The optional members that are there."""
    if not isinstance(body, dict):
        return {}
    return {name: kind for name, kind in optional.items() if name in body}


def _typed(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not (
        kind is int and isinstance(value, bool)
    )


def _members(body: object, wanted: dict, where: str) -> None:
    if not isinstance(body, dict):
        raise Refused(422, "invalid_request", f"{where} is no object")
    for name in body:
        if name not in wanted:
            raise Refused(422, "unknown_member", f"{where}: {name[:40]}")
    for name, kind in wanted.items():
        if not _typed(body.get(name), kind):
            raise Refused(422, "invalid_request", f"{where}: {name}")


def _only_once(pairs: list) -> dict:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("duplicate member")
    return dict(pairs)


def _load(request, raw: bytes):
    if request.content_type != "application/json":
        raise Refused(415, "invalid_request", "send application/json")
    try:
        return json.loads(raw, object_pairs_hook=_only_once)
    except ValueError:
        raise Refused(400, "invalid_json", "the body is no JSON") from None


def registration(request, raw: bytes, nonce: str, *, is_new: bool) -> dict:
    body = _load(request, raw)
    _members(body, MEMBERS | _known(body, OPTIONAL), "body")
    if body.get("capture", "manual") != "manual":
        raise Refused(422, "invalid_request", "capture")
    if not 1 <= len(nonce) <= NONCE_MAX or body["nonce"] != nonce:
        raise Refused(422, "nonce_invalid", "Idempotency-Key != nonce")
    if not 1 <= len(body["lines"]) <= LINES_MAX:
        raise Refused(422, "invalid_request", "lines: 1 to 20")
    if not body["return_url"].startswith(("https://", "http://")):
        raise Refused(422, "invalid_request", "return_url")
    if is_new and body["expires_at"] <= time.time():
        raise Refused(422, "expires_at_invalid", "in the past")
    _check_amounts(body)
    return body


def _check_amounts(body: dict) -> None:
    currency = body["currency"]
    try:
        total = money.parse(body["amount"], currency)
        lines = 0
        for line in body["lines"]:
            _members(line, LINE_MEMBERS, "line")
            lines += money.parse(line["amount"], currency)
    except KeyError:
        raise Refused(422, "currency_unknown", currency[:8]) from None
    except money.BadAmount as reason:
        raise Refused(422, "amount_invalid", str(reason)) from None
    if lines != total:
        raise Refused(422, "amount_invalid", "lines do not add up")


def change(request, raw: bytes, nonce: str, operation: str) -> dict:
    body = _load(request, raw)
    moves = operation in ("capture", "refund")
    wanted = MONEY_MEMBERS if moves else CHANGE_MEMBERS
    wanted = wanted | _known(body, MORE_MEMBERS.get(operation, {}))
    _members(body, wanted, "body")
    if not 1 <= len(nonce) <= CHANGE_NONCE_MAX or body["nonce"] != nonce:
        raise Refused(422, "nonce_invalid", "Idempotency-Key != nonce")
    if not nonce.endswith(f":{operation}"):
        raise Refused(422, "nonce_invalid", "of another change")
    if not 0 <= len(body.get("reason", "")) <= REASON_MAX:
        raise Refused(422, "invalid_request", "reason")
    return body


def minor(made, body: dict) -> int:
    if body["currency"] != made.currency:
        raise Refused(422, "currency_invalid", "not the registration's")
    try:
        return money.parse(body["amount"], body["currency"])
    except money.BadAmount as reason:
        raise Refused(422, "amount_invalid", str(reason)) from None
