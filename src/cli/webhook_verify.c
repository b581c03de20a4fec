/*
 * payctl webhook verify: judges one webhook as the gateway does, from the
 * headers given as options and the raw body on stdin.  It tells only the
 * verdict, and never shows a key or a byte of the body.
 */

#include "cli/cli.h"
#include "pay_sig.h"
#include "pay_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>


#define VERIFY_BODY_MAX      (1024 * 1024)
#define VERIFY_KEY_FILE_MAX  4096
#define VERIFY_HEADERS_MAX   64

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
    pay_str_t                url;
} verify_t;

typedef struct {
    const char   *name;
    const char *(*set)(verify_t *verify, const char *value);
} verify_option_t;


static int verify_run(int argc, char **argv, verify_t *verify);
static int verify_complain(const char *subject, const char *what);
static int verify_parse(int argc, char **argv, verify_t *verify);
static const verify_option_t *verify_option_find(const char *argument);
static const char *verify_set_scheme(verify_t *verify, const char *value);
static const char *verify_set_file(verify_t *verify, const char *value);
static const char *verify_set_now(verify_t *verify, const char *value);
static const char *verify_set_tolerance(verify_t *verify, const char *value);
static const char *verify_set_url(verify_t *verify, const char *value);
static const char *verify_set_header(verify_t *verify, const char *value);
static pay_str_t verify_trim(pay_str_t text);
static const char *verify_read_keys(verify_t *verify, const char *path);
static const char *verify_add_keys(verify_t *verify, pay_str_t text);
static int verify_judge(const verify_t *verify, pay_str_t body);


static const char  verify_help[] =
    "usage: payctl webhook verify --scheme NAME --secret-file FILE\n"
    "           [--secret-file FILE] [--now UNIX] [--tolerance SECONDS]\n"
    "           [--url URL] --header 'Name: value' ... < body\n"
    "\n"
    "Prints \"valid\" (exit code 0) or \"invalid: <reason>\" (1); exit code 2\n"
    "means that it could not judge.  Reasons: header-missing, header-invalid,\n"
    "timestamp, mismatch, error.\n"
    "\n"
    "  --scheme       stripe, standardwebhooks or svix\n"
    "  --secret-file  one key a line; up to 4 keys, any of them may fit\n"
    "  --now          the time to judge at; default: the clock\n"
    "  --tolerance    greatest distance of the signed time from now, in\n"
    "                 both directions; default: 300; 0 asks for this second\n"
    "  --url          the registered URL, for schemes that sign it\n"
    "  --header       a header of the request as received; repeat for each\n"
    "\n"
    "The body is read from stdin byte for byte, 1 MiB at most.\n";

static const verify_option_t  verify_options[] = {
    { "--scheme", verify_set_scheme },
    { "--secret-file", verify_set_file },
    { "--now", verify_set_now },
    { "--tolerance", verify_set_tolerance },
    { "--url", verify_set_url },
    { "--header", verify_set_header },
    { NULL, NULL }
};


int
pay_cli_webhook(int argc, char **argv)
{
    int        i, code;
    verify_t  *verify;

    for (i = 1; i < argc && i <= 2; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(verify_help, stdout);
            return PAY_CLI_OK;
        }
    }

    if (argc < 2 || strcmp(argv[1], "verify") != 0) {
        return verify_complain("webhook", "the only subcommand is verify");
    }

    verify = calloc(1, sizeof(*verify));
    if (verify == NULL) {
        return verify_complain("webhook verify", "out of memory");
    }

    code = verify_run(argc - 2, argv + 2, verify);

    explicit_bzero(verify, sizeof(*verify));
    free(verify);

    return code;
}


