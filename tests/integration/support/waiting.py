"""Waiting for a condition with a deadline, never for a length of time."""

import time


def wait_for(condition, deadline=90.0, what="the condition"):
    """Polls until condition() is true and returns its value.

    `deadline` is in seconds; an AssertionError names `what` when it passes.
    """
    limit = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= limit:
            raise AssertionError(f"gave up after {deadline} s on {what}")
        time.sleep(0.02)  # between two looks, not in place of a condition
