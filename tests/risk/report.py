#!/usr/bin/python3
"""The report of the generated world (docs/risk-score.md): how much of the money
of each attack the shipped rules and model cut.  The worlds are others than
those of the training (tests/risk/demo.py), and it is the gateway's own code
that decides (tests/risk/world_driver.c).

Usage: tests/risk/report.py [SEED…]; without any the stated ones
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tools/risk")]

import features  # noqa: E402
import world  # noqa: E402

BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
DRIVER = BUILD / "risk-world"
EXAMPLE = ROOT / "examples/risk"
STATED = range(11, 16)
DAY_S = 86400
# windows and histories are empty at first
FIRST_DAYS = 30
REVIEW = 0.01
ATTACKS = ("card_testing", "botnet", "account_takeover", "seller_collusion",
           "friendly_fraud")  # fmt: skip
# PostgreSQL tells the gateway about them, which has no database here
LOOKED_UP = ("amount_log", "shipping_differs", "buyer_orders",
             "buyer_failures", "buyer_disputes", "psp_risk", "device_days",
             "buyer_devices")  # fmt: skip
SEEN = ("at", "merchant", "buyer_info", "amount", "currency", "sellers")


class Looked:
    """A checkout that the gateway has looked at."""

    def __init__(self, line: str, event: dict, dollars: float):
        names, self.word, total, self.probability = line.split("\t")
        self.names = [name for name in names.split(",") if name]
        self.total, self.probability = float(total), float(self.probability)
        self.truth, self.label = event["truth"], event["label"]
        self.is_stolen = event["news"] == "dispute_fraud"
        self.at, self.dollars = event["at"], dollars


def build() -> None:
    make = ["make", "-s", "-C", str(ROOT), f"BUILD={BUILD}", "risk-world"]
    subprocess.run(make, check=True)


def drive(lines, rules: Path, model: Path | None) -> list[str]:
    command = [DRIVER, rules, *([model] if model else [])]
    done = subprocess.run(
        command, input="\n".join([*lines, ""]), capture_output=True,
        check=False, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.splitlines()


def look(events, vectors, model="demo.txt", told=LOOKED_UP, rules=None):
    """The checkouts behind the first days; told: features of the vectors that
    somebody has told the gateway."""
    lines = [
        json.dumps(
            {name: event[name] for name in SEEN}
            | {"known": {name: row["features"][name] for name in told}}
        )
        for event, row in zip(events, vectors, strict=True)
    ]
    found = drive(
        lines, rules or EXAMPLE / "demo.conf", model and EXAMPLE / model
    )
    begin = world.BEGIN_S + FIRST_DAYS * DAY_S
    looked = (
        Looked(line, event, row["amount"])
        for line, event, row in zip(found, events, vectors, strict=True)
    )
    return [one for one in looked if one.at >= begin]


def figures(looked) -> dict:
    good = [one for one in looked if one.truth == "honest"]
    return {
        "checkouts": len(looked),
        "good": {word: shares(good, count)[word]
                 for word in ("block", "review", "challenge")},
        "kinds": {
            kind: cut([one for one in looked
                       if one.truth == kind and one.is_stolen])
            for kind in ATTACKS
        },
    } | first(looked)  # fmt: skip


def count(_) -> float:
    return 1


def shares(looked, value) -> dict:
    whole = sum(map(value, looked))
    return {
        word: sum(value(one) for one in looked if one.word == word)
        / max(whole, 1e-9)
        for word in ("block", "review", "challenge", "allow")
    }


def cut(stolen) -> dict:
    return {"payments": len(stolen),
            "dollars": sum(one.dollars for one in stolen)} | shares(
        stolen, lambda one: one.dollars)  # fmt: skip


def first(looked) -> dict:
    """Precision and recall if those with the highest scores were looked at;
    possible: the recall of a score that errs never."""
    known = [one for one in looked if one.label is not None]
    known.sort(key=lambda one: -one.probability)
    number = round(REVIEW * len(known))
    bad = sum(one.label for one in known)
    denied = sum(one.truth == "friendly_fraud" and one.label for one in known)
    caught = sum(one.label for one in known[:number])
    return {
        "bad": bad,
        "friendly": denied,
        "precision": caught / number,
        "recall": caught / bad,
        "possible": min(1, number / bad),
    }


def report(seed, days=180, buyers=2000) -> dict:
    events = world.world(seed, days, buyers)
    vectors = list(features.vectors(events))
    return {
        "rules and model": figures(look(events, vectors)),
        "without the history": figures(
            look(events, vectors, told=("amount_log",))
        ),
        "scorecard alone": first(look(events, vectors, "demo.json")),
        "rules alone": figures(look(events, vectors, None)),
    }


def lines_of(name, found):
    """For a terminal: of each figure the worlds', their median, the worst."""
    yield f"{name}:"
    if "good" in found[0]:
        for word in ("block", "review", "challenge"):
            yield row(f"good ones, {word}",
                      [one["good"][word] for one in found], max)  # fmt: skip
        for kind in ATTACKS:
            there = [one["kinds"][kind] for one in found
                     if one["kinds"][kind]["payments"]]  # fmt: skip
            yield row(f"{kind}, cut", [1 - one["allow"] for one in there])
            yield row(f"{kind}, blocked", [one["block"] for one in there])
    if name != "rules alone":
        for part in ("precision", "recall", "possible"):
            yield row(f"{part} at {REVIEW:.0%}", [one[part] for one in found])


def row(name, values, worst=min) -> str:
    if not values:
        return f"  {name:<28} none"
    each = " ".join(f"{value:7.2%}" for value in values)
    return (f"  {name:<28} {each}  median {median(values):.2%},"
            f" worst {worst(values):.2%}")  # fmt: skip


def main(words) -> None:
    build()
    seeds = [int(word) for word in words] or STATED
    found = [report(seed) for seed in seeds]
    sizes = ", ".join(str(one["rules and model"]["checkouts"])
                      for one in found)  # fmt: skip
    print(f"worlds {', '.join(map(str, seeds))}; checkouts {sizes}")
    for name in found[0]:
        for line in lines_of(name, [one[name] for one in found]):
            print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
