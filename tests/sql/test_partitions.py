"""sql/scale/hash_partitions.sql: a database with payments of several merchants
in it is cut by merchant; nothing is lost, nothing that was kept is kept no
more, and the operations, the checks and payctl migrate go on.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import json
import os
import pathlib
import shutil
import subprocess
import uuid

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "sql"
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
SCRIPT = ROOT / "sql" / "scale" / "hash_partitions.sql"
PARTS = 4
SHOPS = 9
# Few of them in the suite of all; on demand as many as are named.
TAP = os.environ.get("PARTITIONS_TAP", "20_store_token 40_apply_event").split()
CUT = {
    "change", "checkout", "dispatch", "event_anchor", "idempotency_key", "job",
    "journal_entry", "journal_line", "outbox", "payment_order", "wallet",
}  # fmt: skip
# Unique over all merchants, so kept by pay.held_key.
HELD = {
    "checkout_handle_key": "UNIQUE handle, merchant_id",
    "checkout_psp_nonce_key": "UNIQUE psp, nonce, merchant_id",
    "change_change_id_key": "UNIQUE change_id, merchant_id",
}
# Added NOT VALID; a cut table looks at each row that it is given.
LOOKED_AT = {"checkout_trace_check"}
TABLES = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pay'::regnamespace
    AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname NOT IN ('schema_migration', 'held_key')
"""
# What a table is, beside its rows.
SHAPES = {
    "columns": """SELECT c.relname, a.attname, format_type(a.atttypid,
            a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
            col_description(c.oid, a.attnum)
        FROM tables c JOIN pg_attribute a ON a.attrelid = c.oid
            AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum""",
    "constraints": """SELECT c.relname, k.conname,
            pg_get_constraintdef(k.oid), k.convalidated
        FROM tables c JOIN pg_constraint k ON k.conrelid = c.oid
            AND k.conparentid = 0""",
    "indexes": """SELECT c.relname, i.indexrelid::regclass::text,
            replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '),
            i.indisvalid
        FROM tables c JOIN pg_index i ON i.indrelid = c.oid""",
    "triggers": """SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid),
            t.tgenabled
        FROM tables c JOIN pg_trigger t ON t.tgrelid = c.oid
            AND NOT t.tgisinternal""",
    # a table that is cut has none itself: its parts have them
    "options": """SELECT DISTINCT c.relname, p.reloptions::text
        FROM tables c LEFT JOIN pg_inherits i ON i.inhparent = c.oid
        JOIN pg_class p ON p.oid = coalesce(i.inhrelid, c.oid)""",
    "rights": """SELECT c.relname, c.relowner::regrole::text, c.relacl::text,
            obj_description(c.oid, 'pg_class') FROM tables c""",
    "views": """SELECT v.oid::regclass::text, pg_get_viewdef(v.oid),
            v.relacl::text FROM pg_class v WHERE v.relkind = 'v'
            AND v.relnamespace::regnamespace::text LIKE 'pay%%'""",
    "functions": """SELECT p.oid::regprocedure::text,
            pg_get_functiondef(p.oid), p.proowner::regrole::text,
            p.proacl::text, obj_description(p.oid, 'pg_proc')
        FROM pg_proc p WHERE p.prokind = 'f'
            AND p.pronamespace::regnamespace::text LIKE 'pay%%'""",
}
TABLES_OF = """WITH tables AS (
    SELECT * FROM pg_class c WHERE c.relnamespace = 'pay'::regnamespace
        AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relname <> 'held_key') """


