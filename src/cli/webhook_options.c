/*
 * The options of payctl webhook verify, the keys and the certificates that
 * they name.  What a scheme needs and lacks is a wrong call, with the
 * option's name; so is a key for a scheme that has none.
 */

#include "cli/cli.h"
#include "cli/webhook.h"
#include "pay_time.h"

#include <stdio.h>


#define VERIFY_KEY_FILE_MAX  4096

typedef struct {
    const char   *name;
    const char *(*set)(verify_t *verify, const char *value);
} verify_option_t;


static const verify_option_t *verify_option_find(const char *argument);
static int verify_check(const verify_t *verify);
static const char *verify_set_scheme(verify_t *verify, const char *value);
static const char *verify_set_file(verify_t *verify, const char *value);
static const char *verify_set_public_key(verify_t *verify, const char *value);
static const char *verify_set_url(verify_t *verify, const char *value);
static const char *verify_set_webhook_id(verify_t *verify, const char *value);
static const char *verify_set_cert_file(verify_t *verify, const char *value);
static const char *verify_set_ca_file(verify_t *verify, const char *value);
static const char *verify_set_cert_host(verify_t *verify, const char *value);
static const char *verify_set_now(verify_t *verify, const char *value);
static const char *verify_set_tolerance(verify_t *verify, const char *value);
static const char *verify_set_header(verify_t *verify, const char *value);
static const char *verify_set_text(pay_str_t *text, const char *value);
static pay_str_t verify_trim(pay_str_t text);
static const char *verify_read(const char *path, unsigned char *text,
    size_t max, size_t *len);
static const char *verify_read_keys(verify_t *verify, const char *path);
static const char *verify_read_rsa(verify_t *verify, const char *path);
static const char *verify_read_pem(const char *path, unsigned char *text,
    pay_str_t *pem);
static const char *verify_add_keys(verify_t *verify, pay_str_t text);


static const verify_option_t  verify_options[] = {
    { "--scheme", verify_set_scheme },
    { "--secret-file", verify_set_file },
    { "--public-key", verify_set_public_key },
    { "--url", verify_set_url },
    { "--webhook-id", verify_set_webhook_id },
    { "--cert-file", verify_set_cert_file },
    { "--ca-file", verify_set_ca_file },
    { "--cert-host", verify_set_cert_host },
    { "--now", verify_set_now },
    { "--tolerance", verify_set_tolerance },
    { "--header", verify_set_header },
    { NULL, NULL }
};


/* Takes "--name value" and "--name=value".  Headers are repeated, so that
 * pay_cli_args() does not fit here. */
int
verify_parse(int argc, char **argv, verify_t *verify)
{
    int                     i;
    size_t                  len;
    const char             *value, *trouble;
    const verify_option_t  *option;

    for (i = 0; i < argc; i++) {
        option = verify_option_find(argv[i]);

        if (option == NULL) {
            return verify_complain(argv[i],
                                   "no such option, see --help");
        }

        len = strlen(option->name);
        value = (argv[i][len] == '=') ? argv[i] + len + 1
                                      : (i + 1 < argc) ? argv[++i] : NULL;

        trouble = (value == NULL) ? "needs a value"
                                  : option->set(verify, value);
        if (trouble != NULL) {
            return verify_complain(option->name, trouble);
        }
    }

    return verify_check(verify);
}


int
verify_read_files(verify_t *verify)
{
    unsigned     i;
    const char  *trouble;

    for (i = 0; i < verify->file_count; i++) {
        trouble = (verify->scheme->needs & PAY_SIG_NEEDS_RSA_KEY)
                  ? verify_read_rsa(verify, verify->files[i])
                  : verify_read_keys(verify, verify->files[i]);
        if (trouble != NULL) {
            return verify_complain(verify->files[i], trouble);
        }
    }

    if (verify->cert_file != NULL) {
        trouble = verify_read_pem(verify->cert_file, verify->cert_text,
                                  &verify->cert_pem);
        if (trouble != NULL) {
            return verify_complain(verify->cert_file, trouble);
        }
    }

    if (verify->ca_file != NULL) {
        trouble = verify_read_pem(verify->ca_file, verify->ca_text,
                                  &verify->settings.ca_pem);
        if (trouble != NULL) {
            return verify_complain(verify->ca_file, trouble);
        }
    }

    return PAY_CLI_OK;
}


/* "--name" or "--name=value"; a longer word is another option. */
static const verify_option_t *
verify_option_find(const char *argument)
{
    size_t                  len;
    const verify_option_t  *option;

    for (option = verify_options; option->name != NULL; option++) {
        len = strlen(option->name);

        if (strncmp(argument, option->name, len) == 0
            && (argument[len] == '\0' || argument[len] == '='))
        {
            return option;
        }
    }

    return NULL;
}


