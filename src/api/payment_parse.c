/*
 * The body of POST /v1/payments, from a stranger's bytes to a checked
 * request.  Everything that is not expected is refused, with a pointer to it.
 */

#include "parse.h"
#include "pay_id.h"
#include "pay_payment.h"


#define TEXT_MAX  2048         /* of buyer_info and credit_card_info, each */

typedef struct {
    /* One rule for members that are ids: the pointer of the error, whose
     * second character on is the member's name, and the sentence. */
    const char  *pointer;      /* "/" and the member */
    const char  *complaint;
} name_rule_t;

typedef pay_status_t (*part_pt)(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);


static pay_status_t parse_object(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_checkout_id(pay_arena_t *arena,
    const pay_json_t *body, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_return_url(pay_arena_t *arena,
    const pay_json_t *body, pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_psp(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_replaces(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_method(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_locale(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static int is_tag_byte(unsigned char c);
static pay_status_t parse_name(pay_arena_t *arena, const pay_json_t *body,
    const name_rule_t *rule, pay_str_t *name, pay_err_t *err);
static pay_status_t parse_country(pay_arena_t *arena, const pay_json_t *buyer,
    pay_payment_request_t *request);
static pay_status_t parse_expires(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_capture(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_buyer(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_card(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);
static pay_status_t parse_metadata(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err);


static const char  *const body_members[] = {
    "checkout_id", "buyer_info", "payment_orders", "return_url", "psp",
    "payment_method", "credit_card_info", "expires_in", "metadata", "capture",
    "replaces", "locale", NULL
};

static const name_rule_t  psp_rule = {
    "/psp", "psp must be the name of a PSP"
};

static const name_rule_t  method_rule = {
    "/payment_method",
    "payment_method must be 1 to 64 characters of A-Z a-z 0-9 . _ ~ -"
};

static const name_rule_t  replaces_rule = {
    "/replaces",
    "replaces must be a checkout_id: 1 to 64 characters of A-Z a-z 0-9 . _ ~ -"
};

/* Each judges some members of the body, whatever the others are like. */
static const part_pt  parts[] = {
    parse_checkout_id, parse_return_url, parse_psp, parse_method,
    parse_replaces, parse_locale, parse_expires, parse_capture, parse_buyer,
    parse_card, parse_metadata
};


/* err may be NULL for a caller that only needs the verdict.  The request's
 * texts are copies in the arena; the JSON is gone when this returns. */
pay_status_t
pay_payment_parse(pay_arena_t *arena, pay_str_t body,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_err_t      unused = { .slug = NULL };
    pay_json_t    *json;
    pay_status_t   status;

    memset(request, 0, sizeof(*request));
    err = (err != NULL) ? err : &unused;

    PAY_TRY(pay_parse_body(arena, body, body_members, &request->errors,
                           &json, err));
    status = parse_object(arena, json, request, err);
    pay_json_free(json);

    return status;
}


/* Every part is read, whatever was wrong before, so that a developer sees all
 * errors in one answer.  Orders come last, because they share the checkout's
 * currency. */
static pay_status_t
parse_object(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    size_t         i;
    pay_status_t   status;
    pay_errors_t  *errors = &request->errors;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        status = parts[i](arena, body, request, err);
        PAY_TRY(pay_parse_note(arena, errors, status, err));
    }

    PAY_TRY(pay_parse_orders(arena, body, request, err));

    return pay_errors_verdict(errors, err);
}


/* Required and chosen by the storefront: it is how a storefront finds the
 * checkout again when it has lost our answer. */
static pay_status_t
parse_checkout_id(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(body, "checkout_id");

    if (pay_json_string(value, &text) == PAY_OK && pay_id_is_valid(text)) {
        return pay_dup(arena, text, &request->checkout_id);
    }

    return pay_refuse_at(err, "validation-error",
                         value == NULL ? "checkout_id is missing"
                         : "checkout_id must be 1 to 64 characters of "
                           "A-Z a-z 0-9 . _ ~ -", "/checkout_id");
}


/* Only its type is judged here.  Which hosts are allowed is the merchant's
 * configuration, which the glue knows (pay_return_url_check). */
static pay_status_t
parse_return_url(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(body, "return_url");

    if (pay_json_string(value, &text) == PAY_OK) {
        return pay_dup(arena, text, &request->return_url);
    }

    return pay_refuse_at(err, "validation-error",
                         value == NULL ? "return_url is missing"
                                       : "return_url must be a string",
                         "/return_url");
}


/* Whether a PSP of that name exists for this merchant is the router's to
 * say. */
static pay_status_t
parse_psp(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    return parse_name(arena, body, &psp_rule, &request->psp, err);
}


static pay_status_t
parse_method(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    return parse_name(arena, body, &method_rule, &request->method, err);
}


static pay_status_t
parse_replaces(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    return parse_name(arena, body, &replaces_rule, &request->replaces, err);
}


/* Only its form is judged here: a language that the pages do not have gives way
 * to the browser's. */
static pay_status_t
parse_locale(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    size_t             i;
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(body, "locale");
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) == PAY_OK
        && text.len >= PAY_LOCALE_TAG_MIN && text.len <= PAY_LOCALE_TAG_MAX)
    {
        for (i = 0; i < text.len && is_tag_byte(text.data[i]); i++) {
            /* void */
        }

        if (i == text.len) {
            return pay_dup(arena, text, &request->locale);
        }
    }

    return pay_refuse_at(err, "validation-error",
                         "locale must be a language tag of 2 to 35 characters "
                         "of A-Z a-z 0-9 -, for example pt-BR", "/locale");
}


static int
is_tag_byte(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9') || c == '-';
}


/* Reads a member that may be absent and obeys the rule of ids; *name stays
 * empty then. */
static pay_status_t
parse_name(pay_arena_t *arena, const pay_json_t *body,
    const name_rule_t *rule, pay_str_t *name, pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(body, rule->pointer + 1);
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK || !pay_id_is_valid(text)) {
        return pay_refuse_at(err, "validation-error", rule->complaint,
                             "%s", rule->pointer);
    }

    return pay_dup(arena, text, name);
}


/* Reads the country for routes: a text that is no country counts as unknown. */
static pay_status_t
parse_country(pay_arena_t *arena, const pay_json_t *buyer,
    pay_payment_request_t *request)
{
    pay_str_t  text;

    if (pay_json_string(pay_json_get(buyer, "country"), &text) != PAY_OK
        || text.len != 2 || text.data[0] < 'A' || text.data[0] > 'Z'
        || text.data[1] < 'A' || text.data[1] > 'Z')
    {
        return PAY_OK;
    }

    return pay_dup(arena, text, &request->country);
}


/* In seconds.  has_expires_in tells a request that asks for an hour from one
 * that says nothing, since a PSP may have limits of its own. */
static pay_status_t
parse_expires(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    const pay_json_t  *value;

    (void) arena;

    request->expires_in_s = PAY_EXPIRES_S;

    value = pay_json_get(body, "expires_in");
    if (value == NULL) {
        return PAY_OK;
    }

    request->has_expires_in = 1;

    if (pay_json_integer(value, &request->expires_in_s) != PAY_OK
        || request->expires_in_s < PAY_EXPIRES_MIN_S
        || request->expires_in_s > PAY_EXPIRES_MAX_S)
    {
        return pay_refuse_at(err, "validation-error",
                             "expires_in must be a whole number of seconds "
                             "from 60 to 86400", "/expires_in");
    }

    return PAY_OK;
}


/* Exact words; another type reads as the empty word and is refused like a
 * wrong one. */
static pay_status_t
parse_capture(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value;

    (void) arena;

    value = pay_json_get(body, "capture");
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK) {
        text = PAY_STR("");
    }

    request->manual = pay_str_is(text, "manual");

    return (request->manual || pay_str_is(text, "automatic"))
           ? PAY_OK
           : pay_refuse_at(err, "validation-error",
                           "capture must be automatic or manual", "/capture");
}


/* Required, and kept as the storefront sends it, within TEXT_MAX bytes.
 * Members that nobody reads pass. */
static pay_status_t
parse_buyer(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    const pay_json_t  *value;

    value = pay_json_get(body, "buyer_info");
    if (value == NULL || pay_json_type(value) != PAY_JSON_OBJECT) {
        return pay_refuse_at(err, "validation-error",
                             value == NULL ? "buyer_info is missing"
                                           : "buyer_info must be an object",
                             "/buyer_info");
    }

    PAY_TRY(pay_parse_document(arena, value, "/buyer_info", TEXT_MAX,
                               &request->buyer_info, err));

    PAY_TRY(parse_country(arena, value, request));

    return pay_parse_buyer(arena, value, &request->buyer, &request->errors,
                           err);
}


/* A PSP's token for a stored card, never the card itself:
 * pay_parse_body() has refused those before. */
static pay_status_t
parse_card(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    pay_json_type_t    type;
    const pay_json_t  *value;

    value = pay_json_get(body, "credit_card_info");
    if (value == NULL) {
        return PAY_OK;
    }

    type = pay_json_type(value);

    if (type != PAY_JSON_OBJECT && type != PAY_JSON_STRING) {
        return pay_refuse_at(err, "validation-error",
                             "credit_card_info must be a PSP's token, as a "
                             "string or an object", "/credit_card_info");
    }

    return pay_parse_document(arena, value, "/credit_card_info", TEXT_MAX,
                              &request->card_info, err);
}


static pay_status_t
parse_metadata(pay_arena_t *arena, const pay_json_t *body,
    pay_payment_request_t *request, pay_err_t *err)
{
    return pay_parse_metadata(arena, body, &request->metadata, err);
}
