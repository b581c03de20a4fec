/*
 * The counters behind /metrics: fixed arrays of atomics in the shared zone,
 * written without a lock at the place of the event.  A label that is no word of
 * ngx_payments_labels.c counts as "other", so that nothing from outside makes a
 * time series.
 */

#include "shm/ngx_payments_count.h"
#include "shm/ngx_payments_figures.h"
#include "shm/ngx_payments_zone.h"
#include "util/ngx_payments_process.h"

#include <signal.h>

#include "pay_crypto.h"
#include "pay_json.h"


#define CERTIFICATE_S  60              /* between two looks at one */

static ngx_payments_counters_t *counters(void);
static ngx_uint_t word(const char *const *table, const char *text);
static ngx_uint_t code_index(ngx_uint_t status);
static ngx_uint_t observe(ngx_payments_histogram_t *histogram, ngx_msec_t ms);
static ngx_payments_psp_stat_t *psp_stat(ngx_uint_t index);
static ngx_payments_psp_stat_t *psp_stat_named(pay_str_t name);
static ngx_uint_t slot_of(const ngx_payments_counters_t *c, pay_str_t name,
    ngx_payments_psp_stat_t **psp);
static void claim_psp(ngx_payments_counters_t *c, ngx_slab_pool_t *pool,
    pay_str_t name);
static ngx_payments_gauges_t *gauges(void);
static ngx_payments_gauges_t *claim_gauges(ngx_payments_gauges_t *slots);


/* `flow` and every other word is compared with a table; the text itself is
 * never shown. */
void
ngx_payments_count_request(const char *flow, ngx_uint_t status, ngx_msec_t ms,
    pay_str_t request_id, pay_str_t trace_id)
{
    ngx_uint_t                i, le;
    ngx_payments_counters_t  *c;

    c = counters();
    if (c == NULL) {
        return;
    }

    i = word(ngx_payments_flow_names, flow);
    (void) ngx_atomic_fetch_add(&c->requests[i][code_index(status)], 1);
    le = observe(&c->request_duration[i], ms);
    ngx_payments_exemplar_set(&c->request_seen[i][le], (uint64_t) ms * 1000,
                              request_id, trace_id);
}


void
ngx_payments_count_limited(ngx_uint_t per_merchant)
{
    ngx_payments_counters_t  *c;

    c = counters();
    if (c != NULL) {
        (void) ngx_atomic_fetch_add(&c->limited[per_merchant ? 1 : 0], 1);
    }
}


void
ngx_payments_count_card_data(void)
{
    ngx_payments_counters_t  *c;

    c = counters();
    if (c != NULL) {
        (void) ngx_atomic_fetch_add(&c->card_data, 1);
    }
}


/* One of a provider of pay-outs counts under "other". */
void
ngx_payments_count_webhook(pay_str_t psp, const char *outcome,
    ngx_uint_t is_proven)
{
    ngx_uint_t                i;
    ngx_payments_counters_t  *c;
    ngx_payments_psp_stat_t  *stat;

    c = counters();
    if (c == NULL) {
        return;
    }

    stat = psp_stat_named(psp);
    stat = stat != NULL ? stat : &c->other_psp;
    i = word(ngx_payments_outcome_names, outcome);
    (void) ngx_atomic_fetch_add(&stat->webhooks[i], 1);

    if (is_proven) {
        stat->webhook_at = (ngx_atomic_uint_t) ngx_time();
    }
}


/* Two workers may look at the same time, which does no harm. */
ngx_uint_t
ngx_payments_wants_certificate(pay_str_t psp)
{
    ngx_atomic_uint_t         now = (ngx_atomic_uint_t) ngx_time();
    ngx_payments_psp_stat_t  *stat;

    stat = psp_stat_named(psp);
    if (stat == NULL || stat->cert_at + CERTIFICATE_S > now) {
        return 0;
    }

    stat->cert_at = now;

    return 1;
}


/* A reader that comes between sees no issuer, or one that is whole. */
void
ngx_payments_count_certificate(pay_str_t psp, time_t end, pay_str_t issuer)
{
    ngx_payments_psp_stat_t  *stat;

    stat = psp_stat_named(psp);
    if (stat == NULL) {
        return;
    }

    issuer.len = ngx_min(issuer.len, NGX_PAYMENTS_ISSUER);
    stat->issuer_len = 0;
    ngx_memory_barrier();
    ngx_memcpy(stat->issuer, issuer.data, issuer.len);
    ngx_memory_barrier();
    stat->issuer_len = issuer.len;
    stat->cert_end = (ngx_atomic_uint_t) end;
}


/* One call carries `items` of one operation: both are counted, which gives the
 * mean size of a batch. */
