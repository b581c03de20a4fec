"""pgbench, prepared, one transaction a statement, counted only after each of
its clients has done its first script: that plans all statements of all
functions, which a gateway's connection does once in its life.
"""

import subprocess
import sys
import threading
import time

from rig import BUILD, HERE, PGBIN

FIRST_S = 0.12  # of the clock, of a client's first script, among others
METER_S = 0.25


def lean(steps: str) -> str:
    """The script of these steps of lean."""
    return "".join(
        (HERE / "lean" / f"{step}.pgbench").read_text()
        for step in steps.split()
    )


def run(rig, dsn: str, text: str, clients: int, *, rate: float = 0,
        each: int = 0, **variables) -> dict:  # fmt: skip
    """each: so many scripts of each client, else for the rig's seconds."""
    script, log = BUILD / "bench.script.sql", BUILD / "bench.pgbench"
    script.write_text(text)
    for old in BUILD.glob("bench.pgbench.*"):
        old.unlink()
    command = [PGBIN / "pgbench", "-n", "-M", "prepared", "-l", "-j", "1"]
    command += [f"--log-prefix={log}", "-f", script]
    whole = round(rig.seconds + FIRST_S * clients) + 1
    limit = ["-t", str(each)] if each else ["-T", str(whole)]
    command += ["-c", str(clients), *limit]
    command += ["-R", str(rate)] if rate else []
    for name, value in variables.items():
        command += ["-D", f"{name}={value}"]
    own = dsn == rig.gateway_dsn()
    with Meter(rig.postgres_us if own else rig.others_us) as meter:
        ended = subprocess.run(
            [*command, dsn],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    if ended.returncode != 0:
        sys.exit(f"pgbench failed:\n{ended.stderr}")
    rows = []
    for path in BUILD.glob("bench.pgbench.*"):
        with path.open() as lines:
            rows += [[int(word) for word in line.split()] for line in lines]
        path.unlink()
    script.unlink()
    return warm_figures(rows, clients, meter, lag=bool(rate))


class Meter:
    """CPU of PostgreSQL by the time of day, while a with statement runs."""

    def __init__(self, used_us):
        self.used_us, self.seen = used_us, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def watch(self):
        while True:
            self.seen.append((time.time() * 1000, self.used_us()))
            if self.over.wait(METER_S):
                break
        self.seen.append((time.time() * 1000, self.used_us()))

    def between(self, start_ms: float, end_ms: float) -> float:
        """µs of CPU a ms in the samples that are inside"""
        inside = [each for each in self.seen if start_ms <= each[0] <= end_ms]
        inside = inside if len(inside) > 1 else self.seen
        (t0, c0), (t1, c1) = inside[0], inside[-1]
        return (c1 - c0) / (t1 - t0)


def warm_figures(rows, clients: int, meter, lag: bool) -> dict:
    """rows: pgbench's log: client, number, µs, script, end in s, its µs, lag
    in µs.  Of those that began when each client had done its first."""
    ends = {}
    for row in rows:
        row.append(row[4] * 1000 + row[5] / 1000)
        ends.setdefault(row[0], row[-1])
        ends[row[0]] = min(ends[row[0]], row[-1])
    if len(ends) < clients:
        sys.exit("pgbench: a client has done nothing in all the time")
    start = max(ends.values())
    done = [(row[2] - (row[6] if lag else 0), row[-1])
            for row in rows if row[-1] - row[2] / 1000 >= start]  # fmt: skip
    if not done:
        sys.exit("pgbench: too short, it has only warmed up")
    end = max(at for _, at in done)
    times = sorted(us / 1000 for us, _ in done)
    busy_ms = end - start
    return {
        "per_second": len(times) / busy_ms * 1000,
        "p50_ms": times[len(times) // 2],
        "p99_ms": times[len(times) * 99 // 100],
        "postgres_us": meter.between(start, end) * busy_ms / len(times),
    }
