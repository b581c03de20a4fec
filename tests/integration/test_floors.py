"""ci/floors.py, of ci/check-style, finds what breaks the floors of the glue and
circles of calls in src/, and nothing else: each case is planted in a small tree
of its own."""

import importlib.util

import pytest
from support.gateway import ROOT

SPEC = importlib.util.spec_from_file_location("floors", ROOT / "ci/floors.py")
FLOORS = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(FLOORS)

PAGE = "| floor | files |\n|---|---|\n| `io/` | `a` `b` |\n| `run/` | `c` |\n"

# two files of io/ and one of run/, each with its header
TREE = {
    f"{name}.{kind}": text
    for name in ("io/ngx_payments_a", "io/ngx_payments_b", "run/ngx_payments_c")
    for kind, text in {
        "h": f"void {name.split('/')[1]}_go(void);\n",
        "c": f'#include "{name}.h"\n\n\nvoid\n{name.split("/")[1]}_go(void)\n'
        "{\n}\n",
    }.items()
}


def says(word):
    return f"\n\nstatic void\nmore(void)\n{{\n    {word};\n}}\n"


# what is added to which file, what is said of it (empty: nothing)
CASES = {
    "nothing": ("io/ngx_payments_a.c", "", ""),
    "a call of the same floor": (
        "io/ngx_payments_a.c", says("ngx_payments_b_go()"), "",
    ),
    "a call down": ("run/ngx_payments_c.c", says("ngx_payments_a_go()"), ""),
    "a call up": (
        "io/ngx_payments_a.c", says("ngx_payments_c_go()"),
        "ngx_payments_c_go() is of a floor above",
    ),
    "a pointer up": (
        "io/ngx_payments_a.c", says("done = ngx_payments_c_go"),
        "ngx_payments_c_go() is of a floor above",
    ),
    "a comment about what is above": (
        "io/ngx_payments_a.c", "/* ngx_payments_c_go() */\n", "",
    ),
    "a message about what is above": (
        "io/ngx_payments_a.c", says('say("ngx_payments_c_go")'), "",
    ),
    "an include down": (
        "run/ngx_payments_c.h", '#include "io/ngx_payments_a.h"\n', "",
    ),
    "an include up": (
        "io/ngx_payments_a.h", '#include "run/ngx_payments_c.h"\n',
        "run/ngx_payments_c.h is of a floor above",
    ),
    "a function that its header leaves out": (
        "io/ngx_payments_a.c", "\nint\nngx_payments_stray(void)\n{\n}\n",
        "not in io/ngx_payments_a.h",
    ),
    "a file of a floor that there is not": (
        "cellar/ngx_payments_d.c", "\n", "stands on no floor",
    ),
    "a file that the document leaves out": (
        "io/ngx_payments_d.c", "\n", "does not name io/…d",
    ),
    "a namesake": (
        "io/ngx_http_payments_a.c", "\n", "differ by _http alone",
    ),
}  # fmt: skip


def found(root, added):
    (root / "docs").mkdir()
    (root / "docs/architecture.md").write_text(PAGE)
    for name, text in {**TREE, **added}.items():
        path = root / "ngx_payments_module" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [rule for _, _, rule in FLOORS.findings(root)]


@pytest.mark.parametrize("case", CASES)
def test_what_breaks_the_floors_is_found(tmp_path, case):
    name, text, wanted = CASES[case]
    rules = found(tmp_path, {name: TREE.get(name, "") + text})
    if wanted:
        assert len(rules) == 1
        assert wanted in rules[0]
    else:
        assert rules == []


def test_a_circle_is_found(tmp_path):
    a, b = "io/ngx_payments_a.c", "io/ngx_payments_b.c"
    rules = found(
        tmp_path,
        {
            a: TREE[a] + says("ngx_payments_b_go()"),
            b: TREE[b] + says("ngx_payments_a_go()"),
        },
    )
    assert len(rules) == 1
    assert "calls in a circle of 2 files" in rules[0]


def core_of(root, *files):
    """What is found in a src/ whose files call the one of the next name."""
    for name, other in zip(files, (*files[1:], files[0]), strict=True):
        path = root / "src" / f"{name}.c"
        path.parent.mkdir(parents=True, exist_ok=True)
        function, called = (x.rpartition("/")[2] for x in (name, other))
        path.write_text(
            f"int\n{function}(void)\n{{\n    return {called}();\n}}\n"
        )
    return found(root, {})


def test_a_circle_of_the_core_is_found(tmp_path):
    (rule,) = core_of(tmp_path, "api/one", "core/two", "flow/three")
    assert "calls in a circle of 3 files" in rule


def test_only_the_look_at_settlement_files_goes_round(tmp_path):
    look = ["flow/flow_settlement", "flow/flow_settlement_pull"]
    assert core_of(tmp_path, *look) == []
    (tmp_path / "docs/architecture.md").unlink()
    (tmp_path / "docs").rmdir()
    assert len(core_of(tmp_path, *look, "flow/flow_job")) == 1


def test_a_name_of_two_files_is_no_call(tmp_path):
    """A static function may be called as one of another file is."""
    source = tmp_path / "src/core"
    source.mkdir(parents=True)
    (source / "a.c").write_text(
        "int\na(void)\n{\n    return word();\n}\n\n\n"
        "static int\nword(void)\n{\n}\n"
    )
    (source / "b.c").write_text("int\nword(void)\n{\n    return a();\n}\n")
    assert found(tmp_path, {}) == []


def test_the_tree_keeps_its_floors():
    assert list(FLOORS.findings()) == []
