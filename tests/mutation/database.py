"""Mutants of SQL, each in a copy of a migrated database, against pgTAP files;
one that they let live meets ci/check-ops and the simulator.

Needs a cluster of its own (tests/sql/alone) and build/payctl.
"""

import json
import os
import pathlib
import re
import subprocess
import time

from simulator import Simulator

MODEL, COPY = "pay_mutants", "pay_mutant"
# What takes a file's time ten times over, and that much more, hangs.
PATIENCE, MORE_S = 10, 20
# They look at plans and counts of statements, not at what happens to money.
LEFT_OUT = re.compile(r"^(00_plans|84_lean|9\d_plans)")
NAME = re.compile(r"\b(?:pay|pay_api|pay_view)?\.?(\w+)\(")


class Database:
    def __init__(self, root: pathlib.Path, tree: pathlib.Path):
        self.tree = tree
        self.payctl = root / "build" / "payctl"
        self.files = [
            f
            for f in sorted((tree / "tests/sql").glob("[0-9]*.sql"))
            if not LEFT_OUT.match(f.name)
        ]
        checks = sorted((tree / "sql/checks").glob("*.sql"))
        asserted = tree / "checks.psql"
        asserted.write_text(
            "".join(
                f"SELECT is_empty($check${f.read_text()}$check$, "
                f"'invariant: {f.stem}');\n"
                for f in checks
            )
        )
        self.env = os.environ | {
            "CHECKS": str(asserted),
            "FIXTURES": str(root / "tests/fixtures"),
            "CHECKS_TEXT": json.dumps(
                [{"name": f.stem, "sql": f.read_text()} for f in checks]
            ),
            "PAYCTL_SQL": str(tree / "sql"),
            "PAYCTL_DSN": f"dbname={MODEL}",
        }
        self.times, self.entered = {}, {}
        self.make_model()
        self.cover()
        self.check_ops = root / "ci/check-ops"
        self.simulator = Simulator(root, tree)

    def psql(self, database: str, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database, *words],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def make_model(self) -> None:
        subprocess.run(
            [
                "createdb",
                "--template",
                "template0",
                "--encoding",
                "UTF8",
                MODEL,
            ],
            env=self.env,
            check=True,
        )
        subprocess.run(
            [self.payctl, "migrate"],
            env=self.env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self.psql(
            MODEL,
            "-c",
            "CREATE SCHEMA tap",
            "-c",
            "CREATE EXTENSION pgtap SCHEMA tap",
        )

    def new_copy(self) -> None:
        """The template's own rights do not come with its contents."""
        for order in (
            f"DROP DATABASE IF EXISTS {COPY} (FORCE)",
            f"CREATE DATABASE {COPY} TEMPLATE {MODEL}",
            f"REVOKE ALL ON DATABASE {COPY} FROM PUBLIC",
        ):
            self.psql("postgres", "-c", order)

    def passes(self, file: pathlib.Path, limit_s: float) -> bool:
        words = ["pg_prove", "--quiet", "--dbname", COPY, str(file)]
        try:
            done = subprocess.run(
                words,
                env=self.env,
                capture_output=True,
                check=False,
                timeout=limit_s,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def cover(self) -> None:
        """Which functions each file enters.  Those that PostgreSQL inlines are
        counted nowhere; callers() finds their tests."""
        self.psql(
            "postgres",
            "-c",
            "ALTER SYSTEM SET track_functions = 'all'",
            "-c",
            "SELECT pg_reload_conf()",
        )
        for file in self.files:
            self.new_copy()
            begun = time.monotonic()
            if not self.passes(file, 600):
                raise RuntimeError(f"{file.name} fails without any mutant")
            self.times[file] = time.monotonic() - begun
            seen = self.psql(
                COPY,
                "-c",
                "SELECT pg_stat_force_next_flush()",
                "-c",
                "SELECT DISTINCT funcname FROM "
                "pg_stat_user_functions WHERE schemaname ~ '^pay'",
            )
            for name in seen.stdout.split():
                self.entered.setdefault(name, set()).add(file)
        text = "\n".join(
            f.read_text()
            for f in sorted((self.tree / "sql/functions").glob("*.sql"))
        )
        self.bodies = dict(
            re.findall(
                r"^CREATE OR REPLACE FUNCTION \w+\.(\w+)\((.*?)^\$\$;",
                text,
                re.M | re.S,
            )
        )

    def tests_of(self, name: str, depth: int = 3) -> set[pathlib.Path]:
        found = self.entered.get(name, set())
        if found or depth == 0:
            return found
        for caller, body in self.bodies.items():
            if caller != name and name in NAME.findall(body):
                found = found | self.tests_of(caller, depth - 1)
        return found

    def judge(self, mutant, text: str) -> tuple[str, str]:
        files = (
            self.tests_of(mutant.function)
            if mutant.function
            else set(self.files)
        )
        self.new_copy()
        place = self.tree / "mutant.sql"
        changed = mutant.apply(text)
        if not mutant.function:
            rows = changed[changed.index("INSERT INTO transition ") :]
            changed = (
                "SET LOCAL session_replication_role = 'replica';\n"
                "DELETE FROM pay.transition;\n"
                "SET LOCAL search_path = pay;\n" + rows[: rows.index(";") + 1]
            )
        place.write_text(changed)
        if self.psql(COPY, "-1", "-f", str(place)).returncode != 0:
            return "refused", "PostgreSQL"
        for file in sorted(files, key=self.times.get):
            if not self.passes(file, self.times[file] * PATIENCE + MORE_S):
                return "killed", file.name
        if by := self.others(mutant, text):
            return "killed", by
        return "survived", f"{len(files)} files, the simulator"

    def others(self, mutant, text: str) -> str:
        """What else kills it."""
        compared = subprocess.run(
            [self.check_ops, f"dbname={COPY}"],
            env=self.env | {"PAYCTL": str(self.payctl)},
            capture_output=True,
            check=False,
        )
        if compared.returncode != 0:
            return "ci/check-ops"
        place = self.tree / mutant.path
        place.write_text(mutant.apply(text))
        try:
            why = self.simulator.violation()
        finally:
            place.write_text(text)
        return f"the simulator, {why}" if why else ""
