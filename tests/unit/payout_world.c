/*
 * The cases of the pay-out adapters, read from
 * tests/fixtures/payout/<adapter>/cases.txt (see the README there).
 */

#include "payout_world.h"


#define CASE_MINOR  3000            /* of the items of cases.txt */


static payout_table_t  table;


static char *
text_copy(const char *text)
{
    char  *copy = malloc(strlen(text) + 1);

    cr_assert_not_null(copy);
    memcpy(copy, text, strlen(text) + 1);

    return copy;
}


/* `$NAME | from | to | from | to`: a text of the table with replacements; else
 * the text itself; "-" is no body. */
static char *
body_of(char *text)
{
    char      *next, *from, *to, *at, *made;
    size_t     size;
    unsigned   i;

    if (text[0] != '$') {
        return text_copy(strcmp(text, "-") == 0 ? "" : text);
    }

    next = strstr(text, " | ");

    if (next != NULL) {
        *next = '\0';
        next += 3;
    }

    for (i = 0; i < table.let_count; i++) {
        if (strcmp(table.lets[i].name, text + 1) == 0) {
            break;
        }
    }

    cr_assert_lt(i, table.let_count, "no text %s", text);
    made = text_copy(table.lets[i].body);

    while (next != NULL) {
        from = next;
        to = strstr(from, " | ");
        cr_assert_not_null(to, "%s: from, but not to", from);
        *to = '\0';
        to += 3;
        next = strstr(to, " | ");

        if (next != NULL) {
            *next = '\0';
            next += 3;
        }

        to = strcmp(to, "-") == 0 ? to + 1 : to;
        at = strstr(made, from);
        cr_assert_not_null(at, "no %s in %s", from, made);
        size = strlen(made) + strlen(to) + 1;
        text = malloc(size);
        cr_assert_not_null(text);
        snprintf(text, size, "%.*s%s%s", (int) (at - made), made, to,
                 at + strlen(from));
        free(made);
        made = text;
    }

    return made;
}


static int
word_set(const char *word, const char *value)
{
    unsigned  step;

    if (strcmp(word, "currency") == 0) {
        snprintf(table.currency, sizeof(table.currency), "%s", value);

    } else if (strcmp(word, "minor") == 0) {
        table.minor = strtoll(value, NULL, 10);

    } else if (strcmp(word, "account") == 0) {
        snprintf(table.account, sizeof(table.account), "%s", value);

    } else if (strcmp(word, "iban") == 0 || strcmp(word, "payee") == 0
               || strcmp(word, "email") == 0)
    {
        snprintf(table.to, sizeof(table.to), "%s", word);
        snprintf(table.payee, sizeof(table.payee), "%s", value);

    } else if (sscanf(word, "id%u", &step) == 1 && step < PAY_PAYOUT_STEPS_MAX)
    {
        snprintf(table.ids[step], sizeof(table.ids[step]), "%s", value);

    } else {
        return 0;
    }

    return 1;
}


static void
line_read(const char *where, char *text)
{
    int             at = 0;
    char            word[32], value[CASE_WORD];
    payout_let_t   *let;
    payout_case_t  *row;

    if (text[0] == '\0' || text[0] == '#'
        || (sscanf(text, "%31s %127s", word, value) == 2
            && word_set(word, value)))
    {
        return;
    }

    if (strcmp(word, "let") == 0) {
        cr_assert_lt(table.let_count, 32);
        let = &table.lets[table.let_count++];
        cr_assert(sscanf(text, "let %31s %n", let->name, &at) == 1 && at > 0);
        let->body = body_of(text + at);
        return;
    }

    cr_assert_lt(table.count, CASES_MAX, "%s", where);
    row = &table.cases[table.count++];
    snprintf(row->where, sizeof(row->where), "%s", where);
    cr_assert(sscanf(text, "%15s %u %15s %127s %127s %n", row->operation,
                     &row->status, row->outcome, row->code, row->events, &at)
              == 5 && at > 0, "%s", where);
    row->body = body_of(text + at);
}


