/*
 * PostgreSQL: one connection as the gateway, which runs operations and
 * nothing else, and one as the judge.  Its clock stands still between two
 * writes of the clock file (clock/clock.c).
 */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "db.h"


#define TEMPLATE       "simulation"
#define NAME           "run_%d_%u_%u"    /* process, cell, number */
#define CONNINFO_MAX   1024


/* What an operation has answered, on the scenario's heap. */
typedef struct {
    pay_cell_t  *cells;
    unsigned     columns;
} sheet_t;


static sim_db_t *blank(void);
static PGconn *enter(sim_db_t *db, const char *user, const char *database);
static void prepare(sim_db_t *db);
static void prepare_op(PGconn *pg, pay_op_id_t id);
static void prepare_checks(sim_db_t *db);
static PGresult *run_as(sim_t *sim, sim_call_t **calls, unsigned count,
    sim_run_t how);
static int may_fail(pay_op_id_t op, const char *state);
static int moves_jobs(const sim_t *sim, pay_op_id_t op);
static PGresult *execute(sim_db_t *db, const pay_op_t *op,
    sim_call_t **calls, unsigned count);
static void deliver(sim_t *sim, const pay_op_t *op, PGresult *rows,
    sim_call_t **calls, unsigned count);
static sheet_t copy_cells(sim_t *sim, PGresult *rows);
static pay_cell_t cell_of(const void *rows, unsigned row, unsigned column);
static void own_cells(const sheet_t *sheet, unsigned rows, sim_call_t **calls,
    unsigned count);


sim_db_t *
sim_db_open(const char *host, const char *clock_file)
{
    sim_db_t  *db = blank();

    db->host = host;
    db->clock = calloc(1, sizeof(sim_clock_t));
    if (db->clock == NULL) {
        sim_die("out of memory");
    }

    db->clock->file = open(clock_file, O_WRONLY);
    if (db->clock->file < 0) {
        sim_die("cannot open %s", clock_file);
    }

    db->maker = enter(db, "postgres", "postgres");

    return db;
}


static sim_db_t *
blank(void)
{
    sim_db_t  *db = calloc(1, sizeof(sim_db_t));

    if (db == NULL) {
        sim_die("out of memory");
    }

    return db;
}


sim_db_t *
sim_db_add(const sim_db_t *first, unsigned cell)
{
    sim_db_t  *db = blank();

    db->cell = cell;
    db->host = first->host;
    db->clock = first->clock;
    db->maker = first->maker;

    return db;
}


void
sim_db_close(sim_db_t *db)
{
    sim_db_leave(db);

    if (db->cell == 0) {
        PQfinish(db->maker);
        (void) close(db->clock->file);
        free(db->clock);
    }

    free(db);
}


void
sim_db_renew(sim_db_t *db)
{
    char  name[64], sql[256];

    sim_db_leave(db);
    db->number++;
    (void) snprintf(name, sizeof(name), NAME, (int) getpid(), db->cell,
                    db->number);
    (void) snprintf(sql, sizeof(sql),
                    "CREATE DATABASE %s TEMPLATE " TEMPLATE, name);
    sim_db_must(db->maker, sql);
    db->is_made = 1;

    db->judge = enter(db, "postgres", name);
    db->gateway = enter(db, "payments_gateway", name);
    db->operator = enter(db, "payments_operator", name);
    db->beside = enter(db, "payments_gateway", name);
    prepare(db);
}


/* The present database, if there is one. */
void
sim_db_leave(sim_db_t *db)
{
    char  sql[128];

    PQclear(db->rows);
    PQclear(db->said);
    PQclear(db->told);
    PQfinish(db->gateway);
    PQfinish(db->judge);
    PQfinish(db->operator);
    PQfinish(db->beside);
    db->rows = NULL;
    db->said = NULL;
    db->told = NULL;
    db->gateway = db->judge = db->operator = db->beside = NULL;
    db->question_count = 0;

    if (db->is_made) {
        (void) snprintf(sql, sizeof(sql), "DROP DATABASE " NAME,
                        (int) getpid(), db->cell, db->number);
        sim_db_must(db->maker, sql);
        db->is_made = 0;
    }
}


int
sim_db_is_made(const sim_db_t *db)
{
    return db->is_made;
}


static PGconn *
enter(sim_db_t *db, const char *user, const char *database)
{
    char     conninfo[CONNINFO_MAX];
    PGconn  *pg;

    (void) snprintf(conninfo, sizeof(conninfo),
                    "host=%s user=%s dbname=%s", db->host, user, database);

    pg = PQconnectdb(conninfo);
    if (PQstatus(pg) != CONNECTION_OK) {
        sim_die("cannot connect: %s", PQerrorMessage(pg));
    }

    return pg;
}


void
sim_db_must(PGconn *pg, const char *sql)
{
    PGresult        *res = PQexec(pg, sql);
    ExecStatusType   status = PQresultStatus(res);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        sim_die("%s: %s", sql, PQerrorMessage(pg));
    }

    PQclear(res);
}


