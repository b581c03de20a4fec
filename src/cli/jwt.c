/*
 * payctl jwt verify: judges one bearer token as the gateway does, from stdin,
 * and says why it is refused.  It needs only what the operator has of a
 * merchant: a public key.  It never shows the token or a key.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "pay_arena.h"
#include "pay_id.h"
#include "pay_jwt.h"
#include "pay_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define JWT_KEY_MAX       16384
#define JWT_INPUT_MAX     (2 * PAY_JWT_MAX)
#define JWT_LIFETIME_S    "3600"
#define JWT_AUDIENCE      "ngx_payments"


typedef struct {
    /* Options as texts, then the key and the policy that are made of them.
     * The struct is wiped as a whole, since it holds a key. */
    const char     *key_file;
    const char     *kid;
    const char     *alg;
    const char     *issuer;
    const char     *audience;
    const char     *lifetime;
    const char     *now;
    unsigned char   key_bytes[JWT_KEY_MAX + 1];
    pay_jwt_key_t   key;
    pay_jwt_policy_t  policy;
} jwt_t;


static int jwt_verify(int argc, char **argv);
static int jwt_run(jwt_t *jwt);
static const char *jwt_words(jwt_t *jwt);
static const char *jwt_times(jwt_t *jwt);
static const char *jwt_read_key(jwt_t *jwt);
static int jwt_input(jwt_t *jwt);
static pay_str_t jwt_trim(pay_str_t text);
static int jwt_print(const jwt_t *jwt, pay_str_t token);
static int jwt_complain(const char *subject, const char *what);


const char  pay_cli_jwt_usage[] =
    "usage: payctl jwt verify --key FILE --kid KID --alg ALG --issuer ID\n"
    "           [--audience NAME] [--max-lifetime SECONDS] [--now UNIX]\n"
    "           < token\n"
    "\n"
    "Judges a bearer token as the gateway does.  Prints \"valid\" (exit code\n"
    "0) or \"invalid: <reason>\" (1); exit code 2: it could not judge.\n"
    "\n"
    "  --key           the file of jwt_key: the public key in PEM, or for\n"
    "                  HS256 the secret\n"
    "  --kid           kid= of jwt_key\n"
    "  --alg           alg= of jwt_key: RS256, ES256 or HS256\n"
    "  --issuer        the name of the payments_merchant block\n"
    "  --audience      payments_audience; default: ngx_payments\n"
    "  --max-lifetime  payments_jwt_max_lifetime in seconds; default: 3600\n"
    "  --now           the time to judge at; default: the clock\n"
    "\n"
    "The token is read from stdin, with or without \"Bearer \" in front.\n";


int
pay_cli_jwt(int argc, char **argv)
{
    static const pay_cli_subcommand_t  subcommands[] = {
        { "verify", jwt_verify }, { NULL, NULL }
    };

    return pay_cli_hand_over("jwt", pay_cli_jwt_usage, subcommands, argc,
                             argv);
}


static int
jwt_verify(int argc, char **argv)
{
    int          code, count;
    jwt_t       *jwt;
    const char  *none[1];

    jwt = calloc(1, sizeof(*jwt));
    if (jwt == NULL) {
        return jwt_complain("jwt verify", "out of memory");
    }

    jwt->audience = JWT_AUDIENCE;
    jwt->lifetime = JWT_LIFETIME_S;

    const pay_cli_option_t  options[] = {
        { "--key", &jwt->key_file, NULL },
        { "--kid", &jwt->kid, NULL },
        { "--alg", &jwt->alg, NULL },
        { "--issuer", &jwt->issuer, NULL },
        { "--audience", &jwt->audience, NULL },
        { "--max-lifetime", &jwt->lifetime, NULL },
        { "--now", &jwt->now, NULL },
        { NULL, NULL, NULL }
    };

    count = pay_cli_args(argc, argv, options, none, 0);

    code = count != 0 ? pay_cli_say_usage(count,
                                          pay_cli_jwt_usage) : jwt_run(jwt);

    explicit_bzero(jwt, sizeof(*jwt));
    free(jwt);

    return code;
}


static int
jwt_run(jwt_t *jwt)
{
    const char  *trouble;

    trouble = jwt_words(jwt);

    if (trouble == NULL) {
        trouble = jwt_times(jwt);
    }

    if (trouble != NULL) {
        return jwt_complain("jwt verify", trouble);
    }

    trouble = jwt_read_key(jwt);

    return trouble == NULL ? jwt_input(jwt)
                           : jwt_complain(jwt->key_file, trouble);
}


/* NULL, or the complaint; the key's struct then holds everything but its
 * bytes. */
