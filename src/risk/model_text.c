/*
 * The text of a LightGBM model, piece by piece: lines, members, words, numbers.
 * Nothing is guessed: a line without an end, a blank too many or a number that
 * is followed by anything is refused.  Numbers are those of the C locale,
 * whatever the process has set.
 */

#define _GNU_SOURCE                    /* strtod_l() */

#include <math.h>
#include <stdlib.h>

#include "risk/model.h"


#define NUMBER_MAX  48                 /* bytes; %.17g needs 24 */
#define DIGITS_MAX  15                 /* of an integer */


static pay_status_t text_member(pay_risk_text_t *text,
    const pay_risk_member_t *members, pay_str_t line);
static int number_is_plain(pay_str_t word);
static size_t number_digits(pay_str_t word, size_t at);
static pay_status_t text_count(const pay_risk_text_t *text,
    const pay_risk_field_t *field, const char *name, int is_right);


pay_status_t
pay_risk_text_open(pay_risk_text_t *text, pay_arena_t *arena, pay_str_t bytes,
    pay_err_t *err)
{
    memset(text, 0, sizeof(*text));
    text->arena = arena;
    text->err = err;
    text->rest = bytes;

    text->numbers = pay_alloc(arena, PAY_RISK_MODEL_LEAVES_MAX
                              * sizeof(*text->numbers));
    text->integers = pay_alloc(arena, PAY_RISK_MODEL_LEAVES_MAX
                               * sizeof(*text->integers));
    if (text->numbers == NULL || text->integers == NULL) {
        return PAY_NO_MEMORY;
    }

    text->locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);

    return text->locale != (locale_t) 0 ? PAY_OK : PAY_NO_MEMORY;
}


void
pay_risk_text_close(pay_risk_text_t *text)
{
    freelocale(text->locale);
}


pay_status_t
pay_risk_text_refuse(const pay_risk_text_t *text, unsigned line,
    const char *name, const char *why)
{
    (void) pay_refuse(text->err, "risk-model-invalid",
                      "The model cannot be read.");
    pay_err_say(text->err, "line %u: %s%s%s", line, name,
                name[0] != '\0' ? ": " : "", why);

    return PAY_INVALID;
}


pay_status_t
pay_risk_text_line(pay_risk_text_t *text, pay_str_t *line)
{
    size_t                n;
    const unsigned char  *end = NULL;

    if (text->rest.len != 0) {
        end = memchr(text->rest.data, '\n', text->rest.len);
    }

    if (end == NULL) {
        return pay_risk_text_refuse(text, text->line + 1, "",
                                    "the text ends here: it was cut");
    }

    n = (size_t) (end - text->rest.data);
    *line = (pay_str_t) { n, text->rest.data };
    text->rest.data += n + 1;
    text->rest.len -= n + 1;
    text->line++;

    return PAY_OK;
}


pay_status_t
pay_risk_text_filled(pay_risk_text_t *text, pay_str_t *line)
{
    do {
        PAY_TRY(pay_risk_text_line(text, line));
    } while (line->len == 0);

    return PAY_OK;
}


pay_status_t
pay_risk_text_expect(pay_risk_text_t *text, const char *words)
{
    pay_str_t  line;

    PAY_TRY(pay_risk_text_filled(text, &line));

    return pay_str_is(line, words)
           ? PAY_OK : pay_risk_text_refuse(text, text->line, words,
                                           "is missing here");
}


pay_status_t
pay_risk_text_fields(pay_risk_text_t *text, const pay_risk_member_t *members)
{
    unsigned   i;
    pay_str_t  line;

    memset(text->fields, 0, sizeof(text->fields));
    PAY_TRY(pay_risk_text_line(text, &line));

    while (line.len != 0) {
        PAY_TRY(text_member(text, members, line));
        PAY_TRY(pay_risk_text_line(text, &line));
    }

    for (i = 0; members[i].name != NULL; i++) {
        if (members[i].is_required && text->fields[i].text.data == NULL) {
            return pay_risk_text_refuse(text, text->line, members[i].name,
                                        "is missing");
        }
    }

    return PAY_OK;
}


static pay_status_t
text_member(pay_risk_text_t *text, const pay_risk_member_t *members,
    pay_str_t line)
{
    unsigned              i;
    pay_str_t             name = line;
    const unsigned char  *equals = memchr(line.data, '=', line.len);

    name.len = equals != NULL ? (size_t) (equals - line.data) : 0;

    for (i = 0; members[i].name != NULL; i++) {
        if (!pay_str_is(name, members[i].name)) {
            continue;
        }

        if (text->fields[i].text.data != NULL) {
            return pay_risk_text_refuse(text, text->line, members[i].name,
                                        "stands here twice");
        }

        text->fields[i].line = text->line;
        text->fields[i].text = (pay_str_t) {
            line.len - name.len - 1, line.data + name.len + 1
        };

        return PAY_OK;
    }

    return pay_risk_text_refuse(text, text->line, "",
                                "no such member is known here");
}


