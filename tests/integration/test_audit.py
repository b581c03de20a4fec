"""The event log on the real stack: what is paid is sealed, exported and
verified; what a superuser does to a copy of it afterwards is named; keys
change, workers die, the database refuses, and the log goes on.
"""

import base64
import io
import json
import os
import re
import signal
import socket
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import psycopg2.extensions
import pytest
from support import scratch
from support.audit_log import (
    event_hash,
    leaf_bytes,
    read,
    seal_message,
    sha256,
    tree_root,
    write,
)
from support.events import message
from support.own_stack import wait_for

ROOT = Path(__file__).resolve().parents[2]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
VALID, INVALID, USAGE = 0, 1, 2
SEALED_S = 30
DIRECTIVE = re.compile(r"payments_audit +[^;]*;")


def payctl(*words, dsn=None):
    """exit code, stdout, stderr"""
    env = {"PAYCTL_DSN": dsn} if dsn else {}
    done = subprocess.run(
        [PAYCTL, "audit", *words], capture_output=True, check=False,
        timeout=60, text=True, env=env,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def status(stack) -> dict[str, str]:
    code, out, complaint = payctl("status", dsn=stack.values["PG_DSN"])
    if code == INVALID:
        return {}
    assert code == VALID, complaint
    pairs = (re.split(r" {2,}", line, maxsplit=1) for line in out.splitlines())
    return dict(pairs)


def all_sealed(stack) -> bool:
    return status(stack).get("events not sealed") == "0"


def wait_sealed(stack) -> None:
    wait_for(lambda: all_sealed(stack), "the seals", SEALED_S)


def wait_exported(stack) -> None:
    """The newest seal is in the file too, which is written after its commit."""
    newest = int(status(stack)["newest seal"])
    path = Path(stack.values["AUDIT_SEALS"])

    def is_there():
        rows = read(path) if path.exists() else []
        return newest in [row["number"] for row in rows]

    wait_for(is_there, "the newest seal in the file", SEALED_S)


def export(dsn: str, path: Path, *words) -> list[dict]:
    code, out, complaint = payctl("export", *words, dsn=dsn)
    assert code == VALID, complaint
    path.write_text(out)
    return read(path)


def verify(stack, path, *words, keys=()):
    """exit code, lines; by all keys of the stack, unless some are named"""
    given = keys or [
        stack.values["AUDIT_PUBLIC_KEY"],
        *sorted(Path(stack.values["RUN_DIR"]).glob("secrets/rotated.pub")),
    ]
    named = [word for key in given for word in ("--key", str(key))]
    code, out, complaint = payctl("verify", *named, *words, path)
    assert complaint == ""
    return code, out.splitlines()


def roots(stack) -> tuple[str, str]:
    return "--roots", stack.values["AUDIT_SEALS"]


def metric(stack, name: str) -> int:
    found = re.search(rf"^{name} (\d+)$", stack.http.get("/metrics").text, re.M)
    assert found, name
    return int(found[1])


@contextmanager
def configured(stack, directive: str):
    """The stack with another payments_audit."""
    stands = DIRECTIVE.search(stack.pristine)
    assert stands
    stack.configure((stands[0], directive))
    try:
        yield
    finally:
        stack.configure()


@pytest.fixture(scope="module", name="first_seal")
def number_of_the_next_seal(own_stack) -> int:
    """An earlier one may not be exported: a worker that other tests killed had
    signed it, and left the rest to whoever reads the database."""
    ((number,),) = own_stack.sql(
        "SELECT coalesce(max(number), 0) + 1 FROM pay.seal"
    )
    return number


@pytest.fixture(scope="module", name="sold")
def payments(own_stack, first_seal):
    """Orders that are settled, each over two seals at least."""
    assert first_seal >= 1
    own_stack.configure()
    made = [own_stack.created() for _ in range(3)]
    wait_sealed(own_stack)
    for each, fact in zip(made, ("paid", "declined", "paid"), strict=True):
        assert message(each, fact).send().status_code == 200
    wait_sealed(own_stack)
    wait_exported(own_stack)
    return sorted(each.order_id for each in made)


# What is paid is sealed.


def test_what_is_paid_is_sealed_exported_and_valid(own_stack, sold, tmp_path):
    path = tmp_path / "export.jsonl"
    rows = export(own_stack.values["PG_DSN"], path)
    told = {row["payment_order_id"] for row in rows if row["t"] == "event"}
    assert set(sold) <= told
    code, lines = verify(own_stack, path, *roots(own_stack))
    assert (code, lines[-1]) == (VALID, "valid"), lines
    seals = [row for row in rows if row["t"] == "seal"]
    key = seals[0]["key_id"]
    assert f"key       {key} has signed {len(seals)}, number 1 to " \
        f"{len(seals)}" in lines  # fmt: skip
    told = len(read(Path(own_stack.values["AUDIT_SEALS"])))
    assert (f"roots     {told} seals are as they were exported, the "
            "newest among them") in lines  # fmt: skip


def test_another_program_computes_the_same(own_stack, sold, tmp_path):
    rows = export(own_stack.values["PG_DSN"], tmp_path / "export")
    before, order = "", None
    for event in (row for row in rows if row["t"] == "event"):
        if event["payment_order_id"] != order:
            before, order = "", event["payment_order_id"]
        assert event["hash"] == event_hash(before, event)
        before = event["hash"]
    previous = "0" * 64
    for seal in (row for row in rows if row["t"] == "seal"):
        leaves = [row for row in rows if row["t"] == "leaf"
                  and row["number"] == seal["number"]]  # fmt: skip
        fields = dict(
            line.split(" ", 1) for line in seal["message"].splitlines()
        )
        assert seal["message"] == seal_message(
            seal["number"], fields["at"], (fields["from"], fields["until"]),
            leaves, previous,
        )  # fmt: skip
        assert fields["root"] == tree_root([*map(leaf_bytes, leaves)]).hex()
        previous = sha256(seal["message"].encode()).hex()


def test_openssl_takes_the_signatures(own_stack, sold, tmp_path):
    rows = export(own_stack.values["PG_DSN"], tmp_path / "export")
    seal = rows[-1]
    (tmp_path / "message").write_bytes(seal["message"].encode())
    (tmp_path / "signature").write_bytes(base64.b64decode(seal["signature"]))
    subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", "-inkey",
         own_stack.values["AUDIT_PUBLIC_KEY"], "-in", tmp_path / "message",
         "-sigfile", tmp_path / "signature"],
        check=True, capture_output=True,
    )  # fmt: skip


