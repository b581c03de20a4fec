"""The tables of docs/architecture.md#order-states are the state machine's."""

import re
import subprocess

from test_documents import PAYCTL, page, section

STATES = ("NOT_STARTED", "EXECUTING", "SUCCESS", "FAILED")
PLAIN = ("any", "any", "any", "always")


def rows_under(heading: str) -> list[list[str]]:
    """Cells of the table of that heading, without their code marks."""
    text = section(page("docs/architecture.md"), "Order states")
    found = re.search(
        rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.M
    )
    assert found, heading
    return [
        [cell.strip().replace("`", "") for cell in line.strip("|\n").split("|")]
        for line in found[1].splitlines()
    ]


def said(*words: str) -> list[list[str]]:
    out = subprocess.run(
        [PAYCTL, "ops", *words], check=True, text=True, stdout=subprocess.PIPE
    ).stdout
    return [line.split("\t") for line in out.splitlines()]


def test_the_table_of_facts_is_the_plain_rows():
    told = {
        (kind, state, state if cell == "·" else cell)
        for kinds, *cells in rows_under("fact \\| NOT_STARTED")
        for kind in kinds.split(", ")
        for state, cell in zip(STATES, cells, strict=True)
    }
    rows = [row for row in said("--transitions") if tuple(row[3:7]) == PLAIN]
    assert told == {(row[0], row[1], row[8]) for row in rows}
    assert all(row[7] == row[0] for row in rows)


def test_the_table_of_exceptions_is_the_others():
    told = rows_under("fact \\| about")
    rows = [row for row in said("--transitions") if tuple(row[3:7]) != PLAIN]
    assert told == [row[:2] + row[3:] for row in rows]


def test_the_table_of_news_is_that_of_events():
    told = {
        (kind, when, "" if word == "–" else word, seen)
        for kinds, when, word, seen in rows_under("event \\| when no .+")
        for kind in kinds.split(", ")
    }
    rows = said("--news")
    assert told == {
        (news, when, word, "yes" if seen == "shown" else "no")
        for news, when, word, seen in rows
    }


def test_each_circumstance_is_explained():
    text = section(page("docs/architecture.md"), "Order states")
    words = {row[6] for row in said("--transitions")} - {"always"}
    words |= {row[1] for row in said("--news")}
    assert {w for w in words if f"`{w}`: " not in text} == set()
