"""Each two transitions that can meet at one checkout, at the same time: the
result is that of one after the other, in one of the two orders (support/
pairs.py has the table).

One is done but not committed when the other begins; then the first commits,
or rolls back; and both begin at once.  What comes of it, outcomes and all
that the database has of the checkout, is compared with both orders on
checkouts of their own.

Each pair is run with a commit; with a rollback and at once every third one,
and with PAIRS=all every one.
"""

import concurrent.futures
import functools
import itertools
import os
import threading

import psycopg2
import pytest
from support.pair_subject import Subject
from support.pairs import SITUATIONS, TRANSITIONS, do
from support.sql_gateway import (
    ROOT,
    Gateway,
    database,  # noqa: F401
)

# These never wait for a checkout that somebody is at: they leave it out, and
# the next claim or sweep finds it.
PATIENT = {"claim": ["none"], "sweep": ["swept", "not_due"]}
EVERY = 1 if os.environ.get("PAIRS") == "all" else 3


def pairs(ordered):
    for situation, (_, words) in SITUATIONS.items():
        names = words.split()
        chosen = (
            itertools.product(names, repeat=2)
            if ordered
            else itertools.combinations_with_replacement(names, 2)
        )
        for one, two in itertools.islice(
            chosen, 0, None, 1 if ordered else EVERY
        ):
            yield pytest.param(
                situation, one, two, id=f"{situation}-{one}-{two}"
            )


class Arena:
    """Two sessions of the gateway, and a superuser who prepares and looks."""

    def __init__(self, dsn):
        self.dsn = dsn
        self.sessions = [Gateway(dsn), Gateway(dsn)]
        self.link = psycopg2.connect(dsn)
        self.link.autocommit = True
        self.admin = self.link.cursor()
        self.admin.execute("SET synchronous_commit = off")
        self.threads = concurrent.futures.ThreadPoolExecutor(2)
        for gateway in self.sessions:
            gateway.cursor.execute("SET statement_timeout = '20s'")
            gateway.cursor.execute("SET synchronous_commit = off")
        self.serial = functools.cache(self.serial)

    def close(self):
        self.threads.shutdown()
        for gateway in self.sessions:
            gateway.connection.close()
        self.link.close()

    def subject(self, situation, names, how):
        name = ".".join((situation, "+".join(names), how))
        made = Subject(name, self.sessions[0], self.admin)
        SITUATIONS[situation][0](made)
        return made

    def ended(self, subject, words, swept):
        """swept: one of the two is the sweep."""
        if swept:
            subject.aged()
            do(subject, "sweep")
        picture = subject.picture()
        if swept:
            # a letter may come too late for what has just ended: what counts
            # is what the next round leaves
            picture["letters"] = [
                each
                for each in picture["letters"] or []
                if each[2] != "settled"
            ]
        subject.put_away()
        return words, picture

    def serial(self, situation, names, swept):
        """(outcomes, picture) of transitions one after the other."""
        subject = self.subject(situation, names, "serial")
        words = tuple(
            TRANSITIONS[name](self.sessions[0], subject) for name in names
        )
        return self.ended(subject, words, swept)

    def overlapping(self, situation, names, end):
        """The second begins before the first commits or rolls back."""
        one, two = self.sessions
        subject = self.subject(situation, names, end)
        one.connection.autocommit = False
        try:
            first = TRANSITIONS[names[0]](one, subject)
            later = self.threads.submit(TRANSITIONS[names[1]], two, subject)
            self.until_blocked_or_done(later, two)
        finally:
            getattr(one.connection, end)()
            one.connection.autocommit = True
        return self.ended(subject, (first, later.result(30)), "sweep" in names)

    def until_blocked_or_done(self, later, gateway):
        pid = gateway.connection.info.backend_pid
        while not later.done():
            self.admin.execute(
                "SELECT cardinality(pg_blocking_pids(%s))", (pid,)
            )
            if self.admin.fetchone()[0] > 0:
                return

    def at_once(self, situation, names):
        subject = self.subject(situation, names, "at_once")
        barrier = threading.Barrier(2)

        def run(gateway, name):
            barrier.wait(30)
            return TRANSITIONS[name](gateway, subject)

        both = [
            self.threads.submit(run, *pair)
            for pair in zip(self.sessions, names, strict=True)
        ]
        words = tuple(each.result(30) for each in both)
        return self.ended(subject, words, "sweep" in names)

    def orders(self, situation, one, two):
        """What may come of the two."""
        swept = "sweep" in (one, two)
        found = [self.serial(situation, (one, two), swept)]
        words, picture = self.serial(situation, (two, one), swept)
        found.append((words[::-1], picture))
        for name, other, place in ((one, two, 0), (two, one, 1)):
            if name in PATIENT:
                (word,), picture = self.serial(situation, (other,), swept)
                for left in PATIENT[name]:
                    words = (word, left) if place else (left, word)
                    found.append((words, picture))
        return found


@pytest.fixture(scope="module")
def arena(dsn):
    """Every invariant must hold when all are through."""
    made = Arena(dsn)
    yield made
    try:
        made.admin.execute("RESET synchronous_commit")
        for check in sorted((ROOT / "sql" / "checks").glob("*.sql")):
            made.admin.execute(check.read_text())
            assert made.admin.fetchall() == [], check.stem
    finally:
        made.close()


@pytest.mark.parametrize(("situation", "one", "two"), pairs(ordered=True))
def test_who_waits_goes_on_after_a_commit(arena, situation, one, two):
    found = arena.overlapping(situation, (one, two), "commit")
    assert found in arena.orders(situation, one, two)


@pytest.mark.parametrize(("situation", "one", "two"), pairs(ordered=False))
def test_who_waits_goes_on_after_a_rollback(arena, situation, one, two):
    (_, word), picture = arena.overlapping(situation, (one, two), "rollback")
    swept = "sweep" in (one, two)
    alone = [arena.serial(situation, (two,), swept)]
    if two in PATIENT:
        _, untouched = arena.serial(situation, (), swept)
        alone += [((left,), untouched) for left in PATIENT[two]]
    assert ((word,), picture) in alone


@pytest.mark.parametrize(("situation", "one", "two"), pairs(ordered=False))
def test_at_once_is_one_after_the_other(arena, situation, one, two):
    found = arena.at_once(situation, (one, two))
    assert found in arena.orders(situation, one, two)
