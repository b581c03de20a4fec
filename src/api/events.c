/*
 * The query of a GET about events, endpoints or deliveries, from a stranger.
 */

#include "pay_endpoint_api.h"
#include "pay_time.h"


typedef pay_status_t (*take_pt)(pay_str_t value, pay_events_query_t *query);

#define MESSAGES    (1u << PAY_EVENTS_MESSAGES)
#define DELIVERIES  (1u << PAY_EVENTS_DELIVERIES)


static pay_status_t take_part(pay_str_t part, pay_events_query_t *query,
    unsigned *seen, pay_err_t *err);
static pay_status_t take_after(pay_str_t value, pay_events_query_t *query);
static pay_status_t take_type(pay_str_t value, pay_events_query_t *query);
static pay_status_t take_endpoint(pay_str_t value, pay_events_query_t *query);
static pay_status_t take_state(pay_str_t value, pay_events_query_t *query);
static pay_status_t take_before(pay_str_t value, pay_events_query_t *query);
static pay_status_t take_limit(pay_str_t value, pay_events_query_t *query);


static const struct {
    /* A parameter, the lists that have it, its reader, and the sentence for a
     * value that it refuses. */
    const char  *name;
    unsigned     lists;
    take_pt      take;
    const char  *rule;
} parameters[] = {
    { "after", MESSAGES, take_after,
      "after must be the id of an event, or empty for the first" },
    { "type", MESSAGES, take_type,
      "type must be a type of events, for example payment.succeeded" },
    { "endpoint", DELIVERIES, take_endpoint,
      "endpoint must be the id of an endpoint" },
    { "state", DELIVERIES, take_state,
      "state must be due, delivered or failed" },
    { "before", DELIVERIES, take_before,
      "before must be the next of an earlier page" },
    { "limit", MESSAGES | DELIVERIES, take_limit,
      "limit must be a whole number from 1 to 1000" }
};

static const char  *const rules[] = {
    [PAY_EVENTS_MESSAGES] =
        "the query may have after, type and limit, each once",
    [PAY_EVENTS_ENDPOINTS] = "the query must be empty",
    [PAY_EVENTS_DELIVERIES] =
        ("the query must have endpoint, and may have state, before and limit, "
         "each once")
};


pay_status_t
pay_events_parse(pay_str_t text, pay_events_query_t *query, pay_err_t *err)
{
    int                   more = text.len != 0;
    unsigned              seen = 0;
    pay_str_t             part;
    const unsigned char  *end;

    query->limit = PAY_EVENTS_LIMIT;

    if (query->id.len != 0 && !pay_id_is_valid(query->id)) {
        return PAY_NOT_FOUND;
    }

    while (more) {
        end = text.len == 0 ? NULL : memchr(text.data, '&', text.len);
        part.data = text.data;
        part.len = end == NULL ? text.len : (size_t) (end - text.data);
        PAY_TRY(take_part(part, query, &seen, err));

        more = end != NULL;
        text.data += more ? part.len + 1 : 0;
        text.len -= more ? part.len + 1 : 0;
    }

    return query->list != PAY_EVENTS_DELIVERIES || query->endpoint.len != 0
           ? PAY_OK
           : pay_refuse(err, "validation-error", rules[query->list]);
}


/* A parameter that stands twice is refused: which of two counts would be a
 * guess. */
static pay_status_t
take_part(pay_str_t part, pay_events_query_t *query, unsigned *seen,
    pay_err_t *err)
{
    size_t                i;
    pay_str_t             name, value;
    const unsigned char  *equals;

    equals = part.len == 0 || query->id.len != 0
             ? NULL : memchr(part.data, '=', part.len);

    for (i = 0; equals != NULL
                && i < sizeof(parameters) / sizeof(parameters[0]); i++)
    {
        name.data = part.data;
        name.len = (size_t) (equals - part.data);
        value.data = equals + 1;
        value.len = part.len - name.len - 1;

        if (!pay_str_is(name, parameters[i].name)
            || (parameters[i].lists & (1u << query->list)) == 0
            || (*seen & (1u << i)) != 0)
        {
            continue;
        }

        *seen |= 1u << i;

        return parameters[i].take(value, query) == PAY_OK
               ? PAY_OK : pay_refuse(err, "validation-error",
                                     parameters[i].rule);
    }

    return pay_refuse(err, "validation-error",
                      query->id.len != 0 ? rules[PAY_EVENTS_ENDPOINTS]
                                         : rules[query->list]);
}


static pay_status_t
take_after(pay_str_t value, pay_events_query_t *query)
{
    query->after = value;

    return value.len == 0 || pay_id_is_valid(value) ? PAY_OK : PAY_INVALID;
}


/* A type that there is not has no events. */
static pay_status_t
take_type(pay_str_t value, pay_events_query_t *query)
{
    query->type = value;

    return pay_id_is_valid(value) ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_endpoint(pay_str_t value, pay_events_query_t *query)
{
    query->endpoint = value;

    return pay_id_is_valid(value) ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_state(pay_str_t value, pay_events_query_t *query)
{
    query->state = value;

    return pay_str_is(value, "due") || pay_str_is(value, "delivered")
           || pay_str_is(value, "failed") ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_before(pay_str_t value, pay_events_query_t *query)
{
    query->before.is_set = 1;

    return pay_digits_parse(value, &query->before.number);
}


static pay_status_t
take_limit(pay_str_t value, pay_events_query_t *query)
{
    return pay_digits_parse(value, &query->limit) == PAY_OK
           && query->limit >= 1 && query->limit <= PAY_EVENTS_LIMIT_MAX
           ? PAY_OK : PAY_INVALID;
}
