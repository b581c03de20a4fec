"""Property: whatever the history, whatever its faults, in whichever order its
files come and however often: each fault is found and put into the right
class, none is invented, and nothing is booked twice.

Histories share a database, BLOCK at a time: each is judged when its last file
is in, all of them once more together.  HISTORIES: how many seeds (50), SEED:
the first of them (0), STORIES: of one history (24).  A failure names its seed
and the smallest prefix that fails; SEED=n STORIES=m HISTORIES=1 runs that one
alone.  SHORTEST= (empty): no prefixes are tried, the first failure is the last.
"""

import collections
import os
import subprocess

import pytest
from settlement_books import Books, Kept, Process, made_template
from settlement_history import BATCHES, History
from settlement_run import Run, of_all

FIRST = int(os.environ.get("SEED") or 0)
HISTORIES = int(os.environ.get("HISTORIES") or 50)
SHORTEST = os.environ.get("SHORTEST", "1")
STORIES = int(os.environ.get("STORIES") or 24)
BLOCK = 50
MET = collections.Counter()  # what was judged, printed with pytest -s
BLOCKS = [range(first, min(first + BLOCK, FIRST + HISTORIES))
          for first in range(FIRST, FIRST + HISTORIES, BLOCK)]


@pytest.fixture(name="template", scope="module")
def made_once():
    """A database that others are copies of."""
    name = made_template()
    yield name
    print("", *(f"{n} {words}" for words, n in sorted(MET.items())), sep="\n")
    subprocess.run(["dropdb", "--force", name], check=True)


def wrong_with(run):
    """A history is played and judged; what is wrong with it, or None."""
    try:
        run().all()
        return None
    except AssertionError as error:
        return str(error) or repr(error)


def alone(template, path, seed, count, payctl=Kept):
    """A history in a database of its own; what is wrong with it, or None."""
    books = Books(template, path, payctl)
    runs = []

    def begun():
        runs.append(Run(books, seed, count))
        return runs[0]

    try:
        return wrong_with(begun) or of_all(books, runs)
    finally:
        books.close()


def together(template, path, seeds):
    """Histories in one database; what is wrong with each, and with all."""
    books = Books(template, path)
    runs, wrong = [], {}

    def begun(seed):
        runs.append(Run(books, seed, STORIES))
        return runs[-1]

    try:
        for seed in seeds:
            said = wrong_with(lambda seed=seed: begun(seed))
            if said:
                wrong[seed] = said
            else:
                MET.update(runs[-1].met)
            if said and not SHORTEST:
                break
        return wrong, None if wrong else of_all(books, runs)
    finally:
        books.close()


def shortest(template, path, seed):
    """The smallest prefix that fails, and how; None: it does not alone."""
    wrong, count = alone(template, path, seed, STORIES), STORIES
    for n in range(1, STORIES) if wrong and SHORTEST else ():
        shorter = alone(template, path, seed, n)
        if shorter:
            wrong, count = shorter, n
            break
    return wrong and f"SEED={seed} STORIES={count} HISTORIES=1:\n{wrong}"


@pytest.mark.parametrize("seeds", BLOCKS, ids=lambda b: f"{b[0]}-{b[-1]}")
def test_each_fault_of_a_random_history_is_found_and_none_invented(
    template, tmp_path, seeds
):
    wrong, whole = together(template, tmp_path, seeds)
    said = [
        shortest(template, tmp_path, seed)
        or f"SEED={seed}, behind those from {seeds[0]} on alone:\n{how}"
        for seed, how in list(wrong.items())[:3]
    ]
    if whole:
        said = [next(filter(None, (shortest(template, tmp_path, seed)
                                   for seed in seeds if SHORTEST)),
                     f"SEED={seeds[0]} HISTORIES={len(seeds)} together:"
                     f"\n{whole}")]
    if said:
        pytest.fail("\n".join(said))


def test_payctl_as_processes_of_its_own_comes_to_the_same(template, tmp_path):
    assert alone(template, tmp_path, FIRST, STORIES, Process) is None


def test_a_history_depends_on_its_seed_alone(template, tmp_path):
    """A prefix is the same history cut short."""
    told = []
    for count in (8, 8, 6):
        books = Books(template, tmp_path)
        history = History(books, 7, count)
        books.close()
        told.append({(source, row.key, row.contents(), row.batch)
                     for source, rows in history.rows.items()
                     for row in rows})
    assert told[0] == told[1]
    assert told[2] <= told[0]
    assert BATCHES > 1
