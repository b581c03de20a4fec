"""The parts of make bench that compare the gateway with lean: whole payments,
webhooks, and one create alone.
"""

import random
import statistics

import databases
import pgbench
from parts import head, line, prepare
from peer import Peer
from rig import HERE, median_of

GATEWAY = (64, 256)
LEAN = (8, 32, 64)
PEER = (16, 64)
# lean's own webhooks of what lean/prepare.sql has made
NEXT = r"""\set i :i + 1
\set n :base + :client_id * :each_n + :i
"""


def in_turns(rig, sides: dict) -> dict:
    """sides: label -> (numbers of clients, function of such a number).  The
    first round finds the number with which a side is fastest, the others are
    of this one; medians, by label."""
    found = {label: {} for label in sides}
    for label, (numbers, run) in sides.items():
        for clients in numbers:
            found[label][clients] = [run(clients)]
    best = {label: fastest(each) for label, each in found.items()}
    for _ in range(rig.rounds - 1):
        for label, (_, run) in sides.items():
            found[label][best[label]].append(run(best[label]))
    return {
        label: {
            "clients": best[label],
            "best": median_of(each[best[label]]),
            "all": {c: median_of(rounds) for c, rounds in each.items()},
        }
        for label, each in found.items()
    }


def fastest(found: dict) -> int:
    return max(found, key=lambda clients: found[clients][0]["per_second"])


def table(what: str, found: dict) -> None:
    head(what)
    for label, each in found.items():
        for clients, figures in each["all"].items():
            line(label, clients, figures)


def ratio(found: dict, ours: str, theirs: str, key="per_second") -> float:
    return round(found[ours]["best"][key] / found[theirs]["best"][key], 3)


def payment(rig) -> dict:
    """Whole payments: create, registration at the PSP, webhook."""
    lean = databases.lean(rig.env)
    steps = pgbench.lean("create token webhook")
    sides = {
        "gateway": (GATEWAY, lambda clients: rig.wrk("payment", clients)),
        "lean": (LEAN, lambda c: pgbench.run(rig, lean, steps, c)),
    }
    with Peer(rig) as peer:
        peer.wrk("payment", max(PEER), seconds=4)  # compiled and connected
        sides["Express"] = (PEER, lambda c: peer.wrk("payment", c))
        found = in_turns(rig, sides)
    table("whole payments (create + PSP + webhook)", found)
    for each in (found["gateway"]["best"], found["Express"]["best"]):
        each["cpu_us"] = each["server_us"] + each["postgres_us"]
    ours = found["gateway"]["best"]
    return {
        "lean_ratio": ratio(found, "gateway", "lean"),
        "peer_ratio": ratio(found, "gateway", "Express"),
        "peer_cpu_ratio": ratio(found, "Express", "gateway", "cpu_us"),
        "payments_per_second": round(ours["per_second"]),
        "cpu_us_per_payment": {
            "nginx": round(ours["server_us"]),
            "postgres": round(ours["postgres_us"]),
        },
        "payment": found,
    }


def webhook(rig) -> dict:
    """Signed webhooks of checkouts that wait for them: as many as a side has
    taken in the time, by the round before."""
    guess = {"gateway": 3000.0, "lean": 2000.0}
    where = databases.lean(rig.env)

    def gateway(clients):
        prefix, orders = rig.prefix(), round(guess["gateway"] * rig.seconds)
        prepare(rig, prefix, orders)
        found = rig.wrk("webhook", clients, PREFIX=prefix, ORDERS=orders)
        guess["gateway"] = found["per_second"]
        return found

    def lean(clients):
        each = round(guess["lean"] * rig.seconds) // clients + 1
        base = random.randrange(1 << 30) << 22
        databases.psql(where, "-f", HERE / "lean" / "prepare.sql",
                       "-v", f"base={base}",
                       "-v", f"count={each * clients}")  # fmt: skip
        found = pgbench.run(
            rig, where, NEXT + pgbench.lean("webhook"), clients, each=each,
            base=base, each_n=each, i=0,
        )  # fmt: skip
        guess["lean"] = found["per_second"]
        return found

    found = in_turns(rig, {"gateway": (GATEWAY, gateway),
                           "lean": (LEAN, lean)})  # fmt: skip
    table("signed webhooks", found)
    return {
        "webhook_per_second": round(found["gateway"]["best"]["per_second"]),
        "webhook_lean_ratio": ratio(found, "gateway", "lean"),
        "webhook": found,
    }


def create(rig) -> dict:
    """One client's create, and what lean takes for its two calls."""
    lean = databases.lean(rig.env)
    steps = pgbench.lean("create token")
    psp_url = f"http://127.0.0.1:{rig.port}"
    found = {"gateway": [], "the PSP alone": [], "lean, two calls": []}
    for _ in range(rig.rounds):
        for label, run in (
            ("gateway", lambda: rig.wrk("create", 1)),
            ("the PSP alone", lambda: rig.wrk("fixed", 1, url=psp_url)),
            ("lean, two calls", lambda: pgbench.run(rig, lean, steps, 1)),
        ):
            found[label].append(run())
    head("a create, one client")
    p50 = {}
    for label, rounds in found.items():
        line(label, 1, median_of(rounds))
        p50[label] = statistics.median(each["p50_ms"] for each in rounds)
    own = p50["gateway"] - p50["the PSP alone"]
    return {
        "create_alone_ms": round(own, 3),
        "create_alone_lean_ms": round(p50["lean, two calls"], 3),
        "create_alone_ratio": round(own / p50["lean, two calls"], 3),
    }


def nginx(rig) -> dict:
    """nginx' CPU for a whole payment, and that of a plain nginx for as many
    requests of the same bytes: two that it answers itself, over TLS, and one
    that it sends on."""
    sides = {
        "gateway, whole payments": lambda: rig.wrk("payment", 64),
        "plain nginx, TLS, return": lambda: rig.wrk(
            "posts", 64, cpu=rig.plain_cpu_us,
            url=f"https://localhost:{rig.tls_port}",
        ),
        "plain nginx, proxy_pass, keep-alive": lambda: rig.wrk(
            "posts", 64, cpu=rig.plain_cpu_us,
            url=f"http://127.0.0.1:{rig.proxy_port}",
        ),
    }  # fmt: skip
    found = {label: [] for label in sides}
    for _ in range(rig.rounds):
        for label, run in sides.items():
            found[label].append(run())
    ours, plain, proxied = (median_of(rounds) for rounds in found.values())
    head("CPU of nginx")
    for label, figures in zip(found, (ours, plain, proxied), strict=True):
        line(label, 64, figures)
    bare = 2 * plain["server_us"] + proxied["server_us"]
    return {
        "nginx_cpu_ratio": round(ours["server_us"] / bare, 3),
        "nginx_cpu_us": {"payment": round(ours["server_us"], 1),
                         "return": round(plain["server_us"], 1),
                         "proxy_pass": round(proxied["server_us"], 1)},
    }  # fmt: skip
