"""What docs/psps.md and docs/routing.md say, tried: the table of what each
adapter can against the adapters, the blocks against nginx -t.
"""

import json
import os
import re
import subprocess

import pytest
from support.gateway import ROOT
from support.nginxconf import MINIMAL, Nginx

BUILD = os.environ.get("BUILD", str(ROOT / "build"))
CHANGES = ("capture", "cancel", "refund", "expire")
CALLS = ("register", "query", "find", "list", "auth", "hold", *CHANGES)
NUMBERS = {
    "keys live": "key_window_hours",
    "shortest page": "min_expiry_s",
    "longest page": "max_expiry_s",
}
PAGES = (
    "docs/psps.md",
    "docs/routing.md",
    "docs/first-day-stripe.md",
    "examples/README.md",
)
HEX_KEY = "0123456789abcdef" * 4
SVIX_KEY = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
TEXT_KEY = "a-webhook-secret-of-many-letters"
# file's last part, adapter -> what such a file holds
KEYS = {
    ("key", "paypal"): "client:secret",
    ("whsec", "adyen"): HEX_KEY,
    ("whsec", "generic"): SVIX_KEY,
}


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table(start: str = "| adapter | register |") -> dict[str, dict[str, str]]:
    """adapter -> column -> cell, of the table of docs/psps.md that starts
    so."""
    text = page("docs/psps.md")
    assert text.count(f"\n{start}") == 1, start
    lines = text[text.index(start) :].partition("\n\n")[0].splitlines()
    rows = [
        [cell.strip(" `") for cell in line[1:-1].split("|")] for line in lines
    ]
    head = rows[0]
    told = {}
    for row in rows[2:]:
        if len(row) != len(head):
            break
        told[row[0]] = dict(zip(head, row, strict=True))
    return told


def adapters() -> dict[str, str]:
    """name -> its designated initialisers."""
    found = {}
    for path in sorted((ROOT / "src/psp").glob("*.c")):
        text = path.read_text(encoding="utf-8")
        for body in re.findall(
            r"^const pay_psp_adapter_t  pay_psp_\w+ = \{\n(.*?)^\};",
            text, re.S | re.M,
        ):  # fmt: skip
            found[re.search(r'\.name = "(\w+)"', body)[1]] = body
    return found


def requests() -> set[tuple[str, str]]:
    """(adapter, operation) of every request that an adapter can build."""
    make = ["make", "-s", "-C", str(ROOT), f"BUILD={BUILD}", "psp-requests"]
    plain = {k: v for k, v in os.environ.items() if k != "SANITIZE"}
    subprocess.run(make, check=True, timeout=300, env=plain)
    made = subprocess.run(
        [f"{BUILD}/psp-requests"], check=True, capture_output=True, text=True
    )
    calls = [json.loads(line) for line in made.stdout.splitlines()]
    return {(call["psp"], call["operation"]) for call in calls}


def blocks(name: str) -> list[tuple[str, str]]:
    """(PSP, text) of each payments_psp block of a page."""
    return re.findall(
        r"^(?:payments_psp (\w+) \{\n)(.*?)^\}$", page(name), re.S | re.M
    )


BLOCKS = [(name, *block) for name in PAGES for block in blocks(name)]


def test_every_adapter_has_a_row_and_a_block():
    assert set(table()) == set(adapters())
    shown = {
        re.search(r"^ +adapter +(\w+);", text, re.M)[1]
        for name, _, text in BLOCKS
        if name == "docs/psps.md"
    }
    assert shown == set(adapters())


def test_the_table_says_what_the_adapters_can_do():
    told = {
        (adapter, call)
        for adapter, row in table().items()
        for call in CALLS
        if row[call] == "yes"
    }
    cells = {row[call] for row in table().values() for call in CALLS}
    assert cells == {"yes", "no"}
    assert told == requests()


@pytest.mark.parametrize("adapter", sorted(adapters()))
def test_the_table_says_how_long_keys_and_pages_live(adapter):
    row = table()[adapter]
    for column, member in NUMBERS.items():
        found = re.search(rf"\.{member} = (\d+)", adapters()[adapter])
        told = re.match(r"\d+", row[column])
        assert bool(found) == bool(told), column
        assert found is None or found[1] == told[0], column


@pytest.mark.parametrize("adapter", sorted(adapters()))
def test_the_table_says_in_how_many_parts_held_money_is_taken(adapter):
    body = adapters()[adapter]
    parts = "several" if "PAY_PSP_MULTICAPTURE" in body else "one"
    holds = "PAY_PSP_AUTHORIZES" in body
    assert table()[adapter]["captures"] == (parts if holds else "")


def words_told(psp: str) -> set[str]:
    """refund, dispute, fee … as the fixtures of an adapter tell them."""
    place = ROOT / "tests/fixtures/psp" / psp / "expected.txt"
    lines = place.read_text(encoding="utf-8").splitlines()
    words = [line.partition("#")[0].split() for line in lines]
    told = ",".join(
        word[2]
        for word in words
        if len(word) > 2 and word[0].startswith(("webhook-", "list-"))
    )
    return {each.partition("-")[0] for each in told.split(",") if "-" in each}


