"""What files may bring, from the command line to the books, over several files
and days; and that each line of tests/fixtures/settle/INPUT.md, and of those of
pay-outs and of risk, names tests that are there.
"""

import csv
import io
import pathlib
import random
import re
import subprocess

import pytest
from settlement_books import DIGEST
from test_settlement import scratch
from test_settlement_bad import (
    BOOKED,
    FIXTURES,
    REFUSED,
    ROOT,
    copied,
    made_once,
    nothing_is_booked,
)

__all__ = ["copied", "made_once", "nothing_is_booked", "scratch"]
TABLE = FIXTURES / "INPUT.md"
PAYOUTS = FIXTURES.parent / "payout" / "INPUT.md"
RISK = FIXTURES.parent / "risk" / "INPUT.md"
# a test, as the table names it
TEST = re.compile(r"`([\w.]+)::([^`]+)`")
# files whose columns go by name, and where their names stand
COLUMNS = {
    "generic": ("generic/day.csv", 0),
    "adyen-8": ("adyen/reordered.csv", 0),
    "stripe": ("stripe/report.csv", 0),
    "paypal": ("paypal/day.csv", 3),
}
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
<BkToCstmrStmt><GrpHdr><MsgId>M{day}</MsgId></GrpHdr><Stmt><Id>S{day}</Id>
<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{begin}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-{day}</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{end}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-{day}</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">6.50</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Sts><Cd>{status}</Cd></Sts><BookgDt><Dt>2026-11-{day}</Dt></BookgDt>
<AcctSvcrRef>B1</AcctSvcrRef></Ntry></Stmt></BkToCstmrStmt></Document>
"""
FOUND = """
SELECT r.row_key, concat_ws(' ', r.class, r.finding, x.closed_as)
FROM pay.settlement_row r LEFT JOIN pay.settlement_exception x USING (row_id)"""


def found(shop):
    """What was found of each row, and how its matter was closed."""
    return dict(shop.sql(FOUND))


def holds(shop, *accounts):
    """What accounts hold, in minor units."""
    sums = dict(shop.sql("SELECT account, sum(amount_minor)::bigint"
                         " FROM pay.journal_line GROUP BY 1"))  # fmt: skip
    return [sums.get(name, 0) for name in accounts]


def news(shop, about, word, thing, minor):
    """A webhook of a payment's refund or dispute."""
    outcome = shop.sql(
        "SELECT outcome FROM pay_api.apply_change('{stripe}', '{webhook}',"
        " ARRAY[%(e)s], '{t}', ARRAY[%(a)s], ARRAY[%(w)s], '{o1}', '{NULL}',"
        " ARRAY[%(t)s], '{NULL}', ARRAY[%(m)s]::bigint[], '{EUR}', '{NULL}',"
        " '{NULL}', '{NULL}', '{NULL}', '{r}')",
        {"e": f"{thing}/{word}", "a": about, "w": word, "t": thing,
         "m": minor},
    )  # fmt: skip
    assert outcome == [("applied",)]


def test_disputes_are_opened_and_lost_and_won_in_three_files(shop):
    """The money leaves once, losing moves nothing more, and winning brings it
    back; for what comes back of a lost one an operator is asked."""
    shop.sell(1, 1)
    shop.load(shop.file("1.csv", [
        ("r1", "sale", "ch_1", "pi_1", "", 1000, 0, ""),
        ("r2", "dispute", "dp_1", "pi_1", "", -600, -15, ""),
        ("r3", "dispute", "dp_2", "pi_1", "", -300, -15, "")]))
    assert holds(shop, "psp_reserve", "chargebacks") == [900, 0]
    news(shop, "dispute", "lost", "dp_1", 600)
    shop.load(shop.file("2.csv", [("r4", "fee", "", "", "", 0, -1, "")]))
    assert holds(shop, "psp_reserve", "chargebacks") == [300, 0]
    shop.check()
    shop.load(shop.file("3.csv", [
        ("r5", "dispute_returned", "dp_2", "pi_1", "", 300, 0, ""),
        ("r6", "dispute_returned", "dp_1", "pi_1", "", 600, 0, "")]))
    assert found(shop) == {
        "r1": "0 matched", "r2": "1 disputed", "r3": "1 disputed",
        "r4": "1 charged", "r5": "1 ended", "r6": "2 duplicate",
    }  # fmt: skip
    assert holds(shop, "psp_reserve", "chargebacks") == [0, 0]
    assert holds(shop, "psp_clearing", "refunds") == [
        1000 - 600 - 15 - 15 - 1, 0]  # fmt: skip
    shop.check()


