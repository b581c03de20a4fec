"""libcurl sends a request again by itself when a kept connection dies before
the first byte of an answer.  What the second copy hears says nothing of the
first: a refusal of it must neither lead a registration to another PSP nor
end a change as failed.
"""

import json
import ssl

import pytest
from support import captured, changes, routed
from support.frail_psp import Frail
from support.own_stack import QUICK_JOBS, Checkout, wait_for

# one worker, so that all calls share its kept connections
ONE_WORKER = ("worker_processes        2;", "worker_processes        1;")
TRIES = 20
REFUSED = json.dumps({"error": {"code": "not_today"}}).encode()
# the answers that prove, where there was one copy only, that nothing was done
ANSWERS = {429: b"", 401: b"", 422: REFUSED, 400: REFUSED}
JOURNAL = (
    "SELECT state, reach, http_status, code, sends FROM pay.journal "
    "WHERE checkout_id = %s AND operation = %s ORDER BY attempt"
)


@pytest.fixture(scope="module", params=["plain", "tls"])
def frail(own_stack, request):
    """Over TLS libcurl copies a request before it sends it, and the copy is
    freed when the request has gone."""
    gateway, context, trust = own_stack.gateway, None, ""
    if request.param == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            gateway.run / "tls" / "server.pem", gateway.secrets / "server.key"
        )
        trust = f"\n        ca_file {gateway.env['GATEWAY_CA']};"
    way = Frail(gateway.mock_url, context)
    own_stack.configure(
        ONE_WORKER,
        QUICK_JOBS,
        (f"{gateway.mock_url}/generic;", f"{way.url}/generic;{trust}"),
        ("total=10s;", "total=10s;\n        backfill off;"),
        *routed.edits("generic", "", "method=two generic stripe")[1:],
    )
    yield way
    own_stack.configure()
    way.close()


@pytest.fixture
def psp(frail, stack):
    yield frail
    frail.heals()


def journal(stack, made, operation: str) -> list[tuple]:
    return stack.sql(JOURNAL, made.id, operation)


def broken(stack, psp, status: int) -> Checkout:
    """A registration whose first copy the PSP has, and whose second it has
    turned away; only kept connections die."""
    for _ in range(TRIES):
        stack.created()
        psp.breaks("/registrations", status, ANSWERS[status])
        body = routed.order(stack, "two")
        made = Checkout(stack, body, stack.post(body))
        if psp.copies:
            return made
        psp.heals()
    raise AssertionError("no connection was kept")


@pytest.mark.parametrize("status", ANSWERS)
def test_a_refused_copy_leads_to_no_other_psp(stack, psp, status):
    made = broken(stack, psp, status)
    assert psp.broken == psp.copies == [made.nonce]
    assert len(psp.bodies) == 2
    assert psp.bodies[0] == psp.bodies[1] != b""
    assert made.answer.status_code == 202, made.answer.text
    assert made.answer.json()["status"] == "EXECUTING"
    assert routed.is_at(made) == "generic"
    assert "rerouted" not in routed.kinds(made)
    assert journal(stack, made, "register") == [
        ("UNKNOWN", "complete", status, "copy_unanswered", 1)
    ]

    psp.heals()
    routed.goes_on(stack, made)
    assert made.nonce == psp.broken[0]
    assert routed.booked(stack, made) == ["generic"]
    routed.can_be_paid(stack, made)


@pytest.mark.parametrize("status", (429, 422))
@pytest.mark.parametrize(
    ("what", "operation"),
    [("refunds", "refund"), ("capture", "capture"), ("cancel", "cancel")],
)
def test_a_refused_copy_ends_no_change(stack, psp, what, operation, status):
    made, answer = None, None
    for _ in range(TRIES):
        begin = changes.paid if what == "refunds" else changes.held
        made = begin(stack)
        captured.withheld(stack, made)  # which would prove it
        psp.breaks(f"/{what}", status, ANSWERS[status])
        answer = changes.send(made, what)
        if psp.copies:
            break
        psp.heals()
    assert psp.copies, "no connection was kept"
    assert answer.json()["status"] == "EXECUTING", answer.text
    assert journal(stack, made, operation) == [
        ("UNKNOWN", "complete", status, "copy_unanswered", 1)
    ]

    psp.heals()
    changes.settles(made, what)
    # the mock keeps no deed of a cancellation
    assert len(changes.deeds(made, operation)) == (what != "cancel")


def test_a_refused_copy_does_not_end_the_closing_of_a_page(stack, psp):
    made = None
    for _ in range(TRIES):
        made = stack.created()
        psp.breaks("/expire", 422, REFUSED)
        changes.send(made, "cancel")
        if psp.copies:
            break
        psp.heals()
    assert psp.copies, "no connection was kept"
    assert journal(stack, made, "cancel")[0][0] == "UNKNOWN"

    psp.heals()
    changes.settles(made, "cancel")
    made.becomes("FAILED", "cancelled")


def test_a_copy_that_is_accepted_is_taken(stack, psp):
    """The usual case: the same key, so the PSP answers as it did before."""
    for _ in range(TRIES):
        stack.created()
        psp.breaks("/registrations", 429)
        psp.said = None
        body = stack.order()
        answer = stack.post(body)
        assert answer.status_code == 201, answer.text
        if psp.broken:
            break
        psp.heals()
    assert psp.broken, "no connection was kept"
    made = Checkout(stack, body, answer)
    assert journal(stack, made, "register")[0][0] == "DONE"
    assert routed.booked(stack, made) == ["generic"]
    wait_for(lambda: psp.copies == [made.nonce], "the second copy")
