"""The words of payments_psp that one PSP needs and another has no use for:
nginx -t asks for what is missing, refuses what does nothing, and takes each
adapter with what docs/directives.md lists for it."""

import os
import shutil

import pytest
from support.nginxconf import MINIMAL, Nginx, swap
from test_config import (
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)

MERCHANT = "    payments_merchant acme {"
GENERIC = "adapter            generic;"
PROXY = "proxy http://proxy.example:3128;"
HTTPS = ("base_url           @MOCK@/generic;", "base_url https://psp.example;")

API = """
        base_url          https://psp.example;
        api_key_file      secrets/generic.key;
        hosted_page_host  psp.example;
"""
KEY = "webhook_key_file  secrets/webhook.text;"
HEX = "webhook_key_file  secrets/webhook.hex;"
PAIR = API.replace("generic.key", "client.pair")
URL = "webhook_url  https://pay.example/webhooks/other;"
ID = "webhook_id  1JE4291016473214C;"
PUBLIC = "webhook_public_key  integration_public_key;"
ACCOUNT = "account  TestMerchant;"
CA = "webhook_ca_file  @CA@;"
HOST = "webhook_cert_host  api.paypal.com;"
PATH = "webhook_cert_path  /v1/notifications/certs/;"
RATE = "webhook_cert_rate  rate=30r/m burst=5;"

# adapter: every word that it needs
TOLERANCE = "webhook_tolerance 300s;"
GOOD = {
    "adyen": API + HEX + ACCOUNT,
    "square": API + KEY + ACCOUNT + URL,
    "mollie": API + KEY,
    "paypal": PAIR + ID + CA,
    "braintree": KEY + PUBLIC,
    "razorpay": KEY,
    "gocardless": KEY,
}


def block(adapter: str, words: str) -> tuple[str, str]:
    text = f"payments_psp other {{ adapter {adapter}; {words} }}\n"
    return MERCHANT, text + MERCHANT


@pytest.fixture
def files(gateway, directory):  # noqa: F811
    """Keys of the other PSPs beside the module's."""
    secrets = {
        "webhook.text": b"a-webhook-key-of-some-length\n",
        "webhook.hex": os.urandom(32).hex().upper().encode() + b"\n",
        "client.pair": b"the-client:its-secret\n",
    }
    for name, data in secrets.items():
        path = directory / "secrets" / name
        if not path.exists():
            path.write_bytes(data)
            path.chmod(0o400)
    shutil.copy(gateway.ca, directory / "ca.pem")
    return directory


@pytest.fixture
def turned_down(refuse, files):  # noqa: F811
    def run(says, adapter, words):
        words = words.replace("@CA@", str(files / "ca.pem"))
        return refuse(says, block(adapter, words))

    return run


@pytest.fixture
def taken(gateway, files):
    def run(*pairs):
        text = swap(MINIMAL, *pairs).replace("@CA@", str(files / "ca.pem"))
        code, said = Nginx(gateway, files, text).test()
        assert code == 0, said

    return run


@pytest.mark.parametrize("adapter", GOOD)
def test_an_adapter_with_all_that_it_needs_passes(taken, adapter):
    taken(block(adapter, GOOD[adapter]))


@pytest.mark.parametrize(
    ("adapter", "word", "says"),
    [
        ("adyen", ACCOUNT, "lacks account: .*name of the account"),
        ("square", ACCOUNT, "lacks account"),
        ("adyen", HEX, r"lacks webhook_key_file \(webhook scheme adyen\)"),
        ("square", KEY, "lacks webhook_key_file"),
        ("mollie", KEY, "lacks webhook_key_file"),
        ("razorpay", KEY, "lacks webhook_key_file"),
        ("gocardless", KEY, "lacks webhook_key_file"),
        ("braintree", KEY, "lacks webhook_key_file"),
        ("braintree", PUBLIC, "lacks webhook_public_key"),
        ("paypal", ID, "lacks webhook_id"),
        ("square", URL, "lacks webhook_url: .*payments_public_url"),
        ("mollie", API, "lacks base_url"),
        ("paypal", PAIR, "lacks base_url"),
    ],
)
def test_what_an_adapter_cannot_do_without_is_asked_for(
    turned_down, adapter, word, says
):
    turned_down(says, adapter, GOOD[adapter].replace(word, ""))


