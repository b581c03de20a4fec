"""A settlement day in each of the six dialects and both formats of banks: what
buyers have paid through the gateway is settled by the PSP less its fees, is
paid out, and comes to the bank, every cent of it.

A day has a sale through the hosted page (the nine steps), one with several
orders, one that is captured by hand in part, a refund, one that was made at the
PSP, a dispute, and a monthly fee.
"""

import json
import subprocess

import pytest
from support.client import plain
from support.own_stack import CARDS, QUICK_JOBS, OwnStack, wait_for
from support.settled import BANKS, OWED, PSPS, Settled
from support.sold import Sold, minor

FEE, REFUND_FEE, DISPUTE_FEE, MONTHLY = 35, 5, 15, 120
# What the PSP keeps until a dispute is decided.
DISPUTED = 200
# Mollie has no captures by hand here, Square completes whole payments.
BY_HAND = ("stripe", "adyen", "generic")


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """A stack of its own: nobody else's payments are in its payouts."""
    stack = OwnStack()
    try:
        stack.configure(QUICK_JOBS)
        settled = Settled(stack, tmp_path_factory.mktemp("files"))
        settled.mock.settings(
            sale_fee_minor=FEE, refund_fee_minor=REFUND_FEE, list_page=100
        )
        yield settled
        stack.check_invariants()
    finally:
        stack.close()


def through_the_page(settled, psp: str) -> Sold:
    made = Sold.of(settled.stack, psp)
    with plain(timeout=30) as buyer:
        page = settled.stack.http.get(made.shown["redirect_url"])
        form = {"number": CARDS["paid"], "expiry": "12/39", "cvc": "123"}
        url = page.headers["Location"].partition("#")[0]
        back = buyer.post(url, data=form)
        assert back.status_code == 303, back.text
        made.becomes("SUCCESS")
        handed = settled.stack.http.get(back.headers["Location"])
        shop = buyer.get(handed.headers["Location"])
        assert '<strong id="signature">valid</strong>' in shop.text
    return made


class Trade:
    """The payments of a day and what they must come to, in minor units."""

    def __init__(self, settled, psp: str):
        self.net, self.rows, self.fees = 0, 0, 0
        self.psp = psp
        self.sellers = []
        self.page = through_the_page(settled, psp)
        self.add(1234, FEE)
        self.owes(self.page, "12.34")
        self.split = settled.sold(psp, amounts=("12.34", "0.01", "7.00"))
        self.add(1935, FEE)
        self.owes(self.split, "19.35")
        self.refunded = settled.sold(psp)
        self.add(1234, FEE)
        self._refund("4.00")
        self.owes(self.refunded, "8.34")
        self.external = settled.sold(psp)
        self.add(1234, FEE)
        self.external.at_psp("refund", amount_minor=250)
        self.add(-250, REFUND_FEE)
        self.owes(self.external, "9.84")
        if psp != "paypal":  # its webhooks change no money
            self.external.reaches(amount_refunded="2.50")
        self.disputed = settled.sold(psp)
        self.add(1234, FEE)
        self.disputed.at_psp("dispute", amount_minor=200, fee_minor=DISPUTE_FEE)
        self.add(-DISPUTED, DISPUTE_FEE)
        self.owes(self.disputed, "10.34", "2.00")
        self.held = None
        if psp in BY_HAND:
            self._capture(settled)
        self.net -= MONTHLY
        self.fees += MONTHLY

    def add(self, gross: int, fee: int) -> None:
        self.net += gross - fee
        self.fees += fee
        self.rows += 1

    def owes(self, sold: Sold, available: str, reserved="0.00") -> None:
        """What the seller has when the file is booked."""
        self.sellers.append((sold, available, reserved))

    def books(self) -> dict:
        """The balance of each account when the bank has the payout."""
        reserved = minor("2.00", "USD")
        available = sum(minor(each, "USD") for _, each, _ in self.sellers)
        return {
            "bank": self.net,
            "psp_fees": self.fees,
            "psp_reserve": DISPUTED,
            "seller_available": -available,
            "seller_reserved": -reserved,
        }

    def disputes_are_heard(self) -> None:
        """PayPal's file has the money of a dispute and not its id.  That the
        seller's money is reserved comes with PayPal's list of events, which
        is read up to half a minute ago.
        """
        stack = self.disputed.stack

        def heard():
            if self.psp == "paypal":
                stack.sql(
                    "UPDATE pay.backfill SET run_at = now() "
                    "WHERE psp = 'paypal'"
                )
            return self.disputed.balance("USD")["reserved"] == "2.00"

        wait_for(heard, "the dispute in the seller's balance", 90)

    def sellers_have_it(self) -> None:
        for sold, available, reserved in self.sellers:
            assert sold.balance("USD") == {
                "available": available,
                "pending": "0.00",
                "reserved": reserved,
            }

    def _refund(self, amount: str) -> None:
        answer = self.refunded.refund(amount)
        assert answer.status_code in (201, 202), answer.text
        self.refunded.ends(answer, "SUCCESS")
        self.add(-400, REFUND_FEE)

    def _capture(self, settled) -> None:
        self.held = settled.sold(self.psp, capture="manual")
        answer = self.held.capture("5.00", final=True)
        assert answer.status_code in (201, 202), answer.text
        self.held.ends(answer, "SUCCESS")
        self.add(500, FEE)
        self.owes(self.held, "5.00")


