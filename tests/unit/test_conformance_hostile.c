/*
 * Conformance of the PSP adapters, what strangers put into answers: each text
 * of each fixture is replaced by hostile ones, and memory fails at each place.
 * What the fixtures say: test_conformance.c.
 */

#include "conformance.h"


/* The text of the n-th string value after a member name, or an empty one. */
static pay_str_t
value_at(pay_str_t text, unsigned n)
{
    size_t     i, j;
    pay_str_t  value = pay_string("");

    for (i = 0; i + 3 < text.len; i++) {
        if (memcmp(text.data + i, "\": \"", 4) != 0 || n-- != 0) {
            continue;
        }

        for (j = i + 4; j < text.len && text.data[j] != '"'; j++) {
            j += text.data[j] == '\\';
        }

        value.data = text.data + i + 4;
        value.len = j - i - 4;
        break;
    }

    return value;
}


static pay_str_t
value_replaced(pay_arena_t *arena, pay_str_t text, pay_str_t value,
    const char *by)
{
    pay_buf_t  buf;
    pay_str_t  out;
    size_t     before = (size_t) (value.data - text.data);

    pay_buf_init(&buf, arena, 4 * FIXTURE_MAX);
    pay_buf_add(&buf, (pay_str_t) { before, text.data });
    pay_buf_text(&buf, by);
    pay_buf_add(&buf, (pay_str_t) { text.len - before - value.len,
                                    value.data + value.len });
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);

    return out;
}


/* 1 when what goes on to rows and logs is clean. */
static int
is_clean(pay_str_t word)
{
    size_t  i;

    for (i = 0; i < word.len; i++) {
        if (word.data[i] <= ' ' || word.data[i] > '~' || word.data[i] == '<'
            || word.data[i] == '\'')
        {
            return 0;
        }
    }

    return word.len <= PAY_PSP_TOKEN_MAX;
}


static int
is_card(pay_str_t word)
{
    return contains(word, "4111111111111111");
}


static void
check_clean(const char *where, const pay_psp_event_t *event)
{
    cr_expect(is_clean(event->type) && is_clean(event->code)
              && is_clean(event->currency) && is_clean(event->event_id)
              && is_clean(event->token) && is_clean(event->reference)
              && is_clean(event->object) && is_clean(event->operation)
              && is_clean(event->fee_currency), "%s", where);

    if (event->about != PAY_ABOUT_PAYMENT) {
        kit_after(where, event);
    }

    /* an id may be sixteen digits by chance; a word may not */
    cr_expect(!is_card(event->type) && !is_card(event->code), "%s", where);
}


static void
check_hostile(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line, pay_str_t body)
{
    int                   known, kind;
    char                  where[128];
    unsigned              i, count = 0;
    pay_psp_list_t        list = kit_list();
    pay_psp_event_t       event, events[PAY_PSP_EVENTS_MAX];
    pay_psp_checkout_t    checkout = order_make();
    pay_psp_listed_t      listed;
    pay_psp_change_t      change;
    pay_psp_account_t     ours = kit_account(table);
    pay_psp_changed_t     changed;
    pay_http_answer_t     answer = answered(line->status, body);
    pay_psp_registered_t  registered;

    snprintf(where, sizeof(where), "%.30s/%.95s", psp->name, line->file);

    if (kit_is(line, "register") || kit_is(line, "error")) {
        registered = register_judged(arena, psp, &checkout, answer);
        cr_expect(is_clean(registered.code) && !is_card(registered.code),
                  "%s: %.*s", where, pay_fmt(registered.code));
        cr_expect(is_clean(registered.token) && is_clean(registered.alias),
                  "%s", where);

    } else if (kit_is(line, "query")) {
        cr_assert_eq(psp->query_answer(arena, pay_str_of(table->token),
                                       &answer, &event, &known), PAY_OK);
        if (known) {
            check_clean(where, &event);
        }

    } else if (kit_is(line, "find")) {
        registered = kit_found(arena, psp, &checkout, answer);
        cr_expect(is_clean(registered.code) && !is_card(registered.code),
                  "%s: %.*s", where, pay_fmt(registered.code));
        cr_expect(is_clean(registered.token) && is_clean(registered.next),
                  "%s", where);

    } else if (kit_is(line, "list")) {
        listed = kit_listed(arena, psp, table, &list, answer);
        cr_expect(is_clean(listed.next), "%s", where);

        for (i = 0; i < listed.count; i++) {
            check_clean(where, &listed.events[i]);
        }

    } else if ((kind = kit_kind(line)) >= 0) {
        change = kit_change(table, (pay_psp_change_kind_t) kind);
        changed = kit_changed(arena, psp, &change, answer);
        cr_expect(is_clean(changed.code) && !is_card(changed.code),
                  "%s: %.*s", where, pay_fmt(changed.code));
        cr_expect(is_clean(changed.reference), "%s", where);

    } else if (kit_is(line, "webhook")
               && psp->webhook_events(arena, &ours, PAY_STR(""), body,
                                      events, &count, NULL) == PAY_OK)
    {
        for (i = 0; i < count; i++) {
            check_clean(where, &events[i]);
        }
    }
}


/* Each text of each answer in turn: a card number, markup, line ends, and so
 * long a word that no column holds it. */
