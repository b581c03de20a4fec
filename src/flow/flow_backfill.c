/*
 * Events that a PSP has made and that never came: when it is due, the PSP's
 * list is read page by page and each event goes the way of a webhook, once by
 * its id.  The position moves on only when the whole list has been seen.
 */

#include "flow_util.h"


#define PAGES_MAX     1000
#define LEASE_FACTOR  20


typedef struct {
    const pay_psp_t   *psp;
    pay_str_t          owner;
    pay_psp_list_t     list;
    pay_psp_listed_t   page;
    unsigned           next;           /* of the page's events */
    unsigned           pages;
    int64_t            listed;
    int64_t            missed;
} backfill_t;


static pay_status_t backfill_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t backfill_begun(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t ask_page(pay_flow_t *flow, backfill_t *backfill,
    pay_effect_t *effect);
static pay_status_t page_came(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t next_event(pay_flow_t *flow, backfill_t *backfill,
    pay_effect_t *effect);
static int names_something(const pay_psp_event_t *event);
static pay_status_t event_applied(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t backfill_end(pay_flow_t *flow, backfill_t *backfill,
    const char *failure, pay_effect_t *effect);
static pay_status_t backfill_ended(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static int was_missed(pay_str_t outcome);


pay_status_t
pay_flow_backfill(pay_flow_t *flow, const pay_psp_t *psp, pay_str_t owner)
{
    backfill_t  *backfill;

    backfill = pay_calloc(flow->arena, sizeof(backfill_t));
    if (backfill == NULL) {
        return PAY_NO_MEMORY;
    }

    backfill->psp = psp;
    backfill->owner = owner;
    flow->name = "backfill";
    flow->state = backfill;
    flow->step = backfill_start;
    flow->psp_name = psp->name;

    return PAY_OK;
}


static pay_status_t
backfill_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    backfill_t   *backfill = flow->state;
    pay_value_t  *v;

    (void) event;

    v = pay_calloc(flow->arena, 4 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(backfill->psp->name);
    v[1] = pay_value_text(backfill->owner);
    v[2] = pay_value_int(backfill->psp->backfill_ms);
    v[3] = pay_value_int(LEASE_FACTOR * flow->env->lease_ms);

    pay_do_db(flow, effect, PAY_OP_BEGIN_BACKFILL, v, backfill_begun);

    return PAY_OK;
}


static pay_status_t
backfill_begun(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    backfill_t  *backfill = flow->state;

    if (event->kind != PAY_EVENT_ROW
        || !pay_str_is(event->row[0].bytes, "due"))
    {
        flow->outcome = "not-due";
        pay_do_done(effect, NULL);
        return PAY_OK;
    }

    backfill->list.since_s = event->row[1].number;
    backfill->list.until_s = event->row[2].number;

    return ask_page(flow, backfill, effect);
}


static pay_status_t
ask_page(pay_flow_t *flow, backfill_t *backfill, pay_effect_t *effect)
{
    const pay_psp_t  *psp = backfill->psp;

    if (backfill->pages++ == PAGES_MAX) {
        return backfill_end(flow, backfill, "too_many", effect);
    }

    PAY_TRY(psp->adapter->list_request(flow->scratch, &psp->account,
                                       &backfill->list, &effect->http));
    effect->kind = PAY_DO_HTTP;
    effect->psp = psp;
    effect->what = "list";
    flow->step = page_came;

    return PAY_OK;
}


static pay_status_t
page_came(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    backfill_t       *backfill = flow->state;
    const pay_psp_t  *psp = backfill->psp;

    memset(&backfill->page, 0, sizeof(backfill->page));
    backfill->next = 0;

    PAY_TRY(psp->adapter->list_answer(flow->arena, &psp->account,
                                      &backfill->list, event->answer,
                                      &backfill->page));

    if (!backfill->page.known) {
        return backfill_end(flow, backfill, "no_answer", effect);
    }

    flow->left_out += backfill->page.left_out;
    PAY_TRY(pay_dup(flow->arena, backfill->page.next,
                    &backfill->list.cursor));

    return next_event(flow, backfill, effect);
}


/* A hint without an id asks nothing that a poll does not. */
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


static int
names_something(const pay_psp_event_t *event)
{
    return event->token.len > 0
           || (event->about != PAY_ABOUT_PAYMENT
               && (event->reference.len > 0 || event->object.len > 0
                   || event->operation.len > 0));
}


static pay_status_t
event_applied(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    backfill_t  *backfill = flow->state;

    if (event->kind != PAY_EVENT_ROW) {
        return backfill_end(flow, backfill, "not_stored", effect);
    }

    if (pay_event_refused(flow, &backfill->page.events[backfill->next - 1],
                          event))
    {
        backfill->missed++;
        return next_event(flow, backfill, effect);
    }

    backfill->missed += was_missed(event->row[0].bytes);

    return next_event(flow, backfill, effect);
}


/* What is ours, and had not come by itself. */
static int
was_missed(pay_str_t outcome)
{
    return pay_str_is(outcome, "applied") || pay_str_is(outcome, "unchanged")
           || pay_str_is(outcome, "asked") || pay_str_is(outcome, "held")
           || pay_str_is(outcome, "mismatch")
           || pay_str_is(outcome, "contradiction");
}


static pay_status_t
backfill_end(pay_flow_t *flow, backfill_t *backfill, const char *failure,
    pay_effect_t *effect)
{
    pay_value_t  *v;

    v = pay_calloc(flow->arena, 6 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(backfill->psp->name);
    v[1] = pay_value_text(backfill->owner);
    v[2] = (failure == NULL) ? pay_value_int(backfill->list.until_s)
                             : pay_value_null();
    v[3] = pay_value_int(backfill->listed);
    v[4] = pay_value_int(backfill->missed);
    v[5] = pay_value_opt(pay_str_of(failure));

    flow->outcome = (failure == NULL) ? "seen" : failure;
    pay_do_db(flow, effect, PAY_OP_END_BACKFILL, v, backfill_ended);

    return PAY_OK;
}


static pay_status_t
backfill_ended(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    if (event->kind != PAY_EVENT_ROW) {
        flow->outcome = "not_stored";
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}
