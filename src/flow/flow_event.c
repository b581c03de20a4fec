/*
 * What a PSP says, as the arguments of the operation that takes it into
 * account: apply_event about the payment itself, apply_change about what
 * follows it.
 */

#include "flow_util.h"
#include "pay_decline.h"


static pay_status_t event_args(pay_flow_t *flow, const pay_psp_t *psp,
    const char *source, const pay_psp_event_t *event, pay_str_t digest,
    const pay_value_t **args);
static void decline_args(const pay_psp_t *psp, const pay_psp_event_t *event,
    pay_value_t *v);
static pay_status_t change_args(pay_flow_t *flow, const pay_psp_t *psp,
    const char *source, const pay_psp_event_t *event, pay_str_t digest,
    const pay_value_t **args);
static pay_str_t operation_of(const pay_psp_t *psp,
    const pay_psp_event_t *event);
static const char *word_of(const char *const *words, size_t count,
    unsigned i);


static const char  *const about_names[] = {
    [PAY_ABOUT_PAYMENT] = "payment", [PAY_ABOUT_CAPTURE] = "capture",
    [PAY_ABOUT_REFUND] = "refund", [PAY_ABOUT_DISPUTE] = "dispute",
    [PAY_ABOUT_FEE] = "fee"
};

static const char  *const news_names[] = {
    [PAY_NEWS_PENDING] = "pending", [PAY_NEWS_SUCCEEDED] = "succeeded",
    [PAY_NEWS_FAILED] = "failed", [PAY_NEWS_OPENED] = "opened",
    [PAY_NEWS_WON] = "won", [PAY_NEWS_LOST] = "lost",
    [PAY_NEWS_ENDED] = "ended", [PAY_NEWS_SINGLE] = "single"
};


/* A hint says nothing by itself, whatever it is about: the PSP is asked how
 * the payment stands. */
pay_status_t
pay_do_event(pay_flow_t *flow, const pay_psp_t *psp, const char *source,
    const pay_psp_event_t *event, pay_str_t digest, pay_effect_t *effect,
    pay_flow_step_pt step)
{
    const pay_value_t  *args;

    if (event->about == PAY_ABOUT_PAYMENT || event->must_ask) {
        PAY_TRY(event_args(flow, psp, source, event, digest, &args));
        pay_do_db(flow, effect, PAY_OP_APPLY_EVENT, args, step);

        return PAY_OK;
    }

    PAY_TRY(change_args(flow, psp, source, event, digest, &args));
    pay_do_db(flow, effect, PAY_OP_APPLY_CHANGE, args, step);

    return PAY_OK;
}


/* The others of its message are taken all the same. */
int
pay_event_refused(pay_flow_t *flow, const pay_psp_event_t *said,
    const pay_event_t *event)
{
    if (!pay_str_is(event->row[0].bytes, "invalid")) {
        return 0;
    }

    flow->invalid_event = said->event_id.len ? said->event_id : said->type;

    return 1;
}


int
pay_event_says(const pay_psp_event_t *event)
{
    return event->fact != PAY_FACT_NONE || event->about != PAY_ABOUT_PAYMENT;
}


pay_status_t
pay_event_keep(pay_flow_t *flow, const pay_psp_event_t *from,
    pay_psp_event_t *to)
{
    *to = *from;

    PAY_TRY(pay_dup(flow->arena, from->event_id, &to->event_id));
    PAY_TRY(pay_dup(flow->arena, from->type, &to->type));
    PAY_TRY(pay_dup(flow->arena, from->token, &to->token));
    PAY_TRY(pay_dup(flow->arena, from->reference, &to->reference));
    PAY_TRY(pay_dup(flow->arena, from->code, &to->code));
    PAY_TRY(pay_dup(flow->arena, from->decline, &to->decline));
    PAY_TRY(pay_dup(flow->arena, from->object, &to->object));
    PAY_TRY(pay_dup(flow->arena, from->operation, &to->operation));
    PAY_TRY(pay_dup(flow->arena, from->fee_currency, &to->fee_currency));

    return pay_dup(flow->arena, from->currency, &to->currency);
}


