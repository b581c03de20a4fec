"""The mock PSP's lists: registrations that are looked for, events that are
asked for, their faults, and keys that run out.

Needs no gateway.
"""

import base64
import secrets
import socket
import time
import uuid
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from support.client import plain
from support.mock_server import DEADLINE_S, Receiver, serve

RETURN = "https://shop.example.com/back"
# the same in each request of a registration
EXPIRES_AT = int(time.time()) + 3600
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
KEYS = {
    "adyen.key": secrets.token_hex(16),
    "generic.key": "gk_" + secrets.token_hex(16),
    "mollie.key": "test_" + secrets.token_hex(16),
    "paypal.key": f"client:{secrets.token_hex(16)}",
    "square.key": "EAAA" + secrets.token_hex(16),
    "stripe.key": "sk_test_" + secrets.token_hex(16),
    "adyen.whsec": secrets.token_hex(32),
    "generic.whsec": SECRET,
    "mollie.whsec": secrets.token_hex(16),
    "paypal.whsec": secrets.token_hex(8).upper(),
    "square.whsec": secrets.token_hex(16),
    "stripe.whsec": "whsec_" + secrets.token_hex(16),
}
DIALECTS = ("adyen", "generic", "mollie", "paypal", "square", "stripe")
FINDING = ("generic", "mollie", "stripe")
LISTING = ("generic", "paypal", "stripe")


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def server(receiver, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("keys"), KEYS, receiver.url) as url:
        yield url


class Psp:
    """Speaks just so much of each dialect that there is something to list."""

    def __init__(self, url: str):
        self.http = plain(base_url=url, timeout=DEADLINE_S)
        self.bearers = {name: KEYS[f"{name}.key"] for name in DIALECTS}

    def control(self, verb: str, body: object = None) -> dict:
        answer = self.http.post(f"/_control/{verb}", json=body or {})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def books(self) -> dict:
        return self.http.get("/_control/books").json()

    def fault(self, operation: str, kind: str, **more) -> None:
        self.control("faults", {"operation": operation, "kind": kind} | more)

    def headers(self, dialect: str) -> dict:
        if dialect == "adyen":
            return {"X-API-Key": KEYS["adyen.key"]}
        if dialect == "paypal" and ":" in self.bearers[dialect]:
            pair = tuple(KEYS["paypal.key"].split(":"))
            grant = {"grant_type": "client_credentials"}
            path = "/paypal/v1/oauth2/token"
            answer = self.http.post(path, data=grant, auth=pair)
            self.bearers[dialect] = answer.json()["access_token"]
        version = {"Square-Version": "2025-08-20"}
        return version | {"Authorization": f"Bearer {self.bearers[dialect]}"}

    def get(self, dialect: str, path: str, **query):
        return self.http.get(path, params=query, headers=self.headers(dialect))

    def register(self, dialect: str, nonce: str, reference: str = "ref-1"):
        path, body = REGISTRATIONS[dialect](nonce, reference)
        name = "PayPal-Request-Id" if dialect == "paypal" else "Idempotency-Key"
        form = "data" if dialect == "stripe" else "json"
        headers = self.headers(dialect) | {name: nonce}
        answer = self.http.post(path, headers=headers, **{form: body})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def token(self, dialect: str, nonce: str) -> str:
        self.register(dialect, nonce)
        found = self.http.get("/_control/books", params={"nonce": nonce})
        return found.json()["registrations"][-1]["token"]

    def pay(self, token: str, result: str = "paid") -> list:
        body = {"token": token, "result": result}
        return self.control("pay", body)["events"]


def of_generic(nonce: str, reference: str):
    line = {"payment_order_id": "o-1", "name": "Tea", "amount": "12.00"}
    return "/generic/v1/registrations", {
        "nonce": nonce,
        "reference": reference,
        "amount": "12.00",
        "currency": "EUR",
        "expires_at": EXPIRES_AT,
        "return_url": RETURN,
        "lines": [line],
    }


def of_stripe(nonce: str, reference: str):
    item = "line_items[0]"
    return "/stripe/v1/checkout/sessions", {
        "mode": "payment",
        "success_url": RETURN,
        "client_reference_id": reference,
        f"{item}[quantity]": "1",
        f"{item}[price_data][currency]": "eur",
        f"{item}[price_data][unit_amount]": "1200",
        f"{item}[price_data][product_data][name]": "Tea",
    }


def of_mollie(nonce: str, reference: str):
    return "/mollie/v2/payments", {
        "amount": {"currency": "EUR", "value": "12.00"},
        "description": reference,
        "redirectUrl": RETURN,
        "metadata": {"reference": reference, "nonce": nonce},
    }