class Database:
    def __init__(self, name: str):
        self.name = name
        subprocess.run(["createdb", "-T", "template0", name], check=True)
        self.link = psycopg2.connect(dbname=name)
        self.link.autocommit = True

    def rows(self, query: str, *args) -> list[tuple]:
        with self.link.cursor() as cursor:
            cursor.execute(query, args)
            return cursor.fetchall()

    def value(self, query: str, *args):
        ((found,),) = self.rows(query, *args)
        return found

    def migrate(self, sql=ROOT / "sql") -> str:
        done = subprocess.run(
            [PAYCTL, "migrate", "--dsn", f"dbname={self.name}", "--sql", sql],
            capture_output=True, check=False, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def psql(self, file, **variables) -> subprocess.CompletedProcess:
        words = [f"--set={k}={v}" for k, v in variables.items()]
        return subprocess.run(
            ["psql", "-qX", *words, "-d", self.name, "-f", file],
            capture_output=True, check=False, text=True, timeout=120,
        )  # fmt: skip

    def sell(self, day: str) -> None:
        """Payments of all shops, in all states."""
        done = self.psql(HERE / "shops.psql", shops=SHOPS, round=day)
        assert done.returncode == 0, done.stderr

    def cut(self) -> None:
        done = self.psql(SCRIPT, parts=PARTS)
        assert done.returncode == 0, done.stderr

    def check_plans(self) -> tuple[str, str]:
        """payctl check with each statement's plan on stderr, in a session in
        which whatever may be compiled is."""
        settings = [
            "session_preload_libraries=auto_explain", "jit=on",
            "auto_explain.log_min_duration=0", "auto_explain.log_level=warning",
            "auto_explain.log_analyze=on", "auto_explain.log_buffers=on",
            "jit_above_cost=0",
        ]  # fmt: skip
        done = subprocess.run(
            [PAYCTL, "check", "--dsn", f"dbname={self.name}"],
            env=os.environ | {
                "PGOPTIONS": " ".join(f"-c {each}" for each in settings)
            },
            capture_output=True, check=False, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, done.stderr

    def tables(self) -> list[str]:
        return [name for (name,) in self.rows(TABLES)]

    def contents(self, where: str = "true") -> dict:
        """Rows and their digest of each table."""
        return {
            name: self.rows(
                "SELECT count(*), md5(string_agg(r, ',' ORDER BY r)) FROM ("
                f"SELECT to_jsonb(t) AS j, to_jsonb(t)::text AS r "
                f"FROM pay.{name} t) t WHERE {where}"
            )
            for name in self.tables()
        }

    def shape(self) -> dict[str, set]:
        """Without parentheses: what is told and read again has fewer."""
        bare = str.maketrans("", "", "()")
        return {
            what: {
                tuple(str(each).translate(bare) for each in row)
                for row in self.rows(TABLES_OF + query)
            }
            for what, query in SHAPES.items()
        }

    def broken(self) -> list[str]:
        files = sorted((ROOT / "sql" / "checks").glob("*.sql"))
        found = {
            # they have no arguments, but may have a LIKE
            file.stem: self.rows(file.read_text().replace("%", "%%"))
            for file in files
        }
        return [f"{name}: {rows[0]}" for name, rows in found.items() if rows]

    def drop(self) -> None:
        self.link.close()
        subprocess.run(["dropdb", "--force", self.name], check=True)


@pytest.fixture(name="fresh")
def empty_database():
    made = Database(f"pay_parts_{uuid.uuid4().hex[:12]}")
    try:
        made.migrate()
        yield made
    finally:
        made.drop()


@pytest.fixture(scope="module", name="filled")
def filled_database():
    """Cut with payments in it; before: what it was."""
    made = Database(f"pay_parts_{uuid.uuid4().hex[:12]}")
    try:
        made.migrate()
        made.sell("monday")
        made.before = made.contents()
        made.was = made.shape()
        made.cut()
        made.said = made.migrate()
        made.after = made.contents()
        made.was_rows = {n: rows for n, ((rows, _),) in made.after.items()}
        yield made
    finally:
        made.drop()


def test_nothing_is_lost(filled):
    assert filled.after == filled.before
    for name in CUT - {"event_anchor"}:
        ((rows, _),) = filled.before[name]
        assert rows > 0, name


def test_each_table_is_cut_by_merchant(filled):
    keys = filled.rows(
        "SELECT c.relname, pg_get_partkeydef(c.oid), (SELECT count(*) "
        "FROM pg_inherits i WHERE i.inhparent = c.oid) FROM pg_class c "
        "WHERE c.relkind = 'p' AND c.relnamespace = 'pay'::regnamespace "
        "AND c.relname <> 'event'"
    )
    assert set(keys) == {(name, "HASH (merchant_id)", PARTS) for name in CUT}
    used = filled.value("SELECT count(DISTINCT tableoid) FROM pay.checkout")
    assert used > 1


def looked_at(constraint: tuple) -> tuple:
    table, name, text, _ = constraint
    if name not in LOOKED_AT:
        return constraint
    return table, name, text.removesuffix(" NOT VALID"), "True"


def test_what_tables_were_they_are(filled):
    now = filled.shape()
    assert now["columns"] == filled.was["columns"]
    for what in ("views", "rights"):
        assert now[what] == filled.was[what], what
    own = {"pay.hold_key", "pay.release_key"}
    made = {each for each in now["functions"] if each[0] not in own}
    assert made == filled.was["functions"]
    made = {t for t in now["triggers"] if not t[1].startswith(("zy_", "zz_"))}
    assert made == filled.was["triggers"]
    changed = {each for each in now["constraints"] if each[1] in HELD}
    assert {each[1]: each[2] for each in changed} == HELD
    assert now["constraints"] - changed == {
        looked_at(each)
        for each in filled.was["constraints"]
        if each[1] not in HELD
    }
    made = {i for i in now["indexes"] if i[1].split(".")[1] not in HELD}
    kept = {i for i in filled.was["indexes"] if i[1].split(".")[1] not in HELD}
    assert made == kept


def test_partitions_are_as_their_table_was(filled):
    """Storage parameters, triggers that are always on, no rights of PUBLIC."""
    options = filled.shape()["options"]
    assert options == filled.was["options"]
    assert any("fillfactor" in of for table, of in options if table in CUT)
    off = filled.rows(
        "SELECT p.relid::regclass::text, t.tgname FROM pg_class c, "
        "pg_partition_tree(c.oid) p JOIN pg_trigger t ON t.tgrelid = p.relid "
        "WHERE c.relkind = 'p' AND c.relnamespace = 'pay'::regnamespace "
        "AND NOT t.tgisinternal AND t.tgenabled <> 'A'"
    )
    assert off == []
    with pytest.raises(psycopg2.Error) as refused:
        filled.rows("DELETE FROM pay.journal_line_h0 RETURNING 1")
    assert refused.value.pgcode == "PAY20"


def test_payctl_migrate_has_made_the_rest_and_has_nothing_left(filled):
    assert "applied roles, functions, views and grants" in filled.said
    assert filled.migrate().startswith("nothing to do")


def test_checks_return_no_row(filled):
    assert filled.broken() == []


def test_tables_that_were_cut_have_statistics(filled):
    """Autovacuum makes none of a table that is cut, only of its parts."""
    known = filled.rows(
        "SELECT c.relname, c.reltuples FROM pg_class c "
        "WHERE c.relkind = 'p' AND c.relnamespace = 'pay'::regnamespace "
        "AND c.relname <> 'event'"
    )
    assert dict(known) == {
        name: filled.was_rows[name] for name in CUT
    }


def test_the_check_compiles_nothing(filled):
    """Compiling the plans of 64 partitions took a minute and a half of what
    else takes a second."""
    said, plans = filled.check_plans()
    checks = len(list((ROOT / "sql" / "checks").glob("*.sql")))
    assert f"all {checks} checks hold" in said
    # a plan is told when the next statement begins; the last one keeps the
    # result
    told = plans.count("Query Text: SELECT count(*) FROM pay_check.")
    assert told == checks
    assert "Buffers: shared" in plans  # so each plan is told as it was run
    assert "JIT:" not in plans


def test_all_shops_go_on_selling(filled):
    before = filled.value("SELECT count(*) FROM pay.checkout")
    filled.sell("tuesday")
    now = "SELECT count(*) FROM pay.checkout"
    assert filled.value(now) == before + 12 * SHOPS
    paid = filled.rows(
        "SELECT merchant_id, count(*) FROM pay.payment_order "
        "WHERE status = 'SUCCESS' AND payment_order_id LIKE 'tuesday-%%' "
        "GROUP BY 1"
    )
    assert len(paid) == SHOPS and len({count for _, count in paid}) == 1
    assert filled.broken() == []


def test_what_one_shop_does_touches_no_row_of_another(filled):
    """Rows of several partitions have the same address."""
    filled.sell("wednesday")
    same = filled.rows(
        "SELECT o.ctid FROM pay.payment_order o JOIN pay.payment_order x "
        "ON x.ctid = o.ctid AND x.tableoid <> o.tableoid "
        "WHERE o.merchant_id = 'shop1' AND o.status = 'EXECUTING'"
    )
    assert same, "the addresses differ: this shows nothing"
    others = "j ->> 'merchant_id' <> 'shop1' AND j ? 'checkout_id'"
    before, held = filled.contents(others), filled.contents("j ? 'psp'")
    for n in (2, 5):
        assert filled.rows(
            "SELECT outcome, order_status "
            "FROM pay_api.apply_event('{stripe}', '{webhook}', ARRAY[%s], "
            "'{t}', '{paid}', ARRAY[%s], '{NULL}', '{NULL}', '{150}', "
            "'{USD}', ARRAY[sha256('b')], '{r}')",
            f"late-{n}",
            f"wednesday-t-1-{n}",
        ) == [("applied", "SUCCESS")] * 2
    assert filled.contents(others) == before
    assert filled.contents("j ? 'psp'") != held
    assert filled.broken() == []


def test_a_key_of_all_merchants_is_held(filled):
    """One nonce for a PSP, one buyer's handle, whoever has it."""
    taken = filled.value("SELECT handle FROM pay.checkout LIMIT 1")
    columns = (
        "merchant_id, checkout_id, checkout_uuid, handle, psp, return_url, "
        "base_url, currency, total_minor, expires_at, nonce, psps, key_windows"
    )
    insert = (
        f"INSERT INTO pay.checkout ({columns}) SELECT 'stranger', %s, "
        "gen_random_uuid(), %s, 'stripe', 'u', 'u', 'USD', 1, now(), "
        "%s, '{stripe}', '{1}' RETURNING 1"
    )
    delete = "DELETE FROM pay.checkout WHERE handle = 'a-handle' RETURNING 1"
    assert filled.rows(insert, "c1", "a-handle", "monday-o1") == []
    assert filled.rows(insert, "c1", "a-handle", "a-nonce") == [(1,)]
    assert filled.rows(insert, "c2", taken, "another-nonce") == []
    filled.rows(delete)
    assert filled.rows(insert, "c2", "a-handle", "a-nonce") == [(1,)]
    filled.rows(delete)
    nonces = filled.rows(
        "SELECT psp, nonce FROM pay.registration GROUP BY 1, 2 "
        "HAVING count(*) > 1"
    )
    assert nonces == []
    given = filled.value(
        "SELECT count(*) FROM pay.registration WHERE nonce LIKE 'monday-o1'"
    )
    assert given == 1  # of all shops that have asked for it


def test_a_second_cut_is_refused_and_changes_nothing(filled):
    before = filled.contents()
    done = filled.psql(SCRIPT, parts=PARTS)
    assert done.returncode != 0 and "is cut already" in done.stderr
    assert filled.contents() == before
    assert filled.migrate().startswith("nothing to do")


@pytest.mark.parametrize("parts", ("1", "1025", "many"))
def test_a_number_of_parts_that_is_none_is_refused(fresh, parts):
    done = fresh.psql(SCRIPT, parts=parts)
    assert done.returncode != 0
    assert fresh.migrate().startswith("nothing to do")


def test_a_later_migration_reaches_all_partitions(fresh, tmp_path):
    fresh.cut()
    sql = shutil.copytree(ROOT / "sql", tmp_path / "sql")
    (sql / "migrations" / "9999_more.sql").write_text(
        "ALTER TABLE pay.wallet ADD more int CHECK (more > 0);\n"
        "CREATE INDEX wallet_more ON pay.wallet (more);\n"
    )
    assert "applied migrations/9999_more.sql" in fresh.migrate(sql)
    found = fresh.rows(
        "SELECT count(*) FROM pg_attribute WHERE attname = 'more'"
        " UNION ALL SELECT count(*) FROM pg_index "
        "WHERE indrelid::regclass::text LIKE 'pay.wallet_h%%' "
        "AND pg_get_indexdef(indexrelid) LIKE '%%(more)'"
    )
    assert found[1] == (PARTS,)


def test_the_operations_pass_their_own_tests(fresh, tmp_path):
    """On fresh partitions, as tests/sql/run has them on whole tables."""
    fresh.cut()
    fresh.migrate()
    fresh.rows("CREATE SCHEMA tap; CREATE EXTENSION pgtap SCHEMA tap; SELECT 1")
    files = sorted((ROOT / "sql" / "checks").glob("*.sql"))
    texts = {file.stem: file.read_text() for file in files}
    checks = tmp_path / "checks.psql"
    checks.write_text("".join(
        f"SELECT is_empty($check${text}$check$, 'invariant: {name}');\n"
        for name, text in texts.items()))  # fmt: skip
    listed = [{"name": name, "sql": text} for name, text in texts.items()]
    done = subprocess.run(
        ["pg_prove", "--failures", *(f"{HERE}/{name}.sql" for name in TAP)],
        env=os.environ | {
            "PGDATABASE": fresh.name, "CHECKS": str(checks),
            "CHECKS_TEXT": json.dumps(listed), "PAYCTL": PAYCTL,
            "PAYCTL_DSN": f"dbname={fresh.name}",
            "PAYCTL_SQL": str(ROOT / "sql"),
        },
        capture_output=True, check=False, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Files={len(TAP)}" in done.stdout
