/*
 * The query of a GET about lists and reviews of risk, from a stranger.
 */

#include "pay_risk_api.h"
#include "pay_time.h"


typedef pay_status_t (*take_pt)(pay_str_t value, pay_risk_query_t *query);

#define ENTRIES  (1u << PAY_RISK_READ_ENTRIES)
#define REVIEWS  (1u << PAY_RISK_READ_REVIEWS)


static pay_status_t take_part(pay_str_t part, pay_risk_query_t *query,
    unsigned *seen, pay_err_t *err);
static pay_status_t take_effect(pay_str_t value, pay_risk_query_t *query);
static pay_status_t take_kind(pay_str_t value, pay_risk_query_t *query);
static pay_status_t take_state(pay_str_t value, pay_risk_query_t *query);
static pay_status_t take_after(pay_str_t value, pay_risk_query_t *query);
static pay_status_t take_limit(pay_str_t value, pay_risk_query_t *query);
static int is_among(pay_str_t value, const char *const *words);


static const struct {
    /* A parameter, the lists that have it, its reader, and the sentence for a
     * value that it refuses. */
    const char  *name;
    unsigned     lists;
    take_pt      take;
    const char  *rule;
} parameters[] = {
    { "effect", ENTRIES, take_effect,
      "effect must be block, review, challenge or allow" },
    { "kind", ENTRIES, take_kind,
      "kind must be email, email_domain, phone, buyer, device, ip, country, "
      "card or browser" },
    { "state", REVIEWS, take_state,
      "state must be open, escalated, approved, rejected or ended" },
    { "after", ENTRIES | REVIEWS, take_after,
      "after must be the next of an earlier page" },
    { "limit", ENTRIES | REVIEWS, take_limit,
      "limit must be a whole number from 1 to 1000" }
};

static const char *const  rules[] = {
    [PAY_RISK_READ_ENTRIES] =
        "the query may have effect, kind, after and limit, each once",
    [PAY_RISK_READ_REVIEWS] =
        "the query may have state, after and limit, each once"
};

static const char *const  kinds[] = {
    "email", "email_domain", "phone", "buyer", "device", "ip", "country",
    "card", "browser", NULL
};

static const char *const  states[] = {
    "open", "escalated", "approved", "rejected", "ended", NULL
};


pay_status_t
pay_risk_id(pay_str_t text, int64_t *id)
{
    return pay_digits_parse(text, id) == PAY_OK && *id > 0
           ? PAY_OK : PAY_NOT_FOUND;
}


pay_status_t
pay_risk_query_parse(pay_str_t id, pay_str_t text, pay_risk_query_t *query,
    pay_err_t *err)
{
    int                   more = text.len != 0;
    unsigned              seen = 0;
    pay_str_t             part;
    const unsigned char  *end;

    query->limit = PAY_RISK_LIMIT;

    if (id.len != 0) {
        query->id.is_set = 1;
        PAY_TRY(pay_risk_id(id, &query->id.number));
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

    return PAY_OK;
}


/* A parameter that stands twice is refused: which of two counts would be a
 * guess. */
static pay_status_t
take_part(pay_str_t part, pay_risk_query_t *query, unsigned *seen,
    pay_err_t *err)
{
    size_t                i;
    pay_str_t             name, value;
    const unsigned char  *equals;

    equals = part.len == 0 || query->id.is_set
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
                      query->id.is_set ? "the query must be empty"
                                       : rules[query->list]);
}


static pay_status_t
take_effect(pay_str_t value, pay_risk_query_t *query)
{
    pay_risk_action_t  action;

    query->effect = value;

    return pay_risk_action_find(value, &action) == PAY_OK ? PAY_OK
                                                          : PAY_INVALID;
}


static pay_status_t
take_kind(pay_str_t value, pay_risk_query_t *query)
{
    query->kind = value;

    return is_among(value, kinds) ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_state(pay_str_t value, pay_risk_query_t *query)
{
    query->state = value;

    return is_among(value, states) ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_after(pay_str_t value, pay_risk_query_t *query)
{
    query->after.is_set = 1;

    return pay_digits_parse(value, &query->after.number);
}


static pay_status_t
take_limit(pay_str_t value, pay_risk_query_t *query)
{
    return pay_digits_parse(value, &query->limit) == PAY_OK
           && query->limit >= 1 && query->limit <= PAY_RISK_LIMIT_MAX
           ? PAY_OK : PAY_INVALID;
}


static int
is_among(pay_str_t value, const char *const *words)
{
    for ( /* void */ ; *words != NULL; words++) {
        if (pay_str_is(value, *words)) {
            return 1;
        }
    }

    return 0;
}