def of_paypal(nonce: str, reference: str):
    context = {"return_url": RETURN, "cancel_url": RETURN}
    unit = {
        "reference_id": reference,
        "amount": {"currency_code": "EUR", "value": "12.00"},
    }
    return "/paypal/v2/checkout/orders", {
        "intent": "CAPTURE",
        "purchase_units": [unit],
        "payment_source": {"paypal": {"experience_context": context}},
    }


def of_adyen(nonce: str, reference: str):
    return "/adyen/v72/paymentLinks", {
        "amount": {"currency": "EUR", "value": 1200},
        "merchantAccount": "NgxPaymentsECOM",
        "reference": reference,
        "returnUrl": RETURN,
    }


def of_square(nonce: str, reference: str):
    price = {"amount": 1200, "currency": "USD"}
    line = {"name": "Tea", "quantity": "1", "base_price_money": price}
    return "/square/v2/online-checkout/payment-links", {
        "idempotency_key": nonce,
        "order": {
            "location_id": "L88917AVBK2S5",
            "reference_id": reference,
            "line_items": [line],
        },
        "checkout_options": {"redirect_url": RETURN},
    }


REGISTRATIONS = {
    "adyen": of_adyen,
    "generic": of_generic,
    "mollie": of_mollie,
    "paypal": of_paypal,
    "square": of_square,
    "stripe": of_stripe,
}


@pytest.fixture
def psp(server, receiver):
    made = Psp(server)
    made.control("reset", {"seed": 7})
    settings = {"key_window_s": 0, "event_age_s": 0, "list_page": 6}
    made.control("settings", settings | {"pending_ms": 50})
    receiver.forget()
    yield made
    made.http.close()


def found(psp: Psp, dialect: str, nonce: str, **more) -> tuple[list, str]:
    """-> entries of a page, and where the next one begins"""
    paths = {
        "generic": "/generic/v1/registrations",
        "mollie": "/mollie/v2/payments",
        "stripe": "/stripe/v1/checkout/sessions",
    }
    query = {"nonce": nonce} if dialect == "generic" else {"limit": "5"}
    answer = psp.get(dialect, paths[dialect], **(query | more))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    if dialect == "generic":
        return body["registrations"], ""
    if dialect == "stripe":
        data = body["data"]
        return data, data[-1]["id"] if body["has_more"] else ""
    link = body["_links"]["next"]
    place = parse_qs(urlsplit(link["href"]).query)["from"][0] if link else ""
    return body["_embedded"]["payments"], place


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def listed(psp: Psp, dialect: str, since=None, until=None, place=""):
    """-> events of a page, and where the next one begins"""
    since = int(time.time() - 600 if since is None else since)
    until = int(time.time() + 2 if until is None else until)
    if dialect == "generic":
        query = {"since": since, "until": until}
        query |= {"cursor": place} if place else {}
        body = psp.get(dialect, "/generic/v1/events", **query).json()
        return body["events"], body["next"] or ""
    if dialect == "stripe":
        query = {"limit": 6, "created[gte]": since, "created[lt]": until}
        query |= {"starting_after": place} if place else {}
        body = psp.get(dialect, "/stripe/v1/events", **query).json()
        data = body["data"]
        return data, data[-1]["id"] if body["has_more"] else ""
    query = {"start_time": stamp(since), "end_time": stamp(until)}
    query |= {"page_size": "6"} | dict(parse_qsl(place))
    path = "/paypal/v1/notifications/webhooks-events"
    body = psp.get(dialect, path, **query).json()
    links = [each for each in body["links"] if each["rel"] == "next"]
    place = ""
    if links:
        pairs = parse_qsl(urlsplit(links[0]["href"]).query)
        kept = [f"{k}={v}" for k, v in pairs if k in ("move_to", "index_id")]
        place = "&".join(kept)
    return body["events"], place


def walk(work) -> list:
    """All entries of all pages; work(place) brings one."""
    entries, place = [], ""
    for _ in range(20):
        page, place = work(place)
        entries += page
        if not place:
            return entries
    raise AssertionError("the pages have no end")


# Registrations.


@pytest.mark.parametrize("dialect", FINDING)
def test_a_registration_is_found(psp, dialect):
    psp.register(dialect, "n-1", "ref-1")
    psp.register(dialect, "n-2", "ref-2")
    entries, _ = found(psp, dialect, "n-1")
    assert "ref-1" in str(entries)
    assert ("ref-2" in str(entries)) == (dialect != "generic")


@pytest.mark.parametrize("dialect", FINDING)
def test_what_was_never_registered_is_not_found(psp, dialect):
    assert found(psp, dialect, "n-1") == ([], "")


