/*
 * How a merchant's PSPs are chosen: the word route of payments_merchant.  The
 * names are looked up when all blocks are read.
 *
 * Three routes of a merchant; of four orders that fit the first, b is drawn for
 * three, and of those that fit the second, one of 20 explores:
 *
 *     route currency=EUR amount=10.00-500.00 by=weight a b=3;
 *     route currency=USD by=score explore=5% floor=1% a b;
 *     route c;                        all others: no condition, so it is last
 */

#include "conf/ngx_http_payments_conf_route.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "pay_money.h"
#include "pay_near.h"


#define ROUTES_MAX  32
#define WEIGHT_MAX  1000

/* Parts per million. */
#define EXPLORE_MIN  100
#define EXPLORE_MAX  500000
#define SEED_MAX     64


/* A route as it is read; `names` become `rule.targets` when all blocks are
 * known. */
typedef struct {
    pay_route_rule_t  rule;
    ngx_str_t         names[PAY_ROUTE_PSPS_MAX];
    ngx_str_t         amount;                    /* MIN-MAX, or empty */
} route_t;

#define ROUTE(member)  NGX_PAYMENTS_FIELD(route_t, member)


static char *no_such_psp(ngx_conf_t *cf, ngx_payments_merchant_t *merchant,
    ngx_str_t *name);
