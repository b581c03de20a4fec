"""payctl migrate and payctl timeline against a scratch database: what they do,
what they refuse, and with which exit code.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import os
import pathlib
import shutil
import subprocess
import uuid

import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))


def payctl(*words, **more):
    """Runs payctl; returns (exit code, stdout, stderr)."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PAYCTL")}
    done = subprocess.run([PAYCTL, *words], env={**env, **more}, text=True,
                          capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(name="dsn")
def database():
    """An empty database."""
    name = f"pay_migrate_{uuid.uuid4().hex[:12]}"
    admin = psycopg2.connect("dbname=postgres")
    admin.autocommit = True
    admin.cursor().execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield f"dbname={name}"
    admin.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture(name="sql")
def copy_of_sql(tmp_path):
    """A copy of sql/ to spoil."""
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    return tmp_path / "sql"


def migrate(dsn, sql, *words):
    return payctl("migrate", "--dsn", dsn, "--sql", str(sql), *words)


def value(dsn, query):
    """The one value of a query."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        (result,) = cursor.fetchone()
    connection.close()
    return result


def test_second_run_changes_nothing(dsn, sql):
    code, out, _ = migrate(dsn, sql)
    assert code == 0 and "applied migrations/0001_core.sql" in out
    rows = """SELECT (SELECT json_agg(xmin ORDER BY oid) FROM pg_proc)::text
        || (SELECT json_agg(xmin ORDER BY oid) FROM pg_class)::text
        || (SELECT json_agg(xmin ORDER BY oid) FROM pg_authid)::text
        || (SELECT json_agg(m) FROM pay.schema_migration m)::text"""
    before = value(dsn, rows)
    code, out, _ = migrate(dsn, sql)
    assert code == 0 and out.startswith("nothing to do")
    assert value(dsn, rows) == before


def test_dry_run_tells_and_changes_nothing(dsn, sql):
    code, out, _ = migrate(dsn, sql, "--dry-run")
    assert code == 0 and "would apply migrations/0001_core.sql" in out
    assert value(dsn, "SELECT to_regnamespace('pay')") is None


def test_environment_names_database_and_directory(dsn, sql):
    code, out, _ = payctl("migrate", PAYCTL_DSN=dsn, PAYCTL_SQL=str(sql))
    assert code == 0 and "applied" in out


def test_changed_function_is_applied_again(dsn, sql):
    migrate(dsn, sql)
    path = sql / "functions" / "70_job.sql"
    path.write_text(path.read_text().replace("'ok', max(", "'fine', max("))
    code, out, _ = migrate(dsn, sql)
    assert code == 0 and out.startswith("applied roles, functions")
    assert value(dsn, "SELECT state FROM pay_api.ready()") == "fine"


def test_changed_migration_is_refused(dsn, sql):
    migrate(dsn, sql)
    path = sql / "migrations" / "0001_core.sql"
    path.write_text(path.read_text() + "\n")
    code, out, err = migrate(dsn, sql)
    assert code == 1 and out == "" and "was changed" in err


def test_unknown_applied_migration_is_refused(dsn, sql):
    new = sql / "migrations" / "9999_more.sql"
    new.write_text("CREATE TABLE pay.more (a int);")
    assert migrate(dsn, sql)[0] == 0
    new.unlink()
    code, _, err = migrate(dsn, sql)
    assert code == 1 and "newer release" in err


def test_failing_migration_leaves_nothing_of_itself(dsn, sql):
    migrate(dsn, sql)
    new = sql / "migrations" / "9999_bad.sql"
    new.write_text("CREATE TABLE pay.more (a int); SELECT 1 / 0;")
    code, _, err = migrate(dsn, sql)
    assert code == 1 and "9999_bad.sql" in err and "division" in err
    assert value(dsn, "SELECT to_regclass('pay.more')") is None
    assert value(dsn, "SELECT count(*) FROM pay.schema_migration") == len(
        list((sql / "migrations").glob("*.sql")))


def test_a_reader_of_a_table_does_not_make_all_others_wait(dsn, sql):
    """Behind a pg_dump a migration waited for its lock without an end, and
    every worker behind the migration."""
    assert migrate(dsn, sql)[0] == 0
    (sql / "migrations" / "0099_more.sql").write_text(
        "ALTER TABLE pay.payout_destination ADD more int;\n"
    )
    dump = psycopg2.connect(dsn)
    dump.cursor().execute("SELECT FROM pay.payout_destination")
    code, _, err = migrate(dsn, sql)
    assert code == 1 and "lock timeout" in err
    dump.close()
    code, out, _ = migrate(dsn, sql)
    assert code == 0 and "applied migrations/0099_more.sql" in out


def test_failing_function_leaves_the_old_ones(dsn, sql):
    migrate(dsn, sql)
    path = sql / "functions" / "70_job.sql"
    path.write_text(path.read_text().replace("'ok', max(", "'fine', nope("))
    assert migrate(dsn, sql)[0] == 1
    assert value(dsn, "SELECT state FROM pay_api.ready()") == "ok"


OLD_FUNCTIONS = """
SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;
CREATE OR REPLACE FUNCTION pay.open_dead_letter(p_merchant_id text)
RETURNS void LANGUAGE sql AS 'SELECT';
COMMENT ON FUNCTION pay.open_dead_letter IS 'Other arguments';
CREATE OR REPLACE FUNCTION pay_api.ready()
RETURNS int LANGUAGE sql AS 'SELECT 1';
COMMENT ON FUNCTION pay_api.ready IS 'Another result';
CREATE OR REPLACE FUNCTION pay.id_ok(p_other text)
RETURNS boolean LANGUAGE sql AS 'SELECT true';
COMMENT ON FUNCTION pay.id_ok IS 'Another name of its argument';
CREATE OR REPLACE VIEW pay.checkout_state AS
SELECT c.version AS other, c.merchant_id, pay.id_ok(c.psp)
FROM pay.checkout c;
CREATE OR REPLACE FUNCTION pay.current(p_state pay.checkout_state)
RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
"""
NAMES = """SELECT string_agg(x.name, ' ' ORDER BY x.name) FROM (
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace::regnamespace::text LIKE 'pay%'
    UNION ALL SELECT concat_ws('.', table_schema, table_name, column_name)
    FROM information_schema.columns WHERE table_schema LIKE 'pay%') x (name)"""


def older_release(sql, to, newest="0002"):
    """What release 0002, or another one, may have looked like to a newer
    one."""
    for name in ("migrations", "functions", "checks"):
        (to / name).mkdir(parents=True)
    for path in (sql / "migrations").iterdir():
        if path.name[:4] <= newest:
            shutil.copy(path, to / "migrations")
    shutil.copy(sql / "roles.sql", to)
    (to / "functions" / "10_old.sql").write_text(OLD_FUNCTIONS)
    (to / "views.sql").write_text(
        "CREATE VIEW pay_view.jobs AS SELECT s.other FROM pay.checkout_state s")
    (to / "grants.sql").write_text("SELECT 1")
    (to / "checks" / "event_gap.sql").write_text(
        "-- Reads what a migration takes apart.\nSELECT * FROM pay.event\n")
    return to


def test_what_an_older_release_made_gives_way(dsn, sql, tmp_path):
    assert migrate(dsn, older_release(sql, tmp_path / "old"))[0] == 0
    assert value(dsn, "SELECT count(*) FROM pay_check.event_gap") == 0
    code, out, err = migrate(dsn, sql)
    assert (code, err) == (0, "") and "applied migrations/0005" in out
    assert migrate(dsn, sql)[1].startswith("nothing to do")
    after = value(dsn, NAMES)

    name = dsn.removeprefix("dbname=")
    admin = psycopg2.connect("dbname=postgres")
    admin.autocommit = True
    for word in ("DROP", "CREATE"):
        admin.cursor().execute(f"{word} DATABASE {name}")
    admin.close()
    assert migrate(dsn, sql)[0] == 0
    assert after == value(dsn, NAMES)


BEFORE_METHODS = """WITH made AS (
    INSERT INTO pay.checkout (merchant_id, checkout_id, checkout_uuid, handle,
        psp, return_url, base_url, currency, total_minor, expires_at, nonce,
        psps, key_windows)
    VALUES ('m', 'c', gen_random_uuid(), 'h', 'stripe', 'u', 'u', 'EUR', 1000,
        now(), 'n', '{stripe}', '{0}') RETURNING 1),
entered AS (
    INSERT INTO pay.commission (merchant_id, seller_account, psp, currency,
        percent, valid_from, entered_by)
    VALUES ('m', '', '', 'EUR', 10, now(), 'sue'),
        ('m', 's', '', 'EUR', 20, now(), 'sue') RETURNING 1)
SELECT (SELECT count(*) FROM made) + (SELECT count(*) FROM entered)"""


def test_rows_of_before_0028_are_about_all_payment_methods(dsn, sql, tmp_path):
    old = older_release(sql, tmp_path / "old", "0027")
    assert migrate(dsn, old)[0] == 0
    assert value(dsn, BEFORE_METHODS) == 3
    assert migrate(dsn, sql)[::2] == (0, "")
    assert value(dsn, "SELECT payment_method FROM pay.checkout") is None
    assert value(dsn, "SELECT string_agg(payment_method, '') FROM"
                 " pay.commission") == ""
    inside = f"{dsn} options='-c search_path=pay,pg_temp'"
    for seller, percent in (("s", 20), ("other", 10)):
        for method in ("'card'", "NULL"):
            assert value(inside, "SELECT percent FROM commission_at('m',"
                         f" '{seller}', 'stripe', 'EUR', now(),"
                         f" {method})") == percent
    assert value(dsn, "WITH u AS (UPDATE pay.checkout SET code = 'x'"
                 " RETURNING 1) SELECT count(*) FROM u") == 1
    assert value(dsn, "SELECT count(*) FROM pg_proc WHERE proname IN"
                 " ('commission_at', 'set_commission')") == 2


def test_other_arguments_need_no_migration(dsn, sql):
    migrate(dsn, sql)
    path = sql / "functions" / "19_dead_letter.sql"
    path.write_text(path.read_text() + """
        CREATE OR REPLACE FUNCTION pay.more(p_n int) RETURNS int
        LANGUAGE sql AS 'SELECT 1';
        COMMENT ON FUNCTION pay.more IS 'More';""")
    assert migrate(dsn, sql)[0] == 0
    path.write_text(path.read_text().replace("p_n int)", "p_n text)"))
    assert migrate(dsn, sql)[::2] == (0, "")
    assert value(dsn, "SELECT string_agg(oid::regprocedure::text, ' ')"
                 " FROM pg_proc WHERE proname = 'more'") == "pay.more(text)"


BUSY = """
    CREATE OR REPLACE FUNCTION pay.more() RETURNS int
    LANGUAGE sql AS 'SELECT 1';
    COMMENT ON FUNCTION pay.more IS 'More';
    RESET ROLE;
    DO $$ BEGIN
        IF to_regclass('mine.jobs') IS NOT NULL THEN
            RAISE 'busy' USING ERRCODE = '%s';
        END IF;
    END $$;"""


@pytest.mark.parametrize("state", ["55P03", "40P01", "53100", "57014"])
def test_an_error_of_the_moment_drops_nothing(dsn, sql, state):
    """Any error had dropped all views, with those that an operator had made
    upon them, and had said nothing."""
    assert migrate(dsn, sql)[0] == 0
    value(dsn, "CREATE SCHEMA mine; CREATE VIEW mine.jobs AS SELECT 1 AS a"
          " FROM pay_view.ledger; SELECT 1")
    path = sql / "functions" / "19_dead_letter.sql"
    path.write_text(path.read_text() + BUSY % state)
    code, out, err = migrate(dsn, sql)
    assert (code, out) == (1, "")
    assert "functions/19_dead_letter.sql: ERROR:  busy" in err
    assert value(dsn, "SELECT to_regclass('mine.jobs')::text") == "mine.jobs"
    assert value(dsn, "SELECT to_regproc('pay.more')") is None


def test_views_that_go_with_an_older_release_are_announced(dsn, sql):
    assert migrate(dsn, sql)[0] == 0
    path = sql / "functions" / "19_dead_letter.sql"
    text = path.read_text()
    for result, said in (("int", "applied"), ("text", f"functions/{path.name}"
                         " does not fit on top of the older release")):
        path.write_text(f"""{text}
            CREATE OR REPLACE FUNCTION pay.more() RETURNS {result}
            LANGUAGE sql AS 'SELECT NULL::{result}';
            COMMENT ON FUNCTION pay.more IS 'More';""")
        code, out, err = migrate(dsn, sql)
        assert (code, err) == (0, "") and out.startswith(said)


ROW_TYPES = """SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_type
    WHERE typnamespace = 'pay_api'::regnamespace AND typname LIKE '%\\_row'"""


def test_a_row_type_is_made_anew_only_if_it_differs(dsn, sql):
    migrate(dsn, sql)
    before = value(dsn, ROW_TYPES)
    rows = sql / "functions" / "05_rows.sql"
    rows.write_text(rows.read_text() + "\n-- no other columns\n")
    assert migrate(dsn, sql)[0] == 0
    assert value(dsn, ROW_TYPES) == before

    # a column more, and a function that this release no longer has
    book = sql / "functions" / "82_books.sql"
    book.write_text(book.read_text() + """
        CREATE OR REPLACE FUNCTION pay_api.older() RETURNS SETOF
        pay_api.span_row LANGUAGE sql AS 'SELECT 1, ''due'', 1, 1';
        COMMENT ON FUNCTION pay_api.older IS 'Older';""")
    assert migrate(dsn, sql)[0] == 0
    shutil.copy(ROOT / "sql" / "functions" / "82_books.sql", book)
    rows.write_text(rows.read_text().replace("since_s bigint, until_s",
                                             "since_s bigint, more text, "
                                             "until_s"))
    path = sql / "functions" / "78_backfill.sql"
    path.write_text(path.read_text().replace("v_row.until_s := NULL",
                                             "v_row.more := 'more'"))
    assert migrate(dsn, sql)[::2] == (0, "")
    assert value(dsn, "SELECT more FROM pay_api.begin_backfill('{NULL}',"
                 " '{NULL}', '{NULL}', '{NULL}')") == "more"
    assert value(dsn, "SELECT to_regproc('pay_api.older')") is None
    assert value(dsn, "SELECT count(*) FROM pg_type WHERE typname ="
                 " 'span_row'") == 1
    assert set(before.split()) - set(value(dsn, ROW_TYPES).split())


def test_what_a_migration_has_dropped_is_made_later(dsn, sql):
    migrate(dsn, sql)
    path = sql / "functions" / "70_job.sql"
    good = path.read_text()
    path.write_text(good.replace("'ok', max(", "'ok', nope("))
    new = sql / "migrations" / "9999_more.sql"
    new.write_text("ALTER TABLE pay.event ALTER kind TYPE varchar;"
                   "CREATE TABLE pay.more (a int);")
    code, out, _ = migrate(dsn, sql)
    assert code == 1 and "9999_more" not in out
    new.write_text("CREATE TABLE pay.more (a int);")
    code, out, err = migrate(dsn, sql)
    assert code == 1 and "applied migrations/9999_more" in out
    assert "nope" in err
    assert value(dsn, "SELECT to_regnamespace('pay_check')") is None
    path.write_text(good)
    assert migrate(dsn, sql)[0] == 0
    assert value(dsn, "SELECT count(*) FROM pay_check.event_gap") == 0
    assert migrate(dsn, sql)[1].startswith("nothing to do")


def test_file_that_commits_is_refused(dsn, sql):
    migrate(dsn, sql)
    (sql / "migrations" / "9999_sly.sql").write_text("COMMIT;")
    code, _, err = migrate(dsn, sql)
    assert code == 1 and "may not end its transaction" in err
    assert value(dsn, "SELECT count(*) FROM pay.schema_migration") == len(
        list((sql / "migrations").glob("*.sql")))


def test_two_at_once_apply_once(dsn, sql):
    command = [PAYCTL, "migrate", "--dsn", dsn, "--sql", str(sql)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            for _ in range(2)]
    outs = sorted(process.communicate(timeout=60)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert outs[0].startswith("applied migrations/0001_core.sql")
    assert outs[1].startswith("nothing to do")


def test_two_databases_at_once_share_the_roles(dsn, sql):
    others = [f"pay_migrate_{uuid.uuid4().hex[:12]}" for _ in range(3)]
    for name in others:
        subprocess.run(["createdb", name], check=True)
    try:
        both = [subprocess.Popen([PAYCTL, "migrate", "--dsn", target, "--sql",
                                  str(sql)], stdout=subprocess.PIPE)
                for target in [dsn] + [f"dbname={name}" for name in others]]
        for process in both:
            process.communicate(timeout=60)
        assert [process.returncode for process in both] == [0, 0, 0, 0]
    finally:
        for name in others:
            subprocess.run(["dropdb", "--force", name], check=True)


@pytest.mark.parametrize("words", [
    ["--no-such"], ["--dsn"], ["--sql"], ["extra"],
    ["--sql", "/nonexistent"], ["--dsn", "host=/nonexistent"], []])
def test_what_is_not_tried_exits_2(sql, words):
    more = {} if "--sql" in words else {"PAYCTL_SQL": str(sql)}
    code, out, err = payctl("migrate", *words, **more)
    assert code == 2 and out == "" and err != ""


def test_editors_leftovers_are_not_applied(dsn, sql):
    for name in ("0001_core.sql~", ".0002_x.sql", "0002_x.sql.orig", "x.sql"):
        (sql / "migrations" / name).write_text("SELECT 1 / 0;")
    assert migrate(dsn, sql)[0] == 0


def test_timeline_prints_an_order(dsn, sql):
    migrate(dsn, sql)
    value(dsn, """
        SELECT count(*) FROM pay_api.begin_payment('{m}', '{key}',
            ARRAY[sha256('b')], '{c}', ARRAY[gen_random_uuid()::text], '{h}',
            '{stripe}', '{o}', '{u}', '{u}', '{NULL}', '{NULL}', '{NULL}',
            '{USD}', '{1}', '{1900000000}',
            '{1}', '{o}', '{s}', '{1}', '{NULL}', '{60}', '{60}',
            E'{"a\\x1b[31mb"}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
            '{NULL}')""")
    value(dsn, "SELECT count(*) FROM pay_api.store_token('{m}', '{c}',"
          " '{stripe}', '{t}', '{NULL}', '{u}', '{1}', '{r}')")
    code, out, _ = payctl("timeline", "--dsn", dsn, "o")
    lines = out.splitlines()
    assert code == 0 and len(lines) == 3
    assert lines[0].split()[:5] == ["merchant", "seq", "at", "kind", "actor"]
    assert lines[1].split()[3:6] == ["created", "merchant", "NOT_STARTED"]
    assert lines[2].split()[3:8] == ["registered", "gateway", "NOT_STARTED",
                                     ">", "EXECUTING"]
    assert len({line.index(word) for line, word in zip(
        lines, ("actor", "merchant  NOT", "gateway"), strict=False)}) == 1
    assert "\x1b" not in out and "a?[31mb" in out
    assert payctl("timeline", "--dsn", dsn, "--merchant", "m", "o")[1] == out


@pytest.mark.parametrize("words, code", [
    (["nope"], 1), (["--merchant", "other", "nope"], 1), ([], 2),
    (["a", "b"], 2), (["--bad", "a"], 2), (["--merchant"], 2)])
def test_timeline_says_no(dsn, sql, words, code):
    migrate(dsn, sql)
    got, out, err = payctl("timeline", "--dsn", dsn, *words)
    assert got == code and out == "" and err != ""
