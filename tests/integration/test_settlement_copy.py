"""Encrypted copies of settlement files (keep=copy): what comes in comes out,
PostgreSQL reads nothing of it, and no copy passes that was changed."""

import base64
import os
import shutil
import subprocess

import pytest
from support.gateway import PAYCTL
from test_settlement_dir import AUDIENCE, Inbox, fees

CELL = "f4ce-in-the-file"
ROWS = 2500


def key_line(kid):
    return f"{kid} {base64.b64encode(os.urandom(32)).decode()}\n"


def write_key(path, text):
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o400)
    return path


@pytest.fixture(scope="module")
def ring(own_stack):
    path = own_stack.gateway.secrets / "copies.keyring"
    return write_key(path, key_line("first"))


@pytest.fixture(scope="module")
def inbox(own_stack, ring):
    made = Inbox(own_stack, "copied")
    line = made.line().replace(" dir=", " keep=copy dir=")
    own_stack.configure(
        ("/secrets/keyring", f"/secrets/{ring.name}"),
        (AUDIENCE, line + AUDIENCE),
    )
    yield made
    own_stack.configure()
    shutil.rmtree(made.dir)


def payctl(stack, *words):
    env = {**os.environ, "PAYCTL_DSN": stack.values["PG_ADMIN_DSN"]}
    return subprocess.run(
        [PAYCTL, "settlement", *words],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def number(stack, name):
    return stack.value(
        "SELECT file_id FROM pay.settlement_file WHERE name = %s", name
    )


def copied(stack, name, ring):
    return payctl(
        stack, "copy", "--file", str(number(stack, name)), "--keyring", ring
    )


def booked(inbox, name, text):
    inbox.put(name, text)
    inbox.becomes(name, "booked")


# More than one piece of 64 KiB: each row has some 60 bytes.
def test_a_copy_is_the_file_byte_by_byte(stack, inbox, ring):
    text = fees(CELL, ROWS)
    booked(inbox, "copied.csv", text)
    out = copied(stack, "copied.csv", ring)
    assert (out.returncode, out.stderr) == (0, b"")
    assert out.stdout == text.encode()
    shown = stack.sql(
        "SELECT pieces, bytes::int, is_whole, kids FROM "
        "pay_view.settlement_copies WHERE name = 'copied.csv'"
    )
    assert shown == [(-(-len(text) // 65536), len(text), True, ["first"])]
    assert shown[0][0] > 2


def test_no_table_has_the_text_of_a_copy(stack, inbox):
    booked(inbox, "plain.csv", fees(f"{CELL}-2", 3))
    found = stack.value(
        "SELECT count(*) FROM pay.settlement_copy "
        "WHERE position(%s::bytea IN bytes) > 0",
        CELL.encode(),
    )
    assert found == 0
    # the digest and the AAD stand beside the bytes; no key does
    assert stack.value("SELECT count(*) FROM pay.settlement_copy") > 3


def test_payctl_keeps_copies_as_workers_do(stack, inbox, ring, tmp_path):
    path = tmp_path / "by-hand.csv"
    path.write_text(fees("hand", 2000))
    words = ["import", "--source", inbox.name]
    without = payctl(stack, *words, str(path))
    assert without.returncode == 2
    assert b"give --keyring FILE" in without.stderr
    made = payctl(stack, *words, "--keyring", ring, str(path))
    assert made.returncode == 0, made.stderr
    out = copied(stack, str(path), ring)
    assert (out.returncode, out.stdout) == (0, path.read_bytes())


def test_a_new_key_writes_and_the_old_one_reads(stack, inbox, ring, tmp_path):
    booked(inbox, "old.csv", fees("old", 2))
    both = write_key(tmp_path / "both", key_line("second") + ring.read_text())
    path = tmp_path / "new.csv"
    path.write_text(fees("new", 2))
    made = payctl(
        stack, "import", "--source", inbox.name, "--keyring", both, str(path)
    )
    assert made.returncode == 0, made.stderr
    for name in ("old.csv", str(path)):
        assert copied(stack, name, both).returncode == 0
    refused = copied(stack, str(path), ring)
    assert refused.returncode == 1
    assert refused.stdout == b""
    assert b'piece 1: the keyring has no key "second"' in refused.stderr


def test_a_piece_that_was_tampered_with_is_named(stack, inbox, ring):
    text = fees("tampered", ROWS)
    booked(inbox, "tampered.csv", text)
    file_id = number(stack, "tampered.csv")

    def changed(change):
        """What comes out of the copy when its second piece is changed."""
        stack.sql("ALTER TABLE pay.settlement_copy DISABLE TRIGGER USER")
        stack.sql(
            "CREATE TABLE public.kept AS SELECT * FROM pay.settlement_copy "
            "WHERE file_id = %s",
            file_id,
        )
        try:
            stack.sql(f"{change} WHERE file_id = {file_id} AND number = 2")
            return copied(stack, "tampered.csv", ring)
        finally:
            stack.sql(
                "DELETE FROM pay.settlement_copy WHERE file_id = %s", file_id
            )
            stack.sql(
                "INSERT INTO pay.settlement_copy SELECT * FROM public.kept"
            )
            stack.sql("DROP TABLE public.kept")
            stack.sql(
                "ALTER TABLE pay.settlement_copy ENABLE ALWAYS TRIGGER "
                "settlement_copy_append_only"
            )

    table = "pay.settlement_copy"
    flipped = changed(
        f"UPDATE {table} SET bytes = set_bit(bytes, 5, 1 - get_bit(bytes, 5))"
    )
    assert flipped.returncode == 1
    assert b"piece 2: it is not as it was sealed" in flipped.stderr
    assert flipped.stdout == text.encode()[:65536]
    assert changed(f"DELETE FROM {table}").returncode == 1
    cut = changed(f"UPDATE {table} SET is_last = true")
    assert b"piece 2: the last one is not at the end" in cut.stderr
    assert copied(stack, "tampered.csv", ring).stdout == text.encode()


def test_what_has_no_copy_says_so(stack, inbox, ring):
    cut = fees("cut", 5).rsplit("total", 1)[0]
    inbox.put("cut.csv", cut)
    inbox.becomes("cut.csv", "refused")
    refused = copied(stack, "cut.csv", ring)
    assert refused.returncode == 1
    assert b"no copy of it is kept" in refused.stderr
    missing = payctl(stack, "copy", "--file", "999999", "--keyring", ring)
    assert missing.returncode == 1
    assert b"there is no file 999999" in missing.stderr


def test_a_keyring_that_others_can_read_is_refused(stack, ring, tmp_path):
    shown = write_key(tmp_path / "shown", ring.read_text())
    shown.chmod(0o444)
    refused = payctl(stack, "copy", "--file", "1", "--keyring", shown)
    assert refused.returncode == 2
    assert b"chmod 0400" in refused.stderr
