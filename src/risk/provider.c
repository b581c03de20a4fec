/*
 * An external provider of risk: who is asked, the question, and the answer.
 * No trouble of the network and no answer of a strange form becomes a word of
 * the provider's: the configuration says which word counts then.
 */

#include "risk.h"
#include "pay_endpoint.h"
#include "pay_json.h"
#include "pay_risk_provider.h"


#define PATH        "/v1/decisions"
#define URL_MAX     2048
#define KIND_MAX    96
#define ID_LABEL    "payments risk question 1\n"


static pay_status_t question_id(pay_arena_t *arena,
    const pay_risk_facts_t *facts, pay_str_t *id);
static pay_status_t write_body(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_provider_t *provider, const pay_risk_facts_t *facts,
    pay_str_t id, pay_str_t *body);
static pay_status_t add_members(pay_arena_t *arena,
    const pay_risk_facts_t *facts, pay_str_t id, pay_json_t *root);
static pay_status_t add_attributes(pay_arena_t *arena,
    const pay_risk_t *risk, const pay_risk_provider_t *provider,
    const pay_risk_facts_t *facts, pay_json_t *root);
static pay_status_t add_attribute(pay_json_t *object,
    pay_risk_attribute_t attribute, const pay_risk_value_t *value);
static pay_status_t add_hash(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_provider_t *provider, pay_risk_attribute_t attribute,
    pay_str_t text, pay_json_t *object);
static int is_hashed(pay_risk_attribute_t attribute);
static pay_status_t add_fields(pay_arena_t *arena,
    const pay_risk_provider_t *provider, pay_str_t id, int64_t now_s,
    pay_http_request_t *request);
static void add_field(pay_http_request_t *request, const char *name,
    pay_str_t value);
static pay_status_t read_answer(pay_arena_t *arena, pay_str_t id,
    const pay_http_answer_t *answer, pay_risk_word_t *word);
static pay_status_t read_word(pay_arena_t *arena, pay_str_t id,
    const pay_json_t *json, pay_risk_word_t *word);
static int is_reference(pay_str_t text);


int
pay_risk_is_private(pay_risk_attribute_t attribute)
{
    switch (attribute) {

    case PAY_RISK_ip:
    case PAY_RISK_email:
    case PAY_RISK_email_domain:
    case PAY_RISK_phone:
    case PAY_RISK_buyer:
    case PAY_RISK_device:
    case PAY_RISK_user_agent:
        return 1;

    default:
        return 0;
    }
}


pay_status_t
pay_risk_private_find(pay_str_t name, pay_risk_attribute_t *attribute)
{
    unsigned  i;

    for (i = 0; i < PAY_RISK_ATTRIBUTES; i++) {
        if (pay_risk_is_private((pay_risk_attribute_t) i)
            && pay_str_is(name, pay_risk_attributes[i].name))
        {
            *attribute = (pay_risk_attribute_t) i;
            return PAY_OK;
        }
    }

    return PAY_NOT_FOUND;
}


/* An amount of another currency than that of `above` is not compared: the
 * provider is asked. */
const pay_risk_provider_t *
pay_risk_provider_of(const pay_risk_t *risk, const pay_risk_facts_t *facts)
{
    unsigned                    i;
    const pay_risk_provider_t  *provider;

    for (i = 0; i < risk->provider_count; i++) {
        provider = risk->providers[i];

        if (pay_risk_is_of(provider->merchant_id, facts)
            && (provider->above != facts->request->currency
                || facts->request->total_minor > provider->above_minor))
        {
            return provider;
        }
    }

    return NULL;
}


pay_status_t
pay_risk_provider_request(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_provider_t *provider, const pay_risk_facts_t *facts,
    pay_http_request_t *request)
{
    pay_str_t           id;
    pay_http_request_t  made;

    memset(&made, 0, sizeof(made));
    made.method = PAY_STR("POST");
    PAY_TRY(pay_format(arena, &made.url, URL_MAX, "%.*s" PATH,
                       pay_fmt(provider->base_url)));
    PAY_TRY(question_id(arena, facts, &id));
    PAY_TRY(write_body(arena, risk, provider, facts, id, &made.body));
    PAY_TRY(add_fields(arena, provider, id, facts->now_s, &made));

    *request = made;

    return PAY_OK;
}


