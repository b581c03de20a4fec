"""The official SDKs' webhook vectors, judged by `payctl webhook verify`.

Every core vector must come out as the SDK says.  What we answer to each edge
vector stands in EDGE with the reason, so that no edge is decided by accident.
"""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
FIXTURES = ROOT / "tests" / "fixtures" / "webhooks"
SCHEMES = ("stripe", "standardwebhooks", "svix")

# What the vector's id ends with -> our answer, why.
EDGE = {
    "empty": ("valid", "the MAC covers an empty body as well as any other"),
    "rotation-config-new": ("valid", "every configured key is tried (W8)"),
    "sig-upper": ("invalid", "one value, one spelling: lower-case hex"),
    "sig-space": ("invalid", "blanks are no part of a signature's spelling"),
    "age-300": ("valid", "exactly the tolerance still passes"),
    "secret-no-prefix": ("valid", "whsec_ is a label, not part of the key"),
}


def vectors():
    for scheme in SCHEMES:
        text = (FIXTURES / f"{scheme}.json").read_text(encoding="utf-8")
        for vector in json.loads(text)["vectors"]:
            yield vector


VECTORS = list(vectors())
BY_ID = {vector["id"]: vector for vector in VECTORS}


def run(arguments, body=b""):
    return subprocess.run(
        [PAYCTL, "webhook", "verify", *arguments],
        input=body,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=30,
    )


