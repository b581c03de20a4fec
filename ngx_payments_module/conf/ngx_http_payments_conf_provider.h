/*
 * Parts of the blocks payments_payout, payments_screening and
 * payments_risk_provider: a name, a client of the transport, and of the former
 * two a merchant whose accounts are opened.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_PROVIDER_H
#define NGX_HTTP_PAYMENTS_CONF_PROVIDER_H

#include "util/ngx_payments_conf_types.h"


/* A kind of blocks.  Its objects begin with a ngx_payments_psp_t and are kept
 * in an array of pointers. */
typedef struct {
    const char  *block;        /* the directive */
    const char  *label;        /* before the name in circuits and metrics */
    size_t       name_len;     /* at most: a label in the zone holds 64 bytes,
                                  with "label/" before it */
    ngx_uint_t   count;        /* at most */
    const char  *used;         /* "at most 8 are asked" */
    ngx_uint_t   index;        /* of the first client */
    size_t       size;         /* of an object */
    size_t       name;         /* offset of its name, a pay_str_t */
} ngx_http_payments_provider_kind_t;


/* A new object at the end of `all`, zeroed but for its name and client; NULL:
 * refused, and said why. */
void *ngx_http_payments_provider_add(ngx_conf_t *cf,
    const ngx_http_payments_provider_kind_t *kind, ngx_array_t *all,
    ngx_str_t *name);
/* When the block is whole: defaults of words that it lacks, and whether its
 * base_url may be called. */
char *ngx_http_payments_provider_check(ngx_conf_t *cf,
    ngx_payments_psp_t *client, ngx_msec_t *interval_ms);
/* When all of it is right: the name of its client is the one in circuits and
 * metrics from here on. */
char *ngx_http_payments_provider_label(ngx_conf_t *cf,
    const ngx_http_payments_provider_kind_t *kind, void *object);
/* When all is read: that the merchant is there, and the keyring. */
char *ngx_http_payments_provider_resolve(ngx_conf_t *cf,
    const ngx_http_payments_provider_kind_t *kind, void *object,
    ngx_http_payments_main_conf_t *pmcf, pay_str_t merchant);
/* The time for which a call is claimed. */
int64_t ngx_http_payments_provider_lease_ms(const ngx_payments_psp_t *client);

/* Logs: payments_payout "NAME" why.  Returns NGX_CONF_ERROR. */
char *ngx_http_payments_provider_refuse(ngx_conf_t *cf,
    const ngx_http_payments_provider_kind_t *kind, void *object,
    const char *why);


#endif /* NGX_HTTP_PAYMENTS_CONF_PROVIDER_H */
