/*
 * The incoming half that all adapters share: untrusted text to checked words,
 * and how far a call came to an outcome.  No trouble of the network or of a
 * parser ever becomes a failed payment here: only the PSP's own, readable
 * refusal does.
 *
 * From an answer to an outcome:
 *
 *    no byte was sent ─────────────────────────────▶ NOT_SENT
 *    sent, no complete answer; redirect ───────────▶ UNKNOWN
 *    2xx, an object without an error ──────────────▶ the adapter reads it
 *    2xx, anything else ───────────────────────────▶ UNKNOWN
 *    4xx of answer_rules, in the PSP's own words ──▶ REFUSED or NOT_SENT
 *    4xx without them, 5xx, any other status ──────▶ UNKNOWN
 */

#include "psp/psp.h"
#include "pay_pan.h"


#define PAN_MARGIN  128        /* longer than a number with its separators */

/* A row for a status.  `told` demands an error of the PSP's own in the body: a
 * proxy or a filter on the way answers with such a status, too, after the PSP
 * may have acted. */
typedef struct {
    unsigned           status;
    pay_psp_outcome_t  outcome;
    int                told;           /* only in the PSP's own words */
} answer_rule_t;

/* The common members of pay_psp_registered_t and pay_psp_changed_t. */
typedef struct {
    pay_psp_outcome_t  outcome;
    pay_str_t          code;
    int64_t            retry_after_s;
    pay_psp_unread_t   unread;
} answer_t;


static const answer_rule_t *answer_rule(unsigned status);
static pay_status_t answer_judge(pay_arena_t *arena,
    const pay_http_answer_t *answer, unsigned last_good,
    pay_psp_error_pt read, pay_json_t **json, answer_t *judged);
static int answer_is_none(const pay_http_answer_t *answer, answer_t *judged);
static pay_status_t answer_error(pay_arena_t *arena,
    const pay_http_answer_t *answer, const pay_psp_error_t *error,
    answer_t *judged);
static int token_byte(unsigned char c);


/* A status that is not listed may have had an effect: UNKNOWN.  A filter on the
 * way answers 403 to an answer that it does not like, too. */
static const answer_rule_t  answer_rules[] = {
    { 400, PAY_PSP_REFUSED, 1 },
    { 401, PAY_PSP_NOT_SENT, 0 },      /* our key is wrong, not the order */
    { 402, PAY_PSP_REFUSED, 1 },
    { 403, PAY_PSP_NOT_SENT, 1 },
    { 404, PAY_PSP_REFUSED, 1 },
    { 422, PAY_PSP_REFUSED, 1 },
    { 429, PAY_PSP_NOT_SENT, 0 },
    { 0, PAY_PSP_UNKNOWN, 0 }
};


/* The alphabet of ids that may stand in a path, a query and a log without
 * being encoded. */
int
pay_psp_token_is_valid(pay_str_t token)
{
    size_t  i;

    for (i = 0; i < token.len; i++) {
        if (!token_byte(token.data[i])) {
            return 0;
        }
    }

    return token.len > 0 && token.len <= PAY_PSP_TOKEN_MAX;
}


/* A URL outside visible ASCII could break a header, a log line or the page
 * that it is put into. */
int
pay_psp_url_is_plain(pay_str_t url)
{
    size_t  i;

    for (i = 0; i < url.len; i++) {
        if (url.data[i] <= ' ' || url.data[i] > '~') {
            return 0;
        }
    }

    return url.len > 0 && url.len <= PAY_PSP_URL_MAX;
}


/* PSPs put texts into members that should be codes.  A card number in one must
 * reach neither the log nor the database (T13 in docs/security.md), and one
 * that the cut goes through is found by looking PAN_MARGIN bytes further. */