def test_the_metrics_tell_of_the_newest_seal(own_stack, sold):
    failures = metric(own_stack, "payments_seal_failures_total")
    own_stack.created()
    wait_sealed(own_stack)
    newest = status(own_stack)["newest seal"]
    wait_for(
        lambda: metric(own_stack, "payments_seal_number") == int(newest),
        "the metric",
    )
    wait_for(
        lambda: metric(own_stack, "payments_seals_total") >= 2, "the count"
    )
    assert metric(own_stack, "payments_seal_failures_total") == failures
    assert metric(own_stack, "payments_seal_age_seconds") < 600


def test_exported_seals_are_those_of_the_database(
    own_stack, sold, first_seal, tmp_path
):
    wait_exported(own_stack)
    rows = export(own_stack.values["PG_DSN"], tmp_path / "export")
    stored = {row["number"]: row for row in rows if row["t"] == "seal"}
    seals = read(Path(own_stack.values["AUDIT_SEALS"]))
    assert [stored[row["number"]] for row in seals] == seals
    assert {*range(first_seal, max(stored) + 1)} <= {
        row["number"] for row in seals
    }


def test_a_part_is_verified_as_one(own_stack, sold, tmp_path):
    dsn, path = own_stack.values["PG_DSN"], tmp_path / "part"
    rows = export(dsn, path)
    number = max(row["number"] for row in rows if row["t"] == "leaf"
                 and row["payment_order_id"] == sold[0])  # fmt: skip
    first = next(row for row in rows if row["t"] == "seal"
                 and row["number"] == number)  # fmt: skip
    at = re.search(r"^at (\S+)$", first["message"], re.M)[1]
    rows = export(dsn, path, "--since", at)
    assert {row["t"] for row in rows} == {"anchor", "event", "leaf", "seal"}
    code, lines = verify(own_stack, path, "--part", *roots(own_stack))
    assert (code, lines[-1]) == (
        VALID, f"valid (a part: nothing before seal {number} was checked)",
    ), lines  # fmt: skip
    assert verify(own_stack, path)[0] == INVALID


