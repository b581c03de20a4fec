"""The part of make bench about cells: whole payments through one node to one,
two and four cells, each a PostgreSQL of its own that may use a share of one
CPU; then the other cells while one of them is frozen.  BENCH_CELL_SHARE is that
share (0.2: four cells and one node with its load must fit the machine, which is
what `machine` is for), BENCH_CELL_CLIENTS the clients of each cell.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from parts import head, line
from rig import (
    BUILD,
    ROOT,
    WORKERS,
    children,
    cpu_of,
    cpu_times,
    median_of,
)
from share import Share

SHARE = float(os.environ.get("BENCH_CELL_SHARE", "0.2"))
CLIENTS = int(os.environ.get("BENCH_CELL_CLIENTS", "64"))
NUMBERS = (1, 2, 4)
HOME, LETTERS = "default", "bcd"
KEY = "acme"  # whose keys of its own stack a cell's merchant has
CONSOLE = ("payments_console_database", "payments_console_act_database")
STRIPE = re.compile(r"(?s)    payments_psp stripe \{\n(.*?)    \}\n")
READY_S = 60


class Cell:
    """home: the rig's own cluster; else one of a stack without its nginx."""

    def __init__(self, name: str):
        self.name = name
        self.run = BUILD / f"bench-{name}"
        self.share = None
        self.env = {}

    def start(self) -> None:
        self.stack("up")
        text = (self.run / "gateway.env").read_text()
        self.env = dict(word.split("=", 1) for word in text.split("\n") if word)
        real = pathlib.Path(self.env["RUN_DIR"])
        for file in ("nginx.pid", "mock.pid"):
            os.kill(int((real / file).read_text()), signal.SIGTERM)

    def stack(self, verb: str) -> None:
        more = {
            "PAY_RUN": str(self.run),
            "PG_MODEL": str(BUILD / "pg-model"),
            "PAY_RATES": "off",
        }
        subprocess.run(
            [ROOT / "ci" / "stack", verb],
            check=True,
            env=dict(os.environ, **more),
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        if self.name != HOME:
            self.stack("down")
        if self.share is not None:
            self.share.close()

    def dsn(self, directive: str) -> str:
        text = pathlib.Path(self.env["NGINX_CONF"]).read_text()
        return re.search(rf'{directive} +"([^"]*)"', text)[1]

    def console(self) -> str:
        return "".join(
            f'    {directive} {self.name} "{self.dsn(directive)}";\n'
            for directive in CONSOLE
        )

    def secret(self, file: str) -> pathlib.Path:
        return pathlib.Path(self.env["RUN_DIR"]) / "secrets" / file

    def directives(self, stripe: str) -> str:
        """stripe: the block of the PSP of that name."""
        letter = self.name
        return f"""
    payments_database {letter} "{self.dsn("payments_database")}"
        connections=2 batch=256 queue=4096 handle={letter};
{self.console()}    payments_psp stripe-{letter} {{
        cell {letter};
{stripe}    }}
    payments_merchant shop-{letter} {{
        cell             {letter};
        psp              stripe-{letter};
        jwt_key          kid=shop-{letter}-2026-01 alg=ES256
                         "file={self.secret(KEY + ".pub")}";
        return_host      127.0.0.1:@MOCKPORT@;
        result_key_file  "{self.secret(KEY + ".result")}";
    }}"""

    # Its processes.

    def processes(self) -> list[int]:
        file = pathlib.Path(self.env["PG_DATA"]) / "postmaster.pid"
        postmaster = int(file.read_text().split()[0])
        return [postmaster, *children(postmaster)]

    def limit(self) -> None:
        self.share = Share(self.name, SHARE)
        self.share.hold(self.processes()[0])

    def cpu_us(self) -> int:
        return sum(map(cpu_of, self.processes()))

    @contextlib.contextmanager
    def frozen(self):
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    # Its load.

    def variables(self) -> dict[str, str]:
        """Of wrk: merchant and PSP."""
        if self.name == HOME:
            return {}
        merchant = f"shop-{self.name}"
        key = self.secret(f"{merchant}.jwt.key")
        shutil.copy(self.secret(f"{KEY}.jwt.key"), key)
        token = subprocess.run(
            [ROOT / "ci" / "mint-jwt", key.parent, merchant],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.strip()
        return {"JWT": token, "PSP": f"stripe-{self.name}"}


class Cells:
    """The rig's gateway with all cells; use it in a with statement."""

    def __init__(self, rig):
        self.rig = rig
        self.cells = [Cell(name) for name in (HOME, *LETTERS)]

    def __enter__(self):
        try:
            for cell in self.cells[1:]:
                cell.start()
            self.start_node()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.rig.stop()
        for cell in self.cells:
            cell.stop()
        self.rig.start(WORKERS)

    def start_node(self) -> None:
        psp = f"http://127.0.0.1:{self.rig.port}"
        self.rig.make_conf(WORKERS, psp, "")
        stripe = STRIPE.search(self.rig.conf.read_text())[1]
        more = "".join(cell.directives(stripe) for cell in self.cells[1:])
        self.rig.restart(WORKERS, more=more)
        self.cells[0].env = self.rig.env
        for cell in self.cells:
            cell.limit()
        for cell in self.cells:  # connections, plans, caches
            self.finish(self.load(cell, 2))

    def load(self, cell: Cell, seconds: float = 0):
        return self.rig.start_wrk(
            "payment", CLIENTS, seconds, **cell.variables()
        )

    def finish(self, load) -> dict:
        """A vacuum of its own can take most of a cell's share for seconds."""
        return self.rig.finish(load, may_be_late=True)

    def payments(self, cells: list[Cell], beside=()) -> dict:
        """Of these cells together, p99 that of the slowest; beside: others
        that are asked meanwhile, and may answer as they like."""
        asked = [*cells, *beside]  # others have the rest of earlier rounds
        used = {
            "server": self.rig.cpu_us,
            "postgres": lambda: sum(cell.cpu_us() for cell in asked),
        }
        before = {name: meter() for name, meter in used.items()}
        idle, spent = cpu_times()
        running = [self.load(cell) for cell in beside]
        found = [self.finish(each) for each in [*map(self.load, cells)]]
        end_idle, end_spent = cpu_times()
        for each in running:
            each.kill()
            each.communicate()
        done = max(sum(each["applied"] for each in found), 1)
        figures = {
            "per_second": sum(e["applied"] / e["seconds"] for e in found),
            "p50_ms": max(each["p50_ms"] for each in found),
            "p99_ms": max(each["p99_ms"] for each in found),
            "machine": 1 - (end_idle - idle) / (end_spent - spent),
        }
        for name, meter in used.items():
            figures[f"{name}_us"] = (meter() - before[name]) / done
        return figures


def measure(rig) -> dict:
    rounds = {number: [] for number in NUMBERS}
    before, during = [], []
    with Cells(rig) as node:
        for _ in range(rig.rounds):
            for number, found in rounds.items():
                found.append(node.payments(node.cells[:number]))
        *others, last = node.cells
        for _ in range(rig.rounds):
            before.append(node.payments(others, [last]))
            with last.frozen():
                during.append(node.payments(others, [last]))
            recover(node, last)
    found = {number: median_of(each) for number, each in rounds.items()}
    before, during = median_of(before), median_of(during)
    show(found, before, during)
    return {"cells": figures_of(found, before, during)}


def recover(node: Cells, cell: Cell) -> None:
    """Until a second of the cell's payments has no wrong answer."""
    ends = time.monotonic() + READY_S
    while True:
        process = node.load(cell, 1)
        try:
            node.rig.finish(process)
        except SystemExit:
            if time.monotonic() > ends:
                raise
        else:
            return


def show(found: dict, before: dict, during: dict) -> None:
    head(f"whole payments, {SHARE:g} of a CPU for each cell")
    for number, figures in found.items():
        line(f"{number} cell(s)", number * CLIENTS, figures)
    line("three of four cells", 3 * CLIENTS, before)
    line("the same, the fourth is frozen", 3 * CLIENTS, during)
    used = ", ".join(f"{each['machine']:.0%}" for each in found.values())
    print(f"the machine's CPU in use with {NUMBERS} cells: {used}")


def figures_of(found: dict, before: dict, during: dict) -> dict:
    """The keys of build/bench.json; points are what tests/scale/model.py
    compares itself with."""
    one, most = found[1]["per_second"], found[max(found)]["per_second"]
    return {
        "scaling": round(most / (max(found) * one), 3),
        "frozen_throughput_ratio": round(
            during["per_second"] / before["per_second"], 3
        ),
        "frozen_p99_ratio": round(during["p99_ms"] / before["p99_ms"], 3),
        "machine": round(found[max(found)]["machine"], 3),
        "points": [
            {
                "cells": number,
                "cores": SHARE,
                "clients": number * CLIENTS,
                "payments_per_second": round(figures["per_second"], 1),
                "p50_ms": figures["p50_ms"],
                "p99_ms": figures["p99_ms"],
                "nginx_us": round(figures["server_us"], 1),
                "postgres_us": round(figures["postgres_us"], 1),
            }
            for number, figures in found.items()
        ],
    }
