"""The parts that the model is made of, each a queue whose closed form is known:
a station of servers, a log whose flushes take all that waits for one, and a
replay.  Times are seconds of the simulated clock (simpy).
"""

import collections

import numpy as np
import simpy


class Station:
    """Servers behind one queue.  speed: work a second of each; slice_s: a job
    gives its server up so often, as processes on shared cores do."""

    def __init__(self, env, servers: int, speed: float = 1, slice_s: float = 0):
        self.env, self.servers = env, servers
        self.speed, self.slice_s = speed, slice_s
        self.queue = simpy.Resource(env, servers)
        self.work_s = 0.0

    def serve(self, work_s: float):
        """To be run within a process: yield from station.serve(work)."""
        left = work_s / self.speed
        while left > 0:
            part = min(left, self.slice_s) if self.slice_s else left
            with self.queue.request() as turn:
                yield turn
                yield self.env.timeout(part)
            self.work_s += part
            left -= part

    def used(self, seconds: float) -> float:
        return self.work_s / (self.servers * seconds)


class Log:
    """A group commit: one flush at a time, of all that has come before it."""

    def __init__(self, env, flush_s: float, bytes_per_s: float):
        self.env, self.flush_s, self.bytes_per_s = env, flush_s, bytes_per_s
        self.waiting = []
        self.flushes, self.work_s, self.bytes = 0, 0.0, 0
        self.running = False

    def commit(self, size: int):
        """An event: it is durable."""
        done = self.env.event()
        self.waiting.append((size, done))
        if not self.running:
            self.running = True
            self.env.process(self.flush())
        return done

    def flush(self):
        while self.waiting:
            group, self.waiting = self.waiting, []
            size = sum(each for each, _ in group)
            took = self.flush_s + size / self.bytes_per_s
            yield self.env.timeout(took)
            self.flushes += 1
            self.work_s += took
            self.bytes += size
            for _, done in group:
                done.succeed()
        self.running = False

    def used(self, seconds: float) -> float:
        return self.work_s / seconds


def poisson(env, rng, rate: float, arrive, until_s: float):
    """Calls arrive() at random times, so many a second."""
    while True:
        yield env.timeout(rng.exponential(1 / rate))
        if env.now >= until_s:
            return
        arrive()


class Times:
    """What was measured behind a warm-up."""

    def __init__(self, env, since_s: float):
        self.env, self.since_s = env, since_s
        self.found = collections.defaultdict(list)

    def add(self, name: str, begun: float, less: float = 0) -> None:
        if begun >= self.since_s:
            self.found[name].append(self.env.now - begun - less)

    def percentile_ms(self, name: str, share: float) -> float:
        """Not a number without any."""
        found = self.found.get(name)
        return float(np.quantile(found, share)) * 1e3 if found else float("nan")

    def count(self, name: str) -> int:
        return len(self.found.get(name, ()))
