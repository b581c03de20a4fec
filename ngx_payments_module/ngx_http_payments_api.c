/*
 * The storefront's API: routes, and for each request the checks that come
 * before a flow may start.
 */

#include "ngx_http_payments.h"
#include "pay_idempotency.h"
#include "pay_pan.h"
#include "pay_url.h"


typedef struct {
    const char   *head;                /* below the location's prefix */
    const char   *tail;                /* behind the id; NULL: no id */
    ngx_uint_t    method;
    const char   *allow;
    unsigned      scope;
    pay_read_t    read;                /* of a GET */
} route_t;


static const route_t *find_route(ngx_http_request_t *r, pay_str_t *id);
static ngx_uint_t route_fits(const route_t *route, pay_str_t path,
    pay_str_t *id);
static ngx_int_t check_caller(ngx_http_request_t *r, const route_t *route,
    const pay_merchant_t **merchant, pay_err_t *err);
static ngx_int_t check_quota(ngx_http_request_t *r, pay_str_t merchant,
    pay_err_t *err);
static ngx_int_t start_read(ngx_http_request_t *r, const route_t *route,
    const pay_merchant_t *merchant, pay_str_t id);
static ngx_int_t check_media(ngx_http_request_t *r, pay_err_t *err);
static ngx_uint_t is_json(ngx_str_t *type);
static ngx_int_t check_key(ngx_http_request_t *r, pay_err_t *err);
static ngx_int_t refuse_without_key(ngx_http_request_t *r, pay_err_t *err);
static void create_body(ngx_http_request_t *r, pay_str_t body);
static ngx_int_t create_start(ngx_http_request_t *r, pay_str_t body,
    ngx_payments_flow_t *flow);
static ngx_int_t fill_input(ngx_http_request_t *r, ngx_payments_flow_t *flow,
    pay_str_t body, pay_create_input_t *in, pay_err_t *err);
static ngx_int_t fill_ids(pay_arena_t *arena, pay_create_input_t *in);
static ngx_int_t choose_psp(const pay_merchant_t *merchant, pay_str_t name,
    const pay_psp_t **psp);
static ngx_int_t fresh_uuid(pay_arena_t *arena, pay_str_t *uuid);


static const route_t  routes[] = {
    { "payments", NULL, NGX_HTTP_POST, "POST, OPTIONS",
      PAY_SCOPE_PAYMENTS_WRITE, 0 },
    { "payments/", "", NGX_HTTP_GET, "GET, HEAD, OPTIONS",
      PAY_SCOPE_PAYMENTS_READ, PAY_READ_PAYMENT },
    { "payments/", "/events", NGX_HTTP_GET, "GET, HEAD, OPTIONS",
      PAY_SCOPE_PAYMENTS_READ, PAY_READ_EVENTS },
    { "payments/", "/explain", NGX_HTTP_GET, "GET, HEAD, OPTIONS",
      PAY_SCOPE_PAYMENTS_READ, PAY_READ_EXPLAIN },
    { "checkouts/", "", NGX_HTTP_GET, "GET, HEAD, OPTIONS",
      PAY_SCOPE_PAYMENTS_READ, PAY_READ_CHECKOUT },
    { NULL, NULL, 0, NULL, 0, 0 }
};


ngx_int_t
ngx_http_payments_api(ngx_http_request_t *r)
{
    pay_str_t              id;
    pay_err_t              err;
    ngx_uint_t             methods;
    const route_t         *route;
    const pay_merchant_t  *merchant;

    route = find_route(r, &id);

    if (route == NULL) {
        return ngx_http_payments_problem(r, "not-found", NULL, NULL);
    }

    methods = route->method == NGX_HTTP_GET ? NGX_HTTP_GET|NGX_HTTP_HEAD
                                            : route->method;
    if (!(r->method & methods)) {
        return ngx_http_payments_method_not_allowed(r, route->allow);
    }

    if (check_caller(r, route, &merchant, &err) != NGX_OK) {
        return ngx_http_payments_problem(r, err.slug, err.detail, NULL);
    }

    if (route->method == NGX_HTTP_GET) {
        return start_read(r, route, merchant, id);
    }

    if (check_key(r, &err) != NGX_OK || check_media(r, &err) != NGX_OK) {
        return ngx_http_payments_problem(r, err.slug, err.detail, NULL);
    }

    return ngx_http_payments_read_body(r, create_body);
}


