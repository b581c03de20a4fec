/*
 * payctl payout file write: approved items of a provider go into one file for
 * the bank.  Each arrow is a commit or a durable step on the disk; a lock of
 * the session keeps two of them apart.
 *
 *    items claimed ─▶ bytes as .ID.part ─▶ fixed ─▶ renamed to ID.xml
 *        ─▶ written
 *
 * The next one ends the file of one that died:
 *    claimed                     nothing could be seen         dropped
 *    fixed, ID.xml is there                                    written
 *    fixed, .ID.part is there    it was never renamed          dropped
 *    fixed, neither, or a boot   the bank may have it          lost
 * The items of a dropped file are approved again, and all that may stop them is
 * judged anew; those of a lost one are unknown.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/keyring.h"
#include "cli/payout_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define ARRAY_MAX    (4 * 1024 * 1024)

typedef struct {
    const char  *outcome;
    int          code;
    const char  *means;
} write_outcome_t;


static int write_options(int argc, char **argv, file_write_t *file,
    const char **dsn, const char **dir, const char **keyring);
static int write_run(file_write_t *file);
static int write_lock(file_write_t *file);
static int write_recover(file_write_t *file, int *code);
static const char *write_fate(file_write_t *file, const char *state,
    const char *place);
static int write_end(file_write_t *file, const char *how);
static int write_begin(file_write_t *file, int *code);
static int write_file(file_write_t *file);
static int write_fix(file_write_t *file, char *word);
static pay_status_t write_array(file_write_t *file, int codes,
    const char **text);
static int write_digest(file_write_t *file);
static int write_publish(file_write_t *file);
static int write_told(file_write_t *file);
static int write_waiting(file_write_t *file, int *code);


static const char  begin_sql[] =
    "SELECT b.outcome, b.msg_id FROM pay_ops.begin_payout_file($1, $2,"
    " 'pain001', $3::jsonb, $4::int, $5, $6::date, $7, $8) b";

static const char  fix_sql[] =
    "SELECT pay_ops.fix_payout_file($1, $2, $3, $4::text[], $5::text[],"
    " $6::int, $7::bigint, decode($8, 'hex'))";

static const char  open_sql[] =
    "SELECT f.msg_id, f.state, f.place, encode(f.sha256, 'hex')"
    " FROM pay.payout_file f WHERE f.merchant_id = $1 AND f.provider = $2"
    " AND f.ended_at IS NULL";

/* Those that an earlier run has left out, with the code of their last call. */
static const char  waiting_sql[] =
    "SELECT p.payout_id, coalesce(d.code, '-'),"
    " greatest(ceil(extract(epoch FROM s.run_at - now()))::int, 0)"
    " FROM pay.payout p JOIN pay.payout_sending s"
    " ON s.merchant_id = p.merchant_id AND s.payout_id = p.payout_id"
    " LEFT JOIN pay.payout_dispatch d ON d.merchant_id = s.merchant_id"
    " AND d.payout_id = s.payout_id AND d.number = s.calls"
    " WHERE p.merchant_id = $1 AND p.provider = $2 AND p.state = 'approved'"
    " AND s.calls > 0 AND NOT EXISTS (SELECT FROM pay.payout_file_item i"
    " WHERE i.msg_id = $3 AND i.payout_id = p.payout_id)"
    " ORDER BY p.payout_id LIMIT 10000";

static const write_outcome_t  outcomes[] = {
    { "none", PAY_CLI_OK, "nothing is to be sent" },
    { "stopped", PAY_CLI_NO, "the provider is stopped, or a recovery is"
      " open" },
    { "open", PAY_CLI_NO, "an earlier file has no end" },
    { "not_found", PAY_CLI_USAGE, "no such merchant or provider" },
    { "mismatch", PAY_CLI_USAGE, "the provider's adapter is not pain001" },
    { "invalid", PAY_CLI_USAGE, "--debtor-iban takes an IBAN, --limit 1 to"
      " 10000, --on a day of the next year, --who 1 to 200 bytes" },
    { NULL, 0, NULL }
};


