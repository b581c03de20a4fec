/*
 * The relay's connection to PostgreSQL: it claims messages under a lease and
 * marks them, through the two functions of the schema pay_relay.  Blocking; a
 * lost connection is made again, and a call in between says so.
 */

#ifndef PAY_SRC_RELAY_DB_H
#define PAY_SRC_RELAY_DB_H

#include "relay/conf.h"
#include "relay/log.h"

#include <stddef.h>
#include <stdint.h>


typedef struct pg_conn  PGconn;
typedef struct pg_result  PGresult;

typedef enum {
    RELAY_DB_OK,
    RELAY_DB_TAKEN,                    /* the lease is another relay's */
    RELAY_DB_NEW,                      /* not done: connected, maybe to another
                                        * server that has less of the log */
    RELAY_DB_DOWN                      /* not done, and logged: ask later */
} relay_db_status_t;

typedef struct {
    const relay_conf_t  *conf;
    relay_log_t          log;
    char                 owner[128];   /* no other process has the same */
    PGconn              *conn;
    int                  is_new;       /* RELAY_DB_NEW is due */
    int64_t              retry_at;     /* ms; no connection before */
} relay_db_t;

/* Messages of one claim. */
typedef struct {
    PGresult  *result;
    int        count;
} relay_rows_t;

typedef struct {
    int64_t      position;
    const char  *merchant_id;
    const char  *message_id;
    const char  *type;
    const char  *subject;
    const char  *body;
    size_t       body_size;
} relay_row_t;


/* 1, or 0 when the kernel has no random bytes. */
int relay_db_init(relay_db_t *db, const relay_conf_t *conf);

/* 1 when libpq can read relay.database. */
int relay_db_check(const relay_conf_t *conf);

/* The messages behind the mark and behind `after`; written on success only.
 * The caller frees the rows. */
relay_db_status_t relay_db_claim(relay_db_t *db, int64_t after,
    relay_rows_t *rows);

/* All messages up to `position` have arrived; 0 is a sign of life.  With
 * `lease_ms` 0 the lease is given back.  `lag` is the number of messages behind
 * the mark. */
relay_db_status_t relay_db_mark(relay_db_t *db, int64_t position,
    int lease_ms, int64_t *lag);

void relay_db_close(relay_db_t *db);

/* Valid until the rows are freed. */
relay_row_t relay_rows_at(const relay_rows_t *rows, int n);

void relay_rows_free(relay_rows_t *rows);


#endif /* PAY_SRC_RELAY_DB_H */
