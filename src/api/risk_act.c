/*
 * The body of a request about lists and reviews of risk, from a stranger's
 * bytes to checked values.  A value of a list may name a buyer: no refusal
 * repeats it.
 */

#include "parse.h"
#include "pay_finance.h"
#include "pay_risk_api.h"


typedef struct {
    pay_arena_t          *arena;
    const pay_json_t     *body;
    pay_risk_act_kind_t   kind;
    pay_risk_act_t       *act;
    pay_err_t            *err;
} reader_t;

typedef pay_status_t (*take_pt)(const reader_t *in);

#define TAKES_MAX  5
#define VALUE_MAX  255                 /* bytes */
#define NOTE_MAX   1000                /* bytes */

/* A kind of request: its word, its reasons, its members and their readers. */
typedef struct {
    const char         *word;
    const char         *reasons;
    int                 may_be_empty;  /* a request without a body */
    const char *const  *members;
    take_pt             takes[TAKES_MAX];
} kind_t;


static pay_status_t take_effect(const reader_t *in);
static pay_status_t take_kind(const reader_t *in);
static pay_status_t take_value(const reader_t *in);
static pay_status_t take_until(const reader_t *in);
static pay_status_t take_why(const reader_t *in);
static pay_status_t take_reason(const reader_t *in);
static pay_status_t take_note(const reader_t *in);
static int is_note(pay_str_t text);
static pay_status_t take_block(const reader_t *in);
static pay_status_t take_lease(const reader_t *in);


static const char *const  add_members[] = {
    "effect", "kind", "value", "until", "why", NULL
};
static const char *const  remove_members[] = { "why", NULL };
static const char *const  claim_members[] = { "lease_seconds", NULL };
static const char *const  decide_members[] = { "reason", "note", NULL };
static const char *const  reject_members[] = {
    "reason", "note", "block", NULL
};

static const kind_t  kinds[] = {
    [PAY_RISK_ACT_ADD] = { "", NULL, 0, add_members,
                           { take_effect, take_kind, take_value, take_until,
                             take_why } },
    [PAY_RISK_ACT_REMOVE] = { "", NULL, 0, remove_members, { take_why } },
    [PAY_RISK_ACT_CLAIM] = { "claim", NULL, 1, claim_members,
                             { take_lease } },
    [PAY_RISK_ACT_APPROVE] = {
        "approve",
        "reason must be known_buyer, buyer_confirmed, documents_seen or "
        "false_alarm", 0, decide_members, { take_reason, take_note }
    },
    [PAY_RISK_ACT_REJECT] = {
        "reject",
        "reason must be stolen_card, card_testing, account_takeover, "
        "false_identity, no_answer or against_policy", 0, reject_members,
        { take_reason, take_note, take_block }
    },
    [PAY_RISK_ACT_ESCALATE] = {
        "escalate",
        "reason must be unclear, large_amount or needs_specialist", 0,
        decide_members, { take_reason, take_note }
    }


};
PAY_ROWS(kinds, PAY_RISK_ACTS);


const char *
pay_risk_act_word(pay_risk_act_kind_t kind)
{
    return kinds[kind].word;
}


const char *
pay_risk_act_reasons(pay_risk_act_kind_t kind)
{
    return kinds[kind].reasons;
}


pay_status_t
pay_risk_act_parse(pay_arena_t *arena, pay_risk_act_kind_t kind,
    pay_str_t body, pay_risk_act_t *act, pay_err_t *err)
{
    size_t          i;
    reader_t        in = { arena, NULL, kind, act, err };
    pay_json_t     *json;
    pay_status_t    status = PAY_OK;
    const take_pt  *takes = kinds[kind].takes;

    memset(act, 0, sizeof(*act));
    act->lease_s = PAY_RISK_LEASE_S;

    if (body.len == 0 && kinds[kind].may_be_empty) {
        return PAY_OK;
    }

    PAY_TRY(pay_parse_body(arena, body, kinds[kind].members, &act->errors,
                           &json, err));
    in.body = json;

    for (i = 0; status == PAY_OK && i < TAKES_MAX && takes[i] != NULL; i++) {
        status = pay_parse_note(arena, &act->errors, takes[i](&in), err);
    }

    pay_json_free(json);
    PAY_TRY(status);

    return pay_errors_verdict(&act->errors, err);
}


