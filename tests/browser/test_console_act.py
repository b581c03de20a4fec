"""Acts in the console in a browser: a refund that one person proposes and
another approves, by keyboard only; the words of a refusal; the proof to print;
dialogs that fit and are accessible.  Leaves pictures in build/screenshots."""

import json
import subprocess

import axe
import pytest
from buyer import DEADLINE_S
from selenium.webdriver.common.keys import Keys
from staff import Staff
from support.gateway import ROOT
from support.waiting import wait_for
from test_console import WHOLE, fits
from test_pages import DESKTOP, PHONE, SHOTS

MINT = ROOT / "ci/mint-staff"


@pytest.fixture
def staff(chrome, gateway):
    """With tokens of a log-in of just now."""
    made = Staff(chrome, gateway)
    made.env = dict(gateway.env)
    for role, group in (
        ("VIEWER", "viewers"),
        ("SUPPORT", "support"),
        ("APPROVER", "approvers"),
        ("OPERATIONS", "operations"),
        ("AUDITOR", "auditors"),
    ):
        done = subprocess.run(
            [MINT, gateway.run / "secrets", group],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        made.env[f"STAFF_{role}_JWT"] = done.stdout.strip()
    yield made
    assert made.complaints() == []


@pytest.fixture(scope="module")
def paid(sales):
    return sales("generic").settle("paid")


def tab_to(staff, words: str, limit=60):
    """Presses Tab until the focus is on what has these words."""
    for _ in range(limit):
        found = staff.focus
        name = found.get_attribute("aria-label") or found.text
        if name.startswith(words):
            return found
        staff.types(Keys.TAB)
    raise AssertionError(f"{words!r} is not reached by Tab")


@pytest.mark.parametrize(
    ("kind", "size"), [("phone", PHONE), ("desktop", DESKTOP)]
)
def test_two_persons_refund_by_keyboard(staff, paid, kind, size):
    staff.chrome.look(**size)
    staff.enter("SUPPORT", f"/payment?checkout={paid.body['checkout_id']}")
    tab_to(staff, "Propose a refund")
    staff.types(Keys.ENTER)
    staff.waits_for("dialog[open]", "the dialog")
    fits(staff, size, f"refund-{kind}")
    assert staff.focus.get_attribute("id") == "act-amount"
    staff.types("1.00", Keys.TAB, "the buyer's parcel was lost")
    staff.types(Keys.TAB, Keys.ENTER)
    staff.sees("Proposed as number", "dialog [role=status]")
    number = staff.text("dialog [role=status]").split("number ")[1]
    number = number.split(".")[0]
    staff.types(Keys.ENTER)
    wait_for(lambda: not staff.all("dialog"), DEADLINE_S, "the end")
    focus = staff.focus.get_attribute("aria-label")
    assert focus.startswith("Propose a refund")
    staff.sees("Waiting for a second person", "main")
    # one's own proposal can be withdrawn, and not approved
    assert "Withdraw" in staff.text("main")
    assert "Approve" not in staff.text("main")

    staff.enter("APPROVER", "/approvals")
    fits(staff, WHOLE, f"approvals-{kind}")
    staff.chrome.look(**size)
    tab_to(staff, f"Approve {number}")
    staff.types(Keys.ENTER)
    staff.waits_for("dialog[open]", "the dialog")
    fits(staff, size, f"approve-{kind}")
    staff.types("looked at the parcel's number", Keys.TAB, Keys.ENTER)
    staff.sees("Done: done", "dialog [role=status]")
    staff.types(Keys.ESCAPE)
    wait_for(lambda: not staff.all("dialog"), DEADLINE_S, "the end")
    wait_for(
        lambda: not staff.all(f"[aria-label='Approve {number}']"),
        DEADLINE_S, "the list without it",
    )  # fmt: skip

    staff.enter("AUDITOR", f"/acts?object={paid.body['checkout_id']}")
    people = [row[1] for row in staff.cells()[1:]]
    assert people[:2] == ["approvers@example.com", "support@example.com"]


def test_a_refusal_is_shown_and_the_act_can_be_sent_again(staff, paid):
    staff.enter("SUPPORT", f"/payment?checkout={paid.body['checkout_id']}")
    tab_to(staff, "Propose a refund")
    staff.types(Keys.ENTER)
    staff.waits_for("dialog[open]", "the dialog")
    amount = staff.find("#act-amount")
    amount.clear()
    amount.send_keys("1000.00")
    staff.find("#act-reason").send_keys("too much")
    staff.click("dialog form button")
    staff.sees("cannot be done", "dialog [role=alert]")
    assert "more than is left" in staff.text("dialog [role=alert]")
    assert axe.doubts(staff.driver) == []
    amount.clear()
    amount.send_keys("0.50")
    staff.click("dialog form button")
    staff.sees("Proposed as number", "dialog [role=status]")
    staff.click("dialog button")
    staff.click("[aria-label^=Withdraw]")
    staff.find("#act-reason").send_keys("a test")
    staff.click("dialog form button")
    staff.sees("Done: withdrawn", "dialog [role=status]")


def test_who_may_not_act_has_no_buttons(staff, paid):
    staff.enter("VIEWER", f"/payment?checkout={paid.body['checkout_id']}")
    for words in ("Propose a refund", "Proof", "Settle", "Approve"):
        assert not staff.all(f"button[aria-label^='{words}']"), words
    staff.enter("VIEWER", "/letters")
    assert not staff.all("td.actions")


def test_a_proof_is_saved_and_printed(staff, paid, tmp_path):
    staff.chrome.look(**DESKTOP)
    staff.enter("SUPPORT", f"/payment?checkout={paid.body['checkout_id']}")
    tab_to(staff, "Proof of")
    staff.types(Keys.ENTER)
    staff.waits_for("dialog[open]", "the dialog")
    staff.types("a dispute", Keys.TAB, Keys.ENTER)
    staff.waits_for(".proof", "the proof")
    assert "buyer@shop.example" in staff.text(".proof")
    fits(staff, DESKTOP, "proof-desktop")
    staff.chrome.look(**DESKTOP)
    staff.chrome.cdp("Emulation.setEmulatedMedia", media="print")
    assert not staff.find("header").is_displayed()
    assert not staff.find(".proof .tools").is_displayed()
    assert staff.find(".proof h2").is_displayed()
    assert staff.find(".proof").rect["width"] > DESKTOP["width"] / 2
    staff.chrome.screenshot(SHOTS / "console-proof-print.png")
    staff.chrome.cdp("Emulation.setEmulatedMedia", media="")
    staff.chrome.cdp(
        "Browser.setDownloadBehavior", behavior="allow",
        downloadPath=str(tmp_path),
    )  # fmt: skip
    staff.click(".proof .tools button")
    (path,) = wait_for(
        lambda: list(tmp_path.glob("*.json")), DEADLINE_S, "the file"
    )
    document = json.loads(path.read_text())
    assert document["proof"]["payment_order_id"] == paid.order_id
    assert len(document["signature"]) == 88


def test_a_saved_list_is_written_down(staff, paid, tmp_path):
    staff.enter("AUDITOR", "/payments?status=SUCCESS")
    count = len(staff.saves(tmp_path)) - 1
    staff.visit("/acts?act=export")
    details = wait_for(
        lambda: staff.text("tbody .wide") or staff.visit("/acts?act=export"),
        DEADLINE_S, "the row",
    )  # fmt: skip
    assert f"rows: {count}" in details
    assert "payments ?status=SUCCESS" in details
