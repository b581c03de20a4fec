/*
 * Conformance of the pay-out adapters, what goes out: requests are a function
 * of the parcel alone, hold the item's key where it has a window, show the
 * secret in header fields only, and are refused where the provider's limits
 * are.
 */

#include "payout_world.h"


static pay_status_t
built(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    const payout_table_t *table, pay_payout_call_t call,
    const pay_payout_parcel_t *parcel, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_payout_account_t  account = payout_account(table);

    memset(err, 0, sizeof(*err));

    return pay_payout_request(arena, adapter, call, &account, parcel, request,
                              err);
}


static int
same(const pay_http_request_t *a, const pay_http_request_t *b)
{
    unsigned  i;

    if (a->field_count != b->field_count || !pay_str_eq(a->url, b->url)
        || !pay_str_eq(a->body, b->body) || !pay_str_eq(a->method, b->method))
    {
        return 0;
    }

    for (i = 0; i < a->field_count; i++) {
        if (!pay_str_eq(a->fields[i].value, b->fields[i].value)) {
            return 0;
        }
    }

    return 1;
}


static int
holds(pay_str_t text, const char *part)
{
    size_t  i, len = strlen(part);

    for (i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, part, len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* The secret, a line end in a field, a URL of another host. */
static void
check_outside(const char *where, const pay_http_request_t *request)
{
    size_t    k;
    unsigned  i;

    cr_expect(!holds(request->url, "CANARY") && !holds(request->body, "CANARY"),
              "%s", where);
    cr_expect(holds(request->url, "https://provider.example/base/"), "%s: "
              "%.*s", where, pay_fmt(request->url));
    cr_expect_lt(request->field_count, PAY_HTTP_HEADERS_MAX, "%s", where);

    for (i = 0; i < request->field_count; i++) {
        for (k = 0; k < request->fields[i].value.len; k++) {
            cr_expect(request->fields[i].value.data[k] >= ' '
                      && request->fields[i].value.data[k] <= '~', "%s",
                      where);
        }
    }
}


static void
check_call(const pay_payout_adapter_t *adapter, const payout_table_t *table,
    pay_payout_call_t call, unsigned step)
{
    char                      where[64];
    pay_err_t                 err;
    pay_heap_t               *heap = pay_heap_create();
    pay_payout_item_t         other = table->item;
    pay_http_request_t        first, second;
    pay_payout_parcel_t       parcel = payout_parcel(table);
    const pay_payout_step_t  *facts = pay_payout_step(adapter, step);

    snprintf(where, sizeof(where), "%s %d %u",
             pay_payout_adapter_name(adapter), (int) call, step);
    parcel.step = step;
    cr_assert_eq(built(pay_heap_arena(heap), adapter, table, call, &parcel,
                       &first, &err), PAY_OK, "%s: %s", where,
                 err.detail ? err.detail : "");
    cr_assert_eq(built(pay_heap_arena(heap), adapter, table, call, &parcel,
                       &second, &err), PAY_OK, "%s", where);
    cr_expect(same(&first, &second), "%s: another request the second time",
              where);
    check_outside(where, &first);

    if (call == PAY_PAYOUT_SEND && facts->window_hours != 0) {
        other.key = PAY_STR(OTHER_KEY);
        parcel.items = &other;
        parcel.key = other.key;
        cr_assert_eq(built(pay_heap_arena(heap), adapter, table, call,
                           &parcel, &second, &err), PAY_OK, "%s", where);
        cr_expect(!same(&first, &second), "%s: no key in it", where);
    }

    pay_heap_destroy(heap);
}


static void
check_memory(const pay_payout_adapter_t *adapter, const payout_table_t *table,
    pay_payout_call_t call, unsigned step)
{
    unsigned             n;
    pay_err_t            err;
    pay_heap_t          *heap;
    pay_status_t         status;
    pay_http_request_t   request;
    pay_payout_parcel_t  parcel = payout_parcel(table);

    parcel.step = step;

    for (n = 1; n <= TORTURE_ROUNDS; n++) {
        heap = pay_heap_create();
        pay_heap_fail_at(heap, n);
        memset(&request, TORTURE_FILL, sizeof(request));
        status = built(pay_heap_arena(heap), adapter, table, call, &parcel,
                       &request, &err);

        if (!pay_heap_failed(heap)) {
            pay_heap_destroy(heap);
            return;
        }

        cr_expect_eq(status, PAY_NO_MEMORY, "%s at %u: %d",
                     pay_payout_adapter_name(adapter), n, status);
        cr_expect_eq(((unsigned char *) &request)[0], TORTURE_FILL);
        pay_heap_destroy(heap);
    }

    cr_assert_fail("no success in %d rounds", TORTURE_ROUNDS);
}


typedef void (*call_check_pt)(const pay_payout_adapter_t *adapter,
    const payout_table_t *table, pay_payout_call_t call, unsigned step);


static void
for_each_call(call_check_pt check)
{
    unsigned                     step, call;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter;

    EACH_PROVIDER(adapter) {
        table = payout_table(adapter);

        for (step = 0; pay_payout_step(adapter, step) != NULL; step++) {
            for (call = 0; call < PAY_PAYOUT_CALL_COUNT; call++) {
                if (pay_payout_can(adapter, (pay_payout_call_t) call)) {
                    check(adapter, table, (pay_payout_call_t) call, step);
                }
            }
        }
    }
}


Test(pay_payout_request, each_call_is_a_function_of_its_parcel_and_has_its_key)
{
    for_each_call(check_call);
}


Test(pay_payout_request, requests_survive_each_failed_allocation)
{
    for_each_call(check_memory);
}


/* What our own rows must not hold is a mistake of ours, never a call. */
Test(pay_payout_request, items_that_are_not_sane_are_never_sent)
{
    unsigned                     i;
    pay_err_t                    err;
    pay_heap_t                  *heap = pay_heap_create();
    pay_http_request_t           request;
    pay_payout_item_t            items[12];
    pay_payout_parcel_t          parcel;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter;

    EACH_PROVIDER(adapter) {
        table = payout_table(adapter);

        for (i = 0; i < 12; i++) {
            items[i] = table->item;
        }

        items[0].key = PAY_STR("0123456789abcdef0123456789abcdef");
        items[1].key = PAY_STR("0123456789abcdef0123456789abcdef-0");
        items[2].key = PAY_STR("0123456789abcdef0123456789abcdef-100");
        items[3].key = PAY_STR("0123456789ABCDEF0123456789abcdef-1");
        items[4].amount_minor = 0;
        items[5].amount_minor = -3000;
        items[6].amount_minor = PAY_AMOUNT_MAX_MINOR + 1;
        items[7].to.name = PAY_STR("J\xc3\xbcrgen");
        items[8].text = PAY_STR("a\r\nb");
        items[9].to.kind = PAY_PAYOUT_TO_IBAN;
        items[9].to.iban = PAY_STR("DE88370400440532013000");
        items[10].to.bic = PAY_STR("COBADEF");
        items[11].to.country = PAY_STR("de");

        for (i = 0; i < 12; i++) {
            parcel = payout_parcel(table);
            parcel.items = &items[i];
            cr_expect_eq(built(pay_heap_arena(heap), adapter, table,
                               PAY_PAYOUT_SEND, &parcel, &request, &err),
                         PAY_BUG, "%s %u", pay_payout_adapter_name(adapter),
                         i);
            cr_expect_eq(pay_payout_fits(adapter, &items[i], &err), PAY_BUG,
                         "%s %u", pay_payout_adapter_name(adapter), i);
        }
    }

    pay_heap_destroy(heap);
}


/* An earlier step must have answered. */
Test(pay_payout_request, a_step_is_not_sent_before_the_one_before_it)
{
    unsigned                     i;
    pay_err_t                    err;
    pay_heap_t                  *heap = pay_heap_create();
    pay_http_request_t           request;
    pay_payout_parcel_t          parcel;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter;

    EACH_PROVIDER(adapter) {
        table = payout_table(adapter);

        for (i = 1; pay_payout_step(adapter, i) != NULL; i++) {
            parcel = payout_parcel(table);
            parcel.step = i;
            parcel.ids[i - 1] = PAY_STR("");
            cr_expect_eq(built(pay_heap_arena(heap), adapter, table,
                               PAY_PAYOUT_SEND, &parcel, &request, &err),
                         PAY_BUG, "%s %u", pay_payout_adapter_name(adapter),
                         i);
        }

        parcel = payout_parcel(table);
        parcel.step = i;
        cr_expect_eq(built(pay_heap_arena(heap), adapter, table,
                           PAY_PAYOUT_SEND, &parcel, &request, &err), PAY_BUG,
                     "%s", pay_payout_adapter_name(adapter));
        parcel = payout_parcel(table);
        parcel.count = pay_payout_items_max(adapter) + 1;
        cr_expect_eq(built(pay_heap_arena(heap), adapter, table,
                           PAY_PAYOUT_SEND, &parcel, &request, &err), PAY_BUG,
                     "%s", pay_payout_adapter_name(adapter));
    }

    pay_heap_destroy(heap);
}


static const char *
fit(const char *adapter, const char *currency, int64_t minor)
{
    pay_status_t                 status;
    pay_payout_item_t            item;
    const pay_payout_adapter_t  *row = pay_payout_find(str(adapter));

    static pay_err_t  err;

    cr_assert_not_null(row, "%s", adapter);
    item = payout_table(row)->item;
    item.currency = currency_of(currency);
    item.amount_minor = minor;
    memset(&err, 0, sizeof(err));
    status = pay_payout_fits(row, &item, &err);

    return (status == PAY_OK) ? "ok" : (status == PAY_INVALID) ? err.slug
           : "bug";
}


Test(pay_payout_request, each_provider_has_its_currencies_and_amounts)
{
    size_t  i;

    static const struct {
        const char  *adapter;
        const char  *currency;
        int64_t      minor;
        const char  *expected;
    } rows[] = {
        { "generic", "EUR", 1, "ok" },
        { "generic", "KWD", 1, "ok" },
        { "generic", "JPY", PAY_AMOUNT_MAX_MINOR, "ok" },
        { "stripe", "EUR", 1, "ok" },
        { "stripe", "HUF", 12300, "ok" },
        { "stripe", "HUF", 12301, "amount-invalid" },
        { "stripe", "KWD", 12341, "amount-invalid" },
        { "stripe", "KWD", 10, "ok" },
        { "stripe", "JPY", 1, "ok" },
        { "stripe", "MGA", 101, "amount-invalid" },
        { "stripe", "MGA", 200, "ok" },
        { "stripe", "IQD", 1000, "currency-unsupported" },
        { "stripe", "CLF", 10000, "currency-unsupported" },
        { "adyen", "CVE", 12345, "amount-invalid" },
        { "adyen", "IDR", 12300, "ok" },
        { "adyen", "CLF", 10000, "currency-unsupported" },
        { "tipalti", "USD", 1, "ok" },
        { "paypal", "EUR", 1, "ok" },
        { "paypal", "HUF", 101, "amount-invalid" },
        { "paypal", "KWD", 1000, "currency-unsupported" },
        { "pain001", "EUR", 1, "ok" },
        { "pain001", "EUR", 99999999999, "ok" },
        { "pain001", "EUR", 100000000000, "amount-invalid" },
        { "pain001", "USD", 1, "currency-unsupported" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_str_eq(fit(rows[i].adapter, rows[i].currency,
                             rows[i].minor), rows[i].expected, "%s %s %lld",
                         rows[i].adapter, rows[i].currency,
                         (long long) rows[i].minor);
    }
}


/* An item that fitted and had no spelling was sent to nobody, for ever. */
Test(pay_payout_request, what_fits_can_be_written, .timeout = 60)
{
    size_t                       k;
    pay_err_t                    err;
    pay_heap_t                  *heap;
    pay_payout_item_t            item;
    pay_http_request_t           request;
    pay_payout_parcel_t          parcel;
    const payout_table_t        *table;
    const pay_currency_t        *currency;
    const pay_payout_adapter_t  *adapter;

    static const int64_t  amounts[] = {
        1, 5, 10, 99, 100, 12345, 12300, 999999999999999,
        999999999999900, PAY_AMOUNT_MAX_MINOR
    };

    EACH_PROVIDER(adapter) {
        if (pay_payout_traits(adapter) & PAY_PAYOUT_IS_FILE) {
            continue;
        }

        table = payout_table(adapter);
        item = table->item;
        parcel = payout_parcel(table);
        parcel.items = &item;

        for (currency = pay_currency_table(); currency->code[0] != '\0';
             currency++)
        {
            item.currency = currency;

            for (k = 0; k < sizeof(amounts) / sizeof(amounts[0]); k++) {
                item.amount_minor = amounts[k];

                if (pay_payout_fits(adapter, &item, &err) != PAY_OK) {
                    continue;
                }

                for (parcel.step = 0;
                     pay_payout_step(adapter, parcel.step) != NULL;
                     parcel.step++)
                {
                    heap = pay_heap_create();
                    cr_expect_eq(built(pay_heap_arena(heap), adapter, table,
                                       PAY_PAYOUT_SEND, &parcel, &request,
                                       &err), PAY_OK, "%s %u %s %lld",
                                 pay_payout_adapter_name(adapter),
                                 parcel.step, currency->code,
                                 (long long) amounts[k]);
                    pay_heap_destroy(heap);
                }
            }
        }
    }
}


/* A list of all transfers of a platform would be read for hours before it
 * proves anything. */
Test(pay_payout_request, adyen_looks_for_its_reference_alone)
{
    pay_err_t                    err;
    pay_heap_t                  *heap = pay_heap_create();
    pay_http_request_t           request;
    pay_payout_parcel_t          parcel;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter = pay_payout_find(str("adyen"));

    table = payout_table(adapter);
    parcel = payout_parcel(table);
    cr_assert_eq(built(pay_heap_arena(heap), adapter, table, PAY_PAYOUT_FIND,
                       &parcel, &request, &err), PAY_OK);
    cr_expect(holds(request.url, "&reference=" ITEM_KEY "&"), "%.*s",
              pay_fmt(request.url));
    cr_expect(holds(request.url, "&createdSince=2026-11-21T")
              && holds(request.url, "&createdUntil=2026-12-21T"), "%.*s",
              pay_fmt(request.url));

    pay_heap_destroy(heap);
}
