/*
 * The GETs of the storefront's API: each prepares its flow, by the ids and the
 * arguments of its URL.  The checks that come before are those of
 * ngx_http_payments_api.c.
 */

#include "http/ngx_http_payments_endpoint.h"
#include "http/ngx_http_payments_read.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_risk.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"


typedef ngx_http_payments_ids_t  ids_t;


static ngx_int_t read_list(ngx_http_request_t *r, pay_flow_t *core,
    pay_finance_asked_t *asked, pay_err_t *err);
static ngx_int_t read_status(pay_status_t status);


/* The core gets the merchant of the token with each id; an order of another
 * merchant is not found. */
ngx_int_t
ngx_http_payments_read_order(ngx_http_request_t *r, pay_flow_t *core,
    ngx_uint_t what, const ids_t *ids, pay_err_t *err)
{
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    (void) err;

    return read_status(pay_flow_read(core, (pay_read_t) what,
                                     ctx->merchant->id, ids->id[0],
                                     (ctx->scopes & PAY_SCOPE_FINANCE_READ)
                                     != 0));
}


ngx_int_t
ngx_http_payments_read_change(ngx_http_request_t *r, pay_flow_t *core,
    ngx_uint_t what, const ids_t *ids, pay_err_t *err)
{
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    (void) err;

    return read_status(pay_flow_read_change(core,
                           (pay_change_kind_t) what, ctx->merchant->id,
                           ids->id[0], ids->id[1]));
}


ngx_int_t
ngx_http_payments_read_balance(ngx_http_request_t *r, pay_flow_t *core,
    ngx_uint_t what, const ids_t *ids, pay_err_t *err)
{
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    (void) what;
    (void) err;

    return read_status(pay_flow_read_seller(core, ctx->merchant->id,
                                            ids->id[0], NULL));
}


/* The arguments of the URL are parsed by the core, before the flow begins. */
ngx_int_t
ngx_http_payments_read_statement(ngx_http_request_t *r, pay_flow_t *core,
    ngx_uint_t what, const ids_t *ids, pay_err_t *err)
{
    pay_statement_t           statement;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    (void) what;

    if (pay_statement_parse(ngx_payments_str(r->args), &statement, err)
        != PAY_OK)
    {
        return NGX_DECLINED;
    }

    return read_status(pay_flow_read_seller(core, ctx->merchant->id,
                                            ids->id[0], &statement));
}


ngx_int_t
ngx_http_payments_read_page(ngx_http_request_t *r, pay_flow_t *core,
    ngx_uint_t what, const ids_t *ids, pay_err_t *err)
{
    pay_page_t                page;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    (void) what;
    (void) ids;

    if (pay_page_parse(ngx_payments_str(r->args), &page, err) != PAY_OK) {
        return NGX_DECLINED;
    }

    return read_status(pay_flow_read_page(core, ctx->merchant->id, &page));
}


ngx_int_t
ngx_http_payments_read_finance(ngx_http_request_t *r, pay_flow_t *core,
    ngx_uint_t what, const ids_t *ids, pay_err_t *err)
{
    pay_finance_asked_t  asked;

    ngx_memzero(&asked, sizeof(pay_finance_asked_t));
    asked.list = (pay_finance_list_t) what;
    asked.id = ids->id[0];

    return read_list(r, core, &asked, err);
}


ngx_int_t
ngx_http_payments_read_destinations(ngx_http_request_t *r, pay_flow_t *core,
    ngx_uint_t what, const ids_t *ids, pay_err_t *err)
{
    pay_finance_asked_t  asked;

    (void) what;

    ngx_memzero(&asked, sizeof(pay_finance_asked_t));
    asked.list = PAY_FINANCE_DESTINATIONS;
    asked.seller = ids->id[0];

    return read_list(r, core, &asked, err);
}


ngx_int_t
ngx_http_payments_read_events(ngx_http_request_t *r, pay_flow_t *core,
    ngx_uint_t what, const ids_t *ids, pay_err_t *err)
{
    return ngx_http_payments_events(r, core, (pay_events_list_t) what,
                                    ids->id[0], err);
}


/* The query is the flow's, which outlives the request. */
static ngx_int_t
read_list(ngx_http_request_t *r, pay_flow_t *core, pay_finance_asked_t *asked,
    pay_err_t *err)
{
    ngx_uint_t                count;
    pay_status_t              status;
    ngx_table_elt_t          *accept;
    pay_finance_query_t       query;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    if (pay_dup(core->arena, ngx_payments_str(r->args), &asked->query)
        != PAY_OK)
    {
        return NGX_ERROR;
    }

    accept = ngx_http_payments_find_header(r, "Accept", &count);
    if (accept != NULL && count == 1) {
        asked->accept = ngx_payments_str(accept->value);
    }

    status = pay_finance_parse(asked, &query, err);

    if (status == PAY_NOT_FOUND) {
        return ngx_http_payments_refuse(err, "not-found", NULL);
    }

    if (status != PAY_OK) {
        return NGX_DECLINED;
    }

    return read_status(pay_flow_finance(core, ctx->merchant->id, &query));
}


static ngx_int_t
read_status(pay_status_t status)
{
    return status == PAY_OK ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_payments_read_risk(ngx_http_request_t *r, pay_flow_t *core,
    ngx_uint_t what, const ids_t *ids, pay_err_t *err)
{
    return ngx_http_payments_risk_list(r, core, (pay_risk_list_t) what,
                                       ids->id[0], err);
}
