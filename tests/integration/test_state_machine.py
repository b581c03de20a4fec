"""Any sequence of what storefront, buyer, PSP and worker may do, against a
model of a few lines: Hypothesis looks for one that breaks it.

The same sequences in each run; STATE_MACHINE_EXAMPLES=n tries n new ones.
"""

import json
import os

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
from support.client import plain
from support.own_stack import (
    CARDS,
    HASTY_PSP,
    QUICK_JOBS,
    Checkout,
    new_id,
    wait_for,
)

EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "0"))
RANK = {"NOT_STARTED": 0, "EXECUTING": 1, "FAILED": 2, "SUCCESS": 3}
AMOUNTS = {"USD": "12.34", "JPY": "1200", "KWD": "1.230"}
# What a PSP may do to the call that registers: its answer, the gateway's.
FAULTS = {
    "none": (None, {201}),
    "late": ({"kind": "delay", "ms": 200}, {201}),
    # a connection that was kept may be cut, and then it is tried once more
    "cut": ({"kind": "drop"}, {201, 202}),
    "answer lost": ({"kind": "drop_after_accept"}, {201, 202}),
    "broken": ({"kind": "status", "status": 500}, {202}),
    "broken after it": ({"kind": "status", "accept": True}, {202}),
    "refused": ({"kind": "status", "status": 422}, {502}),
}
# What becomes of the webhook: the mock's fault, whether it arrives.
DELIVERIES = {
    "sent": (None, True),
    "lost": ({"kind": "none"}, False),
    "doubled": ({"kind": "duplicate", "n": 2}, True),
}


class Sale(Checkout):
    """A checkout and what the model knows of it."""

    def __init__(self, stack, body, key, answer):
        super().__init__(stack, body, answer)
        self.key = key
        self.first = answer
        self.refused = answer.status_code == 502
        self.page = None
        self.at_psp = set()  # what the buyer did there
        self.status_seen = "NOT_STARTED"
        self.tags = {}  # path → ETag, body
        self.history = []

    def __repr__(self):
        return f"<{self.id}>"

    def may_be(self):
        """The statuses that the model allows now."""
        if self.refused:
            return {"FAILED"}
        if "paid, told" in self.at_psp:
            return {"SUCCESS"}
        allowed = {"NOT_STARTED", "EXECUTING"}
        if "declined, told" in self.at_psp:
            allowed = {"FAILED"}
        if self.at_psp & {"declined", "declined, told"}:
            allowed |= {"FAILED"}
        if "paid" in self.at_psp:
            allowed |= {"SUCCESS"}
        return allowed


