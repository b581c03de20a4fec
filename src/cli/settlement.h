/*
 * payctl settlement: settlement.c lists and shows, and hands over to
 * settlement_import.c, which reads files, and to settlement_act.c, where
 * operators act; settlement_copy.c turns rows into PostgreSQL's COPY.
 */

#ifndef PAY_SRC_CLI_SETTLEMENT_H
#define PAY_SRC_CLI_SETTLEMENT_H

#include "pay_settle.h"

#include <libpq-fe.h>


#define SETTLEMENT_KNOWN   3           /* exit code: a file that is booked */
#define SETTLEMENT_REASON  512         /* bytes of why a file is refused */
#define SETTLEMENT_COPY    (256 * 1024)

/* Rows of one file on their way into settlement_staging. */
typedef struct {
    PGconn      *conn;
    const char  *file_id;
    char         text[SETTLEMENT_COPY];
    size_t       used;
    int          is_lost;      /* PostgreSQL takes no more; it is said why */
    int64_t      rows;
    char         reason[SETTLEMENT_REASON];    /* a row that cannot be kept */
} settlement_copy_t;


/* The subcommands, with their own name in argv[0]; the exit code. */
int pay_cli_settlement_import(int argc, char **argv);
int pay_cli_settlement_act(int argc, char **argv);
int pay_cli_settlement_source(int argc, char **argv);
int pay_cli_settlement_limit(int argc, char **argv);
int pay_cli_settlement_overdue(int argc, char **argv);

/* Begins COPY, takes a row (a pay_settle_row_pt), ends COPY: with `refused`
 * nothing is kept.  0, or PAY_INVALID … after a complaint. */
int pay_cli_copy_begin(settlement_copy_t *copy);
pay_status_t pay_cli_copy_row(void *data, const pay_settle_row_t *row);
int pay_cli_copy_end(settlement_copy_t *copy, int refused);


#endif /* PAY_SRC_CLI_SETTLEMENT_H */
