/*
 * One question to a provider of sanctions screening: PostgreSQL claims the
 * account whose holder is asked about, the account is opened here, and the
 * answer goes back.  Whatever is no answer is a failure: the items that need it
 * stay held, and PostgreSQL says when the provider is asked again.
 *
 *    begin_screening ─┬─ none ─▶ end
 *                     └─ due ─▶ account opened? in time? ─┬─ no ──┐
 *                                                         └─ call ┴─▶
 *                        store_screening ─▶ end
 */

#include "flow_provider.h"
#include "pay_payout.h"


#define ID_MAX  512

typedef struct {
    const pay_screening_provider_t  *provider;
    int64_t                          started_s;
    pay_str_t                        destination_id;
    int64_t                          version;
    int64_t                          number;
    pay_str_t                        id;       /* of the question */
    pay_payout_item_t                item;     /* its account alone */
    const char                      *why;      /* literal: the account cannot
                                                  be read */
} screening_t;


static pay_status_t screening_start(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t screening_begun(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t screening_open(pay_flow_t *flow, screening_t *screening,
    const pay_screening_row_t *row);
static pay_status_t screening_call(pay_flow_t *flow, screening_t *screening,
    pay_effect_t *effect);
static pay_status_t screening_answered(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t screening_failed(pay_flow_t *flow,
    screening_t *screening, const char *why, pay_effect_t *effect);
static pay_status_t screening_store(pay_flow_t *flow, screening_t *screening,
    const pay_screening_result_t *result, pay_effect_t *effect);
static int64_t pause_s(const screening_t *screening,
    const pay_screening_result_t *result);


static const pay_flow_type_t  screening_type = {
    .name = "screening", .start = screening_start, .clock = PAY_CLOCK_STEADY,
    .is_patient = 1
};

/* Words of store_screening. */
static const char  *const answers[] = {
    [PAY_SCREENING_FAILED] = "failed", [PAY_SCREENING_CLEAR] = "clear",
    [PAY_SCREENING_HIT] = "hit"
};
PAY_ROWS(answers, PAY_SCREENING_COUNT);


pay_status_t
pay_flow_screening(pay_flow_t *flow, const pay_screening_provider_t *provider)
{
    screening_t  *screening;

    screening = pay_calloc(flow->arena, sizeof(screening_t));
    if (screening == NULL) {
        return PAY_NO_MEMORY;
    }

    screening->provider = provider;
    flow->psp_name = provider->client->name;
    flow->merchant_id = provider->merchant_id;
    pay_flow_begin(flow, &screening_type, screening);

    return PAY_OK;
}


static pay_status_t
screening_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    screening_t               *screening = flow->state;
    pay_begin_screening_in_t   in = {
        .merchant_id = screening->provider->merchant_id,
        .provider = screening->provider->name,
        .lease_ms = screening->provider->lease_ms
    };

    screening->started_s = input->now_s;

    return pay_do_begin_screening(flow, effect, &in, screening_begun);
}


/* From here on the account is claimed: each way leads to an answer. */
static pay_status_t
screening_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_status_t                status;
    screening_t                *screening = flow->state;
    const pay_screening_row_t  *row = pay_row_screening(&input->result);

    if (input->result.outcome != PAY_OUTCOME_DUE || row == NULL) {
        flow->outcome = input->result.outcome == PAY_OUTCOME_NO_JOB ? "none"
                        : input->result.outcome == PAY_OUTCOME_INVALID
                        ? "invalid" : "not-asked";
        pay_do_done(effect, NULL);
        return PAY_OK;
    }

    status = screening_open(flow, screening, row);

    if (status == PAY_INVALID) {
        return screening_failed(flow, screening, screening->why, effect);
    }

    PAY_TRY(status);

    return provider_is_late(input, screening->started_s)
           ? screening_failed(flow, screening, "late", effect)
           : screening->item.to.name.len == 0
           ? screening_failed(flow, screening, "no_name", effect)
           : screening_call(flow, screening, effect);
}


/* The row's slices die with the step. */
static pay_status_t
screening_open(pay_flow_t *flow, screening_t *screening,
    const pay_screening_row_t *row)
{
    pay_payout_sealed_t  sealed = {
        .merchant_id = screening->provider->merchant_id,
        .seller_account = row->seller_account,
        .currency = row->currency,
        .kind = row->kind,
        .country = row->country,
        .key_id = row->key_id,
        .details = row->details
    };

    screening->version = row->version;
    screening->number = row->number;
    PAY_TRY(pay_dup(flow->arena, row->destination_id,
                    &screening->destination_id));
    PAY_TRY(pay_format(flow->arena, &screening->id, ID_MAX, "%.*s-%lld-%lld",
                       pay_fmt(screening->destination_id),
                       (long long) row->version, (long long) row->number));
    sealed.payout_id = screening->destination_id;

    return pay_payout_open(flow->arena, flow->env->keyring, &sealed,
                           &screening->item, &screening->why);
}


static pay_status_t
screening_call(pay_flow_t *flow, screening_t *screening, pay_effect_t *effect)
{
    PAY_TRY(pay_screening_request(flow->scratch,
                                  &screening->provider->account,
                                  screening->id, &screening->item.to,
                                  &effect->http));

    effect->kind = PAY_DO_HTTP;
    effect->screening = screening->provider;
    effect->call = PAY_CALL_SCREENING;
    flow->step = screening_answered;

    return PAY_OK;
}


static pay_status_t
screening_answered(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    screening_t             *screening = flow->state;
    pay_screening_result_t   result;

    PAY_TRY(pay_screening_answer(flow->scratch, screening->id, input->answer,
                                 &result));
    pay_flow_unread(flow, "screening", &result.unread);
    flow->outcome = result.answer == PAY_SCREENING_FAILED ? "unanswered"
                                                          : "called";

    return screening_store(flow, screening, &result, effect);
}


static pay_status_t
screening_failed(pay_flow_t *flow, screening_t *screening, const char *why,
    pay_effect_t *effect)
{
    pay_screening_result_t  result = {
        .answer = PAY_SCREENING_FAILED, .code = pay_str_of(why)
    };

    flow->outcome = why;

    return screening_store(flow, screening, &result, effect);
}


static pay_status_t
screening_store(pay_flow_t *flow, screening_t *screening,
    const pay_screening_result_t *result, pay_effect_t *effect)
{
    pay_store_screening_in_t  in = {
        .merchant_id = screening->provider->merchant_id,
        .provider = screening->provider->name,
        .destination_id = screening->destination_id,
        .version = screening->version,
        .number = screening->number,
        .answer = pay_str_of(answers[result->answer]),
        .retry_s = pause_s(screening, result)
    };

    PAY_TRY(provider_text(flow, result->reference, PROVIDER_TEXT_MAX,
                          &in.reference));

    if (result->answer == PAY_SCREENING_FAILED) {
        PAY_TRY(provider_text(flow, result->code, PROVIDER_CODE_MAX,
                              &in.code));
    }

    return pay_do_store_screening(flow, effect, &in, provider_stored);
}


/* The provider may ask for more time than the configuration gives it. */
static int64_t
pause_s(const screening_t *screening, const pay_screening_result_t *result)
{
    int64_t  s = screening->provider->retry_s;

    s = result->retry_after_s > s ? result->retry_after_s : s;

    return s < PROVIDER_RETRY_MAX_S ? s : PROVIDER_RETRY_MAX_S;
}