@pytest.mark.parametrize("dialect", ("mollie", "stripe"))
def test_pages_of_registrations_go_from_new_to_old(psp, dialect):
    tokens = [psp.token(dialect, f"n-{n}") for n in range(13)]
    psp.control("settings", {"list_page": 4})
    name = "from" if dialect == "mollie" else "starting_after"

    def page(place: str):
        return found(psp, dialect, "", **({name: place} if place else {}))

    assert [each["id"] for each in walk(page)] == tokens[::-1]


def test_a_lost_registration_can_be_found(psp):
    psp.fault("register", "drop_after_accept")
    with pytest.raises(httpx.TransportError):
        psp.register("generic", "n-1")
    entries, _ = found(psp, "generic", "n-1")
    assert [each["nonce"] for each in entries] == ["n-1"]
    assert entries[0]["hosted_url"]


@pytest.mark.parametrize("dialect", FINDING)
def test_fault_lag_hides_the_newest(psp, dialect):
    psp.register(dialect, "n-1")
    psp.fault("find", "lag", dialect=dialect)
    assert found(psp, dialect, "n-1")[0] == []
    assert len(found(psp, dialect, "n-1")[0]) == 1


# Events.


@pytest.mark.parametrize("dialect", LISTING)
def test_an_event_whose_webhook_was_lost_is_listed(psp, receiver, dialect):
    result = "approved" if dialect == "paypal" else "paid"
    psp.fault("webhook", "none", dialect=dialect)
    sent = psp.pay(psp.token(dialect, "n-1"), result)
    events, place = listed(psp, dialect)
    assert [each["id"] for each in events] == sent
    assert place == ""
    assert receiver.got == []
    assert [each["id"] for each in psp.books()["events"]] == sent


@pytest.mark.parametrize("dialect", LISTING)
def test_a_listed_event_is_the_webhooks_body(psp, receiver, dialect):
    psp.pay(
        psp.token(dialect, "n-1"), "approved" if dialect == "paypal" else "paid"
    )
    body = httpx.Response(200, content=receiver.wait(1)[0]["body"]).json()
    assert listed(psp, dialect)[0] == [body]


@pytest.mark.parametrize("dialect", LISTING)
def test_pages_of_events_have_each_event_once(psp, dialect):
    result = "approved" if dialect == "paypal" else "paid"
    psp.control("settings", {"list_page": 3})
    sent = []
    for n in range(8):
        sent += psp.pay(psp.token(dialect, f"n-{n}"), result)
    events = walk(lambda place: listed(psp, dialect, place=place))
    ids = [each["id"] for each in events]
    assert ids == (sent if dialect == "generic" else sent[::-1])


@pytest.mark.parametrize("dialect", LISTING)
def test_a_span_of_time_has_the_events_of_that_time(psp, dialect):
    result = "approved" if dialect == "paypal" else "paid"
    psp.control("settings", {"event_age_s": 300})
    old = psp.pay(psp.token(dialect, "n-1"), result)
    psp.control("settings", {"event_age_s": 0})
    new = psp.pay(psp.token(dialect, "n-2"), result)
    now = time.time()
    before, _ = listed(psp, dialect, since=now - 400, until=now - 200)
    after, _ = listed(psp, dialect, since=now - 200)
    assert [each["id"] for each in before] == old
    assert [each["id"] for each in after] == new


@pytest.mark.parametrize("dialect", LISTING)
def test_fault_repeat_shows_each_event_twice(psp, dialect):
    psp.pay(
        psp.token(dialect, "n-1"), "approved" if dialect == "paypal" else "paid"
    )
    psp.fault("list", "repeat")
    ids = [each["id"] for each in listed(psp, dialect)[0]]
    assert len(ids) == 2
    assert ids[0] == ids[1]


@pytest.mark.parametrize("dialect", LISTING)
def test_fault_loop_has_no_end(psp, dialect):
    for n in range(2):
        psp.pay(
            psp.token(dialect, f"n-{n}"),
            "approved" if dialect == "paypal" else "paid",
        )
    psp.fault("list", "loop", sticky=True)
    places = [""]
    for _ in range(6):
        events, place = listed(psp, dialect, place=places[-1])
        assert len(events) <= 2
        assert place
        if events:
            assert place != places[-1]
        places.append(place)


@pytest.mark.parametrize(
    "kind", ("status", "malformed", "html", "redirect", "ok_with_error")
)
def test_other_faults_spoil_lists_as_other_answers(psp, kind):
    psp.pay(psp.token("generic", "n-1"))
    psp.fault("list", kind)
    answer = psp.get("generic", "/generic/v1/events", since=1, until=99)
    whole = b'{\n  "events": [],\n  "next": null\n}\n'
    assert (answer.status_code, answer.content) != (200, whole)
    assert len(listed(psp, "generic")[0]) == 1


