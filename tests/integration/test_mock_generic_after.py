"""The mock PSP's dialect ``generic`` after the sale: held money, captures in
parts, refunds that take their time or come back, disputes, fees, and the
books that tell of them.  Needs no gateway.
"""

import base64
import json
import secrets
import threading
import time
import uuid

import httpx
import pytest
from support.mock_server import DEADLINE_S, Receiver, serve, until

ROOT = "/generic/v1/registrations"


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def url(receiver, tmp_path_factory):
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    keys = {"generic.key": "a-key-of-the-test", "generic.whsec": secret}
    with serve(tmp_path_factory.mktemp("keys"), keys, receiver.url) as found:
        yield found


@pytest.fixture
def psp(url, receiver):
    receiver.got.clear()
    made = Psp(url, receiver)
    yield made
    made.control("settings", **PLAIN)
    made.http.close()


PLAIN = {
    "capture_result": "done",
    "refund_result": "done",
    "sale_fee_minor": 0,
    "refund_fee_minor": 0,
}


class Psp:
    def __init__(self, url: str, receiver: Receiver):
        self.receiver = receiver
        self.http = httpx.Client(base_url=url, timeout=DEADLINE_S)
        self.headers = {"Authorization": "Bearer a-key-of-the-test"}

    def control(self, what: str, wanted=200, /, **body) -> dict:
        answer = self.http.post(f"/_control/{what}", json=body)
        assert answer.status_code == wanted, answer.text
        return answer.json()

    def post(self, path: str, body: dict):
        headers = self.headers | {"Idempotency-Key": body["nonce"]}
        return self.http.post(path, json=body, headers=headers)

    def made(self, amount="12.34", result="paid", **more) -> str:
        line = {"payment_order_id": "o1", "name": "One", "amount": amount}
        body = {
            "nonce": str(uuid.uuid4()),
            "reference": str(uuid.uuid4()),
            "expires_at": int(time.time()) + 3600,
            "return_url": "https://pay.example.com/return/x",
            "lines": [line],
            "amount": amount,
            "currency": "USD",
        }
        answer = self.post(ROOT, body | more)
        assert answer.status_code == 201, answer.text
        token = answer.json()["token"]
        self.control("pay", token=token, result=result)
        return token

    def held(self, amount="12.34") -> str:
        return self.made(amount, capture="manual")

    def change(self, token, tail, amount=None, nonce=None, **more):
        kind = tail.removesuffix("s")
        nonce = nonce or f"{uuid.uuid4()}:{kind}"
        body = {"nonce": nonce, "reference": "018f"} | more
        if amount:
            body |= {"amount": amount, "currency": "USD"}
        return self.post(f"{ROOT}/{token}/{tail}", body)

    def shown(self, token) -> dict:
        return self.http.get(f"{ROOT}/{token}", headers=self.headers).json()

    def books(self, token) -> dict:
        answer = self.http.get("/_control/books", params={"token": token})
        return answer.json()

    def money(self, token) -> dict:
        (found,) = self.books(token)["registrations"]
        return found["money"]

    def told(self, count: int) -> list[dict]:
        """Events, by the order in which they were made."""
        got = [json.loads(each["body"]) for each in self.receiver.wait(count)]
        assert len(got) == count, [each["type"] for each in got]
        made = self.http.get("/_control/books").json()["events"]
        places = {each["id"]: n for n, each in enumerate(made)}
        return sorted(got, key=lambda each: places[each["id"]])

    def types(self, count: int) -> list[str]:
        return [each["type"] for each in self.told(count)]


def code(answer) -> tuple:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_manual_registration_holds_the_money_and_says_so(psp):
    token = psp.held()
    shown = psp.shown(token)
    assert shown["status"] == "authorized" and shown["capture"] == "manual"
    assert shown["payment_id"] and "captured" not in shown
    (event,) = psp.told(1)
    assert event["type"] == "registration.authorized"
    assert event["data"]["amount"] == "12.34"
    money = psp.money(token)
    assert (money["authorized"], money["captured"]) == (1234, 0)


def test_captures_in_parts_add_up_and_the_last_one_pays(psp):
    token = psp.held()
    first = psp.change(token, "capture", "5.00").json()
    assert (first["status"], first["captured"]) == ("done", "5.00")
    assert psp.shown(token)["status"] == "authorized"
    second = psp.change(token, "capture", "7.34").json()
    assert second["captured"] == "12.34" and second["id"] != first["id"]
    assert psp.shown(token)["status"] == "paid"
    events = psp.told(4)
    assert [each["type"] for each in events] == [
        "registration.authorized",
        "capture.done",
        "capture.done",
        "registration.paid",
    ]
    assert [each["data"]["captured"] for each in events[1:3]] == [
        "5.00",
        "12.34",
    ]
    assert events[1]["data"]["nonce"] == first["nonce"]


