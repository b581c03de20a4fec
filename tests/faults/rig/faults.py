"""Faults that strike while a payment is held (scene.py): each a context that
breaks something, lets the payment go on, and mends it at its end.
"""

import contextlib
import os
import signal
import threading
import time

from support.own_stack import alive, wait_for

from .stack import DATABASE_S, PSP_S

OUTLAST_S = max(DATABASE_S, PSP_S) + 0.3


@contextlib.contextmanager
def kill_worker(scene):
    scene.stack.kill(scene.pid)
    yield
    wait_for(scene.stack.is_ready, "a new worker")


@contextlib.contextmanager
def kill_all(scene):
    """Master and workers; started again by hand."""
    scene.stack.kill_nginx()
    try:
        yield
    finally:
        scene.stack.start_nginx()


@contextlib.contextmanager
def stop_worker(scene):
    """It sleeps through every deadline, while another does its work."""
    end = time.monotonic() + OUTLAST_S
    sale = scene.sale
    if scene.moment == "M1":
        sale.insist()
    elif scene.moment in ("M2", "M3", "M4"):
        sale.registered()
    elif scene.moment == "M5":
        sale.hurry()
        sale.insist()
    else:
        sale.tried()
    # the fault is a length of time
    threading.Event().wait(max(0, end - time.monotonic()))
    yield


@contextlib.contextmanager
def reload(scene):
    old = scene.stack.relieve()
    yield
    scene.stack.drained(old)


@contextlib.contextmanager
def upgrade(scene):
    """The binary is exchanged while the payment is under way."""
    old = scene.stack.upgrade()
    yield
    wait_for(lambda: not alive(old), "the old nginx to end")


@contextlib.contextmanager
def kill_postgres(scene):
    scene.stack.crash_postgres()
    try:
        yield
    finally:
        scene.stack.postgres("start")
    wait_for(scene.stack.is_ready, "the gateway to be ready")


@contextlib.contextmanager
def stop_postgres(scene):
    """Its backends stand still: nothing is refused, nothing answered."""
    backends = scene.stack.backends()
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in backends:
            scene.stack.go_on(pid)
    wait_for(scene.stack.is_ready, "the gateway to be ready")


@contextlib.contextmanager
def read_only(scene):
    """As after a fail-over to a standby that nobody promoted."""
    stack = scene.stack
    stack.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        _reloaded(stack, "on")
        yield
    finally:
        stack.sql("SET default_transaction_read_only = off")
        stack.sql("ALTER SYSTEM RESET default_transaction_read_only")
        stack.sql("RESET default_transaction_read_only")
        _reloaded(stack, "off")
    wait_for(stack.is_ready, "the gateway to be ready")


def _reloaded(stack, value: str) -> None:
    stack.sql("SELECT pg_reload_conf()")
    wait_for(
        lambda: stack.value("SHOW default_transaction_read_only") == value,
        "the setting",
    )

