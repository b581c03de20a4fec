/*
 * Conformance of the PSP adapters, the fixtures: each file of an adapter is
 * run as its expected.txt says, and spoilt in the ways that answers are spoilt
 * in life.  A new PSP needs no new test code.  Hostile texts and failing
 * memory: test_conformance_hostile.c; lists: test_conformance_lists.c; what
 * goes out: test_conformance_requests.c.
 */

#include "conformance.h"

#include <dirent.h>


static unsigned
operation_files(const kit_table_t *table, const char *operation)
{
    unsigned           found = 0;
    const kit_line_t  *line;

    EACH_LINE(line, table) {
        found += (unsigned) kit_is(line, operation);
    }

    return found;
}


/* What a PSP repeats must be there; one that has no place for it does not have
 * the trait. */
Test(pay_conformance, a_refund_carries_our_id_where_it_is_repeated)
{
    pay_err_t                 err;
    pay_heap_t               *heap;
    pay_psp_change_t          change;
    pay_psp_account_t         ours;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        if (!(psp->traits & PAY_PSP_NAMES_REFUNDS)) {
            continue;
        }

        heap = pay_heap_create();
        ours = kit_account(kit_table(psp));
        change = kit_change(kit_table(psp), PAY_PSP_REFUND);
        cr_assert_eq(psp->change_request(pay_heap_arena(heap), &ours, &change,
                                         &request, &err), PAY_OK, "%s",
                     psp->name);
        cr_expect(contains(request.body, OPERATION), "%s", psp->name);
        pay_heap_destroy(heap);
    }
}


/* The capabilities that nobody has shown an answer to. */
Test(pay_conformance, no_capability_is_without_a_fixture)
{
    unsigned                  kind;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);

        if (psp->register_request != NULL) {
            cr_expect_gt(strlen(table->token), 0, "%s", psp->name);
            cr_expect_gt(operation_files(table, "register"), 0, "%s",
                         psp->name);
            cr_expect_gt(operation_files(table, "query"), 1, "%s", psp->name);
            cr_expect_gt(operation_files(table, "error"), 2, "%s", psp->name);
        }

        if (psp->auth_request != NULL) {
            cr_expect_gt(operation_files(table, "auth"), 0, "%s", psp->name);
        }

        for (kind = 0; kind < PAY_PSP_CHANGE_COUNT; kind++) {
            cr_expect_eq(operation_files(table, kit_kinds[kind]) > 0,
                         kit_can(psp, kind), "%s: %s", psp->name,
                         kit_kinds[kind]);
        }

        cr_expect_eq(operation_files(table, "find") > 5,
                     psp->find_request != NULL, "%s", psp->name);
        cr_expect_eq(operation_files(table, "list") > 5,
                     psp->list_request != NULL, "%s", psp->name);

        cr_expect_gt(operation_files(table, "webhook"), 1, "%s", psp->name);
    }
}


Test(pay_conformance, no_fixture_is_without_a_line_and_no_line_without_one)
{
    DIR                      *directory;
    char                      path[256];
    unsigned                  found, files;
    struct dirent            *entry;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);
        snprintf(path, sizeof(path), "tests/fixtures/psp/%s", psp->name);
        directory = opendir(path);
        cr_assert_not_null(directory, "%s", path);
        files = 0;

        while ((entry = readdir(directory)) != NULL) {
            if (entry->d_name[0] == '.'
                || strcmp(entry->d_name, "expected.txt") == 0
                || strcmp(entry->d_name, "cases.txt") == 0)
            {
                continue;
            }

            found = 0;
            EACH_LINE(line, table) {
                found += strcmp(line->file, entry->d_name) == 0;
            }

            cr_expect_eq(found, 1, "%s: %s stands %u times in expected.txt",
                         psp->name, entry->d_name, found);
            files++;
        }

        closedir(directory);

        EACH_LINE(line, table) {
            files += (unsigned) fixture_is_made(psp, line->file);
        }

        cr_expect_eq(files, table->count, "%s", psp->name);
    }
}


/* The registry and the directories name the same PSPs. */
Test(pay_conformance, no_directory_is_without_an_adapter)
{
    DIR            *directory = opendir("tests/fixtures/psp");
    struct dirent  *entry;

    cr_assert_not_null(directory);

    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "README.md")) {
            cr_expect_not_null(pay_psp_find(pay_str_of(entry->d_name)), "%s",
                               entry->d_name);
        }
    }

    closedir(directory);
}


