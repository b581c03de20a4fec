/*
 * PSP events as arguments of the operation that applies them: apply_event about
 * the payment itself, apply_change about changes, disputes and fees.
 */

#include "flow_util.h"
#include "pay_decline.h"


static pay_status_t do_apply_event(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const char *source, const pay_psp_event_t *event, pay_str_t digest,
    pay_effect_t *effect, pay_flow_step_pt step);
static void add_decline(const pay_psp_conf_t *psp, const pay_psp_event_t *event,
    pay_apply_event_in_t *in);
static pay_status_t do_apply_change(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const char *source, const pay_psp_event_t *event, pay_str_t digest,
    pay_effect_t *effect, pay_flow_step_pt step);
static pay_str_t operation_of(const pay_psp_conf_t *psp,
    const pay_psp_event_t *event);
static const char *word_of(const char *const *words, size_t count,
    unsigned i);


/* The words of apply_change's arguments; SQL refuses all others. */
static const char  *const about_names[] = {
    [PAY_ABOUT_PAYMENT] = "payment", [PAY_ABOUT_CAPTURE] = "capture",
    [PAY_ABOUT_REFUND] = "refund", [PAY_ABOUT_DISPUTE] = "dispute",
    [PAY_ABOUT_FEE] = "fee"
};
PAY_ROWS(about_names, PAY_ABOUT_COUNT);

static const char  *const news_names[] = {
    [PAY_NEWS_PENDING] = "pending", [PAY_NEWS_SUCCEEDED] = "succeeded",
    [PAY_NEWS_FAILED] = "failed", [PAY_NEWS_OPENED] = "opened",
    [PAY_NEWS_WON] = "won", [PAY_NEWS_LOST] = "lost",
    [PAY_NEWS_ENDED] = "ended", [PAY_NEWS_SINGLE] = "single"
};
PAY_ROWS(news_names, PAY_NEWS_COUNT);


/* A hint says nothing by itself, whatever it is about: the PSP is asked how
 * the payment stands. */
pay_status_t
pay_do_event(pay_flow_t *flow, const pay_psp_conf_t *psp, const char *source,
    const pay_psp_event_t *event, pay_str_t digest, pay_effect_t *effect,
    pay_flow_step_pt step)
{
    return (event->about == PAY_ABOUT_PAYMENT || event->must_ask)
           ? do_apply_event(flow, psp, source, event, digest, effect, step)
           : do_apply_change(flow, psp, source, event, digest, effect, step);
}


/* The others of its message are taken all the same.  The note for the log is
 * the event's id, or the PSP's word for its type where it has no id. */
int
pay_psp_event_refused(pay_flow_t *flow, const pay_psp_event_t *said,
    const pay_input_t *input)
{
    if (input->result.outcome != PAY_OUTCOME_INVALID) {
        return 0;
    }

    flow->invalid_event = said->event_id.len ? said->event_id : said->type;

    return 1;
}


/* A declined attempt says something, too; an open payment does not. */
int
pay_psp_event_says(const pay_psp_event_t *event)
{
    return event->fact != PAY_FACT_NONE || event->about != PAY_ABOUT_PAYMENT;
}


/* Every slice of the struct is in this list.  A field that is added to
 * pay_psp_event_t and forgotten here points to an answer that is gone. */
pay_status_t
pay_psp_event_keep(pay_flow_t *flow, const pay_psp_event_t *from,
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
    PAY_TRY(pay_dup(flow->arena, from->card.attempt, &to->card.attempt));
    PAY_TRY(pay_dup(flow->arena, from->card.card, &to->card.card));
    PAY_TRY(pay_dup(flow->arena, from->card.bin, &to->card.bin));
    PAY_TRY(pay_dup(flow->arena, from->card.country, &to->card.country));
    PAY_TRY(pay_dup(flow->arena, from->card.warning, &to->card.warning));

    return pay_dup(flow->arena, from->currency, &to->currency);
}


/* A hint's fact is sent as "ask", so that SQL moves nothing by it and makes
 * the poll due. */
