"""The part of make bench about events: whole payments while they are published
and while nobody publishes, the time until all are published behind a flood, and
webhooks to endpoints on a plain nginx with TLS.
"""

import contextlib
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request

import calls
from backend import Backend
from parts import head, line
from rig import PGBIN, median_of

CLIENTS = 64
ENDPOINTS = 32
SET = 500
LOOK_S = 0.1
DEADLINE_S = 300
WAITS = "SELECT count(*) FROM (SELECT FROM pay.outbox LIMIT 1) o"
DUE = """
SELECT count(*) FROM (
    SELECT FROM pay.webhook_delivery WHERE state = 'due' LIMIT 1) d"""
DELIVERED = (
    "SELECT count(*) FROM pay.webhook_delivery WHERE state = 'delivered'"
)
# without the lock nobody publishes
HOLD = "BEGIN; SELECT 'held' FROM pay.message_place FOR UPDATE;\n"


@contextlib.contextmanager
def unpublished(rig):
    """Nobody publishes meanwhile."""
    session = subprocess.Popen(
        [PGBIN / "psql", "-XAtq", rig.env["PG_ADMIN_DSN"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    session.stdin.write(HOLD)
    session.stdin.flush()
    if session.stdout.readline().strip() != "held":
        sys.exit("the place of the log is not there")
    try:
        yield
    finally:
        session.communicate("ROLLBACK;\n")


def until_none(rig, query: str) -> float:
    """Seconds until it counts nothing."""
    began = time.monotonic()
    while rig.sql(query) != "0":
        if time.monotonic() - began > DEADLINE_S:
            sys.exit(f"still: {query}")
        time.sleep(LOOK_S)  # between two looks
    return time.monotonic() - began


def beside(rig) -> dict:
    """Whole payments a second with a publisher and without, in turns."""
    rounds = {"off": [], "on": []}
    rig.wrk("payment", CLIENTS, 2)
    for _ in range(rig.rounds):
        with unpublished(rig):
            rounds["off"].append(rig.wrk("payment", CLIENTS))
        until_none(rig, WAITS)
        rounds["on"].append(rig.wrk("payment", CLIENTS))
        until_none(rig, WAITS)
    found = {name: median_of(all_) for name, all_ in rounds.items()}
    head("payments and the publisher of their events")
    line("nobody publishes", CLIENTS, found["off"])
    line("while they are published", CLIENTS, found["on"])
    return found


def behind(rig) -> float:
    """Seconds until all events of a flood are published."""
    seconds = float(os.environ.get("EVENTS_FLOOD_S", "60"))
    rig.wrk("payment", CLIENTS, seconds)
    return until_none(rig, WAITS)


def endpoints(rig) -> None:
    context = ssl.create_default_context(cafile=rig.env["GATEWAY_CA"])
    for number in range(ENDPOINTS):
        body = {
            "url": f"https://localhost:{rig.tls_port}/{number}",
            "types": ["payment.succeeded"],
        }
        request = urllib.request.Request(
            rig.env["GATEWAY_URL"] + "/v1/webhook-endpoints",
            json.dumps(body).encode(),
            {
                "Authorization": "Bearer " + rig.env["MERCHANT_JWT"],
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, context=context) as answer:
            if answer.status != 201:
                sys.exit(f"an endpoint was not made: {answer.status}")


def paid(rig, count: int) -> None:
    """Paid orders, by the operations themselves."""
    prefix = rig.prefix()
    with Backend(rig.gateway_dsn()) as db:
        for operation in calls.STEPS:
            db.prepare(operation, calls.statement(db, operation))
        for first in range(0, count, SET):
            ids = [f"{prefix}-{n}" for n in range(first, first + SET)]
            for operation in calls.STEPS:
                given = calls.values(db, operation, ids)
                calls.check(operation, db.run(operation, given), SET)


def webhooks(rig) -> float:
    """A second, from the moment that all are published."""
    orders = int(os.environ.get("EVENTS_ORDERS", "1000"))
    endpoints(rig)
    with unpublished(rig):
        paid(rig, orders)
    until_none(rig, WAITS)
    began, before = time.monotonic(), int(rig.sql(DELIVERED))
    until_none(rig, DUE)
    seconds = time.monotonic() - began
    return (int(rig.sql(DELIVERED)) - before) / seconds


def measure(rig) -> dict:
    found = beside(rig)
    lag = behind(rig)
    rate = webhooks(rig)
    share = found["on"]["per_second"] / found["off"]["per_second"]
    print(
        f"payments with a publisher {share:.2f} of those without, all published"
        f" {lag:.1f} s behind a flood, {rate:.0f} webhooks/s"
    )
    return {
        "events": found
        | {
            "share": round(share, 3),
            "lag_s": round(lag, 1),
            "webhooks_per_second": round(rate),
        }
    }
