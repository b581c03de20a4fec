/*
 * Conformance of the pay-out adapters: each case of an adapter is run as it
 * says, and spoilt in the ways that answers are spoilt in life; requests are
 * the same on each attempt and hold the key.  A new provider needs no new test
 * code.
 */

#include "payout_world.h"


#define HOSTILE_MAX  40                /* places of a text that are changed */


static pay_payout_result_t
judged(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    const payout_table_t *table, const char *operation,
    pay_http_answer_t answer)
{
    unsigned             step;
    pay_payout_call_t    call;
    pay_payout_parcel_t  parcel = payout_parcel(table);
    pay_payout_result_t  result;

    cr_assert(payout_call(operation, &call, &step));
    parcel.step = step;
    memset(&result, 0xa5, sizeof(result));
    cr_assert_eq(pay_payout_answer(arena, adapter, call, &parcel, &answer,
                                   &result), PAY_OK, "%s", operation);
    cr_expect_leq(result.code.len, PAY_PSP_CODE_MAX);
    cr_expect_eq(result.code.len == 0, result.outcome == PAY_PSP_DONE,
                 "%s %s: %.*s", operation, payout_outcome(result.outcome),
                 pay_fmt(result.code));
    cr_expect(result.next.len == 0
              || result.outcome == (call == PAY_PAYOUT_ASK
                                    ? PAY_PSP_DONE : PAY_PSP_UNKNOWN));
    cr_expect(result.outcome != PAY_PSP_REFUSED
              || call == PAY_PAYOUT_SEND || call == PAY_PAYOUT_CANCEL);

    return result;
}


static void
expect_code(const payout_case_t *row, const pay_payout_result_t *result)
{
    char  code[CASE_WORD] = "", reference[CASE_WORD] = "";

    (void) sscanf(row->code, "%127[^:]:%127s", code, reference);
    cr_expect_str_eq(payout_outcome(result->outcome), row->outcome,
                     "%s: %s %.*s (%s)", row->where,
                     payout_outcome(result->outcome), pay_fmt(result->code),
                     result->unread.member ? result->unread.member : "");
    cr_expect(code[0] == '*'
              || pay_str_is(result->code, code[0] == '-' ? "" : code),
              "%s: %.*s", row->where, pay_fmt(result->code));
    cr_expect(pay_str_is(result->reference, reference)
              || (result->outcome == PAY_PSP_UNKNOWN
                  && pay_str_is(result->next, reference)), "%s: %.*s%.*s",
              row->where, pay_fmt(result->reference), pay_fmt(result->next));
}


static pay_status_t
hooked(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    const payout_table_t *table, pay_str_t body, pay_payout_event_t **events,
    unsigned *count)
{
    pay_err_t             err;
    pay_payout_account_t  account = payout_account(table);

    *count = 0;

    return pay_payout_webhook(arena, adapter, &account, body, events, count,
                              &err);
}


static void
run_hook(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    const payout_table_t *table, const payout_case_t *row)
{
    char                 text[CASE_WORD];
    unsigned             i, count;
    pay_status_t         status;
    pay_payout_event_t  *events = NULL;

    status = hooked(arena, adapter, table, str(row->body), &events, &count);
    cr_expect_eq(status, strcmp(row->outcome, "refused") ? PAY_OK
                                                         : PAY_INVALID,
                 "%s: %d", row->where, status);
    payout_events(events, count, text, sizeof(text));
    cr_expect_str_eq(text, row->events, "%s: %s", row->where, text);

    for (i = 0; i < count; i++) {
        cr_expect(events[i].event_id.len != 0, "%s: no id", row->where);
        cr_expect(events[i].key.len != 0 || events[i].reference.len != 0
                  || events[i].parcel.len != 0, "%s: of nothing", row->where);
    }
}


static void
run_case(const pay_payout_adapter_t *adapter, const payout_table_t *table,
    const payout_case_t *row)
{
    char                 text[CASE_WORD];
    pay_heap_t          *heap = pay_heap_create();
    pay_arena_t         *arena = pay_heap_arena(heap);
    pay_payout_result_t  result;

    if (strcmp(row->operation, "hook") == 0) {
        run_hook(arena, adapter, table, row);

    } else {
        result = judged(arena, adapter, table, row->operation,
                        answered(row->status, str(row->body)));
        expect_code(row, &result);
        payout_events(result.events, result.count, text, sizeof(text));
        cr_expect_str_eq(text, row->events, "%s: %s", row->where, text);
    }

    pay_heap_destroy(heap);
}


