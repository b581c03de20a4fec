"""Property: whatever the history, whatever its faults, in whichever order its
files come and however often: each fault is found and put into the right
class, none is invented, and nothing is booked twice.

HISTORIES: how many seeds (30), SEED: the first of them (0), STORIES: of one
history (24).  A failure names its seed and the smallest prefix that fails;
SEED=n STORIES=m HISTORIES=1 runs that one alone.  SHORTEST= (empty): no
prefixes are tried.
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import uuid

import psycopg2
import psycopg2.extras
import pytest
from settlement_history import BATCHES, SOURCES, Entry, History
from settlement_judge import BANKS, BOOKED, Bank, Files, Judge

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
FIRST = int(os.environ.get("SEED") or 0)
HISTORIES = int(os.environ.get("HISTORIES") or 30)
SHORTEST = os.environ.get("SHORTEST", "1")
STORIES = int(os.environ.get("STORIES") or 24)

# a change that is begun, sent and answered, of any merchant and PSP
ASKED = """
CREATE FUNCTION played.asked(p_merchant text, p_psp text, p_checkout text,
    p_order text, p_kind text, p_name text, p_amount bigint, p_state text,
    p_reference text)
RETURNS text LANGUAGE sql AS $$
SELECT played.change(p_order, p_kind, p_name, p_amount,
                     p_merchant => p_merchant);
SELECT d.outcome FROM pay_api.begin_dispatch(ARRAY[p_merchant],
    ARRAY[p_checkout], ARRAY[p_kind], ARRAY[played.uuid(p_name)],
    ARRAY[p_psp], '{600}', '{30000}', '{request-9}') d;
SELECT d.outcome FROM pay_api.end_dispatch(ARRAY[p_merchant],
    ARRAY[p_checkout], ARRAY[p_kind], ARRAY[played.uuid(p_name)], '{1}',
    ARRAY[p_state], '{complete}', '{200}', '{NULL}', ARRAY[p_reference],
    '{request-9}') d
$$"""
# all that an import may write, but the file itself
DIGEST = """
SELECT md5(concat_ws(' ',
    (SELECT string_agg(e::text, ' ' ORDER BY e.merchant_id, e.source, e.kind)
     FROM pay.journal_entry e),
    (SELECT string_agg(r::text, ' ' ORDER BY r.row_id)
     FROM pay.settlement_row r),
    (SELECT string_agg(x::text, ' ' ORDER BY x.exception_id)
     FROM pay.settlement_exception x),
    (SELECT string_agg(l::text, ' ' ORDER BY l.row_id)
     FROM pay.settlement_link l),
    (SELECT string_agg(c::text, ' ' ORDER BY c.merchant_id, c.source, c.kind)
     FROM pay.settlement_closed c),
    (SELECT string_agg(o::text, ' ' ORDER BY o.merchant_id,
                       o.payment_order_id) FROM pay.payment_order o),
    (SELECT count(*) FROM pay.webhook_inbox),
    (SELECT count(*) FROM pay.settlement_work),
    (SELECT count(*) FROM pay.settlement_staging)))"""
FOUND = """
SELECT r.source, r.row_key, r.version, r.class, r.finding, x.closed_as,
    x.finding
FROM pay.settlement_row r LEFT JOIN pay.settlement_exception x USING (row_id)"""
OVERDUE = """
SELECT coalesce(x.checkout_id, x.source), e.family, x.currency,
    sum(x.amount_minor)::bigint
FROM pay.settlement_exception x
JOIN pay.settlement_expected e ON e.kind = x.kind
WHERE x.finding = 'overdue' AND x.closed_at IS NULL
    AND (e.family = 'payout') = %s
GROUP BY 1, 2, 3 HAVING sum(x.amount_minor) <> 0"""
HELD = """
SELECT l.owner, l.currency, sum(l.amount_minor)::bigint
FROM pay.journal_line l
WHERE l.account IN ('psp_clearing', 'refunds', 'chargebacks')
GROUP BY 1, 2 HAVING sum(l.amount_minor) <> 0"""
UNEVEN = """
SELECT currency, sum(amount_minor) FROM pay.journal_line
GROUP BY 1 HAVING sum(amount_minor) <> 0"""
STAGED = """
INSERT INTO pay.settlement_staging (file_id, line, row_key, kind, psp_ref,
    parent_ref, our_ref, booked_on, gross_minor, fee_minor, tax_minor,
    net_minor, currency, paid_minor, paid_currency, payout_ref, note)
