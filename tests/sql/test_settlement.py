"""Settlement files from the command line to the books: payctl settlement and
payctl close against a database of their own, as an operator runs them.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import datetime
import hashlib
import json
import os
import pathlib
import subprocess
import threading
import time
import uuid

import migrated
import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))

HEADER = (
    "row_id,type,psp_ref,parent_ref,our_ref,occurred_at,booked_on,gross,fee,"
    "net,currency,payout_id,note"
)
# orders of 10.00 EUR that are paid: how many
SOLD = """
WITH made AS (
    SELECT count(*) FROM pay_api.begin_payment(
        array_fill('m'::text, ARRAY[%(n)s]), %(c)s,
        array_fill(sha256('b'), ARRAY[%(n)s]), %(c)s,
        ARRAY(SELECT gen_random_uuid()::text FROM generate_series(1, %(n)s)),
        %(c)s, array_fill('stripe'::text, ARRAY[%(n)s]), %(c)s,
        array_fill('u'::text, ARRAY[%(n)s]),
        array_fill('u'::text, ARRAY[%(n)s]),
        array_fill(NULL::jsonb, ARRAY[%(n)s]),
        array_fill(NULL::jsonb, ARRAY[%(n)s]),
        array_fill(NULL::jsonb, ARRAY[%(n)s]),
        array_fill('EUR'::text, ARRAY[%(n)s]),
        array_fill(1000::bigint, ARRAY[%(n)s]),
        array_fill(1900000000::bigint, ARRAY[%(n)s]),
        ARRAY(SELECT g::bigint FROM generate_series(1, %(n)s) g),
        %(c)s, %(s)s,
        array_fill(1000::bigint, ARRAY[%(n)s]),
        array_fill(NULL::text, ARRAY[%(n)s]),
        array_fill(60::bigint, ARRAY[%(n)s]),
        array_fill(60::bigint, ARRAY[%(n)s]),
        array_fill('r'::text, ARRAY[%(n)s]),
        array_fill(NULL::text, ARRAY[%(n)s]),
        array_fill(NULL::text, ARRAY[%(n)s]),
        array_fill(NULL::text, ARRAY[%(n)s]),
        array_fill(NULL::text, ARRAY[%(n)s]),
        array_fill(NULL::jsonb, ARRAY[%(n)s])) b WHERE b.outcome = 'created')
