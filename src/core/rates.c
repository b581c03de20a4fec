/*
 * Rates of exchange out of a stranger's JSON.  The JSON library would make
 * doubles of numbers, so they are put into quotes first, where no string is,
 * and read as text.  Called by the flow that reads a source.
 */

#include <string.h>

#include "pay_json.h"
#include "pay_money.h"
#include "pay_rates.h"
#include "pay_time.h"


#define PAY_RATES_WIDTH      1024      /* members; most lists have some 170 */
#define RATES_VALUES         65536
#define PAY_RATE_POINT_MIN   (-11)     /* 0.1e-11 is 0.000000000001 */
#define PAY_RATE_POINT_MAX   12
#define PAY_EXPONENT_DIGITS  3
#define PAY_RATES_TEXT_MAX   16384


/* 0.d1d2d3… · 10^point, d1 and the last one not 0. */
typedef struct {
    unsigned char  digits[PAY_RATES_DIGITS_MAX];
    int            count;
    int            point;
} pay_rate_t;

typedef struct {
    /* The visitor of the members carries these along: the base that was asked
     * for, the text being written, and how many rates are in it. */
    pay_str_t   base;
    pay_buf_t   out;
    unsigned    count;
    pay_err_t  *err;
} pay_rates_t;


static pay_status_t pay_rates_quote(pay_arena_t *arena, pay_str_t text,
    pay_str_t *quoted);
static size_t pay_rates_string(pay_str_t text, size_t at);
static size_t pay_rates_number(pay_str_t text, size_t at);
static pay_status_t pay_rates_read(pay_arena_t *arena, const pay_json_t *json,
    pay_str_t base, pay_str_t *rates, pay_err_t *err);
static pay_status_t pay_rates_visit(pay_str_t name, const pay_json_t *value,
    void *data);
static int pay_rate_read(pay_str_t text, pay_rate_t *rate);
static int pay_rate_digits(pay_str_t text, size_t whole, pay_rate_t *rate);
static int pay_rate_exponent(pay_str_t text, size_t at, pay_rate_t *rate);
static void pay_rate_write(pay_buf_t *out, const pay_rate_t *rate);


/* Parses twice.  The first time the document as it came, since putting numbers
 * into quotes makes JSON of some texts that are none (01, 1.e3).  The second
 * time with numbers as strings, so that their digits survive. */
pay_status_t
pay_rates_parse(pay_arena_t *arena, pay_str_t document, pay_str_t base,
    pay_str_t *rates, pay_err_t *err)
{
    pay_str_t          quoted;
    pay_json_t        *json;
    pay_status_t       status;
    pay_json_limits_t  limits = {
        PAY_RATES_DOCUMENT_MAX, 0, PAY_RATES_WIDTH, RATES_VALUES
    };

    PAY_TRY(pay_json_parse(document, &limits, &json, err));
    pay_json_free(json);

    PAY_TRY(pay_rates_quote(arena, document, &quoted));
    limits.max_size = 2 * PAY_RATES_DOCUMENT_MAX + 2;
    PAY_TRY(pay_json_parse(quoted, &limits, &json, err));

    status = pay_rates_read(arena, json, base, rates, err);
    pay_json_free(json);

    return status;
}


/* Copies the text and puts each number outside of strings between quotes.
 * Numbers never touch, so that two more bytes for each byte, and two, are
 * enough. */
static pay_status_t
pay_rates_quote(pay_arena_t *arena, pay_str_t text, pay_str_t *quoted)
{
    size_t          at, end, len = 0;
    unsigned char  *out;

    out = pay_alloc(arena, 2 * text.len + 2);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    for (at = 0; at < text.len; at = end) {
        end = pay_rates_number(text, at);

        if (end > at) {
            out[len++] = '"';
            memcpy(&out[len], &text.data[at], end - at);
            len += end - at;
            out[len++] = '"';
            continue;
        }

        end = pay_rates_string(text, at);
        memcpy(&out[len], &text.data[at], end - at);
        len += end - at;
    }

    quoted->data = out;
    quoted->len = len;

    return PAY_OK;
}


/* The offset behind the string that begins here, or behind the one byte that
 * begins none. */
static size_t
pay_rates_string(pay_str_t text, size_t at)
{
    if (text.data[at] != '"') {
        return at + 1;
    }

    for (at++; at < text.len && text.data[at] != '"'; at++) {
        if (text.data[at] == '\\') {
            at++;
        }
    }

    return at < text.len ? at + 1 : text.len;
}


/* The offset behind the number that begins here; `at`: none does. */
static size_t
pay_rates_number(pay_str_t text, size_t at)
{
    unsigned char  c = text.data[at];

    if (c != '-' && (c < '0' || c > '9')) {
        return at;
    }

    for ( ; at < text.len; at++) {
        c = text.data[at];

        if ((c < '0' || c > '9') && c != '-' && c != '+' && c != '.'
            && c != 'e' && c != 'E')
        {
            break;
        }
    }

    return at;
}


/* A document of another base is refused and not converted: a quotient would
 * have more digits than the source has vouched for. */
