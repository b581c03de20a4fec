"""docs/finance-sql.md: its queries run as the auditor, and its tables name
the columns that the views of pay_view have, no more and no fewer."""

import re

import pytest
from support.gateway import ROOT

PAGE = (ROOT / "docs/finance-sql.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^### (.+?)\n.*?```sql\n(.+?)```", PAGE, re.S | re.M)
VIEWS = dict(re.findall(r"^### pay_view\.(\w+)\n(.+?)(?=^###|\Z)", PAGE,
                        re.S | re.M))  # fmt: skip
FUNCTIONS = {"explain", "audit_export"}


def columns(text: str) -> set[str]:
    """Of a section: its table's first cells and its shared columns, if any."""
    cells = re.findall(r"^\|(.+?)\|", text, re.M)
    cells += re.findall(r"Shared columns: (.+?)\.\n", text)
    return set(re.findall(r"`(\w+)`", " ".join(cells)))


@pytest.mark.parametrize("text", [q[1] for q in QUERIES],
                         ids=[q[0] for q in QUERIES])  # fmt: skip
def test_each_query_runs(query, text):
    query(text.replace("%", "%%"))


def test_there_are_queries():
    assert len(QUERIES) >= 10


def test_each_view_is_described_with_all_its_columns(query):
    found = {}
    for view, column in query(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'pay_view'"
    ):
        found.setdefault(view, set()).add(column)
    assert set(VIEWS) == set(found)
    told = {view: columns(text) for view, text in VIEWS.items()}
    assert told == found


def test_shared_columns_are_described():
    shared = set(re.findall(r"`(\w+)`", " ".join(re.findall(
        r"Shared columns: (.+?)\.\n", PAGE))))  # fmt: skip
    table = PAGE.split("## Columns")[1].split("### ")[0]
    first = " ".join(re.findall(r"^\|(.+?)\|", table, re.M))
    assert shared <= set(re.findall(r"`(\w+)`", first))


@pytest.fixture
def sold(api, anonymous, mock, checkout, wait_for):
    """A paid order, so that there are books to read."""
    made = api.create(checkout(psp="generic")).json()
    order = made["payment_orders"][0]["payment_order_id"]
    handle = made["redirect_url"].rsplit("/", 1)[1]
    hosted = anonymous.get(f"/checkout/{handle}").headers["Location"]
    mock.pay(hosted.rsplit("/", 1)[1], "paid")
    wait_for(
        lambda: api.get(f"/v1/payments/{order}").json()["status"] == "SUCCESS",
        what="the webhook",
    )


def test_the_query_for_a_balance_agrees_with_the_wallets(sold, query):
    """It asks for the end of yesterday; here for that of today."""
    text = dict(QUERIES)["A seller's balance at the end of a day"]
    assert text.count("now()") == 1
    rows = query(text.replace("now()", "(now() + interval '1 day')"))
    wallets = query(
        "SELECT merchant_id, seller_account, currency, available_minor "
        "FROM pay.wallet w WHERE EXISTS (SELECT FROM pay_view.ledger l "
        "WHERE l.merchant_id = w.merchant_id AND l.owner = w.seller_account "
        "AND l.currency = w.currency AND l.account = 'seller_available')"
    )
    assert rows and sorted(rows) == sorted(wallets)


def test_the_words_of_conditions_are_those_of_the_tables(query):
    """A query with a misspelt word would run and find nothing."""
    known = {
        word
        for (text,) in query(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'pay'::regnamespace AND contype = 'c'"
        )
        for word in re.findall(r"'(\w+)'::text", text)
    }
    known |= {kind for (kind,) in query("SELECT kind FROM pay.posting_kind")}
    known |= {name for (name,) in query("SELECT account FROM pay.account_kind")}
    for _, text in QUERIES:
        asked = re.findall(r"(?:kind|state|status|account) = '(\w+)'", text)
        for words in re.findall(r"(?:status|account) IN \((.+?)\)", text):
            asked += re.findall(r"'(\w+)'", words)
        assert set(asked) <= known
