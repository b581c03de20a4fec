"""Keys of every kind on a gateway of its own: each token is good under its
own algorithm and key only (docs/security.md J1-J5)."""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from support.client import Api
from support.nginxconf import MINIMAL, Nginx, swap
from support.problems import assert_problem
from support.tokens import ABSENT, Minter, b64

SECRET = b"0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def public_pem(rsa_key):
    return rsa_key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )


@pytest.fixture(scope="module")
def server(gateway, public_pem, tmp_path_factory):
    """acme has an ES256, an RS256 and an HS256 key; globex an ES256 one."""
    directory = tmp_path_factory.mktemp("keys")
    for name, data in (("rsa.pub", public_pem), ("hmac", SECRET + b"\n")):
        (directory / name).write_bytes(data)
        (directory / name).chmod(0o400)
    line = "jwt_key      kid=acme-2026-01 alg=ES256 file=secrets/acme.pub;"
    more = "jwt_key kid=rsa alg=RS256 file=rsa.pub;"
    more += " jwt_key kid=hmac alg=HS256 file=hmac;"
    nginx = Nginx(gateway, directory, swap(MINIMAL, (line, f"{line} {more}")))
    with nginx.start():
        yield nginx


@pytest.fixture(scope="module")
def answer_to(server, gateway):
    client = Api(server.url, gateway.ssl_context())

    def run(token):
        headers = {"Authorization": f"Bearer {token}"}
        return client.get("/v1/payments/none", headers=headers)

    yield run
    client.close()


@pytest.fixture(scope="module")
def minters(mint, rsa_key):
    pem = rsa_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "ES256": mint,
        "RS256": Minter("acme", pem, "rsa", "RS256"),
        "HS256": Minter("acme", SECRET, "hmac", "HS256"),
    }


@pytest.mark.parametrize("alg", ["ES256", "RS256", "HS256"])
@pytest.mark.parametrize("typ", ["JWT", "at+jwt", ABSENT])
def test_each_kind_of_key_signs_good_tokens(answer_to, minters, alg, typ):
    assert answer_to(minters[alg](headers={"typ": typ})).status_code == 404


@pytest.mark.parametrize("alg", ["ES256", "RS256", "HS256"])
@pytest.mark.parametrize("kid", ["acme-2026-01", "rsa", "hmac", ABSENT])
def test_a_token_is_good_under_its_own_kid_only(
    answer_to, server, minters, alg, kid
):
    """Without a kid it is ambiguous which of three keys is meant (J5)."""
    minter = minters[alg]
    answer = answer_to(minter(headers={"kid": kid}))
    if kid == minter.kid:
        assert answer.status_code == 404
    else:
        assert_problem(answer, 401, "invalid-token", server.url)


MACS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384}
MACS["HS512"] = hashlib.sha512


def maced(minter, kid, alg, key, **header):
    """A token MACed with any bytes."""
    text = json.dumps({"alg": alg, "typ": "JWT", "kid": kid} | header)
    payload = json.dumps(minter.claims())
    signed = f"{b64(text.encode())}.{b64(payload.encode())}"
    mac = hmac.digest(key, signed.encode(), MACS[alg])
    return f"{signed}.{b64(mac)}"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("kid", ["rsa", "acme-2026-01", "hmac", "unknown"])
@pytest.mark.parametrize("cut", ["whole", "stripped", "no newline inside"])
@pytest.mark.parametrize("typ", ["JWT", "at+jwt"])
def test_a_public_key_is_no_hmac_secret(
    answer_to, server, minters, public_pem, alg, kid, cut, typ
):
    """The classic: libjwt alone takes these."""
    key = {
        "whole": public_pem,
        "stripped": public_pem.strip(),
        "no newline inside": public_pem.replace(b"\n", b""),
    }[cut]
    token = maced(minters["RS256"], kid, alg, key, typ=typ)
    assert_problem(answer_to(token), 401, "invalid-token", server.url)


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("HS384", SECRET),
        ("HS512", SECRET),
        ("HS256", SECRET + b"\n"),
        ("HS256", SECRET[:-1]),
        ("HS256", bytes.fromhex(SECRET.decode())),
        ("HS256", b""),
        ("HS256", b"secret"),
        ("HS256", b"\x00"),
    ],
)
def test_another_secret_or_algorithm_is_refused(
    answer_to, server, minters, alg, key
):
    token = maced(minters["HS256"], "hmac", alg, key)
    assert_problem(answer_to(token), 401, "invalid-token", server.url)


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "PS384"])
def test_other_rsa_algorithms_are_refused(answer_to, server, minters, alg):
    minter = minters["RS256"]
    other = Minter("acme", minter.key, "rsa", alg)
    token = other()
    assert_problem(answer_to(token), 401, "invalid-token", server.url)
    renamed = other.sign(
        json.dumps(other.claims()).encode(),
        headers={"alg": "RS256"},
    )
    assert_problem(answer_to(renamed), 401, "invalid-token", server.url)


def test_a_key_of_one_merchant_is_none_of_another(
    answer_to, server, minters, other_mint
):
    for minter in minters.values():
        token = minter(iss="globex")
        assert_problem(answer_to(token), 401, "invalid-token", server.url)
        token = minter(iss="globex", headers={"kid": "globex-2026-01"})
        assert_problem(answer_to(token), 401, "invalid-token", server.url)
    assert answer_to(other_mint()).status_code == 404
    assert answer_to(other_mint(headers={"kid": ABSENT})).status_code == 404


@pytest.mark.parametrize("body", ["", "AA", "A" * 342, "_" * 342])
@pytest.mark.parametrize("alg", ["ES256", "RS256", "HS256"])
def test_any_other_signature_is_refused(answer_to, server, minters, alg, body):
    head, payload, _ = minters[alg]().split(".")
    token = f"{head}.{payload}.{body}"
    assert_problem(answer_to(token), 401, "invalid-token", server.url)
