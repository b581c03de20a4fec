/*
 * payctl webhook verify: judges one webhook as the gateway does, from the
 * headers given as options and the raw body on stdin.  It prints only the
 * verdict, and never a key or a byte of the body.
 */

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>


#define VERIFY_BODY_MAX  (1024 * 1024)


static int verify_run(int argc, char **argv, verify_t *verify);
static int verify_body(const verify_t *verify);
static int verify_judge(const verify_t *verify, pay_str_t body);
static pay_sig_verdict_t verify_verdict(const verify_t *verify,
    pay_arena_t *arena, pay_str_t body);


const char  pay_cli_webhook_verify_usage[] =
    "usage: payctl webhook verify --scheme NAME --secret-file FILE ...\n"
    "           [--public-key KEY] [--url URL]\n"
    "           [--webhook-id ID --cert-file PEM --ca-file PEM\n"
    "            [--cert-host HOST ...]]\n"
    "           [--tolerance SECONDS] [--now UNIX]\n"
    "           --header 'Name: value' ... < body\n"
    "\n"
    "Prints \"valid\" (exit code 0) or \"invalid: <reason>\" (1); exit code 2\n"
    "means that it could not judge.  Reasons: header-missing, header-invalid,\n"
    "timestamp, mismatch, cert-invalid, error.\n"
    "\n"
    "  --scheme       adyen, adyen-platform, braintree, gocardless, mollie,\n"
    "                 mollie-legacy, paypal, razorpay, square,\n"
    "                 standardwebhooks, stripe, svix or wise\n"
    "  --secret-file  one key a line; up to 4 keys, any of them may fit;\n"
    "                 all schemes but mollie-legacy and paypal; wise: the\n"
    "                 provider's public key as PEM text\n"
    "  --public-key   the public key whose pair is looked at; braintree\n"
    "  --url          the notification URL as registered; square\n"
    "  --webhook-id   the PSP's id of the webhook; paypal\n"
    "  --cert-file    what the certificate's address would serve; paypal\n"
    "  --ca-file      the certificates to trust; paypal\n"
    "  --cert-host    a host that the certificate may come from, up to 16;\n"
    "                 without any, its address is not judged; paypal\n"
    "  --now          the time to judge at; default: the clock\n"
    "  --tolerance    greatest distance of the signed time from now, in\n"
    "                 both directions; default: 300; 0 asks for this second;\n"
    "                 stripe, standardwebhooks and svix sign a time\n"
    "  --header       a header of the request as received; repeat for each\n"
    "\n"
    "The body is read from stdin byte for byte, 1 MiB at most.\n";


/* *verify holds keys and is wiped before it is freed. */
int
pay_cli_webhook_verify(int argc, char **argv)
{
    int        code;
    verify_t  *verify;

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0
                      || strcmp(argv[1], "-h") == 0))
    {
        pay_cli_help(pay_cli_webhook_verify_usage);
        return PAY_CLI_OK;
    }

    verify = calloc(1, sizeof(*verify));
    if (verify == NULL) {
        return verify_complain("webhook verify", "out of memory");
    }

    code = verify_run(argc - 1, argv + 1, verify);

    explicit_bzero(verify, sizeof(*verify));
    free(verify);

    return code;
}


static int
verify_run(int argc, char **argv, verify_t *verify)
{
    int  code;

    verify->now_s = -1;
    verify->tolerance_s = PAY_SIG_TOLERANCE_S;

    code = verify_parse(argc, argv, verify);

    if (code == PAY_CLI_OK) {
        code = verify_read_files(verify);
    }

    return (code == PAY_CLI_OK) ? verify_body(verify) : code;
}


/* The body is read byte for byte: one line end more or less is another MAC. */
static int
verify_body(const verify_t *verify)
{
    int             code;
    size_t          len;
    unsigned char  *body;

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


/* A verdict that could not be written is no verdict: the exit code must not
 * say valid when the pipe was closed. */
static int
verify_judge(const verify_t *verify, pay_str_t body)
{
    int                code;
    pay_heap_t        *heap;
    pay_sig_verdict_t  verdict;

    heap = pay_heap_create();
    if (heap == NULL) {
        return verify_complain("webhook verify", "out of memory");
    }

    verdict = verify_verdict(verify, pay_heap_arena(heap), body);
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


/* As the gateway does it: the certificate is looked at only after the scheme
 * has asked for it, which it does for an address on the list alone. */
static pay_sig_verdict_t
verify_verdict(const verify_t *verify, pay_arena_t *arena, pay_str_t body)
{
    pay_sig_input_t    input;
    pay_sig_result_t   result;
    pay_sig_verdict_t  verdict;

    memset(&input, 0, sizeof(input));

    input.headers = verify->headers;
    input.header_count = verify->header_count;
    input.body = body;
    input.keys = verify->keys;
    input.key_count = verify->key_count;
    input.now_s = (verify->now_s < 0) ? (int64_t) time(NULL) : verify->now_s;
    input.tolerance_s = verify->tolerance_s;
    input.settings = &verify->settings;

    verdict = PAY_SIG_NEED_CERT;

    if (verify->cert_file == NULL || verify->settings.cert_host_count != 0) {
        verdict = verify->scheme->verify(arena, &input, &result);
    }

    if (verdict == PAY_SIG_NEED_CERT) {
        input.cert_pem = verify->cert_pem;
        verdict = verify->scheme->verify(arena, &input, &result);
    }

    return verdict;
}
