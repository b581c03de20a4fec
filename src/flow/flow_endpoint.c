/*
 * POST of a merchant's request about an endpoint for webhooks: one operation.
 * A secret is made here of random bytes of the caller, sealed before
 * PostgreSQL gets it, and shown in this answer alone.
 *
 * An Idempotency-Key names the endpoint that it makes: its id comes from the
 * key and the merchant.  A repetition finds the endpoint there, and is answered
 * with it, but not with its secret, which nobody can read any more.
 */

#include "flow_util.h"
#include "pay_endpoint_api.h"


#define LOCATION_MAX  4096
#define CONFLICT      "endpoint-state-conflict"

typedef struct {
    pay_endpoint_act_input_t  in;
    pay_endpoint_act_t        act;
    pay_str_t                 endpoint_id;
} endpoint_t;


static pay_status_t endpoint_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t name_endpoint(pay_flow_t *flow, endpoint_t *endpoint);
static pay_status_t begin(pay_flow_t *flow, endpoint_t *endpoint,
    pay_effect_t *effect);
static pay_status_t seal(pay_flow_t *flow, const endpoint_t *endpoint,
    pay_str_t *sealed);
static pay_status_t endpoint_done(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t done_refused(pay_flow_t *flow,
    const endpoint_t *endpoint, pay_effect_t *effect);
static pay_status_t done_unknown(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t done_with(pay_flow_t *flow, const endpoint_t *endpoint,
    int is_replayed, pay_str_t page, pay_effect_t *effect);
static pay_status_t with_secret(pay_flow_t *flow, const endpoint_t *endpoint,
    pay_str_t page, pay_str_t *json);
static int has_secret(pay_endpoint_act_kind_t kind);


static const pay_flow_type_t  endpoint_type = {
    .name = "endpoint_act", .start = endpoint_start
};

static const pay_str_t  key_name = pay_string("payments webhook endpoint 1\n");


pay_status_t
pay_flow_endpoint(pay_flow_t *flow, const pay_endpoint_act_input_t *input)
{
    endpoint_t  *endpoint;

    endpoint = pay_calloc(flow->arena, sizeof(endpoint_t));
    if (endpoint == NULL) {
        return PAY_NO_MEMORY;
    }

    endpoint->in = *input;
    pay_flow_begin(flow, &endpoint_type, endpoint);
    flow->merchant_id = input->merchant_id;

    return PAY_OK;
}


static pay_status_t
endpoint_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_err_t    err;
    endpoint_t  *endpoint = flow->state;

    (void) input;

    if (endpoint->in.kind != PAY_ENDPOINT_MAKE
        && !pay_id_is_valid(endpoint->in.id))
    {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    memset(&err, 0, sizeof(err));

    switch (pay_endpoint_act_parse(flow->arena, endpoint->in.kind,
                                   flow->env->endpoint_hosts,
                                   endpoint->in.body, &endpoint->act, &err))
    {
    case PAY_OK:
        break;

    case PAY_INVALID:
        return pay_done_refused_all(flow, effect, &err,
                                    &endpoint->act.errors);

    default:
        return PAY_NO_MEMORY;
    }

    if (has_secret(endpoint->in.kind) && flow->env->keyring == NULL) {
        return pay_done_problem(flow, effect, CONFLICT,
                                "no_keyring: this gateway keeps no secrets of "
                                "endpoints");
    }

    PAY_TRY(name_endpoint(flow, endpoint));

    return begin(flow, endpoint, effect);
}


static pay_status_t
name_endpoint(pay_flow_t *flow, endpoint_t *endpoint)
{
    const pay_endpoint_act_input_t  *in = &endpoint->in;

    const pay_str_t  parts[] = { key_name, in->merchant_id, PAY_STR("\n"),
                                 in->idempotency_key };

    if (in->kind != PAY_ENDPOINT_MAKE || in->idempotency_key.len == 0) {
        endpoint->endpoint_id = in->kind == PAY_ENDPOINT_MAKE ? in->fresh_id
                                                              : in->id;
        return PAY_OK;
    }

    return pay_endpoint_id(flow->arena, parts, 4, &endpoint->endpoint_id);
}


static pay_status_t
begin(pay_flow_t *flow, endpoint_t *endpoint, pay_effect_t *effect)
{
    pay_str_t                        sealed = PAY_STR(""), kid = PAY_STR("");
    const pay_endpoint_act_t        *act = &endpoint->act;
    const pay_endpoint_act_input_t  *from = &endpoint->in;

    if (has_secret(from->kind)) {
        PAY_TRY(seal(flow, endpoint, &sealed));
        kid = pay_keyring_kid(flow->env->keyring);
    }

    pay_store_endpoint_in_t     make = {
        .merchant_id = from->merchant_id,
        .endpoint_id = endpoint->endpoint_id, .url = act->url,
        .types = act->types,
        .scheme = pay_str_of(pay_endpoint_scheme_name(act->scheme)),
        .is_ordered = act->is_ordered, .sealed = sealed, .key_id = kid,
        .who = from->asked_by
    };
    pay_replay_deliveries_in_t  replay = {
        .merchant_id = from->merchant_id, .endpoint_id = from->id,
        .message_id = act->event, .since_us = act->since_us,
        .until_us = act->until_us, .only_failed = act->only_failed
    };
    pay_change_endpoint_in_t    change = {
        .merchant_id = from->merchant_id, .endpoint_id = from->id,
        .act = pay_str_of(pay_endpoint_act_name(from->kind)),
        .sealed = sealed, .key_id = kid, .overlap_s = act->overlap_s,
        .who = from->asked_by
    };

    return from->kind == PAY_ENDPOINT_MAKE
           ? pay_do_store_endpoint(flow, effect, &make, endpoint_done)
           : from->kind == PAY_ENDPOINT_REPLAY
           ? pay_do_replay_deliveries(flow, effect, &replay, endpoint_done)
           : pay_do_change_endpoint(flow, effect, &change, endpoint_done);
}


static pay_status_t
seal(pay_flow_t *flow, const endpoint_t *endpoint, pay_str_t *sealed)
{
    if (endpoint->in.entropy.len != PAY_ENDPOINT_ENTROPY) {
        return PAY_BUG;
    }

    return pay_endpoint_seal(flow->args, flow->env->keyring,
                             endpoint->in.merchant_id, endpoint->endpoint_id,
                             endpoint->in.entropy.data, sealed);
}


static pay_status_t
endpoint_done(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_outcome_t          outcome = input->result.outcome;
    const endpoint_t      *endpoint = flow->state;
    const pay_page_row_t  *row = pay_row_page(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    switch (outcome) {

    case PAY_OUTCOME_NOT_FOUND:
        return pay_done_problem(flow, effect, "not-found", NULL);

    case PAY_OUTCOME_UNKNOWN:
        return done_unknown(flow, effect);

    case PAY_OUTCOME_KEY_REUSED:
        return pay_done_problem(flow, effect, "idempotency-key-reused", NULL);

    case PAY_OUTCOME_DECLARED:
        return pay_done_problem(flow, effect, CONFLICT,
                                "declared: the endpoint stands in the "
                                "gateway's nginx.conf "
                                "(payments_webhook_endpoint), and is changed "
                                "there");

    case PAY_OUTCOME_REFUSED:
        return done_refused(flow, endpoint, effect);

    default:
        return row == NULL ? PAY_BUG
               : done_with(flow, endpoint, outcome == PAY_OUTCOME_REPLAYED,
                           row->page, effect);
    }
}


static pay_status_t
done_refused(pay_flow_t *flow, const endpoint_t *endpoint,
    pay_effect_t *effect)
{
    return pay_done_problem(flow, effect, CONFLICT,
                            endpoint->in.kind == PAY_ENDPOINT_MAKE
                            ? "full: the merchant has as many endpoints as it "
                              "may have"
                            : "disabled: the endpoint is disabled");
}


/* The endpoint is there, so this is no 404: a member of the body is wrong. */
static pay_status_t
done_unknown(pay_flow_t *flow, pay_effect_t *effect)
{
    pay_err_t  err;

    memset(&err, 0, sizeof(err));
    (void) pay_refuse_at(&err, "validation-error",
                         "the event is unknown, or older than events are kept",
                         "/event");

    return pay_done_refused(flow, effect, &err);
}


static pay_status_t
done_with(pay_flow_t *flow, const endpoint_t *endpoint, int is_replayed,
    pay_str_t page, pay_effect_t *effect)
{
    int           makes = endpoint->in.kind == PAY_ENDPOINT_MAKE;
    pay_reply_t  *reply;

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, makes ? 201 : 200, &reply));

    if (has_secret(endpoint->in.kind) && !is_replayed) {
        PAY_TRY(with_secret(flow, endpoint, page, &reply->body));

    } else {
        PAY_TRY(pay_dup(flow->arena, page, &reply->body));
    }

    if (makes) {
        PAY_TRY(pay_format(flow->arena, &reply->location, LOCATION_MAX,
                           "%.*s/v1/webhook-endpoints/%.*s",
                           pay_fmt(endpoint->in.base_url),
                           pay_fmt(endpoint->endpoint_id)));
    }

    reply->replayed = is_replayed;
    flow->outcome = is_replayed ? "replayed" : "acted";
    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
with_secret(pay_flow_t *flow, const endpoint_t *endpoint, pay_str_t page,
    pay_str_t *json)
{
    pay_str_t     bytes;
    pay_secret_t  secret;
    pay_status_t  status;

    bytes.data = endpoint->in.entropy.data + PAY_KEYRING_NONCE;
    bytes.len = PAY_ENDPOINT_SECRET;
    PAY_TRY(pay_secret_set(&secret, bytes));

    status = pay_endpoint_render(flow->arena, page, &secret, json);
    pay_secret_wipe(&secret);

    return status;
}


static int
has_secret(pay_endpoint_act_kind_t kind)
{
    return kind == PAY_ENDPOINT_MAKE || kind == PAY_ENDPOINT_ROTATE;
}
