/*
 * The words of a line as rows of a table.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_OPTION_H
#define NGX_HTTP_PAYMENTS_CONF_OPTION_H

#include "util/ngx_payments.h"


/* The kinds of values.  The first ones are numbers, or words that stand for
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


/* The setter of a directive that is a ngx_http_payments_line_t and stands
 * once. */
char *ngx_http_payments_set_line(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* Reads the line's words from the one of that number on into *object; refuses
 * what is unknown, out of bounds or named twice.  Returns the code of a
 * setter, and in *given a bit for each row that was there. */
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


#endif /* NGX_HTTP_PAYMENTS_CONF_OPTION_H */
