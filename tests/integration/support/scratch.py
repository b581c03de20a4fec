"""Databases with the whole schema beside the gateway's own: the first one of a
server is migrated, and the others are copies of it, which takes a tenth of the
time.
"""

import atexit
import contextlib
import functools
import os
import subprocess
import uuid

import psycopg2

from .gateway import PAYCTL, ROOT


@contextlib.contextmanager
def database(server: str, prefix: str):
    """server: a superuser's dsn; → the dsn of a database for the caller only"""
    name = f"{prefix}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {model(server)}")
    try:
        yield psycopg2.extensions.make_dsn(server, dbname=name)
    finally:
        drop(server, name)


@functools.cache
def model(server: str) -> str:
    """Nobody is ever connected to it."""
    name = f"pay_model_{os.getpid()}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE template0")
    atexit.register(forget, server, name)
    dsn = psycopg2.extensions.make_dsn(server, dbname=name)
    subprocess.run(
        [PAYCTL, "migrate", "--dsn", dsn, "--sql", ROOT / "sql"],
        check=True,
        capture_output=True,
    )
    return name


def drop(server: str, name: str) -> None:
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def forget(server: str, name: str) -> None:
    """Many a server has ended by then."""
    with contextlib.suppress(psycopg2.OperationalError):
        drop(server, name)


def fetch(server: str, statement: str, *args) -> list[tuple]:
    """Its rows, over a connection of its own."""
    link = psycopg2.connect(server, connect_timeout=5)
    try:
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute(statement, args or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        link.close()


def execute(server: str, statement: str) -> None:
    fetch(server, statement)
