"""The pay-out providers that this mock speaks, put together; a new one is one
more row.
"""

import asyncio

from .adyen import AdyenPayouts
from .books import Books
from .clock import Clock
from .fates import Fates
from .generic import GenericPayouts
from .pain001 import BankFiles
from .paypal import PayPalPayouts
from .stripe import StripePayouts
from .tipalti import TipaltiPayouts
from .wise import WisePayouts

PROVIDERS = (
    AdyenPayouts,
    BankFiles,
    GenericPayouts,
    PayPalPayouts,
    StripePayouts,
    TipaltiPayouts,
    WisePayouts,
)
NAMES = tuple(each.name for each in PROVIDERS)
TICK_S = 0.02


class Payouts:
    """The world of all providers: one clock, one set of books."""

    def __init__(self, config, books, sender, dialects):
        self.sender = sender
        self.dialects = dialects
        self.clock = Clock()
        self.books = Books()
        self.fates = Fates()
        self.providers = {
            each.name: each(self, books, config)
            for each in PROVIDERS
            if each.name in config.keys
        }

    def reset(self) -> None:
        self.clock.reset()
        self.books.reset()
        self.fates.queue.clear()
        for provider in self.providers.values():
            provider.reset()

    async def start(self) -> None:
        for provider in self.providers.values():
            await provider.start()

    async def stop(self) -> None:
        for provider in self.providers.values():
            await provider.stop()

    def routes(self, api) -> list:
        return [
            route
            for provider in self.providers.values()
            for route in provider.routes(api)
        ]

    async def tick(self) -> None:
        """Does what falls due, for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            self.clock.run()
