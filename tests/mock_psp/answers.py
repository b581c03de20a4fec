"""Answers of the API and the ways in which a fault spoils them.

``Answer`` is plain data; ``spoil`` changes it as a fault asks, ``deliver``
puts it on the wire, where some faults cut the connection.
"""

import asyncio
import copy
import gzip
import json
import socket
import struct
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Answer:
    status: int
    body: object = None
    headers: dict = field(default_factory=dict)
    raw: bytes | None = None

    def payload(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return json.dumps(self.body, indent=2).encode() + b"\n"


def _malformed(answer: Answer, fault, dialect) -> None:
    text = answer.payload()
    answer.raw = text[: max(1, len(text) * 2 // 3)]


def _huge(answer: Answer, fault, dialect) -> None:
    answer.body["padding"] = "x" * fault.bytes


def _gzip_bomb(answer: Answer, fault, dialect) -> None:
    text = answer.payload().rstrip()
    answer.raw = gzip.compress(text + b" " * fault.bytes, 9, mtime=0)
    answer.headers["Content-Encoding"] = "gzip"


def _html(answer: Answer, fault, dialect) -> None:
    answer.status = 200
    answer.raw = (
        b"<!doctype html><title>Maintenance</title><h1>Back soon</h1>\n"
    )
    answer.headers["Content-Type"] = "text/html"


def _redirect(answer: Answer, fault, dialect) -> None:
    answer.status = fault.status
    answer.raw = b""
    answer.headers["Location"] = fault.location


def _status(answer: Answer, fault, dialect) -> None:
    spoilt = dialect.trouble(fault.status)
    answer.status, answer.body = fault.status, spoilt.body
    answer.headers = spoilt.headers
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = str(fault.retry_after)


def _ok_with_error(answer: Answer, fault, dialect) -> None:
    answer.status = 200
    answer.body = dialect.trouble(500).body


def _wrong_amount(answer: Answer, fault, dialect) -> None:
    dialect.change_amount(answer.body)


def _wrong_currency(answer: Answer, fault, dialect) -> None:
    dialect.change_currency(answer.body)


def _wrong_account(answer: Answer, fault, dialect) -> None:
    dialect.change_account(answer.body)


def _refuse(answer: Answer, fault, dialect) -> None:
    refused = dialect.refuse(fault.status, fault.code)
    answer.status, answer.body = refused.status, refused.body
    answer.headers = refused.headers


def _wrong_balance(answer: Answer, fault, dialect) -> None:
    dialect.settlement.change_balance(answer.body, fault.by_minor)


def _evil_host(answer: Answer, fault, dialect) -> None:
    dialect.change_url(answer.body, fault.url)


SPOILERS = {
    "malformed": _malformed,
    "huge": _huge,
    "gzip_bomb": _gzip_bomb,
    "html": _html,
    "redirect": _redirect,
    "status": _status,
    "ok_with_error": _ok_with_error,
    "wrong_amount": _wrong_amount,
    "wrong_currency": _wrong_currency,
    "refuse": _refuse,
    "wrong_account": _wrong_account,
    "wrong_balance": _wrong_balance,
    "evil_host": _evil_host,
}


def spoil(answer: Answer, fault, dialect) -> Answer:
    """A copy: the stored answer of an idempotency key stays clean."""
    spoiler = SPOILERS.get(fault.kind) if fault else None
    if not spoiler:
        return answer
    spoilt = copy.deepcopy(answer)
    spoiler(spoilt, fault, dialect)
    return spoilt


def _render(answer: Answer) -> bytes:
    body = answer.payload()
    head = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {len(body)}"]
    headers = {"Content-Type": "application/json"} | answer.headers
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def cut(request: web.Request, sent: bytes = b"") -> web.Response:
    """Sends some bytes of an answer, then resets the connection."""
    transport = request.transport
    if transport is not None:
        if sent:
            transport.write(sent)
        sock = transport.get_extra_info("socket")
        linger = struct.pack("ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response(status=500)


async def _slowly(request: web.Request, answer: Answer, ms: int):
    body = answer.payload()
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = "application/json"
    response.content_length = len(body)
    await response.prepare(request)
    step = max(1, len(body) // 20)
    for start in range(0, len(body), step):
        await response.write(body[start : start + step])
        await asyncio.sleep(ms / 20 / 1000)
    return response


def _cut_at(answer: Answer, fault) -> bytes:
    """The bytes of the answer that still go out."""
    whole = _render(answer)
    head = len(whole) - len(answer.payload()) if fault.body else 0
    return whole[: head + fault.at]


async def _twice(request: web.Request, answer: Answer, dialect):
    """Behind the answer a second one that nobody asked for, on the same
    connection and with another token: whoever reads it takes it for the
    answer to his next call.
    """
    headers = {"Content-Type": "application/json"} | answer.headers
    response = web.Response(
        status=answer.status, body=answer.payload(), headers=headers
    )
    other = copy.deepcopy(answer)
    if isinstance(other.body, dict):
        dialect.change_token(other.body)
    await response.prepare(request)
    await response.write_eof()
    if request.transport is not None:
        request.transport.write(_render(other))
    return response


async def deliver(request: web.Request, answer: Answer, fault, dialect=None):
    kind = fault.kind if fault else None
    if kind in ("drop", "drop_after_accept"):
        return cut(request)
    if kind == "reset_at_byte":
        return cut(request, _cut_at(answer, fault))
    if kind == "answer_twice":
        return await _twice(request, answer, dialect)
    if kind == "slow_body":
        return await _slowly(request, answer, fault.ms)
    headers = {"Content-Type": "application/json"} | answer.headers
    return web.Response(
        status=answer.status, body=answer.payload(), headers=headers
    )
