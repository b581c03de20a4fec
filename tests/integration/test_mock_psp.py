"""The mock PSP itself: does it behave, and does it misbehave on demand?

Needs no gateway: the mock runs on a free port and a small receiver takes its
webhooks.  Signatures are checked by hand-written HMACs.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from support.client import plain
from support.mock_server import DEADLINE_S, Receiver, serve, until

RETURN = "https://shop.example.com/back"


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def keys():
    return {
        "generic.key": "gk_" + secrets.token_hex(16),
        "stripe.key": "sk_test_" + secrets.token_hex(16),
        "generic.whsec": "whsec_"
        + base64.b64encode(secrets.token_bytes(32)).decode(),
        "stripe.whsec": "whsec_" + secrets.token_hex(16),
        "acme.result": secrets.token_hex(32),
    }


@pytest.fixture(scope="module")
def server(receiver, keys, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("keys"), keys, receiver.url) as url:
        yield url


class Psp:
    """A client that knows both dialects."""

    def __init__(self, url: str, keys: dict):
        self.keys = keys
        self.http = plain(base_url=url, timeout=DEADLINE_S)

    def control(self, verb: str, body: object = None) -> dict:
        answer = self.http.post(f"/_control/{verb}", json=body or {})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def books(self, **query) -> dict:
        return self.http.get("/_control/books", params=query).json()

    def fault(self, operation: str, kind: str, **more) -> None:
        spec = {"operation": operation, "kind": kind} | more
        self.control("faults", spec)

    def generic(self, body: dict, **headers):
        return self.http.post(
            "/generic/v1/registrations",
            json=body,
            headers={
                "Authorization": f"Bearer {self.keys['generic.key']}",
                "Idempotency-Key": body["nonce"],
            }
            | headers,
        )

    def stripe(self, form: dict, nonce: str | None = None, **headers):
        return self.http.post(
            "/stripe/v1/checkout/sessions",
            data=form,
            headers={
                "Authorization": f"Bearer {self.keys['stripe.key']}",
                "Idempotency-Key": nonce or str(uuid.uuid4()),
            }
            | headers,
        )

    def query(self, dialect: str, token: str):
        paths = {
            "generic": "/generic/v1/registrations/",
            "stripe": "/stripe/v1/checkout/sessions/",
        }
        key = self.keys[f"{dialect}.key"]
        return self.http.get(
            paths[dialect] + token, headers={"Authorization": f"Bearer {key}"}
        )


@pytest.fixture
def psp(server, keys, receiver):
    made = Psp(server, keys)
    made.control("reset", {"seed": 7})
    made.control("settings", {"pending_ms": 50, "webhook_timeout_s": 5})
    receiver.forget()
    yield made
    made.http.close()


def order(**more) -> dict:
    return {
        "nonce": str(uuid.uuid4()),
        "reference": str(uuid.uuid4()),
        "amount": "12.34",
        "currency": "USD",
        "expires_at": int(time.time()) + 3600,
        "return_url": RETURN,
        "lines": [{"payment_order_id": "p1", "name": "Tea", "amount": "12.34"}],
    } | more


def session(**more) -> dict:
    return {
        "mode": "payment",
        "success_url": RETURN + "?sid={CHECKOUT_SESSION_ID}",
        "cancel_url": RETURN + "?cancelled=1",
        "client_reference_id": "ORDER-1",
        "expires_at": str(int(time.time()) + 3600),
        "metadata[checkout]": "c1",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "1234",
        "line_items[0][price_data][product_data][name]": "Tea",
    } | more


def card(number: str, **more) -> dict:
    return {"number": number, "expiry": "12/39", "cvc": "123"} | more


def path_of(url: str) -> str:
    return urlsplit(url).path


# Registrations are made once.


def test_a_nonce_is_registered_once_and_replayed(psp):
    body = order()
    first, again = psp.generic(body), psp.generic(body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["token"] == again.json()["token"]
    assert first.json()["token"].startswith("reg_")
    booked = psp.books()["registrations"]
    assert [each["requests"] for each in booked] == [2]
    assert booked[0]["nonce"] == body["nonce"]


def test_a_nonce_with_another_body_is_refused(psp):
    body = order()
    psp.generic(body)
    changed = psp.generic(body | {"reference": "other"})
    assert changed.status_code == 422
    assert changed.json()["error"]["code"] == "nonce_reused"
    assert len(psp.books()["registrations"]) == 1


def test_a_stripe_key_replays_the_first_answer(psp):
    form, nonce = session(), str(uuid.uuid4())
    first, again = psp.stripe(form, nonce), psp.stripe(form, nonce)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


def test_a_stripe_key_with_other_parameters_is_an_idempotency_error(psp):
    nonce = str(uuid.uuid4())
    psp.stripe(session(), nonce)
    other = psp.stripe(session(client_reference_id="ORDER-2"), nonce)
    assert other.status_code == 400
    assert other.json()["error"]["type"] == "idempotency_error"
    assert len(psp.books()["registrations"]) == 1


@pytest.mark.parametrize("dialect", ["generic", "stripe"])
def test_concurrent_calls_with_one_nonce_conflict(psp, dialect):
    psp.fault("register", "delay", dialect=dialect, ms=400)
    body, form, nonce = order(), session(), str(uuid.uuid4())

    def call(_):
        if dialect == "generic":
            return psp.generic(body).status_code
        return psp.stripe(form, nonce).status_code

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(call, range(8)))
    assert sorted(set(got)) in ([201, 409], [200, 409])
    assert got.count(409) == 7
    assert len(psp.books()["registrations"]) == 1


def test_an_answer_is_held_until_it_is_released(psp):
    """The work is seen in the books while its answer has not gone out."""
    psp.fault("register", "hold")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(psp.generic, order())
        until(lambda: psp.books()["registrations"], "the registration")
        assert not answer.done()
        psp.control("faults/release")
        assert answer.result().status_code == 201


def test_stripe_stores_nothing_for_a_validation_failure(psp):
    nonce = str(uuid.uuid4())
    assert psp.stripe(session(expires_at="12"), nonce).status_code == 400
    assert psp.stripe(session(), nonce).status_code == 200


def test_stripe_replays_a_stored_500_for_ever(psp):
    psp.fault("register", "status", dialect="stripe", status=500)
    form, nonce = session(), str(uuid.uuid4())
    got = [psp.stripe(form, nonce).status_code for _ in range(3)]
    assert got == [500, 500, 500]
    assert psp.books()["registrations"] == []


# The shape of answers.


def test_a_session_looks_like_stripes(psp):
    made = psp.stripe(session()).json()
    assert re.fullmatch(r"cs_test_[A-Za-z0-9]{58}", made["id"])
    url = urlsplit(made["url"])
    assert url.path == f"/stripe/c/pay/{made['id']}"
    assert len(url.fragment) > 250
    assert (made["amount_total"], made["currency"]) == (1234, "usd")
    assert made["client_reference_id"] == "ORDER-1"
    assert made["metadata"] == {"checkout": "c1"}
    assert (made["status"], made["payment_status"]) == ("open", "unpaid")
    assert made["object"] == "checkout.session"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"surprise": "1"}, "parameter_unknown"),
        ({"line_items[0][price]": "price_1"}, "parameter_unknown"),
        ({"expires_at": "soon"}, "parameter_invalid_integer"),
        ({"expires_at": str(int(time.time()) + 60)}, "parameter_invalid"),
        ({"expires_at": str(int(time.time()) + 90000)}, "parameter_invalid"),
        ({"success_url": "javascript:alert(1)"}, "url_invalid"),
        ({"client_reference_id": "x" * 201}, "parameter_invalid_string"),
        ({"metadata[k]": "x" * 501}, "parameter_invalid_string"),
        (
            {"line_items[0][price_data][unit_amount]": "12.34"},
            "parameter_invalid_integer",
        ),
        (
            {"line_items[0][price_data][unit_amount]": "0"},
            "amount_too_small",
        ),
        (
            {"line_items[0][price_data][currency]": "xxx"},
            "currency_invalid",
        ),
        (
            {
                "line_items[0][price_data][currency]": "kwd",
                "line_items[0][price_data][unit_amount]": "1234",
            },
            "parameter_invalid_integer",
        ),
        ({"line_items[0][quantity]": "0"}, "parameter_invalid_integer"),
    ],
)
def test_stripe_refuses_what_stripe_refuses(psp, change, code):
    answer = psp.stripe(session(**change))
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["error"]["code"] == code
    assert psp.books()["registrations"] == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": "12.3"}, 422, "amount_invalid"),
        ({"amount": "0.00"}, 422, "amount_invalid"),
        ({"amount": "-1.00"}, 422, "amount_invalid"),
        ({"amount": "13.34"}, 422, "amount_invalid"),
        ({"amount": 12.34}, 422, "invalid_request"),
        ({"currency": "JPY"}, 422, "amount_invalid"),
        ({"currency": "ZZZ"}, 422, "currency_unknown"),
        ({"expires_at": 1}, 422, "expires_at_invalid"),
        ({"lines": []}, 422, "invalid_request"),
        ({"surprise": 1}, 422, "unknown_member"),
        ({"return_url": "javascript:alert(1)"}, 422, "invalid_request"),
    ],
)
def test_generic_refuses_bad_orders(psp, change, status, code):
    answer = psp.generic(order(**change))
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert psp.books()["registrations"] == []


def test_a_wrong_key_is_refused_in_both_dialects(psp):
    wrong = {"Authorization": "Bearer nope"}
    assert psp.generic(order(), **wrong).status_code == 401
    assert psp.stripe(session(), **wrong).status_code == 401
    called = psp.books()["requests"]
    assert [each["outcome"] for each in called] == ["unauthorised"] * 2


def test_stripe_takes_the_key_as_basic_user_too(psp):
    pair = base64.b64encode(f"{psp.keys['stripe.key']}:".encode()).decode()
    answer = psp.stripe(session(), Authorization=f"Basic {pair}")
    assert answer.status_code == 200


@pytest.mark.parametrize("dialect", ["generic", "stripe"])
def test_an_unknown_token_is_not_found(psp, dialect):
    assert psp.query(dialect, "cs_test_nothing").status_code == 404


def test_one_seed_gives_the_same_tokens(psp):
    first = psp.generic(order()).json()["token"]
    psp.control("reset", {"seed": 7})
    assert psp.generic(order()).json()["token"] == first
    psp.control("reset", {"seed": 8})
    assert psp.generic(order()).json()["token"] != first


# Webhooks.


def check_stripe(message: dict, secret: str, now: float) -> bool:
    fields = dict(
        part.split("=")
        for part in message["headers"]["stripe-signature"].split(",")
    )
    text = fields["t"].encode() + b"." + message["body"]
    right = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return right == fields["v1"] and abs(now - int(fields["t"])) < 300


def check_generic(message: dict, secret: str, now: float) -> bool:
    headers = message["headers"]
    text = b".".join(
        [
            headers["webhook-id"].encode(),
            headers["webhook-timestamp"].encode(),
            message["body"],
        ]
    )
    key = base64.b64decode(secret[len("whsec_") :])
    mac = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest())
    fresh = abs(now - int(headers["webhook-timestamp"])) < 300
    return headers["webhook-signature"] == "v1," + mac.decode() and fresh


def test_the_generic_webhook_is_signed_and_tells_the_truth(psp, receiver):
    body = order()
    token = psp.generic(body).json()["token"]
    psp.control("pay", {"token": token, "result": "paid"})
    (message,) = receiver.wait(1, "/webhooks/generic")
    assert check_generic(message, psp.keys["generic.whsec"], time.time())
    event = json.loads(message["body"])
    assert event["type"] == "registration.paid"
    assert event["id"] == message["headers"]["webhook-id"]
    assert event["data"]["token"] == token
    assert event["data"]["nonce"] == body["nonce"]
    assert (event["data"]["amount"], event["data"]["currency"]) == (
        "12.34",
        "USD",
    )
    assert psp.query("generic", token).json()["status"] == "paid"


def test_the_stripe_webhook_is_signed_and_holds_the_session(psp, receiver):
    token = psp.stripe(session()).json()["id"]
    psp.control("pay", {"token": token, "result": "paid"})
    (message,) = receiver.wait(1, "/webhooks/stripe")
    assert check_stripe(message, psp.keys["stripe.whsec"], time.time())
    event = json.loads(message["body"])
    assert event["type"] == "checkout.session.completed"
    assert event["id"].startswith("evt_")
    held = event["data"]["object"]
    assert (held["id"], held["payment_status"]) == (token, "paid")
    assert (held["amount_total"], held["currency"]) == (1234, "usd")
    assert held["payment_intent"].startswith("pi_")


def test_webhooks_are_retried_with_new_signatures_until_2xx(psp, receiver):
    receiver.answers += [500, 302, 404]
    token = psp.stripe(session()).json()["id"]
    psp.control("pay", {"token": token, "result": "paid"})
    got = receiver.wait(4, "/webhooks/stripe")
    assert len({each["body"] for each in got}) == 1

    def delivered():
        (sent,) = psp.books()["webhooks"]
        return sent if sent["state"] == "delivered" else None

    sent = until(delivered, "delivery")
    assert (sent["attempts"], sent["last_status"]) == (4, 200)


@pytest.mark.parametrize(
    ("dialect", "result", "types"),
    [
        ("generic", "declined", ["registration.declined"]),
        ("generic", "pending", ["registration.pending"]),
        ("generic", "expired", ["registration.expired"]),
        ("generic", "cancelled", ["registration.cancelled"]),
        ("stripe", "pending", ["checkout.session.completed"]),
        ("stripe", "expired", ["checkout.session.expired"]),
        (
            "stripe",
            "declined",
            [
                "charge.failed",
                "checkout.session.async_payment_failed",
                "checkout.session.completed",
                "payment_intent.payment_failed",
            ],
        ),
    ],
)
def test_results_send_their_events(psp, receiver, dialect, result, types):
    made = (
        psp.generic(order()) if dialect == "generic" else psp.stripe(session())
    )
    token = made.json().get("token") or made.json()["id"]
    psp.control("pay", {"token": token, "result": result})
    got = receiver.wait(len(types), f"/webhooks/{dialect}")
    assert sorted(json.loads(each["body"])["type"] for each in got) == types


def test_a_paid_registration_takes_no_other_result(psp):
    token = psp.generic(order()).json()["token"]
    psp.control("pay", {"token": token, "result": "paid"})
    for result in ("paid", "declined", "cancelled", "expired"):
        late = psp.http.post(
            "/_control/pay", json={"token": token, "result": result}
        )
        assert late.status_code == 409
    assert psp.query("generic", token).json()["status"] == "paid"


def test_time_expires_a_registration(psp, receiver):
    psp.generic(order(expires_at=int(time.time()) + 1))
    (message,) = receiver.wait(1, "/webhooks/generic")
    assert json.loads(message["body"])["type"] == "registration.expired"


# Faults of webhooks.


def paid(psp) -> str:
    token = psp.generic(order()).json()["token"]
    psp.control("pay", {"token": token, "result": "paid"})
    return token


def test_fault_duplicate_sends_one_event_several_times(psp, receiver):
    psp.fault("webhook", "duplicate", n=3)
    paid(psp)
    got = receiver.wait(4)
    assert len({each["headers"]["webhook-id"] for each in got}) == 1


def test_fault_forged_fails_the_check_and_the_retry_passes(psp, receiver):
    receiver.answers += [401]
    psp.fault("webhook", "forged")
    paid(psp)
    forged, right = receiver.wait(2)
    secret = psp.keys["generic.whsec"]
    assert not check_generic(forged, secret, time.time())
    assert check_generic(right, secret, time.time())


def test_fault_stale_is_signed_well_but_old(psp, receiver):
    psp.fault("webhook", "stale", age_s=301, attempts=0)
    paid(psp)
    (message,) = receiver.wait(1)
    secret = psp.keys["generic.whsec"]
    assert not check_generic(message, secret, time.time())
    assert check_generic(message, secret, time.time() - 301)


def test_fault_wrong_amount_is_signed_well(psp, receiver):
    psp.fault("webhook", "wrong_amount")
    paid(psp)
    (message,) = receiver.wait(1)
    assert check_generic(message, psp.keys["generic.whsec"], time.time())
    assert json.loads(message["body"])["data"]["amount"] == "912.34"


def test_fault_none_sends_nothing(psp, receiver):
    psp.fault("webhook", "none")
    paid(psp)
    sent = until(lambda: psp.books()["webhooks"], "the entry")
    assert (sent[0]["state"], sent[0]["attempts"]) == ("suppressed", 0)
    assert receiver.got == []


def test_fault_reorder_lets_the_next_event_pass(psp, receiver):
    psp.fault("webhook", "reorder", dialect="stripe")
    token = psp.stripe(session()).json()["id"]
    psp.control("pay", {"token": token, "result": "pending"})
    psp.control("pay", {"token": token, "result": "paid"})
    got = receiver.wait(2, "/webhooks/stripe")
    types = [json.loads(each["body"])["type"].split(".")[-1] for each in got]
    assert types == ["async_payment_succeeded", "completed"]


def test_fault_early_comes_before_the_registrations_answer(psp, receiver):
    psp.fault("webhook", "early")
    arrived = []
    answer = psp.generic(order())
    arrived += receiver.got
    assert answer.status_code == 201
    assert len(arrived) == 1
    event = json.loads(arrived[0]["body"])
    assert event["data"]["token"] == answer.json()["token"]


@pytest.mark.parametrize("sign", ["right", "wrong", "none"])
def test_any_message_can_be_sent(psp, receiver, sign):
    psp.control(
        "webhook", {"dialect": "generic", "body": "not json", "sign": sign}
    )
    (message,) = receiver.wait(1)
    assert message["body"] == b"not json"
    if sign == "none":
        assert "webhook-signature" not in message["headers"]
    else:
        secret = psp.keys["generic.whsec"]
        right = check_generic(message, secret, time.time())
        assert right == (sign == "right")


# Faults of the API.


@pytest.mark.parametrize("dialect", ["generic", "stripe"])
def test_fault_drop_after_accept_books_and_says_nothing(psp, dialect):
    psp.fault("register", "drop_after_accept")
    body, form, nonce = order(), session(), str(uuid.uuid4())

    def call():
        if dialect == "generic":
            return psp.generic(body)
        return psp.stripe(form, nonce)

    with pytest.raises(httpx.TransportError):
        call()
    assert len(psp.books()["registrations"]) == 1
    assert call().status_code == 200
    assert len(psp.books()["registrations"]) == 1


@pytest.mark.parametrize("at", [0, 1, 40, 200])
def test_fault_reset_at_byte_cuts_the_answer(psp, at):
    psp.fault("register", "reset_at_byte", at=at)
    with pytest.raises(httpx.TransportError):
        psp.generic(order())
    assert len(psp.books()["registrations"]) == 1


def test_fault_status_says_when_to_come_back(psp):
    psp.fault("register", "status", status=429, retry_after=7)
    answer = psp.generic(order())
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    assert psp.books()["registrations"] == []


def test_fault_malformed_is_no_json(psp):
    psp.fault("register", "malformed")
    with pytest.raises(ValueError, match=""):
        psp.generic(order()).json()


def test_fault_huge_and_gzip_bomb_are_large(psp):
    psp.fault("register", "huge")
    assert len(psp.generic(order()).content) > 1_000_000
    psp.fault("register", "gzip_bomb", bytes=5_000_000)
    bomb = psp.generic(order())
    assert int(bomb.headers["Content-Length"]) < 50_000
    assert len(bomb.content) > 5_000_000


def test_fault_html_and_redirect(psp):
    psp.fault("register", "html")
    assert psp.generic(order()).headers["Content-Type"].startswith("text/html")
    psp.fault("register", "redirect")
    answer = psp.generic(order())
    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://evil.example/"
    assert psp.books()["registrations"] == []


def test_fault_ok_with_error_books_nothing(psp):
    psp.fault("register", "ok_with_error")
    answer = psp.stripe(session())
    assert (answer.status_code, "error" in answer.json()) == (200, True)
    assert psp.books()["registrations"] == []


def test_fault_other_token_breaks_the_promise(psp):
    body = order()
    first = psp.generic(body).json()["token"]
    psp.fault("register", "other_token")
    assert psp.generic(body).json()["token"] != first
    assert psp.generic(body).json()["token"] == first
    booked = psp.books(nonce=body["nonce"])["registrations"]
    assert len(booked) == 2


@pytest.mark.parametrize(
    ("kind", "member", "value"),
    [
        ("wrong_amount", "amount_total", 1334),
        ("wrong_currency", "currency", "eur"),
        ("evil_host", "url", "https://evil.example/pay"),
    ],
)
def test_spoilt_answers_leave_the_stored_one_clean(psp, kind, member, value):
    form, nonce = session(), str(uuid.uuid4())
    psp.fault("register", kind)
    assert psp.stripe(form, nonce).json()[member] == value
    assert psp.stripe(form, nonce).json()[member] != value


def test_fault_slow_body_takes_its_time(psp):
    psp.fault("query", "slow_body", ms=300)
    token = psp.generic(order()).json()["token"]
    start = time.monotonic()
    assert psp.query("generic", token).json()["token"] == token
    assert time.monotonic() - start > 0.25


def test_a_fault_is_used_once_a_sticky_one_stays(psp):
    psp.fault("query", "status", status=503)
    token = psp.generic(order()).json()["token"]
    got = [psp.query("generic", token).status_code for _ in range(2)]
    assert got == [503, 200]
    psp.fault("query", "status", status=503, sticky=True)
    got = [psp.query("generic", token).status_code for _ in range(3)]
    assert got == [503] * 3


def test_a_fault_can_wait_for_one_nonce(psp):
    body = order()
    psp.fault("register", "status", status=503, nonce=body["nonce"])
    assert psp.generic(order()).status_code == 201
    assert psp.generic(body).status_code == 503


@pytest.mark.parametrize(
    "spec",
    [
        {},
        [],
        "x",
        {"operation": "register", "kind": "explode"},
        {"operation": "webhook", "kind": "huge"},
        {"operation": "register", "kind": "delay", "ms": "1"},
        {"operation": "register", "kind": "delay", "sec": 1},
        {"operation": "register", "kind": "huge", "dialect": "nobody"},
        {"operation": "register", "kind": "huge", "times": 0},
    ],
)
def test_unknown_faults_are_refused(psp, spec):
    answer = psp.http.post("/_control/faults", json={"faults": [spec]})
    assert answer.status_code == 400
    assert answer.json()["error"]


# The hosted page.


@pytest.fixture(params=["generic", "stripe"])
def hosted(request, psp):
    made = psp.generic(order()) if request.param == "generic" else None
    made = made or psp.stripe(session())
    body = made.json()
    url = body.get("hosted_url") or body["url"]
    token = body.get("token") or body["id"]
    return request.param, path_of(url), token


def test_the_page_can_be_read_on_a_phone_without_scripts(psp, hosted):
    text = psp.http.get(hosted[1]).text
    assert 'name="viewport"' in text
    assert "<script" not in text
    assert "12.34 USD" in text
    for field in ("number", "expiry", "cvc"):
        assert f'name="{field}"' in text


def test_a_good_card_pays_and_leads_back(psp, hosted, receiver):
    dialect, path, token = hosted
    answer = psp.http.post(path, data=card("4242 4242 4242 4242"))
    assert answer.status_code == 303
    suffix = f"?sid={token}" if dialect == "stripe" else ""
    assert answer.headers["Location"] == RETURN + suffix
    receiver.wait(1, f"/webhooks/{dialect}")
    assert psp.books()["registrations"][0]["status"] == "paid"
    again = psp.http.post(path, data=card("4242424242424242"))
    assert "is paid" in again.text
    assert len(psp.books()["webhooks"]) == 1


def test_a_declined_buyer_may_try_again(psp, hosted, receiver):
    dialect, path, token = hosted
    answer = psp.http.post(path, data=card("4000000000000002"))
    assert answer.status_code == 402
    assert "declined" in answer.text
    if dialect == "generic":
        (message,) = receiver.wait(1, "/webhooks/generic")
        assert json.loads(message["body"])["data"]["code"] == "card_declined"
    assert psp.http.post(path, data=card("4242424242424242")).status_code == 303
    assert psp.books()["registrations"][0]["status"] == "paid"


@pytest.mark.parametrize(
    ("answer", "status"), [("approve", "paid"), ("refuse", None)]
)
def test_the_bank_is_asked(psp, hosted, answer, status):
    dialect, path, token = hosted
    asked = psp.http.post(path, data=card("4000002500003155"))
    challenge = asked.headers["Location"]
    assert challenge == path + "/challenge"
    assert "Approve" in psp.http.get(challenge).text
    psp.http.post(challenge, data={"answer": answer})
    refused = "declined" if dialect == "generic" else "open"
    booked = psp.books()["registrations"][0]
    assert booked["status"] == (status or refused)


def test_the_challenge_cannot_be_answered_without_a_card(psp, hosted):
    psp.http.post(hosted[1] + "/challenge", data={"answer": "approve"})
    assert psp.books()["registrations"][0]["status"] == "open"


def test_a_pending_payment_is_paid_later(psp, hosted, receiver):
    dialect, path, token = hosted
    answer = psp.http.post(path, data=card("4000000000003220"))
    assert answer.status_code == 303
    got = receiver.wait(2, f"/webhooks/{dialect}")
    types = {json.loads(each["body"])["type"].split(".")[-1] for each in got}
    wanted = {
        "generic": {"pending", "paid"},
        "stripe": {"completed", "async_payment_succeeded"},
    }
    assert types == wanted[dialect]
    assert psp.books()["registrations"][0]["status"] == "paid"


@pytest.mark.parametrize(
    "form",
    [
        card("4242424242424241"),
        card("4242"),
        card("4242424242424242", expiry="01/20"),
        card("4242424242424242", expiry="13/39"),
        card("4242424242424242", cvc="x"),
        card("4000000000000069"),
        card("5555555555554444"),
        card("<script>alert(1)</script>"),
        {},
    ],
)
def test_bad_cards_pay_nothing(psp, hosted, form):
    answer = psp.http.post(hosted[1], data=form)
    assert answer.status_code == 402
    assert "<script" not in answer.text
    assert psp.books()["registrations"][0]["status"] in ("open", "declined")


def test_cancel_leads_back(psp, hosted):
    dialect, path, _ = hosted
    answer = psp.http.get(path + "/cancel")
    assert answer.status_code == 303
    wanted = RETURN + ("?cancelled=1" if dialect == "stripe" else "")
    assert answer.headers["Location"] == wanted
    status = psp.books()["registrations"][0]["status"]
    assert status == ("open" if dialect == "stripe" else "cancelled")


def test_names_on_the_page_are_escaped(psp):
    line = {"payment_order_id": "p", "name": "<b>&", "amount": "12.34"}
    made = psp.generic(order(lines=[line])).json()
    text = psp.http.get(path_of(made["hosted_url"])).text
    assert "&lt;b&gt;&amp;" in text
    assert "<b>" not in text


# The shop.


def token_of(key: str, claims: dict, alg: str = "HS256") -> str:
    def pack(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    head = pack(json.dumps({"alg": alg}).encode())
    signed = f"{head}.{pack(json.dumps(claims).encode())}"
    mac = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{pack(mac)}"


@pytest.mark.parametrize(
    ("key", "alg", "claims", "verdict"),
    [
        ("right", "HS256", {"status": "SUCCESS"}, "valid"),
        ("wrong", "HS256", {"status": "SUCCESS"}, "invalid"),
        ("right", "none", {"status": "SUCCESS"}, "invalid"),
        ("right", "HS256", {"status": "SUCCESS", "exp": 1}, "invalid"),
    ],
)
def test_the_shop_believes_signed_results_only(psp, key, alg, claims, verdict):
    secret = psp.keys["acme.result"] if key == "right" else "x" * 32
    result = token_of(secret, claims, alg)
    text = psp.http.get("/shop/return", params={"result": result}).text
    assert f">{verdict}</strong>" in text
    assert ("SUCCESS" in text) == (verdict == "valid")
    assert psp.books()["returns"][-1]["signature"] == verdict
