/*
 * Footers of PayPal's settlement report.  Public samples do not agree which of
 * the two fee totals comes first and which balances follow, so a footer holds
 * when one of the orders does: begin and all rows come to the end.
 *
 *    "SF","EUR",1828,3850,10,75,"CR",5000,"CR",2913,"CR",5000, … ,10
 *          │     │    │   │  │   └ balance, balance …: begin and end of
 *          │     │    │   └──┴── two totals of fees       several kinds
 *          │     └────┴── gross in, gross out                 count ┘
 *          └── currency
 *
 * Here 50.00 and the rows' 18.28 - 38.50 + 0.10 - 0.75 come to 29.13.
 */

#include "pay_time.h"
#include "settle/paypal.h"


#define FOOT_FIRST  6                  /* fields before the balances */

/* A footer as written: which balance is which is found out by
 * foot_balances(). */
typedef struct {
    int64_t   totals[4];               /* gross in, out, two of fees */
    int64_t   balances[PAYPAL_PAIRS];
    unsigned  pairs;
    int64_t   rows;
} foot_t;


static pay_status_t foot_read(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, const pay_currency_t *currency,
    foot_t *foot);
static pay_status_t foot_side(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, unsigned n,
    const pay_currency_t *currency, int64_t *balance);
static pay_status_t foot_amount(pay_settle_reader_t *reader, pay_str_t text,
    const pay_currency_t *currency, int64_t *minor);
static pay_status_t foot_nets(pay_settle_reader_t *reader, const foot_t *foot,
    pay_settle_page_sum_t *all);
static int foot_balances(const foot_t *foot, int64_t net, int64_t *begin,
    int64_t *end);


/* Currencies are compared by address, as each has one row in the table. */
pay_status_t
pay_settle_paypal_sum(pay_settle_reader_t *reader, paypal_sums_t *sums,
    const pay_currency_t *currency, paypal_sum_t **sum)
{
    unsigned  n;

    for (n = 0; n < sums->count; n++) {
        if (sums->sums[n].currency == currency) {
            *sum = &sums->sums[n];
            return PAY_OK;
        }
    }

    if (n == PAYPAL_CURRENCIES) {
        return pay_settle_refuse(reader, "too-many", "",
                                 "at most %d currencies", PAYPAL_CURRENCIES);
    }

    memset(&sums->sums[n], 0, sizeof(sums->sums[n]));
    sums->sums[n].currency = currency;
    sums->count++;
    *sum = &sums->sums[n];

    return PAY_OK;
}


/* Adds one row; gross and fee with their signs. */
pay_status_t
pay_settle_paypal_count(pay_settle_reader_t *reader, paypal_sum_t *sum,
    int64_t gross, int64_t fee)
{
    sum->rows++;

    PAY_TRY(pay_settle_add(reader, gross < 0 ? &sum->gross_out
                                             : &sum->gross_in,
                           gross < 0 ? -gross : gross));

    return pay_settle_add(reader, fee < 0 ? &sum->fee_out : &sum->fee_in,
                          fee < 0 ? -fee : fee);
}


/* Counts and gross totals have one order in all samples; fees may be
 * swapped. */
