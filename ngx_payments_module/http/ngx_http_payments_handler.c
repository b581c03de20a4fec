/*
 * The content handler of every payments location: dispatch by kind, and the
 * things that all kinds need from a request - its context, its body within
 * limits, its headers, the URL that the outside sees.
 */

#include "http/ngx_http_payments_page.h"
#include "pay_url.h"


#define HEADERS_MAX  64
#define BODY_FIRST   1024
#define BODY_SHORT   4096


static ngx_uint_t too_many_headers(ngx_http_request_t *r);
static ngx_uint_t is_short(ngx_http_request_t *r);
static void body_read(ngx_http_request_t *r);
static ngx_int_t body_take(ngx_http_request_t *r,
    ngx_http_payments_ctx_t *ctx);
static ngx_uint_t body_stays(ngx_http_request_t *r,
    const ngx_http_payments_ctx_t *ctx, const ngx_chain_t *cl);
static ngx_int_t body_room(ngx_http_request_t *r,
    ngx_http_payments_ctx_t *ctx, size_t need);
static void body_timed_out(ngx_event_t *ev);
static void drop_timer(void *data);
static ngx_int_t live(ngx_http_request_t *r);
static ngx_int_t request_id(u_char *text);


ngx_int_t
ngx_http_payments_handler(ngx_http_request_t *r)
{
    ngx_http_payments_loc_conf_t  *plcf;

    if (ngx_http_payments_get_ctx(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method == NGX_HTTP_UNKNOWN) {
        return ngx_http_payments_problem(r, "not-implemented", NULL, NULL);
    }

    if (too_many_headers(r)) {
        return ngx_http_payments_problem(r, "header-fields-too-large", NULL,
                                         NULL);
    }

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    switch (plcf->kind) {

    case NGX_HTTP_PAYMENTS_API:
        return ngx_http_payments_api(r);

    case NGX_HTTP_PAYMENTS_WEBHOOK:
        return ngx_http_payments_webhook(r);

    case NGX_HTTP_PAYMENTS_CHECKOUT:
    case NGX_HTTP_PAYMENTS_RETURN:
        return ngx_http_payments_buyer(r, plcf->kind);

    case NGX_HTTP_PAYMENTS_METRICS:
        return ngx_http_payments_metrics(r);

    case NGX_HTTP_PAYMENTS_READY:
        return ngx_http_payments_ready(r);

    case NGX_HTTP_PAYMENTS_PROBLEMS:
        return ngx_http_payments_problems(r);

    case NGX_HTTP_PAYMENTS_LIVE:
        return live(r);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


ngx_http_payments_ctx_t *
ngx_http_payments_get_ctx(ngx_http_request_t *r)
{
    ngx_http_payments_ctx_t  *ctx;

    r = r->main;

    ctx = ngx_http_get_module_ctx(r, ngx_http_payments_module);
    if (ctx != NULL) {
        return ctx;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_payments_ctx_t));
    if (ctx == NULL || request_id(ctx->request_id) != NGX_OK) {
        return NULL;
    }

    ctx->request = r;
    ngx_http_set_ctx(r, ctx, ngx_http_payments_module);

    return ctx;
}


ngx_int_t
ngx_http_payments_read_body(ngx_http_request_t *r,
    void (*handler)(ngx_http_request_t *r, pay_str_t body))
{
    ngx_int_t                      rc;
    ngx_http_cleanup_t            *cln;
    ngx_http_payments_ctx_t       *ctx;
    ngx_http_payments_loc_conf_t  *plcf;

    if (r->headers_in.content_length_n == -1 && !r->headers_in.chunked) {
        return ngx_http_payments_problem(r, "length-required", NULL, NULL);
    }

    ctx = ngx_http_payments_get_ctx(r);
    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = drop_timer;
    cln->data = ctx;

    /* client_body_timeout is between two reads: this one is for all of it */
    ctx->body_handler = handler;
    ctx->body_timer.handler = body_timed_out;
    ctx->body_timer.data = r;
    ctx->body_timer.log = r->connection->log;
    ngx_add_timer(&ctx->body_timer, plcf->body_timeout);

    r->request_body_no_buffering = !is_short(r);

    rc = ngx_http_read_client_request_body(r, body_read);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        drop_timer(ctx);
        return rc;
    }

    return NGX_DONE;
}


/* An unbuffered body of HTTP/2 costs nginx 64 kB (http2_body_preread_size),
 * however short; buffered, one of known length costs that, and a short one
 * comes near no file. */
static ngx_uint_t
is_short(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return r->stream != NULL && !r->request_body_in_file_only
           && r->headers_in.content_length_n >= 0
           && r->headers_in.content_length_n <= BODY_SHORT
           && (size_t) r->headers_in.content_length_n
              <= clcf->client_body_buffer_size;
#else
    return 0;
#endif
}


ngx_int_t
ngx_http_payments_base_url(ngx_http_request_t *r, pay_str_t *url)
{
    u_char                         *p;
    ngx_str_t                       scheme, host;
    pay_url_t                       parsed;
    ngx_http_core_srv_conf_t       *cscf;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    if (pmcf->public_url.len != 0) {
        *url = ngx_payments_str(pmcf->public_url);
        return NGX_OK;
    }

    ngx_str_set(&scheme, "http");

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        ngx_str_set(&scheme, "https");
    }
#endif

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    host = r->headers_in.host != NULL ? r->headers_in.host->value
                                      : cscf->server_name;

    if (host.len == 0) {
        ngx_str_set(&host, "localhost");
    }

    p = ngx_pnalloc(r->pool, scheme.len + 3 + host.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    url->data = p;
    url->len = ngx_sprintf(p, "%V://%V", &scheme, &host) - p;

    if (pay_url_parse(*url, &parsed, NULL) != PAY_OK || parsed.path.len != 0
        || parsed.query.len != 0 || parsed.fragment.len != 0)
    {
        *url = PAY_STR("https://localhost");
    }

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_payments_find_header(ngx_http_request_t *r, const char *name,
    ngx_uint_t *count)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header, *found;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;
    header = part->elts;
    found = NULL;
    *count = 0;

    for (i = 0; /* void */ ; i++) {
        if (i >= part->nelts) {
            if (part->next == NULL) {
                return found;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].hash != 0 && header[i].key.len == len
            && ngx_strncasecmp(header[i].key.data, (u_char *) name, len) == 0)
        {
            found = found == NULL ? &header[i] : found;
            (*count)++;
        }
    }
}


static ngx_uint_t
too_many_headers(ngx_http_request_t *r)
{
    ngx_uint_t        n;
    ngx_list_part_t  *part;

    n = 0;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        n += part->nelts;
    }

    return n > HEADERS_MAX;
}


