"""A real Prometheus and a real Alertmanager beside a gateway under load: each
panel of monitoring/boards has data, the rules are healthy, and who has to act is
paged when a PSP fails, the books differ, jobs stand still and the database goes.
"""

import contextlib
import http.server
import json
import re
import subprocess
import threading
from pathlib import Path

import httpx
import pytest
import yaml
from support.client import plain
from support.own_stack import OwnStack, wait_for
from support.ports import free_port
from support.sold import Sold

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "monitoring"
BOARDS = sorted((HERE / "boards").glob("*.json"))
QUICK = (
    "payments_audience ",
    "payments_jobs  on interval=100ms;\n"
    "    payments_watchdog  interval=500ms;\n    payments_audience ",
)
BREAKER = "failures=50% calls=5 window=1h"


class Receiver:
    """Where Alertmanager sends: path -> the alerts that have come."""

    def __init__(self):
        self.heard = {"/page": [], "/ticket": [], "/alive": []}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers["Content-Length"])
                said = json.loads(self.rfile.read(size))
                outer.heard[self.path] += said["alerts"]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler
        )
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever).start()

    def names(self, path: str, status: str = "firing") -> set[str]:
        return {
            each["labels"]["alertname"]
            for each in self.heard[path]
            if each["status"] == status
        }

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Monitor:
    """Prometheus and Alertmanager with the shipped files; only times differ: an
    alert that waits for minutes waits for a second here."""

    def __init__(self, stack, place: Path):
        self.receiver = Receiver()
        self.processes = []
        ports = {"prometheus": free_port(), "alertmanager": free_port()}
        self.write(stack, place, ports["alertmanager"])
        self.http = plain(
            base_url=f"http://127.0.0.1:{ports['prometheus']}", timeout=10
        )
        self.start(
            place, "prometheus-alertmanager", "alertmanager.yml",
            f"--storage.path={place}/alerts", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
        )  # fmt: skip
        self.start(
            place, "prometheus", "prometheus.yml",
            f"--storage.tsdb.path={place}/series",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
        )  # fmt: skip
        wait_for(self.is_up, "Prometheus scrapes the gateway")

    def write(self, stack, place: Path, port: int) -> None:
        (place / "rules.yml").write_text(
            (HERE / "rules.yml").read_text().replace("30s", "1s", -1)
        )
        (place / "alerts.yml").write_text(
            re.sub(
                r"( +for:) \w+", r"\1 1s", (HERE / "alerts.yml").read_text()
            )
        )
        conf = yaml.safe_load((HERE / "prometheus.yml").read_text())
        conf["global"] = {
            "scrape_interval": "1s",
            "evaluation_interval": "1s",
        }
        conf["alerting"]["alertmanagers"][0]["static_configs"] = [
            {"targets": [f"127.0.0.1:{port}"]}
        ]
        (job,) = conf["scrape_configs"]
        job["tls_config"]["ca_file"] = stack.values["GATEWAY_CA"]
        job["static_configs"] = [
            {"targets": [stack.url.removeprefix("https://")]}
        ]
        (place / "prometheus.yml").write_text(yaml.safe_dump(conf))
        text = (HERE / "alertmanager.yml").read_text()
        text = text.replace(":9901/", f":{self.receiver.port}/")
        text = re.sub(r"(group_\w+:) \d+\w+", r"\1 1s", text)
        (place / "alertmanager.yml").write_text(text)

    def start(self, place: Path, program: str, conf: str, *words) -> None:
        with (place / f"{program}.log").open("w") as log:
            self.processes.append(
                subprocess.Popen(
                    [program, f"--config.file={place / conf}", *words],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )
            )  # fmt: skip

    def ask(self, query: str) -> list:
        answer = self.http.get("/api/v1/query", params={"query": query})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["result"]

    def is_up(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            ready = self.http.get("/-/ready").status_code == 200
            return ready and [e["value"][1] for e in self.ask("up")] == ["1"]
        return False

    def is_paged(self, name: str, path: str = "/page") -> None:
        wait_for(lambda: name in self.receiver.names(path), f"{path} {name}")

    def is_over(self, name: str, path: str = "/page") -> None:
        wait_for(
            lambda: name in self.receiver.names(path, "resolved"),
            f"the end of {name}",
        )

    def close(self):
        self.http.close()
        for process in self.processes:
            process.terminate()
            process.wait(30)
        self.receiver.close()


@pytest.fixture(scope="module")
def stack():
    made = OwnStack(PAY_BREAKER=BREAKER)
    try:
        made.configure(QUICK)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def monitor(stack, tmp_path_factory):
    made = Monitor(stack, tmp_path_factory.mktemp("monitor"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def load(stack, monitor):
    """All that the boards show has happened, more than once."""
    for _ in range(2):
        sold = Sold.paid(stack)
        sold.ends(sold.refund("1.00"), "SUCCESS")
        seen = len(monitor.ask("count_over_time(up[1m])"))
        wait_for(lambda: monitor.is_up() and seen, "another scrape")


def queries() -> list[tuple[str, str]]:
    return [
        (f"{path.stem}: {panel['title']}: {target['legendFormat']}",
         target["expr"])
        for path in BOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]  # fmt: skip


def test_boards_are_those_of_the_table():
    subprocess.run([HERE / "boards.py", "--check"], check=True)
    assert len(BOARDS) == 4


@pytest.mark.parametrize(
    "query", [pytest.param(query, id=name) for name, query in queries()]
)
def test_no_panel_is_empty(monitor, load, query):
    query = query.replace("$job", "payments").replace(
        "$__rate_interval", "1m"
    )
    wait_for(lambda: monitor.ask(query), query)


def test_all_rules_are_healthy(monitor, load):
    def healths():
        groups = monitor.http.get("/api/v1/rules").json()["data"]["groups"]
        return {r["name"]: r["health"] for g in groups for r in g["rules"]}

    wait_for(lambda: set(healths().values()) == {"ok"}, "all rules are asked")
    known = (HERE / "alerts.yml").read_text() + (HERE / "rules.yml").read_text()
    assert set(healths()) == set(
        re.findall(r"- (?:alert|record): (\S+)", known)
    )


def test_the_dead_mans_switch_is_pressed(monitor):
    monitor.is_paged("PaymentsWatchdog", "/alive")


def test_nobody_is_woken_while_all_is_well(monitor, load):
    """Load alone, and the rules have looked at it."""
    assert monitor.receiver.names("/page") == set()


def test_a_psp_that_fails_wakes_somebody(stack, monitor, load):
    for _ in range(6):
        body = stack.order("generic")
        nonce = body["payment_orders"][0]["payment_order_id"]
        stack.mock.faults(
            {"operation": "register", "nonce": nonce, "kind": "status",
             "status": 503}
        )  # fmt: skip
        stack.post(body)
    monitor.is_paged("PaymentsPspCircuitOpen")
    (page,) = [
        each
        for each in monitor.receiver.heard["/page"]
        if each["labels"]["alertname"] == "PaymentsPspCircuitOpen"
    ][:1]
    assert page["labels"]["psp"] == "generic"
    assert page["annotations"]["runbook"].endswith("#a-psp-is-down")
    stack.mock.clear_faults()


def test_books_that_differ_wake_somebody(stack, monitor, load):
    seller = Sold.paid(stack, "stripe").seller
    change = (
        "UPDATE pay.wallet SET available_minor = available_minor + %s"
        " WHERE seller_account = %s RETURNING 1"
    )
    assert stack.sql(change, 1, seller)
    Sold.paid(stack, "stripe")
    monitor.is_paged("PaymentsBooksDiffer")
    assert stack.sql(change, -1, seller)


def test_a_database_that_is_gone_wakes_somebody(stack, monitor, load):
    stack.postgres("stop", "-m", "fast")
    monitor.is_paged("PaymentsDatabaseGone")
    stack.postgres("start")
    monitor.is_over("PaymentsDatabaseGone")
