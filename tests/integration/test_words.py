"""ci/check-words finds riddles in comments and documents, and nothing else:
each case is planted in a small tree of its own."""

import subprocess

import pytest
from support.gateway import ROOT

LIMITS = (
    "include 0\nsrc 1\nngx_payments_module 0\nsql 0\ndocs 0\n"
    "README.md 0\nCONTRIBUTING.md 0\n"
)

# name of the file, its text, what is said of it (empty: nothing)
CASES = {
    "a subject": ("src/a.c", "/* The limit of a batch. */\n", ""),
    "no subject": (
        "src/a.c", "/* Of its job, which is old. */\n", 'begins with "Of"',
    ),
    "no subject in SQL": (
        "sql/a.sql", "-- Whose token it is.\n", 'begins with "Whose"',
    ),
    "no subject in a COMMENT": (
        "sql/a.sql", "COMMENT ON TABLE a IS\n    'What is '\n    'due';\n",
        'sql/a.sql:2: begins with "What"',
    ),
    "a question": ("src/a.c", "/* Which row is it? */\n", ""),
    "a riddle behind code": (
        "include/a.h", "int  a;   /* nobody\n * or somebody */\n",
        'include/a.h:1: "somebody"',
    ),
    "a riddle in a document": (
        "docs/a.md", "One.\n\nPeople decide.\n", 'docs/a.md:3: "People"',
    ),
    "an example": ("sql/a.sql", "-- two, say\n", '", say": for example'),
    "a name of a column": (
        "sql/a.sql", "-- told: the message, also (told)\n", "",
    ),
    "a quotation": ("src/a.c", '/* The row of "people". */\n', ""),
    "code": ("src/a.c", 'char  *told = "/* people */";\n', ""),
    "a block of code": ("docs/a.md", "```\npeople\n```\n    told\n", ""),
    "the old number of whats": ("src/a.c", "/* See what. */\n", ""),
    "one what too many": (
        "src/a.c", "/* See what. */\n/* Do what? */\n", 'src: 2 times "what"',
    ),
    "a snapshot": ("sql/snapshot.sql", "-- What people say\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_finds_riddles_and_nothing_else(tmp_path, case):
    name, text, said = CASES[case]
    for path, content in {name: text, "ci/words.txt": LIMITS}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)

    done = subprocess.run(
        [ROOT / "ci" / "check-words", tmp_path], text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip

    assert said in done.stdout
    assert done.returncode == (1 if said else 0), done.stdout


def test_the_tree_has_none():
    subprocess.run([ROOT / "ci" / "check-words", ROOT], check=True)
