/*
 * Problem documents (RFC 9457): lookup in the table of types, and the JSON body
 * of an error.  It contains texts of ours, ids, URLs, and names out of the
 * request, which only its sender gets.
 */

#include "pay_json.h"
#include "problem.h"


#define PAY_PROBLEM_URL_MAX  512

/* The one type that is not ours: the rate limit draft registers it with IANA,
 * and clients look for this URI (docs/security.md RL5). */
#define PAY_QUOTA_TYPE                                                        \
    "https://iana.org/assignments/http-problem-types#quota-exceeded"


typedef struct {
    unsigned     status;
    const char  *slug;
} pay_status_slug_t;


static pay_status_t pay_problem_type(pay_arena_t *arena,
    const pay_problem_doc_t *doc, pay_str_t *type);
static pay_status_t pay_problem_build(pay_json_t *json,
    const pay_problem_doc_t *doc, pay_str_t type, pay_str_t instance);
static pay_status_t pay_problem_add_errors(pay_json_t *json,
    const pay_problem_doc_t *doc);
static pay_status_t pay_problem_add_error(pay_json_t *errors,
    const pay_error_t *error);
static pay_status_t pay_problem_add_policy(pay_json_t *json,
    const char *policy);
static int pay_problem_text_is_valid(pay_str_t text);


/* Answers that nginx makes before or instead of the module.  497 is plain
 * HTTP on the TLS port; 495 and 496 are about client certificates. */
static const pay_status_slug_t  pay_status_slugs[] = {
    { 400, "malformed-request" },
    { 401, "unauthenticated" },
    { 403, "forbidden" },
    { 404, "not-found" },
    { 405, "method-not-allowed" },
    { 408, "request-timeout" },
    { 411, "length-required" },
    { 412, "precondition-failed" },
    { 413, "content-too-large" },
    { 414, "uri-too-long" },
    { 415, "unsupported-media-type" },
    { 416, "range-not-satisfiable" },
    { 421, "misdirected-request" },
    { 422, "validation-error" },
    { 429, "quota-exceeded" },
    { 431, "header-fields-too-large" },
    { 494, "header-fields-too-large" },
    { 495, "malformed-request" },
    { 496, "malformed-request" },
    { 497, "malformed-request" },
    { 500, "internal-error" },
    { 501, "not-implemented" },
    { 502, "psp-refused" },
    { 503, "overloaded" },
    { 504, "psp-timeout" },
    { 505, "http-version-not-supported" },
    { 507, "internal-error" },
    { 0, NULL }
};


/* The table is short and an error is rare, so that a linear search is
 * enough. */
const pay_problem_t *
pay_problem_find(pay_str_t slug)
{
    const pay_problem_t  *problem;

    for (problem = pay_problems; problem->slug != NULL; problem++) {
        if (pay_str_is(slug, problem->slug)) {
            return problem;
        }
    }

    return NULL;
}


/* nginx may answer with a status that this table has never seen (another
 * module, a newer version). Such an error still gets a document: whether the
 * client or the gateway is at fault is known from its first digit. */
const pay_problem_t *
pay_problem_of_status(unsigned status)
{
    const char               *slug;
    const pay_status_slug_t  *row;

    slug = status < 500 ? "malformed-request" : "internal-error";

    for (row = pay_status_slugs; row->slug != NULL; row++) {
        if (row->status == status) {
            slug = row->slug;
            break;
        }
    }

    return pay_problem_find(pay_str_of(slug));
}


const pay_problem_t *
pay_problem_table(void)
{
    return pay_problems;
}


/* Copies the texts, because the refusal that was passed is used again for the
 * next member.  Eight errors are enough to mend a request, and a hostile one
 * with thousands must not buy a large answer. */
pay_status_t
pay_errors_add(pay_errors_t *errors, pay_arena_t *arena,
    const pay_err_t *err)
{
    pay_str_t     pointer, detail;
    pay_error_t  *error;

    if (errors->count == PAY_ERRORS_MAX) {
        return PAY_OK;
    }

    PAY_TRY(pay_dup(arena, pay_str_of(err->pointer), &pointer));
    PAY_TRY(pay_dup(arena, pay_str_of(err->detail), &detail));

    error = &errors->list[errors->count];
    error->slug = err->slug;
    error->detail = (const char *) detail.data;
    error->pointer = (const char *) pointer.data;
    errors->count++;

    return PAY_OK;
}


/* The status and the type of the answer are those of the first error; the
 * others stand in errors[] (docs/security.md PD5). */
pay_status_t
pay_errors_verdict(const pay_errors_t *errors, pay_err_t *err)
{
    const pay_error_t  *first = &errors->list[0];

    if (errors->count == 0) {
        return PAY_OK;
    }

    return pay_refuse_at(err, first->slug, first->detail, "%s",
                         first->pointer);
}


/* Refuses ids and URLs that are not printable ASCII instead of escaping them:
 * they are ours, so that anything else in them is a fault to be found, and a
 * client may put them into a log or a header as they are. */
