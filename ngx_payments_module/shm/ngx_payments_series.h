/*
 * Series that several parts of /metrics write.
 */

#ifndef NGX_PAYMENTS_SERIES_H
#define NGX_PAYMENTS_SERIES_H

#include "shm/ngx_payments_zone.h"


/* The buckets, sum and count of one label value; nothing while it is empty.
 * `seen`: an exemplar for each bucket, or NULL. */
void ngx_payments_histogram_write(pay_buf_t *buf, const char *name,
    const char *label, pay_str_t value, const ngx_payments_histogram_t *h,
    const ngx_payments_exemplar_t *seen);
/* A series for each word; the table ends with NULL. */
void ngx_payments_words_write(pay_buf_t *buf, const char *name,
    const char *label, const char *const *table, const ngx_atomic_t *counts);


#endif /* NGX_PAYMENTS_SERIES_H */
