"""Where the tools of tools/risk are found, and the driver."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/risk"))
# before numpy is loaded: more threads than one give other sums
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"


@pytest.fixture(scope="session", autouse=True)
def driver():
    import models

    models.build()
