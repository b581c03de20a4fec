#!/usr/bin/python3
"""A world to learn from: merchants, buyers with habits, and six attacks, all
from one seed.  A model that was trained on it is a demonstration, since nobody
knows how far the world is from yours.

world(seed, days, buyers) returns events in the order of their time.  An event
has the fields that are known when a checkout is created (at, merchant,
buyer_info, amount in minor units, currency, orders, sellers), and those that
come later: outcome (paid, declined, abandoned), psp_risk (0 to 3), news
(dispute_fraud, dispute_other, refunded or none) with news_at, and label (1, 0,
or None when nobody will ever know) with label_at.  truth is the attack's name
or "honest", and is for tests alone.

Usage: tests/risk/world.py [SEED [DAYS [BUYERS]]] >events.jsonl
"""

import bisect
import json
import random
import sys

BEGIN_S = 1_767_225_600  # 2026-01-01
HOUR_S = 3600
DAY_S = 24 * HOUR_S
MATURE_DAYS = 45  # no bad news until then: good
COUNTRIES = ("DE", "FR", "US", "GB", "NL", "PL")
# units of a currency that are a dollar, and its decimals
CURRENCIES = {"USD": (1.0, 2), "EUR": (0.9, 2), "JPY": (150.0, 0)}
FREE_MAIL = ("gmail.com", "outlook.com", "yahoo.com")
AGENTS = ("Mozilla/5.0 (iPhone)", "Mozilla/5.0 (X11)", "Mozilla/5.0 (Windows)")
# How often a device gets a new name: docs/risk-score.md has the sources.  The
# share of buyers, and how often each removes cookies in 30 days
REMOVALS = ((0.69, 0), (0.24, 1.4), (0.07, 11.5))
REPLACED_DAYS = 365
# the share of thieves who look like a device of the victim
MIMICS = 0.1
# between two of a kind, on the average
EVERY_DAYS = {
    "card_testing": 10, "account_takeover": 2.5, "botnet": 30,
    "seller_collusion": 40, "friendly_fraud": 6, "refund_abuse": 6,
}  # fmt: skip


