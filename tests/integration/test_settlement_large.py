"""A settlement file of 200,000 rows in a worker whose statements may take one
second each: none of its steps grows with the file, and what one has done stays
done."""

import shutil

import pytest
from test_settlement_dir import AUDIENCE, Inbox, fees

ROWS = 200_000
DEADLINE_S = 400


@pytest.fixture(scope="module")
def inbox(own_stack):
    made = Inbox(own_stack, "large")
    own_stack.configure(
        (AUDIENCE, made.line() + AUDIENCE),
        (" queue=4096", " queue=4096 timeout=1s"),
    )
    yield made
    own_stack.configure()
    shutil.rmtree(made.dir)


@pytest.mark.timeout(DEADLINE_S + 200)
def test_a_large_file_is_booked_in_short_statements(inbox):
    inbox.put("large.csv", fees("l", ROWS))
    inbox.becomes("large.csv", "booked", DEADLINE_S)
    assert inbox.rows() == ROWS
    assert inbox.booked_twice() == 0
    assert inbox.charged() == ROWS
