#!/usr/bin/python3
"""Writes the seeds of the target webhook: each fixture of the adapters as
fuzz_webhook.c reads it.  Usage: tests/fuzz/seeds.py DIRECTORY

A fixture is a file or a recipe of expected.txt (tests/fixtures/psp/README.md).
"""

import json
import pathlib
import re
import sys

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "psp"
STATUSES = "200 201 202 302 400 401 402 404 409 422 429 500".split()


class Recipes:
    def __init__(self, place: pathlib.Path):
        self.place = place
        text = (place / "expected.txt").read_text()
        lines = re.sub(r"\n +", " ", text).splitlines()
        self.lines = [
            line for line in lines if line and not line.startswith("#")
        ]
        self.made = {
            line.split()[0]: line.partition(" <")[2].strip()
            for line in self.lines
            if " <" in line
        }

    def body(self, name: str) -> bytes:
        if name not in self.made:
            return (self.place / name).read_bytes()
        return json.dumps(self.value(name), indent=2).encode()

    def value(self, name: str):
        if name not in self.made:
            return json.loads((self.place / name).read_text())
        rest = self.made[name]
        if rest[0] in "{[":
            value, end = json.JSONDecoder().raw_decode(rest)
            rest = rest[end:]
        else:
            base, _, rest = rest.partition(" ")
            value = self.value(base)
        while rest := rest.lstrip():
            rest = edit(value, rest)
        return value


def edit(value, rest: str) -> str:
    """Does the first edit; the rest."""
    is_out = rest.startswith("-")
    path, _, rest = rest.lstrip("-").partition(" " if is_out else "=")
    *above, last = path.split(".")
    for word in above:
        value = value[int(word) if isinstance(value, list) else word]
    if isinstance(value, list):
        last = int(last)
    if is_out:
        del value[last]
        return rest
    new, end = json.JSONDecoder().raw_decode(rest)
    if isinstance(value, list):
        value[last : last + 1] = [new]
    else:
        value[last] = new
    return rest[end:]


def seed(token: str, payment: str, status: str, body: bytes) -> bytes:
    """No choice, token, payment, no third header, the status' number, body."""
    index = STATUSES.index(status) if status in STATUSES else 0
    words = (bytes([len(word)]) + word.encode() for word in (token, payment))
    return b"\0" + b"".join(words) + bytes([0, index]) + body


def main(to: pathlib.Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for place in sorted(FIXTURES.iterdir()):
        if not place.is_dir():
            continue
        recipes = Recipes(place)
        said = {"token": "", "payment": ""}
        for line in recipes.lines:
            name, value, *_ = line.split()
            if "." not in name:
                said[name] = value
                continue
            body = recipes.body(name)
            made = seed(said["token"], said["payment"], value, body)
            (to / f"{place.name}-{name}").write_bytes(made)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
