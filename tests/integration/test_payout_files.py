"""Bank files against a public library, compared as data.

tests/unit/test_payout_pain001.c holds src/payout/pain001.c to the bytes of
two.xml; here the same payments go through PyPI's sepaxml, and both files to its
copy of the schema of pain.001.001.09.  The library is in build/venv.
"""

import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "tests" / "fixtures" / "payout" / "pain001" / "two.xml"
PYTHON = ROOT / "build" / "venv" / "bin" / "python"
SCHEMA = "pain.001.001.09"
# Its arguments: what to write, and a file to validate.
LIBRARY = """
import datetime, json, sys
from importlib import resources
import sepaxml, xmlschema

asked = json.loads(sys.argv[1])
schema = resources.files(sepaxml) / "schemas" / (asked["schema"] + ".xsd")
xmlschema.XMLSchema(str(schema)).validate(open(sys.argv[2]).read())
transfer = sepaxml.SepaTransfer(
    asked["debtor"], clean=True, schema=asked["schema"])
for payment in asked["payments"]:
    payment["execution_date"] = datetime.date.fromisoformat(
        payment["execution_date"])
    transfer.add_payment(payment)
sys.stdout.buffer.write(transfer.export(validate=True))
"""
# Names that each program gives, and the moment of the writing.
OWN = ("/GrpHdr/MsgId", "/GrpHdr/CreDtTm", "/PmtInf/PmtInfId")
DEBTOR = {
    "name": "Acme GmbH",
    "IBAN": "DE89370400440532013000",
    "BIC": "COBADEFFXXX",
    "batch": True,
    "currency": "EUR",
}
SELLER = {
    "name": "Jane Mueller + Soehne",
    "IBAN": "NL91ABNA0417164300",
    "execution_date": "2026-11-24",
}
PAYMENTS = (
    {
        "amount": 3000,
        "endtoend_id": "0123456789abcdef0123456789abcdef-1",
        # the library writes a text in any case
        "description": "none",
    },
    {
        "amount": 99999999999,
        "endtoend_id": "1123456789abcdef0123456789abcdef-1",
        "description": "PAYOUT 4711 Acme",
        "BIC": "ABNANL2A",
    },
)


def leaves(text):
    """(path, text, attributes) of each element that has none inside."""

    def walk(element, path):
        path += "/" + element.tag.split("}")[1]
        if len(element) == 0:
            yield path, (element.text or "").strip(), element.attrib
        for child in element:
            yield from walk(child, path)

    return [
        leaf
        for leaf in walk(ET.fromstring(text), "")
        if not leaf[0].endswith(OWN)
    ]


def library(validated: Path) -> subprocess.CompletedProcess:
    """Its own file on the standard output, when the other one is valid."""
    asked = {
        "schema": SCHEMA,
        "debtor": DEBTOR,
        "payments": [SELLER | payment for payment in PAYMENTS],
    }
    return subprocess.run(
        [PYTHON, "-c", LIBRARY, json.dumps(asked), validated],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def test_a_bank_file_is_what_a_public_library_makes():
    done = library(OURS)
    assert done.returncode == 0, done.stderr.decode()
    others = [leaf for leaf in leaves(done.stdout) if leaf[1] != "none"]
    assert leaves(OURS.read_bytes()) == others


def test_the_schema_refuses_another_file(tmp_path):
    other = tmp_path / "other.xml"
    other.write_text(OURS.read_text().replace("<PmtMtd>TRF", "<PmtMtd>XXX"))
    done = library(other)
    assert done.returncode == 1
    assert b"XXX" in done.stderr
