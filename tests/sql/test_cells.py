"""payctl over cells: --all-cells asks two databases and a third one that is
away, --cell takes one of them; and the root of a day over all of them.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import base64
import csv
import hashlib
import io
import json
import os
import re
import subprocess
import uuid

import migrated
import psycopg2
import pytest
from test_audit import BEGIN, call

DEAD = """INSERT INTO pay.dead_letter (merchant_id, checkout_id, kind, reason,
    at) VALUES (%s, %s, 'register', 'retry_limit', %s)"""
REFUSED = """INSERT INTO pay.webhook_quarantine (psp, slot, number,
    received_at, reason, digest, headers, body, size)
    VALUES ('stripe', %s, %s, %s, 'wrong_key', sha256('x'), '{}', 'x', 1)"""
HOOK = """INSERT INTO pay.webhook_endpoint (merchant_id, endpoint_id, url,
    types, scheme, is_ordered, created_by)
    VALUES ('m-b', 'we_1', 'https://shop.example', '{}', 'v1', true, 'me')"""
# of each flagged verb what it must be given
MORE = {
    "events deliveries": ["we_1"],
    "find": ["o-a1"],
    "payout holidays": ["none"],
    "report day": ["--from", "2026-01-01", "--to", "2027-01-01"],
}
FLAGGED = re.findall(
    r'\{ "(\w+)", pay_cli_\w+,\s*"[^"]*",\s*((?:"[^"]*"\s*)+|NULL) \}',
    (migrated.ROOT / "src/cli/commands.c").read_text(),
)


def verbs():
    """What the table of commands lets --all-cells ask."""
    for name, flag in FLAGGED:
        if flag != "NULL":
            for verb in "".join(re.findall(r'"([^"]*)"', flag)).split("|"):
                yield f"{name} {verb}".strip()


def payctl(*words, code=0, env=()):
    done = subprocess.run(
        [migrated.PAYCTL, *map(str, words)],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, **dict(env)},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module", name="names")
def databases():
    """Two cells: a has an old and a new dead letter, b one between them."""
    names = {}
    for cell, days in {"a": (1, 5), "b": (3,)}.items():
        names[cell] = f"pay_cell_{cell}_{uuid.uuid4().hex[:12]}"
        migrated.create(names[cell])
        with psycopg2.connect(dbname=names[cell]) as made:
            cursor = made.cursor()
            for day in days:
                key = f"o-{cell}{day}"
                assert call(cursor, BEGIN, [key], f"m-{cell}") == ["created"]
                at = f"2026-11-0{day} 12:00:00+00"
                cursor.execute(DEAD, (f"m-{cell}", key, at))
                cursor.execute(REFUSED, (day, day, at))
            if cell == "b":
                cursor.execute(HOOK)
        made.close()
    yield names
    for name in names.values():
        subprocess.run(["dropdb", "--force", name], check=True)


def line(cell, name):
    """Of the file of cells: the auditor's rights are enough."""
    return f"{cell}  dbname={name} options='-c role=payments_auditor'"


def write(path, lines, mode=0o600):
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(mode)
    return path


@pytest.fixture(name="cells")
def file(tmp_path, names):
    """The file of both."""
    return write(tmp_path / "cells", [
        "# the gateway's", line("a", names["a"]), "", line("b", names["b"]),
    ])  # fmt: skip


@pytest.fixture(name="away")
def file_with_one_away(tmp_path, names):
    return write(tmp_path / "away", [
        line("a", names["a"]), "gone dbname=pay_no_such_cell",
        line("b", names["b"]),
    ])  # fmt: skip


def ask(cells, *words, **more):
    return payctl("--cells", cells, "--all-cells", *words, **more)


