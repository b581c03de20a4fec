"""POST /v1/payments with replaces: the old page is closed before the new one is
registered, or the old one stays as it was."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import changes
from support.events import message, outcome, slug
from support.own_stack import (
    HASTY_PSP,
    QUICK_JOBS,
    Checkout,
    new_id,
    wait_for,
)

CLOSERS = ("generic", "stripe", "adyen", "square", "mollie")


@pytest.fixture(scope="module", autouse=True)
def configured(own_stack):
    own_stack.configure(QUICK_JOBS, HASTY_PSP)
    yield
    own_stack.configure()


def replacing(old, psp=None, **more) -> dict:
    return old.stack.order(psp or old.psp, **more) | {"replaces": old.id}


def replaced(old, psp=None) -> Checkout:
    body = replacing(old, psp)
    answer = old.stack.post(body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["redirect_url"]
    return Checkout(old.stack, body, answer)


def refused(old, answer) -> None:
    assert (answer.status_code, slug(answer)) == (
        409, "payment-state-conflict")  # fmt: skip
    assert answer.json()["existing"].endswith(f"/v1/checkouts/{old.id}")


def exists(stack, body) -> bool:
    answer = stack.get(f"/v1/checkouts/{body['checkout_id']}")
    assert answer.status_code in (200, 404)
    return answer.status_code == 200


def at_psp(made) -> str:
    (row,) = made.stack.mock.books(token=made.token)["registrations"]
    return row["status"]


def registrations(stack, body) -> int:
    nonce = body["payment_orders"][0]["payment_order_id"]
    return len(stack.mock.books(nonce=nonce)["registrations"])


def silent(made) -> None:
    made.stack.mock.faults(
        {"operation": "webhook", "kind": "none", "nonce": made.nonce,
         "sticky": True}
    )  # fmt: skip


def troubled(made, kind: str, **more) -> None:
    """What becomes of the call that closes its page."""
    made.stack.mock.faults(
        {"operation": "expire", "kind": kind, "nonce": made.nonce} | more
    )


def explained(made) -> dict:
    answer = made.stack.get(f"/v1/payments/{made.order_id}/explain")
    assert answer.status_code == 200, answer.text
    return answer.json()


def places(made) -> tuple[dict, str]:
    """What a GET says of the other checkout, and its ETag."""
    answer = made.stack.get(f"/v1/checkouts/{made.id}")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    names = {"replaces", "replaced_by"} & shown.keys()
    return {name: shown[name] for name in names}, answer.headers["ETag"]


def told(made) -> list[tuple]:
    return [
        (each["kind"], each["actor"])
        for each in made.stack.timeline(made.order_id)
    ]


@pytest.mark.parametrize("psp", CLOSERS)
def test_the_old_page_is_closed_and_the_new_one_is_paid(stack, psp):
    old = stack.created(psp)
    new = replaced(old)
    assert at_psp(old) in ("expired", "canceled", "cancelled")
    old.becomes("FAILED", "cancelled")
    assert ("replaced", "gateway") in told(old)
    assert stack.timeline(new.order_id)[0]["detail"]["replaces"] == old.id
    assert explained(old)["replaced_by"] == new.id
    assert explained(old)["safe_to_retry"]["answer"] == "no"
    assert explained(new)["replaces"] == old.id
    stack.mock.pay(new.token)
    new.becomes("SUCCESS")
    assert old.states() == {("FAILED", "cancelled")}


def test_a_read_of_either_names_the_other(stack):
    old = stack.created()
    nobody, before = places(old)
    assert nobody == {}
    new = replaced(old)
    assert new.shown["replaces"] == old.id
    assert places(new)[0] == {"replaces": old.id}
    named, after = places(old)
    assert named == {"replaced_by": new.id}
    assert after != before


def test_a_place_that_was_not_taken_is_free_for_readers_too(stack):
    old = stack.created()
    silent(old)
    stack.mock.pay(old.token)
    body = replacing(old)
    refused(old, stack.post(body))
    assert places(old)[0] == {}
    assert places(Checkout(stack, body, None))[0] == {"replaces": old.id}


def test_a_declined_page_is_closed_too(stack):
    old = stack.created()
    stack.mock.pay(old.token, "declined")
    old.becomes("FAILED", "declined")
    new = replaced(old)
    assert at_psp(old) == "expired"
    assert old.states() == {("FAILED", "declined")}
    assert told(old)[-1] == ("replaced", "gateway")
    assert registrations(stack, new.body) == 1


@pytest.mark.parametrize("psp", ["generic", "stripe"])
def test_what_the_psp_has_closed_needs_no_call(stack, psp):
    old = stack.created(psp)
    stack.mock.pay(old.token, "expired")
    stack.jobs_now(old.id)
    old.becomes("FAILED", "expired")
    replaced(old)
    assert told(old)[-1] == ("replaced", "merchant")
    assert changes.listed(old, "cancel") == []


def test_another_psp_may_take_its_place(stack):
    old = stack.created("stripe")
    new = replaced(old, "generic")
    assert at_psp(old) == "expired"
    assert new.registration["state"] == "REGISTERED"


def test_a_payment_that_nobody_has_heard_of_is_found(stack):
    """And the new one is never registered, whoever asks again."""
    old = stack.created()
    silent(old)
    stack.mock.pay(old.token)
    body, key = replacing(old), new_id()
    refused(old, stack.post(body, key))
    old.becomes("SUCCESS")
    again = stack.post(body, key)
    refused(old, again)
    assert again.headers["Idempotent-Replayed"] == "true"
    new = Checkout(stack, body, None)
    assert new.states() == {("FAILED", "cancelled")}
    assert registrations(stack, body) == 0
    shown = explained(new)
    assert shown["safe_to_retry"]["answer"] == "no"
    assert "paid" in shown["why"]


def test_what_was_paid_is_not_replaced(stack):
    old = changes.paid(stack)
    body = replacing(old)
    refused(old, stack.post(body))
    assert not exists(stack, body)
    assert told(old)[-1][0] == "paid"


def test_what_is_held_is_not_replaced(stack):
    old = changes.held(stack)
    body = replacing(old)
    refused(old, stack.post(body))
    assert not exists(stack, body)


def test_what_is_pending_is_not_replaced(stack):
    old = stack.created()
    stack.mock.pay(old.token, "pending")
    wait_for(lambda: told(old)[-1][0] == "pending", "the word")
    body = replacing(old)
    refused(old, stack.post(body))
    assert not exists(stack, body)


def test_a_page_that_cannot_be_closed_is_not_replaced(stack):
    """PayPal's ends by itself, some time."""
    old = stack.created("paypal")
    body, key = replacing(old), new_id()
    refused(old, stack.post(body, key))
    assert not exists(stack, body)
    stack.sql(
        "UPDATE pay.checkout SET expires_at = now() - interval '2 h' "
        "WHERE checkout_id = %s",
        old.id,
    )
    stack.jobs_now(old.id)
    old.becomes("FAILED", "expired")
    stack.sql("DELETE FROM pay.job WHERE checkout_id = %s", old.id)
    assert stack.post(body, key).status_code == 201