pay_status_t
pay_settle_paypal_foot(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, paypal_sums_t *sums,
    const pay_currency_t **currency, int64_t *begin, int64_t *end)
{
    foot_t         foot;
    int64_t        net = 0;
    paypal_sum_t  *sum;

    PAY_TRY(pay_settle_currency(reader, "Currency",
                                record->count > 1 ? record->field[1]
                                                  : PAY_STR(""), currency));
    PAY_TRY(foot_read(reader, record, *currency, &foot));
    PAY_TRY(pay_settle_paypal_sum(reader, sums, *currency, &sum));

    if (sum->is_footed) {
        return pay_settle_refuse(reader, "footer-doubled", "Currency",
                                 "one footer of a currency");
    }

    sum->is_footed = 1;

    if (foot.rows != sum->rows) {
        return pay_settle_refuse(reader, "count-differs", "Record Count",
                                 "%lld, but there are %lld rows",
                                 (long long) foot.rows,
                                 (long long) sum->rows);
    }

    if (foot.totals[0] != sum->gross_in || foot.totals[1] != sum->gross_out) {
        return pay_settle_refuse(reader, "gross-differs", "Total Gross",
                                 "%lld in and %lld out, as the rows come to",
                                 (long long) sum->gross_in,
                                 (long long) sum->gross_out);
    }

    if (!(foot.totals[2] == sum->fee_in && foot.totals[3] == sum->fee_out)
        && !(foot.totals[2] == sum->fee_out
             && foot.totals[3] == sum->fee_in))
    {
        return pay_settle_refuse(reader, "fee-differs", "Total Fees",
                                 "%lld in and %lld out, as the rows come to",
                                 (long long) sum->fee_in,
                                 (long long) sum->fee_out);
    }

    PAY_TRY(pay_settle_add(reader, &net, sum->gross_in));
    PAY_TRY(pay_settle_add(reader, &net, sum->fee_in));
    PAY_TRY(pay_settle_add(reader, &net, -sum->gross_out));
    PAY_TRY(pay_settle_add(reader, &net, -sum->fee_out));

    if (!foot_balances(&foot, net, begin, end)) {
        return pay_settle_refuse(reader, "closing-differs", "Balance",
                                 "a beginning and an ending balance that "
                                 "%lld lies between", (long long) net);
    }

    return PAY_OK;
}


/* The rows of other pages are not here, so neither order of the fees is ruled
 * out by them. */
pay_status_t
pay_settle_paypal_report(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_page_t *page)
{
    foot_t                  foot;
    unsigned                n;
    const pay_currency_t   *currency;
    pay_settle_page_sum_t  *all;

    PAY_TRY(pay_settle_currency(reader, "Currency",
                                record->count > 1 ? record->field[1]
                                                  : PAY_STR(""), &currency));
    PAY_TRY(foot_read(reader, record, currency, &foot));

    for (n = 0; n < page->all_count; n++) {
        if (page->all[n].currency == currency) {
            return pay_settle_refuse(reader, "footer-doubled", "Currency",
                                     "one footer of a currency");
        }
    }

    if (n == PAY_SETTLE_PAGE_SUMS) {
        return pay_settle_refuse(reader, "too-many", "",
                                 "at most %d currencies",
                                 PAY_SETTLE_PAGE_SUMS);
    }

    all = &page->all[page->all_count++];
    all->currency = currency;
    all->rows = foot.rows;
    all->gross_in = foot.totals[0];
    all->gross_out = foot.totals[1];
    all->fees[0] = foot.totals[2];
    all->fees[1] = foot.totals[3];
    all->net_count = 0;

    return foot_nets(reader, &foot, all);
}


/* Either order of the fees; both where they are equal, or where balances of two
 * kinds fit. */
static pay_status_t
foot_nets(pay_settle_reader_t *reader, const foot_t *foot,
    pay_settle_page_sum_t *all)
{
    int64_t  gross = foot->totals[0], fees = foot->totals[2], net, begin, end;

    PAY_TRY(pay_settle_add(reader, &gross, -foot->totals[1]));
    PAY_TRY(pay_settle_add(reader, &fees, -foot->totals[3]));

    net = gross;
    PAY_TRY(pay_settle_add(reader, &net, fees));

    if (foot_balances(foot, net, &begin, &end)) {
        all->nets[all->net_count++] = net;
    }

    net = gross;
    PAY_TRY(pay_settle_add(reader, &net, -fees));

    if (fees != 0 && foot_balances(foot, net, &begin, &end)) {
        all->nets[all->net_count++] = net;
    }

    return all->net_count != 0
           ? PAY_OK : pay_settle_refuse(reader, "closing-differs", "Balance",
                                        "a beginning and an ending balance "
                                        "that the totals lie between");
}


void
pay_settle_paypal_own(const paypal_sums_t *sums, pay_settle_page_t *page)
{
    unsigned                n;
    const paypal_sum_t     *from;
    pay_settle_page_sum_t  *own;

    page->own_count = sums->count;

    for (n = 0; n < sums->count; n++) {
        from = &sums->sums[n];
        own = &page->own[n];
        own->currency = from->currency;
        own->rows = from->rows;
        own->gross_in = from->gross_in;
        own->gross_out = from->gross_out;
        own->fees[0] = from->fee_in;
        own->fees[1] = from->fee_out;
    }
}


