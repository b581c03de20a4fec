"""What make bench measures: each part takes the rig and returns its figures.
Rounds are interleaved with what they are compared with; medians.
"""

import concurrent.futures
import subprocess
import sys
import time

from rig import HERE, PGBIN, WORKERS, median_of

GATEWAY = (64, 256)
PGBENCH = (8, 32, 64)
FLOOD = 1000
STORED = (
    "checkout payment_order registration psp_token idempotency_key event"
    " dispatch webhook_inbox journal_entry journal_line outbox"
)
IN_A_HURRY = (
    "fsync = off",
    "full_page_writes = off",
    "max_wal_size = '16GB'",
    "checkpoint_timeout = '1h'",
)
LIMITS = "payments_bulkhead intake=24; payments_stage_timeout key=50ms;"


def script(rig, name: str, **variables) -> None:
    """A file of psql, with the planner's settings of the gateway."""
    given = [f"{key}={value}" for key, value in variables.items()]
    named = [word for each in given for word in ("-v", each)]
    subprocess.run(
        [PGBIN / "psql", "-Xqt", "-v", "ON_ERROR_STOP=1", *named,
         "-f", HERE / name, rig.env["PG_ADMIN_DSN"]],
        check=True,
        stdout=subprocess.DEVNULL,
        env={"PGOPTIONS": "-c plan_cache_mode=force_generic_plan"
             " -c enable_seqscan=off -c enable_hashjoin=off"
             " -c enable_mergejoin=off -c enable_memoize=off"
             " -c random_page_cost=0.1 -c jit=off"},
    )  # fmt: skip


def prepare(rig, prefix: str, count: int) -> None:
    """Checkouts of this prefix that wait for their webhook."""
    script(rig, "prepare.sql", prefix=prefix, count=count)


def best(table: dict[int, dict]) -> tuple[int, dict]:
    return max(table.items(), key=lambda item: item[1]["per_second"])


def line(label: str, clients: int, figures: dict) -> None:
    print(
        f"{label:<42} {clients:>7} {figures['per_second']:>9.0f}"
        f" {figures['p50_ms']:>8.2f} {figures['p99_ms']:>8.2f}"
        f" {figures.get('nginx_us', 0):>9.0f}"
        f" {figures.get('postgres_us', 0):>11.0f}"
    )


def head(what: str) -> None:
    print(
        f"\n{what:<42} {'clients':>7} {'per s':>9} {'p50 ms':>8}"
        f" {'p99 ms':>8} {'nginx us':>9} {'postgres us':>11}"
    )


def beside(rig, what: str, gateway, database) -> dict:
    """gateway and database: from clients to figures; the ratio of the best.
    The first round finds these two, the others are theirs alone."""
    theirs = {clients: [database(clients)] for clients in PGBENCH}
    ours = {clients: [gateway(clients)] for clients in GATEWAY}
    their_best = best({c: r[0] for c, r in theirs.items()})[0]
    our_best = best({c: r[0] for c, r in ours.items()})[0]
    for _ in range(rig.rounds - 1):
        theirs[their_best].append(database(their_best))
        ours[our_best].append(gateway(our_best))
    ours = {c: median_of(r) for c, r in ours.items()}
    theirs = {c: median_of(r) for c, r in theirs.items()}
    head(what)
    for clients, figures in ours.items():
        line("gateway", clients, figures)
    for clients, figures in theirs.items():
        line("pgbench, one a transaction", clients, figures)
    ratio = ours[our_best]["per_second"] / theirs[their_best]["per_second"]
    return {"ratio": round(ratio, 3), "clients": our_best,
            "gateway": ours, "pgbench": theirs}  # fmt: skip


