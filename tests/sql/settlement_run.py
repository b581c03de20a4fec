"""One random history, from its first payment to its last file, in a database
that others may share; and what all histories of a database come to.
"""

import collections
import dataclasses
import hashlib
import random
import re

import psycopg2.extras
from settlement_books import DIGEST_OF
from settlement_history import Entry, History
from settlement_judge import BOOKED, Bank, Files, Judge

FOUND = """
SELECT r.source, r.row_key, r.version, r.class, r.finding, x.closed_as,
    EXISTS (SELECT FROM pay.settlement_exception g
            WHERE g.row_id = r.row_id AND g.finding = 'gone')
FROM pay.settlement_row r LEFT JOIN pay.settlement_exception x
    ON x.row_id = r.row_id AND x.finding <> 'gone'
WHERE r.source = ANY (%(sources)s)"""
OVERDUE = """
SELECT coalesce(x.checkout_id, x.source), e.family, x.currency,
    sum(x.amount_minor)::bigint
FROM pay.settlement_exception x
JOIN pay.settlement_expected e ON e.kind = x.kind
WHERE x.finding = 'overdue' AND x.closed_at IS NULL
    AND (e.family = 'payout') = %(is_payout)s
    AND x.merchant_id = ANY (%(merchants)s)
GROUP BY 1, 2, 3 HAVING sum(x.amount_minor) <> 0"""
HELD = """
SELECT l.owner, l.currency, sum(l.amount_minor)::bigint
FROM pay.journal_line l
WHERE l.account IN ('psp_clearing', 'refunds', 'chargebacks')
    AND l.merchant_id = ANY (%(merchants)s)
GROUP BY 1, 2 HAVING sum(l.amount_minor) <> 0"""
DOUBTED = """
SELECT m.checkout_id, m.object FROM pay.mismatch m
WHERE m.merchant_id = ANY (%(merchants)s) AND m.kind = 'refund'
    AND m.why = 'contradiction'
"""
UNEVEN = """
SELECT merchant_id, currency, sum(amount_minor) FROM pay.journal_line
GROUP BY 1, 2 HAVING sum(amount_minor) <> 0"""
STAGED = """
INSERT INTO pay.settlement_staging (file_id, line, row_key, kind, psp_ref,
    parent_ref, our_ref, booked_on, gross_minor, fee_minor, tax_minor,
    net_minor, currency, paid_minor, paid_currency, payout_ref, note)
VALUES (%s, %s, %s, %s, nullif(%s, ''), nullif(%s, ''), nullif(%s, ''), %s,
    %s, %s, %s, %s, %s, %s, nullif(%s, ''), nullif(%s, ''), nullif(%s, ''))"""
SOURCE = """
SELECT pay_ops.set_settlement_source(%s, %s, %s, %s, '', '2020-01-01', 9)"""


