"""payctl proof: one signed file that has all that a dispute needs, is verified
without a database, and says the same as its page.
"""

import base64
import html
import json
import os
import re
import subprocess
import uuid

import pytest
from cryptography.hazmat.primitives import serialization
from support import audit_log
from support.payctl_books import (
    PAYCTL,
    command,  # noqa: F401 - a fixture
    database,  # noqa: F401 - a fixture
    fresh_name,  # noqa: F401 - a fixture
)
from support.waiting import wait_for

TAIL = ',"key_id":"%s","signature":"%s"}\n'


class Signer(audit_log.Key):
    """A key pair with the private half in a file, too."""

    def __init__(self, directory, name):
        super().__init__(directory, name)
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(
            self.private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.file.chmod(0o400)

    def write(self, path, document):
        text = json.dumps(document, separators=(",", ":"))
        path.write_text(
            '{"proof":' + text + TAIL % (self.id, self.sign(text))
        )
        return path

    def seal(self, books):
        """Seals all events that are there; the seal's number.  A seal ends
        before the oldest open transaction of the whole cluster, so those of
        other tests are waited for."""
        newest = books.value(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        )
        wait_for(
            lambda: books.value(
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
                " >= %s", newest,
            ),
            what="the end of the transactions that began before",
        )  # fmt: skip
        outcome, number, message = books.run(
            "SELECT outcome, number, message FROM"
            " pay_api.begin_seal('{w}', '{0}', '{60000}')"
        )[0]
        assert outcome == "due"
        signature = base64.b64decode(self.sign(message))
        assert books.value(
            "SELECT outcome FROM pay_api.end_seal(ARRAY[%s], ARRAY[%s],"
            " ARRAY[%s])", number, self.id, signature,
        ) == "stored"  # fmt: skip
        return number


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return Signer(tmp_path_factory.mktemp("keys"), "audit")


def verify(path, *keys):
    words = [word for one in keys for word in ("--pub", str(one.path))]
    done = subprocess.run(
        [PAYCTL, "proof", "verify", str(path), *words], check=False,
        capture_output=True, timeout=60, text=True,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def proven(books, key, tmp_path_factory):
    """A refunded order's proof and page; its events are in three seals, with
    other orders beside it.  The order, the file and the page."""
    name, place = f"o-{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("proof")
    for other in range(4):
        books.begin(f"{name}-a{other}")
    books.begin(name, token=f"t-{name}")
    key.seal(books)
    assert books.fact(f"t-{name}", "paid", f"pi-{name}") == "applied"
    for other in range(2):
        books.begin(f"{name}-b{other}")
    key.seal(books)
    books.run(
        "SELECT outcome FROM pay_api.begin_change('{acme}', ARRAY[%s],"
        " '{refund}', ARRAY[%s], ARRAY[%s], ARRAY[sha256('b')], '{1000}',"
        " '{100}', '{NULL}', '{<b>broken</b>}', '{NULL}', '{1000}', '{r}')",
        name, str(uuid.uuid4()), name,
    )  # fmt: skip
    key.seal(books)
    books.run(
        "UPDATE pay.checkout SET buyer_info = %s, credit_card_info ="
        " '{\"holder\": \"CANARY\"}' WHERE checkout_id = %s",
        json.dumps({"name": "<script>Ada</script>", "terms": "accepted",
                    "shipping_address": "1 Mill Lane"}), name,
    )  # fmt: skip
    books.run(
        "INSERT INTO pay.risk_card (psp, attempt, merchant_id, checkout_id,"
        " three_d, is_hint, is_declined) VALUES ('stripe', %s, 'acme', %s,"
        " 'authenticated', false, false)", f"at-{name}", name,
    )  # fmt: skip
    out, page = place / "proof.json", place / "proof.html"
    done = subprocess.run(
        [PAYCTL, "proof", name, "--key", str(key.file), "--out", str(out),
         "--html", str(page), "--dsn", books.dsn],
        check=True, capture_output=True, timeout=60,
        env={**os.environ, "PGOPTIONS": "-c role=payments_operator"},
    )  # fmt: skip
    assert done.stdout == done.stderr == b""
    return name, out, page


def test_a_proof_is_whole_and_valid_without_a_database(books, proven, key):
    name, out, page = proven
    code, said, err = verify(out, key)
    assert (code, err) == (0, ""), said
    assert said.startswith(f"order     {name} of acme\n")
    count = books.value(
        "SELECT count(*) FROM pay.event WHERE payment_order_id = %s", name
    )
    assert said.endswith(
        f"events    {count}, of which {count} are sealed by 3 seals\nvalid\n"
    )
    document = json.loads(out.read_text())["proof"]
    assert document["order"]["amount"] == "12.34"
    assert document["order"]["psp_reference"] == f"pi-{name}"
    assert document["buyer"]["buyer_info"]["shipping_address"] == "1 Mill Lane"
    assert document["three_d_secure"][0]["result"] == "authenticated"
    assert [c["kind"] for c in document["changes"]] == ["refund"]
    booked = books.run(
        "SELECT account, coalesce(debit, -credit)::text FROM pay_view.ledger"
        " WHERE payment_order_id = %s", name,
    )  # fmt: skip
    assert sorted(booked) == sorted(
        (line["account"], line["amount"]) for line in document["ledger"]
    )
    assert document["psp_codes"]["calls"][0]["operation"] == "register"
    assert "CANARY" not in out.read_text() + page.read_text()
    assert out.stat().st_mode & 0o777 == page.stat().st_mode & 0o777 == 0o600


def test_the_page_has_the_same_content_and_no_script(proven):
    _, out, page = proven
    text = page.read_text()
    assert "<script" not in text and "<b>" not in text
    assert not re.search(r"(src|href)=", text)
    shown = html.unescape(re.sub(r"<br>|<[^>]+>", " ", text))

    def leaves(value):
        if isinstance(value, dict):
            for one in value.values():
                yield from leaves(one)
        elif isinstance(value, list):
            for one in value:
                yield from leaves(one)
        elif isinstance(value, str) and value.startswith("{"):
            yield from leaves(json.loads(value))
        elif isinstance(value, str):
            yield from value.split("\n")
        elif isinstance(value, bool):
            yield str(value).lower()
        elif value is not None:
            yield str(value)

    for leaf in leaves(json.loads(out.read_text())["proof"]):
        assert leaf in shown, leaf


def test_a_changed_file_is_found_with_its_reason(proven, key, tmp_path):
    """tests/unit/test_proof.c changes each bit of a file; here the shape."""
    text = proven[1].read_bytes()
    changed = tmp_path / "changed.json"
    for at in range(0, len(text), max(1, len(text) // 20)):
        changed.write_bytes(
            text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
        )
        code, out, err = verify(changed, key)
        assert (code, err) == (1, "") and out.startswith("invalid: "), at
    for other in (text[:-1], text + b"\n", b"", b"{}", text[1:]):
        changed.write_bytes(other)
        assert verify(changed, key)[0] == 1


def falsehoods():
    """What the holder of a key could sign, and the events tell otherwise."""

    def event(place, **members):
        def change(document):
            line = json.loads(document["log"][place]) | members
            document["log"][place] = json.dumps(line)

        return change

    def seal(at, member, value):
        def change(document):
            document["seals"][at][member] = value(document["seals"][at])

        return change

    return [
        ("event does not give its hash", event(1, actor="merchant")),
        ("event does not give its hash", event(0, at="2020-01-01T00:00:00"
                                                     ".000000Z")),
        ("of another order", event(0, payment_order_id="other")),
        ("event is missing", lambda d: d["log"].pop(1)),
        ("cannot be read", event(1, more=1)),
        ("no event", lambda d: d["log"].clear()),
        ("root of its seal", seal(0, "path", lambda s: [
            "00" * 32, *s["path"][1:]])),
        ("not whole", seal(0, "path", lambda s: s["path"][:-1])),
        ("too long", seal(0, "path", lambda s: s["path"] + ["00" * 32])),
        ("no beginning", seal(0, "path", lambda s: "x")),
        ("another event", seal(0, "leaf", lambda s: s["leaf"].replace(
            '"hash":"', '"hash":"00')[:-4] + '"}')),
        ("no valid signature", seal(1, "seal", lambda s: s["seal"].replace(
            "leaves", "leaves ", 1))),
        ("another kind", seal(1, "seal", lambda s: s["leaf"])),
        ("over none", lambda d: d["log"].pop()),
        ("members of a proof", lambda d: d.pop("seals")),
    ]  # fmt: skip


@pytest.mark.parametrize("n", range(len(falsehoods())))
def test_a_signed_falsehood_is_no_proof(proven, key, tmp_path, n):
    why, change = falsehoods()[n]
    document = json.loads(proven[1].read_text())["proof"]
    path = key.write(tmp_path / "honest.json", document)
    assert verify(path, key)[0] == 0
    change(document)
    path = key.write(tmp_path / "false.json", document)
    code, out, err = verify(path, key)
    assert (code, err) == (1, "") and why in out


def test_keys_of_seals_and_of_the_proof_may_differ(
    books, payctl, name, key, tmp_path
):
    later = Signer(tmp_path, "later")
    books.begin(name, token=f"t-{name}")
    key.seal(books)
    code, text, err = payctl("proof", f"t-{name}", "--key", str(later.file))
    assert (code, err) == (0, "")
    path = tmp_path / "proof.json"
    path.write_text(text)
    code, out, err = verify(path, key, later)
    assert (code, err) == (0, ""), out
    assert "key that was not given" in verify(path, key)[1]
    assert "a seal is signed with a key" in verify(path, later)[1]
    assert verify(path)[0] == 2
    assert verify(tmp_path / "none", key)[0] == 2


def test_a_proof_says_no(books, payctl, name, key, tmp_path):
    books.begin(name)
    words = ("proof", name, "--key", str(key.file))
    code, out, err = payctl(*words, role="payments_auditor")
    assert (code, out) == (2, "") and "payments_operator" in err
    code, out, err = payctl("proof", f"no-{name}", *words[2:])
    assert (code, out) == (1, "") and "no such payment order" in err
    out = tmp_path / "there"
    out.write_text("kept")
    code, _, err = payctl(*words, "--out", str(out))
    assert code == 2 and "File exists" in err and out.read_text() == "kept"
    for wrong in (["proof"], ["proof", name], ["proof", "verify", "x"]):
        assert payctl(*wrong)[0] == 2
    assert payctl("proof", name, "--key", str(key.path))[0] == 2