Test(pay_payout, each_case_says_what_its_line_says)
{
    const payout_case_t         *row;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter;

    EACH_PROVIDER(adapter) {
        table = payout_table(adapter);

        EACH_CASE(row, table) {
            run_case(adapter, table, row);
        }
    }
}


static unsigned
cases_of(const payout_table_t *table, const char *operation)
{
    unsigned              count = 0;
    const payout_case_t  *row;

    EACH_CASE(row, table) {
        count += strcmp(row->operation, operation) == 0;
    }

    return count;
}


Test(pay_payout, no_capability_is_without_cases)
{
    char                         name[16];
    unsigned                     i, gap_s;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter;

    EACH_PROVIDER(adapter) {
        if (pay_payout_traits(adapter) & PAY_PAYOUT_IS_FILE) {
            continue;
        }

        table = payout_table(adapter);

        for (i = 0; pay_payout_step(adapter, i) != NULL; i++) {
            snprintf(name, sizeof(name), "send%u", i);
            cr_expect_geq(cases_of(table, name), 2, "%s %s",
                          pay_payout_adapter_name(adapter), name);
        }

        cr_expect_geq(cases_of(table, "ask"), 3);
        cr_expect_eq(cases_of(table, "find") >= 3,
                     pay_payout_can(adapter, PAY_PAYOUT_FIND), "%s",
                     pay_payout_adapter_name(adapter));
        cr_expect(pay_payout_looks(adapter, &gap_s) == 0
                  || pay_payout_can(adapter, PAY_PAYOUT_FIND), "%s",
                  pay_payout_adapter_name(adapter));
        cr_expect_eq(cases_of(table, "cancel") > 0,
                     pay_payout_can(adapter, PAY_PAYOUT_CANCEL), "%s",
                     pay_payout_adapter_name(adapter));
        cr_expect_geq(cases_of(table, "hook"), 3);
    }
}


/* Tipalti makes the payments of a batch behind its answer: a batch that is
 * still to be worked through is in no list, and its item was payable again. */
Test(pay_payout, no_list_of_tipalti_s_proves_that_nothing_was_paid)
{
    unsigned                     gap_s;
    const pay_payout_adapter_t  *adapter;

    adapter = pay_payout_find(str("tipalti"));

    cr_expect(pay_payout_can(adapter, PAY_PAYOUT_FIND));
    cr_expect_eq(pay_payout_looks(adapter, &gap_s), 0);
    cr_expect_geq(gap_s, 3600, "a list is read every %u seconds", gap_s);
}


/* A lost answer, a gateway's page, a redirect: the money may have gone. */
static void
check_trouble(const pay_payout_adapter_t *adapter,
    const payout_table_t *table, const char *operation)
{
    size_t               i;
    pay_heap_t          *heap = pay_heap_create();
    pay_arena_t         *arena = pay_heap_arena(heap);
    pay_http_answer_t    answer;
    pay_payout_result_t  result;
    int                  asks = operation[0] == 'a' || operation[0] == 'f';

    static const unsigned  unknowns[] = {
        200, 201, 202, 204, 302, 400, 403, 404, 408, 409, 418, 422, 500, 502,
        503, 504
    };

    for (i = 0; i < sizeof(unknowns) / sizeof(unknowns[0]); i++) {
        result = judged(arena, adapter, table, operation,
                        answered(unknowns[i], str("<html>Hello</html>")));
        cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s %s %u: %s",
                     pay_payout_adapter_name(adapter), operation, unknowns[i],
                     payout_outcome(result.outcome));
    }

    answer = answer_blank(PAY_SENT_SOME);
    answer.failure = PAY_FAILURE_TIMEOUT;
    result = judged(arena, adapter, table, operation, answer);
    cr_expect(result.outcome == PAY_PSP_UNKNOWN
              && pay_str_is(result.code, "timeout"), "%s", operation);

    answer = answer_blank(PAY_SENT_NOTHING);
    answer.failure = PAY_FAILURE_CONNECT;
    result = judged(arena, adapter, table, operation, answer);
    cr_expect_eq(result.outcome, asks ? PAY_PSP_UNKNOWN : PAY_PSP_NOT_SENT,
                 "%s", operation);

    pay_heap_destroy(heap);
}