void
ngx_payments_count_db(ngx_uint_t cell, pay_op_id_t op, ngx_uint_t items,
    ngx_uint_t failed, ngx_msec_t ms)
{
    ngx_payments_cell_stat_t  *c = ngx_payments_cell_stat(cell);

    if (c == NULL || (ngx_uint_t) op >= PAY_OP_COUNT) {
        return;
    }

    (void) ngx_atomic_fetch_add(&c->db_calls[op][failed ? 1 : 0], 1);
    (void) ngx_atomic_fetch_add(&c->db_items[op], items);
    (void) observe(&c->db_duration[op], ms);
}


void
ngx_payments_count_db_rejected(ngx_uint_t cell)
{
    ngx_payments_cell_stat_t  *c = ngx_payments_cell_stat(cell);

    if (c != NULL) {
        (void) ngx_atomic_fetch_add(&c->db_rejected, 1);
    }
}


/* The gauge is this process' share and goes with it; the total of connects
 * stays. */
void
ngx_payments_count_db_connect(ngx_uint_t cell, ngx_uint_t role, ngx_uint_t up)
{
    ngx_payments_gauges_t     *g;
    ngx_payments_cell_stat_t  *c = ngx_payments_cell_stat(cell);

    if (c == NULL || role != PAY_ROLE_GATEWAY) {
        return;
    }

    if (up) {
        (void) ngx_atomic_fetch_add(&c->db_connects, 1);
    }

    g = gauges();
    if (g != NULL) {
        (void) ngx_atomic_fetch_add(&g->connections[c->place], up ? 1 : -1);
    }
}


/* HTTP_ERROR is an answer of 400 or more that came in full. */
void
ngx_payments_count_psp(const ngx_payments_psp_t *psp, pay_call_t call,
    const pay_http_answer_t *answer, ngx_msec_t ms, pay_str_t request_id,
    pay_str_t trace_id)
{
    ngx_uint_t                result, le;
    ngx_payments_psp_stat_t  *stat;

    stat = psp_stat(psp->psp.index);
    if (stat == NULL) {
        return;
    }

    result = answer->failure;

    if (result == PAY_FAILURE_NONE && answer->status >= 400) {
        result = NGX_PAYMENTS_RESULT_HTTP_ERROR;
    }

    (void) ngx_atomic_fetch_add(&stat->calls[call][result], 1);
    le = observe(&stat->duration, ms);
    ngx_payments_exemplar_set(&stat->seen[le], (uint64_t) ms * 1000,
                              request_id, trace_id);
}


void
ngx_payments_count_job(const char *outcome)
{
    ngx_uint_t                i;
    ngx_payments_counters_t  *c;

    c = counters();
    if (c != NULL) {
        i = word(ngx_payments_job_names, outcome);
        (void) ngx_atomic_fetch_add(&c->jobs[i], 1);
    }
}


void
ngx_payments_count_change(const char *kind, const char *status)
{
    ngx_uint_t                i, k;
    ngx_payments_counters_t  *c;

    c = counters();
    if (c != NULL) {
        i = word(ngx_payments_change_names, kind);
        k = word(ngx_payments_state_names, status);
        (void) ngx_atomic_fetch_add(&c->changes[i][k], 1);
    }
}


/* The PSP is found by its name, as the flow knows it; one that is not
 * configured any more is not counted. */
void
ngx_payments_count_quarantined(pay_str_t psp, const char *reason)
{
    ngx_uint_t                i;
    ngx_payments_psp_stat_t  *stat;

    stat = psp_stat_named(psp);
    if (stat != NULL) {
        i = word(ngx_payments_reason_names, reason);
        (void) ngx_atomic_fetch_add(&stat->quarantined[i], 1);
    }
}


void
ngx_payments_count_backfill(pay_str_t psp, int64_t listed, int64_t missed)
{
    ngx_payments_psp_stat_t  *stat;

    stat = psp_stat_named(psp);
    if (stat != NULL) {
        (void) ngx_atomic_fetch_add(&stat->backfill_listed, listed);
        (void) ngx_atomic_fetch_add(&stat->backfill_missed, missed);
    }
}


/* The figures are of all nodes and replace the last ones; `at` is set last, so
 * that a reader who sees it sees them. */
