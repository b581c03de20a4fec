/*
 * The look at a checkout before its PSP is asked: rules and velocities, in the
 * sequence of the configuration.  A rule's comparisons are read by the core
 * (src/risk/rule.c); here stand the words around them.
 */

#include "conf/ngx_http_payments_conf_risk.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "shm/ngx_payments_windows.h"
#include "util/ngx_payments_memory.h"


#define RULE          "payments_risk_rule"
#define VELOCITY      "payments_risk_velocity"
#define LIMIT_MAX     60000
#define CODE_LEN      3
#define MEMORY_MIN    1048576
#define MEMORY_MAX    INT64_C(1073741824)
#define WINDOW_MIN_S  15
#define BLOCK_DELAY      100           /* ms */
#define BLOCK_DELAY_MAX  3000

/* As a line is read. */
typedef struct {
    pay_risk_velocity_t  core;
    ngx_uint_t           of;
    ngx_str_t            merchant;
    ngx_str_t            limit;
    time_t               window_s;
    ngx_uint_t           has_then;
    ngx_uint_t           has_key;
} velocity_t;


static ngx_uint_t named_before(const ngx_http_payments_main_conf_t *pmcf,
    pay_str_t name);
static char *check_name(ngx_conf_t *cf, const char *directive,
    ngx_http_payments_main_conf_t *pmcf, ngx_str_t *name, const char *full);
static const char *rules_full(const ngx_http_payments_main_conf_t *pmcf);
static const char *velocities_full(const ngx_http_payments_main_conf_t *pmcf);
static char *refuse(ngx_conf_t *cf, const char *directive, ngx_str_t *name,
    const char *why);
