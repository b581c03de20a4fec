"""A pay-out while workers and PostgreSQL die around each of its steps: an item,
its batch and its approval are made once, and the provider pays the item once,
by its own books.

The rows of these moments are no part of the payment's matrix
(docs/reliability.md): a pay-out has steps of its own.
"""

import random

import pytest
from rig import faults
from rig.pay_out import PATIENCE_S, PayOut
from rig.referee import judged
from support.payer import AUDIENCE, HASTY_OWN, Payer

STRIKES = {
    "kill-worker": faults.kill_worker,
    "kill-all": faults.kill_all,
    "kill-postgres": faults.kill_postgres,
}
REQUESTS = {
    "item": "make_payout",
    "batch": "act_on_payout_batch",
    "approval": "act_on_payout_batch",
}
# Where the worker stands still; `accepted`: the provider has the payment and
# its answer is under way.
CALL = (
    "before-payout_send",
    "accepted",
    "after-payout_send",
    "before-end_payout_call",
    "after-end_payout_call",
)
# Where the second call differs from one alone: it begins as the first one does.
OF_TWO = ("accepted", "before-end_payout_call", "after-end_payout_call")
CLAIM = ("before-begin_payout_call", "after-begin_payout_call")
HOOKS = ("before-tell_payout_event", "after-tell_payout_event")


@pytest.fixture
def payer(fault_stack):
    """The stack with providers that pay sellers."""
    made = Payer(fault_stack, "stripe")
    edits = ((AUDIENCE, made.blocks() + AUDIENCE), *HASTY_OWN)
    with judged(fault_stack, *edits):
        made.enter("generic", "stripe")
        yield made


def strike(name: str, held: PayOut):
    """It strikes while the pay-out is held, and is mended."""
    with STRIKES[name](held):
        held.release()
        if name == "kill-all":
            _all_are_dead(held)


def _all_are_dead(held: PayOut):
    """Another worker may have begun the item's next call before it died, and
    nobody waits for its lease."""
    held.struck = held.last()[2]


@pytest.mark.parametrize("act", REQUESTS)
@pytest.mark.parametrize("when", ("before", "after"))
@pytest.mark.parametrize("name", STRIKES)
def test_a_request_is_done_once(payer, name, when, act, seed):
    rng = random.Random(f"payout/{name}/{when}/{act}/{seed}")
    held = PayOut(payer, rng)
    with held.held(held.request, act, f"{when}-{REQUESTS[act]}"):
        with STRIKES[name](held):
            held.release()
            answer = held.first.result(PATIENCE_S)
            if answer is not None:
                assert answer.status_code in (200, 201, 503), answer.text
            if name == "kill-all":
                _all_are_dead(held)
    held.finish()


@pytest.mark.parametrize("name", ("kill-all", "kill-postgres"))
def test_a_run_makes_an_item_once(payer, name, seed):
    """The worker may be dead when its transaction commits."""
    held = PayOut(payer, random.Random(f"run/{name}/{seed}"))
    with held.held(held.run):
        strike(name, held)
    held.made_by_run()
    held.finish()


@pytest.mark.parametrize("step", (*CLAIM, *CALL))
@pytest.mark.parametrize("name", STRIKES)
def test_an_item_is_paid_once(payer, name, step, seed):
    rng = random.Random(f"paid/{name}/{step}/{seed}")
    held = PayOut(payer, rng)
    with held.held(held.call, step):
        strike(name, held)
    held.finish()


@pytest.mark.parametrize("step", OF_TWO)
@pytest.mark.parametrize("name", STRIKES)
def test_an_item_of_two_calls_is_paid_once(payer, name, step, seed):
    """A seed strikes at the transfer or at the payout of the account."""
    rng = random.Random(f"steps/{name}/{step}/{seed}")
    held = PayOut(payer, rng, "stripe", rng.randint(0, 1))
    with held.held(held.call, step):
        strike(name, held)
    held.finish()


@pytest.mark.parametrize("name", STRIKES)
def test_a_refused_item_is_paid_nothing(payer, name, seed):
    """The refusal is not stored: nobody may take the item for unpaid until
    the provider has proven it."""
    rng = random.Random(f"refused/{name}/{seed}")
    held = PayOut(payer, rng, refused=True)
    with held.held(held.call, "before-end_payout_call"):
        strike(name, held)
    held.is_refused()


@pytest.mark.parametrize("step", HOOKS)
@pytest.mark.parametrize("name", STRIKES)
def test_a_message_of_the_provider_counts_once(payer, name, step, seed):
    rng = random.Random(f"message/{name}/{step}/{seed}")
    held = PayOut(payer, rng, rng.choice(("generic", "stripe")))
    with held.held(held.message, step):
        strike(name, held)
    held.finish()
