"""What a payment is made of in PostgreSQL: statements that it runs, and what
the log of changes (WAL) says it has written.  For the part `cost`.
"""

from backend import Backend

# The server's names of what one row or one index entry takes
RECORDS = {
    "inserted": ["Heap/INSERT", "Heap/INSERT+INIT", "Heap2/MULTI_INSERT"],
    "updated": ["Heap/UPDATE", "Heap/UPDATE+INIT", "Heap/HOT_UPDATE"],
    "entries": ["Btree/INSERT_LEAF"],
}
STATS = """
SELECT "resource_manager/record_type", count, record_size + fpi_size
FROM pg_get_wal_stats($1::pg_lsn, $2::pg_lsn, true) WHERE count > 0
"""
HERE = "SELECT pg_current_wal_flush_lsn()"


def written(helper: Backend, run, count: int) -> dict:
    """A payment's share of the WAL while run() makes so many."""
    helper.query("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
    start = helper.query(HERE)[0][0]
    run()
    rows = helper.query(STATS, start, helper.query(HERE)[0][0])
    records = {name: int(number) for name, number, _ in rows}
    found = {"records": sum(records.values()),
             "bytes": sum(float(size) for *_, size in rows)}  # fmt: skip
    for name, kinds in RECORDS.items():
        found[name] = sum(records.get(kind, 0) for kind in kinds)
    return {name: round(value / count, 1) for name, value in found.items()}


def statements(db: Backend, run) -> int:
    """That are run while run() is, those inside functions too."""
    db.query("LOAD 'auto_explain'")
    for setting in (
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_nested_statements = on",
        "client_min_messages = log",
    ):
        db.query(f"SET {setting}")
    before = db.logged
    run()
    logged = db.logged - before
    db.query("SET auto_explain.log_min_duration = -1")
    return logged
