/*
 * payctl retention: the subcommand with a file of its own.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_RETENTION_H
#define PAY_SRC_CLI_RETENTION_H


/* argv[0] is "erase"; returns the exit code. */
int pay_cli_retention_erase(int argc, char **argv);


#endif /* PAY_SRC_CLI_RETENTION_H */
