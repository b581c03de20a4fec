/*
 * payctl settlement: settlement.c lists and shows, and hands over to
 * settlement_import.c, which reads files, and to settlement_act.c, where
 * operators act; settlement_bytes.c reads a file and its digest,
 * settlement_copy.c turns rows into PostgreSQL's COPY, settlement_book.c books
 * a file on several connections, and settlement_piece.c keeps encrypted copies
 * of files and writes them out.
 */

#ifndef PAY_SRC_CLI_SETTLEMENT_H
#define PAY_SRC_CLI_SETTLEMENT_H

#include "pay_crypto.h"
#include "pay_settle.h"
#include "pay_settle_copy.h"

#include <stdio.h>

#include <libpq-fe.h>


#define SETTLEMENT_KNOWN   3           /* exit code: a file that is booked */
#define SETTLEMENT_REASON  512         /* bytes of why a file is refused */
#define SETTLEMENT_COPY    (256 * 1024)
#define SETTLEMENT_JOBS    8           /* connections that book a file */

/* Rows of one file on their way into settlement_staging. */
typedef struct {
    PGconn      *conn;
    const char  *file_id;
    const char  *attempt;      /* that has opened it */
    char         text[SETTLEMENT_COPY];
    size_t       used;
    int          is_lost;      /* PostgreSQL takes no more; it is said why */
    int64_t      rows;
    char         reason[SETTLEMENT_REASON];    /* a row that cannot be kept */
} settlement_copy_t;


/* The subcommands, with their own name in argv[0]; the exit code. */
int pay_cli_settlement_import(int argc, char **argv);
int pay_cli_settlement_copy(int argc, char **argv);
int pay_cli_settlement_act(int argc, char **argv);
int pay_cli_settlement_source(int argc, char **argv);
int pay_cli_settlement_limit(int argc, char **argv);
int pay_cli_settlement_overdue(int argc, char **argv);
/* The last look at each PSP's balance; --again SOURCE: has it asked again. */
int pay_cli_settlement_balances(int argc, char **argv);

/* Reads all bytes of the file, gives them to `take`, unless that is NULL, and
 * fills sha256 with their digest in hex; the file is at its beginning before
 * and behind.  0: it cannot be read, or not be sought. */
typedef void (*settlement_bytes_pt)(void *data, pay_str_t bytes);

int pay_cli_settlement_bytes(FILE *file, settlement_bytes_pt take, void *data,
    char sha256[PAY_SHA256_SIZE * 2 + 1]);

/* Begins a transaction in which no other import opens the file; 0: another one
 * has, or the connection is lost, and copy->reason says so. */
int pay_cli_copy_hold(settlement_copy_t *copy);
/* Rolls it back before COPY has begun. */
void pay_cli_copy_drop(settlement_copy_t *copy);
/* Begins COPY in it, takes a row (a pay_settle_row_pt), ends both: with
 * `refused` nothing is kept.  0, or PAY_INVALID … after a complaint. */
int pay_cli_copy_begin(settlement_copy_t *copy);
pay_status_t pay_cli_copy_row(void *data, const pay_settle_row_t *row);
int pay_cli_copy_end(settlement_copy_t *copy, int refused);

/* Seals all bytes of the file, whose digest in hex is `sha256`, and keeps them
 * in the transaction that pay_cli_copy_hold() has begun; the file is at its
 * beginning before and behind.  0 after a complaint. */
int pay_cli_settlement_keep(const settlement_copy_t *rows,
    const pay_keyring_t *ring, const char *sha256, FILE *file);

/* Takes a file in `state` (of `size` bytes, "proven" or "booking") further on
 * these connections until it is booked, which *state is then.  0 after a
 * complaint: the next import goes on. */
int pay_cli_settlement_book(PGconn *const *conns, unsigned count,
    const char *file_id, char *state, size_t size);


#endif /* PAY_SRC_CLI_SETTLEMENT_H */
