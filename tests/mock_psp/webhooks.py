"""Outgoing webhooks: signed, retried with backoff until a 2xx, and spoilt by
faults.  Each attempt is signed anew; the event's id and bytes stay the same.
"""

import asyncio
import copy
import ssl
import time

import aiohttp

from .books import Made
from .dialect import Mail


class Delivery:
    """One event on its way to the gateway."""

    def __init__(self, dialect, token: str, event: dict, fault=None):
        self.dialect = dialect
        self.token = token
        self.id = dialect.event_id(event)
        self.type = dialect.event_type(event)
        self.body = dialect.wire(event)
        self.fault = fault
        self.attempts = 0
        self.copies = 0
        self.last_status: int | None = None
        self.last_error: str | None = None
        self.state = "waiting"
        self.unsent: dict | None = None  # headers and body of a suppressed one
        self.tried = asyncio.Event()

    def view(self) -> dict:
        keys = "id token type attempts copies last_status last_error state"
        head = {key: getattr(self, key) for key in keys.split()}
        fault = self.fault.kind if self.fault else None
        head |= {"dialect": self.dialect.name, "fault": fault}
        return head | ({"unsent": self.unsent} if self.unsent else {})


class Sender:
    def __init__(self, config, books, faults):
        self.config = config
        self.books = books
        self.faults = faults
        self.tasks: set[asyncio.Task] = set()
        self.held: list[tuple[Delivery, asyncio.Event]] = []
        self.session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        context = ssl.create_default_context(cafile=self.config.webhook_ca)
        connector = aiohttp.TCPConnector(ssl=context, limit=100)
        self.session = aiohttp.ClientSession(connector=connector)

    async def stop(self) -> None:
        await self.reset()
        if self.session:
            await self.session.close()

    async def reset(self) -> None:
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.held.clear()

    def spawn(self, work) -> asyncio.Task:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def emit(self, dialect, made, event: dict) -> Delivery:
        """Queues an event; the fault it meets is chosen now."""
        fault = self.faults.take(
            dialect.name, "webhook", made.nonce, never="early"
        )
        kind = fault.kind if fault else None
        if kind == "wrong_amount":
            dialect.change_amount(dialect.event_object(event))
        if kind == "wrong_currency":
            dialect.change_currency(dialect.event_object(event))
        delivery = Delivery(dialect, made.token, event, fault)
        self._note(delivery, event)
        self.books.deliveries.append(delivery)
        self.spawn(self._run(delivery))
        return delivery

    def _note(self, delivery: Delivery, event: dict) -> None:
        """For the PSP's own lists; nothing that befalls a webhook, not even
        that it is never sent, changes them.
        """
        when = time.time() - self.config.event_age_s
        name = delivery.dialect.name
        self.books.events.append(
            Made(
                name,
                delivery.token,
                delivery.id,
                delivery.type,
                when,
                copy.deepcopy(event),
            )
        )

    async def _run(self, delivery: Delivery) -> None:
        fault = delivery.fault
        kind = fault.kind if fault else None
        if not self.config.webhook_urls.get(delivery.dialect.name):
            delivery.state = "unconfigured"
        elif kind == "none":
            self._suppress(delivery)
        elif kind == "reorder":
            await self._after_the_next(delivery, fault.ms / 1000)
        else:
            if kind == "late":
                await asyncio.sleep(fault.ms / 1000)
            await self._until_taken(delivery)
            self._release()
        if kind == "duplicate":
            await asyncio.gather(
                *(self._copy(delivery) for _ in range(fault.n))
            )
        delivery.tried.set()

    def _suppress(self, delivery: Delivery) -> None:
        """Signed as it would have been sent, for tests to do so."""
        name = delivery.dialect.name
        url = self.config.webhook_urls[name]
        mail = Mail(delivery.id, int(time.time()), url, delivery.body)
        delivery.dialect.sign(self.config.webhook_secrets.get(name), mail)
        delivery.unsent = {"headers": mail.headers, "body": mail.body.decode()}
        delivery.state = "suppressed"

    async def _after_the_next(self, delivery: Delivery, limit_s: float):
        """Waits until a later event was delivered, at most `limit_s`."""
        passed = asyncio.Event()
        self.held.append((delivery, passed))
        try:
            await asyncio.wait_for(passed.wait(), limit_s)
        except TimeoutError:
            pass
        await self._until_taken(delivery)

    def _release(self) -> None:
        for _, passed in self.held:
            passed.set()
        self.held.clear()

    async def _copy(self, delivery: Delivery) -> None:
        delivery.copies += 1
        await self._attempt(delivery)

    async def _until_taken(self, delivery: Delivery) -> None:
        for attempt in range(self.config.webhook_attempts):
            if attempt:
                await asyncio.sleep(self._backoff(attempt))
            delivery.attempts += 1
            delivery.state = "sending"
            await self._attempt(delivery)
            delivery.tried.set()
            if delivery.last_status and delivery.last_status // 100 == 2:
                delivery.state = "delivered"
                return
            delivery.state = "waiting"
        delivery.state = "given_up"

    def _backoff(self, attempt: int) -> float:
        base = self.config.webhook_retry_ms / 1000
        pause = min(base * 2 ** (attempt - 1), 60.0)
        return pause * (0.75 + self.books.rng.random() / 2)

    async def _attempt(self, delivery: Delivery) -> None:
        dialect, fault = delivery.dialect, delivery.fault
        secret = self.config.webhook_secrets.get(dialect.name)
        now = int(time.time())
        bad = fault and fault.kind in ("forged", "stale")
        if bad and (not fault.attempts or delivery.attempts <= fault.attempts):
            if fault.kind == "forged":
                secret = dialect.wrong_secret()
            else:
                now -= fault.age_s
        url = self.config.webhook_urls[dialect.name]
        mail = Mail(delivery.id, now, url, delivery.body)
        dialect.sign(secret, mail)
        status, text = await self.post(mail)
        delivery.last_status = status
        delivery.last_error = text if status is None else None

    async def post(self, mail: Mail):
        """-> status and body, or None and what went wrong"""
        timeout = aiohttp.ClientTimeout(total=self.config.webhook_timeout_s)
        try:
            async with self.session.post(
                mail.url,
                data=mail.body,
                headers=mail.headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                return answer.status, await answer.text(errors="replace")
        except (TimeoutError, aiohttp.ClientError, OSError) as why:
            return None, f"{type(why).__name__}: {why}"
