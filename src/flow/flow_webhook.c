/*
 * POST /webhooks/<psp>: verify the raw bytes (with a certificate that is
 * fetched where the scheme has one) → read the events → one commit each,
 * inbox row and transition together → 2xx.  Anything but a commit is
 * answered 5xx, so that the PSP sends it again.  Behind the answer the raw
 * body is kept for operators.
 */

#include "flow_util.h"
#include "pay_pan.h"


#define CERT_RETRY_S  5


typedef struct {
    pay_webhook_input_t  in;
    pay_psp_event_t      events[PAY_PSP_EVENTS_MAX];
    unsigned             count;
    unsigned             next;
    pay_str_t            digest;
    unsigned char        sha256[PAY_SHA256_SIZE];
    int64_t              now_s;        /* when it came */
    int                  is_new;       /* an event of it was not there yet */
    const char          *why;          /* it is refused */
} webhook_t;


static pay_status_t webhook_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t webhook_certified(pay_flow_t *flow,
    const pay_event_t *event, pay_effect_t *effect);
static pay_status_t webhook_judge(pay_flow_t *flow, pay_str_t cert_pem,
    pay_effect_t *effect);
static pay_status_t webhook_fetch(pay_flow_t *flow, pay_str_t url,
    pay_effect_t *effect);
static pay_status_t webhook_read(pay_flow_t *flow, pay_str_t event_id,
    pay_effect_t *effect);
static pay_status_t webhook_unread(pay_flow_t *flow, pay_err_t *err,
    pay_effect_t *effect);
static pay_status_t webhook_applied(pay_flow_t *flow,
    const pay_event_t *event, pay_effect_t *effect);
static pay_status_t webhook_next(pay_flow_t *flow, webhook_t *webhook,
    pay_effect_t *effect);
static pay_status_t webhook_refuse(pay_flow_t *flow, pay_effect_t *effect,
    const pay_sig_input_t *input, const pay_sig_result_t *result);
static pay_status_t webhook_quarantined(pay_flow_t *flow,
    const pay_event_t *event, pay_effect_t *effect);
