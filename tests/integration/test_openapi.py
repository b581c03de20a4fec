"""docs/openapi.yaml against the sources and against the running gateway.

Schemathesis makes requests from the document, good and bad ones, and holds
every answer against it: status, headers, media type, schema.  The same requests
in each run, but for ids; OPENAPI_SEED=n makes others.
"""

import json
import os
import re
import subprocess

import pytest
from support import documented
from support.gateway import ROOT

TOOL = ROOT / "build" / "venv" / "bin" / "schemathesis"
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
# It ends only what hangs: 6,000 requests take 200 s on two cores, and a quarter
# of an hour beside much other work.
DEADLINE_S = 1500
EXAMPLES = 30
SEED = os.environ.get("OPENAPI_SEED", "1")

NOBODYS = "0199c0de-0000-7000-8000-0000000000cc"
# Whether good data is taken depends on what a schema cannot say: the PSP's
# currencies, a checkout's total, ids that are free.
CHECKS_LEFT_OUT = "positive_data_acceptance"
# Methods that nginx knows; others are 501 and not 405 (docs/security.md H2).
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"]
CONFIG = """\
base-url = "{url}"
tls-verify = "{ca}"
rate-limit = "60/s"
headers = {{ Authorization = "Bearer ${{MERCHANT_JWT}}" }}

[phases.coverage]
unexpected-methods = {methods}
"""

# Problems that no documented operation can answer with.
ELSEWHERE = {
    "method-not-allowed",  # an undocumented method
    "range-not-satisfiable",  # the error_page statuses of plain nginx
    "psp-timeout",
}
# Those of the console, which docs/console-openapi.yaml describes.
CONSOLE = {
    "login-too-old",
    "second-person-needed",
    "limit-exceeded",
    "act-not-possible",
    "acts-off",
}


@pytest.fixture(scope="module")
def document():
    return documented.document()


@pytest.fixture(scope="module")
def known(api, checkout):
    """Path parameters that lead to something."""
    answer = api.create(checkout())
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return {
        "payment_order_id": made["payment_orders"][0]["payment_order_id"],
        "checkout_id": made["checkout_id"],
        "handle": made["redirect_url"].rsplit("/", 1)[1],
        "seller_account": made["payment_orders"][0]["seller_account"],
        "refund_id": NOBODYS,
        "capture_id": NOBODYS,
        "cancel_id": NOBODYS,
        "psp": "generic",
        "slug": "amount-invalid",
        # OPTIONS of what there is not is answered, too
        "provider": "generic",
        "file_id": "1",
        "exception_id": "1",
        "payout_id": NOBODYS,
        "batch_id": NOBODYS,
        "destination_id": NOBODYS,
        "event_id": NOBODYS,
        "endpoint_id": NOBODYS,
        "entry_id": "1",
        "review_id": "1",
        "day": "2026-11-20",
    }


def operations(document):
    for path, item in document["paths"].items():
        for method in item:
            yield path, method.upper()


def all_operations():
    return sorted(operations(documented.document()))


