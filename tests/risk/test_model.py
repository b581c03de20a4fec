"""The reader of learned scores against LightGBM itself: the same score to the
last bit, the same reasons as the tree dump gives, and no broken file read."""

import hashlib
import json
import math
import os
import re
import shutil
import subprocess

import lightgbm
import models
import numpy
import pytest

ROWS = 10000
OPTIONS = {
    "leafwise": ({"num_leaves": 31, "max_depth": 6}, 40),
    "zero is missing": ({"num_leaves": 15, "zero_as_missing": True}, 20),
    "nothing is missing": ({"num_leaves": 15, "use_missing": False}, 20),
    "one-hot categories": ({"num_leaves": 8, "max_cat_to_onehot": 80}, 20),
    "bagged, other sigmoid": (
        {"num_leaves": 24, "sigmoid": 0.7, "bagging_fraction": 0.5,
         "bagging_freq": 1, "feature_fraction": 0.6}, 20),
    "one leaf": ({"min_data_in_leaf": 9000}, 3),
    "dart": ({"boosting": "dart", "num_leaves": 9}, 12),
}  # fmt: skip


def digest(names) -> str:
    text = "".join(name + "\n" for name in names)
    return hashlib.sha256(text.encode()).hexdigest()


HASH = digest(models.NAMES)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A small model that is read, as text."""
    place = tmp_path_factory.mktemp("good")
    booster = models.train({"num_leaves": 6}, 8)
    text = models.stamped(models.text_of(booster, place / "plain"), HASH)
    (place / "model").write_text(text)
    assert models.read(place / "model")[0] == 0
    return text


def refused(tmp_path, text: str, names=models.NAMES) -> str:
    (tmp_path / "bad").write_bytes(
        text.encode() if isinstance(text, str) else text
    )
    code, why, _ = models.read(tmp_path / "bad", names)
    assert code == 3, why
    slug, _, reason = why.partition(": ")
    assert slug in ("risk-model-invalid", "risk-model-features"), why
    assert reason, why
    return why


@pytest.mark.parametrize("name", OPTIONS)
def test_scores_are_lightgbms_to_the_last_bit(name, tmp_path):
    options, trees = OPTIONS[name]
    booster = models.train(options, trees)
    plain = models.text_of(booster, tmp_path / "plain")
    (tmp_path / "model").write_text(models.stamped(plain, HASH))
    # LightGBM itself still reads the file with our line in it
    again = lightgbm.Booster(model_file=str(tmp_path / "model"))
    vectors = models.rows(ROWS, 99)
    code, said, ours = models.read(tmp_path / "model", vectors=vectors)
    assert (code, said) == (0, f"lightgbm {again.num_trees()}")
    raw = again.predict(vectors, raw_score=True, num_threads=1)
    assert ours[:, 0].tobytes() == raw.tobytes()
    probability = again.predict(vectors, num_threads=1)
    assert ours[:, 1].tobytes() == probability.tobytes()
    sums = ours[:, 2 : 3 + len(models.NAMES)].sum(axis=1)
    assert numpy.allclose(sums, raw, atol=1e-4 * trees)
    has_categories = "\ncat_threshold=" in plain
    assert has_categories == (name != "one leaf")


def goes_left(node: dict, value: float) -> bool:
    if node["decision_type"] == "==":
        chosen = [int(word) for word in node["threshold"].split("||")]
        return (
            not math.isnan(value)
            and abs(value) < 2**31
            and (value > -1 and int(value) in chosen)
        )
    kind = node["missing_type"]
    if math.isnan(value) and kind != "NaN":
        value = 0.0
    is_zero = kind == "Zero" and abs(value) <= float(numpy.float32(1e-35))
    if math.isnan(value) or is_zero:
        return node["default_left"]
    return value <= node["threshold"]


def walked(trees: list, vector) -> list[float]:
    """The same contributions from LightGBM's dump, by another reader."""
    found = [0.0] * len(models.NAMES)
    for tree in trees:
        node = tree["tree_structure"]
        while "split_feature" in node:
            feature = node["split_feature"]
            left = goes_left(node, float(vector[feature]))
            child = node["left_child" if left else "right_child"]
            value = child.get("internal_value", child.get("leaf_value"))
            found[feature] += value - node["internal_value"]
            node = child
    return found


def ranked(contributions) -> list[int]:
    above = sum(max(value, 0) for value in contributions)
    order = sorted(
        (n for n, value in enumerate(contributions)
         if above and value / above >= 0.01),
        key=lambda n: -contributions[n],
    )  # fmt: skip
    return (order[:4] + [-1] * 4)[:4]


