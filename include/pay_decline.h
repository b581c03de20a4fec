/*
 * Reasons why a PSP declined an attempt to pay.  Each PSP has codes of its own;
 * a storefront gets one of the gateway's codes, whether another attempt can
 * help, and the PSP's code beside it.
 */

#ifndef PAY_DECLINE_H
#define PAY_DECLINE_H

#include "pay_str.h"


/* Whether the buyer may succeed with another attempt. */
typedef enum {
    PAY_AGAIN_SAME_METHOD = 0, /* at once: with the right data, or with the
                                  authentication done */
    PAY_AGAIN_LATER,           /* the same method, after some time */
    PAY_AGAIN_OTHER_METHOD,    /* another card or way to pay alone */
    PAY_AGAIN_NO,              /* no: do not ask this buyer again */
    PAY_DECLINE_RETRY_COUNT
} pay_decline_retry_t;

typedef struct {
    const char           *code;        /* [a-z_]{1,32} */
    pay_decline_retry_t   retry;
    const char           *means;       /* a sentence, as docs/psps.md has it */
} pay_decline_t;


/* Returns the row of that code of the gateway; the row of "unknown" when there
 * is none. */
const pay_decline_t *pay_decline_named(pay_str_t code);
/* Returns the row for a code of the adapter's PSP (made safe, see pay_psp.h);
 * the row of "unknown" when the code is in no table. */
const pay_decline_t *pay_decline_find(const char *adapter, pay_str_t code);
/* same_method | later | other_method | no */
const char *pay_decline_retry(const pay_decline_t *decline);
/* All rows; ends with a code of NULL. */
const pay_decline_t *pay_decline_table(void);


#endif /* PAY_DECLINE_H */
