/*
 * PostgreSQL as it is asked beside the gateway: by the judge, by payctl, and by
 * another worker while a batch is not committed.
 */

#include <stdarg.h>
#include <stdio.h>

#include "db.h"


#define ASK_MAX  8


static const char *question(sim_db_t *db, const char *sql);


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

    if (i == SIM_QUESTIONS_MAX) {
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


const char *
sim_db_operate(sim_db_t *db, const char *sql, unsigned count, ...)
{
    va_list      list;
    unsigned     i;
    const char  *values[ASK_MAX];

    va_start(list, count);

    for (i = 0; i < count; i++) {
        values[i] = va_arg(list, const char *);
    }

    va_end(list);

    PQclear(db->said);
    db->said = PQexecParams(db->operator, sql, (int) count, NULL, values,
                            NULL, NULL, 0);

    return PQresultStatus(db->said) == PGRES_TUPLES_OK
           && PQntuples(db->said) == 1 ? PQgetvalue(db->said, 0, 0) : NULL;
}


const char *
sim_db_beside(sim_db_t *db, const char *sql, unsigned count, ...)
{
    va_list      list;
    unsigned     i;
    const char  *values[ASK_MAX];

    va_start(list, count);

    for (i = 0; i < count; i++) {
        values[i] = va_arg(list, const char *);
    }

    va_end(list);

    PQclear(db->told);
    db->told = PQexecParams(db->beside, sql, (int) count, NULL, values, NULL,
                            NULL, 0);

    if (PQresultStatus(db->told) != PGRES_TUPLES_OK
        || PQntuples(db->told) == 0)
    {
        sim_die("beside: %s: %s", sql, PQerrorMessage(db->beside));
    }

    return PQgetvalue(db->told, 0, 0);
}


void
sim_db_seed(sim_db_t *db, uint64_t seed)
{
    char  sql[64];

    (void) snprintf(sql, sizeof(sql), "SELECT setseed(0.%06u)",
                    (unsigned) (seed % 1000000));
    sim_db_must(db->gateway, sql);
}


const char *
sim_db_said(sim_db_t *db, int column)
{
    return PQgetvalue(db->said, 0, column);
}


const char *
sim_db_error(sim_db_t *db)
{
    const char  *state = PQresultErrorField(db->said, PG_DIAG_SQLSTATE);

    return state != NULL ? state : "none";
}


const char *
sim_db_why(sim_db_t *db)
{
    return PQresultErrorMessage(db->said);
}


void *
sim_db_operator(sim_db_t *db)
{
    return db->operator;
}


void
sim_db_crash(sim_db_t *db)
{
    sim_db_must(db->judge, "TRUNCATE ONLY pay.settlement_staging, "
         "pay.settlement_work, pay.settlement_open");
}