@pytest.mark.parametrize("words", [("--since", "no date"), ("--until",)])
def test_an_export_that_cannot_be_made_is_told(own_stack, words):
    code, out, complaint = payctl("export", *words,
                                  dsn=own_stack.values["PG_DSN"])  # fmt: skip
    assert (code, out) == (USAGE, "")
    assert complaint


# What a superuser does to it.


class Copy:
    """The log of the stack in another database, whose triggers are off."""

    def __init__(self, dsn: str):
        self.dsn = dsn

    def run(self, sql: str, **values) -> None:
        with closing(psycopg2.connect(self.dsn)) as link:
            link.autocommit = True
            with link.cursor() as cursor:
                cursor.execute(sql, values)
                assert cursor.rowcount != 0, "it has changed nothing"


TRIGGERS_OFF = """
DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN
        SELECT c.oid FROM pg_class c
        WHERE c.relnamespace = 'pay'::regnamespace AND c.relkind IN ('r', 'p')
            AND c.relname ~ '^(event|seal)'
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', v_table);
    END LOOP;
END
$$
"""
TABLES = ("pay.event", "pay.seal", "pay.seal_leaf")


def move(source: str, target: str) -> None:
    with closing(psycopg2.connect(source)) as one, \
            closing(psycopg2.connect(target)) as other:  # fmt: skip
        for table in TABLES:
            rows = io.BytesIO()
            one.cursor().copy_expert(f"COPY (TABLE {table}) TO STDOUT", rows)
            rows.seek(0)
            other.cursor().copy_expert(f"COPY {table} FROM STDIN", rows)
        other.cursor().execute(TRIGGERS_OFF)
        other.commit()


@pytest.fixture(scope="module")
def admin(own_stack):
    with closing(psycopg2.connect(own_stack.values["PG_ADMIN_DSN"])) as link:
        link.autocommit = True
        yield link.cursor()


@pytest.fixture(scope="module", name="original")
def first_copy(own_stack, sold):
    server = own_stack.values["PG_ADMIN_DSN"]
    with scratch.database(server, "audit") as dsn:
        code, _, complaint = payctl("status", dsn=dsn)
        assert (code, complaint) == (
            INVALID, "payctl: nothing has been sealed yet\n",
        )  # fmt: skip
        move(server, dsn)
        yield psycopg2.extensions.parse_dsn(dsn)["dbname"]


@pytest.fixture(name="copy")
def fresh_copy(own_stack, original, admin):
    name = f"{original}_x"
    admin.execute(f"CREATE DATABASE {name} TEMPLATE {original}")
    server = own_stack.values["PG_ADMIN_DSN"]
    yield Copy(psycopg2.extensions.make_dsn(server, dbname=name))
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_copy_is_as_good_as_the_original(own_stack, copy, tmp_path):
    export(copy.dsn, tmp_path / "export")
    code, lines = verify(own_stack, tmp_path / "export", *roots(own_stack))
    assert (code, lines[-1]) == (VALID, "valid"), lines


EVENT = "merchant_id = 'acme' AND payment_order_id = %(order)s"
# Computes the chain of an order, its leaves and nothing else anew.
REHASH = f"""
DO $x$
DECLARE
    v_event pay.event;
    v_hash bytea;
BEGIN
    FOR v_event IN SELECT * FROM pay.event WHERE {EVENT} ORDER BY seq LOOP
        v_hash := pay.event_hash(v_hash, v_event);
        UPDATE pay.event e SET hash = v_hash
        WHERE e.merchant_id = v_event.merchant_id
            AND e.payment_order_id = v_event.payment_order_id
            AND e.seq = v_event.seq;
    END LOOP;
END
$x$
"""

