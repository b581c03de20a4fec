"""Figures of a learned score on rows that its training has not seen.

Accuracy and the area under ROC flatter where fraud is rare: here are precision
and recall at the share of checkouts that reviewers can look at, the area under
precision and recall, calibration, and drift.
"""

import numpy

REVIEW_RATES = (0.005, 0.01, 0.02)
PARTS = 10


def figures(rows, scored) -> dict:
    return {
        "average_precision": average_precision(rows.label, scored),
        "brier": float(numpy.mean((scored - rows.label) ** 2)),
        "brier_of_the_mean": float(numpy.var(rows.label)),
        "calibration": calibration(rows.label, scored),
        "review": {
            f"{rate:.1%}": at_rate(rows, scored, rate) for rate in REVIEW_RATES
        },
    }


def ranks(scored) -> numpy.ndarray:
    """The greatest score first; of equal ones the earlier row."""
    return numpy.argsort(-scored, kind="stable")


def at_rate(rows, scored, rate: float) -> dict:
    """If so many of the checkouts were looked at."""
    count = max(1, round(rate * len(scored)))
    first = ranks(scored)[:count]
    bad = rows.label == 1
    caught = bad[first]
    return {
        "looked_at": count,
        "threshold": float(scored[first[-1]]),
        "precision": float(caught.mean()),
        "recall": float(caught.sum() / bad.sum()),
        "value_recall": float(
            rows.amount[first][caught].sum() / rows.amount[bad].sum()
        ),
    }


def average_precision(label, scored) -> float:
    """The area under precision and recall, by steps, equal scores as one."""
    order = ranks(scored)
    hits = numpy.cumsum(label[order])
    ends = numpy.append(numpy.diff(scored[order]) != 0, True)
    precision = (hits / numpy.arange(1, len(order) + 1))[ends]
    recall = (hits / hits[-1])[ends]
    return float(numpy.sum(numpy.diff(recall, prepend=0) * precision))


def calibration(label, scored) -> list[dict]:
    """By tenths of the scores, the least first: foretold and seen."""
    return [
        {
            "rows": len(part),
            "foretold": float(scored[part].mean()),
            "seen": float(label[part].mean()),
        }
        for part in numpy.array_split(ranks(scored)[::-1], PARTS)
        if len(part)
    ]


def drift(before, after) -> float:
    """The population stability index: above 0.2 something has changed."""
    known = before[~numpy.isnan(before)]
    edges = []
    if len(known):
        edges = numpy.unique(numpy.quantile(known, numpy.arange(1, 10) / 10))
    old, new = (shares(values, edges) for values in (before, after))
    return float(numpy.sum((new - old) * numpy.log(new / old)))


def shares(values, edges) -> numpy.ndarray:
    """Of each bin, missing ones the last; none is 0."""
    missing = numpy.isnan(values)
    bins = numpy.searchsorted(edges, values[~missing], side="left")
    counts = numpy.bincount(bins, minlength=len(edges) + 1)
    counts = numpy.append(counts, missing.sum()) + 0.5
    return counts / counts.sum()


def drift_of_features(train, test) -> dict:
    return {
        name: drift(train.x[:, n], test.x[:, n])
        for n, name in enumerate(train.names)
    }


def lines(fold: dict):
    """For a terminal."""
    yield (
        f"trained on {fold['trained_on']} ({fold['trained_bad']} bad),"
        f" tested on {fold['tested_on']} ({fold['tested_bad']} bad)"
    )
    for name, found in fold["models"].items():
        yield (
            f"  {name:<10} AP {found['average_precision']:.3f}"
            f"  Brier {found['brier']:.4f}"
            f" (of the mean {found['brier_of_the_mean']:.4f})"
        )
        for rate, part in found["review"].items():
            yield (
                f"    {rate} looked at: precision {part['precision']:.2f},"
                f" recall {part['recall']:.2f},"
                f" of the value {part['value_recall']:.2f}"
            )
    changed = [name for name, psi in fold["psi"].items() if psi > 0.2]
    if changed:
        yield f"  drifted: {', '.join(changed)}"
