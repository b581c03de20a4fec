"""The part of make bench about the console: each page and list with several
filters beside CONSOLE_ORDERS stored orders and a hundredth as many rows of
open and closed work, whether a large table is read as a whole for any of them,
and the CPU that fifty members of staff cost who look at it, as a share of that
of whole payments.
"""

import calendar
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import ssl
import statistics
import sys
import threading
import time
import urllib.parse

from parts import head, line, prepare, script, store
from rig import children, command_of, cpu_of, median_of

CLIENTS = 64
STAFF = 50
PERIOD_S = 10  # of html/console/pages.js
TIMES = 20
ROLES = ("VIEWER", "SUPPORT", "FINANCE", "APPROVER", "ADMIN")
# each as often as the first of its role's pages is open
POLLED = ("now", "now", "payments", "now", "disputes")
RARE = "psp=nobody"
# for receivers: their places are a sequence
EVENTS = ("message", "message_subject", "outbox")
# {page: queries}; tests/sql/99_console_scale.sql has more of them
PAGES = {
    "now": ("", "merchant=acme"),
    "psps": ("",),
    "webhooks": ("",),
    "money": ("",),
    "find": ("q=g77", "q=12.34%20EUR", "q=nobody"),
    "payment": ("checkout={checkout}",),
}
LISTS = {
    "payments": (
        "", "merchant=acme", RARE, "status=FAILED", "currency=JPY",
        "min=9000.00&max=9001.00", "limit=100", "from={early}&to={late}",
    ),
    "letters": ("", "state=open", "state=settled", "kind=poll", RARE),
    "mismatches": ("", "state=open", "state=settled", "kind=fee", RARE),
    "disputes": ("", "state=open", RARE),
    "changes": ("", "kind=capture", RARE),
    "unknown": ("", "kind=capture", RARE),
    "late": ("", "state=refunding", RARE),
    "jobs": ("", "state=late", "kind=register"),
    "inbox": ("", RARE),
    "deliveries": ("", "state=due"),
    "wallets": ("", "seller=bench-7"),
    "settlement": ("", "state=refused", RARE),
    "exceptions": ("", "state=open", "state=closed", "kind=gone", RARE),
    "payouts": ("",),
    "batches": ("",),
    "risk": ("", "state=rejected"),
}  # fmt: skip
SMALL = (
    "console_right console_role currency settlement_source webhook_endpoint"
    " backfill round schema_migration check_result webhook_quarantine"
)


class Browser:
    """Asks for pages over one connection, as one member of staff."""

    def __init__(self, rig, role):
        url = urllib.parse.urlsplit(rig.env["CONSOLE_URL"])
        context = ssl.create_default_context(cafile=rig.env["GATEWAY_CA"])
        self.http = http.client.HTTPSConnection(url.netloc, context=context)
        self.path = url.path.rstrip("/")
        self.token = rig.env[f"STAFF_{role}_JWT"]
        self.tags = {}

    def ask(self, address: str, polls: bool = False) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"}
        if polls and address in self.tags:
            headers["If-None-Match"] = self.tags[address]
        try:
            answer = self._get(address, headers)
        except http.client.RemoteDisconnected:
            # idle for longer than keepalive_timeout
            answer = self._get(address, headers)
        body = answer.read()
        if answer.status not in (200, 304):
            sys.exit(f"{address}: {answer.status} {body[:300]}")
        self.tags[address] = answer.headers["ETag"]
        return body

    def _get(self, address: str, headers: dict):
        self.http.request("GET", f"{self.path}/api/{address}", headers=headers)
        return self.http.getresponse()


