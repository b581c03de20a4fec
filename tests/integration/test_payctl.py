"""payctl's database commands against a scratch database: what they print, what
they refuse, with which exit code, and that nothing of it steers a terminal.

PG_ADMIN_DSN is a superuser's DSN (default: the running stack's); the tests
make and drop a database of their own.
"""

import hashlib
import json
import re
import subprocess
import uuid

import psycopg2
import pytest
from support.payctl_books import (
    PAYCTL,
    ROOT,
    command,  # noqa: F401 - a fixture
    database,  # noqa: F401 - a fixture
    fields,
    fresh_name,  # noqa: F401 - a fixture
)

EVIL = "\x1b[2J\x07\x7f\u009b31m\u202e"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_explain_tells_of_a_page_that_nobody_has_paid(books, payctl, name):
    books.begin(name, token=f"t-{name}")
    code, out, _ = payctl("explain", name, role="payments_auditor")
    assert code == 0
    told = fields(out)
    assert told["order"] == name and told["merchant"] == "acme"
    assert told["amount"] == "12.34 USD" and told["status"] == "EXECUTING"
    assert told["waits for"] == "buyer" and told["next step"] == "poll"
    assert re.fullmatch(TIME, told["at"])
    assert told["safe to retry"] == "after"
    assert told["after"] == "2030-03-17T18:01:40.000Z"
    assert "There is a page at stripe" in out


def test_explain_tells_what_happened_in_order(books, payctl, name):
    books.begin(name, late="hold", token=f"t-{name}")
    books.fact(f"t-{name}", "expired")
    assert books.fact(f"t-{name}", "paid", reference="pi-1") == "held"
    code, out, _ = payctl("explain", name)
    story = out.split("\n\nwhat happened\n")[1].splitlines()
    assert code == 0
    assert all(re.match(TIME + "  ", line) for line in story)
    words = ["created, by merchant: NOT_STARTED",
             "-> stripe: register, attempt 1: DONE",
             "registered, by gateway: NOT_STARTED > EXECUTING",
             "expired, by webhook: EXECUTING > FAILED, reason expired",
             "late_success, by webhook: FAILED",
             "paid late: 12.34 USD, now held, reference pi-1",
             "dead letter "]
    assert len(story) == len(words)
    for line, word in zip(story, words, strict=True):
        assert word in line


def test_explain_says_what_was_not_believed(books, payctl, name):
    books.begin(name, token=f"t-{name}")
    assert books.fact(f"t-{name}", "paid", amount=5) == "mismatch"
    _, out, _ = payctl("explain", name)
    assert fields(out)["waits for"] == "people"
    assert re.search(r"mismatch \d+: not believed \(amount\), from stripe by "
                     r"webhook", out)
    assert "said 0.05 USD, ours 12.34 USD" in out
    (line,) = re.findall("mismatch, by webhook: .*", out)
    assert ", amount 0.05" in line and "minor" not in line, line


def test_explain_json_is_what_the_api_says(books, payctl, name):
    """Of one that does not change with the clock, as a lease does."""
    books.give_up(name)
    code, out, _ = payctl("explain", "--json", name)
    assert code == 0
    api = books.value("SELECT explanation FROM pay_api.explain_payment("
                      "'{acme}', ARRAY[%s], '{0}')", name)
    assert json.loads(out) == json.loads(api)


def test_explain_says_what_was_decided_about_the_risk(books, payctl, name):
    """And the storefront, which reads the same facts, does not learn it."""
    books.begin(name, risk=json.dumps({
        "version": "c0ffee", "decision": "review", "allowed": False,
        "facts": {}}),
        hits=[("large", "review", False), ("far", "block", True)])
    code, out, _ = payctl("explain", name)
    assert code == 0
    assert fields(out)["risk"] == "review"
    assert fields(out)["decided by"] == "rule"
    assert re.search(r"hit +large\n +of +rule\n +asks for +review\n  hit +far\n"
                     r" +of +rule\n +asks for +block\n +in shadow +yes", out)
    api = books.value("SELECT explanation FROM pay_api.explain_payment("
                      "'{acme}', ARRAY[%s], '{0}')", name)
    assert "large" not in api and "risk" not in api


