/*
 * What the conformance suites over the PSP registry share: expected.txt of an
 * adapter's fixtures as a table, the account with planted secrets, orders and
 * changes that the fixtures answer to.
 */

#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "psp_world.h"


#define KIT_LINES   200
#define KIT_WORDS   128
#define KIT_TEXT    2048
#define KIT_ID      "kit_CANARY_id"
#define KIT_SECRET  "kit_CANARY_secret"
#define OPERATION   "0199c0de-0000-7000-8000-0000000000c1"

/* One line of expected.txt. */
typedef struct {
    char      file[96];
    unsigned  status;                  /* 0: a webhook */
    char      what[KIT_WORDS];
    char      fact[32];                /* of a change that is known; "next"; or
                                          empty */
} kit_line_t;

typedef struct {
    char        token[PAY_PSP_TOKEN_MAX + 1];
    char        alias[PAY_PSP_TOKEN_MAX + 1];
    char        payment[PAY_PSP_TOKEN_MAX + 1];
    char        account[PAY_PSP_TOKEN_MAX + 1];
    char        keyless[PAY_PSP_TOKEN_MAX + 1];    /* kinds, by commas */
    kit_line_t  lines[KIT_LINES];
    unsigned    count;
} kit_table_t;


static const char *const  kit_kinds[PAY_PSP_CHANGE_COUNT] = {
    "capture", "cancel", "refund", "expire"
};

static const char *const  kit_abouts[] = {
    "payment", "capture", "refund", "dispute", "fee"
};

static const char *const  kit_news[] = {
    "pending", "succeeded", "failed", "opened", "won", "lost", "ended",
    "single"
};

static const char *const  kit_outcomes[] = {
    "done", "pending", "refused", "not-sent", "unknown"
};


static inline int
kit_starts(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}


/* The text that a word of expected.txt sets, or NULL. */
static inline char *
kit_word(kit_table_t *table, const char *word)
{
    return strcmp(word, "token") == 0 ? table->token
           : strcmp(word, "alias") == 0 ? table->alias
           : strcmp(word, "payment") == 0 ? table->payment
           : strcmp(word, "keyless") == 0 ? table->keyless
           : strcmp(word, "account") == 0 ? table->account : NULL;
}


static inline void
kit_line(const pay_psp_adapter_t *adapter, kit_table_t *table, char *text)
{
    int          words;
    char         file[96], status[256], what[KIT_WORDS], fact[32], *recipe;
    kit_line_t  *line;

    recipe = strstr(text, FIXTURE_PARTS);

    if (recipe != NULL || text[0] == ' ') {
        *(recipe != NULL ? recipe : text) = '\0';
    }

    text[strcspn(text, "#\n")] = '\0';
    words = sscanf(text, "%95s %255s %127s %31s", file, status, what, fact);

    if (words <= 0) {
        return;
    }

    cr_assert_geq(words, 2, "%s: %s", adapter->name, text);

    if (strchr(file, '.') == NULL) {
        cr_assert_not_null(kit_word(table, file), "%s: %s", adapter->name,
                           file);
        snprintf(kit_word(table, file), PAY_PSP_TOKEN_MAX + 1, "%s", status);
        return;
    }

    cr_assert(words >= 3 && table->count < KIT_LINES, "%s: %s", adapter->name,
              text);
    line = &table->lines[table->count++];
    memset(line, 0, sizeof(*line));
    memcpy(line->file, file, sizeof(file));
    line->status = (unsigned) strtoul(status, NULL, 10);
    memcpy(line->what, what, sizeof(what));

    if (words == 4) {
        memcpy(line->fact, fact, sizeof(fact));
    }
}


/* tests/fixtures/psp/<adapter>/expected.txt, see the README there. */
static inline const kit_table_t *
kit_table(const pay_psp_adapter_t *adapter)
{
    FILE  *file;
    char   text[KIT_TEXT];

    static kit_table_t  table;

    snprintf(text, sizeof(text), "tests/fixtures/psp/%s/expected.txt",
             adapter->name);
    file = fopen(text, "r");
    cr_assert_not_null(file, "%s", text);
    memset(&table, 0, sizeof(table));
    snprintf(table.account, sizeof(table.account), "YOUR_ACCOUNT");

    while (fgets(text, sizeof(text), file) != NULL) {
        kit_line(adapter, &table, text);
    }

    fclose(file);

    return &table;
}


/* With planted secrets; a key with a colon serves PayPal's id and secret,
 * too. */
static inline pay_psp_account_t
kit_account(const kit_table_t *table)
{
    pay_psp_account_t  made;

    memset(&made, 0, sizeof(made));
    made.base_url = PAY_STR("https://psp.example/base");
    made.api_key = PAY_STR(KIT_ID ":" KIT_SECRET);
    made.account = pay_str_of(table->account);

    return made;
}


static inline pay_psp_change_t
kit_change(const kit_table_t *table, pay_psp_change_kind_t kind)
{
    pay_psp_change_t  change;

    memset(&change, 0, sizeof(change));
    change.kind = kind;
    change.key = PAY_STR(OPERATION);
    change.token = pay_str_of(table->token);
    change.alias = pay_str_of(table->alias);
    change.reference = pay_str_of(table->payment);
    change.merchant_reference = PAY_STR(REFERENCE);
    change.currency = currency_of("USD");
    change.amount_minor = 3000;

    return change;
}


static inline int
kit_can(const pay_psp_adapter_t *adapter, unsigned kind)
{
    return (adapter->changes & PAY_PSP_CAN(kind)) != 0;
}


/* "query" for query-paid.json. */
static inline int
kit_is(const kit_line_t *line, const char *operation)
{
    return kit_starts(line->file, operation)
           && line->file[strlen(operation)] == '-';
}


