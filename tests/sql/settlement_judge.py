"""The files of a random history, and what is right for each row when they are
imported in some order: which one is new, known, changed, added or gone, and
what is found of it.  Nothing here is read from the gateway.
"""

import collections
import dataclasses
import random

from settlement_files import WRITERS, adyen_keys, mt940
from settlement_history import (
    BATCHES,
    CONFIRMED,
    DUPLICATE,
    EARLY,
    LATE,
    Entry,
    Told,
)

BOOKED = (0, 1, 3)


@dataclasses.dataclass(eq=False)
class File:
    """A file of a source; batch: that which may come again with other
    bytes."""

    source: str
    name: str
    rows: list
    batch: str
    text: str
    payouts: list


@dataclasses.dataclass(eq=False)
class Payout:
    """Money on its way to a bank, or back."""

    source: str
    currency: str
    ref: str
    minor: int
    key: str
    form: str
    open: bool = False

    @property
    def name(self):
        """What stands on the bank's statement."""
        return f"TX{self.ref}XT" if self.form == "adyen" else self.ref


@dataclasses.dataclass(eq=False)
class Expected:
    """What is right for a row that is kept."""

    row: object
    allowed: set
    closed: set
    file: object
    twins: object = None
    missed: bool = False  # a later version of the file lacks it

    @property
    def is_ended(self):
        """Nothing of it is booked, and it waits no more."""
        return self.missed and self.closed == {"gone"}

    def miss(self):
        """A later version lacks it.  What waits with nothing booked, or in
        suspense, ends; what is booked waits for an operator."""
        self.missed = True
        waits = {found for found in self.allowed if found[0] >= 2
                 and found[1] not in ("exceeds", "repeated")}  # fmt: skip
        if waits and None in self.closed:
            self.closed.add("gone")
            if waits == self.allowed:
                self.closed.remove(None)
            if self.closed == {"gone"}:
                for entry in self.row.entries:
                    entry.settled = False


class Files:
    """The files of a history."""

    def __init__(self, history):
        self.history = history
        self.seed = history.seed
        self.all = []
        for source in history.sources:
            for batch in range(BATCHES):
                self.make(source, batch)
        self.again()

    def chance(self, *names):
        """A generator for one thing alone."""
        return random.Random("/".join(map(str, (self.seed, *names))))

    def make(self, source, batch, more=()):
        """One file, its payouts included; None: it would be empty."""
        rows = [r for r in self.history.rows[source] if r.batch == batch]
        rows += more
        if not rows:
            return None
        rows.sort(key=lambda r: self.chance(source, r.key).random())
        file = self.write(source, batch, f"{source}-{batch}.csv", rows)
        self.all.append(file)
        return file

    def write(self, source, batch, name, rows):
        """A file of rows, and the payouts that they come to."""
        form = self.history.sources[source][2]
        rows = list(rows)
        payouts = []
        number = str(7001 + 10 * batch)
        sums = collections.Counter()
        for row in rows:
            ref = f"po-{source}-{batch}-{row.currency}"
            if not row.payout:
                row.payout = number if form == "adyen" else ref
            if form != "generic" or row.payout == ref:
                sums[row.currency] += row.net
        for currency, minor in sums.items():
            if minor == 0:
                continue
            ref = f"po-{source}-{batch}-{currency}"
            row = Told("payout", key=ref, psp_ref=ref, payout=ref,
                       gross=-minor, currency=currency,
                       found=((1, "paid_out"),))
            if form == "adyen":
                row.psp_ref, row.payout = "", number
                row.note = f"TX{number}XT batch {number}, M1"
            rows.append(row)
        if form == "adyen":
            adyen_keys(rows)
        for row in rows:
            if row.kind == "payout":
                payouts.append(Payout(source, row.currency, row.payout,
                                      -row.gross, row.key, form))
        batch_key = None
        if form != "generic":
            batch_key = f"{rows[0].payout}/{rows[0].currency}"
        return File(source, name, rows, batch_key, WRITERS[form](rows),
                    payouts)

    def again(self):
        """One batch comes with other bytes: a row less, one more, and one
        that is changed."""
        some = [f for f in self.all if f.batch and len(f.rows) >= 5]
        dice = self.chance("version")
        if not some or dice.random() < 0.5:
            return
        old = dice.choice(some)
        rows = [r for r in old.rows if r.kind != "payout"]
        alone = [r for r in rows[1:] if not r.group]
        if not alone:
            return
        rows.remove(dice.choice(alone))
        for n, row in enumerate(rows[1:], 1):
            if row.kind == "fee":
                rows[n] = dataclasses.replace(row, fee=row.fee - 1)
                break
        rows.append(Told("fee", key="fee-new", note="fee new", fee=-5,
                         currency=rows[0].currency, found=((1, "charged"),)))
        batch = int(old.name.rsplit("-", 1)[1].split(".")[0])
        self.all.append(self.write(old.source, batch, "again-" + old.name,
                                   rows))

    def last(self, returned):
        """The files of all that is late, with payouts that came back."""
        files = []
        for source in self.history.sources:
            more = [Told("fee", key=f"fee-last-{source}", note="fee last",
                         fee=-1, found=((1, "charged"),))]
            for payout in returned:
                if payout.source == source:
                    more.append(self.back(payout))
            files.append(self.make(source, LATE, more))
        return files

    def back(self, payout):
        """The row of a payout that did not arrive."""
        row = Told("payout_returned", key=f"back-{payout.ref}",
                   psp_ref=payout.ref, gross=payout.minor,
                   currency=payout.currency, found=((1, "returned"),))
        if payout.form == "generic":
            row.payout = payout.ref
        elif payout.form == "adyen":
            row.psp_ref = ""
            row.note = f"{payout.name} batch {payout.ref}, M1"
        return row


