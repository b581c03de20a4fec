#!/usr/bin/env python3
"""How many nodes and cells a rate of payments takes, and what they cost, by a
simulation (cell.py) with the figures of figures.json or, where they were
measured here, of build/bench.json.

Usage: tests/scale/model.py plan [RATE ...]    machines, disks and cost
       tests/scale/model.py compare            with the points of make bench
       tests/scale/model.py plot FILE.svg      p99 and CPU by the load of a cell
       --figures FILE, --bench FILE: others than those
"""

import argparse
import dataclasses
import json
import math
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from cell import BEGIN, EVENT, TOKEN, Cell, Costs, Shape  # noqa: E402

BENCH = HERE.parents[1] / "build" / "bench.json"
RATES = (65_000, 250_000)
KINDS = (BEGIN, TOKEN, EVENT)
REGIONS = 2
SECONDS = 2.0  # that are simulated behind a second of warm-up
STEP = 1.1  # cells are added by tenths until no resource is above its load
DAY_S = 86_400
MONTH_S = 30 * DAY_S
GB, MILLION = 1e9, 1e6


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Values by name; known: what each was, and where it is from."""

    values: dict
    known: dict

    def __getitem__(self, name):
        return self.values[name]


def at(tree: dict, path: str):
    """The value at a path of names; None: it is not there."""
    for name in path.split("."):
        if not isinstance(tree, dict) or name not in tree:
            return None
        tree = tree[name]
    return tree


def read(figures: Path = HERE / "figures.json", bench: Path = BENCH) -> Inputs:
    """The bench's own figures before those of the file."""
    measured = json.loads(bench.read_text()) if bench.exists() else {}
    values, known = {}, {}
    for group in json.loads(figures.read_text()).values():
        if not isinstance(group, dict):
            continue
        for name, each in group.items():
            if not isinstance(each, dict):
                continue
            found = at(measured, each.get("key", "?"))
            values[name] = each["value"] if found is None else found
            known[name] = each["is"], each["source"]
            if found is not None:
                known[name] = "measured", f"build/bench.json, {each['key']}"
    return Inputs(values, known)


def costs_of(inputs: Inputs) -> Costs:
    """A call of n items costs call + n × item: one equation by a payment alone,
    one by sets."""
    n = inputs["sets_of"]
    alone, sets = inputs["alone_us"], inputs["sets_us"]
    call = {k: (alone[k] - sets[k]) / (1 - 1 / n) / 1e6 for k in KINDS}
    item = {k: alone[k] / 1e6 - call[k] for k in KINDS}
    pages = inputs["full_pages"]
    nginx_s = inputs["nginx_us"] / 1e6
    return Costs(
        create_s=nginx_s * inputs["create_share"],
        webhook_s=nginx_s * (1 - inputs["create_share"]),
        call_s=call,
        item_s=item,
        wal={k: size * pages for k, size in inputs["wal_bytes"].items()},
        background=inputs["background"],
        psp_s=inputs["psp_ms"] / 1e3,
    )


def shape_of(inputs: Inputs, nodes: int, cells: int, **more) -> Shape:
    """Of one of so many cells that so many nodes serve."""
    return Shape(
        cores=inputs["cores"],
        workers=nodes * inputs["workers"],
        node_cores=nodes * inputs["node_cores"] / cells,
        near_s=inputs["near_ms"] / 1e3,
        fsync_s=inputs["fsync_us"] / 1e6,
        wal_bytes_per_s=inputs["wal_bytes_per_s"],
        replay_bytes_per_s=inputs["replay_bytes_per_s"],
        **{"abroad_s": inputs["abroad_ms"] / 1e3} | more,
    )


@dataclasses.dataclass(frozen=True)
class Plan:
    """Of all regions together; found: of one cell in its busiest second."""

    rate: float
    cells: int
    groups: int
    nodes: int
    found: dict


def nodes_of_group(inputs: Inputs, rate: float) -> int:
    """Nodes for so many payments a second, and one more."""
    cpu = rate * inputs["nginx_us"] / 1e6
    return math.ceil(cpu / (inputs["node_cores"] * inputs["load"])) + 1


def tried(inputs: Inputs, rate: float, cells: int, seed: int = 1) -> Plan:
    """So many cells in each region.  The nodes of a region can serve all, since
    the other region may be lost; calm, they serve their half."""
    half = rate / REGIONS
    groups = math.ceil(cells / inputs["cells_of_a_node"])
    nodes = nodes_of_group(inputs, rate / groups)
    shape = shape_of(inputs, nodes, math.ceil(cells / groups))
    found = Cell(costs_of(inputs), shape, seed).open(half / cells, SECONDS)
    return Plan(rate, REGIONS * cells, REGIONS * groups,
                REGIONS * groups * nodes, found)  # fmt: skip


