/*
 * What each adapter reads out of one answer or event after the other:
 * tests/fixtures/psp/<adapter>/cases.txt, a line a case, see the README there.
 * What needs more than a line: test_psp_<adapter>.c.
 */

#include "conformance.h"


#define CASE_MAX  4096

typedef struct {
    char             where[96];        /* the file and the line */
    char             operation[16];    /* register, change, query, event */
    char             kind[16];         /* of a change */
    unsigned         status;
    char             expected[32];     /* the outcome or the fact */
    char             detail[64];       /* the code, or the amount */
    pay_str_t        body;
} psp_case_t;

typedef void (*case_run_pt)(const pay_psp_adapter_t *adapter,
    const kit_table_t *table, const psp_case_t *row);


static const char *
outcome_name(pay_psp_outcome_t outcome)
{
    static const char *const  names[] = {
        [PAY_PSP_DONE] = "done", [PAY_PSP_REFUSED] = "refused",
        [PAY_PSP_NOT_SENT] = "not-sent", [PAY_PSP_UNKNOWN] = "unknown",
        [PAY_PSP_PENDING] = "pending"
    };

    return names[outcome];
}


/* "file | from | to", "-" for nothing, or the bytes themselves; \n is a line's
 * end, $token the registration's. */
static pay_str_t
case_body(const pay_psp_adapter_t *adapter, const kit_table_t *table,
    char *text)
{
    char      *from, *to = NULL, *file_end;
    pay_str_t  body;

    if (strcmp(text, "-") == 0) {
        return PAY_STR("");
    }

    file_end = text + strcspn(text, " {[<");

    if (*file_end != '\0' && *file_end != ' ') {
        body = pay_str_of(text);
        return contains(body, "$token")
               ? replaced(test_arena(), body, "$token", table->token) : body;
    }

    from = strstr(text, " | ");

    if (from == NULL) {
        return strstr(text, ".json") != NULL
               ? fixture(test_arena(), adapter, text) : pay_str_of(text);
    }

    *from = '\0';
    from += 3;
    to = strstr(from, " | ");
    cr_assert_not_null(to, "%s: from, but not to", text);
    *to = '\0';
    to += 3;

    return replaced(test_arena(), fixture(test_arena(), adapter, text), from,
                    to);
}


/* \n for a line's end: a case is one line. */
static char *
unescaped(char *text)
{
    char  *at;

    while ((at = strstr(text, "\\n")) != NULL) {
        *at = '\n';
        memmove(at + 1, at + 2, strlen(at + 2) + 1);
    }

    return text;
}


static void
case_read(const pay_psp_adapter_t *adapter, const kit_table_t *table,
    char *text, psp_case_t *row)
{
    int    at = 0;
    char  *copy;

    cr_assert(sscanf(text, "%15s ", row->operation) == 1);
    text += strlen(row->operation) + 1;

    if (strcmp(row->operation, "change") == 0) {
        cr_assert(sscanf(text, "%15s %n", row->kind, &at) == 1, "%s",
                  row->where);
        text += at;
    }

    if (strcmp(row->operation, "register") == 0 || row->kind[0] != '\0') {
        cr_assert(sscanf(text, "%u %n", &row->status, &at) == 1, "%s",
                  row->where);
        text += at;
    }

    cr_assert(sscanf(text, "%31s %63s %n", row->expected, row->detail, &at)
              == 2, "%s", row->where);

    copy = pay_calloc(test_arena(), CASE_MAX);
    cr_assert_not_null(copy);
    snprintf(copy, CASE_MAX, "%s", text + at);
    row->body = case_body(adapter, table, unescaped(copy));
}


/* Runs the cases of that operation; the number of them. */
static unsigned
each_case(const char *operation, case_run_pt run)
{
    FILE                     *file;
    char                      path[64], text[CASE_MAX];
    unsigned                  line, count = 0;
    psp_case_t                row;
    const kit_table_t        *table;
    const pay_psp_adapter_t  *adapter;

    EACH_ROW(adapter) {
        snprintf(path, sizeof(path), "tests/fixtures/psp/%s/cases.txt",
                 adapter->name);
        file = fopen(path, "r");

        if (file == NULL) {
            continue;
        }

        table = kit_table(adapter);

        for (line = 1; fgets(text, sizeof(text), file) != NULL; line++) {
            text[strcspn(text, "\n")] = '\0';
            memset(&row, 0, sizeof(row));
            snprintf(row.where, sizeof(row.where), "%s:%u", path, line);

            if (text[0] != '\0' && text[0] != '#') {
                case_read(adapter, table, text, &row);

                if (strcmp(row.operation, operation) == 0) {
                    run(adapter, table, &row);
                    count++;
                }
            }
        }

        fclose(file);
    }

    return count;
}


