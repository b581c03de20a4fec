"""What must hold when the tests are over: clean logs, true invariants, no
secret anywhere (docs/architecture.md#rules-of-the-house)."""

import re
from pathlib import Path

from . import canary, event_schemas
from .gateway import ROOT

BAD = re.compile(rb"\[(alert|emerg)\]|exited on signal|Sanitizer|runtime error")
# with the salt, digests of words give the names of account holders away
HIDDEN = {"pay.screening_salt"}
TABLES = """
SELECT c.oid::regclass::text, has_table_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
ORDER BY 1
"""


def bad_lines(log: Path, offset: int = 0) -> list[str]:
    with open(log, "rb") as source:
        source.seek(offset)
        return [
            line.decode(errors="replace").rstrip()
            for line in source
            if BAD.search(line)
        ]


def broken_invariants(db) -> list[str]:
    broken = []
    for path in sorted((ROOT / "sql" / "checks").glob("*.sql")):
        with db.cursor() as cursor:
            cursor.execute(path.read_text())
            rows = cursor.fetchall()
        if rows:
            broken.append(f"{path.name}: {len(rows)} rows, first {rows[0]}")
    return broken


def dump(db, sink) -> list[str]:
    """The rows of every table that readers may read into the sink; the names of
    these tables."""
    with db.cursor() as cursor:
        cursor.execute(TABLES)
        tables = cursor.fetchall()
        hidden = {name for name, readable in tables if not readable}
        assert hidden <= HIDDEN, "PG_DSN may not read these"
        names = [name for name, readable in tables if readable]
        for name in names:
            cursor.copy_expert(f"COPY {name} TO STDOUT", sink)
            sink.end()
    return names


class Aftermath:
    """Remembers where the logs ended; check() reads what came since."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.start = gateway.error_log.stat().st_size

    def check(self, db) -> None:
        gateway = self.gateway
        assert bad_lines(gateway.error_log, self.start) == []
        assert broken_invariants(db) == []
        assert event_schemas.all_faults(db) == []
        scanner = canary.scanner(
            gateway.secrets,
            gateway.env["MERCHANT_JWT"],
            gateway.env["OTHER_MERCHANT_JWT"],
        )
        scanner.read_file(gateway.error_log, self.start)
        scanner.read_file(gateway.access_log)
        scanner.read_file(Path(gateway.env["PG_LOG"]))
        for path in (gateway.run / "tmp").rglob("*"):
            if path.is_file():
                scanner.read_file(path)
        tables = dump(db, scanner)
        assert "pay.checkout" in tables
        assert scanner.found == [], scanner.found[:10]
