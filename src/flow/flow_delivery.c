/*
 * One attempt to deliver a message to an endpoint of a storefront: a row of
 * begin_delivery is signed with the secrets of the endpoint and posted, and
 * its end goes back.  Any 2xx is a delivery, 410 says that there is
 * no such endpoint any more, and all else is a failure: PostgreSQL says when it
 * is tried again.
 *
 *    row ─▶ URL allowed? secrets opened? ─┬─ no ──┐
 *                                         └─ POST ┴─▶ end_delivery ─▶ end
 *
 * The body goes out as it was published.  It is a CloudEvent in JSON; its media
 * type is application/json, which the libraries and frameworks of receivers
 * read without a setting.
 */

#include "flow_util.h"
#include "pay_endpoint.h"
#include "pay_pan.h"
#include "pay_trace.h"


#define RETRY_MAX_S  86400
#define TOOK_MAX_MS  3600000
#define ANSWER_MAX   1024              /* bytes that are kept of an answer */
#define GONE         410
#define SEED_MAX     640               /* bytes: two ids and a number */

typedef struct {
    pay_delivery_row_t  row;           /* copied */
    const char         *why;           /* literal: it cannot be sent */
} delivery_t;

/* How an attempt has ended. */
typedef struct {
    const char  *outcome;              /* literal: delivered, failed, gone */
    const char  *failure;              /* literal, or NULL */
    pay_int_t    status;
    pay_str_t    answer;
    int64_t      took_ms;
    int64_t      retry_s;
} attempt_t;


static pay_status_t copy_row(pay_arena_t *arena, const pay_delivery_row_t *row,
    pay_delivery_row_t *copy);
static pay_status_t delivery_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t build_request(pay_flow_t *flow, delivery_t *delivery,
    int64_t now_s, pay_http_request_t *request);
static pay_status_t sign(pay_flow_t *flow, delivery_t *delivery,
    const pay_endpoint_message_t *message, pay_str_t *timestamp,
    pay_str_t *signature);
static pay_status_t open_secrets(pay_flow_t *flow, delivery_t *delivery,
    pay_secret_t secrets[PAY_ENDPOINT_SECRETS], unsigned *count);
static pay_status_t add_trace(pay_flow_t *flow, const delivery_t *delivery,
    pay_http_request_t *request);
static void add_field(pay_http_request_t *request, pay_str_t name,
    pay_str_t value);
