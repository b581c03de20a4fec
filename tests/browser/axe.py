"""axe-core on the page that a browser shows.

Its script comes from build/venv (ci/install --python) and is put in by the
driver, past the page's policy; the page itself has none.
"""

import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations", "incomplete", "passes"]}).then(
    found => done({
        passes: found.passes.length,
        doubts: [...found.violations, ...found.incomplete].map(each => [
            each.id, each.impact, each.help,
            each.nodes.map(node => [node.html, node.failureSummary])])}),
    why => done({passes: 0, doubts: [String(why)]}));
"""


@cache
def script() -> str:
    venv = Path(os.environ.get("VENV", ROOT / "build" / "venv"))
    pattern = "lib/python3*/site-packages/axe_core_python/axe.min.js"
    found = list(venv.glob(pattern))
    assert found, f"no axe in {venv}: run ci/install --python"
    return found[0].read_text()


def doubts(driver) -> list:
    """What axe finds wrong, of any impact, or cannot decide."""
    driver.execute_script(script())
    found = driver.execute_async_script(RUN)
    if not found["doubts"]:
        assert found["passes"] > 10, "axe looked at nothing"
    return found["doubts"]