SELECT * FROM made"""
TOKENS = """
SELECT count(*) FROM pay_api.store_token(
    array_fill('m'::text, ARRAY[%(n)s]), %(c)s,
    array_fill('stripe'::text, ARRAY[%(n)s]), %(c)s,
    array_fill(NULL::text, ARRAY[%(n)s]), array_fill('u'::text, ARRAY[%(n)s]),
    array_fill(1::bigint, ARRAY[%(n)s]), array_fill('r'::text, ARRAY[%(n)s]))
    WHERE outcome = 'stored'"""
PAID = """
SELECT count(*) FROM pay_api.apply_event(
    array_fill('stripe'::text, ARRAY[%(n)s]),
    array_fill('webhook'::text, ARRAY[%(n)s]), %(c)s,
    array_fill('t'::text, ARRAY[%(n)s]), array_fill('paid'::text, ARRAY[%(n)s]),
    %(c)s, %(p)s, array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::bigint, ARRAY[%(n)s]),
    array_fill(NULL::text, ARRAY[%(n)s]),
    array_fill(NULL::bytea, ARRAY[%(n)s]), array_fill('r'::text, ARRAY[%(n)s]))
    WHERE outcome = 'applied'"""


class Shop:
    """A database with a source, and payctl on it as payments_operator."""

    def __init__(self, name, path):
        self.path = path
        self.database = name
        self.dsn = f"dbname={name} user=payments_operator"
        self.connection = psycopg2.connect(dbname=name)
        self.connection.autocommit = True

    def sql(self, query, values=None):
        """All rows of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def payctl(self, *words, code=0):
        """What payctl prints, when it exits as it should."""
        done = subprocess.run(
            [PAYCTL, *words, "--dsn", self.dsn],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def sell(self, first, last, seller="s"):
        """Sells orders o<first> to o<last>, which the PSP calls pi_<n>; {} in
        the seller's name is n."""
        names = [f"o{n}" for n in range(first, last + 1)]
        values = {
            "n": len(names),
            "c": names,
            "s": [seller.format(n) for n in range(first, last + 1)],
            "p": [f"pi_{n}" for n in range(first, last + 1)],
        }
        for query in (SOLD, TOKENS, PAID):
            assert self.sql(query, values) == [(len(names),)]

    def file(self, name, rows, total=None, end="\n"):
        """Writes a generic CSV: rows as key, type, psp_ref, parent_ref,
        our_ref, gross, fee in cents, payout."""
        lines = [HEADER]
        sums = [0, 0]
        for key, kind, psp, parent, ours, gross, fee, payout in rows:
            lines.append(
                f"{key},{kind},{psp},{parent},{ours},2026-11-20T10:00:00Z,"
                f"2026-11-21,{gross / 100:.2f},{fee / 100:.2f},"
                f"{(gross + fee) / 100:.2f},EUR,{payout},"
            )
            sums = [sums[0] + gross, sums[1] + fee]
        lines.append(
            total
            or f"total,{len(rows)},,,,,,{sums[0] / 100:.2f},"
            f"{sums[1] / 100:.2f},{sum(sums) / 100:.2f},EUR,,"
        )
        path = self.path / name
        path.write_text(end.join(lines) + end)
        return str(path)

    def load(self, path, code=0):
        """What the import of a file says."""
        text = self.payctl(
            "settlement", "import", "--source", "psp", "-o", "json", path,
            code=code,
        )  # fmt: skip
        said = json.loads(text)
        assert said.pop("file") == path
        return said

    def check(self):
        """payctl check is clean."""
        self.payctl("check")


@pytest.fixture(name="shop")
def scratch(tmp_path):
    """A shop on a database of its own."""
    name = f"pay_settle_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    shop = Shop(name, tmp_path)
    shop.payctl(
        "settlement", "source", "psp", "--format", "generic", "--merchant",
        "m", "--psp", "stripe", "--since", "2020-01-01",
    )  # fmt: skip
    yield shop
    shop.connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)


def day(shop):
    """A settlement day: sales, one of which nobody has heard of, a refund that
    was made in the dashboard, a fee, an unknown payment, a wrong amount."""
    shop.sell(1, 4)
    return shop.file(
        "day.csv",
        [
            ("r1", "sale", "ch_1", "pi_1", "", 1000, -30, "po_1"),
            ("r2", "sale", "ch_2", "pi_2", "", 1000, -30, "po_1"),
            ("r3", "refund", "re_1", "pi_1", "", -500, 0, "po_1"),
            ("r4", "fee", "", "", "", 0, -20, "po_1"),
            ("r5", "sale", "ch_9", "pi_9", "", 700, -7, "po_1"),
            ("r6", "sale", "ch_3", "pi_3", "", 999, 0, "po_1"),
            ("r7", "payout", "po_1", "", "", -3112, 0, "po_1"),
        ],
    )


def test_a_day_is_booked_and_its_differences_are_classed(shop):
    path = day(shop)
    said = shop.load(path)
    assert said == {
        "state": "booked", "rows": 7, "matched": 2, "class1": 3, "class2": 1,
        "class3": 1, "reason": None,
    }  # fmt: skip
    said = shop.load(path, code=3)
    assert (said["state"], said["reason"]) == ("booked", "known already")
    shop.check()

    lines = shop.payctl("settlement", "list", "-o", "json").splitlines()
    found = [json.loads(line) for line in lines]
    assert [(x["class"], x["rule"], x["row"], x["amount"]) for x in found] == [
        (3, "unknown", "r5", "6.93"),
        (2, "amount", "r6", "9.99"),
    ]
    found = found[::-1]
    assert found[0]["order"] == "o3"
    assert found[1]["proposed"] == {
        "kind": "unknown_receipt", "amount": "6.93", "currency": "EUR",
    }  # fmt: skip
    lines = shop.payctl("settlement", "list", "-o", "json", "--class", "1")
    assert {json.loads(x)["row"] for x in lines.splitlines()} == {
        "r3", "r4", "r7",
    }  # fmt: skip

    number = str(found[0]["id"])
    assert "what operators have done" not in shop.payctl(
        "settlement", "show", number
    )
    who = ("--who", "ann", "--why", "a cent")
    assert shop.payctl("settlement", "accept", number, *who) == "accepted\n"
    assert shop.payctl("settlement", "accept", number, *who, code=1)
    assert "ann" in shop.payctl("settlement", "show", number)
    number = str(found[1]["id"])
    assert shop.payctl("settlement", "resolve", number, *who, code=1)
    assert shop.payctl("settlement", "write-off", number, *who)
    assert shop.payctl("settlement", "list", "-o", "json") == ""
    shop.check()


