"""ci/check-citations finds what leads nowhere, and nothing else: each case is
planted in a small tree of its own."""

import subprocess

import pytest
from support.gateway import ROOT

SECURITY = "# Security\n\n## Rules of tokens\n\n* **J1** One algorithm.\n"
RELIABILITY = "# Reliability\n\n* **I1** One nonce.\n"

# name of the file, its text, what is said of it (empty: nothing)
CASES = {
    "a page that is there": ("src/a.c", "/* docs/security.md */\n", ""),
    "a page that is not": (
        "src/a.c", "/* (psp.md) */\n", "psp.md is not in the tree",
    ),
    "a page of elsewhere": (
        "src/a.c", "/* https://example.com/a/README.md */\n", "",
    ),
    "an anchor that is there": (
        "src/a.c", "/* docs/security.md#rules-of-tokens */\n", "",
    ),
    "an anchor that is not": (
        "src/a.c", "/* docs/security.md#tokens */\n",
        "docs/security.md has no #tokens",
    ),
    "a section by its number": (
        "src/a.c", "/* docs/security.md 1.5 */\n", "by its number",
    ),
    "an appendix of nothing": (
        "src/a.c", "/* see appendix A */\n", "an appendix or a row",
    ),
    "an appendix of an RFC": ("src/a.c", "/* RFC 9562 appendix A.6 */\n", ""),
    "a rule that is there": ("src/a.c", "/* as J1 says (I1) */\n", ""),
    "a rule that is not": ("src/a.c", "/* (J9) */\n", "J9 is no rule"),
    "a rule beside one that is": ("src/a.c", "/* J1, W4 */\n", "W4 is no"),
    "a rule's look in code": ("src/a.c", 'static char  a[] = "W4";\n', ""),
    "a path that is there": ("src/a.c", "/* src/a.c, docs/*.md */\n", ""),
    "a path that is not": (
        "src/a.c", "/* src/b.c */\n", "src/b.c is not in the tree",
    ),
    "a name to be filled in": ("src/a.c", "/* src/<name>.c */\n", ""),
    "a file by its name": ("src/a_b.c", "/* see a_b.c, _b.c */\n", ""),
    "a file that is not": (
        "src/a.c", "/* see b.c */\n", "there is no file b.c",
    ),
    "a function that is there": (
        "src/a.c", "/* as in a.c: go() */\nvoid\ngo(void)\n{\n}\n", "",
    ),
    "a function that is elsewhere": (
        "src/a.c", "/* a.c: go() */\nvoid go(void);\n",
        "a.c defines no go()",
    ),
    "a function of SQL": (
        "sql/a.sql",
        "-- a.sql: go(), sql/a.sql: stay()\nCREATE FUNCTION pay.go()\n",
        "sql/a.sql defines no stay()",
    ),
    "a header of nginx": ("src/a.c", "/* ngx_core.h comes first */\n", ""),
    "Python's comments": ("tests/a.py", "a = 1  # (J9)\n", "J9 is no rule"),
    "Python's docstrings": (
        "tests/a.py", '"""About psp.md."""\n', "psp.md is not",
    ),
    "Python's strings": ("tests/a.py", 'A = "psp.md J9"\n', ""),
    "a message": (
        "src/a.c", 'static char  a[] = "see docs/no.md";\n',
        "docs/no.md is not in the tree",
    ),
    "a message's anchor": (
        "docs/a.yaml", "text: docs/security.md#none\n",
        "docs/security.md has no #none",
    ),
    "a test's string": ("tests/a.c", 'a = "see docs/no.md";\n', ""),
    "SQL's comments": ("sql/a.sql", "SELECT 1;  -- (J9)\n", "J9 is no rule"),
    "SQL's code": ("sql/a.sql", "SELECT 'J9';\n", ""),
    "a script's comments": (
        "ci/a", "#!/bin/bash\n# see design.md\n", "design.md is not",
    ),
    "a document's links": (
        "docs/a.md", "[a](security.md#rules-of-tokens) [b](#c)\n",
        "there is no #c",
    ),
    "a document's pictures of code": (
        "docs/a.md", "```\nJ9 src/none.c\n```\n", "",
    ),
    "a document's paths": (
        "docs/a.md", "See `src/none.c`.\n", "src/none.c is not",
    ),
    "a heading in a block is none": (
        "docs/a.md", "```sh\n# words\n```\n[b](#words)\n", "there is no #words",
    ),
}  # fmt: skip


@pytest.fixture
def check(tmp_path):
    def run(files: dict[str, str]) -> tuple[int, list[str]]:
        files = {
            "docs/security.md": SECURITY,
            "docs/reliability.md": RELIABILITY,
            **files,
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
        done = subprocess.run(
            [ROOT / "ci" / "check-citations", tmp_path], text=True,
            check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.returncode, done.stdout.splitlines()

    return run


@pytest.mark.parametrize("case", CASES)
def test_it_finds_what_leads_nowhere_and_nothing_else(check, case):
    name, text, said = CASES[case]
    code, lines = check({name: text})
    if said:
        assert code == 1
        assert len(lines) == 1, lines
        assert lines[0].startswith(f"{name}:")
        assert said in lines[0]
    else:
        assert (code, lines) == (0, [])


def test_no_citation_of_this_tree_leads_nowhere():
    done = subprocess.run(
        [ROOT / "ci" / "check-citations"], text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
