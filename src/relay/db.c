/*
 * libpq for the relay.  Each call is one statement, so that no transaction is
 * open while messages are on their way.
 */

#include "relay/db.h"

#include "relay/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <libpq-fe.h>


#define DB_RETRY_MS  1000
#define DB_NUMBER    24                /* digits of a bigint, a sign, a NUL */

/* Reasons of relay_log_is_new(). */
enum { REASON_INVALID, REASON_CONNECT, REASON_CALL };

enum { COLUMN_OUTCOME, COLUMN_POSITION, COLUMN_MERCHANT, COLUMN_ID,
       COLUMN_TYPE, COLUMN_SUBJECT, COLUMN_BODY };


static int db_is_up(relay_db_t *db);
static PGconn *db_connect(const relay_conf_t *conf);
static PGresult *db_call(relay_db_t *db, const char *sql, int count,
    const char *const *values);
static relay_db_status_t db_not_done(relay_db_t *db);
static void db_lost(relay_db_t *db, int reason);
static relay_db_status_t db_judge(relay_db_t *db, const PGresult *result);
static const char *db_text(char *number, int64_t value);


int
relay_db_init(relay_db_t *db, const relay_conf_t *conf)
{
    char      host[64];
    uint64_t  once;

    memset(db, 0, sizeof(*db));
    db->conf = conf;

    if (getrandom(&once, sizeof(once), 0) != sizeof(once)) {
        relay_log("error", "no random bytes");
        return 0;
    }

    if (gethostname(host, sizeof(host)) != 0) {
        host[0] = '\0';
    }

    host[sizeof(host) - 1] = '\0';
    snprintf(db->owner, sizeof(db->owner), "%s/%ld/%016" PRIx64, host,
             (long) getpid(), once);

    return 1;
}


/* libpq's complaint would quote the text, which may have a password. */
int
relay_db_check(const relay_conf_t *conf)
{
    PQconninfoOption  *found = PQconninfoParse(conf->database, NULL);

    if (found == NULL) {
        relay_log("error", "relay.database is no connection string of libpq");
        return 0;
    }

    PQconninfoFree(found);

    return 1;
}


relay_db_status_t
relay_db_claim(relay_db_t *db, int64_t after, relay_rows_t *rows)
{
    char               lease[DB_NUMBER], behind[DB_NUMBER], most[DB_NUMBER];
    PGresult          *result;
    relay_db_status_t  status;

    const char *const  values[] = {
        db->conf->name, db->owner, db_text(lease, db->conf->lease_ms),
        db_text(behind, after), db_text(most, db->conf->batch)
    };

    result = db_call(db, "SELECT outcome, position, merchant_id, message_id,"
                     " type, subject, body"
                     " FROM pay_relay.claim_messages($1, $2, $3, $4, $5)", 5,
                     values);
    if (result == NULL) {
        return db_not_done(db);
    }

    status = db_judge(db, result);

    if (status != RELAY_DB_OK) {
        PQclear(result);
        return status;
    }

    rows->result = result;
    rows->count = strcmp(PQgetvalue(result, 0, COLUMN_OUTCOME), "empty") == 0
                  ? 0 : PQntuples(result);

    return RELAY_DB_OK;
}


relay_db_status_t
relay_db_mark(relay_db_t *db, int64_t position, int lease_ms, int64_t *lag)
{
    char               lease[DB_NUMBER], place[DB_NUMBER];
    PGresult          *result;
    relay_db_status_t  status;

    const char *const  values[] = {
        db->conf->name, db->owner, db_text(lease, lease_ms),
        db_text(place, position)
    };

    result = db_call(db, "SELECT outcome, lag"
                     " FROM pay_relay.mark_messages($1, $2, $3, $4)", 4,
                     values);
    if (result == NULL) {
        return db_not_done(db);
    }

    status = db_judge(db, result);

    if (status == RELAY_DB_OK) {
        *lag = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
    }

    PQclear(result);

    return status;
}


void
relay_db_close(relay_db_t *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
}


