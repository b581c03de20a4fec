"""One cell under load, as events: requests take CPU of nginx, operations join
the queue of their worker, a free connection takes all that waits as one call,
the call takes a core of PostgreSQL and then a flush, here and at the standby.

Events and not mean values, since both questions that matter depend on what
waits at a moment: how many items a call takes, which decides what a payment
costs, and the 99th percentile.  Cells share nothing but nodes, so that one cell
with its part of the nodes stands for all of them.
"""

import collections
import dataclasses

import numpy as np
import simpy
from stations import Log, Station, Times, poisson

BEGIN, TOKEN, EVENT = "begin_payment", "store_token", "apply_event"
SECOND_CALL_S = 0.05  # then another call of an operation may go beside it
SLICE_S = 0.001


@dataclasses.dataclass(frozen=True)
class Costs:
    """Of a payment, in seconds and bytes."""

    create_s: float
    webhook_s: float
    call_s: dict  # an operation's call, however many items it has
    item_s: dict
    wal: dict  # bytes of an item
    background: float = 0.0
    psp_s: float = 0.2
    pay_s: float = 0.1  # from the create's answer to the webhook


@dataclasses.dataclass(frozen=True)
class Shape:
    """Of a cell and its part of the nodes."""

    cores: int = 16
    speed: float = 1.0  # of a core: below one for a share of it
    workers: int = 16  # of all nodes that serve the cell
    node_cores: float = 4.0  # its part of all of them
    connections: int = 2
    batch: int = 256
    near_s: float = 0.0003
    fsync_s: float = 0.0005
    wal_bytes_per_s: float = 5e8
    replay_bytes_per_s: float = 1e8
    abroad_s: float | None = 0.015  # round trip to the standby; None: without


class Worker:
    """Queues and connections of one worker of nginx for this cell."""

    def __init__(self, cell):
        self.cell = cell
        self.queues = {kind: collections.deque() for kind in cell.costs.item_s}
        self.sent = {kind: [] for kind in self.queues}  # times of calls
        self.free = cell.shape.connections

    def ask(self, kind: str):
        """An event: the operation is durable and its answer here."""
        item = (self.cell.env.now, self.cell.env.event())
        self.queues[kind].append(item)
        self.send()
        return item[1]

    def send(self) -> None:
        while self.free:
            ready = [kind for kind in self.queues if self.may_go(kind)]
            if not ready:
                return
            kind = min(ready, key=lambda each: self.queues[each][0][0])
            queue = self.queues[kind]
            number = min(len(queue), self.cell.shape.batch)
            items = [queue.popleft()[1] for _ in range(number)]
            self.free -= 1
            self.sent[kind].append(self.cell.env.now)
            self.cell.env.process(self.call(kind, items, self.cell.env.now))

    def may_go(self, kind: str) -> bool:
        waiting = self.queues[kind]
        if not waiting:
            return False
        calls = self.sent[kind]
        return (
            not calls
            or len(waiting) >= self.cell.shape.batch
            or self.cell.env.now - calls[0] > SECOND_CALL_S
        )

    def call(self, kind: str, items: list, begun: float):
        yield from self.cell.run(kind, len(items))
        self.sent[kind].remove(begun)
        self.free += 1
        for done in items:
            done.succeed()
        self.send()


