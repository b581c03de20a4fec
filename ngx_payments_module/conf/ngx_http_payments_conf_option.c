/*
 * Reads the words of a line by a table with one row for each word: what its
 * value is, between which bounds, what it is by default, and where it goes.
 * A value of no common kind has a function in its row.
 *
 * How a line is read:
 *
 *     words ─▶ a word twice? ─▶ its row: by place, by NAME=, or the last one
 *       ─▶ set(), or: a word of names[], else parse ─▶ bounds ─▶ store
 *       ─▶ check() of the whole line
 *
 * Each refusal names the word, its kind and its bounds, so that the file can
 * be mended without the manual.
 */

#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "pay_status.h"
#include "pay_str.h"


#define MUST_SIZE    256
#define OPTIONS_MAX  16


/* A kind of number: how it is read, what it is called, how a bound looks. */
typedef struct {
    ngx_int_t  (*parse)(ngx_str_t *text);
    const char  *what;
    u_char    *(*bound)(u_char *p, u_char *last, int64_t n);
} kind_t;


static const ngx_http_payments_option_t *find(
    const ngx_http_payments_option_t *options, ngx_str_t *word, ngx_uint_t n,
    ngx_str_t *text);
static char *refuse_value(ngx_conf_t *cf,
    const ngx_http_payments_option_t *option, ngx_str_t *word,
    const char *why);
static char *refuse_word(ngx_conf_t *cf,
    const ngx_http_payments_option_t *options, ngx_str_t *word);
static char *check_words(ngx_conf_t *cf, ngx_uint_t from);
static ngx_int_t parse(const ngx_http_payments_option_t *option,
    ngx_str_t *text);
static void store(const ngx_http_payments_option_t *option, void *base,
    int64_t n);
static char *must(ngx_conf_t *cf, const ngx_http_payments_option_t *option);
static u_char *must_be_one_of(u_char *p, u_char *last,
    const ngx_conf_enum_t *names, ngx_uint_t more);
static ngx_int_t parse_number(ngx_str_t *text);
static ngx_int_t parse_msec(ngx_str_t *text);
static ngx_int_t parse_sec(ngx_str_t *text);
static ngx_int_t parse_size(ngx_str_t *text);
static ngx_int_t parse_rate(ngx_str_t *text);
static ngx_int_t parse_percent(ngx_str_t *text);
static ngx_int_t parse_ppm(ngx_str_t *text);
static u_char *bound_number(u_char *p, u_char *last, int64_t n);
static u_char *bound_msec(u_char *p, u_char *last, int64_t ms);
static u_char *bound_sec(u_char *p, u_char *last, int64_t s);
static u_char *bound_size(u_char *p, u_char *last, int64_t n);
static u_char *bound_percent(u_char *p, u_char *last, int64_t n);


const ngx_conf_enum_t  ngx_http_payments_on_off[] = {
    { ngx_string("on"), 1 },
    { ngx_string("off"), 0 },
    { ngx_null_string, 0 }
};

static const kind_t  kinds[] = {
    [NGX_PAYMENTS_WORD] = { NULL, NULL, NULL },
    [NGX_PAYMENTS_NUMBER] = { parse_number, "a number", bound_number },
    [NGX_PAYMENTS_MSEC] = { parse_msec, "a time", bound_msec },
    [NGX_PAYMENTS_SEC] = { parse_sec, "a time", bound_sec },
    [NGX_PAYMENTS_SIZE] = { parse_size, "a size", bound_size },
    [NGX_PAYMENTS_RATE] = { parse_rate, "a rate such as 100r/s or 30r/m",
                            NULL },
    [NGX_PAYMENTS_PERCENT] = { parse_percent, "a share", bound_percent },
    [NGX_PAYMENTS_PPM] = { parse_ppm, "a share from 0% to 100% with at most "
                                      "4 decimals, for example 1.4%", NULL }
};
PAY_ROWS(kinds, NGX_PAYMENTS_NUMBERS);

_Static_assert(sizeof(pay_str_t) == sizeof(ngx_str_t)
               && offsetof(pay_str_t, data) == offsetof(ngx_str_t, data),
               "a text may go to either kind of slice");


/* A second line is refused, as the last would silently win; nginx' own setters
 * do the same. */