static pay_status_t
take_effect(const reader_t *in)
{
    pay_str_t          text;
    pay_risk_action_t  action;

    return pay_json_string(pay_json_get(in->body, "effect"), &text) == PAY_OK
           && pay_risk_action_find(text, &action) == PAY_OK
           ? pay_dup(in->arena, text, &in->act->effect)
           : pay_refuse_at(in->err, "validation-error",
                           "effect must be block, review, challenge or allow",
                           "/effect");
}


/* Cards come from PSPs alone: nobody else has their names for them. */
static pay_status_t
take_kind(const reader_t *in)
{
    size_t     i;
    pay_str_t  text;

    static const char *const  names[] = {
        "email", "email_domain", "phone", "buyer", "device", "ip", "country"
    };

    if (pay_json_string(pay_json_get(in->body, "kind"), &text) == PAY_OK) {
        for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (pay_str_is(text, names[i])) {
                return pay_dup(in->arena, text, &in->act->kind);
            }
        }
    }

    return pay_refuse_at(in->err, "validation-error",
                         "kind must be email, email_domain, phone, buyer, "
                         "device, ip or country", "/kind");
}


static pay_status_t
take_value(const reader_t *in)
{
    pay_str_t  text;

    return pay_json_string(pay_json_get(in->body, "value"), &text) == PAY_OK
           && text.len > 0 && text.len <= VALUE_MAX
           ? pay_dup(in->arena, text, &in->act->value)
           : pay_refuse_at(in->err, "validation-error",
                           "value must be a string of 1 to 255 bytes",
                           "/value");
}


static pay_status_t
take_until(const reader_t *in)
{
    int64_t            us;
    pay_str_t          text;
    const pay_json_t  *value = pay_json_get(in->body, "until");

    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK
        || pay_parse_time(text, &us) != PAY_OK)
    {
        return pay_refuse_at(in->err, "validation-error",
                             "until must be a time in UTC, for example "
                             "2027-05-01T00:00:00Z", "/until");
    }

    in->act->until_us = pay_some(us);

    return PAY_OK;
}


static pay_status_t
take_why(const reader_t *in)
{
    pay_str_t  text;

    return pay_json_string(pay_json_get(in->body, "why"), &text) == PAY_OK
           && pay_why_is_fit(text)
           ? pay_dup(in->arena, text, &in->act->why)
           : pay_refuse_at(in->err, "validation-error", PAY_WHY_RULE, "/why");
}


/* SQL has the reasons of each act; here only the form counts. */
static pay_status_t
take_reason(const reader_t *in)
{
    size_t     i;
    pay_str_t  text;

    if (pay_json_string(pay_json_get(in->body, "reason"), &text) == PAY_OK
        && text.len > 0 && text.len <= 32)
    {
        for (i = 0; i < text.len && (text.data[i] == '_'
             || (text.data[i] >= 'a' && text.data[i] <= 'z')); i++)
        {
            /* void */
        }

        if (i == text.len) {
            return pay_dup(in->arena, text, &in->act->reason);
        }
    }

    return pay_refuse_at(in->err, "validation-error", kinds[in->kind].reasons,
                         "/reason");
}


static pay_status_t
take_note(const reader_t *in)
{
    pay_str_t          text;
    const pay_json_t  *value = pay_json_get(in->body, "note");

    if (value == NULL) {
        return PAY_OK;
    }

    return pay_json_string(value, &text) == PAY_OK && is_note(text)
           ? pay_dup(in->arena, text, &in->act->note)
           : pay_refuse_at(in->err, "validation-error",
                           "note must be a string of at most 1000 bytes "
                           "without control characters", "/note");
}


static int
is_note(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] == 0x7f) {
            return 0;
        }
    }

    return text.len <= NOTE_MAX;
}


static pay_status_t
take_block(const reader_t *in)
{
    const pay_json_t  *value = pay_json_get(in->body, "block");

    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_type(value) != PAY_JSON_TRUE
        && pay_json_type(value) != PAY_JSON_FALSE)
    {
        return pay_refuse_at(in->err, "validation-error",
                             "block must be true or false", "/block");
    }

    in->act->blocks = pay_json_is_true(value);

    return PAY_OK;
}


static pay_status_t
take_lease(const reader_t *in)
{
    int64_t            number;
    const pay_json_t  *value = pay_json_get(in->body, "lease_seconds");

    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_integer(value, &number) != PAY_OK || number < 1
        || number > PAY_RISK_LEASE_MAX_S)
    {
        return pay_refuse_at(in->err, "validation-error",
                             "lease_seconds must be a whole number from 1 to "
                             "86400", "/lease_seconds");
    }

    in->act->lease_s = number;

    return PAY_OK;
}
