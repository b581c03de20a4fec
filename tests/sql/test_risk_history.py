"""payctl risk export and payctl risk model, on decisions of a database of their
own, as an auditor and an operator run them."""

import json
import subprocess
import sys

import pytest
from test_risk import PAYCTL, ROOT, begin, connections, risk

sys.path.insert(0, str(ROOT / "tools/risk"))
import export  # noqa: E402

__all__ = ["connections"]
NAMES = ["hour", "amount_log"]
IDS = ["a", "b", "c"]
SHA = "5" * 64


@pytest.fixture(name="database")
def decided(connect):
    """Three decisions a day after each other; two were scored, one of them was
    fraud.  Its name, and the role that is asked."""
    connection = connect()
    begin(connection, IDS, [risk()] * 3)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE pay.risk_decision DISABLE TRIGGER"
                       " risk_decision_fixed")  # fmt: skip
        cursor.execute(
            "UPDATE pay.risk_decision SET at = '2026-03-01 12:00Z'::timestamptz"
            " + (ascii(checkout_id) - 97) * interval '1 day',"
            " features = CASE WHEN checkout_id <> 'c'"
            """ THEN '{"hour": null, "amount_log": 0.1}'::jsonb END,"""
            """ score = '{"model": {"name": "m", "sha256": "%s"}}'""" % SHA
        )
        cursor.execute(
            "SELECT pay.label_order('m', 'b', 'fraud', 'dispute',"
            " '2026-03-09 12:00Z')"
        )
    connection.commit()
    return connection.info.dbname


def payctl(database, *words, code=0, role="payments_auditor"):
    done = subprocess.run(
        [PAYCTL, "risk", *words, "--dsn",
         f"dbname={database} options='-c role={role}'"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_an_export_has_a_line_for_each_decision(database, tmp_path):
    found = lines(payctl(database, "export"))
    assert [line["checkout"] for line in found] == IDS
    first, second, third = found
    assert first["features"] == {"hour": None, "amount_log": 0.1}
    assert third["features"] is None
    assert (first["amount_minor"], first["currency"]) == (100, "USD")
    assert (first["decision"], first["outcome"]) == ("allow", "open")
    assert second["fraud_minor"] == 100
    (label,) = second["labels"]
    assert (label["source"], label["after_days"]) == ("dispute", 7)
    assert not {"keys", "facts", "counted"} & set(first)
    # the dates are a range, without its end
    some = payctl(database, "export", "--since", "2026-03-01T12:00:00Z",
                  "--until", "2026-03-02 12:00")  # fmt: skip
    assert lines(some) == found[:1]
    path = tmp_path / "export.jsonl"
    assert payctl(database, "export", "-o", str(path)) == ""
    assert [line["at"] for line in lines(path.read_text())] == [
        f"2026-03-0{n}T12:00:00.000Z" for n in (1, 2, 3)
    ]
    rows, left_out = export.rows(found, NAMES)
    assert [(row["id"], row["label"]) for row in rows] == [("b", 1)]
    assert dict(left_out) == {"not scored": 1, "without a certain label": 1}


def test_an_export_that_fails_leaves_no_file(database, tmp_path):
    path = tmp_path / "export.jsonl"
    words = ("export", "-o", str(path), "--since", "yesterdayish")
    assert "yesterdayish" in payctl(database, *words, code=2)
    assert not path.exists()
    missing = str(tmp_path / "none" / "x")
    payctl(database, "export", "-o", missing, code=2)
    assert "usage" in payctl(database, "export", "more", code=2)


def test_a_model_is_promoted_by_a_person(database, tmp_path):
    """The check finds the model that scores until somebody has promoted it."""
    model, report = tmp_path / "model.txt", tmp_path / "report.json"
    model.write_text("a model")
    report.write_text("{}")
    operator = {"role": "payments_operator"}
    said = payctl(database, "model", "check")
    # the decisions are of March: nothing has scored in the last day
    assert "every model that scores is promoted" in said
    assert payctl(database, "model", "list") == "no promotions\n"
    words = ("model", "promote", "m", "--why", "AP 0.86", "--who", "ann")
    refused = payctl(database, *words, "--sha256", SHA, code=2)
    assert "needs the role payments_operator" in refused
    made = payctl(database, *words, "--sha256", SHA, **operator)
    assert made == "promoted\n"
    again = payctl(database, *words, "--sha256", SHA, code=1, **operator)
    assert again.startswith("unchanged\n")
    made = payctl(database, *words, "--file", str(model), "--report",
                  str(report), **operator)  # fmt: skip
    assert made == "promoted\n"
    listed = payctl(database, "model", "list").splitlines()
    assert len(listed) == 3 and "AP 0.86" in listed[1] and "ann" in listed[1]
    digest = subprocess.run(["sha256sum", model], capture_output=True,
                            text=True, check=True).stdout[:64]  # fmt: skip
    assert digest in listed[1] and SHA in listed[2]


@pytest.mark.parametrize(
    "words",
    [
        ("promote", "m", "--sha256", SHA),
        ("promote", "m", "--why", "x"),
        ("promote", "m", "--why", "x", "--sha256", SHA, "--file", "f"),
        ("promote", "m", "--why", "x", "--file", "/none"),
        ("promote",),
        ("forget", "m"),
        (),
    ],
)
def test_it_says_what_a_promotion_needs(words):
    payctl("none", "model", *words, code=2)


def test_the_check_finds_what_nobody_has_promoted(connect, database):
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pay.risk_decision SET at = now()")
    connection.commit()
    found = payctl(database, "model", "check", code=1)
    assert SHA in found and found.splitlines()[1].split()[2] == "3"
    payctl(database, "model", "promote", "m", "--sha256", SHA, "--why", "ok",
           role="payments_operator")  # fmt: skip
    payctl(database, "model", "check")
