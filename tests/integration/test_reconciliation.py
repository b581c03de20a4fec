"""GET /v1/reconciliation/…: what finance reads of files, rows, exceptions and
closes, as JSON and as CSV, and that a merchant sees its own only."""

import csv
import io
import json
import os
import subprocess
import uuid

import pytest
from support.client import Api
from support.documented import document
from support.problems import assert_problem
from support.tokens import ABSENT

BASE = "/v1/reconciliation"
HEADER = (
    "row_id,type,psp_ref,parent_ref,our_ref,occurred_at,booked_on,gross,fee,"
    "net,currency,payout_id,note"
)
LISTS = ["files", "rows", "exceptions", "closes"]
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULAS = [
    "=HYPERLINK(\"http://evil.example\")", "+1+1", "-2+3", "@SUM(1)",
    "  =1", "\uff1d1", "a\",=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def payctl(gateway):
    def run(*words):
        done = subprocess.run(
            [gateway.env["PAYCTL"], *words],
            env=os.environ | {"PAYCTL_DSN": gateway.env["PG_ADMIN_DSN"]},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def amounts(*minor):
    """Gross and fee and their sum, in decimals."""
    return ",".join(f"{each / 100:.2f}" for each in (*minor, sum(minor)))


class Books:
    """A source of files for a merchant, and a file in it."""

    def __init__(self, payctl, path, merchant, notes=()):
        self.name = f"src-{uuid.uuid4().hex[:12]}"
        self.psp = f"psp-{uuid.uuid4().hex[:12]}"
        payctl("settlement", "source", self.name, "--format", "generic",
               "--merchant", merchant, "--psp", self.psp)  # fmt: skip
        rows = [
            (f"{n},fee", 0, -n, note) for n, note in enumerate(["", *notes], 1)
        ]
        rows += [("u1,unknown", -700, 0, ""), ("u2,unknown", 4100, 0, "")]
        self.rows = len(rows)
        lines = [HEADER]
        for key, gross, fee, note in rows:
            text = note.replace('"', '""')
            lines.append(
                f"{self.name}-{key},,,,2026-11-20T10:00:00Z,2026-11-20,"
                f'{amounts(gross, fee)},EUR,,"{text}"'
            )
        sums = [sum(row[n] for row in rows) for n in (1, 2)]
        lines.append(f"total,{len(rows)},,,,,,{amounts(*sums)},EUR,,")
        path = path / f"{self.name}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        said = payctl("settlement", "import", "--source", self.name, "-o",
                      "json", str(path))  # fmt: skip
        self.said = json.loads(said)


@pytest.fixture(scope="module")
def ours(payctl, tmp_path_factory):
    return Books(payctl, tmp_path_factory.mktemp("acme"), "acme", FORMULAS)


@pytest.fixture(scope="module")
def theirs(payctl, tmp_path_factory):
    return Books(payctl, tmp_path_factory.mktemp("globex"), "globex")


def read(api, path, **query):
    words = "&".join(f"{name}={value}" for name, value in query.items())
    answer = api.get(f"{BASE}/{path}?{words}" if words else f"{BASE}/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def export(api, path, **query):
    words = "&".join(f"{name}={value}" for name, value in query.items())
    answer = api.get(f"{BASE}/{path}?{words}", headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == (
        "text/csv; charset=utf-8; header=present"
    )
    assert answer.headers["content-disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def all_of(api, path, **query):
    """Every item, page by page."""
    seen, query = [], query | {"limit": 2}
    while True:
        page = read(api, path, **query)
        (items,) = (value for key, value in page.items() if key != "next")
        assert len(items) <= 2
        seen += items
        if page["next"] is None:
            return seen
        query["before"] = page["next"]


def test_a_file_is_shown_with_what_became_of_it(api, ours):
    (found,) = read(api, "files", source=ours.name)["files"]
    assert found == read(api, f"files/{found['file_id']}")
    assert found["state"] == "booked" == ours.said["state"]
    assert found["rows"] == ours.rows
    assert found["class3"] == 2
    assert found["psp"] == ours.psp
    assert read(api, "files", source=ours.name, state="refused")["files"] == []


def test_rows_come_page_by_page_each_once(api, ours):
    rows = all_of(api, "rows", psp=ours.psp)
    assert len(rows) == ours.rows == len({row["row_id"] for row in rows})
    assert [row["line"] for row in rows] == sorted(
        (row["line"] for row in rows), reverse=True
    )
    (found,) = read(api, "files", source=ours.name)["files"]
    assert rows == all_of(api, "rows", file_id=found["file_id"])
    charged = all_of(api, "rows", psp=ours.psp, **{"class": 1})
    assert {row["finding"] for row in charged} == {"charged"}
    assert charged == [row for row in rows if row["class"] == 1]
    assert all_of(api, "rows", psp=ours.psp, currency="USD") == []


def test_exceptions_are_those_that_wait(api, ours):
    found = all_of(api, "exceptions", psp=ours.psp, state="open")
    assert [each["amount"] for each in found] == ["41.00", "-7.00"]
    one = read(api, f"exceptions/{found[0]['exception_id']}")
    assert one.pop("acts") == []
    assert one == found[0]
    assert all_of(api, "exceptions", psp=ours.psp, state="closed") == []


def test_an_export_is_what_the_filter_selects(api, ours):
    """The bug of others: an export that ignores the filter, or ends with the
    first page."""
    for query in ({"psp": ours.psp}, {"psp": ours.psp, "class": 3}):
        listed = all_of(api, "rows", **query)
        told = export(api, "rows", **query)
        assert [row["row_id"] for row in told] == [
            str(row["row_id"]) for row in listed
        ]
        assert [row["net"] for row in told] == [row["net"] for row in listed]
        assert [list(row) for row in told] == [list(row) for row in listed]


@pytest.mark.parametrize("name", LISTS)
def test_the_columns_of_an_export_are_the_members(api, ours, closed, name):
    (items,) = (v for k, v in read(api, name).items() if k != "next")
    answer = api.get(f"{BASE}/{name}?format=csv")
    assert answer.status_code == 200, answer.text
    assert answer.text.split("\r\n")[0].split(",") == list(items[0])


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("files", "SettlementFile"), ("rows", "SettlementRow"),
        ("exceptions", "Exception"), ("closes", "Close"),
    ],
)  # fmt: skip
def test_the_members_are_the_documented_ones(api, ours, closed, name, schema):
    described = document()
    schemas = described["components"]["schemas"]
    (item, *_) = read(api, name)[name]
    wanted = schemas[schema]
    assert list(item) == wanted["required"] == list(wanted["properties"])
    for key in ("class", "state", "kind"):
        allowed = wanted["properties"].get(key, {}).get("enum")
        assert allowed is None or item[key] in allowed


def test_no_cell_is_a_formula_and_amounts_stay_numbers(api, ours):
    text = api.get(f"{BASE}/rows?format=csv&psp={ours.psp}").text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    notes = {row["note"] for row in rows} - {""}
    wanted = {
        note if note.startswith("a") else f"'{note}" for note in FORMULAS
    }
    # the reader of files drops blanks around a text
    assert {note.replace(" ", "") for note in notes} == {
        note.replace(" ", "") for note in wanted
    }
    for row in rows:
        for name, cell in row.items():
            if name in ("gross", "fee", "tax", "net"):
                assert float(cell) or cell in ("0.00",)
            else:
                assert not cell.lstrip(" ").startswith(
                    ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d")
                ), (name, cell)


@pytest.fixture(scope="module")
def closed(api, ours, gateway, payctl, query):
    """A day that is closed, with lines of both merchants."""
    payctl("close", "make", "--key", gateway.env["AUDIT_KEY_FILE"])
    ((day,),) = query("SELECT max(day)::text FROM pay_view.closes")
    return day


def test_a_close_is_shown_with_ones_own_lines(api, closed, query):
    one = read(api, f"closes/{closed}")
    lines = one.pop("lines")
    assert one in all_of(api, "closes")
    assert one["signature"] and one["key_id"]
    ((document,),) = query(
        "SELECT document FROM pay_view.closes WHERE day = %s", closed
    )
    mine = [
        line
        for line in json.loads(document)["lines"]
        if line.pop("merchant_id") == "acme"
    ]
    assert lines == [
        {key: value for key, value in line.items() if key != "minor"}
        for line in mine
    ]
    told = export(api, f"closes/{closed}")
    assert [line["item"] for line in told] == [line["item"] for line in lines]


def test_another_merchant_sees_its_own_only(
    api, other_api, gateway, ours, theirs
):
    (found,) = read(api, "files", source=ours.name)["files"]
    (waits, *_) = all_of(api, "exceptions", psp=ours.psp)
    for name in (f"files/{found['file_id']}",
                 f"exceptions/{waits['exception_id']}"):  # fmt: skip
        there = other_api.get(f"{BASE}/{name}")
        nowhere = other_api.get(f"{BASE}/{name.split('/')[0]}/999999999")
        assert_problem(there, 404, "not-found", gateway.url)
        assert there.text.replace(
            there.headers["x-request-id"], ""
        ) == nowhere.text.replace(nowhere.headers["x-request-id"], "")
    assert read(other_api, "files", source=ours.name)["files"] == []
    for name in ("rows", "exceptions"):
        assert all_of(other_api, name, psp=ours.psp) == []
        assert export(other_api, name, psp=ours.psp) == []
        assert len(all_of(other_api, name, psp=theirs.psp)) > 0
    rows = read(other_api, "rows", file_id=found["file_id"])
    assert rows == {"rows": [], "next": None}


@pytest.mark.parametrize(
    "name", [*LISTS, "files/999999999", "closes/2000-01-01"]
)
def test_finance_has_a_scope_of_its_own(gateway, tls, mint, name):
    for scope, status in (
        ("payments:read balance:read payments:write", 403),
        ("reconciliation:read", 404 if "/" in name else 200),
    ):
        client = Api(gateway.url, tls, mint(scope=scope))
        answer = client.get(f"{BASE}/{name}")
        client.close()
        assert answer.status_code == status
        if status == 403:
            assert_problem(answer, 403, "insufficient-scope", gateway.url)
            challenge = answer.headers["www-authenticate"]
            assert 'scope="reconciliation:read"' in challenge


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("rows?class=4", "class must"),
        ("rows?day=2026-02-30", "day must"),
        ("rows?currency=eur", "currency must"),
        ("rows?state=open", "state must"),
        ("files?class=1", "this list has not"),
        ("exceptions?limit=101", "limit must"),
        ("closes?before=x", "before must"),
        ("rows?format=csv&limit=3", "no pages"),
    ],
)
def test_a_wrong_query_is_named(api, gateway, path, says):
    answer = api.get(f"{BASE}/{path}")
    assert_problem(answer, 422, "validation-error", gateway.url)
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["files/x", "files/0", "exceptions/-1", "closes/12", "rows/1"]
)
def test_what_cannot_be_there_is_not_there(api, path):
    assert api.get(f"{BASE}/{path}").status_code == 404


