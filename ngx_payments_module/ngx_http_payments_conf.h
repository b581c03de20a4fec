/*
 * Shared by the files that read configuration blocks.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_H
#define NGX_HTTP_PAYMENTS_CONF_H

#include "ngx_http_payments.h"


typedef char *(*word_pt)(ngx_conf_t *cf, void *object);

/* A word of a block: its name, how many arguments, who takes them. */
typedef struct {
    const char  *name;
    ngx_uint_t   min;
    ngx_uint_t   max;
    word_pt      set;
} word_t;


/* Reads "{ … }", handing each line's words (cf->args) to its word's setter
 * together with `object`. */
char *ngx_http_payments_parse_block(ngx_conf_t *cf, const word_t *words,
    const char *name, void *object);

/* Adds the line's arguments, host or host:port, to *hosts (pay_str_t). */
char *ngx_http_payments_add_hosts(ngx_conf_t *cf, ngx_array_t **hosts);


#endif /* NGX_HTTP_PAYMENTS_CONF_H */
