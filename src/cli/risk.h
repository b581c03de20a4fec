/*
 * payctl risk: risk.c acts on one entry and lists, risk_show.c shows a
 * decision, risk_import.c reads files of entries, risk_review.c decides about
 * reviews, risk_export.c writes decisions out, risk_model.c promotes models,
 * risk_replay.c tries other rules, risk_value.c has the words that all need.
 */

#ifndef PAY_SRC_CLI_RISK_H
#define PAY_SRC_CLI_RISK_H

#include "cli/help.h"
#include "pay_risk.h"


/* The options; each verb reads those that it knows. */
typedef struct {
    const char  *dsn;
    const char  *merchant;
    const char  *decision;
    const char  *until;
    const char  *who;
    const char  *why;
    const char  *keyring;
} pay_cli_risk_t;

/* EFFECT KIND FILE; the exit code. */
int pay_cli_risk_import(pay_cli_risk_t *args, const char *const *words);

/* CHECKOUT; the exit code. */
int pay_cli_risk_show(pay_cli_risk_t *args, const char *const *words);

/* "review", its verb and arguments; the exit code. */
int pay_cli_risk_review(int argc, char **argv);
/* The same of "export", "model" and "replay". */
int pay_cli_risk_export(int argc, char **argv);
int pay_cli_risk_model(int argc, char **argv);
int pay_cli_risk_replay(int argc, char **argv);

/* The operator: --who, or the user of this machine. */
const char *pay_cli_risk_who(const pay_cli_risk_t *args);
/* The keys of hashes, which values of this kind may need; 0 after a
 * complaint. */
int pay_cli_risk_keys(const pay_cli_risk_t *args, const char *kind,
    pay_risk_t *risk);
/* The bytes of a file, the arena's; 0 after a complaint, also when it has more
 * than max. */
int pay_cli_risk_file(const char *what, pay_arena_t *arena, const char *path,
    size_t max, pay_str_t *text);
/* The value as lists keep it, with a NUL behind it; PAY_CLI_OK, or the code
 * after a complaint. */
int pay_cli_risk_value(pay_arena_t *arena, const pay_risk_t *risk,
    const char *kind, const char *value, pay_str_t *kept);


#endif /* PAY_SRC_CLI_RISK_H */
