"""The console over HTTPS: tokens of staff, the matrix of page, role and
merchant, masking, tiles that equal their lists, requests from other sites, and
the files of the pages (docs/console.md)."""

import re
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.client import raw
from support.console import ABSENT, GROUPS, ROLES, Staff
from support.problems import assert_problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
    "data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
LISTS = (
    "payments letters mismatches late unknown changes disputes jobs inbox "
    "quarantine deliveries wallets settlement lines exceptions payouts batches "
    "risk audit"
).split()


@pytest.fixture(scope="module")
def staff(gateway, tls):
    made = Staff(gateway, tls)
    yield made
    made.api.close()


@pytest.fixture(scope="module")
def rights(query):
    """{page: roles}, as PostgreSQL has it."""
    found = {}
    for page, role in query("SELECT page, role FROM pay.console_right"):
        found.setdefault(page, set()).add(role)
    return found


@pytest.fixture(scope="module")
def email():
    return f"{uuid.uuid4().hex[:12]}@example.com"


@pytest.fixture(scope="module")
def made(api, checkout, email):
    """A checkout of the merchant with a buyer."""
    answer = api.create(checkout(buyer_info={"email": email}))
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def others(other_api, checkout):
    """A checkout of the other merchant."""
    answer = other_api.create(checkout())
    assert answer.status_code == 201, answer.text
    return answer.json()


def query_of(page, made):
    return {
        "find": {"q": made["checkout_id"]},
        "payment": {"checkout": made["checkout_id"]},
    }.get(page, {})


def test_each_role_sees_its_pages_and_no_other(staff, rights, made):
    assert set(rights) >= {*LISTS, "me", "now", "payment", "settings"}
    for page, may in rights.items():
        for role in ROLES:
            answer = staff.get(page, role, query=query_of(page, made))
            if role in may:
                assert answer.status_code == 200, (page, role, answer.text)
                assert answer.headers["cache-control"] == "no-store"
            else:
                document = answer.json()
                assert answer.status_code == 403, (page, role)
                assert (
                    set(document["detail"].split("role ")[1].split(", ")) == may
                )


def test_me_lists_the_pages_of_the_union_of_roles(staff, rights):
    both = staff.read("me", "support", "finance")
    assert both["roles"] == ["support", "finance"]
    assert set(both["pages"]) == {
        page for page, may in rights.items() if may & {"support", "finance"}
    }


def test_a_merchant_never_sees_another_ones_rows(
    staff, rights, gateway, made, others
):
    theirs = [others["checkout_id"], gateway.other_merchant]
    for page in rights:
        answer = staff.get(
            page,
            "auditor",
            query=query_of(page, made),
            merchants=[gateway.merchant],
        )
        assert answer.status_code == 200, (page, answer.text)
        if page != "settings":  # names merchants, and nothing of theirs
            for word in theirs:
                assert f'"{word}"' not in answer.text, page
    mine = {"merchants": [gateway.merchant]}
    for name in ("checkout", "order"):
        value = (
            others["checkout_id"]
            if name == "checkout"
            else others["payment_orders"][0]["payment_order_id"]
        )
        for query in ({name: value}, {name: value, "merchant": "globex"}):
            answer = staff.get("payment", "auditor", query=query, **mine)
            assert answer.status_code == 404, answer.text
    for query in ({}, {"merchant": gateway.other_merchant}):
        query["q"] = others["checkout_id"]
        assert staff.read("find", "auditor", query=query, **mine) == {
            "items": []
        }
    asked = {"merchant": gateway.other_merchant}
    for page in ("payments", "jobs", "wallets", "letters"):
        assert staff.rows(page, "auditor", query=asked, **mine) == []


def test_who_sees_all_merchants_may_ask_for_one(staff, others, gateway):
    rows = staff.rows(
        "payments", "viewer", query={"merchant": gateway.other_merchant}
    )
    assert others["checkout_id"] in {row["checkout_id"] for row in rows}
    assert {row["merchant_id"] for row in rows} == {gateway.other_merchant}


