"""The round of settlement that the workers make: entries that no file has
brought, counted for GET /v1/reconciliation/ageing, and those that are overdue.
"""

import csv
import io

import pytest
from support.own_stack import OwnStack, wait_for
from support.settled import Settled

QUICK_ROUNDS = (
    "payments_audience ",
    "payments_jobs  on interval=100ms;\n"
    "    payments_watchdog  interval=200ms;\n    payments_audience ",
)
PATH = "/v1/reconciliation/ageing"


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    stack = OwnStack()
    try:
        stack.configure(QUICK_ROUNDS)
        yield Settled(stack, tmp_path_factory.mktemp("files"))
        stack.check_invariants()
    finally:
        stack.close()


def ageing(day, query="", **more) -> list[dict]:
    answer = day.stack.get(f"{PATH}{query}", **more)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["next"] is None
    return page["ageing"]


def shown(day, psp: str) -> tuple | None:
    """How many sales of that PSP no file has brought, and their sum."""
    found = {
        (each["entries"], each["amount"])
        for each in ageing(day, f"?psp={psp}")
        if (each["family"], each["days"]) == ("sale", "0-1")
    }
    assert len(found) <= 1
    return found.pop() if found else None


def test_a_sale_is_expected_until_a_file_brings_it(day):
    sold = day.sold("stripe")
    wait_for(lambda: shown(day, "stripe"), "the round counts the sale")
    (one,) = ageing(day, f"?psp=stripe&currency={sold.currency}")
    assert (one["entries"], one["overdue"]) == (1, 0)
    assert one["counted_at"] > one["oldest_at"]
    assert ageing(day, "?psp=square") == []
    # as payctl has it, and as CSV
    words = day.payctl("settlement", "ageing").split()
    assert {"stripe", one["amount"], "0-1"} <= set(words)
    answer = day.stack.get(f"{PATH}?psp=stripe&format=csv")
    (line,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert (line["psp"], line["entries"]) == ("stripe", "1")
    assert line["amount"] == one["amount"]
    assert list(line) == list(one)
    # another merchant sees its own
    assert ageing(day, merchant="OTHER_") == []
    day.settle("stripe")
    wait_for(lambda: shown(day, "stripe") is None, "the file has brought it")


def test_an_entry_that_no_file_brings_is_queued_by_the_workers(day):
    """It took a cron job of finance's."""
    sold = day.sold("square")
    day.stack.sql(
        "ALTER TABLE pay.journal_entry"
        " DISABLE TRIGGER journal_entry_append_only;"
        "UPDATE pay.journal_entry SET at = at - interval '10 days'"
        f" WHERE source = 'order/{sold.order_id}'"
    )
    day.stack.sql(
        "ALTER TABLE pay.journal_entry"
        " ENABLE ALWAYS TRIGGER journal_entry_append_only;"
        "UPDATE pay.settlement_source SET since = now() - interval '11 days',"
        " checked_until = NULL WHERE source = 'square'"
    )
    day.stack.sql("DELETE FROM pay.settlement_hour")
    (found,) = wait_for(lambda: day.about(sold.order_id), "it is queued")
    assert (found["class"], found["rule"]) == (2, "overdue")

    def overdue():
        return [
            (each["days"], each["entries"], each["overdue"])
            for each in ageing(day, "?psp=square")
            if each["family"] == "sale"
        ]

    wait_for(lambda: overdue() == [("8-30", 1, 1)], "it is counted so")
    # late, but it comes: the queue is empty again
    day.settle("square")
    assert day.about(sold.order_id) == []
    wait_for(lambda: overdue() == [], "and it is expected no more")
