"""Encrypted copies of settlement files, as payctl keeps them and writes them
out: the same bytes, nothing of them in PostgreSQL, and no copy that was
changed."""

import base64
import os
import pathlib
import subprocess

import pytest
from test_settlement import PAYCTL, scratch  # noqa: F401 (a fixture)

CELL = "f4ce-in-the-file"
TABLE = "pay.settlement_copy"


def write_ring(path, *kids, behind=""):
    lines = [f"{k} {base64.b64encode(os.urandom(32)).decode()}" for k in kids]
    path.write_text("\n".join([*lines, behind]))
    path.chmod(0o400)
    return str(path)


@pytest.fixture(name="ring")
def a_ring(tmp_path):
    return write_ring(tmp_path / "ring", "old")


def fees(shop, name, count, prefix=CELL):
    return shop.file(
        name,
        [
            (f"{prefix}-{n}", "fee", "", "", "", 0, -1, "")
            for n in range(count)
        ],
    )


def load(shop, path, *words, code=0):
    shop.payctl(
        "settlement", "import", "--source", "psp", *words, path, code=code
    )


def copied(shop, file_id, ring):
    return subprocess.run(
        [PAYCTL, "settlement", "copy", "--file", str(file_id), "--keyring",
         ring, "--dsn", shop.dsn],
        capture_output=True,
        timeout=60,
        check=False,
    )  # fmt: skip


# More than one piece of 64 KiB: each row has some 70 bytes.
def test_a_copy_is_the_file_and_no_table_has_its_text(shop, ring):
    path = fees(shop, "f.csv", 3000)
    load(shop, path, "--keyring", ring)
    data = pathlib.Path(path).read_bytes()
    out = copied(shop, 1, ring)
    assert (out.returncode, out.stderr) == (0, b"")
    assert out.stdout == data
    assert shop.sql(
        "SELECT pieces, bytes::int, is_whole, kids "
        "FROM pay_view.settlement_copies"
    ) == [(-(-len(data) // 65536), len(data), True, ["old"])]
    assert shop.sql(
        f"SELECT count(*) FROM {TABLE} WHERE position(%s::bytea IN bytes) > 0",
        (CELL.encode(),),
    ) == [(0,)]


def test_a_new_key_writes_and_the_old_one_reads(shop, ring, tmp_path):
    load(shop, fees(shop, "a.csv", 1, "a"), "--keyring", ring)
    both = write_ring(
        tmp_path / "both", "new", behind=pathlib.Path(ring).read_text()
    )
    load(shop, fees(shop, "b.csv", 1, "b"), "--keyring", both)
    assert [copied(shop, n, both).returncode for n in (1, 2)] == [0, 0]
    refused = copied(shop, 2, ring)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b'piece 1: the keyring has no key "new"' in refused.stderr


@pytest.mark.parametrize(
    ("change", "says", "written"),
    [
        (
            "UPDATE {} SET bytes = set_bit(bytes, 5, 1 - get_bit(bytes, 5))",
            b"piece 2: it is not as it was sealed",
            65536,
        ),
        (
            "UPDATE {} SET is_last = true",
            b"piece 2: the last one is not at the end",
            65536,
        ),
        ("DELETE FROM {}", b"its copy is not whole", 0),
    ],
)
def test_a_piece_that_was_tampered_with_is_named(
    shop, ring, change, says, written
):
    load(shop, fees(shop, "f.csv", 3000), "--keyring", ring)
    shop.sql(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
    shop.sql(f"{change.format(TABLE)} WHERE number = 2")
    out = copied(shop, 1, ring)
    assert out.returncode == 1
    assert says in out.stderr
    assert len(out.stdout) == written


def test_the_last_pieces_cannot_be_cut_off(shop, ring):
    load(shop, fees(shop, "f.csv", 3000), "--keyring", ring)
    shop.sql(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
    shop.sql(f"DELETE FROM {TABLE} WHERE number > 2")
    shop.sql(f"UPDATE {TABLE} SET is_last = true WHERE number = 2")
    out = copied(shop, 1, ring)
    assert out.returncode == 1
    assert b"piece 2: it is not as it was sealed" in out.stderr


def test_a_source_that_keeps_copies_takes_no_file_without_a_key(shop, ring):
    path = fees(shop, "f.csv", 1)
    shop.sql("UPDATE pay.settlement_source SET keep = 'copy'")
    load(shop, path, code=2)
    assert shop.sql("SELECT count(*) FROM pay.settlement_row") == [(0,)]
    load(shop, path, "--keyring", ring)
    assert copied(shop, 1, ring).returncode == 0


def test_a_refused_file_has_no_copy(shop, ring):
    path = pathlib.Path(fees(shop, "cut.csv", 2))
    path.write_text(path.read_text().rsplit("total", 1)[0])
    load(shop, str(path), "--keyring", ring, code=1)
    out = copied(shop, 1, ring)
    assert out.returncode == 1
    assert b"no copy of it is kept" in out.stderr
    assert shop.sql(f"SELECT count(*) FROM {TABLE}") == [(0,)]


def test_a_keyring_that_others_can_read_is_refused(shop, ring):
    os.chmod(ring, 0o444)
    path = fees(shop, "f.csv", 1)
    load(shop, path, "--keyring", ring, code=2)
    out = copied(shop, 1, ring)
    assert out.returncode == 2
    assert b"chmod 0400" in out.stderr
