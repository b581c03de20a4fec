"""Bank files against a public library, compared as data.

tests/unit/test_payout_pain001.c holds src/payout/pain001.c to the bytes of
two.xml; here the same payments go through PyPI's sepaxml, and both files to its
copy of the schema of pain.001.001.09.
"""

import datetime
import xml.etree.ElementTree as ET
from importlib import resources
from pathlib import Path

import sepaxml
import xmlschema

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "tests" / "fixtures" / "payout" / "pain001" / "two.xml"
SCHEMA = "pain.001.001.09"
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
    "execution_date": datetime.date(2026, 11, 24),
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


def theirs():
    transfer = sepaxml.SepaTransfer(DEBTOR, clean=True, schema=SCHEMA)
    for payment in PAYMENTS:
        transfer.add_payment(SELLER | payment)
    return transfer.export(validate=True)


def test_a_bank_file_fits_the_schema():
    schema = resources.files(sepaxml) / "schemas" / f"{SCHEMA}.xsd"
    xmlschema.XMLSchema(str(schema)).validate(OURS.read_text())


def test_a_bank_file_is_what_a_public_library_makes():
    others = [leaf for leaf in leaves(theirs()) if leaf[1] != "none"]
    assert leaves(OURS.read_bytes()) == others
