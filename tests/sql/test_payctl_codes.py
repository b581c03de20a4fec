"""payctl's exit codes for acts that are refused or broken off: a timer or a
script that reads the code alone takes none of them for done.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

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
