/*
 * The gateway's keyring (include/pay_keyring.h), and other files with secrets,
 * as payctl reads them.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_KEYRING_H
#define PAY_SRC_CLI_KEYRING_H

#include "pay_keyring.h"


/* The ring of a file; the caller wipes it.  1, or 0 after a complaint that
 * begins with `subject`. */
int pay_cli_keyring(const char *subject, const char *path, pay_keyring_t *ring);

/* Reads a whole file with secrets, at most `max` bytes of it; NULL, or the
 * fault in it: others than its owner and group can read it, or others than
 * its owner can change it.  The caller wipes `text`. */
const char *pay_cli_secret_text(const char *path, unsigned char *text,
    size_t max, size_t *len);


#endif /* PAY_SRC_CLI_KEYRING_H */
