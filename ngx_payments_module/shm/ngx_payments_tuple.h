/*
 * Series whose label values are names, such as merchants and keys: a bounded
 * set of slots of the zone, which are found by these names.
 */

#ifndef NGX_PAYMENTS_TUPLE_H
#define NGX_PAYMENTS_TUPLE_H

#include "shm/ngx_payments_zone.h"


/* The slot of these label values, made where there is none; NULL: there is no
 * zone, all slots are taken, or the values are too long or empty.  A slot is
 * never given back, so that no series vanishes. */
ngx_payments_tuple_t *ngx_payments_tuple(ngx_payments_tuple_t **slots,
    ngx_uint_t size, const pay_str_t values[NGX_PAYMENTS_TUPLE_VALUES]);

/* The n-th label value of a slot; empty: it has fewer. */
pay_str_t ngx_payments_tuple_value(const ngx_payments_tuple_t *slot,
    ngx_uint_t n);


#endif /* NGX_PAYMENTS_TUPLE_H */
