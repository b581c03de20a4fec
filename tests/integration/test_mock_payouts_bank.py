"""The mock's bank: takes files that our writer makes, and writes reports that
our reader reads.
"""

import xml.etree.ElementTree as ET

import pytest
from support.mock_payouts import DAY_S, IBAN

BANK = "pain001"
DEBTOR = {
    "debtor_name": "Acme GmbH",
    "debtor_iban": "NL91ABNA0417164300",
    "debtor_bic": "",
}


class Folders:
    def __init__(self, payouts, where):
        self.payouts = payouts
        self.inbox, self.outbox = where / "in", where / "out"
        self.inbox.mkdir()
        self.outbox.mkdir()

    def parcel(self, count: int = 2) -> dict:
        items = [self.payouts.item() for _ in range(count)]
        return self.payouts.parcel(*items, execute_on="2026-11-24")

    def put(self, parcel: dict, name: str = "a.xml", change=()) -> None:
        made = self.payouts.driver(
            do="file", adapter=BANK, account=DEBTOR, parcel=parcel
        )
        text = made["body"]
        for before, after in change:
            assert before in text
            text = text.replace(before, after)
        (self.inbox / name).write_text(text)

    def take(self) -> list:
        got = self.payouts.control(
            "payouts/bank", do="take", inbox=str(self.inbox)
        )
        return got["files"]

    def told(self, **more) -> list:
        """The events of all reports that the bank writes now."""
        found = self.payouts.control(
            "payouts/bank", do="report", outbox=str(self.outbox), **more
        )
        events = []
        for name in found["files"]:
            text = (self.outbox / name).read_text()
            read = self.payouts.driver(do="report", adapter=BANK, body=text)
            assert "events" in read, read
            events += read["events"]
        return events

    def entries(self, do: str = "statement", **more) -> list:
        """(side, amount, keys, reason) of each entry of the statements."""
        found = self.payouts.control(
            "payouts/bank", do=do, outbox=str(self.outbox), **more
        )
        rows = []
        for name in found["files"]:
            root = ET.fromstring((self.outbox / name).read_bytes())
            for entry in root.iterfind(".//{*}Ntry"):
                keys = entry.iterfind(".//{*}EndToEndId")
                why = entry.find(".//{*}RtrInf/{*}Rsn/{*}Cd")
                rows.append(
                    (
                        entry.find("{*}CdtDbtInd").text,
                        entry.find("{*}Amt").text,
                        [each.text for each in keys],
                        None if why is None else why.text,
                    )
                )
        return rows

    def run(self, parcel: dict) -> None:
        """Taken, and as far as it goes by itself."""
        self.put(parcel)
        self.take()
        self.payouts.advance(1)


@pytest.fixture
def bank(payouts, tmp_path):
    return Folders(payouts, tmp_path)


def states(events: list) -> dict:
    return {each["key"]: each["state"] for each in events if each["key"]}


def test_a_file_is_taken_debited_and_on_the_statement(bank, payouts):
    made = bank.parcel()
    bank.put(made)
    (taken,) = bank.take()
    assert (taken["count"], taken["code"]) == (2, None)
    assert taken["msg_id"] == made["key"]
    assert list(bank.inbox.iterdir()) == []
    payouts.advance(1)
    assert set(states(bank.told()).values()) == {"sent"}
    keys = [each["key"] for each in made["items"]]
    assert bank.entries() == [("DBIT", "60.00", keys, None)]
    row = payouts.paid(BANK, keys[0])
    assert (row["live"], row["left_minor"]) == (1, 3000)
    assert row["to"]["iban"] == IBAN


def test_silence_is_no_acceptance(bank, payouts):
    made = bank.parcel()
    bank.run(made)
    assert list(bank.outbox.iterdir()) == []
    assert bank.told(positive=False) == []
    payouts.advance(20 * DAY_S)
    assert len(states(bank.told())) == 2


