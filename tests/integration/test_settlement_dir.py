"""Settlement files out of a directory (payments_settlement dir=): what the
workers read, what they leave alone, and that a file is booked once, whoever
ends in the middle of it."""

import contextlib
import datetime
import os
import re
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg2
import pytest
from support.gateway import PAYCTL
from support.own_stack import DEADLINE_S, wait_for

AUDIENCE = "payments_audience "
HEADER = (
    "row_id,type,psp_ref,parent_ref,our_ref,occurred_at,booked_on,gross,fee,"
    "net,currency,payout_id,note"
)
AT = "2026-11-20T10:00:00Z,2026-11-21"
MANY = 12000


def row(key, kind, gross, fee, our_ref="", psp_ref=""):
    net = round(gross + fee, 2)
    return (
        f"{key},{kind},{psp_ref},,{our_ref},{AT},{gross:.2f},{fee:.2f},"
        f"{net:.2f},EUR,,"
    )


def total(count, gross, fee):
    net = round(gross + fee, 2)
    return f"total,{count},,,,,,{gross:.2f},{fee:.2f},{net:.2f},EUR,,"


def fees(prefix, count):
    """A file of that many fees of one cent."""
    rows = [row(f"{prefix}-{n}", "fee", 0, -0.01) for n in range(count)]
    return "\n".join([HEADER, *rows, total(count, 0, -count / 100), ""])


class Inbox:
    """The directory of a source, and what became of its files."""

    def __init__(self, stack, name):
        self.stack = stack
        self.name = name
        self.dir = Path(tempfile.mkdtemp(prefix="payments-inbox."))
        shutil.chown(self.dir, "nobody") if os.geteuid() == 0 else None
        self.dir.chmod(0o755)

    def line(self):
        return (
            f"payments_settlement {self.name} format=generic merchant=acme "
            f"psp=generic dir={self.dir} age=1s interval=1s;\n    "
        )

    def put(self, name, text, age_s=60):
        """Whole, under its name, and not written to for so long."""
        path = self.dir / name
        new = self.dir / f".{name}.new"
        new.write_text(text)
        if os.geteuid() == 0:
            shutil.chown(new, "nobody")
        when = datetime.datetime.now().timestamp() - age_s
        os.utime(new, (when, when))
        new.rename(path)
        return path

    def files(self):
        return self.stack.sql(
            "SELECT name, state, row_count, matched, class1, class2, class3, "
            "reason FROM pay.settlement_file WHERE source = %s "
            "ORDER BY file_id",
            self.name,
        )

    def file(self, name):
        found = [f for f in self.files() if f[0] == name]
        return found[0] if found else None

    def becomes(self, name, state, deadline_s=DEADLINE_S):
        def done():
            found = self.file(name)
            return found if found and found[1] == state else None

        return wait_for(done, f"{name} to be {state}", deadline_s)

    def goes_to(self, folder, name):
        path = self.dir / folder / name
        wait_for(path.exists, f"{name} in {folder}")
        return path

    def end_lease(self):
        """The holder is dead; nobody waits for its lease."""
        self.stack.sql(
            "UPDATE pay.settlement_look SET lease_until = now(), "
            "run_at = now() WHERE source = %s",
            self.name,
        )

    def booked_twice(self):
        return self.stack.value(
            "SELECT count(*) - count(DISTINCT row_key) "
            "FROM pay.settlement_row WHERE source = %s",
            self.name,
        )

    def rows(self):
        return self.stack.value(
            "SELECT count(*) FROM pay.settlement_row WHERE source = %s",
            self.name,
        )

    def charged(self):
        return self.stack.value(
            "SELECT coalesce(sum(amount_minor), 0)::bigint "
            "FROM pay.journal_entry WHERE kind = 'psp_fee' "
            "AND starts_with(source, %s)",
            f"settlement/{self.name}/",
        )


@pytest.fixture(scope="module")
def inbox(own_stack):
    made = Inbox(own_stack, "inbox")
    own_stack.configure((AUDIENCE, made.line() + AUDIENCE))
    yield made
    own_stack.configure()
    shutil.rmtree(made.dir)