/* No merchant has a line feed in its id, so that no two checkouts have one
 * id. */
static pay_status_t
question_id(pay_arena_t *arena, const pay_risk_facts_t *facts, pay_str_t *id)
{
    const pay_str_t  parts[] = {
        PAY_STR(ID_LABEL), facts->merchant_id, PAY_STR("\n"),
        facts->request->checkout_id
    };

    return pay_endpoint_id(arena, parts, 4, id);
}


static pay_status_t
write_body(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_provider_t *provider, const pay_risk_facts_t *facts,
    pay_str_t id, pay_str_t *body)
{
    pay_json_t    *root;
    pay_status_t   status;

    root = pay_json_object_new();
    if (root == NULL) {
        return PAY_NO_MEMORY;
    }

    status = add_members(arena, facts, id, root);

    if (status == PAY_OK) {
        status = add_attributes(arena, risk, provider, facts, root);
    }

    if (status == PAY_OK) {
        status = pay_json_write(arena, root, body);
    }

    pay_json_free(root);

    return status;
}


static pay_status_t
add_members(pay_arena_t *arena, const pay_risk_facts_t *facts, pay_str_t id,
    pay_json_t *root)
{
    pay_str_t                     amount;
    const pay_payment_request_t  *request = facts->request;

    PAY_TRY(pay_amount_format(arena, request->total_minor, request->currency,
                              &amount));
    PAY_TRY(pay_json_set_string(root, "id", id));
    PAY_TRY(pay_json_set_string(root, "merchant", facts->merchant_id));
    PAY_TRY(pay_json_set_string(root, "checkout", request->checkout_id));
    PAY_TRY(pay_json_set_string(root, "amount", amount));

    return pay_json_set_string(root, "currency",
                               pay_str_of(request->currency->code));
}


/* Three objects: of facts, of hashes, and of personal facts that the
 * configuration names.  Amount and currency stand above. */
static pay_status_t
add_attributes(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_provider_t *provider, const pay_risk_facts_t *facts,
    pay_json_t *root)
{
    unsigned                 i;
    pay_json_t              *open, *hashes, *personal;
    const pay_risk_value_t  *value;

    open = pay_json_object_new();
    PAY_TRY(pay_json_set(root, "facts", open));
    hashes = pay_json_object_new();
    PAY_TRY(pay_json_set(root, "hashes", hashes));
    personal = pay_json_object_new();
    PAY_TRY(pay_json_set(root, "personal", personal));

    for (i = 0; i < PAY_RISK_ATTRIBUTES; i++) {
        value = &facts->values[i];

        if (!value->is_known || i == PAY_RISK_amount
            || i == PAY_RISK_currency)
        {
            continue;
        }

        if (!pay_risk_is_private((pay_risk_attribute_t) i)) {
            PAY_TRY(add_attribute(open, (pay_risk_attribute_t) i, value));

        } else if (provider->sends & 1u << i) {
            PAY_TRY(add_attribute(personal, (pay_risk_attribute_t) i, value));

        } else if (is_hashed((pay_risk_attribute_t) i)) {
            PAY_TRY(add_hash(arena, risk, provider, (pay_risk_attribute_t) i,
                             value->text, hashes));
        }
    }

    return PAY_OK;
}


static pay_status_t
add_attribute(pay_json_t *object, pay_risk_attribute_t attribute,
    const pay_risk_value_t *value)
{
    const pay_risk_attribute_row_t  *row = &pay_risk_attributes[attribute];

    return row->type == PAY_RISK_TEXT
           ? pay_json_set_string(object, row->name, value->text)
           : pay_json_set_integer(object, row->name, value->number);
}


/* The provider's name is hashed, too: nobody can compare the hashes of two
 * providers, or a provider's with those in the database. */
static pay_status_t
add_hash(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_provider_t *provider, pay_risk_attribute_t attribute,
    pay_str_t text, pay_json_t *object)
{
    pay_str_t           kind, hash;
    const char         *name = pay_risk_attributes[attribute].name;
    pay_risk_address_t  address;

    if (attribute == PAY_RISK_ip) {
        PAY_TRY(pay_risk_address(text, &address));
        PAY_TRY(pay_risk_prefix(arena, &address, address.is_v6 ? 128 : 32,
                                &text));
    }

    PAY_TRY(pay_format(arena, &kind, KIND_MAX, "provider/%.*s/%s",
                       pay_fmt(provider->name), name));
    PAY_TRY(pay_risk_hash(arena, risk, 0, kind, text, &hash));

    return pay_json_set_string(object, name, hash);
}


