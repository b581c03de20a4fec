"""Events reach storefronts: a payment's messages are published, signed and
delivered to the endpoints that want them, again after a failure, and never to
an address or over a connection that they may not take."""

import base64
import json
import secrets
import socket

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from support import events, tokens
from support.own_stack import Checkout, OwnStack, new_id, wait_for
from support.receiver import (
    HANG,
    HOOKS,
    OK,
    Dripping,
    Receiver,
    Shop,
    ordered,
)
from support.tls_psp import Authority, shop_authority

DIRECTIVE = "payments_webhook_endpoints hosts=loopback;"
WORKERS = ("worker_processes        2;", "worker_processes        1;")
TOLD = ("payment.succeeded", "checkout.completed")


@pytest.fixture(scope="module")
def authority():
    with shop_authority() as made:
        yield made


def directive(authority, hosts: str = "loopback") -> tuple[str, str]:
    return (
        DIRECTIVE,
        f"payments_webhook_endpoints hosts={hosts} interval=50ms "
        f'"ca_file={authority.file}";',
    )


@pytest.fixture(scope="module")
def gate(authority):
    stack = OwnStack()
    try:
        stack.configure(directive(authority))
        yield stack
        stack.check_invariants()
    finally:
        stack.close()


@pytest.fixture(scope="module")
def receiver(authority):
    made = Receiver(authority)
    yield made
    made.close()


@pytest.fixture
def shop(gate):
    """A merchant whose endpoints are disabled at the end of the test."""
    shop = Shop(gate)
    yield shop
    for made in shop.get(HOOKS)["endpoints"]:
        if made["state"] == "enabled":
            shop.act(made, "disable")


@pytest.fixture
def path():
    return f"/{new_id()}"


def paid(gate) -> str:
    """The order of a payment that is paid."""
    made = gate.created()
    gate.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    return made.order_id


def about(order: str, messages) -> list:
    return [
        each for each in messages if each.event["subject"] == f"payment/{order}"
    ]


def delivered(shop, endpoint, count: int = 1):
    def all_there():
        found = shop.deliveries(endpoint)
        done = [each for each in found if each["state"] == "delivered"]
        return found if len(done) >= count else None

    return wait_for(all_there, "a delivery")


def failure(shop, endpoint) -> dict:
    """One failed attempt."""

    def there():
        for each in shop.deliveries(endpoint):
            if each["failed_attempts"]:
                return each["failed_attempts"][0]
        return None

    return wait_for(there, "a failed attempt")


def test_a_payment_is_told_in_its_order_and_signed(gate, shop, receiver, path):
    made = shop.make(receiver.url(path), types=["payment.*"], ordered=True)
    order = paid(gate)
    wait_for(
        lambda: "payment.succeeded"
        in [m.event["type"] for m in about(order, receiver.got(path))],
        "the message of a payment",
    )
    messages = about(order, receiver.got(path))
    for each in messages:
        assert each.verify(made["secret"]) == each.event
        assert each.headers["webhook-id"] == each.event["id"]
        assert each.headers["content-type"] == "application/json"
    numbers = [int(each.event["sequence"]) for each in messages]
    assert ordered(numbers)
    assert numbers[0] == 1
    shown = shop.get(f"/v1/events/{messages[0].event['id']}")
    assert shown == messages[0].event


def test_the_log_is_read_from_where_a_reader_stands(gate, shop):
    order = paid(gate)

    def told():
        after, found = "", []
        while True:
            page = shop.get(f"/v1/events?limit=3&after={after}")
            found += page["events"]
            if page["next"] is None:
                break
            assert page["next"] == page["events"][-1]["id"]
            after = page["next"]
        mine = [e for e in found if e["subject"] == f"payment/{order}"]
        return (found, mine) if mine else None

    found, mine = wait_for(told, "the events of a payment")
    assert len({each["id"] for each in found}) == len(found)
    only = shop.get("/v1/events?limit=1000&type=payment.succeeded")["events"]
    assert {each["type"] for each in only} == {"payment.succeeded"}
    assert mine[-1] in only
    shop.get(f"/v1/events?after={new_id()}", status=404)
    shop.get(f"/v1/events/{new_id()}", status=404)


