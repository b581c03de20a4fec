"""The part of make bench that makes the pay-outs of a schedule: PAYOUT_ITEMS
sellers (100,000) with one sale each, as one run of the gateway's workers,
alone and while payments come at a quarter of their best rate.
"""

import datetime
import os
import sys
import threading
import time

import calls
from backend import Backend
from parts import head, line
from rig import median_of

CLIENTS = 64
SET = 500
DEADLINE_S = 900
LOOK_S = 0.2
# In real life an operator enters the provider, and sellers enter accounts.
SETTINGS = """
SELECT pay_ops.set_payout_provider('acme', 'bench', 'generic', '{iban}', NULL,
    NULL, 'bench', 'bench'),
    pay_ops.set_payout_policy('acme', 'bench', 'bench', 'delivered'),
    pay_ops.set_payout_schedule('acme', NULL, 'day', NULL, NULL, NULL, NULL,
        NULL, 'bench', 'bench')"""
ACCOUNTS = """
SELECT count(*) FROM unnest($1::text[]) s, pay_ops.store_destination('acme',
    'seller-' || s, 'USD', 'bench', 'iban', 'DE', 'DE89370400440532013000',
    'opaque', 'k1', 'sue', 'bench') d WHERE d.outcome = 'stored'"""
RELEASES = """
SELECT count(*) FROM unnest($1::text[]) o, pay_ops.release_order('acme', o,
    'bench', 'bench') r WHERE r = 'released'"""
# no day of it is due by itself: midnight may pass while sellers enter accounts
NEVER = "UPDATE pay.payout_schedule SET next_at = now() + interval '1 year'"
# the time of the schedule has come, on a day that had no run yet and has none
# due behind it
COMES = """
UPDATE pay.payout_schedule SET next_day = '{day}', next_at = now()"""
RUN = """
SELECT state, items,
    extract(epoch FROM coalesce(ended_at, clock_timestamp()) - begun_at)
FROM pay.payout_run WHERE due_day = '{day}'"""


def sold(rig, names: list[str]) -> None:
    """Paid and delivered orders of these names, each of a seller of its own
    with an account, by the operations themselves."""
    seller = calls.VALUES["begin_payment"]["p_orders_seller_account"]
    calls.VALUES["begin_payment"]["p_orders_seller_account"] = "'seller-' || id"
    try:
        with Backend(rig.gateway_dsn()) as db:
            for operation in calls.STEPS:
                db.prepare(operation, calls.statement(db, operation))
            for first in range(0, len(names), SET):
                ids = names[first : first + SET]
                for operation in calls.STEPS:
                    given = calls.values(db, operation, ids)
                    calls.check(operation, db.run(operation, given), len(ids))
    finally:
        calls.VALUES["begin_payment"]["p_orders_seller_account"] = seller


def known(rig, names: list[str]) -> None:
    """The sellers have accounts, and their orders are delivered."""
    with Backend(rig.env["PG_ADMIN_DSN"]) as db:
        for first in range(0, len(names), SET):
            ids = names[first : first + SET]
            for query in (ACCOUNTS, RELEASES):
                ((count,),) = db.query(query, "{" + ",".join(ids) + "}")
                if int(count) != len(ids):
                    sys.exit(f"{count} of {len(ids)}: {query}")


class Run:
    """The run of a due day, as a table shows it."""

    def __init__(self, rig, day: int):
        self.rig = rig
        # once: the bench may go on past midnight
        self.day = datetime.date.today() + datetime.timedelta(days=day)
        self.state, self.items, self.seconds = "", 0, 0.0
        rig.sql(COMES.format(day=self.day))

    def look(self) -> None:
        row = self.rig.sql(RUN.format(day=self.day))
        if row:
            self.state, items, seconds = row.split("|")
            self.items, self.seconds = int(items), float(seconds)

    def wait(self) -> None:
        ends = time.monotonic() + DEADLINE_S
        while self.state != "done":
            if time.monotonic() > ends:
                sys.exit(f"the run is {self.state} with {self.items} items")
            time.sleep(LOOK_S)  # between two looks
            self.look()


def made(rig, day: int, items: int, rate: float = 0) -> dict:
    """A run of so many items; rate: of payments meanwhile, 0: none."""
    prefix = rig.prefix()
    names = [f"{prefix}-{n}" for n in range(1, items + 1)]
    sold(rig, names)
    known(rig, names)
    rig.sql("VACUUM ANALYZE")
    rig.sql("CHECKPOINT")
    run = Run(rig, day)
    watcher = threading.Thread(target=run.wait)
    watcher.start()
    rounds = []
    while rate and (not rounds or watcher.is_alive()):
        rounds.append(rig.wrk("payment", CLIENTS, rate=rate))
    watcher.join()
    if run.items != items:
        sys.exit(f"{run.items} items were made, not {items}")
    figures = {
        "seconds": round(run.seconds, 1),
        "items_per_second": round(items / run.seconds),
    }
    if rounds:
        # the last round went on behind the run
        figures["beside"] = median_of(rounds[:-1] or rounds)
    return figures


def measure(rig) -> dict:
    items = int(os.environ.get("PAYOUT_ITEMS", "100000"))
    rig.sql(SETTINGS)
    rig.sql(NEVER)
    alone = made(rig, 1, items)
    rig.wrk("payment", CLIENTS, 2)
    best = median_of([rig.wrk("payment", CLIENTS) for _ in range(rig.rounds)])
    # a payment is two requests
    rate = 2 * best["per_second"] / 4
    calm = median_of(
        [rig.wrk("payment", CLIENTS, rate=rate) for _ in range(rig.rounds)]
    )
    found = made(rig, 2, items, rate)
    head("payments beside a run of pay-outs")
    line("as many as go", CLIENTS, best)
    line("at a quarter of it", CLIENTS, calm)
    line(f"while {items:,} items are made", CLIENTS, found["beside"])
    ratio = found["beside"]["p99_ms"] / calm["p99_ms"]
    print(
        f"{items:,} items alone in {alone['seconds']} s"
        f" ({alone['items_per_second']} items/s), beside payments in"
        f" {found['seconds']} s, p99 {ratio:.2f} times"
    )
    return {
        "payouts": found
        | {
            "items": items,
            "seconds_alone": alone["seconds"],
            "items_per_second_alone": alone["items_per_second"],
            "calm": calm,
            "p99_ratio": round(ratio, 3),
        }
    }