def test_a_final_capture_gives_the_rest_back(psp):
    token = psp.held()
    psp.change(token, "capture", "5.00", final=True)
    assert psp.shown(token) | {"status": "paid"} == psp.shown(token)
    assert psp.shown(token)["captured"] == "5.00"
    assert psp.money(token)["authorized"] == 0
    again = psp.change(token, "capture", "1.00")
    assert code(again) == (422, "not_approved")
    assert psp.types(2) == ["registration.authorized", "capture.done"]


def test_no_more_is_captured_than_is_held(psp):
    token = psp.held()
    assert psp.change(token, "capture", "12.00").status_code == 201
    over = psp.change(token, "capture", "0.35")
    assert code(over) == (422, "amount_too_large")
    assert psp.money(token)["captured"] == 1200


def test_pending_captures_count_until_they_have_failed(psp):
    psp.control("settings", capture_result="pending")
    token = psp.held()
    made = psp.change(token, "capture", "12.00").json()
    assert (made["status"], made["captured"]) == ("pending", "0.00")
    assert psp.change(token, "capture", "1.00").status_code == 422
    psp.control("end", id=made["id"], result="failed")
    assert psp.money(token)["authorized"] == 1234
    failed = psp.told(2)[1]
    assert failed["type"] == "capture.failed"
    assert failed["data"]["captured"] == "0.00" and failed["data"]["code"]
    psp.control("end", 409, id=made["id"], result="done")


def test_a_void_gives_all_back_unless_something_was_captured(psp):
    token = psp.held()
    assert psp.change(token, "cancel").status_code == 201
    assert psp.shown(token)["status"] == "cancelled"
    part = psp.held()
    psp.change(part, "capture", "5.00")
    assert psp.change(part, "cancel").status_code == 201
    assert psp.shown(part)["status"] == "paid"
    assert psp.money(part)["captured"] == 500


def test_what_is_held_may_run_out(psp):
    token = psp.held()
    psp.control("release", token=token, result="expired")
    assert psp.shown(token)["status"] == "expired"
    assert psp.types(2)[1] == "registration.expired"
    psp.control("release", 409, token=token)


@pytest.mark.parametrize(
    ("result", "status", "type_", "left"),
    [
        ("done", "done", "refund.done", 1034),
        ("pending", "pending", "refund.pending", 1034),
        ("failed", "refused", "refund.failed", 1234),
    ],
)
def test_a_refund_ends_as_it_was_set(psp, result, status, type_, left):
    psp.control("settings", refund_result=result)
    token = psp.made()
    answer = psp.change(token, "refunds", "2.00", reason="wrong size").json()
    assert answer["status"] == status
    assert ("code" in answer) == (result == "failed")
    event = psp.told(2)[1]
    assert event["type"] == type_
    assert event["data"]["id"] == answer["id"]
    assert event["data"]["nonce"] == answer["nonce"]
    assert event["data"]["amount"] == "2.00"
    assert psp.money(token)["refundable"] == left


@pytest.mark.parametrize(
    ("result", "type_", "refunded"),
    [("done", "refund.done", 200), ("failed", "refund.failed", 0)],
)
def test_a_pending_refund_is_ended_later(psp, result, type_, refunded):
    psp.control("settings", refund_result="pending")
    token = psp.made()
    made = psp.change(token, "refunds", "2.00").json()
    psp.control("end", id=made["id"], result=result)
    assert psp.types(3)[1:] == ["refund.pending", type_]
    money = psp.money(token)
    assert (money["refunding"], money["refunded"]) == (0, refunded)


def test_a_refund_that_was_done_comes_back(psp):
    token = psp.made()
    made = psp.change(token, "refunds", "2.00").json()
    psp.control("end", 409, id=made["id"], result="failed")
    psp.control("end", id=made["id"], result="returned")
    done, back = psp.told(3)[1:]
    assert (done["type"], back["type"]) == ("refund.done", "refund.failed")
    assert done["data"]["id"] == back["data"]["id"] == made["id"]
    assert back["data"]["code"] == "expired_or_canceled_card"
    assert psp.money(token)["refundable"] == 1234


def test_what_the_dashboard_does_has_no_key_of_ours(psp):
    token = psp.held()
    psp.control("capture", token=token, amount_minor=500)
    psp.control("refund", token=token, amount_minor=100)
    for event in psp.told(3)[1:]:
        assert "nonce" not in event["data"] and event["data"]["id"]
    assert {each["key"] for each in psp.books(token)["deeds"]} == {""}
    psp.control("refund", 409, token=token, amount_minor=401)


