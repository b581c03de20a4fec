"""The model of scale against what is known without it: closed forms of queues,
conservation, and that more of a thing never makes it worse.
"""

import dataclasses
import json
import math
from pathlib import Path

import model
import numpy as np
import pytest
import simpy
from cell import BEGIN, EVENT, TOKEN, Cell, Costs, Shape
from stations import Log, Station, Times, poisson

HERE = Path(__file__).resolve().parent

KINDS = (BEGIN, TOKEN, EVENT)
NOTHING = dict.fromkeys(KINDS, 0.0)
FREE = Costs(0.0, 0.0, NOTHING, NOTHING, NOTHING, psp_s=0.0, pay_s=0.0)


@pytest.fixture(scope="module")
def inputs() -> model.Inputs:
    """Those of the repository, whatever was measured on this machine."""
    return model.read(bench=HERE / "none.json")


@pytest.fixture(scope="module")
def shape(inputs) -> Shape:
    return model.shape_of(inputs, nodes=2, cells=4)


# Stations.


def queued(rate: float, service, servers=1, seconds=4000.0, seed=3):
    """Mean time in a station with random arrivals, and how full it was."""
    env, rng = simpy.Environment(), np.random.default_rng(seed)
    station, times = Station(env, servers), Times(env, seconds / 20)

    def job():
        begun = env.now
        yield from station.serve(service(rng))
        times.add("job", begun)

    poisson_of = poisson(env, rng, rate, lambda: env.process(job()), seconds)
    env.process(poisson_of)
    env.run(seconds)
    return float(np.mean(times.found["job"])), station, times


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_random_services_wait_as_in_m_m_1(load):
    mean, station, _ = queued(load * 10, lambda rng: rng.exponential(0.1))
    assert mean == pytest.approx(0.1 / (1 - load), rel=0.07)
    assert station.used(4000) == pytest.approx(load, rel=0.03)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_equal_services_wait_as_in_m_d_1(load):
    mean, *_ = queued(load * 10, lambda _: 0.1, seconds=20_000)
    waited = load * 0.1 / (2 * (1 - load))  # Pollaczek and Khinchine
    assert mean - 0.1 == pytest.approx(waited, rel=0.07)


def test_two_servers_wait_as_in_m_m_2():
    mean, *_ = queued(14, lambda rng: rng.exponential(0.1), servers=2)
    assert mean == pytest.approx(0.1 / (1 - 0.7**2), rel=0.05)


def test_a_saturated_station_serves_what_it_can():
    _, station, times = queued(30, lambda _: 0.1, seconds=400)
    assert station.used(400) == pytest.approx(1, abs=0.001)
    # its queue grows, so that jobs of the warm-up are among those served
    assert station.work_s / 0.1 == pytest.approx(10 * 400, rel=0.001)
    assert times.found["job"][-1] > 200


def test_slices_share_a_core():
    """A short job beside a long one does not wait for its end."""
    env = simpy.Environment()
    station, ends = Station(env, 1, slice_s=0.001), {}

    def job(name, work):
        yield from station.serve(work)
        ends[name] = env.now

    env.process(job("long", 1.0))
    env.process(job("short", 0.01))
    env.run()
    assert ends["short"] == pytest.approx(0.02, abs=0.002)
    assert ends["long"] == pytest.approx(1.01, abs=0.001)


def test_a_flush_takes_all_that_waits():
    env = simpy.Environment()
    log, ends = Log(env, 0.01, 1e6), []

    def writer(after):
        yield env.timeout(after)
        yield log.commit(1000)
        ends.append(env.now)

    for after in (0, 0.001, 0.002, 0.003):
        env.process(writer(after))
    env.run()
    # the first alone in 10 ms and a kB's 1 ms, the others together behind it
    assert ends == pytest.approx([0.011, 0.024, 0.024, 0.024])
    assert (log.flushes, log.bytes) == (2, 4000)


# The cell where it is one of these queues.


def test_a_cell_of_one_connection_is_m_d_1():
    """Calls of one item on one core, of which only webhooks take time.  Buyers
    take long to pay, so that these come at random."""
    item = NOTHING | {EVENT: 0.1}
    costs = dataclasses.replace(FREE, item_s=item, pay_s=20.0)
    bare = Shape(cores=1, workers=1, node_cores=1, connections=1, batch=1,
                 near_s=0, abroad_s=None)  # fmt: skip
    cell = Cell(costs, bare, warm_s=100)
    found = cell.open(6, 3000)
    mean = np.mean(cell.times.found["webhook"])
    assert mean - 0.1 == pytest.approx(0.6 * 0.1 / (2 * 0.4), rel=0.1)
    assert found["used"]["PostgreSQL"] == pytest.approx(0.6, rel=0.05)
    assert found["batch"] == 1


