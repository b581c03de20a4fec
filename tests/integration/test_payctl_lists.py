"""How payctl prints lists: CSV and JSON for programs, and on a terminal tables
that fit, ids that are cut where they differ, and a pager.
"""

import base64
import csv
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import termios
import uuid

import pytest
from support.payctl_books import (
    PAYCTL,
    command,  # noqa: F401 - a fixture
    database,  # noqa: F401 - a fixture
    fresh_name,  # noqa: F401 - a fixture
)

LISTS = [
    ["backfill"], ["change", "list", "--all"], ["dlq", "list", "--all"],
    ["mismatch", "list", "--all"], ["events", "list"], ["events", "endpoints"],
    ["events", "lag"], ["payout", "list"], ["payout", "accounts"],
    ["payout", "batches"], ["payout", "commissions"], ["payout", "schedules"],
    ["payout", "runs"], ["payout", "file", "list"],
    ["payout", "screening", "lists"], ["payout", "screening", "held"],
    ["payout", "screening", "waiting"], ["risk", "list"],
    ["risk", "decisions"], ["risk", "modes"], ["risk", "review", "list"],
    ["risk", "review", "captures", "--all"],
    ["risk", "model", "list"], ["retention", "show"], ["settlement", "files"],
    ["settlement", "ageing"], ["settlement", "balances"],
    ["webhook", "quarantine"],
    *(["report", by, "--from", "2020-01-01", "--to", "2100-01-01"]
      for by in ("day", "psp", "seller", "fees")),
]  # fmt: skip