def test_a_hold_its_release_and_the_chargeback_take_the_money_once(shop):
    shop.sell(1, 1)
    shop.load(shop.file("1.csv", [
        ("r1", "sale", "ch_1", "pi_1", "", 1000, 0, ""),
        ("r2", "withheld", "h_1", "pi_1", "", -1000, 0, "")]))
    assert holds(shop, "psp_reserve") == [1000]
    shop.load(shop.file("2.csv", [
        ("r4", "dispute", "dp_1", "pi_1", "", -1000, 0, ""),
        ("r3", "released", "h_1", "pi_1", "", 1000, 0, "")]))
    assert holds(shop, "psp_reserve") == [1000]
    news(shop, "dispute", "lost", "dp_1", 1000)
    shop.load(shop.file("3.csv", [("r5", "fee", "", "", "", 0, -1, "")]))
    assert holds(shop, "psp_reserve") == [0]
    assert set(found(shop).values()) == {
        "0 matched", "1 reserved", "1 disputed", "1 charged",
    }  # fmt: skip
    shop.check()


def test_a_refund_before_its_sale_waits_for_it(shop):
    """In an earlier file, where the order is still open."""
    shop.sell(1, 1)
    shop.sql("SELECT 1 FROM pay_api.begin_payment('{m}', '{k}',"
             " ARRAY[sha256('b')], '{c9}', ARRAY[gen_random_uuid()::text],"
             " '{h9}', '{stripe}', '{o9}', '{u}', '{u}', '{NULL}', '{NULL}',"
             " '{NULL}', '{EUR}', '{1000}', '{1900000000}', '{1}', '{o9}',"
             " '{s}', '{1000}', '{NULL}', '{60}', '{60}', '{r}', '{NULL}',"
             " '{NULL}', '{NULL}', '{NULL}', '{NULL}')")  # fmt: skip
    shop.sql("SELECT 1 FROM pay_api.store_token('{m}', '{c9}', '{stripe}',"
             " '{pi_9}', '{NULL}', '{u}', '{1}', '{r}')")  # fmt: skip
    shop.load(shop.file("1.csv", [
        ("r1", "refund", "re_9", "pi_9", "", -400, 0, "")]))
    assert found(shop) == {"r1": "2 early"}
    shop.load(shop.file("2.csv", [
        ("r3", "refund", "re_8", "pi_9", "", -100, 0, ""),
        ("r2", "sale", "ch_9", "pi_9", "", 1000, -30, "")]))
    assert found(shop) == {
        "r1": "2 early matched", "r2": "1 confirmed", "r3": "1 confirmed",
    }  # fmt: skip
    shop.check()


def test_a_fee_comes_back_without_the_fee(shop):
    said = shop.load(shop.file("1.csv", [
        ("r1", "fee", "fee_0", "", "", 0, 20, "")]))
    assert said["class1"] == 1
    assert holds(shop, "psp_fees", "psp_clearing") == [-20, 20]
    shop.check()


def test_a_negative_payout_is_debited_at_the_bank(shop):
    said = shop.load(shop.file("1.csv", [
        ("r1", "fee", "", "", "", 0, -300, "po_1"),
        ("r2", "payout", "po_1", "", "", 300, 0, "po_1")]))
    assert (said["state"], said["class1"]) == ("booked", 2)
    assert holds(shop, "psp_clearing", "psp_in_transit") == [0, -300]
    shop.check()


@pytest.mark.parametrize("time, day", [
    ("2019-12-31T23:59:59-08:00", "2020-01-01"),
    ("2031-01-01T00:00:00+14:00", "2030-12-30"),
])  # fmt: skip
def test_a_row_is_matched_whatever_day_its_psp_gives_it(shop, time, day):
    """A payment a minute before midnight is of another day at each side."""
    shop.sell(1, 1)
    path = pathlib.Path(shop.file("f.csv", [
        ("r1", "sale", "ch_1", "pi_1", "", 1000, 0, "")]))
    path.write_text(path.read_text().replace(
        "2026-11-20T10:00:00Z,2026-11-21", f"{time},{day}"))
    assert shop.load(str(path))["matched"] == 1
    assert shop.sql("SELECT booked_on::text FROM pay.settlement_row") == [
        (day,)]  # fmt: skip
    shop.check()


