/*
 * The pages of payctl's help: usages, which stand in the files of their
 * commands, and examples.  --help, the manual and the completion of shells come
 * from them.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_HELP_H
#define PAY_SRC_CLI_HELP_H

#include <stddef.h>
#include <stdio.h>


typedef struct {
    const char  *name;         /* "audit export"; NULL ends the table */
    const char  *usage;
    const char  *examples;     /* lines of a shell */
} pay_cli_page_t;

extern const pay_cli_page_t  pay_cli_pages[];

/* Prints the usage with its examples. */
void pay_cli_help(const char *usage);
/* Prints the forms of the call only. */
void pay_cli_help_forms(FILE *out, const char *usage);

/* The longest form, on one line. */
#define PAY_CLI_FORM  512

/* Copies the next form of a usage, such as "dlq show [--dsn DSN] ID" (payctl
 * itself is left out), and moves *usage behind it; 0 when there is none more,
 * with *usage at the text below the forms. */
int pay_cli_next_form(const char **usage, char form[PAY_CLI_FORM]);

/* Prints the manual's page in roff; returns the exit code. */
int pay_cli_man(FILE *out);


/* A usage begins with "usage: payctl …"; each further form stands below, seven
 * blanks in front, and its continuation at least as many.  Text follows. */
extern const char  pay_cli_audit_drop_usage[];
extern const char  pay_cli_audit_export_usage[];
extern const char  pay_cli_audit_keygen_usage[];
extern const char  pay_cli_audit_pubkey_usage[];
extern const char  pay_cli_audit_root_usage[];
extern const char  pay_cli_audit_status_usage[];
extern const char  pay_cli_audit_usage[];
extern const char  pay_cli_audit_verify_root_usage[];
extern const char  pay_cli_audit_verify_usage[];
extern const char  pay_cli_backfill_usage[];
extern const char  pay_cli_capacity_usage[];
extern const char  pay_cli_change_usage[];
extern const char  pay_cli_check_usage[];
extern const char  pay_cli_close_usage[];
extern const char  pay_cli_completion_usage[];
extern const char  pay_cli_dispute_usage[];
extern const char  pay_cli_dlq_usage[];
extern const char  pay_cli_events_usage[];
extern const char  pay_cli_doctor_usage[];
extern const char  pay_cli_explain_usage[];
extern const char  pay_cli_find_usage[];
extern const char  pay_cli_init_usage[];
extern const char  pay_cli_jwt_usage[];
extern const char  pay_cli_merchant_usage[];
extern const char  pay_cli_migrate_usage[];
extern const char  pay_cli_mismatch_usage[];
extern const char  pay_cli_ops_usage[];
extern const char  pay_cli_payout_file_usage[];
extern const char  pay_cli_payout_screening_usage[];
extern const char  pay_cli_payout_usage[];
extern const char  pay_cli_proof_usage[];
extern const char  pay_cli_quarantine_usage[];
extern const char  pay_cli_recover_usage[];
extern const char  pay_cli_report_usage[];
extern const char  pay_cli_retention_usage[];
extern const char  pay_cli_retention_erase_usage[];
extern const char  pay_cli_risk_export_usage[];
extern const char  pay_cli_risk_model_usage[];
extern const char  pay_cli_risk_replay_usage[];
extern const char  pay_cli_risk_review_usage[];
extern const char  pay_cli_risk_usage[];
extern const char  pay_cli_route_usage[];
extern const char  pay_cli_settlement_act_usage[];
extern const char  pay_cli_settlement_balances_usage[];
extern const char  pay_cli_settlement_copy_usage[];
extern const char  pay_cli_settlement_import_usage[];
extern const char  pay_cli_settlement_set_usage[];
extern const char  pay_cli_settlement_usage[];
extern const char  pay_cli_timeline_usage[];
extern const char  pay_cli_webhook_replay_usage[];
extern const char  pay_cli_webhook_show_usage[];
extern const char  pay_cli_webhook_usage[];
extern const char  pay_cli_webhook_verify_usage[];


#endif /* PAY_SRC_CLI_HELP_H */