int
pay_risk_text_word(pay_str_t *rest, pay_str_t *word)
{
    const unsigned char  *end;

    if (rest->data == NULL) {
        return 0;
    }

    end = rest->len != 0 ? memchr(rest->data, ' ', rest->len) : NULL;

    if (end == NULL) {
        *word = *rest;
        *rest = (pay_str_t) { 0, NULL };
        return 1;
    }

    *word = (pay_str_t) { (size_t) (end - rest->data), rest->data };
    *rest = (pay_str_t) { rest->len - word->len - 1, end + 1 };

    return 1;
}


/* strtod_l() rounds as LightGBM's reader does, to the nearest double; the form
 * is checked before, since it accepts blanks, hex, "nan" and "inf", too. */
pay_status_t
pay_risk_text_number(const pay_risk_text_t *text, pay_str_t word,
    double *number)
{
    char  bytes[NUMBER_MAX + 1];

    if (text->has_inf && pay_str_is(word, "inf")) {
        *number = HUGE_VAL;
        return PAY_OK;
    }

    if (word.len > NUMBER_MAX || !number_is_plain(word)) {
        return PAY_INVALID;
    }

    memcpy(bytes, word.data, word.len);
    bytes[word.len] = '\0';
    *number = strtod_l(bytes, NULL, text->locale);

    return isfinite(*number) ? PAY_OK : PAY_INVALID;
}


/* [-] digits [. digits] [e [+-] digits] */
static int
number_is_plain(pay_str_t word)
{
    size_t  at, end;

    at = word.len != 0 && word.data[0] == '-';
    end = number_digits(word, at);
    if (end == at) {
        return 0;
    }

    at = end;

    if (at < word.len && word.data[at] == '.') {
        end = number_digits(word, at + 1);
        if (end == at + 1) {
            return 0;
        }

        at = end;
    }

    if (at < word.len && (word.data[at] == 'e' || word.data[at] == 'E')) {
        at++;
        at += at < word.len && (word.data[at] == '-' || word.data[at] == '+');
        end = number_digits(word, at);
        if (end == at) {
            return 0;
        }

        at = end;
    }

    return at == word.len;
}


static size_t
number_digits(pay_str_t word, size_t at)
{
    while (at < word.len && word.data[at] >= '0' && word.data[at] <= '9') {
        at++;
    }

    return at;
}


pay_status_t
pay_risk_text_integer(pay_str_t word, int64_t min, int64_t max,
    int64_t *integer)
{
    size_t   i, sign;
    int64_t  value = 0;

    sign = word.len != 0 && word.data[0] == '-';

    if (word.len == sign || word.len > sign + DIGITS_MAX
        || number_digits(word, sign) != word.len)
    {
        return PAY_INVALID;
    }

    for (i = sign; i < word.len; i++) {
        value = 10 * value + (word.data[i] - '0');
    }

    value = sign ? -value : value;

    if (value < min || value > max) {
        return PAY_INVALID;
    }

    *integer = value;

    return PAY_OK;
}


/* An empty list is an empty text, which has one empty word. */
pay_status_t
pay_risk_text_numbers(pay_risk_text_t *text, const pay_risk_field_t *field,
    const char *name, unsigned count)
{
    unsigned   n = 0;
    pay_str_t  word, rest = field->text;

    while (field->text.len != 0 && pay_risk_text_word(&rest, &word)) {
        if (n == count) {
            return text_count(text, field, name, 0);
        }

        if (pay_risk_text_number(text, word, &text->numbers[n++]) != PAY_OK) {
            return pay_risk_text_refuse(text, field->line, name,
                                        "not a number that is read");
        }
    }

    return text_count(text, field, name, n == count);
}


pay_status_t
pay_risk_text_integers(pay_risk_text_t *text, const pay_risk_field_t *field,
    const char *name, unsigned count, int64_t min, int64_t max)
{
    unsigned   n = 0;
    pay_str_t  word, rest = field->text;

    while (field->text.len != 0 && pay_risk_text_word(&rest, &word)) {
        if (n == count) {
            return text_count(text, field, name, 0);
        }

        if (pay_risk_text_integer(word, min, max, &text->integers[n++])
            != PAY_OK)
        {
            return pay_risk_text_refuse(text, field->line, name,
                                        "an index or integer out of range");
        }
    }

    return text_count(text, field, name, n == count);
}


static pay_status_t
text_count(const pay_risk_text_t *text, const pay_risk_field_t *field,
    const char *name, int is_right)
{
    return is_right ? PAY_OK
                    : pay_risk_text_refuse(text, field->line, name,
                                           "another number of values than the "
                                           "tree or model has");
}