Test(pay_payout, trouble_on_the_way_never_settles_anything)
{
    char                         name[16];
    unsigned                     i;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter;

    EACH_PROVIDER(adapter) {
        table = payout_table(adapter);

        for (i = 0; pay_payout_step(adapter, i) != NULL; i++) {
            snprintf(name, sizeof(name), "send%u", i);

            if (pay_payout_can(adapter, PAY_PAYOUT_SEND)) {
                check_trouble(adapter, table, name);
            }
        }

        if (pay_payout_can(adapter, PAY_PAYOUT_ASK)) {
            check_trouble(adapter, table, "ask");
        }

        if (pay_payout_can(adapter, PAY_PAYOUT_FIND)) {
            check_trouble(adapter, table, "find");
        }

        if (pay_payout_can(adapter, PAY_PAYOUT_CANCEL)) {
            check_trouble(adapter, table, "cancel");
        }
    }
}


/* A part of an answer is none, and what is no part of the protocol is passed
 * over. */
static void
check_cuts(const pay_payout_adapter_t *adapter, const payout_table_t *table,
    const payout_case_t *row)
{
    size_t               len, size = strlen(row->body);
    unsigned             count;
    pay_heap_t          *heap;
    pay_payout_event_t  *events;
    pay_payout_result_t  result;

    for (len = 0; len < size; len += 1 + size / 200) {
        heap = pay_heap_create();

        if (strcmp(row->operation, "hook") == 0) {
            /* a part of a form is a form: Tipalti says INVALID to it */
            if (strcmp(pay_payout_adapter_name(adapter), "tipalti") == 0) {
                pay_heap_destroy(heap);
                return;
            }

            cr_expect_eq(hooked(pay_heap_arena(heap), adapter, table,
                                (pay_str_t) { len, (void *) row->body },
                                &events, &count), PAY_INVALID, "%s at %zu",
                         row->where, len);

        } else if (row->status < 300) {
            result = judged(pay_heap_arena(heap), adapter, table,
                            row->operation,
                            answered(row->status,
                                     (pay_str_t) { len,
                                                   (void *) row->body }));
            cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s at %zu: %s",
                         row->where, len, payout_outcome(result.outcome));
        }

        pay_heap_destroy(heap);
    }
}


static void
check_members(const pay_payout_adapter_t *adapter,
    const payout_table_t *table, const payout_case_t *row)
{
    char           body[CASE_TEXT + 256];
    payout_case_t  made = *row;

    if (row->body[0] != '{') {
        return;
    }

    snprintf(body, sizeof(body), "{\"x-%s\":{\"id\":[1,null,{\"status\":7}]}%s"
             "%s", "new", row->body[1] == '}' ? "" : ",", row->body + 1);
    made.body = body;
    run_case(adapter, table, &made);
}


Test(pay_payout, a_part_of_an_answer_is_none_and_new_members_are_ignored,
     .timeout = 120)
{
    const payout_case_t         *row;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter;

    EACH_PROVIDER(adapter) {
        table = payout_table(adapter);

        EACH_CASE(row, table) {
            check_cuts(adapter, table, row);
            check_members(adapter, table, row);
        }
    }
}


static int
is_clean(pay_str_t text, size_t max)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '<'
            || text.data[i] == '\'')
        {
            return 0;
        }
    }

    return text.len <= max;
}


static void
check_clean(const payout_case_t *row, const pay_payout_event_t *event)
{
    cr_expect(is_clean(event->event_id, PAY_PSP_TOKEN_MAX)
              && is_clean(event->reference, PAY_PSP_TOKEN_MAX)
              && is_clean(event->parcel, PAY_PSP_TOKEN_MAX)
              && is_clean(event->type, PAY_PSP_CODE_MAX)
              && is_clean(event->code, PAY_PSP_CODE_MAX)
              && is_clean(event->currency, 3)
              && is_clean(event->fee_currency, 3)
              && is_clean(event->account_end, PAY_PAYOUT_END_MAX), "%s",
              row->where);
    cr_expect(event->key.len == 0
              || (event->key.len <= PAY_PAYOUT_KEY_MAX
                  && event->key.len >= 34), "%s: %.*s", row->where,
              pay_fmt(event->key));
    cr_expect(!event->has_amount
              || (event->amount_minor >= 0 && event->currency.len == 3), "%s",
              row->where);
    cr_expect(event->state >= PAY_PAYOUT_SENDING
              && event->state < PAY_PAYOUT_STATE_COUNT
              && event->state != PAY_PAYOUT_SETTLED, "%s", row->where);
}