static pay_status_t delivery_answered(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static void judge(const pay_http_answer_t *answer, attempt_t *attempt);
static pay_status_t printable(pay_arena_t *arena, pay_str_t body,
    pay_str_t *text);
static pay_status_t delivery_end(pay_flow_t *flow, const delivery_t *delivery,
    const attempt_t *attempt, pay_effect_t *effect);
static pay_status_t delivery_ended(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static int64_t bounded(int64_t number, int64_t most);


/* The wall clock: receivers compare webhook-timestamp with theirs. */
static const pay_flow_type_t  delivery_type = {
    .name = "delivery", .start = delivery_start, .clock = PAY_CLOCK_WALL,
    .is_patient = 1
};


pay_status_t
pay_flow_delivery(pay_flow_t *flow, const pay_delivery_row_t *row)
{
    delivery_t  *delivery;

    delivery = pay_calloc(flow->arena, sizeof(delivery_t));
    if (delivery == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(copy_row(flow->arena, row, &delivery->row));
    flow->merchant_id = delivery->row.merchant_id;
    flow->trace = delivery->row.trace;
    pay_flow_begin(flow, &delivery_type, delivery);

    return PAY_OK;
}


/* The row ends with its batch. */
static pay_status_t
copy_row(pay_arena_t *arena, const pay_delivery_row_t *row,
    pay_delivery_row_t *copy)
{
    *copy = *row;

    PAY_TRY(pay_dup(arena, row->merchant_id, &copy->merchant_id));
    PAY_TRY(pay_dup(arena, row->endpoint_id, &copy->endpoint_id));
    PAY_TRY(pay_dup(arena, row->url, &copy->url));
    PAY_TRY(pay_dup(arena, row->scheme, &copy->scheme));
    PAY_TRY(pay_dup(arena, row->message_id, &copy->message_id));
    PAY_TRY(pay_dup(arena, row->body, &copy->body));
    PAY_TRY(pay_dup(arena, row->sealed1, &copy->sealed1));
    PAY_TRY(pay_dup(arena, row->key_id1, &copy->key_id1));
    PAY_TRY(pay_dup(arena, row->sealed2, &copy->sealed2));
    PAY_TRY(pay_dup(arena, row->key_id2, &copy->key_id2));
    PAY_TRY(pay_dup(arena, row->sealed3, &copy->sealed3));
    PAY_TRY(pay_dup(arena, row->trace, &copy->trace));

    return pay_dup(arena, row->key_id3, &copy->key_id3);
}


static pay_status_t
delivery_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    attempt_t      attempt = { .outcome = "failed" };
    delivery_t    *delivery = flow->state;
    pay_status_t   status;

    status = build_request(flow, delivery, input->now_s, &effect->http);

    if (status == PAY_INVALID) {
        attempt.failure = delivery->why;
        return delivery_end(flow, delivery, &attempt, effect);
    }

    PAY_TRY(status);

    effect->kind = PAY_DO_HTTP;
    effect->call = PAY_CALL_DELIVERY;
    flow->step = delivery_answered;

    return PAY_OK;
}


/* The URL was judged when the endpoint was made; the directive may be another
 * one by now, and the row was in other hands. */
static pay_status_t
build_request(pay_flow_t *flow, delivery_t *delivery, int64_t now_s,
    pay_http_request_t *request)
{
    pay_str_t                timestamp, signature;
    pay_err_t                err;
    pay_endpoint_message_t   message = {
        .id = delivery->row.message_id, .now_s = now_s,
        .body = delivery->row.body
    };

    if (pay_endpoint_url_check(delivery->row.url, flow->env->endpoint_hosts,
                               &err) != PAY_OK)
    {
        delivery->why = "url";
        return PAY_INVALID;
    }

    PAY_TRY(sign(flow, delivery, &message, &timestamp, &signature));

    memset(request, 0, sizeof(*request));
    request->method = PAY_STR("POST");
    request->url = delivery->row.url;
    request->body = delivery->row.body;
    add_field(request, PAY_STR("Content-Type"), PAY_STR("application/json"));
    add_field(request, PAY_STR("User-Agent"), PAY_STR("ngx_payments"));
    add_field(request, PAY_STR("webhook-id"), message.id);
    add_field(request, PAY_STR("webhook-timestamp"), timestamp);
    add_field(request, PAY_STR("webhook-signature"), signature);

    return add_trace(flow, delivery, request);
}


/* The trace of the storefront's own request, and an attempt is a call of ours
 * in it.  The signature does not cover it. */
static pay_status_t
add_trace(pay_flow_t *flow, const delivery_t *delivery,
    pay_http_request_t *request)
{
    pay_str_t                  seed, text;
    const pay_delivery_row_t  *row = &delivery->row;

    if (row->trace.len == 0) {
        return PAY_OK;
    }

    PAY_TRY(pay_format(flow->scratch, &seed, SEED_MAX, "%.*s %.*s %lld",
                       pay_fmt(row->endpoint_id), pay_fmt(row->message_id),
                       (long long) row->number));
    PAY_TRY(pay_trace_child(flow->scratch, row->trace, seed, &text));
    add_field(request, PAY_STR("traceparent"), text);

    return PAY_OK;
}


static pay_status_t
sign(pay_flow_t *flow, delivery_t *delivery,
    const pay_endpoint_message_t *message, pay_str_t *timestamp,
    pay_str_t *signature)
{
    unsigned               i, count = 0;
    pay_secret_t           secrets[PAY_ENDPOINT_SECRETS];
    pay_status_t           status;
    pay_endpoint_scheme_t  scheme;

    if (pay_endpoint_scheme_find(delivery->row.scheme, &scheme) != PAY_OK) {
        return PAY_BUG;
    }

    status = open_secrets(flow, delivery, secrets, &count);
    if (status == PAY_OK) {
        status = pay_endpoint_sign(flow->scratch, scheme, secrets, count,
                                   message, timestamp, signature);
    }

    for (i = 0; i < count; i++) {
        pay_secret_wipe(&secrets[i]);
    }

    return status;
}


/* One that cannot be opened fails the attempt: a receiver that knows this one
 * alone would refuse the message. */
static pay_status_t
open_secrets(pay_flow_t *flow, delivery_t *delivery,
    pay_secret_t secrets[PAY_ENDPOINT_SECRETS], unsigned *count)
{
    unsigned                   i;
    const pay_delivery_row_t  *row = &delivery->row;

    const pay_str_t  sealed[] = { row->sealed1, row->sealed2, row->sealed3 };
    const pay_str_t  kids[] = { row->key_id1, row->key_id2, row->key_id3 };

    for (i = 0; i < PAY_ENDPOINT_SECRETS && sealed[i].len != 0; i++) {
        PAY_TRY(pay_endpoint_open(flow->scratch, flow->env->keyring,
                                  row->merchant_id, row->endpoint_id, kids[i],
                                  sealed[i], &secrets[i], &delivery->why));
        *count = i + 1;
    }

    return PAY_OK;
}


static void
add_field(pay_http_request_t *request, pay_str_t name, pay_str_t value)
{
    request->fields[request->field_count++] =
        (pay_http_field_t) { name, value };
}


static pay_status_t
delivery_answered(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    attempt_t                 attempt;
    delivery_t               *delivery = flow->state;
    const pay_http_answer_t  *answer = input->answer;

    memset(&attempt, 0, sizeof(attempt));
    judge(answer, &attempt);
    attempt.took_ms = bounded(answer->took_ms, TOOK_MAX_MS);
    attempt.retry_s = bounded(answer->retry_after_s, RETRY_MAX_S);

    if (answer->sent == PAY_ANSWERED && attempt.failure != NULL) {
        PAY_TRY(printable(flow->args, answer->body, &attempt.answer));
    }

    return delivery_end(flow, delivery, &attempt, effect);
}


/* An answer that does not come to its end in time is none, whatever its status
 * line says. */
static void
judge(const pay_http_answer_t *answer, attempt_t *attempt)
{
    attempt->outcome = "failed";

    if (answer->reach >= PAY_REACH_STATUS) {
        attempt->status = pay_some(answer->status);
    }

    if (answer->sent != PAY_ANSWERED) {
        attempt->failure = answer->failure == PAY_FAILURE_NONE
                           ? "broken" : pay_failure_name(answer->failure);
        return;
    }

    if (answer->status / 100 == 2) {
        attempt->outcome = "delivered";
        return;
    }

    attempt->failure = "status";

    if (answer->status == GONE) {
        attempt->outcome = "gone";
    }
}


/* The first bytes, for the owner of the endpoint: visible ASCII and blanks,
 * each other byte a dot, and nothing of a text that looks like a card
 * number. */
static pay_status_t
printable(pay_arena_t *arena, pay_str_t body, pay_str_t *text)
{
    size_t          i, len;
    unsigned char  *p;

    len = body.len < ANSWER_MAX ? body.len : ANSWER_MAX;

    p = pay_alloc(arena, len + 1);
    if (p == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < len; i++) {
        p[i] = body.data[i] >= ' ' && body.data[i] <= '~' ? body.data[i] : '.';
    }

    *text = (pay_str_t) { len, p };

    if (pay_pan_found(*text)) {
        text->len = 0;
    }

    return PAY_OK;
}


static pay_status_t
delivery_end(pay_flow_t *flow, const delivery_t *delivery,
    const attempt_t *attempt, pay_effect_t *effect)
{
    pay_end_delivery_in_t  in = {
        .merchant_id = delivery->row.merchant_id,
        .endpoint_id = delivery->row.endpoint_id,
        .position = delivery->row.position, .number = delivery->row.number,
        .outcome = pay_str_of(attempt->outcome), .status = attempt->status,
        .failure = pay_str_of(attempt->failure), .answer = attempt->answer,
        .took_ms = attempt->took_ms, .retry_s = attempt->retry_s
    };

    flow->outcome = delivery->why != NULL ? delivery->why : attempt->outcome;

    return pay_do_end_delivery(flow, effect, &in, delivery_ended);
}


/* Unheard, the message goes out again when the lease is over. */
static pay_status_t
delivery_ended(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    if (input->kind != PAY_INPUT_ROW) {
        flow->outcome = "not-stored";

    } else if (input->result.outcome == PAY_OUTCOME_GONE) {
        flow->outcome = "too-late";

    } else if (input->result.outcome != PAY_OUTCOME_STORED) {
        flow->outcome = "not-taken";
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}


static int64_t
bounded(int64_t number, int64_t most)
{
    return number < 0 ? 0 : number < most ? number : most;
}
