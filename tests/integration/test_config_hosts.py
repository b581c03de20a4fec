"""Several hosts in payments_database: paired as libpq pairs them, refused
where a standby could be taken, and gone round when one is dead."""

import re

import pytest
from support.nginxconf import (
    MINIMAL,
    Nginx,
    free_port,
    gateway_dsn,
    swap,
)
from support.waiting import wait_for
from test_config import (
    DB,
    directory,  # noqa: F401 - a fixture
    refuse,  # noqa: F401 - a fixture
)

RW = "target_session_attrs=read-write"
NINE = ",".join(f"db{i}" for i in range(9))


def database(dsn: str) -> tuple[str, str]:
    """The directive with that string; nginx has escapes of its own."""
    quoted = dsn.replace("\\", "\\\\").replace('"', '\\"')
    return DB, f'payments_database "{quoted}";'


BAD = [
    # which of them may it be?
    ("host=a,b dbname=x", "several hosts"),
    ("hostaddr=10.0.0.1,10.0.0.2 dbname=x", "several hosts"),
    ("host=a,b dbname=x target_session_attrs=any", "several hosts"),
    ("host=a,b dbname=x target_session_attrs=''", "several hosts"),
    ("postgresql://a,b/x", "several hosts"),
    ("postgresql://a:1,b:2/x?target_session_attrs=any", "several hosts"),
    *[
        (f"{hosts} dbname=x target_session_attrs={target}", "cannot write")
        for hosts in ("host=a", "host=a,b", "")
        for target in ("read-only", "standby", "prefer-standby")
    ],
    ("host=a target_session_attrs=write", "none of any, read-write and"),
    ("host=a,b target_session_attrs=Primary", "none of any, read-write and"),
    ("postgresql://a,b/x?target_session_attrs=rw", "none of any, read-write"),
    # lists that do not pair
    (f"host=a,b,c hostaddr=10.0.0.1,10.0.0.2 {RW}", "one address for each"),
    (f"host=a hostaddr=10.0.0.1,10.0.0.2 {RW}", "one address for each"),
    (f"host=a,b hostaddr=10.0.0.1 {RW}", "one address for each"),
    (f"host=a,b port=1,2,3 {RW}", "one port for all hosts"),
    (f"host=a,b,c port=1,2 {RW}", "one port for all hosts"),
    (f"host=a port=1,2 {RW}", "one port for all hosts"),
    (f"port=1,2 {RW}", "one port for all hosts"),
    (f"host={NINE} {RW}", "more than 8 hosts"),
    (f"hostaddr={NINE} {RW}", "more than 8 hosts"),
    (f"postgresql://{NINE}/x?{RW}", "more than 8 hosts"),
    (f"host=a, {RW}", "empty place"),
    (f"host=,a {RW}", "empty place"),
    (f"host=a,,b {RW}", "empty place"),
    (f"hostaddr=10.0.0.1, {RW}", "empty place"),
    (f"host='a, b' {RW}", "blank beside a host"),
    (f"host='a ,b' {RW}", "blank beside a host"),
    (f"hostaddr='10.0.0.1, 10.0.0.2' {RW}", "blank beside a host"),
    *[
        (f"host=a,b port={port} {RW}", "ports from 1 to 65535")
        for port in (
            "0", "65536", "1,0", "x", "-1", "5432,x", "1,99999999999999999999",
        )
    ],
    # a secret stays one among many hosts
    (f"host=a,b password=secret {RW}", "must not hold a password"),
    (f"postgresql://u:secret@a,b/x?{RW}", "must not hold a password"),
]  # fmt: skip

GOOD = [
    f"host=a,b dbname=x {RW}",
    "host=a,b dbname=x target_session_attrs=primary",
    f"host=a {RW}",
    "host=a target_session_attrs=any",
    "host=a target_session_attrs=primary",
    f"dbname=x {RW}",
    f"host=a,b,c,d,e,f,g,h {RW}",
    f"host=a,b port=5432 {RW}",
    f"host=a,b port=5432,5433 {RW}",
    f"host=a,b port=,5433 {RW}",
    f"host=a,b hostaddr=10.0.0.1,10.0.0.2 port=1,65535 {RW}",
    f"host=a,b hostaddr=10.0.0.1, {RW}",
    f"hostaddr=10.0.0.1,fd00::2 dbname=x {RW}",
    f"host=/run/a,/run/b dbname=x {RW}",
    f"host='/run/a dir' dbname=x {RW}",
    f"postgresql://a,b:5433/x?{RW}",
    f"postgresql://[::1]:1,[fd00::2]/x?{RW}",
]


@pytest.mark.parametrize(
    ("dsn", "says"), BAD, ids=[dsn[:70] for dsn, _ in BAD]
)
def test_hosts_that_cannot_be_gone_round_are_refused(
    refuse,  # noqa: F811
    dsn,
    says,
):
    said = refuse(says, database(dsn))
    assert "=secret" not in said
    assert "secret@" not in said


@pytest.mark.parametrize("dsn", GOOD)
def test_hosts_that_pair_pass(gateway, directory, dsn):  # noqa: F811
    text = swap(MINIMAL, database(dsn))
    code, said = Nginx(gateway, directory, text).test()
    assert code == 0, said


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
