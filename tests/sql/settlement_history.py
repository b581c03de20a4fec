"""Random histories of payments, and what PSPs and banks tell of them with
faults: each row with the findings that are right for it, each entry with the
row that settles it.  Nothing here is read from the gateway.

A story is one payment with all that happens to it, or one charge.  Story n
depends on the seed and on n alone, so that a prefix of a history is the same
history cut short.  Merchants, sources, orders and ids of PSPs have the seed in
their names: many histories share a database, and none knows of the others.
"""

import dataclasses
import random

from settlement_files import DECIMALS, Row

BATCHES = 3
LATE = BATCHES  # the batch that comes when all are overdue
SHAPES = {
    # source: PSP, merchant of its charges, format; of each history its own
    "shop-a": ("stripe", "m1", "stripe"),
    "shop-b": ("adyen", "m2", "adyen"),
    "shop-c": ("paypal", "m1", "generic"),
}
HOMES = {"m1": "bank-1", "m2": "bank-2"}  # merchants, and their banks
MATCHED = (0, "matched")
CONFIRMED = (1, "confirmed")
CHARGED = (1, "charged")
DUPLICATE = (2, "duplicate")
EARLY = (2, "early")
FAULTS = ("missing", "amount", "currency", "sign", "doubled", "late")


@dataclasses.dataclass(eq=False)
class Entry:
    """An entry of the ledger that some row should settle."""

    checkout: str
    family: str
    minor: int
    currency: str
    psp: str
    settled: bool = False


@dataclasses.dataclass(eq=False)
class Payment:
    """A checkout; paid: its orders know the money by now."""

    number: str
    source: str
    checkout: str
    orders: list
    currency: str
    parent: str
    ours: str
    paid: bool = False
    unheard: bool = False
    early: list = dataclasses.field(default_factory=list)

    @property
    def total(self):
        """What the buyer pays."""
        return sum(minor for _, minor in self.orders)


@dataclasses.dataclass(eq=False)
class Told(Row):
    """A row of a file, and what is right for it: found, where all that it
    needs is there; entries that it settles; twins: rows of which one is
    good and the others are duplicates; later: its payment has to be there
    before; group: it is right together with others alone."""

    batch: int = 0
    found: tuple = ()
    entries: list = dataclasses.field(default_factory=list)
    twins: object = None
    payment: Payment = None
    later: bool = False
    group: bool = False