ngx_int_t
ngx_http_payments_refuse(pay_err_t *err, const char *slug, const char *detail)
{
    (void) pay_refuse(err, slug, detail);

    return NGX_DECLINED;
}


/* The address' quota before the token is looked at, the merchant's after. */
static ngx_int_t
check_caller(ngx_http_request_t *r, const route_t *route,
    const pay_merchant_t **merchant, pay_err_t *err)
{
    if (check_quota(r, PAY_STR(""), err) != NGX_OK
        || ngx_http_payments_authenticate(r, route->scope, merchant, err)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return check_quota(r, (*merchant)->id, err);
}


static const route_t *
find_route(ngx_http_request_t *r, pay_str_t *id)
{
    pay_str_t                      path;
    const route_t                 *route;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    if (r->uri.len < plcf->prefix.len) {
        return NULL;
    }

    path.data = r->uri.data + plcf->prefix.len;
    path.len = r->uri.len - plcf->prefix.len;

    for (route = routes; route->head != NULL; route++) {
        if (route_fits(route, path, id)) {
            return route;
        }
    }

    return NULL;
}


static ngx_uint_t
route_fits(const route_t *route, pay_str_t path, pay_str_t *id)
{
    size_t  head, tail;

    head = ngx_strlen(route->head);

    if (route->tail == NULL) {
        return pay_str_is(path, route->head);
    }

    tail = ngx_strlen(route->tail);

    if (path.len <= head + tail
        || ngx_strncmp(path.data, route->head, head) != 0
        || ngx_strncmp(path.data + path.len - tail, route->tail, tail) != 0)
    {
        return 0;
    }

    id->data = path.data + head;
    id->len = path.len - head - tail;

    return ngx_strlchr((u_char *) id->data, (u_char *) id->data + id->len,
                       '/') == NULL;
}


static ngx_int_t
check_quota(ngx_http_request_t *r, pay_str_t merchant, pay_err_t *err)
{
    switch (ngx_http_payments_limit(r, merchant)) {

    case NGX_OK:
        return NGX_OK;

    case NGX_BUSY:
        return ngx_http_payments_refuse(err, "quota-exceeded", NULL);

    default:
        return ngx_http_payments_refuse(err, "overloaded", NULL);
    }
}


static ngx_int_t
start_read(ngx_http_request_t *r, const route_t *route,
    const pay_merchant_t *merchant, pay_str_t id)
{
    ngx_int_t                 rc;
    pay_flow_t               *core;
    pay_str_t                 copy;
    ngx_payments_flow_t      *flow;
    ngx_http_payments_ctx_t  *ctx;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_payments_get_ctx(r);
    flow = ngx_payments_flow_create(ngx_http_get_module_main_conf(r,
                                    ngx_http_payments_module));
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    core = ngx_payments_flow_core(flow);

    if (pay_dup(core->arena, id, &copy) != PAY_OK
        || pay_dup(core->arena, (pay_str_t) { PAY_UUID_TEXT, ctx->request_id },
                   &core->request_id) != PAY_OK
        || pay_flow_read(core, route->read, merchant->id, copy) != PAY_OK)
    {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_payments_flow_start(flow, r);
}


/* H4-H6: JSON in UTF-8, unencoded, or 415 with what would be accepted. */
static ngx_int_t
check_media(ngx_http_request_t *r, pay_err_t *err)
{
    ngx_str_t         json = ngx_string("application/json");
    ngx_str_t         identity = ngx_string("identity");
    ngx_uint_t        count;
    const char       *slug = "unsupported-media-type";
    ngx_table_elt_t  *encoding, *type;

    encoding = ngx_http_payments_find_header(r, "Content-Encoding", &count);

    if (encoding != NULL
        && (count != 1 || encoding->value.len != identity.len
            || ngx_strncasecmp(encoding->value.data, identity.data,
                               identity.len) != 0))
    {
        if (ngx_http_payments_add_header(r, "Accept-Encoding", identity)
            != NGX_OK)
        {
            slug = "internal-error";
        }

        return ngx_http_payments_refuse(err, slug, NULL);
    }

    type = ngx_http_payments_find_header(r, "Content-Type", &count);

    if (count > 1) {
        return ngx_http_payments_refuse(err, "malformed-request",
                                        "send Content-Type once");
    }

    if (type != NULL && is_json(&type->value)) {
        return NGX_OK;
    }

    if (ngx_http_payments_add_header(r, "Accept", json) != NGX_OK
        || ngx_http_payments_add_header(r, "Accept-Post", json) != NGX_OK)
    {
        slug = "internal-error";
    }

    return ngx_http_payments_refuse(err, slug, NULL);
}


/* application/json, alone or with charset=utf-8 */
static ngx_uint_t
is_json(ngx_str_t *type)
{
    u_char  *p, *last;
    size_t   len = sizeof("application/json") - 1;

    if (type->len < len
        || ngx_strncasecmp(type->data, (u_char *) "application/json", len)
           != 0)
    {
        return 0;
    }

    p = type->data + len;
    last = type->data + type->len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (p == last) {
        return 1;
    }

    if (*p++ != ';') {
        return 0;
    }

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    len = last - p;

    return (len == 13 && ngx_strncasecmp(p, (u_char *) "charset=utf-8", 13)
                         == 0)
           || (len == 15 && ngx_strncasecmp(p, (u_char *) "charset=\"utf-8\"",
                                            15) == 0);
}


static ngx_int_t
check_key(ngx_http_request_t *r, pay_err_t *err)
{
    ngx_uint_t                count;
    ngx_table_elt_t          *header;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(r);
    header = ngx_http_payments_find_header(r, "Idempotency-Key", &count);

    if (header == NULL) {
        return refuse_without_key(r, err);
    }

    if (count != 1) {
        return ngx_http_payments_refuse(err, "idempotency-key-invalid",
                                        "send the field once");
    }

    if (pay_pan_found(ngx_payments_str(header->value))) {
        return ngx_http_payments_refuse(err, "card-data-not-accepted",
                                        "the Idempotency-Key looks like a "
                                        "card number");
    }

    return pay_idempotency_key_parse(ngx_payments_str(header->value),
                                     &ctx->key, err) == PAY_OK
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
refuse_without_key(ngx_http_request_t *r, pay_err_t *err)
{
    pay_str_t  url;
    ngx_str_t  link;

    if (ngx_http_payments_base_url(r, &url) != NGX_OK) {
        return ngx_http_payments_refuse(err, "internal-error", NULL);
    }

    link.data = ngx_pnalloc(r->pool, url.len + 96);
    if (link.data == NULL) {
        return ngx_http_payments_refuse(err, "internal-error", NULL);
    }

    link.len = ngx_sprintf(link.data, "<%V/problems/idempotency-key-missing>; "
                           "rel=\"describedby\"", &ngx_payments_nstr(url))
               - link.data;

    if (ngx_http_payments_add_header(r, "Link", link) != NGX_OK) {
        return ngx_http_payments_refuse(err, "internal-error", NULL);
    }

    return ngx_http_payments_refuse(err, "idempotency-key-missing", NULL);
}


static void
create_body(ngx_http_request_t *r, pay_str_t body)
{
    ngx_int_t             rc;
    ngx_payments_flow_t  *flow;

    flow = ngx_payments_flow_create(ngx_http_get_module_main_conf(r,
                                    ngx_http_payments_module));

    rc = flow == NULL ? NGX_HTTP_INTERNAL_SERVER_ERROR
                      : create_start(r, body, flow);

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
create_start(ngx_http_request_t *r, pay_str_t body, ngx_payments_flow_t *flow)
{
    ngx_int_t            rc;
    pay_err_t            err;
    pay_create_input_t   in;

    ngx_memzero(&in, sizeof(pay_create_input_t));

    rc = fill_input(r, flow, body, &in, &err);

    if (rc == NGX_OK
        && pay_flow_create(ngx_payments_flow_core(flow), &in) == PAY_OK)
    {
        return ngx_payments_flow_start(flow, r);
    }

    ngx_payments_flow_discard(flow);

    if (rc == NGX_DECLINED) {
        return ngx_http_payments_problem(r, err.slug, err.detail, err.pointer);
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* NGX_OK; NGX_DECLINED with *err; NGX_ERROR.  All memory is the flow's. */
static ngx_int_t
fill_input(ngx_http_request_t *r, ngx_payments_flow_t *flow, pay_str_t body,
    pay_create_input_t *in, pay_err_t *err)
{
    u_char                        *digest;
    pay_arena_t                   *arena;
    pay_status_t                   status;
    pay_str_t                      url;
    ngx_http_payments_ctx_t       *ctx;
    ngx_http_payments_loc_conf_t  *plcf;

    ctx = ngx_http_payments_get_ctx(r);
    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    arena = ngx_payments_flow_core(flow)->arena;

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

    if (status == PAY_OK) {
        status = pay_return_url_check(arena, in->request->return_url,
                                      in->merchant->return_hosts,
                                      in->merchant->return_host_count, &url,
                                      err);
        in->request->return_url = url;

        if (status == PAY_INVALID) {
            status = pay_refuse_at(err, "return-url-not-allowed",
                                   "return_url must be https to one of the "
                                   "merchant's registered hosts",
                                   "/return_url");
        }
    }

    if (status == PAY_OK && choose_psp(in->merchant, in->request->psp,
                                       &in->psp) != NGX_OK)
    {
        status = pay_refuse_at(err, "validation-error",
                               "the merchant has no such PSP", "/psp");
    }

    if (status != PAY_OK) {
        return status == PAY_INVALID ? NGX_DECLINED : NGX_ERROR;
    }

    if (pay_idempotency_fingerprint(PAY_STR("POST"), PAY_STR("/v1/payments"),
                                    in->merchant->id, body, digest) != PAY_OK
        || pay_dup(arena, ctx->key, &in->idempotency_key) != PAY_OK
        || pay_dup(arena, (pay_str_t) { PAY_UUID_TEXT, ctx->request_id },
                   &ngx_payments_flow_core(flow)->request_id) != PAY_OK
        || ngx_http_payments_base_url(r, &url) != NGX_OK
        || pay_dup(arena, url, &in->base_url) != PAY_OK)
    {
        return NGX_ERROR;
    }

    in->fingerprint.data = digest;
    in->fingerprint.len = PAY_SHA256_SIZE;

    return fill_ids(arena, in);
}


static ngx_int_t
fill_ids(pay_arena_t *arena, pay_create_input_t *in)
{
    char      *handle;
    u_char     entropy[PAY_HANDLE_BYTES];
    unsigned   i;

    handle = pay_alloc(arena, PAY_HANDLE_TEXT);

    if (handle == NULL
        || ngx_payments_random(entropy, sizeof(entropy)) != NGX_OK
        || fresh_uuid(arena, &in->checkout_uuid) != NGX_OK)
    {
        return NGX_ERROR;
    }

    pay_handle(entropy, handle);
    in->handle.data = (u_char *) handle;
    in->handle.len = PAY_HANDLE_TEXT;

    for (i = 0; i < in->request->order_count; i++) {
        if (in->request->orders[i].id.len == 0
            && fresh_uuid(arena, &in->request->orders[i].id) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
choose_psp(const pay_merchant_t *merchant, pay_str_t name,
    const pay_psp_t **psp)
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


static ngx_int_t
fresh_uuid(pay_arena_t *arena, pay_str_t *uuid)
{
    char        *text;
    u_char       entropy[PAY_UUID_ENTROPY];
    ngx_time_t  *tp;

    text = pay_alloc(arena, PAY_UUID_TEXT);

    if (text == NULL
        || ngx_payments_random(entropy, sizeof(entropy)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    tp = ngx_timeofday();
    pay_uuid7((uint64_t) tp->sec * 1000 + tp->msec, entropy, text);

    uuid->data = (u_char *) text;
    uuid->len = PAY_UUID_TEXT;

    return NGX_OK;
}
