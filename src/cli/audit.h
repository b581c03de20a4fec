/*
 * payctl audit: audit.c hands over to audit_drop.c, audit_export.c,
 * audit_status.c, audit_key.c (keygen, pubkey), audit_root.c,
 * audit_root_verify.c or audit_verify.c, whose findings audit_report.c prints.
 */

#ifndef PAY_SRC_CLI_AUDIT_H
#define PAY_SRC_CLI_AUDIT_H

#include <stdio.h>

#include "pay_audit_check.h"


#define AUDIT_FINDINGS_MAX  20         /* errors printed in full; the others
                                          are counted */
#define AUDIT_TOLD_MAX      160        /* bytes of one id as it is printed */

typedef struct {
    pay_audit_finding_t  finding;
    uint64_t             order;                /* as they were found */
    char                 merchant_id[AUDIT_TOLD_MAX];
    char                 payment_order_id[AUDIT_TOLD_MAX];
    char                 key_id[AUDIT_TOLD_MAX];
} audit_told_t;

typedef struct {
    audit_told_t  told[AUDIT_FINDINGS_MAX + 1];
    unsigned      count;               /* of those that are kept */
    uint64_t      total;
} audit_report_t;


/* The subcommands, with their own name in argv[0]; the exit code. */
int pay_cli_audit_drop(int argc, char **argv);
int pay_cli_audit_export(int argc, char **argv);
int pay_cli_audit_keygen(int argc, char **argv);
int pay_cli_audit_pubkey(int argc, char **argv);
int pay_cli_audit_root(int argc, char **argv);
int pay_cli_audit_status(int argc, char **argv);
int pay_cli_audit_verify(int argc, char **argv);
int pay_cli_audit_verify_root(int argc, char **argv);

/* Prints "payctl: audit: subject: what" to stderr; returns PAY_CLI_USAGE. */
int pay_cli_audit_complain(const char *subject, const char *what);

/* Reads a whole small file; NULL, or what is wrong with it. */
const char *pay_cli_audit_read(const char *path, unsigned char *text,
    size_t max, pay_str_t *bytes);

/* Writes the whole of a file that was just made, onto the disk, and closes it.
 * PAY_CLI_OK, or PAY_CLI_USAGE after a complaint: then no such file is left. */
int pay_cli_audit_fill(int fd, const char *path, pay_str_t text);

/* The key of the event log's seals, which signs closes and proofs, too; the
 * caller wipes it.  PAY_CLI_OK, or PAY_CLI_USAGE after a complaint. */
int pay_cli_audit_private(const char *path, pay_secret_t *key);
/* The same of a public key, with its id. */
int pay_cli_audit_public(const char *path, pay_audit_key_t *key);

/* The next line of an export, cut where it is too long to be one; 0 at the
 * end.  `line` has room for PAY_AUDIT_LINE_MAX + 1 bytes. */
int pay_cli_audit_line(FILE *file, unsigned char *line, pay_str_t *text);
/* The exported seal in a line of a file or a syslog; it may be none. */
pay_str_t pay_cli_audit_seal_in(pay_str_t text);

/* pay_audit_conf_t.found: keeps the first ones. */
void pay_cli_audit_found(void *data, const pay_audit_finding_t *finding);

/* Prints the counts, the findings and the verdict; returns the exit code. */
int pay_cli_audit_report(const audit_report_t *report,
    const pay_audit_counts_t *counts, const pay_audit_conf_t *conf,
    int has_roots);


#endif /* PAY_SRC_CLI_AUDIT_H */
