/*
 * payctl audit verify: checks an export of the event log, with the public keys
 * and nothing else.  The file is read twice, first for its seals and then for
 * its events, so that memory goes by seals and leaves; what comes on stdin is
 * kept in an unnamed temporary file meanwhile.
 */

#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define VERIFY_ROOTS_MAX  64
#define VERIFY_COPY       65536

typedef pay_status_t (*verify_take_pt)(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line);

typedef struct {
    /* The call as it was parsed, then the state of the check.  It is
     * allocated, since the keys and findings in it are large for a stack. */
    const char         *key_files[PAY_AUDIT_KEYS_MAX];
    const char         *roots[VERIFY_ROOTS_MAX];
    size_t              root_count;
    const char         *path;
    pay_audit_key_t     keys[PAY_AUDIT_KEYS_MAX];
    pay_audit_conf_t    conf;
    audit_report_t      report;
    pay_heap_t         *heap;
    pay_audit_check_t  *check;
    unsigned char      *line;          /* room for the longest */
} verify_t;


static int verify_parse(int argc, char **argv, verify_t *verify);
static int verify_option(const char *name, const char *value,
    verify_t *verify);
static int verify_run(verify_t *verify);
static int verify_keys(verify_t *verify);
static FILE *verify_open(const char *path);
static FILE *verify_spool(void);
static int verify_file(verify_t *verify, FILE *file);
static int verify_pass(verify_t *verify, FILE *file, verify_take_pt take,
    int is_first);
static pay_status_t verify_line(verify_t *verify, pay_str_t text,
    uint64_t number, verify_take_pt take, int is_first);
static int verify_roots(verify_t *verify, const char *path);


const char  pay_cli_audit_verify_usage[] =
    "usage: payctl audit verify --key PUBLIC.pem ... [--roots FILE] ..."
    " [--part]\n"
    "                           FILE | -\n"
    "Checks an export of the event log: the chain of each order, that each"
    " leaf of a\nseal is its order's row, the seals' roots, chain and"
    " signatures.\n"
    "  --key    a public key that seals may be signed with; give those of all"
    " times\n"
    "  --roots  seals as they were exported when they were signed (the"
    " module's\n"
    "           export= file, or a syslog with them in it): they must be the"
    " same\n"
    "  --part   the export may begin in the middle: what was before is not"
    " checked\n"
    "Exit code 0: valid; 1: invalid, the last line names the first bad row;"
    " 2: not\nchecked.\n";


/* Options are parsed by hand, because --key and --roots may be repeated. */
int
pay_cli_audit_verify(int argc, char **argv)
{
    int        code;
    verify_t  *verify;

    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        pay_cli_help(pay_cli_audit_verify_usage);
        return PAY_CLI_OK;
    }

    verify = calloc(1, sizeof(*verify));
    if (verify == NULL) {
        return pay_cli_audit_complain("verify", "out of memory");
    }

    if (!verify_parse(argc, argv, verify)) {
        pay_cli_help_forms(stderr, pay_cli_audit_verify_usage);
        free(verify);
        return PAY_CLI_USAGE;
    }

    code = verify_run(verify);

    pay_heap_destroy(verify->heap);
    free(verify->line);
    free(verify);

    return code;
}


/* At least one key is required: without any every seal would be of an unknown
 * key. */
static int
verify_parse(int argc, char **argv, verify_t *verify)
{
    int  i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--part") == 0) {
            verify->conf.is_part = 1;

        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (i + 1 == argc || !verify_option(argv[i], argv[i + 1], verify)) {
                return 0;
            }

            i++;

        } else if (verify->path == NULL) {
            verify->path = argv[i];

        } else {
            return 0;
        }
    }

    return verify->path != NULL && verify->conf.key_count != 0;
}


/* 0 for an unknown option, and for one that is given too often. */
static int
verify_option(const char *name, const char *value, verify_t *verify)
{
    if (strcmp(name, "--key") == 0
        && verify->conf.key_count < PAY_AUDIT_KEYS_MAX)
    {
        verify->key_files[verify->conf.key_count++] = value;
        return 1;
    }

    if (strcmp(name, "--roots") == 0
        && verify->root_count < VERIFY_ROOTS_MAX)
    {
        verify->roots[verify->root_count++] = value;
        return 1;
    }

    return 0;
}


/* Keys first: without a good one nothing can be judged, and the file need not
 * be read. */
static int
verify_run(verify_t *verify)
{
    int    code;
    FILE  *file;

    verify->conf.keys = verify->keys;
    verify->conf.found = pay_cli_audit_found;
    verify->conf.data = &verify->report;

    code = verify_keys(verify);
    if (code != PAY_CLI_OK) {
        return code;
    }

    verify->line = malloc(PAY_AUDIT_LINE_MAX + 1);
    verify->heap = pay_heap_create();
    verify->check = verify->heap == NULL || verify->line == NULL ? NULL
                    : pay_audit_check_open(pay_heap_arena(verify->heap),
                                           &verify->conf);
    if (verify->check == NULL) {
        return pay_cli_audit_complain("verify", "out of memory");
    }

    file = verify_open(verify->path);
    if (file == NULL) {
        return pay_cli_audit_complain(verify->path, "cannot be opened");
    }

    code = verify_file(verify, file);
    fclose(file);

    return code != PAY_CLI_OK ? code
           : pay_cli_audit_report(&verify->report,
                                  pay_audit_counts(verify->check),
                                  &verify->conf, verify->root_count != 0);
}


/* All keys must be readable; one that is skipped would turn its seals into
 * unknown ones. */
