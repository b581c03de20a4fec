/*
 * Shared by the files that read configuration blocks.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_H
#define NGX_HTTP_PAYMENTS_CONF_H

#include "util/ngx_http_payments.h"


typedef char *(*word_pt)(ngx_conf_t *cf, void *object);

/* What a value is.  The first ones are numbers, or words that stand for
 * them. */
typedef enum {
    NGX_PAYMENTS_WORD = 0,      /* one of `names` */
    NGX_PAYMENTS_NUMBER,
    NGX_PAYMENTS_MSEC,          /* a time, kept and bounded in ms */
    NGX_PAYMENTS_SEC,           /* a time, kept and bounded in s */
    NGX_PAYMENTS_SIZE,          /* bytes */
    NGX_PAYMENTS_RATE,          /* 100r/s or 30r/m, in requests per 1000 s */
    NGX_PAYMENTS_PERCENT,       /* 50% is 50 */
    NGX_PAYMENTS_PPM,           /* 1.4% is 14000 */
    NGX_PAYMENTS_NUMBERS,       /* how many kinds of number there are */

    NGX_PAYMENTS_OFF,           /* stands alone, stores 0 */
    NGX_PAYMENTS_ON,            /* of a block: takes no argument, stores 1 */
    NGX_PAYMENTS_TEXT,          /* any, as a slice */
    NGX_PAYMENTS_PLAIN,         /* 1 to `max` visible ASCII characters */
    NGX_PAYMENTS_HOSTS          /* of a block: all arguments, as an array */
} ngx_http_payments_value_e;

/* A word of a line.  `name` is NAME= with a value behind it, "" for a word
 * that has its place (the first rows, in the order of the line), or NULL
 * behind the last row, whose function, if any, takes all other words. */
typedef struct {
    const char                 *name;
    ngx_http_payments_value_e   kind;
    int64_t                     min;
    int64_t                     max;
    int64_t                     init;    /* the default */
    size_t                      offset;  /* of the field in the object … */
    size_t                      size;    /* … and its size: 4 or 8 bytes */
    const ngx_conf_enum_t      *names;   /* words that stand for numbers */
    const char                 *must;    /* "must be …"; NULL: the kind's */

    /* Instead of a kind: NGX_CONF_OK, NGX_CONF_ERROR when it is logged, or
     * what is wrong, to stand behind the word. */
    char                     *(*set)(ngx_conf_t *cf, ngx_str_t *text,
                                     void *object);
} ngx_http_payments_option_t;

/* A directive that has only such words: the `post` of its command, whose
 * `offset` is that of the object. */
typedef struct {
    const ngx_http_payments_option_t  *options;
    /* of all words, or NULL; bit i of `given` is row i */
    char                            *(*check)(ngx_conf_t *cf, void *object,
                                              ngx_uint_t given);
} ngx_http_payments_line_t;

/* The field of a row. */
#define NGX_PAYMENTS_FIELD(type, member)                                      \
    .offset = offsetof(type, member), .size = sizeof(((type *) 0)->member)

#define NGX_PAYMENTS_RATE_MAX  1000000

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

/* NGX_CONF_OK, and the line's place is noted, or "is duplicate" when the
 * line's first word has stood in `owner` before. */
char *ngx_http_payments_once(ngx_conf_t *cf, const void *owner);

/* ngx_http_payments_conf_block.c.  Reads "{ … }", handing each line's words
 * (cf->args) to its word's setter together with `object`. */
char *ngx_http_payments_parse_block(ngx_conf_t *cf, const word_t *words,
    const char *name, void *object);

/* Adds the line's arguments, host or host:port, to *hosts (pay_str_t). */
char *ngx_http_payments_add_hosts(ngx_conf_t *cf, ngx_array_t **hosts);

/* ngx_http_payments_conf_option.c.  The setter of a directive that is a
 * ngx_http_payments_line_t and stands once. */
char *ngx_http_payments_set_line(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* Reads the line's words from the one of that number on into *object; refuses
 * what is unknown, out of bounds or named twice.  Returns what a setter
 * returns, and in *given a bit for each row that was there. */
char *ngx_http_payments_options(ngx_conf_t *cf,
    const ngx_http_payments_option_t *options, ngx_uint_t from, void *object,
    ngx_uint_t *given);
/* Reads one value.  NGX_CONF_OK, NGX_CONF_ERROR when it is logged, or what is
 * wrong with it. */
char *ngx_http_payments_set_value(ngx_conf_t *cf,
    const ngx_http_payments_option_t *option, ngx_str_t *text, void *object);
/* Stores the default of each row that is a number. */
void ngx_http_payments_defaults(const ngx_http_payments_option_t *options,
    void *object);
/* The value of a word NAME=VALUE (`name` ends with "="); NGX_DECLINED: it is
 * another word. */
ngx_int_t ngx_http_payments_option(ngx_str_t *word, const char *name,
    ngx_str_t *value);

/* The words "on" and "off". */
extern const ngx_conf_enum_t  ngx_http_payments_on_off[];

/* The directives that are tables of words, each in the file of its noun. */
extern ngx_http_payments_line_t  ngx_http_payments_audit_line;
extern ngx_http_payments_line_t  ngx_http_payments_bulkhead_line;
extern ngx_http_payments_line_t  ngx_http_payments_database_line;
extern ngx_http_payments_line_t  ngx_http_payments_idempotency_line;
extern ngx_http_payments_line_t  ngx_http_payments_jobs_line;
extern ngx_http_payments_line_t  ngx_http_payments_late_success_line;
extern ngx_http_payments_line_t  ngx_http_payments_public_url_line;
extern ngx_http_payments_line_t  ngx_http_payments_quote_line;
extern ngx_http_payments_line_t  ngx_http_payments_rate_limit_line;
extern ngx_http_payments_line_t  ngx_http_payments_score_line;
extern ngx_http_payments_line_t  ngx_http_payments_stage_timeout_line;
extern ngx_http_payments_line_t  ngx_http_payments_watchdog_line;
extern ngx_http_payments_line_t  ngx_http_payments_webhook_bodies_line;

/* ngx_http_payments_conf_route.c: the word route, and its names when all
 * blocks are read (core->psps is filled) */
char *ngx_http_payments_merchant_route(ngx_conf_t *cf, void *object);
char *ngx_http_payments_resolve_routes(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_merchant_t *merchant,
    pay_merchant_t *core);
/* Refuses a PSP that has no hosted page; NULL: there is no such block. */
char *ngx_http_payments_check_target(ngx_conf_t *cf,
    ngx_payments_merchant_t *merchant, ngx_str_t *name,
    const pay_psp_conf_t *psp);

/* ngx_http_payments_conf_health.c: breaker and cost, and the defaults of the
 * words that routes go by */
char *ngx_http_payments_psp_breaker(ngx_conf_t *cf, void *object);
char *ngx_http_payments_psp_cost(ngx_conf_t *cf, void *object);
void ngx_http_payments_health_defaults(ngx_http_payments_main_conf_t *pmcf);

/* ngx_http_payments_conf_retry.c: retry, and the defaults of retry, backfill
 * and last_look */
char *ngx_http_payments_psp_retry(ngx_conf_t *cf, void *object);
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
char *ngx_http_payments_webhook_url(ngx_conf_t *cf, void *object);
/* At the block's end: what its scheme needs is there, and nothing else. */
char *ngx_http_payments_webhook_check(ngx_conf_t *cf, ngx_payments_psp_t *psp);
/* At the end of the http block: the default of webhook_url. */
char *ngx_http_payments_webhook_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_psp_t *psp);


#endif /* NGX_HTTP_PAYMENTS_CONF_H */
