/*
 * The learned score: models, which are read here once and then by nobody, and
 * the weights and thresholds of the total.  A model that cannot be read refuses
 * the configuration, so that a reload leaves the old models at work.
 */

#include "conf/ngx_http_payments_conf_score.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_risk.h"
#include "conf/ngx_http_payments_secret.h"
#include "util/ngx_payments_memory.h"


#define MODEL     "payments_risk_model"
#define SCORE     "payments_risk_score"
#define DECIMALS  3

enum { CHAMPION, CHALLENGER };

typedef struct {
    ngx_str_t   merchant;
    ngx_uint_t  role;
} model_t;

/* As a line is read; an empty number is not given. */
typedef struct {
    ngx_str_t   weights[PAY_RISK_PARTS];
    ngx_str_t   thresholds[PAY_RISK_ACTIONS];
    ngx_str_t   merchant;
    ngx_uint_t  is_shadow;
} score_t;


static char *check_name(ngx_conf_t *cf,
    const ngx_http_payments_main_conf_t *pmcf, ngx_str_t *name);
static char *read_model(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    pay_risk_scorer_t *scorer, ngx_str_t *file);
static char *refuse_model(ngx_conf_t *cf, pay_str_t name, ngx_str_t *file,
    const pay_err_t *err);
static char *read_scale(ngx_conf_t *cf, score_t *score,
    pay_risk_scale_t *scale);
static char *read_number(ngx_conf_t *cf, const char *name, ngx_str_t *text,
    unsigned *number);
static char *check_scale(ngx_conf_t *cf, const pay_risk_scale_t *scale);
static char *check_models(ngx_conf_t *cf,
    const ngx_http_payments_main_conf_t *pmcf);
static const pay_risk_scorer_t *second_champion(
    const ngx_http_payments_main_conf_t *pmcf, ngx_uint_t of);
static char *check_scales(ngx_conf_t *cf,
    const ngx_http_payments_main_conf_t *pmcf);
static ngx_uint_t is_twice(const pay_risk_scale_t *scales, ngx_uint_t of);
static ngx_uint_t waits_for_model(const ngx_http_payments_main_conf_t *pmcf,
    const pay_risk_scale_t *scale);
static char *refuse(ngx_conf_t *cf, const char *directive, pay_str_t name,
    const char *why);


static const ngx_conf_enum_t  roles[] = {
    { ngx_string("champion"), CHAMPION },
    { ngx_string("challenger"), CHALLENGER },
    { ngx_null_string, 0 }
};

#define MODEL_(member)  NGX_PAYMENTS_FIELD(model_t, member)
#define SCORE_(member)  NGX_PAYMENTS_FIELD(score_t, member)

/* payments_risk_model NAME FILE [merchant=…] [role=champion] */
static const ngx_http_payments_option_t  model_options[] = {
    { "merchant=", NGX_PAYMENTS_PLAIN, 1, 255, 0, MODEL_(merchant) },
    { "role=", NGX_PAYMENTS_WORD, 0, 0, CHAMPION, MODEL_(role),
      .names = roles },
    { .name = NULL }
};

/* payments_risk_score [model=0.4] [rules=0.3] [velocity=0.2] [device=0.1]
 * [challenge=…] [review=…] [block=…] [merchant=…] [shadow=on] */
static const ngx_http_payments_option_t  score_options[] = {
    { "model=", NGX_PAYMENTS_PLAIN, 1, 8, 0,
      SCORE_(weights[PAY_RISK_PART_MODEL]) },
    { "rules=", NGX_PAYMENTS_PLAIN, 1, 8, 0,
      SCORE_(weights[PAY_RISK_PART_RULES]) },
    { "velocity=", NGX_PAYMENTS_PLAIN, 1, 8, 0,
      SCORE_(weights[PAY_RISK_PART_VELOCITY]) },
    { "device=", NGX_PAYMENTS_PLAIN, 1, 8, 0,
      SCORE_(weights[PAY_RISK_PART_DEVICE]) },
    { "challenge=", NGX_PAYMENTS_PLAIN, 1, 8, 0,
      SCORE_(thresholds[PAY_RISK_CHALLENGE]) },
    { "review=", NGX_PAYMENTS_PLAIN, 1, 8, 0,
      SCORE_(thresholds[PAY_RISK_REVIEW]) },
    { "block=", NGX_PAYMENTS_PLAIN, 1, 8, 0,
      SCORE_(thresholds[PAY_RISK_BLOCK]) },
    { "merchant=", NGX_PAYMENTS_PLAIN, 1, 255, 0, SCORE_(merchant) },
    { "shadow=", NGX_PAYMENTS_WORD, 0, 0, 0, SCORE_(is_shadow),
      .names = ngx_http_payments_on_off },
    { .name = NULL }
};


