/* Bank files: their bytes, their sums, and that nothing breaks out of them. */

#include "payout_world.h"


typedef struct {
    char    text[65536];
    size_t  len;
    int     calls_left;                /* 0: the next one fails */
} sink_t;


static pay_status_t
sink_write(void *data, pay_str_t bytes)
{
    sink_t  *sink = data;

    if (sink->calls_left-- == 0) {
        return PAY_NO_MEMORY;
    }

    cr_assert_lt(sink->len + bytes.len, sizeof(sink->text));
    memcpy(sink->text + sink->len, bytes.data, bytes.len);
    sink->len += bytes.len;
    sink->text[sink->len] = '\0';

    return PAY_OK;
}


static pay_payout_item_t
item_of(const char *key, int64_t minor)
{
    pay_payout_item_t  item;

    memset(&item, 0, sizeof(item));
    item.key = str(key);
    item.currency = currency_of("EUR");
    item.amount_minor = minor;
    item.to.kind = PAY_PAYOUT_TO_IBAN;
    item.to.iban = PAY_STR("NL91ABNA0417164300");
    item.to.name = PAY_STR("Jane Mueller + Soehne");

    return item;
}


/* Begins a file, writes `count` items, ends it; the first status that is not
 * PAY_OK. */
static pay_status_t
written(sink_t *sink, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_payout_sums_t sums,
    const pay_payout_item_t *items, unsigned count)
{
    unsigned           i;
    pay_err_t          err;
    pay_heap_t        *heap = pay_heap_create();
    pay_status_t       status;
    pay_payout_file_t  file;

    sink->len = 0;
    sink->text[0] = '\0';
    status = pay_payout_file_begin(&file, pay_heap_arena(heap), account,
                                   parcel, &sums, sink_write, sink, &err);
    pay_heap_destroy(heap);

    for (i = 0; i < count && status == PAY_OK; i++) {
        status = pay_payout_file_item(&file, &items[i], &err);
    }

    return (status == PAY_OK) ? pay_payout_file_end(&file) : status;
}


/* tests/fixtures/payout/pain001/two.xml, which
 * tests/integration/test_payout_files.py holds against a public library. */
static const char *
expected(void)
{
    FILE    *file = fopen("tests/fixtures/payout/pain001/two.xml", "rb");
    size_t   len;

    static char  kept[8192];

    cr_assert_not_null(file);
    len = fread(kept, 1, sizeof(kept) - 1, file);
    fclose(file);
    kept[len] = '\0';

    return kept;
}


static void
two_items(pay_payout_item_t *items, pay_payout_parcel_t *parcel,
    pay_payout_account_t *account, pay_payout_sums_t *sums)
{
    const payout_table_t  *table;

    table = payout_table(pay_payout_find(str("pain001")));
    *parcel = payout_parcel(table);
    *account = payout_account(table);
    parcel->key = PAY_STR("batch-7");
    items[0] = item_of("0123456789abcdef0123456789abcdef-1", 3000);
    items[1] = item_of("1123456789abcdef0123456789abcdef-1", 99999999999);
    items[1].to.bic = PAY_STR("ABNANL2A");
    items[1].text = PAY_STR("PAYOUT 4711 Acme");
    sums->count = 2;
    sums->minor = 100000002999;
}


Test(pay_payout_pain001, a_file_has_its_elements_in_the_order_of_the_schema)
{
    pay_payout_sums_t     sums;
    pay_payout_item_t     items[2];
    pay_payout_parcel_t   parcel;
    pay_payout_account_t  account;

    static sink_t  sink;

    two_items(items, &parcel, &account, &sums);
    sink.calls_left = 100;
    parcel.made_s = 1795240200;
    cr_assert_eq(written(&sink, &account, &parcel, sums, items, 2), PAY_OK);
    cr_expect_str_eq(sink.text, expected());

    account.debtor_bic = PAY_STR("");
    sink.calls_left = 100;
    cr_assert_eq(written(&sink, &account, &parcel, sums, items, 2), PAY_OK);
    cr_expect(strstr(sink.text, "<DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED"
                     "</Id></Othr></FinInstnId></DbtrAgt>") != NULL);
}