class World:
    def __init__(self, seed: int, days: int, buyers: int):
        self.draw = random.Random(seed)
        self.days = days
        self.carriers = [self.address() for _ in range(6)]
        self.merchants = [self.merchant(n) for n in range(5)]
        self.buyers = [self.buyer(n) for n in range(buyers)]
        self.events = []

    # who there is

    def address(self) -> str:
        return ".".join(str(self.draw.randint(1, 254)) for _ in range(4))

    def word(self, kind: str) -> str:
        return f"{kind}-{self.draw.getrandbits(40):010x}"

    def merchant(self, number: int) -> dict:
        return {
            "id": f"shop{number}",
            "currency": list(CURRENCIES)[number % 3],
            "sellers": [f"s{number}-{n}" for n in range(8 + 4 * number)],
            "usual": 15 * 1.8**number,
            # this storefront sends the address of its own server
            "server": self.address() if number == 4 else None,
        }

    def buyer(self, number: int) -> dict:
        draw = self.draw
        domain = draw.choice(
            FREE_MAIL
            if draw.random() < 0.6
            else ("firm.example", "isp.example")
        )
        born = BEGIN_S - int(draw.expovariate(1 / 300) * DAY_S)
        if draw.random() < 0.3:
            born = BEGIN_S + draw.randrange(self.days * DAY_S)
        return {
            "id": f"b{number}" if draw.random() < 0.85 else None,
            "email": f"{self.word('m')}@{domain}",
            "phone": f"+49{draw.randrange(10**9, 10**10)}",
            "devices": self.devices(),
            # behind the address of a carrier, with many others
            "ip": draw.choice(self.carriers)
            if draw.random() < 0.35
            else self.address(),
            "user_agent": draw.choice(AGENTS),
            "country": draw.choice(COUNTRIES),
            "born": born,
            "shops": draw.sample(self.merchants, 2),
            "hour": draw.gauss(17, 3),
            "per_month": draw.gammavariate(1.2, 2.2),
            "size": draw.lognormvariate(0, 0.4),
        }

    def devices(self) -> list[list[tuple[int, str]]]:
        """Of each device the names that it has one after the other, with the
        time of the first day of each."""
        draw = self.draw
        shares, removals = zip(*REMOVALS, strict=True)
        a_day = draw.choices(removals, shares)[0] / 30 + 1 / REPLACED_DAYS
        found = []
        for _ in range(draw.choice((1, 1, 2))):
            names, at = [], BEGIN_S
            while at < BEGIN_S + self.days * DAY_S:
                names.append((int(at), self.word("d")))
                at += draw.expovariate(a_day) * DAY_S
            found.append(names)
        return found

    # one checkout

    def device(self, buyer: dict, at: float) -> str:
        names = self.draw.choice(buyer["devices"])
        place = bisect.bisect(names, at, key=lambda name: name[0])
        return names[max(place, 1) - 1][1]

    def info(self, buyer: dict, shop: dict, at: float, **changes) -> dict:
        found = {
            "id": buyer["id"],
            "email": buyer["email"],
            "phone": buyer["phone"],
            "ip": shop["server"] or buyer["ip"],
            "user_agent": buyer["user_agent"],
            "device": self.device(buyer, at),
            "account_created_at": buyer["born"] if buyer["id"] else None,
            "billing_country": buyer["country"],
            "shipping_country": buyer["country"],
        } | changes
        return {name: value for name, value in found.items() if value}

    def add(self, at, shop, info, dollars, outcome, truth, **more) -> dict:
        units, decimals = CURRENCIES[shop["currency"]]
        draw = self.draw
        orders = more.pop("orders", 1 + (draw.random() < 0.2))
        sellers = more.pop("sellers", draw.sample(shop["sellers"], orders))
        bad = truth not in ("honest", "friendly_fraud", "refund_abuse")
        weights = (4, 3, 2, 1) if bad else (88, 9, 2, 1)
        event = {
            "at": int(at),
            "merchant": shop["id"],
            "buyer_info": info,
            "amount": max(1, round(dollars * units * 10**decimals)),
            "currency": shop["currency"],
            "orders": orders,
            "sellers": sellers,
            "outcome": outcome,
            "psp_risk": draw.choices(range(4), weights)[0],
            "truth": truth,
        }
        self.later(event, more.pop("news", None))
        self.events.append(event)
        return event

    def later(self, event: dict, news) -> None:
        """What becomes known, and when; of one that was not paid: nothing."""
        at, draw = event["at"], self.draw
        event |= {
            "news": None,
            "news_at": None,
            "label": None,
            "label_at": None,
        }
        if event["outcome"] != "paid":
            return
        if news is None and draw.random() < 0.004:
            news = "dispute_other"
        event["label"] = int(news == "dispute_fraud")
        event["label_at"] = at + MATURE_DAYS * DAY_S
        if news:
            delay = 3 + draw.betavariate(1.5, 3) * (MATURE_DAYS - 4)
            event |= {"news": news, "news_at": int(at + delay * DAY_S)}
        if news == "dispute_fraud":
            event["label_at"] = event["news_at"]

    def dollars(self, buyer: dict, shop: dict) -> float:
        return shop["usual"] * buyer["size"] * self.draw.lognormvariate(0, 0.5)

    # the honest

    def shop_as_usual(self, buyer: dict) -> None:
        draw = self.draw
        at = max(BEGIN_S, buyer["born"])
        end = BEGIN_S + self.days * DAY_S
        # who opens an account does it to buy something
        if buyer["born"] >= BEGIN_S and draw.random() < 0.7:
            at += draw.randint(60, 1800)
            if at < end:
                self.checkout(buyer, at, "honest")
        while True:
            at += draw.expovariate(max(buyer["per_month"], 0.1) / 30) * DAY_S
            if at >= end:
                return
            hour = draw.gauss(buyer["hour"], 2.5) % 24
            when = int(at // DAY_S * DAY_S + hour * HOUR_S)
            self.checkout(buyer, max(when, buyer["born"]), "honest")

    def checkout(self, buyer, at, truth, news=None, tries=3) -> None:
        draw = self.draw
        shop = draw.choices(buyer["shops"], (4, 1))[0]
        changes = {}
        if draw.random() < 0.04:  # a present
            changes["shipping_country"] = draw.choice(COUNTRIES)
        if draw.random() < 0.05:  # on a journey, or a new telephone
            changes["ip"] = shop["server"] or self.address()
        info = self.info(buyer, shop, at, **changes)
        dollars = self.dollars(buyer, shop)
        outcome = draw.choices(("paid", "declined", "abandoned"), (93, 5, 2))[0]
        self.add(at, shop, info, dollars, outcome, truth, news=news)
        while outcome == "declined" and tries and draw.random() < 0.7:
            tries -= 1
            at += draw.randint(30, 400)
            outcome = draw.choice(("paid", "declined"))
            self.add(at, shop, info, dollars, outcome, truth, news=news)

    # attacks

    def stolen(self, paid: float) -> tuple:
        """Outcome and news of a stolen card."""
        if self.draw.random() >= paid:
            return "declined", None
        return "paid", "dispute_fraud"

    def card_testing(self, at: float) -> None:
        """Many small amounts from one device in minutes."""
        draw = self.draw
        shop, device = draw.choice(self.merchants), self.word("d")
        addresses = [self.address() for _ in range(draw.choice((1, 1, 3)))]
        for _ in range(draw.randint(15, 45)):
            at += draw.expovariate(1 / 20)
            outcome, news = self.stolen(0.2)
            info = {
                "email": f"{self.word('t')}@{draw.choice(FREE_MAIL)}",
                "ip": shop["server"] or draw.choice(addresses),
                "user_agent": draw.choice(AGENTS),
                "device": device,
                "billing_country": draw.choice(COUNTRIES),
                "shipping_country": draw.choice(COUNTRIES),
            }
            self.add(at, shop, info, draw.choice((1, 1, 1.5, 2)), outcome,
                     "card_testing", news=news, orders=1)  # fmt: skip

    def account_takeover(self, at: float) -> None:
        """An old account, another device and country, something dear."""
        draw = self.draw
        victim = draw.choice([b for b in self.buyers if b["id"]])
        at = max(at, victim["born"])
        shop = draw.choice(victim["shops"])
        own = {"device": self.word("d"), "user_agent": draw.choice(AGENTS)}
        if draw.random() < MIMICS:
            own = {}
        info = self.info(
            victim, shop, at, ip=shop["server"] or self.address(),
            shipping_country=draw.choice(COUNTRIES), **own,
        )  # fmt: skip
        for _ in range(draw.randint(1, 3)):
            at += draw.expovariate(1 / 300)
            outcome, news = self.stolen(0.7)
            dollars = 3 * shop["usual"] * draw.lognormvariate(0, 0.4)
            self.add(at, shop, info, dollars, outcome, "account_takeover",
                     news=news)  # fmt: skip

    def botnet(self, at: float) -> None:
        """One try from each address, mailbox and device."""
        draw = self.draw
        shop = draw.choice(self.merchants)
        for _ in range(draw.randint(30, 60)):
            at += draw.expovariate(1 / 120)
            outcome, news = self.stolen(0.4)
            info = {
                "id": self.word("b"),
                "email": f"{self.word('n')}@{draw.choice(FREE_MAIL)}",
                "ip": shop["server"] or self.address(),
                "user_agent": draw.choice(AGENTS),
                "device": self.word("d"),
                "account_created_at": int(at) - draw.randint(10, 900),
                "billing_country": draw.choice(COUNTRIES),
                "shipping_country": draw.choice(COUNTRIES),
            }
            dollars = 1.5 * shop["usual"] * draw.lognormvariate(0, 0.3)
            self.add(at, shop, info, dollars, outcome, "botnet", news=news)

    def seller_collusion(self, at: float) -> None:
        """A seller and a few friends of his, who pay with stolen cards."""
        draw = self.draw
        shop = draw.choice(self.merchants)
        seller, device = draw.choice(shop["sellers"]), self.word("d")
        friends = [self.buyer(10**6 + draw.getrandbits(20)) for _ in range(4)]
        for _ in range(draw.randint(10, 25)):
            at += draw.expovariate(1 / (3 * HOUR_S))
            outcome, news = self.stolen(0.8)
            friend = draw.choice(friends)
            info = self.info(
                friend, shop, at, device=device,
                account_created_at=int(at) - draw.randint(1, 9) * DAY_S,
            )  # fmt: skip
            self.add(at, shop, info, draw.choice((50, 100, 200)), outcome,
                     "seller_collusion", news=news, orders=1, sellers=[seller]
                     )  # fmt: skip

    def friendly_fraud(self, at: float) -> None:
        """An ordinary purchase that its buyer denies: some do it again."""
        prone = [b for b in self.buyers[::12] if b["born"] < at]
        buyer = self.draw.choice(prone or self.buyers)
        self.checkout(buyer, int(max(at, buyer["born"])), "friendly_fraud",
                      "dispute_fraud")  # fmt: skip

    def refund_abuse(self, at: float) -> None:
        """Bought to be given back: no fraud to the label, and a nuisance."""
        buyer = self.draw.choice(self.buyers[5::25])
        self.checkout(buyer, int(max(at, buyer["born"])), "refund_abuse",
                      "refunded")  # fmt: skip

    def run(self) -> list[dict]:
        for buyer in self.buyers:
            self.shop_as_usual(buyer)
        end = BEGIN_S + self.days * DAY_S
        for name, days in EVERY_DAYS.items():
            at = BEGIN_S
            while True:
                at += self.draw.expovariate(1 / (days * DAY_S))
                if at >= end:
                    break
                getattr(self, name)(at)
        self.events.sort(key=lambda event: event["at"])
        for number, event in enumerate(self.events):
            event["id"] = f"e{number}"
        return self.events


def world(seed: int = 1, days: int = 180, buyers: int = 2000) -> list[dict]:
    return World(seed, days, buyers).run()


def main(words: list[str]) -> None:
    for event in world(*map(int, words)):
        print(json.dumps(event, separators=(",", ":")))


if __name__ == "__main__":
    main(sys.argv[1:])