def source(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def define(name: str, text: str) -> int:
    found = re.search(rf"^#define\s+{name}\s+(\d+)", text, re.M)
    assert found, name
    return int(found[1])


@pytest.mark.parametrize("path, method", all_operations())
def test_a_documented_operation_exists(anonymous, known, path, method):
    for name, value in known.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path
    answer = anonymous.request("OPTIONS", path)
    assert answer.status_code == 204, answer.text
    assert method in answer.headers["Allow"].split(", ")


def test_every_route_of_the_api_is_documented(document):
    text = source("ngx_payments_module/http/ngx_http_payments_api.c")
    table = text.split("routes[] = {")[1].split("};")[0]
    rows = re.findall(r'\{ "([^"]+)", (READ|WRITE|BOTH),', table)
    assert len(rows) >= 14
    methods = {"READ": ["GET"], "WRITE": ["POST"], "BOTH": ["GET", "POST"]}
    documented = {
        (re.sub(r"\{[^}]+\}", "*", path), method)
        for path, method in operations(document)
        if path.startswith("/v1/")
    }
    routes = {
        ("/v1/" + pattern.replace("+", "*"), method)
        for pattern, word in rows
        for method in methods[word]
    }
    assert routes == documented


def test_the_methods_that_are_not_documented_are_refused(
    anonymous, document, known
):
    for path, item in document["paths"].items():
        for name, value in known.items():
            path = path.replace(f"{{{name}}}", value)
        for method in METHODS:
            if method.lower() in item:
                continue
            answer = anonymous.request(method, path)
            assert answer.status_code == 405, f"{method} {path}"
            assert answer.headers["Allow"].endswith("OPTIONS")


def test_every_problem_is_documented_and_none_is_invented(document):
    table = source("src/core/problem_table.c")
    slugs = set(re.findall(r'^    \{ "([a-z-]+)", \d+,', table, re.M))
    responses = document["components"]["responses"].values()
    told = " ".join(
        each["description"]
        for each in responses
        if "application/problem+json" in each["content"]
    )
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", told))
    assert slugs - ELSEWHERE - CONSOLE == words & slugs
    console = source("docs/console-openapi.yaml")
    assert all(slug in console for slug in CONSOLE)
    assert {word for word in words if "-" in word} <= slugs


def test_statuses_of_problems_are_those_of_the_table(document):
    table = source("src/core/problem_table.c")
    status = dict(re.findall(r'^    \{ "([a-z-]+)", (\d+),', table, re.M))
    also = {"409": "idempotency-in-progress"}
    for item in document["paths"].values():
        for operation in item.values():
            for code, answer in operation["responses"].items():
                name = answer.get("$ref", "").rpartition("/")[2]
                text = document["components"]["responses"].get(name, answer)
                for slug in status.keys() & set(
                    re.findall(r"[a-z]+(?:-[a-z]+)+", text["description"])
                ):
                    assert code == status[slug] or also[code] == slug


def test_bounds_are_those_of_the_parser(document):
    schemas = document["components"]["schemas"]
    request = schemas["PaymentRequest"]["properties"]
    payment = source("include/pay_payment.h")
    parser = source("src/api/payment_parse.c") + source("src/api/parse.c")
    expires = request["expires_in"]
    assert expires["minimum"] == define("PAY_EXPIRES_MIN_S", payment)
    assert expires["maximum"] == define("PAY_EXPIRES_MAX_S", payment)
    assert expires["default"] == define("PAY_EXPIRES_S", payment)
    orders = define("PAY_ORDERS_MAX", payment)
    assert request["payment_orders"]["maxItems"] == orders
    seller = schemas["OrderRequest"]["properties"]["seller_account"]
    assert f"{{1,{define('PAY_SELLER_MAX', payment)}}}" in seller["pattern"]
    metadata = request["metadata"]
    assert metadata["propertyNames"]["maxLength"] == define("KEY_MAX", parser)
    values = metadata["additionalProperties"]
    assert values["maxLength"] == define("VALUE_MAX", parser)
    told = metadata["description"] + request["buyer_info"]["description"]
    assert f"{define('METADATA_MAX', parser)} bytes" in told
    assert f"{define('TEXT_MAX', parser)} bytes" in told
    reason = schemas["RefundRequest"]["properties"]["reason"]
    change = source("include/pay_change.h")
    assert reason["maxLength"] == define("PAY_REASON_MAX", change)
    seller = source("include/pay_seller.h")
    limit = document["components"]["parameters"]["Limit"]["schema"]
    assert limit["maximum"] == define("PAY_STATEMENT_LIMIT_MAX", seller)
    assert limit["default"] == define("PAY_STATEMENT_LIMIT", seller)
    width = define("PAY_JSON_WIDTH", source("include/pay_json.h"))
    assert metadata["maxProperties"] == width
    longest = define("PAY_ID_MAX", source("include/pay_id.h"))
    assert schemas["Id"]["maxLength"] == longest
    url = define("PAY_URL_MAX", source("include/pay_url.h"))
    assert request["return_url"]["maxLength"] == url
    text = source("include/pay_idempotency.h")
    low = define("PAY_IDEMPOTENCY_KEY_MIN", text)
    high = define("PAY_IDEMPOTENCY_KEY_MAX", text)
    key = document["components"]["parameters"]["IdempotencyKey"]["schema"]
    assert key["pattern"].count(f"{{{low},{high}}}") == 2


def test_filters_of_finance_are_those_of_the_parser(document):
    parser = source("src/api/finance.c")
    parameters = document["components"]["parameters"]
    words = parser.split("parameters[] = {")[1].split("};")[0]
    names = dict(re.findall(r'\{ "([a-z_]+)", ([A-Z |]+),', words))
    lists = {"FILES": "files", "ROWS": "rows", "EXCEPTIONS": "exceptions",
             "CLOSES": "closes", "AGEING": "ageing",
             "BALANCES": "balances"}  # fmt: skip
    paths = {key: f"reconciliation/{each}" for key, each in lists.items()}
    paths |= {
        "PAYOUTS": "payouts",
        "BATCHES": "payout-batches",
        "DESTINATIONS": "sellers/{seller_account}/destinations",
        "ADVICE": "payouts/{payout_id}/advice",
    }
    for list_, path in paths.items():
        named = [
            parameters[each["$ref"].rpartition("/")[2]]
            for each in document["paths"][f"/v1/{path}"]["get"]["parameters"]
        ]
        told = {each["name"] for each in named if each["in"] == "query"}
        assert told == {
            name
            for name, where in names.items()
            if where == "ALL"
            or (
                where == "PAGED"
                and list_ not in ("AGEING", "BALANCES", "DESTINATIONS")
            )
            or list_ in where.split(" | ")
        }
    words = parser.split("states[PAY_FINANCE_LISTS]")[1].split("};")[0]
    for list_, name in (("FILES", "FileState"), ("ROWS", "RowState"),
                        ("EXCEPTIONS", "ExceptionState"),
                        ("PAYOUTS", "PayoutState"),
                        ("BATCHES", "BatchState")):  # fmt: skip
        (row,) = re.findall(rf"FINANCE_{list_}\] = {{([^}}]*)}}", words)
        assert parameters[name]["schema"]["enum"] == re.findall(
            '"([a-z_]+)"', row
        )
    header = source("include/pay_finance.h")
    limit = parameters["Limit"]["schema"]
    assert limit["maximum"] == define("PAY_FINANCE_LIMIT_MAX", header)
    assert limit["default"] == define("PAY_FINANCE_LIMIT", header)
    most = define("PAY_EXPORT_ROWS_MAX", header)
    assert f"at most {most} rows" in parameters["Format"]["description"]
    assert f"at most {most} rows" in source("src/flow/flow_finance.c")


def test_members_are_those_of_the_parser(document):
    schemas = document["components"]["schemas"]
    parser = source("src/api/payment_parse.c") + source("src/api/order_parse.c")
    for table, name in (
        ("body_members", "PaymentRequest"),
        ("order_members", "OrderRequest"),
    ):
        text = parser.split(f"{table}[] = {{")[1].split("}")[0]
        members = set(re.findall(r'"([a-z_]+)"', text))
        assert members == schemas[name]["properties"].keys()
        assert schemas[name]["additionalProperties"] is False
    parser = source("src/api/change_parse.c")
    for table, name in (
        ("capture_members", "CaptureRequest"),
        ("cancel_members", "CancelRequest"),
        ("refund_members", "RefundRequest"),
    ):
        text = parser.split(f"{table}[] = {{")[1].split("}")[0]
        members = set(re.findall(r'"([a-z_]+)"', text))
        assert members == schemas[name]["properties"].keys()
        assert schemas[name]["additionalProperties"] is False
    parser = source("src/api/risk_act.c")
    for table, name in (
        ("add_members", "RiskEntryRequest"),
        ("remove_members", "RiskRemoveRequest"),
        ("claim_members", "ClaimRequest"),
        ("decide_members", "ApproveReviewRequest"),
        ("decide_members", "EscalateReviewRequest"),
        ("reject_members", "RejectReviewRequest"),
    ):
        text = parser.split(f"{table}[] = {{")[1].split("}")[0]
        members = set(re.findall(r'"([a-z_]+)"', text))
        assert members == schemas[name]["properties"].keys()
    parser = source("src/api/finance_act.c") + source("src/api/payout.c")
    for table, name in (
        ("accept_members", "AcceptRequest"),
        ("resolve_members", "ResolveRequest"),
        ("write_off_members", "WriteOffRequest"),
        ("why_members", "ReleaseRequest"),
        ("why_members", "CloseRequest"),
        ("enter_members", "DestinationRequest"),
        ("make_members", "PayoutRequest"),
        ("batch_members", "PayoutBatchRequest"),
        ("approve_members", "ApproveRequest"),
    ):
        text = parser.split(f"{table}[] = {{")[1].split("}")[0]
        members = set(re.findall(r'"([a-z_]+)"', text))
        assert members == schemas[name]["properties"].keys()
        assert schemas[name]["additionalProperties"] is False


def test_currencies_and_their_decimals_are_those_of_the_table(document):
    told = {}
    for choice in document["components"]["schemas"]["OrderRequest"]["anyOf"]:
        pattern = choice["properties"]["amount"]["pattern"]
        for code in choice["properties"]["currency"]["enum"]:
            told[code] = pattern
    done = subprocess.run(
        [PAYCTL, "ops", "--currencies"], check=True, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    table = {code: digits for code, digits, is_ in rows if is_ == "current"}
    assert told.keys() == table.keys()
    for code, pattern in told.items():
        digits = int(table[code])
        least = f"0.{'1':0>{digits}}" if digits else "1"
        most = f"{999999999999999 / 10**digits:.{digits}f}"
        assert re.search(pattern, least) and re.search(pattern, most)
        longer = least + ("0" if digits else ".0")
        for wrong in ("0", f"{0:.{digits}f}", longer, "0" + most):
            assert not re.search(pattern, wrong), (code, wrong)


def narrowed(document, gateway, known):
    """The document with what only this stack can know, so that good requests
    are good here: hosts, PSPs and ids that exist."""
    parameters = document["components"]["parameters"]
    for name, parameter in (
        ("PaymentOrderId", "payment_order_id"),
        ("CheckoutId", "checkout_id"),
        ("Handle", "handle"),
        ("SellerAccount", "seller_account"),
    ):
        parameters[name]["example"] = known[parameter]
    request = document["components"]["schemas"]["PaymentRequest"]["properties"]
    request["return_url"] = {
        "enum": [gateway.return_url, "https://shop.example.com/thanks?a=b"]
    }
    request["psp"] = {"enum": ["generic", "stripe"]}
    # no entry may touch the checkouts of other tests, and no review is theirs
    schemas = document["components"]["schemas"]
    schemas["RiskEntryRequest"]["properties"]["kind"] = {"enum": ["email"]}
    parameters["ReviewId"]["schema"]["minimum"] = 10**12
    parameters["ReviewId"]["example"] = 10**12
    document["servers"] = [{"url": gateway.url}]
    return document


@pytest.mark.timeout(DEADLINE_S + 60)
def test_answers_to_generated_requests_are_the_documented_ones(
    gateway, known, tmp_path
):
    assert TOOL.is_file(), f"no {TOOL}: run ci/install --python"
    document = documented.document()
    schema = tmp_path / "openapi.json"
    schema.write_text(json.dumps(narrowed(document, gateway, known)))
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        CONFIG.format(
            url=gateway.url, ca=gateway.ca, methods=json.dumps(METHODS)
        )
    )
    done = subprocess.run(
        [
            TOOL, "--no-color", "--config-file", config, "run", schema,
            "--seed", SEED, "--max-examples", str(EXAMPLES),
            "--request-timeout", "60",
            "--phases", "examples,coverage,fuzzing,stateful",
            "--checks", "all", "--exclude-checks", CHECKS_LEFT_OUT,
            "--continue-on-failure", "--warnings", "off",
        ],
        # the token is no argument, which others could see
        env=os.environ | {"MERCHANT_JWT": gateway.env["MERCHANT_JWT"]},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20000:]
    tested = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", done.stdout)
    wanted = str(len(all_operations()))
    assert tested and set(tested.groups()) == {wanted}, done.stdout[-2000:]


def test_each_operation_with_a_token_documents_its_refusal(document):
    for path, method in operations(document):
        operation = document["paths"][path][method.lower()]
        needed = operation.get("security", document.get("security"))
        assert ("401" in operation["responses"]) == (
            bool(needed) or path.startswith("/webhooks/")
        ), (method, path)


# What a value is, and not what it says in this place.
PLAIN_TYPES = {
    "Moment", "NullableText", "NullableTime", "SignedDecimal", "Timestamp",
}  # fmt: skip


def undescribed(document, node, path=""):
    """Every operation, parameter, header, response and property that has no
    description, of its own or of the component that it refers to."""
    if isinstance(node, list):
        for n, each in enumerate(node):
            yield from undescribed(document, each, f"{path}/{n}")
        return
    if not isinstance(node, dict):
        return
    named = {
        "properties": node.get("properties", {}),
        "headers": node.get("headers", {}),
        "parameters": node.get("parameters", {}),
        "responses": node.get("responses", {}),
    }
    for kind, found in named.items():
        pairs = enumerate(found) if isinstance(found, list) else found.items()
        for name, each in pairs:
            if path.endswith("/properties"):
                continue  # a property of that name
            _, _, target = each.get("$ref", "").rpartition("/")
            kinds = each.get("$ref", "//schemas/").split("/")[-2]
            shared = document["components"][kinds].get(target, {})
            if target in PLAIN_TYPES:
                shared = {}
            if not (each.get("description") or shared.get("description")):
                yield f"{path}/{kind}/{name}"
    if "operationId" in node and not node.get("description"):
        yield path
    for name, each in node.items():
        if name not in ("example", "examples", "links"):
            yield from undescribed(document, each, f"{path}/{name}")


def test_everything_has_a_description(document):
    assert list(undescribed(document, document)) == []


def test_what_has_no_description_is_found(document):
    """The check above is not empty."""
    bare = {
        "operationId": "x",
        "parameters": [{"name": "p"}],
        "responses": {"200": {"headers": {"H": {}}}},
        "properties": {
            "at": {"$ref": "#/components/schemas/Moment"},
            "id": {"$ref": "#/components/schemas/Id"},
        },
    }
    assert list(undescribed(document, bare, "x")) == [
        "x/properties/at", "x/parameters/0", "x/responses/200", "x",
        "x/responses/200/headers/H",
    ]  # fmt: skip
