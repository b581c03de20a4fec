"""How the documents are written: tables that fit a terminal, words that have
one meaning, a way to the glossary."""

import re

import pytest
from support import documented
from support.gateway import ROOT

CELL_MAX = 160
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
PLAIN = [
    "README.md",
    *(
        f"docs/{name}.md"
        for name in (
            "adapters", "architecture", "audit", "currencies", "directives",
            "finance-sql", "first-day-stripe", "glossary", "ledger",
            "operations", "performance", "psp-generic", "psps", "reliability",
            "risk-score", "routing", "scaling", "security", "storefront",
            "troubleshooting", "upgrade", "webhooks",
        )
    ),
    *(f"docs/psp/{path.name}" for path in (ROOT / "docs/psp").glob("*.md")),
]  # fmt: skip
# what a reader stumbles over -> what the field says
BANNED = {
    r", say\b": "for example",
    r"\b(?:is|are) for people\b|\bfor people\b": "for an operator",
    r"\bpeople (?:decide|settle|accept|know|are told)": "an operator …",
    r"\b(?:goes|waits|wait) (?:to|for) people\b": "an operator decides",
    r"\bwhat waits\b": "name what waits",
    r"\bwhoever\b": "a person who",
    r"\bthe most that\b": "the limit",
    r"\bhears? of it\b": "is notified",
    r"\b(?:is|are|was|were) told\b": "is reported",
    r"\bmeanwhile\b": "in the meantime",
    r"\ball the same\b": "anyway",
    r"\bcomes? to nothing\b": "fails",
    r"\bby itself\b": "automatically",
    r"\bsomebody\b": "a person, a role, a process",
    r"\bmost of what\b|\bwhat there is of\b": "name it",
    r"\bsays nothing\b": "is ignored",
}


def name_of(path) -> str:
    return str(path.relative_to(ROOT))


def plain(text: str) -> str:
    """Prose alone: no blocks of code, no code within a line."""
    text = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.S | re.M)
    text = re.sub(r"^    .*$", "", text, flags=re.M)
    return re.sub(r"`[^`\n]*`", "…", text)


def cells(text: str):
    """number of the line, cell as it is shown"""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fenced ^= bool(re.match(r" *```", line))
        if not fenced and re.match(r"\|.*\|$", line):
            line = re.sub(r"\]\([^)\s]*\)", "]", line)
            for cell in re.split(r"(?<!\\)\|", line[1:-1]):
                yield number, cell.strip()


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_cell_of_a_table_holds_a_paragraph(path):
    long = [
        (number, len(cell))
        for number, cell in cells(path.read_text(encoding="utf-8"))
        if len(cell) > CELL_MAX
    ]
    assert long == []


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_document_has_no_riddles(name):
    text = plain((ROOT / name).read_text(encoding="utf-8"))
    found = [
        (text.count("\n", 0, hit.start()) + 1, hit[0], better)
        for pattern, better in BANNED.items()
        for hit in re.finditer(pattern, text, re.I)
    ]
    assert found == []


def texts_of(part, place: str = ""):
    """Where it stands, text: what a reader of the API's description reads."""
    for name, value in part.items() if isinstance(part, dict) else ():
        at = f"{place}/{name}"
        if name in ("summary", "description") and isinstance(value, str):
            yield at, value
        else:
            yield from texts_of(value, at)
    for number, value in enumerate(part if isinstance(part, list) else ()):
        yield from texts_of(value, f"{place}/{number}")


def test_the_description_of_the_api_has_no_riddles():
    texts = dict(texts_of(documented.document()))
    assert "/info/description" in texts
    assert any("/responses/" in at for at in texts)
    found = [
        (at, hit[0], better)
        for at, value in texts.items()
        for pattern, better in BANNED.items()
        for hit in re.finditer(pattern, plain(value), re.I)
    ]
    assert found == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_document_leads_to_the_glossary(path):
    if path.parent.name != "psp" and path.name != "glossary.md":
        assert "glossary.md" in path.read_text(encoding="utf-8")


def test_the_glossary_is_sorted_and_has_no_word_twice():
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^### (.+)$", text, re.M)
    assert words == sorted(set(words), key=str.lower)


def test_the_readme_leads_to_every_document():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{path.name}" in text, path.name