def test_explain_shows_each_merchants_order(books, payctl, name):
    books.begin(name, merchant="zoo")
    books.begin(name, merchant="able")
    code, out, _ = payctl("explain", name)
    assert code == 0
    assert re.findall(r"^merchant +(\w+)$", out, re.M) == ["able", "zoo"]
    _, out, _ = payctl("explain", "--merchant", "zoo", name)
    assert re.findall(r"^merchant +(\w+)$", out, re.M) == ["zoo"]
    assert payctl("explain", "--merchant", "nobody", name)[0] == 1


def test_strangers_do_not_steer_the_terminal(books, payctl, name):
    letter = books.give_up(name, code="no" + EVIL)
    for words in (["explain", name], ["explain", "--json", name],
                  ["timeline", name], ["dlq", "list"],
                  ["dlq", "show", str(letter)]):
        code, out, _ = payctl(*words)
        assert code == 0
        assert "no?[2J???31m?" in out or "no\\u001b[2J" in out


def test_dlq_lists_what_is_open(books, payctl, name):
    letter = books.give_up(name)
    code, out, _ = payctl("dlq", "list", role="payments_auditor")
    head, *rows = out.splitlines()
    assert code == 0
    assert head.split() == ["id", "kind", "reason", "state", "at", "age",
                            "merchant", "order_or_event", "psp", "amount",
                            "currency",
                            "attempts", "code"]
    (row,) = [row for row in rows if row.split()[0] == str(letter)]
    assert row.split()[1:3] == ["register", "retry_limit"]
    assert row.split()[5:] == ["acme", name, "stripe", "12.34", "USD", "1",
                               "timeout"]
    assert {line.index("acme") for line in rows if " acme " in line} == {
        head.index("merchant")}


def test_dlq_list_takes_a_kind_and_a_merchant(books, payctl, name):
    books.give_up(name)
    assert name in payctl("dlq", "list", "--kind", "register")[1]
    assert name in payctl("dlq", "list", "--merchant", "acme")[1]
    assert name not in payctl("dlq", "list", "--kind", "poll")[1]
    assert payctl("dlq", "list", "--merchant", "acme", "--kind", "stuck") == (
        0, "no dead letters\n", "")


def test_dlq_shows_the_whole_history(books, payctl, name):
    letter = books.give_up(name)
    code, out, _ = payctl("dlq", "show", str(letter), role="payments_auditor")
    assert code == 0
    record, calls, timeline = out.split("\n\n")
    assert re.search(rf"^order +{name}$", record, re.M)
    assert re.search(r"^code +timeout$", record, re.M)
    assert calls.startswith("calls to the PSP\n")
    assert re.search(r"^register +1 +stripe +UNKNOWN +1 .* written +504 ",
                     calls, re.M)
    assert timeline.startswith("timeline\n")
    assert "registration_unknown" in timeline


def test_dlq_requeue_names_who_and_why(books, payctl, name):
    letter = str(books.give_up(name))
    assert payctl("dlq", "requeue", letter, "--who", "ann", "--why",
                  "the PSP is back", role="payments_operator") == (
        0, "requeued\n", "")
    assert name not in payctl("dlq", "list")[1]
    _, out, _ = payctl("dlq", "list", "--all")
    assert re.search(rf"^{letter} .* requeued .* {name} ", out, re.M)
    assert f"dead letter {letter}: requeued by ann, because: the PSP is" \
        in payctl("explain", name)[1]
    code, out, err = payctl("dlq", "requeue", letter, "--who", "ann", "--why",
                            "again")
    assert (code, out) == (1, "closed\n") and "not open" in err


