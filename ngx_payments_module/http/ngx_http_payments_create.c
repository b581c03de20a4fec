/*
 * POST /v1/payments: from a body to the input of its flow.
 *
 *     a place (payments_bulkhead) ─▶ body parsed ─▶ return_url, psp
 *       ├▶ errors: all of them in one answer, nothing is stored
 *       └▶ fingerprint, key, ids, address of this gateway ─▶ flow
 *
 * A body that only the configuration refuses is no error yet: its key may have
 * an answer from another configuration, so the flow looks that up.
 */

#include "http/ngx_http_payments_create.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_start.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_random.h"
#include "pay_idempotency.h"
#include "pay_trace.h"
#include "pay_url.h"


static ngx_int_t create_start(ngx_http_request_t *r, pay_str_t body,
    ngx_payments_flow_t *flow);
static ngx_int_t fill_input(ngx_http_request_t *r, ngx_payments_flow_t *flow,
    pay_str_t body, pay_create_input_t *in, pay_err_t *err);
static pay_status_t fill_trace(ngx_http_request_t *r, pay_flow_t *core,
    pay_create_input_t *in);
static ngx_int_t fill_ids(ngx_http_request_t *r, pay_arena_t *arena,
    pay_create_input_t *in);
static ngx_int_t fill_handle(ngx_http_request_t *r, pay_arena_t *arena,
    const u_char *entropy, unsigned cell, pay_str_t *handle);
static pay_status_t check_choices(pay_arena_t *arena, pay_create_input_t *in,
    pay_status_t parsed, pay_err_t *err);
static pay_status_t keep_refusal(pay_arena_t *arena, pay_create_input_t *in,
    const pay_err_t *err);
static ngx_int_t choose_psp(const pay_merchant_t *merchant, pay_str_t name,
    const pay_psp_conf_t **psp);


/* Called behind the body: the request has to be finalized here. */
void
ngx_http_payments_create(ngx_http_request_t *r, pay_str_t body)
{
    ngx_int_t             rc;
    ngx_payments_flow_t  *flow;

    flow = ngx_payments_flow_create(ngx_http_get_module_main_conf(r,
                                    ngx_http_payments_module),
                                    ngx_http_payments_get_ctx(r)->cell);

    rc = flow == NULL ? NGX_HTTP_INTERNAL_SERVER_ERROR
                      : create_start(r, body, flow);

    ngx_http_finalize_request(r, rc);
}


/* The place is taken before the body is parsed, so a gateway that is full
 * refuses at the smallest price. */
static ngx_int_t
create_start(ngx_http_request_t *r, pay_str_t body, ngx_payments_flow_t *flow)
{
    int64_t                   retry_after_s;
    ngx_int_t                 rc;
    pay_err_t                 err;
    pay_create_input_t        in;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(r);

    if (ngx_payments_flow_admit(flow, NGX_PAYMENTS_WORK_INTAKE, ctx->merchant,
                                &retry_after_s) != NGX_OK)
    {
        ngx_payments_flow_discard(flow);
        return ngx_http_payments_overloaded(r, retry_after_s);
    }

    ngx_memzero(&in, sizeof(pay_create_input_t));

    rc = fill_input(r, flow, body, &in, &err);

    if (rc == NGX_OK
        && pay_flow_create(ngx_payments_flow_core(flow), &in) == PAY_OK)
    {
        return ngx_http_payments_start(r, flow);
    }

    /* its texts are the flow's */
    rc = (rc == NGX_DECLINED)
         ? ngx_http_payments_refused(r, &err, &in.request->errors)
         : NGX_HTTP_INTERNAL_SERVER_ERROR;

    ngx_payments_flow_discard(flow);

    return rc;
}


/* NGX_OK; NGX_DECLINED with *err; NGX_ERROR.  All memory is the flow's, and
 * what only begin_payment needs goes with its row: while the PSP is asked, the
 * row stands for the request. */
static ngx_int_t
fill_input(ngx_http_request_t *r, ngx_payments_flow_t *flow, pay_str_t body,
    pay_create_input_t *in, pay_err_t *err)
{
    u_char                        *digest;
    ngx_uint_t                     is_parsed;
    pay_arena_t                   *arena;
    pay_status_t                   status;
    pay_str_t                      url;
    ngx_http_payments_ctx_t       *ctx;
    ngx_http_payments_loc_conf_t  *plcf;

    ctx = ngx_http_payments_get_ctx(r);
    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    arena = ngx_payments_flow_core(flow)->args;

    in->merchant = ctx->merchant;
    in->ttl_s = plcf->key_ttl;
    in->in_progress_status = (unsigned) plcf->in_progress;
    in->now_s = ngx_time();
    in->request = pay_alloc(arena, sizeof(pay_payment_request_t));
    digest = pay_alloc(arena, PAY_SHA256_SIZE);

    if (in->request == NULL || digest == NULL) {
        return NGX_ERROR;
    }

    err->pointer[0] = '\0';
    status = pay_payment_parse(arena, body, in->request, err);
    is_parsed = status == PAY_OK;
    status = check_choices(arena, in, status, err);

    if (status == PAY_INVALID && is_parsed) {
        status = keep_refusal(arena, in, err);
    }

    if (status != PAY_OK) {
        return status == PAY_INVALID ? NGX_DECLINED : NGX_ERROR;
    }

    if (pay_idempotency_fingerprint(PAY_STR("POST"), PAY_STR("/v1/payments"),
                                    in->merchant->id, body, digest) != PAY_OK
        || pay_dup(arena, ctx->key, &in->idempotency_key) != PAY_OK
        || pay_jwt_asker(arena, ctx->jwt_key->kid, ctx->subject,
                         &in->asked_by) != PAY_OK
        || pay_dup(ngx_payments_flow_core(flow)->arena,
                   (pay_str_t) { PAY_UUID_TEXT, ctx->request_id },
                   &ngx_payments_flow_core(flow)->request_id) != PAY_OK
        || ngx_http_payments_base_url(r, &url) != NGX_OK
        || pay_dup(arena, url, &in->base_url) != PAY_OK
        || fill_trace(r, ngx_payments_flow_core(flow), in) != PAY_OK)
    {
        return NGX_ERROR;
    }

    in->fingerprint.data = digest;
    in->fingerprint.len = PAY_SHA256_SIZE;

    return fill_ids(r, arena, in);
}