char *
ngx_http_payments_set_line(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                      *rv;
    void                      *base = (u_char *) conf + cmd->offset;
    ngx_uint_t                 given;
    ngx_http_payments_line_t  *line = cmd->post;

    rv = ngx_http_payments_once(cf, conf);

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_payments_options(cf, line->options, 1, base, &given);
    }

    if (rv == NGX_CONF_OK && line->check != NULL) {
        rv = line->check(cf, base, given);
    }

    return rv;
}


/* The order of words is free, but for the first rows without a name.  "off"
 * stands alone: beside other words it would contradict them. */
char *
ngx_http_payments_options(ngx_conf_t *cf,
    const ngx_http_payments_option_t *options, ngx_uint_t from, void *base,
    ngx_uint_t *given)
{
    char                              *rv;
    ngx_str_t                         *value = cf->args->elts, text;
    ngx_uint_t                         i, n = cf->args->nelts - from;
    const ngx_http_payments_option_t  *option;

    *given = 0;

    if (check_words(cf, from) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        option = find(options, &value[from + i], i, &text);

        if (option == NULL || (option->kind == NGX_PAYMENTS_OFF && n != 1)) {
            return refuse_word(cf, options, &value[from + i]);
        }

        rv = ngx_http_payments_set_value(cf, option, &text, base);
        if (rv != NGX_CONF_OK) {
            return refuse_value(cf, option, &value[from + i], rv);
        }

        *given |= (ngx_uint_t) 1 << (option - options);
    }

    return NGX_CONF_OK;
}


/* The words of a block use it, too; they have no "=". */
char *
ngx_http_payments_set_value(ngx_conf_t *cf,
    const ngx_http_payments_option_t *option, ngx_str_t *text, void *base)
{
    void       *field = (u_char *) base + option->offset;
    ngx_int_t   n;

    if (option->set != NULL) {
        return option->set(cf, text, base);
    }

    switch (option->kind) {

    case NGX_PAYMENTS_OFF:
        store(option, base, 0);
        return NGX_CONF_OK;

    case NGX_PAYMENTS_ON:
        store(option, base, 1);
        return NGX_CONF_OK;

    case NGX_PAYMENTS_HOSTS:
        return ngx_http_payments_add_hosts(cf, field);

    case NGX_PAYMENTS_PLAIN:
        if (!ngx_http_payments_is_plain(text, (size_t) option->max)) {
            return must(cf, option);
        }

    /* fall through */

    case NGX_PAYMENTS_TEXT:
        ngx_memcpy(field, text, sizeof(ngx_str_t));
        return NGX_CONF_OK;

    default:
        n = parse(option, text);
        if (n == NGX_ERROR) {
            return must(cf, option);
        }

        store(option, base, n);
        return NGX_CONF_OK;
    }
}


/* Texts and rows with a function have no default here: zero is theirs. */
void
ngx_http_payments_defaults(const ngx_http_payments_option_t *options,
    void *base)
{
    for ( /* void */ ; options->name != NULL; options++) {
        if (options->kind < NGX_PAYMENTS_NUMBERS && options->set == NULL) {
            store(options, base, options->init);
        }
    }
}


/* A word "NAME=" without a value is no such word, and so is refused. */
ngx_int_t
ngx_http_payments_option(ngx_str_t *word, const char *name,
    ngx_str_t *value)
{
    size_t  len = ngx_strlen(name);

    if (word->len <= len || ngx_strncmp(word->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    value->data = word->data + len;
    value->len = word->len - len;

    return NGX_OK;
}


/* The row of the n-th word; the last row, which has no name, takes words that
 * no other takes when it has a function. */
static const ngx_http_payments_option_t *
find(const ngx_http_payments_option_t *options, ngx_str_t *word, ngx_uint_t n,
    ngx_str_t *text)
{
    const ngx_http_payments_option_t  *option;

    for (option = options; option->name != NULL; option++) {
        *text = *word;

        if (option->kind == NGX_PAYMENTS_OFF || option->name[0] == '\0') {
            if (option->name[0] == '\0' ? (ngx_uint_t) (option - options) == n
                : ngx_strcmp(word->data, option->name) == 0)
            {
                return option;
            }

        } else if (ngx_http_payments_option(word, option->name, text)
                   == NGX_OK)
        {
            return option;
        }
    }

    *text = *word;

    return option->set != NULL ? option : NULL;
}


/* `why` stands behind the word, so it begins with a verb: must, needs, has. */
static char *
refuse_value(ngx_conf_t *cf, const ngx_http_payments_option_t *option,
    ngx_str_t *word, const char *why)
{
    ngx_str_t  *value = cf->args->elts;

    /* a value that a function refuses without its name may hold a secret */
    if (why == NGX_CONF_ERROR || option->name == NULL
        || (option->name[0] == '\0' && option->set != NULL))
    {
        return (char *) why;
    }

    if (option->name[0] == '\0') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V \"%V\" %s", &value[0],
                           word, why);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %s", word, why);
    }

    return NGX_CONF_ERROR;
}


