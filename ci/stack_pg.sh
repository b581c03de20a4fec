# shellcheck shell=bash
# The stack's private PostgreSQL cluster, durable as a real one and never run
# as root.  Sourced by ci/stack, which sets RUN, PG_USER, WORKER_USER, PGPORT
# and PGSOCKETS.
# SQL_PLACE: another directory for the cluster than RUN, as in tests/sql/alone.
# PG_MODEL: a directory for a model of the cluster, which is made once and
# copied for each stack: a copy takes a tenth of the time of the migrations.

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

# The cluster, filled and running.
pg_up() {
    pg_place
    pg_passwords
    if [[ -n ${PG_MODEL:-} ]]; then
        pg_copy
    else
        pg_make
    fi
    pg_roles
}

pg_place() {
    local place=$RUN/pg
    if [[ -n ${SQL_PLACE:-} ]]; then
        place=$(mktemp -d "$SQL_PLACE/payments-pg.XXXXXXXX")
        chmod 0755 "$place"
        ln -s "$place" "$RUN/pg"
    fi
    mkdir -p "$place"
    if is_root; then
        chown "$PG_USER" "$place" "$PGSOCKETS"
    fi
}

pg_passwords() {
    PG_ADMIN_PW=$(random_hex)
    PG_GATEWAY_PW=$(random_hex)
    PG_AUDITOR_PW=$(random_hex)
    PG_CONSOLE_PW=$(random_hex)
    PG_ACT_PW=$(random_hex)
    secret pg_admin.pw "$PG_USER" "$PG_ADMIN_PW"
    pgpass admin.pgpass "$(id -un)" postgres "$PG_ADMIN_PW"
    pgpass gateway.pgpass "$WORKER_USER" payments_gateway "$PG_GATEWAY_PW"
    pgpass console.pgpass "$WORKER_USER" payments_console "$PG_CONSOLE_PW"
    pgpass console_act.pgpass "$WORKER_USER" payments_console_act "$PG_ACT_PW"
}

pg_make() {
    pg_create
    pg_configure
    pg_start
    pg_fill
    pg_sources
    pg_payouts
}

# Under a lock, so that one of several stacks that come up at the same time
# makes the model and the others wait for it.  No server inherits the lock.
pg_copy() {
    local model
    mkdir -p "$PG_MODEL"
    model=$PG_MODEL/$(pg_model_name)
    (
        flock 9
        [[ -d $model ]] || pg_make_model "$model" 9>&-
        cp -a "$model/data" "$RUN/pg/"
    ) 9>"$PG_MODEL/lock"
    pg_configure
    pg_start
    PGPASSFILE=$model/admin.pgpass psql_admin -d postgres \
        <<<"ALTER ROLE postgres PASSWORD '$PG_ADMIN_PW'"
}

# Another one for each change of whatever fills it.
pg_model_name() {
    {
        find "$ROOT/sql" -type f -print0 | sort -z | xargs -0 cat
        cat "$PAYCTL" "$ROOT/ci/stack_pg.sh"
        "$PGBIN/postgres" --version
    } | sha256sum | cut -c -16
}

pg_make_model() {
    find "$PG_MODEL" -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
    pg_make >/dev/null
    pg_stop fast
    mkdir -m 0700 "$1.new"
    cp -a "$RUN/pg/data" "$RUN/secrets/admin.pgpass" "$1.new/"
    mv "$1.new" "$1"
    rm -rf "$RUN/pg/data"
}

# A cluster that the machine's crash loses is one whose tests are over.
pg_create() {
    as "$PG_USER" "$PGBIN/initdb" -D "$RUN/pg/data" -U postgres --no-sync \
        --auth=scram-sha-256 --pwfile="$RUN/secrets/pg_admin.pw" \
        --data-checksums --encoding=UTF8 --locale=C \
        >"$RUN/initdb.log" 2>&1 || {
        cat "$RUN/initdb.log" >&2
        return 1
    }
}

# The last of equal settings counts.
pg_configure() {
    pg_settings | as "$PG_USER" tee -a "$RUN/pg/data/postgresql.conf" \
        >/dev/null
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

# pg_stop MODE: fast, or immediate for what nobody reads again.
pg_stop() {
    if pg_running; then
        as "$PG_USER" "$PGBIN/pg_ctl" -D "$RUN/pg/data" -m "$1" -w -t 60 \
            stop >/dev/null 2>&1 </dev/null || return 1
    fi
}

pg_remove() {
    if [[ -L $RUN/pg && $(readlink "$RUN/pg") == */payments-pg.* ]]; then
        rm -rf "$(readlink "$RUN/pg")"
    fi
}

# Statements on stdin, as superuser.
psql_admin() {
    "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$PGSOCKETS" -p "$PGPORT" \
        -U postgres "$@"
}

admin_sql() {
    PGPASSFILE=$RUN/secrets/admin.pgpass psql_admin "$@"
}

pg_fill() {
    admin_sql -d postgres <<<"CREATE DATABASE payments"
    PGPASSFILE=$RUN/secrets/admin.pgpass "$PAYCTL" migrate \
        --dsn "host=$PGSOCKETS port=$PGPORT dbname=payments user=postgres" \
        --sql "$ROOT/sql"
}

# The passwords travel on stdin, never on a command line.
pg_roles() {
    admin_sql -d payments <<SQL
ALTER ROLE payments_gateway LOGIN PASSWORD '$PG_GATEWAY_PW';
ALTER ROLE payments_auditor LOGIN PASSWORD '$PG_AUDITOR_PW';
ALTER ROLE payments_console LOGIN PASSWORD '$PG_CONSOLE_PW';
ALTER ROLE payments_console_act LOGIN PASSWORD '$PG_ACT_PW';
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
SELECT pay_ops.set_payout_limit('acme', '***', 1000000, 2000000, who,
    'one approver') FROM (VALUES ('stack'), ('second')) w (who);
SQL
}