@pytest.mark.parametrize(
    ("adapter", "word"),
    [
        ("mollie", URL),
        ("adyen", URL),
        ("paypal", KEY),
        ("paypal", PUBLIC),
        ("mollie", PUBLIC),
        ("mollie", ID),
        ("braintree", ID),
        ("mollie", HOST),
        ("adyen", CA),
        ("mollie", "webhook_scheme mollie-legacy;"),
    ],
)
def test_a_word_without_effect_is_refused(turned_down, adapter, word):
    """Somebody relies on it."""
    says = r"has no use for webhook_\w+ \(webhook scheme [a-z-]+\).*remove it"
    turned_down(says, adapter, GOOD[adapter] + word)


@pytest.mark.parametrize(
    ("adapter", "old", "new", "says"),
    [
        ("adyen", ACCOUNT, 'account "two words";', "visible ASCII"),
        ("adyen", ACCOUNT, 'account "";', "visible ASCII|lacks account"),
        ("adyen", ACCOUNT, f"account {'a' * 129};", "1 to 128"),
        ("adyen", ACCOUNT, f"{ACCOUNT} {ACCOUNT}", "duplicate"),
        ("adyen", HEX, KEY, "holds no key for scheme adyen"),
        ("square", URL, "webhook_url http://pay.example/x;", "webhook_url"),
        ("square", URL, "webhook_url pay.example;", "webhook_url"),
        ("square", URL, 'webhook_url "https://pay.example/#x";', "webhook_u"),
        ("square", URL, "webhook_url https://u@pay.example/;", "webhook_url"),
        ("square", URL, f"{URL} {URL}", "duplicate"),
        ("paypal", ID, 'webhook_id "a b";', "visible ASCII"),
        ("paypal", ID, f"webhook_id {'1' * 129};", "1 to 128"),
        ("paypal", ID, f"{ID} {ID}", "duplicate"),
        ("paypal", CA, "webhook_ca_file secrets/missing;", "cannot open"),
        ("paypal", CA, "webhook_ca_file secrets/noise.pub;", "no certificate"),
        ("paypal", CA, f"{CA} {CA}", "duplicate"),
        ("paypal", CA, f"{CA} webhook_cert_host https://x.y;", "host:port"),
        ("paypal", CA, f"{CA} webhook_cert_host *.paypal.com;", "host:port"),
        ("paypal", CA, f"{CA} {PATH} {PATH}", "webhook_cert_path. is dupl"),
        ("paypal", CA, f"{CA} webhook_cert_path /v1;", "begins and ends"),
        ("paypal", CA, f"{CA} webhook_cert_path v1/;", "begins and ends"),
        ("paypal", CA, f"{CA} webhook_cert_path /v1/../;", "begins and ends"),
        ("paypal", CA, f"{CA} webhook_cert_path /%2e/;", "begins and ends"),
        ("paypal", CA, f"{CA} {RATE} {RATE}", "webhook_cert_rate. is dupl"),
        ("paypal", CA, f"{CA} webhook_cert_rate burst=3;", "needs rate="),
        ("paypal", CA, f"{CA} webhook_cert_rate rate=0r/s;", "100r/s or 30r"),
        ("paypal", CA, f"{CA} webhook_cert_rate rate=101r/s;", "most 100r/s"),
        ("paypal", CA, f"{CA} webhook_cert_rate rate=1r/s burst=1001;",
         "burst"),
        ("paypal", CA, f"{CA} webhook_cert_rate rate=1r/s bursts=1;",
         "burst="),
        ("mollie", KEY, f"{KEY} {PATH}", "no use for webhook_cert_path"),
        ("mollie", KEY, f"{KEY} {RATE}", "no use for webhook_cert_rate"),
        ("paypal", "client.pair", "generic.key", "CLIENT_ID:SECRET"),
        ("braintree", PUBLIC, 'webhook_public_key "a|b c";', "visible ASCII"),
        ("braintree", PUBLIC, f"{PUBLIC} {PUBLIC}", "duplicate"),
        ("mollie", KEY, f"{KEY} mode sandbox;", "live or test"),
        ("mollie", KEY, f"{KEY} mode live; mode live;", "duplicate"),
    ],
)
def test_a_wrong_value_is_refused(turned_down, adapter, old, new, says):
    assert GOOD[adapter].count(old) == 1
    turned_down(says, adapter, GOOD[adapter].replace(old, new))


