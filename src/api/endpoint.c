/*
 * The body of a merchant's request about an endpoint, from a stranger's bytes
 * to checked values, and the answer that shows its key.
 */

#include "parse.h"
#include "pay_endpoint_api.h"


typedef struct {
    pay_arena_t         *arena;
    const pay_json_t    *body;
    pay_hosts_t          hosts;
    pay_endpoint_act_t  *act;
    pay_err_t           *err;
} reader_t;

typedef pay_status_t (*take_pt)(const reader_t *in);

#define TAKES_MAX    4
#define ANSWER_MAX   16384
#define TYPES_SIZE   (PAY_ENDPOINT_TYPES * (PAY_EVENT_TYPE_MAX + 3) + 2)
#define OVERLAP_MAX  2592000           /* s: 30 days */

/* A kind of request: its members, and their readers. */
typedef struct {
    const char         *act;
    int                 may_be_empty;  /* a request without a body */
    const char *const  *members;
    take_pt             takes[TAKES_MAX];
} kind_t;


static pay_status_t take_url(const reader_t *in);
static pay_status_t take_types(const reader_t *in);
static int type_is_valid(pay_str_t type);
static int is_word(pay_str_t text);
static pay_status_t take_scheme(const reader_t *in);
static pay_status_t take_ordered(const reader_t *in);
static pay_status_t take_overlap(const reader_t *in);
static pay_status_t take_event(const reader_t *in);
static pay_status_t take_times(const reader_t *in);
static pay_status_t take_time(const reader_t *in, const char *member,
    pay_int_t *us);
static pay_status_t take_failed(const reader_t *in);
static pay_status_t take_flag(const reader_t *in, const char *member,
    const char *rule, int *flag);


static const char *const  no_members[] = { NULL };
static const char *const  make_members[] = {
    "url", "types", "scheme", "ordered", NULL
};
static const char *const  rotate_members[] = { "overlap_seconds", NULL };
static const char *const  replay_members[] = {
    "event", "since", "until", "failed_only", NULL
};

static const kind_t  kinds[] = {
    [PAY_ENDPOINT_MAKE] = { "", 0, make_members,
                            { take_url, take_types, take_scheme,
                              take_ordered } },
    [PAY_ENDPOINT_ENABLE] = { "enable", 1, no_members, { NULL } },
    [PAY_ENDPOINT_DISABLE] = { "disable", 1, no_members, { NULL } },
    [PAY_ENDPOINT_TEST] = { "test", 1, no_members, { NULL } },
    [PAY_ENDPOINT_ROTATE] = { "rotate", 1, rotate_members, { take_overlap } },
    [PAY_ENDPOINT_REPLAY] = { "", 0, replay_members,
                              { take_event, take_times, take_failed } }
};
PAY_ROWS(kinds, PAY_ENDPOINT_ACTS);


const char *
pay_endpoint_act_name(pay_endpoint_act_kind_t kind)
{
    return kinds[kind].act;
}


pay_status_t
pay_endpoint_act_parse(pay_arena_t *arena, pay_endpoint_act_kind_t kind,
    pay_hosts_t hosts, pay_str_t body, pay_endpoint_act_t *act,
    pay_err_t *err)
{
    size_t          i;
    reader_t        in = { arena, NULL, hosts, act, err };
    pay_json_t     *json;
    pay_status_t    status = PAY_OK;
    const take_pt  *takes = kinds[kind].takes;

    memset(act, 0, sizeof(*act));
    act->types = PAY_STR("[]");
    act->overlap_s = PAY_ENDPOINT_OVERLAP;

    if (body.len == 0 && kinds[kind].may_be_empty) {
        return PAY_OK;
    }

    PAY_TRY(pay_parse_body(arena, body, kinds[kind].members, &act->errors,
                           &json, err));
    in.body = json;

    for (i = 0; status == PAY_OK && i < TAKES_MAX && takes[i] != NULL; i++) {
        status = pay_parse_note(arena, &act->errors, takes[i](&in), err);
    }

    pay_json_free(json);
    PAY_TRY(status);

    return pay_errors_verdict(&act->errors, err);
}


static pay_status_t
take_url(const reader_t *in)
{
    pay_str_t  text;

    if (pay_json_string(pay_json_get(in->body, "url"), &text) != PAY_OK) {
        return pay_refuse_at(in->err, "validation-error",
                             "url must be the address of the endpoint",
                             "/url");
    }

    if (pay_endpoint_url_check(text, in->hosts, in->err) != PAY_OK) {
        return pay_refuse_at(in->err, "validation-error", in->err->detail,
                             "/url");
    }

    return pay_dup(in->arena, text, &in->act->url);
}


static pay_status_t
take_types(const reader_t *in)
{
    size_t             i, size;
    pay_buf_t          buf;
    pay_str_t          text;
    const pay_json_t  *value = pay_json_get(in->body, "types");

    if (value == NULL) {
        return PAY_OK;
    }

    size = pay_json_size(value);
    pay_buf_init(&buf, in->arena, TYPES_SIZE);
    pay_buf_text(&buf, "[");

    for (i = 0; i < size && i < PAY_ENDPOINT_TYPES; i++) {
        if (pay_json_string(pay_json_at(value, i), &text) != PAY_OK
            || !type_is_valid(text))
        {
            break;
        }

        pay_buf_text(&buf, i == 0 ? "\"" : ",\"");
        pay_buf_add(&buf, text);
        pay_buf_text(&buf, "\"");
    }

    pay_buf_text(&buf, "]");

    return pay_json_type(value) == PAY_JSON_ARRAY && i == size
           ? pay_buf_done(&buf, &in->act->types)
           : pay_refuse_at(in->err, "validation-error",
                           "types must be a list of at most 50 types of "
                           "events, for example [\"payment.succeeded\", "
                           "\"refund.*\"]", "/types");
}


