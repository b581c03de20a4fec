#!/usr/bin/python3
"""The report of the generated world (docs/risk-score.md): how much of the money
of each attack example rules and a model cut, on days that no training has seen.

Usage: tests/risk/report.py [SEED [DAYS [BUYERS]]]
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools/risk")]

import features  # noqa: E402
import numpy  # noqa: E402
import train  # noqa: E402
import world  # noqa: E402

DAY_S = 86400
TEST_DAYS = 40
GAP_DAYS = 45
REVIEW, CHALLENGE, BLOCK = 0.01, 0.12, 0.008


def matrix(vectors, names) -> numpy.ndarray:
    filled = [row["features"] for row in vectors]
    return numpy.array([train.column(filled, name) for name in names]).T


def decided(x, names, scored, limits):
    """block, challenge, review or allow for each; a rule first: a device, buyer
    or address of mail that has tried four times within an hour is blocked."""
    tries = numpy.nan_to_num(
        x[:, [names.index(f"attempts_{key}_1h")
              for key in ("device", "email", "buyer")]]
    ).max(axis=1)  # fmt: skip
    return numpy.select(
        [(tries >= 4) | (scored >= limits["block"]),
         scored >= limits["review"], scored >= limits["challenge"]],
        ["block", "review", "challenge"], "allow",
    )  # fmt: skip


def report(seed=1, days=180, buyers=2000) -> dict:
    events = world.world(seed, days, buyers)
    vectors = list(features.vectors(events))
    names = features.names()
    x = matrix(vectors, names)
    at = numpy.array([event["at"] for event in events])
    cut = at.max() + 1 - TEST_DAYS * DAY_S
    label = numpy.array([-1 if event["label"] is None else event["label"]
                         for event in events])  # fmt: skip
    known = numpy.array([event["label_at"] or numpy.inf for event in events])
    learn = (at < cut - GAP_DAYS * DAY_S) & (label >= 0) & (known <= cut)
    data = train.lightgbm.Dataset(x[learn], label[learn], feature_name=names)
    booster = train.lightgbm.train(train.PARAMETERS | {"seed": 1}, data, 150)
    scored = booster.predict(x)
    # limits of the shares that people, buyers and sales bear, from the days
    # between training and test, whose labels are not looked at
    between = scored[(at >= cut - GAP_DAYS * DAY_S) & (at < cut)]
    limits = {
        "block": numpy.quantile(between, 1 - BLOCK),
        "review": numpy.quantile(between, 1 - BLOCK - REVIEW),
        "challenge": numpy.quantile(between, 1 - BLOCK - REVIEW - CHALLENGE),
    }
    words = decided(x, names, scored, limits)
    test = at >= cut
    money = numpy.array([row["amount"] for row in vectors])
    truth = numpy.array([event["truth"] for event in events])
    stolen = numpy.array([event["news"] == "dispute_fraud"
                          for event in events])  # fmt: skip
    good = test & (truth == "honest")
    kinds = {}
    for kind in ("card_testing", "account_takeover", "botnet",
                 "seller_collusion", "friendly_fraud"):  # fmt: skip
        of = test & stolen & (truth == kind)
        kinds[kind] = {"payments": int(of.sum()), "money": money[of].sum()} | {
            word: money[of & (words == word)].sum() / max(money[of].sum(), 1e-9)
            for word in ("block", "review", "challenge", "allow")
        }
    order = numpy.argsort(-scored[test & (label >= 0)], kind="stable")
    first = order[: round(REVIEW * len(order))]
    bad = label[test & (label >= 0)] == 1
    return {
        "tested_on": int(test.sum()),
        "good": {word: float((words[good] == word).mean())
                 for word in ("block", "review", "challenge")},
        "precision": float(bad[first].mean()),
        "recall": float(bad[first].sum() / bad.sum()),
        "kinds": kinds,
    }  # fmt: skip


def main(words) -> None:
    found = report(*map(int, words))
    print(
        f"{found['tested_on']} checkouts; at 1 % review precision"
        f" {found['precision']:.2f}, recall {found['recall']:.2f}"
    )
    print("good ones:", ", ".join(f"{word} {share:.2%}"
          for word, share in found["good"].items()))  # fmt: skip
    for kind, one in found["kinds"].items():
        print(f"{kind}: {one['payments']} paid, {one['money']:.0f} dollars;"
              f" block {one['block']:.0%}, review {one['review']:.0%},"
              f" challenge {one['challenge']:.0%},"
              f" allow {one['allow']:.0%}")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