static int
verify_run(int argc, char **argv, verify_t *verify)
{
    int             code;
    size_t          len;
    unsigned        i;
    const char     *trouble;
    unsigned char  *body;

    verify->now_s = -1;
    verify->tolerance_s = PAY_SIG_TOLERANCE_S;

    code = verify_parse(argc, argv, verify);
    if (code != PAY_CLI_OK) {
        return code;
    }

    for (i = 0; i < verify->file_count; i++) {
        trouble = verify_read_keys(verify, verify->files[i]);
        if (trouble != NULL) {
            return verify_complain(verify->files[i], trouble);
        }
    }

    body = malloc(VERIFY_BODY_MAX + 1);
    if (body == NULL) {
        return verify_complain("webhook verify", "out of memory");
    }

    len = fread(body, 1, VERIFY_BODY_MAX + 1, stdin);

    if (ferror(stdin)) {
        code = verify_complain("stdin", "cannot be read");

    } else if (len > VERIFY_BODY_MAX) {
        code = verify_complain("stdin", "the body is larger than 1 MiB");

    } else {
        code = verify_judge(verify, (pay_str_t) { len, body });
    }

    free(body);

    return code;
}


static int
verify_complain(const char *subject, const char *what)
{
    fprintf(stderr, "payctl: %s: %s\n", subject, what);

    return PAY_CLI_USAGE;
}


static int
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

    if (verify->scheme == NULL) {
        return verify_complain("--scheme", "is missing");
    }

    if (verify->file_count == 0) {
        return verify_complain("--secret-file", "is missing");
    }

    return PAY_CLI_OK;
}


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


static const char *
verify_set_scheme(verify_t *verify, const char *value)
{
    verify->scheme = pay_sig_find(pay_str_of(value));

    return verify->scheme ? NULL : "no such scheme, see --help";
}


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
verify_set_url(verify_t *verify, const char *value)
{
    verify->url = pay_str_of(value);

    return NULL;
}


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


static const char *
verify_read_keys(verify_t *verify, const char *path)
{
    int             failed;
    FILE           *file;
    size_t          len;
    const char     *trouble;
    unsigned char   text[VERIFY_KEY_FILE_MAX + 1];

    file = fopen(path, "rb");
    if (file == NULL) {
        return "cannot be opened";
    }

    setvbuf(file, NULL, _IONBF, 0);    /* no copy of the keys in stdio */
    len = fread(text, 1, sizeof(text), file);
    failed = ferror(file);
    fclose(file);

    if (failed) {
        trouble = "cannot be read";

    } else if (len > VERIFY_KEY_FILE_MAX) {
        trouble = "larger than 4096 bytes, so no key file";

    } else {
        trouble = verify_add_keys(verify, (pay_str_t) { len, text });
    }

    explicit_bzero(text, sizeof(text));

    return trouble;
}


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


static int
verify_judge(const verify_t *verify, pay_str_t body)
{
    int                code;
    pay_heap_t        *heap;
    pay_sig_input_t    input;
    pay_sig_result_t   result;
    pay_sig_verdict_t  verdict;
    pay_sig_settings_t settings;

    memset(&input, 0, sizeof(input));
    memset(&settings, 0, sizeof(settings));

    heap = pay_heap_create();
    if (heap == NULL) {
        return verify_complain("webhook verify", "out of memory");
    }

    input.headers = verify->headers;
    input.header_count = verify->header_count;
    input.body = body;
    input.keys = verify->keys;
    input.key_count = verify->key_count;
    input.now_s = (verify->now_s < 0) ? (int64_t) time(NULL) : verify->now_s;
    input.tolerance_s = verify->tolerance_s;
    settings.url = verify->url;
    input.settings = &settings;

    verdict = verify->scheme->verify(pay_heap_arena(heap), &input, &result);
    pay_heap_destroy(heap);

    if (verdict == PAY_SIG_VALID) {
        puts("valid");
        code = PAY_CLI_OK;

    } else {
        printf("invalid: %s\n", pay_sig_verdict_name(verdict));
        code = PAY_CLI_NO;
    }

    if (fflush(stdout) != 0) {
        return verify_complain("stdout", "cannot be written");
    }

    return code;
}