static int
verify_keys(verify_t *verify)
{
    size_t           i;
    pay_err_t        err;
    pay_str_t        pem;
    const char      *trouble;
    unsigned char    text[PAY_ED25519_PEM_MAX];
    pay_audit_key_t *key;

    for (i = 0; i < verify->conf.key_count; i++) {
        key = &verify->keys[i];
        trouble = pay_cli_audit_read(verify->key_files[i], text, sizeof(text),
                                     &pem);
        err.detail = "libcrypto failed";

        if (trouble == NULL
            && (pay_ed25519_read_public(pem, key->key, &err) != PAY_OK
                || pay_ed25519_key_id(key->key, key->id) != PAY_OK))
        {
            trouble = err.detail;
        }

        if (trouble != NULL) {
            return pay_cli_audit_complain(verify->key_files[i], trouble);
        }
    }

    return PAY_CLI_OK;
}


/* A file that can be read twice: a pipe is copied to a temporary file, any
 * other one must be seekable. */
static FILE *
verify_open(const char *path)
{
    FILE  *file;

    if (strcmp(path, "-") == 0) {
        return verify_spool();
    }

    file = fopen(path, "rb");

    if (file != NULL && fseek(file, 0, SEEK_SET) != 0) {
        fclose(file);
        return NULL;
    }

    return file;
}


/* tmpfile() has no name, so that no other process can change it between the
 * passes. */
static FILE *
verify_spool(void)
{
    int     failed = 0;
    FILE   *file;
    char   *block = malloc(VERIFY_COPY);
    size_t  n;

    file = block != NULL ? tmpfile() : NULL;

    while (file != NULL && !failed
           && (n = fread(block, 1, VERIFY_COPY, stdin)) != 0)
    {
        failed = fwrite(block, 1, n, file) != n;
    }

    free(block);

    if (file != NULL && (failed || ferror(stdin))) {
        fclose(file);
        return NULL;
    }

    return file;
}


/* The two passes of pay_audit_check.h; exported seals are compared between
 * them, when the seals of the file are known. */
static int
verify_file(verify_t *verify, FILE *file)
{
    int     code;
    size_t  i;

    rewind(file);
    code = verify_pass(verify, file, pay_audit_check_seal, 1);

    if (code == PAY_CLI_OK
        && pay_audit_check_seals(verify->check) != PAY_OK)
    {
        code = pay_cli_audit_complain("verify", "out of memory");
    }

    for (i = 0; code == PAY_CLI_OK && i < verify->root_count; i++) {
        code = verify_roots(verify, verify->roots[i]);
    }

    rewind(file);

    if (code == PAY_CLI_OK) {
        code = verify_pass(verify, file, pay_audit_check_event, 0);
    }

    if (code == PAY_CLI_OK && pay_audit_check_end(verify->check) != PAY_OK) {
        code = pay_cli_audit_complain("verify", "out of memory");
    }

    return code;
}


/* A finding does not end the pass, only exhausted memory or a file that cannot
 * be read. */
static int
verify_pass(verify_t *verify, FILE *file, verify_take_pt take, int is_first)
{
    uint64_t       number;
    pay_str_t      text;
    pay_status_t   status;

    for (number = 1; pay_cli_audit_line(file, verify->line, &text); number++) {
        status = verify_line(verify, text, number, take, is_first);

        if (status != PAY_OK) {
            return pay_cli_audit_complain("verify", "out of memory");
        }
    }

    return ferror(file) ? pay_cli_audit_complain(verify->path,
                                                 "cannot be read")
                        : PAY_CLI_OK;
}


/* A line that cannot be read is reported in the first pass alone, or it would
 * be counted twice. */
static pay_status_t
verify_line(verify_t *verify, pay_str_t text, uint64_t number,
    verify_take_pt take, int is_first)
{
    pay_err_t            err;
    pay_status_t         status;
    pay_audit_row_t      row;
    pay_audit_finding_t  finding = { .what = PAY_AUDIT_NO_ROW };

    status = pay_audit_parse(text, &row, &err);

    if (status == PAY_INVALID) {
        if (is_first) {
            finding.why = err.detail;
            finding.line = number;
            pay_cli_audit_found(&verify->report, &finding);
        }

        return PAY_OK;
    }

    PAY_TRY(status);

    status = take(verify->check, &row, number);
    pay_audit_row_free(&row);

    return status;
}


/* In a syslog other lines, and words before the seals, are ignored; without any
 * seal it is the wrong file. */
static int
verify_roots(verify_t *verify, const char *path)
{
    int               code = PAY_CLI_OK;
    FILE             *file;
    pay_err_t         err;
    uint64_t          number, found = 0;
    pay_str_t         text;
    pay_audit_row_t   row;

    file = fopen(path, "rb");
    if (file == NULL) {
        return pay_cli_audit_complain(path, "cannot be opened");
    }

    for (number = 1;
         code == PAY_CLI_OK && pay_cli_audit_line(file, verify->line, &text);
         number++)
    {
        /* Other lines of a syslog are no findings. */
        if (pay_audit_parse(pay_cli_audit_seal_in(text), &row, &err)
            != PAY_OK)
        {
            continue;
        }

        found += row.kind == PAY_AUDIT_SEAL;

        if (pay_audit_check_root(verify->check, &row, number) != PAY_OK) {
            code = pay_cli_audit_complain("verify", "out of memory");
        }

        pay_audit_row_free(&row);
    }

    /* A file without a seal vouches for nothing, and "valid" would hide
     * that. */
    if (code == PAY_CLI_OK && (ferror(file) || found == 0)) {
        code = pay_cli_audit_complain(path, "holds no seal, or cannot be "
                                            "read");
    }

    fclose(file);

    return code;
}
