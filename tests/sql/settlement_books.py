"""Books of random histories of settlement: a database that many histories
share, payctl on it as payments_operator, and what is read of it to judge.
"""

import json
import os
import pathlib
import subprocess
import uuid

import migrated
import psycopg2

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAYCTL = os.environ.get("PAYCTL", str(ROOT / "build" / "payctl"))
KEPT = ROOT / "build" / "payctl-kept"

# as the gateway's workers have it (sql/roles.sql): a plan is made once, and
# not for tables that are still empty
PLANS = ("plan_cache_mode = force_generic_plan", "enable_seqscan = off",
         "enable_hashjoin = off", "enable_mergejoin = off",
         "random_page_cost = 0.1", "enable_memoize = off", "jit = off")

# what a history's set-up calls, one call for each step of a payment
STEPS = """
CREATE FUNCTION played.begun(p_merchant text, p_checkout text,
    p_orders text[], p_psp text, p_currency text, p_capture text)
RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM played.begin(p_merchant, 'k-' || p_checkout,
    p_checkout, p_orders, p_psp => p_psp, p_currency => p_currency,
    p_terms => jsonb_build_object('capture', p_capture)) b
$$;
-- a change that is begun, sent and answered, of any merchant and PSP
CREATE FUNCTION played.asked(p_merchant text, p_psp text, p_checkout text,
    p_order text, p_kind text, p_name text, p_amount bigint, p_state text,
    p_reference text)
RETURNS text LANGUAGE sql AS $$
SELECT played.change(p_order, p_kind, p_name, p_amount,
                     p_merchant => p_merchant);
SELECT d.outcome FROM pay_api.begin_dispatch(ARRAY[p_merchant],
    ARRAY[p_checkout], ARRAY[p_kind], ARRAY[played.uuid(p_name)],
    ARRAY[p_psp], '{600}', '{30000}', '{request-9}') d;
SELECT d.outcome FROM pay_api.end_dispatch(ARRAY[p_merchant],
    ARRAY[p_checkout], ARRAY[p_kind], ARRAY[played.uuid(p_name)], '{1}',
    ARRAY[p_state], '{complete}', '{200}', '{NULL}', ARRAY[p_reference],
    '{request-9}') d
$$"""
# all that an import may write, but the file itself
DIGEST = """
SELECT md5(concat_ws(' ',
    (SELECT string_agg(e::text, ' ' ORDER BY e.merchant_id, e.source, e.kind)
     FROM pay.journal_entry e),
    (SELECT string_agg(r::text, ' ' ORDER BY r.row_id)
     FROM pay.settlement_row r),
    (SELECT string_agg(x::text, ' ' ORDER BY x.exception_id)
     FROM pay.settlement_exception x),
    (SELECT string_agg(l::text, ' ' ORDER BY l.row_id)
     FROM pay.settlement_link l),
    (SELECT string_agg(c::text, ' ' ORDER BY c.merchant_id, c.source, c.kind)
     FROM pay.settlement_closed c),
    (SELECT string_agg(o::text, ' ' ORDER BY o.merchant_id,
                       o.payment_order_id) FROM pay.payment_order o),
    (SELECT count(*) FROM pay.webhook_inbox),
    (SELECT count(*) FROM pay.settlement_work),
    (SELECT count(*) FROM pay.settlement_staging)))"""
# the same of some merchants and the sources of their files, and how much the
# others have
DIGEST_OF = """
SELECT md5(concat_ws(' ',
    (SELECT string_agg(e::text, ' ' ORDER BY e.merchant_id, e.source, e.kind)
     FROM pay.journal_entry e WHERE e.merchant_id = ANY (%(merchants)s)),
    (SELECT string_agg(concat_ws(' ', r, l), ' ' ORDER BY r.row_id)
     FROM pay.settlement_row r
     LEFT JOIN pay.settlement_link l ON l.row_id = r.row_id
     WHERE r.source = ANY (%(sources)s)),
    (SELECT string_agg(x::text, ' ' ORDER BY x.exception_id)
     FROM pay.settlement_exception x
     WHERE x.merchant_id = ANY (%(merchants)s)),
    (SELECT string_agg(c::text, ' ' ORDER BY c.merchant_id, c.source, c.kind)
     FROM pay.settlement_closed c WHERE c.merchant_id = ANY (%(merchants)s)),
    (SELECT string_agg(o::text, ' ' ORDER BY o.merchant_id,
                       o.payment_order_id)
     FROM pay.payment_order o WHERE o.merchant_id = ANY (%(merchants)s)),
    (SELECT count(*) FROM pay.journal_entry),
    (SELECT count(*) FROM pay.settlement_row),
    (SELECT count(*) FROM pay.settlement_exception),
    (SELECT count(*) FROM pay.settlement_link),
    (SELECT count(*) FROM pay.settlement_closed),
    (SELECT count(*) FROM pay.webhook_inbox),
    (SELECT count(*) FROM pay.settlement_work),
    (SELECT count(*) FROM pay.settlement_staging)))"""


