/*
 * payctl close: close.c makes and shows, close_verify.c checks documents.
 */

#ifndef PAY_SRC_CLI_CLOSE_H
#define PAY_SRC_CLI_CLOSE_H

#include "cli/help.h"


/* Its own name in argv[0]; the exit code. */
int pay_cli_close_verify(int argc, char **argv);


#endif /* PAY_SRC_CLI_CLOSE_H */