@pytest.mark.parametrize("kind", ["drop", "status"])
def test_an_unknown_end_is_202_and_a_job_goes_on(stack, kind):
    old = stack.created()
    more = {"status": 503} if kind == "status" else {}
    troubled(old, kind, sticky=True, **more)
    body, key = replacing(old), new_id()
    answer = stack.post(body, key)
    assert answer.status_code == 202, answer.text
    assert answer.json()["redirect_url"] is None
    assert registrations(stack, body) == 0
    new = Checkout(stack, body, answer)
    assert explained(new)["waits_for"] == "psp"
    assert "closed first" in explained(new)["why"]
    again = stack.post(body, key)
    assert again.status_code == 202
    assert again.headers["Idempotent-Replayed"] == "true"
    stack.mock.clear_faults()

    def through():
        stack.jobs_now(old.id)
        stack.jobs_now(new.id)
        return new.registration["state"] == "REGISTERED"

    wait_for(through, "the new page")
    assert at_psp(old) == "expired"
    assert old.states() == {("FAILED", "cancelled")}
    assert registrations(stack, body) == 1
    assert stack.post(body, key).status_code == 201


def test_one_of_many_takes_the_place(stack):
    old = stack.created()
    troubled(old, "delay", ms=300)
    bodies = [replacing(old) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(stack.post, bodies))
    won = [
        body
        for body, answer in zip(bodies, answers, strict=True)
        if answer.status_code == 201
    ]
    assert len(won) == 1
    for body, answer in zip(bodies, answers, strict=True):
        if body not in won:
            refused(old, answer)
            assert not exists(stack, body)
    assert sum(registrations(stack, body) for body in bodies) == 1


