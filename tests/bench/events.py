"""The part of make bench about events: whole payments while they are published
and while nobody publishes, the time until all are published behind a flood,
webhooks to endpoints on a plain nginx with TLS and the CPU of each, and the
p99 of webhooks to a thousand endpoints while one of them hangs.
"""

import contextlib
import json
import os
import socket
import ssl
import statistics
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
MANY = 1000
MESSAGES = 8  # to each of them
DEAD = f"/{MANY - 1}"  # the path of the one that hangs
SET = 500
LOOK_S = 0.1
DEADLINE_S = 300
WAITS = "SELECT count(*) FROM (SELECT FROM pay.outbox LIMIT 1) o"
DUE = """
SELECT count(*) FROM (
    SELECT FROM pay.webhook_delivery WHERE state = 'due' LIMIT 1) d"""
# those to all but the one that hangs
OTHERS = f"""
FROM pay.webhook_delivery d
JOIN pay.webhook_endpoint w USING (merchant_id, endpoint_id)
JOIN pay.message m ON m.position = d.position
WHERE w.url NOT LIKE '%{DEAD}' AND m.position > """
P99 = """
SELECT percentile_disc(0.99) WITHIN GROUP (
    ORDER BY extract(epoch FROM d.ended_at - m.published_at) * 1000)"""
# A merchant may have a hundred; one message is to go to all of them here.
NO_LIMIT = """
DO $$
BEGIN
    PERFORM set_config('search_path', 'pay', true);
    EXECUTE replace(pg_get_functiondef('pay.make_endpoint'::regproc),
                    '>= 100', '>= 1000000');
END
$$"""
# where it leads, and as if it had never failed
LEADS = f"""
UPDATE pay.webhook_endpoint
SET url = '%s{DEAD}', failures = 0, failing_since = NULL, paused_until = NULL,
    look_at = now()
WHERE url LIKE '%%{DEAD}'"""
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


def endpoints(rig, count: int) -> None:
    context = ssl.create_default_context(cafile=rig.env["GATEWAY_CA"])
    for number in range(count):
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


def paid(rig, count: int, size: int = SET) -> None:
    """Paid orders, by the operations themselves."""
    prefix = rig.prefix()
    with Backend(rig.gateway_dsn()) as db:
        for operation in calls.STEPS:
            db.prepare(operation, calls.statement(db, operation))
        for first in range(0, count, size):
            ids = [f"{prefix}-{n}" for n in range(first, first + size)]
            for operation in calls.STEPS:
                given = calls.values(db, operation, ids)
                calls.check(operation, db.run(operation, given), size)


def webhooks(rig) -> dict:
    """A second, from the moment that all are published, and the CPU of each."""
    orders = int(os.environ.get("EVENTS_ORDERS", "1000"))
    endpoints(rig, ENDPOINTS)
    with unpublished(rig):
        paid(rig, orders)
    until_none(rig, WAITS)
    began, before = time.monotonic(), int(rig.sql(DELIVERED))
    cpu = rig.cpu_us(), rig.postgres_us()
    until_none(rig, DUE)
    seconds = time.monotonic() - began
    count = int(rig.sql(DELIVERED)) - before
    return {
        "webhooks_per_second": round(count / seconds),
        "webhook_server_us": round((rig.cpu_us() - cpu[0]) / count, 1),
        "webhook_postgres_us": round((rig.postgres_us() - cpu[1]) / count, 1),
    }


@contextlib.contextmanager
def silent():
    """The port of one that accepts and never answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(64)  # the kernel accepts, and nobody reads
        yield sock.getsockname()[1]


def dead(rig) -> float:
    """The p99 of webhooks to all endpoints but one while that one hangs, by
    their p99 while it answers, in turns."""
    rig.sql("DELETE FROM pay.webhook_delivery")
    rig.sql("DELETE FROM pay.webhook_secret")
    rig.sql("DELETE FROM pay.webhook_endpoint")
    rig.sql(NO_LIMIT)
    endpoints(rig, MANY)
    found = {"well": [], "dead": []}
    with silent() as port:
        ports = {"well": rig.tls_port, "dead": port}
        for name in ["well", *(["dead", "well"] * rig.rounds)]:
            rig.sql(LEADS % f"https://localhost:{ports[name]}")
            found[name].append(turn(rig))
    print("p99 of webhooks, ms:", found)
    # the first turn opens connections
    calm, hung = found["well"][1:], found["dead"]
    return round(statistics.median(hung) / statistics.median(calm), 3)


def turn(rig) -> float:
    """The p99 of the others, in ms."""
    before = rig.sql("SELECT coalesce(max(position), 0) FROM pay.message")
    with unpublished(rig):
        paid(rig, MESSAGES, MESSAGES)
    until_none(rig, WAITS)
    left = f"{OTHERS}{before} AND d.state = 'due'"
    until_none(rig, f"SELECT count(*) FROM (SELECT {left} LIMIT 1) d")
    return round(float(rig.sql(f"{P99}{OTHERS}{before}")), 1)


def measure(rig) -> dict:
    found = beside(rig)
    lag = behind(rig)
    hooks = webhooks(rig)
    share = found["on"]["per_second"] / found["off"]["per_second"]
    print(
        f"payments with a publisher {share:.2f} of those without, all published"
        f" {lag:.1f} s behind a flood, {hooks['webhooks_per_second']}"
        " webhooks/s"
    )
    return {
        "events": found
        | {
            "share": round(share, 3),
            "lag_s": round(lag, 1),
            "dead_p99_ratio": dead(rig),
        }
        | hooks
    }