void
ngx_payments_count_sweep(ngx_uint_t cell, pay_str_t text)
{
    ngx_uint_t                 i;
    pay_json_t                *json;
    const pay_json_t          *letters, *reviews, *captures;
    ngx_payments_sweep_t      *sweep;
    ngx_payments_cell_stat_t  *c = ngx_payments_cell_stat(cell);

    if (c == NULL || pay_json_parse(text, NULL, &json, NULL) != PAY_OK) {
        return;
    }

    sweep = &c->sweep;
    letters = pay_json_get(json, "dead_letters");

    for (i = 0; i < NGX_PAYMENTS_LETTERS; i++) {
        sweep->letters[i] = ngx_payments_figure(
            letters, ngx_payments_letter_names[i]);
    }

    sweep->unknown = ngx_payments_figure(json, "unknown");
    sweep->parked = ngx_payments_figure(json, "parked");
    sweep->overdue_s = ngx_payments_figure(json, "overdue_s");
    reviews = pay_json_get(json, "reviews");
    sweep->reviews_open = ngx_payments_figure(reviews, "open");
    sweep->reviews_escalated = ngx_payments_figure(reviews, "escalated");
    sweep->reviews_overdue = ngx_payments_figure(reviews, "overdue");
    sweep->reviews_oldest_s = ngx_payments_figure(reviews, "oldest_s");
    captures = pay_json_get(json, "review_captures");
    sweep->captures_asked = ngx_payments_figure(captures, "asked");
    sweep->captures_failed = ngx_payments_figure(captures, "failed");
    sweep->risk_modes = ngx_payments_figure(json, "risk_modes");
    ngx_memory_barrier();
    sweep->at = (ngx_atomic_uint_t) ngx_time();

    pay_json_free(json);
}


/* Returns the differences although there may be no zone: the caller logs
 * them. */
int64_t
ngx_payments_count_books(ngx_uint_t cell, pay_str_t text)
{
    pay_json_t                *json;
    ngx_atomic_uint_t          differences;
    ngx_payments_cell_stat_t  *c = ngx_payments_cell_stat(cell);

    if (pay_json_parse(text, NULL, &json, NULL) != PAY_OK) {
        return 0;
    }

    differences = ngx_payments_figure(json, "differences");
    pay_json_free(json);

    if (c != NULL) {
        c->sweep.differences = differences;
    }

    return (int64_t) differences;
}


void
ngx_payments_count_refused(ngx_uint_t cell, ngx_payments_work_e work,
    ngx_payments_full_e why)
{
    ngx_payments_cell_stat_t  *c = ngx_payments_cell_stat(cell);

    if (c != NULL) {
        (void) ngx_atomic_fetch_add(&c->refused[work][why], 1);
    }
}


/* Flows that a killed worker had go with its slot. */
void
ngx_payments_gauge_flows(ngx_int_t delta)
{
    ngx_payments_gauges_t  *g;

    g = gauges();
    if (g != NULL) {
        (void) ngx_atomic_fetch_add(&g->flows, delta);
    }
}


ngx_uint_t
ngx_payments_gauges_alive(ngx_payments_gauges_t *g)
{
    ngx_pid_t  pid;

    pid = (ngx_pid_t) g->pid;

    /* EPERM: the number was given to a stranger */
    return pid != 0 && (pid == ngx_pid || kill(pid, 0) == 0);
}


/* NULL: there is no zone, and nothing is counted. */
static ngx_payments_counters_t *
counters(void)
{
    ngx_payments_shctx_t  *ctx;

    ctx = ngx_payments_shctx(NULL);

    return ctx != NULL ? &ctx->counters : NULL;
}


/* The place of the text in a table, or that of its last word. */
static ngx_uint_t
word(const char *const *table, const char *text)
{
    ngx_uint_t  i;

    for (i = 0; table[i + 1] != NULL; i++) {
        if (text != NULL && ngx_strcmp(table[i], text) == 0) {
            break;
        }
    }

    return i;
}


/* Codes that are not in the table share the last column, so a client cannot
 * make series by odd requests. */
static ngx_uint_t
code_index(ngx_uint_t status)
{
    ngx_uint_t  i;

    for (i = 0; ngx_payments_codes[i] != 0; i++) {
        if (ngx_payments_codes[i] == status) {
            break;
        }
    }

    return i;
}


/* The call counts in the slot of the first bound that is not below it, which is
 * returned; /metrics adds the slots up. */
static ngx_uint_t
observe(ngx_payments_histogram_t *histogram, ngx_msec_t ms)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_PAYMENTS_LES; i++) {
        if (ms <= ngx_payments_le_ms[i]) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&histogram->count[i], 1);
    (void) ngx_atomic_fetch_add(&histogram->sum_ms, ms);

    return i;
}


