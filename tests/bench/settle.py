"""The part of make bench that imports a settlement file beside stored orders,
while the gateway takes payments: SETTLE_ROWS rows (1,000,000), each a sale with
its fee, of SETTLE_ORDERS orders (5,000,000), of which the file has the first.
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
GROSS, FEE = 1234, -47
COLUMNS = (
    "row_id,type,psp_ref,parent_ref,occurred_at,booked_on,gross,fee,net,"
    "currency,payout_id"
)
# the PSP's id of the payment, of the copy of this number
NAME = "SELECT token FROM pay.psp_token WHERE is_reference AND token LIKE '%{}'"


class Memory:
    """The most that a process has had so far, in MB."""

    def __init__(self, pid: int):
        self.status = pathlib.Path(f"/proc/{pid}/status")
        self.most = 0.0

    def look(self) -> None:
        try:
            text = self.status.read_text()
        except OSError:
            return
        for row in text.splitlines():
            if row.startswith("VmHWM:"):
                self.most = int(row.split()[1]) / 1024


def payctl(rig, *words):
    """payctl as an operator who may set up a source."""
    return [BUILD / "payctl", *words, "--dsn", rig.env["PG_ADMIN_DSN"]]


def minor(amount: int) -> str:
    return f"{'-' * (amount < 0)}{abs(amount) // 100}.{abs(amount) % 100:02}"


def written(path: pathlib.Path, rows: int, name: str) -> None:
    """A generic CSV of the orders 1 to rows; name: the payment of order 1."""
    net = GROSS + FEE
    with path.open("w", encoding="utf-8") as file:
        print(COLUMNS, file=file)
        for n in range(1, rows + 1):
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


def stored(rig, orders: int) -> str:
    """The PSP's id of the payment of the first of so many orders."""
    template = rig.prefix()
    prepare(rig, template, 1)
    paid = rig.wrk("webhook", 1, 5, PREFIX=template, ORDERS=1)
    if paid["applied"] < 1:
        sys.exit("the template of what is stored was not paid")
    store(rig, f"{template}-1", 0, orders)
    name = rig.sql(NAME.format("g1"))
    if not name:
        sys.exit("the copies have no id of a payment")
    return name


def imported(rig, path: pathlib.Path, rows: int, rate: float) -> dict:
    """The import of the file while payments come at a rate."""
    started = time.monotonic()
    process = subprocess.Popen(
        payctl(rig, "settlement", "import", "--source", SOURCE, "-o", "json",
               path),
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    memory, ended, said = Memory(process.pid), [], []

    def watch():
        while process.poll() is None:
            memory.look()
            time.sleep(SAMPLE_S)  # between two looks
        ended.append(time.monotonic())
        said.append(process.stdout.read())

    watcher = threading.Thread(target=watch)
    watcher.start()
    rounds = []
    while not rounds or process.poll() is None:
        rounds.append(rig.wrk("payment", CLIENTS, rate=rate))
    watcher.join()
    found = json.loads(said[0])
    if (found["state"], found["matched"]) != ("booked", rows):
        sys.exit(f"the file was not booked: {found}")
    # the last round went on after the import
    beside = median_of(rounds[:-1] or rounds)
    return {
        "rows_per_second": round(rows / (ended[0] - started)),
        "importer_mb": round(memory.most, 1),
        "worker_mb": round(rig.rss_kb() / 1024, 1),
        "beside": beside,
    }


def measure(rig) -> dict:
    orders = int(os.environ.get("SETTLE_ORDERS", "5000000"))
    rows = int(os.environ.get("SETTLE_ROWS", "1000000"))
    if rows > orders:
        sys.exit("SETTLE_ROWS are of SETTLE_ORDERS, which are fewer")
    name = stored(rig, orders)
    path = BUILD / "bench.settle.csv"
    written(path, rows, name)
    subprocess.run(
        payctl(rig, "settlement", "source", SOURCE, "--format", "generic",
               "--merchant", "acme", "--psp", "stripe"),
        check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    rig.wrk("payment", CLIENTS, 2)
    best = median_of([rig.wrk("payment", CLIENTS) for _ in range(rig.rounds)])
    # a payment is two requests
    rate = 2 * best["per_second"] / 4
    alone = median_of(
        [rig.wrk("payment", CLIENTS, rate=rate) for _ in range(rig.rounds)]
    )
    found = imported(rig, path, rows, rate)
    path.unlink()
    head(f"payments beside {orders:,} stored orders")
    line("as many as go", CLIENTS, best)
    line("at a quarter of it", CLIENTS, alone)
    line(f"while {rows:,} rows are imported", CLIENTS, found["beside"])
    ratio = found["beside"]["p99_ms"] / alone["p99_ms"]
    print(f"{found['rows_per_second']} rows/s, {found['importer_mb']} MB")
    return {
        "settle": found | {
            "rows": rows,
            "orders": orders,
            "alone": alone,
            "p99_ratio": round(ratio, 3),
        }
    }  # fmt: skip