pay_status_t
pay_problem_render(pay_arena_t *arena, const pay_problem_doc_t *doc,
    pay_str_t *json)
{
    pay_str_t      type, instance;
    pay_json_t    *object;
    pay_status_t   status;

    if (!pay_problem_text_is_valid(doc->base_url)
        || !pay_problem_text_is_valid(doc->request_id)
        || !pay_problem_text_is_valid(doc->order_url))
    {
        return PAY_INVALID;
    }

    PAY_TRY(pay_problem_type(arena, doc, &type));
    PAY_TRY(pay_format(arena, &instance, PAY_PROBLEM_URL_MAX, "urn:uuid:%.*s",
                       pay_fmt(doc->request_id)));

    object = pay_json_object_new();

    status = pay_problem_build(object, doc, type, instance);
    if (status == PAY_OK) {
        status = pay_json_write(arena, object, json);
    }

    pay_json_free(object);

    return status;
}


/* Absolute URIs (docs/security.md PD3), made of the gateway's own base_url:
 * each gateway has the pages of its problems itself, under /problems/. */
static pay_status_t
pay_problem_type(pay_arena_t *arena, const pay_problem_doc_t *doc,
    pay_str_t *type)
{
    if (strcmp(doc->problem->slug, "quota-exceeded") == 0) {
        *type = PAY_STR(PAY_QUOTA_TYPE);
        return PAY_OK;
    }

    return pay_format(arena, type, PAY_PROBLEM_URL_MAX, "%.*s/problems/%s",
                      pay_fmt(doc->base_url), doc->problem->slug);
}


/* RFC 9457 section 3.1 names the five standard members; errors, existing and
 * violated-policies are extensions.  The JSON object is the caller's to free,
 * also when a step fails. */
static pay_status_t
pay_problem_build(pay_json_t *json, const pay_problem_doc_t *doc,
    pay_str_t type, pay_str_t instance)
{
    PAY_TRY(pay_json_set_string(json, "type", type));
    PAY_TRY(pay_json_set_string(json, "title",
                                pay_str_of(doc->problem->title)));
    PAY_TRY(pay_json_set_integer(json, "status",
                                 doc->status != 0 ? doc->status
                                                  : doc->problem->status));

    if (doc->detail != NULL) {
        PAY_TRY(pay_json_set_string(json, "detail", pay_str_of(doc->detail)));
    }

    PAY_TRY(pay_json_set_string(json, "instance", instance));

    if ((doc->errors != NULL && doc->errors->count > 0)
        || (doc->pointer != NULL && doc->pointer[0] != '\0'))
    {
        PAY_TRY(pay_problem_add_errors(json, doc));
    }

    if (doc->order_url.len != 0) {
        PAY_TRY(pay_json_set_string(json, "existing", doc->order_url));
    }

    if (doc->policy != NULL) {
        PAY_TRY(pay_problem_add_policy(json, doc->policy));
    }

    return PAY_OK;
}


/* errors[] appears also for a single error with a pointer, so that a client
 * reads one place.  pay_json_set() takes the array over, even when it
 * fails. */
static pay_status_t
pay_problem_add_errors(pay_json_t *json, const pay_problem_doc_t *doc)
{
    unsigned       i;
    pay_error_t    one;
    pay_json_t    *errors = pay_json_array_new();
    pay_status_t   status = PAY_OK;

    one.detail = doc->detail != NULL ? doc->detail : doc->problem->title;
    one.pointer = doc->pointer;

    if (doc->errors == NULL || doc->errors->count == 0) {
        status = pay_problem_add_error(errors, &one);

    } else {
        for (i = 0; i < doc->errors->count && status == PAY_OK; i++) {
            status = pay_problem_add_error(errors, &doc->errors->list[i]);
        }
    }

    if (status != PAY_OK) {
        pay_json_free(errors);
        return status;
    }

    return pay_json_set(json, "errors", errors);
}


/* Frees its object itself until pay_json_append() has taken it over. */
static pay_status_t
pay_problem_add_error(pay_json_t *errors, const pay_error_t *error)
{
    pay_json_t    *json = pay_json_object_new();
    pay_status_t   status;

    status = pay_json_set_string(json, "detail", pay_str_of(error->detail));

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "pointer",
                                     pay_str_of(error->pointer));
    }

    if (status != PAY_OK) {
        pay_json_free(json);
        return status;
    }

    return pay_json_append(errors, json);
}


/* An array, since the draft lets a request violate several policies at once;
 * the gateway names the one that refused. */
static pay_status_t
pay_problem_add_policy(pay_json_t *json, const char *policy)
{
    pay_json_t    *policies = pay_json_array_new();
    pay_status_t   status;

    status = pay_json_append(policies,
                             pay_json_string_new(pay_str_of(policy)));
    if (status != PAY_OK) {
        pay_json_free(policies);
        return status;
    }

    return pay_json_set(json, "violated-policies", policies);
}


/* Ids and URLs of the gateway are printable ASCII, or they did not pass our
 * own checks. */
static int
pay_problem_text_is_valid(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return 0;
        }
    }

    return 1;
}