/* The kind of change that a fixture answers, or -1. */
static inline int
kit_kind(const kit_line_t *line)
{
    int  kind;

    for (kind = PAY_PSP_CHANGE_COUNT - 1; kind >= 0; kind--) {
        if (kit_is(line, kit_kinds[kind])) {
            break;
        }
    }

    return kind;
}


/* What events about something else than the payment have in any case. */
static inline void
kit_after(const char *where, const pay_psp_event_t *event)
{
    cr_assert_leq(event->about, PAY_ABOUT_FEE, "%s", where);
    cr_assert_leq(event->news, PAY_NEWS_SINGLE, "%s", where);
    cr_expect_eq(event->about == PAY_ABOUT_DISPUTE,
                 event->news >= PAY_NEWS_OPENED
                 && event->news <= PAY_NEWS_LOST, "%s", where);
    cr_expect(event->about == PAY_ABOUT_CAPTURE
              || event->news <= PAY_NEWS_LOST, "%s", where);
    cr_expect(event->news != PAY_NEWS_SINGLE || event->object.len != 0,
              "%s: which one?", where);
    cr_expect_eq(event->fact, PAY_FACT_NONE, "%s", where);
    cr_expect(!event->must_ask && !event->must_capture, "%s", where);
    cr_expect(event->token.len != 0 || event->reference.len != 0
              || event->operation.len != 0, "%s: of nothing", where);
    cr_expect(event->has_amount && event->amount_minor >= 0
              && event->currency.len == 3, "%s: no amount", where);
    cr_expect(event->operation.len == 0 || event->operation.len == 36, "%s",
              where);
    cr_expect(!event->has_fee || (event->about == PAY_ABOUT_DISPUTE
                                  && event->fee_minor > 0
                                  && event->fee_currency.len == 3), "%s",
              where);

    if (event->about == PAY_ABOUT_REFUND || event->about == PAY_ABOUT_DISPUTE) {
        cr_expect_gt(event->object.len, 0, "%s: no id", where);
    }
}


static inline pay_psp_changed_t
kit_changed(pay_arena_t *arena, const pay_psp_adapter_t *adapter,
    const pay_psp_change_t *change, pay_http_answer_t answer)
{
    size_t             i;
    unsigned char      c;
    pay_psp_changed_t  result;

    memset(&result, 0xa5, sizeof(result));
    cr_assert_eq(adapter->change_answer(arena, change, &answer, &result),
                 PAY_OK);

    cr_expect_leq(result.code.len, PAY_PSP_CODE_MAX);
    cr_expect(result.known == 0 || result.known == 1);

    if (result.outcome == PAY_PSP_REFUSED || result.outcome == PAY_PSP_UNKNOWN)
    {
        cr_expect_gt(result.code.len, 0, "%s %s", adapter->name,
                     kit_kinds[change->kind]);
    }

    for (i = 0; i < result.code.len; i++) {
        c = result.code.data[i];
        cr_expect((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                  || c == '_' || c == '.' || c == '-');
    }

    return result;
}


/* The span of time that lists are asked for. */
static inline pay_psp_list_t
kit_list(void)
{
    pay_psp_list_t  list;

    memset(&list, 0, sizeof(list));
    list.since_s = 1795150000;
    list.until_s = 1795236400;

    return list;
}


static inline pay_psp_listed_t
kit_listed(pay_arena_t *arena, const pay_psp_adapter_t *adapter,
    const kit_table_t *table, const pay_psp_list_t *list,
    pay_http_answer_t answer)
{
    pay_psp_account_t  ours = kit_account(table);
    pay_psp_listed_t   listed;

    memset(&listed, 0xa5, sizeof(listed));
    cr_assert_eq(adapter->list_answer(arena, &ours, list, &answer, &listed),
                 PAY_OK);
    cr_assert(listed.known == 0 || listed.known == 1);

    if (!listed.known) {
        cr_expect_eq(listed.count, 0, "%s", adapter->name);
        cr_expect_eq(listed.next.len, 0, "%s", adapter->name);
    }

    cr_assert_leq(listed.count, PAY_PSP_LIST_MAX);
    cr_assert_leq(listed.next.len, PAY_PSP_CURSOR_MAX);

    return listed;
}


static inline pay_psp_registered_t
kit_found(pay_arena_t *arena, const pay_psp_adapter_t *adapter,
    const pay_psp_checkout_t *checkout, pay_http_answer_t answer)
{
    pay_psp_registered_t  result;

    memset(&result, 0xa5, sizeof(result));
    cr_assert_eq(adapter->find_answer(arena, checkout, &answer, &result),
                 PAY_OK);

    cr_expect(result.outcome == PAY_PSP_DONE
              || result.outcome == PAY_PSP_NOT_SENT
              || result.outcome == PAY_PSP_UNKNOWN, "%s: %d", adapter->name,
              result.outcome);
    cr_expect_eq(result.code.len == 0, result.outcome == PAY_PSP_DONE);
    cr_expect_leq(result.code.len, PAY_PSP_CODE_MAX);
    cr_expect(result.next.len == 0 || result.outcome == PAY_PSP_UNKNOWN);
    cr_assert_leq(result.next.len, PAY_PSP_CURSOR_MAX);
    cr_expect_eq(result.outcome == PAY_PSP_DONE, result.token.len != 0);

    return result;
}


#define EACH_ROW(adapter)                                                     \
    for (const pay_psp_adapter_t *const *row_ = pay_psp_table();              \
         *row_ != NULL && ((adapter) = *row_, 1); row_++)

#define EACH_LINE(line, table)                                                \
    for ((line) = (table)->lines; (line) < (table)->lines + (table)->count;   \
         (line)++)


#endif /* CONFORMANCE_H */
