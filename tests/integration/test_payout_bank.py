"""Files for a bank, from the API to the bank's books and back: each item is in
one file that the bank can see, whatever dies on the way, and moves by the
bank's answers alone."""

import json
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest
from support.bank_files import DEBTOR, SETTINGS, Bank, House
from support.client import fresh_key
from support.mock_payouts import DAY_S, IBAN
from support.waiting import wait_for
from test_payout_files import LIBRARY, PYTHON, SCHEMA, leaves

NAMES = {"p": f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"}


@pytest.fixture
def house(gateway, tls, mint, api, mock, checkout, tmp_path):
    made = House(gateway, tls, mint, api, mock, checkout, tmp_path)
    yield made
    made.close()


@pytest.fixture
def bank(payouts, house):
    return Bank(payouts, house)


@pytest.fixture(autouse=True, scope="module")
def books(gateway):
    """The books hold behind each of these tests."""
    yield
    done = subprocess.run(
        [gateway.env["PAYCTL"], "check", "--dsn", gateway.env["PG_ADMIN_DSN"]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def payments(path) -> dict:
    """EndToEndId → amount of a file."""
    root = ET.fromstring(path.read_bytes())
    return {
        each.find("p:PmtId/p:EndToEndId", NAMES).text: each.find(
            "p:Amt/p:InstdAmt", NAMES
        ).text
        for each in root.iterfind(".//p:CdtTrfTxInf", NAMES)
    }


def equals_library(path, rows: list[dict]) -> None:
    """The file is valid, and what sepaxml makes for the same payments."""
    root = ET.fromstring(path.read_bytes())
    day = root.find(".//p:ReqdExctnDt/p:Dt", NAMES).text
    to = {"name": "Joerg Mueller + Soehne", "IBAN": IBAN, "execution_date": day}
    debtor = {"name": "Acme GmbH", "IBAN": DEBTOR, "batch": True,
              "currency": "EUR"}  # fmt: skip
    asked = {
        "schema": SCHEMA,
        "debtor": debtor,
        "payments": [to | row for row in rows],
    }
    done = subprocess.run(
        [PYTHON, "-c", LIBRARY, json.dumps(asked), path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    ours = leaves(path.read_bytes())
    theirs = leaves(done.stdout)
    # the library leaves out a bank that it is not told
    ours = [leaf for leaf in ours if "/DbtrAgt/" not in leaf[0]]
    theirs = [leaf for leaf in theirs if "/DbtrAgt/" not in leaf[0]]
    assert ours == theirs


def test_a_seller_is_paid_by_a_file(house, bank):
    items = house.approved("10.00", "5.50", name="Jörg Müller & Söhne")
    said = house.write()
    (path,) = house.files()
    assert said == f"{path.name}: 2 items, 15.50 EUR\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert house.hidden() == []
    items.sort()
    amounts = {i: house.item(i)["amount"] for i in items}
    assert payments(path) == {house.key(i): amounts[i] for i in items}
    rows = [
        {
            "amount": int(amounts[i].replace(".", "")),
            "endtoend_id": house.key(i),
            "description": f"PAYOUT {i[:8]} acme",
        }
        for i in items
    ]
    equals_library(path, rows)
    assert {house.state(i) for i in items} == {"sending"}
    assert house.journal(items[0]) == ["send done"]
    assert house.write() == "nothing is to be sent\n"

    (taken,) = bank.take()
    assert (taken["code"], taken["count"]) == (None, 2)
    (report,) = bank.told()
    assert "applied:2" in house.read(report)
    assert {house.state(i) for i in items} == {"sent"}
    assert "known already" in house.read(report, code=3)
    (statement,) = bank.told("statement")
    assert "applied:2" in house.read(statement)
    for item in items:
        assert house.state(item) == "settled"
        assert house.booked(item) == ["payout_reserved", "payout_sent"]
        once = bank.paid(house.key(item))
        assert (once["count"], once["live"]) == (1, 1), once


def test_a_rejected_payment_is_the_sellers_money_again(house, bank):
    seller = house.sold("7.00", "Jane Mueller")
    item = house.pays(seller)
    house.approve()
    key = house.key(item)
    bank.fate(key, {"state": "RJCT", "code": "AC04"})
    house.write()
    bank.take()
    house.read(*bank.told(positive=False))
    failed = house.item(item)
    assert (failed["state"], failed["proof"]) == ("failed", "pain002")
    assert house.booked(item) == ["payout_reserved", "payout_released"]
    again = house.pays(seller)
    assert house.key(again) == key[:-1] + "2"
    house.approve()
    house.write()
    (path,) = house.files()
    assert list(payments(path)) == [house.key(again)]


def test_a_payment_comes_back_behind_its_settlement(house, bank):
    (item,) = house.approved("8.00")
    key = house.key(item)
    late = {"state": "RTRN", "after_s": 3 * DAY_S, "code": "AC04"}
    bank.fate(key, ("ACSP", 0), ("ACSC", 0), late)
    house.write()
    bank.take()
    house.read(*bank.told("statement", batch=False))
    assert house.state(item) == "settled"
    bank.payouts.advance(4 * DAY_S)
    house.read(*bank.told("statement"))
    assert house.state(item) == "returned"
    (act,) = [a for a in house.item(item)["acts"] if a["act"] == "returned"]
    assert act["why"] == "ac04"
    assert house.booked(item)[-1] == "payout_returned"
    account = house.value(
        "SELECT a.state FROM pay.payout_account a JOIN pay.payout p "
        "USING (merchant_id, destination_id) WHERE p.payout_id = %s",
        item,
    )
    assert account == "suspect"


def test_a_file_that_is_refused_pays_nobody(house, bank):
    """The bank names the file alone."""
    items = house.approved("1.00", "2.00")
    bank.payouts.control(
        "payouts/balance", provider="pain001", currency="EUR", minor=0
    )
    house.write()
    (taken,) = bank.take()
    assert taken["code"] == "AM04"
    assert "applied:2" in house.read(*bank.told())
    assert {house.state(i) for i in items} == {"failed"}


def test_a_crash_before_the_name_sends_the_items_in_a_later_file(house, bank):
    (item,) = house.approved("9.00")
    house.dies("DIES_BEFORE")
    assert house.files() == []
    assert len(house.hidden()) == 1
    assert house.state(item) == "sending"
    assert house.journal(item) == ["send open"]
    said = house.write()
    assert "dropped, which an earlier run has left" in said
    (path,) = house.files()
    assert payments(path) == {house.key(item): "9.00"}
    assert house.hidden() == []
    assert house.journal(item) == ["send not_sent file_dropped", "send done"]
    bank.take()
    house.read(*bank.told())
    assert house.state(item) == "sent"
    assert bank.paid(house.key(item))["count"] == 1


def test_a_crash_behind_the_name_keeps_the_file(house):
    (item,) = house.approved("9.00")
    house.dies("DIES_BEHIND")
    (path,) = house.files()
    before = path.read_bytes()
    said = house.write()
    assert said.startswith(f"{path.name}: written")
    assert said.endswith("nothing is to be sent\n")
    assert house.files() == [path]
    assert path.read_bytes() == before
    assert house.journal(item) == ["send done"]


def test_a_file_that_was_taken_meanwhile_is_not_made_again(house, bank):
    """The bank's client was quicker than the commit: nobody can tell it from
    a file that is gone, so the bank says it."""
    (item,) = house.approved("9.00")
    house.dies("DIES_BEHIND")
    bank.take()
    said = house.write(code=1)
    assert "lost" in said and "unknown until the bank's report" in said
    assert house.state(item) == "unknown"
    assert "nothing is to be sent" in house.write()
    assert house.files() == []
    house.read(*bank.told())
    assert house.state(item) == "sent"
    assert bank.paid(house.key(item))["count"] == 1


def test_a_stopped_provider_has_no_file(house):
    (item,) = house.approved("3.00")
    stop = "SELECT pay_ops.stop_payout_provider('acme', %s, %s, 'sue', 'test')"
    house.sql(stop, house.provider, True)
    assert "is stopped" in house.write(code=1)
    assert (house.files(), house.state(item)) == ([], "approved")
    house.sql(stop, house.provider, False)
    house.write()
    assert list(payments(*house.files())) == [house.key(item)]


def test_two_at_once_put_each_item_into_one_file(house):
    items = house.approved("1.00", "2.00", "3.00")
    words = house.write_words("--limit", "2")
    running = [
        subprocess.Popen(
            words,
            env=house.env(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(2)
    ]
    said = [each.communicate()[0] for each in running]
    assert [each.returncode for each in running] == [0, 0], said
    found = [key for path in house.files() for key in payments(path)]
    assert sorted(found) == sorted(house.key(i) for i in items)
    assert sorted(len(payments(p)) for p in house.files()) == [1, 2]


def test_without_the_key_of_its_account_an_item_is_not_sent(house, tmp_path):
    (item,) = house.approved("4.00")
    ring = tmp_path / "keyring"
    text = (house.gateway.secrets / "keyring").read_text()
    ring.write_text(re.sub(r"(?m)^(\S+)", "other", text, count=1))
    ring.chmod(0o400)
    assert f"{item} is not in it: key_missing" in house.write(
        code=1, keyring=ring
    )
    assert (house.files(), house.hidden()) == ([], [])
    assert house.state(item) == "approved"
    assert house.journal(item) == ["send not_sent key_missing"]
    # the next run had said that nothing is to be sent, and ended with 0
    said = house.write(code=1)
    assert f"{item} is in no file: key_missing, next try in" in said
    (other,) = house.approved("5.00")
    said = house.write(code=1)
    assert f"{item} is in no file: key_missing" in said
    assert house.state(other) == "sending"


def test_a_directory_that_is_none_claims_nothing(house, tmp_path):
    (item,) = house.approved("4.00")
    house.write(code=2, where=tmp_path / "nowhere")
    assert (house.state(item), house.journal(item)) == ("approved", [])


def test_silence_moves_nothing(house):
    (item,) = house.approved("4.00")
    house.write()
    listed = house.run(house.words("list"))
    (line,) = [e for e in listed.splitlines() if house.provider in e]
    assert line.split()[-1] == "1"
    assert (house.state(item), house.write()) == (
        "sending",
        "nothing is to be sent\n",
    )


def test_the_report_of_another_provider_is_refused(house, bank):
    (item,) = house.approved("4.00")
    house.write()
    bank.take()
    other = f"{house.provider}-2"
    house.sql(SETTINGS, other, "pain001")
    (report,) = bank.told()
    assert "not_found" in house.read(report, code=1, provider=other)
    assert house.state(item) == "sending"
    assert house.read(report, code=0)
    assert house.state(item) == "sent"


def change(path, before: str, after: str):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    return path


@pytest.mark.parametrize(
    ("before", "after"),
    [(">4.00<", ">4.01<"), (IBAN, IBAN[:-4] + "1111")],
)
def test_another_payment_than_ours_is_a_contradiction(
    house, bank, before, after
):
    (item,) = house.approved("4.00")
    house.write()
    bank.take()
    (report,) = bank.told()
    assert "contradiction" in house.read(
        change(report, before, after), code=1
    )
    assert house.state(item) == "unknown"
    assert house.booked(item) == ["payout_reserved"]


def test_a_report_that_was_cut_off_changes_nothing(house, bank):
    (item,) = house.approved("4.00")
    house.write()
    bank.take()
    (report,) = bank.told()
    whole = report.read_bytes()
    report.write_bytes(whole[:-20])
    house.read(report, code=2)
    assert house.state(item) == "sending"
    report.write_bytes(whole)
    house.read(report)
    assert house.state(item) == "sent"


def test_the_statement_of_another_account_is_refused(house, bank):
    (item,) = house.approved("4.00")
    house.write()
    bank.take()
    (statement,) = bank.told("statement")
    other = "DE75512108001245126199"
    assert "other_account" in house.read(
        change(statement, DEBTOR, other), code=1
    )
    assert house.state(item) == "sending"


def settled(house, bank, *amounts: str) -> list[str]:
    """Items that have left the bank's account, of which it has not told."""
    items = house.approved(*amounts)
    house.write()
    bank.take()
    return items


def once(house, bank, item: str, *more: str) -> None:
    """Paid once, by all books."""
    kinds = ["payout_reserved", "payout_sent", *more]
    assert house.booked(item) == kinds
    made = bank.paid(house.key(item))
    assert (made["count"], made["live"]) == (1, 0 if more else 1)


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("order", [("notice", "statement"),
                                   ("statement", "notice")])  # fmt: skip
def test_a_debit_is_notified_and_stated_and_counts_once(
    house, bank, order, batch
):
    items = settled(house, bank, "10.00", "5.50")
    first, second = [bank.told(do, batch=batch) for do in order]
    said = house.read(*first)
    assert "applied:2" in said
    assert {house.state(i) for i in items} == {"settled"}
    assert "unchanged:2" in house.read(*second)
    for item in items:
        assert house.state(item) == "settled"
        once(house, bank, item)
    known = house.value(
        "SELECT array_agg(kind ORDER BY read_at) FROM pay.payout_report "
        "WHERE provider = %s",
        house.provider,
    )
    kinds = {"notice": "camt.054", "statement": "camt.053"}
    assert known == [kinds[do] for do in order]


def test_a_debit_and_its_return_are_notified_before_the_statement(house, bank):
    (item,) = settled(house, bank, "8.00")
    house.read(*bank.told("notice"))
    made = bank.payouts.books(provider="pain001", key=house.key(item))
    move = {"provider": "pain001", "id": made["payments"][0]["id"]}
    bank.payouts.control("payouts/move", state="RTRN", code="AC04", **move)
    house.read(*bank.told("notice"))
    assert house.state(item) == "returned"
    (act,) = [a for a in house.item(item)["acts"] if a["act"] == "returned"]
    assert act["why"] == "ac04"
    assert "unchanged:2" in house.read(*bank.told("statement"))
    assert house.state(item) == "returned"
    once(house, bank, item, "payout_returned")


def test_what_is_pending_at_the_bank_has_not_settled(house, bank):
    (item,) = settled(house, bank, "4.00")
    said = house.read(*bank.told("notice", status="PDNG"))
    assert said.endswith("camt.054, others:0\n")
    assert house.state(item) == "sending"
    assert "applied:1" in house.read(*bank.told("notice"))
    assert house.state(item) == "settled"


def test_a_notification_that_comes_again_counts_once(house, bank):
    (item,) = settled(house, bank, "4.00")
    one, two = bank.told("notice", times=2)
    house.read(one)
    assert "known already" in house.read(two, code=3)
    change(two, "<Ntfctn>", "<Ntfctn><!-- again -->")
    assert "duplicate:1" in house.read(two)
    once(house, bank, item)


@pytest.mark.parametrize("do", ["notice", "statement"])
def test_a_second_debit_of_one_kind_of_message_is_another(house, bank, do):
    """Whatever the other kind has said, and whether the money came back."""
    (item,) = settled(house, bank, "4.00")
    house.read(*bank.told("notice"), *bank.told("statement"))
    kind = {"notice": "camt054", "statement": "camt053"}[do]
    (file,) = house.outbox.glob(f"{kind}-*.xml")
    number = re.search("Id>([NS][0-9]+)<", file.read_text())[1]
    change(file, f"<Id>{number}<", "<Id>OTHER<")
    assert "contradiction" in house.read(file, code=1)
    once(house, bank, item)
    (act,) = [
        a for a in house.item(item)["acts"] if a["act"] == "contradiction"
    ]
    assert act["why"] == "debited_twice"


def test_the_notification_of_another_account_is_refused(house, bank):
    (item,) = settled(house, bank, "4.00")
    (notice,) = bank.told("notice")
    change(notice, DEBTOR, "DE75512108001245126199")
    assert "other_account" in house.read(notice, code=1)
    assert house.state(item) == "sending"


def test_payments_of_others_are_passed_over_in_a_notification(house, bank):
    """Another system's from the same account, and all of another account."""
    mine, foreign = settled(house, bank, "4.00", "6.00")
    (notice,) = bank.told("notice", batch=False)
    change(notice, house.key(foreign), "ELSEWHERE-1")
    text = notice.read_text()
    part = text[text.index("<Ntfctn>") : text.index("</Ntfctn>")]
    part = part.replace(DEBTOR, "DE75512108001245126199")
    part = part.replace(house.key(mine), "ELSEWHERE-2")
    change(notice, "</Ntfctn>", f"</Ntfctn>{part}</Ntfctn>")
    assert "applied:1, others:3" in house.read(notice)
    assert house.state(mine) == "settled"
    assert house.state(foreign) == "sending"


@pytest.mark.parametrize(
    ("before", "after"), [(">4.00<", ">4.01<"), ('"EUR"', '"USD"')]
)
def test_a_notification_of_another_amount_is_a_contradiction(
    house, bank, before, after
):
    (item,) = settled(house, bank, "4.00")
    (notice,) = bank.told("notice")
    assert "contradiction" in house.read(change(notice, before, after), code=1)
    assert house.state(item) == "unknown"
    assert house.booked(item) == ["payout_reserved"]
    assert "applied:1" in house.read(*bank.told("statement"))
    assert house.state(item) == "settled"


def test_a_notification_without_entries_is_read(house, bank):
    (item,) = settled(house, bank, "4.00")
    (notice,) = bank.told("notice")
    text = notice.read_text()
    change(notice, text[text.index("<Ntry>") : text.index("</Ntfctn>")], "")
    assert "camt.054, others:0" in house.read(notice)
    assert house.state(item) == "sending"


def test_a_notification_is_no_statement_for_reconciliation(house, bank):
    """Its entries come again, and it proves no account."""
    settled(house, bank, "4.00")
    (notice,) = bank.told("notice")
    words = [house.words("read")[0], "settlement", "import"]
    said = house.run([*words, "--source", "bank-camt", notice], code=1)
    assert "namespace" in said


def test_a_part_of_a_file_is_rejected(house, bank):
    """PART of the file says nothing; each payment has a word of its own."""
    items = house.approved("1.00", "2.00", "3.00")
    bad = items[1]
    bank.fate(house.key(bad), {"state": "RJCT", "code": "AC04"})
    house.write()
    bank.take()
    (report,) = bank.told()
    assert "<GrpSts>PART<" in report.read_text()
    assert "applied:3" in house.read(report)
    states = {i: house.state(i) for i in items}
    assert states == {i: "failed" if i == bad else "sent" for i in items}
    assert "applied:2" in house.read(*bank.told("statement"))
    for item in items:
        assert house.state(item) == ("failed" if item == bad else "settled")
        count = bank.paid(house.key(item)).get("count", 0)
        assert count == (item != bad)


def test_a_report_that_comes_again_counts_once(house, bank):
    """Its bytes are others, its id is the same."""
    (item,) = house.approved("4.00")
    house.write()
    bank.take()
    one, two = bank.told(times=2)
    house.read(one)
    assert "known already" in house.read(two, code=3)
    change(two, "<GrpHdr>", "<GrpHdr><!-- again -->")
    assert "duplicate:1" in house.read(two)
    assert house.state(item) == "sent"
    assert house.booked(item) == ["payout_reserved", "payout_sent"]


@pytest.mark.parametrize("amount", ["4.001", "0.001", "-4.00", "9" * 20])
@pytest.mark.parametrize("do", ["report", "notice", "statement"])
def test_an_amount_that_cannot_be_is_not_believed(house, bank, do, amount):
    """Of a report it is another one than the item's; entries are not read."""
    (item,) = settled(house, bank, "4.00")
    (file,) = bank.told(do)
    change(file, ">4.00<", f">{amount}<")
    is_report = do == "report"
    said = house.read(file, code=1 if is_report else 2)
    assert ("contradiction" if is_report else "line") in said
    assert house.state(item) == ("unknown" if is_report else "sending")
    assert house.booked(item) == ["payout_reserved"]


def test_a_return_that_names_no_payment_moves_nothing(house, bank):
    """Nobody guesses by the amount: reconciliation has the entry."""
    (item,) = settled(house, bank, "4.00")
    house.read(*bank.told("statement"))
    made = bank.payouts.books(provider="pain001", key=house.key(item))
    move = {"provider": "pain001", "id": made["payments"][0]["id"]}
    bank.payouts.control("payouts/move", state="RTRN", code="AC04", **move)
    (statement,) = bank.told("statement")
    change(statement, house.key(item), "NOTPROVIDED")
    assert house.read(statement).endswith("camt.053, others:0\n")
    assert house.state(item) == "settled"


def test_an_account_that_changes_behind_the_approval_is_not_paid(house, bank):
    """The approved number is in the file, and the new one cools off."""
    seller = house.sold("4.00", "Jane Mueller")
    item = house.pays(seller)
    house.approve()
    other = {"currency": "EUR", "provider": house.provider,
             "iban": "GB82WEST12345698765432", "name": "Eve Other"}  # fmt: skip
    house.post("sue", f"sellers/{seller}/destinations", other)
    house.write()
    (path,) = house.files()
    text = path.read_text()
    assert IBAN in text
    assert "GB82" not in text
    assert "Jane Mueller" in text
    bank.take()
    house.read(*bank.told())
    assert house.state(item) == "sent"
    assert bank.paid(house.key(item))["to"]["iban"] == IBAN


def test_an_account_that_is_closed_behind_the_approval_is_not_paid(house):
    seller = house.sold("4.00", "Jane Mueller")
    item = house.pays(seller)
    house.approve()
    account = house.value(
        "SELECT destination_id FROM pay.payout WHERE payout_id = %s", item
    )
    house.post("sue", f"payout-destinations/{account}/close", {"why": "test"})
    assert house.write() == "nothing is to be sent\n"
    assert house.files() == []
    assert house.state(item) == "held"


@pytest.mark.parametrize("what", ["refund", "dispute"])
def test_money_that_is_reserved_is_not_taken_back(house, bank, what):
    """A refund or a dispute before the sending makes the seller a debtor, and
    the approved item is paid.  The amount of an open dispute is reserved, too.
    """
    seller = house.sold("7.00", "Jane Mueller")
    item = house.pays(seller)
    house.approve()
    ((order, token),) = house.sql(
        "SELECT o.payment_order_id, r.token FROM pay.payment_order o "
        "JOIN pay.registration r USING (merchant_id, checkout_id) "
        "WHERE o.seller_account = %s",
        seller,
    )
    if what == "refund":
        path = f"/v1/payments/{order}/refunds"
        body = {"amount": "7.00", "currency": "EUR"}
        headers = {"Idempotency-Key": fresh_key()}
        answer = house.api.post(path, headers=headers, json=body)
        assert answer.status_code in (201, 202), answer.text
    else:
        house.mock.call("dispute", token=token)
    disputed = 700 if what == "dispute" else 0
    wallet = (
        "SELECT available_minor, pending_minor, reserved_minor "
        "FROM pay.wallet WHERE seller_account = %s"
    )
    wait_for(
        lambda: house.sql(wallet, seller) == [(-700, 0, 700 + disputed)],
        what="the seller's debt",
    )
    house.write()
    bank.take()
    house.read(*bank.told(), *bank.told("statement"))
    assert house.state(item) == "settled"
    assert house.sql(wallet, seller) == [(-700, 0, disputed)]
    once(house, bank, item)


@pytest.mark.parametrize("do", ["notice", "statement"])
def test_a_number_of_a_statement_that_comes_again_hides_nothing(
    house, bank, do
):
    """Some banks begin with 1 each year: an entry of another item at the same
    place was taken for a repetition, and its item stayed on its way."""
    numbers = []
    for amount in ("4.00", "5.00"):
        (item,) = settled(house, bank, amount)
        (file,) = bank.told(do)
        numbers += re.findall("<Id>([NS][0-9]+)<", file.read_text())
        change(file, f"<Id>{numbers[-1]}<", f"<Id>{numbers[0]}<")
        assert "applied:1" in house.read(file)
        assert house.state(item) == "settled"


@pytest.mark.parametrize("do", ["notice", "statement"])
def test_a_return_at_the_place_of_its_debit_is_no_repetition(house, bank, do):
    """Of a bank whose notifications have no numbers of their own the return
    was a duplicate, and the money was never the seller's again."""
    (item,) = settled(house, bank, "6.00")
    (debit,) = bank.told(do)
    assert "applied:1" in house.read(debit)
    text = debit.read_text()
    entry = text[text.index("<Ntry>") : text.index("</Ntry>")]
    text = text.replace(entry, entry.replace(">DBIT<", ">CRDT<"))
    swap = {"OPBD": "CLBD", "CLBD": "OPBD"}
    text = re.sub("OPBD|CLBD", lambda code: swap[code[0]], text)
    credit = debit.with_name(f"credit-{debit.name}")
    credit.write_text(text)
    assert "applied:1" in house.read(credit)
    assert house.state(item) == "returned"
    assert house.booked(item) == [
        "payout_reserved",
        "payout_sent",
        "payout_returned",
    ]


def test_a_debit_in_a_batch_without_its_amount_is_a_debit(house, bank):
    """The schema does not ask for the amount of a part: it was taken for a
    credit of nothing, and the item was unknown."""
    first, second = settled(house, bank, "2.00", "3.00")
    (statement,) = bank.told("statement", batch=True)
    text = statement.read_text()
    parts = re.findall("<TxDtls>.*?</TxDtls>", text, re.DOTALL)
    assert len(parts) == 2
    for part in parts:
        bare = re.sub("<(Amt|CdtDbtInd).*?</\\1>", "", part, flags=re.DOTALL)
        assert bare != part
        text = text.replace(part, bare)
    statement.write_text(text)
    assert "applied:2" in house.read(statement)
    assert {house.state(first), house.state(second)} == {"settled"}