def fits(inputs: Inputs, plan: Plan) -> bool:
    """No resource above its load, and what came was served."""
    share = plan.rate / plan.cells
    calm = plan.found["per_second"] > 0.97 * share
    return calm and max(plan.found["used"].values()) <= inputs["load"]


def fewest(inputs: Inputs, rate: float) -> int:
    """Cells of a region below which CPU or replay alone cannot do."""
    costs = costs_of(inputs)
    half = rate / REGIONS
    cpu = half * sum(costs.item_s.values()) / (1 - costs.background)
    replay = half * sum(costs.wal.values()) / inputs["replay_bytes_per_s"]
    return math.ceil(max(cpu / inputs["cores"], replay) / inputs["load"])


def plan(inputs: Inputs, rate: float) -> Plan:
    cells = fewest(inputs, rate)
    while not fits(inputs, found := tried(inputs, rate, cells)):
        cells = math.ceil(cells * STEP)
    return found


def bill(inputs: Inputs, plan: Plan) -> dict:
    """Disks in GB, of all machines, and what a month costs; each cell has a
    standby of its own size in the other region."""
    mean = plan.rate / inputs["peak_factor"]
    wal = sum(costs_of(inputs).wal.values())
    kept = mean * DAY_S * inputs["retention_days"] * inputs["disk_bytes"] / GB
    archive = mean * DAY_S * inputs["wal_days"] * wal / GB
    cores = 2 * plan.cells * inputs["cores"] + plan.nodes * inputs["node_cores"]
    costs = {
        "machines": cores * inputs["core_hour"] * MONTH_S / 3600,
        "disks": 2 * kept * inputs["ssd_gb_month"],
        "archive": archive * inputs["archive_gb_month"],
        "between regions": mean * MONTH_S * wal / GB
        * inputs["between_regions_gb"],
    }  # fmt: skip
    payments = mean * MONTH_S / MILLION
    return {
        "cores": cores,
        "disk_gb": 2 * kept,
        "disk_of_a_cell_gb": kept / plan.cells,
        "archive_gb": archive,
        "waiting_gb": plan.rate * inputs["psp_ms"] / 1e3
        * inputs["waiting_bytes"] / GB,
        "per_million": {k: v / payments for k, v in costs.items()},
        "per_million_all": sum(costs.values()) / payments,
    }  # fmt: skip


# Against what was measured.


