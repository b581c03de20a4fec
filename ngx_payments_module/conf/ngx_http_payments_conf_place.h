/*
 * Where the words of the configuration stand.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_PLACE_H
#define NGX_HTTP_PAYMENTS_CONF_PLACE_H

#include "util/ngx_payments_conf_types.h"


/* A ngx_conf_t whose errors name another line. */
typedef struct {
    ngx_conf_t       cf;
    ngx_conf_file_t  file;
} ngx_http_payments_at_t;


/* Keeps where the word that is being read stands: `word` of `owner`, a block's
 * object or the main configuration; "" is the block's own line.  The word must
 * live as long as cf->temp_pool, in which the place lies. */
ngx_int_t ngx_http_payments_note(ngx_conf_t *cf, const void *owner,
    const char *word);
/* cf, as if it were reading the line where `word` of `owner` stands for the
 * time n (0 is the first), else the line of the block; cf itself when neither
 * was noted.  Good while *at and *cf are. */
ngx_conf_t *ngx_http_payments_at(ngx_http_payments_at_t *at, ngx_conf_t *cf,
    const void *owner, const char *word, ngx_uint_t n);
/* Refuses `word` and says which of `words` (NULL behind the last) was
 * meant; words that take a value end with "=".  Returns NGX_CONF_ERROR. */
char *ngx_http_payments_unknown(ngx_conf_t *cf, const char *what,
    ngx_str_t *word, const char *const *words);

/* Behind the last of the checks: cf->temp_pool is about to end. */
void ngx_http_payments_places_forget(ngx_http_payments_main_conf_t *pmcf);

/* NGX_CONF_OK, and the line's place is noted, or "is duplicate" when the
 * line's first word has stood in `owner` before. */
char *ngx_http_payments_once(ngx_conf_t *cf, const void *owner);


#endif /* NGX_HTTP_PAYMENTS_CONF_PLACE_H */
