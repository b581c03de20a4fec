"""The PSP's API: takes a call, lets the dialect handle it, and spoils the
answer when a fault is waiting.  A dialect makes its routes of the handlers
here.
"""

import asyncio
import contextlib

from .answers import Answer, deliver, spoil
from .lists import BadQuery, repeat

QUESTIONS = ("query", "find", "list", "settlement", "balance", "ask")


class Api:
    def __init__(self, books, faults, lifecycle):
        self.books = books
        self.faults = faults
        self.lifecycle = lifecycle
        self.busy: set[tuple[str, str]] = set()
        self.lag = 0

    def register(self, dialect):
        """A handler that makes a registration: see Dialect.register."""

        async def handler(request):
            return await self._on_register(request, dialect)

        return handler

    def query(self, dialect):
        """A handler that shows the one whose {token} is in the path."""

        def work(request, raw, made):
            answer = dialect.query(request.match_info["token"])
            return answer, "found" if made else "not_found"

        return self.change(dialect, "query", work)

    def listing(self, dialect, operation: str, work, find=None):
        """A handler for a list, which work(request, lag) answers; `lag` is
        how many of the newest entries it does not show yet.
        """

        def nobody(request, raw):
            """A list is about no one registration."""

        def look(request, raw, made):
            try:
                return work(request, self.lag), "listed"
            except BadQuery as why:
                return dialect.bad_query(str(why)), "refused"

        return self.change(dialect, operation, look, find or nobody)

    def settlement(self, dialect, work):
        """A handler for a question about payouts or reports, which
        work(request) answers.
        """
        return self.listing(
            dialect, "settlement", lambda request, lag: work(request)
        )

    def balance(self, dialect, work):
        """A handler for the question about the account's balance."""
        return self.listing(
            dialect, "balance", lambda request, lag: work(request)
        )

    def change(self, dialect, operation: str, work, find=None):
        """A handler for any other call, which work(request, raw, made) does
        and answers with (answer, what happened).

        `made` is the registration that find(request, raw) names, by default
        the one of the path's {token}; None when there is none.
        """

        def of_token(request, raw):
            token = request.match_info.get("token", "")
            return self.books.of_token(dialect.name, token)

        async def handler(request):
            raw = await request.read()
            made = (find or of_token)(request, raw)
            return await self._on_change(
                request, raw, dialect, operation, made, work
            )

        return handler

    async def _on_register(self, request, dialect):
        raw = await request.read()
        nonce = dialect.key(request, raw)
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
            return self._not_accepted(dialect, call.nonce, raw, fault)
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
        await self._late(fault)
        return answer, what

    async def _late(self, fault) -> None:
        """The work is done, its answer waits."""
        if fault and fault.kind == "delay" and not fault.before:
            await asyncio.sleep(fault.ms / 1000)
        if fault and fault.kind == "hold":
            await self.faults.hold(fault)

    def _not_accepted(self, dialect, key, raw, fault):
        answer = spoil(Answer(500, {}), fault, dialect)
        if fault.kind == "status":
            dialect.failed(key, raw, answer, fault)
        return answer, "not_accepted"

    async def _on_change(self, request, raw, dialect, operation, made, work):
        nonce = made.nonce if made else ""
        token = made.token if made else request.match_info.get("token", "")
        call = self.books.call(dialect.name, operation, nonce, token)
        denied = dialect.authorise(request)
        if denied:
            return await self._reply(request, call, denied, "unauthorised")
        if operation not in QUESTIONS:
            call.key = dialect.key(request, raw)
        lock = (dialect.name, operation, call.key)
        if call.key and lock in self.busy:
            busy = dialect.busy(call.key)
            return await self._reply(request, call, busy, "conflict")
        fault = self.faults.take(dialect.name, operation, nonce)
        call.fault = fault.kind if fault else None
        self.busy.add(lock)
        try:
            answer, what = await self._perform(
                request, raw, dialect, (call, made, work), fault
            )
        finally:
            self.busy.discard(lock)
        if fault and fault.kind == "other_token":
            dialect.change_token(answer.body)
        if fault and fault.kind == "repeat" and what == "listed":
            repeat(dialect.entries(answer.body))
        if fault and fault.kind == "loop" and what == "listed":
            dialect.loop(answer.body, request)
        return await self._reply(request, call, answer, what, fault, dialect)

    async def _perform(self, request, raw, dialect, what, fault):
        call, made, work = what
        slow = fault if fault and fault.kind == "delay" else None
        if slow and slow.before:
            await asyncio.sleep(slow.ms / 1000)
        asks = call.operation in QUESTIONS
        if fault and not asks and not fault.accept:
            return self._not_accepted(dialect, call.key, raw, fault)
        self.lag = fault.n if fault and fault.kind == "lag" else 0
        dialect.round = bool(fault and fault.kind == "loop")
        done = work(request, raw, made)
        await self._late(fault)
        if made and fault and fault.kind == "told_first":
            await self._told(made, fault.wait_ms / 1000)
        return done

    async def _told(self, made, limit: float) -> None:
        """Waits until all webhooks about it have been tried."""
        tries = [
            each.tried.wait()
            for each in self.books.deliveries
            if each.token == made.token
        ]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*tries), limit)

    async def _reply(
        self, request, call, answer, what, fault=None, dialect=None
    ):
        answer = spoil(answer, fault, dialect)
        call.outcome = what
        call.status = answer.status
        return await deliver(request, answer, fault, dialect)
