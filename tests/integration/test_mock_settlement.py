"""The mock PSP closes days: its payouts come to what its books have moved, its
API shows them page by page as its files have them, and each fault is where it
was asked for.  And the mock bank, which writes of these payouts.
"""

import csv
import io
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from support.mock_changes import refund
from support.mock_client import DIALECTS, KEYS, afresh, running
from support.waiting import wait_for

REPORT_USER = "report@Company.NgxPayments", "a password of reports"
APIS = ("mollie", "square", "stripe")
MINORS = 1234


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    keys = KEYS | {"adyen.report": ":".join(REPORT_USER)}
    with running(tmp_path_factory.mktemp("keys"), keys) as made:
        yield made


@pytest.fixture
def psp(server):
    made = afresh(server)
    made.control("settings", sale_fee_minor=35, refund_fee_minor=5)
    return made


def settle(psp, dialect, wanted=200, **more) -> dict:
    return psp.control("settle", wanted, dialect=dialect, **more)


def a_day(psp, dialect) -> dict:
    """Three sales; 4.00 of one go back, another one is disputed."""
    made = [psp.paid(dialect) for _ in range(3)]
    assert refund(psp, dialect, made[0], 400).status_code < 300
    token = made[1]["token"]
    psp.control("dispute", token=token, amount_minor=200, fee_minor=15)
    return settle(psp, dialect)


def get(psp, dialect: str, path: str):
    return psp.call(dialect, "GET", f"/{dialect}{path}")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_payout_is_what_was_moved(psp, dialect):
    made = a_day(psp, dialect)
    (payout,) = made["payouts"]
    wanted = 3 * (MINORS - 35) - (400 + 5) - (200 + 15)
    assert (payout["amount"], payout["currency"]) == (wanted, "USD")
    assert wanted == sum(e["gross"] - e["fee"] for e in payout["rows"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_money_is_settled_once(psp, dialect):
    first = a_day(psp, dialect)
    settle(psp, dialect, 409)
    psp.paid(dialect)
    second = settle(psp, dialect)
    assert [each["amount"] for each in second["payouts"]] == [MINORS - 35]
    assert second["number"] == first["number"] + 1


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d != "mollie"])
def test_dispute_that_is_won_comes_back(psp, dialect):
    token = psp.paid(dialect)["token"]
    case = psp.control("dispute", token=token, fee_minor=15)
    psp.paid(dialect)
    first = settle(psp, dialect)["payouts"][0]["amount"]
    assert first == MINORS - 35 - 35 - 15
    psp.control("end", id=case["id"], result="won", returns_fee=True)
    assert settle(psp, dialect)["payouts"][0]["amount"] == MINORS + 15


@pytest.mark.parametrize("dialect", ["mollie", "paypal"])
def test_mock_invents_no_rows(psp, dialect):
    """No document says how these two settle a refund that comes back."""
    made = psp.paid(dialect)
    refund(psp, dialect, made, 100)
    (deed,) = psp.books()["deeds"]
    psp.control("end", id=deed["id"], result="returned")
    assert "documents" in settle(psp, dialect, 409)["error"]


def pages(psp, dialect: str, path: str, following) -> list:
    """All pages of a list; `following` names the next page's path."""
    found = []
    while path:
        answer = get(psp, dialect, path)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        path = following(path, found[-1])
    return found


def stripes(psp, payout: str) -> list:
    start = f"/v1/balance_transactions?payout={payout}&expand[]=data.source"

    def following(path, page):
        last = page["data"][-1]["id"]
        return f"{start}&starting_after={last}" if page["has_more"] else None

    own = [get(psp, "stripe", f"/v1/payouts/{payout}").json()]
    found = pages(psp, "stripe", start + "&limit=2", following)
    return own + [row for page in found for row in page["data"]]


def squares(psp, payout: str) -> list:
    start = f"/v2/payouts/{payout}/payout-entries?limit=2"

    def following(path, page):
        cursor = page.get("cursor")
        return f"{start}&cursor={cursor}" if cursor else None

    own = [get(psp, "square", f"/v2/payouts/{payout}").json()["payout"]]
    found = pages(psp, "square", start, following)
    return own + [row for page in found for row in page["payout_entries"]]