# {first}: of its first leaf, seq 1 when a seal fell between its creation and
# its registration, else seq 2.
TAMPERED = {
    "changed_status": (
        f"UPDATE pay.event SET new_status = 'SUCCESS' WHERE {EVENT}"
        " AND seq = 2",
        "merchant acme order {order} seq 2: changed: ",
    ),
    "changed_detail": (
        "UPDATE pay.event SET detail = detail || '{{\"x\": 1}}'"
        f" WHERE {EVENT} AND seq = 1",
        "merchant acme order {order} seq 1: changed: ",
    ),
    "changed_moment": (
        "UPDATE pay.event SET at = at + interval '1 microsecond'"
        f" WHERE {EVENT} AND seq = 3",
        "merchant acme order {order} seq 3: changed: ",
    ),
    "changed_and_computed_anew": (
        f"UPDATE pay.event SET request_id = 'x' WHERE {EVENT} AND seq = 1;"
        + REHASH,
        r"merchant acme order {order} seq {first}: seal \d+: changed: ",
    ),
    "changed_owner": (
        f"UPDATE pay.event SET merchant_id = 'globex' WHERE {EVENT}"
        " AND seq = 2",
        "merchant acme order {order} seq 2: missing: ",
    ),
    "removed_row": (
        f"DELETE FROM pay.event WHERE {EVENT} AND seq = 2",
        "merchant acme order {order} seq 2: missing: ",
    ),
    "removed_last_row": (
        f"DELETE FROM pay.event WHERE {EVENT} AND seq = 3",
        r"merchant acme order {order} seq 3: seal \d+: missing: ",
    ),
    "removed_order": (
        f"DELETE FROM pay.event WHERE {EVENT}",
        r"merchant acme order {order} seq {first}: seal \d+: missing: ",
    ),
    "removed_order_with_its_leaves": (
        f"DELETE FROM pay.event WHERE {EVENT};"
        f" DELETE FROM pay.seal_leaf WHERE {EVENT}",
        r"seal \d+: missing: it was made of another number of leaves",
    ),
    "inserted_row": (
        "INSERT INTO pay.event SELECT (x.e).* FROM (SELECT ROW(e.merchant_id,"
        " e.payment_order_id, e.seq + 1, e.at, e.tx, 'refunded', 'webhook',"
        " e.new_status, e.new_status, NULL, '{{}}', 'x', e.hash)::pay.event"
        f" AS e FROM pay.event e WHERE {EVENT} AND seq = 3) x",
        r"merchant acme order {order} seq 4: (changed|seal \d+: inserted): ",
    ),
    "inserted_twice": (
        "INSERT INTO pay.event SELECT merchant_id, payment_order_id, seq,"
        " at + interval '1 s', tx, kind, actor, old_status, new_status,"
        f" reason, detail, request_id, hash FROM pay.event WHERE {EVENT}"
        " AND seq = 2",
        "merchant acme order {order} seq 2: inserted: ",
    ),
    "swapped_rows": (
        f"UPDATE pay.event SET seq = 100 - seq WHERE {EVENT} AND seq > 1;"
        f" UPDATE pay.event SET seq = seq - 95 WHERE {EVENT} AND seq > 1",
        "merchant acme order {order} seq 2: changed: ",
    ),
    "changed_leaf": (
        f"UPDATE pay.seal_leaf SET hash = sha256('x') WHERE {EVENT}"
        " AND seq = 3",
        r"merchant acme order {order} seq 3: seal \d+: changed: ",
    ),
    "changed_seal": (
        "UPDATE pay.seal SET message = replace(message, 'leaves', 'leafs')"
        " WHERE number = 1",
        "seal 1: seal changed: ",
    ),
    "changed_moment_of_a_seal": (
        "UPDATE pay.seal SET message = regexp_replace(message, 'at ....',"
        " 'at 2020') WHERE number = 1",
        "seal 1: bad signature: ",
    ),
    "removed_seal": (
        "DELETE FROM pay.seal WHERE number = 1; SELECT 1",
        "seal 1: seal missing: ",
    ),
    "removed_last_seal": (
        "DELETE FROM pay.seal WHERE number = (SELECT max(number)"
        " FROM pay.seal)",
        r"seal \d+: seal missing: ",
    ),
    "forged_signature": (
        "UPDATE pay.seal SET signature = set_byte(signature, 0,"
        " get_byte(signature, 0) # 1) WHERE number = 2",
        "seal 2: bad signature: ",
    ),
    "other_key": (
        "UPDATE pay.seal SET key_id = '0123456789abcdef' WHERE number = 2",
        "seal 2: unknown key 0123456789abcdef: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_who_tampers_in_the_database_is_named(
    own_stack, copy, sold, tmp_path, how
):
    sql, expected = TAMPERED[how]
    order = sold[1]
    before = export(copy.dsn, tmp_path / "before")
    first = min(
        row["seq"]
        for row in before
        if row["t"] == "leaf" and row["payment_order_id"] == order
    )
    copy.run(sql.replace("{{", "{").replace("}}", "}"), order=order)
    export(copy.dsn, tmp_path / "export")
    code, lines = verify(own_stack, tmp_path / "export")
    assert code == INVALID, lines
    named = expected.replace("{order}", re.escape(order))
    named = named.replace("{first}", str(first))
    assert re.match("invalid: " + named, lines[-1]), "\n".join(lines)


def test_the_newest_seals_gone_with_all_they_have_show_outside(
    own_stack, copy, tmp_path
):
    copy.run(
        "DELETE FROM pay.event WHERE tx >= (SELECT from_tx FROM pay.seal"
        " ORDER BY number DESC LIMIT 1);"
        " DELETE FROM pay.seal_leaf WHERE number = (SELECT max(number)"
        " FROM pay.seal);"
        " DELETE FROM pay.seal WHERE number = (SELECT max(number)"
        " FROM pay.seal)"
    )
    export(copy.dsn, tmp_path / "export")
    assert verify(own_stack, tmp_path / "export")[0] == VALID
    code, lines = verify(own_stack, tmp_path / "export", *roots(own_stack))
    assert code == INVALID
    assert re.match(r"invalid: seal \d+: seal missing: it was exported",
                    lines[-1])  # fmt: skip


def swapped(rows):
    rows[0], rows[1] = rows[1], rows[0]


def removed(rows):
    """Not the last one of its order: a seal would miss that."""
    third = next(
        n for n, row in enumerate(rows) if row["t"] == "event"
        and row["seq"] == 3
    )  # fmt: skip
    del rows[third - 1]


def altered(rows):
    rows[0]["actor"] = "operator"


def doubled(rows):
    rows.insert(1, dict(rows[0]))


def unsealed(rows):
    seal = next(row for row in rows if row["t"] == "seal")
    rows.remove(seal)


@pytest.mark.parametrize(("tamper", "expected"), [
    (swapped, r"merchant \S+ order \S+ seq 1: out of order: "),
    (removed, r"merchant \S+ order \S+ seq 2: missing: "),
    (altered, r"merchant \S+ order \S+ seq 1: changed: "),
    (doubled, r"merchant \S+ order \S+ seq 1: inserted: "),
    (unsealed, r"seal 1: seal missing: "),
])  # fmt: skip
def test_who_tampers_with_the_export_is_named(
    own_stack, sold, tmp_path, tamper, expected
):
    path = tmp_path / "export"
    rows = export(own_stack.values["PG_DSN"], path)
    tamper(rows)
    write(path, rows)
    code, lines = verify(own_stack, path)
    assert code == INVALID
    assert re.match("invalid: " + expected, lines[-1]), "\n".join(lines)


def test_nobody_changes_the_log_by_accident(own_stack, sold):
    for table in ("pay.event", "pay.seal", "pay.seal_leaf"):
        for verb in (f"DELETE FROM {table}", f"TRUNCATE {table}",
                     f"UPDATE {table} SET merchant_id = 'x'"):  # fmt: skip
            if table == "pay.seal" and "UPDATE" in verb:
                verb = "UPDATE pay.seal SET message = 'x'"
            with pytest.raises(psycopg2.Error) as refused:
                own_stack.sql(verb)
            assert refused.value.pgcode == "PAY20", verb


# Keys.


def new_key(own_stack, name: str) -> tuple[Path, Path]:
    """A private and a public key's file."""
    private = Path(own_stack.values["RUN_DIR"]) / "secrets" / f"{name}.pem"
    public = private.with_suffix(".pub")
    assert payctl("keygen", private)[0] == VALID
    code, pem, _ = payctl("pubkey", private)
    assert code == VALID
    public.write_text(pem)
    return private, public


def test_old_seals_keep_their_key(own_stack, sold, tmp_path):
    old = own_stack.values["AUDIT_PUBLIC_KEY"]
    # other tests of this stack verify its seals, too
    private, public = new_key(own_stack, "rotated")
    before = int(status(own_stack)["newest seal"])
    with configured(
        own_stack,
        f'payments_audit "key_file={private}" interval=500ms '
        f'"export={own_stack.values["AUDIT_SEALS"]}";',
    ):
        own_stack.created()
        wait_for(
            lambda: int(status(own_stack)["newest seal"]) > before, "a seal"
        )
        wait_sealed(own_stack)
    path = tmp_path / "export"
    export(own_stack.values["PG_DSN"], path)
    code, lines = verify(own_stack, path, *roots(own_stack),
                         keys=(old, public))  # fmt: skip
    assert (code, lines[-1]) == (VALID, "valid"), lines
    signers = [line for line in lines if line.startswith("key ")]
    assert f"number 1 to {before}" in signers[0]
    assert f"number {before + 1} to " in signers[1]
    for keys, number in (((old,), before + 1), ((public,), 1)):
        code, lines = verify(own_stack, path, keys=keys)
        assert code == INVALID
        assert lines[-1].startswith(f"invalid: seal {number}: unknown key ")
    # the stack's own key seals again, beside the other
    own_stack.created()
    wait_sealed(own_stack)
    export(own_stack.values["PG_DSN"], path)
    assert verify(own_stack, path, keys=(old, public))[0] == VALID


# Trouble.


@contextmanager
def held_end(own_stack):
    """end_seal waits for a lock that is ours, until the block ends."""
    own_stack.sql(
        "CREATE FUNCTION pay.test_hold() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$"
    )
    own_stack.sql(
        "CREATE TRIGGER a_test_hold BEFORE UPDATE ON pay.seal FOR EACH ROW "
        "EXECUTE FUNCTION pay.test_hold()"
    )
    own_stack.sql("SELECT pg_advisory_lock(4711)")
    try:
        yield
    finally:
        own_stack.sql("SELECT pg_advisory_unlock(4711)")
        own_stack.sql("DROP FUNCTION pay.test_hold CASCADE")


def test_what_a_killed_worker_has_begun_another_signs(
    own_stack, sold, tmp_path
):
    own_stack.expected += ["exited on signal 9"]
    with held_end(own_stack):
        own_stack.created()
        number, owner = wait_for(
            lambda: own_stack.sql(
                "SELECT s.number, r.lease_owner FROM pay.seal s, pay.round r "
                "WHERE s.signature IS NULL AND r.name = 'seal' "
                "AND r.lease_owner IS NOT NULL"
            ),
            "a seal that is begun",
        )[0]
        worker = int(owner.split("-")[0])
        backend = wait_for(
            lambda: own_stack.sql(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' "
                "AND objid = 4711 AND NOT granted"
            ),
            "its end",
        )[0][0]
        assert worker in own_stack.generation()
        os.kill(worker, signal.SIGKILL)
        own_stack.sql("SELECT pg_terminate_backend(%s)", backend)
        wait_for(
            lambda: (
                not own_stack.sql(
                    "SELECT 1 FROM pg_stat_activity WHERE pid = %s", backend
                )
            ),
            "the end of its call",
        )
        assert own_stack.sql(
            "SELECT number FROM pay.seal WHERE signature IS NULL"
        ) == [(number,)]
    wait_sealed(own_stack)
    wait_exported(own_stack)
    path = tmp_path / "export"
    export(own_stack.values["PG_DSN"], path)
    keys = [own_stack.values["AUDIT_PUBLIC_KEY"]]
    keys += Path(own_stack.values["RUN_DIR"]).glob("secrets/*.pub")
    keys = [key for key in keys if "ED25519" in subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", key, "-noout", "-text"],
        capture_output=True, text=True, check=True).stdout]  # fmt: skip
    code, lines = verify(own_stack, path, *roots(own_stack), keys=keys)
    assert (code, lines[-1]) == (VALID, "valid"), lines
    exported = read(Path(own_stack.values["AUDIT_SEALS"]))
    assert number in [seal["number"] for seal in exported]


