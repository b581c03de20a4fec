"""What make bench measures: each part takes the rig and returns its figures.
Rounds are interleaved with what they are compared with; medians.
"""

import concurrent.futures
import subprocess
import sys
import time

import calls
import databases
import pgbench
from backend import Backend
from rig import HERE, PGBIN, WORKERS, median_of

FLOOD = 1000
# What a paid checkout leaves: rows of all tables but these two, of which one is
# what is still to be done, and the other belongs to a seal that was signed.
STORED = """
SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
WHERE relnamespace = 'pay'::regnamespace AND relkind IN ('r', 'p')
  AND NOT relispartition AND relname NOT IN ('job', 'seal_leaf')
"""
IN_A_HURRY = (
    "fsync = off",
    "full_page_writes = off",
    "max_wal_size = '16GB'",
    "checkpoint_timeout = '1h'",
)
# Whether all that was written before has been sealed, and compared by the round
# that compares the books.  Copies have the transaction of their template: a
# round that comes to it later takes all of them for one piece of work.
IS_BEHIND = """
SELECT r.from_tx > t.tx AND s.until_tx > t.tx
FROM (SELECT max(tx) AS tx FROM pay.event) t,
    (SELECT max(until_tx) AS until_tx FROM pay.seal) s, pay.round r
WHERE r.name = 'books'
"""
BEHIND_S = 60
LIMITS = "payments_bulkhead intake=24; payments_stage_timeout key=50ms;"


def script(rig, name: str, *options: str, **variables) -> None:
    """A file of psql, with the planner's settings of the gateway."""
    given = [f"{key}={value}" for key, value in variables.items()]
    named = [word for each in given for word in ("-v", each)]
    subprocess.run(
        [PGBIN / "psql", "-Xqt", "-v", "ON_ERROR_STOP=1", *options, *named,
         "-f", HERE / name, rig.env["PG_ADMIN_DSN"]],
        check=True,
        stdout=subprocess.DEVNULL,
        env={"PGOPTIONS": databases.PLANS},
    )  # fmt: skip


def prepare(rig, prefix: str, count: int) -> None:
    """Checkouts of this prefix that wait for their webhook; what is measured
    begins with statistics, as on a server that has run."""
    calls.prepare(rig.gateway_dsn(), prefix, count)
    rig.sql("ANALYZE")


COLUMNS = {
    "per_second": (" {:>9.0f}", "per s"),
    "p50_ms": (" {:>8.2f}", "p50 ms"),
    "p99_ms": (" {:>8.2f}", "p99 ms"),
    "server_us": (" {:>9.0f}", "server us"),
    "postgres_us": (" {:>11.0f}", "postgres us"),
}


def line(label: str, clients: int, figures: dict) -> None:
    """A column without a figure, or with none of the server's, stays empty."""
    cells = ""
    for name, (form, _) in COLUMNS.items():
        cell = form.format(figures.get(name, 0))
        cells += cell if figures.get(name) else " " * len(cell)
    print(f"{label:<42} {clients:>7}{cells}")


def head(what: str) -> None:
    cells = "".join(
        title.rjust(len(form.format(0))) for form, title in COLUMNS.values()
    )
    print(f"\n{what:<42} {'clients':>7}{cells}")


def status(rig) -> dict:
    """GET of orders, beside nginx that returns as many bytes at once."""
    prefix = rig.prefix()
    prepare(rig, prefix, 5000)
    plain_url = f"https://localhost:{rig.tls_port}"
    ours, plain = [], []
    for _ in range(rig.rounds):
        plain.append(rig.wrk("fixed", 64, url=plain_url))
        ours.append(rig.wrk("status", 64, PREFIX=prefix, ORDERS=5000))
    ours, plain = median_of(ours), median_of(plain)
    head("status of an order")
    line("gateway", 64, ours)
    line("plain nginx, return 200", 64, plain)
    ratio = ours["per_second"] / plain["per_second"]
    return {"status_ratio": round(ratio, 3), "status": ours, "plain": plain}


