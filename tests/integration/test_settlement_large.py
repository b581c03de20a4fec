"""A settlement file of 200,000 rows in workers whose statements may take one
second each: none of its steps grows with the file, what one has done stays
done, and two workers book its parts."""

import shutil

import pytest
from support.own_stack import OwnStack, wait_for
from test_settlement_dir import AUDIENCE, Inbox, fees

ROWS = 200_000
DEADLINE_S = 900
# two backends are in a step of the file, each with a part of its own
HELPED = """
SELECT EXISTS (
    SELECT FROM pay.settlement_look l
    WHERE l.source = %s AND l.helper <> l.lease_owner AND (
        SELECT count(*) FROM pg_stat_activity a
        WHERE a.state = 'active' AND a.usename = 'payments_gateway'
            AND a.query LIKE '%%advance_settlement%%') > 1)"""


@pytest.fixture(scope="module")
def inbox():
    """That of a stack of its own: its 400,000 lines of the journal would slow
    down each later test that sums the journal of the worker's."""
    stack = OwnStack()
    try:
        made = Inbox(stack, "large")
        stack.configure(
            (AUDIENCE, made.line() + AUDIENCE),
            (" queue=4096", " queue=4096 timeout=1s"),
        )
        yield made
        shutil.rmtree(made.dir)
        stack.check_invariants()
    finally:
        stack.close()


@pytest.mark.timeout(DEADLINE_S + 200)
def test_a_large_file_is_booked_in_short_statements(inbox):
    inbox.put("large.csv", fees("l", ROWS))
    wait_for(
        lambda: inbox.stack.value(HELPED, inbox.name),
        "two workers to book parts of it",
        DEADLINE_S,
    )
    inbox.becomes("large.csv", "booked", DEADLINE_S)
    assert inbox.rows() == ROWS
    assert inbox.booked_twice() == 0
    assert inbox.charged() == ROWS
