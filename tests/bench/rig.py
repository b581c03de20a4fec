"""What the benchmarks run on: a stack of their own (durable PostgreSQL, TLS
gateway), one plain nginx as PSP and another as what nginx does alone, and wrk;
all on this machine's loopback.
"""

import json
import os
import pathlib
import re
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "bench"
BUILD = ROOT / "build"
RUN = BUILD / "bench"
PGBIN = pathlib.Path("/usr/lib/postgresql/15/bin")
TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
HTTP = "http {"
WORKERS = int(os.environ.get("BENCH_WORKERS", "1"))
TRUST = """
        ca_file            "@RUN@/tls/ca.pem";"""
CONF_EDITS = {
    'access.log" payments;': 'access.log" payments buffer=64k flush=1s;',
    # events go to the nginx that stands beside
    "endpoints hosts=loopback;": "endpoints hosts=loopback concurrency=64"
    ' interval=50ms "ca_file=@RUN@/tls/ca.pem";',
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
    """Figure by figure, those of figures in figures too."""
    return {
        key: median_of([each[key] for each in rounds])
        if isinstance(value, dict)
        else round(statistics.median(each[key] for each in rounds), 3)
        for key, value in rounds[0].items()
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


def cpu_times() -> tuple[int, int]:
    """Idle, and all."""
    with open("/proc/stat") as lines:
        words = [int(word) for word in next(lines).split()[1:]]
    return words[3] + words[4], sum(words[:8])


def command_of(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


class Rig:
    """The running stack; use it in a with statement."""

    def __init__(self, rounds: int, seconds: float):
        self.rounds, self.seconds = rounds, seconds
        self.port, self.tls_port, self.proxy_port = (
            free_port() for _ in range(3)
        )
        self.conf = BUILD / "bench.nginx.conf.in"
        self.runs = 0
        self.env = {}
        self.plain = []  # pid files of the two nginx beside the gateway's

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

    def start(self, workers: int, psp=None, more: str = "",
              warm: bool = True) -> None:  # fmt: skip
        """psp: another than the rig's, which its start() starts when the
        stack's certificate is there; more: lines of the http block; warm:
        after a second of creates"""
        url = psp.url if psp is not None else f"http://127.0.0.1:{self.port}"
        self.make_conf(workers, url, more)
        self.stack("up")
        for line in (RUN / "gateway.env").read_text().splitlines():
            name, _, value = line.partition("=")
            self.env[name] = shlex.split(value)[0] if value else ""
        self.assert_durable()
        self.plain = [self.start_nginx(name) for name in ("psp", "plain")]
        if psp is not None:
            psp.start(pathlib.Path(self.env["RUN_DIR"]))
        if warm:
            self.wrk("create", 8, seconds=1)  # connections, plans, caches

    def stop(self) -> None:
        for pid in filter(pathlib.Path.exists, self.plain):
            os.kill(int(pid.read_text()), signal.SIGTERM)
        self.stack("down")

    def restart(self, workers: int, *more, **named) -> None:
        self.stop()
        self.start(workers, *more, **named)

    def make_conf(self, workers: int, psp_url: str, more: str) -> None:
        """The stack's own configuration, with the stripe PSP moved."""
        text = (ROOT / "ci" / "nginx.conf.in").read_text()
        # risk has a part of its own
        text = re.sub(r"(?m)^ +payments_risk.*\n", "", text)
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

    def start_nginx(self, name: str) -> pathlib.Path:
        """With the configuration of this name; its pid file."""
        real = pathlib.Path(self.env["RUN_DIR"])
        text = (HERE / f"{name}.conf.in").read_text()
        for mark, value in {
            "@RUN@": real,
            "@PSPPORT@": self.port,
            "@TLSPORT@": self.tls_port,
            "@PROXYPORT@": self.proxy_port,
        }.items():
            text = text.replace(mark, str(value))
        conf = real / f"{name}.conf"
        conf.write_text(text)
        subprocess.run(
            [self.env["NGINX_BIN"], "-p", real, "-c", conf],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        return real / f"{name}.pid"

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

    def cpu_us(self) -> int:
        """Of the gateway's workers."""
        return sum(map(cpu_of, self.workers()))

    def plain_cpu_us(self) -> int:
        """Of the plain nginx that is not the PSP."""
        return sum(map(cpu_of, children(int(self.plain[1].read_text()))))

    def postgres_us(self) -> int:
        """Of PostgreSQL with what has ended."""
        data = pathlib.Path(self.env["PG_DATA"])
        postmaster = int((data / "postmaster.pid").read_text().split()[0])
        return sum(map(cpu_of, [postmaster, *children(postmaster)]))

    def others_us(self) -> int:
        """The same without the gateway's connections, which work in rounds of
        their own while others are measured."""
        data = pathlib.Path(self.env["PG_DATA"])
        postmaster = int((data / "postmaster.pid").read_text().split()[0])
        gateway = (pid for pid in children(postmaster)
                   if "payments_gateway" in command_of(pid))  # fmt: skip
        return self.postgres_us() - sum(map(cpu_of, gateway))

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

    def finish(self, process, *, may_be_late=False) -> dict:
        """may_be_late: a create may be answered 202."""
        text = process.communicate()[0]
        if process.returncode != 0:
            sys.exit(f"wrk failed:\n{text}")
        figures = json.loads(text.strip().splitlines()[-1])
        late = 0 if may_be_late else figures["late"]
        if figures["other"] or figures["errors"] or late:
            sys.exit(f"an answer was wrong: {figures}")
        return figures

    def wrk(self, mode: str, clients: int, seconds: float = 0, *,
            cpu=None, **env) -> dict:  # fmt: skip
        """Figures of a run, with CPU per what was counted; cpu: that of the
        server, where it is not the gateway."""
        meters = {
            "server": cpu or self.cpu_us,
            "postgres": self.others_us if cpu else self.postgres_us,
        }
        before = {name: meter() for name, meter in meters.items()}
        figures = self.finish(self.start_wrk(mode, clients, seconds, **env))
        counted = {"create": "created", "payment": "applied",
                   "webhook": "applied"}.get(mode, "read")  # fmt: skip
        done = max(figures[counted], 1)
        for name, meter in meters.items():
            figures[f"{name}_us"] = (meter() - before[name]) / done
        seconds = max(figures["seconds"], 0.001)
        figures["per_second"] = figures[counted] / seconds
        return figures