def payctl(stack, *words):
    env = {**os.environ, "PAYCTL_DSN": stack.values["PG_ADMIN_DSN"]}
    return subprocess.run(
        [PAYCTL, *words],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


# What is read.


def test_the_row_of_a_source_is_what_its_directive_says(stack, inbox):
    def declared():
        return stack.sql(
            "SELECT s.format, s.merchant_id, s.psp, l.way "
            "FROM pay.settlement_source s JOIN pay.settlement_look l "
            "USING (source) WHERE s.source = %s",
            inbox.name,
        )

    wait_for(declared, "the row")
    assert declared() == [("generic", "acme", "generic", "dir")]


def test_payctl_leaves_to_the_configuration_what_stands_there(stack, inbox):
    wait_for(
        lambda: stack.sql(
            "SELECT 1 FROM pay.settlement_look WHERE source = %s", inbox.name
        ),
        "the row",
    )
    words = ["settlement", "source", inbox.name, "--format"]
    more = ["--merchant", "acme", "--psp", "generic"]
    refused = payctl(stack, *words, "stripe", *more)
    assert refused.returncode == 1, refused.stderr
    assert "payments_settlement" in refused.stderr
    taken = payctl(stack, *words, "generic", *more, "--overdue-days", "5")
    assert taken.returncode == 0, taken.stderr
    days = stack.value(
        "SELECT overdue_days FROM pay.settlement_source WHERE source = %s",
        inbox.name,
    )
    assert days == 5


def test_a_file_of_the_directory_is_booked(stack, inbox):
    made = stack.created("generic", amounts=("12.00",), currency="EUR")
    stack.mock.pay(made.registration["token"])
    wait_for(
        lambda: stack.sql(
            "SELECT 1 FROM pay.journal_entry WHERE kind = 'sale' "
            "AND payment_order_id = %s",
            made.order_id,
        ),
        "the sale",
    )
    text = "\n".join(
        [
            HEADER,
            row("s-1", "sale", 12, -0.30, our_ref=made.order_id),
            row("f-1", "fee", 0, -0.20),
            total(2, 12, -0.50),
            "",
        ]
    )
    inbox.put("day.csv", text)
    found = inbox.becomes("day.csv", "booked")
    assert found[2:7] == (2, 1, 1, 0, 0)
    assert inbox.goes_to("booked", "day.csv").read_text() == text
    assert not (inbox.dir / "day.csv").exists()
    assert inbox.charged() == 50


def test_the_same_bytes_again_book_nothing(inbox):
    text = fees("again", 3)
    inbox.put("first.csv", text)
    inbox.becomes("first.csv", "booked")
    before = (inbox.rows(), inbox.charged())
    inbox.goes_to("booked", "first.csv")
    inbox.put("first.csv", text)
    wait_for(lambda: not (inbox.dir / "first.csv").exists(), "its end")
    assert len(list((inbox.dir / "booked").glob("first.csv*"))) == 2
    assert (inbox.rows(), inbox.charged()) == before


def test_a_file_with_a_mistake_is_refused_whole(stack, inbox):
    before = (inbox.rows(), inbox.charged())
    cut = fees("cut", 5).rsplit("total", 1)[0]
    inbox.put("s3cr3t-cut.csv", cut)
    found = inbox.becomes("s3cr3t-cut.csv", "refused")
    assert "footer-missing" in found[7]
    inbox.goes_to("refused", "s3cr3t-cut.csv")
    assert (inbox.rows(), inbox.charged()) == before
    log = stack.gateway.error_log.read_text()
    said = re.findall(r"\[error\].*settlement file was read.*", log)
    assert any("why:footer-missing" in line for line in said)
    assert "s3cr3t-cut" not in log


def test_what_workers_have_read_is_counted(stack, inbox):
    def count(family, more):
        name = f'{family}{{source="{inbox.name}"{more}}}'
        text = stack.http.get("/metrics").text
        (found,) = re.findall(rf"^{re.escape(name)} (\d+)$", text, re.M)
        return int(found)

    def counts():
        return [
            count("payments_settlement_files_total", f',state="{state}"')
            for state in ("booked", "known", "refused")
        ]

    inbox.put("c1.csv", fees("c", 2))
    inbox.goes_to("booked", "c1.csv")
    before = counts()
    failed = count("payments_settlement_look_failures_total", "")
    inbox.put("c2.csv", fees("c", 3))
    inbox.goes_to("booked", "c2.csv")
    inbox.put("c3.csv", fees("c", 3))
    inbox.goes_to("booked", "c3.csv")
    inbox.put("c4.csv", "not,a,file\n")
    inbox.goes_to("refused", "c4.csv")

    def grown():
        return [now - old for now, old in zip(counts(), before, strict=True)]

    # a file is counted behind its last step
    wait_for(lambda: grown() == [1, 1, 1], "the counters")
    assert count("payments_settlement_look_failures_total", "") == failed


def test_files_come_in_the_order_of_their_age(inbox):
    inbox.put("b-old.csv", fees("order-b", 1), age_s=300)
    inbox.put("a-new.csv", fees("order-a", 1), age_s=60)
    inbox.becomes("a-new.csv", "booked")
    names = [f[0] for f in inbox.files()]
    assert names.index("b-old.csv") < names.index("a-new.csv")


# What is left alone.


@contextlib.contextmanager
def held_at(stack, table):
    """A worker that opens the file which is put within goes as far as this
    table before the end of the block."""
    waits = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted "
        "AND relation = %s::regclass"
    )
    made = psycopg2.connect(stack.values["PG_ADMIN_DSN"])
    with contextlib.closing(made), made.cursor() as cursor:
        cursor.execute(f"LOCK TABLE pay.{table} IN SHARE MODE")
        yield lambda: wait_for(
            lambda: stack.value(waits, f"pay.{table}"), f"a wait for {table}"
        )