@pytest.mark.parametrize("psp", PSPS)
def test_every_cent_comes_to_the_bank(day, psp):
    trade = Trade(day, psp)
    made, said = day.settle(psp, monthly_fee_minor=MONTHLY)
    (payout,) = made["payouts"]
    assert payout["amount"] == trade.net
    assert said["state"] == "booked", said
    assert (said["class2"], said["class3"]) == (0, 0), day.matters()
    books = day.accounts(psp, "USD")
    assert day.owed(psp, "USD") == DISPUTED == books["psp_reserve"], books
    assert books["psp_in_transit"] == trade.net
    source = list(BANKS)[PSPS.index(psp) % len(BANKS)]
    written, told = day.bank(source, payouts=[payout["id"]])
    assert [each["minor"] for each in written["entries"]] == [trade.net]
    assert told["matched"] == 1, (written, told, day.matters())
    trade.disputes_are_heard()
    books = day.accounts(psp, "USD")
    assert {name: each for name, each in books.items() if each} == trade.books()
    assert sum(trade.books().values()) == 0
    trade.sellers_have_it()
    day.is_clean()


@pytest.mark.parametrize("source", BANKS)
def test_bank_shows_what_all_psps_have_paid(day, source):
    """In three currencies, of all six at once; each line names its payout."""
    sums = {}
    payouts = []
    for psp in PSPS:
        currency, amount = (
            ("EUR", "50.00") if psp != "mollie" else ("GBP", "40.00")
        )
        day.sold(psp, currency=currency, amounts=(amount,))
        made, said = day.settle(psp)
        assert said["state"] == "booked", said
        payouts += made["payouts"]
        for each in made["payouts"]:
            name = each["currency"]
            sums[name] = sums.get(name, 0) + each["amount"]
    made, said = day.bank(source, payouts=[each["id"] for each in payouts])
    lines = {}
    for each in made["entries"]:
        name = each["currency"]
        lines[name] = lines.get(name, 0) + each["minor"]
    assert lines == sums
    assert said["state"] == "booked", said
    assert said["matched"] == len(made["entries"]), day.matters()
    rules = day.stack.sql(
        "SELECT DISTINCT l.rule FROM pay.settlement_link l"
        " JOIN pay.settlement_row r USING (row_id)"
        " WHERE r.source = %s AND r.file_id ="
        " (SELECT max(file_id) FROM pay.settlement_file)",
        source,
    )
    assert rules == [("text",)]
    day.is_clean()


