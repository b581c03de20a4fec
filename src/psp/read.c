/*
 * The common questions of the adapters to untrusted JSON: is a member this
 * word, does it echo our value, which row of a table does it name, which amount
 * is it.  Nothing here moves money or judges an outcome.
 */

#include "psp/psp.h"


static const void *row_find(const void *rows, size_t size,
    const pay_json_t *json, const char *member);


/* 0 for an absent member and for one of another type, too. */
int
pay_psp_is(const pay_json_t *json, const char *member, const char *text)
{
    pay_str_t  value;

    return pay_json_string(pay_json_get(json, member), &value) == PAY_OK
           && pay_str_is(value, text);
}


int
pay_psp_is_one_of(pay_str_t text, const char *const *words)
{
    while (*words != NULL && !pay_str_is(text, *words)) {
        words++;
    }

    return *words != NULL;
}


/* JSON null counts as absent: PSPs write it for members that have no value. */
int
pay_psp_is_there(const pay_json_t *json, const char *member)
{
    return pay_json_type(pay_json_get(json, member)) != PAY_JSON_NULL;
}


/* For members that a PSP may leave out. */
pay_psp_echo_t
pay_psp_echo_text(const pay_json_t *json, const char *member,
    pay_str_t expected)
{
    return pay_psp_is_there(json, member)
           ? pay_psp_echo_needed(json, member, expected) : PAY_PSP_ECHO_RIGHT;
}


/* A member of another type cannot be compared, which is worse than a wrong
 * one: the answer may be no answer to this call. */
pay_psp_echo_t
pay_psp_echo_needed(const pay_json_t *json, const char *member,
    pay_str_t expected)
{
    pay_str_t  text;

    if (pay_json_string(pay_json_get(json, member), &text) != PAY_OK) {
        return PAY_PSP_ECHO_INVALID;
    }

    return pay_str_eq(text, expected) ? PAY_PSP_ECHO_RIGHT
                                      : PAY_PSP_ECHO_WRONG;
}


/* An answer that cannot be compared keeps the code "answer_invalid" of its
 * frame. */
int
pay_psp_believed(pay_psp_echo_t echo, pay_str_t *code)
{
    if (echo == PAY_PSP_ECHO_WRONG) {
        *code = PAY_STR("answer_mismatch");
    }

    return echo == PAY_PSP_ECHO_RIGHT;
}


const pay_psp_outcome_row_t *
pay_psp_outcome_row(const pay_psp_outcome_row_t *rows, const pay_json_t *json)
{
    return row_find(rows, sizeof(*rows), json, "status");
}


const pay_psp_news_row_t *
pay_psp_news_row(const pay_psp_news_row_t *rows, const pay_json_t *json,
    const char *member)
{
    return row_find(rows, sizeof(*rows), json, member);
}


const pay_psp_fact_row_t *
pay_psp_fact_row(const pay_psp_fact_row_t *rows, const pay_json_t *json)
{
    return row_find(rows, sizeof(*rows), json, "status");
}


/* Each row begins with its word.  The three kinds of rows differ behind it, so
 * the step is their size; the last row, whose word is NULL, is returned when
 * no word fits. */
static const void *
row_find(const void *rows, size_t size, const pay_json_t *json,
    const char *member)
{
    const char        *row;
    const char *const *word;

    for (row = rows; *(word = (const void *) row) != NULL; row += size) {
        if (pay_psp_is(json, member, *word)) {
            break;
        }
    }

    return row;
}


/* Wraps pay_psp_token_get() for readers whose PAY_INVALID means "this object
 * is none". */
pay_status_t
pay_psp_token_need(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *token)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, json, member, token);

    return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
}


/* A token that is missing or malformed leaves *token empty; only memory
 * fails. */
pay_status_t
pay_psp_token_may(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *token)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, json, member, token);

    return (status == PAY_NOT_FOUND) ? PAY_OK : status;
}


/* The form alone: whether ISO 4217 has such a code is for the caller. */
int
pay_psp_is_currency(pay_str_t code)
{
    size_t  i;

    for (i = 0; i < code.len; i++) {
        if (code.data[i] < 'A' || code.data[i] > 'Z') {
            return 0;
        }
    }

    return code.len == PAY_PSP_CURRENCY_LEN;
}


/* The amount begins as 0 on purpose: an amount in a currency that we do not
 * know is there, and must not pass for an absent one. */
pay_status_t
pay_psp_amount_open(pay_arena_t *arena, pay_str_t code,
    pay_psp_event_t *event, const pay_currency_t **currency)
{
    *currency = NULL;

    if (!pay_psp_is_currency(code)) {
        return PAY_OK;
    }

    PAY_TRY(pay_dup(arena, code, &event->currency));

    event->has_amount = 1;
    event->amount_minor = 0;

    if (pay_currency_find(code, currency, NULL) != PAY_OK) {
        *currency = NULL;
    }

    return PAY_OK;
}


/* Both members are needed: an amount without its currency proves nothing. */
pay_psp_echo_t
pay_psp_echo_minor(const pay_json_t *json, const char *member, int64_t minor,
    const pay_currency_t *currency)
{
    int64_t  amount;

    if (pay_json_integer(pay_json_get(json, member), &amount) != PAY_OK) {
        return PAY_PSP_ECHO_INVALID;
    }

    return (amount == minor)
           ? pay_psp_echo_needed(json, "currency", pay_str_of(currency->code))
           : PAY_PSP_ECHO_WRONG;
}


/* Negative and absurd amounts become 0 and lie in the mismatch queue for an
 * operator, instead of being refused and sent again and again. */
pay_status_t
pay_psp_minor_in(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_psp_event_t *event)
{
    int64_t                amount;
    pay_str_t              code;
    const pay_currency_t  *currency;

    if (pay_json_integer(pay_json_get(json, member), &amount) != PAY_OK
        || pay_json_string(pay_json_get(json, "currency"), &code) != PAY_OK)
    {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_amount_open(arena, code, event, &currency));

    if (currency != NULL && amount > 0 && amount <= PAY_AMOUNT_MAX_MINOR) {
        event->amount_minor = amount;
    }

    return PAY_OK;
}


/* Returns the last row, whose code is empty, when the currency has no row of
 * its own. */
const pay_psp_unit_t *
pay_psp_unit(const pay_psp_unit_t *rows, const pay_currency_t *currency)
{
    while (rows->code[0] != '\0'
           && !pay_str_is(pay_str_of(currency->code), rows->code))
    {
        rows++;
    }

    return rows;
}


/* Multiply first and divide last, with the overflow excluded before; a
 * remainder is a refusal, since rounding would make another amount. */
int
pay_psp_unit_to_theirs(const pay_psp_unit_t *unit, int64_t ours,
    int64_t *theirs)
{
    if (ours <= 0 || ours > INT64_MAX / unit->multiply
        || ours % unit->divide != 0)
    {
        return 0;
    }

    *theirs = ours * unit->multiply / unit->divide;

    return 1;
}


/* 0 where the PSP's amount has no equal in ours, which no order has. */
int64_t
pay_psp_unit_to_ours(const pay_psp_unit_t *unit, int64_t theirs)
{
    if (unit == NULL || theirs < 0 || theirs > INT64_MAX / unit->divide
        || theirs % unit->multiply != 0
        || theirs / unit->multiply > PAY_AMOUNT_MAX_MINOR / unit->divide)
    {
        return 0;
    }

    return theirs * unit->divide / unit->multiply;
}
