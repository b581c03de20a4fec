/*
 * Reads files with secrets as nginx reads those of its configuration: a file
 * that others can read or change is refused.
 */

#include "cli/keyring.h"

#include <stdio.h>

#include <openssl/crypto.h>
#include <sys/stat.h>


int
pay_cli_keyring(const char *subject, const char *path, pay_keyring_t *ring)
{
    size_t          len = 0;
    pay_err_t       err = { .detail = NULL };
    const char     *trouble;
    unsigned char   text[PAY_KEYRING_TEXT_MAX];

    trouble = pay_cli_secret_text(path, text, sizeof(text), &len);

    if (trouble == NULL
        && pay_keyring_read((pay_str_t) { len, text }, ring, &err) != PAY_OK)
    {
        trouble = err.detail;
    }

    OPENSSL_cleanse(text, sizeof(text));

    if (trouble != NULL) {
        fprintf(stderr, "payctl: %s: %s: %s\n", subject, path, trouble);
    }

    return trouble == NULL;
}


/* The descriptor is looked at and not the name, so that nothing can be
 * exchanged in between.  NULL: it is read. */
const char *
pay_cli_secret_text(const char *path, unsigned char *text, size_t max,
    size_t *len)
{
    FILE         *file;
    const char   *trouble = NULL;
    struct stat   info;

    file = fopen(path, "rb");
    if (file == NULL) {
        return "cannot be opened";
    }

    setvbuf(file, NULL, _IONBF, 0);    /* no copy of a key in stdio */

    if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
        trouble = "is no regular file";

    } else if (info.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) {
        trouble = "holds secrets and others can read or change it: chmod"
                  " 0400 it";

    } else {
        *len = fread(text, 1, max, file);
        trouble = ferror(file) || fgetc(file) != EOF
                  ? "cannot be read, or is too large" : NULL;
    }

    fclose(file);

    return trouble;
}
