/*
 * Reads the two blocks, payments_psp and payments_merchant, by a table with one
 * row for each word.
 */

#include "conf/ngx_http_payments_conf_block.h"
#include "conf/ngx_http_payments_conf_lines.h"
#include "conf/ngx_http_payments_conf_place.h"


#define WORDS_MAX  64


/* The block that is being read, handed to block_word() by way of
 * cf->handler_conf. */
typedef struct {
    const word_t  *words;
    const char    *block;
    void          *object;
    ngx_str_t      place;            /* as "payments_psp stripe" */
} block_t;


static ngx_int_t name_block(ngx_conf_t *cf, block_t *block);
static char *block_word(ngx_conf_t *cf, ngx_command_t *dummy, void *conf);
static char *unknown_word(ngx_conf_t *cf, const block_t *block,
    ngx_str_t *word);


/* nginx' parser calls a handler for each line of a block (as for "types"); the
 * old one is put back whether it went well or not. */
char *
ngx_http_payments_parse_block(ngx_conf_t *cf, const word_t *words,
    const char *name, void *object)
{
    char        *rv;
    block_t      block;
    ngx_conf_t   save;

    if (ngx_http_payments_note(cf, object, "") != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    block.words = words;
    block.block = name;
    block.object = object;

    if (name_block(cf, &block) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    save = *cf;
    cf->handler = block_word;
    cf->handler_conf = &block;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


/* The words of the block's own line, and the names that it may have. */
static ngx_int_t
name_block(ngx_conf_t *cf, block_t *block)
{
    u_char       *p;
    size_t        size = 0;
    ngx_str_t    *value = cf->args->elts;
    ngx_uint_t    i, n = 0;
    const char  **names;

    for (i = 0; i < cf->args->nelts; i++) {
        size += value[i].len + 1;
    }

    while (n < WORDS_MAX && block->words[n].name != NULL) {
        n++;
    }

    names = ngx_palloc(cf->temp_pool, (n + 1) * sizeof(char *));
    block->place.data = ngx_pnalloc(cf->temp_pool, size);
    if (names == NULL || block->place.data == NULL) {
        return NGX_ERROR;
    }

    for (p = block->place.data, i = 0; i < cf->args->nelts; i++) {
        p = ngx_sprintf(p, i == 0 ? "%V" : " %V", &value[i]);
    }

    block->place.len = p - block->place.data;

    for (i = 0; i < n; i++) {
        names[i] = block->words[i].name;
    }

    names[n] = NULL;

    return ngx_http_payments_lines_block(cf, &block->place, names);
}


/* Words that may stand only once are noted by _once(), the others here; so
 * each word has a place for later errors. */
static char *
block_word(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    char          *rv;
    block_t       *block = (block_t *) cf->handler_conf;
    ngx_str_t     *value;
    ngx_uint_t     n;
    const word_t  *word;

    (void) dummy;
    (void) conf;

    value = cf->args->elts;
    n = cf->args->nelts - 1;

    for (word = block->words; word->name != NULL; word++) {
        if (ngx_strcmp(value[0].data, word->name) == 0) {
            break;
        }
    }

    if (word->name == NULL) {
        return unknown_word(cf, block, &value[0]);
    }

    if (n < word->min || n > word->max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" takes from %ui to %ui arguments",
                           &value[0], word->min, word->max);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_payments_lines_keep(cf, &block->place) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rv = word->often ? NGX_CONF_OK
         : ngx_http_payments_once(cf, block->object);

    if (rv == NGX_CONF_OK && word->often
        && ngx_http_payments_note(cf, block->object, word->name) != NGX_OK)
    {
        rv = NGX_CONF_ERROR;
    }

    if (rv == NGX_CONF_OK) {
        rv = word->set != NULL ? word->set(cf, block->object)
             : ngx_http_payments_set_value(cf, &word->value, &value[n],
                                           block->object);
    }

    if (rv != NGX_CONF_OK && rv != NGX_CONF_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %s", &value[0], rv);
        rv = NGX_CONF_ERROR;
    }

    return rv;
}


/* "did you mean": most mistakes are of one letter. */
static char *
unknown_word(ngx_conf_t *cf, const block_t *block, ngx_str_t *word)
{
    ngx_uint_t   i;
    const char  *names[WORDS_MAX + 1];

    for (i = 0; i < WORDS_MAX && block->words[i].name != NULL; i++) {
        names[i] = block->words[i].name;
    }

    names[i] = NULL;

    return ngx_http_payments_unknown(cf, block->block, word, names);
}
