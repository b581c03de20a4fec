"""payctl audit verify against logs of an independent maker
(support/audit_log.py): it needs neither database nor gateway, and names the
row that was tampered with.
"""

import json
import os
import pathlib
import re
import resource
import subprocess

import pytest
from support.audit_log import Key, Log, event_hash, sha256, write

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
VALID, INVALID, USAGE = 0, 1, 2


@pytest.fixture(name="keys")
def key_pairs(tmp_path):
    return Key(tmp_path, "old"), Key(tmp_path, "new")


@pytest.fixture(name="log")
def small_log(keys):
    """Orders a, b, c; seal 1 by the old key, seal 2 by the new one; one event
    that is not sealed yet."""
    log = Log()
    log.event("a", 10, kind="created", new_status="NOT_STARTED")
    log.event("b", 11, kind="created", new_status="NOT_STARTED")
    log.event("a", 20, detail='{"psp": "stripe", "text": "é\\n\\u202e"}')
    log.event("b", 21, reason="declined")
    log.seal(25, keys[0])
    log.event("a", 30, request_id=None)
    log.event("c", 31)
    log.seal(40, keys[1])
    log.event("c", 50)
    return log


@pytest.fixture(name="verify")
def command(tmp_path, keys):
    """verify(rows or text, *words) → exit code, lines of stdout, stderr; both
    keys are given unless `given` says which."""

    def run(rows, *words, given=keys):
        path = tmp_path / "export.jsonl"
        if isinstance(rows, bytes):
            path.write_bytes(rows)
        else:
            write(path, rows)
        named = [word for key in given for word in ("--key", key.path)]
        done = subprocess.run(
            [PAYCTL, "audit", "verify", *named, *words, path], check=False,
            capture_output=True, timeout=60, env={},
        )  # fmt: skip
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)
        return (done.returncode, done.stdout.decode().splitlines(),
                done.stderr.decode())  # fmt: skip

    return run


def assert_invalid(result, expected: str) -> None:
    """The last line names the first bad row."""
    code, lines, _ = result
    assert code == INVALID, lines
    assert re.match(f"invalid: {expected}", lines[-1]), "\n".join(lines)


def test_a_whole_log_is_valid_and_says_what_was_checked(log, verify, keys):
    code, lines, complaints = verify(log.rows())
    assert (code, complaints) == (VALID, "")
    assert lines == [
        "events    7 of 3 orders",
        "seals     2 with 4 leaves, number 1 of 2026-11-21T08:16:01.000000Z "
        "to 2 of 2026-11-21T08:16:02.000000Z",
        f"key       {keys[0].id} has signed 1, number 1 to 1",
        f"key       {keys[1].id} has signed 1, number 2 to 2",
        "unsealed  1 event is newer than the last seal, of "
        "2026-11-21T08:15:50.000000Z",
        "valid",
    ]


# What happens to a log, and what must be named for it.


def changed(log):
    log.of("a")[1]["new_status"] = "FAILED"


def changed_detail(log):
    log.of("b")[0]["detail"] = "{}"


def changed_time(log):
    log.of("a")[2]["at"] = "2026-11-21T08:15:30.000001Z"


def changed_null(log):
    log.of("a")[2]["request_id"] = ""


def changed_and_rehashed(log):
    log.of("a")[1]["reason"] = "risk"
    log.rehash("a")


def removed_row(log):
    log.events.remove(log.of("a")[1])


def removed_last_row(log):
    log.events.remove(log.of("b")[1])


def removed_order(log):
    for event in log.of("b"):
        log.events.remove(event)


def removed_leaf(log):
    del log.leaves[1]


def removed_order_and_leaf(log):
    removed_order(log)
    removed_leaf(log)


def inserted_row(log):
    log.event("b", 22, kind="refunded")


def inserted_order(log):
    log.event("bb", 22)


def doubled_row(log):
    log.events.append(dict(log.of("a")[1]))


def renumbered_rows(log):
    """Two rows of an order change places, numbers and all."""
    one, other = log.of("a")[:2]
    one["seq"], other["seq"] = 2, 1


def changed_leaf(log):
    log.leaves[1]["hash"] = "0" * 64


def changed_leaf_and_chain(log):
    log.of("b")[1]["reason"] = "risk"
    log.rehash("b")
    log.leaves[1]["hash"] = log.of("b")[1]["hash"]


def changed_seal(log):
    seal = log.seals[0]
    seal["message"] = seal["message"].replace("until 25", "until 24")


