/*
 * Conformance of the PSP adapters, lists: a registration that is looked for is
 * the order's or is not found, pages are asked for one after the other and
 * never for ever, and a listed event is the one that its webhook brings.
 * What each fixture says: test_conformance.c.
 */

#include "conformance.h"


/* The answer of that fixture, under its status. */
static pay_http_answer_t
answer_of(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_line_t *line)
{
    return answered(line->status, fixture(arena, psp, line->file));
}


/* --- Registrations ----------------------------------------------------- */

/* Another checkout's registration is nobody's token but its own. */
Test(pay_conformance_lists, a_registration_of_another_order_is_not_ours)
{
    unsigned                  i;
    pay_heap_t               *heap;
    const kit_line_t         *line;
    pay_psp_checkout_t        order;
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        EACH_LINE(line, kit_table(psp)) {
            if (!kit_is(line, "find") || strcmp(line->what, "done")) {
                continue;
            }

            for (i = 0; i < 4; i++) {
                heap = pay_heap_create();
                order = order_make();

                if (i == 0) {
                    order.merchant_reference = PAY_STR("0199c0de-ffff");

                } else if (i == 1) {
                    order.merchant_reference = PAY_STR("0199c0de-ffff");
                    order.nonce = PAY_STR("order-1000");

                } else if (i == 2) {
                    order.amount_minor = 3001;

                } else {
                    order.currency = currency_of("EUR");
                }

                result = kit_found(pay_heap_arena(heap), psp, &order,
                                   answer_of(pay_heap_arena(heap), psp,
                                             line));
                cr_expect_neq(result.outcome, PAY_PSP_DONE, "%s/%s: %u",
                              psp->name, line->file, i);

                if (i >= 2 && strstr(line->file, "repeated") == NULL) {
                    cr_expect(pay_str_is(result.code, "answer_mismatch"),
                              "%s/%s: %.*s", psp->name, line->file,
                              pay_fmt(result.code));
                }

                pay_heap_destroy(heap);
            }
        }
    }
}


/* The page that follows is asked for by what this one said, and one that
 * leads to itself says nothing. */
Test(pay_conformance_lists, pages_of_registrations_lead_on_and_never_back)
{
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const kit_line_t         *line;
    const kit_table_t        *table;
    pay_psp_checkout_t        order;
    pay_psp_account_t         ours;
    pay_http_answer_t         answer;
    pay_http_request_t        first, second;
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);
        ours = kit_account(table);

        EACH_LINE(line, table) {
            if (!kit_is(line, "find") || strcmp(line->fact, "next")) {
                continue;
            }

            heap = pay_heap_create();
            arena = pay_heap_arena(heap);
            order = order_make();
            answer = answer_of(arena, psp, line);
            cr_assert_eq(psp->find_request(arena, &ours, &order, &first),
                         PAY_OK);

            result = kit_found(arena, psp, &order, answer);
            order.find_from = result.next;
            cr_assert_eq(psp->find_request(arena, &ours, &order, &second),
                         PAY_OK, "%s/%s", psp->name, line->file);
            cr_expect_not(pay_str_eq(first.url, second.url), "%s/%s",
                          psp->name, line->file);
            cr_expect_eq(position(second.url, "https://psp.example/base/"),
                         0);

            result = kit_found(arena, psp, &order, answer);
            cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN);
            cr_expect_eq(result.next.len, 0, "%s/%s goes round", psp->name,
                         line->file);
            pay_heap_destroy(heap);
        }
    }
}


/* What is looked for is there because it was sent; without its lines, too. */
Test(pay_conformance_lists, an_order_without_names_is_not_looked_for)
{
    unsigned                  i;
    pay_heap_t               *heap;
    pay_psp_checkout_t        bad[8], good;
    pay_psp_account_t         ours;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    for (i = 0; i < 8; i++) {
        bad[i] = order_make();
    }

    bad[0].nonce = PAY_STR("");
    bad[1].nonce = PAY_STR("a&b=c");
    bad[2].merchant_reference = PAY_STR("");
    bad[3].merchant_reference = PAY_STR("a b");
    bad[4].currency = NULL;
    bad[5].expires_s = 0;
    bad[6].find_from = PAY_STR("a\r\nX: y");
    bad[7].find_from = PAY_STR("../../v1/refunds");

    EACH_ROW(psp) {
        if (psp->find_request == NULL) {
            continue;
        }

        ours = kit_account(kit_table(psp));

        for (i = 0; i < 8; i++) {
            heap = pay_heap_create();
            cr_expect_eq(psp->find_request(pay_heap_arena(heap), &ours,
                                           &bad[i], &request), PAY_BUG,
                         "%s took %u", psp->name, i);
            pay_heap_destroy(heap);
        }

        heap = pay_heap_create();
        good = order_make();
        good.line_count = 0;
        good.return_url = PAY_STR("");
        cr_expect_eq(psp->find_request(pay_heap_arena(heap), &ours, &good,
                                       &request), PAY_OK, "%s", psp->name);
        pay_heap_destroy(heap);
    }
}


