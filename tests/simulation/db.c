/*
 * PostgreSQL: one connection as the gateway, which runs operations and
 * nothing else, and one as the judge.  Its clock stands still between two
 * writes of the clock file (clock/clock.c).
 */

#include <fcntl.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "sim.h"


#define TEMPLATE       "simulation"
#define ASK_MAX        8
#define QUESTIONS_MAX  48
#define CONNINFO_MAX   1024

#define OID_BYTEA  17
#define OID_INT8   20
#define OID_TEXT   25
#define OID_JSONB  3802


struct sim_db_s {
    const char  *host;
    int          clock;
    int64_t      clock_says;
    unsigned     number;           /* of the present database */
    PGconn      *maker;            /* makes and drops databases */
    PGconn      *gateway;
    PGconn      *judge;
    PGresult    *rows;             /* of the judge's last question */
    const char  *questions[QUESTIONS_MAX];       /* that are prepared */
    unsigned     question_count;
};

typedef struct {
    unsigned char  *data;
    size_t          len, size;
} bytes_t;


static PGconn *enter(sim_db_t *db, const char *user, const char *database);
static void must(PGconn *pg, const char *sql);
static void prepare(sim_db_t *db);
static int moves_jobs(pay_op_id_t op);
static const char *question(sim_db_t *db, const char *sql);
static PGresult *execute(sim_db_t *db, const pay_op_t *op,
    sim_call_t **calls, unsigned count);
static void encode(bytes_t *out, const pay_op_t *op, unsigned arg,
    sim_call_t **calls, unsigned count);
static void put(bytes_t *out, const void *data, size_t len);
static void put_int(bytes_t *out, uint64_t number, unsigned size);
static uint64_t get_int(const char *data, unsigned size);
static void deliver(sim_t *sim, const pay_op_t *op, PGresult *rows,
    sim_call_t **calls, unsigned count);
static pay_value_t *decode(sim_t *sim, const pay_op_t *op, PGresult *rows,
    int row);


static const struct {
    uint32_t  element;
    Oid       array;
} oids[] = {
    [PAY_TEXT] = { OID_TEXT, 1009 }, [PAY_BYTES] = { OID_BYTEA, 1001 },
    [PAY_INT] = { OID_INT8, 1016 }, [PAY_JSON] = { OID_JSONB, 3807 }
};


sim_db_t *
sim_db_open(const char *host, const char *clock_file)
{
    sim_db_t  *db = calloc(1, sizeof(sim_db_t));

    if (db == NULL) {
        sim_die("out of memory");
    }

    db->host = host;
    db->clock = open(clock_file, O_WRONLY);
    if (db->clock < 0) {
        sim_die("cannot open %s", clock_file);
    }

    db->maker = enter(db, "postgres", "postgres");

    return db;
}


void
sim_db_close(sim_db_t *db)
{
    char  sql[128];

    PQclear(db->rows);
    PQfinish(db->gateway);
    PQfinish(db->judge);

    if (db->number != 0) {
        (void) snprintf(sql, sizeof(sql), "DROP DATABASE run_%d_%u",
                        (int) getpid(), db->number);
        must(db->maker, sql);
    }

    PQfinish(db->maker);
    (void) close(db->clock);
    free(db);
}


void
sim_db_renew(sim_db_t *db)
{
    char  name[64], sql[256];

    PQclear(db->rows);
    PQfinish(db->gateway);
    PQfinish(db->judge);
    db->rows = NULL;
    db->question_count = 0;

    if (db->number != 0) {
        (void) snprintf(sql, sizeof(sql), "DROP DATABASE run_%d_%u",
                        (int) getpid(), db->number);
        must(db->maker, sql);
    }

    db->number++;
    (void) snprintf(name, sizeof(name), "run_%d_%u", (int) getpid(),
                    db->number);
    (void) snprintf(sql, sizeof(sql),
                    "CREATE DATABASE %s TEMPLATE " TEMPLATE, name);
    must(db->maker, sql);

    db->judge = enter(db, "postgres", name);
    db->gateway = enter(db, "payments_gateway", name);
    prepare(db);
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


static void
must(PGconn *pg, const char *sql)
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
    Oid              types[PAY_OP_COLUMNS_MAX];
    unsigned         i, k;
    PGresult        *res;
    const pay_op_t  *op;

    for (i = 0; i < PAY_OP_COUNT; i++) {
        op = pay_op(i);

        for (k = 0; k < op->in_count; k++) {
            types[k] = oids[op->in[k]].array;
        }

        res = PQprepare(db->gateway, op->name, op->sql, (int) op->in_count,
                        types);
        if (PQresultStatus(res) != PGRES_COMMAND_OK) {
            sim_die("%s: %s", op->name, PQerrorMessage(db->gateway));
        }

        PQclear(res);
    }

    must(db->judge, "PREPARE due AS SELECT (extract(epoch FROM min(greatest("
         "j.run_at, j.lease_until))) * 1000000)::bigint FROM pay.job j");
}


