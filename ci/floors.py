"""The floors of ngx_payments_module/ (docs/architecture.md#floors), and the
calls between the files of src/.

Each folder of the module is a floor.  A file includes headers of its own floor
and of those below, and calls functions of its own floor and of those below.
Calls between files never run in a circle, in src/ neither.  Calls are found by
name: a function's name is in the text of a file that does not define it.
`python3 ci/floors.py` draws the floors, ci/check-style refuses what breaks
them.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GLUE = "ngx_payments_module/"
# from the ground up; "" is the directory itself
FLOORS = ["util", "shm", "io", "run", "http", "conf", ""]

NOT_CODE = re.compile(
    r"/\*.*?\*/" r'|"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])*'", re.S
)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+\.h)"', re.M)
FUNCTION = re.compile(
    r"^([A-Za-z_][^;{}=#]*?)\b(ngx_\w+)\s*\([^;{}]*\)\s*\{", re.M
)
NAME = re.compile(r"\bngx_\w+")
CORE = "src/"
CORE_FUNCTION = re.compile(
    r"^([A-Za-z_][^;{}=#]*?)\b([a-z]\w+)\s*\([^;{}]*\)\s*\{", re.M
)
CORE_NAME = re.compile(r"\b[a-z]\w+")
# A look at a source of settlement files goes round: the next file, open it,
# read it, prove it, book it, the next one.  Each part has a file of its own.
MAY_GO_ROUND = re.compile(r"flow/flow_settlement(_\w+)?\.c")

MEND_UP = (
    "move what is needed to a lower floor, or let the upper one hand a "
    "function pointer down (as flow->reply)"
)
MEND_CIRCLE = (
    "move what two of them need to a third file below, or hand a function "
    "pointer down (as ngx_payments_pq_owner_t)"
)


def folder(name: str) -> str:
    return name.rpartition("/")[0]


def height(name: str) -> int:
    return FLOORS.index(folder(name))


def line_of(text: str, start: int) -> int:
    return text.count("\n", 0, start) + 1


def floor_of(glue: "Glue", floor: str) -> list[str]:
    return [name for name in glue.texts if folder(name) == floor]


def code_of(text: str) -> str:
    """Without comments and literals; lines stay lines."""
    return NOT_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


class Glue:
    """The files by their names below the directory, and who calls whom."""

    def __init__(self, root: Path):
        self.document = (root / "docs/architecture.md").read_text("utf-8")
        self.texts = {
            path.relative_to(root / GLUE).as_posix(): path.read_text("utf-8")
            for path in sorted((root / GLUE).rglob("*.[ch]"))
        }
        self.strangers = [
            name for name in self.texts if folder(name) not in FLOORS
        ]
        for name in self.strangers:
            del self.texts[name]
        self.code = {name: code_of(text) for name, text in self.texts.items()}
        self.home = {}
        for name, code in self.code.items():
            for found in FUNCTION.finditer(code):
                if name.endswith(".c") and "static" not in found[1].split():
                    self.home[found[2]] = name
        self.calls = {name: {} for name in self.code if name.endswith(".c")}
        for name, called in self.calls.items():
            for found in NAME.finditer(self.code[name]):
                home = self.home.get(found[0], name)
                if home != name:
                    called.setdefault(home, (found[0], found.start()))

    def includes(self, name: str):
        # the names are literals: read with them in place
        for found in INCLUDE.finditer(self.texts[name]):
            if found[1] in self.texts:
                yield found[1], found.start()


def core_calls(root: Path):
    """The files of src/ by their names below it, and who calls whom."""
    code = {
        path.relative_to(root / CORE).as_posix(): code_of(
            path.read_text("utf-8")
        )
        for path in sorted((root / CORE).rglob("*.c"))
    }
    home, own = {}, {}
    for name, text in code.items():
        functions = list(CORE_FUNCTION.finditer(text))
        own[name] = {found[2] for found in functions}
        for found in functions:
            if "static" not in found[1].split():
                home[found[2]] = name
    calls = {name: {} for name in code}
    for name, called in calls.items():
        for found in CORE_NAME.finditer(code[name]):
            other = home.get(found[0], name)
            if other != name and found[0] not in own[name]:
                called.setdefault(other, (found[0], found.start()))
    return calls


def circles_of(calls):
    """The sets of files that reach each other, by Tarjan's method."""
    order, low, stack, found = {}, {}, [], []

    def visit(name):
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in calls[name]:
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            circle = stack[stack.index(name) :]
            del stack[-len(circle) :]
            if len(circle) > 1:
                found.append(circle)

    for name in calls:
        if name not in order:
            visit(name)
    return found


