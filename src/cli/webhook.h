/*
 * payctl webhook: webhook.c hands over to quarantine.c, webhook_show.c,
 * webhook_replay.c or verify, which is in two files: webhook_options.c reads
 * the command line and the files that it names, webhook_verify.c judges.
 */

#ifndef PAY_SRC_CLI_WEBHOOK_H
#define PAY_SRC_CLI_WEBHOOK_H

#include "pay_rsa.h"
#include "pay_sig.h"


#define VERIFY_HEADERS_MAX  64
#define VERIFY_HOSTS_MAX    16
#define VERIFY_PEM_MAX      65536

typedef struct {
    const pay_sig_scheme_t  *scheme;
    const char              *files[PAY_SIG_KEYS_MAX];
    unsigned                 file_count;
    pay_secret_t             keys[PAY_SIG_KEYS_MAX];
    size_t                   key_count;
    pay_header_t             headers[VERIFY_HEADERS_MAX];
    size_t                   header_count;
    int64_t                  now_s;    /* -1: ask the clock */
    int64_t                  tolerance_s;
    const char              *cert_file;
    const char              *ca_file;
    pay_str_t                cert_hosts[VERIFY_HOSTS_MAX];
    pay_sig_settings_t       settings;
    pay_str_t                cert_pem;
    unsigned char            cert_text[VERIFY_PEM_MAX + 1];
    unsigned char            ca_text[VERIFY_PEM_MAX + 1];
    unsigned char            rsa_text[PAY_RSA_PEM_MAX + 1];
} verify_t;


/* The subcommands, with their own name in argv[0]; the exit code. */
int pay_cli_webhook_verify(int argc, char **argv);
int pay_cli_webhook_quarantine(int argc, char **argv);
int pay_cli_webhook_show(int argc, char **argv);
int pay_cli_webhook_replay(int argc, char **argv);

/* Prints "payctl: subject: what" to stderr and returns the exit code. */
int verify_complain(const char *subject, const char *what);

/* Fills *verify, which is zeroed, from the options; checks that all is there
 * that the scheme needs.  PAY_CLI_OK, or PAY_CLI_USAGE after a complaint.
 * What it read is borrowed from argv. */
int verify_parse(int argc, char **argv, verify_t *verify);

/* Reads the files that the options name: keys and certificates. */
int verify_read_files(verify_t *verify);


#endif /* PAY_SRC_CLI_WEBHOOK_H */