/* Takes what has come and asks for more until all is here.  Unbuffered (but
 * where that is no matter), so that no framing, however long, makes nginx
 * write the body to a file. */
static void
body_read(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(r);

    /* an error page may take the context away: then nothing comes here */
    r->read_event_handler = ngx_http_block_reading;

    for ( ;; ) {
        rc = body_take(r, ctx);

        if (rc != NGX_OK) {
            drop_timer(ctx);
            ngx_http_finalize_request(r, rc);
            return;
        }

        if (!r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            drop_timer(ctx);
            ngx_http_finalize_request(r, rc);
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            r->read_event_handler = body_read;
            return;
        }
    }

    drop_timer(ctx);
    ctx->body_handler(r, ngx_payments_str(ctx->body));
}


/* Moves what nginx has read into the context; NGX_OK or a status. */
static ngx_int_t
body_take(ngx_http_request_t *r, ngx_http_payments_ctx_t *ctx)
{
    size_t                         len;
    ngx_buf_t                     *b;
    ngx_chain_t                   *cl;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    for (cl = r->request_body->bufs; cl != NULL; cl = cl->next) {
        b = cl->buf;
        len = b->last - b->pos;

        if (len == 0) {
            continue;                   /* the end's own buffer has no bytes */
        }

        if (len > plcf->max_body - ctx->body.len) {
            return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }

        if (body_stays(r, ctx, cl)) {
            ctx->body.data = b->pos;
            ctx->body.len = len;
            break;
        }

        if (body_room(r, ctx, ctx->body.len + len) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(ctx->body.data + ctx->body.len, b->pos, len);
        ctx->body.len += len;
        b->pos = b->last;
    }

    r->request_body->bufs = NULL;

    return NGX_OK;
}


/* A short body that nginx has read in one piece is not copied. */
static ngx_uint_t
body_stays(ngx_http_request_t *r, const ngx_http_payments_ctx_t *ctx,
    const ngx_chain_t *cl)
{
    const ngx_buf_t  *b = cl->buf;

    return !r->request_body_no_buffering && ctx->body.data == NULL
           && b->last - b->pos == r->headers_in.content_length_n;
}


static ngx_int_t
body_room(ngx_http_request_t *r, ngx_http_payments_ctx_t *ctx, size_t need)
{
    u_char  *p;
    size_t   size;

    if (ctx->body.data != NULL && need <= ctx->body_size) {
        return NGX_OK;
    }

    size = ctx->body_size ? ctx->body_size : BODY_FIRST;

    if (r->headers_in.content_length_n > (off_t) size) {
        size = (size_t) r->headers_in.content_length_n;
    }

    while (size < need) {
        size *= 2;
    }

    p = ngx_palloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (ctx->body.len != 0) {
        ngx_memcpy(p, ctx->body.data, ctx->body.len);
        (void) ngx_pfree(r->pool, ctx->body.data);
    }

    ctx->body.data = p;
    ctx->body_size = size;

    return NGX_OK;
}


static void
body_timed_out(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r = ev->data;

    c = r->connection;
    c->timedout = 1;

#if (NGX_HTTP_V2)
    if (r->stream) {
        r->stream->skip_data = 1;
    }
#endif

    ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
    ngx_http_run_posted_requests(c);
}


static void
drop_timer(void *data)
{
    ngx_http_payments_ctx_t  *ctx = data;

    if (ctx->body_timer.timer_set) {
        ngx_del_timer(&ctx->body_timer);
    }
}


static ngx_int_t
live(ngx_http_request_t *r)
{
    ngx_str_t  type = ngx_string("application/json");
    ngx_str_t  body = ngx_string("{\"status\":\"live\"}");

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, "GET, HEAD, OPTIONS");
    }

    return ngx_http_payments_send(r, NGX_HTTP_OK, &type, &body);
}


static ngx_int_t
request_id(u_char *text)
{
    u_char       entropy[PAY_UUID_ENTROPY];
    ngx_time_t  *tp;

    if (ngx_payments_random(entropy, sizeof(entropy)) != NGX_OK) {
        return NGX_ERROR;
    }

    tp = ngx_timeofday();
    pay_uuid7((uint64_t) tp->sec * 1000 + tp->msec, entropy, (char *) text);

    return NGX_OK;
}
