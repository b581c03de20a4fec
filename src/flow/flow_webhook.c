/*
 * POST /webhooks/<psp>: verify the raw bytes (with a certificate that is
 * fetched where the scheme has one) → read the events → one commit each,
 * inbox row and transition together → 2xx.  Anything but a commit is
 * answered 5xx, so that the PSP sends it again.  Behind the answer the raw
 * body is kept for operators.
 *
 *    verify ─┬─ needs a certificate ─▶ fetch ─▶ verify
 *            ├─ needs the sender's word ─▶ post back ─▶ verify
 *            ├─ invalid ─▶ 401 ─▶ quarantine_webhook ─▶ end
 *            └─ valid ─▶ the adapter ─┬─ cannot read it ─▶ 422
 *                                     └─ events: a commit each ─┐
 *       200 ─▶ keep_webhook ─▶ end ◀─ all are committed ────────┤
 *       422                        ◀─ SQL has refused one ──────┤
 *       503                        ◀─ a commit has failed ──────┘
 */

#include "flow_util.h"
#include "pay_pan.h"


/* Retry-After in seconds while the PSP's certificate cannot be fetched, or its
 * word. */
#define CERT_RETRY_S  5
#define CONFIRM_MAX   64               /* bytes of that word */


/* The state of one message, in the flow's arena.
 * - next: index of the event after the one that is being committed
 * - digest: SHA-256 of the raw body, which points to sha256
 * - now_s: the wall clock, which the signature's time is compared with
 * - why: literal, the reason of a quarantine */
typedef struct {
    pay_webhook_input_t  in;
    pay_psp_event_t      events[PAY_PSP_EVENTS_MAX];
    unsigned             count;
    unsigned             next;
    pay_str_t            digest;
    pay_str_t            message_id;   /* of its signature; empty: none */
    unsigned char        sha256[PAY_SHA256_SIZE];
    int64_t              now_s;        /* when it came */
    int                  is_new;       /* an event of it was not there yet */
    const char          *why;          /* it is refused */
} webhook_t;


