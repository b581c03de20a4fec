/*
 * The kept body of a webhook, read again because an operator wants it: the
 * adapter of today reads its events, and each goes the way of a webhook, once
 * by its id.  The signature was right when the body was kept.
 *
 *    claim_replay ─ nothing open ─▶ end
 *      │ the body
 *      ▼
 *    adapter reads the events ─▶ event, event, … ─▶ end_replay
 */

#include "flow_util.h"


/* One body has up to PAY_PSP_EVENTS_MAX events, each a commit of its own. */
#define LEASE_FACTOR  20


/* The state of one request of an operator, who names an event; the whole body
 * is read again, because its events belong together.
 * - next: index of the event after the one that is being applied
 * - found, refused: whether the named event was in the body, and whether SQL
 *   refused it
 * - digest: of the body, which points to sha256; the inbox row of an event is
 *   reopened by it */
typedef struct {
    pay_str_t              owner;
    int64_t                replay_id;
    const pay_psp_conf_t  *psp;
    pay_str_t              event_id;   /* of the event that was named */
    pay_psp_event_t        events[PAY_PSP_EVENTS_MAX];
    unsigned               count;
    unsigned               next;
    unsigned               found:1;    /* the event that was named */
    unsigned               refused:1;  /* that one */
    pay_str_t              digest;
    unsigned char          sha256[PAY_SHA256_SIZE];
} replay_t;


static pay_status_t replay_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t replay_claimed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t replay_read(pay_flow_t *flow, const pay_replay_row_t *row,
    pay_effect_t *effect);
static pay_status_t replay_next(pay_flow_t *flow, replay_t *replay,
    pay_effect_t *effect);
static pay_status_t replay_applied(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static int is_named(const replay_t *replay, const pay_psp_event_t *event);
static pay_status_t replay_end(pay_flow_t *flow, replay_t *replay,
    const char *failure, pay_effect_t *effect);


static const pay_flow_type_t  replay_type = {
    .name = "replay", .start = replay_start
};


/* No PSP is named: the claim decides, and its row says which. */
pay_status_t
pay_flow_replay(pay_flow_t *flow, pay_str_t owner)
{
    replay_t  *replay;

    replay = pay_calloc(flow->arena, sizeof(replay_t));
    if (replay == NULL) {
        return PAY_NO_MEMORY;
    }

    replay->owner = owner;
    pay_flow_begin(flow, &replay_type, replay);

    return PAY_OK;
}


static pay_status_t
replay_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    replay_t              *replay = flow->state;
    pay_claim_replay_in_t  in = {
        .owner = replay->owner,
        .lease_ms = LEASE_FACTOR * flow->env->lease_ms
    };

    (void) input;

    return pay_do_claim_replay(flow, effect, &in, replay_claimed);
}


/* The request's number becomes the request id, so that the timeline shows
 * which replay has moved an order.  A PSP that is not configured any more has
 * no adapter to read its bodies. */
static pay_status_t
replay_claimed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    replay_t                *replay = flow->state;
    const pay_replay_row_t  *row = pay_row_replay(&input->result);

    if (input->result.outcome != PAY_OUTCOME_DUE || row == NULL) {
        flow->outcome = "not-due";
        pay_do_done(effect, NULL);
        return PAY_OK;
    }

    replay->replay_id = row->replay_id;
    replay->psp = pay_env_psp(flow->env, row->psp);
    PAY_TRY(pay_dup(flow->arena, row->event_id, &replay->event_id));
    PAY_TRY(pay_format(flow->arena, &flow->request_id, 32, "replay-%lld",
                       (long long) replay->replay_id));

    if (replay->psp == NULL) {
        return replay_end(flow, replay, "unknown_psp", effect);
    }

    flow->psp_name = replay->psp->name;

    return replay_read(flow, row, effect);
}


/* The signature is not verified again: its time would be stale and its key may
 * be rotated.  Only verified bodies are kept. */
static pay_status_t
replay_read(pay_flow_t *flow, const pay_replay_row_t *row,
    pay_effect_t *effect)
{
    replay_t              *replay = flow->state;
    const pay_psp_conf_t  *psp = replay->psp;
    pay_err_t              err;
    pay_str_t              body, message_id;
    pay_status_t           status;

    /* events borrow from them */
    PAY_TRY(pay_dup(flow->arena, row->message_id, &message_id));
    PAY_TRY(pay_dup(flow->arena, row->body, &body));

    PAY_TRY(pay_sha256(body, replay->sha256));
    replay->digest.data = replay->sha256;
    replay->digest.len = PAY_SHA256_SIZE;

    memset(&err, 0, sizeof(err));
    status = psp->adapter->webhook_events(flow->arena, &psp->account,
                                          message_id, body, replay->events,
                                          &replay->count, &err);
    if (status == PAY_INVALID) {
        replay->count = 0;
        return replay_end(flow, replay, "unreadable", effect);
    }

    PAY_TRY(status);

    return replay_next(flow, replay, effect);
}


/* The source "replay" lets apply_event replace a row of the inbox that had no
 * effect; an event that was applied stays a duplicate. */
static pay_status_t
replay_next(pay_flow_t *flow, replay_t *replay, pay_effect_t *effect)
{
    if (replay->next == replay->count) {
        return replay_end(flow, replay, NULL, effect);
    }

    return pay_do_event(flow, replay->psp, "replay",
                        &replay->events[replay->next++], replay->digest,
                        effect, replay_applied);
}


/* Without a row the request stays open until its lease has run out. */
static pay_status_t
replay_applied(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    replay_t               *replay = flow->state;
    const pay_psp_event_t  *said = &replay->events[replay->next - 1];

    if (input->kind != PAY_INPUT_ROW) {
        flow->outcome = "not_stored";
        pay_do_done(effect, NULL);
        return PAY_OK;
    }

    if (is_named(replay, said)) {
        replay->found = 1;
        replay->refused = input->result.outcome == PAY_OUTCOME_INVALID;
    }

    (void) pay_psp_event_refused(flow, said, input);

    return replay_next(flow, replay, effect);
}


/* By id alone, which is unique within a PSP. */
static int
is_named(const replay_t *replay, const pay_psp_event_t *event)
{
    return pay_str_eq(event->event_id, replay->event_id);
}


/* Events of the body that were applied stay applied, even if the named one was
 * not among them; the operator reads the failure in the request. */
static pay_status_t
replay_end(pay_flow_t *flow, replay_t *replay, const char *failure,
    pay_effect_t *effect)
{
    pay_end_replay_in_t  in = {
        .replay_id = replay->replay_id,
        .owner = replay->owner,
        .events = replay->count
    };

    if (failure == NULL && !replay->found) {
        failure = "not_in_body";

    } else if (failure == NULL && replay->refused) {
        failure = "invalid";
    }

    if (failure != NULL) {
        in.failure = pay_str_of(failure);
    }

    flow->outcome = (failure != NULL) ? failure : "read";

    return pay_do_end_replay(flow, effect, &in, pay_done_stored);
}