pay_status_t
pay_psp_safe(pay_arena_t *arena, pay_str_t text, pay_str_t *safe)
{
    size_t          i, len;
    unsigned char   c;
    unsigned char  *out;

    /* text that is cut off is not read, except for a number across the cut */
    if (text.len > PAY_PSP_CODE_MAX + PAN_MARGIN) {
        text.len = PAY_PSP_CODE_MAX + PAN_MARGIN;
    }

    if (pay_pan_found(text)) {
        *safe = PAY_STR("redacted");
        return PAY_OK;
    }

    len = (text.len < PAY_PSP_CODE_MAX) ? text.len : PAY_PSP_CODE_MAX;

    out = pay_alloc(arena, len + 1);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < len; i++) {
        c = text.data[i];
        c = (c >= 'A' && c <= 'Z') ? (unsigned char) (c | 0x20) : c;
        out[i] = (token_byte(c) || c == '.') ? c : '_';
    }

    out[len] = '\0';
    *safe = (pay_str_t) { len, out };

    return PAY_OK;
}


/* The limits are those of answers and webhooks; more than they allow is
 * refused before a tree is made. */
pay_status_t
pay_psp_parse(pay_str_t body, pay_json_t **json, pay_err_t *err)
{
    pay_json_t         *root;
    pay_status_t        status;
    pay_json_limits_t   limits;

    limits.max_size = PAY_PSP_BODY_MAX;
    limits.max_depth = PAY_PSP_DEPTH_MAX;
    limits.max_width = PAY_PSP_WIDTH_MAX;
    limits.max_values = PAY_PSP_VALUES_MAX;

    status = pay_json_parse(body, &limits, &root, NULL);
    if (status == PAY_INVALID) {
        return pay_refuse(err, "invalid-json", "not acceptable as JSON");
    }

    if (status != PAY_OK) {
        return status;
    }

    if (pay_json_type(root) != PAY_JSON_OBJECT) {
        pay_json_free(root);
        return pay_refuse(err, "validation-error", "not a JSON object");
    }

    *json = root;

    return PAY_OK;
}


/* The text is copied, since it belongs to `json`. */
pay_status_t
pay_psp_token_get(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *token)
{
    pay_str_t  text;

    PAY_TRY(pay_json_string(pay_json_get(json, member), &text));

    if (!pay_psp_token_is_valid(text)) {
        return PAY_NOT_FOUND;
    }

    return pay_dup(arena, text, token);
}


/* An absent word is the empty one: codes and types are for readers, and none
 * of them is worth refusing an event. */
pay_status_t
pay_psp_word_get(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *word)
{
    pay_str_t  text;

    if (pay_json_string(pay_json_get(json, member), &text) != PAY_OK) {
        *word = PAY_STR("");
        return PAY_OK;
    }

    return pay_psp_safe(arena, text, word);
}


/* 200 and 201 are the only statuses of a registration that has been made; 202
 * or 204 would promise a page that is not there. */
pay_status_t
pay_psp_answer_open(pay_arena_t *arena, const pay_http_answer_t *answer,
    pay_psp_error_pt read, pay_json_t **json, pay_psp_registered_t *result)
{
    answer_t  judged;

    PAY_TRY(answer_judge(arena, answer, 201, read, json, &judged));

    memset(result, 0, sizeof(*result));
    result->outcome = judged.outcome;
    result->code = judged.code;
    result->retry_after_s = judged.retry_after_s;
    result->unread = judged.unread;

    return PAY_OK;
}


/* Some PSPs answer 202 or 204 to a change, so that every 2xx may be read. */
pay_status_t
pay_psp_change_open(pay_arena_t *arena, const pay_http_answer_t *answer,
    pay_psp_error_pt read, pay_json_t **json, pay_psp_changed_t *result)
{
    answer_t  judged;

    PAY_TRY(answer_judge(arena, answer, 299, read, json, &judged));

    memset(result, 0, sizeof(*result));
    result->outcome = judged.outcome;
    result->code = judged.code;
    result->retry_after_s = judged.retry_after_s;
    result->unread = judged.unread;

    return PAY_OK;
}


/* A page is of use only with its token, so both or none are taken over; the
 * outcome stays UNKNOWN with the rule that is broken, and a job asks again. */
