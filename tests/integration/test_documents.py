"""What README.md and docs/ say, tried: configurations, commands, code and
tables that could drift away from the sources."""

import os
import re
import stat
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest
from support.gateway import ROOT
from support.nginxconf import Nginx, gateway_dsn

PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "examples/README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)


IS_GROUP = "source <(sed -n '/^is_group/,/^}/p' ci/install)"


def name_of(path) -> str:
    return str(path.relative_to(ROOT))


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.S | re.M)


def section(text: str, title: str) -> str:
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", text, re.S | re.M)
    assert found, title
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of a table's rows, back-ticks off."""
    lines = re.findall(r"^\|(.+)\|$", text, re.M)
    return [
        [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)]
        for line in lines
    ]


# docs/directives.md


CONFIGURATIONS = [
    text
    for text in blocks(page("docs/directives.md"), "nginx")
    if "load_module" in text
] + [page("docs/nginx.conf")]


@pytest.mark.parametrize("number", range(2))
def test_the_configurations_of_the_documents_pass(gateway, tmp_path, number):
    assert len(CONFIGURATIONS) == 2
    mock = gateway.mock_url.partition("//")[2]
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "server.pem").symlink_to(gateway.run / "tls/server.pem")
    nginx = Nginx(gateway, tmp_path, "")
    kept = tmp_path / "kept"
    kept.mkdir()
    for path in gateway.secrets.iterdir():
        (kept / path.name).symlink_to(path)
    nginx.secrets.unlink()
    kept.rename(nginx.secrets)
    text = CONFIGURATIONS[number]
    # what is this machine's, and nothing else
    for old, new in (
        ("modules/ngx_http_payments_module.so", f'"{gateway.module}"'),
        ("/var/log/nginx", str(tmp_path)),
        ("user                     www-data;", ""),
        ("pid                      /run/nginx.pid;", ""),
        ("listen       443", f"listen 127.0.0.1:{nginx.port}"),
        ("checkout.stripe.com", mock),
        ("host=/run/postgresql dbname=payments user=payments_gateway",
         gateway_dsn(gateway.conf)),
    ):  # fmt: skip
        assert old in text or number == 0
        text = text.replace(old, new)
    head = f"pid {tmp_path}/nginx.pid;\n"
    if number == 0:
        head += f"error_log {tmp_path}/error.log;\n"
        text = text.replace(
            "http {", f"http {{ access_log {tmp_path}/access.log;"
        )
    temp = "".join(
        f"{kind}_temp_path {tmp_path}/tmp;"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    nginx.text = head + text.replace("http {", f"http {{ {temp}", 1)
    code, said = nginx.test()
    assert code == 0, said
    assert "[warn]" not in said.replace("conflicting server name", ""), said


def test_every_directive_is_documented_and_tested():
    done = subprocess.run(
        [ROOT / "ci" / "check-directives"], text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


# docs/storefront.md


def test_the_first_payment_and_refund_can_be_made_as_written(gateway, tmp_path):
    text = section(page("docs/storefront.md"), "The first payment")
    text += section(page("docs/storefront.md"), "After the sale")
    script = "\n".join(blocks(text, "sh"))
    assert script.count("build/run/gateway.env") == 1
    script = script.replace("/tmp/checkout.json", str(tmp_path / "checkout"))
    env = tmp_path / "gateway.env"
    # the token is not for the command line
    lines = [f"{name}='{value}'" for name, value in gateway.env.items()]
    env.write_text("\n".join(lines))
    env.chmod(stat.S_IRUSR)
    script = script.replace("build/run/gateway.env", str(env))
    done = subprocess.run(
        ["bash", "-euo", "pipefail"], input=script, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert '"status": "SUCCESS"' in done.stdout
    assert "303 " + gateway.url in done.stdout
    assert "idempotent-replayed: true" in done.stdout.lower()
    assert '"amount_refundable": "10.34"' in done.stdout


def problems() -> set[tuple]:
    table = (ROOT / "src/core/problem_table.c").read_text()
    return set(
        re.findall(r'^    \{ "([a-z-]+)", (\d+),\n +"([^"]+)",', table, re.M)
    )


def test_the_table_of_errors_is_the_sources():
    told = rows(section(page("docs/storefront.md"), "Errors"))
    assert {tuple(row) for row in told[2:]} == problems()


def test_the_test_cards_are_the_mocks():
    told = rows(section(page("docs/storefront.md"), "Test cards"))
    mock = (ROOT / "tests/mock_psp/hosted.py").read_text()
    numbers = {row[0] for row in told if row[0].isdigit()}
    assert numbers == set(re.findall(r'"(\d{16})"', mock))


# docs/operations.md


@pytest.fixture
def metrics(anonymous, api, checkout, wait_for):
    """With the gauges that come with the first sweep and the first seal, for
    which there has to be an event."""
    api.create(checkout(psp="generic"))
    late = ("payments_dead_letters ", "payments_seal_number ",
            "payments_settlement_overdue ", "payments_payouts ")  # fmt: skip

    def all_there():
        text = anonymous.get("/metrics").text
        there = all(f"# TYPE {name}" in text for name in late)
        return text if there else None

    return wait_for(all_there, 60, "a sweep and a seal")


def test_every_metric_is_documented(metrics):
    families = set(re.findall(r"^# TYPE (\w+) ", metrics, re.M))
    told = rows(section(page("docs/operations.md"), "Metrics"))
    assert {row[0] for row in told[2:]} == families


def failures() -> list[str]:
    """The words for why a call has failed."""
    text = page("include/pay_http.h")
    return re.findall(r'F\([A-Z_]+, "([\w-]+)"\)', text)


def test_the_labels_of_metrics_are_documented():
    labels = page("ngx_payments_module/shm/ngx_payments_labels.c")
    told = section(page("docs/operations.md"), "Metrics")
    for table in ("outcome_names", "job_names"):
        words = labels.split(f"ngx_payments_{table}[")[1].split("};")[0]
        words = re.findall(r'"([\w-]+)"', words)
        assert f"({', '.join(words)})" in told
    # of PSPs' calls: a source of rates is no PSP, and its file no call; nor is
    # an endpoint of a storefront, or a provider of risk
    results = ["ok", "http-error", *failures()]
    for word in ("no-file", "unreadable"):
        results.remove(word)
    assert f"({', '.join(results)})" in told
    calls = page("src/flow/flow.c").split("\npay_call_name(")[1]
    words = re.findall(r'= "([\w-]+)"', calls.split("};")[0])
    words.remove("rates")
    words.remove("delivery")
    words.remove("risk")
    assert len(words) == 17
    assert f"({', '.join(words)})" in told


def test_alarms_name_metrics_that_exist(metrics):
    told = section(page("docs/operations.md"), "Alarms")
    names = set(re.findall(r"payments_[a-z_]+", told))
    assert names
    for name in names:
        assert f"# TYPE {name} " in metrics
    labels = page("ngx_payments_module/shm/ngx_payments_labels.c")
    labels += "".join(f'"{word}"' for word in ("ok", *failures()))
    values = re.findall(r'\{\w+!?=~?"([^"]+)"\}', told)
    assert len(values) > 5
    for value in "|".join(values).replace("\\", "").split("|"):
        assert re.search(rf"\b{re.escape(value)}\b", labels), value


def test_queries_of_the_runbook_run(query):
    found = blocks(page("docs/operations.md"), "sql")
    assert len(found) >= 5
    for text in found:
        if text.lstrip().startswith("SELECT"):
            query(text.replace("%", "%%").rstrip().rstrip(";"))


def test_every_line_of_the_error_log_is_documented():
    told = section(page("docs/operations.md"), "Logs")
    lines = []
    for path in sorted((ROOT / "ngx_payments_module").rglob("*.c")):
        text = re.sub(r'"\s*\n\s*"', "", path.read_text())
        lines += re.findall(r'NGX_LOG_(\w+), [^;]*?"payments: ([^"\\%]+)', text)
    lines = [
        (level, words)
        for level, words in lines
        if "missing in the http block" not in words and len(words) > 4
    ]
    assert len(lines) > 10
    for level, words in lines:
        begin = re.split(r"[,:]", words)[0].strip()[:24]
        assert begin in told, (level, words)


def test_commands_of_payctl_are_documented():
    said = subprocess.run(
        [PAYCTL, "--help"], check=True, text=True, stdout=subprocess.PIPE
    ).stdout
    commands = set(re.findall(r"^  (\w+) {2,}", said, re.M))
    told = rows(section(page("docs/operations.md"), "payctl"))
    words = {row[0].split()[1] for row in told[2:]}
    assert {word for word in words if not word.startswith("-")} == commands


# docs/security.md


@pytest.fixture(scope="module")
def read_result():
    found = blocks(page("docs/security.md"), "python")
    assert len(found) == 1
    names = {}
    exec(compile(found[0], "docs/security.md", "exec"), names)  # noqa: S102
    return names["read_result"]


@pytest.fixture(scope="module")
def paid(api, anonymous, mock, checkout, wait_for):
    """A paid checkout's id and the query that the buyer comes back with."""
    made = api.create(checkout(psp="generic")).json()
    order = made["payment_orders"][0]["payment_order_id"]
    handle = made["redirect_url"].rsplit("/", 1)[1]
    hosted = anonymous.get(f"/checkout/{handle}").headers["Location"]
    token = urlsplit(hosted).path.rsplit("/", 1)[1]
    mock.pay(token, "paid")
    wait_for(
        lambda: api.get(f"/v1/payments/{order}").json()["status"] == "SUCCESS",
        what="the webhook",
    )
    answer = anonymous.get(f"/return/{handle}")
    assert answer.status_code == 303
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return made["checkout_id"], {name: text[0] for name, text in query.items()}


def result_key(gateway) -> bytes:
    with open(gateway.env["RESULT_KEY_FILE"], "rb") as source:
        return source.read().rstrip()


def test_the_code_for_storefronts_reads_a_result(gateway, paid, read_result):
    checkout_id, query = paid
    assert query["checkout_id"] == checkout_id
    assert query["status"] == "SUCCESS"
    result = read_result(
        query["result"], result_key(gateway), gateway.url, gateway.merchant,
        checkout_id,
    )  # fmt: skip
    assert result == "SUCCESS"


@pytest.mark.parametrize(
    "place, value",
    [
        ("key", b"another key of thirty-two bytes!!"),
        ("gateway", "https://pay.example.com"),
        ("merchant", "globex"),
        ("checkout_id", "00000000-0000-4000-8000-000000000000"),
        ("token", "eyJhbGciOiJub25lIn0.eyJzdGF0dXMiOiJTVUNDRVNTIn0."),
        ("token", "SUCCESS"),
    ],
)
def test_the_code_for_storefronts_believes_nothing_else(
    gateway, paid, read_result, place, value
):
    checkout_id, query = paid
    arguments = {
        "token": query["result"],
        "key": result_key(gateway),
        "gateway": gateway.url,
        "merchant": gateway.merchant,
        "checkout_id": checkout_id,
    }
    assert read_result(**arguments | {place: value}) is None


def test_the_edge_vectors_are_decided_as_documented():
    tests = (ROOT / "tests/integration/test_vectors.py").read_text()
    table = tests.split("EDGE = {")[1].split("\n}\n")[0]
    reasons = re.findall(r'\("(valid|invalid)", "([^"]+)"\)', table)
    told = section(page("docs/security.md"), "Webhooks")
    told += section(
        page("docs/webhooks.md"), "Where the libraries differ from us"
    )
    told = told.replace("`", "")
    answers = [row[1] for row in rows(told)[2:]]
    for answer, reason in reasons:
        assert answer in answers
        assert reason.split(" (")[0] in told


# all of them


def anchors(text: str) -> set[str]:
    plain = re.sub(r"```.*?```", "", text, flags=re.S)
    titles = re.findall(r"^#+ (.+)$", plain, re.M)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in titles
    }


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    plain = re.sub(r"```.*?```", "", text, flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", plain):
        name, _, anchor = target.partition("#")
        if name.startswith("http"):
            continue
        there = path.parent / name if name else path
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there.read_text()), target


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_files_that_are_named_exist(path):
    text = path.read_text(encoding="utf-8")
    names = re.findall(
        r"`((?:tests|ci|src|sql|docs|include|html|ngx_payments_module)"
        r"/[\w./-]*)`",
        text,
    )
    for name in names:
        assert (ROOT / name).exists(), name


def test_make_has_the_targets_that_the_readme_names():
    named = set(re.findall(r"`?make ([a-z-]+)`?", page("README.md")))
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.M))
    assert named and named <= targets


