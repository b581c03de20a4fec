"""The stack that a worker of pytest-xdist has for itself.

The first worker, or pytest without workers, takes `make up`'s; each other one
brings up its like and takes it down.  So tests that run at the same time never
share a stack, and a file needs no word about where it may run.
"""

import contextlib
import os

from .gateway import load
from .own_stack import OwnStack


def is_first() -> bool:
    return os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"


@contextlib.contextmanager
def worker_stack():
    """The running stack (support/gateway.py) of this process."""
    if is_first():
        yield load()
        return
    # as make up's, whose rate ci/asan sets
    made = OwnStack(
        PAY_RATE=os.environ.get("PAY_RATE", ""),
        PAY_RATES="",
        MOCK_RETRY_MS="",
        PAY_BREAKER="",
    )
    try:
        yield made.gateway
    finally:
        made.close()