def test_dlq_resolve_closes(books, payctl, name):
    letter = str(books.give_up(name))
    code, out, _ = payctl("dlq", "resolve", letter, "--who", "bob", "--why",
                          "closed it at the PSP", role="payments_operator")
    assert (code, out) == (0, "resolved\n")
    _, out, _ = payctl("dlq", "show", letter)
    assert re.search(r"^closed_by +bob$", out, re.M)
    assert "dead_letter_resolved" in out


def test_an_accepted_late_payment_is_a_sale(books, payctl, name):
    books.begin(name, late="hold", token=f"t-{name}")
    books.fact(f"t-{name}", "expired")
    books.fact(f"t-{name}", "paid")
    (letter,) = re.findall(rf"^(\d+) +late_success .* {name} ",
                           payctl("dlq", "list")[1], re.M)
    _, out, _ = payctl("dlq", "show", letter)
    assert "the late payment" in out and "held" in out
    code, out, err = payctl("dlq", "requeue", letter, "--who", "ann",
                            "--why", "again")
    assert (code, out) == (1, "late_payment\n") and "dlq accept" in err
    assert fields(payctl("explain", name)[1])["status"] == "FAILED"
    assert payctl("dlq", "accept", letter, "--who", "ann", "--why",
                  "still in stock") == (0, "accepted\n", "")
    assert fields(payctl("explain", name)[1])["status"] == "SUCCESS"


def test_dlq_says_no(books, payctl, name):
    letter = str(books.give_up(name))
    who = ["--who", "ann", "--why", "x"]
    for words, outcome in (
            (["requeue", "999999", *who], "not_found\n"),
            (["accept", "999999", *who], "not_found\n"),
            (["accept", letter, *who], "no_late_payment\n"),
            (["resolve", "999999", *who], "not_found\n"),
            (["resolve", letter, "--who", "", "--why", "x"], "invalid\n"),
            (["resolve", letter, "--who", "a" * 201, "--why", "x"],
             "invalid\n")):
        code, out, err = payctl("dlq", *words)
        assert (code, out) == (1, outcome) and err != ""
        # a job that is still tried is none
        assert ("needs no requeue" in err) == (outcome == "not_found\n")
    code, out, err = payctl("dlq", "show", "999999")
    assert (code, out) == (1, "") and "no such dead letter" in err


@pytest.mark.parametrize("role", ["payments_auditor", "payments_gateway"])
def test_only_operators_settle_dead_letters(books, payctl, name, role):
    letter = str(books.give_up(name))
    for action in ("requeue", "accept", "resolve"):
        code, out, err = payctl("dlq", action, letter, "--who", "eve", "--why",
                                "x", role=role)
        assert (code, out) == (2, "")
        assert "needs the role payments_operator" in err
    assert name in payctl("dlq", "list")[1]


def test_a_parked_webhook_is_shown_with_what_it_says(books, payctl, name):
    assert books.fact(f"t-{name}", "paid", amount=4200) == "parked"
    books.run("UPDATE pay.webhook_inbox SET received_at = now() -"
              " interval '2 h' WHERE token = %s", f"t-{name}")
    books.run("UPDATE pay.round SET run_at = now()")
    books.run("SELECT * FROM pay_api.sweep('{w}', '{0}',"
              " ARRAY['{\"parked_s\":3600}'::jsonb])")
    (letter,) = re.findall(rf"^(\d+) +parked .* evt-t-{name}-paid ",
                           payctl("dlq", "list", "--kind", "parked")[1], re.M)
    _, out, _ = payctl("dlq", "show", letter)
    assert re.search(r"^fact +paid$", out, re.M)
    assert re.search(r"^amount +42.00 USD$", out, re.M)
    code, out, err = payctl("dlq", "requeue", letter, "--who", "a", "--why",
                            "b")
    assert (code, out) == (1, "nothing_to_do\n") and "resolve it" in err


