# shellcheck shell=bash
# ci/postgres VERSION upgrade: the stack on Debian's version 15 is filled by
# tests, then its cluster is moved to the new version.  Every row, sequence and
# chain must be as it was, the invariants must hold, and payments must go on.
# Sourced by ci/postgres, with stack_pg.sh; PGBIN is that of the new version.

# upgrade_by dump|upgrade, with NEW, the clients and the server that takes over.
upgrade_by() {
    local way=$1 before after
    say "upgrade by pg_$way: 15 is filled"
    PGBIN=$DEBIAN/bin stack_tests
    stack_variables
    stop_pid "$RUN/nginx.pid" nginx QUIT 90
    before=$(pay_state)
    verify_log >"$PLACE/log.15"
    "move_by_$way"
    after=$(pay_state)
    compare "$before" "$after"
    verify_log >"$PLACE/log.new"
    cmp "$PLACE/log.15" "$PLACE/log.new" && say "the event log is the same"
    pay_check
    if [[ $way == dump ]]; then
        raise_transactions
    fi
    PGBIN=$NEW PAY_RUN=$PLACE/run "$ROOT/ci/stack" nginx
    seal_again
    pay_check
}

stack_variables() {
    RUN=$(cd "$PLACE/run" && pwd -P)
    # shellcheck disable=SC1091
    source "$RUN/gateway.env"
    # shellcheck disable=SC2034  # those of stack_pg.sh
    read -r PGSOCKETS <"$RUN/sockets"
    PGPORT=${PG_ADMIN_DSN##*:}
    PGPORT=${PGPORT%/*}
    PG_USER=$(id -un)
    if is_root; then
        PG_USER=postgres
    fi
}

# admin_psql OPTION…: on the database of the stack, whichever server it has.
admin_psql() {
    "$NEW/psql" -XAtq -v ON_ERROR_STOP=1 "$PG_ADMIN_DSN" "$@"
}

# A line for each table and sequence: rows, and a digest of their text.
pay_state() {
    admin_psql <<'SQL'
SELECT format('SELECT %L, count(*), md5(string_agg(md5(t::text), '''' '
    'ORDER BY md5(t::text) COLLATE "C")) FROM %s t', c.oid::regclass,
    c.oid::regclass)
FROM pg_class c
WHERE c.relnamespace IN ('pay'::regnamespace) AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition
ORDER BY c.oid::regclass::text COLLATE "C" \gexec
SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences
WHERE schemaname = 'pay' ORDER BY sequencename COLLATE "C";
SELECT 'sum of lines', currency, count(*), sum(amount_minor),
    sum(abs(amount_minor)) FROM pay.journal_line GROUP BY currency ORDER BY 2;
SQL
}

compare() {
    [[ $1 == "$2" ]] || {
        diff <(say "$1") <(say "$2") >&2 || true
        die "the new database differs from the old one"
    }
    say "the same: $(grep -c '|.*|' <<<"$1") tables with" \
        "$(awk -F'|' 'NF == 3 { n += $2 } END { print n }' <<<"$1") rows," \
        "$(grep 'sum of lines' <<<"$1" | tr '\n' ' ')"
}

pay_check() {
    "$BUILD/payctl" check --dsn "$PG_ADMIN_DSN" | tail -n 1
}

# The exported log, which payctl verifies with the seals before it goes out; the
# tests change keys.
verify_log() {
    local each keys=()
    for each in "$AUDIT_PUBLIC_KEY" "$RUN"/secrets/rotated.pub; do
        [[ ! -e $each ]] || keys+=(--key "$each")
    done
    "$BUILD/payctl" audit export --dsn "$PG_ADMIN_DSN" >"$RUN/log.jsonl"
    "$BUILD/payctl" audit verify "${keys[@]}" "$RUN/log.jsonl" >&2
    cat "$RUN/log.jsonl"
}

# make_cluster: an empty one of the new version in the place of the old one.
make_cluster() {
    PGBIN=$DEBIAN/bin pg_stop fast
    as "$PG_USER" mv "$RUN/pg/data" "$RUN/pg/data.15"
    PGBIN=$NEW pg_create
    PGBIN=$NEW pg_configure
}

move_by_dump() {
    "$NEW/pg_dumpall" -d "$PG_ADMIN_DSN" --globals-only >"$PLACE/globals.sql"
    "$NEW/pg_dump" --create "$PG_ADMIN_DSN" >"$PLACE/payments.sql"
    make_cluster
    PGBIN=$NEW pg_start
    sed -i '/^CREATE ROLE postgres;$/d' "$PLACE/globals.sql"
    "$NEW/psql" -Xq -v ON_ERROR_STOP=1 -o /dev/null \
        "${PG_ADMIN_DSN%/*}/postgres" -f "$PLACE/globals.sql" \
        -f "$PLACE/payments.sql"
    rm "$PLACE/globals.sql" "$PLACE/payments.sql"
    admin_psql -c ANALYZE
}

move_by_upgrade() {
    make_cluster
    # shellcheck disable=SC2016  # it is the other shell's to expand
    as "$PG_USER" env PGPASSFILE="$RUN/pg/pass" bash -c '
        cd "$1"; umask 077; printf "*:*:*:*:%s\n" "$(<"$2")" >pass
        "$3/pg_upgrade" -b "$4" -B "$3" -d data.15 -D data -U postgres \
            -s "$1"' upgrade "$RUN/pg" "$RUN/secrets/pg_admin.pw" "$NEW" \
        "$DEBIAN/bin" | tail -n 3
    PGBIN=$NEW pg_start
    admin_psql -c ANALYZE
}

# The new cluster's numbers begin anew and must pass those of the last seal
# (docs/audit.md).  pg_resetwal does it where it is served; few are taken here.
raise_transactions() {
    admin_psql -o /dev/null <<'SQL'
SELECT 'SELECT pg_current_xact_id()' FROM generate_series(1, (
    SELECT greatest(0, max(until_tx) + 1
        - pg_current_xact_id()::text::bigint) FROM pay.seal)) \gexec
SQL
}

# Payments, and a seal that ends behind all of the old ones.  The tests of seals
# are for a stack that has one key so far.
seal_again() {
    local last
    last=$(admin_psql -c "SELECT max(until_tx) FROM pay.seal")
    PGBIN=$NEW stack_tests test_audit.py
    wait_until 60 "a seal of the new cluster" is_sealed "$last"
    say "sealing goes on behind transaction $last"
}

is_sealed() {
    [[ $(admin_psql -c "SELECT max(until_tx) > $1 FROM pay.seal") == t ]]
}