/* --- What each file says --------------------------------------------- */

/* "refund-failed" and the like. */
static void
check_after(const char *where, const pay_psp_event_t *event, const char *word)
{
    char  told[32];

    kit_after(where, event);
    snprintf(told, sizeof(told), "%s-%s", kit_abouts[event->about],
             kit_news[event->news]);
    cr_expect_str_eq(told, word, "%s: %s", where, told);
    cr_expect_gt(event->type.len, 0, "%s", where);
}


static void
check_event(const char *where, const pay_psp_event_t *event, const char *word)
{
    if (event->about != PAY_ABOUT_PAYMENT) {
        check_after(where, event, word);
        return;
    }

    if (strcmp(word, "ask") == 0 || strcmp(word, "capture") == 0) {
        cr_expect_eq(event->fact, PAY_FACT_NONE, "%s", where);
        cr_expect_eq(event->must_ask, strcmp(word, "ask") == 0, "%s", where);
        cr_expect_eq(event->must_capture, strcmp(word, "capture") == 0, "%s",
                     where);
        return;
    }

    cr_expect_str_eq(pay_fact_name(event->fact), word, "%s: %s", where,
                     pay_fact_name(event->fact));
    cr_expect(!event->must_ask && !event->must_capture, "%s", where);
    cr_expect_gt(event->type.len, 0, "%s", where);

    if (event->fact == PAY_FACT_PAID || event->fact == PAY_FACT_AUTHORIZED) {
        cr_expect(event->has_amount, "%s: money without an amount", where);
    }
}


static void
run_register(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line)
{
    pay_psp_checkout_t    checkout = order_make();
    pay_psp_registered_t  result;

    result = register_judged(arena, psp, &checkout,
                             answered(line->status,
                                      fixture(arena, psp, line->file)));
    cr_expect_str_eq(kit_outcomes[result.outcome], line->what,
                     "%s/%s: %s %.*s", psp->name, line->file,
                     kit_outcomes[result.outcome], pay_fmt(result.code));

    if (result.outcome == PAY_PSP_DONE) {
        cr_expect(pay_str_is(result.token, table->token), "%s/%s", psp->name,
                  line->file);
        cr_expect(pay_str_is(result.alias, table->alias), "%s/%s", psp->name,
                  line->file);
        cr_expect(contains(result.hosted_url, "https://"));
        cr_expect_eq(result.code.len, 0);
        cr_expect_eq(result.retry_after_s, -1);
    }
}


static void
run_query(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line)
{
    int                 known;
    char                where[128];
    pay_psp_event_t     event;
    pay_http_answer_t   answer;

    answer = answered(line->status, fixture(arena, psp, line->file));
    cr_assert_eq(psp->query_answer(arena, pay_str_of(table->token), &answer,
                                   &event, &known), PAY_OK);

    snprintf(where, sizeof(where), "%.30s/%.95s", psp->name, line->file);
    cr_expect_eq(known, strcmp(line->what, "silent") != 0, "%s", where);

    if (known) {
        check_event(where, &event, line->what);
        cr_expect_eq(event.event_id.len, 0, "%s", where);
        cr_expect_eq(event.must_ask, 0, "%s", where);
        cr_expect(pay_str_is(event.token, table->token), "%s", where);

        if (event.fact == PAY_FACT_PAID) {
            cr_expect(event.amount_minor == 3000
                      && pay_str_is(event.currency, "USD"), "%s", where);
        }
    }
}


static void
run_change(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line)
{
    char               where[128];
    pay_psp_change_t   change;
    pay_psp_changed_t  result;

    change = kit_change(table, (pay_psp_change_kind_t) kit_kind(line));
    result = kit_changed(arena, psp, &change,
                         answered(line->status,
                                  fixture(arena, psp, line->file)));

    snprintf(where, sizeof(where), "%.30s/%.95s", psp->name, line->file);
    cr_expect_str_eq(kit_outcomes[result.outcome], line->what, "%s: %s %.*s",
                     where, kit_outcomes[result.outcome],
                     pay_fmt(result.code));
    cr_expect_eq(result.known, line->fact[0] != '\0', "%s", where);

    if (result.known) {
        check_event(where, &result.event, line->fact);
        cr_expect(pay_str_is(result.event.token, table->token), "%s", where);
    }
}