def test_a_changed_row_of_a_batch_waits_for_an_operator(books):
    """The rows that are as before are nothing new."""
    data = (FIXTURES / "adyen/batch.csv").read_bytes()
    code, said = books.load("adyen", data)
    assert (code, said["state"]) == (0, "booked")
    before = books.ask("SELECT count(*) FROM pay.journal_entry")
    lines = data.split(b"\n")
    fee = next(n for n, line in enumerate(lines) if b",Fee," in line)
    payout = next(n for n, line in enumerate(lines) if b"MerchantPayout" in
                  line)  # fmt: skip
    lines[fee] = lines[fee].replace(b"0.20", b"0.30")
    lines[payout] = lines[payout].replace(b"6.50", b"6.40")
    code, said = books.load("adyen", b"\n".join(lines))
    assert (code, said["state"], said["class1"]) == (0, "booked", 0), said
    assert said["class2"] >= 2
    assert books.ask("SELECT count(*) FROM pay.journal_entry") == before


def test_an_entry_that_was_pending_is_booked_once(books):
    """PDNG in one statement, BOOK in the next one."""
    pending = CAMT.format(day=23, status="PDNG", begin="1.00", end="1.00")
    booked = CAMT.format(day=24, status="BOOK", begin="1.00", end="7.50")
    rows = []
    for text in (pending, booked, pending, booked):
        _, said = books.load("camt", text.encode())
        rows.append((said["state"], said["rows"]))
    assert rows == [("booked", 0), ("booked", 1)] * 2
    assert books.ask("SELECT sum(net_minor) FROM pay.settlement_row") == 650


def test_two_files_of_a_day_under_one_number_are_both_booked(books):
    """Each opens with :60F:, :28C: has another page, and lines are equal."""
    text = (FIXTURES / "mt940/twice.sta").read_text()
    text = text.replace("C2,00NTRFc//d", "C1,00NTRFa//b")
    for part in text.replace("EUR8,00", "EUR7,00").split("-\n")[:2]:
        _, said = books.load("mt940", f"{part}-\n".encode())
        assert (said["state"], said["rows"]) == ("booked", 1), said
    assert books.ask("SELECT sum(net_minor) FROM pay.settlement_row") == 200
    assert books.ask("SELECT max(version) FROM pay.settlement_row") == 1


@pytest.mark.parametrize("source, file, old, new", [
    ("camt", "camt.053/page.xml", "", ""),
    ("camt", "camt.053/message.xml", "", ""),
    ("mt940", "mt940/year.sta", ":62F:C270101EUR2,5", ":62M:C270101EUR2,5"),
])  # fmt: skip
def test_a_part_of_a_statement_is_refused_and_says_so(
    refusing, source, file, old, new
):
    before = refusing.ask(DIGEST)
    data = (FIXTURES / file).read_text().replace(old, new)
    code, said = refusing.load(source, data.encode())
    assert (code, said["state"]) == (1, "refused")
    assert "part" in said["reason"]
    assert refusing.ask(DIGEST) == before


def test_a_page_of_a_report_waits_for_the_others_and_says_so(books):
    data = (FIXTURES / "paypal/day.csv").read_text().replace('"FH",1', '"FH",2')
    code, said = books.load("paypal", data.encode())
    assert (code, said["state"]) == (0, "staged")
    assert said["reason"] == "page 2 of 2 waits for page 1"
    assert books.ask("SELECT count(*) FROM pay.settlement_row") == 0
    assert books.ask("SELECT count(*) FROM pay.settlement_kept") == said["rows"]


