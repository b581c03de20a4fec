/*
 * The words of PSPs for what changes a balance, and what a reader that is given
 * proven exponents makes of a file; no importer gives any yet.
 */

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "settle_world.h"
#include "settle/paypal.h"
#include "settle/stripe.h"


typedef struct {
    const char  *category;
    const char  *type;
    int64_t      net;
    const char  *kind;
} word_case_t;


Test(pay_settle_words, stripe_says_what_a_row_is_by_category_and_type)
{
    size_t             i;
    pay_settle_kind_t  kind;

    static const word_case_t  cases[] = {
        { "charge", "charge", 100, "sale" },
        { "charge", "payment", 100, "sale" },
        { "charge_failure", "payment_failure_refund", -100, "sale_returned" },
        { "partial_capture_reversal", "", -100, "sale_returned" },
        { "refund", "refund", -100, "refund" },
        { "refund", "payment_refund", -100, "refund" },
        { "refund_failure", "refund_failure", 100, "refund_returned" },
        { "dispute", "adjustment", -4500, "dispute" },
        { "dispute_reversal", "adjustment", 3000, "dispute_returned" },
        { "fee", "stripe_fee", -50, "fee" },
        { "fee", "stripe_fx_fee", -50, "fee" },
        { "network_cost", "network_cost", -50, "fee" },
        { "tax", "tax_fee", -50, "tax" },
        { "payout", "payout", -100, "payout" },
        { "payout", "payout", 100, "payout" },
        { "payout_reversal", "payout_failure", 100, "payout_returned" },
        { "payout_reversal", "payout_cancel", 100, "payout_returned" },
        { "risk_reserved_funds", "reserve_hold", -100, "withheld" },
        { "risk_reserved_funds", "reserve_release", 100, "released" },
        { "risk_reserved_funds", "", 100, "released" },
        { "connect_reserved_funds", "", -100, "withheld" },
        { "other", "payout_minimum_balance_hold", -100, "withheld" },
        { "transfer", "transfer", -100, "sent" },
        { "transfer_reversal", "", 100, "sent_returned" },
        { "other_adjustment", "adjustment", 1, "adjustment" },
        { "climate_order_purchase", "climate_order_purchase", -1, "unknown" },
        { "unreconciled_customer_funds", "payment_unreconciled", 1,
          "unknown" },
        { "", "", 1, "unknown" },
        { "Charge", "", 1, "unknown" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kind = pay_settle_stripe_kind(pay_str_of(cases[i].category),
                                      pay_str_of(cases[i].type),
                                      cases[i].net);
        cr_expect_str_eq(pay_settle_kind_name(kind), cases[i].kind,
                         "%s/%s", cases[i].category, cases[i].type);
    }
}


Test(pay_settle_words, paypal_says_it_by_the_code_and_the_side)
{
    size_t             i;
    pay_settle_kind_t  kind;

    static const word_case_t  cases[] = {
        { "T0000", "", 1, "sale" }, { "T0006", "", 1, "sale" },
        { "T0000", "", -1, "sent" }, { "T0001", "", -1, "sent" },
        { "T0106", "", -1, "fee" }, { "T1108", "", 1, "fee" },
        { "T0200", "", 1, "conversion" }, { "T0201", "", -1, "conversion" },
        { "T0400", "", -1, "payout" }, { "T0401", "", -1, "payout" },
        { "T0400", "", 1, "payout_returned" }, { "T0300", "", 1, "payout" },
        { "T1105", "", 1, "released" }, { "T1110", "", -1, "withheld" },
        { "T1111", "", 1, "released" }, { "T1503", "", -1, "withheld" },
        { "T2101", "", -1, "withheld" }, { "T2102", "", 1, "released" },
        { "T1106", "", -1, "dispute" }, { "T1201", "", -1, "dispute" },
        { "T1202", "", 1, "dispute_returned" },
        { "T1107", "", -1, "refund" }, { "T1114", "", 1, "sent_returned" },
        { "T1115", "", 1, "sent_returned" }, { "T1300", "", 1, "memo" },
        { "T1302", "", -1, "memo" }, { "T1900", "", -1, "adjustment" },
        { "T9900", "", 1, "unknown" }, { "T1104", "", 1, "unknown" },
        { "T0500", "", 1, "unknown" }, { "", "", 1, "unknown" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kind = pay_settle_paypal_kind(pay_str_of(cases[i].category),
                                      cases[i].net);
        cr_expect_str_eq(pay_settle_kind_name(kind), cases[i].kind, "%s %d",
                         cases[i].category, (int) cases[i].net);
    }
}


/* A file in yen, of which nobody knows whether 120000 is 1200 or 120000. */
static const char  yen[] =
    "\"SH\",\"2026/11/20 00:00:00 +0900\",\"x\",\"A\"\n"
    "\"CH\",\"Transaction ID\",\"Invoice ID\",\"PayPal Reference ID\","
    "\"Transaction Event Code\",\"Transaction Completion Date\","
    "\"Transaction Debit or Credit\",\"Gross Transaction Amount\","
    "\"Gross Transaction Currency\",\"Fee Debit or Credit\",\"Fee Amount\","
    "\"Fee Currency\"\n"
    "\"SB\",\"T1\",\"o1\",\"\",\"T0006\",2026/11/20 10:00:00 +0900,\"CR\","
    "120000,\"JPY\",\"\",,\"\"\n"
    "\"SF\",\"JPY\",120000,0,0,0,\"CR\",0,\"CR\",120000,1\n";


Test(pay_settle_words, a_proven_exponent_makes_a_currency_readable)
{
    unsigned               i;
    settle_read_t          read;
    pay_settle_options_t   options;
    pay_settle_exponent_t  exponent = { "JPY", 0 };

    static const char *const  net[] = { "120000 0 0 = ", "12000 0 0 = ",
                                        "1200 0 0 = " };

    settle_read(&read, NULL, "paypal", NULL, yen, sizeof(yen) - 1, 4096);
    cr_expect_str_eq(settle_outcome(&read), "refused exponent-unproven 3 "
                     "Gross Transaction Amount");
    settle_free(&read);

    memset(&options, 0, sizeof(options));
    options.exponents = &exponent;
    options.exponent_count = 1;

    for (i = 0; i < 3; i++) {
        exponent.decimals = i;
        settle_read(&read, NULL, "paypal", &options, yen, sizeof(yen) - 1,
                    4096);
        cr_expect_str_eq(settle_outcome(&read), "proven 1");
        cr_expect_not_null(strstr(read.dump.data, net[i]), "%s",
                           read.dump.data);
        settle_free(&read);
    }
}


/* Others know their exponents: nobody may talk them out of them. */
Test(pay_settle_words, a_proven_exponent_changes_no_other_format)
{
    settle_read_t          plain, read;
    settle_text_t          file = settle_fixture("adyen", "reordered.csv");
    pay_settle_options_t   options;
    pay_settle_exponent_t  exponent = { "JPY", 2 };

    memset(&options, 0, sizeof(options));
    options.exponents = &exponent;
    options.exponent_count = 1;

    settle_read(&plain, NULL, "adyen", NULL, file.data, file.len, 4096);
    settle_read(&read, NULL, "adyen", &options, file.data, file.len, 4096);
    cr_expect_str_eq(read.dump.data, plain.dump.data);
    settle_free(&plain);
    settle_free(&read);
    free(file.data);
}


/* Rows of the account that are equal to the letter are numbered, each text from
 * 1; there are fewer places than texts that fit in. */
Test(pay_settle_words, adyen_numbers_equal_rows_without_a_payment)
{
    int            n, len;
    char           line[256];
    settle_read_t  read;
    settle_text_t  file = { NULL, 0, 0 };

    static const char  header[] =
        "Merchant Account,Psp Reference,Merchant Reference,Creation Date,"
        "TimeZone,Type,Modification Reference,Gross Currency,"
        "Gross Debit (GC),Gross Credit (GC),Net Currency,Net Debit (NC),"
        "Net Credit (NC),Batch Number\n";
    static const char  more[] =
        "M,,,2026-11-20 11:00:00,CET,Fee,one more,,,,EUR,1.00,,7\n";

    settle_text_add(&file, header, sizeof(header) - 1);

    for (n = 0; n < 2 * PAY_SETTLE_EQUALS / 2; n++) {
        len = snprintf(line, sizeof(line), "M,,,2026-11-20 11:00:00,CET,Fee,"
                       "text %d,,,,EUR,%s,7\n", n % (PAY_SETTLE_EQUALS / 2),
                       n < PAY_SETTLE_EQUALS / 2 ? "0.01," : "0.01,0.00");
        settle_text_add(&file, line, (size_t) len);
    }

    settle_read(&read, NULL, "adyen", NULL, file.data, file.len, 4096);
    cr_expect_str_eq(settle_outcome(&read), "refused net-differs 2 net");
    cr_expect_not_null(strstr(read.dump.data, "|M/7/Fee//text 8191/-1/1 "));
    cr_expect_not_null(strstr(read.dump.data, "|M/7/Fee//text 8191/-1/2 "));
    cr_expect_not_null(strstr(read.dump.data, "|M/7/Fee//text 0/-1/2 "));
    cr_expect_null(strstr(read.dump.data, "/-1/3 "));
    settle_free(&read);

    settle_text_add(&file, more, sizeof(more) - 1);
    settle_read(&read, NULL, "adyen", NULL, file.data, file.len, 4096);
    cr_expect_not_null(read.refusal.reason);
    cr_expect(read.refusal.reason != NULL
              && strcmp(read.refusal.reason, "too-many") == 0, "%s",
              settle_outcome(&read));
    settle_free(&read);
    free(file.data);
}


/* The kit looks at every text: a character that was cut in two is no UTF-8. */
Test(pay_settle_words, long_texts_are_cut_between_characters)
{
    int            n, shift;
    settle_read_t  read;
    settle_text_t  file;

    static const char  head[] =
        ":20:A\n:25:B\n:28C:1/1\n:60F:C261120EUR0,\n"
        ":61:2611231123C1,00NTRFe//b\n:86:";
    static const char  foot[] = "\n:62F:C261123EUR1,\n-\n";

    for (shift = 0; shift < 3; shift++) {
        memset(&file, 0, sizeof(file));
        settle_text_add(&file, head, sizeof(head) - 1);
        settle_text_add(&file, "166?20", shift == 2 ? 6 : 0);
        settle_text_add(&file, "x", shift == 1 ? 1 : 0);

        for (n = 0; n < 1200; n++) {
            settle_text_add(&file, n % 60 == 59 ? "\xc3\xa4\n" : "\xc3\xa4",
                            n % 60 == 59 ? 3 : 2);
        }

        settle_text_add(&file, foot, sizeof(foot) - 1);
        settle_read(&read, NULL, "mt940", NULL, file.data, file.len, 4096);
        cr_expect_str_eq(settle_outcome(&read), "proven 1");
        settle_free(&read);
        free(file.data);
    }
}


Test(pay_settle_words, a_note_keeps_1023_bytes_or_less_for_a_whole_character)
{
    int            n;
    char          *note;
    settle_read_t  read;
    settle_text_t  file = { NULL, 0, 0 };

    static const char  head[] =
        "row_id,type,psp_ref,occurred_at,gross,fee,net,currency,note\n"
        "r,sale,p,2026-11-20T10:00:00Z,1.00,0.00,1.00,EUR,";
    static const char  foot[] = "\ntotal,1,,,1.00,0.00,1.00,EUR,\n";

    settle_text_add(&file, head, sizeof(head) - 1);

    for (n = 0; n < 1000; n++) {
        settle_text_add(&file, "\xc3\xa4", 2);
    }

    settle_text_add(&file, foot, sizeof(foot) - 1);
    settle_read(&read, NULL, "generic", NULL, file.data, file.len, 4096);
    cr_expect_str_eq(settle_outcome(&read), "proven 1");

    note = strstr(read.dump.data, "\xc3\xa4");
    cr_assert_not_null(note);
    cr_expect_eq(strcspn(note, "\n"), 1022);
    settle_free(&read);
    free(file.data);
}


Test(pay_settle_words, a_csv_may_have_256_columns)
{
    int            more, n;
    settle_read_t  read;
    settle_text_t  file;

    static const char  head[] =
        "row_id,type,psp_ref,occurred_at,gross,fee,net,currency";
    static const char  total[] = "total,0,,,0.00,0.00,0.00,EUR";

    for (more = 0; more < 2; more++) {
        memset(&file, 0, sizeof(file));
        settle_text_add(&file, head, sizeof(head) - 1);

        for (n = 8; n < PAY_SETTLE_COLUMNS_MAX + more; n++) {
            settle_text_add(&file, ",x", 2);
        }

        settle_text_add(&file, "\n", 1);
        settle_text_add(&file, total, sizeof(total) - 1);

        for (n = 8; n < PAY_SETTLE_COLUMNS_MAX + more; n++) {
            settle_text_add(&file, ",", 1);
        }

        settle_read(&read, NULL, "generic", NULL, file.data, file.len, 4096);
        cr_expect_str_eq(settle_outcome(&read),
                         more ? "refused too-many 1" : "proven 0");
        settle_free(&read);
        free(file.data);
    }
}


static pay_status_t
any_row(void *data, const pay_settle_row_t *row)
{
    (void) data;

    return row != NULL ? PAY_OK : PAY_BUG;
}


/* PostgreSQL believes balances in place of the sum of a payout's rows: they
 * have to be there for each statement, and are added up. */
Test(pay_settle_words, balances_are_stated_where_each_statement_has_them)
{
    size_t                 n;
    pay_str_t              stated;
    pay_heap_t            *heap;
    pay_settle_reader_t   *reader;
    pay_settle_options_t   options;
    pay_settle_verdict_t   verdict;

    static const struct {
        const char  *format, *file, *stated;
    } files[] = {
        { "mt940",
          ":20:X\n:25:1/2\n:28C:1/1\n:60F:C261120EUR5,00\n"
          ":61:2611211121C1,50NTRFNONREF\n:62F:C261121EUR6,50\n"
          ":20:Y\n:25:1/2\n:28C:2/1\n:60F:C261121EUR6,50\n"
          ":61:2611221122D2,00NTRFNONREF\n:62F:C261122EUR4,50\n",
          "{\"EUR\":{\"rows\":2,\"gross\":-50,\"fee\":0,\"tax\":0,\"net\":-50,"
          "\"opening\":1150,\"closing\":1100}}" },
        { "generic",
          "row_id,type,psp_ref,occurred_at,gross,fee,net,currency\n"
          "r,sale,p,2026-11-20T10:00:00Z,1.00,0.00,1.00,EUR\n"
          "total,1,,,1.00,0.00,1.00,EUR\n",
          "{\"EUR\":{\"rows\":1,\"gross\":100,\"fee\":0,\"tax\":0,"
          "\"net\":100}}" }
    };

    for (n = 0; n < sizeof(files) / sizeof(files[0]); n++) {
        heap = pay_heap_create();
        memset(&options, 0, sizeof(options));
        options.row = any_row;
        cr_assert_eq(pay_settle_open(pay_heap_arena(heap),
                                     pay_str_of(files[n].format), &options,
                                     &reader), PAY_OK);
        cr_assert_eq(pay_settle_feed(reader, pay_str_of(files[n].file)),
                     PAY_OK);
        cr_assert_eq(pay_settle_end(reader), PAY_OK);
        cr_assert_eq(pay_settle_prove(reader, &verdict), PAY_OK);
        cr_assert_eq(pay_settle_stated(pay_heap_arena(heap), reader, &stated),
                     PAY_OK);
        cr_expect(pay_str_is(stated, files[n].stated), "%.*s",
                  pay_fmt(stated));
        pay_settle_close(reader);
        pay_heap_destroy(heap);
    }
}


#define PAGE_ROW                                                              \
    "SB,TX,ord-1,,T0006,2026/11/20 11:00:00 +0100,CR,1200,EUR,DR,50,EUR\n"    \
    "SF,EUR,1200,0,0,50,CR,0,CR,1150,1\nSC,1\n"

/* A file of PayPal with one row, of page `number`, with `footers` behind it. */
static pay_status_t
page_read(pay_heap_t *heap, const char *number, const char *footers,
    int64_t *page, pay_str_t *stated, pay_str_t *batch)
{
    pay_str_t              text;
    pay_status_t           status;
    pay_settle_reader_t   *reader;
    pay_settle_options_t   options;
    pay_settle_verdict_t   verdict;

    memset(&options, 0, sizeof(options));
    options.row = any_row;
    cr_assert_eq(pay_format(pay_heap_arena(heap), &text, 4096,
        "RH,2026/11/21 04:00:00 -0800,X,OWNER,9\nFH,%s\n"
        "SH,2026/11/20 00:00:00 +0100,2026/11/20 23:59:59 +0100,ACCT\n"
        "CH,Transaction ID,Invoice ID,PayPal Reference ID,Transaction Event "
        "Code,Transaction Completion Date,Transaction Debit or Credit,Gross "
        "Transaction Amount,Gross Transaction Currency,Fee Debit or Credit,Fee "
        "Amount,Fee Currency\n" PAGE_ROW "%s", number, footers), PAY_OK);
    cr_assert_eq(pay_settle_open(pay_heap_arena(heap), PAY_STR("paypal"),
                                 &options, &reader), PAY_OK);
    status = pay_settle_feed(reader, text);

    if (status == PAY_OK) {
        status = pay_settle_end(reader);
    }

    if (status == PAY_OK) {
        cr_assert_eq(pay_settle_prove(reader, &verdict), PAY_OK);
        *page = pay_settle_page(reader);
        cr_expect_eq(verdict, *page != 0 ? PAY_SETTLE_PARTIAL
                                         : PAY_SETTLE_PROVEN);
        cr_assert_eq(pay_settle_page_stated(pay_heap_arena(heap), reader,
                                            stated), PAY_OK);
        cr_assert_eq(pay_settle_batch(pay_heap_arena(heap), reader, batch),
                     PAY_OK);
    }

    pay_settle_close(reader);

    return status;
}


#define PAGE_OWN                                                              \
    "\"own\":{\"EUR\":{\"rows\":1,\"in\":1200,\"out\":0,"                     \
    "\"fee_in\":0,\"fee_out\":50}},\"all\":{"

/* The number of the file makes it a page, and the footers of the report the
 * last one.  Balances rule out one order of the fees, unless they fit both. */
Test(pay_settle_words, a_file_of_paypal_may_be_a_page_of_a_report)
{
    size_t       n;
    int64_t      page;
    pay_str_t    stated, batch;
    pay_heap_t  *heap;

    static const struct {
        const char  *number, *footers;
        int64_t      page;
        const char  *stated;
    } files[] = {
        { "1", "RF,EUR,1200,0,0,50,CR,0,CR,1150,1\nRC,1\nFF,1\n", 0, "" },
        { "1", "FF,1\n", 1, "{\"number\":1,\"last\":false," PAGE_OWN "}}" },
        { "2", "FF,1\n", 2, "{\"number\":2,\"last\":false," PAGE_OWN "}}" },
        { "2", "RF,EUR,2400,0,0,100,CR,0,CR,2300,2\nRC,2\nFF,1\n", 2,
          "{\"number\":2,\"last\":true,\"rows\":2," PAGE_OWN
          "\"EUR\":{\"rows\":2,\"in\":2400,\"out\":0,\"fees\":[0,100],"
          "\"nets\":[2300]}}}" },
        { "2", "RF,EUR,2400,0,100,0,CR,0,CR,2300,CR,0,CR,2500,2\n", 2,
          "{\"number\":2,\"last\":true," PAGE_OWN
          "\"EUR\":{\"rows\":2,\"in\":2400,\"out\":0,\"fees\":[100,0],"
          "\"nets\":[2500,2300]}}}" },
        { "3", "RC,7\n", 3,
          "{\"number\":3,\"last\":true,\"rows\":7," PAGE_OWN "}}" }
    };

    for (n = 0; n < sizeof(files) / sizeof(files[0]); n++) {
        heap = pay_heap_create();
        cr_assert_eq(page_read(heap, files[n].number, files[n].footers, &page,
                               &stated, &batch), PAY_OK);
        cr_expect_eq(page, files[n].page);
        cr_expect(pay_str_is(stated, files[n].stated), "%.*s",
                  pay_fmt(stated));
        cr_expect(pay_str_is(batch, "OWNER/2026-11-20"), "%.*s",
                  pay_fmt(batch));
        pay_heap_destroy(heap);
    }
}


Test(pay_settle_words, a_page_of_paypal_has_to_be_whole)
{
    size_t       n;
    int64_t      page;
    pay_str_t    stated, batch;
    pay_heap_t  *heap;

    static const struct {
        const char  *number, *footers;
    } files[] = {
        { "2", "" },                   /* cut */
        { "1000", "FF,1\n" },
        { "2", "RF,EUR,2400,0,0,100,CR,0,CR,2301,2\n" },
        { "2", "RF,EUR,1,0,0,0,CR,0,CR,1,2\nRF,EUR,1,0,0,0,CR,0,CR,1,2\n" },
        { "2", "RF,XYZ,1,0,0,0,CR,0,CR,1,2\n" },
        { "2", "RF,EUR,1,0,0,0,CR,0,CR,1,two\n" },
        { "2", "RF,EUR,1,0,0\n" },
        { "2", "RC,two\n" }
    };

    for (n = 0; n < sizeof(files) / sizeof(files[0]); n++) {
        heap = pay_heap_create();
        cr_expect_eq(page_read(heap, files[n].number, files[n].footers, &page,
                               &stated, &batch), PAY_INVALID, "%s",
                     files[n].footers);
        pay_heap_destroy(heap);
    }
}