static void
run_find(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line)
{
    pay_psp_checkout_t    checkout = order_make();
    pay_psp_registered_t  result;

    result = kit_found(arena, psp, &checkout,
                       answered(line->status,
                                fixture(arena, psp, line->file)));
    cr_expect_str_eq(kit_outcomes[result.outcome], line->what,
                     "%s/%s: %s %.*s", psp->name, line->file,
                     kit_outcomes[result.outcome], pay_fmt(result.code));
    cr_expect_eq(result.next.len != 0, strcmp(line->fact, "next") == 0,
                 "%s/%s: %.*s", psp->name, line->file, pay_fmt(result.code));

    if (result.outcome == PAY_PSP_DONE) {
        cr_expect(pay_str_is(result.token, table->token), "%s/%s", psp->name,
                  line->file);
        cr_expect(contains(result.hosted_url, "https://"));
    }

    if (result.outcome == PAY_PSP_NOT_SENT) {
        cr_expect(pay_str_is(result.code, "not_found"), "%s/%s", psp->name,
                  line->file);
    }
}


static void
run_list(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line)
{
    char               words[KIT_WORDS], where[128], *word, *rest;
    unsigned           i = 0;
    pay_psp_list_t     list = kit_list();
    pay_psp_listed_t   listed;

    snprintf(where, sizeof(where), "%.30s/%.95s", psp->name, line->file);
    listed = kit_listed(arena, psp, table, &list,
                        answered(line->status,
                                 fixture(arena, psp, line->file)));

    cr_expect_eq(listed.known, strcmp(line->what, "silent") != 0, "%s",
                 where);
    cr_expect_eq(listed.next.len != 0, strcmp(line->fact, "next") == 0, "%s",
                 where);

    if (!listed.known || strcmp(line->what, "empty") == 0) {
        cr_expect_eq(listed.count, 0, "%s", where);
        return;
    }

    memcpy(words, line->what, sizeof(words));

    for (word = strtok_r(words, ",", &rest); word != NULL;
         word = strtok_r(NULL, ",", &rest), i++)
    {
        cr_assert_lt(i, listed.count, "%s: %u events", where, listed.count);
        check_event(where, &listed.events[i], word);
        cr_expect_gt(listed.events[i].event_id.len, 0, "%s", where);
    }

    cr_expect_eq(i, listed.count, "%s: %u events", where, listed.count);
}


static void
run_auth(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_line_t *line)
{
    pay_status_t       status;
    pay_psp_auth_t     auth;
    pay_http_answer_t  answer;

    answer = answered(line->status, fixture(arena, psp, line->file));
    status = psp->auth_answer(arena, &answer, &auth);
    cr_expect_eq(status, strcmp(line->what, "done") ? PAY_INVALID : PAY_OK,
                 "%s/%s", psp->name, line->file);

    if (status == PAY_OK) {
        cr_expect(auth.token.len > 0 && auth.token.len <= PAY_PSP_AUTH_MAX);
        cr_expect_gt(auth.lifetime_s, 0);
    }
}


static void
run_webhook(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line)
{
    char                words[KIT_WORDS], where[128], *word, *rest;
    unsigned            count = 0, i = 0;
    pay_status_t        status;
    pay_psp_event_t     events[PAY_PSP_EVENTS_MAX];
    pay_psp_account_t   ours = kit_account(table);

    snprintf(where, sizeof(where), "%.30s/%.95s", psp->name, line->file);
    status = psp->webhook_events(arena, &ours, PAY_STR(""),
                                 fixture(arena, psp, line->file), events,
                                 &count, NULL);

    if (strcmp(line->what, "invalid") == 0) {
        cr_expect_eq(status, PAY_INVALID, "%s", where);
        return;
    }

    cr_assert_eq(status, PAY_OK, "%s", where);
    memcpy(words, line->what, sizeof(words));

    for (word = strtok_r(words, ",", &rest); word != NULL;
         word = strtok_r(NULL, ",", &rest), i++)
    {
        cr_assert_lt(i, count, "%s: %u events", where, count);
        check_event(where, &events[i], word);

        if (!events[i].must_ask) {
            cr_expect_gt(events[i].event_id.len, 0, "%s", where);
        }

        if (events[i].fact != PAY_FACT_NONE) {
            cr_expect_gt(events[i].token.len, 0, "%s", where);
        }
    }

    cr_expect_eq(i, count, "%s: %u events", where, count);
}