def test_a_cut_file_is_refused_whole(shop):
    path = day(shop)
    text = pathlib.Path(path).read_text(encoding="utf-8")
    for cut in (len(text) // 2, text.rindex("total"), text.index("\n") + 1):
        pathlib.Path(path).write_text(text[:cut], encoding="utf-8")
        said = shop.load(path, code=1)
        assert said["state"] == "refused"
        assert said["reason"]
    assert shop.sql("SELECT count(*) FROM pay.settlement_row") == [(0,)]
    pathlib.Path(path).write_text(text, encoding="utf-8")
    assert shop.load(path)["state"] == "booked"
    shop.check()


@pytest.mark.parametrize(
    "rows, reason",
    [
        (["total,7,,,,,,19.98,-0.87,19.12,EUR,,"], "net"),
        (["total,6,,,,,,19.99,-0.87,19.12,EUR,,"], "rows"),
    ],
)
def test_a_total_that_is_off_by_one_is_refused(shop, rows, reason):
    shop.sell(1, 1)
    row = ("r1", "sale", "ch_1", "pi_1", "", 1000, -30, "po_1")
    said = shop.load(shop.file("f.csv", [row], total=rows[0]), code=1)
    assert said["state"] == "refused", reason
    assert shop.sql("SELECT count(*) FROM pay.settlement_row") == [(0,)]


def test_texts_of_strangers_arrive_as_they_are(shop):
    odd = "\\N=cmd|' /C calc'!A0\\"
    path = shop.file(
        "odd.csv", [("r1", "fee", odd, "", "", 0, -20, "")], end="\r\n"
    )
    assert shop.load(path)["class1"] == 1
    assert shop.sql("SELECT psp_ref FROM pay.settlement_row") == [(odd,)]
    said = shop.load(
        shop.file("long.csv", [("r2", "fee", "x" * 256, "", "", 0, -1, "")]),
        code=1,
    )
    assert "psp_ref" in said["reason"]


def test_an_import_that_ended_half_way_goes_on(shop):
    shop.sell(1, 300)
    rows = [
        (f"r{n}", "sale", f"ch_{n}", f"pi_{n}", "", 1000, -30, "")
        for n in range(1, 301)
    ]
    path = shop.file("big.csv", rows)
    assert shop.load(path)["matched"] == 300
    shop.sell(301, 600)
    rows = [
        (f"s{n}", "sale", f"ch_{n}", f"pi_{n}", "", 1000, -30, "")
        for n in range(301, 601)
    ]
    path = shop.file("big2.csv", rows)
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    # all that payctl does, up to the middle of the booking; then a crash, which
    # takes what is unlogged with it
    number = shop.sql(
        "SELECT file_id FROM pay_ops.open_settlement('psp', %s, 'x')",
        [digest],
    )[0][0]
    shop.sql(
        """INSERT INTO pay.settlement_staging (file_id, line, row_key, kind,
            psp_ref, parent_ref, gross_minor, fee_minor, net_minor, currency)
        SELECT %s, n - 300, 's' || n, 'sale', 'ch_' || n, 'pi_' || n, 1000,
            -30, 970, 'EUR' FROM generate_series(301, 600) n""",
        [number],
    )
    shop.sql(
        "SELECT pay_ops.prove_settlement(%s, '', 300, '{}')", [number]
    )
    for _ in range(3):
        shop.sql("SELECT pay_ops.advance_settlement(%s, 50)", [number])
    shop.sql("TRUNCATE ONLY pay.settlement_staging, pay.settlement_work")
    done = shop.sql(
        "SELECT count(*) FROM pay.settlement_row WHERE file_id = %s", [number]
    )[0][0]
    assert 0 < done < 300
    with pytest.raises(psycopg2.Error, match="import it again"):
        shop.sql("SELECT pay_ops.advance_settlement(%s, 50)", [number])
    said = shop.load(path)
    assert (said["state"], said["matched"]) == ("booked", 300)
    assert shop.sql("SELECT sum(amount_minor) FROM pay.journal_entry"
                    " WHERE kind = 'psp_fee'") == [(18000,)]
    shop.check()


def test_two_importers_at_once_book_once(shop):
    shop.sell(1, 200)
    first = [
        (f"a{n}", "sale", f"ch_{n}", f"pi_{n}", "", 1000, -30, "")
        for n in range(1, 201)
    ]
    second = [(f"b{n}", *r[1:]) for n, r in enumerate(first)]
    paths = [shop.file("a.csv", first), shop.file("b.csv", second)]
    said = {}

    def load(path):
        said[path] = shop.load(path)

    threads = [threading.Thread(target=load, args=(p,)) for p in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(x["matched"] for x in said.values()) == 200
    assert sum(x["class2"] for x in said.values()) == 200
    shop.check()


def test_of_several_importers_of_one_file_one_books_it(shop):
    """Each staged rows of the file, so that none of them proved, and the file
    was refused although nothing is wrong with it."""
    rows = [(f"r{n}", "fee", "", "", "", 0, -1, "") for n in range(20000)]
    path = shop.file("once.csv", rows)
    words = ["settlement", "import", "--source", "psp", path]
    imports = [
        subprocess.Popen(
            [PAYCTL, *words, "--dsn", shop.dsn],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    said = [each.communicate(timeout=300)[0] for each in imports]
    assert sorted(each.returncode for each in imports) == [0, 3, 3], said
    assert shop.sql("SELECT state, version FROM pay.settlement_file") == [
        ("booked", 1)
    ]
    shop.check()


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_file_that_is_changed_while_it_is_read_is_no_verdict(shop, is_whole):
    """Under the digest of the first reading, rows of other bytes were booked
    (they were booked again with the file), or a good file was refused."""
    path = shop.file("grows.csv", [("r1", "fee", "", "", "", 0, -1, "")])
    file = pathlib.Path(path)
    whole = file.read_text()
    file.write_text(whole if is_whole else whole.rsplit("total", 1)[0])
    lock = ["settlement/psp/" + hashlib.sha256(file.read_bytes()).hexdigest()]
    shop.sql("SELECT pg_advisory_lock(hashtextextended(%s, 0))", lock)
    running = subprocess.Popen(
        [PAYCTL, "settlement", "import", "--source", "psp", path, "--dsn",
         shop.dsn],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    waits(shop)
    file.write_text(whole + "r2,fee" if is_whole else whole)
    shop.sql("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", lock)
    said = running.communicate(timeout=60)
    assert (running.returncode, *said) == (
        2, "",
        f"payctl: settlement import: {path}: changed while it was read\n",
    )  # fmt: skip
    left = "SELECT state, reason FROM pay.settlement_file"
    assert shop.sql(left) == [("received", None)]
    assert shop.sql("SELECT 1 FROM pay.settlement_staging") == []

    file.write_text(whole)
    assert shop.load(path)["state"] == "booked"
    assert shop.sql("SELECT row_key FROM pay.settlement_row") == [("r1",)]
    shop.check()


@pytest.mark.parametrize(
    "words",
    [
        ("source", "x", "--format", "generic", "--merchant", "m", "--alone",
         "1"),
        ("source", "x", "--format", "generic", "--merchant", "m", "--source",
         "psp"),
        ("limit", "EUR", "--alone", "1", "--a-day", "2", "--psp", "stripe"),
        ("overdue", "--source", "psp", "--overdue-days", "3"),
        ("overdue", "--source", "psp", "--since", "2020-01-01"),
    ],
)  # fmt: skip
def test_an_option_of_another_subcommand_is_refused(words):
    """They were taken and ignored: --overdue-days of overdue changed
    nothing."""
    done = subprocess.run(
        [PAYCTL, "settlement", *words, "--dsn", "dbname=nowhere"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert words[-2] in done.stderr


def waits(shop):
    """Waits until a session of the shop waits for a lock."""
    ends = time.monotonic() + 60
    while not shop.sql(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    ):
        assert time.monotonic() < ends, "nobody waits for a lock"
        time.sleep(0.01)  # between two looks


def begun(shop, count):
    """A file of sales in parts of ten rows each."""
    shop.sell(1, count)
    rows = [
        (f"r{n}", "sale", f"ch_{n}", f"pi_{n}", "", 1000, -30, "")
        for n in range(1, count + 1)
    ]
    path = shop.file("parts.csv", rows)
    digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    number = shop.sql(
        "SELECT file_id FROM pay_ops.open_settlement('psp', %s, 'x')",
        [digest],
    )[0][0]
    shop.sql(
        """INSERT INTO pay.settlement_staging (file_id, line, row_key, kind,
            psp_ref, parent_ref, gross_minor, fee_minor, net_minor, currency)
        SELECT %s, n, 'r' || n, 'sale', 'ch_' || n, 'pi_' || n, 1000, -30,
            970, 'EUR' FROM generate_series(1, %s) n""",
        [number, count],
    )
    shop.sql("SELECT pay_ops.prove_settlement(%s, '', %s, '{}')",
             [number, count])
    shop.sql("SELECT pay_ops.advance_settlement(%s, 10)", [number])
    return path, number


OPEN_PARTS = (
    "SELECT count(*) FROM pay.settlement_part WHERE file_id = %s"
    " AND NOT is_done"
)


def is_booked_once(shop, count):
    """Each row of the file has its entry, and nothing is left of its parts."""
    assert shop.sql("SELECT state, matched FROM pay.settlement_file") == [
        ("booked", count)
    ]
    assert shop.sql("SELECT count(*), sum(amount_minor) FROM pay.journal_entry"
                    " WHERE kind = 'psp_fee'") == [(count, 30 * count)]
    assert shop.sql("SELECT count(*) FROM pay.settlement_part") == [(0,)]
    shop.check()


def test_several_connections_book_one_file_once(shop):
    path, number = begun(shop, 600)
    assert shop.sql(OPEN_PARTS, [number])[0][0] > 30
    said = shop.payctl("settlement", "import", "--source", "psp", "--jobs",
                       "3", "-o", "json", path)  # fmt: skip
    assert json.loads(said)["state"] == "booked"
    is_booked_once(shop, 600)


def test_a_part_of_a_lost_connection_is_taken_by_another(shop):
    _, number = begun(shop, 100)
    step = "SELECT pay_ops.advance_settlement(%s, 10)"
    other = psycopg2.connect(dbname=shop.database)
    with other.cursor() as cursor:
        cursor.execute(step, [number])  # and no commit
    open_parts = shop.sql(OPEN_PARTS, [number])[0][0]
    for left in range(open_parts - 1, 0, -1):
        assert shop.sql(step, [number]) == [("booking",)]
        assert shop.sql(OPEN_PARTS, [number]) == [(left,)]
    (shown,) = shop.sql("SELECT matched FROM pay_view.settlement_files")
    assert 0 < shown[0] < 100
    thread = threading.Thread(target=shop.sql, args=(step, [number]))
    thread.start()
    watcher = Shop(shop.database, shop.path)
    waits(watcher)
    watcher.connection.close()
    other.close()
    thread.join()
    assert shop.sql(OPEN_PARTS, [number]) == [(0,)]
    assert shop.sql(step, [number]) == [("booked",)]
    is_booked_once(shop, 100)


def test_an_import_holds_no_wallet_while_it_waits_for_another(shop):
    """A token that a file shows may book a webhook that has waited for it,
    and the file's sales are booked, too.  Both in one transaction locked
    wallets twice, in no order, and ended in a deadlock with webhooks."""
    for order, seller in (("o1", "z"), ("o2", "a")):
        names = {"n": 1, "c": [order], "p": ["none"], "s": [seller]}
        assert shop.sql(SOLD, names) == [(1,)]
    assert shop.sql(TOKENS, {"n": 1, "c": ["o2"], "p": []}) == [(1,)]
    # the answer to the registration of o1 is not known; its webhook waits
    shop.sql(
        "SELECT outcome FROM pay_api.store_no_token('{m}', '{o1}', '{stripe}',"
        " '{unknown}', '{NULL}', '{NULL}', '{r}', '{answered}', '{NULL}',"
        " '{NULL}', '{1}')"
    )
    shop.sql(PAID.replace("'applied'", "'parked'"),
             {"n": 1, "c": ["pi_1"], "p": ["pi_1"]})
    path = shop.file(
        "both.csv",
        [
            ("r1", "sale", "ch_1", "pi_1", "o1", 1000, -30, ""),
            ("r2", "sale", "ch_2", "o2", "", 1000, -30, ""),
        ],
    )
    webhook = psycopg2.connect(dbname=shop.database)
    lock = (
        "SELECT FROM pay.wallet WHERE seller_account = %s FOR NO KEY UPDATE"
        " NOWAIT"
    )
    with webhook.cursor() as cursor:
        shop.sql(
            "INSERT INTO pay.wallet (merchant_id, seller_account, currency)"
            " VALUES ('m', 'a', 'EUR'), ('m', 'z', 'EUR')"
        )
        cursor.execute(lock, ["a"])
        said = []
        thread = threading.Thread(target=lambda: said.append(shop.load(path)))
        thread.start()
        waits(shop)
        cursor.execute(lock, ["z"])
    webhook.rollback()
    webhook.close()
    thread.join()
    assert [x["state"] for x in said] == ["booked"]
    assert shop.sql(
        "SELECT payment_order_id, status FROM pay.payment_order ORDER BY 1"
    ) == [("o1", "SUCCESS"), ("o2", "SUCCESS")]
    shop.check()


def test_closed_days_are_chained_and_verified_without_a_database(shop):
    key = shop.path / "key.pem"
    public = shop.path / "public.pem"
    subprocess.run([PAYCTL, "audit", "keygen", key], check=True,
                   capture_output=True)
    public.write_bytes(
        subprocess.run([PAYCTL, "audit", "pubkey", key], check=True,
                       capture_output=True).stdout
    )
    today = datetime.datetime.now(datetime.timezone.utc).date()
    for number, days in enumerate((3, 2), 1):
        quiet = str(today - datetime.timedelta(days=days))
        shop.payctl("close", "show", "--day", quiet, code=1)
        assert shop.payctl(
            "close", "make", "--key", str(key), "--day", quiet
        ) == f"close {number} of {quiet}: made, signed\n"
        # a day in which nothing has happened is closed all the same
        assert "no lines" in shop.payctl("close", "show", "--day", quiet)
    shop.load(day(shop))
    shop.payctl("close", "make", "--key", str(key), "--day", str(today),
                code=1)
    # the day in which all of it happened is over
    with shop.connection.cursor() as cursor:
        cursor.execute("SET search_path = pay")
        cursor.execute(
            "SELECT (pay.make_close(%s, now() + interval '1 day')).outcome",
            [today],
        )
        assert cursor.fetchone() == ("made",)
    shop.payctl("close", "make", "--key", str(key), "--day", str(today))
    text = shop.payctl("close", "export")
    assert verify(public, text) == (0, "valid: 3 documents, the last is "
                                       "number 3\n")
    shown = json.loads(
        shop.payctl("close", "show", "--day", str(today), "-o", "json")
    )
    lines = {x["item"]: x["amount"] for x in shown["lines"]}
    assert lines["balance/psp_in_transit"] == "31.12"
    assert lines["balance/suspense"] == "-6.93"
    assert lines["open/2/amount"] == "9.99"
    assert "balance/suspense" in shop.payctl("close", "show", "--day",
                                             str(today))
    shop.check()

    rows = text.splitlines()
    assert verify(public, "\n".join(rows[:1] + rows[2:]))[0] == 1
    assert verify(public, "\n".join(rows[1:]))[0] == 1
    assert verify(public, "\n".join(rows[1:]), "--part")[0] == 0
    assert verify(public, text.replace("6.93", "6.92"))[0] == 1
    assert verify(public, rows[0])[0] == 0
    assert verify(public, "")[0] == 1
    other = shop.path / "other.pem"
    subprocess.run([PAYCTL, "audit", "keygen", other], check=True,
                   capture_output=True)
    public.write_bytes(
        subprocess.run([PAYCTL, "audit", "pubkey", other], check=True,
                       capture_output=True).stdout
    )
    assert verify(public, text)[0] == 1


def verify(public, text, *more):
    """Exit code and words of payctl close verify."""
    done = subprocess.run(
        [PAYCTL, "close", "verify", "--key", public, *more, "-"],
        input=text.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode()
