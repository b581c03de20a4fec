"""The part of make bench that reads a configuration of ten thousand merchants
and two hundred PSPs in four cells: nginx -t, a reload until the new worker
serves, and the memory of a worker; beside a plain nginx with as many servers.

The databases are away, as none of this asks them.
"""

import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

from rig import ROOT, children, command_of, free_port

sys.path.insert(0, str(ROOT / "tests/integration"))

from support import many  # noqa: E402

MERCHANTS = int(os.environ.get("DISCOVERY_MERCHANTS", "10000"))
PSPS = int(os.environ.get("DISCOVERY_PSPS", "200"))
CELLS = ["default", "b", "c", "d"]
NGINX = "/usr/sbin/nginx"
DEADLINE_S = 120
HEAD = """\
{module}
{user}
worker_processes  1;
pid               "{dir}/nginx.pid";
error_log         "{dir}/error.log" warn;
events {{ worker_connections 1024; }}
http {{
    access_log             off;
    client_body_temp_path  "{dir}/tmp";
    proxy_temp_path        "{dir}/tmp";
    fastcgi_temp_path      "{dir}/tmp";
    uwsgi_temp_path        "{dir}/tmp";
    scgi_temp_path         "{dir}/tmp";
"""
GATEWAY = """
    payments_zone        zone=payments:16m;
    payments_audience    ngx_payments;
    payments_public_url  http://127.0.0.1:{port};
    payments_jobs        off;
    server {{
        listen       127.0.0.1:{port};
        server_name  127.0.0.1;
        payments_insecure_http  on;
        location /v1/        {{ payments_api; }}
        location /checkout/  {{ payments_checkout; }}
        location /return/    {{ payments_return; }}
        location /webhooks/  {{ payments_webhook; }}
        location = /metrics  {{ payments_metrics;  allow 127.0.0.1;  deny all; }}
        location = /healthz  {{ payments_health live; }}
    }}
"""  # noqa: E501 - as a configuration has it
PLAIN = """
    server_names_hash_max_size     65536;
    server_names_hash_bucket_size  128;
    server {{
        listen  127.0.0.1:{port};
        location = /healthz {{ return 200; }}
    }}
"""
SERVER = """
    server {{
        listen       127.0.0.1:{port};
        server_name  {name}.example.com www.{name}.example.com;
        location / {{ return 200; }}
    }}
"""