def test_batches_go_beyond_one_item_a_call(shape):
    """A call that costs 10 ms however many items it has serves more than the
    hundred a second of one at a time."""
    call = NOTHING | {EVENT: 0.01}
    bare = dataclasses.replace(
        shape, cores=1, workers=1, near_s=0, abroad_s=None
    )
    found = Cell(dataclasses.replace(FREE, call_s=call), bare).open(1000, 5)
    assert found["per_second"] == pytest.approx(1000, rel=0.05)
    alone = dataclasses.replace(bare, batch=1)
    found = Cell(dataclasses.replace(FREE, call_s=call), alone).open(1000, 5)
    assert found["per_second"] < 105


def test_clients_of_a_saturated_cell_get_what_a_core_gives():
    item = NOTHING | {EVENT: 0.002}
    costs = dataclasses.replace(FREE, item_s=item)
    bare = Shape(cores=2, workers=4, node_cores=1, near_s=0, abroad_s=None)
    found = Cell(costs, bare).closed(64, 10)
    assert found["per_second"] == pytest.approx(1000, rel=0.03)
    assert found["used"]["PostgreSQL"] > 0.97
    assert found["first"] == "PostgreSQL"


def test_a_standby_abroad_costs_its_round_trip():
    wal = NOTHING | {EVENT: 1000.0}
    costs = dataclasses.replace(FREE, wal=wal)
    here = Shape(near_s=0, abroad_s=None, fsync_s=0.001)
    abroad = dataclasses.replace(here, abroad_s=0.02)
    near, far = (Cell(costs, each).open(5, 60) for each in (here, abroad))
    # behind the round trip each call waits for a flush there, not for both
    more = far["webhook_p50_ms"] - near["webhook_p50_ms"]
    assert more == pytest.approx(20, abs=0.1)


# Conservation.


@pytest.mark.parametrize("rate", [200, 2000, 6000])
def test_what_comes_leaves_or_is_under_way(inputs, shape, rate):
    cell = Cell(model.costs_of(inputs), shape)
    found = cell.open(rate, 2)
    assert cell.came == cell.left + found["under_way"]
    assert found["per_second"] == pytest.approx(rate, rel=0.06)
    # Little: as many are under way as come in the time that one takes.  At a
    # moment that number is as random as a Poisson one
    waits = [np.mean(cell.times.found[each]) for each in ("create", "webhook")]
    under = rate * (sum(waits) + cell.costs.psp_s + cell.costs.pay_s)
    assert abs(found["under_way"] - under) < 3.5 * math.sqrt(under)


def test_work_and_bytes_are_those_of_the_payments(inputs, shape):
    costs = model.costs_of(inputs)
    cell = Cell(costs, shape)
    found = cell.open(2000, 3)
    wal = sum(costs.wal.values())
    assert found["wal_bytes_per_s"] == pytest.approx(
        wal * found["per_second"], rel=0.02
    )
    nginx = (costs.create_s + costs.webhook_s) * found["per_second"]
    assert found["used"]["nginx"] * shape.node_cores == pytest.approx(
        nginx, rel=0.02
    )
    # a call for three operations at most, none but for its items
    alone = sum(costs.call_s.values()) + sum(costs.item_s.values())
    item = sum(costs.item_s.values())
    assert item * 1e6 < found["postgres_us"] < alone * 1e6


# More of a thing.


def test_more_load_takes_more_and_lasts_longer(inputs, shape):
    costs = model.costs_of(inputs)
    found = [Cell(costs, shape).open(rate, 2) for rate in (500, 2000, 8000)]
    for less, more in zip(found, found[1:], strict=False):
        for name in less["used"]:
            assert more["used"][name] > less["used"][name]
        assert more["create_p99_ms"] > less["create_p99_ms"]
        # batches grow, so that each payment is cheaper
        assert more["postgres_us"] < less["postgres_us"]


def test_more_cores_are_less_full(inputs, shape):
    costs = model.costs_of(inputs)
    few, many = (
        Cell(costs, dataclasses.replace(shape, cores=n)).open(2000, 2)
        for n in (8, 32)
    )
    assert many["used"]["PostgreSQL"] < few["used"]["PostgreSQL"]