def test_reasons_are_the_greatest_contributions(tmp_path):
    booster = models.train({"num_leaves": 20}, 30)
    plain = models.text_of(booster, tmp_path / "plain")
    (tmp_path / "model").write_text(models.stamped(plain, HASH))
    vectors = models.rows(400, 5)
    # the dump has 1e300 where the text has inf
    vectors[numpy.isinf(vectors)] = 1e6
    ours = models.read(tmp_path / "model", vectors=vectors)[2]
    trees = booster.dump_model()["tree_info"]
    width = 3 + len(models.NAMES)
    reasons = ours[:, width::2].astype(int).tolist()
    for vector, numbers, reason in zip(vectors, ours, reasons, strict=True):
        theirs = walked(trees, vector)
        assert numpy.allclose(numbers[3:width], theirs, atol=2e-4)
        assert reason == ranked(numbers[3:width])
        shares = numbers[width + 1 :: 2]
        assert sorted(shares, reverse=True) == shares.tolist()
        assert sum(shares) <= 1 + 1e-9
    # exact SHAP values weigh otherwise, and mostly agree about the first
    exact = booster.predict(vectors, pred_contrib=True, num_threads=1)[:, :-1]
    same = numpy.mean([a[0] == b for a, b in
                       zip(reasons, exact.argmax(axis=1), strict=True)
                       if a[0] >= 0])  # fmt: skip
    assert same > 0.6, same