static const char *
jwt_words(jwt_t *jwt)
{
    if (jwt->key_file == NULL) {
        return "--key is missing";
    }

    if (jwt->kid == NULL || jwt->kid[0] == '\0'
        || strlen(jwt->kid) > PAY_JWT_KID_MAX)
    {
        return "--kid needs the kid= of jwt_key";
    }

    if (jwt->alg == NULL
        || pay_alg_parse(pay_str_of(jwt->alg), &jwt->key.alg) != PAY_OK)
    {
        return "--alg needs RS256, ES256 or HS256";
    }

    if (jwt->issuer == NULL || !pay_id_is_valid(pay_str_of(jwt->issuer))) {
        return "--issuer needs the name of the payments_merchant block";
    }

    if (jwt->audience[0] == '\0') {
        return "--audience is empty";
    }

    jwt->key.kid = pay_str_of(jwt->kid);
    jwt->key.issuer = pay_str_of(jwt->issuer);
    jwt->policy.keys = &jwt->key;
    jwt->policy.count = 1;
    jwt->policy.audience = pay_str_of(jwt->audience);

    return NULL;
}


/* The clock is asked once: all checks of a token are of one moment. */
static const char *
jwt_times(jwt_t *jwt)
{
    if (pay_digits_parse(pay_str_of(jwt->lifetime),
                         &jwt->policy.max_lifetime_s) != PAY_OK)
    {
        return "--max-lifetime needs a number of seconds";
    }

    if (jwt->now == NULL) {
        jwt->policy.now_s = (int64_t) time(NULL);
        return NULL;
    }

    return pay_digits_parse(pay_str_of(jwt->now), &jwt->policy.now_s)
           == PAY_OK ? NULL : "--now needs a number of seconds since 1970";
}


/* `err` is static, since the detail that is returned may lie in it. */
static const char *
jwt_read_key(jwt_t *jwt)
{
    int                failed;
    FILE              *file;
    size_t             len;
    static pay_err_t   err;

    file = fopen(jwt->key_file, "rb");
    if (file == NULL) {
        return "cannot be opened";
    }

    setvbuf(file, NULL, _IONBF, 0);
    len = fread(jwt->key_bytes, 1, sizeof(jwt->key_bytes), file);
    failed = ferror(file);
    fclose(file);

    if (failed || len > JWT_KEY_MAX) {
        return failed ? "cannot be read" : "is too large to be a key";
    }

    jwt->key.key = jwt_trim((pay_str_t) { len, jwt->key_bytes });
    err.detail = "holds no key";

    return pay_jwt_key_check(jwt->key.alg, jwt->key.key, NULL, &err) == PAY_OK
           ? NULL : err.detail;
}


/* "Bearer " in front is accepted: tokens are copied out of header lines. */
static int
jwt_input(jwt_t *jwt)
{
    int             code;
    size_t          len;
    pay_str_t       token, bearer = PAY_STR("Bearer ");
    unsigned char   text[JWT_INPUT_MAX + 1];

    len = fread(text, 1, sizeof(text), stdin);

    if (ferror(stdin)) {
        return jwt_complain("stdin", "cannot be read");
    }

    token = jwt_trim((pay_str_t) { len, text });

    if (token.len > bearer.len
        && memcmp(token.data, bearer.data, bearer.len) == 0)
    {
        token.data += bearer.len;
        token.len -= bearer.len;
    }

    code = jwt_print(jwt, token);
    explicit_bzero(text, sizeof(text));

    return code;
}


static pay_str_t
jwt_trim(pay_str_t text)
{
    while (text.len != 0 && text.data[text.len - 1] <= ' ') {
        text.len--;
    }

    return text;
}


/* Judges with the function that the gateway uses.  The reason may be shown
 * here, as the operator and not the token's sender reads it (docs/security.md
 * J18). */
static int
jwt_print(const jwt_t *jwt, pay_str_t token)
{
    pay_heap_t     *heap;
    pay_claims_t    claims;
    pay_status_t    status;
    pay_jwt_why_t   why;

    heap = pay_heap_create();
    if (heap == NULL) {
        return jwt_complain("jwt verify", "out of memory");
    }

    status = pay_jwt_judge(pay_heap_arena(heap), token, &jwt->policy, &claims,
                           &why);
    pay_heap_destroy(heap);

    switch (status) {

    case PAY_OK:
        puts("valid");
        return PAY_CLI_OK;

    case PAY_INVALID:
        printf("invalid: %s\n", why.reason);
        return PAY_CLI_NO;

    default:
        return jwt_complain("jwt verify", "it cannot be judged");
    }
}


static int
jwt_complain(const char *subject, const char *what)
{
    fprintf(stderr, "payctl: %s: %s\n", subject, what);

    return PAY_CLI_USAGE;
}