def renumbered_seal(log):
    log.seals[1]["number"] = 3


def removed_seal(log):
    del log.seals[0]


def removed_last_seal(log):
    del log.seals[1]


def forged_signature(log):
    log.seals[1]["signature"] = log.seals[0]["signature"]


def unsigned_seal(log):
    log.seals[0] |= {"key_id": None, "signature": None}


TAMPERED = [
    (changed, "merchant acme order a seq 2: changed: "),
    (changed_detail, "merchant acme order b seq 1: changed: "),
    (changed_time, "merchant acme order a seq 3: changed: "),
    (changed_null, "merchant acme order a seq 3: changed: "),
    (changed_and_rehashed, "merchant acme order a seq 2: seal 1: changed: "),
    (removed_row, "merchant acme order a seq 2: missing: "),
    (removed_last_row, "merchant acme order b seq 2: seal 1: missing: "),
    (removed_order, "merchant acme order b seq 2: seal 1: missing: "),
    (removed_leaf, "merchant acme order b seq 1: seal 1: not sealed: "),
    (removed_order_and_leaf, "seal 1: missing: "),
    (inserted_row, "merchant acme order b seq 3: seal 1: inserted: "),
    (inserted_order, "merchant acme order bb seq 1: seal 1: not sealed: "),
    (doubled_row, "merchant acme order a seq 2: inserted: "),
    (renumbered_rows, "merchant acme order a seq 1: changed: "),
    (changed_leaf, "merchant acme order b seq 2: seal 1: changed: "),
    (changed_leaf_and_chain, "seal 1: changed: "),
    (changed_seal, "seal 1: bad signature: "),
    (renumbered_seal, "seal 3: seal changed: "),
    (removed_seal, "seal 1: seal missing: "),
    (removed_last_seal, "seal 2: seal missing: "),
    (forged_signature, "seal 2: bad signature: "),
    (unsigned_seal, "seal 1: bad signature: "),
]


@pytest.mark.parametrize(
    ("tamper", "expected"), TAMPERED, ids=[t.__name__ for t, _ in TAMPERED]
)
def test_who_tampers_is_named(log, verify, tamper, expected):
    tamper(log)
    assert_invalid(verify(log.rows()), expected)


@pytest.mark.parametrize(("one", "other", "expected"), [
    (1, 2, "merchant acme order a seq 2: out of order: "),
    (2, 3, "merchant acme order a seq 3: out of order: "),
    (7, 8, "merchant acme order a seq 2: seal 1: out of order: "),
    (11, 12, "seal 1: out of order: "),
])  # fmt: skip
def test_lines_that_were_swapped_are_named(log, verify, one, other, expected):
    rows = log.rows()
    rows[one], rows[other] = rows[other], rows[one]
    assert_invalid(verify(rows), expected)


def test_every_member_of_every_row_counts(log, verify):
    """Nothing of an export can be changed alone and stay unnoticed."""
    rows = log.rows()
    for number, row in enumerate(rows):
        for name, value in row.items():
            if isinstance(value, int):
                other = value + 1
            elif value is None:
                other = "x"
            elif len(value) > 40 and name != "message":
                ends = ("AA==", "AQ==") if "=" in value else ("0000", "1111")
                other = value[:-4] + ends[value.endswith(ends[0])]
            else:
                other = value + "x"
            tampered = [dict(each) for each in rows]
            tampered[number][name] = other
            code, lines, _ = verify(tampered)
            assert code == INVALID, (number, name, lines)


def test_a_key_that_was_not_given_signs_nothing(log, verify, keys):
    assert_invalid(
        verify(log.rows(), given=keys[:1]),
        f"seal 2: unknown key {keys[1].id}: ",
    )


def test_another_key_is_no_key(log, verify, keys, tmp_path):
    other = Key(tmp_path, "other")
    assert_invalid(
        verify(log.rows(), given=(other,)),
        f"seal 1: unknown key {keys[0].id}: ",
    )
    # even if it takes the name of one that is known
    log.seals[1]["signature"] = other.sign(log.seals[1]["message"])
    assert_invalid(verify(log.rows()), "seal 2: bad signature: ")
    assert keys[0].id != keys[1].id != other.id


# Seals that were kept elsewhere.


def rooted(log, path):
    path.write_text("".join(json.dumps(seal) + "\n" for seal in log.seals))
    return "--roots", path


