/*
 * payments_database_replica: a standby of a cell's database, which answers
 * reads while it is near enough.  Each worker has one connection to it, so that
 * all that is known of how far it is behind is known of one server.
 */

#include "conf/ngx_http_payments_conf_replica.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "io/ngx_payments_pq_conf.h"


#define DIRECTIVE  "payments_database_replica"
#define DB(member)  NGX_PAYMENTS_FIELD(ngx_payments_db_conf_t, member)


static char *set_dsn(ngx_conf_t *cf, ngx_str_t *dsn, void *object);
static const char *lack_of(const ngx_payments_cell_t *cell);


/* payments_database_replica [CELL] "CONNINFO" [lag=TIME] … */
static const ngx_http_payments_option_t  replica[] = {
    { "", .set = set_dsn },
    { "lag=", NGX_PAYMENTS_MSEC, 500, 60000, 2000, DB(lag) },
    { "batch=", NGX_PAYMENTS_NUMBER, 1, 1024, 64, DB(batch) },
    { "queue=", NGX_PAYMENTS_NUMBER, 1, 1000000, 1024, DB(queue) },
    { "timeout=", NGX_PAYMENTS_MSEC, 10, 10000, 500, DB(timeout) },
    { "wait=", NGX_PAYMENTS_MSEC, 10, 10000, 100, DB(wait) },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_database_replica_line = {
    replica, NULL
};


static char *
set_dsn(ngx_conf_t *cf, ngx_str_t *dsn, void *object)
{
    ngx_payments_db_conf_t  *db = object;

    if (ngx_http_payments_dsn(cf, dsn, DIRECTIVE) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    db->connections = 1;

    return ngx_payments_pq_standbys(cf, dsn, &db->dsns);
}


char *
ngx_http_payments_replica_check(ngx_conf_t *cf, ngx_payments_cell_t *cell)
{
    ngx_conf_t              *at;
    const char              *lack;
    ngx_http_payments_at_t   place;

    if (cell->dbs[PAY_ROLE_REPLICA].dsns == NULL) {
        return NGX_CONF_OK;
    }

    lack = lack_of(cell);

    if (lack != NULL) {
        at = ngx_http_payments_at(&place, cf, cell, DIRECTIVE, 0);
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                           DIRECTIVE " of the cell \"%V\" %s", &cell->name,
                           lack);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* NULL: nothing.  Where the primary may be one of several hosts the standby may
 * be one of the same, since the worker takes none that is no standby. */
static const char *
lack_of(const ngx_payments_cell_t *cell)
{
    ngx_str_t          *dsns, *primary;
    ngx_uint_t          i;
    const ngx_array_t  *replicas = cell->dbs[PAY_ROLE_REPLICA].dsns;
    const ngx_array_t  *primaries = cell->dbs[PAY_ROLE_GATEWAY].dsns;

    dsns = replicas->elts;
    primary = primaries->elts;

    for (i = 0; i < replicas->nelts; i++) {
        if (ngx_payments_pq_resolves(&dsns[i])) {
            return "has a host whose name must be resolved, while which the "
                   "worker would stand still for the primary, too: give "
                   "hostaddr= beside host=, an address or a directory";
        }

        if (primaries->nelts == 1
            && ngx_payments_pq_is_same_place(&dsns[i], primary))
        {
            return "is the primary itself, as payments_database has it: name "
                   "a standby of it";
        }
    }

    return NULL;
}
