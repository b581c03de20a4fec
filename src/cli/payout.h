/*
 * payctl payout: payout.c lists and shows, and hands over to payout_act.c,
 * where operators act.
 */

#ifndef PAY_SRC_CLI_PAYOUT_H
#define PAY_SRC_CLI_PAYOUT_H


extern const char  pay_cli_payout_usage[];

/* The subcommands, with their own name in argv[0]; the exit code. */
int pay_cli_payout_act(int argc, char **argv);
int pay_cli_payout_approve(int argc, char **argv);
int pay_cli_payout_batch(int argc, char **argv);
int pay_cli_payout_make(int argc, char **argv);


#endif /* PAY_SRC_CLI_PAYOUT_H */
