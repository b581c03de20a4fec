"""The invariants I1 to I8 over everything a stack has seen, with the mock
PSP's own books as the oracle.

What sql/checks says holds inside PostgreSQL; what is asked here is whether
PostgreSQL and the world outside tell the same story.
"""

import contextlib
from collections import defaultdict

from support.own_stack import wait_for

# Whose webhooks go into the inbox under their own event id.
BOOKED = ("generic", "stripe")
# States of a pay-out: the provider may have it, or has sent the money.
OPEN = ("sending", "unknown")
LEFT = ("sent", "paid", "settled")


class Referee:
    def __init__(self, stack):
        self.stack = stack

    def check(self) -> None:
        self.stack.check_invariants()  # I1, I2, I4, I5 and part of I8
        books = self.stack.mock.books()
        self.paid_is_success(books)
        self.one_registration(books)
        self.changed_once(books)
        self.taken_is_kept(books)
        self.paid_out_once()
        self.nothing_waits_for_ever()

    def paid_is_success(self, books: dict) -> None:
        """I3: what a PSP has been paid for is SUCCESS here, and only that."""
        stored = dict(
            self.stack.sql(
                "SELECT c.checkout_uuid::text, string_agg(DISTINCT o.status, "
                "' ') FROM pay.checkout c JOIN pay.payment_order o "
                "USING (merchant_id, checkout_id) GROUP BY 1"
            )
        )
        paid = {
            each["reference"]
            for each in books["registrations"]
            if each["captured_minor"] > 0
        }
        found = {each: stored.get(each) for each in paid}
        wrong = {k: v for k, v in found.items() if v != "SUCCESS"}
        assert not wrong, f"paid at the PSP, here: {wrong}"
        success = {k for k, v in stored.items() if "SUCCESS" in v}
        assert success <= paid, f"nobody paid for {success - paid}"

    def one_registration(self, books: dict) -> None:
        """I1: one nonce for a checkout, whatever PSP it reached."""
        nonces = defaultdict(set)
        for each in books["registrations"]:
            nonces[each["reference"]].add(each["nonce"])
        several = {k: v for k, v in nonces.items() if len(v) > 1}
        assert not several, f"checkouts with several nonces: {several}"

    def changed_once(self, books: dict) -> None:
        """I1, I2: one deed at the PSP for a change of ours, of its amount."""
        asked = dict(
            self.stack.sql(
                "SELECT change_id, amount_minor FROM pay.change "
                "WHERE origin = 'merchant' UNION ALL "
                "SELECT refund_id::text, amount_minor FROM pay.late_success "
                "WHERE refund_id IS NOT NULL"
            )
        )
        done = defaultdict(list)
        for each in books["deeds"]:
            if each["key"]:
                done[each["key"].partition(":")[0]].append(each["amount_minor"])
        wrong = {k: v for k, v in done.items() if [asked.get(k)] != v}
        assert not wrong, f"done at the PSP: {wrong}, asked for: {asked}"

    def taken_is_kept(self, books: dict) -> None:
        """I6: a webhook that was answered 2xx is in the inbox."""
        told = {
            (each["dialect"], each["id"])
            for each in books["webhooks"]
            if each["state"] == "delivered" and each["dialect"] in BOOKED
        }
        kept = set(
            self.stack.sql("SELECT psp, event_id FROM pay.webhook_inbox")
        )
        assert told <= kept, f"answered 2xx and not kept: {told - kept}"

    def paid_out_once(self) -> None:
        """Each item is paid once by its provider's books or not at all, as it
        says itself; and nobody is paid what is no item.
        """
        answer = self.stack.mock.http.get("/payouts")
        paid = {
            (provider, key): row
            for provider, keys in answer.json()["paid"].items()
            for key, row in keys.items()
        }
        rows = self.stack.sql(
            "SELECT provider, payout_key || '-' || attempt, state, "
            "amount_minor, currency FROM pay.payout"
        )
        items = {(provider, key) for provider, key, *_ in rows}
        strange = {each: paid[each] for each in paid if each not in items}
        assert not strange, f"paid, and no item: {strange}"
        for provider, key, state, amount, currency in rows:
            row = paid.get((provider, key))
            if state in OPEN:
                assert row is None or row["live"] <= 1, (state, row)
            elif state in LEFT:
                wanted = (1, 1, amount, currency)
                names = ("count", "live", "left_minor", "currency")
                assert row, f"{key} is {state}, and {provider} has not paid it"
                found = tuple(row[name] for name in names)
                assert found == wanted, (state, row, wanted)
            else:
                assert row is None or row["live"] == 0, (state, row)

    def nothing_waits_for_ever(self) -> None:
        """I8: what is due is taken; no lease outlives its worker unseen."""
        overdue = (
            "SELECT checkout_id, kind, attempts FROM pay.job "
            "WHERE run_at < now() - interval '5 s' AND "
            "coalesce(lease_until, '-infinity') < now() - interval '5 s'"
        )
        wait_for(lambda: not self.stack.sql(overdue), "overdue jobs to be done")


@contextlib.contextmanager
def judged(stack, *edits):
    """The stack, configured with these edits, whole, its mock well-behaved;
    the referee has looked at everything afterwards."""
    stack.configure(*edits)
    stack.boot()
    stack.whole()
    yield
    stack.disarm()
    stack.mock.clear_faults()
    Referee(stack).check()