def test_withdrawal_of_a_part_leaves_the_rest(day):
    """PayPal's report of a day whose withdrawal is not what the day came to,
    and that of the next one, which begins with the rest."""
    psp, currency, part = "paypal", "GBP", 1234
    day.sold(psp, currency=currency, amounts=("50.00",))
    made, said = day.settle(psp, withdraw={currency: part})
    (first,) = made["payouts"]
    rest = 5000 - FEE - part
    assert (first["amount"], first["end"]) == (part, rest)
    assert said["state"] == "booked", said
    assert (said["class2"], said["class3"]) == (0, 0), day.matters()
    assert day.owed(psp, currency) == rest
    assert day.accounts(psp, currency)["psp_in_transit"] == part
    day.sold(psp, currency=currency, amounts=("10.00",))
    made, said = day.settle(psp)
    (second,) = made["payouts"]
    rest += 1000 - FEE
    assert (second["begin"], second["amount"]) == (first["end"], rest)
    assert said["state"] == "booked", said
    assert (said["class2"], said["class3"]) == (0, 0), day.matters()
    assert day.owed(psp, currency) == 0
    _, told = day.bank("bank-camt", payouts=[first["id"], second["id"]])
    assert told["matched"] == 2, day.matters()
    books = day.accounts(psp, currency)
    assert (books["bank"], books["psp_in_transit"]) == (part + rest, 0)
    day.is_clean()


def test_day_is_closed(day):
    text, close = day.close()
    documents = day.where / "close.jsonl"
    documents.write_text(text)
    key = day.stack.values["AUDIT_PUBLIC_KEY"]
    day.payctl("close", "verify", "--key", key, "--part", documents)
    lines = {
        (each["psp"], each["item"]): each["amount"]
        for each in close["lines"]
        if each["currency"] == "USD"
    }
    for psp in PSPS:
        shown = {
            item.removeprefix("balance/"): minor(amount, "USD")
            for (name, item), amount in lines.items()
            if name == psp and item.startswith("balance/")
        }
        # a close is about PSPs and banks, not about sellers
        assert {name: each for name, each in shown.items() if each} == {
            name: each
            for name, each in day.accounts(psp, "USD").items()
            if each and not name.startswith("seller_")
        }
        assert lines.get((psp, "balance/psp_in_transit"), "0.00") == "0.00"
        assert float(lines[psp, "balance/bank"]) > 0
        owed = [float(lines.get((psp, f"balance/{e}"), 0)) for e in OWED]
        assert sum(owed) == pytest.approx(DISPUTED / 100)
    changed = text.replace("balance/bank", "balance/bonk", 1)
    documents.write_text(changed)
    day.payctl("close", "verify", "--key", key, "--part", documents, code=1)


def test_stripe_report_has_the_rows_of_its_api(day):
    """The same rows by another way are nothing new."""
    day.sold("stripe")
    made = day.mock.call("settle", dialect="stripe")
    answers, report = made["files"]
    said = day.load("stripe", day.file(answers["text"], "api.json"))
    assert (said["rows"], said["matched"]) == (2, 1)
    before = day.accounts("stripe", "USD")
    said = day.load("stripe", day.file(report["text"], "report.csv"))
    assert said["state"] == "booked", said
    assert (said["matched"], said["class1"]) == (0, 0)
    assert (said["class2"], said["class3"]) == (0, 0), day.matters()
    assert day.accounts("stripe", "USD") == before


def test_report_alone_is_enough(day):
    before = day.owed("stripe", "USD")
    day.sold("stripe")
    made, said = day.settle("stripe", which=1)
    assert said["state"] == "booked", said
    assert (said["matched"], said["class1"]) == (1, 1)
    assert day.owed("stripe", "USD") == before
    day.bank("bank-camt", payouts=[made["payouts"][0]["id"]])
    day.is_clean()


def test_json_of_payctl_is_valid_alone(day):
    """Nothing else stands on standard output."""
    done = subprocess.run(
        [day.stack.values["PAYCTL"], "settlement", "list", "-o", "json"],
        env={"PAYCTL_DSN": day.stack.values["PG_ADMIN_DSN"]},
        capture_output=True,
        text=True,
        check=True,
    )
    for line in done.stdout.splitlines():
        assert json.loads(line)