class Node:
    """An nginx of its own, with a configuration of so many merchants."""

    def __init__(self, place: pathlib.Path, rig, merchants: int, plain=False):
        self.dir, self.port = place, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (place / "tmp").mkdir(parents=True)
        self.conf = place / "nginx.conf"
        module = "" if plain else f'load_module "{rig.env["MODULE"]}";'
        user = "user nobody nogroup;" if os.geteuid() == 0 else ""
        body = self.bare(merchants) if plain else self.own(rig, merchants)
        head = HEAD.format(module=module, user=user, dir=place)
        self.conf.write_text(f"{head}{body}\n}}\n")

    def bare(self, merchants: int) -> str:
        return PLAIN.format(port=self.port) + "".join(
            SERVER.format(port=self.port, name=many.merchant(n))
            for n in range(merchants)
        )

    def own(self, rig, merchants: int) -> str:
        keys = self.dir / "keys"
        many.write_keys(keys, merchants)
        secrets = pathlib.Path(rig.env["RUN_DIR"]) / "secrets"
        return (
            GATEWAY.format(port=self.port)
            + databases()
            + many.psps(PSPS, CELLS, self.url, str(secrets))
            + many.merchants(merchants, PSPS, CELLS, str(keys))
        )

    def run(self, *words: str) -> dict:
        """Seconds on the clock, and of the CPU."""
        before, since = os.times(), time.monotonic()
        subprocess.run(
            [NGINX, "-p", self.dir, "-c", self.conf, *words],
            check=True,
            capture_output=True,
        )
        used, after = time.monotonic() - since, os.times()
        return {
            "s": used,
            "cpu_s": after.children_user - before.children_user
            + after.children_system - before.children_system,
        }  # fmt: skip

    def start(self) -> "Node":
        self.run()
        self.until(self.serves)
        return self

    def serves(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz") as answer:
                return answer.status == 200
        except urllib.error.URLError:
            return False

    def master(self) -> int:
        return int((self.dir / "nginx.pid").read_text())

    def workers(self) -> list[int]:
        return [
            pid
            for pid in children(self.master())
            if "worker process" in command_of(pid)
            and "shutting down" not in command_of(pid)
        ]

    def until(self, holds) -> float:
        """Seconds."""
        since = time.monotonic()
        while not holds():
            if time.monotonic() - since > DEADLINE_S:
                sys.exit(f"{self.conf}: nginx does not come up")
            time.sleep(0.005)  # between two looks
        return time.monotonic() - since

    def reload(self) -> float:
        """Until new workers, and they alone, take requests."""
        old = set(self.workers())
        os.kill(self.master(), signal.SIGHUP)

        def has_changed():
            new = set(self.workers())
            return new and not new & old and self.serves()

        return self.until(has_changed)

    def memory(self) -> dict:
        """kB of the worker: all, and what it does not share."""
        (pid,) = self.workers()
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        found = {
            words[0].rstrip(":"): int(words[1])
            for words in map(str.split, text.splitlines()[1:])
        }
        own = found["Private_Clean"] + found["Private_Dirty"]
        return {"rss": found["Rss"], "own": own}

    def scrape(self) -> dict:
        since = time.monotonic()
        with urllib.request.urlopen(f"{self.url}/metrics") as answer:
            size = len(answer.read())
        return {"bytes": size, "ms": 1000 * (time.monotonic() - since)}

    def stop(self) -> None:
        pid = self.master()
        os.kill(pid, signal.SIGTERM)
        self.until(lambda: not pathlib.Path(f"/proc/{pid}").exists())


def databases() -> str:
    """Port 9 is nobody's."""
    return "".join(
        "    payments_database  {}\"host=127.0.0.1 port=9 dbname={}"
        " user=payments_gateway\"{};\n".format(
            *(("", "p", "") if name == "default"
              else (f"{name} ", name, f" handle={name}"))
        )
        for name in CELLS
    )  # fmt: skip


def of(node: Node, rounds: int) -> dict:
    tests = [node.run("-t") for _ in range(rounds)]
    node.start()
    try:
        memory = node.memory()
        reloads = [node.reload() for _ in range(rounds)]
    finally:
        node.stop()
    return {
        "test_s": statistics.median(each["s"] for each in tests),
        "test_cpu_s": statistics.median(each["cpu_s"] for each in tests),
        "reload_s": statistics.median(reloads),
        **memory,
    }


def measure(rig) -> dict:
    place = pathlib.Path(rig.env["RUN_DIR"]) / "discovery"
    shutil.rmtree(place, ignore_errors=True)
    one = of(Node(place / "one", rig, 1), 1)
    node = Node(place / "many", rig, MERCHANTS)
    ours = of(node, rig.rounds)
    node.start()
    try:
        page = node.scrape()
    finally:
        node.stop()
    bare = of(Node(place / "bare", rig, 1, plain=True), 1)
    plain = of(Node(place / "plain", rig, MERCHANTS, plain=True), rig.rounds)
    shutil.rmtree(place)

    def kb(found, base, key):
        return round((found[key] - base[key]) / MERCHANTS, 2)

    found = {
        "nginx_t_s": round(ours["test_s"], 2),
        "nginx_t_cpu_s": round(ours["test_cpu_s"], 2),
        "nginx_t_cpu_ratio": round(ours["test_cpu_s"] / plain["test_cpu_s"], 2),
        "reload_s": round(ours["reload_s"], 2),
        "reload_ratio": round(ours["reload_s"] / plain["reload_s"], 2),
        "merchant_kb": kb(ours, one, "rss"),
        "merchant_own_kb": kb(ours, one, "own"),
        "server_kb": kb(plain, bare, "rss"),
        "metrics_bytes": page["bytes"],
        "metrics_ms": round(page["ms"], 2),
    }
    print(f"\n{MERCHANTS} merchants, {PSPS} PSPs, {len(CELLS)} cells;"
          f" plain nginx: {MERCHANTS} servers")  # fmt: skip
    row = "{:<34} {:>10.2f} {:>10.2f}"
    print(f"{'':<34} {'gateway':>10} {'plain':>10}")
    print(row.format("nginx -t, s", ours["test_s"], plain["test_s"]))
    print(row.format("  of the CPU", ours["test_cpu_s"], plain["test_cpu_s"]))
    print(row.format("reload, s", ours["reload_s"], plain["reload_s"]))
    print(row.format("kB of a worker for each",
                     found["merchant_kb"], found["server_kb"]))  # fmt: skip
    return {"discovery": found}