Test(pay_conformance, each_fixture_says_what_is_expected_of_it)
{
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);

        EACH_LINE(line, table) {
            heap = pay_heap_create();
            arena = pay_heap_arena(heap);

            if (kit_is(line, "register") || kit_is(line, "error")) {
                run_register(arena, psp, table, line);

            } else if (kit_is(line, "query")) {
                run_query(arena, psp, table, line);

            } else if (kit_is(line, "find")) {
                run_find(arena, psp, table, line);

            } else if (kit_is(line, "list")) {
                run_list(arena, psp, table, line);

            } else if (kit_is(line, "auth")) {
                run_auth(arena, psp, line);

            } else if (kit_is(line, "webhook")) {
                run_webhook(arena, psp, table, line);

            } else {
                cr_assert_geq(kit_kind(line), 0, "%s/%s: no such operation",
                              psp->name, line->file);
                run_change(arena, psp, table, line);
            }

            pay_heap_destroy(heap);
        }
    }
}


/* --- The same, spoilt ------------------------------------------------- */

/* 1 when a body leads to anything that moves: done, refused, known, a fact.
 * It answers the file's call with the file's status. */
static int
says_something(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line, pay_str_t body)
{
    int                   known = 0, kind;
    unsigned              i, count = 0;
    pay_psp_auth_t        auth;
    pay_psp_list_t        list = kit_list();
    pay_psp_event_t       event, events[PAY_PSP_EVENTS_MAX];
    pay_psp_checkout_t    checkout = order_make();
    pay_psp_change_t      change;
    pay_psp_account_t     ours = kit_account(table);
    pay_psp_changed_t     changed;
    pay_http_answer_t     answer = answered(line->status, body);
    pay_psp_registered_t  registered;

    if (kit_is(line, "register") || kit_is(line, "error")) {
        registered = register_judged(arena, psp, &checkout, answer);
        return registered.outcome == PAY_PSP_DONE
               || registered.outcome == PAY_PSP_REFUSED;
    }

    if (kit_is(line, "query")) {
        cr_assert_eq(psp->query_answer(arena, pay_str_of(table->token),
                                       &answer, &event, &known), PAY_OK);
        return known;
    }

    if (kit_is(line, "find")) {
        registered = kit_found(arena, psp, &checkout, answer);
        return registered.outcome != PAY_PSP_UNKNOWN
               || registered.next.len != 0;
    }

    if (kit_is(line, "list")) {
        return kit_listed(arena, psp, table, &list, answer).known;
    }

    if (kit_is(line, "auth")) {
        return psp->auth_answer(arena, &answer, &auth) == PAY_OK;
    }

    kind = kit_kind(line);

    if (kind >= 0) {
        change = kit_change(table, (pay_psp_change_kind_t) kind);
        changed = kit_changed(arena, psp, &change, answer);
        return changed.outcome == PAY_PSP_DONE
               || changed.outcome == PAY_PSP_PENDING
               || changed.outcome == PAY_PSP_REFUSED || changed.known;
    }

    if (psp->webhook_events(arena, &ours, PAY_STR(""), body, events,
                            &count, NULL) != PAY_OK)
    {
        return 0;
    }

    for (i = 0; i < count; i++) {
        known |= events[i].fact != PAY_FACT_NONE
                 || events[i].about != PAY_ABOUT_PAYMENT;
    }

    return known;
}


Test(pay_conformance, an_answer_cut_at_any_byte_says_nothing,
     .timeout = 300)
{
    size_t                    i, len;
    pay_str_t                 text;
    pay_heap_t               *heap, *files;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);

        EACH_LINE(line, table) {
            files = pay_heap_create();
            text = fixture(pay_heap_arena(files), psp, line->file);
            len = text.len;

            while (len > 0 && text.data[len - 1] <= ' ') {
                len--;
            }

            for (i = 0; i < len; i++) {
                heap = pay_heap_create();
                cr_expect_not(says_something(pay_heap_arena(heap), psp, table,
                                             line,
                                             (pay_str_t) { i, text.data }),
                              "%s/%s cut at %zu", psp->name, line->file, i);
                pay_heap_destroy(heap);
            }

            pay_heap_destroy(files);
        }
    }
}


/* Members of a version to come. */
Test(pay_conformance, unknown_members_are_ignored)
{
    pay_str_t                 text, more;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);

        EACH_LINE(line, table) {
            heap = pay_heap_create();
            arena = pay_heap_arena(heap);
            text = fixture(arena, psp, line->file);

            if (text.data[0] == '{' && !contains(text, "{}")) {
                more = replaced(arena, text, "{",
                                "{\"brand_new\":[1,{\"id\":\"x\"}],");
                cr_expect_eq(says_something(arena, psp, table, line, more),
                             says_something(arena, psp, table, line, text),
                             "%s/%s", psp->name, line->file);
            }

            pay_heap_destroy(heap);
        }
    }
}