def test_payments_go_on_when_nothing_is_sealed_and_people_hear(own_stack):
    with configured(
        own_stack,
        f'payments_audit "key_file={own_stack.values["AUDIT_KEY_FILE"]}" '
        "interval=300ms;",
    ):
        failed = metric(own_stack, "payments_seal_failures_total")
        own_stack.sql(
            "REVOKE EXECUTE ON FUNCTION pay_api.begin_seal FROM "
            "payments_gateway"
        )
        try:
            own_stack.created()
            wait_for(
                lambda: "the event log is not being sealed"
                in own_stack.gateway.error_log.read_text(),
                "the log", 30,
            )  # fmt: skip
            own_stack.created()
        finally:
            own_stack.sql(
                "GRANT EXECUTE ON FUNCTION pay_api.begin_seal TO "
                "payments_gateway"
            )
        wait_for(
            lambda: metric(own_stack, "payments_seal_failures_total") > failed,
            "the count",
        )
        wait_sealed(own_stack)


def test_seals_go_to_a_syslog(own_stack, sold, tmp_path):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(SEALED_S)
        server = f"127.0.0.1:{sink.getsockname()[1]}"
        with configured(
            own_stack,
            f'payments_audit "key_file={own_stack.values["AUDIT_KEY_FILE"]}" '
            f'interval=300ms "export=syslog:server={server},facility=local3,'
            'severity=notice,tag=payments";',
        ):
            own_stack.created()
            line = sink.recv(65536)
    assert line.startswith(b"<157>")
    assert b" payments: {" in line
    seal = json.loads(line[line.index(b"{") :])
    wait_sealed(own_stack)
    stored = own_stack.sql(
        "SELECT message, key_id, encode(signature, 'base64') FROM pay.seal "
        "WHERE number = %s", seal["number"],
    )  # fmt: skip
    assert [(seal["message"], seal["key_id"], seal["signature"])] == [
        (message_, key, signature.replace("\n", ""))
        for message_, key, signature in stored
    ]
    (tmp_path / "messages").write_bytes(b"Nov 21 kernel: x\n" + line + b"\n")
    export(own_stack.values["PG_DSN"], tmp_path / "export")
    keys = [own_stack.values["AUDIT_PUBLIC_KEY"]]
    keys += Path(own_stack.values["RUN_DIR"]).glob("secrets/rotated.pub")
    code, lines = verify(own_stack, tmp_path / "export", "--roots",
                         tmp_path / "messages", keys=keys)  # fmt: skip
    assert code == VALID, lines
    assert any(line.startswith("roots     1 seal is") for line in lines)


