"""The events of a stack against the schemas of docs/events."""

import functools
import json

import jsonschema

from .gateway import ROOT

SCHEMAS = ROOT / "docs" / "events"


@functools.cache
def validators() -> dict[str, jsonschema.Draft202012Validator]:
    """By type."""
    known = {
        path.stem: json.loads(path.read_text())
        for path in sorted(SCHEMAS.glob("*.json"))
    }
    common = known.pop("common")
    resolver = jsonschema.RefResolver.from_schema(
        common, store={common["$id"]: common}
    )
    return {
        name: jsonschema.Draft202012Validator(schema, resolver=resolver)
        for name, schema in known.items()
    }


def faults(event: dict) -> list[str]:
    """What is wrong with it."""
    if event["type"] not in validators():
        return [f"{event['type']} has no schema"]
    return [
        f"{event['type']} {event['subject']}: {error.message}"
        for error in validators()[event["type"]].iter_errors(event)
    ]


def all_faults(db) -> list[str]:
    """Of all messages that the tests have made."""
    with db.cursor() as cursor:
        cursor.execute("SELECT body FROM pay.message ORDER BY position")
        return [
            fault
            for (body,) in cursor.fetchall()
            for fault in faults(json.loads(body))
        ]