Test(pay_conformance_hostile, no_text_of_a_psp_goes_on_as_it_is, .timeout = 300)
{
    char                      huge[5001];
    size_t                    i;
    unsigned                  n;
    pay_str_t                 text, value;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    const char *const  hostile[] = {
        "4111111111111111", "<script>alert('1')</script>", "a\\r\\nb: c",
        "\\u0000", "", "\xc3\xa4\xe2\x82\xac", huge
    };

    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';

    EACH_ROW(psp) {
        table = kit_table(psp);

        EACH_LINE(line, table) {
            for (n = 0; n < 200; n++) {
                heap = pay_heap_create();
                arena = pay_heap_arena(heap);
                text = fixture(arena, psp, line->file);
                value = value_at(text, n);

                if (value.data < text.data
                    || value.data > text.data + text.len)
                {
                    pay_heap_destroy(heap);
                    break;
                }

                for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
                    check_hostile(arena, psp, table, line,
                                  value_replaced(arena, text, value,
                                                 hostile[i]));
                }

                pay_heap_destroy(heap);
            }
        }
    }
}


/* --- Memory ----------------------------------------------------------- */

static pay_status_t
tortured_answer(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line, pay_str_t body)
{
    int                   known;
    unsigned              count;
    pay_psp_auth_t        auth;
    pay_psp_list_t        list = kit_list();
    pay_psp_checkout_t    checkout = order_make();
    pay_psp_listed_t      listed;
    pay_psp_event_t       event, events[PAY_PSP_EVENTS_MAX];
    pay_psp_change_t      change;
    pay_psp_account_t     ours = kit_account(table);
    pay_psp_changed_t     changed;
    pay_http_answer_t     answer = answered(line->status, body);
    pay_psp_registered_t  registered;

    if (kit_is(line, "register") || kit_is(line, "error")) {
        return psp->register_answer(arena, &checkout, &answer, &registered);
    }

    if (kit_is(line, "query")) {
        return psp->query_answer(arena, pay_str_of(table->token), &answer,
                                 &event, &known);
    }

    if (kit_is(line, "find")) {
        return psp->find_answer(arena, &checkout, &answer, &registered);
    }

    if (kit_is(line, "list")) {
        return psp->list_answer(arena, &ours, &list, &answer, &listed);
    }

    if (kit_is(line, "auth")) {
        return psp->auth_answer(arena, &answer, &auth);
    }

    if (kit_is(line, "webhook")) {
        return psp->webhook_events(arena, &ours, PAY_STR(""), body, events,
                                   &count, NULL);
    }

    change = kit_change(table, (pay_psp_change_kind_t) kit_kind(line));

    return psp->change_answer(arena, &change, &answer, &changed);
}


Test(pay_conformance_hostile, answers_survive_each_failed_allocation)
{
    unsigned                  n;
    pay_str_t                 body;
    pay_heap_t               *heap, *files;
    pay_status_t              status;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);

        EACH_LINE(line, table) {
            files = pay_heap_create();
            body = fixture(pay_heap_arena(files), psp, line->file);

            for (n = 1; n <= TORTURE_ROUNDS; n++) {
                heap = pay_heap_create();
                pay_heap_fail_at(heap, n);
                status = tortured_answer(pay_heap_arena(heap), psp, table,
                                         line, body);

                if (!pay_heap_failed(heap)) {
                    pay_heap_destroy(heap);
                    break;
                }

                cr_expect_eq(status, PAY_NO_MEMORY, "%s/%s at %u: %d",
                             psp->name, line->file, n, status);
                pay_heap_destroy(heap);
            }

            cr_expect_leq(n, TORTURE_ROUNDS, "%s/%s", psp->name, line->file);
            pay_heap_destroy(files);
        }
    }
}


/* Dirties the stack below, so that what a callee forgets to set is no zero. */
static void __attribute__((noinline))
stack_smear(void)
{
    volatile unsigned char  dirt[32768];

    memset((unsigned char *) dirt, 0x5a, sizeof(dirt));
}


/* Adyen's once pointed into the dirt for a status that it did not know. */
Test(pay_conformance_hostile, an_unreadable_answer_has_a_reason_that_is_text)
{
    int                       known;
    unsigned                  i;
    pay_heap_t               *heap = pay_heap_create();
    pay_psp_event_t           event;
    pay_http_answer_t         answer;
    const pay_psp_adapter_t  *psp;

    static const char *const  bodies[] = {
        "{}", "{\"id\": \"tok_1\", \"status\": \"no such word\"}",
        "{\"id\": 1, \"status\": 2, \"token\": 3}"
    };

    EACH_ROW(psp) {
        if (psp->query_answer == NULL) {
            continue;
        }

        for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
            answer = answered(200, pay_str_of(bodies[i]));
            memset(&event, 0, sizeof(event));
            known = 1;

            stack_smear();
            cr_assert_eq(psp->query_answer(pay_heap_arena(heap),
                                           PAY_STR("tok_2"), &answer, &event,
                                           &known), PAY_OK);
            cr_expect_eq(known, 0, "%s %s", psp->name, bodies[i]);

            if (event.unread.rule != NULL) {
                cr_expect(strncmp(event.unread.rule, "must", 4) == 0
                          || strncmp(event.unread.rule, "a member", 8) == 0,
                          "%s: %s", psp->name, event.unread.rule);
            }
        }
    }

    pay_heap_destroy(heap);
}