/* The n-th string of the text becomes another one. */
static void
check_hostile(const pay_payout_adapter_t *adapter,
    const payout_table_t *table, const payout_case_t *row, const char *from,
    const char *by)
{
    char                 body[CASE_TEXT + 6000];
    const char          *end = strchr(from, '"');
    unsigned             i, count = 0;
    pay_heap_t          *heap = pay_heap_create();
    pay_payout_event_t  *events = NULL;
    pay_payout_result_t  result;

    snprintf(body, sizeof(body), "%.*s%s%s", (int) (from - row->body),
             row->body, by, end == NULL ? "" : end);

    if (strcmp(row->operation, "hook") == 0) {
        (void) !hooked(pay_heap_arena(heap), adapter, table, str(body),
                       &events, &count);

    } else {
        result = judged(pay_heap_arena(heap), adapter, table, row->operation,
                        answered(row->status, str(body)));
        cr_expect(is_clean(result.code, PAY_PSP_CODE_MAX)
                  && is_clean(result.reference, PAY_PSP_TOKEN_MAX)
                  && is_clean(result.next, PAY_PAYOUT_CURSOR_MAX), "%s",
                  row->where);
        events = result.events;
        count = result.count;
    }

    for (i = 0; i < count; i++) {
        check_clean(row, &events[i]);
    }

    pay_heap_destroy(heap);
}


Test(pay_payout, no_text_of_a_provider_goes_on_as_it_is, .timeout = 120)
{
    char                         huge[5001];
    size_t                       i;
    unsigned                     n;
    const char                  *at;
    const payout_case_t         *row;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter;

    const char *const  hostile[] = {
        "4111111111111111", "<script>alert('1')</script>", "a\\r\\nb: c", "",
        "\xc3\xa4\xe2\x82\xac", "-1", "99999999999999999999999", huge
    };

    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';

    EACH_PROVIDER(adapter) {
        table = payout_table(adapter);

        EACH_CASE(row, table) {
            at = row->body;

            for (n = 0; n < HOSTILE_MAX && (at = strstr(at, ":\"")) != NULL;
                 n++, at += 2)
            {
                for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
                    check_hostile(adapter, table, row, at + 2, hostile[i]);
                }
            }
        }
    }
}


Test(pay_payout, answers_survive_each_failed_allocation, .timeout = 120)
{
    unsigned                     n, step, count;
    pay_heap_t                  *heap;
    pay_status_t                 status;
    pay_http_answer_t            answer;
    pay_payout_call_t            call;
    pay_payout_parcel_t          parcel;
    pay_payout_result_t          result;
    pay_payout_event_t          *events;
    const payout_case_t         *row;
    const payout_table_t        *table;
    const pay_payout_adapter_t  *adapter;

    EACH_PROVIDER(adapter) {
        table = payout_table(adapter);

        EACH_CASE(row, table) {
            answer = answered(row->status, str(row->body));
            parcel = payout_parcel(table);

            for (n = 1; n <= TORTURE_ROUNDS; n++) {
                heap = pay_heap_create();
                pay_heap_fail_at(heap, n);
                status = PAY_OK;

                if (!payout_call(row->operation, &call, &step)) {
                    status = hooked(pay_heap_arena(heap), adapter, table,
                                    str(row->body), &events, &count);

                } else {
                    parcel.step = step;
                    status = pay_payout_answer(pay_heap_arena(heap), adapter,
                                               call, &parcel, &answer,
                                               &result);
                }

                if (!pay_heap_failed(heap)) {
                    pay_heap_destroy(heap);
                    break;
                }

                cr_expect_eq(status, PAY_NO_MEMORY, "%s at %u: %d",
                             row->where, n, status);
                pay_heap_destroy(heap);
            }

            cr_expect_leq(n, TORTURE_ROUNDS, "%s", row->where);
        }
    }
}
