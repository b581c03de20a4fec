"""payctl's help: each command and verb has an example, the manual is roff
without a fault, and a real bash completes what the help names.
"""

import os
import re
import subprocess

import pytest
from support.payctl_books import PAYCTL


def run(*words, stdin=None, **env):
    done = subprocess.run(
        [PAYCTL, *words],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
        input=stdin,
        env={"PATH": os.environ["PATH"], **env},
    )
    return done.returncode, done.stdout, done.stderr


def forms(usage):
    """The calls that a usage shows, each on one line."""
    head = re.match(r"usage: payctl .*\n(?: {7}.*\n)*", usage)[0]
    lines = re.split(r"\n {7}(?=payctl )", head[len("usage: ") :])
    return [" ".join(line.split()) for line in lines]


def chains(form):
    """The verbs of a form: "payctl events enable|disable ID" has two."""
    found = [[]]
    for word in form.split()[1:]:
        if not re.fullmatch(r"[a-z-]+(\|[a-z-]+)*", word) or word[0] == "-":
            break
        found = [chain + [verb] for chain in found for verb in word.split("|")]
    return [tuple(chain) for chain in found]


def commands():
    """All chains of verbs that the help of all commands names."""
    code, out, err = run("help")
    assert (code, err) == (0, "")
    names = re.findall(r"^  ([a-z]+) +\S", out, re.M)
    assert "dlq" in names and "completion" in names and len(names) > 20
    todo, seen = [(name,) for name in names], {}
    while todo:
        chain = todo.pop()
        if chain in seen:
            continue
        code, out, err = run(*chain, "--help")
        assert (code, err) == (0, ""), chain
        seen[chain] = out
        for form in forms(out):
            todo += [c for c in chains(form) if c[0] == chain[0]]
    return seen


@pytest.fixture(name="helps", scope="module")
def all_helps():
    return commands()


def calls(text):
    """The example calls of a help, each on one line."""
    lines = text.split("\nExamples:\n")[1].replace("\\\n", " ")
    return re.findall(r"^  (payctl .*)", lines, re.M)


def examples(text):
    """The same without the option that stands in front of the command."""
    return [
        line.replace("payctl --all-cells", "payctl") for line in calls(text)
    ]


def test_each_command_and_each_verb_has_an_example(helps):
    assert len(helps) > 90
    for chain, text in helps.items():
        call = " ".join(("payctl", *chain))
        assert text.startswith("usage: payctl "), call
        assert any(
            re.search(rf"{re.escape(call)}( |$)", line)
            for line in examples(text)
        ), call


def test_an_example_has_the_options_of_its_usage_only(helps):
    for chain, text in helps.items():
        usage = text.split("\nExamples:\n")[0]
        for line in examples(text):
            verbs = chains(line)[0]
            known = usage + helps.get(verbs, "") + helps[verbs[:1]]
            for option in re.findall(r"(?<= )--?[a-z][a-z-]*", line):
                assert re.search(rf"{option}\b", known), (chain, line, option)