static pay_status_t
event_args(pay_flow_t *flow, const pay_psp_t *psp, const char *source,
    const pay_psp_event_t *event, pay_str_t digest, const pay_value_t **args)
{
    pay_value_t  *v;

    v = pay_calloc(flow->arena, 15 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    /* nobody vouches for a hint without an id: it is taken, not kept */
    if (event->must_ask && event->event_id.len == 0) {
        source = "hint";
    }

    v[0] = pay_value_text(psp->name);
    v[1] = pay_value_text(pay_str_of(source));
    v[2] = pay_value_opt(event->event_id);
    v[3] = pay_value_opt(event->type);
    v[4] = pay_value_text(event->must_ask ? PAY_STR("ask")
                          : pay_str_of(pay_fact_name(event->fact)));
    v[5] = pay_value_opt(event->token);
    v[6] = pay_value_opt(event->reference);
    v[7] = pay_value_opt(event->code);
    v[8] = event->has_amount ? pay_value_int(event->amount_minor)
                             : pay_value_null();
    v[9] = event->has_amount ? pay_value_opt(event->currency)
                             : pay_value_null();
    v[10] = pay_value_opt(digest);
    v[11] = pay_value_text(flow->request_id);
    decline_args(psp, event, v + 12);

    *args = v;

    return PAY_OK;
}


static void
decline_args(const pay_psp_t *psp, const pay_psp_event_t *event,
    pay_value_t *v)
{
    const pay_decline_t  *decline;

    v[0] = v[1] = v[2] = pay_value_null();

    if (event->must_ask || (event->fact != PAY_FACT_ATTEMPT
                            && event->fact != PAY_FACT_DECLINED))
    {
        return;
    }

    decline = pay_decline_named(event->decline);

    if (!pay_str_is(event->decline, decline->code)) {
        decline = pay_decline_find(psp->adapter->name, event->code);
    }

    v[0] = pay_value_text(pay_str_of(decline->code));
    v[1] = pay_value_text(pay_str_of(pay_decline_retry(decline)));
    v[2] = pay_value_opt(event->object);
}


static pay_status_t
change_args(pay_flow_t *flow, const pay_psp_t *psp, const char *source,
    const pay_psp_event_t *event, pay_str_t digest, const pay_value_t **args)
{
    pay_value_t  *v;

    v = pay_calloc(flow->arena, 17 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(psp->name);
    v[1] = pay_value_text(pay_str_of(source));
    v[2] = pay_value_opt(event->event_id);
    v[3] = pay_value_opt(event->type);
    v[4] = pay_value_text(pay_str_of(word_of(about_names,
        sizeof(about_names) / sizeof(about_names[0]), event->about)));
    v[5] = pay_value_text(pay_str_of(word_of(news_names,
        sizeof(news_names) / sizeof(news_names[0]), event->news)));
    v[6] = pay_value_opt(event->token);
    v[7] = pay_value_opt(event->reference);
    v[8] = pay_value_opt(event->object);
    v[9] = pay_value_opt(operation_of(psp, event));
    v[10] = event->has_amount ? pay_value_int(event->amount_minor)
                              : pay_value_null();
    v[11] = event->has_amount ? pay_value_opt(event->currency)
                              : pay_value_null();
    v[12] = event->has_fee ? pay_value_int(event->fee_minor)
                           : pay_value_null();
    v[13] = event->has_fee ? pay_value_opt(event->fee_currency)
                           : pay_value_null();
    v[14] = pay_value_opt(event->code);
    v[15] = pay_value_opt(digest);
    v[16] = pay_value_text(flow->request_id);

    *args = v;

    return PAY_OK;
}


/* A refund at a PSP that would have named ours is somebody else's, whatever
 * its amount: "-".  Nothing is known of one without a name elsewhere. */
static pay_str_t
operation_of(const pay_psp_t *psp, const pay_psp_event_t *event)
{
    return (event->operation.len == 0 && event->about == PAY_ABOUT_REFUND
            && (psp->adapter->traits & PAY_PSP_NAMES_REFUNDS))
           ? PAY_STR("-") : event->operation;
}


/* What no adapter should say is refused by SQL as such. */
static const char *
word_of(const char *const *words, size_t count, unsigned i)
{
    return (i < count) ? words[i] : "";
}
