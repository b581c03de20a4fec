"""Two cells behind one gateway: a merchant's payments are in its own database
and in no other, and a cell that dies or hangs takes its own merchants only."""

import subprocess
import threading
import time
from pathlib import Path

import pytest
from support.cells import CAP, Cells
from support.load import nonce_of
from support.own_stack import Checkout, new_id, wait_for
from support.receiver import Receiver, Shop
from support.tls_psp import shop_authority

BOTH = ("default", "b")
# requests to a cell while another hangs, whose own are more than its cap
ASKED = 40
assert ASKED > CAP


@pytest.fixture(scope="module")
def authority():
    with shop_authority() as made:
        yield made


@pytest.fixture(scope="module")
def receiver(authority):
    made = Receiver(authority)
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(authority):
    made = Cells(authority)
    try:
        yield made
        made.check()
    finally:
        made.close()


@pytest.fixture
def cells(running):
    yield running
    running.home.mock.clear_faults()


def other(cell: str) -> str:
    return "default" if cell == "b" else "b"


# Where a payment is.


@pytest.mark.parametrize("cell", BOTH)
def test_a_payment_is_in_its_merchants_cell_alone(cells, cell):
    before = cells.count(other(cell), "checkout")
    made = cells.paid(cell)
    assert cells.count(other(cell), "checkout") == before
    for table in ("event", "webhook_inbox", "journal_entry"):
        assert cells.count(cell, table) > 0, table
    rows = cells.stack(other(cell)).sql(
        "SELECT FROM pay.webhook_inbox WHERE token = %s", made.token
    )
    assert rows == []


@pytest.mark.parametrize("cell", BOTH)
def test_a_payment_is_read_where_it_was_made(cells, cell):
    made = cells.paid(cell)
    merchant = "OTHER_" if cell == "b" else ""
    own = cells.home.get(f"/v1/payments/{made.order_id}", merchant)
    assert own.json()["status"] == "SUCCESS"
    strange = "" if merchant else "OTHER_"
    foreign = cells.home.get(f"/v1/payments/{made.order_id}", strange)
    assert foreign.status_code == 404


def test_one_checkout_id_may_be_in_both(cells):
    """It is the merchant's, and each merchant has one cell."""
    body = cells.order("default")
    twin = body | {"psp": "stripe"}
    assert cells.post("default", body).status_code == 201
    assert cells.post("b", twin).status_code == 201


