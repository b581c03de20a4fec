"""Databases with the whole schema: the first one is migrated, and the others
are copies of it, which takes a tenth of the time.
"""

import atexit
import functools
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build/payctl"))


def create(name: str) -> None:
    """In the cluster of libpq's variables; nobody else is connected to it."""
    subprocess.run(["createdb", "-T", model(), name], check=True)


@functools.cache
def model() -> str:
    name = f"pay_model_{os.getpid()}"
    subprocess.run(["createdb", "-T", "template0", name], check=True)
    atexit.register(subprocess.run, ["dropdb", "--force", name], check=False)
    subprocess.run(
        [PAYCTL, "migrate", "--dsn", f"dbname={name}", "--sql", ROOT / "sql"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return name
