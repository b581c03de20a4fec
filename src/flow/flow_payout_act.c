/*
 * POST of a merchant's request about pay-outs: one operation, which does it
 * once for its Idempotency-Key, or says why it cannot be done.
 */

#include "flow_destination.h"
#include "pay_idempotency.h"
#include "pay_jwt.h"
#include "pay_seller.h"


#define LOCATION_MAX  4096

typedef struct {
    pay_payout_act_input_t  in;
    pay_payout_act_t        act;
    pay_str_t               fingerprint;
} payout_t;

typedef struct {
    pay_outcome_t  outcome;
    const char    *slug;
    const char    *detail;
} refusal_t;


static pay_status_t payout_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t fingerprint(pay_flow_t *flow, payout_t *payout);
static pay_status_t begin(pay_flow_t *flow, payout_t *payout,
    pay_effect_t *effect);
static pay_status_t begin_batch(pay_flow_t *flow, payout_t *payout,
    pay_effect_t *effect);
static pay_status_t begin_enter(pay_flow_t *flow, payout_t *payout,
    pay_effect_t *effect);
static pay_status_t payout_done(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t done_refused(pay_flow_t *flow, pay_str_t word,
    pay_effect_t *effect);
static pay_status_t done_with(pay_flow_t *flow, const payout_t *payout,
    pay_outcome_t outcome, const pay_payout_act_row_t *row,
    pay_effect_t *effect);


static const pay_flow_type_t  payout_type = {
    .name = "payout_act", .start = payout_start
};

#define CONFLICT  "payout-state-conflict"

static const refusal_t  refusals[] = {
    { PAY_OUTCOME_NOT_FOUND, "not-found", NULL },
    { PAY_OUTCOME_KEY_REUSED, "idempotency-key-reused", NULL }
};

/* The row of PAY_OUTCOME_REFUSED has the word. */
static const struct {
    const char  *word;
    const char  *detail;
} reasons[] = {
    { "nothing", "nothing: nothing in this currency may be paid out now" },
    { "hold", "hold: an operator holds the seller" },
    { "no_destination",
      "no_destination: the seller has no account in this currency" },
    { "suspect",
      "suspect: a pay-out to the seller's account came back, and an operator "
      "looks at it" },
    { "blocked",
      "blocked: nothing is paid to the seller's account any more" },
    { "cooling_off",
      "cooling_off: the seller's account was changed a short time ago" },
    { "minimum",
      "minimum: the amount is below the least one of a pay-out, and carries "
      "over" },
    { "maker",
      "maker: nobody approves a batch or an item that is that person's own "
      "work" },
    { "entered",
      "entered: nobody approves a pay-out to an account that the same person "
      "has entered" },
    { "other_hash", "other_hash: this is not the hash of the batch" },
    { "changed", "changed: an item of the batch is not ready any more" },
    { "again", "again: this operator has approved the batch already" },
    { "closed",
      "closed: the batch is approved already, has expired or is withdrawn" },
    { "not_approved", "not_approved: the batch lacks approvals" },
    { "unfit",
      "unfit: the provider does not pay to such an account in this country and "
      "currency" },
    { "no_keyring", "no_keyring: this gateway keeps no accounts of sellers" }
};

/* The addresses of things that are made. */
static const char *const  places[PAY_PAYOUT_ACTS] = {
    [PAY_PAYOUT_ACT_MAKE] = "payouts",
    [PAY_PAYOUT_ACT_MAKE_BATCH] = "payout-batches",
    [PAY_PAYOUT_ACT_ENTER] = "payout-destinations"
};


pay_status_t
pay_flow_payout_act(pay_flow_t *flow, const pay_payout_act_input_t *input)
{
    payout_t  *payout;

    payout = pay_calloc(flow->arena, sizeof(payout_t));
    if (payout == NULL) {
        return PAY_NO_MEMORY;
    }

    payout->in = *input;
    pay_flow_begin(flow, &payout_type, payout);
    flow->merchant_id = input->merchant_id;

    return PAY_OK;
}


/* The subjects of tokens distinguish maker and checker: a token without one
 * cannot act. */
static pay_status_t
payout_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    int         enters;
    payout_t   *payout = flow->state;
    pay_err_t   err;

    (void) input;

    enters = payout->in.kind == PAY_PAYOUT_ACT_ENTER;

    if (enters ? !pay_seller_is_valid(payout->in.id)
               : payout->in.id.len > 0 && !pay_id_is_valid(payout->in.id))
    {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    if (!pay_jwt_subject_is_fit(payout->in.subject)) {
        return pay_done_problem(flow, effect, "validation-error",
                                "the token must have a subject (sub), which "
                                "is kept as the name of the operator");
    }

    memset(&err, 0, sizeof(err));

    switch (pay_payout_act_parse(flow->arena, payout->in.kind,
                                 payout->in.body, &payout->act, &err))
    {
    case PAY_OK:
        break;

    case PAY_INVALID:
        return pay_done_refused_all(flow, effect, &err, &payout->act.errors);

    default:
        return PAY_NO_MEMORY;
    }

    if (enters && flow->env->keyring == NULL) {
        return done_refused(flow, PAY_STR("no_keyring"), effect);
    }

    PAY_TRY(fingerprint(flow, payout));

    return begin(flow, payout, effect);
}


/* The path's id and the operator count, too: the same body for another order is
 * another request, and so is the approval of another person, who would take
 * the answer to the first one for that to the own. */
static pay_status_t
fingerprint(pay_flow_t *flow, payout_t *payout)
{
    pay_str_t       route;
    unsigned char  *digest;

    digest = pay_alloc(flow->arena, PAY_SHA256_SIZE);
    if (digest == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_format(flow->scratch, &route,
                       PAY_ID_MAX + PAY_JWT_SUB_MAX + 64, "%s %.*s %.*s",
                       pay_payout_act_route(payout->in.kind),
                       pay_fmt(payout->in.id), pay_fmt(payout->in.subject)));
    PAY_TRY(pay_idempotency_fingerprint(PAY_STR("POST"), route,
                                        flow->merchant_id, payout->in.body,
                                        digest));
    payout->fingerprint = (pay_str_t) { PAY_SHA256_SIZE, digest };

    return payout->in.kind == PAY_PAYOUT_ACT_ENTER
           ? destination_blind(flow->env->keyring, digest) : PAY_OK;
}


static pay_status_t
begin(pay_flow_t *flow, payout_t *payout, pay_effect_t *effect)
{
    const pay_payout_act_t        *act = &payout->act;
    const pay_payout_act_input_t  *from = &payout->in;

    pay_release_order_in_t  release = {
        .merchant_id = from->merchant_id, .payment_order_id = from->id,
        .who = from->subject, .why = act->why,
        .idempotency_key = from->idempotency_key,
        .fingerprint = payout->fingerprint, .ttl_s = from->ttl_s
    };
    pay_make_payout_in_t    make = {
        .merchant_id = from->merchant_id, .seller_account = act->seller,
        .who = from->subject, .idempotency_key = from->idempotency_key,
        .fingerprint = payout->fingerprint, .ttl_s = from->ttl_s
    };

    pay_close_destination_in_t  end = {
        .merchant_id = from->merchant_id, .destination_id = from->id,
        .who = from->subject, .why = act->why,
        .idempotency_key = from->idempotency_key,
        .fingerprint = payout->fingerprint, .ttl_s = from->ttl_s
    };

    if (act->currency != NULL) {
        make.currency = pay_str_of(act->currency->code);
    }

    switch (from->kind) {

    case PAY_PAYOUT_ACT_ENTER:
        return begin_enter(flow, payout, effect);

    case PAY_PAYOUT_ACT_CLOSE:
        return pay_do_close_destination(flow, effect, &end, payout_done);

    case PAY_PAYOUT_ACT_RELEASE:
        return pay_do_release_order(flow, effect, &release, payout_done);

    case PAY_PAYOUT_ACT_MAKE:
        return pay_do_make_payout(flow, effect, &make, payout_done);

    default:
        return begin_batch(flow, payout, effect);
    }
}


static pay_status_t
begin_batch(pay_flow_t *flow, payout_t *payout, pay_effect_t *effect)
{
    const pay_payout_act_t        *act = &payout->act;
    const pay_payout_act_input_t  *from = &payout->in;

    pay_act_on_payout_batch_in_t  in = {
        .act = pay_str_of(pay_payout_act_route(from->kind)),
        .merchant_id = from->merchant_id, .subject = from->id,
        .limit = act->limit, .hash = act->hash, .why = act->why,
        .who = from->subject,
        .idempotency_key = from->idempotency_key,
        .fingerprint = payout->fingerprint, .ttl_s = from->ttl_s
    };

    if (from->kind == PAY_PAYOUT_ACT_MAKE_BATCH) {
        in.act = PAY_STR("make");
        in.subject = act->provider;
        in.currency = pay_str_of(act->currency->code);
    }

    return pay_do_act_on_payout_batch(flow, effect, &in, payout_done);
}


static pay_status_t
begin_enter(pay_flow_t *flow, payout_t *payout, pay_effect_t *effect)
{
    const pay_payout_act_t        *act = &payout->act;
    const pay_payout_act_input_t  *from = &payout->in;

    pay_enter_destination_in_t  in = {
        .merchant_id = from->merchant_id, .seller_account = from->id,
        .currency = pay_str_of(act->currency->code),
        .provider = act->provider,
        .kind = act->to.kind == PAY_PAYOUT_TO_IBAN ? PAY_STR("iban")
                                                   : PAY_STR("payee"),
        .country = act->to.country, .shown = act->shown,
        .key_id = pay_keyring_kid(flow->env->keyring), .who = from->subject,
        .why = act->why, .idempotency_key = from->idempotency_key,
        .fingerprint = payout->fingerprint, .ttl_s = from->ttl_s,
        .name = act->to.name
    };

    PAY_TRY(destination_seal(flow, from, act, &in.details));

    return pay_do_enter_destination(flow, effect, &in, payout_done);
}


static pay_status_t
payout_done(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    size_t                       i;
    payout_t                    *payout = flow->state;
    pay_outcome_t                outcome = input->result.outcome;
    const pay_payout_act_row_t  *row = pay_row_payout_act(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    /* all others are about pay-outs, which begin in the merchant's own cell */
    if (payout->in.kind == PAY_PAYOUT_ACT_RELEASE
        && pay_move_next(flow, input))
    {
        return begin(flow, payout, effect);
    }

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (outcome == refusals[i].outcome) {
            return pay_done_problem(flow, effect, refusals[i].slug,
                                    refusals[i].detail);
        }
    }

    if (row == NULL) {
        return PAY_BUG;
    }

    return outcome == PAY_OUTCOME_REFUSED
           ? done_refused(flow, row->subject_id, effect)
           : done_with(flow, payout, outcome, row, effect);
}


static pay_status_t
done_refused(pay_flow_t *flow, pay_str_t word, pay_effect_t *effect)
{
    size_t  i;

    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (pay_str_is(word, reasons[i].word)) {
            return pay_done_problem(flow, effect, CONFLICT,
                                    reasons[i].detail);
        }
    }

    return PAY_BUG;
}


/* A repetition is answered as the first request was, with the present state. */
static pay_status_t
done_with(pay_flow_t *flow, const payout_t *payout, pay_outcome_t outcome,
    const pay_payout_act_row_t *row, pay_effect_t *effect)
{
    const char   *place = places[payout->in.kind];
    pay_reply_t  *reply;

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, place != NULL ? 201 : 200,
                          &reply));
    PAY_TRY(pay_dup(flow->arena, row->page, &reply->body));

    if (place != NULL) {
        PAY_TRY(pay_format(flow->arena, &reply->location, LOCATION_MAX,
                           "%.*s/v1/%s/%.*s", pay_fmt(payout->in.base_url),
                           place,
                           pay_fmt(row->subject_id)));
    }

    reply->replayed = outcome == PAY_OUTCOME_REPLAYED;
    flow->outcome = reply->replayed ? "replayed" : "acted";
    pay_do_done(effect, reply);

    return PAY_OK;
}
