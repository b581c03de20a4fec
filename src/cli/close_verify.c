/*
 * payctl close verify: checks documents of closed days with the public keys
 * and nothing else: each is signed, and names the digest of the one before.
 */

#include "pay_json.h"
#include "cli/args.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/close.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* A day of many merchants is a long document, and the operator's own. */
#define VERIFY_LINE_MAX   (64 * 1024 * 1024)
#define VERIFY_VALUES     4000000

typedef struct {
    /* Keys of the call; number and digest are those of the document before,
     * with which the next one must agree. */
    pay_audit_key_t  keys[PAY_AUDIT_KEYS_MAX];
    size_t           key_count;
    int              is_part;
    const char      *path;
    int64_t          count;
    int64_t          number;           /* of the last one */
    unsigned char    digest[PAY_SHA256_SIZE];
} close_check_t;


static int verify_parse(int argc, char **argv, close_check_t *check,
    const char **key_files);
static int verify_keys(close_check_t *check, const char *const *files);
static int verify_file(close_check_t *check, FILE *file);
static const char *verify_line(close_check_t *check, pay_str_t line);
static const char *verify_close(close_check_t *check, const pay_json_t *close);
static const char *verify_chain(close_check_t *check, const pay_json_t *inner,
    int64_t number);
static const char *verify_signature(const close_check_t *check,
    const pay_json_t *close, pay_str_t document);


static const pay_json_limits_t  limits = {
    VERIFY_LINE_MAX, 8, VERIFY_VALUES, VERIFY_VALUES
};


int
pay_cli_close_verify(int argc, char **argv)
{
    int             code;
    FILE           *file;
    const char     *key_files[PAY_AUDIT_KEYS_MAX] = { NULL };
    close_check_t   check;

    memset(&check, 0, sizeof(check));

    if (!verify_parse(argc, argv, &check, key_files)) {
        /* -2 is PAY_CLI_HELP, -1 PAY_CLI_MISUSE. */
        return pay_cli_say_usage(argc >= 2 && strcmp(argv[1], "--help") == 0
                                 ? -2 : -1, pay_cli_close_usage);
    }

    code = verify_keys(&check, key_files);
    if (code != PAY_CLI_OK) {
        return code;
    }

    file = strcmp(check.path, "-") == 0 ? stdin : fopen(check.path, "rb");
    if (file == NULL) {
        return pay_cli_audit_complain(check.path, "cannot be opened");
    }

    code = verify_file(&check, file);

    if (file != stdin) {
        fclose(file);
    }

    return code;
}


/* Parsed by hand, because --key may be repeated. */
static int
verify_parse(int argc, char **argv, close_check_t *check,
    const char **key_files)
{
    int  i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--part") == 0) {
            check->is_part = 1;

        } else if (strcmp(argv[i], "--key") == 0 && i + 1 < argc
                   && check->key_count < PAY_AUDIT_KEYS_MAX)
        {
            key_files[check->key_count++] = argv[++i];

        } else if ((argv[i][0] != '-' || argv[i][1] == '\0')
                   && check->path == NULL)
        {
            check->path = argv[i];

        } else {
            return 0;
        }
    }

    return check->path != NULL && check->key_count > 0;
}


/* All keys must be readable; one that is skipped would make its closes
 * unknown. */
static int
verify_keys(close_check_t *check, const char *const *files)
{
    size_t  i;

    for (i = 0; i < check->key_count; i++) {
        if (pay_cli_audit_public(files[i], &check->keys[i]) != PAY_CLI_OK) {
            return PAY_CLI_USAGE;
        }
    }

    return PAY_CLI_OK;
}


/* Ends at the first wrong line: documents form one chain, so that everything
 * behind it would be wrong as well. */