def test_types_filter(gate, shop, receiver, path):
    shop.make(receiver.url(path), types=["checkout.completed"])
    paid(gate)
    paid(gate)
    wait_for(lambda: len(receiver.got(path)) >= 2, "two completions")
    types = {each.event["type"] for each in receiver.got(path)}
    assert types == {"checkout.completed"}


def test_a_failure_is_tried_again_after_five_seconds(shop, receiver, path):
    url = receiver.says(path, (500, {}, b"no\x01room"), OK)
    made = shop.make(url)
    shop.act(made, "test")
    (found,) = delivered(shop, made)
    assert found["attempts"] == 2
    (failed,) = found["failed_attempts"]
    assert failed["status"] == 500
    assert failed["failure"] == "status"
    assert failed["answer"] == "no.room"
    first, second = receiver.got(path)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    waited = int(second.headers["webhook-timestamp"]) - int(
        first.headers["webhook-timestamp"]
    )
    # and not the minutes of the next step
    assert 4 <= waited <= 60


def test_retry_after_is_heeded(gate, shop, receiver, path):
    url = receiver.says(path, (503, {"Retry-After": "3600"}, b""))
    made = shop.make(url)
    shop.act(made, "test")
    assert failure(shop, made)["status"] == 503
    ((wait,),) = gate.sql(
        "SELECT extract(epoch FROM run_at - now()) FROM pay.webhook_delivery "
        "WHERE endpoint_id = %s",
        made["endpoint_id"],
    )
    assert 3500 < wait <= 3600


def test_410_disables_the_endpoint_and_the_others_hear_of_it(
    shop, receiver, path
):
    shop.make(receiver.url(path + "-other"), types=["endpoint.*"])
    made = shop.make(receiver.says(path, (410, {}, b"")))
    shop.act(made, "test")

    def disabled():
        found = shop.endpoint(made)
        return found if found["state"] == "disabled" else None

    found = wait_for(disabled, "the endpoint to be disabled")
    assert found["reason"] == "gone"
    subject = f"endpoint/{made['endpoint_id']}"

    def told():
        others = receiver.got(path + "-other")
        return [m for m in others if m.event["subject"] == subject]

    (word,) = wait_for(told, "word of it")
    assert word.event["type"] == "endpoint.disabled"
    assert word.event["data"]["endpoint"]["reason"] == "gone"
    shop.act(made, "test", status=409)


def test_a_redirect_is_a_failure_and_is_not_followed(shop, receiver, path):
    to = receiver.url(path + "-elsewhere")
    made = shop.make(receiver.says(path, (302, {"Location": to}, b"")))
    shop.act(made, "test")
    assert failure(shop, made)["status"] == 302
    assert receiver.got(path + "-elsewhere") == []


def test_a_long_answer_is_dropped_and_counts(shop, receiver, path):
    made = shop.make(receiver.says(path, (200, {}, b"x" * 10_000_000)))
    shop.act(made, "test")
    (found,) = delivered(shop, made)
    assert found["attempts"] == 1


def test_a_long_answer_of_a_failure_is_kept_short(shop, receiver, path):
    made = shop.make(receiver.says(path, (500, {}, b"x" * 10_000_000)))
    shop.act(made, "test")
    assert failure(shop, made)["answer"] == "x" * 1024


def test_an_endpoint_that_hangs_delays_no_other(shop, receiver, path):
    slow = shop.make(receiver.says(path, HANG))
    well = shop.make(receiver.url(path + "-well"))
    for _ in range(20):
        shop.act(slow, "test")
    wait_for(lambda: receiver.got(path), "the hanging one to be called")
    shop.act(well, "test")
    (found,) = delivered(shop, well)
    assert found["attempts"] == 1
    failed = failure(shop, slow)
    assert failed["failure"] == "timeout"
    assert 14_000 <= failed["took_ms"] <= 30_000


def test_a_byte_a_second_is_no_answer(authority, shop, path):
    dripping = Dripping(authority)
    try:
        made = shop.make(dripping.url(path))
        shop.act(made, "test")
        failed = failure(shop, made)
        assert failed["failure"] == "timeout"
        assert 14_000 <= failed["took_ms"] <= 30_000
    finally:
        dripping.close()


def test_a_certificate_must_be_right(shop, tmp_path, path):
    stranger = Receiver(Authority(tmp_path, "stranger"))
    try:
        made = shop.make(stranger.url(path))
        shop.act(made, "test")
        assert failure(shop, made)["failure"] == "tls"
        assert stranger.told == b""
    finally:
        stranger.close()


