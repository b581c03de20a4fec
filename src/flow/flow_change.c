/*
 * POST /v1/payments/{order}/refunds, /capture and /cancel: look at the order
 * and its PSP → begin (one commit: the change, what it reserves, its job) →
 * send it through the journal → answer with how it stands.  An outcome that
 * is open is 202, and the job goes on; nothing is ever sent before it is
 * stored.
 *
 *    get_payment ─▶ begin_change ─┬─ created ──▶ journal ─▶ PSP ─▶ journal
 *                                 │                ─▶ get_change ─▶ 201 or 202
 *                                 ├─ replayed ─▶ 201 or 202, as it is stored
 *                                 └─ refused ──▶ a problem
 *
 * A change that the PSP's configuration does not offer is looked up by its key
 * (explain_change) before it is refused: it may have begun under another one.
 */

#include "flow_util.h"
#include "pay_id.h"


/* Retry-After in seconds of a change whose outcome is open. */
#define PENDING_RETRY_S  2


/* The state of the request, in the flow's arena.
 * - request: the body after its checks; its texts point into the body
 * - amount_minor: in the order's currency, minor units
 * - fingerprint: 32 bytes, to tell a repetition from another request
 * - checkout, change: as PostgreSQL last gave them */
typedef struct {
    pay_change_input_t    in;
    pay_change_request_t  request;
    int64_t               amount_minor;          /* 0: all that is left */
    pay_str_t             fingerprint;
    pay_checkout_t        checkout;
    pay_change_t          change;
    pay_send_t            send;
} change_t;

/* A row of the table of refusals: one outcome of begin_change, the problem it
 * becomes, and a sentence for each kind of change.  A NULL sentence leaves the
 * problem with its general text. */
typedef struct {
    pay_outcome_t  outcome;                      /* of begin_change */
    const char    *slug;
    const char    *details[PAY_CHANGE_KINDS];
} refusal_t;


static pay_status_t change_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t find_order(pay_flow_t *flow, change_t *change,
    pay_effect_t *effect);
static pay_status_t change_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static int is_offered(const change_t *change, const pay_psp_conf_t *psp);
static pay_status_t look_up(pay_flow_t *flow, const change_t *change,
    pay_effect_t *effect);
static pay_status_t change_looked_up(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t begin(pay_flow_t *flow, change_t *change,
    pay_effect_t *effect);
static pay_status_t fingerprint(pay_flow_t *flow, change_t *change);
static const char *begin_word(const change_t *change,
    const pay_psp_conf_t *psp);
static pay_status_t change_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t done_outcome(pay_flow_t *flow, change_t *change,
    pay_outcome_t outcome, pay_effect_t *effect);
static pay_status_t done_exceeds(pay_flow_t *flow, change_t *change,
    const pay_change_row_t *row, pay_effect_t *effect);
static pay_status_t send_it(pay_flow_t *flow, change_t *change,
    pay_effect_t *effect);
static pay_status_t change_sent(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t change_read(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t done_change(pay_flow_t *flow, change_t *change,
    int replayed, pay_effect_t *effect);
static pay_status_t decode(pay_flow_t *flow, const pay_change_row_t *row,
    change_t *change);


static const refusal_t  refusals[] = {
    { PAY_OUTCOME_NOT_FOUND, "not-found", { NULL, NULL, NULL } },
    { PAY_OUTCOME_NOT_PAID, "payment-state-conflict",
      { "nothing of the order is authorised", "nothing can be cancelled",
        "nothing of the order is captured" } },
    { PAY_OUTCOME_ALREADY_PAID, "payment-state-conflict",
      { "the order is captured already",
        "the order is paid, or is being captured: refund it",
        "the order is paid" } },
    { PAY_OUTCOME_NOTHING_LEFT, "payment-state-conflict",
      { "nothing is left to be captured",
        "the order has failed, or is being cancelled",
        "nothing is left to be refunded" } },
    { PAY_OUTCOME_HELD, "payment-state-conflict",
      { "the order is on hold: the gateway captures it, or gives the money "
        "back", NULL, NULL } },
    { PAY_OUTCOME_OVERDRAWS, "seller-overdrawn",
      { NULL, NULL, "the seller has less available than the refund takes" } },
    { PAY_OUTCOME_KEY_REUSED, "idempotency-key-reused",
      { NULL, NULL, NULL } }
};


static const pay_flow_type_t  change_type = {
    .name = "change", .start = change_start
};


/* The input is copied; its slices are the request's, which the glue has put
 * into the flow's pool. */
pay_status_t
pay_flow_change(pay_flow_t *flow, const pay_change_input_t *input)
{
    change_t  *change;

    change = pay_calloc(flow->arena, sizeof(change_t));
    if (change == NULL) {
        return PAY_NO_MEMORY;
    }

    change->in = *input;
    pay_flow_begin(flow, &change_type, change);
    flow->merchant_id = input->merchant->id;
    flow->order_id = input->order_id;

    return PAY_OK;
}


/* The body is parsed before PostgreSQL is asked for anything: a malformed
 * request costs no query, and its mistakes are reported all at once. */
static pay_status_t
change_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    change_t     *change = flow->state;
    pay_err_t     err;
    pay_status_t  status;

    (void) input;

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

    return find_order(flow, change, effect);
}


/* The change begins in the cell that has the order. */
static pay_status_t
find_order(pay_flow_t *flow, change_t *change, pay_effect_t *effect)
{
    pay_get_payment_in_t  in = {
        .merchant_id = change->in.merchant->id,
        .payment_order_id = change->in.order_id
    };

    return pay_do_get_payment(flow, effect, &in, change_found);
}


/* Only values that do not change any more refuse a request here, so that it is
 * refused, or goes on, the same way each time.  Anything that moves
 * (how much is left, whether it is paid) is judged by begin_change under the
 * lock of the checkout. */
static pay_status_t
change_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    change_t              *change = flow->state;
    pay_err_t              err;
    pay_status_t           status;
    const pay_psp_conf_t  *psp;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (pay_move_next(flow, input)) {
        return find_order(flow, change, effect);
    }

    if (input->result.outcome != PAY_OUTCOME_FOUND) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, pay_row_checkout(&input->result),
                                &change->checkout));
    pay_flow_note(flow, &change->checkout);
    flow->order_id = change->in.order_id;

    memset(&err, 0, sizeof(err));
    psp = pay_flow_psp(flow, change->checkout.psp);
    status = pay_change_amount(&change->request, change->checkout.currency,
                               &change->amount_minor, &err);

    if (status == PAY_INVALID) {
        return pay_done_refused(flow, effect, &err);
    }

    PAY_TRY(status);
    change->send.psp = psp;

    return is_offered(change, psp) ? begin(flow, change, effect)
                                   : look_up(flow, change, effect);
}


