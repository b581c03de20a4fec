"""Mutants: one small change each to a source, as a careless hand makes it.

Comments and literals are blanked before anything is looked for, so that only
code is changed.  A mutant has a place (offset, end) and what stands there then.
"""

import re
from dataclasses import dataclass
from pathlib import Path

C_SWAPS = {
    "==": "!=",
    "!=": "==",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "&&": "||",
    "||": "&&",
}
C_OPERATOR = re.compile(r"(?<= )(==|!=|<=|>=|<|>|&&|\|\|)(?= |$)", re.M)
C_CONDITION = re.compile(r"\b(if|while) \(")
# A number of its own, outside [] and not the width of a type.
NUMBER = re.compile(r"(?<![\w.\[%])(\d+)(?![\w.\]])")
# A whole statement that is no declaration, return, or jump.
C_STATEMENT = re.compile(
    r"^( {4,})((?:\*?[a-z_]\w*(?:->|\.|\[[^\]\n]*\])?[\w>.\-\[\]]*"
    r"(?: [-+|&]?= |\+\+;|--;)|\(void\) \w+\(|[a-z_]\w*\()[^;{}]*;"
    r"|\w+(?:\+\+|--);)\n",
    re.M,
)
C_FUNCTION = re.compile(r"^(\w+)\([^;{}]*?\)\n\{\n.*?^\}", re.M | re.S)

SQL_SWAPS = {
    "=": "<>",
    "<>": "=",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "IS NULL": "IS NOT NULL",
    "IS NOT NULL": "IS NULL",
    "NOT EXISTS": "EXISTS",
    "EXISTS": "NOT EXISTS",
    "AND": "OR",
    "OR": "AND",
    "NOT": "",
    "true": "false",
    "false": "true",
    "IS DISTINCT FROM": "IS NOT DISTINCT FROM",
    "IS NOT DISTINCT FROM": "IS DISTINCT FROM",
    "min": "max",
    "max": "min",
    "least": "greatest",
    "greatest": "least",
}
SQL_OPERATOR = re.compile(
    r"(?<![\w:<>=])(<>|<=|>=|=|<|>|IS NOT NULL|IS NULL|NOT EXISTS|EXISTS|"
    r"IS NOT DISTINCT FROM|IS DISTINCT FROM|AND|OR|NOT|true|false|"
    r"(?:min|max|least|greatest)(?=\())(?![\w<>=])"
)
SQL_CONDITION = re.compile(r"\b(IF|WHEN) (?=[^;]*?(?:THEN))")
SQL_STATEMENT = re.compile(
    r"^( +)((?:PERFORM |v_\w+ := |DELETE |UPDATE |INSERT )[^;]*;)\n", re.M
)
SQL_FUNCTION = re.compile(
    r"^CREATE OR REPLACE FUNCTION (\w+)\.(\w+)\(.*?^\$\$;", re.M | re.S
)


@dataclass(frozen=True)
class Mutant:
    area: str
    path: str
    offset: int
    end: int
    text: str
    kind: str
    function: str

    def apply(self, source: str) -> str:
        return source[: self.offset] + self.text + source[self.end :]

    def line(self, source: str) -> int:
        return source.count("\n", 0, self.offset) + 1


def blank(pattern: str, text: str) -> str:
    def spaces(found: re.Match) -> str:
        return re.sub(r"[^\n]", " ", found[0])

    return re.sub(pattern, spaces, text, flags=re.S)


