/*
 * The file of keys that payctl is given with --keyring.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_KEYRING_H
#define PAY_SRC_CLI_KEYRING_H

#include "pay_keyring.h"


/* 1 and the keys, which the caller wipes; 0 after a complaint that begins with
 * `what`. */
int pay_cli_keyring(const char *what, const char *path, pay_keyring_t *ring);


#endif /* PAY_SRC_CLI_KEYRING_H */