def test_a_cut_file_is_refused(good, tmp_path):
    for part in range(50):
        why = refused(tmp_path, good[: len(good) * part // 50])
        assert "features" not in why.partition(":")[0] or part < 5, why
    for size in range(len(good) - 5, len(good)):
        refused(tmp_path, good[:size])


def test_more_behind_the_end_is_refused(good, tmp_path):
    assert "behind the end" in refused(tmp_path, good + "x")
    assert "behind the end" in refused(tmp_path, good + "\n")


def line(name: str, value: str):
    """Replaces the first line of that name."""
    return lambda text: re.sub(
        rf"(?m)^{name}=.*$", f"{name}={value}", text, count=1
    )


def first(name: str, value: str):
    """Replaces the first word of the first such line."""
    return lambda text: re.sub(
        rf"(?m)^{name}=\S+", f"{name}={value}", text, count=1
    )


def plus(name: str, added: str):
    return lambda text: re.sub(
        rf"(?m)^({name}=.*)$", rf"\1{added}", text, count=1
    )


BAD = {
    "a threshold that is no number": (first("threshold", "nan"), "threshold"),
    "a threshold of -inf": (first("threshold", "-inf"), "threshold"),
    "an infinite value of a node": (
        first("internal_value", "inf"), "internal_value"),
    "a threshold of hex": (first("threshold", "0x1p3"), "threshold"),
    "a threshold beyond double": (first("threshold", "1e999"), "threshold"),
    "a threshold of another locale": (first("threshold", "1,5"), "threshold"),
    "an infinite leaf": (first("leaf_value", "-inf"), "leaf_value"),
    "a leaf that is too great": (first("leaf_value", "1e12"), "leaf_value"),
    "no gain": (first("split_gain", "nan"), "split_gain"),
    "a node that is its own child": (first("left_child", "0"), "child"),
    "a child that is out of range": (first("left_child", "77"), "child"),
    "a leaf that is out of range": (first("right_child", "-77"), "child"),
    "the same child twice": (line("left_child", "1 1 1 1 1"), "child"),
    "a feature that is out of range": (
        first("split_feature", "6"), "split_feature"),
    "a negative feature": (first("split_feature", "-1"), "split_feature"),
    "an unknown decision": (first("decision_type", "12"), "decision_type"),
    "one more leaf value": (plus("leaf_value", " 1"), "leaf_value"),
    "one more child": (plus("left_child", " -1"), "left_child"),
    "two blanks": (first("threshold", "1 "), "threshold"),
    "linear leaves": (line("is_linear", "1"), "is_linear"),
    "three classes": (line("num_class", "3"), "num_class"),
    "three trees an iteration": (
        line("num_tree_per_iteration", "3"), "num_tree_per_iteration"),
    "another objective": (line("objective", "cross_entropy"), "objective"),
    "several classes": (line("objective", "multiclass num_class:3"), "object"),
    "a sigmoid of 0": (line("objective", "binary sigmoid:0"), "objective"),
    "another version": (line("version", "v3"), "version"),
    "averaged output": (plus("label_index", "\naverage_output"), "member"),
    "an unknown member of the head": (plus("version", "\nlicense=x"), "member"),
    "an unknown member of a tree": (plus("num_cat", "\nweight=1"), "member"),
    "a doubled member": (plus("num_cat", "\nnum_cat=0"), "twice"),
    "no leaf values": (
        lambda text: re.sub(r"(?m)^leaf_value=.*\n", "", text, count=1),
        "leaf_value"),
    "a tree that is missing": (
        lambda text: re.sub(r"(?s)Tree=3\n.*?(?=Tree=4)", "", text), "Tree"),
    "a tree too many": (
        lambda text: text.replace("end of trees", "Tree=8\n", 1),
        "end of trees"),
    "more leaves than are read": (line("num_leaves", "5000"), "num_leaves"),
    "no leaves": (line("num_leaves", "0"), "num_leaves"),
    "categories of pandas": (
        lambda text: text.replace(":null\n", ':[["a","b"]]\n'), "pandas"),
    "other names": (
        lambda text: text.replace("=amount kind", "=kind amount"), "names"),
    "a feature less": (line("max_feature_idx", "4"), "max_feature_idx"),
    "line ends of DOS": (lambda text: text.replace("\n", "\r\n"), "tree"),
    "no parameters": (
        lambda text: re.sub(r"(?s)\nparameters:.*?(?=\npandas)", "", text),
        "parameters"),
    "a NUL": (lambda text: text.replace("num_cat", "num\0cat", 1), "member"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_broken_file_is_refused(name, good, tmp_path):
    change, place = BAD[name]
    bad = change(good)
    assert bad != good
    assert place in refused(tmp_path, bad)


def test_a_circle_out_of_reach_is_refused(good, tmp_path):
    """Each node has one parent here, and two of them are each other's."""
    bad = line("left_child", "-1 -3 -4 -5 -6")(good)
    bad = line("right_child", "-2 2 1 4 3")(bad)
    assert "not reached once" in refused(tmp_path, bad)


def test_sets_of_categories_are_bounded(good, tmp_path):
    for name, value in (
        ("cat_boundaries", "0 0"), ("cat_boundaries", "1 2"),
        ("cat_boundaries", "0 70000"), ("cat_boundaries", "0 -1"),
        ("cat_threshold", "4294967296"), ("cat_threshold", ""),
        ("num_cat", "3"), ("num_cat", "0"),
    ):  # fmt: skip
        assert re.search(rf"(?m)^{name}=", good)
        tree = good.index("cat_boundaries")
        head = good.rindex("\nTree=", 0, tree)
        bad = good[:head] + line(name, value)(good[head:])
        assert bad != good
        refused(tmp_path, bad)


def test_a_model_of_other_features_is_refused(good, tmp_path):
    other = [*models.NAMES[:-1], "colour"]
    assert refused(tmp_path, good, other).startswith("risk-model-features")
    for names in (models.NAMES[:-1], models.NAMES[::-1]):
        assert refused(tmp_path, good, names).startswith("risk-model-features")
    for bad in (
        line("features_hash", "00" * 32)(good),
        line("features_hash", HASH.upper())(good),
        line("features_hash", "")(good),
    ):
        assert refused(tmp_path, bad).startswith("risk-model-features")
    bad = re.sub(r"features_hash=.*\n", "", good)
    assert "features_hash: is missing" in refused(tmp_path, bad)


def test_too_many_trees_are_refused(good, tmp_path):
    tree = re.search(r"(?s)Tree=0\n(.*?)Tree=1\n", good)
    head = good[: tree.start()]
    tail = good[good.index("end of trees") :]
    for count, code in ((5000, 0), (5001, 3), (10000, 3)):
        many = "".join(f"Tree={n}\n{tree[1]}" for n in range(count))
        sizes = " ".join(["500"] * count)
        bad = line("tree_sizes", sizes)(head) + many + tail
        (tmp_path / "many").write_text(bad)
        found, why, _ = models.read(tmp_path / "many")
        assert found == code, why
        assert code == 0 or "too many trees" in why


def test_too_many_bytes_are_refused(good, tmp_path):
    padded = good.replace("[boosting: gbdt]", f"[boosting: {'x' * 2**24}]")
    assert "16 MB" in refused(tmp_path, padded)


def comma(place) -> dict:
    """An environment whose numbers have a decimal comma."""
    localedef = shutil.which("localedef")
    if not localedef:
        pytest.skip("localedef is not installed")
    kinds = "CTYPE COLLATE MONETARY TIME MESSAGES NUMERIC".split()
    (place / "source").write_text(
        "".join(
            f'LC_{kind}\ncopy "{"de_DE" if kind == "NUMERIC" else "POSIX"}"\n'
            f"END LC_{kind}\n"
            for kind in kinds
        )
    )
    # it warns of categories that nothing here needs
    subprocess.run(
        [localedef, "-c", "-i", place / "source", "-f", "ANSI_X3.4-1968",
         place / "comma"], check=False, capture_output=True,
    )  # fmt: skip
    env = {k: v for k, v in os.environ.items() if k != "LC_ALL"}
    env |= {"LOCPATH": str(place), "LC_NUMERIC": "comma"}
    said = subprocess.run(
        ["locale", "decimal_point"], env=env, check=True, capture_output=True
    )
    if said.stdout != b",\n":
        pytest.skip("there are no sources of locales here")
    return env


def test_a_locale_with_a_decimal_comma_changes_nothing(good, tmp_path):
    env = comma(tmp_path)
    vectors = models.rows(200, 3)
    cards = tmp_path / "card"
    cards.write_text(json.dumps(card()))
    (tmp_path / "model").write_text(good)
    for path in (tmp_path / "model", cards):
        here = models.read(path, vectors=vectors)
        there = models.read(path, vectors=vectors, env=env)
        assert here[0] == there[0] == 0
        assert here[2].tobytes() == there[2].tobytes()


# scorecards


def card(**changes) -> dict:
    return {
        "form": "scorecard", "features_hash": HASH, "intercept": -2.25,
        "features": [
            {"name": "amount", "mean": 1.5, "scale": 2.5, "weight": 0.75,
             "missing": 0.5, "average": 0},
            {"name": "hour", "bins": [6, 12.5, 22],
             "points": [0.5, -0.25, 0.125, 1], "missing": 0.0625,
             "average": 0.1},
        ],
    } | changes  # fmt: skip


def expected(vector) -> float:
    first, hour = vector[0], vector[2]
    z = 0.5
    if not math.isnan(first):
        z = min(max((first - 1.5) / 2.5, -20), 20) * 0.75
    points = [0.5, -0.25, 0.125, 1][sum(hour > bin_ for bin_ in (6, 12.5, 22))]
    return -2.25 + z + (0.0625 if math.isnan(hour) else points)


def test_a_scorecard_adds_up_its_points(tmp_path):
    (tmp_path / "card").write_text(json.dumps(card()))
    vectors = models.rows(2000, 8)
    code, said, ours = models.read(tmp_path / "card", vectors=vectors)
    assert (code, said) == (0, "scorecard 0")
    raw = numpy.array([expected(vector) for vector in vectors])
    assert ours[:, 0].tobytes() == raw.tobytes()
    assert numpy.allclose(ours[:, 1], 1 / (1 + numpy.exp(-raw)), rtol=1e-15)
    assert numpy.allclose(ours[:, 2 : 3 + len(models.NAMES)].sum(axis=1), raw)


def edited(place: int, **changes) -> dict:
    found = card()
    feature = found["features"][place] | changes
    found["features"][place] = {
        name: value for name, value in feature.items() if value is not None
    }
    return found


BAD_CARDS = {
    "other features": (card(features_hash="00"), "features"),
    "no hash": (card(features_hash=None), "features_hash"),
    "another form": (card(form="tree"), "form"),
    "an unknown member": (card(note="x"), "unknown"),
    "no features": (card(features=[]), "features"),
    "an intercept that is a text": (card(intercept="1"), "intercept"),
    "an unknown feature": (edited(0, name="colour"), "name"),
    "the same feature twice": (edited(0, name="hour"), "twice"),
    "a scale of 0": (edited(0, scale=0), "scale"),
    "a weight that is too great": (edited(0, weight=1e10), "weight"),
    "no missing": (edited(0, missing=None), "missing"),
    "bins and a mean": (edited(1, mean=1), "bins"),
    "bins that fall": (edited(1, bins=[6, 6, 22]), "ascending"),
    "points too few": (edited(1, points=[1, 2, 3]), "points"),
    "a point that is none": (edited(1, points=[1, 2, None, 3]), "points"),
    "an unknown member of a feature": (edited(1, average=None, a=1), "unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CARDS)
def test_a_broken_scorecard_is_refused(name, tmp_path):
    bad, place = BAD_CARDS[name]
    assert place in refused(tmp_path, json.dumps(bad))


def test_a_scorecard_that_is_cut_or_has_nan_is_refused(tmp_path):
    text = json.dumps(card())
    for part in range(50):
        refused(tmp_path, text[: len(text) * part // 50])
    refused(tmp_path, text.replace("-2.25", "NaN"))
    refused(tmp_path, text.replace("-2.25", "1e999"))
    refused(tmp_path, text + "{}")


def test_the_compiled_list_is_the_file(tmp_path):
    """What tools/risk/train.py hashes is what the gateway compares with."""
    text = (models.ROOT / "src/risk/feature.list").read_text()
    names = re.findall(r"^FEATURE\((\w+)\)", text, re.M)
    found = card(features_hash=digest(names))
    found["features"] = [found["features"][1]]
    (tmp_path / "card").write_text(json.dumps(found))
    assert models.read(tmp_path / "card", None)[0] == 0
