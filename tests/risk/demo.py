#!/usr/bin/python3
"""Trains examples/risk/demo.txt and demo.json, the models for a first try, on
six generated worlds.  The thresholds of examples/risk/demo.conf were chosen on
the worlds TUNED, and the figures of docs/risk-score.md are those of other ones
still (tests/risk/report.py).

Usage: tests/risk/demo.py [DIRECTORY]
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tools/risk")]

import features  # noqa: E402
import lightgbm  # noqa: E402
import scorecard  # noqa: E402
import train  # noqa: E402
import world  # noqa: E402

LEARNED = range(1, 7)
TUNED = range(7, 10)
TREES = 60
# small enough to lie in a repository
SMALL = {"num_leaves": 8, "learning_rate": 0.1, "seed": 1}


def main(words) -> None:
    out = Path(words[0]) if words else ROOT / "examples/risk"
    names = features.names()
    rows = train.Rows(
        [
            row
            for seed in LEARNED
            for row in features.vectors(world.world(seed))
        ],
        names,
    )
    data = lightgbm.Dataset(rows.x, rows.label, feature_name=names)
    booster = lightgbm.train(train.PARAMETERS | SMALL, data, TREES)
    train.write_trees(booster, out / "demo.txt", names)
    card = {"form": "scorecard", "features_hash": train.digest(names)}
    text = json.dumps(card | scorecard.train(rows), indent=1)
    (out / "demo.json").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