def test_a_certificate_must_be_of_the_host(authority, shop, path):
    other = Receiver(authority, "other.example")
    try:
        made = shop.make(other.url(path))
        shop.act(made, "test")
        assert failure(shop, made)["failure"] == "tls"
    finally:
        other.close()


def test_both_secrets_sign_while_they_overlap(gate, shop, receiver, path):
    made = shop.make(receiver.url(path))
    new = shop.act(made, "rotate", {"overlap_seconds": 600})
    assert new["secret"] != made["secret"]
    shop.act(made, "test")
    delivered(shop, made)
    (message,) = receiver.got(path)
    message.verify(made["secret"])
    message.verify(new["secret"])

    gate.sql(
        "UPDATE pay.webhook_secret SET until = now() WHERE endpoint_id = %s "
        "AND number = 1",
        made["endpoint_id"],
    )
    shop.act(made, "test")
    delivered(shop, made, 2)
    message = receiver.got(path)[-1]
    message.verify(new["secret"])
    with pytest.raises(Exception, match="No matching signature"):
        message.verify(made["secret"])


def test_secrets_are_shown_once(shop, receiver, path):
    made = shop.make(receiver.url(path))
    assert made["secret"].startswith("whsec_")
    assert "secret" not in shop.endpoint(made)
    assert made["secret"] not in str(shop.get(HOOKS))
    signed = shop.make(receiver.url(path), scheme="v1a")
    assert signed["public_key"].startswith("whpk_")
    assert "secret" not in signed


def test_ed25519_signs(shop, receiver, path):
    made = shop.make(receiver.url(path), scheme="v1a")
    shop.act(made, "test")
    delivered(shop, made)
    (message,) = receiver.got(path)
    raw = base64.b64decode(made["public_key"].removeprefix("whpk_"))
    version, text = message.headers["webhook-signature"].split(",")
    assert version == "v1a"
    head = message.headers["webhook-id"], message.headers["webhook-timestamp"]
    signed = ".".join(head).encode() + b"." + message.body
    Ed25519PublicKey.from_public_bytes(raw).verify(
        base64.b64decode(text), signed
    )


def test_a_message_is_delivered_again_on_request(shop, receiver, path):
    made = shop.make(receiver.says(path, OK))
    shop.act(made, "test")
    delivered(shop, made)
    event = receiver.got(path)[0].event
    assert shop.act(made, "replay", {"event": event["id"]}) == {"deliveries": 1}
    wait_for(lambda: len(receiver.got(path)) == 2, "the replay")
    first, second = receiver.got(path)
    assert first.body == second.body
    again = shop.act(
        made, "replay", {"since": event["time"], "failed_only": True}
    )
    assert again == {"deliveries": 0}
    refused = shop.act(made, "replay", {"event": new_id()}, status=422)
    assert refused["errors"][0]["pointer"] == "/event"


def test_what_has_failed_is_delivered_again(gate, shop, receiver, path):
    made = shop.make(receiver.says(path, (410, {}, b""), OK))
    shop.act(made, "test")
    wait_for(
        lambda: shop.endpoint(made)["state"] == "disabled", "it to be disabled"
    )
    since = receiver.got(path)[0].event["time"]
    refused = shop.act(made, "replay", {"since": since}, status=409)
    assert "disabled" in refused["detail"]
    shop.act(made, "enable")
    body = {"since": since, "failed_only": True}
    assert shop.act(made, "replay", body)["deliveries"] >= 1
    delivered(shop, made)


