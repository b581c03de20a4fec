/*
 * Catalogues: the texts of the buyer's pages in one language, a file of
 * html/locale each.  They are put into the pages when the configuration is
 * read, so a request finds whole pages and no catalogue.
 */

#ifndef NGX_PAYMENTS_CATALOGUE_H
#define NGX_PAYMENTS_CATALOGUE_H

#include "util/ngx_payments.h"

#include "pay_arena.h"
#include "pay_str.h"


#define NGX_PAYMENTS_TEXTS_MAX  256

/* `name` and `text` point into the bytes of the file. */
typedef struct {
    pay_str_t   name;
    pay_str_t   text;
} ngx_payments_text_t;

typedef struct {
    ngx_uint_t           count;
    ngx_payments_text_t  texts[NGX_PAYMENTS_TEXTS_MAX];
} ngx_payments_catalogue_t;

/* Where a mistake is: a slice of the bytes that were read, and its line. */
typedef struct {
    pay_str_t   text;
    ngx_uint_t  line;
} ngx_payments_place_t;


/* NULL, or the beginning of a sentence that ends with place->text, a literal.
 * Of the lines "name = text", "# comment" and empty ones. */
const char *ngx_payments_catalogue_read(ngx_payments_catalogue_t *catalogue,
    pay_str_t bytes, ngx_payments_place_t *place);
/* The same of a catalogue that must have the names of `model`, each with the
 * same placeholders; the line is not set. */
const char *ngx_payments_catalogue_compare(
    const ngx_payments_catalogue_t *model,
    const ngx_payments_catalogue_t *catalogue, ngx_payments_place_t *place);
/* Replaces {{@name}} by the text, escaped for HTML; its placeholders stay.
 * {{@lang}} and {{@dir}} are those given.  Errors of memory are left to
 * pay_buf_done(). */
const char *ngx_payments_catalogue_fill(
    const ngx_payments_catalogue_t *catalogue, pay_str_t lang, pay_str_t dir,
    pay_str_t page, pay_buf_t *out, ngx_payments_place_t *place);


#endif /* NGX_PAYMENTS_CATALOGUE_H */
