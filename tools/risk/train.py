#!/usr/bin/python3
"""Trains the learned scores of risk: LightGBM, and a scorecard beside it.

Input: lines of payctl risk export, labelled here (tools/risk/export.py),
or vectors with labels (tools/risk/features.py), JSON lines or CSV with the
columns id, at, amount, label, label_at and one for each feature; an empty field
is missing.  Rows without a label are not used.

Split: by time, never by row.  For each fold there is a cut; rows before the cut
and the gap are trained on, if their label was known at the cut, and rows of the
days behind the cut are the test.  The models that are written are those of the
last fold, so that the report is about them.

Needs lightgbm (ci/install --python), for which the gateway has no need.
Usage: tools/risk/train.py --data vectors.jsonl --out DIRECTORY [--gap-days 45]
[--test-days 30] [--folds 2] [--trees 150] [--seed 1] [--mature-days 90].
Writes model.txt, scorecard.json and report.json.
"""

import argparse
import csv
import hashlib
import json
import re
import sys
from pathlib import Path

import evaluate
import export
import features
import lightgbm
import numpy
import scorecard

DAY_S = 86400
PARAMETERS = {
    "objective": "binary", "verbose": -1, "num_threads": 1,
    "deterministic": True, "force_row_wise": True, "num_leaves": 15,
    "max_depth": 6, "learning_rate": 0.05, "min_data_in_leaf": 40,
    "lambda_l2": 5.0, "feature_fraction": 0.8, "bagging_fraction": 0.8,
    "bagging_freq": 1,
}  # fmt: skip


def digest(names) -> str:
    """pay_risk_features_hash()"""
    text = "".join(name + "\n" for name in names)
    return hashlib.sha256(text.encode()).hexdigest()


class Rows:
    """Those that have a label, in the order of their time."""

    def __init__(self, rows, names):
        rows = sorted(
            (row for row in rows if row["label"] not in (None, "")),
            key=lambda row: float(row["at"]),
        )
        self.names = names
        self.at = column(rows, "at")
        self.amount = column(rows, "amount")
        self.label = column(rows, "label").astype(int)
        self.label_at = column(rows, "label_at")
        inner = [row.get("features", row) for row in rows]
        self.x = numpy.array([column(inner, name) for name in names]).T

    def part(self, chosen):
        made = object.__new__(Rows)
        made.names = self.names
        for name in ("at", "amount", "label", "label_at", "x"):
            setattr(made, name, getattr(self, name)[chosen])
        return made


def column(rows, name) -> numpy.ndarray:
    values = (row[name] for row in rows)
    return numpy.array(
        [numpy.nan if v is None or v == "" else float(v) for v in values]
    )


def read(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        if path.suffix == ".csv":
            return list(csv.DictReader(lines))
        return [json.loads(line) for line in lines]


def splits(rows: Rows, options):
    """(cut, rows to train on, rows to test) of each fold, the last one last."""
    end = rows.at.max() + 1
    for fold in range(options.folds, 0, -1):
        cut = end - fold * options.test_days * DAY_S
        known = rows.label_at <= cut
        train = (rows.at < cut - options.gap_days * DAY_S) & known
        test = (rows.at >= cut) & (rows.at < cut + options.test_days * DAY_S)
        yield cut, rows.part(train), rows.part(test)


def train_trees(rows: Rows, options) -> lightgbm.Booster:
    data = lightgbm.Dataset(rows.x, rows.label, feature_name=rows.names)
    parameters = PARAMETERS | {"seed": options.seed}
    return lightgbm.train(parameters, data, options.trees)


def write_trees(booster, path: Path, names) -> None:
    """LightGBM reads over the line that is ours."""
    booster.save_model(path)
    text = path.read_text(encoding="utf-8")
    line = f"\nfeatures_hash={digest(names)}\n"
    text, count = re.subn(r"\n(?=tree_sizes=)", line, text, count=1)
    if count != 1:
        raise SystemExit("LightGBM writes another form of text")
    path.write_text(text, encoding="utf-8")
    lightgbm.Booster(model_file=str(path))


def fold_of(cut, train: Rows, test: Rows, options) -> tuple:
    for name, part in (("to train on", train), ("to test", test)):
        if not 0 < part.label.sum() < len(part.label):
            raise SystemExit(f"no good or no bad rows {name}: more days?")
    booster = train_trees(train, options)
    card = scorecard.train(train)
    scores = {
        "lightgbm": (booster.predict(train.x), booster.predict(test.x)),
        "scorecard": (
            scorecard.probability(card, train.x, train.names),
            scorecard.probability(card, test.x, test.names),
        ),
    }
    report = {
        "cut": int(cut),
        "trained_on": len(train.label),
        "trained_bad": int(train.label.sum()),
        "tested_on": len(test.label),
        "tested_bad": int(test.label.sum()),
        "psi": evaluate.drift_of_features(train, test),
        "models": {
            name: evaluate.figures(test, scored)
            | {"psi_score": evaluate.drift(learnt, scored)}
            for name, (learnt, scored) in scores.items()
        },
    }
    return booster, card, report


def labelled(lines: list[dict], names, options) -> tuple[Rows, dict]:
    """The rows, and how many lines are not among them, by reason."""
    left_out = {}
    if lines and export.is_export(lines[0]):
        lines, left_out = export.rows(lines, names, options.mature_days)
    if not lines:
        raise SystemExit(f"no row to train on: {dict(left_out)}")
    return Rows(lines, names), dict(left_out)


def run(options) -> dict:
    names = features.names()
    rows, left_out = labelled(read(options.data), names, options)
    reports = []
    for cut, train, test in splits(rows, options):
        booster, card, report = fold_of(cut, train, test, options)
        reports.append(report)
    options.out.mkdir(parents=True, exist_ok=True)
    write_trees(booster, options.out / "model.txt", names)
    card = {"form": "scorecard", "features_hash": digest(names)} | card
    (options.out / "scorecard.json").write_text(json.dumps(card, indent=1))
    found = {
        "features": names,
        "features_hash": digest(names),
        "left_out": left_out,
        "gap_days": options.gap_days,
        "test_days": options.test_days,
        "folds": reports,
    }
    (options.out / "report.json").write_text(json.dumps(found, indent=1))
    return found


def arguments(words) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--gap-days", type=float, default=45)
    parser.add_argument("--test-days", type=float, default=30)
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--trees", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mature-days", type=float, default=90)
    return parser.parse_args(words)


def main(words) -> None:
    report = run(arguments(words))
    for fold in report["folds"]:
        for line in evaluate.lines(fold):
            print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
