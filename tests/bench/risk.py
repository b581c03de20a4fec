"""The part of make bench about risk: whole payments a second, and the p99 of
creates at half of the greatest rate, while nothing is looked at and with fifty
rules, eight windows and three lists of 100,000 entries, in turns.
"""

from parts import head, line
from rig import WORKERS, median_of

CLIENTS = 64
ENTRIES = 100_000
RULES = 50
# of a rate: clients that wait for their answers only come near it
REACHED = 0.75
# six in memory, two in PostgreSQL; nobody comes often enough to hit one
WINDOWS = (
    "key=ip window=1m limit=60000",
    "key=ip window=10m limit=60000",
    "key=ip_net window=1h limit=60000",
    "key=email window=10m limit=1000",
    "key=buyer window=10m limit=1000",
    "key=device window=1h limit=1000",
    "key=email window=24h limit=1000",
    "key=buyer window=24h limit=100000.00USD of=amount",
)
LISTS = f"""
SELECT sum(i.added) FROM (VALUES ('email'), ('buyer'), ('device')) k (kind),
    pay_ops.risk_list_import('acme',
        array_fill('block'::text, ARRAY[{ENTRIES}]),
        array_fill(k.kind, ARRAY[{ENTRIES}]),
        ARRAY(SELECT encode(sha256((k.kind || i)::bytea), 'hex')
              FROM generate_series(1, {ENTRIES}) i),
        array_fill(NULL::timestamptz, ARRAY[{ENTRIES}]), 'bench', 'bench') i"""


def directives() -> str:
    """Rules that compare much and hold for nobody."""
    rules = [
        f"payments_risk_rule r{n} if amount>{9000 + n}.00USD and "
        "billing_country!=:shipping_country or account_days>36500 "
        "and country=DE,FR,ES,IT then=review;"
        for n in range(RULES)
    ]
    windows = [
        f"payments_risk_velocity w{n} {words} then=block;"
        for n, words in enumerate(WINDOWS)
    ]
    return "\n    ".join(["payments_risk on memory=128m;", *rules, *windows])


def start(rig, looks: bool) -> None:
    """A gateway of its own, warm, with or without a look."""
    rig.restart(WORKERS, more=directives() if looks else "")
    if looks:
        rig.sql(LISTS)
        rig.sql("VACUUM ANALYZE pay.risk_list")
    rig.wrk("payment", CLIENTS, 2, BUYER=1)


def rounds(rig, rate: float) -> dict:
    """Of one start: payments a second, and creates at this rate."""
    return {
        "payment": rig.wrk("payment", CLIENTS, BUYER=1),
        "create": rig.wrk("create", CLIENTS, rate=rate, BUYER=1),
    }


def half_rate(rig) -> tuple[float, dict]:
    """Half of the fewest creates that go, without a look or with one: at more
    than that, a latency is the wait in a queue.  And what goes."""
    most = {}
    for name, looks in (("off", False), ("on", True)):
        start(rig, looks)
        found = [rig.wrk("create", CLIENTS, BUYER=1) for _ in range(rig.rounds)]
        most[name] = round(min(each["per_second"] for each in found))
    return min(most.values()) / 2, most


def measure(rig) -> dict:
    rate, most = half_rate(rig)
    off, on = [], []
    for _ in range(rig.rounds):
        for looks, found in ((False, off), (True, on)):
            start(rig, looks)
            found.append(rounds(rig, rate))
    off, on = median_of(off), median_of(on)
    head(f"{RULES} rules, {len(WINDOWS)} windows, three lists")
    line("payments, nothing is looked at", CLIENTS, off["payment"])
    line("payments, looked at", CLIENTS, on["payment"])
    line(f"creates at {rate:.0f}/s, nothing", CLIENTS, off["create"])
    line(f"creates at {rate:.0f}/s, looked at", CLIENTS, on["create"])
    share = on["payment"]["per_second"] / off["payment"]["per_second"]
    added = on["create"]["p99_ms"] - off["create"]["p99_ms"]
    print(f"{share:.2f} of the payments, p99 of creates {added:+.2f} ms")
    came = min(each["create"]["per_second"] for each in (off, on)) / rate
    if came < REACHED:
        print(f"only {came:.2f} of these creates came: trust no p99 of theirs")
    return {
        "share": round(share, 3),
        "added_p99_ms": round(added, 3),
        "rate": round(rate),
        "most": most,
        "came": round(came, 3),
        "off": off,
        "on": on,
    }
