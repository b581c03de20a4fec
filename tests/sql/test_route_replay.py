"""payctl route replay: where stored checkouts would have begun, and an estimate
that stands on explored checkouts alone.

libpq's PGHOST, PGPORT and PGUSER name a superuser; tests/sql/run sets PAYCTL.
"""

import csv
import io
import json
import os
import pathlib
import random
import subprocess
import uuid

import migrated
import psycopg2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
SCORES = {"a": 900, "b": 100}
# unequal, so that an unweighted mean of both PSPs would be wrong
CHANCES = {"a": 800000, "b": 200000}
PAID = {"a": 0.5, "b": 0.9}
NAME: list[str] = []

ADD = """
INSERT INTO pay.checkout (merchant_id, checkout_id, checkout_uuid, handle, psp,
    return_url, base_url, currency, total_minor, expires_at, nonce, psps,
    key_windows)
VALUES ('m', %(id)s, gen_random_uuid(), %(id)s, %(psp)s, 'u', 'u', %(currency)s,
    1050, now() + interval '1 h', %(id)s, '{a,b}', '{60,60}');
INSERT INTO pay.payment_order (merchant_id, payment_order_id, checkout_id,
    position, seller_account, amount_minor, currency, status, reason, head,
    head_tx)
VALUES ('m', %(id)s, %(id)s, 1, 's', 1050, %(currency)s, %(status)s,
    %(reason)s, sha256('x'), 1);
INSERT INTO pay.event (merchant_id, payment_order_id, seq, at, tx, kind, actor,
    new_status, detail, hash)
VALUES ('m', %(id)s, 1, now(), 1, 'created', 'merchant', 'NOT_STARTED',
    %(detail)s, sha256('x'))
"""


@pytest.fixture(scope="module")
def cursor():
    """Of a database of its own."""
    name = f"pay_route_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    connection = psycopg2.connect(dbname=name)
    NAME.append(name)
    with connection.cursor() as cursor:
        # whole histories are written at once
        for table in ("checkout", "payment_order", "event"):
            cursor.execute(f"ALTER TABLE pay.{table} DISABLE TRIGGER ALL")
        fill(cursor)
        connection.commit()
        yield cursor
    connection.close()
    subprocess.run(["dropdb", name], check=True)


def fill(cursor):
    draw = random.Random(7)
    for n in range(1200):
        explored = n < 1000
        psp = "a"
        explore = {"share": 500000, "scores": SCORES}
        if explored:
            psp = draw.choices("ab", (CHANCES["a"], CHANCES["b"]))[0]
            explore |= {"drawn": psp, "chance": CHANCES[psp]}
        # those that did not explore are all paid, and must not count
        paid = not explored or draw.random() < PAID[psp]
        add(cursor, f"c{n}", psp, paid, explore)
    for n in range(3):
        add(cursor, f"e{n}", "a", True, None, "EUR")
    add(cursor, "risk", "b", None, {
        "share": 500000, "scores": SCORES, "drawn": "b", "chance": 200000,
    })  # fmt: skip


def add(cursor, checkout, psp, paid, explore, currency="USD"):
    detail = {"psp": psp, "route": "rule 1 by score"}
    if explore is not None:
        detail["explore"] = explore
    cursor.execute(ADD, {
        "id": checkout, "psp": psp, "currency": currency,
        "status": "SUCCESS" if paid else "FAILED",
        "reason": None if paid else "risk" if paid is None else "declined",
        "detail": json.dumps(detail),
    })  # fmt: skip