@pytest.mark.parametrize(
    ("dialect", "path", "query", "status"),
    [
        ("generic", "/generic/v1/events", {"since": 1}, 422),
        ("generic", "/generic/v1/events", {"since": 2, "until": 1}, 422),
        ("generic", "/generic/v1/events", {"since": "x", "until": 1}, 422),
        ("generic", "/generic/v1/registrations", {}, 422),
        ("generic", "/generic/v1/registrations", {"token": "reg_1"}, 422),
        ("stripe", "/stripe/v1/events", {"limit": 101}, 400),
        ("stripe", "/stripe/v1/events", {"starting_after": "evt_1"}, 400),
        ("stripe", "/stripe/v1/checkout/sessions", {"reference": "a"}, 400),
        ("mollie", "/mollie/v2/payments", {"limit": 251}, 400),
        ("mollie", "/mollie/v2/payments", {"from": "tr_none"}, 400),
        ("mollie", "/mollie/v2/payments", {"metadata": "a"}, 400),
    ],
)
def test_bad_questions_are_refused(psp, dialect, path, query, status):
    assert psp.get(dialect, path, **query).status_code == status


@pytest.mark.parametrize("dialect", FINDING)
def test_lists_need_the_key(psp, dialect):
    psp.bearers[dialect] = "other"
    paths = {
        "generic": "/generic/v1/registrations?nonce=a",
        "mollie": "/mollie/v2/payments",
        "stripe": "/stripe/v1/checkout/sessions",
    }
    assert psp.get(dialect, paths[dialect]).status_code == 401


# Keys that run out.


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_that_ran_out_registers_anew(psp, dialect):
    nonce = str(uuid.uuid4())
    first = psp.register(dialect, nonce)
    again = psp.register(dialect, nonce)
    assert len(psp.books()["registrations"]) == 1
    psp.control("settings", {"key_window_s": 0.001})
    third = psp.register(dialect, nonce)
    tokens = [each["token"] for each in psp.books()["registrations"]]
    assert len(set(tokens)) == len(tokens) == 2
    assert tokens[0] in str(first)
    assert tokens[0] in str(again)
    assert tokens[1] in str(third)
    assert tokens[1] not in str(first)


def test_a_key_within_its_window_is_replayed(psp):
    psp.control("settings", {"key_window_s": 600})
    first = psp.token("generic", "n-1")
    assert psp.token("generic", "n-1") == first
    assert len(psp.books()["registrations"]) == 1


def test_a_refund_whose_key_ran_out_is_a_second_refund(psp):
    token = psp.token("generic", "n-1")
    psp.pay(token)
    path = f"/generic/v1/registrations/{token}/refunds"
    nonce = f"{uuid.uuid4()}:refund"
    body = {"nonce": nonce, "reference": "ref-1"}
    body |= {"amount": "5.00", "currency": "EUR"}
    headers = psp.headers("generic") | {"Idempotency-Key": nonce}

    def refund() -> str:
        return psp.http.post(path, json=body, headers=headers).json()["id"]

    first = refund()
    assert refund() == first
    psp.control("settings", {"key_window_s": 0.001})
    assert refund() != first


# Broken answers.


def request_of(psp: Psp, nonce: str) -> bytes:
    path, body = of_generic(nonce, "ref-1")
    made = psp.http.build_request(
        "POST",
        path,
        json=body,
        headers=psp.headers("generic") | {"Idempotency-Key": nonce},
    )
    head = [f"POST {path} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in made.headers.items()]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + made.read()


def answers(psp: Psp, *messages: bytes) -> bytes:
    """All that one connection brings until there is no more for a while."""
    place = urlsplit(str(psp.http.base_url))
    with socket.create_connection((place.hostname, place.port)) as sock:
        sock.settimeout(DEADLINE_S)
        got = b""
        for message in messages:
            sock.sendall(message)
            got += sock.recv(65536)
        sock.settimeout(0.3)
        try:
            while more := sock.recv(65536):
                got += more
        except (TimeoutError, ConnectionResetError):
            pass
        return got


def test_fault_answer_twice_sends_one_that_nobody_asked_for(psp):
    psp.fault("register", "answer_twice")
    got = answers(psp, request_of(psp, "n-1"))
    assert got.count(b"HTTP/1.1 201") == 2
    tokens = [part[:28] for part in got.split(b'"token": "')[1:]]
    assert len(set(tokens)) == 2
    assert len(psp.books()["registrations"]) == 1


@pytest.mark.parametrize("at", (0, 1, 17))
def test_fault_reset_at_byte_can_count_from_the_body(psp, at):
    psp.fault("register", "reset_at_byte", at=at, body=True)
    got = answers(psp, request_of(psp, "n-1"))
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201")
    assert len(body) == at
    assert len(psp.books()["registrations"]) == 1