/* Whether a page can be closed or an authorisation be given up matters only
 * while there is one: of an order that has ended PostgreSQL says so. */
static int
is_offered(const change_t *change, const pay_psp_conf_t *psp)
{
    pay_state_t            state;
    const pay_checkout_t  *c = &change->checkout;

    state = pay_checkout_state(c);

    if (change->in.kind == PAY_CHANGE_CANCEL
        && (state == PAY_SUCCESS || state == PAY_FAILED)
        && !pay_checkout_holds(c))
    {
        return 1;
    }

    return pay_change_is_supported(psp, c, change->in.kind);
}


static pay_status_t
look_up(pay_flow_t *flow, const change_t *change, pay_effect_t *effect)
{
    const pay_change_input_t  *from = &change->in;

    pay_explain_change_in_t  in = {
        .merchant_id = from->merchant->id,
        .kind = pay_str_of(pay_change_word(from->kind)),
        .idempotency_key = from->idempotency_key,
        .fingerprint = change->fingerprint
    };

    return pay_do_explain_change(flow, effect, &in, change_looked_up);
}


static pay_status_t
change_looked_up(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    return input->kind != PAY_INPUT_DB_FAILED
           && input->result.outcome == PAY_OUTCOME_UNKNOWN
           ? pay_done_problem(flow, effect, "operation-not-supported",
                              "the PSP of this payment offers no such call")
           : change_begun(flow, input, effect);
}


/* amount_minor NULL means all that is left, which only PostgreSQL knows at the
 * moment of the commit.  The lease keeps the job away while this request works
 * on the change. */
static pay_status_t
begin(pay_flow_t *flow, change_t *change, pay_effect_t *effect)
{
    const pay_change_input_t    *from = &change->in;
    const pay_change_request_t  *request = &change->request;

    pay_begin_change_in_t  in = {
        .merchant_id = from->merchant->id,
        .payment_order_id = from->order_id,
        .kind = pay_str_of(begin_word(change, change->send.psp)),
        .change_id = from->change_id,
        .idempotency_key = from->idempotency_key,
        .fingerprint = change->fingerprint,
        .ttl_s = from->ttl_s,
        .amount_minor = pay_maybe(change->amount_minor > 0,
                                  change->amount_minor),
        .reason = request->reason,
        .metadata = request->metadata,
        .lease_ms = flow->env->lease_ms,
        .request_id = flow->request_id,
        .asked_by = from->asked_by
    };

    if (request->currency != NULL) {
        in.currency = pay_str_of(request->currency->code);
    }

    return pay_do_begin_change(flow, effect, &in, change_begun);
}