def test_quarantine_shows_the_reason_and_the_digest(books, payctl):
    for psp, reason, body in (("stripe", "stale", b"one"),
                              ("stripe", "mismatch", b"two"),
                              ("adyen", "no_key", b"three" + EVIL.encode())):
        books.run("SELECT * FROM pay_api.quarantine_webhook(ARRAY[%s],"
                  " ARRAY[%s], ARRAY[%s::bytea], '{\"{}\"}', ARRAY[%s::bytea],"
                  " ARRAY[%s::bigint], ARRAY[%s])", psp, reason,
                  hashlib.sha256(body).digest(), body, len(body), EVIL)
    code, out, _ = payctl("webhook", "quarantine", role="payments_auditor")
    rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert rows[0] == ["psp", "number", "received_at", "reason", "size",
                       "digest", "request_id"]
    assert [(row[0], row[3], row[4]) for row in rows[1:]] == [
        ("adyen", "no_key", str(5 + len(EVIL.encode()))),
        ("stripe", "mismatch", "3"), ("stripe", "stale", "3")]
    assert rows[2][5] == hashlib.sha256(b"two").hexdigest()
    assert "three" not in out
    _, out, _ = payctl("webhook", "quarantine", "--psp", "stripe", "--limit",
                       "1")
    assert len(out.splitlines()) == 2 and "mismatch" in out


def test_backfill_shows_how_far_it_is(books, payctl):
    assert payctl("backfill") == (
        0, "no PSP's list has been looked at yet\n", "")
    books.run("SELECT * FROM pay_api.begin_backfill('{stripe}', '{w}',"
              " '{600000}', '{60000}')")
    books.run("SELECT * FROM pay_api.end_backfill('{stripe}', '{w}',"
              " ARRAY[extract(epoch FROM now())::bigint - 60], '{12}', '{3}',"
              " '{NULL}')")
    code, out, _ = payctl("backfill", role="payments_auditor")
    head, row = out.splitlines()
    assert code == 0
    assert head.split() == ["psp", "seen_until", "behind", "next_run",
                            "running", "runs", "listed", "missed", "code"]
    assert row.split()[0] == "stripe" and row.split()[-3:] == ["1", "12", "3"]


@pytest.mark.parametrize("words", [
    ["dlq"], ["dlq", "other"], ["dlq", "list", "extra"], ["dlq", "show"],
    ["dlq", "show", "x"], ["dlq", "show", "1", "2"], ["dlq", "show", "-1"],
    ["dlq", "show", "9" * 19], ["dlq", "requeue", "1"],
    ["dlq", "requeue", "1", "--who", "a"], ["dlq", "resolve", "1", "--why"],
    ["dlq", "list", "--no-such"], ["explain"], ["explain", "a", "b"],
    ["explain", "--merchant"], ["explain", "--nope", "a"],
    ["webhook"], ["webhook", "other"], ["webhook", "quarantine", "x"],
    ["webhook", "show"], ["webhook", "show", "stripe"],
    ["webhook", "quarantine", "--limit", "x"],
    ["webhook", "quarantine", "--limit", ""], ["backfill", "x"],
    ["change"], ["change", "show"], ["change", "list", "x"],
    ["change", "settle", "1", "--who", "a", "--why", "b"],
    ["change", "settle", "1", "--as", "maybe", "--who", "a", "--why", "b"],
    ["change", "settle", "1", "--as", "failed", "--who", "a"],
    ["mismatch"], ["mismatch", "show", "x"], ["mismatch", "list", "x"],
    ["mismatch", "settle", "1", "--who", "a"], ["mismatch", "settle", "1"],
    ["audit", "drop-month"],
    ["audit", "drop-month", "2020-1", "--who", "a", "--why", "b"],
    ["audit", "drop-month", "2020-01-01", "--who", "a", "--why", "b"],
    ["audit", "drop-month", "2020-13", "--who", "a", "--why", "b"],
    ["audit", "drop-month", "2020-01", "--who", "a"],
    ["explain", "--dsn", "host=/nonexistent", "a"]])
