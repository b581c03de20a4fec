/*
 * The files of sql/ in memory, in the order in which they are applied, each
 * with its digest.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_SQL_FILES_H
#define PAY_SRC_CLI_SQL_FILES_H


#define SQL_FILES_MAX      512
#define SQL_FILE_MAX       (1024 * 1024)
#define SQL_DIGEST_SIZE    65          /* hex and NUL */

typedef enum {
    SQL_ROLES = 0,             /* roles.sql: before the migrations */
    SQL_MIGRATION,             /* migrations/NNNN_what.sql: once each */
    SQL_FUNCTION,              /* functions/NN_noun.sql: at each deploy */
    SQL_LAST,                  /* views.sql, grants.sql: at each deploy */
    SQL_CHECK                  /* checks/what.sql: a view of pay_check each */
} sql_stage_t;

typedef struct {
    sql_stage_t  stage;
    char        *name;                 /* below sql/ */
    char        *text;
    char         sha256[SQL_DIGEST_SIZE];
} sql_file_t;

typedef struct {
    unsigned    count;
    sql_file_t  files[SQL_FILES_MAX];
    char        sha256[SQL_DIGEST_SIZE];   /* over all but the migrations */
} sql_files_t;


/* The directory where no option names one: $PAYCTL_SQL, that of the
 * installation that the running program belongs to, or "sql". */
const char *pay_cli_sql_dir(void);

/* Reads all of `root`.  NULL after a complaint on stderr. */
sql_files_t *pay_sql_files_load(const char *root);

/* With all texts that its files hold. */
void pay_sql_files_free(sql_files_t *sql);


#endif /* PAY_SRC_CLI_SQL_FILES_H */
