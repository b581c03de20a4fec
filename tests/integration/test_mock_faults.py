"""The mock PSP misbehaves on demand: what each fault of its API does, and that
nothing else is spoilt by it."""

import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from support.mock_client import DIALECTS, at, said
from support.mock_server import DEADLINE_S, until


def count(psp) -> int:
    return len(psp.books()["registrations"])


def test_an_answer_is_held_until_it_is_released(psp):
    """The work is seen in the books while its answer has not gone out."""
    psp.fault("register", "hold")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(psp.register, "generic")
        until(lambda: psp.books()["registrations"], "the registration")
        assert not answer.done()
        psp.control("faults/release")
        assert answer.result().status_code == 201


@pytest.mark.parametrize("dialect", DIALECTS)
def test_fault_drop_after_accept_books_and_says_nothing(psp, dialect):
    psp.grant()
    psp.headers(dialect, None)
    psp.fault("register", "drop_after_accept", dialect=dialect)
    with pytest.raises(httpx.TransportError):
        psp.register(dialect, "key-1")
    assert count(psp) == 1
    assert psp.register(dialect, "key-1").status_code in (200, 201)
    assert count(psp) == 1


@pytest.mark.parametrize("dialect", ["generic", "stripe"])
def test_fault_delay_answers_late(psp, dialect):
    psp.fault("register", "delay", dialect=dialect, ms=300)
    start = time.monotonic()
    assert psp.register(dialect).status_code in (200, 201)
    assert time.monotonic() - start > 0.25


@pytest.mark.parametrize("at_byte", [0, 1, 40, 200])
def test_fault_reset_at_byte_cuts_the_answer(psp, at_byte):
    psp.fault("register", "reset_at_byte", at=at_byte)
    with pytest.raises(httpx.TransportError):
        psp.register("generic")
    assert count(psp) == 1


def raw(psp, nonce: str) -> bytes:
    """All that one connection brings until there is no more for a while."""
    made = psp.http.build_request(
        "POST",
        "/generic/v1/registrations",
        json=psp.order("generic", nonce),
        headers=psp.headers("generic", nonce),
    )
    lines = [f"{name}: {value}" for name, value in made.headers.items()]
    head = "\r\n".join([f"POST {made.url.path} HTTP/1.1", *lines, "", ""])
    where = urlsplit(str(psp.http.base_url))
    with socket.create_connection((where.hostname, where.port)) as sock:
        sock.settimeout(DEADLINE_S)
        sock.sendall(head.encode() + made.read())
        got = sock.recv(65536)
        sock.settimeout(0.3)
        try:
            while more := sock.recv(65536):
                got += more
        except (TimeoutError, ConnectionResetError):
            pass
    return got


def test_fault_answer_twice_sends_one_that_nobody_asked_for(psp):
    psp.fault("register", "answer_twice")
    got = raw(psp, "n-1")
    assert got.count(b"HTTP/1.1 201") == 2
    tokens = [part[:28] for part in got.split(b'"token": "')[1:]]
    assert len(set(tokens)) == 2
    assert count(psp) == 1


@pytest.mark.parametrize("at_byte", (0, 1, 17))
def test_fault_reset_at_byte_can_count_from_the_body(psp, at_byte):
    psp.fault("register", "reset_at_byte", at=at_byte, body=True)
    head, _, body = raw(psp, "n-1").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201")
    assert len(body) == at_byte
    assert count(psp) == 1


STATUSES = [
    ("adyen", 503, None),
    ("generic", 429, None),
    ("mollie", 429, None),
    ("mollie", 500, None),
    ("mollie", 503, None),
    ("square", 429, None),
    ("square", 500, None),
    ("square", 503, None),
    ("paypal", 400, "INVALID_REQUEST"),
    ("paypal", 403, "NOT_AUTHORIZED"),
    ("paypal", 409, "RESOURCE_CONFLICT"),
    ("paypal", 422, "UNPROCESSABLE_ENTITY"),
    ("paypal", 429, "RATE_LIMIT_REACHED"),
    ("paypal", 500, "INTERNAL_SERVER_ERROR"),
    ("paypal", 503, "SERVICE_UNAVAILABLE"),
]


