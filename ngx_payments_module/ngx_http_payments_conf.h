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

/* Refuses the line when one of its words NAME=VALUE, from the one of that
 * number on, names what another has named: the last would silently win. */
char *ngx_http_payments_check_words(ngx_conf_t *cf, ngx_uint_t from);

/* Adds the line's arguments, host or host:port, to *hosts (pay_str_t). */
char *ngx_http_payments_add_hosts(ngx_conf_t *cf, ngx_array_t **hosts);

/* ngx_http_payments_conf_tls.c: pinned_public_key and ca_file */
char *ngx_http_payments_psp_pins(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_ca(ngx_conf_t *cf, void *object);


#endif /* NGX_HTTP_PAYMENTS_CONF_H */
