"""A report of PayPal in several files: its pages come in any order, twice, or
not at all, by hand and into a directory.  Nothing is booked before all of them
are there and come to the sums of the last one, and then it is booked once.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from support.own_stack import QUICK_JOBS, OwnStack, wait_for
from support.settled import Settled

AUDIENCE = "payments_audience "
ROWS = "SELECT count(*) FROM pay.settlement_row"
TWICE = (
    "SELECT count(*) - count(DISTINCT row_key) FROM pay.settlement_row"
    " WHERE class < 2"
)
STAGED = "SELECT count(*) FROM pay.settlement_staging"


class Pages(Settled):
    def report(self, pages=3, **more) -> dict:
        """A day of sales, and its report."""
        made = [self.sold("paypal") for _ in range(4)]
        shown = self.mock.call("settle", dialect="paypal", pages=pages, **more)
        return shown | {"sold": made}

    def bring(self, made: dict, codes=()) -> list[dict]:
        """Imports the pages in the order in which they were made."""
        codes = [*codes, *[0] * len(made["files"])]
        return [
            self.load("paypal", self.file(each["text"], each["name"]), code)
            for each, code in zip(made["files"], codes, strict=False)
        ]

    def rows(self) -> int:
        return self.stack.value(ROWS)

    def is_settled(self, made: dict) -> None:
        (payout,) = made["payouts"]
        assert self.owed("paypal", "USD") == 0
        assert self.stack.value(TWICE) == 0
        assert self.stack.value(STAGED) == 0
        assert payout["amount"] == self.stack.value(
            "SELECT max(amount_minor) FROM pay.journal_entry"
            " WHERE kind = 'psp_paid_out' AND source LIKE %s",
            f"payout/paypal/%{payout['id']}%",
        )
        self.is_clean()


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    stack = OwnStack()
    try:
        stack.configure(QUICK_JOBS)
        pages = Pages(stack, tmp_path_factory.mktemp("files"))
        pages.mock.settings(sale_fee_minor=35)
        yield pages
        stack.check_invariants()
    finally:
        stack.close()


def test_pages_are_booked_together_whatever_their_order(day):
    made = day.report(
        faults=[{"kind": "pages_turned"}, {"kind": "page_doubled", "page": 2}]
    )
    before = day.rows()
    turned = made["files"]
    assert len(turned) == 4 and turned[0]["name"].split(".")[1] == "03"
    said = day.bring(made, codes=[0, 0, 0, 3])
    assert [each["state"] for each in said] == [
        "staged",
        "staged",
        "booked",
        "booked",
    ]
    assert said[0]["reason"] == "page 3 of 3 waits for page 1, 2"
    assert said[1]["reason"] == "page 2 of 3 waits for page 1"
    assert day.rows() == before + 5
    day.is_settled(made)


def test_page_that_waits_is_known_and_survives(day):
    made = day.report(faults=[{"kind": "page_missing", "page": 1}])
    before = day.rows()
    day.bring(made)
    again = day.bring(made, codes=[3, 3])
    assert {each["state"] for each in again} == {"staged"}
    assert day.rows() == before
    shown = day.payctl("settlement", "files")
    assert "page 2 of 3 waits for page 1" in shown
    # PostgreSQL empties unlogged tables when it has crashed
    day.stack.sql("TRUNCATE ONLY pay.settlement_staging")
    whole = day.mock.call("settle", dialect="paypal", again=made["number"])
    first, *_ = whole["files"]
    said = day.load("paypal", day.file(first["text"], first["name"]))
    assert said["state"] == "booked"
    assert day.rows() == before + 5
    day.is_settled(made)


def test_wrong_sum_of_the_report_refuses_all_pages(day):
    made = day.report(faults=[{"kind": "report_footer"}])
    before = day.rows()
    said = day.bring(made, codes=[0, 0, 1])
    assert said[2]["state"] == "refused"
    reason = said[2]["reason"]
    assert re.fullmatch(
        r"the pages of the report together: gross into the balance of USD is "
        r"4936 and should be 4937",
        reason,
    ), reason
    states = day.stack.sql(
        "SELECT DISTINCT state FROM pay.settlement_file"
        " WHERE starts_with(reason, 'the pages of the report')"
    )
    assert states == [("refused",)]
    assert (day.rows(), day.stack.value(STAGED)) == (before, 0)
    right = day.mock.call("settle", dialect="paypal", again=made["number"])
    said = day.bring(right)
    assert said[2]["state"] == "booked"
    assert day.rows() == before + 5
    day.is_settled(made)


def test_page_with_other_bytes_is_a_version(day):
    made = day.report()
    day.bring(made)
    day.is_settled(made)
    before = {each["id"] for each in day.matters()}
    journal = day.stack.value("SELECT count(*) FROM pay.journal_entry")
    again = day.mock.call(
        "settle",
        dialect="paypal",
        again=made["number"],
        faults=[{"kind": "amount", "by_minor": 50}],
    )
    said = day.bring(again)
    assert said[-1]["state"] == "booked"
    rules = [e["rule"] for e in day.matters() if e["id"] not in before]
    assert sorted(rules) == ["changed", "changed"]
    assert day.stack.value("SELECT count(*) FROM pay.journal_entry") == journal


def test_workers_put_pages_aside_until_all_are_there(day):
    """A page that waits holds up no other file of its directory."""
    where = Path(tempfile.mkdtemp(prefix="payments-pages."))
    if os.geteuid() == 0:
        shutil.chown(where, "nobody")
    where.chmod(0o755)
    line = (
        f"payments_settlement paypal format=paypal merchant=acme psp=paypal "
        f"dir={where} age=1s interval=1s;\n    "
    )
    try:
        day.stack.configure(QUICK_JOBS, (AUDIENCE, line + AUDIENCE))
        made = day.report(faults=[{"kind": "pages_turned"}])
        before = day.rows()
        for age_s, each in enumerate(reversed(made["files"]), 60):
            path = where / f".{each['name']}"
            path.write_bytes(each["text"].encode())
            if os.geteuid() == 0:
                shutil.chown(path, "nobody")
            then = path.stat().st_mtime - age_s
            os.utime(path, (then, then))
            path.rename(where / each["name"])
        first, second, last = sorted(e["name"] for e in made["files"])
        for folder, name in (
            ("staged", last),
            ("staged", second),
            ("booked", first),
        ):
            wait_for((where / folder / name).exists, f"{name} in {folder}")
        assert day.rows() == before + 5
        day.is_settled(made)
        text = day.stack.http.get("/metrics").text
        assert re.search(
            r'^payments_settlement_files_total{source="paypal",state="staged"}'
            r" 2$",
            text,
            re.M,
        )
    finally:
        day.stack.configure(QUICK_JOBS)
        shutil.rmtree(where)