/* The scheme's own list of needs (pay_sig_scheme_t) decides which options are
 * required, so that a new scheme needs no line here. */
static int
verify_check(const verify_t *verify)
{
    unsigned                    i, needs;
    const pay_sig_settings_t   *settings = &verify->settings;

    const struct {
        unsigned     needed;
        int          is_there;
        const char  *option;
    } wanted[] = {
        { PAY_SIG_NEEDS_KEY | PAY_SIG_NEEDS_RSA_KEY, verify->file_count != 0,
          "--secret-file" },
        { PAY_SIG_NEEDS_URL, settings->url.len != 0, "--url" },
        { PAY_SIG_NEEDS_PUBLIC_KEY, settings->public_key.len != 0,
          "--public-key" },
        { PAY_SIG_NEEDS_WEBHOOK_ID, settings->webhook_id.len != 0,
          "--webhook-id" },
        { PAY_SIG_NEEDS_CERT, verify->cert_file != NULL, "--cert-file" },
        { PAY_SIG_NEEDS_CERT, verify->ca_file != NULL, "--ca-file" }
    };

    if (verify->scheme == NULL) {
        return verify_complain("--scheme", "is missing");
    }

    needs = verify->scheme->needs;

    if (needs & PAY_SIG_NEEDS_CONFIRM) {
        return verify_complain("--scheme", "its sender has to be asked, which "
                               "the gateway does alone");
    }

    for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if ((needs & wanted[i].needed) && !wanted[i].is_there) {
            return verify_complain(wanted[i].option,
                                   "is missing, this scheme needs it");
        }
    }

    /* A key for a scheme without keys: the operator believes in a check that
     * is not made. */
    if (!(needs & (PAY_SIG_NEEDS_KEY | PAY_SIG_NEEDS_RSA_KEY))
        && verify->file_count != 0)
    {
        return verify_complain("--secret-file", "this scheme has no key");
    }

    return PAY_CLI_OK;
}


static const char *
verify_set_scheme(verify_t *verify, const char *value)
{
    verify->scheme = pay_sig_find(pay_str_of(value));

    return verify->scheme ? NULL : "no such scheme, see --help";
}


/* More keys than the gateway would try are refused, or the verdict would
 * differ from its own. */
static const char *
verify_set_file(verify_t *verify, const char *value)
{
    if (verify->file_count == PAY_SIG_KEYS_MAX) {
        return "given more than 4 times";
    }

    verify->files[verify->file_count++] = value;

    return NULL;
}


static const char *
verify_set_now(verify_t *verify, const char *value)
{
    return pay_digits_parse(pay_str_of(value), &verify->now_s) == PAY_OK
           ? NULL : "not a number of seconds";
}


static const char *
verify_set_tolerance(verify_t *verify, const char *value)
{
    return pay_digits_parse(pay_str_of(value), &verify->tolerance_s) == PAY_OK
           ? NULL : "not a number of seconds";
}


static const char *
verify_set_public_key(verify_t *verify, const char *value)
{
    return verify_set_text(&verify->settings.public_key, value);
}


static const char *
verify_set_url(verify_t *verify, const char *value)
{
    return verify_set_text(&verify->settings.url, value);
}


static const char *
verify_set_webhook_id(verify_t *verify, const char *value)
{
    return verify_set_text(&verify->settings.webhook_id, value);
}


static const char *
verify_set_cert_file(verify_t *verify, const char *value)
{
    verify->cert_file = value;

    return NULL;
}


static const char *
verify_set_ca_file(verify_t *verify, const char *value)
{
    verify->ca_file = value;

    return NULL;
}


static const char *
verify_set_cert_host(verify_t *verify, const char *value)
{
    pay_sig_settings_t  *settings = &verify->settings;

    if (settings->cert_host_count == VERIFY_HOSTS_MAX) {
        return "given more than 16 times";
    }

    settings->cert_hosts = verify->cert_hosts;

    return verify_set_text(&verify->cert_hosts[settings->cert_host_count++],
                           value);
}


static const char *
verify_set_text(pay_str_t *text, const char *value)
{
    *text = pay_str_of(value);

    return (text->len == 0) ? "is empty" : NULL;
}


