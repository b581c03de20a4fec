/*
 * payctl doctor: looks at the installation that payctl init and the operator
 * have made.  It changes nothing; each finding comes with how to mend it.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/setup.h"

#include <stdio.h>
#include <string.h>


#define NOT_CHECKED  100               /* as an exit code of a child */


static int doctor_database(void *data);


const char  pay_cli_doctor_usage[] =
    "usage: payctl doctor [--dsn DSN] [--sql DIR] [--etc DIR] [--user NAME]\n"
    "                     [--only CHECK]\n"
    "Checks the installation: of the database server, encoding, settings,\n"
    "roles, schema, access, months and backup; of the host, configuration,\n"
    "files, secrets, audit-key and certificate.  Each finding says how to mend"
    " it.\n"
    "root acts as the user postgres in the database, unless --dsn or\n"
    "$PAYCTL_DSN names one.\n"
    "Exit code 0: no finding; 1: findings; 2: not checked.\n";

static const char  *const database_checks[] = {
    "server", "encoding", "settings", "roles", "schema", "access", "months",
    "backup", NULL
};

static const char  *const file_checks[] = {
    "configuration", "files", "secrets", "audit-key", "certificate", NULL
};


static int
is_among(const char *name, const char *const *names)
{
    for ( /* void */ ; *names != NULL; names++) {
        if (strcmp(name, *names) == 0) {
            return 1;
        }
    }

    return 0;
}


int
pay_cli_doctor(int argc, char **argv)
{
    int      words, found, sum = 0;
    setup_t  setup = { .etc = "/etc", .user = "www-data" };

    const pay_cli_option_t  options[] = {
        { "--dsn", &setup.dsn, NULL },
        { "--sql", &setup.sql, NULL },
        { "--etc", &setup.etc, NULL },
        { "--user", &setup.user, NULL },
        { "--only", &setup.only, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_doctor_usage);
    }

    if (setup.only != NULL && !is_among(setup.only, database_checks)
        && !is_among(setup.only, file_checks))
    {
        return pay_cli_misuse(pay_cli_doctor_usage,
                              "doctor: there is no check \"%s\"", setup.only);
    }

    if (setup.only == NULL || is_among(setup.only, file_checks)) {
        sum = pay_cli_doctor_files(&setup);
    }

    if (sum >= 0 && (setup.only == NULL
                     || is_among(setup.only, database_checks)))
    {
        found = pay_cli_setup_as_postgres(&setup, doctor_database, &setup);
        sum = found == NOT_CHECKED || found < 0 ? -1 : sum + found;
    }

    if (sum < 0) {
        return PAY_CLI_USAGE;
    }

    printf(sum == 0 ? "no finding\n" : "%d to mend\n", sum);

    return sum == 0 ? PAY_CLI_OK : PAY_CLI_NO;
}


static int
doctor_database(void *data)
{
    int  found = pay_cli_doctor_db(data);

    return found < 0 ? NOT_CHECKED : found;
}
