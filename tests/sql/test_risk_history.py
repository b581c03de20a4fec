"""payctl risk export and payctl risk model, on decisions of a database of their
own, as an auditor and an operator run them."""

import hashlib
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
        for rule in ("fixed", "emptied"):
            cursor.execute("ALTER TABLE pay.risk_decision DISABLE TRIGGER"
                           f" risk_decision_{rule}")  # fmt: skip
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


# payctl risk replay

FACTS = {
    "a": {"amount": 600000, "currency": "USD", "email": True, "hour": 3,
          "counts": [["ip-10m", 4]]},
    "b": {"amount": 100, "currency": "USD", "billing_country": "DE",
          "counts": [["ip-10m", 11]]},
    "c": None,
}  # fmt: skip
SCORE = {"parts": {"model": 0.9, "rules": 0, "velocity": 0, "device": 1}}


@pytest.fixture(name="stored")
def facts(connect, database):
    """The three decisions with facts, a score of one of them, a hit of a list
    on another."""
    connection = connect()
    with connection.cursor() as cursor:
        for name, known in FACTS.items():
            cursor.execute(
                "UPDATE pay.risk_decision SET facts = %s::jsonb, features ="
                " NULL, score = %s::jsonb, hits = %s WHERE checkout_id = %s",
                (
                    known and json.dumps(known),
                    json.dumps(SCORE) if name == "a" else None,
                    '[{"by": "list", "name": "ip", "then": "review",'
                    ' "shadow": false}]' if name == "b" else "[]",
                    name,
                ),
            )
    connection.commit()
    return database


def replayed(database, path, rules, *words):
    """(checkouts, frauds) by part, name and words."""
    path.write_text(rules)
    text = payctl(database, "replay", "--rules", str(path), "-o", "json",
                  *words)  # fmt: skip
    return {
        (row["part"], row["name"], row["decided"], row["replayed"]): (
            row["checkouts"], row["frauds"],
        )
        for row in json.loads(text)
    }  # fmt: skip


def decisions(found):
    return {key[3]: sums for key, sums in found.items() if key[0] == "decision"}


@pytest.fixture(name="tried")
def trial(stored, tmp_path):
    return lambda *words: replayed(stored, tmp_path / "rules.conf", *words)


def test_a_replay_decides_anew_and_guesses_nothing(tried, stored, tmp_path):
    same = {"allow": (2, 0), "review": (1, 1)}
    assert decisions(tried("# nothing\n")) == same
    # hour is the checkout's own, so that purged facts do not matter
    assert decisions(tried(
        "payments_risk_rule hours if hour=3 then=block;"
    )) == {"block": (1, 0), "review": (1, 1), "allow": (1, 0)}  # fmt: skip
    # a personal value: only that there is one is stored, and of c nothing
    found = tried("payments_risk_rule one if email=a@b.example then=review;\n"
                  "payments_risk_rule two if email=missing then=challenge;\n")
    assert found[("rule", "one", "", "unknown")] == (2, 0)
    assert found[("rule", "two", "", "hit")] == (1, 1)
    assert found[("rule", "two", "", "unknown")] == (1, 0)
    assert decisions(found) == {"unknown": (2, 0), "review": (1, 1)}
    # nothing that is not known can make a block more severe, and shadow is out
    assert decisions(tried(
        "payments_risk_rule all if hour>=0 then=block;"
        "payments_risk_rule who if email=a@b.example then=review;"
    )) == {"block": (3, 1)}  # fmt: skip
    assert decisions(tried(
        "payments_risk_rule who if email=a@b.example then=review shadow=on;"
    )) == {"allow": (2, 0), "review": (1, 1)}  # fmt: skip
    # of another merchant, and an allow that ends all
    assert decisions(tried(
        "payments_risk_rule x merchant=other if hour>=0 then=block;"
        "payments_risk_rule y merchant=m if 'hour>=0' then=allow;"
    )) == {"allow": (3, 1)}  # fmt: skip