int
pay_cli_payout_file_write(int argc, char **argv)
{
    int            code;
    const char    *dsn = NULL, *dir = NULL, *keyring = NULL;
    pay_heap_t    *heap;
    file_write_t  *file = calloc(1, sizeof(*file));

    if (file == NULL) {
        return PAY_CLI_USAGE;
    }

    code = write_options(argc, argv, file, &dsn, &dir, &keyring);

    if (code == PAY_CLI_OK) {
        code = PAY_CLI_USAGE;
        heap = pay_heap_create();

        if (heap != NULL
            && pay_cli_keyring(FILE_WHAT, keyring, &file->ring)
            && pay_cli_file_dir(dir, &file->dir)
            && (file->conn = pay_cli_connect(dsn)) != NULL)
        {
            file->arena = pay_heap_arena(heap);
            code = write_run(file);
        }

        PQfinish(file->conn);
        pay_heap_destroy(heap);

    } else if (code == PAY_CLI_HELP) {
        code = PAY_CLI_OK;
    }

    pay_keyring_wipe(&file->ring);
    free(file);

    return code;
}


/* PAY_CLI_HELP: the usage was asked for. */
static int
write_options(int argc, char **argv, file_write_t *file, const char **dsn,
    const char **dir, const char **keyring)
{
    int          words;
    const char  *name = NULL, *iban = NULL, *bic = "";

    const pay_cli_option_t  options[] = {
        { "--dsn", dsn, NULL },
        { "--merchant", &file->merchant, NULL },
        { "--provider", &file->provider, NULL },
        { "--dir", dir, NULL },
        { "--keyring", keyring, NULL },
        { "--debtor-name", &name, NULL },
        { "--debtor-iban", &iban, NULL },
        { "--debtor-bic", &bic, NULL },
        { "--on", &file->execute_on, NULL },
        { "--limit", &file->most, NULL },
        { "--who", &file->who, NULL },
        { NULL, NULL, NULL }
    };

    file->most = "1000";
    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        words = pay_cli_say_usage(words, pay_cli_payout_file_usage);
        return words == PAY_CLI_OK ? PAY_CLI_HELP : words;
    }

    if (file->merchant == NULL || file->provider == NULL || *dir == NULL
        || *keyring == NULL || name == NULL || iban == NULL
        || file->who == NULL)
    {
        return pay_cli_misuse(pay_cli_payout_file_usage, "write takes"
                              " --merchant, --provider, --dir, --keyring,"
                              " --debtor-name, --debtor-iban and --who");
    }

    if (strlen(file->most) > 5
        || strspn(file->most, "0123456789") != strlen(file->most))
    {
        return pay_cli_misuse(pay_cli_payout_file_usage, "--limit takes a"
                              " number, not \"%s\"", file->most);
    }

    file->account.debtor_name = pay_str_of(name);
    file->account.debtor_iban = pay_str_of(iban);
    file->account.debtor_bic = pay_str_of(bic);

    return PAY_CLI_OK;
}


static int
write_run(file_write_t *file)
{
    int  code = PAY_CLI_OK, one = PAY_CLI_USAGE;

    if (!write_lock(file) || !write_recover(file, &code)
        || !write_begin(file, &one))
    {
        return one;
    }

    if (file->id[0] != '\0') {
        one = write_file(file);
    }

    if (one != PAY_CLI_USAGE && !write_waiting(file, &code)) {
        one = PAY_CLI_USAGE;
    }

    return one != PAY_CLI_OK ? one : code;
}


/* Held until the connection ends.  The second one waits, however long it
 * takes, and finds the file that the first one has left. */
static int
write_lock(file_write_t *file)
{
    PGresult    *rows;
    const char  *values[] = { file->merchant, file->provider };

    if (!pay_cli_exec(file->conn, FILE_WHAT, "SET lock_timeout = 0")) {
        return 0;
    }

    rows = pay_cli_query(file->conn, FILE_WHAT,
                         "SELECT pg_advisory_lock(hashtextextended("
                         "concat('payout file/', $1::text, '/', $2::text),"
                         " 0))", 2, values);
    PQclear(rows);

    return rows != NULL
           && pay_cli_exec(file->conn, FILE_WHAT, "RESET lock_timeout");
}


/* 0: it cannot go on; *code is PAY_CLI_NO when a file is lost. */
static int
write_recover(file_write_t *file, int *code)
{
    int          is_done;
    PGresult    *rows;
    const char  *fate, *values[] = { file->merchant, file->provider };

    rows = pay_cli_query(file->conn, FILE_WHAT, open_sql, 2, values);
    if (rows == NULL || PQntuples(rows) == 0) {
        PQclear(rows);
        return rows != NULL;
    }

    snprintf(file->id, sizeof(file->id), "%s", PQgetvalue(rows, 0, 0));
    snprintf(file->sha256, sizeof(file->sha256), "%s",
             PQgetvalue(rows, 0, 3));
    fate = write_fate(file, PQgetvalue(rows, 0, 1), PQgetvalue(rows, 0, 2));
    PQclear(rows);

    is_done = fate != NULL && write_end(file, fate);

    if (is_done) {
        printf("%s.xml: %s, which an earlier run has left\n", file->id, fate);
    }

    if (is_done && strcmp(fate, "lost") == 0) {
        fprintf(stderr, "payctl: " FILE_WHAT ": %s.xml may be at the bank:"
                " its items are unknown until the bank's report\n", file->id);
        *code = PAY_CLI_NO;
    }

    file->id[0] = '\0';

    return is_done;
}


