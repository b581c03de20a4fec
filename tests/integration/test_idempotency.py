"""One key, one operation (docs/security.md IK1 to IK13; T7, T8, T9)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.load import together
from support.own_stack import new_id, wait_for

PARALLEL = 100


def nonce_of(body: dict) -> str:
    return body["payment_orders"][0]["payment_order_id"]


def slug(answer) -> str:
    return answer.json()["type"].rpartition("/")[2]


def replayed(answer) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


def keys_stored(stack, key: str) -> int:
    return stack.value(
        "SELECT count(*) FROM pay.idempotency_key WHERE key = %s", key
    )


def checkouts_stored(stack, body: dict) -> int:
    return stack.value(
        "SELECT count(*) FROM pay.checkout WHERE checkout_id = %s",
        body["checkout_id"],
    )


@pytest.mark.parametrize("delay_ms", (0, 500))
@pytest.mark.parametrize("psp", ("generic", "stripe"))
def test_100_parallel_requests_make_one_payment(stack, psp, delay_ms):
    body, key = stack.order(psp), new_id()
    nonce = nonce_of(body)
    if delay_ms:
        stack.mock.faults(
            {"operation": "register", "kind": "delay", "nonce": nonce,
             "ms": delay_ms}
        )  # fmt: skip
    answers = together(PARALLEL, lambda _: stack.post(body, key))
    first = [a for a in answers if a.status_code == 201 and not replayed(a)]
    others = [a for a in answers if a not in first]
    assert len(first) == 1
    for answer in others:
        if answer.status_code == 201:
            assert answer.content == first[0].content
        else:
            assert answer.status_code == 429, answer.text
            assert slug(answer) == "idempotency-in-progress"
            assert int(answer.headers["Retry-After"]) >= 1
    books = stack.mock.books(nonce=nonce)
    assert len(books["registrations"]) == 1
    assert len(books["requests"]) == 1
    assert checkouts_stored(stack, body) == 1


def test_parallel_requests_with_different_bodies_let_one_through(stack):
    key = new_id()
    bodies = [stack.order() for _ in range(30)]
    answers = together(30, lambda n: stack.post(bodies[n], key))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] + [422] * 29
    assert sum(checkouts_stored(stack, body) for body in bodies) == 1


def test_parallel_requests_for_one_checkout_let_one_key_through(stack):
    body = stack.order()
    answers = together(30, lambda _: stack.post(body))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] + [409] * 29
    books = stack.mock.books(nonce=nonce_of(body))
    assert len(books["requests"]) == 1


def test_a_bad_item_of_a_batch_does_not_fail_its_neighbours(stack):
    """Half of a burst collides with what exists; the other half goes in."""
    old = stack.created().body
    bodies = [stack.order() if n % 2 else old for n in range(60)]
    answers = together(60, lambda n: stack.post(bodies[n]))
    codes = [answer.status_code for answer in answers]
    assert codes == [201 if n % 2 else 409 for n in range(60)]


def test_a_replay_is_the_first_answer_again(stack):
    body, key = stack.order(), new_id()
    first, again = stack.post(body, key), stack.post(body, key)
    assert not replayed(first)
    assert replayed(again)
    assert again.status_code == first.status_code == 201
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert len(stack.mock.calls(nonce_of(body))) == 1


def test_a_replay_shows_the_present_state(stack):
    body, key = stack.order(), new_id()
    assert stack.post(body, key).status_code == 201
    token = stack.mock.books(nonce=nonce_of(body))["registrations"][0]["token"]
    stack.mock.pay(token, "paid")
    wait_for(
        lambda: stack.payment(nonce_of(body))["status"] == "SUCCESS",
        "the payment",
    )
    again = stack.post(body, key)
    assert replayed(again)
    assert again.json()["status"] == "SUCCESS"


def test_a_refusal_by_the_psp_is_replayed_without_asking_it_again(stack):
    body, key = stack.order(), new_id()
    stack.mock.faults(
        {"operation": "register", "kind": "status", "status": 422,
         "nonce": nonce_of(body)}
    )  # fmt: skip
    first, again = stack.post(body, key), stack.post(body, key)
    assert first.status_code == again.status_code == 502
    assert slug(first) == slug(again) == "psp-refused"
    assert replayed(again)
    assert len(stack.mock.calls(nonce_of(body))) == 1


def changed_amount(body):
    body["payment_orders"][0]["amount"] = "12.35"


def changed_seller(body):
    body["payment_orders"][0]["seller_account"] = "seller-x"


def reordered(body):
    first = next(iter(body))
    body[first] = body.pop(first)


@pytest.mark.parametrize("change", (changed_amount, changed_seller, reordered))
def test_a_key_with_another_body_is_refused(stack, change):
    body, key = stack.order(), new_id()
    assert stack.post(body, key).status_code == 201
    other = json.loads(json.dumps(body))
    change(other)
    answer = stack.post(other, key)
    assert answer.status_code == 422
    assert slug(answer) == "idempotency-key-reused"
    assert len(stack.mock.calls(nonce_of(body))) == 1
    assert stack.payment(nonce_of(body))["amount"] == "12.34"


def test_one_more_space_is_another_body(stack):
    body, key = stack.order(), new_id()
    raw = json.dumps(body).encode()
    assert stack.post(raw, key).status_code == 201
    assert stack.post(raw + b" ", key).status_code == 422


@pytest.mark.parametrize("quoted_first", (False, True))
def test_a_quoted_key_is_the_bare_one(stack, quoted_first):
    body, key = stack.order(), new_id()
    spellings = [key, f'"{key}"']
    if quoted_first:
        spellings.reverse()
    first, again = (stack.post(body, each) for each in spellings)
    assert (first.status_code, again.status_code) == (201, 201)
    assert replayed(again)
    assert again.content == first.content


def test_keys_differ_by_case(stack):
    key = "Key-" + new_id()
    assert stack.post(stack.order(), key).status_code == 201
    assert stack.post(stack.order(), key.lower()).status_code == 201


def test_another_merchants_key_is_another_key(stack):
    key = new_id()
    mine, theirs = stack.order(), stack.order()
    first = stack.post(mine, key)
    second = stack.post(theirs, key, merchant="OTHER_")
    assert (first.status_code, second.status_code) == (201, 201)
    assert not replayed(second)
    assert second.json()["checkout_id"] == theirs["checkout_id"]
    assert mine["checkout_id"] not in second.text


def test_another_merchant_replaying_key_and_body_learns_nothing(stack):
    """Same key, same bytes, same ids: a checkout of the other's own."""
    body, key = stack.order(), new_id()
    first = stack.post(body, key)
    second = stack.post(body, key, merchant="OTHER_")
    assert second.status_code == 201
    assert not replayed(second)
    assert second.json()["redirect_url"] != first.json()["redirect_url"]
    assert checkouts_stored(stack, body) == 2
    nonces = stack.sql(
        "SELECT DISTINCT nonce FROM pay.registration WHERE checkout_id = %s",
        body["checkout_id"],
    )
    assert len(nonces) == 2