def test_what_is_installed_stands_in_the_list_of_packages():
    """ci/install refused the group of make lint, which nobody then ran."""
    texts = page("Makefile") + page("CONTRIBUTING.md") + page("README.md")
    groups = {
        word
        for line in re.findall(r"ci/install ([a-z -]+)", texts)
        for word in line.split()
        if not word.startswith("--")
    }
    assert "lint" in groups
    for group in (*groups, "nothing"):
        done = subprocess.run(
            ["bash", "-c", f"source ci/lib.sh; {IS_GROUP}; is_group {group}"],
            cwd=ROOT,
            check=False,
        )
        assert (done.returncode == 0) == (group != "nothing"), group


def test_the_first_screen_is_what_make_demo_prints():
    lines = page("README.md").splitlines()
    assert lines.index("It works, and it is still running.") < 40
    done = subprocess.run(
        [ROOT / "ci/demo-screen", "--check"], stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stdout


def test_one_version_everywhere():
    done = subprocess.run(
        [PAYCTL, "--version"], check=True, text=True, stdout=subprocess.PIPE
    )
    version = done.stdout.split()[1]
    assert f"\n{version} (" in page("CHANGES")
    assert f"Version {version}." in page("README.md")
    assert page("debian/changelog").startswith(f"ngx-payments ({version}) ")
    assert f"  version: {version}\n" in page("docs/openapi.yaml")
    metrics = page("ngx_payments_module/http/ngx_http_payments_metrics.c")
    assert f'NGX_PAYMENTS_VERSION  "{version}"' in metrics


# docs/troubleshooting.md


def test_troubleshooting_names_what_exists(metrics):
    text = page("docs/troubleshooting.md")
    known = {slug for slug, _, _ in problems()}
    rest = re.sub(r"\]\([^)]*\)", "", text)
    for slug in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", rest):
        assert slug in known, slug
    names = page("docs/directives.md") + metrics
    names += page("docs/operations.md")
    for name in re.findall(r"`\$?(payments_[a-z_]+)`", text):
        assert re.search(rf"\b{name}\b", names), name
    for command in re.findall(r"`payctl (\w+)", text):
        done = subprocess.run(
            [PAYCTL, command, "--help"], check=False, capture_output=True
        )
        assert done.returncode == 0, command