char *
ngx_http_payments_risk_model(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    model_t                         line;
    ngx_str_t                      *value = cf->args->elts;
    ngx_uint_t                      given;
    pay_risk_scorer_t              *scorer;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    (void) cmd;

    ngx_memzero(&line, sizeof(model_t));
    ngx_http_payments_defaults(model_options, &line);

    if (check_name(cf, pmcf, &value[1]) != NGX_CONF_OK
        || ngx_http_payments_options(cf, model_options, 3, &line, &given)
           != NGX_CONF_OK
        || ngx_http_payments_risk_note_line(cf, &pmcf->risk) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    scorer = ngx_array_push(&pmcf->risk.scorers);
    if (scorer == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(scorer, sizeof(pay_risk_scorer_t));
    scorer->name = ngx_payments_str(value[1]);
    scorer->merchant_id = ngx_payments_str(line.merchant);
    scorer->is_challenger = line.role == CHALLENGER;

    return read_model(cf, pmcf, scorer, &value[2]);
}


static char *
check_name(ngx_conf_t *cf, const ngx_http_payments_main_conf_t *pmcf,
    ngx_str_t *name)
{
    ngx_uint_t                i;
    const pay_risk_scorer_t  *scorers = pmcf->risk.scorers.elts;

    if (!ngx_http_payments_risk_is_name(name)) {
        return refuse(cf, MODEL, ngx_payments_str(*name), "needs a name "
                      "first, of at most 32 visible characters without = \" "
                      "and \\");
    }

    for (i = 0; i < pmcf->risk.scorers.nelts; i++) {
        if (pay_str_eq(scorers[i].name, ngx_payments_str(*name))) {
            return refuse(cf, MODEL, ngx_payments_str(*name), "is there "
                          "twice: give each model a name of its own");
        }
    }

    return pmcf->risk.scorers.nelts == PAY_RISK_MODELS_MAX
           ? refuse(cf, MODEL, ngx_payments_str(*name), "is one too many: "
                    "there may be 8 models")
           : NGX_CONF_OK;
}


/* The text goes when it is read: a model copies all it needs. */
static char *
read_model(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    pay_risk_scorer_t *scorer, ngx_str_t *file)
{
    u_char        digest[PAY_SHA256_SIZE];
    pay_err_t     err = { .slug = NULL };
    ngx_str_t     text;
    pay_arena_t   arena = ngx_payments_arena(cf->pool);
    pay_status_t  status;

    if (ngx_http_payments_read_file(cf, file, PAY_RISK_MODEL_MAX, &text)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    status = pay_risk_model_read(&arena, ngx_payments_str(text),
                                 pay_risk_features(), &scorer->model, &err);

    if (status == PAY_OK) {
        status = pay_sha256(ngx_payments_str(text), digest);
    }

    (void) ngx_pfree(cf->pool, text.data);

    if (status != PAY_OK) {
        return status == PAY_INVALID
               ? refuse_model(cf, scorer->name, file, &err) : NGX_CONF_ERROR;
    }

    *ngx_hex_dump((u_char *) scorer->sha256, digest, PAY_SHA256_SIZE) = '\0';

    return ngx_http_payments_risk_note(&pmcf->risk, pay_str_of(scorer->sha256));
}


static char *
refuse_model(ngx_conf_t *cf, pay_str_t name, ngx_str_t *file,
    const pay_err_t *err)
{
    const char  *mend = "write the whole file again with "
                        "tools/risk/train.py";

    if (ngx_strcmp(err->slug, "risk-model-features") == 0) {
        mend = "train it with the features of this version";
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, MODEL " \"%V\" cannot use "
                       "\"%V\": %s: %s", &ngx_payments_nstr(name), file,
                       err->detail, mend);

    return NGX_CONF_ERROR;
}


char *
ngx_http_payments_risk_score(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    score_t                         line;
    ngx_uint_t                      given;
    pay_risk_scale_t               *scale;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    (void) cmd;

    ngx_memzero(&line, sizeof(score_t));
    ngx_http_payments_defaults(score_options, &line);

    if (ngx_http_payments_options(cf, score_options, 1, &line, &given)
        != NGX_CONF_OK
        || ngx_http_payments_risk_note_line(cf, &pmcf->risk) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (pmcf->risk.scales.nelts == PAY_RISK_SCALES_MAX) {
        return refuse(cf, SCORE, ngx_payments_str(line.merchant), "is one too "
                      "many: there may be 64 of them");
    }

    scale = ngx_array_push(&pmcf->risk.scales);
    if (scale == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(scale, sizeof(pay_risk_scale_t));

    return read_scale(cf, &line, scale);
}


static char *
read_scale(ngx_conf_t *cf, score_t *score, pay_risk_scale_t *scale)
{
    ngx_uint_t  i;

    scale->merchant_id = ngx_payments_str(score->merchant);
    scale->is_shadow = (int) score->is_shadow;

    for (i = 0; i < PAY_RISK_PARTS; i++) {
        scale->weights[i] = pay_risk_part_weight((pay_risk_part_t) i);

        if (read_number(cf, pay_risk_part_name((pay_risk_part_t) i),
                        &score->weights[i], &scale->weights[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    for (i = PAY_RISK_CHALLENGE; i < PAY_RISK_ACTIONS; i++) {
        if (read_number(cf, pay_risk_action_name((pay_risk_action_t) i),
                        &score->thresholds[i], &scale->thresholds[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        if (score->thresholds[i].len != 0 && scale->thresholds[i] == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, SCORE " needs more than "
                               "0 as its %s=: every total reaches 0",
                               pay_risk_action_name((pay_risk_action_t) i));
            return NGX_CONF_ERROR;
        }
    }

    return check_scale(cf, scale);
}


/* In thousandths. */
static char *
read_number(ngx_conf_t *cf, const char *name, ngx_str_t *text,
    unsigned *number)
{
    ngx_int_t  n;

    if (text->len == 0) {
        return NGX_CONF_OK;
    }

    n = ngx_atofp(text->data, text->len, DECIMALS);

    if (n == NGX_ERROR || n > PAY_RISK_ONE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, SCORE " needs a number from "
                           "0 to 1, of at most three decimals, as its %s=, as "
                           "in %s=0.4", name, name);
        return NGX_CONF_ERROR;
    }

    *number = (unsigned) n;

    return NGX_CONF_OK;
}


static char *
check_scale(ngx_conf_t *cf, const pay_risk_scale_t *scale)
{
    ngx_uint_t  i, sum = 0, last = 0;

    for (i = 0; i < PAY_RISK_PARTS; i++) {
        sum += scale->weights[i];
    }

    if (sum != PAY_RISK_ONE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, SCORE " has weights that add "
                           "up to %ui.%03ui: change model=, rules=, "
                           "velocity= or device= until they make 1",
                           sum / PAY_RISK_ONE, sum % PAY_RISK_ONE);
        return NGX_CONF_ERROR;
    }

    for (i = PAY_RISK_CHALLENGE; i < PAY_RISK_ACTIONS; i++) {
        if (scale->thresholds[i] == 0) {
            continue;
        }

        if (scale->thresholds[i] <= last) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, SCORE " needs thresholds "
                               "that rise: challenge= below review= below "
                               "block=");
            return NGX_CONF_ERROR;
        }

        last = scale->thresholds[i];
    }

    return NGX_CONF_OK;
}


char *
ngx_http_payments_score_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    pay_risk_t  *core = &pmcf->risk.core;

    if (check_models(cf, pmcf) != NGX_CONF_OK
        || check_scales(cf, pmcf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    core->scorers = pmcf->risk.scorers.elts;
    core->scorer_count = (unsigned) pmcf->risk.scorers.nelts;
    core->scales = pmcf->risk.scales.elts;
    core->scale_count = (unsigned) pmcf->risk.scales.nelts;

    return NGX_CONF_OK;
}


static char *
check_models(ngx_conf_t *cf, const ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                i;
    const pay_risk_scorer_t  *other, *scorers = pmcf->risk.scorers.elts;

    for (i = 0; i < pmcf->risk.scorers.nelts; i++) {
        if (!ngx_http_payments_risk_knows(pmcf, scorers[i].merchant_id)) {
            return refuse(cf, MODEL, scorers[i].name, "needs the name of a "
                          "payments_merchant block as its merchant=");
        }

        other = second_champion(pmcf, i);

        if (other != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, MODEL " \"%V\" is a "
                               "second champion beside \"%V\": say "
                               "role=challenger for one of them",
                               &ngx_payments_nstr(scorers[i].name),
                               &ngx_payments_nstr(other->name));
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* The one before it, of the same merchants. */
static const pay_risk_scorer_t *
second_champion(const ngx_http_payments_main_conf_t *pmcf, ngx_uint_t of)
{
    ngx_uint_t                i;
    const pay_risk_scorer_t  *scorers = pmcf->risk.scorers.elts;

    for (i = 0; i < of && !scorers[of].is_challenger; i++) {
        if (!scorers[i].is_challenger
            && pay_str_eq(scorers[i].merchant_id, scorers[of].merchant_id))
        {
            return &scorers[i];
        }
    }

    return NULL;
}


static char *
check_scales(ngx_conf_t *cf, const ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t               i;
    const pay_risk_scale_t  *scales = pmcf->risk.scales.elts;

    for (i = 0; i < pmcf->risk.scales.nelts; i++) {
        if (!ngx_http_payments_risk_knows(pmcf, scales[i].merchant_id)) {
            return refuse(cf, SCORE, scales[i].merchant_id, "needs the name "
                          "of a payments_merchant block as its merchant=");
        }

        if (is_twice(scales, i)) {
            return refuse(cf, SCORE, scales[i].merchant_id, "is there twice: "
                          "each merchant has one, and all together have one "
                          "without merchant=");
        }

        if (waits_for_model(pmcf, &scales[i])) {
            return refuse(cf, SCORE, scales[i].merchant_id, "gives model= a "
                          "weight, and no champion scores: add a "
                          "payments_risk_model, or say model=0 and raise "
                          "others");
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
is_twice(const pay_risk_scale_t *scales, ngx_uint_t of)
{
    ngx_uint_t  i;

    for (i = 0; i < of; i++) {
        if (pay_str_eq(scales[i].merchant_id, scales[of].merchant_id)) {
            return 1;
        }
    }

    return 0;
}


/* Without a champion the total could never reach its thresholds.  One
 * of all merchants needs a champion for any of them. */
static ngx_uint_t
waits_for_model(const ngx_http_payments_main_conf_t *pmcf,
    const pay_risk_scale_t *scale)
{
    ngx_uint_t                i;
    const pay_risk_scorer_t  *scorers = pmcf->risk.scorers.elts;

    for (i = 0; i < pmcf->risk.scorers.nelts; i++) {
        if (!scorers[i].is_challenger
            && (scale->merchant_id.len == 0 || scorers[i].merchant_id.len == 0
                || pay_str_eq(scorers[i].merchant_id, scale->merchant_id)))
        {
            return 0;
        }
    }

    return scale->weights[PAY_RISK_PART_MODEL] != 0;
}


static char *
refuse(ngx_conf_t *cf, const char *directive, pay_str_t name, const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s \"%V\" %s", directive,
                       &ngx_payments_nstr(name), why);

    return NGX_CONF_ERROR;
}
