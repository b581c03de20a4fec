"""The round of settlement that the workers make: entries that no file has
brought, counted for GET /v1/reconciliation/ageing, those that are overdue, and
the gauges that the alarms of docs/operations.md watch.
"""

import csv
import io
import re

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


def gauges(day) -> dict[str, int]:
    text = day.stack.http.get("/metrics").text
    found = re.findall(
        r"^payments_((?:settlement|close)_[a-z_]+(?:\{[^}]*\})?) (\d+)$",
        text,
        re.MULTILINE,
    )
    return {name: int(value) for name, value in found}


def gauge(day, name: str) -> int | None:
    return gauges(day).get(name)


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
    oldest = "settlement_expected_oldest_seconds"
    wait_for(lambda: gauge(day, oldest), "the gauge of the oldest entry")
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
    wait_for(lambda: gauge(day, "settlement_overdue") == 1, "the alarm")

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
    wait_for(lambda: gauge(day, "settlement_overdue") == 0, "no alarm")


HEADER = (
    "row_id,type,psp_ref,parent_ref,our_ref,occurred_at,booked_on,gross,fee,"
    "net,currency,payout_id,note"
)
AT = "2026-11-20T10:00:00Z,2026-11-20"
STRANGE = f"""{HEADER}
x1,unknown,,,,{AT},-7.000,0.000,-7.000,KWD,,
total,1,,,,,,-7.000,0.000,-7.000,KWD,,
"""


def test_rows_that_wait_are_gauges(day):
    """Each of them is watched by an alarm."""
    source = '{source="generic"}'
    aged = f"settlement_file_age_seconds{source}"
    classes = [f'settlement_unexplained{{class="{n}"}}' for n in (2, 3)]
    suspense = 'settlement_suspense_minor{currency="KWD"}'
    wait_for(lambda: classes[1] in gauges(day), "the first round")
    before = gauges(day)
    assert suspense not in before
    assert before["settlement_unfinished_seconds"] == 0
    assert day.load("generic", day.file(STRANGE, "x.csv"))["class3"] == 1
    row = 'settlement_rows{source="generic",outcome="class3"}'

    def told():
        """Rows and suspense are read by statements of their own."""
        now = gauges(day)
        return now.get(row) == before[row] + 1 and suspense in now and now

    found = wait_for(told, "the row in suspense")
    assert found[suspense] == 7000
    assert found[classes[1]] == before[classes[1]] + 1
    assert found[classes[0]] == before[classes[0]]
    assert found[aged] < 30
    oldest = 'settlement_unexplained_oldest_seconds{class="3"}'
    wait_for(lambda: gauge(day, oldest), "its age")
    # an operator ends it
    (matter,) = [each for each in day.matters(3) if each["row"] == "x1"]
    day.payctl("settlement", "write-off", matter["id"],
               "--who", "ann", "--why", "a test")  # fmt: skip
    wait_for(lambda: suspense not in gauges(day), "nothing is in suspense")


def test_a_file_that_is_left_in_the_middle_is_a_gauge(day):
    name = "settlement_unfinished_seconds"
    number = day.stack.value(
        "SELECT file_id FROM pay_ops.open_settlement('adyen', %s, 'left')",
        "ab" * 32,
    )
    wait_for(lambda: gauge(day, name), "the file that is not finished")
    day.stack.sql("SELECT pay_ops.refuse_settlement(%s, 'a test')", number)
    wait_for(lambda: gauge(day, name) == 0, "it is refused")


def test_the_last_close_has_an_age(day):
    name = "close_age_seconds"
    assert name not in gauges(day)
    day.close()
    # the day that this test closes is not over yet
    wait_for(lambda: gauge(day, name) == 0, "the close")