/* An answer that never was complete, or never was asked for: left-overs of it
 * may be there. */
static void
check_trouble(pay_arena_t *arena, const pay_psp_adapter_t *psp,
    const kit_table_t *table, const kit_line_t *line,
    const pay_http_answer_t *answer)
{
    int                   known;
    pay_psp_list_t        list = kit_list();
    pay_psp_event_t       event;
    pay_psp_checkout_t    checkout = order_make();
    pay_psp_change_t      change;
    pay_psp_changed_t     changed;
    pay_psp_outcome_t     outcome;
    pay_psp_registered_t  registered;

    outcome = (answer->sent == PAY_SENT_NOTHING) ? PAY_PSP_NOT_SENT
                                                 : PAY_PSP_UNKNOWN;

    if (kit_is(line, "register") || kit_is(line, "error")) {
        registered = register_judged(arena, psp, &checkout, *answer);
        cr_expect_eq(registered.outcome, outcome, "%s/%s", psp->name,
                     line->file);
        cr_expect(pay_str_is(registered.code,
                             pay_failure_name(answer->failure)));

    } else if (kit_is(line, "query")) {
        cr_assert_eq(psp->query_answer(arena, pay_str_of(table->token),
                                       answer, &event, &known), PAY_OK);
        cr_expect_eq(known, 0, "%s/%s", psp->name, line->file);

    } else if (kit_is(line, "find")) {
        /* the question came to nothing, not the registration */
        registered = kit_found(arena, psp, &checkout, *answer);
        cr_expect_eq(registered.outcome, PAY_PSP_UNKNOWN, "%s/%s", psp->name,
                     line->file);
        cr_expect_eq(registered.next.len, 0);
        cr_expect(pay_str_is(registered.code,
                             pay_failure_name(answer->failure)));

    } else if (kit_is(line, "list")) {
        cr_expect_not(kit_listed(arena, psp, table, &list, *answer).known,
                      "%s/%s", psp->name, line->file);

    } else if (kit_kind(line) >= 0) {
        change = kit_change(table, (pay_psp_change_kind_t) kit_kind(line));
        changed = kit_changed(arena, psp, &change, *answer);
        cr_expect_eq(changed.outcome, outcome, "%s/%s", psp->name,
                     line->file);
        cr_expect_eq(changed.known, 0);
        cr_expect(pay_str_is(changed.code,
                             pay_failure_name(answer->failure)));
    }
}


/* The heart of exactly-once: silence is never a refusal. */
Test(pay_conformance, trouble_on_the_way_is_unknown_or_not_sent)
{
    unsigned                  sent;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const kit_line_t         *line;
    pay_http_answer_t         answer;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);

        EACH_LINE(line, table) {
            heap = pay_heap_create();
            arena = pay_heap_arena(heap);
            answer = answered(line->status, fixture(arena, psp, line->file));

            for (sent = PAY_SENT_NOTHING; sent <= PAY_SENT_SOME; sent++) {
                answer.sent = (pay_sent_t) sent;
                answer.failure = (sent == PAY_SENT_SOME) ? PAY_FAILURE_TIMEOUT
                                                         : PAY_FAILURE_BUSY;
                check_trouble(arena, psp, table, line, &answer);
            }

            pay_heap_destroy(heap);
        }
    }
}


/* A proxy's page, a redirect, an empty body: never a refusal, never done. */
Test(pay_conformance, only_the_psps_own_words_count)
{
    size_t                    i, j;
    pay_heap_t               *heap;
    kit_line_t                other;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    static const unsigned  statuses[] = {
        200, 201, 202, 206, 300, 301, 302, 307, 400, 402, 404, 405, 409, 410,
        422, 451, 500, 502, 503, 504, 599
    };
    static const pay_str_t  garbage[] = {
        pay_string(""), pay_string(" "), pay_string("null"),
        pay_string("[]"), pay_string("\"ok\""), pay_string("{"),
        pay_string("{}{}"), pay_string("{\"id\":1,\"id\":2}"),
        pay_string("\xef\xbb\xbf{}"), pay_string("{\"id\":\"\xff\"}"),
        pay_string("<html><body>404 Not Found</body></html>"),
        pay_string("\0\0\0\0")
    };

    EACH_ROW(psp) {
        table = kit_table(psp);

        EACH_LINE(line, table) {
            other = *line;

            for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
                other.status = statuses[i];

                for (j = 0; j < sizeof(garbage) / sizeof(garbage[0]); j++) {
                    heap = pay_heap_create();
                    cr_expect_not(says_something(pay_heap_arena(heap), psp,
                                                 table, &other, garbage[j]),
                                  "%s/%s %u %zu", psp->name, line->file,
                                  statuses[i], j);
                    pay_heap_destroy(heap);
                }
            }
        }
    }
}