relay_row_t
relay_rows_at(const relay_rows_t *rows, int n)
{
    PGresult  *r = rows->result;

    return (relay_row_t) {
        .position = strtoll(PQgetvalue(r, n, COLUMN_POSITION), NULL, 10),
        .merchant_id = PQgetvalue(r, n, COLUMN_MERCHANT),
        .message_id = PQgetvalue(r, n, COLUMN_ID),
        .type = PQgetvalue(r, n, COLUMN_TYPE),
        .subject = PQgetvalue(r, n, COLUMN_SUBJECT),
        .body = PQgetvalue(r, n, COLUMN_BODY),
        .body_size = (size_t) PQgetlength(r, n, COLUMN_BODY)
    };
}


void
relay_rows_free(relay_rows_t *rows)
{
    PQclear(rows->result);
    rows->result = NULL;
    rows->count = 0;
}


/* The call in which the connection is made is not carried out: its position may
 * be one of another server. */
static int
db_is_up(relay_db_t *db)
{
    if (db->conn != NULL) {
        return 1;
    }

    if (relay_now() < db->retry_at) {
        return 0;
    }

    db->conn = db_connect(db->conf);

    if (PQstatus(db->conn) != CONNECTION_OK) {
        db_lost(db, REASON_CONNECT);
        return 0;
    }

    relay_log("info", "connected to PostgreSQL");
    db->is_new = 1;

    return 0;
}


/* A host that falls silent is noticed, whatever the file says of keepalives;
 * the file's own words come last and count. */
static PGconn *
db_connect(const relay_conf_t *conf)
{
    static const char *const  names[] = {
        "connect_timeout", "tcp_user_timeout", "application_name",
        "client_encoding", "dbname", NULL
    };

    const char *const  values[] = {
        "10", "20000", "payments-relay", "UTF8", conf->database, NULL
    };

    return PQconnectdbParams(names, values, 1);
}


/* A connection whose call has failed is given up: the next one is as good, and
 * nobody has to know which errors it survives. */
static PGresult *
db_call(relay_db_t *db, const char *sql, int count, const char *const *values)
{
    PGresult  *result;

    if (!db_is_up(db)) {
        return NULL;
    }

    result = PQexecParams(db->conn, sql, count, NULL, values, NULL, NULL, 0);

    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) == 0) {
        db_lost(db, REASON_CALL);
        PQclear(result);
        return NULL;
    }

    return result;
}


static relay_db_status_t
db_not_done(relay_db_t *db)
{
    int  is_new = db->is_new;

    db->is_new = 0;

    return is_new ? RELAY_DB_NEW : RELAY_DB_DOWN;
}


/* PQerrorMessage() ends with a line feed and may have several lines. */
static void
db_lost(relay_db_t *db, int reason)
{
    const char  *why = PQerrorMessage(db->conn);

    if (relay_log_is_new(&db->log, reason)) {
        relay_log("warn", "PostgreSQL is out of reach, at:%s, reason:%.*s",
                  reason == REASON_CALL ? "call" : "connect",
                  (int) strcspn(why, "\n"), why);
    }

    PQfinish(db->conn);
    db->conn = NULL;
    db->retry_at = relay_now() + DB_RETRY_MS;
}


static relay_db_status_t
db_judge(relay_db_t *db, const PGresult *result)
{
    const char  *outcome = PQgetvalue(result, 0, COLUMN_OUTCOME);

    if (strcmp(outcome, "taken") == 0 || strcmp(outcome, "lost") == 0) {
        return RELAY_DB_TAKEN;
    }

    if (strcmp(outcome, "invalid") == 0) {
        if (relay_log_is_new(&db->log, REASON_INVALID)) {
            relay_log("error", "PostgreSQL refuses the call, reader:%s,"
                      " do:check relay.name", db->conf->name);
        }

        return RELAY_DB_DOWN;
    }

    relay_log_forget(&db->log);

    return RELAY_DB_OK;
}


static const char *
db_text(char *number, int64_t value)
{
    snprintf(number, DB_NUMBER, "%" PRId64, value);

    return number;
}
