"""Fifty sellers are paid for a month by every provider, a bank that takes files
among them.  At its end each wallet, `payout_clearing`, the providers' own books
and the bank's statements agree to the cent, and the advice of each seller adds
up."""

import os
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from support.bank_files import BANK
from support.gateway import PAYCTL
from support.month import DIGITS, ROWS, SELLERS, WEEKS, Month
from support.own_stack import OwnStack
from support.payer import book_key
from support.sold import books_hold

pytestmark = pytest.mark.timeout(900)  # the month itself takes 90 s
RICH = 10**14  # an account of the mock that no test has filled
PARTS = ("sales", "refunds", "disputes", "fees", "reserve", "payouts",
         "adjustments")  # fmt: skip
ITEMS = """SELECT payout_id, provider, payout_key || '-' || attempt AS key,
    seller_account, currency, amount_minor, state FROM pay.payout
    ORDER BY created_at"""
LATER = """SELECT w.seller_account, w.currency, w.available_minor, coalesce((
        SELECT -sum(l.amount_minor) FROM pay.journal_line l
        WHERE l.owner = w.seller_account AND l.currency = w.currency
            AND l.account = 'seller_available' AND l.wallet_seq > a.seq), 0)
    FROM pay.wallet w
    JOIN (SELECT seller_account, currency, max(until_seq) AS seq
          FROM pay.payout_advice GROUP BY 1, 2) a
    USING (seller_account, currency)"""


@pytest.fixture(scope="module")
def month():
    stack = OwnStack()
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)  # the workers are nobody
    try:
        made = Month(stack, directory)
        made.prepare()
        made.run()
        yield made
        stack.check_invariants()
    finally:
        stack.close()
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def items(month):
    names = "id provider key seller currency amount state".split()
    rows = month.stack.sql(ITEMS)
    return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def books(month):
    """The providers' own: (provider, key) → what was paid under it"""
    answer = month.stack.mock.http.get("/payouts").json()
    paid = {
        (provider, key): row
        for provider, keys in answer["paid"].items()
        for key, row in keys.items()
    }
    return paid, answer["balances"]


def net(row: dict) -> int:
    return row["left_minor"] - row["back_minor"]


def test_all_that_a_month_has_has_happened(month, items):
    assert month.seen == {
        "converted": 12, "refunds": 24, "lost": 8, "won": 4, "returns": 3,
    }  # fmt: skip
    assert {each["provider"] for each in items} == {row.name for row in ROWS}
    assert len({each["currency"] for each in items}) == 5
    assert len({each["seller"] for each in items}) == SELLERS
    assert Counter(each["state"] for each in items)["returned"] == 3
    assert len(items) > 3 * SELLERS


def test_each_item_is_in_the_books_of_its_provider_once(items, books):
    paid, _ = books
    keys = {
        (each["provider"], book_key(each["provider"], each["key"])): each
        for each in items
    }
    assert set(paid) == set(keys)
    for place, row in paid.items():
        item = keys[place]
        left = 0 if item["state"] == "returned" else item["amount"]
        found = (row["count"], row["currency"], net(row))
        assert found == (1, item["currency"], left), (item, row)


def test_each_wallet_is_what_its_seller_has_earned_and_not_been_paid(
    month, items, books
):
    paid: Counter = Counter()
    for each in items:
        key = each["provider"], book_key(each["provider"], each["key"])
        paid[each["seller"], each["currency"]] += net(books[0][key])
    wallets = {
        (seller, currency): (available, pending, reserved)
        for seller, currency, available, pending, reserved in month.stack.sql(
            "SELECT seller_account, currency, available_minor, pending_minor, "
            "reserved_minor FROM pay.wallet"
        )
    }
    assert set(wallets) == set(month.earned)
    for place, earned in month.earned.items():
        available, pending, reserved = wallets[place]
        assert (pending, reserved) == (0, 0), (place, wallets[place])
        assert available + paid[place] == earned, place
        # all is delivered and decided: only a suspect account keeps money
        assert place[0] in month.suspect or available <= 0, place
    assert any(wallets[p][0] > 0 for p in wallets if p[0] in month.suspect)
    books_hold(month.stack)


def test_clearing_is_what_the_providers_have_paid(month, items, books):
    paid: Counter = Counter()
    for (provider, _), row in books[0].items():
        paid[provider, row["currency"]] += net(row)
    booked = {
        (owner, currency): int(minor)
        for owner, currency, minor in month.stack.sql(
            "SELECT owner, currency, -sum(amount_minor) FROM pay.journal_line "
            "WHERE account = 'payout_clearing' GROUP BY 1, 2"
        )
    }
    assert booked == dict(paid)
    own = {
        (each["provider"], each["currency"]): RICH - each["minor"]
        for each in books[1]
        if not each["account"]
    }
    assert own == dict(paid)


def signed(element) -> int:
    """A balance, an entry or a part of one, in minor units."""
    sign = {"CRDT": 1, "DBIT": -1}[element.findtext("{*}CdtDbtInd")]
    return sign * int(Decimal(element.findtext("{*}Amt")).scaleb(2))


def test_the_statements_of_the_bank_have_each_item_once(month, items):
    """Each begins where the one before ended."""
    entries: list[tuple] = []
    balances = []
    for path in month.files.outbox.glob("camt053-*.xml"):
        statement = ET.parse(path).find(".//{*}Stmt")
        number = int(statement.findtext("{*}Id")[1:])
        balances.append((number, *map(signed, statement.iterfind("{*}Bal"))))
        entries += [
            (each.findtext(".//{*}EndToEndId"), signed(each))
            for each in statement.iterfind(".//{*}TxDtls")
        ]
    balances.sort()
    assert len(balances) > WEEKS
    for (*_, closing), (_, opening, _) in pairwise(balances):
        assert opening == closing
    wanted = []
    for each in items:
        if each["provider"] == BANK:
            wanted.append((each["key"], -each["amount"]))
            if each["state"] == "returned":
                wanted.append((each["key"], each["amount"]))
    assert sorted(entries) == sorted(wanted)
    begin, end = balances[0][1], balances[-1][2]
    assert end - begin == sum(minor for _, minor in wanted)


def test_the_advice_of_each_seller_adds_up(month, items):
    """From nothing to the wallet, without a gap."""
    advice = defaultdict(list)
    token = month.stack.values["PAYOUT_MAKER_JWT"]
    for each in items:
        answer = month.stack.http.get(
            f"/v1/payouts/{each['id']}/advice?limit=1",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.text
        advice[each["seller"], each["currency"]].append(answer.json())
    later = later_lines(month.stack)
    for (seller, currency), told in advice.items():
        closing = Decimal(0)
        for one in told:
            assert Decimal(one["opening"]) == closing, (seller, one)
            parts = sum(Decimal(one[part]) for part in PARTS)
            closing += parts - Decimal(one["paid"])
            assert Decimal(one["closing"]) == closing, (seller, one)
        available, since = later[seller, currency]
        closing_minor = closing.scaleb(DIGITS[currency])
        assert closing_minor + since == available, (seller, told[-1])


def later_lines(stack) -> dict:
    """(seller, currency) → available, and the lines behind the last advice"""
    return {
        (seller, currency): (available, since)
        for seller, currency, available, since in stack.sql(LATER)
    }


def test_payctl_finds_nothing(month):
    done = subprocess.run(
        [PAYCTL, "check"],
        env=os.environ | {"PAYCTL_DSN": month.stack.values["PG_ADMIN_DSN"]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
