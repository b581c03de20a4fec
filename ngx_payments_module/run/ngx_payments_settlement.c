/*
 * Sources of settlement files, where payments_jobs is on.  A worker that finds
 * a file in its host's directory, or has a PSP's API to look at, asks
 * PostgreSQL whether a look is due; of all
 * workers of all nodes one then reads it.  Its first question makes the row of
 * the source as the directive has it.
 */

#include "run/ngx_payments_settlement.h"
#include "io/ngx_payments_directory.h"
#include "run/ngx_payments_round.h"
#include "shm/ngx_payments_count_settled.h"
#include "util/ngx_payments_process.h"
#include "util/ngx_payments_random.h"


#define SOON_MS     20                 /* behind a file comes the next one */
#define ASK_SHARE   4                  /* of a pull's interval, between
                                          questions */
#define ASK_MAX_MS  30000


static ngx_uint_t settlement_is_due(const ngx_payments_round_t *round);
static ngx_uint_t settlement_is_in(const void *subject, ngx_uint_t cell);
static pay_status_t settlement_prepare(const ngx_payments_round_t *round,
    pay_flow_t *flow);
static ngx_uint_t settlement_ended(ngx_payments_round_t *round,
    const char *outcome);
static void settlement_complain(ngx_payments_round_t *round,
    const char *outcome);
static ngx_msec_t settlement_pause(const ngx_payments_round_t *round);


static const ngx_payments_round_kind_t  settlement_round = {
    settlement_is_in, settlement_prepare, settlement_pause, settlement_is_due,
    settlement_ended, SOON_MS
};


ngx_int_t
ngx_payments_settlement_start(ngx_cycle_t *cycle, ngx_uint_t cell,
    pay_str_t owner)
{
    return ngx_payments_round_start_all(cycle, &settlement_round,
                                        &ngx_payments_main_conf()->settlements,
                                        cell, owner);
}


/* The first question also makes the row of the source, whatever lies in the
 * directory: `declared` says that the row is as the directive has it. */
static ngx_uint_t
settlement_is_due(const ngx_payments_round_t *round)
{
    u_char                            name[NGX_PAYMENTS_NAME_MAX + 1];
    const ngx_payments_settlement_t  *settlement = round->subject;

    return !round->declared
           || settlement->source.way != PAY_SETTLE_BY_DIR
           || ngx_payments_directory_next(&settlement->dir, settlement->age_s,
                                          name)
              == NGX_OK;
}


static ngx_uint_t
settlement_is_in(const void *subject, ngx_uint_t cell)
{
    const ngx_payments_settlement_t  *settlement = subject;

    return settlement->cell == cell;
}


static pay_status_t
settlement_prepare(const ngx_payments_round_t *round, pay_flow_t *flow)
{
    u_char                            seed[PAY_SETTLE_SEED];
    const ngx_payments_settlement_t  *settlement = round->subject;

    if (ngx_payments_random(seed, sizeof(seed)) != NGX_OK) {
        return PAY_NO_MEMORY;
    }

    return pay_flow_settlement(flow, &settlement->source, round->owner,
                               (pay_str_t) { sizeof(seed), seed });
}


static ngx_uint_t
settlement_ended(ngx_payments_round_t *round, const char *outcome)
{
    if (ngx_strcmp(outcome, "read") == 0) {
        round->declared = 1;
        ngx_payments_round_news(round, NULL);
        return 1;
    }

    if (ngx_strcmp(outcome, "empty") == 0
        || ngx_strcmp(outcome, "not-due") == 0
        || ngx_strcmp(outcome, "stopped") == 0)
    {
        round->declared = 1;

    } else {
        settlement_complain(round, outcome);
    }

    return 0;
}


/* Logged once for each reason, until a file goes well. */
static void
settlement_complain(ngx_payments_round_t *round, const char *outcome)
{
    pay_str_t                         name;
    const ngx_payments_settlement_t  *settlement = round->subject;

    name = settlement->source.name;
    ngx_payments_count_settled_failed(round->cell, name);

    if (!ngx_payments_round_news(round, outcome)) {
        return;
    }

    if (ngx_strcmp(outcome, "exists") == 0) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "payments: a source of settlement has brought files for "
                      "another merchant or PSP than its payments_settlement "
                      "names, and is not read, source:%V",
                      &ngx_payments_nstr(name));
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "payments: a look at a source of settlement has ended "
                  "early, source:%V, why:%s", &ngx_payments_nstr(name),
                  outcome);
}


static ngx_msec_t
settlement_pause(const ngx_payments_round_t *round)
{
    ngx_msec_t                        pause;
    const ngx_payments_settlement_t  *settlement = round->subject;

    pause = (ngx_msec_t) settlement->source.interval_ms;

    return settlement->source.way == PAY_SETTLE_BY_DIR
           ? pause : ngx_min(pause / ASK_SHARE, ASK_MAX_MS);
}
