"""payctl doctor on a configuration of its own: each file that it names is
looked at, and who may read the secrets among them."""

import subprocess

import pytest
from support.payctl_books import PAYCTL

SECRETS = [
    "payments_psp a { api_key_file FILE; }",
    "payments_psp a { webhook_key_file first FILE; }",
    "payments_merchant m { result_key_file FILE; }",
    "payments_merchant m { jwt_key kid=a alg=HS256 file=FILE; }",
    "payments_merchant m { jwt_key file=FILE kid=a alg=HS256; }",
    "payments_keyring FILE;",
    "payments_webhook_endpoint e secret_file=FILE;",
    "payments_risk_provider r { secret_file first FILE; }",
    "payments_audit key_file=first next_key_file=FILE;",
    "payments_settlement s format=adyen report_user=FILE;",
    "ssl_certificate_key FILE;",
    # of two lines, one says that it is secret
    "payments_rates r file=FILE; payments_keyring FILE;",
]
OTHERS = [
    "payments_merchant m { jwt_key kid=a alg=ES256 file=FILE; }",
    "payments_merchant m { jwt_key kid=a alg=HS256 file=first; jwt_key kid=b"
    " alg=ES256 file=FILE; }",
    "payments_psp a { ca_file FILE; }",
    "payments_psp a { webhook_ca_file FILE; }",
    "payments_webhook_endpoints ca_file=FILE;",
    "payments_merchant m { page_logo FILE; }",
    "ssl_certificate FILE;",
]


@pytest.fixture(name="doctor")
def one_host(tmp_path):
    """doctor(text, check): the exit code and what it prints; the files "first"
    and "FILE" are there, each user may read the latter."""
    place = tmp_path / "nginx"
    place.mkdir()
    (place / "FILE").write_bytes(b"x")
    (place / "FILE").chmod(0o444)

    def run(text, check):
        (place / "nginx.conf").write_text(text)
        done = subprocess.run(
            [PAYCTL, "doctor", "--etc", tmp_path, "--user", "root", "--only",
             check],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_that_each_user_may_read_is_found(doctor, text):
    code, said = doctor(text, "secrets")
    assert code == 1 and "FILE can be read or changed by every user" in said


@pytest.mark.parametrize("text", OTHERS)
def test_a_public_file_may_be_read(doctor, text):
    assert doctor(text, "secrets")[0] == 0


@pytest.mark.parametrize("text", SECRETS + OTHERS)
def test_a_file_that_is_missing_is_found(doctor, text):
    code, said = doctor(text.replace("FILE", "nowhere"), "files")
    assert code == 1 and "/nginx/nowhere of " in said


def test_files_that_are_not_looked_at_are_not_ok(doctor):
    """Those behind the 64th had been left out, and the check said ok."""
    line = "payments_psp a {{ ca_file {0}; }} ssl_certificate_key {0}.key;"
    many = "".join(line.format(f"f{n}") for n in range(513))
    assert "f499 of ca_file" in doctor(many, "files")[1]
    for text in (many, f"api_key_file {'d/' * 600};"):
        for check in ("files", "secrets"):
            code, said = doctor(text, check)
            assert code == 1 and "are not looked at" in said