/* --- Events ------------------------------------------------------------ */

static const pay_json_t *
entries_of(const pay_json_t *root)
{
    const pay_json_t  *data = pay_json_get(root, "data");

    return data ? data : pay_json_get(root, "events");
}


static void
check_same(const char *where, const pay_psp_event_t *listed,
    const pay_psp_event_t *told)
{
    cr_expect(pay_str_eq(listed->event_id, told->event_id), "%s", where);
    cr_expect(pay_str_eq(listed->type, told->type), "%s", where);
    cr_expect(pay_str_eq(listed->token, told->token), "%s", where);
    cr_expect(pay_str_eq(listed->reference, told->reference), "%s", where);
    cr_expect(pay_str_eq(listed->code, told->code), "%s", where);
    cr_expect_eq(listed->fact, told->fact, "%s", where);
    cr_expect_eq(listed->must_ask, told->must_ask, "%s", where);
    cr_expect_eq(listed->must_capture, told->must_capture, "%s", where);
    cr_expect_eq(listed->has_amount, told->has_amount, "%s", where);
    cr_expect_eq(listed->amount_minor, told->amount_minor, "%s", where);
    cr_expect(pay_str_eq(listed->currency, told->currency), "%s", where);
    cr_expect_eq(listed->about, told->about, "%s", where);
    cr_expect_eq(listed->news, told->news, "%s", where);
    cr_expect(pay_str_eq(listed->object, told->object), "%s", where);
    cr_expect(pay_str_eq(listed->operation, told->operation), "%s", where);
    cr_expect_eq(listed->has_fee, told->has_fee, "%s", where);
    cr_expect_eq(listed->fee_minor, told->fee_minor, "%s", where);
    cr_expect(pay_str_eq(listed->fee_currency, told->fee_currency), "%s",
              where);
}


static const pay_psp_event_t *
listed_as(const pay_psp_listed_t *listed, pay_str_t event_id)
{
    unsigned  i;

    for (i = 0; i < listed->count; i++) {
        if (pay_str_eq(listed->events[i].event_id, event_id)) {
            return &listed->events[i];
        }
    }

    return NULL;
}


/* Stored under one id, an event that came both ways counts once.  A list may
 * tell more than a webhook can prove, under other ids. */
static void
compare_page(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line)
{
    char               where[128];
    size_t             i;
    unsigned           k, count, all = 0;
    pay_str_t          body;
    pay_json_t        *root;
    pay_psp_list_t     list = kit_list();
    pay_psp_event_t    told[PAY_PSP_EVENTS_MAX];
    pay_psp_account_t  ours = kit_account(table);
    pay_psp_listed_t   listed;
    pay_json_limits_t  limits = { 0, 0, 256, 0 };
    pay_http_answer_t  answer = answer_of(arena, psp, line);

    snprintf(where, sizeof(where), "%.30s/%.95s", psp->name, line->file);
    listed = kit_listed(arena, psp, table, &list, answer);
    cr_assert_eq(pay_json_parse(answer.body, &limits, &root, NULL), PAY_OK);
    cr_assert_gt(pay_json_size(entries_of(root)), 0, "%s", where);

    for (i = 0; i < pay_json_size(entries_of(root)); i++) {
        cr_assert_eq(pay_json_write(arena, pay_json_at(entries_of(root), i),
                                    &body), PAY_OK);
        cr_assert_eq(psp->webhook_events(arena, &ours, PAY_STR(""), body,
                                         told, &count, NULL), PAY_OK, "%s",
                     where);
        cr_assert_geq(count, 1, "%s", where);
        all += count;

        for (k = 0; k < count; k++) {
            cr_assert_not_null(listed_as(&listed, told[k].event_id), "%s: %u",
                               where, k);
            check_same(where, listed_as(&listed, told[k].event_id), &told[k]);
        }
    }

    cr_expect_leq(all, listed.count, "%s", where);

    pay_json_free(root);
}