/* Names of the table go to the message, so a mistyped word is found by its
 * neighbours. */
static char *
refuse_word(ngx_conf_t *cf, const ngx_http_payments_option_t *options,
    ngx_str_t *word)
{
    ngx_str_t   *value = cf->args->elts;
    ngx_uint_t   n;
    const char  *names[OPTIONS_MAX + 1];

    for (n = 0; n < OPTIONS_MAX && options->name != NULL; options++) {
        if (options->name[0] != '\0') {
            names[n++] = options->name;
        }
    }

    names[n] = NULL;

    return ngx_http_payments_unknown(cf, (char *) value[0].data, word, names);
}


/* A word that occurs twice is refused: the last would silently win. */
static char *
check_words(ngx_conf_t *cf, ngx_uint_t from)
{
    u_char      *equals;
    ngx_str_t   *value = cf->args->elts, name;
    ngx_uint_t   i, j;

    for (i = from; i < cf->args->nelts; i++) {
        equals = ngx_strlchr(value[i].data, value[i].data + value[i].len,
                             '=');
        if (equals == NULL) {
            continue;
        }

        name.data = value[i].data;
        name.len = equals + 1 - name.data;

        for (j = i + 1; j < cf->args->nelts; j++) {
            if (value[j].len < name.len
                || ngx_strncmp(value[j].data, name.data, name.len) != 0)
            {
                continue;
            }

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" stands twice in one line of \"%V\": "
                               "keep one", &name, &value[0]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* Words come first: "off" is no number. */
static ngx_int_t
parse(const ngx_http_payments_option_t *option, ngx_str_t *text)
{
    ngx_int_t               n;
    const ngx_conf_enum_t  *name;

    for (name = option->names; name != NULL && name->name.len != 0; name++) {
        if (name->name.len == text->len
            && ngx_memcmp(name->name.data, text->data, text->len) == 0)
        {
            return (ngx_int_t) name->value;
        }
    }

    if (kinds[option->kind].parse == NULL) {
        return NGX_ERROR;
    }

    n = kinds[option->kind].parse(text);

    return n >= option->min && n <= option->max ? n : NGX_ERROR;
}


/* The core counts in unsigned, nginx and times in 64 bits. */
static void
store(const ngx_http_payments_option_t *option, void *base, int64_t n)
{
    u_char    *field = (u_char *) base + option->offset;
    uint32_t   small = (uint32_t) n;

    if (option->size == sizeof(small)) {
        ngx_memcpy(field, &small, sizeof(small));

    } else {
        ngx_memcpy(field, &n, sizeof(n));
    }
}


/* Lives as long as the configuration is read. */
static char *
must(ngx_conf_t *cf, const ngx_http_payments_option_t *option)
{
    u_char        *text, *p, *last;
    const kind_t  *kind;

    if (option->must != NULL) {
        return (char *) option->must;
    }

    text = ngx_pnalloc(cf->temp_pool, MUST_SIZE);
    if (text == NULL) {
        return NGX_CONF_ERROR;
    }

    last = text + MUST_SIZE - 1;
    p = ngx_slprintf(text, last, "must be ");

    if (option->kind == NGX_PAYMENTS_PLAIN) {
        *ngx_slprintf(p, last, "1 to %L visible ASCII characters",
                      option->max) = '\0';
        return (char *) text;
    }

    kind = &kinds[option->kind];
    p = must_be_one_of(p, last, option->names, kind->what != NULL);
    p = ngx_slprintf(p, last, "%s", kind->what != NULL ? kind->what : "");

    if (kind->bound != NULL) {
        p = kind->bound(ngx_slprintf(p, last, " from "), last, option->min);
        p = kind->bound(ngx_slprintf(p, last, " to "), last, option->max);
    }

    *p = '\0';

    return (char *) text;
}


/* "live or test"; with more behind it "off or ". */
static u_char *
must_be_one_of(u_char *p, u_char *last, const ngx_conf_enum_t *names,
    ngx_uint_t more)
{
    for ( /* void */ ; names != NULL && names->name.len != 0; names++) {
        p = ngx_slprintf(p, last, "%V%s", &names->name,
                         names[1].name.len == 0 ? (more ? " or " : "")
                         : names[2].name.len == 0 && !more ? " or " : ", ");
    }

    return p;
}


/* ngx_atoi() knows no sign, so no negative number passes. */
static ngx_int_t
parse_number(ngx_str_t *text)
{
    return ngx_atoi(text->data, text->len);
}


static ngx_int_t
parse_msec(ngx_str_t *text)
{
    return ngx_parse_time(text, 0);
}


static ngx_int_t
parse_sec(ngx_str_t *text)
{
    return ngx_parse_time(text, 1);
}


static ngx_int_t
parse_size(ngx_str_t *text)
{
    return ngx_parse_size(text);
}


/* In requests per 1000 s. */
static ngx_int_t
parse_rate(ngx_str_t *text)
{
    size_t      len = text->len;
    ngx_int_t   n;
    ngx_uint_t  scale = 0;

    if (len > 3 && ngx_strncmp(text->data + len - 3, "r/s", 3) == 0) {
        scale = 1;

    } else if (len > 3 && ngx_strncmp(text->data + len - 3, "r/m", 3) == 0) {
        scale = 60;
    }

    n = scale != 0 ? ngx_atoi(text->data, len - 3) : NGX_ERROR;

    return n > 0 && n <= NGX_PAYMENTS_RATE_MAX ? n * 1000 / (ngx_int_t) scale
                                               : NGX_ERROR;
}


static ngx_int_t
parse_percent(ngx_str_t *text)
{
    return text->data[text->len - 1] == '%'
           ? ngx_atoi(text->data, text->len - 1) : NGX_ERROR;
}


/* 1.4% is 14000 ppm; the last digit before the sign keeps "." and "1.%" out,
 * which ngx_atofp() takes. */
static ngx_int_t
parse_ppm(ngx_str_t *text)
{
    size_t   len = text->len - 1;
    u_char  *p = text->data;

    return len > 0 && p[len] == '%' && p[0] != '.' && p[len - 1] != '.'
           ? ngx_atofp(p, len, 4) : NGX_ERROR;
}


static u_char *
bound_number(u_char *p, u_char *last, int64_t n)
{
    return ngx_slprintf(p, last, "%L", n);
}


/* A bound is shown as an operator would write it: 500ms, 2s, 10m. */
static u_char *
bound_msec(u_char *p, u_char *last, int64_t ms)
{
    return ms % 1000 != 0 ? ngx_slprintf(p, last, "%Lms", ms)
                          : bound_sec(p, last, ms / 1000);
}


/* A single day is 24h. */
static u_char *
bound_sec(u_char *p, u_char *last, int64_t s)
{
    return s % 86400 == 0 && s > 86400
           ? ngx_slprintf(p, last, "%Ld", s / 86400)
           : s % 3600 == 0 ? ngx_slprintf(p, last, "%Lh", s / 3600)
           : s % 60 == 0 ? ngx_slprintf(p, last, "%Lm", s / 60)
                         : ngx_slprintf(p, last, "%Ls", s);
}


static u_char *
bound_size(u_char *p, u_char *last, int64_t n)
{
    return n % 1024 == 0 ? ngx_slprintf(p, last, "%Lk", n / 1024)
                         : bound_number(p, last, n);
}


static u_char *
bound_percent(u_char *p, u_char *last, int64_t n)
{
    return ngx_slprintf(p, last, "%L%%", n);
}