@pytest.fixture
def person(gateway, tls, mint):
    """person(name) → the API as that person of finance."""
    made = []

    def client(name, scope="reconciliation:read reconciliation:write"):
        made.append(Api(gateway.url, tls, mint(sub=name, scope=scope)))
        return made[-1]

    yield client
    for each in made:
        each.close()


def act(api, exception_id, word, **body):
    return api.post(f"{BASE}/exceptions/{exception_id}/{word}", json=body)


@pytest.fixture
def waiting(payctl, tmp_path, api):
    """Numbers of two exceptions that cancel nothing out: 41.00, -7.00."""
    books = Books(payctl, tmp_path, "acme")
    return [
        each["exception_id"]
        for each in all_of(api, "exceptions", psp=books.psp, state="open")
    ]


def test_an_act_has_a_name_and_a_reason(person, waiting):
    """And is done once, whatever is repeated."""
    ann, (_, debit) = person("ann"), waiting
    for _ in range(2):
        answer = act(ann, debit, "accept", why="the PSP says so", **{
            "as": "psp_fee"
        })  # fmt: skip
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (found["state"], found["closed_as"]) == ("closed", "accepted")
        assert [(each["who"], each["why"]) for each in found["acts"]] == [
            ("ann", "the PSP says so")
        ]
    again = act(person("bob"), debit, "accept", why="me, too")
    assert again.status_code == 409


