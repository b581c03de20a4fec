"""PostgreSQL's disk is full while a payment is held at a moment.

Of tables: what needs a new page fails, what finds room in an old one goes
through.  Of the log (WAL): the server panics, as at a crash.  Either way an
answer is true or 503, no PSP is called for what is not stored, and all goes on
when there is room again.
"""

import random

import psycopg2
import pytest
from rig.disk import Disk, postmaster_of
from rig.scene import Scene
from support.own_stack import wait_for

MOMENTS = ("M1", "M2", "M3", "M4", "M5", "M6", "M7")
# A token that could not be stored is not shown; one that is may be.
ALLOWED = {
    "M1": {201, 202, 503}, "M2": {201, 202, 503}, "M3": {201, 202, 503},
    "M4": {201, 202, 503}, "M5": {201},
}  # fmt: skip
# Needs new pages, so it shows that there are none.
GROW = "CREATE TABLE public.grows AS SELECT repeat('x', 9000000)"


@pytest.fixture(params=("base", "pg_wal"), ids=("tables", "wal"))
def disk(stack, request):
    made = Disk(stack, request.param)
    try:
        wait_for(stack.is_ready, "the gateway to be ready")
        yield made
    finally:
        made.close()
        wait_for(stack.is_ready, "the gateway to be ready")


def proven(stack, disk) -> None:
    """It is full; of the log that is the server's end."""
    if disk.part == "base":
        with pytest.raises(psycopg2.Error, match="extend|large|write"):
            stack.sql(GROW)
        return
    write = "SELECT pg_logical_emit_message(true, 'x', repeat('x', 100000))"
    with pytest.raises(psycopg2.Error):
        for _ in range(2 * disk.segments()):
            stack.sql("SELECT pg_switch_wal()")
            stack.sql(write)


def room_again(stack) -> None:
    """A server that did not get up by itself is started."""

    def there():
        try:
            return stack.sql("SELECT 1")
        except psycopg2.Error:
            stack.link = None
        if not postmaster_of(stack):
            stack.postgres("start")
        return None

    wait_for(there, "PostgreSQL to be back", 60)
    wait_for(stack.is_ready, "the gateway to be ready")


def test_a_full_disk_loses_nothing(stack, disk, seed):
    """Each moment in turn, on one disk."""
    rng = random.Random(f"disk/{disk.part}/{seed}")
    for moment in rng.sample(MOMENTS, len(MOMENTS)):
        scene = Scene(stack, rng, moment)
        with scene.held():
            with disk.full():
                proven(stack, disk)
                scene.release()
                heard = scene.answered()
                if heard is not None:
                    assert heard.status in ALLOWED[moment], (moment, heard)
                    assert heard.seconds < 8
                if moment == "M1" and heard.status == 503:
                    assert scene.sale.calls() == []
            room_again(stack)
        scene.sale.finish()
