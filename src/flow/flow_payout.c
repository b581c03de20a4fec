/*
 * One call to a pay-out provider: PostgreSQL claims and journals it, the
 * adapter makes its bytes of stored rows and reads its answer, PostgreSQL
 * hears the end.  Which call is the next one, and under which key, is for
 * PostgreSQL to say; nothing is sent again from here.
 *
 *    begin_payout_call ─┬─ none ─▶ end
 *                       └─ due ─▶ account opened? in time? ─┬─ no ──┐
 *                                                           └─ call ┴─▶
 *                          end_payout_call ─▶ end
 *
 * A call that cannot be made has provably not left this host, and ends as
 * not_sent.  A flow that dies in between leaves a call without an end: behind
 * its lease its outcome counts as unknown.
 */

#include "flow_provider.h"
#include "pay_payout.h"


#define LATE          "late"
#define UNREADABLE_S  600              /* until a call that cannot be made is
                                          tried anew */

/* A call that was claimed; the whole of it lives in the flow's arena. */
typedef struct {
    const pay_payout_provider_t  *provider;
    pay_str_t                     owner;
    int64_t                       started_s;
    pay_str_t                     payout_id;
    int64_t                       number;      /* in the journal */
    pay_payout_call_t             call;        /* _COUNT: a word that is not
                                                  known */
    pay_payout_item_t             item;        /* the parcel's only one */
    pay_payout_parcel_t           parcel;
    const char                   *why;         /* literal: the account cannot
                                                  be read */
} payout_t;


static pay_status_t payout_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t payout_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t payout_claimed(pay_flow_t *flow, const pay_input_t *input,
    const pay_payout_call_row_t *row, pay_effect_t *effect);
static pay_status_t payout_keep(pay_flow_t *flow, payout_t *payout,
    const pay_payout_call_row_t *row);
static pay_status_t payout_open(pay_flow_t *flow, payout_t *payout,
    const pay_payout_call_row_t *row);
static pay_status_t payout_call(pay_flow_t *flow, payout_t *payout,
    pay_effect_t *effect);
static pay_status_t payout_answered(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static const pay_payout_event_t *payout_statement(const payout_t *payout,
    const pay_payout_result_t *result);
static pay_status_t payout_end(pay_flow_t *flow, payout_t *payout,
    const pay_payout_result_t *result, pay_effect_t *effect);
static pay_status_t payout_no_request(pay_flow_t *flow, payout_t *payout,
    const char *slug, pay_effect_t *effect);
static pay_status_t payout_not_made(pay_flow_t *flow, payout_t *payout,
    const char *code, pay_effect_t *effect);
static pay_status_t payout_unsent(pay_flow_t *flow, payout_t *payout,
    const char *outcome, const char *code, pay_effect_t *effect);


static const pay_flow_type_t  payout_type = {
    .name = "payout", .start = payout_start, .clock = PAY_CLOCK_STEADY,
    .is_patient = 1
};

/* Words of the journal. */
static const char  *const calls[] = {
    [PAY_PAYOUT_SEND] = "send", [PAY_PAYOUT_ASK] = "ask",
    [PAY_PAYOUT_FIND] = "find", [PAY_PAYOUT_CANCEL] = "cancel"
};
PAY_ROWS(calls, PAY_PAYOUT_CALL_COUNT);

/* No provider's call is pending: the state of the item says that. */
static const char  *const outcomes[] = {
    [PAY_PSP_DONE] = "done", [PAY_PSP_PENDING] = "unknown",
    [PAY_PSP_REFUSED] = "refused", [PAY_PSP_NOT_SENT] = "not_sent",
    [PAY_PSP_UNKNOWN] = "unknown"
};
PAY_ROWS(outcomes, PAY_PSP_OUTCOME_COUNT);


pay_status_t
pay_flow_payout(pay_flow_t *flow, const pay_payout_provider_t *provider,
    pay_str_t owner)
{
    payout_t  *payout;

    payout = pay_calloc(flow->arena, sizeof(payout_t));
    if (payout == NULL) {
        return PAY_NO_MEMORY;
    }

    payout->provider = provider;
    payout->owner = owner;
    flow->psp_name = provider->client->name;
    flow->merchant_id = provider->merchant_id;
    pay_flow_begin(flow, &payout_type, payout);

    return PAY_OK;
}


static pay_status_t
payout_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    payout_t                     *payout = flow->state;
    const pay_payout_provider_t  *provider = payout->provider;
    pay_begin_payout_call_in_t    in = {
        .merchant_id = provider->merchant_id,
        .provider = provider->name,
        .adapter = pay_str_of(pay_payout_adapter_name(provider->adapter)),
        .owner = payout->owner,
        .lease_ms = provider->lease_ms
    };

    payout->started_s = input->now_s;
    PAY_TRY(pay_payout_facts(flow->args, provider->adapter, &in.facts));

    return pay_do_begin_payout_call(flow, effect, &in, payout_begun);
}