def named(inbox, name):
    return [f[1:3] for f in inbox.files() if f[0] == name]


def test_a_file_that_is_replaced_while_it_is_read_is_looked_at_anew(inbox):
    """The second file went into the folder of booked ones unread, in place of
    the first one."""
    first, second = fees("first", 3), fees("second", 4)
    with held_at(inbox.stack, "settlement_staging") as opened:
        inbox.put("twice.csv", first)
        opened()
        inbox.put("twice.csv", second)
    both = [("booked", 3), ("booked", 4)]
    wait_for(lambda: named(inbox, "twice.csv") == both, "both to be booked")
    assert inbox.goes_to("booked", "twice.csv").read_text() == second
    assert not (inbox.dir / "twice.csv").exists()


def test_a_file_that_grows_while_it_is_booked_is_looked_at_anew(inbox):
    """What was appended went into the folder of booked files unread."""
    with held_at(inbox.stack, "settlement_row") as opened:
        path = inbox.put("grows.csv", fees("grows", 3))
        opened()
        with path.open("a") as file:
            file.write(row("grows-3", "fee", 0, -0.01) + "\n")
    inbox.goes_to("refused", "grows.csv")
    states = [state for state, _ in named(inbox, "grows.csv")]
    assert states == ["booked", "refused"]
    assert not (inbox.dir / "booked" / "grows.csv").exists()


def test_links_folders_and_files_that_are_not_whole_are_left(inbox):
    outside = Path(tempfile.mkdtemp())
    try:
        target = outside / "other.csv"
        target.write_text(fees("link", 1))
        os.utime(target, (1, 1))
        (inbox.dir / "link.csv").symlink_to(target)
        (inbox.dir / "folder.csv").mkdir()
        os.mkfifo(inbox.dir / "pipe.csv")
        inbox.put("half.csv.part", fees("half", 1))
        inbox.put("later.csv", fees("later", 1), age_s=-600)
        inbox.put("last.csv", fees("last", 1))
        inbox.becomes("last.csv", "booked")
        inbox.goes_to("booked", "last.csv")
        names = {f[0] for f in inbox.files()}
        assert not names & {
            "link.csv",
            "folder.csv",
            "pipe.csv",
            "half.csv.part",
            "later.csv",
        }
        left = {path.name for path in inbox.dir.iterdir()}
        assert {"link.csv", "half.csv.part", "later.csv"} <= left
        # renamed, it is whole
        (inbox.dir / "half.csv.part").rename(inbox.dir / "half.csv")
        inbox.becomes("half.csv", "booked")
    finally:
        for name in ("link.csv", "pipe.csv", "later.csv"):
            (inbox.dir / name).unlink()
        (inbox.dir / "folder.csv").rmdir()
        shutil.rmtree(outside)


def test_a_file_that_cannot_be_read_holds_up_no_other_one(stack, inbox):
    closed = inbox.put("closed.csv", fees("closed", 1), age_s=900)
    try:
        closed.chmod(0)
        inbox.put("behind.csv", fees("behind", 1))
        inbox.becomes("behind.csv", "booked")
        assert inbox.file("closed.csv") is None
        said = f"source:{inbox.name}, why:unreadable"
        log = stack.gateway.error_log
        wait_for(lambda: said in log.read_text(), "a line about closed.csv")
        closed.chmod(0o644)
        inbox.becomes("closed.csv", "booked")
    finally:
        closed.unlink(missing_ok=True)


# Whoever ends in the middle.


def in_the_middle(inbox, name, phase):
    def there():
        found = inbox.file(name)
        if not found:
            return False
        if phase == "booking":
            return found[1] == "booking"
        return inbox.stack.value("SELECT count(*) FROM pay.settlement_staging")

    wait_for(there, f"{name} in the middle of {phase}")


@pytest.mark.parametrize("phase", ["staging", "booking"])
def test_a_killed_worker_leaves_its_file_to_another(stack, inbox, phase):
    name = f"killed-{phase}.csv"
    key = f"k{uuid.uuid4().hex[:8]}"
    before = inbox.rows()
    inbox.put(name, fees(key, MANY))
    stack.expected += ["exited on signal 9", "was locked by"]
    in_the_middle(inbox, name, phase)
    for pid in stack.workers():
        os.kill(pid, signal.SIGKILL)
    stack.generation()
    assert inbox.file(name)[1] != "booked", "too late to be killed"
    inbox.end_lease()
    found = inbox.becomes(name, "booked")
    assert found[2] == MANY
    assert inbox.booked_twice() == 0
    assert inbox.rows() == before + MANY
    inbox.goes_to("booked", name)


def test_a_worker_that_is_to_end_leaves_its_file_at_once(stack, inbox):
    before = inbox.rows()
    inbox.put("reload.csv", fees("reload", MANY))
    in_the_middle(inbox, "reload.csv", "staging")
    stack.reload()
    found = inbox.becomes("reload.csv", "booked")
    assert found[2] == MANY
    assert inbox.rows() == before + MANY
    assert inbox.booked_twice() == 0