def overhead(rig, rate: float) -> dict:
    """Of a create at this rate: p99 − the PSP's − that of its operations; those
    at half of what pgbench can do, where that is less.  Nothing is left to be
    done of other parts."""
    rig.restart(WORKERS)
    psp_url = f"http://127.0.0.1:{rig.port}"
    creates, psp, database = [], [], []
    with Backend(rig.gateway_dsn()) as db:
        steps = calls.script(db, calls.STEPS[:2])

    def alone(rate=0):
        return pgbench.run(rig, rig.gateway_dsn(), steps, 8, rate=rate)

    most = alone()["per_second"]
    database_rate = min(rate, most / 2)
    for _ in range(rig.rounds):
        creates.append(rig.wrk("create", 64, rate=rate))
        psp.append(rig.wrk("fixed", 64, rate=rate, url=psp_url))
        database.append(alone(database_rate))
    creates, psp = median_of(creates), median_of(psp)
    database = median_of(database)
    head(f"creates at {rate:.0f}/s")
    line("gateway", 64, creates)
    line("the PSP alone", 64, psp)
    line("pgbench, begin and token", 8, database)
    own = creates["p99_ms"] - psp["p99_ms"] - database["p99_ms"]
    return {"overhead_p99_ms": round(own, 3), "half_rate": round(rate),
            "pgbench_rate": round(database_rate),
            "create_p99_ms": creates["p99_ms"],
            "psp_p99_ms": psp["p99_ms"],
            "pgbench_p99_ms": database["p99_ms"]}  # fmt: skip


def workers(rig) -> dict:
    """Creates with one worker and with two."""
    found = {}
    for number in (1, 2):
        rig.restart(number)
        found[number] = rig.wrk("create", 256)
    head("creates by workers")
    for number, figures in found.items():
        line(f"{number} worker(s)", 256, figures)
    return {"workers": found}


def overload(rig, most: float, seconds: float) -> dict:
    """Twice what goes beside half of it, while the same webhooks come; under a
    cap and with a deadline, so that creates that would take too long are
    refused at once."""
    found = median_of([flood(rig, most, seconds) for _ in range(rig.rounds)])
    head(f"creates at {2 * most:.0f}/s, {found['came']:.0f}/s came")
    line("half of what goes", 64, found["half"])
    line("flood, those accepted", FLOOD, found["flooded"])
    line("webhooks meanwhile", 32, found["webhooks"])
    return {"overload": found}


def flood(rig, most: float, seconds: float) -> dict:
    rig.restart(WORKERS, more=LIMITS)
    half = beside_webhooks(rig, most / 8, 64, most / 2, 10)[0]
    flooded, webhooks = beside_webhooks(rig, most / 8, FLOOD, 2 * most, seconds)
    asked = flooded["created"] + flooded["refused"]
    if not flooded["created"]:
        sys.exit("no create of the flood was accepted: it has no p99")
    return {
        "refused_share": flooded["refused"] / max(asked, 1),
        "came": asked / flooded["seconds"],
        "accepted_p99_ms": flooded["accepted_p99_ms"],
        "half_p99_ms": half["p99_ms"],
        "p99_ratio": flooded["p99_ms"] / half["p99_ms"],
        "webhook_p99_ms": webhooks["p99_ms"],
        "webhooks_refused": webhooks["refused"],
        "recovery_s": recovery(rig, 2 * half["p99_ms"]),
        "half": half,
        "flooded": flooded,
        "webhooks": webhooks,
    }


def beside_webhooks(rig, events: float, clients: int, rate: float,
                    seconds: float) -> tuple[dict, dict]:  # fmt: skip
    """Creates by so many clients at a rate, and so many webhooks a second."""
    prefix, orders = rig.prefix(), round(events * seconds * 1.2)
    prepare(rig, prefix, orders)
    creates = rig.start_wrk("create", clients, seconds, rate=rate)
    webhooks = rig.wrk(
        "webhook", 32, seconds, rate=events, PREFIX=prefix, ORDERS=orders
    )
    found = rig.finish(creates)
    found["per_second"] = found["created"] / found["seconds"]
    return found | {"p99_ms": found["accepted_p99_ms"]}, webhooks


