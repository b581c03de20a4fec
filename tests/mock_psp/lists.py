"""Lists as the PSPs have them: events of a span of time and registrations,
page by page.

Dialects say in which order and how a page names the next one; what is common
to all of them is here.  Nothing here does I/O.
"""

from datetime import datetime


class BadQuery(Exception):
    """A parameter that is not known, or not of its form."""


def parameters(request, known: str, needed: str = "") -> dict:
    """The query, each parameter once and of the names in `known`."""
    query = request.query
    for name in query:
        if name not in known.split():
            raise BadQuery(f"unknown parameter {name[:40]}")
        if len(query.getall(name)) != 1:
            raise BadQuery(f"{name} stands there twice")
    for name in needed.split():
        if name not in query:
            raise BadQuery(f"{name} is missing")
    return dict(query)


def number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise BadQuery(f"{name} is no number")
    return int(text)


def moment(text: str, name: str) -> float:
    """Seconds of an RFC 3339 time with its zone."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise BadQuery(f"{name} is no time") from None
    if when.tzinfo is None:
        raise BadQuery(f"{name} has no zone")
    return when.timestamp()


def size(asked: int, largest: int, config) -> int:
    """How many entries a page has: as asked, but `list_page` at most."""
    if not 1 <= asked <= largest:
        raise BadQuery(f"a page has 1 to {largest} entries")
    return min(asked, config.list_page)


def after(entries: list, name, cursor: str) -> list:
    """What follows the entry of that name; all of them for no cursor."""
    if not cursor:
        return entries
    for place, entry in enumerate(entries):
        if name(entry) == cursor:
            return entries[place + 1 :]
    raise BadQuery("no such place in the list")


def repeat(entries: list) -> None:
    """The fault `repeat`: each entry twice, one behind the other."""
    entries[:] = [each for each in entries for _ in range(2)]
