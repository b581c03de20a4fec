/*
 * POST /v1/payments/{order}/refunds, /capture and /cancel: look at the order
 * and its PSP → begin (one commit: the change, what it reserves, its job) →
 * send it through the journal → answer with how it stands.  An outcome that
 * is open is 202, and the job goes on; nothing is ever sent before it is
 * stored.
 */

#include "flow_util.h"
#include "pay_id.h"


#define PENDING_RETRY_S  2


typedef struct {
    pay_change_input_t    in;
    pay_change_request_t  request;
    int64_t               amount_minor;          /* 0: all that is left */
    pay_str_t             fingerprint;
    pay_checkout_t        checkout;
    pay_change_t          change;
    pay_send_t            send;
} change_t;

typedef struct {
    const char    *outcome;                      /* of begin_change */
    const char    *slug;
    const char    *details[PAY_CHANGE_KINDS];
} refusal_t;


static pay_status_t change_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t change_found(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t check_order(change_t *change, const pay_psp_t *psp,
    pay_err_t *err);
static pay_status_t begin(pay_flow_t *flow, change_t *change,
    pay_effect_t *effect);
static pay_status_t fingerprint(pay_flow_t *flow, change_t *change);
static const char *begin_word(const change_t *change, const pay_psp_t *psp);
static pay_status_t change_begun(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t done_outcome(pay_flow_t *flow, change_t *change,
    pay_str_t outcome, pay_effect_t *effect);
static pay_status_t done_exceeds(pay_flow_t *flow, change_t *change,
    pay_effect_t *effect);
static pay_status_t send_it(pay_flow_t *flow, change_t *change,
    pay_effect_t *effect);
static pay_status_t change_sent(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t change_read(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t done_change(pay_flow_t *flow, change_t *change,
    int replayed, pay_effect_t *effect);
static pay_status_t decode(pay_flow_t *flow, const pay_event_t *event,
    change_t *change);


static const refusal_t  refusals[] = {
    { "not_found", "not-found", { NULL, NULL, NULL } },
    { "not_paid", "payment-state-conflict",
      { "nothing of the order is authorised", "nothing can be cancelled",
        "nothing of the order is captured" } },
    { "already_paid", "payment-state-conflict",
      { "the order is captured already",
        "the order is paid, or is being captured: refund it",
        "the order is paid" } },
    { "nothing_left", "payment-state-conflict",
      { "nothing is left to be captured",
        "the order has failed, or is being cancelled",
        "nothing is left to be refunded" } },
    { "overdraws", "seller-overdrawn",
      { NULL, NULL, "the seller has less available than the refund takes" } },
    { "key_reused", "idempotency-key-reused", { NULL, NULL, NULL } }
};


pay_status_t
pay_flow_change(pay_flow_t *flow, const pay_change_input_t *input)
{
    change_t  *change;

    change = pay_calloc(flow->arena, sizeof(change_t));
    if (change == NULL) {
        return PAY_NO_MEMORY;
    }

    change->in = *input;
    flow->name = "change";
    flow->state = change;
    flow->step = change_start;
    flow->merchant_id = input->merchant->id;
    flow->order_id = input->order_id;

    return PAY_OK;
}


static pay_status_t
change_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    change_t      *change = flow->state;
    pay_err_t      err;
    pay_value_t   *v;
    pay_status_t   status;

    (void) event;

    if (!pay_id_is_valid(change->in.order_id)) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    memset(&err, 0, sizeof(err));
    status = pay_change_parse(flow->arena, change->in.kind, change->in.body,
                              &change->request, &err);
    if (status == PAY_INVALID) {
        return pay_done_refused_all(flow, effect, &err,
                                    &change->request.errors);
    }

    PAY_TRY(status);
    PAY_TRY(fingerprint(flow, change));

    v = pay_calloc(flow->arena, 2 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(change->in.merchant->id);
    v[1] = pay_value_text(change->in.order_id);
    pay_do_db(flow, effect, PAY_OP_GET_PAYMENT, v, change_found);

    return PAY_OK;
}


/* What is looked at here does not change any more, so that the same request
 * is refused, or goes on, the same each time. */
static pay_status_t
change_found(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    change_t         *change = flow->state;
    pay_err_t         err;
    pay_status_t      status;
    const pay_psp_t  *psp;

    if (event->kind == PAY_EVENT_DB_FAILED) {
        return pay_done_db_failed(flow, event, effect);
    }

    if (!pay_str_is(event->row[0].bytes, "found")) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, event->row + 1,
                                &change->checkout));
    pay_flow_note(flow, &change->checkout);
    flow->order_id = change->in.order_id;

    memset(&err, 0, sizeof(err));
    psp = pay_flow_psp(flow, change->checkout.psp);
    status = check_order(change, psp, &err);

    if (status == PAY_INVALID) {
        return pay_done_refused(flow, effect, &err);
    }

    PAY_TRY(status);
    change->send.psp = psp;

    return begin(flow, change, effect);
}


/* Whether a page can be closed or an authorisation be given up matters only
 * while there is one: of an order that has ended PostgreSQL says so. */
static pay_status_t
check_order(change_t *change, const pay_psp_t *psp, pay_err_t *err)
{
    pay_state_t            state;
    const pay_checkout_t  *c = &change->checkout;

    PAY_TRY(pay_change_amount(&change->request, c->currency,
                              &change->amount_minor, err));

    state = pay_checkout_state(c);

    if (change->in.kind == PAY_CHANGE_CANCEL
        && (state == PAY_SUCCESS || state == PAY_FAILED)
        && !pay_checkout_holds(c))
    {
        return PAY_OK;
    }

    return pay_change_is_supported(psp, c, change->in.kind)
           ? PAY_OK
           : pay_refuse(err, "operation-not-supported",
                        "the PSP of this payment offers no such call");
}


static pay_status_t
begin(pay_flow_t *flow, change_t *change, pay_effect_t *effect)
{
    pay_value_t               *v;
    const pay_change_input_t  *in = &change->in;

    v = pay_calloc(flow->arena, 14 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(in->merchant->id);
    v[1] = pay_value_text(in->order_id);
    v[2] = pay_value_text(pay_str_of(begin_word(change, change->send.psp)));
    v[3] = pay_value_text(in->change_id);
    v[4] = pay_value_text(in->idempotency_key);
    v[5] = pay_value_text(change->fingerprint);
    v[6] = pay_value_int(in->ttl_s);
    v[7] = (change->amount_minor > 0) ? pay_value_int(change->amount_minor)
                                      : pay_value_null();
    v[8] = (change->request.currency != NULL)
           ? pay_value_text(pay_str_of(change->request.currency->code))
           : pay_value_null();
    v[9] = pay_value_opt(change->request.reason);
    v[10] = pay_value_opt(change->request.metadata);
    v[11] = pay_value_int(flow->env->lease_ms);
    v[12] = pay_value_text(flow->request_id);
    v[13] = pay_value_opt(in->asked_by);

    pay_do_db(flow, effect, PAY_OP_BEGIN_CHANGE, v, change_begun);

    return PAY_OK;
}


/* SHA-256 over order id, NUL, kind, NUL, body: neither of the first two can
 * hold a NUL. */
static pay_status_t
fingerprint(pay_flow_t *flow, change_t *change)
{
    pay_buf_t       buf;
    pay_str_t       text, nul = { 1, (const unsigned char *) "" };
    unsigned char  *digest;

    digest = pay_alloc(flow->arena, PAY_SHA256_SIZE);
    if (digest == NULL) {
        return PAY_NO_MEMORY;
    }

    pay_buf_init(&buf, flow->arena, change->in.body.len + 2 * PAY_ID_MAX);
    pay_buf_add(&buf, change->in.order_id);
    pay_buf_add(&buf, nul);
    pay_buf_text(&buf, pay_change_word(change->in.kind));
    pay_buf_add(&buf, nul);
    pay_buf_add(&buf, change->in.body);

    PAY_TRY(pay_buf_done(&buf, &text));
    PAY_TRY(pay_sha256(text, digest));

    change->fingerprint.data = digest;
    change->fingerprint.len = PAY_SHA256_SIZE;

    return PAY_OK;
}


/* Where there is one capture only, the rest is released with it. */
static const char *
begin_word(const change_t *change, const pay_psp_t *psp)
{
    if (change->in.kind == PAY_CHANGE_CAPTURE
        && (change->request.is_final
            || !(psp->adapter->traits & PAY_PSP_MULTICAPTURE)))
    {
        return "final_capture";
    }

    if (change->in.kind == PAY_CHANGE_REFUND
        && change->in.merchant->refuse_overdraw)
    {
        return "covered_refund";
    }

    return pay_change_word(change->in.kind);
}


static pay_status_t
change_begun(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    change_t   *change = flow->state;
    pay_str_t   outcome;

    if (event->kind == PAY_EVENT_DB_FAILED) {
        return pay_done_db_failed(flow, event, effect);
    }

    outcome = event->row[0].bytes;

    if (pay_str_is(outcome, "created")) {
        PAY_TRY(decode(flow, event, change));
        return send_it(flow, change, effect);
    }

    if (pay_str_is(outcome, "replayed")) {
        PAY_TRY(decode(flow, event, change));
        return done_change(flow, change, 1, effect);
    }

    if (pay_str_is(outcome, "exceeds")) {
        PAY_TRY(pay_checkout_decode(flow->arena,
                                    event->row + 1 + PAY_CHANGE_COLUMNS,
                                    &change->checkout));
        return done_exceeds(flow, change, effect);
    }

    return done_outcome(flow, change, outcome, effect);
}


static pay_status_t
done_outcome(pay_flow_t *flow, change_t *change, pay_str_t outcome,
    pay_effect_t *effect)
{
    unsigned          i;
    const refusal_t  *row;

    if (pay_str_is(outcome, "in_progress")) {
        return pay_done_in_progress(flow, effect,
                                    change->in.in_progress_status);
    }

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        row = &refusals[i];

        if (pay_str_is(outcome, row->outcome)) {
            return pay_done_problem(flow, effect, row->slug,
                                    row->details[change->in.kind]);
        }
    }

    return PAY_BUG;
}


/* Of an authorisation some may be on its way to be captured. */
static pay_status_t
done_exceeds(pay_flow_t *flow, change_t *change, pay_effect_t *effect)
{
    int64_t                left;
    pay_str_t              amount, detail;
    const pay_order_t     *order;
    const pay_checkout_t  *c = &change->checkout;

    order = pay_checkout_order(c, change->in.order_id);
    if (order == NULL) {
        return PAY_BUG;
    }

    left = (change->in.kind == PAY_CHANGE_REFUND) ? pay_order_refundable(order)
                                                  : order->authorized_minor;

    PAY_TRY(pay_amount_format(flow->arena, left, c->currency, &amount));
    PAY_TRY(pay_format(flow->arena, &detail, 128, "at most %.*s %s %s",
                       pay_fmt(amount), c->currency->code,
                       change->in.kind == PAY_CHANGE_REFUND
                       ? "can be refunded" : "can be captured"));
    PAY_TRY(pay_done_problem(flow, effect, "amount-exceeds-remaining",
                             (const char *) detail.data));

    return pay_dup(flow->arena, PAY_STR("/amount"),
                   &((pay_reply_t *) effect->reply)->pointer);
}


/* Without a page there is nothing to close yet, and without the payment's id
 * nothing that the PSP would know: the job waits for it. */
static pay_status_t
send_it(pay_flow_t *flow, change_t *change, pay_effect_t *effect)
{
    pay_status_t  status;

    change->send.checkout = &change->checkout;
    change->send.psp = pay_flow_psp(flow, change->checkout.psp);
    change->send.done = change_sent;

    status = pay_change_prepare(flow, &change->change, &change->send);

    if (status == PAY_INVALID || status == PAY_NOT_FOUND) {
        return done_change(flow, change, 0, effect);
    }

    PAY_TRY(status);

    return pay_send_start(flow, &change->send, effect);
}


static pay_status_t
change_sent(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    change_t     *change = flow->state;
    pay_value_t  *v;

    (void) event;

    v = pay_calloc(flow->arena, 3 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(change->in.merchant->id);
    v[1] = pay_value_text(change->in.order_id);
    v[2] = pay_value_text(change->change.id);

    pay_do_db(flow, effect, PAY_OP_GET_CHANGE, v, change_read);

    return PAY_OK;
}


/* Without a row the storefront hears what is certain: that it is stored. */
static pay_status_t
change_read(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    change_t  *change = flow->state;

    if (event->kind == PAY_EVENT_ROW
        && pay_str_is(event->row[0].bytes, "found"))
    {
        PAY_TRY(decode(flow, event, change));
    }

    return done_change(flow, change, 0, effect);
}


static pay_status_t
done_change(pay_flow_t *flow, change_t *change, int replayed,
    pay_effect_t *effect)
{
    int                  pending;
    pay_reply_t         *reply;
    const pay_change_t  *c = &change->change;

    /* what the PSP has taken it has given an id */
    pending = c->status == PAY_NOT_STARTED
              || (c->status == PAY_EXECUTING && c->reference.len == 0);

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, pending ? 202 : 201, &reply));
    PAY_TRY(pay_change_render(flow->arena, c, change->checkout.checkout_id,
                              &reply->body));
    PAY_TRY(pay_format(flow->arena, &reply->location, 4096,
                       "%.*s/v1/payments/%.*s/%s/%.*s",
                       pay_fmt(change->checkout.base_url),
                       pay_fmt(change->in.order_id),
                       pay_change_plural(c->kind), pay_fmt(c->id)));

    reply->replayed = replayed;
    reply->retry_after_s = pending ? PENDING_RETRY_S : -1;
    flow->outcome = replayed ? "replayed"
                    : pending ? "pending"
                    : c->status == PAY_FAILED ? "failed" : "created";

    if (!replayed) {
        pay_change_note(flow, c);
    }

    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
decode(pay_flow_t *flow, const pay_event_t *event, change_t *change)
{
    PAY_TRY(pay_change_decode(flow->arena, event->row + 1, &change->change));

    return pay_checkout_decode(flow->arena,
                               event->row + 1 + PAY_CHANGE_COLUMNS,
                               &change->checkout);
}
