"""Remittance advice by the API and by payctl: JSON, CSV and a page say the
same, and add up to the item; another merchant reads none."""

import csv
import io
import os
import re
import subprocess
from decimal import Decimal

import pytest
from support.client import Api
from support.gateway import ROOT
from support.problems import assert_problem
from test_payout_api import (  # noqa: F401 (fixtures)
    NOBODY,
    operate,
    pay,
    person,
    release,
    seller_of,
)

PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
PARTS = ("opening", "sales", "refunds", "disputes", "fees", "reserve",
         "payouts", "adjustments")  # fmt: skip


@pytest.fixture
def advised(person, seller_of):  # noqa: F811
    """A client, and an item that pays one of two orders."""
    client = person("max")
    seller, orders = seller_of("10.00", "5.50")
    release(client, orders[0])
    answer = pay(client, seller)
    assert answer.status_code == 201, answer.text
    return client, answer.json(), orders


def advice_of(client, item, accept=None, query=""):
    headers = {} if accept is None else {"Accept": accept}
    return client.get(f"/v1/payouts/{item['payout_id']}/advice{query}",
                      headers=headers)  # fmt: skip


def payctl(gateway, *words):
    return subprocess.run(
        [PAYCTL, "payout", "advice", "--dsn", gateway.env["PG_ADMIN_DSN"],
         *words], capture_output=True, text=True, timeout=60
    )  # fmt: skip


def test_an_advice_adds_up_to_its_item(advised):
    client, item, orders = advised
    answer = advice_of(client, item)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["paid"] == item["amount"] == "10.00"
    assert told["closing"] == item["left"] == "5.50"
    total = sum(Decimal(told[part]) for part in PARTS)
    assert total - Decimal(told["paid"]) == Decimal(told["closing"]), told
    paid = [line for line in told["lines"] if line["paid"]]
    assert {line["payment_order_id"] for line in paid} == {orders[0]}
    assert sum(Decimal(line["amount"]) for line in paid) == 10
    assert {line["payment_order_id"] for line in told["lines"]} == set(orders)
    (made,) = [act for act in item["acts"] if act["act"] == "made"]
    assert made["detail"]["advice"] == told["sha256"]
    first = advice_of(client, item, query="?limit=1").json()
    assert first["lines"] == told["lines"][:1]
    rest = advice_of(client, item, query=f"?before={first['next']}").json()
    assert rest["lines"] == told["lines"][1:] and rest["next"] is None


def test_csv_has_the_same_sums_and_lines(advised):
    client, item, _ = advised
    told = advice_of(client, item).json()
    answer = advice_of(client, item, "text/csv")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    totals = {r["kind"]: r["amount"] for r in rows if r["part"] == "total"}
    assert totals == {part: told[part] for part in (*PARTS, "paid", "closing")}
    lines = [row for row in rows if row["part"] != "total"]
    assert [row["line"] for row in lines] == [
        str(line["line"]) for line in told["lines"]
    ]
    assert [row["amount"] for row in lines] == [
        line["amount"] for line in told["lines"]
    ]


def test_the_page_can_be_printed(advised):
    client, item, orders = advised
    answer = advice_of(client, item, "text/html,*/*;q=0.8")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
    told = advice_of(client, item).json()
    for text in (*orders, told["sha256"], "10.00 USD", "DE…3000", "5.50"):
        assert text in answer.text, text
    assert answer.text.count("<td") >= 2 * 5
    assert "{{" not in answer.text and "<script" not in answer.text
    (style,) = re.findall(r'rel="stylesheet" href="([^"]+)"', answer.text)
    sheet = client.get(style)
    assert sheet.status_code == 200 and "@media print" in sheet.text


def test_an_advice_is_for_its_merchant_and_scope(
    advised, gateway, tls, other_mint, person  # noqa: F811
):  # fmt: skip
    client, item, _ = advised
    assert_problem(advice_of(client, {"payout_id": NOBODY}), 404, "not-found",
                   gateway.url)  # fmt: skip
    assert advice_of(client, item, query="?format=xml").status_code == 422
    assert advice_of(client, item, query="?format=csv&limit=2").status_code \
        == 422  # fmt: skip
    creator = person("eve", scope="payouts:create")
    assert advice_of(creator, item).status_code == 403
    token = other_mint(sub="eve", scope="payouts:read")
    other = Api(gateway.url, tls, token)
    assert_problem(advice_of(other, item), 404, "not-found", gateway.url)
    other.close()
    assert client.post(f"/v1/payouts/{item['payout_id']}/advice",
                       json={}).status_code == 405  # fmt: skip


def test_payctl_prints_what_the_api_says(advised, gateway):
    client, item, _ = advised
    said = payctl(gateway, item["payout_id"])
    assert said.returncode == 0, said.stderr
    assert re.search(r"^closing +5\.50$", said.stdout, re.M), said.stdout
    said = payctl(gateway, item["payout_id"], "-o", "csv")
    assert said.returncode == 0, said.stderr
    answer = advice_of(client, item, "text/csv")
    assert said.stdout.split() == answer.text.split()
    said = payctl(gateway, item["payout_id"], "-o", "json")
    assert '"closing" : "5.50"' in said.stdout, said.stdout
    said = payctl(gateway, NOBODY)
    assert (said.returncode, said.stdout) == (1, ""), said
    assert payctl(gateway).returncode == 2
    assert payctl(gateway, NOBODY, "-o", "xls").returncode == 2