def test_exported_seals_agree(log, verify, tmp_path):
    code, lines, _ = verify(log.rows(), *rooted(log, tmp_path / "roots"))
    assert code == VALID
    assert ("roots     2 seals are as they were exported, the newest among "
            "them") in lines  # fmt: skip


def test_exported_seals_are_found_in_a_syslog(log, verify, tmp_path):
    roots = tmp_path / "messages"
    line = json.dumps(log.seals[0], separators=(",", ":"))
    roots.write_text(
        "Nov 21 08:15:00 pay1 sshd[1]: a line that is nobody's business\n"
        f"Nov 21 08:16:01 pay1 nginx: {line}\n"
    )
    code, lines, _ = verify(log.rows(), "--roots", roots)
    assert code == VALID
    assert ("roots     1 seal is as it was exported; those after number 1 are "
            "not vouched for") in lines  # fmt: skip


def test_the_end_of_a_log_that_is_gone_shows_in_exported_seals(
    log, verify, tmp_path
):
    roots = rooted(log, tmp_path / "roots")
    del log.seals[1]
    log.leaves = [leaf for leaf in log.leaves if leaf["number"] == 1]
    log.events = [event for event in log.events if event["tx"] < 25]
    assert verify(log.rows())[0] == VALID
    assert_invalid(verify(log.rows(), *roots), "seal 2: seal missing: ")


def test_a_log_signed_anew_with_the_key_shows_in_exported_seals(
    log, verify, keys, tmp_path
):
    """Who has the database and the key still cannot reach what is outside."""
    roots = rooted(log, tmp_path / "roots")
    log.of("b")[1]["reason"] = "risk"
    log.rehash("b")
    log.leaves, log.seals = [], []
    log.seal(25, keys[0])
    log.seal(40, keys[1])
    assert verify(log.rows())[0] == VALID
    assert_invalid(verify(log.rows(), *roots), "seal 1: seal changed: ")


def test_an_exported_seal_must_be_signed_itself(log, verify, tmp_path):
    roots = rooted(log, tmp_path / "roots")
    log_of_roots = roots[1].read_text().replace("until 25", "until 26")
    roots[1].write_text(log_of_roots)
    assert_invalid(verify(log.rows(), *roots), "seal 1: bad signature: ")


def test_a_file_without_seals_is_not_what_was_exported(log, verify, tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("nothing\n")
    code, _, complaints = verify(log.rows(), "--roots", empty)
    assert code == USAGE
    assert "holds no seal" in complaints


# Parts, streams and things that are no export.


def test_a_part_is_valid_when_it_is_said_to_be_one(log, verify):
    rows = [row for row in log.rows() if row.get("number") != 1]
    assert_invalid(verify(rows), "seal 1: seal missing: ")
    code, lines, _ = verify(rows, "--part")
    assert (code, lines[-1]) == (VALID, "valid (a part: nothing before seal 2 "
                                        "was checked)")  # fmt: skip


def test_an_export_may_come_through_a_pipe(log, keys, tmp_path):
    path = tmp_path / "export"
    write(path, log.rows())
    words = [PAYCTL, "audit", "verify", "--key", keys[0].path, "--key",
             keys[1].path, "-"]  # fmt: skip
    done = subprocess.run(
        words, input=path.read_bytes(), capture_output=True, check=False,
        timeout=60, env={},
    )  # fmt: skip
    assert done.returncode == VALID, done.stdout
    assert done.stdout.endswith(b"valid\n")


@pytest.mark.parametrize("line", [
    b"", b"{}", b"nonsense", b'{"t":"event"}', b"\xff\xfe", b"[" * 100000,
    b'{"t":"event",' + b'"x":"' + b"y" * 300000 + b'"}', b"\0" * 1000,
])  # fmt: skip
def test_a_line_that_is_none_is_named(log, verify, tmp_path, line):
    write(tmp_path / "whole", log.rows())
    text = (tmp_path / "whole").read_bytes()
    first, rest = text.split(b"\n", 1)
    result = verify(first + b"\n" + line + b"\n" + rest)
    assert_invalid(result, r"line 2: no row: ")


def test_no_seal_is_no_proof(log, verify):
    rows = [row for row in log.rows() if row["t"] == "event"]
    assert_invalid(verify(rows), "seal missing: there is no signed seal")


def test_what_was_written_by_strangers_steers_no_terminal(log, verify, keys):
    evil = "\x1b[2J\x07\u202e"
    log.event("zz" + evil, 33)
    code, lines, _ = verify(log.rows())
    assert code == INVALID
    assert "order zz?[2J??" in lines[-1]
    assert keys[0].id in "\n".join(lines)


def test_many_findings_are_counted(verify, keys):
    log = Log()
    for number in range(100):
        log.event(f"o-{number:03}", number % 24)
    log.seal(25, keys[0])
    for event in log.events[10:]:
        event["reason"] = "x"
    code, lines, _ = verify(log.rows())
    assert code == INVALID
    assert "... and 70 more" in lines
    assert_invalid((code, lines, ""), "merchant acme order o-010 seq 1: ch")


def test_memory_goes_by_leaves_and_not_by_events(keys, tmp_path):
    """160 MB of events of one order, in 128 MB of address space."""
    log = Log()
    path = tmp_path / "big"
    event = log.event("a", 1, detail=json.dumps({"x": "y" * 8000}))
    with path.open("w") as out:
        for number in range(2, 20002):
            out.write(json.dumps(event) + "\n")
            previous = event["hash"]
            event |= {"seq": number, "old_status": "EXECUTING"}
            event["hash"] = event_hash(previous, event)
        log.seal(2, keys[0])
        for row in log.rows():
            out.write(json.dumps(row) + "\n")
    assert path.stat().st_size > 160_000_000

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (128 << 20, 128 << 20))

    done = subprocess.run(
        [PAYCTL, "audit", "verify", "--key", keys[0].path, path],
        capture_output=True, check=False, timeout=100, env={},
        preexec_fn=None if "asan" in PAYCTL else limited,
    )  # fmt: skip
    assert done.returncode == VALID, done
    assert done.stdout.startswith(b"events    20001 of 1 order\n")


