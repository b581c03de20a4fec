"""Faults of hosts and of PostgreSQL that the gateway has no figures of, run for
real beside the exporters of Debian and a real Prometheus: a full disk, a
certificate near its end, and a replica that stands still.
"""

import contextlib
import subprocess

import pytest
from support.monitor import HERE, Monitor
from support.own_stack import OwnStack
from support.pg_pair import Pair
from support.ports import free_port


@contextlib.contextmanager
def running(*command, **more):
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, **more,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()  # unshare heeds no other signal
        process.wait(30)


@pytest.fixture
def ticket(tmp_path):
    """Waits until an alert is told, with its labels."""

    def told(job: str, target: str, name: str, path="/ticket", **more):
        monitor = Monitor(tmp_path, {job: target}, **more)
        try:
            monitor.is_paged(name, path)
            return next(
                each["labels"]
                for each in monitor.receiver.heard[path]
                if each["labels"]["alertname"] == name
            )
        finally:
            monitor.close()

    return told


def test_a_disk_that_is_nearly_full_wakes_somebody(tmp_path, ticket):
    """In a mount namespace of its own, so that nothing is left behind."""
    own_namespace = ("unshare", "--mount", "--pid", "--fork", "--mount-proc",
                     "--kill-child")  # fmt: skip
    disk, port = tmp_path / "disk", free_port()
    disk.mkdir()
    script = (
        f"mount -t tmpfs -o size=4m payments {disk} && "
        f"head -c 3900000 /dev/zero >{disk}/wal && "
        "exec prometheus-node-exporter --collector.disable-defaults "
        f"--collector.filesystem --web.listen-address=127.0.0.1:{port}"
    )
    with running(*own_namespace, "sh", "-c", script):
        labels = ticket(
            "node", f"127.0.0.1:{port}", "PaymentsDiskNearlyFull", "/page",
            # this machine's own disks are none of the test's business
            edits=[("avail_bytes /", f'avail_bytes{{mountpoint="{disk}"}} /')],
        )  # fmt: skip
    assert labels["mountpoint"] == str(disk)


def test_a_certificate_near_its_end_makes_a_ticket(tmp_path, ticket):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
         "-days", "10", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    port, exporter = free_port(), free_port()
    conf = tmp_path / "blackbox.yml"
    text = (HERE / "blackbox.yml").read_text()
    conf.write_text(
        f"{text}      tls_config: {{ca_file: {cert}, server_name: localhost}}\n"
    )
    server = ("openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}",
              "-key", key, "-cert", cert)  # fmt: skip
    probe = ("prometheus-blackbox-exporter", f"--config.file={conf}",
             f"--web.listen-address=127.0.0.1:{exporter}")  # fmt: skip
    with running(*server), running(*probe):
        labels = ticket(
            "certificate", f"127.0.0.1:{port}", "PaymentsCertificateEnds",
            proxy=f"127.0.0.1:{exporter}",
        )  # fmt: skip
    assert labels["instance"] == f"127.0.0.1:{port}"


def test_a_replica_that_stands_still_makes_a_ticket(ticket):
    stack = OwnStack()
    try:
        pair, port = Pair(stack), free_port()
        exporter = ("prometheus-postgres-exporter",
                    f"--web.listen-address=127.0.0.1:{port}")  # fmt: skip
        dsn = pair.first.dsn + "?sslmode=disable"
        with running(*exporter, env={"DATA_SOURCE_NAME": dsn}):
            pair.second.sql("SELECT pg_wal_replay_pause()")
            pair.first.sql(
                "SELECT count(pg_logical_emit_message(false, 't',"
                " repeat('x', 1000000))) FROM generate_series(1, 80)"
            )
            labels = ticket(
                "postgres", f"127.0.0.1:{port}", "PaymentsReplicaBehind"
            )
            pair.second.sql("SELECT pg_wal_replay_resume()")
    finally:
        stack.close()
    assert labels["application_name"] == "standby"