static void
prepare(sim_db_t *db)
{
    unsigned  i;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        if (pay_op_role(i) == PAY_ROLE_GATEWAY) {
            prepare_op(db->gateway, i);
        }                               /* the others it may not call */
    }

    prepare_op(db->beside, PAY_OP_EXPLAIN_BEGIN);
    sim_db_must(db->judge, "PREPARE due AS SELECT (extract(epoch FROM min("
                "greatest(j.run_at, j.lease_until))) * 1000000)::bigint "
                "FROM pay.job j");
    prepare_checks(db);
}


static void
prepare_op(PGconn *pg, pay_op_id_t id)
{
    Oid              types[PAY_OP_COLUMNS_MAX];
    char             sql[PAY_OP_SQL_MAX];
    unsigned         k, n;
    PGresult        *res;
    pay_column_t     args[PAY_OP_COLUMNS_MAX];
    const pay_op_t  *op = pay_op(id);

    n = pay_op_args(op, args);
    (void) pay_op_sql(op, sql);

    for (k = 0; k < n; k++) {
        types[k] = pay_type_array(args[k].type);
    }

    res = PQprepare(pg, op->name, sql, (int) n, types);
    if (PQresultStatus(res) != PGRES_COMMAND_OK) {
        sim_die("%s: %s", op->name, PQerrorMessage(pg));
    }

    PQclear(res);
}


/* All views of pay_check at once: to plan them takes longer than to run them.
 * Durability is not this cluster's aim. */
static void
prepare_checks(sim_db_t *db)
{
    (void) sim_db_ask(db, "SELECT 'PREPARE checks AS ' || string_agg(format("
        "'SELECT %L, to_jsonb(c)::text FROM pay_check.%I c', v.viewname, "
        "v.viewname), ' UNION ALL ' ORDER BY v.viewname) FROM "
        "pg_catalog.pg_views v WHERE v.schemaname = 'pay_check' AND "
        "v.viewname <> 'durability'", 0);
    sim_db_must(db->judge, sim_db_cell(db, 0, 0));
}


void
sim_db_clock(sim_db_t *db, int64_t now)
{
    if (db->clock->says == now) {
        return;
    }

    if (pwrite(db->clock->file, &now, sizeof(now), 0) != sizeof(now)) {
        sim_die("cannot set the clock");
    }

    db->clock->says = now;
}


void
sim_db_hold(sim_t *sim, sim_call_t **calls, unsigned count)
{
    sim_db_must(sim->db->gateway, "BEGIN");
    sim_db_run(sim, calls, count, SIM_RUN_WHOLE);
    sim->db->is_held = 1;
}


void
sim_db_end(sim_db_t *db, int is_committed)
{
    sim_db_must(db->gateway, is_committed ? "COMMIT" : "ROLLBACK");
    db->is_held = 0;
}


void
sim_db_run(sim_t *sim, sim_call_t **calls, unsigned count, sim_run_t how)
{
    unsigned         i;
    PGresult        *rows;
    const char      *state;
    const pay_op_t  *op = pay_op(calls[0]->op);

    sim_db_clock(sim->db, sim->now + sim->db_off);
    sim->figures.operations += count;
    sim->figures.batches++;
    sim->dirty |= (unsigned) moves_jobs(sim, calls[0]->op) << sim->cell;

    rows = run_as(sim, calls, count, how);

    if (how == SIM_RUN_TORN) {
        for (i = 0; i < count; i++) {
            calls[i]->failure = PAY_DB_ERROR;
        }

    } else if (PQresultStatus(rows) == PGRES_TUPLES_OK) {
        deliver(sim, op, rows, calls, count);

    } else {
        state = PQresultErrorField(rows, PG_DIAG_SQLSTATE);
        state = state != NULL ? state : "none";

        if (!may_fail(calls[0]->op, state)) {
            sim_violation(sim, "%s of %u fails, sqlstate %s: %s", op->name,
                          count, state,
                          PQresultErrorField(rows, PG_DIAG_MESSAGE_PRIMARY));
        }

        for (i = 0; i < count; i++) {
            calls[i]->failure = PAY_DB_ERROR;
        }
    }

    PQclear(rows);
}


static PGresult *
run_as(sim_t *sim, sim_call_t **calls, unsigned count, sim_run_t how)
{
    PGconn    *gateway = sim->db->gateway;
    PGresult  *rows;

    if (how == SIM_RUN_WHOLE) {
        return execute(sim->db, pay_op(calls[0]->op), calls, count);
    }

    sim_db_must(gateway, "BEGIN");
    rows = execute(sim->db, pay_op(calls[0]->op), calls, count);

    if (how == SIM_RUN_HELD) {
        sim_receivers_beside(sim);
    }

    sim_db_must(gateway, how == SIM_RUN_HELD ? "COMMIT" : "ROLLBACK");

    return rows;
}


/* Another one has begun the file again, and it is not whole yet. */
static int
may_fail(pay_op_id_t op, const char *state)
{
    return (op == PAY_OP_ADVANCE_SETTLEMENT || op == PAY_OP_PROVE_SETTLEMENT)
           && strcmp(state, "PAY24") == 0;
}