/* A file that pays more or less than its head says must never go out. */
Test(pay_payout_pain001, items_that_were_not_announced_spoil_the_file)
{
    pay_payout_sums_t     sums, wrong;
    pay_payout_item_t     items[2];
    pay_payout_parcel_t   parcel;
    pay_payout_account_t  account;

    static sink_t  sink;

    two_items(items, &parcel, &account, &sums);
    sink.calls_left = 100;

    wrong = sums;
    wrong.minor--;
    cr_expect_eq(written(&sink, &account, &parcel, wrong, items, 2), PAY_BUG);
    wrong = sums;
    wrong.count--;
    cr_expect_eq(written(&sink, &account, &parcel, wrong, items, 2), PAY_BUG);
    cr_expect_eq(written(&sink, &account, &parcel, sums, items, 1), PAY_BUG);
    wrong.count = 0;
    cr_expect_eq(written(&sink, &account, &parcel, wrong, items, 0), PAY_BUG);
    cr_expect_eq(strstr(sink.text, "</Document>"), NULL);
}


Test(pay_payout_pain001, what_sepa_does_not_take_is_refused)
{
    pay_payout_sums_t     sums = { 1, 3000 };
    pay_payout_item_t     items[2];
    pay_payout_parcel_t   parcel;
    pay_payout_account_t  account, other;

    static sink_t  sink;

    two_items(items, &parcel, &account, &sums);
    sums = (pay_payout_sums_t) { 1, 3000 };
    sink.calls_left = 1000;

    items[0].currency = currency_of("USD");
    cr_expect_eq(written(&sink, &account, &parcel, sums, items, 1),
                 PAY_INVALID);
    items[0] = items[1];
    items[0].amount_minor = 100000000000;
    cr_expect_eq(written(&sink, &account, &parcel, sums, items, 1),
                 PAY_INVALID);
    items[0] = items[1];
    items[0].to.name = PAY_STR("A</Nm><Nm>B");
    cr_expect_eq(written(&sink, &account, &parcel, sums, items, 1), PAY_BUG);
    items[0].to.name = PAY_STR("M & S");
    cr_expect_eq(written(&sink, &account, &parcel, sums, items, 1), PAY_BUG);

    other = account;
    other.debtor_name = PAY_STR("M\xc3\xbcller");
    cr_expect_eq(written(&sink, &other, &parcel, sums, items, 1),
                 PAY_INVALID);
    other = account;
    other.debtor_iban = PAY_STR("DE88370400440532013000");
    cr_expect_eq(written(&sink, &other, &parcel, sums, items, 1),
                 PAY_INVALID);

    parcel.key = PAY_STR("a-key-that-has-thirty-six-characters");
    cr_expect_eq(written(&sink, &account, &parcel, sums, items, 1), PAY_BUG);
    parcel.key = PAY_STR("a_b");
    cr_expect_eq(written(&sink, &account, &parcel, sums, items, 1), PAY_BUG);
}


/* A disk that is full ends the file, at each place. */
Test(pay_payout_pain001, a_write_that_fails_is_handed_on)
{
    int                   n;
    pay_payout_sums_t     sums;
    pay_payout_item_t     items[2];
    pay_payout_parcel_t   parcel;
    pay_payout_account_t  account;

    static sink_t  sink;

    two_items(items, &parcel, &account, &sums);

    for (n = 0; n < 4; n++) {
        sink.calls_left = n;
        cr_expect_eq(written(&sink, &account, &parcel, sums, items, 2),
                     PAY_NO_MEMORY, "%d", n);
    }

    sink.calls_left = 4;
    cr_expect_eq(written(&sink, &account, &parcel, sums, items, 2), PAY_OK);
}


/* The longest of all members fit into the room of one call. */
Test(pay_payout_pain001, the_longest_item_fits)
{
    char                  name[71], text[141];
    pay_payout_sums_t     sums;
    pay_payout_item_t     items[2];
    pay_payout_parcel_t   parcel;
    pay_payout_account_t  account;

    static sink_t  sink;

    memset(name, 'N', 70);
    name[70] = '\0';
    memset(text, 'T', 140);
    text[140] = '\0';
    two_items(items, &parcel, &account, &sums);
    parcel.key = PAY_STR("0123456789abcdef0123456789abcdef-12");
    account.debtor_name = str(name);
    account.debtor_iban = PAY_STR("LC55HEMM000100010012001200023015");
    items[1].key = PAY_STR("1123456789abcdef0123456789abcdef-12");
    items[1].to.name = str(name);
    items[1].to.bic = PAY_STR("ABNANL2AXXX");
    items[1].to.iban = PAY_STR("LC55HEMM000100010012001200023015");
    items[1].text = str(text);
    sink.calls_left = 100;
    cr_expect_eq(written(&sink, &account, &parcel, sums, items, 2), PAY_OK);
}
