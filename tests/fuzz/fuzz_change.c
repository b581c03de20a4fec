/*
 * The bodies of POST …/refunds, …/capture and …/cancel, and the query of a
 * statement: the first byte says which.  What is accepted is within bounds,
 * holds no card number, has an amount that reads back as the same number, and
 * can be shown.
 */

#include "fuzz.h"

#include "pay_change.h"
#include "pay_pan.h"
#include "pay_seller.h"


#define SLUGS  "|invalid-json|duplicate-member|content-too-large|"            \
               "validation-error|amount-invalid|currency-unsupported|"        \
               "card-data-not-accepted|"


static void
check_refusal(const pay_err_t *err)
{
    fuzz_refused(err);
    FUZZ_CHECK(strstr(SLUGS, err->slug) != NULL);
    FUZZ_CHECK(err->pointer[0] == '\0' || err->pointer[0] == '/');
}


static void
check_shown(pay_arena_t *arena, pay_change_kind_t kind,
    const pay_change_request_t *request, const pay_currency_t *currency,
    int64_t minor)
{
    int64_t           again;
    pay_str_t         text, amount;
    pay_json_t       *json;
    pay_change_t      change;

    memset(&change, 0, sizeof(change));
    change.id = PAY_STR("id");
    change.kind = kind;
    change.order_id = PAY_STR("o");
    change.amount_minor = minor;
    change.currency = currency;
    change.reason = request->reason;
    change.metadata = request->metadata;
    change.created_at = change.changed_at = PAY_STR("t");

    FUZZ_CHECK(pay_change_render(arena, &change, PAY_STR("c"), &text)
               == PAY_OK);
    FUZZ_CHECK(pay_json_parse(text, NULL, &json, NULL) == PAY_OK);
    FUZZ_CHECK(pay_json_string(pay_json_get(json, "amount"), &amount)
               == PAY_OK);
    FUZZ_CHECK(pay_amount_parse(amount, currency, &again, NULL) == PAY_OK);
    FUZZ_CHECK(again == minor);
    pay_json_free(json);
}


static void
check_request(pay_arena_t *arena, pay_change_kind_t kind,
    const pay_change_request_t *request)
{
    int64_t                minor;
    unsigned               i;
    pay_err_t              err = { .slug = NULL };
    const pay_currency_t  *currency;

    static const char *const  codes[] = { "USD", "JPY", "KWD" };

    FUZZ_CHECK(request->reason.len <= PAY_REASON_MAX);
    FUZZ_CHECK(request->metadata.len <= 4096);
    FUZZ_CHECK(!pay_pan_found(request->reason));
    FUZZ_CHECK(!pay_pan_found(request->metadata));
    FUZZ_CHECK(request->amount.len != 0 || request->is_final);

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        FUZZ_CHECK(pay_currency_find(pay_str_of(codes[i]), &currency, NULL)
                   == PAY_OK);

        if (pay_change_amount(request, currency, &minor, &err) != PAY_OK) {
            check_refusal(&err);
            continue;
        }

        FUZZ_CHECK((minor == 0) == (request->amount.len == 0));
        FUZZ_CHECK(minor >= 0 && minor <= PAY_AMOUNT_MAX_MINOR);

        if (minor > 0) {
            check_shown(arena, kind, request, currency, minor);
        }
    }
}


static void
check_query(pay_str_t query)
{
    pay_err_t        err = { .slug = NULL };
    pay_statement_t  statement;

    if (pay_statement_parse(query, &statement, &err) != PAY_OK) {
        check_refusal(&err);
        return;
    }

    FUZZ_CHECK(statement.currency != NULL);
    FUZZ_CHECK(statement.limit >= 1
               && statement.limit <= PAY_STATEMENT_LIMIT_MAX);
    FUZZ_CHECK(statement.before >= 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pay_err_t              err = { .slug = NULL };
    pay_str_t              rest;
    pay_heap_t            *heap;
    pay_status_t           status;
    pay_change_kind_t      kind;
    pay_change_request_t   request;

    if (size == 0) {
        return 0;
    }

    rest = (pay_str_t) { size - 1, data + 1 };

    if (data[0] % (PAY_CHANGE_KINDS + 1) == PAY_CHANGE_KINDS) {
        check_query(rest);
        return 0;
    }

    heap = pay_heap_create();
    FUZZ_CHECK(heap != NULL);

    kind = (pay_change_kind_t) (data[0] % (PAY_CHANGE_KINDS + 1));
    status = pay_change_parse(pay_heap_arena(heap), kind, rest, &request,
                              &err);

    if (status == PAY_OK) {
        check_request(pay_heap_arena(heap), kind, &request);

    } else {
        FUZZ_CHECK(status == PAY_INVALID);
        check_refusal(&err);
    }

    pay_heap_destroy(heap);

    return 0;
}
