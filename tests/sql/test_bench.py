"""make bench knows how to call the operations of a payment, and lean's steps:
it would notice only when somebody measures.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import os
import pathlib
import subprocess
import sys
import urllib.parse
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import calls
import cost
import databases
from backend import Backend
from test_settlement import scratch  # noqa: F401 (a fixture)

import settle


@pytest.fixture
def env():
    host = urllib.parse.quote(os.environ.get("PGHOST", ""), safe="")
    return {"PG_ADMIN_DSN": f"postgresql:///postgres?host={host}"}


@pytest.fixture
def number(env):
    """Of the databases of a test, which are dropped at its end."""
    made = uuid.uuid4().hex[:8]
    yield made
    for side in ("product", "lean"):
        name = f"bench_{side}_{made}"
        databases.psql(
            env["PG_ADMIN_DSN"], "-c", f"DROP DATABASE IF EXISTS {name}"
        )


@pytest.mark.parametrize("items", [1, cost.SETS])
@pytest.mark.parametrize("kind", [cost.Product, cost.Lean])
def test_a_payment_is_paid_in_each_way(env, number, kind, items):
    """payments() ends the process when an outcome is another one."""
    side = kind(env, number, items)
    with Backend(side.dsn) as db, Backend(side.dsn) as helper:
        cost.ready(side, db, helper)
        names = [f"t-{n}" for n in range(items)]
        used = cost.payments(side, db, helper, names)
        schema = "pay" if kind is cost.Product else "lean"
        ((paid, books),) = helper.query(
            f"SELECT (SELECT count(*) FROM {schema}.payment_order"
            f" WHERE status = 'SUCCESS'),"
            f" (SELECT count(*) FROM {schema}.webhook_inbox)"
        )
    assert (int(paid), int(books)) == (items, items)
    assert min(used.values()) > 0


def test_pgbench_gets_a_script_of_the_same_calls(env, number, tmp_path):
    dsn = databases.product(env, f"bench_product_{number}")
    with Backend(dsn) as db:
        (tmp_path / "script").write_text(calls.script(db, calls.STEPS))
    subprocess.run(
        [databases.PGBIN / "pgbench", "-n", "-M", "prepared", "-t", "3",
         "-f", tmp_path / "script", dsn],
        check=True,
        capture_output=True,
    )  # fmt: skip
    with Backend(dsn) as db:
        ((paid,),) = db.query(
            "SELECT count(*) FROM pay.payment_order WHERE status = 'SUCCESS'"
        )
    assert paid == "3"


def test_the_settlement_file_of_the_bench_proves_itself(shop, tmp_path):
    """Its rows are of orders that only the bench has."""
    path = tmp_path / "bench.csv"
    settle.written(path, 20, "pi_g1")
    said = shop.load(str(path))
    assert (said["state"], said["class3"]) == ("booked", 20)