@pytest.mark.parametrize(("dialect", "status", "word"), STATUSES)
def test_fault_status_is_worded_as_the_psps_and_kept_nowhere(
    psp, dialect, status, word
):
    psp.headers(dialect, None)
    psp.fault(
        "register", "status", dialect=dialect, status=status, retry_after=7
    )
    answer = psp.register(dialect, "key-1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    body = answer.json()
    if dialect == "adyen":
        assert answer.headers["transient-error"] == "true"
        assert body["errorType"] == "internal"
    elif dialect == "mollie":
        assert body["status"] == status
    elif dialect == "paypal":
        assert body["name"] == word
    else:
        assert said(dialect, answer)
    assert count(psp) == 0
    assert psp.register(dialect, "key-1").status_code in (200, 201)


def test_fault_malformed_is_no_json(psp):
    psp.fault("register", "malformed")
    with pytest.raises(ValueError):
        psp.register("generic").json()


def test_fault_huge_and_gzip_bomb_are_large(psp):
    psp.fault("register", "huge")
    assert len(psp.register("generic").content) > 1_000_000
    psp.fault("register", "gzip_bomb", bytes=5_000_000)
    bomb = psp.register("generic")
    assert int(bomb.headers["Content-Length"]) < 50_000
    assert len(bomb.content) > 5_000_000


def test_fault_html_and_redirect(psp):
    for dialect in ("generic", "adyen"):
        psp.fault("register", "html")
        answer = psp.register(dialect)
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"<!doctype" in answer.content
    psp.fault("register", "redirect")
    answer = psp.register("generic")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://evil.example/"
    assert count(psp) == 0


@pytest.mark.parametrize(
    ("dialect", "word"), [("stripe", "api_error"), ("adyen", "905")]
)
def test_fault_ok_with_error_books_nothing(psp, dialect, word):
    psp.fault("register", "ok_with_error")
    answer = psp.register(dialect)
    assert (answer.status_code, said(dialect, answer)) == (200, word)
    assert count(psp) == 0


def test_fault_other_token_breaks_the_promise(psp):
    first = psp.made("generic", "key-1")["token"]
    psp.fault("register", "other_token")
    assert psp.made("generic", "key-1")["token"] != first
    assert psp.made("generic", "key-1")["token"] == first
    assert len(psp.books(nonce="key-1")["registrations"]) == 2


SQUARES = "related_resources.orders.0.total_money"
UNIT = "purchase_units.0.amount"
SPOILT = [
    ("stripe", "wrong_amount", "amount_total", 1334),
    ("stripe", "wrong_currency", "currency", "eur"),
    ("stripe", "evil_host", "url", "https://evil.example/pay"),
    ("adyen", "wrong_amount", "amount.value", 1334),
    ("adyen", "wrong_currency", "amount.currency", "EUR"),
    ("adyen", "evil_host", "url", "https://evil.example/pay"),
    ("paypal", "wrong_amount", f"{UNIT}.value", "912.34"),
    ("paypal", "wrong_currency", f"{UNIT}.currency_code", "EUR"),
    ("paypal", "evil_host", "links.1.href", "https://evil.example/pay"),
    ("square", "wrong_amount", f"{SQUARES}.amount", 1334),
    ("square", "wrong_currency", f"{SQUARES}.currency", "EUR"),
]


@pytest.mark.parametrize(("dialect", "kind", "path", "value"), SPOILT)
def test_a_spoilt_answer_leaves_the_stored_one_clean(
    psp, dialect, kind, path, value
):
    psp.fault("register", kind, dialect=dialect)
    assert at(psp.register(dialect, "key-1").json(), path) == value
    again = psp.made(dialect, "key-1")
    assert at(again["answer"], path) != value
    assert psp.booked(again["token"])["amount"] == "12.34"


def test_fault_slow_body_takes_its_time(psp):
    psp.fault("query", "slow_body", ms=300)
    token = psp.made("generic")["token"]
    start = time.monotonic()
    assert psp.query("generic", token).json()["token"] == token
    assert time.monotonic() - start > 0.25


def test_a_fault_is_used_once_a_sticky_one_stays(psp):
    psp.fault("query", "status", status=503)
    token = psp.made("generic")["token"]
    got = [psp.query("generic", token).status_code for _ in range(2)]
    assert got == [503, 200]
    psp.fault("query", "status", status=503, sticky=True)
    got = [psp.query("generic", token).status_code for _ in range(3)]
    assert got == [503] * 3


def test_a_fault_can_wait_for_one_nonce(psp):
    psp.fault("register", "status", status=503, nonce="key-1")
    assert psp.register("generic").status_code == 201
    assert psp.register("generic", "key-1").status_code == 503


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
    assert psp.control("faults", 400, faults=[spec])["error"]


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
        body = body | {"token": psp.paid("generic")["token"]}
    assert "error" in psp.control(what, 400, **body)


# Keys that run out.


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_that_ran_out_registers_anew(psp, dialect):
    first = psp.made(dialect, "key-1")["token"]
    assert psp.made(dialect, "key-1")["token"] == first
    psp.control("settings", key_window_s=600)
    assert psp.made(dialect, "key-1")["token"] == first
    assert count(psp) == 1
    psp.control("settings", key_window_s=0.001)
    third = psp.made(dialect, "key-1")["token"]
    assert third != first
    tokens = [each["token"] for each in psp.books()["registrations"]]
    assert sorted(tokens) == sorted([first, third])


# Faults of what follows.


def refund(psp, dialect: str, made: dict, key: str):
    """5.00 of it."""
    amount = {"amount": {"value": 500, "currency": "USD"}}
    adyens = {"merchantAccount": "NgxPaymentsECOM", "reference": "op"} | amount
    generics = {"nonce": key, "reference": "018f", "amount": "5.00"}
    path, body = {
        "adyen": (f"/adyen/v72/payments/{made['payment']}/refunds", adyens),
        "generic": (
            f"/{made['token']}/refunds",
            generics | {"currency": "USD"},
        ),
        "stripe": (
            "/stripe/v1/refunds",
            {"payment_intent": made["payment"], "amount": "500"},
        ),
    }[dialect]
    return psp.post(dialect, path, body, key)


@pytest.mark.parametrize("dialect", ["adyen", "generic"])
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
def test_a_spoilt_refund_is_repeated_with_its_key(psp, dialect, fault, booked):
    made = psp.paid(dialect)
    nonce = psp.booked(made["token"])["nonce"]
    psp.control("faults", operation="refund", nonce=nonce, **fault)
    key = f"{uuid.uuid4()}:refund"
    try:
        first = refund(psp, dialect, made, key)
        assert first.status_code != 201 or fault["kind"] == "malformed"
    except httpx.TransportError:
        assert fault["kind"].startswith("drop")
    assert len(psp.books(token=made["token"])["deeds"]) == booked
    assert refund(psp, dialect, made, key).status_code == 201
    (deed,) = psp.books(token=made["token"])["deeds"]
    assert deed["key"] == (key if dialect == "generic" else "op")


def test_stripes_stored_500_is_replayed_and_refunds_nothing(psp):
    made = psp.paid("stripe")
    psp.fault("refund", "status")
    assert refund(psp, "stripe", made, "k2").status_code == 500
    again = refund(psp, "stripe", made, "k2")
    assert again.status_code == 500
    assert again.headers["Idempotent-Replayed"] == "true"
    assert psp.booked(made["token"])["money"]["refunded"] == 0


def test_a_refund_whose_key_ran_out_is_a_second_refund(psp):
    made, key = psp.paid("generic"), f"{uuid.uuid4()}:refund"

    def again() -> str:
        return refund(psp, "generic", made, key).json()["id"]

    first = again()
    assert again() == first
    psp.control("settings", key_window_s=0.001)
    assert again() != first


def test_a_refund_with_a_key_that_is_worked_on_hears_so(psp):
    made, key = psp.paid("generic"), f"{uuid.uuid4()}:refund"
    psp.fault("refund", "hold")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(refund, psp, "generic", made, key)
        until(
            lambda: psp.books()["requests"][-1]["operation"] == "refund",
            "the first call",
        )
        busy = refund(psp, "generic", made, key)
        psp.control("faults/release")
        assert first.result().status_code == 201
    assert (busy.status_code, said("generic", busy)) == (409, "in_progress")


def test_paypals_instrument_declined_at_the_capture_takes_nothing(psp):
    made = psp.paid("paypal", "approved")
    path = f"/{made['token']}/capture"
    psp.fault("capture", "status", status=422)
    answer = psp.post("paypal", path, None, "cap-1")
    assert said("paypal", answer) == "INSTRUMENT_DECLINED"
    shown = psp.query("paypal", made["token"]).json()
    assert shown["status"] == "APPROVED"
    assert psp.post("paypal", path, None, "cap-1").status_code == 201


def test_paypals_capture_whose_answer_is_lost_was_one(psp):
    made = psp.paid("paypal", "approved")
    path = f"/{made['token']}/capture"
    psp.fault("capture", "drop_after_accept")
    with pytest.raises(httpx.TransportError):
        psp.post("paypal", path, None, "cap-1")
    shown = psp.query("paypal", made["token"]).json()
    assert shown["status"] == "COMPLETED"
    again = psp.post("paypal", path, None, "cap-1")
    assert (again.status_code, again.json()["status"]) == (200, "COMPLETED")