def test_concurrent_refunds_never_exceed_what_was_captured(psp):
    token = psp.made("1.00")
    heard = []

    def ask():
        heard.append(psp.change(token, "refunds", "0.30").status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(DEADLINE_S)
    assert sorted(heard) == [201] * 3 + [422] * 5
    assert psp.money(token)["refunded"] == 90


@pytest.mark.parametrize(("result", "disputed"), [("won", 0), ("lost", 1034)])
def test_a_dispute_is_opened_and_decided(psp, result, disputed):
    token = psp.made()
    psp.change(token, "refunds", "2.00")
    made = psp.control("dispute", token=token, fee_minor=1500)
    assert psp.change(token, "refunds", "0.01").status_code == 422
    psp.control("end", id=made["id"], result=result)
    psp.control("end", 409, id=made["id"], result="won")
    opened, ended = psp.told(4)[2:]
    assert opened["type"] == "dispute.opened"
    assert opened["data"]["amount"] == "10.34"
    assert opened["data"]["fee"] == "15.00" and "fee" not in ended["data"]
    assert ended["type"] == f"dispute.{result}"
    assert psp.money(token)["disputed"] == disputed
    assert psp.money(token)["fees"] == {"USD": 1500}


def test_a_disputes_fee_may_be_given_back(psp):
    token = psp.made()
    made = psp.control("dispute", token=token, fee_minor=1500)
    psp.control("end", id=made["id"], result="won", returns_fee=True)
    events = psp.told(4)
    assert [each["type"] for each in events[2:]] == [
        "dispute.won",
        "fee.returned",
    ]
    assert events[3]["data"]["amount"] == "15.00"
    assert psp.money(token)["fees"] == {}


def test_fees_come_with_what_they_are_for_or_alone(psp):
    psp.control("settings", sale_fee_minor=47, refund_fee_minor=10)
    token = psp.made()
    psp.change(token, "refunds", "1.00")
    psp.control("fee", token=token, amount_minor=3, currency="EUR")
    paid, refund, fee = (each["data"] for each in psp.told(3))
    assert paid["fee"] == "0.47" and refund["fee"] == "0.10"
    assert (fee["amount"], fee["currency"]) == ("0.03", "EUR")
    assert psp.money(token)["fees"] == {"USD": 57, "EUR": 3}


@pytest.mark.parametrize(
    ("fault", "booked"),
    [
        ({"kind": "drop_after_accept"}, 1),
        ({"kind": "drop"}, 0),
        ({"kind": "status", "status": 500}, 0),
        ({"kind": "status", "status": 500, "accept": True}, 1),
        ({"kind": "malformed"}, 1),
    ],
)
def test_a_spoilt_refund_is_repeated_with_its_key(psp, fault, booked):
    token = psp.made()
    (made,) = psp.books(token)["registrations"]
    fault = {"operation": "refund", "nonce": made["nonce"]} | fault
    psp.control("faults", 201, **fault)
    nonce = f"{uuid.uuid4()}:refund"
    try:
        first = psp.change(token, "refunds", "2.00", nonce)
        assert first.status_code != 201 or fault["kind"] == "malformed"
    except httpx.TransportError:
        assert fault["kind"].startswith("drop")
    assert len(psp.books(token)["deeds"]) == booked
    again = psp.change(token, "refunds", "2.00", nonce)
    assert again.status_code == 201
    (deed,) = psp.books(token)["deeds"]
    assert (deed["id"], deed["key"]) == (again.json()["id"], nonce)


def test_a_call_with_a_key_that_is_worked_on_hears_so(psp):
    token = psp.made()
    delay = {"operation": "refund", "kind": "delay", "ms": 700, "before": True}
    psp.control("faults", 201, **delay)
    nonce = f"{uuid.uuid4()}:refund"
    first = []
    slow = threading.Thread(
        target=lambda: first.append(psp.change(token, "refunds", "1.00", nonce))
    )
    slow.start()
    until(
        lambda: psp.books(token)["requests"][-1]["operation"] == "refund",
        "the first call",
    )
    busy = psp.change(token, "refunds", "1.00", nonce)
    assert code(busy) == (409, "in_progress")
    slow.join(DEADLINE_S)
    assert first


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("refund", {"token": "reg_no"}),
        ("end", {"id": "ref_no", "result": "done"}),
        ("fee", {"amount_minor": 0}),
        ("dispute", {"amount_minor": "1"}),
        ("settings", {"refund_result": "maybe"}),
    ],
)
def test_the_control_api_refuses_what_it_does_not_know(psp, what, body):
    if what in ("fee", "dispute"):
        body = body | {"token": psp.made()}
    assert "error" in psp.control(what, 400, **body)