pay_status_t
pay_psp_answer_done(pay_arena_t *arena, const pay_json_t *json,
    const char *token, const char *url, pay_psp_registered_t *result)
{
    pay_str_t     id, text, copy;
    pay_status_t  status;

    status = pay_psp_token_get(arena, json, token, &id);
    if (status == PAY_NO_MEMORY || status == PAY_BUG) {
        return status;
    }

    if (status != PAY_OK) {
        pay_psp_unread(&result->unread, token, PAY_PSP_RULE_TOKEN);
        return PAY_OK;
    }

    if (pay_json_string(pay_json_get(json, url), &text) != PAY_OK
        || !pay_psp_url_is_plain(text))
    {
        pay_psp_unread(&result->unread, url, PAY_PSP_RULE_URL);
        return PAY_OK;
    }

    PAY_TRY(pay_dup(arena, text, &copy));

    result->outcome = PAY_PSP_DONE;
    result->token = id;
    result->hosted_url = copy;
    result->code = PAY_STR("");
    pay_psp_unread(&result->unread, NULL, NULL);

    return PAY_OK;
}


/* An error that cannot be understood is unsure: it must never end a payment. */
pay_status_t
pay_psp_error_object(pay_arena_t *arena, const pay_json_t *root,
    const char *reused, pay_psp_error_t *error)
{
    pay_str_t          type;
    const pay_json_t  *object;

    object = pay_json_get(root, "error");
    error->found = object != NULL && pay_json_type(object) != PAY_JSON_NULL;

    PAY_TRY(pay_psp_word_get(arena, object, "type", &type));
    PAY_TRY(pay_psp_word_get(arena, object, "code", &error->code));

    error->unsure = (reused != NULL && (pay_str_is(type, reused)
                                        || pay_str_is(error->code, reused)))
                    || pay_json_type(object) != PAY_JSON_OBJECT;

    if (error->code.len == 0) {
        error->code = type;
    }

    /* an object without a word in it is anybody's */
    error->unsure |= error->code.len == 0;

    return PAY_OK;
}


pay_status_t
pay_psp_error_plain(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    return pay_psp_error_object(arena, root, NULL, error);
}


/* Only 200 with an object says anything; all other answers to a question leave
 * the state as it is known. */
pay_status_t
pay_psp_query_open(const pay_http_answer_t *answer, pay_json_t **json)
{
    pay_status_t  status;

    *json = NULL;

    if (answer->sent != PAY_ANSWERED || answer->status != 200) {
        return PAY_OK;
    }

    status = pay_psp_parse(answer->body, json, NULL);

    return (status == PAY_INVALID) ? PAY_OK : status;
}


/* An answer about another registration is none: a cache on the way or a
 * mistake of the PSP must not move this one. */
pay_status_t
pay_psp_query_done(pay_status_t status, pay_str_t token,
    const pay_psp_event_t *made, pay_psp_event_t *event, int *known)
{
    if (status != PAY_OK && status != PAY_INVALID) {
        return status;
    }

    *known = (status == PAY_OK && made->type.len != 0
              && pay_str_eq(made->token, token));

    if (*known) {
        *event = *made;

    } else if (status == PAY_INVALID) {
        event->unread = made->unread;

        if (made->unread.rule == NULL) {
            pay_psp_unread(&event->unread, NULL, "a member that the answer "
                           "must have is missing or malformed");
        }
    }

    return PAY_OK;
}


const char *
pay_failure_name(pay_failure_t failure)
{
    static const char  *const  names[PAY_FAILURE_COUNT] = {
        [PAY_FAILURE_NONE] = "",
#define NAME(id, word)  [PAY_FAILURE_##id] = (word),
        PAY_FAILURES(NAME)
#undef NAME
    };

    return names[failure];
}


/* The common part of both kinds of answers: how far the call came, and the
 * meaning of its status and its error.  *json is NULL unless the content is
 * good. */
