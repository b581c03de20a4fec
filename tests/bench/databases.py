"""Databases beside the gateway's own, on its cluster: lean's, and scratch ones
with the product's SQL.
"""

import os
import subprocess
import urllib.parse

from rig import BUILD, HERE, PGBIN, ROOT

# The gateway's own settings (sql/roles.sql).
PLANS = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
    " -c enable_hashjoin=off -c enable_mergejoin=off -c enable_memoize=off"
    " -c random_page_cost=0.1 -c jit=off"
)
LEAN = ("schema.sql", "steps.sql", "sets.sql")


def dsn(env: dict, name: str, options: str = "") -> str:
    """env: gateway.env's"""
    at = urllib.parse.urlsplit(env["PG_ADMIN_DSN"])
    query = dict(urllib.parse.parse_qsl(at.query)) | {"options": options}
    query = urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
    return f"{at.scheme}://{at.netloc}/{name}?{query}"


def psql(where: str, *arguments) -> str:
    return subprocess.run(
        [PGBIN / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", where, *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def made(env: dict, name: str) -> bool:
    """Whether the database is new; it exists afterwards."""
    admin = env["PG_ADMIN_DSN"]
    known = f"SELECT FROM pg_database WHERE datname = '{name}'"
    if psql(admin, "-c", f"SELECT EXISTS ({known})") == "t":
        return False
    psql(admin, "-c", f"CREATE DATABASE {name} TEMPLATE template0")
    return True


def lean(env: dict, name: str = "bench_lean") -> str:
    """The DSN of a database of this name that has lean's schema."""
    where = dsn(env, name)
    if made(env, name):
        for file in LEAN:
            psql(where, "-f", HERE / "lean" / file)
    return where


def product(env: dict, name: str) -> str:
    """The same with the product's SQL, and the gateway's planner."""
    where = dsn(env, name, PLANS)
    if made(env, name):
        subprocess.run(
            [BUILD / "payctl", "migrate", "--dsn", where],
            check=True,
            stdout=subprocess.DEVNULL,
            env=dict(os.environ, PAYCTL_SQL=str(ROOT / "sql")),
        )
    return where
