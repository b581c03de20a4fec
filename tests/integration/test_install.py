"""docs/operations.md installs the gateway by its own commands, on a machine
that has nothing of ours, up to a paid checkout; operator, auditor and finance
get their roles as it says."""

import os
import subprocess
import sys

from support.gateway import ROOT

INSIDE = ROOT / "tests" / "integration" / "support" / "bare_root.py"


def test_the_documented_installation_works_by_its_own_commands(
    gateway, tmp_path
):
    """Namespaces: its ports, processes and mounts end with it."""
    command = [
        "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
        sys.executable, INSIDE, tmp_path, ROOT, gateway.secrets,
    ]  # fmt: skip
    if os.geteuid() != 0:
        command = ["sudo", "-n", *command]
    done = subprocess.run(
        command, text=True, check=False, timeout=150,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    assert done.stdout.rstrip().endswith("installed")


def test_migrate_without_its_files_names_the_option(tmp_path):
    payctl = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
    done = subprocess.run(
        [payctl, "migrate", "--dsn", "dbname=nosuch"], cwd=tmp_path, text=True,
        check=False, capture_output=True, timeout=20,
        env={k: v for k, v in os.environ.items() if k != "PAYCTL_SQL"},
    )  # fmt: skip
    assert done.returncode == 2
    assert '"sql" has no roles.sql' in done.stderr
    assert "--sql DIR or PAYCTL_SQL" in done.stderr
