"""The second test of a mutant of SQL, for one that no pgTAP file kills: a few
scenarios of the simulator (tests/simulation) over the changed sql/.

Needs build/simulate, build/simclock.so and build/payctl.
"""

import os
import pathlib
import signal
import subprocess

SCENARIOS, SEED = "12", "1"
LIMIT_S = 300


class Simulator:
    def __init__(self, root: pathlib.Path, tree: pathlib.Path):
        self.program = root / "tests/simulation/run"
        named = {"SCENARIOS": SCENARIOS, "SEED": SEED, "STOP": "1"}
        ours = {"PGHOST", "PGUSER", "PGDATABASE", "SCENARIO", "PARTS", "TRACE"}
        self.env = {k: v for k, v in os.environ.items() if k not in ours}
        self.env |= named | {"SIM_SQL": str(tree / "sql")}
        if (why := self.violation()) is not None:
            raise RuntimeError(f"the simulator fails without any mutant: {why}")

    def violation(self) -> str | None:
        """What the scenarios end with; None when all is well."""
        ran = subprocess.Popen(
            [self.program],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = ran.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(ran.pid, signal.SIGTERM)
            ran.communicate()
            return "no end"
        if ran.returncode == 0:
            return None
        lines = said.splitlines()
        found = [line for line in lines if line.startswith("violation: ")]
        return (found or lines or ["no word"])[0][:100]