static pay_status_t
pay_rates_read(pay_arena_t *arena, const pay_json_t *json, pay_str_t base,
    pay_str_t *rates, pay_err_t *err)
{
    pay_str_t    said, text;
    pay_rates_t  all;

    if (pay_json_string(pay_json_get(json, "base"), &said) != PAY_OK
        || !pay_str_eq(said, base))
    {
        return pay_refuse(err, "base-differs",
                          "The rates are not of the configured base.");
    }

    all.base = base;
    all.count = 0;
    all.err = err;
    pay_buf_init(&all.out, arena, PAY_RATES_TEXT_MAX);
    pay_buf_text(&all.out, "{");

    PAY_TRY(pay_json_each(pay_json_get(json, "rates"), pay_rates_visit,
                          &all));
    pay_buf_text(&all.out, "}");
    PAY_TRY(pay_buf_done(&all.out, &text));

    if (all.count == 0) {
        return pay_refuse(err, "rates-missing",
                          "There is no rate of another known currency.");
    }

    *rates = text;

    return PAY_OK;
}


/* Codes that this gateway does not know are passed over, while one bad rate of
 * a known currency condemns the document: half a table would price some
 * payments by yesterday's rates without a word. */
static pay_status_t
pay_rates_visit(pay_str_t name, const pay_json_t *value, void *data)
{
    int                    is_one;
    pay_str_t              text;
    pay_rate_t             rate;
    pay_rates_t           *all = data;
    const pay_currency_t  *currency;

    if (pay_currency_current(name, &currency, NULL) != PAY_OK) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK || !pay_rate_read(text, &rate))
    {
        return pay_refuse(all->err, "rate-invalid",
                          "A rate is no positive number of at most 12 "
                          "significant digits.");
    }

    /* A source may list its base, too; a rate other than 1 there belongs to
     * another base. */
    if (pay_str_eq(name, all->base)) {
        is_one = rate.count == 1 && rate.digits[0] == '1' && rate.point == 1;

        return is_one ? PAY_OK
               : pay_refuse(all->err, "rate-invalid",
                            "The rate of the base is not 1.");
    }

    pay_buf_text(&all->out, all->count == 0 ? "\"" : ",\"");
    pay_buf_text(&all->out, currency->code);
    pay_buf_text(&all->out, "\":\"");
    pay_rate_write(&all->out, &rate);
    pay_buf_text(&all->out, "\"");
    all->count++;

    return PAY_OK;
}


/* A number of JSON's grammar, without a sign; 0 when it is none, or out of
 * bounds. */
static int
pay_rate_read(pay_str_t text, pay_rate_t *rate)
{
    size_t  whole, decimals, at;

    whole = pay_digits_count(text, 0);

    if (whole == 0 || (whole > 1 && text.data[0] == '0')) {
        return 0;
    }

    at = whole;

    if (at < text.len && text.data[at] == '.') {
        decimals = pay_digits_count(text, at + 1);
        at += 1 + decimals;

        if (decimals == 0) {
            return 0;
        }
    }

    return pay_rate_digits((pay_str_t) { at, text.data }, whole, rate)
           && pay_rate_exponent(text, at, rate)
           && rate->point >= PAY_RATE_POINT_MIN
           && rate->point <= PAY_RATE_POINT_MAX;
}


/* `whole` digits, then a point and more of them, or nothing; 0: there are too
 * many significant ones, or none. */
static int
pay_rate_digits(pay_str_t text, size_t whole, pay_rate_t *rate)
{
    size_t         at;
    unsigned char  digit;

    rate->count = 0;
    rate->point = 0;

    for (at = 0; at < text.len; at++) {
        digit = text.data[at];

        if (at == whole) {
            continue;
        }

        /* Zeros in front are no significant digits; behind the point they move
         * it. */
        if (rate->count == 0 && digit == '0') {
            rate->point -= at > whole;
            continue;
        }

        rate->point += at < whole;

        /* Zeros behind the twelfth digit lose nothing; another digit there
         * would. */
        if (rate->count < PAY_RATES_DIGITS_MAX) {
            rate->digits[rate->count++] = digit;

        } else if (digit != '0') {
            return 0;
        }
    }

    while (rate->count > 0 && rate->digits[rate->count - 1] == '0') {
        rate->count--;
    }

    return rate->count > 0;
}


/* Nothing, or an exponent and nothing behind it. */
static int
pay_rate_exponent(pay_str_t text, size_t at, pay_rate_t *rate)
{
    int     sign = 1, exponent = 0;
    size_t  digits;

    if (at == text.len) {
        return 1;
    }

    if (text.data[at] != 'e' && text.data[at] != 'E') {
        return 0;
    }

    at++;

    if (at < text.len && (text.data[at] == '+' || text.data[at] == '-')) {
        sign = text.data[at] == '-' ? -1 : 1;
        at++;
    }

    digits = pay_digits_count(text, at);

    if (digits == 0 || digits > PAY_EXPONENT_DIGITS
        || at + digits != text.len)
    {
        return 0;
    }

    for ( ; at < text.len; at++) {
        exponent = exponent * 10 + (text.data[at] - '0');
    }

    rate->point += sign * exponent;

    return 1;
}


/* A plain decimal number without an exponent, for PostgreSQL's numeric. */
static void
pay_rate_write(pay_buf_t *out, const pay_rate_t *rate)
{
    int  at;

    if (rate->point <= 0) {
        pay_buf_text(out, "0.");
    }

    for (at = rate->point; at < 0; at++) {
        pay_buf_text(out, "0");
    }

    for (at = 0; at < rate->count; at++) {
        if (at > 0 && at == rate->point) {
            pay_buf_text(out, ".");
        }

        pay_buf_add(out, (pay_str_t) { 1, &rate->digits[at] });
    }

    for ( ; at < rate->point; at++) {
        pay_buf_text(out, "0");
    }
}
