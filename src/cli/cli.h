/*
 * payctl's subcommands, one file each.  Each takes its own name and what
 * stands behind it on the command line, writes results to stdout and
 * complaints to stderr, and returns the exit code.
 */

#ifndef PAY_SRC_CLI_H
#define PAY_SRC_CLI_H


#define PAY_CLI_VERSION  "0.1.0"

/* Exit codes. */
#define PAY_CLI_OK       0
#define PAY_CLI_NO       1             /* done, and the answer is no */
#define PAY_CLI_USAGE    2             /* not done: wrong call or no input */
#define PAY_CLI_PART     4             /* --all-cells: some have not answered,
                                          the others have */


typedef struct {
    /* The command's word, its function, and its line in payctl help. */
    const char  *name;
    int        (*run)(int argc, char **argv);
    const char  *help;
    /* The verbs that --all-cells may ask, with "|" between them; "": the
     * command has no verb; NULL: it is for one cell at a time. */
    const char  *all_cells;
} pay_cli_command_t;

/* Ends with a name of NULL. */
extern const pay_cli_command_t  pay_cli_commands[];

/* NULL: there is none of that name. */
const pay_cli_command_t *pay_cli_find_command(const char *name);

/* 1 when --all-cells may ask it: the verb stands right behind the command's
 * name, argv[0]. */
int pay_cli_is_for_cells(const pay_cli_command_t *command, int argc,
    char **argv);


/* The subcommands, each with its own name in argv[0]; they return an exit
 * code. */
int pay_cli_audit(int argc, char **argv);              /* audit.c */
int pay_cli_backfill(int argc, char **argv);           /* backfill.c */
int pay_cli_capacity(int argc, char **argv);
int pay_cli_change(int argc, char **argv);             /* change.c */
int pay_cli_check(int argc, char **argv);              /* check.c */
int pay_cli_close(int argc, char **argv);             /* close.c */
int pay_cli_completion(int argc, char **argv);         /* completion.c */
int pay_cli_dispute(int argc, char **argv);            /* dispute.c */
int pay_cli_dlq(int argc, char **argv);                /* dlq.c */
int pay_cli_doctor(int argc, char **argv);             /* doctor.c */
int pay_cli_events(int argc, char **argv);             /* events.c */
int pay_cli_explain(int argc, char **argv);            /* explain.c */
int pay_cli_find(int argc, char **argv);               /* find.c */
int pay_cli_init(int argc, char **argv);               /* init.c */
int pay_cli_jwt(int argc, char **argv);                /* jwt.c */
int pay_cli_merchant(int argc, char **argv);           /* merchant.c */
int pay_cli_migrate(int argc, char **argv);            /* migrate.c */
int pay_cli_mismatch(int argc, char **argv);           /* mismatch.c */
int pay_cli_ops(int argc, char **argv);                /* ops.c */
int pay_cli_payout(int argc, char **argv);           /* payout.c */
int pay_cli_proof(int argc, char **argv);              /* proof.c */
int pay_cli_recover(int argc, char **argv);             /* recover.c */
int pay_cli_report(int argc, char **argv);             /* report.c */
int pay_cli_retention(int argc, char **argv);         /* retention.c */
int pay_cli_risk(int argc, char **argv);                /* risk.c */
int pay_cli_route(int argc, char **argv);               /* route.c */
int pay_cli_settlement(int argc, char **argv);       /* settlement.c */
int pay_cli_timeline(int argc, char **argv);           /* timeline.c */
int pay_cli_webhook(int argc, char **argv);            /* webhook.c */


#endif /* PAY_SRC_CLI_H */