class Cell:
    def __init__(self, costs: Costs, shape: Shape, seed=1, warm_s: float = 1):
        self.env = simpy.Environment()
        self.rng = np.random.default_rng(seed)
        self.costs, self.shape = costs, shape
        servers = max(1, round(shape.node_cores))
        self.nginx = Station(self.env, servers, shape.node_cores / servers)
        speed = shape.speed * (1 - costs.background)
        self.cpu = Station(self.env, shape.cores, speed, SLICE_S)
        flush = shape.fsync_s, shape.wal_bytes_per_s
        self.log, self.standby = Log(self.env, *flush), Log(self.env, *flush)
        self.times = Times(self.env, warm_s)
        self.workers = [Worker(self) for _ in range(shape.workers)]
        self.calls = self.items = self.came = self.left = 0
        self.held_s = 0.0

    # One call of an operation.

    def run(self, kind: str, number: int):
        begun, costs = self.env.now, self.costs
        yield self.env.timeout(self.shape.near_s / 2)
        yield from self.cpu.serve(
            costs.call_s[kind] + number * costs.item_s[kind]
        )
        size = number * costs.wal[kind]
        if size:
            yield from self.commit(size)
        yield self.env.timeout(self.shape.near_s / 2)
        self.calls += 1
        self.items += number
        self.held_s += self.env.now - begun

    def commit(self, size: int):
        here = self.log.commit(size)
        if self.shape.abroad_s is None:
            yield here
        else:
            yield here & self.env.process(self.abroad(size))

    def abroad(self, size: int):
        yield self.env.timeout(self.shape.abroad_s / 2)
        yield self.standby.commit(size)
        yield self.env.timeout(self.shape.abroad_s / 2)

    # Payments.

    def payment(self):
        self.came += 1
        worker = self.workers[self.rng.integers(len(self.workers))]
        begun = self.env.now
        yield from self.nginx.serve(self.costs.create_s)
        yield worker.ask(BEGIN)
        yield self.env.timeout(self.costs.psp_s)
        yield worker.ask(TOKEN)
        self.times.add("create", begun, self.costs.psp_s)
        yield self.env.timeout(self.rng.exponential(self.costs.pay_s))
        worker = self.workers[self.rng.integers(len(self.workers))]
        begun = self.env.now
        yield from self.nginx.serve(self.costs.webhook_s)
        yield worker.ask(EVENT)
        self.times.add("webhook", begun)
        self.left += 1

    def open(self, rate: float, seconds: float) -> dict:
        """Payments that come at this rate, for so long."""
        until_s = self.times.since_s + seconds

        def arrive():
            self.env.process(self.payment())

        self.env.process(poisson(self.env, self.rng, rate, arrive, until_s))
        return self.measured(seconds)

    def closed(self, clients: int, seconds: float) -> dict:
        """Clients that pay one after the other, each as soon as it can."""

        def client():
            while True:
                yield self.env.process(self.payment())

        for _ in range(clients):
            self.env.process(client())
        return self.measured(seconds)

    def measured(self, seconds: float) -> dict:
        self.env.run(self.times.since_s)
        before = self.meters()
        self.env.run(self.times.since_s + seconds)
        done = {
            name: value - before[name] for name, value in self.meters().items()
        }
        return self.figures(done, seconds)

    def meters(self) -> dict:
        return {
            "nginx": self.nginx.work_s,
            "cpu": self.cpu.work_s,
            "flush": self.log.work_s,
            "standby": self.standby.work_s,
            "bytes": self.log.bytes,
            "flushes": self.log.flushes,
            "calls": self.calls,
            "items": self.items,
            "left": self.left,
            "held": self.held_s,
        }

    def figures(self, done: dict, seconds: float) -> dict:
        shape = self.shape
        lines = done["held"] / (shape.workers * shape.connections * seconds)
        batch = done["items"] / max(done["calls"], 1)
        used = {
            "nginx": done["nginx"] / (self.nginx.servers * seconds),
            "PostgreSQL": done["cpu"] / (shape.cores * seconds),
            "disk": done["bytes"] / (shape.wal_bytes_per_s * seconds),
            "replay": done["bytes"] / (shape.replay_bytes_per_s * seconds),
            "calls": lines * batch / shape.batch,
        }
        # these take more at once when more comes: busy is not full
        busy = {
            "flush": done["flush"] / seconds,
            "standby's flush": done["standby"] / seconds,
            "connections": lines,
        }
        payments = max(done["left"], 1)
        speed = self.cpu.speed
        return {
            "per_second": done["left"] / seconds,
            "used": used,
            "busy": busy,
            "first": max(used, key=used.get),
            "batch": batch,
            "postgres_us": done["cpu"] * speed * 1e6 / payments,
            "wal_bytes_per_s": done["bytes"] / seconds,
            "flushes_per_s": done["flushes"] / seconds,
            "under_way": self.came - self.left,
            **{
                f"{name}_{label}_ms": self.times.percentile_ms(name, share)
                for name in ("create", "webhook")
                for label, share in (("p50", 0.5), ("p99", 0.99))
            },
        }