/* CODE[:REFERENCE], "*" for any code, "-" for none. */
static void
expect_code(const psp_case_t *row, pay_psp_outcome_t outcome, pay_str_t code,
    pay_str_t reference)
{
    char  expected[64] = "", expected_reference[64] = "";

    (void) sscanf(row->detail, "%63[^:]:%63s", expected, expected_reference);

    cr_expect_str_eq(outcome_name(outcome), row->expected, "%s: %s",
                     row->where, outcome_name(outcome));
    cr_expect(expected[0] == '*'
              || pay_str_is(code, expected[0] == '-' ? "" : expected),
              "%s: %.*s", row->where, pay_fmt(code));
    cr_expect(pay_str_is(reference, expected_reference), "%s: %.*s",
              row->where, pay_fmt(reference));
}


/* CURRENCY:MINOR[:REFERENCE], "*" for any currency. */
static void
expect_amount(const psp_case_t *row, const pay_psp_event_t *event)
{
    int        count;
    char       currency[8], reference[64];
    long long  minor;

    count = sscanf(row->detail, "%7[^:]:%lld:%63s", currency, &minor,
                   reference);
    cr_assert_geq(count, 2, "%s", row->where);
    cr_expect(event->has_amount && event->amount_minor == minor, "%s: %lld",
              row->where, (long long) event->amount_minor);
    cr_expect(currency[0] == '*' || pay_str_is(event->currency, currency),
              "%s: %.*s", row->where, pay_fmt(event->currency));
    cr_expect(count < 3 || pay_str_is(event->reference, reference), "%s: %.*s",
              row->where, pay_fmt(event->reference));
}


static void
run_register(const pay_psp_adapter_t *adapter, const kit_table_t *table,
    const psp_case_t *row)
{
    pay_psp_checkout_t    checkout = order_make();
    pay_psp_registered_t  result;

    (void) table;
    result = register_judged(test_arena(), adapter, &checkout,
                             answered(row->status, row->body));
    expect_code(row, result.outcome, result.code, PAY_STR(""));
    cr_expect(result.outcome == PAY_PSP_DONE || result.alias.len == 0, "%s",
              row->where);
}


static void
run_change(const pay_psp_adapter_t *adapter, const kit_table_t *table,
    const psp_case_t *row)
{
    unsigned            kind = 0;
    pay_psp_change_t    change;
    pay_psp_changed_t   result;

    while (kind < PAY_PSP_CHANGE_COUNT
           && strcmp(kit_kinds[kind], row->kind) != 0)
    {
        kind++;
    }

    cr_assert_lt(kind, PAY_PSP_CHANGE_COUNT, "%s", row->where);
    change = kit_change(table, (pay_psp_change_kind_t) kind);
    result = kit_changed(test_arena(), adapter, &change,
                         answered(row->status, row->body));
    expect_code(row, result.outcome, result.code, result.reference);
    cr_expect_eq(result.known, 0, "%s", row->where);
}


static void
run_query(const pay_psp_adapter_t *adapter, const kit_table_t *table,
    const psp_case_t *row)
{
    int                 known = -1;
    pay_psp_event_t     event;
    pay_http_answer_t   answer = answered(200, row->body);

    memset(&event, 0, sizeof(event));
    cr_assert_eq(adapter->query_answer(test_arena(), pay_str_of(table->token),
                                       &answer, &event, &known), PAY_OK);
    cr_expect_eq(known, strcmp(row->expected, "silent") != 0, "%s",
                 row->where);

    if (known == 1) {
        cr_expect_str_eq(pay_fact_name(event.fact), row->expected, "%s: %s",
                         row->where, pay_fact_name(event.fact));
        cr_expect(pay_str_is(event.token, table->token), "%s", row->where);
        cr_expect_eq(event.event_id.len, 0, "%s", row->where);
        expect_amount(row, &event);
    }
}


/* All or nothing: a refused body leaves the count alone. */
static void
run_event(const pay_psp_adapter_t *adapter, const kit_table_t *table,
    const psp_case_t *row)
{
    int                is_refused = strcmp(row->expected, "refused") == 0;
    unsigned           count = 77;
    pay_psp_event_t    events[PAY_PSP_EVENTS_MAX];
    pay_psp_account_t  ours = kit_account(table);

    cr_assert_eq(adapter->webhook_events(test_arena(), &ours, PAY_STR("evt_1"),
                                         row->body, events, &count, NULL),
                 is_refused ? PAY_INVALID : PAY_OK, "%s", row->where);
    cr_assert_eq(count, is_refused ? 77 : 1, "%s", row->where);

    if (!is_refused) {
        cr_expect_str_eq(pay_fact_name(events[0].fact), row->expected, "%s",
                         row->where);
        expect_amount(row, &events[0]);
    }
}


Test(pay_psp_cases, answers_to_a_registration)
{
    cr_expect_geq(each_case("register", run_register), 120);
}


Test(pay_psp_cases, answers_to_a_change)
{
    cr_expect_geq(each_case("change", run_change), 45);
}


Test(pay_psp_cases, answers_to_a_query)
{
    cr_expect_geq(each_case("query", run_query), 80);
}


Test(pay_psp_cases, events)
{
    cr_expect_geq(each_case("event", run_event), 110);
}