def fill(rig, orders: int) -> str:
    """So many paid orders of the last month; the id of one checkout."""
    template = rig.prefix()
    prepare(rig, template, 1)
    paid = rig.wrk("webhook", 1, 5, PREFIX=template, ORDERS=1)
    if paid["applied"] < 1:
        sys.exit("the template of what is stored was not paid")
    month = 30 * 86400
    store(rig, f"{template}-1", 0, orders, round(month / orders, 3), EVENTS)
    script(rig, "console.sql", "-1", rows=max(orders // 100, 100), first=0)
    rig.sql("VACUUM ANALYZE")
    return rig.sql("SELECT checkout_id FROM pay.checkout OFFSET 9 LIMIT 1")


def views(checkout: str) -> list[tuple[str, str, str]]:
    """(kind, page, query)"""
    early, late = (
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))
        for ago in (15 * 86400, 14 * 86400)
    )
    return [
        (kind, page, query.format(checkout=checkout, early=early, late=late))
        for kind, pages in (("page", PAGES), ("list", LISTS))
        for page, queries in pages.items()
        for query in queries
    ]


def timed(rig, wanted) -> list[dict]:
    """ms of each, over HTTPS and fresh."""
    staff = Browser(rig, "VIEWER")
    found = []
    for kind, page, query in wanted:
        times = []
        for _ in range(TIMES + 1):
            began = time.monotonic()
            staff.ask(f"{page}?{query}" if query else page)
            times.append((time.monotonic() - began) * 1000)
        times = sorted(times[1:])  # the first one reads from the disk
        found.append({
            "kind": kind, "page": page, "query": query,
            "p50_ms": round(statistics.median(times), 1),
            "p95_ms": round(times[round(0.95 * (TIMES - 1))], 1),
        })  # fmt: skip
    return found


def scans(rig, wanted) -> dict:
    """{table: rows} that a page has read as a whole, without the small ones."""
    found = {}
    for _, page, query in wanted:
        fields = json.dumps(dict(urllib.parse.parse_qsl(query)))
        for row in filter(None, rig.sql(SCANS.format(
            page=page, query=in_sql(micros(fields)), small=SMALL,
        )).splitlines()):  # fmt: skip
            table, rows = row.split("|")
            found[table] = found.get(table, 0) + int(rows)
    return found


# as the role has it; one transaction, whose counters are at hand at once
SCANS = """
DO $$
DECLARE v text;
BEGIN
    FOREACH v IN ARRAY (SELECT s.setconfig FROM pg_db_role_setting s
        WHERE s.setrole = 'payments_console'::regrole AND s.setdatabase = 0)
    LOOP
        IF split_part(v, '=', 1) NOT LIKE '%timeout'
            AND split_part(v, '=', 1) NOT LIKE 'default%'
        THEN
            PERFORM set_config(split_part(v, '=', 1), split_part(v, '=', 2),
                               true);
        END IF;
    END LOOP;
    PERFORM FROM pay_console.read_page('{{{page}}}', '{{bench}}',
        ARRAY['["auditor"]'::jsonb], ARRAY[NULL::jsonb], ARRAY[{query}::jsonb]);
    CREATE TEMP TABLE scanned AS
    SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables
    WHERE schemaname = 'pay' AND seq_tup_read > 0
        AND relname <> ALL (string_to_array('{small}', ' '));
END
$$;
SELECT relname, seq_tup_read FROM scanned"""


def micros(fields: str) -> str:
    """Times as the gateway hands them on."""
    query = json.loads(fields)
    for name in ("from", "to"):
        if name in query:
            then = time.strptime(query[name], "%Y-%m-%dT%H:%M:%SZ")
            query[name] = str(calendar.timegm(then) * 1_000_000)
    return json.dumps(query)


def in_sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# Messages to storefronts that do not exist, and rounds that meet millions of
# rows of one transaction and of one hour, would cost more than all else.
QUIET = """
SET session_replication_role = replica;
DELETE FROM pay.webhook_delivery
WHERE endpoint_id LIKE 'bench-%' AND state = 'due';
DELETE FROM pay.webhook_endpoint WHERE endpoint_id LIKE 'bench-%';
UPDATE pay.round SET run_at = now() + interval '1 day'
WHERE name IN ('rollup', 'settlement', 'books', 'seal', 'sweep')"""