/* How the open file ends; NULL after a complaint.  The temporary name goes
 * before the commit, so that a process that only slept cannot give the file its
 * final name behind it. */
static const char *
write_fate(file_write_t *file, const char *state, const char *place)
{
    int     is_here = strcmp(place, file->dir.place) == 0;
    size_t  boot = strcspn(place, " ");

    if (strcmp(state, "claimed") == 0) {
        pay_cli_file_remove(&file->dir, file->id, FILE_PART);
        return "dropped";
    }

    if (pay_cli_file_is(&file->dir, file->id, FILE_FINAL, file->sha256)) {
        return "written";
    }

    if (!is_here && strncmp(place, file->dir.place, boot + 1) == 0) {
        fprintf(stderr, "payctl: " FILE_WHAT ": %s.xml was being written into"
                " another directory: give that one\n", file->id);
        return NULL;
    }

    if (is_here
        && (pay_cli_file_is(&file->dir, file->id, FILE_DROPPED, NULL)
            || pay_cli_file_move(&file->dir, file->id, FILE_PART,
                                 FILE_DROPPED)))
    {
        return "dropped";
    }

    if (is_here && pay_cli_file_is(&file->dir, file->id, FILE_PART, NULL)) {
        fprintf(stderr, "payctl: " FILE_WHAT ": .%s.part: %s\n", file->id,
                strerror(errno));
        return NULL;
    }

    return "lost";
}


static int
write_end(file_write_t *file, const char *how)
{
    char         word[PAY_CLI_WORD];
    const char  *values[] = { file->merchant, file->provider, file->id, how };

    if (!pay_cli_word(file->conn, FILE_WHAT, "SELECT pay_ops.end_payout_file("
                      "$1, $2, $3, $4)", 4, values, word))
    {
        return 0;
    }

    if (strcmp(how, "dropped") == 0) {
        pay_cli_file_remove(&file->dir, file->id, FILE_DROPPED);
    }

    if (strcmp(word, how) != 0) {
        fprintf(stderr, "payctl: " FILE_WHAT ": %s.xml is not %s but %s\n",
                file->id, how, word);
    }

    return strcmp(word, how) == 0;
}


/* 0: trouble; an empty file->id: there is nothing to write, *code says why. */
static int
write_begin(file_write_t *file, int *code)
{
    PGresult               *rows;
    pay_str_t               facts;
    const char             *values[8];
    const write_outcome_t  *outcome = outcomes;

    if (pay_payout_facts(file->arena, pay_payout_find(PAY_STR("pain001")),
                         &facts) != PAY_OK
        || pay_dup(file->arena, facts, &facts) != PAY_OK)
    {
        return 0;
    }

    values[0] = file->merchant;
    values[1] = file->provider;
    values[2] = (const char *) facts.data;
    values[3] = file->most;
    values[4] = (const char *) file->account.debtor_iban.data;
    values[5] = file->execute_on;
    values[6] = file->dir.place;
    values[7] = file->who;
    rows = pay_cli_query(file->conn, FILE_WHAT, begin_sql, 8, values);

    if (rows == NULL) {
        return 0;
    }

    while (outcome->outcome != NULL
           && strcmp(outcome->outcome, PQgetvalue(rows, 0, 0)) != 0)
    {
        outcome++;
    }

    if (outcome->outcome == NULL) {
        snprintf(file->id, sizeof(file->id), "%s", PQgetvalue(rows, 0, 1));

    } else {
        *code = outcome->code;
        fprintf(*code == PAY_CLI_OK ? stdout : stderr, "%s%s\n",
                *code == PAY_CLI_OK ? "" : "payctl: " FILE_WHAT ": ",
                outcome->means);
    }

    PQclear(rows);

    return 1;
}


