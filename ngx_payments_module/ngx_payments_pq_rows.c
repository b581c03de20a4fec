/*
 * A batch on its way over a connection to PostgreSQL: arguments out, rows in.
 * Knows libpq, but never waits, connects or flushes; ngx_payments_pq.c does.
 */

#include "ngx_payments_pq.h"


/* A statement with arguments, which SET is not. */
#define SET_TIMEOUT  "payments_set_timeout"


static ngx_int_t decode_row(PGresult *rows, int row, const pay_op_t *op,
    pay_value_t *values);


ngx_int_t
ngx_payments_pq_put(PGconn *pg, ngx_payments_batch_t *batch)
{
    int              lengths[PAY_OP_COLUMNS_MAX], formats[PAY_OP_COLUMNS_MAX];
    ngx_str_t        array;
    ngx_uint_t       i;
    const char      *values[PAY_OP_COLUMNS_MAX];
    const pay_op_t  *op;

    op = pay_op(batch->op);

    for (i = 0; i < op->in_count; i++) {
        if (ngx_payments_batch_encode(batch->pool, op, i, batch->calls,
                                      batch->count, &array)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        values[i] = (char *) array.data;
        lengths[i] = (int) array.len;
        formats[i] = 1;
    }

    return PQsendQueryPrepared(pg, op->name, (int) op->in_count, values,
                               lengths, formats, 1)
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_payments_pq_prepare_timeout(PGconn *pg)
{
    return PQsendPrepare(pg, SET_TIMEOUT,
                         "SELECT set_config('statement_timeout',$1,false),"
                         "set_config('lock_timeout',$2,false)", 0, NULL)
           ? NGX_OK : NGX_ERROR;
}


/* The server's deadlines stay below ours, so that an answer says more than a
 * dropped connection would; and what is locked by others does not take all
 * the time of a batch: its items get a try each. */
ngx_int_t
ngx_payments_pq_set_timeout(PGconn *pg, ngx_msec_t call, ngx_msec_t stage)
{
    u_char       statement[NGX_INT_T_LEN + 1], lock[NGX_INT_T_LEN + 1];
    ngx_msec_t   most = call - call / 5, most_lock = call / 4;
    const char  *values[] = { (char *) statement, (char *) lock };

    if (stage != 0) {
        most = ngx_min(most, stage);
        most_lock = ngx_min(most_lock, stage / 2);
    }

    *ngx_sprintf(statement, "%M", most) = '\0';
    *ngx_sprintf(lock, "%M", most_lock) = '\0';

    return PQsendQueryPrepared(pg, SET_TIMEOUT, 2, values, NULL, NULL, 1)
           ? NGX_OK : NGX_ERROR;
}


void
ngx_payments_pq_deliver(ngx_payments_batch_t *batch, PGresult *rows)
{
    int                   row, total;
    ngx_uint_t            item, i;
    pay_value_t           values[PAY_OP_COLUMNS_MAX];
    const pay_op_t       *op;
    ngx_payments_call_t  *call;

    op = pay_op(batch->op);
    total = PQntuples(rows);

    if (PQnfields(rows) != (int) op->out_count + 1) {
        total = 0;
    }

    for (row = 0; row < total; row++) {
        item = ngx_payments_batch_item((u_char *) PQgetvalue(rows, row, 0),
                                       PQgetlength(rows, row, 0));
        if (item < 1 || item > batch->count || batch->calls[item - 1] == NULL
            || decode_row(rows, row, op, values) != NGX_OK)
        {
            continue;
        }

        call = batch->calls[item - 1];
        batch->calls[item - 1] = NULL;
        call->done(call, values, 0);
    }

    for (i = 0; i < batch->count; i++) {
        if (batch->calls[i] != NULL) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                          "payments: operation left an item out, op:%s",
                          op->name);
            batch->calls[i]->done(batch->calls[i], NULL, PAY_DB_ERROR);
        }
    }
}


static ngx_int_t
decode_row(PGresult *rows, int row, const pay_op_t *op, pay_value_t *values)
{
    ngx_uint_t  i;

    for (i = 0; i < op->out_count; i++) {
        if (ngx_payments_batch_decode(op->out[i],
                                      PQgetisnull(rows, row, i + 1),
                                      (u_char *) PQgetvalue(rows, row, i + 1),
                                      PQgetlength(rows, row, i + 1),
                                      &values[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
