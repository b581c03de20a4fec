"""The mock PSP's dialect ``stripe`` after the sale: PaymentIntents that are
captured or cancelled, refunds, disputes with what they did to the balance.
Needs no gateway.
"""

import json
import secrets
import time

import httpx
import pytest
from support.mock_server import DEADLINE_S, Receiver, serve

SESSIONS = "/stripe/v1/checkout/sessions"
INTENTS = "/stripe/v1/payment_intents"
REFUNDS = "/stripe/v1/refunds"
MANUAL = {"payment_intent_data[capture_method]": "manual"}
SEVERAL = MANUAL | {
    "payment_method_options[card][request_multicapture]": "if_available"
}


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def url(receiver, tmp_path_factory):
    keys = {"stripe.key": "sk_test_x", "stripe.whsec": "whsec_x"}
    with serve(tmp_path_factory.mktemp("keys"), keys, receiver.url) as found:
        yield found


@pytest.fixture
def psp(url, receiver):
    receiver.got.clear()
    made = Psp(url, receiver)
    yield made
    made.control("settings", refund_result="done", sale_fee_minor=0)
    made.http.close()


class Psp:
    def __init__(self, url: str, receiver: Receiver):
        self.receiver = receiver
        self.http = httpx.Client(base_url=url, timeout=DEADLINE_S)
        self.key = {"Authorization": "Bearer sk_test_x"}

    def control(self, what: str, wanted=200, /, **body) -> dict:
        answer = self.http.post(f"/_control/{what}", json=body)
        assert answer.status_code == wanted, answer.text
        return answer.json()

    def post(self, path: str, key: str | None = None, **form):
        headers = self.key | {"Idempotency-Key": key or secrets.token_hex(16)}
        return self.http.post(path, data=form, headers=headers)

    def get(self, path: str, **query) -> dict:
        answer = self.http.get(path, params=query, headers=self.key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def made(self, units=1234, currency="usd", **more) -> dict:
        """A session that the buyer is done with, as a question shows it."""
        price = "line_items[0][price_data]"
        form = {
            "mode": "payment",
            "success_url": "https://pay.example.com/return/x",
            "client_reference_id": secrets.token_hex(8),
            "expires_at": str(int(time.time()) + 3600),
            "line_items[0][quantity]": "1",
            f"{price}[currency]": currency,
            f"{price}[unit_amount]": str(units),
            f"{price}[product_data][name]": "One",
        }
        answer = self.post(SESSIONS, **(form | more))
        assert answer.status_code == 200, answer.text
        token = answer.json()["id"]
        self.control("pay", token=token, result="paid")
        return self.get(f"{SESSIONS}/{token}")

    def told(self, count: int) -> list[dict]:
        """Events, by the order in which they were made."""
        got = [json.loads(each["body"]) for each in self.receiver.wait(count)]
        assert len(got) == count, [each["type"] for each in got]
        made = self.http.get("/_control/books").json()["events"]
        places = {each["id"]: n for n, each in enumerate(made)}
        return sorted(got, key=lambda each: places[each["id"]])

    def money(self, session: dict) -> dict:
        query = {"token": session["id"]}
        books = self.http.get("/_control/books", params=query).json()
        return books["registrations"][0]["money"]


def code(answer) -> tuple:
    return answer.status_code, answer.json()["error"].get("code")


def types(events) -> list[str]:
    return [each["type"] for each in events]


def test_a_manual_session_is_complete_and_unpaid_until_it_is_captured(psp):
    session = psp.made(**MANUAL)
    states = session["status"], session["payment_status"]
    assert states == ("complete", "unpaid")
    intent = psp.get(f"{INTENTS}/{session['payment_intent']}")
    assert intent["status"] == "requires_capture"
    assert (intent["amount_capturable"], intent["amount_received"]) == (1234, 0)
    assert types(psp.told(2)) == [
        "checkout.session.completed",
        "payment_intent.amount_capturable_updated",
    ]


def test_one_capture_is_final_and_its_rest_is_given_back(psp):
    session = psp.made(**MANUAL)
    path = f"{INTENTS}/{session['payment_intent']}/capture"
    intent = psp.post(path, amount_to_capture="1000").json()
    assert intent["status"] == "succeeded"
    assert (intent["amount_capturable"], intent["amount_received"]) == (0, 1000)
    shown = psp.get(f"{SESSIONS}/{session['id']}")
    assert (shown["payment_status"], shown["amount_total"]) == ("paid", 1234)
    again = psp.post(path, amount_to_capture="100")
    assert code(again) == (400, "payment_intent_unexpected_state")
    last = psp.told(4)[2:]
    assert types(last) == ["payment_intent.succeeded", "charge.captured"]
    assert last[1]["data"]["object"]["amount_refunded"] == 234


def test_several_captures_need_to_be_asked_for(psp):
    session = psp.made(**SEVERAL)
    path = f"{INTENTS}/{session['payment_intent']}/capture"
    part = psp.post(path, amount_to_capture="400", final_capture="false")
    assert part.json()["status"] == "requires_capture"
    assert part.json()["amount_capturable"] == 834
    over = psp.post(path, amount_to_capture="835")
    assert code(over) == (400, "amount_too_large")
    assert psp.post(path).json()["amount_received"] == 1234
    one = psp.made(**MANUAL)
    path = f"{INTENTS}/{one['payment_intent']}/capture"
    asked = psp.post(path, amount_to_capture="4", final_capture="false")
    assert code(asked) == (400, "parameter_invalid")


def test_a_cancel_leaves_the_session_complete(psp):
    session = psp.made(**MANUAL)
    path = f"{INTENTS}/{session['payment_intent']}/cancel"
    assert psp.post(path).json()["status"] == "canceled"
    shown = psp.get(f"{SESSIONS}/{session['id']}")
    assert (shown["status"], shown["payment_status"]) == ("complete", "unpaid")
    assert types(psp.told(4))[2:] == [
        "payment_intent.canceled",
        "charge.refunded",
    ]
    assert code(psp.post(path))[0] == 400


def test_held_money_runs_out_by_itself(psp):
    session = psp.made(**MANUAL)
    psp.control("release", token=session["id"], result="expired")
    canceled, expired = psp.told(4)[2:]
    assert types([canceled, expired]) == [
        "payment_intent.canceled",
        "charge.expired",
    ]
    assert canceled["data"]["object"]["cancellation_reason"] == "automatic"


def test_a_refund_echoes_its_metadata_in_answer_and_events(psp):
    session = psp.made()
    form = {
        "payment_intent": session["payment_intent"],
        "amount": "200",
        "reason": "requested_by_customer",
        "metadata[operation]": "018f",
    }
    refund = psp.post(REFUNDS, **form).json()
    assert refund["object"] == "refund" and refund["status"] == "succeeded"
    assert refund["metadata"] == {"operation": "018f"}
    created, charge = psp.told(3)[1:]
    assert created["type"] == "refund.created"
    assert created["data"]["object"] == refund
    assert charge["type"] == "charge.refunded"
    assert charge["data"]["object"]["amount_refunded"] == 200


@pytest.mark.parametrize(
    ("before", "result", "status", "wanted"),
    [
        ("pending", "done", "succeeded", ["refund.updated", "charge.refunded"]),
        ("pending", "failed", "failed", ["refund.updated", "refund.failed"]),
        ("done", "returned", "failed", ["refund.updated", "refund.failed"]),
    ],
)
def test_refunds_end_later(psp, before, result, status, wanted):
    psp.control("settings", refund_result=before)
    session = psp.made()
    intent = session["payment_intent"]
    refund = psp.post(REFUNDS, payment_intent=intent, amount="200").json()
    psp.control("end", id=refund["id"], result=result)
    count = 2 if before == "pending" else 3
    events = psp.told(count + 2)[count:]
    assert types(events) == wanted
    told = events[0]["data"]["object"]
    assert (told["id"], told["status"]) == (refund["id"], status)
    assert ("failure_balance_transaction" in told) == (result == "returned")
    assert ("failure_reason" in told) == (status == "failed")


def test_a_refund_never_exceeds_the_charge(psp):
    intent = psp.made()["payment_intent"]
    assert psp.post(REFUNDS, payment_intent=intent, amount="1000").is_success
    over = psp.post(REFUNDS, payment_intent=intent, amount="235")
    assert code(over) == (400, None)
    assert psp.post(REFUNDS, payment_intent=intent).json()["amount"] == 234
    none = psp.post(REFUNDS, payment_intent=intent)
    assert code(none) == (400, "charge_already_refunded")
    unknown = psp.post(REFUNDS, payment_intent="pi_3no")
    assert code(unknown) == (404, "resource_missing")


def test_keys_are_stripes_for_refunds_too(psp):
    intent = psp.made()["payment_intent"]
    first = psp.post(REFUNDS, "k1", payment_intent=intent, amount="200")
    again = psp.post(REFUNDS, "k1", payment_intent=intent, amount="200")
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = psp.post(REFUNDS, "k1", payment_intent=intent, amount="201")
    assert other.json()["error"]["type"] == "idempotency_error"


def test_a_stored_500_is_replayed_and_refunds_nothing(psp):
    session = psp.made()
    form = {"payment_intent": session["payment_intent"], "amount": "200"}
    psp.control("faults", 201, operation="refund", kind="status")
    assert psp.post(REFUNDS, "k2", **form).status_code == 500
    again = psp.post(REFUNDS, "k2", **form)
    assert again.status_code == 500
    assert again.headers["Idempotent-Replayed"] == "true"
    assert psp.money(session)["refunded"] == 0


def test_a_dispute_says_what_it_did_to_the_balance(psp):
    session = psp.made()
    made = psp.control("dispute", token=session["id"], fee_minor=1500)
    events = psp.told(3)[1:]
    assert types(events) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]
    dispute = events[0]["data"]["object"]
    assert dispute["id"] == made["id"] and dispute["status"] == "needs_response"
    assert dispute["payment_intent"] == session["payment_intent"]
    (moved,) = dispute["balance_transactions"]
    assert (moved["amount"], moved["fee"], moved["net"]) == (-1234, 1500, -2734)
    intent = session["payment_intent"]
    refund = psp.post(REFUNDS, payment_intent=intent, amount="1")
    assert code(refund) == (400, "charge_disputed")


