"""Settlement files that are wrong: each fault of the mock PSP and of the mock
bank falls into its class, or the file is refused whole and books nothing.
"""

import itertools

import pytest
from support.own_stack import QUICK_JOBS, OwnStack
from support.settled import BANKS, PSPS, Settled

# fault → the rule that says so and its class; None: the file is refused, or
# nothing is found in the file itself
FOUND = {
    "extra": ("unknown", 3),
    "doubled": ("repeated", 2),
    "amount": ("amount", 2),
    "currency": ("currency", 2),
    "sign": ("amount", 2),
    "unknown_type": ("unknown", 3),
}
JOURNAL = (
    "SELECT count(*) FROM pay.journal_entry"
    " WHERE psp = %s AND source ~ '^(settlement|payout|bank)/'"
)
SERIALS = itertools.count(1)
ROWS = "SELECT count(*) FROM pay.settlement_row WHERE source = %s"


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    stack = OwnStack()
    try:
        stack.configure(QUICK_JOBS)
        settled = Settled(stack, tmp_path_factory.mktemp("files"))
        settled.mock.settings(sale_fee_minor=35, list_page=100)
        yield settled
        stack.check_invariants()
    finally:
        stack.close()


def unique() -> str:
    """An amount that no other payment has."""
    serial = next(SERIALS)
    return f"{50 + serial}.{serial % 100:02d}"


def sales(day, psp: str, count: int = 3) -> list:
    return [day.sold(psp) for _ in range(count)]


def settled(day, psp: str, **fault):
    """A day with one fault: what became of its files, together."""
    made = day.mock.call("settle", dialect=psp, faults=[fault])
    files = made["files"]
    if psp == "stripe":
        files = files[::2]
    said = [
        day.load(psp, day.file(each["text"], each["name"])) for each in files
    ]
    return made, said


def total(said: list, name: str) -> int:
    return sum(each[name] for each in said)


def new_matters(day, before: set) -> list:
    return [each for each in day.matters() if each["id"] not in before]


def waiting(day) -> set:
    return {each["id"] for each in day.matters()}


def books(day, psp: str) -> tuple:
    return day.stack.value(JOURNAL, psp), day.stack.value(ROWS, psp)


@pytest.mark.parametrize("fault", FOUND)
@pytest.mark.parametrize("psp", PSPS)
def test_row_that_is_wrong_falls_into_its_class(day, psp, fault):
    made = sales(day, psp)
    before = waiting(day)
    _, said = settled(day, psp, kind=fault, about=made[1].token)
    assert [each["state"] for each in said] == ["booked"] * len(said), said
    rule, number = FOUND[fault]
    if (psp, fault) == ("paypal", "sign"):
        rule, number = "unknown", 3  # its code and side: sent to somebody
    (matter,) = new_matters(day, before)
    assert (matter["rule"], matter["class"]) == (rule, number)
    assert matter["psp"] == psp
    assert (total(said, "class2"), total(said, "class3")) == (
        (1, 0) if number == 2 else (0, 1)
    )
    if rule in ("amount", "currency"):
        assert matter["order"] == made[1].order_id
    right = {"extra": 3, "doubled": 3}.get(fault, 2)
    assert total(said, "matched") == right, said
    day.is_clean()


@pytest.mark.parametrize("psp", PSPS)
def test_second_charge_of_one_payment(day, psp):
    """The same row under another id: a buyer who has paid twice."""
    made = sales(day, psp, 2)
    before = waiting(day)
    fault = {"kind": "doubled", "other_id": True, "about": made[0].token}
    _, said = settled(day, psp, **fault)
    (matter,) = new_matters(day, before)
    assert (matter["rule"], matter["class"]) == ("duplicate", 2)
    assert total(said, "matched") == 2
    day.is_clean()


@pytest.mark.parametrize("psp", PSPS)
def test_row_that_is_missing_is_expected_until_it_is_overdue(day, psp):
    made = sales(day, psp, 2)
    before = waiting(day)
    _, said = settled(day, psp, kind="missing", about=made[0].token)
    assert total(said, "matched") == 1
    assert new_matters(day, before) == []
    ageing = day.stack.sql(
        "SELECT sum(entries) FROM pay_view.settlement_ageing"
        " WHERE psp = %s AND family = 'sale'",
        psp,
    )
    assert ageing[0][0] >= 1
    day.is_clean()


@pytest.mark.parametrize("psp", PSPS)
def test_row_that_is_late_is_matched_when_it_comes(day, psp):
    made = sales(day, psp, 2)
    before = waiting(day)
    _, said = settled(day, psp, kind="late", about=made[0].token)
    assert total(said, "matched") == 1
    _, said = day.settle(psp)
    assert said["matched"] == 1
    assert new_matters(day, before) == []
    day.is_clean()


