"""Storefronts that sell all the time, and their buyers who pay: each note is a
promise that was made, with the place in the WAL that PostgreSQL had flushed.
"""

import time
from collections import Counter

import httpx
import psycopg2
from support.load import Threads
from support.own_stack import new_id, wait_for
from support.worst_day import Promise, lsn

PATIENCE_S = 10


class Shops(Threads):
    """with Shops(stack, dsn) as shops: …; shops.promises afterwards.  dsn: of
    the server whose WAL counts, or None where every promise counts."""

    def __init__(self, stack, dsn: str | None = None, threads: int = 4):
        super().__init__(threads)
        self.stack, self.dsn = stack, dsn
        self.promises: list[Promise] = []
        self.statuses: Counter = Counter()
        self.failed: list[BaseException] = []

    def __exit__(self, *_):
        super().__exit__()
        assert not self.failed, self.failed[:3]

    def paid(self) -> int:
        return sum(each.status == "SUCCESS" for each in self.promises)

    def sell(self, more: int) -> None:
        """Returns when so many more payments are paid."""
        wanted = self.paid() + more
        wait_for(
            lambda: self.paid() >= wanted or self.failed, f"{more} payments"
        )

    def _run(self, _: int) -> None:
        link = None
        try:
            while not self.stop.is_set():
                if link is None:
                    link = self._link()
                with self.stack.client() as client:
                    if not self._sell(client, link):
                        link = None
                        self.stop.wait(0.05)
        except BaseException as why:  # noqa: BLE001  told by __exit__
            self.failed.append(why)

    def _link(self):
        if self.dsn is None:
            return None
        try:
            link = psycopg2.connect(self.dsn, connect_timeout=2)
        except psycopg2.Error:
            return None
        link.autocommit = True
        return link

    def _sell(self, client, link) -> bool:
        body = self.stack.order()
        order_id = body["payment_orders"][0]["payment_order_id"]
        try:
            status = self.stack.post(body, new_id(), client=client).status_code
        except httpx.TransportError:
            status = 0
        self.statuses[status] += 1
        if status != 201:
            return False
        self._promise(order_id, "EXECUTING", link)
        (made,) = self.stack.mock.books(nonce=order_id)["registrations"]
        self.stack.mock.pay(made["token"], "paid")
        if not self._is_paid(client, order_id):
            return False
        self._promise(order_id, "SUCCESS", link)
        return True

    def _is_paid(self, client, order_id: str) -> bool:
        """As its storefront is told; False when the gateway is away."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and not self.stop.is_set():
            try:
                answer = client.get(
                    f"/v1/payments/{order_id}", headers=self.stack.headers()
                )
            except httpx.TransportError:
                return False
            if answer.status_code != 200:
                return False
            if answer.json()["status"] == "SUCCESS":
                return True
            time.sleep(0.01)  # between two looks
        return False

    def _promise(self, order_id: str, status: str, link) -> None:
        place = None
        if link is not None:
            try:
                with link.cursor() as cursor:
                    cursor.execute("SELECT pg_current_wal_flush_lsn()")
                    place = lsn(cursor.fetchone()[0])
            except psycopg2.Error:
                pass
        self.promises.append(Promise(order_id, status, place, time.time()))


def stored(stack) -> dict[str, str]:
    return dict(
        stack.sql("SELECT payment_order_id, status FROM pay.payment_order")
    )
