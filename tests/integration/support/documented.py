"""Holds every answer of the gateway against docs/openapi.yaml.

Generated requests reach a seldom status in one of many runs; each test of the
suite that gets one is a check as well.
"""

import re

import httpx
import yaml

from .gateway import ROOT

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def document() -> dict:
    """The document, read anew: by libyaml, which takes a tenth of the time."""
    text = (ROOT / "docs/openapi.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=LOADER)


def operations():
    """(method, pattern of the path, documented statuses) of each operation."""
    found = []
    for path, item in document()["paths"].items():
        pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
        for method, operation in item.items():
            statuses = operation["responses"].keys()
            found.append((method.upper(), pattern, set(statuses)))
    return found


# Read before the first answer: tests send from a hundred threads at once.
OPERATIONS = operations()


def documented(answer: httpx.Response) -> None:
    """An event hook of httpx: fails the test whose answer has a status that
    the document does not list for the operation."""
    path = answer.request.url.path
    for method, pattern, statuses in OPERATIONS:
        if method == answer.request.method and pattern.fullmatch(path):
            status = str(answer.status_code)
            assert status in statuses, f"{method} {path}: {status}"
