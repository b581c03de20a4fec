"""ci/check-ops sees each way in which the lists of src/op and SQL can differ.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import uuid

import migrated
import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))

# what is written in place of what in release_replacement
WRONG = {
    "the name of an argument": ("p_lease_ms", "p_lease", "arguments"),
    "the type of an argument": (
        "p_lease_ms bigint[]", "p_lease_ms integer[]", "arguments"
    ),
    "the order of arguments": (
        "p_merchant_id text[], p_checkout_id text[]",
        "p_checkout_id text[], p_merchant_id text[]",
        "arguments",
    ),
    "one more argument": (
        "p_request_id text[])", "p_request_id text[], p_x text[])",
        "arguments",
    ),
}  # fmt: skip
# what is written in place of what in its row type
COLUMNS = {
    "the name of a column": ("checkout_uuid", "uuid"),
    "the type of a column": ("total_minor bigint", "total_minor integer"),
    "the order of columns": (
        "psp text, nonce text", "nonce text, psp text"
    ),
    "one column less": ("nonce text, ", ""),
}  # fmt: skip
ATTRIBUTES = """
SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, NULL), ', '
    ORDER BY a.attnum)
FROM pg_attribute a WHERE a.attrelid = 'pay_api.checkout_row'::regclass
"""
OUTCOMES = {
    "one more outcome": "released, refused, waiting, already, not_found, "
    "invalid, lost",
    "one outcome less": "released, refused, waiting, already, not_found",
    "another word": "released, refused, waits, already, not_found, invalid",
}


@pytest.fixture(name="check_ops", scope="module")
def module():
    """ci/check-ops as a module."""
    loader = importlib.machinery.SourceFileLoader(
        "check_ops", str(ROOT / "ci" / "check-ops")
    )
    made = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("check_ops", loader)
    )
    loader.exec_module(made)
    made.PAYCTL = PAYCTL
    return made


@pytest.fixture(name="connection", scope="module")
def own_database():
    """A connection to a migrated database of its own."""
    name = f"pay_ops_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    connection = psycopg2.connect(dbname=name)
    yield connection
    connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)


@pytest.fixture(name="cursor")
def transaction(connection):
    """A transaction that is rolled back."""
    yield connection.cursor()
    connection.rollback()


def rewrite(cursor, old, new):
    """Makes release_replacement anew, with `new` for `old`."""
    function = "pay_api.release_replacement"
    cursor.execute(
        "SELECT pg_get_functiondef(%s::regproc),"
        " obj_description(%s::regproc, 'pg_proc')", (function, function)
    )  # fmt: skip
    source, comment = cursor.fetchone()
    assert old in source
    head, body = source.split("$function$", 1)
    cursor.execute(f"DROP FUNCTION {function}")
    cursor.execute("SET LOCAL check_function_bodies = off")
    cursor.execute(f"{head.replace(old, new)}$function${body}")
    cursor.execute(f"COMMENT ON FUNCTION {function} IS %s", (comment,))


def the_one(check_ops, cursor):
    """The one difference that is found."""
    (found,) = list(check_ops.check_operations(cursor))
    assert "release_replacement" in found
    return found


def test_they_agree(check_ops, cursor):
    """No difference, of any kind."""
    for check in (
        check_ops.check_operations,
        check_ops.check_late,
        check_ops.check_currencies,
        check_ops.check_states,
    ):
        assert not list(check(cursor))


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_argument_is_found(check_ops, cursor, what):
    """Whatever is wrong about it."""
    old, new, where = WRONG[what]
    rewrite(cursor, old, new)
    assert where in the_one(check_ops, cursor)


LATE = {
    "writes": ("VOLATILE", "RETURN 1;"),
    "has FOR UPDATE": ("STABLE", "PERFORM FROM pay.checkout c FOR UPDATE;"),
    "has pg_advisory_xact_lock": (
        "STABLE", "PERFORM pg_advisory_xact_lock(1);"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", LATE)
def test_what_a_replica_refuses_is_found(check_ops, cursor, what):
    """In a function that one behind an operation calls."""
    how, body = LATE[what]
    cursor.execute(
        "CREATE OR REPLACE FUNCTION pay.check_batch(VARIADIC p_dims text[]) "
        f"RETURNS int LANGUAGE plpgsql {how} AS $$ BEGIN {body} END $$"
    )
    found = list(check_ops.check_late(cursor))
    assert len(found) == sum(row[-1] == "late" for row in check_ops.payctl())
    assert all(f"but pay.check_batch {what}" in each for each in found)


@pytest.mark.parametrize("what", COLUMNS)
def test_a_wrong_column_is_found(check_ops, cursor, what):
    """Whatever is wrong about it."""
    old, new = COLUMNS[what]
    cursor.execute(ATTRIBUTES)
    (columns,) = cursor.fetchone()
    assert old in columns
    cursor.execute("CREATE SCHEMA wrong")
    cursor.execute(
        f"CREATE TYPE wrong.checkout_row AS ({columns.replace(old, new)})"
    )
    rewrite(cursor, "pay_api.checkout_row", "wrong.checkout_row")
    assert "columns" in the_one(check_ops, cursor)


@pytest.mark.parametrize("what", OUTCOMES)
def test_a_wrong_outcome_is_found(check_ops, cursor, what):
    """A word more, less, or another one."""
    cursor.execute(
        "COMMENT ON FUNCTION pay_api.release_replacement IS"
        f" 'Goes on. Outcomes: {OUTCOMES[what]}'"
    )
    assert "outcomes" in the_one(check_ops, cursor)


@pytest.mark.parametrize("comment", ["Goes on", "Goes on: released, refused"])
def test_a_comment_without_outcomes_is_found(check_ops, cursor, comment):
    """The list stands at its end, in one form."""
    cursor.execute(
        "COMMENT ON FUNCTION pay_api.release_replacement IS %s", (comment,)
    )
    assert "does not end" in the_one(check_ops, cursor)


def test_one_that_writes_is_not_stable(check_ops, cursor):
    """Nor is one that only reads volatile."""
    cursor.execute(
        "ALTER FUNCTION pay_api.release_replacement"
        "(text[], text[], bigint[], text[]) STABLE"
    )
    assert "reads" in the_one(check_ops, cursor)


def test_a_function_more_or_less_is_found(check_ops, cursor):
    """Each is in the list, and only once."""
    cursor.execute("ALTER FUNCTION pay_api.get_handle RENAME TO get_it")
    found = list(check_ops.check_operations(cursor))
    assert found == [
        "pay_api.get_handle is missing",
        "pay_api.get_it is not in src/op/ops.list",
    ]


def test_a_row_type_is_that_of_its_shape(check_ops, cursor):
    """It is named as the shape is, and has its columns."""
    cursor.execute("ALTER TYPE pay_api.span_row RENAME TO thing_row")
    assert list(check_ops.check_operations(cursor)) == [
        "pay_api.begin_backfill returns thing_row, in C its shape is span"
    ]


def test_a_list_of_columns_does_as_well(check_ops, cursor):
    """In place of a row type."""
    rewrite(cursor, "SETOF pay_api.checkout_row", "TABLE (item integer)")
    assert "columns" in the_one(check_ops, cursor)


# what is changed of the state machine, and the words of what is found
MACHINE = {
    "another way": (
        "UPDATE pay.transition SET next_status = 'FAILED' "
        "WHERE kind = 'paid' AND status = 'EXECUTING'",
        "paid EXECUTING",
    ),
    "another condition": (
        "UPDATE pay.transition SET actor = 'any' "
        "WHERE kind = 'declined' AND status = 'SUCCESS' AND rank = 1",
        "declined SUCCESS",
    ),
    "a row less": (
        "DELETE FROM pay.transition WHERE kind = 'refused' "
        "AND status = 'FAILED'",
        "refused FAILED",
    ),
    "another word for storefronts": (
        "UPDATE pay.news_kind SET told = NULL WHERE news = 'refunded'",
        "refunded",
    ),
}


@pytest.mark.parametrize("what", MACHINE)
def test_a_wrong_row_of_the_state_machine_is_found(check_ops, cursor, what):
    """In C and in SQL it is one table."""
    change, row = MACHINE[what]
    for table in ("transition", "news_kind"):
        cursor.execute(f"ALTER TABLE pay.{table} DISABLE TRIGGER USER")
    cursor.execute(change)
    found = list(check_ops.check_states(cursor))
    assert found and all(line.startswith(row) for line in found)
