/*
 * Shared by the files that read configuration blocks.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_H
#define NGX_HTTP_PAYMENTS_CONF_H

#include "util/ngx_http_payments.h"


typedef char *(*word_pt)(ngx_conf_t *cf, void *object);

/* A word of a block: its name, how many arguments, who takes them. */
typedef struct {
    const char  *name;
    ngx_uint_t   min;
    ngx_uint_t   max;
    word_pt      set;
} word_t;


/* A ngx_conf_t whose errors name another line. */
typedef struct {
    ngx_conf_t       cf;
    ngx_conf_file_t  file;
} ngx_http_payments_at_t;


/* ngx_http_payments_conf_place.c.  Keeps where the word that is being read
 * stands: `word` of `owner`, a block's object or the main configuration; ""
 * is the block's own line.  The word must live as long as cf->pool. */
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

/* Reads "{ … }", handing each line's words (cf->args) to its word's setter
 * together with `object`. */
char *ngx_http_payments_parse_block(ngx_conf_t *cf, const word_t *words,
    const char *name, void *object);

/* Refuses the line when one of its words NAME=VALUE, from the one of that
 * number on, names what another has named: the last would silently win. */
char *ngx_http_payments_check_words(ngx_conf_t *cf, ngx_uint_t from);

/* Adds the line's arguments, host or host:port, to *hosts (pay_str_t). */
char *ngx_http_payments_add_hosts(ngx_conf_t *cf, ngx_array_t **hosts);

/* ngx_http_payments_conf.c.  The value of a word NAME=VALUE (`name` ends with
 * "="); NGX_DECLINED: it is another word. */
ngx_int_t ngx_http_payments_option(ngx_str_t *word, const char *name,
    ngx_str_t *value);
/* The same for a number; NGX_ERROR: out of bounds, logged. */
ngx_int_t ngx_http_payments_number(ngx_conf_t *cf, ngx_str_t *word,
    const char *name, ngx_uint_t min, ngx_uint_t max, ngx_uint_t *number);
/* The same for a rate, 100r/s or 30r/m, in requests per 1000 s. */
ngx_int_t ngx_http_payments_rate(ngx_conf_t *cf, ngx_str_t *word,
    const char *name, ngx_uint_t *rate);
/* The same for a time from 10ms to 10m. */
ngx_int_t ngx_http_payments_msec(ngx_conf_t *cf, ngx_str_t *word,
    const char *name, ngx_msec_t *msec);

/* ngx_http_payments_conf_route.c: the word route, and its names when all
 * blocks are read (core->psps is filled) */
char *ngx_http_payments_merchant_route(ngx_conf_t *cf, void *object);
char *ngx_http_payments_resolve_routes(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_merchant_t *merchant,
    pay_merchant_t *core);
/* Refuses a PSP that has no hosted page; NULL: there is no such block. */
char *ngx_http_payments_check_target(ngx_conf_t *cf,
    ngx_payments_merchant_t *merchant, ngx_str_t *name, const pay_psp_t *psp);

/* ngx_http_payments_conf_health.c: breaker, cost and concurrency, and what
 * they are where nothing is said */
char *ngx_http_payments_psp_breaker(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_cost(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_most(ngx_conf_t *cf, void *object);
void ngx_http_payments_health_defaults(ngx_http_payments_main_conf_t *pmcf);

/* ngx_http_payments_conf_retry.c: retry, backfill and last_look, and what they
 * and the http block's lines are where nothing is said */
char *ngx_http_payments_psp_retry(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_backfill(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_last_look(ngx_conf_t *cf, void *object);
/* At the block's end. */
char *ngx_http_payments_retry_check(ngx_conf_t *cf, ngx_payments_psp_t *psp);
void ngx_http_payments_retry_defaults(ngx_http_payments_main_conf_t *pmcf);
/* Refuses a merchant whose late payments could not be paid back. */
char *ngx_http_payments_late_check(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, const pay_merchant_t *merchant);

/* 1 for 1 to `max` visible ASCII characters. */
ngx_uint_t ngx_http_payments_is_plain(ngx_str_t *text, size_t max);

/* ngx_http_payments_conf_tls.c: pinned_public_key, ca_file, proxy */
char *ngx_http_payments_psp_pins(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_ca(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_proxy(ngx_conf_t *cf, void *object);
/* 0 when TLS 1.2 is on and none of its ciphers fits a certificate of the
 * server; 1 also for a server without TLS. */
ngx_uint_t ngx_http_payments_ciphers_fit(ngx_http_core_srv_conf_t *server);
/* Makes the name a full one; the file must hold certificates in PEM. */
char *ngx_http_payments_check_ca(ngx_conf_t *cf, ngx_str_t *path);

/* ngx_http_payments_conf_cert.c: webhook_cert_path and webhook_cert_rate, and
 * what they are where nothing is said */
char *ngx_http_payments_cert_path(ngx_conf_t *cf, void *object);
char *ngx_http_payments_cert_rate(ngx_conf_t *cf, void *object);
void ngx_http_payments_cert_defaults(ngx_payments_psp_t *psp);

/* ngx_http_payments_conf_webhook.c: the words webhook_… */
char *ngx_http_payments_webhook_scheme(ngx_conf_t *cf, void *object);
char *ngx_http_payments_webhook_keys(ngx_conf_t *cf, void *object);
char *ngx_http_payments_webhook_tolerance(ngx_conf_t *cf, void *object);
char *ngx_http_payments_webhook_url(ngx_conf_t *cf, void *object);
char *ngx_http_payments_webhook_public_key(ngx_conf_t *cf, void *object);
char *ngx_http_payments_webhook_id(ngx_conf_t *cf, void *object);
char *ngx_http_payments_webhook_ca(ngx_conf_t *cf, void *object);
char *ngx_http_payments_webhook_hosts(ngx_conf_t *cf, void *object);
/* At the block's end: what its scheme needs is there, and nothing else. */
char *ngx_http_payments_webhook_check(ngx_conf_t *cf, ngx_payments_psp_t *psp);
/* At the end of the http block: the default of webhook_url. */
char *ngx_http_payments_webhook_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_psp_t *psp);

/* ngx_http_payments_conf_bodies.c: payments_webhook_bodies, and what it is
 * where nothing is said */
char *ngx_http_payments_bodies(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_payments_bodies_defaults(ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_CONF_H */