def test_a_list_is_merged_in_its_order(cells):
    out, err = ask(cells, "dlq", "list")
    head, *rows = out.splitlines()
    assert head.split()[:2] == ["cell", "id"]
    assert [row.split()[0] for row in rows] == ["a", "b", "a"]
    rows = json.loads(ask(cells, "dlq", "list", "-o", "json")[0])
    assert [(row["cell"], row["at"][:10], row["order_or_event"])
            for row in rows] == [
        ("a", "2026-11-01", "o-a1"), ("b", "2026-11-03", "o-b3"),
        ("a", "2026-11-05", "o-a5"),
    ]  # fmt: skip
    assert next(iter(rows[0])) == "cell" and err == ""


def test_csv_has_the_cell_first(cells):
    out, _ = ask(cells, "dlq", "list", "-o", "csv")
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0][:2] == ["cell", "id"]
    assert [row[0] for row in rows[1:]] == ["a", "b", "a"]
    assert all(len(row) == len(rows[0]) for row in rows)


def test_a_limit_holds_for_the_whole(cells):
    words = ["webhook", "quarantine", "-o", "json", "--limit"]
    rows = json.loads(ask(cells, *words, "2")[0])
    assert [row["cell"] for row in rows] == ["a", "b"]
    assert [row["received_at"][:10] for row in rows] == [
        "2026-11-05", "2026-11-03",
    ]  # fmt: skip
    assert len(json.loads(ask(cells, *words, "9")[0])) == 3


def test_find_says_where(cells):
    rows = json.loads(ask(cells, "find", "o-b3", "-o", "json")[0])
    assert {(row["cell"], row["next"]) for row in rows} == {
        ("b", "payctl --cell b explain --merchant m-b o-b3")
    }
    # the command does what it says
    words = rows[0]["next"].split()[1:]
    assert "o-b3" in payctl("--cells", cells, *words)[0]
    assert ask(cells, "find", "o-none", code=1)[0] == ""


def test_a_merchant_is_in_one_cell(cells):
    words = ["dlq", "list", "-o", "json", "--merchant"]
    rows = json.loads(ask(cells, *words, "m-b")[0])
    assert [row["cell"] for row in rows] == ["b"]
    assert "no cell" in ask(cells, *words, "m-none", code=2)[1]


def test_a_report_has_a_row_of_each_cell(cells):
    out, _ = ask(cells, "report", "day", "--from", "2000-01-01", "--to",
                 "2100-01-01", "-o", "json")  # fmt: skip
    rows = json.loads(out)
    assert [
        (row["cell"], row["merchant"], row["currency"], row["orders"])
        for row in rows
    ] == [("a", "m-a", "USD", 2), ("b", "m-b", "USD", 1)]