def test_a_key_makes_one_endpoint(shop, receiver, path):
    key = {"Idempotency-Key": new_id()}
    body = {"url": receiver.url(path)}
    first = shop.ask("POST", HOOKS, json=body, headers=key)
    again = shop.ask("POST", HOOKS, json=body, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json()["endpoint_id"] == again.json()["endpoint_id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "secret" not in again.json()
    other = shop.ask("POST", HOOKS, json=body | {"ordered": True}, headers=key)
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency-key-reused")


def test_an_endpoint_of_another_merchant_is_not_there(
    gate, shop, receiver, path
):
    made = shop.make(receiver.url(path))
    other = Shop(gate, "OTHER_")
    name = made["endpoint_id"]
    other.get(f"{HOOKS}/{name}", status=404)
    other.get(f"/v1/webhook-deliveries?endpoint={name}", status=404)
    for act in ("enable", "disable", "test", "rotate"):
        other.act(made, act, status=404)
    other.act(made, "replay", {"since": "2026-01-01T00:00:00Z"}, status=404)
    shop.act(made, "test")
    delivered(shop, made)
    event = receiver.got(path)[0].event["id"]
    other.get(f"/v1/events/{event}", status=404)
    other.get(f"/v1/events?after={event}", status=404)
    assert event not in str(other.get("/v1/events?limit=1000"))


@pytest.mark.parametrize(
    ("scope", "status"),
    [("events:read", 200), ("events:write payments:read", 403)],
)
def test_reading_takes_its_scope(gate, shop, scope, status):
    token = tokens.minter_of(gate.values, "MERCHANT")(scope=scope)
    headers = {"Authorization": f"Bearer {token}"}
    for path in ("/v1/events", HOOKS):
        answer = shop.ask("GET", path, headers=headers)
        assert answer.status_code == status, answer.text


def test_writing_takes_its_scope(gate, shop, receiver, path):
    mint = tokens.minter_of(gate.values, "MERCHANT")
    token = mint(scope="events:read payments:write")
    headers = {"Authorization": f"Bearer {token}"}
    body = {"url": receiver.url(path)}
    answer = shop.ask("POST", HOOKS, json=body, headers=headers)
    assert answer.status_code == 403
    assert 'scope="events:write"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "http://shop.example.com/"}, "/url"),
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"url": "https://me@shop.example.com/"}, "/url"),
        ({"url": "https://shop.example.com/#x"}, "/url"),
        ({"url": "https://[::1]/"}, "/url"),
        ({"url": "https://shop.example.com/" + "x" * 2048}, "/url"),
        ({"url": 7}, "/url"),
        ({}, "/url"),
        ({"url": "https://a.example", "types": ["*"]}, "/types"),
        ({"url": "https://a.example", "types": "payment.*"}, "/types"),
        ({"url": "https://a.example", "types": ["a.b"] * 51}, "/types"),
        ({"url": "https://a.example", "scheme": "v2"}, "/scheme"),
        ({"url": "https://a.example", "ordered": 1}, "/ordered"),
        ({"url": "https://a.example", "secret": "x"}, "/secret"),
    ],
)
def test_an_endpoint_is_refused_with_its_reason(shop, body, pointer):
    answer = shop.ask("POST", HOOKS, json=body)
    assert answer.status_code == 422, answer.text
    assert pointer in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "/v1/events?limit=0",
        "/v1/events?limit=1001",
        "/v1/events?after=a&after=b",
        "/v1/events?before=7",
        "/v1/webhook-deliveries",
        "/v1/webhook-deliveries?endpoint=a&state=lost",
        "/v1/webhook-endpoints?limit=7",
    ],
)
def test_a_query_is_refused_with_its_reason(shop, query):
    assert shop.get(query, status=422)["detail"]


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("replay", {}),
        ("replay", {"event": "a", "since": "2026-01-01T00:00:00Z"}),
        ("replay", {"since": "yesterday"}),
        ("rotate", {"overlap_seconds": -1}),
        ("test", {"now": True}),
    ],
)
def test_an_act_is_refused_with_its_reason(shop, receiver, path, act, body):
    made = shop.make(receiver.url(path))
    shop.act(made, act, body, status=422)


def test_deliveries_are_counted(gate, shop, receiver, path):
    made = shop.make(receiver.url(path))
    names = (
        'payments_webhook_deliveries_total{outcome="delivered"}',
        "payments_webhook_delivery_seconds_count",
    )
    before = [figure(gate, name) for name in names]
    shop.act(made, "test")
    delivered(shop, made)
    # a worker counts once it has heard that the delivery is stored
    for name, old in zip(names, before, strict=True):
        wait_for(lambda n=name, o=old: figure(gate, n) > o, name)


