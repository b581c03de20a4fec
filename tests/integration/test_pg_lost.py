"""PostgreSQL did it and nobody heard (docs/security.md F1): the link is cut
behind the commit.  Lost is not rolled back: nothing is compensated and nothing
is made twice; the same key gets what is stored.  And PostgreSQL that cannot do
it at all: 503 at once, no PSP hears of it, and it goes on without help.
"""

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg2
import pytest
from support.events import message, outcome, slug
from support.load import together
from support.own_stack import QUICK_JOBS, Checkout, new_id, wait_for
from support.pg_link import Link

# One connection: who is ready has it again.
ONE = ("connections=2 batch=256", "connections=1 batch=256")
ONE_WORKER = ("worker_processes        2;", "worker_processes        1;")
# Calls wait for the only connection, and no job takes it.
QUEUE = ("connections=2 batch=256 queue=4096",
         "connections=1 batch=256 queue=4096 timeout=60s wait=30s")  # fmt: skip
NO_JOBS = (QUICK_JOBS[0], QUICK_JOBS[1].replace(" on interval=100ms", " off"))
HASTY = ("connect=2s total=10s", "connect=500ms total=1s")


def configure(stack, link, *edits) -> None:
    """One worker, which reaches PostgreSQL over the link."""
    port = urlsplit(stack.values["PG_ADMIN_DSN"]).port
    ((sockets,),) = stack.sql("SHOW unix_socket_directories")
    here = f"host='{sockets}' port={port} "
    there = f"host=127.0.0.1 port={link.port} "
    stack.configure(*edits, ONE_WORKER, (here, there))


@pytest.fixture(scope="module")
def link(own_stack):
    made = Link(urlsplit(own_stack.values["PG_ADMIN_DSN"]).port)
    configure(own_stack, made, QUICK_JOBS, HASTY, ONE)
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


# It was heard and cannot be read: libpq has no rows of it, and no SQLSTATE.


def messages(answer: bytes):
    while answer:
        end = 1 + int.from_bytes(answer[1:5], "big")
        yield answer[:1], answer[5:end]
        answer = answer[end:]


def unreadable(answer: bytes) -> bytes:
    """The rows of the last statement have more fields than it announced."""
    made = list(messages(answer))
    last = max(n for n, (kind, _) in enumerate(made) if kind == b"T")
    for n, (kind, body) in enumerate(made):
        if n > last and kind == b"D":
            fields = int.from_bytes(body[:2], "big") + 1
            made[n] = (kind, fields.to_bytes(2, "big") + body[2:])
    return b"".join(
        kind + (len(body) + 4).to_bytes(4, "big") + body for kind, body in made
    )


def test_a_create_whose_answer_cannot_be_read_is_503_and_stored(stack, link):
    """It was 500, which says that nothing was stored."""
    body, key = stack.order(), new_id()
    link.spoil("begin_payment", unreadable)
    answer = stack.post(body, key)
    assert link.lost.is_set()
    assert answer.status_code == 503, answer.text
    assert slug(answer) == "dependency-unavailable"
    assert stack.mock.calls(nonce_of(body)) == []
    registered_once(stack, with_key(stack, body, key))


def test_a_webhook_whose_answer_cannot_be_read_counts_once(stack, link):
    made = stack.created()
    sent = message(made, "paid")
    link.spoil("apply_event", unreadable)
    assert sent.send().status_code == 503
    assert link.lost.is_set()
    assert made.states() == {("SUCCESS", None)}
    wait_for(stack.is_ready, "the gateway to be ready")
    assert outcome(sent.send()) == "duplicate"
    assert sent.rows() == 1


@contextlib.contextmanager
def crowded(stack, link):
    """The only connection waits for a lock while the body runs."""
    configure(stack, link, NO_JOBS, QUEUE)
    holder = psycopg2.connect(stack.values["PG_ADMIN_DSN"])
    made = stack.created()
    try:
        with ThreadPoolExecutor(8) as pool:
            with holder, holder.cursor() as cursor:
                cursor.execute(
                    "LOCK TABLE pay.payment_order IN ACCESS EXCLUSIVE MODE"
                )
                pool.submit(stack.get, f"/v1/payments/{made.order_id}")
                wait_for(lambda: in_flight(stack) == 1, "the read to wait")
                yield pool
    finally:
        holder.close()
        configure(stack, link, QUICK_JOBS, HASTY, ONE)


def in_flight(stack) -> int:
    text = stack.http.get("/metrics").text
    return int(re.search(r"^payments_flows_in_flight (\d+)$", text, re.M)[1])