/* The domain goes with its address, and a browser's name changes with each
 * version: a hash of either serves nobody. */
static int
is_hashed(pay_risk_attribute_t attribute)
{
    return attribute != PAY_RISK_email_domain
           && attribute != PAY_RISK_user_agent;
}


/* Standard Webhooks 1.0, the symmetric scheme. */
static pay_status_t
add_fields(pay_arena_t *arena, const pay_risk_provider_t *provider,
    pay_str_t id, int64_t now_s, pay_http_request_t *request)
{
    pay_str_t               timestamp, signature;
    pay_endpoint_message_t  message = {
        .id = id, .now_s = now_s, .body = request->body
    };

    PAY_TRY(pay_endpoint_sign(arena, PAY_ENDPOINT_V1, provider->keys,
                              provider->key_count, &message, &timestamp,
                              &signature));
    add_field(request, "Content-Type", PAY_STR("application/json"));
    add_field(request, "Accept", PAY_STR("application/json"));
    add_field(request, "Idempotency-Key", id);
    add_field(request, "webhook-id", id);
    add_field(request, "webhook-timestamp", timestamp);
    add_field(request, "webhook-signature", signature);

    return PAY_OK;
}


static void
add_field(pay_http_request_t *request, const char *name, pay_str_t value)
{
    request->fields[request->field_count++] =
        (pay_http_field_t) { pay_str_of(name), value };
}


pay_status_t
pay_risk_provider_answer(pay_arena_t *arena,
    const pay_risk_provider_t *provider, const pay_risk_facts_t *facts,
    const pay_http_answer_t *answer, pay_risk_word_t *word)
{
    pay_str_t        id;
    pay_risk_word_t  made = {
        .provider = provider, .then = provider->fail,
        .failed = PAY_RISK_ANSWER
    };

    if (answer->sent != PAY_ANSWERED) {
        made.failed = pay_failure_name(answer->failure != PAY_FAILURE_NONE
                                       ? answer->failure
                                       : PAY_FAILURE_BROKEN);

    } else if (answer->status != 200) {
        made.failed = PAY_RISK_STATUS;

    } else {
        PAY_TRY(question_id(arena, facts, &id));
        PAY_TRY(read_answer(arena, id, answer, &made));
    }

    *word = made;

    return PAY_OK;
}


static pay_status_t
read_answer(pay_arena_t *arena, pay_str_t id, const pay_http_answer_t *answer,
    pay_risk_word_t *word)
{
    pay_err_t          unused;
    pay_json_t        *json;
    pay_status_t       status;
    pay_json_limits_t  limits = { .max_size = PAY_RISK_PROVIDER_BODY_MAX };

    status = pay_json_parse(answer->body, &limits, &json, &unused);

    if (status == PAY_OK) {
        status = read_word(arena, id, json, word);
        pay_json_free(json);
    }

    return status == PAY_INVALID ? PAY_OK : status;
}


/* PAY_INVALID: there is no word in it, and *word stays as it is.  A reference
 * of a strange form is left out: it must not make a decision void. */
static pay_status_t
read_word(pay_arena_t *arena, pay_str_t id, const pay_json_t *json,
    pay_risk_word_t *word)
{
    pay_str_t          text;
    pay_risk_action_t  then;

    if (pay_json_string(pay_json_get(json, "id"), &text) != PAY_OK
        || !pay_str_eq(text, id)
        || pay_json_string(pay_json_get(json, "decision"), &text) != PAY_OK
        || pay_risk_action_find(text, &then) != PAY_OK)
    {
        return PAY_INVALID;
    }

    if (pay_json_string(pay_json_get(json, "reference"), &text) == PAY_OK
        && is_reference(text))
    {
        PAY_TRY(pay_dup(arena, text, &word->reference));
    }

    word->then = then;
    word->failed = NULL;

    return PAY_OK;
}


/* Visible ASCII characters, of which none needs an escape. */
static int
is_reference(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '"'
            || text.data[i] == '\\')
        {
            return 0;
        }
    }

    return text.len > 0 && text.len <= PAY_RISK_REFERENCE_MAX;
}
