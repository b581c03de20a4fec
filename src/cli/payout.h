/*
 * payctl payout: payout.c lists and shows, and hands over to payout_act.c,
 * where operators act, to payout_advice.c, payout_commission.c and
 * payout_schedule.c.
 */

#ifndef PAY_SRC_CLI_PAYOUT_H
#define PAY_SRC_CLI_PAYOUT_H

#include "cli/help.h"
#include "cli/table.h"


/* The subcommands, with their own name in argv[0]; the exit code. */
int pay_cli_payout_act(int argc, char **argv);
int pay_cli_payout_advice(int argc, char **argv);
int pay_cli_payout_approve(int argc, char **argv);
int pay_cli_payout_batch(int argc, char **argv);
int pay_cli_payout_commission(int argc, char **argv);
int pay_cli_payout_commissions(int argc, char **argv);
int pay_cli_payout_decide(int argc, char **argv);
int pay_cli_payout_make(int argc, char **argv);
int pay_cli_payout_calendar(int argc, char **argv);
int pay_cli_payout_holiday(int argc, char **argv);
int pay_cli_payout_holidays(int argc, char **argv);
int pay_cli_payout_runs(int argc, char **argv);
int pay_cli_payout_schedule(int argc, char **argv);
int pay_cli_payout_screening(int argc, char **argv);
int pay_cli_payout_schedules(int argc, char **argv);

/* A list whose only parameter is the merchant. */
int pay_cli_payout_list(int argc, char **argv, const pay_cli_list_t *query);


#endif /* PAY_SRC_CLI_PAYOUT_H */
