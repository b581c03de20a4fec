"""The part of make bench that asks what a payment costs PostgreSQL: CPU of one
backend for begin, token and webhook, beside lean's three steps; alone, and in
sets of 64.  The two take turns in random order, each in a database of its own
on the same cluster; the figure is the median of the ratios of the turns.
"""

import contextlib
import itertools
import random
import statistics
import sys

import anatomy
import calls
import databases
from backend import Backend
from rig import median_of

FILLED = 2048  # payments that a database has before
SETS = 64
WARM = 8  # calls before a turn counts: plans are made in the first
TURNS = 6  # of each side in one of the bench's rounds
PAYMENTS = {1: 24, SETS: 6 * SETS}  # a turn

LEAN = {
    1: {
        "create": "SELECT outcome FROM lean.create_payment($1, $2, $3, $4, $5,"
        " $6, $7, $8, $9, $10, $11, $12)",
        "token": "SELECT lean.store_token($1, $2, $3, $4)",
        "webhook": "SELECT lean.apply_webhook($1, $2, $3, $4, $5, $6, $7, $8)",
    },
    SETS: {
        "create": "SELECT outcome FROM lean.create_payments($1, $2, $3, $4,"
        " $5, $6, $7, $8, $9, $10, $11, $12)",
        "token": "SELECT outcome FROM lean.store_tokens($1, $2, $3, $4)",
        "webhook": "SELECT outcome FROM lean.apply_webhooks($1, $2, $3, $4,"
        " $5, $6, $7, $8)",
    },
}
# of id and n, as calls.VALUES
LEAN_VALUES = {
    "create": "'acme', 'key-' || id, sha256(id::bytea)::text, id, id,"
    " 'seller-' || (hashtext(id) & 1023), '1234', 'USD', 'stripe',"
    " 'https://shop.example.com/', '{}',"
    " (now() + interval '1 hour')::text",
    "token": "'acme', id, 'cs_test_' || id, 'http://127.0.0.1/pay/' || id",
    "webhook": "'stripe', 'evt_' || id, 'paid', 'cs_test_' || id,"
    " 'pi_' || id, '1234', 'USD', sha256(id::bytea)::text",
}
LEAN_OUTCOMES = {"create": "created", "token": "stored", "webhook": "applied"}


class Product:
    """number: of its database; items: of each of its calls."""

    def __init__(self, env: dict, number, items: int):
        self.dsn = databases.product(env, f"bench_product_{number}")
        self.items, self.steps = items, calls.STEPS

    def statement(self, helper: Backend, step: str) -> str:
        return calls.statement(helper, step)

    def values(self, helper: Backend, step: str, ids: list[str]) -> list[str]:
        return calls.values(helper, step, ids)

    def check(self, step: str, rows, ids: list[str]) -> None:
        calls.check(step, rows, len(ids))


class Lean:
    """The same of lean, under the same settings of the planner."""

    def __init__(self, env: dict, number, items: int):
        name = f"bench_lean_{number}"
        databases.lean(env, name)
        self.dsn = databases.dsn(env, name, databases.PLANS)
        self.items, self.steps = items, list(LEAN_OUTCOMES)

    def statement(self, helper: Backend, step: str) -> str:
        return LEAN[self.items][step]

    def values(self, helper: Backend, step: str, ids: list[str]) -> list[str]:
        whole = "min(v)" if self.items == 1 else "array_agg(v ORDER BY n)"
        rows = helper.query(
            f"SELECT {whole} FROM unnest($1::text[]) WITH ORDINALITY u (id, n)"
            f" CROSS JOIN LATERAL unnest(ARRAY[{LEAN_VALUES[step]}])"
            " WITH ORDINALITY w (v, k) GROUP BY k ORDER BY k",
            "{" + ",".join(ids) + "}",
        )
        return [row[0] for row in rows]

    def check(self, step: str, rows, ids: list[str]) -> None:
        outcomes = [row[0] for row in rows]
        if outcomes != [LEAN_OUTCOMES[step]] * len(ids):
            sys.exit(f"lean's {step} answered {outcomes}")