def test_data_of_a_buyer_is_masked_until_it_is_asked_for(
    staff, made, email, gateway, wait_for
):
    query = {"checkout": made["checkout_id"]}
    before = gateway.error_log.read_text().count("personal data shown")
    for role in ROLES:
        document = staff.get("payment", role, query=query)
        assert email not in document.text, role
        assert document.json()["is_masked"] is True
    query["personal"] = "1"
    for role in ROLES:
        answer = staff.get("payment", role, query=query)
        shown = role in ("support", "risk", "auditor")
        assert (email in answer.text) is shown, role
        assert answer.json()["is_masked"] is not shown

    def looks():
        lines = re.findall(
            r"personal data shown, staff:(\S+), page:payment, asked:\S*"
            rf"{made['checkout_id']}",
            gateway.error_log.read_text(),
        )
        return len(lines) >= 3 and lines

    assert sorted(wait_for(looks)) == [
        f"{role}@example.com" for role in ("auditor", "risk", "support")
    ]
    after = gateway.error_log.read_text().count("personal data shown")
    assert after - before == 3


def test_a_viewer_sees_no_token(staff, made, query):
    ((token,),) = query(
        "SELECT token FROM pay.checkout WHERE checkout_id = %s",
        made["checkout_id"],
    )
    asked = {"checkout": made["checkout_id"]}
    for role in ROLES:
        answer = staff.get("payment", role, query=asked)
        hidden = role in ("viewer", "admin")
        assert (token in answer.text) is not hidden, role


def test_a_payment_has_the_answer_of_payctl_explain(staff, made):
    asked = {"checkout": made["checkout_id"]}
    document = staff.read("payment", "support", query=asked)
    (order,) = document["orders"]
    assert order["explain"]["waits_for"] == "buyer"
    assert [e["kind"] for e in order["explain"]["events"]][0] == "created"
    assert order["explain"]["dispatches"][0]["reach"] == "complete"
    assert "risk" not in order["explain"]
    by_order = staff.read(
        "payment", "risk", query={"order": order["payment_order_id"]}
    )
    assert by_order["orders"][0]["explain"]["risk"]["decision"] == "allow"


def test_every_name_of_a_payment_leads_to_it(staff, made, query):
    ((token, request),) = query(
        "SELECT token, request_id FROM pay.checkout WHERE checkout_id = %s",
        made["checkout_id"],
    )
    ((key,),) = query(
        "SELECT key FROM pay.idempotency_key WHERE checkout_id = %s",
        made["checkout_id"],
    )
    order = made["payment_orders"][0]
    for what, found_as in (
        (made["checkout_id"], "checkout"),
        (order["payment_order_id"], "order"),
        (token, "token"),
        (key, "idempotency key"),
        (request, "request"),
        (f"{order['amount']} {order['currency']}", "amount"),
    ):
        rows = staff.read("find", "support", query={"q": what})["items"]
        assert (found_as, made["checkout_id"]) in {
            (row["found_as"], row["checkout_id"]) for row in rows
        }, what
    assert staff.read("find", "support", query={"q": "nobody"}) == {"items": []}


def test_each_tile_equals_the_list_that_it_links_to(
    staff, made, others, wait_for
):
    def counted():
        """Checkouts of this second are not counted yet."""
        page = staff.read("now", "auditor")
        return page if sum(s["count"] for s in page["statuses"]) >= 2 else None

    document = wait_for(counted)
    tiles = [
        *document["tiles"],
        *document["statuses"],
        staff.read("money", "auditor")["suspense"],
    ]
    for tile in tiles:
        link = tile["link"]
        rows = staff.rows(link["page"], "auditor", query=link["query"])
        # jobs become late and end, and orders go on, while the test reads
        if link["page"] in ("jobs", "payments"):
            again = staff.read("now", "auditor")
            assert abs(tile["count"] - len(rows)) <= 3, (tile, again)
        else:
            assert tile["count"] == len(rows), tile


