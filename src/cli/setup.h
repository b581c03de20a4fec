/*
 * The common part of payctl init and payctl doctor: where things lie, the words
 * of nginx's configuration that name files, and work as PostgreSQL's own user.
 * Private to src/cli.
 */

#ifndef PAY_SRC_CLI_SETUP_H
#define PAY_SRC_CLI_SETUP_H

#include <sys/types.h>


#define SETUP_PATH      1024
#define SETUP_FILES     1024           /* that a configuration names */
#define SETUP_CONF_MAX  (512 * 1024)

#define SETUP_DATABASE  "payments"
#define SETUP_MAP       "payments"     /* of pg_ident.conf */

typedef struct {
    const char  *dsn;          /* NULL: this host's, as the user postgres */
    const char  *sql;          /* NULL: the installed one */
    const char  *etc;          /* "/etc" */
    const char  *user;         /* of nginx's workers */
    const char  *merchant;
    const char  *only;         /* one part or check; NULL: all */
} setup_t;

/* A file that the configuration names: "result_key_file secrets/acme.result" */
typedef struct {
    char         path[SETUP_PATH];
    const char  *directive;
    int          is_secret;    /* no other user may read it */
} setup_file_t;

typedef struct {
    char          path[SETUP_PATH];    /* of the configuration */
    char         *text;                /* NULL: it cannot be read */
    unsigned      count;
    unsigned      left;                /* files too many, or with long names */
    setup_file_t *files;
} setup_conf_t;


/* "etc", "/", "name", and whether it fits. */
int pay_cli_setup_path(const setup_t *setup, const char *name,
    char path[SETUP_PATH]);

/* Reads nginx/payments.conf below setup->etc, else nginx/nginx.conf, and finds
 * the files that it names.  0 when there is none. */
int pay_cli_setup_conf(const setup_t *setup, setup_conf_t *conf);
void pay_cli_setup_conf_free(setup_conf_t *conf);

/* The next line that holds one of the names of the example, from *line on,
 * counted from 1; NULL: there is none more.  The text ends with the line. */
const char *pay_cli_setup_example(const char **rest, unsigned *line,
    char text[SETUP_PATH]);

/* The group of a user, or -1 where there is no such user. */
gid_t pay_cli_setup_group(const char *user);

/* Runs `run` as the user postgres where root runs payctl and names no database,
 * else as it is; returns the result of `run`, 0 to 124, or -1: it did not
 * run, after a complaint. */
int pay_cli_setup_as_postgres(const setup_t *setup,
    int (*run)(void *data), void *data);

/* The connection string of the database: setup->dsn, PAYCTL_DSN, or that of
 * this host. */
const char *pay_cli_setup_dsn(const setup_t *setup);

/* init_files.c, init_db.c: 1 when all is there by then. */
int pay_cli_init_files(const setup_t *setup);
int pay_cli_init_db(const setup_t *setup);

/* doctor_files.c, doctor_db.c: the number of findings, or -1: not checked. */
int pay_cli_doctor_files(const setup_t *setup);
int pay_cli_doctor_db(const setup_t *setup);

/* Is the check wanted?  Prints "ok", or the finding and how to mend
 * it, and returns 0 or 1. */
int pay_cli_doctor_wants(const setup_t *setup, const char *name);
int pay_cli_doctor_ok(const char *name);
int pay_cli_doctor_finding(const char *name, const char *mend,
    const char *format, ...) __attribute__((format(printf, 3, 4)));


#endif /* PAY_SRC_CLI_SETUP_H */
