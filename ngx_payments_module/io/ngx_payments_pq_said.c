/*
 * Messages of PostgreSQL and libpq about errors, for error.log: made safe, and
 * not repeated while a worker reconnects.
 */

#include "io/ngx_payments_pq_said.h"


#define TELL_AGAIN_MS     60000
#define BACKOFF_FIRST_MS  100
#define BACKOFF_MAX_MS    5000


static ngx_uint_t is_value_error(const char *sqlstate);
static uint32_t loss_hash(const ngx_payments_pq_said_t *said,
    const char *why);


/* The password is given to pay_line(), which takes it out of the text wherever
 * it stands. */
void
ngx_payments_pq_said(ngx_payments_pq_said_t *said, PGconn *pg, PGresult *res,
    const char *sqlstate)
{
    const char  *text;

    if (res == NULL) {
        if (said->message[0] == '\0' && pg != NULL) {
            (void) pay_line(said->message, pay_str_of(PQerrorMessage(pg)), 0,
                            pay_str_of(PQpass(pg)));
        }

        return;
    }

    text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

    if (text == NULL) {
        text = PQresultErrorMessage(res);
    }

    (void) pay_line(said->message, pay_str_of(text),
                    (int) is_value_error(sqlstate), pay_str_of(PQpass(pg)));
}


/* Losses are kept by host, since one that is down and one that is a standby
 * fail in turns. */
ngx_uint_t
ngx_payments_pq_is_told(const ngx_payments_pq_said_t *said, ngx_uint_t host,
    const char *why)
{
    return said->told_at[host] != 0
           && said->told[host] == loss_hash(said, why)
           && ngx_current_msec - said->told_at[host] < TELL_AGAIN_MS;
}


/* Each attempt is another line only while it fails otherwise than the one
 * before.  libpq has no message for what is our own decision, such as a
 * deadline. */
ngx_uint_t
ngx_payments_pq_tell(ngx_payments_pq_said_t *said, ngx_uint_t host,
    const char *why, ngx_uint_t again, ngx_uint_t *untold)
{
    if (again && ngx_payments_pq_is_told(said, host, why)) {
        said->untold++;
        return 0;
    }

    said->told[host] = loss_hash(said, why);
    said->told_at[host] = ngx_current_msec;
    *untold = said->untold;
    said->untold = 0;

    return 1;
}


/* libpq would print it to error.log, which takes no text of others. */
void
ngx_payments_pq_drop_notice(void *arg, const PGresult *notice)
{
}


/* A superuser may bypass every right that the schema gives and takes. */
void
ngx_payments_pq_warn_superuser(const PGconn *pg, ngx_log_t *log)
{
    const char  *superuser;

    superuser = PQparameterStatus(pg, "is_superuser");

    if (superuser != NULL && ngx_strcmp(superuser, "on") == 0) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "payments: connected as a superuser, hint:use the role "
                      "payments_gateway");
    }
}


const char *
ngx_payments_pq_note(const ngx_payments_db_conf_t *conf)
{
    return conf->role == PAY_ROLE_REPLICA ? ", replica:1" : "";
}


ngx_uint_t
ngx_payments_pq_level(const ngx_payments_db_conf_t *conf)
{
    return conf->role == PAY_ROLE_REPLICA ? NGX_LOG_WARN : NGX_LOG_ERR;
}


/* read_only_sql_transaction, admin_shutdown, crash_shutdown,
 * cannot_connect_now (PostgreSQL manual, "PostgreSQL Error Codes"). */
ngx_uint_t
ngx_payments_pq_takes_no_writes(const char *sqlstate)
{
    ngx_uint_t                  i;
    static const char  *const   codes[] = {
        "25006", "57P01", "57P02", "57P03"
    };

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (ngx_strcmp(sqlstate, codes[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


/* Text between quotes is a name, except in data exceptions, whose message
 * quotes a value of ours; our own exceptions may hold one, too. */
static ngx_uint_t
is_value_error(const char *sqlstate)
{
    return sqlstate[0] == '\0' || ngx_strncmp(sqlstate, "22", 2) == 0
           || ngx_strncmp(sqlstate, "P", 1) == 0;
}


static uint32_t
loss_hash(const ngx_payments_pq_said_t *said, const char *why)
{
    uint32_t  hash;

    ngx_crc32_init(hash);
    ngx_crc32_update(&hash, (u_char *) said->message,
                     ngx_strlen(said->message));
    ngx_crc32_update(&hash, (u_char *) why, ngx_strlen(why));
    ngx_crc32_final(hash);

    return hash;
}


/* After each whole round over the hosts, longer from round to round. */
ngx_msec_t
ngx_payments_pq_pause(ngx_uint_t failures, ngx_uint_t hosts)
{
    ngx_uint_t  rounds = failures / hosts;
    ngx_msec_t  delay;

    if (failures % hosts != 0) {
        return 0;
    }

    delay = BACKOFF_FIRST_MS << ngx_min(rounds - 1, 6);
    delay = ngx_min(delay, BACKOFF_MAX_MS);

    return delay + ngx_random() % (delay / 2 + 1);
}
