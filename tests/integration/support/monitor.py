"""Prometheus and Alertmanager with the files of monitoring/, and a receiver of
what they tell.
"""

import contextlib
import http.server
import json
import re
import subprocess
import threading
from pathlib import Path

import httpx
import yaml

from .client import plain
from .own_stack import wait_for
from .ports import free_port

HERE = Path(__file__).resolve().parents[3] / "monitoring"


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

    def __init__(self, place: Path, targets: dict[str, str], **more: str):
        """targets: job -> host:port.  more: ca, of the gateway's certificate;
        proxy, the exporter that asks the target; edits of alerts.yml,
        (pattern, replacement)"""
        self.more = {"ca": "", "proxy": "", "edits": ()} | more
        self.count = len(targets)
        self.receiver = Receiver()
        self.processes = []
        ports = {"prometheus": free_port(), "alertmanager": free_port()}
        self.alertmanager = f"http://127.0.0.1:{ports['alertmanager']}"
        self.write(place, targets, ports["alertmanager"])
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
            "--rules.alert.resend-delay=1s",
            "--enable-feature=exemplar-storage",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
        )  # fmt: skip
        wait_for(self.is_up, "Prometheus scrapes the gateway")

    def write(self, place: Path, targets: dict, port: int) -> None:
        (place / "rules.yml").write_text(
            (HERE / "rules.yml").read_text().replace("30s", "1s", -1)
        )
        text = (HERE / "alerts.yml").read_text()
        edits = [(r"( +for:) \w+", r"\1 1s"), *self.more["edits"]]
        for pattern, replacement in edits:
            text = re.sub(pattern, replacement, text)
        (place / "alerts.yml").write_text(text)
        conf = yaml.safe_load((HERE / "prometheus.yml").read_text())
        conf["global"] = {
            "scrape_interval": "1s",
            "evaluation_interval": "1s",
        }
        conf["alerting"]["alertmanagers"][0]["static_configs"] = [
            {"targets": [f"127.0.0.1:{port}"]}
        ]
        conf["scrape_configs"] = [
            job for job in conf["scrape_configs"] if job["job_name"] in targets
        ]
        for job in conf["scrape_configs"]:
            target = targets[job["job_name"]]
            job["static_configs"] = [{"targets": [target]}]
            for relabel in job.get("relabel_configs", []):
                if "replacement" in relabel:
                    relabel["replacement"] = self.more["proxy"]
            if "tls_config" in job:
                job["tls_config"]["ca_file"] = self.more["ca"]
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
            if self.http.get("/-/ready").status_code != 200:
                return False
            values = [each["value"][1] for each in self.ask("up")]
            return values == ["1"] * self.count
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
