"""A back-up and its archive bring the payments back: the primary is lost under
load, the schema is dropped by mistake, rows are changed by hand.  And an
archive with a hole is seen, before the restore and after it.

The tests build on each other: each has the database that the one before it has
restored.
"""

import shutil
import time

import pytest
from host import Backed
from shops import stored
from support.worst_day import end_of_segment, lsn

SOME = 15  # payments
OPEN = "SELECT 1 FROM pay_view.recoveries WHERE state = 'open'"
FINDINGS = """
SELECT token FROM pay_view.recovery_findings
WHERE finding = 'unknown' AND fact = 'paid'"""


@pytest.fixture(scope="module")
def host():
    made = Backed()
    try:
        yield made
    finally:
        made.close()


class Recovery:
    """From the loss to the first payment behind it, as the document says."""

    def __init__(self, host, load, began: float):
        self.host, self.load, self.began = host, load, began

    def restore(self, block: str, **variables: str) -> None:
        host = self.host
        host.operator.does("close")
        self.before = list(self.load.promises)
        host.operator.does(block, **variables)
        host.stack.link = None
        host.operator.does("compare")
        self.stored_s = time.time() - self.began
        self.since = host.stack.value(
            "SELECT coalesce(max(at), now())::text FROM pay.event"
        )
        host.operator.does("begin the search", SINCE=self.since)

    def judge(self, safe: int):
        self.verdict = self.host.judge(self.before, safe)
        assert self.verdict.broken == [], self.verdict.broken[:5]
        return self.verdict

    def open(self) -> None:
        host, load = self.host, self.load
        host.operator.does("open")
        host.operator.does("search the PSPs", SINCE=self.since)
        self.found()
        if host.stack.sql(OPEN):
            host.operator.does("accept the findings", REASON="a drill")
        load.sell(SOME)
        since = load.promises[len(self.before) :]
        self.seconds = min(each.at for each in since) - self.began
        assert host.judge(since, None).broken == []
        shutil.rmtree(host.wrong, ignore_errors=True)

    def found(self) -> None:
        """Each payment that a storefront was told of is booked, or is a finding
        whose token leads to it."""
        stack = self.host.stack
        now = stored(stack)
        tokens = {token for (token,) in stack.sql(FINDINGS)}
        gone = [
            each.order_id
            for each in self.before
            if each.status == "SUCCESS" and now.get(each.order_id) != "SUCCESS"
        ]
        for order_id in gone:
            (made,) = stack.mock.books(nonce=order_id)["registrations"]
            assert made["token"] in tokens, order_id
        self.findings = len(gone)

    def __str__(self) -> str:
        return (
            f"compared after {self.stored_s:.1f} s, payments again after"
            f" {self.seconds:.1f} s, {self.verdict},"
            f" found at the PSP: {self.findings}"
        )


def test_the_archive_is_whole(host):
    assert "no finding" in host.operator.does("could it be restored")
    host.operator.does("every byte of it")


def test_a_lost_primary_comes_back_with_each_archived_payment(host, say):
    with host.shops() as load:
        load.sell(SOME)
        host.switch()
        load.sell(SOME)
        host.lose()
        recovery = Recovery(host, load, time.time())
        recovery.restore("the primary is lost")
        verdict = recovery.judge(host.archived())
        recovery.open()
    # kept: what had to be; lost: what nobody had archived
    assert verdict.kept >= SOME
    assert verdict.lost
    say(f"primary lost: {recovery}")


def test_a_dropped_schema_comes_back_as_it_was_just_before(host, say):
    with host.shops() as load:
        load.sell(SOME)
        place = lsn(host.flushed())
        moment = host.stack.value("SELECT clock_timestamp()::text")
        host.stack.sql("DROP SCHEMA pay CASCADE")
        recovery = Recovery(host, load, time.time())
        recovery.restore("back to a moment", MOMENT=moment)
        verdict = recovery.judge(place)
        recovery.open()
    assert verdict.kept >= SOME
    say(f"schema dropped: {recovery}")


def test_a_wrong_update_is_undone_and_nothing_before_it(host, say):
    host.stack.created()  # nobody has paid it
    with host.shops() as load:
        load.sell(SOME)
        place = lsn(host.flushed())
        host.stack.sql("UPDATE pay.payment_order SET status = 'SUCCESS'")
        recovery = Recovery(host, load, time.time())
        # the books are wrong, and payctl check says so
        host.operator.does("compare", code=1)
        said = host.operator.does("who has changed the rows")
        recovery.restore("back to before a transaction", XID=said.split("|")[0])
        verdict = recovery.judge(place)
        recovery.open()
    assert verdict.kept >= SOME
    say(f"wrong UPDATE: {recovery}")


def test_an_archive_with_a_hole_is_seen_before_and_after(host):
    """Seen to fail: the restore ends well, and what was archived is gone."""
    with host.shops() as load:
        load.sell(SOME)
        host.switch()
        load.sell(SOME)
        hole = host.switch()
        load.sell(SOME)
        last = host.switch()
        promises = list(load.promises)
    host.segments()[hole].unlink()
    said = host.operator.does("could it be restored", code=1)
    assert f"the first is {hole}" in said
    host.lose()
    host.operator.does("close")
    host.operator.does("the primary is lost")
    host.stack.link = None
    host.operator.does("compare")
    verdict = host.judge(promises, end_of_segment(last))
    assert len(verdict.broken) >= SOME
    host.operator.does("open")
