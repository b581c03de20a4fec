"""Fixtures of the fault sweep: one stack with hooks for each pytest worker.

Nothing of `make up` is used: what these tests do to a gateway, nobody else
should be asked to bear.
"""

import os
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

import pytest  # noqa: E402
from rig.referee import Referee, judged  # noqa: E402
from rig.stack import FaultStack  # noqa: E402


def seeds() -> list[int]:
    """FAULT_SEEDS of them from FAULT_SEED on."""
    first = int(os.environ.get("FAULT_SEED", "1"))
    count = int(os.environ.get("FAULT_SEEDS", "1"))
    return list(range(first, first + count))


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", seeds())


@pytest.fixture(scope="session")
def fault_stack():
    made = FaultStack()
    try:
        yield made
        Referee(made).check()
    finally:
        made.close()


@pytest.fixture
def stack(fault_stack):
    """The session's stack, configured as at first."""
    with judged(fault_stack):
        yield fault_stack


def cell_of(nodeid: str) -> str:
    """test_sweep.py::test_cell[kill-worker-M1-7] → test_cell[kill-worker-M1]"""
    name = nodeid.rpartition("::")[2]
    return re.sub(r"-\d+\]$", "]", re.sub(r"\[\d+\]$", "", name))


def pytest_terminal_summary(terminalreporter):
    """Cells × seeds, and the failures among them."""
    ran, failed = Counter(), Counter()
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            cell = cell_of(report.nodeid)
            if report.when == "call":
                ran[cell] += 1
            if outcome != "passed":
                failed[cell] += 1
    terminalreporter.section("cells")
    for cell in sorted(ran | failed):
        terminalreporter.line(
            f"{cell:<58} seeds:{ran[cell]:>4}  failed:{failed[cell]:>4}"
        )
    terminalreporter.line(
        f"{len(ran | failed)} cells, {ran.total()} runs, "
        f"{failed.total()} failed"
    )
