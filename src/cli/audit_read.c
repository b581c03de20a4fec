/*
 * The subcommands of payctl audit read files of keys here, and complain about
 * files.
 */

#include "cli/audit.h"
#include "cli/cli.h"

#include <stdio.h>


int
pay_cli_audit_complain(const char *subject, const char *what)
{
    fprintf(stderr, "payctl: audit: %s: %s\n", subject, what);

    return PAY_CLI_USAGE;
}


/* For key files: white space at the end is removed, and a file that is larger
 * than any key is refused, as it is not the file that was meant. */
const char *
pay_cli_audit_read(const char *path, unsigned char *text, size_t max,
    pay_str_t *bytes)
{
    int     failed;
    FILE   *file;
    size_t  len;

    file = fopen(path, "rb");
    if (file == NULL) {
        return "cannot be opened";
    }

    setvbuf(file, NULL, _IONBF, 0);    /* no copy of a key in stdio */
    len = fread(text, 1, max, file);
    failed = ferror(file) || fgetc(file) != EOF;
    fclose(file);

    while (len > 0 && text[len - 1] <= ' ') {
        len--;
    }

    *bytes = (pay_str_t) { len, text };

    return failed ? "cannot be read, or is too large for a key" : NULL;
}


int
pay_cli_audit_private(const char *path, pay_secret_t *key)
{
    pay_err_t       err = { .slug = NULL };
    pay_str_t       pem;
    const char     *trouble;
    unsigned char   text[PAY_ED25519_PEM_MAX];

    trouble = pay_cli_audit_read(path, text, sizeof(text), &pem);

    if (trouble == NULL && pay_ed25519_read_private(pem, key, &err) != PAY_OK) {
        trouble = err.detail != NULL ? err.detail : "out of memory";
    }

    explicit_bzero(text, sizeof(text));

    return trouble == NULL ? PAY_CLI_OK
                           : pay_cli_audit_complain(path, trouble);
}


int
pay_cli_audit_public(const char *path, pay_audit_key_t *key)
{
    pay_err_t       err = { .detail = "libcrypto failed" };
    pay_str_t       pem;
    const char     *trouble;
    unsigned char   text[PAY_ED25519_PEM_MAX];

    trouble = pay_cli_audit_read(path, text, sizeof(text), &pem);

    if (trouble == NULL
        && (pay_ed25519_read_public(pem, key->key, &err) != PAY_OK
            || pay_ed25519_key_id(key->key, key->id) != PAY_OK))
    {
        trouble = err.detail;
    }

    return trouble == NULL ? PAY_CLI_OK
                           : pay_cli_audit_complain(path, trouble);
}