@pytest.mark.parametrize("adapter", sorted(adapters()))
def test_the_table_says_what_is_told_after_the_sale(adapter):
    row = table("| adapter | captures reported by |")[adapter]
    told = {
        word
        for word, column in (
            ("capture", "captures reported by"),
            ("refund", "refunds"),
            ("dispute", "disputes"),
            ("fee", "fees"),
        )
        if row[column] != "no"
    }
    assert told == words_told(adapter)


def windows(body: str) -> dict[str, str]:
    """operation -> hours, as the table has them, of an adapter's source."""
    hours = re.search(r"\.key_window_hours = (\d+)", body)
    told = {"registration": hours[1] if hours else ""}
    for name in CHANGES:
        set_to = re.search(rf"\[PAY_PSP_{name.upper()}\] = (\w+)", body)
        value = set_to[1] if set_to else ""
        told[name] = "always" if value == "PAY_PSP_ALWAYS_HOURS" else value
    return told


def test_the_table_says_how_long_each_call_may_be_repeated():
    told = {
        adapter: {name: row[name] for name in ("registration", *CHANGES)}
        for adapter, row in table("| adapter | registration |").items()
    }
    made = {name: windows(body) for name, body in adapters().items()}
    assert told == {
        n: hours for n, hours in made.items() if any(hours.values())
    }


def test_the_pages_say_how_each_registration_is_found():
    found = table("| adapter | how |")
    able = {adapter for adapter, call in requests() if call == "find"}
    assert set(found) == set(table("| adapter | registration |"))
    assert {
        name for name in found if "cannot" not in found[name]["how"]
    } == able


@pytest.mark.parametrize("adapter", sorted(adapters()))
def test_every_currency_of_an_adapter_is_named(adapter):
    """Those that the sources list: the rest is a rule."""
    listed = set()
    for path in (ROOT / "src/psp").glob(f"{adapter}*.c"):
        text = path.read_text(encoding="utf-8")
        for rows in re.findall(
            r"_(?:units|currencies)\[\] = \{(.*?)\n\};", text, re.S
        ):
            listed |= set(re.findall(r'"([A-Z]{3})"', rows))
    section = re.search(
        rf"^## {adapter}$(.*?)(?=^## )", page("docs/psps.md"), re.S | re.M
    )
    assert section or not listed
    for code in listed:
        assert re.search(rf"\b{code}\b", section[1]), code


def secrets_of(text: str, adapter: str) -> dict[str, str]:
    names = re.findall(r"secrets/([\w.]+)", text)
    return {
        name: KEYS.get((name.rpartition(".")[2], adapter), TEXT_KEY)
        for name in names
    }


def load(gateway, tmp_path, blocks: str, secrets: dict, change=None):
    """nginx -t of the smallest configuration with these blocks in it."""
    nginx = Nginx(gateway, tmp_path)
    nginx.secrets.unlink()
    nginx.secrets.mkdir()
    for path in gateway.secrets.iterdir():
        if path.name not in secrets:
            (nginx.secrets / path.name).symlink_to(path)
    for name, text in secrets.items():
        path = nginx.secrets / name
        path.write_text(text + "\n")
        path.chmod(0o400)
    text = MINIMAL if change is None else change(MINIMAL)
    before = "    payments_merchant acme {"
    assert text.count(before) == 1
    nginx.text = nginx.fill(text.replace(before, blocks + before))
    return nginx.test()


@pytest.mark.parametrize(
    "block", BLOCKS, ids=lambda block: f"{block[0][5:-3]}-{block[1]}"
)
def test_a_block_can_be_copied(gateway, tmp_path, block):
    _, name, text = block
    adapter = re.search(r"^ +adapter +(\w+);", text, re.M)[1]
    copied = f"payments_psp copied_{name} {{\n{text}}}\n"
    code, said = load(gateway, tmp_path, copied, secrets_of(text, adapter))
    assert code == 0, said


def test_mollies_old_webhooks_need_no_key(gateway, tmp_path):
    (text,) = [text for _, name, text in BLOCKS if name == "mollie"]
    line = re.search(r"^ +webhook_key_file .*\n", text, re.M)[0]
    assert "webhook_scheme mollie-legacy;" in page("docs/psps.md")
    text = text.replace(line, "    webhook_scheme mollie-legacy;\n")
    copied = f"payments_psp copied {{\n{text}}}\n"
    code, said = load(gateway, tmp_path, copied, secrets_of(text, "mollie"))
    assert code == 0, said


def test_the_example_of_routes_passes(gateway, tmp_path):
    """Its merchant in the place of the configuration's own, its PSPs, too."""
    (example,) = [
        text
        for text in re.findall(
            r"^```nginx\n(.*?)^```$", page("docs/routing.md"), re.S | re.M
        )
        if "payments_merchant" in text
    ]
    psps, merchant = re.fullmatch(
        r"(.*?)(^payments_merchant acme \{.*?^\}\n)", example, re.S | re.M
    ).groups()

    def change(text: str) -> str:
        text = re.sub(r"    payments_psp stripe \{.*?    \}\n", "", text,
                      flags=re.S)  # fmt: skip
        return re.sub(r"    payments_merchant acme \{.*?    \}\n",
                      f"    {merchant}", text, flags=re.S)  # fmt: skip

    secrets = {
        name: text
        for _, adapter, block in BLOCKS
        if block in psps
        for name, text in secrets_of(block, adapter).items()
    }
    code, said = load(gateway, tmp_path, psps, secrets, change)
    assert code == 0, said