static pay_status_t
payout_begun(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_outcome_t                 outcome = input->result.outcome;
    const pay_payout_call_row_t  *row = pay_row_payout_call(&input->result);

    if (outcome == PAY_OUTCOME_DUE && row != NULL) {
        return payout_claimed(flow, input, row, effect);
    }

    flow->outcome = outcome == PAY_OUTCOME_NO_JOB ? "none"
                    : outcome == PAY_OUTCOME_NOT_FOUND ? "not-found"
                    : outcome == PAY_OUTCOME_MISMATCH ? "mismatch"
                    : outcome == PAY_OUTCOME_INVALID ? "invalid"
                    : "not-asked";
    pay_do_done(effect, NULL);

    return PAY_OK;
}


/* From here on the call is in the journal: each way leads to its end. */
static pay_status_t
payout_claimed(pay_flow_t *flow, const pay_input_t *input,
    const pay_payout_call_row_t *row, pay_effect_t *effect)
{
    pay_status_t   status;
    payout_t      *payout = flow->state;

    PAY_TRY(payout_keep(flow, payout, row));

    if (provider_is_late(input, payout->started_s)) {
        return payout_not_made(flow, payout, LATE, effect);
    }

    status = payout_open(flow, payout, row);

    if (status != PAY_OK) {
        return status == PAY_NO_MEMORY
               ? status
               : payout_not_made(flow, payout, payout->why, effect);
    }

    return payout_call(flow, payout, effect);
}


/* The row's slices die with the step; the answer is read against a copy. */
static pay_status_t
payout_keep(pay_flow_t *flow, payout_t *payout,
    const pay_payout_call_row_t *row)
{
    unsigned              i;
    pay_payout_parcel_t  *parcel = &payout->parcel;
    const pay_str_t       ids[] = { row->id0, row->id1, row->id2, row->id3 };

    PAY_TRY(pay_dup(flow->arena, row->payout_id, &payout->payout_id));
    PAY_TRY(pay_dup(flow->arena, row->key, &payout->item.key));
    PAY_TRY(pay_dup(flow->arena, row->cursor, &parcel->cursor));

    for (i = 0; i < PAY_PAYOUT_STEPS_MAX; i++) {
        PAY_TRY(pay_dup(flow->arena, ids[i], &parcel->ids[i]));
    }

    payout->number = row->number;
    payout->call = PAY_PAYOUT_CALL_COUNT;

    for (i = 0; i < PAY_PAYOUT_CALL_COUNT; i++) {
        if (pay_str_is(row->call, calls[i])) {
            payout->call = (pay_payout_call_t) i;
        }
    }

    parcel->key = payout->item.key;
    parcel->items = &payout->item;
    parcel->count = 1;
    parcel->step = (unsigned) row->step;
    parcel->made_s = row->made_s;
    payout->item.amount_minor = row->amount_minor;

    return PAY_OK;
}


static pay_status_t
payout_open(pay_flow_t *flow, payout_t *payout,
    const pay_payout_call_row_t *row)
{
    pay_payout_sealed_t  sealed = {
        .payout_id = payout->payout_id,
        .merchant_id = payout->provider->merchant_id,
        .seller_account = row->seller_account,
        .currency = row->currency,
        .kind = row->kind,
        .country = row->country,
        .key_id = row->key_id,
        .details = row->details
    };

    return pay_payout_open(flow->arena, flow->env->keyring, &sealed,
                           &payout->item, &payout->why);
}


/* The adapter holds the item against the provider's limits again, and against
 * the rules for our own rows. */
static pay_status_t
payout_call(pay_flow_t *flow, payout_t *payout, pay_effect_t *effect)
{
    pay_err_t                     err;
    pay_status_t                  status;
    const pay_payout_provider_t  *provider = payout->provider;

    if (payout->call == PAY_PAYOUT_CALL_COUNT) {
        return payout_not_made(flow, payout, "call_unknown", effect);
    }

    memset(&err, 0, sizeof(err));
    status = pay_payout_request(flow->scratch, provider->adapter,
                                payout->call, &provider->account,
                                &payout->parcel, &effect->http, &err);

    if (status != PAY_OK) {
        return status == PAY_NO_MEMORY
               ? status
               : payout_no_request(flow, payout,
                                   status == PAY_INVALID ? err.slug : NULL,
                                   effect);
    }

    effect->kind = PAY_DO_HTTP;
    effect->payout = provider;
    effect->call = (pay_call_t) (PAY_CALL_PAYOUT_SEND + payout->call);
    flow->step = payout_answered;

    return PAY_OK;
}


