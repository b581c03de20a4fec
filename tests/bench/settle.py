"""The part of make bench that imports settlement files beside stored orders.

SETTLE_ROWS rows (1,000,000), each a sale with its fee, beside SETTLE_ORDERS
orders (5,000,000) on SETTLE_JOBS connections (2), while the gateway takes
payments at a quarter of its best rate; and SETTLE_GROWTH_ROWS rows (100,000)
alone, beside each number of orders of SETTLE_GROWTH (1,000,000 10,000,000).  A
step is left out, and named, when storing its orders would take longer than is
left of SETTLE_MINUTES (30).
"""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from parts import head, line, prepare, store
from rig import BUILD, median_of

CLIENTS = 64
SOURCE = "bench"
SAMPLE_S = 0.2
JOBS = os.environ.get("SETTLE_JOBS", "2")
NAME_OF_IMPORT = "bench-import"
BACKENDS = (
    "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity"
    f" WHERE application_name = '{NAME_OF_IMPORT}'"
)
GROSS, FEE = 1234, -47
COLUMNS = (
    "row_id,type,psp_ref,parent_ref,occurred_at,booked_on,gross,fee,net,"
    "currency,payout_id"
)
# the PSP's id of the payment, of the copy of this number
NAME = "SELECT token FROM pay.psp_token WHERE is_reference AND token LIKE '%{}'"


class Memory:
    """The most that an import has had so far, in MB: payctl with its
    libraries, and its backends without the buffers that all backends share,
    as they were at the looks."""

    def __init__(self, rig, pid: int):
        self.rig, self.pid = rig, pid
        self.backends = []
        self.most = self.most_backends = 0.0

    def look(self) -> None:
        if len(self.backends) < int(JOBS):
            self.backends = self.rig.sql(BACKENDS).split()
        self.most = max(self.most, peak_mb(self.pid))
        self.most_backends = max(
            self.most_backends, sum(map(own_mb, self.backends))
        )


def peak_mb(pid) -> float:
    """The most memory that a process has had; 0: it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    kb = [row.split()[1] for row in text.splitlines() if "VmHWM" in row]
    return int(kb[0]) / 1024 if kb else 0.0


def own_mb(pid) -> float:
    """Memory of a process that no other one has; 0: it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    kb = sum(int(row.split()[1]) for row in text.splitlines()
             if row.startswith("Private_"))  # fmt: skip
    return kb / 1024


def payctl(rig, *words):
    """payctl as an operator who may set up a source."""
    return [BUILD / "payctl", *words, "--dsn", rig.env["PG_ADMIN_DSN"]]


def minor(amount: int) -> str:
    return f"{'-' * (amount < 0)}{abs(amount) // 100}.{abs(amount) % 100:02}"


def written(path: pathlib.Path, rows: int, name: str, first: int = 1) -> None:
    """A generic CSV of so many orders, from one on; name: the payment of order
    1."""
    net = GROSS + FEE
    with path.open("w", encoding="utf-8") as file:
        print(COLUMNS, file=file)
        for n in range(first, first + rows):
            print(
                f"txn_{n:09},sale,ch_{n},{name[:-1]}{n},2026-11-20T10:00:00Z,"
                f"2026-11-21,{minor(GROSS)},{minor(FEE)},{minor(net)},USD,po_1",
                file=file,
            )
        print(
            f"total,{rows},,,,,{minor(rows * GROSS)},{minor(rows * FEE)},"
            f"{minor(rows * net)},USD,",
            file=file,
        )


class Stored:
    """The orders that are stored so far, copies of one that was paid."""

    def __init__(self, rig):
        self.rig, self.count, self.used, self.took_s = rig, 0, 0, 0.0
        prefix = rig.prefix()
        prepare(rig, prefix, 1)
        paid = rig.wrk("webhook", 1, 5, PREFIX=prefix, ORDERS=1)
        if paid["applied"] < 1:
            sys.exit("the template of what is stored was not paid")
        self.template = f"{prefix}-1"
        self.name = ""

    def seconds_for(self, orders: int) -> float:
        """How long storing so many would take; 0: nobody knows yet."""
        return self.took_s / max(self.count, 1) * (orders - self.count)

    def grow(self, orders: int) -> None:
        started = time.monotonic()
        if orders > self.count:
            store(self.rig, self.template, self.count, orders)
            self.took_s += time.monotonic() - started
            self.count = orders
        self.name = self.rig.sql(NAME.format("g1"))
        if not self.name:
            sys.exit("the copies have no id of a payment")

    def file(self, rows: int) -> pathlib.Path:
        """A file of orders that no other file has."""
        path = BUILD / "bench.settle.csv"
        written(path, rows, self.name, self.used + 1)
        self.used += rows
        if self.used > self.count:
            sys.exit("the files have more rows than there are orders")
        return path