def mollies(psp, payout: str) -> list:
    def following(path, page):
        link = page["_links"]["next"]
        if not link:
            return None
        parts = urlsplit(link["href"])
        return parts.path.removeprefix("/mollie") + "?" + parts.query

    found = [get(psp, "mollie", f"/v2/settlements/{payout}").json()]
    for name in ("payments", "refunds", "chargebacks", "captures"):
        start = f"/v2/settlements/{payout}/{name}?limit=2"
        for page in pages(psp, "mollie", start, following):
            found += page["_embedded"][name]
    return found


def in_file(text: str) -> list:
    """The objects of a file of API answers, one answer a line."""
    found = []
    for each in map(json.loads, text.splitlines()):
        parts = each.get("_embedded", each)
        names = ("data", "payout_entries", "payments", "refunds")
        lists = [parts[n] for n in names if isinstance(parts.get(n), list)]
        lists += [parts[n] for n in ("chargebacks", "captures") if n in parts]
        found += lists[0] if lists else [each.get("payout", each)]
    return found


WALKS = {"stripe": stripes, "square": squares, "mollie": mollies}


@pytest.mark.parametrize("dialect", APIS)
def test_api_shows_what_the_file_has(psp, dialect):
    made = a_day(psp, dialect)
    begun = int(time.time())
    wait_for(lambda: int(time.time()) > begun, 30, "another second")
    shown = WALKS[dialect](psp, made["payouts"][0]["id"])
    assert shown == in_file(made["files"][0]["text"])
    assert len(shown) > 4


LISTS = {
    "stripe": ("/v1/payouts", "data", "starting_after"),
    "square": ("/v2/payouts", "payouts", "cursor"),
    "mollie": ("/v2/settlements", "settlements", "from"),
}


def listed(body: dict, name: str) -> list:
    body = body.get("_embedded", body)
    return [each["id"] for each in body.get(name, [])]


@pytest.mark.parametrize("dialect", APIS)
def test_payouts_are_listed_newest_first(psp, dialect):
    made = []
    for _ in range(3):
        psp.paid(dialect)
        made.append(settle(psp, dialect)["payouts"][0]["id"])
    path, name, cursor = LISTS[dialect]
    first = get(psp, dialect, f"{path}?limit=2").json()
    assert listed(first, name) == [made[2], made[1]]
    place = {
        "stripe": made[1],
        "square": first.get("cursor"),
        "mollie": parse_qs(
            urlsplit(
                (first.get("_links", {}).get("next") or {}).get("href", "")
            ).query
        ).get("from", [""])[0],
    }[dialect]
    rest = get(psp, dialect, f"{path}?limit=2&{cursor}={place}").json()
    assert listed(rest, name) == [made[0]]


