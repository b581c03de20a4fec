/*
 * Prints the request of every capability of every PSP adapter as a line of
 * JSON: psp, operation, method, url, fields, body.  Keys are left out.  For
 * tests/integration/test_openapi_psp.py and tests/openapi/check; `make
 * psp-requests` builds it.  No input, no network.
 */

#include "pay_psp.h"

#include <stdio.h>
#include <stdlib.h>


#define REFERENCE  "0199c0de-0000-7000-8000-000000000001"
#define OPERATION  "0199c0de-0000-7000-8000-0000000000c1"

typedef struct {
    const char  *operation;
    int          kind;                 /* of a change, or -1 */
} call_t;


static int print_call(const pay_psp_adapter_t *psp, const call_t *call);
static pay_status_t build(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const call_t *call, pay_http_request_t *request);
static pay_status_t build_order(pay_arena_t *arena,
    const pay_psp_adapter_t *psp, const char *operation,
    pay_http_request_t *request);
static pay_status_t build_list(pay_arena_t *arena,
    const pay_psp_adapter_t *psp, pay_http_request_t *request);
static pay_status_t build_change(pay_arena_t *arena,
    const pay_psp_adapter_t *psp, int kind, pay_http_request_t *request);
static pay_status_t line(pay_arena_t *arena, const char *psp,
    const char *operation, const pay_http_request_t *request,
    pay_str_t *text);
static pay_status_t fields_set(pay_json_t *json,
    const pay_http_request_t *request);


static const call_t  calls[] = {
    { "register", -1 }, { "query", -1 }, { "find", -1 }, { "list", -1 },
    { "auth", -1 }, { "hold", -1 },
    { "capture", PAY_PSP_CAPTURE }, { "cancel", PAY_PSP_CANCEL },
    { "refund", PAY_PSP_REFUND }, { "expire", PAY_PSP_EXPIRE },
    { NULL, 0 }
};

static const pay_psp_account_t  account = {
    .base_url = pay_string("https://psp.example"),
    .api_key = pay_string("id:secret"),
    .account = pay_string("OurAccount")
};


int
main(void)
{
    const call_t                    *call;
    const pay_psp_adapter_t *const  *row;

    for (row = pay_psp_table(); *row != NULL; row++) {
        for (call = calls; call->operation != NULL; call++) {
            if (!print_call(*row, call)) {
                fprintf(stderr, "%s: %s cannot be built\n", (*row)->name,
                        call->operation);
                return 1;
            }
        }
    }

    return 0;
}


/* 1 also when the adapter has no such call. */
static int
print_call(const pay_psp_adapter_t *psp, const call_t *call)
{
    pay_str_t           text;
    pay_heap_t         *heap = pay_heap_create();
    pay_status_t        status;
    pay_http_request_t  request;

    if (heap == NULL) {
        return 0;
    }

    status = build(pay_heap_arena(heap), psp, call, &request);

    if (status == PAY_OK) {
        status = line(pay_heap_arena(heap), psp->name, call->operation,
                      &request, &text);
    }

    if (status == PAY_OK) {
        printf("%.*s\n", pay_fmt(text));
    }

    pay_heap_destroy(heap);

    return status == PAY_OK || status == PAY_NOT_FOUND;
}


/* PAY_NOT_FOUND when the adapter has no such call. */
static pay_status_t
build(pay_arena_t *arena, const pay_psp_adapter_t *psp, const call_t *call,
    pay_http_request_t *request)
{
    if (call->kind >= 0) {
        return (psp->changes & PAY_PSP_CAN(call->kind))
               ? build_change(arena, psp, call->kind, request)
               : PAY_NOT_FOUND;
    }

    if (call->operation[0] == 'r'
        || (call->operation[0] == 'h' && (psp->traits & PAY_PSP_AUTHORIZES)))
    {
        return psp->register_request
               ? build_order(arena, psp, call->operation, request)
               : PAY_NOT_FOUND;
    }

    if (call->operation[0] == 'f') {
        return psp->find_request
               ? build_order(arena, psp, call->operation, request)
               : PAY_NOT_FOUND;
    }

    if (call->operation[0] == 'l') {
        return psp->list_request ? build_list(arena, psp, request)
                                 : PAY_NOT_FOUND;
    }

    if (call->operation[0] == 'q') {
        return psp->query_request
               ? psp->query_request(arena, &account, PAY_STR("token_1"),
                                    request)
               : PAY_NOT_FOUND;
    }

    return (psp->auth_request && call->operation[0] == 'a')
           ? psp->auth_request(arena, &account, request) : PAY_NOT_FOUND;
}


