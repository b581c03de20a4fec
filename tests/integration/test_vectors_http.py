"""The official SDKs' webhook vectors as a PSP sends them: each one a POST to
/webhooks/<psp> of a real nginx, header by header and byte by byte, at the
vector's own time.

test_vectors.py judges the same ones with payctl and documents the edges; HTTP
must come to the same verdict, to the reason.  What a configuration or a socket
cannot carry stands in NOT_CONFIGURED and in REWRITTEN, with a reason.
"""

import contextlib
import json

import pytest
from support import canary
from support.nginxconf import MINIMAL, Nginx, swap
from support.vector_nginx import World, block, make_api_key
from test_vectors import (
    BY_ID,
    FIXTURES,
    RIGHT,
    TIMED,
    VECTORS,
    edge_answer,
    judge,
    signed_at,
)

CHALLENGES = json.loads((FIXTURES / "braintree.json").read_text())["challenges"]
# What is accepted is acknowledged, or turned away for a body that is no event
# of the adapter: after the signature, and only after it.
ACKS = {"adyen": b"[accepted]", "adyen-platform": b"[accepted]"}
OUTCOMES = {"parked", "ignored", "duplicate"}

# vector: what nginx -t says to its configuration, why
NOT_CONFIGURED = {
    "square-dev-31-url-scheme": (
        '"webhook_url" must be the webhook\'s address',
        "no webhook of ours is registered over plain http: refused at start",
    ),
}
# The recorded message names no URL of its certificate but a file beside it:
# no gateway could fetch that.  PayPal signs no PAYPAL-CERT-URL, so another
# address there changes nothing that the signature covers.
REWRITTEN = {
    vector["id"]: "https://api.sandbox.paypal.com/v1/notifications/certs/real"
    for vector in VECTORS
    if vector["id"].startswith("paypal-real-")
}
SENT = [v["id"] for v in VECTORS if v["id"] not in NOT_CONFIGURED]


@pytest.fixture(scope="module")
def directory(open_directory):
    make_api_key(open_directory)
    return open_directory


@pytest.fixture(scope="module")
def world(gateway, directory):
    made = World(gateway, directory, [BY_ID[each] for each in SENT])
    # found in the log, they fail the nginx that is stopped
    for _, keys, *_ in made.names:
        canary.add(*filter(None, keys))
    with contextlib.closing(made), made.nginx.start():
        yield made


@pytest.fixture
def inbox(query):
    """inbox(name) → how many events of that PSP are stored."""

    def count(name):
        ((n,),) = query(
            "SELECT count(*) FROM pay.webhook_inbox WHERE psp = %s", name
        )
        return n

    return count


def problem(answer) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.json()["type"].rpartition("/")[2]


def accepted(vector, answer) -> bool:
    """By the status; whatever is neither yes nor no fails."""
    if answer.status_code == 200:
        if vector["scheme"] in ACKS:
            assert answer.content == ACKS[vector["scheme"]]
        else:
            assert answer.json()["outcome"] in OUTCOMES
        return True
    if answer.status_code == 422:
        assert problem(answer) == "webhook-payload-invalid"
        return True
    assert answer.status_code == 401, answer.data
    return False


def expected(vector) -> str:
    if vector["tier"] == "core":
        return vector["expect"]
    return edge_answer(vector).partition(":")[0]


def rewritten(vector):
    url = REWRITTEN.get(vector["id"])
    if url is None:
        return vector
    assert vector["headers"]["Paypal-Cert-Url"]
    return {**vector, "headers": vector["headers"] | {"Paypal-Cert-Url": url}}


@pytest.mark.parametrize("vector_id", SENT)
def test_vector_comes_out_over_http(world, inbox, tmp_path, vector_id):
    vector = rewritten(BY_ID[vector_id])
    name = world.name(vector)
    before = inbox(name)
    answer = world.send(vector)
    said = judge(vector, tmp_path)
    if expected(vector) == "valid":
        assert said == "valid"
        assert accepted(vector, answer), answer.data
        return
    assert not accepted(vector, answer), answer.data
    timestamp = said == "invalid: timestamp"
    assert problem(answer) == (
        "webhook-timestamp-invalid"
        if timestamp
        else "webhook-signature-invalid"
    )
    assert inbox(name) == before


def test_each_vector_is_sent_or_listed():
    assert {*SENT} | {*NOT_CONFIGURED} == {*BY_ID}
    assert {*REWRITTEN} <= {*SENT}
    for vector in VECTORS:
        for name, text in vector["headers"].items():
            # HTTP carries it as it stands, but for blanks around it
            assert name.isascii() and text.isascii() and text.isprintable()


@pytest.mark.parametrize("vector_id", NOT_CONFIGURED)
def test_a_vector_that_cannot_be_configured_is_refused_at_start(
    gateway, tmp_path, vector_id
):
    """Which is a refusal, too: it expects one."""
    vector = BY_ID[vector_id]
    assert expected(vector) == "invalid"
    make_api_key(tmp_path)
    head = "    payments_merchant acme {"
    text = block("other", vector, tmp_path, "") + head
    code, said = Nginx(gateway, tmp_path, swap(MINIMAL, (head, text))).test()
    assert code != 0 and NOT_CONFIGURED[vector_id][0] in said, said


# The time is nginx' own: nothing in the message can move it.


