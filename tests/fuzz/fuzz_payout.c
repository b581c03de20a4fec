/*
 * Fuzz target: answers and webhooks of pay-out providers.  Input: a byte that
 * names the adapter, one the call and its step, one the status, then the
 * body.  Whatever the bytes: an outcome of ours with a code, a refusal under a
 * 4xx alone, no text that a log or a row could trip over, no amount that no
 * item has but 0.  tests/fuzz/run makes seeds of the fixtures.
 */

#include "fuzz.h"

#include "../answer.h"
#include "pay_payout.h"


#define must  FUZZ_CHECK

static void walk_answer(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, unsigned choice,
    const pay_payout_parcel_t *parcel, const pay_http_answer_t *answer);
static void walk_hook(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, pay_str_t body);
static void check_events(const pay_payout_event_t *events, unsigned count);
static void check_word(pay_str_t word, size_t max);


static const unsigned  statuses[] = {
    200, 201, 202, 302, 400, 401, 403, 404, 409, 422, 429, 500
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned              n = 0;
    pay_heap_t           *heap;
    pay_payout_item_t     item;
    pay_http_answer_t     answer = answer_blank(PAY_ANSWERED);
    pay_payout_parcel_t   parcel;

    if (size < 3) {
        return 0;
    }

    heap = pay_heap_create();
    must(heap != NULL);

    memset(&item, 0, sizeof(item));
    item.key = PAY_STR("0123456789abcdef0123456789abcdef-1");
    item.amount_minor = 3000;
    item.to.kind = PAY_PAYOUT_TO_IBAN;
    item.to.iban = PAY_STR("DE89370400440532013000");
    item.to.name = PAY_STR("Jane Mueller");
    must(pay_currency_find(PAY_STR("EUR"), &item.currency, NULL) == PAY_OK);

    memset(&parcel, 0, sizeof(parcel));
    parcel.key = item.key;
    parcel.items = &item;
    parcel.count = 1;
    parcel.made_s = 1795240200;

    while (n < PAY_PAYOUT_STEPS_MAX) {
        parcel.ids[n++] = PAY_STR("id_1");
    }

    for (n = 0; pay_payout_table()[n] != NULL; n++) { /* void */ }

    answer.status = statuses[data[2] % (sizeof(statuses)
                                        / sizeof(statuses[0]))];
    answer.body = (pay_str_t) { size - 3, data + 3 };
    walk_answer(pay_heap_arena(heap), pay_payout_table()[data[0] % n], data[1],
                &parcel, &answer);
    walk_hook(pay_heap_arena(heap), pay_payout_table()[data[0] % n],
              answer.body);
    pay_heap_destroy(heap);

    return 0;
}


static void
walk_answer(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    unsigned choice, const pay_payout_parcel_t *parcel,
    const pay_http_answer_t *answer)
{
    pay_payout_call_t    call = (pay_payout_call_t) (choice % 4);
    pay_payout_parcel_t  ours = *parcel;
    pay_payout_result_t  result;

    ours.step = choice / 4 % PAY_PAYOUT_STEPS_MAX;

    if (pay_payout_step(adapter, ours.step) == NULL
        || !pay_payout_can(adapter, call))
    {
        return;
    }

    must(pay_payout_answer(arena, adapter, call, &ours, answer, &result)
         == PAY_OK);
    must((result.code.len == 0) == (result.outcome == PAY_PSP_DONE));
    must(result.outcome != PAY_PSP_REFUSED || answer->status / 100 == 4);
    must(result.outcome != PAY_PSP_REFUSED || call == PAY_PAYOUT_SEND
         || call == PAY_PAYOUT_CANCEL);
    must(result.next.len == 0
         || result.outcome == (call == PAY_PAYOUT_ASK ? PAY_PSP_DONE
                                                      : PAY_PSP_UNKNOWN));
    check_word(result.code, PAY_PSP_CODE_MAX);
    check_word(result.reference, PAY_PSP_TOKEN_MAX);
    must(result.next.len <= PAY_PAYOUT_CURSOR_MAX);
    check_events(result.events, result.count);
}


static void
walk_hook(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    pay_str_t body)
{
    unsigned              count = 0;
    pay_err_t             err;
    pay_payout_event_t   *events = NULL;
    pay_payout_account_t  account;

    memset(&account, 0, sizeof(account));
    account.call.live = -1;

    if (pay_payout_webhook(arena, adapter, &account, body, &events, &count,
                           &err)
        != PAY_OK)
    {
        fuzz_refused(&err);
        return;
    }

    check_events(events, count);
}


static void
check_events(const pay_payout_event_t *events, unsigned count)
{
    unsigned  i;

    must(count <= PAY_PAYOUT_EVENTS_MAX);

    for (i = 0; i < count; i++) {
        check_word(events[i].event_id, PAY_PSP_TOKEN_MAX);
        check_word(events[i].reference, PAY_PSP_TOKEN_MAX);
        check_word(events[i].parcel, PAY_PSP_TOKEN_MAX);
        check_word(events[i].type, PAY_PSP_CODE_MAX);
        check_word(events[i].code, PAY_PSP_CODE_MAX);
        check_word(events[i].key, PAY_PAYOUT_KEY_MAX);
        check_word(events[i].account_end, PAY_PAYOUT_END_MAX);
        check_word(events[i].fee_currency, 3);
        must(events[i].state >= PAY_PAYOUT_SENDING
             && events[i].state < PAY_PAYOUT_STATE_COUNT
             && events[i].state != PAY_PAYOUT_SETTLED);
        must(!events[i].has_amount
             || (events[i].amount_minor >= 0
                 && events[i].amount_minor <= PAY_AMOUNT_MAX_MINOR
                 && events[i].currency.len == 3));
        must(events[i].occurred_us >= 0);
    }
}


static void
check_word(pay_str_t word, size_t max)
{
    size_t  i;

    must(word.len <= max);

    for (i = 0; i < word.len; i++) {
        must(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789_.:~-", word.data[i]) != NULL
             && word.data[i] != '\0');
    }
}
