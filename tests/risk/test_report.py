"""The report of the generated world does not get worse: attacks that a good
model stops, good checkouts that are let alone."""

import report


def test_attacks_are_stopped_and_good_checkouts_are_not():
    found = report.report(5, 150, 1100)
    assert found["good"]["block"] <= 0.005
    assert found["good"]["review"] <= 0.01
    assert found["good"]["challenge"] <= 0.13
    assert found["precision"] >= 0.85
    assert found["recall"] >= 0.35
    kinds = found["kinds"]
    for kind in ("card_testing", "botnet", "account_takeover",
                 "seller_collusion"):  # fmt: skip
        assert kinds[kind]["payments"] > 0
        assert kinds[kind]["allow"] <= 0.1, kind
    # nothing sets it apart before its buyer denies it
    assert kinds["friendly_fraud"]["allow"] > 0.5
