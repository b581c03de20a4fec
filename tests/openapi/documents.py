"""Holds requests of the PSP adapters against an OpenAPI document.

Strict where documents are lenient: a member, parameter or path that the
document does not name is a complaint, too.  Reads files, calls nobody; remote
references in a document count as "anything".
"""

import copy
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import yaml

FORM = "application/x-www-form-urlencoded"
# Beside what a document lists; they stand under its security schemes or are
# HTTP's own.
PLAIN_HEADERS = {"accept", "content-type", "authorization", "x-api-key"}
COMBINATORS = ("allOf", "anyOf", "oneOf")


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Leaves what looks like a date a text: some examples are none."""

    yaml_implicit_resolvers = {
        first: [each for each in rules if not each[0].endswith(":timestamp")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def calls(text: str) -> list[dict]:
    """What `psp-requests` prints."""
    return [json.loads(line) for line in text.splitlines()]


def form(body: str) -> dict:
    """a[b][0]=c → {"a": {"b": ["c"]}}"""
    root: dict = {}
    for name, value in parse_qsl(
        body, keep_blank_values=True, strict_parsing=bool(body)
    ):
        first, *rest = re.findall(r"[^\[\]]+", name)
        place = root
        for key, following in zip([first, *rest], rest, strict=False):
            place = place.setdefault(key, {})
            assert isinstance(place, dict), f"{name} before {following}"
        last = [first, *rest][-1]
        assert last not in place, f"{name} stands there twice"
        place[last] = value
    return _lists(root)


def _lists(value):
    if not isinstance(value, dict):
        return value
    made = {key: _lists(each) for key, each in value.items()}
    if made and set(made) == {str(n) for n in range(len(made))}:
        return [made[str(n)] for n in range(len(made))]
    return made


class Document:
    def __init__(self, path: Path):
        text = path.read_text()
        self.name = path.name
        self.root = (
            json.loads(text)
            if path.suffix == ".json"
            else yaml.load(text, Loader=Loader)
        )
        self.components = _plain(self.root.get("components", {}))
        self._drop_read_only(self.components)
        servers = self.root.get("servers") or [{"url": ""}]
        self.validator = (
            jsonschema.Draft4Validator
            if str(self.root["openapi"]).startswith("3.0")
            else jsonschema.Draft202012Validator
        )
        self.prefix = urlsplit(servers[0]["url"]).path.rstrip("/")

    def resolve(self, schema: dict) -> dict:
        while "$ref" in schema:
            place = self.root | {"components": self.components}
            for name in schema["$ref"].removeprefix("#/").split("/"):
                place = place[name.replace("~1", "/").replace("~0", "~")]
            schema = place
        return schema

    def _drop_read_only(self, value) -> None:
        """What only answers have is not required of a request."""
        for each in value if isinstance(value, list) else []:
            self._drop_read_only(each)
        if not isinstance(value, dict):
            return
        members = value.get("properties")
        if isinstance(value.get("required"), list) and isinstance(
            members, dict
        ):
            value["required"] = [
                name
                for name in value["required"]
                if not self.resolve(members.get(name, {})).get("readOnly")
            ]
            if not value["required"]:
                del value["required"]
        for each in value.values():
            self._drop_read_only(each)

    def operation(self, method: str, path: str):
        """-> template, path item and operation, or None"""
        path = path.removeprefix(self.prefix)
        found = []
        for template, item in self.root["paths"].items():
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and method.lower() in item:
                found.append((template.count("{"), template, item))
        if not found:
            return None
        _, template, item = min(found, key=lambda each: each[:2])
        return template, item, item[method.lower()]

    def complaints(self, call: dict) -> list[str]:
        """What the document has against a call; empty when nothing."""
        path = urlsplit(call["url"]).path
        found = self.operation(call["method"], path)
        if found is None:
            return [f"no operation {call['method']} {path}"]
        _, item, operation = found
        said = self._headers(call, item, operation)
        said += self._accept(call, operation)
        said += self._query(call, item, operation)
        return said + self._body(call, operation)

    def _parameters(self, item: dict, operation: dict, place: str) -> dict:
        """Those of "header" or "query", by name."""
        listed = item.get("parameters", []) + operation.get("parameters", [])
        found = [self.resolve(_plain(each)) for each in listed]
        return {each["name"]: each for each in found if each["in"] == place}

    def _query(self, call: dict, item: dict, operation: dict) -> list[str]:
        """a[b]=c is the member b of the parameter a."""
        known = self._parameters(item, operation, "query")
        sent = form(urlsplit(call["url"]).query)
        said = []
        for name, value in sent.items():
            each = known.get(name) or known.get(f"{name}[]")
            if each is None:
                said.append(f"query {name} is not in the document")
                continue
            schema = self.resolve(each.get("schema", {}))
            value = self.coerced(value, schema)
            said += self._judge(value, schema, f"query {name}")
        for name, each in known.items():
            if each.get("required") and name not in sent:
                said.append(f"query {name} is required")
        return said

    def _headers(self, call: dict, item: dict, operation: dict) -> list[str]:
        found = self._parameters(item, operation, "header")
        known = {name.lower(): each for name, each in found.items()}
        said = []
        sent = {name.lower(): value for name, value in call["fields"].items()}
        for name, value in sent.items():
            if name in known:
                schema = self.resolve(known[name].get("schema", {}))
                said += self._judge(value, schema, f"header {name}")
            elif name not in PLAIN_HEADERS:
                said.append(f"header {name} is not in the document")
        for name, each in known.items():
            absent = name not in sent and name not in PLAIN_HEADERS
            if each.get("required") and absent:
                said.append(f"header {name} is required")
        return said

    def _accept(self, call: dict, operation: dict) -> list[str]:
        """What the call wants must be what a success offers, if anything."""
        offered = set()
        for status, answer in operation.get("responses", {}).items():
            if str(status).startswith("2"):
                offered |= set(self.resolve(answer).get("content", {}))
        wanted = call["fields"].get("Accept", "*/*").split(",")
        ranges = {each.partition(";")[0].strip() for each in wanted}
        kinds = {each.partition("/")[0] + "/*" for each in offered}
        if not offered or ranges & {"*/*", *offered, *kinds}:
            return []
        said = f"{call['fields']['Accept']}, of {', '.join(sorted(offered))}"
        return [f"accept: {said}"]

    def _body(self, call: dict, operation: dict) -> list[str]:
        wanted = self.resolve(_plain(operation.get("requestBody", {})))
        self._drop_read_only(wanted)
        if not wanted:
            return ["a body that nobody reads"] if call["body"] else []
        media = call["fields"].get("Content-Type", "application/json")
        if media not in wanted["content"]:
            return [f"{media} is not taken"] if call["body"] else []
        if not call["body"] and not wanted.get("required"):
            return []
        schema = wanted["content"][media]["schema"]
        if media == FORM:
            value = self.coerced(form(call["body"]), schema)
        else:
            value = json.loads(call["body"])
        return self._judge(value, schema, "body")

    def _judge(self, value, schema: dict, where: str) -> list[str]:
        whole = {"allOf": [schema], "components": self.components}
        validator = self.validator(whole)
        said = [
            f"{where}/{'/'.join(map(str, each.absolute_path))}: {each.message}"
            for each in validator.iter_errors(value)
        ]
        return said + self.unknown(value, schema, where)

    def unknown(self, value, schema: dict, where: str) -> list[str]:
        """Members that no part of the schema names."""
        parts = self._parts(schema)
        said = []
        if isinstance(value, list):
            items = [p["items"] for p in parts if "items" in p]
            for n, each in enumerate(value):
                for schema_of_item in items[:1]:
                    said += self.unknown(each, schema_of_item, f"{where}/{n}")
        if not isinstance(value, dict):
            return said
        names = [p.get("properties", {}) for p in parts]
        free = any(p.get("additionalProperties") for p in parts)
        for name, each in value.items():
            owner = next((n[name] for n in names if name in n), None)
            if owner is not None:
                said += self.unknown(each, owner, f"{where}/{name}")
            elif not free:
                said.append(f"{where}/{name} is not in the document")
        return said

    def _parts(self, schema: dict) -> list[dict]:
        schema = self.resolve(schema)
        parts = [schema]
        for combinator in COMBINATORS:
            for each in schema.get(combinator, []):
                parts += self._parts(each)
        return parts

    def coerced(self, value, schema: dict):
        """A form's texts as the types that the schema wants."""
        parts = self._parts(schema)
        types = set()
        for part in parts:
            kind = part.get("type")
            types |= set(kind) if isinstance(kind, list) else {kind}
        if isinstance(value, dict):
            members = {}
            for part in reversed(parts):
                members |= part.get("properties", {})
            return {
                name: self.coerced(each, members.get(name, {}))
                for name, each in value.items()
            }
        if isinstance(value, list):
            items = next((p["items"] for p in parts if "items" in p), {})
            return [self.coerced(each, items) for each in value]
        if types & {"integer", "number"} and re.fullmatch("-?[0-9]+", value):
            return int(value)
        if "boolean" in types and value in ("true", "false"):
            return value == "true"
        return value


def _plain(value):
    """OpenAPI 3.0's own words as JSON Schema's; remote references away."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        return {}
    made = {name: _plain(each) for name, each in value.items()}
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made = copy.copy(made)
        made["type"] = [made["type"], "null"]
    return made
