"""axe-core on the page that a browser shows.

Its script comes from build/node (ci/npm.txt, ci/install --python) and is put in
by the driver, past the page's policy; the page itself has none.
"""

from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# the rules that a colour scheme alone can break
COLOURS = ("color-contrast", "link-in-text-block")
RUN = """
const [rules, done] = arguments;
const options = {resultTypes: ["violations", "incomplete"], selectors: false};
if (rules.length) options.runOnly = {type: "rule", values: rules};
axe.run(document, options).then(
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


def doubts(driver, rules=()) -> list:
    """What axe finds wrong, of any impact, or cannot decide; by these rules, or
    by all."""
    if not driver.execute_script("return 'axe' in window"):
        driver.execute_script(script())
    found = driver.execute_async_script(RUN, list(rules))
    if not found["doubts"]:
        least = 0 if rules else 10
        assert found["passes"] > least, "axe looked at nothing"
    return found["doubts"]