def test_a_replay_tries_windows_and_totals(tried):
    window = ("payments_risk_velocity ip-10m key=merchant window=10m"
              " limit={} {};")  # fmt: skip
    found = tried(window.format(10, "then=block"))
    assert found[("velocity", "ip-10m", "", "hit")] == (1, 1)
    assert decisions(found) == {"allow": (1, 0), "block": (1, 1),
                                "unknown": (1, 0)}  # fmt: skip
    assert ("velocity", "ip-10m", "", "hit") not in tried(
        window.format(11, "then=block")
    )
    # PostgreSQL's counts are not stored
    day = window.replace("10m limit", "24h limit")
    assert decisions(tried(day.format(10, "then=block"))) == {"unknown": (3, 1)}
    assert decisions(tried(day.format(10, "then=block"), "--keep-windows")) == {
        "allow": (2, 0), "review": (1, 1)}  # fmt: skip
    # 0.4 * 0.9 + 0.1 = 0.46; of the others nothing was scored
    for least, word in ((0.46, "challenge"), (0.461, "allow")):
        found = decisions(tried(f"payments_risk_score challenge={least};"))
        assert found == {word: (1, 0), "review": (1, 1), "unknown": (1, 0)}


def test_a_replay_scores_stored_features_with_another_model(
    tried, connect, tmp_path
):
    names = [line.split("(")[1].split(")")[0] for line in
             (ROOT / "src/risk/feature.list").read_text().splitlines()
             if line.startswith("FEATURE(")]  # fmt: skip
    digest = hashlib.sha256("".join(n + "\n" for n in names).encode())
    card = {"form": "scorecard", "features_hash": digest.hexdigest(),
            "intercept": 0, "features": [{"name": "hour", "bins": [2.5],
            "points": [-30, 30], "missing": 0, "average": 0}]}  # fmt: skip
    (tmp_path / "card.json").write_text(json.dumps(card))
    connection = connect()
    for hour, least in ((2, 0.1), (None, 0.3), (2.5001, 0.5)):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE pay.risk_decision SET features = %s"
                " WHERE checkout_id = 'a'",
                (json.dumps(dict.fromkeys(names) | {"hour": hour}),),
            )
        connection.commit()
        for more, word in ((0, "block"), (0.001, "allow")):
            line = f"payments_risk_score block={least + more:.3f};"
            found = decisions(tried(line, "--model", tmp_path / "card.json"))
            assert found == {word: (1, 0), "unknown": (2, 1)}, (hour, more)


def test_a_replay_writes_tables_and_csv(stored, tmp_path):
    path = tmp_path / "rules.conf"
    path.write_text("payments_risk_rule r if hour=3 then=block;")
    words = ("replay", "--rules", str(path))
    assert "block" in payctl(stored, *words)
    first, second, *_ = payctl(stored, *words, "-o", "csv").splitlines()
    assert first.startswith("part,name,decided,replayed,currency,checkouts")
    assert second.startswith('decision,"",allow,')
    some = payctl(stored, *words, "-o", "csv", "--until", "2026-03-01")
    assert some.splitlines() == [first]
    assert payctl(stored, *words, "-o", "json", "--until", "2026-03-01") == (
        "[]\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("payments_risk_rule r if hour=3 then=block", "needs a ;"),
        ("\n\npayments_risk_rule r if hours=3 then=block;", "begins at 3"),
        ("payments_risk_rule r if hour=3;", "needs then="),
        ("payments_risk_rule r if hour=3 then=block;" * 2, "another line"),
        ("payments_risk on;", "is none of"),
        ("payments_risk_velocity v key=ip window=10m then=block;", "limit="),
        ("payments_risk_velocity v key=ip window=31d limit=1 then=block;",
         "not known"),
        ("payments_risk_score model=0.5;", "add up to 1"),
        ("payments_risk_score block=0.5 review=0.6;", "rise"),
        ("payments_risk_score block=1.5;", "from 0 to 1"),
        ('payments_risk_rule "r if hour=3 then=block;', "needs a ;"),
        ("payments_risk_rule $r if hour=3 then=block;", "within a word"),
    ],
)  # fmt: skip
def test_a_file_of_rules_is_refused_with_a_reason(text, said, tmp_path):
    path = tmp_path / "rules.conf"
    path.write_text(text)
    assert said in payctl("none", "replay", "--rules", str(path), code=2)


def test_a_model_that_is_none_is_refused(tmp_path):
    path = tmp_path / "rules.conf"
    path.write_text("")
    words = ("replay", "--rules", str(path), "--model", str(path))
    assert "payctl: risk replay: " in payctl("none", *words, code=2)