def test_in_progress_is_429_and_disturbs_nobody(stack):
    body, key = stack.order(), new_id()
    nonce = nonce_of(body)
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "nonce": nonce, "ms": 2000}
    )
    with ThreadPoolExecutor() as pool:
        first = pool.submit(stack.post, body, key)
        wait_for(lambda: stack.mock.calls(nonce), "the call to the PSP")
        busy = stack.post(body, key)
        assert busy.status_code == 429
        assert slug(busy) == "idempotency-in-progress"
        assert int(busy.headers["Retry-After"]) >= 1
        reused = stack.post(body | {"metadata": {"a": "b"}}, key)
        assert reused.status_code == 422
        assert not first.done()
        assert first.result().status_code == 201
    assert stack.post(body, key).status_code == 201
    assert len(stack.mock.calls(nonce)) == 1


def test_in_progress_can_be_configured_to_be_409(stack):
    stack.configure(("in_progress=429", "in_progress=409"))
    body, key = stack.order(), new_id()
    nonce = nonce_of(body)
    stack.mock.faults(
        {"operation": "register", "kind": "delay", "nonce": nonce, "ms": 1500}
    )
    with ThreadPoolExecutor() as pool:
        first = pool.submit(stack.post, body, key)
        wait_for(lambda: stack.mock.calls(nonce), "the call to the PSP")
        busy = stack.post(body, key)
        assert busy.status_code == 409
        assert busy.json()["status"] == 409
        assert slug(busy) == "idempotency-in-progress"
        assert first.result().status_code == 201
    stack.configure()


def test_a_known_checkout_with_a_new_key_is_409_with_a_link(stack):
    made = stack.created()
    answer = stack.post(made.body)
    assert answer.status_code == 409
    assert slug(answer) == "order-exists"
    link = f"{stack.url}/v1/checkouts/{made.id}"
    assert answer.json()["existing"] == link


def test_a_known_order_in_a_new_checkout_stores_nothing_of_it(stack):
    made = stack.created()
    body = stack.order(amounts=("1.00", "2.00", "3.00"))
    body["payment_orders"][1]["payment_order_id"] = made.order_id
    key = new_id()
    answer = stack.post(body, key)
    assert answer.status_code == 409
    assert answer.json()["existing"].endswith(made.id)
    assert checkouts_stored(stack, body) == 0
    for n in (0, 2):
        order_id = body["payment_orders"][n]["payment_order_id"]
        assert stack.get(f"/v1/payments/{order_id}").status_code == 404
    assert keys_stored(stack, key) == 0


def test_a_refused_duplicate_does_not_burn_its_key(stack):
    made, key = stack.created(), new_id()
    assert stack.post(made.body, key).status_code == 409
    assert stack.post(stack.order(), key).status_code == 201


