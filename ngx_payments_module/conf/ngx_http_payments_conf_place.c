/*
 * The place of each word of the configuration, so that an error that is found
 * when all is read is reported at its line; and the refusal of words that do
 * not exist.
 */

#include "conf/ngx_http_payments_conf_place.h"
#include "util/ngx_payments_conf_types.h"
#include "pay_near.h"


/* A place, in the list of its owner's, which are found by the owner's pointer:
 * a block's object, a location's or the main configuration.  `file` is nginx'
 * text and lives as long as the cycle. */
typedef struct place_s  place_t;

struct place_s {
    place_t           *next;
    ngx_str_t          word;
    ngx_str_t          file;
    ngx_uint_t         line;
};

typedef struct {
    ngx_rbtree_node_t  node;             /* node.key is the pointer */
    place_t           *first;
    place_t          **end;
} owner_t;

struct ngx_http_payments_places_s {
    ngx_rbtree_t       owners;
    ngx_rbtree_node_t  sentinel;
};


#define LIST_SIZE  768


static owner_t *find(const ngx_http_payments_main_conf_t *pmcf,
    const void *owner);
static owner_t *make(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    const void *owner);
static u_char *list_words(u_char *p, u_char *last,
    const char *const *words);


/* Ten thousand merchants have a hundred thousand places, which nobody asks for
 * once the configuration is read: they lie in the pool that ends then. */
ngx_int_t
ngx_http_payments_note(ngx_conf_t *cf, const void *owner, const char *word)
{
    owner_t                        *of;
    place_t                        *place;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);

    of = find(pmcf, owner);
    if (of == NULL) {
        of = make(cf, pmcf, owner);
    }

    place = ngx_palloc(cf->temp_pool, sizeof(place_t));
    if (of == NULL || place == NULL) {
        return NGX_ERROR;
    }

    place->next = NULL;
    place->word = ngx_payments_nstr(pay_str_of(word));
    place->file = cf->conf_file->file.name;
    place->line = cf->conf_file->line;

    *of->end = place;
    of->end = &place->next;

    return NGX_OK;
}


void
ngx_http_payments_places_forget(ngx_http_payments_main_conf_t *pmcf)
{
    pmcf->places = NULL;
}


static owner_t *
find(const ngx_http_payments_main_conf_t *pmcf, const void *owner)
{
    ngx_rbtree_key_t    key = (ngx_rbtree_key_t) (uintptr_t) owner;
    ngx_rbtree_node_t  *node, *sentinel;

    if (pmcf->places == NULL) {
        return NULL;
    }

    node = pmcf->places->owners.root;
    sentinel = &pmcf->places->sentinel;

    while (node != sentinel && node->key != key) {
        node = key < node->key ? node->left : node->right;
    }

    return node == sentinel ? NULL : ngx_rbtree_data(node, owner_t, node);
}


static owner_t *
make(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf, const void *owner)
{
    owner_t                     *of;
    ngx_http_payments_places_t  *places = pmcf->places;

    if (places == NULL) {
        places = ngx_palloc(cf->temp_pool, sizeof(ngx_http_payments_places_t));
        if (places == NULL) {
            return NULL;
        }

        ngx_rbtree_init(&places->owners, &places->sentinel,
                        ngx_rbtree_insert_value);
        pmcf->places = places;
    }

    of = ngx_palloc(cf->temp_pool, sizeof(owner_t));
    if (of == NULL) {
        return NULL;
    }

    of->node.key = (ngx_rbtree_key_t) (uintptr_t) owner;
    of->first = NULL;
    of->end = &of->first;
    ngx_rbtree_insert(&places->owners, &of->node);

    return of;
}


/* Noting the place of a word also shows that it was there before. */
char *
ngx_http_payments_once(ngx_conf_t *cf, const void *owner)
{
    owner_t                        *of;
    place_t                        *place;
    ngx_str_t                      *word = cf->args->elts;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);
    of = find(pmcf, owner);

    for (place = of == NULL ? NULL : of->first;
         place != NULL;
         place = place->next)
    {
        if (pay_str_eq(ngx_payments_str(place->word),
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
    owner_t                        *of;
    place_t                        *place, *found = NULL;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);
    of = find(pmcf, owner);

    for (place = of == NULL ? NULL : of->first;
         place != NULL;
         place = place->next)
    {
        if (pay_str_is(ngx_payments_str(place->word), word)) {
            found = place;

            if (n-- == 0) {
                break;
            }

        } else if (found == NULL && place->word.len == 0) {
            found = place;              /* the block's own line */
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
