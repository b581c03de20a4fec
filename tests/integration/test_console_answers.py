"""Answers of the console that are kept for some seconds: given to those with
the same rights alone, to those who have asked for an older one, for a bounded
time and in bounded memory (docs/console.md#cost)."""

import concurrent.futures
import contextlib
import time

import psycopg2
import pytest
from support.console import Staff
from support.waiting import wait_for

LIFE_S = 5
KEPT = 64
OLDER = {"Cache-Control": "max-age=60"}


@pytest.fixture
def staff(gateway, tls):
    """One connection, so that one worker answers all."""
    made = Staff(gateway, tls)
    yield made
    made.api.close()


@pytest.fixture
def make(api, checkout):
    def make():
        answer = api.create(checkout())
        assert answer.status_code == 201, answer.text
        return answer.json()["checkout_id"]

    return make


def older(staff, *roles, query=None, page="payments", **claims):
    """An answer that may be a kept one."""
    answer = staff.get(page, *roles, query=query, headers=OLDER, **claims)
    assert answer.status_code == 200, answer.text
    return answer


def test_who_asks_without_a_word_gets_what_is_true_now(staff, make):
    for _ in range(3):
        made = make()
        answer = staff.get("payments", "viewer")
        assert made in answer.text
        assert answer.headers["age"] == "0"
        assert answer.headers["cache-control"] == "no-store"
    for word in ("no-cache", "max-age=0", "max-age=x", "max-age=-1"):
        made = make()
        headers = {"Cache-Control": word}
        assert made in staff.get("payments", "viewer", headers=headers).text


def test_who_polls_gets_the_answer_of_another_one(staff, make):
    first = staff.get("payments", "viewer")
    made = make()
    held = {"If-None-Match": first.headers["etag"]}
    again = staff.get("payments", "viewer", headers=held, sub="bob")
    assert again.status_code == 304
    assert again.content == b""
    assert 0 <= int(again.headers["age"]) < LIFE_S
    assert again.headers["etag"] == first.headers["etag"]
    other = {"If-None-Match": '"another"'}
    answer = staff.get("payments", "viewer", headers=other)
    assert answer.text == first.text
    # a fresh look of anybody is the answer for all from then on
    assert made in staff.get("payments", "viewer", sub="carl").text
    now = staff.get("payments", "viewer", headers=held)
    assert now.status_code == 200
    assert made in now.text


def test_no_answer_crosses_roles_or_merchants(staff, gateway, make):
    made = make()
    whole = staff.get("payments", "auditor")
    assert made in whole.text
    for claims in (
        {"merchants": [gateway.other_merchant]},
        {"merchants": ["nobody"]},
    ):
        assert made not in older(staff, "auditor", **claims).text
    asked = {"merchant": gateway.other_merchant}
    assert made not in older(staff, "auditor", query=asked).text
    tiles = {}
    for role in ("auditor", "viewer", "finance", "support"):
        answer = older(staff, role, page="now")
        tiles[role] = {tile["id"] for tile in answer.json()["tiles"]}
    assert "reviews" not in tiles["support"] | tiles["finance"]
    assert "jobs_late" not in tiles["finance"]
    assert "reviews" in tiles["viewer"] & tiles["auditor"]
    # the right to a page is asked of each caller
    staff.get("jobs", "support")
    refused = staff.get("jobs", "finance", headers=OLDER)
    assert refused.status_code == 403
    assert staff.get("jobs", token="x", headers=OLDER).status_code == 401


def test_an_answer_ends_after_its_time(staff, make):
    staff.get("payments", "viewer")
    made, began = make(), time.monotonic()
    found = wait_for(
        lambda: made in older(staff, "viewer").text and time.monotonic(),
        what="the answer to end",
    )
    assert found - began > 1
    one = {"Cache-Control": "max-age=1"}
    made = make()
    answer = wait_for(
        lambda: (a := staff.get("payments", "viewer", headers=one))
        and made in a.text
        and a,
        what="an answer of the last second",
    )
    assert answer.headers["age"] == "0"


WAITED = """
SELECT coalesce(max(clock_timestamp() - waitstart) > interval '0.2 s', false)
FROM pg_locks WHERE relation = 'pay.dispute'::regclass AND NOT granted"""


def test_a_dear_answer_is_kept_for_longer(staff, gateway):
    """Another session has a table for itself, so that the page takes a fifth
    of a second at least."""
    link = psycopg2.connect(gateway.env["PG_ADMIN_DSN"])
    with (
        contextlib.closing(link),
        link.cursor() as cursor,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        cursor.execute("LOCK TABLE pay.dispute IN ACCESS EXCLUSIVE MODE")
        asked = pool.submit(staff.get, "disputes", "viewer")

        def waited():
            cursor.execute(WAITED)
            return cursor.fetchone()[0]

        wait_for(waited, what="the page to wait for the table")
        link.rollback()
        first = asked.result()
    assert first.status_code == 200, first.text
    ages = []

    def aged():
        answer = older(staff, "viewer", page="disputes")
        ages.append(int(answer.headers["age"]))
        return ages[-1] >= 2 * LIFE_S

    wait_for(aged, deadline=30, what="an answer older than others get")
    assert ages == sorted(ages)  # it was made once
    fresh = staff.get("disputes", "viewer")
    assert fresh.headers["age"] == "0"


def test_few_answers_are_kept(staff, make):
    """The oldest goes; again when the machine took as long as an answer
    lives."""
    for _ in range(5):
        began = time.monotonic()
        first, last = {"limit": "1"}, {"limit": str(KEPT + 1)}
        staff.get("payments", "viewer", query=first)
        for n in range(2, KEPT + 2):
            staff.get("payments", "viewer", query={"limit": str(n)})
        made = make()
        kept = older(staff, "viewer", query=last)
        gone = older(staff, "viewer", query=first)
        if time.monotonic() - began < LIFE_S:
            break
    assert made not in kept.text
    assert made in gone.text


def test_data_of_a_person_is_kept_for_nobody(staff, gateway, make):
    query = {"checkout": make(), "personal": "1"}

    def looks():
        return gateway.error_log.read_text().count(
            f"asked:checkout={query['checkout']}&personal=1"
        )

    for n in (1, 2):
        answer = older(staff, "support", page="payment", query=query)
        assert "etag" not in answer.headers
        assert wait_for(lambda n=n: looks() == n) is True
    # the masked page is nobody else's either, and yet 304 spares its bytes
    del query["personal"]
    first = older(staff, "support", page="payment", query=query)
    held = {"If-None-Match": first.headers["etag"]}
    again = staff.get("payment", "support", query=query, headers=held)
    assert again.status_code == 304
    assert again.headers["age"] == "0"
