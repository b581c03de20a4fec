"""Storefronts that never stop: threads that post checkouts until told to
stop, and remember what each of them heard.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx

from .own_stack import new_id, wait_for

PSP_MS = 300


def together(count: int, work) -> list:
    """work(n) in as many threads, all let go at the same moment."""
    gate = threading.Barrier(count)

    def run(n):
        gate.wait(30)
        return work(n)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class Call:
    def __init__(self, stack, body: dict):
        self.stack, self.body, self.key = stack, body, new_id()
        self.nonce = body["payment_orders"][0]["payment_order_id"]
        self.status: int | None = None
        self.error: str | None = None

    def run(self, client) -> None:
        try:
            answer = self.stack.post(self.body, self.key, client=client)
        except httpx.TransportError as why:
            self.status, self.error = None, repr(why)
        else:
            self.status, self.error = answer.status_code, None


class Threads:
    """So many _run() at once, with the number of each, until the end of the
    block."""

    def __init__(self, threads: int):
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=self._run, args=(n,), daemon=True)
            for n in range(threads)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)


class Load(Threads):
    """with Load(stack) as load: …; load.calls afterwards."""

    def __init__(self, stack, threads: int = 6, *, keep_alive: bool = False):
        super().__init__(threads)
        self.stack, self.keep_alive = stack, keep_alive
        self.calls: list[Call] = []

    def _run(self, n: int) -> None:
        psp = ("generic", "stripe")[n % 2]
        client = self.stack.client()
        try:
            while not self.stop.is_set():
                call = Call(self.stack, self.stack.order(psp))
                call.run(client)
                self.calls.append(call)
                if call.status != 201:
                    self.stop.wait(0.5)  # Retry-After asks for more
                if not self.keep_alive:
                    client.close()
                    client = self.stack.client()
        finally:
            client.close()

    def acknowledged(self) -> list[Call]:
        return [each for each in self.calls if each.status in (201, 202)]

    def failed(self) -> list[Call]:
        return [each for each in self.calls if each.status not in (201, 202)]

    def lost(self) -> set[str]:
        """Acknowledged checkouts that PostgreSQL does not have (I3); a 201
        counts only with its token."""
        wanted = {
            each.body["checkout_id"]: each.status
            for each in self.acknowledged()
        }
        rows = self.stack.sql(
            "SELECT checkout_id, token FROM pay.registration "
            "WHERE checkout_id = ANY (%s)",
            list(wanted),
        )
        stored = {
            checkout_id
            for checkout_id, token in rows
            if token or wanted[checkout_id] == 202
        }
        return set(wanted) - stored


def nonce_of(body: dict) -> str:
    return body["payment_orders"][0]["payment_order_id"]


def slowly(stack, ms: int = PSP_MS, **which) -> None:
    """Every registration takes a while, so that flows are in flight."""
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "ms": ms, "sticky": True}
        | which
    )


def registered_once(stack, body: dict) -> None:
    books = stack.mock.books(nonce=nonce_of(body))
    assert len(books["registrations"]) == 1


def many(load, count: int):
    return lambda: len(load.acknowledged()) >= count


def all_get_paid(stack, calls) -> None:
    """Each acknowledged checkout can still be paid, and its webhook counts."""
    for call in calls:
        books = stack.mock.books(nonce=call.nonce)
        (made,) = books["registrations"]
        stack.mock.pay(made["token"], "paid")
    ids = [call.nonce for call in calls]

    def paid():
        return stack.value(
            "SELECT count(*) FROM pay.payment_order "
            "WHERE payment_order_id = ANY (%s) AND status = 'SUCCESS'",
            ids,
        ) == len(ids)

    wait_for(paid, "all payments")


def retry_all(stack, calls) -> None:
    """What failed goes through with its key, and is registered once."""
    for call in calls:

        def settled(call=call):
            stack.jobs_now(call.body["checkout_id"], "register")
            call.run(stack.http)
            return call.status == 201

        wait_for(settled, f"the retry of {call.body['checkout_id']}")
        registered_once(stack, call.body)