@pytest.mark.parametrize("psp", PSPS)
def test_row_that_is_overdue_waits_until_it_comes(day, psp):
    """By a clock that is past the source's days: the entry is queued, and the
    next file takes it out of the queue."""
    made = sales(day, psp, 2)
    settled(day, psp, kind="late", about=made[0].token)
    queued = day.stack.value(
        "SELECT r.queued FROM pay_ops.raise_overdue(%s,"
        " now() + interval '30 days') r",
        psp,
    )
    assert queued >= 1
    found = [e for e in day.matters(2) if e["order"] == made[0].order_id]
    (matter,) = [each for each in found if each["amount"] == "12.34"]
    assert (matter["rule"], matter["psp"]) == ("overdue", psp)
    assert matter["playbook"] == "not-in-any-file"
    assert [e for e in day.matters(2) if e["order"] == made[1].order_id] == []
    _, said = day.settle(psp)
    assert said["matched"] == 1
    assert matter["id"] not in waiting(day)
    day.is_clean()


@pytest.mark.parametrize("fault", ["cut", "footer"])
@pytest.mark.parametrize("psp", PSPS)
def test_file_that_is_not_whole_is_refused_whole(day, psp, fault):
    sales(day, psp, 2)
    before = books(day, psp)
    made = day.mock.call("settle", dialect=psp, faults=[{"kind": fault}])
    first = made["files"][0]
    said = day.load(psp, day.file(first["text"], first["name"]), code=1)
    assert said["state"] == "refused" and said["reason"], said
    assert said["matched"] == said["class1"] == 0
    assert books(day, psp) == before
    # the PSP makes it anew
    made = day.mock.call("settle", dialect=psp, again=made["number"])
    first = made["files"][0]
    said = day.load(psp, day.file(first["text"], first["name"]))
    assert (said["state"], said["matched"]) == ("booked", 2)
    day.is_clean()


CONTRADICTIONS = ("missing", "extra", "amount", "sign")


@pytest.mark.parametrize("fault", CONTRADICTIONS)
@pytest.mark.parametrize("psp", PSPS)
def test_file_that_contradicts_itself_is_refused(day, psp, fault):
    """Its totals are those of the right rows."""
    made = sales(day, psp)
    before = books(day, psp)
    spec = {"kind": fault, "declared": False, "about": made[0].token}
    shown = day.mock.call("settle", dialect=psp, faults=[spec])
    first = shown["files"][0]
    said = day.load(psp, day.file(first["text"], first["name"]), code=1)
    assert said["state"] == "refused", said
    assert books(day, psp) == before
    again = day.mock.call("settle", dialect=psp, again=shown["number"])
    # rows stay as they were spoilt; the payout goes with them
    assert again["version"] == 2


@pytest.mark.parametrize("psp", PSPS)
def test_same_bytes_are_known_already(day, psp):
    sales(day, psp, 1)
    made = day.mock.call("settle", dialect=psp)
    path = day.file(made["files"][0]["text"], made["files"][0]["name"])
    assert day.load(psp, path)["state"] == "booked"
    before = books(day, psp)
    said = day.load(psp, path, code=3)
    assert (said["state"], said["reason"]) == ("booked", "known already")
    assert books(day, psp) == before


@pytest.mark.parametrize("psp", PSPS)
def test_other_bytes_of_one_batch_are_differences(day, psp):
    """Nothing is booked twice; what is other waits for an operator."""
    sales(day, psp, 2)
    made, said = day.settle(psp)
    assert said["state"] == "booked"
    before = waiting(day)
    journal = books(day, psp)[0]
    again = day.mock.call(
        "settle",
        dialect=psp,
        again=made["number"],
        faults=[{"kind": "amount", "by_minor": 50}],
    )
    first = again["files"][0]
    said = day.load(psp, day.file(first["text"], first["name"]))
    assert said["state"] == "booked"
    assert said["matched"] == said["class1"] == said["class3"] == 0, said
    rules = {each["rule"] for each in new_matters(day, before)}
    # a row of Adyen's has no id but its contents
    wanted = {"added", "gone"} if psp == "adyen" else {"changed"}
    assert rules == wanted
    assert books(day, psp)[0] == journal
    day.is_clean()


