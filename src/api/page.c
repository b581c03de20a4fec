/*
 * The query of a list of checkouts, from a stranger.
 */

#include "parse.h"
#include "pay_page.h"
#include "pay_crypto.h"
#include "pay_state.h"
#include "pay_time.h"


#define TIME_TEXT   27               /* 2026-11-21T08:15:00.123456Z */
#define CURSOR_MAX  (TIME_TEXT + PAY_ID_MAX)

typedef pay_status_t (*take_pt)(pay_str_t value, pay_page_t *page);


static pay_status_t take_part(pay_str_t part, pay_page_t *page,
    unsigned *seen, pay_err_t *err);
static pay_status_t take_after(pay_str_t value, pay_page_t *page);
static pay_status_t take_cursor(pay_str_t value, pay_page_t *page);
static pay_status_t take_limit(pay_str_t value, pay_page_t *page);
static pay_status_t take_status(pay_str_t value, pay_page_t *page);


static const struct {
    /* A parameter, its reader, and the sentence for a value that it
     * refuses. */
    const char  *name;
    take_pt      take;
    const char  *rule;
} parameters[] = {
    { "created_after", take_after,
      "created_after must be a time in UTC, for example 2026-11-21T08:15:00Z"
    },
    { "cursor", take_cursor,
      "cursor must be the next of an earlier page" },
    { "limit", take_limit, "limit must be a whole number from 1 to 100" },
    { "status", take_status,
      "status must be NOT_STARTED, EXECUTING, SUCCESS or FAILED" }
};


/* *page borrows nothing from the query.  Unknown parameters are refused, as
 * unknown members are: a filter that is silently ignored passes for the answer
 * that was asked for. */
pay_status_t
pay_page_parse(pay_str_t query, pay_page_t *page, pay_err_t *err)
{
    unsigned              seen = 0;
    pay_str_t             part;
    const unsigned char  *end;

    memset(page, 0, sizeof(*page));
    page->limit = PAY_PAGE_LIMIT;

    if (query.len == 0) {
        return PAY_OK;
    }

    for ( ;; ) {
        end = (query.len == 0) ? NULL : memchr(query.data, '&', query.len);

        part.data = query.data;
        part.len = (end == NULL) ? query.len : (size_t) (end - query.data);

        PAY_TRY(take_part(part, page, &seen, err));

        if (end == NULL) {
            return PAY_OK;
        }

        query.data += part.len + 1;
        query.len -= part.len + 1;
    }
}


/* A parameter that stands twice is refused: which of two counts would be a
 * guess. */
static pay_status_t
take_part(pay_str_t part, pay_page_t *page, unsigned *seen, pay_err_t *err)
{
    size_t                i;
    pay_str_t             name, value;
    const unsigned char  *equals;

    equals = (part.len == 0) ? NULL : memchr(part.data, '=', part.len);

    if (equals != NULL) {
        name.data = part.data;
        name.len = (size_t) (equals - part.data);
        value.data = (unsigned char *) equals + 1;
        value.len = part.len - name.len - 1;

        for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
            if (!pay_str_is(name, parameters[i].name)
                || (*seen & (1u << i)) != 0)
            {
                continue;
            }

            *seen |= 1u << i;

            return parameters[i].take(value, page) == PAY_OK
                   ? PAY_OK : pay_refuse(err, "validation-error",
                                         parameters[i].rule);
        }
    }

    return pay_refuse(err, "validation-error",
                      "the query may have created_after, status, cursor and "
                      "limit, each once");
}


/* Clients may write a colon as %3A; no other escape is needed in a time. */
static pay_status_t
take_after(pay_str_t value, pay_page_t *page)
{
    size_t         i, n;
    unsigned char  text[TIME_TEXT];

    for (i = 0, n = 0; i < value.len && n < TIME_TEXT; n++) {
        if (value.len - i >= 3 && value.data[i] == '%') {
            if (value.data[i + 1] != '3' || (value.data[i + 2] | 0x20) != 'a') {
                return PAY_INVALID;
            }

            text[n] = ':';
            i += 3;

        } else {
            text[n] = value.data[i++];
        }
    }

    page->has_after = 1;

    return i == value.len
           ? pay_parse_time((pay_str_t) { n, text }, &page->after_us)
           : PAY_INVALID;
}


/* A cursor is the `next` of an earlier page: hex of the time and the id of its
 * last checkout.  It is opaque to clients and no secret; a forged one only
 * begins at another place of the same merchant's list. */
static pay_status_t
take_cursor(pay_str_t value, pay_page_t *page)
{
    pay_str_t      id;
    unsigned char  text[CURSOR_MAX];

    if (value.len % 2 != 0 || value.len / 2 <= TIME_TEXT
        || value.len / 2 > CURSOR_MAX
        || pay_hex_decode(value, text, value.len / 2) != PAY_OK
        || pay_time_parse((pay_str_t) { TIME_TEXT, text }, &page->before_us)
           != PAY_OK)
    {
        return PAY_INVALID;
    }

    id = (pay_str_t) { value.len / 2 - TIME_TEXT, text + TIME_TEXT };
    if (!pay_id_is_valid(id)) {
        return PAY_INVALID;
    }

    memcpy(page->before_id, id.data, id.len);
    page->before_len = id.len;
    page->has_cursor = 1;

    return PAY_OK;
}


static pay_status_t
take_limit(pay_str_t value, pay_page_t *page)
{
    return (pay_digits_parse(value, &page->limit) == PAY_OK
            && page->limit >= 1 && page->limit <= PAY_PAGE_LIMIT_MAX)
           ? PAY_OK : PAY_INVALID;
}


/* The name is taken from our table, so that page->status outlives the
 * query. */
static pay_status_t
take_status(pay_str_t value, pay_page_t *page)
{
    pay_state_t  state;

    if (!pay_state_parse(value, &state)) {
        return PAY_INVALID;
    }

    page->status = pay_state_name(state);

    return PAY_OK;
}