@pytest.mark.parametrize("verb", list(verbs()))
def test_each_verb_of_the_table_has_one_answer(cells, verb):
    """Its order is made of columns that it has."""
    if verb == "check" or verb == "audit root":
        return
    more = MORE.get("report day" if "report" in verb else verb, [])
    done = subprocess.run(
        [migrated.PAYCTL, "--cells", cells, "--all-cells", *verb.split(),
         *more, "-o", "json"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) in ((0, ""), (1, "")), done
    assert done.stdout == "" or done.stdout[0] in "[{"


def test_the_table_names_the_verbs_that_read():
    assert len(FLAGGED) > 25 and len(list(verbs())) > 35
    assert not {"dlq requeue", "payout make", "payout show"} & set(verbs())


def test_check_names_the_cell_of_each_finding(cells, names):
    assert ask(cells, "check", "--quiet", "seal_root")[0] == (
        "all 2 checks hold\n"
    )
    out, _ = ask(cells, "check", "seal_root")
    assert out == "ok        a: seal_root\nok        b: seal_root\n" + (
        "all 2 checks hold\n"
    )
    with psycopg2.connect(dbname=names["b"]) as made:
        made.cursor().execute(
            "CREATE VIEW pay_check.never AS SELECT 1 AS found;"
            " GRANT SELECT ON pay_check.never TO payments_auditor"
        )
    made.close()
    out, _ = ask(cells, "check", code=1)
    assert "DIFFERS   b: never: 1 rows" in out and "a: never" not in out
    with psycopg2.connect(dbname=names["b"]) as made:
        made.cursor().execute("DROP VIEW pay_check.never")
    made.close()


def test_the_others_answer_for_a_cell_that_is_away(away):
    out, err = ask(away, "dlq", "list", "-o", "json", code=4)
    assert [row["cell"] for row in json.loads(out)] == ["a", "b", "a"]
    assert err.startswith("payctl: cell gone: connect: ")
    assert "1 of 3 cells have not answered" in err
    out, err = ask(away, "check", "--quiet", "seal_root", code=4)
    assert out == "all 2 checks hold in the cells that have answered\n"
    assert "cell gone" in err
    assert ask(away, "find", "o-none", code=4)[0] == ""


def test_no_answer_is_no_answer(tmp_path):
    gone = write(tmp_path / "cells", ["x dbname=pay_no_such_cell"])
    assert ask(gone, "dlq", "list", code=2)[0] == ""
    assert ask(gone, "check", code=2)[0] == ""


@pytest.mark.parametrize(
    "words",
    [
        ["dlq", "requeue", "1", "--who", "ann", "--why", "x"],
        ["dlq", "--kind", "register", "list"],
        ["payout", "make", "s", "--merchant", "m-a", "--who", "ann"],
        ["risk", "list", "add", "block", "ip", "10.0.0.1", "--why", "x"],
        ["settlement", "balances", "--again", "s"],
        ["timeline", "o-a1"],
        ["migrate"],
    ],
)
def test_what_is_for_one_cell_is_refused(cells, names, words):
    _, err = ask(cells, *words, code=2)
    assert "is for one cell: name it with --cell NAME (a, b)\n" in err
    with psycopg2.connect(dbname=names["a"]) as made, made.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pay.risk_list")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT bool_and(state = 'open') FROM pay.dead_letter")
        assert cursor.fetchone() == (True,)
    made.close()


def test_one_cell_is_named(cells):
    words = ["dlq", "list", "-o", "json"]
    rows = json.loads(
        payctl("--cell", "b", *words, env=[("PAYCTL_CELLS", str(cells))])[0]
    )
    assert [row["order_or_event"] for row in rows] == ["o-b3"]
    assert "cell" not in rows[0]
    _, err = payctl(f"--cells={cells}", "--cell=c", *words, code=2)
    assert 'names no cell "c" (a, b)' in err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--cell", "b", "--all-cells", "check"], "give one of both"),
        (["check"], "--cells is the file of"),
        (["--cell", "b", "check", "--dsn", "dbname=x"], "named twice"),
        (["--all-cells", "check", "--dsn", "dbname=x"], "named twice"),
        (["--cell"], "--cell needs a value"),
        (["--all-cells", "check", "--all-cells"], "in front of the command"),
    ],
)
def test_a_call_names_one_database_or_all(cells, words, why):
    assert why in payctl("--cells", cells, *words, code=2)[1]


@pytest.mark.parametrize(
    ("lines", "mode", "why"),
    [
        (["a dbname=x"], 0o604, "others can read or change it"),
        (["a dbname=x"], 0o620, "others can read or change it"),
        (["a dbname=x", "a dbname=y"], 0o600, "line 2: the name of another"),
        (["a dbname=x", "b dbname=x"], 0o600, "line 2: the database of anoth"),
        (["A dbname=x"], 0o600, "line 1: the name of a cell is"),
        (["a" * 33 + " dbname=x"], 0o600, "line 1: the name of a cell is"),
        (["a"], 0o600, "line 1: the connection string names no dbname"),
        (["a host=h"], 0o600, "line 1: the connection string names no dbname"),
        (["a dbname=x password=my s3cret"], 0o600,
         "line 1: there is no connection string behind the name"),
        ([f"c{n} dbname=x{n}" for n in range(17)], 0o600,
         "line 17: there are more than 16 cells"),
        (["# none"], 0o600, "names no cell"),
        (["a dbname=\0"], 0o600, "is no text"),
    ],
)  # fmt: skip
def test_the_file_of_cells_is_checked(tmp_path, lines, mode, why):
    cells = write(tmp_path / "cells", lines, mode)
    _, err = ask(cells, "dlq", "list", code=2)
    assert err.startswith(f"payctl: cells: {cells}: ") and why in err
    assert "s3cret" not in err