/* The counters of the index-th PSP of this process' configuration. */
static ngx_payments_psp_stat_t *
psp_stat(ngx_uint_t index)
{
    pay_str_t                       name;
    ngx_slab_pool_t                *pool;
    ngx_payments_shctx_t           *ctx;
    ngx_payments_counters_t        *c;
    ngx_payments_psp_stat_t        *psp;
    ngx_http_payments_main_conf_t  *pmcf;

    ctx = ngx_payments_shctx(&pool);
    if (ctx == NULL) {
        return NULL;
    }

    c = &ctx->counters;
    pmcf = ngx_payments_main_conf();

    if (index >= pmcf->env.psp_count) {
        return &c->other_psp;
    }

    name = pmcf->env.psps[index].name;

    (void) slot_of(c, name, &psp);
    if (psp != NULL) {
        return psp;
    }

    ngx_shmtx_lock(&pool->mutex);
    claim_psp(c, pool, name);
    ngx_shmtx_unlock(&pool->mutex);

    (void) slot_of(c, name, &psp);

    return psp != NULL ? psp : &c->other_psp;
}


/* NULL: no PSP of this configuration has that name. */
static ngx_payments_psp_stat_t *
psp_stat_named(pay_str_t name)
{
    const pay_psp_conf_t           *psp;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_payments_main_conf();
    psp = pmcf != NULL ? pay_env_psp(&pmcf->env, name) : NULL;

    return psp != NULL ? psp_stat(psp->index) : NULL;
}


/* A slot is taken for ever, so that the first empty one from the name's own on
 * ends the search. */
const ngx_payments_psp_stat_t *
ngx_payments_psp_stat_find(const ngx_payments_counters_t *c, pay_str_t name)
{
    ngx_payments_psp_stat_t  *psp;

    (void) slot_of(c, name, &psp);

    return psp;
}


/* The slot of this name, or the empty one that it would get, and the entry that
 * was seen there: an empty slot may be another one's at the next look. */
static ngx_uint_t
slot_of(const ngx_payments_counters_t *c, pay_str_t name,
    ngx_payments_psp_stat_t **psp)
{
    ngx_uint_t  i;

    i = pay_crc32(name) % NGX_PAYMENTS_PSP_SLOTS;

    for ( ;; ) {
        *psp = c->psps[i];

        if (*psp == NULL
            || pay_str_eq((pay_str_t) { (*psp)->len, (*psp)->name }, name))
        {
            return i;
        }

        i = (i + 1) % NGX_PAYMENTS_PSP_SLOTS;
    }
}


/* The pointer comes last: readers, who take no lock, see what is whole. */
static void
claim_psp(ngx_payments_counters_t *c, ngx_slab_pool_t *pool, pay_str_t name)
{
    ngx_uint_t                i;
    ngx_payments_psp_stat_t  *psp;

    i = slot_of(c, name, &psp);

    if (name.len == 0 || name.len > NGX_PAYMENTS_PSP_NAME
        || psp != NULL
        || c->psp_count == NGX_PAYMENTS_PSP_SLOTS / 4 * 3)
    {
        return;
    }

    psp = ngx_slab_calloc_locked(pool, sizeof(ngx_payments_psp_stat_t));

    if (psp != NULL) {
        ngx_memcpy(psp->name, name.data, name.len);
        psp->len = name.len;
        c->psp_count++;
        ngx_memory_barrier();
        c->psps[i] = psp;
    }
}


/* NULL: there is no zone, or all slots are taken. */
static ngx_payments_gauges_t *
gauges(void)
{
    ngx_payments_counters_t       *c;
    static ngx_payments_gauges_t  *mine;

    c = counters();
    if (c == NULL) {
        return NULL;
    }

    /* `mine` is stale after a fork, or in another zone: the pid shows it */

    if (mine < c->gauges || mine >= c->gauges + NGX_PAYMENTS_WORKERS
        || mine->pid != (ngx_atomic_uint_t) ngx_pid)
    {
        mine = claim_gauges(c->gauges);
    }

    return mine;
}


/* Finds a slot that is free or that of a process that is gone; NULL when all
 * are taken: the part of this one is not shown.  Two workers may want the same
 * slot: the compare-and-set gives it to one. */
static ngx_payments_gauges_t *
claim_gauges(ngx_payments_gauges_t *slots)
{
    ngx_uint_t              i;
    ngx_atomic_uint_t       old;
    ngx_payments_gauges_t  *slot;

    for (i = 0; i < NGX_PAYMENTS_WORKERS; i++) {
        slot = &slots[i];
        old = slot->pid;

        /* our own number here was that of another, long ago */

        if (old != (ngx_atomic_uint_t) ngx_pid
            && ngx_payments_gauges_alive(slot))
        {
            continue;
        }

        if (ngx_atomic_cmp_set(&slot->pid, old, ngx_pid)) {
            slot->flows = 0;
            ngx_memzero((void *) slot->connections, sizeof(slot->connections));
            return slot;
        }
    }

    return NULL;
}
