/*
 * How much at once and for how long: payments_bulkhead and
 * payments_stage_timeout.
 */

#include "ngx_http_payments_conf.h"


#define MOST_MAX  1000000
#define MERCHANT  12000
#define INTAKE    24000
#define READ      24000


static char *stage_too_long(ngx_conf_t *cf, const char *word, ngx_msec_t most);


static const char  *const stage_words[PAY_STAGES + 1] = {
    [PAY_STAGE_KEY] = "key=", [PAY_STAGE_RISK] = "risk=",
    [PAY_STAGE_ROUTING] = "routing=", [PAY_STAGE_PSP] = "psp=",
    [PAY_STAGE_LEDGER] = "ledger="
};


char *
ngx_http_payments_bulkhead(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                       rc;
    ngx_str_t                      *value = cf->args->elts;
    ngx_uint_t                      i, k;
    ngx_payments_bulkhead_conf_t   *most;
    ngx_http_payments_main_conf_t  *pmcf = conf;
    static const char              *const names[] = {
        "merchant=", "intake=", "read=", "job=", NULL
    };

    most = &pmcf->bulkhead;

    if (most->said) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_uint_t *const  numbers[] = {
        &most->merchant,
        &most->works[NGX_PAYMENTS_WORK_INTAKE],
        &most->works[NGX_PAYMENTS_WORK_READ],
        &most->works[NGX_PAYMENTS_WORK_JOB]
    };

    most->said = 1;

    for (i = 1; i < cf->args->nelts; i++) {
        for (k = 0, rc = NGX_DECLINED; k < 4 && rc == NGX_DECLINED; k++) {
            rc = ngx_http_payments_number(cf, &value[i], names[k], 0,
                                          MOST_MAX, numbers[k]);
        }

        if (rc == NGX_DECLINED) {
            (void) ngx_http_payments_unknown(cf, (char *) cmd->name.data,
                                             &value[i], names);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


void
ngx_http_payments_bulkhead_unset(ngx_payments_bulkhead_conf_t *most)
{
    ngx_uint_t  i;

    most->merchant = NGX_CONF_UNSET_UINT;

    for (i = 0; i < NGX_PAYMENTS_WORKS; i++) {
        most->works[i] = NGX_CONF_UNSET_UINT;
    }
}


/* A change is of money that exists: it has no cap. */
void
ngx_http_payments_bulkhead_defaults(ngx_payments_bulkhead_conf_t *most)
{
    ngx_conf_init_uint_value(most->merchant, MERCHANT);
    ngx_conf_init_uint_value(most->works[NGX_PAYMENTS_WORK_INTAKE], INTAKE);
    ngx_conf_init_uint_value(most->works[NGX_PAYMENTS_WORK_READ], READ);
    ngx_conf_init_uint_value(most->works[NGX_PAYMENTS_WORK_CHANGE], 0);
    ngx_conf_init_uint_value(most->works[NGX_PAYMENTS_WORK_JOB], 0);
}


char *
ngx_http_payments_stage_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                       rc;
    ngx_str_t                      *value = cf->args->elts;
    ngx_uint_t                      i, k;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    if (pmcf->staged) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_payments_note(cf, pmcf, "payments_stage_timeout") != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    pmcf->staged = 1;

    for (i = 1; i < cf->args->nelts; i++) {
        for (k = 0, rc = NGX_DECLINED;
             k < PAY_STAGES && rc == NGX_DECLINED; k++)
        {
            rc = ngx_http_payments_msec(cf, &value[i], stage_words[k],
                                        &pmcf->stages[k]);
        }

        if (rc == NGX_DECLINED) {
            (void) ngx_http_payments_unknown(cf, (char *) cmd->name.data,
                                             &value[i], stage_words);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* When all is read.  A PSP's call ends at the earlier of two deadlines, which
 * is then simply the PSP's: its breaker judges by it, and leases go by it. */
char *
ngx_http_payments_stages_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_msec_t            most = pmcf->db.timeout - pmcf->db.timeout / 5;
    ngx_msec_t            call = pmcf->stages[PAY_STAGE_PSP];
    ngx_uint_t            i;
    ngx_conf_t           *at;
    ngx_payments_psp_t  **psps = pmcf->psps.elts;
    ngx_http_payments_at_t  place;

    static const pay_stage_t  in_database[] = {
        PAY_STAGE_KEY, PAY_STAGE_LEDGER
    };

    for (i = 0; i < 2; i++) {
        if (pmcf->db.dsns != NULL && pmcf->stages[in_database[i]] > most) {
            at = ngx_http_payments_at(&place, cf, pmcf,
                                      "payments_stage_timeout", 0);
            return stage_too_long(at, stage_words[in_database[i]], most);
        }
    }

    for (i = 0; call != 0 && i < pmcf->psps.nelts; i++) {
        psps[i]->total_timeout = ngx_min(psps[i]->total_timeout, call);
        psps[i]->connect_timeout = ngx_min(psps[i]->connect_timeout,
                                           psps[i]->total_timeout);
    }

    return NGX_CONF_OK;
}


static char *
stage_too_long(ngx_conf_t *cf, const char *word, ngx_msec_t most)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "payments_stage_timeout %s must be at most %Mms, which "
                       "is 80%% of timeout= of payments_database: that would "
                       "end the operation first; make the one shorter or the "
                       "other longer", word, most);

    return NGX_CONF_ERROR;
}
