"""The daily close that the workers make (payments_audit close=): each day once,
in order, signed with the key of the seals, whoever dies in the middle."""

import datetime
import os
import re
import signal
import subprocess
import time

import psycopg2
import pytest
from support.own_stack import OwnStack, wait_for

DIRECTIVE = re.compile(r"payments_audit +[^;]*;")
PAUSE = """
CREATE FUNCTION public.test_pause() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END$$;
CREATE TRIGGER test_pause BEFORE UPDATE OF signature ON pay.settlement_close
FOR EACH ROW EXECUTE FUNCTION public.test_pause();
GRANT EXECUTE ON FUNCTION public.test_pause TO PUBLIC"""


@pytest.fixture(scope="module")
def stack():
    made = OwnStack()
    try:
        yield made
        made.check_invariants()
    finally:
        made.close()


def closing(stack):
    """Two workers that close days."""
    key = stack.values["AUDIT_KEY_FILE"]
    stands = DIRECTIVE.search(stack.pristine)
    stack.configure(
        (
            stands[0],
            f'payments_audit "key_file={key}" interval=200ms close=1s;',
        ),
        ("payments_audience ", "payments_jobs on interval=100ms;\n"
         "    payments_watchdog interval=200ms;\n    payments_audience "),
    )  # fmt: skip


def closes(stack):
    return stack.sql(
        "SELECT number, day, signature IS NOT NULL"
        " FROM pay.settlement_close ORDER BY number"
    )


def payctl(stack, *words):
    env = os.environ | {"PAYCTL_DSN": stack.values["PG_ADMIN_DSN"]}
    return subprocess.run(
        [stack.values["PAYCTL"], *words],
        env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def is_proven(stack, tmp_path):
    """Without the database, by the public key alone."""
    told = tmp_path / "closes.jsonl"
    told.write_text(payctl(stack, "close", "export").stdout)
    key = stack.values["AUDIT_PUBLIC_KEY"]
    done = payctl(stack, "close", "verify", "--key", key, str(told))
    return done.returncode == 0, done.stdout + done.stderr


def open_yesterday(stack):
    """As if nobody had closed it yet."""
    stack.sql(
        "ALTER TABLE pay.settlement_close DISABLE TRIGGER"
        " settlement_close_kept; DELETE FROM pay.settlement_close"
        " WHERE number = 4; ALTER TABLE pay.settlement_close ENABLE ALWAYS"
        " TRIGGER settlement_close_kept"
    )


def test_days_that_were_missed_are_closed_in_order(stack, tmp_path):
    today = datetime.datetime.now(datetime.UTC).date()
    # the last close was made four days ago, and its maker died before it
    # signed
    stack.sql(
        "SET search_path = pay, public;"
        f"SELECT outcome FROM pay.make_close('{today}'::date - 4)"
    )
    stack.sql("RESET search_path")
    assert closes(stack) == [(1, today - datetime.timedelta(4), False)]
    closing(stack)

    def all_signed():
        found = closes(stack)
        return len(found) == 4 and all(each[2] for each in found)

    wait_for(all_signed, "each day is closed and signed")
    assert [each[1] for each in closes(stack)] == [
        today - datetime.timedelta(n) for n in (4, 3, 2, 1)
    ]
    assert is_proven(stack, tmp_path)[0], is_proven(stack, tmp_path)[1]
    text = stack.http.get("/metrics").text
    assert re.search(r"^payments_closes_total 4$", text, re.M)

    def is_young():
        text = stack.http.get("/metrics").text
        age = re.search(r"^payments_close_age_seconds (\d+)$", text, re.M)
        return age is not None and int(age[1]) < 86400

    # the rounds that gather figures take a twentieth of the time at most
    wait_for(is_young, "the figures to have the last close")
    log = stack.gateway.error_log.read_text()
    assert log.count("a day is closed and signed") == 4


def test_a_worker_that_dies_in_the_middle_is_taken_over(stack, tmp_path):
    """Between the close and its signature."""
    stack.configure()
    stack.sql(PAUSE)
    open_yesterday(stack)
    held = psycopg2.connect(stack.values["PG_ADMIN_DSN"])
    with held.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(4711)")
    closing(stack)
    wait_for(
        lambda: [each[2] for each in closes(stack)] == [True] * 3 + [False],
        "a worker has closed the day and not signed it",
    )
    wait_for(
        lambda: stack.sql(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
            " AND objid = 4711 AND NOT granted"
        ),
        "its signature is on the way",
    )
    stack.expected += ["exited on signal 9"]
    for pid in stack.workers():
        os.kill(pid, signal.SIGKILL)
    stack.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
    )
    assert [each[2] for each in closes(stack)] == [True] * 3 + [False]
    held.rollback()
    held.close()
    stack.generation()
    # nobody waits for the lease of the dead
    stack.sql("UPDATE pay.round SET lease_until = now() WHERE name = 'close'")
    wait_for(
        lambda: [each[2] for each in closes(stack)] == [True] * 4,
        "another worker signs it",
    )
    assert is_proven(stack, tmp_path)[0], is_proven(stack, tmp_path)[1]
    stack.sql("DROP TRIGGER test_pause ON pay.settlement_close;"
              "DROP FUNCTION public.test_pause()")  # fmt: skip


REFUSE = """
CREATE FUNCTION public.test_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'a test'; END$$;
CREATE TRIGGER test_refuse BEFORE INSERT ON pay.settlement_close
FOR EACH ROW EXECUTE FUNCTION public.test_refuse();
GRANT EXECUTE ON FUNCTION public.test_refuse TO PUBLIC"""


def test_a_close_that_fails_is_tried_ever_more_seldom(stack, tmp_path):
    """One that takes longer than the statement_timeout would be tried all the
    time, and keep a connection busy."""

    def failures():
        text = stack.http.get("/metrics").text
        return int(re.search(r"close_failures_total (\d+)$", text, re.M)[1])

    stack.configure()
    stack.sql(REFUSE)
    open_yesterday(stack)
    before = failures()
    begun = time.monotonic()
    closing(stack)
    # of each worker after 0.2, 0.4, 0.8, 1.6 and 3.2 s at least, unless it has
    # met another one, and not after 1 s
    many = 5 * len(stack.workers())
    wait_for(lambda: failures() >= before + many, "many failures")
    assert time.monotonic() - begun >= 1.5
    stack.expected += ["a test"]
    stack.sql("DROP TRIGGER test_refuse ON pay.settlement_close;"
              "DROP FUNCTION public.test_refuse()")  # fmt: skip
    stack.reload()
    wait_for(lambda: len(closes(stack)) == 4, "then it is closed")
    wait_for(lambda: closes(stack)[-1][2], "and signed")
    assert is_proven(stack, tmp_path)[0], is_proven(stack, tmp_path)[1]