VALUES (%s, %s, %s, %s, nullif(%s, ''), nullif(%s, ''), nullif(%s, ''), %s,
    %s, %s, %s, %s, %s, %s, nullif(%s, ''), nullif(%s, ''), nullif(%s, ''))"""


class Books:
    """A database with sources, and payctl on it as payments_operator."""

    def __init__(self, name, path):
        self.path = path
        self.dsn = f"dbname={name} user=payments_operator"
        self.connection = psycopg2.connect(dbname=name)
        self.connection.autocommit = True

    def sql(self, query, values=None):
        """All rows of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def payctl(self, *words):
        """Exit code, and what payctl prints."""
        done = subprocess.run(
            [PAYCTL, *words, "--dsn", self.dsn],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def load(self, source, name, text):
        """The import of a file: exit code, and what it says."""
        path = self.path / name
        path.write_text(text, encoding="utf-8")
        code, said = self.payctl("settlement", "import", "--source", source,
                                 "-o", "json", str(path))
        assert said.startswith("{"), said
        return code, json.loads(said)

    def digest(self):
        """All that imports write."""
        return self.sql(DIGEST)[0][0]


@pytest.fixture(name="template", scope="module")
def made_once():
    """A database with the schema and the helpers of pgTAP's tests."""
    name = f"pay_play_{uuid.uuid4().hex[:12]}"
    subprocess.run(["createdb", "-T", "template0", name], check=True)
    subprocess.run(
        [PAYCTL, "migrate", "--dsn", f"dbname={name}", "--sql", ROOT / "sql"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    text = "".join((HERE / f"{n}.psql").read_text(encoding="utf-8")
                   for n in ("helpers", "changes"))
    text = "CREATE SCHEMA played;" + text.replace("pg_temp.", "played.")
    subprocess.run(["psql", "-qX", "-d", name], input=text + ASKED,
                   text=True, check=True, capture_output=True)
    with psycopg2.connect(dbname=name) as connection:
        with connection.cursor() as cursor:
            query = ("SELECT pay_ops.set_settlement_source(%s, %s, %s, %s, '',"
                     " '2020-01-01', 9)")
            for source, (psp, merchant, form) in SOURCES.items():
                cursor.execute(query, [source, form, merchant, psp])
            for merchant, source in BANKS.items():
                cursor.execute(query, [source, "mt940", merchant, ""])
    connection.close()
    yield name
    subprocess.run(["dropdb", "--force", name], check=True)


class Run:
    """One history, from its first payment to its last file."""

    def __init__(self, books, seed, count):
        self.books = books
        self.history = History(books, seed, count)
        self.files = Files(self.history)
        self.judge = Judge(self.history)
        self.dice = self.files.chance("order")
        self.done = []
        self.failed = []

    def all(self):
        """The files in some order, what is late, the banks, all again."""
        for file in sorted(self.files.all, key=lambda f: self.files.chance(
                "order", f.name).random()):
            self.file(file)
        self.overdue(SOURCES)
        assert self.late_entries(False) == self.judge.open_entries()
        self.meanwhile()
        self.failed = self.returned()
        for file in self.files.last(self.failed):
            self.file(file)
        self.compare()
        self.balances()
        self.banks()
        before = self.books.digest()
        self.dice.shuffle(self.done)
        for file in self.done:
            self.known(file)
        assert self.books.digest() == before, "booked twice"
        code, said = self.books.payctl("check")
        assert code == 0, said

    def file(self, file):
        """A file comes: first broken perhaps, then as it is, perhaps with a
        crash between its steps, then perhaps once more."""
        dice = self.files.chance("import", file.name)
        if dice.random() < 0.3:
            self.broken(file, dice)
        is_booked = False
        if SOURCES[file.source][2] == "generic" and dice.random() < 0.5:
            is_booked = self.crash(file, dice)
        if dice.random() < 0.15:
            is_booked = self.both(file)
        code, said = self.books.load(file.source, file.name, file.text)
        assert (code, said["state"]) == (3 if is_booked else 0, "booked"), (
            file.name, said)
        self.judge.take(file)
        self.done.append(file)
        if dice.random() < 0.3:
            self.known(dice.choice(self.done))

    def known(self, file):
        """The same bytes again."""
        before = self.books.digest()
        code, said = self.books.load(file.source, file.name, file.text)
        assert (code, said["reason"]) == (3, "known already"), said
        assert self.books.digest() == before, file.name

    def broken(self, file, dice):
        """A file whose proof does not hold is refused, and changes nothing."""
        form = SOURCES[file.source][2]
        lines = file.text.splitlines(keepends=True)
        if form == "generic":
            if dice.random() < 0.5:
                lines = lines[:dice.randrange(1, len(lines))]
            else:
                lines[-1] = re.sub(r"^total,(\d+)",
                                   lambda m: f"total,{int(m[1]) + 1}",
                                   lines[-1])
        elif file.payouts:
            lines.append(lines[-1].replace("po-", "xx-", 1))
        else:
            return
        before = self.books.digest()
        code, said = self.books.load(file.source, file.name, "".join(lines))
        assert (code, said["state"]) == (1, "refused"), (file.name, said)
        assert self.books.digest() == before, file.name

    def crash(self, file, dice):
        """All that payctl does, up to some step; then the server crashes,
        and takes with it what is unlogged.  True: it was booked before."""
        sql = self.books.sql
        digest = hashlib.sha256(file.text.encode()).hexdigest()
        number = sql("SELECT file_id FROM pay_ops.open_settlement(%s, %s, %s)",
                     [file.source, digest, file.name])[0][0]
        with self.books.connection.cursor() as cursor:
            psycopg2.extras.execute_batch(cursor, STAGED, [[
                number, line, row.key, row.kind, row.psp_ref, row.parent_ref,
                row.our_ref, "2026-11-21", row.gross, row.fee, row.tax,
                row.net, row.currency,
                row.paid if row.paid_currency else None, row.paid_currency,
                row.payout, row.note]
                for line, row in enumerate(file.rows, 1)])  # fmt: skip
        steps = dice.randrange(-1, 2 * len(file.rows))
        if steps >= 0:
            sql("SELECT pay_ops.prove_settlement(%s, '', %s, '{}')",
                [number, len(file.rows)])
        state = "received"
        for _ in range(steps):
            state = sql("SELECT pay_ops.advance_settlement(%s, 1)",
                        [number])[0][0]
            if state == "booked":
                break
        if dice.random() < 0.7:
            sql("TRUNCATE pay.settlement_staging, pay.settlement_work,"
                " pay.settlement_open")
        return state == "booked"

    def both(self, file):
        """Two importers of one file at once: either may win, or both give
        up.  True: it is booked."""
        path = self.books.path / file.name
        path.write_text(file.text, encoding="utf-8")
        some = [
            subprocess.Popen(
                [PAYCTL, "settlement", "import", "--source", file.source,
                 str(path), "--dsn", self.books.dsn],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(2)
        ]  # fmt: skip
        assert {one.wait(timeout=300) for one in some} <= {0, 1, 2, 3}
        digest = hashlib.sha256(file.text.encode()).hexdigest()
        return self.books.sql(
            "SELECT state FROM pay.settlement_file WHERE source = %s"
            " AND sha256 = decode(%s, 'hex')", [file.source, digest],
        ) == [("booked",)]  # fmt: skip

    def overdue(self, sources):
        """What no file has brought in its time."""
        for source in sources:
            self.books.sql("SELECT pay_ops.raise_overdue(%s,"
                           " now() + interval '99 days')", [source])

    def late_entries(self, is_payout):
        """Entries in the queue, summed up."""
        return {row[:3]: row[3] for row in self.books.sql(OVERDUE,
                                                          [is_payout])}

    def meanwhile(self):
        """Webhooks that come after the files: payments that were not known,
        disputes that are lost."""
        history = self.history
        for payment in history.unheard:
            history.begin(payment, "unheard")
            rows = [r for r in history.rows[payment.source]
                    if r.payment is payment]
            normal = all(self.judge.is_normal(row) for row in rows)
            for _, minor in payment.orders:
                entry = history.expect(payment, "sale", minor)
                entry.settled = normal
            for one in self.judge.expected.values():
                if one.row in rows and (3, "unknown") in one.allowed:
                    one.closed = {"matched"}
        for payment, minor in history.lost:
            history.dispute_news(payment, "lost", minor)
            entry = Entry(payment.checkout, "dispute", -minor,
                          payment.currency, payment.psp)
            entry.settled = any(
                self.judge.is_normal(r) for r in history.rows[payment.source]
                if r.payment is payment and r.kind == "dispute")
            history.entries.append(entry)

    def returned(self):
        """Payouts that fail after the PSP has called them paid."""
        dice = self.files.chance("returned")
        return [p for p in self.judge.payouts
                if p.minor > 0 and dice.random() < 0.2]

    def compare(self):
        """Each row that is kept has a finding that is right for it."""
        judge, wrong, good = self.judge, [], {}
        found = {}
        gone = set()
        for source, key, version, kind, finding, closed, queued in (
                self.books.sql(FOUND)):
            found[source, key, version] = (kind, finding, closed)
            if queued == "gone":
                gone.add((source, key))
        for name, one in judge.expected.items():
            kind, finding, closed = found.pop(name, (None, None, None))
            if ((kind, finding) not in one.allowed
                    or closed not in one.closed):
                wrong.append((name, one.row.payment, (kind, finding, closed),
                              one.allowed, one.closed))
            if one.twins and one.row.payment.paid:
                good.setdefault(id(one.twins), []).append(
                    (finding, closed, name, one.row.found))
        assert not wrong, "\n".join(map(str, wrong))
        assert not found, found
        for some in good.values():
            # a dispute that came before its payment waits for an operator
            if all(x[3][0][1] == "disputed" and x[0] == "early"
                   for x in some):
                continue
            assert sum(x[:2] in (("early", "matched"), (x[3][0][1], None))
                       for x in some) == 1, some
        assert gone == judge.gone
        assert self.late_entries(False).items() <= (
            judge.open_entries().items())

    def balances(self):
        """What the PSP owes is what its files say, and what is still open."""
        held = {}
        for row in self.books.sql(FOUND):
            one = self.judge.expected[row[:3]]
            psp = SOURCES[row[0]][0]
            if row[3] in BOOKED or row[4] == "exceeds" or row[5]:
                held.setdefault((psp, one.row.currency), []).append(
                    one.row.net)
        for entry in self.history.entries:
            if not entry.settled:
                held.setdefault((entry.psp, entry.currency), []).append(
                    entry.minor)
        held = {key: sum(some) for key, some in held.items() if sum(some)}
        assert {row[:2]: row[2] for row in self.books.sql(HELD)} == held
        assert self.books.sql(UNEVEN) == []

    def banks(self):
        """What arrives at the banks."""
        for payout in self.failed:
            payout.open = False
        payouts = [p for p in self.judge.payouts if p.open]
        bank = Bank(self.files, payouts)
        for file in bank.files:
            code, said = self.books.load(file.source, file.name, file.text)
            assert (code, said["state"]) == (0, "booked"), said
            self.done.append(file)
        found = {row[:3]: row[3:5] for row in self.books.sql(FOUND)
                 if row[0] in BANKS.values()}
        wrong = {key: (found.get(key), value)
                 for key, value in bank.expected.items()
                 if found.get(key) != value[1]}
        assert not wrong, wrong
        assert len(found) == len(bank.expected)
        self.overdue(BANKS.values())
        assert self.late_entries(True) == {
            (f"payout/{p.source}/1/{p.key}", "payout", p.currency): p.minor
            for p in payouts if p.open}
        assert self.books.sql(UNEVEN) == []


def play(template, path, seed, count):
    """A history in a database of its own; what is wrong with it, or None."""
    name = f"pay_play_{uuid.uuid4().hex[:12]}"
    subprocess.run(["createdb", "-T", template, name], check=True)
    books = Books(name, path)
    try:
        Run(books, seed, count).all()
        return None
    except AssertionError as error:
        return str(error) or repr(error)
    finally:
        books.connection.close()
        subprocess.run(["dropdb", "--force", name], check=True)


def shortest(template, path, seed, count):
    """The smallest prefix that fails, and how."""
    for n in range(1, count if SHORTEST else 0):
        wrong = play(template, path, seed, n)
        if wrong:
            return n, wrong
    return count, play(template, path, seed, count)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_each_fault_of_a_random_history_is_found_and_none_invented(
    template, tmp_path, seed
):
    if play(template, tmp_path, seed, STORIES):
        count, wrong = shortest(template, tmp_path, seed, STORIES)
        pytest.fail(f"SEED={seed} STORIES={count} HISTORIES=1:\n{wrong}")


def test_a_history_depends_on_its_seed_alone(template, tmp_path):
    """A prefix is the same history cut short."""
    told = []
    for count in (8, 8, 6):
        name = f"pay_play_{uuid.uuid4().hex[:12]}"
        subprocess.run(["createdb", "-T", template, name], check=True)
        books = Books(name, tmp_path)
        history = History(books, 7, count)
        books.connection.close()
        subprocess.run(["dropdb", "--force", name], check=True)
        told.append({(source, row.key, row.contents(), row.batch)
                     for source in SOURCES for row in history.rows[source]})
    assert told[0] == told[1]
    assert told[2] <= told[0]
    assert BATCHES > 1
