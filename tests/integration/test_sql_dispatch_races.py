"""Races around the dispatch journal on real connections (I1, T38): whatever
call ends when, one attempt at a time, and no word that was heard is lost.
"""

import threading

import psycopg2
import pytest
from support.sql_gateway import (
    claimed,
    connections,  # noqa: F401
    database,  # noqa: F401
    fresh,
    outcomes,
    registration_of,  # noqa: F401
    together,
    wait_until_blocked,
)


def begun(gateway):
    """A checkout whose first call is out, and its order."""
    ((key, checkout, order),) = fresh()
    assert outcomes(gateway.begin([(key, checkout, order)])) == ["created"]
    return checkout, order


def test_eight_workers_send_a_change_once(gateways, registration):
    some = gateways(8)
    for _ in range(20):
        checkout, order = begun(some[0])
        some[0].store([(checkout, checkout)])
        results = together(*[
            lambda g=g: g.send([(checkout, "capture", order)]) for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["busy"] * 7 + ["send"]
        assert registration.journal(checkout)[0] == (
            "capture", 1, "stripe", "OPEN", 1)


def test_what_is_done_is_done_whoever_else_speaks(gateways, registration):
    some = gateways(4)
    for _ in range(40):
        checkout, order = begun(some[0])
        some[0].store([(checkout, checkout)])
        some[0].send([(checkout, "capture", order)])
        words = ["UNKNOWN", "NOT_SENT", "DONE", "REFUSED"]
        results = together(*[
            lambda g=g, w=w: g.sent([(checkout, "capture", order, 1, w)])
            for g, w in zip(some, words, strict=True)])
        assert outcomes(results[2])[0] == "stored"
        assert registration.journal(checkout)[0][3] == "DONE"
        assert outcomes(some[0].send([(checkout, "capture", order)])) == [
            "done"]


def test_a_token_beside_a_resend_is_done_once(gateways, registration):
    """The first call's answer and a job that sends again: if the answer is
    first there is no job, else both calls are one attempt."""
    one, two = gateways(2)
    seen = set()
    for _ in range(60):
        checkout, _ = begun(one)
        registration.due(checkout)
        stored, jobs = together(
            lambda: one.store([(checkout, checkout)]),
            lambda: two.claim("worker", 8))
        assert outcomes(stored) == ["stored"]
        sends = 2 if claimed(jobs, checkout) else 1
        seen.add(sends)
        assert registration.journal(checkout) == [
            ("register", 1, "stripe", "DONE", sends)]
        if sends == 2:
            assert outcomes(two.store_no([(checkout, "unknown")])) == [
                "already"]
    assert seen <= {1, 2}


@pytest.mark.parametrize("word", ["not_sent", "unknown"])
def test_a_late_word_beside_a_resend_never_hides_it(gateways, registration,
                                                    word):
    """The first call ends while a job sends again: the journal never says
    NOT_SENT of an attempt whose second call is out."""
    one, two = gateways(2)
    for _ in range(60):
        checkout, _ = begun(one)
        registration.due(checkout)
        ended, jobs = together(
            lambda: one.store_no([(checkout, word)]),
            lambda: two.claim("worker", 8))
        assert outcomes(ended) == ["stored"]
        (*_, (_, _, _, state, sends)) = registration.journal(checkout)
        if claimed(jobs, checkout):
            assert (state, sends) == ("UNKNOWN", 2)
        else:
            assert (state, sends) == (word.upper(), 1)


@pytest.mark.parametrize("first", ["word", "claim"])
def test_neither_a_claim_nor_a_word_acts_on_what_is_being_changed(
        gateways, registration, first):
    """Both orders by force: a claim leaves what somebody is at, a word waits
    for the claim and then counts for one of two calls."""
    one, two, watch = gateways(3)
    checkout, _ = begun(one)
    registration.due(checkout)
    one.connection.autocommit = False
    if first == "word":
        assert outcomes(one.store_no([(checkout, "not_sent")])) == ["stored"]
        assert claimed(two.claim("worker", 8), checkout) == []
        one.connection.commit()
        wanted = [("register", 1, "stripe", "NOT_SENT", 1)]
    else:
        assert claimed(one.claim("worker", 8), checkout) == ["stripe"]
        result = []
        thread = threading.Thread(target=lambda: result.append(
            two.store_no([(checkout, "not_sent")])))
        thread.start()
        wait_until_blocked(watch, two)
        one.connection.commit()
        thread.join(30)
        assert outcomes(result[0]) == ["stored"]
        wanted = [("register", 1, "stripe", "UNKNOWN", 2)]
    one.connection.autocommit = True
    assert registration.journal(checkout) == wanted


def test_a_move_beside_a_late_word_leaves_one_attempt_open(gateways,
                                                           registration):
    """The request moves on; a stray word about its call comes with it."""
    one, two = gateways(2)
    for _ in range(60):
        checkout, _ = begun(one)
        moved, ended = together(
            lambda: one.reroute([(checkout, "not_sent")]),
            lambda: two.store_no([(checkout, "unknown")]))
        words = (outcomes(moved)[0], outcomes(ended)[0])
        if words == ("rerouted", "already"):
            assert registration.journal(checkout) == [
                ("register", 1, "stripe", "NOT_SENT", 1),
                ("register", 2, "adyen", "OPEN", 1)]
        else:
            assert words == ("stays", "stored")
            assert registration.journal(checkout) == [
                ("register", 1, "stripe", "UNKNOWN", 1)]


def test_giving_up_beside_a_token_leaves_no_letter_open(gateways,
                                                        registration):
    one, two = gateways(2)
    for _ in range(60):
        checkout, _ = begun(one)
        given_up, stored = together(
            lambda: one.store_no([(checkout, "unknown")],
                                 dead="retry_limit"),
            lambda: two.store([(checkout, checkout)]))
        assert outcomes(stored) == ["stored"]
        assert outcomes(given_up)[0] in ("stored", "already")
        assert set(registration.letters(checkout)) <= {"settled"}


def test_a_late_token_beside_a_sweep_is_not_lost(gateways, registration, dsn):
    """The sweep once noted under no lock that an unknown call matters no
    more, and the token's word about that call found its row gone."""
    one, two, watch = gateways(3)
    checkout, _ = begun(one)
    assert outcomes(one.store_no([(checkout, "expired")])) == ["stored"]
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE pay.dispatch SET"
                       " first_sent_at = now() - interval '1 day'"
                       " WHERE checkout_id = %s", (checkout,))
    one.connection.autocommit = False
    assert outcomes(one.call("sweep", ["text", "bigint", "jsonb"],
                             (["worker"], [0], ["{}"]))) == ["swept"]
    result = []
    thread = threading.Thread(
        target=lambda: result.append(two.store([(checkout, checkout)])))
    thread.start()
    wait_until_blocked(watch, two)
    one.connection.commit()
    thread.join(30)
    assert outcomes(result[0]) == ["mismatch"]
    assert registration.journal(checkout) == [
        ("register", 1, "stripe", "DONE", 1)]
