"""Fixtures of the drills; each has a stack of its own.  At the end: how long
each took, and which payments were lost."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

import pytest  # noqa: E402
from pair_of_nodes import TwoNodes  # noqa: E402

LINES = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[LINES] = []


@pytest.fixture(scope="module")
def pair():
    made = TwoNodes()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def say(request):
    """A line of the summary."""
    return request.config.stash[LINES].append


def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.section("drills")
    for line in config.stash[LINES]:
        terminalreporter.line(line)