BAD_KEYS = (
    "1",
    "short-key-15-ch",
    "x" * 65,
    '"' + "x" * 65 + '"',
    '""',
    '"unbalanced-quote-0001',
    'unbalanced-quote-0001"',
    "with spaces inside it",
    "key-with-ctl-\x01-character",
    "'; DROP TABLE pay.checkout; --",
    "clé-avec-des-accents-0001".encode(),
    '"a-list-0001-0001", "a-list-0002-0002"',
    '("inner-list-0001" "inner-list-0002")',
    ":aGVsbG8gd29ybGQhISE=:",
    '"key-with-parameter-1";a=1',
    '"key-with-\\"escape\\"-0001"',
    "?1",
    "{}{}{}{}{}{}{}{}{}{}",
)


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_malformed_key_is_refused_before_anything_happens(stack, key):
    body = stack.order()
    answer = stack.post(body, key)
    assert answer.status_code == 400, answer.text
    if answer.content.startswith(b"{"):
        assert slug(answer) in ("idempotency-key-invalid", "malformed-request")
    assert checkouts_stored(stack, body) == 0
    assert stack.mock.calls(nonce_of(body)) == []


@pytest.mark.parametrize("same", (True, False))
def test_two_key_lines_are_refused(stack, same):
    body = stack.order()
    key = new_id()
    headers = list(stack.headers(key).items())
    headers.append(("Idempotency-Key", key if same else new_id()))
    answer = stack.http.post(
        "/v1/payments", content=json.dumps(body), headers=headers
    )
    assert answer.status_code == 400
    assert slug(answer) == "idempotency-key-invalid"
    assert checkouts_stored(stack, body) == 0


def test_a_missing_key_is_refused_with_a_link_to_the_reason(stack):
    body = stack.order()
    headers = stack.headers()
    del headers["Idempotency-Key"]
    answer = stack.http.post(
        "/v1/payments", content=json.dumps(body), headers=headers
    )
    assert answer.status_code == 400
    assert slug(answer) == "idempotency-key-missing"
    assert "Link" in answer.headers
    assert stack.mock.calls(nonce_of(body)) == []


def wrong_type(stack, body, key):
    return stack.post(body, key, **{"Content-Type": "text/plain"})


def no_token(stack, body, key):
    return stack.post(body, key, Authorization="Bearer nonsense")


def no_json(stack, body, key):
    return stack.post(b"{", key)


def too_large(stack, body, key):
    return stack.post(b" " * 70_000, key)


def invalid(stack, body, key):
    return stack.post(body | {"unknown": 1}, key)


@pytest.mark.parametrize(
    ("bad", "status"),
    (
        (wrong_type, 415),
        (no_token, 401),
        (no_json, 400),
        (too_large, 413),
        (invalid, 422),
    ),
)
def test_a_request_refused_before_it_ran_does_not_burn_the_key(
    stack, bad, status
):
    body, key = stack.order(), new_id()
    assert bad(stack, body, key).status_code == status
    answer = stack.post(body, key)
    assert answer.status_code == 201
    assert not replayed(answer)


def expire(stack, key: str) -> None:
    stack.sql(
        "UPDATE pay.idempotency_key SET created_at = now() - '2s'::interval, "
        "expires_at = now() - '1s'::interval WHERE key = %s",
        key,
    )


def test_an_expired_key_is_new(stack):
    key = new_id()
    assert stack.post(stack.order(), key).status_code == 201
    expire(stack, key)
    answer = stack.post(stack.order(), key)
    assert answer.status_code == 201
    assert not replayed(answer)
    assert keys_stored(stack, key) == 1


def test_an_expired_key_does_not_register_its_checkout_again(stack):
    body, key = stack.order(), new_id()
    assert stack.post(body, key).status_code == 201
    expire(stack, key)
    answer = stack.post(body, key)
    assert answer.status_code == 409
    assert slug(answer) == "order-exists"
    assert len(stack.mock.calls(nonce_of(body))) == 1


def test_an_expired_key_lets_one_of_many_through(stack):
    key = new_id()
    assert stack.post(stack.order(), key).status_code == 201
    expire(stack, key)
    answers = together(30, lambda _: stack.post(stack.order(), key))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] + [422] * 29


@pytest.mark.parametrize(("ttl", "seconds"), (("24h", 86400), ("90s", 90)))
def test_a_key_lives_as_long_as_configured(stack, ttl, seconds):
    stack.configure(("ttl=24h", f"ttl={ttl}"))
    key = new_id()
    assert stack.post(stack.order(), key).status_code == 201
    life = stack.value(
        "SELECT extract(epoch FROM expires_at - created_at)::int "
        "FROM pay.idempotency_key WHERE key = %s",
        key,
    )
    assert life == seconds
    stack.configure()


def test_a_key_on_a_read_is_ignored(stack):
    made = stack.created()
    path = f"/v1/payments/{made.order_id}"
    for key in ("1", "x" * 100, made.order_id):
        answer = stack.http.get(path, headers=stack.headers(key))
        assert answer.status_code == 200