@pytest.mark.parametrize("scheme", TIMED)
@pytest.mark.parametrize(
    "offset, slug",
    [
        (300, None),
        (-300, None),
        (301, "webhook-timestamp-invalid"),
        (-301, "webhook-timestamp-invalid"),
        (86400, "webhook-timestamp-invalid"),
        (-86400, "webhook-timestamp-invalid"),
    ],
)
def test_time_is_bound_both_ways_over_http(world, scheme, offset, slug):
    vector = RIGHT[scheme]
    answer = world.send({**vector, "now": signed_at(vector) + offset})
    if slug is None:
        assert accepted(vector, answer)
    else:
        assert not accepted(vector, answer) and problem(answer) == slug


# Headers that decide; nothing is signed in these and nothing relies on them.
UNSIGNED = {"content-type", "protocol", "x-delivery-id", "x-razorpay-event-id"}
READ = [
    (scheme, name)
    for scheme, vector in RIGHT.items()
    for name in vector["headers"]
    if name.lower() not in UNSIGNED
]


@pytest.mark.parametrize(("scheme", "name"), READ)
def test_a_header_given_twice_is_refused_over_http(world, inbox, scheme, name):
    """Be it the same once more: whoever is in between reads another one."""
    vector = rewritten(RIGHT[scheme])
    before = inbox(world.name(vector))
    assert accepted(vector, world.send(vector))
    stored = inbox(world.name(vector))
    assert before <= stored
    for again in (name, name.swapcase()):
        answer = world.send(vector, f"{again}: {vector['headers'][name]}")
        assert not accepted(vector, answer)
        assert problem(answer) == "webhook-signature-invalid"
    assert inbox(world.name(vector)) == stored


# Each scheme's own right message, shown to the webhooks of each other one.
@pytest.mark.parametrize("scheme", RIGHT)
def test_a_message_of_another_scheme_proves_nothing(world, inbox, scheme):
    vector = rewritten(RIGHT[scheme])
    shown = 0
    for words, name in world.names.items():
        if words[0] == scheme:
            continue
        before = inbox(name)
        answer = world.send({**vector}, to=name)
        assert not accepted(vector, answer), name
        assert inbox(name) == before
        shown += 1
    assert shown > 10


# PayPal's certificates: fetched from its hosts, before anything is believed.

PAYPAL = [v["id"] for v in VECTORS if v["scheme"] == "paypal"]


@pytest.mark.parametrize("vector_id", PAYPAL)
def test_a_certificate_comes_from_the_vectors_own_address(world, vector_id):
    """Fetched at most once, to the byte; what is refused by its headers alone
    makes us fetch nothing."""
    vector = rewritten(BY_ID[vector_id])
    names = {name.lower(): text for name, text in vector["headers"].items()}
    url = names.get("paypal-cert-url")
    world.serve("")  # so that no worker keeps one
    world.send(vector)
    asked = world.certificates.asked()
    assert asked in ([], [url])
    assert len(world.certificates.proxy.heads) == len(asked)
    assert expected(vector) == "invalid" or asked == [url]


@pytest.mark.parametrize(
    "vector_id",
    ["paypal-dev-31-cert-url-host", "paypal-dev-32-cert-url-suffix"],
)
def test_a_certificate_of_another_host_is_never_asked_for(world, vector_id):
    world.serve("")
    answer = world.send(BY_ID[vector_id])
    assert problem(answer) == "webhook-signature-invalid"
    assert world.certificates.asked() == []
    assert world.certificates.proxy.heads == []


@pytest.mark.parametrize("vector_id", REWRITTEN)
def test_a_recorded_message_that_names_no_url_is_refused(world, vector_id):
    """As it was recorded, REWRITTEN's reason."""
    world.serve("")
    answer = world.send(BY_ID[vector_id])
    assert answer.status_code == 401
    assert problem(answer) == "webhook-signature-invalid"
    assert world.certificates.proxy.heads == []


def test_a_certificate_that_is_not_to_be_had_is_no_verdict(world, inbox):
    """PayPal sends it again; the signature was neither right nor wrong."""
    vector = RIGHT["paypal"]
    before = inbox(world.name(vector))
    answer = world.send({**vector, "cert_pem": ""})
    assert answer.status_code == 503
    assert problem(answer) == "dependency-unavailable"
    assert answer.headers["retry-after"] == "5"
    assert inbox(world.name(vector)) == before
    assert accepted(vector, world.send(vector))


# Braintree's check of the endpoint.


@pytest.mark.parametrize("case", CHALLENGES["ok"], ids=lambda c: c["challenge"])
def test_a_challenge_is_answered_as_the_sdk_does(world, case):
    vector = RIGHT["braintree"]
    for word in ("public_key", "secret"):
        assert vector[word] == case[word]
    answer = world.challenge(vector, case["challenge"])
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == case["response"]


@pytest.mark.parametrize(
    "case", CHALLENGES["refused"], ids=lambda case: case["challenge"] or "empty"
)
def test_a_challenge_that_the_sdk_refuses_is_400(world, case):
    answer = world.challenge(RIGHT["braintree"], case["challenge"])
    assert answer.status_code == 400
    assert problem(answer) == "malformed-request"


@pytest.mark.parametrize("scheme", sorted({*RIGHT} - {"braintree"}))
def test_a_scheme_without_challenges_answers_none(world, scheme):
    challenge = CHALLENGES["ok"][0]["challenge"]
    answer = world.challenge(RIGHT[scheme], challenge)
    assert answer.status_code == 405