static pay_status_t webhook_done(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t webhook_keep(pay_flow_t *flow, webhook_t *webhook,
    pay_effect_t *effect);
static pay_status_t webhook_kept(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static const char *known_outcome(pay_str_t outcome);


pay_status_t
pay_flow_webhook(pay_flow_t *flow, const pay_webhook_input_t *input)
{
    webhook_t  *webhook;

    webhook = pay_calloc(flow->arena, sizeof(webhook_t));
    if (webhook == NULL) {
        return PAY_NO_MEMORY;
    }

    webhook->in = *input;
    flow->name = "webhook";
    flow->state = webhook;
    flow->step = webhook_start;
    flow->psp_name = input->psp->name;

    return PAY_OK;
}


static pay_status_t
webhook_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    webhook_t  *webhook = flow->state;

    webhook->now_s = event->now_s;

    return webhook_judge(flow, PAY_STR(""), effect);
}


/* Without the certificate nothing is known about the sender: the PSP, if it
 * was one, sends it again. */
static pay_status_t
webhook_certified(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    pay_reply_t  *reply;

    if (event->answer->sent == PAY_ANSWERED && event->answer->status == 200
        && event->answer->body.len > 0
        && event->answer->body.len <= PAY_SIG_CERT_MAX)
    {
        return webhook_judge(flow, event->answer->body, effect);
    }

    PAY_TRY(pay_done_problem(flow, effect, "dependency-unavailable", NULL));
    reply = (pay_reply_t *) effect->reply;
    reply->retry_after_s = CERT_RETRY_S;

    return PAY_OK;
}


static pay_status_t
webhook_judge(pay_flow_t *flow, pay_str_t cert_pem, pay_effect_t *effect)
{
    webhook_t         *webhook = flow->state;
    const pay_psp_t   *psp = webhook->in.psp;
    pay_sig_input_t    input;
    pay_sig_result_t   result;

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

    switch (psp->scheme->verify(flow->arena, &input, &result)) {

    case PAY_SIG_VALID:
        return webhook_read(flow, result.event_id, effect);

    case PAY_SIG_NEED_CERT:
        return cert_pem.len == 0
               ? webhook_fetch(flow, result.cert_url, effect) : PAY_BUG;

    default:
        return webhook_refuse(flow, effect, &input, &result);
    }
}


static pay_status_t
webhook_fetch(pay_flow_t *flow, pay_str_t url, pay_effect_t *effect)
{
    webhook_t  *webhook = flow->state;

    effect->kind = PAY_DO_HTTP;
    effect->psp = webhook->in.psp;
    effect->what = "certificate";
    effect->is_cert = 1;
    effect->http.method = PAY_STR("GET");
    PAY_TRY(pay_dup(flow->scratch, url, &effect->http.url));
    flow->step = webhook_certified;

    return PAY_OK;
}


static pay_status_t
webhook_read(pay_flow_t *flow, pay_str_t event_id, pay_effect_t *effect)
{
    webhook_t        *webhook = flow->state;
    const pay_psp_t  *psp = webhook->in.psp;
    pay_err_t         err;
    pay_status_t      status;

    memset(&err, 0, sizeof(err));
    status = psp->adapter->webhook_events(flow->arena, &psp->account,
                                          event_id, webhook->in.body,
                                          webhook->events, &webhook->count,
                                          &err);
    if (status == PAY_INVALID) {
        return webhook_unread(flow, &err, effect);
    }

    PAY_TRY(status);
    PAY_TRY(pay_sha256(webhook->in.body, webhook->sha256));

    webhook->digest.data = webhook->sha256;
    webhook->digest.len = PAY_SHA256_SIZE;
    flow->outcome = "ignored";

    return webhook_next(flow, webhook, effect);
}


/* Its signature was right: the sender is the PSP.  Of the protocol that is
 * ours the reader is the PSP's developer. */
static pay_status_t
webhook_unread(pay_flow_t *flow, pay_err_t *err, pay_effect_t *effect)
{
    pay_str_t          rule;
    webhook_t         *webhook = flow->state;
    pay_psp_unread_t   unread;

    PAY_TRY(pay_dup(flow->arena, pay_str_of(err->detail), &rule));

    unread.member = NULL;
    unread.rule = rule.len != 0 ? (const char *) rule.data
                                : "it is malformed";

    pay_flow_unread(flow, "webhook", &unread);
    PAY_TRY(pay_dup(flow->arena, pay_str_of(err->pointer),
                    &flow->unread_member));

    err->slug = "webhook-payload-invalid";

    return strcmp(webhook->in.psp->adapter->name, "generic") == 0
           ? pay_done_refused(flow, effect, err)
           : pay_done_problem(flow, effect, err->slug, NULL);
}


static pay_status_t
webhook_applied(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    webhook_t       *webhook = flow->state;
    pay_checkout_t  *checkout;

    if (event->kind == PAY_EVENT_DB_FAILED) {
        return pay_done_db_failed(flow, event, effect);
    }

    if (pay_event_refused(flow, &webhook->events[webhook->next - 1], event)) {
        return webhook_next(flow, webhook, effect);
    }

    flow->outcome = known_outcome(event->row[0].bytes);
    if (flow->outcome == NULL) {
        return PAY_BUG;
    }

    webhook->is_new |= !pay_str_is(event->row[0].bytes, "duplicate");

    if (!event->row[1].is_null) {
        checkout = pay_alloc(flow->arena, sizeof(pay_checkout_t));
        if (checkout == NULL) {
            return PAY_NO_MEMORY;
        }

        PAY_TRY(pay_checkout_decode(flow->arena, event->row + 1, checkout));
        pay_flow_note(flow, checkout);
    }

    return webhook_next(flow, webhook, effect);
}


static pay_status_t
webhook_next(pay_flow_t *flow, webhook_t *webhook, pay_effect_t *effect)
{
    const pay_psp_event_t  *event;

    if (webhook->next == webhook->count && flow->invalid_event.len != 0) {
        return pay_done_problem(flow, effect, "webhook-payload-invalid", NULL);
    }

    if (webhook->next == webhook->count) {
        return webhook_done(flow, effect);
    }

    event = &webhook->events[webhook->next++];

    return pay_do_event(flow, webhook->in.psp, "webhook", event,
                        webhook->digest, effect, webhook_applied);
}


/* The sender hears at once; why, and what he sent, is put aside for people
 * unless too much of it comes. */
static pay_status_t
webhook_refuse(pay_flow_t *flow, pay_effect_t *effect,
    const pay_sig_input_t *input, const pay_sig_result_t *result)
{
    const char         *why;
    webhook_t          *webhook = flow->state;
    const pay_value_t  *args;

    if (result->verdict == PAY_SIG_ERROR) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_done_problem(flow, effect,
                             result->verdict == PAY_SIG_TIMESTAMP
                             ? "webhook-timestamp-invalid"
                             : "webhook-signature-invalid", NULL));

    if (!webhook->in.may_quarantine) {
        return PAY_OK;
    }

    why = pay_quarantine_why(flow, webhook->in.psp, input, result);
    PAY_TRY(pay_quarantine_args(flow, &webhook->in, why, &args));
    webhook->why = why;

    pay_do_db(flow, effect, PAY_OP_QUARANTINE_WEBHOOK, args,
              webhook_quarantined);

    return PAY_OK;
}


