"""The kill sweep across two nodes: one is killed while it holds a payment, a
worker of it or all of it, and the other takes the retries, the webhooks and
the jobs; the first comes back when all is over.

Which cells run in the suite of all, and which on demand: docs/reliability.md.
"""

import os
import random

import pytest
from rig.matrix import EVERY
from rig.referee import Referee
from rig.scene import Scene
from rig.stack import HASTY
from support.own_stack import wait_for
from support.second_node import SecondNode

# Of each kind of moment one, and each in both ways over the seeds.
FEW = [("all", "M2"), ("all", "M4"), ("worker", "M5"), ("all", "M6")]
ALL = [(strike, moment) for strike in ("worker", "all") for moment in EVERY]
CELLS = ALL if os.environ.get("TWO_NODE_CELLS") == "all" else FEW
IDS = [f"{strike}-{moment}" for strike, moment in CELLS]


@pytest.fixture(scope="module")
def other(fault_stack):
    """The node that is not killed; it has hooks, and none is armed."""
    fault_stack.configure()
    made = SecondNode(fault_stack)
    made.configure(*HASTY)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def told_to(stack, other):
    """Where the PSP sends its webhooks."""

    def tell(node) -> None:
        urls = {n: f"{node.url}/webhooks/{n}" for n in ("generic", "stripe")}
        stack.mock.settings(webhook_urls=urls)

    tell(stack)
    yield tell
    tell(stack)


@pytest.mark.parametrize(("strike", "moment"), CELLS, ids=IDS)
def test_the_other_node_goes_on(stack, other, told_to, strike, moment, seed):
    rng = random.Random(f"two-nodes/{strike}/{moment}/{seed}")
    scene = Scene(stack, rng, moment)
    with scene.held():
        if strike == "all":
            stack.kill_nginx()
        else:
            stack.kill(scene.pid)
        try:
            told_to(other)
            heard = scene.sale.answer() if scene.creates else None
            assert heard is None or heard.status is None
            # from here on the storefront goes to the other node alone
            scene.sale.stack = scene.sale.checkout.stack = other
            scene.sale.finish()
            Referee(other).check()
        finally:
            if strike == "all":
                stack.start_nginx()
    wait_for(stack.is_ready, "the killed node's return")
    assert (
        scene.sale.checkout.status()
        == stack.payment(scene.sale.checkout.order_id)["status"]
    )
