"""The figures of the shipped rules and model on a generated world that neither
has seen, decided by the gateway's own code (world_driver.c): they do not get
worse than docs/risk-score.md states."""

import json

import features
import lightgbm
import numpy
import pytest
import report
import train
import world

NOTHING = dict.fromkeys(report.SEEN) | {
    "at": world.BEGIN_S, "merchant": "m", "amount": 1000, "currency": "USD",
    "sellers": ["s"],
}  # fmt: skip
CUT = ("card_testing", "botnet", "seller_collusion")


@pytest.fixture(scope="module", autouse=True)
def built():
    report.build()


@pytest.fixture(scope="module")
def events():
    return world.world(21, 120, 1000)


@pytest.fixture(scope="module")
def vectors(events):
    return list(features.vectors(events))


@pytest.fixture(scope="module")
def looked(events, vectors):
    return report.look(events, vectors)


def test_attacks_are_stopped_and_good_checkouts_are_not(looked):
    found = report.figures(looked)
    good = found["good"]
    assert good["block"] <= 0.005
    assert good["review"] <= 0.005
    # a younger and smaller world than those of the figures
    assert good["challenge"] <= 0.055
    assert found["precision"] >= 0.85
    assert found["recall"] >= 0.8 * found["possible"]
    kinds = found["kinds"]
    assert all(kinds[kind]["payments"] for kind in report.ATTACKS)
    for kind in CUT:
        assert kinds[kind]["allow"] <= 0.02, kind
    assert kinds["account_takeover"]["allow"] <= 0.1
    # nothing sets it apart before its buyer denies it
    assert kinds["friendly_fraud"]["allow"] > 0.5


def test_the_rules_stop_much_without_a_model(events, vectors):
    found = report.figures(report.look(events, vectors, model=None))
    assert found["good"]["block"] <= 0.005
    assert found["good"]["challenge"] <= 0.04
    for kind in CUT:
        assert found["kinds"][kind]["allow"] <= 0.1, kind
    assert found["kinds"]["account_takeover"]["allow"] <= 0.25


def test_the_gateway_scores_the_vectors_of_the_training(vectors, looked):
    """tools/risk/features.py and src/risk make the same of a checkout; windows
    in memory may count up to a fifteenth of their time more."""
    names = features.names()
    rows = [row["features"] for row in vectors]
    x = numpy.array([train.column(rows, name) for name in names]).T
    model = lightgbm.Booster(model_file=str(report.EXAMPLE / "demo.txt"))
    ours = numpy.array([one.probability for one in looked])
    same = numpy.abs(model.predict(x)[-len(ours) :] - ours) < 1e-6
    assert same.mean() > 0.995


def drive(tmp_path, rules: str, *events) -> list[list[str]]:
    """The names and the word about each event."""
    path = tmp_path / "rules.conf"
    path.write_text(rules)
    lines = [json.dumps(NOTHING | event) for event in events]
    return [line.split("\t")[:2] for line in report.drive(lines, path, None)]


def test_a_long_window_has_its_hours_and_the_one_that_has_begun(tmp_path):
    """As count_findings() of sql/functions/28_risk_find.sql counts."""
    hour = 3600
    times = (0, 10, 3 * hour - 1, 3 * hour, 3 * hour + 1, 4 * hour)
    found = drive(
        tmp_path,
        "payments_risk_velocity w key=device window=2h limit=2 then=review;",
        *({"at": world.BEGIN_S + at, "buyer_info": {"device": "d"}}
          for at in times),
        {"at": world.BEGIN_S + 4 * hour, "buyer_info": {"device": "e"}},
        {"at": world.BEGIN_S + 4 * hour, "buyer_info": {"device": "d"},
         "merchant": "n"},
    )  # fmt: skip
    hit, none = ["w,", "review"], ["", "allow"]
    assert found == [none, none, hit, none, hit, hit, none, none]


def test_an_allow_ends_all_and_shadow_does_nothing(tmp_path):
    rules = (
        "payments_risk_rule ours if buyer=us then=allow;"
        "payments_risk_rule seen if amount>1.00USD then=block shadow=on;"
        "payments_risk_velocity fast key=ip window=1m limit=1 then=block;"
    )
    info = {"ip": "192.0.2.1"}
    found = drive(
        tmp_path,
        rules,
        {"buyer_info": info},
        {"buyer_info": info},
        {"buyer_info": info | {"id": "us"}},
    )
    assert found == [
        ["seen,", "allow"],
        ["seen,fast,", "block"],
        ["ours,seen,fast,", "allow"],
    ]


@pytest.mark.parametrize(
    "rules",
    [
        "payments_risk_rule r if orders>1;",
        "payments_risk_velocity w key=ip window=2h limit=2 of=declines"
        " then=review;",
        "payments_risk_velocity w key=card window=2h limit=2 then=review;",
    ],
)
def test_the_driver_refuses_rules_that_it_cannot_measure(tmp_path, rules):
    with pytest.raises(SystemExit):
        drive(tmp_path, rules)
