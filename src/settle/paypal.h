/*
 * Shared by the files of PayPal's settlement report: the sums of a section or
 * of the report, and its words.
 */

#ifndef PAY_SETTLE_PAYPAL_H
#define PAY_SETTLE_PAYPAL_H

#include "settle/settle.h"


#define PAYPAL_CURRENCIES  PAY_SETTLE_PAGE_SUMS
#define PAYPAL_PAIRS       12          /* balances of a footer */

/* The sums of one currency, each above zero.  Minor units; in and out are
 * apart, since footers declare them apart. */
typedef struct {
    const pay_currency_t  *currency;
    int64_t                gross_in;
    int64_t                gross_out;
    int64_t                fee_in;
    int64_t                fee_out;
    int64_t                rows;
    int                    is_footed;  /* the footer has been seen */
} paypal_sum_t;

/* The sums of a section or a report, one for each currency that occurs. */
typedef struct {
    unsigned      count;
    paypal_sum_t  sums[PAYPAL_CURRENCIES];
} paypal_sums_t;


/* The sums of a currency, made when new. */
pay_status_t pay_settle_paypal_sum(pay_settle_reader_t *reader,
    paypal_sums_t *sums, const pay_currency_t *currency, paypal_sum_t **sum)
    PAY_MUST_CHECK;
pay_status_t pay_settle_paypal_count(pay_settle_reader_t *reader,
    paypal_sum_t *sum, int64_t gross, int64_t fee) PAY_MUST_CHECK;
/* Compares a footer with the sums; *begin and *end become the balances that
 * the rows lie between. */
pay_status_t pay_settle_paypal_foot(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, paypal_sums_t *sums,
    const pay_currency_t **currency, int64_t *begin, int64_t *end)
    PAY_MUST_CHECK;
/* A footer of the whole report on its last page: its own figures alone, with
 * the net of all pages that its balances allow. */
pay_status_t pay_settle_paypal_report(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_page_t *page)
    PAY_MUST_CHECK;
/* The sums of the rows of a page. */
void pay_settle_paypal_own(const paypal_sums_t *sums, pay_settle_page_t *page);
/* All currencies have had their footer; one whose rows come to nothing, being
 * converted at once, needs none. */
pay_status_t pay_settle_paypal_footed(pay_settle_reader_t *reader,
    const paypal_sums_t *sums) PAY_MUST_CHECK;

/* The kind of a T-code; `net` says the side where both are possible. */
pay_settle_kind_t pay_settle_paypal_kind(pay_str_t code, int64_t net);


#endif /* PAY_SETTLE_PAYPAL_H */