# the root of a day


NOUGHTS = bytes(32)
DAYS = ("2026-11-20", "2026-11-21", "2026-11-22")
SEAL = """INSERT INTO pay.seal (number, from_tx, until_tx, at, count, root,
    previous, message, key_id, signature)
    SELECT n, n, n + 1, at, 1, root, previous, message, key, signature
    FROM (VALUES (%(number)s::bigint, %(at)s::timestamptz, %(root)s::bytea,
        %(previous)s::bytea, %(message)s, %(key)s, %(signature)s::bytea))
        v (n, at, root, previous, message, key, signature)"""


class Signer:
    """A key, and seals signed with it: in a database and as exported."""

    def __init__(self, place):
        self.private = place / f"key{uuid.uuid4().hex[:6]}.pem"
        self.public = self.private.with_suffix(".pub")
        out, _ = payctl("audit", "keygen", self.private)
        self.id = out.split()[-1]
        self.public.write_text(payctl("audit", "pubkey", self.private)[0])

    def sign(self, message):
        text = self.private.with_suffix(".text")
        text.write_bytes(message)
        return subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.private,
             "-in", text],
            check=True, capture_output=True,
        ).stdout  # fmt: skip

    def seal(self, number, at, previous):
        root = hashlib.sha256(at.encode()).digest()
        message = (
            f"ngx_payments seal 1\nnumber {number}\nat {at}\nfrom {number}\n"
            f"until {number + 1}\nleaves 1\nroot {root.hex()}\n"
            f"previous {previous.hex()}\n"
        )
        signature = self.sign(message.encode())
        row = {
            "number": number, "at": at, "root": root, "previous": previous,
            "message": message, "key": self.id, "signature": signature,
        }  # fmt: skip
        exported = json.dumps({
            "t": "seal", "number": number, "message": message,
            "key_id": self.id,
            "signature": base64.b64encode(signature).decode(),
        }, separators=(",", ":"))  # fmt: skip
        return row, exported


def seals(signer, seed, numbers=6):
    """Two a day, one after the other."""
    made, previous = [], NOUGHTS
    for n in range(numbers):
        at = f"{DAYS[n // 2]}T{10 + n % 2}:00:0{seed}.000000Z"
        made.append(signer.seal(n + 1, at, previous))
        previous = hashlib.sha256(made[-1][0]["message"].encode()).digest()
    return made


@pytest.fixture(name="sealed")
def cells_with_seals(tmp_path):
    """Cells a and b with six seals each, and c with none."""
    names, signer = {}, Signer(tmp_path)
    for seed, cell in enumerate("abc"):
        names[cell] = f"pay_root_{cell}_{uuid.uuid4().hex[:12]}"
        migrated.create(names[cell])
        made = seals(signer, seed) if cell != "c" else []
        with psycopg2.connect(dbname=names[cell]) as connection:
            for row, _ in made:
                connection.cursor().execute(SEAL, row)
        connection.close()
        write(tmp_path / f"seals.{cell}", [each for _, each in made])
    write(tmp_path / "cells", [line(*each) for each in names.items()])
    yield Sealed(tmp_path, signer, names)
    for name in names.values():
        subprocess.run(["dropdb", "--force", name], check=True)