/* As a request's dump has it; the value may be empty, the name may not. */
static const char *
verify_set_header(verify_t *verify, const char *value)
{
    const char    *colon;
    pay_header_t  *header;

    colon = strchr(value, ':');

    if (colon == NULL || colon == value) {
        return "not of the form 'Name: value'";
    }

    if (verify->header_count == VERIFY_HEADERS_MAX) {
        return "given more than 64 times";
    }

    header = &verify->headers[verify->header_count++];
    header->name = (pay_str_t) { (size_t) (colon - value),
                                 (const unsigned char *) value };
    header->value = verify_trim(pay_str_of(colon + 1));

    return NULL;
}


/* White space around a header's value is no part of it (RFC 9110 section
 * 5.5). */
static pay_str_t
verify_trim(pay_str_t text)
{
    while (text.len && strchr(" \t\r", text.data[0]) && text.data[0]) {
        text.data++;
        text.len--;
    }

    while (text.len && strchr(" \t\r", text.data[text.len - 1])
           && text.data[text.len - 1])
    {
        text.len--;
    }

    return text;
}


/* Reads one byte more than allowed, by which the caller sees that the file is
 * too large. */
static const char *
verify_read(const char *path, unsigned char *text, size_t max, size_t *len)
{
    int    failed;
    FILE  *file;

    file = fopen(path, "rb");
    if (file == NULL) {
        return "cannot be opened";
    }

    setvbuf(file, NULL, _IONBF, 0);    /* no copy of the keys in stdio */
    *len = fread(text, 1, max + 1, file);
    failed = ferror(file);
    fclose(file);

    return failed ? "cannot be read" : NULL;
}


/* The text is wiped; the decoded keys are wiped with *verify. */
static const char *
verify_read_keys(verify_t *verify, const char *path)
{
    size_t          len;
    const char     *trouble;
    unsigned char   text[VERIFY_KEY_FILE_MAX + 1];

    trouble = verify_read(path, text, VERIFY_KEY_FILE_MAX, &len);

    if (trouble == NULL) {
        trouble = (len > VERIFY_KEY_FILE_MAX)
                  ? "larger than 4096 bytes, so no key file"
                  : verify_add_keys(verify, (pay_str_t) { len, text });
    }

    explicit_bzero(text, sizeof(text));

    return trouble;
}


/* Behind the keys of the files before; public ones need no wiping. */
static const char *
verify_read_rsa(verify_t *verify, const char *path)
{
    size_t       len;
    pay_err_t    err;
    pay_str_t   *pem = &verify->settings.rsa_pem;
    const char  *trouble;

    if (pem->len != 0 && pem->len < PAY_RSA_PEM_MAX) {
        verify->rsa_text[pem->len++] = '\n';
    }

    trouble = verify_read(path, verify->rsa_text + pem->len,
                          PAY_RSA_PEM_MAX - pem->len, &len);
    if (trouble != NULL) {
        return trouble;
    }

    pem->data = verify->rsa_text;
    pem->len += len;
    err.detail = "no memory for its keys";

    return (pay_rsa_check(*pem, &err) == PAY_OK) ? NULL : err.detail;
}


static const char *
verify_read_pem(const char *path, unsigned char *text, pay_str_t *pem)
{
    const char  *trouble;

    trouble = verify_read(path, text, VERIFY_PEM_MAX, &pem->len);
    pem->data = text;

    if (trouble != NULL) {
        return trouble;
    }

    if (pem->len > VERIFY_PEM_MAX) {
        return "larger than 65536 bytes";
    }

    return (pem->len == 0) ? "is empty" : NULL;
}


/* One key a line, as in the gateway's key files; empty lines are passed
 * over. */
static const char *
verify_add_keys(verify_t *verify, pay_str_t text)
{
    size_t       i, before;
    pay_str_t    line;
    pay_err_t    err;

    before = verify->key_count;

    while (text.len > 0) {
        for (i = 0; i < text.len && text.data[i] != '\n'; i++) {
            /* void */
        }

        line = verify_trim((pay_str_t) { i, text.data });
        i += (i < text.len);
        text.data += i;
        text.len -= i;

        if (line.len == 0) {
            continue;
        }

        if (verify->key_count == PAY_SIG_KEYS_MAX) {
            return "more than 4 keys in all";
        }

        err.detail = "not a key of this scheme";

        if (verify->scheme->key_parse(line, &verify->keys[verify->key_count],
                                      &err)
            != PAY_OK)
        {
            return err.detail;
        }

        verify->key_count++;
    }

    return (verify->key_count == before) ? "holds no key" : NULL;
}


int
verify_complain(const char *subject, const char *what)
{
    fprintf(stderr, "payctl: %s: %s\n", subject, what);

    return PAY_CLI_USAGE;
}