static pay_status_t
webhook_quarantined(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    webhook_t  *webhook = flow->state;

    if (event->kind == PAY_EVENT_ROW) {
        flow->quarantined = webhook->why;
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}


static pay_status_t
webhook_done(pay_flow_t *flow, pay_effect_t *effect)
{
    webhook_t    *webhook = flow->state;
    pay_reply_t  *reply;
    const char   *ack = webhook->in.psp->scheme->ack;

    PAY_TRY(pay_reply_new(flow, ack != NULL ? PAY_REPLY_TEXT : PAY_REPLY_JSON,
                          200, &reply));

    if (ack != NULL) {
        reply->body = pay_str_of(ack);

    } else {
        PAY_TRY(pay_format(flow->arena, &reply->body, 64,
                           "{\"outcome\":\"%s\"}", flow->outcome));
    }

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
    const char   *left_out;
    pay_value_t  *v;
    pay_str_t     body = webhook->in.body;

    v = pay_calloc(flow->arena, 6 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    left_out = body.len > webhook->in.keep_max ? "too_large"
               : pay_pan_found(body) ? "card_number" : NULL;

    v[0] = pay_value_text(webhook->in.psp->name);
    v[1] = pay_value_text(webhook->digest);
    v[2] = left_out ? pay_value_null() : pay_value_text(body);
    v[3] = pay_value_int((int64_t) body.len);
    v[4] = left_out ? pay_value_text(pay_str_of(left_out))
                    : pay_value_null();
    v[5] = pay_value_int(webhook->in.keep_days);

    pay_do_db(flow, effect, PAY_OP_KEEP_WEBHOOK, v, webhook_kept);

    return PAY_OK;
}


static pay_status_t
webhook_kept(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    (void) flow;
    (void) event;

    pay_do_done(effect, NULL);

    return PAY_OK;
}


static const char *
known_outcome(pay_str_t outcome)
{
    unsigned                   i;
    static const char  *const  words[] = {
        "applied", "unchanged", "duplicate", "parked", "mismatch", "ignored",
        "asked", "held", "contradiction", "unknown", "not_found"
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (pay_str_is(outcome, words[i])) {
            return words[i];
        }
    }

    return NULL;
}
