"""Webhooks that the PSP has not sent, in each scheme: 401, nothing stored,
nothing asked, nothing moved; and the genuine one still counts afterwards.
"""

import pytest
from support.captured import unsent, withheld
from support.events import slug
from support.own_stack import QUICK_JOBS

PSPS = ("stripe", "generic", "adyen", "paypal", "square", "mollie")


@pytest.fixture(scope="module", autouse=True)
def quick(own_stack):
    own_stack.configure(QUICK_JOBS)
    yield
    own_stack.configure()


@pytest.fixture(params=PSPS)
def psp(request):
    return request.param


def paid_in_silence(stack, psp: str):
    """A payment of which the gateway will not hear by itself."""
    made = stack.created(psp)
    withheld(stack, made)
    stack.sql(
        "UPDATE pay.job SET run_at = now() + interval '1 hour' "
        "WHERE checkout_id = %s",
        made.id,
    )
    stack.mock.pay(made.token, "approved" if psp == "paypal" else "paid")
    return made


def nothing_happened(stack, made) -> None:
    assert made.states() == {("EXECUTING", None)}
    rows = stack.value(
        "SELECT count(*) FROM pay.webhook_inbox WHERE token = %s "
        "OR checkout_id = %s",
        made.token,
        made.id,
    )
    assert rows == 0
    asked = [
        each
        for each in stack.mock.books(token=made.token)["requests"]
        if each["operation"] != "register"
    ]
    assert asked == []


def test_a_forged_webhook_is_401_and_changes_nothing(stack, psp):
    made = paid_in_silence(stack, psp)
    genuine = unsent(stack, made)[0]
    other = unsent(stack, paid_in_silence(stack, psp))[0]
    forgeries = genuine.forgeries(other)
    assert len(forgeries) >= 3
    for name, (body, headers) in forgeries.items():
        answer = genuine.send(stack, body, headers)
        assert answer.status_code == 401, f"{name}: {answer.text}"
        assert slug(answer) == "webhook-signature-invalid", name
    nothing_happened(stack, made)
    for each in unsent(stack, made):
        assert each.send(stack).status_code == 200
    made.becomes("SUCCESS")


def test_a_webhook_of_another_psp_is_401(stack, psp):
    """Genuine there, sent here."""
    made = paid_in_silence(stack, psp)
    genuine = unsent(stack, made)[0]
    for other in PSPS:
        if other != psp:
            answer = stack.http.post(
                f"/webhooks/{other}",
                content=genuine.body,
                headers=genuine.headers,
            )
            assert answer.status_code == 401, other
    nothing_happened(stack, made)


def test_signed_with_anothers_key_it_is_401(stack, psp):
    """The mock signs with a key of its own making."""
    made = paid_in_silence(stack, psp)
    genuine = unsent(stack, made)[0]
    answer = stack.mock.webhook(
        dialect=psp, body=genuine.body.decode(), sign="wrong"
    )
    assert answer["status"] == 401, answer
    nothing_happened(stack, made)


@pytest.mark.parametrize("body", (b"", b"{}", b"[]", b"null", b"\x00", b"id=1"))
def test_what_is_no_message_at_all_is_401(stack, psp, body):
    headers = {"Content-Type": "application/json"}
    answer = stack.http.post(f"/webhooks/{psp}", content=body, headers=headers)
    assert answer.status_code in (400, 401), answer.text


def test_the_acknowledgement_is_the_psps_own(stack, psp):
    made = paid_in_silence(stack, psp)
    for each in unsent(stack, made):
        answer = each.send(stack)
        assert answer.status_code == 200
        if psp == "adyen":
            assert answer.text == "[accepted]"
        else:
            assert set(answer.json()) == {"outcome"}
    made.becomes("SUCCESS")


def test_a_genuine_webhook_again_is_a_duplicate(stack, psp):
    made = paid_in_silence(stack, psp)
    first = unsent(stack, made)
    for each in first:
        assert each.send(stack).status_code == 200
    made.becomes("SUCCESS")
    before = stack.timeline(made.order_id)
    for each in first:
        answer = each.send(stack)
        assert answer.status_code == 200
        if psp != "adyen":
            assert answer.json()["outcome"] == "duplicate"
    assert stack.timeline(made.order_id) == before