/* Its registration, one that only holds the money, or the search for it. */
static pay_status_t
build_order(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const char *operation, pay_http_request_t *request)
{
    pay_err_t           err;
    pay_psp_checkout_t  checkout;

    memset(&checkout, 0, sizeof(checkout));
    checkout.nonce = PAY_STR(REFERENCE);
    checkout.merchant_reference = PAY_STR(REFERENCE);
    checkout.amount_minor = 3000;
    checkout.expires_s = 1795240200;
    checkout.return_url = PAY_STR("https://pay.example.com/return/abc");
    checkout.webhook_url = PAY_STR("https://pay.example.com/webhooks/psp");
    checkout.line_count = 2;
    checkout.capture_later = operation[0] == 'h';
    checkout.lines[0].payment_order_id = PAY_STR("order-1");
    checkout.lines[0].name = PAY_STR("T-shirt & \"caf\xc3\xa9\"");
    checkout.lines[0].amount_minor = 1000;
    checkout.lines[1].payment_order_id = PAY_STR("order-2");
    checkout.lines[1].name = PAY_STR("");
    checkout.lines[1].amount_minor = 2000;

    PAY_TRY(pay_currency_find(PAY_STR("EUR"), &checkout.currency, &err));

    if (operation[0] == 'f') {
        return psp->find_request(arena, &account, &checkout, request);
    }

    return psp->register_request(arena, &account, &checkout, request, &err);
}


static pay_status_t
build_list(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    pay_http_request_t *request)
{
    pay_psp_list_t  list;

    memset(&list, 0, sizeof(list));
    list.since_s = 1795150000;
    list.until_s = 1795236400;

    return psp->list_request(arena, &account, &list, request);
}


static pay_status_t
build_change(pay_arena_t *arena, const pay_psp_adapter_t *psp, int kind,
    pay_http_request_t *request)
{
    pay_err_t         err;
    pay_psp_change_t  change;

    memset(&change, 0, sizeof(change));
    change.kind = (pay_psp_change_kind_t) kind;
    change.key = PAY_STR(OPERATION);
    change.token = PAY_STR("token_1");
    change.alias = PAY_STR("alias_1");
    change.reference = PAY_STR("payment_1");
    change.merchant_reference = PAY_STR(REFERENCE);
    change.amount_minor = 1000;
    change.is_final = 1;
    change.reason = PAY_STR("requested_by_customer");

    PAY_TRY(pay_currency_find(PAY_STR("EUR"), &change.currency, &err));

    return psp->change_request(arena, &account, &change, request, &err);
}


static pay_status_t
line(pay_arena_t *arena, const char *psp, const char *operation,
    const pay_http_request_t *request, pay_str_t *text)
{
    pay_json_t   *json = pay_json_object_new();
    pay_status_t  status;

    if (json == NULL) {
        return PAY_NO_MEMORY;
    }

    status = pay_json_set_string(json, "psp", pay_str_of(psp));

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "operation",
                                     pay_str_of(operation));
    }

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "method", request->method);
    }

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "url", request->url);
    }

    if (status == PAY_OK) {
        status = fields_set(json, request);
    }

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "body", request->body.len
                                     ? request->body : PAY_STR(""));
    }

    if (status == PAY_OK) {
        status = pay_json_write(arena, json, text);
    }

    pay_json_free(json);

    return status;
}


/* All but those that hold a key. */
static pay_status_t
fields_set(pay_json_t *json, const pay_http_request_t *request)
{
    unsigned      i;
    pay_json_t   *fields = pay_json_object_new();
    pay_status_t  status = PAY_OK;

    for (i = 0; fields != NULL && i < request->field_count; i++) {
        if (!pay_str_is(request->fields[i].name, "Authorization")
            && !pay_str_is(request->fields[i].name, "X-API-Key"))
        {
            status = pay_json_set_string(fields,
                         (const char *) request->fields[i].name.data,
                         request->fields[i].value);
        }

        if (status != PAY_OK) {
            pay_json_free(fields);
            return status;
        }
    }

    return pay_json_set(json, "fields", fields);
}
