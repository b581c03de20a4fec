"""What the books cost: whole payments (begin, token, webhook) through the SQL
functions, with ledger, wallets, outbox and hash chain and without them, and
with one seller beside 10,000.  Scratch databases on the stack's cluster,
pgbench as client, interleaved rounds, medians.
"""

import os
import pathlib
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PGBIN = pathlib.Path("/usr/lib/postgresql/15/bin")

# The gateway's own settings (sql/roles.sql).
OPTIONS = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
    " -c enable_hashjoin=off -c enable_mergejoin=off -c random_page_cost=0.1"
    " -c jit=off -c enable_memoize=off"
)

# The same flow without them: nothing is booked, nothing hashed, nothing told.
WITHOUT = """
CREATE OR REPLACE FUNCTION pay.post(p_postings pay.posting[]) RETURNS void
LANGUAGE sql AS 'SELECT';
CREATE OR REPLACE FUNCTION pay.event_hash(p_previous bytea, p_event pay.event)
RETURNS bytea LANGUAGE sql IMMUTABLE AS
'SELECT decode(repeat(''00'', 28), ''hex'') || int4send(p_event.seq)';
CREATE OR REPLACE FUNCTION pay.chained_hash(
    p_previous text, p_merchant_id text, p_payment_order_id text,
    p_seq text, p_at text, p_tx text, p_kind text, p_actor text,
    p_old_status text, p_new_status text, p_reason text, p_detail text,
    p_request_id text)
RETURNS bytea LANGUAGE sql STABLE AS
'SELECT decode(repeat(''00'', 28), ''hex'') || int4send(p_seq::int)';
"""

# items a call, connections, sellers; whether with the books
CASES = {
    "books_batched": (64, 2, 10000, True),
    "plain_batched": (64, 2, 10000, False),
    "books_single": (1, 8, 10000, True),
    "plain_single": (1, 8, 10000, False),
    "hot_batched": (64, 2, 1, True),
    "hot_single": (1, 8, 1, True),
}


def psql(dsn, *args):
    subprocess.run(
        [PGBIN / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", dsn, *args],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def make(env, name, with_books):
    """A scratch database of this name, migrated."""
    dsn = env["PG_ADMIN_DSN"].rpartition("/")[0] + "/" + name
    psql(
        env["PG_ADMIN_DSN"], "-c", f"CREATE DATABASE {name} TEMPLATE template0"
    )
    subprocess.run(
        [ROOT / "build" / "payctl", "migrate", "--dsn", dsn],
        check=True,
        stdout=subprocess.DEVNULL,
        env=dict(os.environ, PAYCTL_SQL=str(ROOT / "sql")),
    )
    if not with_books:
        psql(dsn, "-c", WITHOUT)
    return dsn


def payments(dsn, case, seconds):
    items, clients, sellers, _ = CASES[case]
    command = [PGBIN / "pgbench", "-n", "-M", "prepared", "-j", "1"]
    command += ["-f", HERE / "payment.pgbench", "-T", str(seconds)]
    command += ["-D", f"items={items}", "-D", f"sellers={sellers}"]
    out = subprocess.run(
        [*command, "-c", str(clients), dsn],
        check=True,
        capture_output=True,
        text=True,
        env=dict(os.environ, PGOPTIONS=OPTIONS),
    ).stdout
    (line,) = (each for each in out.splitlines() if each.startswith("tps"))
    return float(line.split()[2]) * items


def measure(env, rounds, seconds):
    dsns = {
        True: make(env, "bench_books", True),
        False: make(env, "bench_plain", False),
    }
    found = {case: [] for case in CASES}
    for _ in range(rounds):
        for case, (*_, with_books) in CASES.items():
            found[case].append(payments(dsns[with_books], case, seconds))
    check(dsns[True])
    return {case: round(statistics.median(f), 1) for case, f in found.items()}


def check(dsn):
    """What was measured was right: the books agree."""
    subprocess.run(
        [ROOT / "build" / "payctl", "check", "--quiet", "--dsn", dsn],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def ratios(found):
    return {
        "books_ratio_batched": found["books_batched"] / found["plain_batched"],
        "books_ratio_single": found["books_single"] / found["plain_single"],
        "hot_ratio_batched": found["hot_batched"] / found["books_batched"],
        "hot_ratio_single": found["hot_single"] / found["books_single"],
    }


def report(env, rounds, seconds):
    """Prints the table; returns what goes into bench.json."""
    found = measure(env, rounds, seconds)
    shares = {name: round(value, 3) for name, value in ratios(found).items()}
    print(f"\n{'whole payments in SQL, per second':<46} {'64 a call':>10} one")
    for label, name in (
        ("ledger, wallets, outbox, chain; 10,000 sellers", "books"),
        ("the same without them", "plain"),
        ("with them, all of one seller", "hot"),
    ):
        print(
            f"{label:<46} {found[name + '_batched']:>10.0f}"
            f" {found[name + '_single']:>8.0f}"
        )
    for name, value in shares.items():
        print(f"{name} {value:.2f}")
    return {"payments_per_second": found, **shares}
