/*
 * The words of payctl risk that its files share: usage, operator, and values as
 * lists keep them, hashed with the keyring of the gateway where they are
 * personal.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/keyring.h"
#include "cli/risk.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


const char  pay_cli_risk_usage[] =
    "usage: payctl risk list [--dsn DSN] [--merchant ID] [-o json|csv]\n"
    "       payctl risk list add EFFECT KIND VALUE --why REASON [--who NAME]\n"
    "                        [--merchant ID] [--until TIME] [--keyring FILE]\n"
    "       payctl risk list remove EFFECT KIND VALUE --why REASON"
    " [--who NAME]\n"
    "                        [--merchant ID] [--keyring FILE]\n"
    "       payctl risk list import EFFECT KIND FILE --why REASON"
    " [--who NAME]\n"
    "                        [--merchant ID] [--until TIME] [--keyring FILE]\n"
    "       payctl risk decisions [--dsn DSN] [--merchant ID]"
    " [--decision WORD]\n"
    "                             [-o json|csv]\n"
    "       payctl risk show [--dsn DSN] --merchant ID [-o json]\n"
    "                        CHECKOUT\n"
    "       payctl risk modes [--dsn DSN] [--merchant ID] [-o json|csv]\n"
    "       payctl risk review|export|model|replay --help\n"
    "\n"
    "EFFECT is block, review, challenge or allow; KIND is email,\n"
    "email_domain, phone, buyer, device, ip (an address, or one with /8,\n"
    "/16, /24; of IPv6 /32, /48, /64), country, card, bin, card_country,\n"
    "browser.  Without --merchant an entry is for all.  A card or browser is\n"
    "its hash, as risk show has it, or with --merchant an order that it was\n"
    "used in.\n"
    "email, phone, buyer and device are kept as hashes under the first key of\n"
    "the gateway's keyring: --keyring FILE, or PAYCTL_KEYRING.  --who is the\n"
    "user of this machine, if it is not said.  import reads a value from each\n"
    "line.  add, remove and import need the role payments_operator.\n";


const char *
pay_cli_risk_who(const pay_cli_risk_t *args)
{
    const char     *user = getenv("LOGNAME");
    struct passwd  *account;

    user = user != NULL && *user != '\0' ? user : getenv("USER");

    if (args->who != NULL || (user != NULL && *user != '\0')) {
        return args->who != NULL ? args->who : user;
    }

    /* a timer has no such variables */
    account = getpwuid(geteuid());

    return account != NULL ? account->pw_name : "payctl";
}


int
pay_cli_risk_keys(const pay_cli_risk_t *args, const char *kind,
    pay_risk_t *risk)
{
    int             done;
    size_t          i;
    const char     *path = args->keyring;
    pay_keyring_t   ring;

    static const char  *const clear[] = {
        "ip", "country", "email_domain", "card", "bin", "card_country",
        "browser"
    };

    memset(risk, 0, sizeof(pay_risk_t));

    for (i = 0; i < sizeof(clear) / sizeof(clear[0]); i++) {
        if (strcmp(kind, clear[i]) == 0) {
            return 1;
        }
    }

    path = path != NULL ? path : getenv("PAYCTL_KEYRING");

    if (path == NULL) {
        (void) pay_cli_misuse(pay_cli_risk_usage, "risk list: %s is kept as a "
                              "hash: give --keyring or set PAYCTL_KEYRING",
                              kind);
        return 0;
    }

    if (!pay_cli_keyring("risk list", path, &ring)) {
        return 0;
    }

    done = pay_risk_keys(&ring, risk) == PAY_OK;
    pay_keyring_wipe(&ring);

    return done;
}


int
pay_cli_risk_value(pay_arena_t *arena, const pay_risk_t *risk,
    const char *kind, const char *value, pay_str_t *kept)
{
    pay_str_t  text;

    if (pay_risk_list_value(arena, risk, 0, pay_str_of(kind),
                            pay_str_of(value), &text) != PAY_OK
        || pay_dup(arena, text, kept) != PAY_OK)
    {
        return pay_cli_misuse(pay_cli_risk_usage, "risk list: %s is no value "
                              "of %s", value, kind);
    }

    return PAY_CLI_OK;
}


int
pay_cli_risk_file(const char *what, pay_arena_t *arena, const char *path,
    size_t max, pay_str_t *text)
{
    int             done = 0;
    long            size;
    FILE           *file = fopen(path, "rb");
    unsigned char  *data;

    if (file == NULL) {
        fprintf(stderr, "payctl: %s: %s: %s\n", what, path, strerror(errno));
        return 0;
    }

    size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;

    if (size >= 0 && (size_t) size <= max && fseek(file, 0, SEEK_SET) == 0) {
        data = pay_alloc(arena, (size_t) size + 1);
        done = data != NULL
               && fread(data, 1, (size_t) size, file) == (size_t) size;
        *text = (pay_str_t) { (size_t) size, data };
    }

    fclose(file);

    if (!done) {
        fprintf(stderr, "payctl: %s: %s: no file of at most %zu bytes\n",
                what, path, max);
    }

    return done;
}
