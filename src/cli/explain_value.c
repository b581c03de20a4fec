/*
 * Values of payctl explain's answer, as text.
 */

#include "cli/explain.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>


/* Never NULL: an absent member prints as nothing.  The text is the arena's. */
const char *
explain_text_of(pay_arena_t *arena, const pay_json_t *json, const char *member)
{
    return explain_value_of(arena, pay_json_get(json, member));
}


const char *
explain_value_of(pay_arena_t *arena, const pay_json_t *found)
{
    char       *text;
    double      real;
    int64_t     number;
    pay_str_t   value;

    if (pay_json_integer(found, &number) == PAY_OK) {
        text = pay_alloc(arena, 24);
        if (text != NULL) {
            snprintf(text, 24, "%lld", (long long) number);
            return text;
        }
    }

    if (pay_json_string(found, &value) == PAY_OK) {
        text = pay_alloc(arena, value.len + 1);
        if (text != NULL) {
            memcpy(text, value.data, value.len);
            text[value.len] = '\0';
            return text;
        }
    }

    if (pay_json_real(found, &real) == PAY_OK) {
        text = pay_alloc(arena, 24);
        if (text != NULL) {
            snprintf(text, 24, "%.3f", real);
            return text;
        }
    }

    return "";
}


const char *
explain_amount_of(pay_arena_t *arena, const pay_json_t *json,
    const char *amount, const char *currency)
{
    size_t       size;
    char        *text;
    const char  *number, *code;

    number = explain_text_of(arena, json, amount);
    code = explain_text_of(arena, json, currency);

    size = strlen(number) + strlen(code) + 2;
    text = (number[0] == '\0') ? NULL : pay_alloc(arena, size);
    if (text == NULL) {
        return "";
    }

    snprintf(text, size, "%s %s", number, code);

    return text;
}