def payments(side, db: Backend, helper: Backend, ids: list[str]) -> dict:
    """These payments in one call a step: CPU of each step."""
    used = {}
    for step in side.steps:
        values = side.values(helper, step, ids)
        before = db.cpu_us()
        rows = db.run(step, values)
        used[step] = db.cpu_us() - before
        side.check(step, rows, ids)
    return used


def fill(rig, kind, items: int, name) -> None:
    """So that its tables have rows and statistics."""
    side = kind(rig.env, items, SETS)
    with Backend(side.dsn) as db, Backend(side.dsn) as helper:
        ready(side, db, helper)
        for _ in range(FILLED // SETS):
            payments(side, db, helper, [name() for _ in range(SETS)])
    databases.psql(side.dsn, "-c", "VACUUM ANALYZE")


def ready(side, db: Backend, helper: Backend) -> None:
    for step in side.steps:
        db.prepare(step, side.statement(helper, step))


def turn(side, db: Backend, helper: Backend, name) -> dict:
    """CPU a payment of each step."""
    used = [
        payments(side, db, helper, [name() for _ in range(side.items)])
        for _ in range(PAYMENTS[side.items] // side.items)
    ]
    count = PAYMENTS[side.items]
    found = {s: sum(each[s] for each in used) / count for s in side.steps}
    return found | {"us": sum(found.values())}


def anatomy_of(side, db: Backend, helper: Backend, name) -> dict:
    def run():
        payments(side, db, helper, [name() for _ in range(side.items)])

    count = anatomy.statements(db, run) / side.items
    return {"statements": round(count, 1)} | anatomy.written(
        helper, run, side.items
    )


def compared(rig, items: int) -> dict:
    """Product and lean in turns, so many payments a call."""
    numbers = itertools.count()

    def name() -> str:
        return f"cost-{next(numbers)}"

    found, made_of = {"product": [], "lean": []}, {}
    with contextlib.ExitStack() as stack:
        ready_sides = {}
        for key, kind in (("product", Product), ("lean", Lean)):
            fill(rig, kind, items, name)
            side = kind(rig.env, items, items)
            db, helper = (stack.enter_context(Backend(side.dsn))
                          for _ in range(2))  # fmt: skip
            ready(side, db, helper)
            for _ in range(WARM):
                payments(side, db, helper, [name() for _ in range(items)])
            ready_sides[key] = (side, db, helper, name)
            made_of[key] = anatomy_of(side, db, helper, name)
        for _ in range(TURNS * rig.rounds):
            for key in random.sample(list(found), 2):
                found[key].append(turn(*ready_sides[key]))
    ratios = [
        ours["us"] / theirs["us"]
        for ours, theirs in zip(*found.values(), strict=True)
    ]
    return {key: median_of(each) for key, each in found.items()} | {
        "ratio": round(statistics.median(ratios), 3),
        "made_of": made_of,
        "quartiles": [
            round(each, 3) for each in statistics.quantiles(ratios)[::2]
        ],
    }


def measure(rig) -> dict:
    found = {
        "alone": compared(rig, 1),
        f"in sets of {SETS}": compared(rig, SETS),
    }
    print(
        f"\n{'CPU of PostgreSQL, us a payment':<34} {'create':>7} {'token':>7}"
        f" {'webhook':>7} {'all':>7}"
    )
    for label, each in found.items():
        for key in ("product", "lean"):
            steps = "".join(f" {us:>7.0f}" for us in each[key].values())
            print(f"{key + ', ' + label:<34}{steps}")
        low, high = each["quartiles"]
        print(f"{'ratio':<34} {each['ratio']:.2f} ({low:.2f} to {high:.2f})")
    columns = ("statements", "records", "bytes", "inserted", "updated",
               "entries")  # fmt: skip
    print(f"\n{'a payment writes':<34}", *(f"{each:>10}" for each in columns))
    for label, each in found.items():
        for key, made in each["made_of"].items():
            cells = (f"{made[column]:>10}" for column in columns)
            print(f"{key + ', ' + label:<34}", *cells)
    alone, sets = found.values()
    return {"alone_ratio": alone["ratio"], "batch_ratio": sets["ratio"],
            "cost": {"alone": alone, "sets": sets}}  # fmt: skip
