/*
 * Templates of the buyer's pages.  {{name}} is replaced by a value, escaped
 * for HTML text and quoted attributes; {{#name}}…{{/name}} is kept, left out
 * or repeated.  Nothing else: what a page says stays in html/.
 */

#ifndef NGX_PAYMENTS_TEMPLATE_H
#define NGX_PAYMENTS_TEMPLATE_H

#include "util/ngx_payments.h"

#include "pay_arena.h"
#include "pay_str.h"


typedef enum {
    NGX_PAYMENTS_SLOT_TEXT = 0,     /* {{name}} */
    NGX_PAYMENTS_SLOT_ITEM,         /* {{name}} inside a list */
    NGX_PAYMENTS_SLOT_FLAG,         /* {{#name}}…{{/name}}, once or never */
    NGX_PAYMENTS_SLOT_LIST          /* {{#name}}…{{/name}}, once per item */
} ngx_payments_slot_e;

/* A name that a template may use; a table ends with a NULL name. */
typedef struct {
    const char           *name;
    ngx_payments_slot_e   kind;
} ngx_payments_slot_t;

/* The value of the slot with the same place. */
typedef struct {
    pay_str_t             text;                  /* TEXT */
    pay_str_t            *items;                 /* ITEM: as many as the
                                                    list has turns */
    ngx_uint_t            count;                 /* FLAG: 0, 1; LIST: turns */
} ngx_payments_value_t;


#define NGX_PAYMENTS_NESTING  4

/* NULL when every tag is known, in its place and closed; else what is wrong,
 * a literal, with the tag's text and line.  Lists lie in no other list and
 * sections are nested NGX_PAYMENTS_NESTING deep at most. */
const char *ngx_payments_template_check(pay_str_t page,
    const ngx_payments_slot_t *slots, pay_str_t *where, ngx_uint_t *line);

/* Appends the page; the template must have passed the check. */
void ngx_payments_template_render(pay_buf_t *buf, pay_str_t page,
    const ngx_payments_slot_t *slots, const ngx_payments_value_t *values);


#endif /* NGX_PAYMENTS_TEMPLATE_H */
