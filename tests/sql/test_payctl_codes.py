"""payctl's exit codes for acts that are refused or broken off: a timer or a
script that reads the code alone takes none of them for done.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import json
import subprocess
import uuid

import migrated
import pytest
from test_settlement import PAYCTL, Shop


@pytest.fixture(name="shop")
def database(tmp_path):
    """A shop on a database of its own."""
    name = f"pay_codes_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    shop = Shop(name, tmp_path)
    yield shop
    shop.connection.close()
    subprocess.run(["dropdb", "--force", name], check=True)


def run(shop, *words):
    """The exit code, and what stands on stdout and on stderr."""
    done = subprocess.run(
        [PAYCTL, *words, "--dsn", shop.dsn],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


WHO = ("--who", "max", "--why", "test")
MAKE = ("payout", "make", "s", "--merchant", "m", "--who", "max")
REFUSED = [
    (("events", "replay", "we_1", "--event", "evt_1", *WHO), "not_found",
     "no such endpoint"),
    (("events", "replay", "we_1", *WHO), "invalid", "takes --event or"),
    (MAKE, "not_found", "no such seller"),
    (("payout", "batch", "--merchant", "m", "--provider", "bank", "--currency",
      "EUR", "--who", "max"), "nothing", "no item is ready"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "outcome", "means"), REFUSED)
def test_a_refused_act_of_several_rows_exits_with_1(
    shop, words, outcome, means
):
    """They printed the outcome as a list does, with 0."""
    code, out, err = run(shop, *words)
    assert code == 1 and out.startswith("outcome") and means in err
    assert out.splitlines()[1].strip() == outcome
    code, out, err = run(shop, *words, "-o", "json")
    assert code == 1 and means in err
    (row,) = json.loads(out)
    assert row["outcome"] == outcome
    code, out, err = run(shop, *words, "-o", "csv")
    assert code == 1 and f'\n"{outcome}",' in out


MADE = """
CREATE OR REPLACE FUNCTION pay_ops.make_payouts(
    p_merchant_id text, p_seller_account text, p_currency text, p_who text)
RETURNS TABLE (outcome text, seller_account text, currency text,
    payout_id text, amount_minor bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pay, pg_temp AS
$$VALUES ('minimum', 's', 'CHF', NULL, 100::bigint),
    ('made', 's', 'EUR', 'po_1', 1000)$$"""


@pytest.mark.parametrize("form", [(), ("-o", "json")])
def test_an_item_in_one_currency_is_done(shop, form):
    """The other currency is named beside it."""
    shop.sql(MADE)
    code, out, err = run(shop, *MAKE, *form)
    assert code == 0 and out.count("po_1") == 1
    assert "it is less than the merchant pays out" in err


def test_a_proof_that_cannot_be_looked_for_is_not_tried(shop, tmp_path):
    """A database that refuses had said that there is no such order."""
    words = ("proof", "o1", "--key", str(tmp_path / "none.pem"))
    assert run(shop, *words)[0] == 1
    shop.dsn = shop.dsn.replace("payments_operator", "payments_gateway")
    code, out, err = run(shop, *words)
    assert (code, out) == (2, "") and "needs the role" in err


KINDS = """
SELECT m[1] FROM pg_constraint c, regexp_matches(pg_get_constraintdef(c.oid),
    '''([a-z_]+)''', 'g') m WHERE c.conname = 'mismatch_kind_check'"""


def test_each_kind_of_a_mismatch_may_be_asked_for(shop):
    kinds = {kind for (kind,) in shop.sql(KINDS)}
    assert {"amount", "invalid"} < kinds
    for kind in kinds:
        assert run(shop, "mismatch", "list", "--kind", kind)[0] == 0


IMPORT = ("risk", "list", "import", "block", "email_domain")


@pytest.mark.parametrize(
    "bad",
    [
        "# of a mail that was forwarded to us: " + "x" * 472 + " shop.example",
        " " * 511 + "shop.example",
        "shop.example\0.attack.example",
    ],
    ids=["remark", "blanks", "zero"],
)
@pytest.mark.parametrize("behind", ["\nlast.example\n", ""])
def test_a_line_that_is_too_long_is_not_split(shop, bad, behind):
    """The rest of a long remark had become a value."""
    path = shop.path / "domains.txt"
    path.write_text(f"first.example\n{bad}{behind}")
    code, out, err = run(shop, *IMPORT, str(path), "--why", "test")
    assert (code, out) == (2, "") and "line 2 is longer than 511 bytes" in err
    assert shop.sql("SELECT count(*) FROM pay.risk_list") == [(0,)]


def test_a_file_that_breaks_off_has_not_ended(shop):
    """What was read before the error was committed as the whole list."""
    words = (*IMPORT, str(shop.path), "--why", "test")
    code, out, err = run(shop, *words)
    assert (code, out) == (2, "") and "Is a directory" in err


@pytest.mark.parametrize("verb", ["run", "show"])
@pytest.mark.parametrize("classes", ["", ",", "webhooks,", ",risk", "a,,b"])
def test_an_empty_class_is_refused(shop, verb, classes):
    """An empty name stood for no class, beside an unknown one, too: exit 0,
    and personal data stayed."""
    code, out, err = run(shop, "retention", verb, "--class", classes)
    assert (code, out) == (2, "") and "none of them is empty" in err


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_an_unknown_class_beside_a_known_one_is_refused(shop, more):
    words = ("retention", "run", "--class", "webhooks,wehbooks", *more)
    code, out, err = run(shop, *words)
    assert (code, out) == (2, "") and "there is no class wehbooks" in err


# The first piece is done and says that there are more; the second one fails.
BROKEN = """
SET ROLE payments_owner;
CREATE SEQUENCE pay.turn;
CREATE OR REPLACE FUNCTION pay_ops.raise_overdue(
    p_source text, p_now timestamptz DEFAULT now(), OUT queued int,
    OUT again boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pay, pg_temp AS
$$SELECT 1 / (2 - nextval('turn'))::int, true$$;
RESET ROLE"""


def test_a_round_that_breaks_off_is_not_done(shop):
    """The code of the piece before it had stayed: 0, with entries left."""
    shop.payctl(
        "settlement", "source", "psp", "--format", "generic", "--merchant",
        "m", "--psp", "stripe",
    )  # fmt: skip
    overdue = ("settlement", "overdue", "--source", "psp")
    assert run(shop, *overdue)[0] == 0
    shop.sql(BROKEN)
    code, out, err = run(shop, *overdue)
    assert (code, out) == (2, "") and "division by zero" in err


SETTLE = ("dispute", "settle", "d1", "--psp", "stripe")
NO_ACTS = [
    (("--as", "lost", *WHO), 1, "no such dispute of this PSP"),
    (("--as", "lost", "--who", "max", "--why", " "), 1, "1 to 200 bytes"),
    (("--as", "lost"), 2, "--who"),
    (("--as", "gone", *WHO), 2, 'won or lost, not "gone"'),
    (WHO, 2, "--as is missing"),
]


@pytest.mark.parametrize(("words", "number", "means"), NO_ACTS)
def test_an_end_of_no_dispute_exits_with_its_reason(shop, words, number, means):
    code, _, err = run(shop, *SETTLE, *words)
    assert code == number and means in err
