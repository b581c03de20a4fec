"""Several hosts in payments_database are gone round when one is dead."""

import re

import pytest
from support.configuration import PLACES
from support.nginxconf import MINIMAL, Nginx, gateway_dsn, swap
from support.ports import free_port
from support.waiting import wait_for

RW = "target_session_attrs=read-write"


def database(dsn: str) -> tuple[str, str]:
    """The directive with that string; nginx has escapes of its own."""
    quoted = dsn.replace("\\", "\\\\").replace('"', '\\"')
    return PLACES["database"], f'payments_database "{quoted}";'



def among_dead_ones(gateway, before: int, more: str = "") -> str:
    """The stack's DSN behind `before` ports where nobody listens."""
    dsn = gateway_dsn(gateway.conf)
    host = re.search(r"host='([^']+)'", dsn).group(1)
    port = re.search(r"port=(\d+)", dsn).group(1)
    hosts = ",".join(["127.0.0.1"] * before + [host])
    ports = ",".join([str(free_port()) for _ in range(before)] + [port])
    dsn = dsn.replace(f"host='{host}'", f"host='{hosts}'")
    dsn = dsn.replace(f"port={port}", f"port={ports}")
    return f"{dsn} {RW} {more}"


@pytest.mark.parametrize("before", [1, 7])
def test_the_host_that_takes_writes_is_found_behind_dead_ones(
    gateway, tmp_path, before
):
    dsn = among_dead_ones(gateway, before)
    with Nginx(gateway, tmp_path, swap(MINIMAL, database(dsn))).start():
        pass  # start() has seen /readyz say 200


def test_each_hosts_string_keeps_the_other_words_as_they_were(
    gateway, tmp_path, query
):
    """Quotes, backslashes and blanks are written anew for each host."""
    name = "o'brien\\ = x"
    text = name.replace("\\", "\\\\").replace("'", "\\'")
    dsn = among_dead_ones(gateway, 1, f"application_name='{text}'")
    with Nginx(gateway, tmp_path, swap(MINIMAL, database(dsn))).start():
        wait_for(
            lambda: query(
                "SELECT 1 FROM pg_stat_activity WHERE application_name = %s",
                name,
            ),
            what="a connection of that name",
        )
