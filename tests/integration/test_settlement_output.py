"""What payctl prints of settlement for programs, and its exit codes: import,
list and close show with -o json, at the sources that each stack has.
"""

import datetime
import json

import pytest
from support.own_stack import QUICK_JOBS, OwnStack
from support.settled import PSPS, Settled

SAID = "file state rows matched class1 class2 class3 reason"
MATTER = "class rule psp row order amount currency proposed"


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """One day of Stripe's with a right row, a wrong one and a stranger."""
    stack = OwnStack()
    try:
        stack.configure(QUICK_JOBS)
        settled = Settled(stack, tmp_path_factory.mktemp("files"))
        settled.sold("stripe")
        wrong = settled.sold("stripe")
        faults = [
            {"kind": "amount", "by_minor": 100, "about": wrong.token},
            {"kind": "extra", "amount_minor": 500},
        ]
        settled.wrong = wrong
        settled.made, settled.said = settled.settle("stripe", faults=faults)
        yield settled
        stack.check_invariants()
    finally:
        stack.close()


def test_each_stack_has_these_sources(day):
    found = day.stack.sql(
        "SELECT source, medium, format, psp FROM pay.settlement_source"
        " ORDER BY source"
    )
    wanted = [(each, "psp", each, each) for each in PSPS]
    wanted.append(("bank-camt", "bank", "camt.053", None))
    wanted.append(("bank-mt940", "bank", "mt940", None))
    assert sorted(found) == sorted(wanted)


def test_import_tells_what_became_of_a_file(day):
    assert list(day.said) == SAID.split()
    counts = [day.said[each] for each in SAID.split()[1:7]]
    # the payout is posted by its rule
    assert counts == ["booked", 4, 1, 1, 1, 1]
    assert day.said["reason"] is None
    assert day.said["file"].endswith(".json")


def test_import_exits_0_1_2_and_3(day):
    good = day.file(day.made["files"][0]["text"], "again.json")
    said = day.load("stripe", good, code=3)
    assert (said["state"], said["reason"]) == ("booked", "known already")
    bad = day.file(day.made["files"][0]["text"][:-40], "cut.json")
    said = day.load("stripe", bad, code=1)
    assert said["state"] == "refused"
    assert "line " in said["reason"] and "expected" in said["reason"]
    assert (said["rows"], said["matched"]) == (0, 0)
    words = ("settlement", "import", "-o", "json", "--source")
    assert day.payctl(*words, "nobody", good, code=2) == ""
    assert day.payctl(*words, "stripe", day.where / "none", code=2) == ""
    # of several files the worst counts, and each has its line
    out = day.payctl(*words, "stripe", good, bad, code=1)
    states = [json.loads(each)["state"] for each in out.splitlines()]
    assert states == ["booked", "refused"]


def test_list_has_one_object_a_line(day):
    two, three = sorted(day.matters(), key=lambda each: each["class"])
    for each in (two, three):
        assert set(MATTER.split()) <= set(each)
    assert (two["class"], two["rule"], two["psp"]) == (2, "amount", "stripe")
    assert two["order"] == day.wrong.order_id
    assert (two["amount"], two["currency"]) == ("13.34", "USD")
    assert two["proposed"]["kind"] == "written_up"
    assert two["proposed"]["amount"] == "1.00"
    assert (three["class"], three["rule"]) == (3, "unknown")
    assert (three["order"], three["amount"]) == (None, "5.00")
    rows = {row["id"] for row in day.made["payouts"][0]["rows"]}
    assert {two["row"], three["row"]} <= rows


@pytest.mark.parametrize(
    "number, rules",
    [(0, ["matched"]), (1, ["paid_out"]), (2, ["amount"]), (3, ["unknown"])],
)
def test_list_is_of_one_class(day, number, rules):
    found = day.matters(number)
    assert [each["rule"] for each in found] == rules
    assert {each["class"] for each in found} == {number}
    assert set(MATTER.split()) <= set(found[0])


def test_list_is_of_one_source(day):
    words = ("settlement", "list", "-o", "json", "--source")
    assert len(day.payctl(*words, "stripe").splitlines()) == 2
    assert day.payctl(*words, "bank-camt") == ""


def test_close_of_a_day(day):
    today = datetime.datetime.now(datetime.UTC).date()
    words = ("close", "show", "-o", "json", "--day")
    assert day.payctl(*words, today, code=1) == ""
    key = day.stack.values["AUDIT_KEY_FILE"]
    day.payctl("close", "make", "--key", key, "--day", today, code=1)
    text, close = day.close()
    assert day.payctl(*words, today) == text
    assert len(text.splitlines()) == 1
    names = "number day document key_id signature lines"
    assert list(close) == names.split()
    assert (close["number"], close["day"]) == (1, str(today))
    line = {"merchant_id", "psp", "currency", "item", "count", "minor"}
    items = {}
    for each in close["lines"]:
        assert set(each) == line | {"amount"}
        items[each["psp"], each["item"]] = each["amount"]
    assert items["stripe", "class/2/sale/amount"] == "13.34"
    assert items["stripe", "class/3/sale/unknown"] == "5.00"
    assert items["stripe", "open/2/amount"] == "13.34"