def recovery(rig, calm_ms: float) -> float:
    """Seconds until a second of creates is as fast as before the flood."""
    since = time.monotonic()
    while time.monotonic() < since + 60:
        started = time.monotonic()
        figures = rig.wrk("create", 8, 1, rate=50)
        if not figures["refused"] and figures["p99_ms"] <= calm_ms:
            return started - since
    return 60.0


def soak(rig, minutes: float) -> dict:
    """Memory of the workers under steady load, minute by minute."""
    prefix = rig.prefix()
    prepare(rig, prefix, 1000)
    seconds = minutes * 60
    rig.wrk("payment", 64, 3)
    payments = rig.start_wrk("payment", 32, seconds, rate=150)
    gets = rig.start_wrk(
        "status", 16, seconds, rate=150, PREFIX=prefix, ORDERS=1000
    )
    found, ends = [], time.monotonic() + seconds
    head("under steady load")
    while time.monotonic() < ends - 30:
        time.sleep(30)  # between two looks
        found.append(round(rig.rss_kb() / 1024, 1))
    line("payments", 32, rated(rig.finish(payments), "applied"))
    line("status", 16, rated(rig.finish(gets), "read"))
    print("MB of the workers, each half minute:", *found)
    half = len(found) // 2
    grown = max(found[half:]) / max(found[:half])
    return {"soak_mb": found, "soak_growth": round(grown, 3)}


def rated(figures: dict, what: str) -> dict:
    return figures | {"per_second": figures[what] / figures["seconds"]}


def store(rig, template: str, stored: int, wanted: int,
          spread: float = 0, without=()) -> None:  # fmt: skip
    """Copies of the template from one number to another, by two at once; what
    makes them durable is off meanwhile, and asserted afterwards.  Each checkout
    is so many seconds older than the one before.  without: tables."""
    tables = " ".join(
        each for each in rig.sql(STORED).split() if each not in without
    )
    if stored == 0:
        wait_for_rounds(rig)
    for setting in IN_A_HURRY:
        rig.sql(f"ALTER SYSTEM SET {setting}")
    switch(rig, tables, "DISABLE")
    middle = (stored + wanted) // 2
    with concurrent.futures.ThreadPoolExecutor() as pool:
        done = [
            pool.submit(script, rig, "grow.sql", template=template,
                        tables=tables, first=first + 1, count=last - first,
                        spread=spread)
            for first, last in ((stored, middle), (middle, wanted))
        ]  # fmt: skip
        for each in done:
            each.result()
    switch(rig, tables, "ENABLE")
    rig.sql("ALTER SYSTEM RESET ALL")
    rig.sql("SELECT pg_reload_conf()")
    rig.sql("VACUUM ANALYZE")
    rig.sql("CHECKPOINT")
    rig.assert_durable()


def wait_for_rounds(rig) -> None:
    ends = time.monotonic() + BEHIND_S
    while rig.sql(IS_BEHIND) != "t":
        if time.monotonic() > ends:
            sys.exit("the rounds of the gateway do not pass the template")
        time.sleep(0.2)  # between two looks


def switch(rig, tables: str, verb: str) -> None:
    for table in tables.split():
        rig.sql(f"ALTER TABLE pay.{table} {verb} TRIGGER ALL")
    rig.sql("SELECT pg_reload_conf()")


def growth(rig, steps: list[int]) -> dict:
    """Whole payments beside so many stored ones."""
    template = rig.prefix()
    prepare(rig, template, 1)
    paid = rig.wrk("webhook", 1, 5, PREFIX=template, ORDERS=1)
    if paid["applied"] < 1:
        sys.exit("the template of what is stored was not paid")
    found, stored = {}, 0
    for step in [0, *steps]:
        if step > stored:
            store(rig, f"{template}-1", stored, step)
            stored = step
        rig.wrk("payment", 64, 2)
        rounds = [rig.wrk("payment", 64) for _ in range(rig.rounds)]
        found[step] = median_of(rounds)
    head("whole payments beside stored ones")
    for step, figures in found.items():
        line(f"{step:,} stored", 64, figures)
    first = found[0]["per_second"]
    return {
        "growth": {
            step: round(figures["per_second"] / first, 3)
            for step, figures in found.items()
        }
    }
