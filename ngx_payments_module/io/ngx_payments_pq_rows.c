/*
 * A batch on its way over a connection to PostgreSQL: arguments out, rows in.
 * Knows libpq, but never waits, connects or flushes; ngx_payments_pq.c does.
 */

#include "io/ngx_payments_pq_rows.h"
#include "util/ngx_payments_memory.h"


/* A statement with arguments, which SET is not. */
#define SET_TIMEOUT  "payments_set_timeout"


static ngx_int_t prepare(PGconn *pg, const pay_op_t *op);
static pay_cell_t cell_of(const void *rows, unsigned row, unsigned column);


/* Each operation is one statement by its name, prepared once per connection.
 * A replica may be promoted at any time, and is not written to even then. */
ngx_int_t
ngx_payments_pq_prepare(PGconn *pg, pay_op_role_t role)
{
    ngx_uint_t  i;

    if (role == PAY_ROLE_REPLICA
        && !PQsendQueryParams(pg, "SET default_transaction_read_only = on", 0,
                              NULL, NULL, NULL, NULL, 1))
    {
        return NGX_ERROR;
    }

    for (i = 0; i < PAY_OP_COUNT; i++) {
        if (pay_op_is_of(i, role) && prepare(pg, pay_op(i)) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* The types are given, so PostgreSQL guesses none. */
static ngx_int_t
prepare(PGconn *pg, const pay_op_t *op)
{
    Oid           types[PAY_OP_COLUMNS_MAX];
    char          sql[PAY_OP_SQL_MAX];
    unsigned      i, n;
    pay_column_t  args[PAY_OP_COLUMNS_MAX];

    (void) pay_op_sql(op, sql);
    n = pay_op_args(op, args);

    for (i = 0; i < n; i++) {
        types[i] = (Oid) pay_type_array(args[i].type);
    }

    return PQsendPrepare(pg, op->name, sql, (int) n, types) ? NGX_OK
                                                            : NGX_ERROR;
}


/* Arrays lie in the batch's pool, as libpq copies them into its own buffer
 * before it returns.  An error here has sent nothing. */
ngx_int_t
ngx_payments_pq_put(PGconn *pg, ngx_payments_batch_t *batch)
{
    int               lengths[PAY_OP_COLUMNS_MAX], formats[PAY_OP_COLUMNS_MAX];
    unsigned          i, n;
    pay_str_t         arrays[PAY_OP_COLUMNS_MAX];
    const char       *values[PAY_OP_COLUMNS_MAX];
    const void      **items;
    pay_arena_t       arena = ngx_payments_arena(batch->pool);
    pay_column_t      args[PAY_OP_COLUMNS_MAX];
    const pay_op_t   *op = pay_op(batch->op);

    items = ngx_palloc(batch->pool, batch->count * sizeof(void *));
    if (items == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < batch->count; i++) {
        items[i] = batch->calls[i]->args;
    }

    if (pay_op_encode(&arena, op, items, (unsigned) batch->count, arrays)
        != PAY_OK)
    {
        return NGX_ERROR;
    }

    n = pay_op_args(op, args);

    for (i = 0; i < n; i++) {
        values[i] = (char *) arrays[i].data;
        lengths[i] = (int) arrays[i].len;
        formats[i] = 1;
    }

    return PQsendQueryPrepared(pg, op->name, (int) n, values, lengths, formats,
                               1)
           ? NGX_OK : NGX_ERROR;
}


/* `false`: for the session and not for the transaction alone, which ends with
 * the batch. */
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
    ngx_msec_t   limit = call - call / 5, lock_limit = call / 4;
    const char  *values[] = { (char *) statement, (char *) lock };

    if (stage != 0) {
        limit = ngx_min(limit, stage);
        lock_limit = ngx_min(lock_limit, stage / 2);
    }

    *ngx_sprintf(statement, "%M", limit) = '\0';
    *ngx_sprintf(lock, "%M", lock_limit) = '\0';

    return PQsendQueryPrepared(pg, SET_TIMEOUT, 2, values, NULL, NULL, 1)
           ? NGX_OK : NGX_ERROR;
}


/* A call may be freed when it is answered: nothing of it is read after that.
 * The batch is committed, so an answer that cannot be read, or for which there
 * is no memory, is an outcome that is not known, never a failure. */
void
ngx_payments_pq_deliver(ngx_payments_batch_t *batch, PGresult *rows)
{
    ngx_uint_t       i;
    pay_arena_t      arena = ngx_payments_arena(batch->pool);
    pay_table_t      table = { rows, (unsigned) PQntuples(rows),
                               (unsigned) PQnfields(rows), cell_of };
    pay_result_t    *results;
    pay_status_t     status = PAY_NO_MEMORY;
    const pay_op_t  *op = pay_op(batch->op);

    results = ngx_pcalloc(batch->pool, batch->count * sizeof(pay_result_t));

    if (results != NULL) {
        status = pay_op_decode(&arena, op, &table, results,
                               (unsigned) batch->count);
    }

    if (status == PAY_BUG) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "payments: operation answered what it may not, op:%s",
                      op->name);
    }

    for (i = 0; i < batch->count; i++) {
        if (results != NULL && results[i].outcome != PAY_OUTCOME_NONE) {
            batch->calls[i]->done(batch->calls[i], &results[i], 0);
            continue;
        }

        if (status != PAY_NO_MEMORY) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                          "payments: operation left an item out, op:%s",
                          op->name);
        }

        batch->calls[i]->done(batch->calls[i], NULL, PAY_DB_UNKNOWN);
    }
}


/* A length of 0 is an empty text or NULL; only then libpq is asked which. */
static pay_cell_t
cell_of(const void *rows, unsigned row, unsigned column)
{
    int              len;
    const PGresult  *result = rows;

    len = PQgetlength(result, (int) row, (int) column);

    return (pay_cell_t) {
        (unsigned char *) PQgetvalue(result, (int) row, (int) column),
        (size_t) len,
        len == 0 && PQgetisnull(result, (int) row, (int) column)
    };
}
