"""payctl's commands for what only people can settle: changes that nobody but
they know of, words that were not believed, months of the log that go.
"""

import re

import pytest
from support.payctl_books import (
    command,  # noqa: F401 - a fixture
    database,  # noqa: F401 - a fixture
    fields,
    fresh_name,  # noqa: F401 - a fixture
)


def test_change_lists_what_is_open(books, payctl, name):
    change = books.refund(name)
    code, out, _ = payctl("change", "list", role="payments_auditor")
    head, *rows = out.splitlines()
    assert code == 0
    assert head.split() == [
        "id",
        "kind",
        "status",
        "at",
        "age",
        "merchant",
        "order",
        "psp",
        "amount",
        "currency",
        "call",
        "dead_letter",
        "code",
    ]
    (row,) = [row for row in rows if row.startswith(change)]
    assert row.split()[1:3] == ["refund", "EXECUTING"]
    assert row.split()[5:10] == ["acme", name, "stripe", "1.00", "USD"]
    assert row[head.index("call") :].split()[0] == "UNKNOWN"
    assert row[head.index("code") :] == "timeout"
    assert name in payctl("change", "list", "--kind", "refund")[1]
    assert name not in payctl("change", "list", "--kind", "capture")[1]
    assert payctl("change", "list", "--kind", "cancel") == (
        0,
        "no changes\n",
        "",
    )


def test_change_shows_its_calls_its_letter_and_its_timeline(
    books, payctl, name
):
    change = books.refund(name)
    code, out, _ = payctl("change", "show", change, role="payments_auditor")
    assert code == 0
    record, calls, letters, timeline = out.split("\n\n")
    assert re.search(rf"^order +{name}$", record, re.M)
    assert re.search(r"^reason +broken$", record, re.M)
    assert re.search(
        r"^refund +1 +stripe +UNKNOWN +1 .* written +504 +timeout", calls, re.M
    )
    assert re.search(r"^\d+ +key_window_over +open ", letters, re.M)
    assert [line.split()[3] for line in timeline.splitlines()[2:]] == [
        "refund_requested",
        "refund_sent",
    ]


@pytest.mark.parametrize(
    ("word", "status", "event"),
    [("success", "SUCCESS", "refunded"), ("failed", "FAILED", "refund_failed")],
)
def test_change_settle_ends_it_by_peoples_word(
    books, payctl, name, word, status, event
):
    change = books.refund(name)
    assert fields(payctl("explain", name)[1])["waits for"] == "people"
    assert payctl(
        "change",
        "settle",
        change,
        "--as",
        word,
        "--who",
        "ann",
        "--why",
        "seen there",
        role="payments_operator",
    ) == (0, "settled\n", "")
    assert change not in payctl("change", "list")[1]
    assert change in payctl("change", "list", "--all")[1]
    code, out, _ = payctl("change", "show", change)
    assert re.search(rf"^status +{status}$", out, re.M)
    assert re.search(rf" {event} +operator .*\"ann\".*\"seen there\"", out)
    assert fields(payctl("explain", name)[1])["waits for"] == "nobody"
    assert name not in payctl("dlq", "list")[1]
    code, out, err = payctl(
        "change",
        "settle",
        change,
        "--as",
        word,
        "--who",
        "ann",
        "--why",
        "again",
    )
    assert (code, out) == (1, "closed\n") and "ended already" in err
    assert payctl("check", "--quiet")[0] == 0


def test_change_says_no(books, payctl, name):
    change = books.refund(name)
    told = ["--as", "failed", "--who"]
    for words, outcome in (
        (["settle", "nothing", *told, "a", "--why", "x"], "not_found\n"),
        (["settle", change, *told, "", "--why", "x"], "invalid\n"),
        (["settle", change, *told, "a" * 201, "--why", "x"], "invalid\n"),
    ):
        code, out, err = payctl("change", *words)
        assert (code, out) == (1, outcome) and err != ""
    code, out, err = payctl("change", "show", "nothing")
    assert (code, out) == (1, "") and "no such change" in err


def test_mismatch_lists_what_is_open(books, payctl, name):
    number = books.differ(name)
    code, out, _ = payctl("mismatch", "list", role="payments_auditor")
    head, *rows = out.splitlines()
    assert code == 0
    assert head.split() == [
        "id",
        "kind",
        "wrong",
        "state",
        "at",
        "age",
        "merchant",
        "order",
        "psp",
        "source",
        "said",
        "said_in",
        "ours",
        "ours_in",
        "object_or_event",
    ]
    (row,) = [row for row in rows if row.split()[0] == number]
    assert row.split()[1] == "amount"
    assert row.split()[4:] == [
        "acme",
        name,
        "stripe",
        "webhook",
        "0.05",
        "USD",
        "12.34",
        "USD",
        f"evt-t-{name}-paid",
    ]
    assert row.index("acme") == head.index("merchant")
    assert name in payctl("mismatch", "list", "--kind", "amount")[1]
    assert name not in payctl("mismatch", "list", "--kind", "token")[1]
    assert payctl("mismatch", "list", "--kind", "fee") == (
        0,
        "no mismatches\n",
        "",
    )


