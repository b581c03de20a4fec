"""The control API of the pay-out providers: their clock, their books, what
becomes of payments.  For tests.
"""

from aiohttp import web

from ..dashboard import BadRequest, body_of


class PayoutControl:
    def __init__(self, psp):
        self.psp = psp
        self.world = psp.payouts

    def routes(self, root: str) -> list:
        root = f"{root}/payouts"
        table = {
            "clock": self._clock,
            "fates": self._fate,
            "move": self._move,
            "balance": self._balance,
            "limit": self._limit,
            "bank": self._bank,
        }
        return [
            web.get(root, self._books),
            *(
                web.post(f"{root}/{name}", self._handler(work))
                for name, work in table.items()
            ),
        ]

    def _handler(self, work):
        async def handler(request):
            return web.json_response(work(await body_of(request)))

        return handler

    def _provider(self, name: object):
        found = self.world.providers.get(f"payout-{name}")
        if found is None:
            raise BadRequest("provider: one that has a key")
        return found

    async def _books(self, request):
        """All, or what concerns one ?provider= and one ?key=."""
        provider = request.query.get("provider")
        key = request.query.get("key")
        books = self.world.books
        found = [
            each
            for each in books.payments
            if provider in (None, each.provider) and key in (None, each.key)
        ]
        balances = [
            {"provider": owner[0], "account": owner[1]}
            | {"currency": owner[2], "minor": minor}
            for owner, minor in books.balances.items()
            if provider in (None, owner[0])
        ]
        calls = [
            call.view()
            for call in self.psp.books.calls
            if call.dialect.startswith("payout-")
            and provider in (None, call.dialect.removeprefix("payout-"))
            and key in (None, call.nonce)
        ]
        return web.json_response(
            {
                "paid": books.paid(found),
                "payments": [each.view() for each in found],
                "balances": balances,
                "fates": [each.view() for each in self.world.fates.queue],
                "requests": calls,
                "clock": self.world.clock.text(),
            }
        )

    def _clock(self, body: dict) -> dict:
        """{advance_s}: what was due in between happens, in its order."""
        seconds = body.get("advance_s", 0)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise BadRequest("advance_s is a number")
        if seconds < 0:
            raise BadRequest("time does not go back")
        self.world.clock.advance(seconds)
        clock = self.world.clock
        return {"now": clock.text(), "offset_s": clock.offset}

    def _fate(self, body: dict) -> dict:
        """{provider, key?, steps, times?, sticky?}"""
        provider = self._provider(body.get("provider"))
        return self.world.fates.add(provider, body).view()

    def _move(self, body: dict) -> dict:
        """{provider, id, state, code?, back_minor?}: one payment, by hand;
        409 when its provider knows no such way.
        """
        provider = self._provider(body.get("provider"))
        made = self.world.books.find(provider.short, str(body.get("id")))
        if made is None:
            raise BadRequest("id: of a payment")
        if "back_minor" in body:
            made.back_minor = _whole(body, "back_minor")
        sent = provider.move(made, body.get("state"), body.get("code"))
        provider.moved(made)
        return made.view() | {"events": [each.id for each in sent]}

    def _balance(self, body: dict) -> dict:
        """{provider, currency, minor, account?}"""
        provider = self._provider(body.get("provider"))
        owner = (provider.short, body.get("account", ""), body.get("currency"))
        self.world.books.balances[owner] = _whole(body, "minor")
        return body

    def _limit(self, body: dict) -> dict:
        """{provider, minor}: the most that one payment may be"""
        provider = self._provider(body.get("provider"))
        self.world.books.limits[provider.short] = _whole(body, "minor")
        return body

    def _bank(self, body: dict) -> dict:
        """The bank that reads and writes files: see its command()."""
        return self._provider("pain001").command(body)


def _whole(body: dict, name: str) -> int:
    value = body.get(name)
    if type(value) is not int:
        raise BadRequest(f"{name} is an integer")
    return value