static void
item_make(void)
{
    pay_payout_item_t  *item = &table.item;

    item->key = PAY_STR(ITEM_KEY);
    item->currency = currency_of(table.currency);
    item->amount_minor = table.minor;
    item->text = PAY_STR("PAYOUT 4711 Acme");
    item->to.name = PAY_STR("Jane Mueller");
    item->to.country = PAY_STR("DE");

    if (strcmp(table.to, "iban") == 0) {
        item->to.kind = PAY_PAYOUT_TO_IBAN;
        item->to.iban = pay_str_of(table.payee);
        return;
    }

    item->to.kind = strcmp(table.to, "email") == 0 ? PAY_PAYOUT_TO_EMAIL
                                                   : PAY_PAYOUT_TO_PAYEE;
    item->to.payee = pay_str_of(table.payee);
}


const payout_table_t *
payout_table(const pay_payout_adapter_t *adapter)
{
    FILE      *file;
    char       path[96], where[128], text[CASE_TEXT];
    unsigned   line, i;

    for (i = 0; i < table.let_count; i++) {
        free(table.lets[i].body);
    }

    for (i = 0; i < table.count; i++) {
        free(table.cases[i].body);
    }

    memset(&table, 0, sizeof(table));
    snprintf(path, sizeof(path), "tests/fixtures/payout/%s/cases.txt",
             pay_payout_adapter_name(adapter));
    file = fopen(path, "r");
    cr_assert_not_null(file, "%s is missing: each row of "
                       "src/payout/registry.c has one", path);

    for (line = 1; fgets(text, sizeof(text), file) != NULL; line++) {
        text[strcspn(text, "\n")] = '\0';
        snprintf(where, sizeof(where), "%s:%u", path, line);
        line_read(where, text);
    }

    fclose(file);
    item_make();

    return &table;
}


pay_payout_parcel_t
payout_parcel(const payout_table_t *from)
{
    unsigned             i;
    pay_payout_parcel_t  parcel;

    memset(&parcel, 0, sizeof(parcel));
    parcel.key = from->item.key;
    parcel.items = &from->item;
    parcel.count = 1;
    parcel.made_s = 1795240200;
    parcel.execute_on = PAY_STR("2026-11-24");

    for (i = 0; i < PAY_PAYOUT_STEPS_MAX; i++) {
        parcel.ids[i] = pay_str_of(from->ids[i]);
    }

    return parcel;
}


pay_payout_account_t
payout_account(const payout_table_t *from)
{
    pay_payout_account_t  account;

    memset(&account, 0, sizeof(account));
    account.call.base_url = PAY_STR("https://provider.example/base");
    account.call.api_key = PAY_STR(SECRET);
    account.call.account = pay_str_of(from->account);
    account.call.live = -1;
    account.debtor_name = PAY_STR("Acme GmbH");
    account.debtor_iban = PAY_STR("DE89370400440532013000");
    account.debtor_bic = PAY_STR("COBADEFFXXX");

    return account;
}


int
payout_call(const char *operation, pay_payout_call_t *call, unsigned *step)
{
    *step = (unsigned) strtoul(operation + strcspn(operation, "0123456789"),
                               NULL, 10);
    *call = strncmp(operation, "send", 4) == 0 ? PAY_PAYOUT_SEND
            : strncmp(operation, "ask", 3) == 0 ? PAY_PAYOUT_ASK
            : strncmp(operation, "find", 4) == 0 ? PAY_PAYOUT_FIND
            : PAY_PAYOUT_CANCEL;

    return strcmp(operation, "hook") != 0;
}


const char *
payout_outcome(pay_psp_outcome_t outcome)
{
    static const char *const  names[] = {
        "done", "pending", "refused", "not-sent", "unknown"
    };

    return names[outcome];
}


void
payout_events(const pay_payout_event_t *events, unsigned count, char *text,
    size_t size)
{
    char      amount[32];
    size_t    len = 0;
    unsigned  i;

    snprintf(text, size, "-");

    for (i = 0; i < count && len < size; i++) {
        snprintf(amount, sizeof(amount), "=%lld",
                 (long long) events[i].amount_minor);
        len += (size_t) snprintf(text + len, size - len, "%s%s%s%s%.*s%s%s",
                                 i > 0 ? "," : "",
                                 pay_payout_state_name(events[i].state),
                                 !events[i].has_amount
                                 || events[i].amount_minor == CASE_MINOR
                                 ? "" : amount,
                                 events[i].code.len != 0 ? ":" : "",
                                 pay_fmt(events[i].code),
                                 events[i].is_ours ? "!" : "",
                                 events[i].must_ask ? "?" : "");
    }
}
