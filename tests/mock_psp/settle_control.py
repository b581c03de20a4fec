"""Settlement in the control API: days are closed, payouts fail, the bank
writes statements.
"""

from dataclasses import dataclass

from aiohttp import web

from .bank import Bank
from .dashboard import BadRequest, body_of
from .settle_faults import names


@dataclass
class Nobody:
    """What a message is about that concerns no registration."""

    token: str = ""
    nonce: str = ""


class SettleControl:
    def __init__(self, psp):
        self.psp = psp
        self.settlements = psp.settlements
        self.bank = Bank(psp.books, psp.settlements, psp.dialects)

    def routes(self, root: str) -> list:
        return [
            web.post(f"{root}/settle", self._settle),
            web.get(f"{root}/settle", self._list),
            web.post(f"{root}/payout", self._payout),
            web.post(f"{root}/bank", self._bank),
        ]

    async def _settle(self, request):
        """{dialect, day?, monthly_fee_minor?, withdraw?, pages?, faults?,
        again?, announce?}
        """
        body = await body_of(request)
        dialect = self._dialect(body)
        if "again" in body:
            found = self.settlements.closes_of(dialect.name)
            number = body["again"]
            if type(number) is not int or not 1 <= number <= len(found):
                raise BadRequest("again is the number of a close")
            close = self.settlements.again(found[number - 1], body)
        else:
            close = self.settlements.close(dialect.name, body)
        if body.get("announce", True):
            for event in dialect.settlement.announce(close):
                self.psp.sender.emit(dialect, Nobody(), event)
        return web.json_response(self._shown(close))

    async def _list(self, request):
        closes = [self._shown(each) for each in self.psp.books.closes]
        return web.json_response({"closes": closes})

    async def _payout(self, request):
        """{dialect, id, result: failed | paid}"""
        body = await body_of(request)
        dialect = self._dialect(body)
        payout = self.settlements.payout(dialect.name, body.get("id", ""))
        if payout is None:
            raise BadRequest("no payout has that id")
        if body.get("result") not in ("failed", "paid"):
            raise BadRequest("result is one of failed, paid")
        payout.status = body["result"]
        return web.json_response(_payout(payout))

    async def _bank(self, request):
        return web.json_response(self.bank.statement(await body_of(request)))

    def _dialect(self, body: dict):
        dialect = self.psp.dialects.get(body.get("dialect"))
        if dialect is None:
            raise BadRequest("dialect: one that is spoken")
        return dialect

    def _shown(self, close) -> dict:
        files = self.settlements.files(close)
        return {
            "dialect": close.dialect,
            "number": close.number,
            "day": close.day,
            "version": close.version,
            "payouts": [_payout(each) for each in close.payouts],
            "files": [
                {"name": name, "text": data.decode(errors="surrogateescape")}
                for name, data in files
            ],
        }


def _payout(payout) -> dict:
    shown = {
        name: getattr(payout, name)
        for name in "id reference currency amount status begin end".split()
    }
    return shown | {"rows": [_row(each) for each in payout.rows]}


def _row(row) -> dict:
    about = sorted(each for each in names(row) if each)
    fields = "kind id gross fee net currency foreign word".split()
    return {name: getattr(row, name) for name in fields} | {"about": about}