def test_help_goes_to_any_verb(helps):
    assert run("help", "audit", "export") == (0, helps["audit", "export"], "")
    assert run("help", "dlq") == run("dlq", "-h") == run("dlq", "--help")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["dlq", "list", "--merchnt", "a"], "unknown option --merchnt; did "
                                            "you mean --merchant?"),
        (["payout", "lst"], "did you mean list?"),
        (["events", "endponts"], "did you mean endpoints?"),
        (["events", "show"], "events show takes one word"),
        (["risk", "decision"], "did you mean decisions?"),
        (["risk", "list", "ad", "block", "ip", "x"], "did you mean add?"),
        (["risk", "review", "aprove", "1"], "did you mean approve?"),
        (["risk", "model", "chek"], "did you mean check?"),
        (["retention", "rn"], "did you mean run?"),
        (["jwt", "verfy"], "did you mean verify?"),
        (["completion", "fish"], "but bash, zsh"),
        (["exlpain", "x"], 'unknown command "exlpain"; did you mean explain?'),
        (["dlq", "list", "-o", "xml"], "-o takes json, csv or table"),
        (["dlq", "show", "1", "-o", "csv"], "which are for lists"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_the_nearest_word(words, complaint):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert complaint in err.splitlines()[0]
    assert len(err.splitlines()) < 70, "the text of the help hides it"


def test_the_manual_is_sound_roff(helps):
    code, page, err = run("help", "--man")
    assert (code, err) == (0, "")
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-P-bcou"],
        input=page, capture_output=True, check=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.stderr == ""
    text = re.sub(r"(\\?\s)+", " ", done.stdout)
    for chain, shown in helps.items():
        if len(chain) == 1:
            assert f"payctl {chain[0]} " in text
        for line in calls(shown):
            assert re.sub(r"\s+", " ", line) in text, line


def complete(script, line):
    """The words that bash proposes for the last word of a line."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(
        ["bash", "--norc", "-c",
         f'{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n'
         '_payctl; printf "%s\\n" "${COMPREPLY[@]}"'],
        capture_output=True, check=True, text=True, timeout=30, cwd="/",
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_options_and_values(helps):
    code, script, err = run("completion", "bash")
    assert (code, err) == (0, "")
    assert complete(script, "payctl expl") == ["explain"]
    assert complete(script, "payctl dlq re") == ["requeue", "resolve"]
    assert complete(script, "payctl dlq list --k") == ["--kind"]
    assert complete(script, "payctl change settle --as ") == [
        "failed",
        "success",
    ]
    assert complete(script, "payctl risk list --merchant x -o ") == [
        "csv",
        "json",
    ]
    assert complete(script, "payctl risk list a") == ["add"]
    assert complete(script, "payctl dlq list --merchant ") == []
    assert "etc" in complete(script, "payctl risk replay --rules e")
    assert complete(script, "payctl help expl") == ["explain"]
    for chain in helps:
        *before, last = chain
        assert last in complete(script, " ".join(["payctl", *before, last]))


ZSH = """
compdef() { :; }
. SCRIPT
compadd() { shift; print -l -- "$@"; }
_files() { print -l -- *; }
words=(LINE)
CURRENT=${#words}
_payctl
"""


def complete_in_zsh(script, line):
    """The words that zsh would offer, before it filters them by the last."""
    words = " ".join(f"'{word}'" for word in line.split(" "))
    done = subprocess.run(
        ["zsh", "-f", "-c",
         ZSH.replace("SCRIPT", str(script)).replace("LINE", words)],
        capture_output=True, check=True, text=True, timeout=30, cwd="/",
    )  # fmt: skip
    assert done.stderr == "", done.stderr
    return done.stdout.split()


def test_zsh_completes_the_same_words_as_bash(helps, tmp_path):
    _, bash, _ = run("completion", "bash")
    _, zsh, _ = run("completion", "zsh")
    script = tmp_path / "_payctl"
    script.write_text(zsh)
    for line in (
        "payctl expl", "payctl dlq re", "payctl dlq list --k",
        "payctl change settle --as ", "payctl risk list --merchant x -o ",
        "payctl risk list a", "payctl dlq list --merchant ",
        "payctl risk replay --rules e", "payctl help expl",
    ):  # fmt: skip
        last = line.split(" ")[-1]
        offered = complete_in_zsh(script, line)
        fits = [word for word in offered if word.startswith(last)]
        assert sorted(fits) == sorted(complete(bash, line)), line
    for chain in helps:
        *before, last = chain
        line = " ".join(["payctl", *before, last])
        assert last in complete_in_zsh(script, line)


def test_zsh_has_the_same_words():
    """Its function is read by zsh alone; the table is a shell's, and the same
    one as bash's."""
    _, bash, _ = run("completion", "bash")
    code, zsh, err = run("completion", "zsh")
    assert (code, err) == (0, "") and zsh.startswith("#compdef payctl\n")
    table = re.search(r"^_payctl_words\(\) \{\n.*?^\}\n", bash, re.M | re.S)[0]
    assert table in zsh and "compdef _payctl payctl" in zsh