def imported(rig, path: pathlib.Path, rows: int, rate: float = 0) -> dict:
    """The import of the file; rate: of payments meanwhile, 0: none."""
    started = time.monotonic()
    process = subprocess.Popen(
        payctl(rig, "settlement", "import", "--source", SOURCE, "--jobs", JOBS,
               "-o", "json", path),
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ, PGAPPNAME=NAME_OF_IMPORT),
    )  # fmt: skip
    memory, ended, said = Memory(rig, process.pid), [], []

    def watch():
        while process.poll() is None:
            memory.look()
            time.sleep(SAMPLE_S)  # between two looks
        ended.append(time.monotonic())
        said.append(process.stdout.read())

    watcher = threading.Thread(target=watch)
    watcher.start()
    rounds = []
    while rate and (not rounds or process.poll() is None):
        rounds.append(rig.wrk("payment", CLIENTS, rate=rate))
    watcher.join()
    path.unlink()
    found = json.loads(said[0])
    if (found["state"], found["matched"]) != ("booked", rows):
        sys.exit(f"the file was not booked: {found}")
    figures = {
        "rows_per_second": round(rows / (ended[0] - started)),
        "importer_mb": round(memory.most, 1),
        "backends_mb": round(memory.most_backends, 1),
        "worker_mb": round(rig.rss_kb() / 1024, 1),
    }
    if rounds:
        # the last round went on after the import
        figures["beside"] = median_of(rounds[:-1] or rounds)
    return figures


def beside_payments(rig, stored: Stored, rows: int) -> dict:
    """The large file, while payments come at a quarter of their best rate."""
    rig.wrk("payment", CLIENTS, 2)
    best = median_of([rig.wrk("payment", CLIENTS) for _ in range(rig.rounds)])
    # a payment is two requests
    rate = 2 * best["per_second"] / 4
    alone = median_of(
        [rig.wrk("payment", CLIENTS, rate=rate) for _ in range(rig.rounds)]
    )
    found = imported(rig, stored.file(rows), rows, rate)
    head(f"payments beside {stored.count:,} stored orders")
    line("as many as go", CLIENTS, best)
    line("at a quarter of it", CLIENTS, alone)
    line(f"while {rows:,} rows are imported", CLIENTS, found["beside"])
    ratio = found["beside"]["p99_ms"] / alone["p99_ms"]
    print(
        f"{found['rows_per_second']} rows/s on {JOBS} connections,"
        f" {found['importer_mb']} MB and backends {found['backends_mb']} MB,"
        f" p99 {ratio:.2f} times"
    )
    return found | {
        "rows": rows,
        "orders": stored.count,
        "jobs": int(JOBS),
        "alone": alone,
        "p99_ratio": round(ratio, 3),
    }


def measure(rig) -> dict:
    """All sizes in one order of growth, so that each order is stored once."""
    ends = time.monotonic() + 60 * float(os.environ.get("SETTLE_MINUTES", "30"))
    orders = int(os.environ.get("SETTLE_ORDERS", "5000000"))
    rows = int(os.environ.get("SETTLE_ROWS", "1000000"))
    few = int(os.environ.get("SETTLE_GROWTH_ROWS", "100000"))
    sizes = os.environ.get("SETTLE_GROWTH", "1000000 10000000").split()
    growth, found = {}, {}
    stored = Stored(rig)
    subprocess.run(
        payctl(rig, "settlement", "source", SOURCE, "--format", "generic",
               "--merchant", "acme", "--psp", "stripe"),
        check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    # at the same size the small file comes first
    steps = sorted([(int(size), 0) for size in sizes] + [(orders, 1)])
    for size, is_large in steps:
        takes = stored.seconds_for(size)
        if not is_large and takes > ends - time.monotonic():
            print(f"{size:,} orders are left out: they take {takes:.0f} s")
            continue
        stored.grow(size)
        if is_large:
            found = beside_payments(rig, stored, rows)
        else:
            growth[size] = imported(rig, stored.file(few), few)
    rates = {size: each["rows_per_second"] for size, each in growth.items()}
    for size, rate in rates.items():
        print(f"{few:,} rows alone beside {size:,} orders: {rate} rows/s")
    if len(rates) > 1:
        found["growth"] = round(rates[max(rates)] / rates[min(rates)], 3)
    return {"settle": found | {"alone_by_orders": rates}}