class Run:
    """One history, from its first payment to its last file."""

    def __init__(self, books, seed, count):
        self.books = books
        self.history = History(books, seed, count)
        self.sources = self.history.sources
        self.names = {
            "sources": [*self.sources, *self.history.banks.values()],
            "merchants": list(self.history.banks),
        }
        self.files = Files(self.history)
        self.judge = Judge(self.history)
        self.done = []
        self.failed = []
        self.met = collections.Counter(histories=1)
        for source, (psp, merchant, form) in self.sources.items():
            books.sql(SOURCE, [source, form, merchant, psp])
        for merchant, source in self.history.banks.items():
            books.sql(SOURCE, [source, "mt940", merchant, ""])

    def digest(self):
        """All that imports of this history write."""
        return self.books.sql(DIGEST_OF, self.names)[0][0]

    def all(self):
        """The files in some order, what is late, the banks."""
        for file in sorted(self.files.all, key=lambda f: self.files.chance(
                "order", f.name).random()):
            self.file(file)
        self.overdue(self.sources)
        assert self.late_entries(False) == self.judge.open_entries()
        self.meanwhile()
        self.failed = self.returned()
        for file in self.files.last(self.failed):
            self.file(file)
        self.compare()
        self.balances()
        self.banks()
        self.count()

    def file(self, file):
        """A file comes: first broken perhaps, then as it is, perhaps with a
        crash between its steps, then perhaps once more."""
        dice = self.files.chance("import", file.name)
        if dice.random() < 0.3:
            self.broken(file, dice)
        is_booked = False
        if self.sources[file.source][2] == "generic" and dice.random() < 0.5:
            is_booked = self.crash(file, dice)
        if dice.random() < 0.15:
            is_booked = self.both(file)
        code, said = self.books.load(file)
        assert (code, said["state"]) == (3 if is_booked else 0, "booked"), (
            file.name, said)
        self.judge.take(file)
        self.done.append(file)
        if dice.random() < 0.3:
            self.known(dice.choice(self.done))

    def known(self, file):
        """The same bytes again."""
        before = self.digest()
        self.repeat(file)
        assert self.digest() == before, file.name

    def repeat(self, file):
        """The same bytes again; whoever calls looks at what they change."""
        code, said = self.books.load(file)
        assert (code, said["reason"]) == (3, "known already"), said

    def broken(self, file, dice):
        """A file whose proof does not hold is refused, and changes nothing."""
        form = self.sources[file.source][2]
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
        before = self.digest()
        self.met["files refused"] += 1
        code, said = self.books.load(
            dataclasses.replace(file, text="".join(lines)))
        assert (code, said["state"]) == (1, "refused"), (file.name, said)
        assert self.digest() == before, file.name

    def crash(self, file, dice):
        """All that payctl does, up to some step; then the server crashes,
        and takes with it what is unlogged.  True: it was booked before."""
        sql = self.books.sql
        self.met["files cut short by a crash"] += 1
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
            # as TRUNCATE leaves them, and with plans that stay
            sql("DELETE FROM pay.settlement_staging;"
                "DELETE FROM pay.settlement_work;"
                "DELETE FROM pay.settlement_open")
        return state == "booked"

    def both(self, file):
        """Two importers of one file at once: either may win, or both give
        up.  True: it is booked."""
        self.met["files read by two at once"] += 1
        assert self.books.load_twice(file) <= {0, 1, 2, 3}
        digest = hashlib.sha256(file.text.encode()).hexdigest()
        return self.books.sql(
            "SELECT state FROM pay.settlement_file WHERE source = %s"
            " AND sha256 = decode(%s, 'hex')", [file.source, digest],
        ) == [("booked",)]  # fmt: skip

    def overdue(self, sources):
        """What no file has brought in its time."""
        for source in sources:
            again = True
            while again:
                ((again,),) = self.books.sql(
                    "SELECT (pay_ops.raise_overdue(%s,"
                    " now() + interval '99 days')).again", [source])

    def late_entries(self, is_payout):
        """Entries in the queue, summed up."""
        return {row[:3]: row[3] for row in self.books.sql(
            OVERDUE, self.names | {"is_payout": is_payout})}

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
                if (one.row in rows and (3, "unknown") in one.allowed
                        and not one.is_ended):
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

    def count(self):
        """How much was judged: what was not met was not tested."""
        self.met["files booked"] = len(self.done)
        for row in self.books.sql(FOUND, self.names):
            self.met[f"rows of class {row[3]} {row[4]}"] += 1

    def compare(self):
        """Each row that is kept has a finding that is right for it."""
        judge, wrong, good = self.judge, [], {}
        found = {}
        gone, missed = set(), set()
        for source, key, version, kind, finding, closed, queued in (
                self.books.sql(FOUND, self.names)):
            found[source, key, version] = (kind, finding, closed)
            if queued:
                gone.add((source, key))
        for name, one in judge.expected.items():
            kind, finding, closed = found.pop(name, (None, None, None))
            if ((kind, finding) not in one.allowed
                    or closed not in one.closed):
                wrong.append((name, one.row.payment, (kind, finding, closed),
                              one.allowed, one.closed))
            if one.missed and kind is not None and (
                    kind < 2 or closed == "matched" or finding == "exceeds"):
                missed.add(name[:2])
            if one.twins and one.row.payment.paid:
                good.setdefault(id(one.twins), []).append(
                    (finding, closed, name, one.row.found))
        assert not wrong, "\n".join(map(str, wrong))
        assert not found, found
        # what comes back has gone before, in whichever order the rows stand
        assert self.books.sql(DOUBTED, self.names) == []
        for some in good.values():
            # a dispute that came before its payment waits for an operator
            if all(x[3][0][1] == "disputed" and x[0] == "early"
                   for x in some):
                continue
            assert sum(x[:2] in (("early", "matched"), ("matched", None),
                                 (x[3][0][1], None))
                       for x in some) == 1, some
        assert gone == missed
        assert self.late_entries(False).items() <= (
            judge.open_entries().items())

    def balances(self):
        """What the PSP owes is what its files say, and what is still open."""
        held = {}
        for row in self.books.sql(FOUND, self.names):
            one = self.judge.expected[row[:3]]
            psp = self.sources[row[0]][0]
            if row[5] != "gone" and (
                    row[3] in BOOKED or row[4] == "exceeds" or row[5]):
                held.setdefault((psp, one.row.currency), []).append(
                    one.row.net)
        for entry in self.history.entries:
            if not entry.settled:
                held.setdefault((entry.psp, entry.currency), []).append(
                    entry.minor)
        held = {key: sum(some) for key, some in held.items() if sum(some)}
        found = {row[:2]: row[2] for row in self.books.sql(HELD, self.names)}
        assert found == held, (found, held)

    def banks(self):
        """What arrives at the banks."""
        for payout in self.failed:
            payout.open = False
        payouts = [p for p in self.judge.payouts if p.open]
        bank = Bank(self.files, payouts)
        for file in bank.files:
            code, said = self.books.load(file)
            assert (code, said["state"]) == (0, "booked"), said
            self.done.append(file)
        found = {row[:3]: row[3:5] for row in self.books.sql(FOUND, self.names)
                 if row[0] in self.history.banks.values()}
        wrong = {key: (found.get(key), value)
                 for key, value in bank.expected.items()
                 if found.get(key) != value[1]}
        assert not wrong, wrong
        assert len(found) == len(bank.expected)
        self.overdue(self.history.banks.values())
        assert self.late_entries(True) == {
            (f"payout/{p.source}/1/{p.key}", "payout", p.currency): p.minor
            for p in payouts if p.open}


def of_all(books, runs):
    """What is wrong with the histories of a database together, or None:
    all their files come once more, in one order of all."""
    before = books.digest()
    files = [(run, file) for run in runs for file in run.done]
    random.Random(len(files)).shuffle(files)
    try:
        for run, file in files:
            run.repeat(file)
        assert books.digest() == before, "booked twice"
        assert books.sql(UNEVEN) == []
        code, said = books.payctl("check")
        assert code == 0, said
    except AssertionError as error:
        return str(error) or repr(error)
    return None
