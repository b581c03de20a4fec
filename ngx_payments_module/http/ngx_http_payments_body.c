/*
 * The body of a request, within its limits of size and time, as one slice.
 */

#include "http/ngx_http_payments_body.h"
#include "http/ngx_http_payments_reply.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"


#define BODY_FIRST  1024
#define BODY_SHORT  4096


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


/* NGX_DONE: the handler ends the request, which nginx holds meanwhile.
 * Without a length and not chunked there is no body to wait for (H7). */
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

        if (len > plcf->body_limit - ctx->body.len) {
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


/* Grown by doubling, or to Content-Length at once; that number is at most
 * body_limit, which nginx has compared before. */
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

    if (ctx->body.data != NULL) {
        ngx_memcpy(p, ctx->body.data, ctx->body.len);
        (void) ngx_pfree(r->pool, ctx->body.data);
    }

    ctx->body.data = p;
    ctx->body_size = size;

    return NGX_OK;
}


/* The posted requests are run here, as no nginx handler is on the stack that
 * would do it. */
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


/* Also the request's cleanup: a timer must not outlive the request that it
 * points to. */
static void
drop_timer(void *data)
{
    ngx_http_payments_ctx_t  *ctx = data;

    if (ctx->body_timer.timer_set) {
        ngx_del_timer(&ctx->body_timer);
    }
}