/* payment.succeeded, or payment.* for all that begin so */
static int
type_is_valid(pay_str_t type)
{
    pay_str_t             first, last;
    const unsigned char  *dot;

    dot = type.len == 0 || type.len > PAY_EVENT_TYPE_MAX
          ? NULL : memchr(type.data, '.', type.len);

    if (dot == NULL) {
        return 0;
    }

    first = (pay_str_t) { (size_t) (dot - type.data), type.data };
    last = (pay_str_t) { type.len - first.len - 1, dot + 1 };

    return is_word(first) && (is_word(last) || pay_str_is(last, "*"));
}


static int
is_word(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if ((text.data[i] < 'a' || text.data[i] > 'z') && text.data[i] != '_') {
            return 0;
        }
    }

    return text.len != 0;
}


static pay_status_t
take_scheme(const reader_t *in)
{
    pay_str_t          text;
    const pay_json_t  *value = pay_json_get(in->body, "scheme");

    if (value == NULL) {
        return PAY_OK;
    }

    return pay_json_string(value, &text) == PAY_OK
           && pay_endpoint_scheme_find(text, &in->act->scheme) == PAY_OK
           ? PAY_OK
           : pay_refuse_at(in->err, "validation-error",
                           "scheme must be v1 (HMAC-SHA256) or v1a (Ed25519)",
                           "/scheme");
}


static pay_status_t
take_ordered(const reader_t *in)
{
    return take_flag(in, "ordered", "ordered must be true or false",
                     &in->act->is_ordered);
}


static pay_status_t
take_overlap(const reader_t *in)
{
    int64_t            number;
    const pay_json_t  *value = pay_json_get(in->body, "overlap_seconds");

    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_integer(value, &number) != PAY_OK || number < 0
        || number > OVERLAP_MAX)
    {
        return pay_refuse_at(in->err, "validation-error",
                             "overlap_seconds must be a whole number from 0 "
                             "to 2592000", "/overlap_seconds");
    }

    in->act->overlap_s = number;

    return PAY_OK;
}


/* Either one event or a time: both together would leave one unheeded. */
static pay_status_t
take_event(const reader_t *in)
{
    pay_str_t          text;
    const pay_json_t  *value = pay_json_get(in->body, "event");

    if ((value == NULL) == (pay_json_get(in->body, "since") == NULL)
        || (value != NULL && pay_json_get(in->body, "until") != NULL)
        || (value != NULL && pay_json_get(in->body, "failed_only") != NULL))
    {
        return pay_refuse_at(in->err, "validation-error",
                             "name either an event, or since, with until "
                             "and failed_only, to deliver events again",
                             "/event");
    }

    if (value == NULL) {
        return PAY_OK;
    }

    return pay_json_string(value, &text) == PAY_OK && pay_id_is_valid(text)
           ? pay_dup(in->arena, text, &in->act->event)
           : pay_refuse_at(in->err, "validation-error",
                           "event must be the id of an event", "/event");
}


static pay_status_t
take_times(const reader_t *in)
{
    PAY_TRY(take_time(in, "since", &in->act->since_us));

    return take_time(in, "until", &in->act->until_us);
}


static pay_status_t
take_time(const reader_t *in, const char *member, pay_int_t *us)
{
    int64_t            number;
    pay_str_t          text;
    const pay_json_t  *value = pay_json_get(in->body, member);

    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) != PAY_OK
        || pay_parse_time(text, &number) != PAY_OK)
    {
        return pay_refuse_at(in->err, "validation-error",
                             "since and until must be times in UTC, for "
                             "example 2026-11-21T08:15:00Z", "/%s", member);
    }

    *us = pay_some(number);

    return PAY_OK;
}


static pay_status_t
take_failed(const reader_t *in)
{
    return take_flag(in, "failed_only", "failed_only must be true or false",
                     &in->act->only_failed);
}


static pay_status_t
take_flag(const reader_t *in, const char *member, const char *rule, int *flag)
{
    const pay_json_t  *value = pay_json_get(in->body, member);

    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_type(value) != PAY_JSON_TRUE
        && pay_json_type(value) != PAY_JSON_FALSE)
    {
        return pay_refuse_at(in->err, "validation-error", rule, "/%s", member);
    }

    *flag = pay_json_is_true(value);

    return PAY_OK;
}


/* PostgreSQL ends its object with "}", and so does this one. */
pay_status_t
pay_endpoint_render(pay_arena_t *arena, pay_str_t page,
    const pay_secret_t *secret, pay_str_t *json)
{
    pay_buf_t              buf;
    pay_str_t              text;
    pay_json_t            *object;
    pay_status_t           status;
    pay_endpoint_scheme_t  scheme;

    if (pay_json_parse(page, NULL, &object, NULL) != PAY_OK) {
        return PAY_BUG;
    }

    status = pay_json_string(pay_json_get(object, "scheme"), &text);
    if (status == PAY_OK) {
        status = pay_endpoint_scheme_find(text, &scheme);
    }

    pay_json_free(object);

    if (status != PAY_OK || page.data[page.len - 1] != '}') {
        return PAY_BUG;
    }

    PAY_TRY(pay_endpoint_key_text(arena, scheme, secret, &text));

    pay_buf_init(&buf, arena, ANSWER_MAX);
    pay_buf_add(&buf, (pay_str_t) { page.len - 1, page.data });
    pay_buf_text(&buf, scheme == PAY_ENDPOINT_V1A ? ",\"public_key\":\""
                                                  : ",\"secret\":\"");
    pay_buf_add(&buf, text);
    pay_buf_text(&buf, "\"}");

    return pay_buf_done(&buf, json);
}