def test_filters_narrow_a_list_and_pages_join_without_a_gap(
    staff, api, checkout
):
    for _ in range(5):
        answer = api.create(checkout())
        assert answer.status_code == 201, answer.text
    whole = staff.rows("payments", "viewer", query={"limit": "100"})
    paged = staff.rows("payments", "viewer", query={"limit": "2"})
    assert [r["checkout_id"] for r in paged] == [
        r["checkout_id"] for r in whole
    ]
    amount, code = whole[0]["amount"], whole[0]["currency"]
    for query, fits in (
        ({"currency": code}, lambda r: r["currency"] == code),
        ({"status": "EXECUTING"}, lambda r: r["status"] == "EXECUTING"),
        ({"psp": "generic"}, lambda r: r["psp"] == "generic"),
        (
            {"currency": code, "min": amount, "max": amount},
            lambda r: r["currency"] == code and r["amount"] == amount,
        ),
        (
            {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"},
            lambda r: False,
        ),
    ):
        got = staff.rows("payments", "viewer", query={**query, "limit": "3"})
        assert {r["checkout_id"] for r in got} == {
            r["checkout_id"] for r in whole if fits(r)
        }, query


@pytest.mark.parametrize(
    "page, query",
    [
        ("payments", {"stauts": "FAILED"}),
        ("payments", {"limit": "0"}),
        ("payments", {"limit": "101"}),
        ("payments", {"before": "x"}),
        ("payments", {"before": "1" * 19}),
        ("payments", {"from": "yesterday"}),
        ("payments", {"from": "2026-02-30T00:00:00Z"}),
        ("payments", {"min": "1,5"}),
        ("payments", {"currency": "eur"}),
        ("payments", {"merchant": "a b"}),
        ("now", {"psp": "generic"}),
        ("find", {"q": ""}),
        ("find", {"q": "a" * 129}),
        ("find", {"q": "é"}),
        ("find", {}),
        ("payment", {}),
        ("payment", {"checkout": "c", "personal": "2"}),
    ],
)
def test_a_wrong_parameter_is_refused(staff, gateway, page, query):
    answer = staff.get(page, "auditor", query=query)
    assert_problem(answer, 422, "validation-error", gateway.url)


def test_a_parameter_that_stands_twice_is_refused(staff, gateway):
    twice = [("psp", "a"), ("psp", "b")]
    answer = staff.get("payments", "auditor", query=twice)
    assert_problem(answer, 422, "validation-error", gateway.url)


def test_wrong_tokens_are_refused_alike(staff, gateway, mint):
    now = int(time.time())
    stranger = ec.generate_private_key(ec.SECP256R1())
    tokens = {
        "expired": staff.token("auditor", iat=now - 900, exp=now - 120),
        "too long": staff.token("auditor", exp=now + 26 * 3600),
        "no exp": staff.token("auditor", exp=ABSENT),
        "audience": staff.token("auditor", aud="ngx_payments"),
        "issuer": staff.token("auditor", iss="https://evil.example"),
        "signature": staff.token("auditor", key=stranger),
        "kid": staff.token("auditor", kid="other"),
        "no sub": staff.token("auditor", sub=ABSENT),
        "a long sub": staff.token("auditor", sub="a" * 129),
        "no merchants": staff.token("auditor", merchants=ABSENT),
        "merchants empty": staff.token("auditor", merchants=[]),
        "merchants odd": staff.token("auditor", merchants=["*"] * 65),
        "groups": staff.token("auditor", groups={"a": 1}),
        "auth_time": staff.token("auditor", auth_time="now"),
        "none": jwt.encode(staff.claims("auditor"), "", algorithm="none"),
        "HS256": jwt.encode(
            staff.claims("auditor"), "k" * 32, headers={"kid": "staff-2026-01"}
        ),
        "a storefront's": mint(
            aud="ngx_payments_console",
            merchants="*",
            groups=["payments-admins"],
        ),
        "no token": "x",
        "huge": "a" * 7000,
    }
    for what, token in tokens.items():
        answer = staff.get("me", token=token)
        document = assert_problem(answer, 401, "invalid-token", gateway.url)
        assert document.keys() == {"type", "title", "status", "instance"}, what
        assert "location" not in answer.headers


def test_a_token_of_staff_is_none_of_a_storefront(staff, gateway):
    token = staff.token("admin")
    answer = staff.api.get(
        "/v1/checkouts", headers={"Authorization": f"Bearer {token}"}
    )
    assert_problem(answer, 401, "invalid-token", gateway.url)


def test_who_has_no_role_is_told_so(staff, gateway):
    for claims in ({"groups": ["everybody"]}, {"groups": ABSENT}):
        answer = staff.get("me", "viewer", **claims)
        document = assert_problem(answer, 403, "forbidden", gateway.url)
        assert "groups" in document["detail"]


def test_a_group_may_be_a_text_and_not_a_list(staff):
    me = staff.read("me", groups=GROUPS["risk"])
    assert me["roles"] == ["risk"]


def ask(staff, method="GET", path="/console/api/me", **headers):
    headers = {name.replace("_", "-"): v for name, v in headers.items()}
    return staff.api.request(method, path, headers=headers)


def test_a_cookie_is_as_good_as_a_header(staff, gateway):
    token = staff.token("viewer")
    cookie = f"a=b; __Host-staff={token}; c=d"
    answer = ask(staff, Cookie=cookie)
    assert answer.status_code == 200, answer.text
    for wrong in (
        f"staff={token}",
        f"__Host-staff={token}; __Host-staff={token}",
        f"x__Host-staff={token}",
    ):
        answer = ask(staff, Cookie=wrong)
        assert answer.status_code == 401, wrong
    bearer = f"Bearer {token}"
    answer = ask(staff, Cookie=cookie, Authorization=bearer)
    assert_problem(answer, 401, "unauthenticated", gateway.url)


def test_another_sites_page_gets_nothing(staff, gateway):
    cookie = f"__Host-staff={staff.token('viewer')}"
    for site in ("cross-site", "same-site", "evil"):
        answer = ask(staff, Cookie=cookie, Sec_Fetch_Site=site)
        assert_problem(answer, 403, "forbidden", gateway.url)
    for site in ("same-origin", "none"):
        answer = ask(staff, Cookie=cookie, Sec_Fetch_Site=site)
        assert answer.status_code == 200


def test_a_request_that_is_no_read_needs_proof_of_its_origin(staff, gateway):
    cookie = {"Cookie": f"__Host-staff={staff.token('viewer')}"}
    bearer = {"Authorization": f"Bearer {staff.token('viewer')}"}
    ours = {"Sec-Fetch-Site": "same-origin"}
    guard = {"X-Payments-Console": "1"}
    body = {"Content-Type": "application/json"}
    for headers, status in (
        ({**cookie, **guard, **body}, 403),
        ({**cookie, **ours, **body}, 403),
        ({**cookie, **guard, **body, "Sec-Fetch-Site": "none"}, 403),
        ({**bearer, **guard, **body, "Cookie": "a=b"}, 403),
        ({**cookie, **ours, **guard, "Content-Type": "text/plain"}, 415),
        ({**cookie, **ours, **guard}, 415),
        # nothing can be changed yet
        ({**cookie, **ours, **guard, **body}, 405),
        ({**bearer, **guard, **body}, 405),
        ({}, 401),
    ):
        answer = staff.api.post(
            "/console/api/me", headers=headers, content=b"{}"
        )
        assert answer.status_code == status, (headers, answer.text)


def test_the_files_of_the_pages_are_served_with_their_policy(staff):
    first = staff.api.get("/console/")
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    for name, value in {
        "content-security-policy": POLICY,
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "payment=(), camera=(), microphone=(), "
        "geolocation=()",
    }.items():
        assert first.headers.get_list(name) == [value], name
    tag = first.headers["etag"]
    for held in (tag, f'W/{tag}, "other"', "*"):
        again = staff.api.get("/console/", headers={"If-None-Match": held})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["content-security-policy"] == POLICY
    other = staff.api.get("/console/", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200
    # an address of a page leads into the console
    page = staff.api.get("/console/payments?status=FAILED")
    assert page.content == first.content
    head = staff.api.request("HEAD", "/console/index.html")
    assert head.headers["content-length"] == str(len(first.content))
    assert staff.api.post("/console/index.html").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/console/../../etc/passwd",
        "/console/%2e%2e/%2e%2e/etc/passwd",
        "/console/..%2f..%2fetc/passwd",
        "/console/....//etc/passwd",
        "/console/index.html%00.js",
        "/console/index.html/",
        "/console/INDEX.HTML",
        "/console/.git/config",
        "/console/api",
        "/console/api/",
        "/console/api/../index.htm",
    ],
)
def test_no_path_leads_out_of_the_directory(gateway, path):
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {gateway.authority}\r\n"
        "Connection: close\r\n\r\n"
    )
    answer = raw(gateway, request.encode())
    assert answer.status_code in (400, 401, 404), answer.data
    assert b"root:" not in answer.data
    assert b"<h1>" not in answer.content


def test_a_header_that_is_too_large_is_refused(staff):
    answer = ask(staff, Cookie="a=" + "b" * 9000)
    assert answer.status_code in (400, 431)
    assert staff.read("me", "viewer", padding="x" * 4000)["roles"] == ["viewer"]


def test_settings_show_no_secret(staff, gateway):
    answer = staff.get("settings", "admin")
    document = answer.json()["settings"]
    assert {p["name"] for p in document["psps"]} >= {"stripe", "generic"}
    assert {"name": "payments-risk", "roles": ["risk"]} in document["staff"][
        "groups"
    ]
    for file in gateway.secrets.iterdir():
        secret = file.read_text(errors="replace").strip()
        assert secret not in answer.text, file.name
    assert "passfile" not in answer.text
    assert str(gateway.run) not in answer.text
