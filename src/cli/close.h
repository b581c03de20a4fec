/*
 * payctl close: close.c makes and shows, close_verify.c checks documents.
 */

#ifndef PAY_SRC_CLI_CLOSE_H
#define PAY_SRC_CLI_CLOSE_H


/* Its own name in argv[0]; the exit code. */
int pay_cli_close_verify(int argc, char **argv);

/* The usage of all subcommands. */
extern const char  pay_cli_close_usage[];


#endif /* PAY_SRC_CLI_CLOSE_H */