def payctl(*words):
    return subprocess.run(
        [PAYCTL, "route", "replay", *words, "--dsn", f"dbname={NAME[0]}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


def replay(*words) -> dict:
    done = payctl("--since", "2000-01-01", "--json", *words)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    return {(row["currency"], row["psp"]): row for row in rows}


@pytest.mark.parametrize("psp", ["a", "b"])
def test_the_estimate_is_that_of_the_explored(cursor, psp):
    other = {"a": "b", "b": "a"}[psp]
    row = replay("--by", "order", "--psps", f"{psp},{other}")["USD", psp]
    assert row["checkouts"] == 1201
    assert row["amount"] == "12610.50"
    assert abs(float(row["paid"]) - PAID[psp]) < 4 * float(row["error"])
    assert 0 < float(row["error"]) < 0.05
    assert 100 < row["explored"] < 900


def test_the_best_score_takes_all(cursor):
    rows = replay("--by", "score")
    assert rows["USD", "a"]["checkouts"] == rows["USD", "(all)"]["checkouts"]
    assert ("USD", "b") not in rows


def test_nothing_is_known_where_nothing_explored(cursor):
    by_score = replay("--by", "score")["EUR", "(not known)"]
    assert (by_score["checkouts"], by_score["paid"]) == (3, "cannot know")
    by_order = replay("--by", "order", "--psps", "c,b")["EUR", "b"]
    assert by_order["amount"] == "31.50"
    assert (by_order["moved"], by_order["explored"]) == (3, 0)
    assert by_order["paid"] == "cannot know"


def test_times_and_merchants_bound_it(cursor):
    done = payctl("--since", "2000-01-01", "--until", "2000-01-02", "--by",
                  "score")  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "no checkouts\n")
    done = payctl("--since", "2000-01-01", "--by", "score", "--merchant", "n")
    assert done.returncode == 2


@pytest.mark.parametrize(
    "words",
    ["--by score", "--since 2000-01-01", "--since x --by score",
     "--since 2000-01-01 --by order", "--since 2000-01-01 --by weight",
     "--since 2000-01-01 --by order --psps a,,b",
     "--since 2000-01-01 --by score --routes f",
     "--since 2000-01-01 --routes /nowhere",
     "--since 2000-01-01 --by score -o xml"],
)  # fmt: skip
def test_a_wrong_call_is_refused(cursor, words):
    done = payctl(*words.split())
    assert done.returncode == 2
    assert done.stderr


def routes(tmp_path, text) -> str:
    path = tmp_path / "routes.conf"
    path.write_text(text)
    return str(path)


def test_a_file_of_routes_is_tried(cursor, tmp_path):
    """The first that fits, and the psp line for all that fit none."""
    path = routes(tmp_path, """
        psp b a;       # of the merchant
        route currency=EUR amount=10.00-10.49 by=order c b;
        route currency=USD,JPY country=DE by=order a;
        route currency=EUR amount=10.50- by=order
              c b;
    """)
    rows = replay("--routes", path)
    assert rows["EUR", "b"]["checkouts"] == 3
    assert rows["USD", "b"]["checkouts"] == 1201
    assert rows["USD", "b"] == replay("--by", "order", "--psps", "b,a")[
        "USD", "b"]  # fmt: skip


def test_methods_and_countries_choose_a_route(cursor, tmp_path):
    """Of a checkout of which none is known neither holds."""
    cursor.execute("UPDATE pay.checkout SET payment_method = 'card',"
                   " buyer_info = '{\"country\": \"DE\"}'"
                   " WHERE checkout_id IN ('c1', 'c2', 'c3')")  # fmt: skip
    cursor.connection.commit()
    path = routes(tmp_path, "route method=wallet,card country=FR,DE b;"
                            "route method=card a; route by=score a;")
    rows = replay("--routes", path)
    assert rows["USD", "b"]["checkouts"] == 3
    assert rows["USD", "a"]["checkouts"] == 1198
    assert rows["EUR", "(not known)"]["checkouts"] == 3


def test_a_draw_by_weight_has_its_chances(cursor, tmp_path):
    path = routes(tmp_path, "route by=weight a b=3;")
    rows = replay("--routes", path)
    drawn = rows["USD", "b"]["checkouts"]
    # 1201 draws of 3 in 4: four standard deviations
    assert abs(drawn - 900.75) < 4 * (1201 * 0.75 * 0.25) ** 0.5
    assert replay("--routes", path) == rows
    paid = float(rows["USD", "b"]["paid"])
    assert abs(paid - PAID["b"]) < 4 * float(rows["USD", "b"]["error"])


def test_where_no_route_fits_nothing_is_known(cursor, tmp_path):
    rows = replay("--routes", routes(tmp_path, "route currency=EUR b;"))
    assert rows["USD", "(not known)"]["checkouts"] == 1201
    assert rows["EUR", "b"]["checkouts"] == 3


def test_both_forms_have_the_same_rows(cursor, tmp_path):
    words = ("--since", "2000-01-01", "--routes",
             routes(tmp_path, "route a b;"))  # fmt: skip
    as_json = json.loads(payctl(*words, "-o", "json").stdout)
    done = payctl(*words, "-o", "csv")
    assert done.returncode == 0
    as_csv = list(csv.DictReader(io.StringIO(done.stdout)))
    assert as_csv == [{k: str(v) for k, v in row.items()} for row in as_json]
    assert len(as_csv) >= 2


@pytest.mark.parametrize("text, line, why", [
    ("", 1, "has no route"),
    ("psp a b;", 1, "has no route"),
    ("route a b", 1, "needs a ; at its end"),
    ("\n# x\nroute currency=EUR,XXX a;", 3, "has a condition"),
    ("route currency=EUR, a;", 1, "has a condition"),
    ("route country=de a;", 1, "has a condition"),
    ("route amount=1.00-2.00 a;", 1, "has an amount="),
    ("route currency=EUR amount=1.00 a;", 1, "has an amount="),
    ("route currency=EUR amount=1.001- a;", 1, "has an amount="),
    ("route currency=EUR,USD amount=1.00- a;", 1, "has an amount="),
    ("route by=luck a;", 1, "must be by=order"),
    ("route currency=EUR;", 1, "names no PSP"),
    ("route a b=0;", 1, "has a word that is neither"),
    ("route a b=1001;", 1, "has a word that is neither"),
    ("route a colour=red;", 1, "has a word that is neither"),
    ('route "a";', 1, "has a quote or a brace"),
    ("payments_merchant m { route a; }", 1, "has a quote or a brace"),
    ("route a b c d e f g h i;", 1, "takes at most 8"),
    ("route a;\n" * 33, 33, "is the 33rd route"),
    ("psp a; psp b; route a;", 1, "is a second psp line"),
    ("payments_psp a;", 1, "is neither psp nor route"),
    (";", 1, "is empty"),
    ("route " + "a " * 30 + ";", 1, "has more than 24 words"),
])  # fmt: skip
def test_a_wrong_file_is_refused(cursor, tmp_path, text, line, why):
    path = routes(tmp_path, text)
    done = payctl("--since", "2000-01-01", "--routes", path)
    assert done.returncode == 2
    assert f"the line that begins at {line} {why}" in done.stderr, done.stderr


def test_a_file_that_is_too_long_is_refused(cursor, tmp_path):
    path = routes(tmp_path, "route a;" + " " * 65536)
    done = payctl("--since", "2000-01-01", "--routes", path)
    assert (done.returncode, done.stdout) == (2, "")
