"""A scorecard: each feature in bins, each bin with its points, which a logistic
regression finds.  docs/risk-score.md#the-scorecard has the form of the file.
"""

import numpy

BINS = 6
RIDGE = 3.0
ROUNDS = 30
CLOSE = 1e-8


def train(rows) -> dict:
    """intercept and features, as the gateway reads them."""
    columns, design, places = [], [numpy.ones(len(rows.label))], []
    for n, name in enumerate(rows.names):
        edges = edges_of(rows.x[:, n])
        if len(edges) == 0:
            continue
        chosen = bins_of(rows.x[:, n], edges)
        for bin_ in range(len(edges) + 2):
            design.append(chosen == bin_)
        places.append((name, edges))
        columns.append(chosen)
    points = logistic(numpy.array(design, dtype=float).T, rows.label)
    made, at = [], 1
    for (name, edges), chosen in zip(places, columns, strict=True):
        mine = points[at : at + len(edges) + 2]
        at += len(mine)
        made.append({
            "name": name,
            "bins": [float(edge) for edge in edges],
            "points": [float(point) for point in mine[:-1]],
            "missing": float(mine[-1]),
            "average": float(mine[chosen].mean()),
        })  # fmt: skip
    return {"intercept": float(points[0]), "features": made}


def edges_of(values) -> numpy.ndarray:
    """Ascending, each of them the greatest value of its bin; a feature with few
    values has a bin for each."""
    known = numpy.unique(values[~numpy.isnan(values)])
    if len(known) <= BINS:
        return known[:-1]
    known = values[~numpy.isnan(values)]
    edges = numpy.quantile(known, numpy.arange(1, BINS) / BINS)
    # the last percents have most of the fraud
    edges = numpy.append(edges, numpy.quantile(known, (0.97, 0.99)))
    return numpy.unique(edges[edges < known.max()])


def bins_of(values, edges) -> numpy.ndarray:
    """The first whose edge is not less; missing is behind the last."""
    found = numpy.searchsorted(edges, values, side="left")
    return numpy.where(numpy.isnan(values), len(edges) + 1, found)


def logistic(design, label) -> numpy.ndarray:
    """Newton's method; the ridge spares the intercept."""
    weights = numpy.zeros(design.shape[1])
    ridge = numpy.full(len(weights), RIDGE)
    ridge[0] = 1e-6
    for _ in range(ROUNDS):
        p = sigmoid(design @ weights)
        slope = design.T @ (p - label) + ridge * weights
        bend = (design * (p * (1 - p))[:, None]).T @ design
        step = numpy.linalg.solve(bend + numpy.diag(ridge), slope)
        weights -= step
        if numpy.abs(step).max() < CLOSE:
            break
    return weights


def sigmoid(z) -> numpy.ndarray:
    return 1 / (1 + numpy.exp(-z))


def probability(card: dict, x, names) -> numpy.ndarray:
    raw = numpy.full(len(x), card["intercept"])
    for feature in card["features"]:
        points = numpy.array([*feature["points"], feature["missing"]])
        values = x[:, names.index(feature["name"])]
        raw += points[bins_of(values, numpy.array(feature["bins"]))]
    return sigmoid(raw)