def test_more_workers_make_smaller_calls(inputs, shape):
    costs = model.costs_of(inputs)
    few, many = (
        Cell(costs, dataclasses.replace(shape, workers=n)).open(2000, 2)
        for n in (8, 64)
    )
    assert many["batch"] < few["batch"] / 2
    assert many["postgres_us"] > few["postgres_us"]


def test_the_same_seed_gives_the_same(inputs, shape):
    costs = model.costs_of(inputs)
    one, again, other = (
        Cell(costs, shape, seed).open(1000, 1) for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


# Figures, plans and cost.


def test_a_call_and_its_items_give_what_was_measured(inputs):
    costs = model.costs_of(inputs)
    for kind in KINDS:
        call, item = costs.call_s[kind], costs.item_s[kind]
        assert call > 0 and item > 0
        assert call + item == pytest.approx(inputs["alone_us"][kind] / 1e6)
        assert call / 64 + item == pytest.approx(inputs["sets_us"][kind] / 1e6)


def test_the_bench_comes_before_the_file(tmp_path):
    bench = tmp_path / "bench.json"
    bench.write_text(json.dumps({"cpu_us_per_payment": {"nginx": 99}}))
    inputs = model.read(bench=bench)
    assert inputs["nginx_us"] == 99
    assert inputs.known["nginx_us"][0] == "measured"
    assert "bench.json" in inputs.known["nginx_us"][1]
    assert inputs["psp_ms"] == 200


def test_each_figure_says_where_it_is_from(inputs):
    for kind, source in inputs.known.values():
        assert kind in ("measured", "assumed", "chosen")
        assert len(source) > 5


@pytest.fixture(scope="module")
def plans(inputs) -> list[model.Plan]:
    return [model.plan(inputs, rate) for rate in model.RATES]


def test_a_plan_serves_its_rate_below_its_load(inputs, plans):
    for each in plans:
        assert each.found["per_second"] * each.cells == pytest.approx(
            each.rate, rel=0.05
        )
        assert max(each.found["used"].values()) <= inputs["load"]
        assert each.cells >= 2 * each.groups - 1
        # a group serves no more cells than a gateway may have
        most = each.groups * inputs["cells_of_a_node"]
        assert each.cells <= most


def test_one_node_and_one_region_may_be_lost(inputs, plans):
    for each in plans:
        left = (each.nodes - each.groups) // model.REGIONS
        cpu = each.rate * inputs["nginx_us"] / 1e6
        assert left * inputs["node_cores"] * inputs["load"] >= cpu


def test_fewer_cells_would_not_do(inputs, plans):
    for each in plans:
        fewer = math.floor(each.cells / model.REGIONS / model.STEP) - 1
        tried = model.tried(inputs, each.rate, fewer)
        assert not model.fits(inputs, tried)


def test_more_payments_take_more(inputs, plans):
    few, many = plans
    assert many.cells > few.cells and many.nodes > few.nodes
    assert many.cells / few.cells == pytest.approx(250 / 65, rel=0.15)


def test_the_bill_adds_up(inputs, plans):
    for each in plans:
        bill = model.bill(inputs, each)
        assert sum(bill["per_million"].values()) == pytest.approx(
            bill["per_million_all"]
        )
        # primary and standby
        days = inputs["retention_days"] * 86_400 / inputs["peak_factor"]
        rows = each.rate * days * inputs["disk_bytes"] / 1e9
        assert bill["disk_gb"] == pytest.approx(2 * rows)


# The comparison with make bench.


def points_of(inputs, factor: float, **wrong) -> list[dict]:
    """As part cells writes them, of a machine that the model made up."""
    found = []
    for number in (1, 2, 4):
        point = {"cells": number, "cores": 0.2, "clients": 32 * number,
                 "nginx_us": 180.0}  # fmt: skip
        made = model.predicted(inputs, point, factor, 4)
        rate = made["per_second"] * number
        point |= {
            "payments_per_second": rate * wrong.get(f"of_{number}", 1),
            "postgres_us": made["postgres_us"],
            "p99_ms": made["create_p99_ms"],
        }
        found.append(point)
    return found


def test_the_comparison_finds_the_speed_of_the_machine(inputs):
    rows = model.compare(inputs, points_of(inputs, 1.7), seconds=4)
    assert [row["cells"] for row in rows] == [1, 2, 4]
    for row in rows:
        assert abs(row["error"]) < 0.05


def test_the_comparison_shows_a_point_that_is_not_as_predicted(inputs):
    points = points_of(inputs, 1.7, of_4=0.5)
    rows = model.compare(inputs, points, seconds=4)
    assert abs(rows[1]["error"]) < 0.05
    assert rows[2]["error"] == pytest.approx(1, abs=0.1)