static char *route_currencies(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *route_countries(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *route_methods(ngx_conf_t *cf, ngx_str_t *text, void *object);
static ngx_uint_t route_list(ngx_conf_t *cf, ngx_str_t *text,
    ngx_uint_t (*fits)(pay_str_t word), const pay_str_t **list,
    size_t *count);
static char *route_target(ngx_conf_t *cf, ngx_str_t *word, void *object);
static char *route_check(ngx_conf_t *cf, route_t *route);
static char *route_explores(ngx_conf_t *cf, pay_route_rule_t *rule);
static char *route_range(ngx_conf_t *cf, route_t *route);
static ngx_uint_t range_end(pay_str_t text, const pay_currency_t *currency,
    int64_t *minor);
static ngx_uint_t is_unconditional(const pay_route_rule_t *rule);
static ngx_uint_t is_currency(pay_str_t word);
static ngx_uint_t is_country(pay_str_t word);
static ngx_uint_t is_method(pay_str_t word);
static char *resolve_route(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_merchant_t *merchant,
    route_t *route, pay_merchant_t *core);


static const ngx_conf_enum_t  bys[] = {
    { ngx_string("order"), PAY_ROUTE_ORDER },
    { ngx_string("weight"), PAY_ROUTE_WEIGHT },
    { ngx_string("score"), PAY_ROUTE_SCORE },
    { ngx_null_string, 0 }
};
PAY_ROWS(bys, PAY_ROUTE_COUNT + 1);

static const ngx_http_payments_option_t  words[] = {
    { "currency=", .set = route_currencies },
    { "country=", .set = route_countries },
    { "method=", .set = route_methods },
    { "amount=", NGX_PAYMENTS_TEXT, ROUTE(amount) },
    { "by=", NGX_PAYMENTS_WORD, ROUTE(rule.by), .names = bys,
      .must = "must be by=order, by=weight or by=score" },
    { "explore=", NGX_PAYMENTS_PPM, .min = EXPLORE_MIN, .max = EXPLORE_MAX,
      ROUTE(rule.explore_ppm), .must = "must be a share from 0.01% to 50% "
      "with at most 4 decimals, for example 5%" },
    { "floor=", NGX_PAYMENTS_PPM, .min = 1, .max = EXPLORE_MAX,
      ROUTE(rule.floor_ppm), .must = "must be a share above 0% with at most "
      "4 decimals, for example 1%" },
    { "seed=", NGX_PAYMENTS_PLAIN, .max = SEED_MAX,
      ROUTE(rule.explore_seed) },
    { .name = NULL, .set = route_target }
};
PAY_ROWS(words, NGX_PAYMENTS_ROUTE_OPTIONS + 1);


/* route [currency=…] [country=…] [method=…] [amount=…] [by=…] [explore=…]
 * [floor=…] [seed=…] psp[=weight] … */
char *
ngx_http_payments_merchant_route(ngx_conf_t *cf, void *object)
{
    char                     *rv;
    route_t                  *route;
    ngx_uint_t                i, given;
    ngx_payments_merchant_t  *merchant = object;

    if (merchant->routes == NULL) {
        merchant->routes = ngx_array_create(cf->temp_pool, 1, sizeof(route_t));
        if (merchant->routes == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    route = merchant->routes->elts;
    i = merchant->routes->nelts;

    if (i == ROUTES_MAX) {
        return "stands more than 32 times in one block";
    }

    if (i > 0 && is_unconditional(&route[i - 1].rule)) {
        return "would never be taken: the one before it has no condition and "
               "takes all";
    }

    route = ngx_array_push(merchant->routes);
    if (route == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(route, sizeof(route_t));

    rv = ngx_http_payments_options(cf, words, 1, route, &given);

    return rv == NGX_CONF_OK ? route_check(cf, route) : rv;
}


/* Each message stands at the route's own line. */
char *
ngx_http_payments_resolve_routes(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_merchant_t *merchant,
    pay_merchant_t *core)
{
    char                    *rv;
    route_t                 *routes;
    ngx_uint_t               i, n;
    ngx_conf_t              *at;
    pay_route_rule_t        *rules;
    ngx_http_payments_at_t   place;

    if (merchant->routes == NULL) {
        return NGX_CONF_OK;
    }

    routes = merchant->routes->elts;
    n = merchant->routes->nelts;

    rules = ngx_pcalloc(cf->pool, n * sizeof(pay_route_rule_t));
    if (rules == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        at = ngx_http_payments_at(&place, cf, merchant, "route", i);
        rv = resolve_route(at, pmcf, merchant, &routes[i], core);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        rules[i] = routes[i].rule;
    }

    core->rules = rules;
    core->rule_count = n;

    return NGX_CONF_OK;
}


/* The psp list and the routes both name PSPs, and are refused in the same
 * words. */
char *
ngx_http_payments_check_target(ngx_conf_t *cf,
    ngx_payments_merchant_t *merchant, ngx_str_t *name,
    const pay_psp_conf_t *psp)
{
    if (psp == NULL) {
        return no_such_psp(cf, merchant, name);
    }

    if (psp->adapter->register_request == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_merchant \"%V\" names psp \"%V\", but "
                           "its adapter %s only understands webhooks: remove "
                           "the name, or give the block another adapter",
                           &ngx_payments_nstr(merchant->merchant.id), name,
                           psp->adapter->name);
        return NGX_CONF_ERROR;
    }

    if (psp->cell != merchant->merchant.cell
        && psp->cell != merchant->merchant.from)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_merchant \"%V\" names psp \"%V\", which "
                           "is in another cell: a merchant and its PSPs need "
                           "the same; give the merchant a payments_psp block "
                           "with its own cell, or change the cell of one",
                           &ngx_payments_nstr(merchant->merchant.id), name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* The message shows the nearest name of a block, as most mistakes are of one
 * letter. */
static char *
no_such_psp(ngx_conf_t *cf, ngx_payments_merchant_t *merchant,
    ngx_str_t *name)
{
    ngx_uint_t                      i;
    const char                     *near, *names[NGX_PAYMENTS_PSPS_MAX + 1];
    ngx_payments_psp_t            **psps;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);
    psps = pmcf->psps.elts;

    /* words of the configuration, which end with a NUL */
    for (i = 0; i < pmcf->psps.nelts; i++) {
        names[i] = (const char *) psps[i]->psp.name.data;
    }

    names[i] = NULL;
    near = pay_near(ngx_payments_str(*name), names);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "payments_merchant \"%V\" names psp \"%V\", but there "
                       "is no such payments_psp block%s%s%s",
                       &ngx_payments_nstr(merchant->merchant.id), name,
                       near != NULL ? ", did you mean " : "",
                       near != NULL ? near : "", near != NULL ? "?" : "");

    return NGX_CONF_ERROR;
}


/* A currency that is written twice is a mistake, and its author meant
 * another. */
static char *
route_currencies(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    pay_route_rule_t  *rule = &((route_t *) object)->rule;

    return route_list(cf, text, is_currency, &rule->currencies,
                      &rule->currency_count) ? NGX_CONF_OK
           : "must be 1 to 32 currencies of ISO 4217, for example EUR,USD, "
             "each once";
}


static char *
route_countries(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    pay_route_rule_t  *rule = &((route_t *) object)->rule;

    return route_list(cf, text, is_country, &rule->countries,
                      &rule->country_count) ? NGX_CONF_OK
           : "must be 1 to 32 countries of two capital letters, for example "
             "DE,FR, each once";
}


static char *
route_methods(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    pay_route_rule_t  *rule = &((route_t *) object)->rule;

    return route_list(cf, text, is_method, &rule->methods,
                      &rule->method_count) ? NGX_CONF_OK
           : "must be 1 to 32 payment methods of A-Z a-z 0-9 . _ ~ -, for "
             "example card, each once";
}


/* 0: a word does not fit, stands twice, or is one too many. */
static ngx_uint_t
route_list(ngx_conf_t *cf, ngx_str_t *text, ngx_uint_t (*fits)(pay_str_t word),
    const pay_str_t **list, size_t *count)
{
    u_char      *p = text->data, *end = text->data + text->len, *comma;
    size_t       i;
    pay_str_t   *array, word;

    array = ngx_pcalloc(cf->pool, PAY_ROUTE_WORDS_MAX * sizeof(pay_str_t));
    if (array == NULL) {
        return 0;
    }

    for (*count = 0; p <= end; p = comma + 1) {
        comma = ngx_strlchr(p, end, ',');
        comma = comma == NULL ? end : comma;
        word.data = p;
        word.len = comma - p;

        if (*count == PAY_ROUTE_WORDS_MAX || !fits(word)) {
            return 0;
        }

        for (i = 0; i < *count; i++) {
            if (pay_str_eq(array[i], word)) {
                return 0;
            }
        }

        array[(*count)++] = word;
    }

    *list = array;

    return 1;
}


/* A weight of 0 says that none was given: see route_check(). */
static char *
route_target(ngx_conf_t *cf, ngx_str_t *word, void *object)
{
    u_char            *equals;
    route_t           *route = object;
    ngx_int_t          weight = 0;
    ngx_str_t          name = *word;
    ngx_uint_t         i;
    pay_route_rule_t  *rule = &route->rule;

    equals = ngx_strlchr(word->data, word->data + word->len, '=');

    if (equals != NULL) {
        name.len = equals - word->data;
        weight = ngx_atoi(equals + 1, word->data + word->len - equals - 1);
    }

    if (!pay_id_is_valid(ngx_payments_str(name))
        || (equals != NULL && (weight < 1 || weight > WEIGHT_MAX)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "route does not know \"%V\": it takes currency=, "
                           "country=, method=, amount=, by=, explore=, "
                           "floor=, seed= and names of PSPs with weights from "
                           "1 to 1000, for example NAME=3",
                           word);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < rule->target_count; i++) {
        if (name.len == route->names[i].len
            && ngx_memcmp(name.data, route->names[i].data, name.len) == 0)
        {
            return "names one PSP twice: keep one";
        }
    }

    if (rule->target_count == PAY_ROUTE_PSPS_MAX) {
        return "takes at most 8 PSPs";
    }

    route->names[rule->target_count] = name;
    rule->targets[rule->target_count++].weight = (unsigned) weight;

    return NGX_CONF_OK;
}


/* Weights need by=weight, since they would have no effect otherwise. */
static char *
route_check(ngx_conf_t *cf, route_t *route)
{
    char              *rv;
    ngx_uint_t         i;
    pay_route_rule_t  *rule = &route->rule;

    if (rule->target_count == 0) {
        return "names no PSP: add one of the merchant's psp list";
    }

    for (i = 0; i < rule->target_count; i++) {
        if (rule->targets[i].weight == 0) {
            rule->targets[i].weight = 1;

        } else if (rule->by != PAY_ROUTE_WEIGHT) {
            return "has a weight, which takes by=weight in the same line";
        }
    }

    if (rule->explore_ppm != 0 || rule->floor_ppm != 0
        || rule->explore_seed.len != 0)
    {
        rv = route_explores(cf, rule);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return route->amount.len != 0 ? route_range(cf, route) : NGX_CONF_OK;
}


/* Without floor= all PSPs are explored alike. */
static char *
route_explores(ngx_conf_t *cf, pay_route_rule_t *rule)
{
    ngx_uint_t  needed;

    if (rule->explore_ppm == 0) {
        return "has floor= or seed=, which takes explore= in the same line";
    }

    if (rule->by != PAY_ROUTE_SCORE) {
        return "has explore=, which takes by=score in the same line";
    }

    if (rule->target_count < 2) {
        return "has explore=, which takes at least 2 PSPs: add one, or remove "
               "explore=";
    }

    needed = (ngx_uint_t) rule->floor_ppm * rule->target_count;

    if (needed > rule->explore_ppm) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "route has a floor= that %ui PSPs cannot all get of "
                           "its explore=: make explore= at least %ui.%04ui%%, "
                           "or floor= at most %ui.%04ui%%",
                           (ngx_uint_t) rule->target_count,
                           needed / 10000, needed % 10000,
                           (ngx_uint_t) rule->explore_ppm / rule->target_count
                           / 10000,
                           (ngx_uint_t) rule->explore_ppm / rule->target_count
                           % 10000);
        return NGX_CONF_ERROR;
    }

    if (rule->floor_ppm == 0) {
        rule->floor_ppm = rule->explore_ppm / rule->target_count;
    }

    return NGX_CONF_OK;
}


/* MIN-MAX, MIN- or -MAX.  An amount means nothing without its currency, whose
 * decimals it has. */
static char *
route_range(ngx_conf_t *cf, route_t *route)
{
    u_char                *dash;
    pay_str_t              min, max;
    pay_route_rule_t      *rule = &route->rule;
    const pay_currency_t  *currency;

    if (rule->currency_count != 1
        || pay_currency_find(rule->currencies[0], &currency, NULL) != PAY_OK)
    {
        return "has an amount=, which takes exactly one currency= in the same "
               "line";
    }

    dash = ngx_strlchr(route->amount.data,
                       route->amount.data + route->amount.len, '-');
    dash = dash == NULL ? route->amount.data + route->amount.len : dash;

    min.data = route->amount.data;
    min.len = dash - route->amount.data;
    max.data = dash + 1;
    max.len = route->amount.len - min.len - (min.len < route->amount.len);

    rule->has_range = 1;
    rule->min_minor = 0;
    rule->max_minor = INT64_MAX;

    if (min.len == route->amount.len || min.len + max.len == 0
        || !range_end(min, currency, &rule->min_minor)
        || !range_end(max, currency, &rule->max_minor)
        || rule->min_minor > rule->max_minor)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"amount=%V\" must be MIN-MAX, MIN- or -MAX, with "
                           "the %d decimals of %s, as the API has it",
                           &route->amount, (int) currency->exponent,
                           currency->code);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* An end that is left out is open. */
static ngx_uint_t
range_end(pay_str_t text, const pay_currency_t *currency, int64_t *minor)
{
    return text.len == 0
           || pay_amount_parse(text, currency, minor, NULL) == PAY_OK;
}


/* Such a route ends the list: one behind it would never be asked. */
static ngx_uint_t
is_unconditional(const pay_route_rule_t *rule)
{
    return rule->currency_count == 0 && rule->country_count == 0
           && rule->method_count == 0 && !rule->has_range;
}


static ngx_uint_t
is_currency(pay_str_t word)
{
    const pay_currency_t  *currency;

    return pay_currency_find(word, &currency, NULL) == PAY_OK;
}


static ngx_uint_t
is_country(pay_str_t word)
{
    return word.len == 2 && word.data[0] >= 'A' && word.data[0] <= 'Z'
           && word.data[1] >= 'A' && word.data[1] <= 'Z';
}


/* A method is a word of the storefront's, which no list knows. */
static ngx_uint_t
is_method(pay_str_t word)
{
    return pay_id_is_valid(word);
}


/* A route chooses among the PSPs of its merchant and adds none. */
static char *
resolve_route(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_merchant_t *merchant, route_t *route, pay_merchant_t *core)
{
    size_t                 k;
    ngx_uint_t             i;
    ngx_str_t             *name;
    const pay_psp_conf_t  *psp;

    for (i = 0; i < route->rule.target_count; i++) {
        name = &route->names[i];
        psp = pay_env_psp(&pmcf->env, ngx_payments_str(*name));

        if (ngx_http_payments_check_target(cf, merchant, name, psp)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        for (k = 0; k < core->psp_count && core->psps[k] != psp; k++) {
            /* void */
        }

        if (k == core->psp_count) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "payments_merchant \"%V\" has a route to psp "
                               "\"%V\", which is not in its psp list: add it "
                               "there, or remove it from the route",
                               &ngx_payments_nstr(core->id), name);
            return NGX_CONF_ERROR;
        }

        route->rule.targets[i].psp = psp;
    }

    return NGX_CONF_OK;
}