def check_up(glue: Glue):
    for name in glue.strangers:
        known = " ".join(floor + "/" for floor in FLOORS if floor)
        yield name, 1, f"stands on no floor ({known}; ci/floors.py)"
    for name in glue.texts:
        for other, start in glue.includes(name):
            if height(other) > height(name):
                line = line_of(glue.texts[name], start)
                yield name, line, f"{other} is of a floor above; {MEND_UP}"
    for name, called in glue.calls.items():
        for other, (function, start) in called.items():
            if height(other) > height(name):
                line = line_of(glue.code[name], start)
                rule = f"{function}() is of a floor above ({other})"
                yield name, line, f"{rule}; {MEND_UP}"


def check_circles(calls):
    for circle in circles_of(calls):
        if all(map(MAY_GO_ROUND.fullmatch, circle)):
            continue
        arrows = []
        for name in circle:
            for other, (function, _) in calls[name].items():
                if other in circle:
                    arrows.append(f"{name} calls {other} ({function})")
        first = min(circle)
        rule = f"calls in a circle of {len(circle)} files: "
        rule += ", ".join(arrows[:6]) + (", …" if len(arrows) > 6 else "")
        yield first, 1, f"{rule}; {MEND_CIRCLE}"


def check_headers(glue: Glue):
    """A public function is declared by the header of its own file."""
    for function, name in glue.home.items():
        header = name.removesuffix(".c") + ".h"
        if not re.search(rf"\b{function}\b", glue.code.get(header, "")):
            yield name, 1, f"{function}() is not static and not in {header}"


def check_names(glue: Glue):
    files = {name.rpartition("/")[2]: name for name in glue.texts}
    for names, kind in ((files, "file"), (glue.home, "function")):
        for word, name in names.items():
            twin = word.replace("ngx_http_payments", "ngx_payments", 1)
            if twin != word and twin in names:
                rule = f"the {kind}s {word} and {twin} differ by _http alone"
                yield name, 1, f"{rule}: one of them needs another name"


def check_document(glue: Glue):
    """The table of the document names each file on its floor."""
    for floor in filter(None, FLOORS):
        files = {re.split(r"[/.]", name)[1] for name in floor_of(glue, floor)}
        files = {re.sub(r"^ngx(_http)?_payments_?", "", x) for x in files}
        rows = re.findall(rf"^\| `{floor}/` \|.*", glue.document, re.M)
        named = set(re.findall(r"`(\w+)`", " ".join(rows)))
        for word in sorted(files - named - {""}):
            rule = f"the table of floors does not name {floor}/…{word}"
            yield "../docs/architecture.md", 1, rule
        for word in sorted(named - files):
            rule = f"there is no {floor}/…{word}"
            yield "../docs/architecture.md", 1, rule


def findings(root: Path = ROOT):
    """(file, line, rule) of everything that breaks the floors."""
    glue = Glue(root)
    checks = (
        check_up,
        lambda glue: check_circles(glue.calls),
        check_headers,
        check_names,
        check_document,
    )
    for check in checks:
        for name, line, rule in check(glue):
            yield (GLUE + name).replace(f"{GLUE}../", ""), line, rule
    for name, line, rule in check_circles(core_calls(root)):
        yield CORE + name, line, rule


def draw():
    glue = Glue(ROOT)
    for floor in reversed(FLOORS):
        files = [name for name in glue.calls if folder(name) == floor]
        below = {folder(o) for n in files for o in glue.calls[n]} - {floor}
        print(f"{floor + '/' if floor else GLUE} calls", end=" ")
        print(" ".join(f"{o}/" for o in FLOORS if o in below) or "nobody")
        for name in files:
            same = [o for o in glue.calls[name] if folder(o) == floor]
            stems = [Path(o).stem.split("payments_")[-1] for o in same]
            print(f"    {name}" + (f" → {', '.join(stems)}" if stems else ""))
    return 0


if __name__ == "__main__":
    sys.exit(draw())
