/*
 * Events that a PSP has made and that never came: when it is due, the PSP's
 * list is read page by page and each event goes the way of a webhook, once by
 * its id.  The position moves on only when the whole list has been seen.
 *
 *    begin_backfill ─ not due ─▶ end
 *      │ due: since, until, lease
 *      ▼
 *    list (a page) ─▶ event ─▶ apply_event or apply_change ─┐
 *      ▲                ▲                                   │
 *      │                └──────── the next of the page ◀────┤
 *      └──────────────── the next page ◀────────────────────┤
 *    end_backfill ◀──────── last page seen, or a failure ◀──┘
 *
 * A failure leaves the position where it was: the next round reads the same
 * span again, and events that were applied before are duplicates by their ids.
 */

#include "flow_util.h"


/* A PSP whose cursors never end must not keep a worker for ever.  The span of
 * a round that came to this limit is made shorter by end_backfill
 * ("too_many"), so that the next one gets through. */
#define PAGES_MAX     1000
/* A lease of the configuration covers one call to a PSP; a round makes many.
 * A round that is slower than its lease is repeated by another worker, which
 * is harmless. */
#define LEASE_FACTOR  20


/* The state of a round; it lives in the flow's arena.
 * - list: the span in seconds since 1970, and the cursor of the page to ask
 *   for, which is empty for the first one
 * - page: the last page; its events point into the flow's arena
 * - next: index of the event after the one that is being applied
 * - listed, missed: counts for end_backfill and the metrics */
typedef struct {
    const pay_psp_conf_t  *psp;
    pay_str_t              owner;
    pay_psp_list_t         list;
    pay_psp_listed_t       page;
    unsigned               next;       /* of the page's events */
    unsigned               pages;
    int64_t                listed;
    int64_t                missed;
} backfill_t;


static pay_status_t backfill_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t backfill_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t ask_page(pay_flow_t *flow, backfill_t *backfill,
    pay_effect_t *effect);
static pay_status_t page_came(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t next_event(pay_flow_t *flow, backfill_t *backfill,
    pay_effect_t *effect);
static int names_something(const pay_psp_event_t *event);
static pay_status_t event_applied(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t backfill_end(pay_flow_t *flow, backfill_t *backfill,
    const char *failure, pay_effect_t *effect);
static int was_missed(pay_outcome_t outcome);


static const pay_flow_type_t  backfill_type = {
    .name = "backfill", .start = backfill_start
};


/* The name of the owner outlives the flow: it is the worker's. */
pay_status_t
pay_flow_backfill(pay_flow_t *flow, const pay_psp_conf_t *psp, pay_str_t owner)
{
    backfill_t  *backfill;

    backfill = pay_calloc(flow->arena, sizeof(backfill_t));
    if (backfill == NULL) {
        return PAY_NO_MEMORY;
    }

    backfill->psp = psp;
    backfill->owner = owner;
    pay_flow_begin(flow, &backfill_type, backfill);
    flow->psp_name = psp->name;

    return PAY_OK;
}


static pay_status_t
backfill_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    backfill_t              *backfill = flow->state;
    pay_begin_backfill_in_t  in = {
        .psp = backfill->psp->name,
        .owner = backfill->owner,
        .interval_ms = backfill->psp->backfill_ms,
        .lease_ms = LEASE_FACTOR * flow->env->lease_ms
    };

    (void) input;

    return pay_do_begin_backfill(flow, effect, &in, backfill_begun);
}


/* Any failure of the database reads as "not due", too: without a lease nothing
 * may be asked, and the next round comes by itself. */
static pay_status_t
backfill_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    backfill_t            *backfill = flow->state;
    const pay_span_row_t  *row = pay_row_span(&input->result);

    if (input->result.outcome != PAY_OUTCOME_DUE) {
        flow->outcome = "not-due";
        pay_do_done(effect, NULL);
        return PAY_OK;
    }

    if (row == NULL) {
        return PAY_BUG;
    }

    backfill->list.since_s = row->since_s;
    backfill->list.until_s = row->until_s;

    return ask_page(flow, backfill, effect);
}


