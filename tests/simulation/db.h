/*
 * PostgreSQL from within: what db.c keeps of a database, for ask.c, which asks
 * it as judge, payctl and another worker.
 */

#ifndef SIM_DB_H
#define SIM_DB_H

#include <libpq-fe.h>

#include "sim.h"


#define SIM_QUESTIONS_MAX  128


/* Of the cluster, whatever the database. */
typedef struct {
    int      file;
    int64_t  says;
} sim_clock_t;

struct sim_db_s {
    const char  *host;
    sim_clock_t *clock;            /* of all cells, and so is the maker */
    unsigned     cell;
    unsigned     number;           /* of the present database */
    int          is_made;
    PGconn      *maker;            /* makes and drops databases */
    PGconn      *gateway;
    PGconn      *judge;
    PGconn      *operator;         /* payctl */
    PGconn      *beside;           /* another worker, which publishes */
    PGresult    *told;             /* of its last call */
    PGresult    *rows;             /* of the judge's last question */
    PGresult    *said;             /* of payctl's last call */
    const char  *questions[SIM_QUESTIONS_MAX];       /* that are prepared */
    unsigned     question_count;
    int          is_held;          /* a transaction of the gateway's is open:
                                      others use `beside` */
};


/* Ends the programme where it fails. */
void sim_db_must(PGconn *pg, const char *sql);


#endif /* SIM_DB_H */