def test_above_a_limit_it_takes_a_second_person(
    payctl, person, waiting, gateway
):
    payctl("settlement", "limit", "EUR", "--alone", "40",
           "--a-day", "1000")  # fmt: skip
    ann, bob, (receipt, _) = person("ann"), person("bob"), waiting
    for _ in range(2):
        answer = act(ann, receipt, "write-off", why="nobody misses it")
        assert answer.status_code == 202, answer.text
        assert answer.json()["act_state"] == "asked"
        assert answer.json()["state"] == "open"
    answer = act(bob, receipt, "write-off", why="I have looked, too")
    assert answer.status_code == 200, answer.text
    assert answer.json()["closed_as"] == "written_off"
    assert {each["who"] for each in answer.json()["acts"]} == {"ann", "bob"}


def test_an_act_that_cannot_be_done_says_why(
    person, waiting, gateway, other_mint, tls
):
    ann, (receipt, debit) = person("ann"), waiting
    for answer, status, slug, says in (
        (act(ann, receipt, "accept", why="x"), 409, "payment-state-conflict",
         "say as what"),
        (act(ann, receipt, "resolve", why="x"), 409, "payment-state-conflict",
         "suspense"),
        (act(ann, receipt, "resolve", why="x", **{"with": debit}), 422,
         "validation-error", "cancels it out"),
        (act(ann, receipt, "accept", why="x", **{"as": "psp_fee"}), 422,
         "validation-error", "kind"),
        (act(ann, receipt, "accept"), 422, "validation-error", "why"),
        (act(ann, receipt, "accept", why="x", who="bob"), 422,
         "validation-error", ""),
        (act(ann, 999999999, "accept", why="x"), 404, "not-found", ""),
        (act(ann, "x", "accept", why="x"), 404, "not-found", ""),
        (act(person(ABSENT), receipt, "accept", why="x"), 422,
         "validation-error", "subject"),
        (act(person("ann", "reconciliation:read"), receipt, "accept", why="x"),
         403, "insufficient-scope", ""),
    ):  # fmt: skip
        assert_problem(answer, status, slug, gateway.url)
        assert says in answer.json().get("detail", "")
    theirs = Api(gateway.url, tls, other_mint(sub="ann"))
    answer = act(theirs, debit, "accept", why="x", **{"as": "psp_fee"})
    theirs.close()
    assert_problem(answer, 404, "not-found", gateway.url)
    assert ann.get(f"{BASE}/exceptions/{debit}").json()["acts"] == []