def predicted(inputs: Inputs, point: dict, factor: float = 1,
              seconds: float = 10) -> dict:  # fmt: skip
    """Of one point of make bench's part cells: clients that wait for nothing,
    one node with one worker, cells that have a share of a CPU, no standby."""
    costs = costs_of(inputs)
    nginx_s = point["nginx_us"] / 1e6
    costs = dataclasses.replace(
        costs,
        create_s=nginx_s * inputs["create_share"],
        webhook_s=nginx_s * (1 - inputs["create_share"]),
        call_s={k: v * factor for k, v in costs.call_s.items()},
        item_s={k: v * factor for k, v in costs.item_s.items()},
        background=0,
        psp_s=0.001,
        pay_s=0,
    )
    shape = shape_of(inputs, 1, 1, abroad_s=None)
    shape = dataclasses.replace(
        shape,
        cores=1,
        speed=point["cores"],
        workers=1,
        node_cores=1 / point["cells"],
        near_s=0,
    )
    cell = Cell(costs, shape, warm_s=2)
    return cell.closed(point["clients"] // point["cells"], seconds)


def fitted(inputs: Inputs, point: dict, seconds: float = 10) -> float:
    """By which PostgreSQL here is slower than that of the figures: such that
    the CPU of a payment is the one that was measured with one cell."""
    low, high = 0.05, 20.0
    for _ in range(12):
        middle = math.sqrt(low * high)
        found = predicted(inputs, point, middle, seconds)
        if found["postgres_us"] < point["postgres_us"]:
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


def compare(inputs: Inputs, points: list[dict], seconds: float = 10) -> list:
    """For each point: payments a second and p99, measured and predicted.  The
    speed of the machine is taken from the point of one cell; the rest is not
    told to the model."""
    factor = fitted(
        inputs, next(each for each in points if each["cells"] == 1), seconds
    )
    rows = []
    for point in points:
        found = predicted(inputs, point, factor, seconds)
        rate = found["per_second"] * point["cells"]
        rows.append(
            {
                "cells": point["cells"],
                "measured": point["payments_per_second"],
                "predicted": round(rate, 1),
                "error": round(rate / point["payments_per_second"] - 1, 3),
                "measured_p99_ms": point["p99_ms"],
                "predicted_p99_ms": round(
                    max(found["create_p99_ms"], found["webhook_p99_ms"]), 1
                ),
            }
        )
    return rows


# What people see.


def say_plan(inputs: Inputs, rate: float) -> None:
    made = plan(inputs, rate)
    found, cost = made.found, bill(inputs, made)
    print(f"{rate:,} payments a second in {REGIONS} regions")
    print(f"  {made.cells} cells and as many standbys, "
          f"{made.nodes} nodes in {made.groups} groups")  # fmt: skip
    print(f"  a cell: {found['per_second']:,.0f} a second, "
          f"{found['batch']:.1f} items a call, {found['postgres_us']:.0f} us, "
          f"{found['wal_bytes_per_s'] / 1e6:.0f} MB/s of WAL")  # fmt: skip
    print("  in use: " + ", ".join(
        f"{name} {used:.0%}" for name, used in found["used"].items()
    ) + f"; first: {found['first']}; busy: " + ", ".join(
        f"{name} {used:.0%}" for name, used in found["busy"].items()
    ))  # fmt: skip
    print(f"  create {found['create_p50_ms']:.0f} and "
          f"{found['create_p99_ms']:.0f} ms (p50, p99, without the PSP), "
          f"webhook {found['webhook_p50_ms']:.0f} and "
          f"{found['webhook_p99_ms']:.0f}")  # fmt: skip
    print(f"  {cost['cores']:,} cores, disks {cost['disk_gb'] / 1e3:,.0f} TB "
          f"({cost['disk_of_a_cell_gb'] / 1e3:,.1f} a machine), archive "
          f"{cost['archive_gb'] / 1e3:,.0f} TB, nginx holds "
          f"{cost['waiting_gb']:.1f} GB of waiting payments")  # fmt: skip
    parts = ", ".join(
        f"{name} {value:.2f}" for name, value in cost["per_million"].items()
    )
    print(f"  a million payments: {cost['per_million_all']:.2f} ({parts})")


def say_inputs(inputs: Inputs) -> None:
    for name, (kind, source) in inputs.known.items():
        print(f"{name:<20} {kind:<9} {inputs[name]}  ({source})")


def say_comparison(inputs: Inputs, bench: Path) -> None:
    points = at(json.loads(bench.read_text()), "cells.points")
    if not points:
        sys.exit(f"{bench} has no points: PARTS=cells make bench")
    for row in compare(inputs, points):
        print(row)


def plot(inputs: Inputs, file: Path) -> None:
    """p99 of creates and CPU by the load of one cell, with and without the
    standby abroad, and behind fewer workers."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "payments"
    matplotlib.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(
        2, 1, sharex=True, figsize=(7, 6), layout="constrained"
    )
    loads = (250, 500, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 10_000)
    costs, styles = costs_of(inputs), iter(("o-", "s--", "^:"))
    for label, nodes, abroad_s in (
        ("standby abroad, 16 workers", 2, inputs["abroad_ms"] / 1e3),
        ("standby abroad, 64 workers", 8, inputs["abroad_ms"] / 1e3),
        ("no standby, 16 workers", 2, None),
    ):
        shape = shape_of(inputs, nodes, nodes, abroad_s=abroad_s)
        found = [Cell(costs, shape).open(rate, SECONDS) for rate in loads]
        kept = [
            (rate, each)
            for rate, each in zip(loads, found, strict=True)
            if each["per_second"] > 0.9 * rate
        ]
        style, rates = next(styles), [rate for rate, _ in kept]
        above.plot(
            rates, [e["create_p99_ms"] for _, e in kept], style, label=label
        )
        below.plot(
            rates, [100 * e["used"]["PostgreSQL"] for _, e in kept], style
        )
    above.set_ylabel("p99 of a create, ms, without the PSP")
    above.set_ylim(0, 200)
    above.legend()
    below.set_ylabel(f"CPU of PostgreSQL, % of {inputs['cores']} cores")
    below.set_xlabel("payments a second of one cell")
    below.axhline(100 * inputs["load"], color="gray", linewidth=0.8)
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("plan", "compare", "plot", "inputs"))
    parser.add_argument("more", nargs="*")
    parser.add_argument("--figures", type=Path, default=HERE / "figures.json")
    parser.add_argument("--bench", type=Path, default=BENCH)
    given = parser.parse_args()
    inputs = read(given.figures, given.bench)
    if given.what == "plan":
        for rate in map(int, given.more or RATES):
            say_plan(inputs, rate)
    elif given.what == "compare":
        say_comparison(inputs, given.bench)
    elif given.what == "plot":
        plot(inputs, Path(given.more[0]))
    else:
        say_inputs(inputs)


if __name__ == "__main__":
    main()