@pytest.mark.parametrize("psp", [each for each in PSPS if each != "mollie"])
def test_payout_that_fails_after_paid_comes_back(day, psp):
    amount = unique()
    day.sold(psp, amounts=(amount,))
    made, said = day.settle(psp)
    (payout,) = made["payouts"]
    in_transit = day.accounts(psp, "USD")["psp_in_transit"]
    day.mock.call("payout", dialect=psp, id=payout["id"], result="failed")
    day.sold(psp, amounts=(amount,))
    before = waiting(day)
    made, said = day.settle(psp)
    assert said["state"] == "booked", said
    assert new_matters(day, before) == []
    (second,) = made["payouts"]
    assert second["amount"] == 2 * payout["amount"]
    after = day.accounts(psp, "USD")["psp_in_transit"]
    assert after == in_transit - payout["amount"] + second["amount"]
    # only the second one comes to the bank, and nothing waits for the first
    _, told = day.bank("bank-camt", payouts=[second["id"]])
    assert told["matched"] == 1, (told, day.matters())
    left = day.stack.sql(
        "SELECT count(*) FROM pay.settlement_closed"
        " WHERE kind IN ('psp_paid_out', 'psp_payout_returned')"
        " AND source LIKE concat('payout/', %s::text, '/%%')",
        psp,
    )
    assert left[0][0] >= 3
    day.is_clean()


# The bank.


@pytest.fixture(params=BANKS)
def bank(request):
    return request.param


def paid_out(day, count: int = 1) -> list:
    """Payouts of generic, each with an amount of its own."""
    payouts = []
    for _ in range(count):
        day.sold("generic", amounts=(unique(),))
        made, said = day.settle("generic")
        assert said["state"] == "booked", said
        payouts += made["payouts"]
    return payouts


def test_bank_splits_a_payout(day, bank):
    (payout,) = paid_out(day)
    split = {"kind": "split", "payout": payout["id"], "parts": 3}
    made, said = day.bank(bank, payouts=[payout["id"]], faults=[split])
    assert len(made["entries"]) == 3
    assert (said["matched"], said["class2"]) == (3, 0), day.matters()
    day.is_clean()


def test_bank_merges_payouts(day, bank):
    ids = [each["id"] for each in paid_out(day, 2)]
    merge = {"kind": "merge", "payouts": ids}
    made, said = day.bank(bank, payouts=ids, faults=[merge])
    assert len(made["entries"]) == 1
    assert said["matched"] == 1, day.matters()
    day.is_clean()


def test_bank_is_late(day, bank):
    one, two = [each["id"] for each in paid_out(day, 2)]
    late = {"kind": "late", "payout": two}
    _, said = day.bank(bank, payouts=[one, two], faults=[late])
    assert said["matched"] == 1
    _, said = day.bank(bank, payouts=[two])
    assert said["matched"] == 1, day.matters()
    day.is_clean()


def test_bank_takes_a_fee(day, bank):
    """An operator accepts it: the payout is in, the fee is booked."""
    (payout,) = paid_out(day)
    before = waiting(day)
    fee = {"kind": "fee", "payout": payout["id"], "minor": 50}
    _, said = day.bank(bank, payouts=[payout["id"]], faults=[fee])
    assert (said["matched"], said["class2"]) == (0, 1)
    (matter,) = new_matters(day, before)
    assert matter["rule"] == "amount"
    who = ("--who", "ann", "--why", "the bank's fee")
    day.payctl("settlement", "accept", matter["id"], *who)
    assert new_matters(day, before) == []
    day.is_clean()


def test_bank_names_nothing(day, bank):
    """The only payout of its amount."""
    (payout,) = paid_out(day)
    unnamed = {"kind": "unnamed", "payout": payout["id"]}
    _, said = day.bank(bank, payouts=[payout["id"]], faults=[unnamed])
    assert said["matched"] == 1, day.matters()
    day.is_clean()


def test_stranger_pays_in(day, bank):
    before = waiting(day)
    stranger = {"kind": "foreign", "minor": 424243, "currency": "EUR"}
    _, said = day.bank(bank, payouts=[], faults=[stranger])
    assert (said["matched"], said["class3"]) == (0, 1)
    (matter,) = new_matters(day, before)
    assert (matter["rule"], matter["amount"]) == ("unknown", "4242.43")
    day.is_clean()


@pytest.mark.parametrize("fault", ["cut", "footer"])
def test_statement_that_is_not_whole_is_refused(day, bank, fault):
    (payout,) = paid_out(day)
    before = books(day, bank)
    faults = [{"kind": fault}]
    _, said = day.bank(bank, code=1, payouts=[payout["id"]], faults=faults)
    assert said["state"] == "refused" and said["reason"]
    assert books(day, bank) == before
    _, said = day.bank(bank, payouts=[payout["id"]])
    assert said["matched"] == 1
    day.is_clean()
