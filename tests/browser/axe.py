"""axe-core on the page that a browser shows.

Its script comes from build/node (ci/npm.txt, ci/install --python) and is put in
by the driver, past the page's policy; the page itself has none.
"""

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
    path = ROOT / "build/node/node_modules/axe-core/axe.min.js"
    assert path.is_file(), f"no {path}: run ci/install --python"
    return path.read_text()


def doubts(driver) -> list:
    """What axe finds wrong, of any impact, or cannot decide."""
    driver.execute_script(script())
    found = driver.execute_async_script(RUN)
    if not found["doubts"]:
        assert found["passes"] > 10, "axe looked at nothing"
    return found["doubts"]