def test_a_wrong_call_exits_2_and_does_nothing(payctl, words):
    code, out, err = payctl(*words)
    assert code == 2 and out == "" and err != ""


@pytest.mark.parametrize("words", [
    ["dlq"], ["explain"], ["webhook"], ["webhook", "quarantine"],
    ["webhook", "show"], ["webhook", "verify"], ["backfill"], ["timeline"],
    ["change"], ["mismatch"], ["audit"], ["audit", "drop-month"]])
def test_help_is_an_answer(payctl, words):
    code, out, err = payctl(*words, "--help")
    assert code == 0 and out.startswith("usage: payctl") and err == ""


# Where the database is.

ASKS = {
    "audit export": ("audit", "export"),
    "audit status": ("audit", "status"),
    "backfill": ("backfill",),
    "audit drop-month": ("audit", "drop-month", "1999-01", "--who", "w",
                         "--why", "y"),
    "change list": ("change", "list"),
    "change settle": ("change", "settle", "x", "--as", "failed", "--who", "w",
                      "--why", "y"),
    "change show": ("change", "show", "x"),
    "check": ("check", "--quiet"),
    "dispute list": ("dispute", "list"),
    "dispute settle": ("dispute", "settle", "x", "--psp", "stripe", "--as",
                       "lost", "--who", "w", "--why", "y"),
    "dlq list": ("dlq", "list"),
    "dlq show": ("dlq", "show", "999999"),
    "dlq requeue": ("dlq", "requeue", "999999", "--who", "w", "--why", "y"),
    "dlq accept": ("dlq", "accept", "999999", "--who", "w", "--why", "y"),
    "dlq resolve": ("dlq", "resolve", "999999", "--who", "w", "--why", "y"),
    "explain": ("explain", "no-such-order"),
    "find": ("find", "no-such-name"),
    "migrate": ("migrate", "--dry-run", "--sql", str(ROOT / "sql")),
    "mismatch assign": ("mismatch", "assign", "999999", "o=1", "--who", "w",
                        "--why", "y"),
    "mismatch list": ("mismatch", "list"),
    "mismatch settle": ("mismatch", "settle", "999999", "--who", "w", "--why",
                        "y"),
    "mismatch show": ("mismatch", "show", "999999"),
    "timeline": ("timeline", "no-such-order"),
    "webhook quarantine": ("webhook", "quarantine"),
    "webhook show": ("webhook", "show", "stripe", "no-such-event"),
    "webhook replay": ("webhook", "replay", "stripe", "no-such-event",
                       "--who", "w", "--why", "y"),
}


def run_with(dsn, *words):
    env = {} if dsn is None else {"PAYCTL_DSN": dsn}
    done = subprocess.run([PAYCTL, *words], env=env, capture_output=True,
                          check=False, timeout=60, text=True)
    # ages grow from call to call
    said = re.sub(r"(?<!T)\b\d\d:\d\d:\d\d\b", "age", done.stdout)
    return done.returncode, said, done.stderr


@pytest.mark.parametrize("name", ASKS)
def test_each_command_takes_its_dsn_either_way(books, name):
    words = ASKS[name]
    expected = run_with(books.dsn, *words)
    assert "no database" not in expected[2]
    assert "connect" not in expected[2]
    assert run_with(None, *words, "--dsn", books.dsn) == expected
    assert run_with(None, *words, f"--dsn={books.dsn}") == expected
    # what is said is taken before what is set
    assert run_with("dbname=no_such", *words, "--dsn", books.dsn) == expected
    code, out, complaint = run_with(None, *words)
    assert (code, out) == (2, "")
    assert "no database: give --dsn or set PAYCTL_DSN" in complaint