def test_a_seal_is_not_joined_to_a_line_that_was_cut(own_stack, sold):
    """A disk was full in the middle of a line, and the next seal was lost."""
    path = Path(own_stack.values["AUDIT_SEALS"]).with_name("cut.jsonl")
    cut = '{"t":"seal","number":1,"mess'
    path.write_text(cut)
    with configured(
        own_stack,
        f'payments_audit "key_file={own_stack.values["AUDIT_KEY_FILE"]}" '
        f'interval=300ms "export={path}";',
    ):
        for count in (2, 3):
            own_stack.created()
            wait_for(
                lambda: path.read_text().count("\n") >= count,  # noqa: B023
                "a seal",
            )
    first, *seals = path.read_text().splitlines()
    assert first == cut
    assert {json.loads(seal)["t"] for seal in seals} == {"seal"}


def test_a_log_is_whole_after_all_that(own_stack, tmp_path):
    """Nothing of the other tests has left a mark."""
    wait_sealed(own_stack)
    export(own_stack.values["PG_DSN"], tmp_path / "export")
    keys = [own_stack.values["AUDIT_PUBLIC_KEY"]]
    keys += Path(own_stack.values["RUN_DIR"]).glob("secrets/rotated.pub")
    code, lines = verify(own_stack, tmp_path / "export", *roots(own_stack),
                         keys=keys)  # fmt: skip
    assert (code, lines[-1]) == (VALID, "valid"), lines
