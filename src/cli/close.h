/*
 * payctl close: close.c makes and shows, close_verify.c checks documents.
 */

#ifndef PAY_SRC_CLI_CLOSE_H
#define PAY_SRC_CLI_CLOSE_H


/* Its own name in argv[0]; the exit code. */
int pay_cli_close_verify(int argc, char **argv);

/* The usage, for what pay_cli_args() has returned; the exit code. */
int pay_cli_close_misuse(int words);


#endif /* PAY_SRC_CLI_CLOSE_H */
