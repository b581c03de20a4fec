/*
 * The buyer's way: /checkout/<handle>, its status page and /return/<handle>.
 * Each starts its flow.
 *
 *     /checkout/<handle>         303 to the PSP's page, or the status page
 *     /checkout/<handle>/status  the status page
 *     /return/<handle>           asks the PSP; 303 to the shop, or the page
 *
 * The flow decides (src/flow/flow_buyer.c); here the path is read, and the
 * browser seen where risk is looked at.
 */

#include "http/ngx_http_payments_buyer.h"
#include "http/ngx_http_payments_limit.h"
#include "http/ngx_http_payments_look.h"
#include "http/ngx_http_payments_problems.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_start.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_random.h"
#include "pay_id.h"


static ngx_int_t find_cell(ngx_http_request_t *r, pay_str_t handle);
static ngx_int_t start_flow(ngx_http_request_t *r, pay_flow_t *core,
    pay_buyer_t what, pay_str_t handle);
static ngx_int_t see_browser(ngx_http_request_t *r, pay_flow_t *core,
    pay_risk_browser_t *browser);
static ngx_int_t buyer_target(ngx_http_request_t *r, ngx_uint_t kind,
    pay_buyer_t *what, pay_str_t *handle);


#define ALLOW  "GET, HEAD, OPTIONS"


/* A handle is 192 random bits and all that a buyer has to show.  The style
 * sheet stands under the same prefix, and costs no quota. */
ngx_int_t
ngx_http_payments_buyer(ngx_http_request_t *r, ngx_uint_t kind)
{
    ngx_int_t             rc;
    pay_str_t             handle;
    pay_buyer_t           what;
    ngx_payments_flow_t  *flow;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, ALLOW);
    }

    rc = ngx_http_payments_style(r);
    if (rc == NGX_DECLINED) {
        rc = ngx_http_payments_look(r);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_payments_limit(r, PAY_STR(""));
    if (rc != NGX_OK) {
        return ngx_http_payments_problem(r, rc == NGX_BUSY ? "quota-exceeded"
                                                           : "overloaded",
                                         NULL, NULL);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (buyer_target(r, kind, &what, &handle) != NGX_OK
        || find_cell(r, handle) != NGX_OK)
    {
        return ngx_http_payments_problem(r, "not-found", NULL, NULL);
    }

    flow = ngx_http_payments_new_flow(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (start_flow(r, ngx_payments_flow_core(flow), what, handle) != NGX_OK) {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_start(r, flow);
}


/* By the letter alone: whether the handle is of that cell is for its database
 * to say.  NGX_DECLINED: no cell has it. */
static ngx_int_t
find_cell(ngx_http_request_t *r, pay_str_t handle)
{
    u_char                          letter;
    ngx_uint_t                      i;
    ngx_payments_cell_t           **cells;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);
    cells = pmcf->cells.elts;
    letter = (u_char) pay_handle_letter(handle);

    for (i = 0; i < pmcf->cells.nelts; i++) {
        if (cells[i]->letter == letter) {
            ngx_http_payments_get_ctx(r)->cell = i;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
start_flow(ngx_http_request_t *r, pay_flow_t *core, pay_buyer_t what,
    pay_str_t handle)
{
    pay_str_t           copy;
    pay_status_t        status;
    pay_risk_browser_t  browser;

    if (pay_dup(core->arena, handle, &copy) != PAY_OK) {
        return NGX_ERROR;
    }

    if (what != PAY_BUYER_CHECKOUT || core->env->risk == NULL) {
        status = pay_flow_buyer(core, what, copy);

    } else if (see_browser(r, core, &browser) == NGX_OK) {
        status = pay_flow_buyer_seen(core, copy, &browser);

    } else {
        return NGX_ERROR;
    }

    return status == PAY_OK ? NGX_OK : NGX_ERROR;
}


/* The address is the connection's, which realip may have set: no header field
 * is read for it.  A cookie that is none of ours is not used and not sent
 * back; a new one takes its place. */
static ngx_int_t
see_browser(ngx_http_request_t *r, pay_flow_t *core,
    pay_risk_browser_t *browser)
{
    u_char            entropy[PAY_HANDLE_BYTES];
    char              fresh[PAY_HANDLE_MAX];
    pay_str_t         cookie, agent = PAY_STR("");
    ngx_uint_t        count;
    ngx_table_elt_t  *header;

    header = ngx_http_payments_find_header(r, "Cookie", &count);
    browser->is_new = count != 1
                      || !pay_risk_cookie_find(ngx_payments_str(header->value),
                                               &cookie);

    if (browser->is_new) {
        if (ngx_payments_random(entropy, PAY_HANDLE_BYTES) != NGX_OK) {
            return NGX_ERROR;
        }

        cookie.len = pay_handle(entropy, 0, fresh);
        cookie.data = (u_char *) fresh;
    }

    if (r->headers_in.user_agent != NULL) {
        agent = ngx_payments_str(r->headers_in.user_agent->value);
        agent.len = ngx_min(agent.len, PAY_RISK_AGENT_MAX + 1);
    }

    return pay_dup(core->arena, cookie, &browser->cookie) == PAY_OK
           && pay_dup(core->arena, agent, &browser->user_agent) == PAY_OK
           && pay_dup(core->arena,
                      ngx_payments_str(r->connection->addr_text),
                      &browser->address) == PAY_OK
           ? NGX_OK : NGX_ERROR;
}


/* <prefix><handle> or, for the checkout, <prefix><handle>/status */
static ngx_int_t
buyer_target(ngx_http_request_t *r, ngx_uint_t kind, pay_buyer_t *what,
    pay_str_t *handle)
{
    pay_str_t                      path;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    /* a rewrite may have made it shorter than the location's name */
    if (r->uri.len < plcf->prefix.len) {
        return NGX_DECLINED;
    }

    path.data = r->uri.data + plcf->prefix.len;
    path.len = r->uri.len - plcf->prefix.len;

    handle->data = path.data;

    for (handle->len = 0; handle->len < path.len
                          && path.data[handle->len] != '/'; handle->len++)
    {
        /* void */
    }

    if (!pay_handle_is_valid(*handle)) {
        return NGX_DECLINED;
    }

    path.data += handle->len;
    path.len -= handle->len;

    if (path.len == 0) {
        *what = kind == NGX_HTTP_PAYMENTS_RETURN ? PAY_BUYER_RETURN
                                                 : PAY_BUYER_CHECKOUT;
        return NGX_OK;
    }

    *what = PAY_BUYER_STATUS;

    return kind == NGX_HTTP_PAYMENTS_CHECKOUT && pay_str_is(path, "/status")
           ? NGX_OK : NGX_DECLINED;
}