/* The storefront's trace.  One that is malformed or stands twice is none, as
 * Trace Context says: it is for operators alone, and refuses nothing. */
static pay_status_t
fill_trace(ngx_http_request_t *r, pay_flow_t *core, pay_create_input_t *in)
{
    u_char            text[PAY_TRACE_TEXT];
    ngx_uint_t        count;
    ngx_table_elt_t  *header;

    header = ngx_http_payments_find_header(r, "traceparent", &count);

    if (header == NULL || count != 1
        || pay_trace_parse(ngx_payments_str(header->value), text) != PAY_OK)
    {
        return PAY_OK;
    }

    PAY_TRY(pay_dup(core->arena, (pay_str_t) { PAY_TRACE_TEXT, text },
                    &in->trace));
    core->trace = in->trace;

    return PAY_OK;
}


/* The checks that need the configuration; they run for a body that was refused,
 * too, so that one answer names all errors. */
static pay_status_t
check_choices(pay_arena_t *arena, pay_create_input_t *in,
    pay_status_t parsed, pay_err_t *err)
{
    pay_err_t               more;
    pay_str_t               url;
    pay_status_t            status;
    const pay_merchant_t   *merchant = in->merchant;
    pay_payment_request_t  *request = in->request;

    if (parsed != PAY_OK && request->errors.count == 0) {
        return parsed;
    }

    if (request->return_url.len != 0 || parsed == PAY_OK) {
        status = pay_return_url_check(arena, request->return_url,
                                      merchant->return_hosts,
                                      merchant->return_host_count, &url,
                                      &more);

        if (status == PAY_OK) {
            request->return_url = url;

        } else if (status != PAY_INVALID
                   || pay_errors_add(&request->errors, arena, &more) != PAY_OK)
        {
            return PAY_NO_MEMORY;
        }
    }

    if (choose_psp(merchant, request->psp, &in->psp) != NGX_OK) {
        (void) pay_refuse_at(&more, "validation-error",
                             "the merchant has no such PSP", "/psp");

        if (pay_errors_add(&request->errors, arena, &more) != PAY_OK) {
            return PAY_NO_MEMORY;
        }
    }

    return pay_errors_verdict(&request->errors, err);
}


static pay_status_t
keep_refusal(pay_arena_t *arena, pay_create_input_t *in, const pay_err_t *err)
{
    pay_err_t  *kept = pay_alloc(arena, sizeof(pay_err_t));

    if (kept == NULL) {
        return PAY_NO_MEMORY;
    }

    pay_err_copy(kept, err);
    in->refused = kept;

    return PAY_OK;
}


/* All random values are drawn before the first commit, so that an operation
 * which is tried again stores the same ones.  change_id is needed only when
 * another checkout is replaced. */
static ngx_int_t
fill_ids(ngx_http_request_t *r, pay_arena_t *arena, pay_create_input_t *in)
{
    u_char    entropy[PAY_HANDLE_BYTES];
    unsigned  i;

    if (ngx_payments_random(entropy, sizeof(entropy)) != NGX_OK
        || fill_handle(r, arena, entropy, in->merchant->cell, &in->handle)
           != NGX_OK
        || fill_handle(r, arena, entropy, in->merchant->from,
                       &in->from_handle) != NGX_OK
        || ngx_payments_uuid(arena, &in->checkout_uuid) != NGX_OK
        || (in->request->replaces.len != 0
            && ngx_payments_uuid(arena, &in->change_id) != NGX_OK))
    {
        return NGX_ERROR;
    }

    for (i = 0; i < in->request->order_count; i++) {
        if (in->request->orders[i].id.len == 0
            && ngx_payments_uuid(arena, &in->request->orders[i].id)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* With the letter of the cell, if it has one. */
static ngx_int_t
fill_handle(ngx_http_request_t *r, pay_arena_t *arena, const u_char *entropy,
    unsigned cell, pay_str_t *handle)
{
    char                           *text = pay_alloc(arena, PAY_HANDLE_MAX);
    ngx_payments_cell_t           **cells;
    ngx_http_payments_main_conf_t  *pmcf;

    if (text == NULL) {
        return NGX_ERROR;
    }

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    cells = pmcf->cells.elts;
    handle->data = (u_char *) text;
    handle->len = pay_handle(entropy, (char) cells[cell]->letter, text);

    return NGX_OK;
}


/* No name: routes decide (*psp is NULL). */
static ngx_int_t
choose_psp(const pay_merchant_t *merchant, pay_str_t name,
    const pay_psp_conf_t **psp)
{
    size_t  i;

    if (name.len == 0) {
        *psp = NULL;
        return NGX_OK;
    }

    for (i = 0; i < merchant->psp_count; i++) {
        if (pay_str_eq(merchant->psps[i]->name, name)) {
            *psp = merchant->psps[i];
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}
