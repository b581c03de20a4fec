/*
 * POST /webhooks/payouts/<provider>: the rest of the flow of a webhook whose
 * signature is right.  Each event of the message is one commit, inbox row and
 * item together; 2xx follows when all are committed, so that the provider sends
 * the message again otherwise.
 *
 *    the adapter ─┬─ cannot read it ─▶ 422
 *                 └─ events: tell_payout_event each ─┬─ committed ─▶ 200
 *                                                    ├─ no item ───▶ the same
 *                                                    │     in the older cell
 *                                                    ├─ invalid ───▶ 422
 *                                                    └─ failed ────▶ 503
 */

#include "flow_util.h"
#include "pay_payout.h"


#define ID_MAX  255


/* The state of one message, in the flow's arena. */
typedef struct {
    pay_webhook_input_t   in;
    pay_str_t             message_id;  /* of its signature, or its digest */
    pay_payout_event_t   *events;
    unsigned              count;
    unsigned              next;
    unsigned              cell;        /* where each event goes first */
    int                   refused;     /* SQL has refused one of them */
} told_t;

/* An answer of SQL, and its word, which is one of those for PSPs' events. */
typedef struct {
    pay_outcome_t  outcome;
    const char    *word;
} word_t;


static pay_status_t told_id(pay_flow_t *flow, told_t *told, pay_str_t id);
static pay_status_t told_next(pay_flow_t *flow, told_t *told,
    pay_effect_t *effect);
static pay_status_t told_event_id(pay_flow_t *flow, const told_t *told,
    pay_str_t *id);
static pay_status_t told_applied(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static int told_looks_back(pay_flow_t *flow, pay_outcome_t outcome);


static const word_t  words[] = {
    { PAY_OUTCOME_APPLIED, "applied" },
    { PAY_OUTCOME_UNCHANGED, "unchanged" },
    { PAY_OUTCOME_DUPLICATE, "duplicate" },
    { PAY_OUTCOME_BEHIND, "unchanged" },
    { PAY_OUTCOME_CONTRADICTION, "contradiction" },
    { PAY_OUTCOME_ASK, "asked" },
    { PAY_OUTCOME_WAITING, "parked" }
};


pay_status_t
pay_payout_told(pay_flow_t *flow, const pay_webhook_input_t *in,
    pay_str_t message_id, pay_effect_t *effect)
{
    told_t                       *told;
    pay_err_t                     err;
    pay_status_t                  status;
    const pay_payout_provider_t  *provider = in->payout;

    told = pay_calloc(flow->arena, sizeof(told_t));
    if (told == NULL) {
        return PAY_NO_MEMORY;
    }

    told->in = *in;
    told->cell = flow->cell;
    flow->state = told;
    flow->merchant_id = provider->merchant_id;
    flow->outcome = "ignored";
    PAY_TRY(told_id(flow, told, message_id));

    memset(&err, 0, sizeof(err));
    status = pay_payout_webhook(flow->arena, provider->adapter,
                                &provider->account, in->body, &told->events,
                                &told->count, &err);

    if (status == PAY_INVALID) {
        return pay_webhook_unread(flow, &err, 0, effect);
    }

    PAY_TRY(status);

    return told_next(flow, told, effect);
}


/* A scheme without ids of messages: the same bytes are the same message. */
static pay_status_t
told_id(pay_flow_t *flow, told_t *told, pay_str_t id)
{
    unsigned char  sha256[PAY_SHA256_SIZE];

    if (id.len != 0) {
        return pay_dup(flow->arena, id, &told->message_id);
    }

    PAY_TRY(pay_sha256(told->in.body, sha256));

    return pay_hex_encode(flow->arena, (pay_str_t) { sizeof(sha256), sha256 },
                          &told->message_id);
}


static pay_status_t
told_next(pay_flow_t *flow, told_t *told, pay_effect_t *effect)
{
    pay_reply_t                *reply;
    const pay_payout_event_t   *event;
    pay_tell_payout_event_in_t  in;

    if (told->next == told->count && told->refused) {
        flow->label = "payload";
        return pay_done_problem(flow, effect, "webhook-payload-invalid", NULL);
    }

    if (told->next == told->count) {
        PAY_TRY(pay_webhook_ack(flow, told->in.psp->scheme, &reply));
        pay_do_done(effect, reply);
        return PAY_OK;
    }

    event = &told->events[told->next];
    in = (pay_tell_payout_event_in_t) {
        .merchant_id = told->in.payout->merchant_id,
        .provider = told->in.payout->name,
        .key = event->key,
        .reference = event->reference,
        .parcel = event->parcel,
        .state = pay_str_of(pay_payout_state_name(event->state)),
        .code = event->code,
        .amount_minor = pay_maybe(event->has_amount, event->amount_minor),
        .currency = event->currency,
        .account_end = event->account_end,
        .occurred_us = pay_maybe(event->occurred_us != 0, event->occurred_us),
        .sequence = pay_maybe(event->sequence != 0, event->sequence),
        .must_ask = event->must_ask != 0
    };
    PAY_TRY(told_event_id(flow, told, &in.event_id));
    told->next++;

    return pay_do_tell_payout_event(flow, effect, &in, told_applied);
}


/* Each event of a message has an id of its own, the same one when the message
 * comes again. */
static pay_status_t
told_event_id(pay_flow_t *flow, const told_t *told, pay_str_t *id)
{
    pay_str_t  own = told->events[told->next].event_id;

    own = own.len != 0 ? own : told->message_id;

    return told->next == 0
           ? pay_dup(flow->args, own, id)
           : pay_format(flow->args, id, ID_MAX, "%.*s/%u", pay_fmt(own),
                        told->next);
}


/* An event that SQL refuses does not stop the others of the message. */
static pay_status_t
told_applied(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    unsigned   i;
    told_t    *told = flow->state;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (told_looks_back(flow, input->result.outcome)) {
        told->next--;
        return told_next(flow, told, effect);
    }

    flow->cell = told->cell;
    told->refused |= input->result.outcome == PAY_OUTCOME_INVALID;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (input->result.outcome == words[i].outcome) {
            flow->outcome = words[i].word;
        }
    }

    return told_next(flow, told, effect);
}


/* Whether it may be about an item from before the merchant moved: one that is
 * not known here.  A message that comes again may have failed there before.
 * The flow is in that cell then. */
static int
told_looks_back(pay_flow_t *flow, pay_outcome_t outcome)
{
    const pay_merchant_t  *merchant;

    merchant = pay_env_merchant(flow->env, flow->merchant_id);

    if ((outcome != PAY_OUTCOME_WAITING && outcome != PAY_OUTCOME_DUPLICATE)
        || merchant == NULL || flow->cell != merchant->cell
        || merchant->from == merchant->cell)
    {
        return 0;
    }

    flow->cell = merchant->from;

    return 1;
}