static char *set_then(ngx_str_t *value, pay_risk_action_t *then);
static ngx_uint_t is_shadow(ngx_str_t *word);
static char *velocity_key(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *velocity_then(ngx_conf_t *cf, ngx_str_t *text, void *object);
static const char *velocity_check(velocity_t *v);
static const char *velocity_limit(velocity_t *v);
static char *find_merchants(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static char *make_zone(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf);


static const ngx_conf_enum_t  modes[] = {
    { ngx_string("off"), NGX_PAYMENTS_RISK_OFF },
    { ngx_string("on"), NGX_PAYMENTS_RISK_ON },
    { ngx_string("shadow"), NGX_PAYMENTS_RISK_SHADOW },
    { ngx_null_string, 0 }
};

static const ngx_conf_enum_t  ofs[] = {
    { ngx_string("attempts"), PAY_RISK_ATTEMPTS },
    { ngx_string("declines"), PAY_RISK_DECLINES },
    { ngx_string("amount"), PAY_RISK_SUM },
    { ngx_null_string, 0 }
};

#define RISK(member)      NGX_PAYMENTS_FIELD(ngx_payments_risk_conf_t, member)
#define VELOCITY_(member)  NGX_PAYMENTS_FIELD(velocity_t, member)

/* payments_risk on|shadow|off [memory=16m] [block_delay=100ms] */
static const ngx_http_payments_option_t  risk_options[] = {
    { "", NGX_PAYMENTS_WORD, 0, 0, NGX_PAYMENTS_RISK_OFF, RISK(mode),
      .names = modes },
    { "memory=", NGX_PAYMENTS_SIZE, MEMORY_MIN, MEMORY_MAX, 16 * MEMORY_MIN,
      RISK(memory) },
    { "block_delay=", NGX_PAYMENTS_MSEC, 0, BLOCK_DELAY_MAX, BLOCK_DELAY,
      RISK(block_delay) },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_risk_line = { risk_options, NULL };

/* payments_risk_velocity NAME key=… window=… limit=… then=… [of=attempts]
 * [merchant=…] [shadow=on] */
static const ngx_http_payments_option_t  velocity_options[] = {
    { "key=", .set = velocity_key },
    { "window=", NGX_PAYMENTS_SEC, WINDOW_MIN_S, PAY_RISK_WINDOW_MAX_S, 0,
      VELOCITY_(window_s) },
    { "limit=", NGX_PAYMENTS_PLAIN, 1, 32, 0, VELOCITY_(limit) },
    { "of=", NGX_PAYMENTS_WORD, 0, 0, PAY_RISK_ATTEMPTS, VELOCITY_(of),
      .names = ofs },
    { "then=", .set = velocity_then },
    { "merchant=", NGX_PAYMENTS_PLAIN, 1, 255, 0, VELOCITY_(merchant) },
    { "shadow=", NGX_PAYMENTS_WORD, 0, 0, 0, VELOCITY_(core.is_shadow),
      .names = ngx_http_payments_on_off },
    { .name = NULL }
};


/* payments_risk_rule NAME [merchant=…] if COMPARISON [and|or COMPARISON]…
 * then=… [shadow=on] */
char *
ngx_http_payments_risk_rule(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                           *rc;
    ngx_str_t                      *value = cf->args->elts, text;
    ngx_uint_t                      from = 2, until = cf->args->nelts;
    pay_err_t                       err;
    pay_arena_t                     arena = ngx_payments_arena(cf->pool);
    pay_risk_rule_t                *rule;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    (void) cmd;

    if (check_name(cf, RULE, pmcf, &value[1], rules_full(pmcf)) != NGX_CONF_OK
        || ngx_http_payments_risk_note_line(cf, &pmcf->risk) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    rule = ngx_array_push(&pmcf->risk.rules);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rule, sizeof(pay_risk_rule_t));
    rule->name = ngx_payments_str(value[1]);

    if (ngx_http_payments_option(&value[from], "merchant=", &text) == NGX_OK) {
        rule->merchant_id = ngx_payments_str(text);
        from++;
    }

    if (is_shadow(&value[until - 1])) {
        rule->is_shadow = 1;
        until--;
    }

    if (until <= from
        || ngx_http_payments_option(&value[until - 1], "then=", &text)
           != NGX_OK)
    {
        return refuse(cf, RULE, &value[1], "needs then= behind its "
                      "comparisons: allow, challenge, review or block, and "
                      "behind it nothing but shadow=on");
    }

    rc = set_then(&text, &rule->then);
    if (rc != NGX_CONF_OK) {
        return refuse(cf, RULE, &value[1], rc);
    }

    switch (pay_risk_rule_read(&arena, (pay_str_t *) &value[from],
                               until - 1 - from, rule, &err))
    {
    case PAY_OK:
        return NGX_CONF_OK;

    case PAY_INVALID:
        return refuse(cf, RULE, &value[1], err.detail);

    default:
        return NGX_CONF_ERROR;
    }
}


char *
ngx_http_payments_risk_velocity(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    velocity_t                      v;
    ngx_str_t                      *value = cf->args->elts;
    ngx_uint_t                      given;
    const char                     *why;
    pay_risk_velocity_t            *velocity;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    (void) cmd;

    ngx_memzero(&v, sizeof(velocity_t));
    ngx_http_payments_defaults(velocity_options, &v);

    if (check_name(cf, VELOCITY, pmcf, &value[1], velocities_full(pmcf))
           != NGX_CONF_OK
        || ngx_http_payments_options(cf, velocity_options, 2, &v, &given)
           != NGX_CONF_OK
        || ngx_http_payments_risk_note_line(cf, &pmcf->risk) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    why = velocity_check(&v);
    if (why != NULL) {
        return refuse(cf, VELOCITY, &value[1], why);
    }

    velocity = ngx_array_push(&pmcf->risk.velocities);
    if (velocity == NULL) {
        return NGX_CONF_ERROR;
    }

    *velocity = v.core;
    velocity->name = ngx_payments_str(value[1]);
    velocity->merchant_id = ngx_payments_str(v.merchant);

    return NGX_CONF_OK;
}


/* The name stands in decisions and reports: rules and velocities share it, but
 * each of the two has a limit of its own.  full: the complaint when that is
 * reached, else NULL. */
static char *
check_name(ngx_conf_t *cf, const char *directive,
    ngx_http_payments_main_conf_t *pmcf, ngx_str_t *name, const char *full)
{
    if (!ngx_http_payments_risk_is_name(name)) {
        return refuse(cf, directive, name, "needs a name first, of at most 32 "
                      "visible characters without = \" and \\");
    }

    if (named_before(pmcf, ngx_payments_str(*name))) {
        return refuse(cf, directive, name, "is there twice: give each rule "
                      "and velocity a name of its own");
    }

    return full != NULL ? refuse(cf, directive, name, full) : NGX_CONF_OK;
}


static const char *
rules_full(const ngx_http_payments_main_conf_t *pmcf)
{
    return pmcf->risk.rules.nelts == PAY_RISK_RULES_MAX
           ? "is one too many: there may be 64 rules" : NULL;
}


static const char *
velocities_full(const ngx_http_payments_main_conf_t *pmcf)
{
    return pmcf->risk.velocities.nelts == PAY_RISK_VELOCITIES_MAX
           ? "is one too many: there may be 16 velocities" : NULL;
}


ngx_uint_t
ngx_http_payments_risk_is_name(ngx_str_t *name)
{
    return ngx_http_payments_is_plain(name, PAY_RISK_NAME_MAX)
           && ngx_strlchr(name->data, name->data + name->len, '=') == NULL
           && ngx_strlchr(name->data, name->data + name->len, '"') == NULL
           && ngx_strlchr(name->data, name->data + name->len, '\\') == NULL;
}


static ngx_uint_t
named_before(const ngx_http_payments_main_conf_t *pmcf, pay_str_t name)
{
    ngx_uint_t                  i;
    const pay_risk_rule_t      *rules = pmcf->risk.rules.elts;
    const pay_risk_velocity_t  *velocities = pmcf->risk.velocities.elts;

    for (i = 0; i < pmcf->risk.rules.nelts; i++) {
        if (pay_str_eq(rules[i].name, name)) {
            return 1;
        }
    }

    for (i = 0; i < pmcf->risk.velocities.nelts; i++) {
        if (pay_str_eq(velocities[i].name, name)) {
            return 1;
        }
    }

    return 0;
}


static char *
refuse(ngx_conf_t *cf, const char *directive, ngx_str_t *name,
    const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s \"%V\" %s", directive, name,
                       why);

    return NGX_CONF_ERROR;
}


static char *
set_then(ngx_str_t *value, pay_risk_action_t *then)
{
    return pay_risk_action_find(ngx_payments_str(*value), then) == PAY_OK
           ? NGX_CONF_OK
           : "needs then=allow, challenge, review or block";
}


static ngx_uint_t
is_shadow(ngx_str_t *word)
{
    return word->len == sizeof("shadow=on") - 1
           && ngx_strncmp(word->data, "shadow=on", word->len) == 0;
}


/* The version is the digest of all lines, each behind that of the lines
 * before it. */
char *
ngx_http_payments_risk_note_line(ngx_conf_t *cf,
    ngx_payments_risk_conf_t *risk)
{
    ngx_str_t  *value = cf->args->elts;
    ngx_uint_t  i;

    for (i = 0; i < cf->args->nelts; i++) {
        if (ngx_http_payments_risk_note(risk, ngx_payments_str(value[i]))
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_payments_risk_note(ngx_payments_risk_conf_t *risk, pay_str_t text)
{
    u_char     digest[PAY_SHA256_SIZE];
    pay_str_t  parts[3] = { { PAY_SHA256_SIZE, risk->digest },
                            { 1, (const unsigned char *) "" }, text };

    if (pay_sha256_parts(parts, 3, digest) != PAY_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(risk->digest, digest, sizeof(digest));

    return NGX_CONF_OK;
}


static char *
velocity_key(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    velocity_t  *v = object;

    (void) cf;

    v->has_key = 1;

    return pay_risk_key_find(ngx_payments_str(*text), &v->core.key) == PAY_OK
           ? NGX_CONF_OK
           : "must be ip, ip_net, email, phone, buyer, device, seller, "
             "merchant, card, bin or browser";
}


static char *
velocity_then(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    velocity_t  *v = object;

    (void) cf;

    v->has_then = 1;

    return pay_risk_action_find(ngx_payments_str(*text), &v->core.then)
           == PAY_OK
           ? NGX_CONF_OK : "must be allow, challenge, review or block";
}


/* NULL, or the complaint. */
static const char *
velocity_check(velocity_t *v)
{
    v->core.of = (pay_risk_of_t) v->of;
    v->core.window_s = (int64_t) v->window_s;

    if (!v->has_key || !v->has_then || v->window_s == 0 || v->limit.len == 0) {
        return "needs key=, window=, limit= and then=";
    }

    if (v->core.then == PAY_RISK_ALLOW) {
        return "must not allow: nobody is trusted for coming often";
    }

    if (v->core.then == PAY_RISK_CHALLENGE && pay_risk_is_after(v->core.key)) {
        return "must not challenge: cards and browsers are judged when the PSP "
               "was asked, so take then=review or then=block";
    }

    if (v->window_s > PAY_RISK_MEMORY_S
        && v->window_s % PAY_RISK_MEMORY_S != 0)
    {
        return "needs a window= of whole hours when it is longer than one";
    }

    /* declines of cards and browsers have a row each */
    if ((v->core.of == PAY_RISK_SUM
         || (v->core.of == PAY_RISK_DECLINES
             && !pay_risk_is_after(v->core.key)))
        && v->window_s % PAY_RISK_MEMORY_S != 0)
    {
        return "needs a window= of whole hours, since declines and amounts "
               "are counted by PostgreSQL";
    }

    return velocity_limit(v);
}


static const char *
velocity_limit(velocity_t *v)
{
    ngx_int_t   limit;
    pay_str_t   amount, code;

    if (v->core.of != PAY_RISK_SUM) {
        limit = ngx_atoi(v->limit.data, v->limit.len);
        v->core.limit = limit;

        return limit > 0 && limit <= LIMIT_MAX
               ? NULL : "needs a limit= from 1 to 60000";
    }

    if (v->limit.len > CODE_LEN) {
        amount = (pay_str_t) { v->limit.len - CODE_LEN, v->limit.data };
        code = (pay_str_t) { CODE_LEN, v->limit.data + amount.len };

        if (pay_currency_find(code, &v->core.currency, NULL) == PAY_OK
            && pay_amount_parse(amount, v->core.currency, &v->core.limit,
                                NULL) == PAY_OK)
        {
            return NULL;
        }
    }

    return "needs an amount as its limit=, in the decimals of its currency, "
           "as in limit=10000.00USD";
}


char *
ngx_http_payments_risk_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_conf_t                *at;
    pay_risk_t                *core = &pmcf->risk.core;
    pay_arena_t                arena;
    ngx_http_payments_at_t     place;
    ngx_payments_risk_conf_t  *risk = &pmcf->risk;

    if (find_merchants(cf, pmcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (risk->mode == NGX_PAYMENTS_RISK_OFF) {
        return NGX_CONF_OK;
    }

    if (pmcf->keyring.count == 0) {
        at = ngx_http_payments_at(&place, cf, pmcf, "payments_risk", 0);
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0, "payments_risk needs "
                           "payments_keyring in the http block: counts of "
                           "buyers are kept under keyed hashes");
        return NGX_CONF_ERROR;
    }

    core->rules = risk->rules.elts;
    core->rule_count = (unsigned) risk->rules.nelts;
    core->velocities = risk->velocities.elts;
    core->velocity_count = (unsigned) risk->velocities.nelts;
    core->is_shadow = risk->mode == NGX_PAYMENTS_RISK_SHADOW;
    *ngx_hex_dump((u_char *) core->version, risk->digest, PAY_SHA256_SIZE)
        = '\0';

    arena = ngx_payments_arena(cf->pool);

    if (pay_risk_keys(&pmcf->keyring, core) != PAY_OK
        || pay_risk_after(&arena, core, &core->after) != PAY_OK)
    {
        return NGX_CONF_ERROR;
    }

    pmcf->env.risk = core;

    return make_zone(cf, pmcf);
}


static char *
find_merchants(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                  i;
    ngx_str_t                   name;
    const pay_risk_rule_t      *rules = pmcf->risk.rules.elts;
    const pay_risk_velocity_t  *velocities = pmcf->risk.velocities.elts;

    for (i = 0; i < pmcf->risk.rules.nelts; i++) {
        if (!ngx_http_payments_risk_knows(pmcf, rules[i].merchant_id)) {
            name = ngx_payments_nstr(rules[i].name);
            return refuse(cf, RULE, &name, "needs the name of a "
                          "payments_merchant block as its merchant=");
        }
    }

    for (i = 0; i < pmcf->risk.velocities.nelts; i++) {
        if (!ngx_http_payments_risk_knows(pmcf, velocities[i].merchant_id)) {
            name = ngx_payments_nstr(velocities[i].name);
            return refuse(cf, VELOCITY, &name, "needs the name of a "
                          "payments_merchant block as its merchant=");
        }
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_payments_risk_knows(const ngx_http_payments_main_conf_t *pmcf,
    pay_str_t id)
{
    return id.len == 0 || pay_env_merchant(&pmcf->env, id) != NULL;
}


/* A reload hands the windows on as long as their size stays.  A name of one
 * size is one zone to nginx: buckets and windows would lie on top of each
 * other. */
static char *
make_zone(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_str_t  name = ngx_string("payments_risk");

    if (pmcf->zone != NULL && pmcf->zone->shm.name.len == name.len
        && ngx_strncmp(pmcf->zone->shm.name.data, name.data, name.len) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_zone has the name \"%V\", which is that "
                           "of the windows of payments_risk: give it another "
                           "one, for example zone=payments:16m", &name);
        return NGX_CONF_ERROR;
    }

    pmcf->risk.zone = ngx_shared_memory_add(cf, &name, pmcf->risk.memory,
                                            &ngx_http_payments_module);
    if (pmcf->risk.zone == NULL) {
        return NGX_CONF_ERROR;
    }

    pmcf->risk.zone->init = ngx_payments_windows_init_zone;
    pmcf->risk.zone->data = NULL;

    return NGX_CONF_OK;
}
