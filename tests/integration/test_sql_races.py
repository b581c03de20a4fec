"""Races between calls of pay_api on real connections (docs/security.md T3, T5,
T9, T38): one winner, no deadlock, every invariant clean afterwards.  Races
around the dispatch journal: test_sql_dispatch_races.py.
"""

import random
import threading
import uuid

import psycopg2
import pytest
from support.sql_gateway import (
    BEGIN_CASTS,
    MERCHANT,
    PSPS,
    USD_TOTAL,
    Gateway,
    claimed,
    connections,  # noqa: F401
    database,  # noqa: F401
    fresh,
    outcomes,
    registration_of,  # noqa: F401
    status,
    together,
    wait_until_blocked,
)


def test_twenty_first_requests_with_one_key_create_once(gateways):
    some = gateways(20)
    for _ in range(5):
        item = fresh()
        results = together(*[lambda g=g: g.begin(item) for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["created"] + ["in_progress"] * 19


def test_twenty_keys_for_one_checkout_create_once(gateways):
    some = gateways(20)
    for _ in range(5):
        ((_, checkout, order),) = fresh()
        results = together(*[
            lambda g=g: g.begin([(uuid.uuid4().hex, checkout, order)])
            for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["created"] + ["exists"] * 19
        assert {rows[0].checkout_id for rows in results} == {checkout}


def test_checkouts_that_share_an_order_leave_one(gateways):
    some = gateways(20)
    for _ in range(5):
        ((_, _, order),) = fresh()
        results = together(*[lambda g=g: g.begin([fresh()[0][:2] + (order,)])
                             for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["created"] + ["exists"] * 19


def test_twenty_copies_of_a_webhook_apply_once(gateways):
    some = gateways(20)
    for _ in range(5):
        item = fresh()
        checkout = item[0][1]
        some[0].begin(item)
        some[0].store([(checkout, checkout)])
        event = [("webhook", uuid.uuid4().hex, "paid", checkout)]
        results = together(*[lambda g=g: g.apply(event) for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["applied"] + ["duplicate"] * 19
        assert status(some[0], checkout) == "SUCCESS"


def test_paid_and_expired_at_once_end_in_success(gateways):
    one, two, three = gateways(3)
    seen = set()
    for _ in range(40):
        item = fresh()
        checkout = item[0][1]
        one.begin(item)
        one.store([(checkout, checkout)])
        results = together(
            lambda: one.apply([("webhook", checkout, "paid", checkout)]),
            lambda: two.apply([("gateway", None, "expired", checkout)]),
            lambda: three.apply([("query", None, "declined", checkout)]))
        assert outcomes(results[0]) == ["applied"]
        seen.add(tuple(outcomes(rows)[0] for rows in results[1:]))
        assert status(one, checkout) == "SUCCESS"
    late = {"applied", "unchanged", "contradiction"}
    assert {word for words in seen for word in words} <= late


def test_a_webhook_beside_its_token_is_never_lost(gateways):
    one, two = gateways(2)
    seen = set()
    for _ in range(100):
        item = fresh()
        checkout = item[0][1]
        one.begin(item)
        stored, applied = together(
            lambda: one.store([(checkout, checkout)]),
            lambda: two.apply([("webhook", checkout, "paid", checkout)]))
        assert outcomes(stored) == ["stored"]
        seen.add(outcomes(applied)[0])
        assert status(one, checkout) == "SUCCESS"
    assert seen <= {"parked", "applied"}


@pytest.mark.parametrize("first", ["token", "webhook"])
def test_the_second_waits_for_an_open_transaction(gateways, first):
    """Both orders by force: the first is done but not committed when the
    second begins; the second waits, then sees it."""
    one, two, watch = gateways(3)
    item = fresh()
    checkout = item[0][1]
    one.begin(item)

    def token(gateway):
        return gateway.store([(checkout, checkout)])

    def webhook(gateway):
        return gateway.apply([("webhook", checkout, "paid", checkout)])

    calls = (token, webhook) if first == "token" else (webhook, token)
    one.connection.autocommit = False
    before = calls[0](one)
    result = []
    thread = threading.Thread(target=lambda: result.append(calls[1](two)))
    thread.start()
    wait_until_blocked(watch, two)
    assert result == []
    one.connection.commit()
    thread.join(30)
    words = (outcomes(before) + outcomes(result[0]))
    assert words == (["stored", "applied"] if first == "token"
                     else ["parked", "stored"])
    one.connection.autocommit = True
    assert status(one, checkout) == "SUCCESS"


def test_one_token_for_two_checkouts_goes_to_one(gateways):
    some = gateways(8)
    for _ in range(20):
        items = fresh(8)
        some[0].begin(items)
        token = uuid.uuid4().hex
        results = together(*[
            lambda g=g, c=item[1]: g.store([(c, token)])
            for g, item in zip(some, items, strict=False)])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["mismatch"] * 7 + ["stored"]
        for item in items:
            some[0].store([(item[1], item[1])])


def test_two_tokens_for_one_checkout_keep_the_first(gateways):
    some = gateways(8)
    for _ in range(20):
        item = fresh()
        some[0].begin(item)
        results = together(*[
            lambda g=g, n=n: g.store([(item[0][1], f"{item[0][1]}-{n}")])
            for n, g in enumerate(some)])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["mismatch"] * 7 + ["stored"]
        assert len({rows[0].token for rows in results}) == 1


def test_token_beside_giving_up_leaves_one_story(gateways):
    one, two = gateways(2)
    for _ in range(40):
        item = fresh()
        checkout = item[0][1]
        one.begin(item)
        stored, given_up = together(
            lambda: one.store([(checkout, checkout)]),
            lambda: two.store_no([(checkout, "expired")]))
        words = (outcomes(stored)[0], outcomes(given_up)[0])
        assert words in {("stored", "already"), ("mismatch", "stored")}
        assert outcomes(two.apply([("webhook", checkout, "paid",
                                    checkout)])) == ["applied"]


def test_a_move_beside_a_claim_never_leaves_a_call_open(gateways,
                                                        registration):
    """The job's call may go out at any moment from its claim on: then the
    registration stays.  If it moves first, the job finds it at the next."""
    one, two = gateways(2)
    seen = set()
    for _ in range(60):
        item = fresh()
        checkout = item[0][1]
        one.begin(item)
        registration.due(checkout)
        moved, jobs = together(
            lambda: one.reroute([(checkout, "not_sent")]),
            lambda: two.claim("worker", 8))
        psp, attempt, calls, _ = registration(checkout)
        word = outcomes(moved)[0]
        seen.add((word, bool(claimed(jobs, checkout))))
        if word == "rerouted":
            # the job is due after the lease of whoever moved it
            assert claimed(jobs, checkout) == []
            assert (psp, attempt, calls) == ("adyen", 2, 1)
        else:
            assert claimed(jobs, checkout) == ["stripe"]
            assert (psp, attempt, calls) == ("stripe", 1, 2)
    assert seen <= {("rerouted", False), ("stays", True)}


@pytest.mark.parametrize("first", ["claim", "move"])
def test_neither_a_claim_nor_a_move_acts_on_what_is_being_changed(
        gateways, registration, first):
    """Both orders by force.  A claim never waits: a job of a checkout that
    somebody is at is no job.  A move waits and then sees the claim."""
    one, two, watch = gateways(3)
    item = fresh()
    checkout = item[0][1]
    one.begin(item)
    registration.due(checkout)
    one.connection.autocommit = False
    if first == "claim":
        assert claimed(one.claim("worker", 8), checkout) == ["stripe"]
        result = []
        thread = threading.Thread(target=lambda: result.append(
            two.reroute([(checkout, "refused")])))
        thread.start()
        wait_until_blocked(watch, two)
        one.connection.commit()
        thread.join(30)
        assert outcomes(result[0]) == ["stays"]
        assert registration(checkout) == ("stripe", 1, 2, None)
    else:
        assert outcomes(one.reroute([(checkout, "refused")])) == ["rerouted"]
        assert claimed(two.claim("worker", 8), checkout) == []
        one.connection.commit()
        assert registration(checkout) == ("adyen", 2, 1, None)
        registration.due(checkout)
        assert claimed(two.claim("worker", 8), checkout) == ["adyen"]
        assert registration(checkout) == ("adyen", 2, 2, None)
    one.connection.autocommit = True


def test_a_token_beside_a_move_is_kept_or_refused_never_both(gateways,
                                                             registration):
    one, two = gateways(2)
    seen = set()
    for _ in range(60):
        item = fresh()
        checkout = item[0][1]
        one.begin(item)
        stored, moved = together(
            lambda: one.store([(checkout, checkout)]),
            lambda: two.reroute([(checkout, "not_sent")]))
        words = (outcomes(stored)[0], outcomes(moved)[0])
        seen.add(words)
        psp, _, _, token = registration(checkout)
        if words == ("stored", "stays"):
            assert (psp, token) == ("stripe", checkout)
        else:
            assert words == ("mismatch", "rerouted")
            assert (psp, token) == ("adyen", None)
            # the name that was claimed for nothing is free again
            other = fresh()
            one.begin(other)
            assert outcomes(one.store([(other[0][1], checkout)])) == ["stored"]
    assert seen <= {("stored", "stays"), ("mismatch", "rerouted")}


@pytest.mark.parametrize("first", ["token", "move"])
def test_a_token_and_a_move_wait_for_one_another(gateways, registration,
                                                 first):
    one, two, watch = gateways(3)
    item = fresh()
    checkout = item[0][1]
    one.begin(item)

    def token(gateway):
        return gateway.store([(checkout, checkout)])

    def move(gateway):
        return gateway.reroute([(checkout, "refused")])

    calls = (token, move) if first == "token" else (move, token)
    one.connection.autocommit = False
    before = calls[0](one)
    result = []
    thread = threading.Thread(target=lambda: result.append(calls[1](two)))
    thread.start()
    wait_until_blocked(watch, two)
    one.connection.commit()
    thread.join(30)
    one.connection.autocommit = True
    assert outcomes(before) + outcomes(result[0]) == (
        ["stored", "stays"] if first == "token" else ["rerouted", "mismatch"])
    psp, _, _, stored = registration(checkout)
    assert (psp, stored) == (("stripe", checkout) if first == "token"
                             else ("adyen", None))


def test_a_token_that_a_move_overtakes_leaves_no_reference(gateways, dsn):
    """A webhook with the token and the PSP's id of the payment was there before
    the token, and the token waits for a move to another PSP: neither name may
    lead to the checkout, or that PSP's next word would be about a registration
    that has left it."""
    one, two, watch = gateways(3)
    item = fresh()
    checkout = item[0][1]
    one.begin(item)
    paid = [("webhook", uuid.uuid4().hex, "paid", checkout)]
    assert outcomes(one.apply(paid, reference=f"id-{checkout}")) == ["parked"]
    one.connection.autocommit = False
    assert outcomes(one.reroute([(checkout, "refused")])) == ["rerouted"]
    result = []
    thread = threading.Thread(target=lambda: result.append(
        two.store([(checkout, checkout)])))
    thread.start()
    wait_until_blocked(watch, two)
    one.connection.commit()
    thread.join(30)
    one.connection.autocommit = True
    assert outcomes(result[0]) == ["mismatch"]
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT token, is_reference FROM pay.psp_token"
                       " WHERE checkout_id = %s", (checkout,))
        assert cursor.fetchall() == []


def test_eight_moves_at_once_move_once(gateways, registration):
    some = gateways(8)
    for _ in range(20):
        item = fresh()
        checkout = item[0][1]
        some[0].begin(item)
        results = together(*[
            lambda g=g: g.reroute([(checkout, "not_sent")]) for g in some])
        words = sorted(outcomes(rows)[0] for rows in results)
        assert words == ["rerouted"] + ["stays"] * 7
        assert registration(checkout) == ("adyen", 2, 1, None)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_move_waits_for_the_owner_of_its_nonce(gateways, registration,
                                                 end):
    """Another payment with the same nonce is just beginning at the next PSP:
    the PSP would take the two for one."""
    one, two, watch = gateways(3)
    (key, checkout, order), (_, other, _) = fresh(2)
    two.begin([(key, checkout, order)])
    # another merchant's: only the nonce is shared
    rows = [(MERCHANT + "-2", key, b"\0" * 32, other, str(uuid.uuid4()),
             uuid.uuid4().hex, "adyen", order, "https://shop.example/",
             "https://pay.example", None, None, None, "USD", USD_TOTAL,
             1900000000, 1, order, "s", USD_TOTAL, None, 86400, 30000,
             "request", None, None, None, None, None)]
    one.connection.autocommit = False
    assert outcomes(one.call("begin_payment", BEGIN_CASTS,
                             zip(*rows, strict=False))) == ["created"]
    result = []
    thread = threading.Thread(target=lambda: result.append(
        two.reroute([(checkout, "refused")])))
    thread.start()
    wait_until_blocked(watch, two)
    getattr(one.connection, end)()
    thread.join(30)
    one.connection.autocommit = True
    if end == "commit":
        assert outcomes(result[0]) == ["stays"]
        assert registration(checkout) == ("stripe", 1, 1, None)
    else:
        assert outcomes(result[0]) == ["rerouted"]
        assert registration(checkout) == ("adyen", 2, 1, None)


def test_an_ask_beside_the_answer_to_an_older_question_is_not_lost(
        gateways, registration):
    """A poll's answer that fails the order and drops its job, and a webhook
    that asks for another look, in either order: somebody looks again."""
    one, two = gateways(2)
    for _ in range(60):
        item = fresh()
        checkout = item[0][1]
        one.begin(item)
        one.store([(checkout, checkout)])
        answer, asked = together(
            lambda: one.apply([("query", None, "declined", checkout)]),
            lambda: two.apply([("webhook", checkout, "ask",
                                f"alias-{checkout}")]))
        assert outcomes(answer) == ["applied"]
        assert outcomes(asked) == ["asked"]
        registration.due(checkout)
        assert one.finish([(checkout, "poll", "nobody", 0)]) == [("gone",)]


def test_a_due_job_goes_to_one_worker(gateways, dsn):
    some = gateways(8)
    items = fresh(40)
    some[0].begin(items)
    with psycopg2.connect(dsn) as connection:
        connection.cursor().execute(
            "UPDATE pay.job SET run_at = now() - interval '1 s'"
            " WHERE checkout_id = ANY (%s)", ([i[1] for i in items],))
    connection.close()
    results = together(*[lambda g=g, n=n: g.claim(f"worker-{n}", 8)
                         for n, g in enumerate(some)])
    taken = [row.checkout_id for rows in results for row in rows
             if row.outcome == "job"]
    while True:
        rest = [row.checkout_id for row in some[0].claim("last", 8)
                if row.outcome == "job"]
        if not rest:
            break
        taken.extend(rest)
    # jobs of other tests may have come due meanwhile: only ours count
    mine = {item[1] for item in items}
    assert sorted(t for t in taken if t in mine) == sorted(mine)


def test_overlapping_batches_in_opposite_orders_never_deadlock(gateways):
    """Two batches of every kind over the same keys, one of them backwards.
    A deadlock is an error here: together() lets none pass."""
    one, two, three = gateways(3)
    for number in range(200):
        items = fresh(12)
        checkouts = [item[1] for item in items]
        random.Random(number).shuffle(items)

        def both(call, batch):
            half = len(batch) // 3
            return together(lambda: call(one, batch[:-half]),
                            lambda: call(two, batch[::-1][:-half]),
                            lambda: call(three, batch))

        both(Gateway.begin, items)
        both(Gateway.store_no, [(c, "unknown") for c in checkouts[:4]])
        together(
            lambda: one.store([(c, c) for c in checkouts]),
            lambda: two.store([(c, c) for c in checkouts[::-1]]),
            lambda: three.apply([("webhook", f"{c}-early", "pending", c)
                                 for c in checkouts]))
        together(
            lambda: one.apply([("webhook", c, "paid", c)
                               for c in checkouts]),
            lambda: two.apply([("webhook", c, "paid", c)
                               for c in checkouts[::-1]]),
            lambda: three.finish([(c, "poll", "nobody", 0)
                                  for c in checkouts[::-1]]))
        assert status(one, checkouts[0]) == "SUCCESS"


def test_mixed_calls_over_few_keys_never_deadlock(gateways):
    """Anything against anything, on keys that are mostly taken."""
    some = gateways(6)
    items = fresh(10)

    def storm(gateway, seed):
        dice = random.Random(seed)
        for _ in range(60):
            batch = dice.choices(items, k=dice.randint(1, 8))
            what = dice.randrange(9)
            if what == 0:
                gateway.begin([(key, checkout, dice.choice(items)[2])
                               for key, checkout, _ in batch])
            elif what == 1:
                gateway.store([(c, dice.choice(items)[1])
                               for _, c, _ in batch], dice.choice(PSPS))
            elif what == 2:
                gateway.store_no([(c, dice.choice(["unknown", "not_sent",
                                                   "held"]))
                                  for _, c, _ in batch], dice.choice(PSPS),
                                 dice.choice([None, None, "retry_limit"]),
                                 dice.randrange(1, 5))
            elif what == 3:
                gateway.claim(f"worker-{seed}", len(batch))
            elif what == 4:
                gateway.finish([(c, dice.choice(["register", "poll"]),
                                 f"worker-{seed}", 0) for _, c, _ in batch])
            elif what == 5:
                gateway.reroute([(c, dice.choice(["not_sent", "refused"]))
                                 for _, c, _ in batch], dice.choice(PSPS),
                                dice.randrange(1, 5))
            elif what == 6:
                gateway.send([(c, dice.choice(["capture", "expire"]), order)
                              for _, c, order in batch], dice.choice(PSPS))
            elif what == 7:
                gateway.sent([(c, dice.choice(["capture", "expire"]), order,
                               dice.randrange(1, 3),
                               dice.choice(["DONE", "UNKNOWN", "REFUSED",
                                            "NOT_SENT"]))
                              for _, c, order in batch])
            else:
                gateway.apply([
                    (*dice.choice([
                        ("webhook", f"{c}-{dice.randrange(9)}"),
                        ("query", None)]),
                     dice.choice(["pending", "paid", "declined", "none"]), c)
                    for _, c, _ in batch] + [
                    (source, event_id, "ask", f"alias-{c}")
                    for _, c, _ in batch
                    for source, event_id in [
                        ("webhook", f"{c}-{dice.randrange(9)}"),
                        ("hint", None)]])

    together(*[lambda g=g, n=n: storm(g, n) for n, g in enumerate(some)])