/* A question is judged as it is: it moves nothing. */
static pay_status_t
payout_answered(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    payout_t             *payout = flow->state;
    pay_payout_result_t   result;

    PAY_TRY(pay_payout_answer(flow->scratch, payout->provider->adapter,
                              payout->call, &payout->parcel, input->answer,
                              &result));
    pay_flow_unread(flow, calls[payout->call], &result.unread);

    if (payout->call == PAY_PAYOUT_SEND || payout->call == PAY_PAYOUT_CANCEL) {
        pay_dispatch_doubt(input->answer, &result.outcome, &result.code);
    }

    if (result.outcome == PAY_PSP_DONE && result.reference.len == 0
        && (payout->call == PAY_PAYOUT_SEND
            || payout->call == PAY_PAYOUT_FIND))
    {
        result.outcome = PAY_PSP_UNKNOWN;
        result.code = PAY_STR("no_reference");
    }

    return payout_end(flow, payout, &result, effect);
}


/* The statement about the item: an answer may tell of others, too.  An answer
 * whose echo was not the item's is UNKNOWN, and states nothing. */
static const pay_payout_event_t *
payout_statement(const payout_t *payout, const pay_payout_result_t *result)
{
    unsigned                   i;
    const pay_payout_event_t  *event;

    if (result->outcome != PAY_PSP_DONE) {
        return NULL;
    }

    for (i = 0; i < result->count; i++) {
        event = &result->events[i];

        if (event->key.len == 0 ? result->count == 1
                                : pay_str_eq(event->key, payout->item.key))
        {
            return event;
        }
    }

    return NULL;
}


/* Amount, currency and account's end go to PostgreSQL, too, which compares them
 * with the item's once more before the money counts as sent. */
static pay_status_t
payout_end(pay_flow_t *flow, payout_t *payout,
    const pay_payout_result_t *result, pay_effect_t *effect)
{
    const pay_payout_event_t  *event = payout_statement(payout, result);
    pay_end_payout_call_in_t   in = {
        .merchant_id = payout->provider->merchant_id,
        .payout_id = payout->payout_id,
        .number = payout->number,
        .outcome = pay_str_of((size_t) result->outcome < PAY_PSP_OUTCOME_COUNT
                              ? outcomes[result->outcome] : "unknown")
    };

    if (result->retry_after_s > 0) {
        in.retry_s = result->retry_after_s < PROVIDER_RETRY_MAX_S
                     ? result->retry_after_s : PROVIDER_RETRY_MAX_S;
    }

    if (event != NULL) {
        in.state = pay_str_of(pay_payout_state_name(event->state));
        in.amount_minor = pay_maybe(event->has_amount, event->amount_minor);
        PAY_TRY(pay_dup(flow->args, event->currency, &in.currency));
        PAY_TRY(pay_dup(flow->args, event->account_end, &in.account_end));
    }

    PAY_TRY(provider_text(flow, event != NULL && event->code.len != 0
                          ? event->code : result->code, PROVIDER_CODE_MAX,
                          &in.code));
    PAY_TRY(provider_text(flow, result->reference, PROVIDER_TEXT_MAX,
                          &in.reference));
    PAY_TRY(provider_text(flow, result->next, PROVIDER_TEXT_MAX, &in.next));

    flow->outcome = "called";

    return pay_do_end_payout_call(flow, effect, &in, provider_stored);
}


/* An amount that this provider cannot write stays so: the item fails, and its
 * money is available, instead of coming again for ever.  All else may be
 * mended: the account, the configuration. */
static pay_status_t
payout_no_request(pay_flow_t *flow, payout_t *payout, const char *slug,
    pay_effect_t *effect)
{
    const char  *code = pay_payout_unfit(slug);

    if (code != NULL && payout->call == PAY_PAYOUT_SEND) {
        return payout_unsent(flow, payout, "refused", code, effect);
    }

    return payout_not_made(flow, payout, "request_refused", effect);
}


/* The item comes again. */
static pay_status_t
payout_not_made(pay_flow_t *flow, payout_t *payout, const char *code,
    pay_effect_t *effect)
{
    return payout_unsent(flow, payout, "not_sent", code, effect);
}


/* No byte of it has left.  An operator sees the code in the journal and in the
 * log. */
static pay_status_t
payout_unsent(pay_flow_t *flow, payout_t *payout, const char *outcome,
    const char *code, pay_effect_t *effect)
{
    pay_end_payout_call_in_t  in = {
        .merchant_id = payout->provider->merchant_id,
        .payout_id = payout->payout_id,
        .number = payout->number,
        .outcome = pay_str_of(outcome),
        .code = pay_str_of(code),
        .retry_s = pay_str_is(pay_str_of(code), LATE) ? 0 : UNREADABLE_S
    };

    flow->outcome = code;

    return pay_do_end_payout_call(flow, effect, &in, provider_stored);
}
