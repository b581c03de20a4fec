"""The accounts of the ledger in the console: balances that are the sums of the
journal, lists that add up to them, and keys and directives of the page
settings: all of them, and no secret."""

import re
from datetime import datetime
from decimal import Decimal

import psycopg2
import pytest
from support.console import Staff
from support.gateway import ROOT

SUMS = """
SELECT e.merchant_id, l.account, e.psp, l.currency, sum(l.amount_minor),
    count(DISTINCT (e.source, e.kind))
FROM pay.journal_entry e
JOIN pay.journal_line l USING (merchant_id, source, kind)
WHERE e.at < %s GROUP BY 1, 2, 3, 4
"""
MAIN = re.compile(
    r'\{ ngx_string\("(payments_\w+)"\),\s+([A-Z_|0-9]+),', re.S
)


@pytest.fixture(scope="module")
def staff(gateway, tls):
    made = Staff(gateway, tls)
    yield made
    made.api.close()


@pytest.fixture(scope="module")
def admin(gateway):
    connection = psycopg2.connect(gateway.env["PG_ADMIN_DSN"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET search_path = pay, pg_temp")
        yield cursor
    connection.close()


@pytest.fixture(scope="module")
def money(staff, admin, api, checkout, mock, wait_for):
    """The page, when all entries so far are added up."""
    made = api.create(checkout(psp="generic")).json()
    order = made["payment_orders"][0]["payment_order_id"]
    (found,) = mock.books(nonce=order)["registrations"]
    mock.pay(found["token"], "paid")
    paid = f"/v1/payments/{order}"
    wait_for(lambda: api.get(paid).json()["status"] == "SUCCESS", 60, "it")
    for _ in range(1000):
        admin.execute("SELECT pay.sum_accounts(5000, '0')")
        if admin.fetchone() == (False,):
            return staff.read("money", "finance")
    raise AssertionError("the ledger is not added up")


def test_balances_are_the_sums_of_the_journal(money, admin):
    accounts = money["accounts"]
    admin.execute(SUMS, [accounts["until"]])
    sums = {row[:4]: row[4:] for row in admin.fetchall()}
    assert len(sums) >= 2
    shown = {
        (row["merchant_id"], row["account"], row["psp"], row["currency"]): row
        for row in accounts["rows"]
    }
    assert set(shown) == set(sums)
    whole = {}
    for key, row in shown.items():
        minor, count = sums[key]
        assert row["entries"] == count, key
        assert int(row["balance"].replace(".", "")) == minor, key
        whole[key[3]] = whole.get(key[3], 0) + Decimal(row["balance"])
    # debits and credits
    assert set(whole.values()) == {Decimal(0)}


def test_a_balance_equals_its_list(money, staff):
    rows = sorted(money["accounts"]["rows"], key=lambda row: row["entries"])
    assert rows[0]["entries"] > 0
    for row in rows[:4]:
        query = dict(row["link"]["query"], limit="100")
        items = []
        while True:
            page = staff.read(row["link"]["page"], "finance", query=query)
            items += page["items"]
            if page["next"] is None:
                break
            query["before"] = page["next"]
        debit = sum(Decimal(each["debit"] or 0) for each in items)
        credit = sum(Decimal(each["credit"] or 0) for each in items)
        assert len(items) == row["entries"]
        assert debit - credit == Decimal(row["balance"])
        assert {each["account"] for each in items} == {row["account"]}


def test_pages_of_a_list_have_each_entry_once(money, staff):
    most = max(money["accounts"]["rows"], key=lambda row: row["entries"])
    query = dict(most["link"]["query"], limit="1")
    seen = []
    for _ in range(min(most["entries"], 5)):
        page = staff.read("ledger", "finance", query=query)
        seen += [(each["source"], each["kind"]) for each in page["items"]]
        query["before"] = page["next"]
    whole = staff.read("ledger", "finance", query=most["link"]["query"])
    assert seen == [
        (each["source"], each["kind"]) for each in whole["items"][: len(seen)]
    ]
    assert len(set(seen)) == len(seen) > 0


@pytest.fixture(scope="module")
def settings(staff):
    return staff.read("settings", "admin")


def test_each_directive_is_shown_with_its_words_or_its_default(settings):
    source = ROOT / "ngx_payments_module/conf/ngx_http_payments_commands.c"
    names = {
        name
        for name, where in MAIN.findall(source.read_text())
        if "NGX_HTTP_MAIN_CONF" in where
    }
    assert len(names) > 40
    rows = settings["directives"]
    assert {r["name"] for r in rows if r["place"] == "http"} >= names
    found = {(r["place"], r["name"]): (r["value"], r["is_set"]) for r in rows}
    assert found["http", "payments_quote"] == ("ttl=15m", False)
    assert found["http", "payments_late_success"] == ("accept", False)
    assert found["payments_psp generic", "adapter"] == ("generic", True)
    assert found["payments_psp generic", "cost"] == ("nothing", False)
    assert found["payments_merchant acme", "display_name"] == (
        "Acme Books", True,
    )  # fmt: skip
    assert found["location /v1/", "payments_api"] == ("", True)
    value, is_set = found["http", "payments_database"]
    assert is_set and value.startswith("… connections=")
    assert found["payments_psp stripe", "api_key_file"] == ("…", True)
    value, _ = found["payments_merchant acme", "jwt_key"]
    assert value == "kid=acme-2026-01 alg=ES256 file=…"


def test_each_key_has_the_age_of_its_file(settings, gateway):
    keys = {(k["place"], k["name"]): k for k in settings["keys"]}
    for place, name, file in (
        ("payments_merchant acme", "jwt_key", "acme.pub"),
        ("payments_merchant acme", "result_key_file", "acme.result"),
        ("payments_psp stripe", "api_key_file", "stripe.key"),
        ("payments_psp stripe", "webhook_key_file", "stripe.whsec"),
        ("payments_staff", "jwt_key", "staff.pub"),
        ("http", "payments_audit", "audit.pem"),
        ("http", "payments_keyring", "keyring"),
    ):
        key = keys[place, name]
        changed = datetime.fromisoformat(key["changed_at"]).timestamp()
        real = (gateway.secrets / file).stat().st_mtime
        assert abs(changed - real) < 1, (place, name)
        assert (key["age_days"], key["state"]) == (0, "current")
    assert keys["payments_staff", "jwt_key"]["kid"] == "staff-2026-01"


def test_a_key_is_old_after_a_year(admin):
    for days, state in ((364, "current"), (366, "old")):
        admin.execute(
            "SELECT pay.console_keys(jsonb_build_array(jsonb_build_object("
            "'changed_s', floor(extract(epoch FROM now())) - %s * 86400)))",
            [days],
        )
        ((found,),) = admin.fetchone()
        assert (found["age_days"], found["state"]) == (days, state)