@pytest.mark.parametrize("name", ASKS)
def test_each_command_refuses_an_option_that_is_none(name):
    words = ASKS[name]
    for more in ("--dsm=x", "--ds", "--dsn"):
        code, out, complaint = run_with(None, *words, more)
        assert (code, out) == (2, "")
        said, usage = complaint.split("\n", 1)
        option = more.split("=")[0]
        assert said.startswith("payctl: ") and option in said
        assert usage.startswith("usage: payctl")


# What is meant, and what is a mistake.


def everything_known(books, name) -> dict:
    """Names that lead to one checkout of two orders, by what they are."""
    books.begin(name, token=f"t-{name}", checkout=f"c-{name}", key=f"k-{name}")
    books.fact(f"t-{name}", "paid", reference=f"pi-{name}")
    row = books.value("SELECT row_to_json(q) FROM (SELECT c.checkout_id, "
                      "c.handle, r.nonce, k.key FROM pay.checkout c JOIN "
                      "pay.registration r USING (merchant_id, checkout_id) "
                      "JOIN pay.idempotency_key k USING (merchant_id, "
                      "checkout_id) WHERE r.token = %s) q", f"t-{name}")
    return {
        "order": name,
        "checkout": row["checkout_id"],
        "token": f"t-{name}",
        "PSP's payment": f"pi-{name}",
        "nonce": row["nonce"],
        "idempotency key": row["key"],
        "buyer's handle": row["handle"],
    }


def test_find_says_what_a_name_belongs_to(books, payctl, name):
    names = everything_known(books, name)
    for kind, what in names.items():
        code, out, _ = payctl("find", what, role="payments_auditor")
        assert code == 0, (kind, what)
        found = [line for line in out.splitlines() if line.startswith(kind)]
        assert found and all(names["checkout"] in line for line in found)
        (told, *_) = json.loads(payctl("find", "--json", what)[1])
        assert told["merchant"] == "acme"
        assert told["checkout"] == names["checkout"]
    assert payctl("find", f"no-{name}") == (
        1, "", "payctl: nothing is known by that name\n")


def test_explain_and_timeline_take_whatever_find_knows(books, payctl, name):
    """Support has what the buyer reads out: the checkout's number."""
    names = everything_known(books, name)
    expected = fields(payctl("explain", name)[1])["status"]
    for what in names.values():
        code, out, err = payctl("explain", what)
        assert (code, err) == (0, ""), what
        told = fields(out)
        assert (told["order"], told["status"]) == (name, expected)
        code, out, err = payctl("timeline", what)
        assert (code, err) == (0, "") and "registered" in out
    for verb in ("explain", "timeline"):
        code, out, err = payctl(verb, f"no-{name}")
        assert (code, out) == (1, "") and "no such payment order" in err


def test_a_request_id_leads_to_what_it_told(books, payctl, name):
    """It says when it was made, so that no more than an hour is read."""
    books.begin(name, token=f"t-{name}")
    millis = books.value("SELECT (extract(epoch FROM now()) * 1000)::bigint")
    head = f"{millis:012x}"
    request = f"{head[:8]}-{head[8:]}-7abc-8def-{uuid.uuid4().hex[:12]}"
    books.value("SELECT r.outcome FROM pay_api.apply_event('{stripe}', "
                "'{webhook}', ARRAY[%s], '{t}', '{pending}', ARRAY[%s], "
                "'{NULL}', '{NULL}', '{NULL}', '{NULL}', "
                "ARRAY[sha256('b')], ARRAY[%s]) r",
                f"e-{name}", f"t-{name}", request)
    code, out, _ = payctl("find", request)
    assert code == 0 and re.search(rf"^request .* {name} ", out, re.M)
    assert fields(payctl("explain", request)[1])["order"] == name