@pytest.mark.parametrize("dialect", APIS)
def test_payouts_take_the_key(psp, dialect):
    path, _, _ = LISTS[dialect]
    headers = {"Authorization": "Bearer nobody"}
    answer = psp.call(dialect, "GET", f"/{dialect}{path}", **headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("dialect", APIS)
def test_unknown_payout_is_not_found(psp, dialect):
    path, _, _ = LISTS[dialect]
    assert get(psp, dialect, f"{path}/po_nobody").status_code == 404


@pytest.mark.parametrize("dialect", APIS)
def test_parameter_that_the_psp_has_not(psp, dialect):
    path, _, _ = LISTS[dialect]
    assert get(psp, dialect, f"{path}?colour=red").status_code == 400


def test_question_about_payouts_can_fail(psp):
    psp.fault("settlement", "status", status=503)
    assert get(psp, "stripe", "/v1/payouts").status_code == 503
    assert get(psp, "stripe", "/v1/payouts").status_code == 200


# Adyen's report.


def announced(psp) -> dict:
    made = settle(psp, "adyen")
    # two messages are under way at once: which comes first is not said
    (item,) = (
        each["NotificationRequestItem"]
        for message in psp.got("adyen", 2)
        for each in json.loads(message["body"])["notificationItems"]
        if each["NotificationRequestItem"]["eventCode"] == "REPORT_AVAILABLE"
    )
    assert item["pspReference"] == made["files"][0]["name"]
    return made | {"path": urlsplit(item["reason"]).path}


def test_report_is_announced_and_downloaded(psp):
    psp.paid("adyen")
    made = announced(psp)
    report = psp.http.get(made["path"], auth=REPORT_USER)
    assert report.status_code == 200
    assert report.text == made["files"][0]["text"]


@pytest.mark.parametrize("auth", [None, ("report", "guessed")])
def test_report_takes_its_user(psp, auth):
    psp.paid("adyen")
    made = announced(psp)
    assert psp.http.get(made["path"], auth=auth).status_code == 401
    headers = psp.headers("adyen", None)
    assert psp.http.get(made["path"], headers=headers).status_code == 401


def test_report_that_is_none(psp):
    psp.paid("adyen")
    path = announced(psp)["path"].replace("batch_1", "batch_2")
    assert psp.http.get(path, auth=REPORT_USER).status_code == 404


# Files.


def records(made: dict) -> list:
    text = made["files"][0]["text"].lstrip("\ufeff")
    return list(csv.reader(io.StringIO(text)))


def test_batch_of_adyen_comes_to_nothing(psp):
    head, *rows = records(a_day(psp, "adyen"))
    debit, credit = head.index("Net Debit (NC)"), head.index("Net Credit (NC)")
    sums = [sum(float(row[n] or 0) for row in rows) for n in (debit, credit)]
    assert sums[0] == pytest.approx(sums[1])
    kinds = {row[head.index("Type")] for row in rows}
    assert kinds == {"Settled", "Refunded", "Chargeback", "MerchantPayout"}


def test_footer_of_paypal_counts_its_rows(psp):
    rows = records(a_day(psp, "paypal"))
    bodies = [row for row in rows if row[0] == "SB"]
    (foot,) = [row for row in rows if row[0] == "SF"]
    assert int(foot[-1]) == len(bodies) == 7
    gross = sum(int(e[9]) for e in bodies if e[8] == "CR")
    assert int(foot[2]) == gross


def test_a_part_of_the_balance_is_withdrawn(psp):
    """The next day begins with the rest, and pays it out."""
    psp.paid("paypal")
    first = settle(psp, "paypal", withdraw={"USD": 500})
    psp.paid("paypal")
    second = settle(psp, "paypal")
    net = MINORS - 35
    for made, begin, paid, end in (
        (first, 0, 500, net - 500),
        (second, net - 500, 2 * net - 500, 0),
    ):
        (payout,) = made["payouts"]
        shown = payout["begin"], payout["amount"], payout["end"]
        assert shown == (begin, paid, end)
        (foot,) = [row for row in records(made) if row[0] == "SF"]
        assert foot[3] == str(paid)
        assert foot[6:10] == ["CR", str(begin), "CR", str(end)]


@pytest.mark.parametrize("faults", [[], [{"kind": "amount", "by_minor": 7}]])
def test_a_report_that_comes_again_keeps_the_rest(psp, faults):
    psp.paid("paypal")
    settle(psp, "paypal", withdraw={"USD": 500})
    made = settle(psp, "paypal", again=1, faults=faults)
    off = sum(each["by_minor"] for each in faults)
    (payout,) = made["payouts"]
    assert (payout["amount"], payout["end"]) == (500 + off, MINORS - 35 - 500)


@pytest.mark.parametrize(
    ("dialect", "withdraw", "status"),
    [
        ("paypal", {"USD": MINORS - 34}, 409),
        ("paypal", {"EUR": 1}, 409),
        ("stripe", {"USD": 1}, 409),
        ("paypal", {"USD": 0}, 400),
        ("paypal", {"USD": "5.00"}, 400),
        ("paypal", [500], 400),
    ],
)
def test_withdrawal_that_cannot_be(psp, dialect, withdraw, status):
    psp.paid(dialect)
    settle(psp, dialect, status, withdraw=withdraw)
    (payout,) = settle(psp, dialect)["payouts"]
    assert payout["amount"] == MINORS - 35


def test_total_of_generic_is_its_last_row(psp):
    *_, total = records(a_day(psp, "generic"))
    assert total[:2] == ["total", "6"]
    assert total[9] == "0.00"


# Faults.

FAULTS = {
    "missing": {},
    "extra": {},
    "doubled": {},
    "amount": {},
    "currency": {},
    "sign": {"row_kind": "refund"},
    "unknown_type": {},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_fault_changes_rows_and_their_payout(psp, dialect, fault):
    made = [psp.paid(dialect) for _ in range(3)]
    refund(psp, dialect, made[0], 400)
    made = settle(psp, dialect, faults=[{"kind": fault} | FAULTS[fault]])
    rows = [row for each in made["payouts"] for row in each["rows"]]
    nets = [row["gross"] - row["fee"] for row in rows]
    assert sum(nets) == sum(each["amount"] for each in made["payouts"])
    sale, back = MINORS - 35, -405
    right = sorted([sale, sale, sale, back])
    wanted = {
        "missing": sorted([sale, sale, back]),
        "extra": sorted([1234, *right]),
        "doubled": sorted([sale, *right]),
        "amount": sorted([sale + 100, sale, sale, back]),
        "sign": sorted([sale, sale, sale, 395]),
    }
    assert sorted(nets) == wanted.get(fault, right)
    if fault == "currency":
        assert {row["currency"] for row in rows} == {"EUR", "USD"}
    if fault == "unknown_type":
        assert made["files"][0]["text"].lower().count("novel") >= 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_late_comes_next(psp, dialect):
    first, second = psp.paid(dialect), psp.paid(dialect)
    late = {"kind": "late", "about": first["token"]}
    settle(psp, dialect, faults=[late])
    made = settle(psp, dialect)
    (row,) = made["payouts"][0]["rows"]
    assert first["token"] in row["about"]
    assert second["token"] not in row["about"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_batch_comes_again_with_other_rows(psp, dialect):
    psp.paid(dialect)
    first = settle(psp, dialect)
    other = {"kind": "amount", "by_minor": 50}
    again = settle(psp, dialect, again=1, faults=[other])
    assert again["version"] == 2
    assert again["payouts"][0]["id"] == first["payouts"][0]["id"]
    assert again["files"][0]["text"] != first["files"][0]["text"]


@pytest.mark.parametrize("fault", ["cut", "footer"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_file_is_spoilt(psp, dialect, fault):
    psp.paid(dialect)
    made = settle(psp, dialect, faults=[{"kind": fault}])
    right = settle(psp, dialect, again=1)
    assert made["files"][0]["text"] != right["files"][0]["text"]


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d != "mollie"])
def test_payout_that_fails_comes_back(psp, dialect):
    psp.paid(dialect)
    payout = settle(psp, dialect)["payouts"][0]
    psp.control("payout", dialect=dialect, id=payout["id"], result="failed")
    (again,) = settle(psp, dialect)["payouts"]
    assert [row["kind"] for row in again["rows"]] == ["payout_returned"]
    assert again["amount"] == payout["amount"]


@pytest.mark.parametrize(
    "fault", [{"kind": "nonsense"}, {"kind": "cut", "colour": 1}]
)
def test_unknown_fault_is_refused(psp, fault):
    psp.paid("stripe")
    settle(psp, "stripe", 400, faults=[fault])


# The bank.


def paid_out(psp) -> list:
    """Two payouts of generic."""
    made = []
    for _ in range(2):
        psp.paid("generic")
        made += settle(psp, "generic")["payouts"]
    return made


@pytest.mark.parametrize("form", ["camt", "mt940"])
def test_bank_writes_each_payout_once(psp, form):
    payouts = paid_out(psp)
    made = psp.control("bank", format=form)
    shown = [(e["payouts"], e["minor"]) for e in made["entries"]]
    assert shown == [([each["id"]], each["amount"]) for each in payouts]
    text = "".join(made["text"].split())
    for each in payouts:
        assert each["id"] in text or form == "mt940" or "<Ustrd>" in text
    psp.control("bank", 400, format=form)


@pytest.mark.parametrize("form", ["camt", "mt940"])
def test_bank_has_faults(psp, form):
    one, two = paid_out(psp)
    whole = one["amount"]

    def entries(*faults, ids):
        made = psp.control("bank", format=form, payouts=ids, faults=faults)
        return [each["minor"] for each in made["entries"]]

    ids = [one["id"]]
    split = {"kind": "split", "payout": one["id"]}
    assert sum(entries(split, ids=ids)) == whole
    assert len(entries(split, ids=ids)) == 2
    fee = {"kind": "fee", "payout": one["id"], "minor": 50}
    assert entries(fee, ids=ids) == [whole - 50]
    both = [one["id"], two["id"]]
    merge = {"kind": "merge", "payouts": both}
    assert entries(merge, ids=both) == [2 * whole]
    late = {"kind": "late", "payout": two["id"]}
    assert entries(late, ids=both) == [whole]
    assert entries({"kind": "foreign"}, ids=[]) == [777]


def test_statements_go_on_where_the_last_one_ended(psp):
    paid_out(psp)
    first = psp.control("bank", format="mt940")["text"]
    paid_out(psp)
    second = psp.control("bank", format="mt940")["text"]
    end = [e for e in first.splitlines() if e.startswith(":62F:")][0]
    begin = [e for e in second.splitlines() if e.startswith(":60F:")][0]
    assert end[5:] == begin[5:]
