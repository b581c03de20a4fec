"""Personal data ends while the gateway runs: payctl retention empties what is
old enough, waits for nobody, and leaves books and log as they were.
"""

import json
import subprocess
from contextlib import closing

import psycopg2
import pytest
from support.changes import paid
from support.own_stack import new_id
from test_audit import VALID, export, verify, wait_sealed

BUYER = {"name": "Ada Example", "email": "ada@example.org", "ip": "192.0.2.7"}


def payctl(stack, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [stack.values["PAYCTL"], *words],
        env={"PAYCTL_DSN": stack.values["PG_ADMIN_DSN"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def counts(text: str) -> dict[str, int]:
    """By class: the column rows of a dry run, and the lines of a run."""
    rows = [line.split() for line in text.splitlines()]
    return {
        row[0]: int(next(word for word in row if word.isdigit()))
        for row in rows
        if any(word.isdigit() for word in row)
    }


def made(stack, count: int) -> list[str]:
    """Checkouts of 14 months ago, as far as retention sees them."""
    ids = []
    for _ in range(count):
        body = stack.order(buyer_info=BUYER, metadata={"cart": "A-1"})
        assert stack.post(body).status_code == 201
        ids.append(body["checkout_id"])
    stack.sql(
        "UPDATE pay.checkout SET created_at = now() - interval '14 months'"
        " WHERE checkout_id = ANY (%s) RETURNING 1",
        ids,
    )
    return ids


def left(stack, ids: list[str]) -> set[str]:
    """Those that still know their buyer."""
    return {
        row[0]
        for row in stack.sql(
            "SELECT checkout_id FROM pay.checkout"
            " WHERE checkout_id = ANY (%s) AND buyer_info IS NOT NULL",
            ids,
        )
    }


def test_what_is_old_ends_and_the_proofs_stay(stack, tmp_path):
    ids, (young,) = made(stack, 3), made(stack, 1)
    stack.sql(
        "UPDATE pay.checkout SET created_at = now()"
        " WHERE checkout_id = %s RETURNING 1",
        young,
    )
    dry = counts(payctl(stack, "retention", "run", "--dry-run"))
    assert dry["buyer_info"] >= 3
    assert dry["metadata"] >= 3
    assert left(stack, ids) == set(ids)
    words = "--class", "buyer_info,metadata", "--who", "ann"
    done = counts(payctl(stack, "retention", "run", *words, "--batch", "2"))
    assert done == {name: dry[name] for name in ("buyer_info", "metadata")}
    assert left(stack, [*ids, young]) == {young}
    assert counts(payctl(stack, "retention", "run", *words)) == {
        "buyer_info": 0,
        "metadata": 0,
    }
    (shown,) = json.loads(
        payctl(stack, "retention", "show", "--class", "metadata", "--json")
    )
    assert (shown["due"], shown["last_who"]) in [(0, "ann"), ("0", "ann")]
    (order,) = stack.sql(
        "SELECT payment_order_id FROM pay.payment_order WHERE checkout_id = %s",
        ids[0],
    )[0]
    assert stack.payment(order)["payment_order_id"] == order
    assert "checks hold" in payctl(stack, "check", "--quiet")
    wait_sealed(stack)
    path = tmp_path / "log"
    export(stack.values["PG_DSN"], path)
    code, lines = verify(stack, path)
    assert code == VALID, lines


def test_a_row_in_use_is_left_to_the_next_run(stack):
    ids = made(stack, 2)
    with closing(psycopg2.connect(stack.values["PG_ADMIN_DSN"])) as other:
        other.cursor().execute(
            "SELECT 1 FROM pay.checkout WHERE checkout_id = %s FOR UPDATE",
            [ids[0]],
        )
        payctl(stack, "retention", "run", "--class", "buyer_info")
        assert left(stack, ids) == {ids[0]}
    payctl(stack, "retention", "run", "--class", "buyer_info")
    assert left(stack, ids) == set()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["run", "--class", "buyers"], 2, "there is no class buyers"),
        (["show", "--class", "buyers"], 2, "no such class"),
        (["run", "--keep", "2 years"], 2, "--keep is for one class"),
        (["run", "--class", "metadata", "--keep", "1 day"], 1, "shorter"),
        (["run", "--class", "metadata", "--batch", "0"], 1, "--batch takes"),
        (["end"], 2, 'has no verb "end", but show, run'),
    ],
)
def test_a_mistake_ends_nothing(stack, words, code, says):
    (name,) = made(stack, 1)
    assert says in payctl(stack, "retention", *words, code=code)
    assert left(stack, [name]) == {name}


def erase(stack, *words: str, code: int = 0) -> dict[str, int]:
    said = payctl(
        stack, "retention", "erase", "--merchant", "acme", "--who", "ann",
        "--why", "request 7", *words, code=code,
    )
    return counts(said)


def test_a_buyer_is_forgotten_on_request(stack, tmp_path):
    """All that is there of one buyer, and nothing of others; the books and the
    log stay provable, and the log says that it was done."""
    mail = f"{new_id()}@example.org"
    ids = [
        paid(stack, buyer_info={"name": "Ada", "email": address}).id
        for address in (mail, mail.upper(), f"not-{mail}")
    ]
    unpaid = stack.created(buyer_info={"name": "Ada", "email": mail}).id

    dry = erase(stack, "--email", mail, "--dry-run")
    assert (dry["buyer_info"], dry["under_way"]) == (2, 1)
    assert left(stack, ids) == set(ids)
    assert erase(stack, "--email", mail) == dry
    assert left(stack, [*ids, unpaid]) == {ids[2], unpaid}
    (row,) = stack.sql(
        "SELECT who, why, detail FROM pay_view.acts WHERE act = 'erase'"
        " ORDER BY at DESC LIMIT 1"
    )
    assert row[:2] == ("ann", "request 7")
    assert mail not in json.dumps(row[2])
    assert "checks hold" in payctl(stack, "check", "--quiet")
    wait_sealed(stack)
    path = tmp_path / "log"
    export(stack.values["PG_DSN"], path)
    code, lines = verify(stack, path)
    assert code == VALID, lines
    assert mail not in path.read_text()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--merchant", "acme", "--who", "a", "--why", "b"], 2, "one of"),
        (["--email", "a@b", "--who", "a", "--why", "b"], 2, "--merchant"),
        (
            ["--merchant", "acme", "--email", "a@b", "--buyer", "c", "--who",
             "a", "--why", "b"],
            2,
            "one of",
        ),
        (
            ["--merchant", "acme", "--email", "nobody@example.net", "--who",
             "a", "--why", "b"],
            1,
            "not_found",
        ),
        (
            ["--merchant", "acme", "--email", "a@b", "--who", "a", "--why", ""],
            1,
            "invalid",
        ),
    ],
)
def test_a_wrong_request_forgets_nobody(stack, words, code, says):
    assert says in payctl(stack, "retention", "erase", *words, code=code)
