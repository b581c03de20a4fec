/*
 * Downloads of settlement reports.
 */

#ifndef NGX_PAYMENTS_FETCH_H
#define NGX_PAYMENTS_FETCH_H

#include "run/ngx_payments_flow_state.h"

#include <openssl/evp.h>


typedef struct ngx_payments_fetch_s  ngx_payments_fetch_t;

/* Lies in its caller's memory until `done`, which is called once and never from
 * inside.  fd and digest are the caller's to close and to free. */
struct ngx_payments_fetch_s {
    ngx_fd_t     fd;           /* a file without a name: the body so far … */
    EVP_MD_CTX  *digest;       /* … and its SHA-256, begun by the caller */
    off_t        size;
    ngx_uint_t   is_full;      /* it could not be written */
    void       (*done)(ngx_payments_fetch_t *fetch,
                       const pay_http_answer_t *answer);
    void        *data;
};


/* A file without a name, in the directory where workers keep bodies of
 * requests.  NGX_INVALID_FILE: there is none, and error.log says why. */
ngx_fd_t ngx_payments_fetch_file(void);
/* Downloads into the flow's http.  NGX_OK: under way; NGX_BUSY, NGX_ERROR:
 * nothing was sent, and `done` will not be called. */
ngx_int_t ngx_payments_fetch(ngx_payments_fetch_t *fetch,
    ngx_payments_flow_t *flow, const ngx_payments_settlement_t *settlement,
    const pay_http_request_t *request);


#endif /* NGX_PAYMENTS_FETCH_H */
