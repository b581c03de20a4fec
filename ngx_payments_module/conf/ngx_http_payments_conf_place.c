/*
 * The place of each word of the configuration, so that an error that is found
 * when all is read is reported at its line; and the refusal of words that do
 * not exist.
 */

#include "conf/ngx_http_payments_conf_place.h"
#include "util/ngx_payments_conf_types.h"
#include "pay_near.h"


/* `owner` is a pointer that is only compared: a block's object, a location's
 * or the main configuration.  `file` is nginx' text and lives as long as the
 * cycle. */
typedef struct {
    const void  *owner;
    ngx_str_t    word;
    ngx_str_t    file;
    ngx_uint_t   line;
} place_t;


#define LIST_SIZE  768


static u_char *list_words(u_char *p, u_char *last,
    const char *const *words);


/* All places are in one array of a few hundred at most. */
ngx_int_t
ngx_http_payments_note(ngx_conf_t *cf, const void *owner, const char *word)
{
    place_t                        *place;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);

    if (pmcf->places == NULL) {
        pmcf->places = ngx_array_create(cf->pool, 32, sizeof(place_t));
        if (pmcf->places == NULL) {
            return NGX_ERROR;
        }
    }

    place = ngx_array_push(pmcf->places);
    if (place == NULL) {
        return NGX_ERROR;
    }

    place->owner = owner;
    place->word = ngx_payments_nstr(pay_str_of(word));
    place->file = cf->conf_file->file.name;
    place->line = cf->conf_file->line;

    return NGX_OK;
}


/* Noting the place of a word also shows that it was there before. */
char *
ngx_http_payments_once(ngx_conf_t *cf, const void *owner)
{
    place_t                        *place;
    ngx_str_t                      *word = cf->args->elts;
    ngx_uint_t                      i;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);
    place = pmcf->places != NULL ? pmcf->places->elts : NULL;

    for (i = 0; place != NULL && i < pmcf->places->nelts; i++) {
        if (place[i].owner == owner
            && pay_str_eq(ngx_payments_str(place[i].word),
                          ngx_payments_str(*word)))
        {
            return "is duplicate";
        }
    }

    return ngx_http_payments_note(cf, owner, (char *) word->data) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* nginx adds "in FILE:LINE" to a message by cf->conf_file, which at the end of
 * the http block stands at its closing brace; the copy stands where the
 * mistake is. */
ngx_conf_t *
ngx_http_payments_at(ngx_http_payments_at_t *at, ngx_conf_t *cf,
    const void *owner, const char *word, ngx_uint_t n)
{
    place_t                        *place, *found = NULL;
    ngx_uint_t                      i;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);
    place = pmcf->places != NULL ? pmcf->places->elts : NULL;

    for (i = 0; place != NULL && i < pmcf->places->nelts; i++) {
        if (place[i].owner != owner) {
            continue;
        }

        if (pay_str_is(ngx_payments_str(place[i].word), word)) {
            found = &place[i];

            if (n-- == 0) {
                break;
            }

        } else if (found == NULL && place[i].word.len == 0) {
            found = &place[i];          /* the block's own line */
        }
    }

    if (found == NULL) {
        return cf;
    }

    at->cf = *cf;
    at->file = *cf->conf_file;
    at->file.file.name = found->file;
    at->file.line = found->line;
    at->cf.conf_file = &at->file;

    return &at->cf;
}


/* The nearest word stands in front, as the list may be cut. */
char *
ngx_http_payments_unknown(ngx_conf_t *cf, const char *what, ngx_str_t *word,
    const char *const *words)
{
    u_char       text[LIST_SIZE], *equals, *p;
    pay_str_t    name = ngx_payments_str(*word);
    const char  *near;

    equals = ngx_strlchr(word->data, word->data + word->len, '=');

    if (equals != NULL) {
        name.len = equals + 1 - word->data;
    }

    p = list_words(text, text + sizeof(text), words);
    near = pay_near(name, words);

    /* the word itself is near when only its value or its place is wrong */
    if (near != NULL && !pay_str_is(name, near)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s does not know \"%V\", did you mean %s? It "
                           "takes %*s", what, word, near,
                           (size_t) (p - text), text);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s does not know \"%V\": it takes %*s", what,
                           word, (size_t) (p - text), text);
    }

    return NGX_CONF_ERROR;
}


/* "a, b and c"; "off, or a, b and c". */
static u_char *
list_words(u_char *p, u_char *last, const char *const *words)
{
    ngx_uint_t  i, off;

    off = ngx_strcmp(words[0], "off") == 0;

    for (i = 0; words[i] != NULL; i++) {
        p = ngx_slprintf(p, last, "%s%s", i == 0 ? ""
                         : i == 1 && off ? ", or "
                         : words[i + 1] == NULL ? " and " : ", ", words[i]);
    }

    return p;
}
