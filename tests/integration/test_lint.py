"""ci/format, ci/analyze and a rule of ci/check-style, in small trees of their
own."""

import importlib.machinery
import importlib.util
import shutil
import subprocess

import pytest
from support.gateway import ROOT

# C, the same as ci/format leaves it
CASES = {
    "a body without braces": (
        "    if (a)\n        b();\n",
        "    if (a) {\n        b();\n    }\n",
    ),
    "a brace on a line of its own": (
        "    if (a)\n    {\n        b();\n    }\n",
        "    if (a) {\n        b();\n    }\n",
    ),
    "the brace of a condition of two lines": (
        "    if (a\n        && b) {\n        c();\n    }\n",
        "    if (a\n        && b)\n    {\n        c();\n    }\n",
    ),
    "blanks": (
        "    if(a){\n        b( c,d );\n        e=(int)f;\n    }\n",
        "    if (a) {\n        b(c, d);\n        e = (int) f;\n    }\n",
    ),
    "indentation": (
        "      b();\n   if (a) {\n    b();\n    }\n",
        "    b();\n    if (a) {\n        b();\n    }\n",
    ),
    "arguments": (
        "    function(one,\n        two);\n",
        "    function(one,\n             two);\n",
    ),
    "columns of declarations": ("    int    a;\n    char  *b;\n", None),
    "the place of an operator": ("    a = b\n          + c;\n", None),
    "the place of a string": (
        '    function(one,\n        "a long text");\n',
        None,
    ),
    "an argument that would be cut off": (
        f"    function_of_a_long_name(one,\n        {'t' * 60});\n",
        None,
    ),
    "a compound literal": (
        "    function(&(type_t) {\n        .a = 1,\n        .b = 2 });\n",
        None,
    ),
    "an empty body": (
        "    for (i = 0; a[i]; i++) { /* void */ }\n",
        None,
    ),
}


def tool(name: str, root):
    """A copy of a script of ci/, whose root is another tree."""
    (root / "ci").mkdir(exist_ok=True)
    return shutil.copy(ROOT / "ci" / name, root / "ci" / name)


@pytest.mark.parametrize("name", CASES)
def test_the_formatter_mends(name, tmp_path):
    before, after = CASES[name]
    head = "/* a file */\n\n\nvoid\nf(void)\n{\n"
    path = tmp_path / "src/a.c"
    path.parent.mkdir()
    path.write_text(head + before + "}\n")
    script = tool("format", tmp_path)
    tool("uncrustify.cfg", tmp_path)

    check = subprocess.run([script, "--check"], stdout=subprocess.DEVNULL)
    assert check.returncode == (after is not None)
    assert path.read_text() == head + before + "}\n"

    for names in ([], [path]):
        subprocess.run([script, *names], check=True)
        assert path.read_text() == head + (after or before) + "}\n"


def analyze(root):
    loader = importlib.machinery.SourceFileLoader(
        "analyze", str(tool("analyze", root))
    )
    spec = importlib.util.spec_from_loader("analyze", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "changed, again",
    [
        ("src/a.c", True),
        ("include/a.h", True),
        ("include/b.h", True),
        ("include/c.h", False),
    ],
)
def test_a_file_is_analyzed_again_when_it_or_a_header_has_changed(
    changed, again, tmp_path
):
    texts = {
        "src/a.c": '#include "a.h"\n', "include/a.h": '#include "b.h"\n',
        "include/b.h": "int  b;\n", "include/c.h": "int  c;\n",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    path = tmp_path / "src/a.c"
    before = analyze(tmp_path).hash_of(path, "gcc")
    assert analyze(tmp_path).hash_of(path, "gcc") == before
    assert analyze(tmp_path).hash_of(path, "another gcc") != before

    (tmp_path / changed).write_text(texts[changed] + "int  more;\n")
    assert (analyze(tmp_path).hash_of(path, "gcc") != before) == again


CONFIG, CORE = "#include <ngx_config.h>\n", "#include <ngx_core.h>\n"
OWN = '#include "util/own.h"\n'
# the includes of a file of the glue, those of util/own.h, the line of a finding
ORDERS = {
    "nginx's own": (CONFIG + CORE + "#include <time.h>\n", "", None),
    "a system header first": ("#include <time.h>\n" + CONFIG + CORE, "", 1),
    "one between the two": (CONFIG + "#include <time.h>\n" + CORE, "", 1),
    "neither": ("#include <time.h>\n", "", 1),
    "ngx_http.h behind another": (
        CONFIG + CORE + "#include <time.h>\n#include <ngx_http.h>\n", "", 1,
    ),
    "an own header that has them first": (OWN, CONFIG + CORE, None),
    "an own header that has another first": (OWN, "#include <time.h>\n", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_a_header_before_nginxs_own_is_found(name, tmp_path, monkeypatch):
    """_GNU_SOURCE would come too late: nginx 1.25 and later do not compile."""
    text, own, line = ORDERS[name]
    monkeypatch.syspath_prepend(ROOT / "ci")
    loader = importlib.machinery.SourceFileLoader(
        "check_style", str(ROOT / "ci/check-style")
    )
    spec = importlib.util.spec_from_loader("check_style", loader)
    style = importlib.util.module_from_spec(spec)
    loader.exec_module(style)
    monkeypatch.setattr(style, "ROOT", tmp_path)
    glue = tmp_path / style.GLUE
    (glue / "util").mkdir(parents=True)
    (glue / "util/own.h").write_text(own)
    (glue / "a.c").write_text(text)
    found = list(style.check_nginx_first(f"{style.GLUE}a.c", text))
    assert [number for number, _ in found] == ([line] if line else []), found
