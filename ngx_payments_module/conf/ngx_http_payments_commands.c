/*
 * The directives: where each may stand, and the function in one of the other
 * files of this directory that reads it.
 */

#include "conf/ngx_http_payments_commands.h"

#include "conf/ngx_http_payments_conf.h"
#include "conf/ngx_http_payments_conf_act.h"
#include "conf/ngx_http_payments_conf_audit.h"
#include "conf/ngx_http_payments_conf_keyring.h"
#include "conf/ngx_http_payments_conf_bodies.h"
#include "conf/ngx_http_payments_conf_bulkhead.h"
#include "conf/ngx_http_payments_conf_cell.h"
#include "conf/ngx_http_payments_conf_health.h"
#include "conf/ngx_http_payments_conf_lines.h"
#include "conf/ngx_http_payments_conf_merchant.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_declared.h"
#include "conf/ngx_http_payments_conf_endpoints.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_psp.h"
#include "conf/ngx_http_payments_conf_payout.h"
#include "conf/ngx_http_payments_conf_screening.h"
#include "conf/ngx_http_payments_conf_rates.h"
#include "conf/ngx_http_payments_conf_replica.h"
#include "conf/ngx_http_payments_conf_review.h"
#include "conf/ngx_http_payments_conf_risk.h"
#include "conf/ngx_http_payments_conf_risk_after.h"
#include "conf/ngx_http_payments_conf_risk_provider.h"
#include "conf/ngx_http_payments_conf_score.h"
#include "conf/ngx_http_payments_conf_retry.h"
#include "conf/ngx_http_payments_conf_settlement.h"
#include "conf/ngx_http_payments_conf_staff.h"
#include "util/ngx_payments_conf_types.h"


/* of a directive that reads its line itself */
#define IN_MAIN  NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL

#define MAX_BODY_LIMIT  (1024 * 1024)

/* Begins as ngx_conf_post_t does. */
typedef struct {
    ngx_conf_post_handler_pt   handler;
    ngx_msec_t                 min;
    ngx_msec_t                 max;
    const char                *refusal;
} ngx_http_payments_time_bounds_t;