def terminal(books, words, columns=80, lines=50, **env):
    """What a command writes to a terminal of that size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(
        theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0)
    )
    child = subprocess.Popen(
        [PAYCTL, *words], stdout=theirs, stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PAYCTL_DSN": books.dsn, **env},
    )  # fmt: skip
    os.close(theirs)
    out = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # EIO: the other end is closed
            break
        if not piece:
            break
        out += piece
    os.close(ours)
    err = child.communicate(timeout=60)[1].decode()
    return child.returncode, out.decode().replace("\r\n", "\n"), err


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_each_list_has_the_same_rows_in_each_format(
    books, payctl, name, words
):
    if words[0] in {"change", "dlq", "mismatch", "report"}:
        books.refund(name)
        books.differ(f"{name}-d")
    code, out, err = payctl(*words, "-o", "json", role="payments_auditor")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    done = subprocess.run(
        [PAYCTL, *words, "-o", "csv"], check=True, capture_output=True,
        timeout=60, env={**os.environ, "PAYCTL_DSN": books.dsn},
    )  # fmt: skip
    assert all(line.endswith(b"\r") for line in done.stdout.split(b"\n")[:-1])
    table = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    assert len(table) == len(rows)
    for row in rows:
        row.pop("age", None)
    for cells, row in zip(table, rows, strict=True):
        cells.pop("age", None)
        assert list(cells) == list(row)
        for cell, value in zip(cells.values(), row.values(), strict=True):
            if isinstance(value, str) and "?" not in cell:
                assert cell.removeprefix("'") == value


def test_a_record_is_json_with_its_parts(books, payctl, name):
    books.refund(name, amount=105)
    _, out, _ = payctl("change", "list", "--merchant", "acme", "-o", "json")
    (row,) = [row for row in json.loads(out) if row["order"] == name]
    code, out, err = payctl(
        "change", "show", row["id"], "-o", "json", role="payments_auditor"
    )
    assert (code, err) == (0, "") and out.count("\n") == 1
    document = json.loads(out)
    assert list(document) == ["record", "parts"]
    assert document["record"]["order"] == name
    assert document["record"]["amount"] == "1.05 USD"
    assert {type(rows) for rows in document["parts"].values()} == {list}
    assert document["parts"]["timeline"][0]["order"] == name
    for what in ("change", "dlq", "mismatch", "payout", "settlement"):
        code, out, err = payctl(what, "show", "999999999", "-o", "json")
        assert (code, out) == (1, "") and "no such" in err, what
    code, out, err = payctl("change", "show", row["id"], "-o", "csv")
    assert (code, out) == (2, "") and "-o json" in err


def test_a_check_is_kept_for_the_console_by_those_who_may(books, payctl, name):
    books.refund(name)

    def kept():
        with books.connection.cursor() as cursor:
            cursor.execute("SELECT name, at, violations FROM pay.check_result")
            return {row[0]: row[1:] for row in cursor.fetchall()}

    before = kept()
    code, _, err = payctl("check", "--quiet", role="payments_auditor")
    assert (code, err, kept()) == (0, "", before)
    code, out, err = payctl("check", role="payments_operator")
    assert (code, err) == (0, "")
    found = kept()
    assert f"all {len(found)} checks hold" in out
    assert {violations for _, violations in found.values()} == {0}
    (at,) = {at for at, _ in found.values()}
    code, _, _ = payctl("check", "journal_balances", role="payments_operator")
    assert code == 0
    again = kept()
    assert again.pop("journal_balances")[0] > at
    assert {when for when, _ in again.values()} == {at}


def test_amounts_are_decimals_beside_their_currency(books, payctl, name):
    books.refund(name, amount=105)
    _, out, _ = payctl("change", "list", "--merchant", "acme", "-o", "json")
    (row,) = [row for row in json.loads(out) if row["order"] == name]
    assert (row["amount"], row["currency"]) == (1.05, "USD")
    done = subprocess.run(
        [PAYCTL, "change", "list", "-o", "csv", "--dsn", books.dsn],
        check=True, capture_output=True, timeout=60, text=True,
    )  # fmt: skip
    assert re.search(rf'"{name}","stripe",1\.05,"USD",', done.stdout)


def test_a_cell_is_no_formula_and_steers_no_terminal(books, name):
    evil = f"=HYPERLINK(1)-{name}"
    books.give_up(name, code=evil)
    books.give_up(f"{name}-2", code=f"a\x1b[2Jb,\"c\"\n{name}")
    done = subprocess.run(
        [PAYCTL, "dlq", "list", "-o", "csv", "--dsn", books.dsn],
        check=True, capture_output=True, timeout=60, text=True,
    )  # fmt: skip
    assert f"\"'{evil}\"" in done.stdout
    assert f'"a?[2Jb,""c""?{name}"' in done.stdout


@pytest.mark.parametrize(
    ("words", "valid"),
    [
        (["payout", "list", "--state", "payd"], "draft|held|ready"),
        (["risk", "decisions", "--decision", "blok"], "allow|challenge"),
        (["events", "list", "--merchant", "acne"], "did you mean acme?"),
        (["dlq", "list", "--merchant", "acne"], "there is acme"),
        (["risk", "review", "list", "--merchant", "acne"], "there is acme"),
        (["settlement", "list", "--source", "nosuch"], 'no source "nosuch"'),
        (["webhook", "quarantine", "--psp", "strip"], "there is stripe"),
        (["events", "deliveries", "we"], 'no endpoint "we"'),
    ],
)  # fmt: skip
def test_an_unknown_filter_lists_the_valid_ones(books, payctl, name, words,
                                                valid):  # fmt: skip
    books.begin(name)
    code, out, err = payctl(*words)
    assert (code, out) == (2, "") and valid in err


def test_a_missing_right_says_how_to_get_it(books, payctl, name):
    letter = str(books.give_up(name))
    told = ["--who", "eve", "--why", "x"]
    code, out, err = payctl("dlq", "requeue", letter, *told,
                            role="payments_auditor")
    assert (code, out) == (2, "")
    assert "needs the role payments_operator" in err
    assert re.search(r"GRANT payments_operator TO \S+;", err)
    code, out, err = payctl("dlq", "list", role="payments_gateway")
    assert code == 2 and "GRANT payments_auditor TO" in err


def test_a_table_fits_the_terminal_and_nothing_else_is_cut(
    books, payctl, name
):
    change = books.refund(name)
    other = books.refund(f"{name}-{'long' * 30}")
    code, out, err = terminal(books, ["change", "list"], columns=150,
                              PAYCTL_PAGER="")
    assert (code, err) == (0, "")
    rows = out.splitlines()
    assert all(len(row) <= 150 for row in rows), out
    assert any("…" in row for row in rows)
    (row,) = [row for row in rows if change[:13] in row and name in row]
    assert change not in row and " 1.00 " in row, "an amount is never cut"
    ids = [row.split()[0] for row in rows[1:]]
    assert all(len(i) >= 13 for i in ids) and len(set(ids)) == len(ids)
    assert sum(other.startswith(i) for i in ids) == 1
    assert re.search(r" 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d ", row), "no fraction"
    _, out, _ = terminal(books, ["change", "list"], PAYCTL_PAGER="")
    records = out.split("\n\n")
    (record,) = [record for record in records if change in record]
    assert re.search(rf"^order +{name}$", record, re.M), "no room: records"
    _, out, _ = payctl("change", "list")
    assert f"{name}-{'long' * 30}" in out and "…" not in out
    assert change in out and other in out
    _, out, _ = terminal(books, ["change", "list"], columns=400,
                         PAYCTL_PAGER="")
    assert change in out, "there is room"


def test_long_output_goes_to_a_pager(books, name, tmp_path):
    for _ in range(3):
        books.begin(f"{name}-{uuid.uuid4().hex}", token=uuid.uuid4().hex)
    pager = f"sed 's/^/paged: /'; echo x >> {tmp_path}/ran"
    words = ["explain", name]
    books.begin(name, token=f"t-{name}")
    _, out, _ = terminal(books, words, lines=8, PAYCTL_PAGER=pager)
    lines = out.splitlines()
    assert len(lines) > 8 and all(x.startswith("paged: ") for x in lines)
    _, out, _ = terminal(books, words, lines=8, PAGER=pager)
    assert out.startswith("paged: ")
    for sort in (
        {"lines": 100, "PAYCTL_PAGER": pager},
        {"lines": 8, "PAYCTL_PAGER": "", "PAGER": pager},
        {"lines": 8, "PAYCTL_PAGER": "cat"},
        {"lines": 8, "PAYCTL_PAGER": "/nonexistent/pager"},
    ):
        _, out, _ = terminal(books, words, **sort)
        assert out.startswith("order ") and "paged" not in out, sort
    _, out, _ = terminal(books, [*words, "--no-pager"], lines=8,
                         PAYCTL_PAGER=pager)
    assert out.startswith("order ") and "paged" not in out
    assert (tmp_path / "ran").read_text() == "x\nx\n"


def test_the_pager_is_less_where_nobody_says_otherwise(books, name, tmp_path):
    less = tmp_path / "less"
    less.write_text('#!/bin/sh\necho "less $*"\nexec cat\n')
    less.chmod(0o755)
    books.begin(name, token=f"t-{name}")
    _, out, _ = terminal(books, ["explain", name], lines=8,
                         PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert out.startswith("less -FRX\norder ")


def test_a_pipe_has_no_pager(books, name):
    books.begin(name, token=f"t-{name}")
    done = subprocess.run(
        [PAYCTL, "explain", name], check=True, capture_output=True, timeout=60,
        env={**os.environ, "PAYCTL_DSN": books.dsn, "PAYCTL_PAGER": "false"},
    )  # fmt: skip
    assert done.stdout.startswith(b"order ")


def test_find_names_the_next_command_and_it_works(books, payctl, name):
    change = books.refund(name)
    for what in (name, change, change[:13], f"t-{name}", f"pi-{name}",
                 f"t-{name}"[:8], "12.34 USD", "s"):
        rows = json.loads(payctl("find", what, "-o", "json")[1])
        assert rows, what
        for row in rows:
            words = row["next"].split()
            assert words[0] == "payctl"
            if name in row["next"] or change in row["next"]:
                code, out, err = payctl(*words[1:])
                assert (code, err) == (0, "") and name in out, what
    row = json.loads(payctl("find", change, "-o", "json")[1])[-1]
    assert row["next"] == f"payctl change show {change}"
    (row,) = json.loads(payctl("find", "s", "-o", "json")[1])
    assert row["found_as"] == "seller"


def test_find_quotes_for_the_shell_what_storefronts_wrote(books, payctl, name):
    order = f"it's; rm -rf / #{name}"
    books.begin(order)
    (row, *_) = json.loads(payctl("find", order, "-o", "json")[1])
    done = subprocess.run(
        ["sh", "-c", f'payctl() {{ printf "%s\\n" "$@"; }}; {row["next"]}'],
        check=True, capture_output=True, timeout=60, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["explain", "--merchant", "acme", order]


def test_find_makes_the_hash_of_an_address(books, payctl, name, tmp_path):
    """The database has no address, and the tool needs the gateway's keys."""
    keyring = tmp_path / "keyring"
    keyring.write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\n")
    keyring.chmod(0o400)
    books.begin(name)
    words = ["risk", "list", "add", "block", "email", f"{name}@Example.com",
             "--why", "x", "--keyring", str(keyring)]  # fmt: skip
    assert payctl(*words)[0] == 0
    books.run(
        "INSERT INTO pay.risk_decision (merchant_id, checkout_id, decision,"
        " decided_by, hits, inputs_hash, version, buyer) SELECT 'acme', %s,"
        " 'allow', 'none', '[]', sha256('x'), 'v', decode(value, 'hex')"
        " FROM pay.risk_list WHERE kind = 'email'", name,
    )  # fmt: skip
    mail = f"{name}@example.COM"
    code, out, err = payctl("find", mail)
    assert (code, out) == (1, "") and "found with --keyring" in err
    code, out, err = payctl("find", "--keyring", str(keyring), mail)
    assert (code, err) == (0, "")
    assert re.search(rf"^buyer +acme +{name} .* {name}$", out, re.M)
    assert payctl("find", "--keyring", str(keyring), f"x{mail}")[0] == 1
    keyring.chmod(0o444)
    code, out, err = payctl("find", "--keyring", str(keyring), mail)
    assert (code, out) == (2, "") and str(keyring) in err


def test_a_report_states_its_time_and_zone(books, payctl, name):
    books.refund(name)
    span = ("--from", "2020-03-29", "--to", "2100-03-29T06:00Z")
    code, out, err = payctl("report", "psp", *span, "--zone", "Europe/Berlin",
                            "-o", "json", role="payments_auditor")
    assert (code, err) == (0, "")
    for row in json.loads(out):
        assert row["zone"] == "Europe/Berlin"
        assert row["from"] == "2020-03-29T00:00:00"
        assert row["to"] == "2100-03-29T08:00:00"
    assert {r["psp"] for r in json.loads(out)} == {"stripe"}
    for words, complaint in (
        (("--from", "2020-01-01"), "report day takes --from and --to"),
        ((*span, "--zone", "Europe/Berlim"), "did you mean Europe/Berlin?"),
        ((*span, "--merchant", "acne"), "did you mean acme?"),
        (("--from", "soon", "--to", "2020-01-01"), "soon"),
    ):
        code, out, err = payctl("report", "day", *words)
        assert (code, out) == (2, "") and complaint in err