class Kept:
    """payctl that keeps its connection (tests/sql/payctl_kept.c)."""

    def __init__(self):
        self.process = subprocess.Popen(
            [KEPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def begin(self, words):
        """A command, whose answer is awaited later."""
        self.process.stdin.write("\t".join(words).encode() + b"\n")
        self.process.stdin.flush()

    def end(self):
        """Exit code, and what it prints."""
        said = bytearray()
        while not said.endswith(b"\0"):
            byte = self.process.stdout.read(1)
            assert byte, "payctl-kept has ended"
            said += byte
        return int(self.process.stdout.readline()), said[:-1].decode()

    def close(self):
        """It ends with its stdin."""
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0


class Process:
    """payctl as operators call it, a process for each command."""

    def __init__(self):
        self.process = None

    def begin(self, words):
        """A command, whose answer is awaited later."""
        self.process = subprocess.Popen(
            [PAYCTL, *words], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)  # fmt: skip

    def end(self):
        """Exit code, and what it prints."""
        said, _ = self.process.communicate(timeout=300)
        return self.process.returncode, said

    def close(self):
        """Nothing is left of it."""


class Books:
    """A database, a copy of the template, and two payctl on it."""

    def __init__(self, template, path, payctl=Kept):
        self.path = path
        self.name = f"pay_play_{uuid.uuid4().hex[:12]}"
        subprocess.run(["createdb", "-T", template, self.name], check=True)
        self.dsn = f"dbname={self.name} user=payments_operator"
        self.connection = psycopg2.connect(dbname=self.name)
        self.connection.autocommit = True
        for words in PLANS:
            self.sql(f"ALTER DATABASE {self.name} SET {words}")
            self.sql(f"SET {words}")
        self.tools = [payctl(), payctl()]

    def close(self):
        """All of it is gone."""
        for tool in self.tools:
            tool.close()
        self.connection.close()
        subprocess.run(["dropdb", "--force", self.name], check=True)

    def sql(self, query, values=None):
        """All rows of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def payctl(self, *words):
        """Exit code, and what payctl prints."""
        self.tools[0].begin([*words, "--dsn", self.dsn])
        return self.tools[0].end()

    def write(self, file):
        """A file on the disk, and the words that import it."""
        path = self.path / file.name
        path.write_text(file.text, encoding="utf-8")
        return ["settlement", "import", "--source", file.source, "-o", "json",
                str(path)]  # fmt: skip

    def load(self, file):
        """The import of a file: exit code, and what it says."""
        code, said = self.payctl(*self.write(file))
        assert said.startswith("{"), said
        return code, json.loads(said)

    def load_twice(self, file):
        """Two imports of one file at the same time: both exit codes."""
        words = self.write(file)
        for tool in self.tools:
            tool.begin([*words, "--dsn", self.dsn])
        return {tool.end()[0] for tool in self.tools}

    def digest(self):
        """All that imports write."""
        return self.sql(DIGEST)[0][0]


def made_template():
    """The name of a new database with the schema and the helpers of pgTAP's
    tests."""
    make = ["make", "-s", "-C", ROOT, "BUILD=build", "build/payctl-kept"]
    subprocess.run(make, check=True)
    name = f"pay_play_{uuid.uuid4().hex[:12]}"
    migrated.create(name)
    text = "".join((HERE / f"{n}.psql").read_text(encoding="utf-8")
                   for n in ("helpers", "changes"))
    text = "CREATE SCHEMA played;" + text.replace("pg_temp.", "played.")
    subprocess.run(["psql", "-qX", "-d", name], input=text + STEPS,
                   text=True, check=True, capture_output=True)
    return name
