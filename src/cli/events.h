/* The files of payctl events.  Private to src/cli. */

#ifndef PAY_SRC_CLI_EVENTS_H
#define PAY_SRC_CLI_EVENTS_H

#include "cli/help.h"

/* "tail" in argv[0]; returns the exit code. */
int pay_cli_events_tail(int argc, char **argv);          /* events_tail.c */


#endif /* PAY_SRC_CLI_EVENTS_H */
