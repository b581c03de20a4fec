/*
 * The body of a merchant's request about pay-outs, from a stranger's bytes to
 * checked values.
 */

#include "parse.h"
#include "pay_finance.h"
#include "pay_payout_api.h"
#include "pay_seller.h"


typedef pay_status_t (*take_pt)(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);

#define PROVIDER_MAX  63
#define TAKES_MAX     4

/* A kind of request: its members, and their readers. */
typedef struct {
    const char         *route;
    int                 may_be_empty;  /* a request without a body */
    const char         *why;           /* unless the body has another */
    const char *const  *members;
    take_pt             takes[TAKES_MAX];
} kind_t;


static pay_status_t parse_object(pay_arena_t *arena, const kind_t *kind,
    const pay_json_t *body, pay_payout_act_t *act, pay_err_t *err);
static pay_status_t take_why(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);
static pay_status_t take_seller(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);
static pay_status_t take_currency(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);
static pay_status_t take_provider(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);
static pay_status_t take_limit(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);
static pay_status_t take_hash(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);


static const char *const  why_members[] = { "why", NULL };
static const char *const  make_members[] = {
    "seller_account", "currency", NULL
};

static const char *const  batch_members[] = {
    "provider", "currency", "limit", NULL
};
static const char *const  approve_members[] = { "hash", NULL };
static const char *const  send_members[] = { NULL };
static const char *const  enter_members[] = {
    "currency", "provider", "iban", "payee", "email", "country", "bic",
    "name", "why", NULL
};

static const kind_t  kinds[] = {
    [PAY_PAYOUT_ACT_RELEASE] = { "release", 1, "delivered", why_members,
                                 { take_why } },
    [PAY_PAYOUT_ACT_MAKE] = { "payouts", 0, "", make_members,
                              { take_seller, take_currency } },
    [PAY_PAYOUT_ACT_MAKE_BATCH] = { "payout-batches", 0, "", batch_members,
                                    { take_provider, take_currency,
                                      take_limit } },
    [PAY_PAYOUT_ACT_APPROVE] = { "approve", 0, "", approve_members,
                                 { take_hash } },
    [PAY_PAYOUT_ACT_SEND] = { "send", 1, "", send_members, { NULL } },
    [PAY_PAYOUT_ACT_WITHDRAW] = { "withdraw", 1, "withdrawn", why_members,
                                  { take_why } },
    [PAY_PAYOUT_ACT_ENTER] = { "destinations", 0, "entered", enter_members,
                               { take_currency, take_provider,
                                 pay_parse_destination, take_why } },
    [PAY_PAYOUT_ACT_CLOSE] = { "close", 1, "closed", why_members,
                               { take_why } }
};
PAY_ROWS(kinds, PAY_PAYOUT_ACTS);


const char *
pay_payout_act_route(pay_payout_act_kind_t kind)
{
    return kinds[kind].route;
}


pay_status_t
pay_payout_act_parse(pay_arena_t *arena, pay_payout_act_kind_t kind,
    pay_str_t body, pay_payout_act_t *act, pay_err_t *err)
{
    pay_json_t    *json;
    pay_status_t   status;

    memset(act, 0, sizeof(*act));
    act->why = pay_str_of(kinds[kind].why);

    if (body.len == 0 && kinds[kind].may_be_empty) {
        return PAY_OK;
    }

    PAY_TRY(pay_parse_body(arena, body, kinds[kind].members, &act->errors,
                           &json, err));
    status = parse_object(arena, &kinds[kind], json, act, err);
    pay_json_free(json);

    return status;
}


static pay_status_t
parse_object(pay_arena_t *arena, const kind_t *kind, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err)
{
    size_t  i;

    for (i = 0; i < TAKES_MAX && kind->takes[i] != NULL; i++) {
        PAY_TRY(pay_parse_note(arena, &act->errors,
                               kind->takes[i](arena, body, act, err), err));
    }

    return pay_errors_verdict(&act->errors, err);
}


/* The reason is kept with the act for ever. */
static pay_status_t
take_why(pay_arena_t *arena, const pay_json_t *body, pay_payout_act_t *act,
    pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value = pay_json_get(body, "why");

    if (value == NULL) {
        return PAY_OK;
    }

    return (pay_json_string(value, &text) == PAY_OK && pay_why_is_fit(text))
           ? pay_dup(arena, text, &act->why)
           : pay_refuse_at(err, "validation-error", PAY_WHY_RULE, "/why");
}


static pay_status_t
take_seller(pay_arena_t *arena, const pay_json_t *body, pay_payout_act_t *act,
    pay_err_t *err)
{
    pay_str_t  text;

    return (pay_json_string(pay_json_get(body, "seller_account"), &text)
            == PAY_OK && pay_seller_is_valid(text))
           ? pay_dup(arena, text, &act->seller)
           : pay_refuse_at(err, "validation-error",
                           "seller_account must be the account of a seller: "
                           "1 to 64 visible ASCII characters",
                           "/seller_account");
}


/* Withdrawn currencies, too: a wallet may still hold one. */
static pay_status_t
take_currency(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err)
{
    pay_str_t  text;

    (void) arena;

    return (pay_json_string(pay_json_get(body, "currency"), &text) == PAY_OK
            && pay_currency_find(text, &act->currency, NULL) == PAY_OK)
           ? PAY_OK
           : pay_refuse_at(err, "currency-unsupported",
                           "currency must be an ISO 4217 code, for example "
                           "\"EUR\"", "/currency");
}


static pay_status_t
take_provider(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err)
{
    size_t         i;
    pay_str_t      text;
    unsigned char  c;

    if (pay_json_string(pay_json_get(body, "provider"), &text) == PAY_OK
        && text.len > 0 && text.len <= PROVIDER_MAX)
    {
        for (i = 0; i < text.len; i++) {
            c = text.data[i];

            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                  || (i > 0 && (c == '-' || c == '_'))))
            {
                break;
            }
        }

        if (i == text.len) {
            return pay_dup(arena, text, &act->provider);
        }
    }

    return pay_refuse_at(err, "validation-error",
                         "provider must be the name of a provider of pay-outs",
                         "/provider");
}


static pay_status_t
take_limit(pay_arena_t *arena, const pay_json_t *body, pay_payout_act_t *act,
    pay_err_t *err)
{
    const pay_json_t  *value = pay_json_get(body, "limit");

    (void) arena;

    act->limit = pay_some(PAY_PAYOUT_BATCH_MAX);

    if (value == NULL) {
        return PAY_OK;
    }

    return (pay_json_integer(value, &act->limit.number) == PAY_OK
            && act->limit.number >= 1
            && act->limit.number <= PAY_PAYOUT_BATCH_MAX)
           ? PAY_OK
           : pay_refuse_at(err, "validation-error",
                           "limit must be a whole number from 1 to 1000",
                           "/limit");
}


/* An approval names the digest that its approver has seen. */
static pay_status_t
take_hash(pay_arena_t *arena, const pay_json_t *body, pay_payout_act_t *act,
    pay_err_t *err)
{
    size_t         i;
    pay_str_t      text;
    unsigned char  c;

    if (pay_json_string(pay_json_get(body, "hash"), &text) == PAY_OK
        && text.len == PAY_PAYOUT_HASH)
    {
        for (i = 0; i < text.len; i++) {
            c = text.data[i];

            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
                break;
            }
        }

        if (i == text.len) {
            return pay_dup(arena, text, &act->hash);
        }
    }

    return pay_refuse_at(err, "validation-error",
                         "hash must be that of the batch: 64 hexadecimal "
                         "digits in small letters", "/hash");
}
