/*
 * The query of a list for finance, from a stranger.
 */

#include "pay_finance.h"
#include "pay_money.h"
#include "pay_seller.h"
#include "pay_time.h"


#define DAY_TEXT   10                  /* 2026-11-21 */
#define NAME_MAX   63
#define WORDS_MAX  12

#define FILES       (1u << PAY_FINANCE_FILES)
#define ROWS        (1u << PAY_FINANCE_ROWS)
#define EXCEPTIONS  (1u << PAY_FINANCE_EXCEPTIONS)
#define CLOSES      (1u << PAY_FINANCE_CLOSES)
#define AGEING      (1u << PAY_FINANCE_AGEING)
#define BALANCES    (1u << PAY_FINANCE_BALANCES)
#define PAYOUTS     (1u << PAY_FINANCE_PAYOUTS)
#define BATCHES     (1u << PAY_FINANCE_BATCHES)
#define DESTINATIONS  (1u << PAY_FINANCE_DESTINATIONS)
#define ADVICE      (1u << PAY_FINANCE_ADVICE)
#define PAGED       (FILES | ROWS | EXCEPTIONS | CLOSES | PAYOUTS | BATCHES \
                     | ADVICE)
#define ALL         (PAGED | AGEING | BALANCES | DESTINATIONS)

typedef pay_status_t (*take_pt)(pay_str_t value, pay_finance_query_t *query);


static int accepts(pay_str_t accept, const char *type);
static pay_status_t take_id(pay_str_t id, pay_finance_query_t *query);
static pay_status_t take_part(pay_str_t part, pay_finance_query_t *query,
    unsigned *seen, pay_err_t *err);
