"""Every refusal of every format, from the command line to the books: each case
of tests/fixtures/settle that is refused changes nothing, and its reason names
line, column, the word and what was expected; each word that the readers know
has a case.
"""

import pathlib
import re

import pytest
from settlement_books import DIGEST
from test_settlement_bad import (
    FIXTURES,
    ROOT,
    copied,
    made_once,
    nothing_is_booked,
)

__all__ = ["copied", "made_once", "nothing_is_booked"]
FORMATS = sorted(path.parent.name for path in FIXTURES.glob("*/cases.txt"))
# A notification proves no balance: payctl payout file read takes it alone.
IMPORTED = [form for form in FORMATS if form != "camt.054"]
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "s": " ", "0": "\0", "\\": "\\"}
ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|(.))")
# a refusal in a reader: its word
WORD = re.compile(r'pay_settle_(?:refuse|say)(?:_file)?\(\w+,\s*"([a-z0-9-]+)"')
# words that no change of one place of a fixture brings about, and their tests
ELSEWHERE = {
    "line-too-long": "test_settlement_bad.py, a line of 30 MB",
    "account-foreign": "test_settlement_bad.py, a foreign merchant account",
    "amount-too-large": "test_sums_beyond_all_amounts_are_refused",
}


def bytes_of(text: str) -> bytes:
    """A part of a case, its escapes read."""
    return ESCAPE.sub(
        lambda m: bytes([int(m[1], 16)]) if m[1]
        else ESCAPES[m[2].decode()].encode(), text.encode(),
    )  # fmt: skip


def made(directory: pathlib.Path, name: str, old: str, new: str) -> bytes:
    """The file of a case, as the README there has it."""
    data = (directory / name).read_bytes()
    if old == "-":
        return data
    if old == "^":
        return bytes_of(new) + data
    if old == "$":
        return data + bytes_of(new)
    if old.startswith(">"):
        return data[:data.index(bytes_of(old[1:]))]
    assert bytes_of(old) in data, old
    return data.replace(bytes_of(old), bytes_of(new), 1)


def cases(form: str):
    """Where each stands, the bytes, and what becomes of them."""
    directory = FIXTURES / form
    lines = (directory / "cases.txt").read_text().split("\n")
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            name, old, new, outcome = line.split(" | ", 3)
            yield number, made(directory, name, old, new), outcome


def as_told(outcome: str) -> str:
    """How the reason of a case begins: refused WORD LINE COLUMN."""
    _, word, line, *column = [*outcome.split(" ", 3)]
    where = f"line {line}" if line != "0" else ""
    if column:
        where += ", " * bool(where) + f"column {column[0]}"
    return f"{where or 'the file'}: {word}, expected "


@pytest.mark.parametrize("form", IMPORTED)
def test_each_refusal_says_where_and_why_and_changes_nothing(refusing, form):
    before = refusing.ask(DIGEST)
    source = {"camt.053": "camt", "adyen": "adyen-8"}.get(form, form)
    wrong, count = [], 0
    for number, data, outcome in cases(form):
        if not outcome.startswith("refused"):
            continue
        count += 1
        code, said = refusing.load(source, data)
        told, reason = as_told(outcome), said["reason"]
        if (code, said["state"]) != (1, "refused") or (
                not reason.startswith(told) or reason == told):
            wrong.append((number, outcome, code, said))
    assert not wrong, "\n".join(map(str, wrong))
    assert count > 5
    assert refusing.ask(DIGEST) == before


@pytest.mark.parametrize("form", IMPORTED)
def test_what_a_reader_proves_is_booked_and_a_part_is_not(books, form):
    """PostgreSQL has proofs of its own, of sums and payouts: none of them may
    refuse what the reader has proven.  Pages of PayPal's report wait for each
    other, and two that do not go together are refused."""
    source = {"camt.053": "camt", "adyen": "adyen-8"}.get(form, form)
    wrong, count = [], 0
    for number, data, outcome in cases(form):
        if outcome.startswith("refused"):
            continue
        count += 1
        _, said = books.load(source, data)
        if outcome.startswith("partial"):
            word = "page" if form == "paypal" else "part"
            right = word in said["reason"] and said["state"] in (
                ("staged", "refused") if word == "page" else ("refused",))
        else:
            right = said["state"] == "booked"
        if not right:
            wrong.append((number, outcome, said))
    assert not wrong, "\n".join(map(str, wrong))
    assert count > 2


def test_sums_beyond_all_amounts_are_refused(refusing):
    most = "999999999999999.99"
    rows = "".join(
        f"r{n},sale,p{n},2026-11-20T10:00:00Z,{most},0.00,{most},EUR\n"
        for n in range(100)
    )
    code, said = refusing.load("generic", (
        "row_id,type,psp_ref,occurred_at,gross,fee,net,currency\n" + rows
    ).encode())  # fmt: skip
    assert (code, said["state"]) == (1, "refused")
    assert said["reason"].startswith("line 94: amount-too-large, expected ")


def test_each_word_of_a_refusal_has_a_case():
    texts = [path.read_text()
             for path in sorted((ROOT / "src" / "settle").glob("*.c"))]
    known = {word for text in texts for word in WORD.findall(text)}
    told = {
        outcome.split()[1]
        for form in FORMATS
        for _, _, outcome in cases(form)
        if outcome.startswith("refused")
    }
    assert len(known) > 30
    assert known - told == set(ELSEWHERE)
    unknown = {word for word in told - known
               if not any(f'"{word}"' in text for text in texts)}
    assert unknown == set()