def test_a_column_that_nobody_needs_is_stored_nowhere(books):
    lines = (FIXTURES / "generic/day.csv").read_text().splitlines()
    lines = [f"{line},{'customer_email' if n == 0 else 'canary@example.org'}"
             for n, line in enumerate(lines)]  # fmt: skip
    code, said = books.load("generic", "\n".join([*lines, ""]).encode())
    assert (code, said["state"]) == (0, "booked"), said
    done = subprocess.run(["pg_dump", books.name], capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert "po_1" in done.stdout
    assert "canary@" not in done.stdout


def table_of(source):
    """The lines of a file in front of its columns, and the others split."""
    file, first = COLUMNS[source]
    text = (FIXTURES / file).read_text()
    lines = text.splitlines()
    return lines[:first], list(csv.reader(lines[first:]))


def text_of(head, rows):
    """The file again."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return ("\n".join([*head, ""]) + text.getvalue()).encode()


def in_order(source, rows, order, more=()):
    """Columns in another order, and more of them.  Only rows that are as long
    as the names have columns; PayPal's begin with the kind of the row."""
    length = len(rows[0])
    fixed = 1 if source == "paypal" else 0
    for row in rows:
        if len(row) == length and row[0] not in ("SF", "RF"):
            yield row[:fixed] + [row[n] for n in order] + (
                list(more) if row is rows[0] else ["x"] * len(more))
        else:
            yield row


@pytest.mark.parametrize("source", COLUMNS)
def test_columns_go_by_name(books, source):
    """In any order, with more of them: the rows are the ones before."""
    head, rows = table_of(source)
    code, said = books.load(source, text_of(head, rows))
    assert (code, said["state"]) == (0, "booked"), said
    before = books.ask("SELECT count(*) FROM pay.settlement_row")
    assert before > 2
    for seed in range(4):
        order = list(range(source == "paypal", len(rows[0])))
        random.Random(seed).shuffle(order)
        other = list(in_order(source, rows, order, ("Xtra", "Zzz")[:seed % 3]))
        code, said = books.load(source, text_of(head, other))
        assert (code, said["state"]) == (0, "booked"), said
        assert (said["class1"], said["class2"], said["class3"]) == (0, 0, 0)
    assert books.ask("SELECT count(*) FROM pay.settlement_row") == before


@pytest.mark.parametrize("source", COLUMNS)
def test_a_required_column_that_is_missing_is_named(books, source):
    """Without any other column the file is booked."""
    head, rows = table_of(source)
    columns = range(source == "paypal", len(rows[0]))
    required = set()
    for gone in columns:
        name = rows[0][gone]
        data = text_of(head, in_order(source, rows,
                                      [n for n in columns if n != gone]))
        before = books.ask(DIGEST)
        code, said = books.load(source, data)
        if said["state"] == "booked":
            continue
        required.add(name)
        assert (code, said["state"]) == (1, "refused")
        # one of two names, or one of a pair, is missed in a row of its own
        where, why = said["reason"].split(f", column {name}: ")
        word, expected = why.split(", expected ")
        if where == f"line {len(head) + 1}":
            assert (word, expected != "") == ("column-missing", True)
        else:
            assert word in ("column-missing", "amount-invalid"), said
        assert books.ask(DIGEST) == before
    assert len(required) >= 5, required
    if source == "generic":
        assert required == {"row_id", "type", "psp_ref", "occurred_at",
                            "gross", "fee", "net", "currency"}  # fmt: skip


def names_of(path):
    """The names of the tests of a file, whatever its language."""
    text = path.read_text(encoding="utf-8")
    if path.name == "test_settlement_bad.py":
        return {*REFUSED, *BOOKED}
    if path.suffix == ".py":
        return set(re.findall(r"^def (test_\w+)\(", text, re.M))
    if path.suffix == ".c":
        return set(re.findall(r"^Test\(\w+,\s+(\w+)", text, re.M))
    # pgTAP: the description ends the call
    return set(re.findall(r"'((?:[^'\n]|'')+)'\)", text))


def named_in(table, least):
    """The names of the tests in a table; each of them is there."""
    lines = [line for line in table.read_text().splitlines()
             if line.startswith("| ") and not line.startswith("| input")]
    assert len(lines) > least
    wrong, named = [], set()
    for line in lines:
        tests = TEST.findall(line)
        if not tests:
            wrong.append(f"names no test: {line}")
        for file, name in tests:
            known = [names_of(path) for path in ROOT.glob(f"tests/*/{file}")]
            if not any(name in names for names in known):
                wrong.append(f"no such test: {file} {name}")
            named.add(name)
    assert not wrong, "\n".join(wrong)
    return named


def test_each_input_has_a_test_that_is_there():
    named = named_in(TABLE, 50)
    assert {*REFUSED, *BOOKED} <= named, {*REFUSED, *BOOKED} - named


def test_each_trouble_of_a_pay_out_has_a_test_that_is_there():
    assert named_in(PAYOUTS, 40)


def test_each_trouble_of_risk_has_a_test_that_is_there():
    assert named_in(RISK, 50)