def key_file(tmp_path, text, name="key"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def judge(vector, tmp_path, scheme=None, now=None, tolerance=None):
    keys = vector.get("secrets") or [vector["secret"]]
    arguments = [
        "--scheme", scheme or vector["scheme"],
        "--secret-file", key_file(tmp_path, "\n".join(keys) + "\n"),
        "--now", str(vector["now"] if now is None else now),
        "--tolerance",
        str(vector["tolerance"] if tolerance is None else tolerance),
    ]
    for name, value in vector["headers"].items():
        arguments += ["--header", f"{name}: {value}"]
    body = base64.b64decode(vector["body_b64"])
    assert len(body) == vector["body_len"]
    done = run(arguments, body)
    answer = done.stdout.decode().strip()
    assert done.stderr == b""
    assert (done.returncode, answer == "valid") in ((0, True), (1, False))
    assert answer == "valid" or answer.startswith("invalid: ")
    return answer


def edge_answer(vector):
    found = [name for name in EDGE if vector["id"].endswith(name)]
    assert len(found) == 1, f"no documented answer for {vector['id']}"
    return EDGE[found[0]][0]


def test_each_scheme_has_core_vectors_of_both_kinds():
    for scheme in SCHEMES:
        kinds = {
            vector["expect"]
            for vector in VECTORS
            if vector["scheme"] == scheme and vector["tier"] == "core"
        }
        assert kinds == {"valid", "invalid"}


@pytest.mark.parametrize(
    "vector_id", [v["id"] for v in VECTORS if v["tier"] == "core"]
)
def test_core_vector_comes_out_as_the_sdk_says(vector_id, tmp_path):
    vector = BY_ID[vector_id]
    assert judge(vector, tmp_path).split(":")[0] == vector["expect"]


@pytest.mark.parametrize(
    "vector_id", [v["id"] for v in VECTORS if v["tier"] == "edge"]
)
def test_edge_vector_comes_out_as_documented(vector_id, tmp_path):
    vector = BY_ID[vector_id]
    assert judge(vector, tmp_path).split(":")[0] == edge_answer(vector)


VALID_ONES = [f"{scheme}-dev-01-compact" for scheme in SCHEMES]


def signed_at(vector):
    for name, value in vector["headers"].items():
        if name.lower().endswith("-timestamp"):
            return int(value)
        if name.lower() == "stripe-signature":
            return int(value.split(",")[0][2:])
    raise AssertionError("no timestamp")


@pytest.mark.parametrize("vector_id", VALID_ONES)
@pytest.mark.parametrize(
    "offset, tolerance, answer",
    [
        (300, 300, "valid"),
        (301, 300, "invalid: timestamp"),
        (-300, 300, "valid"),
        (-301, 300, "invalid: timestamp"),
        (0, 0, "valid"),
        (1, 0, "invalid: timestamp"),
        (-1, 0, "invalid: timestamp"),
    ],
)
def test_time_is_bound_both_ways_and_0_is_no_switch(
    vector_id, offset, tolerance, answer, tmp_path
):
    # Stripe's SDK sets no limit ahead and reads 0 as "off": security.md W4
    # and row 65 do not.
    vector = BY_ID[vector_id]
    now = signed_at(vector) + offset
    assert judge(vector, tmp_path, now=now, tolerance=tolerance) == answer


@pytest.mark.parametrize("vector_id", VALID_ONES)
def test_default_clock_refuses_a_vector_of_another_time(vector_id, tmp_path):
    vector = BY_ID[vector_id]
    arguments = ["--scheme", vector["scheme"], "--tolerance", "0"]
    arguments += ["--secret-file", key_file(tmp_path, vector["secret"])]
    for name, value in vector["headers"].items():
        arguments += ["--header", f"{name}: {value}"]
    done = run(arguments, base64.b64decode(vector["body_b64"]))
    assert (done.returncode, done.stdout) == (1, b"invalid: timestamp\n")


@pytest.mark.parametrize("vector_id", VALID_ONES)
def test_header_given_twice_is_invalid(vector_id, tmp_path):
    vector = BY_ID[vector_id]
    for name in vector["headers"]:
        doubled = {**vector["headers"], name.swapcase(): "x"}
        assert (
            judge({**vector, "headers": doubled}, tmp_path)
            == "invalid: header-invalid"
        )


def test_svix_falls_back_to_webhook_headers(tmp_path):
    vector = BY_ID["svix-dev-01-compact"]
    renamed = {
        name.replace("svix-", "webhook-"): value
        for name, value in vector["headers"].items()
    }
    changed = {**vector, "headers": renamed}
    assert judge(changed, tmp_path) == "valid"
    assert judge(changed, tmp_path, scheme="standardwebhooks") == "valid"


def test_standardwebhooks_takes_no_svix_headers(tmp_path):
    vector = BY_ID["svix-dev-01-compact"]
    assert (
        judge(vector, tmp_path, scheme="standardwebhooks")
        == "invalid: header-missing"
    )


def test_stripe_key_is_the_text_and_no_base64(tmp_path):
    # psp.md 9.1: both write whsec_…, but key the MAC differently
    vector = BY_ID["standardwebhooks-dev-01-compact"]
    stripe = BY_ID["stripe-dev-01-compact"]
    changed = {**stripe, "secret": stripe["secret"].removeprefix("whsec_")}
    assert judge(changed, tmp_path) == "invalid: mismatch"
    assert judge(vector, tmp_path) == "valid"


def test_keys_may_lie_in_two_files(tmp_path):
    vector = BY_ID["stripe-dev-01-compact"]
    other = BY_ID["stripe-dev-12-rotation-config-new"]["secrets"][0]
    arguments = ["--scheme=stripe", f"--now={vector['now']}"]
    for name, key in (("old", other), ("new", vector["secret"])):
        arguments += ["--secret-file", key_file(tmp_path, key, name)]
    for name, value in vector["headers"].items():
        arguments += ["--header", f"{name}:{value}"]
    done = run(arguments, base64.b64decode(vector["body_b64"]))
    assert (done.returncode, done.stdout) == (0, b"valid\n")


GOOD_KEY = "whsec_" + "A" * 32


@pytest.mark.parametrize(
    "arguments, key, complaint",
    [
        (["--scheme", "sha1"], GOOD_KEY, b"--scheme"),
        (["--scheme", ""], GOOD_KEY, b"--scheme"),
        ([], GOOD_KEY, b"--scheme"),
        (["--scheme", "stripe", "--nwo", "1"], GOOD_KEY, b"--nwo"),
        (["--scheme", "stripe", "body.json"], GOOD_KEY, b"body.json"),
        (["--scheme", "stripe", "--now"], GOOD_KEY, b"--now"),
        (["--scheme", "stripe", "--now", "1e9"], GOOD_KEY, b"--now"),
        (["--scheme", "stripe", "--now", "-1"], GOOD_KEY, b"--now"),
        (["--scheme", "stripe", "--now="], GOOD_KEY, b"--now"),
        (["--scheme", "stripe", "--tolerance", "-1"], GOOD_KEY,
         b"--tolerance"),
        (["--scheme", "stripe", "--tolerance", "5m"], GOOD_KEY,
         b"--tolerance"),
        (["--scheme", "stripe", "--header", "novalue"], GOOD_KEY,
         b"--header"),
        (["--scheme", "stripe", "--header", ": x"], GOOD_KEY, b"--header"),
        (["--scheme", "stripe", *["--header", "a: b"] * 65], GOOD_KEY,
         b"--header"),
        (["--scheme", "stripe"], "", b"holds no key"),
        (["--scheme", "stripe"], "\n \n", b"holds no key"),
        (["--scheme", "stripe"], "whsec_short", b"16"),
        (["--scheme", "stripe"], "whsec_with blank inside it", b"blanks"),
        (["--scheme", "stripe"], "k" * 5000, b"4096"),
        (["--scheme", "stripe"], "k" * 513, b"512"),
        (["--scheme", "stripe"], "\n".join([GOOD_KEY] * 5), b"more than 4"),
        (["--scheme", "svix"], "whsec_", b"base64"),
        (["--scheme", "svix"], "whsec_!!!!" + "A" * 28, b"base64"),
        (["--scheme", "svix"], "whsec_" + "A" * 31, b"base64"),
        (["--scheme", "svix"], "whsec_" + "A" * 28, b"24"),
        (["--scheme", "standardwebhooks"], "A" * 88, b"64"),
    ],
)
def test_wrong_call_is_exit_2_with_a_reason(
    arguments, key, complaint, tmp_path
):
    done = run([*arguments, "--secret-file", key_file(tmp_path, key)])
    assert (done.returncode, done.stdout) == (2, b"")
    assert complaint in done.stderr
    assert len(key) < 10 or key.encode() not in done.stderr


def test_missing_key_file_is_exit_2(tmp_path):
    done = run(["--scheme", "stripe", "--secret-file", str(tmp_path / "no")])
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"cannot be opened" in done.stderr


def test_directory_as_key_file_is_exit_2(tmp_path):
    done = run(["--scheme", "stripe", "--secret-file", str(tmp_path)])
    assert (done.returncode, done.stdout) == (2, b"")


def test_no_key_file_is_exit_2():
    done = run(["--scheme", "stripe"])
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--secret-file" in done.stderr


def test_body_of_1_mib_is_judged_and_one_byte_more_is_not(tmp_path):
    arguments = ["--scheme", "stripe"]
    arguments += ["--secret-file", key_file(tmp_path, GOOD_KEY)]
    arguments += ["--now", "1", "--header", "Stripe-Signature: t=1,v1=00"]
    full = run(arguments, b"x" * 1048576)
    assert (full.returncode, full.stdout) == (1, b"invalid: mismatch\n")
    over = run(arguments, b"x" * 1048577)
    assert (over.returncode, over.stdout) == (2, b"")
    assert b"1 MiB" in over.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["webhook", "--help"],
                  ["webhook", "verify", "--help"], ["--version"]]
)
def test_help_and_version_are_exit_0(arguments):
    done = subprocess.run([PAYCTL, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 0 and done.stderr == b""
    assert b"payctl" in done.stdout


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["webhook"], ["webhook", "sign"], [""]]
)
def test_no_or_unknown_command_is_exit_2(arguments):
    done = subprocess.run([PAYCTL, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 2 and done.stdout == b"" and done.stderr
