/* Banks' answers to files: their events, and everything that spoils a file. */

#include "payout_world.h"


#define REPORT_MAX  16384

typedef struct {
    char    text[4096];
    size_t  len;
    int     fails;
} told_t;


static char    report[REPORT_MAX];
static size_t  report_len;


static void
setup(void)
{
    FILE  *file = fopen("tests/fixtures/payout/pain001/report.xml", "rb");

    cr_assert_not_null(file);
    report_len = fread(report, 1, sizeof(report) - 1, file);
    report[report_len] = '\0';
    fclose(file);
}


TestSuite(pay_payout_pain002, .init = setup);


static pay_status_t
tell(void *data, const pay_payout_event_t *event)
{
    told_t  *told = data;

    if (told->fails) {
        return PAY_NO_MEMORY;
    }

    told->len += (size_t) snprintf(
        told->text + told->len, sizeof(told->text) - told->len,
        "%.*s %.*s %s%s %.*s %lld%.*s %.*s\n", pay_fmt(event->event_id),
        pay_fmt(event->parcel), pay_payout_state_name(event->state),
        event->is_ours ? "!" : "", pay_fmt(event->code),
        (long long) (event->has_amount ? event->amount_minor : -1),
        pay_fmt(event->currency), pay_fmt(event->account_end));
    cr_expect_eq(event->occurred_us, INT64_C(1795507200000000));

    return PAY_OK;
}


static pay_status_t
read_report(told_t *told, const char *bytes, size_t len, size_t step)
{
    size_t                at, n;
    pay_heap_t           *heap = pay_heap_create();
    pay_status_t          status;
    pay_payout_report_t  *made;

    told->len = 0;
    told->text[0] = '\0';
    cr_assert_eq(pay_payout_report_open(pay_heap_arena(heap), tell, told,
                                        &made), PAY_OK);
    status = PAY_OK;

    for (at = 0; at < len && status == PAY_OK; at += n) {
        n = len - at < step ? len - at : step;
        status = pay_payout_report_feed(made, (pay_str_t) {
            n, (const unsigned char *) bytes + at });
    }

    if (status == PAY_OK) {
        status = pay_payout_report_end(made);
    }

    pay_payout_report_close(made);
    pay_heap_destroy(heap);

    return status;
}


static const char  expected[] =
    "BANK-1#batch-7 batch-7 unknown  -1 \n"
    "BANK-1:0123456789abcdef0123456789abcdef-1 batch-7 failed ac04 3000EUR "
    "4300\n"
    "BANK-1:1123456789abcdef0123456789abcdef-1 batch-7 sent  -1 \n"
    "BANK-1:2123456789abcdef0123456789abcdef-1 batch-7 unknown am05 -1 \n"
    "BANK-1:3123456789abcdef0123456789abcdef-1 batch-7 failed! am04 -1 \n";


/* A part was refused; "duplication" decides nothing, since the first copy may
 * have been paid; another system's transaction is passed over. */
Test(pay_payout_pain002, a_report_tells_each_transaction)
{
    size_t  i;

    static told_t        told;
    static const size_t  steps[] = { 1, 7, 64, 100000 };

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        cr_assert_eq(read_report(&told, report, report_len, steps[i]), PAY_OK);
        cr_expect_str_eq(told.text, expected, "%s", told.text);
    }
}


/* Whoever takes an id once would drop the transaction behind its group. */
Test(pay_payout_pain002, one_key_of_file_and_transaction_makes_three_ids)
{
    static told_t  told;

    static const char  one[] =
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\">"
        "<CstmrPmtStsRpt><GrpHdr><MsgId>B</MsgId>"
        "<CreDtTm>2026-11-24T09:00:00+01:00</CreDtTm></GrpHdr>"
        "<OrgnlGrpInfAndSts><OrgnlMsgId>" ITEM_KEY "</OrgnlMsgId>"
        "<GrpSts>ACCP</GrpSts></OrgnlGrpInfAndSts>"
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>" ITEM_KEY "</OrgnlPmtInfId>"
        "<PmtInfSts>ACCP</PmtInfSts>"
        "<TxInfAndSts><OrgnlEndToEndId>" ITEM_KEY "</OrgnlEndToEndId>"
        "<TxSts>RJCT</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>";

    cr_assert_eq(read_report(&told, one, sizeof(one) - 1, 4096), PAY_OK);
    cr_expect_not_null(strstr(told.text, "B#" ITEM_KEY " "), "%s", told.text);
    cr_expect_not_null(strstr(told.text, "B/" ITEM_KEY " "), "%s", told.text);
    cr_expect_not_null(strstr(told.text, "B:" ITEM_KEY " "), "%s", told.text);
}


Test(pay_payout_pain002, a_report_that_was_cut_is_refused)
{
    size_t  len;

    static told_t  told;

    for (len = 0; len + 1 < report_len; len += 13) {
        cr_expect_eq(read_report(&told, report, len, 4096), PAY_INVALID,
                     "%zu", len);
    }
}


Test(pay_payout_pain002, a_file_of_another_kind_is_refused)
{
    static told_t  told;

    static const char  other[] =
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"/>";
    static const char  typed[] =
        "<!DOCTYPE a [<!ENTITY x \"y\">]><Document/>";

    cr_expect_eq(read_report(&told, other, strlen(other), 10), PAY_INVALID);
    cr_expect_eq(read_report(&told, typed, strlen(typed), 10), PAY_INVALID);
    cr_expect_eq(read_report(&told, "{}", 2, 10), PAY_INVALID);
    cr_expect_eq(read_report(&told, "", 0, 10), PAY_INVALID);
}


Test(pay_payout_pain002, a_receiver_that_fails_ends_the_reading)
{
    static told_t  told;

    told.fails = 1;
    cr_expect_eq(read_report(&told, report, report_len, 4096), PAY_NO_MEMORY);
}


/* Any byte may be another: no crash, and no event with an amount of no
 * currency. */
Test(pay_payout_pain002, any_byte_may_be_another)
{
    char    was;
    size_t  at, i;

    static told_t      told;
    static const char  other[] = "<>&\"0\xff";

    for (at = 200; at < report_len; at += 3) {
        was = report[at];

        for (i = 0; i < sizeof(other) - 1; i++) {
            report[at] = other[i];
            (void) !read_report(&told, report, report_len, 4096);
        }

        report[at] = was;
    }
}