/* Up to the commit of "fixed" all trouble gives the file up. */
static int
write_file(file_write_t *file)
{
    char          word[PAY_CLI_WORD] = "";
    pay_status_t  status = pay_cli_payout_file_make(file);

    if (status == PAY_OK && file->sums.count != 0 && !write_digest(file)) {
        status = PAY_INVALID;
    }

    if (status == PAY_OK && !write_fix(file, word)) {
        return PAY_CLI_USAGE;      /* the next one sees how far it came */
    }

    if (status == PAY_OK && strcmp(word, "fixed") == 0) {
        return write_publish(file);
    }

    pay_cli_file_remove(&file->dir, file->id, FILE_PART);

    if (status != PAY_OK) {
        write_end(file, "dropped");
        return PAY_CLI_USAGE;
    }

    fprintf(stderr, "payctl: " FILE_WHAT ": no file: %s\n", word);
    file->sums.count = 0;

    return write_told(file);
}


static int
write_fix(file_write_t *file, char *word)
{
    char         items[PAY_INT_TEXT_MAX + 1], minor[PAY_INT_TEXT_MAX + 1];
    const char  *values[8] = { file->merchant, file->provider, file->id };

    snprintf(items, sizeof(items), "%lld", (long long) file->sums.count);
    snprintf(minor, sizeof(minor), "%lld", (long long) file->sums.minor);

    if (write_array(file, 0, &values[3]) != PAY_OK
        || write_array(file, 1, &values[4]) != PAY_OK)
    {
        return 0;
    }

    values[5] = items;
    values[6] = minor;
    values[7] = file->sha256;

    return pay_cli_word(file->conn, FILE_WHAT, fix_sql, 8, values, word);
}


/* Ids of items and codes have no character that an array escapes. */
static pay_status_t
write_array(file_write_t *file, int codes, const char **text)
{
    unsigned   i;
    pay_buf_t  buf;
    pay_str_t  done;

    pay_buf_init(&buf, file->arena, ARRAY_MAX);
    pay_buf_text(&buf, "{");

    for (i = 0; i < file->left_count; i++) {
        pay_buf_text(&buf, i == 0 ? "\"" : ",\"");
        pay_buf_text(&buf, codes ? file->left[i].code
                                 : file->left[i].payout_id);
        pay_buf_text(&buf, "\"");
    }

    pay_buf_text(&buf, "}");
    PAY_TRY(pay_buf_done(&buf, &done));
    PAY_TRY(pay_dup(file->arena, done, &done));
    *text = (const char *) done.data;

    return PAY_OK;
}


/* The digest is that of the bytes that are on the disk. */
static int
write_digest(file_write_t *file)
{
    if (pay_cli_file_digest(&file->dir, file->id, FILE_PART, file->sha256)) {
        return 1;
    }

    fprintf(stderr, "payctl: " FILE_WHAT ": the file cannot be read again\n");

    return 0;
}


/* A rename that failed leaves the temporary name: the file was never seen. */
static int
write_publish(file_write_t *file)
{
    if (pay_cli_file_move(&file->dir, file->id, FILE_PART, FILE_FINAL)) {
        return write_end(file, "written") ? write_told(file) : PAY_CLI_USAGE;
    }

    fprintf(stderr, "payctl: " FILE_WHAT ": %s.xml: %s\n", file->id,
            strerror(errno));

    if (pay_cli_file_is(&file->dir, file->id, FILE_PART, NULL)
        && pay_cli_file_move(&file->dir, file->id, FILE_PART, FILE_DROPPED))
    {
        write_end(file, "dropped");
    }

    return PAY_CLI_USAGE;
}


static int
write_told(file_write_t *file)
{
    unsigned  i;

    if (file->sums.count != 0) {
        printf("%s.xml: %lld items, %lld.%02lld EUR\n", file->id,
               (long long) file->sums.count,
               (long long) file->sums.minor / 100,
               (long long) file->sums.minor % 100);
    }

    for (i = 0; i < file->left_count; i++) {
        fprintf(stderr, "payctl: " FILE_WHAT ": %s is not in it: %s\n",
                file->left[i].payout_id, file->left[i].code);
    }

    return file->left_count == 0 && file->sums.count != 0 ? PAY_CLI_OK
                                                          : PAY_CLI_NO;
}


/* They are approved, and in no file: silence would look as if all had been
 * paid.  0: not read. */
static int
write_waiting(file_write_t *file, int *code)
{
    int          i;
    PGresult    *rows;
    const char  *values[] = { file->merchant, file->provider, file->id };

    rows = pay_cli_query(file->conn, FILE_WHAT, waiting_sql, 3, values);
    if (rows == NULL) {
        return 0;
    }

    for (i = 0; i < PQntuples(rows); i++) {
        fprintf(stderr, "payctl: " FILE_WHAT ": %s is in no file: %s, next try"
                " in %s s\n", PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1),
                PQgetvalue(rows, i, 2));
        *code = PAY_CLI_NO;
    }

    PQclear(rows);

    return 1;
}
