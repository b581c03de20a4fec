/*
 * The checks of payctl doctor on the host: nginx's configuration, the files
 * that it names, who can read the secrets among them, the key of seals and its
 * public half, the certificate.  Secrets are read by nobody here but for the
 * key of seals.
 */

#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/setup.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>


#define CERTIFICATE_DAYS  14

static int files_configuration(const setup_conf_t *conf);
static int files_missing(const setup_conf_t *conf);
static int files_left(const setup_conf_t *conf, const char *name);
static int files_secrets(const setup_t *setup, const setup_conf_t *conf);
static const char *secret_trouble(const setup_t *setup, const char *path);
static int files_audit(const setup_t *setup, const setup_conf_t *conf);
static int audit_differs(const char *private_key, const char *public_key);
static const char *files_named(const setup_conf_t *conf,
    const char *directive);
static int files_certificate(const setup_conf_t *conf);


int
pay_cli_doctor_files(const setup_t *setup)
{
    int            sum = 0;
    setup_conf_t   conf;

    if (!pay_cli_setup_conf(setup, &conf)) {
        return pay_cli_doctor_finding("configuration", "install it: docs/"
                                      "operations.md, install", "%s: %s",
                                      conf.path, strerror(errno));
    }

    if (pay_cli_doctor_wants(setup, "configuration")) {
        sum += files_configuration(&conf);
    }

    if (pay_cli_doctor_wants(setup, "files")) {
        sum += files_missing(&conf);
    }

    if (pay_cli_doctor_wants(setup, "secrets")) {
        sum += files_secrets(setup, &conf);
    }

    if (pay_cli_doctor_wants(setup, "audit-key")) {
        sum += files_audit(setup, &conf);
    }

    if (pay_cli_doctor_wants(setup, "certificate")) {
        sum += files_certificate(&conf);
    }

    pay_cli_setup_conf_free(&conf);

    return sum;
}


static int
files_configuration(const setup_conf_t *conf)
{
    int          sum = 0;
    char         text[SETUP_PATH];
    unsigned     line = 0;
    const char  *rest = conf->text, *name;

    while ((name = pay_cli_setup_example(&rest, &line, text)) != NULL) {
        sum += pay_cli_doctor_finding("configuration",
                                      "put your own name there",
                                      "line %u of %s has %s", line,
                                      conf->path, name);
    }

    return sum == 0 ? pay_cli_doctor_ok("configuration") : sum;
}


static int
files_missing(const setup_conf_t *conf)
{
    int       sum = files_left(conf, "files");
    unsigned  i;

    for (i = 0; i < conf->count; i++) {
        if (access(conf->files[i].path, F_OK) != 0) {
            sum += pay_cli_doctor_finding("files",
                                          "install the file, or correct the"
                                          " configuration",
                                          "%s of %s: %s", conf->files[i].path,
                                          conf->files[i].directive,
                                          strerror(errno));
        }
    }

    return sum == 0 ? pay_cli_doctor_ok("files") : sum;
}


/* A file that is not looked at is not ok. */
static int
files_left(const setup_conf_t *conf, const char *name)
{
    return conf->left == 0
           ? 0 : pay_cli_doctor_finding(name, "look at the last of them"
                                        " yourself, or shorten their names",
                                        "%u files of %s are not looked at:"
                                        " %d are, with names of less than %d"
                                        " bytes", conf->left, conf->path,
                                        SETUP_FILES, SETUP_PATH);
}


static int
files_secrets(const setup_t *setup, const setup_conf_t *conf)
{
    int          sum = files_left(conf, "secrets");
    unsigned     i;
    const char  *trouble;

    for (i = 0; i < conf->count; i++) {
        if (!conf->files[i].is_secret) {
            continue;
        }

        trouble = secret_trouble(setup, conf->files[i].path);

        if (trouble != NULL) {
            sum += pay_cli_doctor_finding("secrets", "chown root and the group"
                                          " of nginx, chmod 0440", "%s %s",
                                          conf->files[i].path, trouble);
        }
    }

    return sum == 0 ? pay_cli_doctor_ok("secrets") : sum;
}


