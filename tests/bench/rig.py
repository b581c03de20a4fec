"""What the benchmarks run on: a stack of their own (durable PostgreSQL, TLS
gateway), a plain nginx as PSP and as what nginx does alone, wrk and pgbench;
all on this machine's loopback.
"""

import json
import os
import pathlib
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "bench"
BUILD = ROOT / "build"
RUN = BUILD / "bench"
PGBIN = pathlib.Path("/usr/lib/postgresql/15/bin")
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
HTTP = "http {"
FIRST_S = 0.12  # of the clock, of a client's first transaction, among others
METER_S = 0.25
WORKERS = int(os.environ.get("BENCH_WORKERS", "1"))
TRUST = """
        ca_file            "@RUN@/tls/ca.pem";"""
CONF_EDITS = {
    'access.log" payments;': 'access.log" payments buffer=64k flush=1s;',
    # ten thousand calls at once, each with a connection to the PSP
    "worker_connections  2048;": "worker_connections  32768;",
    "worker_processes        2;": "worker_processes        @WORKERS@;"
    "\nworker_rlimit_nofile    65536;",
}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def median_of(rounds: list[dict]) -> dict:
    return {
        key: round(statistics.median(each[key] for each in rounds), 3)
        for key in rounds[0]
    }


def children(pid: int) -> list[int]:
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def cpu_of(pid: int) -> int:
    """µs that a process has used so far; 0: it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = text[text.rindex(")") + 2 :].split()
    return sum(int(field) for field in fields[11:15]) * TICK_US


class Rig:
    """The running stack; use it in a with statement."""

    def __init__(self, rounds: int, seconds: float):
        self.rounds, self.seconds = rounds, seconds
        self.port, self.tls_port = free_port(), free_port()
        self.conf = BUILD / "bench.nginx.conf.in"
        self.runs = 0
        self.env = {}
        self.nginx_psp = None

    def __enter__(self):
        try:
            self.start(WORKERS)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        self.conf.unlink(missing_ok=True)

    def start(self, workers: int, psp=None, more: str = "") -> None:
        """psp: another than the rig's, which its start() starts when the
        stack's certificate is there; more: lines of the http block"""
        url = psp.url if psp is not None else f"http://127.0.0.1:{self.port}"
        self.make_conf(workers, url, more)
        self.stack("up")
        for line in (RUN / "gateway.env").read_text().splitlines():
            name, _, value = line.partition("=")
            self.env[name] = shlex.split(value)[0] if value else ""
        self.assert_durable()
        self.start_psp()
        if psp is not None:
            psp.start(pathlib.Path(self.env["RUN_DIR"]))
        self.wrk("create", 8, seconds=1)  # connections, plans, caches

    def stop(self) -> None:
        if self.nginx_psp is not None and self.nginx_psp.exists():
            os.kill(int(self.nginx_psp.read_text()), signal.SIGTERM)
        self.stack("down")

    def restart(self, workers: int, *more, **named) -> None:
        self.stop()
        self.start(workers, *more, **named)

    def make_conf(self, workers: int, psp_url: str, more: str) -> None:
        """The stack's own configuration, with the stripe PSP moved."""
        text = (ROOT / "ci" / "nginx.conf.in").read_text()
        for old, new in [*CONF_EDITS.items(), (HTTP, f"{HTTP}\n    {more}")]:
            assert old in text, old
            text = text.replace(old, new.replace("@WORKERS@", str(workers)), 1)
        old = "http://127.0.0.1:@MOCKPORT@/stripe;"
        assert old in text
        head, tail = text.split(old, 1)
        tail = tail.replace(
            "hosted_page_host   127.0.0.1:@MOCKPORT@;\n"
            "        timeout            connect=2s total=10s;",
            f"hosted_page_host   {psp_url.rpartition('/')[2]} pay.example;\n"
            "        timeout            connect=10s total=60s;"
            + TRUST
            * psp_url.startswith("https:"),
            1,
        )
        self.conf.write_text(f"{head}{psp_url};{tail}")

    def stack(self, verb: str) -> None:
        env = dict(
            os.environ,
            PAY_RUN=str(RUN),
            PAY_CONF=str(self.conf),
            PAY_RATE="rate=1000000r/s burst=1000000",
        )
        subprocess.run(
            [ROOT / "ci" / "stack", verb],
            check=True,
            env=env,
            stdout=subprocess.DEVNULL,
        )

    def start_psp(self) -> None:
        real = pathlib.Path(self.env["RUN_DIR"])
        text = (HERE / "psp.conf.in").read_text()
        text = text.replace("@RUN@", str(real))
        text = text.replace("@PORT@", str(self.port))
        text = text.replace("@TLSPORT@", str(self.tls_port))
        conf = real / "psp.conf"
        conf.write_text(text)
        subprocess.run(
            [self.env["NGINX_BIN"], "-p", real, "-c", conf],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        self.nginx_psp = real / "psp.pid"

    # PostgreSQL.

    def sql(self, statement: str) -> str:
        return subprocess.run(
            [PGBIN / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1",
             self.env["PG_ADMIN_DSN"], "-c", statement],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()  # fmt: skip

    def assert_durable(self) -> None:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            if self.sql(f"SHOW {name}") != "on":
                sys.exit(f"{name} is not on: the figures would mean nothing")

    def gateway_dsn(self) -> str:
        """The gateway's own role: its planner settings are part of it."""
        secrets = pathlib.Path(self.env["RUN_DIR"]) / "secrets"
        at = self.env["PG_DSN"].rpartition("@")[2]
        address, _, name = at.partition("/")
        host, _, port = address.partition(":")
        return (
            f"host={host} port={port} dbname={name} user=payments_gateway"
            f" passfile='{secrets}/gateway.pgpass'"
        )

    # CPU and memory.

    def workers(self) -> list[int]:
        pid = int(pathlib.Path(self.env["NGINX_PID"]).read_text())
        return children(pid)

    def cpu_us(self) -> dict[str, int]:
        """Of the gateway's workers, and of PostgreSQL with what has ended."""
        data = pathlib.Path(self.env["PG_DATA"])
        postmaster = int((data / "postmaster.pid").read_text().split()[0])
        return {
            "nginx": sum(map(cpu_of, self.workers())),
            "postgres": sum(map(cpu_of, [postmaster, *children(postmaster)])),
        }

    def rss_kb(self) -> int:
        """Of the gateway's workers, what they do not share."""
        total = 0
        for pid in self.workers():
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(
                int(line.split()[1])
                for line in text.splitlines()
                if line.startswith("Private_")
            )
        return total

    def metrics(self) -> str:
        import ssl

        context = ssl.create_default_context(cafile=self.env["GATEWAY_CA"])
        url = self.env["GATEWAY_URL"] + "/metrics"
        with urllib.request.urlopen(url, context=context) as answer:
            return answer.read().decode()

    # Load.

    def prefix(self) -> str:
        self.runs += 1
        return f"b{os.getpid()}-{self.runs}"

    def start_wrk(self, mode: str, clients: int, seconds: float = 0, *,
                  url: str = "", rate: float = 0, **env):  # fmt: skip
        """wrk on its way; its figures with finish()."""
        settings = {
            "MODE": mode,
            "JWT": self.env["MERCHANT_JWT"],
            "RETURN_URL": self.env["RETURN_URL"],
            "WEBHOOK_SECRET": self.env["STRIPE_WEBHOOK_SECRET"],
            "PREFIX": self.prefix(),
            "CLIENTS": str(clients),
            "RATE": str(rate),
        } | {name: str(value) for name, value in env.items()}
        command = ["wrk", "-t1", f"-c{clients}", "--timeout", "60s"]
        command += [f"-d{max(1, round(seconds or self.seconds))}s", "-s"]
        command += [str(HERE / "load.lua"), url or self.env["GATEWAY_URL"]]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ, **settings),
        )

    def start_waiting(self, count: int):
        """Creates over HTTP/2, a hundred on each connection; its output is
        the counts of the answers' statuses."""
        return subprocess.Popen(
            [sys.executable, HERE / "waiting.py", self.env["GATEWAY_URL"],
             str(count)],
            stdout=subprocess.PIPE,
            text=True,
            env=dict(
                os.environ,
                JWT=self.env["MERCHANT_JWT"],
                RETURN_URL=self.env["RETURN_URL"],
                GATEWAY_CA=self.env["GATEWAY_CA"],
                PREFIX=self.prefix(),
            ),
        )  # fmt: skip

    def finish(self, process) -> dict:
        text = process.communicate()[0]
        if process.returncode != 0:
            sys.exit(f"wrk failed:\n{text}")
        figures = json.loads(text.strip().splitlines()[-1])
        if figures["other"] or figures["errors"]:
            sys.exit(f"an answer was wrong: {figures}")
        return figures

    def wrk(self, mode: str, clients: int, seconds: float = 0, **env) -> dict:
        """Figures of a run, with CPU per what was counted."""
        before = self.cpu_us()
        figures = self.finish(self.start_wrk(mode, clients, seconds, **env))
        after = self.cpu_us()
        counted = {"create": "created", "payment": "applied",
                   "webhook": "applied"}.get(mode, "read")  # fmt: skip
        done = max(figures[counted], 1)
        seconds = max(figures["seconds"], 0.001)
        figures["per_second"] = figures[counted] / seconds
        for name in before:
            figures[f"{name}_us"] = (after[name] - before[name]) / done
        return figures

    def pgbench(self, scripts: str, clients: int, *, rate: float = 0,
                each: int = 0, **variables) -> dict:  # fmt: skip
        """scripts: names of files that make one transaction's statements;
        each: so many of each client, else for the seconds.  Counted from when
        each client has done its first one: that plans all statements of all
        functions, which a gateway's connection does once in its life."""
        texts = [(HERE / f"{name}.pgbench").read_text()
                 for name in scripts.split()]  # fmt: skip
        script, log = BUILD / "bench.script.sql", BUILD / "bench.pgbench"
        script.write_text("".join(texts))
        for old in BUILD.glob("bench.pgbench.*"):
            old.unlink()
        command = [PGBIN / "pgbench", "-n", "-M", "prepared", "-l", "-j", "1"]
        command += [f"--log-prefix={log}", "-f", script]
        whole = round(self.seconds + FIRST_S * clients) + 1
        most = ["-t", str(each)] if each else ["-T", str(whole)]
        command += ["-c", str(clients), *most]
        command += ["-R", str(rate)] if rate else []
        for name, value in variables.items():
            command += ["-D", f"{name}={value}"]
        with Meter(self) as meter:
            subprocess.run(
                [*command, self.gateway_dsn()],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        rows = []
        for path in BUILD.glob("bench.pgbench.*"):
            with path.open() as lines:
                rows += [[int(word) for word in line.split()] for line in lines]
            path.unlink()
        script.unlink()
        return warm_figures(rows, clients, meter, lag=bool(rate))


class Meter:
    """CPU of PostgreSQL by the time of day, while a with statement runs."""

    def __init__(self, rig):
        self.rig, self.seen = rig, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def watch(self):
        while True:
            used = self.rig.cpu_us()["postgres"]
            self.seen.append((time.time() * 1000, used))
            if self.over.wait(METER_S):
                break
        self.seen.append((time.time() * 1000, self.rig.cpu_us()["postgres"]))

    def between(self, start_ms: float, end_ms: float) -> float:
        """µs of CPU a ms in the samples that are inside"""
        inside = [each for each in self.seen if start_ms <= each[0] <= end_ms]
        inside = inside if len(inside) > 1 else self.seen
        (t0, c0), (t1, c1) = inside[0], inside[-1]
        return (c1 - c0) / (t1 - t0)


def warm_figures(rows, clients: int, meter, lag: bool) -> dict:
    """rows: pgbench's log: client, number, µs, script, end in s, its µs, lag
    in µs.  Of those that began when each client had done its first."""
    ends = {}
    for row in rows:
        row.append(row[4] * 1000 + row[5] / 1000)
        ends.setdefault(row[0], row[-1])
        ends[row[0]] = min(ends[row[0]], row[-1])
    if len(ends) < clients:
        sys.exit("pgbench: a client has done nothing in all the time")
    start = max(ends.values())
    done = [(row[2] - (row[6] if lag else 0), row[-1])
            for row in rows if row[-1] - row[2] / 1000 >= start]  # fmt: skip
    if not done:
        sys.exit("pgbench: too short, it has only warmed up")
    end = max(at for _, at in done)
    times = sorted(us / 1000 for us, _ in done)
    busy_ms = end - start
    return {
        "per_second": len(times) / busy_ms * 1000,
        "p50_ms": times[len(times) // 2],
        "p99_ms": times[len(times) * 99 // 100],
        "postgres_us": meter.between(start, end) * busy_ms / len(times),
    }