class Sealed:
    def __init__(self, place, signer, names):
        self.place, self.signer, self.names = place, signer, names
        self.file = place / f"root-{DAYS[1]}.json"

    def make(self, *words, code=0, day=DAYS[1], key=None):
        return ask(self.place / "cells", "audit", "root", "--day", day,
                   "--key", key or self.signer.private, "--dir", self.place,
                   *words, code=code)  # fmt: skip

    def verify(self, code=0, cells="abc", keys=None, file=None):
        words = []
        for cell in cells:
            words += ["--seals", f"{cell}={self.place}/seals.{cell}"]
        for key in keys or [self.signer]:
            words += ["--key", key.public]
        out, err = payctl("audit", "verify-root", *words, file or self.file,
                          code=code)  # fmt: skip
        assert err == ""
        return out

    def lines(self, cell):
        return (self.place / f"seals.{cell}").read_text().splitlines()

    def run(self, cell, sql, values=None):
        with psycopg2.connect(dbname=self.names[cell]) as made:
            made.cursor().execute(sql, values)
        made.close()


def tree(leaves):
    """RFC 9162 2.1.1, once more."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree(leaves[:k]) + tree(leaves[k:])).digest()


def test_one_root_is_over_the_heads_of_all_cells(sealed):
    out, err = sealed.make()
    assert (out, err) == (f"{sealed.file}: 3 cells\n", "")
    document = json.loads(sealed.file.read_text())["proof"]
    assert document["day"] == DAYS[1]
    cells = document["cells"]
    assert [(x["cell"], x["seal"], x["at"]) for x in cells] == [
        ("a", 4, f"{DAYS[1]}T11:00:00.000000Z"),
        ("b", 4, f"{DAYS[1]}T11:00:01.000000Z"),
        ("c", 0, ""),
    ]
    assert len({x["database"] for x in cells}) == 3
    leaves = [
        f"ngx_payments head 1\ncell {x['cell']}\ndatabase {x['database']}\n"
        f"seal {x['seal']}\nat {x['at']}\nleaves {x['leaves']}\n"
        f"root {x['seal_root']}\ndigest {x['digest']}\n"
        for x in cells
    ]
    root = tree([leaf.encode() for leaf in leaves]).hex()
    assert document["root"] == root
    assert sealed.verify() == (
        f"root      of {DAYS[1]} over 3 cells\n"
        f"ok        a: seal 4 of {DAYS[1]}T11:00:00.000000Z\n"
        f"ok        b: seal 4 of {DAYS[1]}T11:00:01.000000Z\n"
        "ok        c: nothing was sealed by then\nvalid\n"
    )


def test_a_second_root_of_a_day_is_the_first_one(sealed):
    sealed.make()
    first = sealed.file.read_bytes()
    assert "is the same" in sealed.make()[0]
    # also with another key: the document counts
    assert "is the same" in sealed.make(key=Signer(sealed.place).private)[0]
    sealed.run("b", "ALTER TABLE pay.seal DISABLE TRIGGER ALL;"
               " DELETE FROM pay.seal WHERE number > 3")  # fmt: skip
    _, err = sealed.make(code=1)
    assert "no second one is signed" in err
    assert sealed.file.read_bytes() == first
    assert sorted(p.name for p in sealed.place.glob("root-*")) == [
        sealed.file.name
    ]


def test_no_root_is_made_too_early(sealed):
    assert "is not over" in sealed.make(day="2100-01-01", code=2)[1]
    row, _ = sealed.signer.seal(7, f"{DAYS[2]}T12:00:00.000000Z", NOUGHTS)
    sealed.run("a", SEAL, {**row, "key": None, "signature": None})
    _, err = sealed.make(day=DAYS[2], code=2)
    assert "cell a: audit root: a seal of that day is not signed yet" in err
    assert not list(sealed.place.glob("root-*"))
    sealed.make()


def test_no_root_lacks_a_cell(sealed):
    with (sealed.place / "cells").open("a") as file:
        file.write("gone dbname=pay_no_such_cell\n")
    _, err = sealed.make(code=2)
    assert "cell gone" in err and "no root is made without all cells" in err
    _, err = payctl("--cells", sealed.place / "cells", "--cell", "a", "audit",
                    "root", "--key", sealed.signer.private, "--dir",
                    sealed.place, code=2)  # fmt: skip
    assert "--all-cells in the place of --cell" in err
    assert not list(sealed.place.glob("root-*"))


def test_a_gateway_without_cells_has_a_root_too(sealed):
    payctl(
        "audit",
        "root",
        "--dsn",
        f"dbname={sealed.names['a']}",
        "--day",
        DAYS[1],
        "--key",
        sealed.signer.private,
        "--dir",
        sealed.place,
    )
    cells = json.loads(sealed.file.read_text())["proof"]["cells"]
    assert [x["cell"] for x in cells] == ["default"]


def test_verify_says_which_cell_is_missing(sealed):
    sealed.make()
    out = sealed.verify(code=1, cells="ac")
    assert "missing   b: no exported seals are given" in out
    assert out.endswith("\ninvalid\n")
    # lost on its way: the next seal vouches for it, and without that nobody
    lines = sealed.lines("b")
    write(sealed.place / "seals.b", lines[:3] + lines[4:])
    sealed.verify()
    write(sealed.place / "seals.b", lines[:3])
    assert "missing   b: seal 4 is not among the 3 exported" in sealed.verify(
        code=1
    )
    # a cell that the root is not over
    write(sealed.place / "seals.d", lines)
    write(sealed.place / "seals.b", lines)
    assert "missing   d: the root is not over this cell" in sealed.verify(
        code=1, cells="abcd"
    )


def test_verify_says_which_cell_differs(sealed):
    sealed.make()
    lines = sealed.lines("b")
    other = [each for _, each in seals(sealed.signer, 7)]
    write(sealed.place / "seals.b", other)
    out = sealed.verify(code=1)
    assert "differs   b: seal 4 as exported does not agree" in out
    assert "ok        a" in out
    # what follows the head names another one
    write(sealed.place / "seals.b", lines[:4] + other[4:])
    assert "differs   b: seal 5 as exported does not" in sealed.verify(code=1)
    # the head was not the newest of that day
    _, later = sealed.signer.seal(5, f"{DAYS[1]}T23:00:00.000000Z", NOUGHTS)
    write(sealed.place / "seals.b", [*lines[:4], later])
    assert "differs   b: seal 5 is of that day, too" in sealed.verify(code=1)
    write(
        sealed.place / "seals.b",
        [
            *lines[:4],
            later.replace('"number":5', '"number":8').replace(
                "number 5", "number 8"
            ),
        ],
    )
    assert "differs   b: seal 8 as exported has no sig" in sealed.verify(code=1)
    # a cell that had nothing by then has something
    write(sealed.place / "seals.b", lines)
    write(sealed.place / "seals.c", lines[:1])
    assert "differs   c: seal 1 is of that day" in sealed.verify(code=1)


def test_a_syslog_with_seals_is_read(sealed):
    sealed.make()
    lines = sealed.lines("a")
    write(sealed.place / "seals.a", ["no seal"] + [
        f"<190>Nov 21 10:00:00 gw nginx: {each}" for each in lines
    ])  # fmt: skip
    sealed.verify()


def test_each_changed_byte_of_a_root_is_found(sealed):
    sealed.make()
    text, wrong = sealed.file.read_bytes(), sealed.place / "wrong.json"
    for place in range(0, len(text), 7):
        wrong.write_bytes(
            text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
        )
        assert "invalid: " in sealed.verify(code=1, file=wrong)
    stranger = Signer(sealed.place)
    assert "a key that was not given" in sealed.verify(code=1, keys=[stranger])
    # seals of a key that was not given vouch for nothing
    sealed.file.unlink()
    sealed.make(key=stranger.private)
    assert "no signature of a key" in sealed.verify(code=1, keys=[stranger])
    sealed.verify(keys=[stranger, sealed.signer])
