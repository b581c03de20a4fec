"""docs/reliability.md says which test each cell of the fault matrix has: every
one of them is there, and no cell of the sweep is left out."""

import re

from rig.matrix import CELLS, EVERY
from support.gateway import ROOT

TEXT = (ROOT / "docs" / "reliability.md").read_text()
ROW = re.compile(r"^\| `([a-z-]+)` \|(.*)\|$", re.M)
TEST = re.compile(r"^\| ([A-Z][a-z]?) \| `(\S+)` \|$", re.M)
PLANTED = re.compile(r"`make controls`: `(\w+)`")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def cells() -> dict[tuple[str, str], list[str]]:
    """(row, moment) → letters; a dash is no cell."""
    found = {}
    for name, rest in ROW.findall(TEXT):
        words = [word.strip() for word in rest.split("|")][1:]
        assert len(words) == len(EVERY), name
        for moment, letters in zip(EVERY, words, strict=True):
            if letters != "—":
                found[name, moment] = letters.split()
    return found


def test_every_row_of_the_matrix_is_there():
    rows = {name for name, _ in cells()}
    assert len(rows) == 26
    assert len(cells()) >= 120


def test_every_cell_names_a_test():
    known = {"S", *dict(TEST.findall(TEXT))}
    for cell, letters in cells().items():
        assert letters, cell
        assert set(letters) <= known, cell


def test_no_test_is_named_for_nothing():
    used = {letter for letters in cells().values() for letter in letters}
    assert used - {"S"} == set(dict(TEST.findall(TEXT)))


def test_the_sweep_has_the_cells_that_say_so():
    told = {cell for cell, letters in cells().items() if "S" in letters}
    assert told == set(CELLS)


def test_every_planted_bug_is_listed():
    bugs = ROOT.glob("tests/*/controls/*.bug")
    assert sorted(PLANTED.findall(TEXT)) == sorted(bug.stem for bug in bugs)


def test_every_named_test_exists():
    named = NAMED.findall(TEXT)
    assert len(named) >= 28
    for file, name in named:
        text = (ROOT / file).read_text()
        assert f"\ndef {name}(" in text, f"{file}::{name}"
