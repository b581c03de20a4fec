"""With pytest-xdist the files are dealt out to several workers.  The first one,
or pytest without workers, takes the cluster of libpq's variables; each other
one has a cluster of its own (tests/sql/alone), since no seal ends behind the
oldest transaction of a cluster.
"""

import atexit
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
# until the worker, which holds the other end, is over
TELL = 'printf "%s\\n" "$PGHOST"; cat'
# The files that take longest are dealt out first.
LONGEST = (
    "test_settlement_histories.py",
    "test_settlement_linear.py",
    "test_linear.py",
    "test_settlement.py",
    "test_partitions.py",
    "test_migrate.py",
)


def pytest_configure():
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0":
        return
    cluster = subprocess.Popen(
        [HERE / "alone", "sh", "-c", TELL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(cluster.communicate)
    os.environ["PGHOST"] = cluster.stdout.readline().strip()
    os.environ["PGUSER"] = "postgres"
    assert os.environ["PGHOST"], "no cluster"


def pytest_collection_modifyitems(items):
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))