class History:
    """Stories 0 to count - 1 of a seed, told to the books of a shop."""

    def __init__(self, shop, seed, count):
        self.shop = shop
        self.seed = seed
        self.random = None
        self.sources = {
            f"{name}-{seed}": (psp, f"{merchant}-{seed}", form)
            for name, (psp, merchant, form) in SHAPES.items()
        }
        self.banks = {
            f"{merchant}-{seed}": f"{bank}-{seed}"
            for merchant, bank in HOMES.items()
        }
        self.entries = []
        self.rows = {source: [] for source in self.sources}
        self.unheard = []
        self.lost = []
        for number in range(count):
            self.random = random.Random(f"{seed}/{number}")
            self.story(f"{seed}.{number}")

    def call(self, query, *values):
        """What one call says."""
        return self.shop.sql(query, values)[0][0]

    def must(self, wanted, query, *values):
        """A call whose outcome is known."""
        said = self.call(query, *values)
        assert said == wanted, (query, values, said, wanted)

    def tell(self, source, row):
        """A row comes in one of the files of a source."""
        self.rows[source].append(row)
        return row

    def some(self, currency):
        """An amount."""
        unit = 10 ** DECIMALS[currency]
        return self.random.randint(10 * unit, 900 * unit)

    def fee(self, currency):
        """What a PSP keeps."""
        return -self.random.randint(0, 10 ** DECIMALS[currency])

    def story(self, number):
        """One payment, or one row without any."""
        source = self.random.choice(list(self.sources))
        currency = self.random.choice(["EUR", "EUR", "USD", "JPY", "KWD"])
        batch = self.random.randrange(BATCHES)
        what = self.random.choices(
            ["payment", "fee", "reserve", "extra", "strange", "adjustment",
             "tax", "conversion"],
            [16, 2, 1, 1, 1, 1, 1, 1],
        )[0]  # fmt: skip
        if what == "payment":
            self.pay(number, source, currency, batch)
        else:
            name = "fee_of" if what == "fee" else what
            getattr(self, name)(number, source, currency, batch)

    # rows without a payment of ours

    def charge(self, number, source, kind, found, batch, currency, **amounts):
        """A row of the account."""
        return self.tell(source, Told(
            kind, key=f"{kind}-{number}", note=f"{kind} {number}",
            currency=currency, batch=batch, found=(found,), **amounts))

    def fee_of(self, number, source, currency, batch):
        """A fee of a month; twice the same is two fees."""
        minor = -self.random.randint(1, 500)
        self.charge(number, source, "fee", CHARGED, batch, currency,
                    fee=minor)

    def reserve(self, number, source, currency, batch):
        """Money that the PSP withholds, or releases."""
        minor = self.some(currency)
        kind = self.random.choice(["withheld", "released"])
        self.charge(number, source, kind, (1, "reserved"), batch, currency,
                    gross=minor if kind == "released" else -minor)

    def strange(self, number, source, currency, batch):
        """A type that nobody knows."""
        minor = self.some(currency) * self.random.choice([-1, 1])
        self.charge(number, source, "unknown", (3, "unknown"), batch,
                    currency, gross=minor)

    def adjustment(self, number, source, currency, batch):
        """A correction by hand."""
        minor = self.some(currency) * self.random.choice([-1, 1])
        self.charge(number, source, "adjustment", (2, "adjustment"), batch,
                    currency, gross=minor)

    def tax(self, number, source, currency, batch):
        """VAT in a row, where the format has it."""
        if self.sources[source][2] == "adyen":
            self.fee_of(number, source, currency, batch)
            return
        self.charge(number, source, "tax", CHARGED, batch, currency,
                    tax=-self.random.randint(1, 300))

    def conversion(self, number, source, currency, batch):
        """Two legs, or one of which the other is missing."""
        if self.sources[source][2] != "generic":
            self.fee_of(number, source, currency, batch)
            return
        other = "USD" if currency != "USD" else "EUR"
        legs = [(currency, -self.some(currency)), (other, self.some(other))]
        if self.random.random() < 0.3:
            legs.pop(self.random.randrange(2))
        found = (1, "converted") if len(legs) == 2 else (2, "unpaired")
        for code, minor in legs:
            row = self.charge(number, source, "conversion", found, batch,
                              code, gross=minor)
            row.key += code
            row.parent_ref = f"cv-{number}"

    def extra(self, number, source, currency, batch):
        """A payment that is not ours."""
        minor = self.some(currency)
        kind = self.random.choice(["sale", "refund", "dispute"])
        self.tell(source, Told(
            kind, key=f"x{number}", psp_ref=f"ch-x{number}",
            parent_ref=f"pi-x{number}", batch=batch, currency=currency,
            gross=minor if kind == "sale" else -minor,
            fee=self.fee(currency), found=((3, "unknown"),)))

    # payments

    def pay(self, number, source, currency, batch):
        """A checkout, how we know of it, its rows, and what follows."""
        psp, home, _ = self.sources[source]
        known = self.random.choices(
            ["told", "manual", "open", "lost", "unheard"],
            [12, 3, 4, 2, 1])[0]  # fmt: skip
        count = 1 if known == "manual" else self.random.choice([1, 1, 1, 2, 3])
        payment = Payment(
            number, source, f"c{number}",
            [(f"o{number}-{n}", self.some(currency)) for n in range(count)],
            currency, f"pi-{number}", "")
        payment.merchant = self.random.choice([*self.banks, home])
        payment.psp = psp
        if self.random.random() < 0.25:
            payment.ours = payment.orders[0][0]
        if known == "unheard":
            payment.unheard = True
            self.unheard.append(payment)
        else:
            self.begin(payment, known)
        if known == "manual":
            self.captures(payment, batch)
        else:
            self.sale(payment, known, batch)
        if known in ("told", "open", "lost") and count == 1:
            self.afterwards(payment, known)

    def begin(self, payment, known):
        """What the gateway has done, and what it has heard."""
        self.must(
            "created",
            "SELECT played.begun(%s, %s, %s, %s, %s, %s)",
            payment.merchant, payment.checkout,
            [f"{name}:{minor}" for name, minor in payment.orders],
            payment.psp, payment.currency,
            "manual" if known == "manual" else "automatic",
        )  # fmt: skip
        if known == "lost":
            payment.ours = payment.orders[0][0]
            self.call("SELECT played.no_token(%s, %s, 'unknown', p_psp => %s)",
                      payment.merchant, payment.checkout, payment.psp)
            return
        token = payment.parent
        if payment.ours and known in ("told", "manual"):
            # then the row names it by our id, and by one that nobody knows
            token = "t-" + payment.parent
        self.must("stored",
                  "SELECT played.token(%s, %s, %s, p_psp => %s)",
                  payment.merchant, payment.checkout, token, payment.psp)
        payment.token = token
        if known in ("told", "manual", "unheard"):
            self.must("applied",
                      "SELECT played.fact(%s, %s, p_psp => %s)", token,
                      "authorized" if known == "manual" else "paid",
                      payment.psp)
            payment.paid = True

    def expect(self, payment, family, minor, currency=None):
        """An entry that is in the books, and that a row should settle."""
        entry = Entry(payment.checkout, family, minor,
                      currency or payment.currency, payment.psp)
        self.entries.append(entry)
        return entry

    def row(self, payment, kind, name, minor, batch, found, entries, fee=0):
        """The row of a payment, as it should be."""
        return Told(
            kind, key=f"{name}-{payment.number}",
            psp_ref=f"{name}-{payment.number}", parent_ref=payment.parent,
            our_ref=payment.ours, gross=minor, fee=fee,
            currency=payment.currency, batch=batch, found=(found,),
            entries=entries, payment=payment)

    def convert(self, row):
        """The PSP owes another currency than the buyer has paid."""
        other = "EUR" if row.currency != "EUR" else "USD"
        row.paid, row.paid_currency = row.gross, row.currency
        row.currency = other
        row.gross = self.some(other) * (1 if row.gross > 0 else -1)
        row.fee = self.fee(other)

    def sale(self, payment, known, batch):
        """The row of a whole checkout."""
        entries = []
        if known == "told":
            entries = [self.expect(payment, "sale", minor)
                       for _, minor in payment.orders]
        found = {"told": MATCHED, "unheard": (3, "unknown")}.get(
            known, CONFIRMED)
        row = self.row(payment, "sale", "ch", payment.total, batch, found,
                       entries, self.fee(payment.currency))
        if known == "told" and row.fee and self.random.random() < 0.15:
            self.must("applied",
                      "SELECT played.news('fee', 'succeeded', %s, %s, %s,"
                      " p_psp => %s, p_currency => %s)",
                      f"fee-{payment.number}", -row.fee, payment.token,
                      payment.psp, payment.currency)
            row.entries = entries + [
                self.expect(payment, "fee", row.fee)]
        elif self.random.random() < 0.15:
            self.convert(row)
        if known == "unheard":
            row.batch = self.random.randrange(BATCHES)
            self.tell(payment.source, row)
        else:
            self.with_fault(payment, row, known == "told")

    def with_fault(self, payment, row, is_told):
        """A row as it is, or with a fault."""
        fault = "none"
        if self.random.random() < 0.3:
            fault = self.random.choice(FAULTS)
        row.fault = fault
        if fault == "missing":
            return
        if fault == "late":
            row.batch = LATE
        wrong = fault in ("amount", "currency", "sign")
        if wrong and not self.spoil(row, fault, is_told):
            fault = row.fault = "none"
        self.tell(payment.source, row)
        if fault == "doubled":
            self.again(payment, row)

    def again(self, payment, row):
        """The row a second time, under another key."""
        row.twins = [row]
        twin = dataclasses.replace(row, key=row.key + "-again")
        twin.batch = self.random.choice([row.batch, row.batch,
                                         self.random.randrange(BATCHES)])
        row.twins.append(twin)
        self.tell(payment.source, twin)

    def spoil(self, row, fault, is_told):
        """Another amount, currency or sign: nothing is settled by it, but by
        a minor unit that a conversion leaves."""
        if not is_told and row.kind != "sale":
            return False
        wrong = (2, fault) if is_told else (2, "contradiction")
        if fault == "currency":
            other = self.random.choice(
                [c for c in DECIMALS
                 if c not in (row.currency, row.paid_currency)])
            if row.paid_currency:
                row.paid_currency = other
            else:
                row.currency = other
        elif fault == "sign":
            row.gross, row.paid = -row.gross, -row.paid
            wrong = (2, "amount") if is_told else wrong
        else:
            more = self.random.choice([-7, -1, 1, 7])
            if row.paid_currency:
                row.paid += more
                if is_told and abs(more) == 1:
                    row.found = ((1, "rounded"),)
                    return True
            else:
                row.gross += more
        row.found = (wrong,)
        row.entries = []
        return True

    def captures(self, payment, batch):
        """Captured by us in parts; the PSP tells each, their sum, or the
        whole and what is not captured of it."""
        parts = [payment.total // 4, payment.total // 3]
        entries = []
        for n, minor in enumerate(parts):
            self.asked(payment, "capture", f"cap-{payment.number}-{n}", minor,
                       "DONE", None)
            entries.append(self.expect(payment, "sale", minor))
        how = self.random.choice(["each", "sum", "group"])
        if how == "each":
            for n, minor in enumerate(parts):
                row = self.row(payment, "sale", f"cap{n}", minor, batch,
                               MATCHED, [entries[n]],
                               self.fee(payment.currency))
                row.batch = self.random.randrange(BATCHES)
                if self.random.random() < 0.2:
                    continue
                self.tell(payment.source, row)
        elif how == "sum":
            row = self.row(payment, "sale", "ch", sum(parts), batch, MATCHED,
                           entries, self.fee(payment.currency))
            self.with_fault_of_sum(payment, row)
        else:
            for kind, name, minor in (
                    ("sale", "ch", payment.total),
                    ("sale_returned", "chr", sum(parts) - payment.total)):
                row = self.row(payment, kind, name, minor, batch, MATCHED,
                               entries)
                row.group = True
                self.tell(payment.source, row)

    def with_fault_of_sum(self, payment, row):
        """More than we have captured would be another capture, which the
        PSP has made: the amount can only be too small."""
        if self.random.random() < 0.3:
            row.gross -= 1
            row.found = ((2, "amount"),)
            row.entries = []
        self.tell(payment.source, row)

    def asked(self, payment, kind, name, minor, state, reference):
        """A change that the gateway has asked for."""
        said = self.call(
            "SELECT played.asked(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            payment.merchant, payment.psp, payment.checkout,
            payment.orders[0][0], kind, name, minor, state, reference,
        )  # fmt: skip
        assert said, (payment, kind, name)

    # what happens to a payment later

    def afterwards(self, payment, known):
        """Refunds and disputes: of our own, told, or untold."""
        left = payment.total
        for n in range(self.random.choice([0, 0, 1, 1, 2])):
            minor = self.random.randint(1, left // 3)
            left -= minor
            if self.random.random() < 0.65:
                self.refund(payment, known, n, minor)
            elif n == 0:
                self.dispute(payment, known, minor)
        if left == payment.total and self.random.random() < 0.1:
            self.exceed(payment)

    def refund(self, payment, known, n, minor):
        """A refund, and the row of it."""
        how = "untold"
        if known == "told":
            how = self.random.choice(["done", "pending", "event", "untold"])
        name = f"re{n}"
        thing = f"{name}-{payment.number}"
        entries = []
        if how in ("done", "pending"):
            self.asked(payment, "refund", f"ask-{thing}", minor,
                       "DONE" if how == "done" else "PENDING", thing)
        elif how == "event":
            self.must("applied",
                      "SELECT played.news('refund', 'succeeded', %s, %s, %s,"
                      " p_psp => %s, p_currency => %s)",
                      thing, minor, payment.token, payment.psp,
                      payment.currency)
        if how in ("done", "event"):
            entries = [self.expect(payment, "refund", -minor)]
        row = self.row(payment, "refund", name, -minor,
                       self.random.randrange(BATCHES),
                       MATCHED if entries else CONFIRMED, entries)
        row.later = not entries
        self.with_fault(payment, row, bool(entries))
        if row.fault == "none" and self.random.random() < 0.15:
            back = self.row(payment, "refund_returned", name, minor,
                            row.batch, CONFIRMED, [])
            back.key += "-back"
            back.later = True
            row.group = back.group = True
            row.found = row.found + (CONFIRMED,)
            self.tell(payment.source, back)

    def dispute(self, payment, known, minor):
        """A dispute takes its money when it opens; then it is lost, won, or
        still open."""
        thing = f"dp-{payment.number}"
        is_told = known == "told" and self.random.random() < 0.5
        if is_told:
            self.dispute_news(payment, "opened", minor)
        fee = self.fee(payment.currency)
        # nobody could tell it from one of the same amount that was told
        if any((e.checkout, e.family, e.minor) == (payment.checkout, "fee", fee)
               for e in self.entries):
            fee -= 1
        row = self.row(payment, "dispute", "dp", -minor,
                       self.random.randrange(BATCHES), (1, "disputed"), [],
                       fee)
        row.later = row.group = True
        self.tell(payment.source, row)
        if self.random.random() < 0.25:
            self.again(payment, row)
        end = self.random.choice(["open", "won", "lost"])
        if end == "won" and known == "told":
            back = self.row(payment, "dispute_returned", "dp", minor, LATE,
                            (1, "ended"), [])
            back.key = f"{thing}-won"
            self.tell(payment.source, back)
        elif end == "lost" and known == "told":
            self.lost.append((payment, minor))

    def dispute_news(self, payment, news, minor):
        """What a webhook says of a dispute."""
        self.must("applied",
                  "SELECT played.news('dispute', %s, %s, %s, %s,"
                  " p_psp => %s, p_currency => %s)",
                  news, f"dp-{payment.number}", minor, payment.token,
                  payment.psp, payment.currency)

    def exceed(self, payment):
        """A refund of more than there is."""
        if payment.paid:
            row = self.row(payment, "refund", "rex", -3 * payment.total,
                           self.random.randrange(BATCHES), (2, "exceeds"), [])
            self.tell(payment.source, row)

