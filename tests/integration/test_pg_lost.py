"""PostgreSQL did it and nobody heard (docs/security.md F1): the link is cut
behind the commit.  Lost is not rolled back: nothing is compensated and nothing
is made twice; the same key gets what is stored.  And PostgreSQL that cannot do
it at all: 503 at once, no PSP hears of it, and it goes on without help.
"""

from urllib.parse import urlsplit

import pytest
from support.events import message, outcome, slug
from support.own_stack import QUICK_JOBS, Checkout, new_id, wait_for
from support.pg_link import Link

# One connection: who is ready has it again.
ONE = ("connections=2 batch=256", "connections=1 batch=256")
ONE_WORKER = ("worker_processes        2;", "worker_processes        1;")
HASTY = ("connect=2s total=10s", "connect=500ms total=1s")


@pytest.fixture(scope="module")
def link(own_stack):
    url = urlsplit(own_stack.values["PG_ADMIN_DSN"])
    ((sockets,),) = own_stack.sql("SHOW unix_socket_directories")
    made = Link(url.port)
    own_stack.configure(
        QUICK_JOBS,
        HASTY,
        ONE,
        ONE_WORKER,
        (f"host='{sockets}' port={url.port} ",
         f"host=127.0.0.1 port={made.port} "),
    )  # fmt: skip
    yield made
    own_stack.configure()
    made.close()


@pytest.fixture(autouse=True)
def ready(stack, link):
    """Also the workers that had just lost their only connection."""
    yield
    wait_for(stack.is_ready, "the gateway to be ready")


def nonce_of(body: dict) -> str:
    return body["payment_orders"][0]["payment_order_id"]


def with_key(stack, body: dict, key: str):
    def done():
        answer = stack.post(body, key)
        return answer if answer.status_code == 201 else None

    return Checkout(stack, body, wait_for(done, "the payment", 30))


def registered_once(stack, made) -> None:
    books = stack.mock.books(nonce=made.nonce)
    assert [each["token"] for each in books["registrations"]] == [made.token]


def test_a_create_whose_commit_was_not_heard_is_503_and_stored(stack, link):
    body, key = stack.order(), new_id()
    link.lose("begin_payment")
    answer = stack.post(body, key)
    assert link.lost.is_set()
    assert answer.status_code == 503, answer.text
    assert slug(answer) == "dependency-unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert stack.mock.calls(nonce_of(body)) == []
    assert stack.sql(
        "SELECT count(*) FROM pay.checkout WHERE checkout_id = %s",
        body["checkout_id"],
    ) == [(1,)]
    made = with_key(stack, body, key)
    registered_once(stack, made)
    made.becomes("EXECUTING")


def test_another_payment_with_its_ids_does_not_hide_it(stack, link):
    """A storefront that takes 503 for "not done" and sends a new key."""
    body, key = stack.order(), new_id()
    link.lose("begin_payment")
    assert stack.post(body, key).status_code == 503
    wait_for(stack.is_ready, "the gateway to be ready")
    answer = stack.post(body)
    assert answer.status_code == 409
    assert slug(answer) == "order-exists"
    registered_once(stack, with_key(stack, body, key))


@pytest.mark.parametrize("psp", ("generic", "stripe"))
def test_a_token_whose_commit_was_not_heard_is_shown_later(stack, link, psp):
    body, key = stack.order(psp), new_id()
    link.lose("store_token")
    answer = stack.post(body, key)
    assert link.lost.is_set()
    assert answer.status_code in (202, 503), answer.text
    if answer.status_code == 202:
        assert answer.json()["redirect_url"] is None
    made = with_key(stack, body, key)
    registered_once(stack, made)
    stack.mock.pay(made.token, "paid")
    made.becomes("SUCCESS")


def test_a_webhook_whose_commit_was_not_heard_counts_once(stack, link):
    made = stack.created()
    sent = message(made, "paid")
    link.lose("apply_event")
    answer = sent.send()
    assert link.lost.is_set()
    assert answer.status_code == 503
    assert made.states() == {("SUCCESS", None)}
    wait_for(stack.is_ready, "the gateway to be ready")
    assert outcome(sent.send()) == "duplicate"
    assert sent.rows() == 1
    kinds = [each["kind"] for each in stack.timeline(made.order_id)]
    assert kinds.count("paid") == 1


# It cannot.


@pytest.fixture
def failing(stack):
    """failing(sqlstate): each new checkout fails that way."""

    def begin(code: str) -> None:
        stack.sql(
            "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql "
            f"AS $$ BEGIN RAISE 'no' USING ERRCODE = '{code}'; END $$"
        )
        stack.sql(
            "CREATE TRIGGER fail BEFORE INSERT ON pay.checkout "
            "FOR EACH ROW EXECUTE FUNCTION public.fail()"
        )

    yield begin
    stack.sql("DROP FUNCTION IF EXISTS public.fail CASCADE")


# disk full, out of memory, I/O error, read-only, about to end
CODES = ("53100", "53200", "58030", "25006", "57P01", "57P03")


@pytest.mark.parametrize("code", CODES)
def test_what_postgresql_cannot_do_is_503_at_once(stack, link, failing, code):
    made = stack.created()
    body, key = stack.order(), new_id()
    failing(code)
    answer = stack.post(body, key)
    assert answer.status_code == 503, answer.text
    assert slug(answer) == "dependency-unavailable"
    assert answer.elapsed.total_seconds() < 3
    assert stack.mock.calls(nonce_of(body)) == []
    wait_for(stack.is_ready, "the gateway to be ready")
    assert stack.payment(made.order_id)["status"] == "EXECUTING"
    stack.sql("DROP FUNCTION public.fail CASCADE")
    registered_once(stack, with_key(stack, body, key))


def test_without_a_place_for_a_connection_it_is_503_until_there_is(stack, link):
    """53300, too many connections."""
    stack.sql("ALTER ROLE payments_gateway CONNECTION LIMIT 0")
    body, key = stack.order(), new_id()
    try:
        for pid in stack.backends():
            stack.sql("SELECT pg_terminate_backend(%s)", pid)

        def refused():
            answer = stack.post(body, key)
            return answer if answer.status_code == 503 else None

        answer = wait_for(refused, "a refusal")
        assert answer.elapsed.total_seconds() < 3
        assert stack.mock.calls(nonce_of(body)) == []
    finally:
        stack.sql("ALTER ROLE payments_gateway CONNECTION LIMIT -1")
    registered_once(stack, with_key(stack, body, key))