static pay_status_t webhook_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t webhook_certified(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t webhook_confirmed(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t webhook_come_again(pay_flow_t *flow,
    pay_effect_t *effect);
static pay_status_t webhook_judge(pay_flow_t *flow, pay_str_t cert_pem,
    pay_str_t confirmed, pay_effect_t *effect);
static pay_status_t webhook_fetch(pay_flow_t *flow, pay_str_t url,
    pay_effect_t *effect);
static pay_status_t webhook_confirm(pay_flow_t *flow, pay_effect_t *effect);
static void webhook_call(pay_flow_t *flow, pay_effect_t *effect,
    pay_call_t call, pay_flow_step_pt step);
static pay_status_t webhook_read(pay_flow_t *flow, pay_str_t event_id,
    pay_effect_t *effect);
static pay_status_t webhook_applied(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t webhook_next(pay_flow_t *flow, webhook_t *webhook,
    pay_effect_t *effect);
static pay_status_t webhook_announce(pay_flow_t *flow, webhook_t *webhook,
    pay_effect_t *effect);
static pay_status_t webhook_announced(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t webhook_apply(pay_flow_t *flow, webhook_t *webhook,
    pay_effect_t *effect);
static pay_status_t webhook_refuse(pay_flow_t *flow, pay_effect_t *effect,
    const pay_sig_input_t *input, const pay_sig_result_t *result);
static pay_status_t webhook_quarantined(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t webhook_done(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t webhook_keep(pay_flow_t *flow, webhook_t *webhook,
    pay_effect_t *effect);
static pay_status_t webhook_kept(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


static const pay_flow_type_t  webhook_type = {
    .name = "webhook", .start = webhook_start,
    .tally = PAY_TALLY_WEBHOOKS
};


/* Headers and body are copies in the flow's pool: a sender that hangs up must
 * not stop a webhook that is half applied. */
pay_status_t
pay_flow_webhook(pay_flow_t *flow, const pay_webhook_input_t *input)
{
    webhook_t  *webhook;

    webhook = pay_calloc(flow->arena, sizeof(webhook_t));
    if (webhook == NULL) {
        return PAY_NO_MEMORY;
    }

    webhook->in = *input;
    pay_flow_begin(flow, &webhook_type, webhook);
    flow->psp_name = input->psp->name;

    return PAY_OK;
}


/* The time of the first step counts for the signature, even if a certificate
 * has to be fetched before it can be verified. */
static pay_status_t
webhook_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    webhook_t  *webhook = flow->state;

    webhook->now_s = input->now_s;

    return webhook_judge(flow, PAY_STR(""), PAY_STR(""), effect);
}


/* Without the certificate nothing is known about the sender: the PSP, if it
 * was one, sends it again. */
static pay_status_t
webhook_certified(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    const pay_http_answer_t  *answer = input->answer;

    return answer->sent == PAY_ANSWERED && answer->status == 200
           && answer->body.len > 0 && answer->body.len <= PAY_SIG_CERT_MAX
           ? webhook_judge(flow, answer->body, PAY_STR(""), effect)
           : webhook_come_again(flow, effect);
}


/* The sender has said whether the message is its own, or nothing that can be
 * used. */
static pay_status_t
webhook_confirmed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    const pay_http_answer_t  *answer = input->answer;

    return answer->sent == PAY_ANSWERED && answer->status == 200
           && answer->body.len > 0 && answer->body.len <= CONFIRM_MAX
           ? webhook_judge(flow, PAY_STR(""), answer->body, effect)
           : webhook_come_again(flow, effect);
}


static pay_status_t
webhook_come_again(pay_flow_t *flow, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem_reply(flow, effect, "dependency-unavailable",
                                   NULL, &reply));
    reply->retry_after_s = CERT_RETRY_S;

    return PAY_OK;
}


/* Verifies the raw bytes before any of them is parsed. cert_pem is empty in
 * the first round; a scheme that needs a certificate asks for it once.  All
 * keys of the block are tried, so that webhooks verify during a rotation,
 * too. */
static pay_status_t
webhook_judge(pay_flow_t *flow, pay_str_t cert_pem, pay_str_t confirmed,
    pay_effect_t *effect)
{
    webhook_t             *webhook = flow->state;
    const pay_psp_conf_t  *psp = webhook->in.psp;
    unsigned               fits = 0;
    pay_sig_input_t        input;
    pay_sig_result_t       result;

    memset(&input, 0, sizeof(input));
    memset(&result, 0, sizeof(result));

    input.headers = webhook->in.headers;
    input.header_count = webhook->in.header_count;
    input.body = webhook->in.body;
    input.keys = psp->webhook_keys;
    input.key_count = psp->webhook_key_count;
    input.now_s = webhook->now_s;
    input.tolerance_s = psp->webhook_tolerance_s;
    input.settings = &psp->settings;
    input.cert_pem = cert_pem;
    input.confirmed = confirmed;
    input.fits = &fits;

    switch (psp->scheme->verify(flow->arena, &input, &result)) {

    case PAY_SIG_VALID:
        flow->is_proven = 1;
        flow->signed_by = fits;

        if (result.is_test) {
            flow->outcome = "ignored";
            return webhook_done(flow, effect);
        }

        return webhook->in.payout != NULL
               ? pay_payout_told(flow, &webhook->in, result.event_id, effect)
               : webhook_read(flow, result.event_id, effect);

    case PAY_SIG_NEED_CERT:
        return cert_pem.len == 0
               ? webhook_fetch(flow, result.cert_url, effect) : PAY_BUG;

    case PAY_SIG_NEED_CONFIRM:
        return confirmed.len == 0 ? webhook_confirm(flow, effect)
                                  : webhook_come_again(flow, effect);

    default:
        return webhook_refuse(flow, effect, &input, &result);
    }
}


/* Fetches the certificate that the webhook names. The scheme has checked that
 * its URL is below the configured path.  It is kept by URL for later webhooks;
 * the call carries no key of ours, since the address came from a stranger. */
static pay_status_t
webhook_fetch(pay_flow_t *flow, pay_str_t url, pay_effect_t *effect)
{
    webhook_call(flow, effect, PAY_CALL_CERTIFICATE, webhook_certified);
    effect->http.method = PAY_STR("GET");

    return pay_dup(flow->scratch, url, &effect->http.url);
}


/* Posts the body back as it came.  The address is the operator's, and nothing
 * but the sender's own bytes goes there. */
static pay_status_t
webhook_confirm(pay_flow_t *flow, pay_effect_t *effect)
{
    webhook_t           *webhook = flow->state;
    pay_http_request_t  *http = &effect->http;

    webhook_call(flow, effect, PAY_CALL_CONFIRM, webhook_confirmed);
    http->method = PAY_STR("POST");
    http->url = webhook->in.psp->settings.confirm_url;
    http->body = webhook->in.body;
    http->fields[0].name = PAY_STR("Content-Type");
    http->fields[0].value = PAY_STR("application/x-www-form-urlencoded");
    http->field_count = 1;

    return PAY_OK;
}


/* To the PSP, or to the provider of pay-outs, whose message it is. */
static void
webhook_call(pay_flow_t *flow, pay_effect_t *effect, pay_call_t call,
    pay_flow_step_pt step)
{
    webhook_t  *webhook = flow->state;

    pay_do_call(flow, effect,
                webhook->in.payout == NULL ? webhook->in.psp : NULL, call,
                step);
    effect->payout = webhook->in.payout;
}


/* The sender is the PSP: the adapter reads the events of the body, which are
 * applied one by one.  `ignored` stays the outcome of a message without any
 * event that matters, which is answered 200 all the same: otherwise the PSP
 * would send it again and again. */
static pay_status_t
webhook_read(pay_flow_t *flow, pay_str_t event_id, pay_effect_t *effect)
{
    webhook_t             *webhook = flow->state;
    const pay_psp_conf_t  *psp = webhook->in.psp;
    pay_err_t              err;
    pay_status_t           status;

    PAY_TRY(pay_dup(flow->arena, event_id, &webhook->message_id));
    memset(&err, 0, sizeof(err));
    status = psp->adapter->webhook_events(flow->arena, &psp->account,
                                          event_id, webhook->in.body,
                                          webhook->events, &webhook->count,
                                          &err);
    if (status == PAY_INVALID) {
        return pay_webhook_unread(flow, &err,
                                  psp->adapter->traits & PAY_PSP_IS_OURS,
                                  effect);
    }

    PAY_TRY(status);
    PAY_TRY(pay_sha256(webhook->in.body, webhook->sha256));

    webhook->digest.data = webhook->sha256;
    webhook->digest.len = PAY_SHA256_SIZE;
    flow->outcome = "ignored";

    return webhook_next(flow, webhook, effect);
}


/* One event is committed. An event that SQL refuses does not stop the others
 * of the message, but the answer is not 2xx then. */
static pay_status_t
webhook_applied(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    webhook_t                 *webhook = flow->state;
    pay_checkout_t            *checkout;
    const pay_checkout_row_t  *row = pay_row_checkout(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (pay_psp_event_refused(flow, &webhook->events[webhook->next - 1],
                              input))
    {
        return webhook_next(flow, webhook, effect);
    }

    flow->outcome = pay_outcome_word(input->result.outcome);
    webhook->is_new |= input->result.outcome != PAY_OUTCOME_DUPLICATE;

    if (input->result.outcome == PAY_OUTCOME_MISMATCH) {
        /* whatever becomes of the message's other events */
        flow->differs = 1;
        flow->label = "mismatch";
    }

    if (row != NULL) {
        checkout = pay_alloc(flow->arena, sizeof(pay_checkout_t));
        if (checkout == NULL) {
            return PAY_NO_MEMORY;
        }

        PAY_TRY(pay_checkout_decode(flow->arena, row, checkout));
        pay_flow_note(flow, checkout);
    }

    return webhook_next(flow, webhook, effect);
}


/* 2xx follows only after every event of the message was committed. */
static pay_status_t
webhook_next(pay_flow_t *flow, webhook_t *webhook, pay_effect_t *effect)
{
    if (webhook->next == webhook->count && flow->invalid_event.len != 0) {
        flow->label = "payload";
        return pay_done_problem(flow, effect, "webhook-payload-invalid", NULL);
    }

    if (webhook->next == webhook->count) {
        return webhook_done(flow, effect);
    }

    return webhook->events[webhook->next].report.len != 0
           ? webhook_announce(flow, webhook, effect)
           : webhook_apply(flow, webhook, effect);
}


/* The report is kept before its event is: behind a crash between the two the
 * PSP sends the webhook again, and no report is lost. */
static pay_status_t
webhook_announce(pay_flow_t *flow, webhook_t *webhook, pay_effect_t *effect)
{
    const pay_psp_event_t     *event = &webhook->events[webhook->next];
    pay_announce_report_in_t   in = {
        .psp = webhook->in.psp->name,
        .name = event->report,
        .url = event->report_url
    };

    return pay_do_announce_report(flow, effect, &in, webhook_announced);
}


static pay_status_t
webhook_announced(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    return input->kind == PAY_INPUT_DB_FAILED
           ? pay_done_db_failed(flow, input, effect)
           : webhook_apply(flow, flow->state, effect);
}


static pay_status_t
webhook_apply(pay_flow_t *flow, webhook_t *webhook, pay_effect_t *effect)
{
    return pay_do_event(flow, webhook->in.psp, "webhook",
                        &webhook->events[webhook->next++], webhook->digest,
                        effect, webhook_applied);
}


/* The sender is answered at once; the webhook and the reason are kept for
 * operators, unless too many come. */
static pay_status_t
webhook_refuse(pay_flow_t *flow, pay_effect_t *effect,
    const pay_sig_input_t *input, const pay_sig_result_t *result)
{
    const char                  *slug;
    webhook_t                   *webhook = flow->state;
    pay_quarantine_webhook_in_t  in;

    if (result->verdict == PAY_SIG_ERROR) {
        return PAY_NO_MEMORY;
    }

    if (result->verdict == PAY_SIG_TIMESTAMP) {
        slug = "webhook-timestamp-invalid";
        flow->label = "timestamp";

    } else {
        slug = "webhook-signature-invalid";
        flow->label = "signature";
    }

    PAY_TRY(pay_done_problem(flow, effect, slug, NULL));

    if (!webhook->in.may_quarantine) {
        return PAY_OK;
    }

    webhook->why = pay_quarantine_why(flow, webhook->in.psp, input, result);
    PAY_TRY(pay_quarantine_fill(flow, &webhook->in, webhook->why, &in));

    return pay_do_quarantine_webhook(flow, effect, &in, webhook_quarantined);
}


/* The sender was answered already; a sample that could not be stored is
 * lost, and nothing else. */
static pay_status_t
webhook_quarantined(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    webhook_t  *webhook = flow->state;

    if (input->kind == PAY_INPUT_ROW) {
        flow->quarantined = webhook->why;
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}


/* The body is stored behind the answer, and only if one of its events was
 * new. */
static pay_status_t
webhook_done(pay_flow_t *flow, pay_effect_t *effect)
{
    webhook_t    *webhook = flow->state;
    pay_reply_t  *reply;

    PAY_TRY(pay_webhook_ack(flow, webhook->in.psp->scheme, &reply));

    if (webhook->in.keep_days != 0 && webhook->is_new) {
        effect->reply = reply;
        return webhook_keep(flow, webhook, effect);
    }

    pay_do_done(effect, reply);

    return PAY_OK;
}


/* A help for operators, not a path: a body that cannot be stored is lost, and
 * the payment is not.  Card numbers are kept nowhere. */
static pay_status_t
webhook_keep(pay_flow_t *flow, webhook_t *webhook, pay_effect_t *effect)
{
    const char            *left_out;
    pay_str_t              body = webhook->in.body;
    pay_keep_webhook_in_t  in = {
        .psp = webhook->in.psp->name,
        .digest = webhook->digest,
        .size = (int64_t) body.len,
        .days = webhook->in.keep_days,
        .message_id = webhook->message_id
    };

    left_out = body.len > webhook->in.keep_max ? "too_large"
               : pay_pan_found(body) ? "card_number" : NULL;

    in.left_out = pay_str_of(left_out);
    in.body = left_out != NULL ? PAY_STR("") : body;

    return pay_do_keep_webhook(flow, effect, &in, webhook_kept);
}


/* The sender was answered already, so the result does not matter. */
static pay_status_t
webhook_kept(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    (void) flow;
    (void) input;

    pay_do_done(effect, NULL);

    return PAY_OK;
}
