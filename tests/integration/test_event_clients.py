"""The public libraries of receivers judge the webhooks of the gateway: those of
Standard Webhooks and of Svix, in Python and in Node.  They take each signature
that a secret in use has made, and refuse a body with another byte."""

import json
import subprocess

import pytest
import standardwebhooks
import svix
from support.gateway import ROOT
from support.own_stack import OwnStack, new_id, wait_for
from support.receiver import OK, Receiver, Shop
from support.tls_psp import shop_authority

NODE = ROOT / "build" / "node" / "node_modules"
VERIFY = ROOT / "tests" / "fixtures" / "verify_webhook.mjs"
DEADLINE_S = 30


@pytest.fixture(scope="module")
def sent():
    """A message that two secrets have signed, with both of them."""
    with shop_authority() as authority:
        receiver = Receiver(authority)
        stack = OwnStack()
        try:
            stack.configure(
                (
                    "payments_webhook_endpoints hosts=loopback;",
                    "payments_webhook_endpoints hosts=loopback interval=50ms"
                    f' "ca_file={authority.file}";',
                )
            )
            shop = Shop(stack)
            path = f"/{new_id()}"
            made = shop.make(receiver.says(path, OK))
            again = shop.act(made, "rotate", {"overlap_seconds": 3600})
            shop.act(made, "test")
            wait_for(lambda: receiver.got(path), "the test event")
            yield receiver.got(path)[0], [made["secret"], again["secret"]]
        finally:
            stack.close()
            receiver.close()


def by_standardwebhooks(secret, headers, body):
    try:
        return standardwebhooks.Webhook(secret).verify(body, headers)["type"]
    except standardwebhooks.WebhookVerificationError:
        return "refused"


def by_svix(secret, headers, body):
    webhook = svix.Webhook(secret)
    try:
        webhook.verify(body, headers)
        return json.loads(body)["type"]
    except svix.WebhookVerificationError:
        return "refused"


def in_node(library):
    def judge(secret, headers, body):
        asked = {"secret": secret, "headers": headers, "body": body}
        return subprocess.run(
            ["node", VERIFY, library, NODE],
            input=json.dumps(asked),
            capture_output=True,
            check=True,
            text=True,
            timeout=DEADLINE_S,
        ).stdout.strip()

    return judge


@pytest.mark.parametrize(
    "judge",
    [
        pytest.param(by_standardwebhooks, id="standardwebhooks in Python"),
        pytest.param(by_svix, id="svix in Python"),
        pytest.param(
            in_node("standardwebhooks"), id="standardwebhooks in Node"
        ),
        pytest.param(in_node("svix"), id="svix in Node"),
    ],
)
def test_a_library_takes_each_secret_and_refuses_another_body(sent, judge):
    message, secrets = sent
    body = message.body.decode()
    for secret in secrets:
        assert judge(secret, message.headers, body) == "endpoint.test"
    forged = body.replace("endpoint.test", "endpoint.tesT")
    assert forged != body
    assert judge(secrets[0], message.headers, forged) == "refused"
    other = "whsec_" + "A" * 43 + "="
    assert judge(other, message.headers, body) == "refused"