def test_a_part_is_rejected(bank, payouts):
    made = bank.parcel(3)
    bad = made["items"][1]["key"]
    payouts.fate(BANK, {"state": "RJCT", "code": "AC04"}, key=bad)
    bank.run(made)
    (only, *others) = [e for e in bank.told(positive=False) if e["key"]]
    assert others == []
    assert (only["key"], only["state"], only["code"]) == (bad, "failed", "ac04")
    rest = states(bank.told())
    assert bad not in rest
    assert set(rest.values()) == {"sent"}
    ((side, amount, keys, _),) = bank.entries()
    assert (side, amount, len(keys)) == ("DBIT", "60.00", 2)
    assert payouts.paid(BANK, bad) == {}


def test_a_report_that_comes_twice_repeats_its_ids(bank):
    bank.run(bank.parcel())
    told = bank.told(times=2)
    ids = [each["event_id"] for each in told]
    assert len(ids) == 2 * len(set(ids))


def test_a_file_that_is_known_is_refused_and_decides_nothing(bank, payouts):
    made = bank.parcel()
    bank.run(made)
    bank.told()
    bank.put(made, "b.xml")
    (again,) = bank.take()
    assert (again["code"], again["count"]) == ("AM05", 0)
    (event,) = bank.told()
    assert (event["state"], event["parcel"]) == ("unknown", made["key"])
    assert payouts.paid(BANK, made["key"])["count"] == 1


def test_a_file_that_nobody_knows_any_more_pays_again(bank, payouts):
    """Why a file is never sent a second time."""
    made = bank.parcel(1)
    bank.run(made)
    payouts.advance(31 * DAY_S)
    bank.run(made)
    assert payouts.paid(BANK, made["key"])["live"] == 2


def test_a_notification_has_the_entries_of_a_statement(bank):
    made = bank.parcel()
    bank.run(made)
    keys = [each["key"] for each in made["items"]]
    pending = bank.entries("notice", status="PDNG")
    booked = bank.entries("notice")
    assert bank.entries("notice") == []
    assert pending == booked == bank.entries()
    assert booked == [("DBIT", "60.00", keys, None)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((("<CtrlSum>60.00", "<CtrlSum>60.01"),), "AM10"),
        ((("<NbOfTxs>2", "<NbOfTxs>3"),), "AM10"),
        ((("pain.001.001.09", "pain.001.001.03"),), "FF01"),
        ((("</PmtInf>", ""),), "FF01"),
        (((f"<IBAN>{IBAN}", f"<IBAN>{IBAN[:-1]}1"),), "AC01"),
    ],
)
def test_a_file_that_is_wrong_is_refused_as_a_whole(
    bank, payouts, change, code
):
    made = bank.parcel()
    bank.put(made, change=change)
    (taken,) = bank.take()
    assert (taken["code"], taken["count"]) == (code, 0)
    payouts.advance(1)
    assert payouts.books(provider=BANK)["paid"] == {}
    # a file that the bank cannot read has no name in its report
    named = [] if code == "FF01" else [(made["key"], "failed")]
    told = [(each["parcel"], each["state"]) for each in bank.told()]
    assert told == named


def test_without_money_the_whole_file_is_refused_and_it_is_ours(bank, payouts):
    payouts.control(
        "payouts/balance", provider=BANK, currency="EUR", minor=5999
    )
    bank.put(bank.parcel())
    (taken,) = bank.take()
    assert taken["code"] == "AM04"
    (event,) = bank.told()
    assert (event["state"], event["is_ours"]) == ("failed", True)


def test_a_payment_comes_back_on_the_statement_alone(bank, payouts):
    late = {"state": "RTRN", "after_s": 3 * DAY_S, "code": "AC04"}
    payouts.fate(BANK, ("ACSP", 0), ("ACSC", 0), late)
    made = bank.parcel(1)
    bank.run(made)
    bank.told()
    assert len(bank.entries(batch=False)) == 1
    payouts.advance(4 * DAY_S)
    assert bank.told() == []
    assert bank.entries() == [("CRDT", "30.00", [made["key"]], "AC04")]
    row = payouts.paid(BANK, made["key"])
    assert (row["live"], row["back_minor"]) == (0, 3000)
    assert bank.entries() == []
