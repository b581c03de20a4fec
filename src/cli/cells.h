/*
 * The cells of a gateway (docs/scaling.md#cells), as payctl reaches them:
 * "--all-cells" asks each in turn, "--cell NAME" takes the place of --dsn.
 * Private to src/cli.
 */

#ifndef PAY_SRC_CLI_CELLS_H
#define PAY_SRC_CLI_CELLS_H

#include <libpq-fe.h>


#define PAY_CLI_CELLS_FILE  "/etc/payctl/cells"

/* Takes --all-cells, --cell NAME and --cells FILE, which stand in front of the
 * command, out of the call.  1, or 0 after a complaint. */
int pay_cli_cells_args(int *argc, char **argv);

/* 1 with --all-cells. */
int pay_cli_cells_all(void);
/* Says on stderr that the command takes --cell NAME. */
void pay_cli_cells_refuse(const char *command, const char *verb);

/* How many there are; 0 after a complaint about the file.  And the one that is
 * asked from here on; -1: none. */
int pay_cli_cells_count(void);
void pay_cli_cells_at(int place);

/* The cell that is asked just now; NULL: the call names none. */
const char *pay_cli_cell(void);

/* Puts the connection string of the cell in the place of *dsn, if the call
 * names one.  0 after a complaint: --dsn stands beside it, there is no such
 * cell, or all are asked by a command that can have only one. */
int pay_cli_cells_dsn(const char **dsn);

/* 1: the cell has answered; 0 after a complaint. */
typedef int (*pay_cli_in_cell_pt)(PGconn *conn, void *data);

/* in_cells.c: connects to each cell and runs `run` there; without --all-cells
 * to the one database that `dsn` names.  PAY_CLI_OK: each has answered;
 * PAY_CLI_PART: some have; PAY_CLI_USAGE: none has. */
int pay_cli_in_cells(const char *dsn, pay_cli_in_cell_pt run, void *data);


#endif /* PAY_SRC_CLI_CELLS_H */