static pay_status_t take_number(pay_str_t value, pay_int_t *number);
static pay_status_t take_name(pay_str_t value, pay_str_t *name);
static pay_status_t take_file(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_source(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_psp(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_seller(pay_str_t value, pay_finance_query_t *query);
static int digit(unsigned char c);
static pay_status_t take_provider(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_currency(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_class(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_state(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_day(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_format(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_before(pay_str_t value, pay_finance_query_t *query);
static pay_status_t take_limit(pay_str_t value, pay_finance_query_t *query);


static const struct {
    const char  *name;
    unsigned     lists;
    take_pt      take;
    const char  *rule;
} parameters[] = {
    { "file_id", ROWS, take_file, "file_id must be a number" },
    { "source", FILES, take_source,
      "source must be the name of a source of files" },
    { "psp", FILES | ROWS | EXCEPTIONS | AGEING | BALANCES, take_psp,
      "psp must be the name of a PSP" },
    { "seller_account", PAYOUTS, take_seller,
      "seller_account must be the account of a seller" },
    { "provider", PAYOUTS | BATCHES, take_provider,
      "provider must be the name of a provider of pay-outs" },
    { "currency", ROWS | EXCEPTIONS | AGEING | BALANCES | PAYOUTS | BATCHES,
      take_currency,
      "currency must be an ISO 4217 code, for example EUR" },
    { "class", ROWS | EXCEPTIONS, take_class,
      "class must be a number from 0 to 3" },
    { "state", FILES | ROWS | EXCEPTIONS | PAYOUTS | BATCHES, take_state,
      "state must be one that an item of this list can have" },
    { "day", FILES | ROWS | EXCEPTIONS | PAYOUTS | BATCHES, take_day,
      "day must be a date, for example 2026-11-21" },
    { "format", ALL, take_format,
      "format must be json or csv, or html for an advice" },
    { "before", PAGED, take_before,
      "before must be the next of an earlier page" },
    { "limit", PAGED, take_limit, "limit must be a whole number from 1 to 100" }
};

static const char *const  states[PAY_FINANCE_LISTS][WORDS_MAX] = {
    [PAY_FINANCE_FILES] = { "received", "staged", "proven", "booking",
                            "booked", "refused" },
    [PAY_FINANCE_ROWS] = { "matched", "matched_group", "posted", "proposed",
                           "exception", "resolved" },
    [PAY_FINANCE_EXCEPTIONS] = { "open", "closed" },
    [PAY_FINANCE_PAYOUTS] = { "draft", "held", "ready", "approved", "sending",
                              "sent", "paid", "settled", "returned", "failed",
                              "cancelled", "unknown" },
    [PAY_FINANCE_BATCHES] = { "open", "approved", "expired", "withdrawn" }
};


pay_status_t
pay_finance_parse(const pay_finance_asked_t *asked, pay_finance_query_t *query,
    pay_err_t *err)
{
    unsigned              seen = 0;
    pay_str_t             part, rest = asked->query;
    const unsigned char  *end;

    memset(query, 0, sizeof(*query));
    query->list = asked->list;
    query->is_csv = accepts(asked->accept, "text/csv");
    query->is_html = asked->list == PAY_FINANCE_ADVICE && !query->is_csv
                     && accepts(asked->accept, "text/html");

    if (asked->id.len > 0) {
        query->is_one = asked->list != PAY_FINANCE_ADVICE;
        PAY_TRY(take_id(asked->id, query));
    }

    if (asked->seller.len > 0) {
        if (!pay_seller_is_valid(asked->seller)) {
            return PAY_NOT_FOUND;
        }

        memcpy(query->seller, asked->seller.data, asked->seller.len);
        query->seller_len = asked->seller.len;
    }

    for (end = rest.len > 0 ? rest.data : NULL; end != NULL; /* void */ ) {
        end = (rest.len == 0) ? NULL : memchr(rest.data, '&', rest.len);

        part.data = rest.data;
        part.len = (end == NULL) ? rest.len : (size_t) (end - rest.data);

        PAY_TRY(take_part(part, query, &seen, err));

        rest.data += part.len + (end != NULL);
        rest.len -= part.len + (end != NULL);
    }

    if ((query->is_csv || query->is_html)
        && (query->before.is_set || query->limit > 0))
    {
        return pay_refuse(err, "validation-error",
                          "CSV has all that is selected, and html the newest "
                          "lines: they have no pages, so neither before nor "
                          "limit");
    }

    if (query->limit == 0) {
        query->limit = (query->is_csv || query->is_html)
                       ? PAY_EXPORT_PAGE : PAY_FINANCE_LIMIT;
    }

    return PAY_OK;
}


/* Names the type, and no JSON. */
static int
accepts(pay_str_t accept, const char *type)
{
    int        named = 0;
    size_t     i;
    pay_str_t  name = pay_str_of(type);

    static const pay_str_t  json = pay_string("json");

    for (i = 0; i < accept.len; i++) {
        if (accept.len - i >= json.len
            && memcmp(accept.data + i, json.data, json.len) == 0)
        {
            return 0;
        }

        named |= accept.len - i >= name.len
                 && memcmp(accept.data + i, name.data, name.len) == 0;
    }

    return named;
}


static pay_status_t
take_id(pay_str_t id, pay_finance_query_t *query)
{
    pay_status_t  status;

    switch (query->list) {

    case PAY_FINANCE_CLOSES:
        status = take_day(id, query);
        break;

    case PAY_FINANCE_PAYOUTS:
    case PAY_FINANCE_BATCHES:
    case PAY_FINANCE_DESTINATIONS:
    case PAY_FINANCE_ADVICE:
        status = take_name(id, &query->payout_id);
        break;

    default:
        status = take_number(id, &query->id);
        break;
    }

    return status == PAY_OK ? PAY_OK : PAY_NOT_FOUND;
}


/* One item has no parameter but its format. */
static pay_status_t
take_part(pay_str_t part, pay_finance_query_t *query, unsigned *seen,
    pay_err_t *err)
{
    size_t                i;
    pay_str_t             name, value;
    const unsigned char  *equals;

    equals = (part.len == 0) ? NULL : memchr(part.data, '=', part.len);

    if (equals != NULL) {
        name.data = part.data;
        name.len = (size_t) (equals - part.data);
        value.data = equals + 1;
        value.len = part.len - name.len - 1;

        for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
            if (!pay_str_is(name, parameters[i].name)
                || (parameters[i].lists & (1u << query->list)) == 0
                || (query->is_one && parameters[i].take != take_format)
                || (*seen & (1u << i)) != 0)
            {
                continue;
            }

            *seen |= 1u << i;

            return parameters[i].take(value, query) == PAY_OK
                   ? PAY_OK : pay_refuse(err, "validation-error",
                                         parameters[i].rule);
        }
    }

    return pay_refuse(err, "validation-error",
                      "the query has a parameter that this list has not, or "
                      "has one twice");
}


static pay_status_t
take_number(pay_str_t value, pay_int_t *number)
{
    number->is_set = 1;

    return (pay_digits_parse(value, &number->number) == PAY_OK
            && number->number > 0)
           ? PAY_OK : PAY_INVALID;
}


/* No name needs an escape. */
static pay_status_t
take_name(pay_str_t value, pay_str_t *name)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < value.len; i++) {
        c = value.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
        {
            return PAY_INVALID;
        }
    }

    *name = value;

    return (value.len > 0 && value.len <= NAME_MAX) ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_file(pay_str_t value, pay_finance_query_t *query)
{
    return take_number(value, &query->file_id);
}


static pay_status_t
take_source(pay_str_t value, pay_finance_query_t *query)
{
    return take_name(value, &query->source);
}


static pay_status_t
take_psp(pay_str_t value, pay_finance_query_t *query)
{
    return take_name(value, &query->psp);
}


/* A seller's account has characters that a query escapes (RFC 3986 2.1).  A
 * plus is a plus here and no blank, which no account has. */
static pay_status_t
take_seller(pay_str_t value, pay_finance_query_t *query)
{
    int            high, low;
    size_t         i;
    unsigned char  c;

    query->seller_len = 0;

    for (i = 0; i < value.len; i++) {
        c = value.data[i];

        if (c == '%') {
            high = value.len - i < 3 ? -1 : digit(value.data[i + 1]);
            low = value.len - i < 3 ? -1 : digit(value.data[i + 2]);

            if (high < 0 || low < 0) {
                return PAY_INVALID;
            }

            c = (unsigned char) (high * 16 + low);
            i += 2;
        }

        if (query->seller_len == PAY_SELLER_MAX) {
            return PAY_INVALID;
        }

        query->seller[query->seller_len++] = c;
    }

    return pay_seller_is_valid((pay_str_t) { query->seller_len,
                                             query->seller })
           ? PAY_OK : PAY_INVALID;
}


/* of an escape, in small letters or capitals; -1: it is none */
static int
digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


static pay_status_t
take_provider(pay_str_t value, pay_finance_query_t *query)
{
    return take_name(value, &query->provider);
}


static pay_status_t
take_currency(pay_str_t value, pay_finance_query_t *query)
{
    const pay_currency_t  *currency;

    query->currency = value;

    return pay_currency_find(value, &currency, NULL);
}


static pay_status_t
take_class(pay_str_t value, pay_finance_query_t *query)
{
    query->class.is_set = 1;

    return (pay_digits_parse(value, &query->class.number) == PAY_OK
            && value.len == 1 && query->class.number <= 3)
           ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_state(pay_str_t value, pay_finance_query_t *query)
{
    size_t  i;

    query->state = value;

    for (i = 0; i < WORDS_MAX && states[query->list][i] != NULL; i++) {
        if (pay_str_is(value, states[query->list][i])) {
            return PAY_OK;
        }
    }

    return PAY_INVALID;
}


/* PostgreSQL has no year 0: earlier days than ours are refused. */
static pay_status_t
take_day(pay_str_t value, pay_finance_query_t *query)
{
    int64_t        us;
    unsigned char  text[] = "2026-11-21T00:00:00.000000Z";

    query->day = value;

    if (value.len != DAY_TEXT) {
        return PAY_INVALID;
    }

    memcpy(text, value.data, DAY_TEXT);

    return (pay_time_parse((pay_str_t) { sizeof(text) - 1, text }, &us)
            == PAY_OK && us >= 0)
           ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_format(pay_str_t value, pay_finance_query_t *query)
{
    query->is_csv = pay_str_is(value, "csv");
    query->is_html = query->list == PAY_FINANCE_ADVICE
                     && pay_str_is(value, "html");

    return (query->is_csv || query->is_html || pay_str_is(value, "json"))
           ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_before(pay_str_t value, pay_finance_query_t *query)
{
    return take_number(value, &query->before);
}


static pay_status_t
take_limit(pay_str_t value, pay_finance_query_t *query)
{
    return (pay_digits_parse(value, &query->limit) == PAY_OK
            && query->limit >= 1 && query->limit <= PAY_FINANCE_LIMIT_MAX)
           ? PAY_OK : PAY_INVALID;
}