def test_a_chain_of_replacements(stack):
    first = stack.created()
    second = replaced(first)
    refused(first, stack.post(replacing(first)))
    third = replaced(second)
    assert [at_psp(each) for each in (first, second, third)] == [
        "expired", "expired", "open"]  # fmt: skip


def test_a_repetition_gives_the_present_state(stack):
    old = stack.created()
    body, key = replacing(old), new_id()
    first = stack.post(body, key)
    again = stack.post(body, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert registrations(stack, body) == 1


def test_nobody_elses_checkout_is_replaced(stack):
    old = stack.created()
    for body, merchant in (
        (replacing(old, "generic"), "OTHER_"),
        (stack.order() | {"replaces": new_id()}, ""),
    ):
        answer = stack.post(body, merchant=merchant)
        assert (answer.status_code, slug(answer)) == (422, "validation-error")
        assert answer.json()["errors"][0]["pointer"] == "/replaces"
        assert not exists(stack, body)
    assert old.states() == {("EXECUTING", None)}


@pytest.mark.parametrize("value", ["", "a b", 7, None, ["x"], "x" * 65])
def test_what_is_no_id_is_refused(stack, value):
    answer = stack.post(stack.order() | {"replaces": value})
    assert (answer.status_code, slug(answer)) == (422, "validation-error")
    assert answer.json()["errors"][0]["pointer"] == "/replaces"


def test_a_payment_after_the_close_is_seen_in_both(stack):
    old = stack.created()
    new = replaced(old)
    assert outcome(message(old, "paid").send()) == "applied"
    old.becomes("SUCCESS")
    shown = explained(new)
    assert "was paid all the same" in shown["why"]
    assert shown["safe_to_retry"]["answer"] == "no"


@pytest.mark.parametrize("after", [0.0, 0.2, 0.5])
def test_a_crash_on_the_way_ends_in_one_page(stack, after):
    old = stack.created()
    troubled(old, "delay", ms=300)
    body, key = replacing(old), new_id()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(stack.post, body, key)
        wait_for(lambda: exists(stack, body), "the new one")
        time.sleep(after)
        stack.kill_nginx()
        assert waiting.exception() is not None or waiting.result()
    stack.start_nginx()
    new = Checkout(stack, body, None)

    def through():
        # under the locks that whoever is at it holds
        stack.sql(
            "SELECT FROM pay.checkout WHERE checkout_id IN (%s, %s) "
            "ORDER BY checkout_id FOR NO KEY UPDATE; "
            "UPDATE pay.checkout SET lease_until = now() "
            "WHERE checkout_id IN (%s, %s) AND first_call = 'OPEN'; "
            "UPDATE pay.dispatch SET lease_until = now() "
            "WHERE checkout_id IN (%s, %s) AND state = 'OPEN'",
            *(old.id, new.id) * 3,
        )
        stack.jobs_now(old.id)
        stack.jobs_now(new.id)
        return new.registration["state"] == "REGISTERED"

    wait_for(through, "the new page", 60)
    assert at_psp(old) == "expired"
    assert old.states() == {("FAILED", "cancelled")}
    assert registrations(stack, body) == 1
    assert stack.post(body, key).status_code == 201
