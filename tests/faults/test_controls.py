"""Positive controls: bugs planted on purpose, which the referee must see.

A sweep that finds nothing is worth what it would have found.  The bugs of the
core are planted in the simulator; here are those it cannot have: of
PostgreSQL's settings, of its transactions, and of the answer to a webhook.
"""

import contextlib
import os
import random
import signal

import psycopg2
import pytest
from rig.pay_out import PayOut
from rig.planted import KEYS, LOST, Planted, outside_the_transaction, rewritten
from rig.referee import Referee
from rig.sale import Sale
from rig.scene import Scene
from rig.stack import FaultStack
from support.load import Load
from support.own_stack import wait_for
from support.payer import HASTY_OWN, Payer

ACKNOWLEDGED = 30
CRASHES = 3


@pytest.fixture
def doomed():
    """A stack whose end no referee has to like."""
    made = FaultStack()
    try:
        yield made
    finally:
        made.close()


def all_taken(sale) -> None:
    wait_for(
        lambda: all(e["state"] == "delivered" for e in sale.deliveries()),
        "the message to be taken",
        30,
    )


@contextlib.contextmanager
def locked(stack, checkout_id: str):
    """Somebody holds the checkout: whoever waits for it gives up."""
    link = psycopg2.connect(stack.values["PG_ADMIN_DSN"])
    try:
        with link.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pay.checkout WHERE checkout_id = %s "
                "FOR NO KEY UPDATE",
                (checkout_id,),
            )
        yield
    finally:
        link.rollback()
        link.close()


def test_a_commit_that_is_not_awaited_is_caught(doomed):
    """synchronous_commit=off and a crash: acknowledged payments are gone."""
    doomed.sql("ALTER SYSTEM SET synchronous_commit = off")
    doomed.sql("ALTER SYSTEM SET wal_writer_delay = '10s'")
    doomed.sql("ALTER SYSTEM SET wal_writer_flush_after = '1GB'")
    doomed.sql("SELECT pg_reload_conf()")
    wait_for(
        lambda: doomed.value("SHOW synchronous_commit") == "off", "the setting"
    )
    with pytest.raises(AssertionError, match="durability.sql"):
        doomed.check_invariants()
    lost = set()
    for _ in range(CRASHES):
        lost = lost or acknowledged_and_lost(doomed)
    assert lost, "nothing was lost: the control shows nothing"


def acknowledged_and_lost(stack) -> set[str]:
    """A crash right behind the last 201."""
    with Load(stack) as load:
        wait_for(lambda: len(load.acknowledged()) > ACKNOWLEDGED, "load")
        stack.crash_postgres()
        load.stop.set()
    stack.postgres("start")
    wait_for(stack.is_ready, "the gateway to be ready")
    return load.lost()


def test_a_posting_outside_the_webhooks_transaction_is_caught(doomed):
    """The message is kept although what it told of was rolled back."""
    outside_the_transaction(doomed)
    sale = Sale(doomed, random.Random("planted/outside"))
    sale.insist()
    with locked(doomed, sale.id):
        sale.pay("paid")
        all_taken(sale)
    with pytest.raises(AssertionError, match="webhook_paid"):
        doomed.check_invariants()
    with pytest.raises(AssertionError, match="paid at the PSP"):
        Referee(doomed).paid_is_success(doomed.mock.books())
    sale.close()


def test_an_answer_before_the_commit_is_caught(doomed):
    """200 first, then the commit: a worker that dies between them."""
    with Planted(doomed):
        scene = Scene(doomed, random.Random("planted/early"), "M6")
        with scene.held():
            scene.answered()
            os.kill(scene.pid, signal.SIGKILL)
            wait_for(doomed.is_ready, "a new worker")
        all_taken(scene.sale)
        books = doomed.mock.books()
        with pytest.raises(AssertionError, match="answered 2xx and not kept"):
            Referee(doomed).taken_is_kept(books)
        if scene.sale.result == "paid":
            with pytest.raises(AssertionError, match="paid at the PSP"):
                Referee(doomed).paid_is_success(books)


@pytest.mark.parametrize(
    ("planted", "end", "seen"),
    [
        (KEYS, "send done", "paid, and no item"),
        (LOST, "send refused lost", "'failed', "),
    ],
    ids=["fresh-key", "lost-is-refused"],
)
def test_a_pay_out_whose_call_is_lost_is_caught(doomed, planted, end, seen):
    """A worker dies while the provider has the payment, of which no message
    says so in time."""
    rewritten(doomed, *planted)
    doomed.configure(*HASTY_OWN)
    payer = Payer(doomed)
    payer.enter("generic")
    with payer.no_webhooks():
        held = PayOut(payer, random.Random("planted/payout"))
        with held.held(held.call, "accepted"):
            doomed.kill(held.pid)

        def ended():
            held.hurry()
            return end in payer.journal(held.item)

        wait_for(ended, end)
        with pytest.raises(AssertionError, match=seen):
            Referee(doomed).paid_out_once()