class Judge:
    """What the files should have come to, so far."""

    def __init__(self, history):
        self.history = history
        self.expected = {}
        self.newest = {}
        self.booked = []
        self.payouts = []

    def take(self, file):
        """A file is booked."""
        others = [f for f in self.booked if f.batch and f.batch == file.batch
                  and f.source == file.source]  # fmt: skip
        count = collections.Counter()
        new = []
        for row in file.rows:
            count[row.key] += 1
            nth = count[row.key]
            old, contents = self.newest.get((file.source, row.key), (0, None))
            if contents == row.contents() and (nth == 1 or nth <= old):
                continue
            if nth > 1:
                self.keep(file, row, old + nth, (2, "repeated"))
            elif old:
                self.keep(file, row, old + 1, (2, "changed"))
            elif others:
                self.keep(file, row, 1, (2, "added"))
            else:
                new.append(row)
        for other in others:
            self.miss(other, set(count))
        self.judge(file, new)
        for key, nth in count.items():
            row = [r for r in file.rows if r.key == key][-1]
            old, contents = self.newest.get((file.source, key), (0, None))
            if contents != row.contents() or nth > old:
                self.newest[file.source, key] = (old + nth, row.contents())
        self.booked.append(file)

    def keep(self, file, row, version, *found, closed=(None,)):
        """A row is kept, with one of these findings."""
        one = Expected(row, set(found), set(closed), file)
        self.expected[file.source, row.key, version] = one
        return one

    def miss(self, other, keys):
        """A later version lacks rows that this one has brought."""
        for (_, key, _), one in self.expected.items():
            if one.file is other and key not in keys:
                one.miss()

    def judge(self, file, new):
        """Rows that come for the first time; sales come before all else."""
        for row in new:
            payment = row.payment
            if (row.kind == "sale" and payment and not payment.paid
                    and CONFIRMED in row.found):
                payment.paid = True
                for early in payment.early:
                    if early.is_ended:
                        self.heard(early)
                        continue
                    early.closed = {"matched"}
                    if early.row.twins:
                        early.closed.add(None)
        for row in new:
            found, closed = set(row.found), (None,)
            if row.later and not row.payment.paid:
                found = {EARLY}
            one = self.keep(file, row, 1, *found, closed=closed)
            if found == {EARLY}:
                row.payment.early.append(one)
            if row.twins:
                one.twins = row.twins
                # one tells of the fact, and either finds its entry
                one.allowed |= {DUPLICATE, (0, "matched")}
                if row.kind == "dispute":
                    one.allowed.add((2, "contradiction"))
            for entry in row.entries:
                entry.settled = True
            for payout in file.payouts:
                if row.kind == "payout" and row.key == payout.key:
                    payout.open = True
                    self.payouts.append(payout)

    def heard(self, one):
        """News of a row that is gone stay: its refund is booked with the
        sale, and no row settles it."""
        row = one.row
        if row.kind == "refund":
            self.history.entries.append(
                Entry(row.payment.checkout, "refund", row.gross, row.currency,
                      row.payment.psp))  # fmt: skip

    def is_normal(self, row):
        """Whether a row was new when it came."""
        return any(
            one.row is row and one.allowed & set(row.found)
            and not one.is_ended
            for one in self.expected.values()
        )

    def open_entries(self):
        """Entries that no row has settled, by payment, family, currency."""
        sums = collections.Counter()
        for entry in self.history.entries:
            if not entry.settled:
                sums[entry.checkout, entry.family, entry.currency] += (
                    entry.minor)
        return {key: minor for key, minor in sums.items() if minor}