static pay_status_t
answer_judge(pay_arena_t *arena, const pay_http_answer_t *answer,
    unsigned last_good, pay_psp_error_pt read, pay_json_t **json,
    answer_t *judged)
{
    pay_json_t       *root = NULL;
    pay_status_t      status;
    pay_psp_error_t   error;

    *json = NULL;
    judged->outcome = PAY_PSP_UNKNOWN;
    judged->retry_after_s = answer->retry_after_s;
    pay_psp_unread(&judged->unread, NULL, NULL);

    if (answer_is_none(answer, judged)) {
        return PAY_OK;
    }

    status = pay_psp_parse(answer->body, &root, NULL);
    if (status != PAY_OK && status != PAY_INVALID) {
        return status;
    }

    root = (status == PAY_OK) ? root : NULL;
    memset(&error, 0, sizeof(error));
    status = (root == NULL) ? PAY_OK : read(arena, root, &error);

    if (status == PAY_OK && answer->status >= 200
        && answer->status <= last_good)
    {
        judged->code = PAY_STR("answer_invalid");

        if (root != NULL && !error.found) {
            pay_psp_unread(&judged->unread, NULL, "a member that the answer "
                           "must have is missing or malformed");
            *json = root;
            return PAY_OK;
        }

        if (answer->status != 204) {
            pay_psp_unread(&judged->unread, NULL, root == NULL
                           ? "must be a JSON object"
                           : "tells an error under the status of a success");
        }

    } else if (status == PAY_OK) {
        status = answer_error(arena, answer, &error, judged);
    }

    pay_json_free(root);

    return status;
}


/* 1 for a call without an answer, or with a redirect, which is never followed;
 * *judged says so. */
static int
answer_is_none(const pay_http_answer_t *answer, answer_t *judged)
{
    if (answer->sent != PAY_ANSWERED) {
        judged->outcome = (answer->sent == PAY_SENT_NOTHING)
                          ? PAY_PSP_NOT_SENT : PAY_PSP_UNKNOWN;
        judged->code = (answer->failure != PAY_FAILURE_NONE)
                       ? pay_str_of(pay_failure_name(answer->failure))
                       : PAY_STR("no_answer");
        return 1;
    }

    if (answer->status >= 300 && answer->status < 400) {
        judged->code = PAY_STR("redirect");
        return 1;
    }

    return 0;
}


/* A refusal counts only when the PSP itself answers: a bare 404 may come from
 * any proxy on the way.  The PSP's retry advice beats the status
 * (docs/psp/stripe.md#traps): if it forbids a repetition of a call with an
 * unknown outcome, the next attempt waits long. */
static pay_status_t
answer_error(pay_arena_t *arena, const pay_http_answer_t *answer,
    const pay_psp_error_t *error, answer_t *judged)
{
    const answer_rule_t  *rule = answer_rule(answer->status);

    judged->outcome = rule->outcome;
    judged->code = error->code;

    if (judged->code.len == 0) {
        PAY_TRY(pay_format(arena, &judged->code, 16, "http_%u",
                           answer->status));
    }

    if (rule->told && !error->found) {
        judged->outcome = PAY_PSP_UNKNOWN;
        judged->code = PAY_STR("answer_invalid");
        pay_psp_unread(&judged->unread, NULL, "a refusal must have the PSP's "
                       "own error in it");

    } else if (rule->outcome == PAY_PSP_REFUSED
               && (answer->should_retry == 1 || error->unsure))
    {
        judged->outcome = PAY_PSP_UNKNOWN;
    }

    if (judged->outcome == PAY_PSP_UNKNOWN && answer->should_retry == 0
        && judged->retry_after_s < PAY_PSP_LONG_WAIT_S)
    {
        judged->retry_after_s = PAY_PSP_LONG_WAIT_S;
    }

    return PAY_OK;
}


/* The last row, UNKNOWN, when the status is not listed. */
static const answer_rule_t *
answer_rule(unsigned status)
{
    const answer_rule_t  *rule;

    for (rule = answer_rules; rule->status != 0; rule++) {
        if (rule->status == status) {
            break;
        }
    }

    return rule;
}


/* A-Z a-z 0-9 _ - */
static int
token_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
