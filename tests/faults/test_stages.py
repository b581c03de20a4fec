"""A worker that stands still within a stage of a create."""

import random
import re
import time

import pytest
from rig.sale import Sale
from support.own_stack import wait_for

DEADLINE = (
    "payments_audience ",
    "payments_stage_timeout routing=10ms risk=10ms;\n    payments_audience ",
)


def timeouts(stack, stage: str) -> int:
    text = stack.http.get("/metrics").text
    name = rf'payments_stage_timeouts_total\{{stage="{stage}"\}}'
    return int(re.search(rf"^{name} (\d+)$", text, re.MULTILINE)[1])


@pytest.mark.parametrize("stage", ["routing", "risk"])
def test_a_choice_that_takes_too_long_is_refused_and_unstored(
    stack, seed, stage
):
    """Of PSPs, or by rules and a model."""
    stack.configure(DEADLINE)
    sale = Sale(stack, random.Random(f"stages/{seed}"))
    before = timeouts(stack, stage)
    stack.arm(f"within-{stage}")
    sale.start()
    pid = stack.caught()
    seen = time.monotonic()
    wait_for(lambda: time.monotonic() > seen + 0.05, "the deadline")
    stack.go_on(pid)
    heard = sale.answer()
    assert heard.status == 503
    assert heard.body["type"].endswith("/overloaded")
    assert sale.rows() == 0
    assert timeouts(stack, stage) == before + 1
    sale.finish()
