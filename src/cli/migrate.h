/* The parts of payctl migrate.  Private to src/cli. */

#ifndef PAY_SRC_CLI_MIGRATE_H
#define PAY_SRC_CLI_MIGRATE_H

#include <libpq-fe.h>

#include "cli/sql_files.h"


/* Makes the views of pay_check anew, within the caller's transaction.  1 when
 * all went well, else 0 after a complaint. */
int pay_cli_migrate_checks(PGconn *conn, const sql_files_t *sql);

/* Drops the views of pay_check, which a migration would stumble over. */
int pay_cli_migrate_drop_checks(PGconn *conn);

/* Drops all views, and the functions of these files' names that no table
 * needs: on top of an older release's they cannot be made.  Both within the
 * caller's transaction; 1 when all went well, else 0 after a complaint. */
int pay_cli_migrate_drop_made(PGconn *conn, const sql_files_t *sql);


#endif /* PAY_SRC_CLI_MIGRATE_H */