void
sim_db_clock(sim_db_t *db, int64_t now)
{
    if (db->clock_says == now) {
        return;
    }

    if (pwrite(db->clock, &now, sizeof(now), 0) != sizeof(now)) {
        sim_die("cannot set the clock");
    }

    db->clock_says = now;
}


void
sim_db_run(sim_t *sim, sim_call_t **calls, unsigned count)
{
    unsigned         i;
    PGresult        *rows;
    const char      *state;
    const pay_op_t  *op = pay_op(calls[0]->op);

    sim_db_clock(sim->db, sim->now + sim->db_off);
    sim->figures.operations += count;
    sim->figures.batches++;
    sim->dirty |= moves_jobs(calls[0]->op);

    rows = execute(sim->db, op, calls, count);

    if (PQresultStatus(rows) == PGRES_TUPLES_OK) {
        deliver(sim, op, rows, calls, count);

    } else {
        state = PQresultErrorField(rows, PG_DIAG_SQLSTATE);
        sim_violation(sim, "%s of %u fails, sqlstate %s: %s", op->name, count,
                      state ? state : "none",
                      PQresultErrorField(rows, PG_DIAG_MESSAGE_PRIMARY));

        for (i = 0; i < count; i++) {
            calls[i]->failure = PAY_DB_ERROR;
        }
    }

    PQclear(rows);
}


static int
moves_jobs(pay_op_id_t op)
{
    switch (op) {

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
        return 1;

    default:
        return 0;
    }
}


static PGresult *
execute(sim_db_t *db, const pay_op_t *op, sim_call_t **calls, unsigned count)
{
    int          lengths[PAY_OP_COLUMNS_MAX], formats[PAY_OP_COLUMNS_MAX];
    bytes_t      arrays[PAY_OP_COLUMNS_MAX];
    unsigned     i;
    PGresult    *rows;
    const char  *values[PAY_OP_COLUMNS_MAX];

    memset(arrays, 0, sizeof(arrays));

    for (i = 0; i < op->in_count; i++) {
        encode(&arrays[i], op, i, calls, count);
        values[i] = (const char *) arrays[i].data;
        lengths[i] = (int) arrays[i].len;
        formats[i] = 1;
    }

    rows = PQexecPrepared(db->gateway, op->name, (int) op->in_count, values,
                          lengths, formats, 1);

    for (i = 0; i < op->in_count; i++) {
        free(arrays[i].data);
    }

    return rows;
}


/* array_recv(): dimensions, null flag, type, length, lower bound, elements */
static void
encode(bytes_t *out, const pay_op_t *op, unsigned arg, sim_call_t **calls,
    unsigned count)
{
    unsigned            i, nulls = 0;
    pay_type_t          type = op->in[arg];
    const pay_value_t  *value;

    for (i = 0; i < count; i++) {
        nulls |= calls[i]->args[arg].is_null != 0;
    }

    put_int(out, 1, 4);
    put_int(out, nulls, 4);
    put_int(out, oids[type].element, 4);
    put_int(out, count, 4);
    put_int(out, 1, 4);

    for (i = 0; i < count; i++) {
        value = &calls[i]->args[arg];

        if (value->is_null) {
            put_int(out, UINT32_MAX, 4);

        } else if (type == PAY_INT) {
            put_int(out, 8, 4);
            put_int(out, (uint64_t) value->number, 8);

        } else {
            put_int(out, value->bytes.len + (type == PAY_JSON), 4);

            if (type == PAY_JSON) {
                put_int(out, 1, 1);
            }

            put(out, value->bytes.data, value->bytes.len);
        }
    }
}


static void
put(bytes_t *out, const void *data, size_t len)
{
    if (out->len + len > out->size) {
        out->size = 2 * (out->len + len) + 64;
        out->data = realloc(out->data, out->size);
        if (out->data == NULL) {
            sim_die("out of memory");
        }
    }

    if (len != 0) {
        memcpy(out->data + out->len, data, len);
    }

    out->len += len;
}