def figure(gate, name: str) -> int:
    for line in gate.http.get("/metrics").text.splitlines():
        if line.startswith(name + " "):
            return int(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no {name}")


# the last ones, as they configure the gateway anew


def test_a_private_address_is_refused_where_it_is_not_allowed(
    authority, gate, shop, receiver, path
):
    made = shop.make(receiver.url(path))
    private = shop.make(f"https://{socket.gethostname()}/")
    gate.configure(directive(authority, "public"))
    answer = shop.ask("POST", HOOKS, json={"url": receiver.url(path)})
    assert answer.status_code == 422
    shop.act(made, "test")
    assert failure(shop, made)["failure"] == "url"
    # a name is judged by the address that it leads to
    shop.act(private, "test")
    assert failure(shop, private)["failure"] == "private-address"
    assert receiver.got(path) == []
    gate.configure(directive(authority))


def test_an_endpoint_that_hangs_gives_its_slot_up(
    authority, gate, shop, receiver, path
):
    """One worker with one slot: the other endpoint would have to wait until
    the first attempt has failed, after fifteen seconds."""
    line, text = directive(authority)
    one = text.replace("interval=", "concurrency=1 interval=")
    gate.configure((line, one), WORKERS)
    hangs = shop.make(receiver.says(f"{path}/hangs", HANG))
    made = shop.make(receiver.says(path, OK))
    shop.act(hangs, "test")
    wait_for(lambda: receiver.got(f"{path}/hangs"), "the request that hangs")
    shop.act(made, "test")
    delivered(shop, made)
    assert [each["failed_attempts"] for each in shop.deliveries(hangs)] == [[]]
    gate.configure(directive(authority))


# Traces (docs/operations.md#traces).

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def traced(gate, value: str) -> Checkout:
    body = gate.order()
    answer = gate.post(body, traceparent=value)
    assert answer.status_code == 201, answer.text
    return Checkout(gate, body, answer)


def kept(gate, made) -> str | None:
    query = "SELECT trace FROM pay.checkout WHERE checkout_id = %s"
    return gate.value(query, made.id)


def test_a_trace_goes_from_the_request_to_the_webhook(
    gate, shop, receiver, path
):
    shop.make(receiver.url(path), types=list(TOLD))
    made = traced(gate, f"00-{TRACE}-{PARENT}-01")
    assert kept(gate, made) == f"00-{TRACE}-{PARENT}-01"
    gate.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")
    wait_for(lambda: len(receiver.got(path)) == 2, "both messages")
    sent = [each.headers["traceparent"] for each in receiver.got(path)]
    assert len(set(sent)) == 2
    for each in sent:
        version, trace, parent, flags = each.split("-")
        assert (version, trace, flags) == ("00", TRACE, "01")
        assert parent != PARENT and len(parent) == 16
    (line,) = [
        json.loads(line)
        for line in gate.gateway.access_log.read_text().splitlines()
        if made.id in line and '"method":"POST"' in line
        and "/v1/payments" in line
    ]  # fmt: skip
    assert line["trace"] == TRACE


def test_a_line_about_the_payment_has_its_trace(gate):
    trace = secrets.token_hex(16)
    made = traced(gate, f"00-{trace}-{PARENT}-00")
    gate.expected.append(made.id)
    events.message(made, "paid", amount="9999.00").send()
    wait_for(
        lambda: f"checkout:{made.id}, trace:{trace}"
        in gate.gateway.error_log.read_text(),
        "the line about the amount",
    )


@pytest.mark.parametrize(
    "value",
    [f"00-{TRACE}-{PARENT}", f"ff-{TRACE}-{PARENT}-01", "x" * 4000, "",
     f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE.upper()}-{PARENT}-01"],
)  # fmt: skip
def test_a_malformed_trace_is_ignored(gate, value):
    assert kept(gate, traced(gate, value)) is None


def test_two_traces_are_none(gate):
    body = gate.order()
    pairs = [*gate.headers().items(),
             *[("traceparent", f"00-{TRACE}-{PARENT}-01")] * 2]  # fmt: skip
    answer = gate.http.post(
        "/v1/payments", content=json.dumps(body), headers=pairs
    )
    assert answer.status_code == 201
    assert kept(gate, Checkout(gate, body, answer)) is None


def test_a_repetition_keeps_the_first_trace(gate):
    body, key = gate.order(), new_id()
    for digit in "12":
        value = f"00-{digit * 32}-{PARENT}-01"
        answer = gate.post(body, key, traceparent=value)
        assert answer.status_code == 201
    made = Checkout(gate, body, answer)
    assert kept(gate, made) == f"00-{'1' * 32}-{PARENT}-01"