/* What a good answer says, a redirect or a 5xx does not. */
Test(pay_conformance, a_good_body_under_a_bad_status_says_nothing)
{
    size_t                    i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    kit_line_t                other;
    const kit_line_t         *line;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    static const unsigned  statuses[] = {
        0, 100, 301, 302, 308, 401, 403, 429, 500, 502, 503, 999
    };

    EACH_ROW(psp) {
        table = kit_table(psp);

        EACH_LINE(line, table) {
            if (kit_is(line, "webhook")) {
                continue;
            }

            other = *line;

            for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
                heap = pay_heap_create();
                arena = pay_heap_arena(heap);
                other.status = statuses[i];
                cr_expect_not(says_something(arena, psp, table, &other,
                                             fixture(arena, psp, line->file)),
                              "%s/%s under %u", psp->name, line->file,
                              statuses[i]);
                pay_heap_destroy(heap);
            }
        }
    }
}


/* --- Echoes ------------------------------------------------------------ */

/* What the answer repeats is the order's: one more cent, another currency or
 * another checkout is not ours.  What it does not repeat cannot be held
 * against it. */
Test(pay_conformance, an_answer_about_another_order_is_unknown)
{
    unsigned                  i;
    pay_str_t                 text;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const kit_line_t         *line;
    pay_psp_checkout_t        order;
    pay_psp_registered_t      result;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        EACH_LINE(line, kit_table(psp)) {
            if (!kit_is(line, "register") || strcmp(line->what, "done")) {
                continue;
            }

            heap = pay_heap_create();
            arena = pay_heap_arena(heap);
            text = fixture(arena, psp, line->file);

            for (i = 0; i < 3; i++) {
                order = order_make();

                if (i == 0 && (contains(text, " 3000")
                               || contains(text, "\"30.00\"")))
                {
                    order.amount_minor = 3001;
                    order.lines[0].amount_minor = 1001;

                } else if (i == 1 && (contains(text, "\"USD\"")
                                      || contains(text, "\"usd\"")))
                {
                    order.currency = currency_of("EUR");

                } else if (i == 2 && contains(text, REFERENCE)) {
                    order.merchant_reference = PAY_STR("0199c0de-ffff");

                } else {
                    continue;
                }

                result = register_judged(arena, psp, &order,
                                         answered(line->status, text));
                cr_expect_eq(result.outcome, PAY_PSP_UNKNOWN, "%s/%s: %u",
                             psp->name, line->file, i);
                cr_expect(pay_str_is(result.code, "answer_mismatch"),
                          "%s/%s: %.*s", psp->name, line->file,
                          pay_fmt(result.code));
            }

            pay_heap_destroy(heap);
        }
    }
}


Test(pay_conformance, a_change_of_another_amount_is_unknown)
{
    int                       kind;
    pay_str_t                 text;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    const kit_line_t         *line;
    pay_psp_change_t          change;
    pay_psp_changed_t         result;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        table = kit_table(psp);

        EACH_LINE(line, table) {
            kind = kit_kind(line);

            if ((kind != PAY_PSP_CAPTURE && kind != PAY_PSP_REFUND)
                || (strcmp(line->what, "done") != 0
                    && strcmp(line->what, "pending") != 0))
            {
                continue;
            }

            heap = pay_heap_create();
            arena = pay_heap_arena(heap);
            text = fixture(arena, psp, line->file);
            change = kit_change(table, (pay_psp_change_kind_t) kind);
            change.amount_minor = 3001;

            result = kit_changed(arena, psp, &change,
                                 answered(line->status, text));

            if (strcmp(line->what, "done") == 0) {
                cr_expect_neq(result.outcome, PAY_PSP_DONE, "%s/%s",
                              psp->name, line->file);
            }

            cr_expect_neq(result.outcome, PAY_PSP_REFUSED, "%s/%s", psp->name,
                          line->file);
            pay_heap_destroy(heap);
        }
    }
}