@pytest.mark.parametrize("adapter", ["braintree", "razorpay", "gocardless"])
def test_a_psp_without_a_hosted_page_is_no_merchants(refuse, files, adapter):  # noqa: F811
    """Its adapter builds no request: there would be nothing to call."""
    refuse(
        r"names psp .other., but its adapter \w+ only understands webhooks",
        block(adapter, GOOD[adapter]),
        ("psp          generic stripe;", "psp  generic other;"),
    )


@pytest.mark.parametrize(
    "proxy",
    [
        "proxy.example:3128",
        "socks5://proxy.example:1080",
        "http://proxy.example",
        "http://proxy.example:0",
        "http://user:secret@proxy.example:3128",
        "http://proxy.example:3128/",
        "http://proxy.example:3128/path",
        '"http://proxy.example:3128?x"',
    ],
)
def test_a_proxy_that_is_none_is_refused(refuse, files, proxy):  # noqa: F811
    said = refuse(
        '"proxy" must be', HTTPS, (GENERIC, f"{GENERIC} proxy {proxy};")
    )
    assert "secret" not in said.replace("secrets/", "")


def test_a_proxy_stands_once(refuse, files):  # noqa: F811
    refuse("duplicate", HTTPS, (GENERIC, f"{GENERIC} {PROXY} {PROXY}"))


def test_a_proxy_before_a_loopback_mock_is_refused(refuse, files):  # noqa: F811
    """Over http it would be shown the key."""
    refuse("remove the proxy", (GENERIC, f"{GENERIC} {PROXY}"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_good_proxy_passes(taken, scheme):
    proxy = f"proxy {scheme}://proxy.example:3128;"
    taken(HTTPS, (GENERIC, f"{GENERIC} {proxy}"))


def test_more_trusted_certificates_than_are_judged_by_are_refused(
    refuse,  # noqa: F811
    files,
):
    """They would pass here, and then no webhook would."""
    many = files / "many.pem"
    many.write_text((files / "ca.pem").read_text() * 513)
    words = GOOD["paypal"].replace("@CA@", str(many))
    assert str(many) in words
    refuse(r"many\.pem.*1 to 512 certificates", block("paypal", words))


@pytest.mark.parametrize("mode", ["live", "test"])
def test_each_mode_passes(taken, mode):
    taken((GENERIC, f"{GENERIC} mode {mode};"))


def test_the_public_url_is_the_default_of_the_webhooks(taken):
    words = GOOD["square"].replace(URL, "")
    public = "payments_public_url https://pay.example;"
    taken(
        block("square", words),
        ("payments_jobs      off;", f"payments_jobs off; {public}"),
    )


def test_a_scheme_without_keys_needs_none(taken):
    words = GOOD["mollie"].replace(KEY, "webhook_scheme mollie-legacy;")
    taken(block("mollie", words))


def test_the_old_kind_of_webhook_may_be_told_where(taken):
    words = GOOD["mollie"].replace(KEY, "webhook_scheme mollie-legacy;")
    taken(block("mollie", words + URL))


@pytest.mark.parametrize("adapter", ["adyen", "square", "paypal"])
def test_a_tolerance_without_effect_is_warned_of(gateway, files, adapter):
    text = swap(MINIMAL, block(adapter, GOOD[adapter] + TOLERANCE))
    text = text.replace("@CA@", str(files / "ca.pem"))
    code, said = Nginx(gateway, files, text).test()
    assert code == 0, said
    assert "[warn]" in said
    assert "has no use for webhook_tolerance" in said


def test_the_hosts_of_certificates_may_be_named(taken):
    taken(block("paypal", GOOD["paypal"] + HOST))
