"""Any sequence of sales, captures, refunds and disputes, by the API and at the
PSP, several at once, with webhooks that are sent, doubled or late: Hypothesis
looks for one after which the books do not agree.

The same sequences in each run; STATE_MACHINE_EXAMPLES=n tries n new ones.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from support.own_stack import HASTY_PSP, QUICK_JOBS, new_id, wait_for
from support.sold import Sold, books_hold, text

EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "0"))
AMOUNTS = {"USD": ("12.34",), "JPY": ("1200",), "KWD": ("1.230",)}
ENDS = {
    ("capture", "pending"): ("done", "failed"),
    ("refund", "pending"): ("done", "failed"),
    ("refund", "done"): ("returned",),
    ("dispute", "open"): ("won", "lost"),
}
# What a PSP may do to the call of a change.
FAULTS = {
    "none": None,
    "cut": {"kind": "drop"},
    "answer lost": {"kind": "drop_after_accept"},
    "broken": {"kind": "status", "status": 503},
    "late": {"kind": "delay", "ms": 100},
}
REFUSALS = {409, 422, 502}
# Which of those that are there, counted around: how many there are hangs on who
# came first, and Hypothesis wants the same draws of the same sequence.
PICKS = st.integers(0, 59)


def pick(found, picked):
    return found[picked % len(found)]


class Money(RuleBasedStateMachine):
    stack = None  # set by the test
    sales = Bundle("sales")

    def __init__(self):
        super().__init__()
        self.made = []
        self.asked = []  # (sale, key, tail, body, id)
        self.stack.mock.clear_faults()
        self.stack.mock.settings(capture_result="done", refund_result="done")

    def teardown(self):
        """Once all is told and nothing is under way, both sides agree."""
        self.stack.mock.clear_faults()
        for sale in self.made:
            self.tell(sale)
            self.settle(sale)
            sale.agree(with_psp=not self.letters(sale))

    # The storefront and its buyers.

    @rule(
        target=sales,
        psp=st.sampled_from(["generic", "stripe"]),
        currency=st.sampled_from(sorted(AMOUNTS)),
        capture=st.sampled_from(["automatic", "manual"]),
        quiet=st.booleans(),
    )
    def sells(self, psp, currency, capture, quiet):
        """quiet: events are held back; that money is held is always told,
        since a capture that is heard of before it tells of no more.
        """
        more = {"currency": currency, "capture": capture}
        if quiet and capture == "automatic":
            sale = Sold.of(self.stack, psp, AMOUNTS[currency], **more)
            sale.silence()
            self.stack.mock.pay(sale.token)
        else:
            sale = Sold.paid(self.stack, psp, AMOUNTS[currency], **more)
        if quiet and capture == "manual":
            sale.silence()
        sale.quiet = quiet
        sale.told = set()  # ids of events that were held back and sent
        self.made.append(sale)
        return sale

    @rule(
        sale=sales,
        tail=st.sampled_from(["refunds", "refunds", "capture", "cancel"]),
        share=st.sampled_from([None, 1, 3, 7, 10, 11]),
        result=st.sampled_from(["done", "pending", "failed"]),
        fault=st.sampled_from(sorted(FAULTS)),
    )
    def changes(self, sale, tail, share, result, fault):
        """share: tenths of the whole"""
        word = tail.removesuffix("s")
        if word in ("refund", "capture"):
            self.stack.mock.settings(**{f"{word}_result": result})
        if FAULTS[fault]:
            spoilt = {"operation": word, "nonce": sale.nonce}
            self.stack.mock.faults(spoilt | FAULTS[fault])
        self.ask(sale, tail, share)

    def ask(self, sale, tail, share):
        body = {}
        if share and tail != "cancel":
            whole = sale.minor()
            amount = text(max(1, whole * share // 10), sale.currency)
            body = {"amount": amount, "currency": sale.currency}
        key = new_id()
        answer = sale.change(tail, key, **body)
        assert answer.status_code in {201, 202} | REFUSALS, answer.text
        if answer.status_code in (201, 202):
            change_id = answer.json()[f"{tail.removesuffix('s')}_id"]
            self.asked.append((sale, key, tail, body, change_id))

    @rule(
        sale=sales,
        wanted=st.lists(
            st.tuples(
                st.sampled_from(["refunds", "refunds", "capture"]),
                st.sampled_from([None, 1, 3, 7]),
            ),
            min_size=2,
            max_size=5,
        ),
        disputed=st.sampled_from([0, 2, 10]),
        result=st.sampled_from(["done", "pending"]),
    )
    def all_want_it_at_once(self, sale, wanted, disputed, result):
        """Several storefronts, the buyer's bank, and an event that was held
        back; the books are judged while they are at it.
        """
        self.stack.mock.settings(refund_result=result, capture_result="done")
        acts = [partial(self.ask, sale, *each) for each in wanted]
        if disputed:
            acts.append(partial(self.dispute, sale, disputed))
        for event in first_of_each(sale.unsent(), sale.told)[:1]:
            acts.append(partial(self.tell_event, sale, event))
        with ThreadPoolExecutor(len(acts)) as pool:
            done = [pool.submit(act) for act in acts]
            while not all(each.done() for each in done):
                books_hold(self.stack)
            for each in done:
                each.result()

    def dispute(self, sale, share):
        """Unless others have the money before."""
        amount = max(1, sale.minor() * share // 10)
        try:
            sale.at_psp("dispute", amount_minor=amount, fee_minor=15)
        except httpx.HTTPStatusError as error:
            assert error.response.status_code < 500, error

    def tell_event(self, sale, event):
        sale.send(event)
        sale.told.add(event["id"])

    @rule(picked=PICKS)
    def repeats(self, picked):
        if not self.asked:
            return
        sale, key, tail, body, change_id = pick(self.asked, picked)
        answer = sale.change(tail, key, **body)
        assert answer.status_code in (201, 202), answer.text
        assert answer.json()[f"{tail.removesuffix('s')}_id"] == change_id

    # The PSP: its dashboard, banks, time.

    @rule(
        sale=sales,
        what=st.sampled_from(["refund", "capture", "release", "dispute"]),
        share=st.sampled_from([None, 1, 4]),
    )
    def happens_there(self, sale, what, share):
        money = sale.money()
        left = {
            "refund": money["refundable"],
            "capture": money["authorized"],
            "release": money["authorized"],
            "dispute": money["refundable"],
        }[what]
        if left <= 0:
            return
        body = {}
        if share and what != "release":
            body["amount_minor"] = max(1, left * share // 10)
        if what == "capture" and sale.psp == "stripe":
            body = {}  # a part would be the last, which its events do not say
        if what == "dispute":
            body |= {"amount_minor": left, "fee_minor": 15}
        sale.at_psp(what, **body)

    @rule(sale=sales, picked=PICKS, end=PICKS)
    def ends_there(self, sale, picked, end):
        found = [
            each
            for each in self.stack.mock.books(token=sale.token)["deeds"]
            if (each["kind"], each["status"]) in ENDS
        ]
        if not found:
            return
        deed = pick(found, picked)
        sale.ended(deed, pick(ENDS[deed["kind"], deed["status"]], end))

    @rule(sale=sales, picked=PICKS)
    def tells_one(self, sale, picked):
        """An event that was held back comes, and comes again.  In no order,
        but of two about one thing the first is first: no PSP numbers them.
        """
        events = first_of_each(sale.unsent(), sale.told)
        if events:
            self.tell_event(sale, pick(events, picked))

    @rule(sale=sales)
    def jobs_run(self, sale):
        self.stack.jobs_now(sale.id)

    # What always holds, and what holds in the end.

    @invariant()
    def books_hold_always(self):
        books_hold(self.stack)
        for sale in self.made:
            sale.agree(with_psp=False)

    def tell(self, sale):
        for event in sale.unsent():
            self.tell_event(sale, event)

    def settle(self, sale):
        """Jobs go on until no change of ours is open but what is pending at
        the PSP and what people have to decide: a call was refused, and one
        before it may have gone through.
        """

        def settled():
            self.tell(sale)
            self.stack.jobs_now(sale.id)
            pending = {
                each["key"].partition(":")[0]
                for each in self.stack.mock.books(token=sale.token)["deeds"]
                if each["status"] == "pending"
            }
            return self.open_changes(sale) <= pending | self.letters(sale)

        wait_for(settled, f"the changes of {sale.id}")

    def open_changes(self, sale) -> set:
        rows = self.stack.sql(
            "SELECT change_id FROM pay.change WHERE checkout_id = %s "
            "AND status IN ('NOT_STARTED', 'EXECUTING')",
            sale.id,
        )
        return {change_id for (change_id,) in rows}

    def letters(self, sale) -> set:
        rows = self.stack.sql(
            "SELECT operation_id FROM pay.dead_letter WHERE checkout_id = %s "
            "AND kind = 'change' AND state = 'open'",
            sale.id,
        )
        return {change_id for (change_id,) in rows}


def thing(event) -> str:
    """What an event is about: a refund, a dispute, or the payment."""
    data = json.loads(event["unsent"]["body"])["data"]
    data = data.get("object", data)
    kind = event["type"].partition(".")[0]
    return data["id"] if kind in ("refund", "dispute") else "payment"


def first_of_each(events, told) -> list:
    """Those that were sent, and of each thing the next one that was not."""
    found, seen = [], set()
    for event in events:
        if event["id"] in told:
            found.append(event)
        elif thing(event) not in seen:
            seen.add(thing(event))
            found.append(event)
    return found


@pytest.fixture(name="shop")
def quick_and_hasty(stack):
    stack.configure(QUICK_JOBS, HASTY_PSP)
    yield stack
    stack.mock.settings(capture_result="done", refund_result="done")
    stack.configure()


def test_no_history_of_money_breaks_the_books(shop):
    class Shop(Money):
        stack = shop

    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=EXAMPLES or 15,
            stateful_step_count=25,
            derandomize=not EXAMPLES,
            database=None,
            phases=(Phase.generate,),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