def payment(rig) -> dict:
    """Whole payments: create, registration at the PSP, webhook."""
    found = beside(
        rig,
        "whole payments (create + PSP + webhook)",
        lambda clients: rig.wrk("payment", clients),
        lambda clients: rig.pgbench("create event", clients),
    )
    top = found["gateway"][found["clients"]]
    return {
        "payment_ratio": found["ratio"],
        "payments_per_second": round(top["per_second"]),
        "cpu_us_per_payment": {
            "nginx": round(top["nginx_us"]),
            "postgres": round(top["postgres_us"]),
        },
        "payment": found,
    }


def webhook(rig) -> dict:
    """Signed webhooks of checkouts that wait for them: as many as a side has
    taken in the time, by the round before."""
    guess = {"gateway": 400.0, "pgbench": 200.0}

    def count(side: str) -> int:
        return round(guess[side] * rig.seconds)

    def gateway(clients):
        prefix, orders = rig.prefix(), count("gateway")
        prepare(rig, prefix, orders)
        found = rig.wrk("webhook", clients, PREFIX=prefix, ORDERS=orders)
        guess["gateway"] = found["per_second"]
        return found

    def database(clients):
        prefix, each = rig.prefix(), count("pgbench") // clients + 1
        prepare(rig, prefix, each * clients)
        found = rig.pgbench(
            "webhook",
            clients,
            each=each,
            prefix=prefix,
            each_n=each,
            n=0,
        )
        guess["pgbench"] = found["per_second"]
        return found

    found = beside(rig, "signed webhooks", gateway, database)
    return {"webhook_ratio": found["ratio"], "webhook": found}


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
    most = rig.pgbench("create", 8)["per_second"]
    database_rate = min(rate, most / 2)
    for _ in range(rig.rounds):
        creates.append(rig.wrk("create", 64, rate=rate))
        psp.append(rig.wrk("fixed", 64, rate=rate, url=psp_url))
        database.append(rig.pgbench("create", 8, rate=database_rate))
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
    rig.restart(WORKERS, more=LIMITS)
    half = beside_webhooks(rig, most / 8, 64, most / 2, 10)[0]
    flooded, webhooks = beside_webhooks(rig, most / 8, FLOOD, 2 * most, seconds)
    recovered = recovery(rig, 2 * half["p99_ms"])
    asked = flooded["created"] + flooded["refused"]
    head(
        f"creates at {2 * most:.0f}/s, {asked / flooded['seconds']:.0f}/s came"
    )
    line("half of what goes", 64, half)
    line("flood, those accepted", FLOOD, flooded)
    line("webhooks meanwhile", 32, webhooks)
    return {
        "overload": {
            "refused_share": round(flooded["refused"] / max(asked, 1), 3),
            "accepted_p99_ms": flooded["accepted_p99_ms"],
            "half_p99_ms": half["p99_ms"],
            "p99_ratio": round(flooded["p99_ms"] / half["p99_ms"], 2),
            "webhook_p99_ms": webhooks["p99_ms"],
            "webhooks_refused": webhooks["refused"],
            "recovery_s": round(recovered, 2),
        }
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


def store(rig, template: str, stored: int, wanted: int) -> None:
    """Copies of the template from one number to another, by two at once; what
    makes them durable is off meanwhile, and asserted afterwards."""
    for setting in IN_A_HURRY:
        rig.sql(f"ALTER SYSTEM SET {setting}")
    switch(rig, "DISABLE")
    middle = (stored + wanted) // 2
    with concurrent.futures.ThreadPoolExecutor() as pool:
        done = [
            pool.submit(script, rig, "grow.sql", template=template,
                        tables=STORED, first=first + 1, count=last - first)
            for first, last in ((stored, middle), (middle, wanted))
        ]  # fmt: skip
        for each in done:
            each.result()
    switch(rig, "ENABLE")
    rig.sql("ALTER SYSTEM RESET ALL")
    rig.sql("SELECT pg_reload_conf()")
    rig.sql("VACUUM ANALYZE")
    rig.sql("CHECKPOINT")
    rig.assert_durable()


def switch(rig, verb: str) -> None:
    for table in STORED.split():
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