@pytest.mark.parametrize("fee", [True, False])
def test_a_won_dispute_is_reinstated(psp, fee):
    session = psp.made()
    made = psp.control("dispute", token=session["id"], fee_minor=1500)
    psp.control("end", id=made["id"], result="won", returns_fee=fee)
    events = psp.told(5)[3:]
    assert types(events) == [
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    dispute = events[1]["data"]["object"]
    assert dispute["status"] == "won"
    back = dispute["balance_transactions"][1]
    assert (back["amount"], back["fee"]) == (1234, -1500 if fee else 0)
    fees = psp.money(session)["fees"]
    assert fees == ({} if fee else {"USD": 1500})


def test_a_lost_dispute_is_closed(psp):
    session = psp.made()
    made = psp.control("dispute", token=session["id"])
    psp.control("end", id=made["id"], result="lost")
    (closed,) = psp.told(4)[3:]
    assert closed["type"] == "charge.dispute.closed"
    assert closed["data"]["object"]["status"] == "lost"
    assert psp.money(session)["disputed"] == 1234


def test_what_a_payment_cost_is_in_its_expanded_charge(psp):
    psp.control("settings", sale_fee_minor=47)
    session = psp.made()
    path = f"{SESSIONS}/{session['id']}"
    wanted = "payment_intent.latest_charge.balance_transaction"
    shown = psp.get(path, **{"expand[]": wanted})
    charge = shown["payment_intent"]["latest_charge"]
    balance = charge["balance_transaction"]
    assert (balance["amount"], balance["fee"], balance["net"]) == (
        1234,
        47,
        1187,
    )
    plain = psp.get(path, **{"expand[]": "payment_intent"})
    assert isinstance(plain["payment_intent"]["latest_charge"], str)
    bad = psp.http.get(path, params={"expand[]": "x"}, headers=psp.key)
    assert bad.status_code == 400


def test_amounts_are_stripes_own(psp):
    session = psp.made(units=1200, currency="isk")
    intent = session["payment_intent"]
    odd = psp.post(REFUNDS, payment_intent=intent, amount="150")
    assert code(odd) == (400, "parameter_invalid_integer")
    refund = psp.post(REFUNDS, payment_intent=intent, amount="200").json()
    assert refund["amount"] == 200
    assert psp.money(session)["refunded"] == 2
