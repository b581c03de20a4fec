"""Rows to train on from lines of payctl risk export: the features as they were
scored, and a label only where the outcome is certain.

1 is a label of fraud, from the time when it became known.  0 is a checkout that
was paid, has no such label and is so old that one would have come.  Younger
ones, those that nobody paid, and those that a reviewer rejected, which is an
opinion, have no label.
"""

import math
from collections import Counter
from datetime import datetime

DAY_S = 86400
PAID = ("paid", "refunded", "disputed")


def is_export(row: dict) -> bool:
    return "checkout" in row and "labels" in row


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def label_of(row: dict, mature_days: float) -> tuple:
    """(label, the time from which it is known), or (None, None)."""
    fraud = [seconds(one["at"]) for one in row["labels"]
             if one["label"] == "fraud"]  # fmt: skip
    if fraud:
        return 1, min(fraud)
    opinion = any(one["label"] == "rejected" for one in row["labels"])
    old = row["age_days"] >= mature_days
    if row["outcome"] in PAID and old and not opinion:
        return 0, seconds(row["at"]) + mature_days * DAY_S
    return None, None


def rows(lines, names, mature_days: float = 90) -> tuple[list[dict], Counter]:
    """As train.Rows takes them, and how many lines were left out and why."""
    found, left_out = [], Counter()
    for row in lines:
        features = row["features"]
        if features is None:
            left_out["not scored"] += 1
            continue
        if set(features) != set(names):
            left_out["features of another list"] += 1
            continue
        label, label_at = label_of(row, mature_days)
        if label is None:
            left_out["without a certain label"] += 1
            continue
        found.append({
            "id": row["checkout"],
            "at": seconds(row["at"]),
            # amounts of all currencies in one, as the score had it
            "amount": math.expm1(features["amount_log"] or 0),
            "label": label,
            "label_at": label_at,
            "features": features,
        })  # fmt: skip
    return found, left_out