def test_mismatch_settle_says_who_and_why(books, payctl, name):
    number = books.differ(name)
    assert fields(payctl("explain", name)[1])["waits for"] == "people"
    assert (
        books.value(
            "SELECT why FROM pay_view.stuck WHERE checkout_id = %s", name
        )
        == "mismatch"
    )
    assert payctl(
        "mismatch",
        "settle",
        number,
        "--who",
        "ann",
        "--why",
        "paid back there",
        role="payments_operator",
    ) == (0, "settled\n", "")
    assert name not in payctl("mismatch", "list")[1]
    assert re.search(
        rf"^{number} +amount +settled .* {name} ",
        payctl("mismatch", "list", "--all")[1],
        re.M,
    )
    code, out, _ = payctl("mismatch", "show", number, role="payments_auditor")
    assert code == 0
    record, calls, timeline = out.split("\n\n")
    assert re.search(r"^settled_by +ann$", record, re.M)
    assert re.search(r"^settled_why +paid back there$", record, re.M)
    assert calls.startswith("calls to the PSP\n")
    assert " mismatch_settled " in timeline
    explained = payctl("explain", name)[1]
    assert fields(explained)["waits for"] == "buyer"
    assert f"mismatch {number}: settled by ann, because: paid back" in explained
    assert not books.run(
        "SELECT FROM pay_view.stuck WHERE checkout_id = %s", name
    )
    code, out, err = payctl(
        "mismatch", "settle", number, "--who", "ann", "--why", "again"
    )
    assert (code, out) == (1, "closed\n") and "settled before" in err
    assert payctl("check", "--quiet")[0] == 0


def test_mismatch_says_no(books, payctl, name):
    number = books.differ(name)
    for words, outcome in (
        (["settle", "999999", "--who", "a", "--why", "x"], "not_found\n"),
        (["settle", number, "--who", "", "--why", "x"], "invalid\n"),
        (["settle", number, "--who", "a", "--why", "b" * 201], "invalid\n"),
    ):
        code, out, err = payctl("mismatch", *words)
        assert (code, out) == (1, outcome) and err != ""
    code, out, err = payctl("mismatch", "show", "999999")
    assert (code, out) == (1, "") and "no such mismatch" in err


@pytest.mark.parametrize("role", ["payments_auditor", "payments_gateway"])
def test_only_operators_settle(books, payctl, name, role):
    told = ["--who", "eve", "--why", "because"]
    for words in (
        ["mismatch", "settle", books.differ(name)],
        ["change", "settle", books.refund(name + "r"), "--as", "success"],
        ["audit", "drop-month", "2020-01"],
    ):
        code, out, err = payctl(*words, *told, role=role)
        assert (code, out) == (2, "") and "permission denied" in err


def test_audit_drop_month_drops_or_says_why_not(books, payctl):
    told = ["--who", "ann", "--why", "policy 7"]
    books.run("SET search_path = pay; SELECT make_partition('2020-01-01');"
              " RESET search_path")
    for words, outcome in (
        (["2020-02"], "not_found"),
        (["2020-01", "--keep", "1 month"], "invalid"),
        (["2020-01", "--keep", "100 years"], "too_young"),
    ):
        code, out, err = payctl("audit", "drop-month", *words, *told)
        assert (code, out) == (1, outcome + "\n") and err != ""
    assert payctl(
        "audit", "drop-month", "2020-01", *told, role="payments_operator"
    ) == (0, "dropped\n", "")
    assert books.run("SELECT who, why FROM pay.dropped_month") == [
        ("ann", "policy 7")
    ]
    assert payctl("audit", "drop-month", "2020-01", *told)[:2] == (
        1,
        "not_found\n",
    )


@pytest.mark.parametrize("word", ["lost", "won"])
def test_dispute_settle_ends_it_by_peoples_word(books, payctl, name, word):
    dispute = books.dispute(name)
    code, out, _ = payctl("dispute", "list", role="payments_auditor")
    (row,) = [row for row in out.splitlines() if row.startswith(dispute)]
    assert code == 0 and row.split()[1] == "open"
    assert row.split()[-5:] == ["acme", name, "stripe", "1.00", "USD"]
    act = ("dispute", "settle", dispute, "--psp", "stripe", "--as", word)
    act += ("--who", "ann", "--why", "seen there")
    assert payctl(*act, role="payments_auditor")[0] == 2
    assert payctl(*act, role="payments_operator") == (0, "settled\n", "")
    assert dispute not in payctl("dispute", "list")[1]
    assert dispute in payctl("dispute", "list", "--kind", word)[1]
    assert dispute in payctl("dispute", "list", "--all")[1]
    booked = books.run(
        "SELECT kind FROM pay.journal_entry WHERE source = %s ORDER BY kind",
        f"dispute/stripe/{dispute}",
    )
    assert sorted(kind for (kind,) in booked) == sorted(
        ["dispute_opened", f"dispute_{word}"]
    )
    code, out, err = payctl(*act)
    assert (code, out) == (1, "closed\n") and "ended already" in err
    assert payctl("check", "--quiet")[0] == 0