@pytest.mark.parametrize("words", [
    (), ("--key",), ("-",), ("--key", "k", "-", "-"), ("--what", "x", "-"),
])  # fmt: skip
def test_a_wrong_call_is_told(words):
    done = subprocess.run(
        [PAYCTL, "audit", "verify", *words], capture_output=True, check=False,
        timeout=20, env={},
    )  # fmt: skip
    assert done.returncode == USAGE
    assert done.stderr.startswith(b"usage: payctl audit verify --key")


# Keys.


def payctl(*words):
    done = subprocess.run(
        [PAYCTL, "audit", *words], capture_output=True, check=False,
        timeout=20, env={},
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_key_is_made_once_and_nobody_else_can_read_it(tmp_path):
    path = tmp_path / "audit.pem"
    code, out, _ = payctl("keygen", path)
    assert code == VALID
    assert path.stat().st_mode & 0o777 == 0o400
    before = path.read_bytes()
    code, _, complaint = payctl("keygen", path)
    assert code == USAGE
    assert "must not be there yet" in complaint
    assert path.read_bytes() == before
    code, public, told = payctl("pubkey", path)
    assert (code, told) == (VALID, out)
    openssl = subprocess.run(
        ["openssl", "pkey", "-in", path, "-pubout"], check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert public == openssl.stdout


def test_the_id_of_a_key_is_that_of_its_public_half(tmp_path):
    payctl("keygen", tmp_path / "k")
    raw = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "k", "-pubout", "-outform",
         "DER"], check=True, capture_output=True,
    ).stdout[-32:]  # fmt: skip
    assert payctl("pubkey", tmp_path / "k")[2] == (
        f"key id {sha256(raw).hex()[:16]}\n"
    )


@pytest.mark.parametrize("make", [
    ["openssl", "genpkey", "-algorithm", "X25519"],
    ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
     "ec_paramgen_curve:P-256"],
    ["openssl", "genpkey", "-algorithm", "ED25519", "-aes128", "-pass",
     "pass:secret"],
    ["echo", "nonsense"],
    ["true"],
])  # fmt: skip
def test_another_file_is_no_key(tmp_path, make):
    path = tmp_path / "k"
    path.write_bytes(subprocess.run(make, check=True,
                                    capture_output=True).stdout)  # fmt: skip
    code, out, complaint = payctl("pubkey", path)
    assert (code, out) == (USAGE, "")
    assert complaint.startswith(f"payctl: audit: {path}: ")


def test_a_private_key_is_not_what_verify_is_given(tmp_path, log):
    payctl("keygen", tmp_path / "k")
    write(tmp_path / "export", log.rows())
    code, _, complaint = payctl("verify", "--key", tmp_path / "k",
                                tmp_path / "export")  # fmt: skip
    assert code == USAGE
    assert "this is a private key" in complaint
