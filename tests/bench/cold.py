"""The part of make bench that fills a fresh database under load, from its first
payment on: the plans of a connection are made while tables are empty, and have
to be good ones when they are not.
"""

import os
import pathlib
import signal
import sys
import threading
import time

from parts import head, line
from rig import BUILD, WORKERS, median_of

CLIENTS = 64
SAMPLE_S = 0.05
LIMIT_S = 3600
MARKS = BUILD / "bench.marks"


class Samples:
    """CPU of gateway and PostgreSQL by the monotonic clock, while a with
    statement runs."""

    def __init__(self, rig):
        self.rig, self.seen = rig, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.look()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.look()

    def watch(self):
        while not self.over.wait(SAMPLE_S):
            self.look()

    def look(self):
        self.seen.append(
            (time.monotonic(), self.rig.cpu_us(), self.rig.postgres_us())
        )

    def at(self, moment: float) -> tuple[float, float]:
        """What both had used by then, between two looks."""
        later = next(
            (n for n, each in enumerate(self.seen) if each[0] >= moment),
            len(self.seen) - 1,
        )
        (t0, *before), (t1, *after) = self.seen[max(later, 1) - 1 :][:2]
        share = (moment - t0) / max(t1 - t0, 1e-6)
        return tuple(
            b + (a - b) * share for b, a in zip(before, after, strict=True)
        )


def filled(rig, marks: list[int]) -> list[dict]:
    """Whole payments up to the last mark; figures from one to the next."""
    MARKS.write_text("")
    with Samples(rig) as samples:
        load = rig.start_wrk(
            "payment",
            CLIENTS,
            LIMIT_S,
            MARKS_FILE=MARKS,
            MARKS=" ".join(map(str, marks)),
        )
        while len(times := MARKS.read_text().split()) <= len(marks):
            if load.poll() is not None:
                sys.exit("the load ended before the last mark")
            time.sleep(SAMPLE_S)  # between two looks
        load.send_signal(signal.SIGINT)  # its thread has ended, it waits
        rig.finish(load)
    MARKS.unlink()
    times = [float(text) / 1e6 for text in times]
    found = []
    for n, last in enumerate(marks):
        (nginx0, db0), (nginx1, db1) = map(samples.at, times[n : n + 2])
        count = last - ([0] + marks)[n]
        found.append(
            {
                "per_second": count / (times[n + 1] - times[n]),
                "server_us": (nginx1 - nginx0) / count,
                "postgres_us": (db1 - db0) / count,
            }
        )
    return found


def renew(rig) -> None:
    """Statistics, and connections that make their plans with them."""
    rig.sql("VACUUM ANALYZE")
    old = set(rig.workers())
    os.kill(int(pathlib.Path(rig.env["NGINX_PID"]).read_text()), signal.SIGHUP)
    ends = time.monotonic() + 60
    while old & set(rig.workers()) or not ready(rig):
        if time.monotonic() > ends:
            sys.exit("the gateway's workers do not change")
        time.sleep(0.1)  # between two looks


def ready(rig) -> bool:
    try:
        return "payments_psp_in_flight" in rig.metrics()
    except OSError:
        return False


def measure(rig) -> dict:
    """Each start is a database of its own; the figure is the dearest slice of
    all starts but their first, by the same payments with plans that were made
    when the tables were full."""
    marks = os.environ.get("COLD", "1000 10000 50000").split()
    marks = [int(mark) for mark in marks]
    starts, ratios = [], []
    for _ in range(rig.rounds):
        rig.restart(WORKERS, warm=False)
        slices = filled(rig, marks)
        renew(rig)
        # the first of the new connections' calls make their plans
        slices.append(filled(rig, [1000, 11000])[1])
        starts.append(slices)
        full = slices[-1]["postgres_us"]
        ratios += [each["postgres_us"] / full for each in slices[1:-1]]
    names = [f"to {mark:,}" for mark in marks]
    head("a fresh database under load, payments")
    found = {}
    for n, name in enumerate([*names, "10,000 with new plans"]):
        found[name] = median_of([slices[n] for slices in starts])
        line(name, CLIENTS, found[name])
    rig.restart(WORKERS)
    return {"cold_ratio": round(max(ratios), 3), "cold": found,
            "cold_starts": starts}  # fmt: skip
