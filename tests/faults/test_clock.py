"""A wall clock that is wrong while a PSP tells its news."""

import random

import pytest
from rig.machine import set_clock, with_clock
from rig.scene import Scene
from support.own_stack import wait_for


@pytest.mark.parametrize("offset", ("-2h", "+10d"))
def test_a_message_out_of_its_window_comes_again(stack, offset, seed):
    """M6: 401, which the PSP takes for a reason to send it again."""
    rng = random.Random(f"clock/{offset}/{seed}")
    scene = Scene(stack, rng, "M6")
    with_clock(scene)
    sale = scene.sale
    sale.insist()
    set_clock(stack, offset)

    def refused():
        return [each["last_status"] for each in sale.deliveries()] == [401]

    sale.pay()
    wait_for(refused, "the refusal")
    set_clock(stack, "+0")
    sale.finish()


def test_a_jump_is_told_and_a_reload_believes_it(stack, seed):
    scene = Scene(stack, random.Random(seed), "M5")
    with_clock(scene)
    log = stack.gateway.error_log
    start = log.stat().st_size
    scene.sale.insist()
    set_clock(stack, "+10d")

    def told():
        stack.jobs_now(scene.sale.id)
        return "the clock has jumped" in log.read_text()[start:]

    wait_for(told, "the warning")
    assert scene.sale.checkout.states() == {("EXECUTING", None)}
    stack.relieve()
    stack.jobs_now(scene.sale.id)
    scene.sale.checkout.becomes("FAILED", "expired")
    set_clock(stack, "+0")