static char *ngx_http_payments_take_line(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_payments_note_html(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_payments_check_max_body(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_payments_check_time(ngx_conf_t *cf, void *post,
    void *data);


static ngx_conf_num_bounds_t  jwt_lifetime_bounds = {
    ngx_conf_check_num_bounds, 60, 172800
};


static ngx_conf_num_bounds_t  concurrency_bounds = {
    ngx_conf_check_num_bounds, 0, NGX_PAYMENTS_CONCURRENCY_MAX
};


static ngx_conf_post_t  html_post = {
    ngx_http_payments_note_html
};


static ngx_conf_post_t  max_body_post = {
    ngx_http_payments_check_max_body
};


static ngx_http_payments_time_bounds_t  body_timeout_bounds = {
    ngx_http_payments_check_time, 10, 600000, "must be a time from 10ms to 10m"
};


/* The longest time of a PSP's own timeout total=; 0 would be no end at all. */
static ngx_http_payments_time_bounds_t  buyer_timeout_bounds = {
    ngx_http_payments_check_time, 10, 120000, "must be a time from 10ms to 2m"
};


ngx_command_t  ngx_http_payments_commands[] = {

    { ngx_string("payments_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_zone,
      IN_MAIN },

    { ngx_string("payments_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      PAY_ROLE_GATEWAY,
      &ngx_http_payments_database_line },

    { ngx_string("payments_database_replica"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      PAY_ROLE_REPLICA,
      &ngx_http_payments_database_replica_line },

    { ngx_string("payments_audience"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, audience),
      NULL },

    { ngx_string("payments_jwt_max_lifetime"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, jwt_max_lifetime),
      &jwt_lifetime_bounds },

    { ngx_string("payments_public_url"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_public_url_line },

    { ngx_string("payments_insecure_http"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_payments_srv_conf_t, insecure_http),
      NULL },

    { ngx_string("payments_html"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, html),
      &html_post },

    { ngx_string("payments_jobs"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_jobs_line },

    { ngx_string("payments_buyer_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, buyer_timeout),
      &buyer_timeout_bounds },

    { ngx_string("payments_score"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, env.weights),
      &ngx_http_payments_score_line },

    { ngx_string("payments_psp_concurrency"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, psp_concurrency),
      &concurrency_bounds },

    { ngx_string("payments_retry"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_retry,
      IN_MAIN },

    { ngx_string("payments_late_success"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_late_success_line },

    { ngx_string("payments_watchdog"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, watch),
      &ngx_http_payments_watchdog_line },

    { ngx_string("payments_quarantine"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, quarantine),
      NULL },

    { ngx_string("payments_webhook_bodies"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_webhook_bodies_line },

    { ngx_string("payments_audit"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, audit),
      &ngx_http_payments_audit_line },

    { ngx_string("payments_keyring"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, keyring),
      &ngx_http_payments_keyring_line },

    { ngx_string("payments_rates"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_rates,
      IN_MAIN },

    { ngx_string("payments_quote"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      &ngx_http_payments_quote_line },

    { ngx_string("payments_settlement"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_settlement,
      IN_MAIN },

    { ngx_string("payments_payout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_payments_payout_block,
      IN_MAIN },

    { ngx_string("payments_screening"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_payments_screening_block,
      IN_MAIN },

    { ngx_string("payments_webhook_endpoints"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, endpoints),
      &ngx_http_payments_endpoints_line },

    { ngx_string("payments_webhook_endpoint"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_declared,
      IN_MAIN },

    { ngx_string("payments_risk"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, risk),
      &ngx_http_payments_risk_line },

    { ngx_string("payments_risk_rule"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_risk_rule,
      IN_MAIN },

    { ngx_string("payments_risk_velocity"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_risk_velocity,
      IN_MAIN },

    { ngx_string("payments_risk_provider"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_payments_risk_provider_block,
      IN_MAIN },

    { ngx_string("payments_risk_model"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2|NGX_CONF_TAKE3|NGX_CONF_TAKE4,
      ngx_http_payments_risk_model,
      IN_MAIN },

    { ngx_string("payments_risk_score"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_risk_score,
      IN_MAIN },

    { ngx_string("payments_risk_review"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, risk),
      &ngx_http_payments_risk_review_line },

    { ngx_string("payments_risk_after"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, risk),
      &ngx_http_payments_risk_after_line },

    { ngx_string("payments_risk_card_testing"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, risk),
      &ngx_http_payments_risk_card_testing_line },

    { ngx_string("payments_bulkhead"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, bulkhead),
      &ngx_http_payments_bulkhead_line },

    { ngx_string("payments_stage_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, stages),
      &ngx_http_payments_stage_timeout_line },

    { ngx_string("payments_psp"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_payments_psp_block,
      IN_MAIN },

    { ngx_string("payments_merchant"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_payments_merchant_block,
      IN_MAIN },

    { ngx_string("payments_staff"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS,
      ngx_http_payments_staff_block,
      IN_MAIN },

    { ngx_string("payments_console_html"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_set_line,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_payments_main_conf_t, console),
      &ngx_http_payments_console_html_line },

    { ngx_string("payments_console_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      PAY_ROLE_CONSOLE,
      &ngx_http_payments_console_database_line },

    { ngx_string("payments_console_act_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_payments_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      PAY_ROLE_ACT,
      &ngx_http_payments_console_act_database_line },

    { ngx_string("payments_console_refund"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE4,
      ngx_http_payments_console_refund,
      IN_MAIN },

    { ngx_string("payments_console"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_CONSOLE },

    { ngx_string("payments_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_API },

    { ngx_string("payments_checkout"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_CHECKOUT },

    { ngx_string("payments_return"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_RETURN },

    { ngx_string("payments_webhook"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_WEBHOOK },

    { ngx_string("payments_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_METRICS },

    { ngx_string("payments_problems"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_payments_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      (void *) NGX_HTTP_PAYMENTS_PROBLEMS },

    { ngx_string("payments_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_payments_health,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("payments_rate_limit"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_payments_rate_limit_line },

    { ngx_string("payments_idempotency"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_payments_set_line,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_payments_idempotency_line },

    { ngx_string("payments_max_body"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_payments_loc_conf_t, max_body),
      &max_body_post },

    { ngx_string("payments_body_timeout"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_payments_loc_conf_t, body_timeout),
      &body_timeout_bounds },

    ngx_null_command
};

static ngx_http_payments_setter_pt  setters[sizeof(ngx_http_payments_commands)
                          / sizeof(ngx_http_payments_commands[0])];


/* A module may be read several times in the life of a process. */
void
ngx_http_payments_keep_lines(void)
{
    ngx_uint_t      i;
    ngx_command_t  *cmd = ngx_http_payments_commands;

    for (i = 0; cmd[i].name.len != 0; i++) {
        if (cmd[i].set != ngx_http_payments_take_line) {
            setters[i] = cmd[i].set;
            cmd[i].set = ngx_http_payments_take_line;
        }
    }
}


ngx_http_payments_setter_pt
ngx_http_payments_setter(const ngx_command_t *cmd)
{
    return cmd->set == ngx_http_payments_take_line
           ? setters[cmd - ngx_http_payments_commands] : cmd->set;
}


/* Kept first: a block's setter reads further lines. */
static char *
ngx_http_payments_take_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                  place = ngx_string("server");
    ngx_http_core_loc_conf_t  *clcf;

    if (cf->cmd_type == NGX_HTTP_MAIN_CONF) {
        ngx_str_set(&place, "http");

    } else if (cf->cmd_type != NGX_HTTP_SRV_CONF) {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
        place.data = ngx_pnalloc(cf->pool,
                                 sizeof("location ") + clcf->name.len);
        if (place.data == NULL) {
            return NGX_CONF_ERROR;
        }

        place.len = ngx_sprintf(place.data, "location %V", &clcf->name)
                    - place.data;
    }

    return ngx_http_payments_lines_keep(cf, &place) == NGX_OK
           ? ngx_http_payments_setter(cmd)(cf, cmd, conf) : NGX_CONF_ERROR;
}


/* nginx' setter notes no place; later messages need it. */
static char *
ngx_http_payments_note_html(ngx_conf_t *cf, void *post, void *data)
{
    ngx_http_payments_main_conf_t  *pmcf;

    (void) post;
    (void) data;
    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);

    return ngx_http_payments_note(cf, pmcf, "payments_html") == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* There is no "off", as each body is held in memory. */
static char *
ngx_http_payments_check_max_body(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *max_body = data;

    return *max_body >= 1 && *max_body <= MAX_BODY_LIMIT ? NGX_CONF_OK
           : "must be at least 1 byte and at most 1m; there is no \"off\"";
}


static char *
ngx_http_payments_check_time(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t                             *time = data;
    const ngx_http_payments_time_bounds_t  *bounds = post;

    return *time >= bounds->min && *time <= bounds->max
           ? NGX_CONF_OK : (char *) bounds->refusal;
}
