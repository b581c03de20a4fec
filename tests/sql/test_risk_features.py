"""The history that a score is made of is the same in PostgreSQL, for a new
checkout, and in tools/risk/features.py, for the training: a small world comes
in through the operations of the gateway, and each checkout of it is compared
before it is stored.

A feature that the two make differently gives wrong scores without any sign of
it.
"""

import heapq
import itertools
import json
import math
import sys

from test_risk import BEGIN, ROOT, TOKEN, arguments, connections, key, risk

sys.path[:0] = [str(ROOT / "tools/risk"), str(ROOT / "tests/risk")]
import features  # noqa: E402
import world  # noqa: E402

__all__ = ["connections"]
OUTCOMES = {"paid": "paid", "declined": "declined", "abandoned": "expired"}
DISPUTES = {"dispute_fraud": "fraudulent", "dispute_other": "duplicate"}

HISTORY = """
SELECT h.orders, h.failures, h.disputes, h.ships, h.psp_risk, h.cents,
    h.devices, h.device_at
FROM pay_api.get_buyer_history('{m}', ARRAY[%(buyer)s]::text[], '{NULL}',
    ARRAY[%(country)s]::text[], ARRAY[%(currency)s], ARRAY[%(minor)s]::bigint[],
    ARRAY[%(device)s]::text[], '{NULL}') h"""
# a decision has the time of its event; no gateway could write it
AT = """
ALTER TABLE pay.risk_decision DISABLE TRIGGER risk_decision_fixed;
UPDATE pay.risk_decision SET at = to_timestamp(%(at)s)
WHERE checkout_id = %(id)s;
ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed;
SELECT 1"""
TOLD = """
SELECT e.outcome FROM pay_api.apply_event('{stripe}', '{webhook}',
    ARRAY['e-' || %(id)s], '{t}', ARRAY[%(fact)s], ARRAY[%(id)s],
    ARRAY['pi-' || %(id)s], '{NULL}', '{NULL}', '{NULL}',
    ARRAY[sha256('b')], '{r}', '{NULL}', '{NULL}', ARRAY['ch-' || %(id)s],
    '{1}', ARRAY['ch-' || %(id)s], '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', ARRAY[%(score)s]::bigint[], '{NULL}', '{0}') e"""
DISPUTED = """
SELECT e.outcome FROM pay_api.apply_change('{stripe}', '{webhook}',
    ARRAY['d-' || %(id)s], '{t}', '{dispute}', '{opened}', '{NULL}',
    ARRAY['pi-' || %(id)s], ARRAY['dp-' || %(id)s], '{NULL}', '{100}',
    '{USD}', '{NULL}', '{NULL}', ARRAY[%(code)s], ARRAY[sha256('b')],
    '{r}') e"""
DUE = """
SELECT b.outcome FROM pay_api.begin_rates('{s}', '{w}', '{1}', '{60000}') b"""
RATES = """
SELECT e.outcome FROM pay_api.end_rates('{s}', '{w}', '{USD}',
    ARRAY['{"EUR": "0.9", "JPY": "150"}'::jsonb], '{NULL}', '{0}',
    '{3600000}') e"""


# of the gateway's role, in part
SETTINGS = "SET jit = off; SET plan_cache_mode = force_generic_plan"


def device(event: dict):
    name = event["buyer_info"].get("device")
    return key(name) if name else None


class Shop:
    """The gateway's operations on one database."""

    def __init__(self, connection):
        self.connection = connection
        self.news = []
        self.serial = itertools.count()
        with connection.cursor() as cursor:
            cursor.execute(SETTINGS)

    def call(self, query: str, **values):
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchone()

    def create(self, event: dict, buyer) -> None:
        ids = [event["id"]]
        shipping = event["buyer_info"].get("shipping_country")
        facts = {"shipping_country": shipping} if shipping else {}
        document = {"version": "c0ffee", "decision": "allow",
                    "allowed": False, "facts": facts}  # fmt: skip
        if buyer:
            document["buyer"] = buyer
        if device(event):
            document["device"] = device(event)
        values = {"n": 1, "ids": ids, "currencies": ["USD"]}
        values |= arguments([risk()]) | {"risks": [json.dumps(document)]}
        assert self.call(BEGIN, **values) == (1, 0, 1)
        assert self.call(TOKEN, n=1, ids=ids) == (1,)
        assert self.call(AT, id=event["id"], at=event["at"]) == (1,)

    def expect(self, at: int, query: str, **values) -> None:
        heapq.heappush(self.news, (at, next(self.serial), query, values))

    def hear(self, now: int) -> None:
        while self.news and self.news[0][0] <= now:
            _, _, query, values = heapq.heappop(self.news)
            assert self.call(query, **values) == ("applied",), values

    def keep(self, event: dict) -> None:
        self.expect(event["at"] + 1, TOLD, id=event["id"],
                    fact=OUTCOMES[event["outcome"]],
                    score=25 * event["psp_risk"] + 24)  # fmt: skip
        if event["news"] in DISPUTES:
            self.expect(event["news_at"], DISPUTED, id=event["id"],
                        code=DISPUTES[event["news"]])  # fmt: skip

    def history(self, event: dict, buyer) -> dict:
        """As src/risk/vector.c takes it."""
        orders, failures, disputes, ships, psp_risk, cents, devices, since = (
            self.call(
                HISTORY, buyer=buyer, currency=event["currency"],
                minor=event["amount"], device=device(event),
                country=event["buyer_info"].get("shipping_country"),
            )
        )  # fmt: skip
        found = {
            "buyer_orders": orders,
            "buyer_failures": failures,
            "buyer_disputes": disputes,
            "psp_risk": psp_risk,
            "shipping_differs": None if ships is None else 1 - ships,
            "buyer_devices": devices or None,
            "device_days": None
            if not devices or not device(event)
            else 0 if since is None
            else (event["at"] - since) // 86400,
        }
        if not buyer:
            found = dict.fromkeys(found)
        return found | {"amount_log": round(math.log1p(cents / 100), 6)}


def test_a_world_has_the_same_history_in_both(connect):
    # of the attacks, not those whose buyers never come back
    events = [event for event in world.world(6, 40, 15)
              if event["truth"] not in ("card_testing", "botnet")]  # fmt: skip
    names = features.History()
    shop = Shop(connect())
    assert (shop.call(DUE), shop.call(RATES)) == (("due",), ("stored",))
    seen = set()

    for row, event in zip(features.vectors(events), events, strict=True):
        who = names.buyer(event)
        buyer = key("/".join(who)) if who else None
        shop.hear(event["at"])
        ours = shop.history(event, buyer)
        wanted = {name: row["features"][name] for name in ours}
        assert ours == wanted, event
        seen |= set(wanted.items())
        shop.create(event, buyer)
        shop.keep(event)

    # the world has each of them
    for name in ("buyer_orders", "buyer_failures", "buyer_disputes",
                 "psp_risk", "shipping_differs"):  # fmt: skip
        assert {(name, 0), (name, 1)} <= seen, name
    assert {("device_days", None), ("device_days", 0),
            ("device_days", 1)} <= seen  # fmt: skip
    assert {("buyer_devices", None), ("buyer_devices", 1),
            ("buyer_devices", 2)} <= seen  # fmt: skip
    assert ("psp_risk", 3) in seen
    assert ("psp_risk", None) in seen
