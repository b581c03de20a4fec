/*
 * payctl init: sets up a host once: roles, database, schema, the lines by which
 * PostgreSQL lets the gateway in, keys.  It may run again at any time: a thing
 * that is there stays as it is, keys above all.  It prints the steps that only
 * the operator can take.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/setup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>


static int init_database(void *data);
static void init_left(const setup_t *setup);
static unsigned left_edits(const setup_conf_t *conf, unsigned step);
static unsigned left_files(const setup_conf_t *conf, unsigned step);


const char  pay_cli_init_usage[] =
    "usage: payctl init [--dsn DSN] [--sql DIR] [--etc DIR] [--user NAME]\n"
    "                   [--merchant NAME] [--only database|files]\n"
    "Makes the database with its roles and schema, lines of pg_ident.conf and\n"
    "pg_hba.conf, and those keys below DIR (/etc) that no one hands over;\n"
    "prints the steps that are left.  It may run again: a key, a line or a\n"
    "database that is there stays as it is.\n"
    "root acts as the user postgres in the database, unless --dsn or\n"
    "$PAYCTL_DSN names one.  NAME of --user (www-data) is nginx's user, NAME"
    " of\n--merchant (acme) the first merchant.\n"
    "Exit code 0: done; 1: a part failed; 2: not tried.\n";


int
pay_cli_init(int argc, char **argv)
{
    int      words, ok = 1;
    setup_t  setup = { .etc = "/etc", .user = "www-data", .merchant = "acme" };

    const pay_cli_option_t  options[] = {
        { "--dsn", &setup.dsn, NULL },
        { "--sql", &setup.sql, NULL },
        { "--etc", &setup.etc, NULL },
        { "--user", &setup.user, NULL },
        { "--merchant", &setup.merchant, NULL },
        { "--only", &setup.only, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_init_usage);
    }

    if (setup.only != NULL && strcmp(setup.only, "database") != 0
        && strcmp(setup.only, "files") != 0)
    {
        return pay_cli_misuse(pay_cli_init_usage,
                              "init: --only takes database or files");
    }

    if (strspn(setup.merchant, "abcdefghijklmnopqrstuvwxyz0123456789_-")
        != strlen(setup.merchant) || *setup.merchant == '\0')
    {
        return pay_cli_misuse(pay_cli_init_usage, "init: --merchant takes"
                              " letters a to z, digits, - and _");
    }

    if (setup.only == NULL || strcmp(setup.only, "files") == 0) {
        ok = pay_cli_init_files(&setup);
    }

    if (setup.only == NULL || strcmp(setup.only, "database") == 0) {
        ok = pay_cli_setup_as_postgres(&setup, init_database, &setup)
             == PAY_CLI_OK && ok;
    }

    if (setup.only == NULL) {
        init_left(&setup);
    }

    return ok ? PAY_CLI_OK : PAY_CLI_NO;
}


static int
init_database(void *data)
{
    return pay_cli_init_db(data) ? PAY_CLI_OK : PAY_CLI_NO;
}


static void
init_left(const setup_t *setup)
{
    unsigned       step = 0;
    setup_conf_t  *conf, room;

    conf = &room;
    puts("\nleft to do:");

    if (pay_cli_setup_conf(setup, conf)) {
        step = left_edits(conf, step);
        step = left_files(conf, step);
        pay_cli_setup_conf_free(conf);

    } else {
        printf("  %u. install the configuration: %s/nginx/payments.conf\n",
               ++step, setup->etc);
    }

    printf("  %u. systemctl enable --now ngx-payments payctl-check.timer"
           " payctl-audit.timer\n"
           "     payctl-retention.timer payctl-backup.timer\n", ++step);
    printf("  %u. payctl doctor\n", ++step);
}


static unsigned
left_edits(const setup_conf_t *conf, unsigned step)
{
    char         text[SETUP_PATH];
    unsigned     line = 0, first = step + 1;
    const char  *rest = conf->text, *name;

    while ((name = pay_cli_setup_example(&rest, &line, text)) != NULL) {
        if (step < first) {
            printf("  %u. put your own names into %s:\n", ++step, conf->path);
        }

        printf("     line %u: %s\n", line, text);
    }

    return step;
}


static unsigned
left_files(const setup_conf_t *conf, unsigned step)
{
    unsigned             i, first = step + 1;
    const setup_file_t  *file;

    for (i = 0; i < conf->count; i++) {
        file = &conf->files[i];

        if (access(file->path, F_OK) == 0) {
            continue;
        }

        if (step < first) {
            printf("  %u. install the files that others hand over:\n",
                   ++step);
        }

        printf("     %s (%s)%s\n", file->path, file->directive,
               file->is_secret ? ", a secret: mode 0440, group of nginx" : "");
    }

    return step;
}
