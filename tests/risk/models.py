"""Models for the tests of the learned score, trained here from a seed, and the
driver (tests/risk/model_driver.c) that reads them as the gateway does."""

import os
import re
import subprocess
from pathlib import Path

import lightgbm
import numpy

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
DRIVER = BUILD / "risk-model"
NAMES = ("amount", "kind", "hour", "count", "shade", "noise")
CATEGORICAL = ("kind", "shade")
REASONS = 4
FIXED = {
    "objective": "binary", "verbose": -1, "num_threads": 1, "seed": 7,
    "deterministic": True, "force_row_wise": True,
}  # fmt: skip


def build() -> None:
    make = ["make", "-s", "-C", str(ROOT), f"BUILD={BUILD}", "risk-model"]
    subprocess.run(make, check=True)


def rows(count: int, seed: int) -> numpy.ndarray:
    """Vectors with missing values, zeros of both signs, categories that no
    training had, negative and broken ones."""
    draw = numpy.random.default_rng(seed)
    found = draw.normal(size=(count, len(NAMES))) * 3
    found[:, 1] = draw.integers(-2, 90, count)
    found[:, 4] = draw.integers(0, 5, count) + 0.5 * (draw.random(count) < 0.1)
    found[:, 2] = draw.integers(0, 24, count)
    for value, part in ((numpy.nan, 0.1), (0.0, 0.1), (-0.0, 0.02),
                        (1e-36, 0.01), (numpy.inf, 0.003), (-3e9, 0.003),
                        (1e300, 0.003)):  # fmt: skip
        found[draw.random(found.shape) < part] = value
    return found


def train(options: dict, trees: int, seed: int = 1) -> lightgbm.Booster:
    draw = numpy.random.default_rng(seed)
    x = numpy.clip(rows(4000, seed), -1e6, 1e6)
    for name in CATEGORICAL:
        column = x[:, NAMES.index(name)]
        column[:] = numpy.where(
            numpy.isnan(column), numpy.nan, numpy.clip(column, 0, 60) // 1
        )
    known = numpy.nan_to_num(x)
    y = (
        known[:, 0] + 3 * (known[:, 1] % 7 == 2) + 0.2 * known[:, 3]
        - 2 * numpy.isnan(x[:, 2]) + draw.normal(size=len(x)) > 2
    )  # fmt: skip
    data = lightgbm.Dataset(
        x, y.astype(int), feature_name=list(NAMES),
        categorical_feature=list(CATEGORICAL), free_raw_data=False,
    )  # fmt: skip
    return lightgbm.train(FIXED | options, data, trees)


def text_of(booster: lightgbm.Booster, path: Path) -> str:
    """As LightGBM writes it."""
    booster.save_model(path)
    return path.read_text()


def stamped(text: str, features_hash: str) -> str:
    line = f"\nfeatures_hash={features_hash}\n"
    return re.sub(r"\n(?=tree_sizes=)", line, text, count=1)


def read(path: Path, names=NAMES, vectors=None, env=None):
    """The driver's exit code, its line, and for each vector its numbers."""
    if vectors is None:
        vectors = numpy.empty((0, 0))
    done = subprocess.run(
        [DRIVER, path, ",".join(names)] if names else [DRIVER, path],
        input=vectors.astype("<f8").tobytes(), capture_output=True,
        check=False, env=env, timeout=60,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    found = numpy.frombuffer(done.stdout, "<f8")
    if len(vectors):
        found = found.reshape(-1, 3 + vectors.shape[1] + 2 * REASONS)
    return done.returncode, done.stderr.decode().strip(), found
