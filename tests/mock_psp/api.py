"""The PSP's API: takes a call, lets the dialect handle it, and spoils the
answer when a fault is waiting.
"""

import asyncio

from aiohttp import web

from .answers import Answer, deliver, spoil


class Api:
    def __init__(self, books, faults, lifecycle, dialects):
        self.books = books
        self.faults = faults
        self.lifecycle = lifecycle
        self.dialects = dialects
        self.busy: set[tuple[str, str]] = set()

    def routes(self) -> list:
        generic, stripe = self.dialects["generic"], self.dialects["stripe"]
        sessions = "/stripe/v1/checkout/sessions"
        registrations = "/generic/v1/registrations"
        return [
            web.post(registrations, self._register(generic)),
            web.get(registrations + "/{token}", self._query(generic)),
            web.post(sessions, self._register(stripe)),
            web.get(sessions + "/{token}", self._query(stripe)),
            web.post(sessions + "/{token}/expire", self._expire),
        ]

    def _register(self, dialect):
        async def handler(request):
            return await self._on_register(request, dialect)

        return handler

    def _query(self, dialect):
        async def handler(request):
            return await self._on_query(request, dialect)

        return handler

    async def _on_register(self, request, dialect):
        raw = await request.read()
        nonce = request.headers.get("Idempotency-Key", "")
        call = self.books.call(dialect.name, "register", nonce, "")
        denied = dialect.authorise(request)
        if denied:
            return await self._reply(request, call, denied, "unauthorised")
        lock = (dialect.name, nonce)
        if nonce and lock in self.busy:
            busy = dialect.busy(nonce)
            return await self._reply(request, call, busy, "conflict")
        fault = self.faults.take(dialect.name, "register", nonce)
        call.fault = fault.kind if fault else None
        self.busy.add(lock)
        try:
            answer, what = await self._execute(
                request, dialect, call, raw, fault
            )
        finally:
            self.busy.discard(lock)
        return await self._reply(request, call, answer, what, fault, dialect)

    async def _execute(self, request, dialect, call, raw, fault):
        if fault and fault.kind == "delay" and fault.before:
            await asyncio.sleep(fault.ms / 1000)
        if fault and not fault.accept:
            return self._not_accepted(dialect, call, raw, fault)
        answer, made, what = dialect.register(request, raw)
        if made:
            call.token = made.token
            early = what == "created" and self.faults.take(
                dialect.name, "webhook", call.nonce, only="early"
            )
            if early:
                await self.lifecycle.early(made, early)
            if fault and fault.kind == "other_token":
                answer = dialect.show(dialect.twin(made), answer.status)
        if fault and fault.kind == "delay" and not fault.before:
            await asyncio.sleep(fault.ms / 1000)
        return answer, what

    def _not_accepted(self, dialect, call, raw, fault):
        answer = spoil(Answer(500, {}), fault, dialect)
        if fault.kind == "status" and dialect.name == "stripe":
            stored = fault.stored
            keeps = fault.status == 500 if stored is None else stored
            if keeps and call.nonce not in dialect.stored:
                dialect.remember(call.nonce, raw, answer)
        return answer, "not_accepted"

    async def _on_query(self, request, dialect):
        token = request.match_info["token"]
        made = self.books.of_token(dialect.name, token)
        nonce = made.nonce if made else ""
        call = self.books.call(dialect.name, "query", nonce, token)
        denied = dialect.authorise(request)
        if denied:
            return await self._reply(request, call, denied, "unauthorised")
        fault = self.faults.take(dialect.name, "query", nonce)
        call.fault = fault.kind if fault else None
        answer = dialect.query(token)
        if fault and fault.kind == "delay":
            await asyncio.sleep(fault.ms / 1000)
        if fault and fault.kind == "other_token":
            dialect.change_token(answer.body)
        what = "found" if made else "not_found"
        return await self._reply(request, call, answer, what, fault, dialect)

    async def _expire(self, request):
        dialect = self.dialects["stripe"]
        token = request.match_info["token"]
        made = self.books.of_token("stripe", token)
        nonce = made.nonce if made else ""
        call = self.books.call("stripe", "expire", nonce, token)
        denied = dialect.authorise(request)
        if denied:
            return await self._reply(request, call, denied, "unauthorised")
        if made and made.status != "open":
            answer = dialect.error(
                400,
                None,
                "Only Checkout Sessions with a status open can be expired.",
            )
            return await self._reply(request, call, answer, "refused")
        if made:
            self.lifecycle.settle(made, "expired")
        return await self._reply(request, call, dialect.query(token), "expired")

    async def _reply(
        self, request, call, answer, what, fault=None, dialect=None
    ):
        answer = spoil(answer, fault, dialect)
        call.outcome = what
        call.status = answer.status
        return await deliver(request, answer, fault)