/* NULL: none, or the file is missing, which is another check's finding. */
static const char *
secret_trouble(const setup_t *setup, const char *path)
{
    struct stat     info;
    struct passwd  *user = getpwnam(setup->user);

    if (stat(path, &info) != 0) {
        return NULL;
    }

    if ((info.st_mode & 0007) != 0) {
        return "can be read or changed by every user";
    }

    if ((info.st_mode & 0020) != 0) {
        return "can be changed by its group";
    }

    if (info.st_size == 0) {
        return "is empty";
    }

    if (user == NULL) {
        return "has no reader: nginx's user is missing";
    }

    if (!(info.st_uid == user->pw_uid && (info.st_mode & 0400) != 0)
        && !(info.st_gid == user->pw_gid && (info.st_mode & 0040) != 0))
    {
        return "cannot be read by nginx in ngx-payments.service";
    }

    return NULL;
}


/* Seals that no public key fits are worth nothing to an auditor. */
static int
files_audit(const setup_t *setup, const setup_conf_t *conf)
{
    int          differs;
    char         public_key[SETUP_PATH];
    const char  *private_key = files_named(conf, "key_file=");

    if (private_key == NULL) {
        return pay_cli_doctor_finding("audit-key", "payments_audit"
                                      " key_file=secrets/audit.pem;",
                                      "%s signs no seals", conf->path);
    }

    if (access(private_key, F_OK) != 0) {
        return pay_cli_doctor_finding("audit-key", "payctl init makes"
                                      " audit.pem", "%s is missing",
                                      private_key);
    }

    if (!pay_cli_setup_path(setup, "payctl/audit.pub.pem", public_key)) {
        return 1;
    }

    differs = audit_differs(private_key, public_key);

    return differs == 0
           ? pay_cli_doctor_ok("audit-key")
           : pay_cli_doctor_finding("audit-key", "keep the old public key,"
                                    " then payctl audit pubkey PRIVATE.pem >"
                                    " the file", "%s is not the public key of"
                                    " %s", public_key, private_key);
}


static int
audit_differs(const char *private_key, const char *public_key)
{
    int               same;
    pay_secret_t      key;
    pay_audit_key_t   known;
    unsigned char     own[PAY_ED25519_KEY];

    if (pay_cli_audit_private(private_key, &key) != PAY_CLI_OK) {
        return 1;
    }

    same = pay_cli_audit_public(public_key, &known) == PAY_CLI_OK
           && pay_ed25519_public(&key, own) == PAY_OK
           && memcmp(own, known.key, sizeof(own)) == 0;
    pay_secret_wipe(&key);

    return !same;
}


static const char *
files_named(const setup_conf_t *conf, const char *directive)
{
    unsigned  i;

    for (i = 0; i < conf->count; i++) {
        if (strcmp(conf->files[i].directive, directive) == 0) {
            return conf->files[i].path;
        }
    }

    return NULL;
}


static int
files_certificate(const setup_conf_t *conf)
{
    X509        *certificate = NULL;
    FILE        *file;
    time_t       limit = time(NULL) + CERTIFICATE_DAYS * 24 * 3600;
    const char  *path = files_named(conf, "ssl_certificate");

    file = path != NULL ? fopen(path, "rb") : NULL;

    if (file != NULL) {
        certificate = PEM_read_X509(file, NULL, NULL, NULL);
        fclose(file);
    }

    if (certificate == NULL) {
        return pay_cli_doctor_finding("certificate", "install the chain of"
                                      " the gateway's host in PEM",
                                      "no certificate in %s",
                                      path != NULL ? path : conf->path);
    }

    if (X509_cmp_time(X509_get0_notAfter(certificate), &limit) < 0) {
        X509_free(certificate);
        return pay_cli_doctor_finding("certificate", "renew it, then systemctl"
                                      " reload ngx-payments",
                                      "%s ends within %d days", path,
                                      CERTIFICATE_DAYS);
    }

    X509_free(certificate);

    return pay_cli_doctor_ok("certificate");
}