static void
put_int(bytes_t *out, uint64_t number, unsigned size)
{
    unsigned       i;
    unsigned char  data[8];

    for (i = 0; i < size; i++) {
        data[i] = (unsigned char) (number >> (8 * (size - 1 - i)));
    }

    put(out, data, size);
}


static uint64_t
get_int(const char *data, unsigned size)
{
    unsigned  i;
    uint64_t  number = 0;

    for (i = 0; i < size; i++) {
        number = number << 8 | (unsigned char) data[i];
    }

    return number;
}


static void
deliver(sim_t *sim, const pay_op_t *op, PGresult *rows, sim_call_t **calls,
    unsigned count)
{
    int       row;
    uint64_t  item;
    unsigned  i;

    if (PQnfields(rows) != (int) op->out_count + 1) {
        sim_die("%s has %d columns", op->name, PQnfields(rows));
    }

    for (row = 0; row < PQntuples(rows); row++) {
        item = get_int(PQgetvalue(rows, row, 0), 4);

        if (item < 1 || item > count || calls[item - 1]->row != NULL) {
            sim_violation(sim, "%s names item %d of %u, or twice", op->name,
                          (int) item, count);
            continue;
        }

        calls[item - 1]->row = decode(sim, op, rows, row);
    }

    for (i = 0; i < count; i++) {
        if (calls[i]->row == NULL) {
            sim_violation(sim, "%s leaves item %u out", op->name, i + 1);
            calls[i]->failure = PAY_DB_ERROR;
        }
    }
}


/* On the heap: the row dies behind the step that gets it. */
static pay_value_t *
decode(sim_t *sim, const pay_op_t *op, PGresult *rows, int row)
{
    int           len;
    unsigned      i;
    const char   *data;
    pay_value_t  *values = sim_alloc(sim, op->out_count * sizeof(*values));

    for (i = 0; i < op->out_count; i++) {
        if (PQgetisnull(rows, row, (int) i + 1)) {
            values[i].is_null = 1;
            continue;
        }

        data = PQgetvalue(rows, row, (int) i + 1);
        len = PQgetlength(rows, row, (int) i + 1);

        if (op->out[i] == PAY_INT) {
            values[i].number = (int64_t) get_int(data, 8);

        } else {
            values[i].bytes = sim_dup(sim, (pay_str_t) {
                                  (size_t) len,
                                  (const unsigned char *) data });
        }
    }

    return values;
}


/* Questions with parameters are literals: their address stands for them. */
static const char *
question(sim_db_t *db, const char *sql)
{
    unsigned     i;
    PGresult    *res;

    static char  name[16];

    for (i = 0; i < db->question_count; i++) {
        if (db->questions[i] == sql) {
            break;
        }
    }

    (void) snprintf(name, sizeof(name), "q%u", i);

    if (i < db->question_count) {
        return name;
    }

    if (i == QUESTIONS_MAX) {
        sim_die("too many questions");
    }

    res = PQprepare(db->judge, name, sql, 0, NULL);
    if (PQresultStatus(res) != PGRES_COMMAND_OK) {
        sim_die("%s: %s", sql, PQerrorMessage(db->judge));
    }

    PQclear(res);
    db->questions[db->question_count++] = sql;

    return name;
}


sim_rows_t
sim_db_ask(sim_db_t *db, const char *sql, unsigned count, ...)
{
    va_list      list;
    unsigned     i;
    sim_rows_t   found;
    const char  *values[ASK_MAX];

    va_start(list, count);

    for (i = 0; i < count; i++) {
        values[i] = va_arg(list, const char *);
    }

    va_end(list);

    PQclear(db->rows);
    db->rows = count == 0
               ? PQexec(db->judge, sql)
               : PQexecPrepared(db->judge, question(db, sql), (int) count,
                                values, NULL, NULL, 0);

    if (PQresultStatus(db->rows) != PGRES_TUPLES_OK) {
        sim_die("%s: %s", sql, PQerrorMessage(db->judge));
    }

    found.rows = PQntuples(db->rows);
    found.columns = PQnfields(db->rows);

    return found;
}


const char *
sim_db_due(sim_db_t *db)
{
    PQclear(db->rows);
    db->rows = PQexecPrepared(db->judge, "due", 0, NULL, NULL, NULL, 0);

    if (PQresultStatus(db->rows) != PGRES_TUPLES_OK) {
        sim_die("when jobs are due: %s", PQerrorMessage(db->judge));
    }

    return PQgetvalue(db->rows, 0, 0);
}


const char *
sim_db_cell(sim_db_t *db, int row, int column)
{
    return PQgetvalue(db->rows, row, column);
}
