/*
 * A seller's balance and statement: the query from a stranger, and what is
 * shown around the JSON that SQL has made.
 */

#include "pay_seller.h"
#include "pay_json.h"
#include "pay_payment.h"


#define RENDER_MAX  (1024 * 1024)
#define SEQ_MAX     INT64_C(999999999999999)


typedef struct {
    /* The parameters as they stand in the query; data NULL: absent. */
    pay_str_t  currency;
    pay_str_t  limit;
    pay_str_t  before;
} query_t;


static pay_status_t split(pay_str_t query, query_t *parts, pay_err_t *err);
static pay_status_t take(pay_str_t part, query_t *parts);
static pay_status_t number(pay_str_t text, int64_t max, int64_t *value);
static pay_status_t add_seller(pay_arena_t *arena, pay_str_t seller,
    pay_buf_t *buf);


/* The same rule as in the body of a payment (order_parse.c), for the segment
 * of a path. */
int
pay_seller_is_valid(pay_str_t seller)
{
    size_t  i;

    for (i = 0; i < seller.len; i++) {
        if (seller.data[i] <= ' ' || seller.data[i] >= 0x7f) {
            return 0;
        }
    }

    return seller.len > 0 && seller.len <= PAY_SELLER_MAX;
}


/* A currency is required: a wallet is one seller's in one currency, and sums
 * of two mean nothing.  Withdrawn currencies are read, too. */
pay_status_t
pay_statement_parse(pay_str_t query, pay_statement_t *statement,
    pay_err_t *err)
{
    query_t  parts;

    memset(statement, 0, sizeof(*statement));
    memset(&parts, 0, sizeof(parts));
    statement->limit = PAY_STATEMENT_LIMIT;

    /* Form first: parameters that are unknown or stand twice. */
    PAY_TRY(split(query, &parts, err));

    if (parts.currency.data == NULL) {
        return pay_refuse(err, "validation-error",
                          "the query must name a currency, for example "
                          "?currency=EUR");
    }

    if (pay_currency_find(parts.currency, &statement->currency, NULL)
        != PAY_OK)
    {
        return pay_refuse(err, "currency-unsupported",
                          "the currency is not known: it must be an ISO 4217 "
                          "code, for example ?currency=EUR");
    }

    if (parts.limit.data != NULL
        && number(parts.limit, PAY_STATEMENT_LIMIT_MAX, &statement->limit)
           != PAY_OK)
    {
        return pay_refuse(err, "validation-error",
                          "limit must be a whole number from 1 to 100");
    }

    /* `before` is the number of a line, so that a page stays the same while
     * lines are added. */
    if (parts.before.data != NULL
        && number(parts.before, SEQ_MAX, &statement->before) != PAY_OK)
    {
        return pay_refuse(err, "validation-error",
                          "before must be the next of an earlier page");
    }

    return PAY_OK;
}


/* `balances` is JSON by SQL, put in as it is. */
pay_status_t
pay_balance_render(pay_arena_t *arena, pay_str_t seller, pay_str_t balances,
    pay_str_t *json)
{
    pay_buf_t  buf;

    pay_buf_init(&buf, arena, RENDER_MAX);
    PAY_TRY(add_seller(arena, seller, &buf));
    pay_buf_text(&buf, ",\"balances\":");
    pay_buf_add(&buf, balances);
    pay_buf_text(&buf, "}");

    return pay_buf_done(&buf, json);
}


/* SQL's is an object of its own: its members become ours. */
pay_status_t
pay_statement_render(pay_arena_t *arena, pay_str_t seller,
    const pay_statement_t *statement, pay_str_t lines, pay_str_t *json)
{
    pay_buf_t  buf;

    if (lines.len < 2 || lines.data[0] != '{') {
        return PAY_BUG;
    }

    lines.data++;
    lines.len--;

    pay_buf_init(&buf, arena, RENDER_MAX);
    PAY_TRY(add_seller(arena, seller, &buf));
    pay_buf_text(&buf, ",\"currency\":\"");
    pay_buf_text(&buf, statement->currency->code);
    pay_buf_text(&buf, "\",");
    pay_buf_add(&buf, lines);

    return pay_buf_done(&buf, json);
}


/* Like pay_page_parse(), without a table of readers: values are judged by the
 * caller. */
static pay_status_t
split(pay_str_t query, query_t *parts, pay_err_t *err)
{
    pay_str_t             part;
    const unsigned char  *end;

    if (query.len == 0) {
        return PAY_OK;
    }

    for ( ;; ) {
        end = memchr(query.data, '&', query.len);

        part.data = query.data;
        part.len = (end == NULL) ? query.len : (size_t) (end - query.data);

        if (take(part, parts) != PAY_OK) {
            return pay_refuse(err, "validation-error",
                              "the query may have currency, limit and before, "
                              "each once");
        }

        if (end == NULL) {
            return PAY_OK;
        }

        query.data += part.len + 1;
        query.len -= part.len + 1;
    }
}


/* No value that is right needs an escape. */
static pay_status_t
take(pay_str_t part, query_t *parts)
{
    size_t                i, len;
    const unsigned char  *equals;

    const struct {
        const char  *name;
        pay_str_t   *to;
    } names[] = {
        { "currency", &parts->currency },
        { "limit", &parts->limit },
        { "before", &parts->before }
    };

    equals = (part.len == 0) ? NULL : memchr(part.data, '=', part.len);
    if (equals == NULL) {
        return PAY_INVALID;
    }

    len = (size_t) (equals - part.data);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (pay_str_is((pay_str_t) { len, part.data }, names[i].name)
            && names[i].to->data == NULL)
        {
            names[i].to->data = equals + 1;
            names[i].to->len = part.len - len - 1;

            return PAY_OK;
        }
    }

    return PAY_INVALID;
}


/* 1 to `max`; 0 is refused, since neither a limit nor a place in a statement
 * is 0. */
static pay_status_t
number(pay_str_t text, int64_t max, int64_t *value)
{
    size_t   i;
    int64_t  n = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return PAY_INVALID;
        }

        n = n * 10 + (text.data[i] - '0');

        if (n > max) {
            return PAY_INVALID;
        }
    }

    if (n == 0) {
        return PAY_INVALID;
    }

    *value = n;

    return PAY_OK;
}


/* Begins the object with the seller's name and leaves it open.  The name may
 * have quotes in it, so that jansson writes it. */
static pay_status_t
add_seller(pay_arena_t *arena, pay_str_t seller, pay_buf_t *buf)
{
    pay_str_t      text = PAY_STR("");
    pay_json_t    *json;
    pay_status_t   status;

    json = pay_json_object_new();
    if (json == NULL) {
        return PAY_NO_MEMORY;
    }

    status = pay_json_set_string(json, "seller_account", seller);

    if (status == PAY_OK) {
        status = pay_json_write(arena, json, &text);
    }

    pay_json_free(json);
    PAY_TRY(status);

    text.len--;                        /* the closing brace */
    pay_buf_add(buf, text);

    return PAY_OK;
}