def opened(rig) -> list[tuple[Browser, str]]:
    """Fifty members of staff, each with a page."""
    found = []
    for n in range(STAFF):
        browser = Browser(rig, ROLES[n % len(ROLES)])
        page = POLLED[n % len(POLLED)]
        browser.ask(page)
        found.append((browser, page))
    return found


def poll(staff, seconds: float) -> int:
    """They look for so long; how often their pages asked."""
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)

    def look(each) -> int:
        browser, page = each
        asked, wait = 0, random.uniform(0, PERIOD_S)
        while not stop.wait(wait):
            browser.ask(page, polls=True)
            asked += 1
            wait = PERIOD_S * random.uniform(0.75, 1.25)
        return asked

    timer.start()
    with concurrent.futures.ThreadPoolExecutor(STAFF) as pool:
        return sum(pool.map(look, staff))


def pages_us(rig) -> int:
    """µs of CPU of the connections that make pages: what else PostgreSQL does,
    such as a seal, is none of those who look."""
    data = pathlib.Path(rig.env["PG_DATA"])
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    return sum(
        cpu_of(pid)
        for pid in children(postmaster)
        if "payments_console" in command_of(pid)
    )


def used(rig, work) -> tuple[float, float, object]:
    """µs of CPU a second, of the workers and of pages, while work() runs."""
    began, before = time.monotonic(), (rig.cpu_us(), pages_us(rig))
    given = work()
    seconds = time.monotonic() - began
    return (
        (rig.cpu_us() - before[0]) / seconds,
        (pages_us(rig) - before[1]) / seconds,
        given,
    )


def polling(rig) -> dict:
    """The CPU of those who look, by that of whole payments in the same time;
    without that of workers to whom nobody speaks, before or after."""
    seconds = float(os.environ.get("CONSOLE_SECONDS", "60"))
    rig.sql(QUIET)
    rig.wrk("payment", CLIENTS, 2)
    paid = median_of([rig.wrk("payment", CLIENTS) for _ in range(rig.rounds)])
    staff = opened(rig)
    idle = []
    idle.append(used(rig, lambda: threading.Event().wait(seconds / 2))[0])
    workers, pages, asked = used(rig, lambda: poll(staff, seconds))
    idle.append(used(rig, lambda: threading.Event().wait(seconds / 2))[0])
    looked = max(workers - min(idle), 0) + pages
    whole = (paid["server_us"] + paid["postgres_us"]) * paid["per_second"]
    head("whole payments, and those who look")
    line("payments", CLIENTS, paid)
    share = looked / whole
    print(
        f"{STAFF} members of staff, {asked / seconds:.1f} looks/s:"
        f" {looked / 10_000:.2f} % of a core ({pages / 10_000:.2f} % in"
        f" PostgreSQL), {share:.2%} of the CPU of whole payments"
    )
    return {
        "poll_share": round(share, 4),
        "poll_core": round(looked / 1e6, 4),
        "looks_per_second": round(asked / seconds, 1),
    }


def measure(rig) -> dict:
    orders = int(os.environ.get("CONSOLE_ORDERS", "10000000"))
    wanted = views(fill(rig, orders))
    pages = timed(rig, wanted)
    print(f"\n{'page':<46} {'p50 ms':>9} {'p95 ms':>9}")
    for each in pages:
        name = f"{each['page']}?{each['query']}".rstrip("?")
        print(f"{name:<46} {each['p50_ms']:>9} {each['p95_ms']:>9}")
    whole = scans(rig, wanted)
    for table, rows in whole.items():
        print(f"{table} was read as a whole, {rows} rows")
    worst = {
        kind: max(e["p95_ms"] for e in pages if e["kind"] == kind)
        for kind in ("page", "list")
    }
    return {
        "console": {
            "orders": orders,
            "page_ms": worst["page"],
            "list_ms": worst["list"],
            "scans": len(whole),
            "pages": pages,
        }
        | polling(rig)
    }
