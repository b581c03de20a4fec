"""Sanctions lists: payctl imports the files of OFAC and of the EU, an account
that is entered by the API is screened by its holder's name, and the merchant
reads that its pay-out is held and no more."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from support.client import fresh_key
from support.gateway import ROOT
from test_payout_api import (  # noqa: F401 (fixtures)
    operate,
    pay,
    person,
    post,
    release,
    seller_of,
)

PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
SDN = (
    '306,"BANCO NACIONAL DE CUBA",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    '-0- ,"a.k.a. ""BNC""."\r\n'
    '7001,"SCREENED, Nikolai ""The Tall"" Petrovich","individual","SDGT",-0- ,'
    '-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"DOB 1960; POB Ústí"\r\n'
    "\x1a"
)
ALT = '7001,12,"aka","SKRINED, Nikolay",-0- \r\n'
# the list of SDN and ALT, with a weak alias, which these do not have
XML = """<?xml version="1.0" standalone="yes"?>
<sdnList xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/XML">
  <publshInformation><Publish_Date>11/20/2026</Publish_Date>
    <Record_Count>2</Record_Count></publshInformation>
  <sdnEntry><uid>306</uid><lastName>BANCO NACIONAL DE CUBA</lastName>
    <sdnType>Entity</sdnType><programList><program>CUBA</program></programList>
    <akaList><aka><uid>220</uid><type>a.k.a.</type><category>weak</category>
      <lastName>BNC</lastName></aka></akaList></sdnEntry>
  <sdnEntry><uid>7001</uid><firstName>Nikolai "The Tall" Petrovich</firstName>
    <lastName>SCREENED</lastName><sdnType>Individual</sdnType>
    <akaList><aka><uid>12</uid><type>a.k.a.</type><category>strong</category>
      <lastName>SKRINED</lastName><firstName>Nikolay</firstName></aka></akaList>
    <placeOfBirthList><placeOfBirthItem><uid>9</uid>
      <placeOfBirth>&#xDA;st&#xED;</placeOfBirth></placeOfBirthItem>
    </placeOfBirthList></sdnEntry>