def test_a_name_that_leads_to_two_checkouts_is_not_guessed(
    books, payctl, name
):
    books.begin(f"{name}-1", merchant="zoo", token=f"t-{name}")
    books.begin(f"t-{name}", merchant="able")
    code, out, _ = payctl("find", f"t-{name}")
    assert code == 0 and "zoo" in out and "able" in out
    books.begin(f"{name}-2", merchant="able", key=f"k-{name}")
    books.begin(f"{name}-3", merchant="zoo", key=f"k-{name}")
    code, out, err = payctl("explain", f"k-{name}")
    assert code == 1 and "2 checkouts" in err
    assert re.findall(r"^(able|zoo) ", out, re.M) == ["able", "zoo"]
    assert payctl("explain", "--merchant", "zoo", f"k-{name}")[0] == 0


@pytest.mark.parametrize(("words", "complaint"), [
    (["dlq", "list", "--kind", "foo"], 'no kind "foo"'),
    (["dlq", "list", "--kind", "refnud"], "did you mean refund?"),
    (["dlq", "list", "--merchant", "nosuch"], 'no merchant "nosuch"'),
    (["mismatch", "list", "--kind", "foo"], 'no kind "foo"'),
    (["mismatch", "list", "--merchant", "nosuch"], 'no merchant "nosuch"'),
    (["change", "list", "--kind", "foo"], 'no kind "foo"'),
    (["change", "list", "--merchant", "nosuch"], 'no merchant "nosuch"'),
    (["webhook", "quarantine", "--psp", "nosuch"], 'no PSP "nosuch"'),
    (["find", "--merchant", "nosuch", "x"], 'no merchant "nosuch"'),
    (["dlq", "lst"], "did you mean list?"),
    (["dlq", "show", "abc"], '"abc" is none'),
    (["dlq", "requeue", "1"], "--who is missing"),
    (["dlq", "accept", "1", "--who", "ann"], "--why is missing"),
    (["mismatch", "settle", "1", "--why", "x"], "--who is missing"),
    (["change", "settle", "1", "--as", "maybe"], 'not "maybe"'),
    (["change", "settle", "1"], "--as is missing"),
    (["dlq", "list", "--jsonn"], "did you mean --json?"),
    (["explain"], "explain needs a NAME"),
    (["dlg", "list"], "did you mean dlq?"),
    (["requeue", "1"], "did you mean payctl dlq requeue?"),
    # several commands have such a verb
    (["show", "1"], "payctl help lists them"),
    (["nonsense"], '"nonsense"'),
])
def test_a_mistake_is_named(books, payctl, words, complaint):
    """A typing mistake at night was told that all is well."""
    assert books.dsn
    code, out, err = payctl(*words)
    assert (code, out) == (2, "") and complaint in err


@pytest.mark.parametrize("words", [
    ["dlq", "list", "--all"], ["mismatch", "list", "--all"],
    ["change", "list", "--all"], ["webhook", "quarantine"], ["backfill"]])
def test_lists_are_json_if_they_are_to_be(books, payctl, name, words):
    books.give_up(name)
    code, out, _ = payctl(*words, "--json")
    rows = json.loads(out)
    assert code == 0 and isinstance(rows, list)
    assert all(isinstance(row, dict) for row in rows)
    assert len(payctl(*words)[1].splitlines()) == max(1, len(rows) + 1 if rows
                                                      else 1)


def test_the_database_may_be_named_as_for_psql(books):
    place = psycopg2.extensions.parse_dsn(books.dsn)
    names = {"dbname": "PGDATABASE", "host": "PGHOST", "port": "PGPORT",
             "user": "PGUSER", "password": "PGPASSWORD"}
    env = {names[key]: value for key, value in place.items() if key in names}
    done = subprocess.run([PAYCTL, "dlq", "list"], env=env, check=False,
                          capture_output=True, timeout=60, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_is_a_command_too(payctl):
    assert payctl("help") == payctl("--help")
    assert payctl("help", "dlq") == payctl("dlq", "--help")
    code, out, err = payctl("help", "explian")
    assert (code, out) == (2, "") and "did you mean explain?" in err
