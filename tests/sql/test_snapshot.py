"""sql/snapshot.sql: it is that of the sources, each change of the schema shows
in it, and what is read in sql/ itself does not.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import os
import pathlib
import subprocess
import uuid

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))


def run(*words, **more):
    return subprocess.run(words, text=True, capture_output=True, timeout=120,
                          check=False, **more)  # fmt: skip


@pytest.fixture(scope="module", name="database")
def migrated():
    name = f"pay_snapshot_{uuid.uuid4().hex[:12]}"
    admin = psycopg2.connect("dbname=postgres")
    admin.autocommit = True
    admin.cursor().execute(f"CREATE DATABASE {name} TEMPLATE template0")
    done = run(PAYCTL, "migrate", "--dsn", f"dbname={name}",
               "--sql", ROOT / "sql")  # fmt: skip
    assert done.returncode == 0, done.stderr
    yield name
    admin.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


def snapshot(database: str) -> str:
    dump = run("pg_dump", "--schema-only", "--exclude-table", "pay.event_2*",
               database)  # fmt: skip
    assert dump.returncode == 0, dump.stderr
    made = run(ROOT / "ci/sql-snapshot-text", database, input=dump.stdout)
    assert made.returncode == 0, made.stderr
    return made.stdout


def added(database: str, statement: str) -> list[str]:
    """The lines that the snapshot has more after it."""
    before = snapshot(database).splitlines()
    link = psycopg2.connect(dbname=database)
    link.autocommit = True
    link.cursor().execute(statement)
    link.close()
    return [
        line.strip().rstrip(",")
        for line in snapshot(database).splitlines()
        if line not in before
    ]


def test_the_snapshot_is_that_of_the_sources():
    done = run(ROOT / "ci/sql-snapshot", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("CREATE TABLE pay.extra ()", "CREATE TABLE pay.extra ("),
        ("ALTER TABLE pay.job ADD extra text", "extra text"),
        ("ALTER TABLE pay.job ADD CONSTRAINT extra CHECK (attempts < 99)",
         "CONSTRAINT extra CHECK ((attempts < 99))"),
        ("CREATE INDEX extra_code ON pay.job (code)",
         "CREATE INDEX extra_code ON pay.job USING btree (code);"),
        ("CREATE TRIGGER extra AFTER TRUNCATE ON pay.job EXECUTE FUNCTION "
         "pay.refuse_change('no', 'PAY20')",
         "CREATE TRIGGER extra AFTER TRUNCATE ON pay.job FOR EACH STATEMENT "
         "EXECUTE FUNCTION pay.refuse_change('no', 'PAY20');"),
        ("CREATE DOMAIN pay.extra_text AS text",
         "CREATE DOMAIN pay.extra_text AS text;"),
        ("CREATE TYPE pay.extra_row AS (one text)",
         "CREATE TYPE pay.extra_row AS ("),
        ("CREATE FUNCTION pay.extra(p_one text) RETURNS text LANGUAGE sql "
         "AS $$ SELECT p_one $$",
         "CREATE FUNCTION pay.extra(p_one text) RETURNS text LANGUAGE sql;"),
        ("CREATE FUNCTION pay.more(p_one text) RETURNS text LANGUAGE sql "
         "BEGIN ATOMIC SELECT p_one; END",
         "CREATE FUNCTION pay.more(p_one text) RETURNS text LANGUAGE sql;"),
        ("CREATE VIEW pay_view.extra AS SELECT 1 AS one",
         "CREATE VIEW pay_view.extra ("),
        ("GRANT SELECT ON pay.job TO payments_gateway",
         "GRANT SELECT ON TABLE pay.job TO payments_gateway;"),
        ("ALTER FUNCTION pay.refuse_change() SECURITY DEFINER",
         "CREATE FUNCTION pay.refuse_change() RETURNS trigger LANGUAGE plpgsql "
         "SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';"),
        ("ALTER TABLE pay.round OWNER TO payments_gateway",
         "ALTER TABLE pay.round OWNER TO payments_gateway;"),
    ],
)  # fmt: skip
def test_a_change_of_the_schema_shows(database, statement, line):
    assert line in added(database, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE OR REPLACE FUNCTION pay.all_psps() RETURNS SETOF text "
        "LANGUAGE sql STABLE AS $$ SELECT NULL::text $$",
        "COMMENT ON FUNCTION pay.all_psps IS 'otherwise'",
        "COMMENT ON VIEW pay_view.orders IS 'otherwise'",
    ],
)
def test_what_is_read_in_the_sources_does_not(database, statement):
    assert added(database, statement) == []
