"""docs/console-openapi.yaml against the sources and the running gateway: each
page is documented, each property described, and what the gateway answers is
what the document says, no more and no less."""

import re

import jsonschema
import pytest
import yaml
from support.console import Staff
from support.documented import LOADER
from support.gateway import ROOT


@pytest.fixture(scope="module")
def document():
    text = (ROOT / "docs/console-openapi.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=LOADER)


@pytest.fixture(scope="module")
def staff(gateway, tls):
    made = Staff(gateway, tls)
    yield made
    made.api.close()


def parameters(operation):
    return {
        each["$ref"].rsplit("/", 1)[1]
        for each in operation.get("parameters", [])
    }


def test_the_pages_and_their_parameters_are_those_of_the_source(document):
    text = (ROOT / "src/api/console.c").read_text()
    names = dict(re.findall(r'\[(\w+)\] = \{ "(\w+)"', text))
    table = text.split("pages[] = {")[1].split("};")[0]
    groups = {
        "LIST": {"merchant", "before", "limit"},
        "RANGE": {"from", "to"},
    }
    rows = re.findall(r'\{ "(\w+)", ([^"]*?), (?:0|[A-Z| ]+) \}', table)
    assert len(rows) > 20
    for page, words in rows:
        known = set()
        for word in re.findall(r"LIST|RANGE|P\((\w+)\)|0", words):
            known |= {names[word]} if word else set()
        for group, members in groups.items():
            known |= members if group in words else set()
        operation = document["paths"][f"/api/{page}"]["get"]
        assert parameters(operation) == known, page
        assert operation["operationId"] == page
    assert len(document["paths"]) == len(rows) + 1  # /api/act/{act}


def test_the_acts_and_their_members_are_those_of_the_source(document):
    text = (ROOT / "src/api/console_act.c").read_text()
    table = text.split("acts[] = {")[1].split("};")[0]
    (place,) = document["paths"]["/api/act/{act}"]["parameters"]
    assert place["schema"]["enum"] == re.findall(r'\{ "(\w+)"', table)
    members = text.split("members[] = {")[1].split("};")[0]
    request = document["components"]["schemas"]["ActRequest"]
    assert set(request["properties"]) == set(
        re.findall(r'\] = \{ "(\w+)"', members)
    )


def test_each_property_is_described(document):
    def walk(schema, place):
        for name, each in schema.get("properties", {}).items():
            assert each.get("description"), f"{place}.{name}"
            walk(each, f"{place}.{name}")

    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        walk(schema, name)
    for name, each in document["components"]["parameters"].items():
        assert each.get("description"), name


def test_each_page_is_as_the_document_says(staff, document, api, checkout):
    answer = api.create(checkout(orders=2, buyer_info={"email": "a@b.example"}))
    assert answer.status_code == 201, answer.text
    made = answer.json()["checkout_id"]
    seen = set()
    pages = {k: v for k, v in document["paths"].items() if "get" in v}
    for path, item in pages.items():
        page = path.rsplit("/", 1)[1]
        name = item["get"]["responses"]["200"]["content"]["application/json"][
            "schema"
        ]["$ref"]
        asked = {
            "find": {"q": made},
            "payment": {"checkout": made, "personal": "1"},
            "deliveries": {"state": "due"},
        }.get(page, {})
        for role in ("auditor", "operations"):
            answer = staff.get(page, role, query=asked)
            if answer.status_code == 403:
                assert role != "auditor", page
                continue
            assert answer.status_code == 200, answer.text
            jsonschema.Draft202012Validator(
                {**document, "$ref": name}
            ).validate(answer.json())
            seen.add(page)
    assert len(seen) == len(pages)
    problem = staff.get("audit", "viewer")
    jsonschema.Draft202012Validator(
        {**document, "$ref": "#/components/schemas/Problem"}
    ).validate(problem.json())
