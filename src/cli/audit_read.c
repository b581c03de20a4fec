/*
 * The subcommands of payctl audit read files of keys and lines of exports here,
 * and complain about files.
 */

#include "cli/audit.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>


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


/* Skips whatever stands before the object: a syslog writes time and host in
 * front of it.  A text without one ends up too short to parse. */
pay_str_t
pay_cli_audit_seal_in(pay_str_t text)
{
    static const char  begin[] = "{\"t\":";

    while (text.len >= sizeof(begin) - 1
           && memcmp(text.data, begin, sizeof(begin) - 1) != 0)
    {
        text.data++;
        text.len--;
    }

    return text;
}


/* The next line, cut where it is too long to be one; 0 at the end. */
int
pay_cli_audit_line(FILE *file, unsigned char *line, pay_str_t *text)
{
    int     c;
    size_t  n = 0;

    while ((c = getc_unlocked(file)) != EOF && c != '\n') {
        /* The rest of a line that is too long is read and dropped, so that the
         * next line begins where it should. */
        if (n <= PAY_AUDIT_LINE_MAX) {
            line[n++] = (unsigned char) c;
        }
    }

    *text = (pay_str_t) { n, line };

    return n != 0 || c == '\n';
}