static int
verify_file(close_check_t *check, FILE *file)
{
    char        *text = NULL;
    size_t       size = 0;
    ssize_t      len;
    pay_str_t    line;
    const char  *wrong = NULL;

    while (wrong == NULL && (len = getline(&text, &size, file)) > 0) {
        line.data = (const unsigned char *) text;
        line.len = (size_t) len;
        wrong = verify_line(check, line);
    }

    free(text);

    if (wrong == NULL && ferror(file)) {
        return pay_cli_audit_complain(check->path, "cannot be read");
    }

    if (wrong == NULL && check->count == 0) {
        wrong = "no document";
    }

    if (wrong != NULL) {
        printf("invalid: line %" PRId64 ": %s\n", check->count + 1, wrong);
        return PAY_CLI_NO;
    }

    printf("valid: %" PRId64 " documents, the last is number %" PRId64 "\n",
           check->count, check->number);

    return PAY_CLI_OK;
}


/* NULL, or what is wrong. */
static const char *
verify_line(close_check_t *check, pay_str_t line)
{
    pay_err_t     err;
    pay_json_t   *json;
    const char   *wrong;

    while (line.len > 0 && line.data[line.len - 1] <= ' ') {
        line.len--;
    }

    if (pay_json_parse(line, &limits, &json, &err) != PAY_OK) {
        return "no JSON object";
    }

    wrong = verify_close(check, json);
    pay_json_free(json);
    check->count += wrong == NULL;

    return wrong;
}


/* The signature comes first: nothing of a document is believed before it. */
static const char *
verify_close(close_check_t *check, const pay_json_t *close)
{
    int64_t       number, inner_number;
    pay_err_t     err;
    pay_str_t     document;
    pay_json_t   *inner;
    const char   *wrong;

    if (pay_json_string(pay_json_get(close, "document"), &document) != PAY_OK
        || pay_json_integer(pay_json_get(close, "number"), &number) != PAY_OK)
    {
        return "no document of a closed day";
    }

    wrong = verify_signature(check, close, document);
    if (wrong != NULL) {
        return wrong;
    }

    /* The document is a text within the line's JSON, so that its bytes stay as
     * they were signed. */
    if (pay_json_parse(document, &limits, &inner, &err) != PAY_OK) {
        return "the document is no JSON object";
    }

    wrong = pay_json_integer(pay_json_get(inner, "close"), &inner_number)
            != PAY_OK || inner_number != number
            ? "the number is not that of the document"
            : verify_chain(check, inner, number);
    pay_json_free(inner);

    if (wrong == NULL && pay_sha256(document, check->digest) != PAY_OK) {
        wrong = "libcrypto failed";
    }

    check->number = number;

    return wrong;
}


/* NULL, or the reason.  `number` was compared with the document's own; here it
 * must be the next, and `previous` the digest of the document before.  The
 * first one of all has 64 zeros there, as check->digest has when nothing was
 * read. */
static const char *
verify_chain(close_check_t *check, const pay_json_t *inner, int64_t number)
{
    pay_str_t       text;
    unsigned char   previous[PAY_SHA256_SIZE];

    if (pay_json_string(pay_json_get(inner, "previous"), &text) != PAY_OK
        || pay_hex_decode(text, previous, sizeof(previous)) != PAY_OK)
    {
        return "the document names none before it";
    }

    if (check->count == 0 && number != 1) {
        return check->is_part ? NULL
               : "it does not begin with the first close (--part)";
    }

    if (check->count > 0 && number != check->number + 1) {
        return "a close is missing before it";
    }

    return memcmp(previous, check->digest, sizeof(previous)) == 0 ? NULL
           : "it does not follow the document before it";
}


/* The key is chosen by key_id among those of the call. */
static const char *
verify_signature(const close_check_t *check, const pay_json_t *close,
    pay_str_t document)
{
    size_t          i;
    pay_str_t       key_id, text;
    unsigned char   signature[PAY_ED25519_SIGNATURE];

    if (pay_json_string(pay_json_get(close, "key_id"), &key_id) != PAY_OK
        || pay_json_string(pay_json_get(close, "signature"), &text) != PAY_OK
        || pay_hex_decode(text, signature, sizeof(signature)) != PAY_OK)
    {
        return "it is not signed";
    }

    for (i = 0; i < check->key_count; i++) {
        if (pay_str_is(key_id, check->keys[i].id)) {
            return pay_ed25519_verify(check->keys[i].key, document,
                (pay_str_t) { sizeof(signature), signature }) == PAY_OK
                ? NULL : "the signature is not that of this document";
        }
    }

    return "its key is not among those of --key";
}
