/*
 * Access tokens of PSPs and pay-out providers with an auth_request, one for
 * each of them and each worker, renewed before they end.
 */

#ifndef NGX_PAYMENTS_OAUTH_H
#define NGX_PAYMENTS_OAUTH_H

#include "util/ngx_payments_conf_types.h"


typedef struct ngx_payments_oauth_wait_s  ngx_payments_oauth_wait_t;
struct ngx_payments_oauth_wait_s {
    ngx_queue_t   queue;
    ngx_msec_t    deadline;                      /* in ngx_current_msec */
    void        (*ready)(ngx_payments_oauth_wait_t *wait, ngx_uint_t ok);
    void         *data;
};
/* 1: calls to it need an access token. */
ngx_uint_t ngx_payments_oauth_is_wanted(const ngx_payments_psp_t *psp);
/* NGX_OK: *field is the Authorization to send, in `pool`; NGX_AGAIN: `ready`
 * will be called once, never from inside, with 1 when there is a token now;
 * NGX_BUSY: too many wait; NGX_DECLINED: the PSP gives none, ask again later;
 * NGX_ERROR: no memory. */
ngx_int_t ngx_payments_oauth_get(const ngx_payments_psp_t *psp,
    ngx_pool_t *pool, pay_str_t *field, ngx_payments_oauth_wait_t *wait);
/* The PSP answered 401 to that field: the next call asks for a new token. */
void ngx_payments_oauth_forget(const ngx_payments_psp_t *psp, pay_str_t field);
void ngx_payments_oauth_stop(void);


#endif /* NGX_PAYMENTS_OAUTH_H */