/* Sums of up to 2^63 are added without a sign, so that the comparison cannot
 * overflow. */
pay_status_t
pay_settle_paypal_footed(pay_settle_reader_t *reader,
    const paypal_sums_t *sums)
{
    unsigned             n;
    const paypal_sum_t  *sum;

    for (n = 0; n < sums->count; n++) {
        sum = &sums->sums[n];

        if (!sum->is_footed
            && (uint64_t) sum->gross_in + (uint64_t) sum->fee_in
               != (uint64_t) sum->gross_out + (uint64_t) sum->fee_out)
        {
            return pay_settle_refuse(reader, "footer-missing", "SF",
                                     "a footer of %s", sum->currency->code);
        }
    }

    return PAY_OK;
}


/* Pairs of side and balance stand between the totals and the count; their
 * number differs from account to account. */
static pay_status_t
foot_read(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    const pay_currency_t *currency, foot_t *foot)
{
    unsigned  n;

    if (record->count < FOOT_FIRST + 3
        || (record->count - FOOT_FIRST - 1) % 2 != 0
        || (record->count - FOOT_FIRST - 1) / 2 > PAYPAL_PAIRS)
    {
        return pay_settle_refuse(reader, "field-count", "SF",
                                 "a currency, four totals, balances with "
                                 "their sides, a count");
    }

    for (n = 0; n < 4; n++) {
        PAY_TRY(foot_amount(reader, record->field[n + 2], currency,
                            &foot->totals[n]));
    }

    foot->pairs = (record->count - FOOT_FIRST - 1) / 2;

    for (n = 0; n < foot->pairs; n++) {
        PAY_TRY(foot_side(reader, record, FOOT_FIRST + 2 * n, currency,
                          &foot->balances[n]));
    }

    if (pay_digits_parse(record->field[record->count - 1], &foot->rows)
        != PAY_OK)
    {
        return pay_settle_refuse(reader, "number-invalid", "Record Count",
                                 "a number of rows");
    }

    return PAY_OK;
}


/* The side stands before its balance. */
static pay_status_t
foot_side(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    unsigned n, const pay_currency_t *currency, int64_t *balance)
{
    PAY_TRY(foot_amount(reader, record->field[n + 1], currency, balance));

    if (pay_str_is(record->field[n], "DR")) {
        *balance = -*balance;
        return PAY_OK;
    }

    if (pay_str_is(record->field[n], "CR")
        || (record->field[n].len == 0 && *balance == 0))
    {
        return PAY_OK;
    }

    return pay_settle_refuse(reader, "word-unknown", "Balance", "CR or DR");
}


/* An empty total is 0. */
static pay_status_t
foot_amount(pay_settle_reader_t *reader, pay_str_t text,
    const pay_currency_t *currency, int64_t *minor)
{
    *minor = 0;

    return text.len == 0
           ? PAY_OK : pay_settle_amount(reader, &pay_settle_unit_paypal, "SF",
                                        text, currency, minor);
}


/* Either begin and end stand side by side, so that begins have even indexes,
 * or all begins come first, so that an end is half of the list behind its
 * begin.  No other two balances are of one kind: a difference between them that
 * happens to be the sum of the rows proves nothing. */
static int
foot_balances(const foot_t *foot, int64_t net, int64_t *begin, int64_t *end)
{
    unsigned  n, half = foot->pairs / 2;

    for (n = 0; n < half; n++) {
        if (foot->balances[2 * n + 1] - foot->balances[2 * n] == net) {
            *begin = foot->balances[2 * n];
            *end = foot->balances[2 * n + 1];
            return 1;
        }
    }

    for (n = 0; n < half; n++) {
        if (foot->balances[n + half] - foot->balances[n] == net) {
            *begin = foot->balances[n];
            *end = foot->balances[n + half];
            return 1;
        }
    }

    return 0;
}
