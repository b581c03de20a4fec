# shellcheck shell=bash
# The stack's private PostgreSQL cluster, durable as a real one and never run
# as root.  Sourced by ci/stack, which sets RUN, PG_USER, WORKER_USER, PGPORT
# and PGSOCKETS.

pg_settings() {
    cat <<SETTINGS
listen_addresses = '127.0.0.1'
port = $PGPORT
unix_socket_directories = '$PGSOCKETS'
unix_socket_permissions = 0777
max_connections = 200
shared_buffers = 256MB
fsync = on
synchronous_commit = on
full_page_writes = on
password_encryption = 'scram-sha-256'
timezone = 'UTC'
# nothing of a statement's values in the log
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length_on_error = 0
SETTINGS
}

# pgpass FILE OWNER USER PASSWORD
pgpass() {
    secret "$1" "$2" "*:*:*:$3:$4"
    chmod 0600 "$RUN/secrets/$1"
}

pg_create() {
    local data=$RUN/pg/data
    mkdir -p "$RUN/pg"
    PG_ADMIN_PW=$(random_hex)
    PG_GATEWAY_PW=$(random_hex)
    PG_AUDITOR_PW=$(random_hex)
    secret pg_admin.pw "$PG_USER" "$PG_ADMIN_PW"
    pgpass admin.pgpass "$(id -un)" postgres "$PG_ADMIN_PW"
    pgpass gateway.pgpass "$WORKER_USER" payments_gateway "$PG_GATEWAY_PW"
    if is_root; then
        chown "$PG_USER" "$RUN/pg" "$PGSOCKETS"
    fi
    as "$PG_USER" "$PGBIN/initdb" -D "$data" -U postgres --auth=scram-sha-256 \
        --pwfile="$RUN/secrets/pg_admin.pw" --data-checksums \
        --encoding=UTF8 --locale=C >"$RUN/initdb.log" 2>&1 || {
        cat "$RUN/initdb.log" >&2
        return 1
    }
    pg_settings | as "$PG_USER" tee -a "$data/postgresql.conf" >/dev/null
}

pg_start() {
    as "$PG_USER" "$PGBIN/pg_ctl" -D "$RUN/pg/data" -l "$RUN/pg/log" \
        -w -t 60 start >"$RUN/pg_ctl.log" 2>&1 </dev/null || {
        cat "$RUN/pg_ctl.log" "$RUN/pg/log" >&2
        return 1
    }
    wait_until 30 PostgreSQL "$PGBIN/pg_isready" -h "$PGSOCKETS" -p "$PGPORT"
}

pg_running() {
    pid_of "$RUN/pg/data/postmaster.pid" "$PGBIN/postgres" >/dev/null
}

pg_stop() {
    if pg_running; then
        as "$PG_USER" "$PGBIN/pg_ctl" -D "$RUN/pg/data" -m fast -w -t 60 \
            stop >/dev/null 2>&1 </dev/null || return 1
    fi
}

# admin_sql: statements on stdin, as superuser.
admin_sql() {
    PGPASSFILE=$RUN/secrets/admin.pgpass "$PGBIN/psql" -X -q \
        -v ON_ERROR_STOP=1 -h "$PGSOCKETS" -p "$PGPORT" -U postgres "$@"
}

# The passwords travel on stdin, never on a command line.
pg_fill() {
    admin_sql -d postgres <<<"CREATE DATABASE payments"
    PGPASSFILE=$RUN/secrets/admin.pgpass "$PAYCTL" migrate \
        --dsn "host=$PGSOCKETS port=$PGPORT dbname=payments user=postgres" \
        --sql "$ROOT/sql"
    admin_sql -d payments <<SQL
ALTER ROLE payments_gateway LOGIN PASSWORD '$PG_GATEWAY_PW';
ALTER ROLE payments_auditor LOGIN PASSWORD '$PG_AUDITOR_PW';
SQL
}

# Where settlement files come from: one source for each PSP, and a bank for
# each of the two formats.  All are of the merchant acme.
pg_sources() {
    local each
    for each in stripe adyen paypal square mollie generic; do
        pg_source "$each" --format "$each" --psp "$each"
    done
    pg_source bank-camt --format camt.053
    pg_source bank-mt940 --format mt940
}

# pg_source NAME OPTION…
pg_source() {
    PGPASSFILE=$RUN/secrets/admin.pgpass "$PAYCTL" settlement source \
        --dsn "host=$PGSOCKETS port=$PGPORT dbname=payments user=postgres" \
        "$1" --merchant acme "${@:2}" >/dev/null
}

# The provider that pays the sellers of acme out; one approver is enough.
pg_payouts() {
    admin_sql -d payments -o /dev/null <<SQL
SELECT pay_ops.set_payout_provider('acme', 'generic', 'generic', '{iban}',
    '{EUR,USD}', NULL, 'stack', 'the mock pays out');
SELECT pay_ops.set_payout_limit('acme', '***', 1000000, 2000000, 'stack',
    'one approver');
SQL
}
