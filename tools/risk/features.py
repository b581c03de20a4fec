#!/usr/bin/python3
"""Makes the vectors of the learned score of events, as the gateway makes them
of a request: with nothing that was not known at the time.

Input: events as JSON lines in the order of their time (tests/risk/world.py has
the form).  Output: JSON lines with id, at, amount (in dollars), features, label
and label_at, as tools/risk/train.py reads them.

Usage: tools/risk/features.py <events.jsonl >vectors.jsonl
"""

import heapq
import itertools
import json
import math
import re
import sys
import time
from collections import defaultdict, deque
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAY_S = 86400
EARLIER = 50  # checkouts of a buyer
# units of a currency that are a dollar, and its decimals
DOLLAR = {"USD": (1.0, 2), "EUR": (0.9, 2), "JPY": (150.0, 0)}
FREE_MAIL = frozenset(
    re.findall(
        r'^FREE_MAIL\("([^"]+)"\)',
        (ROOT / "src/risk/free_mail.list").read_text(encoding="utf-8"),
        re.M,
    )
)


def names() -> list[str]:
    """The list that is compiled into the gateway."""
    text = (ROOT / "src/risk/feature.list").read_text(encoding="utf-8")
    return re.findall(r"^FEATURE\((\w+)\)", text, re.M)


class Window:
    """How many came in the last seconds, by key; a key that is missing has no
    count."""

    def __init__(self, seconds: int):
        self.seconds = seconds
        self.times = defaultdict(deque)

    def count(self, key, at: int):
        if not key:
            return None
        times = self.times[key]
        while times and times[0] <= at - self.seconds:
            times.popleft()
        return len(times)

    def add(self, key, at: int) -> None:
        if key:
            self.times[key].append(at)


def mailbox(email: str) -> str:
    """The address as the gateway's facts have it."""
    name, _, domain = email.lower().rpartition("@")
    if domain in ("gmail.com", "googlemail.com"):
        name = name.partition("+")[0].replace(".", "")
    return f"{name}@{domain}"


def dollars(event: dict) -> float:
    """Whole cents of it."""
    units, decimals = DOLLAR[event["currency"]]
    return round(event["amount"] / 10**decimals / units * 100) / 100


class Buyer:
    """The newest checkouts, by now: each is {} until its outcome is known."""

    def __init__(self):
        self.checkouts = deque(maxlen=EARLIER)

    def count(self, name: str, *values) -> int:
        return sum(one.get(name) in values for one in self.checkouts)

    def countries(self) -> set:
        return {one.get("country") for one in self.checkouts
                if one.get("what") == "paid"} - {None}  # fmt: skip

    def devices(self) -> dict:
        """Those that were paid from, each with the first time; not the ones
        of payments that were disputed as fraud."""
        return {one["device"]: one["at"] for one in reversed(self.checkouts)
                if one.get("what") == "paid" and one["device"]
                and one.get("news") != "dispute_fraud"}  # fmt: skip

    def psp_risk(self):
        said = [one["risk"] for one in self.checkouts
                if one.get("risk") is not None]  # fmt: skip
        return said[-1] if said else None


class History:
    """All that a gateway knows of earlier checkouts."""

    def __init__(self):
        self.buyers = defaultdict(Buyer)
        self.news = []
        self.serial = itertools.count()
        self.windows = {
            "ip": Window(600), "email": Window(3600), "id": Window(3600),
            "device": Window(3600),
        }  # fmt: skip

    def key(self, event: dict, name: str):
        """Each merchant has windows of its own."""
        value = event["buyer_info"].get(name)
        if value and name == "email":
            value = mailbox(value)
        return (event["merchant"], name, value) if value else None

    def buyer(self, event: dict):
        return self.key(event, "id") or self.key(event, "email")

    def hear(self, now: int) -> None:
        """News up to now; the outcome of an event is known a second later."""
        while self.news and self.news[0][0] <= now:
            _, _, checkout, said = heapq.heappop(self.news)
            checkout |= said

    def vector(self, event: dict) -> dict:
        at, info = event["at"], event["buyer_info"]
        self.hear(at)
        key = self.buyer(event)
        known = self.buyers.get(key) or Buyer()
        countries = known.countries()
        devices, device = known.devices(), info.get("device")
        when = time.gmtime(at)
        shipping = info.get("shipping_country")
        billing = info.get("billing_country")
        born = info.get("account_created_at")
        mail = (info.get("email") or "").rpartition("@")[2].lower()
        counts = {
            name: window.count(self.key(event, name), at)
            for name, window in self.windows.items()
        }
        return {
            "amount_log": round(math.log1p(dollars(event)), 6),
            "hour": when.tm_hour,
            "weekday": when.tm_wday + 1,
            "orders": event["orders"],
            "sellers": len(set(event["sellers"])),
            "account_age_days": max(0, at - born) // DAY_S if born else None,
            "email_is_free": int(mail in FREE_MAIL) if mail else None,
            "country_differs": int(shipping != billing)
            if shipping and billing
            else None,
            "shipping_differs": int(shipping not in countries)
            if shipping and countries
            else None,
            "attempts_ip_10m": counts["ip"],
            "attempts_email_1h": counts["email"],
            "attempts_buyer_1h": counts["id"],
            "attempts_device_1h": counts["device"],
            "buyer_orders": known.count("what", "paid") if key else None,
            "buyer_failures": known.count("what", "declined", "abandoned")
            if key
            else None,
            "buyer_disputes": known.count("news", "dispute_fraud")
            if key
            else None,
            "psp_risk": known.psp_risk(),
            "device_days": (at - devices.get(device, at)) // DAY_S
            if device and devices
            else None,
            "buyer_devices": len(devices) or None,
        }

    def keep(self, event: dict) -> None:
        at, info = event["at"], event["buyer_info"]
        for name, window in self.windows.items():
            window.add(self.key(event, name), at)
        key = self.buyer(event)
        if not key:
            return
        checkout = {}
        self.buyers[key].checkouts.append(checkout)
        said = {"what": event["outcome"], "risk": event["psp_risk"],
                "country": info.get("shipping_country"),
                "device": info.get("device"), "at": at}  # fmt: skip
        self.tell(at + 1, checkout, said)
        if event.get("news_at"):
            self.tell(event["news_at"], checkout, {"news": event["news"]})

    def tell(self, at: int, checkout: dict, said: dict) -> None:
        heapq.heappush(self.news, (at, next(self.serial), checkout, said))


def vectors(events):
    history = History()
    for event in events:
        yield {
            "id": event["id"],
            "at": event["at"],
            "amount": dollars(event),
            "features": history.vector(event),
            "label": event["label"],
            "label_at": event["label_at"],
        }
        history.keep(event)


def main() -> None:
    for row in vectors(json.loads(line) for line in sys.stdin):
        print(json.dumps(row, separators=(",", ":")))


if __name__ == "__main__":
    main()