def test_a_batch_whose_answer_cannot_be_read_is_not_sent_again(stack, link):
    """Each of them was called a second time and got the 429 of a request that
    another one is at work on."""
    bodies = [(stack.order(), new_id()) for _ in range(3)]
    with crowded(stack, link) as pool:
        link.spoil("begin_payment", unreadable)
        sent = [pool.submit(stack.post, body, key) for body, key in bodies]
        wait_for(lambda: in_flight(stack) == 4, "the creates to queue")
    assert [each.result().status_code for each in sent] == [503] * 3
    assert link.lost.is_set()
    assert all(body["checkout_id"].encode() in link.struck
               for body, _ in bodies)  # fmt: skip
    for body, key in bodies:
        registered_once(stack, with_key(stack, body, key))


ALERTS = [
    "operation answered what it may not, op:begin_payment",
    "operation left an item out, op:begin_payment",
]


def test_a_row_that_is_none_of_the_operations_is_unknown_not_failed(
    stack, link
):
    """libpq reads it, and the decoder of src/op does not."""
    body, key = stack.order(), new_id()
    link.spoil(
        "begin_payment", lambda answer: answer.replace(b"created", b"cracked")
    )
    stack.expected += ALERTS
    log = stack.gateway.error_log
    begin = log.stat().st_size
    answer = stack.post(body, key)
    assert link.lost.is_set()
    assert answer.status_code == 503, answer.text
    assert slug(answer) == "dependency-unavailable"
    assert stack.mock.calls(nonce_of(body)) == []
    said = log.read_bytes()[begin:].decode()
    assert [each for each in ALERTS if each in said] == ALERTS
    registered_once(stack, with_key(stack, body, key))


# It cannot.


@pytest.fixture
def failing(stack):
    """failing(sqlstate): each new checkout fails that way, or those that the
    condition is about."""

    def begin(code: str, when: str = "true") -> None:
        stack.sql(
            "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql "
            f"AS $$ BEGIN IF {when} THEN RAISE 'no' USING ERRCODE = "
            f"'{code}'; END IF; RETURN NEW; END $$"
        )
        stack.sql(
            "CREATE TRIGGER fail BEFORE INSERT ON pay.checkout "
            "FOR EACH ROW EXECUTE FUNCTION public.fail()"
        )

    yield begin
    stack.sql("DROP FUNCTION IF EXISTS public.fail CASCADE")


# disk full, out of memory, I/O error, read-only, about to end; a newer schema
# without the function, or with another row type
CODES = (
    *("53100", "53200", "58030", "25006", "57P01", "57P03"),
    *("42883", "0A000"),
)


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


def test_a_damaged_row_fails_nobody_else(stack, link, failing):
    """XX001, a page that cannot be read: the others of its batch go in."""
    bodies = [stack.order() for _ in range(60)]
    failing("XX001", f"NEW.checkout_id = '{bodies[7]['checkout_id']}'")
    answers = together(60, lambda n: stack.post(bodies[n]))
    codes = [answer.status_code for answer in answers]
    assert codes == [503 if n == 7 else 201 for n in range(60)]


def test_an_error_of_an_operation_is_500_and_not_an_outage(
    stack, link, failing
):
    """22012, division by zero: it is rolled back and would fail again, so no
    storefront is asked to try again."""
    body, key = stack.order(), new_id()
    failing("22012")
    answer = stack.post(body, key)
    assert answer.status_code == 500, answer.text
    assert slug(answer) == "internal-error"
    assert "Retry-After" not in answer.headers
    assert stack.mock.calls(nonce_of(body)) == []
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


def test_windows_count_once_what_postgresql_could_not_store(
    stack, link, failing
):
    """An outage in the middle of a window: nothing passes unseen, what was
    refused is not counted, and what was stored unheard is counted once."""
    digits = new_id().replace("-", "")
    ip = "2001:db8:" + ":".join(digits[n : n + 4] for n in range(0, 24, 4))
    buyer = {"ip": ip}

    def create(body=None, key=None):
        return stack.post(body or stack.order(buyer_info=buyer), key)

    failing("53200")
    refused = [create() for _ in range(12)]
    assert {answer.status_code for answer in refused} == {503}
    stack.sql("DROP FUNCTION public.fail CASCADE")
    wait_for(stack.is_ready, "the gateway to be ready")

    body, key = stack.order(buyer_info=buyer), new_id()
    link.lose("begin_payment")
    assert create(body, key).status_code == 503
    with_key(stack, body, key)

    words = []
    for _ in range(12):
        (order,) = create().json()["payment_orders"]
        words.append(order["reason"] == "risk")
    assert words == [False] * words.index(True) + [True] * words.count(True)
    assert stack.sql(
        "SELECT count(*) FROM pay.risk_decision d JOIN pay.checkout c"
        " USING (merchant_id, checkout_id)"
        " WHERE c.buyer_info ->> 'ip' = %s AND d.decision <> 'block'",
        ip,
    ) == [(10,)]