</sdnList>
"""
ENTITY = XML.replace(
    "<sdnList",
    '<!DOCTYPE sdnList [<!ENTITY a "SCREENED">]>\n<sdnList', 1
).replace("<lastName>SCREENED<", "<lastName>&a;<")  # fmt: skip
EU = (
    "\ufefffileGenerationDate;Entity_LogicalId;Entity_Remark;"
    "NameAlias_WholeName;NameAlias_Gender\n"
    "20/11/2026;13;say \"so\";Jürgen Gelistet;M\n"
    "20/11/2026;13;;;\n"
    "20/11/2026;13;;Юрген Гелистет;M\n"
    "20/11/2026;13;;علي;M\n"
    '20/11/2026;14;"a;b";"Handel "Nord" OOO";\n'
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    place = tmp_path_factory.mktemp("lists")
    for name, text in (("sdn.csv", SDN), ("alt.csv", ALT), ("eu.csv", EU),
                       ("sdn.xml", XML)):  # fmt: skip
        (place / name).write_text(text, encoding="utf-8", newline="")
    return place


@pytest.fixture
def screening(gateway):
    """screening(*words) → payctl payout screening …"""

    def run(verb, *words):
        return subprocess.run(
            [PAYCTL, "payout", "screening", verb, "--dsn",
             gateway.env["PG_ADMIN_DSN"], *map(str, words)],
            capture_output=True, text=True, timeout=60
        )  # fmt: skip

    return run


def test_the_files_of_ofac_and_the_eu_are_read(screening, files, query):
    said = screening("import", "--list", "ofac", "--who", "ann", "--shrinks",
                     files / "sdn.csv", files / "alt.csv")  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert "names:3, entries:2, in other letters:0" in said.stdout
    said = screening("import", "--list", "eu", "--who", "ann", "--shrinks",
                     files / "eu.csv")  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert "names:2, entries:2, in other letters:2" in said.stdout
    names = query("SELECT list, entry_id, name FROM pay.sanction_name "
                  "ORDER BY 1, 2, 3")  # fmt: skip
    assert names == [
        ("eu", "13", "Juergen Gelistet"),
        ("eu", "14", "Handel 'Nord' OOO"),
        ("ofac", "306", "BANCO NACIONAL DE CUBA"),
        ("ofac", "7001", "SCREENED, Nikolai 'The Tall' Petrovich"),
        ("ofac", "7001", "SKRINED, Nikolay"),
    ], names


def test_sdn_xml_has_the_names_of_both_csv_files(screening, files, query):
    found = []
    for names in (["sdn.csv", "alt.csv"], ["sdn.xml"]):
        said = screening("import", "--list", "ofac", "--who", "ann",
                         "--shrinks", *(files / name for name in names)
                         )  # fmt: skip
        assert said.returncode == 0, said.stderr
        assert "names:3, entries:2, in other letters:0, weak:" in said.stdout
        found.append(query("SELECT entry_id, name, words::text FROM "
                           "pay.sanction_name WHERE list = 'ofac' "
                           "ORDER BY 1, 2"))  # fmt: skip
    assert "weak:1," in said.stdout, said.stdout
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (ENTITY, "line 2: expected XML without a document type"),
        (XML[:-20], "expected valid XML"),
        (XML.replace("Count>2", "Count>3"), "as many entries as Record_Count"),
        (XML.replace("Count>2", "Count>two"), "a number of entries"),
        (XML.replace("exports/XML", "exports/ADVANCED_XML"), "or its like"),
        (XML.replace("sdnList", "sanctions"), "the top element sdnList"),
        (XML.replace("<uid>7001</uid>", ""), "uid, a number, before"),
        (XML.replace("<uid>7001</uid>", "<uid>7x</uid>"), "uid, a number"),
        (XML.replace("<lastName>SCREENED</lastName>", ""), "a lastName"),
        (XML.replace("<lastName>SCREENED</lastName>",
                     "<lastName>A</lastName><lastName>B</lastName>"),
         "once each"),
        (XML.replace("SCREENED", "S" * 1025), "at most 1024 bytes"),
    ],
)  # fmt: skip
def test_an_sdn_xml_with_a_fault_is_refused_with_its_line(
    screening, tmp_path, query, text, wrong
):
    path = tmp_path / "sdn.xml"
    path.write_text(text, encoding="utf-8")
    before = query("SELECT count(*) FROM pay.sanction_name")
    said = screening("import", "--list", "ofac", "--who", "ann", "--shrinks",
                     path)  # fmt: skip
    assert said.returncode == 2, said
    assert "line " in said.stderr and wrong in said.stderr, said.stderr
    assert query("SELECT count(*) FROM pay.sanction_name") == before


def test_less_than_half_of_the_names_take_two_operators(
    screening, files, tmp_path, query
):
    said = screening("import", "--list", "ofac", "--who", "ann", "--shrinks",
                     files / "sdn.xml")  # fmt: skip
    assert said.returncode == 0, said.stderr
    path = tmp_path / "sdn.xml"
    end = XML.index("  <sdnEntry><uid>7001")
    path.write_text(XML[:end].replace("Count>2", "Count>1") + "</sdnList>")
    said = screening("import", "--list", "ofac", "--who", "ann", path)
    assert (said.returncode, said.stdout.split()) == (1, ["shrunk"]), said
    names = "SELECT count(*) FROM pay.sanction_name WHERE list = 'ofac'"
    assert query(names) == [(3,)]
    for who, code, word, count in (("ann", 1, "second", 3),
                                   ("Ann", 1, "second", 3),
                                   ("bob", 0, "imported", 1)):  # fmt: skip
        said = screening("import", "--list", "ofac", "--who", who, "--shrinks",
                         path)  # fmt: skip
        assert (said.returncode, said.stdout.split()[0]) == (code, word), said
        assert query(names) == [(count,)]


@pytest.mark.parametrize(
    ("list_", "texts"),
    [
        ("ofac", ["", ALT]),
        ("ofac", [SDN, ""]),
        ("ofac", ["1,a,b\r\n", ALT]),
        ("ofac", ["x" + SDN, ALT]),
        ("ofac", [SDN[:40], ALT]),
        ("ofac", ['1,"' + SDN[4:60], ALT]),
        ("eu", [SDN]),
        ("eu", [EU.replace("NameAlias_WholeName", "Name")]),
        ("eu", [EU[:-20]]),
        ("eu", [EU.splitlines()[0] + "\n"]),
        # aliases that are not compared let a listed person pass
        ("ofac", [SDN]),
        ("ofac", [ALT]),
        ("ofac", [SDN[:-1] + ALT]),
        ("ofac", [SDN, SDN]),
        ("ofac", [SDN, ALT, ALT]),
        ("ofac", [XML, XML]),
        ("ofac", [XML, ALT]),
        ("ofac", [SDN, XML]),
        ("eu", [EU, EU]),
        ("eu", [XML]),
    ],
)
def test_another_or_a_cut_file_changes_nothing(
    screening, tmp_path, query, list_, texts
):
    paths = [tmp_path / f"file{n}.csv" for n in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8", newline="")
    before = query("SELECT count(*) FROM pay.sanction_name")
    said = screening("import", "--list", list_, "--who", "ann", "--shrinks",
                     *paths)  # fmt: skip
    assert said.returncode == 2, said
    assert query("SELECT count(*) FROM pay.sanction_name") == before


def test_a_hit_is_held_and_the_merchant_reads_no_more(
    person, seller_of, screening, files, query  # noqa: F811
):  # fmt: skip
    said = screening("import", "--list", "ofac", "--who", "ann", "--shrinks",
                     files / "sdn.csv", files / "alt.csv")  # fmt: skip
    assert said.returncode == 0, said.stderr
    client = person("max")
    enterer = person("sue", scope="payouts:destinations")
    seller, (order,) = seller_of("10.00", account=False)
    answer = post(enterer, f"sellers/{seller}/destinations", {
        "currency": "USD", "provider": "bank", "name": "Nikołay Skrined",
        "iban": "DE89370400440532013000"}, fresh_key())  # fmt: skip
    assert answer.status_code == 201, answer.text
    release(client, order)
    try:
        said = screening("set", "--merchant", "acme", "--lists", "ofac",
                         "--who", "ann", "--why", "law")  # fmt: skip
        assert said.returncode == 0, said.stderr
        answer = pay(client, seller)
        assert answer.status_code == 201, answer.text
        item = answer.json()
        assert (item["state"], item["reason"]) == ("held", None)
        told = client.get(f"/v1/payouts/{item['payout_id']}").text.lower()
        assert [word for word in ("screen", "ofac", "skrined", "sanction")
                if word in told] == []  # fmt: skip
        said = screening("held")
        assert "SKRINED, Nikolay" in said.stdout, said.stdout
        for who, code, word in (("max", 1, "maker"), ("sue", 1, "entered"),
                                ("ann", 1, "second"),
                                ("bob", 0, "ready")):  # fmt: skip
            said = screening("clear", item["payout_id"], "--who", who, "--why",
                             "born in 1990")  # fmt: skip
            assert (said.returncode, said.stdout.split()) == (code, [word])
        assert client.get(f"/v1/payouts/{item['payout_id']}").json()[
            "state"] == "ready"  # fmt: skip
    finally:
        said = [screening("set", "--merchant", "acme", "--lists", "none",
                          "--who", who, "--why", "the end")
                for who in ("ann", "ann", "bob")]  # fmt: skip
    assert [(each.returncode, each.stdout.split()[0]) for each in said] == [
        (1, "second"), (1, "second"), (0, "stored")], said  # fmt: skip
    rows = query("SELECT act, who FROM pay.payout_act WHERE subject = "
                 "'screening' AND subject_id = %s ORDER BY act_id",
                 item["payout_id"])  # fmt: skip
    assert rows == [("held", "gateway"), ("asked", "ann"), ("cleared", "bob")]


def test_a_near_name_is_held_and_operators_read_that_it_is_near(
    person, seller_of, screening, files  # noqa: F811
):  # fmt: skip
    said = screening("import", "--list", "ofac", "--who", "ann", "--shrinks",
                     files / "sdn.xml")  # fmt: skip
    assert said.returncode == 0, said.stderr
    client = person("max")
    seller, (order,) = seller_of("10.00", account=False)
    answer = post(person("sue", scope="payouts:destinations"),
                  f"sellers/{seller}/destinations", {
        "currency": "USD", "provider": "bank", "name": "Nikolai Scrined",
        "iban": "DE89370400440532013000"}, fresh_key())  # fmt: skip
    assert answer.status_code == 201, answer.text
    release(client, order)
    try:
        said = screening("set", "--merchant", "acme", "--lists", "ofac",
                         "--who", "ann", "--why", "law")  # fmt: skip
        assert said.returncode == 0, said.stderr
        item = pay(client, seller).json()
        assert (item["state"], item["reason"]) == ("held", None)
        said = screening("held")
        line, = (line for line in said.stdout.splitlines()
                 if item["payout_id"] in line)  # fmt: skip
        assert "near" in line and "SKRINED, Nikolay" in line, line
    finally:
        for who in ("ann", "bob"):
            said = screening("set", "--merchant", "acme", "--lists", "none",
                             "--who", who, "--why", "the end")  # fmt: skip
    assert said.returncode == 0, said


def test_who_reaches_for_an_item_waits_for_an_import(
    person, seller_of, screening, gateway  # noqa: F811
):  # fmt: skip
    """Between a new list and its comparison nothing can be sent."""
    dsn = gateway.env["PG_ADMIN_DSN"]
    client = person("max")
    seller, (order,) = seller_of("10.00", account=False)
    answer = post(person("sue", scope="payouts:destinations"),
                  f"sellers/{seller}/destinations", {
        "currency": "USD", "provider": "bank", "name": "Latelisted Person",
        "iban": "DE89370400440532013000"}, fresh_key())  # fmt: skip
    assert answer.status_code == 201, answer.text
    release(client, order)
    one, two, watch = (psycopg2.connect(dsn) for _ in range(3))
    watch.autocommit = True

    def listed(cursor, names):
        cursor.execute(
            "SELECT outcome FROM pay_ops.import_sanctions('eu', sha256('x'), "
            "'{1,2}', %s, true, 'ann')", (names,))  # fmt: skip
        return cursor.fetchone()[0]

    def reach(item):
        with two.cursor() as cursor:
            cursor.execute("SET search_path = pay, pg_temp")
            cursor.execute("SELECT state, reason FROM pay.lock_payout('acme', "
                           "%s)", (item,))  # fmt: skip
            return cursor.fetchone()

    def is_waiting():
        with watch.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0",
                           (two.info.backend_pid,))  # fmt: skip
            return cursor.fetchone()[0]

    try:
        with one.cursor() as cursor:
            assert listed(cursor, ["A B", "C D"]) == "imported"
        one.commit()
        said = screening("set", "--merchant", "acme", "--lists", "eu",
                         "--who", "ann", "--why", "law")  # fmt: skip
        assert said.returncode == 0, said.stderr
        item = pay(client, seller).json()
        assert item["state"] == "ready", item
        with ThreadPoolExecutor(1) as pool, one.cursor() as cursor:
            assert listed(cursor, ["Latelisted Person", "C D"]) == "imported"
            later = pool.submit(reach, item["payout_id"])
            while not later.done() and not is_waiting():
                pass
            assert not later.done(), "the item was free before the commit"
            one.commit()
            assert later.result(30) == ("held", "screening")
    finally:
        for each in (one, two, watch):
            each.close()
        for who in ("ann", "bob"):
            said = screening("set", "--merchant", "acme", "--lists", "none",
                             "--who", who, "--why", "the end")  # fmt: skip
    assert said.returncode == 0, said