def blank_c(text: str) -> str:
    text = blank(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'", text)
    # prototypes and preprocessor lines other than plain constants
    text = blank(r"(?m)^#(?!define \w+ +[\d*()\w ]+$)[^\n]*", text)
    return blank(r"(?m)^static [^;={}]*\);$", text)


def blank_sql(text: str) -> str:
    return blank(
        r"--[^\n]*|'(?:''|[^'])*'|^COMMENT ON.*?;\n|^GRANT[^;]*;", text
    )


def closing(text: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return len(text)


def functions(pattern: re.Pattern, text: str, group: int):
    return [(m.start(), m.end(), m[group]) for m in pattern.finditer(text)]


def within(spans, offset: int) -> str:
    return next((n for start, end, n in spans if start <= offset < end), "")


def numbers(code: str):
    for found in NUMBER.finditer(code):
        value = int(found[1])
        yield found.span(1), str(value + 1), "constant"
        if value > 0:
            yield found.span(1), str(value - 1), "constant"


def in_c(path: str, text: str, area: str) -> list[Mutant]:
    code = blank_c(text)
    spans = functions(C_FUNCTION, code, 1)
    made = []

    def add(span, becomes: str, kind: str) -> None:
        function = within(spans, span[0])
        made.append(Mutant(area, path, *span, becomes, kind, function))

    for found in C_OPERATOR.finditer(code):
        add(found.span(), C_SWAPS[found[0]], "operator")
    for found in C_CONDITION.finditer(code):
        begin = found.end() - 1
        end = closing(code, begin)
        inner = text[begin:end]
        add((begin, end), f"(!{inner})", "condition turned")
        if found[1] == "if":
            add((begin, end), f"(0 && {inner})", "condition never")
            add((begin, end), f"(1 || {inner})", "condition always")
    for found in C_STATEMENT.finditer(code):
        if within(spans, found.start()):
            add(found.span(2), ";", "statement dropped")
    for span, becomes, kind in numbers(code):
        add(span, becomes, kind)
    return made


def in_sql(path: str, text: str, area: str) -> list[Mutant]:
    code = blank_sql(text)
    spans = functions(SQL_FUNCTION, code, 2)
    bodies = [(code.find("$$", a), b, n) for a, b, n in spans]
    made = []

    def add(span, becomes: str, kind: str) -> None:
        function = within(bodies, span[0])
        if function:
            made.append(Mutant(area, path, *span, becomes, kind, function))

    for found in SQL_OPERATOR.finditer(code):
        add(found.span(1), SQL_SWAPS[found[1]], "operator")
    for found in SQL_CONDITION.finditer(code):
        add((found.end(), found.end()), "NOT ", "condition turned")
    for found in SQL_STATEMENT.finditer(code):
        add(found.span(2), "NULL;", "statement dropped")
    for span, becomes, kind in numbers(code):
        add(span, becomes, kind)
    return made


TRANSITION_SWAPS = {
    "always": ["late", "partly", "unbooked"],
    "late": ["always"],
    "partly": ["always"],
    "closing": ["always"],
    "unbooked": ["always"],
    "held_late": ["always"],
    "again": ["always"],
    "any": ["psp", "gateway", "others", "manual", "automatic"],
    "psp": ["any"],
    "gateway": ["any"],
    "others": ["any"],
    "automatic": ["any", "manual"],
    "manual": ["any", "automatic"],
    "NOT_STARTED": ["EXECUTING"],
    "EXECUTING": ["SUCCESS"],
    "SUCCESS": ["FAILED"],
    "FAILED": ["SUCCESS"],
    "true": ["false"],
    "false": ["true"],
    "0": ["1"],
    "1": ["0"],
}


def in_rows(path: str, text: str, area: str, row: str) -> list[Mutant]:
    """Words of the transitions' rows, and whole rows.

    A fact without a row is news of its own name that moves nothing.  So a row
    that says this means the same when it is dropped or has a condition, and
    only the status that it leads to is changed.
    """
    made = []
    for found in re.finditer(row, text, re.M | re.S):
        words = list(re.finditer(r"\w+", found[1]))
        # in SQL a row has its rank, whose order alone counts
        if words[0][0] == "TRANSITION":
            words = words[1:]
        else:
            del words[2]
        if [w[0] for w in words[:2]] == [w[0] for w in words[-2:]]:
            words = words[-1:]
        else:
            made.append(
                Mutant(area, path, *found.span(), "", "row dropped", "")
            )
        for word in words:
            start = found.start(1) + word.start()
            end = found.start(1) + word.end()
            for other in TRANSITION_SWAPS.get(word[0], []):
                made.append(Mutant(area, path, start, end, other, "word", ""))
    return made


def read(root: Path, path: str) -> str:
    return (root / path).read_text()
