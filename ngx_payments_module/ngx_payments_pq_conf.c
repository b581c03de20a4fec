/*
 * libpq's view of payments_database at configuration time: is the text a
 * connection string, and does it hold a secret?  Opens no connection and
 * never shows libpq's own message, which quotes the text.
 */

#include <libpq-fe.h>

#include "ngx_http_payments.h"


ngx_int_t
ngx_payments_pq_check(ngx_str_t *dsn)
{
    ngx_int_t          rc;
    PQconninfoOption  *options, *o;

    options = PQconninfoParse((char *) dsn->data, NULL);
    if (options == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;                  /* "" names nothing */

    for (o = options; o->keyword != NULL; o++) {
        if (o->val == NULL || o->val[0] == '\0') {
            continue;
        }

        if (ngx_strcmp(o->keyword, "password") == 0
            || ngx_strcmp(o->keyword, "sslpassword") == 0)
        {
            rc = NGX_ABORT;
            break;
        }

        rc = NGX_OK;
    }

    PQconninfoFree(options);

    return rc;
}
