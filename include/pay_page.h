/* The query of a page of a merchant's checkouts. */

#ifndef PAY_PAGE_H
#define PAY_PAGE_H

#include "pay_arena.h"
#include "pay_id.h"


#define PAY_PAGE_LIMIT      50       /* checkouts, when the query is silent */
#define PAY_PAGE_LIMIT_MAX  100

typedef struct {
    const char     *status;          /* NULL: any */
    int             has_after;
    int64_t         after_us;        /* microseconds since 1970 */
    int64_t         limit;
    int             has_cursor;
    int64_t         before_us;
    size_t          before_len;
    unsigned char   before_id[PAY_ID_MAX];
} pay_page_t;


/* Reads "status=SUCCESS&limit=50&created_after=2026-11-21T08:15:00Z&cursor=…",
 * without the '?'; all parameters are optional.  PAY_INVALID
 * "validation-error", whose detail names the parameter, for one that is
 * unknown, comes twice or breaks its rule. */
pay_status_t pay_page_parse(pay_str_t query, pay_page_t *page, pay_err_t *err)
    PAY_MUST_CHECK;


#endif /* PAY_PAGE_H */
