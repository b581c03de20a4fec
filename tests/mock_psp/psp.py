"""Puts the parts together: one PSP with its dialects on one port."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from . import control
from .aftersale import Aftersale
from .api import Api
from .books import Books
from .dialects import DIALECTS
from .faults import Faults
from .hosted import Hosted
from .lifecycle import Lifecycle
from .payout.providers import Payouts
from .risk import Risk
from .screening import Screening
from .settle import Settlements
from .shop import Shop
from .webhooks import Sender


@dataclass
class Config:
    """The keys' names are the dialects that are spoken."""

    public_url: str
    keys: dict
    webhook_secrets: dict
    webhook_urls: dict = field(default_factory=dict)
    webhook_ca: str | None = None
    webhook_retry_ms: int = 500
    webhook_attempts: int = 12
    webhook_timeout_s: float = 10
    pending_ms: int = 1500
    # For how long a key is known; 0: for ever.
    key_window_s: float = 0
    # How long ago a new event is said to have been made, in lists.
    event_age_s: float = 0
    # The most entries of a page of a list.
    list_page: int = 6
    # What becomes of captures and refunds that the API asks for: done,
    # pending (until the control API says more) or failed.
    capture_result: str = "done"
    refund_result: str = "done"
    # What the PSP keeps of a sale or capture, and takes for a refund.
    sale_fee_minor: int = 0
    refund_fee_minor: int = 0
    # Whose reference Adyen's items about a change have: that of the payment,
    # as its description of webhooks says, or that of the change.
    adyen_reference: str = "payment"
    # Between two steps of a pay-out, and what the provider takes for it.
    payout_step_ms: int = 300
    payout_fee_minor: int = 0
    result_key: bytes | None = None
    # user:password of those who may only read reports, by dialect.
    reports: dict = field(default_factory=dict)
    secrets: Path | None = None
    seed: object = None
    # PayPal's: where certificates are served (0: a free port), and how long
    # an access token lives.
    cert_port: int = 0
    token_s: int = 32400


class Psp:
    def __init__(self, config: Config):
        self.config = config
        self.books = Books(config.seed)
        self.faults = Faults()
        self.dialects = {
            each.name: each(self.books, config)
            for each in DIALECTS
            if each.name in config.keys
        }
        self.sender = Sender(config, self.books, self.faults)
        self.payouts = Payouts(config, self.books, self.sender, self.dialects)
        self.lifecycle = Lifecycle(
            config, self.books, self.sender, self.dialects
        )
        self.aftersale = Aftersale(
            config, self.books, self.lifecycle, self.dialects
        )
        self.settlements = Settlements(config, self.books, self.dialects)
        for dialect in self.dialects.values():
            dialect.lifecycle = self.lifecycle
            dialect.aftersale = self.aftersale
            dialect.settlement = dialect.form(dialect, self.settlements)

    async def reset(self, seed: object) -> None:
        """Forgets everything, stops every webhook on its way."""
        await self.sender.reset()
        self.books.reset(seed)
        self.faults.clear()
        self.payouts.reset()
        for dialect in self.dialects.values():
            dialect.reset()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[control.reasons])
        api = Api(self.books, self.faults, self.lifecycle)
        for dialect in self.dialects.values():
            app.add_routes(dialect.routes(api))
            app.add_routes(dialect.settlement.routes(api))
        app.add_routes(self.payouts.routes(api))
        app.add_routes(Screening(self.config).routes())
        app.add_routes(Risk(self.config).routes())
        hosted = Hosted(self.books, self.lifecycle, self.dialects)
        app.add_routes(hosted.routes())
        app.add_routes(Shop(self.books, self.config).routes())
        app.add_routes(control.Control(self).routes())
        app.cleanup_ctx.append(self._background)
        return app

    async def _background(self, app):
        await self.sender.start()
        for dialect in self.dialects.values():
            await dialect.start()
        await self.payouts.start()
        loop = asyncio.get_running_loop()
        sweeper = loop.create_task(self.lifecycle.sweep())
        ticker = loop.create_task(self.payouts.tick())
        yield
        sweeper.cancel()
        ticker.cancel()
        for dialect in self.dialects.values():
            await dialect.stop()
        await self.payouts.stop()
        await self.sender.stop()
