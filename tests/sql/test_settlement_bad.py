"""Files that are not as they should be, from the command line to the books:
what is refused changes nothing, and the reason names file, line, column and
what was expected; what is only odd is booked.
"""

import json
import os
import pathlib
import subprocess
import uuid

import psycopg2
import pytest
from settlement_books import DIGEST

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures/settle"
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
SOURCES = {
    "generic": "generic",
    "stripe": "stripe",
    "adyen": "adyen",
    "paypal": "paypal",
    "camt": "camt.053",
    "mt940": "mt940",
    "mollie": "mollie",
    "square": "square",
}
DAY = ("generic", "generic/day.csv")
BATCH = ("adyen", "adyen/batch.csv")
CAMT = ("camt", "camt.053/v2.xml")
SWIFT = ("mt940", "mt940/day.sta")
STL = ("paypal", "paypal/day.csv")
LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)
)
NEW_FEE = b"r9,fee,,,,2026-11-20T10:00:00Z,,0.00,-0.20,-0.20,EUR,,\n"

# source and file, what stands there, what stands there instead, and of the
# reason: where, the word, and the beginning of what was expected
REFUSED = {
    "cut before the footer": (
        DAY, b"total,4,,,,,,0.50,-0.50,0.00,EUR,,\n", b"",
        "line 6, column row_id", "footer-missing", 'a last row "total"'),
    "cut within a row": (
        DAY, b"-6.50,EUR,po_1,\ntotal,4,,,,,,0.50,-0.50,0.00,EUR,,\n", b"",
        "line 5", "field-count", ""),
    "footer off by one row": (
        DAY, b"total,4", b"total,5", "line 6, column rows", "count-differs",
        "5 rows of EUR, but there are 4"),
    "footer off by one cent": (
        DAY, b"-0.50,0.00,EUR", b"-0.50,0.01,EUR", "line 6, column net",
        "net-differs", "0.01 EUR, but the rows come to 0.00"),
    "a row behind the footer": (
        DAY, b"0.00,EUR,,\n", b"0.00,EUR,,\n" + NEW_FEE,
        "line 7, column row_id", "row-behind-total", "nothing but totals"),
    "a column is missing": (
        DAY, b"gross", b"brutto", "line 1, column gross", "column-missing",
        ""),
    "a column stands there twice": (
        DAY, b"note", b"net", "line 1, column net", "column-doubled", ""),
    "NUL": (DAY, b"ord-1", b"ord\0", "line 2", "nul", ""),
    "not UTF-8": (DAY, b"ord-1", b"\xff\xfe", "line 2", "not-utf8", ""),
    "a number of a spreadsheet": (
        DAY, b"12.00,-0.30", b"1.2302025304E+022,-0.30",
        "line 2, column gross", "amount-invalid", ""),
    "a formula for an amount": (
        DAY, b"12.00,-0.30", b"=12.00,-0.30", "line 2, column gross",
        "amount-invalid", ""),
    "yen with decimals": (
        DAY, b"12.00,-0.30,11.70,EUR", b"12.00,-0.30,11.70,JPY",
        "line 2, column gross", "amount-invalid", ""),
    "dinar with two decimals": (
        DAY, b"12.00,-0.30,11.70,EUR", b"12.00,-0.30,11.70,KWD",
        "line 2, column gross", "amount-invalid", ""),
    "a row whose net is not gross and fee": (
        DAY, b"12.00,-0.30,11.70", b"12.00,-0.30,11.71",
        "line 2, column net", "row-sum", ""),
    "a line of 30 MB": (
        DAY, b"ord-1", b"x" * 30_000_000, "line 2", "line-too-long", ""),
    "a text of 256 bytes for an id": (
        DAY, b"pay_1", b"x" * 256, "line 2, column psp_ref",
        "longer than 255 bytes", ""),
    "a batch that does not come to zero": (
        BATCH, b"EUR,6.50", b"EUR,6.51", "line 2, column net", "net-differs",
        ""),
    "a foreign merchant account": (
        BATCH, b"C1,M1,PSP3", b"C1,M2,PSP3", "line 7",
        "account-foreign", "no account but the source's"),
    "a currency that nobody has proven": (
        STL, b'"CR",1200,"EUR","DR",50,"EUR"',
        b'"CR",1200,"JPY","DR",50,"JPY"',
        "line 5, column Gross Transaction Amount", "exponent-unproven",
        "a currency of two decimals; it is not proven how JPY is written"),
    "a footer of PayPal off by one": (
        STL, b'"SF","EUR",1828', b'"SF","EUR",1829',
        "line 17, column Total Gross", "gross-differs", ""),
    "billion laughs": (
        CAMT, b"<Document",
        b"<!DOCTYPE Document [" + LAUGHS.encode() + b"]><Document",
        "line 2", "doctype", ""),
    "an external entity": (
        CAMT, b"<Document",
        b'<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b"<Document", "line 2", "doctype", ""),
    "camt.052, which repeats camt.053": (
        CAMT, b"camt.053.001.02", b"camt.052.001.02",
        "line 2, column xmlns", "namespace", ""),
    "camt.054, which repeats camt.053": (
        CAMT, b"camt.053.001.02", b"camt.054.001.02",
        "line 2, column xmlns", "namespace", ""),
    "a closing balance off by one": (
        SWIFT, b"C261123EUR86,85\n:64", b"C261123EUR86,86\n:64",
        "column closing balance", "closing-differs", ""),
    "a reversal that is read as a credit": (
        SWIFT, b"RCR2,", b"CR2,", "column closing balance",
        "closing-differs", ""),
    "a month that does not exist": (
        SWIFT, b":61:2611231123CR", b":61:2613231123CR",
        "line 6, column :61:", "time-invalid", ""),
}  # fmt: skip
# source and file, what stands there and what stands there instead, a question
# about the row, its answer
BOOKED = {
    "byte order mark": (
        DAY, b"row_id", b"\xef\xbb\xbfrow_id",
        "SELECT count(*) FROM pay.settlement_row", 4),
    "CRLF": (DAY, b"\n", b"\r\n",
             "SELECT sum(net_minor) FROM pay.settlement_row", 0),
    "an amount like a formula in a text": (
        DAY, b"ord-1", b"=cmd|x", "SELECT our_ref FROM pay.settlement_row"
        " WHERE row_key = 'r1'", "=cmd|x"),
    "reordered and extra columns": (
        ("adyen-8", "adyen/reordered.csv"), b"", b"",
        "SELECT count(*) FROM pay.settlement_row", 4),
    "equal rows of fees": (
        BATCH, b"", b"", "SELECT count(*) FROM pay.settlement_row WHERE"
        " kind = 'fee' AND net_minor = -20 AND class = 1", 2),
    "net debit on a sale": (
        BATCH, b"", b"", "SELECT net_minor FROM pay.settlement_row WHERE"
        " parent_ref = 'PSP2'", -3),
    "the hour that comes twice": (
        BATCH, b"", b"", "SELECT occurred_at::text FROM pay.settlement_row"
        " WHERE parent_ref = 'PSP2'", "2026-11-01 09:30:00+00"),
    "a word for three zones": (
        BATCH, b"", b"", "SELECT coalesce(occurred_at::text, 'none') FROM"
        " pay.settlement_row WHERE raw_type = 'ChargebackReversed'", "none"),
    "a Sales Day payout that is taken back": (
        BATCH, b"", b"", "SELECT kind || ' ' || class FROM pay.settlement_row"
        " WHERE parent_ref = 'PSP5'", "sale_returned 3"),
    "CR300, is a credit, RC takes away": (
        SWIFT, b"", b"", "SELECT string_agg(net_minor::text, ' ' ORDER BY"
        " line) FROM pay.settlement_row", "650 -1000 -200 400 -1165"),
    "year change": (
        ("mt940", "mt940/year.sta"), b"", b"",
        "SELECT string_agg(DISTINCT booked_on::text, ' ') LIKE"
        " '%2027-01-0%' FROM pay.settlement_row", True),
    "what is pending is not booked": (
        CAMT, b"", b"", "SELECT count(*) FROM pay.settlement_row", 7),
    "quotes, commas and line ends in a text": (
        DAY, b"monthly, =cmd|' /C calc'!A0", b'a ""b"", c\r\nd',
        "SELECT note FROM pay.settlement_row WHERE row_key = 'r3'",
        'a "b", c\r\nd'),
    "a withdrawal that is not the sum of its day": (
        STL, b"", b"", "SELECT sum(net_minor) FROM pay.settlement_row WHERE"
        " currency = 'EUR'", 2913 - 5000),
    "an authorisation, which moves nothing": (
        ("paypal", "paypal/memo.csv"), b"", b"", "SELECT string_agg(concat_ws("
        "' ', kind, net_minor, paid_minor), ' ' ORDER BY line) FROM"
        " pay.settlement_row", "sale 1150 memo 0 memo 0"),
    "a batch in another currency": (
        CAMT, b'<TxAmt><Amt Ccy="EUR">4.00', b'<TxAmt><Amt Ccy="USD">4.40',
        "SELECT string_agg(concat_ws(' ', net_minor, paid_minor,"
        " paid_currency), ', ' ORDER BY net_minor) FROM"
        " pay.settlement_row WHERE row_key LIKE '%/0/3%'",
        "-1000, -600, 0 -440 USD"),
    "paid elsewhere in another currency": (
        BATCH, b"CAP4,EUR,,80.00,1", b"CAP4,USD,,80.00,0.9",
        "SELECT concat_ws(' ', kind, net_minor, currency, paid_minor) FROM"
        " pay.settlement_row WHERE psp_ref = 'CAP4'", "sale 8000 USD"),
    "a fee of a payout that stands there twice": (
        ("square", "square/instant.json"), b"", b"", "SELECT sum(l.amount_minor"
        ")::int FROM pay.journal_line l WHERE l.account = 'psp_fees'", 225),
    "yen and dinars": (
        ("generic", "generic/currencies.csv"), b"", b"",
        "SELECT string_agg(concat(currency, net_minor), ' ' ORDER BY line)"
        " FROM pay.settlement_row", "JPY1164 KWD1200 EUR900 EUR-900 EUR1"),
    "a type that nobody knows": (
        DAY, b"r3,fee", b"r3,surprise", "SELECT concat_ws(' ', r.class,"
        " r.kind, (SELECT sum(l.amount_minor) FROM pay.journal_line l WHERE"
        " l.account = 'suspense' AND l.source LIKE '%/r3')) FROM"
        " pay.settlement_row r WHERE r.row_key = 'r3'", "3 unknown 20"),
}  # fmt: skip


class Books:
    """A database with a source of each format."""

    def __init__(self, name, path):
        self.path = path
        self.name = name
        self.connection = psycopg2.connect(dbname=name)
        self.connection.autocommit = True

    def ask(self, query):
        """The one value of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]

    def load(self, source, data):
        """The import of some bytes: exit code, and what it says."""
        path = self.path / "file"
        path.write_bytes(data)
        done = subprocess.run(
            [PAYCTL, "settlement", "import", "--source", source, "-o",
             "json", path, "--dsn",
             f"dbname={self.name} user=payments_operator"],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        said = json.loads(done.stdout)
        assert said["file"] == str(path)
        return done.returncode, said


def fill(name):
    """The schema, and the sources."""
    subprocess.run(
        [PAYCTL, "migrate", "--dsn", f"dbname={name}", "--sql", ROOT / "sql"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    connection = psycopg2.connect(dbname=name)
    with connection, connection.cursor() as cursor:
        for source, form in [*SOURCES.items(), ("adyen-8", "adyen")]:
            cursor.execute(
                "SELECT pay_ops.set_settlement_source(%s, %s, 'm', %s, %s,"
                " '2020-01-01', 9)",
                [source, form, "" if form in ("camt.053", "mt940") else form,
                 "M1" if source == "adyen" else ""],
            )  # fmt: skip
    connection.close()


@pytest.fixture(name="template", scope="module")
def made_once():
    """A database that others are copies of."""
    name = f"pay_bad_{uuid.uuid4().hex[:12]}"
    subprocess.run(["createdb", "-T", "template0", name], check=True)
    fill(name)
    yield name
    subprocess.run(["dropdb", "--force", name], check=True)


@pytest.fixture(name="refusing", scope="module")
def nothing_is_booked(template, tmp_path_factory):
    """One database for all files that are refused."""
    name = f"pay_bad_{uuid.uuid4().hex[:12]}"
    subprocess.run(["createdb", "-T", template, name], check=True)
    books = Books(name, tmp_path_factory.mktemp("bad"))
    yield books
    books.connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)


@pytest.fixture(name="books")
def copied(template, tmp_path):
    """A database of its own."""
    name = f"pay_bad_{uuid.uuid4().hex[:12]}"
    subprocess.run(["createdb", "-T", template, name], check=True)
    books = Books(name, tmp_path)
    yield books
    books.connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)


def changed(file, old, new):
    """A fixture with one thing changed, or all of a kind."""
    data = (FIXTURES / file).read_bytes()
    assert old in data
    return data.replace(old, new, -1 if old == b"\n" else 1)


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_whole_and_says_where_and_why(refusing, name):
    (source, file), old, new, where, reason, expected = REFUSED[name]
    before = refusing.ask(DIGEST)
    code, said = refusing.load(source, changed(file, old, new))
    assert (code, said["state"]) == (1, "refused"), said
    told = said["reason"]
    assert where in told
    assert reason in told
    assert reason[:6] == "longer" or ", expected " in told
    assert expected in told
    assert refusing.ask(DIGEST) == before


@pytest.mark.parametrize("name", BOOKED)
def test_what_is_only_odd_is_booked(books, name):
    (source, file), old, new, query, wanted = BOOKED[name]
    code, said = books.load(source, changed(file, old, new))
    assert (code, said["state"]) == (0, "booked"), said
    assert books.ask(query) == wanted