static pay_status_t
do_apply_event(pay_flow_t *flow, const pay_psp_conf_t *psp, const char *source,
    const pay_psp_event_t *event, pay_str_t digest, pay_effect_t *effect,
    pay_flow_step_pt step)
{
    pay_apply_event_in_t  in = {
        .psp = psp->name,
        .source = pay_str_of(source),
        .event_id = event->event_id,
        .type = event->type,
        .fact = event->must_ask ? PAY_STR("ask")
                                : pay_str_of(pay_fact_name(event->fact)),
        .token = event->token,
        .reference = event->reference,
        .code = event->code,
        .amount_minor = pay_maybe(event->has_amount, event->amount_minor),
        .currency = event->has_amount ? event->currency : PAY_STR(""),
        .digest = digest,
        .request_id = flow->request_id
    };

    /* a hint without an id proves nothing: it is applied, not stored */
    if (event->must_ask && event->event_id.len == 0) {
        in.source = PAY_STR("hint");
    }

    add_decline(psp, event, &in);
    PAY_TRY(pay_risk_card_row(flow, psp, event, &in));

    return pay_do_apply_event(flow, effect, &in, step);
}


/* A PSP may state one of the gateway's own codes (the generic protocol does);
 * it counts if the table has it.  Otherwise the PSP's code is looked up in the
 * table of its adapter, and one that is unknown there becomes "unknown". */
static void
add_decline(const pay_psp_conf_t *psp, const pay_psp_event_t *event,
    pay_apply_event_in_t *in)
{
    const pay_decline_t  *decline;

    if (event->must_ask || (event->fact != PAY_FACT_ATTEMPT
                            && event->fact != PAY_FACT_DECLINED))
    {
        return;
    }

    decline = pay_decline_named(event->decline);

    if (!pay_str_is(event->decline, decline->code)) {
        decline = pay_decline_find(psp->adapter->name, event->code);
    }

    in->decline = pay_str_of(decline->code);
    in->can_retry = pay_str_of(pay_decline_retry(decline));
    in->attempt = event->object;
}


/* A fee belongs to the event only where has_fee says so: 0 is a fee, too. */
static pay_status_t
do_apply_change(pay_flow_t *flow, const pay_psp_conf_t *psp, const char *source,
    const pay_psp_event_t *event, pay_str_t digest, pay_effect_t *effect,
    pay_flow_step_pt step)
{
    pay_apply_change_in_t  in = {
        .psp = psp->name,
        .source = pay_str_of(source),
        .event_id = event->event_id,
        .type = event->type,
        .about = pay_str_of(word_of(about_names, sizeof(about_names)
                                                 / sizeof(about_names[0]),
                                    event->about)),
        .news = pay_str_of(word_of(news_names, sizeof(news_names)
                                               / sizeof(news_names[0]),
                                   event->news)),
        .token = event->token,
        .reference = event->reference,
        .object = event->object,
        .operation_id = operation_of(psp, event),
        .amount_minor = pay_maybe(event->has_amount, event->amount_minor),
        .currency = event->has_amount ? event->currency : PAY_STR(""),
        .fee_minor = pay_maybe(event->has_fee, event->fee_minor),
        .fee_currency = event->has_fee ? event->fee_currency : PAY_STR(""),
        .code = event->code,
        .digest = digest,
        .request_id = flow->request_id,
        .evidence_until = pay_maybe(event->evidence_until_s != 0,
                                    event->evidence_until_s),
        .said_at = pay_maybe(event->said_s != 0, event->said_s)
    };

    return pay_do_apply_change(flow, effect, &in, step);
}


/* A refund at a PSP that would have echoed our id was made there, whatever its
 * amount: "-".  At other PSPs a refund without our id may be ours or not. */
static pay_str_t
operation_of(const pay_psp_conf_t *psp, const pay_psp_event_t *event)
{
    return (event->operation.len == 0 && event->about == PAY_ABOUT_REFUND
            && (psp->adapter->traits & PAY_PSP_NAMES_REFUNDS))
           ? PAY_STR("-") : event->operation;
}


/* SQL refuses an event that no adapter should produce.  The empty word makes
 * that refusal visible instead of reading behind the table. */
static const char *
word_of(const char *const *words, size_t count, unsigned i)
{
    return (i < count) ? words[i] : "";
}