static pay_status_t
ask_page(pay_flow_t *flow, backfill_t *backfill, pay_effect_t *effect)
{
    const pay_psp_conf_t  *psp = backfill->psp;

    if (backfill->pages++ == PAGES_MAX) {
        return backfill_end(flow, backfill, "too_many", effect);
    }

    PAY_TRY(psp->adapter->list_request(flow->scratch, &psp->account,
                                       &backfill->list, &effect->http));
    pay_do_call(flow, effect, psp, PAY_CALL_LIST, page_came);

    return PAY_OK;
}


/* An answer that cannot be read ends the round, rather than skipping a page:
 * the position must never pass events that nobody has seen. */
static pay_status_t
page_came(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    backfill_t            *backfill = flow->state;
    const pay_psp_conf_t  *psp = backfill->psp;

    memset(&backfill->page, 0, sizeof(backfill->page));
    backfill->next = 0;

    PAY_TRY(psp->adapter->list_answer(flow->arena, &psp->account,
                                      &backfill->list, input->answer,
                                      &backfill->page));

    if (!backfill->page.known) {
        return backfill_end(flow, backfill, "no_answer", effect);
    }

    flow->left_out += backfill->page.left_out;
    PAY_TRY(pay_dup(flow->arena, backfill->page.next,
                    &backfill->list.cursor));

    return next_event(flow, backfill, effect);
}


/* A hint without an id asks nothing that a poll does not.  An event without
 * any name of ours cannot be matched to a checkout and is left out before
 * PostgreSQL is asked. */
static pay_status_t
next_event(pay_flow_t *flow, backfill_t *backfill, pay_effect_t *effect)
{
    const pay_psp_event_t  *event;

    while (backfill->next < backfill->page.count) {
        event = &backfill->page.events[backfill->next++];
        backfill->listed++;

        if (event->event_id.len > 0 && names_something(event)) {
            return pay_do_event(flow, backfill->psp, "backfill", event,
                                PAY_STR(""), effect, event_applied);
        }
    }

    return (backfill->list.cursor.len > 0)
           ? ask_page(flow, backfill, effect)
           : backfill_end(flow, backfill, NULL, effect);
}


/* An event about the payment itself needs the token, because apply_event finds
 * the checkout by it; changes, disputes and fees are found by the payment's
 * id, their own or ours, too. */
static int
names_something(const pay_psp_event_t *event)
{
    return event->token.len > 0
           || (event->about != PAY_ABOUT_PAYMENT
               && (event->reference.len > 0 || event->object.len > 0
                   || event->operation.len > 0));
}


/* An event that SQL refuses as unreadable counts as missed: SQL would have
 * refused its webhook in the same way. */
static pay_status_t
event_applied(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    backfill_t  *backfill = flow->state;

    if (input->kind != PAY_INPUT_ROW) {
        return backfill_end(flow, backfill, "not_stored", effect);
    }

    if (pay_psp_event_refused(flow, &backfill->page.events[backfill->next - 1],
                              input))
    {
        backfill->missed++;
        return next_event(flow, backfill, effect);
    }

    backfill->missed += was_missed(input->result.outcome);

    return next_event(flow, backfill, effect);
}


/* Counts an event of one of our registrations that no webhook had brought.
 * DUPLICATE and the outcomes about unknown tokens are none: a PSP's account
 * may serve other systems, whose events are listed, too. */
static int
was_missed(pay_outcome_t outcome)
{
    return outcome == PAY_OUTCOME_APPLIED || outcome == PAY_OUTCOME_UNCHANGED
           || outcome == PAY_OUTCOME_ASKED || outcome == PAY_OUTCOME_HELD
           || outcome == PAY_OUTCOME_MISMATCH
           || outcome == PAY_OUTCOME_CONTRADICTION;
}


/* `failure` is a literal, NULL after a whole round.  A NULL until_s is the
 * order not to move the position. */
static pay_status_t
backfill_end(pay_flow_t *flow, backfill_t *backfill, const char *failure,
    pay_effect_t *effect)
{
    pay_end_backfill_in_t  in = {
        .psp = backfill->psp->name,
        .owner = backfill->owner,
        .until_s = pay_maybe(failure == NULL, backfill->list.until_s),
        .listed = backfill->listed,
        .missed = backfill->missed,
        .code = pay_str_of(failure)
    };

    flow->outcome = (failure == NULL) ? "seen" : failure;

    return pay_do_end_backfill(flow, effect, &in, pay_done_stored);
}