/* SHA-256 over order id, NUL, kind, NUL, body: neither of the first two can
 * hold a NUL, so no two requests share a digest by moving the bounds between
 * the parts. */
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


/* If the PSP allows one capture only, the rest is released with it.  SQL gets
 * the rule as part of the kind: final_capture releases the rest, and
 * covered_refund needs a wallet that suffices where the merchant's
 * configuration says so. */
static const char *
begin_word(const change_t *change, const pay_psp_conf_t *psp)
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


/* CREATED alone leads to a call.  REPLAYED never does: the first request, or
 * the job, is at it, and would otherwise have a twin. */
static pay_status_t
change_begun(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    change_t                *change = flow->state;
    const pay_change_row_t  *row = pay_row_change(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    switch (input->result.outcome) {

    case PAY_OUTCOME_CREATED:
        PAY_TRY(decode(flow, row, change));
        return send_it(flow, change, effect);

    case PAY_OUTCOME_REPLAYED:
        PAY_TRY(decode(flow, row, change));
        return done_change(flow, change, 1, effect);

    case PAY_OUTCOME_EXCEEDS:
        return row != NULL ? done_exceeds(flow, change, row, effect) : PAY_BUG;

    case PAY_OUTCOME_IN_PROGRESS:
        return pay_done_in_progress(flow, effect,
                                    change->in.in_progress_status);

    case PAY_OUTCOME_RECOVERING:
        return pay_done_recovering(flow, effect);

    default:
        return done_outcome(flow, change, input->result.outcome, effect);
    }
}


/* PAY_BUG for an outcome without a row: begin_change has learned a word that
 * this file has not. */
static pay_status_t
done_outcome(pay_flow_t *flow, change_t *change, pay_outcome_t outcome,
    pay_effect_t *effect)
{
    unsigned          i;
    const refusal_t  *row;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        row = &refusals[i];

        if (outcome == row->outcome) {
            return pay_done_problem(flow, effect, row->slug,
                                    row->details[change->in.kind]);
        }
    }

    return PAY_BUG;
}


/* A part of an authorisation may be on its way to be captured.  The reply
 * names the amount that would pass, computed from the row of the refusal,
 * since the one read before may be older. */
static pay_status_t
done_exceeds(pay_flow_t *flow, change_t *change, const pay_change_row_t *row,
    pay_effect_t *effect)
{
    int64_t                left;
    pay_str_t              amount, detail;
    pay_reply_t           *reply;
    const pay_order_t     *order;
    const pay_checkout_t  *c = &change->checkout;

    PAY_TRY(pay_checkout_decode(flow->arena, &row->checkout,
                                &change->checkout));

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
    PAY_TRY(pay_done_problem_reply(flow, effect, "amount-exceeds-remaining",
                                   (const char *) detail.data, &reply));

    return pay_dup(flow->arena, PAY_STR("/amount"), &reply->pointer);
}


/* Without a page there is nothing to close yet, and without the payment's id
 * nothing that the PSP would know: the job waits for it.  Answering 202 is
 * right for both: the change is stored and its job keeps trying. */
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


/* The change is read again instead of being concluded from the call: a webhook
 * may have brought the outcome, and the row is what the next GET would show. */
static pay_status_t
change_sent(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    change_t            *change = flow->state;
    pay_get_change_in_t  in = {
        .merchant_id = change->in.merchant->id,
        .payment_order_id = change->in.order_id,
        .change_id = change->change.id
    };

    (void) input;

    return pay_do_get_change(flow, effect, &in, change_read);
}


/* Without a row the storefront gets the certain part: the change is stored, as
 * it was before the call. */
static pay_status_t
change_read(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    change_t  *change = flow->state;

    if (input->result.outcome == PAY_OUTCOME_FOUND) {
        PAY_TRY(decode(flow, pay_row_change(&input->result), change));
    }

    return done_change(flow, change, 0, effect);
}


/* 201 says that the PSP has the change, even if money moves later; 202 says
 * that it may not have it yet.  Metrics count a change once, not its
 * replays. */
static pay_status_t
done_change(pay_flow_t *flow, change_t *change, int replayed,
    pay_effect_t *effect)
{
    int                  pending;
    pay_reply_t         *reply;
    const pay_change_t  *c = &change->change;

    /* a PSP that has taken the payment has given it an id */
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


/* The row carries the checkout, too, since a change moves its sums. */
static pay_status_t
decode(pay_flow_t *flow, const pay_change_row_t *row, change_t *change)
{
    PAY_TRY(pay_change_decode(flow->arena, row, &change->change));

    return pay_checkout_decode(flow->arena, &row->checkout,
                               &change->checkout);
}