/* A sweep carries reviews out, and makes no job else. */
static int
moves_jobs(const sim_t *sim, pay_op_id_t op)
{
    switch (op) {

    case PAY_OP_SWEEP:
        return sim->risk != NULL;

    case PAY_OP_BEGIN_PAYMENT:
    case PAY_OP_STORE_TOKEN:
    case PAY_OP_STORE_NO_TOKEN:
    case PAY_OP_REROUTE:
    case PAY_OP_APPLY_EVENT:
    case PAY_OP_BEGIN_CHANGE:
    case PAY_OP_APPLY_CHANGE:
    case PAY_OP_CLAIM_JOBS:
    case PAY_OP_FINISH_JOB:
    case PAY_OP_END_DISPATCH:
    case PAY_OP_RELEASE_REPLACEMENT:
    case PAY_OP_ADVANCE_SETTLEMENT:
        return 1;

    default:
        return 0;
    }
}


static PGresult *
execute(sim_db_t *db, const pay_op_t *op, sim_call_t **calls, unsigned count)
{
    int            lengths[PAY_OP_COLUMNS_MAX], formats[PAY_OP_COLUMNS_MAX];
    unsigned       i, n;
    PGresult      *rows;
    pay_str_t      arrays[PAY_OP_COLUMNS_MAX];
    const char    *values[PAY_OP_COLUMNS_MAX];
    const void    *items[SIM_BATCH_MAX];
    pay_heap_t    *heap = pay_heap_create();
    pay_column_t   args[PAY_OP_COLUMNS_MAX];

    for (i = 0; i < count; i++) {
        items[i] = calls[i]->args;
    }

    if (heap == NULL
        || pay_op_encode(pay_heap_arena(heap), op, items, count, arrays)
           != PAY_OK)
    {
        sim_die("cannot encode %s", op->name);
    }

    n = pay_op_args(op, args);

    for (i = 0; i < n; i++) {
        values[i] = (const char *) arrays[i].data;
        lengths[i] = (int) arrays[i].len;
        formats[i] = 1;
    }

    rows = PQexecPrepared(db->is_held ? db->beside : db->gateway, op->name,
                          (int) n, values, lengths, formats, 1);
    pay_heap_destroy(heap);

    return rows;
}


static void
deliver(sim_t *sim, const pay_op_t *op, PGresult *rows, sim_call_t **calls,
    unsigned count)
{
    sheet_t       sheet = copy_cells(sim, rows);
    unsigned      i;
    pay_table_t   table = { &sheet, (unsigned) PQntuples(rows), sheet.columns,
                            cell_of };
    pay_result_t  results[SIM_BATCH_MAX];
    pay_status_t  status;

    status = pay_op_decode(pay_heap_arena(sim->heap), op, &table, results,
                           count);

    if (status == PAY_BUG) {
        sim_violation(sim, "%s answers what it may not", op->name);

    } else if (status != PAY_OK) {
        sim_die("out of memory");
    }

    for (i = 0; i < count; i++) {
        calls[i]->result = results[i];

        if (results[i].outcome == PAY_OUTCOME_NONE) {
            sim_violation(sim, "%s leaves item %u out", op->name, i + 1);
            calls[i]->failure = PAY_DB_ERROR;
        }
    }

    own_cells(&sheet, table.row_count, calls, count);
}


static sheet_t
copy_cells(sim_t *sim, PGresult *rows)
{
    unsigned     row, column;
    sheet_t      sheet = { NULL, (unsigned) PQnfields(rows) };
    pay_cell_t  *cell;

    cell = sim_alloc(sim, (size_t) PQntuples(rows) * sheet.columns
                          * sizeof(pay_cell_t));
    sheet.cells = cell;

    for (row = 0; row < (unsigned) PQntuples(rows); row++) {
        for (column = 0; column < sheet.columns; column++, cell++) {
            cell->is_null = PQgetisnull(rows, (int) row, (int) column);
            cell->len = (size_t) PQgetlength(rows, (int) row, (int) column);
            cell->data = sim_dup(sim, (pay_str_t) { cell->len,
                (unsigned char *) PQgetvalue(rows, (int) row, (int) column)
            }).data;
        }
    }

    return sheet;
}


static pay_cell_t
cell_of(const void *rows, unsigned row, unsigned column)
{
    const sheet_t  *sheet = rows;

    return sheet->cells[row * sheet->columns + column];
}


/* Each call gets the cells of its rows, which stand together. */
static void
own_cells(const sheet_t *sheet, unsigned rows, sim_call_t **calls,
    unsigned count)
{
    unsigned           i, row;
    const pay_cell_t  *cells = sheet->cells;

    for (row = 0; row < rows; row++, cells += sheet->columns) {
        /* the item's number: four bytes, of which one is in use */
        i = (cells[0].len == 4) ? cells[0].data[3] - 1U : count;

        if (i < count && calls[i]->result.outcome != PAY_OUTCOME_NONE) {
            calls[i]->cells = calls[i]->cells ? calls[i]->cells : cells;
            calls[i]->cell_count += sheet->columns;
        }
    }
}