@pytest.mark.parametrize("cell", BOTH)
def test_a_key_is_replayed_in_its_cell(cells, cell):
    body, key = cells.order(cell), new_id()
    first = cells.post(cell, body, key)
    again = cells.post(cell, body, key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content


# Buyers.


def test_the_letter_stands_in_front_of_a_handle(cells):
    _, plain, _ = cells.created("default").facts()
    _, lettered, _ = cells.created("b").facts()
    assert len(plain) == 32
    assert len(lettered) == 33
    assert lettered.startswith("b")


@pytest.mark.parametrize("cell", BOTH)
@pytest.mark.parametrize("path", ["checkout/{}", "checkout/{}/status"])
def test_a_buyer_comes_to_the_page(cells, cell, path):
    _, handle, _ = cells.created(cell).facts()
    answer = cells.home.http.get("/" + path.format(handle))
    assert answer.status_code == (200 if "status" in path else 303)


@pytest.mark.parametrize("cell", BOTH)
def test_a_buyer_comes_back(cells, cell):
    made = cells.paid(cell)
    _, handle, _ = made.facts()
    answer = cells.home.http.get(f"/return/{handle}")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(made.body["return_url"])


@pytest.mark.parametrize("path", ["checkout", "return"])
def test_a_handle_of_another_cell_opens_nothing(cells, path):
    _, plain, _ = cells.created("default").facts()
    _, lettered, _ = cells.created("b").facts()
    forged = [f"b{plain}", lettered[1:], f"c{plain}", f"B{plain}", f"bb{plain}"]
    for handle in forged:
        answer = cells.home.http.get(f"/{path}/{handle}")
        assert answer.status_code == 404, handle


# What goes on by itself.


@pytest.mark.parametrize("cell", BOTH)
def test_jobs_of_a_cell_go_on_with_its_checkouts(cells, cell):
    body = cells.order(cell)
    cells.home.mock.faults(
        {
            "operation": "register",
            "kind": "drop",
            "nonce": nonce_of(body),
            "sticky": True,
        }
    )
    answer = cells.post(cell, body)
    assert answer.status_code == 202, answer.text
    made = Checkout(cells.stack(cell), body, answer)
    cells.home.mock.clear_faults()
    cells.stack(cell).jobs_now(made.id)
    wait_for(lambda: made.registration["token"], "the job's registration")


# whether a signed seal covers an order's newest event
SEALED = """
    SELECT EXISTS (
        SELECT FROM pay.seal s JOIN pay.seal_leaf l USING (number)
        WHERE s.signature IS NOT NULL AND l.payment_order_id = o.id
          AND l.seq = (SELECT max(e.seq) FROM pay.event e
                       WHERE e.payment_order_id = o.id))
    FROM (SELECT %s::text AS id) o
"""


@pytest.mark.parametrize("cell", BOTH)
def test_the_log_of_a_cell_is_sealed(cells, cell, tmp_path):
    made = cells.paid(cell)
    stack = cells.stack(cell)
    wait_for(lambda: stack.value(SEALED, made.order_id), "its payment's seal")
    suffix = ".b" if cell == "b" else ""
    values = cells.home.values
    seals = Path(values["AUDIT_SEALS"] + suffix)
    wait_for(lambda: seals.exists() and seals.read_text(), "seals in the file")
    exported = tmp_path / "export"
    exported.write_text(audit(cells, "export", "--dsn", stack.values["PG_DSN"]))
    audit(
        cells, "verify", "--key", values["AUDIT_PUBLIC_KEY"],
        "--roots", str(seals), str(exported),
    )  # fmt: skip


def audit(cells, *words: str) -> str:
    done = subprocess.run(
        [cells.home.values["PAYCTL"], "audit", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("cell", BOTH)
def test_a_storefront_is_told_by_its_cell(cells, receiver, cell):
    path = f"/{new_id()}"
    shop = Shop(cells.home, "OTHER_" if cell == "b" else "")
    shop.make(receiver.url(path), types=["payment.succeeded"])
    made = cells.paid(cell)
    subject = f"payment/{made.order_id}"
    wait_for(
        lambda: subject in [m.event["subject"] for m in receiver.got(path)],
        "the message of the payment",
    )


# One of them is away.


def answers_of(cells, cell: str, count: int) -> list[int]:
    return [cells.post(cell).status_code for _ in range(count)]


def is_ready(cells) -> bool:
    """Whichever worker is asked."""
    return {cells.ready() for _ in range(20)} == {200}


def test_a_frozen_cell_takes_its_own_merchants_only(cells):
    """Also while many of its requests hang in the gateway."""
    hanging = []

    def ask():
        hanging.append(cells.post("b").status_code)

    threads = [threading.Thread(target=ask) for _ in range(ASKED)]
    with cells.frozen():
        for thread in threads:
            thread.start()
        began = time.monotonic()
        assert set(answers_of(cells, "default", ASKED)) == {201}
        took = time.monotonic() - began
        wait_for(lambda: is_ready(cells), "the node to be ready")
        assert cells.ready("default") == 200
        wait_for(lambda: cells.ready("b") == 503, "b not to be ready")
        assert is_ready(cells)
        for thread in threads:
            thread.join()
    assert set(hanging) <= {503}
    # all of them together wait for less than one of b's does
    assert took < ASKED
    wait_for(cells.all_are_ready, "b to be ready")
    assert cells.post("b").status_code == 201


def test_a_cell_that_dies_comes_back_with_what_it_has_taken(cells):
    made = cells.created("b")
    token = made.token
    cells.away.crash_postgres()
    cells.away.link = None
    try:
        assert cells.paid("default")
        wait_for(lambda: cells.post("b").status_code == 503, "b to be away")
        wait_for(lambda: is_ready(cells), "the node to be ready")
        assert cells.ready("b") == 503
        cells.home.mock.pay(token)
    finally:
        cells.away.postgres("start")
    made.becomes("SUCCESS")
    wait_for(cells.all_are_ready, "b to be ready")
    assert cells.post("b").status_code == 201


def test_readiness_of_a_cell_that_is_not_there(cells):
    assert cells.ready("c") == 404


# What operators see.


def test_metrics_say_whose_they_are(cells):
    for cell in BOTH:
        cells.paid(cell)
    text = cells.home.http.get("/metrics").text
    for cell in BOTH:
        assert f'payments_db_connections{{cell="{cell}"}} ' in text
        assert f'payments_db_calls_total{{cell="{cell}",op="begin_payment"' in (
            text
        )
    helps = [line for line in text.split("\n") if line.startswith("# HELP")]
    assert len(helps) == len({line.split()[2] for line in helps})
    alone = [
        line
        for line in text.split("\n")
        if line.startswith("payments_db_calls_total{op=")
    ]
    assert alone == []
