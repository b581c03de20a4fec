/*
 * The words of a block as rows of a table.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_BLOCK_H
#define NGX_HTTP_PAYMENTS_CONF_BLOCK_H

#include "conf/ngx_http_payments_conf_option.h"


typedef char *(*word_pt)(ngx_conf_t *cf, void *object);

/* A word of a block: its name, from how many to how many arguments, whether
 * it may stand in several lines, and who takes them; without a function it
 * has one argument, which `value` tells of. */
typedef struct {
    const char                 *name;
    ngx_uint_t                  min;
    ngx_uint_t                  max;
    ngx_uint_t                  often;
    word_pt                     set;
    ngx_http_payments_option_t  value;
} word_t;

#define ONCE        0
#define OFTEN       1
#define VALUE_NONE  { .name = NULL }


/* Reads "{ … }", handing each line's words (cf->args) to its word's setter
 * together with `object`. */
char *ngx_http_payments_parse_block(ngx_conf_t *cf, const word_t *words,
    const char *name, void *object);


#endif /* NGX_HTTP_PAYMENTS_CONF_BLOCK_H */