Test(pay_conformance_lists, a_listed_event_is_the_one_its_webhook_brings)
{
    unsigned                  pages;
    pay_heap_t               *heap;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);
        pages = 0;

        EACH_LINE(line, table) {
            if (strcmp(line->file, "list-page.json") == 0
                || strcmp(line->file, "list-last.json") == 0)
            {
                heap = pay_heap_create();
                compare_page(pay_heap_arena(heap), psp, table, line);
                pay_heap_destroy(heap);
                pages++;
            }
        }

        cr_expect_eq(pages, psp->list_request ? 2 : 0, "%s", psp->name);
    }
}


/* The span of time stays, the place moves, and the call goes to our PSP. */
static void
follow(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line)
{
    size_t              i, from;
    pay_str_t           rest;
    pay_psp_list_t      list = kit_list();
    pay_psp_account_t   ours = kit_account(table);
    pay_psp_listed_t    listed;
    pay_http_answer_t   answer = answer_of(arena, psp, line);
    pay_http_request_t  first, second;

    cr_assert_eq(psp->list_request(arena, &ours, &list, &first), PAY_OK);
    listed = kit_listed(arena, psp, table, &list, answer);
    list.cursor = listed.next;
    cr_assert_eq(psp->list_request(arena, &ours, &list, &second), PAY_OK,
                 "%s/%s", psp->name, line->file);

    cr_assert_gt(second.url.len, first.url.len);
    cr_expect_eq(memcmp(first.url.data, second.url.data, first.url.len), 0,
                 "%s/%s: %.*s", psp->name, line->file, pay_fmt(second.url));

    /* behind the first call stand pairs of a query, and nothing else */
    from = first.url.len;
    rest = (pay_str_t) { second.url.len - from, second.url.data + from };
    cr_expect_eq(rest.data[0], '&');
    cr_expect_not(contains(rest, "evil") || contains(rest, "start_time"));

    for (i = 0; i < rest.len; i++) {
        cr_expect(rest.data[i] > ' ' && rest.data[i] <= '~'
                  && strchr("#?/\\\"'<>", rest.data[i]) == NULL, "%s/%s",
                  psp->name, line->file);
    }

    /* the same page again leads to itself */
    listed = kit_listed(arena, psp, table, &list, answer);
    cr_expect_not(listed.known, "%s/%s goes round", psp->name, line->file);
}


Test(pay_conformance_lists, pages_of_events_lead_on_and_never_back)
{
    unsigned                  followed;
    pay_heap_t               *heap;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);
        followed = 0;

        EACH_LINE(line, table) {
            if (kit_is(line, "list") && strcmp(line->fact, "next") == 0) {
                heap = pay_heap_create();
                follow(pay_heap_arena(heap), psp, table, line);
                pay_heap_destroy(heap);
                followed++;
            }
        }

        cr_expect_eq(followed > 0, psp->list_request != NULL, "%s",
                     psp->name);
    }
}


Test(pay_conformance_lists, a_span_or_a_cursor_that_is_none_is_not_asked_for)
{
    unsigned                  i;
    pay_heap_t               *heap;
    pay_psp_list_t            bad[9];
    pay_psp_account_t         ours;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    static unsigned char  huge[PAY_PSP_CURSOR_MAX + 1];

    memset(huge, 'a', sizeof(huge));

    for (i = 0; i < 9; i++) {
        bad[i] = kit_list();
    }

    bad[0].since_s = -1;
    bad[1].until_s = bad[1].since_s;
    bad[2].until_s = bad[2].since_s - 1;
    bad[3].cursor = PAY_STR("a b");
    bad[4].cursor = PAY_STR("a\r\nX: y");
    bad[5].cursor = PAY_STR("a#b");
    bad[6].cursor = PAY_STR("a\0b");
    bad[7].cursor = PAY_STR("\xc3\xa4");
    bad[8].cursor = (pay_str_t) { sizeof(huge), huge };

    EACH_ROW(psp) {
        if (psp->list_request == NULL) {
            continue;
        }

        ours = kit_account(kit_table(psp));

        for (i = 0; i < 9; i++) {
            heap = pay_heap_create();
            cr_expect_eq(psp->list_request(pay_heap_arena(heap), &ours,
                                           &bad[i], &request), PAY_BUG,
                         "%s took %u", psp->name, i);
            pay_heap_destroy(heap);
        }
    }
}