class Bank:
    """Statements of the banks: payouts as they are, merged, with a fee
    taken, not at all; and what nobody knows."""

    def __init__(self, files, payouts):
        self.dice = files.chance("bank")
        self.names = files.history.banks
        self.payouts = payouts
        self.files = []
        self.expected = {}
        groups = {}
        for payout in payouts:
            merchant = files.history.sources[payout.source][1]
            groups.setdefault((merchant, payout.currency), []).append(payout)
        for number, (key, some) in enumerate(sorted(groups.items()), 1):
            self.write(number, *key, some)

    def sums(self, some):
        """All sums of up to four payouts, however often each comes."""
        count = collections.Counter({0: 0})
        sums = [(0, 0)]
        for payout in some:
            sums += [(n + 1, minor + payout.minor) for n, minor in sums
                     if n < 4]  # fmt: skip
        for n, minor in sums:
            if n:
                count[minor] += 1
        return count

    def write(self, number, merchant, currency, some):
        """The statement of one account."""
        count = self.sums(some)
        lines = []
        rest = list(some)
        while rest:
            payout = rest.pop(0)
            fate = self.dice.choice(["text", "text", "alone", "merged", "fee",
                                     "missing"])
            twins = [p for p in rest if p.source == payout.source]
            total = payout.minor
            if fate == "merged" and twins:
                total += twins[0].minor
                if count[total] == 1 and total:
                    rest.remove(twins[0])
                    lines.append((total, "BANK", (0, "matched")))
                    payout.open = twins[0].open = False
                    continue
                total = payout.minor
            if fate == "missing":
                continue
            if fate == "alone" and count[total] == 1:
                lines.append((total, "BANK", (0, "matched")))
                payout.open = False
            elif fate == "fee" and payout.minor > 100:
                lines.append((total - 3, f"PAID {payout.name}",
                              (2, "amount")))
            else:
                lines.append((total, f"PAID {payout.name}", (0, "matched")))
                payout.open = False
        for minor in (self.dice.randint(1, 9999), -self.dice.randint(1, 99)):
            if not count[minor]:
                lines.append((minor, "A FRIEND", (3, "unknown")))
        self.dice.shuffle(lines)
        account = f"12{number}/{merchant}"
        text = mt940(account, number, currency,
                     [(minor, words) for minor, words, _ in lines])
        name = f"{self.names[merchant]}-{currency}.sta"
        self.files.append(File(self.names[merchant], name, [], None, text, []))
        for n, (minor, _, found) in enumerate(lines, 1):
            key = f"{account}/{number}/2026-11-20/{n}"
            self.expected[self.names[merchant], key, 1] = (minor, found)
