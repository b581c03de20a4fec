/*
 * The names that the templates of html/ may use, shared by the file that loads
 * the templates and the one that fills them in.
 */

#ifndef NGX_PAYMENTS_PAGES_H
#define NGX_PAYMENTS_PAGES_H

#include "http/ngx_payments_template.h"
#include "util/ngx_payments_conf_types.h"

#include "pay_advice.h"


/* The slots of each page, by which values are given; the names are in
 * ngx_payments_pages.c. */
enum {
    STATUS_STYLE = 0, STATUS_CHECKOUT, STATUS_TOTAL, STATUS_CURRENCY,
    STATUS_TOTAL_TEXT, STATUS_UNTIL, STATUS_NOW, STATUS_SHOP_URL,
    STATUS_PAY_URL, STATUS_PREPARING, STATUS_WAITING, STATUS_PENDING,
    STATUS_REFUSED, STATUS_PAID, STATUS_FAILED, STATUS_DECLINED,
    STATUS_REJECTED, STATUS_RISK, STATUS_CANCELLED, STATUS_EXPIRED,
    STATUS_UPDATING, STATUS_PAUSED, STATUS_PAY, STATUS_SHOP, STATUS_ORDERS,
    STATUS_ORDER_ID, STATUS_AMOUNT, STATUS_AMOUNT_TEXT, STATUS_DESCRIPTION,
    STATUS_NAMED, STATUS_UNNAMED, STATUS_MERCHANT, STATUS_LOGO,
    STATUS_LOGO_URL, STATUS_LOOK, STATUS_LOOK_URL, STATUS_NOTE,
    STATUS_NOTE_TEXT, STATUS_SLOTS
};

enum {
    PROBLEM_STYLE = 0, PROBLEM_LIST_URL, PROBLEM_SLUG, PROBLEM_STATUS,
    PROBLEM_TITLE, PROBLEM_MEANING, PROBLEM_REMEDY, PROBLEM_SLOTS
};

enum {
    LIST_STYLE = 0, LIST_PROBLEMS, LIST_URL, LIST_SLUG, LIST_STATUS,
    LIST_TITLE, LIST_SLOTS
};


enum {
    ERROR_STYLE = 0, ERROR_REQUEST, ERROR_STATUS, ERROR_NOW, ERROR_MISSING,
    ERROR_MANY, ERROR_BUSY, ERROR_BROKEN, ERROR_NAMED, ERROR_UNNAMED,
    ERROR_MERCHANT, ERROR_LOGO, ERROR_LOGO_URL, ERROR_LOOK, ERROR_LOOK_URL,
    ERROR_SLOTS
};


/* ADVICE_VALUES and ADVICE_COLUMNS: the first of as many as pay_advice_t has,
 * in its order. */
enum {
    ADVICE_STYLE = 0, ADVICE_LINES, ADVICE_MORE, ADVICE_VALUES,
    ADVICE_COLUMNS = ADVICE_VALUES + PAY_ADVICE_VALUES,
    ADVICE_SLOTS = ADVICE_COLUMNS + PAY_ADVICE_COLUMNS
};


extern const ngx_payments_slot_t  ngx_payments_advice_slots[];
extern const ngx_payments_slot_t  ngx_payments_status_slots[];
extern const ngx_payments_slot_t  ngx_payments_error_slots[];
extern const ngx_payments_slot_t  ngx_payments_problem_slots[];
extern const ngx_payments_slot_t  ngx_payments_list_slots[];

/* Reads the templates at the start of a configuration. */
ngx_int_t ngx_http_payments_load_pages(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_PAYMENTS_PAGES_H */