class Storefront(RuleBasedStateMachine):
    stack = None  # set by the test
    sales = Bundle("sales")

    def __init__(self):
        super().__init__()
        self.made = []
        self.touched = None
        self.buyer = plain(timeout=30)

    def teardown(self):
        for sale in self.made:
            self.books_agree(sale)
        self.buyer.close()

    # The storefront.

    @rule(
        target=sales,
        amounts=st.sampled_from(sorted(AMOUNTS)),
        count=st.integers(1, 3),
        fault=st.sampled_from(sorted(FAULTS)),
    )
    def orders(self, amounts, count, fault):
        spoilt, wanted = FAULTS[fault]
        if spoilt:
            count = 1  # its nonce is known before the call
        body = self.stack.order(
            currency=amounts, amounts=(AMOUNTS[amounts],) * count
        )
        if spoilt:
            nonce = body["payment_orders"][0]["payment_order_id"]
            self.stack.mock.faults(
                {"operation": "register", "nonce": nonce} | spoilt
            )
        key = new_id()
        answer = self.stack.post(body, key)
        assert answer.status_code in wanted, (fault, answer.text)
        sale = Sale(self.stack, body, key, answer)
        self.made.append(sale)
        self.touched = sale
        return sale

    @rule(sale=sales)
    def repeats(self, sale):
        self.touched = sale
        again, shown = self.steady(
            sale, lambda: self.stack.post(sale.body, sale.key)
        )
        assert again.headers["Idempotent-Replayed"] == "true"
        if sale.refused:
            assert slug(again) == "psp-refused"
            return
        assert again.status_code == (
            201 if shown["redirect_url"] or shown["is_payment_done"] else 202
        )
        assert again.json() == shown

    @rule(sale=sales, also=st.sampled_from(["metadata", "amount"]))
    def reuses_its_key(self, sale, also):
        self.touched = sale
        body = json.loads(json.dumps(sale.body))
        if also == "metadata":
            body["metadata"] = {"n": 1}
        else:
            body["payment_orders"][0]["amount"] = "1" + AMOUNTS[sale.currency]
        answer = self.stack.post(body, sale.key)
        assert (answer.status_code, slug(answer)) == (
            422, "idempotency-key-reused")  # fmt: skip

    @rule(sale=sales)
    def orders_it_again(self, sale):
        self.touched = sale
        answer = self.stack.post(sale.body)
        assert (answer.status_code, slug(answer)) == (409, "order-exists")

    @rule(sale=sales, what=st.sampled_from(["payments", "checkouts"]))
    def reads_only_news(self, sale, what):
        self.touched = sale
        path = f"/v1/{what}/{sale.order_id if what == 'payments' else sale.id}"
        known = self.read(sale, path)
        headers = self.stack.headers() | {"If-None-Match": known[0]}
        answer = self.stack.http.get(path, headers=headers)
        if answer.status_code == 304:
            assert answer.content == b""
        else:
            assert answer.headers["ETag"] != known[0]

    @rule(sale=sales)
    def asks_why(self, sale):
        self.touched = sale
        path = f"/v1/payments/{sale.order_id}/explain"
        answer, shown = self.steady(sale, lambda: self.stack.get(path))
        told = answer.json()
        assert told["status"] == shown["status"]
        advice = told["safe_to_retry"]["answer"]
        if shown["status"] == "SUCCESS":
            assert advice == "no"
        elif shown["status"] == "FAILED":
            # a page that has refused a card takes another one
            page = told["registration"]["token"] is not None
            assert advice == ("after" if page else "yes")
        else:
            assert advice != "yes"
            assert told["waits_for"] != "nobody"
        # what happens meanwhile is in the later of the two
        later = self.stack.timeline(sale.order_id)
        assert told["events"] == later[: len(told["events"])]

    # The buyer.

    @rule(
        sale=sales,
        card=st.sampled_from(["paid", "declined"]),
        delivery=st.sampled_from(sorted(DELIVERIES)),
    )
    def pays(self, sale, card, delivery):
        if "paid" in sale.at_psp or not self.page_of(sale):
            return
        self.touched = sale
        spoilt, arrives = DELIVERIES[delivery]
        if spoilt:
            self.stack.mock.faults(
                {"operation": "webhook", "nonce": sale.nonce} | spoilt
            )
        form = {"number": CARDS[card], "expiry": "12/39", "cvc": "123"}
        answer = self.buyer.post(sale.page, data=form)
        assert answer.status_code == (303 if card == "paid" else 402)
        sale.at_psp.add(card)
        if arrives:
            end = "SUCCESS" if card == "paid" else "FAILED"
            wait_for(lambda: self.status(sale) == end, f"{sale} to be {end}")
            if card == "paid":
                sale.at_psp.add("paid, told")
            else:
                sale.at_psp.add("declined, told")

    def page_of(self, sale):
        """The hosted page; the buyer keeps it open and may try again."""
        ours = self.read_checkout(sale)["redirect_url"]
        if ours and not sale.page:
            answer = self.stack.http.get(ours)
            assert answer.status_code == 303, answer.text
            sale.page = answer.headers["Location"].partition("#")[0]
            assert sale.page.startswith(self.stack.mock.url)
        return sale.page

    @rule(sale=sales)
    def comes_back(self, sale):
        self.touched = sale
        answer = self.stack.http.get(f"/return/{sale.facts()[1]}")
        assert answer.status_code in (200, 303), answer.text
        if answer.status_code == 303:
            where = httpx.URL(answer.headers["Location"])
            assert where.params["checkout_id"] == sale.id
            assert where.params["status"] in sale.may_be()

    # The gateway's worker.

    @rule(sale=sales)
    def jobs_run(self, sale):
        self.touched = sale
        if sale.refused:
            assert self.stack.jobs_now(sale.id) == 0
            return

        def through():
            self.stack.jobs_now(sale.id)
            shown = self.read_checkout(sale)
            if "paid" in sale.at_psp:
                return shown["status"] == "SUCCESS"
            return shown["redirect_url"] or shown["status"] == "FAILED"

        wait_for(through, f"the jobs of {sale}")
        if "paid" in sale.at_psp:
            sale.at_psp.add("paid, told")

    # What always holds.

    @invariant()
    def the_state_machine_holds(self):
        sale, self.touched = self.touched, None
        if sale is None:
            return
        self.read(sale, f"/v1/payments/{sale.order_id}")
        shown = self.read_checkout(sale)
        statuses = {each["status"] for each in shown["payment_orders"]}
        assert statuses == {shown["status"]}
        assert shown["is_payment_done"] == (shown["status"] == "SUCCESS")
        self.timeline_is_a_path(sale)
        self.books_agree(sale)

    def timeline_is_a_path(self, sale):
        events = self.stack.timeline(sale.order_id)
        assert events[: len(sale.history)] == sale.history
        assert events[0]["kind"] == "created"
        path = [each["new_status"] for each in events]
        ranks = [RANK[each] for each in path]
        assert ranks == sorted(ranks), path
        sale.history = events

    def books_agree(self, sale):
        books = self.stack.mock.books(nonce=sale.nonce)
        assert len(books["registrations"]) <= 1
        if sale.status_seen == "SUCCESS":
            (booked,) = books["registrations"]
            assert "paid" in sale.at_psp

    def status(self, sale):
        return self.read_checkout(sale)["status"]

    def read_checkout(self, sale):
        return self.read(sale, f"/v1/checkouts/{sale.id}")[1]

    def read(self, sale, path):
        """(ETag, body); the ETag changes if and only if the body does."""
        answer = self.stack.get(path)
        assert answer.status_code == 200, answer.text
        tag, shown = answer.headers["ETag"], answer.json()
        if path in sale.tags:
            known, before = sale.tags[path]
            assert (tag == known) == (shown == before)
            assert int(tag.strip('"')) >= int(known.strip('"'))
        sale.tags[path] = tag, shown
        assert RANK[shown["status"]] >= RANK[sale.status_seen]
        sale.status_seen = shown["status"]
        return tag, shown

    def steady(self, sale, call):
        """The answer to a call while the checkout stayed as it was."""
        while True:
            before = self.read_checkout(sale)
            answer = call()
            if self.read_checkout(sale) == before:
                assert before["status"] in sale.may_be()
                return answer, before


def slug(answer):
    return answer.json()["type"].rpartition("/")[2]


@pytest.fixture(name="shop")
def quick_and_hasty(stack):
    stack.configure(QUICK_JOBS, HASTY_PSP)
    yield stack
    stack.configure()


def test_no_sequence_of_calls_breaks_the_model(shop):
    class Shop(Storefront):
        stack = shop

    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=EXAMPLES or 12,
            stateful_step_count=20,
            derandomize=not EXAMPLES,
            database=None,
            phases=(Phase.generate,),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
